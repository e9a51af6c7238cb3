#include "frontends/serve/osdata.h"

#include "base/osdata.h"

#include <string.h>

struct table {
	struct tl_buffer *document;
	bool open; /* a row is */
};

static void open_row(void *context)
{
	struct table *table = context;

	tl_buffer_add(table->document, table->open ? "</item>\n<item>" : "<item>");
	table->open = true;
}

static void add_column(void *context, const char *name, const char *value)
{
	struct table *table = context;

	tl_buffer_add(table->document, "<column name=\"");
	tl_buffer_add_xml(table->document, name);
	tl_buffer_add(table->document, "\">");
	tl_buffer_add_xml(table->document, value);
	tl_buffer_add(table->document, "</column>");
}

enum tl_status tl_osdata_write(const char *type, struct tl_buffer *document)
{
	struct table table = {.document = document};
	struct tl_osdata_writer writer = {open_row, add_column, &table, false};
	tl_size before = document->size;
	enum tl_status status;

	if (type[0] == '\0')
		type = "types";
	tl_buffer_add(document, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"osdata.dtd\">\n<osdata type=\"");
	/* gdb takes the columns' heads from the first item, and calls groups by this name. */
	tl_buffer_add_xml(document, strcmp(type, "procgroups") == 0 ? "process groups" : type);
	tl_buffer_add(document, "\">\n");
	status = tl_osdata_list(type, &writer);
	if (status != TL_OK) {
		/* Nothing was told: back to what stood there before. */
		document->size = before;
		if (document->bytes != NULL)
			document->bytes[before] = '\0';
		return status;
	}
	tl_buffer_add(document, table.open ? "</item>\n</osdata>\n" : "</osdata>\n");
	return document->failed ? TL_ERROR_NO_MEMORY : TL_OK;
}

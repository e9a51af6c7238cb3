#include "frontends/serve/objects.h"

#include "frontends/serve/libraries.h"
#include "frontends/serve/server.h"

#include <stdio.h>
#include <string.h>

/* The largest document: `info os files` of a busy machine has some megabytes. */
#define DOCUMENT_MAX (256u << 20)

/* The offset in "OFFSET,LENGTH", without taking it. */
static tl_u64 peek_offset(struct tl_cursor arguments)
{
	return tl_cursor_hex(&arguments);
}

/*
 * A document that the client reads in parts is written when it asks for the first one, and kept. True when it must be
 * written now; `name` tells it from others.
 */
static bool begin_document(struct tl_documents *documents, const char *name, tl_u64 offset)
{
	if (offset != 0 && strcmp(documents->name, name) == 0)
		return false;
	snprintf(documents->name, sizeof(documents->name), "%s", name);
	tl_buffer_clear(&documents->document);
	return true;
}

static enum tl_status answer_document(struct tl_documents *documents, enum tl_status status,
				      struct tl_cursor *arguments, struct tl_writer *reply)
{
	if (status == TL_OK && documents->document.size > DOCUMENT_MAX)
		status = TL_ERROR_TOO_LONG;
	if (status != TL_OK) {
		documents->name[0] = '\0';
		return status;
	}
	return tl_rsp_answer_part(arguments, documents->document.bytes, documents->document.size, reply);
}

/* qXfer:osdata:read:[TYPE]:OFFSET,LENGTH */
static enum tl_status handle_osdata(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_documents *documents = context;
	struct tl_cursor annex = tl_cursor_until(arguments, ':');
	char type[32], name[48];
	enum tl_status status = TL_OK;
	tl_size size = tl_cursor_left(&annex);

	(void)rsp;
	if (size >= sizeof(type))
		return TL_ERROR_ARGUMENT;
	memcpy(type, annex.at, size);
	type[size] = '\0';
	snprintf(name, sizeof(name), "osdata:%s", type);
	if (begin_document(documents, name, peek_offset(*arguments)))
		status = documents->osdata(type, &documents->document);
	/* A table that does not exist is empty: gdb explains that to its user, and passes an error by in silence. */
	if (status == TL_ERROR_ARGUMENT)
		status = TL_OK;
	return answer_document(documents, status, arguments, reply);
}

/* qXfer:libraries-svr4:read:[start=…;prev=…;lmid=…]:OFFSET,LENGTH */
static enum tl_status handle_libraries(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	struct tl_documents *documents = context;
	struct tl_cursor annex = tl_cursor_until(arguments, ':');
	struct tl_libraries_part part;
	struct tl_thread_id thread;
	enum tl_status status = TL_OK;
	char name[128];

	if (!tl_libraries_read_annex(annex, &part))
		return TL_ERROR_PACKET;
	if (!tl_rsp_general(rsp, &thread))
		return TL_ERROR_NO_THREAD;
	if (tl_engine_target(documents->engine)->ops->read_object == NULL)
		return TL_UNKNOWN_PACKET;
	snprintf(name, sizeof(name), "libraries:%llx:%llx:%llx:%llx", (unsigned long long)thread.process,
		 (unsigned long long)part.start, (unsigned long long)part.previous,
		 (unsigned long long)part.name_space);
	if (begin_document(documents, name, peek_offset(*arguments)))
		status = tl_libraries_write(documents->engine, thread, &part, &documents->document);
	return answer_document(documents, status, arguments, reply);
}

const struct tl_rsp_row tl_objects_rows[] = {
	{"qXfer:osdata:read:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_osdata},
	{"qXfer:libraries-svr4:read:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_libraries},
	{NULL, 0, 0, false, NULL},
};

const char tl_serve_features[] =
	";QStartupWithShell+;QDisableRandomization+;QEnvironmentHexEncoded+;QEnvironmentReset+;QEnvironmentUnset+"
	";QSetWorkingDir+;qXfer:osdata:read+;qXfer:libraries-svr4:read+;augmented-libraries-svr4-read+";

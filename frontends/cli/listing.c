#include "frontends/cli/listing.h"

#include "debugger/code/source.h"
#include "frontends/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_line(struct tl_cli *cli, const struct tl_source_file *source, tl_u32 line)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	const char *bytes;
	tl_size size;

	if (!tl_source_file_line(source, line, &bytes, &size))
		return;
	tl_source_file_write(&text, bytes, size);
	tl_screen_format(&cli->screen, "%u\t%s\n", line, tl_output_string(&text));
	tl_output_release(&text);
}

/* The last part of a path, or the path. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

void tl_listing_line(struct tl_cli *cli, const char *file, const char *name, tl_u32 line)
{
	const struct tl_source_file *source;
	struct tl_error error;
	char text[400];

	name = name != NULL ? name : file;
	if (tl_sources_find(cli->sources, file, NULL, &source, &error) == TL_OK) {
		if (line <= source->line_count)
			write_line(cli, source, line);
		else
			tl_screen_format(&cli->screen, "Line number %u out of range; \"%s\" has %u lines.\n", line,
					 name, source->line_count);
		return;
	}
	if (cli->missing_source != NULL && strcmp(cli->missing_source, file) == 0) {
		tl_screen_format(&cli->screen, "%u\tin %s\n", line, name);
		return;
	}
	(void)snprintf(text, sizeof(text), "%u\t%s: No such file or directory.", line, name);
	tl_screen_complain(&cli->screen, text);
	if (cli->missing_source == NULL) {
		(void)snprintf(text, sizeof(text),
			       "(Where is %s? \"directory FOLDER\" or \"set substitute-path FROM TO\" says where "
			       "sources are.)",
			       base_name(name));
		tl_screen_complain(&cli->screen, text);
	}
	free(cli->missing_source);
	cli->missing_source = strdup(file);
}

enum tl_status tl_listing_lines(struct tl_cli *cli, const char *file, tl_u32 first, tl_u32 last, tl_u32 *last_ret,
				struct tl_error *error)
{
	const struct tl_source_file *source;

	TL_TRY(tl_sources_find(cli->sources, file, NULL, &source, error));
	if (first > source->line_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Line number %u out of range; \"%s\" has %u lines.", first,
			       base_name(file), source->line_count);
	if (last > source->line_count)
		last = source->line_count;
	for (tl_u32 line = first; line <= last && !cli->screen.cut; line++)
		write_line(cli, source, line);
	*last_ret = last;
	return TL_OK;
}

void tl_listing_stand(struct tl_cli *cli, const char *file, const char *name, tl_u32 line)
{
	struct tl_listing *listing = &cli->listing;
	char *copy = strdup(file), *name_copy = strdup(name != NULL ? name : file);
	tl_u32 half = cli->settings.list_size / 2;

	if (copy == NULL || name_copy == NULL) {
		free(copy);
		free(name_copy);
		return;
	}
	free(listing->file);
	free(listing->name);
	*listing = (struct tl_listing){copy, name_copy, line > half ? line - half : 1, line, line, 0};
	tl_session_set_base(cli->session, NULL, 0);
}

#include "frontends/cli/command.h"

#include <string.h>

/* More than anybody wants to see, and few enough to multiply with any size. */
#define COUNT_MAX 0x7fffffff

static bool is_space(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* What names of commands are made of; others, a lone ! say, are commands of one character. */
static bool is_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
	       byte == '-' || byte == '_' || byte == '.';
}

static void skip_spaces(const char **at, const char *end)
{
	while (*at < end && is_space(**at))
		++*at;
}

/* The word at a place; of what is no word, one character. */
static tl_size word_size(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && is_word(*at))
		at++;
	return at == start && at < end && !is_space(*at) && *at != '/' ? 1 : (tl_size)(at - start);
}

static bool begins(const char *name, const char *word, tl_size size)
{
	return strncmp(name, word, size) == 0;
}

static bool is_short(const struct tl_command *row, const char *word, tl_size size)
{
	const char *at = row->shorts;

	while (at != NULL && *at != '\0') {
		tl_size length = strcspn(at, " ");

		if (length == size && memcmp(at, word, size) == 0)
			return true;
		at += length;
		at += strspn(at, " ");
	}
	return false;
}

/* ---- Finding ---- */

/* The row that a word stands for; NULL, with *count_ret how many it might. */
static const struct tl_command *find_row(const struct tl_command *table, const char *word, tl_size size,
					 tl_size *count_ret)
{
	const struct tl_command *found = NULL;

	*count_ret = 0;
	for (const struct tl_command *row = table; row->name != NULL; row++) {
		if (is_short(row, word, size) || (begins(row->name, word, size) && row->name[size] == '\0'))
			return row;
		if (begins(row->name, word, size)) {
			found = row;
			++*count_ret;
		}
	}
	return *count_ret == 1 ? found : NULL;
}

/* In how many places two words differ, as far as it matters: 0, 1, or more. */
static bool nearly(const char *name, const char *word, tl_size size)
{
	tl_size length = strlen(name), same = 0, tail = 0;

	while (same < length && same < size && name[same] == word[same])
		same++;
	while (tail < length - same && tail < size - same && name[length - 1 - tail] == word[size - 1 - tail])
		tail++;
	/* One letter too many, too few, or wrong; or two that changed places. */
	if (length - same - tail <= 1 && size - same - tail <= 1)
		return true;
	return length == size && length - same - tail == 2 && name[same] == word[same + 1] &&
	       name[same + 1] == word[same];
}

static void write_candidates(const struct tl_command *table, const char *word, tl_size size, struct tl_writer *writer)
{
	bool first = true;

	for (const struct tl_command *row = table; row->name != NULL; row++) {
		if (!begins(row->name, word, size))
			continue;
		tl_write_text(writer, first ? "" : ", ");
		tl_write_text(writer, row->name);
		first = false;
	}
}

/* "info " in front of a further word; nothing in front of the first. */
static void write_path(const struct tl_command_line *line, struct tl_writer *writer)
{
	for (tl_size i = 0; i < TL_COMMAND_DEPTH_MAX && line->path[i] != NULL; i++) {
		tl_write_text(writer, line->path[i]->name);
		tl_write_text(writer, " ");
	}
}

static enum tl_status not_found(const struct tl_command *table, const struct tl_command_line *line, const char *word,
				tl_size size, tl_size count, struct tl_error *error)
{
	char path[128] = "", names[192] = "";
	struct tl_writer path_writer = tl_writer_make(path, sizeof(path) - 1);
	struct tl_writer names_writer = tl_writer_make(names, sizeof(names) - 1);
	int shown = size > 60 ? 60 : (int)size;

	write_path(line, &path_writer);
	if (count > 1) {
		write_candidates(table, word, size, &names_writer);
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Ambiguous command \"%s%.*s\": %s%s.", path, shown, word,
			       names, names_writer.failed ? "…" : "");
	}
	for (const struct tl_command *row = table; row->name != NULL && size > 1; row++)
		if (nearly(row->name, word, size))
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "Undefined command: \"%s%.*s\". Did you mean \"%s%s\"?", path, shown, word, path,
				       row->name);
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "Undefined command: \"%s%.*s\".  Try \"help%s%s\".", path, shown, word,
		       path[0] != '\0' ? " " : "", line->path[0] != NULL ? line->path[0]->name : "");
}

static enum tl_status further_word_missing(const struct tl_command_line *line, struct tl_error *error)
{
	char name[128] = "", names[192] = "";
	struct tl_writer name_writer = tl_writer_make(name, sizeof(name) - 1);
	struct tl_writer names_writer = tl_writer_make(names, sizeof(names) - 1);

	tl_command_name(line, &name_writer);
	write_candidates(line->command->subcommands, "", 0, &names_writer);
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" must be followed by one of: %s%s.", name, names,
		       names_writer.failed ? "…" : "");
}

/* Takes /FMT, which has no spaces in it. */
static void take_format(struct tl_command_line *line, const char **at, const char *end)
{
	const char *start;

	if (*at == end || **at != '/' || (line->command->flags & TL_COMMAND_FORMAT) == 0)
		return;
	start = ++*at;
	while (*at < end && !is_space(**at))
		++*at;
	line->format = start;
	line->format_size = (tl_size)(*at - start);
}

static void take_words(struct tl_command_line *line, const char *at, const char *end)
{
	skip_spaces(&at, end);
	while (end > at && is_space(end[-1]))
		end--;
	line->words = at;
	line->size = (tl_size)(end - at);
}

enum tl_status tl_command_find(const struct tl_command *table, const char *text, tl_size size,
			       struct tl_command_line *line_ret, struct tl_error *error)
{
	struct tl_command_line line = {.format = ""};
	const char *at = text, *end = text + size;

	skip_spaces(&at, end);
	for (tl_size depth = 0; depth < TL_COMMAND_DEPTH_MAX && table != NULL; depth++) {
		tl_size length = word_size(at, end), count = 0;
		const struct tl_command *row = length != 0 ? find_row(table, at, length, &count) : NULL;

		if (row == NULL) {
			/* What follows are words of a command that does something itself. */
			if (line.command != NULL && line.command->run != NULL && (length == 0 || count == 0))
				break;
			if (length == 0 && line.command != NULL)
				return further_word_missing(&line, error);
			if (length == 0 && at == end) {
				take_words(&line, at, end);
				*line_ret = line;
				return TL_OK;
			}
			return not_found(table, &line, at, length != 0 ? length : 1, count, error);
		}
		line.command = line.path[depth] = row;
		table = row->subcommands;
		at += length;
		skip_spaces(&at, end);
		take_format(&line, &at, end);
		skip_spaces(&at, end);
	}
	take_words(&line, at, end);
	*line_ret = line;
	return TL_OK;
}

/* ---- Completing ---- */

const struct tl_command *tl_command_complete(const struct tl_command *table, const char *text, tl_size size,
					     void (*call)(void *context, const struct tl_command *row), void *context,
					     const char **rest_ret)
{
	const struct tl_command *command = NULL;
	const char *at = text, *end = text + size;

	skip_spaces(&at, end);
	while (table != NULL) {
		tl_size length = word_size(at, end), count;
		const struct tl_command *row;

		if (at + length == end) {
			for (row = table; row->name != NULL; row++)
				if (begins(row->name, at, length))
					call(context, row);
			break;
		}
		row = find_row(table, at, length, &count);
		if (row == NULL)
			break;
		command = row;
		table = row->subcommands;
		at += length;
		while (at < end && !is_space(*at))
			at++;
		skip_spaces(&at, end);
	}
	*rest_ret = at;
	return command;
}

/* ---- Formats ---- */

enum tl_status tl_format_read(const struct tl_command_line *line, const char *others, struct tl_format *format_ret,
			      struct tl_error *error)
{
	struct tl_cursor at = tl_cursor_make(line->format, line->format_size);
	struct tl_format format = {.count = 1};
	bool negative = tl_cursor_accept(&at, '-');

	if (tl_cursor_peek(&at) >= '0' && tl_cursor_peek(&at) <= '9') {
		tl_u64 count = tl_cursor_decimal(&at);

		if (at.failed || count > COUNT_MAX)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "The count behind the slash is too large.");
		format.count = negative ? -(tl_i64)count : (tl_i64)count;
		format.has_count = true;
	} else if (negative) {
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "A minus behind the slash wants a count: /-3xw");
	}
	while (!tl_cursor_done(&at)) {
		char letter = (char)tl_cursor_byte(&at);

		if (letter >= 'a' && letter <= 'z' && strchr(others, letter) != NULL)
			format.flags |= 1u << (letter - 'a');
		else if (letter != '\0' && strchr("oxzdutfaics", letter) != NULL)
			format.letter = letter;
		else if (letter != '\0' && strchr("bhwg", letter) != NULL)
			format.size = letter;
		else if (letter == 'r')
			format.raw = true;
		else
			return TL_FAIL(
				error, TL_ERROR_ARGUMENT,
				"Undefined format letter \"%c\". Formats are o x z d u t f a i c s, sizes b h w g.",
				letter >= ' ' && letter < 0x7f ? letter : '?');
	}
	*format_ret = format;
	return TL_OK;
}

void tl_command_name(const struct tl_command_line *line, struct tl_writer *writer)
{
	for (tl_size i = 0; i < TL_COMMAND_DEPTH_MAX && line->path[i] != NULL; i++) {
		tl_write_text(writer, i == 0 ? "" : " ");
		tl_write_text(writer, line->path[i]->name);
	}
}

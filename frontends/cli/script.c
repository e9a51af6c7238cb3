#include "frontends/cli/script.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/stops.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Lines ---- */

enum tl_status tl_script_line(struct tl_cli *cli, const char *prompt, char **line_ret, struct tl_error *error)
{
	struct tl_reader *reader = cli->reader;
	const char *newline;
	tl_size size;

	if (reader == NULL)
		return tl_terminal_read(cli->terminal, prompt, TL_QUESTION_LINE, line_ret, error);
	if (reader->at == reader->end) {
		*line_ret = NULL;
		return TL_OK;
	}
	newline = memchr(reader->at, '\n', (tl_size)(reader->end - reader->at));
	size = (tl_size)((newline != NULL ? newline : reader->end) - reader->at);
	*line_ret = strndup(reader->at, size);
	if (*line_ret == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a line");
	reader->at += size + (newline != NULL);
	reader->line++;
	/* Files of other systems. */
	if (size > 0 && (*line_ret)[size - 1] == '\r')
		(*line_ret)[size - 1] = '\0';
	return TL_OK;
}

/* ---- Bodies ---- */

/* The first word of a line is this one. */
static bool begins_with(const char *line, tl_size size, const char *word)
{
	tl_size length = strlen(word);

	while (size > 0 && isspace((unsigned char)*line))
		line++, size--;
	return size >= length && memcmp(line, word, length) == 0 &&
	       (size == length || isspace((unsigned char)line[length]) || line[length] == '(');
}

/* Nothing but the word. */
static bool is_word(const char *line, tl_size size, const char *word)
{
	while (size > 0 && isspace((unsigned char)line[size - 1]))
		size--;
	while (size > 0 && isspace((unsigned char)*line))
		line++, size--;
	return size == strlen(word) && memcmp(line, word, size) == 0;
}

static bool opens_body(const char *line, tl_size size)
{
	static const char *const words[] = {"if", "while", "while-stepping", "commands", "define", "document"};

	for (tl_size i = 0; i < TL_COUNT(words); i++)
		if (begins_with(line, size, words[i]))
			return true;
	return false;
}

static const char *body_prompt(tl_u32 depth)
{
	static const char prompts[] = "                >";
	tl_u32 most = sizeof(prompts) - 2;

	return prompts + most - (depth < most ? depth : most);
}

enum tl_status tl_script_body(struct tl_cli *cli, const char *title, bool verbatim, struct tl_output *body_ret,
			      struct tl_error *error)
{
	tl_u32 depth = 0;

	if (title != NULL && cli->reader == NULL && tl_terminal_interactive(cli->terminal))
		tl_screen_format(&cli->screen, "%s\nEnd with a line saying just \"end\".\n", title);
	for (;;) {
		enum tl_status status;
		char *line;
		tl_size size;

		/* As in gdb, what is no definition is one deeper to begin with. */
		TL_TRY(tl_script_line(cli, body_prompt(depth + (title == NULL)), &line, error));
		if (line == NULL)
			return tl_output_status(body_ret, error);
		size = strlen(line);
		if (is_word(line, size, "end") && depth-- == 0) {
			free(line);
			return tl_output_status(body_ret, error);
		}
		if (!verbatim && opens_body(line, size))
			depth++;
		tl_output_bytes(body_ret, line, size);
		tl_output_text(body_ret, "\n");
		free(line);
		status = tl_output_status(body_ret, error);
		if (status != TL_OK)
			return status;
	}
}

bool tl_script_else(const char *body, tl_size size, tl_size *else_ret, tl_size *after_ret)
{
	tl_u32 depth = 0;

	for (tl_size at = 0; at < size;) {
		const char *newline = memchr(body + at, '\n', size - at);
		tl_size length = newline != NULL ? (tl_size)(newline - body) - at : size - at;

		if (opens_body(body + at, length)) {
			depth++;
		} else if (is_word(body + at, length, "end") && depth > 0) {
			depth--;
		} else if (depth == 0 && is_word(body + at, length, "else")) {
			*else_ret = at;
			*after_ret = at + length + (newline != NULL);
			return true;
		}
		at += length + (newline != NULL);
	}
	return false;
}

/* ---- Words ---- */

bool tl_script_word(const char **at, const char *end, bool raw, struct tl_output *word_ret)
{
	char quote = '\0';

	while (*at < end && isspace((unsigned char)**at))
		++*at;
	if (*at == end)
		return false;
	for (; *at < end && (quote != '\0' || !isspace((unsigned char)**at)); ++*at) {
		char byte = **at;

		if (byte == '\\' && quote != '\'' && *at + 1 < end) {
			if (raw)
				tl_output_bytes(word_ret, *at, 1);
			tl_output_bytes(word_ret, ++*at, 1);
		} else if (quote == '\0' ? byte == '"' || byte == '\'' : byte == quote) {
			quote = quote == '\0' ? byte : '\0';
			if (raw)
				tl_output_bytes(word_ret, &byte, 1);
		} else {
			tl_output_bytes(word_ret, &byte, 1);
		}
	}
	return true;
}

/* The n-th word as it was typed; false past the last one. */
static bool argument(const char *words, tl_size index, struct tl_output *word)
{
	const char *at = words, *end = words + strlen(words);

	do {
		tl_output_reset(word);
		if (!tl_script_word(&at, end, true, word))
			return false;
	} while (index-- > 0);
	return true;
}

static void put_argument(const char *words, const char **at, struct tl_output *line)
{
	struct tl_output word = tl_output_make(TL_OUTPUT_MAX);
	const char *start = *at;
	tl_size count = 0;

	if (start[1] == '*') {
		tl_output_text(line, words);
		*at += 2;
	} else if (strncmp(start, "$argc", 5) == 0) {
		while (argument(words, count, &word))
			count++;
		tl_output_format(line, "%llu", (unsigned long long)count);
		*at += 5;
	} else if (strncmp(start, "$arg", 4) == 0 && isdigit((unsigned char)start[4])) {
		char *rest;
		unsigned long index = strtoul(start + 4, &rest, 10);

		/* As in gdb, one that was not given stays as it is: a variable of that name, which is void. */
		if (argument(words, index, &word))
			tl_output_text(line, tl_output_string(&word));
		else
			tl_output_bytes(line, start, (tl_size)(rest - start));
		*at = rest;
	} else {
		tl_output_bytes(line, start, 1);
		++*at;
	}
	tl_output_release(&word);
}

void tl_script_substitute(const struct tl_cli *cli, const char *line, struct tl_output *line_ret)
{
	const struct tl_reader *reader = cli->reader;

	while (reader != NULL && reader->words == NULL)
		reader = reader->outer;
	if (reader == NULL) {
		tl_output_text(line_ret, line);
		return;
	}
	while (*line != '\0') {
		tl_size plain = strcspn(line, "$");

		tl_output_bytes(line_ret, line, plain);
		line += plain;
		if (*line == '$')
			put_argument(reader->words, &line, line_ret);
	}
}

/* ---- Carrying out ---- */

static enum tl_status run_lines(struct tl_cli *cli, bool is_file, struct tl_error *error)
{
	while (!cli->quit && cli->leaving == TL_SCRIPT_STAYS) {
		enum tl_status status;
		char *line;

		if (tl_cli_cancelled(cli))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
		TL_TRY(tl_script_line(cli, NULL, &line, error));
		if (line == NULL)
			return TL_OK;
		status = tl_execute_line(cli, line, error);
		free(line);
		tl_session_trim(cli->session);
		/* In a file, commands of points come as if they had been typed. */
		if (status == TL_OK && is_file)
			status = tl_stop_commands(cli, error);
		TL_TRY(status);
	}
	return TL_OK;
}

enum tl_status tl_script_run(struct tl_cli *cli, const char *text, tl_size size, const char *file, const char *words,
			     struct tl_error *error)
{
	struct tl_reader reader = {.at = text, .end = text + size, .file = file, .outer = cli->reader, .words = words};
	struct tl_error inner;
	enum tl_status status;

	if (cli->depth >= cli->settings.user_depth)
		return TL_FAIL(error, TL_ERROR_TOO_LONG,
			       "Max user call depth exceeded -- command aborted. (set max-user-call-depth says how "
			       "deep commands may call each other)");
	cli->depth++;
	cli->reader = &reader;
	status = run_lines(cli, file != NULL, &inner);
	cli->reader = reader.outer;
	cli->depth--;
	if (status == TL_OK)
		return TL_OK;
	if (file == NULL || status == TL_ERROR_CANCELLED)
		return TL_FAIL(error, status, "%s", inner.text);
	return TL_FAIL(error, status, "%s:%u: Error in sourced command file:\n%s", file, reader.line, inner.text);
}

/* The whole of a file; a directory, a pipe that goes on for ever and the like are errors. */
static enum tl_status read_file(const char *path, struct tl_output *text, struct tl_error *error)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char bytes[4096];
	ssize_t done;

	if (descriptor < 0)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: %s.", path, strerror(errno));
	while ((done = read(descriptor, bytes, sizeof(bytes))) > 0)
		tl_output_bytes(text, bytes, (tl_size)done);
	if (done < 0) {
		int code = errno;

		(void)close(descriptor);
		return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: %s.", path, strerror(code));
	}
	(void)close(descriptor);
	if (text->size > 0 && text->text[text->size - 1] != '\n')
		tl_output_text(text, "\n");
	return tl_output_status(text, error);
}

enum tl_status tl_script_file(struct tl_cli *cli, const char *path, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_SCRIPT_MAX);
	enum tl_status status = read_file(path, &text, error);

	if (status == TL_OK)
		status = tl_script_run(cli, tl_output_string(&text), text.size, path, NULL, error);
	tl_output_release(&text);
	return status;
}

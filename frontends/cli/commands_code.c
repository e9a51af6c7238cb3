/* disassemble. */
#include "debugger/session/session.h"
#include "frontends/cli/cli.h"
#include "frontends/cli/code.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/words.h"

#include <stdlib.h>
#include <string.h>

/* The letters behind a slash: m, r and s. */
static enum tl_status read_letters(const char *letters, tl_size size, struct tl_code_listing *listing,
				   struct tl_error *error)
{
	for (tl_size i = 0; i < size; i++) {
		switch (letters[i]) {
		case 'm':
			listing->source = TL_CODE_BY_LINE;
			break;
		case 'r':
			listing->bytes = true;
			break;
		case 's':
			listing->source = TL_CODE_MIXED;
			break;
		default:
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid disassembly modifier.");
		}
	}
	return TL_OK;
}

/* The slash may stand by itself, too, and more than once: "disassemble /s /r main". */
static enum tl_status read_modifiers(const struct tl_command_line *line, const char **words,
				     struct tl_code_listing *listing, struct tl_error *error)
{
	TL_TRY(read_letters(line->format, line->format_size, listing, error));
	while (**words == '/') {
		tl_size size = strcspn(*words, " \t");

		TL_TRY(read_letters(*words + 1, size - 1, listing, error));
		*words += size;
		*words += strspn(*words, " \t");
	}
	return TL_OK;
}

/* A comma outside of brackets and quotes: between the start of a range and its end. */
static const char *find_comma(const char *text)
{
	int depth = 0;

	for (; *text != '\0'; text++) {
		if (strchr("([{", *text) != NULL)
			depth++;
		else if (strchr(")]}", *text) != NULL)
			depth--;
		else if (*text == ',' && depth == 0)
			return text;
	}
	return NULL;
}

/* "START,END" and "START,+LENGTH". */
static enum tl_status list_range(struct tl_cli *cli, const struct tl_code_listing *listing, const char *words,
				 const char *comma, struct tl_output *output, struct tl_error *error)
{
	const char *second = comma + 1 + strspn(comma + 1, " \t");
	bool is_length = *second == '+';
	tl_u64 start, end;

	second += is_length ? 1 : 0;
	TL_TRY(tl_session_address(cli->session, words, (tl_size)(comma - words), &start, error));
	TL_TRY(tl_session_address(cli->session, second, strlen(second), &end, error));
	if (is_length)
		end += start;
	return tl_code_list_range(listing, start, end, tl_session_patience(cli->session), output, error);
}

static enum tl_status list_function(struct tl_cli *cli, const struct tl_code_lister *lister, const char *words,
				    struct tl_output *output, struct tl_error *error)
{
	struct tl_code_function function = {0};
	enum tl_status status;
	tl_u64 address;

	if (words[0] != '\0') {
		TL_TRY(tl_session_address(cli->session, words, strlen(words), &address, error));
	} else {
		if (!lister->listing.has_current)
			return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No frame selected.");
		address = lister->listing.current;
	}
	TL_TRY(tl_code_function_find(lister->places, address, &function, error));
	status = tl_code_list_function(&lister->listing, &function, tl_session_patience(cli->session), output, error);
	tl_code_function_release(&function);
	return status;
}

static enum tl_status disassemble(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_code_lister lister;
	enum tl_status status;
	const char *comma;

	TL_TRY(tl_code_lister_open(&lister, cli, error));
	status = read_modifiers(line, &words, &lister.listing, error);
	comma = find_comma(words);
	if (status == TL_OK && comma != NULL)
		status = list_range(cli, &lister.listing, words, comma, &output, error);
	else if (status == TL_OK)
		status = list_function(cli, &lister, words, &output, error);
	/* What could be read stands in front of the error. */
	tl_screen_text(&cli->screen, tl_output_string(&output));
	tl_output_release(&output);
	tl_code_lister_close(&lister);
	return status;
}

static enum tl_status run_disassemble(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, disassemble, error);
}

const struct tl_command tl_commands_code[] = {
	{.name = "disassemble",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/MODIFIER...] [ADDRESS] | [START,END] | [START,+LENGTH]",
	 .summary = "Show instructions",
	 .details = "Of the function at an address, without one that of the selected frame; or of a range.\n"
		    "/r shows the bytes as well, /s the source among the instructions, /m the instructions among the\n"
		    "lines of the source.\n\nExample: disassemble /s main",
	 .run = run_disassemble,
	 .complete = tl_complete_expressions},
	{.name = NULL},
};

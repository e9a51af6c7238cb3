/* Values, types, memory, displays. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/data.h"
#include "frontends/cli/displays.h"
#include "frontends/cli/overrides.h"
#include "frontends/cli/points.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/values/classes.h"
#include "debugger/values/containers.h"
#include "symbols/type_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- print ---- */

/* A value by the format behind the slash, which may want memory shown: x, as `print/s` does not. */
static enum tl_status evaluate(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			       struct tl_format *format_ret, struct tl_value *value_ret, struct tl_error *error)
{
	TL_TRY(tl_format_read(line, "", format_ret, error));
	if (format_ret->has_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Item count other than 1 is meaningless in \"%s\" command.",
			       line->command->name);
	if (format_ret->letter == 'i')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Format letter \"i\" is meaningless in \"%s\" command.",
			       line->command->name);
	if (words[0] == '\0')
		words = "$";
	return tl_cli_evaluate(cli, words, strlen(words), value_ret, error);
}

static bool is_void(const struct tl_value *value)
{
	const struct tl_type *type;

	return value->type == NULL || (tl_type_strip(value->type, &type, NULL) == TL_OK && type->kind == TL_TYPE_VOID);
}

static enum tl_status print_expression(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				       struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_format format;
	struct tl_value value;
	tl_u64 number;
	enum tl_status status;

	TL_TRY(evaluate(cli, words, line, &format, &value, error));
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	/* print says that there is nothing; call says nothing. */
	if (is_void(&value) && strcmp(line->command->name, "call") == 0)
		return TL_OK;
	status = tl_variables_record(tl_session_variables(cli->session), &environment->values, &value, &number, error);
	if (status == TL_OK)
		status = tl_cli_print_formatted(cli, &value, &format, &text, error);
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "$%llu = %s\n", (unsigned long long)number, tl_output_string(&text));
	tl_output_release(&text);
	return status;
}

static enum tl_status print(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct tl_command_line formatted = *line;
	struct tl_overrides overrides = {.count = 0};
	enum tl_status status = tl_overrides_take(cli, &overrides, "print", &words, error);

	/* Behind options the format stands with the expression. */
	if (status == TL_OK && words[0] == '/' && line->format_size == 0) {
		formatted.format = words + 1;
		formatted.format_size = strcspn(words + 1, " \t");
		words += 1 + formatted.format_size;
		words += strspn(words, " \t");
	}
	if (status == TL_OK)
		status = print_expression(cli, words, &formatted, error);
	tl_overrides_undo(cli, &overrides);
	return status;
}

static enum tl_status run_print(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, print, error);
}

static enum tl_status output(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	struct tl_format format;
	struct tl_value value;
	enum tl_status status;

	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (expression to compute).");
	TL_TRY(evaluate(cli, words, line, &format, &value, error));
	status = tl_cli_print_formatted(cli, &value, &format, &text, error);
	if (status == TL_OK)
		tl_screen_text(&cli->screen, tl_output_string(&text));
	tl_output_release(&text);
	return status;
}

static enum tl_status run_output(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, output, error);
}

/* "$name = EXPRESSION", if the variable has no value yet. */
static enum tl_status init_if_undefined(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
					struct tl_error *error)
{
	const char *at = words + 1;
	struct tl_value value;

	(void)line;
	if (words[0] == '$')
		at += strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	if (words[0] != '$' || at[strspn(at, " \t")] != '=' || at[strspn(at, " \t") + 1] == '=')
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Init-if-undefined requires an assignment expression.");
	TL_TRY(tl_cli_evaluate(cli, words, (tl_size)(at - words), &value, error));
	return is_void(&value) ? tl_cli_evaluate(cli, words, strlen(words), &value, error) : TL_OK;
}

static enum tl_status run_init_if_undefined(struct tl_cli *cli, const struct tl_command_line *line,
					    struct tl_error *error)
{
	return tl_words_with(cli, line, init_if_undefined, error);
}

/* ---- Types ---- */

/* An expression's type, and whether it was a type itself. */
static enum tl_status type_of(struct tl_cli *cli, const char *words, const struct tl_type **type_ret, bool *is_type_ret,
			      struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_expression *expression;
	enum tl_status status;

	if (words[0] == '\0')
		words = "$";
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_session_parse(cli->session, words, strlen(words), &expression, error));
	*is_type_ret = tl_node_is_type(tl_expression_node(expression, tl_expression_top(expression)));
	status = tl_evaluate_type(environment, expression, type_ret, error);
	tl_expression_free(expression);
	return status;
}

/* What a pointer or reference really leads to, in front of its type; of a call nothing is asked. */
static enum tl_status write_real_type(struct tl_cli *cli, const char *words, const struct tl_type *type,
				      struct tl_output *output, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const struct tl_type *stripped;
	struct tl_value value;
	bool known = false;

	TL_TRY(tl_type_strip(type, &stripped, error));
	if (!cli->settings.object || strpbrk(words, "(=") != NULL || strstr(words, "++") != NULL ||
	    strstr(words, "--") != NULL ||
	    (stripped->kind != TL_TYPE_POINTER && stripped->kind != TL_TYPE_REFERENCE &&
	     stripped->kind != TL_TYPE_RVALUE_REFERENCE))
		return TL_OK;
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	if (tl_cli_evaluate(cli, words[0] != '\0' ? words : "$", strlen(words[0] != '\0' ? words : "$"), &value,
			    NULL) != TL_OK ||
	    tl_class_real(&environment->values, &value, &value, &known, NULL) != TL_OK || !known)
		return TL_OK;
	tl_output_text(output, "/* real type = ");
	TL_TRY(tl_type_write_name(value.type, output, error));
	tl_output_text(output, " */\n");
	return TL_OK;
}

/* std::vector<int> goes without its allocator. */
static enum tl_status write_type_name(struct tl_cli *cli, const struct tl_type *type, struct tl_output *output,
				      struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	bool known = false;

	TL_TRY(tl_container_is_known(type, &known, error));
	if (!known)
		return tl_type_write_name(type, output, error);
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	tl_output_text(output, tl_container_short_name(&environment->values, type));
	return TL_OK;
}

static enum tl_status whatis(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			     struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_type *type;
	bool is_type;
	enum tl_status status;

	(void)line;
	TL_TRY(type_of(cli, words, &type, &is_type, error));
	/* Of a typedef's name it tells what it stands for, one step far. */
	if (is_type && type->kind == TL_TYPE_TYPEDEF)
		TL_TRY(tl_type_target(type, &type, error));
	status = is_type ? TL_OK : write_real_type(cli, words, type, &text, error);
	if (status == TL_OK)
		status = write_type_name(cli, type, &text, error);
	if (status == TL_OK)
		tl_screen_format(&cli->screen, "type = %s\n", tl_output_string(&text));
	tl_output_release(&text);
	return status;
}

static enum tl_status run_whatis(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, whatis, error);
}

static enum tl_status ptype(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			    struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_output real = tl_output_make(TL_OUTPUT_MAX);
	const struct tl_type *type;
	unsigned flags = TL_TYPE_TEXT_ALIASES | (cli->settings.type_hex ? TL_TYPE_TEXT_HEXADECIMAL : 0u) |
			 (cli->settings.type_methods ? 0u : TL_TYPE_TEXT_NO_FUNCTIONS) |
			 (cli->settings.type_typedefs ? 0u : TL_TYPE_TEXT_NO_TYPES);
	bool is_type;
	enum tl_status status;

	for (tl_size i = 0; i < line->format_size; i++) {
		switch (line->format[i]) {
		case 'o':
			flags |= TL_TYPE_TEXT_OFFSETS;
			break;
		case 'x':
			flags |= TL_TYPE_TEXT_HEXADECIMAL;
			break;
		case 'm':
			flags |= TL_TYPE_TEXT_NO_FUNCTIONS;
			break;
		case 't':
			flags |= TL_TYPE_TEXT_NO_TYPES;
			break;
		case 'r':
			flags &= ~(unsigned)TL_TYPE_TEXT_ALIASES;
			break;
		case 'M':
			flags &= ~(unsigned)TL_TYPE_TEXT_NO_FUNCTIONS;
			break;
		case 'T':
			flags &= ~(unsigned)TL_TYPE_TEXT_NO_TYPES;
			break;
		case 'd':
			flags &= ~(unsigned)TL_TYPE_TEXT_HEXADECIMAL;
			break;
		default:
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "unrecognized flag '%c'. ptype knows o, x, m and t.",
				       line->format[i]);
		}
	}
	TL_TRY(type_of(cli, words, &type, &is_type, error));
	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	TL_TRY(tl_value_complete_type(&environment->values, type, &type, error));
	status = is_type ? TL_OK : write_real_type(cli, words, type, &real, error);
	if (status == TL_OK)
		status = tl_type_write_description(type, flags, &text, error);
	if (status == TL_OK && real.size != 0 && strncmp(tl_output_string(&text), "type = ", 7) == 0)
		tl_screen_format(&cli->screen, "type = %s%s", tl_output_string(&real), tl_output_string(&text) + 7);
	else if (status == TL_OK)
		tl_screen_text(&cli->screen, tl_output_string(&text));
	tl_output_release(&real);
	tl_output_release(&text);
	return status;
}

static enum tl_status run_ptype(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, ptype, error);
}

/* ---- x ---- */

/* Formats that were not given are those of the last time. */
static void complete_format(struct tl_cli *cli, struct tl_format *format)
{
	struct tl_format *last = &cli->memory_format;

	if (format->letter == '\0')
		format->letter = last->letter != '\0' ? last->letter : 'x';
	if (format->letter == 'a')
		format->size = 'g';
	else if ((format->letter == 'c' || format->letter == 's') && format->size == '\0')
		format->size = 'b';
	else if (format->size == '\0')
		format->size = last->size != '\0' ? last->size : 'w';
	last->letter = format->letter;
	last->size = format->letter == 's' ? 'b' : format->size;
	last->count = format->count;
}

static enum tl_status examine(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
			      struct tl_error *error)
{
	struct tl_format format;
	struct tl_value value;
	enum tl_status status;

	TL_TRY(tl_format_read(line, "", &format, error));
	/* A bare x shows as many as the one before. */
	if (words[0] == '\0' && line->format_size == 0 && cli->memory_format.count > 0)
		format.count = cli->memory_format.count;
	complete_format(cli, &format);
	if (format.count < 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "x goes forward only: give the address to begin with.");
	if (words[0] != '\0') {
		TL_TRY(tl_cli_evaluate(cli, words, strlen(words), &value, error));
		TL_TRY(tl_cli_address(cli, &value, &cli->memory_next, error));
	}
	status = tl_memory_show(cli, &format, &cli->memory_next, error);
	return status;
}

static enum tl_status run_x(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, examine, error);
}

/* ---- display ---- */

static enum tl_status add_display(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				  struct tl_error *error)
{
	struct tl_display **end = &cli->displays, *display;
	struct tl_format format;
	enum tl_status status;

	if (words[0] == '\0') {
		tl_displays_show(cli);
		return TL_OK;
	}
	TL_TRY(tl_format_read(line, "", &format, error));
	display = calloc(1, sizeof(*display));
	if (display != NULL) {
		display->format = strndup(line->format, line->format_size);
		display->expression = strdup(words);
	}
	if (display == NULL || display->format == NULL || display->expression == NULL) {
		tl_display_free(display);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the display");
	}
	display->number = ++cli->display_count;
	display->enabled = true;
	while (*end != NULL)
		end = &(*end)->next;
	*end = display;
	/* Without a program it waits for one. */
	if (!tl_session_alive(cli->session))
		return TL_OK;
	status = tl_display_show(cli, display, error);
	/* What cannot be read now may be there at another stop; what means nothing here was mistyped. */
	if (status == TL_ERROR_ARGUMENT || status == TL_ERROR_MALFORMED) {
		*end = NULL;
		tl_display_free(display);
		cli->display_count--;
	}
	return status;
}

static enum tl_status run_display(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, add_display, error);
}

static enum tl_status undisplay(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	(void)line;
	return tl_displays_remove(cli, words, error);
}

static enum tl_status run_undisplay(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, undisplay, error);
}

/* What examines memory has its count and size told, too, as in gdb. */
static void show_display_row(struct tl_cli *cli, const struct tl_display *display)
{
	const struct tl_command_line line = {.format = display->format, .format_size = strlen(display->format)};
	struct tl_format format = {0};
	struct tl_error error;

	tl_screen_format(&cli->screen, "%u:   %s  ", display->number, display->enabled ? "y" : "n");
	if (display->format[0] != '\0' && tl_format_read(&line, "", &format, &error) == TL_OK) {
		bool memory = format.size != '\0' || format.letter == 'i' || format.letter == 's';

		if (memory)
			tl_screen_format(&cli->screen, "/%lld%c%c ", format.has_count ? (long long)format.count : 1,
					 format.size != '\0' ? format.size : 'b',
					 format.letter != '\0' ? format.letter : 'x');
		else
			tl_screen_format(&cli->screen, "/%s ", display->format);
	}
	tl_screen_format(&cli->screen, "%s\n", display->expression);
}

static enum tl_status run_info_display(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line, (void)error;
	if (cli->displays == NULL) {
		tl_screen_text(&cli->screen, "There are no auto-display expressions now.\n");
		return TL_OK;
	}
	tl_screen_text(&cli->screen, "Auto-display expressions now in effect:\nNum Enb Expression\n");
	for (const struct tl_display *display = cli->displays; display != NULL; display = display->next)
		show_display_row(cli, display);
	return TL_OK;
}

#define FORMATS                                                                                                        \
	"Formats: x hexadecimal, d decimal, u unsigned, o octal, t binary, a address, c character, f floating\n"       \
	"point, s string, z hexadecimal with zeros"

const struct tl_command tl_commands_data[] = {
	{.name = "print",
	 .shorts = "p inspect",
	 .flags = TL_COMMAND_FORMAT | TL_COMMAND_REPEAT,
	 .arguments = "[[-OPTION...] --] [/FORMAT] [EXPRESSION]",
	 .summary = "Print value of expression EXP",
	 .details =
		 "It goes into the value history as $1, $2 ...; without an expression the last one is shown again.\n"
		 "Assignments and calls are carried out. ARRAY@N shows N elements, $NAME is a register or a variable\n"
		 "of the debugger. Options are the settings of \"set print\", for this time.\n" FORMATS ".\n"
		 "Example: print/x list->next->value, print *array@10, print -pretty -elements 3 -- *list",
	 .run = run_print,
	 .complete = tl_complete_expressions},
	{.name = "call",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/FORMAT] EXPRESSION",
	 .summary = "Call a function in the program",
	 .details = "As print, but nothing is said of what returns nothing.\nExample: call dump_list(head)",
	 .run = run_print,
	 .complete = tl_complete_expressions},
	{.name = "output",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/FORMAT] EXPRESSION",
	 .summary = "Like \"print\" but don't put in value history and don't print newline",
	 .details = "Example: output count",
	 .run = run_output,
	 .complete = tl_complete_expressions},
	{.name = "whatis",
	 .arguments = "[EXPRESSION | TYPE]",
	 .summary = "Print data type of expression EXP",
	 .details = "Nothing is evaluated.\nExample: whatis list->next",
	 .run = run_whatis,
	 .complete = tl_complete_expressions},
	{.name = "ptype",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/FLAGS] [EXPRESSION | TYPE]",
	 .summary = "Print definition of type TYPE",
	 .details = "/o shows offsets, sizes and holes, /x those in hexadecimal; /m leaves methods out, /t typedefs.\n"
		    "Example: ptype/o struct list",
	 .run = run_ptype,
	 .complete = tl_complete_expressions},
	{.name = "init-if-undefined",
	 .arguments = "$NAME = EXPRESSION",
	 .summary = "Give a variable of the debugger a value, unless it has one",
	 .details = "For files of commands that are read more than once.\nExample: init-if-undefined $count = 0",
	 .run = run_init_if_undefined,
	 .complete = tl_complete_expressions},
	{.name = "x",
	 .flags = TL_COMMAND_FORMAT | TL_COMMAND_REPEAT | TL_COMMAND_RESTART,
	 .arguments = "[/COUNT FORMAT SIZE] [ADDRESS]",
	 .summary = "Examine memory",
	 .details =
		 FORMATS ".\nSizes: b one byte, h two, w four, g eight. Without an address it goes on where it ended.\n"
			 "Example: x/8xw $sp, x/s name",
	 .run = run_x,
	 .complete = tl_complete_expressions},
	{.name = "display",
	 .flags = TL_COMMAND_FORMAT,
	 .arguments = "[/FORMAT] [EXPRESSION]",
	 .summary = "Print value of expression EXP each time the program stops",
	 .details = "Without an expression: show all of them now.\nExample: display/x flags",
	 .run = run_display,
	 .complete = tl_complete_expressions},
	{.name = "undisplay",
	 .arguments = "[NUMBERS]",
	 .summary = "Cancel some expressions to be displayed when program stops",
	 .details = "Without numbers: all of them.\nExample: undisplay 2",
	 .run = run_undisplay},
	{0},
};

const struct tl_command tl_commands_data_info[] = {
	{.name = "display",
	 .summary = "Expressions to display when program stops, with code numbers",
	 .details = "Example: info display",
	 .run = run_info_display},
	{0},
};

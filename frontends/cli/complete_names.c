#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/complete.h"
#include "frontends/cli/values.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Anonymous structs in structs whose fields are offered as those of the outermost. */
#define NESTED_MAX 8

/* ---- Names of the program ---- */

static bool offer_indexed(void *context, const struct tl_indexed *found)
{
	struct tl_cli *cli = context;
	const char *word = tl_complete_word(cli);

	/* Most names are not it. */
	if (found->name[0] == word[0] || word[0] == '\0')
		tl_complete_offer(cli, found->name);
	return !tl_complete_full(cli);
}

static bool offer_variable(void *context, const struct tl_frame_variable *variable)
{
	if (variable->name != NULL)
		tl_complete_offer(context, variable->name);
	return true;
}

static void offer_locals(struct tl_cli *cli)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;

	if (!tl_session_alive(cli->session) || tl_session_running(cli->session) ||
	    tl_session_environment(cli->session, &environment, &store, NULL) != TL_OK)
		return;
	(void)!tl_environment_variables(store, true, offer_variable, cli, NULL);
	(void)!tl_environment_variables(store, false, offer_variable, cli, NULL);
}

/* The program's index is made if it was not; others are looked into if they are there. */
static void offer_modules(struct tl_cli *cli, unsigned kinds)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module;

	for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL && !tl_complete_full(cli); i++) {
		if (module->program && module->binary->has_debug)
			(void)!tl_binary_wait(module->binary, tl_cli_waiting, cli, NULL);
		if (module->binary->index != NULL)
			tl_index_each(module->binary->index, kinds, offer_indexed, cli);
	}
}

/* ---- Convenience variables and registers ---- */

static void offer_dollar(struct tl_cli *cli)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	const char *name;
	char text[TL_VARIABLE_NAME_MAX + 2];

	for (tl_size i = 0; (name = tl_variables_name(tl_session_variables(cli->session), i)) != NULL; i++) {
		text[0] = '$';
		text[1] = '\0';
		tl_complete_offer(cli, strncat(text, name, TL_VARIABLE_NAME_MAX));
	}
	if (tl_session_environment(cli->session, &environment, &store, NULL) != TL_OK)
		return;
	for (tl_size i = 0; (name = tl_environment_register(store, i)) != NULL; i++) {
		text[0] = '$';
		text[1] = '\0';
		tl_complete_offer(cli, strncat(text, name, TL_VARIABLE_NAME_MAX));
	}
}

/* ---- Fields ---- */

static void offer_fields(struct tl_cli *cli, const struct tl_type *type, tl_u32 depth)
{
	const struct tl_member *members;
	const struct tl_type *stripped;
	tl_size count;

	while (tl_type_strip(type, &stripped, NULL) == TL_OK &&
	       (stripped->kind == TL_TYPE_POINTER || stripped->kind == TL_TYPE_REFERENCE ||
		stripped->kind == TL_TYPE_RVALUE_REFERENCE))
		if (tl_type_target(stripped, &type, NULL) != TL_OK)
			return;
	if (depth == NESTED_MAX || tl_type_strip(type, &stripped, NULL) != TL_OK ||
	    tl_type_members(stripped, &members, &count, NULL) != TL_OK)
		return;
	for (tl_size i = 0; i < count && !tl_complete_full(cli); i++) {
		const struct tl_type *inner;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE)
			continue;
		if (members[i].kind == TL_MEMBER_FIELD && members[i].name != NULL)
			tl_complete_offer(cli, members[i].name);
		else if (tl_member_type(stripped, &members[i], &inner, NULL) == TL_OK)
			offer_fields(cli, inner, depth + 1);
	}
}

/* Where the operand in front of a "." or "->" begins: names, fields, and what is in brackets. */
static const char *operand_start(const char *words, const char *end)
{
	tl_u32 depth = 0;
	const char *at = end;

	while (at > words) {
		char byte = at[-1];

		if (byte == ')' || byte == ']') {
			depth++;
		} else if ((byte == '(' || byte == '[') && depth > 0) {
			depth--;
		} else if (depth == 0 && byte == '>' && at - words >= 2 && at[-2] == '-') {
			at--;
		} else if (depth == 0 && !isalnum((unsigned char)byte) && strchr("_.:$", byte) == NULL) {
			break;
		}
		at--;
	}
	return at;
}

static bool offer_fields_of(struct tl_cli *cli, const char *words)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_expression *expression;
	const struct tl_type *type;
	const char *end = words + strlen(words) - strlen(tl_complete_word(cli)), *start;

	if (end - words >= 2 && end[-1] == '>' && end[-2] == '-')
		end -= 2;
	else if (end > words && end[-1] == '.')
		end--;
	else
		return false;
	start = operand_start(words, end);
	if (start == end || tl_session_environment(cli->session, &environment, &store, NULL) != TL_OK ||
	    tl_session_parse(cli->session, start, (tl_size)(end - start), &expression, NULL) != TL_OK)
		return true;
	if (tl_evaluate_type(environment, expression, &type, NULL) == TL_OK)
		offer_fields(cli, type, 0);
	tl_expression_free(expression);
	return true;
}

/* The last part of a file's name will do to name it. */
static bool offer_files_of(void *context, const struct tl_line_table *table)
{
	struct tl_cli *cli = context;

	for (tl_u64 i = 0; i <= table->file_count && !tl_complete_full(cli); i++) {
		const struct tl_line_file *file = tl_line_table_file(table, i);
		const char *name = file != NULL ? file->name : NULL, *slash = name != NULL ? strrchr(name, '/') : NULL;

		if (name != NULL && name[0] != '<')
			tl_complete_offer(cli, slash != NULL ? slash + 1 : name);
	}
	return !tl_complete_full(cli);
}

static void offer_files(struct tl_cli *cli)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module;
	struct tl_error error;

	for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL && !tl_complete_full(cli); i++)
		if (module->program && module->binary->lines != NULL)
			(void)!tl_lines_files(module->binary->lines, offer_files_of, cli, &error);
}

void tl_complete_places(struct tl_cli *cli, const char *words)
{
	(void)words;
	offer_files(cli);
	offer_modules(cli, TL_INDEX_FUNCTION);
}

void tl_complete_expressions(struct tl_cli *cli, const char *words)
{
	if (offer_fields_of(cli, words))
		return;
	if (tl_complete_word(cli)[0] == '$') {
		offer_dollar(cli);
		return;
	}
	offer_locals(cli);
	offer_modules(cli, TL_INDEX_ALL);
}

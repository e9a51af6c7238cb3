#include "frontends/cli/calculator.h"

#include "frontends/cli/cli.h"

#include <stdlib.h>
#include <string.h>

/* Values of one command. */
#define ARENA_LIMIT ((tl_size)64 << 20)

struct tl_calculator {
	/* A home for the types of plain numbers: this program, which is always there. */
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_variables *variables;
	struct tl_arena arena;
	struct tl_environment environment;
};

static enum tl_status find_name(void *context, const char *file, const char *name, struct tl_value *value_ret,
				bool *found_ret, struct tl_error *error)
{
	(void)context, (void)file, (void)name, (void)value_ret, (void)found_ret;
	return TL_FAIL(error, TL_ERROR_NO_SYMBOL, "No symbol table is loaded.  Use the \"file\" command.");
}

static enum tl_status find_type(void *context, const char *name, enum tl_type_tag tag, const struct tl_type **type_ret,
				struct tl_error *error)
{
	(void)context, (void)name, (void)tag, (void)error;
	*type_ret = NULL;
	return TL_OK;
}

static enum tl_status find_variable(void *context, const char *name, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_calculator *calculator = context;

	(void)error;
	tl_variables_get(calculator->variables, &calculator->environment.values, name, value_ret);
	return TL_OK;
}

static enum tl_status set_variable(void *context, const char *name, const struct tl_value *value,
				   struct tl_error *error)
{
	struct tl_calculator *calculator = context;

	return tl_variables_set(calculator->variables, &calculator->environment.values, name, value, error);
}

static enum tl_status find_history(void *context, bool absolute, tl_u64 number, struct tl_value *value_ret,
				   struct tl_error *error)
{
	struct tl_calculator *calculator = context;

	return tl_variables_recall(calculator->variables, &calculator->environment.values, absolute, number, value_ret,
				   error);
}

enum tl_status tl_calculator_open(struct tl_calculator **calculator_ret, struct tl_error *error)
{
	struct tl_calculator *calculator = calloc(1, sizeof(*calculator));

	if (calculator == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for expressions");
	calculator->arena.limit = ARENA_LIMIT;
	if (tl_variables_open(&calculator->variables, error) != TL_OK) {
		free(calculator);
		return TL_ERROR_NO_MEMORY;
	}
	*calculator_ret = calculator;
	return TL_OK;
}

void tl_calculator_close(struct tl_calculator *calculator)
{
	if (calculator == NULL)
		return;
	tl_variables_close(calculator->variables);
	tl_types_close(calculator->types);
	tl_tree_close(calculator->tree);
	tl_dwarf_close(calculator->dwarf);
	tl_image_close(calculator->image);
	tl_arena_clear(&calculator->arena);
	free(calculator);
}

static enum tl_status open_types(struct tl_calculator *calculator, struct tl_error *error)
{
	struct tl_image_options options = {.alone = true};

	if (calculator->types != NULL)
		return TL_OK;
	if (calculator->image == NULL)
		TL_TRY(tl_image_open(&calculator->image, "/proc/self/exe", &options, error));
	if (calculator->dwarf == NULL)
		TL_TRY(tl_dwarf_open(&calculator->dwarf, calculator->image, error));
	if (calculator->tree == NULL)
		TL_TRY(tl_tree_open(&calculator->tree, calculator->dwarf, error));
	return tl_types_open(&calculator->types, calculator->dwarf, calculator->tree, error);
}

enum tl_status tl_cli_environment(struct tl_cli *cli, const struct tl_environment **environment_ret,
				  struct tl_error *error)
{
	struct tl_calculator *calculator = cli->calculator;

	TL_TRY(open_types(calculator, error));
	calculator->environment = (struct tl_environment){
		.values = {.arena = &calculator->arena, .types = calculator->types, .address_size = 8},
		.find_name = find_name,
		.find_type = find_type,
		.find_variable = find_variable,
		.set_variable = set_variable,
		.find_history = find_history,
		.context = calculator,
	};
	*environment_ret = &calculator->environment;
	return TL_OK;
}

enum tl_status tl_cli_evaluate(struct tl_cli *cli, const char *text, tl_size size, struct tl_value *value_ret,
			       struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_expression *expression;
	enum tl_status status;

	TL_TRY(tl_cli_environment(cli, &environment, error));
	TL_TRY(tl_expression_read(&expression, text, size, NULL, error));
	status = tl_evaluate(environment, expression, value_ret, error);
	tl_expression_free(expression);
	return status;
}

struct tl_variables *tl_cli_variables(struct tl_cli *cli)
{
	return cli->calculator->variables;
}

/* ---- What is the same with a program ---- */

enum tl_status tl_cli_truth(struct tl_cli *cli, const char *text, bool *truth_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;

	TL_TRY(tl_cli_environment(cli, &environment, error));
	TL_TRY(tl_cli_evaluate(cli, text, strlen(text), &value, error));
	return tl_value_truth(&environment->values, &value, truth_ret, error);
}

enum tl_status tl_cli_number(struct tl_cli *cli, const char *text, tl_i64 *number_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_cli_environment(cli, &environment, error));
	TL_TRY(tl_cli_evaluate(cli, text, strlen(text), &value, error));
	TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
	*number_ret = (tl_i64)number;
	return TL_OK;
}

enum tl_status tl_cli_print_value(struct tl_cli *cli, const struct tl_value *value, char format,
				  struct tl_output *output, struct tl_error *error)
{
	const struct tl_settings *settings = &cli->settings;
	const struct tl_environment *environment;
	struct tl_print_options options = {
		.format = format,
		.elements = settings->elements != 0 ? settings->elements : TL_U32_MAX,
		.repeats = settings->repeats != 0 ? settings->repeats : TL_U32_MAX,
		.depth = settings->depth,
		.pretty = settings->pretty,
		.no_symbols = !settings->symbols,
		.no_addresses = !settings->addresses,
		.ascii = settings->sevenbit,
	};

	TL_TRY(tl_cli_environment(cli, &environment, error));
	return tl_print_value(&environment->values, &options, value, output, error);
}

enum tl_status tl_cli_set_variable(struct tl_cli *cli, const char *name, tl_i64 number, struct tl_error *error)
{
	const struct tl_environment *environment;
	const struct tl_type *type;
	struct tl_value value;

	TL_TRY(tl_cli_environment(cli, &environment, error));
	TL_TRY(tl_value_integer_type(&environment->values, number == (int)number ? 4 : 8, true, &type, error));
	TL_TRY(tl_value_make_integer(&environment->values, type, number, &value, error));
	return environment->set_variable(environment->context, name, &value, error);
}

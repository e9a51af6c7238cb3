#include "frontends/cli/values.h"

#include "debugger/session/session.h"
#include "frontends/cli/cli.h"

#include <string.h>

enum tl_status tl_cli_evaluate(struct tl_cli *cli, const char *text, tl_size size, struct tl_value *value_ret,
			       struct tl_error *error)
{
	return tl_session_evaluate(cli->session, text, size, value_ret, error);
}

static enum tl_status environment_of(struct tl_cli *cli, const struct tl_environment **environment_ret,
				     struct tl_error *error)
{
	struct tl_environment_store *store;

	return tl_session_environment(cli->session, environment_ret, &store, error);
}

enum tl_status tl_cli_truth(struct tl_cli *cli, const char *text, bool *truth_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;

	TL_TRY(tl_cli_evaluate(cli, text, strlen(text), &value, error));
	TL_TRY(environment_of(cli, &environment, error));
	return tl_value_truth(&environment->values, &value, truth_ret, error);
}

enum tl_status tl_cli_number(struct tl_cli *cli, const char *text, tl_i64 *number_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_cli_evaluate(cli, text, strlen(text), &value, error));
	TL_TRY(environment_of(cli, &environment, error));
	TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
	*number_ret = (tl_i64)number;
	return TL_OK;
}

/* ---- Printing ---- */

void tl_cli_print_options(struct tl_cli *cli, struct tl_environment_store *store, char format,
			  struct tl_print_options *options_ret)
{
	const struct tl_settings *settings = &cli->settings;

	*options_ret = (struct tl_print_options){
		.format = format,
		.elements = settings->elements != 0 ? settings->elements : TL_U32_MAX,
		.repeats = settings->repeats != 0 ? settings->repeats : TL_U32_MAX,
		.depth = settings->depth,
		.pretty = settings->pretty,
		.raw = settings->raw,
		.object = settings->object,
		.no_symbols = !settings->symbols,
		.no_addresses = !settings->addresses,
		.ascii = settings->sevenbit,
		.radix = (char)(settings->radix == 1   ? 'x'
				: settings->radix == 2 ? 'o'
						       : 0),
		.lines = settings->lines,
		.indexes = settings->indexes,
		.null_stop = settings->null_stop,
		.no_unions = !settings->unions,
		.no_statics = !settings->statics,
		.nibbles = settings->nibbles,
	};
	tl_environment_symbols(store, options_ret);
}

static enum tl_status print(struct tl_cli *cli, const struct tl_value *value, struct tl_format format, bool listed,
			    struct tl_output *output, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_print_options options;

	TL_TRY(tl_session_environment(cli->session, &environment, &store, error));
	tl_cli_print_options(cli, store, format.letter, &options);
	options.raw |= format.raw;
	options.listed = listed;
	return tl_print_value(&environment->values, &options, value, output, error);
}

enum tl_status tl_cli_print_value(struct tl_cli *cli, const struct tl_value *value, char format,
				  struct tl_output *output, struct tl_error *error)
{
	return print(cli, value, (struct tl_format){.letter = format}, false, output, error);
}

enum tl_status tl_cli_print_formatted(struct tl_cli *cli, const struct tl_value *value, const struct tl_format *format,
				      struct tl_output *output, struct tl_error *error)
{
	return print(cli, value, *format, false, output, error);
}

enum tl_status tl_cli_print_listed(struct tl_cli *cli, const struct tl_value *value, char format,
				   struct tl_output *output, struct tl_error *error)
{
	return print(cli, value, (struct tl_format){.letter = format}, true, output, error);
}

enum tl_status tl_cli_set_variable(struct tl_cli *cli, const char *name, tl_i64 number, struct tl_error *error)
{
	const struct tl_environment *environment;
	const struct tl_type *type;
	struct tl_value value;

	TL_TRY(environment_of(cli, &environment, error));
	TL_TRY(tl_value_integer_type(&environment->values, number == (int)number ? 4 : 8, true, &type, error));
	TL_TRY(tl_value_make_integer(&environment->values, type, number, &value, error));
	return tl_variables_set(tl_session_variables(cli->session), &environment->values, name, &value, error);
}

enum tl_status tl_cli_address(struct tl_cli *cli, const struct tl_value *value, tl_u64 *address_ret,
			      struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_value copy = *value;
	const struct tl_type *type;
	tl_i128 number;

	TL_TRY(environment_of(cli, &environment, error));
	TL_TRY(tl_value_unreference(&environment->values, &copy, error));
	TL_TRY(tl_type_strip(copy.type, &type, error));
	if (copy.place == TL_VALUE_IN_MEMORY && tl_type_arithmetic(type, &(bool){false}) == TL_ARITHMETIC_NONE) {
		*address_ret = copy.address;
		return TL_OK;
	}
	TL_TRY(tl_value_integer(&environment->values, &copy, &number, error));
	*address_ret = (tl_u64)number;
	return TL_OK;
}

/*
 * Values for commands: what an expression comes to in the selected frame, and what it looks like by the settings.
 * Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_VALUES_H
#define TL_FRONTENDS_CLI_VALUES_H

#include "debugger/expressions/environment.h"

struct tl_cli;
struct tl_format;

TL_CHECKED enum tl_status tl_cli_evaluate(struct tl_cli *cli, const char *text, tl_size size,
					  struct tl_value *value_ret, struct tl_error *error);
/* Whether an expression counts as true; its number. */
TL_CHECKED enum tl_status tl_cli_truth(struct tl_cli *cli, const char *text, bool *truth_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_cli_number(struct tl_cli *cli, const char *text, tl_i64 *number_ret,
					struct tl_error *error);

/* How values are printed by the settings, with the symbols behind addresses; `format`: a letter, or 0. */
void tl_cli_print_options(struct tl_cli *cli, struct tl_environment_store *store, char format,
			  struct tl_print_options *options_ret);
/* What a value looks like, in the selected frame. */
TL_CHECKED enum tl_status tl_cli_print_value(struct tl_cli *cli, const struct tl_value *value, char format,
					     struct tl_output *output, struct tl_error *error);

/* The same by what stood behind a slash. */
TL_CHECKED enum tl_status tl_cli_print_formatted(struct tl_cli *cli, const struct tl_value *value,
						 const struct tl_format *format, struct tl_output *output,
						 struct tl_error *error);

/* The same as one of several, without its type in front of a pointer. */
TL_CHECKED enum tl_status tl_cli_print_listed(struct tl_cli *cli, const struct tl_value *value, char format,
					      struct tl_output *output, struct tl_error *error);

/* Sets a variable of the debugger's own to a number, as $_shell_exitcode. */
TL_CHECKED enum tl_status tl_cli_set_variable(struct tl_cli *cli, const char *name, tl_i64 number,
					      struct tl_error *error);

/* The address that a value stands for, as `x` takes it: a pointer's or number's, or where an array or function is. */
TL_CHECKED enum tl_status tl_cli_address(struct tl_cli *cli, const struct tl_value *value, tl_u64 *address_ret,
					 struct tl_error *error);

#endif

/*
 * What expressions of the command language come to: in conditions of `if` and `while`, in printf, in arguments.
 * Without a program they know numbers, the history and variables of the debugger's own. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_CALCULATOR_H
#define TL_FRONTENDS_CLI_CALCULATOR_H

#include "debugger/evaluate.h"
#include "debugger/print.h"
#include "debugger/variables.h"

struct tl_cli;
struct tl_calculator;

/* Costs nothing until it is used. NULL is never returned with TL_OK; the caller closes. */
TL_CHECKED enum tl_status tl_calculator_open(struct tl_calculator **calculator_ret, struct tl_error *error);
void tl_calculator_close(struct tl_calculator *calculator);

/* The environment of the place where the program stands. Valid until the program runs. */
TL_CHECKED enum tl_status tl_cli_environment(struct tl_cli *cli, const struct tl_environment **environment_ret,
					     struct tl_error *error);
TL_CHECKED enum tl_status tl_cli_evaluate(struct tl_cli *cli, const char *text, tl_size size,
					  struct tl_value *value_ret, struct tl_error *error);
/* Whether an expression counts as true; its number. */
TL_CHECKED enum tl_status tl_cli_truth(struct tl_cli *cli, const char *text, bool *truth_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_cli_number(struct tl_cli *cli, const char *text, tl_i64 *number_ret,
					struct tl_error *error);

/* What a value looks like, by the settings; `format`: a letter, or 0. */
TL_CHECKED enum tl_status tl_cli_print_value(struct tl_cli *cli, const struct tl_value *value, char format,
					     struct tl_output *output, struct tl_error *error);

/* Sets a variable of the debugger's own to a number, as $_shell_exitcode. */
TL_CHECKED enum tl_status tl_cli_set_variable(struct tl_cli *cli, const char *name, tl_i64 number,
					      struct tl_error *error);
struct tl_variables *tl_cli_variables(struct tl_cli *cli);

#endif

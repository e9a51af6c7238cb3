/*
 * The tables of commands, one for each topic: what table.c puts together.
 */
#ifndef TL_FRONTENDS_CLI_COMMANDS_H
#define TL_FRONTENDS_CLI_COMMANDS_H

#include "frontends/cli/command.h"

extern const struct tl_command tl_commands_running[]; /* run, step, continue, … */
extern const struct tl_command tl_commands_screen[];  /* layout, tui, focus, … */
extern const struct tl_command tl_commands_screen_info[];
extern const struct tl_command tl_commands_points[]; /* break, delete, condition, … */
extern const struct tl_command tl_commands_points_info[];
extern const struct tl_command tl_commands_data[]; /* print, x, display, … */
extern const struct tl_command tl_commands_data_info[];
extern const struct tl_command tl_commands_stack[]; /* backtrace, frame, … */
extern const struct tl_command tl_commands_stack_info[];
extern const struct tl_command tl_commands_program[]; /* unset, tty */
extern const struct tl_command tl_commands_registers_info[];
extern const struct tl_command tl_commands_source[]; /* list, search, directory, file */
extern const struct tl_command tl_commands_threads[];
extern const struct tl_command tl_commands_threads_info[];
extern const struct tl_command tl_commands_inferiors[]; /* inferior, add-inferior, … */
extern const struct tl_command tl_commands_inferiors_info[];
extern const struct tl_command tl_commands_inferiors_kill[];
extern const struct tl_command tl_commands_inferiors_detach[];
extern const struct tl_command tl_commands_apply[];       /* taas, faas, tfaas */
extern const struct tl_command tl_commands_frame_apply[]; /* behind `frame` */
extern const struct tl_command tl_commands_state[];       /* return, gcore */
extern const struct tl_command tl_commands_code[];        /* disassemble */
extern const struct tl_command tl_commands_watch[];       /* watch, catch, dprintf, save */
extern const struct tl_command tl_commands_signals[];     /* handle */
extern const struct tl_command tl_commands_rbreak[];      /* rbreak */
extern const struct tl_command tl_commands_signals_info[];
extern const struct tl_command tl_commands_lists[];                               /* demangle */
extern const struct tl_command tl_commands_lists_info[];                          /* functions, variables, types, … */
extern const struct tl_command tl_commands_symbols[], tl_commands_symbols_info[]; /* scope, address, vtbl */
extern const struct tl_command tl_commands_memory[];                              /* find, dump, restore */
extern const struct tl_command tl_commands_process_info[];                        /* proc, auxv, os */
extern const struct tl_command tl_commands_around[];                              /* with, pipe */
extern const struct tl_command tl_commands_skip[];                                /* skip */
extern const struct tl_command tl_commands_skip_info[];
extern const struct tl_command tl_commands_modules_info[]; /* line, symbol, sharedlibrary, source */
extern const struct tl_command tl_commands_shell[];        /* quit, help, echo, shell, cd, … */
extern const struct tl_command tl_commands_script[];       /* define, if, source, … */
extern const struct tl_command tl_commands_settings[];     /* set, show */
extern const struct tl_command tl_commands_targets[];      /* target, core-file, monitor, disconnect, … */
extern const struct tl_command tl_commands_files[];        /* exec-file, symbol-file, add-symbol-file, load, … */

/* `thread apply` */
TL_CHECKED enum tl_status tl_command_thread_apply(struct tl_cli *cli, const struct tl_command_line *line,
						  struct tl_error *error);

/* Carries out a command that the user defined (the row's name says which). */
TL_CHECKED enum tl_status tl_command_run_user(struct tl_cli *cli, const struct tl_command_line *line,
					      struct tl_error *error);

/* exec-file, which `target exec` is, too. */
TL_CHECKED enum tl_status tl_command_run_exec_file(struct tl_cli *cli, const struct tl_command_line *line,
						   struct tl_error *error);

/* Completion of files, of commands and of settings, for rows' `complete`. */
void tl_complete_files(struct tl_cli *cli, const char *words);
void tl_complete_commands(struct tl_cli *cli, const char *words);
void tl_complete_settings(struct tl_cli *cli, const char *words);
/* Functions and files of the program, and its variables. */
void tl_complete_places(struct tl_cli *cli, const char *words);
void tl_complete_expressions(struct tl_cli *cli, const char *words);
/* A whole command with what follows it, as behind `thread apply all`. */
void tl_complete_line(struct tl_cli *cli, const char *words);
/* Numbers of threads and of points; a point and its condition; lists with a command behind them. */
void tl_complete_threads(struct tl_cli *cli, const char *words);
void tl_complete_points(struct tl_cli *cli, const char *words);
void tl_complete_condition(struct tl_cli *cli, const char *words);
void tl_complete_thread_apply(struct tl_cli *cli, const char *words);
void tl_complete_frame_apply(struct tl_cli *cli, const char *words);
/* Names of signals, and what `handle` does about them; of registers; of system calls. */
void tl_complete_signals(struct tl_cli *cli, const char *words);
void tl_complete_handle(struct tl_cli *cli, const char *words);
void tl_complete_registers(struct tl_cli *cli, const char *words);
void tl_complete_syscalls(struct tl_cli *cli, const char *words);

#endif

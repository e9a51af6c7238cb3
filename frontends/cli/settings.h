/*
 * What `set` changes and `show` tells: a table with a row for each setting, which says where its value is, what is
 * allowed, and how it is told. Names, values and sentences are gdb's where gdb has them. Names are of several words,
 * each of which may be abbreviated.
 */
#ifndef TL_FRONTENDS_CLI_SETTINGS_H
#define TL_FRONTENDS_CLI_SETTINGS_H

#include "base/error.h"
#include "core/types.h"
#include "frontends/cli/screen.h"
#include "symbols/output.h"

struct tl_cli;

/* `set print frame-info` */
enum tl_frame_info {
	TL_FRAME_INFO_AUTO,
	TL_FRAME_INFO_SOURCE,
	TL_FRAME_INFO_LOCATION,
	TL_FRAME_INFO_SOURCE_AND_LOCATION,
	TL_FRAME_INFO_ADDRESS,
	TL_FRAME_INFO_SHORT
};

/* `set print entry-values` */
enum tl_entry_values {
	TL_ENTRY_VALUES_DEFAULT,
	TL_ENTRY_VALUES_NO,
	TL_ENTRY_VALUES_ONLY,
	TL_ENTRY_VALUES_PREFERRED,
	TL_ENTRY_VALUES_IF_NEEDED,
	TL_ENTRY_VALUES_BOTH,
	TL_ENTRY_VALUES_COMPACT
};

/* The values, in place. Strings are allocated; NULL is the empty one. */
struct tl_settings {
	/* The prompt. */
	bool confirm, pagination, editing, trace_commands, style;
	tl_u32 height, width, completions, user_depth;
	char *prompt;
	bool history_save;
	tl_u32 history_size;
	char *history_file;
	bool logging, logging_overwrite, logging_alone;
	char *logging_file;
	char *safe_path; /* folders whose .trapline is read, with colons between them */
	/* Printing. */
	tl_u32 elements, repeats, depth;
	bool pretty, raw, object, symbols, addresses, sevenbit, asm_demangle;
	bool lines, indexes, null_stop, unions, statics, nibbles, finish, raw_arguments; /* lines: of arrays */
	bool type_hex, type_methods, type_typedefs;                                      /* of ptype */
	tl_u32 radix;                                                                    /* index of 10, 16, 8 */
	tl_u32 frame_info;                                                               /* enum tl_frame_info */
	tl_u32 entry_values;                                                             /* enum tl_entry_values */
	tl_u32 disassembly_flavor;                                                       /* 0: AT&T's, 1: Intel's */
	tl_u32 frame_arguments, list_size;
	bool inferior_events, thread_events;
	tl_u32 foreground[TL_STYLE_MAX], background[TL_STYLE_MAX], intensity[TL_STYLE_MAX];
	tl_u32 file_names;     /* index of relative, basename, absolute */
	tl_u32 next_line_code; /* disassemble-next-line: index of off, on, auto */
	bool past_main;
	tl_u32 frames_max, value_size_max, language, condition_place;
	bool calls_allowed;
	tl_u32 print_style; /* of dprintf: index of gdb, call, agent */
	char *print_function, *print_channel;
	tl_u32 duplicates; /* history remove-duplicates */
	char *wrapper;     /* exec-wrapper */
	/* Programs. */
	char *arguments, *working_directory, *inferior_tty;
	bool with_shell, fixed_addresses;
	tl_u32 locking, follow_fork, follow_exec, hardware_watchpoints;
	bool step_mode, detach_on_fork, run_all, stop_on_library, unwind_on_signal, unwind_on_exception;
	tl_u32 direction; /* exec-direction: 0 forward, 1 reverse */
	tl_u32 pending;   /* of breakpoints: index of auto, on, off */
	/* Targets. */
	tl_u32 remote_timeout, tcp_timeout; /* seconds */
	tl_u32 serial_baud;                 /* 0: as the line is set */
	bool tcp_retry, debug_remote;
	char *remote_exec_file, *sysroot;
	tl_u32 architecture, osabi; /* of tl_architectures and their like: 0 is auto */
};

enum tl_setting_kind {
	TL_SETTING_BOOL,   /* on, off; nothing is on */
	TL_SETTING_NUMBER, /* 0 and "unlimited": no limit */
	TL_SETTING_COUNT,  /* a number; 0 is 0, "unlimited" all ones */
	TL_SETTING_CHOICE, /* a tl_u32, the index of one of `choices` */
	TL_SETTING_TEXT,   /* the rest of the line */
	TL_SETTING_FILE,   /* the same; ~ is put in, files are completed */
	TL_SETTING_FIXED,  /* one of gdb's that has one value here, the first of `choices`; others are refused */
	TL_SETTING_OWN     /* by its own functions */
};

struct tl_setting {
	const char *name; /* "print elements" */
	enum tl_setting_kind kind;
	tl_size offset;             /* in struct tl_settings */
	const char *const *choices; /* NULL-terminated; of a fixed one, what is taken without effect: "*" is all */
	const char *reason;         /* of a fixed one: why it has no other value, and what to do instead */
	const char *say;            /* "Limit on … to print is %s.", for `show` */
	const char *summary;        /* behind "Set " and "Show ", without final period: "printing of addresses" */
	const char *details;        /* more lines for help; NULL: none */
	/* After a change; may be NULL. On failure the old value is put back. */
	enum tl_status (*changed)(struct tl_cli *cli, struct tl_error *error);
	/* TL_SETTING_OWN (and `show` for others, in place of `say`): NULL for what can only be shown, or only be set.
	 * `words` ends with a zero byte. */
	enum tl_status (*set)(struct tl_cli *cli, const char *words, struct tl_error *error);
	void (*show)(struct tl_cli *cli, const char *words);
};

/* The row behind one, of all tables; behind NULL the first. NULL: there are no more. */
const struct tl_setting *tl_setting_next(const struct tl_setting *row);

/* The tables, each ended by a row without a name: settings_table.c, settings_print.c and so on. */
extern const struct tl_setting tl_settings_general[], tl_settings_print[], tl_settings_gdb[], tl_settings_fixed[];

TL_CHECKED enum tl_status tl_settings_open(struct tl_settings *settings, struct tl_error *error);
void tl_settings_close(struct tl_settings *settings);

/*
 * The setting that a text begins with, each of its words by itself or abbreviated; *rest_ret is what follows. NULL:
 * none; *prefix_ret then says how many settings begin with all the words of the text ("print"), and TL_ERROR_ARGUMENT
 * comes of a word that several begin with ("print e"), with their names.
 */
TL_CHECKED enum tl_status tl_settings_find(const char *text, const struct tl_setting **row_ret, const char **rest_ret,
					   tl_size *prefix_ret, struct tl_error *error);

/* Whether all words of a text begin the first words of a setting's name. */
bool tl_settings_begins(const char *name, const char *text);

/* Reads a value and sets it. */
TL_CHECKED enum tl_status tl_settings_set(struct tl_cli *cli, const struct tl_setting *row, const char *words,
					  struct tl_error *error);

/* Writes the value alone ("on", "200", "unlimited"), and its sentence. */
void tl_settings_value(const struct tl_cli *cli, const struct tl_setting *row, struct tl_output *output);
void tl_settings_show(struct tl_cli *cli, const struct tl_setting *row, const char *words);

/* Hands on what the session obeys: of rows whose value it has a copy of. */
TL_CHECKED enum tl_status tl_settings_tell_session(struct tl_cli *cli, struct tl_error *error);

/* The same for what the screen obeys. */
TL_CHECKED enum tl_status tl_settings_tell_screen(struct tl_cli *cli, struct tl_error *error);

/* The value of a setting by its whole name, as text and as a number if it is one (struct tl_session_options). */
TL_CHECKED enum tl_status tl_settings_ask(void *cli, const char *name, tl_i64 *number_ret, bool *is_number_ret,
					  struct tl_output *text, struct tl_error *error);

/* Functions of rows of their own kind (commands_settings.c), and the variables that `set` gives values to. */
TL_CHECKED enum tl_status tl_set_variable(struct tl_cli *cli, const char *words, struct tl_error *error);
TL_CHECKED enum tl_status tl_set_environment(struct tl_cli *cli, const char *words, struct tl_error *error);
TL_CHECKED enum tl_status tl_set_substitute_path(struct tl_cli *cli, const char *words, struct tl_error *error);
TL_CHECKED enum tl_status tl_set_architecture(struct tl_cli *cli, const char *words, struct tl_error *error);
TL_CHECKED enum tl_status tl_set_osabi(struct tl_cli *cli, const char *words, struct tl_error *error);
void tl_show_architecture(struct tl_cli *cli, const char *words);
void tl_show_osabi(struct tl_cli *cli, const char *words);
void tl_show_directories(struct tl_cli *cli, const char *words);
void tl_show_environment(struct tl_cli *cli, const char *words);
void tl_show_substitute_path(struct tl_cli *cli, const char *words);
void tl_show_commands(struct tl_cli *cli, const char *words);
void tl_show_convenience(struct tl_cli *cli, const char *words);
void tl_show_user(struct tl_cli *cli, const char *words);
void tl_show_values(struct tl_cli *cli, const char *words);
void tl_show_version(struct tl_cli *cli, const char *words);

#endif

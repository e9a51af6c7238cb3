/*
 * The prompt: a person, a session, and the loop between them.
 *
 * One line after the other is read and carried out, always outside of a turn of the loop, so that a command may turn
 * the loop itself: to wait for a stop, for an index, for an answer. What happens meanwhile (a stop of a program in the
 * background, its output) is told between lines, and a half-typed line is put back as it was.
 *
 * Files: terminal (keys and lines), screen (text), script (where lines come from), execute (what a line does), table
 * (all commands), settings, complete, help; commands_*.c are the commands, by topic. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_CLI_H
#define TL_FRONTENDS_CLI_CLI_H

#include "base/error.h"
#include "base/loop.h"
#include "debugger/session/session.h"
#include "frontends/cli/connection.h"
#include "frontends/cli/full_screen.h"
#include "frontends/cli/listing.h"
#include "frontends/cli/progress.h"
#include "frontends/cli/screen.h"
#include "frontends/cli/script.h"
#include "frontends/cli/settings.h"
#include "frontends/cli/table.h"
#include "frontends/cli/terminal.h"

#include <time.h>

struct tl_machine;
struct tl_reader;
struct tl_sources;
struct tl_display;
struct tl_program_terminal;
struct tl_cli_inferior;
struct tl_completion;
struct tl_thread_name;

/* What the command line asked for, in its order. */
enum tl_start_kind {
	TL_START_FILE,         /* -x: a file of commands */
	TL_START_COMMAND,      /* -ex */
	TL_START_EARLY_FILE,   /* -ix: before the program is read */
	TL_START_EARLY_COMMAND /* -iex */
};

struct tl_start {
	enum tl_start_kind kind;
	const char *text;
};

struct tl_cli_options {
	const struct tl_start *starts;
	tl_size start_count;
	const char *const *program;       /* NULL-terminated: the program and its arguments; NULL: none */
	const char *core;                 /* a core dump to look at; NULL: none */
	const char *core_program;         /* what made it; NULL: what it says itself */
	const char *connect;              /* the address of a remote stub; NULL: none */
	const struct tl_machine *machine; /* NULL: none */
	bool extended;                    /* that may start programs, and stays without one */
	bool survive;                     /* programs that are started run on when we are killed */
	tl_u64 attach;                    /* 0: none */
	const char *directory;            /* where to go first; NULL: stay */
	const char *version;
	bool batch;                  /* ends when the files and commands are done; nothing is asked */
	bool child_result;           /* the exit status of a batch is that of the program that ended last */
	bool quiet;                  /* no greeting */
	bool no_files, no_home_file; /* of commands at the start: -nx, -nh */
};

struct tl_cli {
	struct tl_loop *loop;
	struct tl_connection connection;
	struct tl_target *target; /* the connection's */
	struct tl_screen screen;
	struct tl_terminal *terminal;
	struct tl_settings settings;
	struct tl_table table;
	struct tl_reader *reader; /* where lines come from now; NULL: the terminal */
	struct tl_session *session;
	struct tl_sources *sources;
	struct tl_program_terminal *program_terminal; /* of the selected inferior; NULL: none */
	tl_u32 inferior;                              /* whose settings they are that there are */
	struct tl_cli_inferior *inferiors;            /* what the others have instead */
	struct tl_display *displays;
	tl_u32 display_count;           /* numbers that were given */
	struct tl_format memory_format; /* of the last `x` */
	tl_u64 memory_next;             /* where it ended */
	char **environment;             /* for programs, as in execve; NULL: our own */
	struct tl_listing listing;
	struct tl_full_screen full;
	char *missing_source; /* the file of which it was said that it is not there; NULL: none */
	/* Stops. */
	bool foreground;   /* a program has the terminal, and we wait for it */
	bool stop_due;     /* one can be taken */
	bool commands_due; /* of the points of `told` */
	tl_u64 runs;       /* how often a program was set going */
	bool threads_seen; /* the program has, or had, more than one */
	struct tl_stop told;
	struct tl_thread_id last_thread;     /* that a person looked at */
	struct tl_thread_name *thread_names; /* that a person gave */
	struct tl_completion *completion;    /* while words are looked for; else NULL */
	tl_u32 made_first, made_last;        /* breakpoints that one rbreak made; 0: none */
	struct tl_source *resize, *ends[2];
	const char *version;
	char *repeat;   /* what an empty line does; NULL: nothing */
	bool repeating; /* it is being done now */
	bool quit;
	int status;     /* of the process */
	int child_code; /* that a program exited with last; -1: none has */
	struct tl_progress progress;
	bool cancelled;        /* ^C since the command began */
	struct timespec asked; /* when the kernel was asked for a ^C last */
	bool batch;
	bool busy;      /* a command is being carried out */
	unsigned depth; /* of texts of commands in each other */
	enum tl_script_leaving leaving;
};

/* Runs the prompt until it is left; returns the exit status. `loop` outlives it. */
int tl_cli_run(struct tl_loop *loop, const struct tl_cli_options *options);

/*
 * Asks a question that wants y or n; true for y. Without a person, or with `set confirm off`, the answer is y. The text
 * ends in a question mark and a space. Not from inside a turn of the loop.
 */
bool tl_cli_query(struct tl_cli *cli, const char *format, ...) TL_PRINTF(2, 3);

/* The same with another answer for those who are not asked, and for an empty line. */
bool tl_cli_ask(struct tl_cli *cli, bool preset, const char *format, ...) TL_PRINTF(3, 4);

/* True when ^C was typed since the command began: whatever takes long asks now and then and gives up. Never waits. */
bool tl_cli_cancelled(struct tl_cli *cli);
/* A ^C that was for somebody else, as for a shell, is not for us. */
void tl_cli_forget_interrupt(struct tl_cli *cli);
/* The same, as the patience of debugger/modules/modules.h; `cli` is the context. */
bool tl_cli_waiting(void *cli);

/* The command comes from a person, not from a file or a definition: what goes without saying there is said. */
bool tl_cli_typed(const struct tl_cli *cli);

/* The terminal has another size, or the window in which one types: everybody is told. */
void tl_cli_resized(struct tl_cli *cli);

/* Ends the prompt with a status, after asking where a program would be lost. */
TL_CHECKED enum tl_status tl_cli_quit(struct tl_cli *cli, int status, bool ask, struct tl_error *error);

#endif

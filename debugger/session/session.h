/*
 * A session: one debugger over one target: processes and their modules, points as people number them, plans that run a
 * thread by lines and functions, and the selected thread and frame.
 *
 * A session starts things (launch, resume, call) and returns at once; the loop brings what happens, and the session
 * decides: an internal stop (a step of a plan, a library that was loaded) runs on unseen, anything else becomes a
 * struct tl_stop, kept until somebody takes it. Who must wait for it does so in tl_session_wait, which turns the loop:
 * never from inside a turn of the loop, never from inside the engine. Control thread only.
 *
 * All that is worked out while the program stands (stack, values) ends when it resumes.
 */
#ifndef TL_DEBUGGER_SESSION_H
#define TL_DEBUGGER_SESSION_H

#include "debugger/expressions/environment.h"
#include "debugger/modules/linespec.h"
#include "debugger/session/breakpoint.h"

struct tl_output;
struct tl_session;

/* Why the program stands, for people. */
enum tl_stop_kind {
	TL_STOP_NONE,
	TL_STOP_STARTED, /* at its first instruction: starti */
	TL_STOP_ATTACHED,
	TL_STOP_BREAKPOINT,  /* numbers[]: those that were hit */
	TL_STOP_WATCHPOINT,  /* likewise, with the values before and after in the breakpoint */
	TL_STOP_SCOPE_END,   /* the frame of a watched variable ended; numbers[0] is gone */
	TL_STOP_CATCHPOINT,  /* a fork, exec, system call, library, signal that was to be caught: numbers[] */
	TL_STOP_STEPPED,     /* a step, next, stepi or until is done */
	TL_STOP_FINISHED,    /* finish: `returned` */
	TL_STOP_LOCATION,    /* until and advance are where they were to go */
	TL_STOP_SIGNAL,      /* `signal`; 0: it was stopped from here */
	TL_STOP_INTERRUPTED, /* ^C or interrupt */
	TL_STOP_EXITED,      /* `code` */
	TL_STOP_KILLED,      /* by `signal` */
	TL_STOP_HISTORY,     /* the record ends here, at its beginning or (behind a replay) at its end */
	TL_STOP_NOTHING,     /* nothing that was resumed is left */
	TL_STOP_FAILED       /* the target could not go on: `text` */
};

#define TL_STOP_NUMBERS_MAX 16

struct tl_stop {
	enum tl_stop_kind kind;
	struct tl_thread_id thread;          /* selected by now; of what ended, its process */
	tl_u32 inferior;                     /* whose thread it is, or was */
	tl_u32 numbers[TL_STOP_NUMBERS_MAX]; /* breakpoints, in ascending order */
	tl_u32 number_count;
	tl_u32 location; /* which of the places of the first that stands at code: 1, 2, …; 0: it has one only */
	tl_i32 signal, code;
	struct tl_report report; /* what the engine said */
	/* TL_STOP_FINISHED: what the function returned; type NULL: nothing, or not known. Ends with the stop. */
	struct tl_value returned;
	tl_u64 history; /* its number in the history; 0: none */
	/* TL_STOP_CATCHPOINT of libraries: lines that say which came and went; NULL else. Ends at the next such stop.
	 */
	const char *libraries;
	bool new_frame;  /* the frame is another than before: show it whole, not the line alone */
	char text[1024]; /* a sentence where one is needed: a condition that failed and why */
};

/* How a thread is to go on. */
enum tl_plan_kind {
	TL_PLAN_CONTINUE,
	TL_PLAN_STEP_INSTRUCTION, /* stepi */
	TL_PLAN_NEXT_INSTRUCTION, /* nexti: calls as one */
	TL_PLAN_STEP,             /* to another line, into functions that have lines */
	TL_PLAN_NEXT,             /* to another line of this frame or one further out */
	TL_PLAN_FINISH,           /* until the selected frame returns */
	TL_PLAN_UNTIL_NEXT,       /* like next, and never backwards */
	TL_PLAN_UNTIL,            /* to `places`, or until the selected frame returns */
	TL_PLAN_ADVANCE,          /* the same, over returns as well */
	TL_PLAN_JUMP              /* from `address` on */
};

struct tl_plan {
	enum tl_plan_kind kind;
	tl_u64 count;  /* how often; 0: once. CONTINUE: the stop's breakpoint is ignored count - 1 times */
	tl_i32 signal; /* to deliver first; -1: what it stopped with, if that is to be passed */
	const struct tl_code_places *places; /* copied */
	tl_u64 address;
	bool back; /* time runs backwards; a target without TL_CAN_REVERSE is an error. Not with JUMP */
};

/* What becomes of other threads while one steps (GDB manual, "All-Stop Mode"). */
enum tl_scheduler_locking { TL_LOCKING_OFF, TL_LOCKING_ON, TL_LOCKING_STEP, TL_LOCKING_REPLAY };

/* What a person may set, in place, at any time; tl_session_settings_changed makes what is kept obey it. */
struct tl_session_settings {
	enum tl_scheduler_locking locking;
	bool step_into_unknown;      /* step-mode: step into functions without lines */
	bool follow_child;           /* follow-fork-mode */
	bool detach_on_fork;         /* the other one runs free; else it is kept, standing */
	bool new_on_exec;            /* follow-exec-mode: the new program becomes an inferior of its own */
	bool run_all;                /* schedule-multiple: what is resumed are the threads of all processes */
	bool tell_inferiors;         /* print inferior-events: which came and went is remarked upon */
	bool stop_on_library;        /* stop-on-solib-events */
	bool unwind_on_signal;       /* unwindonsignal: a function that was called is given up if a signal stops it */
	bool unwind_on_exception;    /* unwind-on-terminating-exception: the same where nobody catches an exception */
	bool tell_threads;           /* print thread-events: which came and went is remarked upon at the next stop */
	tl_u32 hardware_watchpoints; /* can-use-hw-watchpoints */
	bool past_main;              /* backtrace past-main */
	tl_u32 frames_max;           /* backtrace limit; 0: none */
	bool no_calls;               /* may-call-functions off */
	bool conditions_here;        /* breakpoint condition-evaluation host: none is handed to the target */
	/* dprintf-function: what of the program prints for dprintf, and what it is given first; NULL: the debugger
	 * prints; nothing. They stay the caller's. */
	const char *print_function, *print_channel;
	enum tl_language_choice language;
	tl_u64 value_size_max; /* max-value-size; 0: as values.h has it */
};

/* What a signal does (GDB manual, "Signals"), by its Linux number. */
struct tl_signal_handling {
	bool stop, print, pass;
};

#define TL_SIGNALS 65

struct tl_session_options {
	struct tl_loop *loop;
	struct tl_target *target;                   /* must outlive the session */
	const struct tl_binaries_options *binaries; /* may be NULL */
	/* Called once, deferred, when there is a stop to take (tl_session_take). May be NULL. */
	void (*stopped)(void *context);
	/* Text of dprintf, and remarks ("[New Thread …]", "warning: …"), whole lines. */
	void (*output)(void *context, const char *text, tl_size size);
	void (*remark)(void *context, const char *line);
	/* A thread got a signal that is printed and does not stop the program (struct tl_signal_handling). May be NULL.
	 */
	void (*signalled)(void *context, struct tl_thread_id thread, tl_i32 signal);
	/* A setting's value, as text and, if it is one, as a number: $_gdb_setting. May be NULL. */
	enum tl_status (*setting)(void *context, const char *name, tl_i64 *number_ret, bool *is_number_ret,
				  struct tl_output *text, struct tl_error *error);
	void *context;
};

/* `options` is copied. The caller closes, which leaves the program by tl_session_leave's rules first. */
TL_CHECKED enum tl_status tl_session_open(struct tl_session **session_ret, const struct tl_session_options *options,
					  struct tl_error *error);
void tl_session_close(struct tl_session *session);

/* What it is made of; all of it belongs to the session. */
struct tl_session_settings *tl_session_settings(struct tl_session *session);
/* After changes of those that decide what frames there are and what is read in them. Outside of a turn of the loop. */
void tl_session_settings_changed(struct tl_session *session);
struct tl_signal_handling *tl_session_signals(struct tl_session *session); /* TL_SIGNALS of them */
struct tl_engine *tl_session_engine(struct tl_session *session);
struct tl_binaries *tl_session_binaries(struct tl_session *session);
struct tl_variables *tl_session_variables(struct tl_session *session);
struct tl_arena *tl_session_arena(struct tl_session *session); /* cleared at every resume */
/* Between two commands: gives back what values of earlier ones took, when it has become much. None may be in use. */
void tl_session_trim(struct tl_session *session);
const struct tl_patience *tl_session_patience(struct tl_session *session);
/* What waiting for indexes and stops asks (tl_binary_wait): ^C and progress are the front end's business. */
void tl_session_set_patience(struct tl_session *session, const struct tl_patience *patience);

/* ---- Programs ---- */

/*
 * The program that `run` starts in the selected inferior and whose names are known from now on; NULL: none. Points are
 * looked for anew.
 */
TL_CHECKED enum tl_status tl_session_set_program(struct tl_session *session, const char *path, struct tl_error *error);
const char *tl_session_program(const struct tl_session *session); /* NULL: none */

/* The program that `run` starts, alone: names stay those of the file that they were read from. NULL: none. */
TL_CHECKED enum tl_status tl_session_set_executable(struct tl_session *session, const char *path,
						    struct tl_error *error);
/*
 * The file that the program's names are read from, where that is not the program's own, also for processes that are
 * there. `offset`: how far from where it was linked to it is, for what does not say so itself (a kernel). NULL: none.
 */
TL_CHECKED enum tl_status tl_session_set_symbols(struct tl_session *session, const char *path, tl_u64 offset,
						 struct tl_error *error);
/* A further file of names, `bias` from where it was linked to, in all processes, for good. */
TL_CHECKED enum tl_status tl_session_add_symbols(struct tl_session *session, const char *path, tl_u64 bias,
						 struct tl_error *error);
TL_CHECKED enum tl_status tl_session_remove_symbols(struct tl_session *session, const char *path, tl_u64 bias,
						    struct tl_error *error);
/* The index-th of them, and how far it was moved; NULL past the end. */
const char *tl_session_added_symbols(const struct tl_session *session, tl_size index, tl_u64 *bias_ret);
/* Where libraries are looked for (tl_binaries_set_sysroot), also those of processes that are there. */
TL_CHECKED enum tl_status tl_session_set_sysroot(struct tl_session *session, const char *path, struct tl_error *error);

/*
 * Starts the program: stands at its first instruction, its modules known, its points inserted. `launch` as in
 * core/engine/target.h. A process that runs already is not ended.
 */
TL_CHECKED enum tl_status tl_session_launch(struct tl_session *session, const struct tl_launch *launch,
					    struct tl_error *error);
/* The process that was launched is not to be resumed: what ran beside it when it began stays halted, too. */
void tl_session_stay(struct tl_session *session);
/* Attaches; a stop (TL_STOP_ATTACHED) follows when all its threads stand. */
TL_CHECKED enum tl_status tl_session_attach(struct tl_session *session, tl_u64 process, struct tl_error *error);
/*
 * Takes over what the target has already (a core file, a remote stub, a machine): its processes and threads were added
 * to the engine. `path` names the program; NULL: what the target says. `started`: it was started for us, and ends with
 * us. A stop follows: the signal that a thread stands with, or TL_STOP_ATTACHED.
 */
TL_CHECKED enum tl_status tl_session_adopt(struct tl_session *session, const char *path, bool started,
					   struct tl_error *error);
/* The selected process: ends it; lets it go. Waits until it stands, turning the loop. */
TL_CHECKED enum tl_status tl_session_kill(struct tl_session *session, struct tl_error *error);
TL_CHECKED enum tl_status tl_session_detach(struct tl_session *session, struct tl_error *error);
/*
 * Puts another target under the session, which must outlive it from then on: points, settings, variables and history
 * stay. What is debugged over the present one is forgotten as it is, with nothing of ours left in it as far as the
 * target can be reached; kill it or let it go first, if that is meant. The present target may be destroyed afterwards.
 * Never from inside a turn of the loop.
 */
void tl_session_set_target(struct tl_session *session, struct tl_target *target);
/* What is known of registers, frames and values is asked for anew: the program was changed from elsewhere. */
void tl_session_refresh(struct tl_session *session);
/* Kills what was launched and lets go what was attached to, for the end of the debugger. */
void tl_session_leave(struct tl_session *session);

/* Has the selected inferior a process; does something of it run (a plan is under way); does any inferior's. */
bool tl_session_alive(const struct tl_session *session);
bool tl_session_running(const struct tl_session *session);
bool tl_session_any_running(const struct tl_session *session);
bool tl_session_attached(const struct tl_session *session); /* rather than launched */

/* ---- Inferiors: programs side by side, one of them selected; there is always one ---- */

struct tl_inferior_info {
	tl_u32 number;
	tl_u64 process;      /* 0: none */
	const char *program; /* NULL: none. Valid until something is changed */
	tl_u32 connection;   /* the number of the connection to what it runs on; 0: none */
	bool attached;
};

/* The inferior behind a number, 0 for the first; that of a number; false when there is none. */
bool tl_session_next_inferior(const struct tl_session *session, tl_u32 after, struct tl_inferior_info *info_ret);
bool tl_session_inferior(const struct tl_session *session, tl_u32 number, struct tl_inferior_info *info_ret);
tl_u32 tl_session_current_inferior(const struct tl_session *session);
tl_u32 tl_session_inferior_of(const struct tl_session *session, tl_u64 process); /* 0: none */

/* One more without a program, not selected; `connected`: to what the selected one is connected to. */
TL_CHECKED enum tl_status tl_session_add_inferior(struct tl_session *session, bool connected, tl_u32 *number_ret,
						  struct tl_error *error);
/* TL_ERROR_STATE: it is selected, or has a process. TL_ERROR_NO_PROCESS: there is none of that number. */
TL_CHECKED enum tl_status tl_session_remove_inferior(struct tl_session *session, tl_u32 number, struct tl_error *error);
/*
 * Takes those off the list that a fork made, when their processes are gone and they are not selected: when a stop has
 * been told.
 */
void tl_session_prune(struct tl_session *session);
/* Selects it, and its first thread if it has a process. */
TL_CHECKED enum tl_status tl_session_select_inferior(struct tl_session *session, tl_u32 number, struct tl_error *error);

/* ---- Running and stopping ---- */

/* Sets the selected thread going by a plan, the others as the settings say; a stop follows. */
TL_CHECKED enum tl_status tl_session_resume(struct tl_session *session, const struct tl_plan *plan,
					    struct tl_error *error);
/* ^C: a stop follows, TL_STOP_INTERRUPTED unless something else came first. */
void tl_session_interrupt(struct tl_session *session);

/* The next stop, if there is one to be told. Its thread and innermost frame are selected. */
bool tl_session_take(struct tl_session *session, struct tl_stop *stop_ret);
/*
 * Turns the loop until a stop can be taken. `waiting` is asked at least every 100 ms (NULL: never); false gives up with
 * TL_ERROR_CANCELLED, and the program runs on.
 */
TL_CHECKED enum tl_status tl_session_wait(struct tl_session *session, const struct tl_patience *patience,
					  struct tl_stop *stop_ret, struct tl_error *error);
/* The stop that was taken last, while the program stands; kind NONE else. */
const struct tl_stop *tl_session_last_stop(const struct tl_session *session);

/*
 * Calls a function of the program in the selected thread and waits for its end (struct tl_environment's `call`). A stop
 * inside of it is TL_ERROR_STATE, with a sentence; the program then stands in the function, its dummy frame below.
 */
TL_CHECKED enum tl_status tl_session_call(struct tl_session *session, const struct tl_value *function,
					  const struct tl_value *arguments, tl_size count, const struct tl_type *result,
					  struct tl_value *value_ret, struct tl_error *error);
/* Makes the selected frame return now, with a value or (NULL) whatever is in the registers. */
TL_CHECKED enum tl_status tl_session_return(struct tl_session *session, const struct tl_value *value,
					    struct tl_error *error);

/* ---- What is selected ---- */

/* Numbers of threads among all, in the order of their birth: 1, 2, … 0: none of that number or id. */
tl_u32 tl_session_thread_number(struct tl_session *session, struct tl_thread_id thread);
struct tl_thread_id tl_session_numbered_thread(struct tl_session *session, tl_u32 number);

/* The numbers of a thread: among those of its inferior, and among all. All 0: it has none. */
struct tl_thread_numbers {
	tl_u32 inferior, thread, global;
};
struct tl_thread_numbers tl_session_thread_numbers(struct tl_session *session, struct tl_thread_id thread);
/* The number among all (tl_session_numbered_thread) of a thread of an inferior; 0: there is none. */
tl_u32 tl_session_find_thread(struct tl_session *session, tl_u32 inferior, tl_u32 number);
/* Are threads named with their inferior, "2.1": when there is more than one, or its number is not 1. */
bool tl_session_qualifies_threads(const struct tl_session *session);
/* A processor of a machine: "hart 1". False where threads are threads. */
bool tl_session_name_processor(struct tl_target *target, struct tl_thread_id thread, char *text_ret, tl_size size);
/* "3", or "2.1". */
void tl_session_thread_label(struct tl_session *session, struct tl_thread_id thread, char *text_ret, tl_size size);

/* The selected thread, and another one, whose innermost frame is selected then. */
struct tl_thread_id tl_session_thread(const struct tl_session *session); /* {0, 0}: none */
TL_CHECKED enum tl_status tl_session_select_thread(struct tl_session *session, struct tl_thread_id thread,
						   struct tl_error *error);
/* The stack of the selected thread, kept until it runs. TL_ERROR_NOT_RUNNING ("No stack."), TL_ERROR_RUNNING. */
TL_CHECKED enum tl_status tl_session_stack(struct tl_session *session, struct tl_stack **stack_ret,
					   struct tl_error *error);
/* The same frames and those behind main, where people see none; the caller closes. Errors as above. */
TL_CHECKED enum tl_status tl_session_stack_past_main(struct tl_session *session, struct tl_stack **stack_ret,
						     struct tl_error *error);
TL_CHECKED enum tl_status tl_session_frame(struct tl_session *session, const struct tl_stack_frame **frame_ret,
					   struct tl_error *error);
tl_u32 tl_session_level(const struct tl_session *session);
TL_CHECKED enum tl_status tl_session_select_frame(struct tl_session *session, tl_u32 level, struct tl_error *error);

/* Modules of the selected process, or of the program before it runs. Never NULL. */
struct tl_modules *tl_session_modules(struct tl_session *session);
/* The same of an inferior; of the selected one where there is none of that number. */
struct tl_modules *tl_session_inferior_modules(struct tl_session *session, tl_u32 inferior);

/* The environment of the selected frame; kept until something is selected anew or the program runs. */
TL_CHECKED enum tl_status tl_session_environment(struct tl_session *session,
						 const struct tl_environment **environment_ret,
						 struct tl_environment_store **store_ret, struct tl_error *error);
/* Reads an expression, with the types of the selected place known. The caller frees it. */
TL_CHECKED enum tl_status tl_session_parse(struct tl_session *session, const char *text, tl_size size,
					   struct tl_expression **expression_ret, struct tl_error *error);
/* The same and its value. */
TL_CHECKED enum tl_status tl_session_evaluate(struct tl_session *session, const char *text, tl_size size,
					      struct tl_value *value_ret, struct tl_error *error);
/* The same of one that is an address: a pointer, a number, an array or function for where it stands. */
TL_CHECKED enum tl_status tl_session_address(struct tl_session *session, const char *text, tl_size size,
					     tl_u64 *address_ret, struct tl_error *error);

/* Where `list`, `break 12` and their like start from. */
TL_CHECKED enum tl_status tl_session_base(struct tl_session *session, struct tl_linespec_base *base_ret,
					  struct tl_error *error);
/* Sets it: a source line that was listed. NULL: the selected frame's again. */
void tl_session_set_base(struct tl_session *session, const char *file, tl_u32 line);

/*
 * Writes what `printf` and dprintf print (debugger/expressions/formatted.h), in the selected frame.
 */
TL_CHECKED enum tl_status tl_session_format(struct tl_session *session, const char *text, struct tl_output *output,
					    struct tl_error *error);

/* ---- Points (debugger/session/breakpoint.h) ---- */

/* The list of points; they are changed through these functions alone. */
struct tl_breakpoints *tl_session_breakpoints(struct tl_session *session);

#endif

/* What the files of a session share. Nobody else includes this. */
#ifndef TL_DEBUGGER_SESSION_INTERNAL_H
#define TL_DEBUGGER_SESSION_INTERNAL_H

#include "debugger/session/points_internal.h"
#include "debugger/session/session.h"
#include "debugger/session/skips.h"
#include "debugger/session/steps.h"

/* A file of names that a person added. */
struct tl_added_symbols {
	char *path;
	tl_u64 bias;
};

/*
 * What users of gdb call an inferior: a program, and its process while there is one, with what is in its memory. It
 * stays where it is as long as it is on the list: its modules read through it.
 */
struct tl_debugged {
	struct tl_engine *engine;
	tl_u32 number;
	char *program;         /* what `run` starts; NULL: none */
	char *symbols;         /* the file that its names are from; NULL: its own */
	tl_u64 symbols_offset; /* how far from where it was linked to that is, where nothing else tells */
	bool awaited;          /* it is not at its place yet (TL_OBJECT_TEXT_ADDRESS), nor are its points */
	struct tl_added_symbols *added;
	tl_size added_count, added_capacity;
	struct tl_modules *linked;  /* that program as linked, for when nothing runs */
	tl_u64 process;             /* 0: none, and then nothing of what follows is there */
	struct tl_modules *modules; /* NULL: none */
	struct tl_places *places;   /* in these modules: kept, since each stop stands where others stood */
	char *path;                 /* of the process, as the target says */
	tl_u32 threads;             /* numbers that its threads were given */
	struct tl_thread_id went;   /* `going` before a function was called */
	struct tl_thread_id going;  /* what of it was resumed, TL_ANY for all its threads; {0, 0}: nothing */
	bool attached;
	bool passing;        /* made by a fork or exec: ends with its process */
	bool left;           /* its child was followed: no places of points are looked for in it until it runs again */
	tl_u64 vfork_parent; /* let go when this has memory of its own; 0: none */
	tl_u32 connection;   /* the number of what it was started on; 0: nothing */
};

struct tl_numbered_thread {
	struct tl_thread_id id;       /* {0, 0}: it is gone */
	tl_u32 inferior, in_inferior; /* whose it is, and its number there */
	tl_u64 born;
	tl_u64 pointer; /* its thread-local storage, by which gdb's users know it; 0: not known */
	bool told;      /* that it is there */
};

/* A point as it stands in the engine for this session. */
struct tl_inserted {
	tl_u64 process, address, size;
	enum tl_point_kind kind;
	tl_u64 stamp; /* of what its conditions were made from */
	bool wanted;
};

/* A point of the session's own. */
struct tl_internal {
	enum tl_internal_point kind;
	tl_u64 process, address;
	tl_u32 owner; /* SCOPE: number of the watchpoint */
};

struct tl_breakpoints {
	struct tl_breakpoint **items; /* by number */
	tl_size count, capacity;
	tl_u32 last_number;
	tl_u64 stamp;      /* counts changes of anything that conditions are made from */
	tl_u64 generation; /* of the modules that locations were found in */
	struct tl_inserted *inserted;
	tl_size inserted_count, inserted_capacity;
	struct tl_internal *internals;
	tl_size internal_count, internal_capacity;
};

/* What a resume is made of, one after the other; kept for the next. */
struct tl_actions {
	struct tl_action *items;
	tl_size count, capacity;
};

struct tl_session {
	struct tl_session_options options;
	struct tl_engine *engine;
	struct tl_target *target;
	struct tl_binaries *binaries;
	struct tl_variables *variables;
	struct tl_types *types; /* of registers, and where there is no program */
	struct tl_arena arena;
	struct tl_session_settings settings;
	struct tl_signal_handling signals[TL_SIGNALS];
	struct tl_patience patience;
	struct tl_source *deferred;

	struct tl_debugged **inferiors; /* by number; never none */
	tl_size inferior_count, inferior_capacity;
	tl_u32 last_inferior, last_connection; /* numbers that were given */
	struct tl_debugged *current;           /* the selected one: that of the selected thread, if there is one */

	struct tl_numbered_thread *threads; /* number 1 first */
	tl_size thread_count, thread_capacity;
	tl_u64 youngest;

	struct tl_thread_id selected;
	tl_u32 level;
	tl_u32 skipped;    /* inlined frames of the selected thread that are not shown */
	tl_u64 stopped_at; /* its program counter when it stopped */
	struct tl_stack *stack;
	struct tl_environment_store *store;
	struct tl_environment environment;
	struct tl_code_environment code;
	char *base_file;
	tl_u32 base_line;

	struct tl_breakpoints points;
	struct tl_skips skips;
	struct tl_steps steps;
	struct tl_plan plan; /* under way; its places are copied */
	struct tl_code_places plan_places;
	struct tl_actions actions;
	bool running;     /* a resume is under way, its stop not yet made */
	bool interrupted; /* somebody wants it to stop, whatever else it comes to first */
	bool halting;     /* everything is being brought to a stand, unseen */
	/* What a thread is to be given as it goes on after that. */
	struct tl_thread_id halted;
	tl_i32 halted_signal;
	struct tl_event forked;           /* one that was caught, and not followed yet; its child is 0: none */
	tl_u64 attaching;                 /* the process that was attached to, and did not stop yet; 0: none */
	struct tl_unfinished *unfinished; /* calls that stopped on the way (call.c) */
	bool calling;                     /* a function of the program runs for an expression */
	struct tl_stop stop;
	bool stop_ready;  /* not yet taken */
	char *libraries;  /* what the last stop for libraries tells */
	bool undecided;   /* the engine may have a report, and what becomes of it takes calls of functions */
	bool deciding;    /* that is being found out */
	bool called;      /* and a function was called for it */
	bool terminating; /* a called function let an exception go */
	bool stale;       /* the stop was made while values of the one before were in use: they end when it is taken */
};

/* ---- session.c ---- */

void tl_session_remark(struct tl_session *session, const char *format, ...) TL_PRINTF(2, 3);

/* ---- inferiors.c ---- */

/* The inferior whose process it is; NULL: it is not debugged. */
struct tl_debugged *tl_session_debugged(const struct tl_session *session, tl_u64 process);
/* By number; NULL: there is none. */
struct tl_debugged *tl_session_numbered_inferior(const struct tl_session *session, tl_u32 number);
/* One more, without a program. It belongs to the list. */
TL_CHECKED enum tl_status tl_session_new_inferior(struct tl_session *session, struct tl_debugged **debugged_ret,
						  struct tl_error *error);
/* What `run` starts in it; NULL: nothing. An absolute path. Places of points are not looked for. */
TL_CHECKED enum tl_status tl_inferior_set_program(struct tl_session *session, struct tl_debugged *debugged,
						  const char *path, struct tl_error *error);
/* Gives it a process, whose modules are not known yet. */
TL_CHECKED enum tl_status tl_session_add(struct tl_session *session, struct tl_debugged *debugged, tl_u64 process,
					 const char *path, bool attached, struct tl_error *error);
/* The process is debugged no more. Its inferior stays; where it was selected, no thread is. */
void tl_session_remove(struct tl_session *session, tl_u64 process);
void tl_session_release_inferiors(struct tl_session *session);

/* ---- processes.c ---- */

/* Brings the modules of a process up to date, and the places of points with them. */
void tl_session_update_modules(struct tl_session *session, struct tl_debugged *debugged);
/* Learns which program it is, from the target, and takes that for what `run` starts. */
void tl_session_begin_program(struct tl_session *session, struct tl_debugged *debugged);
/* All threads of a process that was attached to stand: this one speaks for them. */
void tl_session_attached_now(struct tl_session *session, struct tl_thread_id thread);

/* ---- symbol_files.c ---- */

/* What a person said of files of names, for modules of it that were just opened. */
void tl_session_prepare_modules(struct tl_session *session, const struct tl_debugged *debugged,
				struct tl_modules *modules);
/*
 * Moves the names of a process's program to where its target says that it is, if that knows more than the file; before
 * it is anywhere its points wait. All of it stands.
 */
void tl_session_place_program(struct tl_session *session, struct tl_debugged *debugged);
void tl_inferior_release_symbols(struct tl_debugged *debugged);

/* ---- session.c ---- */

/* The engine over the session's target, with what holds for every target. */
void tl_session_start_engine(struct tl_session *session);

/* ---- threads.c ---- */

/* Gives numbers to the threads of a process anew, as of its inferior now. */
void tl_session_number_process(struct tl_session *session, tl_u64 process);
/* Gives numbers to threads that have none. */
void tl_session_number_threads(struct tl_session *session);
/* "Thread 0x7ffff7dce740 (LWP 4711)", or "process 4711" where that is all there is to know. */
void tl_session_describe_thread(struct tl_session *session, struct tl_thread_id thread, char *text_ret, tl_size size);
/* The program stands: tells which threads came and went since it stood last. */
void tl_session_tell_threads(struct tl_session *session);

/* ---- selection.c ---- */

/* Ends what was worked out for the selected frame; for the whole stop. */
/* Functions of the debugger's own, and $_siginfo, as struct tl_surroundings wants them (conveniences.c). */
enum tl_status tl_session_convenience(struct tl_session *session, const char *name, const struct tl_value *arguments,
				      tl_size count, struct tl_value *value_ret, bool *known_ret,
				      struct tl_error *error);
enum tl_status tl_session_siginfo(struct tl_session *session, bool write, tl_u64 offset, tl_u8 *bytes, tl_size size,
				  struct tl_error *error);

void tl_session_forget_frame(struct tl_session *session);
void tl_session_forget_stop(struct tl_session *session);
/* Selects without a word; the innermost frame with so many inlined functions hidden. */
void tl_session_set_selected(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped);

/* A stack of a stopped thread, so many inlined functions hidden. The caller closes, before modules change. */
TL_CHECKED enum tl_status tl_session_open_stack(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped,
						struct tl_stack **stack_ret, struct tl_error *error);
/*
 * A stack of a stopped thread that goes on behind main, where the program's own code ends for people but not for a step
 * or a scope. The caller closes.
 */
TL_CHECKED enum tl_status tl_session_whole_stack(struct tl_session *session, struct tl_thread_id thread,
						 struct tl_stack **stack_ret, struct tl_error *error);

/* ---- session_values.c ---- */

/* Reads an expression with names as an environment knows them. */
TL_CHECKED enum tl_status tl_session_read(struct tl_session *session, const struct tl_environment *environment,
					  const char *text, tl_size size, struct tl_expression **expression_ret,
					  struct tl_error *error);

/* ---- library_events.c ---- */

/* A thread stands where the dynamic linker tells of changes: brings the modules up to date. True: that stops it. */
bool tl_session_library_changed(struct tl_session *session, struct tl_thread_id thread);

/* ---- births.c ---- */

/*
 * What the settings say of a process that has forked (`forked`): the child becomes an inferior, or is let go, or the
 * parent is. Nothing without one.
 */
TL_CHECKED enum tl_status tl_session_follow_fork(struct tl_session *session, struct tl_error *error);
/* The process of a thread runs another program: in its inferior, or in one more. */
TL_CHECKED enum tl_status tl_session_follow_exec(struct tl_session *session, struct tl_thread_id thread,
						 struct tl_error *error);
/* A process is gone; its inferior is selected. */
void tl_session_ended(struct tl_session *session, tl_u64 process);

/* ---- call.c ---- */

/* A thread came to where called functions return to: was it a call that had stopped on the way? Its registers are then
 * as they were before that. */
bool tl_session_call_ended(struct tl_session *session, struct tl_thread_id thread);
/* The process is gone, and calls in it with it. */
void tl_session_forget_calls(struct tl_session *session, tl_u64 process);

static inline bool tl_same_thread(struct tl_thread_id left, struct tl_thread_id right)
{
	return left.process == right.process && left.thread == right.thread;
}

/* ---- session_go.c ---- */

/* Lets everybody go by the plan; `signal`, unless it is 0, is delivered to `signalled`. */
TL_CHECKED enum tl_status tl_session_set_going(struct tl_session *session, struct tl_thread_id signalled, tl_i32 signal,
					       struct tl_error *error);
/* The signal that the selected thread stopped with, if the program is to get it; 0: none. */
tl_i32 tl_session_signal_to_pass(const struct tl_session *session);
/* Lets what tl_session_halt halted go on, where nothing else was resumed. */
TL_CHECKED enum tl_status tl_session_go_on(struct tl_session *session, struct tl_error *error);
/* The same if something ran (`ran`) before the halt, and what it was for has failed: `status`, which is returned. */
TL_CHECKED enum tl_status tl_session_unhalt(struct tl_session *session, bool ran, enum tl_status status);
/* Tells the engine which signals need no look. */
void tl_session_set_passed_signals(struct tl_session *session);

/* ---- session_run.c ---- */

/*
 * Brings what runs of other inferiors to a stand, unseen, so that one more can be set going beside it; what happened
 * meanwhile may be a stop (`stop_ready`). It runs on with the next resume.
 */
TL_CHECKED enum tl_status tl_session_halt(struct tl_session *session, struct tl_error *error);
/*
 * Brings everything to a stand, with no stop to be told of a process that is to be left (TL_ANY: of all); what others
 * have to tell is kept. A program that does not stop is an error.
 */
TL_CHECKED enum tl_status tl_session_stand_still(struct tl_session *session, tl_u64 process, struct tl_error *error);
/* Processes that ended while they stood, and that nobody was told of: a stop follows for the first of them. */
void tl_session_tell_ends(struct tl_session *session);
/* Takes what the engine has to report, runs on or makes a stop of it. From the loop alone. */
void tl_session_process(struct tl_session *session);
/*
 * Selects another thread for a moment, its innermost frame, to evaluate something there; and what was selected before
 * again. What was worked out for either ends.
 */
struct tl_aside {
	struct tl_debugged *current;
	struct tl_thread_id selected;
	tl_u64 stopped_at;
	tl_u32 skipped;
};
struct tl_aside tl_session_look_aside(struct tl_session *session, struct tl_thread_id thread);
void tl_session_look_back(struct tl_session *session, const struct tl_aside *aside);

/* The program counter of a stopped thread; 0 when it cannot be had. */
tl_u64 tl_session_program_counter(struct tl_session *session, struct tl_thread_id thread);

#endif

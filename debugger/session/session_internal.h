/* What the files of a session share. Nobody else includes this. */
#ifndef TL_DEBUGGER_SESSION_INTERNAL_H
#define TL_DEBUGGER_SESSION_INTERNAL_H

#include "debugger/session/points_internal.h"
#include "debugger/session/session.h"
#include "debugger/session/steps.h"

/* A process, with what is in its memory. It stays where it is while it is debugged: its modules read through it. */
struct tl_debugged {
	struct tl_engine *engine;
	tl_u64 process;
	struct tl_modules *modules;
	struct tl_places *places; /* in these modules: kept, since each stop stands where others stood */
	char *path;
	bool attached;
};

struct tl_numbered_thread {
	struct tl_thread_id id; /* {0, 0}: it is gone */
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
	tl_u64 address;
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

	char *program;
	struct tl_modules *program_modules; /* as linked, for when nothing runs */
	struct tl_debugged **processes;
	tl_size process_count, process_capacity;

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
	struct tl_steps steps;
	struct tl_plan plan; /* under way; its places are copied */
	struct tl_code_places plan_places;
	bool running; /* a resume is under way, its stop not yet made */
	bool attaching;
	struct tl_unfinished *unfinished; /* calls that stopped on the way (call.c) */
	bool calling;                     /* a function of the program runs for an expression */
	struct tl_stop stop;
	bool stop_ready; /* not yet taken */
	char *libraries; /* what the last stop for libraries tells */
	bool stale;      /* the stop was made while values of the one before were in use: they end when it is taken */
};

/* ---- session.c ---- */

void tl_session_remark(struct tl_session *session, const char *format, ...) TL_PRINTF(2, 3);

/* ---- processes.c ---- */

/* NULL: it is not debugged. */
struct tl_debugged *tl_session_debugged(const struct tl_session *session, tl_u64 process);
TL_CHECKED enum tl_status tl_session_add(struct tl_session *session, tl_u64 process, const char *path, bool attached,
					 struct tl_error *error);
void tl_session_remove(struct tl_session *session, tl_u64 process);
/* Brings the modules of a process up to date, and the places of points with them. */
void tl_session_update_modules(struct tl_session *session, struct tl_debugged *debugged);
/* All threads of a process that was attached to stand: this one speaks for them. */
void tl_session_attached_now(struct tl_session *session, struct tl_thread_id thread);

/* ---- threads.c ---- */

/* Gives numbers to threads that have none. */
void tl_session_number_threads(struct tl_session *session);
/* The program stands: tells which threads came and went since it stood last. */
void tl_session_tell_threads(struct tl_session *session);

/* ---- selection.c ---- */

/* Ends what was worked out for the selected frame; for the whole stop. */
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

/* ---- call.c ---- */

/* A thread came to where called functions return to: was it a call that had stopped on the way? Its registers are then
 * as they were before that. */
bool tl_session_call_ended(struct tl_session *session, struct tl_thread_id thread);
/* The process is gone, and calls in it with it. */
void tl_session_forget_calls(struct tl_session *session, tl_u64 process);

/* ---- session_run.c ---- */

/* Takes what the engine has to report, runs on or makes a stop of it. From the loop alone. */
void tl_session_process(struct tl_session *session);
/*
 * Selects another thread for a moment, its innermost frame, to evaluate something there; and what was selected before
 * again. What was worked out for either ends.
 */
struct tl_aside {
	struct tl_thread_id selected;
	tl_u64 stopped_at;
	tl_u32 skipped;
};
struct tl_aside tl_session_look_aside(struct tl_session *session, struct tl_thread_id thread);
void tl_session_look_back(struct tl_session *session, const struct tl_aside *aside);

/* The program counter of a stopped thread; 0 when it cannot be had. */
tl_u64 tl_session_program_counter(struct tl_session *session, struct tl_thread_id thread);

#endif

/*
 * The engine: which threads there are and what each is doing, points, stops, steps.
 *
 * It stands between a target, which it drives, and a client (a protocol session or a debugger), which drives it. It
 * knows nothing of packets or of people. It does not block and has no globals; all calls are made on the control
 * thread.
 *
 * A client resumes threads with actions; the target posts events; the engine decides for each whether to run on (a
 * false condition, a step inside a range, a stale trap) or to stop, and then hands the client a report. Two policies:
 *   all-stop   one report for one resume, handed out when every thread is parked;
 *   non-stop   each thread stops and is reported alone.
 *
 * The states of a thread. Every change goes through one function of engine.c.
 *
 *      ┌────────── resume ──────────┐      event worth a report
 *   PARKED ◀── taken ── WAITING ◀───┼──────────────────────────── RUNNING ──── asked to stop ──▶ STOPPING
 *      ▲                            └─────────────────────────────▶  │ ▲                            │
 *      │                                                 held for a  │ │ released                   │
 *      │                                           sibling's step    ▼ │                            │
 *      │                                                            HELD                            │
 *      └──────────────────────────────── paused ────────────────────────────────────────────────────┘
 */
#ifndef TL_CORE_ENGINE_ENGINE_H
#define TL_CORE_ENGINE_ENGINE_H

#include "core/agent/agent.h"
#include "core/allocator.h"
#include "core/engine/target.h"

enum tl_thread_state {
	TL_THREAD_PARKED,   /* stands still; the client knows or need not know why */
	TL_THREAD_WAITING,  /* stands still with an event that the client has not been told */
	TL_THREAD_RUNNING,  /* runs by its plan */
	TL_THREAD_STOPPING, /* runs, and has been asked to stop */
	TL_THREAD_HELD,     /* stands still for a sibling's step; runs on by its plan when that is done */
	TL_THREAD_OVER,     /* runs one instruction under a lifted point while its siblings are held */
	TL_THREAD_STATE_MAX
};

enum tl_action_kind {
	TL_ACTION_CONTINUE,
	TL_ACTION_STEP,
	TL_ACTION_RANGE, /* step until the program counter leaves [start, end) */
	TL_ACTION_STOP,  /* non-stop: stop and report signal 0 */
	TL_ACTION_CONTINUE_BACK,
	TL_ACTION_STEP_BACK
};

/* One action of a resume. The first one that matches a thread counts; threads that none matches stay as they are. */
struct tl_action {
	struct tl_thread_id filter; /* TL_ANY in either part */
	enum tl_action_kind kind;
	tl_i32 signal; /* to deliver, Linux number; 0: none */
	tl_u64 start, end;
};

/* What the client is told. */
struct tl_report {
	struct tl_event event; /* of event.thread; signal 0 PAUSED for a stop on request, SIGNAL 2 for an interrupt */
	/* For TRAP, HARDWARE_BREAKPOINT and WATCHPOINT: the kind of the point that was hit; addresses hit for the last.
	 */
	enum tl_point_kind point;
	tl_u64 hit_addresses[TL_HITS_MAX];
	tl_u8 hit_count;
	/*
	 * Other than TL_OK: why the thread stopped although nothing else would have stopped it: a condition or command
	 * that could not be evaluated, or (event PAUSED) an operation of the target that failed.
	 */
	enum tl_status condition_error;
	bool asked;      /* SIGNAL 2 because the client interrupted, not because the program was sent one */
	bool no_resumed; /* nothing that was resumed is left running; event.thread means nothing */
};

#define TL_SIGNAL_WORDS 3
#define TL_SYSCALL_MAX 1024

/* What a client asked for. Back to the defaults, all zero, for every client. */
struct tl_engine_settings {
	bool non_stop;
	bool report_forks, report_vforks, report_execs;
	bool report_threads; /* creation and exit of every thread */
	bool report_no_resumed;
	bool catch_syscalls;
	bool catch_every_syscall;
	tl_u64 syscalls[TL_SYSCALL_MAX / 64]; /* bit per number */
	tl_u64 pass_signals[TL_SIGNAL_WORDS]; /* bit per Linux signal: delivered without a stop */
	/*
	 * A thread resumed from a breakpoint that was reported passes it. Off, it hits it again, as gdb and lldb expect
	 * of a server: they take the point out for a step themselves. Points that stopped nobody are always passed, and
	 * so is every point by a target with TL_CAN_PASS_POINTS.
	 */
	bool pass_reported;
	/*
	 * The client is gdb, which takes a watchpoint of some CPUs (gdb_steps_past_watchpoints) for one that stops in
	 * front of its access, and so takes its watchpoints out and steps once more before it looks. The access is done
	 * when the engine tells of it: that step is over as soon as it is asked for.
	 */
	bool steps_past_watchpoints;
	/*
	 * A program that is stopped by a signal (job control) runs when it is resumed, as gdb's own processes do. Off,
	 * it waits for SIGCONT, as gdbserver's do.
	 */
	bool awaken;
	bool program_signals_known;
	tl_u64 program_signals[TL_SIGNAL_WORDS]; /* those that the program may be given at a detach */
};

/* What the engine tells whoever watches it: --trace events, and the bench's counters. */
enum tl_note_kind {
	TL_NOTE_EVENT,   /* an event was posted */
	TL_NOTE_STATE,   /* a thread changed state: from, to */
	TL_NOTE_RESUME,  /* a thread was set going: request */
	TL_NOTE_DROPPED, /* a level event was dropped as its point is gone, or an event of an unknown thread */
	TL_NOTE_POINT,   /* a point was inserted (to = 1) or removed (to = 0) */
	TL_NOTE_OVER,    /* a step over a point: `to` says which way, enum tl_way */
	TL_NOTE_REPORT,  /* a client was told; or, of a process left to itself, nobody was told that it ended */
	TL_NOTE_MAX
};

enum tl_way { TL_WAY_PASSED, TL_WAY_CARRIED_OUT, TL_WAY_OUT_OF_LINE, TL_WAY_HELD, TL_WAY_SEQUENCE, TL_WAY_MAX };

struct tl_note {
	enum tl_note_kind kind;
	struct tl_thread_id thread;
	const struct tl_event *event;
	const struct tl_run_request *request;
	tl_u32 from, to;
	tl_u64 address;
};

struct tl_engine_host {
	struct tl_allocator allocator;
	/* Text of a breakpoint command (dprintf). May be NULL. */
	void (*output)(void *context, const char *text, tl_size size);
	/* May be NULL. Must not call the engine. */
	void (*note)(void *context, const struct tl_note *note);
	/*
	 * A report is ready to be taken; called at most once until it is. Also when a tl_engine_pause, or one of a
	 * process, that had to wait has brought everyone to a stop. May be NULL.
	 */
	void (*ready)(void *context);
	void *context;
};

struct tl_engine_counters {
	tl_u64 events, resumes, reports, stale, conditions_false, conditions_true, commands, range_steps;
	tl_u64 ways[TL_WAY_MAX];
};

/* A list of bytecode as Z packets carry it: the engine copies and verifies it. */
struct tl_bytecode_list {
	const struct tl_agent_code *items;
	tl_size count;
};

struct tl_point_request {
	enum tl_point_kind kind;
	tl_u64 address;
	tl_u64 size;                        /* bytes watched; for breakpoints the packet's kind field */
	struct tl_bytecode_list conditions; /* stop if any is true; none: always */
	struct tl_bytecode_list commands;   /* run, and do not stop */
	bool persist;                       /* the commands go on when no client is there */
};

/* A point as it stands, for `monitor points` and front ends. */
struct tl_point_info {
	enum tl_point_kind kind;
	tl_u64 process, address, size;
	tl_size conditions, commands;
	tl_u64 hits, stops;
};

struct tl_thread_info {
	struct tl_thread_id id;
	enum tl_thread_state state;
	bool stopped; /* to a client's eyes: PARKED or WAITING */
	tl_u64 born;  /* later ones have higher numbers; above 0 */
};

struct tl_engine; /* its size is tl_engine_size() */

/* Bytes of a struct tl_engine, which the embedder supplies, aligned to 16. */
tl_size tl_engine_size(void);

/*
 * Sets up an engine over `target`, which must outlive it, in zeroed or any storage. `host` is copied. tl_engine_deinit
 * gives all storage back and does nothing to the program: leave first (tl_engine_leave).
 */
void tl_engine_init(struct tl_engine *engine, struct tl_target *target, const struct tl_engine_host *host);
void tl_engine_deinit(struct tl_engine *engine);

/* ---- For targets ---- */

/* A process is under the engine from now on: after launch and attach, and for the child of a fork before its event. */
TL_CHECKED enum tl_status tl_engine_add_process(struct tl_engine *engine, tl_u64 process);

/*
 * A thread of it: standing still (`running` false: PARKED), or on its way to a stop that was asked for, as after an
 * attach
 * (`running` true: STOPPING, an event follows). The latter owes the client a report: in all-stop one when all have
 * stopped, PAUSED of the eldest if nothing else happened; in non-stop one each.
 */
TL_CHECKED enum tl_status tl_engine_add_thread(struct tl_engine *engine, struct tl_thread_id thread, bool running);

/*
 * An event. The engine may call the target's operations before it returns, resume() of that very thread among them.
 * Events of threads that it does not know are noted and dropped.
 */
void tl_engine_post(struct tl_engine *engine, const struct tl_event *event);

/* ---- For clients: threads ---- */

/* The thread that follows `after` in order of age, {0, 0} for the first; false at the end. */
bool tl_engine_next_thread(const struct tl_engine *engine, struct tl_thread_id after, struct tl_thread_info *info_ret);
/* The same behind the birth of a thread that may have ended since. */
bool tl_engine_younger_thread(const struct tl_engine *engine, tl_u64 born, struct tl_thread_info *info_ret);
bool tl_engine_find_thread(const struct tl_engine *engine, struct tl_thread_id id, struct tl_thread_info *info_ret);
/* The process that follows `after` in order of age, 0 for the first; 0 at the end. */
tl_u64 tl_engine_next_process(const struct tl_engine *engine, tl_u64 after);
/* Any stopped thread of the process (TL_ANY: of any), its eldest before others; false when all run or there is none. */
bool tl_engine_stopped_thread(const struct tl_engine *engine, tl_u64 process, struct tl_thread_id *id_ret);
enum tl_status tl_engine_facts(const struct tl_engine *engine, tl_u64 process, struct tl_process_facts *facts_ret);

/* ---- For clients: running and stopping ---- */

/* The settings, to read and to change in place; changes of catch_syscalls hold from the next resume on. */
struct tl_engine_settings *tl_engine_settings(struct tl_engine *engine);

/* Switches between all-stop and non-stop. To all-stop: every thread is asked to stop, quietly (see tl_engine_pause). */
enum tl_status tl_engine_set_non_stop(struct tl_engine *engine, bool on);

/*
 * Carries out actions. In all-stop exactly one report follows (TL_ERROR_RUNNING, and none, if one is still owed;
 * TL_ERROR_NO_THREAD if no thread matches). In non-stop actions for threads that run already are ignored, except STOP.
 */
enum tl_status tl_engine_resume(struct tl_engine *engine, const struct tl_action *actions, tl_size count);

/*
 * The client has dealt with whatever point a stopped thread stands on, by a step that ended there for example: the next
 * resume passes it. Forgotten when the program counter is changed. TL_ERROR_NO_THREAD, TL_ERROR_RUNNING.
 */
enum tl_status tl_engine_pass_here(struct tl_engine *engine, struct tl_thread_id thread);

/*
 * Non-stop: the client was sent this event and has not yet said that it has it; NULL: it has. An action for all of a
 * process or for everything may have been sent before it knew: such actions pass by the event's thread and child.
 */
void tl_engine_unheard(struct tl_engine *engine, const struct tl_event *event);

/*
 * ^C. All-stop: stops everything and reports signal 2, or an event that came first. Non-stop: stops one thread, the
 * eldest that runs, and reports signal 2 for it. No-op when nothing runs.
 */
void tl_engine_interrupt(struct tl_engine *engine);

/* Stops everything quietly: tl_engine_quiet() tells when that is so. What happens meanwhile is kept. */
void tl_engine_pause(struct tl_engine *engine);
bool tl_engine_quiet(const struct tl_engine *engine);

/*
 * The same for one process, the others going on as they are; until its threads are resumed. A process that does not
 * exist is quiet.
 */
void tl_engine_pause_process(struct tl_engine *engine, tl_u64 process);
bool tl_engine_process_quiet(const struct tl_engine *engine, tl_u64 process);

/* All-stop: a resume is under way and its report not yet taken. Non-stop: some thread runs. */
bool tl_engine_running(const struct tl_engine *engine);

/*
 * The process whose exit waits to be told: `process` if that one's does, with TL_ANY the first; 0 when there is none.
 * In all-stop a process may end while it stands (somebody else killed it); the next resume is answered with that.
 */
tl_u64 tl_engine_untold_exit(const struct tl_engine *engine, tl_u64 process);

/* Takes the next report, if one is ready. */
bool tl_engine_take_report(struct tl_engine *engine, struct tl_report *report_ret);

/*
 * All-stop, once the report of a stop was taken: takes what one more thread has to tell (a point, a step or a signal;
 * what else there is waits for the next resume), for clients that are shown every thread's stop at once and would
 * otherwise be told of it again. False when the thread has no such thing.
 */
bool tl_engine_take_waiting(struct tl_engine *engine, struct tl_thread_id id, struct tl_report *report_ret);

/*
 * What is reported of single threads beside what the settings say, until their end or tl_engine_reset_client. New
 * threads have no options.
 */
enum tl_thread_option {
	/*
	 * The thread stops as it makes another, with TL_EVENT_CLONE; both stand still, and no other report tells of the
	 * new one. Holds from the thread's next resume on.
	 */
	TL_THREAD_REPORT_CLONE = 1 << 0,
	TL_THREAD_REPORT_EXIT = 1 << 1 /* its end is reported */
};

/* Those that the target allows: TL_THREAD_REPORT_* bits. */
tl_u32 tl_engine_thread_options(const struct tl_engine *engine);

/*
 * Gives every thread that matches `filter` (TL_ANY in either part) exactly these options; it is no error if none does.
 * TL_ERROR_UNSUPPORTED, and no change, for one that the target does not allow.
 */
enum tl_status tl_engine_set_thread_options(struct tl_engine *engine, struct tl_thread_id filter, tl_u32 options);

/* The thread of the last report that was taken, whoever took it; it may be gone since. {0, 0}: none yet. */
struct tl_thread_id tl_engine_last_told(const struct tl_engine *engine);

/* The report that a thread was last stopped with, for `?` and its kin; false for a running thread. */
bool tl_engine_last_report(const struct tl_engine *engine, struct tl_thread_id id, struct tl_report *report_ret);

/* ---- For clients: registers and memory ---- */

/*
 * The register file of a stopped thread with the banks of `banks` (bit n: bank n) valid. It belongs to the engine and
 * is valid until the thread is resumed. After writing registers into it say which banks: they are stored before the
 * thread runs, or at once by tl_engine_flush_registers. TL_ERROR_RUNNING, TL_ERROR_NO_THREAD, and whatever the target
 * says.
 */
enum tl_status tl_engine_registers(struct tl_engine *engine, struct tl_thread_id id, tl_u32 banks, tl_u8 **file_ret);
enum tl_status tl_engine_registers_changed(struct tl_engine *engine, struct tl_thread_id id, tl_u32 banks);
enum tl_status tl_engine_flush_registers(struct tl_engine *engine, struct tl_thread_id id);
/* The target changed a thread's registers behind the engine's back (an injected call): forget what is cached. */
void tl_engine_forget_registers(struct tl_engine *engine, struct tl_thread_id id);
/* The same for what was only read: values that a client stored, and that are yet to go to the target, stay. */
void tl_engine_reread_registers(struct tl_engine *engine, struct tl_thread_id id);

/*
 * Bystanders (struct tl_target_ops): never resumed, stopped or waited for. There are none while a thread runs, and none
 * in non-stop. The one behind `after`, the first for {0, 0}; false at the end.
 */
bool tl_engine_next_bystander(const struct tl_engine *engine, struct tl_thread_id after, struct tl_thread_id *id_ret);
bool tl_engine_is_bystander(const struct tl_engine *engine, struct tl_thread_id id);
/*
 * Its registers: those of *known_ret, indexes with -1 at the end; the rest of the file means nothing. The file is the
 * engine's and valid until the next call. TL_ERROR_NO_THREAD, TL_ERROR_NO_MEMORY, and whatever the target says.
 */
enum tl_status tl_engine_bystander_registers(struct tl_engine *engine, struct tl_thread_id id, const tl_u8 **file_ret,
					     const tl_i16 **known_ret);

/* Memory is meant as this thread has it from here on, where that makes a difference (struct tl_target_ops). */
void tl_engine_look_through(struct tl_engine *engine, struct tl_thread_id thread);

/*
 * Memory as the program has it: planted traps do not show, and writes under them land in what was saved. *done_ret as
 * in the target's operations.
 */
enum tl_status tl_engine_read_memory(struct tl_engine *engine, tl_u64 process, tl_u64 address, void *buffer,
				     tl_size size, tl_size *done_ret);
enum tl_status tl_engine_write_memory(struct tl_engine *engine, tl_u64 process, tl_u64 address, const void *buffer,
				      tl_size size, tl_size *done_ret);

/* ---- For clients: points ---- */

/*
 * Inserts a point, or gives the point of that kind, address and size that is there already new conditions and commands.
 * Nothing changes on an error; bytecode that does not verify is one.
 */
enum tl_status tl_engine_insert_point(struct tl_engine *engine, tl_u64 process, const struct tl_point_request *request);
/* TL_ERROR_NO_POINT when it is not there. */
enum tl_status tl_engine_remove_point(struct tl_engine *engine, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size);
/* The n-th point of all processes; false past the end. */
bool tl_engine_point(const struct tl_engine *engine, tl_size n, struct tl_point_info *info_ret);

/* ---- For clients: leaving ---- */

/* Removes every point, forgets every level event, sets the settings back: what a client leaves to the next. */
void tl_engine_reset_client(struct tl_engine *engine);

/* What was not told is told no more, and no report is owed: for a client that has ended everything. */
void tl_engine_drop_reports(struct tl_engine *engine);
/* No report is owed, for a client that waits for none; what was not told is kept for the next resume. */
void tl_engine_owe_nothing(struct tl_engine *engine);

/*
 * Takes back everything that was written into the process, stored registers included, and lets it go or ends it.
 * Running threads must have been stopped (tl_engine_pause): TL_ERROR_RUNNING. After an error of the target the process
 * is forgotten all the same.
 */
enum tl_status tl_engine_detach(struct tl_engine *engine, tl_u64 process, tl_u64 thread, tl_i32 signal);
enum tl_status tl_engine_kill(struct tl_engine *engine, tl_u64 process);

/*
 * A process that is left to itself, though not let go: it runs on, with those points in it whose commands persist (the
 * others are removed), and the commands are carried out. Whatever a client would be told is passed on to the program
 * instead, as if it were not traced: signals, ends, and children, which run free. No list, query or resume below shows
 * or moves it; its id serves for tl_engine_attend, tl_engine_kill and what is asked of a process by its id.
 *
 * Its threads must stand: TL_ERROR_RUNNING. `signal` goes to `thread` (thread 0: none) as it starts.
 * TL_ERROR_NO_PROCESS; TL_ERROR_UNSUPPORTED where it cannot run while another process stands.
 */
enum tl_status tl_engine_unattend(struct tl_engine *engine, tl_u64 process, tl_u64 thread, tl_i32 signal);
/* Back again, points and all: its threads are asked to stop and owe a report, as after an attach. TL_ERROR_NO_PROCESS
 * for one that is not left to itself. */
enum tl_status tl_engine_attend(struct tl_engine *engine, tl_u64 process);
/* The process left to itself that follows `after` in order of age, 0 for the first; 0 at the end. */
tl_u64 tl_engine_next_unattended(const struct tl_engine *engine, tl_u64 after);
/* Whether it is to be left unattended rather than let go: its target stays (TL_CAN_STAY), or a point's commands do. */
bool tl_engine_persists(const struct tl_engine *engine, tl_u64 process);

/* What the engine counted, and the target that it was made for. Both live as long as the engine. */
const struct tl_engine_counters *tl_engine_counters(const struct tl_engine *engine);
struct tl_target *tl_engine_target(const struct tl_engine *engine);

#endif

/*
 * What the files of the engine share. Not for embedders.
 *
 *   engine.c      the struct itself, processes, threads, spaces, states, registers, memory
 *   points.c      points of an address space, their conditions and commands
 *   copies.c      instructions that run out of line
 *   pass.c        getting a thread over the point that it stands on
 *   sequence.c    … and on to the end of the exclusive sequence that the point is inside of
 *   events.c      what an event means
 *   run.c         resuming, stopping, reports
 *   leave.c       giving everything back
 *   bystanders.c  what can be looked at while everything stands, and is not run
 */
#ifndef TL_CORE_ENGINE_INTERNAL_H
#define TL_CORE_ENGINE_INTERNAL_H

#include "core/engine/engine.h"
#include "core/engine/undo.h"

/* Bytecode in one block of storage: the items, then their bytes. */
struct bytecode {
	struct tl_agent_code *items;
	tl_size count;
	tl_size block_size;
};

struct engine_point {
	enum tl_point_kind kind;
	tl_u64 address, size;
	struct bytecode conditions, commands;
	bool persist;
	tl_u64 since; /* hits of before, in the sequence of reports, did not meet these conditions */
	/*
	 * For a point that the target put in: the process for which it did so, of those that share the space; 0 once
	 * that one was let go.
	 */
	tl_u64 holder;
	tl_u64 hits, stops;
	/* Whether it is inside an exclusive sequence, once that was looked at. */
	bool sequence_known, in_sequence;
};

/* A copy of one instruction elsewhere. It stays as it is until no thread can be in it. */
struct copy {
	tl_u64 original;
	tl_u64 address;
	tl_u8 bytes[TL_INSTRUCTION_MAX]; /* that were copied */
	tl_u8 length;                    /* of the original instruction */
	tl_u8 size;                      /* of the copy with its way back */
	tl_u8 body;                      /* where the way back begins */
	bool impossible;                 /* it was tried, and cannot be copied */
};

#define COPY_SLOT 64
#define COPY_AREA 4096
#define COPIES_PER_AREA (COPY_AREA / COPY_SLOT)

/* An address space: one a process, shared between a vfork's child and its parent. */
struct space {
	tl_u32 users;
	tl_u64 process;               /* one whose memory it is */
	struct engine_point **points; /* by rising address, then kind */
	tl_size point_count, point_capacity;
	struct tl_undo undo;
	tl_u32 lifted;        /* all traps are out while a vfork's child is let run */
	struct copy **copies; /* in the order of their slots: COPIES_PER_AREA to an area */
	tl_size copy_count, copy_capacity;
	tl_u64 *areas; /* memory of the target's that the copies stand in */
	tl_size area_count, area_capacity;
	bool no_area; /* there is none to be had */
};

struct process {
	tl_u64 id;
	struct space *space;
	struct tl_process_facts facts;
	tl_size threads;
	tl_size states[TL_THREAD_STATE_MAX]; /* how many of them are in each */
	bool unattended;                     /* left to itself: nothing is told of it, and no client's word moves it */
	bool parking;                        /* all of it is being stopped, whatever the others do */
	bool pausing;          /* … by tl_engine_pause_process, and host.ready to be called at its end */
	struct space *spare;   /* of a vfork's child, for when it runs another program: that cannot be refused */
	bool lifted_for_child; /* holds one of its space's `lifted` until its vfork is done */
};

/* A temporary trap for a step without the machine's help. */
#define STEP_TRAPS TL_SUCCESSORS_MAX

struct thread {
	struct tl_thread_id id;
	struct process *process;
	tl_size position; /* in the list of all */
	tl_u64 born;
	struct tl_thread_id maker; /* the thread whose fork, vfork or clone made it, {0, 0} if not known */
	enum tl_thread_state state;

	/* What the client wants of it. */
	tl_u32 options; /* TL_THREAD_REPORT_* */
	enum tl_action_kind plan;
	tl_u64 range_start, range_end;
	tl_i32 deliver;   /* signal for its next start */
	bool stop_sent;   /* the target was asked to stop it, and it does not stand yet */
	bool stop_asked;  /* non-stop: report signal 0 when it stands */
	bool interrupted; /* report signal 2 when it stands */

	bool step_done; /* told of a watchpoint's access, the client will ask for a step that is done already */

	/* What the client is to be told, in WAITING; and what it was last told. */
	struct tl_report pending, last;
	tl_u64 sequence; /* of the pending report */
	/* The present resume is for it too, in all-stop: what others wait to tell is not for its report. */
	bool resumed;

	/* Registers: `file` is NULL until they are first asked for. */
	tl_u8 *file;
	tl_u32 valid, dirty; /* banks */

	/* The hit of the point at this address has been dealt with: from here the thread is passed over it. */
	bool dealt;
	tl_u64 dealt_address;
	/* A signal was delivered in that position: the hit after the handler's return, at the same stack, is the old
	 * one. */
	bool rehit;
	tl_u64 rehit_address, rehit_stack;

	/* How it is being got over a point. */
	bool wants_over;      /* in HELD: waits for its turn to step with its siblings held */
	tl_u64 over_sequence; /* first come, first served */
	struct copy *copy;    /* it was started in this copy, or NULL */
	tl_u64 traps[STEP_TRAPS];
	tl_u8 trap_count;
	/* In HELD and OVER: it is led through an exclusive sequence, with a reservation for the machine's own. */
	bool in_sequence;
	struct tl_reservation reservation;
	tl_u64 sequence_from;  /* the point that it was led on from */
	tl_u16 sequence_steps; /* instructions since then, carried out and stepped */
};

/* Reports about what is gone: exits of processes, and of threads where the client wants to know. */
struct gone {
	struct tl_report report;
	tl_u64 sequence;
};

struct tl_engine {
	struct tl_target *target;
	struct tl_engine_host host;
	struct tl_engine_settings settings;
	struct tl_engine_counters counters;
	tl_u32 capabilities;

	struct thread **threads; /* by age */
	tl_size thread_count, thread_capacity;
	struct thread **index; /* open addressing by id; a power of two in size, NULL: free */
	tl_size index_size;
	struct process **processes; /* by age */
	tl_size process_count, process_capacity;
	tl_size unattended; /* how many of them are */

	struct tl_thread_id unheard, unheard_child; /* of tl_engine_unheard; {0, 0}: none */
	struct gone *gone;
	tl_size gone_count, gone_capacity;

	/*
	 * A register file for moving the program counter of a thread that there is no storage to keep one for: one that
	 * stayed behind a trap of ours would be lost.
	 */
	tl_u8 *spare_file;
	tl_size spare_file_size;

	tl_u8 *bystander_file; /* registers of the bystander that was looked at last */
	tl_size bystander_file_size;

	tl_u64 births; /* of threads, so far */
	tl_u64 sequence;
	tl_size states[TL_THREAD_STATE_MAX]; /* how many threads are in each */

	bool owed;                     /* all-stop: a resume has not been answered */
	bool pausing;                  /* tl_engine_pause is under way and host.ready to be called at its end */
	bool pausing_process;          /* the same of tl_engine_pause_process for some process */
	bool parking;                  /* everything is being stopped */
	struct tl_thread_id last_told; /* of the last report */
	bool interrupt;                /* ^C came; reported if nothing else is */
	bool no_resumed;               /* non-stop: to be reported */
	bool told;                     /* host.ready was called and no report taken since */

	/* The one thread whose turn it is to step with its siblings held; it is in OVER once the step has begun. */
	struct thread *over;
	tl_u64 over_address; /* the lifted point */
	tl_u64 over_round;   /* whoever asked for a turn up to here gets it before the others are let run again */
};

/* ---- engine.c ---- */

/* Whether the filter, with TL_ANY in either part, is for that thread. */
bool tl_engine_matches(struct tl_thread_id filter, struct tl_thread_id id);
struct process *tl_engine_process(const struct tl_engine *engine, tl_u64 id);
struct thread *tl_engine_thread(const struct tl_engine *engine, struct tl_thread_id id);
/* Not for a client's eyes and words: left to itself, or its birth is yet to be told. */
bool tl_engine_hidden(const struct tl_engine *engine, const struct thread *thread);
void tl_engine_set_state(struct tl_engine *engine, struct thread *thread, enum tl_thread_state state);
void tl_engine_note(struct tl_engine *engine, const struct tl_note *note);
void tl_engine_forget_thread(struct tl_engine *engine, struct thread *thread);
/* At an exec: a thread that bears another number from now on, PARKED, with nothing that it had. Cannot fail. */
void tl_engine_rename_thread(struct tl_engine *engine, struct thread *thread, struct tl_thread_id id);
void tl_engine_forget_process(struct tl_engine *engine, struct process *process);
/* Gives the process a space of its own with nothing in it; the old one stays with whoever shares it. */
enum tl_status tl_engine_fresh_space(struct tl_engine *engine, struct process *process);
/* Makes storage at *file_ret, of *size_ret bytes (0: none yet), have at least `size`. */
enum tl_status tl_engine_reserve_file(struct tl_engine *engine, tl_size size, tl_u8 **file_ret, tl_size *size_ret);
/* The memory that a space's undo list works on. */
struct tl_undo_memory tl_engine_memory(const struct tl_engine *engine, const struct space *space);
bool tl_engine_stands(const struct thread *thread); /* in a state in which it does not run */

enum tl_status tl_engine_fetch(struct tl_engine *engine, struct thread *thread, tl_u32 banks);
enum tl_status tl_engine_flush(struct tl_engine *engine, struct thread *thread);
enum tl_status tl_engine_program_counter(struct tl_engine *engine, struct thread *thread, tl_u64 *value_ret);
enum tl_status tl_engine_set_program_counter(struct tl_engine *engine, struct thread *thread, tl_u64 value);
enum tl_status tl_engine_read(struct tl_engine *engine, struct process *process, tl_u64 address, void *buffer,
			      tl_size size);
/* Reads up to an instruction's worth of bytes as the program has them; returns how many. */
tl_size tl_engine_read_code(struct tl_engine *engine, struct process *process, tl_u64 address,
			    tl_u8 bytes[TL_INSTRUCTION_MAX]);

/* ---- points.c ---- */

/* The first point at that address with a kind in `kinds` (bit per kind), or NULL. */
struct engine_point *tl_points_find(const struct space *space, tl_u64 address, tl_u32 kinds);
/* To a target that decides by itself, before the point is put in or when they have changed. */
void tl_points_tell_conditions(struct tl_engine *engine, tl_u64 process, const struct engine_point *point);
#define KIND_BIT(kind) ((tl_u32)1 << (kind))
#define KINDS_CODE (KIND_BIT(TL_POINT_SOFTWARE) | KIND_BIT(TL_POINT_HARDWARE))
#define KINDS_DATA (KIND_BIT(TL_POINT_WRITE) | KIND_BIT(TL_POINT_READ) | KIND_BIT(TL_POINT_ACCESS))
bool tl_points_any(const struct space *space, tl_u32 kinds);

/*
 * A point was hit: does the thread stop? Evaluates the conditions and runs the commands. An error of a condition stops
 * it, and is put into the report.
 */
bool tl_points_stop(struct tl_engine *engine, struct thread *thread, struct engine_point *point,
		    struct tl_report *report);

/* Drops every point without touching memory: the memory is gone. Hardware points are still taken out of the target. */
/* Takes out what the target put in for this one of the processes that share the space; the points stay. */
void tl_points_withdraw(struct tl_engine *engine, struct space *space, tl_u64 process);
void tl_points_drop(struct tl_engine *engine, struct space *space, tl_u64 process);
/* Whether its commands are to run when no client is there. */
bool tl_points_persists(const struct engine_point *point);
/* Removes every point whose commands do not; one that cannot be taken out stays. */
void tl_points_remove_passing(struct tl_engine *engine, struct space *space, tl_u64 process);
/* Removes every point for good; goes on after errors and returns the first. */
enum tl_status tl_points_remove_all(struct tl_engine *engine, struct space *space, tl_u64 process);
/* Gives the child of a fork the points that its memory has. */
enum tl_status tl_points_copy(struct tl_engine *engine, const struct process *from, struct process *to);

/* ---- copies.c ---- */

/* The copy of the instruction at `address` whose bytes are given, made now if need be; NULL when there can be none. */
struct copy *tl_copies_get(struct tl_engine *engine, struct thread *thread, tl_u64 address, const tl_u8 *bytes,
			   const struct tl_instruction *instruction);
/* Makes the program counter of a thread that was started in a copy show the original. *done_ret: the copy was executed.
 */
enum tl_status tl_copies_leave(struct tl_engine *engine, struct thread *thread, bool *done_ret);
/* A thread that was born in a copy, by a clone or a fork: as if it had been started there. */
void tl_copies_adopt(struct tl_engine *engine, struct thread *thread, const struct space *space);
/* The child of a fork has the areas in its memory too, to use and to give back. */
void tl_copies_inherit(struct tl_engine *engine, const struct space *from, struct space *to);
/* Frees the list; the areas are forgotten. */
void tl_copies_drop(struct tl_engine *engine, struct space *space);
/* Gives the areas back to the program's kernel, by way of a thread that stands. No thread may be in a copy. */
void tl_copies_release_areas(struct tl_engine *engine, struct space *space, struct thread *thread);

/* ---- pass.c ---- */

/*
 * Sets a thread going by its plan, from a point or not. It must stand. Where it has to wait (for a sibling's step, or
 * for its own) it is HELD, and where a step of its plan is over at once it is WAITING.
 */
void tl_pass_start(struct tl_engine *engine, struct thread *thread);
/* Whoever had engine->over is done with it: the trap goes back in. Others are set going by tl_pass_release. */
void tl_pass_finish(struct tl_engine *engine);
/* If nobody steps over a point: the next one's turn, or everyone who is held goes on. */
void tl_pass_release(struct tl_engine *engine);
/* A thread has stopped: if it was the last that had to be held, the step begins. */
void tl_pass_advance(struct tl_engine *engine);
/* Whether a thread of the space other than `except` (NULL: any) has a temporary trap at that address. */
bool tl_pass_trapped(const struct tl_engine *engine, const struct space *space, tl_u64 address,
		     const struct thread *except);
/* Takes a thread's temporary traps out. */
void tl_pass_clear_traps(struct tl_engine *engine, struct thread *thread);

/* The machine has made the one step that tl_sequence_run left to it. */
void tl_pass_go_on(struct tl_engine *engine, struct thread *thread);

/* Memory as a thread of the process would touch it: what it may not is refused. */
struct pass_access {
	struct tl_engine *engine;
	struct process *process;
};
struct tl_memory_access tl_pass_memory(struct pass_access *access);

/* ---- sequence.c ---- */

/* Whether a trap under the thread, at `address`, keeps an exclusive sequence from its end however often it is tried. */
bool tl_sequence_wants(struct tl_engine *engine, struct thread *thread, tl_u64 address);

enum tl_sequence_end {
	TL_SEQUENCE_OVER, /* it is behind the sequence, or cannot be led on: it goes as threads go */
	TL_SEQUENCE_TOLD, /* it has hit a point on the way that is to be told */
	TL_SEQUENCE_STEP  /* the machine has to do the next instruction */
};

/*
 * Carries out one instruction after the other of a thread whose siblings all stand, from the point that it has hit and
 * that has been dealt with, until a store-exclusive has stored. thread->dealt says whether a point is under it at the
 * end.
 */
enum tl_sequence_end tl_sequence_run(struct tl_engine *engine, struct thread *thread);

/* ---- events.c ---- */

/* The thread stands, without having run, at a software point: as if it had hit it. */
void tl_events_hit(struct tl_engine *engine, struct thread *thread, tl_u64 address);

/* The step that a thread's plan asked for is done: on, inside a range, or a report. It stands. */
void tl_events_stepped(struct tl_engine *engine, struct thread *thread);

/* ---- leave.c ---- */

enum tl_status tl_leave_process(struct tl_engine *engine, struct process *process, tl_u64 thread, tl_i32 signal);
/* All traps of the process's space stay out until its vfork is done. */
void tl_leave_lift(struct tl_engine *engine, struct process *process);

/* ---- run.c ---- */

/* The thread stands with something to tell. */
void tl_run_report(struct tl_engine *engine, struct thread *thread, const struct tl_report *report);
/* The same for what is gone. */
void tl_run_report_gone(struct tl_engine *engine, const struct tl_report *report);
/* Whoever leaves a process need not be told of its exit. TL_ERROR_NO_PROCESS: none waited to be told. */
enum tl_status tl_run_drop_exit(struct tl_engine *engine, tl_u64 process);
/*
 * The thread stands without anything to tell: it goes on by its plan, or stays, as the engine's phase has it, or tells
 * that it stands if a client asked for that.
 */
void tl_run_settle(struct tl_engine *engine, struct thread *thread);
/* Stops everything. */
void tl_run_park(struct tl_engine *engine);
/* Stops the process for a client that has come to it and is owed a report, as after an attach. */
void tl_run_summon(struct tl_engine *engine, struct process *process);
/* After any change: is it time to tell the host? */
void tl_run_check(struct tl_engine *engine);
/* True when threads of the process that stop are to stay so: it is being stopped, or nothing was resumed. */
bool tl_run_standstill(const struct tl_engine *engine, const struct process *process);
/* Asks one running thread to stop. */
void tl_run_stop(struct tl_engine *engine, struct thread *thread);

#endif

/*
 * The scripted target: a small machine made of byte arrays, for tests.
 *
 * Its processes, threads and memory are plain storage; its threads execute real machine code of x86-64, one instruction
 * a turn, by a small interpreter of its own (execute.c), and a handful of system calls with Linux' numbers. Nothing
 * happens except in tl_scripted_turn(), so that a test interleaves threads, events and requests exactly as it likes,
 * and the same seed always gives the same run. What a real system would do by itself (a signal from elsewhere, a clone,
 * an exit in the middle of a stop) is injected by tl_scripted_do() or by the entries of a script.
 *
 * It is strict where real targets are lenient: requests that break the contract of core/engine/target.h are refused and
 * counted (tl_scripted_violations).
 *
 * All calls are made on the control thread. Nothing but core/ is used.
 */
#ifndef TL_TARGETS_SCRIPTED_SCRIPTED_H
#define TL_TARGETS_SCRIPTED_SCRIPTED_H

#include "core/allocator.h"
#include "core/engine/target.h"

struct tl_scripted; /* its size is tl_scripted_size() */

/* A piece of memory as a program starts with it: `size` bytes of which the first `filled` come from `bytes`. */
struct tl_scripted_segment {
	tl_u64 start;
	tl_u64 size;
	const tl_u8 *bytes;
	tl_size filled;
	tl_u32 permissions; /* TL_PERMISSION_* */
	const char *name;   /* shown by memory_region; may be NULL */
};

/* A program. The arrays belong to the caller and outlive the target. */
struct tl_scripted_image {
	const struct tl_scripted_segment *segments;
	tl_size segment_count;
	tl_u64 entry;
	tl_u64 stack;      /* the stack pointer at the start */
	tl_u64 exec_entry; /* where execve starts the same image; 0: at `entry` */
	const char *path;  /* TL_OBJECT_EXEC_FILE; NULL: "/scripted" */
};

enum tl_scripted_when {
	TL_SCRIPTED_AFTER_TURNS, /* `value` turns have been made */
	TL_SCRIPTED_AT_ADDRESS   /* `thread` (TL_ANY in either part) is about to execute the instruction at `value` */
};

enum tl_scripted_what {
	TL_SCRIPTED_SIGNAL, /* signal `a` becomes pending for the thread; b = 1: raised by its instruction */
	TL_SCRIPTED_CLONE,  /* the thread makes another at `a` (0: where it stands) with stack pointer `b` (0: the same)
			     */
	TL_SCRIPTED_FORK,   /* the thread forks; the child starts at `a` (0: where it stands itself) */
	TL_SCRIPTED_VFORK,  /* the same, sharing the address space, the thread waiting for exec or exit */
	TL_SCRIPTED_EXEC,   /* the process runs its image afresh */
	TL_SCRIPTED_EXIT_THREAD,  /* the thread exits with status `a` */
	TL_SCRIPTED_EXIT_PROCESS, /* the process exits with status `a`; b = 1: no exits of its threads are told */
	TL_SCRIPTED_KILL_PROCESS, /* the process is killed by signal `a`; b as above */
	TL_SCRIPTED_PAUSE,        /* the thread stops for no reason */
	TL_SCRIPTED_DELAY_STOPS,  /* requests to stop that thread take `a` turns from now on */
	TL_SCRIPTED_WHAT_MAX
};

/* One line of a script: happens once. */
struct tl_scripted_entry {
	enum tl_scripted_when when;
	tl_u64 value;
	struct tl_thread_id thread;
	enum tl_scripted_what what;
	tl_u64 a, b;
};

struct tl_scripted_options {
	struct tl_allocator allocator;
	const struct tl_cpu *cpu;
	tl_u32 features;           /* 0: the CPU's base features */
	tl_u32 without;            /* TL_CAN_* that this machine lacks: STEP, RUN_SOME, CARRY_OUT, HARDWARE, … */
	bool points_inserted;      /* software points by insert_point instead of planted traps */
	bool passes_points;        /* resume() passes a point under the program counter (TL_CAN_PASS_POINTS) */
	bool exact_hits;           /* watch hits say what the access was, as emulators know it */
	tl_u32 hardware_registers; /* 0: 4, of up to 8 aligned bytes each */
	tl_u64 seed;               /* 0: threads take turns in order; otherwise a pseudo-random order */
	tl_u64 text_address;       /* TL_OBJECT_TEXT_ADDRESS; 0: there is none */
	tl_u64 linked_address;     /* and where that was linked to; 0: not known */
	/*
	 * Bystanders of the eldest process, by their numbers, 0 for none; read in place, outlives the target and may
	 * change while threads run. Of the registers the three that name code and stack are known, with values made of
	 * the number.
	 */
	const tl_u64 *bystanders;
	tl_size bystander_count;
	const struct tl_scripted_image *image;
	const struct tl_scripted_entry *script; /* read in place, outlives the target */
	tl_size script_count;
	/* What programs write to descriptors 1 and 2. May be NULL. */
	void (*written)(void *context, const tl_u8 *bytes, tl_size size);
	void *context;
};

/* Bytes of a struct tl_scripted, aligned to 16. */
tl_size tl_scripted_size(void);

/* Sets up a machine without processes; `options` is copied. TL_ERROR_ARGUMENT when the CPU lacks what is needed. */
TL_CHECKED enum tl_status tl_scripted_init(struct tl_scripted *scripted, const struct tl_scripted_options *options);
/* Gives all storage back. The engine over it must have been taken down before. */
void tl_scripted_deinit(struct tl_scripted *scripted);

/* The target to hand to tl_engine_init. */
struct tl_target *tl_scripted_target(struct tl_scripted *scripted);

/*
 * Starts a process of the image, all of it known to the engine and standing still, as after a launch. Its first thread
 * has the number of the process. Numbers count up from 1 and are not used twice.
 */
TL_CHECKED enum tl_status tl_scripted_start(struct tl_scripted *scripted, tl_u64 *process_ret);

/* The same, but unknown to the engine and running, as something to attach to. */
TL_CHECKED enum tl_status tl_scripted_start_free(struct tl_scripted *scripted, tl_u64 *process_ret);

/*
 * Adds a thread that stands still at `start`, with a stack of 4 KiB, without an event: for tests that want many at
 * once.
 */
TL_CHECKED enum tl_status tl_scripted_add_thread(struct tl_scripted *scripted, tl_u64 process, tl_u64 start,
						 struct tl_thread_id *id_ret);

/*
 * One turn: the next thread in order that has something to do takes a pending stop or signal, or executes one
 * instruction. Posts at most a handful of events. False when no thread can do anything.
 */
bool tl_scripted_turn(struct tl_scripted *scripted);
/* A turn of that very thread; false when it has nothing to do. */
bool tl_scripted_turn_of(struct tl_scripted *scripted, struct tl_thread_id thread);
/* How many turns were made. */
tl_u64 tl_scripted_turns(const struct tl_scripted *scripted);

/* Makes something happen now. TL_ERROR_NO_THREAD when there is no such thread, TL_ERROR_STATE when it is stopped and
 * stopped threads cannot do that. */
TL_CHECKED enum tl_status tl_scripted_do(struct tl_scripted *scripted, struct tl_thread_id thread,
					 enum tl_scripted_what what, tl_u64 a, tl_u64 b);

/*
 * The n-th operation from now (1: the next) fails with `status` and does nothing; n = 0 ends that. Turns do not count,
 * nor do operations that return no status.
 */
void tl_scripted_fail(struct tl_scripted *scripted, tl_u64 n, enum tl_status status);
/* How many operations were called. */
tl_u64 tl_scripted_operations(const struct tl_scripted *scripted);

/* How often the engine broke the contract; *text_ret (may be NULL) says how the first time. */
tl_u64 tl_scripted_violations(const struct tl_scripted *scripted, const char **text_ret);

/* ---- To look at, behind the engine's back ---- */

struct tl_scripted_thread_info {
	bool running, stop_asked, blocked;
	tl_u64 program_counter;
	tl_u64 executed; /* instructions */
	tl_u64 pending;  /* signals that it has not seen yet: bit n - 1 for signal n */
};
/* What a thread is doing; false when there is none of that id. */
bool tl_scripted_thread(const struct tl_scripted *scripted, struct tl_thread_id id,
			struct tl_scripted_thread_info *info_ret);

struct tl_scripted_process_info {
	bool alive, traced;
	tl_i32 code, signal; /* how it ended */
	tl_size threads;
	tl_size altered;  /* bytes of executable segments of the image that differ from it: planted traps left behind */
	tl_size points;   /* hardware and inserted points that are set */
	tl_size borrowed; /* regions from allocate() that were not released */
};
/* What has become of a process; false when there was none of that id. */
bool tl_scripted_process(const struct tl_scripted *scripted, tl_u64 process, struct tl_scripted_process_info *info_ret);

/* Raw memory of a process that is alive. */
enum tl_status tl_scripted_peek(const struct tl_scripted *scripted, tl_u64 process, tl_u64 address, void *buffer,
				tl_size size);
/* A register of any thread. */
tl_u64 tl_scripted_register(const struct tl_scripted *scripted, struct tl_thread_id id, tl_u16 index);

#endif

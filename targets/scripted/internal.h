/*
 * The state of the scripted target, for the files of this folder: scripted.c (beginning and end), state.c (storage),
 * operations.c (the target's operations), bystanders.c (those of bystanders), run.c (turns, the small kernel),
 * execute.c (instructions) and crew.c (turns taken by threads of the host).
 */
#ifndef TL_TARGETS_SCRIPTED_INTERNAL_H
#define TL_TARGETS_SCRIPTED_INTERNAL_H

#include "core/engine/engine.h"
#include "targets/scripted/scripted.h"

#define TL_SCRIPTED_POINTS_MAX 32
#define TL_SCRIPTED_SIGNALS_MAX 64
#define TL_SCRIPTED_FRAMES_MAX 4
#define TL_SCRIPTED_ACCESSES_MAX 8
#define TL_SCRIPTED_SIGINFO_SIZE 128
#define TL_SCRIPTED_PAGE ((tl_u64)4096)
#define TL_SCRIPTED_STACK_TOP ((tl_u64)0x7f0000000000)

struct tl_scripted_region {
	tl_u64 start, size;
	tl_u8 *bytes;
	tl_u32 permissions;
	const char *name;
	bool borrowed; /* by allocate() */
};

/* Shared by a vfork's parent and child. */
struct tl_scripted_space {
	tl_size users;
	struct tl_scripted_region *regions;
	tl_size region_count, region_capacity;
};

struct tl_scripted_point {
	enum tl_point_kind kind;
	tl_u64 address, size;
};

struct tl_scripted_process_state {
	tl_u64 id;
	struct tl_scripted_space *space;
	bool alive, traced;
	tl_i32 code, signal;
	tl_size threads;
	struct tl_scripted_point points[TL_SCRIPTED_POINTS_MAX];
	tl_size point_count;
	tl_u64 handler[TL_SCRIPTED_SIGNALS_MAX + 1]; /* 0: the default action, 1: ignored */
	tl_u64 restorer[TL_SCRIPTED_SIGNALS_MAX + 1];
	tl_u64 vfork_parent; /* thread that waits for this process to exec or exit; 0: none */
	tl_u64 next_stack;
};

struct tl_scripted_thread_state {
	tl_u64 id;
	struct tl_scripted_process_state *process;
	bool running;
	bool stop_asked;
	bool blocked;       /* in a system call that only a signal, or the end of a vfork's child, ends */
	bool awaits_vfork;  /* blocked until its child is done */
	bool vfork_done;    /* … which it is: an event is due */
	bool in_call;       /* stopped at the entry of a system call, which is to be made on resuming */
	bool return_due;    /* the call is made and its return to be reported */
	bool fresh;         /* nothing executed yet since it was resumed */
	bool fault_pending; /* the pending signal was raised by the instruction */
	tl_u64 call;        /* number of the system call that it is in */
	tl_u64 stop_delay, stop_due;
	bool number_taken; /* it took the number of another thread by running another program, which is untold */
	tl_u64 untold; /* number of the message that the engine has not heard yet, with which it came to stand; 0: none
			*/
	struct tl_run_request request;
	tl_u64 pending;              /* bit per signal */
	tl_u64 deliver_without_stop; /* bit per signal: was reported and given back by resume() */
	tl_u8 siginfo[TL_SCRIPTED_SIGINFO_SIZE];
	tl_u64 executed;
	tl_u8 *file;   /* register file */
	tl_u8 *frames; /* saved files of interrupted code, TL_SCRIPTED_FRAMES_MAX of them */
	tl_size frame_count;
};

struct tl_scripted_access {
	tl_u64 address, size;
	enum tl_access access;
};

/* What a number names: a thread, a process (whose record outlives it), both or nothing any more. */
struct tl_scripted_number {
	struct tl_scripted_thread_state *thread;
	struct tl_scripted_process_state *process;
};

/*
 * For a machine whose turns are taken by several host threads (crew.c). None of them in the plain machine, which has
 * one thread and tells the engine at once.
 */
struct tl_scripted_hooks {
	/* Around everything that the control thread does with the machine; nests. */
	void (*enter)(void *context);
	void (*leave)(void *context);
	/* An event, to be handed to tl_scripted_tell on the control thread; `sequence` is that of the thread's
	 * `untold`, or 0. */
	void (*send)(void *context, const struct tl_event *event, tl_u64 sequence);
	/* The thread of that number may have something to do now, or is gone. */
	void (*stir)(void *context, tl_u64 number);
};

struct tl_scripted {
	struct tl_target target;
	struct tl_target_ops ops; /* of this machine: what it lacks is NULL */
	struct tl_scripted_options options;
	const struct tl_scripted_hooks *hooks; /* NULL: one thread does everything */
	void *hooks_context;
	tl_u64 sent; /* messages that were handed to hooks->send with a number */
	/* Indexed by number - 1. */
	struct tl_scripted_number *numbers;
	tl_size number_count, number_capacity;
	tl_size next; /* index of the number whose turn it is */
	tl_u64 random;
	tl_u64 turns;
	tl_u64 operations, fail_at;
	enum tl_status fail_status;
	tl_u64 violations;
	const char *violation;
	bool *script_done;
	tl_u16 registers[16]; /* indices of rax … r15 in the order of their encodings */
	tl_u16 rax, rdi, rsi, rdx, flags;
	/* Data accesses of the instruction that is being executed. */
	struct tl_scripted_access accesses[TL_SCRIPTED_ACCESSES_MAX];
	tl_size access_count;
	struct tl_scripted_space *executing;
};

/* By id, or by an address in it; NULL when there is none. */
struct tl_scripted_process_state *tl_scripted_find_process(const struct tl_scripted *scripted, tl_u64 id);
struct tl_scripted_thread_state *tl_scripted_find_thread(const struct tl_scripted *scripted, struct tl_thread_id id);
struct tl_scripted_region *tl_scripted_find_region(const struct tl_scripted_space *space, tl_u64 address);

/* All bytes or none; `permissions` that every byte must have. */
enum tl_status tl_scripted_move_memory(const struct tl_scripted_space *space, tl_u64 address, void *to,
				       const void *from, tl_size size, tl_u32 permissions);

/* As many bytes from the start as are there without a gap; returns how many. To and from may be NULL: only counted. */
tl_size tl_scripted_move_some(const struct tl_scripted_space *space, tl_u64 address, tl_u8 *to, const tl_u8 *from,
			      tl_size size, tl_u32 permissions);

/* A process with its image loaded, or with `space`; one thread, not known to the engine. NULL: out of memory. */
struct tl_scripted_thread_state *tl_scripted_new_process(struct tl_scripted *scripted, struct tl_scripted_space *space);
struct tl_scripted_thread_state *tl_scripted_new_thread(struct tl_scripted *scripted,
							struct tl_scripted_process_state *process);
struct tl_scripted_space *tl_scripted_load(struct tl_scripted *scripted);
struct tl_scripted_space *tl_scripted_copy_space(struct tl_scripted *scripted, const struct tl_scripted_space *space);
/* One more region, of zeroes; false: out of memory. */
bool tl_scripted_add_region(struct tl_scripted *scripted, struct tl_scripted_space *space, tl_u64 start, tl_u64 size,
			    tl_u32 permissions, const char *name);
/* Gives all of it back, whoever uses it. */
void tl_scripted_free_space(struct tl_scripted *scripted, struct tl_scripted_space *space);
void tl_scripted_drop_space(struct tl_scripted *scripted, struct tl_scripted_space *space);
void tl_scripted_drop_thread(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread);
/* The process is over: its threads and memory go, its record stays. */
void tl_scripted_end_process(struct tl_scripted *scripted, struct tl_scripted_process_state *process, tl_i32 code,
			     tl_i32 signal);
void tl_scripted_start_registers(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread, tl_u64 entry);
struct tl_thread_id tl_scripted_id(const struct tl_scripted_thread_state *thread);
void tl_scripted_violation(struct tl_scripted *scripted, const char *text);

/* The operations of a machine that lacks what its options say. */
struct tl_target_ops tl_scripted_operations_of(const struct tl_scripted_options *options);

/* Operations, and whether such a number is a bystander's. */
bool tl_scripted_next_bystander(struct tl_target *target, struct tl_thread_id after, struct tl_thread_id *next_ret);
enum tl_status tl_scripted_fetch_bystander(struct tl_target *target, struct tl_thread_id id, tl_u8 *file,
					   const tl_i16 **known_ret);
bool tl_scripted_is_bystander(const struct tl_scripted *scripted, struct tl_thread_id id);

/* Tells the engine: of the children that an event brings, then of the event. Control thread. */
void tl_scripted_tell(struct tl_scripted *scripted, const struct tl_event *event);
/* hooks->stir, if there is one. */
void tl_scripted_stir(struct tl_scripted *scripted, tl_u64 number);

/*
 * Executes the instruction at the thread's program counter, of which `bytes` holds `size` bytes or more, on its
 * registers and memory. TL_ERROR_MEMORY for a fault, TL_ERROR_INSTRUCTION for what is not known; nothing has changed
 * then.
 */
enum tl_status tl_scripted_execute(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread,
				   const tl_u8 *bytes, tl_size size, const struct tl_memory_access *memory);

#endif

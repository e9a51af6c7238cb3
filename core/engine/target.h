/*
 * What can be debugged.
 *
 * A target is a struct that embeds a struct tl_target as its first member, and a constant struct of operations over it.
 * The engine calls the operations; the target posts events to the engine (tl_engine_post). All of it happens on the
 * control thread; a target with threads of its own (vCPUs, an emulator) brings what they see to the control thread
 * first.
 *
 * The operations are a ladder. Climb as far as the machine allows and leave the rest NULL; a NULL operation is one that
 * the target cannot do, and the engine, which asks tl_target_capabilities() and nothing else, tells clients so. Each
 * rung switches on scenarios of tests/conformance, named here by their `needs`, and a column of the README's matrix.
 *
 *   rung  with these                                        you can                          scenarios
 *   1     describe, fetch_registers, store_registers,       attach and look                  look
 *         read_memory, write_memory
 *   2     resume, stop                                      run, stop, take signals          run
 *   3     TL_CAN_PLANT, or insert_point and remove_point    breakpoints, conditions          breakpoints
 *   4     insert_point and remove_point for hardware kinds  hardware points, watchpoints     hardware
 *   5     TL_CAN_RUN_SOME, TL_CAN_STEP                      threads one by one, steps        threads, step
 *   6     detach, kill, launch, attach                      begin and end processes          lifetime
 *   7     read_object, write_object, memory_region, …       auxv, siginfo, memory map        objects
 *   8     TL_CAN_REVERSE                                    go back                          reverse
 *
 * Errors: an operation returns a status and changes nothing when it fails. A thread that vanished under an operation is
 * TL_ERROR_GONE, an ordinary result: its exit event is on the way.
 */
#ifndef TL_CORE_ENGINE_TARGET_H
#define TL_CORE_ENGINE_TARGET_H

#include "core/cpu/cpu.h"
#include "core/status.h"
#include "core/types.h"

#define TL_TARGET_VERSION 1

/* A process and a thread of it. Numbers above 0 name one; TL_ANY stands for all of them where a filter is asked for. */
struct tl_thread_id {
	tl_u64 process;
	tl_u64 thread;
};

#define TL_ANY TL_U64_MAX

/*
 * Events. Each comes from the target about one thread, which stands still from then on until it is resumed, except
 * where said. X(name, class): LEVEL would happen again if the thread ran on; EDGE happened once; QUIET is for the
 * engine alone.
 */
#define TL_EVENT_TABLE(X)                                                                                              \
	X(TL_EVENT_NONE, QUIET)                                                                                        \
	/* What stop() asked for is done, or the thread stopped for no reason that concerns a client; or it cannot go  \
	   on until something has changed, `code` being the status that says why: the client is told. */               \
	X(TL_EVENT_PAUSED, QUIET)                                                                                      \
	/* A trap instruction ran; `address` is where it stands, the program counter as the machine left it. */        \
	X(TL_EVENT_TRAP, LEVEL)                                                                                        \
	/* A hardware breakpoint at the program counter, its instruction not yet executed. */                          \
	X(TL_EVENT_HARDWARE_BREAKPOINT, LEVEL)                                                                         \
	/* A data access is done; hits[] says where. `stepped` besides, when a step ended with it. */                  \
	X(TL_EVENT_WATCHPOINT, EDGE)                                                                                   \
	/* The one instruction that was asked for is done. */                                                          \
	X(TL_EVENT_STEPPED, EDGE)                                                                                      \
	/* A signal (or exception) is about to be delivered; `signal`, and `fault` if the instruction raised it. */    \
	X(TL_EVENT_SIGNAL, EDGE)                                                                                       \
	/* About to enter, or just back from, system call `number`. */                                                 \
	X(TL_EVENT_SYSCALL_ENTRY, EDGE)                                                                                \
	X(TL_EVENT_SYSCALL_RETURN, EDGE)                                                                               \
	/* `child` is a new process, traced and standing still; a vfork's shares the parent's memory. */               \
	X(TL_EVENT_FORK, EDGE)                                                                                         \
	X(TL_EVENT_VFORK, EDGE)                                                                                        \
	X(TL_EVENT_VFORK_DONE, EDGE)                                                                                   \
	/* The process runs another program; every other thread of it is gone (no exit events come for them). */       \
	X(TL_EVENT_EXEC, EDGE)                                                                                         \
	/* `thread` is new, traced and standing still before its first instruction. */                                 \
	X(TL_EVENT_THREAD_CREATED, EDGE)                                                                               \
	/* In place of THREAD_CREATED where a run request said `clones`: `child` is new, known, and stands still too.  \
	 */                                                                                                            \
	X(TL_EVENT_CLONE, EDGE)                                                                                        \
	/* `thread` is gone; `code` is its exit status, or signal != 0 killed it. Nothing stands still. */             \
	X(TL_EVENT_THREAD_EXITED, EDGE)                                                                                \
	/* The last thread is gone and so is the process: exit status `code`, or killed by `signal`. */                \
	X(TL_EVENT_PROCESS_EXITED, EDGE)                                                                               \
	X(TL_EVENT_PROCESS_KILLED, EDGE)                                                                               \
	/* Recorded history ends here: `code` is 0 at its end, anything else at its beginning. */                      \
	X(TL_EVENT_HISTORY_END, EDGE)

enum tl_event_kind {
#define X(name, class) name,
	TL_EVENT_TABLE(X)
#undef X
		TL_EVENT_MAX
};

enum tl_event_class { TL_EVENT_CLASS_QUIET, TL_EVENT_CLASS_LEVEL, TL_EVENT_CLASS_EDGE };

#define TL_HITS_MAX 4

struct tl_hit {
	tl_u64 address; /* of the bytes that the hardware watches, or that were accessed */
	tl_u64 size;
	tl_u8 access; /* enum tl_access: what the hardware was set to tell, or TL_ACCESS_* when the target knows better
		       */
};

struct tl_event {
	enum tl_event_kind kind;
	struct tl_thread_id thread;
	tl_u64 address;
	struct tl_hit hits[TL_HITS_MAX];
	tl_u8 hit_count;
	bool stepped;
	bool fault;
	bool arrived;  /* SIGNAL: TL_OBJECT_TEXT_ADDRESS is known now; with signal 0 nobody asked for a stop there */
	bool exact;    /* WATCHPOINT: hits[].access is what happened, no need to decode the instruction */
	tl_i32 signal; /* Linux numbers on every target */
	tl_i32 code;
	tl_u64 number;
	struct tl_thread_id child;
};

enum tl_point_kind {
	TL_POINT_SOFTWARE, /* the order is that of the packets Z0 to Z4 */
	TL_POINT_HARDWARE,
	TL_POINT_WRITE,
	TL_POINT_READ,
	TL_POINT_ACCESS,
	TL_POINT_KIND_MAX
};

enum tl_run { TL_RUN_CONTINUE, TL_RUN_STEP, TL_RUN_CONTINUE_BACK, TL_RUN_STEP_BACK };

struct tl_run_request {
	enum tl_run run;
	tl_i32 signal; /* delivered as the thread starts, with its siginfo if it is the one it stopped with; 0: none */
	bool syscalls; /* report entries and returns of system calls */
	bool clones;   /* a thread that makes another tells of that itself, by TL_EVENT_CLONE, and stands */
	bool awake;    /* a stop of the program's own (job control) does not hold it: no SIGCONT is waited for */
	bool over_hardware; /* do not stop at a hardware breakpoint on the present program counter */
};

/* What a process is made of. Filled in by describe(), asked again after each exec. */
struct tl_process_facts {
	const struct tl_cpu *cpu;
	tl_u32 features;
	const char *os_abi; /* as gdb names it: "GNU/Linux", "none"; NULL: nothing is said */
};

enum tl_capability {
	TL_CAN_LOOK = 1 << 0,
	TL_CAN_RUN = 1 << 1,
	TL_CAN_PLANT = 1 << 2, /* software breakpoints are trap instructions that the engine plants with write_memory */
	TL_CAN_SOFTWARE = 1 << 3, /* software breakpoints, planted or by insert_point */
	TL_CAN_HARDWARE = 1 << 4,
	TL_CAN_WATCH = 1 << 5,
	TL_CAN_STEP = 1 << 6,     /* the machine steps; without it the engine puts points on every successor */
	TL_CAN_RUN_SOME = 1 << 7, /* some threads may run while others stand */
	/* The ways over a point, cheapest first: resume() itself passes one under the program counter; … */
	TL_CAN_PASS_POINTS = 1 << 8,
	TL_CAN_CARRY_OUT = 1 << 9,    /* the engine may carry out the covered instruction on registers and memory */
	TL_CAN_OUT_OF_LINE = 1 << 10, /* a copy may run elsewhere, in memory from allocate() */
	TL_CAN_REVERSE = 1 << 11,
	TL_CAN_LAUNCH = 1 << 12,
	TL_CAN_ATTACH = 1 << 13,
	TL_CAN_KILL = 1 << 14,
	TL_CAN_DETACH = 1 << 15,
	TL_CAN_OBJECTS = 1 << 16,
	TL_CAN_ALLOCATE = 1 << 17,
	TL_CAN_ACCESS_RUNNING = 1 << 18, /* memory may be read and written while threads run */
	TL_CAN_MULTI_PROCESS = 1 << 19,
	TL_CAN_FORK = 1 << 20,           /* processes fork, vfork and exec, and events tell of it */
	TL_CAN_CATCH_SYSCALLS = 1 << 21, /* the `syscalls` of a run request */
	TL_CAN_CATCH_CLONES = 1 << 22,   /* the `clones` of a run request */
	/* A machine: whoever detaches from it leaves it to itself (tl_engine_unattend), for the next who comes. */
	TL_CAN_STAY = 1 << 23
};

/* Objects that read_object and write_object move. */
enum tl_object {
	TL_OBJECT_AUXV,       /* the auxiliary vector, as the kernel has it */
	TL_OBJECT_SIGINFO,    /* of the thread's last signal stop, in the process's own layout */
	TL_OBJECT_EXEC_FILE,  /* absolute path of the program, no final zero */
	TL_OBJECT_MEMORY_MAP, /* GDB's memory-map XML */
	TL_OBJECT_THREAD_NAME,
	TL_OBJECT_THREAD_CORE,    /* the processor that the thread last ran on, in decimal */
	TL_OBJECT_THREAD_POINTER, /* where its thread-local storage hangs: 8 bytes, little-endian. Thread stopped */
	TL_OBJECT_COMMAND_LINE,   /* the words that the program was started with, each ended by a zero byte */
	/*
	 * The address of the first byte of the program's text, where the target alone knows it (a kernel that chooses
	 * it by itself): 8 bytes, little-endian; and where it is known, 8 more with the address to which it was linked.
	 * TL_ERROR_STATE: it is not there yet.
	 */
	TL_OBJECT_TEXT_ADDRESS,
	TL_OBJECT_MAX
};

struct tl_memory_region {
	tl_u64 start;
	tl_u64 size; /* 0 with start 0: up to the top of the address space */
	bool mapped;
	bool readable, writable, executable;
	char name[256]; /* file or "[stack]", "" for none */
	/* What else a dump wants to know; where regions() is not there, nothing of it is known, and all of it 0. */
	tl_u64 offset; /* of `start` in the file */
	bool file;     /* a file is behind it */
	bool shared;   /* others see what is written, and the file gets it */
	bool own;      /* private, and has pages of its own: the file, or zeroes, are not what is in it */
	bool left_out; /* the program asked that it be kept out of dumps, or a device is behind it */
};

#define TL_PERMISSION_READ 1
#define TL_PERMISSION_WRITE 2
#define TL_PERMISSION_EXECUTE 4

/* How to start a program. All pointers belong to the caller and are read during the call only. */
struct tl_launch {
	const char *const *arguments;       /* NULL-terminated; arguments[0] is the program */
	const char *const *environment;     /* NULL-terminated NAME=VALUE; NULL: the server's own */
	const char *directory;              /* NULL: the server's own */
	const char *const *wrapper;         /* NULL-terminated words put before the program; NULL: none */
	bool with_shell;                    /* through $SHELL or /bin/sh -c exec …, so that arguments are expanded */
	bool keep_randomization;            /* leave address randomisation on */
	const char *terminal;               /* path of a terminal for the program; NULL: the server's streams */
	const char *input, *output, *error; /* files to redirect to; NULL: as above */
	tl_i32 *shell_status_ret;           /* of a shell or wrapper that ended before the program ran; may be NULL */
};

struct tl_target;
struct tl_agent_code;
struct tl_engine;

struct tl_target_ops {
	tl_u32 version;      /* TL_TARGET_VERSION */
	const char *name;    /* "process" */
	tl_u32 capabilities; /* those of enum tl_capability that no operation implies: PLANT, STEP, RUN_SOME, … */

	/* Rung 1. `file` is a whole register file; the bank's registers in it are filled or stored. Thread stopped. */
	enum tl_status (*describe)(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);
	enum tl_status (*fetch_registers)(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					  tl_u8 *file);
	enum tl_status (*store_registers)(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					  const tl_u8 *file);
	/*
	 * The program counter alone, where that is cheaper than a bank; may be NULL. Thread stopped.
	 */
	enum tl_status (*fetch_program_counter)(struct tl_target *target, struct tl_thread_id thread,
						tl_u64 *value_ret);
	/*
	 * Raw memory, planted traps and all. *done_ret is how many bytes were transferred from the start; TL_OK if any
	 * were, TL_ERROR_MEMORY if none. Writing ignores page protections.
	 */
	enum tl_status (*read_memory)(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				      tl_size size, tl_size *done_ret);
	enum tl_status (*write_memory)(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				       tl_size size, tl_size *done_ret);

	/*
	 * Memory as the program itself may use it, page protections included, for instructions that the engine carries
	 * out: all bytes were moved, or TL_ERROR_MEMORY and none were. May be NULL where there are no protections to
	 * mind: read_memory and write_memory then serve.
	 */
	enum tl_status (*load)(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size);
	enum tl_status (*store)(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				tl_size size);

	/*
	 * Rung 2. resume() starts a stopped thread and returns at once. stop() asks a running one to stop and returns
	 * at once; whatever stops it first, that event is posted, and no PAUSED follows for the request.
	 */
	enum tl_status (*resume)(struct tl_target *target, struct tl_thread_id thread,
				 const struct tl_run_request *request);
	enum tl_status (*stop)(struct tl_target *target, struct tl_thread_id thread);

	/*
	 * Rungs 3 and 4. Never called for software points of a target that has TL_CAN_PLANT. Threads may be running:
	 * the target sees to it that the point is in force in all of them, now or before they next run program code,
	 * and keeps it so for threads that come later. `size` is the packet's kind field for breakpoints.
	 */
	enum tl_status (*insert_point)(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
				       tl_u64 address, tl_u64 size);
	enum tl_status (*remove_point)(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
				       tl_u64 address, tl_u64 size);
	/*
	 * For targets that can decide beside the program whether a point stops it; may be NULL. Called before a point
	 * with conditions is inserted, and when those of one that is there change (`count` 0: it stops always). The
	 * bytecode is verified and the engine's. Only a promise to stop no less often: what stops is decided again.
	 */
	void (*set_conditions)(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
			       tl_u64 size, const struct tl_agent_code *conditions, tl_size count);
	/* How many hardware points of one word there are; 0 or NULL: not known or not limited. */
	tl_u32 (*hardware_points)(struct tl_target *target, tl_u64 process);

	/*
	 * Rung 6. detach() lets all threads of a stopped process run free, `signal` delivered to `thread` (thread 0:
	 * none); the engine has taken back everything that it wrote. kill() ends it and returns when it is gone; no
	 * event comes. launch() and attach() call tl_engine_add_process and tl_engine_add_thread; launch returns with
	 * the program stopped at its first instruction, attach with every thread asked to stop. `detail_ret` gets a
	 * sentence that says what went wrong, valid until the next call.
	 */
	enum tl_status (*detach)(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal);
	/* Before a detach: the signal to give `thread` as it is let go, with its siginfo where it stopped for it. May
	 * be NULL. */
	enum tl_status (*set_detach_signal)(struct tl_target *target, struct tl_thread_id thread, tl_i32 signal);
	enum tl_status (*kill)(struct tl_target *target, tl_u64 process);
	enum tl_status (*launch)(struct tl_target *target, const struct tl_launch *launch, tl_u64 *process_ret,
				 const char **detail_ret);
	enum tl_status (*attach)(struct tl_target *target, tl_u64 process, const char **detail_ret);

	/* Rung 7. A read past the end gives *done_ret 0 and TL_OK. */
	enum tl_status (*read_object)(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				      tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret);
	enum tl_status (*write_object)(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				       tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret);
	/* The region that holds `address`, mapped or a gap. */
	enum tl_status (*memory_region)(struct tl_target *target, tl_u64 process, tl_u64 address,
					struct tl_memory_region *region_ret);
	/*
	 * Memory that is read, written and described from here on is as this thread has it; threads of a machine have
	 * page tables of their own. May be NULL: those of a process see the same.
	 */
	void (*look_through)(struct tl_target *target, struct tl_thread_id thread);
	/*
	 * Bystanders: what stands while every thread does and can be looked at like one, but is nobody's to run. A
	 * kernel's threads are its processors; the tasks that are on none of them are such. Asked only in all-stop and
	 * while every thread stands. Their ids are no thread's, and stay as long as they are there, from stop to stop.
	 * May be NULL, both.
	 *
	 * next_bystander() gives the one behind `after` in an order of the target's own, the first for {0, 0}; false at
	 * the end, and where `after` is none. fetch_bystander() fills in what is known of its registers and nothing
	 * else: *known_ret lists their indexes, -1 at the end, and lives as long as the target. With `file` NULL it
	 * tells whether there is such a one. TL_ERROR_NO_THREAD. Of the objects they have TL_OBJECT_THREAD_NAME.
	 */
	bool (*next_bystander)(struct tl_target *target, struct tl_thread_id after, struct tl_thread_id *next_ret);
	enum tl_status (*fetch_bystander)(struct tl_target *target, struct tl_thread_id id, tl_u8 *file,
					  const tl_i16 **known_ret);
	/* What a client is told that would run or change one; NULL: that it cannot. */
	const char *bystander_refusal;
	/*
	 * Calls back for every mapped region by rising address, until `call` returns false; `name` is not cut, as the
	 * region's may be. The process is stopped. May be NULL: memory_region then tells them one by one, and less of
	 * each.
	 */
	enum tl_status (*regions)(struct tl_target *target, tl_u64 process,
				  bool (*call)(void *context, const struct tl_memory_region *region, const char *name),
				  void *context);
	/*
	 * The first pages at or above `address` and below `end`, in a private region without a file, that the process
	 * ever used: [*start_ret, *end_ret). All before them, and where both are the same all that was looked at, is
	 * zeroes; ask again from *end_ret. The process is stopped. May be NULL.
	 */
	enum tl_status (*used_pages)(struct tl_target *target, tl_u64 process, tl_u64 address, tl_u64 end,
				     tl_u64 *start_ret, tl_u64 *end_ret);
	/*
	 * Memory of the target's own, near `near` if that is not 0, with TL_PERMISSION_* bits. `thread` is stopped and
	 * may be made to run a system call, unseen. release() gives it back.
	 */
	enum tl_status (*allocate)(struct tl_target *target, struct tl_thread_id thread, tl_u64 near, tl_u64 size,
				   tl_u32 permissions, tl_u64 *address_ret);
	enum tl_status (*release)(struct tl_target *target, struct tl_thread_id thread, tl_u64 address, tl_u64 size);

	/* Executes a monitor command of the target's own; TL_ERROR_UNSUPPORTED when it knows none of that name. */
	enum tl_status (*monitor)(struct tl_target *target, const char *command, struct tl_writer *output);
};

struct tl_target {
	const struct tl_target_ops *ops;
	struct tl_engine *engine; /* set by tl_engine_init */
};

/* What the target can do, from its operations and its own word. */
tl_u32 tl_target_capabilities(const struct tl_target *target);

/*
 * What read_object answers for an object of `whole` bytes that is at hand: the part of it from `offset` on, as much as
 * fits; nothing past its end. Always TL_OK.
 */
enum tl_status tl_target_part(const void *object, tl_size whole, tl_u64 offset, void *buffer, tl_size size,
			      tl_size *done_ret);

/* "TL_EVENT_STEPPED" and its class. */
const char *tl_event_name(enum tl_event_kind kind);
enum tl_event_class tl_event_class(enum tl_event_kind kind);

#endif

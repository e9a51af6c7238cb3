/*
 * What the files of the process target share. Not for embedders.
 *
 *   process.c   the table of operations, creation, the registry of processes and threads
 *   calls.c     every system call there is
 *   events.c    what a stop means (pure)
 *   wait.c      collecting wait statuses: fairly in the loop, or with a deadline inside an operation
 *   stops.c     what happens at a stop; births, ends and execs
 *   run.c       setting threads going, stopping, leaving and killing
 *   launch.c    starting a program
 *   attach.c    attaching to one
 *   memory.c    reading and writing memory
 *   x86.c, arm64.c  registers, debug registers and what a trap means: what cpu.h asks of the machine's CPU
 *   inject.c    making a stopped thread run one system call
 *   objects.c   auxv, siginfo, names, memory regions
 */
#ifndef TL_TARGETS_PROCESS_STATE_H
#define TL_TARGETS_PROCESS_STATE_H

#include "base/trace.h"
#include "core/engine/engine.h"
#include "targets/process/calls.h"
#include "targets/process/events.h"
#include "targets/process/process.h"
#if defined(__aarch64__)
#include "targets/process/arm64_state.h"
#else
#include "targets/process/x86_state.h"
#endif

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

/*
 * Every change goes through tl_process_set_state().
 *
 *   EARLY ──▶ STOPPED ◀──▶ RUNNING ──▶ ENDED
 *   NEW ─────▶   ▲ ▲
 *                │ └──▶ LISTENING (group-stop)
 */
enum traced_state {
	TRACED_EARLY,     /* stands; the event that says whose child it is has not come */
	TRACED_NEW,       /* known from its parent's event; its own first stop has not come */
	TRACED_STOPPED,   /* stands: ptrace works on it */
	TRACED_RUNNING,   /* may stop at any moment */
	TRACED_LISTENING, /* in a group-stop that job control is to end */
	TRACED_ENDED, /* a leader that ended before its threads, or the last thread of all: its process is still there
		       */
	TRACED_STATE_MAX
};

/* What stop a STOPPED thread is in, as far as it matters for setting it going. */
enum traced_place {
	PLACE_PLAIN,         /* at the edge of user mode */
	PLACE_DELIVERY,      /* a signal is being delivered: PTRACE_CONT can deliver one in its place */
	PLACE_GROUP,         /* in a group-stop: PTRACE_LISTEN keeps it there */
	PLACE_SYSCALL_ENTRY, /* about to run a system call */
	PLACE_SYSCALL,       /* inside one that is over but for its return: fork, exec, a system call's return */
	PLACE_VFORK,         /* will sleep in vfork until the child lets go */
	PLACE_ASLEEP         /* does so, and does not stand for the kernel (sleep.h) */
};

struct traced_process;

struct traced_thread {
	struct traced_thread *bucket_next;
	struct traced_thread *next;     /* of its process, by age */
	struct traced_process *process; /* NULL in EARLY */
	pid_t id;
	enum traced_state state;
	enum traced_place place;
	bool told; /* the engine knows it */
	/*
	 * A process of its own that shares the memory of the one that cloned it, which is no vfork. Its traps are the
	 * same bytes, so that it counts as a thread of that process.
	 */
	bool apart;

	struct tl_run_request request; /* how it was last set going */
	bool stop_asked;               /* the engine waits for it to stop */
	/* Among those that are expected to stop at any moment; NULL when it is not (wait.c). */
	struct traced_thread *expected_next, *expected_previous;

	/* The signal of the last signal stop, as read or as the client wrote it. */
	bool has_signal;
	siginfo_t signal;
	int detach_signal; /* to be given to it as it is let go */
	/* A signal that it was sent because it could not be delivered from where it stood; its stop is not reported. */
	int sent;
	siginfo_t sent_info;

	/* A fork, vfork or clone whose child has not arrived yet. */
	pid_t awaited;
	/*
	 * Its last stop, of this wait status, could not be dealt with, for want of storage as a rule. The engine takes
	 * it for a thread that merely stands; when it is to go on, the stop is dealt with first.
	 */
	bool due;
	int status;
	bool stop_sent; /* it was sent SIGSTOP because it could not be interrupted */
	/* For a child: whose it is, and by what event. */
	pid_t parent;
	enum tl_event_kind born;
	bool first_stop_taken; /* NEW, and yet no other first stop will come */

	bool asleep; /* in vfork; `general` and `kept` are as it went to sleep (sleep.h) */
	tl_u8 *kept; /* its extended state, as the kernel handed it out */
	tl_size kept_size;

	/* Registers as the kernel has them, while it stands. */
	bool general_valid;
	struct user_regs_struct general;

	/* What its debug registers hold, and the generation of the process's plan that this is. */
	tl_u64 debug_generation;
	struct cpu_thread cpu;
};

struct traced_process {
	struct traced_process *next;
	pid_t id;
	bool launched;
	bool told;          /* the engine knows it */
	bool wide;          /* a 64-bit program */
	bool leader_traced; /* its leader's end will be told by waitpid */
	bool leader_untold; /* its leader has ended and the engine does not know yet */
	bool has_end;       /* its leader has ended, with this status, and threads that are apart go on */
	int end_status;
	int memory; /* /proc/PID/mem, -1 when it could not be opened */
	struct traced_thread *threads, **threads_end;
	pid_t last; /* the last thread has ended; its process's end is to be told in its name */
	struct cpu_process cpu;
	tl_u64 generation;   /* of its hardware points */
	tl_u64 call_address; /* of a system call instruction in the vdso; 0: not looked for, 1: none */
};

struct status_entry {
	pid_t id; /* 0: taken back */
	int status;
};

#define STATUSES_PER_TURN 64
#define BUCKETS 1024

struct process_target {
	struct tl_target target;
	struct tl_process_options options;
	const struct tl_process_calls *calls;
	struct tl_loop *loop;
	struct tl_source *child_source; /* SIGCHLD */
	struct tl_source *drain_source; /* more to collect or to handle */
	struct traced_process *processes, **processes_end;
	struct traced_thread *buckets[BUCKETS];
	/* Statuses that were collected and not yet handled: [queue_start, queue_end). */
	struct status_entry *queue;
	tl_size queue_start, queue_end, queue_capacity;
	/* How many new children stand that there was no storage to remember; their parents' events will ask for them.
	 */
	tl_size early_lost;
	/*
	 * A new process that there is no storage for, while the engine is told of it: it is then in no list, but its
	 * memory can be cleaned and it can be let go. NULL: none.
	 */
	struct traced_process *passing;
	bool bereaved; /* some process has ended: new children may come without a parent to tell of them */
	bool collecting;
	bool announced; /* a SIGCHLD has come since the last collecting began, or that one has left some */
	/* Threads that PTRACE_INTERRUPT was sent to, a ring in that order: the first one, or NULL (wait.c). */
	struct traced_thread *expected;
	unsigned misses;            /* in this round: how many expected threads had not stopped yet */
	bool hits;                  /* in this round: some had */
	unsigned narrow_rounds;     /* rounds in a row in which only expected threads were asked for */
	struct cpu_machine machine; /* what this machine's CPU has */
	pid_t foreground;           /* process group that had the terminal before a launch; 0: none */
	char detail[500];           /* launch and attach: what went wrong */
};

static inline struct process_target *process_target(struct tl_target *target)
{
	return TL_CONTAINER(target, struct process_target, target);
}

/* ---- process.c ---- */

struct traced_thread *tl_process_find_thread(const struct process_target *target, pid_t id);
struct traced_process *tl_process_find(const struct process_target *target, tl_u64 id);
/* The thread of that process and that number, if the engine may know it. */
struct traced_thread *tl_process_thread(const struct process_target *target, struct tl_thread_id id);
/* NULL when there is no storage. A thread of no process is EARLY. */
struct traced_thread *tl_process_add_thread(struct process_target *target, struct traced_process *process, pid_t id,
					    enum traced_state state);
struct traced_process *tl_process_add(struct process_target *target, pid_t id, bool launched);
void tl_process_adopt(struct traced_process *process, struct traced_thread *thread);
void tl_process_remove_thread(struct process_target *target, struct traced_thread *thread);
/* A thread that bears another number from now on, as one does that calls exec. */
void tl_process_rename_thread(struct process_target *target, struct traced_thread *thread, pid_t id);
/* With all its threads and what is in the queue of them. */
void tl_process_remove(struct process_target *target, struct traced_process *process);
void tl_process_set_state(struct traced_thread *thread, enum traced_state state);
/* Opens what belongs to the program that the process runs now and finds out what it is: at the start and after exec. */
void tl_process_open(struct process_target *target, struct traced_process *process);
/* How many of its threads the engine knows. */
tl_size tl_process_told(const struct traced_process *process);
bool tl_process_has_apart(const struct traced_process *process);
static inline struct tl_thread_id process_id_of(const struct traced_thread *thread)
{
	return (struct tl_thread_id){(tl_u64)thread->process->id, (tl_u64)thread->id};
}
/* errno as a status: ESRCH is TL_ERROR_GONE. */
enum tl_status tl_process_errno(void);
static inline long process_ptrace(const struct process_target *target, long request, const struct traced_thread *thread,
				  tl_uintptr address, tl_uintptr data)
{
	return tl_process_ptrace(target->calls, request, thread->id, address, data);
}

static inline long process_ptrace_patiently(const struct process_target *target, long request,
					    const struct traced_thread *thread, tl_uintptr address, tl_uintptr data)
{
	return tl_process_ptrace_patiently(target->calls, request, thread->id, address, data);
}

/* ---- wait.c ---- */

void tl_process_wait_signalled(void *context, struct tl_source *source, int signal);
void tl_process_wait_drain(void *context, struct tl_source *source);
/* Milliseconds since some moment. */
tl_u64 tl_process_wait_clock(void);
#define WAIT_LIMIT 10000 /* milliseconds that anything synchronous may take */
/* Waits for the next status of that one child until `deadline`. TL_ERROR_GONE when there is no such child. */
enum tl_status tl_process_wait_for(struct process_target *target, pid_t id, tl_u64 deadline, int *status_ret);
/*
 * Collects a status of any child for whom `wanted` is true until `deadline`; those of others stay queued for the loop.
 * TL_ERROR_GONE when there is no child left at all.
 */
enum tl_status tl_process_wait_for_any(struct process_target *target, bool (*wanted)(void *context, pid_t id),
				       void *context, tl_u64 deadline, struct status_entry *entry_ret);
/*
 * PTRACE_INTERRUPT was sent to that thread: it is asked for by its number before the kernel is asked which thread has
 * stopped. A hint, that any status of the thread takes back.
 */
void tl_process_wait_expect(struct process_target *target, struct traced_thread *thread);
void tl_process_wait_unexpect(struct process_target *target, struct traced_thread *thread);
/* Puts back a status that was taken, for the loop. */
enum tl_status tl_process_wait_requeue(struct process_target *target, pid_t id, int status);
/* Whether a status of that thread is queued. */
bool tl_process_wait_queued(const struct process_target *target, pid_t id);
/* Drops queued statuses of a thread that is forgotten. */
void tl_process_wait_forget(struct process_target *target, pid_t id);

/* ---- stops.c ---- */

void tl_process_stops_handle(struct process_target *target, pid_t id, int status);
/* There is no child at all, and nothing of any is queued: the processes that are known are gone without a word. */
void tl_process_stops_lost(struct process_target *target);
/* Detaches from every child whose parent's event will never come. */
void tl_process_stops_let_orphans_go(struct process_target *target);
/* The number of what a thread has made that stands in its clone, fork or vfork; 0 when the kernel does not say. */
pid_t tl_process_stops_made(const struct process_target *target, const struct traced_thread *thread);
/* Options for a thread: the leader's end is asked for besides. */
#define STOPS_OPTIONS                                                                                                  \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |                      \
	 PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC)
tl_uintptr tl_process_stops_options(const struct process_target *target, const struct traced_process *process,
				    pid_t id);

/* What waitpid says of a thread that PTRACE_INTERRUPT has stopped, or of a new one. */
#define INTERRUPTED_STATUS (128 << 16 | SIGTRAP << 8 | 0x7f)

/* ---- run.c ---- */

enum tl_status tl_process_run_resume(struct tl_target *target, struct tl_thread_id id,
				     const struct tl_run_request *request);
enum tl_status tl_process_run_stop(struct tl_target *target, struct tl_thread_id id);
/* Asks it to stop: by the kernel's way, or if that fails by a signal that is then not delivered. */
enum tl_status tl_process_run_interrupt(struct process_target *target, struct traced_thread *thread);
/* Goes on as it was going, without a word to the engine, delivering `signal` if it stands at a delivery. */
void tl_process_run_go_on(struct process_target *target, struct traced_thread *thread, int signal);
enum tl_status tl_process_run_set_detach_signal(struct tl_target *target, struct tl_thread_id thread, tl_i32 signal);
/* A signal is pending that comes before anything else: goes on to its stop. False when that was not possible. */
bool tl_process_run_to_signal(struct process_target *target, struct traced_thread *thread);
enum tl_status tl_process_run_detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal);
enum tl_status tl_process_run_kill(struct tl_target *target, tl_u64 process);
/* Lets go of a new child that is in no list, from its first stop. */
void tl_process_run_let_child_go(struct process_target *target, pid_t id, tl_u64 deadline);
/* Lets go of a process whose threads may be running. */
void tl_process_run_release(struct process_target *target, struct traced_process *process);
/* Makes running threads take on the process's debug registers. */
void tl_process_run_reprogram(struct process_target *target, struct traced_process *process);

/* ---- launch.c, attach.c ---- */

enum tl_status tl_process_launch_program(struct tl_target *target, const struct tl_launch *launch, tl_u64 *process_ret,
					 const char **detail_ret);
enum tl_status tl_process_attach_process(struct tl_target *target, tl_u64 process, const char **detail_ret);
/* Puts the terminal back into the hands of whoever had it before a launch. */
void tl_process_launch_restore_terminal(struct process_target *target);
/* One "Name:\tvalue" of /proc/PATH/status as a number; -1 when it cannot be read. */
long tl_process_attach_status_field(const struct process_target *target, pid_t id, const char *name);

/* ---- memory.c ---- */

enum tl_status tl_process_memory_read(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				      tl_size size, tl_size *done_ret);
enum tl_status tl_process_memory_write(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				       tl_size size, tl_size *done_ret);

/* As the program itself could: page protections hold. */
enum tl_status tl_process_memory_load(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				      tl_size size);
enum tl_status tl_process_memory_store(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				       tl_size size);

/* ---- inject.c ---- */

enum tl_status tl_process_inject_allocate(struct tl_target *target, struct tl_thread_id thread, tl_u64 near,
					  tl_u64 size, tl_u32 permissions, tl_u64 *address_ret);
enum tl_status tl_process_inject_release(struct tl_target *target, struct tl_thread_id thread, tl_u64 address,
					 tl_u64 size);

/* ---- objects.c ---- */

enum tl_status tl_process_objects_read(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				       tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret);
enum tl_status tl_process_objects_write(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
					tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret);
enum tl_status tl_process_objects_region(struct tl_target *target, tl_u64 process, tl_u64 address,
					 struct tl_memory_region *region_ret);
enum tl_status tl_process_objects_regions(struct tl_target *target, tl_u64 process,
					  bool (*call)(void *context, const struct tl_memory_region *region,
						       const char *name),
					  void *context);
enum tl_status tl_process_objects_used_pages(struct tl_target *target, tl_u64 process, tl_u64 address, tl_u64 end,
					     tl_u64 *start_ret, tl_u64 *end_ret);

#endif

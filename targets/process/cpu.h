/*
 * What the process target asks of the machine's CPU: registers as ptrace has them and as the register file has them,
 * debug registers, what a trap means, and what the numbers in registers say about system calls. The answers are in one
 * file a CPU, of which a build has one: x86.c or arm64.c. What a thread, a process and the target remember for it is in
 * x86_state.h and arm64_state.h.
 *
 * All functions run on the control thread. Those that ask the kernel return TL_ERROR_GONE for a thread that is gone.
 */
#ifndef TL_TARGETS_PROCESS_CPU_H
#define TL_TARGETS_PROCESS_CPU_H

#include "targets/process/state.h"

/* Finds out what the machine's CPU has: target->machine. */
enum tl_status tl_process_cpu_init(struct process_target *target);
/* Gives back what init took. */
void tl_process_cpu_finish(struct process_target *target);
/* Why programs of this kind cannot be debugged here, a sentence; NULL when they can. */
const char *tl_process_cpu_refusal(const struct traced_process *process);

/* The operations of struct tl_target_ops with these names. */
enum tl_status tl_process_cpu_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);
enum tl_status tl_process_cpu_fetch(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file);
enum tl_status tl_process_cpu_store(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
				    const tl_u8 *file);
enum tl_status tl_process_cpu_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread,
						    tl_u64 *value_ret);
enum tl_status tl_process_cpu_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					   tl_u64 address, tl_u64 size);
enum tl_status tl_process_cpu_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					   tl_u64 address, tl_u64 size);
tl_u32 tl_process_cpu_hardware_points(struct tl_target *target, tl_u64 process);

/* Keeps all registers of a thread that stands in thread->general and thread->kept. */
enum tl_status tl_process_cpu_keep(struct process_target *target, struct traced_thread *thread);

/* Sees to it that thread->general is what the kernel has; the thread stands. */
enum tl_status tl_process_cpu_general(const struct process_target *target, struct traced_thread *thread);
/* Writes thread->general, as it is, to the kernel. */
enum tl_status tl_process_cpu_write_general(const struct process_target *target, struct traced_thread *thread);

/* Gives the thread, which stands, its process's debug registers. */
enum tl_status tl_process_cpu_program_debug(const struct process_target *target, struct traced_thread *thread);
/* Leaves none armed. */
enum tl_status tl_process_cpu_disarm(const struct process_target *target, struct traced_thread *thread);
/* The kernel has cleared the thread's debug registers, as it does at an exec. */
void tl_process_cpu_debug_cleared(struct traced_thread *thread);

/*
 * Before a thread that stands, and has its debug registers, is let run: what it takes that a hardware breakpoint under
 * its program counter is passed (`over`) or hit, and that a step (`run`) is one of the program's own.
 */
enum tl_status tl_process_cpu_prepare(struct process_target *target, struct traced_thread *thread, enum tl_run run,
				      bool over);
/* The same before it goes on as it was going when it stopped for something that concerns nobody. */
enum tl_status tl_process_cpu_prepare_again(struct process_target *target, struct traced_thread *thread);
/* The ptrace request that does what `wanted` is meant to do, after prepare(). */
long tl_process_cpu_request(const struct traced_thread *thread, long wanted);
/*
 * The thread has stopped, for whatever reason, and its state is STOPPED. What prepare() has set up for the way is over.
 */
void tl_process_cpu_stopped(struct traced_thread *thread);

/*
 * That stop came in between: the thread is led on to the one that tells how the instruction before it went.
 */
void tl_process_cpu_not_yet(struct traced_thread *thread);
/* Whether a pending signal is a SIGTRAP that tells how an instruction went, rather than the program's own. */
bool tl_process_cpu_is_trap(const siginfo_t *info);

/*
 * What a signal stop means; `info` is its siginfo, and thread->general is valid. Fills in all of the event but its
 * thread. TL_EVENT_NONE: nothing that concerns anybody yet, and the thread is to go on as prepare() has set it up anew.
 */
enum tl_status tl_process_cpu_classify(struct process_target *target, struct traced_thread *thread,
				       const siginfo_t *info, struct tl_event *event_ret);

/* Where the thread's local storage hangs: what the ABI's thread register holds. The thread stands. */
enum tl_status tl_process_cpu_thread_pointer(const struct process_target *target, struct traced_thread *thread,
					     tl_u64 *value_ret);

/* The number of the system call that the thread is in; its general registers are at hand. */
tl_u64 tl_process_cpu_call_number(const struct process_target *target, const struct traced_thread *thread);
/* Whether a thread that is about to end does so by exit(2), which ends nobody else. */
bool tl_process_cpu_ends_alone(const struct process_target *target, struct traced_thread *thread);

/* System calls that the debugger makes a thread run. */
enum process_call { PROCESS_CALL_MAP, PROCESS_CALL_UNMAP };

/* The longest system call instruction of any CPU, in bytes. */
#define CALL_INSTRUCTION_MAX 4

/* What the kernel has to be told of a call, and where it is made. */
struct process_call_frame {
	tl_u64 address; /* of the system call instruction */
	enum process_call call;
	tl_u64 arguments[6];
};

/* The bytes of the system call instruction of that program's kind; *size_ret is how many. */
const tl_u8 *tl_process_cpu_call_instruction(const struct traced_process *process, tl_size *size_ret);
/* Changes thread->general, which is valid, to what it is in front of the call. */
void tl_process_cpu_set_call(struct traced_thread *thread, const struct process_call_frame *frame);
/* What the call gave back, from thread->general: errors are -4095 to -1. */
tl_u64 tl_process_cpu_call_result(const struct traced_thread *thread);

#endif

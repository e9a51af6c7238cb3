/*
 * Everything that the process target knows of x86: registers as ptrace has them and as the register file has them,
 * debug registers, and what the numbers in registers say about system calls. 64-bit programs and 32-bit ones under a
 * 64-bit kernel; this program itself is always a 64-bit one.
 */
#ifndef TL_TARGETS_PROCESS_X86_H
#define TL_TARGETS_PROCESS_X86_H

#include "targets/process/state.h"

/* Finds out what the machine's CPU has. Sets features, xstate_size and xstate. */
enum tl_status tl_process_x86_init(struct process_target *target);

enum tl_status tl_process_x86_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);
enum tl_status tl_process_x86_fetch(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file);
enum tl_status tl_process_x86_store(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
				    const tl_u8 *file);
enum tl_status tl_process_x86_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread,
						    tl_u64 *value_ret);

/* Keeps all registers of a thread that stands in thread->general and thread->kept. */
enum tl_status tl_process_x86_keep(struct process_target *target, struct traced_thread *thread);

/* Sees to it that thread->general is what the kernel has; the thread stands. */
enum tl_status tl_process_x86_general(const struct process_target *target, struct traced_thread *thread);
/* Writes thread->general, as it is, to the kernel. */
enum tl_status tl_process_x86_write_general(const struct process_target *target, struct traced_thread *thread);

enum tl_status tl_process_x86_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					   tl_u64 address, tl_u64 size);
enum tl_status tl_process_x86_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					   tl_u64 address, tl_u64 size);
tl_u32 tl_process_x86_hardware_points(struct tl_target *target, tl_u64 process);

/* Gives the thread, which stands, its process's debug registers. */
enum tl_status tl_process_x86_program_debug(const struct process_target *target, struct traced_thread *thread);
/* Leaves none armed. */
enum tl_status tl_process_x86_disarm(const struct process_target *target, struct traced_thread *thread);
/* What the thread's own debug registers hold: its process's plan may have changed since. */
void tl_process_x86_thread_plan(const struct traced_thread *thread, struct tl_x86_debug_plan *plan_ret);
/* DR6, which is cleared. */
enum tl_status tl_process_x86_debug_status(const struct process_target *target, const struct traced_thread *thread,
					   tl_u64 *value_ret);
/* Sets or clears RF, where a hardware breakpoint could make a difference of it. */
enum tl_status tl_process_x86_resume_flag(const struct process_target *target, struct traced_thread *thread, bool over);

/* Where the thread's local storage hangs: the base of fs, and of gs in a 32-bit program. The thread stands. */
enum tl_status tl_process_x86_thread_pointer(const struct process_target *target, struct traced_thread *thread,
					     tl_u64 *value_ret);

/* The number of the system call that the thread is in, from thread->general. */
tl_u64 tl_process_x86_call_number(const struct traced_thread *thread);
/* Whether a thread that is about to end does so by exit(2), which ends nobody else. */
bool tl_process_x86_ends_alone(const struct process_target *target, struct traced_thread *thread);

#endif

/*
 * What the files of arm64 share: arm64.c (registers and system calls), arm64_vectors.c (scalable vectors),
 * arm64_points.c (debug registers, traps, and how threads go past them).
 */
#ifndef TL_TARGETS_PROCESS_ARM64_H
#define TL_TARGETS_PROCESS_ARM64_H

#include "targets/process/cpu.h"

/* Moves a register set: `size` bytes at most. *done_ret is how many the kernel moved; may be NULL. */
enum tl_status tl_arm64_get_set(const struct process_target *target, const struct traced_thread *thread, int set,
				void *buffer, tl_size size, tl_size *done_ret);
enum tl_status tl_arm64_put_set(const struct process_target *target, const struct traced_thread *thread, int set,
				const void *buffer, tl_size size);

/* Finds out how many debug registers there are; `thread` stands. */
void tl_arm64_count_debug(struct process_target *target, const struct traced_thread *thread);

/* The vectors' length in bytes of a thread that stands, and of this program itself; 0 where they do not scale. */
tl_u64 tl_arm64_thread_vectors(const struct process_target *target, const struct traced_thread *thread);
tl_u64 tl_arm64_own_vectors(const struct process_target *target);

/*
 * Moves vector registers and status between the kernel and a register file of `cpu`. Of a thread whose vectors are
 * longer than `cpu` says the lower parts are shown and written; of shorter ones the rest is zero, and not written.
 */
enum tl_status tl_arm64_fetch_vectors(struct process_target *target, const struct traced_thread *thread,
				      const struct tl_cpu *cpu, tl_u8 *file);
enum tl_status tl_arm64_store_vectors(struct process_target *target, const struct traced_thread *thread,
				      const struct tl_cpu *cpu, const tl_u8 *file);

#endif

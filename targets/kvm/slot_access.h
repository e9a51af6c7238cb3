/*
 * Watchpoints without debug registers: pages that hold watched bytes are made read-only for the guest, or taken away
 * (tl_kvm_memory_set_access), and each access to them comes out as KVM_EXIT_MMIO. This is what becomes of such an exit:
 * the access is carried out on the memory that the guest does not see at the moment, and written down exactly.
 *
 * One instruction may come out several times: KVM hands over at most 8 bytes at once, splits at page borders, and an
 * instruction that reads and writes (add [x], 1) does both. So an instruction's accesses are collected until it is
 * complete, and only then compared with what is watched.
 *
 * Watched is a stretch of linear addresses, known with the guest-physical address that it had when it was set: an
 * access through another mapping of the same page is an access to it, too.
 *
 * No debug register sees what KVM carries out itself: on a guarded page what registers watch is found here, too.
 *
 * Slow, and said to be: every access to the page by anyone comes out, also beside the watched bytes, and so does every
 * fetch of code and each walk of page tables that lie there. What KVM's emulator does not know (most of AVX, XSAVE)
 * fails with KVM_EXIT_INTERNAL_ERROR: then the page is given back for one step, with the other vCPUs held, and what
 * the instruction is known to do (tl_slot_access_foresee) is compared before and after.
 */
#ifndef TL_TARGETS_KVM_SLOT_ACCESS_H
#define TL_TARGETS_KVM_SLOT_ACCESS_H

#include "core/cpu/x86_system.h"
#include "core/engine/target.h"
#include "targets/kvm/memory.h"

/* An instruction of 64 bytes that reads and writes across a page border. */
#define TL_SLOT_FRAGMENTS_MAX 20

/* One exit's part of an access. */
struct tl_slot_fragment {
	tl_u64 physical;
	tl_u8 size; /* bytes, 1 to 8 */
	bool write;
	tl_u8 value[8]; /* what was read or written */
	tl_u8 old[8];   /* what was there before, of a write */
};

/* What one instruction did; all 0: nothing yet. */
struct tl_slot_log {
	struct tl_slot_fragment fragments[TL_SLOT_FRAGMENTS_MAX];
	tl_u8 count;
	bool overflowed; /* more than fit: the rest was carried out, and is not in the list */
};

/* A stretch that is watched in this way. */
struct tl_slot_watch {
	tl_u64 address;  /* linear, the client's */
	tl_u64 physical; /* of its first byte */
	tl_u64 size;     /* bytes, in one page */
	enum tl_access access;
};

/*
 * Carries out the KVM_EXIT_MMIO in `run` on memory and writes it down. False, and nothing is done, when it is not about
 * memory: a device's. In the vCPU's thread. `read` and `write` may be NULL: memory as it is; they are for whoever keeps
 * traps of his own in it.
 */
bool tl_slot_access_carry_out(struct kvm_run *run, const struct tl_kvm_memory *memory,
			      bool (*read)(void *context, tl_u64 physical, void *buffer, tl_size size),
			      bool (*write)(void *context, tl_u64 physical, const void *buffer, tl_size size),
			      void *context, struct tl_slot_log *log);

/*
 * What of the log hits watched stretches: how many of at most TL_HITS_MAX are in hits_ret, one for each stretch, with
 * the linear address and size of the bytes of it that were accessed, and what was done to them. A stretch watched for
 * writes is hit by writes alone, one watched for reads by reads. Any thread.
 */
tl_u8 tl_slot_access_hits(const struct tl_slot_log *log, const struct tl_slot_watch *watches, tl_size count,
			  struct tl_hit hits_ret[TL_HITS_MAX]);

/* "read 4 bytes at 0x…: 0x…" or "wrote 4 bytes at 0x…: 0x… -> 0x…", a line for each fragment, for people. */
void tl_slot_access_tell(const struct tl_slot_log *log, struct tl_writer *output);

/* A range of linear addresses that an instruction is about to touch. */
struct tl_slot_foreseen {
	tl_u64 address, size;
	enum tl_access access;
};

#define TL_SLOT_FORESEEN_MAX 4

/*
 * What the instruction at the program counter of `file` (banks 0 and 2) will access in memory besides itself, from its
 * code: its operand, the stack, strings. How many there are; 0 for what cannot be foreseen (vector gathers, XSAVE's
 * area beyond its header, calls through gates). Sizes are what the instruction accesses at the most. Any thread.
 */
tl_u8 tl_slot_access_foresee(const tl_u8 *file, const tl_u8 *code, tl_size size,
			     struct tl_slot_foreseen foreseen_ret[TL_SLOT_FORESEEN_MAX]);

#endif

/*
 * The memory of a virtual machine: one mapping of the host, shown to the guest in pieces (KVM's memory slots), any page
 * of which can be made read-only, or taken away, so that the guest's accesses to it come out as KVM_EXIT_MMIO.
 *
 * Memory ends below 3 GiB; what a machine has beyond that goes on from 4 GiB: between stand devices.
 *
 * The bytes may be looked at and changed by any thread at any time, as the guest itself does. What concerns pieces is
 * for the control thread, while all vCPUs are outside the guest: a piece is taken away for a moment before it is there
 * again in another way (KVM does not change one in place).
 */
#ifndef TL_TARGETS_KVM_MEMORY_H
#define TL_TARGETS_KVM_MEMORY_H

#include "targets/kvm/capabilities.h"

#define TL_KVM_PAGE 4096u
#define TL_KVM_MEMORY_GAP 0xc0000000ull   /* where devices begin: the end of the lower part at most */
#define TL_KVM_MEMORY_HIGH 0x100000000ull /* where the upper part begins */
#define TL_KVM_MEMORY_MAX ((tl_u64)1 << 40)
#define TL_KVM_PIECES_MAX 256

/* What the guest may do without our seeing it. */
enum tl_kvm_access {
	TL_KVM_ACCESS_ALL,    /* read, write and execute */
	TL_KVM_ACCESS_READ,   /* writes come out: KVM_EXIT_MMIO with the data, and are not carried out */
	TL_KVM_ACCESS_NOTHING /* reads come out, too, and instructions cannot be fetched there */
};

/* Pages in a row with the same access: a slot of KVM's, unless access is TL_KVM_ACCESS_NOTHING. */
struct tl_kvm_piece {
	tl_u64 start, size; /* guest-physical, in bytes; whole pages */
	enum tl_kvm_access access;
	tl_u32 slot; /* KVM's number of it */
};

/* All 0: none. */
struct tl_kvm_memory {
	const struct tl_kvm_calls *calls;
	int machine;                                   /* KVM's descriptor of it */
	tl_u8 *bytes;                                  /* where all of it is in the host, the lower part first */
	tl_u64 size;                                   /* of both parts */
	bool read_only;                                /* the host can do TL_KVM_ACCESS_READ */
	struct tl_kvm_piece pieces[TL_KVM_PIECES_MAX]; /* in order of addresses; between them is nothing but the gap */
	tl_u32 count, limit;                           /* of pieces */
};

/*
 * Maps `size` bytes, which are 0, and gives them to the machine whose descriptor it is. TL_ERROR_ARGUMENT for a size
 * that is 0, not in whole pages or over TL_KVM_MEMORY_MAX; TL_ERROR_NO_MEMORY, TL_ERROR_SYSTEM.
 */
TL_CHECKED enum tl_status tl_kvm_memory_open(struct tl_kvm_memory *memory_ret, const struct tl_kvm_calls *calls,
					     int machine, const struct tl_kvm_capabilities *capabilities, tl_u64 size,
					     struct tl_error *error);
/* Gives it back to the host; the machine does not run any more. {0} is fine. */
void tl_kvm_memory_close(struct tl_kvm_memory *memory);

/*
 * The bytes at [address, address + size), guest-physical, wherever the guest may get at them by itself or not. NULL
 * when not all of them are memory and in one part. Size is not 0. Any thread.
 */
tl_u8 *tl_kvm_memory_at(const struct tl_kvm_memory *memory, tl_u64 address, tl_u64 size);

/* How the guest may access the page at an address; false when there is no memory. */
bool tl_kvm_memory_access(const struct tl_kvm_memory *memory, tl_u64 address, enum tl_kvm_access *access_ret);

/*
 * Gives all pages from `address` on, `size` bytes of them, this access. TL_ERROR_ARGUMENT when they are not whole pages
 * of memory; TL_ERROR_UNSUPPORTED when the host cannot; TL_ERROR_POINT_FULL when there would be too many pieces;
 * TL_ERROR_SYSTEM when the host refuses: then all is as it was, or, if it refuses that, too, less is watched than was.
 */
TL_CHECKED enum tl_status tl_kvm_memory_set_access(struct tl_kvm_memory *memory, tl_u64 address, tl_u64 size,
						   enum tl_kvm_access access, struct tl_error *error);

#endif

/*
 * The software breakpoints of a virtual machine: int3 in guest memory, one table for all vCPUs.
 *
 * A point is keyed by the guest-physical address of its byte, because that is what the int3 changes: it stands in every
 * address space and at every virtual address that leads there. Its virtual address and the address space through which
 * it was found are kept, so that a hit is a hit only where the client meant it, and so that the place can be looked up
 * again.
 *
 * What a client reads is the byte below; what it writes there becomes that byte, and the int3 stays. A guest that
 * writes over an int3 (a kernel that unpacks itself, a page that is used for something else) is noticed by
 * tl_kvm_points_look: what it wrote is the byte below then, and the int3 is put back. A point whose address leads
 * nowhere, or not any more, waits in the table until it does.
 *
 * The table does not change while a vCPU looks at it: whoever calls holds the crew's lock.
 */
#ifndef TL_TARGETS_KVM_POINTS_H
#define TL_TARGETS_KVM_POINTS_H

#include "base/conditions.h"
#include "core/allocator.h"
#include "targets/kvm/memory.h"

#define TL_KVM_TRAP 0xcc
/* The physical address of what no page leads to. */
#define TL_KVM_NOWHERE TL_U64_MAX

struct tl_kvm_point {
	tl_u64 address;                   /* linear: the engine's */
	tl_u64 physical;                  /* of its byte; TL_KVM_NOWHERE: it leads nowhere, and nothing is planted */
	tl_u64 space;                     /* the CR3 that led there */
	tl_u8 original;                   /* the byte below, while planted */
	bool planted;                     /* the int3 is in memory, as far as we know */
	bool held;                        /* a debug register waits at its address meanwhile (target_points.c) */
	struct tl_conditions *conditions; /* owned; NULL: it always stops */
};

/* All 0 but `memory`: no points. */
struct tl_kvm_points {
	const struct tl_kvm_memory *memory; /* borrowed */
	struct tl_kvm_point *points;
	tl_size count, capacity;
};

/* Gives all storage back; nothing is taken out of memory. */
void tl_kvm_points_end(struct tl_kvm_points *points);

/*
 * Plants a point, or enters it alone when `physical` is TL_KVM_NOWHERE; one that is there already stays as it is.
 * TL_ERROR_MEMORY when no memory is at `physical`, TL_ERROR_NO_MEMORY.
 */
enum tl_status tl_kvm_points_insert(struct tl_kvm_points *points, tl_u64 address, tl_u64 physical, tl_u64 space);
/* Takes it out again, from memory first: who finds no point finds no int3 of ours either. TL_ERROR_NO_POINT. */
enum tl_status tl_kvm_points_remove(struct tl_kvm_points *points, tl_u64 address);
/* Takes all of them out. */
void tl_kvm_points_clear(struct tl_kvm_points *points);

/* The point at a linear address, or NULL. */
struct tl_kvm_point *tl_kvm_points_find(const struct tl_kvm_points *points, tl_u64 address);
/* Whether an int3 of ours stands at a guest-physical address. */
bool tl_kvm_points_planted(const struct tl_kvm_points *points, tl_u64 physical);

/* The int3 at a guest-physical address is taken away for a step, and put back behind it. */
void tl_kvm_points_lift(struct tl_kvm_points *points, tl_u64 physical);
/* See tl_kvm_points_lift. The byte that stands there then is the one below. */
void tl_kvm_points_lower(struct tl_kvm_points *points, tl_u64 physical);

/*
 * Looks whether each int3 is still there, and puts it back where it is not; a point for which `find` now says another
 * place is moved. `find` is false where one cannot say, and finds TL_KVM_NOWHERE where a page is missing: a point that
 * is still in memory stays there then (other tables may lead to it), one that was written over is out of memory from
 * now on, as its page may be anything. `find` may be NULL. How many had to be mended is returned.
 */
tl_size tl_kvm_points_look(struct tl_kvm_points *points,
			   bool (*find)(void *context, const struct tl_kvm_point *point, tl_u64 *physical_ret),
			   void *context);

/* Guest memory at [physical, physical + size) as the guest has it, without what we planted; false: not all is memory.
 */
bool tl_kvm_points_read(const struct tl_kvm_points *points, tl_u64 physical, void *buffer, tl_size size);
/* Changes guest memory below what we planted; false: not all is memory, and nothing was changed. */
bool tl_kvm_points_write(struct tl_kvm_points *points, tl_u64 physical, const void *buffer, tl_size size);

#endif

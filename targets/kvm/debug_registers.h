/*
 * The hardware points of the whole machine, and the one place where a vCPU's debug state is put together from them.
 *
 * There is one table for all vCPUs. tl_kvm_debug_program is the only function that fills in a struct kvm_guest_debug:
 * debug registers, the step flag and the interception of int3 always go together, so that none of them can switch off
 * another on its way (KVM_SET_GUEST_DEBUG replaces all of it, Linux Documentation/virt/kvm/api.rst, 4.87).
 */
#ifndef TL_TARGETS_KVM_DEBUG_REGISTERS_H
#define TL_TARGETS_KVM_DEBUG_REGISTERS_H

#include "core/engine/x86_points.h"

#include <linux/kvm.h>

/* What a vCPU needs of KVM's debugging for its next stretch of guest code. */
struct tl_kvm_debug_wish {
	struct tl_x86_debug_plan plan; /* of the machine's table; empty: no hardware points */
	bool traps;                    /* a software point exists: #BP comes to us */
	bool step;                     /* one instruction */
	bool block_interrupts;         /* meanwhile; only where the host has KVM_GUESTDBG_BLOCKIRQ */
	bool catch_debug;              /* #DB comes to us though nothing is armed: a trap of ours is still owed */
};

/*
 * The argument of KVM_SET_GUEST_DEBUG for that wish. All zeroes when there is nothing to do: without a debugger the
 * guest has its own debug registers, and its exceptions do not come by here. Any thread.
 */
void tl_kvm_debug_program(const struct tl_kvm_debug_wish *wish, struct kvm_guest_debug *debug_ret);

/* Whether two wishes come to the same; a step never does, as each has to be asked for anew. Any thread. */
bool tl_kvm_debug_same(const struct tl_kvm_debug_wish *one, const struct tl_kvm_debug_wish *other);

/* Whether debug registers have points of that kind. */
bool tl_kvm_debug_has(enum tl_point_kind kind);

/*
 * Enters a hardware point of the engine's in the plan, or takes it out. A watchpoint for reads is one for any access,
 * and the engine decides. TL_ERROR_POINT_KIND for software points; else as tl_x86_debug_add and tl_x86_debug_remove.
 */
enum tl_status tl_kvm_debug_add(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size);
enum tl_status tl_kvm_debug_remove(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address,
				   tl_u64 size);

/* How many breakpoints the plan has at that address: they share a register. */
tl_u16 tl_kvm_debug_breaks_at(const struct tl_x86_debug_plan *plan, tl_u64 address);

#endif

#include "targets/kvm/debug_registers.h"

#define CONTROL_ENABLES ((tl_u64)0xff)

static bool armed(const struct tl_x86_debug_plan *plan)
{
	return (plan->control & CONTROL_ENABLES) != 0;
}

void tl_kvm_debug_program(const struct tl_kvm_debug_wish *wish, struct kvm_guest_debug *debug_ret)
{
	struct kvm_guest_debug debug = {0};

	if (wish->traps)
		debug.control |= KVM_GUESTDBG_USE_SW_BP;
	if (armed(&wish->plan) || wish->catch_debug) {
		debug.control |= KVM_GUESTDBG_USE_HW_BP;
		for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
			debug.arch.debugreg[n] = wish->plan.address[n];
		debug.arch.debugreg[7] = wish->plan.control;
	}
	if (wish->step)
		debug.control |= KVM_GUESTDBG_SINGLESTEP;
	if (wish->step && wish->block_interrupts)
		debug.control |= KVM_GUESTDBG_BLOCKIRQ;
	if (debug.control != 0)
		debug.control |= KVM_GUESTDBG_ENABLE;
	*debug_ret = debug;
}

static bool same_plan(const struct tl_x86_debug_plan *one, const struct tl_x86_debug_plan *other)
{
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++)
		if (one->address[n] != other->address[n])
			return false;
	return one->control == other->control;
}

bool tl_kvm_debug_same(const struct tl_kvm_debug_wish *one, const struct tl_kvm_debug_wish *other)
{
	return !one->step && !other->step && one->traps == other->traps && one->catch_debug == other->catch_debug &&
	       same_plan(&one->plan, &other->plan);
}

bool tl_kvm_debug_has(enum tl_point_kind kind)
{
	enum tl_x86_debug_kind unused;

	return tl_x86_points_kind(kind, &unused);
}

enum tl_status tl_kvm_debug_add(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	return tl_x86_points_add(plan, kind, address, size, true);
}

enum tl_status tl_kvm_debug_remove(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	return tl_x86_points_remove(plan, kind, address, size, true);
}

tl_u16 tl_kvm_debug_breaks_at(const struct tl_x86_debug_plan *plan, tl_u64 address)
{
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		enum tl_x86_debug_kind kind;
		tl_u64 at, size;

		if (tl_x86_debug_piece(plan, n, &kind, &at, &size) && kind == TL_X86_DEBUG_EXECUTE && at == address)
			return plan->users[n];
	}
	return 0;
}

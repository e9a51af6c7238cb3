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

static bool debug_kind(enum tl_point_kind kind, enum tl_x86_debug_kind *kind_ret)
{
	switch (kind) {
	case TL_POINT_HARDWARE:
		*kind_ret = TL_X86_DEBUG_EXECUTE;
		return true;
	case TL_POINT_WRITE:
		*kind_ret = TL_X86_DEBUG_WRITE;
		return true;
	case TL_POINT_READ:
	case TL_POINT_ACCESS:
		*kind_ret = TL_X86_DEBUG_ACCESS;
		return true;
	case TL_POINT_SOFTWARE:
	case TL_POINT_KIND_MAX:
		break;
	}
	return false;
}

bool tl_kvm_debug_has(enum tl_point_kind kind)
{
	enum tl_x86_debug_kind unused;

	return debug_kind(kind, &unused);
}

enum tl_status tl_kvm_debug_add(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	enum tl_x86_debug_kind debug;

	if (!debug_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	return tl_x86_debug_add(plan, debug, address, debug == TL_X86_DEBUG_EXECUTE ? 1 : size, true);
}

enum tl_status tl_kvm_debug_remove(struct tl_x86_debug_plan *plan, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	enum tl_x86_debug_kind debug;

	if (!debug_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	return tl_x86_debug_remove(plan, debug, address, debug == TL_X86_DEBUG_EXECUTE ? 1 : size, true);
}

bool tl_kvm_debug_breaks_at(const struct tl_x86_debug_plan *plan, tl_u64 address)
{
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		enum tl_x86_debug_kind kind;
		tl_u64 at, size;

		if (tl_x86_debug_piece(plan, n, &kind, &at, &size) && kind == TL_X86_DEBUG_EXECUTE && at == address)
			return true;
	}
	return false;
}

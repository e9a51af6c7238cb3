/* Registers of a vCPU as its own thread uses them: asked of KVM once for each stop. */
#include "targets/kvm/vcpu.h"

#define LONG_MODE_ACTIVE (1ull << 10) /* EFER.LMA */
#define HALF 0xffffffffull

static enum tl_status ask(struct tl_kvm_vcpu *vcpu, unsigned long request, void *argument)
{
	const struct tl_kvm_calls *calls = vcpu->crew->vm->calls;

	return calls->ioctl(calls->context, vcpu->cpu->descriptor, request, (unsigned long)argument) < 0
		       ? TL_ERROR_SYSTEM
		       : TL_OK;
}

enum tl_status tl_kvm_vcpu_fetch(struct tl_kvm_vcpu *vcpu)
{
	if (!vcpu->general_valid)
		TL_TRY(ask(vcpu, KVM_GET_REGS, &vcpu->general));
	vcpu->general_valid = true;
	if (!vcpu->system_valid)
		TL_TRY(ask(vcpu, KVM_GET_SREGS, &vcpu->system));
	vcpu->system_valid = true;
	return TL_OK;
}

enum tl_status tl_kvm_vcpu_store(struct tl_kvm_vcpu *vcpu)
{
	return ask(vcpu, KVM_SET_REGS, &vcpu->general);
}

void tl_kvm_vcpu_forget(struct tl_kvm_vcpu *vcpu)
{
	vcpu->general_valid = vcpu->system_valid = false;
}

tl_u64 tl_kvm_vcpu_address(struct tl_kvm_vcpu *vcpu)
{
	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK)
		return 0;
	if ((vcpu->system.efer & LONG_MODE_ACTIVE) != 0 && vcpu->system.cs.l != 0)
		return vcpu->general.rip;
	return (vcpu->general.rip + vcpu->system.cs.base) & HALF;
}

bool tl_kvm_vcpu_translate(struct tl_kvm_vcpu *vcpu, tl_u64 address, tl_u64 *physical_ret)
{
	struct kvm_translation translation = {.linear_address = address};

	if (ask(vcpu, KVM_TRANSLATE, &translation) != TL_OK || translation.valid == 0)
		return false;
	*physical_ret = translation.physical_address;
	return true;
}

tl_size tl_kvm_vcpu_read(struct tl_kvm_vcpu *vcpu, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	while (done < size) {
		tl_u64 at = address + done, left = TL_KVM_PAGE - (at & (TL_KVM_PAGE - 1)), physical;
		tl_size part = size - done < left ? size - done : (tl_size)left;

		if (!tl_kvm_vcpu_translate(vcpu, at, &physical) ||
		    !tl_kvm_points_read(&vcpu->crew->points, physical, (tl_u8 *)buffer + done, part))
			break;
		done += part;
	}
	return done;
}

enum tl_status tl_kvm_vcpu_inject(struct tl_kvm_vcpu *vcpu, tl_u8 vector)
{
	struct kvm_vcpu_events events;

	TL_TRY(ask(vcpu, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = vector;
	events.exception.has_error_code = 0;
	events.exception.error_code = 0;
	events.exception.pending = 0;
	return ask(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

enum tl_status tl_kvm_vcpu_add_causes(struct tl_kvm_vcpu *vcpu, tl_u64 causes)
{
	struct kvm_debugregs registers;

	if (causes == 0)
		return TL_OK;
	TL_TRY(ask(vcpu, KVM_GET_DEBUGREGS, &registers));
	registers.dr6 |= causes;
	return ask(vcpu, KVM_SET_DEBUGREGS, &registers);
}

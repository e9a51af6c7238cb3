#include "targets/kvm/exit.h"

#include <stdio.h>

#define DR6_STEP TL_X86_DR6_STEP

enum tl_kvm_exit tl_kvm_read_exit(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
		return TL_KVM_EXIT_DEVICE;
	case KVM_EXIT_DEBUG:
		return TL_KVM_EXIT_DEBUG;
	case KVM_EXIT_HLT:
		return TL_KVM_EXIT_HALTED;
	case KVM_EXIT_SHUTDOWN:
		return TL_KVM_EXIT_SHUTDOWN;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return TL_KVM_EXIT_REGISTER;
	case KVM_EXIT_SYSTEM_EVENT:
		return TL_KVM_EXIT_SYSTEM;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
	case KVM_EXIT_IOAPIC_EOI:
		return TL_KVM_EXIT_NOTHING;
	default:
		return TL_KVM_EXIT_FAILED;
	}
}

struct tl_kvm_debug_exit tl_kvm_read_debug(tl_u64 dr6, tl_u64 pc, const struct tl_kvm_debug_input *input)
{
	struct tl_kvm_debug_exit exit = {.event = {.kind = TL_EVENT_NONE}};
	tl_u64 causes = dr6 & TL_KVM_DR6_CAUSES;
	bool stepped = (causes & DR6_STEP) != 0, ours = stepped && input->stepping;

	(void)tl_x86_points_hit(input->plan, dr6, pc, &exit.event);
	/* An exception at the step's end is another instruction's: it is met again. */
	if (ours && exit.event.kind == TL_EVENT_HARDWARE_BREAKPOINT)
		exit.event = (struct tl_event){.kind = TL_EVENT_NONE};
	exit.event.stepped = ours;
	if (ours && exit.event.kind == TL_EVENT_NONE)
		exit.event.kind = TL_EVENT_STEPPED;
	exit.swallowed = stepped && !ours && input->step_owed;
	/* While ours are armed the guest's registers are not: a bit of DR0 to DR3 that is not ours means nothing. */
	exit.guest_causes = causes & ~TL_KVM_DR6_HITS;
	if (exit.swallowed || (ours && !input->guest_steps))
		exit.guest_causes &= ~DR6_STEP;
	exit.guest_debug = exit.guest_causes != 0 || causes == 0;
	return exit;
}

static const char *internal_error(tl_u32 suberror)
{
	switch (suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		return "KVM cannot carry out the guest's instruction";
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		return "the guest met two exceptions at once";
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return "an exception or interrupt could not be delivered to the guest";
	default:
		return "KVM's internal error";
	}
}

void tl_kvm_say_failure(const struct kvm_run *run, tl_u32 vcpu, char *text, tl_size size)
{
	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		snprintf(text, size,
			 "vCPU %u met a triple fault: an exception whose handlers could not be reached either.", vcpu);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		snprintf(text, size, "vCPU %u cannot enter the guest: the processor refuses its state (reason 0x%llx).",
			 vcpu, (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		snprintf(text, size, "vCPU %u cannot go on: %s (suberror %u).", vcpu,
			 internal_error(run->internal.suberror), run->internal.suberror);
		break;
	default:
		snprintf(text, size,
			 "vCPU %u cannot go on: KVM came back with exit reason %u, which nothing here asks for.", vcpu,
			 run->exit_reason);
		break;
	}
}

/*
 * From what KVM_RUN came back with to what is to be done about it: pure functions, which touch no vCPU.
 *
 * The debugger's part is struct tl_kvm_debug_exit: what the engine is told, what the guest is given, and what is only
 * to be tried again. DR6 is read in full (Intel SDM volume 3, 18.2.3): one exit may bring several hits, the end of a
 * step, and a trap of the guest's own at once, and none of them is lost.
 */
#ifndef TL_TARGETS_KVM_EXIT_H
#define TL_TARGETS_KVM_EXIT_H

#include "core/engine/x86_points.h"

#include <linux/kvm.h>

/* Who has to do with an exit. */
enum tl_kvm_exit {
	TL_KVM_EXIT_NOTHING,  /* a kick, or what asks for nothing: look at the orders and go on */
	TL_KVM_EXIT_DEVICE,   /* ports and physical memory: the board answers, then KVM_RUN completes the access */
	TL_KVM_EXIT_DEBUG,    /* a trap or a debug exception: tl_kvm_read_debug tells which */
	TL_KVM_EXIT_HALTED,   /* the guest waits for an interrupt, and KVM does not wait with it */
	TL_KVM_EXIT_SHUTDOWN, /* a triple fault */
	TL_KVM_EXIT_REGISTER, /* an MSR that the filter brings out: tl_kaslr_answer has the answer */
	TL_KVM_EXIT_SYSTEM,   /* the guest asked for a reset or for the end (KVM_EXIT_SYSTEM_EVENT) */
	TL_KVM_EXIT_FAILED    /* KVM could not go on: tl_kvm_say_failure says why */
};

/* Of the exit in `run`, which KVM_RUN returned 0 for. Any thread. */
enum tl_kvm_exit tl_kvm_read_exit(const struct kvm_run *run);

/* Bits of DR6 that are always set, and RTM, which is set where no transaction was debugged. */
#define TL_KVM_DR6_FIXED ((tl_u64)0xffff0ff0)
/* The bits that say what happened: B0 to B3, BD, BS, BT. */
#define TL_KVM_DR6_CAUSES ((tl_u64)0xe00f)
#define TL_KVM_DR6_HITS ((tl_u64)0xf)

/* What the vCPU ran with when a debug exit came. */
struct tl_kvm_debug_input {
	const struct tl_x86_debug_plan *plan; /* what its debug registers were programmed from; borrowed */
	bool stepping;                        /* a step of ours was under way */
	bool guest_steps;                     /* the guest had TF set itself before that step */
	bool step_owed; /* a step of ours left TF in a frame of the guest's: its trap is nobody's, and is swallowed */
};

/* What a debug exception means to each side. */
struct tl_kvm_debug_exit {
	/* For the engine; `thread` is not filled in. TL_EVENT_NONE: nothing to tell. */
	struct tl_event event;
	/* For the guest: a #DB is due to it, before anything else runs, with these bits of DR6 (TL_KVM_DR6_CAUSES). */
	bool guest_debug;
	tl_u64 guest_causes;
	/* The trap of an older step of ours, swallowed: nothing is owed any more. */
	bool swallowed;
};

/*
 * What a debug exception (KVM_EXIT_DEBUG, exception 1) is: `dr6` and `pc` as KVM tells them. An access that is done
 * comes before a breakpoint that would be met again, and carries the end of a step with it. Exception 1 without any
 * cause is the guest's own int1.
 */
struct tl_kvm_debug_exit tl_kvm_read_debug(tl_u64 dr6, tl_u64 pc, const struct tl_kvm_debug_input *input);

/* A sentence for people about an exit for which tl_kvm_read_exit says FAILED or SHUTDOWN. */
void tl_kvm_say_failure(const struct kvm_run *run, tl_u32 vcpu, char *text, tl_size size);

#endif

/*
 * The virtual machine as a target: vCPUs are the threads 1, 2, … of process 1.
 *
 * Each vCPU has a thread of the host (crew.h); what it stops for comes to the control thread through a mailbox. All
 * functions here are for the control thread.
 */
#ifndef TL_TARGETS_KVM_TARGET_H
#define TL_TARGETS_KVM_TARGET_H

#include "base/error.h"
#include "base/loop.h"
#include "core/engine/target.h"
#include "targets/kvm/computer.h"

/* What the target needs of whoever made the machine. All but `context` may be NULL. */
struct tl_kvm_target_hooks {
	/*
	 * The machine was reset: what is loaded is put into memory and processors anew. All vCPUs are outside the
	 * guest.
	 */
	enum tl_status (*restart)(void *context, struct tl_error *error);
	/* A line for people, about what happened to the machine. */
	void (*remark)(void *context, const char *line);
	/* The machine is off: `code` 0, or of the failure. */
	void (*off)(void *context, int code);
	void *context;
};

/*
 * A target over a machine that is loaded and stands; it outlives the target. The target lives in `loop`.
 * TL_ERROR_NO_MEMORY, TL_ERROR_SYSTEM.
 */
TL_CHECKED enum tl_status tl_kvm_target_make(struct tl_loop *loop, struct tl_kvm_computer *computer,
					     const struct tl_kvm_target_hooks *hooks, struct tl_target **target_ret,
					     struct tl_error *error);
/* Ends the vCPUs' threads. NULL is fine. The engine goes first. */
void tl_kvm_target_end(struct tl_target *target);

/* Tells the engine that was made over it of the vCPUs, all of which stand. */
TL_CHECKED enum tl_status tl_kvm_target_populate(struct tl_target *target, struct tl_error *error);

#endif

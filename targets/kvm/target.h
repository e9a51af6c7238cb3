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
#include "machine/run_state.h"
#include "targets/kvm/options.h"

/*
 * Builds the machine, loads it, and leaves it where it begins. The target lives in `loop`. Errors say what is wrong
 * with which file or option, or what the host lacks (tl_kvm_computer_open).
 */
TL_CHECKED enum tl_status tl_kvm_target_create(struct tl_loop *loop, const struct tl_kvm_options *options,
					       struct tl_target **target_ret, struct tl_error *error);
/* Ends the machine. NULL is fine. The engine goes first. */
void tl_kvm_target_destroy(struct tl_target *target);

/* Tells the engine that was made over it of the vCPUs, all of which stand. */
TL_CHECKED enum tl_status tl_kvm_target_populate(struct tl_target *target, struct tl_error *error);

/* What it is doing, with its subscribers. */
struct tl_run_states *tl_kvm_target_states(struct tl_target *target);

/* Connects the serial port with a terminal, by its path, instead of what it was connected with. */
TL_CHECKED enum tl_status tl_kvm_target_set_terminal(struct tl_target *target, const char *path,
						     struct tl_error *error);

/* The program that it runs, which has its symbols; absolute. NULL: it runs none. */
const char *tl_kvm_target_program(struct tl_target *target);

#endif

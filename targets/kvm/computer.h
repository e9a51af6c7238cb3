/*
 * The computer that a virtual machine is for its guest: KVM's machine on a PC's board, with time.
 *
 * Made, reset and ended on the control thread. What a vCPU's thread calls says so.
 */
#ifndef TL_TARGETS_KVM_COMPUTER_H
#define TL_TARGETS_KVM_COMPUTER_H

#include "machine/serial_line.h"
#include "targets/kvm/boot.h"
#include "targets/kvm/devices.h"
#include "targets/kvm/vm.h"

/*
 * The serial port and the virtio console, if there is one, are at the same line: what either sends comes out there;
 * what is typed is the console's as soon as the guest has taken it into use, and the serial port's before. Must not be
 * moved.
 */
struct tl_kvm_computer {
	struct tl_kvm_vm vm;
	pthread_mutex_t lock; /* of the board, which one thread at a time uses */
	struct tl_pc_board board;
	struct tl_kvm_devices devices;
	struct tl_serial_line serial;
	struct tl_mailbox *readers; /* the guest read what was typed: there may be room for more */
	bool wants_more;            /* typed bytes wait for such room; under the lock */
	struct tl_kvm_boot boot;
	char *command_line; /* owned */
	struct tl_services services;
	tl_u64 began;      /* the host's monotonic clock, nanoseconds, when the machine's time was 0 */
	tl_u64 stopped_at; /* the machine's time at which it stands; while `stands` */
	bool stands;
};

/*
 * Makes it, with everything loaded and its first processor where that begins. It lives in `loop`. Errors say what is
 * wrong with which file or which option, or what the host lacks.
 */
TL_CHECKED enum tl_status tl_kvm_computer_open(struct tl_kvm_computer *computer_ret, struct tl_loop *loop,
					       const struct tl_kvm_options *options, struct tl_error *error);
/* Ends it: no thread runs a vCPU any more. */
void tl_kvm_computer_close(struct tl_kvm_computer *computer);

/*
 * What a vCPU's thread does with KVM_EXIT_IO and KVM_EXIT_MMIO: carries the access out at the device that it means, or
 * reads ones where there is none. The access is complete only when the vCPU has been entered again (an entry with
 * immediate_exit is enough). Returns what the guest wants to become of the machine.
 *
 * Accesses to memory that the guest may not get at by itself (tl_kvm_memory_set_access) look the same: whoever makes
 * such pieces asks tl_kvm_memory_at first.
 */
enum tl_pc_request tl_kvm_computer_access(struct tl_kvm_computer *computer, struct kvm_run *run);

/*
 * What devices have for the guest enters: what their `wanted` asked for. In the thread of a vCPU that is outside the
 * guest and is to enter it.
 */
void tl_kvm_computer_enter(struct tl_kvm_computer *computer);

/* Nothing of the computer calls anybody any more but the loop; the vCPUs' threads may still run. Before the end. */
void tl_kvm_computer_stop(struct tl_kvm_computer *computer);

/*
 * All of the machine as after power on, with everything loaded again; the rest of memory stays. All vCPUs are outside
 * the guest. TL_ERROR_SYSTEM, and tl_kvm_boot_load's.
 */
TL_CHECKED enum tl_status tl_kvm_computer_reset(struct tl_kvm_computer *computer, struct tl_error *error);

/*
 * Time stands still, and goes on: the guest does not see the stop. For when the last vCPU has left the guest, and
 * before the first enters it again. Saying the same twice is fine.
 */
void tl_kvm_computer_stop_time(struct tl_kvm_computer *computer);
/* See tl_kvm_computer_stop_time. */
void tl_kvm_computer_go_on(struct tl_kvm_computer *computer);

#endif

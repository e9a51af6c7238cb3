/*
 * The computer that a virtual machine is for its guest: KVM's machine on a PC's board, with time.
 *
 * Made, reset and ended on the control thread. What a vCPU's thread calls says so.
 */
#ifndef TL_TARGETS_KVM_COMPUTER_H
#define TL_TARGETS_KVM_COMPUTER_H

#include "machine/pc_board.h"
#include "targets/kvm/vm.h"

#include <pthread.h>

/* What it is made of. */
struct tl_kvm_computer_options {
	struct tl_kvm_vm_options vm;
};

/* Must not be moved. */
struct tl_kvm_computer {
	struct tl_kvm_vm vm;
	pthread_mutex_t lock; /* of the board, which one thread at a time uses */
	struct tl_pc_board board;
	struct tl_services services;
	tl_u64 began;      /* the host's monotonic clock, nanoseconds, when the machine's time was 0 */
	tl_u64 stopped_at; /* the machine's time at which it stands; while `stands` */
	bool stands;
};

/* Makes it, as after power on. Errors are tl_kvm_vm_open's. */
TL_CHECKED enum tl_status tl_kvm_computer_open(struct tl_kvm_computer *computer_ret,
					       const struct tl_kvm_computer_options *options, struct tl_error *error);
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
 * Bytes for the serial port; how many it took: the rest may be tried again when the guest has read some. Any thread.
 */
tl_size tl_kvm_computer_receive(struct tl_kvm_computer *computer, const tl_u8 *bytes, tl_size size);

/* All of the machine as after power on, but memory stays. All vCPUs are outside the guest. TL_ERROR_SYSTEM. */
TL_CHECKED enum tl_status tl_kvm_computer_reset(struct tl_kvm_computer *computer, struct tl_error *error);

/*
 * Time stands still, and goes on: the guest does not see the stop. For when the last vCPU has left the guest, and
 * before the first enters it again. Saying the same twice is fine.
 */
void tl_kvm_computer_stop_time(struct tl_kvm_computer *computer);
/* See tl_kvm_computer_stop_time. */
void tl_kvm_computer_go_on(struct tl_kvm_computer *computer);

#endif

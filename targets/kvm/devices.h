/*
 * What is in the virtio slots of a virtual machine: disks, a console, random bytes, a network card.
 *
 * Devices are added while the machine is made. What one vCPU's thread, or the control thread, does with them happens
 * under the board's lock. Disks and the network have threads of their own behind them; what these have for the guest
 * waits until a vCPU's thread brings it in (tl_kvm_devices_enter): memory of a machine that stands does not change.
 */
#ifndef TL_TARGETS_KVM_DEVICES_H
#define TL_TARGETS_KVM_DEVICES_H

#include "base/loop.h"
#include "machine/pc_board.h"
#include "machine/user_network.h"
#include "machine/virtio_block.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_random.h"
#include "targets/kvm/disk_thread.h"
#include "targets/kvm/options.h"

#include <pthread.h>

/* {0} is none. */
struct tl_kvm_devices {
	struct tl_pc_board *board;
	tl_u32 used; /* slots, from the first on */
	struct tl_disk disks[TL_BOARD_DISKS];
	struct tl_virtio_block blocks[TL_BOARD_DISKS];
	struct tl_disk_thread threads[TL_BOARD_DISKS];
	char *paths[TL_BOARD_DISKS]; /* of the disks; owned, NULL when there was no memory for it */
	tl_u32 disk_count;
	bool stopped;                /* the disks' threads have ended */
	struct tl_mailbox *failures; /* of disks, for people */
	void (*remark)(void *context, const char *line);
	void *remark_context;
	struct tl_virtio_random random;
	struct tl_virtio_console console; /* `virtio` is NULL: none; what it sends is its user's to take */
	struct tl_virtio_net net;
	struct tl_user_network *network; /* NULL: none */
	struct tl_source *turning;       /* of the network, in the loop */
	/*
	 * Its user's to set before the guest runs: something waits for tl_kvm_devices_enter. No lock is held. Any
	 * thread. NULL: nobody is told.
	 */
	void (*wanted)(void *context);
	void *wanted_context;
};

/*
 * Puts the devices of the options into slots: random bytes, then disks, then a network card, then a
 * console. TL_ERROR_ARGUMENT,
 * TL_ERROR_SYSTEM, TL_ERROR_NO_MEMORY; then nothing is left open.
 */
TL_CHECKED enum tl_status tl_kvm_devices_open(struct tl_kvm_devices *devices_ret, struct tl_loop *loop,
					      struct tl_pc_board *board, const struct tl_kvm_options *options,
					      struct tl_error *error);
/* Parts of tl_kvm_devices_open. What disks that fail say is heard; and the next disk, which was made, gets a slot. */
TL_CHECKED enum tl_status tl_kvm_devices_hear_disks(struct tl_kvm_devices *devices, struct tl_loop *loop,
						    struct tl_error *error);
TL_CHECKED enum tl_status tl_kvm_devices_plug_disk(struct tl_kvm_devices *devices, struct tl_virtio *slot,
						   struct tl_error *error);
/*
 * Disks carry out what they were asked to, and then nothing any more; `wanted` is not called from here on. The vCPUs'
 * threads may still run. {0} is fine.
 */
void tl_kvm_devices_stop(struct tl_kvm_devices *devices);
/* Closes disks and network; stops the disks, if they were not. {0} is fine. */
void tl_kvm_devices_close(struct tl_kvm_devices *devices);

/* A bit for each slot that has a device. */
tl_u32 tl_kvm_devices_slots(const struct tl_kvm_devices *devices);

/*
 * Frames that wait may have room now: the guest did something with its card. The board's lock is held. Any thread.
 */
void tl_kvm_devices_offer(struct tl_kvm_devices *devices);
/* Has `wanted` called: something waits that is not the devices' own. No lock is held. */
void tl_kvm_devices_call(struct tl_kvm_devices *devices);
/*
 * What disks have done is finished, and frames that wait get in where there is room. The board's lock is held, in the
 * thread of a vCPU that is outside the guest and is to enter it.
 */
void tl_kvm_devices_enter(struct tl_kvm_devices *devices);

#endif

/*
 * What is in the virtio slots of a virtual machine: disks, a console, random bytes, a network card.
 *
 * Devices are added while the machine is made. What one vCPU's thread, or the control thread, does with them happens
 * under the board's lock.
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
#include "targets/kvm/options.h"

#include <pthread.h>

/* {0} is none. */
struct tl_kvm_devices {
	struct tl_pc_board *board;
	pthread_mutex_t *lock; /* the board's */
	tl_u32 used;           /* slots, from the first on */
	struct tl_disk disks[TL_BOARD_DISKS];
	struct tl_virtio_block blocks[TL_BOARD_DISKS];
	char *paths[TL_BOARD_DISKS]; /* of the disks; owned, NULL when there was no memory for it */
	tl_u32 disk_count;
	struct tl_virtio_random random;
	struct tl_virtio_console console; /* `virtio` is NULL: none; what it sends is its user's to take */
	struct tl_virtio_net net;
	struct tl_user_network *network; /* NULL: none */
	struct tl_source *turning;       /* of the network, in the loop */
};

/*
 * Puts the devices of the options into slots: random bytes, then disks, then a network card, then a
 * console. TL_ERROR_ARGUMENT,
 * TL_ERROR_SYSTEM, TL_ERROR_NO_MEMORY; then nothing is left open.
 */
TL_CHECKED enum tl_status tl_kvm_devices_open(struct tl_kvm_devices *devices_ret, struct tl_loop *loop,
					      struct tl_pc_board *board, pthread_mutex_t *lock,
					      const struct tl_kvm_options *options, struct tl_error *error);
/* Closes disks and network. {0} is fine. */
void tl_kvm_devices_close(struct tl_kvm_devices *devices);

/* A bit for each slot that has a device. */
tl_u32 tl_kvm_devices_slots(const struct tl_kvm_devices *devices);

/*
 * Frames that wait may have room now: the guest did something with its card. The board's lock is held. Any thread.
 */
void tl_kvm_devices_offer(struct tl_kvm_devices *devices);

#endif

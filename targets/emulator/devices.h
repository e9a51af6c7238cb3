/*
 * What is in the virtio slots of an emulated computer: disks, a console, random bytes, a network card.
 *
 * Devices are added while the computer is built, and go into slots in the order in which they are added. Everything but
 * what says otherwise is for the thread in which the computer runs, between two runs of it.
 */
#ifndef TL_TARGETS_EMULATOR_DEVICES_H
#define TL_TARGETS_EMULATOR_DEVICES_H

#include "machine/user_network.h"
#include "machine/virtio_block.h"
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_random.h"
#include "targets/emulator/computer.h"
#include "targets/emulator/history.h"

#define TL_DEVICES_DISKS 4

struct tl_devices {
	struct tl_computer *computer;
	struct tl_virtio slots[TL_BOARD_SLOTS];
	tl_u32 used; /* slots */
	struct tl_disk disks[TL_DEVICES_DISKS];
	struct tl_virtio_block blocks[TL_DEVICES_DISKS];
	char *paths[TL_DEVICES_DISKS]; /* of the disks; owned, NULL when there was no memory for it */
	tl_u32 disk_count;
	/* What is not there has NULL for its slot (`virtio`). */
	struct tl_virtio_random random;
	struct tl_virtio_console console;
	struct tl_virtio_net net;
	struct tl_user_network *network;
	struct tl_history *history; /* borrowed; NULL: none */
	/* What the guest sends to the console goes there: the caller's to set. NULL: it is lost. */
	void (*send)(void *context, const tl_u8 *bytes, tl_u64 size);
	void *send_context;
};

/* No devices: empty slots in the board of an open computer, which is borrowed. Neither may be moved. */
void tl_devices_begin(struct tl_devices *devices_ret, struct tl_computer *computer);
/* Closes disks and network. The computer does not run any more. {0} is fine. */
void tl_devices_end(struct tl_devices *devices);

/*
 * A disk: "FILE", with what the guest writes in memory; "FILE,write" with it in the file; "FILE,readonly". Its serial
 * number is "disk0", "disk1", … TL_ERROR_ARGUMENT when there are no more slots; else see tl_disk_open.
 */
TL_CHECKED enum tl_status tl_devices_add_disk(struct tl_devices *devices, const char *what, struct tl_error *error);

/*
 * Random bytes; with a seed of NULL the host makes one, which is in devices->random.stream.seed then: whoever wants the
 * same run again needs it.
 */
TL_CHECKED enum tl_status tl_devices_add_random(struct tl_devices *devices, const tl_u8 *seed, struct tl_error *error);

/* A console (hvc0 in Linux). */
TL_CHECKED enum tl_status tl_devices_add_console(struct tl_devices *devices, struct tl_error *error);

/*
 * A network card (eth0) in a network in user mode, or with settings of NULL in none: what it sends is lost, as in a run
 * that is repeated. Control thread, which also turns devices->network: see user_network.h.
 */
TL_CHECKED enum tl_status tl_devices_add_network(struct tl_devices *devices,
						 const struct tl_user_network_settings *settings,
						 struct tl_error *error);

/*
 * Makes all of them part of what a history remembers, before the first run. Input then enters through it; what the
 * guest sends while its past is run again goes nowhere, and no frame enters until that is over. What is under way in
 * the network has no past: the other end has seen what it saw. TL_ERROR_UNSUPPORTED for disks that are written through,
 * and tl_history_add_state's.
 */
TL_CHECKED enum tl_status tl_devices_remember(struct tl_devices *devices, struct tl_history *history,
					      struct tl_error *error);

/* Frames that came from the network enter the guest, now. Returns how many. */
tl_u64 tl_devices_enter_frames(struct tl_devices *devices);

/* Bytes for the console enter the guest, now; how many of them. */
tl_size tl_devices_enter_console(struct tl_devices *devices, const tl_u8 *bytes, tl_size size);

#endif

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

#define TL_DEVICES_DISKS 4

struct tl_devices {
	struct tl_computer *computer;
	struct tl_virtio slots[TL_BOARD_SLOTS];
	tl_u32 used; /* slots */
	struct tl_disk disks[TL_DEVICES_DISKS];
	struct tl_virtio_block blocks[TL_DEVICES_DISKS];
	tl_u32 disk_count;
	/* What is not there has NULL for its slot (`virtio`). */
	struct tl_virtio_random random;
	struct tl_virtio_console console; /* `send` and its context are its user's to set */
	struct tl_virtio_net net;
	struct tl_user_network *network;
};

/*
 * All that devices remember, for a snapshot. Beside it there are the disks' overlays, each of which tells of its blocks
 * (struct tl_disk), and what is under way in the network, which has no past.
 */
struct tl_devices_state {
	struct tl_virtio_state slots[TL_BOARD_SLOTS];
	struct tl_random_stream random;
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

/* Copies the state out, and back; interrupt lines are the board's, and are not touched. */
void tl_devices_save(const struct tl_devices *devices, struct tl_devices_state *state_ret);
void tl_devices_restore(struct tl_devices *devices, const struct tl_devices_state *state);

/* Frames that came from the network enter the guest, now. Returns how many. */
tl_u64 tl_devices_enter_frames(struct tl_devices *devices);

/* Bytes for the console enter the guest, now; how many of them. */
tl_size tl_devices_enter_console(struct tl_devices *devices, const tl_u8 *bytes, tl_size size);

#endif

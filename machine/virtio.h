/*
 * A virtio slot: the registers through which a driver finds a device, agrees with it on features and sets up its
 * queues, and what all devices have in common. An empty slot is one without a kind: drivers see that nothing is there.
 *
 * A device carries a request out at the very access that announces it, so that what the guest sees depends on its own
 * instructions alone. Anything else that reaches the guest is handed over by the board, at a moment of its choosing.
 * All of this runs in the thread that runs the guest.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 2 and 4.2: MMIO, version 2.
 */
#ifndef TL_MACHINE_VIRTIO_H
#define TL_MACHINE_VIRTIO_H

#include "machine/bus.h"
#include "machine/services.h"
#include "machine/virtio_queue.h"

#define TL_VIRTIO_SIZE 0x1000
#define TL_VIRTIO_QUEUES_MAX 2

/* Numbers of kinds (5). */
enum tl_virtio_id {
	TL_VIRTIO_ID_NONE = 0,
	TL_VIRTIO_ID_NET = 1,
	TL_VIRTIO_ID_BLOCK = 2,
	TL_VIRTIO_ID_CONSOLE = 3,
	TL_VIRTIO_ID_RANDOM = 4
};

/* What kind of device is in a slot. */
struct tl_virtio_kind {
	const char *name; /* for people */
	enum tl_virtio_id id;
	tl_u32 queues;
	tl_u16 queue_size; /* of each at most: a power of 2 up to TL_VIRTIO_QUEUE_SIZE_MAX */
	/* The driver says that there is something in a queue. The device has started, and the queue exists. */
	void (*notify)(void *device, tl_u32 queue);
	/*
	 * Input, as struct tl_device_operations has it; NULL: takes none. What comes with a change of the device's
	 * state, even if the driver turns out to have made a mistake, is taken.
	 */
	tl_size (*receive)(void *device, const tl_u8 *bytes, tl_size size);
};

/* All that a slot remembers of its driver: to be copied for a snapshot, and back. */
struct tl_virtio_state {
	tl_u32 status, interrupts, generation;
	tl_u32 device_features_select, driver_features_select, queue_select;
	tl_u64 driver_features;
	struct tl_virtio_queue queues[TL_VIRTIO_QUEUES_MAX];
};

/* Who sets it up fills in memory and line, and zeroes the rest; tl_virtio_plug puts a device in. */
struct tl_virtio {
	struct tl_virtio_state state;
	struct tl_guest_memory memory;
	struct tl_line line;               /* held up while there is an interrupt */
	const struct tl_virtio_kind *kind; /* NULL: an empty slot */
	void *device;
	tl_u64 features;
	const tl_u8 *configuration; /* what stands behind the registers */
	tl_u32 configuration_size;
	/*
	 * How often the driver has taken back all buffers that it had handed over: a device that keeps some gives none
	 * back that it took in an earlier era.
	 */
	tl_u64 era;
};

extern const struct tl_device_operations tl_virtio_operations; /* the device is a struct tl_virtio */

/*
 * Puts a device into an empty slot, before the guest runs. All is borrowed. `features` are those of the kind: what
 * slots offer by themselves is added.
 */
void tl_virtio_plug(struct tl_virtio *virtio, const struct tl_virtio_kind *kind, void *device, tl_u64 features,
		    const tl_u8 *configuration, tl_u32 configuration_size);

/* As after power on: what a reset of the board does. */
void tl_virtio_reset(struct tl_virtio *virtio);

/*
 * For devices. Takes the next buffer of a queue; false when there is none, or the driver has not started the device.
 * A broken queue stops the device until the driver resets it (tl_virtio_break).
 */
TL_CHECKED bool tl_virtio_take(struct tl_virtio *virtio, tl_u32 queue, struct tl_virtio_chain *chain_ret);
/*
 * For devices. The same for a buffer that is to take input. Where there is none it leaves no trace in the guest's
 * memory: input that is not taken is not written down, and a run without it must be the same.
 */
TL_CHECKED bool tl_virtio_take_room(struct tl_virtio *virtio, tl_u32 queue, struct tl_virtio_chain *chain_ret);
/* For devices. Gives it back with `length` bytes written. */
void tl_virtio_give(struct tl_virtio *virtio, tl_u32 queue, const struct tl_virtio_chain *chain, tl_u32 length);
/* For devices, after some were given back: interrupts the guest if it wants that. */
void tl_virtio_tell(struct tl_virtio *virtio, tl_u32 queue);
/* For devices. The driver did what no driver may: DEVICE_NEEDS_RESET, and nothing more is taken until then (2.1.2). */
void tl_virtio_break(struct tl_virtio *virtio);
/* For devices. Bytes of the configuration changed: tells the driver. */
void tl_virtio_configuration_changed(struct tl_virtio *virtio);

/* Whether the driver has started the device, and it is not broken. */
bool tl_virtio_started(const struct tl_virtio *virtio);
/* Whether the driver agreed to a feature, by its bit. */
bool tl_virtio_agreed(const struct tl_virtio *virtio, tl_u32 feature);

#endif

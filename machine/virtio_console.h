/*
 * A virtio console with one port.
 *
 * What the guest sends goes to a callback at once. What it is to receive the board hands over at a moment of its
 * choosing; what the guest has no room for the board keeps.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 5.3.
 */
#ifndef TL_MACHINE_VIRTIO_CONSOLE_H
#define TL_MACHINE_VIRTIO_CONSOLE_H

#include "machine/virtio.h"

/* There is no state in it beside the slot's. */
struct tl_virtio_console {
	struct tl_virtio *virtio;
	void (*send)(void *context, const tl_u8 *bytes, tl_u64 size); /* NULL: what is sent is lost */
	void *context;
};

/* Puts a console into a slot, which is borrowed. `send` and `context` are the caller's to set, then or later. */
void tl_virtio_console_plug(struct tl_virtio_console *console_ret, struct tl_virtio *virtio);

/* Bytes for the guest; how many of them it took: all of them when the device breaks over them. */
tl_u64 tl_virtio_console_receive(struct tl_virtio_console *console, const tl_u8 *bytes, tl_u64 size);

#endif

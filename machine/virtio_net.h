/*
 * A virtio network card.
 *
 * What the guest sends goes to a callback at once, a frame of Ethernet at a time. What it receives enters through one
 * function, which the board calls at a moment of its choosing, so that it can be written down and repeated.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, OASIS, 5.1.
 */
#ifndef TL_MACHINE_VIRTIO_NET_H
#define TL_MACHINE_VIRTIO_NET_H

#include "machine/virtio.h"

#define TL_VIRTIO_NET_FRAME_MAX 1518 /* with a VLAN's tag, without checksum */
#define TL_VIRTIO_NET_ADDRESS 6

/* There is no state in it beside the slot's. */
struct tl_virtio_net {
	struct tl_virtio *virtio;
	void (*send)(void *context, const tl_u8 *frame, tl_u64 size); /* NULL: connected to nothing */
	void *context;
	tl_u8 configuration[8]; /* the address, and that there is a link */
	/* For people: frames so far, and those that the guest had no room for, or could not have meant. */
	tl_u64 sent, received, dropped;
};

/* Puts a card into a slot, which is borrowed. `send` and `context` are the caller's to set, then or later. */
void tl_virtio_net_plug(struct tl_virtio_net *net_ret, struct tl_virtio *virtio,
			const tl_u8 address[TL_VIRTIO_NET_ADDRESS]);

/*
 * A frame for the guest. False when it does not fit, or the guest has no room now: then nothing has changed. One over
 * which the device breaks is taken, too.
 */
bool tl_virtio_net_receive(struct tl_virtio_net *net, const tl_u8 *frame, tl_u64 size);

#endif

#include "machine/virtio_net.h"

#define QUEUE_SIZE 256
#define FRAME_MIN 14 /* two addresses and a type */

#define FEATURE_ADDRESS 5
#define FEATURE_STATUS 16
#define BIT(number) ((tl_u64)1 << (number))

#define CONFIGURATION_STATUS 6
#define STATUS_LINK 1

/*
 * What precedes a frame in both directions (5.1.6). As no offload was offered, all of it means nothing but the number
 * of buffers, which is 1 in what is received.
 */
#define HEADER_SIZE 12
#define HEADER_BUFFERS 10

enum { RECEIVE = 0, TRANSMIT = 1 };

static void transmit(struct tl_virtio_net *net, const struct tl_virtio_chain *chain)
{
	tl_u8 frame[TL_VIRTIO_NET_FRAME_MAX];
	tl_u64 size;

	if (chain->readable_size < HEADER_SIZE + FRAME_MIN || chain->readable_size > HEADER_SIZE + sizeof(frame)) {
		net->dropped++;
		return;
	}
	size = chain->readable_size - HEADER_SIZE;
	if (!tl_virtio_chain_read(chain, HEADER_SIZE, frame, size)) {
		tl_virtio_break(net->virtio);
		return;
	}
	net->sent++;
	if (net->send != NULL)
		net->send(net->context, frame, size);
}

static void notify(void *device, tl_u32 queue)
{
	struct tl_virtio_net *net = device;
	struct tl_virtio_chain chain;

	if (queue != TRANSMIT)
		return;
	while (tl_virtio_take(net->virtio, queue, &chain)) {
		transmit(net, &chain);
		tl_virtio_give(net->virtio, queue, &chain, 0);
	}
	tl_virtio_tell(net->virtio, queue);
}

/* False when the buffer that was taken is too small: it is put back. */
static bool deliver(struct tl_virtio_net *net, const struct tl_virtio_chain *chain, const tl_u8 *frame, tl_u64 size)
{
	tl_u8 header[HEADER_SIZE] = {[HEADER_BUFFERS] = 1};

	if (chain->writable_size < HEADER_SIZE + size) {
		tl_virtio_queue_untake(&net->virtio->state.queues[RECEIVE]);
		return false;
	}
	if (!tl_virtio_chain_write(chain, 0, header, HEADER_SIZE) ||
	    !tl_virtio_chain_write(chain, HEADER_SIZE, frame, size)) {
		tl_virtio_break(net->virtio);
		return true;
	}
	tl_virtio_give(net->virtio, RECEIVE, chain, (tl_u32)(HEADER_SIZE + size));
	tl_virtio_tell(net->virtio, RECEIVE);
	net->received++;
	return true;
}

bool tl_virtio_net_receive(struct tl_virtio_net *net, const tl_u8 *frame, tl_u64 size)
{
	bool started = tl_virtio_started(net->virtio), taken = false;
	struct tl_virtio_chain chain;

	if (started && size >= FRAME_MIN && size <= TL_VIRTIO_NET_FRAME_MAX)
		taken = tl_virtio_take_room(net->virtio, RECEIVE, &chain) ? deliver(net, &chain, frame, size)
									  : !tl_virtio_started(net->virtio);
	net->dropped += !taken;
	return taken;
}

/* All of a frame or nothing of it. */
static tl_size receive(void *device, const tl_u8 *bytes, tl_size size)
{
	return tl_virtio_net_receive(device, bytes, size) ? size : 0;
}

static const struct tl_virtio_kind kind = {.name = "net",
					   .id = TL_VIRTIO_ID_NET,
					   .queues = 2,
					   .queue_size = QUEUE_SIZE,
					   .notify = notify,
					   .receive = receive};

void tl_virtio_net_plug(struct tl_virtio_net *net_ret, struct tl_virtio *virtio,
			const tl_u8 address[TL_VIRTIO_NET_ADDRESS])
{
	*net_ret = (struct tl_virtio_net){.virtio = virtio};
	tl_copy(net_ret->configuration, address, TL_VIRTIO_NET_ADDRESS);
	tl_store_little(net_ret->configuration + CONFIGURATION_STATUS, STATUS_LINK, 2);
	tl_virtio_plug(virtio, &kind, net_ret, BIT(FEATURE_ADDRESS) | BIT(FEATURE_STATUS), net_ret->configuration,
		       sizeof(net_ret->configuration));
}

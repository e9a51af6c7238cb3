#include "machine/virtio_console.h"

#define QUEUE_SIZE 64
#define SEND_MAX 0x10000 /* of a buffer; the rest is dropped */

enum { RECEIVE = 0, TRANSMIT = 1 };

static void transmit(const struct tl_virtio_console *console, const struct tl_virtio_chain *chain)
{
	tl_u64 size = chain->readable_size < SEND_MAX ? chain->readable_size : SEND_MAX, part = 0;

	for (tl_u64 done = 0; done < size; done += part) {
		const tl_u8 *bytes = tl_virtio_chain_view(chain, done, size - done, &part);

		if (bytes == NULL) {
			tl_virtio_break(console->virtio);
			return;
		}
		if (console->send != NULL)
			console->send(console->context, bytes, part);
	}
}

/* That there is room to receive is found when there is something to be received. */
static void notify(void *device, tl_u32 queue)
{
	struct tl_virtio_console *console = device;
	struct tl_virtio_chain chain;

	if (queue != TRANSMIT)
		return;
	while (tl_virtio_take(console->virtio, queue, &chain)) {
		transmit(console, &chain);
		tl_virtio_give(console->virtio, queue, &chain, 0);
	}
	tl_virtio_tell(console->virtio, queue);
}

/* False when the driver made a mistake: a buffer without room is one, too. */
static bool fill(struct tl_virtio_console *console, const struct tl_virtio_chain *chain, const tl_u8 *bytes,
		 tl_u64 size)
{
	if (chain->writable_size == 0 || !tl_virtio_chain_write(chain, 0, bytes, size)) {
		tl_virtio_break(console->virtio);
		return false;
	}
	tl_virtio_give(console->virtio, RECEIVE, chain, (tl_u32)size);
	return tl_virtio_started(console->virtio);
}

tl_u64 tl_virtio_console_receive(struct tl_virtio_console *console, const tl_u8 *bytes, tl_u64 size)
{
	struct tl_virtio_chain chain;
	tl_u64 taken = 0;

	if (!tl_virtio_started(console->virtio))
		return 0;
	while (taken < size && tl_virtio_take_room(console->virtio, RECEIVE, &chain)) {
		tl_u64 part = size - taken < chain.writable_size ? size - taken : chain.writable_size;

		if (!fill(console, &chain, bytes + taken, part))
			break;
		taken += part;
	}
	if (!tl_virtio_started(console->virtio))
		return size; /* it broke just now, and the bytes are lost with it */
	tl_virtio_tell(console->virtio, RECEIVE);
	return taken;
}

static tl_size receive(void *device, const tl_u8 *bytes, tl_size size)
{
	return tl_virtio_console_receive(device, bytes, size);
}

static const struct tl_virtio_kind kind = {.name = "console",
					   .id = TL_VIRTIO_ID_CONSOLE,
					   .queues = 2,
					   .queue_size = QUEUE_SIZE,
					   .notify = notify,
					   .receive = receive};

void tl_virtio_console_plug(struct tl_virtio_console *console_ret, struct tl_virtio *virtio)
{
	*console_ret = (struct tl_virtio_console){.virtio = virtio};
	tl_virtio_plug(virtio, &kind, console_ret, 0, NULL, 0);
}

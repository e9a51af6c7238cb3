#include "machine/virtio_random.h"

#define QUEUE_SIZE 8
#define GIVE_MAX 4096 /* of a buffer: the driver hears how much it got */

static bool fill(struct tl_virtio_random *random, const struct tl_virtio_chain *chain, tl_u64 size)
{
	tl_u64 part = 0;

	for (tl_u64 done = 0; done < size; done += part) {
		tl_u8 *bytes = tl_virtio_chain_change(chain, done, size - done, &part);

		if (bytes == NULL)
			return false;
		tl_random_stream_take(&random->stream, bytes, part);
	}
	return true;
}

static void notify(void *device, tl_u32 queue)
{
	struct tl_virtio_random *random = device;
	struct tl_virtio_chain chain;

	while (tl_virtio_take(random->virtio, queue, &chain)) {
		tl_u64 size = chain.writable_size < GIVE_MAX ? chain.writable_size : GIVE_MAX;

		if (!fill(random, &chain, size)) {
			tl_virtio_break(random->virtio);
			return;
		}
		tl_virtio_give(random->virtio, queue, &chain, (tl_u32)size);
	}
	tl_virtio_tell(random->virtio, queue);
}

static const struct tl_virtio_kind kind = {
	.name = "random", .id = TL_VIRTIO_ID_RANDOM, .queues = 1, .queue_size = QUEUE_SIZE, .notify = notify};

void tl_virtio_random_plug(struct tl_virtio_random *random_ret, struct tl_virtio *virtio,
			   const tl_u8 seed[TL_RANDOM_SEED])
{
	*random_ret = (struct tl_virtio_random){.virtio = virtio};
	tl_copy(random_ret->stream.seed, seed, TL_RANDOM_SEED);
	tl_virtio_plug(virtio, &kind, random_ret, 0, NULL, 0);
}

/*
 * A thread of the host's that carries out the requests of one disk, in the order in which they come, so that a slow
 * disk holds up neither the other processors of the guest nor whoever debugs it.
 *
 * It touches its disk, and the requests that it was given, but nothing of the guest or of the device: what it has done
 * is taken from it, and finished, by whoever has the board's lock (tl_virtio_block_finish).
 */
#ifndef TL_TARGETS_KVM_DISK_THREAD_H
#define TL_TARGETS_KVM_DISK_THREAD_H

#include "machine/virtio_block.h"

#include <pthread.h>

/* Requests one behind the other; {0} is none. */
struct tl_disk_list {
	struct tl_virtio_block_request *first, *last;
};

struct tl_disk_thread {
	struct tl_disk *disk; /* borrowed; the thread's alone */
	/*
	 * Calls of the thread's, without a lock: there is something to be taken where there was nothing; and, once, the
	 * disk has failed, as its `failure` says.
	 */
	void (*ready)(void *context);
	void (*failed)(void *context, const struct tl_disk *disk);
	void *context;

	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wanted;
	struct tl_disk_list waiting, done;
	bool ending;
	bool told; /* the thread's */
};

/* Begins it. `disk`, calls and context are the caller's to set before, and must not be moved. TL_ERROR_SYSTEM. */
TL_CHECKED enum tl_status tl_disk_thread_begin(struct tl_disk_thread *thread, struct tl_error *error);
/*
 * Everything that it was given is carried out, and the thread ends: none of its calls comes any more. What it is given
 * later stays with it. Control thread, once.
 */
void tl_disk_thread_stop(struct tl_disk_thread *thread);
/* Gives everything back, behind tl_disk_thread_stop. */
void tl_disk_thread_end(struct tl_disk_thread *thread);

/* A request to be carried out, for tl_virtio_block's `defer`: the context is a struct tl_disk_thread. Any thread. */
void tl_disk_thread_give(void *thread, struct tl_virtio_block_request *request);
/* All that has been carried out, one behind the other; NULL: nothing. Any thread. */
struct tl_virtio_block_request *tl_disk_thread_take(struct tl_disk_thread *thread);

#endif

#include "targets/kvm/disk_thread.h"

#include <errno.h>
#include <signal.h>

static void append(struct tl_disk_list *list, struct tl_virtio_block_request *request)
{
	request->next = NULL;
	if (list->last != NULL)
		list->last->next = request;
	else
		list->first = request;
	list->last = request;
}

static struct tl_virtio_block_request *take_first(struct tl_disk_list *list)
{
	struct tl_virtio_block_request *request = list->first;

	if (request == NULL)
		return NULL;
	list->first = request->next;
	if (list->first == NULL)
		list->last = NULL;
	return request;
}

/* The next request; NULL: there will be none. The lock is held. */
static struct tl_virtio_block_request *await(struct tl_disk_thread *thread)
{
	while (thread->waiting.first == NULL && !thread->ending)
		pthread_cond_wait(&thread->wanted, &thread->lock);
	return take_first(&thread->waiting);
}

static void carry_out(struct tl_disk_thread *thread, struct tl_virtio_block_request *request)
{
	tl_u64 failures = thread->disk->failures;

	tl_virtio_block_carry_out(thread->disk, request);
	if (thread->disk->failures == failures || thread->told)
		return;
	thread->told = true;
	thread->failed(thread->context, thread->disk);
}

static void *live(void *context)
{
	struct tl_disk_thread *thread = context;
	struct tl_virtio_block_request *request;

	pthread_mutex_lock(&thread->lock);
	while ((request = await(thread)) != NULL) {
		bool first;

		pthread_mutex_unlock(&thread->lock);
		carry_out(thread, request);
		pthread_mutex_lock(&thread->lock);
		first = thread->done.first == NULL;
		append(&thread->done, request);
		if (!first)
			continue;
		pthread_mutex_unlock(&thread->lock);
		thread->ready(thread->context);
		pthread_mutex_lock(&thread->lock);
	}
	pthread_mutex_unlock(&thread->lock);
	return NULL;
}

enum tl_status tl_disk_thread_begin(struct tl_disk_thread *thread, struct tl_error *error)
{
	sigset_t all, before;

	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->wanted, NULL);
	/* Signals are the control thread's; and a file that may not grow is to give an error. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&thread->thread, NULL, live, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno == 0)
		return TL_OK;
	TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no thread for a disk of the machine");
	pthread_cond_destroy(&thread->wanted);
	pthread_mutex_destroy(&thread->lock);
	return TL_ERROR_SYSTEM;
}

void tl_disk_thread_stop(struct tl_disk_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->ending = true;
	pthread_cond_signal(&thread->wanted);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
}

static void drop_all(struct tl_disk_list *list)
{
	struct tl_virtio_block_request *request;

	while ((request = take_first(list)) != NULL)
		tl_virtio_block_drop(request);
}

void tl_disk_thread_end(struct tl_disk_thread *thread)
{
	drop_all(&thread->waiting);
	drop_all(&thread->done);
	pthread_cond_destroy(&thread->wanted);
	pthread_mutex_destroy(&thread->lock);
}

void tl_disk_thread_give(void *thread, struct tl_virtio_block_request *request)
{
	struct tl_disk_thread *to = thread;

	pthread_mutex_lock(&to->lock);
	append(&to->waiting, request);
	pthread_cond_signal(&to->wanted);
	pthread_mutex_unlock(&to->lock);
}

struct tl_virtio_block_request *tl_disk_thread_take(struct tl_disk_thread *thread)
{
	struct tl_virtio_block_request *first;

	pthread_mutex_lock(&thread->lock);
	first = thread->done.first;
	thread->done = (struct tl_disk_list){0};
	pthread_mutex_unlock(&thread->lock);
	return first;
}

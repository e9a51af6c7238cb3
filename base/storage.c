#include "base/storage.h"

#include <stdatomic.h>
#include <stdlib.h>

static atomic_ullong calls;
static atomic_ullong fail_at; /* 0: none */
static atomic_bool fail_on;   /* and all after it */
static atomic_ullong live;

static void *resize(void *context, void *old, tl_size old_size, tl_size new_size)
{
	void *block;

	(void)context;
	if (new_size == 0) {
		atomic_fetch_sub(&live, old_size);
		free(old);
		return NULL;
	}
	if (old == NULL || new_size > old_size) {
		unsigned long long call = atomic_fetch_add(&calls, 1) + 1, failing = atomic_load(&fail_at);

		if (call == failing || (failing != 0 && call > failing && atomic_load(&fail_on)))
			return NULL;
	}
	block = realloc(old, new_size);
	if (block == NULL)
		return NULL;
	atomic_fetch_add(&live, new_size - old_size);
	return block;
}

static const struct tl_allocator storage = {resize, NULL};

const struct tl_allocator *tl_storage(void)
{
	return &storage;
}

void tl_storage_fail(tl_u64 n)
{
	atomic_store(&fail_on, false);
	atomic_store(&fail_at, n != 0 ? atomic_load(&calls) + n : 0);
}

void tl_storage_fail_from(tl_u64 n)
{
	tl_storage_fail(n);
	atomic_store(&fail_on, true);
}

tl_u64 tl_storage_calls(void)
{
	return atomic_load(&calls);
}

tl_u64 tl_storage_live(void)
{
	return atomic_load(&live);
}

#include "targets/emulator/fetched_pages.h"

#include <stdlib.h>

#define PAGE_MASK ((tl_u64)4095)
#define FIRST_CAPACITY 64
#define PAGES_MAX 16384

/* Where a page is, or would be. */
static tl_u64 *place(const struct tl_fetched_pages *fetched, tl_u64 key)
{
	tl_u32 at = (tl_u32)((key >> 12) * 0x9e3779b97f4a7c15 >> 40);

	for (;; at++) {
		tl_u64 *page = &fetched->pages[at & (fetched->capacity - 1)];

		if (*page == key || *page == 0)
			return page;
	}
}

static bool grow(struct tl_fetched_pages *fetched)
{
	struct tl_fetched_pages before = *fetched;

	fetched->capacity = before.capacity != 0 ? before.capacity * 2 : FIRST_CAPACITY;
	fetched->pages = calloc(fetched->capacity, sizeof(*fetched->pages));
	if (fetched->pages == NULL) {
		*fetched = before;
		return false;
	}
	for (tl_u32 i = 0; i < before.capacity; i++)
		if (before.pages[i] != 0)
			*place(fetched, before.pages[i]) = before.pages[i];
	free(before.pages);
	return true;
}

static void add(struct tl_fetched_pages *fetched, tl_u64 key)
{
	tl_u64 *page;

	if (fetched->count * 2 >= fetched->capacity && (fetched->count >= PAGES_MAX || !grow(fetched))) {
		fetched->all = true;
		return;
	}
	page = place(fetched, key);
	fetched->count += *page == 0;
	*page = key;
}

void tl_fetched_pages_add(struct tl_fetched_pages *fetched, tl_u64 address)
{
	if (!fetched->all)
		add(fetched, (address & ~PAGE_MASK) | 1);
}

bool tl_fetched_pages_has(const struct tl_fetched_pages *fetched, tl_u64 address)
{
	if (fetched->all || fetched->capacity == 0)
		return fetched->all;
	return *place(fetched, (address & ~PAGE_MASK) | 1) != 0;
}

void tl_fetched_pages_merge(struct tl_fetched_pages *fetched, const struct tl_fetched_pages *other)
{
	fetched->all = fetched->all || other->all;
	for (tl_u32 i = 0; i < other->capacity && !fetched->all; i++)
		if (other->pages[i] != 0)
			add(fetched, other->pages[i]);
}

void tl_fetched_pages_clear(struct tl_fetched_pages *fetched)
{
	free(fetched->pages);
	*fetched = (struct tl_fetched_pages){0};
}

tl_u64 tl_fetched_pages_cost(const struct tl_fetched_pages *fetched)
{
	return fetched->capacity * sizeof(*fetched->pages);
}

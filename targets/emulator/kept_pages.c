#include "targets/emulator/kept_pages.h"

#include <stdlib.h>
#include <string.h>

static enum tl_status make_room(struct tl_kept_pages *pages, tl_size wanted)
{
	struct tl_kept_page *grown;
	tl_size capacity = pages->capacity * 2 > wanted ? pages->capacity * 2 : wanted;

	if (wanted <= pages->capacity)
		return TL_OK;
	grown = realloc(pages->pages, capacity * sizeof(*grown));
	if (grown == NULL)
		return TL_ERROR_NO_MEMORY;
	pages->pages = grown;
	pages->capacity = capacity;
	return TL_OK;
}

const tl_u8 tl_kept_zeroes[TL_KEPT_SIZE];

static bool is_owned(const tl_u8 *bytes)
{
	return bytes != NULL && bytes != tl_kept_zeroes;
}

static void give_back(const struct tl_kept_page *page)
{
	if (is_owned(page->bytes))
		free((void *)(tl_uintptr)page->bytes);
}

enum tl_status tl_kept_pages_add(struct tl_kept_pages *pages, tl_u64 number, const tl_u8 *bytes)
{
	const tl_u8 *kept = NULL;

	TL_TRY(make_room(pages, pages->count + 1));
	if (bytes != NULL && memcmp(bytes, tl_kept_zeroes, TL_KEPT_SIZE) == 0) {
		kept = tl_kept_zeroes;
	} else if (bytes != NULL) {
		tl_u8 *copy = malloc(TL_KEPT_SIZE);

		if (copy == NULL)
			return TL_ERROR_NO_MEMORY;
		memcpy(copy, bytes, TL_KEPT_SIZE);
		kept = copy;
	}
	pages->empty += !is_owned(kept);
	if (pages->sorted == pages->count && (pages->count == 0 || pages->pages[pages->count - 1].number < number))
		pages->sorted++;
	pages->pages[pages->count++] = (struct tl_kept_page){.number = number, .bytes = kept};
	return TL_OK;
}

static int compare(const void *a, const void *b)
{
	tl_u64 first = ((const struct tl_kept_page *)a)->number, second = ((const struct tl_kept_page *)b)->number;

	return (first > second) - (first < second);
}

static void sort(struct tl_kept_pages *pages)
{
	if (pages->sorted != pages->count)
		qsort(pages->pages, pages->count, sizeof(*pages->pages), compare);
	pages->sorted = pages->count;
}

struct tl_kept_page *tl_kept_pages_find(struct tl_kept_pages *pages, tl_u64 number)
{
	const struct tl_kept_page key = {.number = number};

	if (pages->count == 0)
		return NULL;
	sort(pages);
	return bsearch(&key, pages->pages, pages->count, sizeof(key), compare);
}

enum tl_status tl_kept_pages_merge(struct tl_kept_pages *pages, struct tl_kept_pages *later)
{
	tl_size count = pages->count;

	TL_TRY(make_room(pages, pages->count + later->count));
	sort(pages);
	for (tl_size i = 0; i < later->count; i++) {
		const struct tl_kept_page *page = &later->pages[i];
		struct tl_kept_page *same =
			count != 0 ? bsearch(page, pages->pages, count, sizeof(*page), compare) : NULL;

		if (same != NULL) {
			tl_written_add(&same->lines, &page->lines);
			give_back(page);
		} else {
			pages->empty += !is_owned(page->bytes);
			pages->pages[pages->count++] = *page;
		}
	}
	later->count = 0;
	tl_kept_pages_clear(later);
	sort(pages);
	return TL_OK;
}

void tl_kept_pages_drop_unwritten(struct tl_kept_pages *pages)
{
	static const struct tl_line_set none;
	tl_size count = 0;

	sort(pages);
	for (tl_size i = 0; i < pages->count; i++) {
		const struct tl_kept_page page = pages->pages[i];

		if (memcmp(&page.lines, &none, sizeof(none)) != 0) {
			pages->pages[count++] = page;
		} else {
			pages->empty -= !is_owned(page.bytes);
			give_back(&page);
		}
	}
	pages->count = pages->sorted = count;
}

void tl_kept_pages_clear(struct tl_kept_pages *pages)
{
	for (tl_size i = 0; i < pages->count; i++)
		give_back(&pages->pages[i]);
	free(pages->pages);
	*pages = (struct tl_kept_pages){0};
}

tl_u64 tl_kept_pages_cost(const struct tl_kept_pages *pages)
{
	return (pages->count - pages->empty) * TL_KEPT_SIZE + pages->capacity * sizeof(*pages->pages);
}

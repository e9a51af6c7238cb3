#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

#include "targets/emulator/paging.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Zeros. Tables are looked at all over: in large pages the host finds them faster, if it has any. */
static void *reserve(tl_size size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

static void give_back(void *memory, tl_size size)
{
	if (memory != NULL)
		munmap(memory, size);
}

#define BLOCKS_SIZE (sizeof(struct tl_block) * TL_BLOCKS_MAX)
#define MAPPINGS_SIZE (sizeof(struct tl_mapping) * TL_MAPPINGS_MAX)
#define BUCKETS_SIZE (sizeof(tl_u32) * TL_BLOCK_BUCKETS)

enum tl_status tl_blocks_create(struct tl_translator *translator, struct tl_error *error)
{
	translator->blocks = reserve(BLOCKS_SIZE);
	translator->mappings = reserve(MAPPINGS_SIZE);
	translator->buckets = reserve(BUCKETS_SIZE);
	translator->mapping_buckets = calloc(TL_MAPPINGS_MAX, sizeof(tl_u32));
	translator->pages = calloc(TL_PAGE_BUCKETS, sizeof(struct tl_code_page *));
	translator->heat = calloc(TL_HEAT_COUNTERS, 1);
	translator->unit = calloc(1, sizeof(struct tl_unit));
	if (translator->blocks == NULL || translator->mappings == NULL || translator->buckets == NULL ||
	    translator->mapping_buckets == NULL || translator->pages == NULL || translator->heat == NULL ||
	    translator->unit == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Cannot get memory for the translator's tables");
	translator->block_count = 1; /* number 0 ends lists */
	translator->mapping_count = 1;
	return TL_OK;
}

static void forget_pages(struct tl_translator *translator)
{
	for (tl_u32 i = 0; i < TL_PAGE_BUCKETS; i++) {
		while (translator->pages[i] != NULL) {
			struct tl_code_page *page = translator->pages[i];

			translator->pages[i] = page->next;
			free(page);
		}
	}
}

void tl_blocks_destroy(struct tl_translator *translator)
{
	if (translator->pages != NULL)
		forget_pages(translator);
	give_back(translator->blocks, BLOCKS_SIZE);
	give_back(translator->mappings, MAPPINGS_SIZE);
	give_back(translator->buckets, BUCKETS_SIZE);
	free(translator->mapping_buckets);
	free(translator->pages);
	free(translator->heat);
	free(translator->unit);
}

void tl_blocks_empty(struct tl_translator *translator)
{
	forget_pages(translator);
	tl_fill(translator->buckets, 0, BUCKETS_SIZE);
	tl_fill(translator->mapping_buckets, 0, sizeof(tl_u32) * TL_MAPPINGS_MAX);
	translator->block_count = 1;
	translator->mapping_count = 1;
	translator->code.at = translator->first_free;
	translator->rare = TL_RARE_START;
	translator->empty_soon = false;
	translator->counters.emptied++;
	for (tl_u32 i = 0; i < translator->hart_count; i++)
		tl_code_hart(translator, translator->harts[i]);
}

tl_u32 tl_blocks_mapping(struct tl_translator *translator, tl_u64 virtual_page, tl_u64 physical_page,
			 const tl_u8 *bytes)
{
	tl_u64 hash =
		(virtual_page >> TL_PAGE_BITS ^ (physical_page >> TL_PAGE_BITS) * 0x9e3779b1) * 0x9e3779b97f4a7c15;
	tl_u32 *bucket = &translator->mapping_buckets[hash >> 47], number;
	struct tl_mapping *mapping;

	for (number = *bucket; number != 0; number = mapping->next) {
		mapping = &translator->mappings[number];
		if (mapping->virtual_page == virtual_page && mapping->physical_page == physical_page)
			return number;
	}
	if (translator->mapping_count == TL_MAPPINGS_MAX)
		return 0;
	number = translator->mapping_count++;
	translator->mappings[number] = (struct tl_mapping){virtual_page, physical_page, bytes, *bucket};
	*bucket = number;
	return number;
}

/* Addresses that are close together have buckets that are, for what is looked up while a unit is translated. */
static tl_u32 *bucket_of(const struct tl_translator *translator, tl_u64 pc)
{
	tl_u64 page = ((pc >> TL_PAGE_BITS) * 0x9e3779b97f4a7c15) >> 32;

	return &translator->buckets[(page ^ (pc & (TL_PAGE_SIZE - 1)) >> 1) & (TL_BLOCK_BUCKETS - 1)];
}

tl_u32 tl_blocks_find(const struct tl_translator *translator, tl_u64 pc, tl_u32 mapping, tl_u32 second_mapping,
		      tl_u8 key)
{
	for (tl_u32 number = *bucket_of(translator, pc); number != 0; number = translator->blocks[number].next) {
		const struct tl_block *block = &translator->blocks[number];

		if (block->pc == pc && block->mapping == mapping && block->key == key && !block->dropped &&
		    (block->second_mapping == 0 || block->second_mapping == second_mapping))
			return number;
	}
	return TL_NO_BLOCK;
}

bool tl_translator_is_page(const struct tl_translator *translator, tl_u32 number, tl_u64 page)
{
	return translator->mappings[number].virtual_page == page;
}

static struct tl_code_page *find_page(const struct tl_translator *translator, tl_u64 physical)
{
	struct tl_code_page *page = translator->pages[physical >> TL_PAGE_BITS & (TL_PAGE_BUCKETS - 1)];

	while (page != NULL && page->physical >> TL_PAGE_BITS != physical >> TL_PAGE_BITS)
		page = page->next;
	return page;
}

bool tl_translator_has_code(const struct tl_translator *translator, tl_u64 physical)
{
	const struct tl_code_page *page = find_page(translator, physical);

	return page != NULL && page->first != 0;
}

/* The list of a page; from now on stores to it are seen. */
static struct tl_code_page *page_of(struct tl_translator *translator, tl_u64 physical)
{
	struct tl_code_page *page = find_page(translator, physical), **bucket;

	if (page == NULL) {
		page = calloc(1, sizeof(*page));
		if (page == NULL)
			return NULL;
		bucket = &translator->pages[physical >> TL_PAGE_BITS & (TL_PAGE_BUCKETS - 1)];
		page->physical = physical & ~(TL_PAGE_SIZE - 1);
		page->next = *bucket;
		*bucket = page;
	}
	if (page->first == 0)
		for (tl_u32 i = 0; i < translator->hart_count; i++)
			tl_paging_protect(translator->harts[i]);
	return page;
}

void tl_blocks_add(struct tl_translator *translator)
{
	tl_u32 number = translator->block_count++, *bucket;
	struct tl_block *block = &translator->blocks[number];

	bucket = bucket_of(translator, block->pc);
	block->next = *bucket;
	*bucket = number;
	translator->counters.blocks++;
	translator->counters.present++;
}

void tl_blocks_cover(struct tl_translator *translator, tl_u32 number)
{
	struct tl_block *block = &translator->blocks[number];

	for (tl_u32 which = 0; which < 2; which++) {
		tl_u64 physical = block->physical;
		struct tl_code_page *page;

		if (which == 1 && block->second_mapping == 0)
			break;
		if (which == 1)
			physical = translator->mappings[block->second_mapping].physical_page;
		page = page_of(translator, physical);
		if (page == NULL) { /* without its list the page could be written unseen */
			block->dropped = true;
			translator->empty_soon = true;
			break;
		}
		block->next_on_page[which] = page->first;
		page->first = number * 2 + which;
	}
}

/* The block is not to be run any more: who comes to it is sent on. */
static void drop(struct tl_translator *translator, struct tl_block *block)
{
	tl_u32 end = translator->code.at;

	if (block->dropped)
		return;
	block->dropped = true;
	translator->code.at = block->body;
	block->exits[0] = (struct tl_exit){block->pc, tl_x86_jump(&translator->code, 0)};
	block->exits[1].site = 0;
	tl_x86_aim(&translator->code, block->exits[0].site, block->head_stub);
	translator->code.at = end;
	translator->dropped = true;
	translator->counters.dropped++;
	translator->counters.present--;
}

/* Where the bytes of a block on one of its pages are, within that page. */
static void range_on_page(const struct tl_block *block, tl_u32 which, tl_u64 *first_ret, tl_u64 *size_ret)
{
	tl_u64 first = block->physical & (TL_PAGE_SIZE - 1), there = TL_PAGE_SIZE - first;

	*first_ret = which == 0 ? first : 0;
	*size_ret = block->bytes;
	if (block->second_mapping != 0)
		*size_ret = which == 0 ? there : block->bytes - there;
}

/* Takes what [first, first + size) of a page meets off its list. */
static void drop_range(struct tl_translator *translator, struct tl_code_page *page, tl_u64 first, tl_u64 size)
{
	tl_u32 *link = &page->first;

	while (*link != 0) {
		struct tl_block *block = &translator->blocks[*link >> 1];
		tl_u32 which = *link & 1;
		tl_u64 block_first, block_size;

		range_on_page(block, which, &block_first, &block_size);
		if (!block->dropped && tl_overlap(first, size, block_first, block_size))
			drop(translator, block);
		if (block->dropped)
			*link = block->next_on_page[which];
		else
			link = &block->next_on_page[which];
	}
}

/*
 * After so many stores that met a page with code it is taken for one that holds other things now, and its blocks are
 * dropped so that stores to it are fast again; unless code comes back to it over and over.
 */
#define SLOW_STORES_MAX 256
#define PURGES_MAX 4

void tl_translator_memory_changed(struct tl_translator *translator, tl_u64 physical, tl_u64 size)
{
	while (size > 0) {
		tl_u64 first = physical & (TL_PAGE_SIZE - 1);
		tl_u64 part = size < TL_PAGE_SIZE - first ? size : TL_PAGE_SIZE - first;
		struct tl_code_page *page = find_page(translator, physical);

		if (page != NULL && page->first != 0) {
			drop_range(translator, page, first, part);
			if (page->first != 0 && ++page->slow_stores >= SLOW_STORES_MAX && page->purges < PURGES_MAX) {
				page->slow_stores = 0;
				page->purges++;
				drop_range(translator, page, 0, TL_PAGE_SIZE);
			}
		}
		physical += part;
		size -= part;
	}
}

void tl_translator_point_changed(struct tl_translator *translator, tl_u64 address)
{
	/* A block that covers the address begins at most this far in front of it. */
	for (tl_u64 back = 0; back < (tl_u64)TL_BLOCK_LENGTH_MAX * 4; back += 2)
		for (tl_u32 number = *bucket_of(translator, address - back); number != 0;
		     number = translator->blocks[number].next) {
			struct tl_block *block = &translator->blocks[number];

			if (block->pc == address - back && (back == 0 || back < block->bytes))
				drop(translator, block);
		}
}

void tl_translator_all_changed(struct tl_translator *translator)
{
	translator->empty_soon = true;
	translator->dropped = true;
}

#endif

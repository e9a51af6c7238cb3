/*
 * Memory that is erased before it is written: GDB manual, "Memory Map Format", "Packets" (vFlashErase and its kin).
 */
#include "targets/remote/state.h"
#include "targets/remote/xml.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* What a map may have; nobody has more, and bits are kept for each block. */
#define REGIONS_MAX 256
#define BLOCKS_MAX ((tl_u64)1 << 20)
/* Erasing takes its time, longer than an answer may. */
#define ERASE_PATIENCE 60000
/* What stands around the bytes of a packet: the command and an address. */
#define WORDS 40

void tl_remote_forget_flash(struct remote_target *target)
{
	for (tl_size i = 0; i < target->flash.count; i++)
		free(target->flash.regions[i].erased);
	tl_release(tl_storage(), target->flash.regions, target->flash.capacity * sizeof(*target->flash.regions));
	target->flash = (struct remote_flash){.known = false};
}

/* ---- The map ---- */

static enum tl_status add_region(struct remote_target *target, const struct remote_flash_region *region)
{
	struct remote_flash *flash = &target->flash;
	tl_u64 blocks;

	if (region->block == 0 || region->size == 0 || region->start + region->size < region->start)
		return TL_ERROR_MALFORMED;
	/* So, and not by rounding up the size, which may be next to the largest number there is. */
	blocks = (region->size - 1) / region->block + 1;
	if (blocks > BLOCKS_MAX || flash->count == REGIONS_MAX)
		return TL_ERROR_TOO_LONG;
	if (!tl_grow(tl_storage(), (void **)&flash->regions, &flash->capacity, flash->count, sizeof(*flash->regions)))
		return TL_ERROR_NO_MEMORY;
	flash->regions[flash->count] = *region;
	flash->regions[flash->count].erased = calloc(1, (tl_size)(blocks / 8 + 1));
	if (flash->regions[flash->count].erased == NULL)
		return TL_ERROR_NO_MEMORY;
	flash->count++;
	return TL_OK;
}

/* The text of an element as a number. */
static tl_u64 number_of(struct tl_cursor text)
{
	while (tl_cursor_peek(&text) == ' ' || tl_cursor_peek(&text) == '\n')
		(void)tl_cursor_byte(&text);
	return tl_cursor_accept_text(&text, "0x") ? tl_cursor_hex(&text) : tl_cursor_decimal(&text);
}

static enum tl_status read_map(struct remote_target *target, struct tl_cursor document)
{
	struct remote_flash_region region = {0};
	bool in_flash = false;
	struct xml_element element;
	char type[16], property[32];

	while (tl_remote_xml_next(&document, &element)) {
		if (tl_cursor_equals(&element.name, "memory") && !element.closing) {
			region = (struct remote_flash_region){0};
			in_flash = tl_remote_xml_attribute(&element, "type", type, sizeof(type)) &&
				   strcmp(type, "flash") == 0 && !element.empty &&
				   tl_remote_xml_number(&element, "start", &region.start) &&
				   tl_remote_xml_number(&element, "length", &region.size);
		} else if (tl_cursor_equals(&element.name, "property") && !element.closing && in_flash) {
			if (tl_remote_xml_attribute(&element, "name", property, sizeof(property)) &&
			    strcmp(property, "blocksize") == 0)
				region.block = number_of(element.text);
		} else if (tl_cursor_equals(&element.name, "memory") && in_flash) {
			in_flash = false;
			TL_TRY(add_region(target, &region));
		}
	}
	return document.failed ? TL_ERROR_MALFORMED : TL_OK;
}

static enum tl_status learn(struct remote_target *target)
{
	tl_u8 *bytes;
	tl_size size;
	enum tl_status status;

	if (target->flash.known || !target->has_memory_map)
		return TL_OK;
	TL_TRY(tl_remote_read_whole(target, "memory-map", "", &bytes, &size));
	status = read_map(target, tl_cursor_make(bytes, size));
	free(bytes);
	if (status != TL_OK)
		tl_remote_forget_flash(target);
	target->flash.known = status == TL_OK;
	return status;
}

static struct remote_flash_region *region_at(struct remote_target *target, tl_u64 address)
{
	for (tl_size i = 0; i < target->flash.count; i++)
		if (address - target->flash.regions[i].start < target->flash.regions[i].size)
			return &target->flash.regions[i];
	return NULL;
}

/* ---- Erasing and writing ---- */

static enum tl_status erase_blocks(struct remote_target *target, struct remote_flash_region *region, tl_u64 first,
				   tl_u64 count)
{
	struct tl_writer question = tl_remote_question(target);
	tl_u64 patience = target->link.patience;
	enum tl_status status;

	tl_write_text(&question, "vFlashErase:");
	tl_write_hex(&question, region->start + first * region->block);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, count * region->block);
	target->link.patience = patience > ERASE_PATIENCE ? patience : ERASE_PATIENCE;
	status = tl_remote_ask_ok(target, &question, "the erasing of flash", TL_ERROR_MEMORY);
	target->link.patience = patience;
	TL_TRY(status);
	for (tl_u64 i = first; i < first + count; i++)
		region->erased[i / 8] = (tl_u8)(region->erased[i / 8] | 1 << i % 8);
	target->flash.begun = true;
	return TL_OK;
}

/* The blocks of a region in [start, end), each once. */
static enum tl_status erase_in(struct remote_target *target, struct remote_flash_region *region, tl_u64 start,
			       tl_u64 end)
{
	tl_u64 at = (start - region->start) / region->block;
	tl_u64 last = (end - 1 - region->start) / region->block;

	while (at <= last) {
		tl_u64 count = 0;

		while (at + count <= last && (region->erased[(at + count) / 8] >> (at + count) % 8 & 1) == 0)
			count++;
		if (count != 0)
			TL_TRY(erase_blocks(target, region, at, count));
		at += count + 1;
	}
	return TL_OK;
}

enum tl_status tl_remote_target_flash_erase(struct tl_target *base, tl_u64 address, tl_u64 size)
{
	struct remote_target *target = tl_remote_self(base);

	TL_TRY(tl_remote_hold(target));
	TL_TRY(learn(target));
	for (tl_size i = 0; i < target->flash.count && size != 0; i++) {
		struct remote_flash_region *region = &target->flash.regions[i];
		tl_u64 start = address > region->start ? address : region->start;
		tl_u64 end =
			address + size < region->start + region->size ? address + size : region->start + region->size;

		if (start < end)
			TL_TRY(erase_in(target, region, start, end));
	}
	return TL_OK;
}

enum tl_status tl_remote_target_flash_write(struct tl_target *base, tl_u64 address, const void *bytes, tl_size size,
					    tl_size *done_ret)
{
	struct remote_target *target = tl_remote_self(base);
	const struct remote_flash_region *region = region_at(target, address);
	struct tl_writer question;
	tl_size taken;

	if (region == NULL)
		return TL_ERROR_UNSUPPORTED;
	if (size > region->start + region->size - address)
		size = (tl_size)(region->start + region->size - address);
	TL_TRY(tl_remote_hold(target));
	question = tl_remote_question(target);
	tl_write_text(&question, "vFlashWrite:");
	tl_write_hex(&question, address);
	tl_write_byte(&question, ':');
	taken = tl_remote_write_escaped(&question, bytes, size, target->packet_size - WORDS);
	TL_TRY(tl_remote_ask_ok(target, &question, "the writing of flash", TL_ERROR_MEMORY));
	target->flash.begun = true;
	*done_ret = taken;
	return TL_OK;
}

enum tl_status tl_remote_target_flash_done(struct tl_target *base)
{
	struct remote_target *target = tl_remote_self(base);
	struct tl_writer question;

	if (!target->flash.begun)
		return TL_OK;
	TL_TRY(tl_remote_hold(target));
	question = tl_remote_question(target);
	tl_write_text(&question, "vFlashDone");
	TL_TRY(tl_remote_ask_ok(target, &question, "the end of writing flash", TL_ERROR_MEMORY));
	tl_remote_forget_flash(target);
	return TL_OK;
}

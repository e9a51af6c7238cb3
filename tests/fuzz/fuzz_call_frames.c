/*
 * Call frame information: the input's first byte says which section the rest is, and the next two how large a table for
 * .eh_frame stands behind it.
 */
#include "base/storage.h"
#include "symbols/call_frames.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

#define ADDRESS 0x4000

struct look {
	struct tl_call_frames *frames;
	unsigned left;
};

static void look_at(struct tl_call_frames *frames, tl_u64 address)
{
	struct tl_frame_row row;
	struct tl_error error;

	if (tl_call_frames_row(frames, address, &row, &error) != TL_OK)
		return;
	if (row.start > address || row.end <= address || row.rule_count > TL_FRAME_REGISTERS_MAX)
		abort();
}

static bool look(void *context, tl_u64 start, tl_u64 end)
{
	struct look *look = context;

	look_at(look->frames, start);
	look_at(look->frames, start + (end - start) / 2);
	look_at(look->frames, end - 1);
	return --look->left != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_frame_sections sections = {.address_size = 8, .machine = 62};
	struct tl_call_frames *frames;
	size_t table;

	if (size < 3)
		return 0;
	table = tl_load_little(bytes + 1, 2);
	table = table < size - 3 ? table : size - 3;
	if ((bytes[0] & 2) != 0)
		sections.address_size = 4;
	if ((bytes[0] & 4) != 0)
		sections.machine = 183;
	sections.eh_frame_header = (struct tl_section_bytes){bytes + 3, table, ADDRESS};
	sections.eh_frame = (struct tl_section_bytes){bytes + 3 + table, size - 3 - table, ADDRESS + table};
	if ((bytes[0] & 1) != 0) {
		sections.debug_frame = sections.eh_frame;
		sections.eh_frame = (struct tl_section_bytes){NULL, 0, 0};
	}
	if (tl_call_frames_open_sections(&frames, &sections, NULL) != TL_OK)
		abort();
	tl_call_frames_each(frames, look, &(struct look){frames, 50});
	tl_call_frames_close(frames);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}

/*
 * The dynamic linker's list, in memory that is the input: its first byte says how wide words are, the rest stands at
 * BASE, and the head of the list is where it begins.
 */
#include "base/storage.h"
#include "debugger/modules/link_map.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define BASE 0x1000

struct input {
	const uint8_t *bytes;
	size_t size;
};

static enum tl_status read_input(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct input *input = context;

	if (address < BASE || address - BASE > input->size || size > input->size - (address - BASE))
		return TL_ERROR_MEMORY;
	memcpy(buffer, input->bytes + (address - BASE), size);
	return TL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes + 1, size - 1};
	struct tl_memory_access memory = {.read = read_input, .context = &input};
	struct tl_link_list list;
	tl_u64 value = 0;
	tl_u8 word;

	if (size == 0)
		return 0;
	word = (bytes[0] & 1) != 0 ? 8 : 4;
	if (tl_link_list_read(&list, &memory, word, BASE, NULL) == TL_OK)
		for (tl_size i = 0; i < list.count; i++)
			if (strlen(list.links[i].name) >= TL_LINK_NAME_MAX)
				abort();
	tl_link_list_release(&list);
	(void)tl_loaded_dynamic(&memory, word, BASE, TL_U64_MAX, &value);
	(void)tl_link_list_head(&memory, word, BASE, &value);
	(void)tl_auxiliary_read(input.bytes, input.size, word);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}

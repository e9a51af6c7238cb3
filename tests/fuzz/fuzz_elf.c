/* The ELF reader, over a file and over the image of one in memory. */
#include "base/elf.h"
#include "base/storage.h"
#include "core/cursor.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *bytes;
	size_t size;
};

static enum tl_status read_input(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct input *input = context;

	if (offset > input->size || size > input->size - offset)
		return TL_ERROR_TRUNCATED;
	memcpy(buffer, input->bytes + offset, size);
	return TL_OK;
}

static void read_everything(struct input *input, bool in_memory)
{
	struct tl_error error;
	struct tl_elf elf;
	struct tl_elf_symbol symbol;
	tl_u8 id[TL_ELF_BUILD_ID_MAX];
	tl_size size = 0;
	tl_u64 value, address;
	char path[64];

	if (tl_elf_open(&elf, read_input, input, in_memory, &error) != TL_OK)
		return;
	if (tl_elf_build_id(&elf, id, &size, &error) == TL_OK && size > sizeof(id))
		abort();
	if (tl_elf_interpreter(&elf, path, sizeof(path), &error) == TL_OK && memchr(path, 0, sizeof(path)) == NULL)
		abort();
	(void)!tl_elf_dynamic(&elf, 21, &value, &address, &error);
	(void)!tl_elf_symbol(&elf, "main", &symbol, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};

	read_everything(&input, false);
	read_everything(&input, true);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}

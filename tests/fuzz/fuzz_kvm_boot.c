/*
 * What a virtual machine begins with: any file as its kernel, loaded into memory of which each byte behind the end is a
 * sanitizer's. A file is refused with a sentence, or everything of it is where it was said to be.
 */
#include "targets/kvm/boot_elf.h"
#include "targets/kvm/boot_linux.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY ((tl_u64)4 << 20)

static void require(bool good)
{
	if (!good)
		abort();
}

static void load(struct tl_content *kernel, struct tl_kvm_memory *memory)
{
	struct tl_kvm_boot boot = {.kernel = *kernel, .command_line = ""};
	struct tl_error error = {.text = ""};
	tl_u64 entry = 0, end = 0;
	enum tl_status status;

	if (tl_content_is_elf(kernel)) {
		if (tl_kvm_boot_elf_kind(kernel, &boot.kind, &error) != TL_OK) {
			require(error.text[0] != '\0');
			return;
		}
		status = tl_kvm_boot_elf_load(kernel, boot.kind, memory, &entry, &end, &error);
	} else {
		if (!tl_kvm_boot_linux_is(kernel) || tl_kvm_boot_linux_check(kernel, &error) != TL_OK)
			return;
		boot.kind = TL_KVM_BOOT_LINUX;
		(void)tl_kvm_boot_linux_initrd_limit(kernel);
		status = tl_kvm_boot_linux_load(kernel, memory, &entry, &end, &error);
	}
	if (status != TL_OK) {
		require(error.text[0] != '\0');
		return;
	}
	boot.entry = entry;
	tl_kvm_boot_zero_page(boot.kind == TL_KVM_BOOT_LINUX ? kernel : NULL, &boot, memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_content kernel = {.path = "fuzzed", .size = size};
	struct tl_kvm_memory memory = {.bytes = calloc(1, MEMORY), .size = MEMORY, .count = 1};

	if (size == 0 || memory.bytes == NULL) {
		free(memory.bytes);
		return 0;
	}
	/* Of exactly its size, so that a byte too many is seen. */
	kernel.bytes = malloc(size);
	require(kernel.bytes != NULL);
	memcpy(kernel.bytes, bytes, size);
	memory.pieces[0] = (struct tl_kvm_piece){.size = MEMORY};
	load(&kernel, &memory);
	free(kernel.bytes);
	free(memory.bytes);
	return 0;
}

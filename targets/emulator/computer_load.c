#include "targets/emulator/computer_load.h"

#include "base/content.h"
#include "base/elf.h"
#include "core/cursor.h"
#include "targets/emulator/computer_internal.h"
#include "targets/emulator/kernel_image.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELF_RISCV 243
#define ELF_LOAD 1

static enum tl_status load_segment(struct tl_computer *computer, const struct tl_content *content,
				   const struct tl_elf_segment *segment, struct tl_error *error)
{
	if (segment->offset > content->size || segment->file_size > content->size - segment->offset)
		return TL_FAIL(error, TL_ERROR_TRUNCATED, "%s ends before one of its segments: it was cut off",
			       content->path);
	if (segment->memory_size > TL_COMPUTER_MEMORY_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "%s: a segment says that it has %llu GiB: the file is damaged", content->path,
			       (unsigned long long)(segment->memory_size >> 30));
	return tl_computer_load(computer, content->path, segment->physical, content->bytes + segment->offset,
				segment->file_size, segment->memory_size, error);
}

/* The entry of an ELF file is a virtual address; of code that is linked for where it is loaded they are the same. */
static tl_u64 physical_entry(const struct tl_elf *elf, const struct tl_elf_segment *segment)
{
	return segment->physical + (elf->entry - segment->address);
}

static enum tl_status damaged(const struct tl_content *content, const struct tl_error *particular,
			      struct tl_error *error)
{
	return TL_FAIL(error, particular->status, "%s is a damaged ELF file, or was cut off: %.300s", content->path,
		       particular->text);
}

static enum tl_status open_elf(struct tl_elf *elf_ret, struct tl_content *content, struct tl_error *error)
{
	struct tl_error particular;

	if (tl_elf_open(elf_ret, tl_content_read_elf, content, false, &particular) != TL_OK)
		return damaged(content, &particular, error);
	if (elf_ret->machine != ELF_RISCV || !elf_ret->wide || elf_ret->big_endian)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "%s is a program, but not for 64-bit RISC-V: build it with riscv64-unknown-elf-gcc",
			       content->path);
	return TL_OK;
}

static enum tl_status load_elf(struct tl_computer *computer, struct tl_content *content, tl_u64 *entry_ret,
			       struct tl_error *error)
{
	struct tl_elf_segment segment;
	struct tl_error particular;
	struct tl_elf elf;
	bool any = false, begins = false;

	TL_TRY(open_elf(&elf, content, error));
	for (tl_u32 i = 0; i < elf.segment_count; i++) {
		if (tl_elf_segment(&elf, i, &segment, &particular) != TL_OK)
			return damaged(content, &particular, error);
		if (segment.type != ELF_LOAD || segment.memory_size == 0)
			continue;
		TL_TRY(load_segment(computer, content, &segment, error));
		any = true;
		if (elf.entry < segment.address || elf.entry - segment.address >= segment.memory_size)
			continue;
		begins = true;
		*entry_ret = physical_entry(&elf, &segment);
	}
	if (!any)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s has nothing that could be loaded: link it into a program",
			       content->path);
	if (!begins)
		return TL_FAIL(
			error, TL_ERROR_MALFORMED,
			"%s begins at 0x%llx, where it loads nothing: link it with its entry named (ld -e SYMBOL)",
			content->path, (unsigned long long)elf.entry);
	return TL_OK;
}

/* An ELF file, or plain code for `address`. */
static enum tl_status load_code(struct tl_computer *computer, struct tl_content *content, tl_u64 address,
				tl_u64 *entry_ret, struct tl_error *error)
{
	if (tl_content_is_elf(content))
		return load_elf(computer, content, entry_ret, error);
	*entry_ret = address;
	return tl_computer_load(computer, content->path, address, content->bytes, content->size, content->size, error);
}

enum tl_status tl_computer_load_firmware(struct tl_computer *computer, const char *path, struct tl_error *error)
{
	struct tl_content content;
	enum tl_status status;

	if (strcmp(path, TL_COMPUTER_FIRMWARE) == 0 && access(path, F_OK) != 0)
		return TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			"the firmware %s is not there: install Debian's opensbi, or name another with --firmware",
			path);
	TL_TRY(tl_content_read(&content, path, error));
	status = load_code(computer, &content, TL_BOARD_MEMORY, &computer->entry, error);
	tl_content_free(&content);
	return status;
}

enum tl_status tl_computer_load_program(struct tl_computer *computer, const char *path, struct tl_error *error)
{
	struct tl_content content;
	enum tl_status status;

	TL_TRY(tl_content_read(&content, path, error));
	status = tl_content_is_elf(&content)
			 ? load_elf(computer, &content, &computer->entry, error)
			 : TL_FAIL(error, TL_ERROR_MALFORMED,
				   "%s is no ELF file, as a bare-metal program is; a kernel is given with "
				   "--kernel, plain code with --firmware",
				   path);
	tl_content_free(&content);
	return status;
}

static enum tl_status load_image(struct tl_computer *computer, const char *path, const struct tl_kernel_image *image,
				 bool any, struct tl_error *error)
{
	tl_u64 address = TL_BOARD_MEMORY + TL_COMPUTER_KERNEL_OFFSET;

	if (!image->is_linux && !any)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "%s is no kernel: neither Linux's Image for RISC-V nor an ELF file", path);
	computer->next_entry = address;
	return tl_computer_load(computer, path, address, image->bytes, image->size, image->memory_size, error);
}

enum tl_status tl_computer_load_kernel(struct tl_computer *computer, const char *path, bool any, struct tl_error *error)
{
	struct tl_kernel_image image;
	struct tl_content content;
	enum tl_status status;

	TL_TRY(tl_content_read(&content, path, error));
	if (tl_content_is_elf(&content)) {
		status = load_elf(computer, &content, &computer->next_entry, error);
		tl_content_free(&content);
		return status;
	}
	TL_TRY(tl_kernel_image_open(&image, path, content.bytes, content.size, error));
	status = load_image(computer, path, &image, any, error);
	free(image.bytes);
	return status;
}

enum tl_status tl_computer_load_initrd(struct tl_computer *computer, const char *path, struct tl_error *error)
{
	struct tl_content content;
	enum tl_status status;
	tl_u64 start;

	TL_TRY(tl_content_read(&content, path, error));
	start = tl_computer_place_below_tree(computer, content.size);
	status = start < TL_BOARD_MEMORY
			 ? TL_FAIL(error, TL_ERROR_ARGUMENT,
				   "%s has %llu MiB, more than there is room for below the device tree: give the "
				   "machine more "
				   "memory (up to 1 GiB of it makes more room)",
				   path, (unsigned long long)(content.size >> 20))
			 : tl_computer_load(computer, path, start, content.bytes, content.size, content.size, error);
	if (status == TL_OK) {
		computer->initrd_start = start;
		computer->initrd_end = start + content.size;
	}
	tl_content_free(&content);
	return status;
}

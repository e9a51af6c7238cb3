#include "targets/kvm/boot_elf.h"

#include "core/cursor.h"

#define MACHINE_I386 3
#define MACHINE_X86_64 62
#define SEGMENT_LOAD 1
#define SEGMENT_NOTE 4
#define NOTE_PVH 18 /* XEN_ELFNOTE_PHYS32_ENTRY, of the owner "Xen" */

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
	if (elf_ret->big_endian || elf_ret->machine != (elf_ret->wide ? MACHINE_X86_64 : MACHINE_I386))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is a program, but not for x86: build it for this machine",
			       content->path);
	return TL_OK;
}

/* Sizes and alignment of a note's parts; the description of the one that is sought. */
static bool find_note(struct tl_cursor notes, tl_u64 alignment, tl_u64 *entry_ret)
{
	while (!tl_cursor_done(&notes)) {
		tl_u64 name_size = tl_cursor_little(&notes, 4), size = tl_cursor_little(&notes, 4);
		tl_u64 type = tl_cursor_little(&notes, 4);
		struct tl_cursor name = tl_cursor_take(&notes, (name_size + 3) & ~(tl_u64)3), description;

		if (alignment == 8)
			(void)tl_cursor_take(&notes, (8 - (12 + ((name_size + 3) & ~(tl_u64)3)) % 8) % 8);
		description = tl_cursor_take(&notes, size);
		if (!notes.failed && type == NOTE_PVH && name_size == 4 && tl_same(name.at, "Xen", 4) &&
		    (size == 4 || size == 8)) {
			*entry_ret = tl_cursor_little(&description, size);
			return true;
		}
		(void)tl_cursor_take(&notes, (alignment - size % alignment) % alignment);
	}
	return false;
}

/* Where a PVH loader is to begin; false when the file says nothing of that. */
static bool find_pvh(const struct tl_elf *elf, const struct tl_content *content, tl_u64 *entry_ret)
{
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		if (tl_elf_segment(elf, i, &segment, NULL) != TL_OK)
			return false;
		if (segment.type != SEGMENT_NOTE || segment.offset > content->size ||
		    segment.file_size > content->size - segment.offset)
			continue;
		if (find_note(tl_cursor_make(content->bytes + segment.offset, segment.file_size),
			      segment.alignment == 8 ? 8 : 4, entry_ret))
			return true;
	}
	return false;
}

enum tl_status tl_kvm_boot_elf_kind(struct tl_content *content, enum tl_kvm_boot_kind *kind_ret, struct tl_error *error)
{
	struct tl_elf elf;
	tl_u64 entry;

	TL_TRY(open_elf(&elf, content, error));
	if (find_pvh(&elf, content, &entry))
		*kind_ret = TL_KVM_BOOT_PVH;
	else
		*kind_ret = elf.wide ? TL_KVM_BOOT_LONG : TL_KVM_BOOT_PROTECTED;
	return TL_OK;
}

static enum tl_status load_segment(const struct tl_content *content, const struct tl_elf_segment *segment,
				   const struct tl_kvm_memory *memory, struct tl_error *error)
{
	tl_u8 *to;

	if (segment->offset > content->size || segment->file_size > content->size - segment->offset)
		return TL_FAIL(error, TL_ERROR_TRUNCATED, "%s ends before one of its segments: it was cut off",
			       content->path);
	if (segment->file_size > segment->memory_size)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s: a segment has more in the file than in memory",
			       content->path);
	to = tl_kvm_memory_at(memory, segment->physical, segment->memory_size);
	if (to == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s wants memory at 0x%llx, %llu bytes of it, which the machine does not have: give it "
			       "more with --memory, or link the program elsewhere",
			       content->path, (unsigned long long)segment->physical,
			       (unsigned long long)segment->memory_size);
	tl_copy(to, content->bytes + segment->offset, segment->file_size);
	for (tl_u64 i = segment->file_size; i < segment->memory_size; i++)
		to[i] = 0;
	return TL_OK;
}

/* The entry of an ELF file is a virtual address; machines begin with physical ones. */
static bool find_entry(const struct tl_elf *elf, const struct tl_elf_segment *segment, tl_u64 *entry_ret)
{
	if (elf->entry < segment->address || elf->entry - segment->address >= segment->memory_size)
		return false;
	*entry_ret = segment->physical + (elf->entry - segment->address);
	return true;
}

static enum tl_status load_segments(const struct tl_elf *elf, const struct tl_content *content,
				    const struct tl_kvm_memory *memory, tl_u64 *entry_ret, tl_u64 *end_ret,
				    bool *begins_ret, struct tl_error *error)
{
	struct tl_elf_segment segment;
	struct tl_error particular;

	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		if (tl_elf_segment(elf, i, &segment, &particular) != TL_OK)
			return damaged(content, &particular, error);
		if (segment.type != SEGMENT_LOAD || segment.memory_size == 0)
			continue;
		TL_TRY(load_segment(content, &segment, memory, error));
		if (find_entry(elf, &segment, entry_ret))
			*begins_ret = true;
		if (segment.physical + segment.memory_size > *end_ret)
			*end_ret = segment.physical + segment.memory_size;
	}
	return TL_OK;
}

enum tl_status tl_kvm_boot_elf_load(struct tl_content *content, enum tl_kvm_boot_kind kind,
				    struct tl_kvm_memory *memory, tl_u64 *entry_ret, tl_u64 *end_ret,
				    struct tl_error *error)
{
	struct tl_elf elf;
	bool begins = false;

	*end_ret = 0;
	TL_TRY(open_elf(&elf, content, error));
	TL_TRY(load_segments(&elf, content, memory, entry_ret, end_ret, &begins, error));
	if (kind == TL_KVM_BOOT_PVH)
		begins = find_pvh(&elf, content, entry_ret);
	if (!begins)
		return TL_FAIL(
			error, TL_ERROR_MALFORMED,
			"%s begins at 0x%llx, where it loads nothing: link it with its entry named (ld -e SYMBOL)",
			content->path, (unsigned long long)elf.entry);
	return TL_OK;
}

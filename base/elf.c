#include "base/elf.h"
#include "base/storage.h"
#include "core/cursor.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* The largest string table that is taken into memory; libraries of 2 GiB with debug information stay below. */
#define STRINGS_MAX ((tl_u64)512 << 20)
#define CHUNK 4096

enum tl_status tl_elf_read_descriptor(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const int *descriptor = context;
	char *at = buffer;

	while (size > 0) {
		ssize_t count = offset <= INT64_MAX ? pread(*descriptor, at, size, (off_t)offset) : 0;

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return TL_ERROR_SYSTEM;
		if (count == 0)
			return TL_ERROR_TRUNCATED;
		at += count;
		offset += (tl_u64)count;
		size -= (tl_size)count;
	}
	return TL_OK;
}

static enum tl_status read_at(const struct tl_elf *elf, tl_u64 offset, void *buffer, tl_size size, const char *what,
			      struct tl_error *error)
{
	enum tl_status status = TL_ERROR_TRUNCATED;

	if (offset <= TL_U64_MAX - size)
		status = elf->read(elf->context, offset, buffer, size);
	if (status != TL_OK)
		return TL_FAIL(error, status, "cannot read the %s (%zu bytes at offset 0x%llx)", what, size,
			       (unsigned long long)offset);
	return TL_OK;
}

/* An integer of `size` bytes, in the file's byte order. */
static tl_u64 take(const struct tl_elf *elf, struct tl_cursor *cursor, tl_size size)
{
	return elf->big_endian ? tl_cursor_big(cursor, size) : tl_cursor_little(cursor, size);
}

static tl_u64 take_word(const struct tl_elf *elf, struct tl_cursor *cursor)
{
	return take(elf, cursor, elf->wide ? 8 : 4);
}

/* Counts that do not fit into the header's 16 bits stand in section 0 (gABI, "ELF Header", e_phnum and e_shnum). */
static enum tl_status extended_counts(struct tl_elf *elf, struct tl_error *error)
{
	struct tl_elf_section zero;

	if (elf->section_offset == 0 || (elf->section_count != 0 && elf->segment_count != PN_XNUM))
		return TL_OK;
	if (elf->section_count == 0)
		elf->section_count = 1;
	TL_TRY(tl_elf_section(elf, 0, &zero, error));
	if (elf->segment_count == PN_XNUM)
		elf->segment_count = zero.info;
	if (elf->section_count == 1 && zero.size != 0)
		elf->section_count = zero.size <= TL_U32_MAX ? (tl_u32)zero.size : TL_U32_MAX;
	return TL_OK;
}

static enum tl_status check_identity(struct tl_elf *elf, const tl_u8 *bytes, struct tl_error *error)
{
	if (memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "not an ELF file");
	if (bytes[EI_CLASS] != ELFCLASS32 && bytes[EI_CLASS] != ELFCLASS64)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: class %u", bytes[EI_CLASS]);
	if (bytes[EI_DATA] != ELFDATA2LSB && bytes[EI_DATA] != ELFDATA2MSB)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: byte order %u", bytes[EI_DATA]);
	elf->wide = bytes[EI_CLASS] == ELFCLASS64;
	elf->big_endian = bytes[EI_DATA] == ELFDATA2MSB;
	return TL_OK;
}

/* The address at which byte 0 of a loaded image stands: that of the first loaded segment, less its offset. */
static enum tl_status find_base(struct tl_elf *elf, struct tl_error *error)
{
	struct tl_elf_segment first;

	TL_TRY(tl_elf_find_segment(elf, PT_LOAD, &first, error));
	elf->base = first.address - first.offset;
	return TL_OK;
}

enum tl_status tl_elf_open(struct tl_elf *elf_ret, tl_elf_read *read, void *context, bool in_memory,
			   struct tl_error *error)
{
	struct tl_elf elf = {.read = read, .context = context, .in_memory = in_memory};
	tl_u8 bytes[sizeof(Elf64_Ehdr)] = {0};
	tl_u64 segment_size, section_size;
	struct tl_cursor cursor;

	TL_TRY(read_at(&elf, 0, bytes, sizeof(Elf32_Ehdr), "ELF header", error));
	TL_TRY(check_identity(&elf, bytes, error));
	if (elf.wide)
		TL_TRY(read_at(&elf, 0, bytes, sizeof(Elf64_Ehdr), "ELF header", error));
	cursor = tl_cursor_make(bytes + EI_NIDENT, sizeof(bytes) - EI_NIDENT);
	elf.type = (tl_u16)take(&elf, &cursor, 2);
	elf.machine = (tl_u16)take(&elf, &cursor, 2);
	(void)take(&elf, &cursor, 4);
	elf.entry = take_word(&elf, &cursor);
	elf.segment_offset = take_word(&elf, &cursor);
	elf.section_offset = take_word(&elf, &cursor);
	elf.flags = (tl_u32)take(&elf, &cursor, 4);
	(void)take(&elf, &cursor, 2);
	segment_size = take(&elf, &cursor, 2);
	elf.segment_count = (tl_u32)take(&elf, &cursor, 2);
	section_size = take(&elf, &cursor, 2);
	elf.section_count = (tl_u32)take(&elf, &cursor, 2);
	if (elf.segment_count != 0 && segment_size != (elf.wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: program headers of %u bytes",
			       (unsigned)segment_size);
	if (in_memory) {
		elf.section_offset = 0;
		elf.section_count = 0;
		TL_TRY(find_base(&elf, error));
	} else if (elf.section_offset != 0) {
		if (section_size != (elf.wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
			return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: section headers of %u bytes",
				       (unsigned)section_size);
		TL_TRY(extended_counts(&elf, error));
	} else {
		elf.section_count = 0;
	}
	*elf_ret = elf;
	return TL_OK;
}

enum tl_status tl_elf_segment(const struct tl_elf *elf, tl_u32 index, struct tl_elf_segment *segment_ret,
			      struct tl_error *error)
{
	tl_u8 bytes[sizeof(Elf64_Phdr)];
	tl_size size = elf->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	struct tl_elf_segment segment = {0};
	struct tl_cursor cursor;

	if (index >= elf->segment_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no program header %u", index);
	TL_TRY(read_at(elf, elf->segment_offset + (tl_u64)index * size, bytes, size, "program header", error));
	cursor = tl_cursor_make(bytes, size);
	segment.type = (tl_u32)take(elf, &cursor, 4);
	if (elf->wide)
		segment.flags = (tl_u32)take(elf, &cursor, 4);
	segment.offset = take_word(elf, &cursor);
	segment.address = take_word(elf, &cursor);
	segment.physical = take_word(elf, &cursor);
	segment.file_size = take_word(elf, &cursor);
	segment.memory_size = take_word(elf, &cursor);
	if (!elf->wide)
		segment.flags = (tl_u32)take(elf, &cursor, 4);
	segment.alignment = take_word(elf, &cursor);
	*segment_ret = segment;
	return TL_OK;
}

enum tl_status tl_elf_section(const struct tl_elf *elf, tl_u32 index, struct tl_elf_section *section_ret,
			      struct tl_error *error)
{
	tl_u8 bytes[sizeof(Elf64_Shdr)];
	tl_size size = elf->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	struct tl_elf_section section = {0};
	struct tl_cursor cursor;

	if (index >= elf->section_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no section %u", index);
	TL_TRY(read_at(elf, elf->section_offset + (tl_u64)index * size, bytes, size, "section header", error));
	cursor = tl_cursor_make(bytes, size);
	section.name = (tl_u32)take(elf, &cursor, 4);
	section.type = (tl_u32)take(elf, &cursor, 4);
	section.flags = take_word(elf, &cursor);
	section.address = take_word(elf, &cursor);
	section.offset = take_word(elf, &cursor);
	section.size = take_word(elf, &cursor);
	section.link = (tl_u32)take(elf, &cursor, 4);
	section.info = (tl_u32)take(elf, &cursor, 4);
	(void)take_word(elf, &cursor);
	section.entry_size = take_word(elf, &cursor);
	*section_ret = section;
	return TL_OK;
}

enum tl_status tl_elf_find_segment(const struct tl_elf *elf, tl_u32 type, struct tl_elf_segment *segment_ret,
				   struct tl_error *error)
{
	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		struct tl_elf_segment segment;

		TL_TRY(tl_elf_segment(elf, i, &segment, error));
		if (segment.type == type) {
			*segment_ret = segment;
			return TL_OK;
		}
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no program header of type %u", type);
}

/* Where a segment's bytes are to be read: a file's offset, or a place in the image. */
static tl_u64 place(const struct tl_elf *elf, const struct tl_elf_segment *segment)
{
	return elf->in_memory ? segment->address - elf->base : segment->offset;
}

enum tl_status tl_elf_dynamic(const struct tl_elf *elf, tl_u64 tag, tl_u64 *value_ret, tl_u64 *address_ret,
			      struct tl_error *error)
{
	tl_size size = elf->wide ? sizeof(Elf64_Dyn) : sizeof(Elf32_Dyn);
	struct tl_elf_segment segment;

	TL_TRY(tl_elf_find_segment(elf, PT_DYNAMIC, &segment, error));
	for (tl_u64 offset = 0; segment.file_size - offset >= size; offset += size) {
		tl_u8 bytes[sizeof(Elf64_Dyn)] = {0};
		struct tl_cursor cursor = tl_cursor_make(bytes, size);
		tl_u64 found;

		TL_TRY(read_at(elf, place(elf, &segment) + offset, bytes, size, "dynamic section", error));
		found = take_word(elf, &cursor);
		if (found == tag) {
			*value_ret = take_word(elf, &cursor);
			if (address_ret != NULL)
				*address_ret = segment.address + offset + size / 2;
			return TL_OK;
		}
		if (found == DT_NULL)
			break;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no dynamic entry %llu", (unsigned long long)tag);
}

/* Looks through one note segment, which is at most CHUNK bytes of it: build ids come first and are short. */
static bool find_build_id(const struct tl_elf *elf, struct tl_cursor notes, tl_u64 alignment, tl_u8 *bytes_ret,
			  tl_size *size_ret)
{
	alignment = alignment == 8 ? 8 : 4;
	while (!tl_cursor_done(&notes)) {
		tl_u64 name_size = take(elf, &notes, 4), size = take(elf, &notes, 4), type = take(elf, &notes, 4);
		/* The paddings' sizes: sizes have 32 bits, so nothing here can overflow. */
		tl_u64 name_gap = -name_size & 3, gap = -size & (alignment - 1);
		struct tl_cursor name = tl_cursor_take(&notes, name_size);
		struct tl_cursor content;

		(void)tl_cursor_take(&notes, name_gap);
		content = tl_cursor_take(&notes, size);
		if (content.failed || notes.failed)
			return false;
		if (type == NT_GNU_BUILD_ID && tl_cursor_left(&name) == 4 && memcmp(name.at, "GNU", 4) == 0 &&
		    size != 0 && size <= TL_ELF_BUILD_ID_MAX) {
			memcpy(bytes_ret, content.at, size);
			*size_ret = size;
			return true;
		}
		(void)tl_cursor_take(&notes, gap <= tl_cursor_left(&notes) ? gap : tl_cursor_left(&notes));
	}
	return false;
}

enum tl_status tl_elf_build_id(const struct tl_elf *elf, tl_u8 *bytes_ret, tl_size *size_ret, struct tl_error *error)
{
	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		struct tl_elf_segment segment;
		tl_u8 bytes[CHUNK];
		tl_size size;

		TL_TRY(tl_elf_segment(elf, i, &segment, error));
		if (segment.type != PT_NOTE)
			continue;
		size = segment.file_size < sizeof(bytes) ? segment.file_size : sizeof(bytes);
		TL_TRY(read_at(elf, place(elf, &segment), bytes, size, "notes", error));
		if (find_build_id(elf, tl_cursor_make(bytes, size), segment.alignment, bytes_ret, size_ret))
			return TL_OK;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no build id");
}

enum tl_status tl_elf_interpreter(const struct tl_elf *elf, char *path_ret, tl_size size, struct tl_error *error)
{
	struct tl_elf_segment segment;

	TL_TRY(tl_elf_find_segment(elf, PT_INTERP, &segment, error));
	if (segment.file_size == 0 || segment.file_size > size)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: an interpreter's path of %llu bytes",
			       (unsigned long long)segment.file_size);
	TL_TRY(read_at(elf, place(elf, &segment), path_ret, segment.file_size, "interpreter's path", error));
	if (memchr(path_ret, '\0', segment.file_size) == NULL)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: the interpreter's path has no end");
	return TL_OK;
}

struct lookup {
	const char *name;
	tl_size length;
	const char *strings;
	tl_u64 strings_size;
	bool found;
	struct tl_elf_symbol symbol;
};

/* Takes one entry of a symbol table; true when it is the one that is sought and none can be better. */
static bool match(const struct tl_elf *elf, struct tl_cursor cursor, struct lookup *lookup)
{
	struct tl_elf_symbol symbol = {0};
	tl_u64 name = take(elf, &cursor, 4);
	tl_u8 info;

	if (!elf->wide) {
		symbol.value = take(elf, &cursor, 4);
		symbol.size = take(elf, &cursor, 4);
	}
	info = tl_cursor_byte(&cursor);
	(void)tl_cursor_byte(&cursor);
	symbol.section = (tl_u16)take(elf, &cursor, 2);
	if (elf->wide) {
		symbol.value = take(elf, &cursor, 8);
		symbol.size = take(elf, &cursor, 8);
	}
	symbol.type = info & 15;
	symbol.binding = info >> 4;
	if (symbol.section == SHN_UNDEF || name >= lookup->strings_size ||
	    lookup->length >= lookup->strings_size - name ||
	    memcmp(lookup->strings + name, lookup->name, lookup->length + 1) != 0)
		return false;
	if (!lookup->found || symbol.binding != STB_LOCAL)
		lookup->symbol = symbol;
	lookup->found = true;
	return symbol.binding != STB_LOCAL;
}

static enum tl_status search_entries(const struct tl_elf *elf, const struct tl_elf_section *table,
				     struct lookup *lookup, struct tl_error *error)
{
	tl_size entry = elf->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	tl_u8 bytes[CHUNK];
	tl_u64 left = table->size / entry, offset = table->offset;

	while (left > 0) {
		tl_u64 count = sizeof(bytes) / entry;

		if (count > left)
			count = left;
		TL_TRY(read_at(elf, offset, bytes, count * entry, "symbol table", error));
		for (tl_u64 i = 0; i < count; i++)
			if (match(elf, tl_cursor_make(bytes + i * entry, entry), lookup))
				return TL_OK;
		left -= count;
		offset += count * entry;
	}
	return TL_OK;
}

static enum tl_status search_table(const struct tl_elf *elf, const struct tl_elf_section *table, struct lookup *lookup,
				   struct tl_error *error)
{
	struct tl_elf_section section;
	enum tl_status status;
	char *strings, last = 0;

	TL_TRY(tl_elf_section(elf, table->link, &section, error));
	if (section.type != SHT_STRTAB || section.size == 0 || section.size > STRINGS_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "damaged ELF file: a string table of %llu bytes",
			       (unsigned long long)section.size);
	/* A size that is a lie must not cost storage: the last byte has to be there. */
	TL_TRY(read_at(elf, section.offset + section.size - 1, &last, 1, "string table", error));
	strings = tl_storage()->resize(tl_storage()->context, NULL, 0, section.size);
	if (strings == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a string table of %llu bytes",
			       (unsigned long long)section.size);
	status = read_at(elf, section.offset, strings, section.size, "string table", error);
	if (status == TL_OK) {
		lookup->strings = strings;
		lookup->strings_size = section.size;
		status = search_entries(elf, table, lookup, error);
	}
	tl_release(tl_storage(), strings, section.size);
	return status;
}

enum tl_status tl_elf_symbol(const struct tl_elf *elf, const char *name, struct tl_elf_symbol *symbol_ret,
			     struct tl_error *error)
{
	static const tl_u32 kinds[] = {SHT_SYMTAB, SHT_DYNSYM};
	struct lookup lookup = {.name = name, .length = strlen(name)};

	for (tl_size kind = 0; kind < TL_COUNT(kinds) && !lookup.found; kind++) {
		for (tl_u32 i = 0; i < elf->section_count && !lookup.found; i++) {
			struct tl_elf_section section;

			TL_TRY(tl_elf_section(elf, i, &section, error));
			if (section.type == kinds[kind])
				TL_TRY(search_table(elf, &section, &lookup, error));
		}
	}
	if (!lookup.found)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no symbol \"%s\"", name);
	*symbol_ret = lookup.symbol;
	return TL_OK;
}

/*
 * Cores made by hand, byte by byte: notes and pieces of memory, in a file that has no name.
 */
#ifndef TL_TESTS_UNIT_CORE_BUILDER_H
#define TL_TESTS_UNIT_CORE_BUILDER_H

#include "base/core_notes.h"
#include "core/cursor.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUILDER_SEGMENTS 16

struct core_builder {
	bool wide;
	tl_u16 machine, type;
	tl_u8 notes[32768];
	tl_size notes_size;
	struct {
		tl_u64 address, memory_size;
		tl_u32 flags, filed;
		const void *bytes;
	} segments[BUILDER_SEGMENTS];
	tl_size segment_count;
	tl_u8 file[262144];
	tl_size file_size;
	int descriptor;
	char path[64];
};

static void builder_begin(struct core_builder *core, bool wide)
{
	memset(core, 0, sizeof(*core));
	core->wide = wide;
	core->machine = wide ? EM_X86_64 : EM_386;
	core->type = ET_CORE;
	core->descriptor = -1;
}

static void builder_note(struct core_builder *core, const char *name, tl_u32 type, const void *content, tl_size size)
{
	tl_size name_size = strlen(name) + 1;
	tl_u8 *at = core->notes + core->notes_size;

	tl_store_little(at, name_size, 4);
	tl_store_little(at + 4, size, 4);
	tl_store_little(at + 8, type, 4);
	memcpy(at + 12, name, name_size);
	at += 12 + ((name_size + 3) & ~(tl_size)3);
	if (size != 0)
		memcpy(at, content, size);
	core->notes_size = (tl_size)(at - core->notes) + ((size + 3) & ~(tl_size)3);
}

static const struct tl_core_layout *builder_layout(const struct core_builder *core)
{
	return core->machine == EM_AARCH64 ? tl_core_layout_arm64() : tl_core_layout(core->wide);
}

/* A thread whose general registers are `seed`, `seed` + 1 and so on, in the order of the note. */
static void builder_thread(struct core_builder *core, tl_u32 id, int signal, tl_u64 seed)
{
	const struct tl_core_layout *layout = builder_layout(core);
	tl_u8 note[512] = {0};

	tl_store_little(note + layout->status.signal, (tl_u64)signal, 2);
	tl_store_little(note + layout->status.thread, id, 4);
	for (tl_size n = 0; n < layout->status.registers_size / layout->word; n++)
		tl_store_little(note + layout->status.registers + n * layout->word, seed + n, layout->word);
	builder_note(core, "CORE", NT_PRSTATUS, note, layout->status.size);
}

static void builder_process(struct core_builder *core, tl_u32 id, const char *name, const char *words)
{
	const struct tl_core_layout *layout = builder_layout(core);
	tl_u8 note[256] = {0};

	tl_store_little(note + layout->info.process, id, 4);
	memcpy(note + layout->info.name, name, strnlen(name, TL_CORE_NAME_SIZE));
	memcpy(note + layout->info.arguments, words, strnlen(words, TL_CORE_ARGUMENTS_SIZE));
	builder_note(core, "CORE", NT_PRPSINFO, note, layout->info.size);
}

/* Entries of the auxiliary vector, pairs that AT_NULL ends. */
static void builder_auxv(struct core_builder *core, const tl_u64 *pairs)
{
	tl_size word = core->wide ? 8 : 4, size = 0;
	tl_u8 note[512] = {0};

	for (;; pairs += 2) {
		tl_store_little(note + size, pairs[0], word);
		tl_store_little(note + size + word, pairs[1], word);
		size += 2 * word;
		if (pairs[0] == AT_NULL)
			break;
	}
	builder_note(core, "CORE", NT_AUXV, note, size);
}

struct builder_mapping {
	tl_u64 start, end, page;
	const char *name;
};

static void builder_files(struct core_builder *core, const struct builder_mapping *list, tl_size count)
{
	tl_size word = core->wide ? 8 : 4, size = 0;
	tl_u8 note[8192];

	tl_store_little(note, count, word);
	tl_store_little(note + word, 4096, word);
	size = 2 * word;
	for (tl_size i = 0; i < count; i++, size += 3 * word) {
		tl_store_little(note + size, list[i].start, word);
		tl_store_little(note + size + word, list[i].end, word);
		tl_store_little(note + size + 2 * word, list[i].page, word);
	}
	for (tl_size i = 0; i < count; i++) {
		memcpy(note + size, list[i].name, strlen(list[i].name) + 1);
		size += strlen(list[i].name) + 1;
	}
	builder_note(core, "CORE", NT_FILE, note, size);
}

static void builder_memory(struct core_builder *core, tl_u64 address, const void *bytes, tl_u32 filed,
			   tl_u64 memory_size, tl_u32 flags)
{
	tl_size n = core->segment_count++;

	core->segments[n].address = address;
	core->segments[n].bytes = bytes;
	core->segments[n].filed = filed;
	core->segments[n].memory_size = memory_size;
	core->segments[n].flags = flags;
}

static void builder_header(struct core_builder *core, tl_size n, tl_u32 type, tl_u32 flags, tl_u64 offset,
			   tl_u64 address, tl_u64 filed, tl_u64 memory_size)
{
	if (core->wide) {
		Elf64_Phdr header = {type, flags, offset, address, 0, filed, memory_size, 1};

		memcpy(core->file + sizeof(Elf64_Ehdr) + n * sizeof(header), &header, sizeof(header));
	} else {
		Elf32_Phdr header = {type,          (tl_u32)offset,      (tl_u32)address, 0,
				     (tl_u32)filed, (tl_u32)memory_size, flags,           1};

		memcpy(core->file + sizeof(Elf32_Ehdr) + n * sizeof(header), &header, sizeof(header));
	}
}

static void builder_identity(struct core_builder *core)
{
	static const unsigned char magic[] = {0x7f, 'E', 'L', 'F', 0, ELFDATA2LSB, EV_CURRENT};
	tl_size count = core->segment_count + 1;

	if (core->wide) {
		Elf64_Ehdr header = {.e_type = core->type,
				     .e_machine = core->machine,
				     .e_version = EV_CURRENT,
				     .e_phoff = sizeof(header),
				     .e_ehsize = sizeof(header),
				     .e_phentsize = sizeof(Elf64_Phdr),
				     .e_phnum = (Elf64_Half)count};

		memcpy(header.e_ident, magic, sizeof(magic));
		header.e_ident[EI_CLASS] = ELFCLASS64;
		memcpy(core->file, &header, sizeof(header));
		core->file_size = sizeof(header) + count * sizeof(Elf64_Phdr);
	} else {
		Elf32_Ehdr header = {.e_type = core->type,
				     .e_machine = core->machine,
				     .e_version = EV_CURRENT,
				     .e_phoff = sizeof(header),
				     .e_ehsize = sizeof(header),
				     .e_phentsize = sizeof(Elf32_Phdr),
				     .e_phnum = (Elf32_Half)count};

		memcpy(header.e_ident, magic, sizeof(magic));
		header.e_ident[EI_CLASS] = ELFCLASS32;
		memcpy(core->file, &header, sizeof(header));
		core->file_size = sizeof(header) + count * sizeof(Elf32_Phdr);
	}
}

/* Puts it together in core->file. */
static void builder_end(struct core_builder *core)
{
	builder_identity(core);
	builder_header(core, 0, PT_NOTE, 0, core->file_size, 0, core->notes_size, 0);
	memcpy(core->file + core->file_size, core->notes, core->notes_size);
	core->file_size += core->notes_size;
	for (tl_size i = 0; i < core->segment_count; i++) {
		builder_header(core, i + 1, PT_LOAD, core->segments[i].flags, core->file_size,
			       core->segments[i].address, core->segments[i].filed, core->segments[i].memory_size);
		if (core->segments[i].filed != 0)
			memcpy(core->file + core->file_size, core->segments[i].bytes, core->segments[i].filed);
		core->file_size += core->segments[i].filed;
	}
}

/* A file of these bytes, whose name is in path_ret. */
static int builder_file(const void *bytes, tl_size size, char path_ret[64])
{
	int descriptor = memfd_create("made by hand", MFD_CLOEXEC);

	if (descriptor < 0 || write(descriptor, bytes, size) != (ssize_t)size)
		abort();
	(void)snprintf(path_ret, 64, "/proc/self/fd/%d", descriptor);
	return descriptor;
}

/* The same cut off behind `size` bytes. */
static const char *builder_write(struct core_builder *core, tl_size size)
{
	core->descriptor = builder_file(core->file, size, core->path);
	return core->path;
}

static const char *builder_path(struct core_builder *core)
{
	builder_end(core);
	return builder_write(core, core->file_size);
}

static void builder_close(struct core_builder *core)
{
	if (core->descriptor >= 0)
		(void)close(core->descriptor);
	core->descriptor = -1;
}

#endif

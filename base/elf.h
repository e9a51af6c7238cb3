/*
 * A small reader of ELF files (System V ABI, "Object Files"; gABI 4.1): what kind of file, segments, sections, dynamic
 * entries, build id, symbols by name.
 *
 * It reads through a callback, a file as well as the image of one in some program's memory, and believes nothing: every
 * offset, count and size is bounded before it is used, and damage is an error, never a crash. It keeps no storage of
 * its own between calls. Both classes and both byte orders. Any thread, one at a time for each struct tl_elf.
 */
#ifndef TL_BASE_ELF_H
#define TL_BASE_ELF_H

#include "base/error.h"
#include "core/types.h"

/*
 * Reads exactly `size` bytes at `offset` (of the file, or of the memory image from where its ELF header stands).
 * Returns an error, with nothing else to be said of `buffer`, when not all of them are there.
 */
typedef enum tl_status tl_elf_read(void *context, tl_u64 offset, void *buffer, tl_size size);

/* A tl_elf_read for files: `context` points at an open descriptor (an int). */
enum tl_status tl_elf_read_descriptor(void *context, tl_u64 offset, void *buffer, tl_size size);

struct tl_elf {
	tl_elf_read *read;
	void *context;
	bool wide;       /* ELFCLASS64 */
	bool big_endian; /* ELFDATA2MSB */
	bool in_memory;  /* what is read is a loaded image: segments stand at their addresses */
	tl_u16 type;     /* ET_EXEC 2, ET_DYN 3, ET_CORE 4 */
	tl_u16 machine;  /* EM_386 3, EM_X86_64 62, EM_AARCH64 183, EM_RISCV 243 */
	tl_u32 flags;
	tl_u64 entry; /* as it stands in the file: no load bias added */
	tl_u64 segment_offset;
	tl_u64 section_offset;
	tl_u32 segment_count;
	tl_u32 section_count; /* 0 for a memory image, which has none */
	tl_u64 base;          /* of a memory image: the p_vaddr at which its byte 0 stands; else 0 */
};

struct tl_elf_segment {
	tl_u32 type;  /* PT_LOAD 1, PT_DYNAMIC 2, PT_INTERP 3, PT_NOTE 4, PT_PHDR 6 */
	tl_u32 flags; /* 1 execute, 2 write, 4 read */
	tl_u64 offset;
	tl_u64 address;
	tl_u64 physical; /* where a loader of machines puts it */
	tl_u64 file_size;
	tl_u64 memory_size;
	tl_u64 alignment;
};

struct tl_elf_section {
	tl_u32 name; /* offset in the section of section names */
	tl_u32 type; /* SHT_SYMTAB 2, SHT_STRTAB 3, SHT_NOTE 7, SHT_NOBITS 8, SHT_DYNSYM 11 */
	tl_u64 flags;
	tl_u64 address;
	tl_u64 offset;
	tl_u64 size;
	tl_u32 link;
	tl_u32 info;
	tl_u64 entry_size;
};

struct tl_elf_symbol {
	tl_u64 value; /* no load bias added */
	tl_u64 size;
	tl_u8 type;    /* STT_OBJECT 1, STT_FUNC 2, STT_TLS 6, STT_GNU_IFUNC 10 */
	tl_u8 binding; /* STB_LOCAL 0, STB_GLOBAL 1, STB_WEAK 2 */
	tl_u16 section;
};

#define TL_ELF_BUILD_ID_MAX 64

/*
 * Reads the header. With `in_memory`, `read` reads a loaded image from the byte at which its header stands.
 * TL_ERROR_MALFORMED: not ELF, or damaged, and `error` says how.
 */
TL_CHECKED enum tl_status tl_elf_open(struct tl_elf *elf_ret, tl_elf_read *read, void *context, bool in_memory,
				      struct tl_error *error);

/* The index-th entry of the program header table, or of the section header table. */
TL_CHECKED enum tl_status tl_elf_segment(const struct tl_elf *elf, tl_u32 index, struct tl_elf_segment *segment_ret,
					 struct tl_error *error);
TL_CHECKED enum tl_status tl_elf_section(const struct tl_elf *elf, tl_u32 index, struct tl_elf_section *section_ret,
					 struct tl_error *error);

/* The first segment of a type; TL_ERROR_ARGUMENT when there is none. */
TL_CHECKED enum tl_status tl_elf_find_segment(const struct tl_elf *elf, tl_u32 type, struct tl_elf_segment *segment_ret,
					      struct tl_error *error);

/*
 * The value of the first dynamic entry with this tag (DT_DEBUG 21, DT_STRTAB 5 …). `address_ret`, unless NULL, gets
 * where that value stands, as an address without load bias. TL_ERROR_ARGUMENT when there is no such entry.
 */
TL_CHECKED enum tl_status tl_elf_dynamic(const struct tl_elf *elf, tl_u64 tag, tl_u64 *value_ret, tl_u64 *address_ret,
					 struct tl_error *error);

/* The GNU build id (note type 3 of "GNU"), at most TL_ELF_BUILD_ID_MAX bytes. TL_ERROR_ARGUMENT when there is none. */
TL_CHECKED enum tl_status tl_elf_build_id(const struct tl_elf *elf, tl_u8 *bytes_ret, tl_size *size_ret,
					  struct tl_error *error);

/* The path in PT_INTERP, ended by a zero byte. TL_ERROR_ARGUMENT when there is none: the program is static. */
TL_CHECKED enum tl_status tl_elf_interpreter(const struct tl_elf *elf, char *path_ret, tl_size size,
					     struct tl_error *error);

/*
 * A defined symbol by its name, first in .symtab, then in .dynsym; a global one before a local one. Of a file only.
 * Takes storage for the string table while it looks. TL_ERROR_ARGUMENT when there is no such symbol.
 */
TL_CHECKED enum tl_status tl_elf_symbol(const struct tl_elf *elf, const char *name, struct tl_elf_symbol *symbol_ret,
					struct tl_error *error);

#endif

/*
 * An image: one ELF file as symbols are read from it, with its sections in memory, and with the files that its debug
 * information may stand in instead: the separate debug file that its build id or its debug link names, and the file
 * of common parts that dwz made of several (DWARF 5, section 7.3.6 and .gnu_debugaltlink).
 *
 * Sections are mapped, not read; compressed ones (gABI, "Section Compression"; zlib and zstd, and .zdebug_*) are
 * unpacked when they are asked for first. Nothing in a file is believed. All functions may be called from any thread,
 * several at once for one image too, but for tl_image_close.
 */
#ifndef TL_SYMBOLS_IMAGE_H
#define TL_SYMBOLS_IMAGE_H

#include "base/elf.h"
#include "base/error.h"
#include "core/types.h"

/* X(name, ELF section). Each is looked for in the debug file first, then in the file itself. */
#define TL_SECTION_TABLE(X)                                                                                            \
	X(TL_SECTION_INFO, ".debug_info")                                                                              \
	X(TL_SECTION_TYPES, ".debug_types")                                                                            \
	X(TL_SECTION_ABBREV, ".debug_abbrev")                                                                          \
	X(TL_SECTION_STR, ".debug_str")                                                                                \
	X(TL_SECTION_STR_OFFSETS, ".debug_str_offsets")                                                                \
	X(TL_SECTION_LINE, ".debug_line")                                                                              \
	X(TL_SECTION_LINE_STR, ".debug_line_str")                                                                      \
	X(TL_SECTION_ADDR, ".debug_addr")                                                                              \
	X(TL_SECTION_ARANGES, ".debug_aranges")                                                                        \
	X(TL_SECTION_RANGES, ".debug_ranges")                                                                          \
	X(TL_SECTION_RNGLISTS, ".debug_rnglists")                                                                      \
	X(TL_SECTION_LOC, ".debug_loc")                                                                                \
	X(TL_SECTION_LOCLISTS, ".debug_loclists")                                                                      \
	X(TL_SECTION_DEBUG_FRAME, ".debug_frame")                                                                      \
	X(TL_SECTION_EH_FRAME, ".eh_frame")                                                                            \
	X(TL_SECTION_EH_FRAME_HEADER, ".eh_frame_hdr")                                                                 \
	X(TL_SECTION_SYMTAB, ".symtab")                                                                                \
	X(TL_SECTION_STRTAB, ".strtab")                                                                                \
	X(TL_SECTION_DYNSYM, ".dynsym")                                                                                \
	X(TL_SECTION_DYNSTR, ".dynstr")                                                                                \
	X(TL_SECTION_PLT, ".plt")                                                                                      \
	X(TL_SECTION_PLT_SEC, ".plt.sec")                                                                              \
	X(TL_SECTION_PLT_GOT, ".plt.got")                                                                              \
	X(TL_SECTION_GOT_PLT, ".got.plt")                                                                              \
	X(TL_SECTION_RELA_PLT, ".rela.plt")                                                                            \
	X(TL_SECTION_RELA_DYN, ".rela.dyn")                                                                            \
	X(TL_SECTION_REL_PLT, ".rel.plt")                                                                              \
	X(TL_SECTION_REL_DYN, ".rel.dyn")                                                                              \
	X(TL_SECTION_TEXT, ".text")

enum tl_section {
#define X(name, elf) name,
	TL_SECTION_TABLE(X)
#undef X
		TL_SECTION_MAX
};

/* The bytes of a section, valid as long as its image; an empty one is {NULL, 0, 0}. */
struct tl_section_bytes {
	const tl_u8 *bytes;
	tl_size size;
	tl_u64 address; /* as linked, without load bias; 0 for what is not loaded */
};

struct tl_image;

/* Where separate debug files are looked for. All strings belong to the caller and are used during the call only. */
struct tl_image_options {
	const char *debug_directories; /* separated by ':'; NULL: /usr/lib/debug */
	const char *root;              /* in front of the directories, for the files of another system; NULL: none */
	bool alone;                    /* look for no separate file */
};

/*
 * Opens the file at `path`. The caller closes it. That there is no debug information is no error (tl_image_debug says
 * so); nor is a debug file that is not to be had, is damaged, or belongs to another build: it is left alone, and
 * tl_image_remark says why. TL_ERROR_SYSTEM: it cannot be opened; TL_ERROR_MALFORMED: not an ELF file or damaged;
 * TL_ERROR_UNSUPPORTED: a big-endian one.
 */
TL_CHECKED enum tl_status tl_image_open(struct tl_image **image_ret, const char *path,
					const struct tl_image_options *options, struct tl_error *error);

/*
 * The same for an image that stands in memory that the caller keeps until the close: the vDSO, a fuzzer's input. No
 * separate file is looked for.
 */
TL_CHECKED enum tl_status tl_image_open_bytes(struct tl_image **image_ret, const char *name, const void *bytes,
					      tl_size size, struct tl_error *error);

/* Gives back everything; whatever points into its sections points nowhere then. NULL is fine. */
void tl_image_close(struct tl_image *image);

/* The path or name that it was opened by; the path of the separate debug file, NULL for none. */
const char *tl_image_path(const struct tl_image *image);
const char *tl_image_debug_path(const struct tl_image *image);

/* A sentence for a person about debug information that was looked for and not taken; NULL when there is none. */
const char *tl_image_remark(const struct tl_image *image);

/* The ELF header and tables of the file itself. */
const struct tl_elf *tl_image_elf(const struct tl_image *image);

/* The name of the index-th section of the file itself, which belongs to the image; NULL when it cannot be read. */
const char *tl_image_section_name(const struct tl_image *image, tl_u32 index, struct tl_elf_section *header_ret);

/* The build id, *size_ret bytes of it; 0 when it has none. */
const tl_u8 *tl_image_build_id(const struct tl_image *image, tl_size *size_ret);

/*
 * A number for the files that it was opened from, as they were then: another one if any of them was another, or had
 * been changed. 0: it stands in memory, or was changed so lately that nobody can tell. And whether they are the same
 * still, at the paths that they had.
 */
tl_u64 tl_image_identity(const struct tl_image *image);
bool tl_image_is_current(const struct tl_image *image);

/*
 * A section; an empty one when there is none. One that cannot be unpacked or lies beyond its file is an error, again at
 * each call. A section that takes up no room in the file (SHT_NOBITS) is empty.
 */
TL_CHECKED enum tl_status tl_image_section(struct tl_image *image, enum tl_section section,
					   struct tl_section_bytes *bytes_ret, struct tl_error *error);

/*
 * How many bytes a section takes up in its file, 0 when there is none, and whether they are packed. Nothing is read or
 * unpacked for it.
 */
tl_u64 tl_image_section_size(const struct tl_image *image, enum tl_section section, bool *packed_ret);

/* A section of the file that dwz made, for the forms that lead there; empty when there is no such file. */
TL_CHECKED enum tl_status tl_image_common_section(struct tl_image *image, enum tl_section section,
						  struct tl_section_bytes *bytes_ret, struct tl_error *error);

/*
 * Tells the kernel that these bytes, which lie in a section, will not be needed soon, so that they take up no memory
 * here; they come back when they are touched. Those of unpacked sections stay.
 */
void tl_image_forget_pages(struct tl_image *image, const tl_u8 *bytes, tl_size size);

/*
 * The lowest address that a loadable segment claims, and how many bytes from there to the end of the highest: a load
 * bias is what the program's own mapping has more than this.
 */
void tl_image_extent(const struct tl_image *image, tl_u64 *lowest_ret, tl_u64 *size_ret);

/*
 * The same of what is executable only, as first address and first one behind. Debug information of functions that the
 * linker threw away speaks of addresses below. Without loadable segments (ET_REL) it is everything.
 */
void tl_image_code_extent(const struct tl_image *image, tl_u64 *start_ret, tl_u64 *end_ret);

#endif

/*
 * One ELF file of the several that make up an image: for image.c and separate.c only.
 */
#ifndef TL_SYMBOLS_IMAGE_FILE_H
#define TL_SYMBOLS_IMAGE_FILE_H

#include "base/elf.h"
#include "core/cursor.h"
#include "symbols/mapping.h"

struct tl_image_file {
	const tl_u8 *bytes; /* NULL: there is no such file */
	tl_size size;
	struct tl_mapping mapping; /* of `bytes`; empty when they are the caller's */
	char *path;
	struct tl_elf elf; /* reads from this struct, which must not move */
	const char *names; /* the section of section names */
	tl_size names_size;
};

/* Maps a file and reads its header; errors as tl_image_open's. `file` is empty on failure. */
TL_CHECKED enum tl_status tl_image_file_open(struct tl_image_file *file, const char *path, struct tl_error *error);

/* Gives a file back and empties the struct; an empty one is fine. */
void tl_image_file_close(struct tl_image_file *file);

/* The index-th section and its name; NULL when it has none or cannot be read. */
const char *tl_image_file_section(const struct tl_image_file *file, tl_u32 index, struct tl_elf_section *header_ret);

/* The bytes of a section as they lie in the file; empty when they are not in it. */
struct tl_cursor tl_image_file_content(const struct tl_image_file *file, const struct tl_elf_section *header);

/* The build id's bytes; empty when there is none. */
struct tl_cursor tl_image_file_build_id(const struct tl_image_file *file);

#endif

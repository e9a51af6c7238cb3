/* A file, read whole into memory: for what is loaded into machines. */
#ifndef TL_BASE_CONTENT_H
#define TL_BASE_CONTENT_H

#include "base/elf.h"
#include "base/error.h"

#define TL_CONTENT_MAX ((tl_u64)4 << 30)

/* All 0: nothing. */
struct tl_content {
	const char *path; /* borrowed; for errors */
	tl_u8 *bytes;     /* from malloc; the owner of the struct frees them */
	tl_u64 size;      /* not 0 of what was read */
};

/*
 * Reads a regular file. TL_ERROR_ARGUMENT when it cannot be opened; TL_ERROR_MALFORMED when it is no file, cannot be
 * read, is empty or over TL_CONTENT_MAX; TL_ERROR_TRUNCATED when it shrinks meanwhile; TL_ERROR_NO_MEMORY. Any thread.
 */
TL_CHECKED enum tl_status tl_content_read(struct tl_content *content_ret, const char *path, struct tl_error *error);

/* Frees it; {0} is fine. */
void tl_content_free(struct tl_content *content);

/* Whether it begins as an ELF file does. */
bool tl_content_is_elf(const struct tl_content *content);

/* For tl_elf_open: the context is a struct tl_content. */
enum tl_status tl_content_read_elf(void *context, tl_u64 offset, void *buffer, tl_size size);

#endif

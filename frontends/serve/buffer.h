/*
 * Text and bytes that grow as they are written: documents for the client, argument lists, queues.
 *
 * Storage comes from malloc. When there is none the buffer is marked `failed` and drops what is added, so that a caller
 * may look once, at the end. A buffer that is all zeros is an empty one. Not for use by several threads at once.
 */
#ifndef TL_FRONTENDS_SERVE_BUFFER_H
#define TL_FRONTENDS_SERVE_BUFFER_H

#include "core/types.h"

struct tl_buffer {
	char *bytes; /* a zero byte stands behind the last one as soon as there is storage */
	tl_size size;
	tl_size capacity;
	bool failed;
};

/* Gives the storage back; the buffer is empty and may be used again. */
void tl_buffer_free(struct tl_buffer *buffer);

/* Empties it and clears `failed`; the storage stays. */
void tl_buffer_clear(struct tl_buffer *buffer);

/* Adds a copy of `size` bytes at the end; of a text; of what printf would make. */
void tl_buffer_add_bytes(struct tl_buffer *buffer, const void *bytes, tl_size size);
void tl_buffer_add(struct tl_buffer *buffer, const char *text);
void tl_buffer_format(struct tl_buffer *buffer, const char *format, ...) TL_PRINTF(2, 3);

/* Text with & < > ' " as XML entities; control characters become '?', for XML 1.0 has no way to say them. */
void tl_buffer_add_xml(struct tl_buffer *buffer, const char *text);

/* Takes `size` bytes, which must be there, from the front. */
void tl_buffer_take(struct tl_buffer *buffer, tl_size size);

/* The text, "" for a buffer that never had storage. Valid until the buffer changes. */
const char *tl_buffer_text(const struct tl_buffer *buffer);

#endif

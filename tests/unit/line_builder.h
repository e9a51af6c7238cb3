/* Line tables as they are built for tests, in any version. */
#ifndef TL_TESTS_UNIT_LINE_BUILDER_H
#define TL_TESTS_UNIT_LINE_BUILDER_H

#include "symbols/line_table.h"

#include <string.h>

struct line_builder {
	tl_u8 bytes[4096];
	tl_size size;
	tl_size start, header; /* where the open table's length and its header's length stand */
	tl_u8 offset_size;
};

static inline void line_put(struct line_builder *builder, tl_u64 value, tl_size size)
{
	tl_store_little(builder->bytes + builder->size, value, size);
	builder->size += size;
}

static inline void line_bytes(struct line_builder *builder, const void *bytes, tl_size size)
{
	memcpy(builder->bytes + builder->size, bytes, size);
	builder->size += size;
}

static inline void line_text(struct line_builder *builder, const char *text)
{
	line_bytes(builder, text, strlen(text) + 1);
}

/* Begins a table with directories "include" and "/usr/include", and files a.c (no directory), b.h (1) and c.h (2). */
static inline void line_begin(struct line_builder *builder, tl_u16 version, bool wide)
{
	builder->start = builder->size;
	builder->offset_size = wide ? 8 : 4;
	if (wide)
		line_put(builder, 0xffffffff, 4);
	line_put(builder, 0, builder->offset_size);
	line_put(builder, version, 2);
	if (version >= 5)
		line_put(builder, 8, 2); /* address size, no segments */
	builder->header = builder->size;
	line_put(builder, 0, builder->offset_size);
	line_put(builder, 1, 1);
	if (version >= 4)
		line_put(builder, 1, 1);
	/* statements; lines from -5 in a range of 14; 13 opcodes */
	line_bytes(builder, "\x01\xfb\x0e\x0d\x00\x01\x01\x01\x01\x00\x00\x00\x01\x00\x00\x01", 16);
	if (version < 5) {
		line_text(builder, "include");
		line_text(builder, "/usr/include");
		line_put(builder, 0, 1);
		line_text(builder, "a.c");
		line_bytes(builder, "\0\0\0", 3);
		line_text(builder, "b.h");
		line_bytes(builder, "\1\0\0", 3);
		line_text(builder, "c.h");
		line_bytes(builder, "\2\0\0", 3);
		line_put(builder, 0, 1);
	} else {
		line_bytes(builder, "\x01\x01\x08\x03", 4); /* directories: a path each, as strings */
		line_text(builder, "/src");
		line_text(builder, "include");
		line_text(builder, "/usr/include");
		line_bytes(builder, "\x03\x01\x08\x02\x0b\x05\x1e\x04", 8); /* files: path, directory, checksum */
		for (int i = 0; i < 4; i++) {
			line_text(builder, i < 2 ? "a.c" : i == 2 ? "b.h" : "c.h");
			line_put(builder, i < 2 ? 0 : (tl_u64)i - 1, 1);
			line_bytes(builder, "0123456789abcdef", 16);
		}
	}
	tl_store_little(builder->bytes + builder->header, builder->size - builder->header - builder->offset_size,
			builder->offset_size);
}

static inline void line_end(struct line_builder *builder)
{
	tl_size start = builder->start + (builder->offset_size == 8 ? 4 : 0);

	tl_store_little(builder->bytes + start, builder->size - start - builder->offset_size, builder->offset_size);
}

static inline void line_address(struct line_builder *builder, tl_u64 address)
{
	line_bytes(builder, "\x00\x09\x02", 3);
	line_put(builder, address, 8);
}

/* A special opcode: so many bytes and lines on, and a row. */
static inline void line_special(struct line_builder *builder, unsigned address, int line)
{
	line_put(builder, (tl_u64)(line + 5) + 14 * address + 13, 1);
}

static inline void line_end_sequence(struct line_builder *builder, unsigned advance)
{
	line_put(builder, 2, 1);
	line_put(builder, advance, 1);
	line_bytes(builder, "\x00\x01\x01", 3);
}

/* A row after an advance of the line by less than 64. */
static inline void line_row(struct line_builder *builder, unsigned address, int line)
{
	if (address != 0) {
		line_put(builder, 2, 1);
		line_put(builder, address, 1);
	}
	line_put(builder, 3, 1);
	line_put(builder, (tl_u64)line & 0x7f, 1);
	line_put(builder, 1, 1);
}

#endif

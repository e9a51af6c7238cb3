/*
 * The header of a line table: its files, and what the program of its rows needs. Internal to symbols/line_table.c.
 */
#ifndef TL_SYMBOLS_LINE_HEADER_H
#define TL_SYMBOLS_LINE_HEADER_H

#include "core/cursor.h"
#include "symbols/line_table.h"

struct tl_line_header {
	tl_u64 offset, end; /* of the table, in .debug_line */
	tl_u16 version;
	tl_u8 offset_size;
	tl_u8 minimum_length;
	tl_u8 maximum_operations; /* 1 at the least */
	bool statement;           /* whether rows are statements to begin with */
	tl_i8 line_base;
	tl_u8 line_range; /* not 0 */
	tl_u8 opcode_base;
	const tl_u8 *opcode_lengths; /* opcode_base - 1 of them; that of opcode n is at n - 1 */
	struct tl_cursor program;
};

/* Reads it, and puts directories and files into the table. */
TL_CHECKED enum tl_status tl_line_header_read(const struct tl_line_sections *sections, tl_u64 offset,
					      struct tl_line_table *table, struct tl_line_header *header_ret,
					      struct tl_error *error);

/* A file that the program itself declares (DW_LNE_define_file). TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_line_add_file(struct tl_line_table *table, const char *name, tl_u64 directory,
					   const tl_u8 *checksum);

#endif

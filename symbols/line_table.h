/*
 * Line tables: which line of which file the code at an address was made from (DWARF 5, section 6.2; versions 2 to 5).
 *
 * A table is read whole, from bytes that are not believed, into rows that stand in the order of addresses, and does not
 * change afterwards: any number of threads may look at it. Addresses are as linked, without load bias. Strings and
 * checksums belong to the sections.
 */
#ifndef TL_SYMBOLS_LINE_TABLE_H
#define TL_SYMBOLS_LINE_TABLE_H

#include "base/error.h"
#include "core/types.h"
#include "symbols/image.h"

/* What a row says besides its line (DWARF 5, section 6.2.2). */
#define TL_LINE_STATEMENT 1    /* a good place for a breakpoint */
#define TL_LINE_BLOCK 2        /* a basic block begins */
#define TL_LINE_END 4          /* no code: the sequence before it ends here */
#define TL_LINE_PROLOGUE_END 8 /* a good place for a breakpoint at the function */
#define TL_LINE_EPILOGUE_BEGIN 16

struct tl_line_row {
	tl_u64 address;
	tl_u32 line; /* 0: the code belongs to no line */
	tl_u32 discriminator;
	tl_u32 file; /* number of a file of the table, which need not exist */
	tl_u16 column;
	tl_u8 flags;
	tl_u8 operation; /* index in an instruction of several operations; 0 on all machines here */
};

/* Rows of consecutive code. Their addresses never go down. */
struct tl_line_sequence {
	tl_u64 start, end;
	tl_u64 reach;         /* the highest end of this one and those before it: they may overlap in odd files */
	tl_size first, count; /* of its rows */
};

struct tl_line_file {
	const char *name;
	tl_u64 directory;      /* number of its directory, which need not exist */
	const tl_u8 *checksum; /* MD5 of the file, 16 bytes; NULL: not there */
};

struct tl_line_table {
	tl_u64 offset; /* in .debug_line */
	tl_u16 version;
	bool has_rows;         /* they were asked for */
	const char *directory; /* of the compilation, from the unit; NULL: not known */
	const char *unit_name; /* the unit's source as the compiler was told it (tl_lines_of); NULL: not known */
	struct tl_line_row *rows;
	tl_size row_count, row_capacity;
	struct tl_line_sequence *sequences; /* in the order of addresses */
	tl_size sequence_count, sequence_capacity;
	/* Numbers begin with 1 before version 5, whose 0 is not there; from 5 on with 0, the unit's own source. */
	struct tl_line_file *files;
	tl_size file_count, file_capacity;
	const char **directories; /* 0: that of the compilation */
	tl_size directory_count, directory_capacity;
};

/* What is read, as section bytes; absent ones are empty. */
struct tl_line_sections {
	struct tl_section_bytes line, line_str, str;
	struct tl_section_bytes common_str; /* .debug_str of the file that dwz made */
	/* Where code may be: sequences that begin elsewhere are of functions that the linker dropped. Both 0: anywhere.
	 */
	tl_u64 code_start, code_end;
};

/*
 * Reads the table at an offset of .debug_line; without `rows`, only its files. `directory` is DW_AT_comp_dir, kept
 * without a copy, or NULL. The caller closes. TL_ERROR_MALFORMED, TL_ERROR_UNSUPPORTED, TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_line_table_read(struct tl_line_table **table_ret, const struct tl_line_sections *sections,
					     tl_u64 offset, const char *directory, bool rows, struct tl_error *error);
void tl_line_table_close(struct tl_line_table *table);

/* The offset of the next table, which stands behind this one; TL_ERROR_MALFORMED when the section ends or makes none.
 */
TL_CHECKED enum tl_status tl_line_table_next(const struct tl_line_sections *sections, tl_u64 *offset);

/*
 * The row that holds for an address; NULL for none. Of several at one address it is the last, or the last statement of
 * the same file before it: an empty line before it is not where the program stands. A row that is no statement and goes
 * to another file than a statement before it is passed over, as gdb does.
 */
const struct tl_line_row *tl_line_table_find(const struct tl_line_table *table, tl_u64 address);

/* The first address behind a row of the table at which another begins: the code of `row` is [row->address, that). */
tl_u64 tl_line_row_end(const struct tl_line_table *table, const struct tl_line_row *row);

/*
 * The code around `row` that a step over its line need not stop in: as many rows on either side, without a gap, as are
 * of the same line of the same file, and of no line.
 */
void tl_line_row_extent(const struct tl_line_table *table, const struct tl_line_row *row, tl_u64 *start_ret,
			tl_u64 *end_ret);

/*
 * The row that gdb remembers for one: of several in a row that are of one line it takes only the first, once one of
 * them has a discriminator.
 */
const struct tl_line_row *tl_line_row_kept(const struct tl_line_table *table, const struct tl_line_row *row);

/* The code of a row with that of the rows behind it that are not remembered, and of those of no line. */
tl_u64 tl_line_row_kept_end(const struct tl_line_table *table, const struct tl_line_row *row);

/*
 * The first statement of a line in a file (its whole path), or, where it has none, of the nearest line behind it; NULL
 * when there is none either. As gdb has it, a row does not count at whose address one of another file begins.
 */
const struct tl_line_row *tl_line_table_first(const struct tl_line_table *table, const char *file, tl_u32 line);

/*
 * Where a breakpoint at the function [start, end) belongs: at the row of the same file that says that the prologue
 * ends, else at `setup`, where a look at the instructions says that its frame is set up (or `start`), moved to the end
 * of the line if that is in the middle of one.
 */
tl_u64 tl_line_behind_prologue(const struct tl_line_table *table, tl_u64 start, tl_u64 end, tl_u64 setup);

/* The file with a number; NULL for none. */
const struct tl_line_file *tl_line_table_file(const struct tl_line_table *table, tl_u64 number);

/*
 * Writes the path of a file as the table has it (name, and directory unless that is the one of the compilation), or the
 * whole path with the directory of the compilation. Ends with a zero byte. Returns its length, which is `size` or more
 * when it did not fit; 0 when there is no such file.
 */
tl_size tl_line_table_path(const struct tl_line_table *table, tl_u64 number, bool whole, char *path_ret, tl_size size);

/*
 * Whether a row begins nothing new to a person: it goes on with the line of the row before it, and the compiler tells
 * parts of that line apart (DWARF 5, section 6.2.2, "discriminator"), as where a call may throw. gdb passes these by.
 */
bool tl_line_row_goes_on(const struct tl_line_table *table, const struct tl_line_row *row);

/*
 * The same as people are shown it: the compilation's directory is there where gdb has it, which is where that is no
 * whole path itself, or, from version 5 on, in front of all files without a directory but the unit's own source.
 */
tl_size tl_line_table_shown_path(const struct tl_line_table *table, tl_u64 number, char *path_ret, tl_size size);

#endif

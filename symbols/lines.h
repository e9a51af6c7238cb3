/*
 * The line tables of an image: each is read when it is asked for, and kept.
 *
 * A table is found by its unit, and belongs to the struct tl_lines. All functions may be called from any thread,
 * several at once, but for tl_lines_close.
 */
#ifndef TL_SYMBOLS_LINES_H
#define TL_SYMBOLS_LINES_H

#include "symbols/dwarf.h"
#include "symbols/line_query.h"
#include "symbols/line_table.h"

struct tl_lines;

/* The DWARF must outlive it; the caller closes. TL_ERROR_NO_MEMORY, or that a section cannot be unpacked. */
TL_CHECKED enum tl_status tl_lines_open(struct tl_lines **lines_ret, struct tl_dwarf *dwarf, struct tl_error *error);
void tl_lines_close(struct tl_lines *lines);

/*
 * The table of a unit, with its rows. TL_ERROR_ARGUMENT: it has none. TL_ERROR_MALFORMED, TL_ERROR_UNSUPPORTED: it is
 * damaged, or not understood.
 */
TL_CHECKED enum tl_status tl_lines_of(struct tl_lines *lines, const struct tl_unit *unit,
				      const struct tl_line_table **table_ret, struct tl_error *error);

/*
 * Asks all tables a query, which the caller then finishes. Tables that do not name the file are not read but for their
 * list of files; damaged ones are left out. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_lines_query(struct tl_lines *lines, struct tl_line_query *query, struct tl_error *error);

/*
 * Calls back for every table with its list of files, not its rows, which are valid during the call only, until `call`
 * returns false. Damaged ones are left out. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_lines_files(struct tl_lines *lines,
					 bool (*call)(void *context, const struct tl_line_table *table), void *context,
					 struct tl_error *error);

/*
 * Calls back with the table of one unit in the same way, whatever `call` returns. TL_ERROR_ARGUMENT: the unit has none.
 */
TL_CHECKED enum tl_status tl_lines_files_of(struct tl_lines *lines, const struct tl_unit *unit,
					    bool (*call)(void *context, const struct tl_line_table *table),
					    void *context, struct tl_error *error);

#endif

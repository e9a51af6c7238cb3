/*
 * From file and line to addresses, as a breakpoint wants them.
 *
 * A query is asked of any number of line tables, in any order, and then finished: it has the places of the line that
 * was wanted, or, where that made no code in any of them, of the nearest line behind it that did. In each run of rows
 * of one line the first statement is a place; several are left where the line was compiled several times (inlined
 * copies, templates, parts of a loop), and whoever knows of blocks can have those in one block made one.
 *
 * Runs that have discriminators (DWARF 5, section 6.2.2) are one place each in any case, as in gdb.
 *
 * gdb 13 finds fewer: it drops a row at whose address one of another file begins, and with it lines that begin with an
 * inlined call.
 */
#ifndef TL_SYMBOLS_LINE_QUERY_H
#define TL_SYMBOLS_LINE_QUERY_H

#include "symbols/line_table.h"

struct tl_line_place {
	tl_u64 address;                    /* as linked */
	const struct tl_line_table *table; /* lives as long as its owner lets it */
	tl_size row;                       /* in it */
	bool follows;                      /* it goes on with the run of rows that the place before is of */
	tl_u64 block;                      /* as tl_line_query_finish was told; 0: not known */
};

struct tl_line_query {
	const char *file; /* what was asked for; kept without a copy */
	tl_u32 line;
	tl_u32 found; /* the line that the places are of; 0: there are none */
	bool known;   /* a table names the file, whether it has places or not */
	struct tl_line_place *places;
	tl_size count, capacity;
};

/*
 * Does a path end in `asked`, part by part? Both may have "." and ".." in them, which are resolved as far as they can
 * be in words. An `asked` that begins with a slash has to be all of the path.
 */
bool tl_path_matches(const char *path, const char *asked);

/* An empty query for a line (1 at the least) of files that match `file`. tl_line_query_release gives back its places.
 */
struct tl_line_query tl_line_query_begin(const char *file, tl_u32 line);
void tl_line_query_release(struct tl_line_query *query);

/* Does a table name a file that the query is about? One that was read without rows can be asked, too. */
bool tl_line_query_concerns(const struct tl_line_query *query, const struct tl_line_table *table);

/* Adds the places of a table, which was read with its rows. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_line_query_add(struct tl_line_query *query, const struct tl_line_table *table,
					    struct tl_error *error);

/*
 * Puts the places in the order of addresses, each once; until then there is one for every row, not for every run. With
 * `block_of`, which tells blocks apart by a number that is not 0 (the innermost lexical block or inlined function at an
 * address; 0 for an unknown one), the first of each block stays, as in gdb: a `for` that begins, counts and ends in
 * three places is one breakpoint. Without, or where a block is not known, the first of each run.
 */
void tl_line_query_finish(struct tl_line_query *query, tl_u64 (*block_of)(void *context, tl_u64 address),
			  void *context);

#endif

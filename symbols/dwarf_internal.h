/*
 * What the readers of entries, of attributes and of units share. Private to dwarf.c, dwarf_attribute.c and
 * dwarf_units.c.
 */
#ifndef TL_SYMBOLS_DWARF_INTERNAL_H
#define TL_SYMBOLS_DWARF_INTERNAL_H

#include "core/cursor.h"
#include "symbols/abbreviation.h"
#include "symbols/dwarf.h"

#include <pthread.h>
#include <stdatomic.h>

/* Where units stand. */
enum { TL_DWARF_INFO, TL_DWARF_TYPES, TL_DWARF_COMMON, TL_DWARF_MAX };

/* The table of one offset in .debug_abbrev, which units may share; filled at first use. */
struct tl_dwarf_table {
	_Atomic(struct tl_abbreviations *) filled;
	tl_size owner; /* index of the first unit with this offset, in whose struct the table is kept */
};

struct tl_dwarf_signature {
	tl_u64 signature;
	tl_size unit;
};

struct tl_dwarf {
	struct tl_image *image;
	struct tl_section_bytes parts[TL_DWARF_MAX], abbreviations[2]; /* own, common */
	struct tl_unit *units;
	tl_size count, capacity;
	tl_size part_start[TL_DWARF_MAX + 1]; /* index of the first unit of each part */
	struct tl_dwarf_table *tables;        /* one a unit */
	tl_size table_count;
	struct tl_dwarf_signature *signatures;
	tl_size signature_count, signature_capacity;
	pthread_mutex_t lock;        /* held while a table is filled */
	tl_u64 specification_budget; /* under `lock`: what may still be kept; tables that overlap could take up any room
				      */
	char remark[256];
	pthread_mutex_t opening; /* held while units are read */
	atomic_bool read;        /* they are: what is above does not change any more, but for what `lock` guards */
};

/* An error that says where the damage is: TL_ERROR_MALFORMED. */
TL_CHECKED enum tl_status tl_dwarf_damaged(const struct tl_unit *unit, tl_u64 offset, const char *what,
					   struct tl_error *error);

/* The type unit with a signature; NULL: there is none. */
const struct tl_unit *tl_dwarf_type_unit(const struct tl_dwarf *dwarf, tl_u64 signature);

/* A cursor from an offset of a unit to its end. */
static inline struct tl_cursor tl_unit_cursor(const struct tl_unit *unit, tl_u64 offset)
{
	unsigned part = unit->common                        ? TL_DWARF_COMMON
			: unit->section == TL_SECTION_TYPES ? TL_DWARF_TYPES
							    : TL_DWARF_INFO;
	const tl_u8 *bytes = unit->dwarf->parts[part].bytes;

	if (offset < unit->offset || offset > unit->end)
		offset = unit->end;
	return (struct tl_cursor){bytes + offset, bytes + unit->end, false};
}

/* The offset in its section at which a cursor of unit_cursor stands. */
static inline tl_u64 tl_unit_cursor_offset(const struct tl_unit *unit, const struct tl_cursor *cursor)
{
	return unit->end - tl_cursor_left(cursor);
}

#endif

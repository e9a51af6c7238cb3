/*
 * Tables of abbreviations (DWARF 5, section 7.5.3): what an entry's code says of its tag, its children and the forms of
 * its attributes.
 */
#ifndef TL_SYMBOLS_ABBREVIATION_H
#define TL_SYMBOLS_ABBREVIATION_H

#include "base/error.h"
#include "core/cursor.h"
#include "symbols/dwarf.h"

struct tl_specification {
	tl_u16 name, form;
	tl_i64 constant; /* of DW_FORM_implicit_const */
};

struct tl_abbreviation {
	tl_u32 code;
	tl_u16 tag;
	bool has_children;
	bool fixed; /* all attributes together have a size that the unit's header determines: */
	tl_u16 fixed_bytes, fixed_addresses, fixed_offsets;
	tl_u32 count;
	const struct tl_specification *specifications;
};

/* A table. Begins as {0}; may be filled again and again, and keeps its storage until it is freed. */
struct tl_abbreviations {
	struct tl_abbreviation *list; /* by code */
	tl_size count, capacity;
	struct tl_specification *specifications;
	tl_size specification_count, specification_capacity;
	bool dense;     /* the codes are 1, 2, 3 … */
	tl_size passed; /* how many bytes of .debug_abbrev were gone through */
};

/*
 * Fills `table` with the abbreviations at `offset` of .debug_abbrev. With only_code != 0 it keeps that one alone.
 * TL_ERROR_MALFORMED, TL_ERROR_NO_MEMORY: `table` is empty then. Not for use by several threads at once.
 */
TL_CHECKED enum tl_status tl_abbreviations_read(struct tl_abbreviations *table, const struct tl_section_bytes *section,
						tl_u64 offset, tl_u64 only_code, struct tl_error *error);

/* Gives the storage back and empties the table. */
void tl_abbreviations_free(struct tl_abbreviations *table);

/* The abbreviation with a code; NULL when there is none. */
const struct tl_abbreviation *tl_abbreviations_find(const struct tl_abbreviations *table, tl_u64 code);

/*
 * How many bytes a value of this form takes up in a unit; negative when the value itself says so, or when the form is
 * not known.
 */
int tl_form_size(const struct tl_unit *unit, tl_u16 form);

/* Passes over a value of this form. An unknown form fails the cursor. */
void tl_form_skip(const struct tl_unit *unit, tl_u16 form, struct tl_cursor *cursor);

/*
 * For tl_dwarf_open and the index, which read entries with tables of their own: what tl_entry_attribute does for one
 * whose abbreviation is known.
 */
TL_CHECKED enum tl_status tl_attribute_read(const struct tl_unit *unit, const struct tl_specification *specification,
					    struct tl_cursor *cursor, struct tl_attribute *attribute_ret,
					    struct tl_error *error);

/*
 * How many bytes of .debug_abbrev a pass over all units may go through. It is far more than any compiler's output
 * needs, though units that take turns with several tables read each many times.
 */
tl_u64 tl_dwarf_abbreviations_max(const struct tl_dwarf *dwarf);

#endif

/*
 * The index: which names debug information has, and where; and which unit an address belongs to.
 *
 * It is made in one pass over all units, by several threads, which reads no more than it must: children of functions
 * and of C's structures are passed over by DW_AT_sibling, and pages that were read are given back. Functions and
 * variables are each in it; a type or an enumerator that every unit repeats (same name, tag, line, size and scope) is
 * in it once, for the first unit. Declarations are not, nor is what stands inside of functions; member functions of a
 * class in a function count as what stands beside it. What it says of an entry is where to find it; the rest is in
 * the debug information. Afterwards it never changes: any number of threads may look.
 */
#ifndef TL_SYMBOLS_INDEX_H
#define TL_SYMBOLS_INDEX_H

#include "symbols/dwarf.h"

struct tl_index;

/* Kinds of names; also as a mask of those that are sought. */
enum {
	TL_INDEX_FUNCTION = 1,
	TL_INDEX_VARIABLE = 2,
	TL_INDEX_TYPE = 4, /* the tag says which */
	TL_INDEX_ENUMERATOR = 8,
	TL_INDEX_NAMESPACE = 16,
	TL_INDEX_ALL = 31
};

/* What is known of an entry beyond its place. */
enum {
	TL_INDEX_HAS_CODE =
		1, /* a function with addresses: a definition, or the copy of an inline function that is called */
	TL_INDEX_INLINE = 2,    /* a function that was inlined, or may have been: the origin of its copies */
	TL_INDEX_EXTERNAL = 4,  /* known to other units */
	TL_INDEX_HAS_VALUE = 8, /* a variable with a location or a constant value */
};

/* A name that was found. Everything belongs to the index or to the debug information. */
struct tl_indexed {
	const char *name; /* as the entry has it, with template arguments and without scope */
	unsigned kind;    /* one of TL_INDEX_FUNCTION … */
	unsigned flags;
	tl_u16 tag;
	tl_u32 scope; /* for tl_index_scope */
	const struct tl_unit *unit;
	tl_u64 offset; /* for tl_entry_at */
};

struct tl_index_options {
	unsigned threads;          /* 0: one a processor, 8 at the most */
	_Atomic tl_u32 *cancel;    /* if it becomes other than 0, building ends with TL_ERROR_CANCELLED; may be NULL */
	_Atomic tl_size *progress; /* counts units that were read, of tl_dwarf_unit_count; may be NULL */
};

/*
 * Reads all units. The struct tl_dwarf must outlive the index; the caller closes. Damaged units are in it as far as
 * they could be read. `options` may be NULL.
 */
TL_CHECKED enum tl_status tl_index_build(struct tl_index **index_ret, struct tl_dwarf *dwarf,
					 const struct tl_index_options *options, struct tl_error *error);

/* NULL is fine. */
void tl_index_close(struct tl_index *index);

/*
 * Calls back, in the order of the file, for every entry of a name whose kind is in the mask, until `call` returns
 * false. "f" finds f in every scope; "a::f" those whose innermost scopes are named so; "::f" only that outside of all.
 * Anonymous and inline namespaces may be left out of the name, and so may template arguments ("f" finds "f<int>").
 */
TL_CHECKED enum tl_status tl_index_find(const struct tl_index *index, const char *name, unsigned kinds,
					bool (*call)(void *context, const struct tl_indexed *found), void *context,
					struct tl_error *error);

/* Calls back for every entry of these kinds, in no particular order but with all of one name in a row. */
void tl_index_each(const struct tl_index *index, unsigned kinds,
		   bool (*call)(void *context, const struct tl_indexed *found), void *context);

/* Writes "a::b", the scope of an entry, "" for none; cut off if it does not fit. Returns its length, as snprintf. */
tl_size tl_index_scope(const struct tl_index *index, tl_u32 scope, char *text_ret, tl_size size);

/* The unit that says an address (without load bias) is its own; NULL for none. */
const struct tl_unit *tl_index_unit(const struct tl_index *index, tl_u64 address);

/* How many different names and how many entries there are. */
void tl_index_counts(const struct tl_index *index, tl_size *names_ret, tl_size *entries_ret);

#endif

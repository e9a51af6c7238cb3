/*
 * How the index is made and how it lies in memory: for index.c, index_scan.c, index_merge.c and cache.c only.
 *
 * The finished index is one block of bytes without pointers, so that it can be written to a file and mapped again:
 *
 *     header | buckets | names | entries | scopes | ranges | text
 *
 * A bucket is the index of the first name whose hash has these highest bits. A name has its entries in a row. Offsets
 * of text lead to strings that end with a zero byte; the text ends with one. Whoever reads the block checks every
 * number before using it, because a file may be damaged.
 */
#ifndef TL_SYMBOLS_INDEX_INTERNAL_H
#define TL_SYMBOLS_INDEX_INTERNAL_H

#include "symbols/abbreviation.h"
#include "symbols/index.h"
#include "symbols/mapping.h"

#include <stdatomic.h>

#define TL_INDEX_MAGIC 0x78646e692d6c74ull /* "tl-indx" */
#define TL_INDEX_VERSION 2u

struct tl_index_header {
	tl_u64 magic;
	tl_u32 version;
	tl_u32 bucket_bits; /* there are 2^bits + 1 buckets */
	tl_u32 name_count, entry_count, scope_count, range_count;
	tl_u64 text_size, size;        /* of the whole block */
	tl_u64 unit_count, unit_bytes; /* of the debug information that it belongs to */
	tl_u64 identity, content;      /* in a file: which files that stood in, and what it was; see cache.c */
	tl_u64 checksum;               /* in a file: see cache.c */
};

struct tl_index_name {
	tl_u32 hash, text;
	tl_u32 first; /* entry; the next name's is behind its last, and behind the last name stands one more */
};

struct tl_index_entry {
	tl_u32 unit;   /* index */
	tl_u32 offset; /* from the unit's */
	tl_u32 scope;
	tl_u16 tag;
	tl_u8 kind, flags;
};

/* Scope 0 is the outermost. A scope's parent has a lower number. */
struct tl_index_scope {
	tl_u32 text, parent;
	tl_u32 transparent; /* an inline or anonymous namespace */
};

struct tl_index_range {
	tl_u64 start, end;
	tl_u32 unit, unused;
};

/* The tables of a block, found and bounded. */
struct tl_index {
	struct tl_dwarf *dwarf;
	const tl_u8 *block;
	tl_size size;
	struct tl_mapping mapping; /* where a kept index is; else the block is storage */
	const struct tl_index_header *header;
	const tl_u32 *buckets;
	const struct tl_index_name *names;
	const struct tl_index_entry *entries;
	const struct tl_index_scope *scopes;
	const struct tl_index_range *ranges;
	const char *text;
};

/* Finds the tables of index->block; false when its sizes are not right. */
bool tl_index_lay_out(struct tl_index *index);

/* The size of a block with a header's counts. */
tl_u64 tl_index_size(const struct tl_index_header *header);

/* How many bytes all units have together: what an index belongs to has as many units of as many bytes. */
tl_u64 tl_index_unit_bytes(const struct tl_dwarf *dwarf);

/* The hash of a name without template arguments. */
tl_u32 tl_index_hash(const char *name, tl_size length);

/* The length of a name without template arguments ("operator<" has none). */
tl_size tl_index_base_length(const char *name, tl_size length);

/* ============================================================ building =========================================== */

/* A name as a worker knows it. */
struct tl_raw_name {
	tl_u64 key; /* of the table of names: see index_tables.h */
	const char *text;
	tl_u32 length, hash;
	tl_u32 merged; /* its number in the part of names that index_merge.c makes, later in the index */
};

/* An entry as a worker found it. */
struct tl_raw_entry {
	tl_u32 worker_name;          /* the worker's number of its name */
	tl_u32 name;                 /* while it is being merged */
	struct tl_index_entry entry; /* with the worker's scope */
	tl_u32 line, size;           /* with name, tag and scope what tells two types apart */
};

/* A scope as a worker knows it. */
struct tl_raw_scope {
	tl_u32 name, parent, transparent;
	tl_u32 merged;
};

/* An entry whose name stands in another unit. */
struct tl_raw_foreign {
	tl_u64 target;
	bool common, types; /* it lies in the common file, or in .debug_types */
	struct tl_index_entry entry;
};

/* An array that grows. */
struct tl_list {
	void *items;
	tl_size count, capacity;
};

/* A hash table with open addressing. A slot of zeros is empty. */
struct tl_slots {
	void *slots;
	tl_size size, used; /* `size` is a power of two, or 0 */
};

struct tl_builder;

struct tl_worker {
	struct tl_builder *builder;
	tl_u32 index;
	bool failed; /* no memory */
	struct tl_list names, entries, scopes, foreign, ranges;
	struct tl_slots name_slots, seen, scope_slots;
	struct tl_abbreviations abbreviations;
	const struct tl_unit *last_unit; /* whose abbreviations these are, and the plans */
	struct tl_list plans, steps, containers, later;
};

struct tl_builder {
	struct tl_dwarf *dwarf;
	struct tl_index_options options;
	struct tl_worker *workers;
	unsigned worker_count;
	_Atomic tl_size next;  /* unit that nobody reads yet */
	_Atomic bool failed;   /* no memory */
	_Atomic tl_u64 passed; /* bytes of abbreviations that were gone through, and how many may be */
	tl_u64 passed_max;
};

/* Runs `call` for each worker, in threads as far as there are any. */
void tl_builder_run(struct tl_builder *builder, void (*call)(struct tl_worker *worker, void *context), void *context);

/* Room for one more item of `size` bytes, zeroed; NULL without storage. Pointers to others may become invalid. */
void *tl_list_add(struct tl_list *list, tl_size size);

/* Gives a list's storage back. */
void tl_list_free(struct tl_list *list, tl_size size);

/* Reads one unit into the worker's lists. False without storage. */
bool tl_worker_scan(struct tl_worker *worker, tl_u32 unit_index);

/* Names the entries whose names stand in other units. False without storage. */
bool tl_worker_resolve(struct tl_worker *worker);

/* In C nothing stands in the scope of a structure. What is not known may be C++. */
bool tl_unit_has_scopes(const struct tl_unit *unit);

/* Gives back all that a worker has. */
void tl_worker_free(struct tl_worker *worker);

/*
 * Makes the block of what the workers found, and empties their lists. TL_ERROR_NO_MEMORY, TL_ERROR_TOO_LONG: more than
 * the block can number.
 */
TL_CHECKED enum tl_status tl_builder_merge(struct tl_builder *builder, struct tl_index *index, struct tl_error *error);

#endif

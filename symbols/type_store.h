/*
 * What type.c, type_members.c, type_name.c and type_made.c share: the store of types that were read. Private to these
 * files. Where a function is named `…_locked`, its caller holds the lock of the store.
 */
#ifndef TL_SYMBOLS_TYPE_STORE_H
#define TL_SYMBOLS_TYPE_STORE_H

#include "symbols/type.h"

#include <pthread.h>

/* No chain of typedefs, qualifiers, arrays and origins is this long but in damaged files. */
#define TL_TYPE_CHAIN_MAX 256

struct tl_type_record {
	struct tl_type type;
	struct tl_type_record *next; /* in its slot of the hash table */
	tl_u64 key[2];               /* what it is found by */
	/* Each NULL until it was asked for. */
	const struct tl_type *target, *container;
	const struct tl_member *members;
	const struct tl_type *const *member_types; /* of a type that was made, of each member; else NULL */
	tl_size member_count;
	const char *full_name;
	struct tl_bound bound; /* of arrays, always there */
};

struct tl_types {
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	tl_type_lookup *lookup;
	void *lookup_context;
	pthread_mutex_t lock;
	struct tl_type_record **slots;
	tl_size slot_count, count;
	struct tl_type_chunk *chunks; /* all that types consist of; freed together */
	tl_size storage, limit;
	bool quads;
	struct tl_type_record empty; /* void */
};

static inline struct tl_type_record *tl_type_record(const struct tl_type *type)
{
	/* A type is handed out constant, and is the first part of a record that is not. */
	return TL_CONTAINER((tl_uintptr)type, struct tl_type_record, type);
}

/* Storage that lives as long as the types, zeroed. */
TL_CHECKED enum tl_status tl_types_allocate_locked(struct tl_types *types, tl_size size, void *block_ret,
						   struct tl_error *error);

/* The record with a key, NULL for none; and adds one. */
struct tl_type_record *tl_types_find_locked(const struct tl_types *types, const tl_u64 key[2]);
TL_CHECKED enum tl_status tl_types_publish_locked(struct tl_types *types, struct tl_type_record *record,
						  struct tl_error *error);

/* A constant as a signed number: sdata as it stands, data1…data8 extended only if `is_signed`. False: it is none. */
bool tl_type_constant(const struct tl_attribute *attribute, bool is_signed, tl_i64 *value_ret);

/* True for typedefs and qualifiers, which stand for another type. */
bool tl_type_is_alias(enum tl_type_kind kind);

#endif

/*
 * What the parts of containers.h share.
 */
#ifndef TL_DEBUGGER_CONTAINERS_INTERNAL_H
#define TL_DEBUGGER_CONTAINERS_INTERNAL_H

#include "debugger/values/containers.h"

/* Words of the program, as wide as its pointers: one; at most four. */
TL_CHECKED enum tl_status tl_container_read_word(const struct tl_value_context *context, tl_u64 address,
						 tl_u64 *word_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_container_read_words(const struct tl_value_context *context, tl_u64 address,
						  tl_u64 *words_ret, tl_size count, struct tl_error *error);

/* What is being looked into. */
struct tl_container_view {
	const struct tl_value_context *context;
	const struct tl_value *value;
	const struct tl_type *type; /* stripped */
	const char *name;           /* "std::vector", without arguments; in the arena */
	unsigned nesting;           /* of what wraps others */
	struct tl_container *container;
	struct tl_error *error;
};

/* Opens one kind of type. */
typedef enum tl_status tl_container_opener(struct tl_container_view *view);

/* Those that stand in nodes, and the sequences: containers_kinds.c. */
tl_container_opener tl_container_vector, tl_container_deque, tl_container_list, tl_container_forward_list,
	tl_container_map, tl_container_set, tl_container_hash_map, tl_container_hash_set, tl_container_span,
	tl_container_initializer_list, tl_container_bitset;
/* Those that hold one thing or a few: containers_holders.c. */
tl_container_opener tl_container_pair, tl_container_tuple, tl_container_optional, tl_container_variant,
	tl_container_unique, tl_container_shared, tl_container_atomic, tl_container_adapter, tl_container_string,
	tl_container_string_view, tl_container_ordering;
/* Iterators: containers_holders.c. */
tl_container_opener tl_container_iterator, tl_container_list_iterator, tl_container_forward_iterator,
	tl_container_tree_iterator, tl_container_deque_iterator, tl_container_bit_iterator, tl_container_bit_reference;

/* Looks into a value that another one holds; *known_ret as for tl_container_open. */
TL_CHECKED enum tl_status tl_container_open_nested(const struct tl_value_context *context, const struct tl_value *value,
						   unsigned nesting, struct tl_container *container_ret,
						   bool *known_ret, struct tl_error *error);

/* The member at the end of a path of names, "_M_impl._M_start"; as a number. */
TL_CHECKED enum tl_status tl_container_member(const struct tl_container_view *view, const char *path,
					      struct tl_value *value_ret);
TL_CHECKED enum tl_status tl_container_number(const struct tl_container_view *view, const char *path,
					      tl_u64 *number_ret);

/* Sets the head, in printf's way. */
TL_CHECKED enum tl_status tl_container_head(const struct tl_container_view *view, const char *format, ...)
	TL_PRINTF(2, 3);

/* The size of an element, which is one at least and not beyond what any program has. */
TL_CHECKED enum tl_status tl_container_element_size(const struct tl_container_view *view, const struct tl_type *type,
						    tl_u64 *size_ret);
/* Where an element stands in a node that begins with so many words. */
TL_CHECKED enum tl_status tl_container_element_offset(const struct tl_container_view *view, const struct tl_type *type,
						      tl_u64 begin, tl_u64 *offset_ret);
/* The index-th template argument, which must be a type. */
TL_CHECKED enum tl_status tl_container_type_argument(const struct tl_container_view *view, tl_size index,
						     const struct tl_type **type_ret);
/* That memory can be read at its first and last byte; none is read for a size of zero. */
TL_CHECKED enum tl_status tl_container_check_memory(const struct tl_container_view *view, tl_u64 address, tl_u64 size);

#endif

/*
 * Values of the C++ library's types as what they mean: a std::vector as its elements, a std::string as its text, as
 * gdb shows them with libstdc++'s own printers.
 *
 * A type is known by its full name; its members are looked for by theirs, so that nothing is assumed of where they
 * stand. Of what lies in the program's memory nothing is believed: it may be a variable that was not made yet. Sizes
 * are held against sense before anything is shown, links against each other as they are followed; what does not hold is
 * an error whose sentence says why. Not for several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_CONTAINERS_H
#define TL_DEBUGGER_CONTAINERS_H

#include "debugger/values/value.h"

/* How it is laid out behind its head, which is "std::vector of length 2, capacity 2" and the like. */
enum tl_container_style {
	TL_CONTAINER_TEXT,    /* nothing else */
	TL_CONTAINER_STRING,  /* `length` characters at `address`, of type `character`; no head */
	TL_CONTAINER_NAMED,   /* {[0] = 1, [1] = 2}, with the names of children */
	TL_CONTAINER_ARRAY,   /* {1, 2} */
	TL_CONTAINER_MAP,     /* {["a"] = 1}: keys and values in turn */
	TL_CONTAINER_WRAPPED, /* = { 1 } */
	TL_CONTAINER_ALIAS    /* one child, which is shown in its place */
};

/* How its children are found. */
enum tl_container_walk {
	TL_WALK_NONE,
	TL_WALK_RANGE,  /* one behind the other from `node` on */
	TL_WALK_BITS,   /* bits of words from `node` on */
	TL_WALK_CHUNKS, /* of a deque: from `node` to `chunk_end`, then from where the word behind `chunk` points */
	TL_WALK_LINKS,  /* `node` points to the next, until `end` */
	TL_WALK_TREE,   /* `node` and those behind it in the order of the tree */
	TL_WALK_PAIR,   /* `first` and `second` of `value` */
	TL_WALK_TUPLE,  /* of the bases of `value` */
	TL_WALK_SET,    /* the bits that are set in the bytes of `value` */
	TL_WALK_ONE     /* `value` alone, called `name` */
};

/* Filled in by tl_container_open; only what stands above `walk` is for the caller. */
struct tl_container {
	enum tl_container_style style;
	const char *head; /* in the context's arena; NULL: none */
	const struct tl_type *character;
	tl_u64 address, length; /* length in characters */
	enum tl_container_walk walk;
	const struct tl_type *types[2]; /* of elements; of keys and values in a map */
	tl_u64 offsets[2];              /* where these stand in a node */
	tl_u64 stride;                  /* bytes from one element to the next; of a chunk */
	tl_u64 node, end, count, done;
	tl_u64 chunk, chunk_end, chunk_size;
	tl_u64 mark, mark_distance, mark_limit; /* how circles are noticed: an earlier node */
	bool backwards;                         /* nodes also point back, which is checked */
	bool pending;                           /* `node` was shown: the next is to be found */
	bool pairs, second;                     /* of a map: a value comes next */
	struct tl_value value;
	const char *name;
};

struct tl_container_child {
	char name[32];
	struct tl_value value;
};

/* Whether the name of a stripped type is one that tl_container_open looks into. */
TL_CHECKED enum tl_status tl_container_is_known(const struct tl_type *type, bool *known_ret, struct tl_error *error);

/*
 * Looks into a struct that was loaded, of which `type` is the stripped type. Leaves *known_ret false if it is none of
 * the library's; an error when it is known, but holds nothing that can be one.
 */
TL_CHECKED enum tl_status tl_container_open(const struct tl_value_context *context, const struct tl_value *value,
					    const struct tl_type *type, struct tl_container *container_ret,
					    bool *known_ret, struct tl_error *error);

/* The next child; *more_ret is false when there is none. An error where a link leads astray. */
TL_CHECKED enum tl_status tl_container_next(const struct tl_value_context *context, struct tl_container *container,
					    struct tl_container_child *child_ret, bool *more_ret,
					    struct tl_error *error);

/*
 * A type's name without the template arguments that it has by default, and std::string for what that stands for. In
 * the context's arena; "?" without one.
 */
const char *tl_container_short_name(const struct tl_value_context *context, const struct tl_type *type);

/* The index-th argument of the template that a stripped type is made of, if that is a type; NULL without one. */
TL_CHECKED enum tl_status tl_container_argument(const struct tl_type *type, tl_size index,
						const struct tl_type **argument_ret, struct tl_error *error);

#endif

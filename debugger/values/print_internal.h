/*
 * What the parts of print.h share.
 */
#ifndef TL_DEBUGGER_PRINT_INTERNAL_H
#define TL_DEBUGGER_PRINT_INTERNAL_H

#include "debugger/values/print.h"

#define TL_PRINT_VIRTUAL_BASES_MAX 32
/* Characters of a string, where there is no other limit. */
#define TL_PRINT_TEXT_MAX ((tl_u64)1 << 20)

struct tl_printing {
	const struct tl_value_context *context;
	const struct tl_print_options *options;
	struct tl_output *output;
	tl_u32 elements, repeats, depth_limit;
	unsigned depth;   /* of structs */
	unsigned indent;  /* of structs and arrays */
	unsigned nesting; /* of everything */
	bool vector;      /* these are elements of one: numbers, even if they are as small as characters */
	/* Virtual bases of the struct that is shown, which are shown once. */
	const struct tl_type *virtual_bases[TL_PRINT_VIRTUAL_BASES_MAX];
	unsigned virtual_base_count;
	tl_u64 deadline; /* milliseconds; for what is looked for in the program's memory; 0: not begun */
	struct tl_error *error;
};

/* A value that may be a part of another. */
TL_CHECKED enum tl_status tl_print_part(struct tl_printing *printing, const struct tl_value *value);

/*
 * A value of a type of the C++ library as what it means (containers.h), and references to one. It was loaded; `type` is
 * its stripped type. *shown_ret is false where it is none, or nothing that makes sense: it is then shown as it is,
 * behind a word why, if one was due.
 */
TL_CHECKED enum tl_status tl_print_container(struct tl_printing *printing, const struct tl_value *value,
					     const struct tl_type *type, bool *shown_ret);

#endif

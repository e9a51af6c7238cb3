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

/* Format t in groups of four bits, all of them whole; `size` is that of the number, in bytes. */
void tl_print_nibbles(struct tl_output *output, tl_i128 number, tl_u64 size);

/*
 * A real: as many digits as tell any two numbers apart. What the bits of no number are is said in full, so `value` must
 * be loaded; `number` is what it stands for.
 */
void tl_print_real(struct tl_printing *printing, const struct tl_value *value, long double number);

/* " <counter+4>" where an address lies in a symbol, else nothing. */
void tl_print_symbol(struct tl_printing *printing, tl_u64 address);

/* Whether what has this type is shown as a character, arrays of it as text; *width_ret is its size in bytes. */
TL_CHECKED enum tl_status tl_print_is_text(const struct tl_type *type, bool *is_text_ret, tl_u64 *width_ret,
					   struct tl_error *error);

/* The string that a pointer to such characters leads to: as much of it as can be read, up to the limit. */
TL_CHECKED enum tl_status tl_print_pointed_string(struct tl_printing *printing, const struct tl_type *element,
						  tl_u64 width, tl_u64 address);

/* A pointer with its symbol, and its string if it leads to one. */
TL_CHECKED enum tl_status tl_print_pointer(struct tl_printing *printing, const struct tl_type *pointer, tl_u64 address);

/* The bits of a scalar that was loaded as a number with a sign, or without. */
TL_CHECKED enum tl_status tl_print_bits(struct tl_printing *printing, const struct tl_value *value, bool is_signed,
					tl_i128 *number_ret);

/* A number, enumerator, pointer or pointer to a member; it was loaded, and `type` is its stripped type. */
TL_CHECKED enum tl_status tl_print_scalar(struct tl_printing *printing, const struct tl_value *value,
					  const struct tl_type *type);

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

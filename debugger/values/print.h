/*
 * Values as text, as gdb's `print` shows them (GDB manual, "Print Settings" and "Output Formats"), so that eyes and
 * scripts need not learn: {x = 1, y = 2}, "abc", '\000' <repeats 12 times>, (int *) 0x404010 <counter>.
 *
 * What is optimised out or cannot be read is said in place, and the rest is shown. Everything is bounded: elements,
 * depth and the length of strings. Not for several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_PRINT_H
#define TL_DEBUGGER_PRINT_H

#include "debugger/values/value.h"
#include "symbols/output.h"

/* {0} has gdb's defaults. */
struct tl_print_options {
	char format;       /* o x z d u t f a c s, or 0: by the type */
	char radix;        /* of integers, characters and truth values without a format: 'x', 'o', or 0 */
	tl_u32 elements;   /* of arrays and strings; 0: 200 */
	tl_u32 repeats;    /* runs longer than this are folded; 0: 10 */
	tl_u32 depth;      /* of structs in structs; 0: 20 */
	bool pretty;       /* a line for each member */
	bool lines;        /* a line for each element of an array */
	bool indexes;      /* [0] = in front of elements of arrays */
	bool null_stop;    /* arrays of characters end with the first zero */
	bool no_unions;    /* {...} for unions in structs */
	bool no_statics;   /* without the static members of classes */
	bool nibbles;      /* a space between four bits of format t */
	bool no_symbols;   /* no <counter> behind addresses */
	bool no_addresses; /* no 0x2004 before strings */
	tl_u32 patience;   /* milliseconds for what stands in std::vector and the like; 0: 100 */
	/* As one of many, a local variable or an argument: without the type that `print` puts in front of a pointer,
	 * and what cannot be read is said in place. */
	bool listed;
	bool object; /* objects and what leads to them as what they really are, by their tables of virtual functions */
	bool raw;    /* std::string and the like as the structs that they are */
	bool ascii;  /* bytes above 127 as escapes, for terminals that show no UTF-8 */
	/*
	 * The symbol in which an address lies: writes its name, at most `size` bytes with the zero, and how far behind
	 * its start. False when there is none. NULL: no symbols are known.
	 */
	bool (*symbol)(void *context, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret);
	void *context;
};

/* Writes a value as `print` does behind "$1 = ". Fails only where there is no storage or the types are damaged. */
TL_CHECKED enum tl_status tl_print_value(const struct tl_value_context *context, const struct tl_print_options *options,
					 const struct tl_value *value, struct tl_output *output,
					 struct tl_error *error);

/* Writes a number by a format letter, as it stands in so many bytes; 'd' and 'u' for a letter that is none. */
void tl_print_number(struct tl_output *output, char format, tl_i128 number, bool is_signed, tl_u64 size);

#endif

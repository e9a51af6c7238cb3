/*
 * Values on the stack of a DWARF expression, and their arithmetic (DWARF 5, sections 2.5.1 and 2.5.1.4).
 *
 * A value has a type: the *generic* one, an integer of the size of an address without a sign of its own, or a base type
 * of the program. Bytes are little-endian. No function here reads memory or keeps anything. Any thread.
 */
#ifndef TL_SYMBOLS_DWARF_VALUE_H
#define TL_SYMBOLS_DWARF_VALUE_H

#include "base/error.h"
#include "core/types.h"

#define TL_DWARF_VALUE_MAX 16

struct tl_dwarf_type {
	tl_u64 offset;  /* of its DW_TAG_base_type in the unit; 0 for the generic type */
	tl_u8 encoding; /* DW_ATE_*; 0 for the generic type */
	tl_u8 size;     /* bytes, 1 to TL_DWARF_VALUE_MAX */
};

struct tl_dwarf_value {
	struct tl_dwarf_type type;
	tl_u8 bytes[TL_DWARF_VALUE_MAX]; /* those behind type.size are 0 */
};

/* The generic type for addresses of `size` bytes, and a number as a value of it. */
struct tl_dwarf_type tl_dwarf_generic(tl_u8 size);
struct tl_dwarf_value tl_dwarf_value_make(struct tl_dwarf_type type, tl_u64 number);

/* An integer's low 64 bits, its sign carried up if its type has one. Of anything else the bytes as they are. */
tl_u64 tl_dwarf_value_number(const struct tl_dwarf_value *value);

/* True when it is an integer that is not 0; of other types, when any byte is not 0. */
bool tl_dwarf_value_true(const struct tl_dwarf_value *value);

/*
 * The operation with one operand (DW_OP_abs neg not) or with two (and div minus mod mul or plus shl shr shra xor eq ge
 * gt le lt ne), the result taking the place of `value`, or of the left one. The generic type is signed for abs, div,
 * shra and comparisons, unsigned for the others. What a comparison yields is 0 or 1 of the generic type, whose size
 * is `address_size`.
 *
 * TL_ERROR_DIVIDE; TL_ERROR_MALFORMED: the types do not go together; TL_ERROR_UNSUPPORTED: no such arithmetic here.
 */
TL_CHECKED enum tl_status tl_dwarf_unary(tl_u8 operation, struct tl_dwarf_value *value, struct tl_error *error);
TL_CHECKED enum tl_status tl_dwarf_binary(tl_u8 operation, struct tl_dwarf_value *left,
					  const struct tl_dwarf_value *right, tl_u8 address_size,
					  struct tl_error *error);

/* The same number in another type, as C converts it; the same bytes in another type of the same size. */
TL_CHECKED enum tl_status tl_dwarf_convert(struct tl_dwarf_value *value, struct tl_dwarf_type type,
					   struct tl_error *error);
TL_CHECKED enum tl_status tl_dwarf_reinterpret(struct tl_dwarf_value *value, struct tl_dwarf_type type,
					       struct tl_error *error);

#endif

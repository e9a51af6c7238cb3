/*
 * Values: a type, the bytes, and where they came from.
 *
 * A value is small and passed by value; its bytes live in an arena and end with it. What stands in memory is read when
 * somebody needs the bytes, so that `&big[7]` or `sizeof big` read nothing. Of a variable that the compiler kept in
 * part, the missing bytes are marked: a value is exact, or is said to be optimised out, never wrong.
 *
 * Numbers follow C (C17, 6.3 and 6.5) as gdb does it (GDB manual, "C Operators"), with integers of up to 128 bits. All
 * functions fail with a sentence for a person in `error`, and change nothing when they fail. Not for several threads at
 * once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_VALUE_H
#define TL_DEBUGGER_VALUE_H

#include "base/arena.h"
#include "debugger/values/token.h"
#include "symbols/type.h"

__extension__ typedef __int128 tl_i128;
__extension__ typedef unsigned __int128 tl_u128;

enum tl_value_place {
	TL_VALUE_NOWHERE,   /* nowhere: it was worked out */
	TL_VALUE_IN_MEMORY, /* at `address` */
	TL_VALUE_ELSEWHERE  /* in registers, in several pieces, in a variable of the debugger: `where` says */
};

/* Why a byte of a value is not there. */
enum tl_absence {
	TL_ABSENT_NOT,
	TL_ABSENT_OPTIMISED,
	TL_ABSENT_POINTER, /* of a pointer that was optimised out, while what it points to is known */
	/* Of bit-fields some are there: with the number of the low bits that alone are there, or are not. */
	TL_ABSENT_ABOVE = 0x10,
	TL_ABSENT_BELOW = 0x20
};

struct tl_value {
	const struct tl_type *type;
	enum tl_value_place place;
	tl_u64 address;
	/* What the context needs to store into it, and how far into that the value begins; NULL: it cannot be stored.
	 */
	const void *where;
	tl_u64 where_offset; /* bytes */
	const tl_u8 *bytes;  /* NULL: not read yet */
	const tl_u8 *
		absent; /* for each byte: is it optimised out (enum tl_absence, with a number of bits)? NULL: none is */
	tl_u64 size;    /* bytes, of a bit-field those that it touches */
	tl_u8 bit_offset; /* of a bit-field, from the lowest bit of the first byte */
	tl_u8 bit_size;   /* of a bit-field; else 0 */
};

/* What values need of the world. Functions that are NULL make what needs them an error that says so. */
struct tl_value_context {
	struct tl_arena *arena;
	struct tl_types *types; /* where the types of results belong: "int" of 2 + 2 */
	tl_u8 address_size;     /* bytes of a pointer and of a long */
	bool is_cplus;          /* comparisons are bool */
	tl_u64 size_limit;      /* the largest value that is read or made; 0: 16 MiB */
	/* Memory of the program: all bytes, or an error. */
	enum tl_status (*read)(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error);
	enum tl_status (*write)(void *context, tl_u64 address, const void *bytes, tl_u64 size, struct tl_error *error);
	/* Stores into what `where` stands for, from a bit on: whole bytes but for bit-fields. */
	enum tl_status (*store)(void *context, const void *where, tl_u64 bit_offset, tl_u64 bit_size,
				const tl_u8 *bytes, struct tl_error *error);
	/* A static member's value; the address of a base whose place only the object knows. */
	enum tl_status (*static_member)(void *context, const struct tl_member *member, struct tl_value *value_ret,
					struct tl_error *error);
	enum tl_status (*moving_base)(void *context, const struct tl_value *object, const struct tl_member *member,
				      tl_u64 *address_ret, struct tl_error *error);
	/* What stands where a pointer points to whose own bytes are TL_ABSENT_POINTER. */
	enum tl_status (*pointed)(void *context, const struct tl_value *pointer, const struct tl_type *target,
				  struct tl_value *value_ret, struct tl_error *error);
	/*
	 * The definition of a class that is only declared where the value comes from, in any module; *complete_ret
	 * stays untouched when there is none. Of whose objects a table of virtual functions at an address is; NULL: of
	 * none.
	 */
	enum tl_status (*complete)(void *context, const struct tl_type *declared, const struct tl_type **complete_ret,
				   struct tl_error *error);
	enum tl_status (*table_class)(void *context, tl_u64 table, const struct tl_type **class_ret,
				      struct tl_error *error);
	void *context;
};

/* ---- Making ---- */

/* A number of the given type, cut to its size. */
TL_CHECKED enum tl_status tl_value_make_integer(const struct tl_value_context *context, const struct tl_type *type,
						tl_i128 number, struct tl_value *value_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_value_make_real(const struct tl_value_context *context, const struct tl_type *type,
					     long double number, struct tl_value *value_ret, struct tl_error *error);

/* What stands in memory. Reads nothing. */
TL_CHECKED enum tl_status tl_value_at(const struct tl_value_context *context, const struct tl_type *type,
				      tl_u64 address, struct tl_value *value_ret, struct tl_error *error);

/* Bytes of an array of characters; they are copied. */
TL_CHECKED enum tl_status tl_value_make_bytes(const struct tl_value_context *context, const struct tl_type *type,
					      const void *bytes, tl_u64 size, struct tl_value *value_ret,
					      struct tl_error *error);

/* The types of numbers that results have: by size in bytes, and whether it has a sign. */
TL_CHECKED enum tl_status tl_value_integer_type(const struct tl_value_context *context, tl_u64 size, bool is_signed,
						const struct tl_type **type_ret, struct tl_error *error);
/* What a comparison yields: int, or bool in C++. */
TL_CHECKED enum tl_status tl_value_truth_type(const struct tl_value_context *context, const struct tl_type **type_ret,
					      struct tl_error *error);

/* ---- Looking ---- */

/* What kind of thing a value of a type is in arithmetic. */
enum tl_arithmetic { TL_ARITHMETIC_NONE, TL_ARITHMETIC_INTEGER, TL_ARITHMETIC_REAL, TL_ARITHMETIC_POINTER };

/* Says that of a type without typedefs and qualifiers; of integers also whether they have a sign. */
enum tl_arithmetic tl_type_arithmetic(const struct tl_type *stripped, bool *is_signed_ret);

/* tl_type_strip, which finds what another module defines, too. */
TL_CHECKED enum tl_status tl_value_strip(const struct tl_value_context *context, const struct tl_type *type,
					 const struct tl_type **stripped_ret, struct tl_error *error);

/*
 * A type for which another module has the definition of what it is, or leads to over pointers and references, as a type
 * that leads there; any other type itself.
 */
TL_CHECKED enum tl_status tl_value_complete_type(const struct tl_value_context *context, const struct tl_type *type,
						 const struct tl_type **type_ret, struct tl_error *error);

/* A type's name for a message, in the context's arena; "?" where it has none. */
const char *tl_value_type_name(const struct tl_value_context *context, const struct tl_type *type);

/* Reads its bytes, if that has not been done. */
TL_CHECKED enum tl_status tl_value_load(const struct tl_value_context *context, struct tl_value *value,
					struct tl_error *error);

/* True when a byte of it is optimised out. It was loaded. */
bool tl_value_is_absent(const struct tl_value *value);

/* Its number: integers, characters, bools, enumerations, pointers; reals are cut off. References are followed. */
TL_CHECKED enum tl_status tl_value_integer(const struct tl_value_context *context, const struct tl_value *value,
					   tl_i128 *number_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_value_real(const struct tl_value_context *context, const struct tl_value *value,
					long double *number_ret, struct tl_error *error);
/* Whether it counts as true. */
TL_CHECKED enum tl_status tl_value_truth(const struct tl_value_context *context, const struct tl_value *value,
					 bool *truth_ret, struct tl_error *error);

/* ---- Parts ---- */

/* What a reference refers to; any other value itself. */
TL_CHECKED enum tl_status tl_value_unreference(const struct tl_value_context *context, struct tl_value *value,
					       struct tl_error *error);
/* What a pointer points to. */
TL_CHECKED enum tl_status tl_value_follow(const struct tl_value_context *context, const struct tl_value *pointer,
					  struct tl_value *value_ret, struct tl_error *error);
/* A pointer to it; of an array, to the whole array. */
TL_CHECKED enum tl_status tl_value_address(const struct tl_value_context *context, const struct tl_value *value,
					   struct tl_value *pointer_ret, struct tl_error *error);
/* An array's element, whose index begins at 0 and may lie outside; of a pointer, what stands so far from it. */
TL_CHECKED enum tl_status tl_value_element(const struct tl_value_context *context, const struct tl_value *array,
					   tl_i64 index, struct tl_value *value_ret, struct tl_error *error);
/* The member (a field or a base) of a struct, class or union of which `type` is the stripped type. */
TL_CHECKED enum tl_status tl_value_field(const struct tl_value_context *context, const struct tl_value *object,
					 const struct tl_type *type, const struct tl_member *member,
					 struct tl_value *value_ret, struct tl_error *error);
/*
 * The member of that name, also in anonymous members and in bases; through pointers and references.
 * TL_ERROR_ARGUMENT when there is none, or when several bases have one.
 */
TL_CHECKED enum tl_status tl_value_member(const struct tl_value_context *context, const struct tl_value *object,
					  const char *name, struct tl_value *value_ret, struct tl_error *error);
/* `count` values of its type, from where it stands on: gdb's @. */
TL_CHECKED enum tl_status tl_value_repeat(const struct tl_value_context *context, const struct tl_value *first,
					  tl_i64 count, struct tl_value *value_ret, struct tl_error *error);

/* ---- Operators ---- */

/* An array as a pointer to its first element, a function as its address, a reference followed; others as they are. */
TL_CHECKED enum tl_status tl_value_decay(const struct tl_value_context *context, struct tl_value *value,
					 struct tl_error *error);
/* As if cast in C, or by reinterpret_cast. */
TL_CHECKED enum tl_status tl_value_cast(const struct tl_value_context *context, const struct tl_value *value,
					const struct tl_type *type, struct tl_value *value_ret, struct tl_error *error);
/* + - ~ and !. */
TL_CHECKED enum tl_status tl_value_unary(const struct tl_value_context *context, enum tl_punctuator operation,
					 const struct tl_value *value, struct tl_value *value_ret,
					 struct tl_error *error);
/* + - * / % << >> & | ^ and comparisons. */
TL_CHECKED enum tl_status tl_value_binary(const struct tl_value_context *context, enum tl_punctuator operation,
					  const struct tl_value *left, const struct tl_value *right,
					  struct tl_value *value_ret, struct tl_error *error);
/* Stores `right`, converted, and yields the left side as it then is. */
TL_CHECKED enum tl_status tl_value_assign(const struct tl_value_context *context, const struct tl_value *left,
					  const struct tl_value *right, struct tl_value *value_ret,
					  struct tl_error *error);

#endif

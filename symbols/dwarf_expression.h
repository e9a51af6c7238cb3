/*
 * DWARF expressions: where an object is, or what value something has (DWARF 5, sections 2.5 and 2.6; DWARF 4 and GNU's
 * operations before version 5).
 *
 * An expression is run against a *context*, callbacks that know a stopped thread's frame and the debug information
 * around the expression. A callback that is NULL makes what needs it an error, so that call frame information, static
 * attributes and variables of a frame use one evaluator. Steps, stack, calls and pieces are bounded: every expression
 * ends. No storage is taken; any thread, as far as the callbacks allow it.
 */
#ifndef TL_SYMBOLS_DWARF_EXPRESSION_H
#define TL_SYMBOLS_DWARF_EXPRESSION_H

#include "base/error.h"
#include "core/cpu/cpu.h"
#include "core/types.h"
#include "symbols/dwarf_value.h"

/* The most pieces that an object may be made of. */
#define TL_PLACES_MAX 64

enum tl_place_kind {
	TL_PLACE_NONE,     /* nowhere: it was optimised out */
	TL_PLACE_MEMORY,   /* in memory at `address` */
	TL_PLACE_REGISTER, /* in the register with DWARF number `number` */
	TL_PLACE_VALUE,    /* it has no place, but this value (DW_OP_stack_value) */
	TL_PLACE_BYTES,    /* it has no place, but these bytes of the file (DW_OP_implicit_value) */
	TL_PLACE_POINTER   /* a pointer to `offset` in the object of an entry; the pointer itself has no value */
};

/* Where an object or a piece of it is. */
struct tl_place {
	enum tl_place_kind kind;
	tl_u64 bit_size;   /* of the piece; 0: all of the object */
	tl_u64 bit_offset; /* from the place's first byte, least significant bit first, to where the piece begins */
	union {
		tl_u64 address;
		tl_u64 number;
		struct tl_dwarf_value value;
		struct {
			const tl_u8 *bytes; /* live as long as the expression */
			tl_u64 size;
		};
		struct {
			tl_u64 entry; /* offset in .debug_info */
			tl_i64 offset;
		};
	};
};

struct tl_location {
	tl_u16 count; /* 1 at the least; several are pieces, in the order of the object */
	struct tl_place places[TL_PLACES_MAX];
};

/* Where an expression of another entry comes from: DW_OP_call2 and call4 name it within the unit. */
enum tl_expression_reference { TL_REFERENCE_UNIT, TL_REFERENCE_SECTION };

/*
 * What an expression may ask. Each callback gets `context`, says TL_OK only with its result filled in, and may set
 * `error`. All of them are optional.
 */
struct tl_expression_context {
	void *context;
	tl_u8 address_size; /* of the unit: 4 or 8; the generic type has this size */
	tl_u8 offset_size;  /* of the unit: 4 or 8 */
	tl_u16 version;     /* of the unit: 2 to 5 */
	tl_u64 bias;        /* what to add to addresses as linked */
	const struct tl_memory_access *memory;

	/* The first `size` bytes (1 to TL_DWARF_VALUE_MAX) of a register by its DWARF number. TL_ERROR_REGISTER when
	 * its value in this frame is not known. */
	enum tl_status (*read_register)(void *context, tl_u64 number, void *buffer, tl_size size,
					struct tl_error *error);
	/* DW_AT_frame_base of the function, evaluated; the canonical frame address; the object whose type is asked. */
	enum tl_status (*frame_base)(void *context, tl_u64 *address_ret, struct tl_error *error);
	enum tl_status (*frame_address)(void *context, tl_u64 *address_ret, struct tl_error *error);
	enum tl_status (*object_address)(void *context, tl_u64 *address_ret, struct tl_error *error);
	/* The address of what stands at `offset` of the module's thread-local storage, in the current thread. */
	enum tl_status (*thread_local)(void *context, tl_u64 offset, tl_u64 *address_ret, struct tl_error *error);
	/* What an expression (a register, as a rule) had for a value when the function was entered. */
	enum tl_status (*entry_value)(void *context, const tl_u8 *bytes, tl_size size, struct tl_dwarf_value *value_ret,
				      struct tl_error *error);
	/* The value at the call of the parameter whose entry is at `offset` of the unit (DW_OP_GNU_parameter_ref). */
	enum tl_status (*parameter)(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret,
				    struct tl_error *error);
	/* The value of the variable whose entry is at `offset` of .debug_info (DW_OP_GNU_variable_value). */
	enum tl_status (*variable)(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret,
				   struct tl_error *error);
	/* Entry `index` of the unit's part of .debug_addr, without bias. */
	enum tl_status (*indexed_address)(void *context, tl_u64 index, tl_u64 *address_ret, struct tl_error *error);
	/* The base type at `offset` of the unit; its size must be 1 to TL_DWARF_VALUE_MAX. */
	enum tl_status (*base_type)(void *context, tl_u64 offset, struct tl_dwarf_type *type_ret,
				    struct tl_error *error);
	/* DW_AT_location of the entry at `offset`; no bytes when it has none (DW_OP_call*). */
	enum tl_status (*expression)(void *context, enum tl_expression_reference reference, tl_u64 offset,
				     const tl_u8 **bytes_ret, tl_size *size_ret, struct tl_error *error);
};

/*
 * Where an object is. `first`, unless NULL, stands on the stack at the beginning. An empty expression says that it was
 * optimised out. TL_ERROR_MALFORMED, TL_ERROR_UNSUPPORTED, TL_ERROR_TOO_LONG, TL_ERROR_DIVIDE, TL_ERROR_BYTECODE_STEPS
 * (it does not end), or what a callback said: *location_ret then holds nothing of use.
 */
TL_CHECKED enum tl_status tl_expression_location(const struct tl_expression_context *context, const tl_u8 *bytes,
						 tl_size size, const tl_u64 *first, struct tl_location *location_ret,
						 struct tl_error *error);

/*
 * What number an expression yields: what is on top of the stack at its end (an address, an offset, a count), or, where
 * it names a register or a value, what that contains. TL_ERROR_MALFORMED, besides the above, when it yields none.
 */
TL_CHECKED enum tl_status tl_expression_number(const struct tl_expression_context *context, const tl_u8 *bytes,
					       tl_size size, const tl_u64 *first, tl_u64 *number_ret,
					       struct tl_error *error);

/* The name of an operation without its prefix, for dumps; "?" for an unknown one. */
const char *tl_dwarf_operation_name(tl_u8 operation);

#endif

/* What is at a location: its pieces put together; arrays with their bounds as they are now. */
#include "core/cursor.h"
#include "symbols/dwarf_constants.h"
#include "symbols/location.h"

#include <string.h>

/* As much of a place as is read at once; registers are not bigger. */
#define WINDOW 64
#define DEPTH_MAX 64

/* `size` bytes of a place, from its byte `offset` on. */
static enum tl_status read_place(const struct tl_variable_frame *frame, const struct tl_place *place, tl_u64 offset,
				 tl_u8 *buffer, tl_size size, struct tl_error *error)
{
	const struct tl_expression_context *machine = &frame->machine;
	tl_u8 whole[WINDOW] = {0};

	switch (place->kind) {
	case TL_PLACE_NONE:
		memset(buffer, 0, size);
		return TL_OK;
	case TL_PLACE_MEMORY:
		if (machine->memory == NULL ||
		    machine->memory->read(machine->memory->context, place->address + offset, buffer, size) != TL_OK)
			return TL_FAIL(error, TL_ERROR_MEMORY, "cannot read %zu bytes of memory at 0x%llx", size,
				       (unsigned long long)(place->address + offset));
		return TL_OK;
	case TL_PLACE_REGISTER:
		if (machine->read_register == NULL || offset + size > sizeof(whole))
			return TL_FAIL(error, TL_ERROR_REGISTER, "register %llu holds no %llu bytes",
				       (unsigned long long)place->number, (unsigned long long)(offset + size));
		TL_TRY(machine->read_register(machine->context, place->number, whole, (tl_size)(offset + size), error));
		memcpy(buffer, whole + offset, size);
		return TL_OK;
	case TL_PLACE_VALUE:
		if (offset < sizeof(place->value.bytes))
			memcpy(whole, place->value.bytes + offset, sizeof(place->value.bytes) - (tl_size)offset);
		memcpy(buffer, whole, size < sizeof(whole) ? size : sizeof(whole));
		if (size > sizeof(whole))
			memset(buffer + sizeof(whole), 0, size - sizeof(whole));
		return TL_OK;
	case TL_PLACE_BYTES:
		memset(buffer, 0, size);
		if (offset < place->size)
			memcpy(buffer, place->bytes + offset,
			       place->size - offset < size ? (tl_size)(place->size - offset) : size);
		return TL_OK;
	case TL_PLACE_POINTER:
		break;
	}
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "the pointer was optimised out; what it points to is known");
}

/* Copies `count` bits; both counted from the least significant bit of the first byte. */
static void copy_bits(tl_u8 *to, tl_u64 to_bit, const tl_u8 *from, tl_u64 from_bit, tl_u64 count)
{
	for (tl_u64 i = 0; i < count; i++) {
		const tl_u64 source = from_bit + i, target = to_bit + i;
		const tl_u8 bit = (from[source / 8] >> (source % 8)) & 1;

		to[target / 8] = (tl_u8)((to[target / 8] & ~(1u << (target % 8))) | (unsigned)bit << (target % 8));
	}
}

/* Bits of a place, from its bit `first` on, into the buffer. */
static enum tl_status read_bits(const struct tl_variable_frame *frame, const struct tl_place *place, tl_u64 first,
				tl_u8 *buffer, tl_u64 to_bit, tl_u64 count, struct tl_error *error)
{
	while (count > 0) {
		const tl_u64 from = place->bit_offset + first;
		tl_u8 window[WINDOW];
		tl_u64 bits = (tl_u64)(WINDOW - 1) * 8;

		if (bits > count)
			bits = count;
		TL_TRY(read_place(frame, place, from / 8, window, (tl_size)((from % 8 + bits + 7) / 8), error));
		copy_bits(buffer, to_bit, window, from % 8, bits);
		first += bits;
		to_bit += bits;
		count -= bits;
	}
	return TL_OK;
}

enum tl_status tl_location_read(const struct tl_variable_frame *frame, const struct tl_location *location,
				tl_u64 offset, void *buffer, tl_size size, tl_u64 *missing_ret, struct tl_error *error)
{
	const tl_u64 start = offset * 8, end = (offset + size) * 8;
	tl_u64 at = 0, missing = 0;

	if (offset > TL_U64_MAX / 16 || size > TL_U64_MAX / 16)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "an object is not that big");
	if (location->count == 1 && location->places[0].bit_offset == 0 && location->places[0].bit_size == 0) {
		TL_TRY(read_place(frame, &location->places[0], offset, buffer, size, error));
		*missing_ret = location->places[0].kind == TL_PLACE_NONE ? (tl_u64)size * 8 : 0;
		return TL_OK;
	}
	memset(buffer, 0, size);
	for (tl_u16 i = 0; i < location->count && at < end; i++) {
		const struct tl_place *place = &location->places[i];
		tl_u64 stop = place->bit_size != 0 && place->bit_size < end - at ? at + place->bit_size : end;
		tl_u64 from = at > start ? at : start;

		if (stop > from && place->kind == TL_PLACE_NONE)
			missing += stop - from;
		else if (stop > from)
			TL_TRY(read_bits(frame, place, from - at, buffer, from - start, stop - from, error));
		at = stop;
	}
	/* What no piece holds is nowhere. */
	*missing_ret = missing + (at < end ? end - (at > start ? at : start) : 0);
	return TL_OK;
}

/* The number that a bound's attribute yields: an expression, or a variable. */
static enum tl_status evaluate_bound(const struct tl_variable_frame *frame, const struct tl_bound *bound,
				     tl_i64 *value_ret, bool *known_ret, struct tl_error *error)
{
	const struct tl_type *type;
	struct tl_location location;
	struct tl_entry variable = bound->range;
	tl_u64 size = 0, missing = 0;
	tl_u8 bytes[8] = {0};
	bool known;

	*known_ret = false;
	if (bound->attribute.kind != TL_CLASS_REFERENCE) {
		TL_TRY(tl_attribute_evaluate(frame, &bound->attribute, NULL, &size, known_ret, error));
		*value_ret = (tl_i64)size;
		return TL_OK;
	}
	TL_TRY(tl_entry_follow(&bound->attribute, &variable, error));
	TL_TRY(tl_type_of(frame->types, &variable, &type, error));
	TL_TRY(tl_type_size(type, &size, &known, error));
	TL_TRY(tl_variable_location(frame, &variable, &location, error));
	if (!known || size == 0 || size > sizeof(bytes) || location.places[0].kind == TL_PLACE_NONE)
		return TL_OK;
	TL_TRY(tl_location_read(frame, &location, 0, bytes, (tl_size)size, &missing, error));
	*value_ret = (tl_i64)(tl_load_little(bytes, (tl_size)size) << (64 - size * 8)) >> (64 - size * 8);
	*known_ret = missing == 0;
	return TL_OK;
}

static enum tl_status resolve(const struct tl_variable_frame *frame, const struct tl_type *type,
			      const struct tl_type **resolved_ret, unsigned depth, struct tl_error *error)
{
	const struct tl_type *target, *resolved;
	const struct tl_bound *bound;
	tl_i64 value = 0;
	bool known = false;

	*resolved_ret = type;
	if ((type->kind != TL_TYPE_ARRAY && type->kind != TL_TYPE_POINTER) || type->vector || depth == DEPTH_MAX)
		return TL_OK;
	TL_TRY(tl_type_target(type, &target, error));
	TL_TRY(resolve(frame, target, &resolved, depth + 1, error));
	if (type->kind == TL_TYPE_POINTER) {
		if (resolved != target)
			return tl_type_make_pointer(resolved, (tl_u8)type->size, resolved_ret, error);
		return TL_OK;
	}
	TL_TRY(tl_type_bound(type, &bound, error));
	if (bound->kind == TL_BOUND_EXPRESSION) {
		TL_TRY(evaluate_bound(frame, bound, &value, &known, error));
		if (!known)
			return TL_OK;
		if (bound->attribute.name != DW_AT_count)
			value = (tl_i64)((tl_u64)value - (tl_u64)bound->lower + 1);
		return tl_type_make_array(resolved, value > 0 ? (tl_u64)value : 0, resolved_ret, error);
	}
	if (resolved != target && bound->kind == TL_BOUND_CONSTANT)
		return tl_type_make_array(resolved, bound->count, resolved_ret, error);
	return TL_OK;
}

enum tl_status tl_type_resolve(const struct tl_variable_frame *frame, const struct tl_type *type,
			       const struct tl_type **resolved_ret, struct tl_error *error)
{
	return resolve(frame, type, resolved_ret, 0, error);
}

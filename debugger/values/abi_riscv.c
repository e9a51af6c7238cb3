#include "debugger/values/abi_riscv.h"

#include "core/cpu/riscv_layout.h"
#include "debugger/values/abi_classes.h"
#include "symbols/dwarf_constants.h"

/* A struct goes into registers by its members if it has so many of them, all in all, and a floating-point one. */
#define PARTS_MAX 2
#define DEPTH_MAX 32
/* Of either kind: a0 to a7, fa0 to fa7. */
#define REGISTERS 8
#define SIZE_MAX_IN_REGISTERS 16

/* The numbers that a type is made of. */
struct parts {
	struct tl_error *error;
	tl_u8 count; /* PARTS_MAX + 1: too many, or one that does not count */
	bool real[PARTS_MAX + 1];
	tl_u64 offset[PARTS_MAX + 1], size[PARTS_MAX + 1];
};

static enum tl_status flatten(struct parts *parts, const struct tl_type *type, tl_u64 offset, unsigned depth);

static enum tl_status flatten_members(struct parts *parts, const struct tl_type *type, tl_u64 offset, unsigned depth)
{
	const struct tl_member *members;
	tl_size count;

	TL_TRY(tl_type_members(type, &members, &count, parts->error));
	for (tl_size i = 0; i < count && parts->count <= PARTS_MAX; i++) {
		const struct tl_type *inner;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_member_type(type, &members[i], &inner, parts->error));
		TL_TRY(flatten(parts, inner, offset + members[i].bit_offset / 8, depth));
	}
	return TL_OK;
}

/* One after the other, as if they were members; more than PARTS_MAX are too many in any case. */
static enum tl_status flatten_array(struct parts *parts, const struct tl_type *type, tl_u64 size, tl_u64 offset,
				    unsigned depth)
{
	const struct tl_type *element;
	tl_u64 step;
	bool known;

	TL_TRY(tl_type_target(type, &element, parts->error));
	TL_TRY(tl_type_size(element, &step, &known, parts->error));
	if (!known || step == 0 || type->vector) {
		parts->count = PARTS_MAX + 1;
		return TL_OK;
	}
	for (tl_u64 at = 0; at + step <= size && parts->count <= PARTS_MAX; at += step)
		TL_TRY(flatten(parts, element, offset + at, depth));
	return TL_OK;
}

static void add_part(struct parts *parts, bool real, tl_u64 offset, tl_u64 size)
{
	if (parts->count > PARTS_MAX)
		return;
	parts->real[parts->count] = real;
	parts->offset[parts->count] = offset;
	parts->size[parts->count] = size;
	/* What has no register of its own kind makes all of it a matter of size. */
	parts->count = size <= 8 ? (tl_u8)(parts->count + 1) : PARTS_MAX + 1;
}

static enum tl_status flatten(struct parts *parts, const struct tl_type *type, tl_u64 offset, unsigned depth)
{
	const struct tl_type *stripped;
	bool known;
	tl_u64 size;

	TL_TRY(tl_type_strip(type, &stripped, parts->error));
	TL_TRY(tl_type_size(stripped, &size, &known, parts->error));
	if (depth == DEPTH_MAX || parts->count > PARTS_MAX || !known || stripped->kind == TL_TYPE_UNION) {
		parts->count = PARTS_MAX + 1;
		return TL_OK;
	}
	if (stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS)
		return flatten_members(parts, stripped, offset, depth + 1);
	if (stripped->kind == TL_TYPE_ARRAY)
		return flatten_array(parts, stripped, size, offset, depth + 1);
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_complex_float) {
		add_part(parts, true, offset, size / 2);
		add_part(parts, true, offset + size / 2, size / 2);
		return TL_OK;
	}
	add_part(parts, stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_float, offset, size);
	return TL_OK;
}

static void add(struct tl_abi_place *place, unsigned reg, tl_u64 size, tl_u64 offset)
{
	place->pieces[place->piece_count++] =
		(struct tl_abi_piece){.reg = (tl_u16)reg, .size = (tl_u8)size, .offset = offset};
}

/* By its parts, if there is a floating-point one, and a register of its kind for each. */
static bool place_parts(const struct parts *parts, struct tl_abi_riscv_used *used, struct tl_abi_place *place)
{
	unsigned reals = 0;

	if (parts->count == 0 || parts->count > PARTS_MAX)
		return false;
	for (tl_u8 i = 0; i < parts->count; i++)
		reals += parts->real[i];
	if (reals == 0 || used->reals + reals > REGISTERS || used->integers + parts->count - reals > REGISTERS)
		return false;
	for (tl_u8 i = 0; i < parts->count; i++)
		add(place,
		    parts->real[i] ? TL_RISCV_REGISTER_FA0 + used->reals++ : TL_RISCV_REGISTER_A0 + used->integers++,
		    parts->size[i], parts->offset[i]);
	return true;
}

enum tl_status tl_abi_riscv_place(const struct tl_type *type, bool variadic, struct tl_abi_riscv_used *used,
				  struct tl_abi_place *place_ret, tl_u64 *stacked_ret, struct tl_error *error)
{
	struct parts parts = {.error = error};
	struct tl_abi_classes classes;
	tl_u64 offset = 0;

	TL_TRY(tl_abi_classify(type, &classes, error));
	*place_ret = (struct tl_abi_place){.kind = TL_ABI_REGISTERS, .pointer = TL_RISCV_REGISTER_A0};
	*stacked_ret = classes.size;
	if (classes.by_reference || classes.size > SIZE_MAX_IN_REGISTERS) {
		place_ret->kind = TL_ABI_MEMORY;
		return TL_OK;
	}
	TL_TRY(flatten(&parts, type, 0, 0));
	if (!variadic && place_parts(&parts, used, place_ret))
		return TL_OK;
	/* Where a function does not know the types, pairs that want to be aligned are so in registers, too. */
	if (variadic && classes.alignment > 8)
		used->integers += used->integers & 1;
	for (; offset < classes.size && used->integers < REGISTERS; offset += 8)
		add(place_ret, TL_RISCV_REGISTER_A0 + used->integers++,
		    classes.size - offset < 8 ? classes.size - offset : 8, offset);
	*stacked_ret = offset < classes.size ? offset : classes.size;
	return TL_OK;
}

enum tl_status tl_abi_riscv_register(const struct tl_type *type, const struct tl_abi_piece *piece, const tl_u8 *bytes,
				     tl_u64 *value_ret, struct tl_error *error)
{
	tl_u64 value = tl_load_little(bytes + piece->offset, piece->size);
	const struct tl_type *stripped;
	bool is_signed = false;

	TL_TRY(tl_type_strip(type, &stripped, error));
	if (piece->reg >= TL_RISCV_REGISTER_FT0) {
		if (piece->size == 4)
			value |= 0xffffffff00000000u;
	} else if (tl_type_arithmetic(stripped, &is_signed) == TL_ARITHMETIC_INTEGER && piece->size != 0 &&
		   piece->size <= 4 && (piece->size == 4 || is_signed)) {
		const tl_u64 sign = (tl_u64)1 << (piece->size * 8 - 1);

		value = (value ^ sign) - sign;
	}
	*value_ret = value;
	return TL_OK;
}

#include "debugger/values/abi_riscv.h"

#include "core/cpu/riscv_layout.h"
#include "debugger/values/abi_classes.h"
#include "symbols/dwarf_constants.h"

/* A struct goes into registers by its members if it has so many of them, all in all, and a floating-point one. */
#define PARTS_MAX 2
#define DEPTH_MAX 32

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

static enum tl_status flatten(struct parts *parts, const struct tl_type *type, tl_u64 offset, unsigned depth)
{
	const struct tl_type *stripped;
	bool known;
	tl_u64 size;

	TL_TRY(tl_type_strip(type, &stripped, parts->error));
	TL_TRY(tl_type_size(stripped, &size, &known, parts->error));
	if (depth == DEPTH_MAX || parts->count > PARTS_MAX || !known || stripped->kind == TL_TYPE_UNION ||
	    stripped->kind == TL_TYPE_ARRAY) {
		parts->count = PARTS_MAX + 1;
		return TL_OK;
	}
	if (stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS)
		return flatten_members(parts, stripped, offset, depth + 1);
	parts->real[parts->count] = stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_float;
	parts->offset[parts->count] = offset;
	parts->size[parts->count] = size;
	/* What has no register of its own kind makes all of it a matter of size. */
	parts->count = size <= 8 ? (tl_u8)(parts->count + 1) : PARTS_MAX + 1;
	return TL_OK;
}

static void add(struct tl_abi_place *place, unsigned reg, tl_u64 size, tl_u64 offset)
{
	place->pieces[place->piece_count++] =
		(struct tl_abi_piece){.reg = (tl_u16)reg, .size = (tl_u8)size, .offset = offset};
}

static void place_parts(const struct parts *parts, struct tl_abi_place *place)
{
	unsigned integer = TL_RISCV_REGISTER_A0, real = TL_RISCV_REGISTER_FA0;

	for (tl_u8 i = 0; i < parts->count; i++)
		add(place, parts->real[i] ? real++ : integer++, parts->size[i], parts->offset[i]);
}

enum tl_status tl_abi_riscv_place(const struct tl_type *stripped, struct tl_abi_place *place_ret,
				  struct tl_error *error)
{
	struct parts parts = {.error = error};
	struct tl_abi_classes classes;

	TL_TRY(tl_abi_classify(stripped, &classes, error));
	*place_ret = (struct tl_abi_place){.kind = TL_ABI_REGISTERS, .pointer = TL_RISCV_REGISTER_A0};
	if (classes.by_reference || classes.size > 16) {
		place_ret->kind = TL_ABI_MEMORY;
		return TL_OK;
	}
	TL_TRY(flatten(&parts, stripped, 0, 0));
	if (parts.count != 0 && parts.count <= PARTS_MAX && (parts.real[0] || (parts.count == 2 && parts.real[1]))) {
		place_parts(&parts, place_ret);
		return TL_OK;
	}
	for (tl_u64 offset = 0; offset < classes.size; offset += 8)
		add(place_ret, TL_RISCV_REGISTER_A0 + (unsigned)(offset / 8),
		    classes.size - offset < 8 ? classes.size - offset : 8, offset);
	return TL_OK;
}

#include "debugger/values/abi.h"

#include "core/cpu/x86_layout.h"
#include "debugger/values/abi_aarch64.h"
#include "debugger/values/abi_classes.h"
#include "debugger/values/abi_riscv.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

/* A long double has 10 bytes in a register, and more in memory. */
#define X87_SIZE 10
#define LONG_DOUBLE_SIZE 16

static enum tl_status unknown_cpu(const struct tl_cpu *cpu, struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "How functions are called on %s is not known here.", cpu->name);
}

static void add(struct tl_abi_place *place, unsigned reg, unsigned register_byte, tl_u64 size, tl_u64 offset)
{
	place->pieces[place->piece_count++] = (struct tl_abi_piece){
		.reg = (tl_u16)reg, .register_byte = (tl_u8)register_byte, .size = (tl_u8)size, .offset = offset};
}

/* Widens the vector that was added last by an eightbyte: xmm0 to 16 bytes, and then with ymm0h and zmm0h behind it. */
static void widen(struct tl_abi_place *place, unsigned vector, tl_u64 offset)
{
	struct tl_abi_piece *last = &place->pieces[place->piece_count - 1];
	tl_u64 full = last->reg >= TL_X86_64_ZMM0H ? 32 : 16;

	if (last->size < full)
		last->size += 8;
	else if (last->reg < TL_X86_64_YMM0H)
		add(place, TL_X86_64_YMM0H + vector, 0, 8, offset);
	else
		add(place, TL_X86_64_ZMM0H + vector, 0, 8, offset);
}

static void place_classes(const struct tl_abi_classes *classes, struct tl_abi_place *place)
{
	static const tl_u16 integers[] = {TL_X86_64_RAX, TL_X86_64_RDX};
	unsigned integer = 0, vector = 0;

	for (tl_u8 i = 0; i < classes->count; i++) {
		const tl_u64 offset = (tl_u64)i * 8, left = classes->size - offset, size = left < 8 ? left : 8;

		switch (classes->classes[i]) {
		case TL_ABI_CLASS_INTEGER:
			/* There are two at most: of more eightbytes only vectors are not in memory. */
			if (integer < TL_COUNT(integers))
				add(place, integers[integer++], 0, size, offset);
			break;
		case TL_ABI_CLASS_SSE:
			add(place, TL_X86_64_XMM0 + vector++, 0, size, offset);
			break;
		case TL_ABI_CLASS_SSEUP:
			widen(place, vector - 1, offset);
			break;
		case TL_ABI_CLASS_X87:
			add(place, TL_X86_64_ST0, 0, X87_SIZE, offset);
			break;
		case TL_ABI_CLASS_COMPLEX_X87:
			if (i % 2 == 0)
				add(place, TL_X86_64_ST0 + i / 2u, 0, X87_SIZE, offset);
			break;
		case TL_ABI_CLASS_NONE:
		case TL_ABI_CLASS_X87UP:
		case TL_ABI_CLASS_MEMORY:
			break;
		}
	}
}

static enum tl_status place_x86_64(const struct tl_type *type, struct tl_abi_place *place_ret, struct tl_error *error)
{
	struct tl_abi_classes classes;

	TL_TRY(tl_abi_classify(type, &classes, error));
	*place_ret = (struct tl_abi_place){.kind = TL_ABI_REGISTERS};
	if (classes.by_reference || (classes.count != 0 && classes.classes[0] == TL_ABI_CLASS_MEMORY))
		*place_ret = (struct tl_abi_place){.kind = TL_ABI_MEMORY, .pointer = TL_X86_64_RAX};
	else
		place_classes(&classes, place_ret);
	return TL_OK;
}

/* Structs and unions, and what is bigger than two registers, are returned in memory. */
static enum tl_status place_i386(const struct tl_type *type, struct tl_abi_place *place_ret, struct tl_error *error)
{
	struct tl_abi_classes classes;
	struct tl_abi_place place = {.kind = TL_ABI_REGISTERS};
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(type, &stripped, error));
	TL_TRY(tl_abi_classify(stripped, &classes, error));
	if (stripped->kind == TL_TYPE_UNSPECIFIED)
		classes.size = 4;
	if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_float && classes.size <= 8) {
		place.kind = TL_ABI_CONVERTED;
		add(&place, TL_I386_ST0, 0, X87_SIZE, 0);
	} else if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_float && classes.size <= 12) {
		add(&place, TL_I386_ST0, 0, X87_SIZE, 0);
	} else if (stripped->kind == TL_TYPE_ARRAY && stripped->vector && classes.size == 16) {
		add(&place, TL_I386_XMM0, 0, 16, 0);
	} else if ((stripped->kind == TL_TYPE_BASE || stripped->kind == TL_TYPE_ENUM ||
		    stripped->kind == TL_TYPE_POINTER || stripped->kind == TL_TYPE_REFERENCE ||
		    stripped->kind == TL_TYPE_RVALUE_REFERENCE || stripped->kind == TL_TYPE_UNSPECIFIED ||
		    (stripped->kind == TL_TYPE_MEMBER_POINTER && classes.size == 4)) &&
		   classes.size <= 8) {
		add(&place, TL_I386_EAX, 0, classes.size < 4 ? classes.size : 4, 0);
		if (classes.size > 4)
			add(&place, TL_I386_EDX, 0, classes.size - 4, 4);
	} else {
		place = (struct tl_abi_place){.kind = TL_ABI_MEMORY, .pointer = TL_I386_EAX};
	}
	*place_ret = place;
	return TL_OK;
}

enum tl_status tl_abi_result_place(const struct tl_cpu *cpu, const struct tl_type *type, struct tl_abi_place *place_ret,
				   struct tl_error *error)
{
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(type, &stripped, error));
	if (stripped->kind == TL_TYPE_VOID) {
		*place_ret = (struct tl_abi_place){.kind = TL_ABI_NOTHING};
		return TL_OK;
	}
	if (cpu == &tl_cpu_x86_64)
		return place_x86_64(stripped, place_ret, error);
	if (cpu == &tl_cpu_i386)
		return place_i386(stripped, place_ret, error);
	if (cpu == &tl_cpu_riscv64)
		return tl_abi_riscv_place(stripped, false, &(struct tl_abi_riscv_used){0}, place_ret, &(tl_u64){0},
					  error);
	if (tl_abi_is_aarch64(cpu))
		return tl_abi_aarch64_place(stripped, &(struct tl_abi_aarch64_used){0}, place_ret, &(bool){false},
					    error);
	return unknown_cpu(cpu, error);
}

static tl_u64 piece_offset(const struct tl_cpu *cpu, const struct tl_abi_piece *piece)
{
	return (tl_u64)cpu->registers[piece->reg].offset + piece->register_byte;
}

enum tl_status tl_abi_result(const struct tl_value_context *values, const struct tl_cpu *cpu, const tl_u8 *file,
			     const struct tl_type *type, struct tl_value *value_ret, bool *known_ret,
			     struct tl_error *error)
{
	struct tl_abi_place place;
	long double number = 0;
	tl_u8 bytes[64] = {0};
	tl_u64 size;
	bool known;

	TL_TRY(tl_abi_result_place(cpu, type, &place, error));
	*known_ret = place.kind != TL_ABI_NOTHING;
	if (place.kind == TL_ABI_NOTHING) {
		*value_ret = (struct tl_value){.type = type};
		return TL_OK;
	}
	if (place.kind == TL_ABI_MEMORY) {
		TL_TRY(tl_value_at(values, type, tl_cpu_get(cpu, file, place.pointer), value_ret, error));
		return tl_value_load(values, value_ret, error);
	}
	if (place.kind == TL_ABI_CONVERTED) {
		memcpy(&number, file + piece_offset(cpu, &place.pieces[0]), X87_SIZE);
		return tl_value_make_real(values, type, number, value_ret, error);
	}
	TL_TRY(tl_type_size(type, &size, &known, error));
	for (tl_u8 i = 0; i < place.piece_count; i++)
		memcpy(bytes + place.pieces[i].offset, file + piece_offset(cpu, &place.pieces[i]),
		       place.pieces[i].size);
	return tl_value_make_bytes(values, type, bytes, known && size <= sizeof(bytes) ? size : 8, value_ret, error);
}

/* ---- Setting a result ---- */

/* The top of the x87's stack is the result, and alone on it, as a caller finds it. */
static void set_x87_stack(const struct tl_cpu *cpu, tl_u8 *file, unsigned count)
{
	const unsigned top = 8 - count;
	bool wide = cpu == &tl_cpu_x86_64;
	tl_u16 status = wide ? TL_X86_64_FSTAT : TL_I386_FSTAT, tag = wide ? TL_X86_64_FTAG : TL_I386_FTAG;

	tl_cpu_set(cpu, file, status, (tl_cpu_get(cpu, file, status) & ~(tl_u64)(7 << 11)) | top << 11);
	/* Two bits for each physical register, 3 for an empty one: the last ones are in use. */
	tl_cpu_set(cpu, file, tag, 0xffffu >> count * 2);
}

static bool is_x87(const struct tl_cpu *cpu, tl_u16 reg)
{
	tl_u16 first = cpu == &tl_cpu_x86_64 ? TL_X86_64_ST0 : TL_I386_ST0;

	return reg >= first && reg < first + 8;
}

/* What is narrower than a register fills all of it, as compilers expect of each other. */
static enum tl_status extend(const struct tl_value *value, tl_u8 bytes[8], struct tl_error *error)
{
	const struct tl_type *stripped;
	bool is_signed;

	TL_TRY(tl_type_strip(value->type, &stripped, error));
	if (tl_type_arithmetic(stripped, &is_signed) == TL_ARITHMETIC_INTEGER && is_signed && value->size < 8 &&
	    (value->bytes[value->size - 1] & 0x80) != 0)
		memset(bytes + value->size, 0xff, 8 - (size_t)value->size);
	return TL_OK;
}

static enum tl_status set_pieces(const struct tl_cpu *cpu, tl_u8 *file, const struct tl_abi_place *place,
				 const struct tl_value *value, tl_u32 *banks, struct tl_error *error)
{
	unsigned floats = 0;
	tl_u64 number;

	for (tl_u8 i = 0; i < place->piece_count && cpu == &tl_cpu_riscv64; i++) {
		TL_TRY(tl_abi_riscv_register(value->type, &place->pieces[i], value->bytes, &number, error));
		tl_cpu_set(cpu, file, place->pieces[i].reg, number);
		*banks |= (tl_u32)1 << cpu->registers[place->pieces[i].reg].bank;
	}
	for (tl_u8 i = 0; i < place->piece_count && cpu != &tl_cpu_riscv64; i++) {
		const struct tl_abi_piece *piece = &place->pieces[i];
		const struct tl_register *reg = &cpu->registers[piece->reg];
		tl_u8 *at = file + piece_offset(cpu, piece);
		tl_u8 whole[8] = {0};

		*banks |= (tl_u32)1 << reg->bank;
		floats += is_x87(cpu, piece->reg);
		if (reg->bits <= 64) {
			memcpy(whole, value->bytes + piece->offset, piece->size);
			if (value->size < 8)
				TL_TRY(extend(value, whole, error));
			memcpy(at, whole, reg->bits / 8);
		} else {
			memcpy(at, value->bytes + piece->offset, piece->size);
		}
	}
	if (floats != 0)
		set_x87_stack(cpu, file, floats);
	return TL_OK;
}

enum tl_status tl_abi_set_result(const struct tl_value_context *values, const struct tl_cpu *cpu, tl_u8 *file,
				 const struct tl_value *value, tl_u32 *banks_ret, struct tl_error *error)
{
	struct tl_value own = *value;
	struct tl_abi_place place;
	tl_u32 banks = 0;
	long double number;

	TL_TRY(tl_abi_result_place(cpu, own.type, &place, error));
	if (place.kind == TL_ABI_MEMORY)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "A value of type \"%s\" is returned in memory, and where is not known any more.",
			       tl_value_type_name(values, own.type));
	if (place.kind != TL_ABI_NOTHING) {
		TL_TRY(tl_value_load(values, &own, error));
		if (tl_value_is_absent(&own))
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "value has been optimized out");
	}
	if (place.kind == TL_ABI_CONVERTED) {
		TL_TRY(tl_value_real(values, &own, &number, error));
		memcpy(file + piece_offset(cpu, &place.pieces[0]), &number, X87_SIZE);
		set_x87_stack(cpu, file, 1);
		banks |= (tl_u32)1 << cpu->registers[place.pieces[0].reg].bank;
	} else {
		TL_TRY(set_pieces(cpu, file, &place, &own, &banks, error));
	}
	*banks_ret = banks;
	return TL_OK;
}

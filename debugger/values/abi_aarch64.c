#include "debugger/values/abi_aarch64.h"

#include "core/cpu/arm64_decode.h"
#include "debugger/values/abi_classes.h"
#include "symbols/dwarf_constants.h"

#include <string.h>

#define REGISTERS 8 /* of either kind: x0 to x7, v0 to v7 */
#define MEMBERS_MAX 4
#define DEPTH_MAX 32
#define SIZE_MAX_IN_REGISTERS 16

/* Floating-point numbers or short vectors that are all alike: each has a register of its own (AAPCS64, 5.9.5). */
struct alike {
	struct tl_error *error;
	tl_u64 size; /* of each; 0: none yet */
	bool vector;
};

bool tl_abi_is_aarch64(const struct tl_cpu *cpu)
{
	return strcmp(cpu->triple_cpu, "aarch64") == 0;
}

/* How many of them a type has; more than MEMBERS_MAX stand for all that is not made of such. */
static enum tl_status count(struct alike *alike, const struct tl_type *type, unsigned depth, tl_u64 *count_ret);

static void add_one(struct alike *alike, tl_u64 size, bool vector, tl_u64 *count_ret)
{
	bool fits = vector ? size == 8 || size == 16 : size == 2 || size == 4 || size == 8 || size == 16;

	if (alike->size == 0) {
		alike->size = size;
		alike->vector = vector;
	}
	*count_ret = fits && alike->size == size && alike->vector == vector ? 1 : MEMBERS_MAX + 1;
}

static enum tl_status count_members(struct alike *alike, const struct tl_type *type, unsigned depth, tl_u64 *count_ret)
{
	const struct tl_member *members;
	tl_size member_count;
	tl_u64 all = 0, part;

	TL_TRY(tl_type_members(type, &members, &member_count, alike->error));
	for (tl_size i = 0; i < member_count && all <= MEMBERS_MAX; i++) {
		const struct tl_type *inner;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_member_type(type, &members[i], &inner, alike->error));
		TL_TRY(count(alike, inner, depth, &part));
		if (type->kind == TL_TYPE_UNION && part <= MEMBERS_MAX)
			all = part > all ? part : all;
		else
			all += part;
	}
	*count_ret = all;
	return TL_OK;
}

static enum tl_status count_elements(struct alike *alike, const struct tl_type *type, tl_u64 size, unsigned depth,
				     tl_u64 *count_ret)
{
	const struct tl_type *element;
	tl_u64 step, each;
	bool known;

	TL_TRY(tl_type_target(type, &element, alike->error));
	TL_TRY(tl_type_size(element, &step, &known, alike->error));
	if (!known || step == 0 || size / step > MEMBERS_MAX) {
		*count_ret = size == 0 ? 0 : MEMBERS_MAX + 1;
		return TL_OK;
	}
	TL_TRY(count(alike, element, depth, &each));
	*count_ret = size / step * each;
	return TL_OK;
}

static enum tl_status count(struct alike *alike, const struct tl_type *type, unsigned depth, tl_u64 *count_ret)
{
	const struct tl_type *stripped;
	tl_u64 size;
	bool known;

	*count_ret = MEMBERS_MAX + 1;
	TL_TRY(tl_type_strip(type, &stripped, alike->error));
	TL_TRY(tl_type_size(stripped, &size, &known, alike->error));
	if (depth == DEPTH_MAX || !known)
		return TL_OK;
	if (stripped->kind == TL_TYPE_STRUCT || stripped->kind == TL_TYPE_CLASS || stripped->kind == TL_TYPE_UNION)
		return count_members(alike, stripped, depth + 1, count_ret);
	if (stripped->kind == TL_TYPE_ARRAY && stripped->vector)
		add_one(alike, size, true, count_ret);
	else if (stripped->kind == TL_TYPE_ARRAY)
		return count_elements(alike, stripped, size, depth + 1, count_ret);
	else if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_float)
		add_one(alike, size, false, count_ret);
	else if (stripped->kind == TL_TYPE_BASE && stripped->encoding == DW_ATE_complex_float) {
		add_one(alike, size / 2, false, count_ret);
		*count_ret *= 2;
	}
	return TL_OK;
}

/* How many vector registers a type wants, 0 for one that wants none, and how many bytes each of them holds. */
static enum tl_status vectors_of(const struct tl_type *type, tl_u64 size, unsigned *count_ret, tl_u64 *each_ret,
				 struct tl_error *error)
{
	struct alike alike = {.error = error};
	tl_u64 found;

	TL_TRY(count(&alike, type, 0, &found));
	/* Padding inside, as an attribute of the type may ask for, makes it a struct like any other. */
	*count_ret = found <= MEMBERS_MAX && found * alike.size == size ? (unsigned)found : 0;
	*each_ret = alike.size;
	return TL_OK;
}

enum tl_status tl_abi_aarch64_by_pointer(const struct tl_type *type, bool *by_pointer_ret, struct tl_error *error)
{
	struct tl_abi_classes classes;
	unsigned vectors;
	tl_u64 each;

	TL_TRY(tl_abi_classify(type, &classes, error));
	TL_TRY(vectors_of(type, classes.size, &vectors, &each, error));
	*by_pointer_ret = classes.by_reference || (classes.size > SIZE_MAX_IN_REGISTERS && vectors == 0);
	return TL_OK;
}

static void add(struct tl_abi_place *place, unsigned reg, tl_u64 size, tl_u64 offset)
{
	place->pieces[place->piece_count++] =
		(struct tl_abi_piece){.reg = (tl_u16)reg, .size = (tl_u8)size, .offset = offset};
}

static bool place_vectors(struct tl_abi_aarch64_used *used, unsigned count, tl_u64 each, struct tl_abi_place *place)
{
	/* All of it, or none: what comes behind does not fill the gap (rule C.3). */
	if (used->vectors + count > REGISTERS) {
		used->vectors = REGISTERS;
		return false;
	}
	for (unsigned i = 0; i < count; i++)
		add(place, TL_ABI_AARCH64_V0 + used->vectors++, each, i * each);
	return true;
}

static bool place_integers(struct tl_abi_aarch64_used *used, tl_u64 size, tl_u64 alignment, struct tl_abi_place *place)
{
	unsigned words = (unsigned)((size + 7) / 8);

	/* Rules C.10 and C.12: pairs that want to be aligned begin with an even register. */
	if (alignment >= 16)
		used->integers += used->integers & 1;
	if (used->integers + words > REGISTERS) {
		used->integers = REGISTERS;
		return false;
	}
	for (tl_u64 offset = 0; offset < size; offset += 8)
		add(place, TL_ABI_AARCH64_X0 + used->integers++, size - offset < 8 ? size - offset : 8, offset);
	return true;
}

enum tl_status tl_abi_aarch64_place(const struct tl_type *type, struct tl_abi_aarch64_used *used,
				    struct tl_abi_place *place_ret, bool *stacked_ret, struct tl_error *error)
{
	struct tl_abi_classes classes;
	unsigned vectors;
	bool by_pointer;
	tl_u64 each;

	*place_ret = (struct tl_abi_place){.kind = TL_ABI_REGISTERS, .pointer = TL_ABI_AARCH64_RESULT};
	*stacked_ret = false;
	TL_TRY(tl_abi_aarch64_by_pointer(type, &by_pointer, error));
	if (by_pointer) {
		place_ret->kind = TL_ABI_MEMORY;
		return TL_OK;
	}
	TL_TRY(tl_abi_classify(type, &classes, error));
	TL_TRY(vectors_of(type, classes.size, &vectors, &each, error));
	if (vectors != 0)
		*stacked_ret = !place_vectors(used, vectors, each, place_ret);
	else
		*stacked_ret = !place_integers(used, classes.size, classes.alignment, place_ret);
	return TL_OK;
}

/* Any field that may be a register which is written counts: what is no such thing in an instruction does no harm. */
static bool may_write_result(const struct tl_arm64_instruction *is)
{
	tl_u32 first = is->word & 31, base = is->word >> 5 & 31, second = is->word >> 10 & 31;
	tl_u32 status = is->word >> 16 & 31;

	if (is->access == TL_ACCESS_WRITE && is->kind != TL_ARM64_STORE_EXCLUSIVE)
		return is->indexing != TL_ARM64_OFFSET && base == TL_ABI_AARCH64_RESULT;
	if (is->access != TL_ACCESS_NONE)
		return first == TL_ABI_AARCH64_RESULT || base == TL_ABI_AARCH64_RESULT ||
		       second == TL_ABI_AARCH64_RESULT || status == TL_ABI_AARCH64_RESULT;
	return is->kind != TL_ARM64_HINT && first == TL_ABI_AARCH64_RESULT;
}

bool tl_abi_aarch64_keeps_result(const tl_u32 *words, tl_size count)
{
	struct tl_arm64_instruction is;

	for (tl_size i = 0; i < count; i++)
		if (tl_arm64_decode(words[i], &is) != TL_OK || is.flow != TL_FLOW_NEXT || may_write_result(&is))
			return false;
	return true;
}

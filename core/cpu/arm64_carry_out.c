#include "core/cpu/arm64_carry_out.h"

#include "core/cpu/arm64_layout.h"

static tl_u32 field(tl_u32 word, tl_u32 low, tl_u32 count)
{
	return word >> low & ((1u << count) - 1);
}

/* ---- Registers ---- */

static void set_register(tl_u8 *file, tl_u8 number, bool stack, bool wide, tl_u64 value)
{
	if (!wide)
		value = (tl_u32)value;
	if (number != 31)
		tl_store_little(file + TL_ARM64_AT_X + 8 * (tl_size)number, value, 8);
	else if (stack)
		tl_store_little(file + TL_ARM64_AT_SP, value, 8);
}

/* Where it goes on; how the last branch came here is over with the instruction. */
static void go_on(tl_u8 *file, tl_u64 at)
{
	tl_u64 state = tl_load_little(file + TL_ARM64_AT_PSTATE, 8);

	tl_store_little(file + TL_ARM64_AT_PC, at, 8);
	tl_store_little(file + TL_ARM64_AT_PSTATE, state & ~TL_ARM64_BRANCH_TYPE, 8);
}

static void set_flags(tl_u8 *file, tl_u64 flags)
{
	tl_u64 state = tl_load_little(file + TL_ARM64_AT_PSTATE, 8);

	state &= ~(TL_ARM64_N | TL_ARM64_Z | TL_ARM64_C | TL_ARM64_V);
	tl_store_little(file + TL_ARM64_AT_PSTATE, state | flags, 8);
}

static tl_u64 sign_and_zero(tl_u64 result, bool wide)
{
	bool negative = (wide ? result >> 63 : result >> 31 & 1) != 0;
	bool zero = (wide ? result : (tl_u32)result) == 0;

	return (negative ? TL_ARM64_N : 0) | (zero ? TL_ARM64_Z : 0);
}

/* DDI 0487, "AddWithCarry": a subtraction adds the inverse and a carry of 1. */
static tl_u64 add(tl_u8 *file, tl_u64 one, tl_u64 other, bool subtract, bool flags, bool wide)
{
	tl_u64 result, sign = wide ? (tl_u64)1 << 63 : (tl_u64)1 << 31;
	bool carry, overflow;

	if (subtract)
		other = ~other;
	if (!wide) {
		one = (tl_u32)one;
		other = (tl_u32)other;
	}
	result = one + other + subtract;
	carry = wide ? result < one || (subtract && result == one) : result >> 32 != 0;
	overflow = ((one ^ result) & (other ^ result) & sign) != 0;
	if (flags)
		set_flags(file, sign_and_zero(result, wide) | (carry ? TL_ARM64_C : 0) | (overflow ? TL_ARM64_V : 0));
	return result;
}

/* lsl, lsr, asr, ror by fewer bits than the register has. */
static tl_u64 shifted(tl_u64 value, tl_u32 kind, tl_u32 bits, bool wide)
{
	tl_u32 width = wide ? 64 : 32;

	if (!wide)
		value = kind == 2 ? (tl_u64)(tl_i64)(tl_i32)value : (tl_u32)value;
	if (bits == 0)
		return value;
	if (kind == 0)
		return value << bits;
	if (kind == 1)
		return value >> bits;
	if (kind == 2)
		return (tl_u64)((tl_i64)value >> bits);
	return value >> bits | value << (width - bits);
}

/* ---- Arithmetic ---- */

static void move_wide(tl_u8 *file, const struct tl_arm64_instruction *in)
{
	tl_u32 operation = field(in->word, 29, 2), shift = 16 * field(in->word, 21, 2);
	tl_u64 value = (tl_u64)field(in->word, 5, 16) << shift;

	if (operation == 0)
		value = ~value;
	else if (operation == 3)
		value |= tl_arm64_register(file, in->rt, false) & ~((tl_u64)0xffff << shift);
	set_register(file, in->rt, false, in->wide, value);
}

static void add_immediate(tl_u8 *file, const struct tl_arm64_instruction *in)
{
	tl_u64 number = (tl_u64)field(in->word, 10, 12) << (field(in->word, 22, 1) != 0 ? 12 : 0);
	bool flags = field(in->word, 29, 1) != 0;

	set_register(
		file, in->rt, !flags, in->wide,
		add(file, tl_arm64_register(file, in->rn, true), number, field(in->word, 30, 1) != 0, flags, in->wide));
}

static void add_register(tl_u8 *file, const struct tl_arm64_instruction *in)
{
	tl_u64 other = shifted(tl_arm64_register(file, in->rm, false), field(in->word, 22, 2), field(in->word, 10, 6),
			       in->wide);

	set_register(file, in->rt, false, in->wide,
		     add(file, tl_arm64_register(file, in->rn, false), other, field(in->word, 30, 1) != 0,
			 field(in->word, 29, 1) != 0, in->wide));
}

static void logical_register(tl_u8 *file, const struct tl_arm64_instruction *in)
{
	tl_u64 one = tl_arm64_register(file, in->rn, false), result = 0;
	tl_u64 other = shifted(tl_arm64_register(file, in->rm, false), field(in->word, 22, 2), field(in->word, 10, 6),
			       in->wide);

	if (field(in->word, 21, 1) != 0)
		other = ~other;
	switch (field(in->word, 29, 2)) {
	case 0:
	case 3:
		result = one & other;
		break;
	case 1:
		result = one | other;
		break;
	default:
		result = one ^ other;
		break;
	}
	if (field(in->word, 29, 2) == 3)
		set_flags(file, sign_and_zero(result, in->wide));
	set_register(file, in->rt, false, in->wide, result);
}

/* Bits r to s of one register to the bottom of another; or, where s is below r, bits 0 to s to the place behind r. */
static void bitfield(tl_u8 *file, const struct tl_arm64_instruction *in)
{
	tl_u32 r = field(in->word, 16, 6), s = field(in->word, 10, 6), operation = field(in->word, 29, 2);
	tl_u32 from = s >= r ? r : 0, to = s >= r ? 0 : (in->wide ? 64 : 32) - r, length = s - from + 1;
	tl_u64 mask = ~(tl_u64)0 >> (64 - length);
	tl_u64 part = (tl_arm64_register(file, in->rn, false) >> from & mask) << to, result = part;

	if (operation == 0 && (part >> (to + length - 1) & 1) != 0)
		result |= ~(tl_u64)0 << (to + length - 1);
	else if (operation == 1)
		result |= tl_arm64_register(file, in->rt, false) & ~(mask << to);
	set_register(file, in->rt, false, in->wide, result);
}

/* ---- Memory ---- */

static tl_u64 loaded(const struct tl_arm64_instruction *in, const tl_u8 *bytes)
{
	tl_u64 value = tl_load_little(bytes, in->element), sign = (tl_u64)1 << (8 * in->element - 1);

	return in->sign_extended && in->element < 8 ? (value ^ sign) - sign : value;
}

/*
 * What the machine may refuse is left to it: a stack pointer that is not aligned, an address with a tag, a base that is
 * loaded over and written back.
 */
static bool plain_access(const tl_u8 *file, const struct tl_arm64_instruction *in, tl_u64 address)
{
	bool back = in->indexing != TL_ARM64_OFFSET;

	if (in->kind != TL_ARM64_LOAD_LITERAL && in->rn == 31 && (tl_arm64_register(file, 31, true) & 15) != 0)
		return false;
	if (back && in->rn != 31 && (in->rn == in->rt || (in->kind == TL_ARM64_PAIR && in->rn == in->rt2)))
		return false;
	if (in->kind == TL_ARM64_PAIR && in->access == TL_ACCESS_READ && in->rt == in->rt2)
		return false;
	return address >> 56 == 0;
}

static enum tl_status move_memory(tl_u8 *file, const struct tl_arm64_instruction *in,
				  const struct tl_memory_access *memory)
{
	tl_u8 bytes[16];
	tl_u64 address = 0;
	bool two = in->kind == TL_ARM64_PAIR;

	if (!tl_arm64_access_address(in, file, &address) || !plain_access(file, in, address))
		return TL_ERROR_MEMORY;
	if (in->access == TL_ACCESS_WRITE) {
		tl_store_little(bytes, tl_arm64_register(file, in->rt, false), in->element);
		if (two)
			tl_store_little(bytes + in->element, tl_arm64_register(file, in->rt2, false), in->element);
		TL_TRY(memory->write(memory->context, address, bytes, in->access_size));
	} else {
		TL_TRY(memory->read(memory->context, address, bytes, in->access_size));
		set_register(file, in->rt, false, in->wide, loaded(in, bytes));
		if (two)
			set_register(file, in->rt2, false, in->wide, loaded(in, bytes + in->element));
	}
	if (in->indexing == TL_ARM64_PRE_INDEX)
		set_register(file, in->rn, true, true, address);
	else if (in->indexing == TL_ARM64_POST_INDEX)
		set_register(file, in->rn, true, true, address + (tl_u64)in->immediate);
	return TL_OK;
}

/* ---- All of them ---- */

bool tl_arm64_carries_out(const struct tl_arm64_instruction *in)
{
	switch ((enum tl_arm64_kind)in->kind) {
	case TL_ARM64_HINT:
	case TL_ARM64_ADR:
	case TL_ARM64_ADRP:
	case TL_ARM64_B:
	case TL_ARM64_BL:
	case TL_ARM64_B_COND:
	case TL_ARM64_CBZ:
	case TL_ARM64_TBZ:
	case TL_ARM64_BR:
	case TL_ARM64_BLR:
	case TL_ARM64_RET:
	case TL_ARM64_MOVE_WIDE:
	case TL_ARM64_ADD_IMMEDIATE:
	case TL_ARM64_ADD_REGISTER:
	case TL_ARM64_LOGICAL_REGISTER:
	case TL_ARM64_BITFIELD:
	case TL_ARM64_SINGLE:
	case TL_ARM64_PAIR:
	case TL_ARM64_CLEAR_EXCLUSIVE:
		return true;
	case TL_ARM64_LOAD_LITERAL:
		return !in->of_vectors;
	case TL_ARM64_OTHER:
	case TL_ARM64_AUTHENTICATED:
	case TL_ARM64_SVC:
	case TL_ARM64_BRK:
	case TL_ARM64_PRIVILEGED:
	case TL_ARM64_LOAD_EXCLUSIVE:
	case TL_ARM64_STORE_EXCLUSIVE:
	case TL_ARM64_KIND_MAX:
		break;
	}
	return false;
}

/* Changes all but the program counter; *next is where it goes on, and behind the instruction before the call. */
static enum tl_status run(tl_u8 *file, const struct tl_arm64_instruction *in, const struct tl_memory_access *memory,
			  tl_u64 *next)
{
	tl_u64 at = *next - 4, target = at + (tl_u64)in->immediate;

	switch ((enum tl_arm64_kind)in->kind) {
	case TL_ARM64_HINT:
	case TL_ARM64_CLEAR_EXCLUSIVE: /* a thread that has stopped has no reservation */
		return TL_OK;
	case TL_ARM64_ADR:
		set_register(file, in->rt, false, true, target);
		return TL_OK;
	case TL_ARM64_ADRP:
		set_register(file, in->rt, false, true, (at & ~(tl_u64)4095) + (tl_u64)in->immediate);
		return TL_OK;
	case TL_ARM64_B_COND:
	case TL_ARM64_CBZ:
	case TL_ARM64_TBZ:
		if (tl_arm64_taken(in, file))
			*next = target;
		return TL_OK;
	case TL_ARM64_BL:
		set_register(file, 30, false, true, *next);
		*next = target;
		return TL_OK;
	case TL_ARM64_B:
		*next = target;
		return TL_OK;
	case TL_ARM64_BR:
	case TL_ARM64_RET:
	case TL_ARM64_BLR:
		target = tl_arm64_register(file, in->rn, false);
		/* The machine faults behind the jump, with the link written: it can do so itself. */
		if ((target & 3) != 0)
			return TL_ERROR_MEMORY;
		if (in->kind == TL_ARM64_BLR)
			set_register(file, 30, false, true, *next);
		*next = target;
		return TL_OK;
	case TL_ARM64_MOVE_WIDE:
		move_wide(file, in);
		return TL_OK;
	case TL_ARM64_ADD_IMMEDIATE:
		add_immediate(file, in);
		return TL_OK;
	case TL_ARM64_ADD_REGISTER:
		add_register(file, in);
		return TL_OK;
	case TL_ARM64_BITFIELD:
		bitfield(file, in);
		return TL_OK;
	case TL_ARM64_LOGICAL_REGISTER:
		logical_register(file, in);
		return TL_OK;
	case TL_ARM64_LOAD_LITERAL:
		if (in->prefetch)
			return TL_OK;
		return in->of_vectors ? TL_ERROR_INSTRUCTION : move_memory(file, in, memory);
	case TL_ARM64_SINGLE:
	case TL_ARM64_PAIR:
		return move_memory(file, in, memory);
	case TL_ARM64_OTHER:
	case TL_ARM64_AUTHENTICATED:
	case TL_ARM64_SVC:
	case TL_ARM64_BRK:
	case TL_ARM64_PRIVILEGED:
	case TL_ARM64_LOAD_EXCLUSIVE:
	case TL_ARM64_STORE_EXCLUSIVE:
	case TL_ARM64_KIND_MAX:
		break;
	}
	return TL_ERROR_INSTRUCTION;
}

enum tl_status tl_arm64_carry_out(tl_u8 *file, const struct tl_arm64_instruction *in,
				  const struct tl_memory_access *memory)
{
	tl_u64 next = tl_load_little(file + TL_ARM64_AT_PC, 8) + 4;

	TL_TRY(run(file, in, memory, &next));
	go_on(file, next);
	return TL_OK;
}

/* ---- Exclusives ---- */

static bool of_pair(const struct tl_arm64_instruction *in)
{
	return field(in->word, 21, 1) != 0;
}

static enum tl_status load_exclusive(tl_u8 *file, const struct tl_arm64_instruction *in, tl_u64 address,
				     const struct tl_memory_access *memory, struct tl_reservation *reservation)
{
	tl_u8 element = (tl_u8)(of_pair(in) ? in->access_size / 2 : in->access_size);

	if (of_pair(in) && in->rt == in->rt2)
		return TL_ERROR_INSTRUCTION;
	TL_TRY(memory->read(memory->context, address, reservation->bytes, in->access_size));
	reservation->held = true;
	reservation->address = address;
	reservation->size = (tl_u8)in->access_size;
	set_register(file, in->rt, false, true, tl_load_little(reservation->bytes, element));
	if (of_pair(in))
		set_register(file, in->rt2, false, true, tl_load_little(reservation->bytes + element, element));
	return TL_OK;
}

static enum tl_status store_exclusive(tl_u8 *file, const struct tl_arm64_instruction *in, tl_u64 address,
				      const struct tl_memory_access *memory, struct tl_reservation *reservation)
{
	tl_u8 element = (tl_u8)(of_pair(in) ? in->access_size / 2 : in->access_size), bytes[16], now[16];
	bool stores = reservation->held && reservation->address == address && reservation->size == in->access_size;

	/* What comes of it is not said where the status is one of its other registers. */
	if (in->rs == in->rt || (of_pair(in) && in->rs == in->rt2) || (in->rs == in->rn && in->rn != 31))
		return TL_ERROR_INSTRUCTION;
	tl_store_little(bytes, tl_arm64_register(file, in->rt, false), element);
	if (of_pair(in))
		tl_store_little(bytes + element, tl_arm64_register(file, in->rt2, false), element);
	if (stores) {
		TL_TRY(memory->read(memory->context, address, now, in->access_size));
		stores = tl_same(now, reservation->bytes, in->access_size);
	}
	if (stores)
		TL_TRY(memory->write(memory->context, address, bytes, in->access_size));
	reservation->held = false;
	reservation->stored = stores;
	set_register(file, in->rs, false, true, stores ? 0 : 1);
	return TL_OK;
}

enum tl_status tl_arm64_carry_out_exclusive(tl_u8 *file, const struct tl_arm64_instruction *in,
					    const struct tl_memory_access *memory, struct tl_reservation *reservation)
{
	tl_u64 next = tl_load_little(file + TL_ARM64_AT_PC, 8) + 4, address = 0;

	if (in->kind == TL_ARM64_CLEAR_EXCLUSIVE) {
		reservation->held = false;
		return tl_arm64_carry_out(file, in, memory);
	}
	if (in->kind != TL_ARM64_LOAD_EXCLUSIVE && in->kind != TL_ARM64_STORE_EXCLUSIVE)
		return TL_ERROR_INSTRUCTION;
	if (!tl_arm64_access_address(in, file, &address) || in->access_size == 0 || in->access_size > 16)
		return TL_ERROR_INSTRUCTION;
	/* The machine does not look at the uppermost byte, which programs keep tags in. */
	address = (tl_u64)((tl_i64)(address << 8) >> 8);
	/* What it would refuse is left to it. */
	if (!plain_access(file, in, address) || address % in->access_size != 0)
		return TL_ERROR_MEMORY;
	if (in->kind == TL_ARM64_LOAD_EXCLUSIVE)
		TL_TRY(load_exclusive(file, in, address, memory, reservation));
	else
		TL_TRY(store_exclusive(file, in, address, memory, reservation));
	go_on(file, next);
	return TL_OK;
}

/* ---- Elsewhere ---- */

bool tl_arm64_relocatable(const struct tl_arm64_instruction *in)
{
	if (in->kind == TL_ARM64_ADR || in->kind == TL_ARM64_ADRP || in->kind == TL_ARM64_LOAD_LITERAL)
		return false;
	/* A sequence may go on behind the jump: nothing in between takes the reservation away. */
	return in->flow == TL_FLOW_NEXT || in->flow == TL_FLOW_SYSCALL || in->kind == TL_ARM64_LOAD_EXCLUSIVE;
}

enum tl_status tl_arm64_relocate(const struct tl_arm64_instruction *in, tl_u64 from, tl_u64 to,
				 tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret)
{
	tl_i64 words = (tl_i64)((from + 4) - (to + 4)) / 4;

	/* A jump spans 128 MiB either way. */
	if (!tl_arm64_relocatable(in) || words < -0x2000000 || words > 0x1ffffff)
		return TL_ERROR_INSTRUCTION;
	tl_store_little(code_ret, in->word, 4);
	tl_store_little(code_ret + 4, 0x14000000u | ((tl_u32)words & 0x3ffffff), 4);
	*body_ret = 4;
	*length_ret = 8;
	return TL_OK;
}

/*
 * Shifts by a number that wait until their result is asked for.
 *
 * RV64GC has no rotation and no zero extension: compilers write each as two shifts, and an `or` for the rotation. What
 * a hash or a match finder does is for a third such shifts, whose results are read once, by the instruction that puts
 * them together, and then forgotten. So a shift is not made where it stands: it is noted, and made when something else
 * reads its result. Where the two of them meet, one instruction of the host does it all, and what was noted goes when
 * its register is given another value.
 *
 * Nobody sees a register that waits. What is noted is made before its source changes, in front of a breakpoint, and in
 * front of every instruction but the plain ones of `keeps_quiet`, which neither leave the block nor fail.
 */
#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/* Instructions that make one register of others, always in line: nothing else comes of them. */
static bool keeps_quiet(const struct tl_riscv_instruction *is)
{
	switch ((int)is->operation) {
	case TL_RISCV_AUIPC:
	case TL_RISCV_SLT:
	case TL_RISCV_SLTU:
	case TL_RISCV_SLTI:
	case TL_RISCV_SLTIU:
	case TL_RISCV_SLL:
	case TL_RISCV_SRL:
	case TL_RISCV_SRA:
	case TL_RISCV_SLLW:
	case TL_RISCV_SRLW:
	case TL_RISCV_SRAW:
	case TL_RISCV_MUL:
	case TL_RISCV_MULH:
	case TL_RISCV_MULHU:
	case TL_RISCV_MULW:
	case TL_RISCV_ADD_UW:
	case TL_RISCV_SH1ADD:
	case TL_RISCV_SH2ADD:
	case TL_RISCV_SH3ADD:
		return true;
	default:
		return tl_unit_is_simple(is);
	}
}

static bool can_wait(const struct tl_riscv_instruction *is)
{
	bool is_shift = is->operation == TL_RISCV_SLLI || is->operation == TL_RISCV_SRLI ||
			is->operation == TL_RISCV_SLLIW || is->operation == TL_RISCV_SRLIW;

	return is_shift && is->immediate != 0 && is->rd != 0 && is->rs1 != 0;
}

static bool waits(const struct tl_unit *unit, tl_u8 number)
{
	return (unit->deferred >> number & 1) != 0;
}

static void forget(struct tl_unit *unit, tl_u8 number)
{
	unit->deferred &= ~((tl_u32)1 << number);
}

/* Makes what is noted for a register. */
static void make(struct tl_unit *unit, tl_u8 number)
{
	const struct tl_riscv_instruction is = unit->is;
	const struct tl_shift *shift = &unit->shifts[number];

	if (!waits(unit, number))
		return;
	forget(unit, number);
	unit->is = (struct tl_riscv_instruction){.operation = (enum tl_riscv_operation)shift->operation,
						 .rd = number,
						 .rs1 = shift->from,
						 .immediate = shift->by};
	(void)tl_translate_integer(unit);
	unit->is = is;
}

/* A register is about to get another value: what is made of the one that it has. */
static void make_users(struct tl_unit *unit, tl_u8 number)
{
	for (tl_u32 left = unit->deferred; left != 0; left &= left - 1) {
		tl_u8 user = (tl_u8)__builtin_ctz(left);

		if (unit->shifts[user].from == number && user != number)
			make(unit, user);
	}
}

void tl_deferred_make_all(struct tl_unit *unit)
{
	while (unit->deferred != 0)
		make(unit, (tl_u8)__builtin_ctz(unit->deferred));
}

bool tl_deferred_before(struct tl_unit *unit)
{
	if (keeps_quiet(&unit->is))
		return true;
	tl_deferred_make_all(unit);
	return false;
}

/*
 * slli by 32 and srli by less: the low half, shifted by what is left. The two by 48 are the low 16 bits. rs1 waits as
 * the first of them; it goes on to wait if it is not the result.
 */
static bool extend(struct tl_unit *unit)
{
	tl_u8 rd = unit->is.rd, from, to = tl_unit_result(rd, TL_RAX);
	const struct tl_shift *shift = &unit->shifts[unit->is.rs1];
	bool half = shift->by == 32 && unit->is.immediate <= 32, quarter = shift->by == 48 && unit->is.immediate == 48;

	if (unit->is.operation != TL_RISCV_SRLI || shift->operation != TL_RISCV_SLLI || (!half && !quarter))
		return false;
	from = shift->from;
	if (rd == unit->is.rs1)
		forget(unit, rd);
	make_users(unit, rd);
	forget(unit, rd);
	tl_x86_op(unit->code, half ? TL_X86_MOV : TL_X86_MOVZX16, to, tl_unit_x(from));
	if (half && unit->is.immediate != 32)
		tl_x86_shift(unit->code, TL_X86_W, TL_X86_SHL_N, tl_x86_r(to), (tl_u8)(32 - unit->is.immediate));
	tl_unit_put(unit, rd, to);
	return true;
}

/* Whether the first is the right half of a rotation whose left half is the second, of so many bits. */
static bool are_halves(const struct tl_shift *right, const struct tl_shift *left, bool word)
{
	return right->operation == (word ? TL_RISCV_SRLIW : TL_RISCV_SRLI) &&
	       left->operation == (word ? TL_RISCV_SLLIW : TL_RISCV_SLLI) && right->from == left->from &&
	       right->by + left->by == (word ? 32 : 64);
}

/* Both halves have no bit in common, so that they are put together by or, xor and add all the same. */
static bool rotate(struct tl_unit *unit)
{
	const struct tl_shift *a = &unit->shifts[unit->is.rs1], *b = &unit->shifts[unit->is.rs2], *right;
	tl_u8 rd = unit->is.rd, to = tl_unit_result(rd, TL_RAX), from = a->from, by;
	enum tl_riscv_operation operation = unit->is.operation;
	bool word = a->operation == TL_RISCV_SRLIW || a->operation == TL_RISCV_SLLIW;

	if ((operation != TL_RISCV_OR && operation != TL_RISCV_XOR && operation != TL_RISCV_ADD) ||
	    !waits(unit, unit->is.rs1) || !waits(unit, unit->is.rs2) || rd == 0 || from == unit->is.rs1 ||
	    from == unit->is.rs2)
		return false;
	if (are_halves(a, b, word))
		right = a;
	else if (are_halves(b, a, word))
		right = b;
	else
		return false;
	by = right->by;
	forget(unit, rd);
	make_users(unit, rd);
	if (word) {
		tl_x86_rotate(unit->code, 0, TL_RAX, tl_unit_x(from), by, unit->translator->has_rorx);
		tl_x86_op(unit->code, TL_X86_MOVSXD | TL_X86_W, to, tl_x86_r(TL_RAX));
	} else {
		tl_x86_rotate(unit->code, TL_X86_W, to, tl_unit_x(from), by, unit->translator->has_rorx);
	}
	tl_unit_put(unit, rd, to);
	return true;
}

/* The instruction, which is a plain one, gets a register's value other than from what waits. */
static void make_operands(struct tl_unit *unit)
{
	make(unit, unit->is.rs1);
	if (tl_riscv_format(unit->is.operation) == TL_RISCV_FORMAT_R)
		make(unit, unit->is.rs2);
}

bool tl_deferred_translate(struct tl_unit *unit)
{
	tl_u8 rd = unit->is.rd;

	if (unit->deferred != 0 && (rotate(unit) || (waits(unit, unit->is.rs1) && extend(unit)))) {
		unit->known &= ~((tl_u32)1 << rd);
		return true;
	}
	make_operands(unit);
	make_users(unit, rd);
	forget(unit, rd);
	if (!can_wait(&unit->is))
		return false;
	unit->shifts[rd] = (struct tl_shift){(tl_u16)unit->is.operation, unit->is.rs1, (tl_u8)unit->is.immediate};
	unit->deferred |= (tl_u32)1 << rd;
	unit->known &= ~((tl_u32)1 << rd);
	return true;
}

#endif

#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/* The low 32 bits of `from`, sign-extended, become the result. */
static void put_word(struct tl_unit *unit, tl_u8 from)
{
	tl_u8 to = tl_unit_result(unit->is.rd, TL_RAX);

	tl_x86_op(unit->code, TL_X86_MOVSXD | TL_X86_W, to, tl_x86_r(from));
	tl_unit_put(unit, unit->is.rd, to);
}

/* add, and, or, xor: rd = rs1 op rs2, in either order. */
static void commutative(struct tl_unit *unit, tl_u32 opcode)
{
	tl_u8 to = tl_unit_result(unit->is.rd, TL_RAX), a = unit->is.rs1, b = unit->is.rs2;

	if (opcode != TL_X86_AND && (a == 0 || b == 0)) { /* most are: mv */
		tl_unit_put(unit, unit->is.rd, tl_unit_use(unit, a == 0 ? b : a, TL_RAX));
		return;
	}
	if (unit->is.rd == b || (unit->is.rd != a && tl_unit_has_rax(unit, b))) {
		tl_u8 other = a;

		a = b;
		b = other;
	}
	if (opcode == TL_X86_ADD && unit->is.rd != a && tl_pinned[a] >= 0 && tl_pinned[b] >= 0) {
		tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, to,
			  tl_x86_mx((tl_u8)tl_pinned[a], (tl_u8)tl_pinned[b], 0, 0));
	} else {
		tl_unit_take(unit, a, to);
		tl_x86_op(unit->code, opcode | TL_X86_W, to, tl_unit_x(b));
	}
	tl_unit_put(unit, unit->is.rd, to);
}

static void subtract(struct tl_unit *unit)
{
	bool overlaps = unit->is.rd == unit->is.rs2 && unit->is.rd != unit->is.rs1;
	tl_u8 to = overlaps ? TL_RAX : tl_unit_result(unit->is.rd, TL_RAX);

	tl_unit_take(unit, unit->is.rs1, to);
	tl_x86_op(unit->code, TL_X86_SUB | TL_X86_W, to, tl_unit_x(unit->is.rs2));
	tl_unit_put(unit, unit->is.rd, to);
}

/* With a number: addi, andi, ori, xori. */
static void with_number(struct tl_unit *unit, enum tl_x86_digit digit)
{
	tl_u8 to = tl_unit_result(unit->is.rd, TL_RAX), from;

	if (unit->is.operation == TL_RISCV_ADDI && unit->is.rd == unit->is.rs1 && tl_pinned[unit->is.rd] < 0 &&
	    !tl_unit_has_rax(unit, unit->is.rd)) {
		tl_x86_number(unit->code, TL_X86_W, TL_X86_ADD_N, tl_unit_x(unit->is.rd), unit->is.immediate);
		return;
	}
	if (unit->is.operation == TL_RISCV_ADDI && unit->is.rd != unit->is.rs1 && unit->is.immediate != 0) {
		from = tl_unit_use(unit, unit->is.rs1, TL_RAX);
		tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, to, tl_x86_m(from, unit->is.immediate));
	} else {
		tl_unit_take(unit, unit->is.rs1, to);
		if (unit->is.operation != TL_RISCV_ADDI || unit->is.immediate != 0)
			tl_x86_number(unit->code, TL_X86_W, (tl_u8)digit, tl_x86_r(to), unit->is.immediate);
	}
	tl_unit_put(unit, unit->is.rd, to);
}

static void compare(struct tl_unit *unit, enum tl_x86_condition condition, bool number)
{
	tl_u8 a = tl_unit_use(unit, unit->is.rs1, TL_RCX);

	if (number)
		tl_x86_number(unit->code, TL_X86_W, TL_X86_CMP_N, tl_x86_r(a), unit->is.immediate);
	else
		tl_x86_op(unit->code, TL_X86_CMP | TL_X86_W, a, tl_unit_x(unit->is.rs2));
	tl_x86_set_if(unit->code, condition, TL_RAX);
	tl_x86_op(unit->code, TL_X86_MOVZX8, TL_RAX, tl_x86_r(TL_RAX));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

static void shift(struct tl_unit *unit, enum tl_x86_digit digit, bool number)
{
	tl_u8 to = number ? tl_unit_result(unit->is.rd, TL_RAX) : TL_RAX;

	if (!number)
		tl_unit_take(unit, unit->is.rs2, TL_RCX);
	tl_unit_take(unit, unit->is.rs1, to);
	if (!number)
		tl_x86_shift_cl(unit->code, TL_X86_W, (tl_u8)digit, tl_x86_r(to));
	else if (unit->is.immediate != 0)
		tl_x86_shift(unit->code, TL_X86_W, (tl_u8)digit, tl_x86_r(to), (tl_u8)unit->is.immediate);
	tl_unit_put(unit, unit->is.rd, to);
}

static void shift_word(struct tl_unit *unit, enum tl_x86_digit digit, bool number)
{
	if (!number)
		tl_unit_take(unit, unit->is.rs2, TL_RCX);
	tl_unit_take_word(unit, unit->is.rs1);
	if (!number)
		tl_x86_shift_cl(unit->code, 0, (tl_u8)digit, tl_x86_r(TL_RAX));
	else if (unit->is.immediate != 0)
		tl_x86_shift(unit->code, 0, (tl_u8)digit, tl_x86_r(TL_RAX), (tl_u8)unit->is.immediate);
	put_word(unit, TL_RAX);
}

static void word(struct tl_unit *unit)
{
	struct tl_x86_operand a = tl_unit_x(unit->is.rs1);

	if (unit->is.operation == TL_RISCV_ADDIW && unit->is.immediate == 0) { /* sext.w */
		tl_u8 to = tl_unit_result(unit->is.rd, TL_RAX);

		tl_x86_op(unit->code, TL_X86_MOVSXD | TL_X86_W, to, a);
		tl_unit_put(unit, unit->is.rd, to);
		return;
	}
	if (unit->is.operation == TL_RISCV_ADDIW && !a.memory) {
		tl_x86_op(unit->code, TL_X86_LEA, TL_RAX, tl_x86_m(a.base, unit->is.immediate));
	} else {
		tl_unit_take_word(unit, unit->is.rs1);
		if (unit->is.operation == TL_RISCV_ADDIW)
			tl_x86_number(unit->code, 0, TL_X86_ADD_N, tl_x86_r(TL_RAX), unit->is.immediate);
		else
			tl_x86_op(unit->code, unit->is.operation == TL_RISCV_ADDW ? TL_X86_ADD : TL_X86_SUB, TL_RAX,
				  tl_unit_x(unit->is.rs2));
	}
	put_word(unit, TL_RAX);
}

/* Sets known registers where the result can be known; true when the instruction is done by that. */
static bool fold(struct tl_unit *unit)
{
	const struct tl_riscv_instruction *is = &unit->is;
	tl_u64 number = (tl_u64)(tl_i64)is->immediate, value;
	tl_u32 bit = (tl_u32)1 << is->rd;
	bool source_known = is->rs1 == 0 || (unit->known >> is->rs1 & 1) != 0;
	tl_u64 source = is->rs1 == 0 ? 0 : unit->values[is->rs1];

	if (is->operation == TL_RISCV_LUI)
		value = number;
	else if (is->operation == TL_RISCV_AUIPC)
		value = unit->pc + number;
	else if (is->operation == TL_RISCV_ADDI && source_known)
		value = source + number;
	else if (is->operation == TL_RISCV_ADDIW && source_known)
		value = (tl_u64)(tl_i64)(tl_i32)(tl_u32)(source + number);
	else {
		unit->known &= ~bit;
		return false;
	}
	tl_unit_set(unit, is->rd, value);
	if (is->rd != 0) {
		unit->known |= bit;
		unit->values[is->rd] = value;
	}
	return true;
}

bool tl_translate_integer(struct tl_unit *unit)
{
	if (fold(unit) || unit->is.rd == 0)
		return true;
	switch ((int)unit->is.operation) {
	case TL_RISCV_ADDI:
		with_number(unit, TL_X86_ADD_N);
		return true;
	case TL_RISCV_XORI:
		with_number(unit, TL_X86_XOR_N);
		return true;
	case TL_RISCV_ORI:
		with_number(unit, TL_X86_OR_N);
		return true;
	case TL_RISCV_ANDI:
		with_number(unit, TL_X86_AND_N);
		return true;
	case TL_RISCV_ADD:
		commutative(unit, TL_X86_ADD);
		return true;
	case TL_RISCV_XOR:
		commutative(unit, TL_X86_XOR);
		return true;
	case TL_RISCV_OR:
		commutative(unit, TL_X86_OR);
		return true;
	case TL_RISCV_AND:
		commutative(unit, TL_X86_AND);
		return true;
	case TL_RISCV_SUB:
		subtract(unit);
		return true;
	case TL_RISCV_SLT:
	case TL_RISCV_SLTI:
		compare(unit, TL_CC_L, unit->is.operation == TL_RISCV_SLTI);
		return true;
	case TL_RISCV_SLTU:
	case TL_RISCV_SLTIU:
		compare(unit, TL_CC_B, unit->is.operation == TL_RISCV_SLTIU);
		return true;
	case TL_RISCV_SLL:
	case TL_RISCV_SLLI:
		shift(unit, TL_X86_SHL_N, unit->is.operation == TL_RISCV_SLLI);
		return true;
	case TL_RISCV_SRL:
	case TL_RISCV_SRLI:
		shift(unit, TL_X86_SHR_N, unit->is.operation == TL_RISCV_SRLI);
		return true;
	case TL_RISCV_SRA:
	case TL_RISCV_SRAI:
		shift(unit, TL_X86_SAR_N, unit->is.operation == TL_RISCV_SRAI);
		return true;
	case TL_RISCV_ADDIW:
	case TL_RISCV_ADDW:
	case TL_RISCV_SUBW:
		word(unit);
		return true;
	case TL_RISCV_SLLW:
	case TL_RISCV_SLLIW:
		shift_word(unit, TL_X86_SHL_N, unit->is.operation == TL_RISCV_SLLIW);
		return true;
	case TL_RISCV_SRLW:
	case TL_RISCV_SRLIW:
		shift_word(unit, TL_X86_SHR_N, unit->is.operation == TL_RISCV_SRLIW);
		return true;
	case TL_RISCV_SRAW:
	case TL_RISCV_SRAIW:
		shift_word(unit, TL_X86_SAR_N, unit->is.operation == TL_RISCV_SRAIW);
		return true;
	default:
		return false;
	}
}

/* (rs1 << bits) + rs2; of the low half of rs1 only with `half`. */
static void shift_and_add(struct tl_unit *unit, tl_u8 bits, bool half)
{
	tl_u8 b = tl_unit_use(unit, unit->is.rs2, TL_RCX), a = TL_RAX;

	if (half)
		tl_x86_op(unit->code, TL_X86_MOV, TL_RAX, tl_unit_x(unit->is.rs1));
	else
		a = tl_unit_use(unit, unit->is.rs1, TL_RAX);
	tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, TL_RAX, tl_x86_mx(b, a, bits, 0));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* and, or, xor with the second turned over. */
static void turned_over(struct tl_unit *unit, tl_u32 opcode)
{
	tl_unit_take(unit, unit->is.rs2, TL_RAX);
	tl_x86_op(unit->code, 0xf7 | TL_X86_W, 2, tl_x86_r(TL_RAX)); /* not */
	tl_x86_op(unit->code, opcode | TL_X86_W, TL_RAX, tl_unit_x(unit->is.rs1));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* The first unless the condition holds of comparing it to the second. */
static void choose(struct tl_unit *unit, enum tl_x86_condition condition)
{
	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	tl_x86_op(unit->code, TL_X86_CMP | TL_X86_W, TL_RAX, tl_unit_x(unit->is.rs2));
	tl_x86_op(unit->code, (TL_X86_CMOV | TL_X86_W) + (tl_u32)condition, TL_RAX, tl_unit_x(unit->is.rs2));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* bt and its kin: digits 4 to 7 are test, set, reset, complement. */
static void one_bit(struct tl_unit *unit, tl_u8 digit, bool number)
{
	static const tl_u8 opcodes[] = {[4] = 0xa3, [5] = 0xab, [6] = 0xb3, [7] = 0xbb};

	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	if (number) {
		tl_x86_op(unit->code, 0x1ba | TL_X86_W, digit, tl_x86_r(TL_RAX));
		tl_x86_byte(unit->code, (tl_u8)unit->is.immediate);
	} else {
		tl_u8 which = tl_unit_use(unit, unit->is.rs2, TL_RCX);

		tl_x86_op(unit->code, TL_X86_0F | TL_X86_W | opcodes[digit], which, tl_x86_r(TL_RAX));
	}
	if (digit == 4) {
		tl_x86_set_if(unit->code, TL_CC_B, TL_RAX);
		tl_x86_op(unit->code, TL_X86_MOVZX8, TL_RAX, tl_x86_r(TL_RAX));
	}
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* lzcnt, tzcnt, popcnt: where the host has them. */
static bool count_bits(struct tl_unit *unit, bool there, tl_u32 opcode, bool word_only)
{
	if (!there)
		return false;
	tl_x86_op(unit->code, opcode | TL_X86_F3 | TL_X86_0F | (word_only ? 0 : TL_X86_W), TL_RAX,
		  tl_unit_x(unit->is.rs1));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
	return true;
}

static void extend(struct tl_unit *unit, tl_u32 opcode)
{
	tl_u8 from = tl_unit_use(unit, unit->is.rs1, TL_RAX);

	tl_x86_op(unit->code, opcode | TL_X86_B, TL_RAX, tl_x86_r(from));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* A byte of ones for each that is not 0: those that are 0 are found by comparing, and the rest is turned over. */
static void or_combine(struct tl_unit *unit)
{
	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	tl_x86_op(unit->code, TL_X86_MOVQ_TO | TL_X86_66 | TL_X86_W, 0, tl_x86_r(TL_RAX));
	tl_x86_op(unit->code, 0x1ef | TL_X86_66, 1, tl_x86_r(1)); /* pxor */
	tl_x86_op(unit->code, 0x174 | TL_X86_66, 0, tl_x86_r(1)); /* pcmpeqb */
	tl_x86_op(unit->code, TL_X86_MOVQ_FROM | TL_X86_66 | TL_X86_W, 0, tl_x86_r(TL_RAX));
	tl_x86_op(unit->code, 0xf7 | TL_X86_W, 2, tl_x86_r(TL_RAX));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

static void reverse_bytes(struct tl_unit *unit)
{
	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	tl_x86_byte(unit->code, 0x48); /* bswap rax */
	tl_x86_byte(unit->code, 0x0f);
	tl_x86_byte(unit->code, 0xc8);
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

static void half_shifted(struct tl_unit *unit)
{
	tl_x86_op(unit->code, TL_X86_MOV, TL_RAX, tl_unit_x(unit->is.rs1));
	if (unit->is.immediate != 0)
		tl_x86_shift(unit->code, TL_X86_W, TL_X86_SHL_N, tl_x86_r(TL_RAX), (tl_u8)unit->is.immediate);
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

static bool unary(struct tl_unit *unit)
{
	const struct tl_translator *translator = unit->translator;

	switch ((int)unit->is.operation) {
	case TL_RISCV_CLZ:
	case TL_RISCV_CLZW:
		return count_bits(unit, translator->has_lzcnt, 0xbd, unit->is.operation == TL_RISCV_CLZW);
	case TL_RISCV_CTZ:
	case TL_RISCV_CTZW:
		return count_bits(unit, translator->has_tzcnt, 0xbc, unit->is.operation == TL_RISCV_CTZW);
	case TL_RISCV_CPOP:
	case TL_RISCV_CPOPW:
		return count_bits(unit, translator->has_popcnt, 0xb8, unit->is.operation == TL_RISCV_CPOPW);
	case TL_RISCV_SEXT_B:
		extend(unit, TL_X86_MOVSX8 | TL_X86_W);
		return true;
	case TL_RISCV_SEXT_H:
		extend(unit, TL_X86_MOVSX16 | TL_X86_W);
		return true;
	case TL_RISCV_ZEXT_H:
		extend(unit, TL_X86_MOVZX16);
		return true;
	case TL_RISCV_ORC_B:
		or_combine(unit);
		return true;
	case TL_RISCV_REV8:
		reverse_bytes(unit);
		return true;
	default:
		return false;
	}
}

bool tl_translate_bits(struct tl_unit *unit)
{
	switch ((int)unit->is.operation) {
	case TL_RISCV_ADD_UW:
		shift_and_add(unit, 0, true);
		return true;
	case TL_RISCV_SH1ADD:
	case TL_RISCV_SH1ADD_UW:
		shift_and_add(unit, 1, unit->is.operation == TL_RISCV_SH1ADD_UW);
		return true;
	case TL_RISCV_SH2ADD:
	case TL_RISCV_SH2ADD_UW:
		shift_and_add(unit, 2, unit->is.operation == TL_RISCV_SH2ADD_UW);
		return true;
	case TL_RISCV_SH3ADD:
	case TL_RISCV_SH3ADD_UW:
		shift_and_add(unit, 3, unit->is.operation == TL_RISCV_SH3ADD_UW);
		return true;
	case TL_RISCV_SLLI_UW:
		half_shifted(unit);
		return true;
	case TL_RISCV_ANDN:
		turned_over(unit, TL_X86_AND);
		return true;
	case TL_RISCV_ORN:
		turned_over(unit, TL_X86_OR);
		return true;
	case TL_RISCV_XNOR:
		turned_over(unit, TL_X86_XOR);
		return true;
	case TL_RISCV_MAX:
		choose(unit, TL_CC_L);
		return true;
	case TL_RISCV_MAXU:
		choose(unit, TL_CC_B);
		return true;
	case TL_RISCV_MIN:
		choose(unit, TL_CC_G);
		return true;
	case TL_RISCV_MINU:
		choose(unit, TL_CC_A);
		return true;
	case TL_RISCV_ROL:
		shift(unit, TL_X86_ROL_N, false);
		return true;
	case TL_RISCV_ROR:
	case TL_RISCV_RORI:
		shift(unit, TL_X86_ROR_N, unit->is.operation == TL_RISCV_RORI);
		return true;
	case TL_RISCV_ROLW:
		shift_word(unit, TL_X86_ROL_N, false);
		return true;
	case TL_RISCV_RORW:
	case TL_RISCV_RORIW:
		shift_word(unit, TL_X86_ROR_N, unit->is.operation == TL_RISCV_RORIW);
		return true;
	case TL_RISCV_BCLR:
	case TL_RISCV_BCLRI:
		one_bit(unit, 6, unit->is.operation == TL_RISCV_BCLRI);
		return true;
	case TL_RISCV_BEXT:
	case TL_RISCV_BEXTI:
		one_bit(unit, 4, unit->is.operation == TL_RISCV_BEXTI);
		return true;
	case TL_RISCV_BINV:
	case TL_RISCV_BINVI:
		one_bit(unit, 7, unit->is.operation == TL_RISCV_BINVI);
		return true;
	case TL_RISCV_BSET:
	case TL_RISCV_BSETI:
		one_bit(unit, 5, unit->is.operation == TL_RISCV_BSETI);
		return true;
	default:
		return unary(unit);
	}
}

/* The upper half of a product: of two signed numbers, or of two unsigned ones. */
static void upper_half(struct tl_unit *unit, tl_u8 digit)
{
	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	tl_x86_op(unit->code, 0xf7 | TL_X86_W, digit, tl_unit_x(unit->is.rs2)); /* mul or imul: rdx:rax = rax × it */
	tl_unit_put(unit, unit->is.rd, TL_RDX);
}

/* By x0: Linux waits for a processor with that, some million times in a boot. */
static void divide_by_zero(struct tl_unit *unit, tl_u32 wide, tl_u8 result)
{
	if (result == TL_RAX)
		tl_x86_set(unit->code, TL_RAX, TL_U64_MAX);
	else
		tl_unit_take(unit, unit->is.rs1, TL_RAX);
	if (wide == 0)
		put_word(unit, TL_RAX);
	else
		tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/*
 * Quotient or remainder. Divisors of 0 and -1, for which RISC-V has results of its own, are the interpreter's when
 * they are signed; of unsigned ones only 0 is.
 */
static void divide(struct tl_unit *unit, bool is_signed, tl_u32 wide, tl_u8 result)
{
	struct tl_x86 *code = unit->code;
	struct tl_cold *zero, *minus_one = NULL;

	if (unit->is.rs2 == 0) {
		divide_by_zero(unit, wide, result);
		return;
	}
	tl_x86_op(code, TL_X86_MOV | wide, TL_RCX, tl_unit_x(unit->is.rs2));
	tl_x86_op(code, TL_X86_TEST | wide, TL_RCX, tl_x86_r(TL_RCX));
	zero = tl_unit_step_if(unit, TL_CC_E, false);
	if (is_signed) {
		tl_x86_number(code, wide, TL_X86_CMP_N, tl_x86_r(TL_RCX), -1);
		minus_one = tl_unit_step_if(unit, TL_CC_E, false);
	}
	tl_x86_op(code, TL_X86_MOV | wide, TL_RAX, tl_unit_x(unit->is.rs1));
	if (!is_signed) {
		tl_x86_op(code, TL_X86_XOR, TL_RDX, tl_x86_r(TL_RDX));
	} else {
		if (wide != 0)
			tl_x86_byte(code, 0x48);
		tl_x86_byte(code, 0x99); /* cdq, cqo: the sign into rdx */
	}
	tl_x86_op(code, 0xf7 | wide, is_signed ? 7 : 6, tl_x86_r(TL_RCX));
	if (wide == 0)
		put_word(unit, result);
	else
		tl_unit_put(unit, unit->is.rd, result);
	tl_unit_stepped(unit, zero);
	if (minus_one != NULL)
		tl_unit_stepped(unit, minus_one);
}

bool tl_translate_multiply(struct tl_unit *unit)
{
	switch ((int)unit->is.operation) {
	case TL_RISCV_MUL:
	case TL_RISCV_MULW: {
		tl_u32 wide = unit->is.operation == TL_RISCV_MUL ? TL_X86_W : 0;

		tl_unit_take(unit, unit->is.rs1, TL_RAX);
		tl_x86_op(unit->code, TL_X86_IMUL | wide, TL_RAX, tl_unit_x(unit->is.rs2));
		if (wide != 0)
			tl_unit_put(unit, unit->is.rd, TL_RAX);
		else
			put_word(unit, TL_RAX);
		return true;
	}
	case TL_RISCV_MULH:
		upper_half(unit, 5);
		return true;
	case TL_RISCV_MULHU:
		upper_half(unit, 4);
		return true;
	case TL_RISCV_DIV:
	case TL_RISCV_REM:
		divide(unit, true, TL_X86_W, unit->is.operation == TL_RISCV_DIV ? TL_RAX : TL_RDX);
		return true;
	case TL_RISCV_DIVU:
	case TL_RISCV_REMU:
		divide(unit, false, TL_X86_W, unit->is.operation == TL_RISCV_DIVU ? TL_RAX : TL_RDX);
		return true;
	case TL_RISCV_DIVW:
	case TL_RISCV_REMW:
		divide(unit, true, 0, unit->is.operation == TL_RISCV_DIVW ? TL_RAX : TL_RDX);
		return true;
	case TL_RISCV_DIVUW:
	case TL_RISCV_REMUW:
		divide(unit, false, 0, unit->is.operation == TL_RISCV_DIVUW ? TL_RAX : TL_RDX);
		return true;
	default:
		return false;
	}
}

#endif

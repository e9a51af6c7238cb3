#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/*
 * Floating point in SSE2, bit for bit as float.c has it. The two agree in everything but these: a result that is no
 * number is the canonical one here (each is looked at); singles are boxed (operands are looked at, unless the block has
 * made them); what is rare, or different in the host, is the interpreter's. Flags gather in MXCSR, whose rounding mode
 * is that of frm: so it serves instructions that say "dynamic".
 */
enum constant { BOX, ABSOLUTE_64, ABSOLUTE_32, SIGN_64, SIGN_32, NAN_64, NAN_32 };

static struct tl_x86_operand constant(enum constant which)
{
	return tl_unit_in_hart(TL_AT(translated.constants) + 16 * (tl_i32)which);
}

/* Prefixes of scalar, of packed and of comparing instructions. */
static tl_u32 scalar(bool is_double)
{
	return is_double ? TL_X86_F2 : TL_X86_F3;
}

static tl_u32 compared(bool is_double)
{
	return is_double ? TL_X86_66 : 0;
}

static struct tl_x86_operand operand(tl_u8 number)
{
	return tl_pinned_float[number] >= 0 ? tl_x86_r((tl_u8)tl_pinned_float[number])
					    : tl_unit_in_hart(TL_AT(f) + 8 * number);
}

/* All 64 bits of a register, into one of the host's. */
static void take(struct tl_unit *unit, tl_u8 number, tl_u8 to)
{
	struct tl_x86_operand from = operand(number);

	if (from.memory)
		tl_x86_op(unit->code, TL_X86_MOVF | TL_X86_F2, to, from);
	else if (from.base != to)
		tl_x86_op(unit->code, TL_X86_MOVAP, to, from);
}

static tl_u8 use(struct tl_unit *unit, tl_u8 number, tl_u8 scratch)
{
	if (tl_pinned_float[number] >= 0)
		return (tl_u8)tl_pinned_float[number];
	take(unit, number, scratch);
	return scratch;
}

static void put(struct tl_unit *unit, tl_u8 number, tl_u8 from, bool is_double)
{
	struct tl_x86_operand to = operand(number);

	if (to.memory)
		tl_x86_op(unit->code, TL_X86_MOVF_STORE | TL_X86_F2, from, to);
	else if (to.base != from)
		tl_x86_op(unit->code, TL_X86_MOVAP, to.base, tl_x86_r(from));
	if (is_double)
		unit->boxed &= ~((tl_u32)1 << number);
	else
		unit->boxed |= (tl_u32)1 << number;
}

/* A single that is not in its box is the interpreter's, who also leaves: behind this it is in its box. */
static void look_at_box(struct tl_unit *unit, tl_u8 number, bool is_double)
{
	struct tl_x86_operand from = operand(number);

	if (is_double || (unit->boxed >> number & 1) != 0)
		return;
	if (from.memory) {
		from.displacement += 4;
		tl_x86_number(unit->code, 0, TL_X86_CMP_N, from, -1);
	} else {
		tl_x86_op(unit->code, TL_X86_MOVQ_FROM | TL_X86_66 | TL_X86_W, from.base, tl_x86_r(TL_RAX));
		tl_x86_shift(unit->code, TL_X86_W, TL_X86_SHR_N, tl_x86_r(TL_RAX), 32);
		tl_x86_number(unit->code, 0, TL_X86_CMP_N, tl_x86_r(TL_RAX), -1);
	}
	(void)tl_unit_step_if(unit, TL_CC_NE, true);
	unit->boxed |= (tl_u32)1 << number;
}

/* A result that is no number becomes the canonical one. */
static void look_at_nan(struct tl_unit *unit, tl_u8 result, bool is_double)
{
	struct tl_cold *cold;
	tl_u32 site;

	tl_x86_op(unit->code, TL_X86_UCOMIF | compared(is_double), result, tl_x86_r(result));
	site = tl_x86_jump_if(unit->code, TL_CC_P, 0);
	cold = tl_unit_cold(unit, TL_COLD_NAN, site);
	cold->target = result;
	cold->info = is_double ? NAN_64 : NAN_32;
}

/* A rounding mode by which an exact result is made: any that exists. */
static bool is_mode(tl_u8 rounding)
{
	return rounding <= TL_RISCV_ROUND_NEAREST_AWAY || rounding == TL_RISCV_ROUND_DYNAMIC;
}

static bool binary(struct tl_unit *unit, tl_u32 opcode, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	tl_u8 to = 0;

	if (is->rounding != TL_RISCV_ROUND_DYNAMIC)
		return false;
	look_at_box(unit, is->rs1, is_double);
	look_at_box(unit, is->rs2, is_double);
	if (tl_pinned_float[is->rd] >= 0 && is->rd != is->rs2)
		to = (tl_u8)tl_pinned_float[is->rd];
	take(unit, is->rs1, to);
	tl_x86_op(unit->code, opcode | scalar(is_double), to, operand(is->rs2));
	look_at_nan(unit, to, is_double);
	put(unit, is->rd, to, is_double);
	return true;
}

static bool root(struct tl_unit *unit, bool is_double)
{
	if (unit->is.rounding != TL_RISCV_ROUND_DYNAMIC)
		return false;
	look_at_box(unit, unit->is.rs1, is_double);
	take(unit, unit->is.rs1, 0);
	tl_x86_op(unit->code, TL_X86_SQRTF | scalar(is_double), 0, tl_x86_r(0));
	look_at_nan(unit, 0, is_double);
	put(unit, unit->is.rd, 0, is_double);
	return true;
}

/*
 * Multiplied and added with one rounding, where the host can. If nothing is known of the result the interpreter does it
 * again: infinity times 0 plus what is no number is invalid here, and not in the host.
 */
static bool fused(struct tl_unit *unit, tl_u8 operation, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	struct tl_cold *cold;
	tl_u8 a, b;

	if (is->rounding != TL_RISCV_ROUND_DYNAMIC || !unit->translator->has_fma)
		return false;
	look_at_box(unit, is->rs1, is_double);
	look_at_box(unit, is->rs2, is_double);
	look_at_box(unit, is->rs3, is_double);
	a = use(unit, is->rs1, 1);
	b = use(unit, is->rs2, 2);
	take(unit, is->rs3, 0);
	tl_x86_fused(unit->code, operation, is_double, 0, a, b);
	tl_x86_op(unit->code, TL_X86_UCOMIF | compared(is_double), 0, tl_x86_r(0));
	cold = tl_unit_step_if(unit, TL_CC_P, false);
	put(unit, is->rd, 0, is_double);
	tl_unit_stepped(unit, cold);
	return true;
}

/*
 * The host's yields the second operand of two zeros: asked both ways round, the two answers differ in their sign alone,
 * and one operation on bits finds the one that is less, or larger. What is no number is the interpreter's.
 */
static void extreme(struct tl_unit *unit, bool largest, bool is_double)
{
	tl_u32 opcode = (largest ? TL_X86_MAXF : TL_X86_MINF) | scalar(is_double);
	struct tl_cold *cold;

	look_at_box(unit, unit->is.rs1, is_double);
	look_at_box(unit, unit->is.rs2, is_double);
	take(unit, unit->is.rs1, 0);
	take(unit, unit->is.rs2, 1);
	tl_x86_op(unit->code, TL_X86_UCOMIF | compared(is_double), 0, tl_x86_r(1));
	cold = tl_unit_step_if(unit, TL_CC_P, false);
	tl_x86_op(unit->code, TL_X86_MOVAP, 2, tl_x86_r(0));
	tl_x86_op(unit->code, opcode, 2, tl_x86_r(1));
	tl_x86_op(unit->code, opcode, 1, tl_x86_r(0));
	tl_x86_op(unit->code, largest ? TL_X86_ANDP : TL_X86_ORP, 2, tl_x86_r(1));
	put(unit, unit->is.rd, 2, is_double);
	tl_unit_stepped(unit, cold);
}

/* fsgnj, fsgnjn, fsgnjx: of one register with itself a copy, the negated and the absolute value. */
static void sign(struct tl_unit *unit, enum tl_riscv_operation operation, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	struct tl_x86_operand mask = constant(is_double ? SIGN_64 : SIGN_32);

	look_at_box(unit, is->rs1, is_double);
	look_at_box(unit, is->rs2, is_double);
	take(unit, is->rs1, 0);
	if (is->rs1 == is->rs2) {
		if (operation == TL_RISCV_FSGNJN_S)
			tl_x86_op(unit->code, TL_X86_XORP, 0, mask);
		else if (operation == TL_RISCV_FSGNJX_S)
			tl_x86_op(unit->code, TL_X86_ANDP, 0, constant(is_double ? ABSOLUTE_64 : ABSOLUTE_32));
	} else {
		take(unit, is->rs2, 1);
		if (operation == TL_RISCV_FSGNJN_S)
			tl_x86_op(unit->code, TL_X86_XORP, 1, mask);
		tl_x86_op(unit->code, TL_X86_ANDP, 1, mask);
		if (operation != TL_RISCV_FSGNJX_S)
			tl_x86_op(unit->code, TL_X86_ANDP, 0, constant(is_double ? ABSOLUTE_64 : ABSOLUTE_32));
		tl_x86_op(unit->code, TL_X86_XORP, 0, tl_x86_r(1));
	}
	put(unit, is->rd, 0, is_double);
}

static void put_condition(struct tl_unit *unit, enum tl_x86_condition condition)
{
	tl_x86_set_if(unit->code, condition, TL_RAX);
	tl_x86_op(unit->code, TL_X86_MOVZX8, TL_RAX, tl_x86_r(TL_RAX));
}

/* Less: the second is above the first; comparisons with what is no number are then false, and invalid where they are.
 */
static void compare(struct tl_unit *unit, enum tl_riscv_operation operation, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	bool equal = operation == TL_RISCV_FEQ_S;
	tl_u8 first;

	look_at_box(unit, is->rs1, is_double);
	look_at_box(unit, is->rs2, is_double);
	first = use(unit, equal ? is->rs1 : is->rs2, 0);
	tl_x86_op(unit->code, (equal ? TL_X86_UCOMIF : TL_X86_COMIF) | compared(is_double), first,
		  operand(equal ? is->rs2 : is->rs1));
	if (equal)
		tl_x86_set_if(unit->code, TL_CC_NP, TL_RCX);
	put_condition(unit, equal ? TL_CC_E : operation == TL_RISCV_FLT_S ? TL_CC_A : TL_CC_AE);
	if (equal)
		tl_x86_op(unit->code, TL_X86_AND, TL_RAX, tl_x86_r(TL_RCX));
	tl_unit_put(unit, is->rd, TL_RAX);
}

/* To a signed whole number. What does not fit comes as the least one, and is the interpreter's, like that itself. */
static bool to_integer(struct tl_unit *unit, bool wide, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	bool cut = is->rounding == TL_RISCV_ROUND_ZERO;
	tl_u32 width = wide ? TL_X86_W : 0;
	struct tl_cold *cold;

	if (!cut && is->rounding != TL_RISCV_ROUND_DYNAMIC)
		return false;
	look_at_box(unit, is->rs1, is_double);
	tl_x86_op(unit->code, (cut ? TL_X86_CVTT_TO_INTEGER : TL_X86_CVT_TO_INTEGER) | scalar(is_double) | width,
		  TL_RAX, operand(is->rs1));
	tl_x86_number(unit->code, width, TL_X86_CMP_N, tl_x86_r(TL_RAX), 1);
	cold = tl_unit_step_if(unit, TL_CC_O, false);
	if (!wide)
		tl_x86_op(unit->code, TL_X86_MOVSXD | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
	tl_unit_put(unit, is->rd, TL_RAX);
	tl_unit_stepped(unit, cold);
	return true;
}

enum whole { SIGNED_WORD, WORD, SIGNED_DOUBLE_WORD, DOUBLE_WORD };

static bool from_integer(struct tl_unit *unit, enum whole whole, bool is_double)
{
	const struct tl_riscv_instruction *is = &unit->is;
	bool exact = is_double && whole <= WORD;
	struct tl_cold *cold = NULL;

	if (exact ? !is_mode(is->rounding) : is->rounding != TL_RISCV_ROUND_DYNAMIC)
		return false;
	if (whole == WORD)
		tl_x86_op(unit->code, TL_X86_MOV, TL_RAX, tl_unit_x(is->rs1));
	else
		tl_unit_take(unit, is->rs1, TL_RAX);
	if (whole == DOUBLE_WORD) { /* for the host they are signed */
		tl_x86_op(unit->code, TL_X86_TEST | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
		cold = tl_unit_step_if(unit, TL_CC_S, false);
	}
	/* The upper half of a single is its box. */
	tl_x86_op(unit->code, is_double ? 0x1ef | TL_X86_66 : 0x176 | TL_X86_66, 0, tl_x86_r(0));
	tl_x86_op(unit->code, TL_X86_CVT_FROM_INTEGER | scalar(is_double) | (whole != SIGNED_WORD ? TL_X86_W : 0), 0,
		  tl_x86_r(TL_RAX));
	put(unit, is->rd, 0, is_double);
	if (cold != NULL)
		tl_unit_stepped(unit, cold);
	return true;
}

static bool narrow(struct tl_unit *unit)
{
	if (unit->is.rounding != TL_RISCV_ROUND_DYNAMIC)
		return false;
	tl_x86_op(unit->code, 0x176 | TL_X86_66, 0, tl_x86_r(0)); /* pcmpeqd: all ones, of which the box stays */
	tl_x86_op(unit->code, TL_X86_CVT_FORMAT | TL_X86_F2, 0, operand(unit->is.rs1));
	look_at_nan(unit, 0, false);
	put(unit, unit->is.rd, 0, false);
	return true;
}

static bool widen(struct tl_unit *unit)
{
	if (!is_mode(unit->is.rounding))
		return false;
	look_at_box(unit, unit->is.rs1, false);
	tl_x86_op(unit->code, TL_X86_CVT_FORMAT | TL_X86_F3, 0, operand(unit->is.rs1));
	look_at_nan(unit, 0, true);
	put(unit, unit->is.rd, 0, true);
	return true;
}

static void move_to_x(struct tl_unit *unit, bool is_double)
{
	tl_u8 from = use(unit, unit->is.rs1, 0);

	tl_x86_op(unit->code, TL_X86_MOVQ_FROM | TL_X86_66 | (is_double ? TL_X86_W : 0), from, tl_x86_r(TL_RAX));
	if (!is_double)
		tl_x86_op(unit->code, TL_X86_MOVSXD | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

static void move_from_x(struct tl_unit *unit, bool is_double)
{
	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	tl_x86_op(unit->code, TL_X86_MOVQ_TO | TL_X86_66 | (is_double ? TL_X86_W : 0), 0, tl_x86_r(TL_RAX));
	if (!is_double)
		tl_x86_op(unit->code, TL_X86_ORP, 0, constant(BOX));
	put(unit, unit->is.rd, 0, is_double);
}

/* Instructions of both formats, by those for singles. */
static bool translate(struct tl_unit *unit, enum tl_riscv_operation operation, bool is_double)
{
	switch ((int)operation) {
	case TL_RISCV_FADD_S:
		return binary(unit, TL_X86_ADDF, is_double);
	case TL_RISCV_FSUB_S:
		return binary(unit, TL_X86_SUBF, is_double);
	case TL_RISCV_FMUL_S:
		return binary(unit, TL_X86_MULF, is_double);
	case TL_RISCV_FDIV_S:
		return binary(unit, TL_X86_DIVF, is_double);
	case TL_RISCV_FSQRT_S:
		return root(unit, is_double);
	case TL_RISCV_FSGNJ_S:
	case TL_RISCV_FSGNJN_S:
	case TL_RISCV_FSGNJX_S:
		sign(unit, operation, is_double);
		return true;
	case TL_RISCV_FMIN_S:
	case TL_RISCV_FMAX_S:
		extreme(unit, operation == TL_RISCV_FMAX_S, is_double);
		return true;
	case TL_RISCV_FEQ_S:
	case TL_RISCV_FLT_S:
	case TL_RISCV_FLE_S:
		compare(unit, operation, is_double);
		return true;
	case TL_RISCV_FCVT_W_S:
	case TL_RISCV_FCVT_L_S:
		return to_integer(unit, operation == TL_RISCV_FCVT_L_S, is_double);
	case TL_RISCV_FCVT_S_W:
		return from_integer(unit, SIGNED_WORD, is_double);
	case TL_RISCV_FCVT_S_WU:
		return from_integer(unit, WORD, is_double);
	case TL_RISCV_FCVT_S_L:
		return from_integer(unit, SIGNED_DOUBLE_WORD, is_double);
	case TL_RISCV_FCVT_S_LU:
		return from_integer(unit, DOUBLE_WORD, is_double);
	case TL_RISCV_FMV_X_W:
		move_to_x(unit, is_double);
		return true;
	case TL_RISCV_FMV_W_X:
		move_from_x(unit, is_double);
		return true;
	default:
		return false;
	}
}

bool tl_translate_float(struct tl_unit *unit)
{
	enum tl_riscv_operation operation = unit->is.operation;

	switch ((int)operation) {
	case TL_RISCV_FMADD_S:
	case TL_RISCV_FMADD_D:
		return fused(unit, 0, operation == TL_RISCV_FMADD_D);
	case TL_RISCV_FMSUB_S:
	case TL_RISCV_FMSUB_D:
		return fused(unit, 1, operation == TL_RISCV_FMSUB_D);
	case TL_RISCV_FNMSUB_S:
	case TL_RISCV_FNMSUB_D:
		return fused(unit, 2, operation == TL_RISCV_FNMSUB_D);
	case TL_RISCV_FNMADD_S:
	case TL_RISCV_FNMADD_D:
		return fused(unit, 3, operation == TL_RISCV_FNMADD_D);
	case TL_RISCV_FCVT_S_D:
		return narrow(unit);
	case TL_RISCV_FCVT_D_S:
		return widen(unit);
	default:
		break;
	}
	/* Those for doubles stand in the same order. */
	if (operation >= TL_RISCV_FADD_D && operation <= TL_RISCV_FMV_D_X)
		return translate(unit, operation - (TL_RISCV_FADD_D - TL_RISCV_FADD_S), true);
	return translate(unit, operation, false);
}

#endif

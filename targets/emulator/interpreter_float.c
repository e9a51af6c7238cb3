#include "targets/emulator/interpreter_internal.h"

#include "targets/emulator/access.h"
#include "targets/emulator/control.h"
#include "targets/emulator/float.h"

/* Upper half of a register that holds a binary32 number. */
#define BOX 0xffffffff00000000ull

/*
 * Which format an instruction computes in: bit 25 of its encoding. Conversions between formats and from and to whole
 * numbers have the format of floating point there as well, for those that yield one, the result's.
 */
static const struct tl_float_format *format_of(const struct tl_step *step)
{
	return (step->word >> 25 & 1) != 0 ? &tl_float64 : &tl_float32;
}

/* A binary32 number that is not boxed is read as one that is no number (volume I, 12.2). */
static tl_u64 operand(const struct tl_step *step, const struct tl_float_format *format, tl_u8 number)
{
	tl_u64 value = step->hart->f[number];

	if (format == &tl_float64)
		return value;
	return (value & BOX) == BOX ? (tl_u32)value : format->not_a_number;
}

static bool set_f(const struct tl_step *step, const struct tl_float_format *format, tl_u64 value)
{
	step->hart->f[step->is->rd] = format == &tl_float64 ? value : value | BOX;
	tl_control_float_dirty(step->hart);
	return true;
}

static bool load(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;
	bool narrow = is->operation == TL_RISCV_FLW;
	tl_u64 value;

	if (!tl_access_load(step->hart, tl_interpret_x(step, is->rs1) + (tl_u64)(tl_i64)is->immediate, narrow ? 4 : 8,
			    &value, &step->exception))
		return false;
	return set_f(step, narrow ? &tl_float32 : &tl_float64, value);
}

static bool store(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;

	return tl_access_store(step->hart, tl_interpret_x(step, is->rs1) + (tl_u64)(tl_i64)is->immediate,
			       is->operation == TL_RISCV_FSW ? 4 : 8, step->hart->f[is->rs2], &step->exception);
}

static tl_u64 negate(const struct tl_float_format *format, tl_u64 value)
{
	return value ^ (tl_u64)1 << (format->fraction_bits + format->exponent_bits);
}

static tl_u64 fused(const struct tl_step *step, const struct tl_float_format *format, struct tl_float_context *context)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = operand(step, format, is->rs1), b = operand(step, format, is->rs2);
	tl_u64 c = operand(step, format, is->rs3);

	switch ((int)is->operation) {
	case TL_RISCV_FMSUB_S:
	case TL_RISCV_FMSUB_D:
		return tl_float_multiply_add(format, context, a, b, negate(format, c));
	case TL_RISCV_FNMSUB_S:
	case TL_RISCV_FNMSUB_D:
		return tl_float_multiply_add(format, context, negate(format, a), b, c);
	case TL_RISCV_FNMADD_S:
	case TL_RISCV_FNMADD_D:
		return tl_float_multiply_add(format, context, negate(format, a), b, negate(format, c));
	default:
		return tl_float_multiply_add(format, context, a, b, c);
	}
}

/* Those that round, and yield a number of floating point. */
static tl_u64 rounded(const struct tl_step *step, const struct tl_float_format *format,
		      struct tl_float_context *context)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = operand(step, format, is->rs1), b = operand(step, format, is->rs2);

	switch ((int)is->operation) {
	case TL_RISCV_FADD_S:
	case TL_RISCV_FADD_D:
		return tl_float_add(format, context, a, b);
	case TL_RISCV_FSUB_S:
	case TL_RISCV_FSUB_D:
		return tl_float_subtract(format, context, a, b);
	case TL_RISCV_FMUL_S:
	case TL_RISCV_FMUL_D:
		return tl_float_multiply(format, context, a, b);
	case TL_RISCV_FDIV_S:
	case TL_RISCV_FDIV_D:
		return tl_float_divide(format, context, a, b);
	case TL_RISCV_FSQRT_S:
	case TL_RISCV_FSQRT_D:
		return tl_float_root(format, context, a);
	case TL_RISCV_FCVT_S_D:
		return tl_float_convert(&tl_float64, &tl_float32, context, operand(step, &tl_float64, is->rs1));
	case TL_RISCV_FCVT_D_S:
		return tl_float_convert(&tl_float32, &tl_float64, context, operand(step, &tl_float32, is->rs1));
	default:
		return fused(step, format, context);
	}
}

/* Conversions name the whole number in the field of source 2: 32 or 64 bits in its bit 1, unsigned in its bit 0. */
static bool is_signed(const struct tl_step *step)
{
	return (step->is->rs2 & 1) == 0;
}

static tl_u64 from_integer(const struct tl_step *step, const struct tl_float_format *format,
			   struct tl_float_context *context)
{
	tl_u64 value = tl_interpret_x(step, step->is->rs1);

	if ((step->is->rs2 & 2) == 0)
		value = is_signed(step) ? (tl_u64)(tl_i64)(tl_i32)(tl_u32)value : (tl_u32)value;
	return tl_float_from_integer(format, context, value, is_signed(step));
}

/* The rounding mode that counts; false for those that are none. */
static bool choose_rounding(const struct tl_step *step, struct tl_float_context *context)
{
	context->rounding = step->is->rounding == TL_RISCV_ROUND_DYNAMIC ? step->hart->frm : step->is->rounding;
	return context->rounding <= TL_RISCV_ROUND_NEAREST_AWAY;
}

static void keep_flags(const struct tl_step *step, const struct tl_float_context *context)
{
	if (context->flags == 0)
		return;
	step->hart->fflags |= context->flags;
	tl_control_float_dirty(step->hart);
}

static bool execute_rounded(struct tl_step *step, enum tl_riscv_format kind)
{
	const struct tl_float_format *format = format_of(step);
	struct tl_float_context context = {0};

	if (!choose_rounding(step, &context))
		return tl_interpret_illegal(step);
	if (kind == TL_RISCV_FORMAT_F_TO_X_ROUNDED)
		tl_interpret_set_x(step, tl_float_to_integer(format, &context, operand(step, format, step->is->rs1),
							     is_signed(step), (step->is->rs2 & 2) != 0 ? 64 : 32));
	else if (kind == TL_RISCV_FORMAT_X_TO_F_ROUNDED)
		(void)set_f(step, format, from_integer(step, format, &context));
	else
		(void)set_f(step, format, rounded(step, format, &context));
	keep_flags(step, &context);
	return true;
}

/* Sign injection, least and largest. */
static tl_u64 chosen(const struct tl_step *step, const struct tl_float_format *format, struct tl_float_context *context)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = operand(step, format, is->rs1), b = operand(step, format, is->rs2);
	tl_u64 sign = (tl_u64)1 << (format->fraction_bits + format->exponent_bits);

	switch ((int)is->operation) {
	case TL_RISCV_FSGNJ_S:
	case TL_RISCV_FSGNJ_D:
		return (a & ~sign) | (b & sign);
	case TL_RISCV_FSGNJN_S:
	case TL_RISCV_FSGNJN_D:
		return (a & ~sign) | (~b & sign);
	case TL_RISCV_FSGNJX_S:
	case TL_RISCV_FSGNJX_D:
		return a ^ (b & sign);
	case TL_RISCV_FMIN_S:
	case TL_RISCV_FMIN_D:
		return tl_float_minimum(format, context, a, b);
	default:
		return tl_float_maximum(format, context, a, b);
	}
}

static tl_u64 compared(const struct tl_step *step, const struct tl_float_format *format,
		       struct tl_float_context *context)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = operand(step, format, is->rs1), b = operand(step, format, is->rs2);

	if (is->operation == TL_RISCV_FEQ_S || is->operation == TL_RISCV_FEQ_D)
		return tl_float_equal(format, context, a, b);
	if (is->operation == TL_RISCV_FLT_S || is->operation == TL_RISCV_FLT_D)
		return tl_float_less(format, context, a, b);
	return tl_float_less_or_equal(format, context, a, b);
}

/* Moves between the two kinds of registers, and fclass. */
static void move(const struct tl_step *step, const struct tl_float_format *format)
{
	const struct tl_riscv_instruction *is = step->is;

	switch ((int)is->operation) {
	case TL_RISCV_FMV_W_X:
	case TL_RISCV_FMV_D_X:
		(void)set_f(step, format,
			    format == &tl_float64 ? tl_interpret_x(step, is->rs1)
						  : (tl_u32)tl_interpret_x(step, is->rs1));
		break;
	case TL_RISCV_FMV_X_W:
		tl_interpret_set_x(step, (tl_u64)(tl_i64)(tl_i32)(tl_u32)step->hart->f[is->rs1]);
		break;
	case TL_RISCV_FMV_X_D:
		tl_interpret_set_x(step, step->hart->f[is->rs1]);
		break;
	default:
		tl_interpret_set_x(step, tl_float_class(format, operand(step, format, is->rs1)));
	}
}

bool tl_interpret_float(struct tl_step *step)
{
	enum tl_riscv_format kind = tl_riscv_format(step->is->operation);
	const struct tl_float_format *format = format_of(step);
	struct tl_float_context context = {0};

	if ((step->hart->mstatus & TL_STATUS_FS) == 0) /* the unit is off */
		return tl_interpret_illegal(step);
	switch ((int)kind) {
	case TL_RISCV_FORMAT_F_LOAD:
		return load(step);
	case TL_RISCV_FORMAT_F_STORE:
		return store(step);
	case TL_RISCV_FORMAT_F_TO_X:
	case TL_RISCV_FORMAT_X_TO_F:
		move(step, format);
		return true;
	case TL_RISCV_FORMAT_F:
		(void)set_f(step, format, chosen(step, format, &context));
		break;
	case TL_RISCV_FORMAT_F_COMPARE:
		tl_interpret_set_x(step, compared(step, format, &context));
		break;
	default:
		return execute_rounded(step, kind);
	}
	keep_flags(step, &context);
	return true;
}

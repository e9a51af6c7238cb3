/*
 * Instructions of RV64 as gdb and objdump write them: "sd	ra,8(sp)", "beqz	a0,0x1139 <add>", and the short
 * names for common cases of general instructions ("li", "mv", "ret"). objdump is the referee, over every compressed
 * instruction and many full ones.
 */
#include "core/cpu/riscv_decode.h"
#include "core/cpu/riscv_layout.h"
#include "core/cursor.h"
#include "debugger/code/disassemble_internal.h"

enum { ZERO = 0, RA = 1 };

#define CSR_CYCLE 0xc00
#define CSR_CYCLE_LAST 0xc02

struct text {
	const struct tl_code_view *view;
	struct tl_output *output;
	tl_u64 address;
	const tl_u8 *bytes;
	const struct tl_riscv_instruction *is;
};

/* objdump calls x8 by its other name, for it is a frame pointer only where the compiler wants it. */
static const char *const general_names[32] = {
#define X(id, name, alternate, role, number) [number] = (number) == 8 ? "s0" : (name),
	TL_RISCV_GENERAL(X)
#undef X
};

static const char *const float_names[32] = {
#define X(id, name, alternate, number) [number] = (name),
	TL_RISCV_FLOAT(X)
#undef X
};

static const char *const roundings[8] = {"rne", "rtz", "rdn", "rup", "rmm", "unknown", "unknown", "dyn"};

static const struct {
	tl_u16 number;
	const char *name;
} control_names[] = {
	{1, "fflags"},
	{2, "frm"},
	{3, "fcsr"},
#define X(id, name, number) {number, name},
	TL_RISCV_CONTROL(X)
#undef X
	/* Those that other machines have: hypervisors, debug mode, state enables. */
	{0x017, "jvt"},
	{0x10c, "sstateen0"},
	{0x10d, "sstateen1"},
	{0x10e, "sstateen2"},
	{0x10f, "sstateen3"},
	{0x200, "vsstatus"},
	{0x204, "vsie"},
	{0x205, "vstvec"},
	{0x240, "vsscratch"},
	{0x241, "vsepc"},
	{0x242, "vscause"},
	{0x243, "vstval"},
	{0x244, "vsip"},
	{0x24d, "vstimecmp"},
	{0x280, "vsatp"},
	{0x30c, "mstateen0"},
	{0x30d, "mstateen1"},
	{0x30e, "mstateen2"},
	{0x30f, "mstateen3"},
	{0x310, "mstatush"},
	{0x34a, "mtinst"},
	{0x34b, "mtval2"},
	{0x5a8, "scontext"},
	{0x600, "hstatus"},
	{0x602, "hedeleg"},
	{0x603, "hideleg"},
	{0x604, "hie"},
	{0x605, "htimedelta"},
	{0x606, "hcounteren"},
	{0x607, "hgeie"},
	{0x60a, "henvcfg"},
	{0x60c, "hstateen0"},
	{0x60d, "hstateen1"},
	{0x60e, "hstateen2"},
	{0x60f, "hstateen3"},
	{0x643, "htval"},
	{0x644, "hip"},
	{0x645, "hvip"},
	{0x64a, "htinst"},
	{0x680, "hgatp"},
	{0x6a8, "hcontext"},
	{0x747, "mseccfg"},
	{0x7a5, "tcontrol"},
	{0x7a8, "mcontext"},
	{0x7aa, "mscontext"},
	{0x7b0, "dcsr"},
	{0x7b1, "dpc"},
	{0x7b2, "dscratch0"},
	{0x7b3, "dscratch1"},
	{0xda0, "scountovf"},
	{0xe12, "hgeip"},
};

/* Control registers that come in rows, by their numbers. */
static const struct {
	tl_u16 first, last, number;
	const char *name;
} control_rows[] = {
	{0xc03, 0xc1f, 3, "hpmcounter"}, {0xb03, 0xb1f, 3, "mhpmcounter"}, {0x323, 0x33f, 3, "mhpmevent"},
	{0x3a0, 0x3af, 0, "pmpcfg"},     {0x3b0, 0x3ef, 0, "pmpaddr"},
};

static const char *x(tl_u8 number)
{
	return general_names[number & 31];
}

static const char *f(tl_u8 number)
{
	return float_names[number & 31];
}

static void write_control(const struct text *text)
{
	for (tl_size i = 0; i < TL_COUNT(control_names); i++)
		if (control_names[i].number == text->is->immediate) {
			tl_output_text(text->output, control_names[i].name);
			return;
		}
	for (tl_size i = 0; i < TL_COUNT(control_rows); i++)
		if (text->is->immediate >= control_rows[i].first && text->is->immediate <= control_rows[i].last) {
			tl_output_format(text->output, "%s%d", control_rows[i].name,
					 text->is->immediate - control_rows[i].first + control_rows[i].number);
			return;
		}
	tl_output_format(text->output, "0x%x", (unsigned)text->is->immediate);
}

static void write_target(const struct text *text)
{
	tl_disassemble_address(text->view, text->address + (tl_u64)(tl_i64)text->is->immediate, text->output);
}

/* Operands of a jump or a branch that has short forms; false for all others. */
static bool write_jump(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	struct tl_output *output = text->output;

	if (is->operation == TL_RISCV_JAL && is->rd == ZERO)
		tl_output_text(output, "j\t");
	else if (is->operation == TL_RISCV_JAL && is->rd == RA)
		tl_output_text(output, "jal\t");
	else if (is->operation == TL_RISCV_BEQ && is->rs2 == ZERO)
		tl_output_format(output, "beqz\t%s,", x(is->rs1));
	else if (is->operation == TL_RISCV_BNE && is->rs2 == ZERO)
		tl_output_format(output, "bnez\t%s,", x(is->rs1));
	else if (is->operation == TL_RISCV_BLT && is->rs2 == ZERO)
		tl_output_format(output, "bltz\t%s,", x(is->rs1));
	else if (is->operation == TL_RISCV_BGE && is->rs2 == ZERO)
		tl_output_format(output, "bgez\t%s,", x(is->rs1));
	else if (is->operation == TL_RISCV_BGE && is->rs1 == ZERO)
		tl_output_format(output, "blez\t%s,", x(is->rs2));
	else if (is->operation == TL_RISCV_BLT && is->rs1 == ZERO)
		tl_output_format(output, "bgtz\t%s,", x(is->rs2));
	else
		return false;
	write_target(text);
	return true;
}

static bool write_register_jump(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;

	if (is->operation != TL_RISCV_JALR || is->rd > RA)
		return false;
	if (is->rd == ZERO && is->rs1 == RA && is->immediate == 0)
		tl_output_text(text->output, "ret");
	else if (is->immediate == 0)
		tl_output_format(text->output, "%s\t%s", is->rd == ZERO ? "jr" : "jalr", x(is->rs1));
	else
		tl_output_format(text->output, "%s\t%d(%s)", is->rd == ZERO ? "jr" : "jalr", is->immediate, x(is->rs1));
	return true;
}

/* Short names of operations with a number: "li a0,1", "mv a0,a1", "nop". */
static bool write_number_alias(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	struct tl_output *output = text->output;

	if (is->operation == TL_RISCV_ADDI && is->rd == ZERO && is->rs1 == ZERO && is->immediate == 0)
		tl_output_text(output, "nop");
	else if (is->operation == TL_RISCV_ADDI && is->rs1 == ZERO)
		tl_output_format(output, "li\t%s,%d", x(is->rd), is->immediate);
	else if (is->operation == TL_RISCV_ADDI && is->immediate == 0 && is->length == 4)
		tl_output_format(output, "mv\t%s,%s", x(is->rd), x(is->rs1));
	else if (is->operation == TL_RISCV_ADDIW && is->immediate == 0)
		tl_output_format(output, "sext.w\t%s,%s", x(is->rd), x(is->rs1));
	else if (is->operation == TL_RISCV_XORI && is->immediate == -1)
		tl_output_format(output, "not\t%s,%s", x(is->rd), x(is->rs1));
	else if (is->operation == TL_RISCV_ANDI && is->immediate == 255)
		tl_output_format(output, "zext.b\t%s,%s", x(is->rd), x(is->rs1));
	else if (is->operation == TL_RISCV_SLTIU && is->immediate == 1)
		tl_output_format(output, "seqz\t%s,%s", x(is->rd), x(is->rs1));
	else
		return false;
	return true;
}

static bool write_register_alias(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	const char *name = NULL;
	tl_u8 operand = is->rs2;

	if (is->operation == TL_RISCV_ADD && is->rs1 == ZERO && is->length == 2)
		name = "mv";
	else if (is->operation == TL_RISCV_SUB && is->rs1 == ZERO)
		name = "neg";
	else if (is->operation == TL_RISCV_SUBW && is->rs1 == ZERO)
		name = "negw";
	else if (is->operation == TL_RISCV_SLTU && is->rs1 == ZERO)
		name = "snez";
	else if (is->operation == TL_RISCV_SLT && is->rs1 == ZERO)
		name = "sgtz";
	else if (is->operation == TL_RISCV_SLT && is->rs2 == ZERO)
		name = "sltz", operand = is->rs1;
	else if (is->operation == TL_RISCV_ADD_UW && is->rs2 == ZERO)
		name = "zext.w", operand = is->rs1;
	if (name == NULL)
		return false;
	tl_output_format(text->output, "%s\t%s,%s", name, x(is->rd), x(operand));
	return true;
}

static bool write_sign_alias(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	const char *name = NULL;

	if (is->rs1 != is->rs2)
		return false;
	switch ((int)is->operation) {
	case TL_RISCV_FSGNJ_S:
		name = "fmv.s";
		break;
	case TL_RISCV_FSGNJN_S:
		name = "fneg.s";
		break;
	case TL_RISCV_FSGNJX_S:
		name = "fabs.s";
		break;
	case TL_RISCV_FSGNJ_D:
		name = "fmv.d";
		break;
	case TL_RISCV_FSGNJN_D:
		name = "fneg.d";
		break;
	case TL_RISCV_FSGNJX_D:
		name = "fabs.d";
		break;
	default:
		return false;
	}
	tl_output_format(text->output, "%s\t%s,%s", name, f(is->rd), f(is->rs1));
	return true;
}

/* "frflags a0", "fsrm a0,a1": the parts of the floating-point status have names of their own. */
static bool write_float_status(const struct text *text)
{
	static const char *const read_names[] = {"frflags", "frrm", "frcsr"};
	static const char *const write_names[] = {"fsflags", "fsrm", "fscsr"};
	const struct tl_riscv_instruction *is = text->is;
	int which = is->immediate - 1;

	if (which < 0 || which > 2)
		return false;
	if (is->operation == TL_RISCV_CSRRS && is->rs1 == ZERO)
		tl_output_format(text->output, "%s\t%s", read_names[which], x(is->rd));
	else if (is->operation == TL_RISCV_CSRRW && is->rd == ZERO)
		tl_output_format(text->output, "%s\t%s", write_names[which], x(is->rs1));
	else if (is->operation == TL_RISCV_CSRRW)
		tl_output_format(text->output, "%s\t%s,%s", write_names[which], x(is->rd), x(is->rs1));
	else if (is->operation == TL_RISCV_CSRRWI && which < 2 && is->rd == ZERO)
		tl_output_format(text->output, "%si\t%u", write_names[which], is->rs1);
	else if (is->operation == TL_RISCV_CSRRWI && which < 2)
		tl_output_format(text->output, "%si\t%s,%u", write_names[which], x(is->rd), is->rs1);
	else
		return false;
	return true;
}

static bool write_control_alias(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	struct tl_output *output = text->output;
	const char *name;

	if (is->operation == TL_RISCV_CSRRW && is->rd == ZERO && is->rs1 == ZERO && is->immediate == CSR_CYCLE) {
		tl_output_text(output,
			       "unimp"); /* a write that always fails: what compilers put where nothing may run */
		return true;
	}
	if (is->operation == TL_RISCV_CSRRS && is->rs1 == ZERO) {
		if (is->immediate >= CSR_CYCLE && is->immediate <= CSR_CYCLE_LAST) {
			tl_output_text(output, "rd");
			write_control(text);
			tl_output_format(output, "\t%s", x(is->rd));
			return true;
		}
		tl_output_format(output, "csrr\t%s,", x(is->rd));
		write_control(text);
		return true;
	}
	if (is->rd != ZERO)
		return false;
	name = tl_riscv_name(
		is->operation); /* csrrw, csrrwi: the short form has one letter, and no r of what is not read */
	tl_output_format(output, "csr%c\t", name[4]);
	write_control(text);
	if (tl_riscv_format(is->operation) == TL_RISCV_FORMAT_CSR)
		tl_output_format(output, ",%s", x(is->rs1));
	else
		tl_output_format(output, ",%u", is->rs1);
	return true;
}

/* Compressed instructions that compute what nobody keeps: hints, which objdump shows by their own names. */
static bool write_hint(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	struct tl_output *output = text->output;

	if (is->length != 2 || is->rd != ZERO)
		return false;
	if (is->operation == TL_RISCV_ADDI && is->rs1 == ZERO && text->bytes[1] >> 5 == 2)
		tl_output_format(output, "c.li\tzero,%d", is->immediate);
	else if (is->operation == TL_RISCV_ADDI && is->immediate != 0)
		tl_output_format(output, "c.nop\t%d", is->immediate);
	else if (is->operation == TL_RISCV_SLLI)
		tl_output_format(output, "c.slli\tzero,0x%x", (unsigned)is->immediate);
	else if (is->operation == TL_RISCV_LUI)
		tl_output_format(output, "c.lui\tzero,0x%x", (tl_u32)is->immediate >> 12 & 0xfffff);
	else if (is->operation == TL_RISCV_ADD)
		tl_output_format(output, "%s\tzero,%s", text->bytes[1] >> 4 == 9 ? "c.add" : "c.mv", x(is->rs2));
	else
		return false;
	return true;
}

static bool write_alias(const struct text *text)
{
	if (write_hint(text))
		return true;
	switch ((int)tl_riscv_format(text->is->operation)) {
	case TL_RISCV_FORMAT_J:
	case TL_RISCV_FORMAT_B:
		return write_jump(text);
	case TL_RISCV_FORMAT_JALR:
		return write_register_jump(text);
	case TL_RISCV_FORMAT_I:
		return write_number_alias(text);
	case TL_RISCV_FORMAT_R:
		return write_register_alias(text);
	case TL_RISCV_FORMAT_F:
		return write_sign_alias(text);
	case TL_RISCV_FORMAT_CSR:
	case TL_RISCV_FORMAT_CSR_NUMBER:
		return write_float_status(text) || write_control_alias(text);
	default:
		return false;
	}
}

/* "iorw": who has to be seen before, or after. */
static void write_fence_set(struct tl_output *output, tl_u32 set)
{
	static const char letters[] = "iorw";

	if (set == 0)
		tl_output_text(output, "unknown");
	for (int i = 0; i < 4; i++)
		if ((set >> (3 - i) & 1) != 0)
			tl_output_format(output, "%c", letters[i]);
}

static void write_fence(const struct text *text)
{
	tl_u32 immediate = (tl_u32)text->is->immediate, before = immediate >> 4 & 15, after = immediate & 15;

	if (immediate == 0x833 && text->is->rd == ZERO && text->is->rs1 == ZERO) {
		tl_output_text(text->output, "fence.tso");
		return;
	}
	if (immediate == 0x010 && text->is->rd == ZERO && text->is->rs1 == ZERO) {
		tl_output_text(text->output, "pause");
		return;
	}
	tl_output_text(text->output, "fence");
	if (immediate == 0xff && text->is->rd == ZERO && text->is->rs1 == ZERO)
		return;
	tl_output_text(text->output, "\t");
	write_fence_set(text->output, before);
	tl_output_text(text->output, ",");
	write_fence_set(text->output, after);
}

/* Conversions that are always exact are assembled with a rounding mode of 0. */
static void write_rounding(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	bool exact = is->operation == TL_RISCV_FCVT_D_S || is->operation == TL_RISCV_FCVT_D_W ||
		     is->operation == TL_RISCV_FCVT_D_WU;

	if (is->rounding != (exact ? TL_RISCV_ROUND_NEAREST_EVEN : TL_RISCV_ROUND_DYNAMIC))
		tl_output_format(text->output, ",%s", roundings[is->rounding & 7]);
}

/* What stands behind the name, by format. Letters are fields, see write_field; all else stands for itself. */
static const char *const operands[TL_RISCV_FORMAT_MAX] = {
	[TL_RISCV_FORMAT_U] = "\td,u",
	[TL_RISCV_FORMAT_J] = "\td,p",
	[TL_RISCV_FORMAT_JALR] = "\td,i(s)",
	[TL_RISCV_FORMAT_B] = "\ts,t,p",
	[TL_RISCV_FORMAT_LOAD] = "\td,i(s)",
	[TL_RISCV_FORMAT_STORE] = "\tt,i(s)",
	[TL_RISCV_FORMAT_I] = "\td,s,i",
	[TL_RISCV_FORMAT_SHIFT] = "\td,s,h",
	[TL_RISCV_FORMAT_R] = "\td,s,t",
	[TL_RISCV_FORMAT_UNARY] = "\td,s",
	[TL_RISCV_FORMAT_FENCE] = "",
	[TL_RISCV_FORMAT_FENCE_I] = "",
	[TL_RISCV_FORMAT_NONE] = "",
	[TL_RISCV_FORMAT_SFENCE] = "\ts,t",
	[TL_RISCV_FORMAT_CSR] = "\td,c,s",
	[TL_RISCV_FORMAT_CSR_NUMBER] = "\td,c,n",
	[TL_RISCV_FORMAT_LR] = "o\td,(s)",
	[TL_RISCV_FORMAT_AMO] = "o\td,t,(s)",
	[TL_RISCV_FORMAT_F_LOAD] = "\tD,i(s)",
	[TL_RISCV_FORMAT_F_STORE] = "\tT,i(s)",
	[TL_RISCV_FORMAT_F4] = "\tD,S,T,Rm",
	[TL_RISCV_FORMAT_F_ROUNDED] = "\tD,S,Tm",
	[TL_RISCV_FORMAT_F_UNARY_ROUNDED] = "\tD,Sm",
	[TL_RISCV_FORMAT_F] = "\tD,S,T",
	[TL_RISCV_FORMAT_F_COMPARE] = "\td,S,T",
	[TL_RISCV_FORMAT_F_TO_X_ROUNDED] = "\td,Sm",
	[TL_RISCV_FORMAT_X_TO_F_ROUNDED] = "\tD,sm",
	[TL_RISCV_FORMAT_F_TO_X] = "\td,S",
	[TL_RISCV_FORMAT_X_TO_F] = "\tD,s",
};

/* Small letters are general registers, capital ones those of floating point: destination and sources 1, 2, 3. */
static void write_register(const struct text *text, char letter)
{
	const struct tl_riscv_instruction *is = text->is;
	const char *const name = letter == 'd'   ? x(is->rd)
				 : letter == 's' ? x(is->rs1)
				 : letter == 't' ? x(is->rs2)
				 : letter == 'D' ? f(is->rd)
				 : letter == 'S' ? f(is->rs1)
				 : letter == 'T' ? f(is->rs2)
						 : f(is->rs3);

	tl_output_text(text->output, name);
}

static void write_field(const struct text *text, char letter)
{
	const struct tl_riscv_instruction *is = text->is;

	switch (letter) {
	case 'd':
	case 's':
	case 't':
	case 'D':
	case 'S':
	case 'T':
	case 'R':
		write_register(text, letter);
		break;
	case 'i':
		tl_output_format(text->output, "%d", is->immediate);
		break;
	case 'h':
		tl_output_format(text->output, "0x%x", (unsigned)is->immediate);
		break;
	case 'u': /* the upper 20 bits */
		tl_output_format(text->output, "0x%x", (tl_u32)is->immediate >> 12);
		break;
	case 'p': /* where it goes */
		write_target(text);
		break;
	case 'c': /* a control register */
		write_control(text);
		break;
	case 'n': /* a number in the place of source 1 */
		tl_output_format(text->output, "%u", is->rs1);
		break;
	case 'm':
		write_rounding(text);
		break;
	case 'o': /* the order that an atomic access keeps */
		tl_output_format(text->output, "%s%s%s", is->acquire || is->release ? "." : "", is->acquire ? "aq" : "",
				 is->release ? "rl" : "");
		break;
	default:
		tl_output_format(text->output, "%c", letter);
	}
}

static bool has_base(enum tl_riscv_format format)
{
	return format == TL_RISCV_FORMAT_LOAD || format == TL_RISCV_FORMAT_STORE || format == TL_RISCV_FORMAT_F_LOAD ||
	       format == TL_RISCV_FORMAT_F_STORE;
}

/* Operations with a number go by the name of those without, but for the comparisons: "add sp,sp,-16". */
static void write_name(const struct text *text)
{
	const char *name = tl_riscv_name(text->is->operation);
	enum tl_riscv_format format = tl_riscv_format(text->is->operation);
	bool shortened = (format == TL_RISCV_FORMAT_I || format == TL_RISCV_FORMAT_SHIFT ||
			  format == TL_RISCV_FORMAT_CSR_NUMBER) &&
			 text->is->operation != TL_RISCV_SLTI && text->is->operation != TL_RISCV_SLTIU &&
			 text->is->operation != TL_RISCV_SLLI_UW;

	for (; *name != 0; name++)
		if (!shortened || *name != 'i' || (name[1] != 0 && name[1] != 'w'))
			tl_output_format(text->output, "%c", *name);
}

/* An instruction under its own name. */
static void write_whole(const struct text *text)
{
	const struct tl_riscv_instruction *is = text->is;
	const char *shape = operands[tl_riscv_format(is->operation)];

	if (is->operation == TL_RISCV_FENCE) {
		write_fence(text);
		return;
	}
	if (is->operation == TL_RISCV_SFENCE_VMA && is->rs2 == ZERO)
		shape = is->rs1 == ZERO ? "" : "\ts";
	if (is->operation == TL_RISCV_JALR && is->immediate == 0)
		shape = "\td,s";
	write_name(text);
	for (; *shape != 0; shape++)
		write_field(text, *shape);
	/* With no base the number is an address of its own. */
	if (is->rs1 == ZERO && has_base(tl_riscv_format(is->operation))) {
		tl_output_text(text->output, " # ");
		tl_disassemble_address(text->view, (tl_u64)(tl_i64)is->immediate, text->output);
	}
}

/* What is no instruction: as data of the length that its first bits say. */
static tl_u8 write_data(const tl_u8 *bytes, tl_size size, struct tl_output *output)
{
	tl_size length = tl_riscv_length((tl_u16)tl_load_little(bytes, 2));

	if (length == 0 || length > size)
		length = 2;
	if (length == 2 && tl_load_little(bytes, 2) == 0)
		tl_output_text(output, "unimp");
	else
		tl_output_format(output, ".%zubyte\t0x%llx", length, (unsigned long long)tl_load_little(bytes, length));
	return (tl_u8)length;
}

tl_u8 tl_disassemble_riscv(const struct tl_code_view *view, tl_u64 address, const tl_u8 *bytes, tl_size size,
			   struct tl_output *output)
{
	struct tl_riscv_instruction instruction;
	struct text text = {.view = view, .output = output, .address = address, .bytes = bytes, .is = &instruction};
	enum tl_status status = tl_riscv_decode(bytes, size, &instruction);

	if (status == TL_ERROR_TRUNCATED)
		return 0;
	if (status != TL_OK)
		return write_data(bytes, size, output);
	if (!write_alias(&text))
		write_whole(&text);
	return instruction.length;
}

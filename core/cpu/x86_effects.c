#include "core/cpu/x86_effects.h"

#define NO TL_ACCESS_NONE
#define RD TL_ACCESS_READ
#define WR TL_ACCESS_WRITE
#define RW TL_ACCESS_BOTH

/* The memory operand of the x87 opcodes D8 to DF by ModRM.reg, and its size. */
struct x87_row {
	tl_u8 access[8];
	tl_u8 size[8];
};

static const struct x87_row x87_rows[8] = {
	{{RD, RD, RD, RD, RD, RD, RD, RD}, {4, 4, 4, 4, 4, 4, 4, 4}},
	{{RD, NO, WR, WR, RD, RD, WR, WR}, {4, 0, 4, 4, 28, 2, 28, 2}},
	{{RD, RD, RD, RD, RD, RD, RD, RD}, {4, 4, 4, 4, 4, 4, 4, 4}},
	{{RD, WR, WR, WR, NO, RD, NO, WR}, {4, 4, 4, 4, 0, 10, 0, 10}},
	{{RD, RD, RD, RD, RD, RD, RD, RD}, {8, 8, 8, 8, 8, 8, 8, 8}},
	{{RD, WR, WR, WR, RD, NO, WR, WR}, {8, 8, 8, 8, 108, 0, 108, 2}},
	{{RD, RD, RD, RD, RD, RD, RD, RD}, {2, 2, 2, 2, 2, 2, 2, 2}},
	{{RD, WR, WR, WR, RD, RD, WR, WR}, {2, 2, 2, 2, 10, 8, 10, 8}},
};

static enum tl_access group_ff(tl_u8 extension)
{
	return extension <= 1 ? RW : RD;
}

/* What a one-byte opcode does to the operand that ModRM or an address names. */
static enum tl_access primary_operand(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (opcode < 0x40) {
		if ((opcode & 7) >= 2 || opcode >= 0x38)
			return RD;
		return RW;
	}
	if (opcode >= 0xd8 && opcode <= 0xdf)
		return (enum tl_access)x87_rows[opcode & 7].access[in->modrm_reg];
	switch (opcode) {
	case 0x63:
		return in->wide ? RD : RW;
	case 0x80:
	case 0x81:
	case 0x82:
	case 0x83:
		return in->modrm_reg == 7 ? RD : RW;
	case 0x86:
	case 0x87:
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		return RW;
	case 0x88:
	case 0x89:
	case 0x8c:
	case 0x8f:
	case 0xa2:
	case 0xa3:
	case 0xc6:
	case 0xc7:
		return WR;
	case 0x8d:
		return NO;
	case 0xf6:
	case 0xf7:
		return in->modrm_reg == 2 || in->modrm_reg == 3 ? RW : RD;
	case 0xfe:
	case 0xff:
		return group_ff(in->modrm_reg);
	default:
		return RD;
	}
}

/* What a one-byte opcode does to memory that it does not name: the stack, and the operands of string operations. */
static enum tl_access primary_implied(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if ((opcode & 0xf8) == 0x50)
		return WR;
	if ((opcode & 0xf8) == 0x58)
		return RD;
	switch (opcode) {
	case 0x06:
	case 0x0e:
	case 0x16:
	case 0x1e:
	case 0x60:
	case 0x68:
	case 0x6a:
	case 0x6c:
	case 0x6d:
	case 0x9a:
	case 0x9c:
	case 0xaa:
	case 0xab:
	case 0xe8:
		return WR;
	case 0xc8:
		return (in->immediate >> 16 & 0x1f) > 1 ? RW : WR;
	case 0x07:
	case 0x17:
	case 0x1f:
	case 0x61:
	case 0x6e:
	case 0x6f:
	case 0x8f:
	case 0x9d:
	case 0xa6:
	case 0xa7:
	case 0xac:
	case 0xad:
	case 0xae:
	case 0xaf:
	case 0xc2:
	case 0xc3:
	case 0xc9:
	case 0xca:
	case 0xcb:
	case 0xcf:
	case 0xd7:
		return RD;
	case 0xa4:
	case 0xa5:
		return RW;
	case 0xff:
		return in->modrm_reg == 2 || in->modrm_reg == 3 || in->modrm_reg == 6 ? WR : NO;
	default:
		return NO;
	}
}

static enum tl_access state_group(const struct tl_x86_instruction *in)
{
	static const tl_u8 plain[8] = {WR, RD, RD, WR, RW, RD, RW, NO};

	/* With 66: CLWB and CLFLUSHOPT; with F3: shadow stack and user monitor. */
	if (in->prefix == 1 && in->modrm_reg >= 6)
		return NO;
	if (in->prefix == 2)
		return in->modrm_reg == 4 ? RD : in->modrm_reg == 6 ? RW : NO;
	return (enum tl_access)plain[in->modrm_reg];
}

static enum tl_access group_c7(const struct tl_x86_instruction *in)
{
	static const tl_u8 plain[8] = {NO, RW, NO, RD, WR, WR, RD, WR};

	return (enum tl_access)plain[in->modrm_reg];
}

static enum tl_access system_group(tl_u8 opcode, tl_u8 extension)
{
	static const tl_u8 tables[8] = {WR, WR, RD, RD, WR, RW, RD, NO};

	if (opcode == 0)
		return extension <= 1 ? WR : RD;
	return (enum tl_access)tables[extension];
}

/* MPX in the row of hints: BNDMOV and BNDLDX load, BNDMOV and BNDSTX store, the rest only computes. */
static enum tl_access hints(const struct tl_x86_instruction *in)
{
	if (in->opcode == 0x1a)
		return in->prefix == 1 || in->prefix == 0 ? RD : NO;
	if (in->opcode == 0x1b)
		return in->prefix == 1 || in->prefix == 0 ? WR : NO;
	return NO;
}

static enum tl_access secondary_operand(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if ((opcode & 0xf0) == 0x90)
		return in->encoding == TL_X86_ENCODING_VEX ? (opcode == 0x91 ? WR : RD) : WR;
	if (opcode <= 0x01)
		return system_group(opcode, in->modrm_reg);
	if (opcode >= 0x18 && opcode <= 0x1f)
		return hints(in);
	switch (opcode) {
	case 0x0d:
		return NO;
	case 0x11:
	case 0x13:
	case 0x17:
	case 0x29:
	case 0x2b:
	case 0x7f:
	case 0xc3:
	case 0xd6:
	case 0xe7:
		return WR;
	case 0x78:
		return in->encoding == TL_X86_ENCODING_LEGACY ? WR : RD;
	case 0x7e:
		return in->prefix == 2 ? RD : WR;
	case 0xa4:
	case 0xa5:
	case 0xab:
	case 0xac:
	case 0xad:
	case 0xb0:
	case 0xb1:
	case 0xb3:
	case 0xbb:
	case 0xc0:
	case 0xc1:
		return RW;
	case 0xae:
		return state_group(in);
	case 0xba:
		return in->modrm_reg == 4 ? RD : RW;
	case 0xb9:
	case 0xff:
		return NO;
	case 0xc7:
		return group_c7(in);
	default:
		return RD;
	}
}

/* Down-converting, compressing, extracting, masked and scattering stores of the vector encodings. */
static bool vector_store(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;
	bool evex = in->encoding == TL_X86_ENCODING_EVEX;

	if (in->map == 2 && evex) {
		return (in->prefix == 2 && (opcode & 0xf) <= 5 && opcode >= 0x10 && opcode < 0x40) || opcode == 0x63 ||
		       opcode == 0x8a || opcode == 0x8b || (opcode >= 0xa0 && opcode <= 0xa3);
	}
	if (in->map == 2)
		return opcode == 0x2e || opcode == 0x2f || opcode == 0x8e || (opcode == 0x4b && in->prefix == 2);
	if (in->map == 3) {
		return (opcode >= 0x14 && opcode <= 0x17) || opcode == 0x19 || opcode == 0x39 || opcode == 0x1d ||
		       (evex && (opcode == 0x1b || opcode == 0x3b));
	}
	return in->map == 5 && (opcode == 0x11 || opcode == 0x7e);
}

static enum tl_access vector_operand(const struct tl_x86_instruction *in)
{
	if (in->encoding == TL_X86_ENCODING_XOP)
		return RD;
	if (in->map == 1)
		return secondary_operand(in);
	/* Prefetches of gathers and scatters, and the configuration of tiles (stored with 66). */
	if (in->map == 2 && (in->opcode == 0xc6 || in->opcode == 0xc7) && in->encoding == TL_X86_ENCODING_EVEX)
		return NO;
	if (in->map == 2 && in->opcode == 0x49)
		return in->prefix == 1 ? WR : RD;
	return vector_store(in) ? WR : RD;
}

/* 0F 38 and 0F 3A without a vector prefix. */
static enum tl_access tertiary_operand(const struct tl_x86_instruction *in)
{
	if (in->map == 3)
		return in->opcode >= 0x14 && in->opcode <= 0x17 ? WR : RD;
	switch (in->opcode) {
	case 0xf1:
		return in->prefix == 3 ? RD : WR;
	case 0xf5:
	case 0xf9:
		return WR;
	case 0xf6:
		return in->prefix == 0 ? WR : RD;
	default:
		return RD;
	}
}

static enum tl_access operand_access(const struct tl_x86_instruction *in)
{
	if (!in->memory)
		return NO;
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return vector_operand(in);
	if (in->map == 0)
		return primary_operand(in);
	return in->map == 1 ? secondary_operand(in) : tertiary_operand(in);
}

static enum tl_access implied_access(const struct tl_x86_instruction *in)
{
	if (in->encoding == TL_X86_ENCODING_VEX)
		return in->map == 1 && in->opcode == 0xf7 ? WR : NO;
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return NO;
	if (in->map == 0)
		return primary_implied(in);
	if (in->map == 2)
		return in->opcode == 0xf8 ? WR : NO;
	if (in->map != 1)
		return NO;
	switch (in->opcode) {
	case 0xa0:
	case 0xa8:
	case 0xf7:
		return WR;
	case 0xa1:
	case 0xa9:
		return RD;
	default:
		return NO;
	}
}

/* One-byte opcodes: bit 0 is the size bit where there is one. */
static tl_u16 primary_size(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (opcode >= 0xd8 && opcode <= 0xdf)
		return x87_rows[opcode & 7].size[in->modrm_reg];
	if (opcode == 0x63)
		return in->wide ? 4 : 2;
	if (opcode == 0x8c || opcode == 0x8e)
		return 2;
	if (opcode == 0x83 || opcode == 0x8f || opcode == 0x69 || opcode == 0x6b)
		return in->operand_size;
	if (opcode == 0x62)
		return (tl_u16)(2 * in->operand_size);
	if (opcode == 0xc4 || opcode == 0xc5)
		return (tl_u16)(2 + in->operand_size);
	if ((opcode & 1) == 0)
		return 1;
	return in->operand_size;
}

/* Two-byte opcodes: general ones have exact sizes, scalars those of their prefix, vectors their whole length. */
static tl_u16 secondary_size(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;
	tl_u16 vector = (tl_u16)(16 << in->vector_length);

	if ((opcode & 0xf0) == 0x40 || (opcode >= 0xa3 && opcode <= 0xad) || opcode == 0xaf || opcode == 0xb8 ||
	    (opcode >= 0xba && opcode <= 0xbd) || opcode == 0xc3)
		return in->operand_size;
	if ((opcode & 0xf0) == 0x90)
		return in->encoding == TL_X86_ENCODING_VEX ? 8 : 1;
	if (opcode >= 0xb0 && opcode <= 0xc1 && opcode != 0xae)
		return opcode == 0xb6 || opcode == 0xbe                          ? 1
		       : opcode == 0xb7 || opcode == 0xbf                        ? 2
		       : (opcode & 1) == 0 && (opcode == 0xb0 || opcode == 0xc0) ? 1
										 : in->operand_size;
	if (opcode == 0xae)
		return in->modrm_reg == 2 || in->modrm_reg == 3 ? 4 : in->modrm_reg <= 1 ? 512 : 4096;
	if (opcode == 0xc7)
		return (in->rex & TL_X86_REX_W) != 0 ? 16 : in->modrm_reg == 1 ? 8 : 4096;
	if (opcode == 0x6e || opcode == 0x7e)
		return in->prefix == 2 || (in->rex & TL_X86_REX_W) != 0 ? 8 : 4;
	if (opcode == 0x12 || opcode == 0x13 || opcode == 0x16 || opcode == 0x17 || opcode == 0xd6)
		return in->prefix <= 1 ? 8 : vector;
	if (in->prefix >= 2 && (opcode <= 0x11 || opcode == 0x2a || (opcode >= 0x51 && opcode <= 0x5f)))
		return opcode == 0x2a ? in->operand_size : in->prefix == 2 ? 4 : 8;
	return vector;
}

static tl_u16 operand_bytes(const struct tl_x86_instruction *in)
{
	if (in->encoding == TL_X86_ENCODING_LEGACY && in->map == 0)
		return primary_size(in);
	if (in->map == 1)
		return secondary_size(in);
	if (in->encoding == TL_X86_ENCODING_LEGACY && in->map == 2 && in->opcode >= 0xf0 && in->opcode != 0xf8)
		return in->opcode == 0xf0 && in->prefix == 3 ? 1 : in->operand_size;
	if (in->map == 3 && in->opcode >= 0x14 && in->opcode <= 0x17)
		return in->opcode == 0x14                                    ? 1
		       : in->opcode == 0x15                                  ? 2
		       : (in->rex & TL_X86_REX_W) != 0 && in->opcode == 0x16 ? 8
									     : 4;
	return (tl_u16)(16 << in->vector_length);
}

void tl_x86_find_effects(struct tl_x86_instruction *in)
{
	enum tl_access operand = operand_access(in);
	enum tl_access implied = implied_access(in);

	in->reads_operand = (operand & RD) != 0;
	in->writes_operand = (operand & WR) != 0;
	in->reads_implied = (implied & RD) != 0;
	in->writes_implied = (implied & WR) != 0;
	in->access_size = operand != NO ? operand_bytes(in) : 0;
}

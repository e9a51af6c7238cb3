#include "targets/emulator/x86_emit.h"

void tl_x86_32(struct tl_x86 *code, tl_u32 value)
{
	tl_copy(code->memory + code->at, &value, 4);
	code->at += 4;
}

static bool is_byte(tl_i32 number)
{
	return number >= -128 && number <= 127;
}

/* ModRM, SIB and displacement. */
static void address(struct tl_x86 *code, tl_u8 reg, struct tl_x86_operand operand)
{
	tl_u8 field = (tl_u8)((reg & 7) << 3), base = operand.base & 7;
	tl_u8 mode = 0x80;

	if (!operand.memory) {
		tl_x86_byte(code, (tl_u8)(0xc0 | field | base));
		return;
	}
	if (operand.displacement == 0 && base != TL_RBP) /* rbp and r13 always have a displacement */
		mode = 0;
	else if (is_byte(operand.displacement))
		mode = 0x40;
	if (operand.indexed) {
		tl_x86_byte(code, (tl_u8)(mode | field | 4));
		tl_x86_byte(code, (tl_u8)(operand.scale << 6 | (operand.index & 7) << 3 | base));
	} else {
		tl_x86_byte(code, (tl_u8)(mode | field | base));
		if (base == TL_RSP)
			tl_x86_byte(code, 0x24);
	}
	if (mode == 0x40)
		tl_x86_byte(code, (tl_u8)operand.displacement);
	else if (mode == 0x80)
		tl_x86_32(code, (tl_u32)operand.displacement);
}

void tl_x86_op(struct tl_x86 *code, tl_u32 opcode, tl_u8 reg, struct tl_x86_operand operand)
{
	tl_u8 extension = (tl_u8)((opcode & TL_X86_W) != 0 ? 8 : 0);

	if ((opcode & TL_X86_66) != 0)
		tl_x86_byte(code, 0x66);
	if ((opcode & TL_X86_F3) != 0)
		tl_x86_byte(code, 0xf3);
	if ((opcode & TL_X86_F2) != 0)
		tl_x86_byte(code, 0xf2);
	extension |= (tl_u8)((reg >> 3 & 1) << 2 | (operand.base >> 3 & 1));
	if (operand.indexed)
		extension |= (tl_u8)((operand.index >> 3 & 1) << 1);
	if (extension != 0 || (opcode & TL_X86_B) != 0)
		tl_x86_byte(code, 0x40 | extension);
	if ((opcode & (TL_X86_0F | TL_X86_0F38)) != 0)
		tl_x86_byte(code, 0x0f);
	if ((opcode & TL_X86_0F38) != 0)
		tl_x86_byte(code, 0x38);
	tl_x86_byte(code, (tl_u8)opcode);
	address(code, reg, operand);
}

void tl_x86_number(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand, tl_i32 number)
{
	if (is_byte(number)) {
		tl_x86_op(code, 0x83 | wide, digit, operand);
		tl_x86_byte(code, (tl_u8)number);
	} else {
		tl_x86_op(code, 0x81 | wide, digit, operand);
		tl_x86_32(code, (tl_u32)number);
	}
}

void tl_x86_shift(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand, tl_u8 by)
{
	tl_x86_op(code, 0xc1 | wide, digit, operand);
	tl_x86_byte(code, by);
}

void tl_x86_shift_cl(struct tl_x86 *code, tl_u32 wide, tl_u8 digit, struct tl_x86_operand operand)
{
	tl_x86_op(code, 0xd3 | wide, digit, operand);
}

void tl_x86_rotate(struct tl_x86 *code, tl_u32 wide, tl_u8 to, struct tl_x86_operand operand, tl_u8 by, bool has_rorx)
{
	if (!has_rorx) {
		tl_x86_op(code, TL_X86_MOV | wide, to, operand);
		tl_x86_shift(code, wide, TL_X86_ROR_N, tl_x86_r(to), by);
		return;
	}
	/* VEX: the upper bits of both registers turned over, map 0F3A, F2, no third register. */
	tl_x86_byte(code, 0xc4);
	tl_x86_byte(code,
		    (tl_u8)(((to >> 3 & 1) == 0 ? 0x80 : 0) | 0x40 | ((operand.base >> 3 & 1) == 0 ? 0x20 : 0) | 3));
	tl_x86_byte(code, (tl_u8)(wide != 0 ? 0xfb : 0x7b));
	tl_x86_byte(code, 0xf0);
	address(code, to, operand);
	tl_x86_byte(code, by);
}

void tl_x86_set(struct tl_x86 *code, tl_u8 reg, tl_u64 value)
{
	if (value <= TL_U32_MAX) {
		if (reg >= 8)
			tl_x86_byte(code, 0x41);
		tl_x86_byte(code, (tl_u8)(0xb8 | (reg & 7)));
		tl_x86_32(code, (tl_u32)value);
	} else if ((tl_u64)(tl_i64)(tl_i32)(tl_u32)value == value) {
		tl_x86_op(code, 0xc7 | TL_X86_W, 0, tl_x86_r(reg));
		tl_x86_32(code, (tl_u32)value);
	} else {
		tl_x86_byte(code, (tl_u8)(0x48 | reg >> 3));
		tl_x86_byte(code, (tl_u8)(0xb8 | (reg & 7)));
		tl_x86_32(code, (tl_u32)value);
		tl_x86_32(code, (tl_u32)(value >> 32));
	}
}

void tl_x86_store_number(struct tl_x86 *code, struct tl_x86_operand operand, tl_i32 number)
{
	tl_x86_op(code, 0xc7 | TL_X86_W, 0, operand);
	tl_x86_32(code, (tl_u32)number);
}

void tl_x86_aim(struct tl_x86 *code, tl_u32 site, tl_u32 target)
{
	tl_u32 distance = target - (site + 4);

	tl_copy(code->memory + site, &distance, 4);
}

static tl_u32 distance_to(struct tl_x86 *code, tl_u32 target)
{
	tl_u32 site = code->at;

	tl_x86_32(code, target - (site + 4));
	return site;
}

tl_u32 tl_x86_jump(struct tl_x86 *code, tl_u32 target)
{
	tl_x86_byte(code, 0xe9);
	return distance_to(code, target);
}

tl_u32 tl_x86_call(struct tl_x86 *code, tl_u32 target)
{
	tl_x86_byte(code, 0xe8);
	return distance_to(code, target);
}

tl_u32 tl_x86_jump_if(struct tl_x86 *code, enum tl_x86_condition condition, tl_u32 target)
{
	tl_x86_byte(code, 0x0f);
	tl_x86_byte(code, (tl_u8)(0x80 | (tl_u8)condition));
	return distance_to(code, target);
}

void tl_x86_push(struct tl_x86 *code, tl_u8 reg)
{
	if (reg >= 8)
		tl_x86_byte(code, 0x41);
	tl_x86_byte(code, (tl_u8)(0x50 | (reg & 7)));
}

void tl_x86_pop(struct tl_x86 *code, tl_u8 reg)
{
	if (reg >= 8)
		tl_x86_byte(code, 0x41);
	tl_x86_byte(code, (tl_u8)(0x58 | (reg & 7)));
}

void tl_x86_set_if(struct tl_x86 *code, enum tl_x86_condition condition, tl_u8 reg)
{
	tl_x86_op(code, TL_X86_0F | TL_X86_B | 0x90 | (tl_u32)condition, 0, tl_x86_r(reg));
}

void tl_x86_fused(struct tl_x86 *code, tl_u8 operation, bool is_double, tl_u8 a, tl_u8 b, tl_u8 c)
{
	static const tl_u8 opcodes[] = {0xb9, 0xbb, 0xbd, 0xbf}; /* vf[n]madd231, vf[n]msub231 of scalars */

	tl_x86_byte(code, 0xc4);
	tl_x86_byte(code, (tl_u8)((a < 8 ? 0x80 : 0) | 0x40 | (c < 8 ? 0x20 : 0) | 2));
	tl_x86_byte(code, (tl_u8)((is_double ? 0x80 : 0) | (~b & 15) << 3 | 1));
	tl_x86_byte(code, opcodes[operation]);
	tl_x86_byte(code, (tl_u8)(0xc0 | (a & 7) << 3 | (c & 7)));
}

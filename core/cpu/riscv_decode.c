#include "core/cpu/riscv_decode.h"

#include "core/cursor.h"

struct row {
	tl_u32 match, mask;
	const char *name;
	enum tl_riscv_format format;
};

static const struct row rows[] = {
#define X(id, name, match, mask, format) {match, mask, name, TL_RISCV_FORMAT_##format},
	TL_RISCV_OPCODES(X)
#undef X
};

/* Where the rows of a major opcode begin. One that has none gets the first row, whose opcode is another. */
static const tl_u8 first_row[32] = {
	[0x03 >> 2] = TL_RISCV_LB,       [0x07 >> 2] = TL_RISCV_FLW,     [0x0f >> 2] = TL_RISCV_FENCE,
	[0x13 >> 2] = TL_RISCV_ADDI,     [0x17 >> 2] = TL_RISCV_AUIPC,   [0x1b >> 2] = TL_RISCV_ADDIW,
	[0x23 >> 2] = TL_RISCV_SB,       [0x27 >> 2] = TL_RISCV_FSW,     [0x2f >> 2] = TL_RISCV_LR_W,
	[0x33 >> 2] = TL_RISCV_ADD,      [0x37 >> 2] = TL_RISCV_LUI,     [0x3b >> 2] = TL_RISCV_ADDW,
	[0x43 >> 2] = TL_RISCV_FMADD_S,  [0x47 >> 2] = TL_RISCV_FMSUB_S, [0x4b >> 2] = TL_RISCV_FNMSUB_S,
	[0x4f >> 2] = TL_RISCV_FNMADD_S, [0x53 >> 2] = TL_RISCV_FADD_S,  [0x63 >> 2] = TL_RISCV_BEQ,
	[0x67 >> 2] = TL_RISCV_JALR,     [0x6f >> 2] = TL_RISCV_JAL,     [0x73 >> 2] = TL_RISCV_ECALL,
};

const char *tl_riscv_name(enum tl_riscv_operation operation)
{
	return operation < TL_RISCV_OPERATION_MAX ? rows[operation].name : "unknown";
}

enum tl_riscv_format tl_riscv_format(enum tl_riscv_operation operation)
{
	return operation < TL_RISCV_OPERATION_MAX ? rows[operation].format : TL_RISCV_FORMAT_NONE;
}

/* Bits `low` and up, `count` of them. */
static tl_u32 field(tl_u32 word, tl_u32 low, tl_u32 count)
{
	return word >> low & ((1u << count) - 1);
}

/* A number of `bits` bits in two's complement. */
static tl_i32 extend(tl_u32 value, tl_u32 bits)
{
	tl_u32 sign = 1u << (bits - 1);

	return (tl_i32)((value ^ sign) - sign);
}

static tl_i32 branch_distance(tl_u32 word)
{
	return extend(field(word, 31, 1) << 12 | field(word, 7, 1) << 11 | field(word, 25, 6) << 5 |
			      field(word, 8, 4) << 1,
		      13);
}

static tl_i32 jump_distance(tl_u32 word)
{
	return extend(field(word, 31, 1) << 20 | field(word, 12, 8) << 12 | field(word, 20, 1) << 11 |
			      field(word, 21, 10) << 1,
		      21);
}

static tl_i32 immediate_of(enum tl_riscv_format format, tl_u32 word, tl_u32 mask)
{
	switch (format) {
	case TL_RISCV_FORMAT_U:
		return (tl_i32)(word & 0xfffff000);
	case TL_RISCV_FORMAT_J:
		return jump_distance(word);
	case TL_RISCV_FORMAT_B:
		return branch_distance(word);
	case TL_RISCV_FORMAT_STORE:
	case TL_RISCV_FORMAT_F_STORE:
		return extend(field(word, 25, 7) << 5 | field(word, 7, 5), 12);
	case TL_RISCV_FORMAT_I:
	case TL_RISCV_FORMAT_JALR:
	case TL_RISCV_FORMAT_LOAD:
	case TL_RISCV_FORMAT_F_LOAD:
		return extend(word >> 20, 12);
	case TL_RISCV_FORMAT_FENCE:
	case TL_RISCV_FORMAT_FENCE_I:
	case TL_RISCV_FORMAT_CSR:
	case TL_RISCV_FORMAT_CSR_NUMBER:
		return (tl_i32)(word >> 20);
	case TL_RISCV_FORMAT_SHIFT: /* six bits, or five where the sixth is part of the opcode */
		return (tl_i32)(field(word, 20, 6) & ~(mask >> 20));
	case TL_RISCV_FORMAT_R:
	case TL_RISCV_FORMAT_UNARY:
	case TL_RISCV_FORMAT_NONE:
	case TL_RISCV_FORMAT_SFENCE:
	case TL_RISCV_FORMAT_LR:
	case TL_RISCV_FORMAT_AMO:
	case TL_RISCV_FORMAT_F4:
	case TL_RISCV_FORMAT_F_ROUNDED:
	case TL_RISCV_FORMAT_F_UNARY_ROUNDED:
	case TL_RISCV_FORMAT_F:
	case TL_RISCV_FORMAT_F_COMPARE:
	case TL_RISCV_FORMAT_F_TO_X_ROUNDED:
	case TL_RISCV_FORMAT_X_TO_F_ROUNDED:
	case TL_RISCV_FORMAT_F_TO_X:
	case TL_RISCV_FORMAT_X_TO_F:
	case TL_RISCV_FORMAT_MAX:
		break;
	}
	return 0;
}

bool tl_riscv_decode_full(tl_u32 word, struct tl_riscv_instruction *instruction_ret)
{
	tl_size i = first_row[field(word, 2, 5)];

	if ((word & 3) != 3)
		return false;
	while (i < TL_COUNT(rows) && (rows[i].match & 0x7f) == (word & 0x7f) && (word & rows[i].mask) != rows[i].match)
		i++;
	if (i == TL_COUNT(rows) || (word & rows[i].mask) != rows[i].match)
		return false;
	*instruction_ret = (struct tl_riscv_instruction){
		.operation = (tl_u8)i,
		.length = 4,
		.rd = (tl_u8)field(word, 7, 5),
		.rs1 = (tl_u8)field(word, 15, 5),
		.rs2 = (tl_u8)field(word, 20, 5),
		.rs3 = (tl_u8)field(word, 27, 5),
		.rounding = (tl_u8)field(word, 12, 3),
		.acquire = field(word, 26, 1) != 0,
		.release = field(word, 25, 1) != 0,
		.immediate = immediate_of(rows[i].format, word, rows[i].mask),
	};
	return true;
}

/* What a compressed instruction stands for; fields that the full one does not have are 0. */
static bool stand_for(struct tl_riscv_instruction *instruction_ret, enum tl_riscv_operation operation, tl_u32 rd,
		      tl_u32 rs1, tl_u32 rs2, tl_i32 immediate)
{
	*instruction_ret = (struct tl_riscv_instruction){.operation = (tl_u8)operation,
							 .length = 2,
							 .rd = (tl_u8)rd,
							 .rs1 = (tl_u8)rs1,
							 .rs2 = (tl_u8)rs2,
							 .immediate = immediate};
	return true;
}

enum { ZERO = 0, RA = 1, SP = 2 };

/* The offsets of loads and stores by a register of three bits: of words, and of double words. */
static tl_i32 word_offset(tl_u32 half)
{
	return (tl_i32)(field(half, 10, 3) << 3 | field(half, 6, 1) << 2 | field(half, 5, 1) << 6);
}

static tl_i32 double_offset(tl_u32 half)
{
	return (tl_i32)(field(half, 10, 3) << 3 | field(half, 5, 2) << 6);
}

static bool quadrant_0(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	tl_u32 base = 8 + field(half, 7, 3), value = 8 + field(half, 2, 3);
	tl_u32 frame =
		field(half, 11, 2) << 4 | field(half, 7, 4) << 6 | field(half, 6, 1) << 2 | field(half, 5, 1) << 3;

	switch (field(half, 13, 3)) {
	case 0: /* c.addi4spn; of zeros only: defined to be illegal */
		return frame != 0 && stand_for(instruction_ret, TL_RISCV_ADDI, value, SP, 0, (tl_i32)frame);
	case 1:
		return stand_for(instruction_ret, TL_RISCV_FLD, value, base, 0, double_offset(half));
	case 2:
		return stand_for(instruction_ret, TL_RISCV_LW, value, base, 0, word_offset(half));
	case 3:
		return stand_for(instruction_ret, TL_RISCV_LD, value, base, 0, double_offset(half));
	case 5:
		return stand_for(instruction_ret, TL_RISCV_FSD, 0, base, value, double_offset(half));
	case 6:
		return stand_for(instruction_ret, TL_RISCV_SW, 0, base, value, word_offset(half));
	case 7:
		return stand_for(instruction_ret, TL_RISCV_SD, 0, base, value, double_offset(half));
	default:
		return false;
	}
}

/* c.srli, c.srai, c.andi, and arithmetic of two registers of three bits. */
static bool arithmetic(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	static const tl_u8 of_two[8] = {TL_RISCV_SUB,           TL_RISCV_XOR,          TL_RISCV_OR,
					TL_RISCV_AND,           TL_RISCV_SUBW,         TL_RISCV_ADDW,
					TL_RISCV_OPERATION_MAX, TL_RISCV_OPERATION_MAX};
	tl_u32 rd = 8 + field(half, 7, 3), number = field(half, 12, 1) << 5 | field(half, 2, 5);
	tl_u8 operation = of_two[field(half, 12, 1) << 2 | field(half, 5, 2)];

	switch (field(half, 10, 2)) {
	case 0:
		return stand_for(instruction_ret, TL_RISCV_SRLI, rd, rd, 0, (tl_i32)number);
	case 1:
		return stand_for(instruction_ret, TL_RISCV_SRAI, rd, rd, 0, (tl_i32)number);
	case 2:
		return stand_for(instruction_ret, TL_RISCV_ANDI, rd, rd, 0, extend(number, 6));
	default:
		return operation != TL_RISCV_OPERATION_MAX &&
		       stand_for(instruction_ret, operation, rd, rd, 8 + field(half, 2, 3), 0);
	}
}

/* c.lui, and c.addi16sp where the register is sp; neither exists for a number of 0. */
static bool upper(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	tl_u32 rd = field(half, 7, 5);
	tl_i32 frame = extend(field(half, 12, 1) << 9 | field(half, 6, 1) << 4 | field(half, 5, 1) << 6 |
				      field(half, 3, 2) << 7 | field(half, 2, 1) << 5,
			      10);
	tl_i32 number = extend(field(half, 12, 1) << 17 | field(half, 2, 5) << 12, 18);

	if (rd == SP)
		return frame != 0 && stand_for(instruction_ret, TL_RISCV_ADDI, SP, SP, 0, frame);
	return number != 0 && stand_for(instruction_ret, TL_RISCV_LUI, rd, 0, 0, number);
}

static bool quadrant_1(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	tl_u32 rd = field(half, 7, 5), near = 8 + field(half, 7, 3);
	tl_i32 number = extend(field(half, 12, 1) << 5 | field(half, 2, 5), 6);
	tl_i32 jump = extend(field(half, 12, 1) << 11 | field(half, 11, 1) << 4 | field(half, 9, 2) << 8 |
				     field(half, 8, 1) << 10 | field(half, 7, 1) << 6 | field(half, 6, 1) << 7 |
				     field(half, 3, 3) << 1 | field(half, 2, 1) << 5,
			     12);
	tl_i32 branch = extend(field(half, 12, 1) << 8 | field(half, 10, 2) << 3 | field(half, 5, 2) << 6 |
				       field(half, 3, 2) << 1 | field(half, 2, 1) << 5,
			       9);

	switch (field(half, 13, 3)) {
	case 0:
		return stand_for(instruction_ret, TL_RISCV_ADDI, rd, rd, 0, number);
	case 1:
		return rd != ZERO && stand_for(instruction_ret, TL_RISCV_ADDIW, rd, rd, 0, number);
	case 2:
		return stand_for(instruction_ret, TL_RISCV_ADDI, rd, ZERO, 0, number);
	case 3:
		return upper(half, instruction_ret);
	case 4:
		return arithmetic(half, instruction_ret);
	case 5:
		return stand_for(instruction_ret, TL_RISCV_JAL, ZERO, 0, 0, jump);
	case 6:
		return stand_for(instruction_ret, TL_RISCV_BEQ, 0, near, ZERO, branch);
	default:
		return stand_for(instruction_ret, TL_RISCV_BNE, 0, near, ZERO, branch);
	}
}

/* c.jr, c.mv, c.ebreak, c.jalr, c.add. */
static bool registers(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	tl_u32 rd = field(half, 7, 5), other = field(half, 2, 5);
	bool second = field(half, 12, 1) != 0;

	if (other != 0)
		return stand_for(instruction_ret, TL_RISCV_ADD, rd, second ? rd : ZERO, other, 0);
	if (rd != 0)
		return stand_for(instruction_ret, TL_RISCV_JALR, second ? RA : ZERO, rd, 0, 0);
	return second && stand_for(instruction_ret, TL_RISCV_EBREAK, 0, 0, 0, 0);
}

static bool quadrant_2(tl_u32 half, struct tl_riscv_instruction *instruction_ret)
{
	tl_u32 rd = field(half, 7, 5), other = field(half, 2, 5);
	tl_i32 bits = (tl_i32)(field(half, 12, 1) << 5 | other);
	tl_i32 load_word = (tl_i32)(field(half, 12, 1) << 5 | field(half, 4, 3) << 2 | field(half, 2, 2) << 6);
	tl_i32 load_double = (tl_i32)(field(half, 12, 1) << 5 | field(half, 5, 2) << 3 | field(half, 2, 3) << 6);
	tl_i32 store_word = (tl_i32)(field(half, 9, 4) << 2 | field(half, 7, 2) << 6);
	tl_i32 store_double = (tl_i32)(field(half, 10, 3) << 3 | field(half, 7, 3) << 6);

	switch (field(half, 13, 3)) {
	case 0:
		return stand_for(instruction_ret, TL_RISCV_SLLI, rd, rd, 0, bits);
	case 1:
		return stand_for(instruction_ret, TL_RISCV_FLD, rd, SP, 0, load_double);
	case 2:
		return rd != ZERO && stand_for(instruction_ret, TL_RISCV_LW, rd, SP, 0, load_word);
	case 3:
		return rd != ZERO && stand_for(instruction_ret, TL_RISCV_LD, rd, SP, 0, load_double);
	case 4:
		return registers(half, instruction_ret);
	case 5:
		return stand_for(instruction_ret, TL_RISCV_FSD, 0, SP, other, store_double);
	case 6:
		return stand_for(instruction_ret, TL_RISCV_SW, 0, SP, other, store_word);
	default:
		return stand_for(instruction_ret, TL_RISCV_SD, 0, SP, other, store_double);
	}
}

bool tl_riscv_decode_compressed(tl_u16 half, struct tl_riscv_instruction *instruction_ret)
{
	switch (half & 3) {
	case 0:
		return quadrant_0(half, instruction_ret);
	case 1:
		return quadrant_1(half, instruction_ret);
	case 2:
		return quadrant_2(half, instruction_ret);
	default:
		return false;
	}
}

enum tl_status tl_riscv_decode(const tl_u8 *bytes, tl_size size, struct tl_riscv_instruction *instruction_ret)
{
	tl_size length;

	if (size < 2)
		return TL_ERROR_TRUNCATED;
	length = tl_riscv_length((tl_u16)tl_load_little(bytes, 2));
	if (length == 0)
		return TL_ERROR_INSTRUCTION;
	if (size < length)
		return TL_ERROR_TRUNCATED;
	if (length == 2 ? tl_riscv_decode_compressed((tl_u16)tl_load_little(bytes, 2), instruction_ret)
			: tl_riscv_decode_full((tl_u32)tl_load_little(bytes, 4), instruction_ret))
		return TL_OK;
	return TL_ERROR_INSTRUCTION;
}

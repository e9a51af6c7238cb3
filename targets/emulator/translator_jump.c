#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/* The registers in which return addresses are kept by convention: ra and t0 (volume I, 2.5.1). */
static bool is_link(tl_u8 number)
{
	return number == 1 || number == 5;
}

/* The guest's return address onto the stack; the host's follows with the call. */
static void push_return(struct tl_unit *unit, tl_u64 address)
{
	if ((tl_u64)(tl_i64)(tl_i32)(tl_u32)address == address) {
		tl_x86_byte(unit->code, 0x68);
		tl_x86_32(unit->code, (tl_u32)address);
	} else {
		tl_x86_set(unit->code, TL_RCX, address);
		tl_x86_push(unit->code, TL_RCX);
	}
}

/* Behind a call, where the guest's return has come back to. */
static void pop_return(struct tl_unit *unit)
{
	tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, TL_RSP, tl_x86_m(TL_RSP, 8));
}

/* To an address that is known. */
static void jump_to(struct tl_unit *unit, tl_u64 target)
{
	tl_u64 after = unit->pc + unit->is.length;

	unit->ended = true;
	tl_unit_set(unit, unit->is.rd, after);
	if (is_link(unit->is.rd)) {
		push_return(unit, after);
		tl_unit_exit(unit, 0, target, TL_EXIT_CALL, TL_CC_O);
		pop_return(unit);
	} else {
		tl_unit_exit(unit, 0, target, TL_EXIT_JUMP, TL_CC_O);
		unit->falls = false;
	}
}

/* To the address in rax, by what was remembered of earlier jumps. */
static void jump_by_cache(struct tl_unit *unit, bool call)
{
	struct tl_x86 *code = unit->code;
	tl_i32 jumps = TL_AT(translated.jumps) + (tl_i32)(unit->key * sizeof(unit->hart->translated.jumps[0]));

	tl_x86_op(code, TL_X86_MOV, TL_RCX, tl_x86_r(TL_RAX));
	tl_x86_shift(code, 0, TL_X86_SHL_N, tl_x86_r(TL_RCX), 3);
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), (TL_JUMPS - 1) << 4);
	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RAX, tl_x86_mx(TL_RBP, TL_RCX, 0, jumps));
	(void)tl_x86_jump_if(code, TL_CC_NE, unit->translator->leave_jump[(unit->key & TL_KEY_FLOAT) != 0]);
	tl_x86_op(code, 0xff, call ? 2 : 4, tl_x86_mx(TL_RBP, TL_RCX, 0, jumps + 8));
}

static void jump_register(struct tl_unit *unit)
{
	struct tl_x86 *code = unit->code;
	tl_u8 rd = unit->is.rd, rs1 = unit->is.rs1;
	tl_u64 after = unit->pc + unit->is.length;

	if (rs1 == 0 || (unit->known >> rs1 & 1) != 0) {
		tl_u64 base = rs1 == 0 ? 0 : unit->values[rs1];

		jump_to(unit, (base + (tl_u64)(tl_i64)unit->is.immediate) & ~(tl_u64)1);
		return;
	}
	unit->ended = true;
	tl_unit_take(unit, rs1, TL_RAX);
	if (unit->is.immediate != 0)
		tl_x86_number(code, TL_X86_W, TL_X86_ADD_N, tl_x86_r(TL_RAX), unit->is.immediate);
	tl_x86_number(code, TL_X86_W, TL_X86_AND_N, tl_x86_r(TL_RAX), -2);
	if (rd == 0 && is_link(rs1)) {
		tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RAX, tl_x86_m(TL_RSP, 8));
		(void)tl_x86_jump_if(code, TL_CC_NE, unit->translator->return_missed[unit->key]);
		tl_x86_byte(code, 0xc3);
		unit->falls = false;
		return;
	}
	if (rd != 0) {
		/* tl_unit_set may take rax for numbers that memory does not get in one piece. */
		tl_x86_set(code, TL_RCX, after);
		tl_unit_put(unit, rd, TL_RCX);
	}
	if (is_link(rd))
		push_return(unit, after);
	jump_by_cache(unit, is_link(rd));
	if (is_link(rd))
		pop_return(unit);
	else
		unit->falls = false;
}

static void branch(struct tl_unit *unit)
{
	static const tl_u8 conditions[] = {[0] = TL_CC_E,
					   [TL_RISCV_BNE - TL_RISCV_BEQ] = TL_CC_NE,
					   [TL_RISCV_BLT - TL_RISCV_BEQ] = TL_CC_L,
					   [TL_RISCV_BGE - TL_RISCV_BEQ] = TL_CC_GE,
					   [TL_RISCV_BLTU - TL_RISCV_BEQ] = TL_CC_B,
					   [TL_RISCV_BGEU - TL_RISCV_BEQ] = TL_CC_AE};
	enum tl_x86_condition condition = (enum tl_x86_condition)conditions[unit->is.operation - TL_RISCV_BEQ];
	tl_u8 a = tl_unit_use(unit, unit->is.rs1, TL_RAX);

	if (unit->is.rs2 == 0 && tl_pinned[unit->is.rs1] >= 0)
		tl_x86_op(unit->code, TL_X86_TEST | TL_X86_W, a, tl_x86_r(a));
	else
		tl_x86_op(unit->code, TL_X86_CMP | TL_X86_W, a, tl_unit_x(unit->is.rs2));
	if (tl_translate_skip(unit, condition))
		return;
	tl_unit_exit(unit, 0, unit->pc + (tl_u64)(tl_i64)unit->is.immediate, TL_EXIT_BRANCH, condition);
	unit->ended = true;
}

bool tl_translate_jump(struct tl_unit *unit)
{
	if (unit->is.operation == TL_RISCV_JAL)
		jump_to(unit, unit->pc + (tl_u64)(tl_i64)unit->is.immediate);
	else if (unit->is.operation == TL_RISCV_JALR)
		jump_register(unit);
	else
		branch(unit);
	return true;
}

#endif

/*
 * Control registers in line, as far as a kernel uses them all the time: interrupts off and on again (sstatus), and what
 * a trap's handler looks at. All else is the interpreter's.
 *
 * The mode is part of a block's key, so that nothing has to be asked for registers which a supervisor may always touch.
 */
#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

#define SEEN                                                                                                           \
	(TL_STATUS_SIE | TL_STATUS_SPIE | TL_STATUS_SPP | TL_STATUS_FS | TL_STATUS_SUM | TL_STATUS_MXR | TL_STATUS_UXL)

static bool is_supervisor(const struct tl_unit *unit)
{
	tl_u32 set = unit->key & TL_KEY_SET;

	return set == TL_TLB_SUPERVISOR || set == TL_TLB_SUPERVISOR_SUM;
}

/* sstatus into rax; rcx is lost. */
static void read_status(struct tl_unit *unit)
{
	struct tl_x86 *code = unit->code;

	tl_x86_set(code, TL_RCX, SEEN);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(mstatus)));
	tl_x86_op(code, TL_X86_AND | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
	/* SD, where FS is 3: the sum of FS and 1 reaches the bit above it. */
	tl_x86_op(code, TL_X86_MOV, TL_RCX, tl_x86_r(TL_RAX));
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), 0x6000);
	tl_x86_number(code, 0, TL_X86_ADD_N, tl_x86_r(TL_RCX), 0x2000);
	tl_x86_shift(code, 0, TL_X86_SHR_N, tl_x86_r(TL_RCX), 15);
	tl_x86_shift(code, TL_X86_W, TL_X86_SHL_N, tl_x86_r(TL_RCX), 63);
	tl_x86_op(code, TL_X86_OR | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
}

/* Interrupts off: nothing can come of it but that. */
static void clear_interrupts(struct tl_unit *unit)
{
	if (unit->is.rd != 0)
		read_status(unit);
	tl_x86_number(unit->code, TL_X86_W, TL_X86_AND_N, tl_unit_in_hart(TL_AT(mstatus)), -1 - (tl_i32)TL_STATUS_SIE);
	tl_unit_put(unit, unit->is.rd, TL_RAX);
}

/* Interrupts on, or as they are, as rdx says. It is left to the interpreter when one is pending. */
static void set_interrupts(struct tl_unit *unit)
{
	struct tl_x86 *code = unit->code;
	struct tl_cold *other;

	tl_x86_op(code, 0xf7 | TL_X86_W, 0, tl_x86_r(TL_RDX)); /* test rdx, number */
	tl_x86_32(code, ~(tl_u32)TL_STATUS_SIE);
	other = tl_unit_step_if(unit, TL_CC_NE, false);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(mip)));
	tl_x86_op(code, TL_X86_OR | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(lines)));
	tl_x86_op(code, TL_X86_AND | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(mie)));
	other->site2 = tl_x86_jump_if(code, TL_CC_NE, 0);
	if (unit->is.rd != 0)
		read_status(unit);
	tl_x86_op(code, 0x09 | TL_X86_W, TL_RDX, tl_unit_in_hart(TL_AT(mstatus))); /* or [mstatus], rdx */
	tl_unit_put(unit, unit->is.rd, TL_RAX);
	tl_unit_stepped(unit, other);
}

static bool change_status(struct tl_unit *unit)
{
	bool number = unit->is.operation == TL_RISCV_CSRRSI || unit->is.operation == TL_RISCV_CSRRCI;

	switch ((int)unit->is.operation) {
	case TL_RISCV_CSRRCI:
		if (unit->is.rs1 != TL_STATUS_SIE)
			return false;
		clear_interrupts(unit);
		return true;
	case TL_RISCV_CSRRS:
	case TL_RISCV_CSRRSI:
		if (number && unit->is.rs1 != TL_STATUS_SIE)
			return false;
		if (number)
			tl_x86_set(unit->code, TL_RDX, TL_STATUS_SIE);
		else
			tl_unit_take(unit, unit->is.rs1, TL_RDX);
		set_interrupts(unit);
		return true;
	default:
		return false;
	}
}

/* Where a register stands that is nothing but its value; 0 for others. */
static tl_i32 plain_register(tl_i32 number)
{
	switch (number) {
	case TL_RISCV_CSR_SSCRATCH:
		return TL_AT(sscratch);
	case TL_RISCV_CSR_SEPC:
		return TL_AT(sepc);
	case TL_RISCV_CSR_SCAUSE:
		return TL_AT(scause);
	case TL_RISCV_CSR_STVAL:
		return TL_AT(stval);
	default:
		return 0;
	}
}

bool tl_translate_control(struct tl_unit *unit)
{
	bool reads = unit->is.operation == TL_RISCV_CSRRS && unit->is.rs1 == 0;
	tl_i32 at = plain_register(unit->is.immediate);

	if (!is_supervisor(unit))
		return false;
	if (unit->is.immediate == TL_RISCV_CSR_SSTATUS && reads) {
		read_status(unit);
		tl_unit_put(unit, unit->is.rd, TL_RAX);
		return true;
	}
	if (unit->is.immediate == TL_RISCV_CSR_SSTATUS)
		return change_status(unit);
	if (at == 0 || (!reads && (unit->is.operation != TL_RISCV_CSRRW || at != TL_AT(sscratch))))
		return false;
	if (!reads)
		tl_unit_take(unit, unit->is.rs1, TL_RCX);
	tl_x86_op(unit->code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_unit_in_hart(at));
	if (!reads)
		tl_x86_op(unit->code, TL_X86_STORE | TL_X86_W, TL_RCX, tl_unit_in_hart(at));
	tl_unit_put(unit, unit->is.rd, TL_RAX);
	return true;
}

#endif

#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/*
 * Branches over one or two simple instructions that make one register: they are always carried out, and undone where
 * the branch is taken. Such branches are often those that no processor can foresee.
 */
#define SKIPPED_MAX 2

bool tl_unit_is_simple(const struct tl_riscv_instruction *is)
{
	switch ((int)is->operation) {
	case TL_RISCV_ADDI:
	case TL_RISCV_ADDIW:
	case TL_RISCV_ANDI:
	case TL_RISCV_ORI:
	case TL_RISCV_XORI:
	case TL_RISCV_SLLI:
	case TL_RISCV_SRLI:
	case TL_RISCV_SRAI:
	case TL_RISCV_SLLIW:
	case TL_RISCV_SRLIW:
	case TL_RISCV_SRAIW:
	case TL_RISCV_ADD:
	case TL_RISCV_SUB:
	case TL_RISCV_AND:
	case TL_RISCV_OR:
	case TL_RISCV_XOR:
	case TL_RISCV_ADDW:
	case TL_RISCV_SUBW:
	case TL_RISCV_LUI:
		return true;
	default:
		return false;
	}
}

/* How many instructions lie between the branch and its target, if all are such; 0 if not. */
static tl_u16 skipped(struct tl_unit *unit, tl_u8 *made_ret)
{
	const struct tl_riscv_instruction branch = unit->is;
	tl_u64 from = unit->pc, target = from + (tl_u64)(tl_i64)branch.immediate;
	tl_u16 count = 0;

	/* The target is to be in this block, too. */
	if (branch.immediate <= branch.length || branch.immediate > branch.length + 4 * SKIPPED_MAX ||
	    target >> TL_PAGE_BITS != from >> TL_PAGE_BITS || unit->block->second_mapping != 0 ||
	    unit->index + SKIPPED_MAX + 2 > TL_BLOCK_LENGTH_MAX)
		return 0;
	unit->pc += branch.length;
	while (unit->pc < target && count < SKIPPED_MAX && tl_unit_decode(unit) && tl_unit_is_simple(&unit->is) &&
	       tl_pinned[unit->is.rd] >= 0 && (count == 0 || unit->is.rd == *made_ret)) {
		*made_ret = unit->is.rd;
		unit->pc += unit->is.length;
		count++;
	}
	if (unit->pc != target)
		count = 0;
	unit->pc = from;
	unit->is = branch;
	return count;
}

bool tl_translate_skip(struct tl_unit *unit, enum tl_x86_condition condition)
{
	struct tl_x86 *code = unit->code;
	tl_u8 made = 0, host;
	tl_u16 count = skipped(unit, &made);

	if (count == 0)
		return false;
	host = (tl_u8)tl_pinned[made];
	tl_x86_set_if(code, condition, TL_RDX);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_x86_r(host));
	for (tl_u16 i = 0; i < count; i++) {
		unit->pc += unit->is.length;
		unit->index++;
		(void)tl_unit_decode(unit);
		(void)tl_translate_integer(unit);
	}
	unit->known &= ~((tl_u32)1 << made);
	tl_x86_op(code, 0x84 | TL_X86_B, TL_RDX, tl_x86_r(TL_RDX)); /* test dl, dl */
	tl_x86_op(code, (TL_X86_CMOV | TL_X86_W) + TL_CC_NE, host, tl_x86_r(TL_RCX));
	if (!TL_COUNTS)
		return true;
	/* What was skipped was not begun. */
	tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RAX, tl_x86_m(TL_R15, count));
	tl_x86_op(code, (TL_X86_CMOV | TL_X86_W) + TL_CC_NE, TL_R15, tl_x86_r(TL_RAX));
	return true;
}

#endif

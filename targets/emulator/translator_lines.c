/* Stores in line mark which line of memory they wrote: written_lines.h. */
#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

void tl_unit_mark_line(struct tl_unit *unit, bool add_rcx)
{
	struct tl_x86 *code = unit->code;
	tl_uintptr marks = unit->hart->marks;

	if (marks == 0)
		return;
	if (add_rcx)
		tl_x86_op(code, TL_X86_ADD | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
	tl_x86_shift(code, TL_X86_W, TL_X86_SHR_N, tl_x86_r(TL_RAX), TL_LINE_BITS);
	if ((tl_i64)marks == (tl_i32)marks) {
		tl_x86_op(code, 0xc6, 0, tl_x86_m(TL_RAX, (tl_i32)marks)); /* mov byte, number */
		tl_x86_byte(code, 1);
		return;
	}
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_unit_in_hart(TL_AT(marks)));
	tl_x86_op(code, 0xc6, 0, tl_x86_mx(TL_RAX, TL_RCX, 0, 0)); /* mov byte, number */
	tl_x86_byte(code, 1);
}

#endif

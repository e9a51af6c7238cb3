/* The disassemblers of single machines. For disassemble.c alone. */
#ifndef TL_DEBUGGER_DISASSEMBLE_INTERNAL_H
#define TL_DEBUGGER_DISASSEMBLE_INTERNAL_H

#include "debugger/code/disassemble.h"

/* One instruction in `size` bytes: appends its text and returns its length, 0 when bytes are missing. */
tl_u8 tl_disassemble_x86(const struct tl_code_view *view, bool wide, tl_u64 address, const tl_u8 *bytes, tl_size size,
			 struct tl_output *output);

/* The same for RV64. */
tl_u8 tl_disassemble_riscv(const struct tl_code_view *view, tl_u64 address, const tl_u8 *bytes, tl_size size,
			   struct tl_output *output);

/* A name as the view wants it. */
void tl_disassemble_name(const struct tl_code_view *view, const char *name, struct tl_output *output);

/* "0x1139 <add+4>": an address and what is there. */
void tl_disassemble_address(const struct tl_code_view *view, tl_u64 address, struct tl_output *output);

#endif

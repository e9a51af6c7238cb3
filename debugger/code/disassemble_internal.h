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

/* What decodes AArch64: Capstone, which is opened once. NULL is fine for closing. TL_ERROR_NO_MEMORY,
 * TL_ERROR_UNSUPPORTED. */
struct tl_arm64_decoder;
TL_CHECKED enum tl_status tl_arm64_decoder_open(struct tl_arm64_decoder **decoder_ret, struct tl_error *error);
void tl_arm64_decoder_close(struct tl_arm64_decoder *decoder);

#define TL_ARM64_INSTRUCTION_SIZE 4

/* The same for A64. */
tl_u8 tl_disassemble_arm64(struct tl_arm64_decoder *decoder, const struct tl_code_view *view, tl_u64 address,
			   const tl_u8 *bytes, tl_size size, struct tl_output *output);

/* A name as the view wants it. */
void tl_disassemble_name(const struct tl_code_view *view, const char *name, struct tl_output *output);

/* "0x1139 <add+4>": an address and what is there. */
void tl_disassemble_address(const struct tl_code_view *view, tl_u64 address, struct tl_output *output);

#endif

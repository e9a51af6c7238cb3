/*
 * Machine code as text, in the words of gdb: "call 0x1139 <add>", "lea 0xe9b(%rip),%rax        # 0x2004".
 *
 * Bytes are read through a callback, which leaves out the traps that a debugger planted, and symbols come through
 * another; nothing is known here of processes. Any bytes are fine: what is no instruction is "(bad)" and one byte long
 * (one instruction word where all have the same length). For one thread at a time.
 */
#ifndef TL_DEBUGGER_DISASSEMBLE_H
#define TL_DEBUGGER_DISASSEMBLE_H

#include "core/cpu/cpu.h"
#include "symbols/output.h"

struct tl_disassembler;

/* Where code comes from, and how it is written. {0} reads nothing; the rest is as gdb has it. */
struct tl_code_view {
	/* The bytes of the program itself, all `size` or TL_ERROR_MEMORY. */
	enum tl_status (*read)(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error);
	/*
	 * The symbol in which an address lies: writes its name, at most `size` bytes with the zero, and how far behind
	 * its start; "negative" in a function's part that lies in front of its entry. False when there is none. NULL:
	 * no symbols are known.
	 */
	bool (*symbol)(void *context, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret);
	void *context;
	bool intel;    /* x86: Intel's way of writing instead of AT&T's */
	bool demangle; /* names of C++ as they were written: gdb's "set print asm-demangle" */
};

/*
 * For a machine (EM_X86_64, EM_386, EM_AARCH64 and EM_RISCV, 64-bit, of <elf.h>). The caller closes.
 * TL_ERROR_UNSUPPORTED for others; TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_disassembler_open(struct tl_disassembler **disassembler_ret, tl_u16 machine,
					       struct tl_error *error);
/* NULL is fine. */
void tl_disassembler_close(struct tl_disassembler *disassembler);

/* Whether each instruction is a word of 32 bits, and is shown as such. */
bool tl_disassembler_has_words(const struct tl_disassembler *disassembler);

/*
 * Appends the text of the instruction at an address: mnemonic, operands, what they mean. *size_ret is its length.
 * TL_ERROR_MEMORY when it cannot be read, in gdb's words; nothing is appended then.
 */
TL_CHECKED enum tl_status tl_disassemble(struct tl_disassembler *disassembler, const struct tl_code_view *view,
					 tl_u64 address, struct tl_output *output, tl_u8 *size_ret,
					 struct tl_error *error);

#endif

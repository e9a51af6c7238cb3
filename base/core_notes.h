/*
 * The notes of a Linux core dump on x86 and 64-bit Arm: what stands where in them, for those who read and write them.
 *
 * Sources: Linux's include/uapi/linux/elfcore.h (struct elf_prstatus, elf_prpsinfo), elfcore-compat.h for 32-bit
 * programs, arch/x86/include/asm/user_32.h and user_64.h, arch/arm64/include/uapi/asm/ptrace.h (registers),
 * fs/binfmt_elf.c (NT_FILE), core(5). The types are in <elf.h>.
 */
#ifndef TL_BASE_CORE_NOTES_H
#define TL_BASE_CORE_NOTES_H

#include "core/types.h"

/* Of the kernel's own, which <elf.h> may not have yet: where components stand in NT_X86_XSTATE; arrays of four words.
 */
#define TL_NT_X86_XSAVE_LAYOUT 0x205

/* struct user_tagged_addr_ctrl: how an arm64 thread's addresses with tags are taken; one word. */
#define TL_NT_ARM_TAGGED_ADDR_CTRL 0x409

/* A note's header is three words of 32 bits; name and content are padded to 4 bytes. */
#define TL_CORE_NOTE_HEADER 12

#define TL_CORE_NAME_SIZE 16
#define TL_CORE_ARGUMENTS_SIZE 80
#define TL_CORE_SIGINFO_SIZE 128

/* Offsets and sizes in bytes. */
struct tl_core_layout {
	tl_u8 word; /* of a long, and of the words of NT_AUXV and NT_FILE */
	struct {
		tl_u16 size, signal, thread, registers, registers_size, floating;
	} status; /* NT_PRSTATUS; signal has 2 bytes, thread and floating ("the floating-point note is valid") 4 */
	struct {
		tl_u16 size, process, name, arguments;
	} info; /* NT_PRPSINFO; process has 4 bytes */
};

/* Of 64-bit programs, or of 32-bit ones, of x86. */
const struct tl_core_layout *tl_core_layout(bool wide);
/* Of 64-bit Arm, where registers stand as in bank 0 of a register file. */
const struct tl_core_layout *tl_core_layout_arm64(void);

/* Between the registers of NT_PRSTATUS (status.registers_size bytes) and bank 0 of a register file. */
void tl_core_read_registers(bool wide, const tl_u8 *registers, tl_u8 *file);
void tl_core_write_registers(bool wide, const tl_u8 *file, tl_u8 *registers);

#endif

/*
 * The registers of x86-64 and i386: numbers, features, and where each stands in the register file.
 *
 * Both CPUs share one layout of the register file, so that one function of a target serves 64-bit programs and 32-bit
 * ones under a 64-bit kernel: an i386 register is the low half of its x86-64 slot (general ones) or the same bytes
 * (extended state).
 *
 *   bank 0 (TL_BANK_GENERAL), [0, 216): Linux's struct user_regs_struct of x86-64, byte for byte: PTRACE_GETREGS of
 *   a 64-bit tracer fills it and PTRACE_SETREGS stores it, also for a 32-bit tracee. Every register has a slot of 8
 *   bytes, those that GDB shows with 32 bits (eflags, segments) too.
 *
 *   bank 1 (TL_X86_BANK_EXTENDED), [256, 2560): what an XSAVE area holds, in GDB's form and apart from each CPU's own
 *   offsets. st0–st7 are the x87 registers in stack order, 10 bytes in slots of 16. fctrl…fop are 32-bit numbers; ftag
 *   is the full 16-bit tag word, two bits for each *physical* register, not the 8-bit word of FXSAVE; fiseg and foseg
 * are 16 bits, fop 11. zmm0–zmm31 stand whole, 64 bytes each: xmmN is bytes 0–15 of it, ymmNh 16–31, zmmNh 32–63. k0–k7
 *   are 64-bit numbers, mxcsr and pkru 32-bit ones.
 *
 *   bank 2 (TL_X86_BANK_SYSTEM), [2560, …): what a machine's processors have besides (x86_system.h), x86-64 alone.
 */
#ifndef TL_CORE_CPU_X86_LAYOUT_H
#define TL_CORE_CPU_X86_LAYOUT_H

#include "core/cpu/x86_system.h"
#include "core/types.h"

#define TL_X86_BANK_EXTENDED 1

/* Bits of a feature mask, and indices into tl_cpu.features, of both CPUs; i386 has no registers in SEGMENTS. */
enum tl_x86_feature {
	TL_X86_FEATURE_CORE,
	TL_X86_FEATURE_SSE,
	TL_X86_FEATURE_LINUX, /* orig_rax: threads of a Linux process have it, a virtual machine's processors do not */
	TL_X86_FEATURE_SEGMENTS,
	TL_X86_FEATURE_AVX,
	TL_X86_FEATURE_AVX512,
	TL_X86_FEATURE_PKEYS,
	TL_X86_FEATURE_SYSTEM, /* a machine's processors have it, threads of a Linux process do not */
	TL_X86_FEATURE_MAX
};

/* The slots of bank 0, in order: 8 bytes each. */
/* clang-format off */
#define TL_X86_GENERAL_SLOTS(X)                                                                                        \
	X(R15) X(R14) X(R13) X(R12) X(RBP) X(RBX) X(R11) X(R10) X(R9) X(R8) X(RAX) X(RCX) X(RDX) X(RSI) X(RDI)         \
	X(ORIG_RAX) X(RIP) X(CS) X(EFLAGS) X(RSP) X(SS) X(FS_BASE) X(GS_BASE) X(DS) X(ES) X(FS) X(GS)
/* clang-format on */

enum tl_x86_slot {
#define X(name) TL_X86_SLOT_##name,
	TL_X86_GENERAL_SLOTS(X)
#undef X
		TL_X86_SLOT_MAX
};

/* Byte offsets in the register file. */
enum tl_x86_at {
#define X(name) TL_X86_AT_##name = TL_X86_SLOT_##name * 8,
	TL_X86_GENERAL_SLOTS(X)
#undef X
		TL_X86_GENERAL_SIZE = TL_X86_SLOT_MAX * 8,
	TL_X86_AT_ST = 256, /* 8 of 16 bytes */
	TL_X86_AT_FCTRL = 384,
	TL_X86_AT_FSTAT = 388,
	TL_X86_AT_FTAG = 392,
	TL_X86_AT_FISEG = 396,
	TL_X86_AT_FIOFF = 400,
	TL_X86_AT_FOSEG = 404,
	TL_X86_AT_FOOFF = 408,
	TL_X86_AT_FOP = 412,
	TL_X86_AT_MXCSR = 416,
	TL_X86_AT_PKRU = 420,
	TL_X86_AT_K = 424,   /* 8 of 8 bytes */
	TL_X86_AT_ZMM = 512, /* 32 of 64 bytes */
	TL_X86_AT_SYSTEM = 512 + 32 * 64,
#define X(id, name, type, bits, msr) TL_X86_AT_##id = TL_X86_AT_SYSTEM + TL_X86_SYSTEM_SLOT_##id * 8,
	TL_X86_SYSTEM_REGISTERS(X)
#undef X
		TL_X86_FILE_SIZE = TL_X86_AT_SYSTEM + TL_X86_SYSTEM_SLOT_MAX * 8
};

#define TL_X86_AT_ST_N(n) (TL_X86_AT_ST + 16 * (n))
#define TL_X86_AT_K_N(n) (TL_X86_AT_K + 8 * (n))
#define TL_X86_AT_XMM_N(n) (TL_X86_AT_ZMM + 64 * (n))
#define TL_X86_AT_YMMH_N(n) (TL_X86_AT_ZMM + 64 * (n) + 16)
#define TL_X86_AT_ZMMH_N(n) (TL_X86_AT_ZMM + 64 * (n) + 32)

/* clang-format off */

/* M(X, n) for n = 0 to 7, 8 to 15, 16 to 31; X is handed through. */
#define TL_X86_TIMES_8(M, X) M(X, 0) M(X, 1) M(X, 2) M(X, 3) M(X, 4) M(X, 5) M(X, 6) M(X, 7)
#define TL_X86_TIMES_HIGH_8(M, X) M(X, 8) M(X, 9) M(X, 10) M(X, 11) M(X, 12) M(X, 13) M(X, 14) M(X, 15)
#define TL_X86_TIMES_HIGH_16(M, X)                                                                                     \
	M(X, 16) M(X, 17) M(X, 18) M(X, 19) M(X, 20) M(X, 21) M(X, 22) M(X, 23)                                        \
	M(X, 24) M(X, 25) M(X, 26) M(X, 27) M(X, 28) M(X, 29) M(X, 30) M(X, 31)

/*
 * The register tables: X(ID, name, alternate, type, group, generic, offset, bits, feature, dwarf, upper half).
 *
 * The order is GDB's; a register's index is its enumerator, made from ID. DWARF numbers are those of the System V psABIs
 * ("DWARF Register Number Mapping"), the same in .eh_frame. Upper half: see struct tl_register.
 */
#define TL_X86_ROW_CONTROL(X, ID, name, dwarf) \
	X(ID, name, NULL, "int", "float", NULL, TL_X86_AT_##ID, 32, CORE, dwarf, 0)
#define TL_X86_ROW_YMMH_64(X, n) X(YMM##n##H, "ymm" #n "h", NULL, "uint128", NULL, NULL, TL_X86_AT_YMMH_N(n), 128, AVX, -1, 0)
#define TL_X86_ROW_YMMH_HIGH(X, n) X(YMM##n##H, "ymm" #n "h", NULL, "uint128", NULL, NULL, TL_X86_AT_YMMH_N(n), 128, AVX512, -1, 0)
#define TL_X86_ROW_ZMMH(X, n) X(ZMM##n##H, "zmm" #n "h", NULL, "v2ui128", NULL, NULL, TL_X86_AT_ZMMH_N(n), 256, AVX512, -1, 0)

#define TL_X86_64_ROW_GENERAL(X, ID, name, generic, dwarf) \
	X(ID, name, NULL, "int64", NULL, generic, TL_X86_AT_##ID, 64, CORE, dwarf, 0)
#define TL_X86_64_ROW_SEGMENT(X, ID, name, dwarf) \
	X(ID, name, NULL, "int32", NULL, NULL, TL_X86_AT_##ID, 32, CORE, dwarf, 0)
#define TL_X86_64_ROW_ST(X, n) X(ST##n, "st" #n, NULL, "i387_ext", NULL, NULL, TL_X86_AT_ST_N(n), 80, CORE, 33 + n, 0)
#define TL_X86_64_ROW_XMM(X, n) \
	X(XMM##n, "xmm" #n, NULL, "vec128", NULL, NULL, TL_X86_AT_XMM_N(n), 128, SSE, 17 + n, TL_X86_64_YMM##n##H + 1)
#define TL_X86_64_ROW_XMM_HIGH(X, n) \
	X(XMM##n, "xmm" #n, NULL, "vec128", NULL, NULL, TL_X86_AT_XMM_N(n), 128, AVX512, 51 + n, TL_X86_64_YMM##n##H + 1)
#define TL_X86_64_ROW_K(X, n) X(K##n, "k" #n, NULL, "uint64", NULL, NULL, TL_X86_AT_K_N(n), 64, AVX512, 118 + n, 0)

#define TL_X86_64_REGISTERS(X)                                                                                         \
	TL_X86_64_ROW_GENERAL(X, RAX, "rax", NULL, 0)                                                                  \
	TL_X86_64_ROW_GENERAL(X, RBX, "rbx", NULL, 3)                                                                  \
	TL_X86_64_ROW_GENERAL(X, RCX, "rcx", "arg4", 2)                                                                \
	TL_X86_64_ROW_GENERAL(X, RDX, "rdx", "arg3", 1)                                                                \
	TL_X86_64_ROW_GENERAL(X, RSI, "rsi", "arg2", 4)                                                                \
	TL_X86_64_ROW_GENERAL(X, RDI, "rdi", "arg1", 5)                                                                \
	X(RBP, "rbp", NULL, "data_ptr", NULL, "fp", TL_X86_AT_RBP, 64, CORE, 6, 0)                                     \
	X(RSP, "rsp", NULL, "data_ptr", NULL, "sp", TL_X86_AT_RSP, 64, CORE, 7, 0)                                     \
	TL_X86_64_ROW_GENERAL(X, R8, "r8", "arg5", 8)                                                                  \
	TL_X86_64_ROW_GENERAL(X, R9, "r9", "arg6", 9)                                                                  \
	TL_X86_64_ROW_GENERAL(X, R10, "r10", NULL, 10)                                                                 \
	TL_X86_64_ROW_GENERAL(X, R11, "r11", NULL, 11)                                                                 \
	TL_X86_64_ROW_GENERAL(X, R12, "r12", NULL, 12)                                                                 \
	TL_X86_64_ROW_GENERAL(X, R13, "r13", NULL, 13)                                                                 \
	TL_X86_64_ROW_GENERAL(X, R14, "r14", NULL, 14)                                                                 \
	TL_X86_64_ROW_GENERAL(X, R15, "r15", NULL, 15)                                                                 \
	X(RIP, "rip", NULL, "code_ptr", NULL, "pc", TL_X86_AT_RIP, 64, CORE, 16, 0)                                    \
	X(EFLAGS, "eflags", "rflags", "i386_eflags", NULL, "flags", TL_X86_AT_EFLAGS, 32, CORE, 49, 0)                 \
	TL_X86_64_ROW_SEGMENT(X, CS, "cs", 51)                                                                         \
	TL_X86_64_ROW_SEGMENT(X, SS, "ss", 52)                                                                         \
	TL_X86_64_ROW_SEGMENT(X, DS, "ds", 53)                                                                         \
	TL_X86_64_ROW_SEGMENT(X, ES, "es", 50)                                                                         \
	TL_X86_64_ROW_SEGMENT(X, FS, "fs", 54)                                                                         \
	TL_X86_64_ROW_SEGMENT(X, GS, "gs", 55)                                                                         \
	TL_X86_TIMES_8(TL_X86_64_ROW_ST, X)                                                                            \
	TL_X86_ROW_CONTROL(X, FCTRL, "fctrl", 65)                                                                      \
	TL_X86_ROW_CONTROL(X, FSTAT, "fstat", 66)                                                                      \
	TL_X86_ROW_CONTROL(X, FTAG, "ftag", -1)                                                                        \
	TL_X86_ROW_CONTROL(X, FISEG, "fiseg", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FIOFF, "fioff", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOSEG, "foseg", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOOFF, "fooff", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOP, "fop", -1)                                                                          \
	TL_X86_TIMES_8(TL_X86_64_ROW_XMM, X)                                                                           \
	TL_X86_TIMES_HIGH_8(TL_X86_64_ROW_XMM, X)                                                                      \
	X(MXCSR, "mxcsr", NULL, "i386_mxcsr", "vector", NULL, TL_X86_AT_MXCSR, 32, SSE, 64, 0)                         \
	X(ORIG_RAX, "orig_rax", NULL, "int", NULL, NULL, TL_X86_AT_ORIG_RAX, 64, LINUX, -1, 0)                         \
	X(FS_BASE, "fs_base", NULL, "int", NULL, NULL, TL_X86_AT_FS_BASE, 64, SEGMENTS, 58, 0)                         \
	X(GS_BASE, "gs_base", NULL, "int", NULL, NULL, TL_X86_AT_GS_BASE, 64, SEGMENTS, 59, 0)                         \
	TL_X86_TIMES_8(TL_X86_ROW_YMMH_64, X)                                                                          \
	TL_X86_TIMES_HIGH_8(TL_X86_ROW_YMMH_64, X)                                                                     \
	TL_X86_TIMES_HIGH_16(TL_X86_64_ROW_XMM_HIGH, X)                                                                \
	TL_X86_TIMES_HIGH_16(TL_X86_ROW_YMMH_HIGH, X)                                                                  \
	TL_X86_TIMES_8(TL_X86_64_ROW_K, X)                                                                             \
	TL_X86_TIMES_8(TL_X86_ROW_ZMMH, X)                                                                             \
	TL_X86_TIMES_HIGH_8(TL_X86_ROW_ZMMH, X)                                                                        \
	TL_X86_TIMES_HIGH_16(TL_X86_ROW_ZMMH, X)                                                                       \
	X(PKRU, "pkru", NULL, "uint32", NULL, NULL, TL_X86_AT_PKRU, 32, PKEYS, -1, 0)

/* Those behind them that a machine has, as rows of the same kind. */
#define TL_X86_64_ROW_SYSTEM(ID, name, type, bits, msr)                                                                \
	X(ID, name, NULL, type, "system", NULL, TL_X86_AT_##ID, bits, SYSTEM, -1, 0)

#define TL_I386_ROW_GENERAL(X, ID, SLOT, name, type, generic, dwarf) \
	X(ID, name, NULL, type, NULL, generic, TL_X86_AT_##SLOT, 32, CORE, dwarf, 0)
#define TL_I386_ROW_SEGMENT(X, ID, name, dwarf) \
	X(ID, name, NULL, "int32", NULL, NULL, TL_X86_AT_##ID, 32, CORE, dwarf, 0)
#define TL_I386_ROW_ST(X, n) X(ST##n, "st" #n, NULL, "i387_ext", NULL, NULL, TL_X86_AT_ST_N(n), 80, CORE, 11 + n, 0)
#define TL_I386_ROW_XMM(X, n) \
	X(XMM##n, "xmm" #n, NULL, "vec128", NULL, NULL, TL_X86_AT_XMM_N(n), 128, SSE, 21 + n, TL_I386_YMM##n##H + 1)
#define TL_I386_ROW_K(X, n) X(K##n, "k" #n, NULL, "uint64", NULL, NULL, TL_X86_AT_K_N(n), 64, AVX512, 93 + n, 0)

#define TL_I386_REGISTERS(X)                                                                                           \
	TL_I386_ROW_GENERAL(X, EAX, RAX, "eax", "int32", NULL, 0)                                                      \
	TL_I386_ROW_GENERAL(X, ECX, RCX, "ecx", "int32", NULL, 1)                                                      \
	TL_I386_ROW_GENERAL(X, EDX, RDX, "edx", "int32", NULL, 2)                                                      \
	TL_I386_ROW_GENERAL(X, EBX, RBX, "ebx", "int32", NULL, 3)                                                      \
	TL_I386_ROW_GENERAL(X, ESP, RSP, "esp", "data_ptr", "sp", 4)                                                   \
	TL_I386_ROW_GENERAL(X, EBP, RBP, "ebp", "data_ptr", "fp", 5)                                                   \
	TL_I386_ROW_GENERAL(X, ESI, RSI, "esi", "int32", NULL, 6)                                                      \
	TL_I386_ROW_GENERAL(X, EDI, RDI, "edi", "int32", NULL, 7)                                                      \
	TL_I386_ROW_GENERAL(X, EIP, RIP, "eip", "code_ptr", "pc", 8)                                                   \
	TL_I386_ROW_GENERAL(X, EFLAGS, EFLAGS, "eflags", "i386_eflags", "flags", 9)                                    \
	TL_I386_ROW_SEGMENT(X, CS, "cs", 41)                                                                           \
	TL_I386_ROW_SEGMENT(X, SS, "ss", 42)                                                                           \
	TL_I386_ROW_SEGMENT(X, DS, "ds", 43)                                                                           \
	TL_I386_ROW_SEGMENT(X, ES, "es", 40)                                                                           \
	TL_I386_ROW_SEGMENT(X, FS, "fs", 44)                                                                           \
	TL_I386_ROW_SEGMENT(X, GS, "gs", 45)                                                                           \
	TL_X86_TIMES_8(TL_I386_ROW_ST, X)                                                                              \
	TL_X86_ROW_CONTROL(X, FCTRL, "fctrl", 37)                                                                      \
	TL_X86_ROW_CONTROL(X, FSTAT, "fstat", 38)                                                                      \
	TL_X86_ROW_CONTROL(X, FTAG, "ftag", -1)                                                                        \
	TL_X86_ROW_CONTROL(X, FISEG, "fiseg", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FIOFF, "fioff", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOSEG, "foseg", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOOFF, "fooff", -1)                                                                      \
	TL_X86_ROW_CONTROL(X, FOP, "fop", -1)                                                                          \
	TL_X86_TIMES_8(TL_I386_ROW_XMM, X)                                                                             \
	X(MXCSR, "mxcsr", NULL, "i386_mxcsr", "vector", NULL, TL_X86_AT_MXCSR, 32, SSE, 39, 0)                         \
	X(ORIG_EAX, "orig_eax", NULL, "int", NULL, NULL, TL_X86_AT_ORIG_RAX, 32, LINUX, -1, 0)                         \
	TL_X86_TIMES_8(TL_X86_ROW_YMMH_64, X)                                                                          \
	TL_X86_TIMES_8(TL_I386_ROW_K, X)                                                                               \
	TL_X86_TIMES_8(TL_X86_ROW_ZMMH, X)                                                                             \
	X(PKRU, "pkru", NULL, "uint32", NULL, NULL, TL_X86_AT_PKRU, 32, PKEYS, -1, 0)

/* clang-format on */

/* Indices into tl_cpu_x86_64.registers: TL_X86_64_RAX and so on. */
enum tl_x86_64_register {
#define X(id, name, alternate, type, group, generic, offset, bits, feature, dwarf, upper) TL_X86_64_##id,
	TL_X86_64_REGISTERS(X) TL_X86_SYSTEM_REGISTERS(TL_X86_64_ROW_SYSTEM)
#undef X
		TL_X86_64_REGISTER_MAX
};

/* Indices into tl_cpu_i386.registers: TL_I386_EAX and so on. */
enum tl_i386_register {
#define X(id, name, alternate, type, group, generic, offset, bits, feature, dwarf, upper) TL_I386_##id,
	TL_I386_REGISTERS(X)
#undef X
		TL_I386_REGISTER_MAX
};

#endif

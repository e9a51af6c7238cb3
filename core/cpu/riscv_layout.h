/*
 * The registers of RV64GC: numbers, features, and where each stands in the register file.
 *
 *   bank 0 (TL_BANK_GENERAL): x0 to x31 and pc, 8 bytes each. x0 has its place, which always holds zero.
 *   bank 1 (TL_RISCV_BANK_FLOAT): f0 to f31, 8 bytes each; fcsr, 4 bytes, whose parts are also registers of their own.
 *   bank 2 (TL_RISCV_BANK_CONTROL): control and status registers, 8 bytes each, and the privilege mode.
 *
 * Sources: RISC-V Instruction Set Manual, volume II, chapter 2 (numbers of control registers); RISC-V ELF psABI,
 * chapter "DWARF Register Numbers"; GDB's manual, "RISC-V Features".
 */
#ifndef TL_CORE_CPU_RISCV_LAYOUT_H
#define TL_CORE_CPU_RISCV_LAYOUT_H

#include "core/types.h"

#define TL_RISCV_BANK_FLOAT 1
#define TL_RISCV_BANK_CONTROL 2

/* Bits of a feature mask, and indices into tl_cpu.features. */
enum tl_riscv_feature {
	TL_RISCV_FEATURE_CPU,
	TL_RISCV_FEATURE_FPU,
	TL_RISCV_FEATURE_CSR,     /* a machine's harts have them, threads of a Linux process do not */
	TL_RISCV_FEATURE_VIRTUAL, /* the privilege mode, as QEMU shows it */
	TL_RISCV_FEATURE_MAX
};

/* clang-format off */

/* X(ID, name, alternate name, generic role, number): the general registers by the names of the calling convention. */
#define TL_RISCV_GENERAL(X) \
	X(ZERO, "zero", "x0", NULL, 0) X(RA, "ra", "x1", "ra", 1) X(SP, "sp", "x2", "sp", 2) X(GP, "gp", "x3", NULL, 3)  \
	X(TP, "tp", "x4", NULL, 4) X(T0, "t0", "x5", NULL, 5) X(T1, "t1", "x6", NULL, 6) X(T2, "t2", "x7", NULL, 7)      \
	X(FP, "fp", "x8", "fp", 8) X(S1, "s1", "x9", NULL, 9) X(A0, "a0", "x10", "arg1", 10)                             \
	X(A1, "a1", "x11", "arg2", 11) X(A2, "a2", "x12", "arg3", 12) X(A3, "a3", "x13", "arg4", 13)                     \
	X(A4, "a4", "x14", "arg5", 14) X(A5, "a5", "x15", "arg6", 15) X(A6, "a6", "x16", "arg7", 16)                     \
	X(A7, "a7", "x17", "arg8", 17) X(S2, "s2", "x18", NULL, 18) X(S3, "s3", "x19", NULL, 19)                         \
	X(S4, "s4", "x20", NULL, 20) X(S5, "s5", "x21", NULL, 21) X(S6, "s6", "x22", NULL, 22)                           \
	X(S7, "s7", "x23", NULL, 23) X(S8, "s8", "x24", NULL, 24) X(S9, "s9", "x25", NULL, 25)                           \
	X(S10, "s10", "x26", NULL, 26) X(S11, "s11", "x27", NULL, 27) X(T3, "t3", "x28", NULL, 28)                       \
	X(T4, "t4", "x29", NULL, 29) X(T5, "t5", "x30", NULL, 30) X(T6, "t6", "x31", NULL, 31)

/* X(ID, name, alternate name, number) */
#define TL_RISCV_FLOAT(X) \
	X(FT0, "ft0", "f0", 0) X(FT1, "ft1", "f1", 1) X(FT2, "ft2", "f2", 2) X(FT3, "ft3", "f3", 3)                      \
	X(FT4, "ft4", "f4", 4) X(FT5, "ft5", "f5", 5) X(FT6, "ft6", "f6", 6) X(FT7, "ft7", "f7", 7)                      \
	X(FS0, "fs0", "f8", 8) X(FS1, "fs1", "f9", 9) X(FA0, "fa0", "f10", 10) X(FA1, "fa1", "f11", 11)                  \
	X(FA2, "fa2", "f12", 12) X(FA3, "fa3", "f13", 13) X(FA4, "fa4", "f14", 14) X(FA5, "fa5", "f15", 15)              \
	X(FA6, "fa6", "f16", 16) X(FA7, "fa7", "f17", 17) X(FS2, "fs2", "f18", 18) X(FS3, "fs3", "f19", 19)              \
	X(FS4, "fs4", "f20", 20) X(FS5, "fs5", "f21", 21) X(FS6, "fs6", "f22", 22) X(FS7, "fs7", "f23", 23)              \
	X(FS8, "fs8", "f24", 24) X(FS9, "fs9", "f25", 25) X(FS10, "fs10", "f26", 26) X(FS11, "fs11", "f27", 27)          \
	X(FT8, "ft8", "f28", 28) X(FT9, "ft9", "f29", 29) X(FT10, "ft10", "f30", 30) X(FT11, "ft11", "f31", 31)

/* X(ID, name, number of the control register): those that the machine has, fflags, frm and fcsr aside. */
#define TL_RISCV_CONTROL(X) \
	X(CYCLE, "cycle", 0xc00) X(TIME, "time", 0xc01) X(INSTRET, "instret", 0xc02)                                     \
	X(SSTATUS, "sstatus", 0x100) X(SIE, "sie", 0x104) X(STVEC, "stvec", 0x105) X(SCOUNTEREN, "scounteren", 0x106)    \
	X(SENVCFG, "senvcfg", 0x10a) X(SSCRATCH, "sscratch", 0x140) X(SEPC, "sepc", 0x141) X(SCAUSE, "scause", 0x142)    \
	X(STVAL, "stval", 0x143) X(SIP, "sip", 0x144) X(STIMECMP, "stimecmp", 0x14d) X(SATP, "satp", 0x180)              \
	X(MSTATUS, "mstatus", 0x300) X(MISA, "misa", 0x301) X(MEDELEG, "medeleg", 0x302) X(MIDELEG, "mideleg", 0x303)    \
	X(MIE, "mie", 0x304) X(MTVEC, "mtvec", 0x305) X(MCOUNTEREN, "mcounteren", 0x306) X(MENVCFG, "menvcfg", 0x30a)    \
	X(MCOUNTINHIBIT, "mcountinhibit", 0x320) X(MSCRATCH, "mscratch", 0x340) X(MEPC, "mepc", 0x341)                   \
	X(MCAUSE, "mcause", 0x342) X(MTVAL, "mtval", 0x343) X(MIP, "mip", 0x344)                                         \
	X(PMPCFG0, "pmpcfg0", 0x3a0) X(PMPCFG2, "pmpcfg2", 0x3a2)                                                        \
	X(PMPADDR0, "pmpaddr0", 0x3b0) X(PMPADDR1, "pmpaddr1", 0x3b1) X(PMPADDR2, "pmpaddr2", 0x3b2)                     \
	X(PMPADDR3, "pmpaddr3", 0x3b3) X(PMPADDR4, "pmpaddr4", 0x3b4) X(PMPADDR5, "pmpaddr5", 0x3b5)                     \
	X(PMPADDR6, "pmpaddr6", 0x3b6) X(PMPADDR7, "pmpaddr7", 0x3b7) X(PMPADDR8, "pmpaddr8", 0x3b8)                     \
	X(PMPADDR9, "pmpaddr9", 0x3b9) X(PMPADDR10, "pmpaddr10", 0x3ba) X(PMPADDR11, "pmpaddr11", 0x3bb)                 \
	X(PMPADDR12, "pmpaddr12", 0x3bc) X(PMPADDR13, "pmpaddr13", 0x3bd) X(PMPADDR14, "pmpaddr14", 0x3be)               \
	X(PMPADDR15, "pmpaddr15", 0x3bf)                                                                                 \
	X(TSELECT, "tselect", 0x7a0) X(TDATA1, "tdata1", 0x7a1) X(TDATA2, "tdata2", 0x7a2) X(TDATA3, "tdata3", 0x7a3)    \
	X(TINFO, "tinfo", 0x7a4) X(TCONTROL, "tcontrol", 0x7a5)                                                          \
	X(MCYCLE, "mcycle", 0xb00) X(MINSTRET, "minstret", 0xb02)                                                        \
	X(MVENDORID, "mvendorid", 0xf11) X(MARCHID, "marchid", 0xf12) X(MIMPID, "mimpid", 0xf13)                         \
	X(MHARTID, "mhartid", 0xf14) X(MCONFIGPTR, "mconfigptr", 0xf15)
/* clang-format on */

/* Indices of the register table, in GDB's order. */
enum tl_riscv_register {
#define X(id, ...) TL_RISCV_REGISTER_##id,
	TL_RISCV_GENERAL(X)
#undef X
		TL_RISCV_REGISTER_PC,
#define X(id, ...) TL_RISCV_REGISTER_##id,
	TL_RISCV_FLOAT(X)
#undef X
		TL_RISCV_REGISTER_FFLAGS,
	TL_RISCV_REGISTER_FRM,
	TL_RISCV_REGISTER_FCSR,
#define X(id, ...) TL_RISCV_REGISTER_##id,
	TL_RISCV_CONTROL(X)
#undef X
		TL_RISCV_REGISTER_PRIV,
	TL_RISCV_REGISTER_MAX
};

/* The numbers by which instructions name control registers. */
enum tl_riscv_csr {
	TL_RISCV_CSR_FFLAGS = 1,
	TL_RISCV_CSR_FRM = 2,
	TL_RISCV_CSR_FCSR = 3,
#define X(id, name, number) TL_RISCV_CSR_##id = (number),
	TL_RISCV_CONTROL(X)
#undef X
};

/* Byte offsets in the register file. */
enum tl_riscv_at {
	TL_RISCV_AT_X = 0, /* 32 of 8 bytes */
	TL_RISCV_AT_PC = 32 * 8,
	TL_RISCV_AT_F = TL_RISCV_AT_PC + 8, /* 32 of 8 bytes */
	TL_RISCV_AT_FFLAGS = TL_RISCV_AT_F + 32 * 8,
	TL_RISCV_AT_FRM = TL_RISCV_AT_FFLAGS + 4,
	TL_RISCV_AT_FCSR = TL_RISCV_AT_FRM + 4,
	TL_RISCV_AT_CONTROL = TL_RISCV_AT_FCSR + 8, /* of 8 bytes, in the order of TL_RISCV_CONTROL */
	TL_RISCV_CONTROL_COUNT = TL_RISCV_REGISTER_PRIV - TL_RISCV_REGISTER_FCSR - 1,
	TL_RISCV_AT_PRIV = TL_RISCV_AT_CONTROL + TL_RISCV_CONTROL_COUNT * 8,
	TL_RISCV_FILE_SIZE = TL_RISCV_AT_PRIV + 8
};

#endif

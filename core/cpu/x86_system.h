/*
 * What an x86 processor has beside what programs see: hidden parts of segments, control and debug registers, model
 * specific registers, and the mode that follows from them. A virtual machine's processors have them, threads of a
 * Linux process do not (TL_X86_FEATURE_SYSTEM).
 *
 * A machine is always described as x86-64, in whatever mode its processor is: a client that has once read the
 * description keeps it when the guest goes from real mode to long mode. Narrower registers are the low parts.
 *
 * bank 2 (TL_X86_BANK_SYSTEM): a slot of 8 bytes for each, from TL_X86_AT_SYSTEM on, in the order of the table.
 *
 * In such a register file `rip` is the *linear* address of the next instruction: the base of CS has been added to it in
 * every mode but 64-bit mode, so that it can be compared with points and handed to whoever reads memory. All other
 * registers stand as the processor has them.
 *
 * Sources: Intel SDM volume 3, 2.1 to 2.5 (control registers, system segments) and 25.4.1 (attributes of segments);
 * volume 4 (MSRs). Names are QEMU's where it has one.
 */
#ifndef TL_CORE_CPU_X86_SYSTEM_H
#define TL_CORE_CPU_X86_SYSTEM_H

#include "core/status.h"
#include "core/types.h"

#define TL_X86_BANK_SYSTEM 2

/* clang-format off */

/*
 * The registers: X(ID, name, type, bits, MSR number or 0). Attributes of segments are the access rights of VMX: type in
 * bits 0–3, S 4, DPL 5–6, P 7, AVL 12, L 13, D/B 14, G 15, and 16 for a segment that cannot be used.
 */
#define TL_X86_SYSTEM_REGISTERS(X)                                                                                     \
	X(K_GS_BASE, "k_gs_base", "int", 64, 0xc0000102)                                                               \
	X(CR0, "cr0", "x86_cr0", 64, 0) X(CR2, "cr2", "int", 64, 0) X(CR3, "cr3", "int", 64, 0)                        \
	X(CR4, "cr4", "x86_cr4", 64, 0) X(CR8, "cr8", "int", 64, 0) X(EFER, "efer", "x86_efer", 64, 0)                 \
	X(XCR0, "xcr0", "int", 64, 0)                                                                                  \
	X(DR0, "dr0", "data_ptr", 64, 0) X(DR1, "dr1", "data_ptr", 64, 0)                                              \
	X(DR2, "dr2", "data_ptr", 64, 0) X(DR3, "dr3", "data_ptr", 64, 0)                                              \
	X(DR6, "dr6", "x86_dr6", 64, 0) X(DR7, "dr7", "x86_dr7", 64, 0)                                                \
	X(CS_BASE, "cs_base", "int", 64, 0) X(SS_BASE, "ss_base", "int", 64, 0)                                        \
	X(DS_BASE, "ds_base", "int", 64, 0) X(ES_BASE, "es_base", "int", 64, 0)                                        \
	X(CS_LIMIT, "cs_limit", "int32", 32, 0) X(CS_ATTR, "cs_attr", "int32", 32, 0)                                  \
	X(SS_LIMIT, "ss_limit", "int32", 32, 0) X(SS_ATTR, "ss_attr", "int32", 32, 0)                                  \
	X(DS_LIMIT, "ds_limit", "int32", 32, 0) X(DS_ATTR, "ds_attr", "int32", 32, 0)                                  \
	X(ES_LIMIT, "es_limit", "int32", 32, 0) X(ES_ATTR, "es_attr", "int32", 32, 0)                                  \
	X(FS_LIMIT, "fs_limit", "int32", 32, 0) X(FS_ATTR, "fs_attr", "int32", 32, 0)                                  \
	X(GS_LIMIT, "gs_limit", "int32", 32, 0) X(GS_ATTR, "gs_attr", "int32", 32, 0)                                  \
	X(TR, "tr", "int32", 32, 0) X(TR_BASE, "tr_base", "int", 64, 0)                                                \
	X(TR_LIMIT, "tr_limit", "int32", 32, 0) X(TR_ATTR, "tr_attr", "int32", 32, 0)                                  \
	X(LDTR, "ldtr", "int32", 32, 0) X(LDTR_BASE, "ldtr_base", "int", 64, 0)                                        \
	X(LDTR_LIMIT, "ldtr_limit", "int32", 32, 0) X(LDTR_ATTR, "ldtr_attr", "int32", 32, 0)                          \
	X(GDTR_BASE, "gdtr_base", "int", 64, 0) X(GDTR_LIMIT, "gdtr_limit", "int32", 32, 0)                            \
	X(IDTR_BASE, "idtr_base", "int", 64, 0) X(IDTR_LIMIT, "idtr_limit", "int32", 32, 0)                            \
	X(APIC_BASE, "apic_base", "int", 64, 0)                                                                        \
	X(TSC, "tsc", "int", 64, 0x10) X(TSC_AUX, "tsc_aux", "int", 64, 0xc0000103)                                    \
	X(SPEC_CTRL, "spec_ctrl", "int", 64, 0x48)                                                                     \
	X(SYSENTER_CS, "sysenter_cs", "int", 64, 0x174) X(SYSENTER_ESP, "sysenter_esp", "data_ptr", 64, 0x175)         \
	X(SYSENTER_EIP, "sysenter_eip", "code_ptr", 64, 0x176)                                                         \
	X(MISC_ENABLE, "misc_enable", "int", 64, 0x1a0) X(PAT, "pat", "int", 64, 0x277)                                \
	X(STAR, "star", "int", 64, 0xc0000081) X(LSTAR, "lstar", "code_ptr", 64, 0xc0000082)                           \
	X(CSTAR, "cstar", "code_ptr", 64, 0xc0000083) X(FMASK, "fmask", "int", 64, 0xc0000084)                         \
	X(XSS, "xss", "int", 64, 0xda0)

/* clang-format on */

/* Places in bank 2, in order. */
enum tl_x86_system_slot {
#define X(id, name, type, bits, msr) TL_X86_SYSTEM_SLOT_##id,
	TL_X86_SYSTEM_REGISTERS(X)
#undef X
		TL_X86_SYSTEM_SLOT_MAX
};

/* Bits that decide about the mode. */
#define TL_X86_CR0_PE ((tl_u64)1 << 0)
#define TL_X86_CR0_WP ((tl_u64)1 << 16)
#define TL_X86_CR0_PG ((tl_u64)1 << 31)
#define TL_X86_CR4_PSE ((tl_u64)1 << 4)
#define TL_X86_CR4_PAE ((tl_u64)1 << 5)
#define TL_X86_CR4_LA57 ((tl_u64)1 << 12)
#define TL_X86_EFER_LMA ((tl_u64)1 << 10)
#define TL_X86_EFER_NXE ((tl_u64)1 << 11)
#define TL_X86_ATTR_L ((tl_u64)1 << 13)
#define TL_X86_ATTR_DB ((tl_u64)1 << 14)

/* Bits of the flags. */
#define TL_X86_FLAG_TF ((tl_u64)1 << 8)
#define TL_X86_FLAG_IF ((tl_u64)1 << 9)
#define TL_X86_FLAG_RF ((tl_u64)1 << 16)
#define TL_X86_FLAG_VM ((tl_u64)1 << 17)
#define TL_X86_FLAG_IOPL ((tl_u64)3 << 12)

/* How the processor reads the instruction at its program counter. */
enum tl_x86_mode { TL_X86_MODE_16, TL_X86_MODE_32, TL_X86_MODE_64 };

/* The mode that a register file stands in (banks 0 and 2). Any thread, as all here. */
enum tl_x86_mode tl_x86_mode_of(const tl_u8 *file);

/* Whether segments are selectors times 16: real mode, and virtual 8086 mode. */
bool tl_x86_real_segments(const tl_u8 *file);

/* The current privilege level, 0 to 3. */
tl_u8 tl_x86_privilege(const tl_u8 *file);

/* The bits that an address has in the mode: linear ones wrap at 4 GiB outside of 64-bit mode. */
tl_u64 tl_x86_linear(const tl_u8 *file, tl_u64 address);

/* The linear address of the top of the stack. */
tl_u64 tl_x86_stack(const tl_u8 *file);

/* What is to be added to the instruction pointer for its linear address: the base of CS, 0 in 64-bit mode. */
tl_u64 tl_x86_code_base(const tl_u8 *file);

/* The XML of the types that the registers use. */
extern const char tl_x86_system_types[];

#endif

/*
 * A vCPU's registers as debuggers see them: between KVM's structs and the register file of x86-64
 * (core/cpu/x86_layout.h, x86_system.h), which is the same in every mode of the processor.
 *
 *   bank 0: KVM_GET_REGS, and selectors and the bases of FS and GS from KVM_GET_SREGS
 *   bank 1: KVM_GET_XSAVE, or KVM_GET_FPU where the host lacks it
 *   bank 2: KVM_GET_SREGS, KVM_GET_DEBUGREGS, KVM_GET_XCRS, KVM_GET_MSRS
 *
 * `rip` of the file is linear, KVM's is relative to CS: both directions convert. A selector that changes takes the base
 * of its segment along in real mode (base = selector * 16), unless the base was changed as well; in protected mode the
 * hidden part stays as it is until it is changed by name: nothing is loaded from descriptor tables.
 *
 * Ioctls of a vCPU: in the thread that runs it, or while none does. The rest: any thread.
 */
#ifndef TL_TARGETS_KVM_REGISTERS_H
#define TL_TARGETS_KVM_REGISTERS_H

#include "core/cpu/x86_xsave.h"
#include "targets/kvm/vm.h"

/* What is there to be moved; the same for all vCPUs of a machine. Plain data. */
struct tl_kvm_registers {
	const struct tl_kvm_calls *calls; /* borrowed */
	bool xsave, xcrs, debug;          /* the host has those ioctls */
	struct tl_x86_xsave layout;
	tl_u32 features; /* of tl_cpu_x86_64: what the machine has */
};

/* Finds out what a machine's vCPUs have; asks the host's processor for the layout of its extended state. */
void tl_kvm_registers_probe(struct tl_kvm_registers *registers_ret, const struct tl_kvm_calls *calls,
			    const struct tl_kvm_capabilities *capabilities);

/* Fills a bank of a register file (tl_cpu_x86_64.file_size bytes). TL_ERROR_SYSTEM, TL_ERROR_ARGUMENT for a bank. */
TL_CHECKED enum tl_status tl_kvm_registers_fetch(const struct tl_kvm_registers *registers, int vcpu, tl_u8 bank,
						 tl_u8 *file, struct tl_error *error);

/*
 * Stores a bank: what differs from what the vCPU has. TL_ERROR_SYSTEM when KVM refuses a value (reserved bits of
 * control registers, say); what was stored before it stays stored.
 */
TL_CHECKED enum tl_status tl_kvm_registers_store(const struct tl_kvm_registers *registers, int vcpu, tl_u8 bank,
						 const tl_u8 *file, struct tl_error *error);

/* One MSR; TL_ERROR_REGISTER when the vCPU has none of that number, or refuses the value. */
TL_CHECKED enum tl_status tl_kvm_msr_get(const struct tl_kvm_calls *calls, int vcpu, tl_u32 number, tl_u64 *value_ret);
/* See tl_kvm_msr_get. */
TL_CHECKED enum tl_status tl_kvm_msr_set(const struct tl_kvm_calls *calls, int vcpu, tl_u32 number, tl_u64 value);

#define TL_KVM_MSR_FMASK 0xc0000084u

/* ---- The pure halves ---- */

/* The linear address of the next instruction. */
tl_u64 tl_kvm_linear_pc(const struct kvm_regs *general, const struct kvm_sregs *system);

/* Bank 0 from KVM's structs. */
void tl_kvm_general_to_file(const struct kvm_regs *general, const struct kvm_sregs *system, tl_u8 *file);
/* And back. `system` is what the vCPU has, and is changed where selectors and bases are; true if anything of it was. */
bool tl_kvm_general_from_file(const tl_u8 *file, struct kvm_regs *general_ret, struct kvm_sregs *system);

/* What of bank 2 is in KVM's struct of special registers. */
void tl_kvm_system_to_file(const struct kvm_sregs *system, tl_u8 *file);
/* And back: `system` is what the vCPU has; true if anything changed. */
bool tl_kvm_system_from_file(const tl_u8 *file, struct kvm_sregs *system);

#endif

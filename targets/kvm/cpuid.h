/*
 * What a processor says that it is (CPUID): what the host's KVM can give, with the machine's own topology.
 *
 * Left out is what a machine that stops and goes on cannot promise (a time-stamp counter that never stands still: Linux
 * takes KVM's clock then) and what nothing here answers for.
 *
 * Source: Intel SDM 2A, CPUID; Linux, Documentation/virt/kvm/x86/cpuid.rst.
 */
#ifndef TL_TARGETS_KVM_CPUID_H
#define TL_TARGETS_KVM_CPUID_H

#include "targets/kvm/capabilities.h"

/* Entries at most: more than any KVM has. */
#define TL_KVM_CPUID_MAX 256

/* As KVM takes it: its struct kvm_cpuid2 with room. */
struct tl_kvm_cpuid {
	tl_u32 count, padding; /* so many entries are there */
	struct kvm_cpuid_entry2 entries[TL_KVM_CPUID_MAX];
};

/* What the host can give; `system` is /dev/kvm's descriptor. TL_ERROR_SYSTEM. */
TL_CHECKED enum tl_status tl_kvm_cpuid_read(const struct tl_kvm_calls *calls, int system,
					    struct tl_kvm_cpuid *cpuid_ret, struct tl_error *error);

/* Makes it that of processor `number` of `cpus`. Pure. */
void tl_kvm_cpuid_make(struct tl_kvm_cpuid *cpuid, const struct tl_kvm_capabilities *capabilities, tl_u32 number,
		       tl_u32 cpus);

#endif

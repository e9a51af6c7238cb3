#include "targets/kvm/cpuid.h"

/* Bits of leaf 1. */
#define ECX_MONITOR (1u << 3)
#define ECX_VMX (1u << 5)
#define ECX_X2APIC (1u << 21)
#define ECX_DEADLINE (1u << 24)
#define ECX_HYPERVISOR (1u << 31)
#define EDX_HYPERTHREADS (1u << 28)

/* Of extended leaves. */
#define ECX_SVM (1u << 2)           /* 0x80000001 */
#define EDX_INVARIANT_TSC (1u << 8) /* 0x80000007 */

#define LEVEL_THREAD 1u
#define LEVEL_CORE 2u

enum tl_status tl_kvm_cpuid_read(const struct tl_kvm_calls *calls, int system, struct tl_kvm_cpuid *cpuid_ret,
				 struct tl_error *error)
{
	*cpuid_ret = (struct tl_kvm_cpuid){.count = TL_KVM_CPUID_MAX};
	return TL_KVM_CALL(calls, system, KVM_GET_SUPPORTED_CPUID, cpuid_ret, error);
}

/* So many bits number the processors. */
static tl_u32 bits(tl_u32 cpus)
{
	tl_u32 count = 0;

	while ((1u << count) < cpus)
		count++;
	return count;
}

/* One processor of the machine is a core with one thread; all are in one package. */
static void make_topology(struct kvm_cpuid_entry2 *entry, tl_u32 number, tl_u32 cpus)
{
	entry->edx = number;
	entry->ecx = entry->index;
	if (entry->index == 0) {
		entry->eax = 0;
		entry->ebx = 1;
		entry->ecx |= LEVEL_THREAD << 8;
	} else if (entry->index == 1) {
		entry->eax = bits(cpus);
		entry->ebx = cpus;
		entry->ecx |= LEVEL_CORE << 8;
	} else {
		entry->eax = entry->ebx = 0;
	}
}

static void make_features(struct kvm_cpuid_entry2 *entry, const struct tl_kvm_capabilities *capabilities, tl_u32 number,
			  tl_u32 cpus)
{
	entry->ebx = (entry->ebx & 0x0000ffff) | cpus << 16 | number << 24;
	entry->ecx &= ~(ECX_MONITOR | ECX_VMX);
	entry->ecx |= ECX_X2APIC | ECX_HYPERVISOR;
	if (tl_kvm_has(capabilities, TL_KVM_HAS_TSC_DEADLINE))
		entry->ecx |= ECX_DEADLINE;
	entry->edx = cpus > 1 ? entry->edx | EDX_HYPERTHREADS : entry->edx & ~EDX_HYPERTHREADS;
}

/* How caches are shared: those of the first two levels by nobody, the third by all. */
static void make_cache(struct kvm_cpuid_entry2 *entry, tl_u32 cpus)
{
	tl_u32 level = entry->eax >> 5 & 7, sharing = level < 3 ? 1 : cpus;

	if ((entry->eax & 0x1f) != 0)
		entry->eax = (entry->eax & 0x3fff) | (sharing - 1) << 14 | (cpus - 1) << 26;
}

static void make_entry(struct kvm_cpuid_entry2 *entry, const struct tl_kvm_capabilities *capabilities, tl_u32 number,
		       tl_u32 cpus)
{
	switch (entry->function) {
	case 1:
		make_features(entry, capabilities, number, cpus);
		break;
	case 4:
		make_cache(entry, cpus);
		break;
	case 6:                        /* power and heat: nothing here measures them */
		entry->eax &= 1u << 2; /* the APIC's timer does not stop */
		entry->ebx = entry->ecx = entry->edx = 0;
		break;
	case 0xa: /* performance counters count the host's time, too */
		entry->eax = entry->ebx = entry->ecx = entry->edx = 0;
		break;
	case 0xb:
	case 0x1f:
		make_topology(entry, number, cpus);
		break;
	case 0x80000001:
		entry->ecx &= ~ECX_SVM;
		break;
	case 0x80000007:
		entry->edx &= ~EDX_INVARIANT_TSC;
		break;
	case 0x80000008:
		entry->ecx = cpus > 1 ? bits(cpus) << 12 | (cpus - 1) : 0;
		break;
	case 0x8000001e:
		entry->eax = number;
		entry->ebx = number;
		entry->ecx = 0;
		break;
	default:
		break;
	}
}

void tl_kvm_cpuid_make(struct tl_kvm_cpuid *cpuid, const struct tl_kvm_capabilities *capabilities, tl_u32 number,
		       tl_u32 cpus)
{
	for (tl_u32 i = 0; i < cpuid->count && i < TL_KVM_CPUID_MAX; i++)
		make_entry(&cpuid->entries[i], capabilities, number, cpus);
}

/*
 * Where a Linux kernel runs. Its decompressor chooses an address at random (KASLR), and nothing tells a hypervisor:
 * gdb's qOffsets does not do it for a vmlinux, whose sections are not a program's.
 *
 * It is found in two steps. *When*: a kernel that has just been unpacked sets MSR_GS_BASE as one of the first things
 * that it does at its final virtual address (arch/x86/kernel/head_64.S), long before start_kernel. KVM's filter for
 * MSRs (KVM_X86_SET_MSR_FILTER) brings that write to us once, and costs nothing before and behind. *Where*: the
 * kernel's text is mapped from 0xffffffff80000000 on with nothing mapped below it there, physically in one piece; so
 * the lowest page of the piece around the program counter is its beginning, as the page tables say.
 *
 * The second step works at any time when the program counter is in the kernel, also where the first is not to be had.
 */
#ifndef TL_TARGETS_KVM_KASLR_H
#define TL_TARGETS_KVM_KASLR_H

#include "targets/kvm/calls.h"
#include "targets/kvm/page_walk.h"

/* Where the kernel's image is mapped (__START_KERNEL_map), and where the modules begin. */
#define TL_KASLR_FIRST 0xffffffff80000000ull
#define TL_KASLR_END 0xffffffffc0000000ull
/* Where a kernel with the usual configuration is linked (CONFIG_PHYSICAL_START 0x1000000). */
#define TL_KASLR_LINKED 0xffffffff81000000ull

struct tl_kaslr_place {
	tl_u64 address;  /* of its first byte (_text), linear */
	tl_u64 physical; /* and guest-physical */
	tl_u64 size;     /* bytes from there on that are mapped in one piece */
};

/*
 * Looks for the kernel around `address`, a program counter or another address of its text (LSTAR say). TL_ERROR_STATE
 * when that is none, or too little is mapped around it for a kernel (a process's own tables under page table
 * isolation). Any thread.
 */
enum tl_status tl_kaslr_find(const struct tl_page_tables *tables, tl_page_walk_read *read, void *context,
			     tl_u64 address, struct tl_kaslr_place *place_ret);

/*
 * For `monitor kaslr`: the line for gdb, `symbol-file NAME -o OFFSET`, with a sentence for people before it. `linked`
 * is where the file puts _text, 0: TL_KASLR_LINKED; `name` the file, NULL: "vmlinux".
 */
void tl_kaslr_tell(const struct tl_kaslr_place *place, tl_u64 linked, const char *name, struct tl_writer *output);

/* ---- When ---- */

/*
 * From now on the guest's next write of MSR_GS_BASE comes out as KVM_EXIT_X86_WRMSR. `machine` is the VM's descriptor;
 * no vCPU is in the guest. TL_ERROR_UNSUPPORTED when the host lacks the filter (Linux before 5.10), TL_ERROR_SYSTEM.
 */
TL_CHECKED enum tl_status tl_kaslr_arm(const struct tl_kvm_calls *calls, int machine, struct tl_error *error);
/* Never again. Any thread; the vCPUs may run. A failure is of no use: writes go on coming out, and are carried out. */
void tl_kaslr_disarm(const struct tl_kvm_calls *calls, int machine);

/*
 * Carries out the write in a KVM_EXIT_X86_WRMSR (or answers a KVM_EXIT_X86_RDMSR), as the guest would have it: KVM_RUN
 * then completes the instruction. False when the exit is neither. In the vCPU's thread.
 */
bool tl_kaslr_answer(const struct tl_kvm_calls *calls, int vcpu, struct kvm_run *run);

/* Whether a linear program counter is in the kernel's text. */
static inline bool tl_kaslr_in_kernel(tl_u64 address)
{
	return address >= TL_KASLR_FIRST && address < TL_KASLR_END;
}

#endif

/*
 * A virtual machine as KVM has it: descriptors, memory, interrupt controllers and timer chip, and processors (vCPUs)
 * with their shared page. What a guest finds around them is the computer's (computer.h); who runs them is the target's.
 *
 * Made and ended on the control thread. KVM wants a vCPU's own ioctls from the thread that runs it, or while nobody
 * does; those of the machine may come from any thread.
 */
#ifndef TL_TARGETS_KVM_VM_H
#define TL_TARGETS_KVM_VM_H

#include "targets/kvm/memory.h"

#define TL_KVM_CPUS_MAX 16

/* Model-specific registers that a machine remembers from its beginning, for resets. */
#define TL_KVM_MSRS_MAX 512

/* A processor: its number is its APIC's, and counts from 0; processor 0 begins, the others wait to be started. */
struct tl_kvm_cpu {
	int descriptor;
	struct kvm_run *run; /* shared with KVM */
	tl_u32 number;
};

/* The model-specific registers of a processor: KVM's struct kvm_msrs with room. */
struct tl_kvm_msrs {
	tl_u32 count, padding;
	struct kvm_msr_entry entries[TL_KVM_MSRS_MAX];
};

/* KVM's struct kvm_xsave without its open end, which only processors with dynamic state (AMX) are asked for. */
struct tl_kvm_xsave {
	tl_u32 region[1024];
};

/* What a processor is like at its beginning. */
struct tl_kvm_beginning {
	struct kvm_regs registers;
	struct kvm_sregs system;
	struct kvm_fpu fpu;
	struct kvm_debugregs debug;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state apic;
	struct kvm_mp_state state;
	struct kvm_xcrs xcrs;
	struct tl_kvm_xsave xsave;
	struct tl_kvm_msrs msrs;
};

/* All 0 but the descriptors, which are -1: none. */
struct tl_kvm_vm {
	const struct tl_kvm_calls *calls;
	struct tl_kvm_capabilities capabilities;
	int system;       /* /dev/kvm */
	int descriptor;   /* the machine's */
	tl_size run_size; /* of each processor's shared page */
	struct tl_kvm_cpu cpus[TL_KVM_CPUS_MAX];
	tl_u32 cpu_count;
	struct tl_kvm_memory memory;

	/* For resets. */
	struct tl_kvm_beginning *beginnings; /* one a processor */
	struct kvm_irqchip chips[3];
	struct kvm_pit_state2 pit;

	struct kvm_clock_data clock; /* while it stands still */
	bool clock_stands;
};

/* What it is made of. */
struct tl_kvm_vm_options {
	const struct tl_kvm_calls *calls; /* NULL: the host's */
	const char *device;               /* NULL: /dev/kvm */
	tl_u32 cpus;                      /* from 1 to TL_KVM_CPUS_MAX */
	tl_u64 memory_size;               /* bytes, in whole pages */
};

/*
 * Makes a machine with interrupt controllers, a timer chip, memory that is 0, and processors as after power on, which
 * know what they are (CPUID). On failure nothing is left, and `error` says what the host lacks or refuses, and what can
 * be done: TL_ERROR_SYSTEM (no /dev/kvm, no permission, a call that fails), TL_ERROR_UNSUPPORTED (it is too old),
 * TL_ERROR_ARGUMENT (numbers), TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_kvm_vm_open(struct tl_kvm_vm *vm_ret, const struct tl_kvm_vm_options *options,
					 struct tl_error *error);
/* Ends it: no thread runs a vCPU any more. One that could not be opened, or was closed, is fine. */
void tl_kvm_vm_close(struct tl_kvm_vm *vm);

/*
 * Processors, interrupt controllers and the timer chip become what they were when the machine was made; memory stays.
 * All vCPUs are outside the guest, and their threads touch none. TL_ERROR_SYSTEM.
 */
TL_CHECKED enum tl_status tl_kvm_vm_reset(struct tl_kvm_vm *vm, struct tl_error *error);

/* Holds an input of the interrupt controllers (0 to 23) up, or lets it fall. Any thread; a failure is of no use. */
void tl_kvm_vm_line(struct tl_kvm_vm *vm, tl_u32 number, bool level);

/*
 * The guest's clock (kvmclock) stands still, and goes on from where it stood: so that it does not see how long the
 * machine was stopped. All vCPUs are outside the guest. Going on also tells the guest's watchdogs that it was stopped.
 * Saying the same twice is fine. Where the host cannot, nothing happens.
 */
void tl_kvm_vm_clock_stop(struct tl_kvm_vm *vm);
/* See tl_kvm_vm_clock_stop. */
void tl_kvm_vm_clock_go(struct tl_kvm_vm *vm);

#endif

#include "targets/kvm/vm_reset.h"

#include <stdlib.h>

/* Registers that go on through a reset: the time-stamp counter, and what is added to it. */
#define MSR_TSC 0x10
#define MSR_TSC_ADJUST 0x3b

/* KVM's struct kvm_msr_list with room. */
struct msr_names {
	tl_u32 count;
	tl_u32 names[TL_KVM_MSRS_MAX];
};

static enum tl_status read_names(const struct tl_kvm_vm *vm, struct msr_names *names, struct tl_error *error)
{
	tl_u32 kept = 0;

	names->count = TL_KVM_MSRS_MAX;
	TL_TRY(TL_KVM_CALL(vm->calls, vm->system, KVM_GET_MSR_INDEX_LIST, names, error));
	for (tl_u32 i = 0; i < names->count && i < TL_KVM_MSRS_MAX; i++)
		if (names->names[i] != MSR_TSC && names->names[i] != MSR_TSC_ADJUST)
			names->names[kept++] = names->names[i];
	names->count = kept;
	return TL_OK;
}

/* One by one: KVM gives up at the first that this processor does not have, and then it is left out. */
static void read_msrs(const struct tl_kvm_vm *vm, int cpu, const struct msr_names *names, struct tl_kvm_msrs *msrs)
{
	struct {
		tl_u32 count, padding;
		struct kvm_msr_entry entry;
	} one = {.count = 1};
	int done;

	msrs->count = 0;
	for (tl_u32 i = 0; i < names->count; i++) {
		one.entry = (struct kvm_msr_entry){.index = names->names[i]};
		if (tl_kvm_call(vm->calls, cpu, KVM_GET_MSRS, "KVM_GET_MSRS", (unsigned long)&one, &done, NULL) ==
			    TL_OK &&
		    done == 1)
			msrs->entries[msrs->count++] = one.entry;
	}
}

/* Those that a processor has and that nobody may write are as they were. */
static void write_msrs(const struct tl_kvm_vm *vm, int cpu, const struct tl_kvm_msrs *msrs)
{
	struct {
		tl_u32 count, padding;
		struct kvm_msr_entry entry;
	} one = {.count = 1};

	for (tl_u32 i = 0; i < msrs->count; i++) {
		one.entry = msrs->entries[i];
		(void)!TL_KVM_CALL(vm->calls, cpu, KVM_SET_MSRS, &one, NULL);
	}
}

static enum tl_status remember_cpu(const struct tl_kvm_vm *vm, const struct tl_kvm_cpu *cpu,
				   const struct msr_names *names, struct tl_kvm_beginning *beginning,
				   struct tl_error *error)
{
	int descriptor = cpu->descriptor;

	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_MP_STATE, &beginning->state, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_REGS, &beginning->registers, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_SREGS, &beginning->system, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_FPU, &beginning->fpu, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_LAPIC, &beginning->apic, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_VCPU_EVENTS, &beginning->events, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_DEBUGREGS))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_DEBUGREGS, &beginning->debug, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_XCRS))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_XCRS, &beginning->xcrs, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_XSAVE))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_GET_XSAVE, &beginning->xsave, error));
	read_msrs(vm, descriptor, names, &beginning->msrs);
	return TL_OK;
}

static enum tl_status remember_chips(struct tl_kvm_vm *vm, struct tl_error *error)
{
	for (tl_u32 i = 0; i < TL_COUNT(vm->chips); i++) {
		vm->chips[i].chip_id = i;
		TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_GET_IRQCHIP, &vm->chips[i], error));
	}
	return TL_KVM_CALL(vm->calls, vm->descriptor, KVM_GET_PIT2, &vm->pit, error);
}

enum tl_status tl_kvm_vm_remember(struct tl_kvm_vm *vm, struct tl_error *error)
{
	struct msr_names *names = calloc(1, sizeof(*names));
	enum tl_status status;

	if (names == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the names of registers");
	status = read_names(vm, names, error);
	for (tl_u32 i = 0; status == TL_OK && i < vm->cpu_count; i++)
		status = remember_cpu(vm, &vm->cpus[i], names, &vm->beginnings[i], error);
	free(names);
	return status == TL_OK ? remember_chips(vm, error) : status;
}

static enum tl_status reset_cpu(const struct tl_kvm_vm *vm, const struct tl_kvm_cpu *cpu,
				struct tl_kvm_beginning *beginning, struct tl_error *error)
{
	int descriptor = cpu->descriptor;

	/* What waits first, so that nothing that is set below is undone by it; the APIC's address before the APIC. */
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_MP_STATE, &beginning->state, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_SREGS, &beginning->system, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_LAPIC, &beginning->apic, error));
	write_msrs(vm, descriptor, &beginning->msrs);
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_REGS, &beginning->registers, error));
	TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_FPU, &beginning->fpu, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_XCRS))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_XCRS, &beginning->xcrs, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_XSAVE))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_XSAVE, &beginning->xsave, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_DEBUGREGS))
		TL_TRY(TL_KVM_CALL(vm->calls, descriptor, KVM_SET_DEBUGREGS, &beginning->debug, error));
	beginning->events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	return TL_KVM_CALL(vm->calls, descriptor, KVM_SET_VCPU_EVENTS, &beginning->events, error);
}

enum tl_status tl_kvm_vm_reset(struct tl_kvm_vm *vm, struct tl_error *error)
{
	for (tl_u32 i = 0; i < TL_COUNT(vm->chips); i++)
		TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_SET_IRQCHIP, &vm->chips[i], error));
	TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_SET_PIT2, &vm->pit, error));
	for (tl_u32 i = 0; i < vm->cpu_count; i++)
		TL_TRY(reset_cpu(vm, &vm->cpus[i], &vm->beginnings[i], error));
	vm->clock.clock = 0; /* where it goes on from, if it stands */
	return TL_OK;
}

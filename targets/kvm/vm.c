#include "targets/kvm/vm.h"

#include "targets/kvm/cpuid.h"
#include "targets/kvm/vm_reset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define VERSION 12 /* of KVM's interface; there is no other (Linux, Documentation/virt/kvm/api.rst, 4.1) */

/* Three pages for tasks of real mode and one for its page tables, where no memory and no device is. */
#define IDENTITY_MAP 0xfffbc000ul
#define TASK_STATE 0xfffbd000ul

static enum tl_status open_device(struct tl_kvm_vm *vm, const char *device, struct tl_error *error)
{
	int version;

	vm->system = vm->calls->open(vm->calls->context, device, O_RDWR);
	if (vm->system < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return TL_FAIL(error, TL_ERROR_SYSTEM,
			       "there is no %s that works: load the host's module for it (`modprobe kvm_intel`, or "
			       "kvm_amd); where that fails, virtualization is switched off in the firmware's settings, "
			       "or not given to the virtual machine or container that this runs in",
			       device);
	if (vm->system < 0 && (errno == EACCES || errno == EPERM))
		return TL_FAIL(error, TL_ERROR_SYSTEM,
			       "%s is not yours to open: become a member of the group that has it (`ls -l %s`; as a "
			       "rule `usermod -aG kvm YOU`, then log in anew), or be root",
			       device, device);
	if (vm->system < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "%s cannot be opened", device);
	TL_TRY(tl_kvm_call(vm->calls, vm->system, KVM_GET_API_VERSION, "KVM_GET_API_VERSION", 0, &version, error));
	if (version != VERSION)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "%s speaks version %d of KVM's interface, not %d", device,
			       version, VERSION);
	return tl_kvm_capabilities_probe(vm->calls, vm->system, &vm->capabilities, error);
}

static enum tl_status check_numbers(const struct tl_kvm_vm *vm, const struct tl_kvm_vm_options *options,
				    struct tl_error *error)
{
	int most = vm->capabilities.values[TL_KVM_HAS_MAX_VCPUS];
	tl_u32 limit = most > 0 && most < TL_KVM_CPUS_MAX ? (tl_u32)most : TL_KVM_CPUS_MAX;

	if (options->cpus == 0 || options->cpus > limit)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine has from 1 to %u processors here, not %u", limit,
			       options->cpus);
	return TL_OK;
}

static enum tl_status create(struct tl_kvm_vm *vm, struct tl_error *error)
{
	struct tl_error particular;

	if (tl_kvm_call(vm->calls, vm->system, KVM_CREATE_VM, "KVM_CREATE_VM", 0, &vm->descriptor, &particular) ==
	    TL_OK)
		return TL_OK;
	if (particular.system == EBUSY)
		return TL_FAIL(error, TL_ERROR_SYSTEM,
			       "the host's KVM cannot have the processor, which another hypervisor has: end that first "
			       "(VirtualBox, VMware)");
	if (error != NULL)
		*error = particular;
	return particular.status;
}

static enum tl_status make_machine(struct tl_kvm_vm *vm, struct tl_error *error)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	struct kvm_reinject_control reinject = {.pit_reinject = 0};
	tl_u64 identity_map = IDENTITY_MAP;

	TL_TRY(create(vm, error));
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_SET_IDENTITY_MAP_ADDR))
		TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_SET_IDENTITY_MAP_ADDR, &identity_map, error));
	TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_SET_TSS_ADDR, TASK_STATE, error));
	TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_CREATE_IRQCHIP, 0, error));
	TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_CREATE_PIT2, &pit, error));
	/* Ticks that a stop swallowed are not made up for. */
	if (tl_kvm_has(&vm->capabilities, TL_KVM_HAS_REINJECT_CONTROL))
		TL_TRY(TL_KVM_CALL(vm->calls, vm->descriptor, KVM_REINJECT_CONTROL, &reinject, error));
	return TL_OK;
}

static enum tl_status make_cpu(struct tl_kvm_vm *vm, tl_u32 number, tl_u32 cpus, const struct tl_kvm_cpuid *supported,
			       struct tl_kvm_cpuid *cpuid, struct tl_error *error)
{
	struct tl_kvm_cpu *cpu = &vm->cpus[number];

	*cpu = (struct tl_kvm_cpu){.descriptor = -1, .number = number};
	TL_TRY(tl_kvm_call(vm->calls, vm->descriptor, KVM_CREATE_VCPU, "KVM_CREATE_VCPU", number, &cpu->descriptor,
			   error));
	vm->cpu_count++;
	cpu->run =
		vm->calls->map(vm->calls->context, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->descriptor);
	if (cpu->run == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the page of processor %u cannot be mapped", number);
	*cpuid = *supported;
	tl_kvm_cpuid_make(cpuid, &vm->capabilities, number, cpus);
	return TL_KVM_CALL(vm->calls, cpu->descriptor, KVM_SET_CPUID2, cpuid, error);
}

static enum tl_status make_cpus(struct tl_kvm_vm *vm, tl_u32 cpus, struct tl_error *error)
{
	struct tl_kvm_cpuid *tables = calloc(2, sizeof(*tables));
	enum tl_status status;
	int size = 0;

	if (tables == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a table of CPUID");
	status = tl_kvm_call(vm->calls, vm->system, KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", 0, &size, error);
	if (status == TL_OK && (tl_size)size < sizeof(struct kvm_run))
		status = TL_FAIL(error, TL_ERROR_UNSUPPORTED, "KVM's page of a processor has %d bytes: too few", size);
	vm->run_size = (tl_size)size;
	if (status == TL_OK)
		status = tl_kvm_cpuid_read(vm->calls, vm->system, &tables[0], error);
	for (tl_u32 i = 0; status == TL_OK && i < cpus; i++)
		status = make_cpu(vm, i, cpus, &tables[0], &tables[1], error);
	free(tables);
	return status;
}

static enum tl_status build(struct tl_kvm_vm *vm, const struct tl_kvm_vm_options *options, struct tl_error *error)
{
	TL_TRY(open_device(vm, options->device != NULL ? options->device : "/dev/kvm", error));
	TL_TRY(check_numbers(vm, options, error));
	TL_TRY(make_machine(vm, error));
	TL_TRY(tl_kvm_memory_open(&vm->memory, vm->calls, vm->descriptor, &vm->capabilities, options->memory_size,
				  error));
	TL_TRY(make_cpus(vm, options->cpus, error));
	vm->beginnings = calloc(options->cpus, sizeof(*vm->beginnings));
	if (vm->beginnings == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the state of %u processors", options->cpus);
	return tl_kvm_vm_remember(vm, error);
}

enum tl_status tl_kvm_vm_open(struct tl_kvm_vm *vm_ret, const struct tl_kvm_vm_options *options, struct tl_error *error)
{
	enum tl_status status;

	*vm_ret = (struct tl_kvm_vm){
		.calls = options->calls != NULL ? options->calls : &tl_kvm_host_calls, .system = -1, .descriptor = -1};
	status = build(vm_ret, options, error);
	if (status != TL_OK)
		tl_kvm_vm_close(vm_ret);
	return status;
}

static void close_descriptor(const struct tl_kvm_vm *vm, int *descriptor)
{
	if (*descriptor >= 0)
		(void)vm->calls->close(vm->calls->context, *descriptor);
	*descriptor = -1;
}

void tl_kvm_vm_close(struct tl_kvm_vm *vm)
{
	for (tl_u32 i = 0; i < vm->cpu_count; i++) {
		if (vm->cpus[i].run != NULL)
			(void)vm->calls->unmap(vm->calls->context, vm->cpus[i].run, vm->run_size);
		vm->cpus[i].run = NULL;
		close_descriptor(vm, &vm->cpus[i].descriptor);
	}
	vm->cpu_count = 0;
	close_descriptor(vm, &vm->descriptor);
	tl_kvm_memory_close(&vm->memory);
	close_descriptor(vm, &vm->system);
	free(vm->beginnings);
	vm->beginnings = NULL;
}

void tl_kvm_vm_line(struct tl_kvm_vm *vm, tl_u32 number, bool level)
{
	struct kvm_irq_level line = {.irq = number, .level = level};

	(void)!TL_KVM_CALL(vm->calls, vm->descriptor, KVM_IRQ_LINE, &line, NULL);
}

/* ---- Time ---- */

void tl_kvm_vm_clock_stop(struct tl_kvm_vm *vm)
{
	if (vm->clock_stands || !tl_kvm_has(&vm->capabilities, TL_KVM_HAS_ADJUST_CLOCK))
		return;
	vm->clock_stands = TL_KVM_CALL(vm->calls, vm->descriptor, KVM_GET_CLOCK, &vm->clock, NULL) == TL_OK;
}

void tl_kvm_vm_clock_go(struct tl_kvm_vm *vm)
{
	if (!vm->clock_stands)
		return;
	vm->clock_stands = false;
	vm->clock.flags = 0;
	(void)!TL_KVM_CALL(vm->calls, vm->descriptor, KVM_SET_CLOCK, &vm->clock, NULL);
	if (!tl_kvm_has(&vm->capabilities, TL_KVM_HAS_KVMCLOCK_CTRL))
		return;
	/* A guest that has not set its clock up yet has no watchdogs either: that it fails is no error. */
	for (tl_u32 i = 0; i < vm->cpu_count; i++)
		(void)!TL_KVM_CALL(vm->calls, vm->cpus[i].descriptor, KVM_KVMCLOCK_CTRL, 0, NULL);
}

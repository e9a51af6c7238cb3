/* Registers of a vCPU as its own thread uses them: asked of KVM once for each stop. */
#include "core/cpu/cpu.h"
#include "targets/kvm/page_walk.h"
#include "targets/kvm/vcpu.h"

static enum tl_status ask(struct tl_kvm_vcpu *vcpu, unsigned long request, void *argument)
{
	const struct tl_kvm_calls *calls = vcpu->crew->vm->calls;

	return calls->ioctl(calls->context, vcpu->cpu->descriptor, request, (unsigned long)argument) < 0
		       ? TL_ERROR_SYSTEM
		       : TL_OK;
}

enum tl_status tl_kvm_vcpu_fetch(struct tl_kvm_vcpu *vcpu)
{
	if (!vcpu->general_valid)
		TL_TRY(ask(vcpu, KVM_GET_REGS, &vcpu->general));
	vcpu->general_valid = true;
	if (!vcpu->system_valid)
		TL_TRY(ask(vcpu, KVM_GET_SREGS, &vcpu->system));
	vcpu->system_valid = true;
	return TL_OK;
}

enum tl_status tl_kvm_vcpu_store(struct tl_kvm_vcpu *vcpu)
{
	return ask(vcpu, KVM_SET_REGS, &vcpu->general);
}

void tl_kvm_vcpu_forget(struct tl_kvm_vcpu *vcpu)
{
	vcpu->general_valid = vcpu->system_valid = false;
}

tl_u64 tl_kvm_vcpu_address(struct tl_kvm_vcpu *vcpu)
{
	return tl_kvm_vcpu_fetch(vcpu) == TL_OK ? tl_kvm_linear_pc(&vcpu->general, &vcpu->system) : 0;
}

/* ---- Memory ---- */

static bool read_physical(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	const struct tl_kvm_vcpu *vcpu = context;
	const tl_u8 *bytes = tl_kvm_memory_at(&vcpu->crew->vm->memory, physical, size);

	if (bytes == NULL)
		return false;
	tl_copy(buffer, bytes, size);
	return true;
}

static bool walk(struct tl_kvm_vcpu *vcpu, tl_u64 address, struct tl_page_walk *walk_ret)
{
	struct tl_page_tables tables;

	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK)
		return false;
	tables = tl_page_tables_of(&vcpu->system);
	return tl_page_walk(&tables, read_physical, vcpu, address, walk_ret) == TL_OK;
}

bool tl_kvm_vcpu_translate(struct tl_kvm_vcpu *vcpu, tl_u64 address, tl_u64 *physical_ret)
{
	struct tl_page_walk found;

	if (!walk(vcpu, address, &found))
		return false;
	*physical_ret = found.physical;
	return true;
}

/* As much of [address, address + size) as is on one page. */
static tl_size part_of(tl_u64 address, tl_size size)
{
	tl_u64 left = TL_KVM_PAGE - (address & (TL_KVM_PAGE - 1));

	return size < left ? size : (tl_size)left;
}

tl_size tl_kvm_vcpu_read(struct tl_kvm_vcpu *vcpu, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	while (done < size) {
		tl_size part = part_of(address + done, size - done);
		tl_u64 physical;

		if (!tl_kvm_vcpu_translate(vcpu, address + done, &physical) ||
		    !tl_kvm_points_read(&vcpu->crew->points, physical, (tl_u8 *)buffer + done, part))
			break;
		done += part;
	}
	return done;
}

static enum tl_status read_any(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return tl_kvm_vcpu_read(context, address, buffer, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status write_any(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	struct tl_kvm_vcpu *vcpu = context;
	const tl_u8 *from = buffer;
	tl_size done = 0;

	while (done < size) {
		tl_size part = part_of(address + done, size - done);
		tl_u64 physical;

		if (!tl_kvm_vcpu_translate(vcpu, address + done, &physical) ||
		    !tl_kvm_points_write(&vcpu->crew->points, physical, from + done, part))
			return TL_ERROR_MEMORY;
		done += part;
	}
	return TL_OK;
}

struct tl_memory_access tl_kvm_vcpu_memory(struct tl_kvm_vcpu *vcpu)
{
	return (struct tl_memory_access){read_any, write_any, vcpu};
}

/* Whether the processor would make the access without having to note anything down, and nobody wants to see it. */
static bool may(struct tl_kvm_vcpu *vcpu, tl_u64 address, tl_size size, bool write, tl_u64 *physical_ret)
{
	const struct tl_kvm_crew *crew = vcpu->crew;
	enum tl_kvm_access access;
	struct tl_page_walk found;

	if (part_of(address, size) != size || !walk(vcpu, address, &found))
		return false;
	*physical_ret = found.physical;
	for (unsigned n = 0; n < TL_X86_DEBUG_REGISTERS; n++) {
		enum tl_x86_debug_kind kind;
		tl_u64 at, length;

		if (tl_x86_debug_piece(&crew->plan, n, &kind, &at, &length) && kind != TL_X86_DEBUG_EXECUTE)
			return false;
	}
	return (found.size == 0 || (found.accessed && (!write || found.dirty) &&
				    tl_page_walk_allows(&found, write, false, vcpu->system.cs.dpl == 3))) &&
	       tl_kvm_memory_access(&crew->vm->memory, found.physical, &access) && access == TL_KVM_ACCESS_ALL;
}

static enum tl_status read_allowed(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_kvm_vcpu *vcpu = context;
	tl_u64 physical;

	return may(vcpu, address, size, false, &physical) &&
			       tl_kvm_points_read(&vcpu->crew->points, physical, buffer, size)
		       ? TL_OK
		       : TL_ERROR_MEMORY;
}

static enum tl_status write_allowed(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	struct tl_kvm_vcpu *vcpu = context;
	tl_u64 physical;

	return may(vcpu, address, size, true, &physical) &&
			       tl_kvm_points_write(&vcpu->crew->points, physical, buffer, size)
		       ? TL_OK
		       : TL_ERROR_MEMORY;
}

struct tl_memory_access tl_kvm_vcpu_program_memory(struct tl_kvm_vcpu *vcpu)
{
	return (struct tl_memory_access){read_allowed, write_allowed, vcpu};
}

/* ---- As a register file ---- */

enum tl_status tl_kvm_vcpu_fill_file(struct tl_kvm_vcpu *vcpu)
{
	tl_u64 mask = 0;

	TL_TRY(tl_kvm_vcpu_fetch(vcpu));
	tl_kvm_general_to_file(&vcpu->general, &vcpu->system, vcpu->file);
	tl_kvm_system_to_file(&vcpu->system, vcpu->file);
	if ((vcpu->system.efer & TL_X86_EFER_LMA) != 0 &&
	    tl_kvm_msr_get(vcpu->crew->vm->calls, vcpu->cpu->descriptor, TL_KVM_MSR_FMASK, &mask) != TL_OK)
		mask = 0;
	tl_store_little(vcpu->file + TL_X86_AT_FMASK, mask, 8);
	return TL_OK;
}

enum tl_status tl_kvm_vcpu_store_file(struct tl_kvm_vcpu *vcpu, tl_u32 banks)
{
	if ((banks & 1u << TL_BANK_GENERAL) != 0) {
		if (tl_kvm_general_from_file(vcpu->file, &vcpu->general, &vcpu->system))
			TL_TRY(ask(vcpu, KVM_SET_SREGS, &vcpu->system));
		TL_TRY(tl_kvm_vcpu_store(vcpu));
	}
	if ((banks & 1u << TL_X86_BANK_SYSTEM) != 0 && (vcpu->system.efer & TL_X86_EFER_LMA) != 0)
		TL_TRY(tl_kvm_msr_set(vcpu->crew->vm->calls, vcpu->cpu->descriptor, TL_KVM_MSR_FMASK,
				      tl_load_little(vcpu->file + TL_X86_AT_FMASK, 8)));
	return TL_OK;
}

enum tl_status tl_kvm_vcpu_register(struct tl_kvm_vcpu *vcpu, tl_u16 number, tl_u64 *value_ret)
{
	const struct tl_cpu *cpu = &tl_cpu_x86_64;
	struct tl_error error;

	if (number >= cpu->register_count || cpu->registers[number].bits > 64)
		return TL_ERROR_REGISTER;
	TL_TRY(tl_kvm_registers_fetch(&vcpu->crew->registers, vcpu->cpu->descriptor, cpu->registers[number].bank,
				      vcpu->file, &error));
	*value_ret = tl_cpu_get(cpu, vcpu->file, number);
	return TL_OK;
}

/* ---- What waits for the guest ---- */

/*
 * For an int3 the program counter stays at it. #BP is a software exception to KVM (kvm_exception_is_soft, Linux
 * arch/x86/kvm/x86.h), and moving past the instruction is part of its delivery: on VMX by the length that the exit
 * reported (vmx_inject_exception writes event_exit_inst_len, which handle_exception_nmi kept for this, to
 * VM_ENTRY_INSTRUCTION_LEN), on SVM by the length of what stands there (svm_update_soft_interrupt_rip, Linux 5.19 and
 * later). It must be given before KVM_GET_VCPU_EVENTS is asked again, which does not tell of software exceptions.
 * tests/kvm/probe.c shows all of it on either make.
 */
enum tl_status tl_kvm_vcpu_inject(struct tl_kvm_vcpu *vcpu, tl_u8 vector)
{
	struct kvm_vcpu_events events;

	TL_TRY(ask(vcpu, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = vector;
	events.exception.has_error_code = 0;
	events.exception.error_code = 0;
	events.exception.pending = 0;
	return ask(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

enum tl_status tl_kvm_vcpu_shadow(struct tl_kvm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	TL_TRY(ask(vcpu, KVM_GET_VCPU_EVENTS, &events));
	events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
	events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	return ask(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

enum tl_status tl_kvm_vcpu_add_causes(struct tl_kvm_vcpu *vcpu, tl_u64 causes)
{
	struct kvm_debugregs registers;

	if (causes == 0)
		return TL_OK;
	TL_TRY(ask(vcpu, KVM_GET_DEBUGREGS, &registers));
	registers.dr6 |= causes;
	return ask(vcpu, KVM_SET_DEBUGREGS, &registers);
}

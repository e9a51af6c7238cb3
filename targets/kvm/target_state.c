/* Registers and memory of the machine, for the engine. */
#include "targets/kvm/target_internal.h"

#include <stdio.h>
#include <string.h>

/* ---- Registers ---- */

enum tl_status tl_kvm_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	const struct tl_kvm_target *machine = tl_kvm_target_of(target);

	if (process != TL_KVM_PROCESS || !machine->adopted)
		return TL_ERROR_GONE;
	/* gdb takes what names no system for Linux's, and steps that with breakpoints: never into the kernel. */
	*facts_ret = (struct tl_process_facts){&tl_cpu_x86_64, machine->crew.registers.features, "none"};
	return TL_OK;
}

/* The vCPU of an operation that wants it to stand. */
static enum tl_status standing(struct tl_kvm_target *machine, struct tl_thread_id thread, tl_u32 *number_ret)
{
	const struct tl_kvm_vcpu *vcpu = tl_kvm_target_vcpu(machine, thread);
	bool stands;

	if (vcpu == NULL)
		return TL_ERROR_GONE;
	tl_kvm_crew_lock(&machine->crew);
	stands = vcpu->task == TL_KVM_STAND && vcpu->untold == 0;
	tl_kvm_crew_unlock(&machine->crew);
	if (!stands)
		return TL_ERROR_RUNNING;
	*number_ret = vcpu->number;
	return TL_OK;
}

struct transfer {
	tl_u8 bank;
	tl_u8 *to;
	const tl_u8 *from;
	enum tl_status status;
};

static void fetch(struct tl_kvm_vcpu *vcpu, void *context)
{
	struct transfer *transfer = context;
	struct tl_error error;

	transfer->status = tl_kvm_registers_fetch(&vcpu->crew->registers, vcpu->cpu->descriptor, transfer->bank,
						  transfer->to, &error);
}

static void store(struct tl_kvm_vcpu *vcpu, void *context)
{
	struct transfer *transfer = context;
	struct tl_error error;

	transfer->status = tl_kvm_registers_store(&vcpu->crew->registers, vcpu->cpu->descriptor, transfer->bank,
						  transfer->from, &error);
	tl_kvm_vcpu_forget(vcpu);
}

static enum tl_status move_registers(struct tl_target *target, struct tl_thread_id thread, struct transfer *transfer,
				     tl_kvm_work_call *call)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	tl_u32 number;

	TL_TRY(standing(machine, thread, &number));
	TL_TRY(tl_kvm_crew_perform(&machine->crew, number, call, transfer));
	return transfer->status;
}

enum tl_status tl_kvm_fetch_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file)
{
	struct transfer transfer = {.bank = bank, .to = file};

	return move_registers(target, thread, &transfer, fetch);
}

enum tl_status tl_kvm_store_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
				      const tl_u8 *file)
{
	struct transfer transfer = {.bank = bank, .from = file};

	return move_registers(target, thread, &transfer, store);
}

static void find_address(struct tl_kvm_vcpu *vcpu, void *context)
{
	*(tl_u64 *)context = tl_kvm_vcpu_address(vcpu);
}

enum tl_status tl_kvm_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread, tl_u64 *value_ret)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	tl_u32 number;

	TL_TRY(standing(machine, thread, &number));
	return tl_kvm_crew_perform(&machine->crew, number, find_address, value_ret);
}

/* ---- Memory ---- */

struct move {
	struct tl_kvm_target *machine;
	tl_u64 address;
	tl_u8 *to;
	const tl_u8 *from;
	tl_size size, done;
};

/* In the thread of the vCPU that one looks through, page by page. */
static void move_bytes(struct tl_kvm_vcpu *vcpu, void *context)
{
	struct move *move = context;
	struct tl_kvm_points *points = &vcpu->crew->points;

	while (move->done < move->size) {
		tl_u64 at = move->address + move->done, left = TL_KVM_PAGE - (at & (TL_KVM_PAGE - 1)), physical = at;
		tl_size part = move->size - move->done < left ? move->size - move->done : (tl_size)left;

		if (!move->machine->physical && !tl_kvm_vcpu_translate(vcpu, at, &physical))
			return;
		if (move->to != NULL ? !tl_kvm_points_read(points, physical, move->to + move->done, part)
				     : !tl_kvm_points_write(points, physical, move->from + move->done, part))
			return;
		move->done += part;
	}
}

static enum tl_status move_memory(struct tl_target *target, tl_u64 process, struct move *move, tl_size *done_ret)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);

	*done_ret = 0;
	if (!machine->adopted || process != TL_KVM_PROCESS)
		return TL_ERROR_GONE;
	move->machine = machine;
	TL_TRY(tl_kvm_crew_perform(&machine->crew, machine->eye, move_bytes, move));
	*done_ret = move->done;
	return move->done != 0 || move->size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

enum tl_status tl_kvm_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				  tl_size *done_ret)
{
	struct move move = {.address = address, .to = buffer, .size = size};

	return move_memory(target, process, &move, done_ret);
}

enum tl_status tl_kvm_write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				   tl_size size, tl_size *done_ret)
{
	struct move move = {.address = address, .from = buffer, .size = size};

	return move_memory(target, process, &move, done_ret);
}

/* ---- Objects ---- */

static void name_vcpu(struct tl_kvm_target *machine, struct tl_thread_id thread, char *text, tl_size size)
{
	const struct tl_kvm_vcpu *vcpu = tl_kvm_target_vcpu(machine, thread);

	if (vcpu != NULL)
		snprintf(text, size, "vCPU %u", vcpu->number);
}

/* Of a kernel that unpacks itself, and is awaited; where others are is no secret. */
static enum tl_status read_text_address(struct tl_kvm_target *machine, tl_u64 offset, void *buffer, tl_size size,
					tl_size *done_ret)
{
	tl_u8 address[8];
	bool awaited;

	tl_kvm_crew_lock(&machine->crew);
	awaited = machine->crew.kernel_awaited;
	tl_kvm_crew_unlock(&machine->crew);
	if (machine->text == 0)
		return awaited ? TL_ERROR_STATE : TL_ERROR_UNSUPPORTED;
	tl_store_little(address, machine->text, sizeof(address));
	return tl_target_part(address, sizeof(address), offset, buffer, size, done_ret);
}

enum tl_status tl_kvm_read_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				  tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	char text[64] = "";
	const char *from = text;

	*done_ret = 0;
	if (!machine->adopted || thread.process != TL_KVM_PROCESS)
		return TL_ERROR_GONE;
	switch (object) {
	case TL_OBJECT_THREAD_NAME:
		name_vcpu(machine, thread, text, sizeof(text));
		break;
	case TL_OBJECT_THREAD_CORE:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)thread.thread - 1);
		break;
	case TL_OBJECT_EXEC_FILE:
		if (machine->program == NULL)
			return TL_ERROR_UNSUPPORTED;
		from = machine->program;
		break;
	case TL_OBJECT_TEXT_ADDRESS:
		return read_text_address(machine, offset, buffer, size, done_ret);
	case TL_OBJECT_AUXV:
	case TL_OBJECT_SIGINFO:
	case TL_OBJECT_MEMORY_MAP:
	case TL_OBJECT_THREAD_POINTER:
	case TL_OBJECT_COMMAND_LINE:
	case TL_OBJECT_MAX:
		return TL_ERROR_UNSUPPORTED;
	}
	return tl_target_part(from, strlen(from), offset, buffer, size, done_ret);
}

void tl_kvm_look_through(struct tl_target *target, struct tl_thread_id thread)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);
	const struct tl_kvm_vcpu *vcpu = tl_kvm_target_vcpu(machine, thread);

	if (vcpu != NULL && !machine->eye_fixed)
		machine->eye = vcpu->number;
}

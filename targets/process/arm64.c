#include "targets/process/arm64.h"

#include "base/storage.h"
#include "core/cpu/arm64_layout.h"

#include <asm/hwcap.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/uio.h>

_Static_assert(sizeof(struct user_regs_struct) == TL_ARM64_GENERAL_SIZE, "bank 0 is what NT_PRSTATUS fills");

/* What elf.h of an older C library does not have. */
#ifndef NT_ARM_TAGGED_ADDR_CTRL
#define NT_ARM_TAGGED_ADDR_CTRL 0x409
#endif
#ifndef HWCAP2_MTE
#define HWCAP2_MTE (1ul << 18)
#endif
#ifndef HWCAP2_SME
#define HWCAP2_SME (1ul << 23)
#endif

enum tl_status tl_arm64_get_set(const struct process_target *target, const struct traced_thread *thread, int set,
				void *buffer, tl_size size, tl_size *done_ret)
{
	struct iovec area = {buffer, size};

	if (process_ptrace_patiently(target, PTRACE_GETREGSET, thread, (tl_uintptr)set, (tl_uintptr)&area) < 0)
		return tl_process_errno();
	if (done_ret != NULL)
		*done_ret = area.iov_len;
	return TL_OK;
}

enum tl_status tl_arm64_put_set(const struct process_target *target, const struct traced_thread *thread, int set,
				const void *buffer, tl_size size)
{
	struct iovec area = {(void *)(tl_uintptr)buffer, size};

	if (process_ptrace_patiently(target, PTRACE_SETREGSET, thread, (tl_uintptr)set, (tl_uintptr)&area) < 0)
		return tl_process_errno();
	return TL_OK;
}

/* ---- The machine ---- */

/* The kernel's header and the longest vectors with their status. */
#define VECTORS_ROOM (TL_ARM64_SVE_FILE_SIZE(TL_ARM64_VECTOR_MAX) + 64)

enum tl_status tl_process_cpu_init(struct process_target *target)
{
	struct cpu_machine *machine = &target->machine;
	unsigned long has = getauxval(AT_HWCAP), has_2 = getauxval(AT_HWCAP2);

	machine->features = 1u << TL_ARM64_FEATURE_CORE | 1u << TL_ARM64_FEATURE_TLS;
	if ((has & HWCAP_PACA) != 0)
		machine->features |= 1u << TL_ARM64_FEATURE_PAUTH;
	if ((has_2 & HWCAP2_MTE) != 0)
		machine->features |= 1u << TL_ARM64_FEATURE_MTE;
	machine->has_sve = (has & HWCAP_SVE) != 0;
	machine->has_sme = (has_2 & HWCAP2_SME) != 0;
	machine->vectors_size = VECTORS_ROOM;
	machine->vectors = tl_allocate(tl_storage(), machine->vectors_size);
	return machine->vectors != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
}

void tl_process_cpu_finish(struct process_target *target)
{
	tl_release(tl_storage(), target->machine.vectors, target->machine.vectors_size);
}

const char *tl_process_cpu_refusal(const struct traced_process *process)
{
	return process->wide ? NULL
			     : "this is a 32-bit Arm program, and only 64-bit ones can be debugged here: use gdbserver "
			       "for it";
}

/* ---- General registers ---- */

enum tl_status tl_process_cpu_general(const struct process_target *target, struct traced_thread *thread)
{
	tl_size done = 0;

	if (thread->general_valid)
		return TL_OK;
	TL_TRY(tl_arm64_get_set(target, thread, NT_PRSTATUS, &thread->general, sizeof(thread->general), &done));
	/* A 32-bit program's are fewer and narrower. */
	if (done != sizeof(thread->general))
		return TL_ERROR_UNSUPPORTED;
	thread->general_valid = true;
	return TL_OK;
}

enum tl_status tl_process_cpu_write_general(const struct process_target *target, struct traced_thread *thread)
{
	enum tl_status status =
		tl_arm64_put_set(target, thread, NT_PRSTATUS, &thread->general, sizeof(thread->general));

	thread->general_valid = status == TL_OK;
	return status;
}

/*
 * A system call that is to be run again needs no thought here: the kernel has moved the program counter back to it
 * before the stop, and if somebody moves that elsewhere it takes it for a change of mind.
 */
static enum tl_status store_general(const struct process_target *target, struct traced_thread *thread,
				    const tl_u8 *file)
{
	struct user_regs_struct old;

	TL_TRY(tl_process_cpu_general(target, thread));
	old = thread->general;
	tl_copy(&thread->general, file, sizeof(thread->general));
	if (tl_same(&old, &thread->general, sizeof(old)))
		return TL_OK;
	return tl_process_cpu_write_general(target, thread);
}

/* ---- Thread pointer, masks of pointers ---- */

enum tl_status tl_process_cpu_thread_pointer(const struct process_target *target, struct traced_thread *thread,
					     tl_u64 *value_ret)
{
	return tl_arm64_get_set(target, thread, NT_ARM_TLS, value_ret, sizeof(*value_ret), NULL);
}

static bool has(const struct process_target *target, enum tl_arm64_feature feature)
{
	return (target->machine.features >> feature & 1) != 0;
}

static enum tl_status fetch_system(const struct process_target *target, struct traced_thread *thread, tl_u8 *file)
{
	tl_u64 pointer = 0, masks[2] = {0}, control = 0;

	TL_TRY(tl_process_cpu_thread_pointer(target, thread, &pointer));
	if (has(target, TL_ARM64_FEATURE_PAUTH))
		TL_TRY(tl_arm64_get_set(target, thread, NT_ARM_PAC_MASK, masks, sizeof(masks), NULL));
	if (has(target, TL_ARM64_FEATURE_MTE))
		TL_TRY(tl_arm64_get_set(target, thread, NT_ARM_TAGGED_ADDR_CTRL, &control, sizeof(control), NULL));
	tl_store_little(file + TL_ARM64_AT_TPIDR, pointer, 8);
	tl_store_little(file + TL_ARM64_AT_DATA_MASK, masks[0], 8);
	tl_store_little(file + TL_ARM64_AT_CODE_MASK, masks[1], 8);
	tl_store_little(file + TL_ARM64_AT_TAG_CONTROL, control, 8);
	return TL_OK;
}

/* The masks are the machine's: what is written there changes nothing. */
static enum tl_status store_system(const struct process_target *target, struct traced_thread *thread, const tl_u8 *file)
{
	tl_u8 old[TL_ARM64_FILE_SIZE] = {0};

	TL_TRY(fetch_system(target, thread, old));
	if (!tl_same(old + TL_ARM64_AT_TPIDR, file + TL_ARM64_AT_TPIDR, 8))
		TL_TRY(tl_arm64_put_set(target, thread, NT_ARM_TLS, file + TL_ARM64_AT_TPIDR, 8));
	if (has(target, TL_ARM64_FEATURE_MTE) &&
	    !tl_same(old + TL_ARM64_AT_TAG_CONTROL, file + TL_ARM64_AT_TAG_CONTROL, 8))
		TL_TRY(tl_arm64_put_set(target, thread, NT_ARM_TAGGED_ADDR_CTRL, file + TL_ARM64_AT_TAG_CONTROL, 8));
	return TL_OK;
}

/* ---- Operations ---- */

static struct traced_thread *standing(const struct process_target *target, struct tl_thread_id id,
				      enum tl_status *status_ret)
{
	struct traced_thread *thread = tl_process_thread(target, id);

	*status_ret = TL_OK;
	if (thread == NULL || thread->state == TRACED_ENDED)
		*status_ret = TL_ERROR_GONE;
	else if (thread->state != TRACED_STOPPED)
		*status_ret = TL_ERROR_RUNNING;
	return thread;
}

/* Of a thread that stands, or if none does, as programs have it that do not ask for anything else. */
static tl_u64 vectors_of(const struct process_target *target, const struct traced_process *process)
{
	for (const struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_STOPPED && thread->place != PLACE_ASLEEP)
			return tl_arm64_thread_vectors(target, thread);
	return tl_arm64_own_vectors(target);
}

enum tl_status tl_process_cpu_describe(struct tl_target *base, tl_u64 id, struct tl_process_facts *facts_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	const struct tl_cpu *cpu;

	if (process == NULL)
		return TL_ERROR_GONE;
	cpu = tl_arm64_with_vectors(vectors_of(target, process));
	if (cpu == NULL)
		cpu = &tl_cpu_aarch64;
	process->cpu.description = cpu;
	*facts_ret = (struct tl_process_facts){cpu, cpu->base_features | target->machine.features, "GNU/Linux"};
	return TL_OK;
}

static const struct tl_cpu *description(const struct traced_thread *thread)
{
	const struct tl_cpu *cpu = thread->process->cpu.description;

	return cpu != NULL ? cpu : &tl_cpu_aarch64;
}

enum tl_status tl_process_cpu_keep(struct process_target *target, struct traced_thread *thread)
{
	const struct tl_cpu *cpu = description(thread);
	enum tl_status status;

	TL_TRY(tl_process_cpu_general(target, thread));
	thread->kept = tl_allocate(tl_storage(), cpu->file_size);
	if (thread->kept == NULL)
		return TL_ERROR_NO_MEMORY;
	thread->kept_size = cpu->file_size;
	status = tl_arm64_fetch_vectors(target, thread, cpu, thread->kept);
	return status == TL_OK ? fetch_system(target, thread, thread->kept) : status;
}

/* The registers of a bank as they were kept. */
static void fetch_kept(const struct traced_thread *thread, const struct tl_cpu *cpu, tl_u8 bank, tl_u8 *file)
{
	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		const struct tl_register *reg = &cpu->registers[i];
		tl_size size = (tl_size)(reg->bits + 7) / 8;

		if (reg->bank == bank && reg->offset + size <= thread->kept_size)
			tl_copy(file + reg->offset, thread->kept + reg->offset, size);
	}
}

enum tl_status tl_process_cpu_fetch(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	switch (bank) {
	case TL_BANK_GENERAL:
		TL_TRY(tl_process_cpu_general(target, thread));
		tl_copy(file, &thread->general, sizeof(thread->general));
		return TL_OK;
	case TL_ARM64_BANK_VECTOR:
	case TL_ARM64_BANK_SYSTEM:
		break;
	default:
		return TL_ERROR_ARGUMENT;
	}
	if (thread->place == PLACE_ASLEEP) {
		fetch_kept(thread, description(thread), bank, file);
		return TL_OK;
	}
	return bank == TL_ARM64_BANK_SYSTEM ? fetch_system(target, thread, file)
					    : tl_arm64_fetch_vectors(target, thread, description(thread), file);
}

enum tl_status tl_process_cpu_store(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	/* What is shown is not what there is to write to. */
	if (thread->place == PLACE_ASLEEP)
		return TL_ERROR_RUNNING;
	switch (bank) {
	case TL_BANK_GENERAL:
		return store_general(target, thread, file);
	case TL_ARM64_BANK_VECTOR:
		return tl_arm64_store_vectors(target, thread, description(thread), file);
	case TL_ARM64_BANK_SYSTEM:
		return store_system(target, thread, file);
	default:
		return TL_ERROR_ARGUMENT;
	}
}

enum tl_status tl_process_cpu_fetch_program_counter(struct tl_target *base, struct tl_thread_id id, tl_u64 *value_ret)
{
	struct process_target *target = process_target(base);
	enum tl_status status;
	struct traced_thread *thread = standing(target, id, &status);

	TL_TRY(status);
	TL_TRY(tl_process_cpu_general(target, thread));
	*value_ret = thread->general.pc;
	return TL_OK;
}

/* ---- System calls ---- */

#define CALL_EXIT 93
#define CALL_MUNMAP 215
#define CALL_MMAP 222

/* As the kernel has it: x8 may be anything by the time a call ends. */
tl_u64 tl_process_cpu_call_number(const struct process_target *target, const struct traced_thread *thread)
{
	tl_i32 number = 0;

	if (tl_arm64_get_set(target, thread, NT_ARM_SYSTEM_CALL, &number, sizeof(number), NULL) != TL_OK)
		return thread->general.regs[8];
	return (tl_u64)(tl_i64)number;
}

bool tl_process_cpu_ends_alone(const struct process_target *target, struct traced_thread *thread)
{
	return tl_process_cpu_general(target, thread) == TL_OK &&
	       tl_process_cpu_call_number(target, thread) == CALL_EXIT;
}

const tl_u8 *tl_process_cpu_call_instruction(const struct traced_process *process, tl_size *size_ret)
{
	static const tl_u8 call[] = {0x01, 0x00, 0x00, 0xd4}; /* svc #0 */

	(void)process;
	*size_ret = sizeof(call);
	return call;
}

void tl_process_cpu_set_call(struct traced_thread *thread, const struct process_call_frame *frame)
{
	struct user_regs_struct *general = &thread->general;

	general->pc = frame->address;
	/* Whatever led here was no branch to this address. */
	general->pstate &= ~TL_ARM64_BRANCH_TYPE;
	for (unsigned i = 0; i < TL_COUNT(frame->arguments); i++)
		general->regs[i] = frame->arguments[i];
	switch (frame->call) {
	case PROCESS_CALL_MAP:
		general->regs[8] = CALL_MMAP;
		break;
	case PROCESS_CALL_UNMAP:
		general->regs[8] = CALL_MUNMAP;
		break;
	}
}

tl_u64 tl_process_cpu_call_result(const struct traced_thread *thread)
{
	return thread->general.regs[0];
}

/*
 * A point between a load-exclusive and its store. The trap takes the machine's reservation, so that the store fails and
 * the program tries again, meets the point again, and so on for ever, though nobody is told of anything. So who has hit
 * such a point and is to go on is led through the sequence with all threads of its address space held: its instructions
 * are carried out one by one, with a reservation of ours. The store of this attempt fails, as it would have; the
 * program goes back to its load, and the store of that attempt stores if memory still is what was loaded then. Points
 * on the way are hit as ever: their conditions are asked, and one that is true is told where it stands.
 */
#include "core/engine/internal.h"

/* How many instructions may lead from the point back to the load and on to the store, and how far they may go. */
#define STEPS_MAX 256
#define REACH 512

/* What a thread would do is tried on a copy of its general registers. */
#define GENERAL_MAX 512
#define TRIED_MAX 32

static tl_size general_size(const struct tl_cpu *cpu)
{
	tl_size size = 0;

	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		tl_size end = (tl_size)cpu->registers[i].offset + (tl_size)(cpu->registers[i].bits + 7) / 8;

		if (cpu->registers[i].bank == TL_BANK_GENERAL && end > size)
			size = end;
	}
	return size;
}

static enum tl_status no_write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context;
	(void)address;
	(void)buffer;
	(void)size;
	return TL_ERROR_MEMORY;
}

/*
 * Whether the thread, let go from here, would come to a store, rather than leave the sequence, as where a lock is found
 * taken. Who leaves needs nobody to be held, and whoever has the lock must be let run. Where it cannot be told: yes.
 */
static bool comes_to_store(struct tl_engine *engine, struct thread *thread)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct pass_access access = {engine, thread->process};
	struct tl_memory_access memory = tl_pass_memory(&access);
	tl_size size = general_size(cpu);
	tl_u8 file[GENERAL_MAX];

	memory.write = no_write;
	if (size > sizeof(file) || tl_engine_fetch(engine, thread, 1) != TL_OK)
		return true;
	tl_copy(file, thread->file, size);
	for (unsigned n = 0; n < TRIED_MAX; n++) {
		struct tl_instruction instruction;
		tl_u8 bytes[TL_INSTRUCTION_MAX];
		tl_size got = tl_engine_read_code(engine, thread->process, tl_cpu_get(cpu, file, cpu->program_counter),
						  bytes);

		if (cpu->decode(bytes, got, &instruction) != TL_OK)
			return true;
		/* A load: another sequence, or this one from its start. */
		if (instruction.flow == TL_FLOW_SPECIAL)
			return false;
		/* The store; or what only the machine can do. */
		if (!instruction.carried_out || cpu->carry_out(file, bytes, got, &memory) != TL_OK)
			return instruction.flow == TL_FLOW_NEXT;
	}
	return false;
}

bool tl_sequence_wants(struct tl_engine *engine, struct thread *thread, tl_u64 address)
{
	const tl_u32 needed = TL_CAN_CARRY_OUT | TL_CAN_PLANT;
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct pass_access access = {engine, thread->process};
	struct engine_point *point = tl_points_find(thread->process->space, address, KINDS_CODE);

	if (point == NULL || cpu->in_sequence == NULL || (engine->capabilities & needed) != needed)
		return false;
	if (!point->sequence_known) {
		struct tl_memory_access memory = tl_pass_memory(&access);

		point->sequence_known = true;
		point->in_sequence = cpu->in_sequence(address, &memory);
	}
	return point->in_sequence && comes_to_store(engine, thread);
}

/* A point under the thread: whether its hit is to be told. */
static bool tells(struct tl_engine *engine, struct thread *thread, tl_u64 at)
{
	struct engine_point *point = tl_points_find(thread->process->space, at, KINDS_CODE);
	struct tl_report report = {.event = {.kind = TL_EVENT_TRAP, .thread = thread->id, .address = at}};

	if (point == NULL || (thread->dealt && thread->dealt_address == at))
		return false;
	report.point = point->kind;
	if (point->kind == TL_POINT_HARDWARE)
		report.event.kind = TL_EVENT_HARDWARE_BREAKPOINT;
	if (tl_points_stop(engine, thread, point, &report)) {
		tl_run_report(engine, thread, &report);
		return true;
	}
	thread->dealt = true;
	thread->dealt_address = at;
	return false;
}

/* One instruction; TL_SEQUENCE_TOLD stands for "done, and on". */
static enum tl_sequence_end carry_out(struct tl_engine *engine, struct thread *thread, tl_u64 at)
{
	const struct tl_cpu *cpu = thread->process->facts.cpu;
	struct pass_access access = {engine, thread->process};
	struct tl_memory_access memory = tl_pass_memory(&access);
	struct tl_instruction instruction;
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_size size = tl_engine_read_code(engine, thread->process, at, bytes);
	enum tl_status status;

	if (tl_engine_fetch(engine, thread, 1) != TL_OK)
		return TL_SEQUENCE_OVER;
	status = cpu->carry_out_exclusive(thread->file, bytes, size, &memory, &thread->reservation);
	if (status == TL_ERROR_INSTRUCTION) {
		if (cpu->decode(bytes, size, &instruction) != TL_OK)
			return TL_SEQUENCE_OVER;
		if (instruction.carried_out)
			status = cpu->carry_out(thread->file, bytes, size, &memory);
		else if (instruction.flow == TL_FLOW_NEXT)
			return TL_SEQUENCE_STEP;
	}
	if (status != TL_OK)
		return TL_SEQUENCE_OVER;
	thread->dirty |= 1;
	thread->dealt = false;
	return thread->reservation.stored ? TL_SEQUENCE_OVER : TL_SEQUENCE_TOLD;
}

enum tl_sequence_end tl_sequence_run(struct tl_engine *engine, struct thread *thread)
{
	tl_u64 at = 0;

	/* Steps of the machine are counted with the others: who waits for somebody that is held would never end. */
	while (thread->sequence_steps++ < STEPS_MAX) {
		enum tl_sequence_end end;

		if (tl_engine_program_counter(engine, thread, &at) != TL_OK ||
		    at - thread->sequence_from + REACH > 2 * REACH)
			return TL_SEQUENCE_OVER;
		if (tells(engine, thread, at))
			return TL_SEQUENCE_TOLD;
		end = carry_out(engine, thread, at);
		if (end != TL_SEQUENCE_TOLD)
			return end;
	}
	return TL_SEQUENCE_OVER;
}

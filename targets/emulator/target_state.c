/* Registers and memory of the machine, for the engine. */
#include "core/cpu/riscv_layout.h"
#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/target_internal.h"

#include <stdio.h>
#include <string.h>

#define CONTROL_DWARF 4096

/* ---- Registers ---- */

/* The hart of an operation that wants it to stand. */
static enum tl_status standing(struct tl_emulator *emulator, struct tl_thread_id thread, struct tl_hart **hart_ret)
{
	if (!emulator->adopted || thread.process != TL_EMULATOR_PROCESS || thread.thread == 0 ||
	    thread.thread > tl_emulator_hart_count(emulator))
		return TL_ERROR_GONE;
	if (emulator->harts[thread.thread - 1].task != TL_HART_STANDS)
		return TL_ERROR_RUNNING;
	*hart_ret = &emulator->computer.harts[thread.thread - 1];
	return TL_OK;
}

/* What a register of the table shows of a hart. */
static tl_u64 get(const struct tl_hart *hart, tl_u16 index)
{
	tl_u64 value = 0;

	if (index < 32)
		return hart->x[index];
	if (index == TL_RISCV_REGISTER_PC)
		return hart->pc;
	if (index >= TL_RISCV_REGISTER_FT0 && index <= TL_RISCV_REGISTER_FT11)
		return hart->f[index - TL_RISCV_REGISTER_FT0];
	if (index == TL_RISCV_REGISTER_PRIV)
		return hart->privilege;
	(void)tl_control_get(hart, (tl_u32)tl_cpu_riscv64.registers[index].dwarf - CONTROL_DWARF, &value);
	return value;
}

/* The number that the machine's log of inputs has for it. */
static tl_u64 input_number(tl_u16 index)
{
	if (index < 32)
		return index;
	if (index == TL_RISCV_REGISTER_PC)
		return TL_COMPUTER_REGISTER_PC;
	if (index >= TL_RISCV_REGISTER_FT0 && index <= TL_RISCV_REGISTER_FT11)
		return TL_COMPUTER_REGISTER_F + (tl_u64)(index - TL_RISCV_REGISTER_FT0);
	if (index == TL_RISCV_REGISTER_PRIV)
		return TL_COMPUTER_REGISTER_PRIVILEGE;
	return TL_COMPUTER_REGISTER_CSR + (tl_u64)(tl_cpu_riscv64.registers[index].dwarf - CONTROL_DWARF);
}

struct transfer {
	tl_u32 hart;
	tl_u8 bank;
	tl_u8 *to;
	const tl_u8 *from;
};

static void fetch(struct tl_emulator *emulator, void *context)
{
	struct transfer *transfer = context;
	const struct tl_hart *hart = &emulator->computer.harts[transfer->hart];

	for (tl_u16 i = 0; i < tl_cpu_riscv64.register_count; i++)
		if (tl_cpu_riscv64.registers[i].bank == transfer->bank)
			tl_cpu_set(&tl_cpu_riscv64, transfer->to, i, get(hart, i));
}

/* Only what has changed is written: writes are input to the machine, and some registers are parts of others. */
static void store(struct tl_emulator *emulator, void *context)
{
	struct transfer *transfer = context;
	const struct tl_hart *hart = &emulator->computer.harts[transfer->hart];
	tl_u8 bytes[8];
	struct tl_input input = {
		.kind = TL_INPUT_REGISTER, .hart = transfer->hart, .bytes = bytes, .size = sizeof(bytes)};

	for (tl_u16 i = 0; i < tl_cpu_riscv64.register_count; i++) {
		tl_u64 value;

		if (tl_cpu_riscv64.registers[i].bank != transfer->bank)
			continue;
		value = tl_cpu_get(&tl_cpu_riscv64, transfer->from, i);
		if (value == get(hart, i))
			continue;
		tl_store_little(bytes, value, 8);
		input.number = input_number(i);
		(void)tl_emulator_input(emulator, &input);
	}
}

enum tl_status tl_emulator_fetch_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					   tl_u8 *file)
{
	struct transfer transfer = {.hart = (tl_u32)thread.thread - 1, .bank = bank, .to = file};
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct tl_hart *hart;

	TL_TRY(standing(emulator, thread, &hart));
	tl_emulator_perform(emulator, fetch, &transfer);
	return TL_OK;
}

enum tl_status tl_emulator_store_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					   const tl_u8 *file)
{
	struct transfer transfer = {.hart = (tl_u32)thread.thread - 1, .bank = bank, .from = file};
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct tl_hart *hart;

	TL_TRY(standing(emulator, thread, &hart));
	tl_emulator_perform(emulator, store, &transfer);
	return TL_OK;
}

enum tl_status tl_emulator_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread,
						 tl_u64 *value_ret)
{
	struct tl_hart *hart;

	TL_TRY(standing(tl_emulator_of(target), thread, &hart));
	/* A hart that stands is not touched by the machine's thread. */
	*value_ret = hart->pc;
	return TL_OK;
}

/* ---- Memory ---- */

/* Where the byte at an address is in physical memory, and how many follow it there on its page. */
static bool place(const struct tl_emulator *emulator, const struct tl_hart *hart, tl_u64 address, tl_u64 size,
		  tl_u64 *physical_ret, tl_u64 *part_ret)
{
	tl_u64 left = TL_PAGE_SIZE - (address & (TL_PAGE_SIZE - 1));

	*part_ret = size < left ? size : left;
	*physical_ret = address;
	return emulator->physical || tl_paging_look(hart, address, physical_ret);
}

tl_size tl_emulator_look(struct tl_emulator *emulator, const struct tl_hart *hart, tl_u64 address, void *buffer,
			 tl_size size)
{
	tl_u64 physical, part;
	const tl_u8 *bytes;
	tl_size done = 0;

	while (done < size && place(emulator, hart, address + done, size - done, &physical, &part)) {
		bytes = tl_computer_look(&emulator->computer, physical, part);
		if (bytes == NULL)
			break;
		tl_copy((tl_u8 *)buffer + done, bytes, part);
		done += part;
	}
	return done;
}

struct move {
	tl_u64 address;
	void *to;
	const tl_u8 *from;
	tl_size size, done;
};

static void read_bytes(struct tl_emulator *emulator, void *context)
{
	struct move *move = context;

	move->done = tl_emulator_look(emulator, &emulator->computer.harts[emulator->eye], move->address, move->to,
				      move->size);
}

static void write_bytes(struct tl_emulator *emulator, void *context)
{
	const struct tl_hart *hart = &emulator->computer.harts[emulator->eye];
	struct tl_input input = {.kind = TL_INPUT_MEMORY};
	struct move *move = context;
	tl_u64 part;

	while (move->done < move->size &&
	       place(emulator, hart, move->address + move->done, move->size - move->done, &input.number, &part)) {
		input.bytes = move->from + move->done;
		input.size = part;
		if (tl_emulator_input(emulator, &input) != part)
			break;
		move->done += part;
	}
}

static enum tl_status move_memory(struct tl_target *target, tl_u64 process, struct move *move,
				  void (*call)(struct tl_emulator *, void *), tl_size *done_ret)
{
	struct tl_emulator *emulator = tl_emulator_of(target);

	*done_ret = 0;
	if (!emulator->adopted || process != TL_EMULATOR_PROCESS)
		return TL_ERROR_GONE;
	tl_emulator_perform(emulator, call, move);
	*done_ret = move->done;
	return move->done != 0 || move->size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

enum tl_status tl_emulator_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				       tl_size size, tl_size *done_ret)
{
	struct move move = {.address = address, .to = buffer, .size = size};

	return move_memory(target, process, &move, read_bytes, done_ret);
}

enum tl_status tl_emulator_write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
					tl_size size, tl_size *done_ret)
{
	struct move move = {.address = address, .from = buffer, .size = size};

	return move_memory(target, process, &move, write_bytes, done_ret);
}

/* ---- Objects and regions ---- */

/* With what it is doing, as far as it stands: what runs is not looked at. */
static void name_hart(const struct tl_emulator *emulator, struct tl_thread_id thread, char *text, tl_size size)
{
	static const char *const modes[] = {"user", "supervisor", "?", "machine"};
	tl_u64 number = thread.thread - 1;
	const struct tl_hart *hart;

	if (number >= tl_emulator_hart_count(emulator) || emulator->harts[number].task != TL_HART_STANDS) {
		snprintf(text, size, "hart %llu", (unsigned long long)number);
		return;
	}
	hart = &emulator->computer.harts[number];
	snprintf(text, size, "hart %llu, %s%s", (unsigned long long)number, modes[hart->privilege & 3],
		 hart->waiting ? ", waits" : "");
}

enum tl_status tl_emulator_read_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				       tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	const struct tl_emulator *emulator = tl_emulator_of(target);
	char text[64];
	const char *from = text;

	*done_ret = 0;
	if (!emulator->adopted || thread.process != TL_EMULATOR_PROCESS)
		return TL_ERROR_GONE;
	switch (object) {
	case TL_OBJECT_THREAD_NAME:
		name_hart(emulator, thread, text, sizeof(text));
		break;
	case TL_OBJECT_THREAD_CORE:
		snprintf(text, sizeof(text), "%llu", (unsigned long long)thread.thread - 1);
		break;
	case TL_OBJECT_EXEC_FILE:
		if (emulator->program == NULL)
			return TL_ERROR_UNSUPPORTED;
		from = emulator->program;
		break;
	case TL_OBJECT_AUXV:
	case TL_OBJECT_SIGINFO:
	case TL_OBJECT_MEMORY_MAP:
	case TL_OBJECT_THREAD_POINTER:
	case TL_OBJECT_COMMAND_LINE:
	case TL_OBJECT_TEXT_ADDRESS:
	case TL_OBJECT_MAX:
		return TL_ERROR_UNSUPPORTED;
	}
	return tl_target_part(from, strlen(from), offset, buffer, size, done_ret);
}

void tl_emulator_look_through(struct tl_target *target, struct tl_thread_id thread)
{
	struct tl_emulator *emulator = tl_emulator_of(target);

	if (!emulator->eye_fixed && thread.process == TL_EMULATOR_PROCESS && thread.thread != 0 &&
	    thread.thread <= tl_emulator_hart_count(emulator))
		emulator->eye = (tl_u32)thread.thread - 1;
}

struct question {
	tl_u64 address;
	struct tl_memory_region *region;
};

/* Physical addresses: the board says it all. */
static void physical_region(const struct tl_emulator *emulator, const struct question *question)
{
	const struct tl_bus *bus = &emulator->computer.board.bus;
	struct tl_memory_region *region = question->region;
	tl_u64 end = 0;

	for (tl_u32 i = 0; i < bus->count; i++) {
		const struct tl_bus_region *found = &bus->regions[i];

		if (question->address < found->start) {
			end = found->start;
			break;
		}
		if (question->address - found->start < found->size) {
			region->start = found->start;
			region->size = found->size;
			region->mapped = region->readable = true;
			region->writable = !found->read_only;
			region->executable = found->memory != NULL;
			region->left_out = found->memory == NULL;
			snprintf(region->name, sizeof(region->name), "%s", found->name);
			return;
		}
		region->start = found->start + found->size;
	}
	region->size = end - region->start;
}

/* Virtual ones: as far as pages that are mapped, or that are not, follow each other, within bounds. */
static void find_region(struct tl_emulator *emulator, void *context)
{
	struct question *question = context;
	const struct tl_hart *hart = &emulator->computer.harts[emulator->eye];
	struct tl_memory_region *region = question->region;
	tl_u64 page = question->address & ~(TL_PAGE_SIZE - 1), physical;

	if (emulator->physical || !tl_paging_is_on(hart, TL_MEMORY_LOAD)) {
		physical_region(emulator, question);
		return;
	}
	region->start = page;
	region->mapped = tl_paging_look(hart, page, &physical);
	region->readable = region->writable = region->executable = region->mapped;
	do {
		page += TL_PAGE_SIZE;
	} while (page != 0 && page - region->start < ((tl_u64)64 << 20) &&
		 tl_paging_look(hart, page, &physical) == region->mapped);
	region->size = page - region->start;
}

enum tl_status tl_emulator_memory_region(struct tl_target *target, tl_u64 process, tl_u64 address,
					 struct tl_memory_region *region_ret)
{
	struct tl_emulator *emulator = tl_emulator_of(target);
	struct question question = {address, region_ret};

	if (!emulator->adopted || process != TL_EMULATOR_PROCESS)
		return TL_ERROR_GONE;
	*region_ret = (struct tl_memory_region){0};
	tl_emulator_perform(emulator, find_region, &question);
	return TL_OK;
}

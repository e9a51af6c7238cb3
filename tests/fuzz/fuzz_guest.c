/*
 * A hart under a guest that does anything: random instructions in all modes, page tables, physical memory protection
 * and handlers of garbage. The interpreter and the translator each have the same machine, are stopped after the same
 * numbers of instructions, and must be the same there, register for register and byte for byte of memory.
 */
#include "core/cpu/riscv_opcodes.h"
#include "core/cursor.h"
#include "machine/finisher.h"
#include "machine/uart.h"
#include "targets/emulator/control.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/translator.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_START 0x80000000ull
#define MEMORY_SIZE 0x40000u
#define HANDLER 0x800u  /* from the start of memory, as are those below */
#define CODE 0x1000u    /* where the hart begins */
#define TABLES 0x10000u /* eight pages of page tables: the root is the first */
#define TABLE_COUNT 8u
#define UART 0x10000000ull
#define FINISHER 0x100000ull

#define SLICES_MAX 64
#define SLICE_MAX 256u
#define TOTAL_MAX 6000
#define CRAMPED 20000 /* bytes for code: some blocks of it, and all are thrown away */

struct input {
	const uint8_t *bytes;
	size_t size;
};

struct machine {
	struct tl_bus bus;
	struct tl_hart hart;
	struct tl_uart uart;
	struct tl_finisher finisher;
	tl_u8 memory[MEMORY_SIZE];
	tl_u64 sent;
};

/* What happens to both while they run. */
struct plan {
	tl_u32 code_end;
	struct {
		tl_u16 count;
		tl_u16 lines;
	} slices[SLICES_MAX];
	tl_u32 slice_count;
	tl_u8 heat;
	bool cramped;
};

static struct machine machines[2];

static const struct {
	tl_u32 match, mask;
} rows[] = {
#define ROW(id, name, match, mask, format) {match, mask},
	TL_RISCV_OPCODES(ROW)
#undef ROW
};

static const tl_u16 registers[] = {0x100, 0x104, 0x105, 0x106, 0x10a, 0x140, 0x141, 0x142, 0x143, 0x144, 0x14d,
				   0x180, 0x300, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x320, 0x340, 0x341,
				   0x344, 0x3a0, 0x3a2, 0x3b0, 0x3b1, 0x3b2, 0x3b3, 0xb00, 0xb02, 0x003};

static tl_u64 take(struct input *input, size_t size)
{
	tl_u64 value;

	size = size < input->size ? size : input->size;
	value = tl_load_little(input->bytes, size);
	input->bytes += size;
	input->size -= size;
	return value;
}

static void send(void *context, tl_u8 byte)
{
	struct machine *machine = context;

	machine->sent = (machine->sent ^ byte) * 0x100000001b3u;
}

static void put(tl_u32 at, tl_u64 value, tl_u32 size)
{
	if (at <= MEMORY_SIZE - size)
		tl_store_little(machines[0].memory + at, value, size);
}

/* Addresses that lead somewhere, and those that lead nowhere; the input says which, and adds what it likes. */
static tl_u64 address(struct input *input)
{
	static const tl_u64 bases[] = {MEMORY_START,
				       MEMORY_START + CODE,
				       MEMORY_START + TABLES,
				       MEMORY_START + 0x20000,
				       MEMORY_START + MEMORY_SIZE - 0x800,
				       0x1000,
				       0x40000000,
				       0xc0000000,
				       0xc0001000,
				       UART,
				       FINISHER,
				       0xffffffc000000000,
				       0xffff800000000000,
				       0x3fffffff000,
				       0,
				       0xfffffffffffff000};
	tl_u64 how = take(input, 1);

	return bases[how & 15] + ((how & 16) != 0 ? take(input, 2) : take(input, 1));
}

static tl_u64 value(struct input *input)
{
	tl_u64 how = take(input, 1);

	switch (how & 7) {
	case 0:
		return how >> 3;
	case 1:
		return (tl_u64)0 - (how >> 3);
	case 2:
		return (tl_u64)1 << (how >> 3) << (take(input, 1) & 31);
	case 3:
		return take(input, 8);
	case 4:
		return take(input, 4);
	default:
		return address(input);
	}
}

/* A word that is an instruction, or nearly one. */
static void write_code(struct plan *plan, struct input *input)
{
	tl_u64 row = take(input, 1);
	tl_u32 word = (tl_u32)take(input, 4);

	if (row < TL_COUNT(rows))
		word = rows[row].match | (word & ~rows[row].mask);
	put(plan->code_end, word, 4);
	plan->code_end += row == 0xff || (word & 3) != 3 ? 2 : 4;
}

/* An instruction on an address that leads somewhere: `ld`, `sd` and the like behind `li`, which is a load near pc. */
static void write_access(struct plan *plan, struct input *input)
{
	tl_u64 how = take(input, 1), target = address(input);
	tl_u32 rd = (tl_u32)how & 31, at = plan->code_end;

	/* auipc rd, 0; ld rd, 12(rd); j over; the number; so that no register has to be known. */
	put(at, rd << 7 | 0x17, 4);
	put(at + 4, 16u << 20 | rd << 15 | 3u << 12 | rd << 7 | 0x03, 4);
	put(at + 8, 16u << 20 | 0x6f, 4);
	put(at + 16, target, 8);
	plan->code_end += 24;
	if ((how & 0x20) != 0) { /* jalr */
		put(plan->code_end, rd << 15 | 0x67, 4);
		plan->code_end += 4;
		return;
	}
	for (tl_u64 i = 0; i <= how >> 6; i++) {
		tl_u64 row = take(input, 1) % TL_COUNT(rows);
		tl_u32 word = (rows[row].match | ((tl_u32)take(input, 4) & ~rows[row].mask)) & ~(31u << 15);

		put(plan->code_end, word | rd << 15, 4);
		plan->code_end += 4;
	}
}

/* Entries that lead to tables and pages more often than not. */
static void write_entry(struct input *input)
{
	tl_u64 how = take(input, 1), where = take(input, 1), flags = take(input, 1), number = take(input, 1);
	static const tl_u16 indices[] = {0, 1, 2, 3, 4, 8, 255, 256, 257, 384, 511, 128, 5, 6, 7, 16};
	tl_u32 table = (tl_u32)how & (TABLE_COUNT - 1);
	tl_u64 page = (MEMORY_START >> 12) + number % (MEMORY_SIZE >> 12);

	if ((how & 0x80) != 0)
		page = take(input, 6);
	else if ((how & 0x40) != 0)
		page = (MEMORY_START + TABLES) >> 12 | (number & (TABLE_COUNT - 1));
	else if ((how & 0x20) != 0)
		page = (number & 1) != 0 ? MEMORY_START >> 12 : (number & 2) != 0 ? UART >> 12 : 0;
	put(TABLES + table * 4096 + 8u * indices[where & 15], page << 10 | flags | (where & 0x30) << 4, 8);
}

static void set_control(struct input *input)
{
	tl_u16 number = registers[take(input, 1) % TL_COUNT(registers)];

	(void)tl_control_put(&machines[0].hart, number, value(input));
}

static void add_slice(struct plan *plan, struct input *input)
{
	tl_u64 count = take(input, 1), lines = take(input, 2);

	if (plan->slice_count == SLICES_MAX)
		return;
	plan->slices[plan->slice_count].count = (tl_u16)(count == 0xff ? SLICE_MAX : count + 1);
	plan->slices[plan->slice_count++].lines = (tl_u16)lines & 0x0aaa;
}

static void step(struct plan *plan, struct input *input)
{
	tl_u64 what = take(input, 1);
	struct tl_hart *hart = &machines[0].hart;
	tl_u32 at;

	switch (what & 15) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		for (tl_u64 i = 0; i <= what >> 6; i++)
			write_code(plan, input);
		break;
	case 5:
	case 6:
	case 7:
		write_access(plan, input);
		break;
	case 8:
		at = (tl_u32)take(input, 3) % MEMORY_SIZE;
		put(at, value(input), 1u << (what >> 4 & 3));
		break;
	case 9:
	case 10:
		write_entry(input);
		break;
	case 11:
	case 12:
		set_control(input);
		break;
	case 13:
		add_slice(plan, input);
		break;
	case 14:
		hart->f[take(input, 1) & 31] = value(input) | ((what & 0x80) != 0 ? 0xffffffff00000000 : 0);
		break;
	default:
		at = (tl_u32)take(input, 1) & 31;
		hart->x[at] = at != 0 ? value(input) : 0;
		break;
	}
}

/* Skips what trapped. */
static void write_handler(void)
{
	static const tl_u32 code[] = {
		0x34011173, /* csrrw sp, mscratch, sp */
		0x34102173, /* csrr sp, mepc */
		0x00410113, /* addi sp, sp, 4 */
		0x34111073, /* csrw mepc, sp */
		0x34011173, /* csrrw sp, mscratch, sp: all that is lost is mscratch */
		0x30200073, /* mret */
	};

	for (tl_u32 i = 0; i < TL_COUNT(code); i++)
		put(HANDLER + 4 * i, code[i], 4);
}

static bool connect_bus(struct machine *machine)
{
	machine->bus = (struct tl_bus){0};
	machine->uart = (struct tl_uart){.send = send, .context = machine};
	machine->finisher = (struct tl_finisher){0};
	machine->sent = 0;
	return tl_bus_add_memory(&machine->bus, "memory", MEMORY_START, MEMORY_SIZE, machine->memory, false) == TL_OK &&
	       tl_bus_add_device(&machine->bus, "uart", UART, TL_UART_SIZE, &tl_uart_operations, &machine->uart) ==
		       TL_OK &&
	       tl_bus_add_device(&machine->bus, "finisher", FINISHER, TL_FINISHER_SIZE, &tl_finisher_operations,
				 &machine->finisher) == TL_OK;
}

/* Both machines as the input wants them. */
static void begin(struct plan *plan, struct input *input)
{
	static const tl_u8 privileges[] = {TL_PRIVILEGE_MACHINE, TL_PRIVILEGE_SUPERVISOR, TL_PRIVILEGE_USER,
					   TL_PRIVILEGE_SUPERVISOR};
	struct tl_hart *hart = &machines[0].hart;
	tl_u64 how = take(input, 1);

	if (!connect_bus(&machines[0]) || !connect_bus(&machines[1]))
		abort();
	memset(machines[0].memory, 0, MEMORY_SIZE);
	tl_hart_reset(hart, 0, MEMORY_START + CODE, &machines[0].bus);
	write_handler();
	(void)tl_control_put(hart, 0x300, TL_STATUS_FS | TL_STATUS_MPIE);
	(void)tl_control_put(hart, 0x305, MEMORY_START + HANDLER);
	(void)tl_control_put(hart, 0x3b0, TL_U64_MAX); /* all of memory, for everybody */
	(void)tl_control_put(hart, 0x3a0, 0x1f);
	(void)tl_control_put(hart, 0x306, 7);
	if ((how & 4) != 0)
		(void)tl_control_put(hart, 0x180,
				     (tl_u64)((how & 8) != 0 ? 9 : 8) << 60 | (MEMORY_START + TABLES) >> 12);
	plan->heat = (how & 16) != 0 ? 2 : 0;
	plan->cramped = (how & 32) != 0;
	hart->privilege = privileges[how & 3];
	while (input->size != 0)
		step(plan, input);
	tl_paging_update(hart);
	tl_paging_flush(hart);
	memcpy(machines[1].memory, machines[0].memory, MEMORY_SIZE);
	machines[1].hart = machines[0].hart;
	machines[1].hart.bus = &machines[1].bus;
}

static void check(bool good, const char *what)
{
	const struct tl_hart *a = &machines[0].hart, *b = &machines[1].hart;

	if (good)
		return;
	fprintf(stderr, "not the same: %s; pc %llx, translated %llx; retired %llu, %llu\n", what,
		(unsigned long long)a->pc, (unsigned long long)b->pc, (unsigned long long)a->retired,
		(unsigned long long)b->retired);
	for (int i = 0; i < 32; i++)
		if (a->x[i] != b->x[i] || a->f[i] != b->f[i])
			fprintf(stderr, "x%d %llx, %llx; f%d %llx, %llx\n", i, (unsigned long long)a->x[i],
				(unsigned long long)b->x[i], i, (unsigned long long)a->f[i],
				(unsigned long long)b->f[i]);
	abort();
}

static void compare(tl_u64 begun, tl_u64 translated, tl_u64 count)
{
	const struct tl_hart *a = &machines[0].hart, *b = &machines[1].hart;

	check(begun <= count, "more were begun than there was room for");
	check(begun == translated, "the count");
	machines[1].hart.look_for_interrupt = a->look_for_interrupt; /* every run begins with looking */
	check(memcmp(a, b, __builtin_offsetof(struct tl_hart, first_writes)) == 0, "the hart");
	check(a->halt == b->halt, "the halt");
	check(memcmp(machines[0].memory, machines[1].memory, MEMORY_SIZE) == 0, "memory");
	check(machines[0].sent == machines[1].sent && machines[0].finisher.finish == machines[1].finisher.finish &&
		      machines[0].uart.count == machines[1].uart.count,
	      "devices");
	check(a->x[0] == 0 && (a->pc & 1) == 0 && a->privilege <= TL_PRIVILEGE_MACHINE && a->privilege != 2,
	      "no state of a hart");
}

static void run_slice(struct tl_translator *translator, tl_u64 count, tl_u64 lines)
{
	tl_u64 begun, translated;

	for (int i = 0; i < 2; i++)
		machines[i].hart.lines = lines;
	begun = tl_interpreter_run(&machines[0].hart, count);
	translated = tl_translator_run(translator, &machines[1].hart, count);
	compare(begun, translated, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct tl_translator *translator = NULL;
	struct input input = {bytes, size};
	struct plan plan = {.code_end = CODE};
	struct tl_error error;

	begin(&plan, &input);
	if (tl_translator_create(&translator, &error) != TL_OK)
		return 0; /* a host that has none */
	tl_translator_set_heat(translator, plan.heat);
	if (plan.cramped)
		tl_translator_set_room(translator, CRAMPED);
	for (tl_u32 i = 0; i < plan.slice_count; i++)
		run_slice(translator, plan.slices[i].count, plan.slices[i].lines);
	for (tl_u64 done = 0; done < TOTAL_MAX && !machines[0].hart.waiting; done += 1500)
		run_slice(translator, 1500, machines[0].hart.lines);
	tl_translator_destroy(translator);
	return 0;
}

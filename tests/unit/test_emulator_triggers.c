/*
 * The triggers that a guest sets for itself, beside the debugger's points; in the interpreter, and, with TRANSLATED, in
 * the translator.
 */
#include "base/storage.h"
#include "core/cursor.h"
#include "targets/emulator/control.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"
#include "targets/emulator/triggers.h"
#include "tests/unit/test.h"

#define START 0x80000000ull
#define SIZE 0x100000ull
#define DATA (START + 0x8000)
#define HANDLER (START + 0x400)

static tl_u8 memory[SIZE];
static struct tl_bus bus;
static struct tl_hart hart;
static struct tl_emulator_points points;

#define ADDI(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(rd) << 7 | 0x13u)
#define LOAD(width, rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(width) << 12 | (tl_u32)(rd) << 7 | 3u)
#define STORE(width, rs2, rs, n)                                                                                       \
	((tl_u32)((n) >> 5) << 25 | (tl_u32)(rs2) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(width) << 12 |                 \
	 (tl_u32)((n)&31) << 7 | 0x23u)
#define ATOMIC_D(what, rd, rs2, rs)                                                                                    \
	((tl_u32)(what) << 27 | (tl_u32)(rs2) << 20 | (tl_u32)(rs) << 15 | 3u << 12 | (tl_u32)(rd) << 7 | 0x2fu)
#define AMOADD 0
#define LR 2
#define SC 3
#define CSRW(number, rs) ((tl_u32)(number) << 20 | (tl_u32)(rs) << 15 | 0x1073u)
#define MRET 0x30200073u
#define JUMP_HERE 0x0000006fu
#define JUMP_BACK_12 0xff5ff06fu

/* tdata1. */
#define MCONTROL ((tl_u64)2 << 60 | (tl_u64)63 << 53)
#define MCONTROL6 ((tl_u64)6 << 60)
#define ICOUNT ((tl_u64)3 << 60)
#define COUNT_OF(n) ((tl_u64)(n) << 10)
#define COUNT_USER ((tl_u64)1 << 6)
#define COUNT_MACHINE ((tl_u64)1 << 9)
#define COUNT_PENDING ((tl_u64)1 << 8)
#define COUNT_HIT ((tl_u64)1 << 24)
#define ECALL 0x73u
#define DISABLED ((tl_u64)15 << 60)
#define ANY_MODE (1u << 6 | 1u << 4 | 1u << 3)
#define SUPERVISOR (1u << 4)
#define USER (1u << 3)
#define MATCH(n) ((tl_u64)(n) << 7)
#define CHAIN ((tl_u64)1 << 11)
#define SIZE_OF(n) ((tl_u64)(n) << 16)
#define HIT6 ((tl_u64)1 << 22)

#ifdef TRANSLATED
static struct tl_translator *translator;

static tl_u64 run(tl_u64 count)
{
	return tl_translator_run(translator, &hart, count);
}

static void begin_translator(void)
{
	if (translator == NULL)
		REQUIRE(tl_translator_create(&translator, NULL) == TL_OK);
	tl_translator_set_heat(translator, 0);
	tl_translator_memory_changed(translator, START, SIZE);
}
#else
static tl_u64 run(tl_u64 count)
{
	return tl_interpreter_run(&hart, count);
}

static void begin_translator(void) {}
#endif

static void begin(const tl_u32 *code, tl_size count)
{
	begin_translator();
	memset(memory, 0, sizeof(memory));
	memset(&bus, 0, sizeof(bus));
	CHECK(tl_bus_add_memory(&bus, "memory", START, SIZE, memory, false) == TL_OK);
	for (tl_size i = 0; i < count; i++)
		tl_store_little(memory + 4 * i, code[i], 4);
	tl_store_little(memory + (HANDLER - START), JUMP_HERE, 4);
	tl_hart_reset(&hart, 0, START, &bus);
	tl_points_init(&points, tl_storage());
	hart.points = &points;
	hart.x[8] = DATA;
	hart.mtvec = HANDLER;
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TCONTROL, TL_TRIGGERS_ON));
}

static tl_u64 get(tl_u32 number)
{
	tl_u64 value = 0;

	CHECK(tl_control_get(&hart, number, &value));
	return value;
}

static void set(tl_u32 index, tl_u64 data, tl_u64 address)
{
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TSELECT, index));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, DISABLED));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA2, address));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, data));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), data);
}

/* A run ended in a trap of a trigger, at an instruction, for an address; one that did not, at the last address. */
#define CHECK_FIRED(at, value)                                                                                         \
	do {                                                                                                           \
		CHECK_EQUAL(hart.pc, HANDLER);                                                                         \
		CHECK_EQUAL(hart.mcause, TL_CAUSE_BREAKPOINT);                                                         \
		CHECK_EQUAL(hart.mepc, at);                                                                            \
		CHECK_EQUAL(hart.mtval, value);                                                                        \
	} while (0)

TEST(registers_keep_what_is_legal)
{
	begin(NULL, 0);
	/* As the manual would have software find them. */
	for (tl_u64 i = 0; i < TL_TRIGGERS; i++) {
		CHECK(tl_control_put(&hart, TL_RISCV_CSR_TSELECT, i));
		CHECK_EQUAL(get(TL_RISCV_CSR_TSELECT), i);
		CHECK_EQUAL(get(TL_RISCV_CSR_TINFO), 0x0100804c);
		CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), DISABLED);
	}
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TSELECT, TL_TRIGGERS));
	CHECK_EQUAL(get(TL_RISCV_CSR_TSELECT), TL_TRIGGERS - 1);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TSELECT, TL_U64_MAX));
	CHECK_EQUAL(get(TL_RISCV_CSR_TSELECT), TL_TRIGGERS - 1);
	/* The last one has none to chain with; no debug mode owns any, and none is entered. */
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, TL_U64_MAX));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), DISABLED);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, MCONTROL6 | (((tl_u64)1 << 60) - 1)));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL6 | HIT6 | ANY_MODE | 7);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, (tl_u64)2 << 60 | 7 | MATCH(1) | SIZE_OF(1)));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL | 7 | MATCH(1) | SIZE_OF(1));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, 0));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), DISABLED);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, (tl_u64)4 << 60)); /* there are none on interrupts */
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), DISABLED);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, ICOUNT | (((tl_u64)1 << 60) - 1)));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), ICOUNT | 0x1ffffc0);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, MCONTROL6 | 7 | MATCH(6)));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL6 | 7);
	/* The largest range. */
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA1, MCONTROL6 | MATCH(1)));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA2, TL_U64_MAX));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA2), ~((tl_u64)1 << 62));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA3, 5));
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA3), 0);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TCONTROL, TL_U64_MAX));
	CHECK_EQUAL(get(TL_RISCV_CSR_TCONTROL), 0x88);
}

TEST(only_machine_mode_has_the_registers)
{
	tl_u64 old;

	begin(NULL, 0);
	hart.privilege = TL_PRIVILEGE_SUPERVISOR;
	CHECK(!tl_control_exchange(&hart, TL_RISCV_CSR_TSELECT, TL_CONTROL_READ, 0, &old));
	CHECK(!tl_control_exchange(&hart, TL_RISCV_CSR_TDATA1, TL_CONTROL_WRITE, 0, &old));
	hart.privilege = TL_PRIVILEGE_MACHINE;
	CHECK(tl_control_exchange(&hart, TL_RISCV_CSR_TDATA1, TL_CONTROL_WRITE, MCONTROL6 | 7, &old));
	CHECK_EQUAL(old, DISABLED);
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL6 | 7);
}

TEST(execution_traps_before_the_instruction)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_12};

	begin(code, TL_COUNT(code));
	CHECK_EQUAL(run(40001), 40001); /* it is hot */
	CHECK_EQUAL(hart.x[5], 30001);
	set(1, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, START + 8);
	CHECK_EQUAL(run(100), 100); /* enough for blocks: what is left of a run is interpreted */
	CHECK_FIRED(START + 8, START + 8);
	CHECK_EQUAL(hart.x[5], 30002);
	CHECK_EQUAL(hart.retired, 40100); /* with 98 of the handler's; the one that trapped was not carried out */
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL6 | ANY_MODE | HIT6 | TL_TRIGGER_EXECUTE);
	CHECK_EQUAL(get(TL_RISCV_CSR_TCONTROL), TL_TRIGGERS_WERE_ON);
	/* Back to it with the trigger: again. Then without. */
	tl_hart_return_from_machine(&hart);
	CHECK_EQUAL(get(TL_RISCV_CSR_TCONTROL), TL_TRIGGERS_WERE_ON | TL_TRIGGERS_ON);
	CHECK_EQUAL(hart.pc, START + 8);
	CHECK_EQUAL(run(100), 100);
	CHECK_FIRED(START + 8, START + 8);
	tl_hart_return_from_machine(&hart);
	set(1, DISABLED, 0);
	CHECK_EQUAL(run(40000), 40000);
	CHECK_EQUAL(hart.x[5], 60002);
	tl_points_end(&points);
}

/* A trigger that code sets for the instruction behind it, in a loop that was translated without. */
TEST(a_trigger_is_there_at_once)
{
	static const tl_u32 code[] = {CSRW(0x7a1, 6), ADDI(5, 5, 1), ADDI(7, 7, 1), JUMP_BACK_12};

	begin(code, TL_COUNT(code));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TDATA2, START + 4));
	hart.x[6] = DISABLED;
	CHECK_EQUAL(run(4000), 4000);
	hart.x[6] = MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE;
	CHECK_EQUAL(run(200), 200);
	CHECK_FIRED(START + 4, START + 4);
	CHECK_EQUAL(hart.x[5], 1000);
	tl_points_end(&points);
}

TEST(a_range_of_instructions)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_12};

	begin(code, TL_COUNT(code));
	CHECK_EQUAL(run(4000), 4000);
	set(0, MCONTROL6 | ANY_MODE | MATCH(2) | TL_TRIGGER_EXECUTE, START + 5);
	CHECK_EQUAL(run(300), 300);
	CHECK_FIRED(START + 8, START + 8);
	CHECK_EQUAL(hart.x[5], 3002);
	/* From there, and below this: together they are a range. */
	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | MATCH(2) | CHAIN | TL_TRIGGER_EXECUTE, START + 2);
	set(1, MCONTROL | ANY_MODE | MATCH(3) | TL_TRIGGER_EXECUTE, START + 8);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 4, START + 4);
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL | ANY_MODE | MATCH(3) | (tl_u64)1 << 20 | TL_TRIGGER_EXECUTE);
	/* Of a chain of which one never matches, none fires. */
	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | MATCH(2) | CHAIN | TL_TRIGGER_EXECUTE, START + 2);
	set(1, MCONTROL | ANY_MODE | MATCH(3) | TL_TRIGGER_EXECUTE, 0);
	CHECK_EQUAL(run(40), 40);
	CHECK_EQUAL(hart.x[5], 30);
	/* Only 2-byte instructions. */
	begin(code, TL_COUNT(code));
	tl_store_little(memory + 8, 0x02850285, 4); /* addi x5, x5, 1, twice */
	set(0, MCONTROL6 | ANY_MODE | SIZE_OF(2) | MATCH(2) | TL_TRIGGER_EXECUTE, 0);
	CHECK_EQUAL(run(3), 3);
	CHECK_FIRED(START + 8, START + 8);
	tl_points_end(&points);
}

TEST(loads_and_stores_trap_before_they_are_made)
{
	static const tl_u32 code[] = {STORE(3, 8, 8, 0), LOAD(3, 5, 8, 0), STORE(0, 0, 8, 0x13), LOAD(2, 6, 8, 0x10)};

	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_STORE, DATA + 3);
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START, DATA + 3);
	CHECK_EQUAL(tl_load_little(memory + (DATA - START), 8), 0);
	tl_hart_return_from_machine(&hart);
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_LOAD, DATA + 7);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 4, DATA + 7);
	CHECK_EQUAL(hart.x[5], 0);
	tl_hart_return_from_machine(&hart);
	/* Eight bytes at a multiple of eight, of which the load meets the first and the store another. */
	set(0, MCONTROL6 | ANY_MODE | MATCH(1) | TL_TRIGGER_LOAD, DATA + 0x13);
	CHECK_EQUAL(run(3), 3);
	CHECK_FIRED(START + 12, DATA + 0x10);
	CHECK_EQUAL(hart.x[5], DATA);
	tl_points_end(&points);
}

TEST(a_size_is_asked_for)
{
	static const tl_u32 code[] = {LOAD(0, 5, 8, 0), LOAD(1, 5, 8, 0), LOAD(2, 5, 8, 0), LOAD(3, 5, 8, 0)};
	static const tl_u8 fields[] = {1, 2, 3, 5};

	for (tl_size i = 0; i < TL_COUNT(fields); i++) {
		begin(code, TL_COUNT(code));
		set(0, MCONTROL6 | ANY_MODE | SIZE_OF(fields[i]) | TL_TRIGGER_LOAD, DATA);
		CHECK_EQUAL(run(i + 1), i + 1);
		CHECK_FIRED(START + 4 * i, DATA);
		/* The older kind has its size in two pieces. */
		begin(code, TL_COUNT(code));
		set(0, MCONTROL | ANY_MODE | SIZE_OF(fields[i] & 3) | (tl_u64)(fields[i] >> 2) << 21 | TL_TRIGGER_LOAD,
		    DATA);
		CHECK_EQUAL(run(i + 1), i + 1);
		CHECK_FIRED(START + 4 * i, DATA);
		tl_points_end(&points);
	}
}

TEST(half_of_an_address_under_a_mask)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), LOAD(3, 6, 8, 8), LOAD(3, 6, 8, 0x10), JUMP_BACK_12};
	tl_u64 wanted = (tl_u64)0xff8 << 32 | ((DATA + 0x10) & 0xff8);

	begin(code, TL_COUNT(code));
	CHECK_EQUAL(run(4000), 4000);
	set(0, MCONTROL6 | ANY_MODE | MATCH(4) | TL_TRIGGER_LOAD, wanted);
	CHECK_EQUAL(run(3), 3);
	CHECK_FIRED(START + 8, DATA + 0x10);
	/* What the mask leaves out of the value is 0 in every address. */
	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | MATCH(4) | TL_TRIGGER_LOAD, wanted | 1);
	CHECK_EQUAL(run(400), 400);
	CHECK_EQUAL(hart.x[5], 100);
	set(0, MCONTROL | ANY_MODE | MATCH(4) | TL_TRIGGER_EXECUTE, (tl_u64)12 << 32 | 4);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 4, START + 4);
	/* The upper half: of all of memory here it is 0. */
	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | MATCH(5) | TL_TRIGGER_LOAD, (tl_u64)0xff << 32 | 1);
	CHECK_EQUAL(run(400), 400);
	CHECK_EQUAL(hart.x[5], 100);
	set(0, MCONTROL6 | ANY_MODE | MATCH(5) | TL_TRIGGER_LOAD, (tl_u64)0xff << 32);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 4, DATA + 8);
	tl_points_end(&points);
}

TEST(instructions_are_counted)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_12};

	begin(code, TL_COUNT(code));
	CHECK_EQUAL(run(40000), 40000); /* it is hot */
	for (tl_u64 count = 1; count < 7; count++) {
		tl_u64 began = hart.x[5];

		hart.pc = START;
		set(3, ICOUNT | COUNT_MACHINE | COUNT_OF(count), 0);
		CHECK_EQUAL(run(count), count);
		CHECK_EQUAL(hart.pc, START + count % 4 * 4);
		CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), ICOUNT | COUNT_MACHINE | COUNT_PENDING);
		CHECK_EQUAL(run(1), 1);
		CHECK_FIRED(START + count % 4 * 4, START + count % 4 * 4);
		CHECK_EQUAL(hart.x[5], began + count - count / 4);
		/* In its own handler it counts nothing, and nothing is left to count. */
		CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), ICOUNT | COUNT_MACHINE | COUNT_HIT);
		tl_hart_return_from_machine(&hart);
		CHECK_EQUAL(run(4000), 4000);
		CHECK(hart.pc < HANDLER);
	}
	tl_points_end(&points);
}

/* A trap counts, and what the handler does not; it fires before the next instruction of the mode that is counted. */
TEST(instructions_of_a_mode_are_counted)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ECALL, ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_PMPADDR0, TL_U64_MAX));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_PMPCFG0, 0x1f));
	hart.privilege = TL_PRIVILEGE_USER;
	tl_paging_update(&hart);
	set(1, ICOUNT | COUNT_USER | COUNT_OF(2), 0);
	CHECK_EQUAL(run(20), 20);
	CHECK_EQUAL(hart.pc, HANDLER);
	CHECK_EQUAL(hart.mcause, TL_CAUSE_CALL_FROM_USER);
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), ICOUNT | COUNT_USER | COUNT_PENDING);
	hart.mepc += 4;
	tl_hart_return_from_machine(&hart);
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START + 8, START + 8);
	CHECK_EQUAL(hart.x[5], 1);
	tl_points_end(&points);
}

/* Software sets it in the middle of translated code, and it counts from the next instruction on. */
TEST(counting_begins_at_once)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), CSRW(0x7a1, 9), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TSELECT, 2));
	hart.x[9] = ICOUNT | COUNT_MACHINE | COUNT_OF(2);
	(void)run(5); /* it may end where it was set */
	if (hart.pc != HANDLER)
		(void)run(5);
	CHECK_FIRED(START + 16, START + 16);
	CHECK_EQUAL(hart.x[5], 3);
	tl_points_end(&points);
}

TEST(over_the_end_of_a_page)
{
	static const tl_u32 code[] = {LOAD(3, 5, 8, 0x7fc), LOAD(3, 5, 8, 0x7f0)};

	begin(code, TL_COUNT(code));
	hart.x[8] = DATA + 0x800;
	CHECK_EQUAL(run(2), 2); /* both pages are known */
	hart.pc = START;
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_LOAD, DATA + 0x1000);
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START, DATA + 0x1000);
	tl_points_end(&points);
}

TEST(atomic_instructions)
{
	static const tl_u32 code[] = {ATOMIC_D(LR, 5, 0, 8), ATOMIC_D(SC, 6, 8, 8), ATOMIC_D(AMOADD, 7, 8, 8)};

	begin(code, TL_COUNT(code));
	CHECK_EQUAL(run(3), 3);
	CHECK_EQUAL(tl_load_little(memory + (DATA - START), 8), 2 * DATA);
	/* A load is no store, but one that reads and writes is both. */
	hart.pc = START;
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_LOAD, DATA);
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START, DATA);
	tl_hart_return_from_machine(&hart);
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_STORE, DATA);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 4, DATA);
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_LOAD, DATA);
	tl_hart_return_from_machine(&hart);
	CHECK_EQUAL(run(2), 2);
	CHECK_FIRED(START + 8, DATA);
	CHECK_EQUAL(hart.x[6], 0);
	tl_points_end(&points);
}

TEST(a_trigger_comes_before_faults_of_the_access)
{
	static const tl_u32 code[] = {ATOMIC_D(AMOADD, 7, 8, 8), LOAD(3, 5, 0, 16)};

	begin(code, TL_COUNT(code));
	hart.x[8] = DATA + 1; /* not aligned */
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_STORE, DATA + 4);
	set(1, MCONTROL6 | ANY_MODE | TL_TRIGGER_LOAD, 16); /* no memory */
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START, DATA + 4);
	set(0, DISABLED, 0);
	hart.pc = START + 4;
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TCONTROL, TL_TRIGGERS_ON));
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(START + 4, 16);
	/* And before the instruction is fetched. */
	set(1, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, 0x4000);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TCONTROL, TL_TRIGGERS_ON));
	hart.pc = 0x4000;
	CHECK_EQUAL(run(1), 1);
	CHECK_FIRED(0x4000, 0x4000);
	tl_points_end(&points);
}

/* A mode, what lets triggers fire in it, and whether one fires. */
static void in_mode(enum tl_privilege mode, tl_u64 control, tl_u64 status, tl_u64 delegated, bool fires)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	hart.pmp_used = false;
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_PMPADDR0, TL_U64_MAX));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_PMPCFG0, 0x1f));
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_MEDELEG, delegated));
	hart.stvec = HANDLER;
	hart.mstatus |= status;
	hart.privilege = (tl_u8)mode;
	tl_paging_update(&hart);
	CHECK(tl_control_put(&hart, TL_RISCV_CSR_TCONTROL, control));
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, START + 4);
	CHECK_EQUAL(run(2), 2);
	CHECK_EQUAL(hart.pc, fires ? HANDLER : START + 8);
	CHECK_EQUAL(hart.x[5], fires ? 1 : 2);
	CHECK_EQUAL(delegated != 0 ? hart.scause : hart.mcause, fires ? TL_CAUSE_BREAKPOINT : 0);
	CHECK_EQUAL(delegated != 0 ? hart.stval : hart.mtval, fires ? START + 4 : 0);
	tl_points_end(&points);
}

TEST(no_mode_is_caught_in_its_own_handler)
{
	tl_u64 breakpoint = (tl_u64)1 << TL_CAUSE_BREAKPOINT;

	in_mode(TL_PRIVILEGE_MACHINE, 0, TL_STATUS_MIE, 0, false);
	in_mode(TL_PRIVILEGE_MACHINE, TL_TRIGGERS_WERE_ON, 0, 0, false);
	in_mode(TL_PRIVILEGE_MACHINE, TL_TRIGGERS_ON, 0, 0, true);
	in_mode(TL_PRIVILEGE_SUPERVISOR, 0, 0, 0, true);
	in_mode(TL_PRIVILEGE_SUPERVISOR, 0, 0, breakpoint, false);
	in_mode(TL_PRIVILEGE_SUPERVISOR, 0, TL_STATUS_SIE, breakpoint, true);
	in_mode(TL_PRIVILEGE_USER, 0, 0, breakpoint, true);
	in_mode(TL_PRIVILEGE_USER, 0, 0, 0, true);
}

TEST(a_mode_is_asked_for)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), LOAD(3, 6, 8, 0)};

	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | SUPERVISOR | USER | TL_TRIGGER_EXECUTE, START);
	set(1, MCONTROL6 | SUPERVISOR | USER | TL_TRIGGER_LOAD, DATA);
	CHECK_EQUAL(run(2), 2);
	CHECK_EQUAL(hart.pc, START + 8);
	tl_points_end(&points);
}

/* The debugger's breakpoint first; then the guest's trap; and when the guest comes back, the debugger again. */
TEST(both_owners_get_theirs_at_one_instruction)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_12};
	struct tl_emulator_point point = {.address = START + 4};

	begin(code, TL_COUNT(code));
	REQUIRE(tl_points_add(&points, &point) == TL_OK);
	tl_store_little(memory + (HANDLER - START), CSRW(0x7a1, 0), 4); /* the handler disables it */
	tl_store_little(memory + (HANDLER - START) + 4, MRET, 4);
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, START + 4);
	CHECK_EQUAL(run(100), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.pc, START + 4);
	CHECK_EQUAL(hart.mcause, 0);
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(100), 3);
	CHECK_EQUAL(hart.mcause, TL_CAUSE_BREAKPOINT);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.pc, START + 4);
	CHECK_EQUAL(hart.x[5], 1);
	CHECK_EQUAL(get(TL_RISCV_CSR_TDATA1), DISABLED);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(100), 4);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.x[5], 4);
	tl_points_end(&points);
}

/* The guest's trap comes in front of the access; the debugger sees the access when it is made. */
TEST(both_owners_get_theirs_at_one_access)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), STORE(3, 5, 8, 0), ADDI(5, 5, 1)};
	struct tl_emulator_point point = {.address = DATA, .size = 8, .access = TL_POINT_WRITES};

	begin(code, TL_COUNT(code));
	REQUIRE(tl_points_add(&points, &point) == TL_OK);
	tl_paging_flush(&hart);
	tl_store_little(memory + (HANDLER - START), CSRW(0x7a1, 0), 4);
	tl_store_little(memory + (HANDLER - START) + 4, MRET, 4);
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_STORE, DATA);
	CHECK_EQUAL(run(100), 5);
	CHECK_EQUAL(hart.mcause, TL_CAUSE_BREAKPOINT);
	CHECK_EQUAL(hart.mepc, START + 4);
	CHECK_EQUAL(hart.halt, TL_HALT_WATCHPOINT);
	CHECK_EQUAL(hart.pc, START + 8);
	CHECK_EQUAL(hart.watch_hit_count, 1);
	CHECK_EQUAL(hart.watch_hits[0].old, 0);
	CHECK_EQUAL(hart.watch_hits[0].value, 1);
	tl_points_end(&points);
}

/* As when a snapshot is taken up: the rest of the hart comes with other triggers. */
TEST(triggers_that_come_with_a_snapshot)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), LOAD(3, 6, 8, 0), JUMP_BACK_12};
	struct tl_triggers kept;

	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, START + 4);
	kept = hart.triggers;
	set(0, DISABLED, 0);
	CHECK_EQUAL(run(4000), 4000);
	hart.triggers = kept;
	tl_triggers_changed(&hart);
	CHECK_EQUAL(run(200), 200);
	CHECK_FIRED(START + 4, START + 4);
	CHECK_EQUAL(hart.x[5], 2001);
	tl_points_end(&points);
}

#ifdef TRANSLATED
/* Harts run the same blocks: what one has set must not be missed in those that another one made. */
TEST(a_trigger_of_another_hart)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_12};
	static struct tl_hart other;

	begin(code, TL_COUNT(code));
	tl_hart_reset(&other, 1, START, &bus);
	other.mtvec = HANDLER;
	/* Set before the translator has ever seen it. */
	CHECK(tl_control_put(&other, TL_RISCV_CSR_TCONTROL, TL_TRIGGERS_ON));
	CHECK(tl_control_put(&other, TL_RISCV_CSR_TDATA2, START + 8));
	CHECK(tl_control_put(&other, TL_RISCV_CSR_TDATA1, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE));
	CHECK_EQUAL(run(4000), 4000);
	CHECK_EQUAL(tl_translator_run(translator, &other, 300), 300);
	CHECK_EQUAL(other.mepc, START + 8);
	CHECK_EQUAL(run(4000), 4000);
	CHECK_EQUAL(hart.x[5], 6000);
	/* And blocks that are made now. */
	tl_translator_memory_changed(translator, START, SIZE);
	CHECK_EQUAL(run(4000), 4000);
	other.pc = START;
	CHECK(tl_control_put(&other, TL_RISCV_CSR_TCONTROL, TL_TRIGGERS_ON));
	CHECK_EQUAL(tl_translator_run(translator, &other, 300), 300);
	CHECK_EQUAL(other.x[5], 4);
	CHECK_EQUAL(hart.x[5], 9000);
	/* The translator keeps its harts, and this one goes. */
	tl_translator_destroy(translator);
	translator = NULL;
	tl_points_end(&points);
}

/* A trigger far from it costs a hot loop on its page nothing: all of it is translated code. */
TEST(a_trigger_elsewhere_costs_nothing)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), LOAD(3, 6, 8, 0), ADDI(5, 5, 1), JUMP_BACK_12};
	struct tl_translator_counters before, after;

	begin(code, TL_COUNT(code));
	set(0, MCONTROL6 | ANY_MODE | TL_TRIGGER_EXECUTE, START + 0x20);
	set(1, MCONTROL6 | ANY_MODE | TL_TRIGGER_STORE, DATA + 0x100);
	CHECK_EQUAL(run(4000), 4000);
	before = tl_translator_count(translator);
	CHECK_EQUAL(run(400000), 400000);
	after = tl_translator_count(translator);
	CHECK(after.interpreted - before.interpreted < 100);
	CHECK(after.slow - before.slow < 100);
	tl_points_end(&points);
}
#endif

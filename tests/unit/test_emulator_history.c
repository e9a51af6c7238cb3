/* The past of an emulated computer: what is gone back to is what a machine without a memory was at that moment. */
#include "base/storage.h"
#include "core/cursor.h"
#include "targets/emulator/history.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"
#include "tests/unit/test.h"

#include <string.h>

#define MEMORY ((tl_u64)16 << 20)
#define CODE TL_BOARD_MEMORY
#define OFTEN (CODE + 0x10000) /* written in each turn of the guest's loop */
#define RARELY (CODE + 0x20000)
#define HANDLER (CODE + 0x100)
#define LOOP (CODE + 0x38)

#define ADDI(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(rd) << 7 | 0x13u)
#define ANDI(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 7u << 12 | (tl_u32)(rd) << 7 | 0x13u)
#define ADD(rd, a, b) ((tl_u32)(b) << 20 | (tl_u32)(a) << 15 | (tl_u32)(rd) << 7 | 0x33u)
#define SLLI(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 1u << 12 | (tl_u32)(rd) << 7 | 0x13u)
#define LUI(rd, n) ((tl_u32)(n) << 12 | (tl_u32)(rd) << 7 | 0x37u)
#define LBU(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 4u << 12 | (tl_u32)(rd) << 7 | 3u)
#define LD(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 3u << 12 | (tl_u32)(rd) << 7 | 3u)
#define SD(rs2, rs, n)                                                                                                 \
	((tl_u32)((n) >> 5) << 25 | (tl_u32)(rs2) << 20 | (tl_u32)(rs) << 15 | 3u << 12 | (tl_u32)((n)&31) << 7 | 0x23u)
#define BNE(a, b, n)                                                                                                   \
	(((tl_u32)(n) >> 12 & 1) << 31 | ((tl_u32)(n) >> 5 & 63) << 25 | (tl_u32)(b) << 20 | (tl_u32)(a) << 15 |       \
	 1u << 12 | ((tl_u32)(n) >> 1 & 15) << 8 | ((tl_u32)(n) >> 11 & 1) << 7 | 0x63u)
#define CSRW(csr, rs) ((tl_u32)(csr) << 20 | (tl_u32)(rs) << 15 | 1u << 12 | 0x73u)
#define CSRSI(csr, n) ((tl_u32)(csr) << 20 | (tl_u32)(n) << 15 | 6u << 12 | 0x73u)
#define CSRR(rd, csr) ((tl_u32)(csr) << 20 | 2u << 12 | (tl_u32)(rd) << 7 | 0x73u)
#define AUIPC(rd) ((tl_u32)(rd) << 7 | 0x17u)
#define MRET 0x30200073u

/*
 * x23 counts the turns and goes to OFTEN in each, and to RARELY in one of 1024; x7 is a sum of what comes in at the
 * serial port; a timer interrupts every 4000 ns, and its handler counts in x20. Each hart has its own places.
 */
static const tl_u32 program[] = {
	AUIPC(8),           /* x8: CODE */
	CSRR(6, 0xf14),     /* mhartid */
	SLLI(21, 6, 3),     /* x21: 8 × hart */
	LUI(9, 0x10),       /* 0x10000 */
	ADD(8, 8, 9),       /* OFTEN */
	ADD(8, 8, 21),      /* its own place there */
	ADD(9, 8, 9),       /* RARELY */
	LUI(10, 0x10000),   /* the serial port */
	LUI(11, 0x2004),    /* mtimecmp */
	ADD(11, 11, 21),    /* its own */
	AUIPC(12),          /* CODE + 0x28 */
	ADDI(12, 12, 0xd8), /* HANDLER */
	CSRW(0x305, 12),    /* mtvec */
	ADDI(0, 0, 0),
	/* LOOP, at 0x38 */
	ADDI(23, 23, 1),
	SD(23, 8, 0),
	LBU(13, 10, 5), /* line status */
	ANDI(13, 13, 1),
	ADDI(14, 0, 0),
	ADDI(15, 13, 0),
	BNE(15, 0, 8), /* something came */
	BNE(10, 0, 8), /* nothing did: past the load */
	LBU(14, 10, 0),
	ADD(7, 7, 14),
	ANDI(6, 23, 1023),
	BNE(6, 0, -44),
	SD(23, 9, 0),
	BNE(10, 0, -52),
};

static const tl_u32 handler[] = {
	ADDI(20, 20, 1), LD(22, 11, 0), ADDI(22, 22, 40), SD(22, 11, 0), MRET,
};

/* Behind the set-up: interrupts on. In place of the NOP before LOOP. */
#define INTERRUPTS_ON CSRSI(0x300, 8)

static void build(struct tl_computer *computer, tl_u32 harts, bool timers, bool interpret)
{
	struct tl_computer_configuration configuration = {
		.harts = harts, .memory_size = MEMORY, .quantum = 5000, .interpret = interpret};
	tl_u8 code[0x100 + sizeof(handler)] = {0};
	struct tl_error error;

	for (tl_size i = 0; i < TL_COUNT(program); i++)
		tl_store_little(code + 4 * i, program[i], 4);
	for (tl_size i = 0; i < TL_COUNT(handler); i++)
		tl_store_little(code + 0x100 + 4 * i, handler[i], 4);
	if (timers)
		tl_store_little(code + 0x34, INTERRUPTS_ON, 4);
	REQUIRE(tl_computer_open(computer, &configuration, &error) == TL_OK);
	REQUIRE(tl_computer_load(computer, "the program", CODE, code, sizeof(code), 0, &error) == TL_OK);
	computer->entry = CODE;
	REQUIRE(tl_computer_reset(computer, &error) == TL_OK);
	for (tl_u32 i = 0; timers && i < harts; i++) {
		computer->board.aclint.compare[i] = 40;
		computer->harts[i].mie = (tl_u64)1 << TL_INTERRUPT_MACHINE_TIMER;
	}
}

static struct tl_history *remember(struct tl_computer *computer, tl_u64 interval, tl_u64 memory)
{
	struct tl_history_options options = {.interval = interval, .memory = memory};
	struct tl_history *history = NULL;
	struct tl_error error;

	CHECK(tl_history_open(&history, computer, &options, &error) == TL_OK);
	return history;
}

static void run_to(struct tl_history *history, tl_u64 begun)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	limits.begun = begun;
	CHECK(tl_history_run(history, &limits) == TL_COMPUTER_REACHED);
}

/* Whether two machines are the same, as far as a guest can tell. */
static bool same(const struct tl_computer *a, const struct tl_computer *b)
{
	bool equal = a->begun == b->begun && memcmp(a->memory, b->memory, MEMORY) == 0;

	for (tl_u32 i = 0; i < a->configuration.harts; i++) {
		const struct tl_hart *one = &a->harts[i], *other = &b->harts[i];

		equal = equal && memcmp(one->x, other->x, sizeof(one->x)) == 0 && one->pc == other->pc &&
			one->mepc == other->mepc && one->mstatus == other->mstatus && one->lines == other->lines &&
			one->retired == other->retired && a->turns[i].now == b->turns[i].now &&
			a->turns[i].begun == b->turns[i].begun;
	}
	return equal;
}

/* The machine at some moment, made without a memory, and by the interpreter. */
static void make_anew(struct tl_computer *computer_ret, tl_u32 harts, bool timers,
		      const struct tl_computer_position *position)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	build(computer_ret, harts, timers, true);
	limits.until = position;
	CHECK(tl_computer_run(computer_ret, &limits) == TL_COMPUTER_REACHED);
}

static void check_step_back(struct tl_computer *computer, struct tl_history *history, tl_u32 harts, bool timers,
			    tl_u32 hart)
{
	tl_u64 begun = computer->turns[hart].begun;
	struct tl_computer_position position;
	struct tl_computer other;

	CHECK(tl_history_step_back(history, hart) == TL_BACK_DONE);
	CHECK(computer->turns[hart].begun == begun - 1);
	position = tl_computer_position(computer);
	make_anew(&other, harts, timers, &position);
	CHECK(same(computer, &other));
	tl_computer_close(&other);
}

TEST(one_instruction_back)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;

	build(&computer, 1, true, false);
	history = remember(&computer, 100000, 0);
	run_to(history, 1000007);
	for (int i = 0; i < 20; i++)
		check_step_back(&computer, history, 1, true, 0);
	CHECK(computer.begun == 999987);
	CHECK(tl_history_is_past(history));
	/* The second step did not have far to go. */
	tl_history_facts(history, &facts);
	CHECK(facts.replayed < 2 * 100000 + 20 * 40000);
	CHECK(!facts.diverged);
	run_to(history, 1000007);
	CHECK(!tl_history_is_past(history));
	tl_history_close(history);
	tl_computer_close(&computer);
}

TEST(harts_in_turn_and_any_moment)
{
	struct tl_computer computer, other;
	struct tl_history *history;
	struct tl_computer_position positions[40];
	struct tl_history_facts facts;
	tl_u32 random = 12345;

	build(&computer, 3, true, false);
	history = remember(&computer, 20000, 0);
	for (tl_u32 i = 0; i < TL_COUNT(positions); i++) {
		run_to(history, computer.begun + 7919);
		positions[i] = tl_computer_position(&computer);
	}
	for (int i = 0; i < 60; i++) {
		tl_u32 which = (random = random * 1664525u + 1013904223u) >> 16;

		which %= TL_COUNT(positions);
		CHECK(tl_history_go(history, &positions[which]) == TL_BACK_DONE);
		make_anew(&other, 3, true, &positions[which]);
		CHECK(same(&computer, &other));
		tl_computer_close(&other);
		if (i % 5 == 0)
			check_step_back(&computer, history, 3, true, (tl_u32)i % 3);
	}
	tl_history_facts(history, &facts);
	CHECK(!facts.diverged);
	tl_history_close(history);
	tl_computer_close(&computer);
}

static void type(struct tl_history *history, const char *text, bool new_timeline)
{
	struct tl_input input = {.kind = TL_INPUT_UART, .bytes = (const tl_u8 *)text, .size = strlen(text)};
	bool is_new;

	CHECK(tl_history_input(history, &input, &is_new) == input.size);
	CHECK(is_new == new_timeline);
}

TEST(input_comes_again_and_a_new_one_changes_the_future)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_computer_position before;
	tl_u64 sum = 'a' + 'b' + 'c';

	build(&computer, 1, false, false);
	history = remember(&computer, 10000, 0);
	run_to(history, 5000);
	before = tl_computer_position(&computer);
	type(history, "a", false);
	run_to(history, 20000); /* a checkpoint, and input at the same moment */
	type(history, "b", false);
	run_to(history, 31000);
	type(history, "c", false);
	run_to(history, 50000);
	CHECK(computer.harts[0].x[7] == sum);
	for (int i = 0; i < 3; i++) {
		CHECK(tl_history_go(history, &before) == TL_BACK_DONE);
		CHECK(computer.harts[0].x[7] == 0);
		run_to(history, 50000);
		CHECK(computer.harts[0].x[7] == sum);
	}
	tl_history_facts(history, &facts);
	CHECK(!facts.diverged && facts.inputs == 3);
	CHECK(tl_history_go(history, &before) == TL_BACK_DONE);
	type(history, "z", true);
	run_to(history, 50000);
	CHECK(computer.harts[0].x[7] == 'z');
	tl_history_close(history);
	tl_computer_close(&computer);
}

static void set_points(struct tl_computer *computer, struct tl_emulator_points *points, tl_u64 address, tl_u64 size,
		       tl_u8 access)
{
	struct tl_emulator_point point = {.address = address, .size = size, .access = access};

	tl_points_init(points, tl_storage());
	CHECK(tl_points_add(points, &point) == TL_OK);
	for (tl_u32 i = 0; i < computer->configuration.harts; i++) {
		computer->harts[i].points = points;
		tl_paging_flush(&computer->harts[i]);
	}
	if (computer->translator != NULL)
		tl_translator_point_changed(computer->translator, address);
}

TEST(back_to_the_last_write)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts, after;
	struct tl_emulator_points points;
	struct tl_back_halt halt;
	tl_u64 last;

	build(&computer, 1, true, false);
	history = remember(&computer, 5000, 0);
	run_to(history, 300000);
	last = tl_load_little(computer.memory + (RARELY - TL_BOARD_MEMORY), 8);
	CHECK(last >= 1024 && last % 1024 == 0);
	tl_history_facts(history, &facts);
	set_points(&computer, &points, RARELY, 8, TL_POINT_WRITES);
	for (; last != 0; last -= 1024) {
		CHECK(tl_history_continue_back(history, &halt) == TL_BACK_HALTED);
		CHECK(halt.halt == TL_HALT_WATCHPOINT && halt.hit_count == 1 && halt.hits[0].value == last);
		CHECK(halt.hits[0].old == last - 1024);
		/* It is about to be done. */
		CHECK(computer.harts[0].x[23] == last && computer.harts[0].pc == CODE + 4 * 26);
		CHECK(tl_load_little(computer.memory + (RARELY - TL_BOARD_MEMORY), 8) == last - 1024);
	}
	CHECK(tl_history_continue_back(history, &halt) == TL_BACK_BEGINNING);
	CHECK(computer.begun == 0);
	/* Most checkpoints had nothing of it. */
	tl_history_facts(history, &after);
	CHECK(after.replayed < 300000);
	CHECK(!after.diverged);
	for (last = 1024; last < 3 * 1024; last += 1024) {
		CHECK(tl_history_run(history, &TL_COMPUTER_FOREVER) == TL_COMPUTER_HALTED);
		CHECK(computer.harts[0].watch_hits[0].value == last);
	}
	tl_history_close(history);
	tl_points_end(&points);
	tl_computer_close(&computer);
}

/* Two harts count in one page all the time, and now and then 64 bytes further on. */
static void build_neighbours(struct tl_computer *computer)
{
	build(computer, 2, true, false);
	tl_store_little(computer->memory + 4 * 6, ADDI(9, 8, 64), 4);
}

TEST(back_to_the_last_write_of_a_word_in_a_page_that_is_written_all_the_time)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts, after;
	struct tl_emulator_points points;
	struct tl_back_halt halt;
	tl_u64 last, quiet = OFTEN + 2048;

	build_neighbours(&computer);
	history = remember(&computer, 1000000, 0);
	run_to(history, 5000000);
	last = tl_load_little(computer.memory + (OFTEN + 64 - TL_BOARD_MEMORY), 8);
	CHECK(last > 100000 && last % 1024 == 0);
	tl_history_facts(history, &facts);
	set_points(&computer, &points, OFTEN + 64, 8, TL_POINT_WRITES);
	for (int i = 0; i < 12; i++, last -= 1024) {
		CHECK(tl_history_continue_back(history, &halt) == TL_BACK_HALTED);
		CHECK(halt.hart == 0 && halt.hit_count == 1 && halt.hits[0].value == last);
		CHECK(computer.harts[0].x[23] == last && computer.harts[0].pc == CODE + 4 * 26);
	}
	/* One stretch was run through, and parts of it for each. */
	tl_history_facts(history, &after);
	CHECK(after.replayed - facts.replayed < 2600000);
	tl_points_end(&points);
	/* A word that was never written is not looked for in any. */
	tl_history_facts(history, &facts);
	set_points(&computer, &points, quiet, 8, TL_POINT_WRITES);
	CHECK(tl_history_continue_back(history, &halt) == TL_BACK_BEGINNING);
	tl_history_facts(history, &after);
	CHECK(after.replayed == facts.replayed && computer.begun == 0);
	tl_points_end(&points);
	/* And the way forward is the one that was come. */
	tl_points_init(&points, tl_storage());
	run_to(history, 5000000);
	tl_history_facts(history, &after);
	CHECK(!after.diverged);
	tl_history_close(history);
	tl_points_end(&points);
	tl_computer_close(&computer);
}

/*
 * In supervisor mode, with a page table in which x6 is a page of its own whose entry is at x5: it clears the entry's
 * accessed and dirty bits again and again, without a fence, and counts in x10 and x11 how often they were set.
 */
#define TABLE (CODE + 0x40000)
#define ENTRY (TABLE + 0x2000)
static const tl_u32 ages[] = {
	SD(23, 6, 0),   LD(7, 6, 8),       LD(8, 5, 0),    ANDI(9, 8, 0x40),
	ADD(10, 10, 9), ANDI(9, 8, 0x80),  ADD(11, 11, 9), ANDI(8, 8, 0xf3f), /* ~0xc0 */
	SD(8, 5, 0),    ADDI(23, 23, 1),   ANDI(9, 23, 1),                    /* every other time it is only read */
	BNE(9, 0, -44), LD(7, 6, 0),       LD(8, 5, 0),    ANDI(9, 8, 0x40),
	ADD(10, 10, 9), ANDI(8, 8, 0xf3f), SD(8, 5, 0),    BNE(5, 0, -72),
};

static void build_ageing(struct tl_computer *computer, bool interpret)
{
	struct tl_hart *hart;
	tl_u8 *memory;

	build(computer, 1, false, interpret);
	memory = computer->memory;
	for (tl_size i = 0; i < TL_COUNT(ages); i++)
		tl_store_little(memory + 4 * i, ages[i], 4);
	/* The gigabyte at 2 GiB is itself; the first page of 1 GiB is one of it. */
	tl_store_little(memory + 0x40000 + 16, (TL_BOARD_MEMORY >> 12) << 10 | 0xcf, 8);
	tl_store_little(memory + 0x40000 + 8, (TABLE + 0x1000) >> 12 << 10 | 1, 8);
	tl_store_little(memory + 0x41000, ENTRY >> 12 << 10 | 1, 8);
	tl_store_little(memory + 0x42000, OFTEN >> 12 << 10 | 7, 8);
	hart = &computer->harts[0];
	hart->pc = CODE;
	hart->x[5] = ENTRY;
	hart->x[6] = (tl_u64)1 << 30;
	hart->satp = (tl_u64)8 << 60 | TABLE >> 12;
	hart->privilege = TL_PRIVILEGE_SUPERVISOR;
	hart->pmp_used = true;
	hart->pmp_configuration[0] = 0x1f;
	hart->pmp_address[0] = TL_U64_MAX >> 10;
	tl_paging_update(hart);
	tl_paging_flush(hart);
}

/* When bits of page tables are set again does not depend on what is remembered, when, and by whom. */
TEST(accessed_bits_that_are_cleared_without_a_fence)
{
	struct tl_computer computer, other;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_emulator_points points;
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	build_ageing(&computer, false);
	history = remember(&computer, 5000, 0);
	run_to(history, 100003);
	for (int i = 0; i < 30; i++) {
		build_ageing(&other, true);
		limits.begun = computer.begun;
		CHECK(tl_computer_run(&other, &limits) == TL_COMPUTER_REACHED);
		CHECK(same(&computer, &other));
		tl_computer_close(&other);
		/* A watchpoint that is not met changes nothing, either. */
		if (i == 10)
			set_points(&computer, &points, ((tl_u64)1 << 30) + 2048, 8, TL_POINT_WRITES | TL_POINT_READS);
		for (int step = 0; step < 7; step++)
			CHECK(tl_history_step_back(history, 0) == TL_BACK_DONE);
		if (i % 3 == 2)
			run_to(history, computer.begun + 12345);
	}
	CHECK(computer.harts[0].x[10] > 100000 && computer.harts[0].x[11] > 100000);
	tl_history_facts(history, &facts);
	CHECK(!facts.diverged);
	tl_history_close(history);
	tl_points_end(&points);
	tl_computer_close(&computer);
}

TEST(back_to_a_breakpoint)
{
	static const tl_u64 places[] = {LOOP, HANDLER, CODE + 4 * 26};

	for (tl_u32 i = 0; i < TL_COUNT(places); i++) {
		struct tl_computer computer, other;
		struct tl_history *history;
		struct tl_emulator_points points, nothing;
		struct tl_back_halt halt;
		struct tl_computer_position position;

		build(&computer, 2, true, false);
		history = remember(&computer, 9000, 0);
		run_to(history, 100000);
		set_points(&computer, &points, places[i], 0, 0);
		for (int round = 0; round < 6; round++) {
			tl_u64 begun = computer.begun;

			REQUIRE(tl_history_continue_back(history, &halt) == TL_BACK_HALTED);
			CHECK(computer.harts[halt.hart].pc == places[i] && computer.begun < begun);
			CHECK(halt.halt == TL_HALT_BREAKPOINT);
		}
		/* Going on from there leads to where it has been. */
		tl_points_init(&nothing, tl_storage());
		computer.harts[0].points = computer.harts[1].points = &nothing;
		run_to(history, 100000);
		position = tl_computer_position(&computer);
		make_anew(&other, 2, true, &position);
		CHECK(same(&computer, &other));
		tl_computer_close(&other);
		tl_history_close(history);
		tl_points_end(&points);
		tl_computer_close(&computer);
	}
}

TEST(back_to_code_that_ran_long_ago)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_emulator_points points;
	struct tl_back_halt halt;

	for (int interpret = 0; interpret < 2; interpret++) {
		build(&computer, 2, true, interpret != 0);
		history = remember(&computer, 10000, 0);
		run_to(history, 400000);
		set_points(&computer, &points, TL_BOARD_ROM + 12, 0, 0);
		/* The second hart was there last: nothing is run again but the first stretches. */
		CHECK(tl_history_continue_back(history, &halt) == TL_BACK_HALTED && halt.hart == 1);
		CHECK(computer.harts[1].pc == TL_BOARD_ROM + 12 && computer.turns[1].begun == 3);
		CHECK(tl_history_continue_back(history, &halt) == TL_BACK_HALTED && halt.hart == 0);
		CHECK(computer.turns[0].begun == 3);
		CHECK(tl_history_continue_back(history, &halt) == TL_BACK_BEGINNING);
		tl_history_facts(history, &facts);
		CHECK(facts.replayed < 100000 && !facts.diverged);
		tl_history_close(history);
		tl_points_end(&points);
		tl_computer_close(&computer);
	}
}

TEST(little_memory_thins_out_the_past)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_computer_position begin;

	build(&computer, 1, true, false);
	begin = tl_computer_position(&computer);
	history = remember(&computer, 10000, (tl_u64)300 << 10);
	run_to(history, 1000000);
	tl_history_facts(history, &facts);
	/* What was written since the newest checkpoint comes on top. */
	CHECK(facts.memory <= (tl_u64)(300 + 16) << 10);
	CHECK(facts.checkpoints > 3 && facts.checkpoints < 60);
	for (int i = 0; i < 5; i++) {
		check_step_back(&computer, history, 1, true, 0);
		CHECK(tl_history_go(history, &begin) != TL_BACK_STOPPED);
		CHECK(computer.begun == 0);
		run_to(history, 1000000 - (tl_u64)i * 170000);
	}
	tl_history_facts(history, &facts);
	CHECK(!facts.diverged);
	tl_history_close(history);
	tl_computer_close(&computer);
}

static void never_told(void *context, const struct tl_computer_position *position, const struct tl_input *input)
{
	(void)context;
	(void)position;
	(void)input;
	CHECK(false);
}

TEST(endless_input_moves_the_beginning)
{
	const struct tl_input input = {.kind = TL_INPUT_HOLD, .hart = TL_COMPUTER_NO_HART, .size = 1};
	const struct tl_history_witness witness = {.input = never_told};
	const tl_u64 most = (tl_u64)300 << 10;
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_history_facts facts;
	bool is_new;

	build(&computer, 1, true, false);
	history = remember(&computer, 10000, most);
	for (tl_u64 i = 1; i <= 20000; i++) {
		CHECK(tl_history_input(history, &input, &is_new) == 1);
		run_to(history, i * 100);
	}
	tl_history_facts(history, &facts);
	CHECK(facts.memory <= most + ((tl_u64)16 << 10));
	CHECK(facts.begin > 0 && facts.begin < facts.end && facts.inputs < 20000 && facts.entered == 20000);
	CHECK(facts.checkpoints > 3);
	/* What there is of it is as it was. */
	check_step_back(&computer, history, 1, true, 0);
	while (tl_history_step_back(history, 0) == TL_BACK_DONE && computer.begun > 1999900)
		continue;
	run_to(history, 2000000);
	CHECK(tl_history_go(history, &(struct tl_computer_position){0}) != TL_BACK_STOPPED);
	CHECK(computer.begun == facts.begin);
	run_to(history, 2000000);
	tl_history_facts(history, &facts);
	CHECK(!facts.diverged && facts.here == facts.end);
	/* A recording from reset on cannot be made of it. */
	CHECK(!tl_history_tell(history, &witness));
	tl_history_close(history);
	tl_computer_close(&computer);
}

/*
 * The debugger's points in the emulated machine: the table, and a hart that runs into them; in the interpreter, and,
 * with TRANSLATED, in the translator.
 */
#include "base/storage.h"
#include "core/agent/agent.h"
#include "core/agent/opcodes.h"
#include "core/cursor.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"
#include "tests/unit/test.h"

#define START 0x80000000ull
#define SIZE 0x100000ull
#define DATA (START + 0x8000)

static tl_u8 memory[SIZE];
static struct tl_bus bus;
static struct tl_hart hart;
static struct tl_emulator_points points;

/* Registers by number: x5, x6, … */
#define ADDI(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(rd) << 7 | 0x13u)
#define LOAD(width, rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(width) << 12 | (tl_u32)(rd) << 7 | 3u)
#define STORE(width, rs2, rs, n)                                                                                       \
	((tl_u32)((n) >> 5) << 25 | (tl_u32)(rs2) << 20 | (tl_u32)(rs) << 15 | (tl_u32)(width) << 12 |                 \
	 (tl_u32)((n)&31) << 7 | 0x23u)
#define AMOADD_D(rd, rs2, rs) ((tl_u32)(rs2) << 20 | (tl_u32)(rs) << 15 | 3u << 12 | (tl_u32)(rd) << 7 | 0x2fu)
#define SRLIW(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 5u << 12 | (tl_u32)(rd) << 7 | 0x1bu)
#define SLLIW(rd, rs, n) ((tl_u32)(n) << 20 | (tl_u32)(rs) << 15 | 1u << 12 | (tl_u32)(rd) << 7 | 0x1bu)
#define OR(rd, rs1, rs2) ((tl_u32)(rs2) << 20 | (tl_u32)(rs1) << 15 | 6u << 12 | (tl_u32)(rd) << 7 | 0x33u)
#define EBREAK 0x00100073u
#define JUMP_BACK_4 0xffdff06fu /* j .-4 */

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

static void changed(const struct tl_emulator_point *point)
{
	if (point->size == 0 && point->space == TL_POINT_SPACE_PHYSICAL)
		tl_translator_memory_changed(translator, point->address, 2);
	else if (point->size == 0)
		tl_translator_point_changed(translator, point->address);
}
#else
static tl_u64 run(tl_u64 count)
{
	return tl_interpreter_run(&hart, count);
}

static void begin_translator(void) {}

static void changed(const struct tl_emulator_point *point)
{
	(void)point;
}
#endif

static enum tl_status put(const struct tl_emulator_point *point)
{
	enum tl_status status = tl_points_add(&points, point);

	changed(point);
	return status;
}

static enum tl_status take(const struct tl_emulator_point *point)
{
	enum tl_status status = tl_points_remove(&points, point);

	changed(point);
	return status;
}

static void begin(const tl_u32 *code, tl_size count)
{
	begin_translator();
	memset(memory, 0, sizeof(memory));
	memset(&bus, 0, sizeof(bus));
	CHECK(tl_bus_add_memory(&bus, "memory", START, SIZE, memory, false) == TL_OK);
	for (tl_size i = 0; i < count; i++)
		tl_store_little(memory + 4 * i, code[i], 4);
	tl_hart_reset(&hart, 0, START, &bus);
	tl_points_init(&points, tl_storage());
	hart.points = &points;
	hart.x[8] = DATA;
}

static void add(tl_u64 address, tl_u64 size, tl_u8 access)
{
	struct tl_emulator_point point = {.address = address, .size = size, .access = access};

	CHECK(put(&point) == TL_OK);
	tl_paging_flush(&hart);
}

TEST(thousands_of_breakpoints)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1), ADDI(5, 5, 1)};
	struct tl_emulator_point point = {0};

	begin(code, TL_COUNT(code));
	for (tl_u64 i = 0; i < 5000; i++) {
		/* In no order: 2677 and 5000 have no factor in common. */
		point.address = START + 0x100 + i * 2677 % 5000 * 2;
		REQUIRE(put(&point) == TL_OK);
	}
	CHECK(put(&point) == TL_ERROR_STATE);
	for (tl_u64 i = 1; i < points.breakpoints.count; i++)
		CHECK(points.breakpoints.points[i - 1].address < points.breakpoints.points[i].address);
	CHECK(tl_points_at(&points, &hart, START + 0x100));
	CHECK(tl_points_at(&points, &hart, START + 0x100 + 9998));
	CHECK(!tl_points_at(&points, &hart, START + 0x100 + 10000));
	CHECK(!tl_points_at(&points, &hart, START + 0xfe));
	CHECK_EQUAL(run(4), 4);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	for (tl_u64 i = 0; i < 5000; i++) {
		point.address = START + 0x100 + i * 2;
		REQUIRE(take(&point) == TL_OK);
		REQUIRE(!tl_points_at(&points, &hart, point.address));
	}
	CHECK(take(&point) == TL_ERROR_NO_POINT);
	CHECK_EQUAL(points.breakpoints.count, 0);
	tl_points_end(&points);
}

TEST(breakpoint_halts_before_and_is_passed_once)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_4};

	begin(code, TL_COUNT(code));
	add(START + 4, 0, 0);
	CHECK_EQUAL(run(100), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.pc, START + 4);
	CHECK_EQUAL(hart.x[5], 1);
	CHECK_EQUAL(run(100), 0);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(100), 2);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.x[5], 2);
	CHECK_EQUAL(hart.pass, TL_PASS_NONE);
	tl_points_end(&points);
}

/* A loop that is hot, a breakpoint in its middle, and on to the same place; then none, and a watchpoint. */
/* A rotation, which the translator makes in one piece, is seen half done where a point or a trap stands in it. */
TEST(breakpoints_in_the_middle_of_a_rotation_see_its_halves)
{
	static const tl_u32 code[] = {ADDI(10, 0, 0x5a5), SRLIW(5, 10, 7),  SLLIW(6, 10, 25),
				      OR(5, 5, 6),        LOAD(3, 7, 0, 0), ADDI(6, 0, 0)};

	begin(code, TL_COUNT(code));
	add(START + 8, 0, 0);
	add(START + 12, 0, 0);
	hart.x[6] = 1;
	CHECK_EQUAL(run(10), 2);
	CHECK_EQUAL(hart.pc, START + 8);
	CHECK_EQUAL(hart.x[5], 0x5a5 >> 7);
	CHECK_EQUAL(hart.x[6], 1);
	hart.pass = hart.pc;
	CHECK_EQUAL(run(10), 1);
	CHECK_EQUAL(hart.pc, START + 12);
	CHECK_EQUAL(hart.x[5], 0x5a5 >> 7);
	CHECK_EQUAL(hart.x[6], 0x4a000000);
	hart.pass = hart.pc;
	hart.mtvec = START + 0x100; /* the load fails: what waits to be overwritten is there */
	CHECK_EQUAL(run(2), 2);
	CHECK_EQUAL(hart.pc, START + 0x100);
	CHECK_EQUAL(hart.x[5], 0x4a00000b);
	CHECK_EQUAL(hart.x[6], 0x4a000000);
	tl_points_end(&points);

	/* And in one piece, with no points. */
	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	CHECK_EQUAL(run(5), 5);
	CHECK_EQUAL(hart.mepc, START + 16);
	CHECK_EQUAL(hart.x[5], 0x4a00000b);
	CHECK_EQUAL(hart.x[6], 0x4a000000);
	tl_points_end(&points);
}

TEST(points_come_and_go_in_a_hot_loop)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(6, 6, 1), STORE(3, 5, 8, 0), ADDI(7, 7, 1),
				      0xff1ff06f /* j .-16 */};
	struct tl_emulator_point point = {.address = START + 4};
	struct tl_emulator_point watch = {.address = DATA, .size = 8, .access = TL_POINT_WRITES};

	begin(code, TL_COUNT(code));
	for (tl_u64 round = 1; round <= 20; round++) {
		hart.pass = TL_PASS_NONE;
		CHECK_EQUAL(run(50000), 50000);
		REQUIRE(put(&point) == TL_OK);
		hart.pass = hart.pc;
		hart.pass_stack = hart.x[2];
		CHECK_EQUAL(run(50000), round == 1 ? 1 : 5);
		CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
		CHECK_EQUAL(hart.pc, START + 4);
		CHECK_EQUAL(hart.x[5], hart.x[6] + 1);
		REQUIRE(take(&point) == TL_OK);
	}
	REQUIRE(put(&watch) == TL_OK);
	tl_paging_flush(&hart);
	CHECK_EQUAL(run(50000), 2);
	CHECK_EQUAL(hart.halt, TL_HALT_WATCHPOINT);
	CHECK_EQUAL(hart.pc, START + 12);
	CHECK_EQUAL(hart.watch_hits[0].old + 1, hart.x[5]);
	CHECK_EQUAL(hart.watch_hits[0].value, hart.x[5]);
	REQUIRE(take(&watch) == TL_OK);
	tl_paging_flush(&hart);
	CHECK_EQUAL(run(50000), 50000);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	tl_points_end(&points);
}

TEST(pass_is_not_kept_for_later)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), 0xff9ff06f /* j .-8 */};

	begin(code, TL_COUNT(code));
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.pass, TL_PASS_NONE);
	add(START, 0, 0);
	CHECK_EQUAL(run(100), 2);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	tl_points_end(&points);
}

TEST(guest_trap_is_the_guests_unless_a_point_stands_there)
{
	static const tl_u32 code[] = {EBREAK, ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	tl_store_little(memory + 0x100, ADDI(6, 6, 1), 4);
	add(START, 0, 0);
	CHECK_EQUAL(run(2), 0);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.mcause, 0);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(2), 2);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	CHECK_EQUAL(hart.mcause, TL_CAUSE_BREAKPOINT);
	CHECK_EQUAL(hart.mepc, START);
	CHECK_EQUAL(hart.x[6], 1);
	tl_points_end(&points);
}

TEST(caught_exception_changes_nothing_and_is_then_taken)
{
	static const tl_u32 code[] = {EBREAK};

	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	points.caught = (tl_u64)1 << TL_CAUSE_BREAKPOINT;
	CHECK_EQUAL(run(1), 0);
	CHECK_EQUAL(hart.halt, TL_HALT_EXCEPTION);
	CHECK_EQUAL(hart.halt_exception.cause, TL_CAUSE_BREAKPOINT);
	CHECK_EQUAL(hart.pc, START);
	CHECK_EQUAL(hart.mepc, 0);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	hart.pass_caught = true;
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.pc, START + 0x100);
	tl_points_end(&points);
}

TEST(a_breakpoint_and_then_its_caught_exception)
{
	static const tl_u32 code[] = {EBREAK};

	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	points.caught = (tl_u64)1 << TL_CAUSE_BREAKPOINT;
	add(START, 0, 0);
	CHECK_EQUAL(run(1), 0);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(1), 0);
	CHECK_EQUAL(hart.halt, TL_HALT_EXCEPTION);
	hart.pass = hart.pc;
	hart.pass_caught = true;
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	CHECK_EQUAL(hart.pc, START + 0x100);
	CHECK_EQUAL(hart.pass, TL_PASS_NONE);
	tl_points_end(&points);
}

TEST(pass_survives_an_interrupt_that_comes_first)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	tl_store_little(memory + 0x100, 0x30200073, 4); /* mret */
	hart.mie = hart.lines = (tl_u64)1 << TL_INTERRUPT_MACHINE_EXTERNAL;
	hart.mstatus |= TL_STATUS_MIE;
	add(START, 0, 0);
	hart.pass = hart.pc;
	hart.pass_stack = hart.x[2];
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.pc, START);
	CHECK_EQUAL(hart.mcause, TL_CAUSE_INTERRUPT | TL_INTERRUPT_MACHINE_EXTERNAL);
	hart.lines = 0;
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	CHECK_EQUAL(hart.x[5], 1);
	tl_points_end(&points);
}

TEST(held_interrupts_are_not_taken)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1)};

	begin(code, TL_COUNT(code));
	hart.mie = hart.lines = (tl_u64)1 << TL_INTERRUPT_MACHINE_EXTERNAL;
	hart.mstatus |= TL_STATUS_MIE;
	hart.mtvec = START + 0x100;
	tl_store_little(memory + 0x100, ADDI(6, 6, 1), 4);
	hart.hold_interrupts = true;
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.pc, START + 4);
	hart.hold_interrupts = false;
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.mepc, START + 4);
	tl_points_end(&points);
}

/* The one hit that there is. */
static const struct tl_watch_hit *the_hit(void)
{
	static const struct tl_watch_hit none;

	CHECK_EQUAL(hart.halt, TL_HALT_WATCHPOINT);
	CHECK_EQUAL(hart.watch_hit_count, 1);
	return hart.watch_hit_count == 1 ? &hart.watch_hits[0] : &none;
}

TEST(write_watchpoint_tells_address_old_and_new)
{
	static const tl_u32 code[] = {STORE(2, 5, 8, 0), LOAD(3, 6, 8, 0), STORE(0, 5, 8, 7), STORE(0, 5, 8, 8),
				      STORE(3, 5, 8, 0)};
	const struct tl_watch_hit *hit;

	begin(code, TL_COUNT(code));
	hart.x[5] = 0x1122334455667788;
	tl_store_little(memory + 0x8000, 0xa1a2a3a4a5a6a7a8, 8);
	add(DATA, 8, TL_POINT_WRITES);
	CHECK_EQUAL(run(100), 1);
	hit = the_hit();
	CHECK_EQUAL(hit->address, DATA);
	CHECK_EQUAL(hit->size, 4);
	CHECK(hit->write && hit->old_known);
	CHECK_EQUAL(hit->old, 0xa5a6a7a8);
	CHECK_EQUAL(hit->value, 0x55667788);
	CHECK_EQUAL(hart.pc, START + 4); /* retired */
	/* The load is not told of. */
	CHECK_EQUAL(run(100), 2);
	hit = the_hit();
	CHECK_EQUAL(hit->address, DATA + 7);
	CHECK_EQUAL(hit->size, 1);
	CHECK_EQUAL(hit->old, 0xa1);
	CHECK_EQUAL(hit->value, 0x88);
	/* Neither is the store behind the range. */
	CHECK_EQUAL(run(100), 2);
	hit = the_hit();
	CHECK_EQUAL(hit->old, 0x88a2a3a455667788);
	CHECK_EQUAL(hit->value, 0x1122334455667788);
	tl_points_end(&points);
}

TEST(read_and_access_watchpoints)
{
	static const tl_u32 code[] = {STORE(3, 5, 8, 0), LOAD(3, 6, 8, 0), STORE(3, 5, 8, 16), LOAD(1, 6, 8, 16)};

	begin(code, TL_COUNT(code));
	hart.x[5] = 77;
	add(DATA, 1, TL_POINT_READS);
	add(DATA + 17, 1, TL_POINT_READS | TL_POINT_WRITES);
	CHECK_EQUAL(run(100), 2);
	CHECK(!the_hit()->write);
	CHECK_EQUAL(the_hit()->value, 77);
	CHECK_EQUAL(run(100), 1);
	CHECK(the_hit()->write);
	CHECK_EQUAL(run(100), 1);
	CHECK(!the_hit()->write);
	CHECK_EQUAL(the_hit()->point_address, DATA + 17);
	CHECK_EQUAL(the_hit()->address, DATA + 16);
	tl_points_end(&points);
}

TEST(atomic_access_is_a_read_and_a_write)
{
	static const tl_u32 code[] = {AMOADD_D(6, 5, 8)};

	begin(code, TL_COUNT(code));
	hart.x[5] = 3;
	tl_store_little(memory + 0x8000, 4, 8);
	add(DATA + 4, 2, TL_POINT_READS | TL_POINT_WRITES);
	CHECK_EQUAL(run(100), 1);
	CHECK_EQUAL(hart.watch_hit_count, 2);
	CHECK(!hart.watch_hits[0].write && hart.watch_hits[1].write);
	CHECK_EQUAL(hart.watch_hits[1].old, 4);
	CHECK_EQUAL(hart.watch_hits[1].value, 7);
	CHECK_EQUAL(hart.x[6], 4);
	tl_points_end(&points);
}

TEST(access_over_a_page_boundary)
{
	static const tl_u32 code[] = {STORE(3, 5, 8, 0), LOAD(3, 6, 8, 0), STORE(3, 5, 7, 0)};

	begin(code, TL_COUNT(code));
	hart.x[5] = 0x1122334455667788;
	hart.x[8] = DATA + 0xffd;
	hart.x[7] = DATA + 0xff0;
	tl_store_little(memory + 0x8ffd, 0xa1a2a3a4a5a6a7a8, 8);
	add(DATA + 0x1000, 0x800, TL_POINT_WRITES);
	CHECK_EQUAL(run(100), 1);
	CHECK_EQUAL(the_hit()->address, DATA + 0xffd);
	CHECK_EQUAL(the_hit()->old, 0xa1a2a3a4a5a6a7a8);
	CHECK_EQUAL(the_hit()->value, 0x1122334455667788);
	add(DATA + 0xffe, 4, TL_POINT_READS);
	CHECK_EQUAL(run(100), 1);
	CHECK_EQUAL(the_hit()->value, 0x1122334455667788);
	CHECK_EQUAL(hart.x[6], 0x1122334455667788);
	CHECK_EQUAL(run(1), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_NONE);
	tl_points_end(&points);
}

TEST(many_watchpoints_of_many_sizes)
{
	static const tl_u32 code[] = {STORE(0, 5, 8, 0)};
	struct tl_emulator_point point = {.access = TL_POINT_WRITES};
	tl_u64 wanted;

	begin(code, TL_COUNT(code));
	for (tl_u64 i = 0; i < 3000; i++) {
		point.address = START + 0x10000 + i * 16;
		point.size = i % 100 == 7 ? 0x1000 : i % 8 + 1;
		REQUIRE(put(&point) == TL_OK);
	}
	for (tl_u64 at = START + 0xf000; at < START + 0x1e000; at += 37) {
		wanted = 0;
		for (tl_size i = 0; i < points.watchpoints.count; i++)
			wanted += at - points.watchpoints.points[i].address < points.watchpoints.points[i].size;
		hart.x[8] = at;
		hart.pc = START;
		CHECK_EQUAL(run(1), 1);
		REQUIRE(hart.watch_hit_count == (wanted < TL_WATCH_HITS_MAX ? wanted : TL_WATCH_HITS_MAX));
	}
	tl_points_end(&points);
}

#ifdef TRANSLATED
TEST(what_stands_beside_a_watched_word_is_written_in_line)
{
	static const tl_u32 code[] = {STORE(3, 5, 8, 0), LOAD(3, 6, 8, 16), AMOADD_D(6, 5, 9), 0xff5ff06f /* j .-12 */};
	tl_u64 before;

	begin(code, TL_COUNT(code));
	hart.x[9] = DATA + 0x100;
	add(DATA + 15, 1, TL_POINT_READS | TL_POINT_WRITES);
	CHECK_EQUAL(run(4000), 4000);
	before = tl_translator_count(translator).slow + tl_translator_count(translator).helped;
	CHECK_EQUAL(run(400000), 400000);
	CHECK(tl_translator_count(translator).slow + tl_translator_count(translator).helped < before + 10);
	hart.x[8] = DATA - 1;
	CHECK_EQUAL(run(4), 2);
	CHECK_EQUAL(the_hit()->address, DATA + 15);
	tl_points_end(&points);
}

TEST(a_misaligned_atomic_access_beside_a_watched_word_traps)
{
	static const tl_u32 code[] = {STORE(3, 5, 8, 0), AMOADD_D(6, 5, 9), 0xff9ff06f /* j .-8 */};

	begin(code, TL_COUNT(code));
	hart.mtvec = START + 0x100;
	hart.x[9] = DATA + 0x100;
	add(DATA + 15, 1, TL_POINT_WRITES);
	CHECK_EQUAL(run(3000), 3000);
	hart.pc = START;
	for (tl_u64 i = 1; i < 8; i++) {
		hart.pc = START;
		hart.x[9] = DATA + 0x100 + i;
		CHECK_EQUAL(run(2), 2);
		CHECK_EQUAL(hart.mcause, TL_CAUSE_STORE_MISALIGNED);
		CHECK_EQUAL(hart.mtval, DATA + 0x100 + i);
	}
	tl_points_end(&points);
}
#endif

TEST(watchpoint_that_cannot_be)
{
	struct tl_emulator_point point = {.address = TL_U64_MAX - 3, .size = 5, .access = TL_POINT_WRITES};

	begin(NULL, 0);
	CHECK(put(&point) == TL_ERROR_ARGUMENT);
	point.size = 4;
	CHECK(put(&point) == TL_OK);
	point.access = 0;
	CHECK(put(&point) == TL_ERROR_ARGUMENT);
	tl_points_end(&points);
}

/* Maps the gigabyte at 1 GiB, and the one at 2 GiB where memory really is, to the latter. */
static void use_page_table(tl_u64 table)
{
	tl_u64 entry = (START >> 12) << 10 | 0xcf; /* valid, read, write, execute, accessed, dirty */

	tl_store_little(memory + (table - START) + 8, entry, 8);
	tl_store_little(memory + (table - START) + 16, entry, 8);
	hart.satp = (tl_u64)8 << 60 | table >> 12;
	hart.privilege = TL_PRIVILEGE_SUPERVISOR;
	hart.pmp_used = true;
	hart.pmp_configuration[0] = 0x1f; /* all of it, as far as it goes */
	hart.pmp_address[0] = TL_U64_MAX >> 10;
	tl_paging_update(&hart);
	tl_paging_flush(&hart);
}

/* Whether an access meets a watchpoint of the table that watches for it. */
static bool meets_any(const struct tl_point_list *list, tl_u64 address, tl_u64 size, tl_u8 access)
{
	for (tl_size i = 0; i < list->count; i++) {
		const struct tl_emulator_point *point = &list->points[i];

		if ((point->access & access) != 0 && address + size > point->address &&
		    address < point->address + point->size)
			return true;
	}
	return false;
}

/* Accesses of all kinds to pages on which some bytes are watched, more pages than have maps at once. */
static void check_random_accesses(bool paged)
{
	static const tl_u32 code[] = {STORE(0, 5, 8, 0), STORE(1, 5, 8, 0),   STORE(2, 5, 8, 0), STORE(3, 5, 8, 0),
				      LOAD(0, 6, 8, 0),  LOAD(1, 6, 8, 0),    LOAD(2, 6, 8, 0),  LOAD(3, 6, 8, 0),
				      AMOADD_D(6, 5, 8), LOAD(3, 6, 8, 0x7f8)};
	struct tl_emulator_point point = {0};
	tl_u64 random = 1, size, wrong = 0, hits = 0, at;
	tl_u8 access;

	begin(code, TL_COUNT(code));
	if (paged)
		use_page_table(START + 0x90000);
	for (tl_u64 i = 0; i < 150; i++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		point.address = START + 0x10000 + (random >> 33) % 0x60000;
		point.size = 1 + (random >> 20) % 24;
		point.access = 1 + i % 3;
		point.space = paged && i % 2 != 0 ? TL_POINT_SPACE_PHYSICAL : TL_POINT_SPACE_VIRTUAL;
		(void)put(&point);
	}
	for (tl_u64 i = 0; i < 60000; i++) {
		const struct tl_emulator_point *near = &points.watchpoints.points[i % points.watchpoints.count];
		tl_u32 which;

		random = random * 6364136223846793005 + 1442695040888963407;
		which = (random >> 40) % TL_COUNT(code);
		hart.x[8] = (random >> 60) < 8 ? near->address - 12 + (random >> 33) % 48
					       : START + 0x10000 + (random >> 33) % 0x60000;
		if (which == 8)
			hart.x[8] &= ~(tl_u64)7;
		hart.pc = START + 4 * which;
		size = which < 8 ? 1u << which % 4 : 8;
		access = which < 4 ? TL_POINT_WRITES : which == 8 ? TL_POINT_READS | TL_POINT_WRITES : TL_POINT_READS;
		CHECK_EQUAL(run(1), 1);
		at = hart.x[8] + (which == 9 ? 0x7f8 : 0);
		wrong += (meets_any(&points.watchpoints, at, size, access) ||
			  meets_any(&points.physical_watchpoints, at, size, access)) != (hart.watch_hit_count != 0);
		hits += hart.watch_hit_count != 0;
	}
	CHECK_EQUAL(wrong, 0);
	CHECK(hits > 1000 && hits < 40000);
	tl_points_end(&points);
}

TEST(only_what_is_watched_is_told_of)
{
	check_random_accesses(false);
	check_random_accesses(true);
}

TEST(points_at_physical_addresses)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), STORE(3, 5, 8, 0), ADDI(5, 5, 1)};
	struct tl_emulator_point point = {.space = TL_POINT_SPACE_PHYSICAL, .address = START + 4};

	begin(code, TL_COUNT(code));
	use_page_table(START + 0x20000);
	hart.pc = 0x40000000;
	hart.x[8] = 0x40008000;
	CHECK(put(&point) == TL_OK);
	CHECK(tl_points_at(&points, &hart, 0x40000004));
	CHECK(!tl_points_at(&points, &hart, 0x40000008));
	CHECK_EQUAL(run(3), 1);
	CHECK_EQUAL(hart.pc, 0x40000004);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK(take(&point) == TL_OK);
	point = (struct tl_emulator_point){
		.space = TL_POINT_SPACE_PHYSICAL, .address = DATA, .size = 4, .access = TL_POINT_WRITES};
	CHECK(put(&point) == TL_OK);
	tl_paging_flush(&hart);
	CHECK_EQUAL(run(3), 1);
	CHECK_EQUAL(the_hit()->address, 0x40008000);
	CHECK_EQUAL(the_hit()->point_address, DATA);
	tl_points_end(&points);
}

TEST(points_of_one_address_space)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), STORE(3, 5, 8, 0), ADDI(5, 5, 1)};
	struct tl_emulator_point point = {.space = TL_POINT_SPACE_OF_SATP, .address = 0x40000004};

	begin(code, TL_COUNT(code));
	use_page_table(START + 0x20000);
	hart.pc = 0x40000000;
	hart.x[8] = 0x40008000;
	point.satp = hart.satp + 1;
	CHECK(put(&point) == TL_OK);
	CHECK_EQUAL(run(2), 2);
	CHECK(take(&point) == TL_OK);
	point.satp = hart.satp;
	CHECK(put(&point) == TL_OK);
	hart.pc = 0x40000000;
	CHECK_EQUAL(run(2), 1);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	tl_points_end(&points);
}

/* Code that ran in one address space, and runs in another where the point is. */
TEST(point_of_the_other_address_space)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(6, 6, 1), ADDI(7, 7, 1), 0xff5ff06f /* j .-12 */};
	struct tl_emulator_point point = {.space = TL_POINT_SPACE_OF_SATP, .address = 0x40000008};
	tl_u64 first;

	begin(code, TL_COUNT(code));
	use_page_table(START + 0x20000);
	first = hart.satp;
	hart.pc = 0x40000000;
	point.satp = first | (tl_u64)1 << 44; /* the same table, by another name */
	CHECK(put(&point) == TL_OK);
	CHECK_EQUAL(run(4000), 4000);
	hart.satp = point.satp;
	tl_paging_flush(&hart);
	CHECK_EQUAL(run(4000), 2);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.pc, 0x40000008);
	hart.satp = first;
	tl_paging_flush(&hart);
	CHECK_EQUAL(run(4000), 4000);
	tl_points_end(&points);
}

static unsigned asked;

static bool third_time(void *context, struct tl_hart *of, const struct tl_emulator_point *point)
{
	(void)context;
	(void)point;
	CHECK(of == &hart);
	return ++asked == 3;
}

TEST(what_decides_is_asked_each_time)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(5, 5, 1), JUMP_BACK_4};

	begin(code, TL_COUNT(code));
	points.decide = third_time;
	asked = 0;
	add(START + 4, 0, 0);
	CHECK_EQUAL(run(100), 5);
	CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
	CHECK_EQUAL(hart.x[5], 3);
	CHECK_EQUAL(asked, 3);
	tl_points_end(&points);
}

/* ---- Conditions ---- */

struct bytecode {
	tl_u8 bytes[512];
	tl_u16 size;
	tl_u64 random;
};

static tl_u32 any(struct bytecode *code, tl_u32 below)
{
	code->random = code->random * 6364136223846793005 + 1442695040888963407;
	return (tl_u32)(code->random >> 33) % below;
}

static void byte(struct bytecode *code, tl_u32 value)
{
	code->bytes[code->size++] = (tl_u8)value;
}

static void here(struct bytecode *code, tl_u16 site)
{
	code->bytes[site] = (tl_u8)(code->size >> 8);
	code->bytes[site + 1] = (tl_u8)code->size;
}

/* An expression whose value is one more on the stack. */
static void expression(struct bytecode *code, tl_u32 depth)
{
	static const tl_u8 binary[] = {TL_AGENT_add,    TL_AGENT_sub,     TL_AGENT_mul,          TL_AGENT_bit_and,
				       TL_AGENT_bit_or, TL_AGENT_bit_xor, TL_AGENT_equal,        TL_AGENT_less_signed,
				       TL_AGENT_equal,  TL_AGENT_lsh,     TL_AGENT_less_unsigned};
	static const tl_u8 unary[] = {TL_AGENT_log_not, TL_AGENT_bit_not, TL_AGENT_ext, TL_AGENT_zero_ext};
	static const tl_u8 widths[] = {1, 8, 13, 16, 32, 63, 64, 0};
	tl_u32 kind = depth == 0 ? any(code, 2) : any(code, 8), which;
	tl_u16 site, end;

	switch (kind) {
	case 0: /* x0 to x9 and the program counter */
		byte(code, TL_AGENT_reg);
		byte(code, 0);
		which = any(code, 11);
		byte(code, which == 10 ? 32 : which);
		break;
	case 1:
		which = any(code, 3);
		byte(code, which == 0 ? TL_AGENT_const8 : which == 1 ? TL_AGENT_const16 : TL_AGENT_const64);
		for (tl_u32 i = which == 0 ? 1 : which == 1 ? 2 : 8; i > 0; i--)
			byte(code, any(code, 4) != 0 ? 0 : any(code, 256));
		break;
	case 2:
		expression(code, depth - 1);
		which = any(code, TL_COUNT(unary));
		byte(code, unary[which]);
		if (which >= 2)
			byte(code, widths[any(code, TL_COUNT(widths))]);
		break;
	case 3: /* in the data, or nowhere at all */
		byte(code, TL_AGENT_reg);
		byte(code, 0);
		byte(code, any(code, 10) == 0 ? 9 : 8);
		byte(code, TL_AGENT_const8);
		byte(code, any(code, 64));
		byte(code, TL_AGENT_add);
		byte(code, TL_AGENT_ref8 + any(code, 4));
		break;
	case 4: /* this or that */
		expression(code, depth - 1);
		byte(code, TL_AGENT_if_goto);
		site = code->size;
		code->size += 2;
		expression(code, depth - 1);
		byte(code, TL_AGENT_goto);
		end = code->size;
		code->size += 2;
		here(code, site);
		expression(code, depth - 1);
		here(code, end);
		break;
	case 5:
		expression(code, depth - 1);
		byte(code, TL_AGENT_dup);
		byte(code, TL_AGENT_swap);
		byte(code, any(code, 2) != 0 ? TL_AGENT_pop : TL_AGENT_sub);
		break;
	default:
		expression(code, depth - 1);
		expression(code, depth - 1);
		byte(code, binary[any(code, TL_COUNT(binary))]);
		break;
	}
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (address < START || address + size > START + SIZE)
		return TL_ERROR_MEMORY;
	tl_copy(buffer, memory + (address - START), size);
	return TL_OK;
}

static enum tl_status read_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	(void)context;
	*value_ret = number == 32 ? hart.pc : hart.x[number];
	return TL_OK;
}

static bool holds(void *context, struct tl_hart *of, const struct tl_emulator_point *point)
{
	struct tl_agent_environment environment = {.read_memory = read_memory, .read_register = read_register};

	(void)context;
	CHECK(of == &hart);
	asked++;
	for (tl_u32 i = 0; i < point->condition_count; i++) {
		tl_u64 value;

		if (tl_agent_run(&point->conditions[i], &environment, &value, NULL) != TL_OK || value != 0)
			return true;
	}
	return false;
}

TEST(conditions_decide_as_their_bytecode_says)
{
	static const tl_u32 code[] = {LOAD(3, 6, 8, 0), ADDI(7, 7, 1)};
	static struct bytecode one, other;
	tl_u32 truths = 0, falsehoods = 0, wrong = 0;

	begin(code, TL_COUNT(code));
	points.decide = holds;
	asked = 0;
	one.random = other.random = 4711;
	for (tl_u32 i = 0; i < 64; i++)
		memory[0x8000 + i] = (tl_u8)any(&one, any(&one, 3) == 0 ? 256 : 2);
	for (tl_u32 round = 0; round < 4000; round++) {
		struct tl_agent_code codes[2];
		struct tl_emulator_point point = {
			.address = START + 4, .conditions = codes, .condition_count = 1 + any(&one, 2)};
		struct bytecode *both[] = {&one, &other};
		bool true_here;

		for (tl_u32 i = 0; i < 2; i++) {
			both[i]->size = 0;
			expression(both[i], any(&one, 5));
			byte(both[i], TL_AGENT_end);
			codes[i] = (struct tl_agent_code){both[i]->bytes, both[i]->size};
			REQUIRE(tl_agent_verify(&codes[i], NULL) == TL_OK);
		}
		hart.x[5] = round;
		hart.x[9] = 64;
		hart.pc = START + 4;
		hart.x[6] = tl_load_little(memory + 0x8000, 8);
		true_here = holds(NULL, &hart, &point);
		hart.pc = START;
		REQUIRE(put(&point) == TL_OK);
		wrong += run(2) != (true_here ? 1 : 2) || hart.pc != (true_here ? START + 4 : START + 8);
		wrong += hart.halt != (true_here ? TL_HALT_BREAKPOINT : TL_HALT_NONE);
		REQUIRE(take(&point) == TL_OK);
		truths += true_here;
		falsehoods += !true_here;
	}
	CHECK_EQUAL(wrong, 0);
	CHECK(truths > 500 && falsehoods > 500);
#ifdef TRANSLATED
	/* Here once for each, and seldom for one that is false. */
	CHECK(asked < 4000 + truths + falsehoods / 2);
#endif
	tl_points_end(&points);
}

/* Breakpoints at the head, in the middle and behind a short branch that is translated without a jump. */
TEST(breakpoints_that_decide_against_halting_change_nothing)
{
	static const tl_u32 code[] = {ADDI(5, 5, 1), ADDI(6, 0, 3),     0x00628463 /* beq x5, x6, +8 */,
				      ADDI(7, 7, 1), STORE(3, 5, 8, 0), 0xfedff06f /* j .-20 */};

	for (tl_u32 at = 0; at < TL_COUNT(code); at++) {
		struct tl_emulator_point point = {.address = START + 4 * at};

		begin(code, TL_COUNT(code));
		points.decide = third_time;
		asked = 0;
		REQUIRE(put(&point) == TL_OK);
		CHECK(run(1000) <= 20);
		CHECK_EQUAL(hart.halt, TL_HALT_BREAKPOINT);
		CHECK_EQUAL(hart.pc, START + 4 * at);
		CHECK_EQUAL(asked, 3);
		CHECK_EQUAL(hart.retired, (at == 3 ? 17 : 12) + at - (at > 3));
		tl_points_end(&points);
	}
}

TEST(no_storage)
{
	struct tl_emulator_point point = {.address = START};

	begin(NULL, 0);
	tl_storage_fail(1);
	CHECK(put(&point) == TL_ERROR_NO_MEMORY);
	CHECK_EQUAL(points.breakpoints.count, 0);
	CHECK(put(&point) == TL_OK);
	tl_points_end(&points);
	CHECK_EQUAL(tl_storage_live(), 0);
}

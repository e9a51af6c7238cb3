/* The computer's loop: turns, time, limits, input, and the ends of a run. */
#include "tests/unit/test.h"

#include "targets/emulator/computer_load.h"

#include <unistd.h>

#define MEMORY ((tl_u64)32 << 20)
#define QUANTUM 1000
#define TEXT TL_BOARD_MEMORY

enum { X0 = 0, T0 = 5, T1 = 6, T2 = 7, A0 = 10, A1 = 11 };

/* A few instructions. */
#define ADDI(rd, rs1, number) ((tl_u32)(number) << 20 | (tl_u32)(rs1) << 15 | (tl_u32)(rd) << 7 | 0x13)
#define LUI(rd, number) ((tl_u32)(number) << 12 | (tl_u32)(rd) << 7 | 0x37)
#define SW(rs2, rs1, at)                                                                                               \
	((tl_u32)((at) >> 5 & 127) << 25 | (tl_u32)(rs2) << 20 | (tl_u32)(rs1) << 15 | 2u << 12 |                      \
	 (tl_u32)((at)&31) << 7 | 0x23)
#define SD(rs2, rs1, at) (SW(rs2, rs1, at) | 1u << 12)
#define LD(rd, rs1, at) ((tl_u32)(at) << 20 | (tl_u32)(rs1) << 15 | 3u << 12 | (tl_u32)(rd) << 7 | 0x03)
#define LW(rd, rs1, at) (LD(rd, rs1, at) ^ 1u << 12)
#define CSRW(csr, rs1) ((tl_u32)(csr) << 20 | (tl_u32)(rs1) << 15 | 1u << 12 | 0x73)
#define CSRR(rd, csr) ((tl_u32)(csr) << 20 | 2u << 12 | (tl_u32)(rd) << 7 | 0x73)
#define BACK(by) /* jumps back by so many instructions */                                                              \
	((tl_u32)((-4 * (by)) >> 20 & 1) << 31 | (tl_u32)((-4 * (by)) >> 1 & 1023) << 21 |                             \
	 (tl_u32)((-4 * (by)) >> 11 & 1) << 20 | (tl_u32)((-4 * (by)) >> 12 & 255) << 12 | 0x6f)
#define BNE_ON(rs1, rs2, by) /* jumps on by so many */                                                                 \
	((tl_u32)((4 * (by)) >> 5 & 63) << 25 | (tl_u32)(rs2) << 20 | (tl_u32)(rs1) << 15 | 1u << 12 |                 \
	 (tl_u32)((4 * (by)) >> 1 & 15) << 8 | 0x63)
#define BEQ_ON(rs1, rs2, by) (BNE_ON(rs1, rs2, by) ^ 1u << 12)
#define WFI 0x10500073u

#define MIE 0x304
#define TIME 0xc01

#define RESET_CODE 6 /* instructions before the program's first */

static struct tl_computer computer;

static bool start(tl_u32 harts, const tl_u32 *code, tl_size size)
{
	struct tl_computer_configuration configuration = {.harts = harts, .memory_size = MEMORY, .quantum = QUANTUM};
	struct tl_error error;

	if (tl_computer_open(&computer, &configuration, &error) != TL_OK ||
	    tl_computer_load(&computer, "the program", TEXT, code, size, size, &error) != TL_OK)
		return false;
	computer.entry = TEXT;
	return tl_computer_reset(&computer, &error) == TL_OK;
}

#define START(harts, code) REQUIRE(start(harts, code, sizeof(code)))

static enum tl_computer_exit run_to(tl_u64 begun)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	limits.begun = begun;
	return tl_computer_run(&computer, &limits);
}

static enum tl_computer_exit run(void)
{
	return tl_computer_run(&computer, &TL_COMPUTER_FOREVER);
}

/* Counts in t0, for ever. */
static const tl_u32 counting[] = {ADDI(T0, T0, 1), BACK(1)};

TEST(harts_take_turns_of_the_same_length)
{
	START(3, counting);
	CHECK_EQUAL(run_to(QUANTUM), TL_COMPUTER_REACHED);
	CHECK_EQUAL(computer.begun, QUANTUM);
	CHECK_EQUAL(tl_computer_now(&computer), QUANTUM);
	CHECK_EQUAL(computer.harts[0].x[T0], TEXT + (QUANTUM - RESET_CODE + 1) / 2);
	CHECK_EQUAL(computer.harts[1].x[T0], 0);
	CHECK_EQUAL(run_to(QUANTUM + 500), TL_COMPUTER_REACHED);
	CHECK_EQUAL(computer.turn, 1);
	CHECK_EQUAL(tl_computer_now(&computer), 500);
	CHECK_EQUAL(run_to((tl_u64)QUANTUM * 300), TL_COMPUTER_REACHED);
	for (tl_u32 i = 0; i < 3; i++) {
		CHECK_EQUAL(computer.turns[i].begun, QUANTUM * 100);
		CHECK_EQUAL(computer.harts[i].x[A0], i);
	}
	tl_computer_close(&computer);
}

TEST(where_a_run_is_interrupted_makes_no_difference)
{
	tl_u64 once[3];

	START(3, counting);
	CHECK_EQUAL(run_to(123457), TL_COMPUTER_REACHED);
	for (tl_u32 i = 0; i < 3; i++)
		once[i] = computer.harts[i].x[T0];
	REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
	CHECK_EQUAL(computer.begun, 0);
	for (tl_u64 at = 0; at < 123457; at += 37)
		CHECK_EQUAL(run_to(at), TL_COMPUTER_REACHED);
	CHECK_EQUAL(run_to(123457), TL_COMPUTER_REACHED);
	for (tl_u32 i = 0; i < 3; i++)
		CHECK_EQUAL(computer.harts[i].x[T0], once[i]);
	tl_computer_close(&computer);
}

/* A hart that is alone runs through several rounds at once, which nobody can tell. */
TEST(rounds_that_are_run_at_once_are_rounds)
{
	static const tl_u64 ends[] = {
		1, QUANTUM - 1, QUANTUM, QUANTUM + 1, 5 * QUANTUM + 123, 40 * QUANTUM, 40 * QUANTUM + 1};
	struct tl_computer_position position, once;
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	START(1, counting);
	for (tl_u32 i = 0; i < TL_COUNT(ends); i++) {
		REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
		CHECK_EQUAL(run_to(ends[i]), TL_COMPUTER_REACHED);
		once = tl_computer_position(&computer);
		CHECK_EQUAL(once.now, ends[i]);
		CHECK_EQUAL(once.round, (ends[i] - 1) / QUANTUM * QUANTUM);
		REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
		for (tl_u64 at = 0; at < ends[i]; at += 37)
			CHECK_EQUAL(run_to(at), TL_COMPUTER_REACHED);
		CHECK_EQUAL(run_to(ends[i]), TL_COMPUTER_REACHED);
		position = tl_computer_position(&computer);
		CHECK_EQUAL(tl_computer_compare(&position, &once), 0);
		/* A position in a round that has not begun yet is not run past. */
		REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
		limits.until = &once;
		CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_REACHED);
		position = tl_computer_position(&computer);
		CHECK_EQUAL(tl_computer_compare(&position, &once), 0);
		CHECK_EQUAL(computer.begun, ends[i]);
	}
	tl_computer_close(&computer);
}

/* Sets the clock's alarm to 1.5 rounds from now, waits until it has rung, and switches the machine off. */
static const tl_u32 alarmed[] = {
	LUI(T0, 0x101),    LW(T1, T0, 0), ADDI(T1, T1, 1500), SW(X0, T0, 12), SW(T1, T0, 8),
	LW(T2, T0, 24), /* whether it is still to ring */
	BEQ_ON(T2, X0, 2), BACK(2),       LUI(T0, 0x100),     LUI(T1, 5),     ADDI(T1, T1, 0x555),
	SW(T1, T0, 0),     BACK(1),
};

TEST(a_timer_that_is_set_within_rounds_run_at_once_comes_due_at_the_end_of_its_own)
{
	tl_u64 begun;

	START(1, alarmed);
	CHECK_EQUAL(run(), TL_COMPUTER_OFF);
	begun = computer.begun;
	CHECK(begun > (tl_u64)2 * QUANTUM && begun < 2 * QUANTUM + 12);
	REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
	for (tl_u64 at = 0; at < begun; at += 37)
		CHECK_EQUAL(run_to(at), TL_COMPUTER_REACHED);
	CHECK_EQUAL(run(), TL_COMPUTER_OFF);
	CHECK_EQUAL(computer.begun, begun);
	tl_computer_close(&computer);
}

TEST(one_hart_steps_while_others_run_or_are_held)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	START(2, counting);
	limits.hart = 1;
	limits.hart_begun = 1;
	CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_REACHED);
	CHECK_EQUAL(computer.turns[0].begun, QUANTUM);
	CHECK_EQUAL(computer.turns[1].begun, 1);
	computer.held = 1;
	limits.hart_begun = 3 * QUANTUM;
	CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_REACHED);
	CHECK_EQUAL(computer.turns[0].begun, QUANTUM);
	CHECK_EQUAL(computer.turns[1].begun, 3 * QUANTUM);
	CHECK_EQUAL(tl_computer_now(&computer), 3 * QUANTUM);
	tl_computer_close(&computer);
}

TEST(a_stop_that_was_requested_is_obeyed_once)
{
	START(1, counting);
	tl_computer_request_stop(&computer);
	tl_computer_request_stop(&computer);
	CHECK_EQUAL(run(), TL_COMPUTER_STOPPED);
	CHECK_EQUAL(computer.begun, 0);
	CHECK_EQUAL(run_to(10), TL_COMPUTER_REACHED);
	tl_computer_close(&computer);
}

/* Waits for its timer at 5000 ticks and reads the time; then waits for what never comes. */
static const tl_u32 sleeping[] = {
	LUI(T0, 0x2004), /* mtimecmp */
	LUI(T1, 1),
	ADDI(T1, T1, 904), /* 5000 */
	SD(T1, T0, 0),
	ADDI(T2, X0, 128), /* the timer */
	CSRW(MIE, T2),
	WFI,
	CSRR(A1, TIME),
	CSRW(MIE, X0),
	WFI,
	BACK(1),
};

TEST(time_jumps_while_all_harts_wait)
{
	START(1, sleeping);
	CHECK_EQUAL(run(), TL_COMPUTER_STUCK);
	CHECK_EQUAL(computer.harts[0].x[A1], 5000);
	CHECK_EQUAL(computer.begun, RESET_CODE + 10);
	CHECK_EQUAL(tl_computer_deadline(&computer), TL_U64_MAX);
	tl_computer_close(&computer);
}

TEST(idle_time_is_told_and_let_pass)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	struct tl_input time = {.kind = TL_INPUT_TIME, .number = 400000};

	START(2, sleeping);
	limits.tell_idle = true;
	CHECK_EQUAL(tl_computer_input(&computer, &time), 0); /* nobody is idle */
	CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_IDLE);
	CHECK(tl_computer_is_idle(&computer));
	CHECK_EQUAL(tl_computer_deadline(&computer), 500000);
	CHECK_EQUAL(tl_computer_input(&computer, &time), 1);
	CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_IDLE);
	time.number = 500001;
	CHECK_EQUAL(tl_computer_input(&computer, &time), 0);
	time.number = 500000;
	CHECK_EQUAL(tl_computer_input(&computer, &time), 1);
	CHECK_EQUAL(tl_computer_run(&computer, &limits), TL_COMPUTER_STUCK); /* hart 1 has no timer */
	CHECK_EQUAL(computer.harts[0].x[A1], 5000);
	tl_computer_close(&computer);
}

/* Hart 1 waits for a software interrupt from hart 0, which comes late; then it switches the machine off. */
static const tl_u32 calling[] = {
	ADDI(T2, X0, 8),
	CSRW(MIE, T2),
	BNE_ON(A0, X0, 6),
	ADDI(T1, X0, 1),
	LUI(T0, 0x2000),
	SW(T1, T0, 4),
	WFI,
	BACK(1),
	WFI,
	CSRR(A1, TIME),
	LUI(T0, 0x100),
	LUI(T1, 5),
	ADDI(T1, T1, 0x555),
	SW(T1, T0, 0),
	BACK(1),
};

TEST(a_hart_wakes_another)
{
	START(2, calling);
	CHECK_EQUAL(run(), TL_COMPUTER_OFF);
	CHECK(computer.harts[0].waiting);
	CHECK(!computer.harts[1].waiting);
	/* The write to the finisher is the last instruction. */
	CHECK_EQUAL(computer.turns[1].begun, RESET_CODE + 9);
	CHECK_EQUAL(run(), TL_COMPUTER_OFF);
	CHECK_EQUAL(computer.turns[1].begun, RESET_CODE + 9);
	tl_computer_close(&computer);
}

/* Ends as the word at t1 says, which the test puts there. */
static const tl_u32 finishing[] = {LUI(T0, 0x100), SW(T1, T0, 0), BACK(1)};

static enum tl_computer_exit finish_with(tl_u64 word)
{
	tl_u8 bytes[8];
	struct tl_input input = {.kind = TL_INPUT_REGISTER, .number = T1, .bytes = bytes, .size = 8};

	tl_store_little(bytes, word, 8);
	if (tl_computer_reset(&computer, NULL) != TL_OK || tl_computer_input(&computer, &input) != 8)
		abort();
	return run();
}

TEST(the_guest_ends_the_run)
{
	START(1, finishing);
	CHECK_EQUAL(finish_with(0x5555), TL_COMPUTER_OFF);
	CHECK_EQUAL(finish_with(0x12343333), TL_COMPUTER_FAILED);
	CHECK_EQUAL(computer.board.finisher.code, 0x1234);
	CHECK_EQUAL(finish_with(0x7777), TL_COMPUTER_RESET);
	CHECK_EQUAL(computer.harts[0].pc, TEXT + 8);
	tl_computer_close(&computer);
}

struct seen {
	int inputs, changes;
	tl_u64 begun, physical;
};

static void entered(void *context, const struct tl_input *input)
{
	struct seen *seen = context;

	(void)input;
	seen->inputs++;
	seen->begun = computer.begun;
}

static void changes(void *context, tl_u64 physical, tl_u64 size)
{
	struct seen *seen = context;

	(void)size;
	seen->changes++;
	seen->physical = physical;
}

TEST(input_enters_where_the_log_says)
{
	struct tl_input write = {
		.kind = TL_INPUT_MEMORY, .number = TEXT + 0x100, .bytes = (const tl_u8 *)"abcd", .size = 4};
	struct tl_input type = {.kind = TL_INPUT_UART, .bytes = (const tl_u8 *)"xyz", .size = 3};
	struct tl_input slot = {.kind = TL_INPUT_SLOT, .number = 99, .bytes = (const tl_u8 *)"x", .size = 1};
	struct seen seen = {0};

	START(1, counting);
	computer.input_entered = entered;
	computer.memory_changes = changes;
	computer.context = &seen;
	CHECK_EQUAL(run_to(77), TL_COMPUTER_REACHED);
	CHECK_EQUAL(tl_computer_input(&computer, &write), 4);
	CHECK(memcmp(tl_computer_look(&computer, TEXT + 0x100, 4), "abcd", 4) == 0);
	CHECK_EQUAL(seen.inputs, 1);
	CHECK_EQUAL(seen.begun, 77);
	CHECK_EQUAL(seen.physical, TEXT + 0x100);
	CHECK_EQUAL(tl_computer_input(&computer, &type), 1); /* without its queue the port holds one byte */
	CHECK_EQUAL(tl_computer_input(&computer, &type), 0);
	CHECK_EQUAL(tl_computer_input(&computer, &slot), 0);
	write.number = TL_BOARD_ROM; /* read-only */
	CHECK_EQUAL(tl_computer_input(&computer, &write), 0);
	write.number = TEXT + MEMORY - 2;
	CHECK_EQUAL(tl_computer_input(&computer, &write), 0);
	CHECK_EQUAL(seen.inputs, 2);
	CHECK_EQUAL(seen.changes, 1);
	REQUIRE(tl_computer_reset(&computer, NULL) == TL_OK);
	CHECK_EQUAL(tl_load_little(tl_computer_look(&computer, TEXT + 0x100, 4), 4), 0);
	CHECK(tl_computer_look(&computer, TL_BOARD_UART, 4) == NULL);
	CHECK(tl_computer_look(&computer, TEXT, 0) == NULL);
	tl_computer_close(&computer);
}

TEST(configurations_that_make_no_machine_are_refused)
{
	struct tl_computer_configuration good = {.harts = 1, .memory_size = MEMORY}, bad;
	struct tl_error error;

	for (int i = 0; i < 5; i++) {
		bad = good;
		if (i == 0)
			bad.harts = 0;
		else if (i == 1)
			bad.harts = TL_BOARD_HARTS_MAX + 1;
		else if (i == 2)
			bad.memory_size += 1;
		else if (i == 3)
			bad.memory_size = 4096;
		else
			bad.quantum = TL_COMPUTER_QUANTUM_MAX + 1;
		CHECK(tl_computer_open(&computer, &bad, &error) == TL_ERROR_ARGUMENT);
		CHECK(error.text[0] != '\0');
	}
}

TEST(what_does_not_fit_into_memory_is_refused)
{
	struct tl_error error;

	START(1, counting);
	CHECK(tl_computer_load(&computer, "x", TEXT + 4, "x", 1, 1, &error) ==
	      TL_ERROR_ARGUMENT); /* meets the program */
	CHECK(tl_computer_load(&computer, "x", TEXT - 1, "x", 1, 1, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load(&computer, "x", TEXT + MEMORY, "x", 1, 1, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load(&computer, "x", TEXT + 4096, "x", 1, TL_U64_MAX, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load(&computer, "x", TL_U64_MAX, "x", 1, 1, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load(&computer, "x", TEXT + 4096, "", 0, 0, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load(&computer, "x", TEXT + MEMORY - 4096, "x", 1, 1, &error) == TL_OK);
	CHECK(tl_computer_load(&computer, "x", TEXT + MEMORY - (2 << 20), "x", 1, 1, &error) == TL_ERROR_ARGUMENT);
	tl_computer_close(&computer);
}

static enum tl_status load_bytes(const void *bytes, tl_size size, bool any, struct tl_error *error)
{
	char path[] = "/tmp/trapline-computer-XXXXXX";
	int file = mkstemp(path);
	enum tl_status status;

	if (file < 0 || write(file, bytes, size) != (ssize_t)size)
		abort();
	close(file);
	status = tl_computer_load_kernel(&computer, path, any, error);
	unlink(path);
	return status;
}

TEST(files_that_are_no_kernel_are_refused_with_a_reason)
{
	static tl_u8 image[4096];
	struct tl_error error;

	START(1, counting);
	CHECK(load_bytes("\x1f\x8b\x08 damaged", 11, true, &error) == TL_ERROR_MALFORMED);
	CHECK(strstr(error.text, "gzip") != NULL);
	CHECK(load_bytes("\x28\xb5\x2f\xfd damaged", 12, true, &error) == TL_ERROR_MALFORMED);
	CHECK(load_bytes("MZ\0\0zimg\xff\xff\xff\xff\xff\xff\xff\xff................", 32, true, &error) ==
	      TL_ERROR_MALFORMED);
	CHECK(load_bytes("MZ\0\0zimg\x18\0\0\0\x8\0\0\0xz..............", 32, true, &error) == TL_ERROR_MALFORMED);
	CHECK(load_bytes("\177ELF", 4, true, &error) != TL_OK);
	CHECK(load_bytes("", 0, true, &error) == TL_ERROR_MALFORMED);
	CHECK(load_bytes("just a text", 11, false, &error) == TL_ERROR_MALFORMED);
	CHECK(strstr(error.text, "no kernel") != NULL);
	CHECK(load_bytes("just a text", 11, true, &error) == TL_OK);
	tl_store_little(image + 0x38, 0x05435352, 4); /* "RSC" and 5 */
	tl_store_little(image + 16, MEMORY * 2, 8);
	CHECK(load_bytes(image, sizeof(image), false, &error) ==
	      TL_ERROR_ARGUMENT); /* needs more memory than there is */
	CHECK(strstr(error.text, "more memory") != NULL);
	tl_store_little(image + 16, TL_U64_MAX, 8);
	CHECK(load_bytes(image, sizeof(image), false, &error) == TL_ERROR_MALFORMED);
	tl_store_little(image + 16, 0, 8);
	image[24] = 1; /* big-endian */
	CHECK(load_bytes(image, sizeof(image), false, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_computer_load_kernel(&computer, "/nonexistent", false, &error) == TL_ERROR_ARGUMENT);
	CHECK(tl_computer_load_initrd(&computer, "/", &error) == TL_ERROR_MALFORMED);
	CHECK(tl_computer_load_program(&computer, "/dev/null", &error) == TL_ERROR_MALFORMED);
	CHECK(tl_computer_load_program(&computer, "/proc/self/exe", &error) == TL_ERROR_MALFORMED);
	tl_computer_close(&computer);
}

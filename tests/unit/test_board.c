/* The devices of the RISC-V board: timers, interrupt controller, clock, slots; and its device tree. */
#include "machine/device_tree.h"
#include "machine/riscv_board.h"
#include "tests/unit/test.h"

#include <libfdt.h>

#define HARTS 2
#define MEMORY_SIZE 0x100000
#define NEVER (~(tl_u64)0)

/* A machine of which time stands where the test puts it. */
struct bench {
	struct tl_riscv_board board;
	struct tl_services services;
	tl_u64 now;
	struct tl_timer *armed;
	tl_u32 levels[HARTS]; /* bits of mip */
	int attentions;
	tl_u8 memory[MEMORY_SIZE];
};

static tl_u64 now(void *context)
{
	return ((struct bench *)context)->now;
}

static void arm(void *context, struct tl_timer *timer, tl_u64 when)
{
	((struct bench *)context)->armed = timer;
	timer->when = when;
}

static void disarm(void *context, struct tl_timer *timer)
{
	struct bench *bench = context;

	if (bench->armed == timer)
		bench->armed = NULL;
}

static void attention(void *context)
{
	((struct bench *)context)->attentions++;
}

static void hart_line(void *context, tl_u32 number, bool level)
{
	struct bench *bench = context;
	tl_u32 bit = (tl_u32)1 << TL_BOARD_LINE_INTERRUPT(number), *levels = &bench->levels[TL_BOARD_LINE_HART(number)];

	*levels = level ? *levels | bit : *levels & ~bit;
}

static struct bench *make(void)
{
	static struct bench bench;

	memset(&bench, 0, sizeof(bench));
	bench.services = (struct tl_services){
		.context = &bench, .now = now, .arm = arm, .disarm = disarm, .attention = attention};
	if (!tl_riscv_board_make(&bench.board, HARTS, bench.memory, MEMORY_SIZE, &bench.services, hart_line, &bench))
		abort();
	tl_riscv_board_reset(&bench.board);
	return &bench;
}

static tl_u64 get(struct bench *bench, tl_u64 address, tl_u32 size)
{
	const struct tl_bus_region *region = tl_bus_find(&bench->board.bus, address, size);

	return region->operations->read(region->device, address - region->start, size);
}

static void put(struct bench *bench, tl_u64 address, tl_u64 value, tl_u32 size)
{
	const struct tl_bus_region *region = tl_bus_find(&bench->board.bus, address, size);

	region->operations->write(region->device, address - region->start, value, size);
}

#define MSIP(hart) (TL_BOARD_ACLINT + 4ull * (hart))
#define COMPARE(hart) (TL_BOARD_ACLINT + 0x4000 + 8ull * (hart))
#define TIME (TL_BOARD_ACLINT + 0xbff8)

TEST(software_interrupts_go_to_their_hart)
{
	struct bench *bench = make();

	put(bench, MSIP(1), 0xffffffff, 4);
	CHECK_EQUAL(get(bench, MSIP(1), 4), 1);
	CHECK_EQUAL(bench->levels[0], 0);
	CHECK_EQUAL(bench->levels[1], 1 << 3);
	put(bench, MSIP(1), 2, 4);
	CHECK_EQUAL(bench->levels[1], 0);
	put(bench, MSIP(HARTS), 1, 4); /* of a hart that is not there */
	CHECK_EQUAL(get(bench, MSIP(HARTS), 4), 0);
	put(bench, MSIP(0), 1, 4);
	tl_riscv_board_reset(&bench->board);
	CHECK_EQUAL(bench->levels[0], 0);
}

TEST(timers_compare_with_the_time_that_is_shown)
{
	struct bench *bench = make();
	const struct tl_aclint *aclint = &bench->board.aclint;

	CHECK_EQUAL(get(bench, COMPARE(0), 8), NEVER);
	bench->now = 12345;
	CHECK_EQUAL(get(bench, TIME, 8), 123);
	put(bench, COMPARE(0), 124, 8);
	CHECK_EQUAL(bench->levels[0], 0);
	CHECK_EQUAL(bench->attentions, 1);
	CHECK_EQUAL(tl_aclint_deadline(aclint, 124, 12345), 12400);
	CHECK_EQUAL(tl_aclint_deadline(aclint, 124, 12400), NEVER);
	bench->now = 12399;
	tl_aclint_update(&bench->board.aclint, 0, bench->now);
	CHECK_EQUAL(bench->levels[0], 0);
	bench->now = 12400;
	tl_aclint_update(&bench->board.aclint, 0, bench->now);
	CHECK_EQUAL(bench->levels[0], 1 << 7);
	/* Half by half, as a 32-bit hart does. */
	put(bench, COMPARE(0) + 4, 1, 4);
	CHECK_EQUAL(get(bench, COMPARE(0), 8), 0x10000007cull);
	CHECK_EQUAL(get(bench, COMPARE(0) + 4, 4), 1);
	CHECK_EQUAL(bench->levels[0], 0);
	CHECK_EQUAL(tl_aclint_deadline(aclint, NEVER, 12400), NEVER);
}

TEST(the_time_can_be_set)
{
	struct bench *bench = make();
	const struct tl_aclint *aclint = &bench->board.aclint;

	bench->now = 1000;
	put(bench, COMPARE(1), 500, 8);
	put(bench, TIME, 400, 8);
	CHECK_EQUAL(get(bench, TIME, 8), 400);
	CHECK_EQUAL(tl_aclint_deadline(aclint, 500, 1000), 11000);
	CHECK_EQUAL(tl_aclint_deadline(aclint, 100, 1000), NEVER);
	put(bench, TIME, 500, 8);
	CHECK_EQUAL(bench->levels[1], 1 << 7);
	put(bench, TIME, 0, 8); /* back before the machine's own time */
	CHECK_EQUAL(get(bench, TIME, 8), 0);
	CHECK_EQUAL(bench->levels[1], 0);
	CHECK_EQUAL(tl_aclint_deadline(aclint, 500, 1000), 51000);
	CHECK_EQUAL(tl_aclint_deadline(aclint, NEVER, 1000), NEVER);
	put(bench, TIME + 8, 7, 8); /* nothing is behind it */
	CHECK_EQUAL(get(bench, TIME, 8), 0);
	CHECK_EQUAL(get(bench, TIME + 8, 8), 0);
}

/* A hart that is behind the one which has set mtime to 0 sees it before that: as the highest numbers there are. */
TEST(a_timer_is_not_due_any_more_when_the_time_has_gone_around)
{
	struct bench *bench = make();
	struct tl_aclint *aclint = &bench->board.aclint;

	bench->now = 1000;
	put(bench, TIME, 0, 8);
	put(bench, COMPARE(1), NEVER - 4, 8);
	CHECK_EQUAL(tl_aclint_deadline(aclint, NEVER - 4, 0), 500);
	tl_aclint_update(aclint, 1, 500);
	CHECK_EQUAL(bench->levels[1], 1 << 7);
	CHECK_EQUAL(tl_aclint_deadline(aclint, NEVER - 4, 500), 1000);
	tl_aclint_update(aclint, 1, 1000);
	CHECK_EQUAL(bench->levels[1], 0);
	CHECK_EQUAL(tl_aclint_deadline(aclint, NEVER - 4, 1000), NEVER);
}

#define PRIORITY(source) (TL_BOARD_PLIC + 4ull * (source))
#define ENABLE(context) (TL_BOARD_PLIC + 0x2000 + 0x80ull * (context))
#define THRESHOLD(context) (TL_BOARD_PLIC + 0x200000 + 0x1000ull * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

/* Contexts: machine and supervisor of hart 0, machine and supervisor of hart 1. */
#define SUPERVISOR_1 3

TEST(interrupts_are_claimed_by_priority_and_come_again_when_completed)
{
	struct bench *bench = make();
	struct tl_line three = tl_plic_input(&bench->board.plic, 3), seven = tl_plic_input(&bench->board.plic, 7);

	put(bench, PRIORITY(3), 1, 4);
	put(bench, PRIORITY(7), 2, 4);
	put(bench, ENABLE(SUPERVISOR_1), 1 << 3 | 1 << 7, 4);
	tl_line_set(&three, true);
	tl_line_set(&seven, true);
	CHECK_EQUAL(get(bench, TL_BOARD_PLIC + 0x1000, 4), 1 << 3 | 1 << 7);
	CHECK_EQUAL(bench->levels[0], 0);
	CHECK_EQUAL(bench->levels[1], 1 << 9);
	CHECK_EQUAL(get(bench, CLAIM(SUPERVISOR_1), 4), 7);
	CHECK_EQUAL(get(bench, CLAIM(SUPERVISOR_1), 4), 3);
	CHECK_EQUAL(bench->levels[1], 0);
	CHECK_EQUAL(get(bench, CLAIM(SUPERVISOR_1), 4), 0);
	tl_line_set(&three, false);
	put(bench, CLAIM(SUPERVISOR_1), 3, 4);
	CHECK_EQUAL(bench->levels[1], 0);
	put(bench, CLAIM(SUPERVISOR_1), 7, 4); /* still held up */
	CHECK_EQUAL(bench->levels[1], 1 << 9);
	tl_line_set(&seven, false);
	CHECK_EQUAL(bench->levels[1], 0);
}

TEST(thresholds_and_priority_0_keep_interrupts_back)
{
	struct bench *bench = make();
	struct tl_line five = tl_plic_input(&bench->board.plic, 5);

	put(bench, ENABLE(0), NEVER, 4);
	tl_line_set(&five, true);
	CHECK_EQUAL(bench->levels[0], 0); /* its priority is 0 */
	put(bench, PRIORITY(5), 3, 4);
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	put(bench, THRESHOLD(0), 3, 4);
	CHECK_EQUAL(get(bench, THRESHOLD(0), 4), 3);
	CHECK_EQUAL(bench->levels[0], 0);
	put(bench, THRESHOLD(0), 2, 4);
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	put(bench, CLAIM(1), 5, 4); /* completed by one that was not told */
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	CHECK_EQUAL(get(bench, CLAIM(0), 4), 5);
	put(bench, CLAIM(SUPERVISOR_1), 5, 4); /* nor is it enabled there */
	CHECK_EQUAL(bench->levels[0], 0);
}

TEST(no_access_to_the_controller_does_harm)
{
	struct bench *bench = make();

	for (tl_u64 offset = 0; offset < TL_PLIC_SIZE; offset += 124) {
		for (tl_u32 size = 1; size <= 8; size *= 2) {
			(void)get(bench, TL_BOARD_PLIC + (offset & ~(tl_u64)7), size);
			put(bench, TL_BOARD_PLIC + (offset & ~(tl_u64)7), NEVER, size);
		}
	}
	for (tl_u64 offset = 0; offset < TL_ACLINT_SIZE; offset += 4) {
		(void)get(bench, TL_BOARD_ACLINT + offset, 4);
		put(bench, TL_BOARD_ACLINT + offset, NEVER, 4);
	}
	CHECK_EQUAL(get(bench, PRIORITY(0), 4), 0);
	CHECK_EQUAL(get(bench, PRIORITY(30), 4), TL_PLIC_PRIORITY_MAX);
}

#define RTC(offset) (TL_BOARD_RTC + (offset))

TEST(the_clock_goes_on_from_where_it_was_set)
{
	struct bench *bench = make();

	bench->board.rtc.start = 0x1234567890abcdefull;
	tl_riscv_board_reset(&bench->board);
	bench->now = 1;
	CHECK_EQUAL(get(bench, RTC(0), 4), 0x90abcdf0);
	bench->now = 0x100000000ull;
	CHECK_EQUAL(get(bench, RTC(4), 4), 0x12345678); /* as it was with the lower half */
	put(bench, RTC(4), 5, 4);
	put(bench, RTC(0), 6, 4);
	bench->now += 10;
	CHECK_EQUAL(get(bench, RTC(0), 4), 16);
	CHECK_EQUAL(get(bench, RTC(4), 4), 5);
}

TEST(the_clock_rings)
{
	struct bench *bench = make();

	put(bench, PRIORITY(TL_BOARD_RTC_SOURCE), 1, 4);
	put(bench, ENABLE(0), 1 << TL_BOARD_RTC_SOURCE, 4);
	put(bench, RTC(0x10), 1, 4);
	put(bench, RTC(0x0c), 0, 4);
	put(bench, RTC(0x08), 1000, 4);
	CHECK_EQUAL(get(bench, RTC(0x18), 4), 1);
	REQUIRE(bench->armed != NULL);
	CHECK_EQUAL(bench->armed->when, 1000);
	bench->now = 1000;
	bench->armed->expired(bench->armed->device);
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	CHECK_EQUAL(get(bench, RTC(0x18), 4), 0);
	put(bench, RTC(0x1c), 1, 4);
	CHECK_EQUAL(bench->levels[0], 0);
	bench->armed = NULL;
	put(bench, RTC(0x08), 10, 4); /* in the past */
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	put(bench, RTC(0x10), 0, 4);
	CHECK_EQUAL(bench->levels[0], 0);
	put(bench, RTC(0x08), 5000, 4);
	put(bench, RTC(0x14), 1, 4);
	CHECK(bench->armed == NULL);
}

struct plugged {
	tl_u64 value;
	int resets;
};

static tl_u64 plugged_read(void *device, tl_u64 offset, tl_u32 size)
{
	return ((struct plugged *)device)->value + offset + size;
}

static void plugged_write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	((struct plugged *)device)->value = value + offset + size;
}

static void plugged_reset(void *device)
{
	((struct plugged *)device)->resets++;
}

static tl_size plugged_receive(void *device, const tl_u8 *bytes, tl_size size)
{
	((struct plugged *)device)->value = bytes[size - 1];
	return size - 1;
}

TEST(slots_are_empty_until_something_is_plugged_in)
{
	static const struct tl_device_operations operations = {
		.read = plugged_read, .write = plugged_write, .reset = plugged_reset, .receive = plugged_receive};
	struct bench *bench = make();
	struct plugged plugged = {0};
	struct tl_line line;

	CHECK_EQUAL(get(bench, TL_BOARD_SLOT, 4), 0x74726976);
	CHECK_EQUAL(get(bench, TL_BOARD_SLOT + 8, 4), 0);
	put(bench, TL_BOARD_SLOT + 0x70, 1, 4);
	CHECK_EQUAL(tl_riscv_board_receive(&bench->board, 7, (const tl_u8 *)"abc", 3), 0);
	tl_riscv_board_plug(&bench->board, 7, &operations, &plugged);
	CHECK_EQUAL(plugged.resets, 1);
	put(bench, TL_BOARD_SLOT + 0x7010, 1, 4);
	CHECK_EQUAL(plugged.value, 0x15);
	CHECK_EQUAL(get(bench, TL_BOARD_SLOT + 0x7000, 4), 0x19);
	CHECK_EQUAL(tl_riscv_board_receive(&bench->board, 7, (const tl_u8 *)"abc", 3), 2);
	CHECK_EQUAL(plugged.value, 'c');
	put(bench, PRIORITY(8), 1, 4);
	put(bench, ENABLE(0), 1 << 8, 4);
	line = tl_riscv_board_line(&bench->board, 7);
	tl_line_set(&line, true);
	CHECK_EQUAL(bench->levels[0], 1 << 11);
	tl_riscv_board_reset(&bench->board);
	CHECK_EQUAL(plugged.resets, 2);
	tl_riscv_board_plug(&bench->board, 7, NULL, NULL);
	CHECK_EQUAL(get(bench, TL_BOARD_SLOT + 0x7000, 4), 0x74726976);
}

TEST(the_device_tree_is_well_formed_and_says_what_there_is)
{
	static tl_u8 tree[TL_DEVICE_TREE_MAX];
	static char line[TL_DEVICE_TREE_MAX];
	struct tl_device_tree_choices choices = {
		.command_line = "quiet", .initrd_start = 0x88000000, .initrd_end = 0x88001000, .seed = 1};
	struct bench *bench = make();
	int node, length = 0;
	tl_size size = 0;

	REQUIRE(tl_device_tree_make(&bench->board, &choices, tree, sizeof(tree), &size) == TL_OK);
	CHECK_EQUAL(fdt_check_full(tree, size), 0);
	node = fdt_path_offset(tree, "/chosen");
	CHECK_TEXT((const char *)fdt_getprop(tree, node, "bootargs", NULL), "quiet");
	CHECK(fdt_path_offset(tree, (const char *)fdt_getprop(tree, node, "stdout-path", NULL)) >= 0);
	CHECK(fdt_path_offset(tree, "/cpus/cpu@1") >= 0);
	CHECK(fdt_path_offset(tree, "/cpus/cpu@2") < 0);
	CHECK(fdt_path_offset(tree, "/soc/virtio_mmio@10008000") >= 0);
	node = fdt_path_offset(tree, "/soc/plic@c000000");
	REQUIRE(fdt_getprop(tree, node, "interrupts-extended", &length) != NULL);
	CHECK_EQUAL(length, 4 * 4 * HARTS);
	node = fdt_path_offset(tree, "/poweroff");
	CHECK_EQUAL(fdt_node_offset_by_phandle(tree, fdt32_ld(fdt_getprop(tree, node, "regmap", NULL))),
		    fdt_path_offset(tree, "/soc/test@100000"));
	CHECK(tl_device_tree_make(&bench->board, &choices, tree, 200, &size) == TL_ERROR_TOO_LONG);
	memset(line, 'x', sizeof(line) - 1);
	choices.command_line = line;
	CHECK(tl_device_tree_make(&bench->board, &choices, tree, sizeof(tree), &size) == TL_ERROR_TOO_LONG);
}

#include "machine/acpi_tables.h"
#include "machine/pc_board.h"
#include "tests/unit/test.h"

static tl_u64 time_now, clock_seconds;
static bool lines[32];

static tl_u64 now(void *context)
{
	(void)context;
	return time_now;
}

static tl_u64 seconds(void *context)
{
	(void)context;
	return clock_seconds;
}

static void set_line(void *context, tl_u32 number, bool level)
{
	(void)context;
	if (number < 32)
		lines[number] = level;
}

static const tl_u8 *view(void *context, tl_u64 address, tl_u64 size)
{
	(void)context;
	(void)address;
	(void)size;
	return NULL;
}

static tl_u8 *change(void *context, tl_u64 address, tl_u64 size)
{
	(void)context;
	(void)address;
	(void)size;
	return NULL;
}

static const struct tl_services services = {.now = now};

static void make(struct tl_pc_board *board)
{
	const struct tl_guest_memory memory = {.view = view, .change = change};
	const struct tl_line line = {.set = set_line};

	tl_pc_board_make(board, &services, &memory, &line, seconds, NULL);
}

static tl_u64 in(struct tl_pc_board *board, tl_u16 port, tl_u32 size)
{
	return tl_pc_board_read(board, TL_PC_PORTS, port, size);
}

static void out(struct tl_pc_board *board, tl_u16 port, tl_u64 value, tl_u32 size)
{
	tl_pc_board_write(board, TL_PC_PORTS, port, value, size);
}

/* ---- The clock ---- */

static tl_u8 cmos(struct tl_pc_board *board, tl_u8 number)
{
	out(board, 0x70, number, 1);
	return (tl_u8)in(board, 0x71, 1);
}

TEST(the_clock_shows_the_date_in_decimal_digits)
{
	struct tl_pc_board board;

	make(&board);
	clock_seconds = 951827696; /* 2000-02-29 12:34:56, a Tuesday */
	CHECK_EQUAL(cmos(&board, 0), 0x56);
	CHECK_EQUAL(cmos(&board, 2), 0x34);
	CHECK_EQUAL(cmos(&board, 4), 0x12);
	CHECK_EQUAL(cmos(&board, 6), 3);
	CHECK_EQUAL(cmos(&board, 7), 0x29);
	CHECK_EQUAL(cmos(&board, 8), 0x02);
	CHECK_EQUAL(cmos(&board, 9), 0x00);
	CHECK_EQUAL(cmos(&board, TL_CMOS_CENTURY), 0x20);
	CHECK_EQUAL(cmos(&board, 0x0d), 0x80);
	CHECK_EQUAL(cmos(&board, 0x8a) & 0x80, 0); /* no update is under way; NMI is masked beside the number */
}

TEST(the_clock_can_be_asked_for_binary_numbers_and_halves_of_the_day)
{
	struct tl_pc_board board;

	make(&board);
	clock_seconds = 86399; /* 23:59:59 */
	out(&board, 0x70, 0x0b, 1);
	out(&board, 0x71, 0x04, 1);
	CHECK_EQUAL(cmos(&board, 0), 59);
	CHECK_EQUAL(cmos(&board, 4), 0x80 | 11);
	clock_seconds = 0;
	CHECK_EQUAL(cmos(&board, 4), 12);
	clock_seconds = TL_U64_MAX; /* it ends somewhere, and answers soon */
	CHECK_EQUAL(cmos(&board, 7), 31);
	CHECK_EQUAL(cmos(&board, TL_CMOS_CENTURY), 99);
}

TEST(the_bytes_behind_the_clock_are_kept_over_a_reset)
{
	struct tl_pc_board board;

	make(&board);
	out(&board, 0x70, 0x40, 1);
	out(&board, 0x71, 0x5a, 1);
	tl_pc_board_reset(&board);
	CHECK_EQUAL(cmos(&board, 0x40), 0x5a);
	CHECK_EQUAL(cmos(&board, 0x0b), 2);
}

/* ---- Power ---- */

TEST(only_the_right_sleep_switches_it_off)
{
	struct tl_pc_board board;

	make(&board);
	out(&board, 0x604, 3 << 10 | 1 << 13, 2);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_GOES_ON);
	out(&board, 0x604, 5 << 10, 2);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_GOES_ON);
	out(&board, 0x604, 5 << 10 | 1 << 13, 2);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_POWER_OFF);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_GOES_ON);
	CHECK_EQUAL(in(&board, 0x604, 2) & 1, 1);
}

TEST(the_reset_register_resets_when_its_bit_rises)
{
	struct tl_pc_board board;

	make(&board);
	out(&board, 0xcf9, 2, 1);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_GOES_ON);
	CHECK_EQUAL(in(&board, 0xcf9, 1), 2);
	out(&board, 0xcf9, 6, 1);
	CHECK_EQUAL(tl_pc_board_take_request(&board), TL_PC_RESET);
}

TEST(the_timer_counts_the_machine_s_time)
{
	struct tl_pc_board board;

	make(&board);
	time_now = 1000000000;
	CHECK_EQUAL(in(&board, 0x608, 4), 3579545);
	time_now = 0;
	CHECK_EQUAL(in(&board, 0x608, 4), 0);
}

TEST(what_is_not_there_reads_as_ones)
{
	struct tl_pc_board board;

	make(&board);
	CHECK_EQUAL(in(&board, 0xcfc, 4), TL_U64_MAX);
	CHECK_EQUAL(in(&board, 0x3ff, 2), TL_U64_MAX); /* half of it would be */
	CHECK_EQUAL(tl_pc_board_read(&board, TL_PC_SPACE, 0xc0000000, 4), TL_U64_MAX);
	out(&board, 0xcf8, 0x80000000, 4);
	tl_pc_board_write(&board, TL_PC_SPACE, 0xfffffffffffffff0, 1, 8);
}

TEST(the_serial_port_has_its_interrupt)
{
	struct tl_pc_board board;

	make(&board);
	out(&board, 0x3f9, 1, 1);
	CHECK(!lines[4]);
	CHECK(tl_uart_receive(&board.uart, 'x'));
	CHECK(lines[4]);
	CHECK_EQUAL(in(&board, 0x3f8, 1), 'x');
	CHECK(!lines[4]);
}

/* ---- Tables ---- */

static tl_u8 bytes[TL_ACPI_SIZE_MAX];

static tl_u8 sum(const tl_u8 *at, tl_size size)
{
	tl_u8 total = 0;

	for (tl_size i = 0; i < size; i++)
		total = (tl_u8)(total + at[i]);
	return total;
}

/* The table whose address stands in the XSDT, by its name. */
static const tl_u8 *find(tl_u64 base, const char *name)
{
	const tl_u8 *xsdt = bytes + (tl_load_little(bytes + 24, 8) - base);
	tl_u64 size = tl_load_little(xsdt + 4, 4);

	for (tl_u64 i = 36; i < size; i += 8) {
		const tl_u8 *table = bytes + (tl_load_little(xsdt + i, 8) - base);

		if (memcmp(table, name, 4) == 0)
			return table;
	}
	return NULL;
}

TEST(tables_add_up_and_lead_to_each_other)
{
	const tl_u64 base = 0xe0000;
	const struct tl_acpi_facts facts = {.processors = 3, .slots = 0x05};
	tl_size size = tl_acpi_tables_write(&facts, base, bytes, sizeof(bytes));
	const tl_u8 *fadt, *madt, *dsdt;
	int processors = 0;

	REQUIRE(size != 0);
	CHECK(memcmp(bytes, "RSD PTR ", 8) == 0);
	CHECK_EQUAL(sum(bytes, 20), 0);
	CHECK_EQUAL(sum(bytes, 36), 0);
	fadt = find(base, "FACP");
	madt = find(base, "APIC");
	REQUIRE(fadt != NULL && madt != NULL);
	dsdt = bytes + (tl_load_little(fadt + 140, 8) - base);
	CHECK_EQUAL(tl_load_little(fadt + 40, 4), tl_load_little(fadt + 140, 8));
	CHECK_EQUAL(sum(fadt, tl_load_little(fadt + 4, 4)), 0);
	CHECK_EQUAL(sum(madt, tl_load_little(madt + 4, 4)), 0);
	CHECK_EQUAL(sum(dsdt, tl_load_little(dsdt + 4, 4)), 0);
	CHECK(memcmp(bytes + (tl_load_little(fadt + 36, 4) - base), "FACS", 4) == 0);
	CHECK_EQUAL(tl_load_little(fadt + 36, 4) % 64, 0);
	for (tl_u64 i = 44; i < tl_load_little(madt + 4, 4); i += madt[i + 1]) {
		REQUIRE(madt[i + 1] != 0);
		processors += madt[i] == 0;
	}
	CHECK_EQUAL(processors, 3);
}

static bool contains(const tl_u8 *at, tl_size size, const char *text)
{
	for (tl_size i = 0; i + strlen(text) <= size; i++)
		if (memcmp(at + i, text, strlen(text)) == 0)
			return true;
	return false;
}

TEST(only_slots_with_a_device_are_described)
{
	const struct tl_acpi_facts facts = {.processors = 1, .slots = 0x05};
	tl_size size = tl_acpi_tables_write(&facts, 0, bytes, sizeof(bytes));

	CHECK(contains(bytes, size, "VIO0"));
	CHECK(!contains(bytes, size, "VIO1"));
	CHECK(contains(bytes, size, "VIO2"));
	CHECK(contains(bytes, size, "COM1"));
}

TEST(tables_that_have_no_room_are_not_there)
{
	const struct tl_acpi_facts facts = {.processors = 254, .slots = 0xff};
	tl_size size = tl_acpi_tables_write(&facts, 0, bytes, sizeof(bytes));

	REQUIRE(size != 0);
	for (tl_size room = 0; room < size; room += 7)
		CHECK_EQUAL(tl_acpi_tables_write(&facts, 0, bytes, room), 0);
}

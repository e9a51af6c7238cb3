/* Devices in the slots of an emulated computer that never runs: the test stores to their registers itself. */
#include "base/storage.h"
#include "targets/emulator/devices.h"
#include "tests/unit/test.h"

#include <unistd.h>

#define MEMORY TL_BOARD_MEMORY
#define DATA (MEMORY + 0x10000)

static struct tl_computer computer;
static struct tl_devices devices;
static tl_u64 changes, inputs, input_size;
static char path[64];

static void memory_changes(void *context, tl_u64 physical, tl_u64 size)
{
	(void)context;
	(void)physical;
	(void)size;
	changes++;
}

static void input_entered(void *context, const struct tl_input *input)
{
	(void)context;
	inputs++;
	input_size = input->size;
}

static bool begin(void)
{
	struct tl_computer_configuration configuration = {.harts = 1, .memory_size = TL_COMPUTER_MEMORY_MIN};
	struct tl_error error;

	if (tl_computer_open(&computer, &configuration, &error) != TL_OK)
		return false;
	tl_devices_begin(&devices, &computer);
	computer.memory_changes = memory_changes;
	computer.input_entered = input_entered;
	changes = inputs = input_size = 0;
	return true;
}

static void end(void)
{
	tl_devices_end(&devices);
	tl_computer_close(&computer);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static tl_u64 read_slot(tl_u32 slot, tl_u64 offset)
{
	tl_u64 address = TL_BOARD_SLOT + slot * (tl_u64)TL_BOARD_SLOT_SIZE + offset;
	const struct tl_bus_region *region = tl_bus_find(&computer.board.bus, address, 4);

	return region->operations->read(region->device, address - region->start, 4);
}

static void write_slot(tl_u32 slot, tl_u64 offset, tl_u64 value)
{
	tl_u64 address = TL_BOARD_SLOT + slot * (tl_u64)TL_BOARD_SLOT_SIZE + offset;
	const struct tl_bus_region *region = tl_bus_find(&computer.board.bus, address, 4);

	region->operations->write(region->device, address - region->start, value, 4);
}

static void put(tl_u64 address, tl_u64 value, tl_u32 size)
{
	tl_store_little(tl_computer_change(&computer, address, size), value, size);
}

/* The driver's part, for queue 0 of a slot: eight descriptors, all of them the same buffer that the device writes. */
static void start(tl_u32 slot)
{
	static const tl_u64 steps[][2] = {{0x070, 0},
					  {0x070, 3},
					  {0x024, 1},
					  {0x020, 1},
					  {0x070, 11},
					  {0x030, 0},
					  {0x038, 8},
					  {0x080, MEMORY},
					  {0x090, MEMORY + 0x1000},
					  {0x0a0, MEMORY + 0x2000},
					  {0x044, 1},
					  {0x070, 15}};

	for (tl_size i = 0; i < TL_COUNT(steps); i++)
		write_slot(slot, steps[i][0], steps[i][1]);
	put(MEMORY, DATA, 8);
	put(MEMORY + 8, 32, 4);
	put(MEMORY + 12, 2, 4);
}

/* Offers the buffer once more, as the `number`-th. */
static void offer(tl_u32 slot, tl_u16 number)
{
	put(MEMORY + 0x1002, (tl_u64)number + 1, 2);
	write_slot(slot, 0x050, 0);
}

TEST(devices_stand_in_slots_in_their_order)
{
	struct tl_error error;

	REQUIRE(begin());
	for (tl_u32 i = 0; i < TL_BOARD_SLOTS; i++) {
		CHECK_EQUAL(read_slot(i, 0), 0x74726976);
		CHECK_EQUAL(read_slot(i, 8), TL_VIRTIO_ID_NONE);
	}
	CHECK_EQUAL(tl_devices_add_console(&devices, &error), TL_OK);
	CHECK_EQUAL(tl_devices_add_random(&devices, NULL, &error), TL_OK);
	CHECK_EQUAL(tl_devices_add_network(&devices, NULL, &error), TL_OK);
	CHECK_EQUAL(read_slot(0, 8), TL_VIRTIO_ID_CONSOLE);
	CHECK_EQUAL(read_slot(1, 8), TL_VIRTIO_ID_RANDOM);
	CHECK_EQUAL(read_slot(2, 8), TL_VIRTIO_ID_NET);
	CHECK_EQUAL(tl_devices_add_network(&devices, NULL, &error), TL_ERROR_ARGUMENT);
	CHECK_TEXT(error.text, "the machine has a network card already");
	CHECK_EQUAL(tl_devices_add_console(&devices, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_devices_add_random(&devices, NULL, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_devices_enter_frames(&devices), 0);
	end();
}

TEST(disks_are_named_with_how_they_are_opened)
{
	static const char *const modes[] = {"", ",write", ",readonly"};
	static const enum tl_disk_mode expected[] = {TL_DISK_OVERLAY, TL_DISK_THROUGH, TL_DISK_READ_ONLY};
	static char longest[5000];
	struct tl_error error;
	char text[96];
	int descriptor;

	for (tl_size i = 0; i < TL_COUNT(modes); i++) {
		snprintf(path, sizeof(path), "/tmp/trapline-test-devices-XXXXXX");
		descriptor = mkstemp(path);
		REQUIRE(descriptor >= 0 && ftruncate(descriptor, 65536) == 0);
		close(descriptor);
		REQUIRE(begin());
		snprintf(text, sizeof(text), "%s%s", path, modes[i]);
		CHECK_EQUAL(tl_devices_add_disk(&devices, text, &error), TL_OK);
		CHECK_EQUAL(devices.disks[0].mode, expected[i]);
		CHECK_EQUAL(read_slot(0, 0x100), 128);
		CHECK_TEXT(devices.blocks[0].id, "disk0");
		/* What is no such word belongs to the name. */
		snprintf(text, sizeof(text), "%s,read", path);
		CHECK_EQUAL(tl_devices_add_disk(&devices, text, &error), TL_ERROR_SYSTEM);
		CHECK_EQUAL(devices.used, 1);
		memset(longest, 'x', sizeof(longest) - 1);
		CHECK_EQUAL(tl_devices_add_disk(&devices, longest, &error), TL_ERROR_ARGUMENT);
		for (tl_u32 j = 1; i != 1 && j < TL_DEVICES_DISKS; j++)
			CHECK_EQUAL(tl_devices_add_disk(&devices, path, &error), TL_OK);
		CHECK_EQUAL(tl_devices_add_disk(&devices, path, &error), TL_ERROR_ARGUMENT);
		end();
		unlink(path);
	}
}

TEST(a_device_writes_memory_through_the_computer_and_interrupts)
{
	static const tl_u8 seed[TL_RANDOM_SEED];
	struct tl_error error;
	tl_u64 before;

	REQUIRE(begin());
	REQUIRE(tl_devices_add_random(&devices, seed, &error) == TL_OK);
	start(0);
	before = changes;
	offer(0, 0);
	/* The data, the entry of the used ring and its index; one more is the test's own store. */
	CHECK_EQUAL(changes - before, 4);
	CHECK_EQUAL(*tl_computer_look(&computer, DATA, 1), 0x76);
	CHECK_EQUAL(read_slot(0, 0x060), 1);
	/* With a reset of the board the line falls, and the driver begins anew. */
	REQUIRE(tl_computer_reset(&computer, &error) == TL_OK);
	CHECK_EQUAL(read_slot(0, 0x060), 0);
	CHECK_EQUAL(read_slot(0, 0x070), 0);
	end();
}

TEST(input_enters_through_the_log)
{
	struct tl_error error;

	REQUIRE(begin());
	CHECK_EQUAL(tl_devices_enter_console(&devices, (const tl_u8 *)"abc", 3), 0);
	REQUIRE(tl_devices_add_console(&devices, &error) == TL_OK);
	CHECK_EQUAL(tl_devices_enter_console(&devices, (const tl_u8 *)"abc", 3), 0);
	start(0);
	/* There is a buffer, and the guest has not been asked to look at it yet. */
	put(MEMORY + 0x1002, 1, 2);
	inputs = 0;
	CHECK_EQUAL(tl_devices_enter_console(&devices, (const tl_u8 *)"abc", 3), 3);
	CHECK_EQUAL(inputs, 1);
	CHECK_EQUAL(input_size, 3);
	CHECK(memcmp(tl_computer_look(&computer, DATA, 3), "abc", 3) == 0);
	end();
}

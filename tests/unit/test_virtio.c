/* Virtio's slots and queues, seen by a driver; the random device is what is in the slot where it does not matter. */
#include "machine/virtio_console.h"
#include "machine/virtio_net.h"
#include "machine/virtio_random.h"
#include "tests/unit/test.h"
#include "tests/unit/virtio_driver.h"

#define DATA (GUEST_START + 0x100000)

static tl_u8 memory[GUEST_SIZE];
static struct guest guest;
static struct tl_virtio_random device;

/* A new guest with a random device whose seed is all zeroes. */
static void begin(void)
{
	static const tl_u8 seed[TL_RANDOM_SEED];

	memset(memory, 0, sizeof(memory));
	guest = (struct guest){.bytes = memory};
	guest_connect(&guest);
	tl_virtio_random_plug(&device, &guest.virtio, seed);
}

/* Offers a buffer for random bytes, and whether it came back filled. */
static bool works(void)
{
	struct guest_piece piece = {DATA, 32, true};
	tl_u32 head, length;
	tl_u16 mine = guest_add(&guest, 0, &piece, 1);

	guest_notify(&guest, 0);
	return guest_take(&guest, 0, &head, &length) && head == mine && length == 32;
}

TEST(an_empty_slot_says_that_nothing_is_there)
{
	struct tl_virtio empty = {0};

	CHECK_EQUAL(tl_virtio_operations.read(&empty, 0, 4), 0x74726976);
	CHECK_EQUAL(tl_virtio_operations.read(&empty, 4, 4), 2);
	for (tl_u64 offset = 8; offset < TL_VIRTIO_SIZE; offset += 4) {
		CHECK_EQUAL(tl_virtio_operations.read(&empty, offset, 4), 0);
		tl_virtio_operations.write(&empty, offset, 0xffffffff, 4);
	}
	CHECK_EQUAL(tl_virtio_operations.read(&empty, REGISTER_STATUS, 4), 0);
	CHECK_EQUAL(tl_virtio_operations.receive(&empty, (const tl_u8 *)"x", 1), 0);
	tl_virtio_operations.reset(&empty);
}

TEST(a_driver_agrees_on_what_is_offered_only)
{
	begin();
	CHECK_EQUAL(guest_get(&guest, REGISTER_ID), TL_VIRTIO_ID_RANDOM);
	CHECK(guest_agree(&guest, guest_features(&guest)));
	CHECK(!guest_agree(&guest, FEATURE_VERSION_1 | 1));
	CHECK(!guest_agree(&guest, 0)); /* a driver of before 1.0 */
	/* Without features no start. */
	guest_set(&guest, REGISTER_STATUS, STATUS_ALL);
	CHECK_EQUAL(guest_get(&guest, REGISTER_STATUS), 0x03);
	/* Agreed is agreed. */
	CHECK(guest_agree(&guest, FEATURE_VERSION_1));
	guest_set(&guest, REGISTER_DRIVER_SELECT, 0);
	guest_set(&guest, REGISTER_DRIVER_FEATURES, 0xffffffff);
	CHECK_EQUAL(guest.virtio.state.driver_features, FEATURE_VERSION_1);
	guest_set(&guest, REGISTER_DRIVER_SELECT, 2);
	guest_set(&guest, REGISTER_DEVICE_SELECT, 7);
	CHECK_EQUAL(guest_get(&guest, REGISTER_DEVICE_FEATURES), 0);
}

TEST(registers_are_words)
{
	begin();
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, 0, 1), 0);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, 2, 4), 0);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, 0, 8), 0);
	tl_virtio_operations.write(&guest.virtio, REGISTER_STATUS, 1, 1);
	CHECK_EQUAL(guest_get(&guest, REGISTER_STATUS), 0);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION, 4), 0);
	CHECK_EQUAL(guest_get(&guest, 0x0b0), 0xffffffff); /* no shared memory */
	CHECK_EQUAL(guest_get(&guest, 0x0bc), 0xffffffff);
}

TEST(a_buffer_goes_there_and_back)
{
	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	CHECK(!guest.line);
	CHECK(works());
	CHECK(guest.line);
	CHECK_EQUAL(guest_get(&guest, REGISTER_INTERRUPT), 1);
	guest_set(&guest, REGISTER_ACKNOWLEDGE, 1);
	CHECK(!guest.line);
	CHECK_EQUAL(guest_get(&guest, REGISTER_INTERRUPT), 0);
	CHECK_EQUAL(memory[DATA - GUEST_START], 0x76);
}

TEST(a_reset_forgets_everything)
{
	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	CHECK(works());
	CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, (const tl_u8 *)"x", 1), 0);
	tl_virtio_operations.reset(&guest.virtio);
	CHECK(!guest.line);
	CHECK_EQUAL(guest_get(&guest, REGISTER_STATUS), 0);
	CHECK_EQUAL(guest_get(&guest, REGISTER_READY), 0);
	CHECK_EQUAL(guest.virtio.state.driver_features, 0);
	REQUIRE(guest_start(&guest, 0, 1, 8));
	CHECK(works());
}

TEST(nothing_is_taken_before_the_driver_has_started_the_device)
{
	struct guest_piece piece = {DATA, 32, true};
	tl_u32 head, length;

	begin();
	REQUIRE(guest_agree(&guest, FEATURE_VERSION_1));
	guest_set_up_queue(&guest, 0, 8);
	(void)guest_add(&guest, 0, &piece, 1);
	guest_notify(&guest, 0);
	CHECK(!guest_take(&guest, 0, &head, &length));
	guest_set(&guest, REGISTER_STATUS, STATUS_ALL);
	guest_notify(&guest, 1); /* there is no such queue */
	guest_notify(&guest, 0xffffffff);
	CHECK(!guest_take(&guest, 0, &head, &length));
	guest_notify(&guest, 0);
	CHECK(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(length, 32);
}

TEST(queues_have_sizes_and_places_that_make_sense)
{
	begin();
	REQUIRE(guest_agree(&guest, FEATURE_VERSION_1));
	guest_set(&guest, REGISTER_QUEUE, 0);
	CHECK_EQUAL(guest_get(&guest, REGISTER_QUEUE_MAX), 8);
	guest_set(&guest, REGISTER_QUEUE, 1);
	CHECK_EQUAL(guest_get(&guest, REGISTER_QUEUE_MAX), 0);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 4); /* dropped */
	guest_set(&guest, REGISTER_READY, 1);
	guest_set(&guest, REGISTER_QUEUE, 0);
	CHECK_EQUAL(guest_get(&guest, REGISTER_READY), 0);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 4);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 3);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 16);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 0x10004);
	CHECK_EQUAL(guest.virtio.state.queues[0].size, 4);
	guest_set_long(&guest, REGISTER_DESCRIPTORS, 0x123456789abcdef0);
	CHECK_EQUAL(guest.virtio.state.queues[0].descriptors, 0x123456789abcdef0);
	guest_set(&guest, REGISTER_READY, 1);
	CHECK_EQUAL(guest_get(&guest, REGISTER_READY), 1);
	guest_set(&guest, REGISTER_QUEUE_SIZE, 8); /* too late */
	guest_set_long(&guest, REGISTER_DESCRIPTORS, 0);
	CHECK_EQUAL(guest.virtio.state.queues[0].size, 4);
	CHECK_EQUAL(guest.virtio.state.queues[0].descriptors, 0x123456789abcdef0);
	CHECK(!guest_broke(&guest));
	guest_set(&guest, REGISTER_READY, 0);
	guest_set_long(&guest, REGISTER_DRIVER, 1);
	guest_set(&guest, REGISTER_READY, 1);
	CHECK_EQUAL(guest_get(&guest, REGISTER_READY), 0);
	CHECK(guest_broke(&guest));
}

/* Runs with a table that `spoil` made, and expects the device to want a reset, which helps. */
static void breaks(void (*spoil)(tl_u64 table))
{
	tl_u32 head, length;

	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	spoil(guest.queues[0].descriptors);
	if (guest.queues[0].available == 0)
		guest_offer(&guest, 0, 0);
	guest_notify(&guest, 0);
	CHECK(guest_broke(&guest));
	CHECK(!guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(guest_get(&guest, REGISTER_INTERRUPT), 2);
	/* The driver cannot talk it out of that. */
	guest_set(&guest, REGISTER_STATUS, STATUS_ALL);
	CHECK(guest_broke(&guest));
	guest_notify(&guest, 0);
	CHECK(!guest_take(&guest, 0, &head, &length));
	REQUIRE(guest_start(&guest, 0, 1, 8));
	CHECK(works());
}

static void loop(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 1);
	guest_put_descriptor(&guest, table, 1, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 0);
}

static void next_beyond_the_table(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 8);
}

static void head_beyond_the_table(tl_u64 table)
{
	(void)table;
	guest_offer(&guest, 0, 8);
}

static void read_after_write(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 1);
	guest_put_descriptor(&guest, table, 1, DATA, 1, 0, 0);
}

static void too_many_offered(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, DATA, 1, DESCRIPTOR_WRITE, 0);
	guest.queues[0].available = 8;
	guest_offer(&guest, 0, 0);
}

static void not_memory(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, 0x1000, 64, DESCRIPTOR_WRITE, 0);
}

static void around_the_end(tl_u64 table)
{
	guest_put_descriptor(&guest, table, 0, TL_U64_MAX - 5, 64, DESCRIPTOR_WRITE, 0);
}

static void indirect(tl_u64 table, tl_u64 address, tl_u32 size, tl_u16 flags)
{
	guest_put_descriptor(&guest, table, 0, address, size, (tl_u16)(DESCRIPTOR_INDIRECT | flags), 1);
	guest_put_descriptor(&guest, table, 1, DATA, 1, DESCRIPTOR_WRITE, 0);
	guest_put_descriptor(&guest, DATA + 0x1000, 0, DATA, 1, DESCRIPTOR_WRITE, 0);
}

static void indirect_of_no_size(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 0, 0);
}

static void indirect_of_odd_size(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 17, 0);
}

static void indirect_and_next(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 16, DESCRIPTOR_NEXT);
}

static void indirect_nowhere(tl_u64 table)
{
	indirect(table, 0x2000, 16, 0);
}

static void indirect_around_the_end(tl_u64 table)
{
	indirect(table, TL_U64_MAX - 15, 0xfffffff0, 0);
}

static void indirect_in_indirect(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 16, 0);
	guest_put_descriptor(&guest, DATA + 0x1000, 0, DATA + 0x2000, 16, DESCRIPTOR_INDIRECT, 0);
	guest_put_descriptor(&guest, DATA + 0x2000, 0, DATA, 1, DESCRIPTOR_WRITE, 0);
}

static void indirect_later(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 16, 0);
	guest_put_descriptor(&guest, table, 0, DATA, 1, DESCRIPTOR_NEXT, 1);
	guest_put_descriptor(&guest, table, 1, DATA + 0x1000, 16, DESCRIPTOR_INDIRECT, 0);
}

static void indirect_loop(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 32, 0);
	guest_put_descriptor(&guest, DATA + 0x1000, 0, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 1);
	guest_put_descriptor(&guest, DATA + 0x1000, 1, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 0);
}

static void indirect_past_its_end(tl_u64 table)
{
	indirect(table, DATA + 0x1000, 16, 0);
	guest_put_descriptor(&guest, DATA + 0x1000, 0, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 1);
	guest_put_descriptor(&guest, DATA + 0x1000, 1, DATA, 1, DESCRIPTOR_WRITE, 0);
}

TEST(queues_that_make_no_sense_stop_the_device_until_it_is_reset)
{
	breaks(loop);
	breaks(next_beyond_the_table);
	breaks(head_beyond_the_table);
	breaks(read_after_write);
	breaks(too_many_offered);
	breaks(not_memory);
	breaks(around_the_end);
	breaks(indirect_of_no_size);
	breaks(indirect_of_odd_size);
	breaks(indirect_and_next);
	breaks(indirect_nowhere);
	breaks(indirect_around_the_end);
	breaks(indirect_in_indirect);
	breaks(indirect_later);
	breaks(indirect_loop);
	breaks(indirect_past_its_end);
}

TEST(rings_outside_memory_stop_the_device)
{
	static const tl_u32 registers[] = {REGISTER_DESCRIPTORS, REGISTER_DRIVER, REGISTER_DEVICE};
	static const tl_u64 places[] = {0, GUEST_START - 16, GUEST_START + GUEST_SIZE, TL_U64_MAX - 15};

	for (tl_size i = 0; i < TL_COUNT(registers) * TL_COUNT(places); i++) {
		struct guest_piece piece = {DATA, 32, true};

		begin();
		REQUIRE(guest_start(&guest, i % 2 == 0 ? FEATURE_EVENT_INDEX : 0, 1, 8));
		guest_set(&guest, REGISTER_READY, 0);
		guest_set_long(&guest, registers[i % 3], places[i / 3]);
		guest_set(&guest, REGISTER_READY, 1);
		(void)guest_add(&guest, 0, &piece, 1);
		guest_notify(&guest, 0);
		CHECK(guest_broke(&guest));
	}
}

TEST(a_chain_in_a_table_of_its_own_is_one_buffer)
{
	tl_u32 head, length;

	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	for (tl_u16 i = 0; i < 8; i++)
		guest_put_descriptor(&guest, DATA + 0x1000, i, DATA + 0x100 * i, 10,
				     i < 7 ? DESCRIPTOR_WRITE | DESCRIPTOR_NEXT : DESCRIPTOR_WRITE, (tl_u16)(i + 1));
	guest_put_descriptor(&guest, guest.queues[0].descriptors, 3, DATA + 0x1000, 128, DESCRIPTOR_INDIRECT, 0);
	guest_offer(&guest, 0, 3);
	guest_notify(&guest, 0);
	REQUIRE(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(head, 3);
	CHECK_EQUAL(length, 80);
	CHECK_EQUAL(memory[DATA + 0x100 - GUEST_START], 0x6a); /* the 11th byte of the stream */
	CHECK_EQUAL(memory[DATA + 10 - GUEST_START], 0);
	/* One more than the queue has descriptors is too much (2.7.5.3.1). */
	guest_put_descriptor(&guest, DATA + 0x1000, 7, DATA, 1, DESCRIPTOR_WRITE | DESCRIPTOR_NEXT, 8);
	guest_put_descriptor(&guest, DATA + 0x1000, 8, DATA, 1, DESCRIPTOR_WRITE, 0);
	guest_put_descriptor(&guest, guest.queues[0].descriptors, 3, DATA + 0x1000, 144, DESCRIPTOR_INDIRECT, 0);
	guest_offer(&guest, 0, 3);
	guest_notify(&guest, 0);
	CHECK(guest_broke(&guest));
}

TEST(a_driver_that_wants_no_interrupt_gets_none)
{
	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	tl_store_little(guest_at(&guest, guest.queues[0].driver), 1, 2);
	CHECK(works());
	CHECK(!guest.line);
	tl_store_little(guest_at(&guest, guest.queues[0].driver), 0, 2);
	CHECK(works());
	CHECK(guest.line);
}

TEST(with_event_indices_the_driver_says_which_buffer_it_waits_for)
{
	struct guest_queue *queue = &guest.queues[0];
	struct guest_piece piece = {DATA, 1, true};

	begin();
	REQUIRE(guest_start(&guest, FEATURE_EVENT_INDEX, 1, 8));
	tl_store_little(guest_at(&guest, queue->driver + 4 + 2 * 8), 3, 2);
	for (unsigned i = 0; i < 6; i++) {
		CHECK(works());
		CHECK_EQUAL(guest.rises, i >= 3);
		/* It wants to hear of the next buffer. */
		CHECK_EQUAL(tl_load_little(guest_at(&guest, queue->device + 4 + 8 * 8), 2), i + 1);
	}
	guest_set(&guest, REGISTER_ACKNOWLEDGE, 1);
	/* The one waited for is among several that are given back at once. */
	tl_store_little(guest_at(&guest, queue->driver + 4 + 2 * 8), 7, 2);
	for (int i = 0; i < 4; i++)
		(void)guest_add(&guest, 0, &piece, 1);
	guest_notify(&guest, 0);
	CHECK_EQUAL(guest.rises, 2);
}

TEST(indices_go_round)
{
	tl_u8 expected[32], *stream = guest_at(&(struct guest){.bytes = memory}, DATA);
	struct tl_random_stream same = {.position = 0};

	for (int event_index = 0; event_index < 2; event_index++) {
		begin();
		same.position = 0;
		REQUIRE(guest_start(&guest, event_index != 0 ? FEATURE_EVENT_INDEX : 0, 1, 8));
		for (unsigned i = 0; i < 70000; i++) {
			tl_store_little(guest_at(&guest, guest.queues[0].driver + 4 + 2 * 8), i & 0xffff, 2);
			REQUIRE(works());
			REQUIRE(guest.line);
			guest_set(&guest, REGISTER_ACKNOWLEDGE, 1);
			tl_random_stream_take(&same, expected, sizeof(expected));
			REQUIRE(memcmp(stream, expected, sizeof(expected)) == 0);
		}
	}
}

TEST(the_state_of_a_slot_can_be_copied_and_put_back)
{
	static tl_u8 copy[GUEST_SIZE];
	struct tl_virtio_state state;
	struct tl_random_stream stream;
	struct guest_queue queue;
	tl_u8 first[32];

	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	CHECK(works());
	state = guest.virtio.state;
	stream = device.stream;
	queue = guest.queues[0];
	memcpy(copy, memory, sizeof(copy));
	CHECK(works());
	memcpy(first, memory + (DATA - GUEST_START), sizeof(first));
	CHECK(works());
	guest.virtio.state = state;
	device.stream = stream;
	guest.queues[0] = queue;
	memcpy(memory, copy, sizeof(copy));
	CHECK(works());
	CHECK(memcmp(first, memory + (DATA - GUEST_START), sizeof(first)) == 0);
}

TEST(the_random_stream_is_chacha20)
{
	/* RFC 8439, A.1, test vectors 1 and 2: a key of zeroes, blocks 0 and 1. */
	static const tl_u8 blocks[] = {
		0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
		0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
		0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
		0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
		0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
	};
	struct tl_random_stream stream = {.position = 0};
	tl_u8 bytes[sizeof(blocks)];

	tl_random_stream_take(&stream, bytes, sizeof(bytes));
	CHECK(memcmp(bytes, blocks, sizeof(blocks)) == 0);
	CHECK_EQUAL(stream.position, sizeof(blocks));
	stream.position = 0;
	for (tl_size i = 0; i < sizeof(bytes); i += 5)
		tl_random_stream_take(&stream, bytes + i, 5);
	CHECK(memcmp(bytes, blocks, sizeof(blocks)) == 0);
}

TEST(random_bytes_fill_no_more_than_a_page_a_buffer)
{
	struct guest_piece piece = {DATA, 0x10000, true};
	tl_u32 head, length;

	begin();
	REQUIRE(guest_start(&guest, 0, 1, 8));
	(void)guest_add(&guest, 0, &piece, 1);
	guest_notify(&guest, 0);
	REQUIRE(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(length, 4096);
	CHECK_EQUAL(device.stream.position, 4096);
}

/* What a console or a network card sent. */
static tl_u8 sent[8192];
static tl_u64 sent_size, sent_calls;

static void keep(void *context, const tl_u8 *bytes, tl_u64 size)
{
	(void)context;
	if (size > sizeof(sent) - sent_size)
		return;
	memcpy(sent + sent_size, bytes, size);
	sent_size += size;
	sent_calls++;
}

static struct tl_virtio_console console;
static struct tl_virtio_net net;

static void begin_console(void)
{
	begin();
	tl_virtio_console_plug(&console, &guest.virtio);
	console.send = keep;
	sent_size = sent_calls = 0;
}

TEST(a_console_sends_many_bytes_at_once)
{
	struct guest_piece pieces[] = {{DATA, 6, false}, {DATA + 100, 7, false}};
	tl_u32 head, length;

	begin_console();
	REQUIRE(guest_start(&guest, 0, 2, 8));
	memcpy(guest_at(&guest, DATA), "hello ", 6);
	memcpy(guest_at(&guest, DATA + 100), "console", 7);
	(void)guest_add(&guest, 1, pieces, 2);
	guest_notify(&guest, 1);
	CHECK_EQUAL(sent_size, 13);
	CHECK(memcmp(sent, "hello console", 13) == 0);
	CHECK(guest_take(&guest, 1, &head, &length));
	CHECK_EQUAL(length, 0);
	/* To nobody, and from where there is nothing. */
	console.send = NULL;
	(void)guest_add(&guest, 1, pieces, 2);
	guest_notify(&guest, 1);
	CHECK(guest_take(&guest, 1, &head, &length));
	pieces[1].address = 0;
	(void)guest_add(&guest, 1, pieces, 2);
	guest_notify(&guest, 1);
	CHECK(guest_broke(&guest));
}

TEST(a_console_takes_what_the_guest_has_room_for)
{
	struct guest_piece piece = {DATA, 4, true};
	tl_u32 head, length;

	begin_console();
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"abc", 3), 0);
	REQUIRE(guest_start(&guest, 0, 2, 8));
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"abc", 3), 0);
	(void)guest_add(&guest, 0, &piece, 1);
	piece.address += 16;
	(void)guest_add(&guest, 0, &piece, 1);
	guest_notify(&guest, 0);
	CHECK_EQUAL(guest.rises, 0);
	CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, (const tl_u8 *)"abcdefghij", 10), 8);
	CHECK_EQUAL(guest.rises, 1);
	CHECK(memcmp(guest_at(&guest, DATA), "abcd", 4) == 0);
	CHECK(memcmp(guest_at(&guest, DATA + 16), "efgh", 4) == 0);
	CHECK(guest_take(&guest, 0, &head, &length) && length == 4);
	CHECK(guest_take(&guest, 0, &head, &length) && length == 4);
	/* A buffer without room is a mistake, as is one that is not memory. What it breaks over is gone. */
	piece.size = 0;
	(void)guest_add(&guest, 0, &piece, 1);
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"ij", 2), 2);
	CHECK(guest_broke(&guest));
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"ij", 2), 0);
	REQUIRE(guest_start(&guest, 0, 2, 8));
	piece = (struct guest_piece){0, 4, true};
	(void)guest_add(&guest, 0, &piece, 1);
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"ij", 2), 2);
	CHECK(guest_broke(&guest));
	guest_set(&guest, REGISTER_STATUS, 0);
	REQUIRE(guest_start(&guest, 0, 2, 8));
	guest_offer(&guest, 0, 77);
	CHECK_EQUAL(tl_virtio_console_receive(&console, (const tl_u8 *)"ij", 2), 2);
	CHECK(guest_broke(&guest));
}

/* What is not taken is not written down: a run without it has to be the same. */
TEST(input_that_is_not_taken_leaves_no_trace)
{
	static tl_u8 before[GUEST_SIZE];
	static const tl_u8 frame[100];
	struct guest_piece enough = {DATA, 112, true}, small = {DATA, 64, true};
	struct tl_virtio_state state;

	/* A console, a card whose queue is empty, and one that has but a small buffer. */
	for (int which = 0; which < 3; which++) {
		begin();
		if (which == 0)
			tl_virtio_console_plug(&console, &guest.virtio);
		else
			tl_virtio_net_plug(&net, &guest.virtio, (const tl_u8[]){2, 0, 0, 0, 0, 1});
		REQUIRE(guest_start(&guest, FEATURE_EVENT_INDEX, 2, 8));
		(void)guest_add(&guest, 0, &enough, 1);
		CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, frame, sizeof(frame)), sizeof(frame));
		if (which == 2)
			(void)guest_add(&guest, 0, &small, 1);
		memcpy(before, memory, sizeof(before));
		state = guest.virtio.state;
		CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, frame, sizeof(frame)), 0);
		CHECK(memcmp(before, memory, sizeof(before)) == 0);
		CHECK_EQUAL(state.queues[0].seen, guest.virtio.state.queues[0].seen);
		CHECK_EQUAL(state.queues[0].used, guest.virtio.state.queues[0].used);
		CHECK_EQUAL(state.queues[0].told, guest.virtio.state.queues[0].told);
		CHECK_EQUAL(state.interrupts, guest.virtio.state.interrupts);
		CHECK_EQUAL(state.status, guest.virtio.state.status);
	}
}

static const tl_u8 address[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void begin_net(void)
{
	begin();
	tl_virtio_net_plug(&net, &guest.virtio, address);
	net.send = keep;
	sent_size = sent_calls = 0;
}

TEST(a_network_card_has_an_address_and_a_link)
{
	begin_net();
	CHECK_EQUAL(guest_features(&guest) & 0xffffff, 1 << 5 | 1 << 16);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION, 1), 0x52);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION + 4, 2), 0x5634);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION + 6, 2), 1);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION + 6, 4), 0);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION + 0xe00, 4), 0);
}

TEST(a_network_card_sends_whole_frames)
{
	struct guest_piece pieces[] = {{DATA, 12, false}, {DATA + 100, 60, false}};
	static const tl_u32 bad[] = {0, 13, 1519, 0x10000, 0xffffffff};
	tl_u32 head, length;

	begin_net();
	REQUIRE(guest_start(&guest, 0, 2, 8));
	memset(guest_at(&guest, DATA + 100), 0x5a, 60);
	(void)guest_add(&guest, 1, pieces, 2);
	guest_notify(&guest, 1);
	CHECK_EQUAL(sent_calls, 1);
	CHECK_EQUAL(sent_size, 60);
	CHECK_EQUAL(sent[0], 0x5a);
	CHECK(guest_take(&guest, 1, &head, &length));
	for (tl_size i = 0; i < TL_COUNT(bad); i++) {
		pieces[1].size = bad[i];
		(void)guest_add(&guest, 1, pieces, 2);
		guest_notify(&guest, 1);
		CHECK(guest_take(&guest, 1, &head, &length));
	}
	CHECK_EQUAL(sent_calls, 1);
	CHECK_EQUAL(net.dropped, TL_COUNT(bad));
	pieces[1] = (struct guest_piece){0x10, 60, false};
	(void)guest_add(&guest, 1, pieces, 2);
	guest_notify(&guest, 1);
	CHECK(guest_broke(&guest));
	CHECK_EQUAL(sent_calls, 1);
}

TEST(a_network_card_receives_into_the_next_buffer_or_not_at_all)
{
	static const tl_u8 frame[TL_VIRTIO_NET_FRAME_MAX + 1] = {1, 2, 3};
	struct guest_piece pieces[] = {{DATA, 10, true}, {DATA + 0x1000, 1520, true}};
	tl_u32 head, length;

	begin_net();
	CHECK(!tl_virtio_net_receive(&net, frame, 60));
	REQUIRE(guest_start(&guest, 0, 2, 8));
	CHECK(!tl_virtio_net_receive(&net, frame, 60));
	memset(guest_at(&guest, DATA), 0xff, 0x2000);
	(void)guest_add(&guest, 0, pieces, 2);
	CHECK(!tl_virtio_net_receive(&net, frame, sizeof(frame)));
	CHECK(!tl_virtio_net_receive(&net, frame, 13));
	CHECK(tl_virtio_net_receive(&net, frame, 1518));
	REQUIRE(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(length, 1530);
	CHECK(guest.line);
	/* A header of zeroes but for "1 buffer", then the frame. */
	CHECK_EQUAL(tl_load_little(guest_at(&guest, DATA), 8), 0);
	CHECK_EQUAL(tl_load_little(guest_at(&guest, DATA + 8), 2), 0);
	CHECK_EQUAL(tl_load_little(guest_at(&guest, DATA + 0x1000), 2), 1);
	CHECK_EQUAL(tl_load_little(guest_at(&guest, DATA + 0x1002), 3), 0x030201);
	/* Too small for this frame, it stays for the next. */
	pieces[1].size = 70;
	(void)guest_add(&guest, 0, pieces, 2);
	CHECK(!tl_virtio_net_receive(&net, frame, 80));
	CHECK(!guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, frame, 80), 0);
	CHECK_EQUAL(tl_virtio_operations.receive(&guest.virtio, frame, 68), 68);
	CHECK(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(length, 80);
	pieces[1].address = 0;
	(void)guest_add(&guest, 0, pieces, 2);
	CHECK(tl_virtio_net_receive(&net, frame, 60));
	CHECK(guest_broke(&guest));
	CHECK(!tl_virtio_net_receive(&net, frame, 60));
	guest_set(&guest, REGISTER_STATUS, 0);
	REQUIRE(guest_start(&guest, 0, 2, 8));
	guest_offer(&guest, 0, 77);
	CHECK(tl_virtio_net_receive(&net, frame, 60));
	CHECK(guest_broke(&guest));
}

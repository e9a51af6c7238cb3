/*
 * A disk whose requests are carried out in a thread of their own: the guest runs on meanwhile, resets the device or the
 * machine, and the host fails. The file under the disk waits at a gate, so that a request is under way for as long as a
 * test wants it to be.
 */
#include "base/storage.h"
#include "targets/kvm/devices.h"
#include "tests/unit/test.h"
#include "tests/unit/virtio_driver.h"

#include <errno.h>
#include <time.h>

#define DISK_SIZE 0x2000000u
#define HEADER (GUEST_START + 0x100000)
#define STATUS (GUEST_START + 0x101000)
#define DATA (GUEST_START + 0x110000)
#define SECONDS 20

enum { READ = 0, WRITE = 1, FLUSH = 4, ID = 8 };
enum { OK = 0, IO_ERROR = 1, UNSUPPORTED = 2, UNTOUCHED = 0xee };

static tl_u8 memory[GUEST_SIZE], contents[DISK_SIZE];

static struct fixture {
	struct guest guest;
	struct tl_kvm_devices devices;
	struct tl_loop *loop;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;        /* the gate; and so on, all under the lock */
	unsigned at_gate; /* how often somebody came to it */
	unsigned wanted;  /* calls of devices.wanted */
	bool failing;
	unsigned flushes, reads;
	char said[600];
} fixture;

static bool await(const unsigned *count, unsigned wanted)
{
	struct timespec end;
	bool there;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += SECONDS;
	pthread_mutex_lock(&fixture.lock);
	while (*count < wanted && pthread_cond_timedwait(&fixture.changed, &fixture.lock, &end) == 0)
		;
	there = *count >= wanted;
	pthread_mutex_unlock(&fixture.lock);
	return there;
}

static void set_gate(bool open)
{
	pthread_mutex_lock(&fixture.lock);
	fixture.open = open;
	pthread_cond_broadcast(&fixture.changed);
	pthread_mutex_unlock(&fixture.lock);
}

/* Whether the host's disk is well, once the gate is open. */
static bool pass_gate(unsigned *count)
{
	bool well;

	pthread_mutex_lock(&fixture.lock);
	fixture.at_gate++;
	pthread_cond_broadcast(&fixture.changed);
	while (!fixture.open)
		pthread_cond_wait(&fixture.changed, &fixture.lock);
	*count += 1;
	well = !fixture.failing;
	pthread_mutex_unlock(&fixture.lock);
	errno = EIO;
	return well;
}

static enum tl_status read_contents(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	(void)context;
	if (!pass_gate(&fixture.reads))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot read");
	memcpy(bytes, contents + offset, size);
	return TL_OK;
}

static enum tl_status write_contents(void *context, tl_u64 offset, const void *bytes, tl_u64 size,
				     struct tl_error *error)
{
	unsigned writes = 0;

	(void)context;
	if (!pass_gate(&writes))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write");
	memcpy(contents + offset, bytes, size);
	return TL_OK;
}

static enum tl_status flush_contents(void *context, struct tl_error *error)
{
	(void)context;
	if (!pass_gate(&fixture.flushes))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot flush");
	return TL_OK;
}

static void close_contents(void *context)
{
	(void)context;
}

static void count_wanted(void *context)
{
	(void)context;
	pthread_mutex_lock(&fixture.lock);
	fixture.wanted++;
	pthread_cond_broadcast(&fixture.changed);
	pthread_mutex_unlock(&fixture.lock);
}

static void remark(void *context, const char *line)
{
	(void)context;
	strncat(fixture.said, line, sizeof(fixture.said) - strlen(fixture.said) - 1);
}

/* A device that has started, over a disk whose sectors are filled with their numbers. */
static bool begin(enum tl_disk_mode mode)
{
	static const struct tl_disk_file file = {
		.read = read_contents, .write = write_contents, .flush = flush_contents, .close = close_contents};
	struct tl_kvm_devices *devices = &fixture.devices;
	struct tl_error error;

	memset(memory, 0, sizeof(memory));
	for (tl_size i = 0; i < DISK_SIZE; i++)
		contents[i] = (tl_u8)(i / TL_DISK_SECTOR);
	memset(&fixture, 0, sizeof(fixture));
	pthread_mutex_init(&fixture.lock, NULL);
	pthread_cond_init(&fixture.changed, NULL);
	fixture.guest.bytes = memory;
	guest_connect(&fixture.guest);
	if (tl_loop_create(&fixture.loop, &error) != TL_OK)
		return false;
	devices->remark = remark;
	devices->wanted = count_wanted;
	if (tl_kvm_devices_hear_disks(devices, fixture.loop, &error) != TL_OK)
		return false;
	tl_disk_make(&devices->disks[0], &file, DISK_SIZE, mode);
	if (tl_kvm_devices_plug_disk(devices, &fixture.guest.virtio, &error) != TL_OK)
		return false;
	return guest_start(&fixture.guest, 0, 1, 64);
}

static void end(void)
{
	set_gate(true);
	tl_kvm_devices_close(&fixture.devices);
	tl_loop_destroy(fixture.loop);
	pthread_cond_destroy(&fixture.changed);
	pthread_mutex_destroy(&fixture.lock);
	CHECK_EQUAL(tl_storage_live(), 0);
}

/* Offers a request of one piece of data, number `n` of several, without announcing it. */
static void offer(unsigned n, tl_u32 type, tl_u64 sector, tl_u64 address, tl_u32 size)
{
	struct guest_piece pieces[] = {
		{HEADER + 16 * n, 16, false}, {address, size, type == READ || type == ID}, {STATUS + n, 1, true}};

	tl_store_little(guest_at(&fixture.guest, HEADER + 16 * n), type, 8);
	tl_store_little(guest_at(&fixture.guest, HEADER + 16 * n + 8), sector, 8);
	*guest_at(&fixture.guest, STATUS + n) = UNTOUCHED;
	(void)guest_add(&fixture.guest, 0, pieces, 3);
}

static tl_u8 status_of(unsigned n)
{
	return *guest_at(&fixture.guest, STATUS + n);
}

/* A vCPU's thread brings in what has been done, until the guest has so many buffers back. */
static unsigned enter_until(unsigned wanted)
{
	unsigned heard = 0, taken = 0;
	tl_u32 head, length;

	do {
		/* A call that comes while they are entered is due to be answered anew. */
		pthread_mutex_lock(&fixture.lock);
		heard = fixture.wanted;
		pthread_mutex_unlock(&fixture.lock);
		tl_kvm_devices_enter(&fixture.devices);
		while (guest_take(&fixture.guest, 0, &head, &length))
			taken++;
	} while (taken < wanted && await(&fixture.wanted, heard + 1));
	return taken;
}

TEST(the_guest_runs_on_while_its_disk_is_read)
{
	tl_u32 head, length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	offer(0, READ, 5, DATA, 1024);
	guest_notify(&fixture.guest, 0);
	REQUIRE(await(&fixture.at_gate, 1));
	/* What needs no disk is answered meanwhile. */
	offer(1, ID, 0, DATA + 0x1000, 20);
	offer(2, READ, DISK_SIZE / 512, DATA + 0x1000, 512);
	offer(3, 77, 0, DATA + 0x1000, 512);
	guest_notify(&fixture.guest, 0);
	CHECK_EQUAL(enter_until(3), 3);
	CHECK_EQUAL(status_of(0), UNTOUCHED);
	CHECK_EQUAL(status_of(1), OK);
	CHECK_EQUAL(status_of(2), IO_ERROR);
	CHECK_EQUAL(status_of(3), UNSUPPORTED);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 0);
	set_gate(true);
	REQUIRE(await(&fixture.wanted, 1));
	/* Done, and the guest's memory is as it was: nobody has brought it in. */
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 0);
	CHECK_EQUAL(status_of(0), UNTOUCHED);
	tl_kvm_devices_enter(&fixture.devices);
	REQUIRE(guest_take(&fixture.guest, 0, &head, &length));
	CHECK_EQUAL(head, 0);
	CHECK_EQUAL(length, 1025);
	CHECK_EQUAL(status_of(0), OK);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 5);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA + 1023), 6);
	CHECK(fixture.guest.line);
	end();
}

/* In the order in which they were announced: a read behind a write sees it, and a flush is behind both. */
TEST(requests_of_one_disk_keep_their_order)
{
	REQUIRE(begin(TL_DISK_THROUGH));
	memset(guest_at(&fixture.guest, DATA), 0xaa, 512);
	offer(0, WRITE, 9, DATA, 512);
	offer(1, READ, 9, DATA + 0x1000, 512);
	offer(2, FLUSH, 0, DATA, 0);
	guest_notify(&fixture.guest, 0);
	/* What is written is what was there when it was announced. */
	memset(guest_at(&fixture.guest, DATA), 0xbb, 512);
	REQUIRE(await(&fixture.at_gate, 1));
	CHECK_EQUAL(fixture.flushes, 0);
	set_gate(true);
	CHECK_EQUAL(enter_until(3), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(status_of(i), OK);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA + 0x1000), 0xaa);
	CHECK_EQUAL(contents[9 * 512], 0xaa);
	CHECK_EQUAL(fixture.flushes, 1);
	CHECK_EQUAL(fixture.devices.blocks[0].writes, 1);
	CHECK_EQUAL(fixture.devices.blocks[0].errors, 0);
	end();
}

TEST(nothing_is_given_back_to_a_driver_that_has_reset_the_device)
{
	tl_u32 head, length;

	for (int how = 0; how < 3; how++) {
		REQUIRE(begin(TL_DISK_OVERLAY));
		offer(0, READ, 5, DATA, 512);
		guest_notify(&fixture.guest, 0);
		REQUIRE(await(&fixture.at_gate, 1));
		if (how == 0)
			guest_set(&fixture.guest, REGISTER_STATUS, 0);
		else if (how == 1)
			tl_virtio_operations.reset(&fixture.guest.virtio); /* the machine's */
		else
			guest_set(&fixture.guest, REGISTER_READY, 0); /* of the queue alone */
		/* It has started again, with the same rings, before the old request is done. */
		if (how == 2)
			guest_set_up_queue(&fixture.guest, 0, 64);
		else
			REQUIRE(guest_start(&fixture.guest, 0, 1, 64));
		offer(1, READ, 7, DATA + 0x1000, 512);
		guest_notify(&fixture.guest, 0);
		set_gate(true);
		CHECK_EQUAL(enter_until(1), 1);
		CHECK(!guest_take(&fixture.guest, 0, &head, &length));
		CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 0);
		CHECK_EQUAL(status_of(0), UNTOUCHED);
		CHECK_EQUAL(status_of(1), OK);
		CHECK_EQUAL(*guest_at(&fixture.guest, DATA + 0x1000), 7);
		CHECK_EQUAL(fixture.devices.blocks[0].under_way, 0);
		end();
	}
}

TEST(a_device_that_broke_meanwhile_gives_nothing_back)
{
	struct guest_piece nothing = {HEADER, 16, false};

	REQUIRE(begin(TL_DISK_OVERLAY));
	offer(0, READ, 5, DATA, 512);
	guest_notify(&fixture.guest, 0);
	REQUIRE(await(&fixture.at_gate, 1));
	(void)guest_add(&fixture.guest, 0, &nothing, 1);
	guest_notify(&fixture.guest, 0);
	CHECK(guest_broke(&fixture.guest));
	set_gate(true);
	REQUIRE(await(&fixture.wanted, 1));
	tl_kvm_devices_enter(&fixture.devices);
	CHECK_EQUAL(status_of(0), UNTOUCHED);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 0);
	CHECK_EQUAL(fixture.devices.blocks[0].under_way, 0);
	end();
}

TEST(a_host_that_fails_meanwhile_is_an_io_error_and_is_told_once)
{
	REQUIRE(begin(TL_DISK_THROUGH));
	offer(0, READ, 5, DATA, 512);
	offer(1, WRITE, 5, DATA, 512);
	offer(2, FLUSH, 0, DATA, 0);
	guest_notify(&fixture.guest, 0);
	REQUIRE(await(&fixture.at_gate, 1));
	pthread_mutex_lock(&fixture.lock);
	fixture.failing = true;
	pthread_mutex_unlock(&fixture.lock);
	set_gate(true);
	CHECK_EQUAL(enter_until(3), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(status_of(i), IO_ERROR);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 0);
	CHECK_EQUAL(fixture.devices.blocks[0].errors, 3);
	CHECK(!guest_broke(&fixture.guest));
	CHECK_EQUAL(tl_loop_turn(fixture.loop, 1000 * SECONDS, NULL), TL_OK);
	CHECK(strcmp(fixture.said, "Disk 0 fails: cannot read: Input/output error. The guest gets an I/O error.") == 0);
	/* When it is well again, so is the guest. */
	pthread_mutex_lock(&fixture.lock);
	fixture.failing = false;
	pthread_mutex_unlock(&fixture.lock);
	offer(3, READ, 6, DATA, 512);
	guest_notify(&fixture.guest, 0);
	CHECK_EQUAL(enter_until(1), 1);
	CHECK_EQUAL(status_of(3), OK);
	CHECK_EQUAL(*guest_at(&fixture.guest, DATA), 6);
	end();
}

TEST(data_that_is_not_in_memory_is_an_io_error)
{
	REQUIRE(begin(TL_DISK_OVERLAY));
	set_gate(true);
	offer(0, READ, 5, 0x1000, 512);
	offer(1, WRITE, 5, GUEST_START + GUEST_SIZE - 256, 512);
	guest_notify(&fixture.guest, 0);
	CHECK_EQUAL(enter_until(2), 2);
	CHECK_EQUAL(status_of(0), IO_ERROR);
	CHECK_EQUAL(status_of(1), IO_ERROR);
	CHECK(!guest_broke(&fixture.guest));
	end();
}

TEST(without_memory_for_a_copy_a_request_fails)
{
	REQUIRE(begin(TL_DISK_OVERLAY));
	set_gate(true);
	for (unsigned i = 1; i <= 2; i++) {
		tl_storage_fail(i);
		offer(i, READ, 5, DATA, 512);
		guest_notify(&fixture.guest, 0);
		CHECK_EQUAL(enter_until(1), 1);
		CHECK_EQUAL(status_of(i), IO_ERROR);
	}
	tl_storage_fail(0);
	CHECK_EQUAL(fixture.devices.blocks[0].under_way, 0);
	end();
}

/* A guest that asks for more than the host wants to hold in copies waits, and gets all of it. */
TEST(too_much_at_once_waits_in_the_guest)
{
	enum { COUNT = 16 };
	const tl_u32 size = 2u << 20;

	REQUIRE(begin(TL_DISK_OVERLAY));
	for (unsigned i = 0; i < COUNT; i++)
		offer(i, READ, 8 * i, DATA, size);
	guest_notify(&fixture.guest, 0);
	REQUIRE(await(&fixture.at_gate, 1));
	CHECK(fixture.devices.blocks[0].under_way >= (tl_u64)16 << 20);
	CHECK(fixture.devices.blocks[0].under_way < (tl_u64)20 << 20);
	set_gate(true);
	CHECK_EQUAL(enter_until(COUNT), COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		CHECK_EQUAL(status_of(i), OK);
	CHECK_EQUAL(fixture.devices.blocks[0].under_way, 0);
	CHECK_EQUAL(fixture.reads, COUNT);
	end();
}

/* The machine ends with requests on their way: what was announced is written, and nothing is left. */
TEST(a_machine_that_ends_has_written_what_was_announced)
{
	REQUIRE(begin(TL_DISK_THROUGH));
	memset(guest_at(&fixture.guest, DATA), 0xaa, 512);
	for (unsigned i = 0; i < 8; i++)
		offer(i, WRITE, i, DATA, 512);
	guest_notify(&fixture.guest, 0);
	REQUIRE(await(&fixture.at_gate, 1));
	end();
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQUAL(contents[i * 512], 0xaa);
}

/* The virtio block device over a disk in memory, which fails when it is told to. */
#include "base/storage.h"
#include "machine/virtio_block.h"
#include "tests/unit/test.h"
#include "tests/unit/virtio_driver.h"

#include <errno.h>

#define DISK_SIZE 0x100000u
#define HEADER (GUEST_START + 0x100000)
#define DATA (GUEST_START + 0x110000)
#define STATUS (GUEST_START + 0x101000)

enum { READ = 0, WRITE = 1, FLUSH = 4, ID = 8 };
enum { OK = 0, IO_ERROR = 1, UNSUPPORTED = 2, UNTOUCHED = 0xee };

static tl_u8 memory[GUEST_SIZE], contents[DISK_SIZE];
static struct guest guest;
static struct tl_disk disk;
static struct tl_virtio_block block;
static bool failing;
static unsigned flushes;

static enum tl_status read_contents(void *context, tl_u64 offset, void *bytes, tl_u64 size, struct tl_error *error)
{
	(void)context;
	errno = EIO;
	if (failing)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot read");
	memcpy(bytes, contents + offset, size);
	return TL_OK;
}

static enum tl_status write_contents(void *context, tl_u64 offset, const void *bytes, tl_u64 size,
				     struct tl_error *error)
{
	(void)context;
	errno = ENOSPC;
	if (failing)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write");
	memcpy(contents + offset, bytes, size);
	return TL_OK;
}

static enum tl_status flush_contents(void *context, struct tl_error *error)
{
	(void)context;
	errno = EIO;
	if (failing)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot flush");
	flushes++;
	return TL_OK;
}

static void close_contents(void *context)
{
	(void)context;
}

static const struct tl_disk_file file = {
	.read = read_contents, .write = write_contents, .flush = flush_contents, .close = close_contents};

/* A started device over a disk whose sectors are filled with their numbers. */
static bool begin(enum tl_disk_mode mode)
{
	memset(memory, 0, sizeof(memory));
	for (tl_size i = 0; i < DISK_SIZE; i++)
		contents[i] = (tl_u8)(i / TL_DISK_SECTOR);
	failing = false;
	flushes = 0;
	guest = (struct guest){.bytes = memory};
	guest_connect(&guest);
	tl_disk_make(&disk, &file, DISK_SIZE, mode);
	tl_virtio_block_plug(&block, &guest.virtio, &disk, "a disk with a name of some length");
	return guest_start(&guest, 0, 1, 16);
}

/* The status that a request of one piece of data comes back with. */
static tl_u8 request(tl_u32 type, tl_u64 sector, tl_u64 address, tl_u32 size, tl_u32 *length_ret)
{
	struct guest_piece pieces[] = {
		{HEADER, 16, false}, {address, size, type == READ || type == ID}, {STATUS, 1, true}};
	tl_u32 head;

	tl_store_little(guest_at(&guest, HEADER), type, 8);
	tl_store_little(guest_at(&guest, HEADER + 8), sector, 8);
	*guest_at(&guest, STATUS) = UNTOUCHED;
	(void)guest_add(&guest, 0, pieces, 3);
	guest_notify(&guest, 0);
	*length_ret = 0;
	return guest_take(&guest, 0, &head, length_ret) ? *guest_at(&guest, STATUS) : UNTOUCHED;
}

TEST(the_driver_reads_how_large_the_disk_is)
{
	REQUIRE(begin(TL_DISK_OVERLAY));
	CHECK_EQUAL(guest_get(&guest, REGISTER_ID), TL_VIRTIO_ID_BLOCK);
	CHECK_EQUAL(tl_virtio_operations.read(&guest.virtio, REGISTER_CONFIGURATION, 8), DISK_SIZE / 512);
	CHECK_EQUAL(guest_get(&guest, REGISTER_CONFIGURATION + 20), 512);
	CHECK_EQUAL(guest_features(&guest) & 1 << 5, 0);
	tl_disk_close(&disk);
	REQUIRE(begin(TL_DISK_READ_ONLY));
	CHECK_EQUAL(guest_features(&guest) & 1 << 5, 1 << 5);
	tl_disk_close(&disk);
}

TEST(what_is_written_is_read_again)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	CHECK_EQUAL(request(READ, 5, DATA, 1024, &length), OK);
	CHECK_EQUAL(length, 1025);
	CHECK_EQUAL(*guest_at(&guest, DATA), 5);
	CHECK_EQUAL(*guest_at(&guest, DATA + 1023), 6);
	memset(guest_at(&guest, DATA), 0xaa, 512);
	CHECK_EQUAL(request(WRITE, 5, DATA, 512, &length), OK);
	CHECK_EQUAL(length, 1);
	CHECK_EQUAL(request(READ, 4, DATA, 1536, &length), OK);
	CHECK_EQUAL(*guest_at(&guest, DATA), 4);
	CHECK_EQUAL(*guest_at(&guest, DATA + 512), 0xaa);
	CHECK_EQUAL(*guest_at(&guest, DATA + 1023), 0xaa);
	CHECK_EQUAL(*guest_at(&guest, DATA + 1024), 6);
	CHECK_EQUAL(request(FLUSH, 0, DATA, 0, &length), OK);
	CHECK_EQUAL(contents[5 * 512], 5);
	CHECK_EQUAL(flushes, 0);
	tl_disk_close(&disk);
}

TEST(a_disk_written_through_changes_what_is_under_it)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_THROUGH));
	memset(guest_at(&guest, DATA), 0xaa, 512);
	CHECK_EQUAL(request(WRITE, 5, DATA, 512, &length), OK);
	CHECK_EQUAL(contents[5 * 512], 0xaa);
	CHECK_EQUAL(request(FLUSH, 0, DATA, 0, &length), OK);
	CHECK_EQUAL(flushes, 1);
	tl_disk_close(&disk);
}

TEST(a_disk_has_a_name)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	CHECK_EQUAL(request(ID, 0, DATA, 20, &length), OK);
	CHECK_EQUAL(length, 21);
	CHECK(memcmp(guest_at(&guest, DATA), "a disk with a name o", 20) == 0);
	CHECK_EQUAL(*guest_at(&guest, DATA + 20), 0);
	CHECK_EQUAL(request(ID, 0, DATA, 19, &length), IO_ERROR);
	tl_disk_close(&disk);
}

/* How a driver cuts a request into pieces is its own business (2.7.4). */
TEST(a_request_may_come_in_any_pieces)
{
	struct guest_piece pieces[] = {{HEADER, 3, false},    {HEADER + 3, 0, false}, {HEADER + 3, 13, false},
				       {DATA, 1, true},       {DATA + 1, 510, true},  {DATA + 511, 0, true},
				       {DATA + 511, 1, true}, {STATUS, 1, true}};
	tl_u32 head, length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	tl_store_little(guest_at(&guest, HEADER), READ, 8);
	tl_store_little(guest_at(&guest, HEADER + 8), 9, 8);
	(void)guest_add(&guest, 0, pieces, 8);
	guest_notify(&guest, 0);
	REQUIRE(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(length, 513);
	for (unsigned i = 0; i < 512; i++)
		CHECK_EQUAL(*guest_at(&guest, DATA + i), 9);
	/* Written: header and data in one piece; the status in a piece with room for more. */
	memset(guest_at(&guest, HEADER + 16), 0x77, 512);
	tl_store_little(guest_at(&guest, HEADER), WRITE, 8);
	pieces[0] = (struct guest_piece){HEADER, 16 + 512, false};
	pieces[1] = (struct guest_piece){STATUS - 3, 4, true};
	(void)guest_add(&guest, 0, pieces, 2);
	*guest_at(&guest, STATUS) = UNTOUCHED;
	guest_notify(&guest, 0);
	REQUIRE(guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(*guest_at(&guest, STATUS), OK);
	CHECK_EQUAL(request(READ, 9, DATA, 512, &length), OK);
	CHECK_EQUAL(*guest_at(&guest, DATA), 0x77);
	tl_disk_close(&disk);
}

TEST(what_is_not_on_the_disk_is_an_error)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	CHECK_EQUAL(request(READ, DISK_SIZE / 512, DATA, 512, &length), IO_ERROR);
	CHECK_EQUAL(length, 1);
	CHECK_EQUAL(request(READ, DISK_SIZE / 512 - 1, DATA, 1024, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, DISK_SIZE / 512 - 1, DATA, 512, &length), OK);
	CHECK_EQUAL(request(READ, TL_U64_MAX, DATA, 512, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, TL_U64_MAX / 512, DATA, 1024, &length), IO_ERROR);
	CHECK_EQUAL(request(WRITE, TL_U64_MAX - 1, DATA, 1024, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 0, DATA, 511, &length), IO_ERROR);
	CHECK_EQUAL(request(WRITE, 0, DATA, 100, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 0, DATA, 0xfffffe00, &length), IO_ERROR);
	CHECK_EQUAL(request(WRITE, 0, DATA, 0xfffffe00, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 0, DATA, 0, &length), OK);
	CHECK_EQUAL(request(11, 0, DATA, 16, &length), UNSUPPORTED);
	CHECK_EQUAL(request(0xffffffff, 0, DATA, 16, &length), UNSUPPORTED);
	CHECK(!guest_broke(&guest));
	CHECK_EQUAL(block.errors, 11);
	tl_disk_close(&disk);
}

TEST(data_outside_memory_is_an_error_and_a_status_outside_it_ends_the_device)
{
	struct guest_piece pieces[] = {{HEADER, 16, false}, {DATA, 512, true}, {0, 1, true}};
	tl_u32 length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	CHECK_EQUAL(request(READ, 0, 0x1000, 512, &length), IO_ERROR);
	CHECK_EQUAL(request(WRITE, 0, GUEST_START + GUEST_SIZE - 256, 512, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 0, TL_U64_MAX - 255, 512, &length), IO_ERROR);
	CHECK(!guest_broke(&guest));
	(void)guest_add(&guest, 0, pieces, 3);
	guest_notify(&guest, 0);
	CHECK(guest_broke(&guest));
	tl_disk_close(&disk);
	/* No room for a status at all. */
	REQUIRE(begin(TL_DISK_OVERLAY));
	(void)guest_add(&guest, 0, pieces, 1);
	guest_notify(&guest, 0);
	CHECK(guest_broke(&guest));
	tl_disk_close(&disk);
	/* Half a header. */
	REQUIRE(begin(TL_DISK_OVERLAY));
	pieces[0].size = 15;
	pieces[2].address = STATUS;
	(void)guest_add(&guest, 0, pieces, 3);
	guest_notify(&guest, 0);
	CHECK(guest_broke(&guest));
	tl_disk_close(&disk);
}

TEST(a_read_only_disk_refuses_writes)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_READ_ONLY));
	CHECK_EQUAL(request(WRITE, 0, DATA, 512, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 3, DATA, 512, &length), OK);
	CHECK_EQUAL(*guest_at(&guest, DATA), 3);
	tl_disk_close(&disk);
}

TEST(failures_of_the_host_are_io_errors_in_the_guest)
{
	static const enum tl_disk_mode modes[] = {TL_DISK_OVERLAY, TL_DISK_THROUGH, TL_DISK_READ_ONLY};
	tl_u32 length;

	for (tl_size i = 0; i < TL_COUNT(modes); i++) {
		REQUIRE(begin(modes[i]));
		failing = true;
		CHECK_EQUAL(request(READ, 0, DATA, 512, &length), IO_ERROR);
		CHECK_EQUAL(disk.failures, 1);
		CHECK_EQUAL(disk.failure.system, EIO);
		CHECK_EQUAL(request(WRITE, 0, DATA, 512, &length), IO_ERROR);
		CHECK_EQUAL(request(FLUSH, 0, DATA, 0, &length), modes[i] == TL_DISK_THROUGH ? IO_ERROR : OK);
		CHECK(!guest_broke(&guest));
		/* When it is well again, so is the guest. */
		failing = false;
		CHECK_EQUAL(request(READ, 7, DATA, 512, &length), OK);
		CHECK_EQUAL(*guest_at(&guest, DATA), 7);
		tl_disk_close(&disk);
	}
}

TEST(an_overlay_without_memory_is_an_io_error)
{
	tl_u32 length;

	REQUIRE(begin(TL_DISK_OVERLAY));
	for (int i = 1; i <= 2; i++) {
		tl_storage_fail((tl_u64)i);
		CHECK_EQUAL(request(WRITE, 8, DATA, 512, &length), IO_ERROR);
		CHECK_EQUAL(disk.failure.status, TL_ERROR_NO_MEMORY);
		CHECK_EQUAL(disk.count, 0);
	}
	tl_storage_fail(0);
	CHECK_EQUAL(request(WRITE, 8, DATA, 512, &length), OK);
	disk.limit = 1;
	CHECK_EQUAL(request(WRITE, 9, DATA, 512, &length), OK); /* the same block */
	CHECK_EQUAL(request(WRITE, 16, DATA, 512, &length), IO_ERROR);
	CHECK_EQUAL(request(READ, 16, DATA, 512, &length), OK);
	CHECK_EQUAL(*guest_at(&guest, DATA), 16);
	tl_disk_close(&disk);
	CHECK_EQUAL(tl_storage_live(), 0);
}

/* As many as the ring holds, all to the same buffer: each is served, once. */
TEST(a_full_queue_is_served_at_one_notification)
{
	struct guest_piece pieces[] = {{HEADER, 16, false}, {DATA, 512, true}, {STATUS, 1, true}};
	tl_u32 head, length;
	tl_u16 first;

	REQUIRE(begin(TL_DISK_OVERLAY));
	tl_store_little(guest_at(&guest, HEADER), READ, 8);
	tl_store_little(guest_at(&guest, HEADER + 8), 1, 8);
	first = guest_add(&guest, 0, pieces, 3);
	for (int i = 0; i < 15; i++)
		guest_offer(&guest, 0, first);
	guest_notify(&guest, 0);
	for (int i = 0; i < 16; i++)
		CHECK(guest_take(&guest, 0, &head, &length));
	CHECK(!guest_take(&guest, 0, &head, &length));
	CHECK_EQUAL(block.reads, 16);
	CHECK_EQUAL(guest.rises, 1);
	tl_disk_close(&disk);
}

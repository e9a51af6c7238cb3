/* Disks: the overlay against a model, and files of the host that are not as they should be. */
#include "base/storage.h"
#include "machine/disk.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not a multiple of a block, nor of a sector. */
#define FILE_SIZE (40 * TL_DISK_BLOCK + 3 * TL_DISK_SECTOR + 100)
#define SIZE (40 * TL_DISK_BLOCK + 4 * TL_DISK_SECTOR)

static char path[64];

static bool make_file(tl_u64 size)
{
	int descriptor;
	bool good;

	snprintf(path, sizeof(path), "/tmp/trapline-test-disk-XXXXXX");
	descriptor = mkstemp(path);
	if (descriptor < 0)
		return false;
	good = true;
	for (tl_u64 i = 0; good && i < size; i += 4) {
		tl_u32 word = (tl_u32)i * 2654435761u;
		ssize_t part = (ssize_t)(size - i < 4 ? size - i : 4);

		good = write(descriptor, &word, (size_t)part) == part;
	}
	close(descriptor);
	return good;
}

static bool read_file(tl_u8 *bytes, tl_u64 size)
{
	FILE *file = fopen(path, "rb");
	bool good = file != NULL && fread(bytes, 1, size, file) == size;

	if (file != NULL)
		fclose(file);
	return good;
}

static tl_u64 seed;

/* xorshift64 */
static tl_u64 chance(tl_u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* A range inside the disk: short or long, with any ends or with ends of sectors or blocks. */
static void choose(tl_u64 *offset, tl_u64 *size)
{
	static const tl_u64 units[] = {1, TL_DISK_SECTOR, TL_DISK_BLOCK};
	tl_u64 unit = units[chance(3)];

	*offset = chance(SIZE / unit) * unit;
	*size = (1 + chance(chance(4) == 0 ? 60 : 8)) * unit;
	if (*size > SIZE - *offset)
		*size = SIZE - *offset;
}

/* What a snapshot keeps: the blocks as they were when they first changed since. */
static struct {
	bool kept, there;
	tl_u8 bytes[TL_DISK_BLOCK];
} before[SIZE / TL_DISK_BLOCK + 1];

static void keep(void *context, tl_u64 number, const tl_u8 *bytes)
{
	(void)context;
	if (before[number].kept)
		return;
	before[number].kept = true;
	before[number].there = bytes != NULL;
	if (bytes != NULL)
		memcpy(before[number].bytes, bytes, TL_DISK_BLOCK);
}

static bool restore(struct tl_disk *disk)
{
	for (tl_u64 i = 0; i < TL_COUNT(before); i++) {
		if (before[i].kept && tl_disk_put(disk, i, before[i].there ? before[i].bytes : NULL) != TL_OK)
			return false;
		before[i].kept = false;
	}
	return true;
}

static tl_u8 model[SIZE], saved[SIZE], bytes[SIZE], original[FILE_SIZE];

static bool same_everywhere(struct tl_disk *disk)
{
	return tl_disk_read(disk, 0, bytes, SIZE) == TL_OK && memcmp(bytes, model, SIZE) == 0;
}

static bool random_step(struct tl_disk *disk)
{
	tl_u64 offset, size;

	choose(&offset, &size);
	if (chance(2) == 0)
		return tl_disk_read(disk, offset, bytes, size) == TL_OK && memcmp(bytes, model + offset, size) == 0;
	for (tl_u64 i = 0; i < size; i++)
		bytes[i] = model[offset + i] = (tl_u8)chance(256);
	return tl_disk_write(disk, offset, bytes, size) == TL_OK;
}

TEST(an_overlay_reads_as_a_model_does_and_goes_back)
{
	struct tl_error error;
	struct tl_disk disk;

	REQUIRE(make_file(FILE_SIZE));
	REQUIRE(read_file(original, FILE_SIZE));
	for (seed = 1; seed < 100000000; seed += 9999999) {
		tl_u64 started = seed;

		memset(model, 0, sizeof(model));
		memcpy(model, original, FILE_SIZE);
		REQUIRE(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error) == TL_OK);
		CHECK_EQUAL(disk.size, SIZE);
		disk.changing = keep;
		memcpy(saved, model, SIZE);
		for (int i = 0; i < 400; i++) {
			REQUIRE(random_step(&disk));
			if (chance(50) != 0)
				continue;
			REQUIRE(same_everywhere(&disk));
			if (chance(2) == 0) {
				REQUIRE(restore(&disk));
				memcpy(model, saved, SIZE);
				REQUIRE(same_everywhere(&disk));
			} else {
				memset(before, 0, sizeof(before));
				memcpy(saved, model, SIZE);
			}
		}
		memset(before, 0, sizeof(before));
		tl_disk_close(&disk);
		CHECK_EQUAL(tl_storage_live(), 0);
		seed = started;
	}
	REQUIRE(read_file(bytes, FILE_SIZE));
	CHECK(memcmp(bytes, original, FILE_SIZE) == 0);
	unlink(path);
}

TEST(an_overlay_that_is_full_fails_and_keeps_what_it_has)
{
	static tl_u8 written[TL_DISK_BLOCK], back[TL_DISK_BLOCK];
	struct tl_disk disk;
	struct tl_error error;

	REQUIRE(make_file(FILE_SIZE));
	REQUIRE(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error) == TL_OK);
	disk.limit = 2;
	tl_fill(written, 0x5a, sizeof(written));
	for (tl_u64 i = 0; i < 2; i++)
		CHECK(tl_disk_write(&disk, i * TL_DISK_BLOCK, written, TL_DISK_BLOCK) == TL_OK);
	CHECK(tl_disk_write(&disk, 5ull * TL_DISK_BLOCK, written, TL_DISK_BLOCK) == TL_ERROR_NO_MEMORY);
	CHECK(strstr(disk.failure.text, "is full") != NULL);
	CHECK_EQUAL(disk.failures, 1);
	CHECK_EQUAL(disk.count, 2);
	CHECK(tl_disk_write(&disk, TL_DISK_BLOCK, written, TL_DISK_BLOCK) == TL_OK);
	CHECK(tl_disk_read(&disk, TL_DISK_BLOCK, back, TL_DISK_BLOCK) == TL_OK);
	CHECK(memcmp(back, written, sizeof(written)) == 0);
	CHECK(tl_disk_read(&disk, 5ull * TL_DISK_BLOCK, back, TL_DISK_BLOCK) == TL_OK);
	CHECK(memcmp(back, written, sizeof(written)) != 0);
	/* Without its overlay it is what is in the file, and there is room again. */
	tl_disk_forget(&disk);
	CHECK_EQUAL(disk.count, 0);
	CHECK(tl_disk_read(&disk, TL_DISK_BLOCK, back, TL_DISK_BLOCK) == TL_OK);
	CHECK(memcmp(back, written, sizeof(written)) != 0);
	CHECK(tl_disk_write(&disk, 5ull * TL_DISK_BLOCK, written, TL_DISK_BLOCK) == TL_OK);
	tl_disk_close(&disk);
	unlink(path);
}

TEST(ranges_outside_the_disk_are_refused)
{
	struct tl_error error;
	struct tl_disk disk;

	REQUIRE(make_file(TL_DISK_BLOCK));
	REQUIRE(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error) == TL_OK);
	CHECK_EQUAL(tl_disk_read(&disk, TL_DISK_BLOCK, bytes, 1), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_disk_read(&disk, 1, bytes, TL_DISK_BLOCK), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_disk_read(&disk, 1, bytes, TL_U64_MAX), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_disk_write(&disk, TL_U64_MAX, bytes, 2), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_disk_read(&disk, TL_DISK_BLOCK, bytes, 0), TL_OK);
	tl_disk_close(&disk);
	unlink(path);
}

TEST(writing_through_changes_the_file_and_goes_alone)
{
	struct tl_disk disk, other;
	struct tl_error error;

	REQUIRE(make_file(2 * TL_DISK_BLOCK));
	REQUIRE(tl_disk_open(&disk, path, TL_DISK_THROUGH, &error) == TL_OK);
	CHECK_EQUAL(tl_disk_write(&disk, 5000, "written", 7), TL_OK);
	CHECK_EQUAL(tl_disk_flush(&disk), TL_OK);
	REQUIRE(read_file(bytes, 2 * TL_DISK_BLOCK));
	CHECK(memcmp(bytes + 5000, "written", 7) == 0);
	CHECK_EQUAL(tl_disk_open(&other, path, TL_DISK_THROUGH, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "in use by another program") != NULL);
	CHECK_EQUAL(tl_disk_open(&other, path, TL_DISK_OVERLAY, &error), TL_ERROR_ARGUMENT);
	tl_disk_close(&disk);
	/* Any number may read. */
	REQUIRE(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error) == TL_OK);
	REQUIRE(tl_disk_open(&other, path, TL_DISK_READ_ONLY, &error) == TL_OK);
	CHECK_EQUAL(tl_disk_write(&other, 0, "x", 1), TL_ERROR_PERMISSION);
	tl_disk_close(&other);
	CHECK_EQUAL(tl_disk_open(&other, path, TL_DISK_THROUGH, &error), TL_ERROR_ARGUMENT);
	tl_disk_close(&disk);
	unlink(path);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(a_file_that_shrinks_gives_errors_where_it_was)
{
	static const enum tl_disk_mode modes[] = {TL_DISK_OVERLAY, TL_DISK_READ_ONLY};
	struct tl_error error;
	struct tl_disk disk;

	for (tl_size i = 0; i < TL_COUNT(modes); i++) {
		REQUIRE(make_file(8 * TL_DISK_BLOCK));
		REQUIRE(tl_disk_open(&disk, path, modes[i], &error) == TL_OK);
		REQUIRE(truncate(path, TL_DISK_BLOCK + 10) == 0);
		CHECK_EQUAL(tl_disk_read(&disk, 0, bytes, TL_DISK_BLOCK), TL_OK);
		CHECK_EQUAL(tl_disk_read(&disk, 0, bytes, 2 * TL_DISK_BLOCK), TL_ERROR_TRUNCATED);
		CHECK(strstr(disk.failure.text, "cut it off") != NULL);
		CHECK_EQUAL(disk.failures, 1);
		if (modes[i] == TL_DISK_OVERLAY) {
			/* Part of a block is written over what cannot be read; a whole one needs nothing. */
			CHECK_EQUAL(tl_disk_write(&disk, 4 * TL_DISK_BLOCK + 5, "x", 1), TL_ERROR_TRUNCATED);
			CHECK_EQUAL(disk.count, 0);
			CHECK_EQUAL(tl_disk_write(&disk, 4 * TL_DISK_BLOCK, bytes, TL_DISK_BLOCK), TL_OK);
			CHECK_EQUAL(tl_disk_read(&disk, 4 * TL_DISK_BLOCK, bytes, TL_DISK_BLOCK), TL_OK);
		}
		/* A file that is removed is there for those who have it. */
		unlink(path);
		CHECK_EQUAL(tl_disk_read(&disk, 0, bytes, TL_DISK_BLOCK), TL_OK);
		tl_disk_close(&disk);
	}
}

/* The error that opening something gives. */
static const char *refused(const char *what, enum tl_disk_mode mode)
{
	static struct tl_error error;
	struct tl_disk disk;

	if (tl_disk_open(&disk, what, mode, &error) != TL_OK)
		return error.text;
	tl_disk_close(&disk);
	return "";
}

TEST(what_is_no_disk_is_refused_in_words)
{
	CHECK_TEXT(refused("/nowhere/disk", TL_DISK_OVERLAY),
		   "cannot open the disk /nowhere/disk: No such file or directory");
	CHECK_TEXT(refused("/tmp", TL_DISK_OVERLAY), "/tmp is no file: a disk is a raw file or a block device");
	CHECK_TEXT(refused("/dev/null", TL_DISK_READ_ONLY),
		   "/dev/null is no file: a disk is a raw file or a block device");
	REQUIRE(make_file(0));
	CHECK(strstr(refused(path, TL_DISK_OVERLAY), "is empty: make it with `truncate -s 1G") != NULL);
	unlink(path);
	REQUIRE(make_file(1000));
	CHECK_TEXT(refused(path, TL_DISK_OVERLAY), "");
	CHECK(strstr(refused(path, TL_DISK_THROUGH), "no multiple of 512; `truncate -s %512 ") != NULL);
	unlink(path);
	/* A pipe without another end is not waited for. */
	snprintf(path, sizeof(path), "/tmp/trapline-test-fifo-%d", (int)getpid());
	REQUIRE(mkfifo(path, 0600) == 0);
	CHECK(strstr(refused(path, TL_DISK_OVERLAY), "is no file") != NULL);
	unlink(path);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(every_allocation_may_fail)
{
	struct tl_error error;
	struct tl_disk disk;

	REQUIRE(make_file(FILE_SIZE));
	tl_storage_fail(1);
	CHECK_EQUAL(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error), TL_ERROR_NO_MEMORY);
	tl_storage_fail(0);
	REQUIRE(tl_disk_open(&disk, path, TL_DISK_OVERLAY, &error) == TL_OK);
	memset(bytes, 0x33, sizeof(bytes));
	for (tl_u64 n = 1; n < 60; n++) {
		enum tl_status status;

		tl_storage_fail(n);
		status = tl_disk_write(&disk, 0, bytes, SIZE);
		tl_storage_fail(0);
		if (status == TL_OK)
			break;
		CHECK_EQUAL(status, TL_ERROR_NO_MEMORY);
	}
	CHECK_EQUAL(tl_disk_write(&disk, 0, bytes, SIZE), TL_OK);
	memset(model, 0x33, sizeof(model));
	CHECK(same_everywhere(&disk));
	tl_disk_close(&disk);
	CHECK_EQUAL(tl_storage_live(), 0);
	unlink(path);
}

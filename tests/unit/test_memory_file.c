#include "debugger/session/memory_file.h"

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];

__attribute__((constructor)) static void make_path(void)
{
	int file;

	(void)snprintf(path, sizeof(path), "/tmp/trapline-memory-XXXXXX");
	file = mkstemp(path);
	if (file >= 0)
		(void)close(file);
}

__attribute__((destructor)) static void remove_path(void)
{
	(void)unlink(path);
}

/* Makes a file, and reads it as records or, `binary`, as it is. */
static enum tl_status read_text(const char *text, bool binary, struct tl_memory_parts *parts_ret,
				struct tl_error *error)
{
	FILE *file = fopen(path, "w");

	if (file == NULL)
		return TL_ERROR_SYSTEM;
	(void)fputs(text, file);
	(void)fclose(file);
	return tl_memory_file_read(path, binary, parts_ret, error);
}

/* Writes bytes and reads them again: one part, the same. */
static bool comes_back(enum tl_memory_format format, tl_u64 address, tl_size size)
{
	struct tl_memory_parts parts = {0};
	struct tl_error error;
	tl_u8 *bytes = malloc(size);
	bool same = bytes != NULL;

	for (tl_size i = 0; same && i < size; i++)
		bytes[i] = (tl_u8)(i * 7 + 3);
	same = same && tl_memory_file_write(path, format, false, address, bytes, size, &error) == TL_OK &&
	       tl_memory_file_read(path, format == TL_MEMORY_BINARY, &parts, &error) == TL_OK && parts.count == 1 &&
	       parts.format == format && parts.items[0].size == size &&
	       parts.items[0].address == (format == TL_MEMORY_BINARY ? 0 : address) &&
	       memcmp(parts.items[0].bytes, bytes, size) == 0;
	tl_memory_parts_release(&parts);
	free(bytes);
	return same;
}

TEST(what_is_written_is_read_again)
{
	CHECK(comes_back(TL_MEMORY_BINARY, 0x1234, 5));
	CHECK(comes_back(TL_MEMORY_BINARY, 0x555555558030, 70000));
	for (int format = TL_MEMORY_IHEX; format <= TL_MEMORY_SREC; format++) {
		CHECK(comes_back((enum tl_memory_format)format, 0, 1));
		CHECK(comes_back((enum tl_memory_format)format, 0xfff0, 33));
		CHECK(comes_back((enum tl_memory_format)format, 0x1fff9, 100));
		CHECK(comes_back((enum tl_memory_format)format, 0xfffff8, 100));
		CHECK(comes_back((enum tl_memory_format)format, 0xffffff00, 0x100));
	}
}

TEST(records_have_no_room_for_high_addresses)
{
	struct tl_error error;

	CHECK_EQUAL(tl_memory_file_write(path, TL_MEMORY_IHEX, false, 0xffffffff, "ab", 2, &error), TL_ERROR_TOO_LONG);
	CHECK_EQUAL(tl_memory_file_write(path, TL_MEMORY_SREC, false, 0x555555558030, "ab", 2, &error),
		    TL_ERROR_TOO_LONG);
	CHECK(strstr(error.text, "binary") != NULL);
	CHECK_EQUAL(tl_memory_file_write("/", TL_MEMORY_BINARY, false, 0, "ab", 2, &error), TL_ERROR_SYSTEM);
}

TEST(parts_with_a_gap_stay_apart)
{
	struct tl_memory_parts parts;
	struct tl_error error;

	REQUIRE(read_text(":02000000AABB99\n:01000200CC31\n:01001000DD12\n:00000001FF\n", false, &parts, &error) ==
		TL_OK);
	CHECK_EQUAL(parts.count, 2);
	CHECK_EQUAL(parts.items[0].size, 3);
	CHECK_EQUAL(parts.items[1].address, 0x10);
	tl_memory_parts_release(&parts);
}

TEST(damaged_records_are_told_by_their_line)
{
	static const char *const damaged[] = {
		":02000000AABB98\n",        /* the sum */
		":03000000AABB98\n",        /* the length */
		":0200",                    /* cut off */
		":0200000xAABB99\n",        /* no digit */
		":02000000AABB99\nhello\n", /* something else */
		"S1050000AABB96\n",         /* the sum */
		"S",                        /* nothing */
		"S1",                       /* nothing */
		"S3030000FC\n",             /* no room for the address */
		":020000049999999999999\n", /* odd */
		"Sx050000AABB95\n",         /* no type */
	};
	struct tl_memory_parts parts;
	struct tl_error error;

	for (tl_size i = 0; i < TL_COUNT(damaged); i++) {
		CHECK_EQUAL(read_text(damaged[i], false, &parts, &error), TL_ERROR_MALFORMED);
		CHECK(strstr(error.text, "line ") != NULL);
		tl_memory_parts_release(&parts);
	}
	CHECK_EQUAL(read_text("\177ELF", false, &parts, &error), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(read_text("", false, &parts, &error), TL_ERROR_MALFORMED);
	CHECK_EQUAL(tl_memory_file_read("/no/such/file", true, &parts, &error), TL_ERROR_SYSTEM);
	CHECK_EQUAL(tl_memory_file_read("/tmp", true, &parts, &error), TL_ERROR_SYSTEM);
}

TEST(a_line_that_is_too_long_is_damaged)
{
	struct tl_memory_parts parts;
	struct tl_error error;
	char text[2000];

	memset(text, '0', sizeof(text));
	text[0] = ':';
	text[sizeof(text) - 1] = '\0';
	CHECK_EQUAL(read_text(text, false, &parts, &error), TL_ERROR_MALFORMED);
	tl_memory_parts_release(&parts);
}

#include "base/storage.h"
#include "symbols/image.h"
#include "tests/unit/test.h"

#include <sys/stat.h>
#include <unistd.h>

#ifndef SEPARATE
#error "SEPARATE is the folder that tests/fixtures/symbols/separate.sh made"
#endif

static const struct tl_image_options alone = {.alone = true};
static const struct tl_image_options here = {.debug_directories = ""};

static struct tl_image *open_image(const char *path, const struct tl_image_options *options)
{
	struct tl_image *image = NULL;
	struct tl_error error = {0};

	if (tl_image_open(&image, path, options, &error) != TL_OK)
		printf("  %s: %s\n", path, error.text);
	return image;
}

static struct tl_section_bytes section_of(struct tl_image *image, enum tl_section section)
{
	struct tl_section_bytes bytes = {0};
	struct tl_error error;

	if (tl_image_section(image, section, &bytes, &error) != TL_OK)
		printf("  %s\n", error.text);
	return bytes;
}

/* Both images hold the same debug information. */
static void check_same(struct tl_image *image)
{
	struct tl_image *whole = open_image(SEPARATE "/whole", &alone);

	REQUIRE(whole != NULL);
	for (unsigned i = TL_SECTION_INFO; i <= TL_SECTION_LOCLISTS; i++) {
		struct tl_section_bytes a = section_of(image, (enum tl_section)i);
		struct tl_section_bytes b = section_of(whole, (enum tl_section)i);

		CHECK_EQUAL(a.size, b.size);
		CHECK(a.size == b.size && (a.size == 0 || memcmp(a.bytes, b.bytes, a.size) == 0));
	}
	CHECK(section_of(whole, TL_SECTION_INFO).size > 100);
	tl_image_close(whole);
}

static bool ends_with(const char *text, const char *end)
{
	return text != NULL && strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

TEST(a_program_has_its_sections_with_their_addresses)
{
	struct tl_image *image = open_image(SEPARATE "/whole", &alone);
	struct tl_section_bytes frames;
	tl_u64 lowest, size, start, end;
	tl_size id_size = 0;

	REQUIRE(image != NULL);
	frames = section_of(image, TL_SECTION_EH_FRAME);
	tl_image_extent(image, &lowest, &size);
	tl_image_code_extent(image, &start, &end);
	CHECK(frames.size > 0 && frames.address > lowest && frames.address + frames.size <= lowest + size);
	CHECK(start > lowest && end < lowest + size && start < end);
	CHECK(section_of(image, TL_SECTION_SYMTAB).size > 0 && section_of(image, TL_SECTION_DYNSTR).size > 0);
	CHECK_EQUAL(section_of(image, TL_SECTION_TYPES).size, 0);
	CHECK(tl_image_build_id(image, &id_size) != NULL);
	CHECK_EQUAL(id_size, 20);
	CHECK(tl_image_debug_path(image) == NULL && tl_image_remark(image) == NULL);
	CHECK_TEXT(tl_image_path(image), SEPARATE "/whole");
	tl_image_close(image);
}

TEST(a_debug_file_is_found_by_its_link)
{
	struct tl_image *image = open_image(SEPARATE "/linked", &here);

	REQUIRE(image != NULL);
	CHECK(ends_with(tl_image_debug_path(image), "/linked.debug"));
	check_same(image);
	/* What has no content in the debug file comes from the program. */
	CHECK(section_of(image, TL_SECTION_EH_FRAME).size > 0 && section_of(image, TL_SECTION_DYNSYM).size > 0);
	tl_image_close(image);
}

TEST(a_debug_file_is_found_by_the_build_id_below_a_root)
{
	const struct tl_image_options options = {.root = SEPARATE "/root"};
	struct tl_image *image = open_image(SEPARATE "/by-id", &options);

	REQUIRE(image != NULL);
	CHECK(ends_with(tl_image_debug_path(image), ".debug"));
	CHECK(tl_image_debug_path(image) != NULL && strstr(tl_image_debug_path(image), "/.build-id/") != NULL);
	check_same(image);
	tl_image_close(image);
	image = open_image(SEPARATE "/by-id", &alone);
	REQUIRE(image != NULL);
	CHECK(tl_image_debug_path(image) == NULL);
	CHECK_EQUAL(section_of(image, TL_SECTION_INFO).size, 0);
	tl_image_close(image);
}

TEST(a_debug_file_of_another_build_is_left_alone_and_said_so)
{
	struct tl_image *image = open_image(SEPARATE "/stale", &here);

	REQUIRE(image != NULL);
	CHECK(tl_image_debug_path(image) == NULL);
	CHECK(tl_image_remark(image) != NULL && strstr(tl_image_remark(image), "another build") != NULL);
	CHECK_EQUAL(section_of(image, TL_SECTION_INFO).size, 0);
	tl_image_close(image);
}

TEST(sections_packed_with_zstd_are_unpacked)
{
	struct tl_image *image;

	if (access(SEPARATE "/zstd", R_OK) != 0)
		return;
	image = open_image(SEPARATE "/zstd", &alone);
	REQUIRE(image != NULL);
	check_same(image);
	tl_image_close(image);
}

TEST(the_file_of_common_parts_is_found)
{
	struct tl_section_bytes own, common = {0};
	struct tl_image *image;

	if (access(SEPARATE "/dwz-common", R_OK) != 0)
		return;
	image = open_image(SEPARATE "/dwz-a", &here);
	REQUIRE(image != NULL);
	own = section_of(image, TL_SECTION_INFO);
	CHECK(tl_image_common_section(image, TL_SECTION_INFO, &common, NULL) == TL_OK);
	CHECK(own.size > 0 && common.size > 0 && tl_image_remark(image) == NULL);
	tl_image_close(image);
	image = open_image(SEPARATE "/dwz-a", &alone);
	REQUIRE(image != NULL);
	CHECK(tl_image_common_section(image, TL_SECTION_INFO, &common, NULL) == TL_OK);
	CHECK_EQUAL(common.size, 0);
	tl_image_close(image);
}

TEST(what_is_no_program_is_refused_with_the_reason)
{
	static const tl_u8 big_endian[64] = {0x7f, 'E', 'L', 'F', 2, 2, 1};
	struct tl_image *image = NULL;
	struct tl_error error;

	CHECK(tl_image_open(&image, SEPARATE "/nothing-here", NULL, &error) == TL_ERROR_SYSTEM);
	CHECK(tl_image_open(&image, "/", NULL, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_image_open(&image, "/dev/null", NULL, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_image_open(&image, "/etc/passwd", NULL, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_image_open_bytes(&image, "bytes", "\177ELF", 4, &error) == TL_ERROR_MALFORMED);
	CHECK(tl_image_open_bytes(&image, "bytes", big_endian, sizeof(big_endian), &error) == TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "big-endian") != NULL);
	CHECK(image == NULL);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static tl_u8 *read_whole(const char *path, tl_size *size_ret)
{
	FILE *file = fopen(path, "rb");
	struct stat facts = {0};
	tl_u8 *bytes = NULL;

	if (file != NULL && stat(path, &facts) == 0)
		bytes = malloc((size_t)facts.st_size);
	*size_ret = bytes != NULL ? fread(bytes, 1, (size_t)facts.st_size, file) : 0;
	if (file != NULL)
		(void)fclose(file);
	return bytes;
}

/* Asks for everything. */
static void touch_all(struct tl_image *image)
{
	tl_size size;

	for (unsigned i = 0; i < TL_SECTION_MAX; i++) {
		struct tl_section_bytes bytes;
		unsigned sum = 0;

		if (tl_image_section(image, (enum tl_section)i, &bytes, NULL) != TL_OK)
			continue;
		for (tl_size at = 0; at < bytes.size; at += 64)
			sum += bytes.bytes[at];
		(void)sum;
	}
	(void)tl_image_build_id(image, &size);
}

/* Opens a copy of its own, so that sanitizers see what lies behind it. */
static bool open_copy(const tl_u8 *bytes, tl_size size, tl_size damage)
{
	tl_u8 *copy = malloc(size + 1);
	struct tl_image *image = NULL;
	bool good;

	if (copy == NULL)
		return false;
	memcpy(copy, bytes, size);
	for (tl_size i = damage; i < size && i < damage + 8; i++)
		copy[i] = (tl_u8)~copy[i];
	good = tl_image_open_bytes(&image, "copy", copy, size, NULL) == TL_OK;
	if (good)
		touch_all(image);
	tl_image_close(image);
	free(copy);
	return good;
}

TEST(a_file_that_is_cut_off_or_damaged_anywhere_is_read_as_far_as_it_goes)
{
	tl_size size;
	tl_u8 *bytes = read_whole(SEPARATE "/linked.debug", &size);
	unsigned opened = 0;

	REQUIRE(bytes != NULL);
	for (tl_size at = 0; at < size; at += at < 256 ? 1 : 53) {
		(void)open_copy(bytes, at, at);
		opened += open_copy(bytes, size, at);
	}
	CHECK(opened > 0);
	free(bytes);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(a_file_that_is_cut_off_while_it_is_open_reads_as_zeros)
{
	char path[] = "/tmp/test-image-XXXXXX";
	struct tl_section_bytes section;
	struct tl_image *image, *other;
	int descriptor = mkstemp(path);
	tl_size size;
	tl_u8 *bytes = read_whole(SEPARATE "/whole", &size);

	REQUIRE(descriptor >= 0 && bytes != NULL && write(descriptor, bytes, size) == (ssize_t)size);
	free(bytes);
	image = open_image(path, &alone);
	other = open_image(SEPARATE "/whole", &alone);
	REQUIRE(image != NULL && other != NULL && ftruncate(descriptor, 1) == 0);
	section = section_of(image, TL_SECTION_SYMTAB);
	REQUIRE(section.size > 64);
	CHECK_EQUAL(section.bytes[section.size - 1], 0);
	touch_all(image);
	tl_image_close(image);
	/* Others keep what they have. */
	CHECK(section_of(other, TL_SECTION_EH_FRAME).bytes[0] != 0);
	tl_image_close(other);
	(void)close(descriptor);
	(void)unlink(path);
}

TEST(storage_that_fails_is_an_error_and_leaks_nothing)
{
	enum tl_status status = TL_ERROR_NO_MEMORY;

	for (tl_u64 n = 1; n < 100 && status != TL_OK; n++) {
		struct tl_image *image = NULL;
		tl_u64 calls = tl_storage_calls();

		tl_storage_fail(n);
		status = tl_image_open(&image, SEPARATE "/linked", &here, NULL);
		CHECK(status == TL_OK || status == TL_ERROR_NO_MEMORY);
		/* A debug file that there is no storage for is a debug file that is not there. */
		if (status == TL_OK && tl_storage_calls() - calls >= n)
			status = TL_ERROR_NO_MEMORY;
		tl_image_close(image);
	}
	tl_storage_fail(0);
	CHECK(status == TL_OK);
	CHECK_EQUAL(tl_storage_live(), 0);
}

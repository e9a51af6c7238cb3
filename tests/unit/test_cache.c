#include "base/storage.h"
#include "symbols/cache.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PROGRAM
#error "PROGRAM is a program with debug information, OTHER another"
#endif

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_index *index;
};

static char folder[64];

static bool open_program(struct opened *opened, const char *path)
{
	struct tl_error error = {0};
	bool good;

	*opened = (struct opened){NULL, NULL, NULL};
	good = tl_image_open(&opened->image, path, NULL, &error) == TL_OK &&
	       tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK;
	if (!good)
		printf("  %s: %s\n", path, error.text);
	return good;
}

static void close_program(struct opened *opened)
{
	tl_index_close(opened->index);
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

/* Makes an index of a program and keeps it. */
static bool keep(const char *path, tl_u64 limit)
{
	struct opened opened;
	struct tl_error error = {0};
	bool good;

	good = open_program(&opened, path) && tl_index_build(&opened.index, opened.dwarf, NULL, &error) == TL_OK &&
	       tl_cache_save(opened.index, folder, limit, &error) == TL_OK;
	if (!good)
		printf("  %s\n", error.text);
	close_program(&opened);
	return good;
}

static bool count_one(void *context, const struct tl_indexed *found)
{
	(*(unsigned *)context)++;
	return found->name[0] != 0;
}

/* How many entries are called main in the kept index; -1 when none is kept. */
static int count_main(const char *path)
{
	struct opened opened;
	unsigned count = 0;
	bool loaded;

	if (!open_program(&opened, path))
		return -1;
	loaded = tl_cache_load(&opened.index, opened.dwarf, folder, NULL) == TL_OK;
	if (loaded)
		CHECK(tl_index_find(opened.index, "main", TL_INDEX_FUNCTION, count_one, &count, NULL) == TL_OK);
	close_program(&opened);
	return loaded ? (int)count : -1;
}

/* The names in the folder, hidden ones apart; the path of the last one is written. */
static unsigned count_files(char *path, size_t size)
{
	DIR *stream = opendir(folder);
	const struct dirent *entry;
	unsigned count = 0;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (path != NULL)
			(void)snprintf(path, size, "%s/%s", folder, entry->d_name);
	}
	if (stream != NULL)
		(void)closedir(stream);
	return count;
}

static void make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test-cache-%d/a/b", (int)getpid());
}

static void remove_folder(void)
{
	char path[512];

	while (count_files(path, sizeof(path)) != 0 && unlink(path) == 0)
		;
	for (unsigned i = 0; i < 3; i++) {
		(void)rmdir(folder);
		*strrchr(folder, '/') = 0;
	}
}

TEST(an_index_that_was_kept_is_found_again)
{
	make_folder();
	CHECK_EQUAL(count_main(PROGRAM), -1);
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	CHECK_EQUAL(count_main(PROGRAM), 1);
	CHECK_EQUAL(count_main(OTHER), -1);
	CHECK_EQUAL(count_files(NULL, 0), 1);
	remove_folder();
	CHECK_EQUAL(tl_storage_live(), 0);
}

/* Changes `size` bytes at an offset of the file. */
static void damage(const char *path, long offset, size_t size)
{
	FILE *file = fopen(path, "r+b");

	REQUIRE(file != NULL);
	for (size_t i = 0; i < size; i++) {
		int byte;

		(void)fseek(file, offset + (long)i, SEEK_SET);
		byte = fgetc(file);
		(void)fseek(file, offset + (long)i, SEEK_SET);
		(void)fputc(byte ^ 0x55, file);
	}
	(void)fclose(file);
}

TEST(a_file_that_is_damaged_anywhere_is_removed)
{
	struct stat facts = {0};
	char path[512];

	make_folder();
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	REQUIRE(count_files(path, sizeof(path)) == 1 && stat(path, &facts) == 0);
	for (long at = 0; at < (long)facts.st_size; at += at < 80 ? 1 : 997) {
		REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
		damage(path, at, 1);
		CHECK_EQUAL(count_main(PROGRAM), -1);
		CHECK_EQUAL(count_files(NULL, 0), 0);
	}
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	CHECK(truncate(path, facts.st_size / 2) == 0);
	CHECK_EQUAL(count_main(PROGRAM), -1);
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	CHECK_EQUAL(count_main(PROGRAM), 1);
	remove_folder();
}

/* Copies a program; `from` and `to` are names of the same length, one of which is put for the other. */
static bool copy_program(const char *path, const char *from, const char *to)
{
	FILE *source = fopen(PROGRAM, "rb"), *copy = fopen(path, "wb");
	char *bytes = malloc((size_t)1 << 20);
	const size_t size = source != NULL && bytes != NULL ? fread(bytes, 1, (size_t)1 << 20, source) : 0;
	const size_t length = strlen(from) + 1;
	bool good = size != 0 && copy != NULL;

	for (size_t i = 0; good && i + length <= size; i++)
		if (memcmp(bytes + i, from, length) == 0)
			memcpy(bytes + i, to, length);
	good = good && fwrite(bytes, 1, size, copy) == size;
	free(bytes);
	if (source != NULL)
		(void)fclose(source);
	return copy != NULL && fclose(copy) == 0 && good;
}

TEST(an_index_is_for_what_it_was_made_from_whatever_the_build_id_says)
{
	char path[64];

	make_folder();
	(void)snprintf(path, sizeof(path), "/tmp/test-cache-%d.copy", (int)getpid());
	/* A copy with the same in it will do. */
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	REQUIRE(copy_program(path, "main", "main"));
	CHECK_EQUAL(count_main(path), 1);
	/* One that is damaged has an index of its own, and that is not for the good one. */
	REQUIRE(copy_program(path, "main", "mbin"));
	CHECK_EQUAL(count_main(path), -1);
	REQUIRE(keep(path, TL_CACHE_LIMIT));
	CHECK_EQUAL(count_main(path), 0);
	CHECK_EQUAL(count_main(PROGRAM), -1);
	/* The same place with something else in it. */
	REQUIRE(keep(path, TL_CACHE_LIMIT));
	REQUIRE(copy_program(path, "main", "mbox"));
	CHECK_EQUAL(count_main(path), -1);
	(void)unlink(path);
	remove_folder();
}

TEST(what_was_changed_since_it_was_opened_is_not_kept)
{
	struct opened opened;
	char path[64];

	make_folder();
	(void)snprintf(path, sizeof(path), "/tmp/test-cache-%d.copy", (int)getpid());
	REQUIRE(copy_program(path, "main", "main") && open_program(&opened, path));
	REQUIRE(tl_index_build(&opened.index, opened.dwarf, NULL, NULL) == TL_OK);
	REQUIRE(copy_program(path, "main", "mbin"));
	CHECK(tl_cache_save(opened.index, folder, TL_CACHE_LIMIT, NULL) == TL_OK);
	CHECK_EQUAL(count_files(NULL, 0), 0);
	close_program(&opened);
	(void)unlink(path);
	remove_folder();
}

TEST(the_limit_is_kept_and_what_was_used_last_stays)
{
	struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
	struct stat facts = {0};
	char path[512];

	make_folder();
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	REQUIRE(count_files(path, sizeof(path)) == 1 && stat(path, &facts) == 0);
	CHECK(utimensat(AT_FDCWD, path, long_ago, 0) == 0);
	REQUIRE(keep(OTHER, (tl_u64)facts.st_size + 100));
	CHECK_EQUAL(count_files(NULL, 0), 1);
	CHECK_EQUAL(count_main(PROGRAM), -1);
	CHECK(count_main(OTHER) > 0);
	/* One that is larger than the limit is not kept at all. */
	REQUIRE(keep(PROGRAM, 100));
	CHECK_EQUAL(count_main(PROGRAM), -1);
	remove_folder();
}

TEST(writers_and_readers_at_the_same_time_do_no_harm)
{
	pid_t writers[3];
	int status;

	make_folder();
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	for (unsigned i = 0; i < 3; i++) {
		writers[i] = fork();
		if (writers[i] == 0) {
			bool good = true;

			for (unsigned n = 0; n < 10; n++)
				good &= keep(PROGRAM, TL_CACHE_LIMIT);
			_exit(good ? 0 : 1);
		}
	}
	for (unsigned n = 0; n < 50; n++)
		CHECK_EQUAL(count_main(PROGRAM), 1);
	for (unsigned i = 0; i < 3; i++)
		CHECK(waitpid(writers[i], &status, 0) == writers[i] && status == 0);
	CHECK_EQUAL(count_files(NULL, 0), 1);
	remove_folder();
}

TEST(a_folder_that_cannot_be_is_said_so)
{
	struct opened opened;
	struct tl_error error = {0};

	REQUIRE(open_program(&opened, PROGRAM));
	REQUIRE(tl_index_build(&opened.index, opened.dwarf, NULL, NULL) == TL_OK);
	CHECK(tl_cache_save(opened.index, "/dev/null/a", TL_CACHE_LIMIT, &error) == TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "/dev/null/a") != NULL);
	close_program(&opened);
}

TEST(the_folder_is_where_the_environment_says)
{
	char path[32];

	(void)setenv("XDG_CACHE_HOME", "/somewhere", 1);
	CHECK(tl_cache_directory(path, sizeof(path)));
	CHECK_TEXT(path, "/somewhere/trapline");
	CHECK(!tl_cache_directory(path, 10));
	(void)setenv("XDG_CACHE_HOME", "relative", 1);
	(void)setenv("HOME", "/nobody", 1);
	CHECK(tl_cache_directory(path, sizeof(path)));
	CHECK_TEXT(path, "/nobody/.cache/trapline");
	(void)unsetenv("XDG_CACHE_HOME");
	(void)unsetenv("HOME");
	CHECK(!tl_cache_directory(path, sizeof(path)));
}

TEST(names_are_found_in_a_kept_index_before_any_unit_is_read)
{
	struct opened opened = {NULL, NULL, NULL};
	unsigned count = 0;

	make_folder();
	REQUIRE(keep(PROGRAM, TL_CACHE_LIMIT));
	REQUIRE(tl_image_open(&opened.image, PROGRAM, NULL, NULL) == TL_OK);
	REQUIRE(tl_dwarf_open_lazily(&opened.dwarf, opened.image, NULL) == TL_OK);
	REQUIRE(tl_cache_load(&opened.index, opened.dwarf, folder, NULL) == TL_OK);
	CHECK(tl_index_find(opened.index, "nothing_of_that_name", TL_INDEX_ALL, count_one, &count, NULL) == TL_OK);
	CHECK_EQUAL(count, 0);
	CHECK(!tl_dwarf_is_read(opened.dwarf));
	CHECK(tl_index_find(opened.index, "main", TL_INDEX_FUNCTION, count_one, &count, NULL) == TL_OK);
	CHECK_EQUAL(count, 1);
	CHECK(tl_dwarf_is_read(opened.dwarf));
	close_program(&opened);
	remove_folder();
}

/* Source files: where they are looked for, how they are cut into lines, and what a change of them does. */
#include "base/storage.h"
#include "debugger/code/source.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder with files, the sources that are looked for in it, and where we were. */
struct fixture {
	char folder[PATH_MAX], before[PATH_MAX];
	struct tl_sources *sources;
	struct tl_error error;
	tl_u64 live;
};

static bool begin(struct fixture *fixture)
{
	const char *temporary = getenv("TMPDIR");
	char made[PATH_MAX];

	*fixture = (struct fixture){.live = tl_storage_live()};
	snprintf(made, sizeof(made), "%s/source-XXXXXX", temporary != NULL ? temporary : "/tmp");
	return mkdtemp(made) != NULL && realpath(made, fixture->folder) != NULL &&
	       getcwd(fixture->before, sizeof(fixture->before)) != NULL && chdir(fixture->folder) == 0 &&
	       tl_sources_open(&fixture->sources, NULL) == TL_OK;
}

static void end(struct fixture *fixture)
{
	char command[PATH_MAX + 16];

	tl_sources_close(fixture->sources);
	CHECK_EQUAL(tl_storage_live(), fixture->live);
	snprintf(command, sizeof(command), "rm -rf '%s'", fixture->folder);
	CHECK(chdir(fixture->before) == 0);
	CHECK(system(command) == 0);
}

static bool put(const char *name, const char *bytes, size_t size)
{
	FILE *file = fopen(name, "wb");
	bool written = file != NULL && fwrite(bytes, 1, size, file) == size;

	return file != NULL && fclose(file) == 0 && written;
}

static bool put_text(const char *name, const char *text)
{
	return put(name, text, strlen(text));
}

/* The first line of a file that is looked for; what is wrong if it is not found. Valid until the next call. */
static const char *first(struct fixture *fixture, const char *path, const char *directory)
{
	static char text[400];
	const struct tl_source_file *source;
	const char *bytes;
	tl_size size;

	if (tl_sources_find(fixture->sources, path, directory, &source, &fixture->error) != TL_OK)
		return fixture->error.text;
	if (!tl_source_file_line(source, 1, &bytes, &size))
		return "empty";
	snprintf(text, sizeof(text), "%.*s", (int)size, bytes);
	return text;
}

static const char *line(const struct tl_source_file *source, tl_u32 number)
{
	static char text[64];
	const char *bytes;
	tl_size size;

	if (!tl_source_file_line(source, number, &bytes, &size) || size >= sizeof(text))
		return "(none)";
	memcpy(text, bytes, size);
	text[size] = '\0';
	return text;
}

TEST(lines_end_as_they_may)
{
	struct fixture fixture;
	const struct tl_source_file *source;

	REQUIRE(begin(&fixture));
	REQUIRE(put_text("unix.c", "one\n\nthree\n"));
	REQUIRE(tl_sources_find(fixture.sources, "unix.c", NULL, &source, NULL) == TL_OK);
	CHECK_EQUAL(source->line_count, 3);
	CHECK_TEXT(line(source, 0), "(none)");
	CHECK_TEXT(line(source, 1), "one");
	CHECK_TEXT(line(source, 2), "");
	CHECK_TEXT(line(source, 3), "three");
	CHECK_TEXT(line(source, 4), "(none)");
	REQUIRE(put_text("dos.c", "one\r\n\r\nthr\ree\r\nlast"));
	REQUIRE(tl_sources_find(fixture.sources, "dos.c", NULL, &source, NULL) == TL_OK);
	CHECK_EQUAL(source->line_count, 4);
	CHECK_TEXT(line(source, 1), "one");
	CHECK_TEXT(line(source, 2), "");
	CHECK_TEXT(line(source, 3), "thr\ree");
	CHECK_TEXT(line(source, 4), "last");
	REQUIRE(put_text("empty.c", ""));
	REQUIRE(tl_sources_find(fixture.sources, "empty.c", NULL, &source, NULL) == TL_OK);
	CHECK_EQUAL(source->line_count, 0);
	CHECK_TEXT(line(source, 1), "(none)");
	end(&fixture);
}

TEST(garbage_is_lines_too)
{
	static const char odd[] = "a\0b\x1b[31m\tc\x7f\xc3\xa9\r!\nneedle\0needle\n";
	struct fixture fixture;
	const struct tl_source_file *source;
	struct tl_output output = tl_output_make(1000);
	const char *bytes;
	tl_size size;
	tl_u32 found;

	REQUIRE(begin(&fixture));
	REQUIRE(put("odd.c", odd, sizeof(odd) - 1));
	REQUIRE(tl_sources_find(fixture.sources, "odd.c", NULL, &source, NULL) == TL_OK);
	REQUIRE(tl_source_file_line(source, 1, &bytes, &size));
	tl_source_file_write(&output, bytes, size);
	CHECK_TEXT(tl_output_string(&output), "a^@b^[[31m\tc^?\xc3\xa9^M!");
	CHECK(tl_source_file_search(source, "ee.*d", 1, false, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 2);
	tl_output_release(&output);
	end(&fixture);
}

TEST(searching_goes_both_ways)
{
	struct fixture fixture;
	const struct tl_source_file *source;
	tl_u32 found;

	REQUIRE(begin(&fixture));
	REQUIRE(put_text("a.c", "int add(int a)\n{\n\treturn a;\n}\nadd(3);\n"));
	REQUIRE(tl_sources_find(fixture.sources, "a.c", NULL, &source, NULL) == TL_OK);
	CHECK(tl_source_file_search(source, "add(", 2, false, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 5);
	CHECK(tl_source_file_search(source, "add(", 4, true, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 1);
	CHECK(tl_source_file_search(source, "^{$", 1000, true, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 2);
	CHECK(tl_source_file_search(source, "^{$", 3, false, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 0);
	CHECK(tl_source_file_search(source, "^{$", 1, true, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 0);
	CHECK(tl_source_file_search(source, "^{$", TL_U32_MAX, false, &found, NULL) == TL_OK);
	CHECK_EQUAL(found, 0);
	CHECK(tl_source_file_search(source, "[a", 1, false, &found, &fixture.error) == TL_ERROR_ARGUMENT);
	CHECK(strstr(fixture.error.text, "`[a'") != NULL);
	CHECK(tl_source_file_search(source, "\\(a\\)\\1", 1, false, &found, NULL) == TL_ERROR_ARGUMENT);
	CHECK(tl_source_file_search(source, "\\\\1\\", 1, false, &found, NULL) == TL_ERROR_ARGUMENT);
	end(&fixture);
}

TEST(folders_are_tried_in_turn)
{
	struct fixture fixture;
	char path[PATH_MAX + 32];

	REQUIRE(begin(&fixture));
	REQUIRE(mkdir("built", 0700) == 0 && mkdir("built/sub", 0700) == 0 && mkdir("moved", 0700) == 0 &&
		mkdir("moved/sub", 0700) == 0);
	REQUIRE(put_text("built/sub/a.c", "where it was built\n"));
	snprintf(path, sizeof(path), "%s/built", fixture.folder);
	CHECK_TEXT(first(&fixture, "sub/a.c", path), "where it was built");
	CHECK_TEXT(first(&fixture, "sub/a.c", NULL), "sub/a.c: No such file or directory.");
	CHECK_TEXT(first(&fixture, "sub", path), "sub: Is a directory.");
	/* As #line has it: up from where the compiler worked. */
	snprintf(path, sizeof(path), "%s/built/sub/../../elsewhere/a.c", fixture.folder);
	CHECK_TEXT(first(&fixture, path, NULL), "where it was built");
	snprintf(path, sizeof(path), "%s/built", fixture.folder);
	REQUIRE(put_text("a.c", "by its last part\n"));
	CHECK_TEXT(first(&fixture, "sub/a.c", NULL), "by its last part");
	CHECK_TEXT(first(&fixture, "/nowhere/sub/a.c", NULL), "by its last part");
	/* A list that somebody made goes before. */
	REQUIRE(put_text("moved/sub/a.c", "moved\n"));
	REQUIRE(tl_sources_add(fixture.sources, "moved/", NULL) == TL_OK);
	CHECK_TEXT(first(&fixture, "sub/a.c", path), "moved");
	CHECK_TEXT(first(&fixture, "/nowhere/sub/a.c", NULL), "by its last part");
	CHECK_TEXT(first(&fixture, "/nowhere/sub/a.c", "/nowhere"), "moved");
	REQUIRE(tl_sources_reset(fixture.sources, NULL) == TL_OK);
	CHECK_TEXT(first(&fixture, "sub/a.c", path), "where it was built");
	end(&fixture);
}

TEST(the_list_of_folders)
{
	struct fixture fixture;
	char wanted[3 * PATH_MAX];

	REQUIRE(begin(&fixture));
	CHECK_TEXT(tl_sources_path(fixture.sources), "$cdir:$cwd");
	REQUIRE(tl_sources_add(fixture.sources, "/b:/c//", NULL) == TL_OK);
	REQUIRE(tl_sources_add(fixture.sources, " /a\t/c $cwd /", NULL) == TL_OK);
	CHECK_TEXT(tl_sources_path(fixture.sources), "/a:/c:$cwd:/:/b:$cdir");
	REQUIRE(tl_sources_reset(fixture.sources, NULL) == TL_OK);
	REQUIRE(setenv("HOME", "/the/home", 1) == 0);
	REQUIRE(tl_sources_add(fixture.sources, "~/src:rel:.", NULL) == TL_OK);
	snprintf(wanted, sizeof(wanted), "/the/home/src:%s/rel:%s:$cdir:$cwd", fixture.folder, fixture.folder);
	CHECK_TEXT(tl_sources_path(fixture.sources), wanted);
	end(&fixture);
}

TEST(rules_replace_beginnings)
{
	struct fixture fixture;
	const char *from, *to;

	REQUIRE(begin(&fixture));
	REQUIRE(mkdir("new", 0700) == 0 && put_text("new/b.c", "by a rule\n"));
	CHECK(tl_sources_substitute(fixture.sources, "", "/x", NULL) == TL_ERROR_ARGUMENT);
	REQUIRE(tl_sources_substitute(fixture.sources, "/build/", fixture.folder, NULL) == TL_OK);
	REQUIRE(tl_sources_substitute(fixture.sources, "/other", "/x", NULL) == TL_OK);
	CHECK_TEXT(first(&fixture, "/build/new/b.c", NULL), "by a rule");
	CHECK_TEXT(first(&fixture, "new/b.c", "/build"), "by a rule");
	/* The beginning of a name is not the beginning of a path. */
	CHECK_TEXT(first(&fixture, "/builder/new/b.c", NULL), "/builder/new/b.c: No such file or directory.");
	/* One of the same beginning replaces, and goes behind the others. */
	REQUIRE(tl_sources_substitute(fixture.sources, "/build", "/y/", NULL) == TL_OK);
	REQUIRE(tl_sources_rule(fixture.sources, 0, &from, &to));
	CHECK_TEXT(from, "/other");
	REQUIRE(tl_sources_rule(fixture.sources, 1, &from, &to));
	CHECK_TEXT(from, "/build");
	CHECK_TEXT(to, "/y");
	CHECK(!tl_sources_rule(fixture.sources, 2, &from, &to));
	CHECK(tl_sources_unsubstitute(fixture.sources, "/none", NULL) == TL_ERROR_ARGUMENT);
	CHECK(tl_sources_unsubstitute(fixture.sources, "/other/", NULL) == TL_OK);
	CHECK(tl_sources_unsubstitute(fixture.sources, NULL, NULL) == TL_OK);
	CHECK(!tl_sources_rule(fixture.sources, 0, &from, &to));
	end(&fixture);
}

static bool set_time(const char *path, time_t seconds)
{
	struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

	return utimensat(AT_FDCWD, path, times, 0) == 0;
}

TEST(a_changed_file_is_read_anew)
{
	struct fixture fixture;
	const struct tl_source_file *source;

	REQUIRE(begin(&fixture));
	REQUIRE(put_text("a.c", "before\n") && put_text("program", "x") && set_time("a.c", 1000));
	CHECK_TEXT(first(&fixture, "a.c", NULL), "before");
	REQUIRE(put_text("a.c", "behind\n") && set_time("a.c", 2000));
	CHECK_TEXT(first(&fixture, "a.c", NULL), "behind");
	REQUIRE(tl_sources_find(fixture.sources, "a.c", NULL, &source, NULL) == TL_OK);
	REQUIRE(set_time("program", 1500));
	CHECK(tl_source_file_newer(source, "program"));
	REQUIRE(set_time("program", 2000));
	CHECK(!tl_source_file_newer(source, "program"));
	CHECK(!tl_source_file_newer(source, "no-program"));
	REQUIRE(unlink("a.c") == 0);
	CHECK_TEXT(first(&fixture, "a.c", NULL), "a.c: No such file or directory.");
	end(&fixture);
}

TEST(what_is_no_file_is_refused)
{
	struct fixture fixture;
	char long_path[3 * PATH_MAX];
	int descriptor;

	REQUIRE(begin(&fixture));
	REQUIRE(mkfifo("pipe.c", 0600) == 0);
	CHECK_TEXT(first(&fixture, "pipe.c", NULL), "pipe.c: Invalid argument.");
	descriptor = open("large.c", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	REQUIRE(descriptor >= 0 && ftruncate(descriptor, (off_t)TL_SOURCE_SIZE_MAX + 1) == 0);
	close(descriptor);
	CHECK(strstr(first(&fixture, "large.c", NULL), "too much") != NULL);
	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	CHECK(strstr(first(&fixture, long_path, NULL), "name too long") != NULL);
	CHECK_TEXT(first(&fixture, "", NULL), ": No such file or directory.");
	CHECK_TEXT(first(&fixture, "/", NULL), "/: Is a directory.");
	end(&fixture);
}

TEST(no_more_is_kept_than_there_is_room_for)
{
	struct fixture fixture;
	char name[32];

	REQUIRE(begin(&fixture));
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "%u.c", i);
			REQUIRE(round != 0 || put_text(name, name));
			CHECK_TEXT(first(&fixture, name, NULL), name);
		}
	end(&fixture);
}

TEST(without_storage_nothing_is_lost)
{
	struct fixture fixture;
	tl_u64 failures = 0;

	REQUIRE(begin(&fixture));
	REQUIRE(put_text("a.c", "one\n2\n3\n4\n5\n6\n7\n8\n9\n"));
	for (tl_u64 i = 1; i < 100; i++) {
		const struct tl_source_file *source;
		enum tl_status status;

		REQUIRE(tl_sources_reset(fixture.sources, NULL) == TL_OK);
		tl_storage_fail(i);
		status = tl_sources_find(fixture.sources, "a.c", "/nowhere", &source, NULL);
		if (status == TL_OK)
			status = tl_sources_add(fixture.sources, "/a", NULL);
		if (status == TL_OK)
			status = tl_sources_substitute(fixture.sources, "/a", "/b", NULL);
		tl_storage_fail(0);
		failures += status != TL_OK;
	}
	CHECK(failures > 8 && failures < 40);
	end(&fixture);
}

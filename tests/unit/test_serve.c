#include "frontends/serve/buffer.h"
#include "frontends/serve/files.h"
#include "frontends/serve/libraries.h"
#include "frontends/serve/options.h"
#include "frontends/serve/osdata.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- Options ---- */

static const struct tl_option table[] = {
	{NULL, 0, NULL, "Heading", 0},
	{"--flag", TL_VALUE_NONE, NULL, "A flag.", 1},
	{"--word", TL_VALUE_WORD, "WORD", "A word,\nin two lines.", 2},
	{"--list", TL_VALUE_NONE, NULL, "", 3},
	{"--list", TL_VALUE_EQUALS, "LIST", "", 4},
	{"--words", TL_VALUE_WORDS, "WORDS", "", 5},
	{NULL, 0, NULL, NULL, 0},
};

#define READER(...)                                                                                                    \
	char *list[] = {__VA_ARGS__, NULL};                                                                            \
	struct tl_option_reader reader = {.at = list, .table = table};                                                 \
	struct tl_error error = {.text = ""}

/* A string constant as main's arguments have it. */
#define WORD(text) ((char[]){text})

TEST(options_of_every_kind_are_read)
{
	READER(WORD("--flag"), WORD("--word"), WORD("a"), WORD("--word=b"), WORD("--list"), WORD("--list=c"),
	       WORD("--words"), WORD("d"), WORD("e"), WORD("--"), WORD("program"), WORD("--flag"));

	CHECK_EQUAL(tl_option_next(&reader, &error), 1);
	CHECK_EQUAL(tl_option_next(&reader, &error), 2);
	CHECK_TEXT(reader.value, "a");
	CHECK_EQUAL(tl_option_next(&reader, &error), 2);
	CHECK_TEXT(reader.value, "b");
	CHECK_EQUAL(tl_option_next(&reader, &error), 3);
	CHECK_EQUAL(tl_option_next(&reader, &error), 4);
	CHECK_TEXT(reader.value, "c");
	CHECK_EQUAL(tl_option_next(&reader, &error), 5);
	CHECK_TEXT(reader.words[0], "d");
	CHECK_TEXT(reader.words[1], "e");
	CHECK(reader.words[2] == NULL);
	CHECK_EQUAL(tl_option_next(&reader, &error), 0);
	CHECK_TEXT(*reader.at, "program");
}

TEST(options_end_at_a_dash_and_behind_two)
{
	{
		READER(WORD("-"), WORD("--flag"));
		CHECK_EQUAL(tl_option_next(&reader, &error), 0);
		CHECK_TEXT(*reader.at, "-");
	}
	{
		READER(WORD("--"), WORD("--flag"));
		CHECK_EQUAL(tl_option_next(&reader, &error), 0);
		CHECK_TEXT(*reader.at, "--flag");
	}
}

TEST(wrong_options_are_named)
{
	static const char *const wrong[] = {"--nonsense", "--flag=x", "--words=x", "-f", "--fla"};

	for (size_t i = 0; i < TL_COUNT(wrong); i++) {
		char word[32];

		snprintf(word, sizeof(word), "%s", wrong[i]);
		READER(word);
		CHECK_EQUAL(tl_option_next(&reader, &error), -1);
		CHECK(strstr(error.text, wrong[i]) != NULL);
	}
	{
		READER(WORD("--word"));
		CHECK_EQUAL(tl_option_next(&reader, &error), -1);
	}
	{
		READER(WORD("--words"), WORD("a"));
		CHECK_EQUAL(tl_option_next(&reader, &error), -1);
	}
	{
		READER(WORD("--words"), WORD("--"));
		CHECK_EQUAL(tl_option_next(&reader, &error), -1);
	}
}

/* ---- Buffers ---- */

TEST(buffers_grow_and_give_from_the_front)
{
	struct tl_buffer buffer = {0};

	CHECK_TEXT(tl_buffer_text(&buffer), "");
	for (int i = 0; i < 1000; i++)
		tl_buffer_format(&buffer, "%03d;", i);
	CHECK_EQUAL(buffer.size, 4000);
	tl_buffer_take(&buffer, 3996);
	CHECK_TEXT(tl_buffer_text(&buffer), "999;");
	tl_buffer_clear(&buffer);
	tl_buffer_add_xml(&buffer, "a<b>&\"'\x01\n");
	CHECK_TEXT(tl_buffer_text(&buffer), "a&lt;b&gt;&amp;&quot;&apos;?\n");
	tl_buffer_free(&buffer);
}

/* ---- Documents ---- */

TEST(os_data_has_this_process)
{
	struct tl_buffer document = {0};
	char row[64];

	snprintf(row, sizeof(row), "<column name=\"pid\">%d</column>", getpid());
	CHECK_EQUAL(tl_osdata_write("processes", &document), TL_OK);
	CHECK(strstr(tl_buffer_text(&document), row) != NULL);
	tl_buffer_clear(&document);
	CHECK_EQUAL(tl_osdata_write("files", &document), TL_OK);
	CHECK(strstr(tl_buffer_text(&document), row) != NULL);
	tl_buffer_clear(&document);
	CHECK_EQUAL(tl_osdata_write("", &document), TL_OK);
	CHECK(strstr(tl_buffer_text(&document), "<column name=\"Type\">sockets</column>") != NULL);
	CHECK_EQUAL(tl_osdata_write("nonsense", &document), TL_ERROR_ARGUMENT);
	tl_buffer_free(&document);
}

TEST(annexes_of_library_lists)
{
	struct tl_libraries_part part;

	CHECK(tl_libraries_read_annex(tl_cursor_text(""), &part));
	CHECK_EQUAL(part.start, 0);
	CHECK(tl_libraries_read_annex(tl_cursor_text("lmid=10;start=ff;prev=fe;new=thing"), &part));
	CHECK_EQUAL(part.start, 0xff);
	CHECK_EQUAL(part.previous, 0xfe);
	CHECK_EQUAL(part.name_space, 0x10);
	CHECK(!tl_libraries_read_annex(tl_cursor_text("start="), &part));
	CHECK(!tl_libraries_read_annex(tl_cursor_text("start=1x"), &part));
	CHECK(!tl_libraries_read_annex(tl_cursor_text("prev"), &part));
}

/* ---- Files ---- */

static char answer[512];

/* What the packet is answered with. */
static const char *ask(struct tl_files *files, const char *packet)
{
	struct tl_writer writer = tl_writer_make(answer, sizeof(answer) - 1);

	for (const struct tl_rsp_row *row = tl_files_rows; row->name != NULL; row++) {
		struct tl_cursor arguments = tl_cursor_text(packet);

		if (!tl_cursor_accept_text(&arguments, row->name))
			continue;
		if (row->handle(NULL, files, &arguments, &writer) != TL_OK || writer.failed)
			return "error";
		answer[tl_writer_size(&writer)] = '\0';
		return answer;
	}
	return "unknown";
}

/* Calls of which the n-th fails with an errno, and which count what they have open. */
static int failing, failing_error, opened;

static bool fails(void)
{
	if (failing == 0 || --failing != 0)
		return false;
	errno = failing_error;
	return true;
}

static int fake_open(int root, const char *path, int flags, mode_t mode)
{
	(void)root, (void)path, (void)flags, (void)mode;
	if (fails())
		return -1;
	opened++;
	return 100;
}

static int fake_close(int descriptor)
{
	(void)descriptor;
	opened--;
	return fails() ? -1 : 0;
}

static ssize_t fake_read(int descriptor, void *buffer, size_t size, off_t offset)
{
	(void)descriptor, (void)offset;
	memset(buffer, '}', size);
	return fails() ? -1 : (ssize_t)size;
}

static ssize_t fake_write(int descriptor, const void *buffer, size_t size, off_t offset)
{
	(void)descriptor, (void)buffer, (void)offset;
	return fails() ? -1 : (ssize_t)size;
}

static int fake_fstat(int descriptor, struct stat *status)
{
	(void)descriptor;
	memset(status, 0, sizeof(*status));
	return fails() ? -1 : 0;
}

static int fake_stat(int root, const char *path, struct stat *status, bool follow)
{
	(void)root, (void)path, (void)follow;
	return fake_fstat(0, status);
}

static int fake_unlink(int root, const char *path)
{
	(void)root, (void)path;
	return fails() ? -1 : 0;
}

static ssize_t fake_readlink(int root, const char *path, char *buffer, size_t size)
{
	(void)root, (void)path, (void)size;
	memcpy(buffer, "target", 6);
	return fails() ? -1 : 6;
}

static int fake_symlink(int root, const char *target, const char *path)
{
	(void)root, (void)target, (void)path;
	return fails() ? -1 : 0;
}

static int fake_root_of(tl_u64 process)
{
	if (fails())
		return -1;
	opened++;
	return process == 1 ? 99 : (opened--, -2);
}

static const struct tl_file_calls fake_calls = {
	fake_open, fake_close,  fake_read,     fake_write,   fake_fstat,
	fake_stat, fake_unlink, fake_readlink, fake_symlink, fake_root_of,
};

TEST(every_call_may_fail_and_nothing_leaks)
{
	static const char *const packets[] = {
		"vFile:setfs:1",       "vFile:open:2f61,0,0", "vFile:pread:64,10,0", "vFile:pwrite:64,0,data",
		"vFile:fstat:64",      "vFile:stat:2f61",     "vFile:lstat:2f61",    "vFile:unlink:2f61",
		"vFile:readlink:2f61", "vFile:close:64",
	};

	for (int n = 0; n <= (int)TL_COUNT(packets); n++) {
		struct tl_files *files = tl_files_create(&fake_calls);
		unsigned failures = 0;

		REQUIRE(files != NULL);
		failing = n;
		failing_error = ENOSPC;
		opened = 0;
		for (size_t i = 0; i < TL_COUNT(packets); i++)
			failures += strcmp(ask(files, packets[i]), "F-1,1c") == 0;
		/* An open that failed leaves the packets behind it without a descriptor: those have another error. */
		CHECK_EQUAL(failures, n != 0);
		tl_files_destroy(files);
		CHECK_EQUAL(opened, 0);
	}
	failing = 0;
}

TEST(lldbs_packets_may_fail_too)
{
	struct tl_files *files = tl_files_create(&fake_calls);

	REQUIRE(files != NULL);
	opened = 0;
	failing = 1;
	CHECK_TEXT(ask(files, "vFile:symlink:2f61,2f62"), "F1c,1c");
	CHECK_TEXT(ask(files, "vFile:symlink:2f61,2f62"), "F0,0");
	for (failing = 1; failing <= 2; failing++) {
		int n = failing;

		CHECK_TEXT(ask(files, "vFile:MD5:2f61"), "F,x");
		failing = n;
		CHECK_EQUAL(opened, 0);
	}
	failing = 1;
	CHECK_TEXT(ask(files, "vFile:mode:2f61"), "F-1,1c");
	CHECK_TEXT(ask(files, "vFile:mode:2f61"), "F0");
	failing = 1;
	CHECK_TEXT(ask(files, "vFile:exists:2f61"), "F,0");
	CHECK_TEXT(ask(files, "vFile:exists:2f61"), "F,1");
	CHECK_TEXT(ask(files, "vFile:size:2f61"), "F0");
	CHECK_TEXT(ask(files, "vFile:size:2f6"), "error");
	failing = 0;
	tl_files_destroy(files);
}

TEST(data_is_cut_to_what_a_packet_takes)
{
	struct tl_files *files = tl_files_create(&fake_calls);
	unsigned count;

	REQUIRE(files != NULL);
	opened = 0;
	CHECK_TEXT(ask(files, "vFile:open:2f61,0,0"), "F64");
	/* Every byte of it is escaped. */
	ask(files, "vFile:pread:64,ffff,0");
	CHECK_EQUAL(sscanf(answer, "F%x;", &count), 1);
	CHECK(count > 200 && count < 256);
	CHECK_EQUAL(strlen(strchr(answer, ';') + 1), 2 * count);
	tl_files_destroy(files);
}

TEST(error_numbers_are_the_protocols)
{
	CHECK_EQUAL(tl_files_wire_error(ENOENT), 2);
	CHECK_EQUAL(tl_files_wire_error(ENAMETOOLONG), 91);
	CHECK_EQUAL(tl_files_wire_error(ENOSYS), 88);
	CHECK_EQUAL(tl_files_wire_error(EXDEV), 9999);
}

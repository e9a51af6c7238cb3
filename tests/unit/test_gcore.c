/*
 * Cores of a program that faulted, written here and read by the core target: what was in the process is in the core.
 */
#include "core/cpu/x86_layout.h"
#include "debugger/session/gcore.h"
#include "targets/corefile/corefile.h"
#include "tests/unit/process_harness.h"

#include <dirent.h>
#include <elf.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define WIDE (CRASH_BITS == 64)

/* A folder of its own, and the core in it. */
struct place {
	char folder[64];
	char core[96];
};

static bool place_make(struct place *place)
{
	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/trapline-gcore-XXXXXX");
	if (mkdtemp(place->folder) == NULL)
		return false;
	(void)snprintf(place->core, sizeof(place->core), "%s/core", place->folder);
	return true;
}

static void place_remove(struct place *place)
{
	(void)unlink(place->core);
	CHECK(rmdir(place->folder) == 0);
}

static int files_in(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(directory)) != NULL)
		count += entry->d_name[0] != '.';
	(void)closedir(directory);
	return count;
}

static bool crash_as(struct session *session, const char *word)
{
	return session_open(session, CRASH_FIXTURE, NULL) && session_launch(session, word, NULL) &&
	       session_continue(session, 0) && session->report.event.kind == TL_EVENT_SIGNAL &&
	       session->report.event.signal == SIGSEGV;
}

static bool crash(struct session *session)
{
	return crash_as(session, "fault");
}

static void leave(struct session *session)
{
	(void)tl_engine_kill(session->engine, session->process);
	session_close(session);
}

/* The address of a symbol of the program as it was loaded. */
static tl_u64 place_of(struct session *session, const char *name)
{
	int descriptor = open(CRASH_FIXTURE, O_RDONLY | O_CLOEXEC);
	tl_size word = WIDE ? 8 : 4, size = 0;
	tl_u8 vector[4096];
	struct tl_elf elf;
	tl_u64 entry = 0;

	if (tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, NULL) != TL_OK)
		return 0;
	(void)close(descriptor);
	(void)session->target->ops->read_object(session->target, session_leader(session), TL_OBJECT_AUXV, 0, vector,
						sizeof(vector), &size);
	for (tl_size at = 0; at + 2 * word <= size; at += 2 * word)
		if (tl_load_little(vector + at, word) == AT_ENTRY)
			entry = tl_load_little(vector + at + word, word);
	return session_symbol(session, name) + entry - elf.entry;
}

static enum tl_status dump(struct session *session, const struct place *place, const struct tl_gcore_options *options,
			   struct tl_error *error)
{
	enum tl_status status = tl_gcore_write(session->engine, session->process, place->core, options, error);

	if (status != TL_OK && options == NULL)
		printf("  %s\n", error->text);
	return status;
}

static struct tl_target *read_back(const struct place *place)
{
	struct tl_corefile_options options = {.core_only = true};
	struct tl_target *target = NULL;
	struct tl_error error;

	if (tl_corefile_open(place->core, &options, &target, &error) != TL_OK)
		printf("  %s\n", error.text);
	return target;
}

static bool reads(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	return target->ops->read_memory(target, process, address, buffer, size, &done) == TL_OK && done == size;
}

static tl_u64 pointer_at(struct session *session, const char *name)
{
	tl_u8 bytes[8] = {0};

	CHECK(reads(session->target, session->process, place_of(session, name), bytes, WIDE ? 8 : 4));
	return tl_load_little(bytes, 8);
}

/* ---- What is in it ---- */

static void same_object(struct session *session, struct tl_target *core, struct tl_thread_id id, enum tl_object object)
{
	tl_u8 there[4096], here[4096];
	tl_size there_size = 0, here_size = 0;
	enum tl_status live =
		session->target->ops->read_object(session->target, id, object, 0, there, sizeof(there), &there_size);

	CHECK_EQUAL(core->ops->read_object(core, id, object, 0, here, sizeof(here), &here_size), live);
	CHECK(there_size == here_size && memcmp(there, here, here_size) == 0);
}

static void same_thread(struct session *session, struct tl_target *core, struct tl_thread_id id)
{
	tl_u8 here[TL_X86_FILE_SIZE] = {0}, *there;

	REQUIRE(tl_engine_registers(session->engine, id, 3, &there) == TL_OK);
	REQUIRE(core->ops->fetch_registers(core, id, 0, here) == TL_OK);
	REQUIRE(core->ops->fetch_registers(core, id, 1, here) == TL_OK);
	for (tl_u16 i = 0; i < TL_X86_64_REGISTER_MAX && WIDE; i++) {
		const struct tl_register *row = &tl_cpu_x86_64.registers[i];

		if (memcmp(here + row->offset, there + row->offset, row->bits / 8) != 0)
			printf("  %s differs\n", row->name);
		CHECK(memcmp(here + row->offset, there + row->offset, row->bits / 8) == 0);
	}
	for (tl_u16 i = 0; i < TL_I386_REGISTER_MAX && !WIDE; i++) {
		const struct tl_register *row = &tl_cpu_i386.registers[i];

		CHECK(memcmp(here + row->offset, there + row->offset, row->bits / 8) == 0);
	}
	same_object(session, core, id, TL_OBJECT_SIGINFO);
	same_object(session, core, id, TL_OBJECT_THREAD_POINTER);
}

struct comparison {
	struct session *session;
	struct tl_target *core;
	tl_u64 same, missing;
};

static bool compare_region(void *context, const struct tl_memory_region *region, const char *name)
{
	struct comparison *comparison = context;
	struct session *session = comparison->session;
	struct tl_memory_region found;
	tl_u8 there[4096], here[4096];

	if (strcmp(name, "[vsyscall]") == 0)
		return true;
	CHECK_EQUAL(comparison->core->ops->memory_region(comparison->core, session->process, region->start, &found),
		    TL_OK);
	CHECK(found.mapped && found.start == region->start && found.size == region->size);
	CHECK(found.readable == region->readable && found.writable == region->writable);
	if (name[0] == '/')
		CHECK_TEXT(found.name, region->name);
	for (tl_u64 at = 0; at < region->size; at += sizeof(here)) {
		bool dumped = reads(comparison->core, session->process, region->start + at, here, sizeof(here));

		if (region->own && !region->left_out)
			CHECK(dumped);
		if (!dumped || !reads(session->target, session->process, region->start + at, there, sizeof(there))) {
			comparison->missing++;
			continue;
		}
		CHECK(memcmp(here, there, sizeof(here)) == 0);
		comparison->same++;
	}
	return true;
}

TEST(what_was_in_the_process_is_in_the_core)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct comparison comparison;
	struct tl_corefile_facts facts;
	struct session session;
	struct place place;
	struct tl_error error;
	struct tl_target *core;
	struct stat status;
	tl_u8 bytes[16];

	REQUIRE(place_make(&place) && crash(&session));
	REQUIRE(dump(&session, &place, NULL, &error) == TL_OK);
	core = read_back(&place);
	REQUIRE(core != NULL);
	tl_corefile_facts(core, &facts);
	CHECK_EQUAL(facts.process, session.process);
	CHECK_EQUAL(facts.threads, 4);
	CHECK_EQUAL(facts.signal, SIGSEGV);
	CHECK(!facts.truncated);
	CHECK(strstr(facts.program, "fixture-crash") != NULL);
	CHECK_EQUAL(strncmp(facts.command, CRASH_FIXTURE, 40), 0);
	while (tl_engine_next_thread(session.engine, info.id, &info))
		same_thread(&session, core, info.id);
	same_object(&session, core, session_leader(&session), TL_OBJECT_AUXV);
	comparison = (struct comparison){&session, core, 0, 0};
	REQUIRE(session.target->ops->regions(session.target, session.process, compare_region, &comparison) == TL_OK);
	CHECK(comparison.same > 20 && comparison.missing > 0);
	CHECK(!reads(core, session.process, pointer_at(&session, "secret"), bytes, sizeof(bytes)));
	REQUIRE(reads(core, session.process, pointer_at(&session, "anonymous") + 40000, bytes, sizeof(bytes)));
	CHECK(memcmp(bytes, "in anonymous mem", 16) == 0);
	/* Pages of zeroes are holes, and nobody else may look. */
	REQUIRE(stat(place.core, &status) == 0);
	CHECK(status.st_blocks * 512 < status.st_size);
	CHECK_EQUAL(status.st_mode & 0777, 0600);
	tl_corefile_close(core);
	leave(&session);
	place_remove(&place);
}

static bool count_calls(void *context, tl_u64 done, tl_u64 total)
{
	tl_u64 *calls = context;

	CHECK(done <= total);
	++*calls;
	return true;
}

TEST(memory_that_was_never_used_is_not_looked_at)
{
	tl_u64 calls = 0, sparse;
	struct tl_gcore_options options = {.progress = count_calls, .context = &calls};
	struct session session;
	struct place place;
	struct tl_error error;
	struct tl_target *core;
	struct stat status;
	tl_u8 bytes[8192];

	REQUIRE(place_make(&place) && crash_as(&session, "sparse"));
	sparse = pointer_at(&session, "sparse");
	REQUIRE(dump(&session, &place, &options, &error) == TL_OK);
	/* In pieces of 256 KiB it would be two thousand in a 32-bit program, and two million in a 64-bit one. */
	CHECK(calls < 1000);
	REQUIRE(stat(place.core, &status) == 0);
	CHECK(status.st_size > (off_t)1 << 29 && status.st_blocks < 32 << 20 >> 9);
	core = read_back(&place);
	REQUIRE(core != NULL);
	REQUIRE(reads(core, session.process, sparse - 4096, bytes, sizeof(bytes)));
	CHECK(bytes[0] == 0 && bytes[4096] == 'x' && bytes[4097] == 0);
	REQUIRE(reads(core, session.process, sparse + (1 << 27), bytes, sizeof(bytes)));
	CHECK(bytes[0] == 0);
	tl_corefile_close(core);
	leave(&session);
	place_remove(&place);
}

TEST(breakpoints_are_not_in_it)
{
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .size = 1};
	struct session session;
	struct place place;
	struct tl_error error;
	struct tl_target *core;
	tl_u8 byte = 0;

	REQUIRE(place_make(&place) && crash(&session));
	point.address = place_of(&session, "ready");
	REQUIRE(tl_engine_insert_point(session.engine, session.process, &point) == TL_OK);
	REQUIRE(reads(session.target, session.process, point.address, &byte, 1));
	CHECK_EQUAL(byte, 0xcc);
	REQUIRE(dump(&session, &place, NULL, &error) == TL_OK);
	core = read_back(&place);
	REQUIRE(core != NULL);
	/* The trap made the page the process's own, so that it was written. */
	REQUIRE(reads(core, session.process, point.address, &byte, 1));
	CHECK(byte != 0xcc);
	tl_corefile_close(core);
	leave(&session);
	place_remove(&place);
}

TEST(the_choice_of_memory_is_that_of_the_kernel)
{
	struct tl_gcore_options headers = {.memory = TL_GCORE_HEADERS}, code = {.memory = TL_GCORE_PRIVATE_FILES};
	struct session session;
	struct place place;
	struct tl_error error;
	struct tl_target *core;
	tl_u64 ready, stack;
	tl_u8 bytes[4], *file;

	REQUIRE(place_make(&place) && crash(&session));
	ready = place_of(&session, "ready");
	REQUIRE(tl_engine_registers(session.engine, session_leader(&session), 1, &file) == TL_OK);
	stack = tl_load_little(file + TL_X86_AT_RSP, 8);
	REQUIRE(dump(&session, &place, &headers, &error) == TL_OK);
	core = read_back(&place);
	REQUIRE(core != NULL);
	CHECK(!reads(core, session.process, ready, bytes, 4) && !reads(core, session.process, stack, bytes, 4));
	CHECK(reads(core, session.process, place_of(&session, "_init") & ~(tl_u64)0xfff, bytes, 1) ||
	      reads(core, session.process, (place_of(&session, "_init") & ~(tl_u64)0xfff) - 0x1000, bytes, 4));
	tl_corefile_close(core);
	REQUIRE(dump(&session, &place, &code, &error) == TL_OK);
	core = read_back(&place);
	REQUIRE(core != NULL);
	CHECK(reads(core, session.process, ready, bytes, 4) && !reads(core, session.process, stack, bytes, 4));
	tl_corefile_close(core);
	leave(&session);
	place_remove(&place);
}

/* ---- When it cannot be ---- */

static bool give_up(void *context, tl_u64 done, tl_u64 total)
{
	tl_u64 *asked = context;

	CHECK(done <= total);
	return ++*asked < 8;
}

TEST(a_cancelled_core_leaves_what_was_there)
{
	tl_u64 asked = 0;
	struct tl_gcore_options options = {.progress = give_up, .context = &asked};
	struct session session;
	struct place place;
	struct tl_error error;
	char text[8] = "";
	FILE *file;

	REQUIRE(place_make(&place) && crash(&session));
	file = fopen(place.core, "w");
	fputs("before", file);
	fclose(file);
	CHECK_EQUAL(dump(&session, &place, &options, &error), TL_ERROR_CANCELLED);
	CHECK_EQUAL(asked, 8);
	file = fopen(place.core, "r");
	CHECK(fread(text, 1, 6, file) == 6);
	CHECK_TEXT(text, "before");
	fclose(file);
	CHECK_EQUAL(files_in(place.folder), 1);
	leave(&session);
	place_remove(&place);
}

TEST(a_full_disk_is_said_and_leaves_nothing)
{
	struct rlimit before, small = {100000, RLIM_INFINITY};
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	struct tl_gcore_options options = {.memory = TL_GCORE_DEFAULT};
	struct session session;
	struct place place;
	struct tl_error error = {.text = ""};

	REQUIRE(place_make(&place) && crash(&session));
	REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
	small.rlim_max = before.rlim_max;
	REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
	CHECK_EQUAL(dump(&session, &place, &options, &error), TL_ERROR_SYSTEM);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
	(void)signal(SIGXFSZ, handler);
	CHECK(strstr(error.text, "cannot write") != NULL);
	CHECK_EQUAL(files_in(place.folder), 0);
	leave(&session);
	place_remove(&place);
}

TEST(what_cannot_be_dumped_or_written_is_refused)
{
	struct tl_gcore_options options = {.memory = TL_GCORE_DEFAULT};
	struct session session;
	struct place place;
	struct tl_error error = {.text = ""};

	REQUIRE(place_make(&place) && crash(&session));
	CHECK_EQUAL(tl_gcore_write(session.engine, session.process, "/dev/null", &options, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_gcore_write(session.engine, session.process, place.folder, &options, &error), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_gcore_write(session.engine, session.process, "/nowhere/core", &options, &error),
		    TL_ERROR_SYSTEM);
	CHECK_EQUAL(tl_gcore_write(session.engine, 1, place.core, &options, &error), TL_ERROR_NO_PROCESS);
	leave(&session);
	REQUIRE(session_open(&session, CRASH_FIXTURE, NULL) && session_launch(&session, "stay", NULL));
	REQUIRE(session_resume(&session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	CHECK_EQUAL(tl_gcore_write(session.engine, session.process, place.core, &options, &error), TL_ERROR_RUNNING);
	REQUIRE(session_quiet(&session));
	leave(&session);
	CHECK_EQUAL(files_in(place.folder), 0);
	place_remove(&place);
}

TEST(without_storage_there_is_an_error_and_no_file)
{
	struct tl_gcore_options options = {.memory = TL_GCORE_HEADERS};
	struct session session;
	struct place place;
	struct tl_error error;
	tl_u64 before, calls;

	REQUIRE(place_make(&place) && crash(&session));
	REQUIRE(dump(&session, &place, &options, &error) == TL_OK);
	(void)unlink(place.core);
	before = tl_storage_calls();
	REQUIRE(dump(&session, &place, &options, &error) == TL_OK);
	(void)unlink(place.core);
	calls = tl_storage_calls() - before;
	CHECK(calls >= 3);
	for (tl_u64 n = 1; n <= calls; n++) {
		tl_storage_fail(n);
		CHECK_EQUAL(dump(&session, &place, &options, &error), TL_ERROR_NO_MEMORY);
		tl_storage_fail(0);
		CHECK_EQUAL(files_in(place.folder), 0);
	}
	leave(&session);
	CHECK_EQUAL(tl_storage_live(), 0);
	place_remove(&place);
}

/* Binaries and their store. */
#include "base/storage.h"
#include "debugger/modules/binary.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#ifndef PROGRAM
#error "PROGRAM is a program with debug information, TYPES one made of tests/fixtures/symbols/types.c and types_other.c"
#endif

static char folder[64];

/* Held by a test that wants no index to be made: they are made behind it. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static unsigned made; /* under the gate, as is the order in which they were */
static const struct tl_dwarf *order[64];

enum tl_status __real_tl_index_build(struct tl_index **index_ret, struct tl_dwarf *dwarf,
				     const struct tl_index_options *options, struct tl_error *error);
enum tl_status __wrap_tl_index_build(struct tl_index **index_ret, struct tl_dwarf *dwarf,
				     const struct tl_index_options *options, struct tl_error *error);

/* What the linker puts in the place of tl_index_build (--wrap). */
enum tl_status __wrap_tl_index_build(struct tl_index **index_ret, struct tl_dwarf *dwarf,
				     const struct tl_index_options *options, struct tl_error *error)
{
	(void)pthread_mutex_lock(&gate);
	order[made++ % TL_COUNT(order)] = dwarf;
	(void)pthread_mutex_unlock(&gate);
	return __real_tl_index_build(index_ret, dwarf, options, error);
}

struct fixture {
	struct tl_loop *loop;
	struct tl_binaries *binaries;
	struct tl_error error;
};

static bool open_fixture(struct fixture *fixture, const struct tl_binaries_options *options)
{
	bool good;

	*fixture = (struct fixture){.loop = NULL};
	good = tl_loop_create(&fixture->loop, &fixture->error) == TL_OK &&
	       tl_binaries_open(&fixture->binaries, fixture->loop, options, &fixture->error) == TL_OK;
	if (!good)
		printf("  %s\n", fixture->error.text);
	return good;
}

static void close_fixture(struct fixture *fixture)
{
	tl_binaries_close(fixture->binaries);
	tl_loop_destroy(fixture->loop);
}

static const struct tl_binaries_options no_cache = {.no_cache = true};

static bool open_folder(void)
{
	strcpy(folder, "/tmp/test-binary-XXXXXX");
	return mkdtemp(folder) != NULL;
}

static unsigned count_files(const char *path)
{
	DIR *stream = opendir(path);
	unsigned count = 0;
	const struct dirent *entry;

	while (stream != NULL && (entry = readdir(stream)) != NULL)
		count += entry->d_name[0] != '.';
	if (stream != NULL)
		(void)closedir(stream);
	return count;
}

static void remove_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CHECK_EQUAL(system(command), 0);
}

/* All of a file; the caller frees it. */
static char *read_all(const char *path, size_t *size_ret)
{
	struct stat facts;
	FILE *file = fopen(path, "re");
	char *bytes = NULL;

	if (file != NULL && fstat(fileno(file), &facts) == 0)
		bytes = malloc((size_t)facts.st_size);
	if (bytes != NULL)
		*size_ret = fread(bytes, 1, (size_t)facts.st_size, file);
	if (file != NULL)
		(void)fclose(file);
	return bytes;
}

static bool write_all(const char *path, const char *bytes, size_t size)
{
	FILE *file = fopen(path, "we");
	bool good = file != NULL && fwrite(bytes, 1, size, file) == size;

	return file != NULL && fclose(file) == 0 && good;
}

/* A copy of the program in the folder; its path. */
static const char *copy_program(unsigned number)
{
	static char path[128];
	size_t size = 0;
	char *bytes = read_all(PROGRAM, &size);

	(void)snprintf(path, sizeof(path), "%s/copy-%u", folder, number);
	CHECK(bytes != NULL && write_all(path, bytes, size));
	free(bytes);
	return path;
}

static bool count_one(void *context, const struct tl_indexed *found)
{
	(void)found;
	++*(unsigned *)context;
	return true;
}

static unsigned count_names(const struct tl_binary *binary, const char *name)
{
	unsigned count = 0;

	if (binary->index != NULL)
		CHECK(tl_index_find(binary->index, name, TL_INDEX_ALL, count_one, &count, NULL) == TL_OK);
	return count;
}

TEST(a_file_is_opened_once)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL, *again = NULL;
	char path[100], other[100];

	REQUIRE(open_folder());
	REQUIRE(open_fixture(&fixture, &no_cache));
	(void)snprintf(path, sizeof(path), "%s", copy_program(0));
	(void)snprintf(other, sizeof(other), "%s/link", folder);
	REQUIRE(symlink(path, other) == 0);
	REQUIRE(tl_binaries_get(fixture.binaries, path, &binary, &fixture.error) == TL_OK);
	CHECK_TEXT(binary->path, path);
	CHECK(binary->has_debug);
	CHECK(tl_binary_remark(binary) == NULL);
	CHECK(tl_binaries_get(fixture.binaries, path, &again, &fixture.error) == TL_OK && again == binary);
	CHECK(tl_binaries_get(fixture.binaries, other, &again, &fixture.error) == TL_OK && again == binary);
	/* The compiler made it anew: under the same name stands another file. */
	REQUIRE(unlink(path) == 0);
	(void)copy_program(0);
	CHECK(tl_binaries_get(fixture.binaries, path, &again, &fixture.error) == TL_OK && again != binary);
	CHECK_EQUAL(tl_binaries_get(fixture.binaries, "/nonexistent", &again, &fixture.error), TL_ERROR_SYSTEM);
	CHECK(strstr(fixture.error.text, "/nonexistent") != NULL);
	CHECK_EQUAL(tl_binaries_get(fixture.binaries, "/etc/passwd", &again, &fixture.error), TL_ERROR_MALFORMED);
	CHECK_EQUAL(tl_binaries_get(fixture.binaries, "/tmp", &again, &fixture.error), TL_ERROR_MALFORMED);
	close_fixture(&fixture);
	remove_folder();
}

TEST(an_index_comes_when_it_is_wanted)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL;
	tl_size done = 1, total = 0;

	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error) == TL_OK);
	CHECK(!tl_binary_ready(binary));
	tl_binary_progress(binary, &done, &total);
	CHECK_EQUAL(done, 0);
	CHECK(total >= 2);
	tl_binary_want(binary);
	tl_binary_want(binary);
	CHECK(binary->index == NULL);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK(tl_binary_ready(binary));
	CHECK(tl_binary_failure(binary) == NULL);
	CHECK_EQUAL(count_names(binary, "trace"), 1);
	CHECK_EQUAL(count_names(binary, "nothing_of_that_name"), 0);
	tl_binary_progress(binary, &done, &total);
	CHECK_EQUAL(done, total);
	close_fixture(&fixture);
}

/* The thread sends a message, and the loop takes it while it waits for other things. */
TEST(an_index_comes_while_the_loop_turns)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL;

	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error) == TL_OK);
	tl_binary_want(binary);
	for (unsigned i = 0; i < 100 && !tl_binary_ready(binary); i++)
		REQUIRE(tl_loop_turn(fixture.loop, 1000, &fixture.error) == TL_OK);
	CHECK(tl_binary_ready(binary) && binary->index != NULL);
	close_fixture(&fixture);
}

/* Whether the one file of the folder was used since it was made to look old; it is from now on. */
static void check_time(const char *path, bool used)
{
	static const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	DIR *stream = opendir(path);
	const struct dirent *entry;
	struct stat facts;

	while (stream != NULL && (entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK(!used || (fstatat(dirfd(stream), entry->d_name, &facts, 0) == 0 && facts.st_mtim.tv_sec > 1000));
		CHECK_EQUAL(utimensat(dirfd(stream), entry->d_name, old, 0), 0);
	}
	if (stream != NULL)
		(void)closedir(stream);
}

TEST(an_index_is_kept)
{
	struct tl_binaries_options options = {.cache = NULL};
	struct fixture fixture;
	struct tl_binary *binary = NULL;
	char cache[80];

	REQUIRE(open_folder());
	(void)snprintf(cache, sizeof(cache), "%s/cache", folder);
	options.cache = cache;
	for (unsigned round = 0; round < 2; round++) {
		REQUIRE(open_fixture(&fixture, &options));
		REQUIRE(tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error) == TL_OK);
		CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
		CHECK_EQUAL(count_names(binary, "trace"), 1);
		close_fixture(&fixture);
		CHECK_EQUAL(count_files(cache), 1);
		/* A kept one that is used gets a new time. */
		check_time(cache, round != 0);
	}
	remove_folder();
}

TEST(nothing_is_kept_where_that_is_not_wanted)
{
	struct tl_binaries_options options = {.no_cache = true};
	struct fixture fixture;
	struct tl_binary *binary = NULL;

	REQUIRE(open_folder());
	options.cache = folder;
	REQUIRE(open_fixture(&fixture, &options));
	REQUIRE(tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error) == TL_OK);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	close_fixture(&fixture);
	CHECK_EQUAL(count_files(folder), 0);
	remove_folder();
}

static bool give_up(void *context)
{
	++*(unsigned *)context;
	return false;
}

/* Whoever waits does not have to; the index comes all the same. */
TEST(waiting_can_be_given_up)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL;
	unsigned asked = 0;

	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error) == TL_OK);
	(void)pthread_mutex_lock(&gate);
	CHECK_EQUAL(tl_binary_wait(binary, give_up, &asked, &fixture.error), TL_ERROR_CANCELLED);
	CHECK_EQUAL(tl_binary_wait(binary, give_up, &asked, &fixture.error), TL_ERROR_CANCELLED);
	CHECK_EQUAL(asked, 2);
	CHECK(!tl_binary_ready(binary));
	(void)pthread_mutex_unlock(&gate);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK_EQUAL(count_names(binary, "trace"), 1);
	close_fixture(&fixture);
}

/* While the first of three is made, or about to be, the last one is waited for: it comes before the second. */
TEST(whoever_waits_goes_first)
{
	struct tl_binary *binaries[3] = {NULL, NULL, NULL};
	struct fixture fixture;
	unsigned asked = 0;

	REQUIRE(open_folder());
	REQUIRE(open_fixture(&fixture, &no_cache));
	(void)pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE(tl_binaries_get(fixture.binaries, copy_program(i), &binaries[i], &fixture.error) == TL_OK);
		tl_binary_want(binaries[i]);
	}
	CHECK_EQUAL(tl_binary_wait(binaries[2], give_up, &asked, &fixture.error), TL_ERROR_CANCELLED);
	made = 0;
	(void)pthread_mutex_unlock(&gate);
	for (unsigned i = 3; i-- > 0;)
		CHECK(tl_binary_wait(binaries[i], NULL, NULL, &fixture.error) == TL_OK);
	CHECK_EQUAL(made, 3);
	CHECK(order[0] == binaries[2]->dwarf || (order[0] == binaries[0]->dwarf && order[1] == binaries[2]->dwarf));
	close_fixture(&fixture);
	remove_folder();
}

TEST(a_store_is_closed_while_indexes_are_made)
{
	tl_u64 before = tl_storage_live();
	struct fixture fixture;
	struct tl_binary *binary = NULL;

	REQUIRE(open_folder());
	for (unsigned round = 0; round < 10; round++) {
		REQUIRE(open_fixture(&fixture, &no_cache));
		for (unsigned i = 0; i < round; i++) {
			REQUIRE(tl_binaries_get(fixture.binaries, copy_program(i), &binary, &fixture.error) == TL_OK);
			tl_binary_want(binary);
		}
		close_fixture(&fixture);
	}
	CHECK_EQUAL(tl_storage_live(), before);
	remove_folder();
}

/* Marks a section of a program as compressed, which it is not. */
static bool damage(char *bytes, size_t size, const char *wanted)
{
	Elf64_Ehdr header;
	Elf64_Shdr names, section;

	memcpy(&header, bytes, sizeof(header));
	memcpy(&names, bytes + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
	for (unsigned i = 0; i < header.e_shnum; i++) {
		char *at = bytes + header.e_shoff + i * sizeof(section);

		if (at + sizeof(section) > bytes + size)
			return false;
		memcpy(&section, at, sizeof(section));
		if (strcmp(bytes + names.sh_offset + section.sh_name, wanted) != 0)
			continue;
		section.sh_flags |= SHF_COMPRESSED;
		memcpy(at, &section, sizeof(section));
		return true;
	}
	return false;
}

static bool take_address(void *context, const struct tl_elf_name *symbol)
{
	*(tl_u64 *)context = symbol->address;
	return false;
}

/* A part that cannot be read is none, and the others are there. */
TEST(damaged_parts_are_left_out)
{
	static const struct {
		const char *section;
		bool has_debug, has_symbols, has_lines;
	} cases[] = {{".debug_info", false, true, false},
		     {".debug_line", true, true, false},
		     {".symtab", true, false, true},
		     {".debug_frame", true, true, true}};
	struct fixture fixture;
	char path[100];

	REQUIRE(open_folder());
	REQUIRE(open_fixture(&fixture, &no_cache));
	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		const struct tl_line_table *table;
		struct tl_binary *binary = NULL;
		size_t size = 0;
		char *bytes = read_all(PROGRAM, &size);
		bool damaged = bytes != NULL && damage(bytes, size, cases[i].section);
		tl_u64 address = 0;

		(void)snprintf(path, sizeof(path), "%s/damaged-%zu", folder, i);
		REQUIRE(bytes != NULL && write_all(path, bytes, size));
		free(bytes);
		REQUIRE(tl_binaries_get(fixture.binaries, path, &binary, &fixture.error) == TL_OK);
		CHECK_EQUAL(binary->has_debug, cases[i].has_debug);
		CHECK_EQUAL(tl_binary_remark(binary) != NULL, damaged);
		CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
		CHECK_EQUAL(count_names(binary, "trace"), cases[i].has_debug);
		CHECK(tl_elf_symbols_find(binary->symbols, "trace", take_address, &address, NULL) == TL_OK);
		CHECK_EQUAL(address != 0, cases[i].has_symbols);
		if (cases[i].has_debug)
			CHECK_EQUAL(tl_lines_of(binary->lines, tl_dwarf_unit(binary->dwarf, 0), &table, NULL) == TL_OK,
				    cases[i].has_lines);
	}
	close_fixture(&fixture);
	remove_folder();
}

/* The type in the unit that only declares it. */
static const struct tl_type *find_declared(const struct tl_binary *binary, const char *name)
{
	const struct tl_type *type = NULL;

	for (tl_size i = 0; i < tl_dwarf_unit_count(binary->dwarf) && type == NULL; i++) {
		struct tl_entry entry;
		bool done = tl_entry_top(tl_dwarf_unit(binary->dwarf, i), &entry, NULL) != TL_OK;

		while (!done && type == NULL) {
			struct tl_attribute named, declaration;

			if (entry.tag == DW_TAG_structure_type &&
			    tl_entry_attribute(&entry, DW_AT_name, &named, NULL) == TL_OK &&
			    named.kind == TL_CLASS_STRING && strcmp(named.text, name) == 0 &&
			    tl_entry_attribute(&entry, DW_AT_declaration, &declaration, NULL) == TL_OK &&
			    declaration.kind == TL_CLASS_FLAG &&
			    tl_type_at(binary->types, &entry, &type, NULL) != TL_OK)
				return NULL;
			if (tl_entry_next(&entry, &entry, &done, NULL) != TL_OK)
				break;
		}
	}
	return type;
}

TEST(types_are_completed_once_there_is_an_index)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL;
	const struct tl_type *type, *complete = NULL;

	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(tl_binaries_get(fixture.binaries, TYPES, &binary, &fixture.error) == TL_OK);
	type = find_declared(binary, "elsewhere");
	REQUIRE(type != NULL && type->declaration);
	CHECK(tl_type_complete(type, &complete, &fixture.error) == TL_OK && complete == type);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK(tl_type_complete(type, &complete, &fixture.error) == TL_OK && complete != type);
	CHECK_EQUAL(complete->size, 16);
	close_fixture(&fixture);
}

TEST(an_image_in_memory_is_copied)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL, *again = NULL;
	size_t size = 0;
	char *bytes = read_all(PROGRAM, &size);

	REQUIRE(bytes != NULL && open_fixture(&fixture, &no_cache));
	REQUIRE(tl_binaries_get_bytes(fixture.binaries, "[image]", bytes, size, &binary, &fixture.error) == TL_OK);
	CHECK_TEXT(binary->path, "[image]");
	CHECK(tl_binaries_get_bytes(fixture.binaries, "[image]", bytes, size, &again, &fixture.error) == TL_OK);
	CHECK(again == binary);
	CHECK(tl_binaries_get_bytes(fixture.binaries, "[other]", bytes, size, &again, &fixture.error) == TL_OK);
	CHECK(again != binary);
	memset(bytes, 0, size);
	CHECK_EQUAL(tl_binaries_get_bytes(fixture.binaries, "[image]", bytes, size, &again, &fixture.error),
		    TL_ERROR_MALFORMED);
	CHECK_EQUAL(tl_binaries_get_bytes(fixture.binaries, "[image]", bytes, 0, &again, &fixture.error),
		    TL_ERROR_MALFORMED);
	free(bytes);
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK_EQUAL(count_names(binary, "trace"), 1);
	close_fixture(&fixture);
}

/* Each allocation of opening and of the index fails once; it is said, and nothing is left. */
TEST(failing_allocations)
{
	tl_u64 before = tl_storage_live(), n = 1;
	enum tl_status status = TL_ERROR_NO_MEMORY;

	for (; status != TL_OK && n < 10000; n++) {
		struct fixture fixture = {.loop = NULL};
		struct tl_binary *binary = NULL;

		REQUIRE(tl_loop_create(&fixture.loop, &fixture.error) == TL_OK);
		tl_storage_fail(n);
		status = tl_binaries_open(&fixture.binaries, fixture.loop, &no_cache, &fixture.error);
		if (status == TL_OK)
			status = tl_binaries_get(fixture.binaries, PROGRAM, &binary, &fixture.error);
		if (status == TL_OK)
			status = tl_binary_wait(binary, NULL, NULL, &fixture.error);
		tl_storage_fail(0);
		/* An index that could not be made leaves a binary that is of use. */
		if (binary != NULL && status != TL_OK)
			CHECK(binary->index == NULL && tl_binary_failure(binary) != NULL);
		if (status != TL_OK)
			CHECK_EQUAL(status, TL_ERROR_NO_MEMORY);
		close_fixture(&fixture);
		CHECK_EQUAL(tl_storage_live(), before);
	}
	CHECK(n > 20);
}

#define ROOM ((size_t)1 << 20)

/* Packs .debug_info behind the end of the program, hardly smaller than it is, so that it counts as large. */
static size_t pack_units(char *bytes, size_t size, bool whole)
{
	Elf64_Ehdr header;
	Elf64_Shdr names, section;

	memcpy(&header, bytes, sizeof(header));
	memcpy(&names, bytes + header.e_shoff + header.e_shstrndx * sizeof(names), sizeof(names));
	for (unsigned i = 0; i < header.e_shnum; i++) {
		char *at = bytes + header.e_shoff + i * sizeof(section);
		Elf64_Chdr packed = {.ch_type = ELFCOMPRESS_ZLIB, .ch_addralign = 1};
		/* Zeros behind the units are a linker's padding. */
		static unsigned char units[ROOM];
		uLongf length = 2 * ROOM - size - sizeof(packed);

		memcpy(&section, at, sizeof(section));
		if (strcmp(bytes + names.sh_offset + section.sh_name, ".debug_info") != 0)
			continue;
		if (section.sh_size > sizeof(units) || size > ROOM / 2)
			return 0;
		memset(units, 0, sizeof(units));
		memcpy(units, bytes + section.sh_offset, section.sh_size);
		packed.ch_size = sizeof(units);
		memcpy(bytes + size, &packed, sizeof(packed));
		if (compress2((Bytef *)bytes + size + sizeof(packed), &length, units, sizeof(units), 0) != Z_OK)
			return 0;
		section.sh_flags |= SHF_COMPRESSED;
		section.sh_offset = size;
		section.sh_size = sizeof(packed) + (whole ? length : length / 2);
		memcpy(at, &section, sizeof(section));
		return size + section.sh_size;
	}
	return 0;
}

static bool open_packed(struct fixture *fixture, bool whole, struct tl_binary **binary_ret)
{
	char *bytes = malloc(2 * ROOM), *program;
	size_t size = 0;
	char path[100];

	if (bytes == NULL)
		return false;
	program = read_all(PROGRAM, &size);
	if (program == NULL || size > ROOM / 2) {
		free(bytes);
		free(program);
		return false;
	}
	memcpy(bytes, program, size);
	free(program);
	size = pack_units(bytes, size, whole);
	(void)snprintf(path, sizeof(path), "%s/packed-%d", folder, whole);
	CHECK(size != 0 && write_all(path, bytes, size));
	free(bytes);
	return size != 0 && tl_binaries_get(fixture->binaries, path, binary_ret, &fixture->error) == TL_OK;
}

TEST(large_packed_units_are_read_when_they_are_needed)
{
	const struct tl_line_table *table;
	struct fixture fixture;
	struct tl_binary *binary = NULL;

	REQUIRE(open_folder());
	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(open_packed(&fixture, true, &binary));
	CHECK(binary->has_debug);
	CHECK(!tl_dwarf_is_read(binary->dwarf));
	CHECK(tl_elf_symbols_find(binary->symbols, "trace", take_address, &(tl_u64){0}, NULL) == TL_OK);
	CHECK(!tl_dwarf_is_read(binary->dwarf));
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK(tl_dwarf_is_read(binary->dwarf));
	CHECK_EQUAL(count_names(binary, "trace"), 1);
	CHECK(tl_lines_of(binary->lines, tl_dwarf_unit(binary->dwarf, 0), &table, NULL) == TL_OK);
	close_fixture(&fixture);
	remove_folder();
}

TEST(large_packed_units_that_are_damaged_are_none)
{
	struct fixture fixture;
	struct tl_binary *binary = NULL;

	REQUIRE(open_folder());
	REQUIRE(open_fixture(&fixture, &no_cache));
	REQUIRE(open_packed(&fixture, false, &binary));
	CHECK(!tl_dwarf_is_read(binary->dwarf));
	CHECK(tl_binary_wait(binary, NULL, NULL, &fixture.error) == TL_OK);
	CHECK_EQUAL(tl_dwarf_unit_count(binary->dwarf), 0);
	CHECK(tl_binary_remark(binary) != NULL);
	CHECK_EQUAL(count_names(binary, "trace"), 0);
	close_fixture(&fixture);
	remove_folder();
}

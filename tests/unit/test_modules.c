/* Modules of programs that do not run, and of a process that is made up. */
#include "base/arena.h"
#include "base/storage.h"
#include "debugger/modules/modules.h"
#include "tests/unit/test.h"

#include <elf.h>
#include <sys/auxv.h>

#ifndef PROGRAM
#error "PROGRAM is made of tests/fixtures/symbols/program.c, OTHER is another, LIBRARY one of modules_library.c"
#endif

struct fixture {
	struct tl_loop *loop;
	struct tl_binaries *binaries;
	struct tl_modules *modules;
	struct tl_error error;
};

static bool open_fixture(struct fixture *fixture, const struct tl_binaries_options *options)
{
	static const struct tl_binaries_options no_cache = {.no_cache = true};
	bool good;

	*fixture = (struct fixture){.loop = NULL};
	good = tl_loop_create(&fixture->loop, &fixture->error) == TL_OK &&
	       tl_binaries_open(&fixture->binaries, fixture->loop, options != NULL ? options : &no_cache,
				&fixture->error) == TL_OK &&
	       tl_modules_open(&fixture->modules, fixture->binaries, &fixture->error) == TL_OK;
	if (!good)
		printf("  %s\n", fixture->error.text);
	return good;
}

static void close_fixture(struct fixture *fixture)
{
	tl_modules_close(fixture->modules);
	tl_binaries_close(fixture->binaries);
	tl_loop_destroy(fixture->loop);
}

static bool count_name(void *context, const struct tl_named *named)
{
	(void)named;
	++*(unsigned *)context;
	return true;
}

TEST(a_program_is_asked_before_it_runs)
{
	struct fixture fixture;
	struct tl_elf_name symbol;
	struct tl_code_line line;
	unsigned names = 0;
	tl_u64 address = 0, start = 0, end = 0;
	tl_u32 number = 0;
	char path[256];

	REQUIRE(open_fixture(&fixture, NULL));
	REQUIRE(tl_modules_set_program(fixture.modules, PROGRAM, &fixture.error) == TL_OK);
	CHECK(tl_modules_get(fixture.modules, 0)->program);
	CHECK(tl_modules_get(fixture.modules, 1) == NULL);
	CHECK(tl_modules_symbol_address(fixture.modules, NULL, "initialised", &address));
	CHECK(tl_modules_read(fixture.modules, address, &number, 4, &fixture.error) == TL_OK);
	CHECK_EQUAL(number, 11);
	CHECK(tl_modules_symbol_address(fixture.modules, NULL, "zero", &address));
	CHECK(tl_modules_read(fixture.modules, address, &number, 4, &fixture.error) == TL_OK);
	CHECK_EQUAL(number, 0);
	CHECK_EQUAL(
		tl_modules_read(fixture.modules, tl_modules_get(fixture.modules, 0)->end, &number, 4, &fixture.error),
		TL_ERROR_MEMORY);
	CHECK_EQUAL(tl_modules_read(fixture.modules, TL_U64_MAX - 1, &number, 4, &fixture.error), TL_ERROR_MEMORY);
	CHECK(tl_modules_symbol_address(fixture.modules, NULL, "trace", &address));
	CHECK(tl_modules_symbol(fixture.modules, address + 1, &symbol, &start));
	CHECK_TEXT(symbol.name, "trace");
	CHECK_EQUAL(start, address);
	tl_module_text(tl_modules_get(fixture.modules, 0), &start, &end);
	CHECK(address >= start && address < end);
	CHECK(!tl_modules_symbol_address(fixture.modules, NULL, "_init", &address) || address < start);
	REQUIRE(tl_modules_symbol_address(fixture.modules, NULL, "trace", &address));
	REQUIRE(tl_modules_line(fixture.modules, address, &line));
	CHECK(address >= line.start && address < line.end);
	CHECK(tl_line_table_path(line.table, line.row->file, false, path, sizeof(path)) != 0);
	CHECK(strstr(path, "program.c") != NULL);
	CHECK(tl_modules_find(fixture.modules, NULL, "trace", TL_INDEX_FUNCTION, NULL, count_name, &names,
			      &fixture.error) == TL_OK);
	CHECK_EQUAL(names, 1);
	CHECK(tl_modules_find(fixture.modules, tl_modules_get(fixture.modules, 0), "add", TL_INDEX_FUNCTION, NULL,
			      count_name, &names, &fixture.error) == TL_OK);
	CHECK(names > 1);
	close_fixture(&fixture);
}

/* ---- A process that is made up: files in memory, and what the kernel and the dynamic linker would say of them ---- */

#define PROGRAM_BIAS 0x555555554000
#define LINKER_BASE 0x7ffff7fc0000
#define LIBRARY_BIAS 0x7ffff7d00000
#define LISTS 0x600000000000 /* the head of the list, then links, each in its own piece of 0x100 bytes, then names */
#define NAMES 0x1000
#define LISTS_SIZE 0x2000
#define LINKER "/lib64/ld-linux-x86-64.so.2"

struct region {
	tl_u64 start;
	tl_u8 *bytes;
	tl_size size;
};

struct process {
	struct tl_arena arena; /* for what is loaded */
	struct region regions[8];
	unsigned count;
	tl_u8 lists[LISTS_SIZE];
	tl_u64 debug; /* where DT_DEBUG's value is */
	Elf64_auxv_t vector[8];
	tl_size vector_size;
};

static enum tl_status read_process(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct process *process = context;

	for (unsigned i = 0; i < process->count; i++) {
		const struct region *region = &process->regions[i];

		if (address < region->start || address - region->start > region->size ||
		    size > region->size - (address - region->start))
			continue;
		memcpy(buffer, region->bytes + (address - region->start), size);
		return TL_OK;
	}
	return TL_ERROR_MEMORY;
}

static void write_process(struct process *process, tl_u64 address, tl_u64 value)
{
	for (unsigned i = 0; i < process->count; i++) {
		const struct region *region = &process->regions[i];

		if (address >= region->start && address - region->start <= region->size - 8)
			memcpy(region->bytes + (address - region->start), &value, 8);
	}
}

/* Puts a file's segments where they would be loaded. */
static bool load(struct process *process, const char *path, tl_u64 bias)
{
	struct region *region = &process->regions[process->count];
	struct tl_elf_segment segment;
	struct tl_image *image;
	tl_u64 lowest, size, value, place;
	const struct tl_elf *elf;

	if (tl_image_open(&image, path, &(struct tl_image_options){.alone = true}, NULL) != TL_OK)
		return false;
	elf = tl_image_elf(image);
	tl_image_extent(image, &lowest, &size);
	*region = (struct region){bias + lowest, tl_arena_allocate(&process->arena, size), size};
	for (tl_u32 i = 0; i < elf->segment_count && region->bytes != NULL; i++)
		if (tl_elf_segment(elf, i, &segment, NULL) == TL_OK && segment.type == PT_LOAD)
			CHECK(elf->read(elf->context, segment.offset, region->bytes + (segment.address - lowest),
					segment.file_size) == TL_OK);
	if (tl_elf_dynamic(elf, DT_DEBUG, &value, &place, NULL) == TL_OK && process->count == 0)
		process->debug = place + bias;
	process->count++;
	tl_image_close(image);
	return region->bytes != NULL;
}

static void add_auxiliary(struct process *process, tl_u64 type, tl_u64 value)
{
	process->vector[process->vector_size / sizeof(Elf64_auxv_t)] = (Elf64_auxv_t){type, {value}};
	process->vector_size += sizeof(Elf64_auxv_t);
}

/* The program as the kernel starts it, with the dynamic linker and this process's own vDSO. */
static bool begin_process(struct process *process)
{
	struct tl_image *image;
	tl_u64 vdso = getauxval(AT_SYSINFO_EHDR);
	bool good;

	*process = (struct process){.count = 0};
	good = load(process, PROGRAM, PROGRAM_BIAS) && load(process, LINKER, LINKER_BASE) &&
	       tl_image_open(&image, PROGRAM, NULL, NULL) == TL_OK;
	if (!good)
		return false;
	add_auxiliary(process, AT_PHDR, PROGRAM_BIAS + tl_image_elf(image)->segment_offset);
	add_auxiliary(process, AT_PHENT, sizeof(Elf64_Phdr));
	add_auxiliary(process, AT_PHNUM, tl_image_elf(image)->segment_count);
	add_auxiliary(process, AT_ENTRY, PROGRAM_BIAS + tl_image_elf(image)->entry);
	add_auxiliary(process, AT_BASE, LINKER_BASE);
	tl_image_close(image);
	if (vdso != 0) {
		const Elf64_Ehdr *header = (const void *)vdso;
		tl_size size = header->e_shoff + header->e_shnum * sizeof(Elf64_Shdr);
		tl_u8 *bytes = tl_arena_allocate(&process->arena, size);

		if (bytes == NULL)
			return false;
		memcpy(bytes, header, size);
		process->regions[process->count++] = (struct region){vdso, bytes, size};
		add_auxiliary(process, AT_SYSINFO_EHDR, vdso);
	}
	process->regions[process->count++] = (struct region){LISTS, process->lists, LISTS_SIZE};
	return true;
}

static void end_process(struct process *process)
{
	tl_arena_clear(&process->arena);
}

/* The linker's list: the program, the linker, and what else there is, by name and bias. */
static void put_list(struct process *process, unsigned count, const char *const *names, const tl_u64 *biases)
{
	tl_u64 next = LISTS + NAMES;

	write_process(process, process->debug, LISTS);
	write_process(process, LISTS, 1);
	write_process(process, LISTS + 8, count != 0 ? LISTS + 0x100 : 0);
	for (unsigned i = 0; i < count; i++) {
		tl_u64 at = LISTS + 0x100 * (i + 1);

		write_process(process, at, biases[i]);
		write_process(process, at + 8, next);
		write_process(process, at + 16, biases[i] + 0x100);
		write_process(process, at + 24, i + 1 < count ? at + 0x100 : 0);
		write_process(process, at + 32, i != 0 ? at - 0x100 : 0);
		memcpy(process->lists + (next - LISTS), names[i], strlen(names[i]) + 1);
		next += strlen(names[i]) + 1;
	}
}

static const char *const three_names[] = {"", LINKER, LIBRARY};
static const tl_u64 three_biases[] = {PROGRAM_BIAS, LINKER_BASE, LIBRARY_BIAS};

static unsigned count_modules(const struct tl_modules *modules)
{
	unsigned count = 0;

	while (tl_modules_get(modules, count) != NULL)
		count++;
	return count;
}

static bool update(struct fixture *fixture, struct process *process, bool *changed_ret)
{
	struct tl_memory_access memory = {.read = read_process, .context = process};
	bool good;

	tl_modules_set_memory(fixture->modules, &memory);
	good = tl_modules_update(fixture->modules, PROGRAM, process->vector, process->vector_size, changed_ret,
				 &fixture->error) == TL_OK;
	if (!good)
		printf("  %s\n", fixture->error.text);
	return good;
}

static bool has_vdso(void)
{
	return getauxval(AT_SYSINFO_EHDR) != 0;
}

TEST(a_process_begins_with_the_linker)
{
	struct fixture fixture;
	struct process process;
	const struct tl_module *program;
	struct tl_elf_name symbol;
	tl_u64 address = 0;
	bool changed = false;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(changed);
	CHECK(tl_modules_remark(fixture.modules) == NULL);
	CHECK_EQUAL(count_modules(fixture.modules), 2 + has_vdso());
	program = tl_modules_get(fixture.modules, 0);
	CHECK(program->program && program->bias == PROGRAM_BIAS && program->link_map == 0);
	CHECK_EQUAL(tl_modules_get(fixture.modules, 1)->bias, LINKER_BASE);
	CHECK(tl_modules_symbol(fixture.modules, tl_modules_watch_address(fixture.modules), &symbol, &address));
	CHECK(strstr(symbol.name, "_dl_debug_state") != NULL);
	if (has_vdso())
		CHECK(tl_modules_symbol_address(fixture.modules, NULL, "__vdso_gettimeofday", &address) &&
		      tl_modules_at(fixture.modules, address) == tl_modules_get(fixture.modules, 2));
	close_fixture(&fixture);
	end_process(&process);
}

/* The library is there: it answers, and what was there before is the same. */
static void check_library(const struct tl_modules *modules, const struct tl_module *program)
{
	const struct tl_module *library = tl_modules_get(modules, 2);
	tl_u64 address = 0;

	REQUIRE(count_modules(modules) == 3u + has_vdso());
	CHECK(tl_modules_get(modules, 0) == program);
	CHECK_EQUAL(program->link_map, LISTS + 0x100);
	CHECK_TEXT(library->binary->path, LIBRARY);
	CHECK(!library->program);
	CHECK(tl_modules_symbol_address(modules, NULL, "in_library", &address));
	CHECK(tl_modules_at(modules, address) == library);
	CHECK(address >= LIBRARY_BIAS);
}

TEST(libraries_come_and_go)
{
	struct fixture fixture;
	struct process process;
	const struct tl_module *program;
	tl_u64 generation;
	bool changed = false;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(update(&fixture, &process, &changed));
	program = tl_modules_get(fixture.modules, 0);
	generation = tl_modules_generation(fixture.modules);
	REQUIRE(load(&process, LIBRARY, LIBRARY_BIAS));
	put_list(&process, 3, three_names, three_biases);
	write_process(&process, LISTS + 16, LINKER_BASE + 1);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(changed);
	CHECK(tl_modules_generation(fixture.modules) != generation);
	check_library(fixture.modules, program);
	/* There is no code where the linker says that it stops. */
	CHECK(tl_modules_watch_address(fixture.modules) != LINKER_BASE + 1);
	generation = tl_modules_generation(fixture.modules);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(!changed);
	CHECK_EQUAL(tl_modules_generation(fixture.modules), generation);
	put_list(&process, 2, three_names, three_biases);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(changed);
	CHECK_EQUAL(count_modules(fixture.modules), 2 + has_vdso());
	CHECK(tl_modules_at(fixture.modules, LIBRARY_BIAS) == NULL);
	close_fixture(&fixture);
	end_process(&process);
}

TEST(memory_comes_from_the_process_and_constants_from_the_file)
{
	struct fixture fixture;
	struct process process;
	tl_u64 address = 0;
	tl_u32 number = 0;
	tl_u8 code[4], same[4];
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(update(&fixture, &process, &changed));
	REQUIRE(tl_modules_symbol_address(fixture.modules, NULL, "initialised", &address));
	write_process(&process, address, 4711);
	CHECK(tl_modules_read(fixture.modules, address, &number, 4, &fixture.error) == TL_OK);
	CHECK_EQUAL(number, 4711);
	/* A core file has no code, and no variables that were lost. */
	process.regions[0].size = 0;
	CHECK_EQUAL(tl_modules_read(fixture.modules, address, &number, 4, &fixture.error), TL_ERROR_MEMORY);
	REQUIRE(tl_modules_symbol_address(fixture.modules, NULL, "trace", &address));
	CHECK(tl_modules_read(fixture.modules, address, code, sizeof(code), &fixture.error) == TL_OK);
	tl_modules_set_memory(fixture.modules, NULL);
	CHECK(tl_modules_read(fixture.modules, address, same, sizeof(same), &fixture.error) == TL_OK);
	CHECK(memcmp(code, same, sizeof(code)) == 0);
	close_fixture(&fixture);
	end_process(&process);
}

/* A core file need not have the linker's constants, and its name for the program is one. */
TEST(names_that_a_core_lacks_come_from_the_linkers_file)
{
	struct fixture fixture;
	struct process process;
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	put_list(&process, 2, three_names, three_biases);
	write_process(&process, LISTS + 0x100 + 8, LINKER_BASE + EI_PAD);
	process.regions[1].size = 0;
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(tl_modules_remark(fixture.modules) == NULL);
	CHECK_EQUAL(count_modules(fixture.modules), 2 + has_vdso());
	CHECK_EQUAL(tl_modules_get(fixture.modules, 0)->link_map, LISTS + 0x100);
	close_fixture(&fixture);
	end_process(&process);
}

TEST(what_cannot_be_opened_is_remarked_upon)
{
	static const char *const names[] = {"", "/nonexistent.so", "relative", LIBRARY};
	static const tl_u64 biases[] = {PROGRAM_BIAS, 0x1000, 0x2000, LIBRARY_BIAS};
	struct fixture fixture;
	struct process process;
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(load(&process, LIBRARY, LIBRARY_BIAS));
	put_list(&process, 4, names, biases);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK_EQUAL(count_modules(fixture.modules), 3 + has_vdso());
	REQUIRE(tl_modules_remark(fixture.modules) != NULL);
	CHECK(strstr(tl_modules_remark(fixture.modules), "/nonexistent.so") != NULL);
	/* Without the program's own file there are the others still. */
	REQUIRE(tl_modules_update(fixture.modules, "/nonexistent", process.vector, process.vector_size, &changed,
				  &fixture.error) == TL_OK);
	CHECK(changed);
	CHECK(strstr(tl_modules_remark(fixture.modules), "/nonexistent:") != NULL);
	CHECK_EQUAL(count_modules(fixture.modules), 1 + has_vdso());
	CHECK(!tl_modules_get(fixture.modules, 0)->program);
	close_fixture(&fixture);
	end_process(&process);
}

/* A library that was installed anew while the program runs has another build id, and nothing in common with it. */
TEST(a_file_of_another_build_is_left_out)
{
	struct fixture fixture;
	struct process process;
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(load(&process, OTHER, LIBRARY_BIAS));
	put_list(&process, 3, three_names, three_biases);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK_EQUAL(count_modules(fixture.modules), 2 + has_vdso());
	REQUIRE(tl_modules_remark(fixture.modules) != NULL);
	CHECK(strstr(tl_modules_remark(fixture.modules), LIBRARY) != NULL);
	CHECK(strstr(tl_modules_remark(fixture.modules), "build") != NULL);
	close_fixture(&fixture);
	end_process(&process);
}

/* The program writes over the linker's list: what was known stays known. */
TEST(a_damaged_list_loses_nothing)
{
	struct fixture fixture;
	struct process process;
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(load(&process, LIBRARY, LIBRARY_BIAS));
	put_list(&process, 3, three_names, three_biases);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK_EQUAL(count_modules(fixture.modules), 3 + has_vdso());
	write_process(&process, LISTS + 0x200 + 24, 0x4141414141414141);
	REQUIRE(update(&fixture, &process, &changed));
	CHECK(!changed);
	CHECK(tl_modules_remark(fixture.modules) != NULL);
	/* Without auxiliary vector nothing else is known than what is in the file. */
	CHECK(tl_modules_update(fixture.modules, PROGRAM, NULL, 0, &changed, &fixture.error) == TL_OK);
	CHECK_EQUAL(count_modules(fixture.modules), 1);
	tl_modules_set_memory(fixture.modules, NULL);
	CHECK_EQUAL(tl_modules_update(fixture.modules, PROGRAM, NULL, 0, &changed, &fixture.error), TL_ERROR_STATE);
	close_fixture(&fixture);
	end_process(&process);
}

static tl_u64 next_random(tl_u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One that is plausible at one of the places that are looked at. */
static tl_u64 random_value(tl_u64 *state)
{
	static const tl_u64 places[] = {0,
					1,
					LISTS,
					LISTS + 0x100,
					LISTS + 0x200,
					LISTS + NAMES,
					LISTS + LISTS_SIZE - 4,
					PROGRAM_BIAS,
					LINKER_BASE,
					LIBRARY_BIAS,
					TL_U64_MAX};
	tl_u64 value = places[next_random(state) % TL_COUNT(places)];

	return next_random(state) % 4 != 0 ? value : value + next_random(state) % 64;
}

TEST(hostile_memory_ends_nothing)
{
	struct fixture fixture;
	struct process process;
	tl_u64 state = 88172645463325252;
	bool changed;

	REQUIRE(open_fixture(&fixture, NULL) && begin_process(&process));
	REQUIRE(load(&process, LIBRARY, LIBRARY_BIAS));
	for (unsigned round = 0; round < 1000; round++) {
		tl_u64 probe = random_value(&state);
		struct tl_unwind_code code = {.bias = 0};
		struct tl_elf_name symbol;
		struct tl_code_line line;

		put_list(&process, 3, three_names, three_biases);
		for (unsigned i = 0; i < 1 + round % 8; i++) {
			unsigned which = (unsigned)(next_random(&state) % 20);

			if (which < 16)
				write_process(&process, LISTS + 0x100 * (which / 5) + 8 * (which % 5),
					      random_value(&state));
			else if (which == 16)
				write_process(&process, process.debug, random_value(&state));
			else
				process.vector[next_random(&state) % (process.vector_size / sizeof(Elf64_auxv_t))]
					.a_un.a_val = random_value(&state);
		}
		REQUIRE(update(&fixture, &process, &changed));
		tl_modules_code_at(fixture.modules, probe, &code);
		(void)tl_modules_symbol(fixture.modules, probe, &symbol, &probe);
		(void)tl_modules_line(fixture.modules, probe, &line);
		(void)tl_modules_behind_prologue(fixture.modules, probe);
	}
	close_fixture(&fixture);
	end_process(&process);
}

TEST(failing_allocations)
{
	struct fixture fixture;
	struct process process;
	enum tl_status status = TL_ERROR_NO_MEMORY;
	struct tl_memory_access memory = {.read = read_process, .context = &process};
	bool changed = false;
	tl_u64 n = 1;

	REQUIRE(begin_process(&process) && load(&process, LIBRARY, LIBRARY_BIAS));
	put_list(&process, 3, three_names, three_biases);
	for (; status != TL_OK && n < 10000; n++) {
		tl_u64 before = tl_storage_live();

		REQUIRE(open_fixture(&fixture, NULL));
		tl_modules_set_memory(fixture.modules, &memory);
		tl_storage_fail(n);
		status = tl_modules_update(fixture.modules, PROGRAM, process.vector, process.vector_size, &changed,
					   &fixture.error);
		tl_storage_fail(0);
		if (status != TL_OK) {
			CHECK_EQUAL(status, TL_ERROR_NO_MEMORY);
			CHECK_EQUAL(count_modules(fixture.modules), 0);
		}
		close_fixture(&fixture);
		CHECK_EQUAL(tl_storage_live(), before);
	}
	CHECK(n > 20);
	end_process(&process);
}

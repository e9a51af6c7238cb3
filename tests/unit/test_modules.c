/* Binaries and modules of programs that do not run. */
#include "base/storage.h"
#include "debugger/modules.h"
#include "tests/unit/test.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PROGRAM
#error "PROGRAM is a program with debug information, made of tests/fixtures/symbols/program.c"
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
	tl_u64 address = 0, start = 0;
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

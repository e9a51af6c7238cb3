#include "base/storage.h"
#include "symbols/elf_symbols.h"
#include "tests/unit/test.h"

#include <elf.h>

#ifndef PROGRAM
#error "PROGRAM is a program with debug information"
#endif

struct opened {
	struct tl_image *image;
	struct tl_elf_symbols *symbols;
};

static bool open_program(struct opened *opened, const char *path)
{
	struct tl_error error = {0};
	bool good;

	*opened = (struct opened){NULL, NULL};
	good = tl_image_open(&opened->image, path, NULL, &error) == TL_OK &&
	       tl_elf_symbols_open(&opened->symbols, opened->image, &error) == TL_OK;
	if (!good)
		printf("  %s: %s\n", path, error.text);
	return good;
}

static void close_program(struct opened *opened)
{
	tl_elf_symbols_close(opened->symbols);
	tl_image_close(opened->image);
}

struct found {
	unsigned count;
	struct tl_elf_name last;
};

static bool note(void *context, const struct tl_elf_name *symbol)
{
	struct found *found = context;

	found->count++;
	found->last = *symbol;
	return true;
}

static struct found find(struct opened *opened, const char *name)
{
	struct found found = {0};
	struct tl_error error;

	if (tl_elf_symbols_find(opened->symbols, name, note, &found, &error) != TL_OK)
		printf("  %s: %s\n", name, error.text);
	return found;
}

TEST(functions_and_variables_are_found_by_name)
{
	struct opened opened;
	struct found found;

	REQUIRE(open_program(&opened, PROGRAM));
	found = find(&opened, "main");
	CHECK(found.count == 1 && found.last.type == STT_FUNC && found.last.size != 0);
	found = find(&opened, "initialised");
	CHECK(found.count == 1 && found.last.type == STT_OBJECT && found.last.size == 4);
	/* Two files have a static function of that name. */
	CHECK_EQUAL(find(&opened, "add").count, 2);
	CHECK_EQUAL(find(&opened, "no_such_name").count, 0);
	CHECK_EQUAL(find(&opened, "").count, 0);
	CHECK_EQUAL(find(&opened, "@").count, 0);
	close_program(&opened);
}

TEST(every_function_is_found_by_each_of_its_addresses)
{
	struct opened opened;
	unsigned functions = 0;

	REQUIRE(open_program(&opened, PROGRAM));
	for (tl_size i = 0; i < tl_elf_symbols_count(opened.symbols); i++) {
		struct tl_elf_name symbol = tl_elf_symbols_get(opened.symbols, i), first, last;

		if (symbol.type != STT_FUNC || symbol.size == 0)
			continue;
		functions++;
		REQUIRE(tl_elf_symbols_at(opened.symbols, symbol.address, &first, NULL) == TL_OK);
		REQUIRE(tl_elf_symbols_at(opened.symbols, symbol.address + symbol.size - 1, &last, NULL) == TL_OK);
		CHECK_EQUAL(first.address, symbol.address);
		CHECK_EQUAL(last.address, symbol.address);
	}
	CHECK(functions > 8);
	CHECK(tl_elf_symbols_get(opened.symbols, TL_SIZE_MAX).name[0] == 0);
	close_program(&opened);
}

TEST(addresses_outside_belong_to_nothing)
{
	struct tl_elf_name symbol;
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM));
	CHECK(tl_elf_symbols_at(opened.symbols, 0, &symbol, NULL) == TL_ERROR_ARGUMENT);
	CHECK(tl_elf_symbols_at(opened.symbols, TL_U64_MAX, &symbol, NULL) == TL_ERROR_ARGUMENT);
	close_program(&opened);
}

TEST(stubs_of_the_linkage_table_have_names)
{
	struct tl_elf_name symbol = {0};
	struct opened opened;
	struct found found;

	REQUIRE(open_program(&opened, PROGRAM));
	found = find(&opened, "malloc@plt");
	REQUIRE(found.count >= 1);
	CHECK(found.last.origin == TL_ELF_PLT && found.last.size == 16);
	CHECK(find(&opened, "free@plt").last.address != found.last.address);
	CHECK(tl_elf_symbols_at(opened.symbols, found.last.address + 5, &symbol, NULL) == TL_OK);
	CHECK_TEXT(symbol.name, "malloc@plt");
	CHECK_EQUAL(find(&opened, "malloc").count, 0);
	close_program(&opened);
}

TEST(a_library_without_symtab_is_read_by_its_dynamic_symbols)
{
	static const char *const paths[] = {"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6"};
	struct tl_image_options alone = {.alone = true};
	struct tl_image *image = NULL;
	struct opened opened = {NULL, NULL};
	struct tl_elf_name symbol = {0};

	for (unsigned i = 0; i < TL_COUNT(paths) && image == NULL; i++)
		if (tl_image_open(&image, paths[i], &alone, NULL) != TL_OK)
			image = NULL;
	if (image == NULL)
		return;
	opened.image = image;
	REQUIRE(tl_elf_symbols_open(&opened.symbols, image, NULL) == TL_OK);
	CHECK(find(&opened, "malloc").count >= 1);
	CHECK(tl_elf_symbols_at(opened.symbols, find(&opened, "malloc").last.address + 1, &symbol, NULL) == TL_OK);
	CHECK(strstr(symbol.name, "malloc") != NULL);
	close_program(&opened);
}

TEST(storage_that_fails_is_an_error_and_leaks_nothing)
{
	enum tl_status status = TL_ERROR_NO_MEMORY;
	unsigned failed = 0;

	for (tl_u64 n = 1; n < 300 && status != TL_OK; n++) {
		struct opened opened = {NULL, NULL};
		struct tl_elf_name symbol;
		struct found found = {0};

		REQUIRE(tl_image_open(&opened.image, PROGRAM, NULL, NULL) == TL_OK);
		tl_storage_fail(n);
		status = tl_elf_symbols_open(&opened.symbols, opened.image, NULL);
		if (status == TL_OK)
			status = tl_elf_symbols_find(opened.symbols, "main", note, &found, NULL);
		if (status == TL_OK)
			status = tl_elf_symbols_at(opened.symbols, found.last.address, &symbol, NULL);
		tl_storage_fail(0);
		CHECK(status == TL_OK || status == TL_ERROR_NO_MEMORY);
		failed += status != TL_OK;
		close_program(&opened);
	}
	CHECK(status == TL_OK && failed > 8);
	CHECK_EQUAL(tl_storage_live(), 0);
}

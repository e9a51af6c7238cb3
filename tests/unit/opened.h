/* A program's file, opened with the readers of scopes and symbols. */
#ifndef TL_TESTS_UNIT_OPENED_H
#define TL_TESTS_UNIT_OPENED_H

#include "symbols/elf_symbols.h"
#include "symbols/scope.h"

#include "tests/unit/test.h"

static struct tl_error error;

struct opened {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_scopes *scopes;
	struct tl_elf_symbols *symbols;
};

static bool open_program(struct opened *opened, const char *path)
{
	*opened = (struct opened){NULL, NULL, NULL, NULL};
	return tl_image_open(&opened->image, path, NULL, &error) == TL_OK &&
	       tl_dwarf_open(&opened->dwarf, opened->image, &error) == TL_OK &&
	       tl_scopes_open(&opened->scopes, opened->dwarf, &error) == TL_OK &&
	       tl_elf_symbols_open(&opened->symbols, opened->image, &error) == TL_OK;
}

static void close_program(struct opened *opened)
{
	tl_elf_symbols_close(opened->symbols);
	tl_scopes_close(opened->scopes);
	tl_dwarf_close(opened->dwarf);
	tl_image_close(opened->image);
}

static bool take_address(void *context, const struct tl_elf_name *symbol)
{
	*(tl_u64 *)context = symbol->address;
	return false;
}

/* The scopes at a symbol, innermost first, which the caller releases. */
static struct tl_scope_chain scopes_at(struct opened *opened, const char *symbol)
{
	struct tl_scope_chain chain = {NULL, 0, 0};
	tl_u64 address = 0;

	CHECK(tl_elf_symbols_find(opened->symbols, symbol, take_address, &address, &error) == TL_OK);
	CHECK(tl_scopes_at(opened->scopes, address, &chain, &error) == TL_OK);
	return chain;
}

#endif

/* What is around an address: PROGRAM is tests/fixtures/symbols/blocks.S. */
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

static bool open_program(struct opened *opened)
{
	*opened = (struct opened){NULL, NULL, NULL, NULL};
	return tl_image_open(&opened->image, PROGRAM, NULL, &error) == TL_OK &&
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

static bool add_name(void *context, const struct tl_variable *variable)
{
	tl_output_text(context, variable->name);
	tl_output_text(context, " ");
	return true;
}

/* The variables of all scopes at a symbol, innermost first, "| " between scopes. */
static void check_variables(struct opened *opened, const char *symbol, const char *expected)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_scope_chain chain = {NULL, 0, 0};
	tl_u64 address = 0;

	CHECK(tl_elf_symbols_find(opened->symbols, symbol, take_address, &address, &error) == TL_OK);
	CHECK(tl_scopes_at(opened->scopes, address, &chain, &error) == TL_OK);
	for (tl_size i = 0; i < chain.count; i++) {
		if (i != 0)
			tl_output_text(&output, "| ");
		CHECK(tl_scope_variables(&chain.scopes[i], add_name, &output, &error) == TL_OK);
	}
	CHECK_TEXT(tl_output_string(&output), expected);
	tl_scope_chain_release(&chain);
	tl_output_release(&output);
}

TEST(blocks_without_addresses_are_looked_through_and_empty_ones_are_not)
{
	struct opened opened;

	CHECK(open_program(&opened));
	check_variables(&opened, "whole", "transparent ");
	check_variables(&opened, "inner", "nested | transparent ");
	check_variables(&opened, "behind", "transparent ");
	close_program(&opened);
}

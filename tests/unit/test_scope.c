/* What is around an address: PROGRAM is tests/fixtures/symbols/blocks.S. */
#include "tests/unit/opened.h"

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
	struct tl_scope_chain chain = scopes_at(opened, symbol);

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

	CHECK(open_program(&opened, PROGRAM));
	check_variables(&opened, "whole", "transparent ");
	check_variables(&opened, "inner", "nested | transparent ");
	check_variables(&opened, "behind", "transparent ");
	close_program(&opened);
}

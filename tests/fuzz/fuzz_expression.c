/*
 * The reader of expressions, fed with any text: it ends, with a tree or with a sentence, and gives its storage back.
 * The first byte says which names are types: those whose first letter has a bit in common with it.
 */
#include "base/storage.h"
#include "debugger/expressions/describe.h"
#include "debugger/expressions/expression.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>

static bool is_type(void *context, const char *name, tl_size size)
{
	return size != 0 && ((tl_u8)name[0] & *(const tl_u8 *)context & 0x1f) != 0;
}

static bool is_template(void *context, const char *name, tl_size size)
{
	return size > 3 && ((tl_u8)name[size - 2] & *(const tl_u8 *)context) != 0;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tl_names names = {is_type, is_template, size % 2 == 0, (void *)(uintptr_t)data};
	tl_u64 live = tl_storage_live();
	struct tl_expression *expression;
	struct tl_error error = {0};
	static char described[1 << 16];
	struct tl_writer writer = tl_writer_make(described, sizeof(described));

	if (size == 0)
		return 0;
	if (tl_expression_read(&expression, (const char *)data + 1, size - 1, &names, &error) != TL_OK) {
		require(error.text[0] != '\0');
	} else {
		require(tl_expression_node(expression, tl_expression_top(expression))->height <=
			TL_EXPRESSION_DEPTH_MAX);
		tl_expression_describe(expression, &writer);
		tl_expression_free(expression);
	}
	require(tl_storage_live() == live);
	return 0;
}

/*
 * The reader of mangled names, fed with any text: it ends, soon, with a text that is bounded or a sentence, and gives
 * its storage back.
 */
#include "base/storage.h"
#include "symbols/demangle.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void demangle(const char *name, enum tl_demangle_form form, bool type)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct tl_error error = {0};
	enum tl_status status =
		type ? tl_demangle_type(name, &output, &error) : tl_demangle(name, form, &output, &error);

	require(output.size <= TL_DEMANGLE_TEXT_MAX + strlen(name));
	require(status == TL_OK ? output.size != 0 : output.size == 0);
	require(status == TL_OK || status == TL_ERROR_ARGUMENT || error.text[0] != '\0');
	tl_output_release(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	tl_u64 live = tl_storage_live();
	char *name = malloc(size + 3);

	if (name == NULL)
		return 0;
	memcpy(name, "_Z", 2);
	memcpy(name + 2, data, size);
	name[size + 2] = '\0';
	demangle(name, TL_DEMANGLE_WHOLE, false);
	demangle(name, TL_DEMANGLE_NAME, false);
	demangle(name + 2, TL_DEMANGLE_WHOLE, false);
	demangle(name + 2, TL_DEMANGLE_WHOLE, true);
	free(name);
	require(tl_storage_live() == live);
	return 0;
}

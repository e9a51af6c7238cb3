#include "debugger/values/program_string.h"

#include <string.h>

/* Bytes that are read at a time: no read crosses the end of a page, behind which nothing may be. */
#define PIECE 256

enum tl_status tl_program_string(const struct tl_value_context *values, const struct tl_value *value, char **text_ret,
				 struct tl_error *error)
{
	struct tl_value copy = *value;
	const struct tl_type *type;
	tl_i128 address;
	tl_size size = 0;
	char *text;

	TL_TRY(tl_type_strip(value->type, &type, error));
	if (type->kind == TL_TYPE_ARRAY) {
		TL_TRY(tl_value_load(values, &copy, error));
		*text_ret = tl_arena_copy(values->arena, copy.bytes, (tl_size)copy.size);
		return *text_ret != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	}
	TL_TRY(tl_value_integer(values, value, &address, error));
	text = tl_arena_allocate(values->arena, TL_PROGRAM_STRING_MAX + 1);
	if (text == NULL || values->read == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	do {
		tl_u64 at = (tl_u64)address + size, piece = PIECE - at % PIECE;

		if (piece > TL_PROGRAM_STRING_MAX - size)
			piece = TL_PROGRAM_STRING_MAX - size;
		TL_TRY(values->read(values->context, at, text + size, piece, error));
		size += (tl_size)piece;
	} while (memchr(text, '\0', size) == NULL && size < TL_PROGRAM_STRING_MAX);
	text[size] = '\0';
	*text_ret = text;
	return TL_OK;
}

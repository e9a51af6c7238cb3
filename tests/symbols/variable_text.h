/*
 * What there is to be said of a variable in one line: "NAME RESULT", where RESULT is a number, "at ADDRESS" for what is
 * no number, "implicit" for a pointer without a value whose target is known, "optimised", or "lost" and why.
 */
#ifndef TL_TESTS_SYMBOLS_VARIABLE_TEXT_H
#define TL_TESTS_SYMBOLS_VARIABLE_TEXT_H

#include "symbols/dwarf_constants.h"
#include "symbols/location.h"

#include <stdio.h>

static inline void print_number(const struct tl_variable_frame *frame, const struct tl_location *location, tl_u64 size)
{
	tl_u8 bytes[8] = {0};
	struct tl_error why;
	tl_u64 missing;

	if (tl_location_read(frame, location, 0, bytes, (tl_size)size, &missing, &why) != TL_OK)
		printf("lost %s\n", why.text);
	else if (missing != 0)
		printf("optimised\n");
	else
		printf("0x%llx\n", (unsigned long long)tl_load_little(bytes, (tl_size)size));
}

static inline bool is_number(const struct tl_type *type)
{
	return type->kind == TL_TYPE_POINTER || type->kind == TL_TYPE_REFERENCE ||
	       type->kind == TL_TYPE_RVALUE_REFERENCE || type->kind == TL_TYPE_ENUM ||
	       (type->kind == TL_TYPE_BASE && type->encoding != DW_ATE_float &&
		type->encoding != DW_ATE_complex_float && type->size <= 8);
}

static inline bool print_variable(void *context, const struct tl_variable *variable)
{
	const struct tl_variable_frame *frame = context;
	struct tl_location location;
	const struct tl_type *type;
	tl_u64 size = 0;
	struct tl_error why;
	bool known = false;

	printf("%s ", variable->name);
	if (tl_type_of(frame->types, &variable->entry, &type, &why) != TL_OK ||
	    tl_type_strip(type, &type, &why) != TL_OK || tl_type_size(type, &size, &known, &why) != TL_OK ||
	    tl_variable_location(frame, &variable->entry, &location, &why) != TL_OK)
		printf("lost %s\n", why.text);
	else if (location.count == 1 && location.places[0].kind == TL_PLACE_NONE)
		printf("optimised\n");
	else if (location.count == 1 && location.places[0].kind == TL_PLACE_POINTER)
		printf("implicit\n");
	else if (is_number(type) && known && size <= 8)
		print_number(frame, &location, size);
	else if (location.count == 1 && location.places[0].kind == TL_PLACE_MEMORY)
		printf("at 0x%llx\n", (unsigned long long)location.places[0].address);
	else
		printf("elsewhere\n");
	return true;
}

#endif

/* DWARF expressions in a world where every question has an answer. The first byte chooses the address size. */
#include "symbols/dwarf_expression.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	memset(buffer, (int)(address & 0xff), size);
	return (address & 0xff00) == 0xee00 ? TL_ERROR_MEMORY : TL_OK;
}

static enum tl_status read_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *error)
{
	(void)context, (void)error;
	memset(buffer, (int)(number & 0xff), size);
	return number > 200 ? TL_ERROR_REGISTER : TL_OK;
}

static enum tl_status address(void *context, tl_u64 *address_ret, struct tl_error *error)
{
	(void)context, (void)error;
	*address_ret = 0x7fff12345678;
	return TL_OK;
}

static enum tl_status numbered(void *context, tl_u64 number, tl_u64 *address_ret, struct tl_error *error)
{
	(void)context, (void)error;
	*address_ret = number * 16;
	return TL_OK;
}

/* Types of every encoding and size, impossible ones among them. */
static enum tl_status base_type(void *context, tl_u64 offset, struct tl_dwarf_type *type_ret, struct tl_error *error)
{
	(void)context, (void)error;
	*type_ret = (struct tl_dwarf_type){offset, (tl_u8)(offset / 18 % 19), (tl_u8)(offset % 18)};
	return TL_OK;
}

static enum tl_status value(void *context, tl_u64 offset, struct tl_dwarf_value *value_ret, struct tl_error *error)
{
	(void)context, (void)error;
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(8), offset);
	return TL_OK;
}

struct input {
	const uint8_t *bytes;
	size_t size;
};

static enum tl_status entry_value(void *context, const tl_u8 *bytes, tl_size size, struct tl_dwarf_value *value_ret,
				  struct tl_error *error)
{
	(void)context, (void)error;
	*value_ret = tl_dwarf_value_make(tl_dwarf_generic(8), size != 0 ? bytes[size - 1] : 0);
	return TL_OK;
}

static enum tl_status expression(void *context, enum tl_expression_reference reference, tl_u64 offset,
				 const tl_u8 **bytes_ret, tl_size *size_ret, struct tl_error *error)
{
	const struct input *input = context;

	(void)reference, (void)error;
	if (offset > input->size)
		return TL_ERROR_MALFORMED;
	*bytes_ret = input->bytes + offset;
	*size_ret = input->size - offset;
	return TL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = {bytes, size};
	struct tl_memory_access memory = {read_memory, NULL, NULL};
	struct tl_expression_context context = {.context = &input,
						.address_size = size != 0 && (bytes[0] & 1) != 0 ? 4 : 8,
						.offset_size = 4,
						.version = 5,
						.bias = 0x1000,
						.memory = &memory,
						.read_register = read_register,
						.frame_base = address,
						.frame_address = address,
						.object_address = address,
						.thread_local = numbered,
						.entry_value = entry_value,
						.parameter = value,
						.variable = value,
						.indexed_address = numbered,
						.base_type = base_type,
						.expression = expression};
	struct tl_location location;
	struct tl_error error;
	tl_u64 number;

	if (size == 0)
		return 0;
	if (tl_expression_location(&context, bytes + 1, size - 1, NULL, &location, &error) == TL_OK &&
	    (location.count == 0 || location.count > TL_PLACES_MAX))
		abort();
	(void)!tl_expression_number(&context, bytes + 1, size - 1, &(tl_u64){0x1000}, &number, &error);
	return 0;
}

/*
 * The C++ library's types with garbage inside: the first bytes of the input choose a variable of the fixture, how it is
 * printed, and where it stands; the rest is the program's memory, again and again. Everything has to be printed, or
 * refused with a reason, soon.
 */
#include "base/storage.h"
#include "debugger/values/containers.h"
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#ifndef PROGRAM
#error "PROGRAM is a program made of tests/fixtures/debugger/containers.cc"
#endif

#define VARIABLES_MAX 512
#define HEAD 4
#define MEMORY_SIZE 0x10000

struct program {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	const struct tl_type *variables[VARIABLES_MAX];
	size_t count;
};

struct input {
	const uint8_t *bytes;
	size_t size;
};

static struct tl_error error;

/* Addresses from 0 on have the input, as often as it fits; beyond there is nothing. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *why)
{
	const struct input *input = context;
	uint8_t *bytes = buffer;

	if (address >= MEMORY_SIZE || size > MEMORY_SIZE - address || input->size == 0)
		return TL_FAIL(why, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	for (tl_u64 i = 0; i < size; i++)
		bytes[i] = input->bytes[(address + i) % input->size];
	return TL_OK;
}

static void take_variables(struct program *program, const struct tl_unit *unit)
{
	struct tl_entry entry;
	bool known = false;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK || tl_entry_child(&entry, &entry, NULL) != TL_OK)
		return;
	while (entry.tag != 0 && program->count < VARIABLES_MAX) {
		const struct tl_type *type, *stripped;

		if (entry.tag == DW_TAG_variable && tl_type_of(program->types, &entry, &type, NULL) == TL_OK &&
		    tl_type_strip(type, &stripped, NULL) == TL_OK &&
		    tl_container_is_known(stripped, &known, NULL) == TL_OK && known)
			program->variables[program->count++] = type;
		if (tl_entry_sibling(&entry, &entry, NULL) != TL_OK)
			return;
	}
}

static void open_program(struct program *program)
{
	const struct tl_image_options alone = {.alone = true};

	if (tl_image_open(&program->image, PROGRAM, &alone, &error) != TL_OK ||
	    tl_dwarf_open(&program->dwarf, program->image, &error) != TL_OK ||
	    tl_tree_open(&program->tree, program->dwarf, &error) != TL_OK ||
	    tl_types_open(&program->types, program->dwarf, program->tree, &error) != TL_OK)
		abort();
	for (tl_size i = 0; i < tl_dwarf_unit_count(program->dwarf); i++)
		take_variables(program, tl_dwarf_unit(program->dwarf, i));
	if (program->count == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char formats[] = {0, 'x', 'd', 's'};
	static struct program program;
	struct input input = {bytes + HEAD, size - HEAD};
	struct tl_print_options options = {.patience = 100};
	struct tl_output output;
	struct tl_arena arena = {.limit = 8 << 20};
	struct tl_value_context values = {
		.arena = &arena, .address_size = 8, .size_limit = 1 << 16, .is_cplus = true, .read = read_memory};
	struct tl_value value;
	enum tl_status status;

	if (size <= HEAD)
		return 0;
	if (program.count == 0)
		open_program(&program);
	values.types = program.types;
	values.context = &input;
	options.pretty = (bytes[1] & 1) != 0;
	options.raw = (bytes[1] & 2) != 0;
	options.format = formats[bytes[1] >> 2 & 3];
	options.elements = (bytes[1] & 16) != 0 ? 7 : 0;
	output = tl_output_make(1 << 16);
	error = (struct tl_error){.status = TL_OK};
	status = tl_value_at(&values, program.variables[bytes[0] % program.count], (tl_u64)bytes[2] << 8 | bytes[3],
			     &value, &error);
	if (status == TL_OK)
		status = tl_print_value(&values, &options, &value, &output, &error);
	/* It says something, or why not. */
	if (status == TL_OK ? output.size == 0 : error.status != status || error.text[0] == 0)
		abort();
	tl_output_release(&output);
	tl_arena_clear(&arena);
	return 0;
}

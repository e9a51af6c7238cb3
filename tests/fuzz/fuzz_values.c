/*
 * Values of types of any shape: printed, taken apart, evaluated and compiled. The input is that of fuzz_types; memory
 * is such that a pointer to 0x1111111111111111 points at itself.
 */
#include "base/storage.h"
#include "debugger/expressions/compile.h"
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"
#include "tests/fuzz/fuzz.h"
#include "tests/symbols/wrap.h"

#include <stdlib.h>

#define ENTRIES_MAX 100
#define INPUT_MAX 16384
#define VALUE_AT 0x1111111111111111u

struct program {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_arena arena;
	struct tl_environment environment;
	const struct tl_type *type; /* of the value at hand */
};

static struct tl_error error;

/* Whatever fails says why. */
static bool good(enum tl_status status)
{
	if (status != TL_OK && (error.status != status || error.text[0] == 0))
		abort();
	error.status = TL_OK;
	error.text[0] = 0;
	return status == TL_OK;
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *why)
{
	(void)context;
	if (address % 7 == 5)
		return TL_FAIL(why, TL_ERROR_MEMORY, "nothing is there");
	memset(buffer, (int)address, size);
	return TL_OK;
}

static enum tl_status write_memory(void *context, tl_u64 address, const void *bytes, tl_u64 size, struct tl_error *why)
{
	(void)context, (void)bytes;
	return (address + size) % 5 == 0 ? TL_FAIL(why, TL_ERROR_MEMORY, "nothing is there") : TL_OK;
}

static enum tl_status find_name(void *context, const char *file, const char *name, struct tl_value *value_ret,
				bool *found_ret, struct tl_error *why)
{
	struct program *program = context;

	*found_ret = file == NULL && name[0] == 'v';
	return *found_ret ? tl_value_at(&program->environment.values, program->type, VALUE_AT, value_ret, why) : TL_OK;
}

static enum tl_status find_type(void *context, const char *name, enum tl_type_tag tag, const struct tl_type **type_ret,
				struct tl_error *why)
{
	(void)name, (void)tag, (void)why;
	*type_ret = ((struct program *)context)->type;
	return TL_OK;
}

static enum tl_status find_place(void *context, const char *file, const char *name, struct tl_code_place *place_ret,
				 bool *found_ret, struct tl_error *why)
{
	(void)file, (void)why;
	*found_ret = name[0] == 'v';
	*place_ret = (struct tl_code_place){TL_CODE_MEMORY, ((struct program *)context)->type, VALUE_AT, 0};
	return TL_OK;
}

static void use(struct program *program, const char *text, unsigned index)
{
	static const char formats[] = {0, 'x', 'c', 0, 'd', 'f', 's', 'a'};
	struct tl_print_options options = {.format = formats[index % sizeof(formats)], .pretty = index % 3 == 0};
	struct tl_code_environment code = {.environment = &program->environment, .find_place = find_place};
	struct tl_output output = tl_output_make(1 << 14);
	struct tl_expression *expression;
	struct tl_value value;
	tl_u8 bytes[256];
	tl_size done;

	code.context = program;
	if (!good(tl_expression_read(&expression, text, strlen(text), NULL, &error)))
		abort();
	if (good(tl_evaluate(&program->environment, expression, &value, &error)))
		(void)good(tl_print_value(&program->environment.values, &options, &value, &output, &error));
	(void)good(tl_compile(&code, expression, bytes, sizeof(bytes), &done, &error));
	tl_expression_free(expression);
	tl_output_release(&output);
	tl_arena_clear(&program->arena);
}

static void use_type(struct program *program, const struct tl_entry *entry, unsigned index)
{
	static const char *const texts[] = {"v",
					    "*v",
					    "&v",
					    "v.a",
					    "v.nothing",
					    "v->b",
					    "v[1]",
					    "v + 1",
					    "!v",
					    "v == v",
					    "(struct t)v",
					    "v[0]@3",
					    "-v",
					    "v = v",
					    "(struct t *)v",
					    "_Alignof(struct t)",
					    "sizeof v",
					    "v ? v : 1",
					    "v++",
					    "(char)v"};

	if (!good(tl_type_at(program->types, entry, &program->type, &error)))
		return;
	for (unsigned i = 0; i < TL_COUNT(texts); i++)
		use(program, texts[i], index + i);
}

static void use_unit(struct program *program, const struct tl_unit *unit)
{
	struct tl_entry entry;
	bool done = false;

	if (!good(tl_entry_top(unit, &entry, &error)))
		return;
	for (unsigned i = 0; i < ENTRIES_MAX && !done; i++) {
		if (entry.tag != 0)
			use_type(program, &entry, i);
		if (!good(tl_entry_next(&entry, &entry, &done, &error)))
			return;
	}
}

static bool open_program(struct program *program, const void *file, size_t size)
{
	if (!good(tl_image_open_bytes(&program->image, "input", file, size, &error)) ||
	    !good(tl_dwarf_open(&program->dwarf, program->image, &error)) ||
	    !good(tl_tree_open(&program->tree, program->dwarf, &error)) ||
	    !good(tl_types_open(&program->types, program->dwarf, program->tree, &error)))
		return false;
	program->arena.limit = 8 << 20;
	program->environment = (struct tl_environment){
		.values = {.arena = &program->arena,
			   .types = program->types,
			   .address_size = 8,
			   .size_limit = 1 << 16,
			   .read = read_memory,
			   .write = write_memory,
			   .context = program},
		.find_name = find_name,
		.find_type = find_type,
		.context = program,
	};
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static uint8_t file[INPUT_MAX + 4096];
	struct program program = {.image = NULL};

	size = size <= INPUT_MAX ? wrap_input(file, bytes, size) : 0;
	if (size == 0)
		return 0;
	if (open_program(&program, file, size))
		for (tl_size i = 0; i < tl_dwarf_unit_count(program.dwarf) && i < 4; i++)
			use_unit(&program, tl_dwarf_unit(program.dwarf, i));
	tl_arena_clear(&program.arena);
	tl_types_close(program.types);
	tl_tree_close(program.tree);
	tl_dwarf_close(program.dwarf);
	tl_image_close(program.image);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}

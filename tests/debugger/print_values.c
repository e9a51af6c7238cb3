/*
 * Prints what expressions are worth in a program that does not run: variables are read from its file, as gdb does.
 *
 *     print-values PROGRAM [pretty] < EXPRESSIONS        one a line, a format letter first if wanted: /x counter
 *
 *     print-values PROGRAM code < EXPRESSIONS            whether compiled to bytecode they come to the same
 *
 * Writes for each, with a line "--" behind it, the value as `print` shows it, or "error: " and the sentence.
 */
#include "debugger/expressions/compile.h"
#include "debugger/expressions/evaluate.h"
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"
#include "symbols/elf_symbols.h"
#include "symbols/scope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_elf_symbols *symbols;
	struct tl_arena arena;
	FILE *file;
	bool pretty;
	struct tl_environment environment;
};

/* From the segment that holds the address; what a segment has beyond its file reads as zeros. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	struct program *program = context;
	const struct tl_elf *elf = tl_image_elf(program->image);
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		tl_u64 offset;

		TL_TRY(tl_elf_segment(elf, i, &segment, error));
		offset = address - segment.address;
		if (segment.type != 1 || address < segment.address || offset > segment.memory_size ||
		    size > segment.memory_size - offset)
			continue;
		memset(buffer, 0, size);
		if (offset >= segment.file_size)
			return TL_OK;
		size = size < segment.file_size - offset ? size : segment.file_size - offset;
		return fseek(program->file, (long)(segment.offset + offset), SEEK_SET) == 0 &&
				       fread(buffer, 1, size, program->file) == size
			       ? TL_OK
			       : TL_FAIL(error, TL_ERROR_SYSTEM, "cannot read the file");
	}
	return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx", (unsigned long long)address);
}

/* ---- Names ---- */

struct place {
	tl_u64 address;
	bool found;
};

static bool take_address(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct place *place = context;

	(void)start, (void)end;
	place->found = size == 9 && bytes[0] == 3; /* DW_OP_addr */
	for (tl_size i = 8; place->found && i > 0; i--)
		place->address = place->address << 8 | bytes[i];
	return false;
}

static bool take_start(void *context, tl_u64 start, tl_u64 end)
{
	struct place *place = context;

	(void)end;
	*place = (struct place){start, true};
	return false;
}

static enum tl_status has_name(const struct tl_entry *entry, const char *wanted, bool *equal_ret,
			       struct tl_error *error)
{
	struct tl_attribute name;

	TL_TRY(tl_entry_inherited(entry, DW_AT_name, &name, error));
	*equal_ret = name.kind == TL_CLASS_STRING && strcmp(name.text, wanted) == 0;
	return TL_OK;
}

/* A variable or function at the top of a unit; an enumerator of an enumeration there. */
static enum tl_status take_name(struct program *program, const struct tl_entry *entry, const char *name,
				struct tl_value *value_ret, bool *found_ret, struct tl_error *error)
{
	struct tl_attribute location;
	const struct tl_type *type;
	struct place place = {0};
	bool equal = false;

	if (entry->tag == DW_TAG_enumeration_type) {
		const struct tl_member *members;
		tl_size count;

		TL_TRY(tl_type_at(program->types, entry, &type, error));
		TL_TRY(tl_type_members(type, &members, &count, error));
		for (tl_size i = 0; i < count && !*found_ret; i++) {
			*found_ret = members[i].name != NULL && strcmp(members[i].name, name) == 0;
			if (*found_ret)
				return tl_value_make_integer(&program->environment.values, type, members[i].value,
							     value_ret, error);
		}
		return TL_OK;
	}
	if (entry->tag != DW_TAG_variable && entry->tag != DW_TAG_subprogram)
		return TL_OK;
	TL_TRY(has_name(entry, name, &equal, error));
	if (!equal)
		return TL_OK;
	if (entry->tag == DW_TAG_subprogram) {
		TL_TRY(tl_entry_ranges(entry, take_start, &place, error));
		TL_TRY(tl_type_at(program->types, entry, &type, error));
	} else {
		TL_TRY(tl_entry_attribute(entry, DW_AT_location, &location, error));
		if (location.kind != TL_CLASS_NONE)
			TL_TRY(tl_entry_locations(&location, take_address, &place, error));
		TL_TRY(tl_type_of(program->types, entry, &type, error));
	}
	*found_ret = place.found;
	return place.found ? tl_value_at(&program->environment.values, type, place.address, value_ret, error) : TL_OK;
}

static enum tl_status find_name(void *context, const char *file, const char *name, struct tl_value *value_ret,
				bool *found_ret, struct tl_error *error)
{
	struct program *program = context;

	(void)file;
	for (tl_size i = 0; i < tl_dwarf_unit_count(program->dwarf) && !*found_ret; i++) {
		struct tl_entry entry;

		TL_TRY(tl_entry_top(tl_dwarf_unit(program->dwarf, i), &entry, error));
		TL_TRY(tl_entry_child(&entry, &entry, error));
		while (entry.tag != 0 && !*found_ret) {
			TL_TRY(take_name(program, &entry, name, value_ret, found_ret, error));
			TL_TRY(tl_entry_sibling(&entry, &entry, error));
		}
	}
	return TL_OK;
}

static enum tl_status find_type(void *context, const char *name, enum tl_type_tag tag, const struct tl_type **type_ret,
				struct tl_error *error)
{
	static const tl_u16 tags[] = {DW_TAG_typedef, DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_enumeration_type,
				      DW_TAG_class_type};
	struct program *program = context;

	for (tl_size i = 0; i < tl_dwarf_unit_count(program->dwarf); i++) {
		struct tl_entry entry;

		TL_TRY(tl_entry_top(tl_dwarf_unit(program->dwarf, i), &entry, error));
		TL_TRY(tl_entry_child(&entry, &entry, error));
		for (bool equal = false; entry.tag != 0; equal = false) {
			if (entry.tag == tags[tag] || (tag == TL_TAG_NONE && entry.tag == DW_TAG_base_type))
				TL_TRY(has_name(&entry, name, &equal, error));
			if (equal)
				return tl_type_at(program->types, &entry, type_ret, error);
			TL_TRY(tl_entry_sibling(&entry, &entry, error));
		}
	}
	return TL_OK;
}

static bool is_type(void *context, const char *name, tl_size size)
{
	char copy[256];
	const struct tl_type *type = NULL;

	if (size >= sizeof(copy))
		return false;
	memcpy(copy, name, size);
	copy[size] = '\0';
	return find_type(context, copy, TL_TAG_NONE, &type, NULL) == TL_OK && type != NULL;
}

static bool symbol(void *context, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	struct program *program = context;
	struct tl_elf_name found;

	if (tl_elf_symbols_at(program->symbols, address, &found, NULL) != TL_OK)
		return false;
	snprintf(name_ret, size, "%s", found.name);
	*offset_ret = address - found.address;
	return true;
}

/* ---- Printing ---- */

static enum tl_status print_line(struct program *program, const char *line, struct tl_output *output,
				 struct tl_error *error)
{
	struct tl_print_options options = {.pretty = program->pretty, .symbol = symbol, .context = program};
	struct tl_names names = {.is_type = is_type, .context = program};
	struct tl_expression *expression;
	struct tl_value value;
	enum tl_status status;

	if (line[0] == '/') {
		options.format = line[1];
		line += 3;
	}
	TL_TRY(tl_expression_read(&expression, line, strlen(line), &names, error));
	status = tl_evaluate(&program->environment, expression, &value, error);
	if (status == TL_OK)
		status = tl_print_value(&program->environment.values, &options, &value, output, error);
	tl_expression_free(expression);
	return status;
}

/* ---- Bytecode ---- */

/* Everything that has a name here stands in memory, or is a constant. */
static enum tl_status find_place(void *context, const char *file, const char *name, struct tl_code_place *place_ret,
				 bool *found_ret, struct tl_error *error)
{
	struct program *program = context;
	struct tl_value value;
	tl_i128 number;

	TL_TRY(find_name(context, file, name, &value, found_ret, error));
	if (!*found_ret)
		return TL_OK;
	*place_ret = (struct tl_code_place){TL_CODE_MEMORY, value.type, value.address, 0};
	if (value.place == TL_VALUE_IN_MEMORY)
		return TL_OK;
	TL_TRY(tl_value_integer(&program->environment.values, &value, &number, error));
	place_ret->kind = TL_CODE_CONSTANT;
	place_ret->number = (tl_u64)number;
	return TL_OK;
}

static enum tl_status read_for_code(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return read_memory(context, address, buffer, size, NULL);
}

/* "same" where the code that an expression is compiled to comes to what it is worth; else what there is to say. */
static enum tl_status run_line(struct program *program, const char *line, struct tl_output *output,
			       struct tl_error *error)
{
	struct tl_code_environment code_environment = {
		.environment = &program->environment, .find_place = find_place, .context = program};
	struct tl_agent_environment environment = {.read_memory = read_for_code, .context = program, .address_size = 8};
	struct tl_names names = {.is_type = is_type, .context = program};
	tl_u8 bytes[TL_AGENT_CODE_MAX];
	struct tl_agent_code code = {.bytes = bytes};
	struct tl_expression *expression;
	struct tl_value value;
	tl_i128 number;
	tl_u64 result;
	tl_size size;
	enum tl_status status;

	TL_TRY(tl_expression_read(&expression, line, strlen(line), &names, error));
	status = tl_compile(&code_environment, expression, bytes, sizeof(bytes), &size, error);
	if (status == TL_OK)
		status = tl_evaluate(&program->environment, expression, &value, error);
	if (status == TL_OK)
		status = tl_value_integer(&program->environment.values, &value, &number, error);
	tl_expression_free(expression);
	TL_TRY(status);
	code.size = (tl_u16)size;
	status = tl_agent_verify(&code, NULL);
	if (status == TL_OK)
		status = tl_agent_run(&code, &environment, &result, NULL);
	if (status != TL_OK)
		tl_output_format(output, "differs: %s", tl_status_text(status));
	else if (result != (tl_u64)number)
		tl_output_format(output, "differs: %lld rather than %lld", (long long)result, (long long)number);
	else
		tl_output_text(output, "same");
	return TL_OK;
}

static enum tl_status open_program(struct program *program, const char *path, struct tl_error *error)
{
	TL_TRY(tl_image_open(&program->image, path, NULL, error));
	TL_TRY(tl_dwarf_open(&program->dwarf, program->image, error));
	TL_TRY(tl_tree_open(&program->tree, program->dwarf, error));
	TL_TRY(tl_types_open(&program->types, program->dwarf, program->tree, error));
	TL_TRY(tl_elf_symbols_open(&program->symbols, program->image, error));
	program->file = fopen(path, "rb");
	if (program->file == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "cannot open %s", path);
	program->environment = (struct tl_environment){
		.values = {.arena = &program->arena,
			   .types = program->types,
			   .address_size = 8,
			   .read = read_memory,
			   .context = program},
		.find_name = find_name,
		.find_type = find_type,
		.context = program,
	};
	return TL_OK;
}

static void close_program(struct program *program)
{
	if (program->file != NULL)
		fclose(program->file);
	tl_elf_symbols_close(program->symbols);
	tl_types_close(program->types);
	tl_tree_close(program->tree);
	tl_dwarf_close(program->dwarf);
	tl_image_close(program->image);
}

int main(int count, char **arguments)
{
	struct program program = {0};
	struct tl_error error;
	char line[1024];
	bool as_code = count > 2 && strcmp(arguments[2], "code") == 0;

	if (count < 2 || open_program(&program, arguments[1], &error) != TL_OK) {
		fprintf(stderr, "print-values: %s\n", count < 2 ? "name one program" : error.text);
		return 1;
	}
	program.pretty = count > 2 && strcmp(arguments[2], "pretty") == 0;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct tl_output output = tl_output_make(1 << 20);

		line[strcspn(line, "\n")] = '\0';
		if ((as_code ? run_line : print_line)(&program, line, &output, &error) == TL_OK)
			printf("%s\n--\n", tl_output_string(&output));
		else
			printf("error: %s\n--\n", error.text);
		tl_output_release(&output);
		tl_arena_clear(&program.arena);
	}
	close_program(&program);
	return 0;
}

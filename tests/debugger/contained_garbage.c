/*
 * Values of the C++ library's types in variables that were never made: whatever stands in memory, printing them comes
 * to an end, soon, and says something.
 *
 *     contained-garbage ROUNDS PROGRAM…    of each global variable's type ROUNDS values are printed
 *
 * Memory is made up, the same for the same round: zeros, small numbers, addresses that are close by, of anywhere, and
 * such that lead nowhere. So lists run in circles, trees into each other, and lengths beyond all memory.
 */
#include "debugger/values/print.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEMORY_SIZE ((tl_u64)1 << 20)
#define SLOWEST 5.0 /* seconds; a tenth is promised, on a machine that does nothing else */

struct program {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
	struct tl_arena arena;
	struct tl_value_context values;
	tl_u64 round;
	unsigned long printed, complaints, failed;
};

static struct tl_error error;

static tl_u64 mix(tl_u64 number)
{
	number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
	number = (number ^ number >> 27) * 0x94d049bb133111eb;
	return number ^ number >> 31;
}

/* The word that stands at a multiple of eight. */
static tl_u64 word_at(tl_u64 round, tl_u64 address)
{
	const tl_u64 chance = mix(round * 0x9e3779b97f4a7c15 + address), more = mix(chance);

	switch (chance % 8) {
	case 0:
		return 0;
	case 1:
		return more % 20;
	case 2:
	case 3:
		return address + more % 128 / 8 * 8;
	case 4:
		return address - more % 64 / 8 * 8;
	case 5:
		return more % MEMORY_SIZE / 32 * 32;
	case 6:
		return (more % 3 == 0 ? ~(tl_u64)0 : more % 0x10000000000) & (more % 5 == 0 ? ~(tl_u64)0 : ~(tl_u64)7);
	default:
		return more;
	}
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *why)
{
	const struct program *program = context;
	tl_u8 *bytes = buffer;

	if (address >= MEMORY_SIZE || size > MEMORY_SIZE - address)
		return TL_FAIL(why, TL_ERROR_MEMORY, "Cannot access memory at address 0x%llx",
			       (unsigned long long)address);
	for (tl_u64 i = 0; i < size; i++)
		bytes[i] = (tl_u8)(word_at(program->round, (address + i) / 8 * 8) >> (address + i) % 8 * 8);
	return TL_OK;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print(struct program *program, const struct tl_type *type, const char *name)
{
	const struct tl_print_options options = {.pretty = program->round % 2 == 0,
						 .elements = program->round % 8 == 7 ? TL_U32_MAX : 0,
						 .patience = program->round % 8 == 7 ? 0 : 10};
	const tl_u64 address = mix(program->round) % (MEMORY_SIZE / 2) / 64 * 64;
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	const double begin = seconds();
	struct tl_value value;
	enum tl_status status;
	bool good;

	error = (struct tl_error){0};
	status = tl_value_at(&program->values, type, address, &value, &error);
	if (status == TL_OK)
		status = tl_print_value(&program->values, &options, &value, &output, &error);
	good = (status == TL_OK ? output.size != 0 : error.text[0] != '\0') && seconds() - begin < SLOWEST;
	if (!good)
		printf("%s, round %llu: %.1f seconds, %s\n", name, (unsigned long long)program->round,
		       seconds() - begin, status != TL_OK ? error.text : tl_output_string(&output));
	program->printed++;
	program->complaints += strstr(tl_output_string(&output), "<invalid: ") != NULL;
	program->failed += !good;
	tl_output_release(&output);
	tl_arena_clear(&program->arena);
}

static enum tl_status print_variable(struct program *program, const struct tl_entry *entry, tl_u64 rounds)
{
	struct tl_attribute name;
	const struct tl_type *type;

	if (entry->tag != DW_TAG_variable)
		return TL_OK;
	TL_TRY(tl_entry_inherited(entry, DW_AT_name, &name, &error));
	TL_TRY(tl_type_of(program->types, entry, &type, &error));
	for (program->round = 0; program->round < rounds; program->round++)
		print(program, type, name.kind == TL_CLASS_STRING ? name.text : "?");
	return TL_OK;
}

static enum tl_status print_all(struct program *program, const char *path, tl_u64 rounds)
{
	TL_TRY(tl_image_open(&program->image, path, NULL, &error));
	TL_TRY(tl_dwarf_open(&program->dwarf, program->image, &error));
	TL_TRY(tl_tree_open(&program->tree, program->dwarf, &error));
	TL_TRY(tl_types_open(&program->types, program->dwarf, program->tree, &error));
	program->values = (struct tl_value_context){
		.arena = &program->arena,
		.types = program->types,
		.address_size = 8,
		.is_cplus = true,
		.read = read_memory,
		.context = program,
	};
	for (tl_size i = 0; i < tl_dwarf_unit_count(program->dwarf); i++) {
		struct tl_entry entry;

		TL_TRY(tl_entry_top(tl_dwarf_unit(program->dwarf, i), &entry, &error));
		TL_TRY(tl_entry_child(&entry, &entry, &error));
		while (entry.tag != 0) {
			TL_TRY(print_variable(program, &entry, rounds));
			TL_TRY(tl_entry_sibling(&entry, &entry, &error));
		}
	}
	return TL_OK;
}

int main(int count, char **arguments)
{
	unsigned long failed = 0;

	for (int i = 2; i < count; i++) {
		struct program program = {0};

		if (print_all(&program, arguments[i], strtoull(arguments[1], NULL, 10)) != TL_OK) {
			printf("%s: %s\n", arguments[i], error.text);
			failed++;
		}
		printf("%s: %lu values, %lu of them invalid, %lu failed\n", arguments[i], program.printed,
		       program.complaints, program.failed);
		failed += program.failed + (program.complaints == 0);
		tl_types_close(program.types);
		tl_tree_close(program.tree);
		tl_dwarf_close(program.dwarf);
		tl_image_close(program.image);
	}
	return failed != 0 || count < 3;
}

/*
 * Says what symbols/ makes of the variables of a stopped process, for a script that compares it with what gdb says:
 *
 *     values FILE PID BIAS REGISTER=VALUE…
 *
 * The process belongs to somebody else, gdb, who keeps it stopped and knows its registers; its memory is read from
 * /proc. For each frame in FILE, innermost first, a line "frame LOOKUP", and for each variable a line "NAME RESULT",
 * where RESULT is a number, "at ADDRESS" for what is no number, "implicit" for a pointer without a value whose target
 * is known, "optimised", or "lost" and why.
 */
#include "tests/symbols/variable_text.h"

#include "symbols/elf_symbols.h"
#include "symbols/unwind.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEVELS_MAX 12

struct level {
	struct tl_frame frame;
	struct tl_frame_view view;
	struct tl_variable_frame variables;
	struct tl_scope_chain chain;
};

static struct tl_image *image;
static struct tl_dwarf *dwarf;
static struct tl_tree *tree;
static struct tl_types *types;
static struct tl_scopes *scopes;
static struct tl_call_frames *frames;
static struct tl_elf_symbols *symbols;
static struct tl_error error;
static struct tl_unwinder unwinder;
static struct level levels[LEVELS_MAX];
static unsigned level_count;
static tl_u64 bias;
static int memory = -1;

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	return pread(memory, buffer, size, (off_t)address) == (ssize_t)size ? TL_OK : TL_ERROR_MEMORY;
}

static void code_at(void *context, tl_u64 address, struct tl_unwind_code *code_ret)
{
	tl_u64 lowest, size;

	(void)context;
	tl_image_extent(image, &lowest, &size);
	if (address - bias - lowest >= size)
		return;
	code_ret->executable = true;
	code_ret->frames = frames;
	code_ret->bias = bias;
}

static enum tl_status caller(void *context, struct tl_variable_frame *caller_ret, struct tl_error *why)
{
	const struct level *level = context;

	if (level + 1 >= levels + level_count)
		return TL_FAIL(why, TL_ERROR_REGISTER, "there is no caller here");
	*caller_ret = level[1].variables;
	return TL_OK;
}

static enum tl_status stale_register(void *context, tl_u64 number, void *buffer, tl_size size, struct tl_error *why)
{
	const struct tl_frame_view *view = context;

	return tl_frame_register(view->unwinder, view->frame, number, true, buffer, size, why);
}

static bool take_symbol(void *context, const struct tl_elf_name *symbol)
{
	*(tl_u64 *)context = symbol->address;
	return false;
}

static enum tl_status symbol(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
			     struct tl_error *why)
{
	tl_u64 address = 0;

	(void)context;
	TL_TRY(tl_elf_symbols_find(symbols, name, take_symbol, &address, why));
	*found_ret = address != 0;
	*address_ret = address + bias;
	return TL_OK;
}

/* One frame; false at the last one that is in the program itself. */
static bool make_level(struct level *level)
{
	level->view = (struct tl_frame_view){&unwinder, &level->frame};
	tl_frame_expressions(&level->view, bias, &level->variables.machine);
	level->variables.types = types;
	level->variables.scopes = scopes;
	level->variables.address = level->frame.lookup - bias;
	level->variables.program_counter = level->frame.program_counter - bias;
	level->variables.stale_register = stale_register;
	level->variables.caller = caller;
	level->variables.symbol = symbol;
	level->variables.context = level;
	if (tl_scopes_at(scopes, level->variables.address, &level->chain, &error) != TL_OK || level->chain.count == 0)
		return false;
	level->variables.function = level->chain.scopes[level->chain.count - 1].entry;
	return true;
}

static void unwind(void)
{
	if (tl_unwind_first(&unwinder, &levels[0].frame, &error) != TL_OK)
		return;
	while (level_count < LEVELS_MAX && make_level(&levels[level_count])) {
		level_count++;
		if (level_count == LEVELS_MAX ||
		    tl_unwind_next(&unwinder, &levels[level_count - 1].frame, &levels[level_count].frame, &error) !=
			    TL_UNWIND_GOES_ON)
			break;
	}
}

static void print_levels(void)
{
	for (unsigned i = 0; i < level_count; i++) {
		printf("frame 0x%llx\n", (unsigned long long)levels[i].frame.lookup);
		for (tl_size j = 0; j < levels[i].chain.count; j++)
			if (tl_scope_variables(&levels[i].chain.scopes[j], print_variable, &levels[i].variables,
					       &error) != TL_OK)
				printf("? lost %s\n", error.text);
	}
}

static bool open_all(const char *path, const char *process)
{
	char name[64];

	snprintf(name, sizeof(name), "/proc/%s/mem", process);
	memory = open(name, O_RDONLY | O_CLOEXEC);
	return memory >= 0 && tl_image_open(&image, path, NULL, &error) == TL_OK &&
	       tl_dwarf_open(&dwarf, image, &error) == TL_OK && tl_tree_open(&tree, dwarf, &error) == TL_OK &&
	       tl_types_open(&types, dwarf, tree, &error) == TL_OK && tl_scopes_open(&scopes, dwarf, &error) == TL_OK &&
	       tl_call_frames_open(&frames, image, &error) == TL_OK &&
	       tl_elf_symbols_open(&symbols, image, &error) == TL_OK;
}

static void close_all(void)
{
	for (unsigned i = 0; i < LEVELS_MAX; i++)
		tl_scope_chain_release(&levels[i].chain);
	tl_elf_symbols_close(symbols);
	tl_call_frames_close(frames);
	tl_scopes_close(scopes);
	tl_types_close(types);
	tl_tree_close(tree);
	tl_dwarf_close(dwarf);
	tl_image_close(image);
	close(memory);
}

int main(int count, char **arguments)
{
	const struct tl_cpu *cpu = &tl_cpu_x86_64;
	tl_u8 *file = calloc(1, cpu->file_size);

	if (count < 4 || file == NULL) {
		fprintf(stderr, "usage: values FILE PID BIAS REGISTER=VALUE…\n");
		free(file);
		return 2;
	}
	bias = strtoull(arguments[3], NULL, 16);
	for (int i = 4; i < count; i++) {
		char *value = strchr(arguments[i], '=');
		tl_u16 index;

		if (value == NULL) {
			free(file);
			return 2;
		}
		*value++ = 0;
		if (tl_cpu_find(cpu, arguments[i], &index) == TL_OK)
			tl_cpu_set(cpu, file, index, strtoull(value, NULL, 16));
	}
	unwinder = (struct tl_unwinder){.cpu = cpu, .file = file, .memory = {.read = read_memory}, .code_at = code_at};
	if (!open_all(arguments[1], arguments[2])) {
		fprintf(stderr, "values: %s\n", error.text);
		return 1;
	}
	unwind();
	print_levels();
	close_all();
	free(file);
	return 0;
}

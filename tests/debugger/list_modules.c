/*
 * Prints the libraries of a process that left a core dump: `list_modules CORE PROGRAM` prints a line "START END PATH",
 * the bounds being those of .text, for each but the program and the vDSO. Nothing is taken from files but by modules.
 */
#include "debugger/modules/modules.h"
#include "targets/corefile/corefile.h"

#include <stdio.h>
#include <string.h>

static struct tl_target *target;
static struct tl_corefile_facts facts;
static struct tl_error error;

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	(void)context;
	return target->ops->read_memory(target, facts.process, address, buffer, size, &done) == TL_OK && done == size
		       ? TL_OK
		       : TL_ERROR_MEMORY;
}

static enum tl_status list(struct tl_modules *modules, const char *program)
{
	struct tl_memory_access memory = {.read = read_memory};
	struct tl_thread_id thread = {facts.process, facts.process};
	tl_u8 vector[4096];
	tl_size size = 0;
	bool changed;

	tl_modules_set_memory(modules, &memory);
	TL_TRY(target->ops->read_object(target, thread, TL_OBJECT_AUXV, 0, vector, sizeof(vector), &size));
	TL_TRY(tl_modules_update(modules, program, vector, size, &changed, &error));
	if (tl_modules_remark(modules) != NULL)
		printf("%s\n", tl_modules_remark(modules));
	for (tl_size i = 1; tl_modules_get(modules, i) != NULL; i++) {
		const struct tl_module *module = tl_modules_get(modules, i);
		tl_u64 start, end;

		tl_module_text(module, &start, &end);
		if (module->link_map != 0)
			printf("0x%llx 0x%llx %s\n", (unsigned long long)start, (unsigned long long)end,
			       module->binary->path);
	}
	return TL_OK;
}

int main(int count, char **arguments)
{
	const struct tl_corefile_options core = {.core_only = true};
	const struct tl_binaries_options options = {.no_cache = true};
	struct tl_loop *loop = NULL;
	struct tl_binaries *binaries = NULL;
	struct tl_modules *modules = NULL;
	bool good;

	if (count != 3)
		return 2;
	good = tl_corefile_open(arguments[1], &core, &target, &error) == TL_OK &&
	       tl_loop_create(&loop, &error) == TL_OK && tl_binaries_open(&binaries, loop, &options, &error) == TL_OK &&
	       tl_modules_open(&modules, binaries, &error) == TL_OK;
	if (good) {
		tl_corefile_facts(target, &facts);
		good = list(modules, arguments[2]) == TL_OK;
	}
	if (!good)
		fprintf(stderr, "list_modules: %s\n", error.text);
	tl_modules_close(modules);
	tl_binaries_close(binaries);
	tl_loop_destroy(loop);
	tl_corefile_close(target);
	return !good;
}

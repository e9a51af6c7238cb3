/*
 * Prints where a breakpoint at each function of a program belongs, for a script that compares it with what gdb says:
 * `prologues PROGRAM` prints a line "NAME ADDRESS BEHIND" for each function whose name is the only one of its kind.
 */
#include "debugger/modules/modules.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static bool count(void *context, const struct tl_elf_name *symbol)
{
	(void)symbol;
	++*(unsigned *)context;
	return true;
}

static void print(const struct tl_modules *modules, struct tl_elf_symbols *symbols)
{
	for (tl_size i = 0; i < tl_elf_symbols_count(symbols); i++) {
		struct tl_elf_name symbol = tl_elf_symbols_get(symbols, i);
		unsigned same = 0;

		if (symbol.type != STT_FUNC || symbol.origin == TL_ELF_PLT || strchr(symbol.name, '@') != NULL ||
		    strchr(symbol.name, '.') != NULL ||
		    tl_elf_symbols_find(symbols, symbol.name, count, &same, NULL) != TL_OK || same != 1)
			continue;
		printf("%s 0x%llx 0x%llx\n", symbol.name, (unsigned long long)symbol.address,
		       (unsigned long long)tl_modules_behind_prologue(modules, symbol.address));
	}
}

int main(int arguments, char **argument)
{
	const struct tl_binaries_options options = {.no_cache = true};
	struct tl_loop *loop = NULL;
	struct tl_binaries *binaries = NULL;
	struct tl_modules *modules = NULL;
	struct tl_error error;
	bool good;

	good = arguments == 2 && tl_loop_create(&loop, &error) == TL_OK &&
	       tl_binaries_open(&binaries, loop, &options, &error) == TL_OK &&
	       tl_modules_open(&modules, binaries, &error) == TL_OK &&
	       tl_modules_set_program(modules, argument[1], &error) == TL_OK;
	if (good)
		print(modules, tl_modules_get(modules, 0)->binary->symbols);
	else
		fprintf(stderr, "prologues: %s\n", arguments == 2 ? error.text : "prologues PROGRAM");
	tl_modules_close(modules);
	tl_binaries_close(binaries);
	tl_loop_destroy(loop);
	return !good;
}

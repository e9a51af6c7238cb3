/*
 * What a list of modules is made of: for modules.c and modules_ask.c only.
 */
#ifndef TL_DEBUGGER_MODULES_INTERNAL_H
#define TL_DEBUGGER_MODULES_INTERNAL_H

#include "debugger/modules.h"

#define CODE_RANGES_MAX 4

struct code_range {
	tl_u64 start, end; /* as linked */
};

struct module {
	struct tl_module open; /* what others see; first, so that one is the other */
	bool fresh;            /* made by the update that is under way */
	bool kept;             /* in the list that comes out of it */
	unsigned code_count;
	struct code_range code[CODE_RANGES_MAX];
};

struct table {
	struct module **items;
	tl_size count, capacity;
};

struct tl_modules {
	struct tl_binaries *binaries;
	bool has_memory;
	struct tl_memory_access memory;
	struct table list;   /* the program first, then in the order of loading; owns the modules */
	struct table sorted; /* the same by address */
	tl_u64 watch;
	tl_u64 generation;
	char remark[640];
};

/* True where a module has code: the instruction at an address may be run. */
bool tl_modules_is_code(const struct tl_modules *modules, tl_u64 address);

#endif

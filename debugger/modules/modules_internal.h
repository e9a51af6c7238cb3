/*
 * What a list of modules is made of: for modules.c, modules_ask.c and modules_prologue.c only.
 */
#ifndef TL_DEBUGGER_MODULES_INTERNAL_H
#define TL_DEBUGGER_MODULES_INTERNAL_H

#include "debugger/modules/modules.h"

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

/* A file that a person named, and where it is: part of every list. */
struct added_file {
	struct tl_binary *binary;
	tl_u64 bias;
};

/* Units that were asked last whether variables of theirs have lists of locations. */
struct unit_lists {
	struct {
		const struct tl_unit *unit;
		bool some;
	} units[64];
	unsigned next; /* to be overwritten */
};

struct tl_modules {
	struct tl_binaries *binaries;
	bool has_memory;
	struct tl_memory_access memory;
	struct table list;        /* the program first, then in the order of loading; owns the modules */
	struct table sorted;      /* the same by address */
	struct unit_lists *lists; /* beside, as asking does not change the list of modules */
	struct added_file *added;
	tl_size added_count, added_capacity;
	tl_u64 offset; /* of the program, where nothing tells how far it was moved */
	tl_u64 watch;
	tl_u64 generation;
	char remark[640];
};

/* The unit and the line table for an address as linked. False when there are none. */
bool tl_modules_find_table(const struct tl_binary *binary, tl_u64 address, const struct tl_unit **unit_ret,
			   const struct tl_line_table **table_ret);

/*
 * Bytes that the file fills at an address of one of its segments, as many of them as there are in one piece: zeros
 * behind what stands in the file. With `constant`, only where the program cannot have changed them. Returns how many.
 */
tl_u64 tl_module_read_file(const struct tl_module *module, tl_u64 address, void *buffer, tl_u64 size, bool constant);

/* True where a module has code: the instruction at an address may be run. */
bool tl_modules_is_code(const struct tl_modules *modules, tl_u64 address);

#endif

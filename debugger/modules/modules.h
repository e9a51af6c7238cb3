/*
 * Modules: which binaries a process has in its memory, and where; and what is at an address, or called by a name, over
 * all of them.
 *
 * Addresses are those of the process, with load bias, everywhere in debugger/; each module says by how much they
 * differ from those in its file. Control thread only.
 */
#ifndef TL_DEBUGGER_MODULES_H
#define TL_DEBUGGER_MODULES_H

#include "debugger/modules/binary.h"
#include "symbols/unwind.h"

struct tl_modules;

struct tl_module {
	struct tl_binary *binary;
	tl_u64 bias;       /* address in the process minus address as linked */
	tl_u64 start, end; /* what it covers in the process */
	bool program;      /* the program itself, not a library */
	tl_u64 link_map;   /* where the dynamic linker describes it; 0 for the program before that, and the vDSO */
};

/*
 * An empty list of modules, the caller's until tl_modules_close. Binaries is borrowed and must outlive it. Error: out
 * of memory. Control thread.
 */
TL_CHECKED enum tl_status tl_modules_open(struct tl_modules **modules_ret, struct tl_binaries *binaries,
					  struct tl_error *error);
/* NULL is fine. */
void tl_modules_close(struct tl_modules *modules);

/* How to read the process that they are in; copied. NULL: there is none (any more). */
void tl_modules_set_memory(struct tl_modules *modules, const struct tl_memory_access *memory);

/*
 * The program alone, as linked (bias 0), as before it runs: names and lines can be asked, and what memory its file
 * fills is read from the file. Replaces what was there. Its index is begun, here and by tl_modules_update.
 */
TL_CHECKED enum tl_status tl_modules_set_program(struct tl_modules *modules, const char *path, struct tl_error *error);

/*
 * Brings the list up to date from a stopped process: the program's place from its auxiliary vector (`auxv`, as the
 * kernel has it: AT_PHDR, AT_ENTRY, AT_BASE, AT_SYSINFO_EHDR), the libraries from the dynamic linker's list (r_debug:
 * SVR4 ABI, <link.h>), the linker itself and the vDSO before there is a list. `path` is the program's file. What is not
 * there any more goes. *changed_ret says whether anything did. A module that cannot be opened is left out and remarked
 * upon (tl_modules_remark).
 */
TL_CHECKED enum tl_status tl_modules_update(struct tl_modules *modules, const char *path, const void *auxv,
					    tl_size auxv_size, bool *changed_ret, struct tl_error *error);

/*
 * How far the program was moved, for where nothing tells: no auxiliary vector, as of a kernel, or no process. Counts
 * from the next tl_modules_set_program or tl_modules_update on.
 */
void tl_modules_set_offset(struct tl_modules *modules, tl_u64 offset);

/*
 * Adds a file at a place that a person named, beside what is found by itself (add-symbol-file): `bias` as in struct
 * tl_module. It stays through updates, until tl_modules_remove_file. Its index is begun. Errors as tl_binaries_get's.
 */
TL_CHECKED enum tl_status tl_modules_add_file(struct tl_modules *modules, const char *path, tl_u64 bias,
					      struct tl_error *error);
/* Takes the file off that was added at that bias. TL_ERROR_ARGUMENT where none was. */
TL_CHECKED enum tl_status tl_modules_remove_file(struct tl_modules *modules, const char *path, tl_u64 bias,
						 struct tl_error *error);

/*
 * Where the dynamic linker stops for debuggers after it changed its list (r_brk, or _dl_debug_state by name); 0 while
 * that is not known.
 */
tl_u64 tl_modules_watch_address(const struct tl_modules *modules);

/* A sentence on what could not be opened, NULL for none; cleared by the next update. */
const char *tl_modules_remark(const struct tl_modules *modules);

/* The index-th, the program first, then in the order of loading; NULL past the end. Valid until the next update,
 * and beyond that as long as the same file stays at the same place. */
const struct tl_module *tl_modules_get(const struct tl_modules *modules, tl_size index);
/* The one that covers an address; NULL for none. */
const struct tl_module *tl_modules_at(const struct tl_modules *modules, tl_u64 address);
/*
 * The addresses of a module's .text section, which is what lists of libraries show; without one, of all its code.
 */
void tl_module_text(const struct tl_module *module, tl_u64 *start_ret, tl_u64 *end_ret);
/* Counts up whenever the list changes: what was worked out before may be stale. */
tl_u64 tl_modules_generation(const struct tl_modules *modules);

/* ---- What is at an address ---- */

/*
 * The symbol in which an address lies, of its module's ELF symbols: name (not demangled; belongs to the binary), its
 * address and size. False when there is none.
 */
bool tl_modules_symbol(const struct tl_modules *modules, tl_u64 address, struct tl_elf_name *symbol_ret,
		       tl_u64 *address_ret);
/* How many bytes a module's symbol covers: those to the next one of its section, or the section's end, if it does not
 * say. */
tl_u64 tl_module_symbol_size(const struct tl_module *module, const struct tl_elf_name *symbol);
/*
 * Whether an address is shown by that symbol's name behind it: not by one of data that covers none, such as
 * _GLOBAL_OFFSET_TABLE_ (as gdb has it).
 */
bool tl_modules_symbol_names(const struct tl_modules *modules, tl_u64 address, const struct tl_elf_name *symbol);

/* The line table's row for an address, and its table. False without. Bounds of the row's code with bias. */
struct tl_code_line {
	const struct tl_module *module;
	const struct tl_line_table *table;
	const struct tl_line_row *row;
	tl_u64 start, end; /* the code of the row alone */
};
bool tl_modules_line(const struct tl_modules *modules, tl_u64 address, struct tl_code_line *line_ret);

/* What the unwinder asks (struct tl_unwinder's code_at, with the modules as context). */
void tl_modules_code_at(void *modules, tl_u64 address, struct tl_unwind_code *code_ret);

/*
 * Where a breakpoint at the function that begins at `start` belongs: behind its prologue, as gdb places it; `start`
 * where nothing is known.
 */
tl_u64 tl_modules_behind_prologue(const struct tl_modules *modules, tl_u64 start);

/* Memory: through the process if there is one, else from the files of the modules. All bytes or TL_ERROR_MEMORY. */
TL_CHECKED enum tl_status tl_modules_read(const struct tl_modules *modules, tl_u64 address, void *buffer, tl_u64 size,
					  struct tl_error *error);

/* ---- Names; these need indexes, and wait for them through `waiting` (tl_binary_wait) ---- */

struct tl_patience {
	bool (*waiting)(void *context); /* may be NULL */
	void *context;
};

struct tl_named {
	const struct tl_module *module;
	const struct tl_indexed *indexed; /* valid during the call */
};

/*
 * Calls back for what is called `name` (as tl_index_find has it) of the kinds in the mask, in all modules, until `call`
 * returns false. `near`, which may be NULL, is asked first. A module whose index could not be made is passed by.
 */
TL_CHECKED enum tl_status tl_modules_find(const struct tl_modules *modules, const struct tl_module *near,
					  const char *name, unsigned kinds, const struct tl_patience *patience,
					  bool (*call)(void *context, const struct tl_named *named), void *context,
					  struct tl_error *error);

/* The address, with bias, of an ELF symbol of that name: of `near`'s module first. False when none has it. */
bool tl_modules_symbol_address(const struct tl_modules *modules, const struct tl_module *near, const char *name,
			       tl_u64 *address_ret);

#endif

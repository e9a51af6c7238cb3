/*
 * What `disassemble` and `x/i` show: instructions with their addresses, and on request their bytes and the source that
 * they were made from, in gdb's layout (GDB manual, "Machine Code" and "Memory"):
 *
 *     Dump of assembler code for function add:
 *     => 0x0000000000001149 <+0>:	8d 04 37           	lea    (%rdi,%rsi,1),%eax
 *     End of assembler dump.
 *
 * Control thread only.
 */
#ifndef TL_DEBUGGER_CODE_LISTING_H
#define TL_DEBUGGER_CODE_LISTING_H

#include "debugger/code/disassemble.h"
#include "debugger/code/source.h"
#include "debugger/modules/places.h"

enum tl_code_source {
	TL_CODE_ONLY,
	TL_CODE_MIXED,  /* /s: source among the instructions, in their order */
	TL_CODE_BY_LINE /* /m: instructions among the lines, in the order of the lines; only of the function's own file
			 */
};

struct tl_code_listing {
	struct tl_disassembler *disassembler;
	const struct tl_code_view *view;
	struct tl_places *places;   /* for source; NULL: as if there were none */
	struct tl_sources *sources; /* for its text; NULL: as if no file could be found */
	enum tl_code_source source;
	bool bytes;       /* /r: the instruction's bytes in the order of memory, or the word that it is */
	bool narrow;      /* addresses have 32 bits */
	bool has_current; /* there is a selected frame: */
	tl_u64 current;   /* the instruction at which it stands has an arrow */
};

/*
 * The instructions that begin in [start, end), all of them or as many as can be read: on an error, what stands before
 * it has been written. TL_ERROR_MEMORY; TL_ERROR_CANCELLED when `waiting`, which may be NULL and is asked now and then,
 * says so.
 */
TL_CHECKED enum tl_status tl_code_list_range(const struct tl_code_listing *listing, tl_u64 start, tl_u64 end,
					     const struct tl_patience *patience, struct tl_output *output,
					     struct tl_error *error);

/*
 * The symbol in which an address lies, as a view wants it: the function by debug information, else the linker's symbol,
 * not demangled, as gdb has it in code. `places` (struct tl_places) is the context. Data of which nothing says how
 * large it is names nothing.
 */
bool tl_code_symbol(void *places, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret);

/* The code of a function; its ranges and its name belong to it. */
struct tl_code_function {
	char *name; /* as the linker has it; without such a name as debug information has it */
	tl_u64 entry;
	tl_u64 (*ranges)[2]; /* that with the entry first, as debug information has them */
	tl_size range_count, range_room;
};

/*
 * The function whose code an address is: by debug information (the one that others were inlined into, not those), or by
 * symbols. The caller releases it. TL_ERROR_NO_SYMBOL, in gdb's words, when there is none.
 */
TL_CHECKED enum tl_status tl_code_function_find(struct tl_places *places, tl_u64 address,
						struct tl_code_function *function_ret, struct tl_error *error);
void tl_code_function_release(struct tl_code_function *function);

/* All of a function, whose code may lie in several pieces. Addresses are shown by their distance from its entry. */
TL_CHECKED enum tl_status tl_code_list_function(const struct tl_code_listing *listing,
						const struct tl_code_function *function,
						const struct tl_patience *patience, struct tl_output *output,
						struct tl_error *error);

/*
 * One instruction, as `x/i` and `display/i` show it: "=> 0x1149 <add>:\tlea …", and the end of the line. *size_ret is
 * how long it is. Nothing is written on an error.
 */
TL_CHECKED enum tl_status tl_code_list_one(const struct tl_code_listing *listing, tl_u64 address,
					   struct tl_output *output, tl_u8 *size_ret, struct tl_error *error);

#endif

/*
 * What names, registers and types mean at a place: in a frame of a stopped thread, or in a program that does not run.
 * It fills in what debugger/expressions/evaluate.h and debugger/expressions/compile.h ask for.
 *
 * Names are looked for as in C and C++: blocks from the innermost outwards, members of `this`, the enclosing scopes,
 * statics of the file, globals of the module and then of all; last the ELF symbols, whose type is not known. Control
 * thread only.
 */
#ifndef TL_DEBUGGER_ENVIRONMENT_H
#define TL_DEBUGGER_ENVIRONMENT_H

#include "debugger/expressions/compile.h"
#include "debugger/expressions/evaluate.h"
#include "debugger/stack/stack.h"
#include "debugger/values/print.h"
#include "debugger/values/variables.h"

/* Everything belongs to the caller and outlives the environment. */
/* By whose rules expressions are read: those of the frame's or program's language, or of another (`set language`). */
enum tl_language_choice { TL_LANGUAGE_AUTO, TL_LANGUAGE_C, TL_LANGUAGE_CPLUS };

struct tl_surroundings {
	struct tl_engine *engine; /* NULL: nothing runs */
	struct tl_modules *modules;
	struct tl_stack *stack; /* of the selected thread; NULL: none, globals only */
	tl_u32 level;           /* the selected frame */
	tl_u64 address;         /* without a stack: names are looked for as at this address (a breakpoint's); 0: none */
	struct tl_variables *variables;
	/* A home for the types of registers, and of numbers where there is no program (tl_types_open without DWARF): it
	 * outlives every value, those of the history too. */
	struct tl_types *types;
	struct tl_arena *arena; /* for values */
	struct tl_patience patience;
	/* Calls a function of the program (struct tl_environment); NULL: calls are errors. */
	enum tl_status (*call)(void *context, const struct tl_value *function, const struct tl_value *arguments,
			       tl_size count, const struct tl_type *result, struct tl_value *value_ret,
			       struct tl_error *error);
	/* After memory or a register of the program was written: what was unwound and read may be stale. May be NULL.
	 */
	void (*changed)(void *context);
	/* Is $name a number that depends on what is selected ($_thread)? NULL: none is. */
	bool (*special)(void *context, const char *name, tl_i64 *number_ret);
	/* The exception that the thread is about to throw or to catch: $_exception. May be NULL. */
	enum tl_status (*exception)(void *context, struct tl_value *value_ret, struct tl_error *error);
	/* Functions of the debugger's own, as struct tl_environment has them. May be NULL. */
	enum tl_status (*internal)(void *context, const char *name, const struct tl_value *arguments, tl_size count,
				   struct tl_value *value_ret, bool *known_ret, struct tl_error *error);
	/* Reads or writes what the kernel tells of the selected thread's signal: $_siginfo. May be NULL. */
	enum tl_status (*siginfo)(void *context, bool write, tl_u64 offset, tl_u8 *bytes, tl_size size,
				  struct tl_error *error);
	void *context; /* of the functions above */
	enum tl_language_choice language;
	tl_u64 value_size_max; /* of one value, in bytes; 0: as values.h has it */
};

struct tl_environment_store; /* what an environment keeps for itself */

/*
 * Fills in an environment; it holds until the thread runs or the surroundings change. The types of plain numbers are
 * those of the frame's module, else of the program, else those of the surroundings.
 *
 * A name that only a symbol table knows is a value of type "<data variable, no debug info>" or "<text variable, no
 * debug info>", as in gdb, which can be cast, called and have its address taken. "x@entry" is what the parameter x was
 * when its function was entered.
 */
TL_CHECKED enum tl_status tl_environment_open(struct tl_environment_store **store_ret,
					      const struct tl_surroundings *surroundings,
					      struct tl_environment *environment_ret,
					      struct tl_code_environment *code_ret, struct tl_error *error);
void tl_environment_close(struct tl_environment_store *store);

/* Options for printing with the symbols of the modules behind addresses filled in; the rest as it was. */
void tl_environment_symbols(struct tl_environment_store *store, struct tl_print_options *options);

/* One variable of a frame, as it is now: a value, or an error that says why there is none. */
struct tl_frame_variable {
	const char *name;
	struct tl_entry entry;
	tl_u64 line;
	tl_u32 depth; /* of its block: 0 for the innermost */
	bool parameter, artificial;
	const struct tl_value *value; /* NULL: see `failure`. Where it was optimised out, its bytes are all absent */
	const char *failure;
	/* Of a parameter, what it was when the function was entered, as far as the caller tells; NULL: not known. A
	 * frame's line shows it as gdb does by default: "x=x@entry=5" if it is unchanged, else "x=6, x@entry=5". */
	const struct tl_value *at_entry;
	bool unchanged;
};

/*
 * Calls back for the parameters, or the local variables, of the selected frame in gdb's order (`info args`, `info
 * locals`: innermost block first), until `call` returns false.
 */
TL_CHECKED enum tl_status tl_environment_variables(struct tl_environment_store *store, bool parameters,
						   bool (*call)(void *context,
								const struct tl_frame_variable *variable),
						   void *context, struct tl_error *error);

/* What debug information describes under a name. */
struct tl_described {
	const struct tl_module *module; /* NULL: nothing is called so */
	struct tl_entry entry;
	bool function, enumerator;
	/* Of a variable of the frame: the function whose frame it is, and an address in it. Else unit NULL. */
	struct tl_entry around;
	tl_u64 address;
};

/* What a name stands for at the selected place: a variable that is seen there first, then what the program has. */
TL_CHECKED enum tl_status tl_environment_describe(struct tl_environment_store *store, const char *name,
						  struct tl_described *described_ret, struct tl_error *error);

/* The names of all registers, parts of registers and roles ("pc"), for lists and completion; NULL past the end. */
const char *tl_environment_register(const struct tl_environment_store *store, tl_size index);

/*
 * What a function of the selected thread that has just returned, or is about to, leaves as its value
 * (debugger/values/abi.h). *known_ret is false for void. `address`: where a result in memory was wanted, on 64-bit Arm,
 * where the function need not say it; 0: not known, and so is the result.
 */
TL_CHECKED enum tl_status tl_environment_returned(struct tl_environment_store *store, const struct tl_type *type,
						  tl_u64 address, struct tl_value *value_ret, bool *known_ret,
						  struct tl_error *error);

#endif

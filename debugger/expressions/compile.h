/*
 * Expressions compiled to the bytecode that a target runs (core/agent/agent.h), so that a condition is decided beside
 * the program, without a stop that anybody sees.
 *
 * Bytecode has 64-bit integers, memory and registers. What needs more (floating point, calls, assignments, 128 bits) is
 * TL_ERROR_UNSUPPORTED, with a sentence that says what: the session then decides the condition itself, after a stop.
 */
#ifndef TL_DEBUGGER_COMPILE_H
#define TL_DEBUGGER_COMPILE_H

#include "core/agent/agent.h"
#include "debugger/expressions/evaluate.h"

/* Where something that has a name is, whenever the code that is asked for runs. */
enum tl_code_place_kind {
	TL_CODE_NOWHERE,  /* its place cannot be said beforehand */
	TL_CODE_CONSTANT, /* it is `number` itself: an enumerator, a constant */
	TL_CODE_MEMORY,   /* at the address `number` */
	TL_CODE_RELATIVE, /* at what register `reg` holds plus `number` */
	TL_CODE_REGISTER  /* in register `reg` */
};

struct tl_code_place {
	enum tl_code_place_kind kind;
	const struct tl_type *type;
	tl_u64 number;
	tl_u16 reg; /* GDB's number of a register of the program's description */
};

/* What a compiler asks for besides types, which it takes from the environment. */
struct tl_code_environment {
	const struct tl_environment *environment;
	/*
	 * Where a variable, function or enumerator is at the place for which code is made; `file` NULL but for
	 * 'file.c'::name. *found_ret false: nothing is called so.
	 */
	enum tl_status (*find_place)(void *context, const char *file, const char *name, struct tl_code_place *place_ret,
				     bool *found_ret, struct tl_error *error);
	/* $name, if that is a register. */
	enum tl_status (*find_register)(void *context, const char *name, struct tl_code_place *place_ret,
					bool *found_ret, struct tl_error *error);
	void *context;
};

/*
 * Compiles an expression into at most `size` bytes of code, *done_ret of them, that leave its value on the stack: a
 * number, extended by the sign of its type. TL_ERROR_UNSUPPORTED as said above, TL_ERROR_TOO_LONG when there is no
 * room.
 */
TL_CHECKED enum tl_status tl_compile(const struct tl_code_environment *environment,
				     const struct tl_expression *expression, tl_u8 *code, tl_size size,
				     tl_size *done_ret, struct tl_error *error);

#endif

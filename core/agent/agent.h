/*
 * GDB's agent expressions: a stack machine for breakpoint conditions and commands, evaluated at the target.
 * GDB manual, appendix "The GDB Agent Expression Mechanism".
 *
 * Bytecode comes from a client and is untrusted. It is verified once, when it arrives: every opcode and operand is
 * known and complete, every format can be printed and fits its arguments, every jump lands on an instruction, the
 * stack's height is the same on each way to an instruction, never below zero nor above the bound, and no way leads past
 * the end. It is interpreted any number of times, with a limit of steps and with memory
 * and registers supplied by the caller. The interpreter touches nothing but its arguments: any thread may run it over
 * the same bytecode at once.
 */
#ifndef TL_CORE_AGENT_AGENT_H
#define TL_CORE_AGENT_AGENT_H

#include "core/cursor.h"
#include "core/status.h"
#include "core/types.h"

/* Bounds that the verifier holds. */
#define TL_AGENT_CODE_MAX 4096
#define TL_AGENT_STACK_MAX 64
/* An evaluation that takes more steps than this is stopped with TL_ERROR_BYTECODE_STEPS. */
#define TL_AGENT_STEPS_DEFAULT 100000
/* The most that one printf writes. */
#define TL_AGENT_TEXT_MAX 512

struct tl_agent_code {
	const tl_u8 *bytes; /* owned by whoever made it; not changed while in use */
	tl_u16 size;
};

/* What the machine asks for while it runs. A NULL member makes the opcodes that need it fail with TL_ERROR_UNSUPPORTED.
 */
struct tl_agent_environment {
	/* Reads memory; TL_OK only when all bytes were read. */
	enum tl_status (*read_memory)(void *context, tl_u64 address, void *buffer, tl_size size);
	/* Reads register number `number` (GDB's number) as an unsigned value. */
	enum tl_status (*read_register)(void *context, tl_u16 number, tl_u64 *value_ret);
	/* Takes what a printf has formatted. */
	void (*print)(void *context, const char *text, tl_size size);
	void *context;
	tl_u32 steps;       /* the limit; 0 means TL_AGENT_STEPS_DEFAULT */
	bool big_endian;    /* byte order of ref8…ref64 */
	tl_u8 address_size; /* bytes of a pointer, for printf's %s and %p; 4 or 8 */
};

/*
 * Verifies `code`, which comes to an end by itself or at the step limit, but never for its stack's sake, when it is
 * run. On an error *offset_ret (may be NULL) is where it lies. Trace opcodes (trace, trace_quick, tracev, setv, getv of
 * trace state variables) are refused with TL_ERROR_UNSUPPORTED: there are no trace frames; so are those of floating
 * point, which GDB never makes. TL_ERROR_TOO_LONG: more than TL_AGENT_CODE_MAX bytes, more than 64 jumps back, or an
 * expression that nests so deep that more than 96 places ahead are jumped to at once.
 */
enum tl_status tl_agent_verify(const struct tl_agent_code *code, tl_u16 *offset_ret);

/*
 * Runs verified code. *value_ret is the top of the stack at `end`, 0 when the stack is empty. On an error *offset_ret
 * (may be NULL) is where it happened. Running code that was not verified is safe but may end in an error at any point.
 */
enum tl_status tl_agent_run(const struct tl_agent_code *code, const struct tl_agent_environment *environment,
			    tl_u64 *value_ret, tl_u16 *offset_ret);

/* The mnemonic of an opcode as the manual writes it, NULL for an unknown one. For traces and `monitor`. */
const char *tl_agent_mnemonic(tl_u8 opcode);

#endif

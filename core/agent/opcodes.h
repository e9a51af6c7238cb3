/*
 * The opcodes of GDB's agent expressions. GDB manual, appendix "The GDB Agent Expression Mechanism", section "Bytecode
 * Descriptions". For the verifier and the interpreter.
 */
#ifndef TL_CORE_AGENT_OPCODES_H
#define TL_CORE_AGENT_OPCODES_H

#include "core/status.h"
#include "core/types.h"

/*
 * X(name, opcode, group, operand bytes, taken from the stack, put on it). The operand of printf goes on behind the
 * three bytes counted here, and it takes as many arguments more as it says; pick needs as deep a stack as its operand
 * says.
 */
#define TL_AGENT_OPCODE_TABLE(X)                                                                                       \
	X(float, 0x01, REFUSED, 0, 0, 0)                                                                               \
	X(add, 0x02, BINARY, 0, 2, 1)                                                                                  \
	X(sub, 0x03, BINARY, 0, 2, 1)                                                                                  \
	X(mul, 0x04, BINARY, 0, 2, 1)                                                                                  \
	X(div_signed, 0x05, DIVIDE, 0, 2, 1)                                                                           \
	X(div_unsigned, 0x06, DIVIDE, 0, 2, 1)                                                                         \
	X(rem_signed, 0x07, DIVIDE, 0, 2, 1)                                                                           \
	X(rem_unsigned, 0x08, DIVIDE, 0, 2, 1)                                                                         \
	X(lsh, 0x09, SHIFT, 0, 2, 1)                                                                                   \
	X(rsh_signed, 0x0a, SHIFT, 0, 2, 1)                                                                            \
	X(rsh_unsigned, 0x0b, SHIFT, 0, 2, 1)                                                                          \
	X(trace, 0x0c, REFUSED, 0, 2, 0)                                                                               \
	X(trace_quick, 0x0d, REFUSED, 1, 1, 1)                                                                         \
	X(log_not, 0x0e, UNARY, 0, 1, 1)                                                                               \
	X(bit_and, 0x0f, BINARY, 0, 2, 1)                                                                              \
	X(bit_or, 0x10, BINARY, 0, 2, 1)                                                                               \
	X(bit_xor, 0x11, BINARY, 0, 2, 1)                                                                              \
	X(bit_not, 0x12, UNARY, 0, 1, 1)                                                                               \
	X(equal, 0x13, BINARY, 0, 2, 1)                                                                                \
	X(less_signed, 0x14, BINARY, 0, 2, 1)                                                                          \
	X(less_unsigned, 0x15, BINARY, 0, 2, 1)                                                                        \
	X(ext, 0x16, UNARY, 1, 1, 1)                                                                                   \
	X(ref8, 0x17, REFERENCE, 0, 1, 1)                                                                              \
	X(ref16, 0x18, REFERENCE, 0, 1, 1)                                                                             \
	X(ref32, 0x19, REFERENCE, 0, 1, 1)                                                                             \
	X(ref64, 0x1a, REFERENCE, 0, 1, 1)                                                                             \
	X(ref_float, 0x1b, REFUSED, 0, 1, 1)                                                                           \
	X(ref_double, 0x1c, REFUSED, 0, 1, 1)                                                                          \
	X(ref_long_double, 0x1d, REFUSED, 0, 1, 1)                                                                     \
	X(l_to_d, 0x1e, REFUSED, 0, 1, 1)                                                                              \
	X(d_to_l, 0x1f, REFUSED, 0, 1, 1)                                                                              \
	X(if_goto, 0x20, JUMP, 2, 1, 0)                                                                                \
	X(goto, 0x21, JUMP, 2, 0, 0)                                                                                   \
	X(const8, 0x22, CONSTANT, 1, 0, 1)                                                                             \
	X(const16, 0x23, CONSTANT, 2, 0, 1)                                                                            \
	X(const32, 0x24, CONSTANT, 4, 0, 1)                                                                            \
	X(const64, 0x25, CONSTANT, 8, 0, 1)                                                                            \
	X(reg, 0x26, REGISTER, 2, 0, 1)                                                                                \
	X(end, 0x27, END, 0, 0, 0)                                                                                     \
	X(dup, 0x28, STACK, 0, 1, 2)                                                                                   \
	X(pop, 0x29, STACK, 0, 1, 0)                                                                                   \
	X(zero_ext, 0x2a, UNARY, 1, 1, 1)                                                                              \
	X(swap, 0x2b, STACK, 0, 2, 2)                                                                                  \
	X(getv, 0x2c, REFUSED, 2, 0, 1)                                                                                \
	X(setv, 0x2d, REFUSED, 2, 1, 1)                                                                                \
	X(tracev, 0x2e, REFUSED, 2, 0, 0)                                                                              \
	X(tracenz, 0x2f, REFUSED, 0, 2, 0)                                                                             \
	X(trace16, 0x30, REFUSED, 2, 1, 1)                                                                             \
	X(pick, 0x32, STACK, 1, 0, 1)                                                                                  \
	X(rot, 0x33, STACK, 0, 3, 3)                                                                                   \
	X(printf, 0x34, PRINTF, 3, 2, 0)

enum tl_agent_opcode {
#define X(name, opcode, group, operand, taken, put) TL_AGENT_##name = opcode,
	TL_AGENT_OPCODE_TABLE(X)
#undef X
};

enum tl_agent_group {
	TL_AGENT_GROUP_NONE, /* no such opcode */
	TL_AGENT_GROUP_REFUSED,
	TL_AGENT_GROUP_BINARY,
	TL_AGENT_GROUP_DIVIDE,
	TL_AGENT_GROUP_SHIFT,
	TL_AGENT_GROUP_UNARY,
	TL_AGENT_GROUP_REFERENCE,
	TL_AGENT_GROUP_JUMP,
	TL_AGENT_GROUP_CONSTANT,
	TL_AGENT_GROUP_REGISTER,
	TL_AGENT_GROUP_STACK,
	TL_AGENT_GROUP_PRINTF,
	TL_AGENT_GROUP_END
};

/* One instruction, taken apart. */
struct tl_agent_instruction {
	tl_u8 opcode;
	tl_u8 group;        /* enum tl_agent_group */
	tl_u16 size;        /* bytes, opcode and operand */
	tl_u16 needed;      /* how high the stack must be */
	tl_u16 taken, put;  /* of that, how much goes and what comes */
	tl_u64 operand;     /* its value; for printf the number of arguments */
	tl_u16 text_offset; /* printf: where the format string begins in the code, and its size with the final zero */
	tl_u16 text_size;
};

/*
 * Takes apart the instruction at `offset` of `size` bytes of code. TL_ERROR_BYTECODE for an unknown opcode or one that
 * the code ends in, TL_ERROR_UNSUPPORTED for one that there is but not here. Any thread.
 */
enum tl_status tl_agent_decode(const tl_u8 *bytes, tl_u16 size, tl_u16 offset,
			       struct tl_agent_instruction *instruction_ret);

#endif

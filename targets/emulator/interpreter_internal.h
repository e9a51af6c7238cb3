/* An instruction on its way through the files interpreter*.c. */
#ifndef TL_TARGETS_EMULATOR_INTERPRETER_INTERNAL_H
#define TL_TARGETS_EMULATOR_INTERPRETER_INTERNAL_H

#include "targets/emulator/interpreter.h"

struct tl_step {
	struct tl_hart *hart;
	const struct tl_riscv_instruction *is;
	tl_u32 word; /* the instruction's own bits */
	tl_u64 next; /* where the hart goes on: behind the instruction, unless it says otherwise */
	struct tl_exception exception;
};

/* Each carries out the instructions of its formats; false, with step->exception, when one cannot be. */
bool tl_interpret_float(struct tl_step *step);
bool tl_interpret_atomic(struct tl_step *step);

/* The instruction does not exist, or not in this mode. */
bool tl_interpret_illegal(struct tl_step *step);

static inline tl_u64 tl_interpret_x(const struct tl_step *step, tl_u8 number)
{
	return step->hart->x[number];
}

static inline void tl_interpret_set_x(const struct tl_step *step, tl_u64 value)
{
	if (step->is->rd != 0)
		step->hart->x[step->is->rd] = value;
}

#endif

/*
 * The interpreter: carries out the instructions of a hart one by one. It is the reference for everything that does so
 * faster.
 */
#ifndef TL_TARGETS_EMULATOR_INTERPRETER_H
#define TL_TARGETS_EMULATOR_INTERPRETER_H

#include "targets/emulator/hart.h"

/*
 * Carries out one instruction, or takes the trap that it raises; an interrupt that is pending is not looked for, nor is
 * a breakpoint. False when it trapped: the program counter is then at the handler, and nothing was retired. Where the
 * debugger catches the exception (hart->halt), nothing has changed at all.
 */
bool tl_interpreter_step(struct tl_hart *hart);

/*
 * An instruction at the program counter cannot be carried out: its exception is taken, unless the debugger wants to see
 * it first (hart->halt).
 */
void tl_interpreter_raise(struct tl_hart *hart, const struct tl_exception *exception);

/*
 * Takes interrupts and carries out instructions until `count` of them were begun, or the hart waits for an interrupt
 * (hart->waiting), or is told to leave (tl_hart_leave), or something of the debugger's halts it (hart->halt, see enum
 * tl_halt). Returns how many were begun. Interrupts that rise while it runs are taken where the hart looks for them: at
 * the beginning, and behind instructions that may let one in.
 */
tl_u64 tl_interpreter_run(struct tl_hart *hart, tl_u64 count);

#endif

/*
 * The address that the figures of people's books count arguments and local variables from, for `info frame`: of a
 * function that begins with `push %rbp; mov %rsp,%rbp` what is in %rbp, else where that would have been pushed. It is
 * read off the instructions that a function begins with, as far as they have run: what gdb shows as "Arglist at".
 * Nothing is looked up by it. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_FRAME_BASE_H
#define TL_FRONTENDS_CLI_FRAME_BASE_H

#include "core/types.h"

struct tl_modules;
struct tl_stack;
struct tl_stack_frame;

/* `frame` of `stack`, with the code of `modules`. False where there is none: inlined functions, signal frames. */
bool tl_frame_base(struct tl_stack *stack, struct tl_modules *modules, const struct tl_stack_frame *frame,
		   tl_u64 *base_ret);

#endif

/*
 * The caller of a frame whose code has no call frame information. Internal to symbols/unwind.c.
 */
#ifndef TL_SYMBOLS_UNWIND_GUESS_H
#define TL_SYMBOLS_UNWIND_GUESS_H

#include "symbols/unwind.h"

/* A register of the size of an address as a number. */
TL_CHECKED enum tl_status tl_frame_word(const struct tl_unwinder *unwinder, const struct tl_frame *frame, tl_u64 number,
					bool stale, tl_u64 *value_ret, struct tl_error *error);

/*
 * Fills in the caller's registers, program counter and origin, and the frame's own address. A signal trampoline that is
 * recognised by its code is no guess. The rules are those of tl_unwind_next.
 */
enum tl_unwind_end tl_unwind_guess(const struct tl_unwinder *unwinder, struct tl_frame *frame,
				   const struct tl_unwind_code *code, struct tl_frame *caller_ret,
				   struct tl_error *error);

#endif

/*
 * A machine's frame, in little room: struct tl_frame has a word for each of 96 registers, of which all but a few are,
 * in every frame, where they were in the one inside. 40 bytes, and 10 for each register that is not.
 */
#ifndef TL_DEBUGGER_KEPT_FRAME_H
#define TL_DEBUGGER_KEPT_FRAME_H

#include "base/arena.h"
#include "symbols/unwind.h"

struct tl_kept_frame {
	tl_u64 program_counter, lookup, frame_address;
	tl_u32 level;
	tl_u8 origin; /* enum tl_frame_origin */
	bool signal, interrupted, authenticated, address_known;
	tl_u8 count;
	/* Then `count` places, as words; their states and register numbers, as bytes. */
	_Alignas(8) tl_u8 registers[];
};

/* Keeps what is needed of a frame in an arena; NULL when that is full. */
const struct tl_kept_frame *tl_keep_frame(struct tl_arena *arena, const struct tl_frame *frame);

/* The frame as it was, for everything but tl_unwind_next. */
void tl_kept_frame_restore(const struct tl_kept_frame *kept, struct tl_frame *frame_ret);

#endif

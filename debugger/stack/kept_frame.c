#include "debugger/stack/kept_frame.h"

#define STALE 0x80
#define EACH 10 /* bytes: a place, a state, a number */

/* What most registers are: beyond the innermost frame, what a function inside was free to change. */
static bool is_usual(const struct tl_frame *frame, unsigned number)
{
	return frame->state[number] == TL_REGISTER_THREAD && frame->stale[number] == (frame->level != 0);
}

const struct tl_kept_frame *tl_keep_frame(struct tl_arena *arena, const struct tl_frame *frame)
{
	struct tl_kept_frame *kept;
	tl_u8 count = 0, at = 0;

	for (unsigned i = 0; i < TL_FRAME_REGISTERS_MAX; i++)
		count += !is_usual(frame, i);
	kept = tl_arena_allocate(arena, sizeof(*kept) + (tl_size)count * EACH);
	if (kept == NULL)
		return NULL;
	kept->program_counter = frame->program_counter;
	kept->lookup = frame->lookup;
	kept->frame_address = frame->frame_address;
	kept->level = frame->level;
	kept->origin = (tl_u8)frame->origin;
	kept->signal = frame->signal;
	kept->interrupted = frame->interrupted;
	kept->authenticated = frame->authenticated;
	kept->address_known = frame->address_known;
	kept->count = count;
	for (unsigned i = 0; i < TL_FRAME_REGISTERS_MAX; i++) {
		if (is_usual(frame, i))
			continue;
		tl_store_little(kept->registers + 8 * (tl_size)at, frame->where[i], 8);
		kept->registers[8 * (tl_size)count + at] = (tl_u8)(frame->state[i] | (frame->stale[i] ? STALE : 0));
		kept->registers[9 * (tl_size)count + at] = (tl_u8)i;
		at++;
	}
	return kept;
}

void tl_kept_frame_restore(const struct tl_kept_frame *kept, struct tl_frame *frame_ret)
{
	*frame_ret = (struct tl_frame){
		.level = kept->level,
		.origin = (enum tl_frame_origin)kept->origin,
		.signal = kept->signal,
		.interrupted = kept->interrupted,
		.authenticated = kept->authenticated,
		.program_counter = kept->program_counter,
		.lookup = kept->lookup,
		.address_known = kept->address_known,
		.frame_address = kept->frame_address,
	};
	tl_fill(frame_ret->state, TL_REGISTER_THREAD, sizeof(frame_ret->state));
	tl_fill(frame_ret->stale, kept->level != 0, sizeof(frame_ret->stale));
	for (tl_size i = 0; i < kept->count; i++) {
		const tl_u8 state = kept->registers[8 * (tl_size)kept->count + i];
		const tl_u8 number = kept->registers[9 * (tl_size)kept->count + i];

		frame_ret->state[number] = state & (tl_u8)~STALE;
		frame_ret->stale[number] = (state & STALE) != 0;
		frame_ret->where[number] = tl_load_little(kept->registers + 8 * i, 8);
	}
}

/*
 * Which pieces of memory were written in a stretch of a run: each store leaves a mark in a map with a byte for each
 * piece (a line), from which the lines of a page are gathered when the stretch ends.
 *
 * A store marks the line of its first byte alone: who asks for a byte asks for the lines of the seven before it, too
 * (tl_written_around). What is longer than a store, or reaches into another page, marks all that it touches.
 */
#ifndef TL_TARGETS_EMULATOR_WRITTEN_LINES_H
#define TL_TARGETS_EMULATOR_WRITTEN_LINES_H

#include "core/types.h"

#define TL_LINE_BITS                                                                                                   \
	4 /* 16 bytes: what shares a line of 64 with what is written all the time is mostly found alone                \
	   */
#define TL_LINES_OF_PAGE (4096u >> TL_LINE_BITS)

/* Lines of one page: a bit for each. {0} is none. */
struct tl_line_set {
	tl_u64 bits[TL_LINES_OF_PAGE / 64];
};

/*
 * A map, without a mark, for `size` bytes of memory, which are whole pages; NULL when there is no room. It takes the
 * host's memory where there are marks only. If it can be had it stands so that what is to be added to an address of the
 * memory, shifted by TL_LINE_BITS, fits 32 bits with their sign: translated code then has it in its instructions. To be
 * freed with tl_written_map_free.
 */
tl_u8 *tl_written_map(const tl_u8 *memory, tl_u64 size);
void tl_written_map_free(tl_u8 *map, tl_u64 size);
/* What is to be added; never 0. */
static inline tl_uintptr tl_written_marks(const tl_u8 *map, const tl_u8 *memory)
{
	return (tl_uintptr)map - ((tl_uintptr)memory >> TL_LINE_BITS);
}

/* The lines of [offset, offset + size) in the map, which begins at 0, are marked; size is not 0. */
static inline void tl_written_mark(tl_u8 *map, tl_u64 offset, tl_u64 size)
{
	tl_u64 last = (offset + (size - 1)) >> TL_LINE_BITS;

	for (tl_u64 line = offset >> TL_LINE_BITS; line <= last; line++)
		map[line] = 1;
}

/* The marks of a page, by its number, are added to the set, and taken out of the map. */
void tl_written_take(tl_u8 *map, tl_u64 page, struct tl_line_set *set);

/* Those whose marks may be of a store to some of the bytes [offset, offset + size) of a page. */
struct tl_line_set tl_written_around(tl_u64 offset, tl_u64 size);

void tl_written_add(struct tl_line_set *set, const struct tl_line_set *others);
bool tl_written_meet(const struct tl_line_set *set, const struct tl_line_set *other);

#endif

#include "targets/emulator/written_lines.h"

#include <sys/mman.h>

#define WORDS (TL_LINES_OF_PAGE / 64)
#define STORE_MAX 8 /* bytes */

tl_u8 *tl_written_map(const tl_u8 *memory, tl_u64 size)
{
	/* A page further on than where nothing had to be added: 0 is for those who have no map. */
	tl_uintptr wanted = (((tl_uintptr)memory >> TL_LINE_BITS) & ~(tl_uintptr)4095) + 4096;
	void *map;

	/* A wish: it stands elsewhere if something is there, as in a build with a sanitizer. */
	map = mmap((void *)wanted, size >> TL_LINE_BITS, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return map != MAP_FAILED ? map : NULL;
}

void tl_written_map_free(tl_u8 *map, tl_u64 size)
{
	if (map != NULL)
		munmap(map, size >> TL_LINE_BITS);
}

void tl_written_take(tl_u8 *map, tl_u64 page, struct tl_line_set *set)
{
	tl_u8 *marks = map + page * TL_LINES_OF_PAGE;

	for (tl_u32 i = 0; i < TL_LINES_OF_PAGE; i += 8) {
		tl_u64 eight = tl_load_constant(marks + i, 8);

		/* Marks are 1: the product moves each of the eight to a bit of the highest byte. */
		if (eight != 0)
			set->bits[i / 64] |= (eight * 0x0102040810204080 >> 56) << (i % 64);
	}
	tl_fill(marks, 0, TL_LINES_OF_PAGE);
}

struct tl_line_set tl_written_around(tl_u64 offset, tl_u64 size)
{
	tl_u64 first = offset >= STORE_MAX - 1 ? offset - (STORE_MAX - 1) : 0, last = offset + size - 1;
	struct tl_line_set set = {0};

	for (tl_u64 line = first >> TL_LINE_BITS; line <= last >> TL_LINE_BITS && line < TL_LINES_OF_PAGE; line++)
		set.bits[line / 64] |= (tl_u64)1 << (line % 64);
	return set;
}

void tl_written_add(struct tl_line_set *set, const struct tl_line_set *others)
{
	for (tl_u32 i = 0; i < WORDS; i++)
		set->bits[i] |= others->bits[i];
}

bool tl_written_meet(const struct tl_line_set *set, const struct tl_line_set *other)
{
	for (tl_u32 i = 0; i < WORDS; i++)
		if ((set->bits[i] & other->bits[i]) != 0)
			return true;
	return false;
}

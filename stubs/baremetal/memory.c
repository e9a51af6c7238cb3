/*
 * The four functions that a freestanding compiler may call. Weak: an embedder that has its own keeps them. Written so
 * that the compiler cannot make them into calls of themselves.
 */
#include "core/types.h"

#define WEAK __attribute__((weak))

WEAK void *memcpy(void *to, const void *from, tl_size size);
WEAK void *memmove(void *to, const void *from, tl_size size);
WEAK void *memset(void *to, int byte, tl_size size);
WEAK int memcmp(const void *one, const void *other, tl_size size);

/* A store that the compiler sees nothing of but itself. */
static void put(tl_u8 *at, tl_u8 byte)
{
	*(volatile tl_u8 *)at = byte;
}

/* Whatever stands there, and words that the compiler sees nothing of. */
typedef tl_u64 __attribute__((may_alias)) word;

static void put_word(void *at, tl_u64 value)
{
	*(volatile word *)at = value;
}

void *memcpy(void *to, const void *from, tl_size size)
{
	tl_size i = 0;

	if ((((tl_uintptr)to | (tl_uintptr)from) & 7) == 0)
		for (; size - i >= 8; i += 8)
			put_word((tl_u8 *)to + i, *(const word *)(const void *)((const tl_u8 *)from + i));
	for (; i < size; i++)
		put((tl_u8 *)to + i, ((const tl_u8 *)from)[i]);
	return to;
}

void *memmove(void *to, const void *from, tl_size size)
{
	if ((tl_uintptr)to <= (tl_uintptr)from)
		return memcpy(to, from, size);
	while (size-- != 0)
		put((tl_u8 *)to + size, ((const tl_u8 *)from)[size]);
	return to;
}

void *memset(void *to, int byte, tl_size size)
{
	tl_size i = 0;

	if (((tl_uintptr)to & 7) == 0)
		for (; size - i >= 8; i += 8)
			put_word((tl_u8 *)to + i, (tl_u8)byte * 0x0101010101010101u);
	for (; i < size; i++)
		put((tl_u8 *)to + i, (tl_u8)byte);
	return to;
}

int memcmp(const void *one, const void *other, tl_size size)
{
	const volatile tl_u8 *a = one;
	const tl_u8 *b = other;

	for (tl_size i = 0; i < size; i++) {
		int difference = a[i] - b[i];

		if (difference != 0)
			return difference;
	}
	return 0;
}

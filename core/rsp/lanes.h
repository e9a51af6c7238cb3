/*
 * Bytes looked at many at a time, as lanes: memory is read in replies of hundreds of kilobytes, and what has to be
 * looked for in them is rare. Sixteen lanes are a vector register where the compiler may use one, else eight are an
 * integer. Marks are lanes of which some are marked; they can be combined with & and |.
 */
#ifndef TL_CORE_RSP_LANES_H
#define TL_CORE_RSP_LANES_H

#include "core/types.h"

#ifdef __SSE2__

#define TL_LANES ((tl_size)16)
typedef tl_u8 tl_lanes __attribute__((vector_size(16)));

/* Marks where the two are the same. */
static inline tl_lanes tl_lanes_same(tl_lanes one, tl_lanes other)
{
	return (tl_lanes)(one == other);
}

/* Marks where a lane is `byte`. */
static inline tl_lanes tl_lanes_equal(tl_lanes lanes, tl_u8 byte)
{
	return (tl_lanes)(lanes == byte);
}

/* A bit for each lane, the lowest for the first byte: 1 where it is marked. */
static inline unsigned tl_lanes_bits(tl_lanes marks)
{
	typedef char signed_lanes __attribute__((vector_size(16)));

	return (unsigned)__builtin_ia32_pmovmskb128((signed_lanes)marks);
}

#else

#define TL_LANES ((tl_size)8)
typedef tl_u64 tl_lanes;

/* A lane is marked by its high bit. Exact: no carry leaves a lane. */
static inline tl_lanes tl_lanes_same(tl_lanes one, tl_lanes other)
{
	const tl_u64 low = TL_U64_MAX / 0xff * 0x7f;
	tl_u64 difference = one ^ other;

	return ~(((difference & low) + low) | difference | low);
}

static inline tl_lanes tl_lanes_equal(tl_lanes lanes, tl_u8 byte)
{
	return tl_lanes_same(lanes, TL_U64_MAX / 0xff * byte);
}

static inline unsigned tl_lanes_bits(tl_lanes marks)
{
	/* Moves bit 8 n to bit 56 + n, for every n. */
	return (unsigned)((marks >> 7) * 0x0102040810204080u >> 56);
}

#endif

/* The bytes at `bytes`, at any alignment. */
static inline tl_lanes tl_lanes_load(const tl_u8 *bytes)
{
	tl_lanes lanes;

	tl_copy(&lanes, bytes, sizeof(lanes));
#if !defined(__SSE2__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	lanes = __builtin_bswap64(lanes);
#endif
	return lanes;
}

#endif

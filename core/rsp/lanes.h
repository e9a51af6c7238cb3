/*
 * Bytes looked at eight at a time, as the lanes of one integer: memory is read in replies of hundreds of kilobytes, and
 * what has to be looked for in them is rare.
 */
#ifndef TL_CORE_RSP_LANES_H
#define TL_CORE_RSP_LANES_H

#include "core/types.h"

#define TL_LANES (sizeof(tl_u64))
/* 1 in each lane. */
#define TL_LANES_ONES (TL_U64_MAX / 0xff)

/* The eight bytes at `bytes`, at any alignment. */
static inline tl_u64 tl_lanes_load(const tl_u8 *bytes)
{
	tl_u64 lanes;

	tl_copy(&lanes, bytes, sizeof(lanes));
	return lanes;
}

/* Not 0 when a lane is 0, and only then. Which bits are set says no more. */
static inline tl_u64 tl_lanes_zero(tl_u64 lanes)
{
	return (lanes - TL_LANES_ONES) & ~lanes & TL_LANES_ONES << 7;
}

/* Not 0 when a lane is `byte`, and only then. */
static inline tl_u64 tl_lanes_equal(tl_u64 lanes, tl_u8 byte)
{
	return tl_lanes_zero(lanes ^ TL_LANES_ONES * byte);
}

#endif

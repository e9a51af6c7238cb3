/*
 * The debug registers of x86: from hardware points to DR0–DR3 and DR7, and from DR6 back to the points.
 * Intel SDM volume 3, chapter 18.2 "Debug Registers"; AMD APM volume 2, chapter 13.1.
 *
 * One plan serves every thread (or vCPU) of an address space: the same registers are programmed in all of them. The
 * struct is plain data; the caller owns it and keeps it to one thread.
 */
#ifndef TL_CORE_CPU_X86_DEBUG_H
#define TL_CORE_CPU_X86_DEBUG_H

#include "core/status.h"
#include "core/types.h"

#define TL_X86_DEBUG_REGISTERS 4

enum tl_x86_debug_kind {
	TL_X86_DEBUG_EXECUTE = 0, /* the values are those of the R/W fields of DR7 */
	TL_X86_DEBUG_WRITE = 1,
	TL_X86_DEBUG_ACCESS = 3
};

struct tl_x86_debug_plan {
	tl_u64 address[TL_X86_DEBUG_REGISTERS];
	tl_u64 control;                       /* DR7; local enable bits */
	tl_u16 users[TL_X86_DEBUG_REGISTERS]; /* how many points share each register; 0: free */
};

/*
 * Adds a point on [address, address + size). Data ranges are split into aligned pieces of 1, 2, 4 and (wide set: the
 * CPU is in 64-bit mode) 8 bytes; pieces that are there already are shared. TL_ERROR_POINT_FULL with nothing changed
 * when the registers do not suffice, TL_ERROR_POINT_SIZE for size 0 or a range that wraps.
 */
enum tl_status tl_x86_debug_add(struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, tl_u64 address,
				tl_u64 size, bool wide);

/* Undoes one such call with the same arguments; TL_ERROR_NO_POINT when there was none. */
enum tl_status tl_x86_debug_remove(struct tl_x86_debug_plan *plan, enum tl_x86_debug_kind kind, tl_u64 address,
				   tl_u64 size, bool wide);

/* The n-th register's piece: its kind, address and size in bytes; false when it is free. */
bool tl_x86_debug_piece(const struct tl_x86_debug_plan *plan, unsigned n, enum tl_x86_debug_kind *kind_ret,
			tl_u64 *address_ret, tl_u64 *size_ret);

/* Which enabled registers DR6 names, as a mask of bits 0 to 3: bits of free registers may be set and mean nothing. */
tl_u8 tl_x86_debug_hits(const struct tl_x86_debug_plan *plan, tl_u64 dr6);

/* DR6.BS: the trap ended a single step. */
#define TL_X86_DR6_STEP ((tl_u64)1 << 14)

#endif

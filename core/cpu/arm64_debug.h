/*
 * The debug registers of AArch64: from hardware points to DBGBVR, DBGBCR, DBGWVR and DBGWCR as programs of a user have
 * them set, and from the address that a watchpoint exception tells (FAR) back to the points.
 * Arm Architecture Reference Manual (DDI 0487), D2.8 to D2.10 and D19.3; Linux, arch/arm64/include/uapi/asm/ptrace.h.
 *
 * One plan serves every thread of an address space. The struct is plain data; the caller owns it and keeps it to one
 * thread.
 */
#ifndef TL_CORE_CPU_ARM64_DEBUG_H
#define TL_CORE_CPU_ARM64_DEBUG_H

#include "core/cpu/cpu.h"
#include "core/status.h"
#include "core/types.h"

/* As many of each sort as the architecture allows; machines have 2 to 16. */
#define TL_ARM64_DEBUG_REGISTERS 16

enum tl_arm64_debug_kind {
	TL_ARM64_DEBUG_EXECUTE = 0, /* the values are those of the field LSC of DBGWCR */
	TL_ARM64_DEBUG_READ = 1,
	TL_ARM64_DEBUG_WRITE = 2,
	TL_ARM64_DEBUG_ACCESS = 3
};

struct tl_arm64_debug_register {
	tl_u64 address; /* of the word of 4 bytes (breakpoints) or 8 (watchpoints) */
	tl_u32 control; /* 0: free */
	tl_u16 users;   /* how many points share it */
};

struct tl_arm64_debug_plan {
	struct tl_arm64_debug_register breaks[TL_ARM64_DEBUG_REGISTERS];
	struct tl_arm64_debug_register watches[TL_ARM64_DEBUG_REGISTERS];
	tl_u8 break_count, watch_count; /* how many the machine has */
};

/*
 * Adds a point on [address, address + size); the size of a breakpoint says nothing. Data ranges are split at multiples
 * of 8, and each piece is a register whose mask selects bytes of its word: any part of it will do. What is there
 * already is shared. Tags in an address's upper byte are dropped, as the machine ignores them. TL_ERROR_POINT_FULL with
 * nothing changed when the registers do not suffice, TL_ERROR_POINT_SIZE for size 0 or a range that wraps,
 * TL_ERROR_ARGUMENT for code that is not aligned.
 */
enum tl_status tl_arm64_debug_add(struct tl_arm64_debug_plan *plan, enum tl_arm64_debug_kind kind, tl_u64 address,
				  tl_u64 size);

/* Undoes one such call with the same arguments; TL_ERROR_NO_POINT when there was none. */
enum tl_status tl_arm64_debug_remove(struct tl_arm64_debug_plan *plan, enum tl_arm64_debug_kind kind, tl_u64 address,
				     tl_u64 size);

/* What a register for data watches: its kind, and the first byte and the size; false when it is free. */
bool tl_arm64_debug_piece(const struct tl_arm64_debug_register *watch, enum tl_arm64_debug_kind *kind_ret,
			  tl_u64 *address_ret, tl_u64 *size_ret);

/* The control word of an enabled breakpoint, for a register that no plan knows of. */
tl_u32 tl_arm64_debug_break_control(void);

/*
 * Which registers for data may have told of an access by an exception with this FAR, as a mask: bit n for watches[n].
 * `access` is what the instruction does to memory, or TL_ACCESS_NONE where that is not known. Where the address is
 * known of the access of `size` bytes (`exact`), `far` is that address, and all that it touches are named. Otherwise
 * FAR may be any byte that was accessed, or lie below the watched one: those are named that are nearest to it and no
 * further than an access is wide.
 */
tl_u16 tl_arm64_debug_hits(const struct tl_arm64_debug_plan *plan, tl_u64 far, tl_u64 size, bool exact,
			   enum tl_access access);

#endif

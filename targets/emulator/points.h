/*
 * The debugger's points in an emulated machine: one table for all of its harts.
 *
 * Nothing is written into the guest. Whoever carries out instructions asks for a breakpoint at the program counter; an
 * access asks for watchpoints when its page has one, because tl_paging_keep then gives that page a tag that no address
 * equals, and they come the long way; translated code looks into the page's map before. Breakpoints and watchpoints lie
 * at virtual addresses, in every address space or in that of one satp, or at physical ones.
 *
 * The table belongs to the thread that runs the harts. It changes only between runs; what keeps translations (the
 * harts' own, and translated code) is brought up to date by whoever changes it.
 */
#ifndef TL_TARGETS_EMULATOR_POINTS_H
#define TL_TARGETS_EMULATOR_POINTS_H

#include "core/agent/agent.h"
#include "core/allocator.h"
#include "targets/emulator/hart.h"

enum tl_point_space {
	TL_POINT_SPACE_VIRTUAL,  /* whatever is mapped */
	TL_POINT_SPACE_OF_SATP,  /* virtual, while a page table is in use and satp has this value */
	TL_POINT_SPACE_PHYSICAL, /* whatever virtual address leads there */
};

/* Kinds of access to watch for; bits. */
#define TL_POINT_READS 1u
#define TL_POINT_WRITES 2u

struct tl_emulator_point {
	tl_u64 address;
	tl_u64 size;  /* of a watchpoint: at least 1; it does not go around the end. Of a breakpoint: 0 */
	tl_u64 satp;  /* TL_POINT_SPACE_OF_SATP */
	tl_u8 space;  /* enum tl_point_space */
	tl_u8 access; /* of a watchpoint */
	/*
	 * Of a breakpoint: conditions, at least one of which is true when what decides says that it halts, and which
	 * only look at the hart and at memory. 0: it is asked each time. Borrowed; where they change, so do the
	 * translated blocks.
	 */
	const struct tl_agent_code *conditions;
	tl_u32 condition_count;
	/* Both are the owner's: two points that differ only in `label` are two points. */
	tl_u32 label;
	void *owner;
};

/* Points in order of their address. */
struct tl_point_list {
	struct tl_emulator_point *points;
	tl_size count, capacity;
	tl_u64 largest; /* no size is larger */
};

#define TL_POINTS_FILTER_BITS 4096

struct tl_emulator_points {
	const struct tl_allocator *allocator; /* borrowed */
	struct tl_point_list breakpoints, physical_breakpoints, watchpoints, physical_watchpoints;
	/* A bit for each address that has a virtual breakpoint, and for others that share it: most have none. */
	tl_u64 filter[TL_POINTS_FILTER_BITS / 64];
	/* Exceptions of the guest, bit by cause, that halt the hart before they are taken. */
	tl_u64 caught;
	bool muted; /* nothing halts: somebody looks for a place in the past */
	/*
	 * Whether a point at which a hart has come (of a watchpoint: the access is done) halts it; NULL: always. Called
	 * in the thread that runs the hart, from inside of its instruction.
	 */
	bool (*decide)(void *context, struct tl_hart *hart, const struct tl_emulator_point *point);
	void *decide_context;
};

/* An empty table; the allocator is borrowed. */
void tl_points_init(struct tl_emulator_points *points_ret, const struct tl_allocator *allocator);
void tl_points_end(struct tl_emulator_points *points);

/*
 * Adds a point. TL_ERROR_STATE when the same one is there (the owner's pointer is not compared), TL_ERROR_ARGUMENT for
 * a watchpoint that goes around the end of the address space or watches for nothing; TL_ERROR_NO_MEMORY. Harts keep
 * translations: after a change of watchpoints their tl_paging_flush is called by whoever changed them.
 */
TL_CHECKED enum tl_status tl_points_add(struct tl_emulator_points *points, const struct tl_emulator_point *point);
/* Removes it; TL_ERROR_NO_POINT when there is no such. */
enum tl_status tl_points_remove(struct tl_emulator_points *points, const struct tl_emulator_point *point);
/* The point of the table that is the same as `point`, NULL when there is none. Valid until the next change. */
struct tl_emulator_point *tl_points_lookup(struct tl_emulator_points *points, const struct tl_emulator_point *point);

/*
 * Whether there is a breakpoint at this virtual address of an instruction in any address space, or at the physical one
 * that it leads to now; whatever it decides. For the translator, as it translates.
 */
bool tl_points_at(const struct tl_emulator_points *points, const struct tl_hart *hart, tl_u64 address);

/*
 * The breakpoints at this virtual address, whatever address space they are for. None when there are any at physical
 * addresses: one of these may be there, too. Valid until the next change.
 */
const struct tl_emulator_point *tl_points_breakpoints(const struct tl_emulator_points *points, tl_u64 address,
						      tl_size *count_ret);

/*
 * The hart is about to carry out the instruction at its program counter. True when a breakpoint halts it there:
 * hart->halt is set then. One that hart->pass names lets it by, once.
 */
bool tl_points_halt(struct tl_hart *hart);

/* The same, quickly, for every instruction. */
static inline bool tl_points_halt_here(struct tl_hart *hart)
{
	const struct tl_emulator_points *points = hart->points;
	tl_u64 bit = hart->pc >> 1 & (TL_POINTS_FILTER_BITS - 1);

	if (points == NULL ||
	    ((points->filter[bit >> 6] >> (bit & 63) & 1) == 0 && points->physical_breakpoints.count == 0))
		return false;
	return tl_points_halt(hart);
}

/* An exception is about to be taken. True when the debugger wants to see it first: hart->halt is set then. */
bool tl_points_catch(struct tl_hart *hart, const struct tl_exception *exception);

/* The accesses (TL_POINT_READS, TL_POINT_WRITES) to a page that may meet a watchpoint. */
tl_u8 tl_points_on_page(const struct tl_hart *hart, tl_u64 page, tl_u64 frame);

/* Marks in a page's map (struct tl_watched) where accesses begin that may meet a watchpoint. */
void tl_points_map(const struct tl_hart *hart, tl_u64 page, tl_u64 frame, tl_u8 map_ret[TL_PAGE_SIZE / 8]);

/* An access that was carried out. */
struct tl_done_access {
	tl_u64 address;
	/* Where its bytes stand in physical memory: the first low_size of them, and the rest, on another page. */
	tl_u64 physical, high_physical;
	tl_u32 size, low_size; /* low_size == size: all of it on one page */
	tl_u8 access;
	bool device;       /* what was there before is not known */
	tl_u64 old, value; /* old: of a write */
};

/* Looks for the watchpoints that it meets; those that decide so halt the hart when its instruction is done. */
void tl_points_accessed(struct tl_hart *hart, const struct tl_done_access *access);

/* Whether any watchpoint is there at all. */
static inline bool tl_points_watching(const struct tl_hart *hart)
{
	return hart->points != NULL && hart->points->watchpoints.count + hart->points->physical_watchpoints.count != 0;
}

#endif

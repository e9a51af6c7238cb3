/*
 * The parts of the translator, for the files translator*.c.
 *
 * Code. All of it stands in one piece of memory that is mapped twice: where it is written, and where it runs; no page
 * is both. At its start are the routines that every block uses (translator_code.c), behind them the blocks; what of
 * them is seldom run stands by itself from TL_RARE_START on, so that what is run often fills whole lines of the host's
 * cache and whole pages. When either part is full, all of it is thrown away.
 *
 * Registers, the same in every block: rbp is the hart (plus TL_HART_BIAS, so that x0 to x31 are near), r15 the number
 * of instructions that may still begin, rax, rcx and rdx are free for the moment, the others hold registers of the hart
 * (tl_pinned). rsp runs over a stack of its own: each call of the guest pushes the guest's return address and is a call
 * of the host's, so that a return of the guest is a return of the host's, which processors predict. Leaving translated
 * code throws that stack away. xmm0 to xmm3 are free, xmm4 to xmm15 hold registers of floating point in blocks that
 * compute with them.
 *
 * Blocks. A block is a run of instructions on one page up to a jump. It belongs to a virtual address, a page of
 * physical memory (both together are a tl_mapping, whose number is in hart->translated.pages while the hart may fetch
 * there) and a key: the mode that the code is for. A block has two entries. `checked` compares that number first, and
 * serves jumps from other pages; `body` is for those that come from the same page, where the mapping was in force a
 * moment ago: what changes mappings or the key always leaves translated code. So no mapping that changed can be missed,
 * and nothing has to be undone when one does.
 *
 * Accesses of a block by one register are looked up in the TLB together (translator_span.c). Shifts by numbers wait
 * until something reads what they make (translator_deferred.c).
 *
 * Dropped blocks stay in memory until all is emptied; at `body` they are overwritten with a jump that asks for the
 * block that took their place.
 */
#ifndef TL_TARGETS_EMULATOR_TRANSLATOR_INTERNAL_H
#define TL_TARGETS_EMULATOR_TRANSLATOR_INTERNAL_H

#include "core/cpu/riscv_decode.h"
#include "targets/emulator/translator.h"
#include "targets/emulator/x86_emit.h"

#define TL_HART_BIAS 128
#define TL_CODE_SIZE (256u << 20) /* taken as it is used */
#define TL_RARE_START (128u << 20)
#define TL_BLOCKS_MAX (1u << 20)
#define TL_BLOCK_LENGTH_MAX 64 /* instructions */
#define TL_UNIT_BLOCKS_MAX 4   /* blocks that are translated at once, each behind the one that falls through to it */
#define TL_MAPPINGS_MAX (1u << 17)
#define TL_PAGE_BUCKETS (1u << 14)
#define TL_BLOCK_BUCKETS (1u << 20)
#define TL_HEAT_COUNTERS (1u << 14)
#define TL_HARTS_MAX 64
/* Instructions that begin at most between entering and leaving: each can push 16 bytes onto the stack. */
#define TL_ENTRY_MAX (1u << 17)
#define TL_STACK_SIZE (TL_ENTRY_MAX * 16 + (128u << 10)) /* and what a signal handler may need */

/* Key: what the code of a block takes for granted. */
#define TL_KEY_SET 3u   /* enum tl_tlb_set of data; that of fetches follows from it */
#define TL_KEY_FLOAT 4u /* floating point is on and dirty, and frm is a mode that the host has */
#define TL_KEY_MAX 8

#define TL_NO_BLOCK TL_U32_MAX

/*
 * A build for the bench (meson's option `uncounted`), whose code does not count what it begins: what counting costs. It
 * runs until a device ends it; nothing that depends on the count, which is all that depends on time, is right in it.
 */
#ifdef TL_UNCOUNTED
#define TL_COUNTS false
#else
#define TL_COUNTS true
#endif

/* A jump out of a block to an address that is known. */
struct tl_exit {
	tl_u64 pc;
	tl_u32 site; /* its distance, which can be aimed at a block; 0: there is none */
};

struct tl_block {
	tl_u64 pc;
	tl_u64 physical;                /* of the first instruction */
	tl_u32 mapping, second_mapping; /* second: of an instruction that reaches into the next page; else 0 */
	tl_u32 checked, body;
	tl_u32 head_stub; /* leaves as TL_LEAVE_HEAD */
	tl_u32 next;      /* with the same hash */
	tl_u32 next_on_page[2];
	tl_u16 bytes, count; /* of instructions; count: how many */
	tl_u8 key;
	tl_u8 depth; /* how many blocks it took the place of */
	bool dropped;
	struct tl_exit exits[2];
};

/* A virtual page and what stands there; numbers start at 1 and are not used again before all is emptied. */
struct tl_mapping {
	tl_u64 virtual_page, physical_page;
	const tl_u8 *bytes;
	tl_u32 next;
};

/* A page of memory with code that was translated; nodes of its list are block × 2 + which of its two pages. */
struct tl_code_page {
	tl_u64 physical;
	tl_u32 first;
	tl_u32 slow_stores;
	tl_u32 purges;
	struct tl_code_page *next;
};

enum tl_leave {
	TL_LEAVE_LINK,   /* through an exit that is not aimed yet: block × 2 + which */
	TL_LEAVE_HEAD,   /* at the head of a block: its page is another now, it was dropped, or the budget is used up */
	TL_LEAVE_JUMP,   /* to hart->pc */
	TL_LEAVE_HELPER, /* a helper says so; it has set hart->pc */
};
#define TL_LEAVE_SHIFT 28

/*
 * What an access in line wants of a page. When its tag is not what it should be, translator->watched is called for it,
 * which looks whether that is for watchpoints alone that the access does not meet: then it goes on in line.
 */
enum tl_look { TL_LOOK_LOAD, TL_LOOK_STORE, TL_LOOK_ATOMIC, TL_LOOK_MAX };

struct tl_translator {
	struct tl_x86 code;
	const tl_u8 *run; /* the same memory, where it can be executed */
	tl_u8 *stack;
	tl_u32 rare;                                      /* where the next code that is seldom run goes */
	tl_u32 room;                                      /* all is thrown away when more than this is in use */
	tl_u32 first_free;                                /* where blocks begin */
	tl_u32 (*enter[2])(void *hart, const void *code); /* with floating point: 1 */
	tl_u32 leave[2], leave_jump[2], return_missed[TL_KEY_MAX], step[2], point[2], access[2];
	tl_u32 watched[TL_LOOK_MAX][TL_TLB_SET_MAX];
	bool has_fma, has_lzcnt, has_tzcnt, has_popcnt, has_rorx;

	struct tl_block *blocks;
	tl_u32 block_count;
	tl_u32 *buckets;
	struct tl_mapping *mappings;
	tl_u32 mapping_count;
	tl_u32 *mapping_buckets;
	struct tl_code_page **pages;
	tl_u8 *heat; /* how often the interpreter came to addresses, by their low bits */
	tl_u8 heat_needed;

	struct tl_unit *unit; /* the one that is being translated */
	struct tl_hart *harts[TL_HARTS_MAX];
	tl_u32 hart_count;
	bool dropped; /* a block was dropped since code was entered */
	bool empty_soon;
	struct tl_translator_counters counters;
};

/* Fields of a hart, as rbp sees them. */
#define TL_AT(field) ((tl_i32) __builtin_offsetof(struct tl_hart, field) - TL_HART_BIAS)

/* A field of the first entry of a set of the TLB; TL_ENTRY_SHIFT: of the size of an entry. */
#define TL_ENTRY_SHIFT 5
_Static_assert(sizeof(struct tl_tlb_entry) == 1 << TL_ENTRY_SHIFT, "entries are found by shifting");
#define TL_ENTRY_AT(set, field)                                                                                        \
	(TL_AT(tlb) + (tl_i32)((set)*TL_TLB_ENTRIES * sizeof(struct tl_tlb_entry) +                                    \
			       __builtin_offsetof(struct tl_tlb_entry, field)))
static inline tl_i32 tl_code_tag_at(enum tl_look look, tl_u32 set)
{
	return look == TL_LOOK_LOAD ? TL_ENTRY_AT(set, load) : TL_ENTRY_AT(set, store);
}

/* Registers of the hart that stand in registers of the host: -1 for the others. */
extern const tl_i8 tl_pinned[32], tl_pinned_float[32];

/* translator_code.c: memory for code, and the routines at its start. */
TL_CHECKED enum tl_status tl_code_create(struct tl_translator *translator, struct tl_error *error);
void tl_code_destroy(struct tl_translator *translator);
void tl_code_routines(struct tl_translator *translator);
/* How many bytes of it are in use; and whether there is no room for another unit. */
tl_u32 tl_code_used(const struct tl_translator *translator);
bool tl_code_is_full(const struct tl_translator *translator);
/* Sets up what translated code finds in a hart. */
void tl_code_hart(struct tl_translator *translator, struct tl_hart *hart);

/* translator_blocks.c: which blocks there are. */
TL_CHECKED enum tl_status tl_blocks_create(struct tl_translator *translator, struct tl_error *error);
void tl_blocks_destroy(struct tl_translator *translator);
/* The number of the mapping; 0 when there is no room for more. */
tl_u32 tl_blocks_mapping(struct tl_translator *translator, tl_u64 virtual_page, tl_u64 physical_page,
			 const tl_u8 *bytes);
/* The block that begins there, TL_NO_BLOCK if none. */
tl_u32 tl_blocks_find(const struct tl_translator *translator, tl_u64 pc, tl_u32 mapping, tl_u32 second_mapping,
		      tl_u8 key);
/* Makes block number block_count findable, and its pages known for code. */
void tl_blocks_add(struct tl_translator *translator);
void tl_blocks_cover(struct tl_translator *translator, tl_u32 number);
void tl_blocks_empty(struct tl_translator *translator);

/*
 * translator.c. The page of code at an address, as the hart sees it now: the number of its mapping, 0 when it
 * cannot be had (the interpreter then finds out why).
 */
tl_u32 tl_translator_page(struct tl_translator *translator, struct tl_hart *hart, tl_u64 address);
/* Whether the instruction at an address of the page goes on on the next one, which is not to be asked for otherwise. */
static inline bool tl_translator_reaches_on(const struct tl_translator *translator, tl_u32 mapping, tl_u64 address)
{
	return (address & (TL_PAGE_SIZE - 1)) == TL_PAGE_SIZE - 2 &&
	       (translator->mappings[mapping].bytes[TL_PAGE_SIZE - 2] & 3) == 3;
}
/* What routines call: they yield 0 to leave translated code. */
tl_u32 tl_translator_step(struct tl_hart *hart, tl_u64 unused, tl_u64 info, tl_u64 pc);
tl_u32 tl_translator_point(struct tl_hart *hart, tl_u64 unused, tl_u64 info, tl_u64 pc);
tl_u32 tl_translator_access(struct tl_hart *hart, tl_u64 address, tl_u64 info, tl_u64 pc);

/* What helpers are told beside the address and the program counter. */
#define TL_INFO_REFUND 0xffu                   /* instructions of the block that follow this one */
#define TL_INFO_LENGTH(info) ((info) >> 8 & 7) /* of the instruction */
#define TL_INFO_REGISTER(info) ((info) >> 11 & 31)
#define TL_INFO_SIZE(info) (1u << ((info) >> 16 & 3))
#define TL_INFO_SIGNED (1u << 18)
#define TL_INFO_STORE (1u << 19)
#define TL_INFO_FLOAT (1u << 20)
#define TL_INFO_LEAVE (1u << 21) /* step: leave in any case */

/* translator_unit.c: translates the block at hart->pc, and some that follow. Its number, TL_NO_BLOCK if none. */
tl_u32 tl_translator_unit(struct tl_translator *translator, struct tl_hart *hart, tl_u32 mapping, tl_u8 key);

#endif

/*
 * The translator: RV64GC with Zba, Zbb and Zbs to x86-64, in one pass, block by block.
 *
 * One translator serves all harts of a machine, which run in turn in one thread; everything here belongs to that
 * thread. What it does is what the interpreter does, instruction for instruction, and anything rare is handed to the
 * interpreter. On hosts other than x86-64 there is no translator: tl_translator_create fails, and the interpreter runs.
 */
#ifndef TL_TARGETS_EMULATOR_TRANSLATOR_H
#define TL_TARGETS_EMULATOR_TRANSLATOR_H

#include "base/error.h"
#include "targets/emulator/hart.h"

struct tl_translator;

/* What was done so far. */
struct tl_translator_counters {
	tl_u64 blocks;      /* translated, since the start */
	tl_u64 present;     /* and still there */
	tl_u64 code_bytes;  /* of memory for code that are in use */
	tl_u64 dropped;     /* because what they were made from changed */
	tl_u64 emptied;     /* times that all code was thrown away, to make room */
	tl_u64 entered;     /* times that translated code was entered from outside */
	tl_u64 interpreted; /* instructions that the interpreter carried out, between blocks */
	tl_u64 helped;      /* instructions that it carried out inside of them */
	tl_u64 asked;       /* times that a breakpoint was asked whether it halts the hart */
	tl_u64 slow;        /* loads and stores that went the long way */
};

/*
 * TL_ERROR_UNSUPPORTED on other hosts than x86-64, TL_ERROR_SYSTEM when there is no memory that may hold code. The
 * caller frees it with tl_translator_destroy, while the harts that ran in it are still there.
 */
TL_CHECKED enum tl_status tl_translator_create(struct tl_translator **translator_ret, struct tl_error *error);
void tl_translator_destroy(struct tl_translator *translator);

/*
 * Means what tl_interpreter_run means, and does exactly the same to the hart. The first run of a hart makes it one of
 * the translator's, up to 64 of them; it stays at its address.
 */
tl_u64 tl_translator_run(struct tl_translator *translator, struct tl_hart *hart, tl_u64 count);

/* [physical, physical + size) of the machine's memory was written, by anyone: code that came from there is dropped. */
void tl_translator_memory_changed(struct tl_translator *translator, tl_u64 physical, tl_u64 size);

/* A breakpoint was set or removed at an address, or its conditions changed: the blocks that cover it are dropped. */
void tl_translator_point_changed(struct tl_translator *translator, tl_u64 address);
/* Points or triggers were set or removed that no single address tells: all blocks are. */
void tl_translator_all_changed(struct tl_translator *translator);

/* Whether code of this page of memory was translated: stores to it must be seen. */
bool tl_translator_has_code(const struct tl_translator *translator, tl_u64 physical);

/* Whether this number, of those in hart->translated.pages, is for that virtual page. */
bool tl_translator_is_page(const struct tl_translator *translator, tl_u32 number, tl_u64 page);

/*
 * How much memory code may take, in bytes, before all of it is thrown away: what there is unless this says otherwise,
 * and never less than a block needs.
 */
void tl_translator_set_room(struct tl_translator *translator, tl_u32 bytes);

/* How often the interpreter runs code before it is translated: 2 unless this says otherwise; 0: never. */
void tl_translator_set_heat(struct tl_translator *translator, tl_u32 runs);

struct tl_translator_counters tl_translator_count(const struct tl_translator *translator);

#endif

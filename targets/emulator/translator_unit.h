/*
 * What is translated at once, and where the pieces of it (translator_integer.c and its siblings) write it.
 */
#ifndef TL_TARGETS_EMULATOR_TRANSLATOR_UNIT_H
#define TL_TARGETS_EMULATOR_TRANSLATOR_UNIT_H

#include "targets/emulator/translator_internal.h"

/* Code that is seldom run, and stands apart from the unit. */
enum tl_cold_kind {
	TL_COLD_ACCESS, /* a load or a store that goes the long way */
	TL_COLD_STEP,   /* the interpreter does the instruction */
	TL_COLD_POINT,  /* whether the hart halts here is asked */
	TL_COLD_LINK,   /* an exit that is not aimed yet */
	TL_COLD_NAN,    /* a result that is no number becomes the canonical one */
};

/* An address: a register of the host, and what is added to it. */
struct tl_place {
	tl_u8 base;
	tl_i32 offset;
};

struct tl_cold {
	tl_u8 kind;
	tl_u8 target;       /* NAN: the host's register */
	tl_u8 look;         /* ACCESS and STEP, for one that was looked up in line: 1 + enum tl_look; else 0 */
	tl_u32 site, site2; /* jumps that come here; site2 may be 0 */
	tl_u32 back;        /* where it goes on */
	tl_u64 pc;
	tl_u32 block;
	tl_u32 info; /* LINK: which exit; NAN: which constant */
	tl_u16 index;
	struct tl_place place; /* ACCESS: whose address goes into rax; {0}: it is there */
};

#define TL_COLD_MAX (TL_UNIT_BLOCKS_MAX * (TL_BLOCK_LENGTH_MAX * 12 + 4)) /* half of them in copies of regions */

/* Accesses by one register, from one in the block on: [low, end) is what they reach of its value (translator_span.c).
 */
struct tl_span {
	tl_u8 base;  /* 0: none */
	bool stores; /* some of them */
	bool kept;   /* in hart->translated.spans, for those that do not find it in rcx any more */
	tl_u16 last; /* index of the last one */
	tl_i32 low, end;
};

/* Instructions of a block with spans that overlap, and what is known at the first of them. */
struct tl_region {
	tl_u64 pc;
	tl_u32 block, back; /* back: where the copy goes on */
	tl_u16 index, last;
	tl_u32 first_way;
	tl_u32 boxed, known;
	tl_u64 values[32];
};

/* A shift by a number that waits until its result is asked for (translator_deferred.c). */
struct tl_shift {
	tl_u16 operation;
	tl_u8 from, by;
};

/* A jump to the copy of a region, at an instruction. */
struct tl_way {
	tl_u32 site;
	tl_u64 pc;
};
#define TL_REGIONS_MAX 32
#define TL_WAYS_MAX 128

struct tl_unit {
	struct tl_translator *translator;
	struct tl_hart *hart;
	struct tl_x86 *code;
	const tl_u8 *bytes; /* of the page */
	tl_u32 number;      /* of the block that is being translated */
	struct tl_block *block;
	tl_u32 mapping;
	tl_u8 key;

	tl_u64 pc; /* of the instruction */
	struct tl_riscv_instruction is;
	tl_u16 index; /* of it in its block */
	bool ended;   /* it was the block's last */
	bool falls;   /* the next instruction may follow it */
	tl_u32 boxed; /* registers of floating point that are known to hold a single in its box */
	tl_u32 known; /* registers whose value is known */
	tl_u64 values[32];

	tl_u8 in_rax;    /* the register whose value is there, as long as no code was written since; 0: none */
	tl_u32 rax_at;   /* where that was */
	tl_u32 deferred; /* registers whose value waits: shifts says what it will be */
	struct tl_shift shifts[32];

	tl_u32 conditions; /* bytes of code of translated conditions */

	struct tl_span spans[TL_SPANS_MAX];
	tl_u8 in_rcx; /* 1 + the span whose place is there; else 0 */
	bool in_span; /* the access that is being translated */
	bool copying; /* a region: each access is looked up by itself */
	tl_u32 region_count, way_count;

	struct {
		tl_u32 block, budget, guard, second_guard; /* sites */
	} heads[TL_UNIT_BLOCKS_MAX];
	tl_u32 head_count;
	tl_u32 cold_count;
	struct tl_cold cold[TL_COLD_MAX];
	struct tl_region regions[TL_REGIONS_MAX];
	struct tl_way ways[TL_WAYS_MAX];
};

static inline struct tl_x86_operand tl_unit_in_hart(tl_i32 at)
{
	return tl_x86_m(TL_RBP, at);
}

/* A register of the hart as an operand: in a register of the host, or in memory. x0 is in memory, and 0. */
static inline struct tl_x86_operand tl_unit_x(tl_u8 number)
{
	return tl_pinned[number] >= 0 ? tl_x86_r((tl_u8)tl_pinned[number]) : tl_unit_in_hart(TL_AT(x) + 8 * number);
}

/*
 * Whether rax holds a register that is not pinned: the instruction before has just made it there, and nothing can come
 * in between. It need not be loaded then.
 */
static inline bool tl_unit_has_rax(const struct tl_unit *unit, tl_u8 number)
{
	return number != 0 && unit->in_rax == number && unit->rax_at == unit->code->at;
}

/* A register of the host that holds it: its own, or `scratch`, loaded. Flags stay as they are. */
static inline tl_u8 tl_unit_use(struct tl_unit *unit, tl_u8 number, tl_u8 scratch)
{
	if (tl_pinned[number] >= 0)
		return (tl_u8)tl_pinned[number];
	if (scratch == TL_RAX && tl_unit_has_rax(unit, number))
		return scratch;
	if (number == 0)
		tl_x86_set(unit->code, scratch, 0);
	else
		tl_x86_op(unit->code, TL_X86_MOV | TL_X86_W, scratch, tl_unit_x(number));
	return scratch;
}

/* It, in `scratch` in any case. */
static inline void tl_unit_take(struct tl_unit *unit, tl_u8 number, tl_u8 scratch)
{
	tl_u8 from = tl_unit_use(unit, number, scratch);

	if (from != scratch)
		tl_x86_op(unit->code, TL_X86_MOV | TL_X86_W, scratch, tl_x86_r(from));
}

/* The low half of it, in eax; what is above it is anything. */
static inline void tl_unit_take_word(struct tl_unit *unit, tl_u8 number)
{
	if (!tl_unit_has_rax(unit, number))
		tl_x86_op(unit->code, TL_X86_MOV, TL_RAX, tl_unit_x(number));
}

/* Where a result for it is to be made, and what puts it there when it was made in `scratch`. */
static inline tl_u8 tl_unit_result(tl_u8 number, tl_u8 scratch)
{
	return tl_pinned[number] >= 0 ? (tl_u8)tl_pinned[number] : scratch;
}

static inline void tl_unit_put(struct tl_unit *unit, tl_u8 number, tl_u8 from)
{
	if (number == 0)
		return;
	if (tl_pinned[number] < 0) {
		tl_x86_op(unit->code, TL_X86_STORE | TL_X86_W, from, tl_unit_x(number));
		unit->in_rax = from == TL_RAX ? number : 0;
		unit->rax_at = unit->code->at;
	} else if ((tl_u8)tl_pinned[number] != from) {
		tl_x86_op(unit->code, TL_X86_MOV | TL_X86_W, (tl_u8)tl_pinned[number], tl_x86_r(from));
	}
}

/* A number becomes the value of a register. */
void tl_unit_set(struct tl_unit *unit, tl_u8 number, tl_u64 value);

/* Code for the cold part; `back` is set to here. */
struct tl_cold *tl_unit_cold(struct tl_unit *unit, enum tl_cold_kind kind, tl_u32 site);

/* The interpreter does the instruction, with others of the block behind it; `leave`: and translated code is left. */
void tl_unit_step(struct tl_unit *unit, bool leave);
/* It does so when a condition holds, instead of what follows up to tl_unit_stepped, of which the job is told. */
struct tl_cold *tl_unit_step_if(struct tl_unit *unit, enum tl_x86_condition condition, bool leave);
static inline void tl_unit_stepped(struct tl_unit *unit, struct tl_cold *cold)
{
	cold->back = unit->code->at;
}

/*
 * Looks for the translation of an address: rcx is then what is to be added to it, and rdx is lost. Yields the jump
 * that is taken when it is not there, or the access reaches into the next page, or is not aligned and has to be.
 */
tl_u32 tl_unit_look_up(struct tl_unit *unit, struct tl_place place, tl_u32 size, enum tl_look look);
/* Where its entry in the TLB is, from the first of the set, into rcx. */
void tl_unit_entry_of(struct tl_unit *unit, struct tl_place place);

/*
 * Behind a store in line, where who remembers wants to know of it: marks the line whose address in this process is the
 * sum of rax and rcx, or rax alone. rax and rcx are free after that, and so are the flags (translator_lines.c).
 */
void tl_unit_mark_line(struct tl_unit *unit, bool add_rcx);

/* Bytes of a load or a store that is carried out in line; 0 for all else. */
tl_u32 tl_unit_access_size(const struct tl_unit *unit);
/* Whether it makes its result of its operands alone, with no other register of the host's than rax. */
bool tl_unit_is_simple(const struct tl_riscv_instruction *is);

/*
 * translator_span.c. Whether the access in unit->is is part of a span: rcx is then where its base register leads to,
 * and the access is to be made there. tl_span_behind is called behind each instruction.
 */
bool tl_span_access(struct tl_unit *unit, tl_u32 size);
/* As tl_unit_mark_line, behind a store of a span. */
void tl_span_mark_line(struct tl_unit *unit);
void tl_span_behind(struct tl_unit *unit);
void tl_span_begin_block(struct tl_unit *unit);
/* The copies of the unit's regions; what was known of the block is lost. */
void tl_span_copies(struct tl_unit *unit);

/*
 * translator_deferred.c. tl_deferred_translate: the instruction in unit->is waits, or was made together with what
 * waited; false: it is to be translated, and its operands are there. tl_deferred_before makes what has to be there
 * before it, and says whether anything may wait on behind it.
 */
bool tl_deferred_translate(struct tl_unit *unit);
bool tl_deferred_before(struct tl_unit *unit);
void tl_deferred_make_all(struct tl_unit *unit);

/* Translates the instruction in unit->is, which stands at unit->pc. */
void tl_unit_translate(struct tl_unit *unit);

/* Takes the instruction at unit->pc apart, into unit->is; false where none can be translated, or a breakpoint is. */
bool tl_unit_decode(struct tl_unit *unit);
/* The same, where it was done before: a breakpoint there does not matter. */
bool tl_unit_decode_again(struct tl_unit *unit);

/* A jump out of the block, to an address that is known. */
enum tl_exit_kind { TL_EXIT_JUMP, TL_EXIT_CALL, TL_EXIT_BRANCH };
void tl_unit_exit(struct tl_unit *unit, tl_u32 which, tl_u64 pc, enum tl_exit_kind kind,
		  enum tl_x86_condition condition);

/*
 * The pieces: each translates the instructions of its formats. False: it does not do this one, and the interpreter is
 * to be called.
 */
bool tl_translate_integer(struct tl_unit *unit);
bool tl_translate_bits(struct tl_unit *unit);
bool tl_translate_multiply(struct tl_unit *unit);
bool tl_translate_memory(struct tl_unit *unit);
bool tl_translate_atomic(struct tl_unit *unit);
bool tl_translate_control(struct tl_unit *unit);
bool tl_translate_jump(struct tl_unit *unit);
/* A branch whose operands were compared, if it is one that can be done without (translator_skip.c). */
bool tl_translate_skip(struct tl_unit *unit, enum tl_x86_condition condition);
bool tl_translate_float(struct tl_unit *unit);
/* What stands in front of an instruction with a breakpoint. */
void tl_translate_point(struct tl_unit *unit);

#endif

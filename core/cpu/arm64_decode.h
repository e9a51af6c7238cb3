/*
 * The instructions of AArch64, taken apart as far as a debugger needs: where they lead, what they do to memory and
 * where, and what it takes to carry them out elsewhere. Pure; any thread.
 *
 * Source: Arm Architecture Reference Manual (DDI 0487), chapter C4 "A64 Instruction Set Encoding".
 */
#ifndef TL_CORE_CPU_ARM64_DECODE_H
#define TL_CORE_CPU_ARM64_DECODE_H

#include "core/cpu/cpu.h"
#include "core/status.h"
#include "core/types.h"

/* What an instruction is. */
enum tl_arm64_kind {
	TL_ARM64_OTHER, /* goes on behind itself, and does not care where it stands */
	TL_ARM64_HINT,  /* does nothing that a debugger could see: nop, yield, bti */
	TL_ARM64_ADR,   /* adr, adrp: `immediate` from the instruction, or from its page */
	TL_ARM64_ADRP,
	TL_ARM64_B,
	TL_ARM64_BL,
	TL_ARM64_B_COND, /* `condition` */
	TL_ARM64_CBZ,    /* cbz and cbnz (`negated`), of `rt` */
	TL_ARM64_TBZ,    /* tbz and tbnz (`negated`), of bit `bit` of `rt` */
	TL_ARM64_BR,     /* to `rn` */
	TL_ARM64_BLR,
	TL_ARM64_RET,
	TL_ARM64_AUTHENTICATED, /* a jump, call or return (`flow`) that authenticates its address first */
	TL_ARM64_SVC,
	TL_ARM64_BRK,
	TL_ARM64_PRIVILEGED,       /* eret, hvc, hlt and their like */
	TL_ARM64_MOVE_WIDE,        /* movn, movz, movk */
	TL_ARM64_ADD_IMMEDIATE,    /* add, adds, sub, subs with a number */
	TL_ARM64_ADD_REGISTER,     /* the same of registers, shifted */
	TL_ARM64_LOGICAL_REGISTER, /* and, orr, eor, ands and their inverted forms, of registers, shifted */
	TL_ARM64_BITFIELD,         /* sbfm, bfm, ubfm: shifts by a number, extensions, parts of registers */
	TL_ARM64_LOAD_LITERAL,     /* of what stands at `immediate` from the instruction; prefetches among them */
	TL_ARM64_SINGLE,           /* ldr, str and their like of one general register, at a base and a number */
	TL_ARM64_PAIR,             /* ldp, stp of general registers */
	TL_ARM64_LOAD_EXCLUSIVE,
	TL_ARM64_STORE_EXCLUSIVE, /* `rs` becomes 0 where it stored, and 1 where not */
	TL_ARM64_CLEAR_EXCLUSIVE,
	TL_ARM64_KIND_MAX
};

/* How a load or store changes its base register. */
enum tl_arm64_indexing { TL_ARM64_OFFSET, TL_ARM64_PRE_INDEX, TL_ARM64_POST_INDEX };

struct tl_arm64_instruction {
	tl_u32 word;
	tl_u8 kind; /* enum tl_arm64_kind */
	tl_u8 flow; /* enum tl_flow */
	tl_u8 rt, rt2, rn, rm, rs;
	tl_u8 condition;  /* of b.cond */
	tl_u8 bit;        /* of tbz */
	bool negated;     /* cbnz, tbnz */
	bool wide;        /* 64 bits rather than 32 */
	tl_i64 immediate; /* signed distance of a branch or literal, or the offset of a load or store */

	/* Memory. */
	tl_u8 access;       /* enum tl_access */
	tl_u16 access_size; /* bytes, all registers together; 0 where it is not known */
	bool has_address;   /* the address is that of `rn` (31: sp), and what follows */
	bool has_index;     /* `rm` is added, extended by `extend` and shifted left by `shift` */
	tl_u8 extend;       /* the option field: 2 uxtw, 3 lsl, 6 sxtw, 7 sxtx */
	tl_u8 shift;
	tl_u8 indexing;     /* enum tl_arm64_indexing */
	tl_u8 element;      /* bytes that each register of a SINGLE or PAIR moves */
	bool sign_extended; /* to 64 bits, or to 32 where `wide` is not set */
	bool of_vectors;    /* the registers are not general ones */
	bool prefetch;
};

/* Takes one apart. TL_ERROR_INSTRUCTION for words that are no instruction and never will be one for programs. */
enum tl_status tl_arm64_decode(tl_u32 word, struct tl_arm64_instruction *instruction_ret);

/* Register `number` of a file as a number; 31 is zero, or the stack pointer where `stack` is set. */
tl_u64 tl_arm64_register(const tl_u8 *file, tl_u8 number, bool stack);

/*
 * The first byte that the instruction, not yet executed, will access with the registers in `file`; false where it
 * cannot be told. Tags of the address's upper byte are still in it.
 */
bool tl_arm64_access_address(const struct tl_arm64_instruction *instruction, const tl_u8 *file, tl_u64 *address_ret);

/* Whether a branch's condition holds: b.cond by pstate, cbz and tbz by a register. True for all others. */
bool tl_arm64_taken(const struct tl_arm64_instruction *instruction, const tl_u8 *file);

/* How far from a load-exclusive its store may be: what compilers and libraries write is much shorter. */
#define TL_ARM64_SEQUENCE_MAX 24
/* As many ends as debug registers can hold, and no more than a machine has at the least. */
#define TL_ARM64_ENDS_MAX 4

/* A load-exclusive and all up to its store, which no trap may come between: the exclusive monitor would be lost. */
struct tl_arm64_sequence {
	tl_u64 load;  /* where it begins */
	tl_u64 store; /* its store-exclusive */
	tl_u8 status; /* the register that says whether it stored: 0 */
	tl_u8 end_count;
	tl_u64 ends[TL_ARM64_ENDS_MAX]; /* all addresses at which it can be left; behind the store is the first */
};

/*
 * The sequence that begins with the load-exclusive at `address`. TL_ERROR_INSTRUCTION where there is none, or one that
 * cannot be overseen: calls, indirect jumps, too long, too many ways out. Reads code through `memory`, without traps.
 */
enum tl_status tl_arm64_sequence_at(tl_u64 address, const struct tl_memory_access *memory,
				    struct tl_arm64_sequence *sequence_ret);

/* The sequence whose store-exclusive stands at `address`, looked for backwards; as above. */
enum tl_status tl_arm64_sequence_of_store(tl_u64 address, const struct tl_memory_access *memory,
					  struct tl_arm64_sequence *sequence_ret);

/* Whether `address` is behind the load and not behind the store of such a sequence, which has no jump inside. */
bool tl_arm64_in_sequence(tl_u64 address, const struct tl_memory_access *memory);

#endif

/*
 * Call frame information: for an address of code, where the registers of the caller are (DWARF 5, section 6.4; LSB,
 * "Exception Frames"). Reads .eh_frame, with or without its .eh_frame_hdr, and .debug_frame, versions 1 to 5.
 *
 * This file knows no program: it turns bytes of the file into a *row*, rules that symbols/unwind.h applies to
 * registers and memory. Addresses are as linked, without load bias. Nothing in the sections is believed.
 *
 * A struct tl_call_frames is shared: any number of threads may ask it for rows at once. What it keeps besides the
 * sections (a sorted list of entries where there is no .eh_frame_hdr) is made at the first need, under a lock.
 */
#ifndef TL_SYMBOLS_CALL_FRAMES_H
#define TL_SYMBOLS_CALL_FRAMES_H

#include "base/error.h"
#include "core/types.h"
#include "symbols/image.h"

/* Rules for registers with higher DWARF numbers are read over: no convention saves them, and nobody could use them. */
#define TL_FRAME_REGISTERS_MAX 96

enum tl_rule_kind {
	TL_RULE_UNSPECIFIED,     /* not a word about it: as the calling convention has it */
	TL_RULE_UNDEFINED,       /* lost; of the return address: there is no caller */
	TL_RULE_SAME,            /* the caller's value is still in it */
	TL_RULE_OFFSET,          /* saved in memory at CFA + offset */
	TL_RULE_VALUE_OFFSET,    /* its value is CFA + offset */
	TL_RULE_REGISTER,        /* saved in register number `offset` */
	TL_RULE_EXPRESSION,      /* saved in memory at what `bytes` evaluate to, the CFA being on the stack first */
	TL_RULE_VALUE_EXPRESSION /* its value is what `bytes` evaluate to, likewise */
};

struct tl_rule {
	tl_u8 kind;  /* enum tl_rule_kind */
	tl_u32 size; /* of `bytes` */
	union {
		tl_i64 offset;
		const tl_u8 *bytes; /* of the section: lives as long as it */
	};
};

/* A row of the table that call frame information stands for: what holds for the addresses [start, end). */
struct tl_frame_row {
	tl_u64 start, end;
	tl_u64 function_start, function_end; /* what its entry covers, as a rule one function or a part of one */
	/* The canonical frame address: register `cfa_register` + cfa.offset, or the value of an expression. */
	struct tl_rule cfa; /* TL_RULE_REGISTER, TL_RULE_VALUE_EXPRESSION, or TL_RULE_UNSPECIFIED: none was given */
	tl_u64 cfa_register;
	tl_u64 return_register; /* the number whose rule leads to the return address */
	bool signal_frame;      /* the caller was interrupted, not called: its program counter is no return address */
	bool signed_return;     /* arm64: the return address carries a pointer authentication code */
	bool from_debug_frame;
	tl_u16 rule_count; /* those of registers from here on are TL_RULE_UNSPECIFIED */
	struct tl_rule rules[TL_FRAME_REGISTERS_MAX];
};

/* What is read, as section bytes; absent ones are empty. */
struct tl_frame_sections {
	struct tl_section_bytes eh_frame, eh_frame_header, debug_frame;
	tl_u8 address_size; /* 4 or 8 */
	tl_u16 machine;     /* EM_* */
};

struct tl_call_frames;

/*
 * Over the sections of an image, or over bytes, which the caller keeps until the close. That there is no call frame
 * information is no error. TL_ERROR_ARGUMENT: the address size is neither 4 nor 8.
 */
TL_CHECKED enum tl_status tl_call_frames_open(struct tl_call_frames **frames_ret, struct tl_image *image,
					      struct tl_error *error);
TL_CHECKED enum tl_status tl_call_frames_open_sections(struct tl_call_frames **frames_ret,
						       const struct tl_frame_sections *sections,
						       struct tl_error *error);

/* Gives it back; rows that it filled in stay valid as long as their sections. NULL is fine. */
void tl_call_frames_close(struct tl_call_frames *frames);

/*
 * The row for an address. .eh_frame is asked first, then .debug_frame. TL_ERROR_ARGUMENT: nothing is said about this
 * address. TL_ERROR_MALFORMED, TL_ERROR_UNSUPPORTED: something is, but it is damaged or not understood, and *row_ret
 * holds nothing of use.
 */
TL_CHECKED enum tl_status tl_call_frames_row(struct tl_call_frames *frames, tl_u64 address,
					     struct tl_frame_row *row_ret, struct tl_error *error);

/*
 * Calls back for the range [start, end) of every entry that can be read, .eh_frame's first, in the order of the
 * sections, until `call` returns false.
 */
void tl_call_frames_each(struct tl_call_frames *frames, bool (*call)(void *context, tl_u64 start, tl_u64 end),
			 void *context);

#endif

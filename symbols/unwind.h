/*
 * The frames of a stopped thread, from the innermost outwards.
 *
 * The caller's registers are found by call frame information (symbols/call_frames.h). Where there is none, they are
 * guessed: from the frame pointer, from the return address on top of the stack, or by looking for one further up; a
 * guess is taken only when its return address stands behind a call instruction, and the frame is marked. Stacks and
 * debug information are believed as far as they make sense: unwinding ends, with the reason in words, where frames
 * repeat themselves, go back, leave the code, or where memory cannot be read.
 *
 * Nothing is kept between calls, and no storage is taken but by call frame information. A struct tl_frame can be copied
 * and kept as long as the thread stands. Any thread, as far as the callbacks allow it.
 */
#ifndef TL_SYMBOLS_UNWIND_H
#define TL_SYMBOLS_UNWIND_H

#include "base/error.h"
#include "core/cpu/cpu.h"
#include "symbols/call_frames.h"
#include "symbols/dwarf_expression.h"

/* What is known of an address of code. Addresses are those of the program: with load bias. */
struct tl_unwind_code {
	bool executable;               /* code may stand there */
	struct tl_call_frames *frames; /* of its module; NULL when there is none */
	tl_u64 bias;                   /* of its module: address in the program minus address as linked */
	tl_u64 function;               /* where the function at this address begins, as symbols say; 0: not known */
};

/* A stopped thread. All belongs to the caller, who must keep it while frames are asked for. */
struct tl_unwinder {
	const struct tl_cpu *cpu;
	const tl_u8 *file; /* the thread's registers: a register file of the CPU */
	struct tl_memory_access memory;
	/* Fills in what is known of an address; what is not set by it is zero. */
	void (*code_at)(void *context, tl_u64 address, struct tl_unwind_code *code_ret);
	void *context;
};

/* Where the value of a register of some frame is. */
enum tl_register_state {
	TL_REGISTER_UNKNOWN, /* lost */
	TL_REGISTER_THREAD,  /* in the thread's own register of that name */
	TL_REGISTER_MEMORY,  /* saved in memory at `where` */
	TL_REGISTER_VALUE,   /* nowhere, but it is `where` */
	TL_REGISTER_MOVED    /* in the thread's own register with number `where` */
};

/* How a frame was found. */
enum tl_frame_origin {
	TL_ORIGIN_THREAD,        /* it is the thread's own */
	TL_ORIGIN_CALL_FRAMES,   /* by call frame information */
	TL_ORIGIN_SIGNAL,        /* from what the kernel saved for a signal handler that was recognised by its code */
	TL_ORIGIN_FRAME_POINTER, /* a guess, as all that follow */
	TL_ORIGIN_STACK_POINTER,
	TL_ORIGIN_SCAN
};

struct tl_frame {
	tl_u32 level; /* 0: the innermost */
	enum tl_frame_origin origin;
	bool signal;        /* a signal trampoline, as tl_unwind_next finds: its caller was interrupted */
	bool interrupted;   /* its program counter is where it stands, not where a call returns to */
	bool authenticated; /* arm64: its program counter was found with an authentication code in it */
	tl_u64 program_counter;
	tl_u64 lookup;      /* the address to look up lines, scopes and variables by: inside the call, not behind it */
	bool address_known; /* the next field is set: by tl_unwind_next, or here by tl_frame_address */
	tl_u64 frame_address; /* the canonical frame address: the stack pointer before the call of this function */
	/* By DWARF number: enum tl_register_state, and whether a callee was free to change the register since. */
	tl_u8 state[TL_FRAME_REGISTERS_MAX];
	bool stale[TL_FRAME_REGISTERS_MAX];
	tl_u64 where[TL_FRAME_REGISTERS_MAX];
	/* Of the frame that it called, for the checks: its canonical frame address, if that has to be lower. */
	bool inner_known;
	tl_u64 inner_address;
	/* One of the frames before, against frames that repeat themselves. */
	tl_u32 mark_level;
	tl_u64 mark_counter, mark_address;
};

/* How tl_unwind_next ended. */
enum tl_unwind_end {
	TL_UNWIND_GOES_ON,   /* there is a caller */
	TL_UNWIND_OUTERMOST, /* there is none: the debug information says so, or the return address is 0 */
	TL_UNWIND_NO_INFORMATION,
	TL_UNWIND_NO_CODE, /* the program counter is at no code: the return address was overwritten, as a rule */
	TL_UNWIND_DAMAGED, /* the debug information makes no sense */
	TL_UNWIND_MEMORY,  /* the stack cannot be read */
	TL_UNWIND_CORRUPT, /* frames repeat themselves, or the stack goes back */
	TL_UNWIND_UNSUPPORTED
};

/* A guess may be wrong, and all that is outside of it. */
static inline bool tl_frame_guessed(const struct tl_frame *frame)
{
	return frame->origin >= TL_ORIGIN_FRAME_POINTER;
}

/* The innermost frame. TL_ERROR_UNSUPPORTED: nothing is known of this CPU's calling convention. */
TL_CHECKED enum tl_status tl_unwind_first(const struct tl_unwinder *unwinder, struct tl_frame *frame_ret,
					  struct tl_error *error);

/*
 * The frame that called `frame`, which gets its canonical frame address on the way. Anything but TL_UNWIND_GOES_ON is
 * the end, *caller_ret then holds nothing of use, and `error` has a sentence that says why.
 */
enum tl_unwind_end tl_unwind_next(const struct tl_unwinder *unwinder, struct tl_frame *frame,
				  struct tl_frame *caller_ret, struct tl_error *error);

/* The canonical frame address of a frame, without unwinding it. An error says why there is none. */
TL_CHECKED enum tl_status tl_frame_address(const struct tl_unwinder *unwinder, const struct tl_frame *frame,
					   tl_u64 *address_ret, struct tl_error *error);

/*
 * The first `size` bytes (up to 64) of a register in a frame, by its DWARF number, little-endian. TL_ERROR_REGISTER:
 * its value there is not known, or there is no such register. `stale` values are taken only if the caller asks for
 * them: they are those of the frame inside, and right only if the function there left the register alone.
 */
TL_CHECKED enum tl_status tl_frame_register(const struct tl_unwinder *unwinder, const struct tl_frame *frame,
					    tl_u64 number, bool stale, void *buffer, tl_size size,
					    struct tl_error *error);

/* What expressions are evaluated against: the callbacks of a struct tl_expression_context take one as context. */
struct tl_frame_view {
	const struct tl_unwinder *unwinder;
	const struct tl_frame *frame;
};

/*
 * Fills in what a frame gives to expressions: registers (no stale ones), memory, the canonical frame address, with
 * `view` as the context, which must outlive *context_ret. `bias` is that of the frame's module.
 */
void tl_frame_expressions(const struct tl_frame_view *view, tl_u64 bias, struct tl_expression_context *context_ret);

#endif

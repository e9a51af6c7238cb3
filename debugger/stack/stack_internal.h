/* What the files of debugger/stack share. */
#ifndef TL_DEBUGGER_STACK_INTERNAL_H
#define TL_DEBUGGER_STACK_INTERNAL_H

#include "base/arena.h"
#include "debugger/stack/kept_frame.h"
#include "debugger/stack/stack.h"

#define TL_STACK_PAGE ((tl_size)4096)
#define TL_STACK_PAGES 4
/* Read at first: most stops want a frame or two, and a line may be slow. */
#define TL_STACK_PART ((tl_size)256)

/* A part of a page of the stack's memory, read once for all the frames in it. */
struct tl_stack_page {
	tl_u64 address; /* of the part's first byte */
	tl_size size;   /* of the part; 0: nothing is known */
	tl_u8 bytes[TL_STACK_PAGE];
};

/* A frame, and whose it is: the context of its variables' callbacks. */
struct tl_stacked_frame {
	struct tl_stack_frame shown;
	struct tl_stack *stack;
};

struct tl_stack {
	struct tl_engine *engine;
	struct tl_thread_id thread;
	struct tl_modules *modules;
	const struct tl_cpu *cpu;
	struct tl_places *places;
	bool own_places, past_main;
	tl_u32 skipped, frames_max;
	struct tl_unwinder unwinder;    /* reads through the pages */
	struct tl_memory_access memory; /* reads anew */
	struct tl_arena arena;

	struct tl_stacked_frame **frames;
	tl_size count, capacity;
	/* The last machine's frame that was put among the frames, and what called it, if `end` says that it goes on. */
	struct tl_frame front, next;
	const struct tl_kept_frame *front_kept;
	const struct tl_spot *front_place; /* NULL: a signal's */
	enum tl_unwind_end end;
	struct tl_error why;
	bool begun, ended;
	const char *reason;
	struct tl_stack_page pages[TL_STACK_PAGES];
	tl_size part; /* how much is read next; 0: TL_STACK_PART */
};

#endif

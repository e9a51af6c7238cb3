/*
 * The stack of a stopped thread as people see it: a frame for each function, those inlined into another included, with
 * the line at which it stands.
 *
 * Frames are unwound when they are asked for, and kept until the stack is closed, which must be before the thread runs
 * on. An inlined function is a frame of its own in front of the function that it was inlined into (the machine's frame
 * is the same). Where code of an inlined function begins at the very address at which a thread stopped, whoever stops
 * it may hide those frames ("skipped" of tl_stack_open), so that one arrives at the line of the call first, as in gdb.
 * Control thread only.
 */
#ifndef TL_DEBUGGER_STACK_H
#define TL_DEBUGGER_STACK_H

#include "core/engine/engine.h"
#include "debugger/modules/places.h"
#include "symbols/location.h"

struct tl_stack;
struct tl_kept_frame;

struct tl_stack_frame {
	tl_u32 level; /* 0: the innermost */
	bool inlined;
	bool tail_called;   /* no frame of its own is left: the call that led here was a jump (call-site information) */
	bool signal;        /* <signal handler called> */
	bool authenticated; /* the address that it is returned to was signed (arm64) */
	bool guessed;       /* found by a guess: it and all outside of it may be wrong */
	const struct tl_kept_frame *machine; /* shared with the frames inlined in it; see tl_stack_machine */
	tl_u64 program_counter, lookup; /* the latter is what to look up by: inside the call for frames that called */
	const struct tl_module *module; /* NULL: no module has this code */
	/* The scopes around `lookup`, innermost first; those of this frame are [first, last], the last its function. */
	const struct tl_scope_chain *chain;
	tl_size first, last;
	bool has_function;     /* debug information knows the function: chain->scopes[last] */
	const char *name;      /* with scopes (and demangled), or of the symbol; NULL: "??". Belongs to the stack */
	bool from_symbol;      /* the name comes from a symbol table, not from debug information */
	tl_u64 function_start; /* 0: not known */
	/* The line: at the row for `lookup`, or, in a frame that inlined the one inside, where that was called. */
	const char *file;      /* as the line table has it, whole path; NULL: not known. Belongs to the stack */
	const char *file_name; /* the same as the compiler was told it, which is what gdb shows */
	tl_u32 line;           /* 0: not known */
	bool mid_line; /* the program counter is not the first address of its line: gdb shows the address then */
	/* What tells this activation from any other while it lasts (GDB manual, "Frames"): the canonical frame address
	 * and the function's start; inlined frames have the depth besides. */
	tl_u64 frame_address;
	tl_u32 inline_depth; /* 0: not inlined, 1: into that, … */
	tl_u32 tail_depth;   /* of those without a frame of their own: how far outside of the one that has it; else 0 */
};

/* All zero is what tl_stack_open does. */
struct tl_stack_options {
	tl_u32 skipped;
	bool past_main;    /* goes on behind `main`, which the C library's start called; gdb's `backtrace past-main` */
	tl_u32 frames_max; /* ends there, as if nothing had called the last one; 0: no limit */
	/* Kept from one stack to the next, which saves looking the same functions up again. NULL: its own. It must
	 * outlive the stack, and be of the same modules. */
	struct tl_places *places;
};

/*
 * The stack of a stopped thread. `skipped`: how many inlined functions that begin right at the program counter are not
 * shown. The engine and modules must outlive it; the caller closes.
 */
TL_CHECKED enum tl_status tl_stack_open(struct tl_stack **stack_ret, struct tl_engine *engine,
					struct tl_thread_id thread, struct tl_modules *modules, tl_u32 skipped,
					struct tl_error *error);
/* The same, in other ways. The options are copied. */
TL_CHECKED enum tl_status tl_stack_open_with(struct tl_stack **stack_ret, struct tl_engine *engine,
					     struct tl_thread_id thread, struct tl_modules *modules,
					     const struct tl_stack_options *options, struct tl_error *error);
/* NULL is fine. */
void tl_stack_close(struct tl_stack *stack);

/* How many inlined functions begin right at the innermost frame's program counter: the most that can be skipped. */
TL_CHECKED enum tl_status tl_stack_inlined_here(struct tl_stack *stack, tl_u32 *count_ret, struct tl_error *error);

/*
 * The frame at a level. TL_ERROR_ARGUMENT: the stack ends before it. Frames stay where they are until the stack is
 * closed.
 */
TL_CHECKED enum tl_status tl_stack_frame(struct tl_stack *stack, tl_u32 level, const struct tl_stack_frame **frame_ret,
					 struct tl_error *error);

/*
 * Why the stack ended, once tl_stack_frame said that it does: NULL where it ended as it should (main's caller, a
 * thread's start), else a sentence ("previous frame inner to this frame (corrupt stack?)").
 */
const char *tl_stack_end(const struct tl_stack *stack);

/*
 * The machine's frame behind one: registers can be asked of it (tl_frame_register), but it cannot be unwound further.
 * That of a frame that is tail_called is as it was when it jumped.
 */
void tl_stack_machine(const struct tl_stack *stack, const struct tl_stack_frame *frame, struct tl_frame *machine_ret);

/*
 * What symbols/location.h wants of a frame. Valid as long as the stack; memory is read anew each time, but frames stay
 * as they were unwound: after registers or what is saved on the stack was written, another stack is to be opened.
 */
TL_CHECKED enum tl_status tl_stack_variables(struct tl_stack *stack, const struct tl_stack_frame *frame,
					     struct tl_variable_frame *variables_ret, struct tl_error *error);

/*
 * A register as it is in a frame, by its index in the CPU's table; callee-saved ones where they were saved.
 * TL_ERROR_REGISTER: its value there is not known. To write it: `memory_ret` is where it was saved, 0 when it is the
 * thread's own register still, TL_STACK_NOWHERE when it is neither (the stack pointer of a caller).
 */
#define TL_STACK_NOWHERE TL_U64_MAX
TL_CHECKED enum tl_status tl_stack_register(struct tl_stack *stack, const struct tl_stack_frame *frame, tl_u16 index,
					    void *buffer, tl_size size, tl_u64 *memory_ret, struct tl_error *error);

/*
 * The address, in the stack's thread, of what stands at `offset` of a module's thread-local storage. Errors as those of
 * tl_thread_storage_address.
 */
TL_CHECKED enum tl_status tl_stack_thread_storage(struct tl_stack *stack, const struct tl_module *module, tl_u64 offset,
						  tl_u64 *address_ret, struct tl_error *error);

/* The same activation: frame address and function are the same, and the depth of inlining. */
bool tl_stack_same(const struct tl_stack_frame *left, const struct tl_stack_frame *right);

/* The thread whose frames these are, and its CPU. Control thread. */
const struct tl_cpu *tl_stack_cpu(const struct tl_stack *stack);
struct tl_thread_id tl_stack_thread(const struct tl_stack *stack);

#endif

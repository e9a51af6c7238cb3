/*
 * Plans that run a thread by lines and functions: step, next, until, finish and their like, as a state machine that is
 * asked after every internal stop whether the thread goes on, and how. Part of a session.
 *
 * The rules are gdb's (GDB manual, "Continuing and Stepping"), down to which of two lines at one address counts, since
 * fingers and scripts rely on them: a step ends at the first instruction of a statement of another line; a line that is
 * entered in its middle is run to its end; functions without lines are run through; an inlined function is stepped into
 * and over as if it had been called.
 *
 * Backwards the same machine runs the other way: a step ends at the first instruction of the line that it came to by
 * its end, a function is entered by its return and left by its call.
 */
#ifndef TL_DEBUGGER_STEPS_H
#define TL_DEBUGGER_STEPS_H

#include "core/types.h"
#include "debugger/modules/modules.h"

struct tl_session;
struct tl_type;

/* What tells a frame from any other while it lasts. */
struct tl_frame_identity {
	tl_u64 frame_address; /* the canonical frame address of the machine's frame */
	tl_u64 outer;         /* where the function begins that it was called as */
	tl_u64 function;      /* where the function begins: another one than `outer` if it was inlined */
	tl_u32 depth;         /* how many functions it is inlined into */
};

/* What the thread is waited for at. */
enum tl_steps_wait {
	TL_WAIT_NONE,
	TL_WAIT_STEP,     /* to go on with the step */
	TL_WAIT_FUNCTION, /* the beginning of a function that is stepped into */
	TL_WAIT_BODY,     /* behind its prologue: the step ends there */
	TL_WAIT_RETURN,   /* the end of a finish, until or advance */
	TL_WAIT_CALL      /* backwards: the beginning of the function that is finished; its call is one step away */
};

#define TL_STEPS_PATH_MAX 4096

struct tl_steps {
	bool active;
	bool back;                      /* time runs backwards */
	bool over;                      /* calls are one step */
	bool instructions;              /* stepi and nexti */
	bool until;                     /* never backwards: the range begins with the function */
	bool signalled;                 /* it began with a signal for the thread, and has not stopped since */
	tl_u64 left;                    /* how many more steps after this one */
	tl_u64 start, end;              /* the code that is not worth a stop; equal: every instruction is */
	struct tl_frame_identity frame; /* that is stepped in */
	tl_u64 first_function;          /* that was called, when the command began */
	/* The line that is left; 0: none. */
	char path[TL_STEPS_PATH_MAX];
	tl_u32 line;
	enum tl_steps_wait wait;
	tl_u64 wait_address;
	tl_u64 wait_frame; /* the frame address to wait for; 0: any frame will do */
	/* While the beginning of a function is waited for: where the call returns to, in case it leads elsewhere. */
	tl_u64 return_address, return_frame;
	const struct tl_type *returned; /* finish: what the function returns; NULL: not known */
	tl_u64 returned_at; /* where, if it is in memory and the function need not say where; 0: not known */
	/* Where it ended: inlined frames that are hidden, and whether it is another frame or function than before. */
	tl_u32 skipped;
	bool new_frame;
};

enum tl_steps_verdict {
	TL_STEPS_ON,  /* the thread goes on: tl_steps_action says how */
	TL_STEPS_DONE /* the step is done */
};

#endif

/*
 * The emulated machine as a target: harts are the threads 1, 2, … of process 1.
 *
 * The machine runs in a thread of its own, in which points change and guest memory is written while it runs; what it
 * stops for comes to the control thread through a mailbox. All functions here are for the control thread.
 */
#ifndef TL_TARGETS_EMULATOR_TARGET_H
#define TL_TARGETS_EMULATOR_TARGET_H

#include "base/error.h"
#include "base/loop.h"
#include "core/engine/target.h"
#include "machine/board_options.h"
#include "machine/run_state.h"

/* What the machine is made of. Texts are copied. */
struct tl_emulator_options {
	tl_u32 harts;                  /* 0: 1 */
	const char *program;           /* a bare-metal program, an ELF file; or NULL, with a kernel or firmware */
	const char *firmware;          /* NULL: with a kernel Debian's OpenSBI, else none */
	struct tl_board_options board; /* of 128 MiB, unless it says how much */
	bool interpret;                /* rather than translate */
	bool forgets;                  /* nothing is kept of the past: it cannot be gone back to */
	const char *seed;              /* of random bytes, hexadecimal digits; NULL: the host makes one */
	const char *signature;         /* of a test program: a file that its results are written to; NULL: none */
	/*
	 * Files: the run goes into `record` as it happens; or the machine, all of it but its serial port, is the one of
	 * which `replay` is the recording, and the board's disks only say where its disks are now. NULL: none.
	 */
	const char *record, *replay;
	bool skip_idle; /* while all harts wait the clock jumps to what comes next, instead of waiting for it */
	/* A line for people, about what happened to the machine. May be NULL. */
	void (*remark)(void *context, const char *line);
	void *context;
};

/*
 * Builds the machine, and leaves it at reset. The target lives in `loop`. Errors say what is wrong with which file.
 */
TL_CHECKED enum tl_status tl_emulator_target_create(struct tl_loop *loop, const struct tl_emulator_options *options,
						    struct tl_target **target_ret, struct tl_error *error);
/* Ends the machine. NULL is fine. The engine goes first. */
void tl_emulator_target_destroy(struct tl_target *target);

/* Tells the engine that was made over it of the harts, all of which stand at reset. */
TL_CHECKED enum tl_status tl_emulator_target_populate(struct tl_target *target, struct tl_error *error);

/* What it is doing, with its subscribers. */
struct tl_run_states *tl_emulator_target_states(struct tl_target *target);

/* Connects the serial port with a terminal, by its path, instead of what it was connected with. */
TL_CHECKED enum tl_status tl_emulator_target_set_terminal(struct tl_target *target, const char *path,
							  struct tl_error *error);

/* The bare-metal program that it runs, which has its symbols; absolute. NULL: it runs none. */
const char *tl_emulator_target_program(struct tl_target *target);

#endif

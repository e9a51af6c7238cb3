/*
 * The core target: what a Linux process left behind in a core dump (core(5)), of x86-64, i386 or 64-bit Arm.
 *
 * It stands on the first rung of core/engine/target.h, and on what of the seventh only looks: registers, memory,
 * threads, objects, regions. Nothing in it can run, and nothing can be written: that is TL_ERROR_UNSUPPORTED. Letting
 * go of the process (detach, kill) is always possible, and does nothing.
 *
 * Memory that the core does not hold is taken from the files that were mapped there, if their build id is the one that
 * the core's memory shows; what is in neither is TL_ERROR_MEMORY. Nothing is ever guessed. A core that is cut off is
 * read as far as it goes. It may be a hostile one: everything in it is bounded.
 *
 * All calls on the control thread. Nothing here waits for anything but the disk.
 */
#ifndef TL_TARGETS_COREFILE_COREFILE_H
#define TL_TARGETS_COREFILE_COREFILE_H

#include "base/error.h"
#include "core/engine/target.h"

struct tl_corefile_options {
	const char *program; /* the program that made it, for when the core does not say or it has moved; may be NULL */
	bool core_only;      /* look into no other file */
	/* A sentence about something that is amiss or missing, now or when memory is read. May be NULL. */
	void (*remark)(void *context, const char *line);
	void *context;
};

/*
 * Opens a core dump. `options` may be NULL for the defaults; what it points to must stay until the close.
 * TL_ERROR_MALFORMED when it is none, or compressed, or damaged; TL_ERROR_UNSUPPORTED for another machine's; `error`
 * says what to do.
 */
TL_CHECKED enum tl_status tl_corefile_open(const char *path, const struct tl_corefile_options *options,
					   struct tl_target **target_ret, struct tl_error *error);

/* NULL is fine. The engine goes first. */
void tl_corefile_close(struct tl_target *target);

/*
 * Tells the engine that was made over it (tl_engine_init) of the process and its threads. They stand; the one that was
 * dumped first with the signal that ended the process as its last event, all as after an attach: a report is owed.
 */
TL_CHECKED enum tl_status tl_corefile_populate(struct tl_target *target, struct tl_error *error);

/* What the core says of the process. Texts belong to the target; "" for what it does not say. */
struct tl_corefile_facts {
	tl_u64 process;
	tl_size threads;
	tl_i32 signal;       /* that ended it; 0: none, as in a dump of a running process */
	const char *program; /* the options' one, or the path of the file that the process ran */
	const char *name;    /* of the thread that was dumped first: 15 bytes at the most */
	const char *command; /* its command line, words parted by blanks; the kernel cuts it at 79 bytes */
	bool other_program;  /* the options' program is another build than the one that the core is of */
	bool truncated;      /* the file ends before what its headers promise */
};

void tl_corefile_facts(struct tl_target *target, struct tl_corefile_facts *facts_ret);

#endif

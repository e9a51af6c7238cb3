/*
 * A machine as front ends see it, whichever kind it is: made from the words behind `emu` or `kvm`, with a serial port
 * that the front end connects, and debugged through a target.
 */
#ifndef TL_FRONTENDS_MACHINE_H
#define TL_FRONTENDS_MACHINE_H

#include "base/error.h"
#include "base/loop.h"
#include "core/engine/target.h"
#include "core/rsp/rsp.h"
#include "machine/board_options.h"

#include <stdio.h>

struct tl_option;

/* What a front end supplies. Descriptors and texts stay its own. */
struct tl_machine_ends {
	/* Of the serial port: where it is read from and written to, -1: nowhere; or a terminal's path instead. */
	int input, output;
	const char *terminal;
	/* It moves the program's names, and its points, when a kernel has come to its place (tl_event.arrived). */
	bool moves;
	/* A line for people, about what happened to the machine. Control thread. */
	void (*remark)(void *context, const char *line);
	void *context;
};

/* Each is what the target's header says of the function of that name. */
struct tl_machine_kind {
	const char *word; /* what `info` calls it */
	/* Makes the machine and its target in a loop; `options` are those of the kind. */
	enum tl_status (*create)(struct tl_loop *loop, const void *options, const struct tl_machine_ends *ends,
				 struct tl_target **target_ret, struct tl_error *error);
	/* Ends both. The engine goes first. */
	void (*destroy)(struct tl_target *target);
	/* Tells the engine of the processors. */
	enum tl_status (*populate)(struct tl_target *target, struct tl_error *error);
	/* The program that it runs, which has its symbols; NULL: none. */
	const char *(*program)(struct tl_target *target);
	const struct tl_rsp_row *rows; /* packets of its own, whose context is the target; NULL: none */
};

/* A machine on a command line; {0}: none. */
struct tl_machine {
	const struct tl_machine_kind *kind;
	const void *options; /* of the kind; the command line's */
	const char *serial;  /* where the serial port leads: "-", "none", or a terminal; NULL: nothing was said */
	bool running;        /* it does not wait at reset; for servers */
};

/* ---- Words of its command line ---- */

/* The ids of a kind's own options begin there; those below are the board's. */
#define TL_MACHINE_OPTION_OWN 64

/* What the words behind `emu` or `kvm` come to, and what one kind has of its own. Texts are the command line's. */
struct tl_machine_command {
	const char *word;              /* the command's */
	const struct tl_option *table; /* options of its own */
	/* Takes one of these. TL_ERROR_ARGUMENT. */
	enum tl_status (*apply)(void *context, int option, const char *value, struct tl_error *error);
	void *context;
	struct tl_board_options *board; /* where the others go */
	struct tl_machine *machine;
};

/* Reads the words, NULL-terminated. The program that stands behind the options, or NULL. TL_ERROR_ARGUMENT. */
TL_CHECKED enum tl_status tl_machine_read(const struct tl_machine_command *command, char **words,
					  const char **program_ret, struct tl_error *error);
/* The options of any machine, for --help: they go behind those of its own. */
void tl_machine_print(FILE *stream);

/* A whole decimal number from `least` to `most`; false when it is none. */
bool tl_machine_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret);

#endif

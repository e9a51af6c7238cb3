/*
 * One command for many threads or frames, as gdb's `thread apply` and `frame apply` do it: flags, headers, and what
 * becomes of errors. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_APPLY_H
#define TL_FRONTENDS_CLI_APPLY_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;

/* What help says of them. */
#define TL_APPLICATION_FLAGS                                                                                           \
	"-q says no headers; -c goes on after errors; -s says nothing of errors, nor of what has nothing to say.\n"

struct tl_application {
	const char *of;            /* the command that it is for, as errors name it: "thread apply all" */
	bool quiet;                /* -q: no headers */
	bool silent;               /* -s: neither errors nor headers without anything below them */
	bool go_on;                /* -c: goes on after errors */
	bool has_order, ascending; /* -ascending, where it is a flag */
	const char *command;
};

/*
 * Takes the flags in front of a command, if `words` begins with some, and keeps the command. TL_ERROR_ARGUMENT when
 * there is none, or for flags that exclude each other.
 */
TL_CHECKED enum tl_status tl_application_read(struct tl_application *application, const char *words,
					      struct tl_error *error);

/*
 * Carries out the command for what is selected. `header` writes what stands above it. An error is told and dropped
 * where a flag wants that, but for ^C.
 */
TL_CHECKED enum tl_status tl_application_run(struct tl_cli *cli, const struct tl_application *application,
					     void (*header)(struct tl_cli *cli, const void *context),
					     const void *context, struct tl_error *error);

#endif

/*
 * The server: it listens, serves one client of the GDB remote protocol at a time over any target, and leaves the target
 * whole when it goes.
 *
 * A second client is told so and turned away. What a client set (points, signals to pass, the features it announced,
 * open files, the environment for programs to be started) goes with it. All of it runs on the control thread.
 */
#ifndef TL_FRONTENDS_SERVE_SERVE_H
#define TL_FRONTENDS_SERVE_SERVE_H

#include "base/error.h"
#include "base/loop.h"
#include "core/engine/target.h"
#include "core/rsp/rsp.h"

/* What becomes of the program when a client is lost without having said goodbye. Its points are removed in any case. */
enum tl_lost {
	TL_LOST_STOP,     /* it stands still and waits for the next client */
	TL_LOST_CONTINUE, /* it runs on; the next client finds it running and stops it */
	TL_LOST_KILL,
	TL_LOST_DETACH
};

/* Packets that the drop-in's --disable-packet switches off, for testing clients. */
enum tl_serve_disable {
	TL_DISABLE_VCONT = 1 << 0,
	TL_DISABLE_QC = 1 << 1,
	TL_DISABLE_THREAD_INFO = 1 << 2,
	TL_DISABLE_T_THREAD = 1 << 3,
	TL_DISABLE_T = 1 << 4
};

/* Everything belongs to the caller and must stay valid while tl_serve runs. */
struct tl_serve_options {
	const char *address;        /* as base/address.h has it, or "-" for standard input and output, or a terminal */
	const char *const *program; /* words to start, NULL-terminated; NULL: none */
	tl_u64 attach;              /* a process to attach to; 0: none */
	/*
	 * Tells the engine, which is there by then, of what the target has from the beginning: a core, a machine. NULL:
	 * nothing. Instead of `program` and `attach`.
	 */
	enum tl_status (*populate)(struct tl_target *target, struct tl_error *error);
	/* Whether those were started for us, and are to end with us; NULL: they were not. */
	bool (*started)(const struct tl_target *target);
	/*
	 * Where the number of a signal that ended it is put, 0 without one, for a caller who has something to put back
	 * first and then ends by it (tl_serve_end); NULL: it ends us at once.
	 */
	int *signal_ret;
	bool running;               /* what `populate` told of runs on until a client comes, who stops it */
	struct tl_rsp_table rows;   /* packets that the target has beside the usual ones; {NULL}: none */
	const char *const *wrapper; /* NULL-terminated; NULL: none */
	const char *directory;      /* to start programs in; NULL: our own */
	bool with_shell;
	bool keep_randomization;
	bool once;  /* exit when the first connection has closed */
	bool multi; /* start without a program, and stay when there is none */
	enum tl_lost lost;
	tl_u32 disabled;   /* enum tl_serve_disable bits */
	bool as_gdbserver; /* every message as gdbserver words it, and its exit statuses */
};

/*
 * Serves until there is no more reason to, or a signal ends it; returns the exit status. `target` is one of which the
 * engine knows no process yet, and `loop` the one that it lives in. SIGINT, SIGTERM and SIGHUP are taken: every process
 * is left whole, those that we started are killed, those that we attached to run on, and the signal then ends us.
 * Messages go to standard error.
 */
int tl_serve(struct tl_loop *loop, struct tl_target *target, const struct tl_serve_options *options);

/* Ends us by a signal, so that whoever waits for us sees what it was; 0: does nothing. */
void tl_serve_end(int signal);

#endif

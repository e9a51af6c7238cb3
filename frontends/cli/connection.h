/*
 * What is debugged: the target under the session, how it was come by, and its change. There is always one. Without
 * another it is the native target, which starts programs here; a core dump, or a remote stub, takes its place until it
 * is left, is lost, or (but for an extended-remote one) has nothing to debug any more. Points, settings, history and
 * displays stay.
 *
 * Targets are changed between turns of the loop, never from inside one. Control thread only.
 */
#ifndef TL_FRONTENDS_CLI_CONNECTION_H
#define TL_FRONTENDS_CLI_CONNECTION_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;
struct tl_machine;
struct tl_machine_kind;
struct tl_target;

enum tl_connection_kind {
	TL_CONNECTION_NATIVE,
	TL_CONNECTION_CORE,
	TL_CONNECTION_REMOTE,   /* ends with its program */
	TL_CONNECTION_EXTENDED, /* starts programs, and stays */
	TL_CONNECTION_MACHINE   /* a machine, which is the program: it begins anew, and stays */
};

struct tl_connection {
	enum tl_connection_kind kind;
	const struct tl_machine_kind *machine; /* which kind, when it is one */
	char *name;                            /* of the core dump, or the stub's address; NULL: native */
	char *program;                         /* what a core dump was opened with; NULL: nothing */
	char lost[320];                        /* why the stub cannot be reached any more; "": it can */
	bool lost_told;                        /* a person knows */
	bool survive;                          /* what is started here runs on when we are killed */
};

/* Makes the native target, and puts it into `cli->target`: before there is a session. */
TL_CHECKED enum tl_status tl_connection_open(struct tl_cli *cli, bool survive, struct tl_error *error);
/* Gives the target back: after the session. */
void tl_connection_close(struct tl_cli *cli);

/*
 * Each puts another target under the session and tells what it has; what was debugged before is killed or let go first,
 * after a question where that would be a loss (TL_ERROR_CANCELLED). On an error the native target is there. `tell`: a
 * word on what was connected to.
 */
TL_CHECKED enum tl_status tl_connection_native(struct tl_cli *cli, struct tl_error *error);
TL_CHECKED enum tl_status tl_connection_core(struct tl_cli *cli, const char *path, struct tl_error *error);
TL_CHECKED enum tl_status tl_connection_remote(struct tl_cli *cli, const char *address, bool extended, bool tell,
					       struct tl_error *error);

TL_CHECKED enum tl_status tl_connection_machine(struct tl_cli *cli, const struct tl_machine *machine,
						struct tl_error *error);

/* Leaves the stub as it is, with what it debugs, and the core dump. False: nothing of that kind is there. */
bool tl_connection_disconnect(struct tl_cli *cli, struct tl_error *error);

/*
 * After whatever may have ended a connection: the native target is put in the place of a stub that is lost, or of one
 * (not extended) or a core dump that nothing is left in. Not from inside a turn of the loop.
 */
void tl_connection_settle(struct tl_cli *cli);

/* TL_OK where programs can be started or attached to, the native target put back first if need be. */
TL_CHECKED enum tl_status tl_connection_make_ready(struct tl_cli *cli, const char *command, struct tl_error *error);

/* The stub's line has ended: says so once. False: it has not. */
bool tl_connection_tell_lost(struct tl_cli *cli);

/* A stub is there. */
static inline bool tl_connection_is_remote(const struct tl_connection *connection)
{
	return connection->kind == TL_CONNECTION_REMOTE || connection->kind == TL_CONNECTION_EXTENDED;
}

/* What gdb's users know the target as: "remote", "core", "native", "exec", "None". */
const char *tl_connection_word(struct tl_cli *cli);

#endif

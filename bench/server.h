/*
 * The servers that the bench compares, and how each is started: on a program or on a running process, with nothing on
 * its standard streams, on the CPUs that the caller runs on, and never outliving the bench.
 */
#ifndef TL_BENCH_SERVER_H
#define TL_BENCH_SERVER_H

#include "bench/client.h"

#include <sys/types.h>

/* How a command line is made, and how a server says which port it listens on. */
enum tl_server_manner {
	TL_SERVER_GDBSERVER, /* SERVER localhost:0 PROGRAM, SERVER --attach localhost:0 PID; a line on standard error */
	TL_SERVER_NO_SHELL,  /* the same, where there is no shell that could start programs */
	TL_SERVER_LLDB,      /* SERVER gdbserver --pipe FD localhost:0 …; text in a pipe */
	TL_SERVER_MANNERS
};

struct tl_server_kind {
	const char *name;
	char *path;
	enum tl_server_manner manner;
};

struct tl_server {
	pid_t pid;     /* 0: none */
	bool attached; /* to a process that is not ours to end */
	int telling; /* where the server says its port; open as long as it lives, so that writing on does not end it */
	struct tl_client client;
};

/*
 * Starts a server of `kind` on `program` (NULL-terminated, absolute path first) or, with program NULL, on process
 * `attached`, connects and opens the client. On failure returns false with server->client.error, and nothing is left
 * running.
 */
bool tl_server_start(struct tl_server *server, const struct tl_server_kind *kind, char *const *program, pid_t attached);
/* Ends the server, and with it a program that it started. */
void tl_server_end(struct tl_server *server);
/* Detaches from the process first, and waits until the server is gone. */
bool tl_server_detach(struct tl_server *server);
/* Resident memory of the server in KiB; 0 when /proc does not tell. */
double tl_server_resident(const struct tl_server *server);

/* Starts `program` and waits until it has written a line; 0 on failure. The child dies with the bench. */
pid_t tl_program_start(char *const *program);
void tl_program_end(pid_t pid);

#endif

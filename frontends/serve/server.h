/*
 * The server's inside, shared by the files of this folder: what there is for all clients, and what there is for one.
 */
#ifndef TL_FRONTENDS_SERVE_SERVER_H
#define TL_FRONTENDS_SERVE_SERVER_H

#include "base/address.h"
#include "core/rsp/rsp.h"
#include "frontends/serve/buffer.h"
#include "frontends/serve/connection.h"
#include "frontends/serve/files.h"
#include "frontends/serve/lldb/lldb.h"
#include "frontends/serve/objects.h"
#include "frontends/serve/serve.h"

/* How a program is started: from the command line at first, then as the client says. Owns what it points to. */
struct tl_launch_settings {
	char **environment; /* NULL-terminated */
	char *directory;
	char *input, *output, *error; /* files to redirect to; NULL: the server's streams */
	bool with_shell;
	bool keep_randomization;
};

struct tl_threads_db;

#define TL_DISABLED_ROWS 8

/* One client's. All zero between clients. */
struct tl_session {
	struct tl_rsp *rsp;
	struct tl_connection *connection;
	struct tl_files *files;
	struct tl_launch_settings launch;
	struct tl_documents documents;
	/* vAttach whose answer waits for the process to stand still; 0: none. */
	tl_u64 attaching;
	struct tl_rsp_row disabled[TL_DISABLED_ROWS];
	struct tl_rsp_table tables[6 + TL_LLDB_TABLES];
	bool lost; /* to be torn down at the end of the turn */
	bool done; /* said goodbye: the server ends when the last bytes are sent */
};

/* What is to happen once every thread stands still. */
enum tl_settle { TL_SETTLE_NONE, TL_SETTLE_NEWCOMER, TL_SETTLE_LOST, TL_SETTLE_EXIT };

struct tl_served_process {
	tl_u64 process;
	bool attached;
	bool runs_on; /* it ran as its client was lost, with commands in it that go on without one */
};

struct tl_server {
	const struct tl_serve_options *options;
	struct tl_loop *loop;
	struct tl_target *target;
	struct tl_engine *engine;

	struct tl_address address;
	struct tl_listener listener; /* its descriptor is -1 when there is none */
	struct tl_source *listening;
	/* Accepted while the client before it was going; -1: none. */
	int newcomer;
	char newcomer_name[128];

	struct tl_session session;
	enum tl_lost lost;         /* what becomes of the program if this client is lost */
	struct tl_buffer features; /* what all rows announce */
	struct tl_lldb lldb;
	struct tl_threads_db *threads_db;
	char *threads_db_path;

	/* The program that `R` and a vRun without a name start. */
	char **program;

	struct tl_served_process *processes;
	tl_size process_count, process_capacity;

	enum tl_settle settle;
	struct tl_source *settle_timer;
	bool settle_late;    /* the time for settling is over */
	bool alone;          /* some process was left to itself: the server ends with the last */
	bool was_extended;   /* some client was in extended mode */
	bool exit_requested; /* monitor exit */
	/* A program of ours that the last client let run free: as gdbserver, we stay until it ends. */
	tl_u64 freed;
	struct tl_source *lingering;
	int linger_descriptor;

	int standard_in, standard_out; /* for "-", until the session has them; -1: none */
	struct tl_source *signals[3];
	int signal; /* that ends us */
	bool over;
	int exit_status;
};

/* Says something to the user, on standard error. */
void tl_server_say(const char *format, ...) TL_PRINTF(1, 2);

/* ---- processes.c: what is served ---- */

/* Whether we serve the process at all. */
bool tl_server_serves(const struct tl_server *server, tl_u64 process);
/* Whether the process was attached to; false for one that we started or do not know. */
bool tl_server_attached(const struct tl_server *server, tl_u64 process);
void tl_server_note_process(struct tl_server *server, tl_u64 process, bool attached);
void tl_server_forget_process(struct tl_server *server, tl_u64 process);

/*
 * Starts `words`, which the server copies for R, with those settings. `error` says what went wrong. The process then
 * stands at its first instruction.
 */
enum tl_status tl_server_launch(struct tl_server *server, const char *const *words,
				const struct tl_launch_settings *settings, tl_u64 *process_ret, struct tl_error *error);
/* Attaches; the process is on its way to a stop: wait for tl_engine_quiet. */
enum tl_status tl_server_attach(struct tl_server *server, tl_u64 process, struct tl_error *error);

/* What R and a vRun without a name start: copies. TL_ERROR_NO_MEMORY. */
enum tl_status tl_server_remember_program(struct tl_server *server, const char *const *words);
/* Of that nothing is known any more. */
void tl_server_forget_program(struct tl_server *server);
/* Whether some process is left to itself; whether there is none at all, left to itself or not. */
bool tl_server_someone_unattended(const struct tl_server *server);
bool tl_server_nothing_left(const struct tl_server *server);

/* Whether programs are to outlive the loss of this client, however: the command line's policy holds beyond that. */
void tl_server_set_survival(struct tl_server *server, bool survive);

/* Ends every process: kills, or detaches from those that were attached to. Every thread must stand still. */
void tl_server_end_processes(struct tl_server *server);
/* The same, but all are killed, or all are detached from. */
void tl_server_end_alike(struct tl_server *server, bool kill);

/* ---- client.c: one client, from its coming to its going ---- */

/* A client has come; `in` and `out`, which may be one, are the session's from here on, also when it fails. */
enum tl_status tl_server_begin_session(struct tl_server *server, int in, int out, struct tl_error *error);
/* It has gone. Nothing happens without one. */
void tl_server_end_session(struct tl_server *server);
/* For the engine's host; the context is the struct tl_server. */
void tl_server_engine_output(void *context, const char *text, tl_size size);
void tl_server_engine_note(void *context, const struct tl_note *note);

/* ---- door.c: where clients come from ---- */

/* Finds out where that is, and listens there, if it is a place to listen at. */
enum tl_status tl_server_open_door(struct tl_server *server, struct tl_error *error);
/* Waits for the next client, or takes the one that there is on a pipe or a line. */
enum tl_status tl_server_await_client(struct tl_server *server, struct tl_error *error);
void tl_server_stop_listening(struct tl_server *server);
/* Serves the one that came while the client before it was going. */
void tl_server_welcome_newcomer(struct tl_server *server);
/* Whether the client that has gone was the last that there can be. */
bool tl_server_was_last_client(const struct tl_server *server);

/* ---- settle.c: what becomes of the processes as clients go ---- */

/* Has every thread stand still, and then goes on in tl_server_settled. */
void tl_server_settle(struct tl_server *server, enum tl_settle why);
/* Does what was waited for, if every thread stands still or the time for that is over. At the end of each turn. */
void tl_server_settled(struct tl_server *server);
/* A client is lost: notes which processes shall go on without one, before everything is stopped. */
void tl_server_note_who_runs_on(struct tl_server *server);
/* Nobody is connected: with the last process that was left to itself ends what there is to serve. */
void tl_server_end_alone(struct tl_server *server);
/* The last client has said goodbye, and there is nothing more to serve. */
void tl_server_linger(struct tl_server *server);
/* Nothing of what waited to be told is of interest to the next client. */
void tl_server_drop_reports(struct tl_server *server);

/* ---- launch.c and others ---- */

/* The settings that the command line asks for. */
enum tl_status tl_launch_settings_init(struct tl_launch_settings *settings, const struct tl_serve_options *options);
void tl_launch_settings_deinit(struct tl_launch_settings *settings);

/* What lldb's rows ask of the server. */
struct tl_lldb_host tl_launch_lldb_host(struct tl_server *server);

/* At the end of each turn: the late answer to vAttach. */
void tl_launch_poll(struct tl_server *server);

/* The stop reply for a process that has just come to a stop, as after launching; the general thread becomes it. */
void tl_launch_write_stop(struct tl_server *server, struct tl_thread_id thread, struct tl_writer *reply);

/* Rows; their context is the struct tl_server. */
extern const struct tl_rsp_row tl_launch_rows[];
extern const struct tl_rsp_row tl_symbols_rows[];

/* Rows for what --disable-packet switches off (enum tl_serve_disable bits), ended by a NULL name. */
void tl_disabled_rows(tl_u32 disabled, struct tl_rsp_row rows_ret[TL_DISABLED_ROWS]);

/* Monitor commands of the server; their context is the struct tl_server. */
extern const struct tl_rsp_command tl_serve_commands[];

/* What qSupported announces for the rows of this folder, each with its `;` in front. */
extern const char tl_serve_features[];

#endif

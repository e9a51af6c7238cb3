/*
 * lldb's own packets, as rows for the open packet table of core/rsp/rsp.h. The protocol is described in LLVM's
 * lldb/docs/lldb-gdb-remote.txt (later lldb/docs/resources/lldbgdbremote.md).
 *
 * The rows look processes up through the engine and the target's operations alone and therefore serve every target.
 * What only the server can do, starting programs and waiting for them, they ask of it through struct tl_lldb_host.
 *
 * All calls are made on the control thread.
 */
#ifndef TL_FRONTENDS_SERVE_LLDB_LLDB_H
#define TL_FRONTENDS_SERVE_LLDB_LLDB_H

#include "base/loop.h"
#include "core/rsp/rsp.h"
#include "frontends/serve/files.h"

/* What lldb says of a program that it is going to start or attach to. Values are text. */
enum tl_lldb_setting {
	TL_LLDB_VARIABLE,      /* NAME=VALUE */
	TL_LLDB_RANDOMIZATION, /* "1": leave address randomisation on, "0": switch it off */
	TL_LLDB_INPUT,         /* a file's path; "" for none in particular */
	TL_LLDB_OUTPUT,
	TL_LLDB_ERROR,
	TL_LLDB_LOSS /* "1": the program outlives the loss of its client, "0": it is killed */
};

/* All members but the context may be NULL: the packets that need them are then unknown. */
struct tl_lldb_host {
	struct tl_loop *loop; /* for the waiting of vAttachWait */
	const struct tl_file_calls *files;
	const char *proc; /* where the system's processes are; NULL: in /proc */
	enum tl_status (*set)(void *context, enum tl_lldb_setting setting, const char *value);
	/*
	 * Starts a program with what was set; it is not run through a shell. The general thread becomes its first one.
	 * `error` says what went wrong.
	 */
	enum tl_status (*launch)(void *context, const char *const *words, struct tl_error *error);
	/* What vAttach does, its answer included: returns what a handler returns. */
	enum tl_status (*attach)(void *context, tl_u64 process, struct tl_writer *reply);
	void *context;
};

/* A copy of a thread's registers, kept for QRestoreRegisterState. */
struct tl_lldb_saved {
	tl_u64 id;
	struct tl_thread_id thread;
	tl_size size;
	tl_u8 *file;
};

/* Memory that was allocated in a process for lldb. */
struct tl_lldb_block {
	tl_u64 process, address, size;
};

#define TL_LLDB_SAVED_MAX 64
#define TL_LLDB_BLOCKS_MAX 4096

/* A search for a process by name. */
struct tl_lldb_search {
	struct tl_source *timer; /* NULL: none under way */
	bool ignore_present;     /* those that ran when the client asked do not count */
	tl_u64 *present;
	tl_size present_count;
	char name[256];
};

struct tl_lldb {
	struct tl_engine *engine;
	struct tl_lldb_host host;

	/* The client's: back to zero for the next one. */
	struct tl_rsp *rsp;
	struct tl_lldb_saved saved[TL_LLDB_SAVED_MAX];
	tl_u64 last_saved;
	struct tl_lldb_block *blocks;
	tl_size block_count, block_capacity;
	struct tl_lldb_search search;
	tl_u64 listed; /* the process that qsProcessInfo goes on behind */
	char listed_match[16], listed_name[256];
	char launch_error[500]; /* of the last A packet, "" when it succeeded */
};

/* `host` is copied. */
void tl_lldb_init(struct tl_lldb *lldb, struct tl_engine *engine, const struct tl_lldb_host *host);

/*
 * A client has come, and has gone: then what was allocated in processes for it is given back as far as they stand
 * still. Both may be called twice.
 */
void tl_lldb_begin(struct tl_lldb *lldb, struct tl_rsp *rsp);
void tl_lldb_end(struct tl_lldb *lldb);

/* The rows, to be put into tl_rsp_host.tables; their context is `lldb`. */
#define TL_LLDB_TABLES 7
void tl_lldb_tables(struct tl_lldb *lldb, struct tl_rsp_table tables_ret[TL_LLDB_TABLES]);

/* For tl_rsp_host.extend_stop: adds what lldb asked for to a stop reply; nothing for other clients. */
void tl_lldb_extend_stop(struct tl_lldb *lldb, const struct tl_report *report, struct tl_writer *reply);

/* What qSupported announces for these rows, each with its `;` in front. */
extern const char tl_lldb_features[];

#endif

/*
 * A session of the GDB Remote Serial Protocol with one client. GDB manual, appendix "GDB Remote Serial Protocol".
 *
 * The embedder hands in the bytes that arrive (tl_rsp_receive) and sends the bytes that come out (tl_rsp_host.send).
 * Inside, a packet goes one way: bytes → framing → packet → its row in the table → handler → one reply. A handler
 * returns a status and fills in a writer; it never sends. TL_OK sends what was written ("OK" if nothing was and the row
 * says so), an error its number or text, TL_UNKNOWN_PACKET the empty reply, TL_DEFERRED nothing yet: the reply is the
 * next stop report, or what tl_rsp_reply is called with.
 *
 * Payloads reach handlers with their escapes undone, so binary data is simply there; what a handler writes goes out as
 * it is, so binary data must be escaped (tl_rsp_write_binary).
 *
 * The table is open: rows in core/ know features, run control, registers, memory, points and threads; an embedder
 * registers rows of its own (files, launching, lldb's packets) and may put them before core's for the same name.
 *
 * All calls are made on the control thread. Nothing that a client sends can do more than end its own session.
 */
#ifndef TL_CORE_RSP_RSP_H
#define TL_CORE_RSP_RSP_H

#include "core/cursor.h"
#include "core/engine/engine.h"

struct tl_rsp; /* its size is tl_rsp_size() */

/* What must be so for a packet to be handled; otherwise it is refused with a clear error before its handler runs. */
enum tl_rsp_need {
	TL_RSP_ALWAYS = 0,
	TL_RSP_PROCESS = 1 << 0,  /* the general thread's process exists */
	TL_RSP_STOPPED = 1 << 1,  /* in all-stop: no resume is under way. In non-stop always granted */
	TL_RSP_THREAD = 1 << 2,   /* the general thread exists and is stopped */
	TL_RSP_EXTENDED = 1 << 3, /* the client has sent `!` */
	TL_RSP_OR_EXIT = 1 << 4   /* with TL_RSP_PROCESS: or the exit of a process waits to be told */
};

/* How the name ends: what may follow it in the packet. */
enum tl_rsp_match {
	TL_RSP_PREFIX, /* anything: the handler parses on from behind the name */
	TL_RSP_WORD    /* the end, or one of : ; , */
};

struct tl_rsp_row {
	const char *name; /* "m", "vCont", "qXfer:features:read"; NULL ends a table */
	tl_u8 match;      /* enum tl_rsp_match */
	tl_u8 needs;      /* enum tl_rsp_need bits */
	bool replies_ok;  /* an empty TL_OK means "OK" rather than an empty reply */
	/* `arguments` stands behind the name; separators are the handler's to take. */
	enum tl_status (*handle)(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				 struct tl_writer *reply);
};

struct tl_rsp_table {
	const struct tl_rsp_row *rows;
	void *context; /* handed to handle() */
};

/* A monitor command of the embedder's. */
struct tl_rsp_command {
	const char *name; /* one or more words, "set debug"; NULL ends a table */
	const char *help; /* the rest of its line in `monitor help`: "0|1   …" */
	/* `arguments` is what follows the name, without leading spaces, ended by a zero byte. */
	enum tl_status (*run)(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output);
};

struct tl_rsp_host {
	struct tl_allocator allocator;
	/* Bytes for the client, whole frames. Must take them all (queue what cannot go at once). */
	void (*send)(void *context, const void *bytes, tl_size size);
	/*
	 * A packet that came in (from_client) or goes out, decoded, for tracing; ^C as the one byte 3, a notification
	 * with its name. May be NULL.
	 */
	void (*observe)(void *context, bool from_client, const void *payload, tl_size size);
	/*
	 * The client is done, and its last reply sent: D or vKill of the last process, or k, outside extended mode.
	 * Called from within tl_rsp_receive or tl_rsp_poll: the session must be ended later. May be NULL.
	 */
	void (*done)(void *context);
	void *context;
	/* Bytes of the largest packet either way, 1024 at the least; announced as PacketSize. */
	tl_u32 packet_size;
	/* Rows of the embedder, looked up before core's own. */
	const struct tl_rsp_table *tables;
	tl_size table_count;
	/* Appended to the qSupported reply: ";vFile+;…". May be NULL. */
	const char *features;
	/*
	 * Adds to a stop reply what only the embedder knows ("library:;", lldb's thread lists): called with the reply
	 * as far as it is written. May be NULL.
	 */
	void (*extend_stop)(void *context, const struct tl_report *report, struct tl_writer *reply);
	/* Whether the debugger attached to the process rather than started it, for qAttached. NULL: to all of them. */
	bool (*attached)(void *context, tl_u64 process);
	/*
	 * As the servers that clients have to bear with as well: stop replies that name no thread, which is then the
	 * one that the client last chose, or that are an S with nothing but the signal.
	 */
	bool stops_without_thread;
	bool stops_as_signals;
	/*
	 * The line is slow: stops leave out the registers that gdb and lldb never look at unless their users do (the
	 * segments of x86); who asks gets them. Our own prompt takes a whole bank, and gets it at once.
	 */
	bool stops_are_brief;
	/* Monitor commands besides core's own, looked up before those; run with `context`. May be NULL. */
	const struct tl_rsp_command *commands;
};

/* The bytes that the embedder must supply for a struct tl_rsp. */
tl_size tl_rsp_size(void);

/* A session with a client that has just connected, over an engine that outlives it. Nothing is sent. */
TL_CHECKED enum tl_status tl_rsp_init(struct tl_rsp *rsp, struct tl_engine *engine, const struct tl_rsp_host *host);
/* The session is over. What becomes of the engine's points and settings is the embedder's to say
 * (tl_engine_reset_client). */
void tl_rsp_deinit(struct tl_rsp *rsp);

/* Bytes have come. May call host.send, and the engine. */
void tl_rsp_receive(struct tl_rsp *rsp, const void *bytes, tl_size size);

/* The engine has a report ready: sends the stop reply that is owed, or a notification. */
void tl_rsp_poll(struct tl_rsp *rsp);

/* The late answer to a packet whose handler returned TL_DEFERRED and which is not a resume. */
void tl_rsp_reply(struct tl_rsp *rsp, enum tl_status status, const void *payload, tl_size size);

/* Console text for the client: an O packet while a resume is under way in all-stop; false when it cannot be sent now.
 */
bool tl_rsp_console(struct tl_rsp *rsp, const char *text, tl_size size);

/* ---- For handlers ---- */

/* The engine that the session was made over. */
struct tl_engine *tl_rsp_engine(struct tl_rsp *rsp);

/* The general thread (Hg), with 0 and -1 made into a real one; false when there is none. */
bool tl_rsp_general(struct tl_rsp *rsp, struct tl_thread_id *id_ret);
void tl_rsp_set_general(struct tl_rsp *rsp, struct tl_thread_id id);

/* Says why, in words, to clients that take E.text: used when the handler then returns an error. `text` is copied. */
void tl_rsp_explain(struct tl_rsp *rsp, const char *text);

/* The packet that is being handled has no reply at all. The handler then returns TL_OK. */
void tl_rsp_stay_silent(struct tl_rsp *rsp);

/* What the client announced in qSupported or by other packets. */
enum tl_rsp_client {
	TL_RSP_CLIENT_MULTIPROCESS,
	TL_RSP_CLIENT_SWBREAK,
	TL_RSP_CLIENT_HWBREAK,
	TL_RSP_CLIENT_FORK_EVENTS,
	TL_RSP_CLIENT_VFORK_EVENTS,
	TL_RSP_CLIENT_EXEC_EVENTS,
	TL_RSP_CLIENT_VCONT,
	TL_RSP_CLIENT_THREAD_EVENTS,
	TL_RSP_CLIENT_NO_RESUMED,
	TL_RSP_CLIENT_ERROR_MESSAGE, /* error-message, or lldb's QEnableErrorStrings */
	TL_RSP_CLIENT_BINARY_UPLOAD,
	TL_RSP_CLIENT_THREAD_SUFFIX,   /* lldb: QThreadSuffixSupported */
	TL_RSP_CLIENT_LIST_THREADS,    /* lldb: QListThreadsInStopReply */
	TL_RSP_CLIENT_LLDB,            /* sent a packet that only lldb sends */
	TL_RSP_CLIENT_EXTENDED,        /* ! */
	TL_RSP_CLIENT_QUALIFIED_WATCH, /* understands rwatch: and awatch: in stop replies: all do */
	TL_RSP_CLIENT_MULTI_WATCH,     /* multi-wp-addr */
	TL_RSP_CLIENT_GDB,             /* qRelocInsn, which gdb alone speaks of */
	TL_RSP_CLIENT_MAX
};
bool tl_rsp_client_has(const struct tl_rsp *rsp, enum tl_rsp_client feature);
void tl_rsp_client_set(struct tl_rsp *rsp, enum tl_rsp_client feature, bool on);

/* Reads and writes a thread id in the manual's syntax ("p1.2f", "-1", "0"); writes with the process only for
 * multiprocess. */
struct tl_thread_id tl_rsp_read_thread_id(struct tl_rsp *rsp, struct tl_cursor *cursor);
void tl_rsp_write_thread_id(struct tl_rsp *rsp, struct tl_writer *writer, struct tl_thread_id id);

/* Writes the stop reply for a report, without framing. */
void tl_rsp_write_stop(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer);

/* Writes binary data with } escapes; false, with nothing written, when it does not fit. */
bool tl_rsp_write_binary(struct tl_writer *writer, const void *bytes, tl_size size);

/*
 * The body of every qXfer:…:read: reads "offset,length" from `arguments`, answers with m or l and that part of
 * `object`.
 */
enum tl_status tl_rsp_answer_part(struct tl_cursor *arguments, const void *object, tl_size size,
				  struct tl_writer *reply);

/*
 * GDB's signal numbers (include/gdb/signals.def of GDB) against Linux's; 0 stays 0. A signal that GDB does not know
 * becomes 143 (UNKNOWN), one that Linux does not have becomes -1.
 */
tl_u8 tl_rsp_signal_to_gdb(tl_i32 signal);
tl_i32 tl_rsp_signal_from_gdb(tl_u64 signal);

/* The same in the numbers that this client uses: lldb takes Linux's as they are. */
tl_u8 tl_rsp_signal_out(const struct tl_rsp *rsp, tl_i32 signal);
tl_i32 tl_rsp_signal_in(const struct tl_rsp *rsp, tl_u64 signal);

#endif

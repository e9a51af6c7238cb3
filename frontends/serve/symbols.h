/*
 * Addresses of symbols, which only the client knows, and what needs them: thread-local storage through the C library's
 * own libthread_db. GDB manual, qSymbol and qGetTLSAddr; glibc's <thread_db.h> and <proc_service.h>.
 *
 * The server asks for a symbol in its reply to qSymbol, and the client's next qSymbol answers: no nested conversation.
 */
#ifndef TL_FRONTENDS_SERVE_SYMBOLS_H
#define TL_FRONTENDS_SERVE_SYMBOLS_H

#include "frontends/serve/server.h"

/*
 * Where libthread_db is looked for unless `monitor set libthread-db-search-path` says otherwise: $sdir is the system's
 * places. $pdir, the directory of the program's own libraries, is accepted and passed by: a server that runs code from
 * wherever a program keeps its libraries runs whatever that program likes.
 */
#define TL_THREADS_DB_PATH "$sdir:$pdir"

/* Where to look from now on; a copy is made. TL_ERROR_NO_MEMORY. */
enum tl_status tl_symbols_set_path(struct tl_server *server, const char *path);

/* What is known of the process is no longer true, and is forgotten when that is next asked for. Does no more than that,
 * so that it may be called from anywhere. */
void tl_symbols_mark_stale(struct tl_server *server, tl_u64 process);

/* Forgets what is known of a process, as when it is gone or runs another program; of all processes. */
void tl_symbols_forget(struct tl_server *server, tl_u64 process);
void tl_symbols_forget_all(struct tl_server *server);

#endif

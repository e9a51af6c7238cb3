/*
 * What this machine's operating system knows, as `info os` of gdb shows it: tables of processes, threads, files and so
 * on. GDB manual, "Operating System Information". Read from /proc, and from nothing that waits.
 */
#ifndef TL_BASE_OSDATA_H
#define TL_BASE_OSDATA_H

#include "core/status.h"
#include "core/types.h"

/* Who takes a table: a row begins, and has these columns. The strings are valid during the call. */
struct tl_osdata_writer {
	void (*item)(void *context);
	void (*column)(void *context, const char *name, const char *value);
	void *context;
	bool begun; /* the reader's own */
};

/*
 * Tells the table of a type ("processes", "threads", "files", …; "" or "types" for the list of types).
 * TL_ERROR_ARGUMENT, and nothing is told, for a type that there is not. What cannot be read, as other users'
 * descriptors, is left out of the table.
 */
enum tl_status tl_osdata_list(const char *type, struct tl_osdata_writer *writer);

#endif

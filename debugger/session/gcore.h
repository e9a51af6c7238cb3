/*
 * Writing a core dump of a stopped process, of any target that tells which memory there is: what gdb's `gcore` does,
 * and in the form in which Linux writes them (core(5)), for gdb, lldb and ourselves to read.
 *
 * Memory goes through in small pieces, and pages of zeroes become holes: a process may be larger than this machine's
 * memory. The file appears under its name when it is whole; what was there before stays until then.
 */
#ifndef TL_DEBUGGER_GCORE_H
#define TL_DEBUGGER_GCORE_H

#include "base/error.h"
#include "core/engine/engine.h"

/* Which memory: the bits of /proc/PID/coredump_filter. The vDSO always is. */
enum tl_gcore_memory {
	TL_GCORE_PRIVATE = 1 << 0,       /* pages of the process's own: data, heap, stacks */
	TL_GCORE_SHARED = 1 << 1,        /* shared and without a file */
	TL_GCORE_PRIVATE_FILES = 1 << 2, /* what is as the file has it, code above all */
	TL_GCORE_SHARED_FILES = 1 << 3,
	TL_GCORE_HEADERS = 1 << 4, /* the first page of each ELF file, with its build id */
	TL_GCORE_DEFAULT = TL_GCORE_PRIVATE | TL_GCORE_SHARED | TL_GCORE_HEADERS
};

struct tl_gcore_options {
	tl_u32 memory;             /* enum tl_gcore_memory bits; 0: TL_GCORE_DEFAULT */
	struct tl_thread_id first; /* the thread that readers select; thread 0: the one that was last told of */
	/*
	 * Asked now and then, with how many bytes of memory were looked at and how many there are; false gives up with
	 * TL_ERROR_CANCELLED, and no file. May be NULL.
	 */
	bool (*progress)(void *context, tl_u64 done, tl_u64 total);
	void *context;
};

/*
 * Writes a core of `process` to `path`, which only this user may read then. `options` may be NULL. TL_ERROR_RUNNING
 * unless all its threads stand; TL_ERROR_UNSUPPORTED for a target or a CPU that it cannot be done of; TL_ERROR_SYSTEM
 * with the reason, a full disk among them. Memory that cannot be read becomes zeroes, as in the kernel's cores. Control
 * thread.
 */
TL_CHECKED enum tl_status tl_gcore_write(struct tl_engine *engine, tl_u64 process, const char *path,
					 const struct tl_gcore_options *options, struct tl_error *error);

#endif

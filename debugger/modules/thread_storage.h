/*
 * Thread-local storage: where a thread's own copy of a module's variables stands.
 *
 * The C library keeps that to itself, but tells debuggers the layout of what it keeps: glibc in the symbols
 * _thread_db_* (nptl_db/structs.def of its source), each three words: bits, count, offset. Where there are none (a
 * static program, another C library) the program's own block is found by the ELF rules for TLS ("ELF Handling For
 * Thread-Local Storage", variant II, which x86 has).
 */
#ifndef TL_DEBUGGER_THREAD_STORAGE_H
#define TL_DEBUGGER_THREAD_STORAGE_H

#include "debugger/modules/modules.h"

/* A thread of a stopped process; all belongs to the caller. */
struct tl_thread_place {
	const struct tl_modules *modules;
	struct tl_memory_access memory;
	tl_u64 thread_pointer;
	tl_u8 address_size;
};

/*
 * The address of what stands at `offset` of the module's block, for this thread. TL_ERROR_UNSUPPORTED: that is not
 * known; TL_ERROR_REGISTER: the thread has no such block yet; TL_ERROR_MEMORY.
 */
TL_CHECKED enum tl_status tl_thread_storage_address(const struct tl_thread_place *thread,
						    const struct tl_module *module, tl_u64 offset, tl_u64 *address_ret,
						    struct tl_error *error);

#endif

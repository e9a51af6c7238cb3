/*
 * The source files that a program was made of. Control thread.
 */
#ifndef TL_DEBUGGER_SOURCE_LIST_H
#define TL_DEBUGGER_SOURCE_LIST_H

#include "debugger/modules/modules.h"

/*
 * Calls back for every source file that a module's line tables name, whole path by whole path, each once, in the order
 * of the tables, until `call` returns false. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_module_sources(const struct tl_module *module,
					    bool (*call)(void *context, const char *path), void *context,
					    struct tl_error *error);

#endif

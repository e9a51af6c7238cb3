/*
 * Indirect functions (STT_GNU_IFUNC: memcpy and its like): the symbol is that of a resolver, which chooses a function
 * when a library is loaded or first called. What was chosen stands in the tables through which it is called
 * (.got.plt and .got), once the dynamic linker has filled them in.
 */
#ifndef TL_DEBUGGER_INDIRECT_H
#define TL_DEBUGGER_INDIRECT_H

#include "debugger/modules/modules.h"

/*
 * The function that the resolver at `resolver`, called `name` in `module`, chose, as far as it stands in the tables of
 * any module. False: nothing has asked it yet, or nothing runs. x86-64 only. Control thread only.
 */
bool tl_indirect_chosen(const struct tl_modules *modules, const struct tl_module *module, const char *name,
			tl_u64 resolver, tl_u64 *address_ret);

#endif

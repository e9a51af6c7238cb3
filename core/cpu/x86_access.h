/*
 * Which access an x86 instruction made, after the fact: to tell reads from writes where the debug register cannot.
 */
#ifndef TL_CORE_CPU_X86_ACCESS_H
#define TL_CORE_CPU_X86_ACCESS_H

#include "core/cpu/x86_decode.h"

/* tl_cpu.last_access for either mode. */
enum tl_access tl_x86_last_access(bool wide, const tl_u8 *file, const tl_u8 *before, tl_size before_size,
				  tl_u64 address, tl_u64 size);

#endif

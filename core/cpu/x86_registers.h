/*
 * The register tables and features of x86-64 and i386, for the two struct tl_cpu.
 */
#ifndef TL_CORE_CPU_X86_REGISTERS_H
#define TL_CORE_CPU_X86_REGISTERS_H

#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"

/* Each ends with a row without a name; the rows are those of x86_layout.h, in order. */
extern const struct tl_register tl_x86_64_registers[];
extern const struct tl_register tl_i386_registers[];

/* TL_X86_FEATURE_MAX rows, for both. */
extern const struct tl_feature tl_x86_features[];

/* All of bank 0, those first that every client asks for; -1 at the end. */
extern const tl_i16 tl_x86_64_expedited[];
extern const tl_i16 tl_i386_expedited[];

#endif

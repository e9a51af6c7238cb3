/*
 * What an x86 instruction does to memory: the part of the decoder that watchpoints ask for.
 */
#ifndef TL_CORE_CPU_X86_EFFECTS_H
#define TL_CORE_CPU_X86_EFFECTS_H

#include "core/cpu/x86_decode.h"

/* Fills in reads_…, writes_… and access_size of an instruction whose other fields are complete. Any thread. */
void tl_x86_find_effects(struct tl_x86_instruction *instruction);

#endif

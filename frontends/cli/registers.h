/*
 * Groups of registers as a person names them (GDB manual, "Registers"). Any thread.
 */
#ifndef TL_FRONTENDS_CLI_REGISTERS_H
#define TL_FRONTENDS_CLI_REGISTERS_H

#include "core/cpu/cpu.h"

/* The group that a register is in: "general", "float", "vector" or "system"; where its row says none, as gdb decides.
 */
const char *tl_register_group(const struct tl_register *row);
/* The process has it: its unit is there. */
bool tl_register_is_there(const struct tl_register *row, tl_u64 features);

#endif

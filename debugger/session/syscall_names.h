/*
 * System calls by number and name, for the CPU of a process; libseccomp keeps the tables. Control thread only.
 */
#ifndef TL_DEBUGGER_SYSCALL_NAMES_H
#define TL_DEBUGGER_SYSCALL_NAMES_H

#include "core/cpu/cpu.h"

/* Writes "openat" for a number; false when there is no such call. */
bool tl_syscall_name(const struct tl_cpu *cpu, tl_u64 number, char *name_ret, tl_size size);

/* The number of a name or of a number in digits; false when there is none. */
bool tl_syscall_number(const struct tl_cpu *cpu, const char *name, tl_u64 *number_ret);

#endif

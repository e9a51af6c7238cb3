/*
 * Signals of Linux by number and name, with what they are called in sentences (GDB manual, "Signals"). Constant; any
 * thread.
 */
#ifndef TL_DEBUGGER_SIGNAL_NAMES_H
#define TL_DEBUGGER_SIGNAL_NAMES_H

#include "core/types.h"

#define TL_SIGNAL_MAX 64

/* "SIGSEGV" of 11, "SIG35" of a real-time one, "?" of what is none. */
const char *tl_signal_name(tl_i32 number);

/* "Segmentation fault". */
const char *tl_signal_text(tl_i32 number);

/* The number of a name, with or without "SIG", or of a number from 1 to 15 in digits (gdb's rule); 0: none. */
tl_i32 tl_signal_number(const char *name, tl_size size);

#endif

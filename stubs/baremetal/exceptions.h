/* Exceptions of the program's that nobody has handled: what they are to a debugger, and what the machine said of them.
 */
#ifndef TL_STUBS_BAREMETAL_EXCEPTIONS_H
#define TL_STUBS_BAREMETAL_EXCEPTIONS_H

#include "stubs/baremetal/internal.h"

/* What an exception is called, and the signal (Linux's number) that a debugger is told. Never fails. Pure. */
struct tl_stub_exception {
	const char *name;
	tl_i32 signal;
	bool has_address; /* the machine says which address was accessed */
};

/* Of x86, by its vector. */
struct tl_stub_exception tl_stub_exception_x86(tl_u64 vector);

/* Of 64-bit Arm, by what is in ESR_EL1. */
struct tl_stub_exception tl_stub_exception_arm64(tl_u64 syndrome);

/*
 * Keeps a line with the processor for the debugger's console and for `monitor exceptions`, until it is resumed: the
 * exception's name, what the machine calls it (`number_name` and `number`), its error code where `code` is not NULL,
 * the address accessed where it has one, and the program counter. Called by the processor itself before it stays.
 */
void tl_stub_exception_said(struct tl_stub_processor *processor, struct tl_stub_exception exception,
			    const char *number_name, tl_u64 number, const tl_u64 *code, tl_u64 address, tl_u64 at);

/* A monitor command of the target's: TL_ERROR_UNSUPPORTED for any but `exceptions` and `help`. */
enum tl_status tl_stub_exceptions_monitor(struct tl_target *target, const char *command, struct tl_writer *output);

#endif

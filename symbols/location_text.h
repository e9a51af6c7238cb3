/*
 * Where a variable is, in words, as gdb's `info address` and `info scope` say it (GDB manual, "Symbols"): from what the
 * debug information says, without looking at any program.
 */
#ifndef TL_SYMBOLS_LOCATION_TEXT_H
#define TL_SYMBOLS_LOCATION_TEXT_H

#include "symbols/dwarf.h"
#include "symbols/output.h"

struct tl_location_text {
	/* A register's name by its DWARF number; NULL: none. The callback may be NULL. */
	const char *(*register_name)(void *context, tl_u64 number);
	void *context;
	tl_u64 bias;                     /* added to addresses */
	const char *module;              /* whose thread-local storage it is */
	const struct tl_entry *function; /* whose frame base counts; NULL: none */
	tl_u64 address;                  /* at which it does, without bias */
	bool scope;                      /* as `info scope` words constants and what stands at a fixed address */
};

/*
 * Writes it without an end ("a variable in $rax", "multi-location:\n…"): for a variable or parameter that has neither
 * a place nor a value "optimized out". What cannot be said in words is shown operation by operation.
 */
TL_CHECKED enum tl_status tl_location_write(const struct tl_location_text *text, const struct tl_entry *variable,
					    struct tl_output *output, struct tl_error *error);

#endif

/* Between code_listing.c and code_listing_source.c. */
#ifndef TL_DEBUGGER_CODE_LISTING_INTERNAL_H
#define TL_DEBUGGER_CODE_LISTING_INTERNAL_H

#include "debugger/code/code_listing.h"
#include "debugger/code/disassemble_internal.h"

/* A listing that is being written. */
struct tl_listing {
	const struct tl_code_listing *listing;
	struct tl_output *output;
	const struct tl_patience *patience;
	/* Addresses in it are shown by their distance from its entry. NULL: by symbols. */
	const struct tl_code_function *function;
	tl_size written;     /* instructions */
	const char *missing; /* the file of which was said that it is not there; belongs to the places */
};

/* The instructions that begin in [start, end); *reached_ret is behind the last one, also on an error. */
TL_CHECKED enum tl_status tl_listing_instructions(struct tl_listing *run, tl_u64 start, tl_u64 end, tl_u64 *reached_ret,
						  struct tl_error *error);

/* The same with source, in the order of addresses and of lines. */
TL_CHECKED enum tl_status tl_listing_mixed(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error);
TL_CHECKED enum tl_status tl_listing_by_line(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error);

#endif

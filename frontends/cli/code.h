/*
 * Machine code for people: what `disassemble`, `x/i` and `display/i` show, by the settings. Control thread, outside of
 * a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_CODE_H
#define TL_FRONTENDS_CLI_CODE_H

#include "debugger/code/code_listing.h"

struct tl_cli;

/* How one listing is made: the caller closes. */
struct tl_code_lister {
	struct tl_code_listing listing;
	struct tl_code_view view;
	struct tl_places *places;
};

/* TL_ERROR_UNSUPPORTED: there is no disassembler for the program's machine. */
TL_CHECKED enum tl_status tl_code_lister_open(struct tl_code_lister *lister, struct tl_cli *cli,
					      struct tl_error *error);
void tl_code_lister_close(struct tl_code_lister *lister);

/* So many instructions from an address on, which is moved behind them. */
TL_CHECKED enum tl_status tl_code_show(struct tl_cli *cli, tl_i64 count, tl_u64 *address, struct tl_error *error);

/*
 * What the line at the address `lookup` compiles to, with bytes, as `set disassemble-next-line` has it shown below the
 * line; the one instruction at the program counter where no line is known.
 */
void tl_code_show_line(struct tl_cli *cli, tl_u64 program_counter, tl_u64 lookup);

#endif

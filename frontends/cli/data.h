/*
 * Values, types and memory on the screen, by formats (GDB manual, "Examining Data"). Control thread, outside of a turn
 * of the loop.
 */
#ifndef TL_FRONTENDS_CLI_DATA_H
#define TL_FRONTENDS_CLI_DATA_H

#include "debugger/session/session.h"
#include "frontends/cli/command.h"

struct tl_cli;
struct tl_display;

/* Shows one display: "1: x = 5", or memory for a format with i, s or a count; nothing where it has no value here. */
TL_CHECKED enum tl_status tl_display_show(struct tl_cli *cli, const struct tl_display *display, struct tl_error *error);

/* Prints memory as `x` does: `format` behind the slash; `address` is where it goes on, and where it ended then. */
TL_CHECKED enum tl_status tl_memory_show(struct tl_cli *cli, const struct tl_format *format, tl_u64 *address,
					 struct tl_error *error);

#endif

/*
 * All about a frame, as `info frame` tells it: where it stands, who called it, where its caller's registers were saved.
 * Control thread.
 */
#ifndef TL_FRONTENDS_CLI_FRAME_DETAILS_H
#define TL_FRONTENDS_CLI_FRAME_DETAILS_H

#include "base/error.h"

struct tl_cli;

/* Prints it of the selected frame. TL_ERROR_NOT_RUNNING and what unwinding says. */
TL_CHECKED enum tl_status tl_frame_print_details(struct tl_cli *cli, struct tl_error *error);

#endif

/*
 * All about a frame, as `info frame` tells it: where it stands, who called it, where its caller's registers were saved.
 * Control thread.
 */
#ifndef TL_FRONTENDS_CLI_FRAME_DETAILS_H
#define TL_FRONTENDS_CLI_FRAME_DETAILS_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;

/*
 * Prints it of the frame at a level, or of the selected one (NULL), which then is named by its level, as gdb does.
 * TL_ERROR_NOT_RUNNING, TL_ERROR_ARGUMENT: there is no such frame, and what unwinding says.
 */
TL_CHECKED enum tl_status tl_frame_print_details(struct tl_cli *cli, const tl_u32 *level, struct tl_error *error);

#endif

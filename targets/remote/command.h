/*
 * A command at the other end of a line ("| COMMAND"): the shell runs it with its standard streams as the line.
 *
 * It does not outlive us. Closing the line is enough for most; a guardian process between us and the shell sees to the
 * others, also when we are killed and cannot: it ends all that the command started and that stayed in its process
 * group.
 */
#ifndef TL_TARGETS_REMOTE_COMMAND_H
#define TL_TARGETS_REMOTE_COMMAND_H

#include "base/error.h"

#include <sys/types.h>

/*
 * Starts it. *descriptor_ret is our end of the line and belongs to the caller; *guardian_ret is for
 * tl_remote_command_end. The thread that calls must live as long as the command is to. Control thread.
 */
TL_CHECKED enum tl_status tl_remote_command_start(const char *command, int *descriptor_ret, pid_t *guardian_ret,
						  struct tl_error *error);

/* Waits for its end, the line having been closed; after two seconds it is asked to end, after two more it is killed. */
void tl_remote_command_end(pid_t guardian);

#endif

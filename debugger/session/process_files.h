/*
 * What the system says of a process: the files below /proc, its objects and its memory map, as far as the target has
 * them. Control thread.
 */
#ifndef TL_DEBUGGER_PROCESS_FILES_H
#define TL_DEBUGGER_PROCESS_FILES_H

#include "debugger/session/session.h"
#include "symbols/output.h"

/* Whether the target's processes are this machine's, so that /proc speaks of them. */
bool tl_process_is_here(struct tl_session *session);

/*
 * Reads /proc/PROCESS/NAME ("cmdline", "status") of a process of this machine, or where a link there leads to ("exe").
 * TL_ERROR_UNSUPPORTED: the processes are another machine's; TL_ERROR_SYSTEM: there is no such file.
 */
TL_CHECKED enum tl_status tl_process_read(struct tl_session *session, tl_u64 process, const char *name,
					  struct tl_output *output, struct tl_error *error);
TL_CHECKED enum tl_status tl_process_link(struct tl_session *session, tl_u64 process, const char *name,
					  struct tl_output *output, struct tl_error *error);

/* Calls back for every open file of a process of this machine, by its number, until `call` returns false. */
TL_CHECKED enum tl_status tl_process_descriptors(struct tl_session *session, tl_u64 process,
						 bool (*call)(void *context, int descriptor, const char *path),
						 void *context, struct tl_error *error);

/* A whole object of the selected thread, such as its auxiliary vector, from any target. */
TL_CHECKED enum tl_status tl_process_object(struct tl_session *session, enum tl_object object, struct tl_output *output,
					    struct tl_error *error);

/*
 * Calls back for every mapped region of a process, by rising address, until `call` returns false. It is asked of the
 * target. TL_ERROR_UNSUPPORTED: the target cannot tell.
 */
TL_CHECKED enum tl_status tl_process_regions(struct tl_session *session, tl_u64 process,
					     bool (*call)(void *context, const struct tl_memory_region *region,
							  const char *name),
					     void *context, struct tl_error *error);

#endif

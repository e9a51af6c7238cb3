/*
 * /proc/PID/maps of processes that are none of this system's (a core's, another machine's), as gdb and lldb ask for it
 * through vFile: gdb finds the vDSO by it.
 */
#ifndef TL_FRONTENDS_SERVE_MAPS_H
#define TL_FRONTENDS_SERVE_MAPS_H

#include "core/engine/engine.h"

#define TL_MAPS_NOT_OURS (-2)

/*
 * A descriptor of the file, made up from the target's regions, for "/proc/PID/maps" or "/proc/PID/task/TID/maps" of a
 * process that the engine knows; -1 and ENOENT for what else stands below its /proc/PID, which may be somebody else's
 * here. TL_MAPS_NOT_OURS for any other path.
 */
int tl_maps_open(struct tl_engine *engine, const char *path);

#endif

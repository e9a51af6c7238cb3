/*
 * The mappings of a process, from /proc/PID/maps, one after the other by rising address.
 */
#ifndef TL_TARGETS_PROCESS_MAPS_H
#define TL_TARGETS_PROCESS_MAPS_H

#include "core/engine/target.h"
#include "targets/process/calls.h"

struct maps {
	const struct tl_process_calls *calls;
	int descriptor;
	tl_size start, end;
	char buffer[8192];
};

/* False, with errno, when there is no such process or nobody may look. */
bool tl_process_maps_open(struct maps *maps, const struct tl_process_calls *calls, pid_t process);
/* False at the end. */
bool tl_process_maps_next(struct maps *maps, struct tl_memory_region *region_ret);
void tl_process_maps_close(struct maps *maps);

/*
 * All of them from /proc/PID/smaps, with what a dump wants to know (struct tl_target_ops, regions). False when that
 * file cannot be opened.
 */
bool tl_process_maps_each(const struct tl_process_calls *calls, pid_t process,
			  bool (*call)(void *context, const struct tl_memory_region *region, const char *name),
			  void *context);

#endif

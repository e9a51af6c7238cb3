/*
 * The shared libraries of a process, as its dynamic linker lists them: the qXfer:libraries-svr4 document. GDB manual,
 * "Library List Format for SVR4 Targets"; the structures are those of glibc's <link.h>.
 *
 * The list is the program's own memory and may be anything, also while the linker changes it: every link is checked,
 * and the walk is bounded.
 */
#ifndef TL_FRONTENDS_SERVE_LIBRARIES_H
#define TL_FRONTENDS_SERVE_LIBRARIES_H

#include "core/engine/engine.h"
#include "frontends/serve/buffer.h"

/* The annex of the augmented form: the part of one namespace's list from `start` on. All 0: everything. */
struct tl_libraries_part {
	tl_u64 start;      /* address of a struct link_map */
	tl_u64 previous;   /* of the one before it */
	tl_u64 name_space; /* its r_debug, as an earlier answer gave it in lmid */
};

/* Reads "start=…;prev=…;lmid=…;": unknown names are skipped. False when it is malformed. */
bool tl_libraries_read_annex(struct tl_cursor annex, struct tl_libraries_part *part_ret);

/*
 * Adds the document. TL_ERROR_UNSUPPORTED for a program that has no dynamic linker, errors of the target otherwise; an
 * empty list while the linker has not yet started.
 */
enum tl_status tl_libraries_write(struct tl_engine *engine, struct tl_thread_id thread,
				  const struct tl_libraries_part *part, struct tl_buffer *document);

/* The address of the program's struct r_debug, 0 while the linker has not set it. */
enum tl_status tl_libraries_find(struct tl_engine *engine, struct tl_thread_id thread, tl_u64 *debug_ret);

#endif

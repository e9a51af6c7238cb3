/*
 * A core dump while it is written, shared by gcore.c and gcore_notes.c.
 */
#ifndef TL_DEBUGGER_GCORE_INTERNAL_H
#define TL_DEBUGGER_GCORE_INTERNAL_H

#include "base/core_notes.h"
#include "debugger/session/gcore.h"

/* What becomes of one region. */
struct gcore_region {
	tl_u64 start, size, filed; /* filed: how much of it is written, from its start */
	tl_u64 place;              /* in the core */
	tl_u64 offset;             /* in its file */
	tl_u32 flags;              /* PF_* */
	bool file;
	bool sparse;  /* what was never used of it is zeroes, and the target can tell what was */
	tl_size name; /* where its name stands in `names` */
};

struct gcore {
	struct tl_engine *engine;
	tl_u64 process;
	struct tl_gcore_options options;
	struct tl_process_facts facts;
	bool wide;
	struct tl_thread_id first;
	struct gcore_region *regions;
	tl_size region_count, region_capacity;
	char *names; /* of files, each ended by a zero byte */
	tl_size names_size, names_capacity;
	bool failed; /* no storage for one of them */

	int descriptor;
	tl_u64 at;       /* where the next byte of the stream goes */
	tl_u8 *buffer;   /* GCORE_BUFFER bytes: the stream's, and memory on its way */
	tl_size pending; /* bytes of the stream in it */
	int system;      /* errno of a write that failed; 0: none */
	tl_u64 notes_start, notes_size;
	tl_u64 done, total; /* bytes of memory */
};

#define GCORE_BUFFER ((tl_size)256 << 10)

/* The stream: adds to it; sends what is pending. Failures are kept in `system`. */
void tl_gcore_put(struct gcore *core, const void *bytes, tl_size size);
void tl_gcore_flush(struct gcore *core);

/* gcore_notes.c: writes all notes to the stream. */
enum tl_status tl_gcore_write_notes(struct gcore *core, struct tl_error *error);

#endif

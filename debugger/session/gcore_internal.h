/*
 * A core dump while it is written, shared by gcore.c, gcore_notes.c, and one file a CPU.
 */
#ifndef TL_DEBUGGER_GCORE_INTERNAL_H
#define TL_DEBUGGER_GCORE_INTERNAL_H

#include "base/core_notes.h"
#include "core/cpu/arm64_layout.h"
#include "core/cpu/x86_layout.h"
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
	const struct tl_core_layout *layout;
	bool wide, arm64; /* of 64 bits; of 64-bit Arm, else of x86 */
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
/* One of them. */
void tl_gcore_put_note(struct gcore *core, const char *name, tl_u32 type, const void *content, tl_size size);
/* At most `size` bytes of an object; how many: 0 when there is none. */
tl_size tl_gcore_read_object(const struct gcore *core, struct tl_thread_id id, enum tl_object object, void *buffer,
			     tl_size size);

/* ---- One CPU's: the notes of a thread beside NT_PRSTATUS. `all`: the file has these banks as well ---- */

#define TL_GCORE_X86_BANKS (1u << TL_X86_BANK_EXTENDED)
#define TL_GCORE_ARM64_BANKS (1u << TL_ARM64_BANK_VECTOR | 1u << TL_ARM64_BANK_SYSTEM)

void tl_gcore_put_x86(struct gcore *core, struct tl_thread_id id, const tl_u8 *file, bool all);
void tl_gcore_put_arm64(struct gcore *core, const tl_u8 *file, bool all);

#endif

/*
 * What a step does not stop in: functions and files by name or by pattern (GDB manual, "Skipping Over Functions and
 * Files"). Part of a session. Control thread only.
 */
#ifndef TL_DEBUGGER_SKIPS_H
#define TL_DEBUGGER_SKIPS_H

#include "base/error.h"
#include "core/types.h"

struct tl_session;

/* A frame is left out if both that are given match it. */
struct tl_skip {
	tl_u32 number;
	bool enabled;
	bool glob;      /* `file` is a pattern of the shell */
	bool regular;   /* `function` is a regular expression */
	char *file;     /* NULL: any */
	char *function; /* NULL: any */
};

struct tl_skips {
	struct tl_skip *items; /* by number */
	tl_size count, capacity;
	tl_u32 last_number;
};

/*
 * Adds one, of which strings are copied; its number is given. TL_ERROR_ARGUMENT: the function is no regular expression,
 * though it should be. *skip_ret is valid until the next call.
 */
TL_CHECKED enum tl_status tl_skips_add(struct tl_skips *skips, const struct tl_skip *skip,
				       const struct tl_skip **skip_ret, struct tl_error *error);
void tl_skips_remove(struct tl_skips *skips, tl_size index);
void tl_skips_release(struct tl_skips *skips);

/* Is a function to be left out? `function` is its name, with scopes or parameters; `file` the path; NULL: not known. */
bool tl_skips_match(const struct tl_skips *skips, const char *function, const char *file);

/* Those of a session. */
struct tl_skips *tl_session_skips(struct tl_session *session);

#endif

/*
 * The text of source files: where they are, and their lines, for `list`, stops and `disassemble /s`.
 *
 * A line table says what a file was called where the program was built. It is looked for there, and then where a person
 * says that sources are (GDB manual, "Source Path"): rules that put one beginning of a path in place of another, and a
 * list of folders, in which $cdir stands for the folder of the compilation and $cwd for the current one.
 *
 * Files are read whole and kept, within bounds; each time one is asked for, it is looked at whether it is still the
 * same, and if not it is read anew. What is in a file is anybody's guess: lines are bytes, and may hold zeros. Control
 * thread only.
 */
#ifndef TL_DEBUGGER_SOURCE_H
#define TL_DEBUGGER_SOURCE_H

#include "symbols/output.h"

struct tl_sources;

/* A file longer than this is not shown; no more than this is kept of all files together. */
#define TL_SOURCE_SIZE_MAX ((tl_size)64 << 20)

/* A file that was read. Valid until the store is asked for another one, or told where to look. */
struct tl_source_file {
	const char *path; /* where it was found, absolute */
	const char *bytes;
	tl_size size;
	const tl_u32 *starts; /* where each line begins, and behind the last one the size */
	tl_u32 line_count;
	tl_i64 modified; /* nanoseconds since 1970 */
};

/* Looks for files in $cdir and $cwd; no rules. The caller closes. TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_sources_open(struct tl_sources **sources_ret, struct tl_error *error);
/* NULL is fine. */
void tl_sources_close(struct tl_sources *sources);

/* ---- Files and lines ---- */

/*
 * The file that a line table calls `path` (whole, or as the table has it), of a compilation in `directory` (NULL: not
 * known). Tried are, as in gdb: the path by the rules; in each folder of the list the path, that behind the folder of
 * the compilation, and the last part of the path alone. TL_ERROR_SYSTEM: there is none, in gdb's words ("list.c: No
 * such file or directory."); whoever shows that says once how to tell where sources are. TL_ERROR_TOO_LONG.
 */
TL_CHECKED enum tl_status tl_sources_find(struct tl_sources *sources, const char *path, const char *directory,
					  const struct tl_source_file **source_ret, struct tl_error *error);

/*
 * The bytes of a line, without its end ("\n" or "\r\n"; the last line needs none). Lines count from 1. False for one
 * that the file does not have.
 */
bool tl_source_file_line(const struct tl_source_file *source, tl_u32 line, const char **bytes_ret, tl_size *size_ret);

/* Writes bytes as a terminal may have them: control characters but for tabs as "^M", "^[" and their like. */
void tl_source_file_write(struct tl_output *output, const char *bytes, tl_size size);

/*
 * Was the file changed after the program at `program` was made? Its lines may then not be the program's. False when the
 * program cannot be looked at.
 */
bool tl_source_file_newer(const struct tl_source_file *source, const char *program);

/*
 * The first line from `line` on, or backwards from it, in which a POSIX basic regular expression matches; 0 in
 * *line_ret when there is none. TL_ERROR_ARGUMENT: it is none, or has back-references, which may take for ever.
 */
TL_CHECKED enum tl_status tl_source_file_search(const struct tl_source_file *source, const char *expression,
						tl_u32 line, bool backwards, tl_u32 *line_ret, struct tl_error *error);

/* ---- Where to look ---- */

/* The list of folders, "$cdir:$cwd" at first, joined by colons. Valid until it is changed. */
const char *tl_sources_path(const struct tl_sources *sources);
/*
 * Puts folders (separated by colons or blanks) in front of the list, in their order; ones that are in it already move.
 * Relative ones are taken from the current folder, "~" is the user's home. A folder that is not there may come to be.
 * TL_ERROR_NO_MEMORY, TL_ERROR_TOO_LONG.
 */
TL_CHECKED enum tl_status tl_sources_add(struct tl_sources *sources, const char *folders, struct tl_error *error);
/* The list as it was at first. */
TL_CHECKED enum tl_status tl_sources_reset(struct tl_sources *sources, struct tl_error *error);

/*
 * A rule: paths that begin with the folder `from` begin with `to` instead. The first rule that fits is taken; one of
 * the same `from` is replaced, and moves behind the others. TL_ERROR_ARGUMENT: `from` is empty.
 */
TL_CHECKED enum tl_status tl_sources_substitute(struct tl_sources *sources, const char *from, const char *to,
						struct tl_error *error);
/* Takes a rule away; NULL: all of them. TL_ERROR_ARGUMENT: there is no such rule. */
TL_CHECKED enum tl_status tl_sources_unsubstitute(struct tl_sources *sources, const char *from, struct tl_error *error);
/* The index-th rule; false past the end. */
bool tl_sources_rule(const struct tl_sources *sources, tl_size index, const char **from_ret, const char **to_ret);

#endif

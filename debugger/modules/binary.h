/*
 * A binary: one ELF file (a program, a library, the vDSO) with everything that symbols/ can tell of it.
 *
 * Opening one maps it and finds its debug file, which takes a millisecond; packed sections are unpacked when they are
 * needed; its index of names is loaded from the cache
 * or made by threads of its own, meanwhile the caller goes on. Whoever needs names waits (tl_binary_wait), with
 * whatever it wants to do meanwhile in a callback. Binaries are shared: a library that ten processes map is opened
 * once, and kept until the store is closed, so that the next run of the program finds it ready.
 *
 * A binary's fields do not change after it was handed out, except its index, which goes from NULL to the index once,
 * on the control thread. All functions are for the control thread; what the fields lead to may be asked from any.
 */
#ifndef TL_DEBUGGER_BINARY_H
#define TL_DEBUGGER_BINARY_H

#include "base/loop.h"
#include "symbols/call_frames.h"
#include "symbols/elf_symbols.h"
#include "symbols/index.h"
#include "symbols/lines.h"
#include "symbols/scope.h"

struct tl_binaries;

struct tl_binary {
	const char *path;
	struct tl_image *image;
	struct tl_dwarf *dwarf; /* with no units where there is no debug information; costly ones are read at need */
	struct tl_tree *tree;
	struct tl_types *types; /* declarations are completed by the index, once it is there */
	struct tl_scopes *scopes;
	struct tl_lines *lines;
	struct tl_call_frames *frames;
	struct tl_elf_symbols *symbols;
	bool has_debug; /* there is at least one unit, or debug information whose units are not read yet */
	/* NULL until it is ready; also when making it failed, or there is nothing to index. See tl_binary_ready. */
	const struct tl_index *index;
};

struct tl_binaries_options {
	struct tl_image_options image;
	const char *cache;  /* the folder of indexes; NULL: the user's own (symbols/cache.h) */
	tl_u64 cache_limit; /* bytes; 0: TL_CACHE_LIMIT */
	bool no_cache;
	unsigned threads; /* for one index; 0: one a processor */
};

/* A store in `loop`, which must outlive it. `options` may be NULL; its strings are copied. The caller closes. */
TL_CHECKED enum tl_status tl_binaries_open(struct tl_binaries **binaries_ret, struct tl_loop *loop,
					   const struct tl_binaries_options *options, struct tl_error *error);
/*
 * The folder under which libraries of programs are looked for, and their debug files; NULL or "": the root of this
 * machine. Copied. It counts for files that are opened from then on.
 */
TL_CHECKED enum tl_status tl_binaries_set_sysroot(struct tl_binaries *binaries, const char *path,
						  struct tl_error *error);
/* Closes every binary; cancels and joins what is still being made. NULL is fine. */
void tl_binaries_close(struct tl_binaries *binaries);

/*
 * The binary at `path`: the one that is open if the file is still the same (device, inode, size, time), or is gone;
 * else opened now. It belongs to the store and lives as long. Its index is begun when it is asked for first
 * (tl_binary_want), so that attaching to a process with a hundred libraries does not read them all. Errors as
 * tl_image_open's.
 */
TL_CHECKED enum tl_status tl_binaries_get(struct tl_binaries *binaries, const char *path, struct tl_binary **binary_ret,
					  struct tl_error *error);
/* The same for a library, by the name that the program knows it by: a whole one is looked for below the sysroot. */
TL_CHECKED enum tl_status tl_binaries_get_library(struct tl_binaries *binaries, const char *path,
						  struct tl_binary **binary_ret, struct tl_error *error);
/* The same for an image in memory, such as the vDSO; the bytes are copied. The same name and bytes: the same binary. */
TL_CHECKED enum tl_status tl_binaries_get_bytes(struct tl_binaries *binaries, const char *name, const void *bytes,
						tl_size size, struct tl_binary **binary_ret, struct tl_error *error);

/*
 * A sentence for a person about what of the file could not be read, or about debug information that was looked for and
 * not taken; NULL when there is none. What cannot be read is empty in the fields: a damaged .debug_info leaves a binary
 * with symbols.
 */
const char *tl_binary_remark(const struct tl_binary *binary);

/* Begins its index, if that was not done. */
void tl_binary_want(struct tl_binary *binary);

/* True when nothing more will come: the index is there, or there will be none. */
bool tl_binary_ready(const struct tl_binary *binary);

/* How far the making of its index is: units that were read, of how many. */
void tl_binary_progress(const struct tl_binary *binary, tl_size *done_ret, tl_size *total_ret);

/*
 * Waits until the index is ready, turning the loop. While it waits, at least every 100 ms, `waiting` is asked (may be
 * NULL): false gives up with TL_ERROR_CANCELLED; the index goes on being made. Not from inside a turn of the loop.
 * An index that could not be made is an error with its reason, at each call.
 */
TL_CHECKED enum tl_status tl_binary_wait(struct tl_binary *binary, bool (*waiting)(void *context), void *context,
					 struct tl_error *error);

/* Why its index could not be made; NULL when that did not happen. */
const char *tl_binary_failure(const struct tl_binary *binary);

#endif

/*
 * The index on disk, so that a program that was debugged before needs none made: one file a build id, in a folder of
 * the user's, $XDG_CACHE_HOME/trapline or ~/.cache/trapline.
 *
 * Files are written beside their place and renamed into it, so that writers and readers never meet; each carries a
 * checksum over all of it, and says what it was made from: the very files, or else a copy with the same debug
 * information byte for byte. What is damaged, of another version or of another program is removed and made anew. When
 * all together are larger than the limit, those that were not used for longest go. Any thread may call these.
 */
#ifndef TL_SYMBOLS_CACHE_H
#define TL_SYMBOLS_CACHE_H

#include "symbols/index.h"

#define TL_CACHE_LIMIT ((tl_u64)1 << 30)

/* Writes the folder's path. False when neither variable says where it is, or there is no room. */
bool tl_cache_directory(char *path_ret, tl_size size);

/*
 * The index of a program from the folder, mapped. The caller closes it with tl_index_close. TL_ERROR_ARGUMENT: there is
 * none that could be used, or the program has no build id.
 */
TL_CHECKED enum tl_status tl_cache_load(struct tl_index **index_ret, struct tl_dwarf *dwarf, const char *directory,
					struct tl_error *error);

/*
 * Puts an index into the folder, which is made if need be, and removes others beyond `limit` bytes. One that is larger
 * by itself, of a program without build id, or of a file that was changed since it was opened, is not kept, which is no
 * error. TL_ERROR_SYSTEM: cannot be written.
 */
TL_CHECKED enum tl_status tl_cache_save(const struct tl_index *index, const char *directory, tl_u64 limit,
					struct tl_error *error);

#endif

/*
 * What a worker keeps of names, of types that were seen, and of scopes: hash tables that grow.
 */
#ifndef TL_SYMBOLS_INDEX_TABLES_H
#define TL_SYMBOLS_INDEX_TABLES_H

#include "symbols/index_internal.h"

/*
 * A name is known by a key, so that a string need not be looked at to see that it was there before: an offset of
 * .debug_str, or all characters of a short inline string. Those of one worker need not differ as strings; merging sees
 * to that.
 */
#define TL_KEY_COMMON (1ull << 60)
#define TL_KEY_SHORT (8ull << 60)
#define TL_KEY_LONG (15ull << 60) /* with a hash: the strings have to be compared */

/* The key of a string that is known by its characters. */
tl_u64 tl_name_key(const char *text, tl_size length);

/* The worker's number of a name; TL_U32_MAX without storage. `text` is not copied. */
tl_u32 tl_worker_name(struct tl_worker *worker, tl_u64 key, const char *text, tl_size length);

/* What tells types and enumerators apart that units have in common. */
struct tl_identity {
	tl_u64 name; /* key */
	tl_u32 line, size, scope;
	tl_u16 tag;
	tl_u16 used;
};

/* True when something like this was seen before; notes it otherwise. Without storage it is true, and the worker failed.
 */
bool tl_worker_seen(struct tl_worker *worker, const struct tl_identity *wanted);

/*
 * The worker's number of a scope inside another; that of the other itself without a name (TL_U32_MAX), and without
 * storage, when the worker failed.
 */
tl_u32 tl_worker_scope(struct tl_worker *worker, tl_u32 name, tl_u32 parent, bool transparent);

/* Gives the tables back, and the lists of names and scopes. */
void tl_worker_free_tables(struct tl_worker *worker);

#endif

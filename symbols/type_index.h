/*
 * Types that are only declared where they are used, completed by the index of names.
 */
#ifndef TL_SYMBOLS_TYPE_INDEX_H
#define TL_SYMBOLS_TYPE_INDEX_H

#include "symbols/index.h"
#include "symbols/type.h"

/*
 * A tl_type_lookup whose context is a struct tl_index. Of several definitions that of the unit that asks is taken, else
 * the first; `struct` and `class` are the same, as C++ has it. Any thread.
 */
TL_CHECKED enum tl_status tl_type_find_in_index(void *index, const char *name, tl_u16 tag, const struct tl_unit *near,
						struct tl_entry *entry_ret, bool *found_ret, struct tl_error *error);

#endif

#include "frontends/cli/registers.h"

#include <string.h>

const char *tl_register_group(const struct tl_register *row)
{
	if (row->group != NULL)
		return row->group;
	/* The kernel's note of which system call it is in. */
	if (strncmp(row->name, "orig_", 5) == 0)
		return "system";
	if (strncmp(row->type, "i387", 4) == 0)
		return "float";
	return row->bits > 64 ? "vector" : "general";
}

bool tl_register_is_there(const struct tl_register *row, tl_u64 features)
{
	return row->feature == 0 || (features >> row->feature & 1) != 0;
}

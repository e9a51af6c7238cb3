/*
 * A home for types that stand nowhere: those of a program of which nothing else is used, the test itself.
 */
#ifndef TL_TESTS_UNIT_TYPE_HOME_H
#define TL_TESTS_UNIT_TYPE_HOME_H

#include "symbols/type.h"

struct type_home {
	struct tl_image *image;
	struct tl_dwarf *dwarf;
	struct tl_tree *tree;
	struct tl_types *types;
};

static bool type_home_open(struct type_home *home)
{
	struct tl_image_options options = {.alone = true};

	*home = (struct type_home){0};
	return tl_image_open(&home->image, "/proc/self/exe", &options, NULL) == TL_OK &&
	       tl_dwarf_open(&home->dwarf, home->image, NULL) == TL_OK &&
	       tl_tree_open(&home->tree, home->dwarf, NULL) == TL_OK &&
	       tl_types_open(&home->types, home->dwarf, home->tree, NULL) == TL_OK;
}

static void type_home_close(struct type_home *home)
{
	tl_types_close(home->types);
	tl_tree_close(home->tree);
	tl_dwarf_close(home->dwarf);
	tl_image_close(home->image);
}

#endif

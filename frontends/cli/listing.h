/*
 * Lines of source on the screen, with their numbers, as `list` and stops show them. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_LISTING_H
#define TL_FRONTENDS_CLI_LISTING_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;

/*
 * One line: "5\t  return x;". `file` is its whole path, `name` what messages call it (NULL: the path). Where the file
 * is not found, that is said once, and "5\tin x.c" from then on.
 */
void tl_listing_line(struct tl_cli *cli, const char *file, const char *name, tl_u32 line);

/* One stands at a line now: `list` goes on around it. The strings are copied. */
void tl_listing_stand(struct tl_cli *cli, const char *file, const char *name, tl_u32 line);

/* Where `list` is. */
struct tl_listing {
	char *file, *name;  /* NULL: nowhere yet */
	tl_u32 next;        /* the line that the next `list` begins with */
	tl_u32 first, last; /* that were listed last; 0: none yet */
	tl_u32 told;        /* the line that a bare `info line` tells of next; 0: the one that one stands at */
};

/*
 * The lines from `first` to `last`, as far as the file goes; *last_ret is the last one shown. TL_ERROR_ARGUMENT: the
 * file has not so many lines; TL_ERROR_SYSTEM: it is not there.
 */
TL_CHECKED enum tl_status tl_listing_lines(struct tl_cli *cli, const char *file, tl_u32 first, tl_u32 last,
					   tl_u32 *last_ret, struct tl_error *error);

#endif

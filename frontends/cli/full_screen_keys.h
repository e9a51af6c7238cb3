/*
 * Keys of the full screen, as readline meets them. What they do can be bound to other keys in ~/.inputrc, by gdb's
 * names. readline's functions have no context, so there is one of these at a time. Control thread.
 */
#ifndef TL_FRONTENDS_CLI_FULL_SCREEN_KEYS_H
#define TL_FRONTENDS_CLI_FULL_SCREEN_KEYS_H

#include "core/types.h"

enum tl_full_key {
	TL_FULL_KEY_TOGGLE,       /* C-x C-a, C-x a: tui-switch-mode */
	TL_FULL_KEY_ONE_WINDOW,   /* C-x 1: tui-delete-other-windows */
	TL_FULL_KEY_TWO_WINDOWS,  /* C-x 2: tui-change-windows */
	TL_FULL_KEY_OTHER_WINDOW, /* C-x o: tui-other-window */
	TL_FULL_KEY_REFRESH,      /* C-l */
	TL_FULL_KEY_UP,
	TL_FULL_KEY_DOWN,
	TL_FULL_KEY_LEFT,
	TL_FULL_KEY_RIGHT,
	TL_FULL_KEY_PAGE_UP,
	TL_FULL_KEY_PAGE_DOWN
};

/*
 * From now on keys are offered to `take`, inside of a turn of the loop; where it returns false, the key does what it
 * did before. After readline was set up; reads ~/.inputrc.
 */
void tl_full_keys_open(bool (*take)(void *context, enum tl_full_key key), void *context);
/* No longer. */
void tl_full_keys_close(void);

#endif

#include "frontends/cli/full_screen_keys.h"

#include <stdio.h>

#include <readline/readline.h>

#define KEYS (TL_FULL_KEY_PAGE_DOWN + 1)

static struct {
	bool (*take)(void *context, enum tl_full_key key);
	void *context;
	bool bound;
	rl_command_func_t *before[KEYS]; /* what the keys did; NULL: nothing */
} keys;

static int press(enum tl_full_key key, int count, int byte)
{
	if (keys.take != NULL && keys.take(keys.context, key))
		return 0;
	return keys.before[key] != NULL ? keys.before[key](count, byte) : rl_ding();
}

#define KEY(name, key)                                                                                                 \
	static int name(int count, int byte)                                                                           \
	{                                                                                                              \
		return press(key, count, byte);                                                                        \
	}

KEY(toggle, TL_FULL_KEY_TOGGLE)
KEY(one_window, TL_FULL_KEY_ONE_WINDOW)
KEY(two_windows, TL_FULL_KEY_TWO_WINDOWS)
KEY(other_window, TL_FULL_KEY_OTHER_WINDOW)
KEY(refresh_all, TL_FULL_KEY_REFRESH)
KEY(up, TL_FULL_KEY_UP)
KEY(down, TL_FULL_KEY_DOWN)
KEY(left, TL_FULL_KEY_LEFT)
KEY(right, TL_FULL_KEY_RIGHT)
KEY(page_up, TL_FULL_KEY_PAGE_UP)
KEY(page_down, TL_FULL_KEY_PAGE_DOWN)

/* Terminals send one or the other of two sequences for an arrow, by their mode. */
static const struct {
	enum tl_full_key key;
	rl_command_func_t *function;
	const char *sequences[2];
} bindings[] = {
	{TL_FULL_KEY_TOGGLE, toggle, {"\030\001", "\030a"}},
	{TL_FULL_KEY_ONE_WINDOW, one_window, {"\0301", NULL}},
	{TL_FULL_KEY_TWO_WINDOWS, two_windows, {"\0302", NULL}},
	{TL_FULL_KEY_OTHER_WINDOW, other_window, {"\030o", NULL}},
	{TL_FULL_KEY_REFRESH, refresh_all, {"\f", NULL}},
	{TL_FULL_KEY_UP, up, {"\033[A", "\033OA"}},
	{TL_FULL_KEY_DOWN, down, {"\033[B", "\033OB"}},
	{TL_FULL_KEY_LEFT, left, {"\033[D", "\033OD"}},
	{TL_FULL_KEY_RIGHT, right, {"\033[C", "\033OC"}},
	{TL_FULL_KEY_PAGE_UP, page_up, {"\033[5~", NULL}},
	{TL_FULL_KEY_PAGE_DOWN, page_down, {"\033[6~", NULL}},
};

static void bind(enum tl_full_key key, rl_command_func_t *function, const char *sequence)
{
	int kind = ISFUNC;
	rl_command_func_t *before = rl_function_of_keyseq(sequence, NULL, &kind);

	/* A macro of the person's stays. */
	if (kind == ISMACR)
		return;
	if (kind == ISFUNC && before != NULL && keys.before[key] == NULL && before != function)
		keys.before[key] = before;
	(void)rl_bind_keyseq(sequence, function);
}

void tl_full_keys_open(bool (*take)(void *context, enum tl_full_key key), void *context)
{
	keys.take = take;
	keys.context = context;
	if (keys.bound)
		return;
	keys.bound = true;
	(void)rl_add_defun("tui-switch-mode", toggle, -1);
	(void)rl_add_defun("tui-delete-other-windows", one_window, -1);
	(void)rl_add_defun("tui-change-windows", two_windows, -1);
	(void)rl_add_defun("tui-other-window", other_window, -1);
	(void)rl_initialize();
	for (size_t i = 0; i < sizeof(bindings) / sizeof(*bindings); i++)
		for (size_t one = 0; one < 2; one++)
			if (bindings[i].sequences[one] != NULL)
				bind(bindings[i].key, bindings[i].function, bindings[i].sequences[one]);
}

void tl_full_keys_close(void)
{
	keys.take = NULL;
}

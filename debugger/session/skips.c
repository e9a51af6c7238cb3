#include "debugger/session/skips.h"

#include "base/storage.h"
#include "debugger/session/session_internal.h"

#include <ctype.h>
#include <fnmatch.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static void release(struct tl_skip *skip)
{
	free(skip->file);
	free(skip->function);
}

static enum tl_status check_expression(const char *text, struct tl_error *error)
{
	regex_t expression;
	char why[128];
	int code = regcomp(&expression, text, REG_NOSUB);

	if (code == 0) {
		regfree(&expression);
		return TL_OK;
	}
	(void)regerror(code, &expression, why, sizeof(why));
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "regexp: %s", why);
}

enum tl_status tl_skips_add(struct tl_skips *skips, const struct tl_skip *skip, const struct tl_skip **skip_ret,
			    struct tl_error *error)
{
	struct tl_skip made = *skip;

	if (skip->regular && skip->function != NULL)
		TL_TRY(check_expression(skip->function, error));
	made.file = skip->file != NULL ? strdup(skip->file) : NULL;
	made.function = skip->function != NULL ? strdup(skip->function) : NULL;
	if ((skip->file != NULL && made.file == NULL) || (skip->function != NULL && made.function == NULL) ||
	    !tl_grow(tl_storage(), (void **)&skips->items, &skips->capacity, skips->count, sizeof(made))) {
		release(&made);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for one more skip");
	}
	made.number = ++skips->last_number;
	made.enabled = true;
	skips->items[skips->count] = made;
	*skip_ret = &skips->items[skips->count++];
	return TL_OK;
}

void tl_skips_remove(struct tl_skips *skips, tl_size index)
{
	release(&skips->items[index]);
	skips->count--;
	memmove(skips->items + index, skips->items + index + 1, (skips->count - index) * sizeof(*skips->items));
}

void tl_skips_release(struct tl_skips *skips)
{
	while (skips->count != 0)
		tl_skips_remove(skips, skips->count - 1);
	tl_release(tl_storage(), skips->items, skips->capacity * sizeof(*skips->items));
	*skips = (struct tl_skips){0};
}

struct tl_skips *tl_session_skips(struct tl_session *session)
{
	return &session->skips;
}

/* ---- Matching ---- */

/* A file by its name, or by any tail of its path: "list.c" and "src/list.c" are /a/src/list.c. */
static bool is_file(const char *wanted, const char *path)
{
	tl_size size = strlen(wanted), whole = strlen(path);

	return size <= whole && strcmp(path + whole - size, wanted) == 0 &&
	       (size == whole || wanted[0] == '/' || path[whole - size - 1] == '/');
}

/* A pattern without a slash is for the name alone, in whatever folder. */
static bool is_like(const char *pattern, const char *path)
{
	const char *name = strrchr(path, '/');

	if (fnmatch(pattern, path, FNM_PATHNAME | FNM_NOESCAPE) == 0)
		return true;
	return strchr(pattern, '/') == NULL && name != NULL &&
	       fnmatch(pattern, name + 1, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

/* Spaces do not count, and parameters only where both have them. */
static bool is_function(const char *wanted, const char *name)
{
	for (;;) {
		while (isspace((unsigned char)*wanted))
			wanted++;
		while (isspace((unsigned char)*name))
			name++;
		if (*wanted == '\0' || *name == '\0')
			break;
		if (*wanted++ != *name++)
			return false;
	}
	return (*wanted == '\0' || *wanted == '(') && (*name == '\0' || *name == '(');
}

static bool matches_expression(const char *text, const char *name)
{
	regex_t expression;
	bool matches;

	if (regcomp(&expression, text, REG_NOSUB) != 0)
		return false;
	matches = regexec(&expression, name, 0, NULL, 0) == 0;
	regfree(&expression);
	return matches;
}

static bool matches(const struct tl_skip *skip, const char *function, const char *file)
{
	if (skip->file != NULL && (file == NULL || !(skip->glob ? is_like : is_file)(skip->file, file)))
		return false;
	return skip->function == NULL ||
	       (function != NULL && (skip->regular ? matches_expression : is_function)(skip->function, function));
}

bool tl_skips_match(const struct tl_skips *skips, const char *function, const char *file)
{
	for (tl_size i = 0; i < skips->count; i++)
		if (skips->items[i].enabled && matches(&skips->items[i], function, file))
			return true;
	return false;
}

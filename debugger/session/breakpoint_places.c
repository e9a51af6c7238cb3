/* Where points stand: a place as a person names it, looked for in every inferior. */
#include "debugger/session/session_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct tl_modules *tl_inferior_modules(const struct tl_debugged *debugged)
{
	return debugged->modules != NULL ? debugged->modules : debugged->linked;
}

/* ---- A list over several inferiors ---- */

static char *copy_text(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* One that was disabled stays so, wherever it is now. */
static bool was_disabled(const struct tl_breakpoint *breakpoint, const struct tl_breakpoint_location *location)
{
	for (tl_size i = 0; i < breakpoint->location_count; i++) {
		const struct tl_breakpoint_location *old = &breakpoint->locations[i];

		if (!old->enabled && old->inferior == location->inferior && old->line == location->line &&
		    old->function != NULL && location->function != NULL &&
		    strcmp(old->function, location->function) == 0)
			return true;
	}
	return false;
}

static void release_list(struct tl_locations *list)
{
	for (tl_size i = 0; i < list->count; i++) {
		free(list->items[i].function);
		free(list->items[i].file);
	}
	free(list->items);
	*list = (struct tl_locations){0};
}

/* Does one stand behind another in lists: by address, then by inferior; of one inferior, as they were found. */
static bool is_behind(const struct tl_breakpoint_location *left, const struct tl_breakpoint_location *right)
{
	if (left->inferior == right->inferior)
		return false;
	return left->address > right->address || (left->address == right->address && left->inferior > right->inferior);
}

static enum tl_status add_places(struct tl_locations *list, const struct tl_breakpoint *breakpoint, tl_u32 inferior,
				 const struct tl_code_places *places, struct tl_error *error)
{
	struct tl_breakpoint_location *grown = realloc(list->items, (list->count + places->count + 1) * sizeof(*grown));

	if (grown == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the places of a breakpoint");
	list->items = grown;
	for (tl_size i = 0; i < places->count; i++) {
		const struct tl_code_place_found *found = &places->items[i];
		struct tl_breakpoint_location location = {
			.inferior = inferior,
			.address = found->address,
			.enabled = true,
			.inlined = found->inlined,
			.resolver = found->resolver,
			.function = copy_text(found->name),
			.file = copy_text(found->file),
			.line = found->line,
		};
		tl_size at = list->count++;

		if (was_disabled(breakpoint, &location))
			location.enabled = false;
		for (; at > 0 && is_behind(&grown[at - 1], &location); at--)
			grown[at] = grown[at - 1];
		grown[at] = location;
	}
	return TL_OK;
}

/* It was seen which function is chosen, though no table of the program says so: it stays that. */
static void keep_chosen(struct tl_breakpoint *breakpoint, struct tl_locations *list)
{
	for (tl_size i = 0; i < list->count; i++)
		for (tl_size j = 0; j < breakpoint->location_count && list->items[i].resolver; j++) {
			struct tl_breakpoint_location *old = &breakpoint->locations[j];

			if (old->chosen_by == 0 || old->chosen_by != list->items[i].address ||
			    old->inferior != list->items[i].inferior)
				continue;
			free(list->items[i].function);
			free(list->items[i].file);
			list->items[i] = *old;
			old->function = old->file = NULL;
		}
}

static void take_list(struct tl_breakpoint *breakpoint, struct tl_locations *list)
{
	keep_chosen(breakpoint, list);
	tl_breakpoint_release_locations(breakpoint);
	breakpoint->locations = list->items;
	breakpoint->location_count = list->count;
	*list = (struct tl_locations){0};
}

enum tl_status tl_breakpoint_set_locations(struct tl_session *session, struct tl_breakpoint *breakpoint,
					   const struct tl_code_places *places, struct tl_error *error)
{
	struct tl_locations list = {0};

	TL_TRY(add_places(&list, breakpoint, session->current->number, places, error));
	take_list(breakpoint, &list);
	return TL_OK;
}

void tl_breakpoint_release_locations(struct tl_breakpoint *breakpoint)
{
	struct tl_locations list = {breakpoint->locations, breakpoint->location_count};

	release_list(&list);
	breakpoint->locations = NULL;
	breakpoint->location_count = 0;
}

/* ---- Finding ---- */

/* The same place in the other inferiors; what is not there is no error. */
static enum tl_status add_others(struct tl_session *session, const struct tl_breakpoint *breakpoint,
				 const struct tl_debugged *but, const char *text, struct tl_locations *list,
				 struct tl_error *error)
{
	for (tl_size i = 0; i < session->inferior_count; i++) {
		const struct tl_debugged *debugged = session->inferiors[i];
		struct tl_linespec_base base = {0};
		struct tl_code_places places = {0};
		struct tl_error none;
		const char *rest;
		enum tl_status status = TL_OK;

		if (debugged == but || debugged->left)
			continue;
		if (tl_linespec_find(tl_inferior_modules(debugged), &base, &session->patience, text, false, &places,
				     &rest, &none) == TL_OK)
			status = add_places(list, breakpoint, debugged->number, &places, error);
		tl_code_places_release(&places);
		TL_TRY(status);
	}
	return TL_OK;
}

/* In an inferior that is not the selected one, when that one has no such place. */
static enum tl_status find_elsewhere(struct tl_session *session, const struct tl_linespec_base *base, const char *text,
				     struct tl_debugged **debugged_ret, struct tl_code_places *places_ret,
				     const char **rest_ret)
{
	struct tl_linespec_base from = *base;
	struct tl_error none;

	from.address = 0;
	for (tl_size i = 0; i < session->inferior_count; i++) {
		*debugged_ret = session->inferiors[i];
		if (*debugged_ret == session->current || (*debugged_ret)->left)
			continue;
		if (tl_linespec_find(tl_inferior_modules(*debugged_ret), &from, &session->patience, text, false,
				     places_ret, rest_ret, &none) == TL_OK)
			return TL_OK;
		tl_code_places_release(places_ret);
		*places_ret = (struct tl_code_places){0};
	}
	return TL_ERROR_NO_SYMBOL;
}

enum tl_status tl_breakpoint_find_places(struct tl_session *session, const struct tl_linespec_base *base,
					 const char *text, struct tl_breakpoint *breakpoint, char **text_ret,
					 const char **rest_ret, struct tl_error *error)
{
	struct tl_debugged *first = session->current;
	struct tl_code_places places = {0};
	struct tl_locations list = {0};
	enum tl_status status = TL_ERROR_NO_SYMBOL;

	if (first->left)
		(void)TL_FAIL(error, status, "No symbol table is loaded.  Use the \"file\" command.");
	else
		status = tl_linespec_find(tl_inferior_modules(first), base, &session->patience, text, false, &places,
					  rest_ret, error);
	if (status == TL_ERROR_NO_SYMBOL && session->inferior_count > 1 && text[0] != '*')
		status = find_elsewhere(session, base, text, &first, &places, rest_ret);
	if (status == TL_OK)
		status = add_places(&list, breakpoint, first->number, &places, error);
	if (status == TL_OK && session->inferior_count > 1 && places.text != NULL && places.text[0] != '*')
		status = add_others(session, breakpoint, first, places.text, &list, error);
	if (status == TL_OK) {
		if (text_ret != NULL)
			*text_ret = strdup(places.text != NULL ? places.text : text);
		take_list(breakpoint, &list);
	}
	release_list(&list);
	tl_code_places_release(&places);
	return status;
}

/* ---- Finding anew ---- */

/* Itanium C++ ABI, section 2.4, 2.5: the functions that every exception goes through. */
void tl_breakpoint_find_thrower(struct tl_session *session, struct tl_breakpoint *breakpoint)
{
	const char *name = breakpoint->kind == TL_CATCH_THROW   ? "__cxa_throw"
			   : breakpoint->kind == TL_CATCH_CATCH ? "__cxa_begin_catch"
								: "__cxa_rethrow";
	struct tl_code_place_found found = {.name = (char *)(tl_size)name};
	struct tl_code_places places = {.items = &found, .count = 1};
	struct tl_locations list = {0};
	struct tl_error error;

	for (tl_size i = 0; i < session->inferior_count; i++)
		if (!session->inferiors[i]->left &&
		    tl_modules_symbol_address(tl_inferior_modules(session->inferiors[i]), NULL, name, &found.address) &&
		    add_places(&list, breakpoint, session->inferiors[i]->number, &places, &error) != TL_OK)
			break;
	breakpoint->pending = list.count == 0;
	take_list(breakpoint, &list);
}

/* Is an address given by names of the program alone: "main", "&table[2]"? What else it hangs on may have changed. */
static bool is_named(const char *text)
{
	return strpbrk(text, "$*") == NULL && (isalpha((unsigned char)text[strspn(text, "&( ")]) || text[0] == '_');
}

static void resolve(struct tl_session *session, struct tl_breakpoint *breakpoint)
{
	struct tl_linespec_base base = {0};
	struct tl_error error;
	const char *rest;
	enum tl_status status;

	if (breakpoint->kind >= TL_CATCH_THROW) {
		tl_breakpoint_find_thrower(session, breakpoint);
		return;
	}
	/* An address stays what it is; one that a name stands for goes with it. */
	if (breakpoint->place == NULL || (breakpoint->place[0] == '*' && !is_named(breakpoint->place + 1)))
		return;
	if (breakpoint->place[0] == '*')
		(void)!tl_session_base(session, &base, &error);
	base.file = NULL;
	base.line = 0;
	status = tl_breakpoint_find_places(session, &base, breakpoint->place, breakpoint, NULL, &rest, &error);
	if (status == TL_OK) {
		breakpoint->pending = false;
	} else if (status == TL_ERROR_NO_SYMBOL) {
		tl_breakpoint_release_locations(breakpoint);
		breakpoint->pending = true;
	}
}

void tl_breakpoints_resolve(struct tl_session *session)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->count; i++)
		if (tl_breakpoint_is_code(points->items[i]->kind) && !points->items[i]->gone)
			resolve(session, points->items[i]);
	points->stamp++;
}

/* ---- What becomes of points as inferiors come and go ---- */

void tl_breakpoints_inferior_gone(struct tl_session *session, tl_u32 inferior)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = points->count; i-- > 0;) {
		struct tl_breakpoint *breakpoint = points->items[i];
		tl_size kept = 0;

		if (breakpoint->inferior == inferior && !tl_breakpoint_is_code(breakpoint->kind)) {
			tl_breakpoint_take_out(session, breakpoint);
			continue;
		}
		for (tl_size j = 0; j < breakpoint->location_count; j++) {
			struct tl_breakpoint_location *location = &breakpoint->locations[j];

			if (location->inferior != inferior) {
				breakpoint->locations[kept++] = *location;
				continue;
			}
			free(location->function);
			free(location->file);
		}
		breakpoint->location_count = kept;
	}
}

void tl_breakpoints_follow(struct tl_session *session, const struct tl_debugged *from, const struct tl_debugged *to)
{
	struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->count; i++)
		if (points->items[i]->inferior == from->number)
			points->items[i]->inferior = to->number;
	for (tl_size i = 0; i < points->internal_count; i++)
		if (points->internals[i].process == from->process)
			points->internals[i].process = to->process;
}

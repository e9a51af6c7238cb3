#include "symbols/demangle_tree.h"

#include <string.h>

typedef const struct tl_mangled_node *node;

/* ---- Helpers ---- */

char tl_mangled_peek(const struct tl_mangled_reader *reader, tl_size ahead)
{
	return ahead < (tl_size)(reader->end - reader->at) ? reader->at[ahead] : '\0';
}

bool tl_mangled_accept(struct tl_mangled_reader *reader, const char *text)
{
	tl_size size = strlen(text);

	if (size > (tl_size)(reader->end - reader->at) || memcmp(reader->at, text, size) != 0)
		return false;
	reader->at += size;
	return true;
}

bool tl_mangled_is_digit(char letter)
{
	return letter >= '0' && letter <= '9';
}

bool tl_mangled_is_lower(char letter)
{
	return letter >= 'a' && letter <= 'z';
}

bool tl_mangled_number(struct tl_mangled_reader *reader, tl_u32 *number_ret)
{
	tl_u32 number = 0;

	if (!tl_mangled_is_digit(tl_mangled_peek(reader, 0)))
		return false;
	while (tl_mangled_is_digit(tl_mangled_peek(reader, 0))) {
		if (number > 100000000)
			return false;
		number = number * 10 + (tl_u32)(*reader->at++ - '0');
	}
	*number_ret = number;
	return true;
}

bool tl_mangled_enter(struct tl_mangled_reader *reader)
{
	if (reader->depth >= TL_MANGLED_DEPTH || reader->steps >= TL_MANGLED_STEPS) {
		reader->too_much = true;
		return false;
	}
	reader->depth++;
	reader->steps++;
	return true;
}

void tl_mangled_leave(struct tl_mangled_reader *reader)
{
	reader->depth--;
}

struct tl_mangled_node *tl_mangled_make(struct tl_mangled_reader *reader, enum tl_mangled_kind kind, node a, node b)
{
	struct tl_mangled_node *made = tl_arena_allocate(&reader->arena, sizeof(*made));

	if (made == NULL) {
		reader->no_memory = true;
		return NULL;
	}
	made->kind = kind;
	made->a = a;
	made->b = b;
	return made;
}

struct tl_mangled_node *tl_mangled_make_text(struct tl_mangled_reader *reader, enum tl_mangled_kind kind,
					     const char *text, node a)
{
	struct tl_mangled_node *made = tl_mangled_make(reader, kind, a, NULL);

	if (made != NULL) {
		made->text = text;
		made->size = strlen(text);
	}
	return made;
}

bool tl_mangled_append(struct tl_mangled_reader *reader, struct tl_mangled_list *list, node item)
{
	struct tl_mangled_node *link = item != NULL ? tl_mangled_make(reader, TL_MANGLED_LIST, item, NULL) : NULL;

	if (link == NULL)
		return false;
	if (list->last != NULL)
		list->last->b = link;
	else
		list->first = link;
	list->last = link;
	return true;
}

/* A node around one that may be missing. */
node tl_mangled_around(struct tl_mangled_reader *reader, enum tl_mangled_kind kind, node a)
{
	return a != NULL ? tl_mangled_make(reader, kind, a, NULL) : NULL;
}

/* Remembers what a substitution may stand for; returns it. */
node tl_mangled_remember(struct tl_mangled_reader *reader, node what)
{
	if (what == NULL)
		return NULL;
	if (reader->substitution_count == reader->substitution_room) {
		tl_size room = reader->substitution_room * 2 + 16;
		const struct tl_mangled_node **grown = tl_arena_allocate(&reader->arena, room * sizeof(*grown));

		if (grown == NULL) {
			reader->no_memory = true;
			return NULL;
		}
		if (reader->substitution_count != 0)
			memcpy(grown, reader->substitutions, reader->substitution_count * sizeof(*grown));
		reader->substitutions = grown;
		reader->substitution_room = room;
	}
	reader->substitutions[reader->substitution_count++] = what;
	return what;
}

node tl_mangled_suffixed(struct tl_mangled_reader *reader, enum tl_mangled_kind kind, node name, const char *text)
{
	if (name == NULL || text == NULL)
		return NULL;
	return *text != '\0' ? tl_mangled_make_text(reader, kind, text, name) : name;
}

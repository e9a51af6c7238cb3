/* Full names of types: what encloses them, and integers as people write them. */
#include "symbols/dwarf_constants.h"
#include "symbols/output.h"
#include "symbols/type_store.h"

#include <ctype.h>
#include <string.h>

/* No name that a program has is longer. */
#define NAME_MAX_SIZE ((tl_size)1 << 20)

/* How often each word stands in a run of words that name an integer. */
struct words {
	unsigned counts[7];
	unsigned total;
};

enum { WORD_LONG, WORD_SHORT, WORD_INT, WORD_UNSIGNED, WORD_SIGNED, WORD_CHAR, WORD_DOUBLE };

static const char *const word_names[] = {"long", "short", "int", "unsigned", "signed", "char", "double"};

static bool in_name(char character)
{
	return isalnum((unsigned char)character) || character == '_' || character == '$';
}

/* Takes one of the words at `at` that ends there; its number, or -1. */
static int word_at(const char *at, tl_size *size_ret)
{
	for (tl_size i = 0; i < TL_COUNT(word_names); i++) {
		tl_size size = strlen(word_names[i]);

		if (strncmp(at, word_names[i], size) == 0 && !in_name(at[size])) {
			*size_ret = size;
			return (int)i;
		}
	}
	return -1;
}

static void write_integer(struct tl_output *output, const struct words *words)
{
	const unsigned *counts = words->counts;

	if (counts[WORD_CHAR] != 0) {
		tl_output_text(output, counts[WORD_UNSIGNED] != 0 ? "unsigned char"
				       : counts[WORD_SIGNED] != 0 ? "signed char"
								  : "char");
		return;
	}
	if (counts[WORD_DOUBLE] != 0) {
		tl_output_text(output, counts[WORD_LONG] != 0 ? "long double" : "double");
		return;
	}
	if (counts[WORD_UNSIGNED] != 0)
		tl_output_text(output, "unsigned ");
	if (counts[WORD_SHORT] != 0)
		tl_output_text(output, "short");
	else if (counts[WORD_LONG] > 1)
		tl_output_text(output, "long long");
	else
		tl_output_text(output, counts[WORD_LONG] != 0 ? "long" : "int");
}

/* Takes a run of words as above; where there is none, nothing. */
static const char *take_run(const char *at, struct words *words_ret)
{
	struct words words = {.total = 0};
	const char *end = at;

	for (;;) {
		tl_size size = 0;
		int word = word_at(at, &size);

		if (word < 0)
			break;
		words.counts[word]++;
		words.total++;
		end = at + size;
		if (*end != ' ')
			break;
		at = end + 1;
	}
	*words_ret = words;
	return end;
}

/* Nothing else in the name is touched. */
void tl_type_write_canonical(const char *name, struct tl_output *output)
{
	bool inside = false; /* in the middle of some other word */

	while (*name != 0) {
		struct words words = {.total = 0};
		const char *end = inside ? name : take_run(name, &words);

		/* gcc writes "__int128 unsigned", which is a run of another kind. */
		if (words.total != 0 && !(end[0] == ' ' && strncmp(end + 1, "__int128", 8) == 0)) {
			write_integer(output, &words);
			name = end;
		} else if (strncmp(name, "__int128 unsigned", 17) == 0 && !inside) {
			tl_output_bytes(output, name, 17);
			name += 17;
		} else {
			tl_output_bytes(output, name++, 1);
		}
		inside = in_name(name[-1]);
	}
}

static void write_scope(void *context, const char *text)
{
	tl_type_write_canonical(text, context);
}

static enum tl_status keep_name(struct tl_type_record *record, const struct tl_output *name, struct tl_error *error)
{
	struct tl_types *types = record->type.types;
	enum tl_status status = TL_OK;
	char *copy = NULL;

	pthread_mutex_lock(&types->lock);
	if (record->full_name == NULL)
		status = tl_types_allocate_locked(types, name->size + 1, &copy, error);
	if (copy != NULL) {
		memcpy(copy, tl_output_string(name), name->size + 1);
		record->full_name = copy;
	}
	pthread_mutex_unlock(&types->lock);
	return status;
}

static enum tl_status make_name(const struct tl_type *type, struct tl_output *name, struct tl_error *error)
{
	/* Numbers stand in no scope, and C has none. */
	if (type->has_scopes && type->entry.tag != 0 && type->kind != TL_TYPE_BASE)
		TL_TRY(tl_tree_scope(type->types->tree, &type->entry, write_scope, name, error));
	tl_type_write_canonical(type->name, name);
	return tl_output_status(name, error);
}

enum tl_status tl_type_full_name(const struct tl_type *type, const char **name_ret, struct tl_error *error)
{
	struct tl_type_record *record = tl_type_record(type);
	const char *known;
	enum tl_status status = TL_OK;

	if (type->name == NULL || type->kind == TL_TYPE_FUNCTION) {
		*name_ret = NULL;
		return TL_OK;
	}
	pthread_mutex_lock(&type->types->lock);
	known = record->full_name;
	pthread_mutex_unlock(&type->types->lock);
	if (known == NULL) {
		struct tl_output name = tl_output_make(NAME_MAX_SIZE);

		status = make_name(type, &name, error);
		if (status == TL_OK)
			status = keep_name(record, &name, error);
		tl_output_release(&name);
	}
	if (status != TL_OK)
		return status;
	*name_ret = record->full_name;
	return TL_OK;
}

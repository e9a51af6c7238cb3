#include "debugger/values/containers_access.h"

#include "debugger/values/containers.h"
#include "debugger/values/program_string.h"
#include "symbols/dwarf_constants.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So many milliseconds a key is looked for. */
#define PATIENCE 1000
/* Strings are compared in whole; those of programs are shorter. */
#define TEXT_MAX ((tl_u64)1 << 20)

/* What is asked: a container that was opened, and its name. */
struct asked {
	const struct tl_value_context *context;
	struct tl_value value;
	const struct tl_type *type;
	char name[64]; /* "vector", without std:: and versions */
	struct tl_container container;
	bool opened;
	struct tl_error *error;
};

/* ---- Which kind ---- */

static void short_name(const char *full, char name_ret[64])
{
	static const char *const prefixes[] = {"__8::", "__cxx11::", "__cxx1998::", "__debug::"};
	tl_size length;

	name_ret[0] = '\0';
	if (strncmp(full, "__gnu_cxx::__normal_iterator<", 29) == 0)
		full = "std::__normal_iterator<";
	if (strncmp(full, "std::", 5) != 0)
		return;
	full += 5;
	for (tl_size i = 0; i < TL_COUNT(prefixes); i++)
		if (strncmp(full, prefixes[i], strlen(prefixes[i])) == 0)
			full += strlen(prefixes[i]);
	length = strcspn(full, "<:");
	if (length >= 64 || full[length] == ':')
		return;
	memcpy(name_ret, full, length);
	name_ret[length] = '\0';
}

/* *known_ret: it is of the library's, by its name. Only then is it looked into. */
static enum tl_status identify(const struct tl_value_context *context, const struct tl_value *value,
			       struct asked *asked, bool *known_ret, struct tl_error *error)
{
	const char *full = NULL;

	*known_ret = false;
	*asked = (struct asked){.context = context, .value = *value, .error = error};
	TL_TRY(tl_type_strip(value->type, &asked->type, error));
	if (asked->type->kind == TL_TYPE_REFERENCE || asked->type->kind == TL_TYPE_RVALUE_REFERENCE) {
		TL_TRY(tl_value_unreference(context, &asked->value, error));
		TL_TRY(tl_type_strip(asked->value.type, &asked->type, error));
	}
	if ((asked->type->kind != TL_TYPE_STRUCT && asked->type->kind != TL_TYPE_CLASS) || !asked->type->has_scopes ||
	    asked->type->name == NULL || asked->type->declaration)
		return TL_OK;
	TL_TRY(tl_type_full_name(asked->type, &full, error));
	if (full != NULL)
		short_name(full, asked->name);
	*known_ret = asked->name[0] != '\0';
	return TL_OK;
}

/* Looks into it; `opened` stays false for what containers.h does not know. */
static enum tl_status look_into(struct asked *asked)
{
	struct tl_error failure = {0};

	TL_TRY(tl_value_load(asked->context, &asked->value, asked->error));
	if (tl_container_open(asked->context, &asked->value, asked->type, &asked->container, &asked->opened,
			      &failure) != TL_OK)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "This is no std::%s that makes sense: %s.", asked->name,
			       failure.text);
	return TL_OK;
}

static bool is(const struct asked *asked, const char *name)
{
	return strcmp(asked->name, name) == 0;
}

static bool is_map(const struct asked *asked)
{
	return is(asked, "map") || is(asked, "unordered_map");
}

static bool is_smart(const struct asked *asked)
{
	return is(asked, "unique_ptr") || is(asked, "shared_ptr");
}

static bool is_string(const struct asked *asked)
{
	return is(asked, "basic_string") || is(asked, "basic_string_view");
}

/* The member at the end of a path, "_M_payload._M_engaged". */
static enum tl_status member(struct asked *asked, const char *path, struct tl_value *value_ret)
{
	char name[64];

	*value_ret = asked->value;
	while (*path != '\0') {
		const tl_size length = strcspn(path, ".");

		if (length >= sizeof(name))
			return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "%s is too long", path);
		memcpy(name, path, length);
		name[length] = '\0';
		TL_TRY(tl_value_member(asked->context, value_ret, name, value_ret, asked->error));
		path += length + (path[length] == '.');
	}
	return TL_OK;
}

/* ---- Numbers ---- */

static enum tl_status make_number(struct asked *asked, tl_u64 number, struct tl_value *value_ret)
{
	const struct tl_type *type;

	TL_TRY(tl_value_integer_type(asked->context, asked->context->address_size, false, &type, asked->error));
	return tl_value_make_integer(asked->context, type, (tl_i128)number, value_ret, asked->error);
}

static enum tl_status make_truth(const struct tl_value_context *context, bool truth, struct tl_value *value_ret,
				 struct tl_error *error)
{
	const struct tl_type *type;

	TL_TRY(tl_value_truth_type(context, &type, error));
	return tl_value_make_integer(context, type, truth, value_ret, error);
}

static enum tl_status read_word(struct asked *asked, tl_u64 address, tl_u64 *word_ret)
{
	const struct tl_value_context *context = asked->context;
	tl_u8 bytes[8] = {0};

	TL_TRY(context->read(context->context, address, bytes, context->address_size, asked->error));
	*word_ret = 0;
	for (tl_size i = context->address_size; i > 0; i--)
		*word_ret = *word_ret << 8 | bytes[i - 1];
	return TL_OK;
}

static enum tl_status no_element(const struct asked *asked, tl_i128 index, tl_u64 count)
{
	return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "There is no element %lld: the std::%s has %llu.",
		       (long long)index, is_string(asked) ? "string" : asked->name, (unsigned long long)count);
}

/* ---- Elements by number ---- */

/* An element of a deque, whose table of chunks says where each chunk is. */
static enum tl_status in_chunks(struct asked *asked, tl_u64 index, struct tl_value *value_ret)
{
	const struct tl_container *container = &asked->container;
	const tl_u64 first = (container->chunk_end - container->node) / container->stride;
	const tl_u64 each = container->chunk_size / container->stride;
	tl_u64 address = container->node + index * container->stride, chunk;

	if (index >= first) {
		index -= first;
		TL_TRY(read_word(asked, container->chunk + (1 + index / each) * asked->context->address_size, &chunk));
		address = chunk + index % each * container->stride;
	}
	return tl_value_at(asked->context, container->types[0], address, value_ret, asked->error);
}

static enum tl_status bit(struct asked *asked, tl_u64 index, struct tl_value *value_ret)
{
	const struct tl_container *container = &asked->container;
	const tl_u64 bits = (tl_u64)asked->context->address_size * 8;
	tl_u64 word;

	TL_TRY(read_word(asked, container->node + index / bits * asked->context->address_size, &word));
	return tl_value_make_integer(asked->context, container->types[0], (tl_i128)(word >> index % bits & 1),
				     value_ret, asked->error);
}

static enum tl_status character(struct asked *asked, tl_u64 index, struct tl_value *value_ret)
{
	tl_u64 width;
	bool known;

	TL_TRY(tl_type_size(asked->container.character, &width, &known, asked->error));
	return tl_value_at(asked->context, asked->container.character, asked->container.address + index * width,
			   value_ret, asked->error);
}

/* How many there are of what is counted by number; *counted_ret is false for others. */
static tl_u64 count_of(const struct asked *asked, bool *counted_ret)
{
	const struct tl_container *container = &asked->container;

	*counted_ret = true;
	if (container->style == TL_CONTAINER_STRING)
		return container->length;
	*counted_ret = container->walk == TL_WALK_RANGE || container->walk == TL_WALK_BITS ||
		       container->walk == TL_WALK_CHUNKS;
	return container->count;
}

static enum tl_status numbered(struct asked *asked, tl_i128 index, struct tl_value *value_ret)
{
	const struct tl_container *container = &asked->container;
	bool counted;
	/* The zero behind a string is there, too. */
	const tl_u64 count = count_of(asked, &counted) + (is(asked, "basic_string") ? 1 : 0);

	if (index < 0 || index >= (tl_i128)count)
		return no_element(asked, index, count - (is(asked, "basic_string") ? 1 : 0));
	if (container->style == TL_CONTAINER_STRING)
		return character(asked, (tl_u64)index, value_ret);
	if (container->walk == TL_WALK_BITS)
		return bit(asked, (tl_u64)index, value_ret);
	if (container->walk == TL_WALK_CHUNKS)
		return in_chunks(asked, (tl_u64)index, value_ret);
	return tl_value_at(asked->context, container->types[0], container->node + (tl_u64)index * container->stride,
			   value_ret, asked->error);
}

/* The only member of a std::array; one of no elements has none. */
static enum tl_status array_element(struct asked *asked, tl_i128 index, struct tl_value *value_ret)
{
	const struct tl_type *type;
	const struct tl_bound *bound;
	struct tl_value elements;

	TL_TRY(member(asked, "_M_elems", &elements));
	TL_TRY(tl_type_strip(elements.type, &type, asked->error));
	if (type->kind != TL_TYPE_ARRAY)
		return no_element(asked, index, 0);
	TL_TRY(tl_type_bound(type, &bound, asked->error));
	if (index < 0 || bound->kind != TL_BOUND_CONSTANT || index >= (tl_i128)bound->count)
		return no_element(asked, index, bound->kind == TL_BOUND_CONSTANT ? bound->count : 0);
	return tl_value_element(asked->context, &elements, (tl_i64)index, value_ret, asked->error);
}

/* ---- Texts ---- */

struct text {
	const tl_u8 *bytes;
	tl_u64 size;
	bool known;
};

static enum tl_status pointed_text(const struct tl_value_context *context, const struct tl_value *value,
				   struct text *text, struct tl_error *error)
{
	const struct tl_type *type, *target;
	char *string;

	TL_TRY(tl_type_strip(value->type, &type, error));
	if (type->kind != TL_TYPE_POINTER && type->kind != TL_TYPE_ARRAY)
		return TL_OK;
	TL_TRY(tl_type_target(type, &target, error));
	TL_TRY(tl_type_strip(target, &target, error));
	if (target->kind != TL_TYPE_BASE || target->size != 1 || target->encoding == DW_ATE_boolean)
		return TL_OK;
	TL_TRY(tl_program_string(context, value, &string, error));
	text->bytes = (const tl_u8 *)string;
	text->size = strlen(string);
	text->known = true;
	return TL_OK;
}

/* The characters of a std::string, a view of one, or a string of C, if they are bytes. */
static enum tl_status text_of(const struct tl_value_context *context, const struct tl_value *value, struct text *text,
			      struct tl_error *error)
{
	struct asked asked;
	bool known = false;
	tl_u64 width;
	tl_u8 *bytes;

	*text = (struct text){.known = false};
	TL_TRY(identify(context, value, &asked, &known, error));
	if (!known || !is_string(&asked))
		return pointed_text(context, value, text, error);
	TL_TRY(look_into(&asked));
	if (!asked.opened || asked.container.style != TL_CONTAINER_STRING)
		return TL_OK;
	TL_TRY(tl_type_size(asked.container.character, &width, &known, error));
	if (width != 1 || asked.container.length > TEXT_MAX)
		return TL_OK;
	bytes = tl_arena_allocate(context->arena, asked.container.length + 1);
	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	if (asked.container.length != 0)
		TL_TRY(context->read(context->context, asked.container.address, bytes, asked.container.length, error));
	*text = (struct text){bytes, asked.container.length, true};
	return TL_OK;
}

/* As std::string compares: by bytes, and then by length. */
static int order_of(const struct text *left, const struct text *right)
{
	const tl_u64 both = left->size < right->size ? left->size : right->size;
	const int order = both != 0 ? memcmp(left->bytes, right->bytes, both) : 0;

	return order != 0 ? order : left->size < right->size ? -1 : left->size > right->size;
}

/* ---- Elements by key ---- */

/* A key that is looked for: a text, or a number. */
struct wanted {
	struct text text;
	bool is_real;
	tl_i128 number;
	long double real;
};

static enum tl_status prepare_key(struct asked *asked, const struct tl_value *key, struct wanted *wanted)
{
	const struct tl_type *type;
	struct tl_value own = *key;
	bool is_signed;

	*wanted = (struct wanted){.is_real = false};
	TL_TRY(text_of(asked->context, key, &wanted->text, asked->error));
	if (wanted->text.known)
		return TL_OK;
	TL_TRY(tl_value_decay(asked->context, &own, asked->error));
	TL_TRY(tl_type_strip(own.type, &type, asked->error));
	if (tl_type_arithmetic(type, &is_signed) == TL_ARITHMETIC_NONE)
		return TL_FAIL(asked->error, TL_ERROR_UNSUPPORTED,
			       "Keys of type \"%s\" cannot be compared without running the program.",
			       tl_value_type_name(asked->context, key->type));
	TL_TRY(tl_value_real(asked->context, &own, &wanted->real, asked->error));
	wanted->is_real = tl_type_arithmetic(type, &is_signed) == TL_ARITHMETIC_REAL;
	return wanted->is_real ? TL_OK : tl_value_integer(asked->context, &own, &wanted->number, asked->error);
}

static enum tl_status is_key(struct asked *asked, const struct tl_value *key, const struct wanted *wanted, bool *is_ret)
{
	const struct tl_type *type;
	struct text text;
	long double real;
	tl_i128 number;
	bool is_signed;

	*is_ret = false;
	TL_TRY(tl_type_strip(key->type, &type, asked->error));
	if (tl_type_arithmetic(type, &is_signed) != TL_ARITHMETIC_NONE && !wanted->text.known) {
		if (wanted->is_real || tl_type_arithmetic(type, &is_signed) == TL_ARITHMETIC_REAL) {
			TL_TRY(tl_value_real(asked->context, key, &real, asked->error));
			*is_ret = real == wanted->real;
			return TL_OK;
		}
		TL_TRY(tl_value_integer(asked->context, key, &number, asked->error));
		*is_ret = number == wanted->number;
		return TL_OK;
	}
	TL_TRY(text_of(asked->context, key, &text, asked->error));
	if (!text.known || !wanted->text.known)
		return TL_FAIL(asked->error, TL_ERROR_UNSUPPORTED,
			       "Keys of type \"%s\" cannot be compared with that without running the program.",
			       tl_value_type_name(asked->context, key->type));
	*is_ret = order_of(&text, &wanted->text) == 0;
	return TL_OK;
}

static tl_u64 milliseconds(void)
{
	struct timespec now;

	return clock_gettime(CLOCK_MONOTONIC, &now) == 0 ? (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000
							 : 0;
}

/* Goes through all elements: what orders or hashes them is the program's own. */
static enum tl_status find_key(struct asked *asked, const struct tl_value *key, struct tl_value *value_ret,
			       bool *found_ret)
{
	const tl_u64 deadline = milliseconds() + PATIENCE;
	struct tl_container_child child, value;
	struct wanted wanted;
	bool more = true;

	*found_ret = false;
	TL_TRY(prepare_key(asked, key, &wanted));
	for (tl_u64 done = 0; !*found_ret; done++) {
		TL_TRY(tl_container_next(asked->context, &asked->container, &child, &more, asked->error));
		if (!more)
			return TL_OK;
		TL_TRY(is_key(asked, &child.value, &wanted, found_ret));
		value = child;
		if (asked->container.pairs)
			TL_TRY(tl_container_next(asked->context, &asked->container, &value, &more, asked->error));
		if (done % 64 == 63 && milliseconds() > deadline)
			return TL_FAIL(asked->error, TL_ERROR_TIMEOUT,
				       "The first %llu elements have no such key, and more would take too long.",
				       (unsigned long long)done + 1);
	}
	*value_ret = value.value;
	return TL_OK;
}

static enum tl_status by_key(struct asked *asked, const struct tl_value *key, struct tl_value *value_ret)
{
	bool found = false;

	TL_TRY(find_key(asked, key, value_ret, &found));
	return found ? TL_OK
		     : TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "The std::%s has no such key among its elements.",
			       asked->name);
}

/* ---- What leads somewhere ---- */

/* The pointer in a std::unique_ptr or std::shared_ptr. */
static enum tl_status smart_pointer(struct asked *asked, struct tl_value *pointer_ret)
{
	TL_TRY(look_into(asked));
	if (!asked->opened || asked->container.walk != TL_WALK_ONE)
		return TL_FAIL(asked->error, TL_ERROR_UNSUPPORTED, "Where the std::%s points to is not known.",
			       asked->name);
	*pointer_ret = asked->container.value;
	return TL_OK;
}

static enum tl_status optional_value(struct asked *asked, struct tl_value *value_ret, bool *engaged_ret)
{
	struct tl_value engaged;

	TL_TRY(member(asked, "_M_payload._M_engaged", &engaged));
	TL_TRY(tl_value_truth(asked->context, &engaged, engaged_ret, asked->error));
	return *engaged_ret ? member(asked, "_M_payload._M_payload._M_value", value_ret) : TL_OK;
}

static enum tl_status need_optional(struct asked *asked, struct tl_value *value_ret)
{
	bool engaged = false;

	TL_TRY(optional_value(asked, value_ret, &engaged));
	return engaged ? TL_OK : TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "The std::optional has no contained value.");
}

static bool is_iterator(const struct asked *asked)
{
	return strstr(asked->name, "_iterator") != NULL;
}

static enum tl_status iterator_value(struct asked *asked, struct tl_value *value_ret)
{
	TL_TRY(look_into(asked));
	if (!asked->opened || asked->container.style != TL_CONTAINER_ALIAS)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "The iterator leads to no element.");
	*value_ret = asked->container.value;
	return TL_OK;
}

enum tl_status tl_container_follow(const struct tl_value_context *context, const struct tl_value *pointer,
				   struct tl_value *value_ret, bool *done_ret, struct tl_error *error)
{
	struct asked asked;
	struct tl_value own;

	TL_TRY(identify(context, pointer, &asked, done_ret, error));
	if (!*done_ret)
		return TL_OK;
	if (is(&asked, "optional"))
		return need_optional(&asked, value_ret);
	if (is(&asked, "weak_ptr"))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "A std::weak_ptr is not followed: what it points to may be gone. Look at its _M_ptr.");
	if (is_iterator(&asked)) {
		TL_TRY(look_into(&asked));
		*done_ret = asked.opened;
		return asked.opened ? iterator_value(&asked, value_ret) : TL_OK;
	}
	*done_ret = is_smart(&asked);
	if (!*done_ret)
		return TL_OK;
	TL_TRY(smart_pointer(&asked, &own));
	return tl_value_follow(context, &own, value_ret, error);
}

/* ---- [] ---- */

enum tl_status tl_container_at(const struct tl_value_context *context, const struct tl_value *container,
			       const struct tl_value *key, struct tl_value *value_ret, bool *done_ret,
			       struct tl_error *error)
{
	struct asked asked;
	struct tl_value pointer;
	tl_i128 index;
	bool counted = false;

	TL_TRY(identify(context, container, &asked, done_ret, error));
	if (!*done_ret)
		return TL_OK;
	if (is(&asked, "array")) {
		TL_TRY(tl_value_integer(context, key, &index, error));
		return array_element(&asked, index, value_ret);
	}
	if (is_smart(&asked)) {
		TL_TRY(tl_value_integer(context, key, &index, error));
		TL_TRY(smart_pointer(&asked, &pointer));
		return tl_value_element(context, &pointer, (tl_i64)index, value_ret, error);
	}
	TL_TRY(look_into(&asked));
	if (asked.opened && is_map(&asked))
		return by_key(&asked, key, value_ret);
	if (asked.opened)
		(void)count_of(&asked, &counted);
	*done_ret = counted && !is_iterator(&asked);
	if (!*done_ret)
		return TL_OK;
	TL_TRY(tl_value_integer(context, key, &index, error));
	return numbered(&asked, index, value_ret);
}

/* ---- Functions that answer ---- */

/* How many elements there are: known, or, for a list, counted. */
static enum tl_status size_of(struct asked *asked, tl_u64 *size_ret, bool *known_ret)
{
	const tl_u64 deadline = milliseconds() + PATIENCE;
	struct tl_container_child child;
	struct tl_value value;
	tl_i128 number;
	bool more = true;

	if (is(asked, "unordered_map") || is(asked, "unordered_set") || is(asked, "unordered_multimap") ||
	    is(asked, "unordered_multiset")) {
		TL_TRY(member(asked, "_M_h._M_element_count", &value));
		TL_TRY(tl_value_integer(asked->context, &value, &number, asked->error));
		*size_ret = (tl_u64)number;
		*known_ret = true;
		return TL_OK;
	}
	*size_ret = count_of(asked, known_ret);
	if (asked->container.walk == TL_WALK_TREE)
		*known_ret = true;
	if (*known_ret || !is(asked, "list"))
		return TL_OK;
	for (*size_ret = 0;; ++*size_ret) {
		TL_TRY(tl_container_next(asked->context, &asked->container, &child, &more, asked->error));
		if (!more)
			break;
		if (*size_ret % 64 == 63 && milliseconds() > deadline)
			return TL_FAIL(asked->error, TL_ERROR_TIMEOUT,
				       "There are more than %llu elements; to count them would take too long.",
				       (unsigned long long)*size_ret);
	}
	*known_ret = true;
	return TL_OK;
}

static enum tl_status capacity_of(struct asked *asked, struct tl_value *value_ret, bool *done_ret)
{
	struct tl_value start, end, element;
	tl_i128 first, behind;

	*done_ret = is(asked, "vector") && asked->container.walk == TL_WALK_RANGE;
	if (!*done_ret)
		return TL_OK;
	TL_TRY(member(asked, "_M_impl._M_start", &start));
	TL_TRY(member(asked, "_M_impl._M_end_of_storage", &end));
	TL_TRY(tl_value_integer(asked->context, &start, &first, asked->error));
	TL_TRY(tl_value_integer(asked->context, &end, &behind, asked->error));
	TL_TRY(tl_value_at(asked->context, asked->container.types[0], 0, &element, asked->error));
	return make_number(asked, element.size != 0 ? (tl_u64)(behind - first) / element.size : 0, value_ret);
}

/* The address of the first element or character. */
static enum tl_status data_of(struct asked *asked, struct tl_value *value_ret, bool *done_ret)
{
	const bool is_text = asked->container.style == TL_CONTAINER_STRING;
	const struct tl_type *type = is_text ? asked->container.character : asked->container.types[0];

	*done_ret = is_text || asked->container.walk == TL_WALK_RANGE;
	if (!*done_ret)
		return TL_OK;
	if (is_text && is(asked, "basic_string"))
		TL_TRY(tl_type_make_qualified(type, TL_TYPE_CONST, &type, asked->error));
	TL_TRY(tl_type_make_pointer(type, asked->context->address_size, &type, asked->error));
	return tl_value_make_integer(asked->context, type,
				     (tl_i128)(is_text ? asked->container.address : asked->container.node), value_ret,
				     asked->error);
}

/* Questions without arguments, of what was opened. */
static enum tl_status ask_opened(struct asked *asked, const char *name, struct tl_value *value_ret, bool *done_ret)
{
	const bool is_size = strcmp(name, "size") == 0 || strcmp(name, "length") == 0;
	tl_u64 size = 0;
	bool known = false, counted = false;

	*done_ret = true;
	if (strcmp(name, "data") == 0 || (strcmp(name, "c_str") == 0 && is(asked, "basic_string")))
		return data_of(asked, value_ret, done_ret);
	if (strcmp(name, "capacity") == 0)
		return capacity_of(asked, value_ret, done_ret);
	if (is_size || strcmp(name, "empty") == 0 || strcmp(name, "back") == 0 || strcmp(name, "front") == 0)
		TL_TRY(size_of(asked, &size, &known));
	*done_ret = known;
	if (!known)
		return TL_OK;
	if (is_size)
		return make_number(asked, size, value_ret);
	if (strcmp(name, "empty") == 0)
		return make_truth(asked->context, size == 0, value_ret, asked->error);
	(void)count_of(asked, &counted);
	*done_ret = counted;
	if (!counted)
		return TL_OK;
	if (size == 0)
		return no_element(asked, 0, 0);
	return numbered(asked, strcmp(name, "front") == 0 ? 0 : (tl_i128)size - 1, value_ret);
}

/* Questions of smart pointers, optionals and variants, which are not asked how many they are. */
static enum tl_status ask_holder(struct asked *asked, const char *name, struct tl_value *value_ret, bool *done_ret)
{
	struct tl_value index;
	bool engaged = false;
	tl_i128 number;

	*done_ret = true;
	if (is_smart(asked) && strcmp(name, "get") == 0)
		return smart_pointer(asked, value_ret);
	if (is(asked, "optional") && strcmp(name, "value") == 0)
		return need_optional(asked, value_ret);
	if (is(asked, "optional") && strcmp(name, "has_value") == 0) {
		TL_TRY(optional_value(asked, value_ret, &engaged));
		return make_truth(asked->context, engaged, value_ret, asked->error);
	}
	if (is(asked, "variant") && strcmp(name, "index") == 0) {
		TL_TRY(member(asked, "_M_index", &index));
		TL_TRY(tl_value_integer(asked->context, &index, &number, asked->error));
		return make_number(asked, (tl_u64)number, value_ret);
	}
	*done_ret = false;
	return TL_OK;
}

/* size, front and back of a std::array, which is no more than an array. */
static enum tl_status ask_array(struct asked *asked, const char *name, struct tl_value *value_ret, bool *done_ret)
{
	const struct tl_type *type;
	const struct tl_bound *bound;
	struct tl_value elements;

	TL_TRY(member(asked, "_M_elems", &elements));
	TL_TRY(tl_type_strip(elements.type, &type, asked->error));
	*done_ret = type->kind == TL_TYPE_ARRAY;
	if (!*done_ret)
		return TL_OK;
	TL_TRY(tl_type_bound(type, &bound, asked->error));
	if (strcmp(name, "size") == 0)
		return make_number(asked, bound->count, value_ret);
	if (strcmp(name, "empty") == 0)
		return make_truth(asked->context, bound->count == 0, value_ret, asked->error);
	if (strcmp(name, "front") == 0 || strcmp(name, "back") == 0)
		return array_element(asked, name[0] == 'f' ? 0 : (tl_i128)bound->count - 1, value_ret);
	*done_ret = strcmp(name, "data") == 0;
	if (!*done_ret)
		return TL_OK;
	*value_ret = elements;
	return tl_value_decay(asked->context, value_ret, asked->error);
}

/* count(key) and contains(key): whether there is one. find() makes an iterator, which only the program can. */
static enum tl_status ask_key(struct asked *asked, const char *name, const struct tl_value *key,
			      struct tl_value *value_ret, bool *done_ret)
{
	const bool counts = strcmp(name, "count") == 0, contains = strcmp(name, "contains") == 0;
	struct tl_value value;
	bool found = false;

	*done_ret = (counts || contains) &&
		    (is_map(asked) || is(asked, "set") || is(asked, "unordered_set") ||
		     (contains && (is(asked, "multimap") || is(asked, "multiset") || is(asked, "unordered_multimap") ||
				   is(asked, "unordered_multiset"))));
	if (!*done_ret)
		return TL_OK;
	TL_TRY(look_into(asked));
	if (!asked->opened)
		return TL_FAIL(asked->error, TL_ERROR_UNSUPPORTED, "The std::%s is not understood.", asked->name);
	TL_TRY(find_key(asked, key, &value, &found));
	return counts ? make_number(asked, found, value_ret)
		      : make_truth(asked->context, found, value_ret, asked->error);
}

enum tl_status tl_container_ask(const struct tl_value_context *context, const struct tl_value *container,
				const char *name, const struct tl_value *arguments, tl_size count,
				struct tl_value *value_ret, bool *done_ret, struct tl_error *error)
{
	struct asked asked;

	TL_TRY(identify(context, container, &asked, done_ret, error));
	if (!*done_ret)
		return TL_OK;
	if (count == 1 && strcmp(name, "at") == 0)
		return tl_container_at(context, container, &arguments[0], value_ret, done_ret, error);
	if (count == 1)
		return ask_key(&asked, name, &arguments[0], value_ret, done_ret);
	*done_ret = false;
	if (count != 0)
		return TL_OK;
	if (is(&asked, "array"))
		return ask_array(&asked, name, value_ret, done_ret);
	TL_TRY(ask_holder(&asked, name, value_ret, done_ret));
	if (*done_ret || is_iterator(&asked))
		return TL_OK;
	TL_TRY(look_into(&asked));
	return asked.opened ? ask_opened(&asked, name, value_ret, done_ret) : TL_OK;
}

/* ---- std::get ---- */

static enum tl_status is_of_type(struct asked *asked, const struct tl_value *value, const char *what, bool *is_ret)
{
	const char *name = tl_container_short_name(asked->context, value->type);

	*is_ret = strcmp(name, what) == 0 || strcmp(tl_value_type_name(asked->context, value->type), what) == 0;
	return TL_OK;
}

static enum tl_status get_child(struct asked *asked, const char *what, tl_i64 index, struct tl_value *value_ret)
{
	struct tl_container_child child;
	bool more = true, found = false;

	TL_TRY(look_into(asked));
	for (tl_i64 i = 0; asked->opened && !found; i++) {
		TL_TRY(tl_container_next(asked->context, &asked->container, &child, &more, asked->error));
		if (!more)
			break;
		found = i == index;
		if (index < 0)
			TL_TRY(is_of_type(asked, &child.value, what, &found));
	}
	if (!found)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "The std::%s has no %s.", asked->name, what);
	*value_ret = child.value;
	return TL_OK;
}

/* A variant has one of its alternatives; which, is asked first. */
static enum tl_status get_alternative(struct asked *asked, const char *what, tl_i64 index, struct tl_value *value_ret)
{
	const struct tl_type *type = NULL;
	struct tl_value held;
	tl_i128 number;
	bool same = true;

	TL_TRY(member(asked, "_M_index", &held));
	TL_TRY(tl_value_integer(asked->context, &held, &number, asked->error));
	if (number >= 0 && number < 4096)
		TL_TRY(tl_container_argument(asked->type, (tl_size)number, &type, asked->error));
	if (type == NULL)
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT, "The std::variant has no contained value.");
	TL_TRY(member(asked, "_M_u", &held));
	TL_TRY(tl_value_load(asked->context, &held, asked->error));
	*value_ret = held;
	value_ret->type = type;
	if (held.place == TL_VALUE_IN_MEMORY)
		TL_TRY(tl_value_at(asked->context, type, held.address, value_ret, asked->error));
	if (index < 0)
		TL_TRY(is_of_type(asked, value_ret, what, &same));
	if (!same || (index >= 0 && index != (tl_i64)number))
		return TL_FAIL(asked->error, TL_ERROR_ARGUMENT,
			       "The std::variant holds no %s: it holds its alternative %lld, of type \"%s\".", what,
			       (long long)number, tl_container_short_name(asked->context, type));
	return TL_OK;
}

enum tl_status tl_container_get(const struct tl_value_context *context, const struct tl_value *container,
				const char *what, struct tl_value *value_ret, bool *done_ret, struct tl_error *error)
{
	struct asked asked;
	char *end;
	tl_i64 index = (tl_i64)strtoll(what, &end, 0);

	if (end == what || *end != '\0' || index < 0)
		index = -1;
	TL_TRY(identify(context, container, &asked, done_ret, error));
	if (!*done_ret)
		return TL_OK;
	if (is(&asked, "variant"))
		return get_alternative(&asked, what, index, value_ret);
	if (is(&asked, "array") && index >= 0)
		return array_element(&asked, index, value_ret);
	*done_ret = is(&asked, "pair") || is(&asked, "tuple");
	return *done_ret ? get_child(&asked, what, index, value_ret) : TL_OK;
}

/* ---- Comparisons and truth ---- */

static bool compares(enum tl_punctuator operation)
{
	return operation == TL_EQUAL || operation == TL_NOT_EQUAL || operation == TL_LESS || operation == TL_GREATER ||
	       operation == TL_LESS_EQUAL || operation == TL_GREATER_EQUAL;
}

static bool holds(enum tl_punctuator operation, int order)
{
	return operation == TL_EQUAL        ? order == 0
	       : operation == TL_NOT_EQUAL  ? order != 0
	       : operation == TL_LESS       ? order < 0
	       : operation == TL_GREATER    ? order > 0
	       : operation == TL_LESS_EQUAL ? order <= 0
					    : order >= 0;
}

/* The pointer in a smart pointer, and any other value itself. */
static enum tl_status as_pointer(const struct tl_value_context *context, const struct tl_value *value,
				 struct tl_value *pointer_ret, bool *smart_ret, struct tl_error *error)
{
	struct asked asked;

	*pointer_ret = *value;
	TL_TRY(identify(context, value, &asked, smart_ret, error));
	*smart_ret = *smart_ret && is_smart(&asked);
	return *smart_ret ? smart_pointer(&asked, pointer_ret) : TL_OK;
}

static enum tl_status is_text(const struct tl_value_context *context, const struct tl_value *value, bool *is_ret,
			      struct tl_error *error)
{
	struct asked asked;

	TL_TRY(identify(context, value, &asked, is_ret, error));
	*is_ret = *is_ret && is_string(&asked);
	return TL_OK;
}

enum tl_status tl_container_compare(const struct tl_value_context *context, enum tl_punctuator operation,
				    const struct tl_value *left, const struct tl_value *right,
				    struct tl_value *value_ret, bool *done_ret, struct tl_error *error)
{
	struct tl_value one, other;
	struct text first, second;
	bool left_is = false, right_is = false;

	*done_ret = false;
	if (!compares(operation))
		return TL_OK;
	TL_TRY(is_text(context, left, &left_is, error));
	TL_TRY(is_text(context, right, &right_is, error));
	if (left_is || right_is) {
		TL_TRY(text_of(context, left, &first, error));
		TL_TRY(text_of(context, right, &second, error));
		*done_ret = first.known && second.known;
		return *done_ret ? make_truth(context, holds(operation, order_of(&first, &second)), value_ret, error)
				 : TL_OK;
	}
	TL_TRY(as_pointer(context, left, &one, &left_is, error));
	TL_TRY(as_pointer(context, right, &other, &right_is, error));
	*done_ret = left_is || right_is;
	return *done_ret ? tl_value_binary(context, operation, &one, &other, value_ret, error) : TL_OK;
}

enum tl_status tl_container_truth(const struct tl_value_context *context, const struct tl_value *value, bool *truth_ret,
				  bool *done_ret, struct tl_error *error)
{
	struct asked asked;
	struct tl_value own;

	TL_TRY(identify(context, value, &asked, done_ret, error));
	if (!*done_ret)
		return TL_OK;
	if (is(&asked, "optional"))
		return optional_value(&asked, &own, truth_ret);
	*done_ret = is_smart(&asked);
	if (!*done_ret)
		return TL_OK;
	TL_TRY(smart_pointer(&asked, &own));
	return tl_value_truth(context, &own, truth_ret, error);
}

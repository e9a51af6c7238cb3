/* What holds one thing or a few: strings, pairs, pointers, iterators. */
#include "debugger/values/containers_internal.h"
#include "debugger/values/print_text.h"

#include <string.h>

#define VARIANT_ALTERNATIVES_MAX 256
/* No compiler nests templates so deep; damaged types may. */
#define TUPLE_MAX 4096

static enum tl_status one(const struct tl_container_view *view, const struct tl_value *value, const char *name,
			  enum tl_container_style style)
{
	struct tl_container *container = view->container;

	container->style = style;
	container->walk = TL_WALK_ONE;
	container->value = *value;
	container->name = name;
	container->count = 1;
	return TL_OK;
}

static enum tl_status text(const struct tl_container_view *view, const char *words)
{
	view->container->style = TL_CONTAINER_TEXT;
	return tl_container_head(view, "%s", words);
}

/* Puts words in front of the head of what a nested value was opened as. */
static enum tl_status prepend(const struct tl_container_view *view, const char *words, const char *between)
{
	const char *head = view->container->head;

	return head != NULL ? tl_container_head(view, "%s%s%s", words, between, head)
			    : tl_container_head(view, "%s", words);
}

/* ---- Strings ---- */

static enum tl_status open_text(struct tl_container_view *view, tl_u64 address, tl_u64 length)
{
	struct tl_container *container = view->container;
	tl_u64 width;

	TL_TRY(tl_container_type_argument(view, 0, &container->character));
	TL_TRY(tl_container_element_size(view, container->character, &width));
	if (tl_print_prefix(container->character, width, view->error) == NULL)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "its characters are none");
	if (length > TL_U64_MAX / width || address + length * width < address)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its length is beyond all memory");
	TL_TRY(tl_container_check_memory(view, address, length * width));
	container->style = TL_CONTAINER_STRING;
	container->address = address;
	container->length = length;
	return TL_OK;
}

/* The old kind, in front of whose text length, capacity and a count of references stand. */
static enum tl_status shared_string(struct tl_container_view *view, tl_u64 address)
{
	tl_u64 words[2];

	TL_TRY(tl_container_read_words(view->context, address - 3 * (tl_u64)view->context->address_size, words, 2,
				       view->error));
	if (words[0] > words[1])
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it is longer than its room");
	return open_text(view, address, words[0]);
}

enum tl_status tl_container_string(struct tl_container_view *view)
{
	tl_u64 address, length, capacity;
	struct tl_value local;

	TL_TRY(tl_container_number(view, "_M_dataplus._M_p", &address));
	if (strstr(view->name, "__cxx11") == NULL)
		return shared_string(view, address);
	TL_TRY(tl_container_number(view, "_M_string_length", &length));
	TL_TRY(tl_container_member(view, "_M_local_buf", &local));
	if (local.place == TL_VALUE_IN_MEMORY && address == local.address)
		capacity = local.size;
	else
		TL_TRY(tl_container_number(view, "_M_allocated_capacity", &capacity));
	if (length > capacity)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it is longer than its room");
	return open_text(view, address, length);
}

enum tl_status tl_container_string_view(struct tl_container_view *view)
{
	tl_u64 address, length;

	TL_TRY(tl_container_number(view, "_M_str", &address));
	TL_TRY(tl_container_number(view, "_M_len", &length));
	return open_text(view, address, length);
}

/* ---- Pairs and tuples ---- */

enum tl_status tl_container_pair(struct tl_container_view *view)
{
	struct tl_container *container = view->container;

	container->style = TL_CONTAINER_NAMED;
	container->walk = TL_WALK_PAIR;
	container->value = *view->value;
	container->count = 2;
	return TL_OK;
}

enum tl_status tl_container_tuple(struct tl_container_view *view)
{
	struct tl_container *container = view->container;
	const struct tl_member *members;
	tl_size count;

	TL_TRY(tl_type_members(view->type, &members, &count, view->error));
	container->style = TL_CONTAINER_NAMED;
	for (tl_size i = 0; i < count; i++) {
		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_value_field(view->context, view->value, view->type, &members[i], &container->value,
				      view->error));
		container->walk = TL_WALK_TUPLE;
		container->count = TUPLE_MAX;
		return tl_container_head(view, "%s containing", view->name);
	}
	return tl_container_head(view, "empty %s", view->name);
}

/* ---- What may hold something ---- */

/* One value behind a name: as it is laid out itself if it has elements, else called by `words`. */
static enum tl_status contained(struct tl_container_view *view, const struct tl_value *value, const char *words,
				enum tl_container_style style)
{
	struct tl_container *container = view->container;
	bool known;

	/* What is inside may hold garbage, and is then told so when it is shown. */
	if (tl_container_open_nested(view->context, value, view->nesting, container, &known, view->error) == TL_OK &&
	    known &&
	    (container->style == TL_CONTAINER_NAMED || container->style == TL_CONTAINER_ARRAY ||
	     container->style == TL_CONTAINER_MAP))
		return prepend(view, words, " containing ");
	*container = (struct tl_container){0};
	TL_TRY(tl_container_head(view, "%s", words));
	return one(view, value, "[contained value]", style);
}

enum tl_status tl_container_optional(struct tl_container_view *view)
{
	const struct tl_type *type;
	struct tl_value value;
	tl_u64 engaged;
	const char *name;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	name = tl_container_short_name(view->context, type);
	TL_TRY(tl_container_head(view, "%s<%s>", view->name, name));
	name = view->container->head;
	TL_TRY(tl_container_number(view, "_M_payload._M_engaged", &engaged));
	if (engaged > 1)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it neither has a value nor has none");
	if (engaged == 0) {
		view->container->style = TL_CONTAINER_TEXT;
		return tl_container_head(view, "%s [no contained value]", name);
	}
	TL_TRY(tl_container_member(view, "_M_payload._M_payload._M_value", &value));
	return contained(view, &value, name, TL_CONTAINER_NAMED);
}

/* The names of all alternatives, and the type of one. */
static enum tl_status alternatives(const struct tl_container_view *view, tl_u64 index, tl_u64 *count_ret,
				   const struct tl_type **type_ret)
{
	const struct tl_type *type;

	*type_ret = NULL;
	TL_TRY(tl_container_head(view, "%s<", view->name));
	for (*count_ret = 0; *count_ret < VARIANT_ALTERNATIVES_MAX; ++*count_ret) {
		TL_TRY(tl_container_argument(view->type, *count_ret, &type, view->error));
		if (type == NULL)
			break;
		if (*count_ret == index)
			*type_ret = type;
		TL_TRY(tl_container_head(view, "%s%s%s", view->container->head, *count_ret != 0 ? ", " : "",
					 tl_container_short_name(view->context, type)));
	}
	return tl_container_head(view, "%s>", view->container->head);
}

enum tl_status tl_container_variant(struct tl_container_view *view)
{
	struct tl_value index, value;
	const struct tl_type *type;
	tl_i128 number;
	tl_u64 size, count;
	const char *name;

	TL_TRY(tl_container_member(view, "_M_index", &index));
	TL_TRY(tl_value_integer(view->context, &index, &number, view->error));
	TL_TRY(alternatives(view, (tl_u64)number, &count, &type));
	name = view->container->head;
	if (type == NULL) {
		view->container->style = TL_CONTAINER_TEXT;
		/* All bits are set in a variant that lost its value. */
		if (index.size >= 8 || (number + 1) >> (index.size * 8) == 0)
			return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it has no alternative %llu",
				       (unsigned long long)number);
		return tl_container_head(view, "%s [no contained value]", name);
	}
	TL_TRY(tl_container_member(view, "_M_u", &value));
	TL_TRY(tl_container_element_size(view, type, &size));
	if (size > value.size)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its alternative is larger than its room");
	value.type = type;
	value.size = size;
	TL_TRY(tl_container_head(view, "%s [index %llu]", name, (unsigned long long)number));
	return contained(view, &value, view->container->head, TL_CONTAINER_ARRAY);
}

enum tl_status tl_container_adapter(struct tl_container_view *view)
{
	struct tl_value value;
	const char *name;
	bool known;

	TL_TRY(tl_container_head(view, "%s", view->name));
	name = view->container->head;
	TL_TRY(tl_container_member(view, "c", &value));
	TL_TRY(tl_container_open_nested(view->context, &value, view->nesting, view->container, &known, view->error));
	if (!known)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "what it wraps is not known");
	return prepend(view, name, " wrapping: ");
}

/* ---- Pointers ---- */

/* A tuple of the pointer and what deletes it, in one wrapping, or, before GCC 7, in none. */
static enum tl_status unique_pointer(const struct tl_container_view *view, struct tl_value *pointer_ret)
{
	const struct tl_type *type;
	struct tl_container container;
	struct tl_container_child child;
	struct tl_value tuple;
	bool known, more;

	TL_TRY(tl_container_member(view, "_M_t", &tuple));
	TL_TRY(tl_type_strip(tuple.type, &type, view->error));
	TL_TRY(tl_container_is_known(type, &known, view->error));
	if (!known)
		TL_TRY(tl_container_member(view, "_M_t._M_t", &tuple));
	TL_TRY(tl_container_open_nested(view->context, &tuple, view->nesting, &container, &known, view->error));
	if (!known || container.walk != TL_WALK_TUPLE)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "its pointer is not where it was looked for");
	TL_TRY(tl_container_next(view->context, &container, &child, &more, view->error));
	*pointer_ret = child.value;
	return TL_OK;
}

enum tl_status tl_container_unique(struct tl_container_view *view)
{
	const struct tl_type *type;
	struct tl_value pointer;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	TL_TRY(unique_pointer(view, &pointer));
	TL_TRY(tl_container_head(view, "std::unique_ptr<%s>", tl_value_type_name(view->context, type)));
	return one(view, &pointer, "get()", TL_CONTAINER_NAMED);
}

enum tl_status tl_container_shared(struct tl_container_view *view)
{
	const struct tl_type *type;
	struct tl_value pointer;
	tl_u64 counts, word;
	const char *name;
	tl_i32 uses, weak;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	name = tl_value_type_name(view->context, type);
	TL_TRY(tl_container_member(view, "_M_ptr", &pointer));
	TL_TRY(tl_container_number(view, "_M_refcount._M_pi", &counts));
	TL_TRY(one(view, &pointer, "get()", TL_CONTAINER_NAMED));
	if (counts == 0)
		return tl_container_head(view, "%s<%s> (empty)", view->name, name);
	/* Two ints behind the pointer to what makes it go. */
	TL_TRY(tl_container_read_word(view->context, counts + view->context->address_size, &word, view->error));
	uses = (tl_i32)word;
	if (view->context->address_size == 4)
		TL_TRY(tl_container_read_word(view->context, counts + 8, &word, view->error));
	else
		word >>= 32;
	weak = (tl_i32)word;
	if (uses < 0 || weak < 1)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its counts make no sense");
	if (uses == 0)
		return tl_container_head(view, "%s<%s> (expired, weak count %d)", view->name, name, weak);
	return tl_container_head(view, "%s<%s> (use count %d, weak count %d)", view->name, name, uses, weak - 1);
}

/* ---- std::atomic and the like ---- */

enum tl_status tl_container_atomic(struct tl_container_view *view)
{
	static const char *const places[] = {"_M_base._M_i", "_M_b._M_p", "_M_fp", "_M_i"};
	const struct tl_type *type;
	struct tl_value value;
	bool found = false;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	for (tl_size i = 0; i < TL_COUNT(places) && !found; i++)
		found = tl_container_member(view, places[i], &value) == TL_OK;
	if (!found)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "its value is not where it was looked for");
	TL_TRY(tl_container_head(view, "%s<%s>", view->name, tl_value_type_name(view->context, type)));
	return one(view, &value, "", TL_CONTAINER_WRAPPED);
}

enum tl_status tl_container_ordering(struct tl_container_view *view)
{
	static const char *const names[] = {"less", "equivalent", "greater", "unordered"};
	tl_u64 number;

	TL_TRY(tl_container_number(view, "_M_value", &number));
	number = (tl_u8)(number + 1);
	if (number >= TL_COUNT(names))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it is no order");
	view->container->style = TL_CONTAINER_TEXT;
	if (number == 1 && strcmp(view->name, "std::strong_ordering") == 0)
		return tl_container_head(view, "std::strong_ordering::equal");
	return tl_container_head(view, "%s::%s", view->name, names[number]);
}

/* ---- Iterators ---- */

/* What one points to, in its place; `kind` says of what it is none if it points nowhere. */
static enum tl_status pointed(struct tl_container_view *view, const struct tl_type *type, tl_u64 address,
			      const char *nowhere)
{
	struct tl_value value;
	tl_u64 size;

	if (address == 0)
		return text(view, nowhere);
	TL_TRY(tl_container_element_size(view, type, &size));
	TL_TRY(tl_container_check_memory(view, address, size));
	TL_TRY(tl_value_at(view->context, type, address, &value, view->error));
	return one(view, &value, "", TL_CONTAINER_ALIAS);
}

enum tl_status tl_container_iterator(struct tl_container_view *view)
{
	const struct tl_type *type, *target;
	struct tl_value pointer;
	tl_u64 address;

	TL_TRY(tl_container_member(view, "_M_current", &pointer));
	TL_TRY(tl_type_strip(pointer.type, &type, view->error));
	TL_TRY(tl_type_target(type, &target, view->error));
	TL_TRY(tl_container_number(view, "_M_current", &address));
	return pointed(view, target, address, "non-dereferenceable iterator for std::vector");
}

static enum tl_status node_iterator(struct tl_container_view *view, tl_u64 words, const char *nowhere)
{
	const struct tl_type *type;
	tl_u64 node, offset;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	TL_TRY(tl_container_element_offset(view, type, words, &offset));
	TL_TRY(tl_container_number(view, "_M_node", &node));
	return pointed(view, type, node != 0 ? node + offset : 0, nowhere);
}

enum tl_status tl_container_list_iterator(struct tl_container_view *view)
{
	return node_iterator(view, 2, "non-dereferenceable iterator for std::list");
}

enum tl_status tl_container_forward_iterator(struct tl_container_view *view)
{
	return node_iterator(view, 1, "non-dereferenceable iterator for std::forward_list");
}

enum tl_status tl_container_tree_iterator(struct tl_container_view *view)
{
	return node_iterator(view, 4, "non-dereferenceable iterator for associative container");
}

enum tl_status tl_container_deque_iterator(struct tl_container_view *view)
{
	const struct tl_type *type;
	tl_u64 address;

	TL_TRY(tl_container_type_argument(view, 0, &type));
	TL_TRY(tl_container_number(view, "_M_cur", &address));
	return pointed(view, type, address, "non-dereferenceable iterator for std::deque");
}

static enum tl_status bit(struct tl_container_view *view, tl_u64 address, tl_u64 mask, const char *nowhere)
{
	const struct tl_type *type;
	struct tl_value value;
	tl_u64 word;

	if (address == 0)
		return text(view, nowhere);
	TL_TRY(tl_container_read_word(view->context, address, &word, view->error));
	TL_TRY(tl_value_truth_type(view->context, &type, view->error));
	TL_TRY(tl_value_make_integer(view->context, type, (word & mask) != 0, &value, view->error));
	return one(view, &value, "", TL_CONTAINER_ALIAS);
}

enum tl_status tl_container_bit_iterator(struct tl_container_view *view)
{
	tl_u64 address, offset;

	TL_TRY(tl_container_number(view, "_M_p", &address));
	TL_TRY(tl_container_number(view, "_M_offset", &offset));
	if (offset >= (tl_u64)view->context->address_size * 8)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its offset lies outside a word");
	return bit(view, address, (tl_u64)1 << offset, "non-dereferenceable iterator for std::vector<bool>");
}

enum tl_status tl_container_bit_reference(struct tl_container_view *view)
{
	tl_u64 address, mask;

	TL_TRY(tl_container_number(view, "_M_p", &address));
	TL_TRY(tl_container_number(view, "_M_mask", &mask));
	return bit(view, address, mask, "invalid std::vector<bool>::reference");
}

#include "debugger/values/containers_internal.h"

#include <stdio.h>
#include <string.h>

/* A red-black tree of as many nodes as there are addresses is not higher. */
#define HEIGHT_MAX 130

enum tl_status tl_container_read_word(const struct tl_value_context *context, tl_u64 address, tl_u64 *word_ret,
				      struct tl_error *error)
{
	return tl_container_read_words(context, address, word_ret, 1, error);
}

enum tl_status tl_container_read_words(const struct tl_value_context *context, tl_u64 address, tl_u64 *words_ret,
				       tl_size count, struct tl_error *error)
{
	const tl_size width = context->address_size == 4 ? 4 : 8;
	tl_u8 bytes[32] = {0};

	if (context->read == NULL || count * width > sizeof(bytes))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "there is no memory to read");
	TL_TRY(context->read(context->context, address, bytes, count * width, error));
	for (tl_size i = 0; i < count; i++) {
		words_ret[i] = 0;
		for (tl_size j = width; j > 0; j--)
			words_ret[i] = words_ret[i] << 8 | bytes[i * width + j - 1];
	}
	return TL_OK;
}

/* ---- Trees ---- */

enum { PARENT, LEFT, RIGHT };

/* The three links of a node, which stand behind its colour. */
static enum tl_status read_links(const struct tl_value_context *context, tl_u64 node, tl_u64 links[3],
				 struct tl_error *error)
{
	return tl_container_read_words(context, node + context->address_size, links, 3, error);
}

/* The child of a node, whose own link must lead back. */
static enum tl_status descend(const struct tl_value_context *context, tl_u64 *node, tl_u64 links[3], unsigned side,
			      struct tl_error *error)
{
	const tl_u64 child = links[side];

	TL_TRY(read_links(context, child, links, error));
	if (links[PARENT] != *node)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "a node of the tree is not its parent's child");
	*node = child;
	return TL_OK;
}

static enum tl_status next_in_tree(const struct tl_value_context *context, tl_u64 *node, struct tl_error *error)
{
	tl_u64 links[3], at = *node;

	TL_TRY(read_links(context, at, links, error));
	if (links[RIGHT] != 0) {
		TL_TRY(descend(context, &at, links, RIGHT, error));
		for (unsigned i = 0; links[LEFT] != 0; i++) {
			if (i > HEIGHT_MAX)
				return TL_FAIL(error, TL_ERROR_MALFORMED, "the tree is too high");
			TL_TRY(descend(context, &at, links, LEFT, error));
		}
		*node = at;
		return TL_OK;
	}
	for (unsigned i = 0; i < HEIGHT_MAX; i++) {
		const tl_u64 child = at;

		at = links[PARENT];
		TL_TRY(read_links(context, at, links, error));
		if (links[LEFT] == child) {
			*node = at;
			return TL_OK;
		}
		if (links[RIGHT] != child)
			break;
	}
	return TL_FAIL(error, TL_ERROR_MALFORMED, "a node of the tree is not its parent's child");
}

/* ---- Lists ---- */

/* Brent's way to notice that the same nodes come again: an earlier node is kept, ever later ones. */
static bool runs_in_circle(struct tl_container *container)
{
	if (container->node == container->mark)
		return true;
	if (container->mark_distance++ >= container->mark_limit) {
		container->mark = container->node;
		container->mark_limit = container->mark_limit * 2 + 1;
		container->mark_distance = 0;
	}
	return false;
}

static enum tl_status next_link(const struct tl_value_context *context, struct tl_container *container,
				struct tl_error *error)
{
	const tl_u64 previous = container->node;
	tl_u64 back;

	TL_TRY(tl_container_read_word(context, previous, &container->node, error));
	if (container->node == container->end)
		return TL_OK;
	if (container->backwards) {
		TL_TRY(tl_container_read_word(context, container->node + context->address_size, &back, error));
		if (back != previous)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "the links of the list disagree");
	} else if (runs_in_circle(container)) {
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the list runs in a circle");
	}
	return TL_OK;
}

/* ---- Bits ---- */

static enum tl_status bit_at(const struct tl_value_context *context, struct tl_container *container,
			     struct tl_value *value_ret, struct tl_error *error)
{
	const tl_u64 bits = (tl_u64)context->address_size * 8, index = container->done;
	tl_u64 word;

	TL_TRY(tl_container_read_word(context, container->node + index / bits * context->address_size, &word, error));
	return tl_value_make_integer(context, container->types[0], (tl_i128)(word >> index % bits & 1), value_ret,
				     error);
}

/* ---- Tuples ---- */

/* The element that stands in one base of a tuple's: its only field, or, where that takes no room, the base itself. */
static enum tl_status tuple_element(const struct tl_value_context *context, const struct tl_value *head,
				    struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;
	const struct tl_member *members;
	tl_size count;

	TL_TRY(tl_type_strip(head->type, &type, error));
	TL_TRY(tl_type_members(type, &members, &count, error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_FIELD && members[i].name != NULL &&
		    strcmp(members[i].name, "_M_head_impl") == 0)
			return tl_value_field(context, head, type, &members[i], value_ret, error);
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_BASE)
			return tl_value_field(context, head, type, &members[i], value_ret, error);
	*value_ret = *head;
	return TL_OK;
}

/* A tuple's base has two bases: the rest of the elements, if any, and the place of this one. */
static enum tl_status next_in_tuple(const struct tl_value_context *context, struct tl_container *container,
				    struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_type *type;
	const struct tl_member *members, *bases[2] = {NULL, NULL};
	struct tl_value node = container->value, head;
	tl_size count, found = 0;

	TL_TRY(tl_type_strip(node.type, &type, error));
	TL_TRY(tl_type_members(type, &members, &count, error));
	for (tl_size i = 0; i < count && found < 2; i++)
		if (members[i].kind == TL_MEMBER_BASE)
			bases[found++] = &members[i];
	if (found == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "this is not how a tuple is built");
	TL_TRY(tl_value_field(context, &node, type, bases[found - 1], &head, error));
	TL_TRY(tuple_element(context, &head, value_ret, error));
	if (found < 2)
		container->count = container->done;
	else
		TL_TRY(tl_value_field(context, &node, type, bases[0], &container->value, error));
	return TL_OK;
}

/* ---- All ---- */

static enum tl_status node_value(const struct tl_value_context *context, struct tl_container *container,
				 struct tl_value *value_ret, struct tl_error *error)
{
	const unsigned which = container->second ? 1 : 0;

	return tl_value_at(context, container->types[which], container->node + container->offsets[which], value_ret,
			   error);
}

static enum tl_status advance(const struct tl_value_context *context, struct tl_container *container,
			      struct tl_error *error)
{
	if (container->walk == TL_WALK_LINKS)
		return next_link(context, container, error);
	if (container->walk == TL_WALK_TREE)
		return container->done < container->count ? next_in_tree(context, &container->node, error) : TL_OK;
	container->node += container->stride;
	if (container->walk != TL_WALK_CHUNKS || container->node != container->chunk_end ||
	    container->done >= container->count)
		return TL_OK;
	container->chunk += context->address_size;
	TL_TRY(tl_container_read_word(context, container->chunk, &container->node, error));
	container->chunk_end = container->node + container->chunk_size;
	return TL_OK;
}

/* Elements that stand in memory, in nodes or one behind the other. */
static enum tl_status next_node(const struct tl_value_context *context, struct tl_container *container,
				struct tl_value *value_ret, bool *more_ret, struct tl_error *error)
{
	*more_ret = container->walk == TL_WALK_LINKS ? container->node != container->end
						     : container->done < container->count;
	if (!*more_ret)
		return TL_OK;
	/* The step to this node is made only now: what cannot be reached does not spoil what was shown. */
	if (container->pending) {
		container->pending = false;
		TL_TRY(advance(context, container, error));
		if (container->walk == TL_WALK_LINKS && container->node == container->end) {
			*more_ret = false;
			return TL_OK;
		}
	}
	TL_TRY(node_value(context, container, value_ret, error));
	if (container->pairs && !container->second) {
		container->second = true;
		return TL_OK;
	}
	container->second = false;
	container->done++;
	container->pending = true;
	return TL_OK;
}

static enum tl_status next_set_bit(const struct tl_value_context *context, struct tl_container *container,
				   struct tl_container_child *child, bool *more_ret, struct tl_error *error)
{
	const tl_u64 count = container->value.size * 8;

	while (container->done < count && (container->value.bytes[container->done / 8] >> container->done % 8 & 1) == 0)
		container->done++;
	*more_ret = container->done < count;
	if (!*more_ret)
		return TL_OK;
	snprintf(child->name, sizeof(child->name), "[%llu]", (unsigned long long)container->done++);
	return tl_value_make_integer(context, container->types[0], 1, &child->value, error);
}

static enum tl_status next_of_few(const struct tl_value_context *context, struct tl_container *container,
				  struct tl_container_child *child, bool *more_ret, struct tl_error *error)
{
	*more_ret = container->done < container->count;
	if (!*more_ret)
		return TL_OK;
	container->done++;
	if (container->walk == TL_WALK_TUPLE) {
		snprintf(child->name, sizeof(child->name), "[%llu]", (unsigned long long)container->done);
		return next_in_tuple(context, container, &child->value, error);
	}
	if (container->walk == TL_WALK_PAIR) {
		snprintf(child->name, sizeof(child->name), "%s", container->done == 1 ? "first" : "second");
		return tl_value_member(context, &container->value, child->name, &child->value, error);
	}
	snprintf(child->name, sizeof(child->name), "%s", container->name);
	child->value = container->value;
	return TL_OK;
}

enum tl_status tl_container_next(const struct tl_value_context *context, struct tl_container *container,
				 struct tl_container_child *child_ret, bool *more_ret, struct tl_error *error)
{
	*more_ret = false;
	snprintf(child_ret->name, sizeof(child_ret->name), "[%llu]", (unsigned long long)container->done);
	switch (container->walk) {
	case TL_WALK_RANGE:
	case TL_WALK_CHUNKS:
	case TL_WALK_LINKS:
	case TL_WALK_TREE:
		return next_node(context, container, &child_ret->value, more_ret, error);
	case TL_WALK_BITS:
		*more_ret = container->done < container->count;
		if (*more_ret)
			TL_TRY(bit_at(context, container, &child_ret->value, error));
		container->done++;
		return TL_OK;
	case TL_WALK_SET:
		return next_set_bit(context, container, child_ret, more_ret, error);
	case TL_WALK_PAIR:
	case TL_WALK_TUPLE:
	case TL_WALK_ONE:
		return next_of_few(context, container, child_ret, more_ret, error);
	case TL_WALK_NONE:
		break;
	}
	return TL_OK;
}

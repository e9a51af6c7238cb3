/* Sequences, and what stands in nodes. */
#include "debugger/values/containers_internal.h"

#include <string.h>

/* Of a forward list, a list, a tree: the words in front of a node's element. */
#define FORWARD_WORDS 1
#define LIST_WORDS 2
#define TREE_WORDS 4
/* A chunk of a deque is so large, if not a single element is. */
#define CHUNK_BYTES 512

static const char *elements_word(tl_u64 count)
{
	return count == 1 ? "element" : "elements";
}

static enum tl_status range(const struct tl_container_view *view, const struct tl_type *element, tl_u64 begin,
			    tl_u64 count, tl_u64 size)
{
	struct tl_container *container = view->container;

	if (count > TL_U64_MAX / size || begin + count * size < begin)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its length is beyond all memory");
	TL_TRY(tl_container_check_memory(view, begin, count * size));
	container->style = TL_CONTAINER_ARRAY;
	container->walk = TL_WALK_RANGE;
	container->types[0] = element;
	container->stride = size;
	container->node = begin;
	container->count = count;
	return TL_OK;
}

/* ---- std::vector ---- */

static enum tl_status check_vector(const struct tl_container_view *view, tl_u64 start, tl_u64 finish, tl_u64 end,
				   tl_u64 size)
{
	if (start > finish || finish > end)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its end lies before its beginning");
	if ((finish - start) % size != 0 || (end - start) % size != 0)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its size is not that of whole elements");
	if (start == 0 && end != 0)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "it has room, but no place");
	return TL_OK;
}

static enum tl_status vector_of_bool(struct tl_container_view *view, const struct tl_type *element)
{
	const tl_u64 word = view->context->address_size, bits = word * 8;
	struct tl_container *container = view->container;
	tl_u64 start, finish, offset, end, length, capacity;

	TL_TRY(tl_container_number(view, "_M_impl._M_start._M_p", &start));
	TL_TRY(tl_container_number(view, "_M_impl._M_finish._M_p", &finish));
	TL_TRY(tl_container_number(view, "_M_impl._M_finish._M_offset", &offset));
	TL_TRY(tl_container_number(view, "_M_impl._M_end_of_storage", &end));
	TL_TRY(check_vector(view, start, finish, end, word));
	if (offset >= bits || (finish == end && offset != 0))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its end lies behind its room");
	length = (finish - start) / word * bits + offset;
	capacity = (end - start) / word * bits;
	TL_TRY(tl_container_check_memory(view, start, (length + 7) / 8));
	container->style = TL_CONTAINER_ARRAY;
	container->walk = TL_WALK_BITS;
	container->types[0] = element;
	container->node = start;
	container->count = length;
	return tl_container_head(view, "%s<bool> of length %llu, capacity %llu", view->name, (unsigned long long)length,
				 (unsigned long long)capacity);
}

enum tl_status tl_container_vector(struct tl_container_view *view)
{
	const struct tl_type *element, *stripped;
	tl_u64 start, finish, end, size;

	TL_TRY(tl_container_type_argument(view, 0, &element));
	TL_TRY(tl_type_strip(element, &stripped, view->error));
	if (stripped->kind == TL_TYPE_BASE && stripped->name != NULL && strcmp(stripped->name, "bool") == 0)
		return vector_of_bool(view, element);
	TL_TRY(tl_container_element_size(view, element, &size));
	TL_TRY(tl_container_number(view, "_M_impl._M_start", &start));
	TL_TRY(tl_container_number(view, "_M_impl._M_finish", &finish));
	TL_TRY(tl_container_number(view, "_M_impl._M_end_of_storage", &end));
	TL_TRY(check_vector(view, start, finish, end, size));
	TL_TRY(range(view, element, start, (finish - start) / size, size));
	return tl_container_head(view, "%s of length %llu, capacity %llu", view->name,
				 (unsigned long long)((finish - start) / size),
				 (unsigned long long)((end - start) / size));
}

/* ---- std::span, std::initializer_list ---- */

enum tl_status tl_container_span(struct tl_container_view *view)
{
	const struct tl_type *element;
	const struct tl_member *members;
	tl_u64 begin, length = TL_U64_MAX, size;
	tl_size count;

	TL_TRY(tl_container_type_argument(view, 0, &element));
	TL_TRY(tl_type_members(view->type, &members, &count, view->error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_TEMPLATE_VALUE && members[i].has_value)
			length = (tl_u64)members[i].value;
	if (length == TL_U64_MAX)
		TL_TRY(tl_container_number(view, "_M_extent._M_extent_value", &length));
	TL_TRY(tl_container_number(view, "_M_ptr", &begin));
	TL_TRY(tl_container_element_size(view, element, &size));
	TL_TRY(range(view, element, begin, length, size));
	return tl_container_head(view, "%s of length %llu", view->name, (unsigned long long)length);
}

enum tl_status tl_container_initializer_list(struct tl_container_view *view)
{
	const struct tl_type *element;
	tl_u64 begin, length, size;

	TL_TRY(tl_container_type_argument(view, 0, &element));
	TL_TRY(tl_container_number(view, "_M_len", &length));
	TL_TRY(tl_container_number(view, "_M_array", &begin));
	TL_TRY(tl_container_element_size(view, element, &size));
	TL_TRY(range(view, element, begin, length, size));
	return tl_container_head(view, "%s of length %llu", view->name, (unsigned long long)length);
}

/* ---- std::deque ---- */

/* A deque's end: where it is in a chunk, and where that chunk's address stands. */
struct deque_end {
	tl_u64 current, first, last, node;
};

static enum tl_status read_deque_end(const struct tl_container_view *view, const char *name, tl_u64 chunk_size,
				     struct deque_end *end_ret)
{
	struct tl_container_view inner = *view;
	struct tl_value value;
	tl_u64 first;

	TL_TRY(tl_container_member(view, name, &value));
	inner.value = &value;
	TL_TRY(tl_container_number(&inner, "_M_cur", &end_ret->current));
	TL_TRY(tl_container_number(&inner, "_M_first", &end_ret->first));
	TL_TRY(tl_container_number(&inner, "_M_last", &end_ret->last));
	TL_TRY(tl_container_number(&inner, "_M_node", &end_ret->node));
	if (end_ret->first > end_ret->current || end_ret->current > end_ret->last ||
	    end_ret->last - end_ret->first != chunk_size)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "an end of it lies outside its chunk");
	TL_TRY(tl_container_read_word(view->context, end_ret->node, &first, view->error));
	if (first != end_ret->first)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its table of chunks says otherwise than its ends");
	return TL_OK;
}

/* How many bytes of elements stand between the ends. */
static enum tl_status deque_bytes(const struct tl_container_view *view, const struct deque_end *start,
				  const struct deque_end *finish, tl_u64 chunk_size, tl_u64 *bytes_ret)
{
	const tl_u64 word = view->context->address_size, distance = finish->node - start->node;
	tl_u64 map, map_size;

	TL_TRY(tl_container_number(view, "_M_impl._M_map", &map));
	TL_TRY(tl_container_number(view, "_M_impl._M_map_size", &map_size));
	if (start->node < map || finish->node < start->node || (finish->node - map) / word >= map_size ||
	    distance % word != 0 || distance / word > TL_U64_MAX / 4 / chunk_size ||
	    (distance == 0 && finish->current < start->current))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its ends lie outside its table of chunks");
	*bytes_ret = distance / word * chunk_size + (finish->current - finish->first) - (start->current - start->first);
	return TL_OK;
}

enum tl_status tl_container_deque(struct tl_container_view *view)
{
	struct tl_container *container = view->container;
	struct deque_end start, finish;
	const struct tl_type *element;
	tl_u64 size, bytes, chunk_size;

	TL_TRY(tl_container_type_argument(view, 0, &element));
	TL_TRY(tl_container_element_size(view, element, &size));
	chunk_size = size < CHUNK_BYTES ? CHUNK_BYTES / size * size : size;
	TL_TRY(read_deque_end(view, "_M_impl._M_start", chunk_size, &start));
	TL_TRY(read_deque_end(view, "_M_impl._M_finish", chunk_size, &finish));
	TL_TRY(deque_bytes(view, &start, &finish, chunk_size, &bytes));
	if (bytes % size != 0)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its size is not that of whole elements");
	container->style = TL_CONTAINER_ARRAY;
	container->walk = TL_WALK_CHUNKS;
	container->types[0] = element;
	container->stride = size;
	container->node = start.current;
	container->chunk = start.node;
	container->chunk_end = start.last;
	container->chunk_size = chunk_size;
	container->count = bytes / size;
	return tl_container_head(view, "%s with %llu %s", view->name, (unsigned long long)container->count,
				 elements_word(container->count));
}

/* ---- Lists ---- */

enum tl_status tl_container_list(struct tl_container_view *view)
{
	struct tl_container *container = view->container;
	struct tl_value head;
	tl_u64 links[2], back;

	TL_TRY(tl_container_type_argument(view, 0, &container->types[0]));
	TL_TRY(tl_container_element_offset(view, container->types[0], LIST_WORDS, &container->offsets[0]));
	TL_TRY(tl_container_member(view, "_M_impl._M_node", &head));
	if (head.place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "it does not stand in memory");
	TL_TRY(tl_container_read_words(view->context, head.address, links, 2, view->error));
	TL_TRY(tl_container_read_word(view->context, links[0] + view->context->address_size, &back, view->error));
	if (back != head.address || (links[0] == head.address) != (links[1] == head.address))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its first element does not lead back to it");
	container->style = TL_CONTAINER_NAMED;
	container->walk = TL_WALK_LINKS;
	container->backwards = true;
	container->node = links[0];
	container->end = head.address;
	return tl_container_head(view, "%s%s", links[0] == head.address ? "empty " : "", view->name);
}

/* The nodes that only point forwards, from a first on. */
static enum tl_status forward_nodes(struct tl_container_view *view, tl_u64 first)
{
	struct tl_container *container = view->container;
	tl_u64 next;

	if (first != 0)
		TL_TRY(tl_container_read_word(view->context, first, &next, view->error));
	container->walk = TL_WALK_LINKS;
	container->node = first;
	container->mark = first;
	return TL_OK;
}

enum tl_status tl_container_forward_list(struct tl_container_view *view)
{
	struct tl_container *container = view->container;
	tl_u64 first;

	TL_TRY(tl_container_type_argument(view, 0, &container->types[0]));
	TL_TRY(tl_container_element_offset(view, container->types[0], FORWARD_WORDS, &container->offsets[0]));
	TL_TRY(tl_container_number(view, "_M_impl._M_head._M_next", &first));
	TL_TRY(forward_nodes(view, first));
	container->style = TL_CONTAINER_NAMED;
	return tl_container_head(view, "%s%s", first == 0 ? "empty " : "", view->name);
}

/* ---- Elements in nodes: of sets, and the pairs of maps ---- */

static enum tl_status set_elements(struct tl_container_view *view, tl_u64 words)
{
	struct tl_container *container = view->container;

	container->style = TL_CONTAINER_NAMED;
	TL_TRY(tl_container_type_argument(view, 0, &container->types[0]));
	return tl_container_element_offset(view, container->types[0], words, &container->offsets[0]);
}

static enum tl_status map_elements(struct tl_container_view *view, tl_u64 words)
{
	struct tl_container *container = view->container;
	tl_u64 key_size, key_alignment, value_alignment, begin, alignment;

	container->style = TL_CONTAINER_MAP;
	container->pairs = true;
	TL_TRY(tl_container_type_argument(view, 0, &container->types[0]));
	TL_TRY(tl_container_type_argument(view, 1, &container->types[1]));
	TL_TRY(tl_container_element_size(view, container->types[0], &key_size));
	TL_TRY(tl_type_alignment(container->types[0], &key_alignment, view->error));
	TL_TRY(tl_type_alignment(container->types[1], &value_alignment, view->error));
	alignment = key_alignment > value_alignment ? key_alignment : value_alignment;
	if (key_alignment == 0 || value_alignment == 0 || alignment > (tl_u64)1 << 32)
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "the alignment of its elements makes no sense");
	begin = words * view->context->address_size;
	begin = (begin + alignment - 1) / alignment * alignment;
	container->offsets[0] = begin;
	container->offsets[1] = (begin + key_size + value_alignment - 1) / value_alignment * value_alignment;
	return TL_OK;
}

/* ---- Trees ---- */

static enum tl_status open_tree(struct tl_container_view *view)
{
	struct tl_container *container = view->container;
	struct tl_value header;
	tl_u64 links[3], root[3];

	TL_TRY(tl_container_number(view, "_M_t._M_impl._M_node_count", &container->count));
	TL_TRY(tl_container_member(view, "_M_t._M_impl._M_header", &header));
	if (header.place != TL_VALUE_IN_MEMORY)
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "it does not stand in memory");
	/* Parent, left and right: of the header the root, the first and the last. */
	TL_TRY(tl_container_read_words(view->context, header.address + view->context->address_size, links, 3,
				       view->error));
	if ((container->count == 0) != (links[0] == 0) || (container->count == 0 && links[1] != header.address))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its count and its tree disagree");
	if (container->count != 0) {
		TL_TRY(tl_container_read_words(view->context, links[0] + view->context->address_size, root, 3,
					       view->error));
		if (root[0] != header.address)
			return TL_FAIL(view->error, TL_ERROR_MALFORMED,
				       "the root of its tree does not lead back to it");
	}
	if (container->count > ((tl_u64)1 << 48))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its length is beyond all memory");
	container->walk = TL_WALK_TREE;
	container->node = links[1];
	return tl_container_head(view, "%s with %llu %s", view->name, (unsigned long long)container->count,
				 elements_word(container->count));
}

enum tl_status tl_container_set(struct tl_container_view *view)
{
	TL_TRY(set_elements(view, TREE_WORDS));
	return open_tree(view);
}

enum tl_status tl_container_map(struct tl_container_view *view)
{
	TL_TRY(map_elements(view, TREE_WORDS));
	return open_tree(view);
}

/* ---- Hash tables ---- */

static enum tl_status open_hash(struct tl_container_view *view)
{
	tl_u64 count, first, buckets, bucket_count, word;

	TL_TRY(tl_container_number(view, "_M_h._M_element_count", &count));
	TL_TRY(tl_container_number(view, "_M_h._M_before_begin._M_nxt", &first));
	TL_TRY(tl_container_number(view, "_M_h._M_buckets", &buckets));
	TL_TRY(tl_container_number(view, "_M_h._M_bucket_count", &bucket_count));
	if ((count == 0) != (first == 0))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its count and its list disagree");
	if (bucket_count == 0 || bucket_count > ((tl_u64)1 << 48) || count > ((tl_u64)1 << 48))
		return TL_FAIL(view->error, TL_ERROR_MALFORMED, "its length is beyond all memory");
	TL_TRY(tl_container_read_word(view->context, buckets, &word, view->error));
	TL_TRY(forward_nodes(view, first));
	return tl_container_head(view, "%s with %llu %s", view->name, (unsigned long long)count, elements_word(count));
}

enum tl_status tl_container_hash_set(struct tl_container_view *view)
{
	TL_TRY(set_elements(view, FORWARD_WORDS));
	return open_hash(view);
}

enum tl_status tl_container_hash_map(struct tl_container_view *view)
{
	TL_TRY(map_elements(view, FORWARD_WORDS));
	return open_hash(view);
}

/* ---- std::bitset ---- */

enum tl_status tl_container_bitset(struct tl_container_view *view)
{
	struct tl_container *container = view->container;

	TL_TRY(tl_container_head(view, "%s", view->name));
	container->style = TL_CONTAINER_NAMED;
	/* One of no bits has no words. */
	if (tl_container_member(view, "_M_w", &container->value) != TL_OK)
		return TL_OK;
	TL_TRY(tl_value_load(view->context, &container->value, view->error));
	if (tl_value_is_absent(&container->value))
		return TL_FAIL(view->error, TL_ERROR_UNSUPPORTED, "a part of it is optimised out");
	container->walk = TL_WALK_SET;
	return tl_value_integer_type(view->context, view->context->address_size, true, &container->types[0],
				     view->error);
}

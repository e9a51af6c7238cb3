#include "debugger/values/containers.h"
#include "debugger/values/print_internal.h"
#include "debugger/values/print_text.h"

#include <string.h>
#include <time.h>

#define PATIENCE 100 /* milliseconds */

/* Whether there is time left to look for more; it runs from the first question on. */
static bool has_time(struct tl_printing *printing)
{
	const tl_u32 patience = printing->options->patience;
	struct timespec now;
	tl_u64 milliseconds;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return true;
	milliseconds = (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000;
	if (printing->deadline == 0)
		printing->deadline = milliseconds + (patience != 0 ? patience : PATIENCE);
	return milliseconds < printing->deadline;
}

/* As text, whatever the format. */
static enum tl_status print_characters(struct tl_printing *printing, const struct tl_container *container)
{
	const struct tl_value_context *context = printing->context;
	const tl_u64 length = container->length;
	const tl_u64 bound = printing->elements < TL_PRINT_TEXT_MAX ? printing->elements : TL_PRINT_TEXT_MAX;
	tl_u64 width, most = length < bound ? length : bound;
	struct tl_error failure = {0};
	const char *prefix;
	tl_u8 *bytes;
	bool known;

	TL_TRY(tl_type_size(container->character, &width, &known, printing->error));
	prefix = tl_print_prefix(container->character, width, printing->error);
	bytes = tl_arena_allocate(context->arena, most * width);
	if (bytes == NULL || prefix == NULL)
		return TL_FAIL(printing->error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	if (most != 0 && context->read(context->context, container->address, bytes, most * width, &failure) != TL_OK) {
		tl_output_format(printing->output, "<error: %s>", failure.text);
		return TL_OK;
	}
	/* A zero at the end goes without saying, as in arrays. */
	if (most == length && most != 0 && tl_print_unit(bytes + (most - 1) * width, width) == 0)
		most--;
	tl_print_string(printing->output, printing->options, prefix, bytes, width, most, bound < length);
	return TL_OK;
}

/* A value in its own right: what an iterator points to, what an atomic holds. */
static enum tl_status print_apart(struct tl_printing *printing, const struct tl_value *value)
{
	const unsigned indent = printing->indent, noted = printing->virtual_base_count;
	enum tl_status status;

	printing->indent = 0;
	status = tl_print_part(printing, value);
	printing->indent = indent;
	printing->virtual_base_count = noted;
	return status;
}

static enum tl_status print_child(struct tl_printing *printing, const struct tl_container *container, bool is_key,
				  const struct tl_container_child *child)
{
	const unsigned noted = printing->virtual_base_count;
	enum tl_status status;

	if (container->style == TL_CONTAINER_NAMED)
		tl_output_format(printing->output, "%s = ", child->name);
	tl_output_text(printing->output, is_key ? "[" : "");
	/* A key is shown a level deeper than its value, as gdb does. */
	printing->depth_limit += is_key;
	status = tl_print_part(printing, &child->value);
	printing->depth_limit -= is_key;
	printing->virtual_base_count = noted;
	tl_output_text(printing->output, is_key ? "] = " : "");
	return status;
}

static void begin_line(struct tl_printing *printing, bool lines)
{
	if (!lines)
		return;
	tl_output_text(printing->output, "\n");
	tl_output_spaces(printing->output, printing->indent * 2);
}

/* The children up to the limit, of which the first was found already. */
static enum tl_status print_children(struct tl_printing *printing, struct tl_container *container, bool lines,
				     struct tl_container_child *child)
{
	const bool is_map = container->style == TL_CONTAINER_MAP;
	struct tl_error failure = {0};
	bool more = true;

	for (tl_u64 count = 0; more; count++) {
		if (count >= printing->elements) {
			begin_line(printing, lines);
			tl_output_text(printing->output, "...");
			break;
		}
		if (!is_map || count % 2 == 0) {
			tl_output_text(printing->output, count == 0 ? "" : lines ? "," : ", ");
			begin_line(printing, lines);
		}
		if (!has_time(printing)) {
			tl_output_text(printing->output, "<the rest would take too long>...");
			break;
		}
		TL_TRY(print_child(printing, container, is_map && count % 2 == 0, child));
		TL_TRY(tl_output_status(printing->output, printing->error));
		if (tl_container_next(printing->context, container, child, &more, &failure) != TL_OK) {
			tl_output_format(printing->output, ", <error: %s>", failure.text);
			break;
		}
	}
	return TL_OK;
}

static enum tl_status print_elements(struct tl_printing *printing, struct tl_container *container)
{
	const bool lines = printing->options->pretty && container->style != TL_CONTAINER_ARRAY;
	struct tl_container_child child;
	struct tl_error failure = {0};
	enum tl_status status;
	bool more;

	tl_output_text(printing->output, container->head != NULL ? container->head : "");
	if (tl_container_next(printing->context, container, &child, &more, &failure) != TL_OK) {
		tl_output_format(printing->output, " = {<error: %s>}", failure.text);
		return TL_OK;
	}
	if (!more)
		return TL_OK;
	tl_output_text(printing->output, container->head != NULL ? " = " : "");
	if (printing->depth >= printing->depth_limit) {
		tl_output_text(printing->output, "{...}");
		return TL_OK;
	}
	tl_output_text(printing->output, "{");
	printing->depth++;
	printing->indent++;
	status = print_children(printing, container, lines, &child);
	printing->depth--;
	printing->indent--;
	begin_line(printing, lines);
	tl_output_text(printing->output, "}");
	return status;
}

static enum tl_status print_opened(struct tl_printing *printing, struct tl_container *container)
{
	switch (container->style) {
	case TL_CONTAINER_STRING:
		return print_characters(printing, container);
	case TL_CONTAINER_NAMED:
	case TL_CONTAINER_ARRAY:
	case TL_CONTAINER_MAP:
		return print_elements(printing, container);
	case TL_CONTAINER_WRAPPED:
		tl_output_format(printing->output, "%s = { ", container->head);
		TL_TRY(print_apart(printing, &container->value));
		tl_output_text(printing->output, " }");
		return TL_OK;
	case TL_CONTAINER_ALIAS:
		return print_apart(printing, &container->value);
	case TL_CONTAINER_TEXT:
		break;
	}
	tl_output_text(printing->output, container->head);
	return TL_OK;
}

enum tl_status tl_print_container(struct tl_printing *printing, const struct tl_value *value,
				  const struct tl_type *type, bool *shown_ret)
{
	struct tl_value own = *value;
	struct tl_container container;
	struct tl_error failure = {0};

	*shown_ret = false;
	if (printing->options->raw)
		return TL_OK;
	if (type->kind == TL_TYPE_REFERENCE) {
		TL_TRY(tl_type_target(type, &type, printing->error));
		TL_TRY(tl_type_strip(type, &type, printing->error));
		TL_TRY(tl_container_is_known(type, shown_ret, printing->error));
		if (!*shown_ret)
			return TL_OK;
		*shown_ret = false;
		if (tl_value_unreference(printing->context, &own, &failure) != TL_OK ||
		    tl_value_load(printing->context, &own, &failure) != TL_OK)
			return TL_OK;
	}
	if (tl_container_open(printing->context, &own, type, &container, shown_ret, &failure) == TL_OK)
		return *shown_ret ? print_opened(printing, &container) : TL_OK;
	if (*shown_ret)
		tl_output_format(printing->output, "<invalid: %s> ", failure.text);
	*shown_ret = false;
	return TL_OK;
}

#include "debugger/values/print_internal.h"
#include "debugger/values/print_text.h"

void tl_print_symbol(struct tl_printing *printing, tl_u64 address)
{
	char name[256];
	tl_u64 offset;

	if (printing->options->symbol == NULL || printing->options->no_symbols ||
	    !printing->options->symbol(printing->options->context, address, name, sizeof(name), &offset))
		return;
	tl_output_text(printing->output, printing->options->no_addresses ? "" : " ");
	if (offset != 0)
		tl_output_format(printing->output, "<%s+%llu>", name, (unsigned long long)offset);
	else
		tl_output_format(printing->output, "<%s>", name);
}

enum tl_status tl_print_is_text(const struct tl_type *type, bool *is_text_ret, tl_u64 *width_ret,
				struct tl_error *error)
{
	const struct tl_type *stripped;
	bool known;

	TL_TRY(tl_type_strip(type, &stripped, error));
	TL_TRY(tl_type_size(stripped, width_ret, &known, error));
	*is_text_ret = stripped->kind == TL_TYPE_BASE && known && tl_print_prefix(type, *width_ret, error) != NULL;
	return TL_OK;
}

enum tl_status tl_print_pointed_string(struct tl_printing *printing, const struct tl_type *element, tl_u64 width,
				       tl_u64 address)
{
	const struct tl_value_context *context = printing->context;
	tl_u64 most = printing->elements < TL_PRINT_TEXT_MAX ? printing->elements : TL_PRINT_TEXT_MAX, count = 0,
	       done = 0;
	tl_u8 *bytes = tl_arena_allocate(context->arena, most * width);
	const char *prefix = tl_print_prefix(element, width, printing->error);
	struct tl_error error = {0};
	bool ended = false, failed = false;

	if (bytes == NULL)
		return TL_FAIL(printing->error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	/* In pieces that end with a page's part: what lies behind the string may not be readable. */
	while (!ended && !failed && done < most) {
		tl_u64 piece = (64 - (address + done * width) % 64) / width;

		piece = piece == 0 ? 1 : piece > most - done ? most - done : piece;
		failed = context->read == NULL || context->read(context->context, address + done * width,
								bytes + done * width, piece * width, &error) != TL_OK;
		for (tl_u64 i = 0; !failed && !ended && i < piece; i++) {
			ended = tl_print_unit(bytes + (done + i) * width, width) == 0;
			count += !ended;
		}
		done += piece;
	}
	if (failed && count == 0) {
		tl_output_format(printing->output, " <error: Cannot access memory at address 0x%llx>",
				 (unsigned long long)address);
		return TL_OK;
	}
	tl_output_text(printing->output, printing->options->no_addresses ? "" : " ");
	tl_print_string(printing->output, printing->options, prefix, bytes, width, count, !ended && !failed);
	address += count * width;
	if (failed)
		tl_output_format(printing->output, "<error: Cannot access memory at address 0x%llx>",
				 (unsigned long long)address);
	return TL_OK;
}

enum tl_status tl_print_pointer(struct tl_printing *printing, const struct tl_type *pointer, tl_u64 address)
{
	const struct tl_type *target;
	bool text;
	tl_u64 width;

	TL_TRY(tl_type_target(pointer, &target, printing->error));
	TL_TRY(tl_print_is_text(target, &text, &width, printing->error));
	if (!printing->options->no_addresses)
		tl_output_format(printing->output, "0x%llx", (unsigned long long)address);
	if (address != 0)
		tl_print_symbol(printing, address);
	return text && address != 0 ? tl_print_pointed_string(printing, target, width, address) : TL_OK;
}

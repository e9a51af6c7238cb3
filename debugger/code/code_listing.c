#include "debugger/code/code_listing_internal.h"

#include <string.h>

/* How many instructions may be written before somebody is asked whether to go on. */
#define PATIENCE 256u

static void write_bytes(const struct tl_code_listing *listing, tl_u64 address, tl_u8 size, struct tl_output *output)
{
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_size start = output->size;

	if (size > sizeof(bytes) || listing->view->read(listing->view->context, address, bytes, size, NULL) != TL_OK)
		return;
	/* Where all have one length, gdb writes them as words are read: the highest byte first. */
	if (tl_disassembler_has_words(listing->disassembler)) {
		for (tl_u8 i = size; i-- > 0;)
			tl_output_format(output, "%02x", bytes[i]);
		tl_output_text(output, "\t");
		return;
	}
	for (tl_u8 i = 0; i < size; i++)
		tl_output_format(output, i == 0 ? "%02x" : " %02x", bytes[i]);
	/* Six bytes and two blanks is what gdb makes of it. */
	if (output->size - start < 19)
		tl_output_spaces(output, 19 - (output->size - start));
	tl_output_text(output, "\t");
}

static const char *mark_of(const struct tl_code_listing *listing, tl_u64 address)
{
	return listing->has_current && listing->current == address ? "=> " : "   ";
}

static bool is_inside(const struct tl_code_function *function, tl_u64 address)
{
	for (tl_size i = 0; i < function->range_count; i++)
		if (address >= function->ranges[i][0] && address < function->ranges[i][1])
			return true;
	return false;
}

/* Behind an address: its distance from the function, or the symbol around it, always with a distance. */
static void write_place(const struct tl_listing *run, tl_u64 address)
{
	const struct tl_code_view *view = run->listing->view;
	char name[512];
	tl_u64 offset;

	if (run->function != NULL) {
		tl_i64 distance = (tl_i64)(address - run->function->entry);

		/* Between functions code is filled up; with /m it may come along. */
		if (is_inside(run->function, address))
			tl_output_format(run->output, distance < 0 ? " <%lld>" : " <+%lld>", (long long)distance);
	} else if (view->symbol != NULL && view->symbol(view->context, address, name, sizeof(name), &offset)) {
		tl_output_text(run->output, " <");
		tl_disassemble_name(view, name, run->output);
		tl_output_format(run->output, (tl_i64)offset < 0 ? "%lld>" : "+%lld>", (long long)offset);
	}
}

enum tl_status tl_listing_instructions(struct tl_listing *run, tl_u64 start, tl_u64 end, tl_u64 *reached_ret,
				       struct tl_error *error)
{
	const struct tl_code_listing *listing = run->listing;
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = TL_OK;
	tl_u64 address = start;

	while (address < end && address >= start) {
		tl_u8 size = 0;

		if (++run->written % PATIENCE == 0 && run->patience != NULL && run->patience->waiting != NULL &&
		    !run->patience->waiting(run->patience->context)) {
			status = TL_FAIL(error, TL_ERROR_CANCELLED, "Quit");
			break;
		}
		tl_output_reset(&text);
		status = tl_disassemble(listing->disassembler, listing->view, address, &text, &size, error);
		if (status != TL_OK)
			break;
		tl_output_format(run->output, listing->narrow ? "%s0x%08llx" : "%s0x%016llx", mark_of(listing, address),
				 (unsigned long long)address);
		write_place(run, address);
		tl_output_text(run->output, ":\t");
		if (listing->bytes)
			write_bytes(listing, address, size, run->output);
		tl_output_format(run->output, "%s\n", tl_output_string(&text));
		address += size;
	}
	tl_output_release(&text);
	*reached_ret = address;
	return status == TL_OK ? tl_output_status(run->output, error) : status;
}

/* One piece of code, with source or without. */
static enum tl_status list_piece(struct tl_listing *run, tl_u64 start, tl_u64 end, struct tl_error *error)
{
	tl_u64 reached;

	if (run->listing->places != NULL && run->listing->source == TL_CODE_MIXED)
		return tl_listing_mixed(run, start, end, error);
	if (run->listing->places != NULL && run->listing->source == TL_CODE_BY_LINE)
		return tl_listing_by_line(run, start, end, error);
	return tl_listing_instructions(run, start, end, &reached, error);
}

enum tl_status tl_code_list_range(const struct tl_code_listing *listing, tl_u64 start, tl_u64 end,
				  const struct tl_patience *patience, struct tl_output *output, struct tl_error *error)
{
	struct tl_listing run = {.listing = listing, .output = output, .patience = patience};

	tl_output_format(output, "Dump of assembler code from 0x%llx to 0x%llx:\n", (unsigned long long)start,
			 (unsigned long long)end);
	TL_TRY(list_piece(&run, start, end, error));
	tl_output_text(output, "End of assembler dump.\n");
	return tl_output_status(output, error);
}

enum tl_status tl_code_list_function(const struct tl_code_listing *listing, const struct tl_code_function *function,
				     const struct tl_patience *patience, struct tl_output *output,
				     struct tl_error *error)
{
	struct tl_listing run = {.listing = listing, .output = output, .patience = patience, .function = function};

	tl_output_text(output, "Dump of assembler code for function ");
	tl_disassemble_name(listing->view, function->name, output);
	tl_output_text(output, ":\n");
	for (tl_size i = 0; i < function->range_count; i++) {
		const tl_u64 *range = function->ranges[i];

		if (function->range_count > 1)
			tl_output_format(output, "Address range 0x%llx to 0x%llx:\n", (unsigned long long)range[0],
					 (unsigned long long)range[1]);
		TL_TRY(list_piece(&run, range[0], range[1], error));
	}
	tl_output_text(output, "End of assembler dump.\n");
	return tl_output_status(output, error);
}

enum tl_status tl_code_list_one(const struct tl_code_listing *listing, tl_u64 address, struct tl_output *output,
				tl_u8 *size_ret, struct tl_error *error)
{
	struct tl_output text = tl_output_make(TL_OUTPUT_MAX);
	enum tl_status status = tl_disassemble(listing->disassembler, listing->view, address, &text, size_ret, error);

	if (status == TL_OK) {
		tl_output_text(output, mark_of(listing, address));
		tl_disassemble_address(listing->view, address, output);
		tl_output_text(output, ":\t");
		if (listing->bytes)
			write_bytes(listing, address, *size_ret, output);
		tl_output_text(output, tl_output_string(&text));
		tl_output_text(output, "\n");
		status = tl_output_status(output, error);
	}
	tl_output_release(&text);
	return status;
}

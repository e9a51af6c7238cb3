#include "symbols/location_text.h"

#include "symbols/bytes.h"
#include "symbols/dwarf_constants.h"
#include "symbols/dwarf_operations.h"
#include "symbols/scope.h"

/* Expressions inside one another. */
#define DEPTH_MAX 8

static const char *operation_name(tl_u8 operation, char room[24])
{
	static const struct {
		tl_u8 value;
		const char *name;
	} names[] = {
#define X(name, value) {value, "DW_OP_" #name},
		TL_DW_OP_TABLE(X)
#undef X
	};
	static const struct {
		tl_u8 first, last;
		const char *name;
	} numbered[] = {{DW_OP_lit0, DW_OP_lit31, "DW_OP_lit%u"},
			{DW_OP_reg0, DW_OP_reg31, "DW_OP_reg%u"},
			{DW_OP_breg0, DW_OP_breg31, "DW_OP_breg%u"}};
	struct tl_output text = tl_output_make(24);

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (names[i].value == operation)
			return names[i].name;
	room[0] = '\0';
	for (tl_size i = 0; i < TL_COUNT(numbered); i++)
		if (operation >= numbered[i].first && operation <= numbered[i].last) {
			const unsigned number = (unsigned)(operation - numbered[i].first);

			tl_output_text(&text, numbered[i].name);
			/* The name ends in "%u". */
			__builtin_memcpy(room, tl_output_string(&text), text.size - 2);
			(void)__builtin_snprintf(room + text.size - 2, 24 - (text.size - 2), "%u", number);
		}
	tl_output_release(&text);
	return room[0] != '\0' ? room : NULL;
}

/* An expression as it is read. */
struct reading {
	const struct tl_location_text *text;
	const struct tl_unit *unit;
	struct tl_cursor at;
	const tl_u8 *start;
	struct tl_output *output;
};

static void write_register(const struct reading *reading, tl_u64 number)
{
	const struct tl_location_text *text = reading->text;
	const char *name = text->register_name != NULL ? text->register_name(text->context, number) : NULL;

	if (name != NULL)
		tl_output_text(reading->output, name);
	else
		tl_output_format(reading->output, "%llu", (unsigned long long)number);
}

/* ---- Operation by operation ---- */

static tl_u64 take_fixed(struct reading *reading, unsigned size, bool is_signed)
{
	tl_u64 number = 0;

	for (unsigned i = 0; i < size; i++)
		number |= (tl_u64)tl_take_u8(&reading->at) << i * 8;
	if (is_signed && size < 8 && (number >> (size * 8 - 1) & 1) != 0)
		number |= ~(tl_u64)0 << size * 8;
	return number;
}

/* A number that follows: of one size, or of any. True: the operation was one with a number. */
static bool write_number(struct reading *reading, tl_u8 operation)
{
	static const struct {
		tl_u8 operation, size; /* 0: LEB128 */
		bool is_signed;
	} numbers[] = {
		{DW_OP_const1u, 1, false}, {DW_OP_const1s, 1, true},     {DW_OP_const2u, 2, false},
		{DW_OP_const2s, 2, true},  {DW_OP_const4u, 4, false},    {DW_OP_const4s, 4, true},
		{DW_OP_const8u, 8, false}, {DW_OP_const8s, 8, true},     {DW_OP_constu, 0, false},
		{DW_OP_consts, 0, true},   {DW_OP_fbreg, 0, true},       {DW_OP_plus_uconst, 0, false},
		{DW_OP_pick, 1, false},    {DW_OP_deref_size, 1, false}, {DW_OP_xderef_size, 1, false},
	};

	for (tl_size i = 0; i < TL_COUNT(numbers); i++) {
		tl_u64 number;

		if (numbers[i].operation != operation)
			continue;
		if (numbers[i].size != 0)
			number = take_fixed(reading, numbers[i].size, numbers[i].is_signed);
		else
			number = numbers[i].is_signed ? (tl_u64)tl_take_signed(&reading->at)
						      : tl_take_unsigned(&reading->at);
		tl_output_format(reading->output, numbers[i].is_signed ? " %lld" : " %llu", (long long)number);
		return true;
	}
	return false;
}

/* Operations on registers. True: it was one of those. */
static bool write_on_register(struct reading *reading, tl_u8 operation)
{
	struct tl_output *output = reading->output;
	tl_u64 number;

	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg31) {
		number = (tl_u64)(operation - DW_OP_reg0);
		tl_output_text(output, " [$");
	} else if (operation == DW_OP_regx) {
		number = tl_take_unsigned(&reading->at);
		tl_output_format(output, " %llu [$", (unsigned long long)number);
	} else if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31) {
		number = (tl_u64)(operation - DW_OP_breg0);
		tl_output_format(output, " %lld [$", (long long)tl_take_signed(&reading->at));
	} else if (operation == DW_OP_bregx) {
		number = tl_take_unsigned(&reading->at);
		tl_output_format(output, " register %llu [$", (unsigned long long)number);
		write_register(reading, number);
		tl_output_format(output, "] offset %lld", (long long)tl_take_signed(&reading->at));
		return true;
	} else {
		return false;
	}
	write_register(reading, number);
	tl_output_text(output, "]");
	return true;
}

/* "<int [0x4d]>": a type by its name and where it stands in its unit. */
static void write_type(struct reading *reading, tl_u64 offset)
{
	struct tl_attribute name = {.kind = TL_CLASS_NONE};
	struct tl_entry entry;

	if (tl_entry_at(reading->unit, reading->unit->offset + offset, &entry, NULL) == TL_OK)
		(void)!tl_entry_attribute(&entry, DW_AT_name, &name, NULL);
	tl_output_format(reading->output, "<%s [0x%llx]>", name.kind == TL_CLASS_STRING ? name.text : "?",
			 (unsigned long long)offset);
}

/* Operations that name types. True: it was one of those. */
static bool write_on_type(struct reading *reading, tl_u8 operation)
{
	struct tl_output *output = reading->output;
	tl_u64 number;

	switch (operation) {
	case DW_OP_deref_type:
	case DW_OP_GNU_deref_type:
		number = take_fixed(reading, 1, false);
		write_type(reading, tl_take_unsigned(&reading->at));
		tl_output_format(output, " %llu", (unsigned long long)number);
		return true;
	case DW_OP_const_type:
	case DW_OP_GNU_const_type:
		write_type(reading, tl_take_unsigned(&reading->at));
		number = take_fixed(reading, 1, false);
		tl_output_format(output, " %llu byte block:", (unsigned long long)number);
		for (tl_u64 i = 0; i < number; i++)
			tl_output_format(output, " %02llx", (unsigned long long)take_fixed(reading, 1, false));
		return true;
	case DW_OP_regval_type:
	case DW_OP_GNU_regval_type:
		number = tl_take_unsigned(&reading->at);
		write_type(reading, tl_take_unsigned(&reading->at));
		tl_output_text(output, " [$");
		write_register(reading, number);
		tl_output_text(output, "]");
		return true;
	case DW_OP_convert:
	case DW_OP_GNU_convert:
	case DW_OP_reinterpret:
	case DW_OP_GNU_reinterpret:
		number = tl_take_unsigned(&reading->at);
		if (number != 0)
			write_type(reading, number);
		else
			tl_output_text(output, "<0>");
		return true;
	default:
		return false;
	}
}

static void write_operands(struct reading *reading, tl_u8 operation)
{
	struct tl_output *output = reading->output;
	tl_u64 number, other;

	if (write_number(reading, operation) || write_on_register(reading, operation) ||
	    write_on_type(reading, operation))
		return;
	switch (operation) {
	case DW_OP_addr:
		number = take_fixed(reading, reading->unit->address_size, false);
		tl_output_format(output, " 0x%llx", (unsigned long long)number);
		break;
	case DW_OP_skip:
	case DW_OP_bra:
		other = take_fixed(reading, 2, true);
		tl_output_format(output, operation == DW_OP_skip ? " to %lld" : " %lld",
				 (long long)other + (long long)(reading->at.at - reading->start));
		break;
	case DW_OP_call2:
	case DW_OP_call4:
	case DW_OP_call_ref:
	case DW_OP_GNU_parameter_ref:
		number = take_fixed(reading,
				    operation == DW_OP_call2      ? 2
				    : operation == DW_OP_call_ref ? reading->unit->offset_size
								  : 4,
				    false);
		tl_output_format(output, " offset %llx", (unsigned long long)number);
		break;
	case DW_OP_piece:
		tl_output_format(output, " %llu (bytes)", (unsigned long long)tl_take_unsigned(&reading->at));
		break;
	case DW_OP_bit_piece:
		number = tl_take_unsigned(&reading->at);
		other = tl_take_unsigned(&reading->at);
		tl_output_format(output, " size %llu offset %llu (bits)", (unsigned long long)number,
				 (unsigned long long)other);
		break;
	case DW_OP_implicit_value:
		number = tl_take_unsigned(&reading->at);
		tl_take_skip(&reading->at, number);
		tl_output_format(output, " %llu", (unsigned long long)number);
		break;
	case DW_OP_implicit_pointer:
	case DW_OP_GNU_implicit_pointer:
		number = take_fixed(reading, reading->unit->offset_size, false);
		tl_output_format(output, " DIE %llx offset %lld", (unsigned long long)number,
				 (long long)tl_take_signed(&reading->at));
		break;
	case DW_OP_addrx:
	case DW_OP_constx:
	case DW_OP_GNU_addr_index:
	case DW_OP_GNU_const_index:
		tl_output_format(output, " index %llu", (unsigned long long)tl_take_unsigned(&reading->at));
		break;
	default:
		break;
	}
}

/* A line for each operation, up to a piece or the end. False: an operation that nobody knows. */
static bool write_operations(struct reading *reading, int indent)
{
	while (reading->at.at != reading->at.end && *reading->at.at != DW_OP_piece &&
	       *reading->at.at != DW_OP_bit_piece) {
		char room[24];
		const long long offset = reading->at.at - reading->start;
		const tl_u8 operation = tl_take_u8(&reading->at);
		const char *name = operation_name(operation, room);

		if (name == NULL)
			return false;
		tl_output_format(reading->output, "  %*lld: %s", indent + 4, offset, name);
		if (operation == DW_OP_entry_value || operation == DW_OP_GNU_entry_value) {
			const tl_u64 size = tl_take_unsigned(&reading->at);
			struct reading inner = *reading;

			tl_output_text(reading->output, "\n");
			tl_take_skip(&reading->at, size);
			inner.at.end = reading->at.at;
			if (reading->at.failed || indent >= 2 * DEPTH_MAX || !write_operations(&inner, indent + 2))
				return false;
			continue;
		}
		write_operands(reading, operation);
		tl_output_text(reading->output, "\n");
	}
	return !reading->at.failed;
}

/* ---- In words ---- */

static bool is_end(const struct tl_cursor *at)
{
	return at->at == at->end || *at->at == DW_OP_piece || *at->at == DW_OP_bit_piece;
}

/* "a variable at frame base reg $rbp offset 16+-20", where the frame's base is that simple. */
static bool write_in_frame(struct reading *reading, struct tl_cursor *at, tl_u64 address)
{
	const tl_i64 offset = tl_take_signed(at);
	struct reading base = *reading;
	const tl_u8 *bytes;
	tl_size size;
	tl_i64 base_offset = 0;
	tl_u8 operation;

	if (at->failed || !is_end(at) || reading->text->function == NULL ||
	    tl_scope_frame_base(reading->text->function, address, &bytes, &size, NULL) != TL_OK || size == 0)
		return false;
	base.at = tl_cursor_make((const char *)bytes, size);
	operation = tl_take_u8(&base.at);
	if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31) {
		base_offset = tl_take_signed(&base.at);
		operation = (tl_u8)(operation - DW_OP_breg0);
	} else if (operation >= DW_OP_reg0 && operation <= DW_OP_reg31) {
		/* The frame is where the register points to. */
		operation = (tl_u8)(operation - DW_OP_reg0);
	} else {
		return false;
	}
	if (base.at.failed || base.at.at != base.at.end)
		return false;
	tl_output_text(reading->output, "a variable at frame base reg $");
	write_register(reading, operation);
	tl_output_format(reading->output, " offset %lld+%lld", (long long)base_offset, (long long)offset);
	return true;
}

/* A variable of each thread's own: its offset, and an operation that finds the thread's block. */
static bool write_of_thread(struct reading *reading, struct tl_cursor *at)
{
	struct reading inner = *reading;
	tl_u64 offset;
	tl_u8 operation;

	inner.at = *at;
	offset = take_fixed(&inner, reading->unit->address_size, false);
	operation = tl_take_u8(&inner.at);
	if (inner.at.failed || (operation != DW_OP_GNU_push_tls_address && operation != DW_OP_form_tls_address) ||
	    !is_end(&inner.at))
		return false;
	*at = inner.at;
	tl_output_format(reading->output,
			 "a thread-local variable at offset 0x%llx in the thread-local storage for `%s'",
			 (unsigned long long)offset, reading->text->module);
	return true;
}

/* One piece, if it can be said in words; the reading then stands behind it. */
static bool write_words(struct reading *reading, tl_u64 address)
{
	struct tl_cursor at = reading->at;
	const tl_u8 operation = tl_take_u8(&at);
	tl_i64 offset;
	bool said = true;

	if (operation >= DW_OP_reg0 && operation <= DW_OP_reg31) {
		tl_output_text(reading->output, "a variable in $");
		write_register(reading, (tl_u64)(operation - DW_OP_reg0));
	} else if (operation == DW_OP_regx) {
		tl_output_text(reading->output, "a variable in $");
		write_register(reading, tl_take_unsigned(&at));
	} else if (operation == DW_OP_fbreg) {
		said = write_in_frame(reading, &at, address);
	} else if (operation >= DW_OP_breg0 && operation <= DW_OP_breg31) {
		offset = tl_take_signed(&at);
		said = is_end(&at);
		if (said) {
			tl_output_format(reading->output, "a variable at offset %lld from base reg $",
					 (long long)offset);
			write_register(reading, (tl_u64)(operation - DW_OP_breg0));
		}
	} else if (operation == DW_OP_addr ||
		   operation == (reading->unit->address_size == 4 ? DW_OP_const4u : DW_OP_const8u)) {
		said = write_of_thread(reading, &at);
	} else if (operation >= DW_OP_lit0 && operation <= DW_OP_lit31 && at.at != at.end &&
		   *at.at == DW_OP_stack_value) {
		(void)tl_take_u8(&at);
		tl_output_format(reading->output, "the constant %d", operation - DW_OP_lit0);
	} else {
		said = false;
	}
	if (said)
		reading->at = at;
	return said;
}

/* "[4-byte piece]" behind what stands there, or an empty one. False: what stands there is no piece. */
static bool write_piece(struct reading *reading, bool empty)
{
	const tl_u8 operation = tl_take_u8(&reading->at);
	const unsigned long long size = tl_take_unsigned(&reading->at);

	if (operation == DW_OP_piece) {
		tl_output_format(reading->output, empty ? "an empty %llu-byte piece" : " [%llu-byte piece]", size);
	} else if (operation == DW_OP_bit_piece) {
		const unsigned long long offset = tl_take_unsigned(&reading->at);

		tl_output_format(reading->output,
				 empty ? "an empty %llu-bit piece" : " [%llu-bit piece, offset %llu bits]", size,
				 offset);
	} else {
		return false;
	}
	return !reading->at.failed;
}

static enum tl_status write_expression(struct reading *reading, tl_u64 address, struct tl_error *error)
{
	bool good = true;

	for (bool first = true; good && reading->at.at != reading->at.end; first = false) {
		const bool empty = is_end(&reading->at);

		tl_output_text(reading->output, first ? "" : ", and ");
		if (!empty && !write_words(reading, address)) {
			tl_output_text(reading->output, "a complex DWARF expression:\n");
			good = write_operations(reading, 0);
			if (good && reading->at.at != reading->at.end)
				tl_output_text(reading->output, "   ");
		}
		if (good && reading->at.at != reading->at.end)
			good = write_piece(reading, empty);
	}
	return good && !reading->at.failed
		       ? TL_OK
		       : TL_FAIL(error, TL_ERROR_MALFORMED, "The debug information of that symbol is damaged.");
}

/* ---- The whole ---- */

struct list {
	struct reading *reading;
	bool is_list;
	enum tl_status status;
	struct tl_error *error;
};

static bool write_place(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct list *list = context;
	struct reading *reading = list->reading;
	const unsigned long long first = start + reading->text->bias, last = end + reading->text->bias;

	reading->start = bytes;
	reading->at = tl_cursor_make((const char *)bytes, size);
	if (list->is_list)
		tl_output_format(reading->output, "  Range 0x%llx-0x%llx: ", first, last);
	list->status = write_expression(reading, list->is_list ? start : reading->text->address, list->error);
	if (list->is_list)
		tl_output_text(reading->output, "\n");
	return list->status == TL_OK;
}

/* "static storage at address 0x404028": the commonest of all. */
static bool write_static(struct reading *reading, const struct tl_attribute *location)
{
	struct reading inner = *reading;
	tl_u64 address;

	if (location->kind != TL_CLASS_EXPRESSION && location->kind != TL_CLASS_BLOCK)
		return false;
	inner.at = tl_cursor_make((const char *)location->bytes, location->size);
	if (tl_take_u8(&inner.at) != DW_OP_addr)
		return false;
	address = take_fixed(&inner, reading->unit->address_size, false);
	if (inner.at.failed || inner.at.at != inner.at.end)
		return false;
	address += reading->text->bias;
	tl_output_format(reading->output, "%sstatic storage at address 0x%llx", reading->text->scope ? "in " : "",
			 (unsigned long long)address);
	return true;
}

static void write_constant(const struct reading *reading, const struct tl_attribute *value)
{
	const long long number = (long long)value->number;

	if (!reading->text->scope)
		tl_output_text(reading->output, "constant");
	else if (value->kind == TL_CLASS_BLOCK)
		tl_output_text(reading->output, "constant bytes: ");
	else
		tl_output_format(reading->output, "a constant with value %lld (0x%llx)", number,
				 (unsigned long long)number);
	for (tl_size i = 0; reading->text->scope && value->kind == TL_CLASS_BLOCK && i < value->size; i++)
		tl_output_format(reading->output, " %02x", value->bytes[i]);
}

enum tl_status tl_location_write(const struct tl_location_text *text, const struct tl_entry *variable,
				 struct tl_output *output, struct tl_error *error)
{
	struct reading reading = {.text = text, .unit = variable->unit, .output = output};
	struct list list = {.reading = &reading, .error = error};
	struct tl_attribute location, value;

	TL_TRY(tl_entry_inherited(variable, DW_AT_location, &location, error));
	TL_TRY(tl_entry_inherited(variable, DW_AT_const_value, &value, error));
	if (location.kind == TL_CLASS_NONE && value.kind != TL_CLASS_NONE) {
		write_constant(&reading, &value);
		return tl_output_status(output, error);
	}
	list.is_list = location.kind == TL_CLASS_LIST || location.kind == TL_CLASS_LIST_INDEX;
	if (location.kind == TL_CLASS_NONE || (!list.is_list && location.size == 0)) {
		tl_output_text(output, "optimized out");
		return tl_output_status(output, error);
	}
	if (write_static(&reading, &location))
		return tl_output_status(output, error);
	tl_output_text(output, list.is_list ? "multi-location:\n" : "");
	TL_TRY(tl_entry_locations(&location, write_place, &list, error));
	TL_TRY(list.status);
	return tl_output_status(output, error);
}

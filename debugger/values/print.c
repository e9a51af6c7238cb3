#include "debugger/values/print.h"

#include "debugger/values/classes.h"
#include "debugger/values/containers.h"
#include "debugger/values/decimal.h"
#include "debugger/values/print_internal.h"
#include "debugger/values/print_text.h"
#include "debugger/values/quad.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ELEMENTS 200
#define REPEATS 10
#define DEPTH 20
/* Of one type. */
#define QUALIFIERS_MAX 16
/* References to references, arrays of arrays: no program's values nest so deep; those of damaged types may without end.
 */
#define NESTING_MAX 100

/* ---- Numbers ---- */

static void print_decimal(struct tl_output *output, tl_u128 number, bool negative)
{
	char digits[48];
	tl_size at = sizeof(digits);

	do
		digits[--at] = (char)('0' + (unsigned)(number % 10));
	while ((number /= 10) != 0);
	if (negative)
		digits[--at] = '-';
	tl_output_bytes(output, digits + at, sizeof(digits) - at);
}

/* In a base that is a power of two, with at least `least` digits. */
static void print_based(struct tl_output *output, tl_u128 number, unsigned bits, unsigned least)
{
	char digits[136];
	tl_size at = sizeof(digits);

	do
		digits[--at] = "0123456789abcdef"[number & ((1u << bits) - 1)];
	while ((number >>= bits) != 0 || sizeof(digits) - at < least);
	tl_output_bytes(output, digits + at, sizeof(digits) - at);
}

void tl_print_number(struct tl_output *output, char format, tl_i128 number, bool is_signed, tl_u64 size)
{
	tl_u128 bits = (tl_u128)number;

	if (size < 16)
		bits &= ((tl_u128)1 << size * 8) - 1;
	if (format == 'x' || format == 'a' || format == 'z') {
		tl_output_text(output, "0x");
		print_based(output, bits, 4, format == 'z' ? (unsigned)size * 2 : 1);
	} else if (format == 'o') {
		tl_output_text(output, bits != 0 ? "0" : "");
		print_based(output, bits, 3, 1);
	} else if (format == 't') {
		print_based(output, bits, 1, 1);
	} else if (format == 'u' || !is_signed) {
		print_decimal(output, bits, false);
	} else {
		print_decimal(output, number < 0 ? 0 - (tl_u128)number : (tl_u128)number, number < 0);
	}
}

/*
 * x87's ten bytes have the highest bit of the fraction in them, which must be 0 in the smallest numbers and 1 in all
 * others: else they are no number, and the processor refuses to reckon with them (Intel SDM volume 1, table 8-3).
 */
static bool is_invalid(const struct tl_value *value)
{
	const tl_u8 *bytes = value->bytes;

	return (value->size == 12 || (value->size == 16 && __LDBL_MANT_DIG__ == 64 && !tl_is_quad(value->type))) &&
	       ((bytes[8] | (bytes[9] & 0x7f)) == 0) != ((bytes[7] & 0x80) == 0);
}

/* Format t in groups of four bits, all of them whole. */
static void print_nibbles(struct tl_output *output, tl_i128 number, tl_u64 size)
{
	tl_u128 bits = size < 16 ? (tl_u128)number & (((tl_u128)1 << size * 8) - 1) : (tl_u128)number;
	unsigned groups = 1;

	while (groups < 32 && bits >> groups * 4 != 0)
		groups++;
	for (unsigned i = bits != 0 ? groups : 0; i > 0; i--) {
		print_based(output, bits >> (i - 1) * 4 & 0xf, 1, 4);
		tl_output_text(output, i > 1 ? " " : "");
	}
	tl_output_text(output, bits == 0 ? "0" : "");
}

/* As many digits as tell any two numbers apart; what the bits of no number are is said in full. */
static void print_real(struct tl_printing *printing, const struct tl_value *value, long double number)
{
	char text[TL_QUAD_TEXT_MAX];
	tl_u64 payload = 0;
	bool negative = value->size != 0 && (value->bytes[(value->size > 10 ? 10 : value->size) - 1] & 0x80) != 0;

	if (value->size == TL_QUAD_SIZE && tl_is_quad(value->type) && tl_quad_text(value->bytes, text)) {
		tl_output_text(printing->output, text);
		return;
	}
	if (is_invalid(value)) {
		tl_output_text(printing->output, "<invalid float value>");
		return;
	}
	if (number == number) {
		const char *name = value->type->name;
		int digits = value->size == 4 ? 9 : value->size == 8 ? 17 : 21;

		if (value->size == 2)
			digits = name != NULL && strstr(name, "bf") != NULL ? 4 : 5;
		tl_output_format(printing->output, "%.*Lg", digits, number);
		return;
	}
	memcpy(&payload, value->bytes, value->size < 8 ? value->size : 8);
	payload &= value->size == 2
			   ? (value->type->name != NULL && strstr(value->type->name, "bf") != NULL ? 0x7f : 0x3ff)
		   : value->size == 4 ? 0x7fffff
		   : value->size == 8 ? 0xfffffffffffffull
				      : ~0ull;
	tl_output_format(printing->output, "%snan(0x%llx)", negative ? "-" : "", (unsigned long long)payload);
}

/* ---- Addresses ---- */

/* " <counter+4>" where an address lies in a symbol. */
static void print_symbol(struct tl_printing *printing, tl_u64 address)
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

static enum tl_status is_character(const struct tl_type *type, bool *is_character_ret, tl_u64 *width_ret,
				   struct tl_error *error)
{
	const struct tl_type *stripped;
	bool known;

	TL_TRY(tl_type_strip(type, &stripped, error));
	TL_TRY(tl_type_size(stripped, width_ret, &known, error));
	*is_character_ret = stripped->kind == TL_TYPE_BASE && known && tl_print_prefix(type, *width_ret, error) != NULL;
	return TL_OK;
}

/* The string that a pointer leads to: as much of it as can be read, up to the limit. */
static enum tl_status print_pointed_string(struct tl_printing *printing, const struct tl_type *element, tl_u64 width,
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

static enum tl_status print_pointer(struct tl_printing *printing, const struct tl_type *pointer, tl_u64 address)
{
	const struct tl_type *target;
	bool text;
	tl_u64 width;

	TL_TRY(tl_type_target(pointer, &target, printing->error));
	TL_TRY(is_character(target, &text, &width, printing->error));
	if (!printing->options->no_addresses)
		tl_output_format(printing->output, "0x%llx", (unsigned long long)address);
	if (address != 0)
		print_symbol(printing, address);
	return text && address != 0 ? print_pointed_string(printing, target, width, address) : TL_OK;
}

/* ---- Scalars ---- */

/* True when each enumerator is one bit, or none: then values are made of them. */
static bool are_flags(const struct tl_member *members, tl_size count)
{
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_ENUMERATOR &&
		    (members[i].value < 0 || ((tl_u64)members[i].value & ((tl_u64)members[i].value - 1)) != 0))
			return false;
	return true;
}

/* The names of the bits that are set, the first of several for one bit: (A | C | unknown: 0x8). */
static void print_flags(struct tl_printing *printing, const struct tl_member *members, tl_size count, tl_u64 number,
			const char *scope)
{
	const char *separator = "(";

	for (tl_size i = 0; i < count; i++) {
		tl_u64 value = (tl_u64)members[i].value;

		if (members[i].kind != TL_MEMBER_ENUMERATOR || (number & value) == 0)
			continue;
		tl_output_format(printing->output, "%s%s%s", separator, scope,
				 members[i].name != NULL ? members[i].name : "?");
		separator = " | ";
		number &= ~value;
	}
	if (number != 0)
		tl_output_format(printing->output, "%sunknown: 0x%llx", separator, (unsigned long long)number);
	tl_output_text(printing->output, ")");
}

/* Those of a register: [ PF ZF ]. */
static void print_bit_names(struct tl_printing *printing, const struct tl_member *members, tl_size count, tl_u64 number)
{
	tl_output_text(printing->output, "[");
	for (tl_size i = 0; i < count; i++)
		if ((number & (tl_u64)members[i].value) != 0 && members[i].name != NULL)
			tl_output_format(printing->output, " %s", members[i].name);
	tl_output_text(printing->output, " ]");
}

/*
 * What stands in front of enumerators in C++: the enumeration's own name if it is an `enum class`, else what it stands
 * in. "" elsewhere.
 */
static enum tl_status write_enum_scope(struct tl_printing *printing, const struct tl_type *type,
				       struct tl_output *scope)
{
	const char *full = NULL;

	if (!type->has_scopes || type->entry.tag == 0 || type->name == NULL)
		return TL_OK;
	TL_TRY(tl_type_full_name(type, &full, printing->error));
	if (full == NULL)
		return TL_OK;
	if (type->scoped)
		tl_output_format(scope, "%s::", full);
	else
		tl_output_bytes(scope, full, strlen(full) - strlen(type->name));
	return tl_output_status(scope, printing->error);
}

static enum tl_status print_enum_number(struct tl_printing *printing, const struct tl_type *type, tl_i128 number,
					bool is_signed, const char *scope)
{
	const struct tl_member *members;
	tl_size count;

	TL_TRY(tl_type_members(type, &members, &count, printing->error));
	if (type->bit_names) {
		print_bit_names(printing, members, count, (tl_u64)number);
		return TL_OK;
	}
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_ENUMERATOR && members[i].name != NULL &&
		    (tl_u64)members[i].value == (tl_u64)number) {
			tl_output_format(printing->output, "%s%s", scope, members[i].name);
			return TL_OK;
		}
	if (number != 0 && are_flags(members, count))
		print_flags(printing, members, count, (tl_u64)number, scope);
	else
		tl_print_number(printing->output, 'd', number, is_signed, type->size);
	return TL_OK;
}

static enum tl_status print_enum(struct tl_printing *printing, const struct tl_type *type, tl_i128 number,
				 bool is_signed)
{
	struct tl_output scope = tl_output_make(4096);
	enum tl_status status = write_enum_scope(printing, type, &scope);

	if (status == TL_OK)
		status = print_enum_number(printing, type, number, is_signed, tl_output_string(&scope));
	tl_output_release(&scope);
	return status;
}

static void print_character(struct tl_printing *printing, const char *prefix, tl_i128 number, bool is_signed,
			    tl_u64 width)
{
	tl_u8 bytes[4];

	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (tl_u8)((tl_u128)number >> i * 8);
	tl_print_number(printing->output, 'd', number, is_signed, width);
	tl_output_text(printing->output, " ");
	tl_print_character(printing->output, printing->options, prefix, bytes, width);
}

/* A scalar by a format letter: its bits count, not its type. */
static enum tl_status print_formatted(struct tl_printing *printing, const struct tl_value *value,
				      const struct tl_type *type, tl_i128 bits, bool is_signed)
{
	char format = printing->options->format;
	tl_u64 size = value->size;
	bool known;

	if (value->bit_size != 0)
		TL_TRY(tl_type_size(type, &size, &known, printing->error));
	if (format == 'f' && (size == 4 || size == 8 || size == 16) && value->bit_size == 0) {
		struct tl_value real = *value;
		long double number;

		if (!tl_is_quad(type))
			TL_TRY(tl_type_make_base(printing->context->types, "floating", DW_ATE_float, (tl_u8)size,
						 &real.type, printing->error));
		TL_TRY(tl_value_real(printing->context, &real, &number, printing->error));
		print_real(printing, value, number);
	} else if (format == 'c') {
		print_character(printing, "", is_signed ? (tl_i8)bits : (tl_i128)(tl_u8)bits, is_signed, 1);
	} else if (format == 'a') {
		/* An address, whatever the number's own size. */
		tl_print_number(printing->output, format, bits, is_signed, printing->context->address_size);
		print_symbol(printing, (tl_u64)bits);
	} else if (format == 't' && printing->options->nibbles) {
		print_nibbles(printing->output, bits, size);
	} else {
		tl_print_number(printing->output, format, bits, format != 'u' && (is_signed || format == 'd'), size);
	}
	return TL_OK;
}

/* The bits of a scalar as a number with a sign, or without. */
static enum tl_status bits_of(struct tl_printing *printing, const struct tl_value *value, bool is_signed,
			      tl_i128 *bits_ret)
{
	struct tl_value own = *value;

	TL_TRY(tl_type_make_base(printing->context->types, is_signed ? "bits" : "unsigned bits",
				 is_signed ? DW_ATE_signed : DW_ATE_unsigned, (tl_u8)value->size, &own.type,
				 printing->error));
	return tl_value_integer(printing->context, &own, bits_ret, printing->error);
}

/* A pointer to a member is the offset of a field: &point::y. -1 points to none. */
static enum tl_status print_member_pointer(struct tl_printing *printing, const struct tl_type *type, tl_i128 offset)
{
	const struct tl_type *class, *owner = NULL;
	const struct tl_member *field = NULL;

	TL_TRY(tl_type_container(type, &class, printing->error));
	TL_TRY(tl_value_strip(printing->context, class, &class, printing->error));
	if (offset >= 0)
		TL_TRY(tl_class_field_at(class, (tl_u64)offset, &owner, &field, printing->error));
	if (field != NULL)
		tl_output_format(printing->output, "&%s::%s", tl_value_type_name(printing->context, owner),
				 field->name);
	else if (offset == -1)
		tl_output_text(printing->output, "NULL");
	else
		tl_print_number(printing->output, 'd', offset, true, 8);
	return TL_OK;
}

/* &virtual shape::area() const: the function of a slot is that of the class, whatever class the object will be of. */
static enum tl_status print_virtual(struct tl_printing *printing, const struct tl_type *class, tl_u64 slot)
{
	const struct tl_type *owner = NULL, *function;
	const struct tl_member *member = NULL;

	TL_TRY(tl_class_in_slot(class, slot, &owner, &member, printing->error));
	if (member == NULL) {
		tl_output_format(printing->output, "&virtual table offset %llu", (unsigned long long)slot);
		return TL_OK;
	}
	TL_TRY(tl_member_type(owner, member, &function, printing->error));
	tl_output_format(printing->output, "&virtual %s::%s", tl_value_type_name(printing->context, owner),
			 member->name != NULL ? member->name : "?");
	return tl_type_write_plain_parameters(function, printing->output, printing->error);
}

static enum tl_status print_method_pointer(struct tl_printing *printing, const struct tl_value *value,
					   const struct tl_type *type)
{
	struct tl_method_pointer method;
	const struct tl_type *class;

	TL_TRY(tl_class_read_method_pointer(printing->context, value, &method, printing->error));
	TL_TRY(tl_type_container(type, &class, printing->error));
	TL_TRY(tl_value_strip(printing->context, class, &class, printing->error));
	if (method.is_virtual)
		return print_virtual(printing, class, method.address);
	if (method.is_null) {
		tl_output_text(printing->output, "NULL");
		return TL_OK;
	}
	tl_output_format(printing->output, "(%s) 0x%llx", tl_value_type_name(printing->context, type),
			 (unsigned long long)method.address);
	print_symbol(printing, method.address);
	if (method.adjustment != 0)
		tl_output_format(printing->output, ", this adjustment %lld", (long long)method.adjustment);
	return TL_OK;
}

static enum tl_status print_scalar(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type);

/* A complex number: its two halves, each as a real of that size. */
static enum tl_status print_complex(struct tl_printing *printing, const struct tl_value *value)
{
	static const char *const names[] = {[4] = "float", [8] = "double", [12] = "long double", [16] = "long double"};
	const tl_u64 half = value->size / 2;
	struct tl_value part = *value;

	if (half >= TL_COUNT(names) || names[half] == NULL || value->bytes == NULL)
		return TL_FAIL(printing->error, TL_ERROR_UNSUPPORTED,
			       "Complex numbers of %llu bytes are not known here.", (unsigned long long)value->size);
	TL_TRY(tl_type_make_base(printing->context->types, tl_is_quad(value->type) ? "_Float128" : names[half],
				 DW_ATE_float, (tl_u8)half, &part.type, printing->error));
	part.size = half;
	TL_TRY(print_scalar(printing, &part, part.type));
	tl_output_text(printing->output, " + ");
	part.bytes += half;
	TL_TRY(print_scalar(printing, &part, part.type));
	tl_output_text(printing->output, "i");
	return TL_OK;
}

/* Of a decimal number the formats of characters and addresses show what stands in front of the point. */
static enum tl_status print_decimal_real(struct tl_printing *printing, const struct tl_value *value)
{
	const char format = printing->options->format;
	char text[TL_DECIMAL_TEXT_MAX];
	tl_i128 number;

	if ((format == 'c' || format == 'a') && tl_decimal_integer(value->bytes, value->size, &number))
		return print_formatted(printing, value, value->type, number, true);
	if (!tl_decimal_text(value->bytes, value->size, text))
		return TL_FAIL(printing->error, TL_ERROR_UNSUPPORTED,
			       "Decimal numbers of %llu bytes are not known here.", (unsigned long long)value->size);
	tl_output_text(printing->output, text);
	return TL_OK;
}

/* By `set output-radix`, which counts for numbers alone. */
static enum tl_status print_in_radix(struct tl_printing *printing, const struct tl_value *value,
				     const struct tl_type *type, bool is_signed)
{
	struct tl_print_options options = *printing->options;
	const struct tl_print_options *outer = printing->options;
	tl_i128 number;
	enum tl_status status;

	TL_TRY(bits_of(printing, value, is_signed, &number));
	options.format = options.radix;
	printing->options = &options;
	status = print_formatted(printing, value, type, number, is_signed);
	printing->options = outer;
	return status;
}

static enum tl_status print_scalar(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type)
{
	enum tl_arithmetic kind;
	const char *prefix;
	long double real;
	tl_i128 number;
	bool is_signed;
	char format = printing->options->format;

	kind = tl_type_arithmetic(type, &is_signed);
	if (type->kind == TL_TYPE_BASE && type->encoding == DW_ATE_complex_float)
		return print_complex(printing, value);
	if (type->kind == TL_TYPE_BASE && type->encoding == DW_ATE_decimal_float &&
	    (format == 0 || strchr("scaf", format) != NULL))
		return print_decimal_real(printing, value);
	if (kind == TL_ARITHMETIC_REAL && (format == 'c' || format == 'a')) {
		/* What is to be a character or an address is the number, without its fraction, as far as 64 bits go. */
		TL_TRY(tl_value_real(printing->context, value, &real, printing->error));
		if (real >= -0x1p63L && real < 0x1p63L)
			number = (tl_i128)real;
		else
			number = real < 0 ? INT64_MIN : INT64_MAX;
		return print_formatted(printing, value, type, number, true);
	}
	if (printing->options->radix != 0 && format == 0 && type->kind == TL_TYPE_BASE &&
	    kind == TL_ARITHMETIC_INTEGER && value->size <= 16)
		return print_in_radix(printing, value, type, is_signed);
	if (format != 0 && format != 's' && value->size <= 16) {
		/* The highest bit of a bit-field is no sign if its type has none: it has been widened by then. */
		TL_TRY(bits_of(printing, value, (format == 'd' && value->bit_size == 0) || (format != 'u' && is_signed),
			       &number));
		return print_formatted(printing, value, type, number, is_signed);
	}
	if (kind == TL_ARITHMETIC_REAL) {
		TL_TRY(tl_value_real(printing->context, value, &real, printing->error));
		print_real(printing, value, real);
		return TL_OK;
	}
	if (type->kind == TL_TYPE_MEMBER_POINTER && value->size == 2 * (tl_u64)printing->context->address_size)
		return print_method_pointer(printing, value, type);
	TL_TRY(tl_value_integer(printing->context, value, &number, printing->error));
	if (type->kind == TL_TYPE_MEMBER_POINTER && value->size == printing->context->address_size)
		return print_member_pointer(printing, type, value->size == 4 ? (tl_i32)number : (tl_i64)number);
	if (kind == TL_ARITHMETIC_POINTER)
		return print_pointer(printing, type, (tl_u64)number);
	if (type->kind == TL_TYPE_ENUM)
		return print_enum(printing, type, number, is_signed);
	prefix = tl_print_prefix(value->type, value->size, printing->error);
	if (type->kind == TL_TYPE_BASE && type->encoding == DW_ATE_boolean && (number == 0 || number == 1))
		tl_output_text(printing->output, number != 0 ? "true" : "false");
	else if (prefix != NULL && value->bit_size == 0 && !printing->vector)
		print_character(printing, prefix, number, is_signed, value->size);
	else
		tl_print_number(printing->output, 'd', number, is_signed, value->size);
	return TL_OK;
}

/* ---- Arrays ---- */

/* The same bytes are there, and the same are not. */
static bool same_bytes(const struct tl_value *a, const struct tl_value *b)
{
	if (a->size != b->size || a->bytes == NULL || b->bytes == NULL)
		return false;
	for (tl_u64 i = 0; i < a->size; i++) {
		const tl_u8 left = a->absent != NULL ? a->absent[i] : TL_ABSENT_NOT,
			    right = b->absent != NULL ? b->absent[i] : TL_ABSENT_NOT;

		/* Bits that are not there are zeros. */
		if (left != right ||
		    (left != TL_ABSENT_OPTIMISED && left != TL_ABSENT_POINTER && a->bytes[i] != b->bytes[i]))
			return false;
	}
	return true;
}

/* How many elements from `index` on are the same. */
static enum tl_status run_length(struct tl_printing *printing, const struct tl_value *array, tl_u64 index, tl_u64 count,
				 tl_i64 lower, tl_u64 *length_ret)
{
	struct tl_value first, next;

	*length_ret = 1;
	TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)index, &first, printing->error));
	while (index + *length_ret < count) {
		TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)(index + *length_ret), &next,
					printing->error));
		if (!same_bytes(&first, &next))
			break;
		++*length_ret;
	}
	return TL_OK;
}

static void begin_element(struct tl_printing *printing, bool first)
{
	if (!first)
		tl_output_text(printing->output, printing->options->lines ? "," : ", ");
	if (printing->options->lines) {
		tl_output_text(printing->output, "\n");
		tl_output_spaces(printing->output, printing->indent * 2);
	}
}

static enum tl_status print_elements(struct tl_printing *printing, const struct tl_value *array, tl_u64 count,
				     tl_i64 lower)
{
	tl_u64 shown = 0, index = 0;

	tl_output_text(printing->output, "{");
	printing->indent++;
	while (index < count && shown < printing->elements) {
		struct tl_value element;
		tl_u64 length;

		begin_element(printing, index == 0);
		if (printing->options->indexes)
			tl_output_format(printing->output, "[%lld] = ", (long long)lower + (long long)index);
		TL_TRY(run_length(printing, array, index, count, lower, &length));
		TL_TRY(tl_value_element(printing->context, array, lower + (tl_i64)index, &element, printing->error));
		TL_TRY(tl_print_part(printing, &element));
		if (length > printing->repeats) {
			tl_output_format(printing->output, " <repeats %llu times>", (unsigned long long)length);
			index += length;
			shown += printing->repeats;
		} else {
			index++;
			shown++;
		}
	}
	printing->indent--;
	tl_output_text(printing->output, index < count ? "..." : "");
	if (printing->options->lines)
		begin_element(printing, true);
	tl_output_text(printing->output, "}");
	return TL_OK;
}

static enum tl_status print_array(struct tl_printing *printing, struct tl_value *value, const struct tl_type *type)
{
	const struct tl_type *element;
	const struct tl_bound *bound;
	tl_u64 width, count, end;
	bool text;

	TL_TRY(tl_type_target(type, &element, printing->error));
	TL_TRY(tl_type_bound(type, &bound, printing->error));
	TL_TRY(is_character(element, &text, &width, printing->error));
	count = bound->kind == TL_BOUND_CONSTANT ? bound->count : 0;
	/* What is not all there is no text: its bytes that are missing would pass for zeros. */
	if (!text || type->vector || tl_value_is_absent(value) ||
	    (printing->options->format != 0 && printing->options->format != 's')) {
		enum tl_status status;

		printing->vector = type->vector;
		status = print_elements(printing, value, count, bound->lower);
		printing->vector = false;
		return status;
	}
	count = width != 0 ? value->size / width : 0;
	if (printing->options->null_stop) {
		tl_u64 size = 0;

		while (size < count && size < printing->elements &&
		       tl_print_unit(value->bytes + size * width, width) != 0)
			size++;
		tl_print_string(printing->output, printing->options, tl_print_prefix(element, width, printing->error),
				value->bytes, width, size, size == printing->elements && size < count);
		return TL_OK;
	}
	end = tl_print_string_end(printing->options, value->bytes, width, count, printing->elements);
	/* One zero at the end goes without saying, unless more is left out. */
	if (end == count && count > 0 && tl_print_unit(value->bytes + (count - 1) * width, width) == 0)
		end--;
	tl_print_string(printing->output, printing->options, tl_print_prefix(element, width, printing->error),
			value->bytes, width, end, end + 1 < count);
	return TL_OK;
}

/* ---- Structs ---- */

static void begin_member(struct tl_printing *printing, bool first)
{
	if (!first)
		tl_output_text(printing->output, printing->options->pretty ? "," : ", ");
	if (printing->options->pretty) {
		tl_output_text(printing->output, "\n");
		tl_output_spaces(printing->output, printing->indent * 2);
	}
}

/* What leads to an object's table of virtual functions is an address in every format. */
static bool is_table_pointer(const struct tl_member *member)
{
	return member->kind == TL_MEMBER_FIELD && member->name != NULL && strncmp(member->name, "_vptr", 5) == 0 &&
	       (member->name[5] == '.' || member->name[5] == '$');
}

static enum tl_status print_plainly(struct tl_printing *printing, const struct tl_value *value)
{
	const struct tl_print_options *options = printing->options;
	struct tl_print_options plain = *options;
	enum tl_status status;

	plain.format = 0;
	printing->options = &plain;
	status = tl_print_part(printing, value);
	printing->options = options;
	return status;
}

static enum tl_status print_member(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type, const struct tl_member *member)
{
	struct tl_value part;
	struct tl_error failure = {0};
	enum tl_status status;

	if (member->kind == TL_MEMBER_BASE) {
		const struct tl_type *base;

		TL_TRY(tl_member_type(type, member, &base, printing->error));
		tl_output_format(printing->output, "<%s> = ", tl_value_type_name(printing->context, base));
	} else if (member->name != NULL) {
		tl_output_format(printing->output, "%s%s = ", member->kind == TL_MEMBER_STATIC ? "static " : "",
				 member->name);
	}
	status = tl_value_field(printing->context, value, type, member, &part, &failure);
	/* Where an object was not made yet, its virtual bases are anywhere. */
	if (status == TL_OK && member->moves && part.size != 0)
		status = tl_value_load(printing->context, &part, &failure);
	if (status == TL_OK && printing->options->format != 0 && is_table_pointer(member))
		return print_plainly(printing, &part);
	if (status == TL_OK)
		return tl_print_part(printing, &part);
	if (member->kind == TL_MEMBER_STATIC)
		tl_output_text(printing->output, "<optimized out>");
	else if (member->kind == TL_MEMBER_BASE)
		tl_output_text(printing->output, "<invalid address>");
	else
		tl_output_format(printing->output, "<error: %s>", failure.text);
	return TL_OK;
}

/* Whether a base is a virtual one that was shown already, as the base of another base; else it is noted. */
static enum tl_status was_shown(struct tl_printing *printing, const struct tl_type *type,
				const struct tl_member *member, bool *shown_ret)
{
	const struct tl_type *base;

	*shown_ret = false;
	if (member->kind != TL_MEMBER_BASE || !member->is_virtual)
		return TL_OK;
	TL_TRY(tl_member_type(type, member, &base, printing->error));
	for (unsigned i = 0; i < printing->virtual_base_count && !*shown_ret; i++)
		*shown_ret = printing->virtual_bases[i] == base;
	if (!*shown_ret && printing->virtual_base_count < TL_PRINT_VIRTUAL_BASES_MAX)
		printing->virtual_bases[printing->virtual_base_count++] = base;
	return TL_OK;
}

static enum tl_status print_struct(struct tl_printing *printing, const struct tl_value *value,
				   const struct tl_type *type)
{
	const struct tl_member *members;
	tl_size count;
	bool first = true, has_fields = false;

	if (type->declaration) {
		/* Of a base whose class only another module knows the rest is shown all the same. */
		tl_output_text(printing->output, printing->depth != 0 ? "{<No data fields>}" : "<incomplete type>");
		return TL_OK;
	}
	if (printing->depth >= printing->depth_limit ||
	    (type->kind == TL_TYPE_UNION && printing->options->no_unions && printing->nesting > 1)) {
		tl_output_text(printing->output, "{...}");
		return TL_OK;
	}
	TL_TRY(tl_type_members(type, &members, &count, printing->error));
	tl_output_text(printing->output, "{");
	printing->depth++;
	printing->indent++;
	for (tl_size i = 0; i < count; i++) {
		const unsigned noted = printing->virtual_base_count;
		bool shown = false;

		if (members[i].kind != TL_MEMBER_FIELD && members[i].kind != TL_MEMBER_BASE &&
		    (members[i].kind != TL_MEMBER_STATIC || printing->options->no_statics))
			continue;
		TL_TRY(was_shown(printing, type, &members[i], &shown));
		if (shown)
			continue;
		begin_member(printing, first);
		first = false;
		has_fields |= members[i].kind != TL_MEMBER_BASE;
		TL_TRY(print_member(printing, value, type, &members[i]));
		/* A member has virtual bases of its own. */
		if (members[i].kind != TL_MEMBER_BASE)
			printing->virtual_base_count = noted;
	}
	printing->depth--;
	printing->indent--;
	if (!has_fields)
		tl_output_format(printing->output, "%s<No data fields>", first ? "" : ", ");
	else if (printing->options->pretty)
		begin_member(printing, true);
	tl_output_text(printing->output, "}");
	return TL_OK;
}

/* ---- The whole ---- */

static enum tl_status print_reference(struct tl_printing *printing, const struct tl_value *value)
{
	struct tl_value target = *value;
	tl_i128 address;

	TL_TRY(bits_of(printing, value, false, &address));
	tl_output_format(printing->output, "@0x%llx", (unsigned long long)(tl_u64)address);
	/* What a member refers to is not shown with it. */
	if (printing->depth != 0)
		return TL_OK;
	tl_output_text(printing->output, ": ");
	TL_TRY(tl_value_unreference(printing->context, &target, printing->error));
	return tl_print_part(printing, &target);
}

static enum tl_status print_loaded(struct tl_printing *printing, struct tl_value *value, const struct tl_type *type)
{
	switch (type->kind) {
	case TL_TYPE_ARRAY:
		return print_array(printing, value, type);
	case TL_TYPE_STRUCT:
	case TL_TYPE_CLASS:
	case TL_TYPE_UNION:
		return print_struct(printing, value, type);
	case TL_TYPE_REFERENCE:
	case TL_TYPE_RVALUE_REFERENCE:
		return print_reference(printing, value);
	case TL_TYPE_BASE:
	case TL_TYPE_ENUM:
	case TL_TYPE_POINTER:
	case TL_TYPE_MEMBER_POINTER:
		return print_scalar(printing, value, type);
	case TL_TYPE_VOID:
	case TL_TYPE_FUNCTION:
	case TL_TYPE_UNSPECIFIED:
	case TL_TYPE_TYPEDEF:
	case TL_TYPE_CONST:
	case TL_TYPE_VOLATILE:
	case TL_TYPE_RESTRICT:
	case TL_TYPE_ATOMIC:
	case TL_TYPE_MAX:
		break;
	}
	tl_output_text(printing->output, "void");
	return TL_OK;
}

/* True when no byte of a value is left. */
static bool is_gone(const struct tl_value *value)
{
	tl_u64 absent = 0;

	for (tl_u64 i = 0; value->absent != NULL && i < value->size; i++)
		absent += value->absent[i] == TL_ABSENT_OPTIMISED || value->absent[i] == TL_ABSENT_POINTER;
	return value->size != 0 && absent == value->size;
}

/* An array without an end is the address at which it begins, with what a string there says. */
static enum tl_status print_endless(struct tl_printing *printing, const struct tl_type *array, tl_u64 address)
{
	const struct tl_type *element;
	tl_u64 width = 0;
	bool text = false;

	TL_TRY(tl_type_target(array, &element, printing->error));
	TL_TRY(is_character(element, &text, &width, printing->error));
	tl_output_format(printing->output, "0x%llx", (unsigned long long)address);
	print_symbol(printing, address);
	return text ? print_pointed_string(printing, element, width, address) : TL_OK;
}

static enum tl_status print_one(struct tl_printing *printing, const struct tl_value *value)
{
	struct tl_value own = *value;
	const struct tl_type *type;
	const struct tl_bound *bound;
	struct tl_error failure = {0};
	bool whole, shown;

	TL_TRY(tl_type_strip(own.type, &type, printing->error));
	if (type->kind == TL_TYPE_FUNCTION) {
		tl_output_format(printing->output, "{%s} ", tl_value_type_name(printing->context, own.type));
		if (!printing->options->no_addresses)
			tl_output_format(printing->output, "0x%llx", (unsigned long long)own.address);
		print_symbol(printing, own.address);
		return TL_OK;
	}
	if (type->kind == TL_TYPE_VOID || type->declaration)
		return print_loaded(printing, &own, type);
	if (type->kind == TL_TYPE_ARRAY && own.place == TL_VALUE_IN_MEMORY) {
		TL_TRY(tl_type_bound(type, &bound, printing->error));
		if (bound->kind == TL_BOUND_NONE)
			return print_endless(printing, type, own.address);
	}
	if (tl_value_load(printing->context, &own, &failure) != TL_OK) {
		tl_output_format(printing->output, "<error: %s>", failure.text);
		return TL_OK;
	}
	/* A struct of which a part is left shows that part, and which members of structs in it are not. */
	whole = type->kind != TL_TYPE_STRUCT && type->kind != TL_TYPE_CLASS && type->kind != TL_TYPE_UNION &&
		type->kind != TL_TYPE_ARRAY;
	if ((printing->nesting == 1 && is_gone(&own)) || (whole && tl_value_is_absent(&own))) {
		tl_output_text(printing->output,
			       own.absent[0] == TL_ABSENT_POINTER ? "<synthetic pointer>" : "<optimized out>");
		return TL_OK;
	}
	TL_TRY(tl_print_container(printing, &own, type, &shown));
	return shown ? TL_OK : print_loaded(printing, &own, type);
}

enum tl_status tl_print_part(struct tl_printing *printing, const struct tl_value *value)
{
	enum tl_status status;

	/* What has no room is not gone through to its end. */
	TL_TRY(tl_output_status(printing->output, printing->error));
	if (printing->nesting >= NESTING_MAX) {
		tl_output_text(printing->output, "...");
		return TL_OK;
	}
	printing->nesting++;
	status = print_one(printing, value);
	printing->nesting--;
	return status;
}

/* Without const and volatile; a type that is its own target, as in damaged debug information, keeps some. */
static enum tl_status unqualified(const struct tl_type **type, struct tl_error *error)
{
	for (int i = 0; i < QUALIFIERS_MAX && ((*type)->kind == TL_TYPE_CONST || (*type)->kind == TL_TYPE_VOLATILE);
	     i++)
		TL_TRY(tl_type_target(*type, type, error));
	return TL_OK;
}

/* In front of pointers and references that are printed by themselves stands their type. */
static enum tl_status print_type_before(struct tl_printing *printing, const struct tl_value *value)
{
	const struct tl_type *type, *target, *plain = value->type;
	bool text = false;

	TL_TRY(tl_type_strip(value->type, &type, printing->error));
	if (printing->options->listed ||
	    (printing->options->format != 0 && printing->options->format != 's' && type->kind != TL_TYPE_REFERENCE))
		return TL_OK;
	if (is_gone(value) && value->absent[0] == TL_ABSENT_OPTIMISED)
		return TL_OK;
	if (type->kind == TL_TYPE_POINTER) {
		/* A plain char * goes without saying; what is called otherwise, or is a typedef, does not. */
		TL_TRY(tl_type_target(type, &target, printing->error));
		TL_TRY(unqualified(&target, printing->error));
		TL_TRY(unqualified(&plain, printing->error));
		text = plain == type && target->name != NULL && strcmp(target->name, "char") == 0;
	} else if (type->kind != TL_TYPE_REFERENCE && type->kind != TL_TYPE_RVALUE_REFERENCE) {
		return TL_OK;
	} else if (type->kind == TL_TYPE_REFERENCE && !printing->options->raw) {
		/* What a reference to a std::string refers to says all. */
		TL_TRY(tl_type_target(type, &target, printing->error));
		TL_TRY(tl_type_strip(target, &target, printing->error));
		TL_TRY(tl_container_is_known(target, &text, printing->error));
	}
	if (!text)
		tl_output_format(printing->output, "(%s) ", tl_value_type_name(printing->context, value->type));
	return TL_OK;
}

/* Takes an object, or what points or refers to one, for what it is, and says what that is: (tile) {...}. */
static enum tl_status show_real(struct tl_printing *printing, struct tl_value *value)
{
	const struct tl_type *type;
	struct tl_error failure = {0};
	bool known = false;

	/* What cannot be told, for want of memory or of sense in it, is shown as it was declared. */
	if (tl_class_real(printing->context, value, value, &known, &failure) != TL_OK || !known)
		return TL_OK;
	TL_TRY(tl_type_strip(value->type, &type, printing->error));
	if (tl_class_is(type) && !printing->options->listed)
		tl_output_format(printing->output, "(%s) ", tl_value_type_name(printing->context, value->type));
	return tl_value_load(printing->context, value, printing->error);
}

enum tl_status tl_print_value(const struct tl_value_context *context, const struct tl_print_options *options,
			      const struct tl_value *value, struct tl_output *output, struct tl_error *error)
{
	struct tl_printing printing = {
		.context = context,
		.options = options,
		.output = output,
		.elements = options->elements != 0 ? options->elements : ELEMENTS,
		.repeats = options->repeats != 0 ? options->repeats : REPEATS,
		.depth_limit = options->depth != 0 ? options->depth : DEPTH,
		.error = error,
	};
	struct tl_value own = *value;

	/* What cannot be read at all is an error of the command, not a part of what it shows. */
	if (own.type->kind != TL_TYPE_VOID && own.size != 0 && !options->listed)
		TL_TRY(tl_value_load(context, &own, error));
	if (options->object)
		TL_TRY(show_real(&printing, &own));
	TL_TRY(print_type_before(&printing, &own));
	TL_TRY(tl_print_part(&printing, &own));
	return tl_output_status(output, error);
}

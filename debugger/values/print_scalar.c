#include "debugger/values/classes.h"
#include "debugger/values/decimal.h"
#include "debugger/values/print_internal.h"
#include "debugger/values/print_text.h"
#include "debugger/values/quad.h"
#include "symbols/dwarf_constants.h"
#include "symbols/type_text.h"

#include <stdint.h>
#include <string.h>

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

/* Those of a register: [ PF ZF ], and fields of several bits with their numbers: [ EL=0 Z ]. */
static void print_bit_names(struct tl_printing *printing, const struct tl_member *members, tl_size count, tl_u64 number)
{
	tl_output_text(printing->output, "[");
	for (tl_size i = 0; i < count; i++) {
		tl_u64 mask = (tl_u64)members[i].value, lowest = mask & (~mask + 1);

		if (members[i].name == NULL || mask == 0)
			continue;
		if (mask != lowest)
			tl_output_format(printing->output, " %s=%llu", members[i].name,
					 (unsigned long long)((number & mask) / lowest));
		else if ((number & mask) != 0)
			tl_output_format(printing->output, " %s", members[i].name);
	}
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
		tl_print_real(printing, value, number);
	} else if (format == 'c') {
		print_character(printing, "", is_signed ? (tl_i8)bits : (tl_i128)(tl_u8)bits, is_signed, 1);
	} else if (format == 'a') {
		/* An address, whatever the number's own size. */
		tl_print_number(printing->output, format, bits, is_signed, printing->context->address_size);
		tl_print_symbol(printing, (tl_u64)bits);
	} else if (format == 't' && printing->options->nibbles) {
		tl_print_nibbles(printing->output, bits, size);
	} else {
		tl_print_number(printing->output, format, bits, format != 'u' && (is_signed || format == 'd'), size);
	}
	return TL_OK;
}

enum tl_status tl_print_bits(struct tl_printing *printing, const struct tl_value *value, bool is_signed,
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
	tl_print_symbol(printing, method.address);
	if (method.adjustment != 0)
		tl_output_format(printing->output, ", this adjustment %lld", (long long)method.adjustment);
	return TL_OK;
}

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
	TL_TRY(tl_print_scalar(printing, &part, part.type));
	tl_output_text(printing->output, " + ");
	part.bytes += half;
	TL_TRY(tl_print_scalar(printing, &part, part.type));
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

	TL_TRY(tl_print_bits(printing, value, is_signed, &number));
	options.format = options.radix;
	printing->options = &options;
	status = print_formatted(printing, value, type, number, is_signed);
	printing->options = outer;
	return status;
}

enum tl_status tl_print_scalar(struct tl_printing *printing, const struct tl_value *value, const struct tl_type *type)
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
		TL_TRY(tl_print_bits(printing, value,
				     (format == 'd' && value->bit_size == 0) || (format != 'u' && is_signed), &number));
		return print_formatted(printing, value, type, number, is_signed);
	}
	if (kind == TL_ARITHMETIC_REAL) {
		TL_TRY(tl_value_real(printing->context, value, &real, printing->error));
		tl_print_real(printing, value, real);
		return TL_OK;
	}
	if (type->kind == TL_TYPE_MEMBER_POINTER && value->size == 2 * (tl_u64)printing->context->address_size)
		return print_method_pointer(printing, value, type);
	TL_TRY(tl_value_integer(printing->context, value, &number, printing->error));
	if (type->kind == TL_TYPE_MEMBER_POINTER && value->size == printing->context->address_size)
		return print_member_pointer(printing, type, value->size == 4 ? (tl_i32)number : (tl_i64)number);
	if (kind == TL_ARITHMETIC_POINTER)
		return tl_print_pointer(printing, type, (tl_u64)number);
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

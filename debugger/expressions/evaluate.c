#include "debugger/expressions/evaluate.h"

#include "debugger/expressions/evaluate_internal.h"
#include "debugger/values/containers_access.h"

#include "core/utf8.h"
#include "symbols/dwarf_constants.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- Types ---- */

static const struct {
	const char *name;
	tl_u8 encoding, size; /* size 0: that of a pointer */
} basic_types[] = {
	{"bool", DW_ATE_boolean, 1},
	{"char", DW_ATE_signed_char, 1},
	{"signed char", DW_ATE_signed_char, 1},
	{"unsigned char", DW_ATE_unsigned_char, 1},
	{"short", DW_ATE_signed, 2},
	{"unsigned short", DW_ATE_unsigned, 2},
	{"int", DW_ATE_signed, 4},
	{"unsigned int", DW_ATE_unsigned, 4},
	{"long", DW_ATE_signed, 0},
	{"unsigned long", DW_ATE_unsigned, 0},
	{"long long", DW_ATE_signed, 8},
	{"unsigned long long", DW_ATE_unsigned, 8},
	{"__int128", DW_ATE_signed, 16},
	{"unsigned __int128", DW_ATE_unsigned, 16},
	{"float", DW_ATE_float, 4},
	{"double", DW_ATE_float, 8},
	{"long double", DW_ATE_float, 16},
};

static enum tl_status find_basic(struct tl_evaluation *evaluation, const char *name, const struct tl_type **type_ret)
{
	const struct tl_value_context *values = &evaluation->values;

	*type_ret = NULL;
	if (strcmp(name, "void") == 0)
		*type_ret = tl_type_void(values->types);
	for (tl_size i = 0; i < TL_COUNT(basic_types); i++)
		if (strcmp(name, basic_types[i].name) == 0)
			return tl_type_make_base(values->types, basic_types[i].name, basic_types[i].encoding,
						 basic_types[i].size != 0 ? basic_types[i].size : values->address_size,
						 type_ret, evaluation->error);
	return TL_OK;
}

static enum tl_status named_type(struct tl_evaluation *evaluation, const struct tl_node *node,
				 const struct tl_type **type_ret)
{
	static const char *const tags[] = {"type", "struct", "union", "enum", "class"};
	const struct tl_environment *environment = evaluation->environment;

	*type_ret = NULL;
	if (node->tag == TL_TAG_NONE)
		TL_TRY(find_basic(evaluation, node->text.bytes, type_ret));
	if (*type_ret == NULL && environment->find_type != NULL)
		TL_TRY(environment->find_type(environment->context, node->text.bytes, (enum tl_type_tag)node->tag,
					      type_ret, evaluation->error));
	if (*type_ret == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "No %s named %s.", tags[node->tag],
			       node->text.bytes);
	return TL_OK;
}

static enum tl_status type_of(struct tl_evaluation *evaluation, tl_node_index index, const struct tl_type **type_ret);

/* (void) says that there are no parameters, () says nothing but in C++. */
static enum tl_status function_type(struct tl_evaluation *evaluation, const struct tl_node *node,
				    const struct tl_type *result, const struct tl_type **type_ret)
{
	const struct tl_type *parameters[TL_MADE_PARAMETERS_MAX];
	enum tl_made_parameters how = node->is_absolute ? TL_MADE_VARIADIC : TL_MADE_PROTOTYPE;
	tl_size count = 0;

	for (tl_node_index at = node->second; at != TL_NO_NODE; at = tl_evaluation_at(evaluation, at)->next) {
		if (count == TL_MADE_PARAMETERS_MAX)
			return TL_FAIL(evaluation->error, TL_ERROR_TOO_LONG,
				       "A function type has at most %d parameters here.", TL_MADE_PARAMETERS_MAX);
		TL_TRY(type_of(evaluation, at, &parameters[count++]));
	}
	if (count == 0 && !node->is_absolute && !evaluation->values.is_cplus)
		how = TL_MADE_UNKNOWN;
	if (count == 1 && parameters[0]->kind == TL_TYPE_VOID)
		count = 0;
	return tl_type_make_function(result, parameters, count, how, type_ret, evaluation->error);
}

static enum tl_status type_unqualified(struct tl_evaluation *evaluation, const struct tl_node *node,
				       const struct tl_type **type_ret)
{
	const struct tl_type *inner = NULL;

	if (node->kind == TL_NODE_TYPE_NAME)
		return named_type(evaluation, node, type_ret);
	if (node->kind == TL_NODE_TYPE_OF)
		return tl_evaluation_type(evaluation, node->first, type_ret);
	TL_TRY(type_of(evaluation, node->first, &inner));
	if (node->kind == TL_NODE_FUNCTION)
		return function_type(evaluation, node, inner, type_ret);
	if (node->kind == TL_NODE_REFERENCE || node->kind == TL_NODE_MOVE_REFERENCE)
		return tl_type_make_reference(
			inner, node->kind == TL_NODE_REFERENCE ? TL_TYPE_REFERENCE : TL_TYPE_RVALUE_REFERENCE,
			evaluation->values.address_size, type_ret, evaluation->error);
	if (node->kind == TL_NODE_POINTER)
		return tl_type_make_pointer(inner, evaluation->values.address_size, type_ret, evaluation->error);
	if (!node->is_absolute)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "An array's type needs the number of its elements: int[4]");
	return tl_type_make_array(inner, node->integer, type_ret, evaluation->error);
}

static enum tl_status type_of(struct tl_evaluation *evaluation, tl_node_index index, const struct tl_type **type_ret)
{
	const struct tl_node *node = tl_evaluation_at(evaluation, index);

	TL_TRY(type_unqualified(evaluation, node, type_ret));
	if (node->is_const)
		TL_TRY(tl_type_make_qualified(*type_ret, TL_TYPE_CONST, type_ret, evaluation->error));
	if (node->is_volatile)
		TL_TRY(tl_type_make_qualified(*type_ret, TL_TYPE_VOLATILE, type_ret, evaluation->error));
	return TL_OK;
}

static enum tl_status read_zeros(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	(void)context, (void)address, (void)error;
	memset(buffer, 0, size);
	return TL_OK;
}

enum tl_status tl_evaluation_type(struct tl_evaluation *evaluation, tl_node_index index,
				  const struct tl_type **type_ret)
{
	struct tl_evaluation quiet = *evaluation;
	struct tl_value value;

	if (tl_node_is_type(tl_evaluation_at(evaluation, index)))
		return type_of(evaluation, index, type_ret);
	quiet.quiet = true;
	quiet.values.read = read_zeros;
	TL_TRY(tl_evaluation_value(&quiet, index, &value));
	*type_ret = value.type;
	return TL_OK;
}

/* ---- Leaves ---- */

/* The first type that holds the number: of int, long and long long, from what its suffix asks for on (C17, 6.4.4.1). */
static enum tl_status integer(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	static const char *const names[][2] = {
		{"int", "unsigned int"}, {"long", "unsigned long"}, {"long long", "unsigned long long"}};
	const struct tl_type *type;

	for (unsigned rank = node->rank; rank <= TL_RANK_LONG_LONG; rank++) {
		tl_u64 size = rank == TL_RANK_INT ? 4 : rank == TL_RANK_LONG ? evaluation->values.address_size : 8;
		tl_u64 most = size == 8 ? TL_U64_MAX : ((tl_u64)1 << size * 8) - 1;
		/* Decimal numbers take an unsigned type only where no signed one is left. */
		bool may_be_signed = !node->is_unsigned && node->integer <= most / 2;
		bool may_be_unsigned = node->is_unsigned || !node->is_decimal || size == 8;

		if (!may_be_signed && (!may_be_unsigned || node->integer > most))
			continue;
		TL_TRY(find_basic(evaluation, names[rank][may_be_signed ? 0 : 1], &type));
		return tl_value_make_integer(&evaluation->values, type, (tl_i128)(tl_u128)node->integer, value_ret,
					     evaluation->error);
	}
	return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "%llu is too large a number.",
		       (unsigned long long)node->integer);
}

/* The type of a character that is so wide; C names them by typedefs. */
static enum tl_status character_type(struct tl_evaluation *evaluation, tl_u8 width, const struct tl_type **type_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const char *name = width == 1 ? "char" : width == 2 ? "char16_t" : "wchar_t";

	*type_ret = NULL;
	if (width > 1 && environment->find_type != NULL)
		TL_TRY(environment->find_type(environment->context, name, TL_TAG_NONE, type_ret, evaluation->error));
	if (*type_ret != NULL)
		return TL_OK;
	return tl_type_make_base(evaluation->values.types, name,
				 width == 1   ? DW_ATE_signed_char
				 : width == 2 ? DW_ATE_UTF
					      : DW_ATE_signed,
				 width, type_ret, evaluation->error);
}

/* Writes characters of two or four bytes, those beyond 16 bits as surrogates; returns how many. */
static tl_size widen(const struct tl_node *node, tl_u8 *to)
{
	const tl_u8 *at = (const tl_u8 *)node->text.bytes, *end = at + node->text.size;
	tl_size count = 0;

	while (at < end) {
		tl_u32 point, units[2];
		tl_size length = tl_utf8_read(at, (tl_size)(end - at), &point), unit_count = 1;

		/* A byte that begins no character stands for itself. */
		units[0] = length != 0 ? point : *at;
		at += length != 0 ? length : 1;
		if (node->width == 2 && units[0] > 0xffff) {
			units[0] = 0xd800 + ((point - 0x10000) >> 10);
			units[1] = 0xdc00 + ((point - 0x10000) & 0x3ff);
			unit_count = 2;
		}
		for (tl_size unit = 0; unit < unit_count; unit++, count++)
			for (tl_size i = 0; i < node->width; i++)
				to[count * node->width + i] = (tl_u8)(units[unit] >> i * 8);
	}
	return count;
}

static enum tl_status string(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	const struct tl_type *type;
	tl_size count = node->text.size;
	tl_u8 *bytes = tl_arena_allocate(evaluation->values.arena, (count + 1) * node->width);

	if (bytes == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for a string.");
	if (node->width == 1)
		memcpy(bytes, node->text.bytes, count);
	else
		count = widen(node, bytes);
	TL_TRY(character_type(evaluation, node->width, &type));
	TL_TRY(tl_type_make_array(type, count + 1, &type, evaluation->error));
	*value_ret = (struct tl_value){.type = type, .bytes = bytes, .size = (count + 1) * node->width};
	return TL_OK;
}

/* true, false and nullptr. */
static enum tl_status constant(struct tl_evaluation *evaluation, const char *text, struct tl_value *value_ret,
			       bool *found_ret)
{
	const struct tl_type *type;

	*found_ret = true;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		TL_TRY(find_basic(evaluation, "bool", &type));
		return tl_value_make_integer(&evaluation->values, type, text[0] == 't', value_ret, evaluation->error);
	}
	*found_ret = strcmp(text, "nullptr") == 0;
	if (!*found_ret)
		return TL_OK;
	TL_TRY(tl_type_make_pointer(tl_type_void(evaluation->values.types), evaluation->values.address_size, &type,
				    evaluation->error));
	return tl_value_make_integer(&evaluation->values, type, 0, value_ret, evaluation->error);
}

static enum tl_status name(struct tl_evaluation *evaluation, const char *file, const char *text,
			   struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	bool found = false;

	if (environment->find_name != NULL)
		TL_TRY(environment->find_name(environment->context, file, text, value_ret, &found, evaluation->error));
	if (!found && file == NULL && evaluation->values.is_cplus)
		TL_TRY(constant(evaluation, text, value_ret, &found));
	if (!found && file != NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "No symbol \"%s\" in file \"%s\".", text, file);
	if (!found)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "No symbol \"%s\" in current context.", text);
	return TL_OK;
}

enum tl_status tl_evaluation_is_unknown(struct tl_evaluation *evaluation, const struct tl_type *type, bool *unknown_ret)
{
	const struct tl_type *stripped;

	TL_TRY(tl_type_strip(type, &stripped, evaluation->error));
	*unknown_ret = stripped->kind == TL_TYPE_UNSPECIFIED && stripped->entry.tag == 0;
	return TL_OK;
}

/* The value of an operand whose type need not be known: of &, of a cast. */
static enum tl_status evaluate_any(struct tl_evaluation *evaluation, tl_node_index index, struct tl_value *value_ret)
{
	const struct tl_node *node = tl_evaluation_at(evaluation, index);

	if (node->kind == TL_NODE_NAME)
		return name(evaluation, NULL, node->text.bytes, value_ret);
	if (node->kind == TL_NODE_IN_FILE)
		return name(evaluation, node->text.bytes, tl_evaluation_at(evaluation, node->first)->text.bytes,
			    value_ret);
	return tl_evaluation_value(evaluation, index, value_ret);
}

static enum tl_status known_name(struct tl_evaluation *evaluation, const char *file, const char *text,
				 struct tl_value *value_ret)
{
	bool unknown = false;

	TL_TRY(name(evaluation, file, text, value_ret));
	TL_TRY(tl_evaluation_is_unknown(evaluation, value_ret->type, &unknown));
	if (unknown)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "'%s' has unknown type; cast it to its declared type", text);
	/* Of a variable without a value its type is known all the same. */
	if (evaluation->quiet)
		value_ret->absent = NULL;
	return TL_OK;
}

static enum tl_status variable(struct tl_evaluation *evaluation, const char *text, struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;

	if (environment->find_variable == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_UNSUPPORTED, "There are no registers or variables here: $%s",
			       text);
	return environment->find_variable(environment->context, text, value_ret, evaluation->error);
}

static enum tl_status history(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;

	if (environment->find_history == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_UNSUPPORTED, "There is no value history here.");
	return environment->find_history(environment->context, node->is_absolute, node->integer, value_ret,
					 evaluation->error);
}

/* ---- Operators ---- */

static enum tl_status truth(struct tl_evaluation *evaluation, tl_node_index index, bool *truth_ret)
{
	struct tl_value value;
	bool done = false;

	TL_TRY(tl_evaluation_value(evaluation, index, &value));
	if (evaluation->values.is_cplus) {
		TL_TRY(tl_container_truth(&evaluation->environment->values, &value, truth_ret, &done,
					  evaluation->error));
		if (done)
			return TL_OK;
	}
	return tl_value_truth(&evaluation->values, &value, truth_ret, evaluation->error);
}

/* && and ||: the right side counts only where the left one leaves the question open. */
static enum tl_status logical(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	const struct tl_type *type;
	bool result;

	TL_TRY(truth(evaluation, node->first, &result));
	if (result == (node->operation == TL_LOGICAL_AND))
		TL_TRY(truth(evaluation, node->second, &result));
	TL_TRY(tl_value_truth_type(&evaluation->values, &type, evaluation->error));
	return tl_value_make_integer(&evaluation->values, type, result, value_ret, evaluation->error);
}

/* x@entry: what a parameter was when its function was entered. */
static enum tl_status at_entry(struct tl_evaluation *evaluation, const struct tl_node *parameter,
			       struct tl_value *value_ret)
{
	char text[256];

	if (parameter->text.size + sizeof("@entry") > sizeof(text))
		return TL_FAIL(evaluation->error, TL_ERROR_TOO_LONG, "The name in front of @entry is too long.");
	memcpy(text, parameter->text.bytes, parameter->text.size);
	memcpy(text + parameter->text.size, "@entry", sizeof("@entry"));
	return name(evaluation, NULL, text, value_ret);
}

static bool is_entry(const struct tl_evaluation *evaluation, const struct tl_node *node)
{
	const struct tl_node *right = tl_evaluation_at(evaluation, node->second);

	return node->operation == TL_AT && right->kind == TL_NODE_NAME && strcmp(right->text.bytes, "entry") == 0 &&
	       tl_evaluation_at(evaluation, node->first)->kind == TL_NODE_NAME;
}

/* What stands there by a pointer to a member; a function only to be called. */
static enum tl_status pointed_member(struct tl_evaluation *evaluation, const struct tl_node *node,
				     struct tl_value *value_ret)
{
	struct tl_value object;
	bool is_function = false;

	return tl_evaluation_pointed_member(evaluation, node, value_ret, &object, &is_function);
}

/* An operator between two values: the program's own for classes, else C's. */
static enum tl_status operate(struct tl_evaluation *evaluation, enum tl_punctuator operation,
			      const struct tl_value *left, const struct tl_value *right, struct tl_value *value_ret)
{
	const struct tl_value operands[] = {*left, *right};
	bool done = false;

	if (evaluation->values.is_cplus)
		TL_TRY(tl_evaluation_operator(evaluation, tl_punctuator_text(operation), operands, 2, value_ret,
					      &done));
	return done ? TL_OK
		    : tl_value_binary(&evaluation->values, operation, left, right, value_ret, evaluation->error);
}

static enum tl_status binary(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_value left, right;
	tl_i128 number;

	if (is_entry(evaluation, node))
		return at_entry(evaluation, tl_evaluation_at(evaluation, node->first), value_ret);

	if (node->operation == TL_LOGICAL_AND || node->operation == TL_LOGICAL_OR)
		return logical(evaluation, node, value_ret);
	if (node->operation == TL_DOT || node->operation == TL_ARROW)
		return pointed_member(evaluation, node, value_ret);
	TL_TRY(tl_evaluation_value(evaluation, node->first, &left));
	if (node->operation == TL_COMMA)
		return tl_evaluation_value(evaluation, node->second, value_ret);
	TL_TRY(tl_evaluation_value(evaluation, node->second, &right));
	if (node->operation != TL_AT)
		return operate(evaluation, (enum tl_punctuator)node->operation, &left, &right, value_ret);
	TL_TRY(tl_value_integer(&evaluation->values, &right, &number, evaluation->error));
	if (evaluation->quiet && number <= 0)
		number = 1;
	if (number > INT32_MAX)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "Too many repetitions behind '@'.");
	return tl_value_repeat(&evaluation->values, &left, (tl_i64)number, value_ret, evaluation->error);
}

static enum tl_status conditional(struct tl_evaluation *evaluation, const struct tl_node *node,
				  struct tl_value *value_ret)
{
	bool yes;

	TL_TRY(truth(evaluation, node->first, &yes));
	return tl_evaluation_value(evaluation, yes ? node->second : node->third, value_ret);
}

/* Stores a value where a node says: in a variable of the debugger, or where its value came from. */
static enum tl_status store(struct tl_evaluation *evaluation, tl_node_index place, const struct tl_value *left,
			    const struct tl_value *right, struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_node *node = tl_evaluation_at(evaluation, place);

	if (evaluation->quiet) {
		*value_ret = node->kind == TL_NODE_VARIABLE && left->place == TL_VALUE_NOWHERE ? *right : *left;
		return TL_OK;
	}
	if (node->kind != TL_NODE_VARIABLE || left->place != TL_VALUE_NOWHERE)
		return tl_value_assign(&evaluation->values, left, right, value_ret, evaluation->error);
	if (environment->set_variable == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_UNSUPPORTED,
			       "Variables of the debugger cannot be set here.");
	TL_TRY(environment->set_variable(environment->context, node->text.bytes, right, evaluation->error));
	*value_ret = *right;
	return TL_OK;
}

/* An assignment to an object by its class's own operator, =, += and their like. */
static enum tl_status assign_object(struct tl_evaluation *evaluation, const struct tl_node *node,
				    const struct tl_value *left, const struct tl_value *right,
				    struct tl_value *value_ret, bool *done_ret)
{
	const struct tl_value operands[] = {*left, *right};
	const char *spelling = tl_punctuator_text((enum tl_punctuator)node->operation);
	char symbol[8] = "";
	const struct tl_type *class;
	bool is_class = false;

	TL_TRY(tl_evaluation_class(evaluation, left, &class, &is_class));
	if (!is_class)
		return TL_OK;
	snprintf(symbol, sizeof(symbol), "%s%s", spelling, node->operation != TL_ASSIGN ? "=" : "");
	return tl_evaluation_operator(evaluation, symbol, operands, 2, value_ret, done_ret);
}

static enum tl_status assign(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_value left, right;
	bool done = false;

	TL_TRY(tl_evaluation_value(evaluation, node->first, &left));
	TL_TRY(tl_evaluation_value(evaluation, node->second, &right));
	if (evaluation->values.is_cplus) {
		TL_TRY(assign_object(evaluation, node, &left, &right, value_ret, &done));
		if (done)
			return TL_OK;
	}
	if (node->operation != TL_ASSIGN)
		TL_TRY(tl_value_binary(&evaluation->values, (enum tl_punctuator)node->operation, &left, &right, &right,
				       evaluation->error));
	return store(evaluation, node->first, &left, &right, value_ret);
}

/* Of an object by its class's own operator, which has an int to tell that it stands behind. */
static enum tl_status increment_object(struct tl_evaluation *evaluation, const struct tl_node *node,
				       const struct tl_value *object, struct tl_value *value_ret, bool *done_ret)
{
	struct tl_value operands[2] = {*object};
	const struct tl_type *type;

	TL_TRY(find_basic(evaluation, "int", &type));
	TL_TRY(tl_value_make_integer(&evaluation->values, type, 0, &operands[1], evaluation->error));
	return tl_evaluation_operator(evaluation, tl_punctuator_text((enum tl_punctuator)node->operation), operands,
				      node->kind == TL_NODE_POSTFIX ? 2 : 1, value_ret, done_ret);
}

/* ++ and --, before the operand or behind it. */
static enum tl_status increment(struct tl_evaluation *evaluation, const struct tl_node *node,
				struct tl_value *value_ret)
{
	enum tl_punctuator operation = node->operation == TL_INCREMENT ? TL_PLUS : TL_MINUS;
	struct tl_value old, one, changed;
	const struct tl_type *type;
	bool done = false;

	TL_TRY(tl_evaluation_value(evaluation, node->first, &old));
	if (evaluation->values.is_cplus) {
		TL_TRY(increment_object(evaluation, node, &old, value_ret, &done));
		if (done)
			return TL_OK;
	}
	/* What it was is needed when it has changed. */
	TL_TRY(tl_value_load(&evaluation->values, &old, evaluation->error));
	TL_TRY(find_basic(evaluation, "int", &type));
	TL_TRY(tl_value_make_integer(&evaluation->values, type, 1, &one, evaluation->error));
	TL_TRY(tl_value_binary(&evaluation->values, operation, &old, &one, &changed, evaluation->error));
	TL_TRY(store(evaluation, node->first, &old, &changed, value_ret));
	if (node->kind == TL_NODE_POSTFIX) {
		*value_ret = old;
		value_ret->place = TL_VALUE_NOWHERE;
	}
	return TL_OK;
}

/*
 * The type of a pointer to what stands in no memory, of the first element of an array in none, or of what a void
 * pointer points to: it can be told, if not had.
 */
static enum tl_status type_alone(struct tl_evaluation *evaluation, const struct tl_node *node,
				 const struct tl_value *operand, struct tl_value *value_ret, bool *told_ret)
{
	const struct tl_value_context *values = &evaluation->values;
	const struct tl_type *type;

	*told_ret = false;
	TL_TRY(tl_type_strip(operand->type, &type, evaluation->error));
	if (node->operation == TL_AMPERSAND && operand->place != TL_VALUE_IN_MEMORY && operand->bit_size == 0 &&
	    type->kind != TL_TYPE_REFERENCE && type->kind != TL_TYPE_RVALUE_REFERENCE) {
		*told_ret = true;
		TL_TRY(tl_type_make_pointer(operand->type, values->address_size, &type, evaluation->error));
		return tl_value_make_integer(values, type, 0, value_ret, evaluation->error);
	}
	if (node->operation == TL_STAR && type->kind == TL_TYPE_ARRAY && !type->vector &&
	    operand->place != TL_VALUE_IN_MEMORY) {
		*told_ret = true;
		TL_TRY(tl_type_target(type, &type, evaluation->error));
		return tl_value_at(values, type, 0, value_ret, evaluation->error);
	}
	if (node->operation != TL_STAR || type->kind != TL_TYPE_POINTER)
		return TL_OK;
	TL_TRY(tl_type_target(type, &value_ret->type, evaluation->error));
	TL_TRY(tl_type_strip(value_ret->type, &type, evaluation->error));
	*told_ret = type->kind == TL_TYPE_VOID;
	if (*told_ret)
		*value_ret = (struct tl_value){.type = value_ret->type};
	return TL_OK;
}

static enum tl_status address_of(struct tl_evaluation *evaluation, const struct tl_node *node,
				 struct tl_value *value_ret)
{
	const struct tl_node *operand = tl_evaluation_at(evaluation, node->first);
	struct tl_value value;
	bool done = false;

	if (operand->kind == TL_NODE_NAME)
		TL_TRY(tl_evaluation_member_pointer(evaluation, operand->text.bytes, value_ret, &done));
	if (done)
		return TL_OK;
	TL_TRY(evaluate_any(evaluation, node->first, &value));
	if (evaluation->quiet)
		TL_TRY(type_alone(evaluation, node, &value, value_ret, &done));
	return done ? TL_OK : tl_value_address(&evaluation->values, &value, value_ret, evaluation->error);
}

static enum tl_status unary(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_value value;
	bool done = false;

	if (node->operation == TL_INCREMENT || node->operation == TL_DECREMENT)
		return increment(evaluation, node, value_ret);
	if (node->operation == TL_AMPERSAND)
		return address_of(evaluation, node, value_ret);
	TL_TRY(tl_evaluation_value(evaluation, node->first, &value));
	if (evaluation->values.is_cplus)
		TL_TRY(tl_evaluation_operator(evaluation, tl_punctuator_text((enum tl_punctuator)node->operation),
					      &value, 1, value_ret, &done));
	if (!done && evaluation->quiet)
		TL_TRY(type_alone(evaluation, node, &value, value_ret, &done));
	if (done)
		return TL_OK;
	if (node->operation == TL_STAR)
		return tl_value_follow(&evaluation->values, &value, value_ret, evaluation->error);
	return tl_value_unary(&evaluation->values, (enum tl_punctuator)node->operation, &value, value_ret,
			      evaluation->error);
}

static enum tl_status element(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_value array, index;
	bool done = false;
	tl_i128 number;

	TL_TRY(tl_evaluation_value(evaluation, node->first, &array));
	TL_TRY(tl_evaluation_value(evaluation, node->second, &index));
	if (evaluation->values.is_cplus) {
		const struct tl_value operands[] = {array, index};

		TL_TRY(tl_evaluation_operator(evaluation, "[]", operands, 2, value_ret, &done));
		if (done)
			return TL_OK;
	}
	TL_TRY(tl_value_integer(&evaluation->values, &index, &number, evaluation->error));
	if (number < INT64_MIN || number > INT64_MAX)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "The index does not fit in 64 bits.");
	return tl_value_element(&evaluation->values, &array, (tl_i64)number, value_ret, evaluation->error);
}

/* A reference is what stands there, seen as another type. */
static enum tl_status cast_to_reference(struct tl_evaluation *evaluation, const struct tl_node *node,
					const struct tl_value *value, struct tl_value *value_ret)
{
	const struct tl_node *type_node = tl_evaluation_at(evaluation, node->second);
	const struct tl_type *type, *target;
	struct tl_value pointer;

	TL_TRY(type_of(evaluation, node->second, &type));
	TL_TRY(type_of(evaluation, type_node->first, &target));
	if (node->kind == TL_NODE_DYNAMIC && evaluation->values.is_cplus && !evaluation->quiet)
		return tl_evaluation_cast(evaluation, TL_NODE_DYNAMIC, value, type, value_ret);
	TL_TRY(tl_value_address(&evaluation->values, value, &pointer, evaluation->error));
	TL_TRY(tl_type_make_pointer(target, evaluation->values.address_size, &target, evaluation->error));
	TL_TRY(tl_evaluation_cast(evaluation, (enum tl_node_kind)node->kind, &pointer, target, &pointer));
	pointer.type = type;
	*value_ret = pointer;
	return TL_OK;
}

static enum tl_status cast(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	const struct tl_node *type_node = tl_evaluation_at(evaluation, node->second),
			     *operand = tl_evaluation_at(evaluation, node->first);
	const struct tl_type *type;
	struct tl_value value;
	bool unknown = false;

	if (type_node->kind == TL_NODE_REFERENCE || type_node->kind == TL_NODE_MOVE_REFERENCE) {
		TL_TRY(tl_evaluation_value(evaluation, node->first, &value));
		return cast_to_reference(evaluation, node, &value, value_ret);
	}
	TL_TRY(type_of(evaluation, node->second, &type));
	/* The type in front of a call also says what a function returns of which nothing is known. */
	if (operand->kind == TL_NODE_CALL)
		TL_TRY(tl_evaluation_call(evaluation, operand, type, &value));
	else
		TL_TRY(evaluate_any(evaluation, node->first, &value));
	TL_TRY(tl_evaluation_is_unknown(evaluation, value.type, &unknown));
	if (unknown)
		return tl_value_at(&evaluation->values, type, value.address, value_ret, evaluation->error);
	return tl_evaluation_cast(evaluation, (enum tl_node_kind)node->kind, &value, type, value_ret);
}

/* { type } address */
static enum tl_status at_address(struct tl_evaluation *evaluation, const struct tl_node *node,
				 struct tl_value *value_ret)
{
	const struct tl_type *type;
	struct tl_value address;
	tl_i128 number;

	TL_TRY(type_of(evaluation, node->second, &type));
	TL_TRY(tl_evaluation_value(evaluation, node->first, &address));
	TL_TRY(tl_value_integer(&evaluation->values, &address, &number, evaluation->error));
	return tl_value_at(&evaluation->values, type, (tl_u64)number, value_ret, evaluation->error);
}

/* sizeof and alignof are unsigned long; of a reference, of what it refers to. */
static enum tl_status size(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	const struct tl_type *type, *stripped, *result;
	tl_u64 bytes;
	bool known = true;

	TL_TRY(tl_evaluation_type(evaluation, node->first, &type));
	TL_TRY(tl_type_strip(type, &stripped, evaluation->error));
	if (stripped->kind == TL_TYPE_REFERENCE || stripped->kind == TL_TYPE_RVALUE_REFERENCE) {
		TL_TRY(tl_type_target(stripped, &type, evaluation->error));
		TL_TRY(tl_type_strip(type, &stripped, evaluation->error));
	}
	if (node->kind == TL_NODE_ALIGNOF)
		TL_TRY(tl_type_alignment(type, &bytes, evaluation->error));
	else
		TL_TRY(tl_type_size(type, &bytes, &known, evaluation->error));
	/* void and functions have size 1, as gcc has it. */
	if (stripped->kind == TL_TYPE_VOID || stripped->kind == TL_TYPE_FUNCTION)
		bytes = 1, known = true;
	/* An array without an end has no bytes of its own. */
	if (!known && stripped->kind == TL_TYPE_ARRAY)
		bytes = 0, known = true;
	if (!known)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "The size of that type is not known.");
	TL_TRY(find_basic(evaluation, "unsigned long", &result));
	return tl_value_make_integer(&evaluation->values, result, (tl_i128)bytes, value_ret, evaluation->error);
}

static enum tl_status leaf(struct tl_evaluation *evaluation, const struct tl_node *node, struct tl_value *value_ret)
{
	static const char *const reals[] = {
		[TL_RANK_FLOAT] = "float", [TL_RANK_DOUBLE] = "double", [TL_RANK_LONG_DOUBLE] = "long double"};
	const struct tl_type *type;

	switch (node->kind) {
	case TL_NODE_INTEGER:
		return integer(evaluation, node, value_ret);
	case TL_NODE_REAL:
		TL_TRY(find_basic(evaluation, reals[node->rank], &type));
		return tl_value_make_real(&evaluation->values, type, node->real, value_ret, evaluation->error);
	case TL_NODE_CHARACTER:
		TL_TRY(character_type(evaluation, node->width, &type));
		return tl_value_make_integer(&evaluation->values, type, (tl_i128)node->integer, value_ret,
					     evaluation->error);
	case TL_NODE_STRING:
		return string(evaluation, node, value_ret);
	case TL_NODE_NAME:
		return known_name(evaluation, NULL, node->text.bytes, value_ret);
	case TL_NODE_IN_FILE:
		return known_name(evaluation, node->text.bytes, tl_evaluation_at(evaluation, node->first)->text.bytes,
				  value_ret);
	case TL_NODE_VARIABLE:
		return variable(evaluation, node->text.bytes, value_ret);
	default:
		return history(evaluation, node, value_ret);
	}
}

enum tl_status tl_evaluation_value(struct tl_evaluation *evaluation, tl_node_index index, struct tl_value *value_ret)
{
	static enum tl_status (*const operators[TL_NODE_KIND_MAX])(
		struct tl_evaluation * evaluation, const struct tl_node *node, struct tl_value *value_ret) = {
		[TL_NODE_UNARY] = unary,
		[TL_NODE_POSTFIX] = increment,
		[TL_NODE_BINARY] = binary,
		[TL_NODE_ASSIGN] = assign,
		[TL_NODE_CONDITIONAL] = conditional,
		[TL_NODE_INDEX] = element,
		[TL_NODE_MEMBER] = tl_evaluation_member,
		[TL_NODE_ARROW] = tl_evaluation_member,
		[TL_NODE_CAST] = cast,
		[TL_NODE_REINTERPRET] = cast,
		[TL_NODE_DYNAMIC] = cast,
		[TL_NODE_AT_ADDRESS] = at_address,
		[TL_NODE_SIZEOF] = size,
		[TL_NODE_ALIGNOF] = size,
		[TL_NODE_TYPEID] = tl_evaluation_typeid,
	};
	const struct tl_node *node = tl_evaluation_at(evaluation, index);

	if (tl_node_is_type(node))
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "A type stands where a value should (column %u).",
			       node->at + 1);
	if (node->kind == TL_NODE_CALL)
		return tl_evaluation_call(evaluation, node, NULL, value_ret);
	return operators[node->kind] != NULL ? operators[node->kind](evaluation, node, value_ret)
					     : leaf(evaluation, node, value_ret);
}

enum tl_status tl_evaluate_part(const struct tl_environment *environment, const struct tl_expression *expression,
				tl_node_index part, struct tl_value *value_ret, struct tl_error *error)
{
	struct tl_evaluation evaluation = {environment, expression, environment->values, false, error};

	return tl_evaluation_value(&evaluation, part, value_ret);
}

enum tl_status tl_evaluate_part_type(const struct tl_environment *environment, const struct tl_expression *expression,
				     tl_node_index part, const struct tl_type **type_ret, struct tl_error *error)
{
	struct tl_evaluation evaluation = {environment, expression, environment->values, false, error};

	return tl_evaluation_type(&evaluation, part, type_ret);
}

enum tl_status tl_evaluate(const struct tl_environment *environment, const struct tl_expression *expression,
			   struct tl_value *value_ret, struct tl_error *error)
{
	return tl_evaluate_part(environment, expression, tl_expression_top(expression), value_ret, error);
}

enum tl_status tl_evaluate_type(const struct tl_environment *environment, const struct tl_expression *expression,
				const struct tl_type **type_ret, struct tl_error *error)
{
	return tl_evaluate_part_type(environment, expression, tl_expression_top(expression), type_ret, error);
}

/* Calls: of functions, of which C++ may have several of a name, of members, and of operators that are functions. */
#include "debugger/expressions/evaluate_internal.h"
#include "debugger/expressions/internal_functions.h"
#include "debugger/expressions/overloads.h"
#include "debugger/expressions/standard_functions.h"
#include "debugger/values/classes.h"
#include "debugger/values/containers_access.h"

#include <string.h>

#define METHODS_MAX 128
#define LEVELS_MAX 64
/* An arrow may lead to what has an arrow again. */
#define NAME_MAX_SIZE 1024

/* ---- Calling what was chosen ---- */

/* What an assembler says that a function returns: a type of which nothing is known, and without a name. */
static bool is_assemblers(const struct tl_type *type)
{
	return type->kind == TL_TYPE_UNSPECIFIED && (type->name == NULL || type->name[0] == '\0');
}

/* What a function or a pointer to one returns; NULL where that is not known. */
static enum tl_status result_of(struct tl_evaluation *evaluation, const struct tl_value *function,
				const struct tl_type **type_ret, const struct tl_type **function_ret)
{
	const struct tl_type *stripped;
	bool unknown = false;

	*type_ret = NULL;
	*function_ret = NULL;
	TL_TRY(tl_type_strip(function->type, &stripped, evaluation->error));
	if (stripped->kind == TL_TYPE_POINTER || stripped->kind == TL_TYPE_REFERENCE ||
	    stripped->kind == TL_TYPE_RVALUE_REFERENCE) {
		TL_TRY(tl_type_target(stripped, &stripped, evaluation->error));
		TL_TRY(tl_type_strip(stripped, &stripped, evaluation->error));
	}
	if (stripped->kind != TL_TYPE_FUNCTION)
		return TL_OK;
	*function_ret = stripped;
	TL_TRY(tl_type_target(stripped, type_ret, evaluation->error));
	TL_TRY(tl_evaluation_is_unknown(evaluation, *type_ret, &unknown));
	if (unknown || is_assemblers(*type_ret))
		*type_ret = NULL;
	return TL_OK;
}

/* Arguments that are classes become the bases that the parameters ask for. */
static enum tl_status to_bases(struct tl_evaluation *evaluation, const struct tl_type *function,
			       struct tl_value *arguments, tl_size count)
{
	const struct tl_member *parameters;
	tl_size parameter_count;

	TL_TRY(tl_type_members(function, &parameters, &parameter_count, evaluation->error));
	for (tl_size i = 0; i < count && i < parameter_count && parameters[i].kind == TL_MEMBER_PARAMETER; i++) {
		const struct tl_type *type, *stripped;
		bool done;

		TL_TRY(tl_member_type(function, &parameters[i], &type, evaluation->error));
		TL_TRY(tl_type_strip(type, &stripped, evaluation->error));
		/* What a reference refers to may be a copy on the stack: it is the object that is cast. */
		if (stripped->kind == TL_TYPE_REFERENCE || stripped->kind == TL_TYPE_RVALUE_REFERENCE)
			TL_TRY(tl_type_target(stripped, &type, evaluation->error));
		TL_TRY(tl_class_cast(&evaluation->values, &arguments[i], type, &arguments[i], &done,
				     evaluation->error));
	}
	return TL_OK;
}

/* What is no function may be the address of one, of which nothing is known: it returns an int, as in C of old. */
static enum tl_status returned_by_number(struct tl_evaluation *evaluation, const struct tl_value *function,
					 const struct tl_type **type_ret)
{
	const struct tl_type *type;
	enum tl_arithmetic kind;
	bool is_signed;

	TL_TRY(tl_type_strip(function->type, &type, evaluation->error));
	kind = tl_type_arithmetic(type, &is_signed);
	if (kind != TL_ARITHMETIC_INTEGER && kind != TL_ARITHMETIC_POINTER)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "Invalid data type for function to be called.");
	return tl_value_integer_type(&evaluation->values, 4, true, type_ret, evaluation->error);
}

static enum tl_status call_value(struct tl_evaluation *evaluation, const char *name, const struct tl_value *function,
				 struct tl_value *arguments, tl_size count, const struct tl_type *result,
				 struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type *returned, *type;

	TL_TRY(result_of(evaluation, function, &returned, &type));
	returned = returned != NULL ? returned : result;
	if (type == NULL && returned == NULL)
		TL_TRY(returned_by_number(evaluation, function, &returned));
	if (returned == NULL && type != NULL && name != NULL)
		TL_TRY(tl_standard_result(&evaluation->values, name, &returned, evaluation->error));
	if (returned == NULL && (evaluation->quiet || type != NULL))
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "'%s' has unknown return type; cast the call to its declared return type", name);
	if (evaluation->quiet)
		return tl_value_at(&evaluation->values, returned, 0, value_ret, evaluation->error);
	if (environment->call == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_UNSUPPORTED, "Functions cannot be called here.");
	if (type != NULL && type->has_scopes)
		TL_TRY(to_bases(evaluation, type, arguments, count));
	return environment->call(environment->context, function, arguments, count, returned, value_ret,
				 evaluation->error);
}

/* ---- Member functions ---- */

struct method {
	const struct tl_type *class;
	const struct tl_member *member;
	const struct tl_type *function;
	bool has_object;
	struct tl_value object; /* the part of it that is of the class */
};

struct methods {
	struct tl_evaluation *evaluation;
	const char *name;
	bool has_object;
	struct method *items;
	tl_size count;
	unsigned looked_at;
};

/* "as<double>" is "as<double>" however its spaces stand, and what "as" may mean. */
static bool is_called(const char *own, const char *name)
{
	const bool any = strchr(name, '<') == NULL && strncmp(name, "operator", 8) != 0;

	while (*own != '\0' && *name != '\0') {
		if (*own == ' ' && *name != ' ')
			own++;
		else if (*name == ' ' && *own != ' ')
			name++;
		else if (*own++ != *name++)
			return false;
	}
	return *name == '\0' && (*own == '\0' || (any && *own == '<'));
}

static enum tl_status add_method(struct methods *methods, const struct tl_type *class, const struct tl_member *member,
				 const struct tl_value *object)
{
	struct method *method = &methods->items[methods->count];
	const struct tl_member *parameters;
	struct tl_error *error = methods->evaluation->error;
	const struct tl_type *type;
	tl_size count;

	if (methods->count == METHODS_MAX)
		return TL_OK;
	*method = (struct method){.class = class, .member = member, .object = *object};
	TL_TRY(tl_member_type(class, member, &type, error));
	TL_TRY(tl_type_strip(type, &method->function, error));
	if (method->function->kind != TL_TYPE_FUNCTION)
		return TL_OK;
	TL_TRY(tl_type_members(method->function, &parameters, &count, error));
	method->has_object = !member->is_static && count != 0 && parameters[0].artificial;
	methods->count++;
	return TL_OK;
}

/* Those of the class itself, or, if it has none, of its bases. */
static enum tl_status find_methods(struct methods *methods, const struct tl_type *class, const struct tl_value *object,
				   unsigned level)
{
	struct tl_evaluation *evaluation = methods->evaluation;
	const struct tl_member *members;
	const tl_size before = methods->count;
	const struct tl_type *base;
	struct tl_value part = *object;
	tl_size count;

	if (level > LEVELS_MAX || ++methods->looked_at > 4096)
		return TL_FAIL(evaluation->error, TL_ERROR_MALFORMED, "The bases of this class nest without end.");
	TL_TRY(tl_type_members(class, &members, &count, evaluation->error));
	for (tl_size i = 0; i < count; i++)
		if (members[i].kind == TL_MEMBER_FUNCTION && members[i].name != NULL &&
		    is_called(members[i].name, methods->name))
			TL_TRY(add_method(methods, class, &members[i], object));
	for (tl_size i = 0; i < count && methods->count == before; i++) {
		if (members[i].kind != TL_MEMBER_BASE)
			continue;
		TL_TRY(tl_member_type(class, &members[i], &base, evaluation->error));
		TL_TRY(tl_value_strip(&evaluation->values, base, &base, evaluation->error));
		if (methods->has_object && !(evaluation->quiet && members[i].moves))
			TL_TRY(tl_value_field(&evaluation->values, object, class, &members[i], &part,
					      evaluation->error));
		TL_TRY(find_methods(methods, base, &part, level + 1));
	}
	return TL_OK;
}

static enum tl_status open_methods(struct tl_evaluation *evaluation, const char *name, const struct tl_type *class,
				   const struct tl_value *object, struct methods *methods)
{
	static const struct tl_value nothing;

	*methods = (struct methods){.evaluation = evaluation, .name = name, .has_object = object != NULL};
	methods->items = tl_arena_allocate(evaluation->values.arena, METHODS_MAX * sizeof(*methods->items));
	if (methods->items == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for member functions.");
	return tl_class_is(class) ? find_methods(methods, class, object != NULL ? object : &nothing, 0) : TL_OK;
}

static enum tl_status choose_method(struct methods *methods, const struct tl_value *arguments, tl_size count,
				    struct tl_error *error, const struct method **method_ret)
{
	struct tl_evaluation *evaluation = methods->evaluation;
	struct tl_overload *overloads =
		tl_arena_allocate(evaluation->values.arena, (methods->count + 1) * sizeof(*overloads));
	char name[NAME_MAX_SIZE] = "";
	tl_size index = 0;

	if (overloads == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for member functions.");
	for (tl_size i = 0; i < methods->count; i++)
		overloads[i] = (struct tl_overload){methods->items[i].function, methods->items[i].has_object};
	if (methods->count != 0 && strlen(methods->name) < sizeof(name) / 2) {
		const char *class = tl_value_type_name(&evaluation->values, methods->items[0].class);

		if (strlen(class) < sizeof(name) / 2 - 2) {
			strcpy(name, class);
			strcat(name, "::");
		}
		strcat(name, methods->name);
	}
	TL_TRY(tl_overload_choose(&evaluation->values, name, overloads, methods->count,
				  methods->has_object ? methods->items[0].object.type : NULL, arguments, count, &index,
				  error));
	*method_ret = &methods->items[index];
	return TL_OK;
}

/* Where the function is: a virtual one where the object's table says, unless its class was named. */
static enum tl_status method_value(struct tl_evaluation *evaluation, const struct method *method, bool qualified,
				   struct tl_value *value_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	bool found = false;
	tl_u64 slot, address = 0;

	if (!evaluation->quiet && method->member->is_virtual && method->has_object && !qualified &&
	    method->object.place == TL_VALUE_IN_MEMORY) {
		TL_TRY(tl_class_slot(method->member, &slot, &found, evaluation->error));
		if (found) {
			TL_TRY(tl_class_virtual(&evaluation->values, &method->object, slot, &address,
						evaluation->error));
			return tl_value_at(&evaluation->values, method->function, address, value_ret,
					   evaluation->error);
		}
	}
	if (evaluation->quiet)
		return tl_value_at(&evaluation->values, method->function, 0, value_ret, evaluation->error);
	if (environment->find_method != NULL)
		TL_TRY(environment->find_method(environment->context, method->class, method->member, value_ret, &found,
						evaluation->error));
	if (!found)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "Cannot evaluate function -- may be inlined: the program has no %s::%s of its own.",
			       tl_value_type_name(&evaluation->values, method->class), method->member->name);
	return TL_OK;
}

static enum tl_status call_method(struct tl_evaluation *evaluation, const struct method *method, bool has_object,
				  bool qualified, struct tl_value *arguments, tl_size count, struct tl_value *value_ret)
{
	struct tl_value function, *all;

	if (method->has_object && !has_object)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "%s is a member function: say for which object, as in object.%s(...).",
			       method->member->name, method->member->name);
	TL_TRY(method_value(evaluation, method, qualified, &function));
	if (!method->has_object)
		return call_value(evaluation, method->member->name, &function, arguments, count, NULL, value_ret);
	all = tl_arena_allocate(evaluation->values.arena, (count + 1) * sizeof(*all));
	if (all == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for the arguments.");
	/* An object that stands nowhere is put on the stack (tl_abi_place_call). */
	all[0] = method->object;
	if (method->object.place == TL_VALUE_IN_MEMORY)
		TL_TRY(tl_value_address(&evaluation->values, &method->object, &all[0], evaluation->error));
	if (count != 0)
		memcpy(all + 1, arguments, count * sizeof(*all));
	return call_value(evaluation, method->member->name, &function, all, count + 1, NULL, value_ret);
}

/* ---- Which function is called ---- */

struct called {
	struct tl_evaluation *evaluation;
	struct tl_value *arguments;
	tl_size count;
	const struct tl_type *result;
};

static enum tl_status read_arguments(struct tl_evaluation *evaluation, const struct tl_node *node,
				     struct called *called)
{
	for (tl_node_index at = node->second; at != TL_NO_NODE; at = tl_evaluation_at(evaluation, at)->next)
		called->count++;
	called->arguments =
		tl_arena_allocate(evaluation->values.arena, (called->count + 1) * sizeof(*called->arguments));
	if (called->arguments == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for the arguments.");
	called->count = 0;
	for (tl_node_index at = node->second; at != TL_NO_NODE; at = tl_evaluation_at(evaluation, at)->next)
		TL_TRY(tl_evaluation_value(evaluation, at, &called->arguments[called->count++]));
	return TL_OK;
}

/* The object whose member function this is; *found_ret is false elsewhere. */
static enum tl_status find_this(struct tl_evaluation *evaluation, struct tl_value *object_ret, bool *found_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type *type;
	struct tl_value pointer;

	*found_ret = false;
	TL_TRY(environment->find_name(environment->context, NULL, "this", &pointer, found_ret, evaluation->error));
	if (!*found_ret)
		return TL_OK;
	TL_TRY(tl_type_strip(pointer.type, &type, evaluation->error));
	*found_ret = type->kind == TL_TYPE_POINTER;
	return *found_ret ? tl_value_follow(&evaluation->values, &pointer, object_ret, evaluation->error) : TL_OK;
}

/* A member function of the object at hand, by its name alone, or by its class's too. */
static enum tl_status call_own(struct called *called, const char *name, const struct tl_type *class,
			       struct tl_value *value_ret, bool *done_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	const struct tl_type *own;
	const struct method *method;
	struct methods methods;
	struct tl_value object;
	bool has_object = false;
	unsigned ways = 0;

	TL_TRY(find_this(evaluation, &object, &has_object));
	if (has_object) {
		TL_TRY(tl_value_strip(&evaluation->values, object.type, &own, evaluation->error));
		if (class != NULL && tl_class_is(own))
			TL_TRY(tl_class_base(&evaluation->values, &object, class, &object, &ways, evaluation->error));
		has_object = tl_class_is(own) && (class == NULL || ways == 1);
		class = class != NULL ? class : own;
	}
	if (class == NULL)
		return TL_OK;
	TL_TRY(open_methods(evaluation, name, class, has_object ? &object : NULL, &methods));
	if (methods.count == 0)
		return TL_OK;
	*done_ret = true;
	TL_TRY(choose_method(&methods, called->arguments, called->count, evaluation->error, &method));
	return call_method(evaluation, method, has_object, false, called->arguments, called->count, value_ret);
}

static enum tl_status argument_types(struct tl_evaluation *evaluation, const struct tl_value *arguments, tl_size count,
				     const struct tl_type ***types_ret)
{
	*types_ret = tl_arena_allocate(evaluation->values.arena, (count + 1) * sizeof(**types_ret));
	if (*types_ret == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for the arguments.");
	for (tl_size i = 0; i < count; i++)
		(*types_ret)[i] = arguments[i].type;
	return TL_OK;
}

/* Of all functions of a name the one that the arguments fit best; *count_ret: how many there were. */
static enum tl_status choose_function(struct tl_evaluation *evaluation, const char *name,
				      const struct tl_value *arguments, tl_size count, struct tl_error *error,
				      struct tl_value *function_ret, tl_size *count_ret)
{
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type **types = NULL;
	struct tl_overload *overloads;
	struct tl_value *functions = NULL;
	tl_size index = 0, kept = 0;

	*count_ret = 0;
	if (environment->find_functions == NULL)
		return TL_OK;
	TL_TRY(argument_types(evaluation, arguments, count, &types));
	TL_TRY(environment->find_functions(environment->context, name, types, count, &functions, count_ret,
					   evaluation->error));
	overloads = tl_arena_allocate(evaluation->values.arena, (*count_ret + 1) * sizeof(*overloads));
	if (overloads == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for the functions of that name.");
	for (tl_size i = 0; i < *count_ret; i++) {
		overloads[kept] = (struct tl_overload){.has_object = false};
		functions[kept] = functions[i];
		TL_TRY(tl_type_strip(functions[i].type, &overloads[kept].function, error));
		kept += overloads[kept].function->kind == TL_TYPE_FUNCTION;
	}
	*count_ret = kept;
	if (kept == 0)
		return TL_OK;
	/* Of one function what does not fit is said where it is called. */
	if (kept > 1 || error != evaluation->error)
		TL_TRY(tl_overload_choose(&evaluation->values, name, overloads, kept, NULL, arguments, count, &index,
					  error));
	*function_ret = functions[index];
	return TL_OK;
}

/* What a value may be called as: a function, a pointer to one, an object with an operator(). */
static enum tl_status call_any(struct called *called, const char *name, const struct tl_value *value,
			       struct tl_value *value_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	struct tl_value object = *value;
	const struct method *method;
	const struct tl_type *class;
	struct methods methods;
	bool is_class = false;

	TL_TRY(tl_evaluation_class(evaluation, value, &class, &is_class));
	if (!is_class)
		return call_value(evaluation, name, value, called->arguments, called->count, called->result, value_ret);
	TL_TRY(tl_value_unreference(&evaluation->values, &object, evaluation->error));
	TL_TRY(open_methods(evaluation, "operator()", class, &object, &methods));
	if (methods.count == 0)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT,
			       "An object of type \"%s\" cannot be called: it has no operator().",
			       tl_value_type_name(&evaluation->values, class));
	TL_TRY(choose_method(&methods, called->arguments, called->count, evaluation->error, &method));
	return call_method(evaluation, method, true, false, called->arguments, called->count, value_ret);
}

static enum tl_status is_function(struct tl_evaluation *evaluation, const struct tl_value *value, bool *is_ret)
{
	const struct tl_type *type;

	TL_TRY(tl_type_strip(value->type, &type, evaluation->error));
	*is_ret = type->kind == TL_TYPE_FUNCTION;
	return TL_OK;
}

/* std::get<what>(object) */
static enum tl_status call_get(struct called *called, const char *name, struct tl_value *value_ret, bool *done_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	const tl_size length = strlen(name);
	char *what;

	*done_ret = false;
	name += strncmp(name, "std::", 5) == 0 ? 5 : 0;
	if (called->count != 1 || strncmp(name, "get<", 4) != 0 || length < 2 || name[strlen(name) - 1] != '>')
		return TL_OK;
	what = tl_arena_copy(evaluation->values.arena, name + 4, strlen(name) - 5);
	if (what == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for a name.");
	return tl_container_get(&evaluation->environment->values, &called->arguments[0], what, value_ret, done_ret,
				evaluation->error);
}

/* name(...), a::name(...) */
static enum tl_status call_name(struct called *called, const char *name, struct tl_value *value_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	const struct tl_environment *environment = evaluation->environment;
	const struct tl_type *class = NULL;
	struct tl_value value;
	const char *last = name;
	bool found = false, function = false, done = false;
	tl_size count;

	TL_TRY(call_get(called, name, value_ret, &done));
	if (done)
		return TL_OK;
	TL_TRY(tl_evaluation_scope(evaluation, name, &class, &last));
	if (class == NULL)
		TL_TRY(environment->find_name(environment->context, NULL, name, &value, &found, evaluation->error));
	if (found) {
		TL_TRY(is_function(evaluation, &value, &function));
		if (!function)
			return call_any(called, name, &value, value_ret);
	}
	if (class != NULL || last == name)
		TL_TRY(call_own(called, last, class, value_ret, &done));
	if (done)
		return TL_OK;
	TL_TRY(choose_function(evaluation, name, called->arguments, called->count, evaluation->error, &value, &count));
	if (count == 0 && !found)
		return TL_FAIL(evaluation->error, TL_ERROR_ARGUMENT, "No symbol \"%s\" in current context.", name);
	return call_value(evaluation, name, &value, called->arguments, called->count, called->result, value_ret);
}

/* object.name(...), pointer->name(...), with a class in front of the name too */
static enum tl_status call_member(struct called *called, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	const struct tl_type *class, *scope = NULL;
	const char *name = node->text.bytes, *last;
	const struct method *method;
	struct tl_value object, value;
	struct methods methods;
	unsigned ways = 1;
	bool done = false;

	/* What is asked of a smart pointer itself has a dot, of what it points to an arrow. */
	TL_TRY(tl_evaluation_object(evaluation, node, &object));
	TL_TRY(tl_container_ask(&evaluation->environment->values, &object, name, called->arguments, called->count,
				value_ret, &done, evaluation->error));
	if (done)
		return TL_OK;
	TL_TRY(tl_value_strip(&evaluation->values, object.type, &class, evaluation->error));
	TL_TRY(tl_evaluation_scope(evaluation, name, &scope, &last));
	if (scope != NULL && tl_class_is(class))
		TL_TRY(tl_class_base(&evaluation->values, &object, scope, &object, &ways, evaluation->error));
	if (ways != 1)
		return TL_FAIL(
			evaluation->error, TL_ERROR_ARGUMENT, "base class '%s' is ambiguous or no base of \"%s\"",
			tl_value_type_name(&evaluation->values, scope), tl_value_type_name(&evaluation->values, class));
	TL_TRY(open_methods(evaluation, last, scope != NULL ? scope : class, &object, &methods));
	if (methods.count == 0) {
		/* A member may be a pointer to a function, or an object that can be called. */
		TL_TRY(tl_evaluation_named_member(evaluation, &object, last, &value));
		return call_any(called, last, &value, value_ret);
	}
	TL_TRY(choose_method(&methods, called->arguments, called->count, evaluation->error, &method));
	return call_method(evaluation, method, true, scope != NULL, called->arguments, called->count, value_ret);
}

/* (object.*pointer)(...) */
static enum tl_status call_pointed(struct called *called, const struct tl_node *node, struct tl_value *value_ret)
{
	struct tl_evaluation *evaluation = called->evaluation;
	struct tl_value function, object, *all;
	bool is_function = false;

	TL_TRY(tl_evaluation_pointed_member(evaluation, node, &function, &object, &is_function));
	if (!is_function)
		return call_any(called, "member", &function, value_ret);
	all = tl_arena_allocate(evaluation->values.arena, (called->count + 1) * sizeof(*all));
	if (all == NULL)
		return TL_FAIL(evaluation->error, TL_ERROR_NO_MEMORY, "No storage for the arguments.");
	TL_TRY(tl_value_address(&evaluation->values, &object, &all[0], evaluation->error));
	memcpy(all + 1, called->arguments, called->count * sizeof(*all));
	return call_value(evaluation, "member", &function, all, called->count + 1, called->result, value_ret);
}

/* Whether a $name is a function of whoever the environment belongs to. */
static bool is_outside(const struct tl_evaluation *evaluation, const struct tl_node *function)
{
	const struct tl_environment *environment = evaluation->environment;
	bool known = false;

	return function->kind == TL_NODE_VARIABLE && environment->internal != NULL &&
	       environment->internal(environment->context, function->text.bytes, NULL, 0, NULL, &known,
				     evaluation->error) == TL_OK &&
	       known;
}

enum tl_status tl_evaluation_call(struct tl_evaluation *evaluation, const struct tl_node *node,
				  const struct tl_type *result, struct tl_value *value_ret)
{
	const struct tl_node *function = tl_evaluation_at(evaluation, node->first);
	const char *name = function->kind == TL_NODE_NAME ? function->text.bytes : "function";
	const bool internal = function->kind == TL_NODE_VARIABLE && tl_internal_function_exists(function->text.bytes);
	const bool outside = !internal && is_outside(evaluation, function);
	const bool is_cplus = evaluation->values.is_cplus && evaluation->environment->find_name != NULL;
	struct called called = {.evaluation = evaluation, .result = result};
	struct tl_value value;

	if (is_cplus && function->kind == TL_NODE_NAME) {
		TL_TRY(read_arguments(evaluation, node, &called));
		return call_name(&called, name, value_ret);
	}
	if (is_cplus && (function->kind == TL_NODE_MEMBER || function->kind == TL_NODE_ARROW)) {
		TL_TRY(read_arguments(evaluation, node, &called));
		return call_member(&called, function, value_ret);
	}
	if (is_cplus && function->kind == TL_NODE_BINARY &&
	    (function->operation == TL_DOT || function->operation == TL_ARROW)) {
		TL_TRY(read_arguments(evaluation, node, &called));
		return call_pointed(&called, function, value_ret);
	}
	if (!internal && !outside)
		TL_TRY(tl_evaluation_value(evaluation, node->first, &value));
	TL_TRY(read_arguments(evaluation, node, &called));
	if (outside)
		return evaluation->environment->internal(evaluation->environment->context, function->text.bytes,
							 called.arguments, called.count, value_ret, &(bool){false},
							 evaluation->error);
	if (internal)
		return tl_internal_function_call(&evaluation->values, function->text.bytes, called.arguments,
						 called.count, evaluation->quiet, value_ret, evaluation->error);
	return call_any(&called, name, &value, value_ret);
}

/* ---- Operators ---- */

/* Memory is read for these even where only the type is wanted: nothing runs, and the type may depend on it. */
static enum tl_status truth_value(struct tl_evaluation *evaluation, bool truth, struct tl_value *value_ret)
{
	const struct tl_type *type;

	TL_TRY(tl_value_truth_type(&evaluation->values, &type, evaluation->error));
	return tl_value_make_integer(&evaluation->values, type, truth, value_ret, evaluation->error);
}

enum tl_status tl_evaluation_library(struct tl_evaluation *evaluation, const char *symbol,
				     const struct tl_value *operands, tl_size count, struct tl_value *value_ret,
				     bool *done_ret)
{
	static const enum tl_punctuator comparisons[] = {TL_EQUAL,   TL_NOT_EQUAL,  TL_LESS,
							 TL_GREATER, TL_LESS_EQUAL, TL_GREATER_EQUAL};
	const struct tl_value_context *values = &evaluation->environment->values;
	bool truth = false;

	*done_ret = false;
	if (count == 2 && strcmp(symbol, "[]") == 0)
		return tl_container_at(values, &operands[0], &operands[1], value_ret, done_ret, evaluation->error);
	if (count == 1 && (strcmp(symbol, "*") == 0 || strcmp(symbol, "->") == 0)) {
		TL_TRY(tl_container_follow(values, &operands[0], value_ret, done_ret, evaluation->error));
		/* An arrow wants a pointer. */
		return *done_ret && symbol[0] == '-' ? tl_value_address(values, value_ret, value_ret, evaluation->error)
						     : TL_OK;
	}
	if (count == 1 && strcmp(symbol, "!") == 0) {
		TL_TRY(tl_container_truth(values, &operands[0], &truth, done_ret, evaluation->error));
		return *done_ret ? truth_value(evaluation, !truth, value_ret) : TL_OK;
	}
	for (tl_size i = 0; i < TL_COUNT(comparisons) && count == 2; i++)
		if (strcmp(symbol, tl_punctuator_text(comparisons[i])) == 0)
			return tl_container_compare(values, comparisons[i], &operands[0], &operands[1], value_ret,
						    done_ret, evaluation->error);
	return TL_OK;
}

static enum tl_status has_operators(struct tl_evaluation *evaluation, const struct tl_value *operand, bool *has_ret)
{
	const struct tl_type *class;

	TL_TRY(tl_evaluation_class(evaluation, operand, &class, has_ret));
	*has_ret |= class->kind == TL_TYPE_ENUM && class->has_scopes;
	return TL_OK;
}

enum tl_status tl_evaluation_operator(struct tl_evaluation *evaluation, const char *symbol,
				      const struct tl_value *operands, tl_size count, struct tl_value *value_ret,
				      bool *done_ret)
{
	struct tl_value object = operands[0], function, own[2];
	const struct method *method = NULL;
	const struct tl_type *class;
	struct methods methods;
	struct tl_error ignored;
	char name[32] = "operator";
	bool has = false, right = false;
	tl_size found = 0;

	*done_ret = false;
	if (!evaluation->values.is_cplus)
		return TL_OK;
	TL_TRY(has_operators(evaluation, &operands[0], &has));
	if (count > 1)
		TL_TRY(has_operators(evaluation, &operands[1], &right));
	if (!has && !right)
		return TL_OK;
	TL_TRY(tl_evaluation_library(evaluation, symbol, operands, count, value_ret, done_ret));
	if (*done_ret)
		return TL_OK;
	strncat(name, symbol, sizeof(name) - sizeof("operator"));
	TL_TRY(tl_value_unreference(&evaluation->values, &object, evaluation->error));
	TL_TRY(tl_value_strip(&evaluation->values, object.type, &class, evaluation->error));
	if (tl_class_is(class)) {
		TL_TRY(open_methods(evaluation, name, class, &object, &methods));
		*done_ret = methods.count != 0 &&
			    choose_method(&methods, operands + 1, count - 1, &ignored, &method) == TL_OK;
	}
	if (count > 0)
		memcpy(own, operands, count * sizeof(*own));
	if (*done_ret)
		return call_method(evaluation, method, true, false, own + 1, count - 1, value_ret);
	*done_ret =
		choose_function(evaluation, name, operands, count, &ignored, &function, &found) == TL_OK && found != 0;
	return *done_ret ? call_value(evaluation, name, &function, own, count, NULL, value_ret) : TL_OK;
}

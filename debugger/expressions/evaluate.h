/*
 * What an expression means at a place in a program: its value, or the type it has.
 *
 * Names, types, registers and calls are somebody else's business: they are asked of an environment. GDB manual,
 * "Expressions" and "Value History".
 */
#ifndef TL_DEBUGGER_EVALUATE_H
#define TL_DEBUGGER_EVALUATE_H

#include "debugger/expressions/expression.h"
#include "debugger/values/value.h"

/* What an expression may ask for. A function that is NULL is an error where it is needed. */
struct tl_environment {
	struct tl_value_context values;
	/*
	 * What a name stands for at the selected place: a variable, a function, an enumerator; in a source file, unless
	 * `file` is NULL. *found_ret is false when nothing is called so.
	 */
	enum tl_status (*find_name)(void *context, const char *file, const char *name, struct tl_value *value_ret,
				    bool *found_ret, struct tl_error *error);
	/*
	 * Functions of C++: all that a name may mean at the selected place, by the namespaces that the arguments'
	 * types stand in too. Their number is *count_ret; they are in the arena.
	 */
	enum tl_status (*find_functions)(void *context, const char *name, const struct tl_type *const *arguments,
					 tl_size argument_count, struct tl_value **functions_ret, tl_size *count_ret,
					 struct tl_error *error);
	/* The function that a class has as a member; *found_ret is false if nothing can be called (it was inlined). */
	enum tl_status (*find_method)(void *context, const struct tl_type *class, const struct tl_member *member,
				      struct tl_value *value_ret, bool *found_ret, struct tl_error *error);
	/* A type of the program; with a tag, of that kind. *type_ret is NULL when there is none. */
	enum tl_status (*find_type)(void *context, const char *name, enum tl_type_tag tag,
				    const struct tl_type **type_ret, struct tl_error *error);
	/* $name: a register or a variable of the debugger; of type void if it was never set. */
	enum tl_status (*find_variable)(void *context, const char *name, struct tl_value *value_ret,
					struct tl_error *error);
	/* Sets $name, which is no register. */
	enum tl_status (*set_variable)(void *context, const char *name, const struct tl_value *value,
				       struct tl_error *error);
	/* $N, or, not `absolute`, the N-th before the last one. */
	enum tl_status (*find_history)(void *context, bool absolute, tl_u64 number, struct tl_value *value_ret,
				       struct tl_error *error);
	/* Calls a function of the program; `result` is what it is said to return where that is not known, or NULL. */
	enum tl_status (*call)(void *context, const struct tl_value *function, const struct tl_value *arguments,
			       tl_size count, const struct tl_type *result, struct tl_value *value_ret,
			       struct tl_error *error);
	/*
	 * Calls a function of the debugger's own besides those of internal_functions.h: $_caller_is("main").
	 * *known_ret is false when there is none of that name. `value_ret` NULL: that alone is asked. May be NULL.
	 */
	enum tl_status (*internal)(void *context, const char *name, const struct tl_value *arguments, tl_size count,
				   struct tl_value *value_ret, bool *known_ret, struct tl_error *error);
	void *context;
};

/*
 * The value of an expression. Its bytes end with the arena of the environment's values. TL_ERROR_ARGUMENT, with a
 * sentence, where it has none; what was assigned and called until then stays done.
 */
TL_CHECKED enum tl_status tl_evaluate(const struct tl_environment *environment, const struct tl_expression *expression,
				      struct tl_value *value_ret, struct tl_error *error);

/* The type of an expression, or the type that it is, without assigning, calling or reading anything. */
TL_CHECKED enum tl_status tl_evaluate_type(const struct tl_environment *environment,
					   const struct tl_expression *expression, const struct tl_type **type_ret,
					   struct tl_error *error);

/* The same for a part of an expression: the node at `part`. */
TL_CHECKED enum tl_status tl_evaluate_part(const struct tl_environment *environment,
					   const struct tl_expression *expression, tl_node_index part,
					   struct tl_value *value_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_evaluate_part_type(const struct tl_environment *environment,
						const struct tl_expression *expression, tl_node_index part,
						const struct tl_type **type_ret, struct tl_error *error);

#endif

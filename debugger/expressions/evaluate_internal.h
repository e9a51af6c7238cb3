/*
 * What the files of debugger/expressions/evaluate share: evaluate.c (leaves, operators of C), evaluate_calls.c (calls,
 * member functions, operators that are functions), evaluate_classes.c (members, pointers to them, casts of C++).
 * Private to them.
 */
#ifndef TL_DEBUGGER_EVALUATE_INTERNAL_H
#define TL_DEBUGGER_EVALUATE_INTERNAL_H

#include "debugger/expressions/evaluate.h"

struct tl_evaluation {
	const struct tl_environment *environment;
	const struct tl_expression *expression;
	struct tl_value_context values; /* the environment's; when `quiet`, its memory reads as zeros */
	bool quiet;                     /* only the type is wanted: nothing is assigned, called or read */
	struct tl_error *error;
};

static inline const struct tl_node *tl_evaluation_at(const struct tl_evaluation *evaluation, tl_node_index index)
{
	return tl_expression_node(evaluation->expression, index);
}

/* ---- evaluate.c ---- */

enum tl_status tl_evaluation_value(struct tl_evaluation *evaluation, tl_node_index index, struct tl_value *value_ret);
enum tl_status tl_evaluation_type(struct tl_evaluation *evaluation, tl_node_index index,
				  const struct tl_type **type_ret);
/* What only a symbol table knows has an address, and no more than that can be done with it. */
enum tl_status tl_evaluation_is_unknown(struct tl_evaluation *evaluation, const struct tl_type *type,
					bool *unknown_ret);

/* ---- evaluate_calls.c ---- */

/* A call; `result` is what a cast in front of it says that it returns, or NULL. */
enum tl_status tl_evaluation_call(struct tl_evaluation *evaluation, const struct tl_node *node,
				  const struct tl_type *result, struct tl_value *value_ret);
/*
 * An operator whose first operand, or second, is of a class, by the function that the program has for it: "+" and its
 * operands. *done_ret is false where there is none for these operands.
 */
enum tl_status tl_evaluation_operator(struct tl_evaluation *evaluation, const char *symbol,
				      const struct tl_value *operands, tl_size count, struct tl_value *value_ret,
				      bool *done_ret);

/*
 * The same for what the library's containers and smart pointers answer without the program (containers_access.h).
 */
enum tl_status tl_evaluation_library(struct tl_evaluation *evaluation, const char *symbol,
				     const struct tl_value *operands, tl_size count, struct tl_value *value_ret,
				     bool *done_ret);

/* ---- evaluate_classes.c ---- */

/* Whether a value is of a class of C++, or refers to one; *class_ret is that. */
enum tl_status tl_evaluation_class(struct tl_evaluation *evaluation, const struct tl_value *value,
				   const struct tl_type **class_ret, bool *is_ret);
/* "a::b" of a::b::c, if that is a class. *class_ret is NULL for others; *last_ret is "c". */
enum tl_status tl_evaluation_scope(struct tl_evaluation *evaluation, const char *name, const struct tl_type **class_ret,
				   const char **last_ret);
/* The object that a value is, points to or refers to: what stands before . and ->. */
enum tl_status tl_evaluation_object(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *object_ret);
enum tl_status tl_evaluation_member(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *value_ret);
/* The member of an object by a name that may begin with a class's. */
enum tl_status tl_evaluation_named_member(struct tl_evaluation *evaluation, const struct tl_value *object,
					  const char *name, struct tl_value *value_ret);
/* .* and ->*; of a function *object_ret is what it is to be called for. */
enum tl_status tl_evaluation_pointed_member(struct tl_evaluation *evaluation, const struct tl_node *node,
					    struct tl_value *value_ret, struct tl_value *object_ret,
					    bool *is_function_ret);
/* &a::b of what has no place without an object. *done_ret is false for what is no such member. */
enum tl_status tl_evaluation_member_pointer(struct tl_evaluation *evaluation, const char *name,
					    struct tl_value *value_ret, bool *done_ret);
enum tl_status tl_evaluation_cast(struct tl_evaluation *evaluation, enum tl_node_kind how, const struct tl_value *value,
				  const struct tl_type *type, struct tl_value *value_ret);
enum tl_status tl_evaluation_typeid(struct tl_evaluation *evaluation, const struct tl_node *node,
				    struct tl_value *value_ret);

#endif

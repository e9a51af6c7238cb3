/*
 * What one asks of the C++ library's containers and smart pointers, answered from memory: v[2], m["key"], *p, s.size().
 * The program does not run for it, and need not have the functions: most are inlined away.
 *
 * Nothing is changed, so that m["key"] of a key that is not there is an error, and no new element. Values that are
 * parts of a container stand where they stand, and can be assigned to. *done_ret false: the value is none of these
 * types, or that is nothing that is answered here. What cannot be answered without running the program is
 * TL_ERROR_UNSUPPORTED with the reason. Not for several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_CONTAINERS_ACCESS_H
#define TL_DEBUGGER_CONTAINERS_ACCESS_H

#include "debugger/values/value.h"

/* container[key]: by number, or in a map by key. */
TL_CHECKED enum tl_status tl_container_at(const struct tl_value_context *context, const struct tl_value *container,
					  const struct tl_value *key, struct tl_value *value_ret, bool *done_ret,
					  struct tl_error *error);

/* What a smart pointer or iterator leads to, or an optional holds: *p and p->. */
TL_CHECKED enum tl_status tl_container_follow(const struct tl_value_context *context, const struct tl_value *pointer,
					      struct tl_value *value_ret, bool *done_ret, struct tl_error *error);

/* container.name(arguments…): size, empty, front, back, at, data, get and their like. */
TL_CHECKED enum tl_status tl_container_ask(const struct tl_value_context *context, const struct tl_value *container,
					   const char *name, const struct tl_value *arguments, tl_size count,
					   struct tl_value *value_ret, bool *done_ret, struct tl_error *error);

/* std::get<what>(container) of a pair, tuple, array or variant; `what` is a number, or the name of a type. */
TL_CHECKED enum tl_status tl_container_get(const struct tl_value_context *context, const struct tl_value *container,
					   const char *what, struct tl_value *value_ret, bool *done_ret,
					   struct tl_error *error);

/* == != < > <= >= of strings, and of smart pointers with pointers. */
TL_CHECKED enum tl_status tl_container_compare(const struct tl_value_context *context, enum tl_punctuator operation,
					       const struct tl_value *left, const struct tl_value *right,
					       struct tl_value *value_ret, bool *done_ret, struct tl_error *error);

/* Whether a smart pointer leads anywhere, an optional holds something. */
TL_CHECKED enum tl_status tl_container_truth(const struct tl_value_context *context, const struct tl_value *value,
					     bool *truth_ret, bool *done_ret, struct tl_error *error);

#endif

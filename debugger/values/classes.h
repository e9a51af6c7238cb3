/*
 * Classes of C++ and the objects that are made of them: bases, what an object really is, casts between related classes,
 * and pointers to members (Itanium C++ ABI, sections 2.3 to 2.6).
 *
 * An object is a value that is a class. Nothing that lies in the program's memory is believed: a table of virtual
 * functions is one only if a symbol says so, and what it says an object is must have what the object was taken for
 * among its bases. Not for several threads at once for one struct tl_value_context.
 */
#ifndef TL_DEBUGGER_CLASSES_H
#define TL_DEBUGGER_CLASSES_H

#include "debugger/values/value.h"

/* Whether a stripped type is a class (or struct, or union) of C++. */
bool tl_class_is(const struct tl_type *stripped);

/* Whether two stripped types are one class: each unit describes it for itself. */
TL_CHECKED enum tl_status tl_class_same(const struct tl_type *left, const struct tl_type *right, bool *same_ret,
					struct tl_error *error);

/* Whether a class is derived from another, and over how many levels (0: they are one). Both are stripped. */
TL_CHECKED enum tl_status tl_class_derives(const struct tl_type *derived, const struct tl_type *base, bool *derives_ret,
					   unsigned *levels_ret, struct tl_error *error);

/*
 * The part of an object that is of a class, the object itself or a base of it. *ways_ret: how many such parts there
 * are; the first of them is the value. A virtual base is one, on however many ways it is reached.
 */
TL_CHECKED enum tl_status tl_class_base(const struct tl_value_context *context, const struct tl_value *object,
					const struct tl_type *base, struct tl_value *value_ret, unsigned *ways_ret,
					struct tl_error *error);

/*
 * The whole object of which an object may be a part, by its table of virtual functions. *known_ret is false for what
 * has none, or none that makes sense.
 */
TL_CHECKED enum tl_status tl_class_whole(const struct tl_value_context *context, const struct tl_value *object,
					 struct tl_value *whole_ret, bool *known_ret, struct tl_error *error);

/*
 * A class, a pointer or a reference to one as a class that is a base of it, or is derived from it: static_cast, and
 * casts as in C. *done_ret is false where the types are not so related, and nothing was done.
 */
TL_CHECKED enum tl_status tl_class_cast(const struct tl_value_context *context, const struct tl_value *value,
					const struct tl_type *type, struct tl_value *value_ret, bool *done_ret,
					struct tl_error *error);

/* dynamic_cast: a null pointer where the object is no such thing; of a reference that is TL_ERROR_ARGUMENT. */
TL_CHECKED enum tl_status tl_class_dynamic_cast(const struct tl_value_context *context, const struct tl_value *value,
						const struct tl_type *type, struct tl_value *value_ret,
						struct tl_error *error);

/*
 * A pointer or reference to a class as one to the whole object that it leads to; a class in memory as that object.
 * *known_ret is false, and nothing changes, where what the object is cannot be told.
 */
TL_CHECKED enum tl_status tl_class_real(const struct tl_value_context *context, const struct tl_value *value,
					struct tl_value *real_ret, bool *known_ret, struct tl_error *error);

/* ---- Virtual functions ---- */

/* The index of a member function in its class's table of virtual functions. *known_ret is false for others. */
TL_CHECKED enum tl_status tl_class_slot(const struct tl_member *function, tl_u64 *slot_ret, bool *known_ret,
					struct tl_error *error);

/* The address of the function in a slot of an object's table: for that object, of which the function is told. */
TL_CHECKED enum tl_status tl_class_virtual(const struct tl_value_context *context, const struct tl_value *object,
					   tl_u64 slot, tl_u64 *address_ret, struct tl_error *error);

/* ---- Pointers to members ---- */

/* What a pointer to a member of a function's type holds. */
struct tl_method_pointer {
	bool is_null, is_virtual;
	tl_u64 address; /* of the function; of a virtual one its index in the table */
	tl_i64 adjustment;
};

TL_CHECKED enum tl_status tl_class_read_method_pointer(const struct tl_value_context *context,
						       const struct tl_value *pointer,
						       struct tl_method_pointer *method_ret, struct tl_error *error);

/*
 * The member of an object that a pointer to member leads to: a part of the object; or a function, and the object that
 * it belongs to, adjusted, in *object_ret. *is_function_ret says which.
 */
TL_CHECKED enum tl_status tl_class_pointed(const struct tl_value_context *context, const struct tl_value *object,
					   const struct tl_value *pointer, struct tl_value *value_ret,
					   struct tl_value *object_ret, bool *is_function_ret, struct tl_error *error);

/* The class, this one or a base, and the field in it that stands so many bytes behind an object's start; NULL: none. */
TL_CHECKED enum tl_status tl_class_field_at(const struct tl_type *class, tl_u64 offset,
					    const struct tl_type **owner_ret, const struct tl_member **field_ret,
					    struct tl_error *error);

/* The function in a slot of a class's own table, where the class or a base declares it; NULL: none. */
TL_CHECKED enum tl_status tl_class_in_slot(const struct tl_type *class, tl_u64 slot, const struct tl_type **owner_ret,
					   const struct tl_member **function_ret, struct tl_error *error);

#endif

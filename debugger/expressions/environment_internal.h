/*
 * What the files of debugger/expressions/environment share: environment.c (opening, memory, what an expression asks),
 * environment_names.c and environment_lookup.c (names), environment_functions.c, environment_types.c,
 * environment_places.c (values where they are), environment_registers.c, environment_variables.c, environment_code.c
 * (places beforehand). Private to them.
 */
#ifndef TL_DEBUGGER_ENVIRONMENT_INTERNAL_H
#define TL_DEBUGGER_ENVIRONMENT_INTERNAL_H

#include "debugger/expressions/environment.h"

/* Scopes inside one another, and using directives, as many as any program has at one place. */
#define TL_VISIBLE_MAX 64

/* A module seen from no frame: the context of its variables' callbacks. */
struct tl_static_frame {
	struct tl_environment_store *store;
	const struct tl_module *module;
};

struct tl_environment_store {
	struct tl_surroundings at;
	struct tl_value_context values;
	const struct tl_cpu *cpu; /* NULL: not known */
	tl_u32 features;
	tl_u64 process; /* 0: none */
	tl_u8 address_size;
	const struct tl_stack_frame *frame; /* NULL: none is selected */
	struct tl_variable_frame variables; /* of the frame, or of the module without one */
	struct tl_memory_access memory;
	const struct tl_module *module; /* whose code it is, or the program; NULL: there is none */
	const struct tl_unit *unit;     /* whose code it is; NULL: not known */
	struct tl_scope_chain own_chain;
	/* The scopes that are seen, innermost first, the last a function; those of functions around an inlined one are
	 * not. */
	const struct tl_scope *scopes;
	tl_size scope_count;
	/* Namespaces and classes whose names need no scope, innermost first; none as long as nobody asked. In the
	 * arena. */
	const char *visible[TL_VISIBLE_MAX];
	tl_size visible_count;
};

static inline enum tl_status tl_environment_no_storage(struct tl_error *error)
{
	return TL_FAIL(error, TL_ERROR_NO_MEMORY, "No storage for what was looked up.");
}

/* ---- environment.c ---- */

enum tl_status tl_environment_read(void *store, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error);
enum tl_status tl_environment_write(void *store, tl_u64 address, const void *bytes, tl_u64 size,
				    struct tl_error *error);
/* The module that a unit belongs to; NULL: none. */
const struct tl_module *tl_environment_module_of(const struct tl_environment_store *store, const struct tl_unit *unit);

/* ---- environment_places.c ---- */

/* What variables of a module are found with that belong to no frame. */
enum tl_status tl_environment_static_frame(struct tl_environment_store *store, const struct tl_module *module,
					   struct tl_variable_frame *frame_ret, struct tl_error *error);
/* The value of the variable, parameter or member with this entry, in a frame. */
enum tl_status tl_environment_value_of(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				       const struct tl_entry *entry, struct tl_value *value_ret,
				       struct tl_error *error);
/* A value at a location that is known already. */
enum tl_status tl_environment_value_at(struct tl_environment_store *store, const struct tl_variable_frame *frame,
				       const struct tl_type *type, const struct tl_location *location,
				       struct tl_value *value_ret, struct tl_error *error);
/* What a parameter was when the function was entered; absent where the caller does not tell. */
enum tl_status tl_environment_at_entry(struct tl_environment_store *store, const struct tl_entry *parameter,
				       struct tl_value *value_ret, struct tl_error *error);
/* What is not there at all. */
enum tl_status tl_environment_absent(struct tl_environment_store *store, const struct tl_type *type,
				     struct tl_value *value_ret, struct tl_error *error);
/* Registers and parts of them, one behind the other, as one value, which may be assigned to; absent where not known. */
struct tl_register_part {
	tl_u16 index, first_byte, size;
};
enum tl_status tl_environment_register_value(struct tl_environment_store *store, const struct tl_type *type,
					     const struct tl_register_part *parts, tl_size count,
					     struct tl_value *value_ret, struct tl_error *error);
enum tl_status tl_environment_store_value(void *store, const void *where, tl_u64 bit_offset, tl_u64 bit_size,
					  const tl_u8 *bytes, struct tl_error *error);
enum tl_status tl_environment_pointed(void *store, const struct tl_value *pointer, const struct tl_type *target,
				      struct tl_value *value_ret, struct tl_error *error);
enum tl_status tl_environment_moving_base(void *store, const struct tl_value *object, const struct tl_member *member,
					  tl_u64 *address_ret, struct tl_error *error);
enum tl_status tl_environment_static_member(void *store, const struct tl_member *member, struct tl_value *value_ret,
					    struct tl_error *error);

/* ---- environment_names.c, environment_lookup.c, environment_types.c ---- */

enum tl_status tl_environment_find_name(void *store, const char *file, const char *name, struct tl_value *value_ret,
					bool *found_ret, struct tl_error *error);
enum tl_status tl_environment_find_type(void *store, const char *name, enum tl_type_tag tag,
					const struct tl_type **type_ret, struct tl_error *error);

/* In a member function, a type of that name which its class has, or a base of it; NULL: none. */
enum tl_status tl_environment_class_type(struct tl_environment_store *store, const char *name,
					 const struct tl_type **type_ret, struct tl_error *error);

/* The whole name ("::a::b") of what a using declaration brings in under this one; nothing where there is none. */
enum tl_status tl_environment_imported_name(struct tl_environment_store *store, const char *name,
					    struct tl_output *full, struct tl_error *error);

/* What the index has under a name, the nearest of all. */
struct tl_nearest {
	const struct tl_module *module; /* NULL: nothing */
	struct tl_entry entry;
	unsigned kind;
};

/*
 * The nearest entry of these kinds that a name stands for here; `file`, unless NULL, is where it has to be. `is_wanted`
 * may refuse one (NULL: none).
 */
enum tl_status tl_environment_nearest(struct tl_environment_store *store, const char *file, const char *name,
				      unsigned kinds, bool (*is_wanted)(void *context, const struct tl_indexed *found),
				      void *context, struct tl_nearest *nearest_ret, struct tl_error *error);
/*
 * Calls back for every entry of these kinds that the name stands for here, of the innermost scope that has one; those
 * of modules further away only if nearer ones have none.
 */
enum tl_status tl_environment_each(struct tl_environment_store *store, const char *name, unsigned kinds,
				   enum tl_status (*call)(void *context, const struct tl_nearest *found,
							  struct tl_error *error),
				   void *context, struct tl_error *error);
/* Whether a unit is what a person calls `file`: its name or the end of it. */
bool tl_environment_is_file(const struct tl_unit *unit, const char *file);

/* A variable or parameter of the scopes that are seen, innermost first. */
enum tl_status tl_environment_find_local(struct tl_environment_store *store, const char *name,
					 struct tl_variable *variable_ret, bool *found_ret, struct tl_error *error);

/* ---- environment_functions.c ---- */

/* A function's value at its first instruction; *found_ret is false if it has no code of its own. */
enum tl_status tl_environment_function_value(struct tl_environment_store *store, const struct tl_nearest *nearest,
					     struct tl_value *value_ret, bool *found_ret, struct tl_error *error);
enum tl_status tl_environment_find_functions(void *store, const char *name, const struct tl_type *const *arguments,
					     tl_size argument_count, struct tl_value **functions_ret,
					     tl_size *count_ret, struct tl_error *error);
enum tl_status tl_environment_find_method(void *store, const struct tl_type *class, const struct tl_member *member,
					  struct tl_value *value_ret, bool *found_ret, struct tl_error *error);
enum tl_status tl_environment_complete(void *store, const struct tl_type *declared, const struct tl_type **complete_ret,
				       struct tl_error *error);
enum tl_status tl_environment_table_class(void *store, tl_u64 table, const struct tl_type **class_ret,
					  struct tl_error *error);

/* ---- environment_registers.c ---- */

enum tl_status tl_environment_find_register(struct tl_environment_store *store, const char *name,
					    struct tl_value *value_ret, bool *found_ret, struct tl_error *error);

#define TL_REGISTER_PARTS_MAX 3

/* What a name of a register stands for: its parts, and the type that it has. *count_ret is 0 when it is none. */
enum tl_status tl_environment_register_parts(struct tl_environment_store *store, const char *name,
					     struct tl_register_part parts_ret[TL_REGISTER_PARTS_MAX],
					     tl_size *count_ret, const struct tl_type **type_ret,
					     struct tl_error *error);

/* ---- environment_code.c ---- */

enum tl_status tl_environment_find_place(void *store, const char *file, const char *name,
					 struct tl_code_place *place_ret, bool *found_ret, struct tl_error *error);
enum tl_status tl_environment_find_register_place(void *store, const char *name, struct tl_code_place *place_ret,
						  bool *found_ret, struct tl_error *error);

#endif

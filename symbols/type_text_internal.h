/*
 * What the parts of type_text.h share: a type is written by type_text.c, from the inside of its declarator out; the
 * members of structs, classes and enumerations by type_text_body.c; the names that types have inside of a class are
 * found by type_text_aliases.c. One struct tl_type_text is for one thread.
 */
#ifndef TL_SYMBOLS_TYPE_TEXT_INTERNAL_H
#define TL_SYMBOLS_TYPE_TEXT_INTERNAL_H

#include "symbols/type_text.h"

/* No type of a program nests this deep; each level is a few hundred bytes of stack. */
#define TL_TYPE_TEXT_DEPTH_MAX 100
/* Nor has it this many stars, brackets and parameter lists around one name. */
#define TL_TYPE_TEXT_STEPS_MAX 32

/* How much of a type is written. */
enum tl_type_show {
	TL_TYPE_SHOW_NAME = -1,   /* "struct {...}" for what has no name */
	TL_TYPE_SHOW_MEMBERS = 0, /* the members of what has no name */
	TL_TYPE_SHOW_ALL = 1      /* the members, typedefs resolved */
};

/* Where the fields of a struct stand, in bits: of the outermost one, and how far fields have filled it. */
struct tl_type_place {
	tl_u64 base, end;
};

/*
 * Names that stand for types inside of a class: the parameters of its template, and its typedefs. gdb writes every type
 * that one of them stands for by that name; of several the first counts, and what is further out before what is further
 * in.
 */
#define TL_TYPE_ALIASES_MAX 96

struct tl_type_aliases {
	const struct tl_type_aliases *outer;
	struct {
		const struct tl_type *type;  /* stripped */
		const struct tl_type *alias; /* the typedef itself */
		const char *name;
	} items[TL_TYPE_ALIASES_MAX];
	tl_size count, parameters; /* the first are those of the template */
};

struct tl_type_text {
	struct tl_output *output;
	struct tl_error *error;
	const struct tl_type_aliases *aliases; /* NULL: outside of all classes */
	bool no_typedefs;                      /* of these only the innermost template's parameters count */
	unsigned flags;
	unsigned depth;
};

/* The error of a type that nests without end. */
TL_CHECKED enum tl_status tl_type_text_too_deep(const struct tl_type_text *text);

/* Takes off qualifiers, and typedefs if they are not to be shown. Fails where a type leads back to itself. */
TL_CHECKED enum tl_status tl_type_text_resolve(const struct tl_type_text *text, const struct tl_type *type,
					       enum tl_type_show show, const struct tl_type **core_ret,
					       unsigned *qualifiers_ret);

/* The qualifiers that tl_type_text_resolve found, as C spells them, or C++ where the language has scopes. */
void tl_type_text_qualifiers(struct tl_type_text *text, unsigned qualifiers, bool has_scopes, bool space_before,
			     bool space_behind);

/* "struct ", "enum class " and so on; "" for what needs no word. */
const char *tl_type_text_keyword(const struct tl_type *type);

/* A type's name with the scopes that it stands in; nothing for one without a name. */
TL_CHECKED enum tl_status tl_type_text_full_name(struct tl_type_text *text, const struct tl_type *type);

/*
 * A type around a name, "" for none. `level` is the column at which the line began; `place` says where the struct
 * stands in the outermost one, for ptype/o, and may be NULL.
 */
TL_CHECKED enum tl_status tl_type_text_write(struct tl_type_text *text, const struct tl_type *type, const char *name,
					     enum tl_type_show show, tl_size level, struct tl_type_place *place);

/* The parameters of a function in parentheses, without those that compilers add if they are hidden. */
TL_CHECKED enum tl_status tl_type_text_parameters(struct tl_type_text *text, const struct tl_type *function,
						  bool hide_artificial);

/* What the object's own parameter says of a method: " const", " volatile". */
TL_CHECKED enum tl_status tl_type_text_object_qualifiers(struct tl_type_text *text, const struct tl_type *function);

/* The name by which a type goes in the class that is written; NULL: none. */
TL_CHECKED enum tl_status tl_type_text_alias(struct tl_type_text *text, const struct tl_type *type,
					     const char **name_ret);

/* The names that stand for types inside of a class; `aliases` has its `outer` already and is the caller's. */
TL_CHECKED enum tl_status tl_type_text_add_aliases(struct tl_type_text *text, struct tl_type_aliases *aliases,
						   const struct tl_type *class);

/* A whole enumeration, and a whole struct, class or union. */
TL_CHECKED enum tl_status tl_type_text_enum(struct tl_type_text *text, const struct tl_type *type,
					    enum tl_type_show show);
TL_CHECKED enum tl_status tl_type_text_struct(struct tl_type_text *text, const struct tl_type *type,
					      enum tl_type_show show, tl_size level, struct tl_type_place *place);

#endif

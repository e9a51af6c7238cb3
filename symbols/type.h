/*
 * Types, as debug information has them: what kind, how big, of what, with which members.
 *
 * A type is read when somebody asks for it, one entry at a time: nothing that it refers to is read with it, so that a
 * circle of types is as good as any other, and one struct of a big program costs what that struct is. What was read is
 * kept in a struct tl_types, of which there is one for each struct tl_dwarf; types belong to it and stay where they are
 * until it is closed, or is told to forget. Two entries make two types, also when they say the same.
 *
 * All functions may be called from any thread, several at once for one struct tl_types too, but for tl_types_close and
 * tl_types_forget. TL_ERROR_MALFORMED: the debug information is damaged there; TL_ERROR_NO_MEMORY: no storage, or more
 * than the limit.
 */
#ifndef TL_SYMBOLS_TYPE_H
#define TL_SYMBOLS_TYPE_H

#include "symbols/dwarf.h"
#include "symbols/tree.h"

enum tl_type_kind {
	TL_TYPE_VOID,
	TL_TYPE_BASE, /* numbers, characters, bool: `encoding` says which */
	TL_TYPE_POINTER,
	TL_TYPE_REFERENCE,        /* C++ & */
	TL_TYPE_RVALUE_REFERENCE, /* C++ && */
	TL_TYPE_MEMBER_POINTER,   /* C++ T C::* */
	TL_TYPE_ARRAY,            /* of one dimension; int[3][4] is an array of arrays */
	TL_TYPE_STRUCT,
	TL_TYPE_CLASS,
	TL_TYPE_UNION,
	TL_TYPE_ENUM,
	TL_TYPE_TYPEDEF,
	TL_TYPE_CONST,
	TL_TYPE_VOLATILE,
	TL_TYPE_RESTRICT,
	TL_TYPE_ATOMIC,
	TL_TYPE_FUNCTION,
	TL_TYPE_UNSPECIFIED, /* has a name and nothing else: decltype(nullptr) */
	TL_TYPE_MAX
};

struct tl_types;

/* Nothing of it changes after it was handed out. */
struct tl_type {
	struct tl_types *types; /* where it belongs */
	/* Where it stands; tag 0 for one that was made by tl_type_make_… or is void. Its unit is NULL for those of no
	 * unit. */
	struct tl_entry entry;
	enum tl_type_kind kind;
	tl_u8 encoding;   /* DW_ATE_* of a base type, and of an enumeration: DW_ATE_signed or DW_ATE_unsigned */
	bool declaration; /* incomplete: see tl_type_complete */
	bool has_size;    /* `size` is known of itself; else see tl_type_size */
	bool has_scopes;  /* of a language whose names are written with "::", and without `struct` */
	bool vector;      /* an array that is a vector of the machine */
	bool prototyped;  /* a function type of C with (void) rather than () */
	bool scoped;      /* enum class */
	bool bit_names;   /* an enumeration of the bits of a register: not of what values it may have */
	tl_u64 size;      /* bytes */
	const char *name; /* as it stands at the entry, without what encloses it; NULL for none */
};

/* How the number of an array's elements is said. */
enum tl_bound_kind {
	TL_BOUND_NONE,      /* not at all: a flexible member, a declaration */
	TL_BOUND_CONSTANT,  /* `count` */
	TL_BOUND_EXPRESSION /* `attribute` is an expression, or refers to a variable that holds the highest index, */
			    /* or the count if it is a DW_AT_count; evaluate it where the array lives */
};

struct tl_bound {
	enum tl_bound_kind kind;
	tl_i64 lower; /* the first index */
	tl_u64 count;
	struct tl_entry range; /* the subrange entry; its tag is 0 in arrays that were made */
	struct tl_attribute attribute;
};

enum tl_member_kind {
	TL_MEMBER_FIELD,
	TL_MEMBER_BASE,   /* a class inherited from */
	TL_MEMBER_STATIC, /* a variable of the class */
	TL_MEMBER_FUNCTION,
	TL_MEMBER_TYPE,           /* a type declared inside */
	TL_MEMBER_TEMPLATE_TYPE,  /* a template's parameter that is a type; of a pack, each */
	TL_MEMBER_TEMPLATE_VALUE, /* or a value */
	TL_MEMBER_ENUMERATOR,
	TL_MEMBER_PARAMETER,
	TL_MEMBER_VARIADIC /* the ... of a function */
};

enum tl_accessibility { TL_PUBLIC = 1, TL_PROTECTED = 2, TL_PRIVATE = 3 };

struct tl_member {
	enum tl_member_kind kind;
	enum tl_accessibility access;
	const char *name;      /* NULL for none, as of an anonymous union */
	struct tl_entry entry; /* where it stands */
	bool artificial;       /* not written by the programmer: `this`, _vptr, default constructors */
	bool is_virtual;       /* a function, or a base */
	/*
	 * The place of a field or base cannot be said without an object (a virtual base; DW_AT_data_member_location is
	 * an expression then): bit_offset is 0.
	 */
	bool moves;
	bool is_static;    /* a function without `this` */
	bool has_value;    /* `value`: of enumerators, of static members and template values that are constants */
	tl_u64 bit_offset; /* from the start of the struct, in the order of a little-endian machine's memory */
	tl_u32 bit_size;   /* of a bit-field; else 0 */
	tl_i64 value;      /* sign-extended; to be taken as unsigned where the type says so */
};

/*
 * How incomplete types are completed by name: finds an entry with this tag and name (with its "::" scopes) that is no
 * declaration. *found_ret is false when there is none. Called without locks held, from any thread.
 */
typedef enum tl_status tl_type_lookup(void *context, const char *name, tl_u16 tag, const struct tl_unit *near,
				      struct tl_entry *entry_ret, bool *found_ret, struct tl_error *error);

/*
 * The DWARF and the tree must outlive it; the caller closes. Both may be NULL: a home for types that stand nowhere
 * (tl_type_make_…).
 */
TL_CHECKED enum tl_status tl_types_open(struct tl_types **types_ret, struct tl_dwarf *dwarf, struct tl_tree *tree,
					struct tl_error *error);
void tl_types_close(struct tl_types *types);

/* Sets how types are completed by name, before other threads ask. Without it declarations stay as they are. */
void tl_types_set_lookup(struct tl_types *types, tl_type_lookup *lookup, void *context);

/* How much storage the types that were read take, and how much they may; 256 MiB unless it is set. */
tl_size tl_types_storage(struct tl_types *types);
void tl_types_set_limit(struct tl_types *types, tl_size bytes);

/*
 * Whether floating-point types of 16 bytes are IEEE 754's binary128, as long double is on 64-bit Arm and RISC-V, rather
 * than x87's ten bytes, as they are unless it is set; to be said before others ask.
 */
void tl_types_set_quads(struct tl_types *types, bool quads);
bool tl_types_have_quads(const struct tl_types *types);

/* Forgets all types. Nobody may hold one, nor read one meanwhile. */
void tl_types_forget(struct tl_types *types);

/* What encloses what, for names. */
struct tl_tree *tl_types_tree(struct tl_types *types);

/* The type that an entry describes; of a DW_TAG_subprogram, the function's. TL_ERROR_UNSUPPORTED: it is no type. */
TL_CHECKED enum tl_status tl_type_at(struct tl_types *types, const struct tl_entry *entry,
				     const struct tl_type **type_ret, struct tl_error *error);

/* The type that an entry (a variable, a parameter, a member) is of: its DW_AT_type, also inherited. void without one.
 */
TL_CHECKED enum tl_status tl_type_of(struct tl_types *types, const struct tl_entry *entry,
				     const struct tl_type **type_ret, struct tl_error *error);

/*
 * What the type is made of: what a pointer or reference leads to, the element of an array, what a typedef or qualifier
 * stands for, what a function returns, the type under an enumeration. void where nothing is said. TL_ERROR_ARGUMENT for
 * others.
 */
TL_CHECKED enum tl_status tl_type_target(const struct tl_type *type, const struct tl_type **target_ret,
					 struct tl_error *error);

/* The class that a pointer to member points into. */
TL_CHECKED enum tl_status tl_type_container(const struct tl_type *type, const struct tl_type **class_ret,
					    struct tl_error *error);

/* The type without typedefs and qualifiers around it; its declaration completed where that can be. */
TL_CHECKED enum tl_status tl_type_strip(const struct tl_type *type, const struct tl_type **stripped_ret,
					struct tl_error *error);

/*
 * The definition of a type that is only declared, by the lookup; the type itself if it is no declaration or if nothing
 * defines it. (One that is declared by a signature is never seen: tl_type_at goes to its definition.)
 */
TL_CHECKED enum tl_status tl_type_complete(const struct tl_type *type, const struct tl_type **complete_ret,
					   struct tl_error *error);

/*
 * Bytes that a value takes, through typedefs, qualifiers and arrays. *known_ret is false where that is not fixed: void,
 * functions, incomplete types, arrays whose bounds are none or must be evaluated.
 */
TL_CHECKED enum tl_status tl_type_size(const struct tl_type *type, tl_u64 *size_ret, bool *known_ret,
				       struct tl_error *error);

/*
 * How a type is aligned, in bytes, where it and its members tell: a struct as the strictest of them. 1 for what has no
 * size. TL_ERROR_MALFORMED: its members nest without end.
 */
TL_CHECKED enum tl_status tl_type_alignment(const struct tl_type *type, tl_u64 *alignment_ret, struct tl_error *error);

/* The bound of an array. Belongs to the type. TL_ERROR_ARGUMENT: it is none. */
TL_CHECKED enum tl_status tl_type_bound(const struct tl_type *type, const struct tl_bound **bound_ret,
					struct tl_error *error);

/* Members, enumerators, parameters, in the order of the file. They belong to the type. None for other kinds. */
TL_CHECKED enum tl_status tl_type_members(const struct tl_type *type, const struct tl_member **members_ret,
					  tl_size *count_ret, struct tl_error *error);

/* What a member is of: for a base the class, for a function its function type, for a nested type that type. */
TL_CHECKED enum tl_status tl_member_type(const struct tl_type *type, const struct tl_member *member,
					 const struct tl_type **type_ret, struct tl_error *error);

/*
 * The name with what encloses it, as it is written in the language without `struct` and the like, and the same for
 * integers however a compiler spells them ("unsigned long", not "long unsigned int"). Belongs to the type; NULL for a
 * type that has no name.
 */
TL_CHECKED enum tl_status tl_type_full_name(const struct tl_type *type, const char **name_ret, struct tl_error *error);

/* Writes a name as it stands in debug information with the integers in it spelt as above: "vector<unsigned long>". */
struct tl_output;
void tl_type_write_canonical(const char *name, struct tl_output *output);

/*
 * Types that stand nowhere: void; a number of `size` bytes, DW_ATE_* `encoding`, whose name the caller keeps; a pointer
 * of `size` bytes, an array, a vector of the machine, a type with a qualifier (kind TL_TYPE_CONST to TL_TYPE_ATOMIC), a
 * reference (TL_TYPE_REFERENCE or TL_TYPE_RVALUE_REFERENCE), another name, a type of which nothing but its name is
 * known, both with names that the caller keeps. The same question has the same answer.
 */
const struct tl_type *tl_type_void(struct tl_types *types);
TL_CHECKED enum tl_status tl_type_make_base(struct tl_types *types, const char *name, tl_u8 encoding, tl_u8 size,
					    const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_pointer(const struct tl_type *target, tl_u8 size,
					       const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_array(const struct tl_type *element, tl_u64 count,
					     const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_vector(const struct tl_type *element, tl_u64 count,
					      const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_qualified(const struct tl_type *target, enum tl_type_kind qualifier,
						 const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_unspecified(struct tl_types *types, const char *name,
						   const struct tl_type **type_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_reference(const struct tl_type *target, enum tl_type_kind kind, tl_u8 size,
						 const struct tl_type **type_ret, struct tl_error *error);
/* A pointer of `size` bytes to a member of a class: two words for a function. */
TL_CHECKED enum tl_status tl_type_make_member_pointer(const struct tl_type *target, const struct tl_type *class,
						      tl_u8 size, const struct tl_type **type_ret,
						      struct tl_error *error);
TL_CHECKED enum tl_status tl_type_make_typedef(const struct tl_type *target, const char *name,
					       const struct tl_type **type_ret, struct tl_error *error);

/* What is known of a function's parameters: nothing, as in C's f(); all of them; all before a "...". */
enum tl_made_parameters { TL_MADE_UNKNOWN, TL_MADE_PROTOTYPE, TL_MADE_VARIADIC };

#define TL_MADE_PARAMETERS_MAX 32

/* A function. TL_ERROR_TOO_LONG: more than TL_MADE_PARAMETERS_MAX parameters. */
TL_CHECKED enum tl_status tl_type_make_function(const struct tl_type *result, const struct tl_type *const *parameters,
						tl_size count, enum tl_made_parameters how,
						const struct tl_type **type_ret, struct tl_error *error);

/* A member of a type that is made: all of `member` but its entry, and the type that it is of. */
struct tl_made_member {
	struct tl_member member;
	const struct tl_type *type;
};

/*
 * A struct, a union, or an enumeration of a register's bits (TL_TYPE_ENUM, whose members are TL_MEMBER_ENUMERATOR); the
 * members are copied, their names and that of the type are not.
 */
TL_CHECKED enum tl_status tl_type_make_composite(struct tl_types *types, enum tl_type_kind kind, const char *name,
						 tl_u64 size, const struct tl_made_member *members, tl_size count,
						 const struct tl_type **type_ret, struct tl_error *error);

#endif

/*
 * A mangled name taken apart: what demangle.c reads and demangle_print.c writes. For these two.
 */
#ifndef TL_SYMBOLS_DEMANGLE_TREE_H
#define TL_SYMBOLS_DEMANGLE_TREE_H

#include "base/arena.h"
#include "symbols/demangle.h"

/* How deep things may stand in each other, and how many steps reading and writing may take. */
#define TL_MANGLED_DEPTH 256u
#define TL_MANGLED_STEPS 400000u

enum tl_mangled_kind {
	/* Names. */
	TL_MANGLED_NAME,             /* text */
	TL_MANGLED_STANDARD,         /* text: one of the ABI's own, std::string */
	TL_MANGLED_QUALIFIED,        /* a::b */
	TL_MANGLED_LOCAL,            /* b in the function a */
	TL_MANGLED_TEMPLATE,         /* a<b>, b a list */
	TL_MANGLED_CONSTRUCTOR,      /* of a */
	TL_MANGLED_DESTRUCTOR,       /* of a */
	TL_MANGLED_OPERATOR,         /* text: what stands behind "operator" */
	TL_MANGLED_CONVERSION,       /* operator a */
	TL_MANGLED_LITERAL_OPERATOR, /* operator"" a */
	TL_MANGLED_LAMBDA,           /* parameters b, number */
	TL_MANGLED_UNNAMED,          /* number */
	TL_MANGLED_BINDING,          /* names b */
	TL_MANGLED_DEFAULT_ARGUMENT, /* a in the number-th default argument */
	TL_MANGLED_TAGGED,           /* a[abi:text] */
	/* What is called so. */
	TL_MANGLED_METHOD,   /* the name a of a member function, text behind its parameters: " const" */
	TL_MANGLED_ENCODING, /* a name and its function type b */
	TL_MANGLED_SPECIAL,  /* text in front of a, and "-in-" b */
	TL_MANGLED_NUMBERED, /* text, number and " for " a */
	TL_MANGLED_CLONE,    /* a [clone text] */
	/* Types. */
	TL_MANGLED_BUILTIN,        /* text, number: how literals are written */
	TL_MANGLED_SUFFIX,         /* a, then text: " const" */
	TL_MANGLED_NOEXCEPT,       /* the function type a, noexcept(b) or throw(b): text in front of it */
	TL_MANGLED_POINTER,        /* to a */
	TL_MANGLED_REFERENCE,      /* to a */
	TL_MANGLED_RVALUE,         /* reference to a */
	TL_MANGLED_MEMBER_POINTER, /* to a b of the class a */
	TL_MANGLED_FUNCTION,       /* returning a (NULL: not said), parameters b, text behind them: " &" */
	TL_MANGLED_ARRAY,          /* of a; b, the number of elements, may be NULL */
	TL_MANGLED_VECTOR,         /* of a; b as above */
	TL_MANGLED_EXPANSION,      /* a... */
	TL_MANGLED_DECLTYPE,       /* of the expression a */
	TL_MANGLED_PARAMETER,      /* the number-th of a template */
	TL_MANGLED_PACK,           /* arguments b for one parameter */
	TL_MANGLED_LIST,           /* a, then the list b, which may be NULL. NULL is an empty one */
	/* Expressions. */
	TL_MANGLED_ARGUMENT,    /* the number-th parameter of the function; 0: this */
	TL_MANGLED_LITERAL,     /* of type a; text, number != 0: negative */
	TL_MANGLED_UNARY,       /* text a */
	TL_MANGLED_POSTFIX,     /* a text */
	TL_MANGLED_OF_TYPE,     /* text (a): sizeof */
	TL_MANGLED_BINARY,      /* a text b */
	TL_MANGLED_TERNARY,     /* a ? b : c */
	TL_MANGLED_INDEX,       /* a[b] */
	TL_MANGLED_CALL,        /* a(b), b a list */
	TL_MANGLED_CAST,        /* (a)b */
	TL_MANGLED_CAST_LIST,   /* (a)(b), b a list */
	TL_MANGLED_NAMED_CAST,  /* text<a>(b) */
	TL_MANGLED_INITIALIZER, /* a{b}, a may be NULL, b a list */
	TL_MANGLED_PACK_SIZE,   /* sizeof...(a) */
	TL_MANGLED_FOLD,        /* a text ... text b; without b, number != 0: the dots come first */
	TL_MANGLED_NEW          /* text: new or new[]; type a, arguments c in front of it, initializer b */
};

/* How a literal of a built-in type is written. */
enum tl_mangled_literal {
	TL_LITERAL_CAST,
	TL_LITERAL_INT,
	TL_LITERAL_UNSIGNED,
	TL_LITERAL_LONG,
	TL_LITERAL_UNSIGNED_LONG,
	TL_LITERAL_LONG_LONG,
	TL_LITERAL_UNSIGNED_LONG_LONG,
	TL_LITERAL_BOOL,
	TL_LITERAL_FLOAT
};

struct tl_mangled_node {
	enum tl_mangled_kind kind;
	tl_u32 number;
	const char *text;
	tl_size size; /* of the text */
	const struct tl_mangled_node *a, *b, *c;
};

/* Writes a name or a type. TL_ERROR_MALFORMED, TL_ERROR_TOO_LONG, TL_ERROR_NO_MEMORY, as of tl_demangle. */
TL_CHECKED enum tl_status tl_mangled_print(const struct tl_mangled_node *node, enum tl_demangle_form form,
					   struct tl_output *output);

/* Where a reader stands in a name.  */
struct tl_mangled_reader {
	const char *at, *end;
	struct tl_arena arena;
	const struct tl_mangled_node **substitutions;
	tl_size substitution_count, substitution_room;
	const struct tl_mangled_node *last_name; /* what a constructor is called */
	unsigned depth;
	tl_u32 steps;
	bool conversion; /* in the type of a conversion operator */
	bool too_much, no_memory;
};

/* What all these return is NULL where what they want does not stand. */
const struct tl_mangled_node *tl_mangled_type(struct tl_mangled_reader *reader);
const struct tl_mangled_node *tl_mangled_expression(struct tl_mangled_reader *reader);
const struct tl_mangled_node *tl_mangled_literal(struct tl_mangled_reader *reader);
const struct tl_mangled_node *tl_mangled_encoding(struct tl_mangled_reader *reader, bool top);
const struct tl_mangled_node *tl_mangled_source_name(struct tl_mangled_reader *reader);
const struct tl_mangled_node *tl_mangled_operator_name(struct tl_mangled_reader *reader);
/* A source name or the name of an operator, and template arguments. */
const struct tl_mangled_node *tl_mangled_simple_name(struct tl_mangled_reader *reader);
/* "I...E", or nothing of the kind: false. */
bool tl_mangled_template_arguments(struct tl_mangled_reader *reader, const struct tl_mangled_node **list_ret);
const struct tl_mangled_node *tl_mangled_template_parameter(struct tl_mangled_reader *reader);

/* A name with its scopes (5.1.2). */
const struct tl_mangled_node *tl_mangled_name(struct tl_mangled_reader *reader);
const struct tl_mangled_node *tl_mangled_template_argument(struct tl_mangled_reader *reader);
/* A template with its arguments, which stand here; NULL for no template. */
const struct tl_mangled_node *tl_mangled_instance(struct tl_mangled_reader *reader, const struct tl_mangled_node *name);
/* Behind the S: what was there before, or one of the ABI's names. `prefix`: something may follow it in a name. */
const struct tl_mangled_node *tl_mangled_substitution(struct tl_mangled_reader *reader, bool prefix);
/* Types up to an E, a clone's dot or the end; NULL for a single void. False without any. */
bool tl_mangled_parameters(struct tl_mangled_reader *reader, const struct tl_mangled_node **list_ret);
/* r V K, in any number, as words behind what they qualify: " const". NULL on failure. */
const char *tl_mangled_qualifiers(struct tl_mangled_reader *reader);
/* [NUMBER] _ of things that are counted: 0 without a number. */
bool tl_mangled_ordinal(struct tl_mangled_reader *reader, tl_u32 *number_ret);

/* Helpers of the readers. */
bool tl_mangled_is_digit(char letter);
bool tl_mangled_is_lower(char letter);
char tl_mangled_peek(const struct tl_mangled_reader *reader, tl_size ahead);
bool tl_mangled_accept(struct tl_mangled_reader *reader, const char *text);
/* A decimal number; false when there is none, or it is far too large. */
bool tl_mangled_number(struct tl_mangled_reader *reader, tl_u32 *number_ret);
/* False, and everything fails, when it is too deep or took too long; each true wants a tl_mangled_leave. */
bool tl_mangled_enter(struct tl_mangled_reader *reader);
void tl_mangled_leave(struct tl_mangled_reader *reader);
struct tl_mangled_node *tl_mangled_make(struct tl_mangled_reader *reader, enum tl_mangled_kind kind,
					const struct tl_mangled_node *a, const struct tl_mangled_node *b);
struct tl_mangled_node *tl_mangled_make_text(struct tl_mangled_reader *reader, enum tl_mangled_kind kind,
					     const char *text, const struct tl_mangled_node *a);
/* The same with NULL for NULL; and with words behind, NULL for NULL, itself for "". */
const struct tl_mangled_node *tl_mangled_around(struct tl_mangled_reader *reader, enum tl_mangled_kind kind,
						const struct tl_mangled_node *a);
const struct tl_mangled_node *tl_mangled_suffixed(struct tl_mangled_reader *reader, enum tl_mangled_kind kind,
						  const struct tl_mangled_node *a, const char *text);
/* Remembers what a substitution may stand for; returns it. */
const struct tl_mangled_node *tl_mangled_remember(struct tl_mangled_reader *reader, const struct tl_mangled_node *what);

/* A list as it is read; {0} is an empty one. */
struct tl_mangled_list {
	const struct tl_mangled_node *first;
	struct tl_mangled_node *last;
};
/* False on failure, and for an item that is NULL. */
bool tl_mangled_append(struct tl_mangled_reader *reader, struct tl_mangled_list *list,
		       const struct tl_mangled_node *item);

#endif

/*
 * An expression of C, with what C++ and gdb add, as a tree: read once from text, then evaluated, or compiled to the
 * bytecode that a target runs.
 *
 * The reader knows no program. Only one question needs an answer from outside: whether a name is a type, for `(name) x`
 * is a cast or a call of nothing, and `name<int>` a template or a comparison. What names mean is found out by whoever
 * evaluates, at a place in the program.
 *
 * How tightly operators bind is as in C (C17, 6.5), with gdb's @ between + and << (GDB manual, "Expressions").
 */
#ifndef TL_DEBUGGER_EXPRESSION_H
#define TL_DEBUGGER_EXPRESSION_H

#include "debugger/values/token.h"

/* No expression that a person types is longer, or nests deeper. */
#define TL_EXPRESSION_MAX 4096
#define TL_EXPRESSION_DEPTH_MAX 100

enum tl_node_kind {
	/* Leaves */
	TL_NODE_INTEGER,   /* integer, rank, is_unsigned, is_decimal */
	TL_NODE_REAL,      /* real, rank */
	TL_NODE_CHARACTER, /* integer, width */
	TL_NODE_STRING,    /* text, its escapes undone; width */
	TL_NODE_NAME,      /* text: a variable, a function, an enumerator, with C++'s scopes: "a::b<int>::c" */
	TL_NODE_IN_FILE,   /* text: a file; first: the name in it ('file.c'::name) */
	TL_NODE_VARIABLE,  /* text: a register or a convenience variable, without its $ */
	TL_NODE_HISTORY,   /* integer; is_absolute */
	/* Operators */
	TL_NODE_UNARY,       /* operation; first */
	TL_NODE_POSTFIX,     /* operation ++ or --; first */
	TL_NODE_BINARY,      /* operation; first, second; @ and , among them; TL_DOT and TL_ARROW for .* and ->* */
	TL_NODE_ASSIGN,      /* operation: TL_ASSIGN, or the operator of a compound one; first, second */
	TL_NODE_CONDITIONAL, /* first ? second : third */
	TL_NODE_INDEX,       /* first [ second ] */
	TL_NODE_MEMBER,      /* first . text */
	TL_NODE_ARROW,       /* first -> text */
	TL_NODE_CALL,        /* first ( second, its next … ) */
	TL_NODE_CAST,        /* second: a type; first */
	TL_NODE_REINTERPRET, /* reinterpret_cast: the same */
	TL_NODE_DYNAMIC,     /* dynamic_cast: the same */
	TL_NODE_AT_ADDRESS,  /* { second: a type } first */
	TL_NODE_SIZEOF,      /* first: an expression or a type */
	TL_NODE_ALIGNOF,     /* the same */
	TL_NODE_TYPEID,      /* the same */
	/* Types; is_const and is_volatile hold for each */
	TL_NODE_TYPE_NAME,      /* text: "unsigned long", "struct point", "size_t"; tag: what the first word asks for */
	TL_NODE_TYPE_OF,        /* first: an expression (typeof, decltype) */
	TL_NODE_POINTER,        /* to first */
	TL_NODE_REFERENCE,      /* to first */
	TL_NODE_MOVE_REFERENCE, /* && to first */
	TL_NODE_ARRAY,          /* of first; integer: how many; is_absolute: a number was given */
	TL_NODE_FUNCTION, /* returns first; second, its next …: types of the parameters; is_absolute: and any more */
	TL_NODE_KIND_MAX
};

/* What a type's name was said to be. */
enum tl_type_tag { TL_TAG_NONE, TL_TAG_STRUCT, TL_TAG_UNION, TL_TAG_ENUM, TL_TAG_CLASS };

/* Index of a node in its expression. */
typedef tl_u32 tl_node_index;
#define TL_NO_NODE 0xffffffffu

struct tl_node {
	tl_u8 kind;      /* enum tl_node_kind */
	tl_u8 operation; /* enum tl_punctuator */
	tl_u8 rank;      /* enum tl_literal_rank */
	tl_u8 width;
	tl_u8 tag;    /* enum tl_type_tag */
	tl_u8 height; /* levels below it; TL_EXPRESSION_DEPTH_MAX at the most */
	bool is_unsigned, is_decimal, is_absolute, is_const, is_volatile;
	tl_u32 at; /* where it stands in the text, for messages */
	tl_node_index first, second, third, next;
	union {
		tl_u64 integer;
		long double real;
		struct {
			const char *bytes; /* ends with a zero byte */
			tl_size size;
		} text;
	};
};

/* What the reader asks about a name with its scopes and template arguments, white space left out. */
struct tl_names {
	bool (*is_type)(void *context, const char *name, tl_size size);
	/* A template's instance: "max<int>". */
	bool (*is_template)(void *context, const char *name, tl_size size);
	/* The language has operators for names ("operator+") and members that are templates. */
	bool is_cplus;
	void *context;
};

struct tl_expression;

/*
 * Reads all of `text` (`size` bytes, copied). The caller frees it. `names` may be NULL: then only what C's own words
 * begin is a type. TL_ERROR_MALFORMED, with a sentence that says what was expected where; TL_ERROR_TOO_LONG past the
 * bounds above. Any thread.
 */
TL_CHECKED enum tl_status tl_expression_read(struct tl_expression **expression_ret, const char *text, tl_size size,
					     const struct tl_names *names, struct tl_error *error);

/* Frees it and all its texts; NULL is fine. */
void tl_expression_free(struct tl_expression *expression);

/* Its topmost node; a type's node where the text is a type: "struct point *". */
tl_node_index tl_expression_top(const struct tl_expression *expression);

/* A node, which belongs to the expression and does not change. `index` must be one of it. */
const struct tl_node *tl_expression_node(const struct tl_expression *expression, tl_node_index index);

/* True for a node of one of the kinds that stand for types. */
bool tl_node_is_type(const struct tl_node *node);

/* The text that it was read from. */
const char *tl_expression_text(const struct tl_expression *expression);

#endif

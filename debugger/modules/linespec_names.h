/*
 * Names of functions as a person types them, and whether a function is called so: any tail of its scopes, with template
 * arguments and parameters or without, with blanks as one likes ("a::f<int>(char const *) const"). Any thread.
 */
#ifndef TL_DEBUGGER_LINESPEC_NAMES_H
#define TL_DEBUGGER_LINESPEC_NAMES_H

#include "debugger/modules/linespec_words.h"
#include "symbols/output.h"

/* A name that is sought. Its parts are texts of their own. */
struct tl_sought_name {
	bool whole;            /* nothing may be around it */
	struct tl_output base; /* scopes and name, without blanks that mean nothing; begins with "::" if it is whole */
	struct tl_output indexed;    /* the same without template arguments, for tl_index_find */
	struct tl_output parameters; /* "(int,char)const"; "" for none */
};

/*
 * Cuts a word. `whole`: the name is whole, as one that begins with "::" is in any case. The caller releases it, also
 * after an error, which is TL_ERROR_NO_MEMORY or TL_ERROR_TOO_LONG.
 */
TL_CHECKED enum tl_status tl_sought_name_cut(struct tl_sought_name *name_ret, const struct tl_word *word, bool whole,
					     struct tl_error *error);
void tl_sought_name_release(struct tl_sought_name *name);

/* Is a function with this name, with scopes and maybe parameters, called so, whatever its parameters? */
bool tl_sought_name_matches(const struct tl_sought_name *name, const char *function);
/* Are the parameters in a function's name those that are sought? Without parameters in it, yes, as in C. */
bool tl_sought_parameters_match(const struct tl_sought_name *name, const char *function);

/* Where the last part of a name begins: "f<a::b>" in "ns::f<a::b>". */
const char *tl_name_last_part(const char *name);

#endif

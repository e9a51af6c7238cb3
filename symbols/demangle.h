/*
 * Names of functions and variables as a person wrote them, from what compilers made of them for the linker: C++ as in
 * the Itanium C++ ABI, section 5.1 ("External Names"), written as gdb and c++filt write it.
 *
 * Names come out of files and are not believed. A short name can stand for an endless text, and for endless work; both
 * are bounded here, and so is the stack.
 */
#ifndef TL_SYMBOLS_DEMANGLE_H
#define TL_SYMBOLS_DEMANGLE_H

#include "symbols/output.h"

/* No name that is longer is looked at, and no text becomes longer. */
#define TL_DEMANGLE_NAME_MAX 32768u
#define TL_DEMANGLE_TEXT_MAX ((tl_size)1 << 18)

enum tl_demangle_form {
	TL_DEMANGLE_WHOLE, /* std::vector<int>::push_back(int const&), void f<int>(int) */
	TL_DEMANGLE_NAME   /* std::vector<int>::push_back, f<int>: nothing of the type of the outermost function */
};

/* Whether a name looks like one that can be demangled: says no at once to most that cannot. */
bool tl_demangle_is_mangled(const char *name);

/*
 * Appends the text for a name to `output`. What follows an '@' (versions, "@plt") is taken over as it is. On failure
 * nothing is appended: TL_ERROR_ARGUMENT, without particulars, for a name that is none of C++ (see above);
 * TL_ERROR_MALFORMED for one that only begins like one; TL_ERROR_TOO_LONG, TL_ERROR_NO_MEMORY. Any thread; takes up to
 * 150 KiB of stack for names that are made to, 10 for others.
 */
TL_CHECKED enum tl_status tl_demangle(const char *name, enum tl_demangle_form form, struct tl_output *output,
				      struct tl_error *error);

/* The same for a type's name alone, as typeid(...).name() has it: "St6vectorIiSaIiEE". */
TL_CHECKED enum tl_status tl_demangle_type(const char *name, struct tl_output *output, struct tl_error *error);

#endif

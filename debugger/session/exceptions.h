/*
 * Exceptions of C++ while they are under way: at the functions that each goes through (Itanium C++ ABI: Exception
 * Handling, section 2.4), what is thrown is told by their arguments.
 */
#ifndef TL_DEBUGGER_EXCEPTIONS_H
#define TL_DEBUGGER_EXCEPTIONS_H

#include "debugger/session/session.h"
#include "symbols/output.h"

/*
 * Where the object that is thrown or caught stands, and what it is: "failure", "std::runtime_error". The thread must
 * stand at the first instruction of __cxa_throw or __cxa_begin_catch: TL_ERROR_STATE elsewhere, TL_ERROR_UNSUPPORTED
 * for what another language threw, or a CPU whose calls are not known. `type` is added to.
 */
TL_CHECKED enum tl_status tl_session_exception(struct tl_session *session, struct tl_thread_id thread,
					       tl_u64 *object_ret, struct tl_output *type, struct tl_error *error);

/* Whether a regular expression is found in the type of what is thrown or caught there; true where that is not known. */
bool tl_session_exception_matches(struct tl_session *session, struct tl_thread_id thread, const char *pattern);

/* $_exception: the object itself. */
TL_CHECKED enum tl_status tl_session_exception_value(struct tl_session *session, struct tl_value *value_ret,
						     struct tl_error *error);

#endif

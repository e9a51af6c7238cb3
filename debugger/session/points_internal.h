/* What the run of a session asks of its points (debugger/session/breakpoint.h). */
#ifndef TL_DEBUGGER_POINTS_INTERNAL_H
#define TL_DEBUGGER_POINTS_INTERNAL_H

#include "debugger/session/session.h"

/* ---- breakpoint.c: the list ---- */

/* Takes a point off the list and frees it. */
void tl_breakpoint_take_out(struct tl_session *session, struct tl_breakpoint *breakpoint);

/* ---- breakpoint_places.c: where points stand ---- */

struct tl_debugged;

/* Places of several inferiors. */
struct tl_locations {
	struct tl_breakpoint_location *items;
	tl_size count;
};

/* The modules of its process, or of its program as linked. */
struct tl_modules *tl_inferior_modules(const struct tl_debugged *debugged);
/* Replaces the addresses of a point by some in the selected inferior; those that were disabled stay so. */
TL_CHECKED enum tl_status tl_breakpoint_set_locations(struct tl_session *session, struct tl_breakpoint *breakpoint,
						      const struct tl_code_places *places, struct tl_error *error);
void tl_breakpoint_release_locations(struct tl_breakpoint *breakpoint);
/*
 * Replaces them by what a place means in all inferiors; where one stands (`base`) is in the selected one. *text_ret
 * (unless `text_ret` is NULL; the caller frees) is the place for a later time. Errors as of tl_linespec_find.
 */
TL_CHECKED enum tl_status tl_breakpoint_find_places(struct tl_session *session, const struct tl_linespec_base *base,
						    const char *text, struct tl_breakpoint *breakpoint, char **text_ret,
						    const char **rest_ret, struct tl_error *error);
/* Finds the places of points anew, where modules came or went since. */
void tl_breakpoints_resolve(struct tl_session *session);
/* Finds where the C++ run-time throws, catches or rethrows; pending while that is not loaded. */
void tl_breakpoint_find_thrower(struct tl_session *session, struct tl_breakpoint *breakpoint);
/* An inferior goes off the list: its places and watchpoints go too. */
void tl_breakpoints_inferior_gone(struct tl_session *session, tl_u32 inferior);
/* A child is followed and its parent let go: what watched and waited there does so here. */
void tl_breakpoints_follow(struct tl_session *session, const struct tl_debugged *from, const struct tl_debugged *to);

/* ---- watch.c ---- */

/* Fills in a watchpoint on the expression of the request, in the selected frame. */
TL_CHECKED enum tl_status tl_breakpoint_make_watch(struct tl_session *session,
						   const struct tl_breakpoint_request *request,
						   struct tl_breakpoint *breakpoint, struct tl_error *error);

void tl_watch_release(struct tl_breakpoint *breakpoint);
/* Must the program be stepped, instruction by instruction, for a watchpoint's sake? */
bool tl_watch_steps(const struct tl_session *session);
/* After such a step: has the value of one changed? Fills in the stop. */
bool tl_watch_stepped(struct tl_session *session, struct tl_thread_id thread, struct tl_stop *stop);

/* ---- breakpoint_insert.c: what stands in the engine ---- */

/* Gives back all points of a session that closes. */
void tl_breakpoints_release(struct tl_session *session);
/* A process has become two: the child has what stood in the parent. */
void tl_breakpoints_forked(struct tl_session *session, tl_u64 parent, tl_u64 child);
/* Makes the engine's points what the list wants. Those that cannot be inserted are an error that names them. */
TL_CHECKED enum tl_status tl_breakpoints_sync(struct tl_session *session, struct tl_error *error);
/* The process is gone: nothing is inserted in it any more. */
void tl_breakpoints_forget(struct tl_session *session, tl_u64 process);

/*
 * Does a condition make sense where the point stands? An error says what is wrong with it; places where it does not,
 * others having one where it does or `force` being set, are disabled with a remark. NULL: none, which always does.
 */
TL_CHECKED enum tl_status tl_breakpoint_check_condition(struct tl_session *session, struct tl_breakpoint *breakpoint,
							const char *condition, bool force, struct tl_error *error);

/* A point of the session's own, in the selected process; removing takes all of a kind (and owner) away. */
enum tl_internal_point {
	TL_INTERNAL_LIBRARY,   /* the dynamic linker changed its list */
	TL_INTERNAL_STEP,      /* a plan waits for the thread here */
	TL_INTERNAL_CALL,      /* a called function returns here */
	TL_INTERNAL_HELD,      /* as STEP, while a function is called on the way */
	TL_INTERNAL_TERMINATE, /* a called function lets an exception go: std::terminate */
	TL_INTERNAL_SCOPE,     /* the frame of a watched variable ends here; owner: the watchpoint */
	TL_INTERNAL_RESOLVER,  /* it was chosen which function an indirect one is; owner: the breakpoint */
	TL_INTERNAL_MAX
};
TL_CHECKED enum tl_status tl_breakpoints_add_internal(struct tl_session *session, enum tl_internal_point kind,
						      tl_u64 address, tl_u32 owner, struct tl_error *error);
void tl_breakpoints_remove_internal(struct tl_session *session, enum tl_internal_point kind, tl_u32 owner);
/* All of a kind become of another. */
void tl_breakpoints_turn_internal(struct tl_session *session, enum tl_internal_point from, enum tl_internal_point to);
bool tl_breakpoints_has_internal(const struct tl_session *session, tl_u64 process, enum tl_internal_point kind,
				 tl_u64 address);
bool tl_breakpoints_has_owned(const struct tl_session *session, tl_u64 process, enum tl_internal_point kind,
			      tl_u64 address, tl_u32 owner);

/* ---- indirect_points.c ---- */

/* A thread is at the beginning of what chooses an indirect function; it came back from there. */
void tl_breakpoints_resolver_hit(struct tl_session *session, struct tl_thread_id thread, tl_u64 address);
void tl_breakpoints_resolver_returned(struct tl_session *session, struct tl_thread_id thread, tl_u64 address);

/* ---- breakpoint_hit.c: what a stop means for them ---- */

/*
 * Which points a thread that stands at `address` has hit (software and hardware breakpoints): counts, ignores,
 * conditions and threads are minded; dprintf prints. Fills in numbers and text of the stop; true when one of them
 * stops.
 */
bool tl_breakpoints_hit(struct tl_session *session, struct tl_thread_id thread, tl_u64 address, struct tl_stop *stop);
/* The same for catchpoints; `text` is what a pattern is compared with (a library, a program), or NULL. */
bool tl_breakpoints_catch(struct tl_session *session, enum tl_breakpoint_kind kind, tl_u64 number, const char *text,
			  struct tl_stop *stop);
/* The same for libraries that came and went, by their paths. */
struct tl_libraries {
	const char **paths;
	tl_size count;
};
bool tl_breakpoints_catch_libraries(struct tl_session *session, struct tl_thread_id thread,
				    const struct tl_libraries *added, const struct tl_libraries *removed,
				    struct tl_stop *stop);
/* Puts the numbers of a stop in ascending order. */
void tl_stop_sort_numbers(struct tl_stop *stop);
/* The same for watchpoints; one whose value did not change does not count. */
bool tl_breakpoints_watch_hit(struct tl_session *session, const struct tl_report *report, struct tl_stop *stop);
/*
 * What is in the memory of a process is known anew: what is watched there by names of the program stands where they
 * are now. A thread of it stands.
 */
void tl_breakpoints_watch_anew(struct tl_session *session, const struct tl_debugged *debugged);
/* Backwards: was the frame of a watched variable not made yet? The same becomes of its watchpoint. */
bool tl_breakpoints_scope_undone(struct tl_session *session, struct tl_thread_id thread, struct tl_stop *stop);
/* Has the frame of a watched variable ended here? Its watchpoint then is the stop's, and goes. */
bool tl_breakpoints_scope_ended(struct tl_session *session, struct tl_thread_id thread, tl_u64 address,
				struct tl_stop *stop);
/* Of a point that was hit: its condition, counts and ends; true when it stops the program. */
bool tl_breakpoint_counts(struct tl_session *session, struct tl_thread_id thread, struct tl_breakpoint *breakpoint,
			  struct tl_stop *stop);
/* May it take a call of a function of the program to find out whether a point counts? */
bool tl_breakpoints_may_call(const struct tl_session *session);
/* Is there an enabled catchpoint of a kind? */
bool tl_breakpoints_catches(const struct tl_session *session, enum tl_breakpoint_kind kind);
/* Tells the engine which system calls are to be caught. */
void tl_breakpoints_set_syscalls(struct tl_session *session);
/* `continue N`: the points of the stop are ignored so many times more. */
void tl_breakpoints_ignore_hit(struct tl_session *session, const struct tl_stop *stop, tl_u64 count);
/* Is one of the points that were hit at an address placed in a function of that name? */
bool tl_breakpoints_names_function(struct tl_session *session, const struct tl_stop *stop, tl_u64 address,
				   const char *name);
/* The thread of that number has ended: points that were for it alone go. */
void tl_breakpoints_thread_gone(struct tl_session *session, tl_u32 number);
/* The program is started anew: nothing was hit yet. */
void tl_breakpoints_forget_hits(struct tl_session *session);
/* The process of an inferior has ended: its watchpoints of frames go, hit counts stay. */
void tl_breakpoints_process_ended(struct tl_session *session, tl_u32 inferior);

#endif

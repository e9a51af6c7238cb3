/*
 * Points as people see them: numbered, named by a place in the program, with conditions, counts and commands; each
 * stands for any number of addresses, which change as libraries come and go and as the program is started again.
 *
 * What a point stands for in the engine is the session's business: whatever is changed here is carried out there by
 * the time the program runs. Control thread only.
 */
#ifndef TL_DEBUGGER_BREAKPOINT_H
#define TL_DEBUGGER_BREAKPOINT_H

#include "debugger/modules/linespec.h"
#include "debugger/values/value.h"

struct tl_session;
struct tl_breakpoints;

enum tl_breakpoint_kind {
	TL_BREAKPOINT,
	TL_BREAKPOINT_HARDWARE,
	TL_BREAKPOINT_PRINTF, /* dprintf: prints, and runs on */
	TL_WATCHPOINT,        /* write */
	TL_WATCHPOINT_READ,
	TL_WATCHPOINT_ACCESS,
	TL_CATCH_FORK,
	TL_CATCH_VFORK,
	TL_CATCH_EXEC,
	TL_CATCH_SYSCALL,
	TL_CATCH_SIGNAL,
	TL_CATCH_LOAD,
	TL_CATCH_UNLOAD,
	TL_CATCH_THROW,
	TL_CATCH_CATCH,
	TL_CATCH_RETHROW
};

/* Does a point of the kind stand at code: addresses where a thread is stopped? */
static inline bool tl_breakpoint_is_code(enum tl_breakpoint_kind kind)
{
	return kind <= TL_BREAKPOINT_PRINTF || kind >= TL_CATCH_THROW;
}

static inline bool tl_breakpoint_is_watch(enum tl_breakpoint_kind kind)
{
	return kind >= TL_WATCHPOINT && kind <= TL_WATCHPOINT_ACCESS;
}

/* One address of it. */
struct tl_breakpoint_location {
	tl_u32 inferior; /* by number */
	tl_u64 address;
	bool enabled;
	bool inserted;  /* in the engine */
	bool at_target; /* the condition is evaluated beside the program */
	bool inlined;   /* in an inlined copy of the function */
	bool refused;   /* off because the condition makes no sense here */
	bool resolver;  /* where it is chosen which function an indirect one is: the point goes there, and stops nobody
			 */
	tl_u64 chosen_by; /* of a place that was found so: the resolver; else 0 */
	char *function;   /* NULL: not known */
	char *file;       /* NULL: not known */
	tl_u32 line;
};

/* Bytes that a watchpoint is on. */
#define TL_WATCHED_MAX 8
#define TL_WATCHED_SIZE_MAX 64
struct tl_watched {
	tl_u64 address, size;
	tl_u8 bytes[TL_WATCHED_SIZE_MAX]; /* what stood there when it was looked at last */
};

struct tl_breakpoint {
	tl_u32 number;
	enum tl_breakpoint_kind kind;
	tl_u32 inferior; /* that was selected when it was made: a watchpoint's memory is that one's */
	bool enabled, temporary, pending;
	bool gone;   /* a temporary one that was hit: kept for its commands until the program runs again, not listed */
	char *place; /* as it was given; of a watchpoint, the expression */
	char *condition;
	char *commands; /* lines; NULL: none */
	char *format;   /* dprintf: the format and arguments as they were typed */
	tl_u64 hits, ignore;
	tl_u32 thread;       /* by number; 0: any */
	tl_u32 enable_count; /* enable count N: disabled after so many hits; 0: not so */
	bool delete_at_hit;  /* enable delete */
	struct tl_breakpoint_location *locations;
	tl_size location_count;
	/* Watchpoints: the memory that the expression's value is made from, and what stood there last. */
	bool software;     /* too much for the debug registers, or no memory at all: the program is stepped */
	bool no_registers; /* software whatever is free: no memory, too much of it, or the target refused */
	bool by_location;  /* watch -l */
	bool has_scope;    /* it ends with the frame whose address is next, when that returns to `scope_caller` */
	tl_u64 scope_frame, scope_caller;
	tl_u64 scope_function; /* where the frame's function begins: another's may be at its place before it */
	struct tl_watched watched[TL_WATCHED_MAX];
	tl_size watched_count;
	struct tl_value old_value, new_value; /* bytes belong to the point; type NULL: none, it cannot be read */
	/* Catchpoints: numbers of system calls or signals; count 0: any. */
	tl_u64 *numbers;
	tl_size number_count;
	char *pattern; /* catch load, catch throw: a regular expression; NULL: any */
};

/* What to make. Strings are copied. */
struct tl_breakpoint_request {
	enum tl_breakpoint_kind kind;
	const char *place; /* a place, with " if CONDITION" and " thread N" behind it; an expression to watch */
	bool temporary, by_location;
	bool allow_pending; /* a place that is not there yet may come with a library */
	const char *format;
	const tl_u64 *numbers;
	tl_size number_count;
	const char *pattern;
	struct tl_code_places *places; /* found already; NULL: find them */
};

/*
 * Makes a point. *breakpoint_ret belongs to the list. TL_ERROR_NO_SYMBOL: the place is not there, and it may not be
 * pending; a condition that makes no sense, an expression that cannot be watched, are errors too, and nothing is made.
 */
TL_CHECKED enum tl_status tl_breakpoint_make(struct tl_session *session, const struct tl_breakpoint_request *request,
					     struct tl_breakpoint **breakpoint_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_breakpoint_delete(struct tl_session *session, tl_u32 number, struct tl_error *error);
/* `location`: 1, 2, … of one address; 0: the point itself. */
TL_CHECKED enum tl_status tl_breakpoint_enable(struct tl_session *session, tl_u32 number, tl_u32 location, bool on,
					       struct tl_error *error);
/* NULL or "": no condition any more. Checked by its types where the point stands; `force`: taken all the same. */
TL_CHECKED enum tl_status tl_breakpoint_set_condition(struct tl_session *session, tl_u32 number, const char *condition,
						      bool force, struct tl_error *error);
TL_CHECKED enum tl_status tl_breakpoint_set_commands(struct tl_session *session, tl_u32 number, const char *commands,
						     struct tl_error *error);

/* NULL: none of that number. In the order of numbers: the index-th, NULL past the end. */
struct tl_breakpoint *tl_breakpoint_find(struct tl_session *session, tl_u32 number);
struct tl_breakpoint *tl_breakpoint_at(struct tl_session *session, tl_size index);

/* Writes the commands that would make all of them again (save breakpoints). */
struct tl_output;
void tl_breakpoints_save(struct tl_session *session, struct tl_output *output);

/* What dprintf does when it is hit, as a command: "printf \"%d\\n\",i", or a call, by the settings. */
void tl_breakpoint_write_print(const struct tl_session *session, const struct tl_breakpoint *breakpoint,
			       struct tl_output *output);

#endif

/*
 * What stands in the engine for the points of a session: worked out anew as a list of what is wanted, and compared with
 * what is there. So nothing has to be undone one by one, whatever was changed.
 */
#include "debugger/session/debug_registers.h"
#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODE_MAX 4096
#define CONDITIONS_MAX 16

/* ---- Points of the session's own ---- */

enum tl_status tl_breakpoints_add_internal(struct tl_session *session, enum tl_internal_point kind, tl_u64 address,
					   tl_u32 owner, struct tl_error *error)
{
	struct tl_breakpoints *points = &session->points;

	if (!tl_grow(tl_storage(), (void **)&points->internals, &points->internal_capacity, points->internal_count,
		     sizeof(*points->internals)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a point");
	points->internals[points->internal_count++] = (struct tl_internal){
		.kind = kind, .process = session->selected.process, .address = address, .owner = owner};
	return TL_OK;
}

void tl_breakpoints_remove_internal(struct tl_session *session, enum tl_internal_point kind, tl_u32 owner)
{
	struct tl_breakpoints *points = &session->points;
	tl_size kept = 0;

	for (tl_size i = 0; i < points->internal_count; i++)
		if (points->internals[i].kind != kind || points->internals[i].owner != owner)
			points->internals[kept++] = points->internals[i];
	points->internal_count = kept;
}

void tl_breakpoints_turn_internal(struct tl_session *session, enum tl_internal_point from, enum tl_internal_point to)
{
	for (tl_size i = 0; i < session->points.internal_count; i++)
		if (session->points.internals[i].kind == from)
			session->points.internals[i].kind = to;
}

bool tl_breakpoints_has_internal(const struct tl_session *session, tl_u64 process, enum tl_internal_point kind,
				 tl_u64 address)
{
	const struct tl_breakpoints *points = &session->points;
	const struct tl_debugged *debugged = tl_session_debugged(session, process);

	if (kind == TL_INTERNAL_LIBRARY)
		return debugged != NULL && tl_modules_watch_address(debugged->modules) == address;
	for (tl_size i = 0; i < points->internal_count; i++)
		if (points->internals[i].kind == kind && points->internals[i].process == process &&
		    points->internals[i].address == address)
			return true;
	return false;
}

bool tl_breakpoints_has_owned(const struct tl_session *session, tl_u64 process, enum tl_internal_point kind,
			      tl_u64 address, tl_u32 owner)
{
	const struct tl_breakpoints *points = &session->points;

	for (tl_size i = 0; i < points->internal_count; i++)
		if (points->internals[i].kind == kind && points->internals[i].process == process &&
		    points->internals[i].address == address && points->internals[i].owner == owner)
			return true;
	return false;
}

/* ---- Conditions ---- */

struct compiled {
	tl_u8 bytes[CODE_MAX];
	tl_size size;
};

struct scratch {
	struct tl_environment_store *store;
	struct tl_environment environment;
	struct tl_code_environment code;
	struct tl_expression *expression;
};

static void close_scratch(struct scratch *scratch)
{
	tl_expression_free(scratch->expression);
	tl_environment_close(scratch->store);
}

/* Reads a condition as at an address, whether or not a thread stands there. */
static enum tl_status open_scratch(struct tl_session *session, const struct tl_breakpoint_location *location,
				   const char *condition, struct scratch *scratch_ret, struct tl_error *error)
{
	const struct tl_debugged *debugged = tl_session_numbered_inferior(session, location->inferior);
	struct tl_surroundings surroundings = {
		.engine = debugged != NULL && debugged->process != 0 ? session->engine : NULL,
		.modules = debugged != NULL ? tl_inferior_modules(debugged) : tl_session_modules(session),
		.address = location->address,
		.variables = session->variables,
		.types = session->types,
		.arena = &session->arena,
		.patience = session->patience,
		.language = session->settings.language,
		.context = session,
	};
	enum tl_status status;

	*scratch_ret = (struct scratch){0};
	TL_TRY(tl_environment_open(&scratch_ret->store, &surroundings, &scratch_ret->environment, &scratch_ret->code,
				   error));
	status = tl_session_read(session, &scratch_ret->environment, condition, strlen(condition),
				 &scratch_ret->expression, error);
	if (status != TL_OK)
		close_scratch(scratch_ret);
	return status;
}

static enum tl_status check_at(struct tl_session *session, const struct tl_breakpoint_location *location,
			       const char *condition, struct tl_error *error)
{
	const struct tl_type *type;
	struct scratch scratch;
	enum tl_status status;

	TL_TRY(open_scratch(session, location, condition, &scratch, error));
	status = tl_evaluate_type(&scratch.environment, scratch.expression, &type, error);
	close_scratch(&scratch);
	/* A variable of the debugger that is not set yet: later, perhaps. */
	return status != TL_OK && strchr(condition, '$') != NULL ? TL_OK : status;
}

/* Where it is not known yet which function it is, names cannot be looked up. */
static bool makes_sense(struct tl_session *session, const struct tl_breakpoint_location *location,
			const char *condition, struct tl_error *error)
{
	return location->resolver || check_at(session, location, condition, error) == TL_OK;
}

/* "2.1", or of a point that is not made yet, "1". */
static void write_place(const struct tl_breakpoint *breakpoint, tl_size index, char text[32])
{
	if (breakpoint->number != 0)
		(void)snprintf(text, 32, "%u.%zu", breakpoint->number, index + 1);
	else
		(void)snprintf(text, 32, "%zu", index + 1);
}

/* Where the condition makes no sense the place is off, and on again where it does. */
static void settle_places(struct tl_session *session, struct tl_breakpoint *breakpoint, const char *condition)
{
	for (tl_size i = 0; i < breakpoint->location_count; i++) {
		struct tl_breakpoint_location *location = &breakpoint->locations[i];
		bool valid = true;
		struct tl_error why;
		char place[32];

		if (condition != NULL)
			valid = makes_sense(session, location, condition, &why);
		write_place(breakpoint, i, place);
		if (valid && location->refused)
			tl_session_remark(session, "Breakpoint %u's condition is now valid at location %zu, enabling.",
					  breakpoint->number, i + 1);
		else if (!valid)
			tl_session_remark(session,
					  "warning: failed to validate condition at location %s, disabling:\n  %s",
					  place, why.text);
		if (valid && location->refused)
			location->enabled = true;
		location->refused = !valid;
		location->enabled = location->enabled && valid;
	}
}

enum tl_status tl_breakpoint_check_condition(struct tl_session *session, struct tl_breakpoint *breakpoint,
					     const char *condition, bool force, struct tl_error *error)
{
	struct tl_error first, why;
	tl_size failed = 0;

	for (tl_size i = 0; i < breakpoint->location_count && condition != NULL; i++)
		if (!makes_sense(session, &breakpoint->locations[i], condition, &why) && failed++ == 0)
			first = why;
	if (failed != 0 && failed == breakpoint->location_count && !force) {
		if (error != NULL)
			*error = first;
		return first.status;
	}
	/* One place where it makes sense is enough; the others are left out. */
	settle_places(session, breakpoint, condition);
	return TL_OK;
}

/* The code of a point's condition at one of its places; false when it cannot be decided beside the program. */
static bool compile(struct tl_session *session, const struct tl_breakpoint *breakpoint,
		    const struct tl_breakpoint_location *location, struct compiled *compiled)
{
	struct scratch scratch;
	struct tl_error error;
	bool done;

	/* The session counts what it ignores, and prints. */
	if (breakpoint->condition == NULL || breakpoint->thread != 0 || session->settings.conditions_here ||
	    open_scratch(session, location, breakpoint->condition, &scratch, &error) != TL_OK)
		return false;
	done = tl_compile(&scratch.code, scratch.expression, compiled->bytes, sizeof(compiled->bytes), &compiled->size,
			  &error) == TL_OK;
	close_scratch(&scratch);
	return done;
}

/* ---- What is wanted ---- */

struct wanted {
	enum tl_point_kind kind;
	tl_u64 address, size;
	bool always; /* somebody has no condition that the target could decide */
	struct compiled *conditions;
	tl_size condition_count;
	tl_u32 number; /* for messages; 0: the session's own */
};

struct wants {
	struct wanted *items;
	tl_size count, capacity;
};

static struct wanted *want(struct wants *wants, enum tl_point_kind kind, tl_u64 address, tl_u64 size)
{
	for (tl_size i = 0; i < wants->count; i++)
		if (wants->items[i].kind == kind && wants->items[i].address == address && wants->items[i].size == size)
			return &wants->items[i];
	if (!tl_grow(tl_storage(), (void **)&wants->items, &wants->capacity, wants->count, sizeof(*wants->items)))
		return NULL;
	wants->items[wants->count] = (struct wanted){.kind = kind, .address = address, .size = size};
	return &wants->items[wants->count++];
}

static void want_condition(struct tl_session *session, struct wanted *wanted, const struct tl_breakpoint *breakpoint,
			   struct tl_breakpoint_location *location)
{
	struct compiled *grown;

	location->at_target = false;
	wanted->always |= location->resolver;
	if (wanted->always)
		return;
	grown = wanted->condition_count < CONDITIONS_MAX
			? realloc(wanted->conditions, (wanted->condition_count + 1) * sizeof(*grown))
			: NULL;
	if (grown != NULL)
		wanted->conditions = grown;
	if (grown == NULL || !compile(session, breakpoint, location, &grown[wanted->condition_count])) {
		wanted->always = true;
		return;
	}
	wanted->condition_count++;
	location->at_target = true;
}

static void want_locations(struct tl_session *session, const struct tl_debugged *debugged, struct wants *wants,
			   struct tl_breakpoint *breakpoint, tl_u64 trap_size)
{
	for (tl_size i = 0; i < breakpoint->location_count; i++) {
		struct tl_breakpoint_location *location = &breakpoint->locations[i];
		struct wanted *wanted;

		if (location->inferior != debugged->number)
			continue;
		location->inserted = false;
		/* What is not at its place yet cannot be stopped there, and something else may be. */
		if (!location->enabled ||
		    (debugged->awaited && tl_modules_at(debugged->modules, location->address) != NULL))
			continue;
		wanted = want(wants, breakpoint->kind == TL_BREAKPOINT_HARDWARE ? TL_POINT_HARDWARE : TL_POINT_SOFTWARE,
			      location->address, breakpoint->kind == TL_BREAKPOINT_HARDWARE ? 1 : trap_size);
		if (wanted == NULL)
			continue;
		wanted->number = breakpoint->number;
		want_condition(session, wanted, breakpoint, location);
		location->inserted = true;
	}
}

static void want_bytes(struct wants *wants, const struct tl_breakpoint *breakpoint, const struct tl_watched *watched)
{
	struct tl_debug_piece pieces[TL_DEBUG_PIECES_MAX];
	tl_size count = tl_debug_pieces(breakpoint, watched, pieces);

	for (tl_size i = 0; i < count; i++) {
		struct wanted *wanted = want(wants, pieces[i].kind, pieces[i].address, pieces[i].size);

		if (wanted != NULL) {
			wanted->always = true;
			wanted->number = breakpoint->number;
		}
	}
}

static void collect(struct tl_session *session, const struct tl_debugged *debugged, struct wants *wants,
		    tl_u64 trap_size)
{
	struct tl_breakpoints *points = &session->points;
	tl_u64 library = tl_modules_watch_address(debugged->modules);
	struct wanted *wanted;

	for (tl_size i = 0; i < points->count; i++) {
		struct tl_breakpoint *breakpoint = points->items[i];

		if (!breakpoint->enabled || breakpoint->gone)
			continue;
		if (tl_breakpoint_is_code(breakpoint->kind))
			want_locations(session, debugged, wants, breakpoint, trap_size);
		else if (breakpoint->kind <= TL_WATCHPOINT_ACCESS && !breakpoint->software &&
			 breakpoint->inferior == debugged->number)
			for (tl_size j = 0; j < breakpoint->watched_count; j++)
				want_bytes(wants, breakpoint, &breakpoint->watched[j]);
	}
	for (tl_size i = 0; i < points->internal_count; i++) {
		if (points->internals[i].process != debugged->process)
			continue;
		wanted = want(wants, TL_POINT_SOFTWARE, points->internals[i].address, trap_size);
		if (wanted != NULL)
			wanted->always = true;
	}
	wanted = library != 0 ? want(wants, TL_POINT_SOFTWARE, library, trap_size) : NULL;
	if (wanted != NULL)
		wanted->always = true;
}

/* ---- What is there ---- */

/* FNV-1a over the code of all conditions: another number, another set of conditions. 0: none. */
static tl_u64 stamp_of(const struct wanted *wanted)
{
	tl_u64 stamp = 0xcbf29ce484222325u;

	if (wanted->always || wanted->condition_count == 0)
		return 0;
	for (tl_size i = 0; i < wanted->condition_count; i++)
		for (tl_size j = 0; j < wanted->conditions[i].size; j++)
			stamp = (stamp ^ wanted->conditions[i].bytes[j]) * 0x100000001b3u;
	return stamp;
}

static enum tl_status insert(struct tl_session *session, tl_u64 process, const struct wanted *wanted)
{
	struct tl_agent_code codes[CONDITIONS_MAX];
	struct tl_point_request request = {.kind = wanted->kind, .address = wanted->address, .size = wanted->size};

	for (tl_size i = 0; i < wanted->condition_count && !wanted->always; i++)
		codes[i] = (struct tl_agent_code){.bytes = wanted->conditions[i].bytes,
						  .size = wanted->conditions[i].size};
	if (!wanted->always)
		request.conditions = (struct tl_bytecode_list){.items = codes, .count = wanted->condition_count};
	if (session->selected.process == process)
		tl_engine_look_through(session->engine, session->selected);
	return tl_engine_insert_point(session->engine, process, &request);
}

static struct tl_inserted *inserted_for(struct tl_breakpoints *points, tl_u64 process, const struct wanted *wanted)
{
	for (tl_size i = 0; i < points->inserted_count; i++) {
		struct tl_inserted *inserted = &points->inserted[i];

		if (inserted->process == process && inserted->kind == wanted->kind &&
		    inserted->address == wanted->address && inserted->size == wanted->size)
			return inserted;
	}
	return NULL;
}

static enum tl_status insert_wanted(struct tl_session *session, tl_u64 process, const struct wanted *wanted,
				    struct tl_error *error)
{
	struct tl_breakpoints *points = &session->points;
	tl_u64 stamp = stamp_of(wanted);
	struct tl_inserted *inserted = inserted_for(points, process, wanted);
	enum tl_status status;

	if (inserted != NULL && inserted->stamp == stamp)
		return TL_OK;
	if (inserted == NULL && !tl_grow(tl_storage(), (void **)&points->inserted, &points->inserted_capacity,
					 points->inserted_count, sizeof(*points->inserted)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a point");
	status = insert(session, process, wanted);
	if (status != TL_OK && wanted->number == 0)
		return TL_FAIL(error, status, "Cannot insert a breakpoint of Trapline's own at 0x%llx: %s.",
			       (unsigned long long)wanted->address, tl_status_text(status));
	if (status == TL_ERROR_MEMORY)
		return TL_FAIL(error, status,
			       "Warning:\nCannot insert breakpoint %u.\nCannot access memory at address 0x%llx\n",
			       wanted->number, (unsigned long long)wanted->address);
	if (status == TL_ERROR_POINT_FULL)
		return TL_FAIL(error, status,
			       "Warning:\nCould not insert hardware %s %u.\nCould not insert hardware breakpoints:\n"
			       "You may have requested too many hardware breakpoints/watchpoints.\n",
			       wanted->kind == TL_POINT_HARDWARE ? "breakpoint" : "watchpoint", wanted->number);
	if (status != TL_OK)
		return TL_FAIL(error, status, "Could not insert point %u at 0x%llx: %s.", wanted->number,
			       (unsigned long long)wanted->address, tl_status_text(status));
	if (inserted == NULL) {
		inserted = &points->inserted[points->inserted_count++];
		*inserted = (struct tl_inserted){
			.process = process, .address = wanted->address, .size = wanted->size, .kind = wanted->kind};
	}
	inserted->stamp = stamp;
	inserted->wanted = true;
	return TL_OK;
}

/* Before anything is inserted: the debug registers of what goes are free for what comes. */
static void remove_unwanted(struct tl_session *session, tl_u64 process, const struct wants *wants)
{
	struct tl_breakpoints *points = &session->points;
	tl_size kept = 0;

	for (tl_size i = 0; i < points->inserted_count; i++)
		points->inserted[i].wanted = false;
	for (tl_size i = 0; i < wants->count; i++) {
		struct tl_inserted *inserted = inserted_for(points, process, &wants->items[i]);

		if (inserted != NULL)
			inserted->wanted = true;
	}
	for (tl_size i = 0; i < points->inserted_count; i++) {
		struct tl_inserted *inserted = &points->inserted[i];

		if (!inserted->wanted && inserted->process == process)
			(void)tl_engine_remove_point(session->engine, inserted->process, inserted->kind,
						     inserted->address, inserted->size);
		else
			points->inserted[kept++] = *inserted;
	}
	points->inserted_count = kept;
}

static void take_gone_off(struct tl_session *session)
{
	for (tl_size i = session->points.count; i-- > 0;)
		if (session->points.items[i]->gone)
			tl_breakpoint_take_out(session, session->points.items[i]);
}

/* A target that has fewer debug registers than was thought: the watchpoint is stepped instead. */
static bool step_instead(struct tl_session *session, const struct wanted *wanted)
{
	struct tl_breakpoint *breakpoint = tl_breakpoint_find(session, wanted->number);

	if (wanted->kind != TL_POINT_WRITE || breakpoint == NULL || breakpoint->no_registers)
		return false;
	return breakpoint->no_registers = true;
}

/* *again_ret: some watchpoint is to be stepped now, and what is wanted is another set. */
static enum tl_status sync_once(struct tl_session *session, const struct tl_debugged *debugged, tl_u64 trap_size,
				bool *again_ret, struct tl_error *error)
{
	struct wants wants = {0};
	enum tl_status status = TL_OK;

	*again_ret = false;
	tl_debug_registers_share(session, debugged);
	collect(session, debugged, &wants, trap_size);
	remove_unwanted(session, debugged->process, &wants);
	for (tl_size i = 0; i < wants.count; i++) {
		struct tl_error why;
		enum tl_status one = insert_wanted(session, debugged->process, &wants.items[i], &why);

		if (one != TL_OK && step_instead(session, &wants.items[i])) {
			*again_ret = true;
		} else if (one != TL_OK && status == TL_OK) {
			status = one;
			if (error != NULL)
				*error = why;
		}
	}
	for (tl_size i = 0; i < wants.count; i++)
		free(wants.items[i].conditions);
	tl_release(tl_storage(), wants.items, wants.capacity * sizeof(*wants.items));
	return status;
}

static enum tl_status sync_process(struct tl_session *session, const struct tl_debugged *debugged,
				   struct tl_error *error)
{
	struct tl_process_facts facts;
	enum tl_status status;
	bool again;

	if (tl_engine_facts(session->engine, debugged->process, &facts) != TL_OK)
		return TL_OK;
	/* Each turn but the last takes the registers from one watchpoint at the least. */
	do
		status = sync_once(session, debugged, facts.cpu->trap_size, &again, error);
	while (again);
	return status;
}

enum tl_status tl_breakpoints_sync(struct tl_session *session, struct tl_error *error)
{
	enum tl_status status = TL_OK;

	if ((tl_target_capabilities(session->target) & TL_CAN_RUN) == 0)
		return TL_OK;
	for (tl_size i = 0; i < session->inferior_count; i++) {
		struct tl_error why;
		enum tl_status one = session->inferiors[i]->process != 0
					     ? sync_process(session, session->inferiors[i], &why)
					     : TL_OK;

		if (one != TL_OK && status == TL_OK) {
			status = one;
			if (error != NULL)
				*error = why;
		}
	}
	return status;
}

void tl_breakpoints_forked(struct tl_session *session, tl_u64 parent, tl_u64 child)
{
	struct tl_breakpoints *points = &session->points;
	const tl_size count = points->inserted_count;

	for (tl_size i = 0; i < count; i++) {
		if (points->inserted[i].process != parent)
			continue;
		/* One that is not noted here stays in the child unused, and is passed there. */
		if (!tl_grow(tl_storage(), (void **)&points->inserted, &points->inserted_capacity,
			     points->inserted_count, sizeof(*points->inserted)))
			return;
		points->inserted[points->inserted_count] = points->inserted[i];
		points->inserted[points->inserted_count++].process = child;
	}
}

/* What was chosen in a program that is gone is chosen anew in the next. */
static void forget_chosen(struct tl_session *session, tl_u64 process)
{
	const struct tl_debugged *debugged = tl_session_debugged(session, process);

	for (tl_size i = 0; debugged != NULL && i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		for (tl_size j = 0; j < breakpoint->location_count; j++)
			if (breakpoint->locations[j].inferior == debugged->number)
				breakpoint->locations[j].chosen_by = 0;
	}
}

void tl_breakpoints_forget(struct tl_session *session, tl_u64 process)
{
	struct tl_breakpoints *points = &session->points;
	tl_size kept = 0;

	for (tl_size i = 0; i < points->inserted_count; i++)
		if (points->inserted[i].process != process)
			points->inserted[kept++] = points->inserted[i];
	points->inserted_count = kept;
	/* Stubs give the same number to one program after the other. */
	kept = 0;
	for (tl_size i = 0; i < points->internal_count; i++)
		if (points->internals[i].process != process)
			points->internals[kept++] = points->internals[i];
	points->internal_count = kept;
	forget_chosen(session, process);
	take_gone_off(session);
}

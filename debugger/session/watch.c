/*
 * Watchpoints: which memory the value of an expression is made from, whether it changed, and where its scope ends.
 *
 * Which memory that is, is seen by evaluating it: whatever is read on the way decides the value, so `p->next->size`
 * watches p, its next, and that one's size, and follows them as they change. Where no memory is read (a variable in a
 * register), or more than the debug registers can hold, the program is stepped and compared.
 */
#include "debugger/session/debug_registers.h"
#include "debugger/session/session_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- What was read ---- */

struct recorder {
	const struct tl_value_context *values;
	struct tl_watched *watched;
	tl_size count;
	bool too_much;
};

static enum tl_status record(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	struct recorder *recorder = context;
	const struct tl_value_context *values = recorder->values;

	TL_TRY(values->read(values->context, address, buffer, size, error));
	for (tl_size i = 0; i < recorder->count; i++)
		if (recorder->watched[i].address == address && recorder->watched[i].size == size)
			return TL_OK;
	if (recorder->count == TL_WATCHED_MAX || size > TL_WATCHED_SIZE_MAX) {
		recorder->too_much = true;
		return TL_OK;
	}
	recorder->watched[recorder->count] = (struct tl_watched){.address = address, .size = size};
	memcpy(recorder->watched[recorder->count++].bytes, buffer, (tl_size)size);
	return TL_OK;
}

/* ---- Frames ---- */

static enum tl_status machine_frame(struct tl_stack *stack, tl_u32 level, const struct tl_stack_frame **frame_ret,
				    struct tl_error *error)
{
	do
		TL_TRY(tl_stack_frame(stack, level++, frame_ret, error));
	while ((*frame_ret)->inlined);
	return TL_OK;
}

/* Selects the frame in which a watchpoint's names mean what they meant; false when it is on no such stack. */
static bool select_scope(struct tl_session *session, const struct tl_breakpoint *breakpoint)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct tl_error error;

	if (!breakpoint->has_scope)
		return true;
	if (tl_session_stack(session, &stack, &error) != TL_OK)
		return false;
	for (tl_u32 level = 0; tl_stack_frame(stack, level, &frame, &error) == TL_OK; level++) {
		if (frame->frame_address == breakpoint->scope_frame)
			return tl_session_select_frame(session, level, &error) == TL_OK;
		if (frame->frame_address > breakpoint->scope_frame)
			break;
	}
	return false;
}

/* ---- Values ---- */

static void release_value(struct tl_value *value)
{
	tl_u8 *bytes = (tl_u8 *)(tl_size)value->bytes, *absent = (tl_u8 *)(tl_size)value->absent;

	free(bytes);
	free(absent);
	*value = (struct tl_value){0};
}

void tl_watch_release(struct tl_breakpoint *breakpoint)
{
	release_value(&breakpoint->old_value);
	release_value(&breakpoint->new_value);
}

/* A value that outlives the stop: its bytes are the point's own. */
static void keep_value(struct tl_value *kept, const struct tl_value *value)
{
	tl_u8 *bytes = malloc((tl_size)value->size + 1);

	release_value(kept);
	if (bytes == NULL || value->bytes == NULL) {
		free(bytes);
		return;
	}
	memcpy(bytes, value->bytes, (tl_size)value->size);
	*kept = *value;
	kept->bytes = bytes;
	kept->absent = NULL;
	kept->where = NULL;
}

static bool same_value(const struct tl_value *left, const struct tl_value *right)
{
	if (left->type == NULL || right->type == NULL)
		return left->type == right->type;
	return left->size == right->size && memcmp(left->bytes, right->bytes, (tl_size)left->size) == 0;
}

/* Evaluates the expression in the selected frame, and notes which memory its value is made from. */
static enum tl_status evaluate(struct tl_session *session, const char *text, tl_size size, struct recorder *recorder,
			       struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_environment recording;
	struct tl_expression *expression;
	enum tl_status status;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	recording = *environment;
	recorder->values = &environment->values;
	recording.values.read = record;
	recording.values.context = recorder;
	/* What stores takes its own context; a watched expression stores nothing. */
	recording.values.write = NULL;
	recording.values.store = NULL;
	recording.call = NULL;
	TL_TRY(tl_session_read(session, environment, text, size, &expression, error));
	status = tl_evaluate(&recording, expression, value_ret, error);
	tl_expression_free(expression);
	if (status == TL_OK)
		status = tl_value_load(&recording.values, value_ret, error);
	return status;
}

static void take_memory(struct tl_breakpoint *breakpoint, const struct recorder *recorder,
			const struct tl_watched *watched)
{
	memcpy(breakpoint->watched, watched, recorder->count * sizeof(*watched));
	breakpoint->watched_count = recorder->count;
}

/* ---- Making ---- */

/* Where a condition begins behind an expression: at an `if` outside of brackets and quotes. */
static const char *find_condition(const char *text)
{
	int depth = 0;
	char quote = '\0';

	for (const char *at = text; *at != '\0'; at++) {
		if (quote != '\0') {
			if (*at == '\\' && at[1] != '\0')
				at++;
			else if (*at == quote)
				quote = '\0';
		} else if (*at == '"' || *at == '\'') {
			quote = *at;
		} else if (strchr("([{", *at) != NULL) {
			depth++;
		} else if (strchr(")]}", *at) != NULL) {
			depth--;
		} else if (depth == 0 && at != text && isspace((unsigned char)at[-1]) && strncmp(at, "if", 2) == 0 &&
			   (isspace((unsigned char)at[2]) || at[2] == '(')) {
			return at;
		}
	}
	return NULL;
}

struct search {
	const char *name;
	bool found;
};

static bool is_that(void *context, const struct tl_frame_variable *variable)
{
	struct search *search = context;

	search->found = variable->name != NULL && strcmp(variable->name, search->name) == 0;
	return !search->found;
}

/* Between the stack pointer and the end of the selected frame: of a machine's program, the stack is in a module. */
static bool is_on_stack(struct tl_session *session, tl_u64 address)
{
	const struct tl_stack_frame *frame;
	struct tl_process_facts facts;
	struct tl_error error;
	tl_u8 *file;

	if (tl_session_frame(session, &frame, &error) != TL_OK ||
	    tl_engine_facts(session->engine, session->selected.process, &facts) != TL_OK ||
	    tl_engine_registers(session->engine, session->selected, 1, &file) != TL_OK)
		return false;
	return address >= tl_cpu_get(facts.cpu, file, facts.cpu->stack_pointer) && address < frame->frame_address;
}

/* Does the expression name something that ends with the frame? */
static bool uses_frame(struct tl_session *session, const char *text, tl_size size)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_expression *expression;
	struct tl_error error;
	bool uses = false;
	tl_node_index top;

	if (tl_session_environment(session, &environment, &store, &error) != TL_OK ||
	    tl_session_read(session, environment, text, size, &expression, &error) != TL_OK)
		return false;
	/* Nodes stand in front of those that are made of them: all are below the topmost. */
	top = tl_expression_top(expression);
	for (tl_node_index i = 0; i <= top && !uses; i++) {
		const struct tl_node *node = tl_expression_node(expression, i);
		struct search search = {0};
		struct tl_value value;
		bool found = false;

		if (node->kind != TL_NODE_NAME)
			continue;
		search.name = node->text.bytes;
		for (int parameters = 0; parameters < 2 && !search.found; parameters++)
			(void)!tl_environment_variables(store, parameters != 0, is_that, &search, &error);
		/* One that stands in a module is static: it stays. */
		uses = search.found &&
		       (environment->find_name(environment->context, NULL, search.name, &value, &found, &error) !=
				TL_OK ||
			!found || value.place != TL_VALUE_IN_MEMORY || is_on_stack(session, value.address) ||
			tl_modules_at(tl_session_modules(session), value.address) == NULL);
	}
	tl_expression_free(expression);
	return uses;
}

static enum tl_status set_scope(struct tl_session *session, struct tl_breakpoint *breakpoint, struct tl_error *error)
{
	const struct tl_stack_frame *selected, *frame, *caller;
	enum tl_status status = TL_OK;
	struct tl_stack *stack;
	struct tl_error none;

	TL_TRY(tl_session_frame(session, &selected, error));
	TL_TRY(tl_session_whole_stack(session, session->selected, &stack, error));
	/* It may count its frames otherwise, functions being hidden in the other. */
	for (tl_u32 level = 0; status == TL_OK; level++) {
		status = machine_frame(stack, level, &frame, error);
		if (status == TL_OK && frame->frame_address >= selected->frame_address)
			break;
	}
	/* In the outermost frame it lasts as long as the program. */
	breakpoint->has_scope = status == TL_OK && tl_stack_frame(stack, frame->level + 1, &caller, &none) == TL_OK;
	if (breakpoint->has_scope) {
		breakpoint->scope_frame = frame->frame_address;
		breakpoint->scope_caller = caller->program_counter;
		breakpoint->scope_function = frame->function_start;
	}
	tl_stack_close(stack);
	return status;
}

/* Debug registers, if what is watched fits them and the target has them; else it is stepped, if that will do. */
static enum tl_status choose_way(struct tl_session *session, struct tl_breakpoint *breakpoint,
				 const struct recorder *recorder, struct tl_error *error)
{
	breakpoint->no_registers = recorder->count == 0 || recorder->too_much;
	if (breakpoint->kind == TL_WATCHPOINT)
		return TL_OK;
	if (breakpoint->no_registers || session->settings.hardware_watchpoints == 0 ||
	    (tl_target_capabilities(session->target) & TL_CAN_WATCH) == 0)
		return TL_FAIL(error, TL_ERROR_POINT_FULL,
			       "Expression cannot be implemented with read/access watchpoint.");
	if (!tl_debug_registers_room(session, breakpoint))
		return TL_FAIL(error, TL_ERROR_POINT_FULL,
			       "There are not enough available hardware resources for this watchpoint.");
	return TL_OK;
}

static enum tl_status make_by_location(struct tl_session *session, struct tl_breakpoint *breakpoint,
				       struct tl_value *value, const char *text, tl_size size, struct tl_error *error)
{
	if (value->place != TL_VALUE_IN_MEMORY || value->size == 0 || value->size > TL_WATCHED_SIZE_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "`%.*s' is not in memory, or too large to be watched there.",
			       (int)size, text);
	(void)session;
	breakpoint->by_location = true;
	breakpoint->watched[0] = (struct tl_watched){.address = value->address, .size = value->size};
	memcpy(breakpoint->watched[0].bytes, value->bytes, (tl_size)value->size);
	breakpoint->watched_count = 1;
	return TL_OK;
}

enum tl_status tl_breakpoint_make_watch(struct tl_session *session, const struct tl_breakpoint_request *request,
					struct tl_breakpoint *breakpoint, struct tl_error *error)
{
	const char *text = request->place != NULL ? request->place : "", *condition = find_condition(text);
	tl_size size = condition != NULL ? (tl_size)(condition - text) : strlen(text);
	struct tl_watched watched[TL_WATCHED_MAX];
	struct recorder recorder = {.watched = watched};
	struct tl_value value;

	while (size > 0 && isspace((unsigned char)text[size - 1]))
		size--;
	if (size == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Argument required (expression to compute).");
	TL_TRY(evaluate(session, text, size, &recorder, &value, error));
	if (recorder.count == 0 && value.place == TL_VALUE_NOWHERE)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "Cannot watch constant value `%.*s'.", (int)size, text);
	take_memory(breakpoint, &recorder, watched);
	if (request->by_location)
		TL_TRY(make_by_location(session, breakpoint, &value, text, size, error));
	else if (session->selected.process != 0 && uses_frame(session, text, size))
		TL_TRY(set_scope(session, breakpoint, error));
	TL_TRY(choose_way(session, breakpoint, &recorder, error));
	breakpoint->place = strndup(text, size);
	if (condition != NULL)
		breakpoint->condition = strdup(condition + 2 + strspn(condition + 2, " \t"));
	keep_value(&breakpoint->old_value, &value);
	return TL_OK;
}

/* ---- Hits ---- */

static bool is_watch(const struct tl_breakpoint *breakpoint, tl_u32 inferior)
{
	return breakpoint->inferior == inferior && breakpoint->kind >= TL_WATCHPOINT &&
	       breakpoint->kind <= TL_WATCHPOINT_ACCESS && breakpoint->enabled && !breakpoint->gone;
}

/* The value as it is now; type NULL when it cannot be read. */
static void look_anew(struct tl_session *session, struct tl_breakpoint *breakpoint, struct tl_value *now_ret)
{
	struct tl_watched watched[TL_WATCHED_MAX];
	struct recorder recorder = {.watched = watched};
	const struct tl_environment *environment;
	struct tl_error error;

	*now_ret = (struct tl_value){0};
	if (breakpoint->by_location) {
		if (tl_session_environment(session, &environment, NULL, &error) != TL_OK ||
		    tl_value_at(&environment->values, breakpoint->old_value.type, breakpoint->watched[0].address,
				now_ret, &error) != TL_OK ||
		    tl_value_load(&environment->values, now_ret, &error) != TL_OK)
			*now_ret = (struct tl_value){0};
		else
			memcpy(breakpoint->watched[0].bytes, now_ret->bytes, (tl_size)breakpoint->watched[0].size);
		return;
	}
	if (!select_scope(session, breakpoint) ||
	    evaluate(session, breakpoint->place, strlen(breakpoint->place), &recorder, now_ret, &error) != TL_OK)
		*now_ret = (struct tl_value){0};
	if (recorder.count != 0)
		take_memory(breakpoint, &recorder, watched);
	/* A value that has grown, or is in a register now. */
	breakpoint->no_registers |= recorder.too_much;
}

/* The value as the program begins, from where its names stand now. What names nothing yet stays as it was. */
static void begin_anew(struct tl_session *session, struct tl_breakpoint *breakpoint)
{
	struct tl_watched watched[TL_WATCHED_MAX];
	struct recorder recorder = {.watched = watched};
	struct tl_value value;
	struct tl_error error;
	enum tl_status status =
		evaluate(session, breakpoint->place, strlen(breakpoint->place), &recorder, &value, &error);

	if (status != TL_OK && recorder.count == 0)
		return;
	take_memory(breakpoint, &recorder, watched);
	breakpoint->no_registers = recorder.count == 0 || recorder.too_much;
	tl_watch_release(breakpoint);
	/* A pointer that points nowhere yet: it is watched until it does. */
	if (status == TL_OK)
		keep_value(&breakpoint->old_value, &value);
}

void tl_breakpoints_watch_anew(struct tl_session *session, const struct tl_debugged *debugged)
{
	const tl_u32 level = session->level;
	struct tl_thread_id thread;

	for (tl_size i = 0; i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];
		struct tl_aside aside;

		if (!tl_breakpoint_is_watch(breakpoint->kind) || breakpoint->inferior != debugged->number ||
		    breakpoint->gone || breakpoint->has_scope || breakpoint->by_location ||
		    !tl_engine_stopped_thread(session->engine, debugged->process, &thread))
			continue;
		aside = tl_session_look_aside(session, thread);
		begin_anew(session, breakpoint);
		tl_session_look_back(session, &aside);
		session->level = level;
	}
}

/* Looks at a watchpoint in a thread; true when it stops the program. */
static bool check(struct tl_session *session, struct tl_thread_id thread, struct tl_breakpoint *breakpoint,
		  struct tl_stop *stop)
{
	struct tl_aside aside = tl_session_look_aside(session, thread);
	struct tl_value now;
	bool changed;

	look_anew(session, breakpoint, &now);
	changed = !same_value(&breakpoint->old_value, &now);
	if (changed || breakpoint->kind != TL_WATCHPOINT) {
		release_value(&breakpoint->new_value);
		if (now.type != NULL)
			keep_value(&breakpoint->new_value, &now);
	}
	tl_session_look_back(session, &aside);
	return (changed || breakpoint->kind != TL_WATCHPOINT) &&
	       tl_breakpoint_counts(session, thread, breakpoint, stop);
}

/* What was new is old once it has been told, or was not to be told. */
static void settle(struct tl_breakpoint *breakpoint)
{
	if (breakpoint->new_value.type != NULL)
		keep_value(&breakpoint->old_value, &breakpoint->new_value);
}

static bool overlaps(const struct tl_breakpoint *breakpoint, const struct tl_report *report)
{
	for (tl_size i = 0; i < breakpoint->watched_count; i++)
		for (tl_u8 j = 0; j < report->hit_count; j++)
			if (report->hit_addresses[j] + 8 > breakpoint->watched[i].address &&
			    report->hit_addresses[j] < breakpoint->watched[i].address + breakpoint->watched[i].size)
				return true;
	return report->hit_count == 0;
}

bool tl_breakpoints_watch_hit(struct tl_session *session, const struct tl_report *report, struct tl_stop *stop)
{
	const tl_u32 inferior = tl_session_inferior_of(session, report->event.thread.process);
	bool stops = false;

	for (tl_size i = 0; i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		if (!is_watch(breakpoint, inferior) || breakpoint->software || !overlaps(breakpoint, report))
			continue;
		/* A read says nothing of a change that was told before. */
		settle(breakpoint);
		stops |= check(session, report->event.thread, breakpoint, stop);
	}
	return stops;
}

bool tl_watch_steps(const struct tl_session *session)
{
	for (tl_size i = 0; i < session->points.count; i++)
		if (is_watch(session->points.items[i], session->current->number) && session->points.items[i]->software)
			return true;
	return false;
}

/* Is the memory as it was? Without memory, or when in doubt: no. */
static bool untouched(struct tl_session *session, struct tl_thread_id thread, const struct tl_breakpoint *breakpoint)
{
	tl_u8 bytes[TL_WATCHED_SIZE_MAX];

	for (tl_size i = 0; i < breakpoint->watched_count; i++) {
		const struct tl_watched *watched = &breakpoint->watched[i];
		tl_size done = 0;

		tl_engine_look_through(session->engine, thread);
		if (tl_engine_read_memory(session->engine, thread.process, watched->address, bytes,
					  (tl_size)watched->size, &done) != TL_OK ||
		    done != watched->size || memcmp(bytes, watched->bytes, (tl_size)watched->size) != 0)
			return false;
	}
	return breakpoint->watched_count != 0;
}

bool tl_watch_stepped(struct tl_session *session, struct tl_thread_id thread, struct tl_stop *stop)
{
	const tl_u32 inferior = tl_session_inferior_of(session, thread.process);
	bool stops = false;

	for (tl_size i = 0; i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		/* A step back is no access: nobody else tells that what was written is not any more. */
		if (!is_watch(breakpoint, inferior) || (!breakpoint->software && !session->steps.back) ||
		    untouched(session, thread, breakpoint))
			continue;
		settle(breakpoint);
		stops |= check(session, thread, breakpoint, stop);
	}
	return stops;
}

/* ---- Ends ---- */

bool tl_breakpoints_scope_ended(struct tl_session *session, struct tl_thread_id thread, tl_u64 address,
				struct tl_stop *stop)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct tl_error error;
	bool ended = false;

	if (!tl_breakpoints_has_internal(session, thread.process, TL_INTERNAL_SCOPE, address) ||
	    tl_session_whole_stack(session, thread, &stack, &error) != TL_OK)
		return false;
	if (machine_frame(stack, 0, &frame, &error) == TL_OK)
		for (tl_size i = 0; i < session->points.count && !ended; i++) {
			struct tl_breakpoint *breakpoint = session->points.items[i];

			if (!is_watch(breakpoint, tl_session_inferior_of(session, thread.process)) ||
			    !breakpoint->has_scope || breakpoint->scope_caller != address ||
			    frame->frame_address <= breakpoint->scope_frame)
				continue;
			breakpoint->gone = ended = true;
			stop->numbers[0] = breakpoint->number;
			stop->number_count = 1;
		}
	tl_stack_close(stack);
	return ended;
}

/* Is the frame on the stack in which the names mean what they meant? */
static bool has_begun(struct tl_stack *stack, const struct tl_breakpoint *breakpoint)
{
	const struct tl_stack_frame *frame;
	struct tl_error error;
	tl_u32 level = 0;

	do {
		if (machine_frame(stack, level, &frame, &error) != TL_OK)
			return false;
		level = frame->level + 1;
	} while (frame->frame_address < breakpoint->scope_frame);
	return frame->frame_address == breakpoint->scope_frame && frame->function_start == breakpoint->scope_function;
}

bool tl_breakpoints_scope_undone(struct tl_session *session, struct tl_thread_id thread, struct tl_stop *stop)
{
	const tl_u32 inferior = tl_session_inferior_of(session, thread.process);
	struct tl_stack *stack;
	struct tl_error error;
	bool undone = false;

	if (!session->steps.back || !tl_same_thread(thread, session->selected))
		return false;
	for (tl_size i = 0; i < session->points.count && !undone; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		if (!is_watch(breakpoint, inferior) || !breakpoint->has_scope ||
		    tl_session_whole_stack(session, thread, &stack, &error) != TL_OK)
			continue;
		if (!has_begun(stack, breakpoint)) {
			breakpoint->gone = undone = true;
			stop->numbers[0] = breakpoint->number;
			stop->number_count = 1;
		}
		tl_stack_close(stack);
	}
	return undone;
}

void tl_breakpoints_process_ended(struct tl_session *session, tl_u32 inferior)
{
	for (tl_size i = session->points.count; i-- > 0;)
		if (session->points.items[i]->has_scope && session->points.items[i]->inferior == inferior)
			tl_breakpoint_take_out(session, session->points.items[i]);
}

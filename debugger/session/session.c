#include "debugger/session/session_internal.h"

#include "base/storage.h"
#include "debugger/expressions/formatted.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUXV_MAX 4096
#define PATH_SIZE 4096

/* ---- Words ---- */

void tl_session_remark(struct tl_session *session, const char *format, ...)
{
	char line[1024];
	va_list list;

	if (session->options.remark == NULL)
		return;
	va_start(list, format);
	vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	session->options.remark(session->options.context, line);
}

static void engine_output(void *context, const char *text, tl_size size)
{
	struct tl_session *session = context;

	if (session->options.output != NULL)
		session->options.output(session->options.context, text, size);
}

static void engine_ready(void *context)
{
	struct tl_session *session = context;

	tl_source_trigger(session->deferred);
}

static void on_deferred(void *context, struct tl_source *source)
{
	(void)source;
	tl_session_process(context);
}

/* ---- Opening and closing ---- */

/* Which signals a person is not told of (GDB manual, "Signals"): those that programs live with. */
static void default_signals(struct tl_signal_handling *signals)
{
	static const tl_u8 quiet[] = {14 /* ALRM */,   17 /* CHLD */,   23 /* URG */,
				      26 /* VTALRM */, 27 /* PROF */,   28 /* WINCH */,
				      29 /* IO */,     32 /* cancel */, 33 /* setxid */};

	for (tl_size i = 0; i < TL_SIGNALS; i++)
		signals[i] = (struct tl_signal_handling){.stop = true, .print = true, .pass = true};
	for (tl_size i = 0; i < TL_COUNT(quiet); i++)
		signals[quiet[i]].stop = signals[quiet[i]].print = false;
	signals[2].pass = signals[5].pass = false;
}

static enum tl_status open_parts(struct tl_session *session, struct tl_error *error)
{
	struct tl_engine_host host = {
		.allocator = *tl_storage(), .output = engine_output, .ready = engine_ready, .context = session};

	TL_TRY(tl_loop_add_deferred(session->options.loop, "session", on_deferred, session, &session->deferred, error));
	TL_TRY(tl_binaries_open(&session->binaries, session->options.loop, session->options.binaries, error));
	TL_TRY(tl_variables_open(&session->variables, error));
	TL_TRY(tl_types_open(&session->types, NULL, NULL, error));
	TL_TRY(tl_modules_open(&session->program_modules, session->binaries, error));
	session->engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	if (session->engine == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the engine");
	memset(session->engine, 0, tl_engine_size());
	tl_engine_init(session->engine, session->options.target, &host);
	tl_engine_settings(session->engine)->pass_reported = true;
	tl_engine_settings(session->engine)->report_execs = true;
	return TL_OK;
}

enum tl_status tl_session_open(struct tl_session **session_ret, const struct tl_session_options *options,
			       struct tl_error *error)
{
	struct tl_session *session = calloc(1, sizeof(*session));
	enum tl_status status;

	if (session == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for a session");
	session->options = *options;
	session->target = options->target;
	session->settings =
		(struct tl_session_settings){.detach_on_fork = true, .hardware_watchpoints = 1, .tell_threads = true};
	default_signals(session->signals);
	status = open_parts(session, error);
	if (status != TL_OK) {
		tl_session_close(session);
		return status;
	}
	*session_ret = session;
	return TL_OK;
}

void tl_session_close(struct tl_session *session)
{
	if (session == NULL)
		return;
	if (session->engine != NULL) {
		tl_session_leave(session);
		tl_session_forget_stop(session);
		tl_engine_deinit(session->engine);
	}
	tl_breakpoints_release(session);
	while (session->process_count != 0)
		tl_session_remove(session, session->processes[0].process);
	tl_code_places_release(&session->plan_places);
	tl_variables_close(session->variables);
	tl_types_close(session->types);
	tl_modules_close(session->program_modules);
	tl_binaries_close(session->binaries);
	tl_source_remove(session->deferred);
	tl_arena_clear(&session->arena);
	free(session->base_file);
	tl_release(tl_storage(), session->processes, session->process_capacity * sizeof(*session->processes));
	tl_release(tl_storage(), session->threads, session->thread_capacity * sizeof(*session->threads));
	free(session->program);
	free(session->engine);
	free(session);
}

/* ---- What belongs to it ---- */

struct tl_session_settings *tl_session_settings(struct tl_session *session)
{
	return &session->settings;
}

struct tl_signal_handling *tl_session_signals(struct tl_session *session)
{
	return session->signals;
}

struct tl_engine *tl_session_engine(struct tl_session *session)
{
	return session->engine;
}

struct tl_binaries *tl_session_binaries(struct tl_session *session)
{
	return session->binaries;
}

struct tl_variables *tl_session_variables(struct tl_session *session)
{
	return session->variables;
}

struct tl_arena *tl_session_arena(struct tl_session *session)
{
	return &session->arena;
}

const struct tl_patience *tl_session_patience(struct tl_session *session)
{
	return &session->patience;
}

void tl_session_set_patience(struct tl_session *session, const struct tl_patience *patience)
{
	session->patience = *patience;
}

struct tl_breakpoints *tl_session_breakpoints(struct tl_session *session)
{
	return &session->points;
}

const char *tl_session_program(const struct tl_session *session)
{
	return session->program;
}

/* ---- Processes ---- */

struct tl_debugged *tl_session_debugged(struct tl_session *session, tl_u64 process)
{
	for (tl_size i = 0; i < session->process_count; i++)
		if (session->processes[i].process == process)
			return &session->processes[i];
	return NULL;
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_session *session = context;
	tl_size done = 0;

	if (session->selected.process == 0)
		return TL_ERROR_MEMORY;
	TL_TRY(tl_engine_read_memory(session->engine, session->selected.process, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

enum tl_status tl_session_add(struct tl_session *session, tl_u64 process, const char *path, bool attached,
			      struct tl_error *error)
{
	struct tl_debugged debugged = {.process = process, .attached = attached};
	struct tl_memory_access memory = {.read = read_memory, .context = session};
	enum tl_status status;

	if (!tl_grow(tl_storage(), (void **)&session->processes, &session->process_capacity, session->process_count,
		     sizeof(*session->processes)))
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for one more process");
	TL_TRY(tl_modules_open(&debugged.modules, session->binaries, error));
	status = tl_places_open(&debugged.places, debugged.modules, error);
	if (status != TL_OK) {
		tl_modules_close(debugged.modules);
		return status;
	}
	tl_modules_set_memory(debugged.modules, &memory);
	debugged.path = path != NULL ? strdup(path) : NULL;
	session->processes[session->process_count++] = debugged;
	return TL_OK;
}

void tl_session_remove(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);

	if (debugged == NULL)
		return;
	tl_session_forget_calls(session, process);
	tl_breakpoints_forget(session, process);
	if (session->selected.process == process) {
		tl_session_forget_stop(session);
		session->selected = (struct tl_thread_id){0};
		session->level = session->skipped = 0;
	}
	tl_places_close(debugged->places);
	tl_modules_close(debugged->modules);
	free(debugged->path);
	*debugged = session->processes[--session->process_count];
	tl_breakpoints_resolve(session);
}

/* The program's file, as the target says; what is known already stays where it says nothing. */
static void learn_path(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	struct tl_thread_id thread;
	char path[PATH_SIZE];
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    !tl_engine_stopped_thread(session->engine, debugged->process, &thread) ||
	    target->ops->read_object(target, thread, TL_OBJECT_EXEC_FILE, 0, path, sizeof(path) - 1, &done) != TL_OK ||
	    done == 0)
		return;
	path[done] = '\0';
	free(debugged->path);
	debugged->path = strdup(path);
}

void tl_session_update_modules(struct tl_session *session, struct tl_debugged *debugged)
{
	struct tl_target *target = session->target;
	struct tl_thread_id thread, selected = session->selected;
	struct tl_error error;
	tl_u8 auxv[AUXV_MAX];
	tl_size done = 0;
	bool changed = false;

	/* Of a machine's firmware, say, nobody names a file. */
	if (debugged->path == NULL || !tl_engine_stopped_thread(session->engine, debugged->process, &thread))
		return;
	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_AUXV, 0, auxv, sizeof(auxv), &done) != TL_OK)
		done = 0;
	/* Memory is read of the selected process. */
	session->selected = thread;
	if (tl_modules_update(debugged->modules, debugged->path, auxv, done, &changed, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
	else if (changed && tl_modules_remark(debugged->modules) != NULL)
		tl_session_remark(session, "warning: %s", tl_modules_remark(debugged->modules));
	session->selected = selected;
	if (changed)
		tl_breakpoints_resolve(session);
}

/* ---- Threads ---- */

void tl_session_number_threads(struct tl_session *session)
{
	struct tl_thread_info info;

	while (tl_engine_younger_thread(session->engine, session->youngest, &info)) {
		session->youngest = info.born;
		if (!tl_grow(tl_storage(), (void **)&session->threads, &session->thread_capacity, session->thread_count,
			     sizeof(*session->threads)))
			return;
		session->threads[session->thread_count++] =
			(struct tl_numbered_thread){.id = info.id, .born = info.born};
	}
}

tl_u32 tl_session_thread_number(struct tl_session *session, struct tl_thread_id thread)
{
	tl_session_number_threads(session);
	for (tl_size i = session->thread_count; i-- > 0;)
		if (session->threads[i].id.process == thread.process && session->threads[i].id.thread == thread.thread)
			return (tl_u32)(i + 1);
	return 0;
}

struct tl_thread_id tl_session_numbered_thread(struct tl_session *session, tl_u32 number)
{
	struct tl_thread_info info;
	const struct tl_numbered_thread *numbered;

	tl_session_number_threads(session);
	if (number == 0 || number > session->thread_count)
		return (struct tl_thread_id){0};
	numbered = &session->threads[number - 1];
	/* The kernel gives a number out again: the thread of that birth is meant. */
	if (!tl_engine_find_thread(session->engine, numbered->id, &info) || info.born != numbered->born)
		return (struct tl_thread_id){0};
	return numbered->id;
}

static tl_u64 thread_pointer(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_target *target = session->target;
	tl_u8 bytes[8] = {0};
	tl_size done = 0;
	tl_u64 pointer = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, thread, TL_OBJECT_THREAD_POINTER, 0, bytes, sizeof(bytes), &done) != TL_OK)
		return 0;
	for (tl_size i = 0; i < done; i++)
		pointer |= (tl_u64)bytes[i] << i * 8;
	return pointer;
}

static void tell_thread(struct tl_session *session, struct tl_numbered_thread *numbered, bool is_first)
{
	struct tl_thread_info info;
	bool alive = tl_engine_find_thread(session->engine, numbered->id, &info) && info.born == numbered->born;

	if (alive && !numbered->told && info.stopped) {
		numbered->told = true;
		numbered->pointer = thread_pointer(session, numbered->id);
		if (!is_first && session->settings.tell_threads)
			tl_session_remark(session, "[New Thread 0x%llx (LWP %llu)]",
					  (unsigned long long)numbered->pointer,
					  (unsigned long long)numbered->id.thread);
	} else if (!alive && numbered->told) {
		numbered->told = false;
		if (tl_session_debugged(session, numbered->id.process) != NULL && session->settings.tell_threads)
			tl_session_remark(session, "[Thread 0x%llx (LWP %llu) exited]",
					  (unsigned long long)numbered->pointer,
					  (unsigned long long)numbered->id.thread);
		numbered->id = (struct tl_thread_id){0};
	}
}

void tl_session_tell_threads(struct tl_session *session)
{
	tl_session_number_threads(session);
	for (tl_size i = 0; i < session->thread_count; i++)
		if (session->threads[i].id.process != 0)
			tell_thread(session, &session->threads[i],
				    session->threads[i].id.thread == session->threads[i].id.process);
}

/* ---- Programs ---- */

enum tl_status tl_session_set_program(struct tl_session *session, const char *path, struct tl_error *error)
{
	char *copy = NULL;

	if (path != NULL) {
		copy = realpath(path, NULL);
		if (copy == NULL)
			return TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", path);
	}
	if (copy != NULL) {
		enum tl_status status = tl_modules_set_program(session->program_modules, copy, error);

		if (status != TL_OK) {
			free(copy);
			return status;
		}
		tl_binary_want(tl_modules_get(session->program_modules, 0)->binary);
	} else {
		struct tl_modules *modules;

		TL_TRY(tl_modules_open(&modules, session->binaries, error));
		tl_modules_close(session->program_modules);
		session->program_modules = modules;
	}
	free(session->program);
	session->program = copy;
	tl_session_forget_frame(session);
	tl_session_set_base(session, NULL, 0);
	tl_breakpoints_resolve(session);
	return TL_OK;
}

/* A process stands: it is selected, its modules are known, and so are the places of points. */
static void begin(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	tl_session_number_threads(session);
	tl_session_set_selected(session, thread, 0);
	if (debugged->path == NULL)
		learn_path(session, debugged);
	tl_session_update_modules(session, debugged);
	tl_breakpoints_resolve(session);
}

enum tl_status tl_session_launch(struct tl_session *session, const struct tl_launch *launch, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	struct tl_thread_id thread;
	enum tl_status status;
	tl_u64 process;

	if (target->ops->launch == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot start programs.");
	/* Numbers of threads begin anew with each run. */
	if (session->process_count == 0)
		session->thread_count = 0;
	status = target->ops->launch(target, launch, &process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	if (!tl_engine_stopped_thread(session->engine, process, &thread))
		return TL_FAIL(error, TL_ERROR_LAUNCH, "The program ended as it was started.");
	TL_TRY(tl_session_add(session, process, session->program, false, error));
	begin(session, thread);
	return TL_OK;
}

enum tl_status tl_session_attach(struct tl_session *session, tl_u64 process, struct tl_error *error)
{
	struct tl_target *target = session->target;
	const char *detail = NULL;
	enum tl_status status;

	if (target->ops->attach == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "The target cannot attach to processes.");
	status = target->ops->attach(target, process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	status = tl_session_add(session, process, NULL, true, error);
	if (status != TL_OK)
		return status;
	session->attaching = session->running = true;
	return TL_OK;
}

void tl_session_attached_now(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	session->attaching = false;
	if (debugged == NULL)
		return;
	learn_path(session, debugged);
	if (session->program == NULL && debugged->path != NULL) {
		struct tl_error error;

		if (tl_session_set_program(session, debugged->path, &error) != TL_OK)
			tl_session_remark(session, "warning: %s", error.text);
	}
	begin(session, thread);
}

/* The thread that has a signal to tell of, else the eldest that stands. */
static struct tl_thread_id choose_thread(struct tl_session *session, struct tl_report *report_ret)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_thread_id first = {0};

	*report_ret = (struct tl_report){0};
	while (tl_engine_next_thread(session->engine, info.id, &info)) {
		struct tl_report report;

		if (!info.stopped)
			continue;
		if (first.process == 0)
			first = info.id;
		if (tl_engine_last_report(session->engine, info.id, &report) && report.event.kind == TL_EVENT_SIGNAL &&
		    report.event.signal != 0 && report.event.signal != 5) {
			*report_ret = report;
			return info.id;
		}
	}
	return first;
}

enum tl_status tl_session_adopt(struct tl_session *session, const char *path, bool started, struct tl_error *error)
{
	struct tl_debugged *debugged;
	struct tl_thread_id thread;
	struct tl_report report;
	struct tl_error why;

	if (path != NULL)
		TL_TRY(tl_session_set_program(session, path, error));
	for (tl_u64 process = 0; (process = tl_engine_next_process(session->engine, process)) != 0;)
		if (tl_session_debugged(session, process) == NULL)
			TL_TRY(tl_session_add(session, process, session->program, !started, error));
	thread = choose_thread(session, &report);
	if (thread.process == 0)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "The target has no process that stands still.");
	debugged = tl_session_debugged(session, thread.process);
	if (debugged->path == NULL)
		learn_path(session, debugged);
	if (session->program == NULL && debugged->path != NULL &&
	    tl_session_set_program(session, debugged->path, &why) != TL_OK)
		tl_session_remark(session, "warning: %s", why.text);
	begin(session, thread);
	session->stop =
		(struct tl_stop){.kind = report.event.kind == TL_EVENT_SIGNAL ? TL_STOP_SIGNAL : TL_STOP_ATTACHED,
				 .thread = thread,
				 .signal = report.event.signal,
				 .report = report,
				 .new_frame = true};
	session->stop_ready = true;
	return TL_OK;
}

bool tl_session_alive(const struct tl_session *session)
{
	return session->process_count != 0;
}

bool tl_session_running(const struct tl_session *session)
{
	return session->running;
}

bool tl_session_attached(const struct tl_session *session)
{
	for (tl_size i = 0; i < session->process_count; i++)
		if (session->processes[i].process == session->selected.process)
			return session->processes[i].attached;
	return false;
}

/* ---- Selection ---- */

void tl_session_forget_frame(struct tl_session *session)
{
	tl_environment_close(session->store);
	session->store = NULL;
}

void tl_session_forget_stop(struct tl_session *session)
{
	tl_session_forget_frame(session);
	tl_stack_close(session->stack);
	session->stack = NULL;
	session->stop.returned = (struct tl_value){0};
	tl_arena_clear(&session->arena);
}

void tl_session_set_selected(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped)
{
	tl_session_forget_frame(session);
	tl_stack_close(session->stack);
	session->stack = NULL;
	session->selected = thread;
	session->level = 0;
	session->skipped = skipped;
	session->stopped_at = tl_session_program_counter(session, thread);
	tl_session_set_base(session, NULL, 0);
}

struct tl_thread_id tl_session_thread(const struct tl_session *session)
{
	return session->selected;
}

enum tl_status tl_session_select_thread(struct tl_session *session, struct tl_thread_id thread, struct tl_error *error)
{
	struct tl_thread_info info;

	if (!tl_engine_find_thread(session->engine, thread, &info))
		return TL_FAIL(error, TL_ERROR_NO_THREAD, "There is no such thread any more.");
	if (session->selected.process != thread.process || session->selected.thread != thread.thread)
		tl_session_set_selected(session, thread, 0);
	return TL_OK;
}

struct tl_modules *tl_session_modules(struct tl_session *session)
{
	struct tl_debugged *debugged = tl_session_debugged(session, session->selected.process);

	return debugged != NULL ? debugged->modules : session->program_modules;
}

enum tl_status tl_session_stack(struct tl_session *session, struct tl_stack **stack_ret, struct tl_error *error)
{
	struct tl_thread_info info;

	if (session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No stack.");
	if (!tl_engine_find_thread(session->engine, session->selected, &info))
		return TL_FAIL(error, TL_ERROR_GONE, "The selected thread has ended: select another one.");
	if (!info.stopped)
		return TL_FAIL(error, TL_ERROR_RUNNING, "Selected thread is running.");
	if (session->stack == NULL)
		TL_TRY(tl_session_open_stack(session, session->selected, session->skipped, &session->stack, error));
	*stack_ret = session->stack;
	return TL_OK;
}

static enum tl_status open_stack(struct tl_session *session, struct tl_thread_id thread,
				 struct tl_stack_options *options, struct tl_stack **stack_ret, struct tl_error *error)
{
	const struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	if (debugged == NULL)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "No stack: process %llu is not debugged any more.",
			       (unsigned long long)thread.process);
	options->places = debugged->places;
	return tl_stack_open_with(stack_ret, session->engine, thread, debugged->modules, options, error);
}

enum tl_status tl_session_open_stack(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped,
				     struct tl_stack **stack_ret, struct tl_error *error)
{
	struct tl_stack_options options = {.skipped = skipped};

	return open_stack(session, thread, &options, stack_ret, error);
}

enum tl_status tl_session_whole_stack(struct tl_session *session, struct tl_thread_id thread,
				      struct tl_stack **stack_ret, struct tl_error *error)
{
	struct tl_stack_options options = {.past_main = true};

	return open_stack(session, thread, &options, stack_ret, error);
}

enum tl_status tl_session_frame(struct tl_session *session, const struct tl_stack_frame **frame_ret,
				struct tl_error *error)
{
	struct tl_stack *stack;

	TL_TRY(tl_session_stack(session, &stack, error));
	return tl_stack_frame(stack, session->level, frame_ret, error);
}

tl_u32 tl_session_level(const struct tl_session *session)
{
	return session->level;
}

enum tl_status tl_session_select_frame(struct tl_session *session, tl_u32 level, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;

	TL_TRY(tl_session_stack(session, &stack, error));
	TL_TRY(tl_stack_frame(stack, level, &frame, error));
	if (level != session->level)
		tl_session_forget_frame(session);
	session->level = level;
	tl_session_set_base(session, NULL, 0);
	return TL_OK;
}

/* ---- Expressions ---- */

static enum tl_status call_function(void *context, const struct tl_value *function, const struct tl_value *arguments,
				    tl_size count, const struct tl_type *result, struct tl_value *value_ret,
				    struct tl_error *error)
{
	return tl_session_call(context, function, arguments, count, result, value_ret, error);
}

/* A register or the stack may be another now; the frames are unwound anew when they are asked for. */
static void memory_changed(void *context)
{
	struct tl_session *session = context;

	/* Not now: the environment that asks is in use. Values and frames that are held stay what they were. */
	session->stopped_at = tl_session_program_counter(session, session->selected);
}

enum tl_status tl_session_environment(struct tl_session *session, const struct tl_environment **environment_ret,
				      struct tl_environment_store **store_ret, struct tl_error *error)
{
	struct tl_surroundings surroundings = {
		.engine = session->selected.process != 0 ? session->engine : NULL,
		.modules = tl_session_modules(session),
		.level = session->level,
		.variables = session->variables,
		.types = session->types,
		.arena = &session->arena,
		.patience = session->patience,
		.call = call_function,
		.changed = memory_changed,
		.context = session,
	};
	struct tl_error none;

	if (session->store == NULL) {
		if (session->selected.process == 0 || tl_session_stack(session, &surroundings.stack, &none) != TL_OK)
			surroundings.stack = NULL;
		TL_TRY(tl_environment_open(&session->store, &surroundings, &session->environment, &session->code,
					   error));
	}
	*environment_ret = &session->environment;
	if (store_ret != NULL)
		*store_ret = session->store;
	return TL_OK;
}

/* Who is asked what names are while an expression is read. */
struct reader {
	const struct tl_environment *environment;
	struct tl_arena *arena;
};

static bool is_value(const struct reader *reader, const char *name)
{
	const struct tl_environment *environment = reader->environment;
	struct tl_value value;
	struct tl_error error;
	bool found = false;

	return environment->find_name != NULL &&
	       environment->find_name(environment->context, NULL, name, &value, &found, &error) == TL_OK && found;
}

/* Is a name a type? A variable of that name hides it, as in C. */
static bool is_type(void *context, const char *name, tl_size size)
{
	const struct reader *reader = context;
	const struct tl_environment *environment = reader->environment;
	const char *copy = tl_arena_copy(reader->arena, name, size);
	const struct tl_type *type = NULL;
	struct tl_error error;

	if (copy == NULL || environment->find_type == NULL || is_value(reader, copy))
		return false;
	return environment->find_type(environment->context, copy, TL_TAG_NONE, &type, &error) == TL_OK && type != NULL;
}

/* "max<int>(3)": a name with template arguments is a function or a type, and no comparison. */
static bool is_template(void *context, const char *name, tl_size size)
{
	const struct reader *reader = context;
	const char *copy = tl_arena_copy(reader->arena, name, size);

	return copy != NULL && (is_value(reader, copy) || is_type(context, name, size));
}

enum tl_status tl_session_read(struct tl_session *session, const struct tl_environment *environment, const char *text,
			       tl_size size, struct tl_expression **expression_ret, struct tl_error *error)
{
	struct reader reader = {.environment = environment, .arena = &session->arena};
	struct tl_names names = {.is_type = is_type, .is_template = is_template, .context = &reader};

	return tl_expression_read(expression_ret, text, size, &names, error);
}

enum tl_status tl_session_parse(struct tl_session *session, const char *text, tl_size size,
				struct tl_expression **expression_ret, struct tl_error *error)
{
	const struct tl_environment *environment;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	return tl_session_read(session, environment, text, size, expression_ret, error);
}

enum tl_status tl_session_evaluate(struct tl_session *session, const char *text, tl_size size,
				   struct tl_value *value_ret, struct tl_error *error)
{
	const struct tl_environment *environment;
	struct tl_expression *expression;
	enum tl_status status;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(tl_session_parse(session, text, size, &expression, error));
	status = tl_evaluate(environment, expression, value_ret, error);
	tl_expression_free(expression);
	return status;
}

static enum tl_status evaluate_text(void *context, const char *text, tl_size size, struct tl_value *value_ret,
				    struct tl_error *error)
{
	return tl_session_evaluate(context, text, size, value_ret, error);
}

enum tl_status tl_session_format(struct tl_session *session, const char *text, struct tl_output *output,
				 struct tl_error *error)
{
	const struct tl_environment *environment;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	return tl_formatted(&environment->values, text, evaluate_text, session, output, error);
}

/* ---- Where lists start ---- */

static enum tl_status base_address(void *context, const char *text, tl_size size, tl_u64 *address_ret,
				   struct tl_error *error)
{
	struct tl_session *session = context;
	const struct tl_environment *environment;
	struct tl_value value;
	tl_i128 number;

	TL_TRY(tl_session_environment(session, &environment, NULL, error));
	TL_TRY(tl_session_evaluate(session, text, size, &value, error));
	TL_TRY(tl_value_decay(&environment->values, &value, error));
	TL_TRY(tl_value_integer(&environment->values, &value, &number, error));
	*address_ret = (tl_u64)number;
	return TL_OK;
}

enum tl_status tl_session_base(struct tl_session *session, struct tl_linespec_base *base_ret, struct tl_error *error)
{
	const struct tl_stack_frame *frame;
	struct tl_error none;

	(void)error;
	*base_ret = (struct tl_linespec_base){.evaluate = base_address, .context = session};
	if (session->selected.process != 0 && tl_session_frame(session, &frame, &none) == TL_OK) {
		base_ret->address = frame->program_counter;
		base_ret->file = frame->file;
		base_ret->line = frame->line;
	}
	if (session->base_file != NULL) {
		base_ret->file = session->base_file;
		base_ret->line = session->base_line;
	}
	return TL_OK;
}

void tl_session_set_base(struct tl_session *session, const char *file, tl_u32 line)
{
	char *copy = file != NULL ? strdup(file) : NULL;

	free(session->base_file);
	session->base_file = copy;
	session->base_line = line;
}

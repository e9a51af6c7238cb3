#include "debugger/session/session_internal.h"

#include "base/storage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	struct tl_session *session = context;

	(void)source;
	/* Functions of the program are called outside of turns of the loop: by whoever takes the stop, if it is one. */
	if (session->running && !session->calling && tl_breakpoints_may_call(session)) {
		session->undecided = true;
		if (session->options.stopped != NULL)
			session->options.stopped(session->options.context);
		return;
	}
	tl_session_process(session);
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

void tl_session_start_engine(struct tl_session *session)
{
	struct tl_engine_host host = {
		.allocator = *tl_storage(), .output = engine_output, .ready = engine_ready, .context = session};

	memset(session->engine, 0, tl_engine_size());
	tl_engine_init(session->engine, session->target, &host);
	tl_engine_settings(session->engine)->pass_reported = true;
	tl_engine_settings(session->engine)->report_execs = true;
	tl_engine_settings(session->engine)->awaken = true;
}

static enum tl_status open_parts(struct tl_session *session, struct tl_error *error)
{
	TL_TRY(tl_loop_add_deferred(session->options.loop, "session", on_deferred, session, &session->deferred, error));
	TL_TRY(tl_binaries_open(&session->binaries, session->options.loop, session->options.binaries, error));
	TL_TRY(tl_variables_open(&session->variables, error));
	TL_TRY(tl_types_open(&session->types, NULL, NULL, error));
	session->engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	if (session->engine == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no storage for the engine");
	tl_session_start_engine(session);
	return tl_session_new_inferior(session, &session->current, error);
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
	session->settings = (struct tl_session_settings){.detach_on_fork = true,
							 .hardware_watchpoints = 1,
							 .unwind_on_exception = true,
							 .tell_threads = true,
							 .tell_inferiors = true};
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
	tl_session_release_inferiors(session);
	tl_skips_release(&session->skips);
	tl_code_places_release(&session->plan_places);
	tl_variables_close(session->variables);
	tl_types_close(session->types);
	tl_binaries_close(session->binaries);
	tl_source_remove(session->deferred);
	tl_arena_clear(&session->arena);
	free(session->base_file);
	free(session->libraries);
	tl_release(tl_storage(), session->actions.items, session->actions.capacity * sizeof(*session->actions.items));
	tl_release(tl_storage(), session->threads, session->thread_capacity * sizeof(*session->threads));
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

/* What is selected: a thread, a frame of it, and where lists start from there. */
#include "debugger/session/session_internal.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of values that a program's stop may gather before they are given back. */
#define ARENA_MUCH ((tl_size)4 << 20)

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

void tl_session_trim(struct tl_session *session)
{
	/* The result of a `finish` is asked for as long as the program stands. */
	if (session->arena.total < ARENA_MUCH || session->stop.returned.type != NULL)
		return;
	tl_session_forget_frame(session);
	tl_arena_clear(&session->arena);
}

void tl_session_set_selected(struct tl_session *session, struct tl_thread_id thread, tl_u32 skipped)
{
	tl_session_forget_frame(session);
	tl_stack_close(session->stack);
	session->stack = NULL;
	session->selected = thread;
	if (tl_session_debugged(session, thread.process) != NULL)
		session->current = tl_session_debugged(session, thread.process);
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
	return tl_inferior_modules(session->current);
}

struct tl_modules *tl_session_inferior_modules(struct tl_session *session, tl_u32 inferior)
{
	const struct tl_debugged *debugged = tl_session_numbered_inferior(session, inferior);

	return tl_inferior_modules(debugged != NULL ? debugged : session->current);
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

enum tl_status tl_session_stack(struct tl_session *session, struct tl_stack **stack_ret, struct tl_error *error)
{
	struct tl_stack_options options = {.skipped = session->skipped,
					   .past_main = session->settings.past_main,
					   .frames_max = session->settings.frames_max};
	struct tl_thread_info info;

	if (session->selected.process == 0)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "No stack.");
	if (!tl_engine_find_thread(session->engine, session->selected, &info))
		return TL_FAIL(error, TL_ERROR_GONE, "The selected thread has ended: select another one.");
	if (!info.stopped)
		return TL_FAIL(error, TL_ERROR_RUNNING, "Selected thread is running.");
	if (session->stack == NULL)
		TL_TRY(open_stack(session, session->selected, &options, &session->stack, error));
	*stack_ret = session->stack;
	return TL_OK;
}

void tl_session_settings_changed(struct tl_session *session)
{
	const struct tl_stack_frame *frame;

	/* Frames and what names mean in them are worked out anew. */
	tl_session_forget_frame(session);
	tl_stack_close(session->stack);
	session->stack = NULL;
	if (session->level != 0 && tl_session_frame(session, &frame, NULL) != TL_OK)
		session->level = 0;
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

enum tl_status tl_session_stack_past_main(struct tl_session *session, struct tl_stack **stack_ret,
					  struct tl_error *error)
{
	struct tl_stack_options options = {.skipped = session->skipped, .past_main = true};
	struct tl_stack *shown;

	/* Whether there is one at all is said there. */
	TL_TRY(tl_session_stack(session, &shown, error));
	return open_stack(session, session->selected, &options, stack_ret, error);
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

/* ---- Where lists start ---- */

static enum tl_status base_address(void *context, const char *text, tl_size size, tl_u64 *address_ret,
				   struct tl_error *error)
{
	return tl_session_address(context, text, size, address_ret, error);
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

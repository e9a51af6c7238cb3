/* What becomes of inferiors as programs fork, run other programs, and end; and how they are left. */
#include "debugger/session/session_internal.h"
#include "debugger/session/steps_internal.h"

#include <string.h>

/* ---- Forks ---- */

/* "[New inferior 2 (process 4711)]" and its like, unless nobody wants to hear. */
#define TELL(session, ...)                                                                                             \
	do {                                                                                                           \
		if ((session)->settings.tell_inferiors)                                                                \
			tl_session_remark(session, __VA_ARGS__);                                                       \
	} while (0)

/* The child becomes an inferior of its own, of the same program. */
static enum tl_status add_child(struct tl_session *session, const struct tl_debugged *parent, tl_u64 process,
				struct tl_debugged **child_ret, struct tl_error *error)
{
	struct tl_debugged *child;

	TL_TRY(tl_session_new_inferior(session, &child, error));
	child->passing = true;
	child->connection = parent->connection;
	if (parent->program != NULL)
		TL_TRY(tl_inferior_set_program(session, child, parent->program, error));
	TL_TRY(tl_session_add(session, child, process, parent->path, parent->attached, error));
	TELL(session, "[New inferior %u (process %llu)]", child->number, (unsigned long long)process);
	tl_session_number_process(session, process);
	tl_breakpoints_forked(session, parent->process, process);
	*child_ret = child;
	return TL_OK;
}

static void let_go(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);

	if (debugged != NULL) {
		debugged->left = true;
		TELL(session, "[Inferior %u (process %llu) detached]", debugged->number, (unsigned long long)process);
		tl_session_remove(session, process);
	}
	(void)tl_engine_detach(session->engine, process, 0, 0);
}

static enum tl_status follow_child(struct tl_session *session, const struct tl_event *event, struct tl_error *error)
{
	struct tl_debugged *parent = tl_session_debugged(session, event->thread.process), *child;
	const char *what = event->kind == TL_EVENT_FORK ? "fork" : "vfork";
	bool was_selected = session->selected.process == event->thread.process;
	char name[64];

	tl_session_describe_thread(session, event->thread, name, sizeof(name));
	TELL(session, "[Attaching after %s %s to child process %llu]", name, what,
	     (unsigned long long)event->child.process);
	TL_TRY(add_child(session, parent, event->child.process, &child, error));
	tl_session_update_modules(session, child);
	child->going = (struct tl_thread_id){child->process, TL_ANY};
	parent->going = (struct tl_thread_id){0};
	tl_breakpoints_follow(session, parent, child);
	if (was_selected)
		tl_session_set_selected(session, event->child, 0);
	/* A step that goes on there is to show where that is. */
	session->steps.first_function = 0;
	if (!session->settings.detach_on_fork)
		return TL_OK;
	if (event->kind == TL_EVENT_VFORK) {
		/* It waits for the child, whose memory is its own: it is let go when that has memory of its own. */
		child->vfork_parent = parent->process;
		parent->left = true;
		return TL_OK;
	}
	TELL(session, "[Detaching after fork from parent process %llu]", (unsigned long long)parent->process);
	let_go(session, parent->process);
	return TL_OK;
}

/* The child of a vfork has memory of its own, or is gone: what waited for it goes its way. */
static void vfork_over(struct tl_session *session, struct tl_debugged *child, const char *what)
{
	tl_u64 parent = child->vfork_parent;

	child->vfork_parent = 0;
	if (parent == 0)
		return;
	TELL(session, "[Detaching vfork parent process %llu after child %s]", (unsigned long long)parent, what);
	let_go(session, parent);
}

static enum tl_status follow_parent(struct tl_session *session, const struct tl_event *event, struct tl_error *error)
{
	struct tl_debugged *parent = tl_session_debugged(session, event->thread.process), *child;

	if (session->settings.detach_on_fork) {
		TELL(session, "[Detaching after %s from child process %llu]",
		     event->kind == TL_EVENT_FORK ? "fork" : "vfork", (unsigned long long)event->child.process);
		(void)tl_engine_detach(session->engine, event->child.process, 0, 0);
		return TL_OK;
	}
	if (event->kind == TL_EVENT_VFORK && !session->settings.run_all)
		return TL_FAIL(error, TL_ERROR_STATE,
			       "Can not resume the parent process over vfork in the foreground while\n"
			       "holding the child stopped.  Try \"set detach-on-fork\" or \"set schedule-multiple\".");
	TL_TRY(add_child(session, parent, event->child.process, &child, error));
	if (session->settings.run_all)
		child->going = (struct tl_thread_id){child->process, TL_ANY};
	tl_session_update_modules(session, child);
	return TL_OK;
}

enum tl_status tl_session_follow_fork(struct tl_session *session, struct tl_error *error)
{
	struct tl_event event = session->forked;
	enum tl_status status;

	if (event.child.process == 0)
		return TL_OK;
	session->forked = (struct tl_event){0};
	if (tl_session_debugged(session, event.thread.process) == NULL)
		return TL_OK;
	status = session->settings.follow_child ? follow_child(session, &event, error)
						: follow_parent(session, &event, error);
	if (status != TL_OK && tl_session_debugged(session, event.child.process) == NULL)
		session->forked = event;
	return status;
}

/* ---- Other programs ---- */

enum tl_status tl_session_follow_exec(struct tl_session *session, struct tl_thread_id thread, struct tl_error *error)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process), *old = debugged;
	const tl_u64 process = thread.process;
	struct tl_thread_id selected = session->selected;
	bool attached = debugged != NULL && debugged->attached;
	tl_u32 threads, connection;

	if (debugged == NULL)
		return TL_OK;
	if (selected.process == process)
		tl_steps_end(session);
	threads = debugged->threads;
	connection = debugged->connection;
	vfork_over(session, debugged, "exec");
	tl_session_remove(session, process);
	if (session->settings.new_on_exec) {
		TL_TRY(tl_session_new_inferior(session, &debugged, error));
		threads = 0;
	}
	debugged->connection = connection;
	TL_TRY(tl_session_add(session, debugged, process, NULL, attached, error));
	debugged->threads = threads;
	debugged->going = (struct tl_thread_id){process, TL_ANY};
	if (session->settings.new_on_exec)
		tl_session_number_process(session, process);
	tl_session_begin_program(session, debugged);
	if (debugged->path != NULL)
		tl_session_remark(session, "process %llu is executing new program: %s", (unsigned long long)process,
				  debugged->path);
	if (old != debugged) {
		TELL(session, "[New inferior %u]", debugged->number);
		TELL(session, "[New process %llu]", (unsigned long long)process);
	}
	if (selected.process == process)
		tl_session_set_selected(session, thread, 0);
	tl_session_update_modules(session, debugged);
	tl_breakpoints_resolve(session);
	return TL_OK;
}

/* ---- Ends ---- */

void tl_session_ended(struct tl_session *session, tl_u64 process)
{
	struct tl_debugged *debugged = tl_session_debugged(session, process);

	tl_steps_end(session);
	if (debugged == NULL)
		return;
	vfork_over(session, debugged, "exit");
	if (session->selected.process != process)
		tl_session_set_selected(session, (struct tl_thread_id){0}, 0);
	session->current = debugged;
	tl_session_remove(session, process);
}

/* ---- Leaving ---- */

/* A child that was not followed yet shares its parent's fate. */
static void leave_unfollowed(struct tl_session *session, tl_u64 parent, bool kill)
{
	tl_u64 child = session->forked.child.process;

	if (child == 0 || session->forked.thread.process != parent)
		return;
	session->forked = (struct tl_event){0};
	if (kill)
		(void)tl_engine_kill(session->engine, child);
	else
		(void)tl_engine_detach(session->engine, child, 0, 0);
}

/* Do others run, which are to run on? */
static bool others_go(const struct tl_session *session, tl_u64 process)
{
	for (tl_size i = 0; i < session->inferior_count; i++)
		if (session->inferiors[i]->going.process != 0 && session->inferiors[i]->process != process)
			return session->running;
	return false;
}

static enum tl_status leave(struct tl_session *session, bool kill, struct tl_error *error)
{
	tl_u64 process = session->current->process;
	struct tl_thread_id thread = session->selected;
	const bool ran = others_go(session, process);
	tl_i32 signal = kill ? 0 : tl_session_signal_to_pass(session);
	enum tl_status status;

	if (process == 0)
		return TL_FAIL(error, TL_ERROR_NO_PROCESS, "The program is not being run.");
	if (session->steps.active && thread.process == process)
		tl_steps_end(session);
	if (ran)
		TL_TRY(tl_session_halt(session, error));
	else
		TL_TRY(tl_session_stand_still(session, process, error));
	vfork_over(session, session->current, "exit");
	leave_unfollowed(session, process, kill);
	tl_session_remove(session, process);
	status = kill ? tl_engine_kill(session->engine, process)
		      : tl_engine_detach(session->engine, process, signal != 0 ? thread.thread : 0, signal);
	if (!session->stop_ready)
		session->stop = (struct tl_stop){0};
	if (status != TL_OK)
		return tl_session_unhalt(session, ran, TL_FAIL(error, status, "%s", tl_status_text(status)));
	tl_session_tell_ends(session);
	return tl_session_go_on(session, error);
}

enum tl_status tl_session_kill(struct tl_session *session, struct tl_error *error)
{
	return leave(session, true, error);
}

enum tl_status tl_session_detach(struct tl_session *session, struct tl_error *error)
{
	return leave(session, false, error);
}

void tl_session_leave(struct tl_session *session)
{
	struct tl_error error;

	if (tl_engine_next_process(session->engine, 0) == 0 || session->inferior_count == 0 ||
	    tl_session_stand_still(session, TL_ANY, &error) != TL_OK)
		return;
	for (tl_size i = 0; i < session->inferior_count; i++) {
		tl_u64 process = session->inferiors[i]->process;
		bool attached = session->inferiors[i]->attached;

		if (process == 0)
			continue;
		leave_unfollowed(session, process, !attached);
		tl_session_remove(session, process);
		if (attached)
			(void)tl_engine_detach(session->engine, process, 0, 0);
		else
			(void)tl_engine_kill(session->engine, process);
	}
}

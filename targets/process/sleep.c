#include "targets/process/sleep.h"

#include "base/storage.h"
#include "targets/process/cpu.h"

/* waitpid's for a child that was continued, for which nobody asks it. */
#define ASLEEP_STATUS 0xffff

void tl_process_sleep_forget(struct traced_thread *thread)
{
	tl_release(tl_storage(), thread->kept, thread->kept_size);
	thread->kept = NULL;
	thread->kept_size = 0;
	thread->asleep = false;
}

void tl_process_sleep_begin(struct process_target *target, struct traced_thread *thread)
{
	tl_process_sleep_forget(thread);
	thread->asleep = tl_process_cpu_keep(target, thread) == TL_OK;
}

enum tl_status tl_process_sleep_stop(struct process_target *target, const struct traced_thread *thread)
{
	return tl_process_wait_requeue(target, thread->id, ASLEEP_STATUS);
}

/* It may have woken since it was asked to stop, and said so. */
static void show(struct process_target *target, struct traced_thread *thread)
{
	struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = process_id_of(thread)};

	if (!thread->asleep || !thread->stop_asked || thread->state != TRACED_RUNNING)
		return;
	tl_process_set_state(thread, TRACED_STOPPED);
	thread->place = PLACE_ASLEEP;
	thread->general_valid = true;
	thread->stop_asked = false;
	TL_TRACE(EVENTS, "%d.%d asleep in vfork, shown as stopped", (int)event.thread.process, (int)thread->id);
	if (target->target.engine != NULL)
		tl_engine_post(target->target.engine, &event);
}

bool tl_process_sleep_takes(struct process_target *target, struct traced_thread *thread, int status)
{
	if (status == ASLEEP_STATUS) {
		if (thread != NULL)
			show(target, thread);
		return true;
	}
	if (thread == NULL)
		return false;
	if (thread->state == TRACED_STOPPED && thread->place == PLACE_ASLEEP) {
		/* From here on it stands indeed, and its stop is dealt with when it is to go on. */
		tl_process_sleep_forget(thread);
		thread->place = PLACE_SYSCALL;
		thread->general_valid = false;
		thread->status = status;
		thread->due = true;
		return true;
	}
	tl_process_sleep_forget(thread);
	return false;
}

void tl_process_sleep_resume(struct traced_thread *thread, const struct tl_run_request *request)
{
	thread->request = *request;
	thread->stop_asked = false;
	thread->place = PLACE_VFORK;
	thread->general_valid = false;
	tl_process_set_state(thread, TRACED_RUNNING);
}

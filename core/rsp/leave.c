/*
 * Leaving a process: D, vKill and k. The engine lets go only of what stands still, so that in non-stop the process is
 * paused before a detach, and the reply waits. Other processes take no notice.
 * GDB manual, "Packets".
 */
#include "core/rsp/rsp_internal.h"

#define LINUX_SIGNAL_INT 2
#define LINUX_SIGNAL_TRAP 5
#define LINUX_SIGNAL_KILL 9

static bool may_pass(const struct tl_rsp *rsp, tl_i32 signal)
{
	const struct tl_engine_settings *settings = tl_engine_settings(rsp->engine);

	if (signal <= 0 || signal >= TL_SIGNAL_WORDS * 64)
		return false;
	if (settings->program_signals_known)
		return (settings->program_signals[signal / 64] >> (signal % 64) & 1) != 0;
	/* Without the client's word: a debugger's own signals are not the program's. */
	return signal != LINUX_SIGNAL_INT && signal != LINUX_SIGNAL_TRAP;
}

/*
 * The signal of which a thread of the process was told to the client and that the client leaves to it; thread 0 when
 * there is none. The engine looks after those that were not told.
 */
static tl_i32 pending_signal(struct tl_rsp *rsp, tl_u64 process, tl_u64 *thread_ret)
{
	struct tl_thread_info info = {0};
	struct tl_report report;

	*thread_ret = 0;
	while (tl_engine_next_thread(rsp->engine, info.id, &info)) {
		if (info.id.process != process || info.state != TL_THREAD_PARKED ||
		    !tl_engine_last_report(rsp->engine, info.id, &report))
			continue;
		if (report.event.kind != TL_EVENT_SIGNAL || !may_pass(rsp, report.event.signal))
			continue;
		*thread_ret = info.id.thread;
		return report.event.signal;
	}
	return 0;
}

static enum tl_status detach(struct tl_rsp *rsp, tl_u64 process)
{
	tl_u64 thread;
	tl_i32 signal = pending_signal(rsp, process, &thread);

	/* gdb's disconnected-dprintf: what it left in the process shall go on doing its work. A machine goes on, too.
	 */
	if (tl_engine_persists(rsp->engine, process))
		return tl_engine_unattend(rsp->engine, process, thread, signal);
	return tl_engine_detach(rsp->engine, process, thread, signal);
}

static enum tl_status kill_all(struct tl_rsp *rsp)
{
	enum tl_status worst = TL_OK;
	tl_u64 process;
	tl_u64 before = 0;

	while ((process = tl_engine_next_process(rsp->engine, before)) != 0) {
		enum tl_status status = tl_engine_kill(rsp->engine, process);

		if (status != TL_OK)
			worst = status;
		/* A process that is still there was not killed: go on behind it. */
		if (tl_rsp_process_exists(rsp, process))
			before = process;
	}
	/* Nor has a resume that was under way any answer now. */
	if (worst == TL_OK) {
		tl_engine_drop_reports(rsp->engine);
		rsp->forgone = true;
	}
	return worst;
}

static enum tl_status leave_now(struct tl_rsp *rsp, enum tl_rsp_leave leave, tl_u64 process)
{
	switch (leave) {
	case TL_RSP_LEAVE_DETACH:
		return detach(rsp, process);
	case TL_RSP_LEAVE_KILL:
		return tl_engine_kill(rsp->engine, process);
	case TL_RSP_LEAVE_KILL_ALL:
		return kill_all(rsp);
	case TL_RSP_LEAVE_NONE:
		break;
	}
	return TL_OK;
}

/* What follows success, whether at once or later. */
static void left(struct tl_rsp *rsp, enum tl_rsp_leave leave)
{
	bool last = tl_engine_next_process(rsp->engine, 0) == 0;

	if (!tl_rsp_process_exists(rsp, rsp->general.process))
		rsp->general = (struct tl_thread_id){0, 0};
	if (!tl_rsp_process_exists(rsp, rsp->last_stop.process))
		rsp->last_stop = (struct tl_thread_id){0, 0};
	if (rsp->client[TL_RSP_CLIENT_EXTENDED])
		return;
	if (last || leave == TL_RSP_LEAVE_KILL_ALL)
		rsp->done = true;
}

static enum tl_status begin(struct tl_rsp *rsp, enum tl_rsp_leave leave, tl_u64 process)
{
	enum tl_status status;

	if (rsp->leave != TL_RSP_LEAVE_NONE)
		return TL_ERROR_STATE;
	status = leave_now(rsp, leave, process);
	if (status == TL_ERROR_RUNNING) {
		if (leave == TL_RSP_LEAVE_KILL_ALL)
			tl_engine_pause(rsp->engine);
		else
			tl_engine_pause_process(rsp->engine, process);
		rsp->leave = leave;
		rsp->leave_process = process;
		return TL_DEFERRED;
	}
	if (status == TL_OK)
		left(rsp, leave);
	return status;
}

void tl_rsp_leave_further(struct tl_rsp *rsp)
{
	enum tl_rsp_leave leave = rsp->leave;
	enum tl_status status;

	if (leave == TL_RSP_LEAVE_KILL_ALL ? !tl_engine_quiet(rsp->engine)
					   : !tl_engine_process_quiet(rsp->engine, rsp->leave_process))
		return;
	rsp->leave = TL_RSP_LEAVE_NONE;
	status = leave_now(rsp, leave, rsp->leave_process);
	if (status == TL_OK)
		left(rsp, leave);
	if (leave == TL_RSP_LEAVE_KILL_ALL)
		rsp->owed = false; /* k has no reply */
	else
		tl_rsp_send_owed(rsp, status);
}

static enum tl_status handle_detach(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	tl_u64 process;

	(void)context, (void)reply;
	if (tl_cursor_accept(arguments, ';')) {
		process = tl_cursor_hex(arguments);
		if (arguments->failed)
			return TL_ERROR_PACKET;
	} else if (!tl_rsp_process(rsp, &process)) {
		process = tl_engine_untold_exit(rsp->engine, TL_ANY);
	}
	return begin(rsp, TL_RSP_LEAVE_DETACH, process);
}

static enum tl_status handle_kill_process(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	tl_u64 process;

	(void)context, (void)reply;
	tl_cursor_expect(arguments, ';');
	process = tl_cursor_hex(arguments);
	if (arguments->failed)
		return TL_ERROR_PACKET;
	/* Without multiprocess the client does not know the number and makes one up. */
	if (!rsp->client[TL_RSP_CLIENT_MULTIPROCESS] && !tl_rsp_process_exists(rsp, process) &&
	    !tl_rsp_process(rsp, &process))
		process = tl_engine_untold_exit(rsp->engine, TL_ANY);
	return begin(rsp, TL_RSP_LEAVE_KILL, process);
}

static enum tl_status handle_kill(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	enum tl_status status;

	(void)context, (void)arguments;
	if (tl_engine_next_process(rsp->engine, 0) == 0 && tl_engine_untold_exit(rsp->engine, TL_ANY) == 0) {
		rsp->silent = true;
		return TL_OK;
	}
	status = begin(rsp, TL_RSP_LEAVE_KILL_ALL, 0);
	if (rsp->client[TL_RSP_CLIENT_LLDB] && status == TL_OK) {
		/* lldb waits to be told of the death. */
		tl_write_byte(reply, 'X');
		tl_write_hex_padded(reply, LINUX_SIGNAL_KILL, 2);
		return TL_OK;
	}
	rsp->silent = true;
	return status;
}

const struct tl_rsp_row tl_rsp_leave_rows[] = {
	{"D", TL_RSP_WORD, TL_RSP_STOPPED, true, handle_detach},
	{"vKill", TL_RSP_WORD, TL_RSP_STOPPED, true, handle_kill_process},
	{"k", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_kill},
	{0},
};

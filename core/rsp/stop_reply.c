/*
 * Stop replies: what a report of the engine looks like on the wire, and when it goes out.
 * GDB manual, "Stop Reply Packets" and "Remote Protocol Support for Non-Stop Mode".
 */
#include "core/rsp/rsp_internal.h"

#define LINUX_SIGNAL_INTERRUPT 2
#define LINUX_SIGNAL_TRAP 5
#define LINUX_SIGNAL_STOP 19
#define PATH_MAX_BYTES 512
#define NAME_MAX_BYTES 64

int tl_rsp_register_number(const struct tl_cpu *cpu, tl_u32 features, tl_u16 index)
{
	int number = 0;

	if (index >= cpu->register_count || (features >> cpu->registers[index].feature & 1) == 0)
		return -1;
	for (tl_u16 i = 0; i < index; i++)
		number += (int)(features >> cpu->registers[i].feature & 1);
	return number;
}

static void write_signal(struct tl_rsp *rsp, struct tl_writer *writer, tl_i32 signal)
{
	tl_write_byte(writer, rsp->host.stops_as_signals ? 'S' : 'T');
	tl_write_hex_padded(writer, tl_rsp_signal_out(rsp, signal), 2);
}

static void write_exec(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	tl_u8 path[PATH_MAX_BYTES];
	tl_u64 offset = 0;
	tl_size done;

	tl_write_text(writer, "exec:");
	if (target->ops->read_object == NULL)
		return;
	/* A path has no bound that everyone keeps to: it goes piece by piece. */
	while (!writer->failed &&
	       target->ops->read_object(target, report->event.thread, TL_OBJECT_EXEC_FILE, offset, path, sizeof(path),
					&done) == TL_OK &&
	       done != 0) {
		tl_write_hex_bytes(writer, path, done);
		offset += done;
	}
}

static void write_watch(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer)
{
	const char *name = report->point == TL_POINT_READ     ? "rwatch:"
			   : report->point == TL_POINT_ACCESS ? "awatch:"
							      : "watch:";
	tl_size count = report->hit_count < TL_HITS_MAX ? report->hit_count : TL_HITS_MAX;

	if (count > 1 && !rsp->client[TL_RSP_CLIENT_MULTI_WATCH])
		count = 1;
	for (tl_size i = 0; i < count; i++) {
		tl_write_text(writer, name);
		tl_write_hex(writer, report->hit_addresses[i]);
		tl_write_byte(writer, ';');
	}
}

static void write_child(struct tl_rsp *rsp, const char *name, const struct tl_report *report, struct tl_writer *writer)
{
	tl_write_text(writer, name);
	tl_rsp_write_thread_id(rsp, writer, report->event.child);
	tl_write_byte(writer, ';');
}

static void write_number(const char *name, tl_u64 number, struct tl_writer *writer)
{
	tl_write_text(writer, name);
	tl_write_hex(writer, number);
	tl_write_byte(writer, ';');
}

/* The one stop reason that a T packet may carry. */
static void write_reason(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer)
{
	switch (report->event.kind) {
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
		if (report->point == TL_POINT_HARDWARE && rsp->client[TL_RSP_CLIENT_HWBREAK])
			tl_write_text(writer, "hwbreak:;");
		else if (report->point == TL_POINT_SOFTWARE && rsp->client[TL_RSP_CLIENT_SWBREAK])
			tl_write_text(writer, "swbreak:;");
		break;
	case TL_EVENT_WATCHPOINT:
		write_watch(rsp, report, writer);
		break;
	case TL_EVENT_SYSCALL_ENTRY:
		write_number("syscall_entry:", report->event.number, writer);
		break;
	case TL_EVENT_SYSCALL_RETURN:
		write_number("syscall_return:", report->event.number, writer);
		break;
	case TL_EVENT_FORK:
		if (rsp->client[TL_RSP_CLIENT_FORK_EVENTS])
			write_child(rsp, "fork:", report, writer);
		break;
	case TL_EVENT_VFORK:
		if (rsp->client[TL_RSP_CLIENT_VFORK_EVENTS])
			write_child(rsp, "vfork:", report, writer);
		break;
	case TL_EVENT_VFORK_DONE:
		if (rsp->client[TL_RSP_CLIENT_VFORK_EVENTS])
			tl_write_text(writer, "vforkdone:;");
		break;
	case TL_EVENT_EXEC:
		if (rsp->client[TL_RSP_CLIENT_EXEC_EVENTS]) {
			write_exec(rsp, report, writer);
			tl_write_byte(writer, ';');
		}
		break;
	case TL_EVENT_CLONE:
		write_child(rsp, "clone:", report, writer);
		break;
	case TL_EVENT_THREAD_CREATED:
		tl_write_text(writer, "create:;");
		break;
	case TL_EVENT_HISTORY_END:
		/* `code` tells the two ends of recorded history apart. */
		tl_write_text(writer, report->event.code != 0 ? "replaylog:begin;" : "replaylog:end;");
		break;
	case TL_EVENT_NONE:
	case TL_EVENT_PAUSED:
	case TL_EVENT_STEPPED:
	case TL_EVENT_SIGNAL:
	case TL_EVENT_THREAD_EXITED:
	case TL_EVENT_PROCESS_EXITED:
	case TL_EVENT_PROCESS_KILLED:
	case TL_EVENT_MAX:
		break;
	}
}

static void write_register(const struct tl_process_facts *facts, tl_i16 index, const tl_u8 *file,
			   struct tl_writer *writer)
{
	int number = tl_rsp_register_number(facts->cpu, facts->features, (tl_u16)index);

	if (number < 0)
		return;
	tl_write_hex_padded(writer, (tl_u64)number, 2);
	tl_write_byte(writer, ':');
	tl_write_hex_bytes(writer, file + facts->cpu->registers[index].offset, facts->cpu->registers[index].bits / 8u);
	tl_write_byte(writer, ';');
}

/* The registers that clients ask for after every stop. */
static void write_registers(struct tl_rsp *rsp, struct tl_thread_id id, struct tl_writer *writer)
{
	bool brief = rsp->host.stops_are_brief && (rsp->client[TL_RSP_CLIENT_GDB] || rsp->client[TL_RSP_CLIENT_LLDB]);
	struct tl_process_facts facts;
	tl_u8 *file;

	if (tl_engine_facts(rsp->engine, id.process, &facts) != TL_OK || facts.cpu->expedited == NULL ||
	    tl_engine_registers(rsp->engine, id, 1u << TL_BANK_GENERAL, &file) != TL_OK)
		return;
	for (const tl_i16 *index = facts.cpu->expedited; *index >= 0; index++) {
		if (brief && facts.cpu->expedited_first != 0 &&
		    index - facts.cpu->expedited >= facts.cpu->expedited_first)
			break;
		write_register(&facts, *index, file, writer);
	}
}

/* As lldb reads it, digits because a name may have any byte in it. */
static void write_name(struct tl_rsp *rsp, struct tl_thread_id id, struct tl_writer *writer)
{
	tl_u8 name[NAME_MAX_BYTES];
	tl_size size = tl_rsp_thread_name(rsp, id, name, sizeof(name));

	if (size == 0)
		return;
	tl_write_text(writer, "hexname:");
	tl_write_hex_bytes(writer, name, size);
	tl_write_byte(writer, ';');
}

/*
 * lldb's users know a stop that was asked for by the signal with which lldb-server makes it. Where there is no Linux,
 * lldb counts signals as other systems do: what it takes that one for does not even stop it.
 */
static bool expects_stop_signal(struct tl_rsp *rsp, tl_u64 process)
{
	static const char none[] = "none";
	struct tl_process_facts facts;

	return rsp->client[TL_RSP_CLIENT_LLDB] &&
	       (tl_engine_facts(rsp->engine, process, &facts) != TL_OK || facts.os_abi == NULL ||
		tl_text_length(facts.os_abi) != sizeof(none) - 1 || !tl_same(facts.os_abi, none, sizeof(none) - 1));
}

static void write_thread_stop(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer)
{
	const struct tl_event *event = &report->event;
	tl_i32 signal = LINUX_SIGNAL_TRAP;
	tl_u8 *mark;

	if (report->asked && expects_stop_signal(rsp, event->thread.process))
		signal = LINUX_SIGNAL_STOP;
	else if (event->kind == TL_EVENT_SIGNAL)
		signal = event->signal;
	else if (event->kind == TL_EVENT_PAUSED || event->kind == TL_EVENT_NONE)
		signal = 0;
	write_signal(rsp, writer, signal);
	if (rsp->host.stops_as_signals)
		return;
	write_reason(rsp, report, writer);
	if (!rsp->host.stops_without_thread) {
		tl_write_text(writer, "thread:");
		tl_rsp_write_thread_id(rsp, writer, event->thread);
		tl_write_byte(writer, ';');
	}
	if (writer->failed)
		return;
	/* What does not fit behind that is left out: clients ask for it. */
	mark = writer->at;
	write_registers(rsp, event->thread, writer);
	if (!writer->failed) {
		mark = writer->at;
		if (rsp->host.extend_stop != NULL)
			rsp->host.extend_stop(rsp->host.context, report, writer);
		else if (rsp->client[TL_RSP_CLIENT_LLDB])
			write_name(rsp, event->thread, writer);
	}
	if (writer->failed) {
		writer->at = mark;
		writer->failed = false;
	}
}

static void write_process_end(struct tl_rsp *rsp, char letter, tl_u32 value, tl_u64 process, struct tl_writer *writer)
{
	tl_write_byte(writer, (tl_u8)letter);
	if (!rsp->client[TL_RSP_CLIENT_MULTIPROCESS]) {
		tl_write_hex_padded(writer, value & 0xff, 2);
		return;
	}
	/* lldb reads two digits and no other number of them. */
	tl_write_hex_padded(writer, value, rsp->client[TL_RSP_CLIENT_LLDB] ? 2 : 1);
	tl_write_text(writer, ";process:");
	tl_write_hex(writer, process);
}

void tl_rsp_write_stop(struct tl_rsp *rsp, const struct tl_report *report, struct tl_writer *writer)
{
	const struct tl_event *event = &report->event;

	if (report->no_resumed) {
		tl_write_byte(writer, 'N');
		return;
	}
	switch (event->kind) {
	case TL_EVENT_PROCESS_EXITED:
		write_process_end(rsp, 'W', (tl_u32)event->code, event->thread.process, writer);
		return;
	case TL_EVENT_PROCESS_KILLED:
		write_process_end(rsp, 'X', tl_rsp_signal_out(rsp, event->signal), event->thread.process, writer);
		return;
	case TL_EVENT_THREAD_EXITED:
		tl_write_byte(writer, 'w');
		tl_write_hex(writer, (tl_u32)event->code);
		tl_write_byte(writer, ';');
		tl_rsp_write_thread_id(rsp, writer, event->thread);
		return;
	case TL_EVENT_NONE:
	case TL_EVENT_PAUSED:
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
	case TL_EVENT_WATCHPOINT:
	case TL_EVENT_STEPPED:
	case TL_EVENT_SIGNAL:
	case TL_EVENT_SYSCALL_ENTRY:
	case TL_EVENT_SYSCALL_RETURN:
	case TL_EVENT_FORK:
	case TL_EVENT_VFORK:
	case TL_EVENT_VFORK_DONE:
	case TL_EVENT_EXEC:
	case TL_EVENT_CLONE:
	case TL_EVENT_THREAD_CREATED:
	case TL_EVENT_HISTORY_END:
	case TL_EVENT_MAX:
		write_thread_stop(rsp, report, writer);
		return;
	}
}

/* ---- When they go out ---- */

/* Why it stopped where the stop reply has no word for it. */
static void tell_error(struct tl_rsp *rsp, const struct tl_report *report)
{
	tl_u8 line[256];
	struct tl_writer text = tl_writer_make(line, sizeof(line));

	if (report->no_resumed || report->condition_error == TL_OK)
		return;
	if (report->event.kind == TL_EVENT_PAUSED) {
		tl_write_text(&text, "The program could not be made to run on: ");
	} else {
		tl_write_text(&text, "The condition or commands of the breakpoint at 0x");
		tl_write_hex(&text, report->event.address);
		tl_write_text(&text, " could not be evaluated: ");
	}
	tl_write_text(&text, tl_status_text(report->condition_error));
	tl_write_text(&text, "\n");
	(void)tl_rsp_console(rsp, (const char *)line, tl_writer_size(&text));
}

/* Clients expect the thread that stopped to be the general thread from then on. */
static void select_thread(struct tl_rsp *rsp, const struct tl_event *event)
{
	bool gone = event->kind == TL_EVENT_PROCESS_EXITED || event->kind == TL_EVENT_PROCESS_KILLED ||
		    event->kind == TL_EVENT_THREAD_EXITED;

	rsp->last_stop = gone ? (struct tl_thread_id){0, 0} : event->thread;
	/* One that is not told stays with the thread that it chose itself. */
	if (gone || !(rsp->host.stops_without_thread || rsp->host.stops_as_signals))
		rsp->general = rsp->last_stop;
}

static bool uneventful(const struct tl_report *report)
{
	return report->event.kind == TL_EVENT_PAUSED || report->event.kind == TL_EVENT_NONE;
}

static void send_stop(struct tl_rsp *rsp, const struct tl_report *report)
{
	struct tl_writer writer = tl_writer_make(rsp->output + TL_FRAME_HEAD, rsp->host.packet_size);

	tell_error(rsp, report);
	rsp->owed = false;
	/* Something else came first. */
	if (rsp->interrupted && tl_engine_next_process(rsp->engine, 0) != 0)
		rsp->interrupt =
			report->event.kind != TL_EVENT_SIGNAL || report->event.signal != LINUX_SIGNAL_INTERRUPT;
	rsp->interrupted = false;
	if (report->no_resumed && !rsp->client[TL_RSP_CLIENT_NO_RESUMED]) {
		rsp->explanation[0] = '\0';
		tl_rsp_explain(rsp, "nothing that was resumed is left to wait for");
		tl_rsp_write_error(rsp, NULL, TL_ERROR_NO_THREAD, &writer);
	} else {
		struct tl_report shown = *report;

		if (!report->no_resumed)
			select_thread(rsp, &report->event);
		/* A stop that was asked for, as in attaching. */
		if (!report->no_resumed && uneventful(report) && report->condition_error == TL_OK &&
		    expects_stop_signal(rsp, report->event.thread.process))
			shown.event = (struct tl_event){
				.kind = TL_EVENT_SIGNAL, .thread = report->event.thread, .signal = LINUX_SIGNAL_STOP};
		tl_rsp_write_stop(rsp, &shown, &writer);
	}
	tl_rsp_send_output(rsp, tl_writer_size(&writer));
}

/* The next report that this client can be told of in non-stop. */
static bool next_report(struct tl_rsp *rsp, struct tl_report *report_ret)
{
	while (tl_engine_take_report(rsp->engine, report_ret))
		if (!report_ret->no_resumed || rsp->client[TL_RSP_CLIENT_NO_RESUMED])
			return true;
	return false;
}

static void last_report(struct tl_rsp *rsp, struct tl_thread_id id, struct tl_report *report_ret)
{
	if (tl_engine_last_report(rsp->engine, id, report_ret))
		return;
	*report_ret = (struct tl_report){.event = {.kind = TL_EVENT_PAUSED, .thread = id}};
}

/* Of the threads that stood when `?` came, the next of which the client has not been told. */
static bool next_to_tell(struct tl_rsp *rsp, struct tl_report *report_ret)
{
	struct tl_thread_info info;

	while (rsp->telling) {
		/* The one told of last may be gone. */
		rsp->telling = tl_engine_younger_thread(rsp->engine, rsp->told, &info);
		if (!rsp->telling)
			break;
		rsp->told = info.born;
		if (info.state != TL_THREAD_PARKED)
			continue;
		last_report(rsp, info.id, report_ret);
		return true;
	}
	return false;
}

static void notify(struct tl_rsp *rsp)
{
	struct tl_writer writer = tl_writer_make(rsp->notice + TL_FRAME_HEAD, rsp->host.packet_size);
	struct tl_report report;
	tl_size size;

	/* One at a time: the rest stays in the engine until vStopped fetches it. */
	if (rsp->notifying || (!next_to_tell(rsp, &report) && !next_report(rsp, &report)))
		return;
	rsp->notifying = true;
	tl_engine_unheard(rsp->engine, &report.event);
	tl_write_text(&writer, "Stop:");
	tl_rsp_write_stop(rsp, &report, &writer);
	size = tl_writer_size(&writer);
	if (rsp->host.observe != NULL)
		rsp->host.observe(rsp->host.context, false, rsp->notice + TL_FRAME_HEAD, size);
	rsp->host.send(rsp->host.context, rsp->notice, tl_frame_encode(rsp->notice, '%', size));
}

/* ---- ? and vStopped ---- */

/* Non-stop: the next stopped thread of which the client that asked `?` is to be told, then what came since, then OK. */
static enum tl_status tell_next(struct tl_rsp *rsp, struct tl_writer *reply)
{
	struct tl_report report;

	tl_engine_unheard(rsp->engine, NULL);
	/* The others come by a notification as soon as this chain has ended. */
	if (rsp->one_at_first && rsp->told != 0) {
		rsp->one_at_first = rsp->notifying = false;
		return TL_OK;
	}
	if (next_to_tell(rsp, &report) || next_report(rsp, &report)) {
		tl_engine_unheard(rsp->engine, &report.event);
		tl_rsp_write_stop(rsp, &report, reply);
	} else {
		rsp->notifying = false;
	}
	return TL_OK;
}

static bool find_eventful(struct tl_rsp *rsp, struct tl_thread_id *id_ret)
{
	struct tl_thread_info info = {0};
	struct tl_report report;

	while (tl_engine_next_thread(rsp->engine, info.id, &info)) {
		if (!tl_engine_last_report(rsp->engine, info.id, &report) || uneventful(&report))
			continue;
		*id_ret = info.id;
		return true;
	}
	return false;
}

enum tl_status tl_rsp_tell_stop(struct tl_rsp *rsp, struct tl_writer *reply)
{
	struct tl_thread_id id = rsp->last_stop;
	struct tl_thread_info info;
	struct tl_report report;

	/* A report is on its way, of an attach say: that is the answer. */
	if (tl_engine_running(rsp->engine))
		return TL_DEFERRED;
	/* Non-stop has just been left, and not everyone stands still yet. */
	rsp->asked = !tl_engine_quiet(rsp->engine);
	if (rsp->asked)
		return TL_DEFERRED;
	/* A client that comes back is to find the thread that the one before it was told of. */
	if (id.thread == 0)
		id = tl_engine_last_told(rsp->engine);
	if ((id.thread == 0 || !tl_engine_find_thread(rsp->engine, id, &info)) && !find_eventful(rsp, &id) &&
	    !tl_rsp_any_thread(rsp, TL_ANY, &id)) {
		tl_write_text(reply, "W00");
		return TL_OK;
	}
	last_report(rsp, id, &report);
	/* Where nothing in particular happened, gdb expects the trap with which a program begins, and lldb a SIGSTOP.
	 */
	if (uneventful(&report) && expects_stop_signal(rsp, id.process))
		report.event = (struct tl_event){.kind = TL_EVENT_SIGNAL, .thread = id, .signal = LINUX_SIGNAL_STOP};
	else if (uneventful(&report))
		report.event = (struct tl_event){.kind = TL_EVENT_STEPPED, .thread = id};
	rsp->general = rsp->last_stop = id;
	tl_rsp_write_stop(rsp, &report, reply);
	return TL_OK;
}

static enum tl_status handle_status(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	(void)context, (void)arguments;
	/*
	 * As it connects, gdb (13.1 for one) ends in an internal error of its own if it is told of more than one stop
	 * in non-stop. Clients newer than that announce error-message.
	 */
	rsp->one_at_first = !rsp->questioned && !rsp->client[TL_RSP_CLIENT_ERROR_MESSAGE];
	rsp->questioned = true;
	if (!tl_rsp_non_stop(rsp))
		return rsp->owed ? TL_DEFERRED : tl_rsp_tell_stop(rsp, reply);
	rsp->notifying = rsp->telling = true;
	rsp->told = 0;
	return tell_next(rsp, reply);
}

static enum tl_status handle_stopped(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	(void)context, (void)arguments;
	return rsp->notifying && tl_rsp_non_stop(rsp) ? tell_next(rsp, reply) : TL_OK;
}

/*
 * How one thread stands, in the words of a stop reply: lldb asks that of all of them at each stop. Where nobody
 * supplies more, it has the name and those registers by which the innermost frame is found, for which lldb asks next.
 */
static enum tl_status handle_thread_stop(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					 struct tl_writer *reply)
{
	struct tl_thread_id id = tl_rsp_read_thread_id(rsp, arguments);
	struct tl_process_facts facts;
	const tl_i16 *known;
	const tl_u8 *file;

	(void)context;
	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_engine_is_bystander(rsp->engine, id)) {
		struct tl_report report;

		TL_TRY(tl_rsp_standing(rsp, id));
		last_report(rsp, id, &report);
		tl_rsp_write_stop(rsp, &report, reply);
		return TL_OK;
	}
	TL_TRY(tl_engine_facts(rsp->engine, id.process, &facts));
	TL_TRY(tl_engine_bystander_registers(rsp->engine, id, &file, &known));
	tl_write_text(reply, "T00thread:");
	tl_rsp_write_thread_id(rsp, reply, id);
	tl_write_byte(reply, ';');
	for (; *known >= 0; known++)
		if (*known == facts.cpu->program_counter || *known == facts.cpu->stack_pointer ||
		    *known == facts.cpu->frame_pointer)
			write_register(&facts, *known, file, reply);
	write_name(rsp, id, reply);
	return TL_OK;
}

static void answer_status(struct tl_rsp *rsp)
{
	struct tl_writer writer = tl_writer_make(rsp->output + TL_FRAME_HEAD, rsp->host.packet_size);

	if (tl_rsp_tell_stop(rsp, &writer) == TL_DEFERRED)
		return;
	rsp->owed = false;
	tl_rsp_send_output(rsp, tl_writer_size(&writer));
}

void tl_rsp_report(struct tl_rsp *rsp)
{
	struct tl_report report;

	if (tl_rsp_non_stop(rsp))
		notify(rsp);
	else if (rsp->owed && rsp->asked)
		answer_status(rsp);
	else if (rsp->owed && tl_engine_take_report(rsp->engine, &report))
		send_stop(rsp, &report);
}

const struct tl_rsp_row tl_rsp_status_rows[] = {
	{"?", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_status},
	{"vStopped", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_stopped},
	{"qThreadStopInfo", TL_RSP_PREFIX, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_thread_stop},
	{0},
};

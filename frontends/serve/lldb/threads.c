/*
 * Threads and why they stopped: what lldb wants to know at each stop, so put that it need not ask for it.
 */
#include "frontends/serve/json.h"
#include "frontends/serve/lldb/internal.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the stack that go along with a stop reply: what lldb reads first is around the stack pointer. */
#define STACK_BELOW 128
#define STACK_SIZE 640
/* And the chain of frame pointers from there on: two words a frame. */
#define FRAMES_MAX 16
/* Up to so many threads, each one's registers and stack go along. */
#define WHOLE_THREADS_MAX 16

static tl_size thread_name(const struct tl_lldb *lldb, struct tl_thread_id id, char *name, tl_size size)
{
	struct tl_target *target = tl_lldb_target(lldb);
	tl_size done = 0;

	if (target->ops->read_object == NULL ||
	    target->ops->read_object(target, id, TL_OBJECT_THREAD_NAME, 0, name, size - 1, &done) != TL_OK)
		done = 0;
	name[done] = '\0';
	return done;
}

/* lldb's word for why a thread stopped, NULL when it did so for the sake of others. */
static const char *reason_of(const struct tl_report *report)
{
	if (report->condition_error != TL_OK)
		return "exception";
	switch (report->event.kind) {
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
		return "breakpoint";
	case TL_EVENT_WATCHPOINT:
		return "watchpoint";
	case TL_EVENT_STEPPED:
		return "trace";
	case TL_EVENT_SIGNAL:
	case TL_EVENT_SYSCALL_ENTRY:
	case TL_EVENT_SYSCALL_RETURN:
	case TL_EVENT_HISTORY_END:
		return "signal";
	case TL_EVENT_FORK:
		return "fork";
	case TL_EVENT_VFORK:
		return "vfork";
	case TL_EVENT_VFORK_DONE:
		return "vforkdone";
	case TL_EVENT_EXEC:
		return "exec";
	case TL_EVENT_NONE:
	case TL_EVENT_PAUSED:
	case TL_EVENT_CLONE:
	case TL_EVENT_THREAD_CREATED:
	case TL_EVENT_THREAD_EXITED:
	case TL_EVENT_PROCESS_EXITED:
	case TL_EVENT_PROCESS_KILLED:
	case TL_EVENT_MAX:
		break;
	}
	return NULL;
}

/* ---- Signals that an instruction raised ---- */

/* What a si_code says; 0 ends a signal's rows. signal(7), sigaction(2). */
static const struct {
	int signal, code;
	const char *text;
} faults[] = {
	{SIGSEGV, SEGV_MAPERR, "invalid address"},
	{SIGSEGV, SEGV_ACCERR, "address access protected"},
	{SIGSEGV, SEGV_BNDERR, "bound violation"},
	{SIGBUS, BUS_ADRALN, "illegal alignment"},
	{SIGBUS, BUS_ADRERR, "illegal address"},
	{SIGBUS, BUS_OBJERR, "hardware error"},
	{SIGILL, ILL_ILLOPC, "illegal opcode"},
	{SIGILL, ILL_ILLOPN, "illegal instruction operand"},
	{SIGILL, ILL_ILLADR, "illegal addressing mode"},
	{SIGILL, ILL_ILLTRP, "illegal trap"},
	{SIGILL, ILL_PRVOPC, "privileged instruction"},
	{SIGILL, ILL_PRVREG, "privileged register"},
	{SIGILL, ILL_COPROC, "coprocessor error"},
	{SIGILL, ILL_BADSTK, "internal stack error"},
	{SIGFPE, FPE_INTDIV, "integer divide by zero"},
	{SIGFPE, FPE_INTOVF, "integer overflow"},
	{SIGFPE, FPE_FLTDIV, "floating point divide by zero"},
	{SIGFPE, FPE_FLTOVF, "floating point overflow"},
	{SIGFPE, FPE_FLTUND, "floating point underflow"},
	{SIGFPE, FPE_FLTRES, "inexact floating point result"},
	{SIGFPE, FPE_FLTINV, "invalid floating point operation"},
	{SIGFPE, FPE_FLTSUB, "subscript out of range"},
};

/*
 * "signal SIGSEGV: invalid address (fault address: 0x10)", from the thread's siginfo (the numbers of its fields:
 * <bits/types/siginfo_t.h>). False for a signal that no instruction raised.
 */
static bool describe_fault(struct tl_lldb *lldb, const struct tl_report *report, char *text, size_t size)
{
	struct tl_target *target = tl_lldb_target(lldb);
	const struct tl_cpu *cpu = tl_lldb_cpu(lldb, report->event.thread.process, NULL);
	bool wide = cpu != NULL && cpu->address_size == 8;
	tl_u8 info[24];
	tl_size done = 0;
	int signal, length;
	tl_u64 address;

	if (report->event.kind != TL_EVENT_SIGNAL || cpu == NULL || target->ops->read_object == NULL ||
	    target->ops->read_object(target, report->event.thread, TL_OBJECT_SIGINFO, 0, info, sizeof(info), &done) !=
		    TL_OK ||
	    done < sizeof(info))
		return false;
	signal = (int)tl_load_little(info, 4);
	if (signal != report->event.signal)
		return false;
	address = tl_load_little(info + (wide ? 16 : 12), cpu->address_size);
	for (tl_size i = 0; i < TL_COUNT(faults); i++) {
		if (faults[i].signal != signal || faults[i].code != (int)tl_load_little(info + 8, 4))
			continue;
		length = snprintf(text, size, "signal SIG%s: %s", sigabbrev_np(signal), faults[i].text);
		if ((signal == SIGSEGV || signal == SIGBUS) && length > 0 && (size_t)length < size)
			snprintf(text + length, size - (size_t)length, " (fault address: 0x%llx)",
				 (unsigned long long)address);
		return true;
	}
	return false;
}

/* What there is to say besides the word, "" for nothing. */
static void describe_reason(struct tl_lldb *lldb, const struct tl_report *report, char *text, size_t size)
{
	text[0] = '\0';
	if (describe_fault(lldb, report, text, size))
		return;
	if (report->condition_error != TL_OK)
		snprintf(text, size, "the breakpoint's condition could not be evaluated: %s",
			 tl_status_text(report->condition_error));
	else if (report->event.kind == TL_EVENT_WATCHPOINT && report->hit_count > 0)
		/* The watchpoint's address, the number of its register (none in particular), the address accessed. */
		snprintf(text, size, "%llu %u %llu", (unsigned long long)report->hit_addresses[0], ~0u,
			 (unsigned long long)report->hit_addresses[0]);
	else if (report->event.kind == TL_EVENT_FORK || report->event.kind == TL_EVENT_VFORK)
		snprintf(text, size, "%llu %llu", (unsigned long long)report->event.child.process,
			 (unsigned long long)report->event.child.thread);
}

static tl_i32 signal_of(const struct tl_report *report)
{
	if (report->asked)
		return SIGSTOP;
	if (report->event.kind == TL_EVENT_SIGNAL)
		return report->event.signal;
	return reason_of(report) != NULL ? SIGTRAP : 0;
}

/* A thread's stop as a JSON object; with its registers and stack for jThreadsInfo. */
static void write_thread(struct tl_lldb *lldb, struct tl_json *json, struct tl_thread_id id)
{
	struct tl_report report;
	const char *reason = NULL;
	char text[200];

	if (tl_engine_last_report(lldb->engine, id, &report))
		reason = reason_of(&report);
	tl_json_number(json, "tid", id.thread);
	if (thread_name(lldb, id, text, sizeof(text)) != 0)
		tl_json_text(json, "name", text);
	if (reason == NULL)
		return;
	tl_json_text(json, "reason", reason);
	tl_json_number(json, "signal", tl_rsp_signal_out(lldb->rsp, signal_of(&report)));
	describe_reason(lldb, &report, text, sizeof(text));
	if (text[0] != '\0')
		tl_json_text(json, "description", text);
}

static void write_registers(struct tl_lldb *lldb, struct tl_json *json, struct tl_thread_id id)
{
	tl_u32 features;
	const struct tl_cpu *cpu = tl_lldb_cpu(lldb, id.process, &features);
	tl_u8 *file;

	if (cpu == NULL || tl_engine_registers(lldb->engine, id, 1u << TL_BANK_GENERAL, &file) != TL_OK)
		return;
	tl_json_open_object(json, "registers");
	for (const tl_i16 *index = cpu->expedited; *index >= 0; index++) {
		const struct tl_register *reg = &cpu->registers[*index];
		int number = tl_lldb_register_number(cpu, features, (tl_u16)*index);
		char key[12];

		if (number < 0)
			continue;
		snprintf(key, sizeof(key), "%d", number);
		tl_json_bytes(json, key, file + reg->offset, reg->bits / 8);
	}
	tl_json_close_object(json);
}

/* ---- A piece of the stack ---- */

struct stack_pieces {
	struct tl_lldb *lldb;
	tl_u64 process;
	void (*write)(void *context, tl_u64 address, const tl_u8 *bytes, tl_size size);
	void *context;
};

static tl_size write_piece(const struct stack_pieces *pieces, tl_u64 address, tl_size size)
{
	tl_u8 bytes[STACK_SIZE];
	tl_size done = 0;

	if (tl_engine_read_memory(pieces->lldb->engine, pieces->process, address, bytes, size, &done) != TL_OK)
		return 0;
	pieces->write(pieces->context, address, bytes, done);
	return done;
}

/* Around the stack pointer, and every frame record above that the chain of frame pointers leads to. */
static void write_stack(const struct stack_pieces *pieces, struct tl_thread_id id)
{
	const struct tl_cpu *cpu = tl_lldb_cpu(pieces->lldb, id.process, NULL);
	tl_u64 stack, frame, end, word;
	tl_u8 *file, record[16];
	tl_size done;

	if (cpu == NULL || tl_engine_registers(pieces->lldb->engine, id, 1u << TL_BANK_GENERAL, &file) != TL_OK)
		return;
	word = cpu->address_size;
	stack = tl_cpu_get(cpu, file, cpu->stack_pointer);
	frame = tl_cpu_get(cpu, file, cpu->frame_pointer);
	stack = stack > STACK_BELOW ? stack - STACK_BELOW : 0;
	end = stack + write_piece(pieces, stack, STACK_SIZE);
	for (unsigned i = 0; i < FRAMES_MAX && frame >= stack && frame % word == 0; i++) {
		tl_u64 next;

		if (tl_engine_read_memory(pieces->lldb->engine, id.process, frame, record, 2 * word, &done) != TL_OK ||
		    done < 2 * word)
			return;
		if (frame + 2 * word > end)
			pieces->write(pieces->context, frame, record, 2 * word);
		next = tl_load_little(record, word);
		if (next <= frame)
			return;
		frame = next;
	}
}

static void write_piece_json(void *context, tl_u64 address, const tl_u8 *bytes, tl_size size)
{
	struct tl_json *json = context;

	tl_json_open_object(json, NULL);
	tl_json_number(json, "address", address);
	tl_json_bytes(json, "bytes", bytes, size);
	tl_json_close_object(json);
}

static void write_piece_stop(void *context, tl_u64 address, const tl_u8 *bytes, tl_size size)
{
	struct tl_writer *reply = context;

	tl_write_text(reply, "memory:0x");
	tl_write_hex(reply, address);
	tl_write_byte(reply, '=');
	tl_write_hex_bytes(reply, bytes, size);
	tl_write_byte(reply, ';');
}

/* ---- Stop replies ---- */

/* "threads:ID,ID…;thread-pcs:PC,PC…;" of a process. */
static void write_thread_lists(struct tl_lldb *lldb, tl_u64 process, struct tl_writer *reply)
{
	const struct tl_cpu *cpu = tl_lldb_cpu(lldb, process, NULL);
	struct tl_thread_info info = {.id = {0, 0}};
	const char *separator = "threads:";
	tl_u8 *file;

	while (tl_engine_next_thread(lldb->engine, info.id, &info)) {
		if (info.id.process != process)
			continue;
		tl_write_text(reply, separator);
		tl_write_hex(reply, info.id.thread);
		separator = ",";
	}
	tl_write_text(reply, ";");
	if (cpu == NULL)
		return;
	separator = "thread-pcs:";
	info.id = (struct tl_thread_id){0, 0};
	while (tl_engine_next_thread(lldb->engine, info.id, &info)) {
		tl_u64 pc = 0;

		if (info.id.process != process)
			continue;
		if (tl_engine_registers(lldb->engine, info.id, 1u << TL_BANK_GENERAL, &file) == TL_OK)
			pc = tl_cpu_get(cpu, file, cpu->program_counter);
		tl_write_text(reply, separator);
		tl_write_hex_padded(reply, pc, cpu->address_size * 2u);
		separator = ",";
	}
	tl_write_text(reply, ";");
}

/* A thread with its registers and its stack. */
static void write_whole_thread(struct tl_lldb *lldb, struct tl_json *json, struct tl_thread_id id)
{
	write_thread(lldb, json, id);
	write_registers(lldb, json, id);
	tl_json_open_array(json, "memory");
	write_stack(&(struct stack_pieces){lldb, id.process, write_piece_json, json}, id);
	tl_json_close_array(json);
}

/*
 * "jstopinfo:…;": every thread, with the reason of those that have one. Saves a qThreadStopInfo for each, and where
 * they are few the three packets by which lldb before version 19 looks where each of them stands.
 */
static void write_stop_infos(struct tl_lldb *lldb, struct tl_thread_id stopped, struct tl_writer *reply)
{
	struct tl_json json = tl_json_make(reply, TL_JSON_HEX);
	struct tl_thread_info info = {.id = {0, 0}};
	tl_size threads = 0;

	while (tl_engine_next_thread(lldb->engine, info.id, &info))
		threads += info.id.process == stopped.process;
	if (threads < 2)
		return;
	tl_write_text(reply, "jstopinfo:");
	tl_json_open_array(&json, NULL);
	info.id = (struct tl_thread_id){0, 0};
	while (tl_engine_next_thread(lldb->engine, info.id, &info)) {
		if (info.id.process != stopped.process)
			continue;
		tl_json_open_object(&json, NULL);
		/* The thread that stopped has its own in the reply itself. */
		if (threads > WHOLE_THREADS_MAX || info.id.thread == stopped.thread)
			write_thread(lldb, &json, info.id);
		else
			write_whole_thread(lldb, &json, info.id);
		tl_json_close_object(&json);
	}
	tl_json_close_array(&json);
	tl_write_byte(reply, ';');
}

/*
 * lldb takes a thread at a breakpoint to have been there before, and steps over it, unless it is told that the thread
 * has just hit it: every thread that stopped for a reason is told of now.
 */
static void take_others(struct tl_lldb *lldb, tl_u64 process)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_report report;

	while (tl_engine_next_thread(lldb->engine, info.id, &info))
		if (info.id.process == process)
			(void)tl_engine_take_waiting(lldb->engine, info.id, &report);
}

static bool expedited(const struct tl_cpu *cpu, tl_u16 index)
{
	for (const tl_i16 *at = cpu->expedited; *at >= 0; at++)
		if (*at == index)
			return true;
	return false;
}

/* The general registers that core has left out: lldb asks for each by itself otherwise. */
static void write_other_registers(struct tl_lldb *lldb, struct tl_thread_id id, struct tl_writer *reply)
{
	tl_u32 features;
	const struct tl_cpu *cpu = tl_lldb_cpu(lldb, id.process, &features);
	tl_u16 index;
	tl_u8 *file;

	if (cpu == NULL || tl_engine_registers(lldb->engine, id, 1u << TL_BANK_GENERAL, &file) != TL_OK)
		return;
	for (tl_u64 number = 0; tl_cpu_present(cpu, features, number, &index) == TL_OK; number++) {
		const struct tl_register *reg = &cpu->registers[index];

		if (reg->bank != TL_BANK_GENERAL || expedited(cpu, index))
			continue;
		tl_write_hex_padded(reply, number, 2);
		tl_write_byte(reply, ':');
		tl_write_hex_bytes(reply, file + reg->offset, reg->bits / 8u);
		tl_write_byte(reply, ';');
	}
}

void tl_lldb_extend_stop(struct tl_lldb *lldb, const struct tl_report *report, struct tl_writer *reply)
{
	struct tl_thread_id id = report->event.thread;
	const char *reason = reason_of(report);
	struct tl_writer before;
	char text[200];

	if (lldb->rsp == NULL || !tl_rsp_client_has(lldb->rsp, TL_RSP_CLIENT_LLDB))
		return;
	take_others(lldb, id.process);
	if (thread_name(lldb, id, text, sizeof(text)) != 0)
		tl_lldb_write_hex_pair(reply, "hexname", text);
	if (tl_rsp_client_has(lldb->rsp, TL_RSP_CLIENT_LIST_THREADS)) {
		/* With very many threads it may not fit: lldb then asks for them one by one. */
		before = *reply;
		write_thread_lists(lldb, id.process, reply);
		if (reply->failed)
			*reply = before;
		before = *reply;
		write_stop_infos(lldb, id, reply);
		if (reply->failed)
			*reply = before;
	}
	before = *reply;
	write_other_registers(lldb, id, reply);
	if (reply->failed)
		*reply = before;
	before = *reply;
	write_stack(&(struct stack_pieces){lldb, id.process, write_piece_stop, reply}, id);
	if (reply->failed)
		*reply = before;
	/* Watchpoints and forks have keys of their own, which core writes. */
	if (reason == NULL || report->event.kind == TL_EVENT_WATCHPOINT || report->event.kind == TL_EVENT_FORK ||
	    report->event.kind == TL_EVENT_VFORK || report->event.kind == TL_EVENT_VFORK_DONE)
		return;
	tl_write_text(reply, "reason:");
	tl_write_text(reply, reason);
	tl_write_byte(reply, ';');
	describe_reason(lldb, report, text, sizeof(text));
	if (text[0] != '\0')
		tl_lldb_write_hex_pair(reply, "description", text);
}

/* ---- Packets ---- */

TL_LLDB_HANDLER(handle_threads_info)
{
	struct tl_json json = tl_json_make(reply, TL_JSON_ESCAPED);
	struct tl_thread_info info = {.id = {0, 0}};
	tl_u64 process;

	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	tl_json_open_array(&json, NULL);
	while (tl_engine_next_thread(lldb->engine, info.id, &info)) {
		if (info.id.process != process)
			continue;
		tl_json_open_object(&json, NULL);
		write_whole_thread(lldb, &json, info.id);
		tl_json_close_object(&json);
	}
	tl_json_close_array(&json);
	return reply->failed ? TL_ERROR_TOO_LONG : TL_OK;
}

/* qThreadStopInfo THREAD: the stop reply of one thread. */
TL_LLDB_HANDLER(handle_thread_stop_info)
{
	struct tl_thread_id id = tl_rsp_read_thread_id(rsp, arguments);
	struct tl_thread_info info;
	struct tl_report report;

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_engine_find_thread(lldb->engine, id, &info))
		return TL_ERROR_NO_THREAD;
	if (!info.stopped)
		return TL_ERROR_RUNNING;
	if (!tl_engine_last_report(lldb->engine, id, &report))
		report = (struct tl_report){.event = {.kind = TL_EVENT_PAUSED, .thread = id}};
	tl_rsp_write_stop(rsp, &report, reply);
	return TL_OK;
}

const struct tl_rsp_row tl_lldb_thread_rows[] = {
	{"jThreadsInfo", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_threads_info_row},
	{"qThreadStopInfo", TL_RSP_PREFIX, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_thread_stop_info_row},
	{.name = NULL},
};

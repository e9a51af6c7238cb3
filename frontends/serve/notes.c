#include "frontends/serve/notes.h"

#include "base/trace.h"
#include "frontends/serve/buffer.h"

#include <stdio.h>

/* A packet is written whole: a trace that is cut cannot be replayed. */
void tl_notes_packet(bool from_client, const void *payload, tl_size size)
{
	const tl_u8 *bytes = payload;
	struct tl_buffer line = {0};

	if (!tl_tracing(TL_TRACE_PACKETS))
		return;
	for (tl_size i = 0; i < size; i++) {
		if (bytes[i] >= ' ' && bytes[i] < 0x7f && bytes[i] != '\\')
			tl_buffer_add_bytes(&line, &bytes[i], 1);
		else
			tl_buffer_format(&line, "\\x%02x", bytes[i]);
	}
	tl_trace_line(TL_TRACE_PACKETS, "%s %s", from_client ? "<" : ">", tl_buffer_text(&line));
	tl_buffer_free(&line);
}

static const char *state_name(tl_u32 state)
{
	static const char *const names[] = {
		[TL_THREAD_PARKED] = "parked",     [TL_THREAD_WAITING] = "waiting", [TL_THREAD_RUNNING] = "running",
		[TL_THREAD_STOPPING] = "stopping", [TL_THREAD_HELD] = "held",       [TL_THREAD_OVER] = "over",
	};

	return state < TL_COUNT(names) && names[state] != NULL ? names[state] : "?";
}

static const char *way_name(tl_u32 way)
{
	static const char *const names[] = {
		[TL_WAY_PASSED] = "passed by the target",
		[TL_WAY_CARRIED_OUT] = "carried out",
		[TL_WAY_OUT_OF_LINE] = "run out of line",
		[TL_WAY_HELD] = "stepped with all others held",
		[TL_WAY_SEQUENCE] = "led through its exclusive sequence",
	};

	return way < TL_COUNT(names) && names[way] != NULL ? names[way] : "?";
}

static const char *run_name(enum tl_run run)
{
	switch (run) {
	case TL_RUN_CONTINUE:
		return "continue";
	case TL_RUN_STEP:
		return "step";
	case TL_RUN_CONTINUE_BACK:
		return "continue back";
	case TL_RUN_STEP_BACK:
		return "step back";
	default:
		return "?";
	}
}

/* The particulars of an event, as far as its kind has them. */
static void describe_event(const struct tl_event *event, char *text, size_t size)
{
	int used = snprintf(text, size, "%s", tl_event_name(event->kind));

	if (used < 0 || (size_t)used >= size)
		return;
	text += used;
	size -= (size_t)used;
	switch (event->kind) {
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
		snprintf(text, size, " at 0x%llx", (unsigned long long)event->address);
		break;
	case TL_EVENT_WATCHPOINT:
		snprintf(text, size, " on 0x%llx%s", (unsigned long long)event->hits[0].address,
			 event->stepped ? ", stepped" : "");
		break;
	case TL_EVENT_SIGNAL:
	case TL_EVENT_PROCESS_KILLED:
		snprintf(text, size, " %d%s", event->signal, event->fault ? ", a fault" : "");
		break;
	case TL_EVENT_SYSCALL_ENTRY:
	case TL_EVENT_SYSCALL_RETURN:
		snprintf(text, size, " %llu", (unsigned long long)event->number);
		break;
	case TL_EVENT_FORK:
	case TL_EVENT_VFORK:
	case TL_EVENT_CLONE:
		snprintf(text, size, " child %llu.%llu", (unsigned long long)event->child.process,
			 (unsigned long long)event->child.thread);
		break;
	case TL_EVENT_THREAD_EXITED:
	case TL_EVENT_PROCESS_EXITED:
		snprintf(text, size, " code %d", event->code);
		break;
	case TL_EVENT_NONE:
	case TL_EVENT_PAUSED:
	case TL_EVENT_STEPPED:
	case TL_EVENT_VFORK_DONE:
	case TL_EVENT_EXEC:
	case TL_EVENT_THREAD_CREATED:
	case TL_EVENT_HISTORY_END:
	case TL_EVENT_MAX:
	default:
		break;
	}
}

void tl_notes_engine(const struct tl_note *note)
{
	unsigned long long process = note->thread.process, thread = note->thread.thread;
	char text[128] = "";

	if (tl_trace_mask == 0)
		return;
	if (note->event != NULL)
		describe_event(note->event, text, sizeof(text));
	switch (note->kind) {
	case TL_NOTE_EVENT:
		TL_TRACE(EVENTS, "%llu.%llu %s", process, thread, text);
		break;
	case TL_NOTE_STATE:
		TL_TRACE(STATES, "%llu.%llu %s -> %s", process, thread, state_name(note->from), state_name(note->to));
		break;
	case TL_NOTE_RESUME:
		if (note->request != NULL)
			TL_TRACE(EVENTS, "%llu.%llu resumed: %s, signal %d%s", process, thread,
				 run_name(note->request->run), note->request->signal,
				 note->request->syscalls ? ", to system calls" : "");
		break;
	case TL_NOTE_DROPPED:
		TL_TRACE(EVENTS, "%llu.%llu dropped: %s", process, thread, text);
		break;
	case TL_NOTE_POINT:
		TL_TRACE(POINTS, "process %llu: point at 0x%llx %s", process, (unsigned long long)note->address,
			 note->to != 0 ? "inserted" : "removed");
		break;
	case TL_NOTE_OVER:
		TL_TRACE(POINTS, "%llu.%llu over 0x%llx: %s", process, thread, (unsigned long long)note->address,
			 way_name(note->to));
		break;
	case TL_NOTE_REPORT:
		TL_TRACE(EVENTS, "%llu.%llu reported: %s", process, thread, text);
		break;
	case TL_NOTE_MAX:
	default:
		break;
	}
}

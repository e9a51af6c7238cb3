#include "targets/remote/stop_reply.h"

#include "core/rsp/rsp.h"

#define SIGNAL_TRAP 5

static bool read_number(struct tl_cursor *text, tl_u64 *number_ret)
{
	if (tl_cursor_accept_text(text, "-1")) {
		*number_ret = TL_ANY;
		return true;
	}
	*number_ret = tl_cursor_hex(text);
	return !text->failed;
}

bool tl_remote_stop_thread(struct tl_cursor *text, struct tl_thread_id *id_ret)
{
	struct tl_thread_id id = {0, TL_ANY};

	if (tl_cursor_accept(text, 'p')) {
		if (!read_number(text, &id.process))
			return false;
		if (!tl_cursor_accept(text, '.')) {
			*id_ret = id;
			return true;
		}
	}
	if (!read_number(text, &id.thread))
		return false;
	*id_ret = id;
	return true;
}

/* The name before the colon of a pair, and what follows up to the semicolon. */
static bool next_pair(struct tl_cursor *pairs, struct tl_cursor *name_ret, struct tl_cursor *value_ret)
{
	struct tl_cursor pair;

	if (tl_cursor_done(pairs))
		return false;
	pair = tl_cursor_until(pairs, ';');
	*name_ret = tl_cursor_until(&pair, ':');
	*value_ret = pair;
	return true;
}

/* A register's name is a number and nothing else: "a" is one, "awatch" is none. */
static bool as_number(struct tl_cursor name, tl_u64 *number_ret)
{
	if (tl_cursor_done(&name) || tl_cursor_left(&name) > 4)
		return false;
	*number_ret = tl_cursor_hex(&name);
	return !name.failed && tl_cursor_done(&name);
}

bool tl_remote_stop_register(struct tl_cursor *pairs, tl_u64 *number_ret, struct tl_cursor *digits_ret)
{
	struct tl_cursor name;

	while (next_pair(pairs, &name, digits_ret))
		if (as_number(name, number_ret))
			return true;
	return false;
}

static void add_watch(struct stop_reply *reply, enum tl_point_kind kind, struct tl_cursor *value)
{
	tl_u64 address = tl_cursor_hex(value);

	if (value->failed || reply->address_count == TL_HITS_MAX)
		return;
	reply->reason = REASON_WATCH;
	reply->addresses[reply->address_count] = address;
	reply->watch[reply->address_count++] = kind;
}

/* Words that say why, and nothing more. */
static const struct {
	const char *name;
	enum stop_reason reason;
} words[] = {
	{"swbreak", REASON_SOFTWARE},     {"hwbreak", REASON_HARDWARE}, {"library", REASON_LIBRARY},
	{"vforkdone", REASON_VFORK_DONE}, {"exec", REASON_EXEC},        {"create", REASON_CREATE},
};

/* Words that are followed by the number of a child. */
static const struct {
	const char *name;
	enum stop_reason reason;
} births[] = {{"fork", REASON_FORK}, {"vfork", REASON_VFORK}, {"clone", REASON_CLONE}};

static const struct {
	const char *name;
	enum tl_point_kind kind;
} watches[] = {{"watch", TL_POINT_WRITE}, {"rwatch", TL_POINT_READ}, {"awatch", TL_POINT_ACCESS}};

static void read_reason(struct stop_reply *reply, const struct tl_cursor *name, struct tl_cursor *value)
{
	for (tl_size i = 0; i < TL_COUNT(words); i++)
		if (tl_cursor_equals(name, words[i].name))
			reply->reason = words[i].reason;
	for (tl_size i = 0; i < TL_COUNT(watches); i++)
		if (tl_cursor_equals(name, watches[i].name))
			add_watch(reply, watches[i].kind, value);
	for (tl_size i = 0; i < TL_COUNT(births); i++)
		if (tl_cursor_equals(name, births[i].name) && tl_remote_stop_thread(value, &reply->child))
			reply->reason = births[i].reason;
	if (tl_cursor_equals(name, "syscall_entry") || tl_cursor_equals(name, "syscall_return")) {
		reply->reason = tl_cursor_equals(name, "syscall_entry") ? REASON_SYSCALL_ENTRY : REASON_SYSCALL_RETURN;
		reply->number = tl_cursor_hex(value);
	}
	if (tl_cursor_equals(name, "replaylog"))
		reply->reason = tl_cursor_equals(value, "end") ? REASON_HISTORY_END : REASON_HISTORY_BEGIN;
}

static tl_i32 read_signal(struct tl_cursor *text)
{
	struct tl_cursor digits = tl_cursor_take(text, 2);
	tl_u64 number = tl_cursor_hex(&digits);
	tl_i32 signal;

	if (digits.failed) {
		text->failed = true;
		return 0;
	}
	/* One that GDB numbers and Linux does not have (EXC_BAD_ACCESS, say) still stops the program for something. */
	signal = tl_rsp_signal_from_gdb(number);
	return signal >= 0 ? signal : SIGNAL_TRAP;
}

static void read_stop(struct stop_reply *reply, struct tl_cursor *text)
{
	struct tl_cursor name, value;

	reply->signal = read_signal(text);
	reply->kind = text->failed ? STOP_NOT : STOP_SIGNAL;
	reply->pairs = *text;
	while (next_pair(text, &name, &value)) {
		if (tl_cursor_equals(&name, "thread"))
			reply->has_thread = tl_remote_stop_thread(&value, &reply->thread);
		else
			read_reason(reply, &name, &value);
	}
}

/* W and X: "AA" or "AA;process:PID"; w: "AA;TID". */
static void read_end(struct stop_reply *reply, enum stop_kind kind, struct tl_cursor *text)
{
	tl_u64 number = tl_cursor_hex(text);
	tl_i32 signal = tl_rsp_signal_from_gdb(number);

	if (text->failed)
		return;
	reply->kind = kind;
	reply->code = (tl_i32)(number & 0xff);
	reply->signal = kind == STOP_KILLED ? (signal > 0 ? signal : 9) : 0;
	if (!tl_cursor_accept(text, ';'))
		return;
	if (kind == STOP_THREAD_EXITED) {
		reply->has_thread = tl_remote_stop_thread(text, &reply->thread);
	} else if (tl_cursor_accept_text(text, "process:")) {
		reply->thread.process = tl_cursor_hex(text);
		reply->has_thread = !text->failed;
	}
}

struct stop_reply tl_remote_stop_read(const tl_u8 *packet, tl_size size)
{
	struct stop_reply reply = {.kind = STOP_NOT};
	struct tl_cursor text = tl_cursor_make(packet, size);

	switch (size != 0 ? tl_cursor_byte(&text) : 0) {
	case 'T':
	case 'S':
		read_stop(&reply, &text);
		break;
	case 'W':
		read_end(&reply, STOP_EXITED, &text);
		break;
	case 'X':
		read_end(&reply, STOP_KILLED, &text);
		break;
	case 'w':
		read_end(&reply, STOP_THREAD_EXITED, &text);
		break;
	case 'N':
		reply.kind = STOP_NO_RESUMED;
		break;
	case 'O':
		reply.kind = size == 2 && packet[1] == 'K' ? STOP_NOT : STOP_OUTPUT;
		break;
	case 'F':
		reply.kind = STOP_FILE;
		break;
	default:
		break;
	}
	return reply;
}

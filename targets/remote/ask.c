#include "targets/remote/state.h"

#include "base/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Other packets that may come before an answer: console text, as a rule. */
#define STRAYS_MAX 10000

struct tl_writer tl_remote_question(struct remote_target *target)
{
	tl_size room = target->packet_size;

	return tl_writer_make(tl_remote_link_payload(&target->link), room);
}

struct tl_cursor tl_remote_answer_text(const struct remote_target *target)
{
	return tl_cursor_make(target->link.packet, target->link.packet_size);
}

static bool is_error_number(const struct remote_target *target)
{
	const tl_u8 *packet = target->link.packet;

	return target->link.packet_size == 3 && packet[0] == 'E' && tl_hex_digit(packet[1]) >= 0 &&
	       tl_hex_digit(packet[2]) >= 0;
}

tl_u64 tl_remote_error_number(const struct remote_target *target)
{
	const tl_u8 *packet = target->link.packet;

	return is_error_number(target) ? (tl_u64)(tl_hex_digit(packet[1]) << 4 | tl_hex_digit(packet[2])) : 0;
}

static enum remote_answer classify(struct remote_target *target)
{
	const tl_u8 *packet = target->link.packet;
	tl_size size = target->link.packet_size;

	if (size == 0)
		return ANSWER_UNKNOWN;
	if (size == 2 && packet[0] == 'O' && packet[1] == 'K')
		return ANSWER_OK;
	if (is_error_number(target)) {
		(void)snprintf(target->detail, sizeof(target->detail), "the stub's error is %.3s",
			       (const char *)packet);
		return ANSWER_ERROR;
	}
	if (size > 2 && packet[0] == 'E' && packet[1] == '.') {
		(void)snprintf(target->detail, sizeof(target->detail), "%.*s",
			       (int)(size - 2 < sizeof(target->detail) ? size - 2 : sizeof(target->detail) - 1),
			       (const char *)packet + 2);
		return ANSWER_ERROR;
	}
	return ANSWER_TEXT;
}

/* Console text comes whenever the stub has some. The answer to nothing that we ask begins with an O but OK. */
static bool is_output(struct remote_target *target)
{
	const tl_u8 *packet = target->link.packet;
	struct tl_cursor digits = tl_remote_answer_text(target);

	if (target->link.packet_size < 3 || packet[0] != 'O')
		return false;
	(void)tl_cursor_byte(&digits);
	tl_remote_output(target, digits);
	return true;
}

static enum tl_status ask(struct remote_target *target, const struct tl_writer *question, const char *what,
			  enum remote_answer *answer_ret)
{
	tl_u64 deadline = tl_remote_link_clock() + target->link.patience;

	if (question->failed)
		return TL_ERROR_TOO_LONG;
	TL_TRY(tl_remote_hold(target));
	target->detail[0] = '\0';
	TL_TRY(tl_remote_link_send(&target->link, tl_writer_size(question)));
	for (tl_size i = 0; i < STRAYS_MAX; i++) {
		TL_TRY(tl_remote_link_receive(&target->link, deadline, what));
		if (is_output(target))
			continue;
		*answer_ret = classify(target);
		return TL_OK;
	}
	return REMOTE_LINK_FAIL(&target->link, TL_ERROR_TIMEOUT, "the stub sent text without end: waited for %s", what);
}

enum tl_status tl_remote_ask(struct remote_target *target, const struct tl_writer *question, const char *what,
			     enum remote_answer *answer_ret)
{
	enum tl_status status = ask(target, question, what, answer_ret);

	/* Whoever asked is in the middle of something: the end of the connection is told at the end of the turn. */
	if (tl_remote_link_ended(&target->link) && target->flusher != NULL)
		tl_source_trigger(target->flusher);
	return status;
}

enum tl_status tl_remote_ask_text(struct remote_target *target, const char *question, enum remote_answer *answer_ret)
{
	struct tl_writer writer;
	char what[80];

	/* Holding the stub uses the room in which the question is written. */
	TL_TRY(tl_remote_hold(target));
	writer = tl_remote_question(target);
	tl_write_text(&writer, question);
	(void)snprintf(what, sizeof(what), "the answer to \"%.50s\"", question);
	return tl_remote_ask(target, &writer, what, answer_ret);
}

enum tl_status tl_remote_ask_ok(struct remote_target *target, const struct tl_writer *question, const char *what,
				enum tl_status otherwise)
{
	enum remote_answer answer = ANSWER_UNKNOWN;

	TL_TRY(tl_remote_ask(target, question, what, &answer));
	switch (answer) {
	case ANSWER_OK:
		return TL_OK;
	case ANSWER_UNKNOWN:
		return TL_ERROR_UNSUPPORTED;
	case ANSWER_ERROR:
	case ANSWER_TEXT:
		break;
	}
	return otherwise;
}

static void write_number(struct tl_writer *writer, tl_u64 number)
{
	if (number == TL_ANY)
		tl_write_text(writer, "-1");
	else
		tl_write_hex(writer, number);
}

void tl_remote_write_thread(const struct remote_target *target, struct tl_writer *writer, struct tl_thread_id id)
{
	if (target->multiprocess) {
		tl_write_byte(writer, 'p');
		write_number(writer, id.process);
		tl_write_byte(writer, '.');
	}
	write_number(writer, id.thread);
}

struct tl_thread_id tl_remote_qualify(const struct remote_target *target, struct tl_thread_id id)
{
	if (id.process == 0 || id.process == TL_ANY)
		id.process = target->process_count != 0 ? target->processes[0]->id : 1;
	return id;
}

/* Any thread of the process that is known. */
static struct tl_thread_id any_thread(const struct remote_target *target, struct tl_thread_id id)
{
	for (tl_size i = 0; i < target->thread_count && id.thread == TL_ANY; i++)
		if (target->threads[i]->process->id == id.process)
			id.thread = target->threads[i]->id;
	return id;
}

enum tl_status tl_remote_select(struct remote_target *target, struct tl_thread_id id)
{
	struct tl_writer question;
	enum tl_status status;

	TL_TRY(tl_remote_hold(target));
	if (target->threadless)
		return TL_OK;
	if (id.thread == TL_ANY && target->general_known && target->general.process == id.process)
		return TL_OK;
	id = any_thread(target, id);
	if (id.thread == TL_ANY)
		return TL_ERROR_GONE;
	if (target->general_known && target->general.process == id.process && target->general.thread == id.thread)
		return TL_OK;
	question = tl_remote_question(target);
	tl_write_text(&question, "Hg");
	tl_remote_write_thread(target, &question, id);
	status = tl_remote_ask_ok(target, &question, "the choice of a thread (Hg)", TL_ERROR_GONE);
	target->general = id;
	target->general_known = status == TL_OK;
	/* One that does not know the packet has one thread, whatever it is called. */
	return status == TL_ERROR_UNSUPPORTED ? TL_OK : status;
}

/* ---- Objects ---- */

/* Asks for a part; *last_ret: there is no more behind it. The part stands behind the first byte of the answer. */
static enum tl_status ask_part(struct remote_target *target, const char *object, const char *annex, tl_u64 offset,
			       tl_size size, bool *last_ret)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;
	tl_size most = target->packet_size / 2;
	char what[80];

	TL_TRY(tl_remote_hold(target));
	question = tl_remote_question(target);
	tl_write_text(&question, "qXfer:");
	tl_write_text(&question, object);
	tl_write_text(&question, ":read:");
	tl_write_text(&question, annex);
	tl_write_byte(&question, ':');
	tl_write_hex(&question, offset);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, size < most ? size : most);
	(void)snprintf(what, sizeof(what), "the object \"%.40s\"", object);
	TL_TRY(tl_remote_ask(target, &question, what, &answer));
	if (answer == ANSWER_UNKNOWN)
		return TL_ERROR_UNSUPPORTED;
	if (answer != ANSWER_TEXT || (target->link.packet[0] != 'm' && target->link.packet[0] != 'l'))
		return TL_ERROR_MALFORMED;
	*last_ret = target->link.packet[0] == 'l';
	return TL_OK;
}

enum tl_status tl_remote_read_part(struct remote_target *target, const char *object, const char *annex, tl_u64 offset,
				   void *buffer, tl_size size, tl_size *done_ret)
{
	tl_size done;
	bool last = false;

	TL_TRY(ask_part(target, object, annex, offset, size, &last));
	done = target->link.packet_size - 1;
	if (done > size)
		done = size;
	memcpy(buffer, target->link.packet + 1, done);
	*done_ret = done;
	return TL_OK;
}

enum tl_status tl_remote_read_whole(struct remote_target *target, const char *object, const char *annex,
				    tl_u8 **bytes_ret, tl_size *size_ret)
{
	tl_u8 *bytes = NULL;
	tl_size size = 0;
	enum tl_status status;
	bool last = false;

	do {
		tl_size part = 0;
		tl_u8 *grown;

		status = ask_part(target, object, annex, size, REMOTE_PACKET_MAX, &last);
		if (status == TL_OK) {
			part = target->link.packet_size - 1;
			/* A part of nothing that is not the last would never end. */
			if ((part == 0 && !last) || size + part > REMOTE_DOCUMENT_MAX)
				status = TL_ERROR_TOO_LONG;
		}
		grown = status == TL_OK ? realloc(bytes, size + part + 1) : NULL;
		if (status == TL_OK && grown == NULL)
			status = TL_ERROR_NO_MEMORY;
		if (status != TL_OK) {
			free(bytes);
			return status;
		}
		bytes = grown;
		memcpy(bytes + size, target->link.packet + 1, part);
		size += part;
		bytes[size] = 0;
	} while (!last);
	*bytes_ret = bytes;
	*size_ret = size;
	return TL_OK;
}

tl_size tl_remote_write_escaped(struct tl_writer *writer, const tl_u8 *bytes, tl_size size, tl_size room)
{
	tl_size taken = 0, used = 0;

	for (; taken < size; taken++) {
		tl_u8 byte = bytes[taken];
		bool escaped = byte == '$' || byte == '#' || byte == '}' || byte == '*';

		if (used + 1 + escaped > room)
			break;
		used += 1 + (tl_size)escaped;
		if (escaped)
			tl_write_byte(writer, '}');
		tl_write_byte(writer, escaped ? byte ^ 0x20 : byte);
	}
	return taken;
}

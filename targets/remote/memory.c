#include "targets/remote/state.h"

#include <string.h>

/* What stands around the bytes of a packet: the command, an address, a length. */
#define WORDS 40

/*
 * Which thread is selected matters where the stub's threads are harts with page tables of their own. A stub that has an
 * auxiliary vector debugs processes, whose threads see the same: there no packet is spent on it.
 */
static enum tl_status choose(struct remote_target *target, tl_u64 process)
{
	struct tl_thread_id id = {process, TL_ANY};

	if (tl_remote_find_process(target, process) == NULL)
		return TL_ERROR_GONE;
	if (!target->has_auxv && target->eye.process == process && tl_remote_find_thread(target, target->eye) != NULL)
		id = target->eye;
	return tl_remote_select(target, id);
}

void tl_remote_look_through(struct tl_target *base, struct tl_thread_id thread)
{
	tl_remote_self(base)->eye = thread;
}

/* One packet's worth. The answer is in binary (x) or in digits (m). */
static enum tl_status read_part(struct remote_target *target, tl_u64 address, tl_u8 *buffer, tl_size size,
				tl_size *done_ret)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question = tl_remote_question(target);
	struct tl_cursor text;
	tl_size done;

	tl_write_byte(&question, target->binary_upload ? 'x' : 'm');
	tl_write_hex(&question, address);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, size);
	TL_TRY(tl_remote_ask(target, &question, "memory", &answer));
	text = tl_remote_answer_text(target);
	*done_ret = 0;
	if (target->binary_upload) {
		if (!tl_cursor_accept(&text, 'b'))
			return TL_ERROR_MEMORY;
		done = tl_cursor_left(&text) < size ? tl_cursor_left(&text) : size;
		memcpy(buffer, text.at, done);
		*done_ret = done;
		return TL_OK;
	}
	/* Three digits that begin with an E are an error, as bytes have two each. */
	if (answer != ANSWER_TEXT)
		return TL_ERROR_MEMORY;
	done = tl_cursor_left(&text) / 2 < size ? tl_cursor_left(&text) / 2 : size;
	tl_cursor_hex_bytes(&text, buffer, done);
	if (text.failed)
		return TL_ERROR_MEMORY;
	*done_ret = done;
	return TL_OK;
}

enum tl_status tl_remote_read_memory(struct tl_target *base, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				     tl_size *done_ret)
{
	struct remote_target *target = tl_remote_self(base);
	tl_size most, at = 0;

	*done_ret = 0;
	TL_TRY(tl_remote_hold(target));
	TL_TRY(choose(target, process));
	/* In the worst case each byte of either kind takes two. */
	most = (target->packet_size - WORDS) / 2;
	while (at < size) {
		tl_size part = size - at < most ? size - at : most, done = 0;
		enum tl_status status = read_part(target, address + at, (tl_u8 *)buffer + at, part, &done);

		/* Where the end of what can be read lies inside a part, some stubs give nothing of it. */
		if (status == TL_ERROR_MEMORY && part > 1) {
			tl_u64 page_end = ((address + at) | 4095) + 1;

			if (page_end - (address + at) < part && page_end != 0)
				status = read_part(target, address + at, (tl_u8 *)buffer + at,
						   (tl_size)(page_end - (address + at)), &done);
		}
		if (status != TL_OK && (at == 0 || status != TL_ERROR_MEMORY))
			return status;
		at += done;
		if (status != TL_OK || done == 0)
			break;
	}
	*done_ret = at;
	return at != 0 || size == 0 ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status write_digits(struct remote_target *target, tl_u64 address, const tl_u8 *buffer, tl_size size,
				   tl_size *done_ret)
{
	tl_size most = (target->packet_size - WORDS) / 2;
	struct tl_writer question = tl_remote_question(target);

	size = size < most ? size : most;
	tl_write_byte(&question, 'M');
	tl_write_hex(&question, address);
	tl_write_byte(&question, ',');
	tl_write_hex(&question, size);
	tl_write_byte(&question, ':');
	tl_write_hex_bytes(&question, buffer, size);
	TL_TRY(tl_remote_ask_ok(target, &question, "memory to be written (M)", TL_ERROR_MEMORY));
	*done_ret = size;
	return TL_OK;
}

static void begin_binary(struct tl_writer *question, tl_u64 address, tl_size size)
{
	tl_write_byte(question, 'X');
	tl_write_hex(question, address);
	tl_write_byte(question, ',');
	tl_write_hex(question, size);
	tl_write_byte(question, ':');
}

/* Whether X is known: a write of nothing changes nothing, and an answer other than none says so. */
static enum tl_status probe_binary(struct remote_target *target, tl_u64 address)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question = tl_remote_question(target);

	if (target->knows_X != KNOWS_PERHAPS)
		return TL_OK;
	begin_binary(&question, address, 0);
	TL_TRY(tl_remote_ask(target, &question, "a write of nothing (X)", &answer));
	target->knows_X = answer == ANSWER_OK ? KNOWS : KNOWS_NOT;
	return TL_OK;
}

static enum tl_status write_binary(struct remote_target *target, tl_u64 address, const tl_u8 *buffer, tl_size size,
				   tl_size *done_ret)
{
	struct tl_writer counted = tl_writer_make(NULL, 0), question = tl_remote_question(target);

	/* How many fit is known before the length is written. */
	size = tl_remote_write_escaped(&counted, buffer, size, target->packet_size - WORDS);
	begin_binary(&question, address, size);
	(void)tl_remote_write_escaped(&question, buffer, size, target->packet_size);
	TL_TRY(tl_remote_ask_ok(target, &question, "memory to be written (X)", TL_ERROR_MEMORY));
	*done_ret = size;
	return TL_OK;
}

enum tl_status tl_remote_write_memory(struct tl_target *base, tl_u64 process, tl_u64 address, const void *buffer,
				      tl_size size, tl_size *done_ret)
{
	struct remote_target *target = tl_remote_self(base);
	tl_size at = 0;

	*done_ret = 0;
	TL_TRY(tl_remote_hold(target));
	TL_TRY(choose(target, process));
	TL_TRY(probe_binary(target, address));
	while (at < size) {
		const tl_u8 *from = (const tl_u8 *)buffer + at;
		tl_size done = 0;
		enum tl_status status = target->knows_X == KNOWS
						? write_binary(target, address + at, from, size - at, &done)
						: write_digits(target, address + at, from, size - at, &done);

		if (status != TL_OK && at == 0)
			return status == TL_ERROR_UNSUPPORTED ? TL_ERROR_MEMORY : status;
		if (status != TL_OK)
			break;
		at += done;
	}
	*done_ret = at;
	return TL_OK;
}

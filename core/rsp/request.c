#include "core/rsp/request.h"

static tl_u64 number_or_all(struct tl_cursor *text)
{
	return tl_cursor_accept_text(text, "-1") ? TL_ANY : tl_cursor_hex(text);
}

enum tl_status tl_request_thread(struct tl_cursor *text, struct tl_request_thread *request_ret)
{
	struct tl_request_thread request = {.process = TL_ANY};

	if (tl_cursor_accept(text, 'p')) {
		request.with_process = true;
		request.process = number_or_all(text);
		/* A process alone means all its threads. */
		request.thread = tl_cursor_accept(text, '.') ? number_or_all(text) : TL_ANY;
		/* One thread of all processes is nonsense. */
		if (request.process == TL_ANY && request.thread != TL_ANY)
			return TL_ERROR_PACKET;
	} else {
		request.thread = number_or_all(text);
	}
	*request_ret = request;
	return text->failed ? TL_ERROR_PACKET : TL_OK;
}

enum tl_status tl_request_memory(struct tl_cursor *text, bool data, struct tl_request_memory *request_ret)
{
	request_ret->address = tl_cursor_hex(text);
	tl_cursor_expect(text, ',');
	request_ret->size = tl_cursor_hex(text);
	if (data)
		tl_cursor_expect(text, ':');
	request_ret->data = tl_cursor_take(text, data ? tl_cursor_left(text) : 0);
	return text->failed || !tl_cursor_done(text) ? TL_ERROR_PACKET : TL_OK;
}

enum tl_status tl_request_part(struct tl_cursor *text, tl_u64 *offset_ret, tl_u64 *size_ret)
{
	*offset_ret = tl_cursor_hex(text);
	tl_cursor_expect(text, ',');
	*size_ret = tl_cursor_hex(text);
	return text->failed || !tl_cursor_done(text) ? TL_ERROR_PACKET : TL_OK;
}

enum tl_status tl_request_action(struct tl_cursor *text, struct tl_request_action *request_ret)
{
	struct tl_request_action request = {.kind = TL_ACTION_CONTINUE};
	tl_u8 letter = tl_cursor_byte(text);

	switch (letter) {
	case 'c':
		break;
	case 'C':
		request.signal = tl_cursor_hex(text);
		break;
	case 's':
		request.kind = TL_ACTION_STEP;
		break;
	case 'S':
		request.kind = TL_ACTION_STEP;
		request.signal = tl_cursor_hex(text);
		break;
	case 't':
		request.kind = TL_ACTION_STOP;
		break;
	case 'r':
		request.kind = TL_ACTION_RANGE;
		request.start = tl_cursor_hex(text);
		tl_cursor_expect(text, ',');
		request.end = tl_cursor_hex(text);
		break;
	default:
		return TL_ERROR_PACKET;
	}
	if (tl_cursor_accept(text, ':')) {
		request.with_thread = true;
		TL_TRY(tl_request_thread(text, &request.thread));
	}
	if (text->failed || (!tl_cursor_done(text) && tl_cursor_peek(text) != ';'))
		return TL_ERROR_PACKET;
	*request_ret = request;
	return TL_OK;
}

enum tl_status tl_request_point(struct tl_cursor *text, struct tl_request_point *request_ret)
{
	tl_u8 type = tl_cursor_byte(text);

	tl_cursor_expect(text, ',');
	request_ret->address = tl_cursor_hex(text);
	tl_cursor_expect(text, ',');
	request_ret->size = tl_cursor_hex(text);
	if (text->failed || (!tl_cursor_done(text) && tl_cursor_peek(text) != ';'))
		return TL_ERROR_PACKET;
	if (type < '0' || type >= '0' + TL_POINT_KIND_MAX)
		return TL_ERROR_POINT_KIND;
	request_ret->kind = (enum tl_point_kind)(type - '0');
	return TL_OK;
}

enum tl_status tl_request_expression(struct tl_cursor *text, struct tl_request_expression *request)
{
	for (;;) {
		tl_u64 size;

		(void)tl_cursor_accept(text, ';');
		if (tl_cursor_done(text)) {
			request->done = true;
			return TL_OK;
		}
		if (tl_cursor_accept_text(text, "cmds:")) {
			request->command = true;
			request->persist = tl_cursor_hex(text) != 0;
			tl_cursor_expect(text, ',');
			if (text->failed)
				return TL_ERROR_PACKET;
			continue;
		}
		if (!tl_cursor_accept(text, 'X')) {
			(void)tl_cursor_until(text, ';');
			continue;
		}
		size = tl_cursor_hex(text);
		tl_cursor_expect(text, ',');
		if (text->failed || size == 0)
			return TL_ERROR_PACKET;
		if (size > TL_AGENT_CODE_MAX)
			return TL_ERROR_TOO_LONG;
		request->size = (tl_u16)size;
		request->hex = tl_cursor_take(text, (tl_size)size * 2);
		return text->failed ? TL_ERROR_PACKET : TL_OK;
	}
}

bool tl_request_number(struct tl_cursor *text, tl_u64 *number_ret)
{
	(void)tl_cursor_accept(text, ';');
	if (tl_cursor_done(text))
		return false;
	*number_ret = tl_cursor_hex(text);
	if (!tl_cursor_done(text) && tl_cursor_peek(text) != ';') {
		(void)tl_cursor_take(text, TL_SIZE_MAX);
		return false;
	}
	return !text->failed;
}

bool tl_request_suffix(struct tl_cursor *text, struct tl_request_thread *request_ret)
{
	if (!tl_cursor_accept_text(text, ";thread:"))
		return false;
	if (tl_request_thread(text, request_ret) != TL_OK) {
		text->failed = true;
		return false;
	}
	(void)tl_cursor_accept(text, ';');
	return true;
}

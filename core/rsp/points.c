/*
 * Z and z. GDB manual, "Packets", z0 to z4, and "Agent Expressions" for the bytecode that they carry.
 */
#include "core/rsp/rsp_internal.h"

/* Decodes one expression where it stands in the packet. */
static enum tl_status take_expression(struct tl_rsp *rsp, const struct tl_request_expression *expression,
				      struct tl_agent_code *code_ret)
{
	struct tl_cursor hex = expression->hex;
	tl_u8 *bytes = tl_rsp_in_place(rsp, &hex);

	tl_cursor_hex_bytes(&hex, bytes, expression->size);
	*code_ret = (struct tl_agent_code){bytes, expression->size};
	return hex.failed ? TL_ERROR_PACKET : TL_OK;
}

static enum tl_status add_expression(struct tl_rsp *rsp, const struct tl_agent_code *code, tl_size count)
{
	void *expressions = rsp->expressions;

	if (!tl_grow(&rsp->host.allocator, &expressions, &rsp->expression_capacity, count, sizeof(*code)))
		return TL_ERROR_NO_MEMORY;
	rsp->expressions = expressions;
	rsp->expressions[count] = *code;
	return TL_OK;
}

/* Reads the options: conditions come first in rsp->expressions, commands behind them. */
static enum tl_status take_options(struct tl_rsp *rsp, struct tl_cursor *arguments, tl_size *conditions_ret,
				   tl_size *commands_ret, bool *persist_ret)
{
	struct tl_request_expression expression = {0};
	tl_size count = 0;

	*conditions_ret = *commands_ret = 0;
	for (;;) {
		struct tl_agent_code code;

		TL_TRY(tl_request_expression(arguments, &expression));
		if (expression.done)
			break;
		TL_TRY(take_expression(rsp, &expression, &code));
		/* A condition behind commands is against the manual, and would be taken for one of them. */
		if (!expression.command && *commands_ret != 0)
			return TL_ERROR_PACKET;
		TL_TRY(add_expression(rsp, &code, count++));
		if (expression.command)
			++*commands_ret;
		else
			++*conditions_ret;
	}
	*persist_ret = expression.persist;
	return TL_OK;
}

/* What the target does not have is an unknown packet: the client then tries another way. */
static enum tl_status unknown_kind(enum tl_status status)
{
	return status == TL_ERROR_POINT_KIND || status == TL_ERROR_UNSUPPORTED ? TL_UNKNOWN_PACKET : status;
}

static enum tl_status handle_insert(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_request_point point;
	struct tl_point_request request;
	tl_size conditions, commands;
	enum tl_status status;
	tl_u64 process;

	(void)context, (void)reply;
	status = tl_request_point(arguments, &point);
	if (status != TL_OK)
		return unknown_kind(status);
	request = (struct tl_point_request){.kind = point.kind, .address = point.address, .size = point.size};
	TL_TRY(take_options(rsp, arguments, &conditions, &commands, &request.persist));
	if (conditions != 0)
		request.conditions = (struct tl_bytecode_list){rsp->expressions, conditions};
	if (commands != 0)
		request.commands = (struct tl_bytecode_list){rsp->expressions + conditions, commands};
	if (!tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	/* The address means what it does to the thread that memory is read through. */
	tl_engine_look_through(rsp->engine, rsp->general);
	return unknown_kind(tl_engine_insert_point(rsp->engine, process, &request));
}

static enum tl_status handle_remove(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	struct tl_request_point point;
	enum tl_status status;
	tl_u64 process;

	(void)context, (void)reply;
	status = tl_request_point(arguments, &point);
	if (status != TL_OK)
		return unknown_kind(status);
	if (!tl_rsp_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	return unknown_kind(tl_engine_remove_point(rsp->engine, process, point.kind, point.address, point.size));
}

#define NEEDS (TL_RSP_PROCESS | TL_RSP_STOPPED)

const struct tl_rsp_row tl_rsp_point_rows[] = {
	{"Z", TL_RSP_PREFIX, NEEDS, true, handle_insert},
	{"z", TL_RSP_PREFIX, NEEDS, true, handle_remove},
	{0},
};

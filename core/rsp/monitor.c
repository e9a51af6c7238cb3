/*
 * qRcmd: commands for the server itself, gdb's `monitor`. GDB manual, "General Query Packets", qRcmd.
 */
#include "core/rsp/rsp_internal.h"

#define COMMAND_MAX 1024
#define OUTPUT_MAX ((tl_size)1 << 18)

static const char *const state_names[] = {
	[TL_THREAD_PARKED] = "stopped",  [TL_THREAD_WAITING] = "stopped, report waiting",
	[TL_THREAD_RUNNING] = "running", [TL_THREAD_STOPPING] = "stopping",
	[TL_THREAD_HELD] = "held",       [TL_THREAD_OVER] = "stepping over a point",
};

static void write_thread(struct tl_rsp *rsp, struct tl_thread_id id, const char *state, struct tl_writer *output)
{
	tl_u8 name[64];
	tl_size size = tl_rsp_thread_name(rsp, id, name, sizeof(name));

	tl_write_decimal(output, id.process);
	tl_write_byte(output, '.');
	tl_write_decimal(output, id.thread);
	tl_write_byte(output, ' ');
	tl_write_bytes(output, name, size);
	tl_write_text(output, size != 0 ? ": " : "");
	tl_write_text(output, state);
	tl_write_byte(output, '\n');
}

static enum tl_status run_threads(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	struct tl_thread_info info = {0};
	struct tl_thread_id id = {0, 0};
	tl_u64 count = 0;

	(void)context, (void)arguments;
	for (; tl_engine_next_thread(rsp->engine, info.id, &info); count++)
		write_thread(rsp, info.id, (tl_u32)info.state < TL_COUNT(state_names) ? state_names[info.state] : "?",
			     output);
	for (; tl_engine_next_bystander(rsp->engine, id, &id) && !output->failed; count++)
		write_thread(rsp, id, "only looked at", output);
	tl_write_decimal(output, count);
	tl_write_text(output, " threads\n");
	return TL_OK;
}

static enum tl_status run_points(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	static const char *const kinds[] = {
		[TL_POINT_SOFTWARE] = "breakpoint ",      [TL_POINT_HARDWARE] = "hardware breakpoint ",
		[TL_POINT_WRITE] = "write watchpoint ",   [TL_POINT_READ] = "read watchpoint ",
		[TL_POINT_ACCESS] = "access watchpoint ",
	};
	struct tl_point_info point;
	tl_size n;

	(void)context, (void)arguments;
	for (n = 0; tl_engine_point(rsp->engine, n, &point); n++) {
		tl_write_text(output, (tl_u32)point.kind < TL_COUNT(kinds) ? kinds[point.kind] : "? ");
		tl_write_text(output, "0x");
		tl_write_hex(output, point.address);
		tl_write_text(output, " size ");
		tl_write_decimal(output, point.size);
		tl_write_text(output, " process ");
		tl_write_decimal(output, point.process);
		tl_write_text(output, ": hits ");
		tl_write_decimal(output, point.hits);
		tl_write_text(output, ", stops ");
		tl_write_decimal(output, point.stops);
		tl_write_text(output, ", conditions ");
		tl_write_decimal(output, point.conditions);
		tl_write_text(output, ", commands ");
		tl_write_decimal(output, point.commands);
		tl_write_byte(output, '\n');
	}
	tl_write_decimal(output, n);
	tl_write_text(output, " points\n");
	return TL_OK;
}

static void write_counter(struct tl_writer *output, const char *name, tl_u64 value)
{
	tl_write_text(output, name);
	tl_write_text(output, ": ");
	tl_write_decimal(output, value);
	tl_write_byte(output, '\n');
}

static enum tl_status run_counters(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	const struct tl_engine_counters *counters = tl_engine_counters(rsp->engine);

	(void)context, (void)arguments;
	write_counter(output, "events", counters->events);
	write_counter(output, "resumes", counters->resumes);
	write_counter(output, "reports", counters->reports);
	write_counter(output, "stale events dropped", counters->stale);
	write_counter(output, "conditions false", counters->conditions_false);
	write_counter(output, "conditions true", counters->conditions_true);
	write_counter(output, "breakpoint commands run", counters->commands);
	write_counter(output, "steps inside a range", counters->range_steps);
	write_counter(output, "points passed by the target", counters->ways[TL_WAY_PASSED]);
	write_counter(output, "points passed by carrying the instruction out", counters->ways[TL_WAY_CARRIED_OUT]);
	write_counter(output, "points passed out of line", counters->ways[TL_WAY_OUT_OF_LINE]);
	write_counter(output, "points passed with the other threads held", counters->ways[TL_WAY_HELD]);
	write_counter(output, "points passed through an exclusive sequence", counters->ways[TL_WAY_SEQUENCE]);
	return TL_OK;
}

static enum tl_status run_help(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output);

static const struct tl_rsp_command commands[] = {
	{"help", "  this list", run_help},
	{"threads", "  every thread and what it is doing", run_threads},
	{"points", "  every breakpoint and watchpoint with its counts", run_points},
	{"counters", "  what the engine has done so far", run_counters},
	{0},
};

static void write_help(const struct tl_rsp_command *row, struct tl_writer *output)
{
	for (; row != NULL && row->name != NULL; row++) {
		tl_write_text(output, "  ");
		tl_write_text(output, row->name);
		tl_write_byte(output, ' ');
		tl_write_text(output, row->help);
		tl_write_byte(output, '\n');
	}
}

static enum tl_status run_help(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	struct tl_target *target = tl_engine_target(rsp->engine);

	(void)context, (void)arguments;
	tl_write_text(output, "The following monitor commands are supported:\n");
	write_help(rsp->host.commands, output);
	write_help(commands, output);
	if (target->ops->monitor != NULL) /* one that has commands lists them */
		(void)target->ops->monitor(target, "help", output);
	return TL_OK;
}

/* The row whose name begins the line, whole words; the longest of them. */
static const struct tl_rsp_command *find(const struct tl_rsp_command *row, const char *line, const char **rest_ret)
{
	const struct tl_rsp_command *best = NULL;
	tl_size longest = 0;

	for (; row != NULL && row->name != NULL; row++) {
		tl_size size = tl_text_length(row->name);

		if (size <= longest || tl_text_length(line) < size || !tl_same(line, row->name, size) ||
		    (line[size] != ' ' && line[size] != '\0'))
			continue;
		longest = size;
		best = row;
	}
	*rest_ret = line + longest;
	while (**rest_ret == ' ')
		++*rest_ret;
	return best;
}

static enum tl_status run_command(struct tl_rsp *rsp, const char *line, struct tl_writer *output)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	enum tl_status status = TL_ERROR_UNSUPPORTED;
	const struct tl_rsp_command *row;
	const char *rest;

	if ((row = find(rsp->host.commands, line, &rest)) != NULL)
		return row->run(rsp, rsp->host.context, rest, output);
	if ((row = find(commands, line, &rest)) != NULL)
		return row->run(rsp, NULL, rest, output);
	if (target->ops->monitor != NULL)
		status = target->ops->monitor(target, line, output);
	if (status == TL_ERROR_UNSUPPORTED) {
		tl_write_text(output, "Unknown monitor command.\n\n");
		(void)run_help(rsp, NULL, "", output);
	}
	return status;
}

/* Output that a reply cannot hold goes ahead of it, in O packets. */
static void send_ahead(struct tl_rsp *rsp, const tl_u8 *text, tl_size size)
{
	tl_size piece = (rsp->host.packet_size - 1) / 2;

	while (size > 0) {
		struct tl_writer packet = tl_writer_make(rsp->output + TL_FRAME_HEAD, rsp->host.packet_size);
		tl_size now = size < piece ? size : piece;

		tl_write_byte(&packet, 'O');
		tl_write_hex_bytes(&packet, text, now);
		tl_rsp_send_output(rsp, tl_writer_size(&packet));
		text += now;
		size -= now;
	}
}

static enum tl_status handle_monitor(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	tl_size room = OUTPUT_MAX;
	char line[COMMAND_MAX / 2];
	struct tl_writer output;
	enum tl_status status;
	tl_size size;
	tl_u8 *text;

	(void)context;
	tl_cursor_expect(arguments, ',');
	size = tl_cursor_left(arguments) / 2;
	if (arguments->failed || tl_cursor_left(arguments) % 2 != 0)
		return TL_ERROR_PACKET;
	if (size >= sizeof(line))
		return TL_ERROR_TOO_LONG;
	tl_cursor_hex_bytes(arguments, line, size);
	line[size] = '\0';
	if (arguments->failed)
		return TL_ERROR_PACKET;
	/* A buffer of its own: a command may list objects itself. */
	while ((text = tl_allocate(&rsp->host.allocator, room)) == NULL && room > rsp->host.packet_size)
		room /= 2; /* in a kernel there is not that much, and what is cut off can be done without */
	if (text == NULL)
		return TL_ERROR_NO_MEMORY;
	output = tl_writer_make(text, room);
	status = run_command(rsp, line, &output);
	/* A reply that is an error carries no text, and a long text no error. */
	size = tl_writer_size(&output);
	if (status != TL_OK || 2 * size > tl_writer_room(reply))
		send_ahead(rsp, text, size);
	else
		tl_write_hex_bytes(reply, text, size);
	tl_release(&rsp->host.allocator, text, room);
	return status;
}

const struct tl_rsp_row tl_rsp_monitor_rows[] = {
	{"qRcmd", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_monitor},
	{0},
};

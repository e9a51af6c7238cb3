/*
 * Monitor commands of the server itself; those on threads, points and counters are core's. The texts of the answers are
 * gdbserver's, which scripts and GDB's test suite look for.
 */
#include "base/trace.h"
#include "frontends/serve/server.h"
#include "frontends/serve/symbols.h"

#include <string.h>

#define CHANNEL(name) (1u << TL_TRACE_##name)

static enum tl_status refuse(struct tl_writer *output, const char *wanted)
{
	tl_write_text(output, "Unknown monitor command.\nThe command wants ");
	tl_write_text(output, wanted);
	tl_write_text(output, ".\n");
	return TL_ERROR_ARGUMENT;
}

static enum tl_status run_exit(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	struct tl_server *server = context;

	(void)rsp;
	if (arguments[0] != '\0')
		return refuse(output, "nothing behind it");
	server->exit_requested = true;
	return TL_OK;
}

/* "0" or "1": switches channels of the trace. */
static enum tl_status set_channels(tl_u32 channels, const char *name, const char *arguments, struct tl_writer *output)
{
	bool on = strcmp(arguments, "1") == 0;

	if (!on && strcmp(arguments, "0") != 0)
		return refuse(output, "0 or 1");
	if (on)
		tl_trace_mask |= channels;
	else
		tl_trace_mask &= ~channels;
	tl_write_text(output, name);
	tl_write_text(output, on ? " enabled.\n" : " disabled.\n");
	return TL_OK;
}

static enum tl_status run_debug(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	(void)rsp;
	(void)context;
	return set_channels(CHANNEL(EVENTS) | CHANNEL(STATES) | CHANNEL(PTRACE), "Debug output", arguments, output);
}

static enum tl_status run_debug_points(struct tl_rsp *rsp, void *context, const char *arguments,
				       struct tl_writer *output)
{
	(void)rsp;
	(void)context;
	return set_channels(CHANNEL(POINTS), "H/W point debugging output", arguments, output);
}

static enum tl_status run_debug_packets(struct tl_rsp *rsp, void *context, const char *arguments,
					struct tl_writer *output)
{
	(void)rsp;
	(void)context;
	return set_channels(CHANNEL(PACKETS), "Protocol debug output", arguments, output);
}

static enum tl_status run_debug_loop(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	(void)rsp;
	(void)context;
	return set_channels(CHANNEL(LOOP), "Event loop debug output", arguments, output);
}

/* Every line of a trace has its time in any case, so this only answers as gdbserver does. */
static enum tl_status run_debug_format(struct tl_rsp *rsp, void *context, const char *arguments,
				       struct tl_writer *output)
{
	(void)rsp;
	(void)context;
	if (strcmp(arguments, "all") == 0)
		tl_write_text(output, "All extra debug format options enabled.\n");
	else if (strcmp(arguments, "none") == 0)
		tl_write_text(output, "All extra debug format options disabled.\n");
	else if (strcmp(arguments, "timestamp") == 0)
		tl_write_text(output, "Timestamps will be added to debug output.\n");
	else
		return refuse(output, "all, none or timestamp");
	return TL_OK;
}

/* monitor set trace CHANNELS[:FILE] */
static enum tl_status run_trace(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	struct tl_error error;
	enum tl_status status;

	(void)context;
	if (strcmp(arguments, "none") == 0) {
		tl_trace_mask = 0;
		tl_write_text(output, "Tracing is off.\n");
		return TL_OK;
	}
	status = tl_trace_setup(arguments, &error);
	if (status != TL_OK) {
		tl_write_text(output, error.text);
		tl_write_byte(output, '\n');
		tl_rsp_explain(rsp, error.text);
		return status;
	}
	tl_write_text(output, "Tracing is on.\n");
	return TL_OK;
}

static enum tl_status run_threads_db_path(struct tl_rsp *rsp, void *context, const char *arguments,
					  struct tl_writer *output)
{
	const char *path = arguments[0] != '\0' ? arguments : TL_THREADS_DB_PATH;

	(void)rsp;
	TL_TRY(tl_symbols_set_path(context, path));
	tl_write_text(output, "libthread-db-search-path set to `");
	tl_write_text(output, path);
	tl_write_text(output, "'\n");
	return TL_OK;
}

const struct tl_rsp_command tl_serve_commands[] = {
	{"set debug", "<0|1>\n    Enable general debugging messages", run_debug},
	{"set debug-hw-points", "<0|1>\n    Enable h/w breakpoint/watchpoint debugging messages", run_debug_points},
	{"set remote-debug", "<0|1>\n    Enable remote protocol debugging messages", run_debug_packets},
	{"set event-loop-debug", "<0|1>\n    Enable event loop debugging messages", run_debug_loop},
	{"set debug-format", "option1[,option2,...]\n    Add additional information to debugging messages",
	 run_debug_format},
	{"set trace", "CHANNEL[,CHANNEL...][:FILE]|none\n    Trace as --trace does", run_trace},
	{"set libthread-db-search-path", "[DIRECTORY[:DIRECTORY...]]\n    Where to look for libthread_db",
	 run_threads_db_path},
	{"exit", "\n    Quit GDBserver", run_exit},
	{NULL, NULL, NULL},
};

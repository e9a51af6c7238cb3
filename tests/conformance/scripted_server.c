/*
 * The scripted target behind core's protocol server with lldb's packets, for the conformance scenarios:
 *
 *     scripted_server [OPTION]... PROGRAM
 *
 *     --without=CAPABILITY   the machine lacks it: step, run-some, carry-out, out-of-line, hardware, watch, allocate, …
 *     --points=inserted      software breakpoints are the machine's own business, and it passes them by itself
 *     --exact                watch hits say what the access was
 *     --seed=NUMBER          threads take turns in that pseudo-random order
 *     --listen=PATH          serves clients on a Unix socket, one after another, instead of one on stdin and stdout
 *
 * PROGRAM is an ELF file whose instructions the scripted target can execute. At the end everything is detached from,
 * and a trap left in the program or a broken contract is complained of and makes the exit status 3.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/elf.h"
#include "base/storage.h"
#include "core/rsp/rsp.h"
#include "frontends/serve/lldb/lldb.h"
#include "targets/scripted/scripted.h"

#define SEGMENTS_MAX 16
#define TURNS_BETWEEN_LOOKS 4096
#define STACK_START 0x7ffff0000000u
#define STACK_SIZE 0x10000u

struct server {
	struct tl_scripted *machine;
	struct tl_engine *engine;
	struct tl_rsp *rsp;
	struct tl_lldb lldb;
	struct tl_scripted_image image;
	struct tl_scripted_segment segments[SEGMENTS_MAX];
	int input, output;
	bool ready, done;
};

static const struct {
	const char *name;
	tl_u32 capability;
} capability_names[] = {
	{"step", TL_CAN_STEP},
	{"run-some", TL_CAN_RUN_SOME},
	{"carry-out", TL_CAN_CARRY_OUT},
	{"out-of-line", TL_CAN_OUT_OF_LINE},
	{"hardware", TL_CAN_HARDWARE},
	{"watch", TL_CAN_WATCH},
	{"allocate", TL_CAN_ALLOCATE},
	{"objects", TL_CAN_OBJECTS},
	{"access-running", TL_CAN_ACCESS_RUNNING},
};

static void die(const char *what)
{
	fprintf(stderr, "scripted_server: %s\n", what);
	exit(1);
}

/* ---- The program ---- */

static void *read_part(int descriptor, tl_u64 offset, tl_u64 size)
{
	void *bytes = malloc(size != 0 ? size : 1);

	if (bytes == NULL || tl_elf_read_descriptor(&descriptor, offset, bytes, size) != TL_OK)
		die("the program's file is too short");
	return bytes;
}

static void load(struct server *server, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct tl_elf elf;
	struct tl_error error = {0};
	tl_size count = 0;

	if (descriptor < 0)
		die("the program's file cannot be opened");
	if (tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &error) != TL_OK)
		die(error.text);
	for (tl_u32 i = 0; i < elf.segment_count && count < SEGMENTS_MAX - 1; i++) {
		struct tl_elf_segment segment;

		if (tl_elf_segment(&elf, i, &segment, &error) != TL_OK)
			die(error.text);
		if (segment.type != 1)
			continue;
		server->segments[count++] = (struct tl_scripted_segment){
			.start = segment.address,
			.size = segment.memory_size,
			.bytes = read_part(descriptor, segment.offset, segment.file_size),
			.filled = segment.file_size,
			.permissions = ((segment.flags & 4) != 0 ? TL_PERMISSION_READ : 0u) |
				       ((segment.flags & 2) != 0 ? TL_PERMISSION_WRITE : 0u) |
				       ((segment.flags & 1) != 0 ? TL_PERMISSION_EXECUTE : 0u),
			.name = path,
		};
	}
	server->segments[count++] =
		(struct tl_scripted_segment){.start = STACK_START,
					     .size = STACK_SIZE,
					     .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE,
					     .name = "[stack]"};
	server->image = (struct tl_scripted_image){.segments = server->segments,
						   .segment_count = count,
						   .entry = elf.entry,
						   .stack = STACK_START + STACK_SIZE - 64,
						   .path = path};
	close(descriptor);
}

/* ---- What the engine and the session say ---- */

static void on_ready(void *context)
{
	((struct server *)context)->ready = true;
}

static void on_done(void *context)
{
	((struct server *)context)->done = true;
}

static void on_output(void *context, const char *text, tl_size size)
{
	struct server *server = context;

	if (server->rsp == NULL || !tl_rsp_console(server->rsp, text, size))
		(void)fwrite(text, 1, size, stderr);
}

static void on_stop(void *context, const struct tl_report *report, struct tl_writer *reply)
{
	struct server *server = context;

	tl_lldb_extend_stop(&server->lldb, report, reply);
}

static void on_written(void *context, const tl_u8 *bytes, tl_size size)
{
	(void)context;
	(void)fwrite(bytes, 1, size, stderr);
}

static void on_send(void *context, const void *bytes, tl_size size)
{
	struct server *server = context;

	while (size > 0) {
		ssize_t written = write(server->output, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) { /* the client went away: reading tells as much */
			return;
		}
		bytes = (const char *)bytes + written;
		size -= (tl_size)written;
	}
}

/* ---- Serving ---- */

static void run_a_while(struct server *server, bool *busy)
{
	*busy = true;
	for (int i = 0; i < TURNS_BETWEEN_LOOKS && !server->ready && *busy; i++)
		*busy = tl_scripted_turn(server->machine);
}

static void begin_session(struct server *server)
{
	static struct tl_rsp_table tables[TL_LLDB_TABLES];
	const struct tl_lldb_host lldb_host = {.context = server};
	const struct tl_rsp_host host = {.allocator = *tl_storage(),
					 .send = on_send,
					 .done = on_done,
					 .extend_stop = on_stop,
					 .tables = tables,
					 .table_count = TL_LLDB_TABLES,
					 .features = tl_lldb_features,
					 .context = server,
					 .packet_size = 16384};

	tl_lldb_init(&server->lldb, server->engine, &lldb_host);
	tl_lldb_tables(&server->lldb, tables);
	server->rsp = calloc(1, tl_rsp_size());
	if (server->rsp == NULL || tl_rsp_init(server->rsp, server->engine, &host) != TL_OK)
		die("out of memory");
	tl_lldb_begin(&server->lldb, server->rsp);
	server->done = false;
}

static void serve(struct server *server)
{
	struct pollfd wait = {.fd = server->input, .events = POLLIN};
	bool busy = false;
	char bytes[4096];

	begin_session(server);
	while (!server->done) {
		ssize_t size;

		if (server->ready) {
			server->ready = false;
			tl_rsp_poll(server->rsp);
			continue;
		}
		if (poll(&wait, 1, busy ? 0 : -1) <= 0) {
			run_a_while(server, &busy);
			continue;
		}
		size = read(server->input, bytes, sizeof(bytes));
		if (size <= 0)
			break;
		tl_rsp_receive(server->rsp, bytes, (tl_size)size);
		run_a_while(server, &busy);
	}
	tl_lldb_end(&server->lldb);
	tl_rsp_deinit(server->rsp);
	free(server->rsp);
	server->rsp = NULL;
	server->ready = false;
}

/* Everything stands, and nothing is left of the client. */
static void settle(struct server *server)
{
	tl_engine_pause(server->engine);
	for (int turns = 0; !tl_engine_quiet(server->engine); turns++) {
		if (turns == 1 << 20 || !tl_scripted_turn(server->machine)) {
			fprintf(stderr, "violation: the engine does not come to rest\n");
			exit(3);
		}
	}
	tl_engine_reset_client(server->engine);
	server->ready = false;
}

static void listen_for_clients(struct server *server, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		die("the socket's path is too long");
	strcpy(address.sun_path, path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 1) != 0)
		die("the socket cannot be made");
	printf("listening on %s\n", path);
	fflush(stdout);
	while (tl_engine_next_process(server->engine, 0) != 0) {
		struct pollfd wait[2] = {{.fd = listener, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

		/* The end of our input is the order to end. */
		if (poll(wait, 2, -1) <= 0 || wait[1].revents != 0)
			break;
		server->input = server->output = accept(listener, NULL, NULL);
		if (server->input < 0)
			die("a client cannot be accepted");
		serve(server);
		close(server->input);
		settle(server);
	}
	close(listener);
	unlink(path);
}

/* Detaches from everything; returns the exit status. */
static int leave(struct server *server)
{
	struct tl_scripted_process_info info;
	const char *text = NULL;
	int status = 0;

	settle(server);
	for (tl_u64 process; (process = tl_engine_next_process(server->engine, 0)) != 0;)
		(void)tl_engine_detach(server->engine, process, 0, 0);
	for (tl_u64 process = 1; process < 4096; process++) {
		if (!tl_scripted_process(server->machine, process, &info) || !info.alive)
			continue;
		/* What the client wrote into code is its own; the fixture's scenarios put it back. */
		if (info.altered != 0 || info.points != 0 || info.borrowed != 0) {
			fprintf(stderr,
				"violation: process %llu is left with %zu altered bytes, %zu points and %zu borrowed "
				"regions\n",
				(unsigned long long)process, (size_t)info.altered, (size_t)info.points,
				(size_t)info.borrowed);
			status = 3;
		}
	}
	if (tl_scripted_violations(server->machine, &text) != 0) {
		fprintf(stderr, "violation: %s\n", text);
		status = 3;
	}
	return status;
}

static void read_option(struct tl_scripted_options *options, const char *option)
{
	if (strncmp(option, "--without=", 10) == 0) {
		for (tl_size i = 0; i < TL_COUNT(capability_names); i++) {
			if (strcmp(option + 10, capability_names[i].name) == 0) {
				options->without |= capability_names[i].capability;
				return;
			}
		}
		die("there is no such capability");
	} else if (strcmp(option, "--points=inserted") == 0) {
		options->points_inserted = options->passes_points = true;
	} else if (strcmp(option, "--exact") == 0) {
		options->exact_hits = true;
	} else if (strncmp(option, "--seed=", 7) == 0) {
		options->seed = strtoull(option + 7, NULL, 0);
	} else {
		die("there is no such option");
	}
}

int main(int count, char **arguments)
{
	struct server server = {.input = 0, .output = 1};
	struct tl_scripted_options options = {
		.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64, .image = &server.image, .written = on_written};
	struct tl_engine_host host = {
		.allocator = *tl_storage(), .output = on_output, .ready = on_ready, .context = &server};
	const char *path = NULL;
	tl_u64 process;
	int status, n;

	signal(SIGPIPE, SIG_IGN);
	for (n = 1; n < count && arguments[n][0] == '-'; n++) {
		if (strncmp(arguments[n], "--listen=", 9) == 0)
			path = arguments[n] + 9;
		else
			read_option(&options, arguments[n]);
	}
	if (n != count - 1)
		die("one program must be named");
	load(&server, arguments[n]);
	server.machine = calloc(1, tl_scripted_size());
	server.engine = calloc(1, tl_engine_size());
	if (server.machine == NULL || server.engine == NULL || tl_scripted_init(server.machine, &options) != TL_OK)
		die("the machine cannot be made");
	tl_engine_init(server.engine, tl_scripted_target(server.machine), &host);
	if (tl_scripted_start(server.machine, &process) != TL_OK)
		die("the program cannot be started");
	if (path != NULL)
		listen_for_clients(&server, path);
	else
		serve(&server);
	status = leave(&server);
	tl_engine_deinit(server.engine);
	tl_scripted_deinit(server.machine);
	for (tl_size i = 0; i < server.image.segment_count; i++)
		free((void *)(tl_uintptr)server.segments[i].bytes);
	free(server.machine);
	free(server.engine);
	return status;
}

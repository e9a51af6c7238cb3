#include "bench/server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_ARGUMENTS 24
#define END_DEADLINE 3000 /* milliseconds for a server to go when asked */

/* In the child: standard streams on /dev/null, except the one that the parent reads; death with the parent. */
static void become(char *const *arguments, int output, int output_as)
{
	int nothing = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	for (int fd = 0; fd < 3; fd++)
		dup2(nothing, fd);
	dup2(output, output_as);
	execv(arguments[0], arguments);
	_exit(127);
}

/* Starts `arguments` with the writing end of a pipe as descriptor `output_as`; *reading_ret is the other end. */
static pid_t start_reading(char *const *arguments, int output_as, int *reading_ret)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0;
	pid = fork();
	if (pid == 0)
		become(arguments, ends[1], output_as);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return 0;
	}
	*reading_ret = ends[0];
	return pid;
}

/* Reads until `text` holds `before` followed by something and a final newline or NUL; false at the end or deadline. */
static bool read_line_with(int descriptor, const char *before, char *text, size_t capacity)
{
	struct pollfd ready = {.fd = descriptor, .events = POLLIN};
	size_t size = 0;

	text[0] = 0;
	while (size + 1 < capacity && poll(&ready, 1, TL_CLIENT_DEADLINE) == 1) {
		ssize_t got = read(descriptor, text + size, capacity - 1 - size);
		const char *found;

		if (got <= 0)
			return false;
		/* lldb-server ends its number with a NUL. */
		for (ssize_t i = 0; i < got; i++)
			if (text[size + (size_t)i] == 0)
				text[size + (size_t)i] = '\n';
		size += (size_t)got;
		text[size] = 0;
		found = strstr(text, before);
		if (found && strchr(found, '\n'))
			return true;
	}
	return false;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Fills in the command line; returns the descriptor on which the port is told, and the text before it. */
static int command_line(const struct tl_server_kind *kind, char *const *program, char *pid_text, char **arguments,
			const char **before_ret)
{
	static char gdbserver[] = "gdbserver", pipe_option[] = "--pipe", three[] = "3", attach[] = "--attach";
	static char address[] = "localhost:0", end_of_options[] = "--", no_shell[] = "--no-startup-with-shell";
	size_t count = 0;
	bool lldb = kind->manner == TL_SERVER_LLDB;

	arguments[count++] = kind->path;
	if (lldb) {
		arguments[count++] = gdbserver;
		arguments[count++] = pipe_option;
		arguments[count++] = three;
	}
	if (kind->manner == TL_SERVER_NO_SHELL)
		arguments[count++] = no_shell;
	if (!program)
		arguments[count++] = attach;
	if (!program && lldb)
		arguments[count++] = pid_text;
	arguments[count++] = address;
	if (!program && !lldb)
		arguments[count++] = pid_text;
	if (program && lldb)
		arguments[count++] = end_of_options;
	for (; program && *program && count + 1 < MOST_ARGUMENTS; program++)
		arguments[count++] = *program;
	arguments[count] = NULL;
	*before_ret = lldb ? "" : "Listening on port ";
	return lldb ? 3 : 2;
}

bool tl_server_start(struct tl_server *server, const struct tl_server_kind *kind, char *const *program, pid_t attached)
{
	char *arguments[MOST_ARGUMENTS];
	char text[2000], error[sizeof(server->client.error)], pid_text[16];
	const char *before, *number;
	int socket, told;
	bool listening;

	*server = (struct tl_server){.client.socket = -1, .telling = -1, .attached = !program};
	snprintf(pid_text, sizeof(pid_text), "%d", (int)attached);
	told = command_line(kind, program, pid_text, arguments, &before);
	server->pid = start_reading(arguments, told, &server->telling);
	if (server->pid == 0)
		return tl_client_fail(&server->client, "fork: %s", strerror(errno));
	listening = read_line_with(server->telling, before, text, sizeof(text));
	if (!listening) {
		tl_server_end(server);
		text[strcspn(text, "\n")] = 0;
		return tl_client_fail(&server->client, "%s does not listen: %.120s", kind->name, text);
	}
	number = strstr(text, before) + strlen(before);
	socket = connect_to((unsigned)strtoul(number, NULL, 10));
	if (socket < 0) {
		tl_server_end(server);
		return tl_client_fail(&server->client, "cannot connect to port %.5s", number);
	}
	if (!tl_client_open(&server->client, socket)) {
		memcpy(error, server->client.error, sizeof(error));
		tl_server_end(server);
		return tl_client_fail(&server->client, "%s", error);
	}
	return true;
}

/* Whether process `pid` ends within `milliseconds`; it still has to be waited for. */
static bool ends_within(pid_t pid, int milliseconds)
{
	int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {.fd = descriptor, .events = POLLIN};
	bool ends = descriptor >= 0 && poll(&ended, 1, milliseconds) == 1;

	if (descriptor >= 0)
		close(descriptor);
	return ends;
}

static void release(struct tl_server *server)
{
	if (server->telling >= 0)
		close(server->telling);
	server->telling = -1;
	server->pid = 0;
	tl_client_close(&server->client);
}

void tl_server_end(struct tl_server *server)
{
	if (server->pid > 0) {
		/* A server that is killed may leave its program behind, so it is asked first. */
		if (server->client.socket >= 0 && !server->attached && tl_client_send(&server->client, "k", 1))
			(void)ends_within(server->pid, END_DEADLINE);
		tl_program_end(server->pid);
	}
	release(server);
}

bool tl_server_detach(struct tl_server *server)
{
	bool ok = tl_client_order(&server->client, "D");

	if (ok) {
		close(server->client.socket);
		server->client.socket = -1;
		(void)ends_within(server->pid, END_DEADLINE);
		tl_program_end(server->pid);
		release(server);
	}
	return ok;
}

double tl_server_resident(const struct tl_server *server)
{
	char path[64], line[200];
	double kibibytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)server->pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "VmRSS:", 6))
			kibibytes = strtod(line + 6, NULL);
	if (file)
		fclose(file);
	return kibibytes;
}

pid_t tl_program_start(char *const *program)
{
	char text[100];
	int reading = -1;
	pid_t pid = start_reading(program, 1, &reading);

	if (pid > 0 && !read_line_with(reading, "", text, sizeof(text))) {
		tl_program_end(pid);
		pid = 0;
	}
	if (reading >= 0)
		close(reading);
	return pid;
}

void tl_program_end(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

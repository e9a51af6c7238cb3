/*
 * What if a call fails under the server itself? It serves a program through a Unix socket to a client, again and again;
 * in each run one call, the n-th of its kind, fails once with one errno: of the socket's, of the event loop's, or an
 * allocation of the C library's. The linker puts these in front of the real ones (--wrap), so that nobody's code is
 * passed by.
 *
 * However a run ends: each answer comes, or the connection ends, before a deadline; the server ends by itself with a
 * status of its own when its program is let go or its work is over; and the program, if it was let go, says itself that
 * it is whole (tests/stress/crowd.c).
 *
 *   fault-serve [--all] [CALL…]      --all: every n with every errno, instead of a selection
 *   fault-serve --one CALL N ERRNO
 */
#include "frontends/serve/serve.h"
#include "base/trace.h"
#include "targets/process/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE 20000 /* milliseconds, for anything */

/* X(name, errnos, result type, failure, parameters, arguments) */
#define CALLS(X)                                                                                                       \
	X(recv, (ECONNRESET, EINTR, ENOMEM), ssize_t, -1, (int a, void *b, size_t c, int d), (a, b, c, d))             \
	X(send, (EPIPE, EINTR, ENOBUFS, EAGAIN), ssize_t, -1, (int a, const void *b, size_t c, int d), (a, b, c, d))   \
	X(poll, (EINTR, ENOMEM), int, -1, (struct pollfd * a, nfds_t b, int c), (a, b, c))                             \
	X(accept4, (EMFILE, ECONNABORTED, EINTR, ENOMEM), int, -1, (int a, struct sockaddr *b, socklen_t *c, int d),   \
	  (a, b, c, d))                                                                                                \
	X(epoll_wait, (EINTR, ENOMEM), int, -1, (int a, struct epoll_event *b, int c, int d), (a, b, c, d))            \
	X(epoll_ctl, (ENOMEM, ENOSPC), int, -1, (int a, int b, int c, struct epoll_event *d), (a, b, c, d))            \
	X(malloc, (ENOMEM), void *, NULL, (size_t a), (a))                                                             \
	X(calloc, (ENOMEM), void *, NULL, (size_t a, size_t b), (a, b))                                                \
	X(realloc, (ENOMEM), void *, NULL, (void *a, size_t b), (a, b))                                                \
	X(aligned_alloc, (ENOMEM), void *, NULL, (size_t a, size_t b), (a, b))                                         \
	X(strdup, (ENOMEM), char *, NULL, (const char *a), (a))

enum call {
#define X(name, ...) CALL_##name,
	CALLS(X)
#undef X
		CALL_MAX
};

#define LIST(...) __VA_ARGS__
static const struct {
	const char *name;
	int errors[5];
} calls[] = {
#define X(name, list, ...) {#name, {LIST list, 0}},
	CALLS(X)
#undef X
};

/* Shared with the server, which is a process of its own. */
static struct plan {
	enum call call;
	unsigned long n, count;
	int error;
	bool armed, fired;
} * plan;

static bool due(enum call call)
{
	if (plan == NULL || !plan->armed || call != plan->call || ++plan->count != plan->n)
		return false;
	plan->fired = true;
	errno = plan->error;
	return true;
}

/* The linker's names for the real one and for the one in front of it. */
#define X(name, list, type, failure, parameters, arguments)                                                            \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		return due(CALL_##name) ? failure : __real_##name arguments;                                           \
	}
CALLS(X)
#undef X

/* ---- The server ---- */

static char folder[] = "/tmp/fault-serve-XXXXXX";
static char address[64];

__attribute__((noreturn)) static void serve(const int input[2], const int output[2], const int errors[2])
{
	const char *words[] = {FAULT_PROGRAM, "spin", "2", NULL};
	struct tl_serve_options options = {.address = address, .program = words};
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;
	int status;

	(void)dup2(input[0], STDIN_FILENO);
	(void)dup2(output[1], STDOUT_FILENO);
	(void)dup2(errors[1], STDERR_FILENO);
	for (int i = 0; i < 2; i++) {
		(void)close(input[i]);
		(void)close(output[i]);
		(void)close(errors[i]);
	}
	if (tl_loop_create(&loop, &error) != TL_OK || tl_process_target_create(loop, NULL, &target, &error) != TL_OK)
		_exit(77);
	plan->armed = true;
	status = tl_serve(loop, target, &options);
	plan->armed = false;
	tl_process_target_destroy(target);
	tl_loop_destroy(loop);
	_exit(status);
}

/* ---- The client ---- */

struct client {
	int socket;
	char bytes[65536];
	size_t size;
	bool ended, late;
};

/* More bytes of the server, up to the deadline; false at the end, or when it is late. */
static bool more(struct client *client)
{
	struct pollfd ready = {.fd = client->socket, .events = POLLIN};
	ssize_t size;

	if (client->size == sizeof(client->bytes))
		client->size = 0;
	if (__real_poll(&ready, 1, DEADLINE) <= 0) {
		client->late = true;
		return false;
	}
	size = __real_recv(client->socket, client->bytes + client->size, sizeof(client->bytes) - client->size, 0);
	client->ended = size <= 0;
	client->size += size > 0 ? (size_t)size : 0;
	return size > 0;
}

/* Waits for the end of a packet. */
static bool answered(struct client *client)
{
	for (;;) {
		char *end = memchr(client->bytes, '#', client->size);

		if (end != NULL && client->bytes + client->size - end >= 3)
			return true;
		if (!more(client))
			return false;
	}
}

static bool ask(struct client *client, const char *packet)
{
	char frame[400];
	unsigned char sum = 0;

	for (const char *at = packet; *at != '\0'; at++)
		sum += (unsigned char)*at;
	(void)snprintf(frame, sizeof(frame), "$%s#%02x", packet, sum);
	client->size = 0;
	if (__real_send(client->socket, frame, strlen(frame), MSG_NOSIGNAL) < 0)
		client->ended = true;
	return !client->ended && answered(client);
}

static bool reach(struct client *client)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	*client = (struct client){.socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", address + strlen("unix:"));
	return client->socket >= 0 && connect(client->socket, (struct sockaddr *)&name, sizeof(name)) == 0;
}

/* A session; true when it got to its end, where the program is let go. */
static bool debug(struct client *client)
{
	static const char *const before[] = {"QStartNoAckMode",
					     "qSupported:swbreak+;multiprocess+",
					     "?",
					     "qXfer:auxv:read::0,1000",
					     "QThreadSuffixSupported",
					     "jThreadsInfo",
					     "qXfer:osdata:read:processes:0,8000",
					     "vFile:setfs:0",
					     "vFile:open:2f6465762f6e756c6c,0,0",
					     "qXfer:libraries-svr4:read::0,8000"};
	static const char *const after[] = {"g", "vFile:close:7", "qXfer:threads:read::0,8000", "D"};
	bool good = true;

	for (unsigned i = 0; good && i < TL_COUNT(before); i++)
		good = ask(client, before[i]);
	if (!good)
		return false;
	client->size = 0;
	/* On, and ^C: the answer is the stop. */
	good = __real_send(client->socket, "$c#63\3", 6, MSG_NOSIGNAL) == 6 && answered(client);
	for (unsigned i = 0; good && i < TL_COUNT(after); i++)
		good = ask(client, after[i]);
	return good;
}

/* ---- A run ---- */

/* Until the end of what `descriptor` gives, or `word` in it; false when it is late. */
static bool read_until(int descriptor, const char *word, char *text, size_t size)
{
	size_t at = 0;

	for (;;) {
		struct pollfd ready = {.fd = descriptor, .events = POLLIN};
		ssize_t got;

		if (__real_poll(&ready, 1, DEADLINE) <= 0)
			return false;
		got = read(descriptor, text + at, size - 1 - at);
		if (got <= 0)
			return true;
		at += (size_t)got;
		text[at] = '\0';
		if (word != NULL && strstr(text, word) != NULL)
			return true;
		if (at > size / 2) {
			memmove(text, text + at / 2, at - at / 2 + 1);
			at -= at / 2;
		}
	}
}

/* Whether the server ends by itself, by an exit or by the signal that it was sent (0: none), of which it then dies. */
static bool ends(pid_t server, int sent)
{
	struct pollfd ready = {.fd = (int)syscall(SYS_pidfd_open, server, 0), .events = POLLIN};
	bool ended = __real_poll(&ready, 1, DEADLINE) > 0;
	int status = 0;

	(void)close(ready.fd);
	if (!ended)
		(void)kill(server, SIGKILL);
	(void)waitpid(server, &status, 0);
	if (ended && (WIFEXITED(status) || (sent != 0 && WIFSIGNALED(status) && WTERMSIG(status) == sent)))
		return true;
	printf("  the server %s, wait status 0x%x\n", ended ? "died" : "does not end", (unsigned)status);
	return false;
}

/* Client after client, until one lets the program go or there is no server any more. *freed_ret: it was let go. */
static bool clients(bool *freed_ret)
{
	static struct client client;

	for (int tries = 0; tries < 4 && !*freed_ret; tries++) {
		bool there = reach(&client);

		if (there)
			*freed_ret = debug(&client);
		(void)close(client.socket);
		if (client.late) {
			printf("  an answer does not come\n");
			return false;
		}
		if (!there)
			break;
	}
	return true;
}

static bool run(enum call call, unsigned long n, int error, bool *reached_ret)
{
	int input[2], output[2], errors[2];
	char text[4096] = "", said[4096] = "";
	bool good, freed = false;
	pid_t server;

	if (pipe(input) < 0 || pipe(output) < 0 || pipe(errors) < 0)
		return false;
	*plan = (struct plan){.call = call, .n = n, .error = error};
	(void)unlink(address + strlen("unix:"));
	server = fork();
	if (server == 0)
		serve(input, output, errors);
	(void)close(input[0]);
	(void)close(output[1]);
	(void)close(errors[1]);
	good = read_until(errors[0], "Listening", text, sizeof(text));
	good = good && clients(&freed);
	if (!freed)
		(void)kill(server, SIGINT);
	/* The program ends when its input does; the server, which has let it go, stays until then. */
	(void)close(input[1]);
	good = read_until(output[0], NULL, said, sizeof(said)) && good;
	good = ends(server, freed ? 0 : SIGINT) && good;
	if (strstr(said, "hits") != NULL && strstr(said, "traps 0 changed 0") == NULL) {
		printf("  the program is not whole: %s", said);
		good = false;
	}
	if (!good && *text != '\0')
		printf("  the server said: %s\n", text);
	(void)close(output[0]);
	(void)close(errors[0]);
	*reached_ret = plan->fired;
	return good;
}

static void try(enum call call, unsigned long n, int error, unsigned counts[2], bool *reached_ret)
{
	bool reached = false, good = run(call, n, error, &reached);

	counts[good ? 0 : 1]++;
	*reached_ret |= reached;
	if (!good)
		printf("FAILED %s %lu %s\n  again: tests/fault/fault-serve --one %s %lu %s\n", calls[call].name, n,
		       strerrorname_np(error), calls[call].name, n, strerrorname_np(error));
}

static void run_call(enum call call, bool all, unsigned counts[2])
{
	unsigned kinds = 0, misses = 0;
	unsigned long n = 1, tried = 0;

	while (calls[call].errors[kinds] != 0)
		kinds++;
	/* What happens at the same time makes the number of calls vary a little. */
	for (; misses < 2; n += all || n < 8 ? 1 : 1 + n / 3, tried++) {
		bool reached = false;

		for (unsigned i = 0; i < (all ? kinds : 1); i++)
			try(call, n, calls[call].errors[all ? i : tried % kinds], counts, &reached);
		misses = reached ? 0 : misses + 1;
	}
	printf("ok %s: %lu calls reached\n", calls[call].name, n);
}

static bool wanted(char **words, const char *name)
{
	char **word = words;

	while (*word != NULL && strcmp(*word, name) != 0)
		word++;
	return *words == NULL || *word != NULL;
}

int main(int count, char **arguments)
{
	bool all = count > 1 && strcmp(arguments[1], "--all") == 0;
	bool one = count == 5 && strcmp(arguments[1], "--one") == 0;
	unsigned counts[2] = {0};
	bool reached = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	plan = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plan == MAP_FAILED || mkdtemp(folder) == NULL)
		return 2;
	(void)snprintf(address, sizeof(address), "unix:%s/socket", folder);
	for (unsigned call = 0; call < CALL_MAX; call++) {
		if (one && strcmp(arguments[2], calls[call].name) == 0) {
			for (unsigned i = 0; calls[call].errors[i] != 0; i++)
				if (strcmp(arguments[4], strerrorname_np(calls[call].errors[i])) == 0)
					try((enum call)call, strtoul(arguments[3], NULL, 10), calls[call].errors[i],
					    counts, &reached);
		} else if (!one && wanted(arguments + 1 + all, calls[call].name)) {
			run_call((enum call)call, all, counts);
		}
	}
	(void)unlink(address + strlen("unix:"));
	(void)rmdir(folder);
	printf("%u passed, %u failed\n", counts[0], counts[1]);
	return counts[1] != 0;
}

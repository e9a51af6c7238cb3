/*
 * The first program of the test machine: it loads the drivers that the kernel keeps in modules, brings the network up,
 * and then does what it is asked to over connections to port 1, one process a connection. machine.py is the other side.
 *
 * A connection begins with one line; numbers are decimal, `size` bytes follow the line.
 *
 * run ID size: words, each with a 0 at its end: a program, whose input and output are this connection, and whose error
 * output is /tmp/ID.errors. Whatever it leaves behind is ended with it.
 *
 * say ID size: the same, with its error output on this connection, too.
 *
 * end ID seconds: waits so long for it to end by itself, then kills it; answers its status (-1: killed), a line feed,
 * and what it wrote as errors.
 *
 * connect port: the rest of this connection goes to that port of the guest, and back.
 *
 * put mode size path: a file, its mode in octal; answers "done" and a line feed.
 *
 * off: switches the machine off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT 1
#define LINE_MAX_BYTES 512
#define WORDS_MAX 64
#define WORDS_BYTES 65536

static void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf(": %s\n", strerror(errno));
	fflush(stdout);
	_exit(1);
}

static void load(const char *name)
{
	char path[128];
	int file;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	/* A kernel that has the driver built in has no such file. */
	if (file >= 0 && syscall(SYS_finit_module, file, "", 0) != 0)
		die("%s", path);
	if (file >= 0)
		close(file);
}

static void set_address(int socket, const char *interface, const char *address)
{
	struct ifreq request = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&request.ifr_addr;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	in->sin_family = AF_INET;
	if (inet_pton(AF_INET, address, &in->sin_addr) != 1 || ioctl(socket, SIOCSIFADDR, &request) != 0)
		die("the address of %s", interface);
	if (ioctl(socket, SIOCGIFFLAGS, &request) != 0)
		die("the flags of %s", interface);
	request.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(socket, SIOCSIFFLAGS, &request) != 0)
		die("%s up", interface);
}

static void prepare(void)
{
	int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static const char *const modules[] = {"virtio",   "virtio_ring",  "virtio_mmio",
					      "failover", "net_failover", "virtio_net"};
	struct rlimit files = {8192, 8192};

	mount("proc", "/proc", "proc", 0, "");
	mount("sysfs", "/sys", "sysfs", 0, "");
	mount("devtmpfs", "/dev", "devtmpfs", 0, "");
	(void)!symlink("/proc/self/fd", "/dev/fd");
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, "");
	mkdir("/tmp", 01777);
	mount("tmpfs", "/tmp", "tmpfs", 0, "");
	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		load(modules[i]);
	set_address(probe, "lo", "127.0.0.1");
	set_address(probe, "eth0", "10.0.2.15");
	close(probe);
}

/* One line, byte by byte: what follows it belongs to somebody else. */
static bool read_line(int stream, char *line, size_t size)
{
	size_t at = 0;

	while (at + 1 < size && read(stream, line + at, 1) == 1)
		if (line[at++] == '\n') {
			line[at - 1] = '\0';
			return true;
		}
	return false;
}

static bool read_all(int stream, char *bytes, size_t size)
{
	size_t at = 0;
	ssize_t got;

	while (at < size && (got = read(stream, bytes + at, size - at)) > 0)
		at += (size_t)got;
	return at == size;
}

static void write_text(const char *path, const char *text)
{
	char part[160];
	FILE *file;

	/* Whoever waits for the file must not see it half written. */
	snprintf(part, sizeof(part), "%s.part", path);
	file = fopen(part, "w");
	if (file != NULL) {
		fputs(text, file);
		fclose(file);
		rename(part, path);
	}
}

/* Ends all that this process has come to be the parent of. */
static void end_children(void)
{
	char path[64], text[4096];

	for (;;) {
		FILE *file;
		size_t size;

		snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
		file = fopen(path, "r");
		size = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
		if (file != NULL)
			fclose(file);
		text[size] = '\0';
		if (size == 0)
			return;
		for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " "))
			kill(atoi(word), SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0)
			;
	}
}

static void execute(int stream, const char *id, char **words, bool all)
{
	char path[96];
	int errors;

	snprintf(path, sizeof(path), "/tmp/%s.errors", id);
	errors = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	setsid();
	dup2(stream, 0);
	dup2(stream, 1);
	dup2(all ? stream : errors, 2);
	close(stream);
	close(errors);
	execv(words[0], words);
	fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static void run(int stream, const char *id, size_t size, bool all)
{
	static char bytes[WORDS_BYTES + 1];
	char *words[WORDS_MAX + 1] = {0}, path[96], text[32];
	unsigned count = 0;
	int status = 0;
	pid_t child;

	if (size > WORDS_BYTES || !read_all(stream, bytes, size))
		return;
	for (char *at = bytes; at < bytes + size && count < WORDS_MAX; at += strlen(at) + 1)
		words[count++] = at;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	child = fork();
	if (child == 0)
		execute(stream, id, words, all);
	/* Only the program may hold the connection: its end is the program's. */
	close(stream);
	snprintf(path, sizeof(path), "/tmp/%s.pid", id);
	snprintf(text, sizeof(text), "%d", child);
	write_text(path, text);
	while (waitpid(child, &status, 0) != child && errno == EINTR)
		;
	end_children();
	snprintf(path, sizeof(path), "/tmp/%s.status", id);
	snprintf(text, sizeof(text), "%d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	write_text(path, text);
}

static bool read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t got;

	if (file == NULL)
		return false;
	got = fread(text, 1, size - 1, file);
	fclose(file);
	text[got] = '\0';
	return true;
}

/* Polls: the process that waits for the program is another one than this. */
static void end(int stream, const char *id, int seconds)
{
	char path[96], text[32];
	bool killed = false;
	static char errors[65536];

	for (int turn = 0; turn < (seconds + 5) * 100; turn++) {
		snprintf(path, sizeof(path), "/tmp/%s.status", id);
		if (read_text(path, text, sizeof(text)))
			break;
		snprintf(path, sizeof(path), "/tmp/%s.pid", id);
		if (turn == seconds * 100 && read_text(path, text, sizeof(text))) {
			killed = true;
			kill(atoi(text), SIGKILL);
		}
		nanosleep(&(struct timespec){0, 10000000}, NULL);
		strcpy(text, "-1");
	}
	dprintf(stream, "%s\n", killed ? "-1" : text);
	snprintf(path, sizeof(path), "/tmp/%s.errors", id);
	if (read_text(path, errors, sizeof(errors)))
		dprintf(stream, "%s", errors);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const kinds[] = {"errors", "pid", "status"};

		snprintf(path, sizeof(path), "/tmp/%s.%s", id, kinds[i]);
		unlink(path);
	}
}

/* Whether there may be more. */
static bool copy(int from, int to)
{
	char bytes[65536];
	ssize_t size = read(from, bytes, sizeof(bytes)), done = 0;

	while (done < size) {
		ssize_t part = write(to, bytes + done, (size_t)(size - done));

		if (part <= 0)
			return false;
		done += part;
	}
	return size > 0;
}

static void relay(int stream, unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((in_port_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct pollfd both[2] = {{stream, POLLIN, 0}, {other, POLLIN, 0}};

	if (connect(other, (struct sockaddr *)&address, sizeof(address)) != 0)
		return;
	setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (poll(both, 2, -1) > 0)
		if ((both[0].revents != 0 && !copy(stream, other)) || (both[1].revents != 0 && !copy(other, stream)))
			return;
}

static void put(int stream, mode_t mode, size_t size, const char *path)
{
	int file;
	char bytes[65536];

	unlink(path);
	file = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);
	while (size > 0) {
		ssize_t part = read(stream, bytes, size < sizeof(bytes) ? size : sizeof(bytes));

		if (part <= 0 || write(file, bytes, (size_t)part) != part)
			return;
		size -= (size_t)part;
	}
	close(file);
	dprintf(stream, "done\n");
}

static void serve(int stream)
{
	char line[LINE_MAX_BYTES], word[64], path[256];
	unsigned long number;
	unsigned mode;
	int one = 1;

	setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (!read_line(stream, line, sizeof(line)))
		return;
	if (sscanf(line, "run %63s %lu", word, &number) == 2)
		run(stream, word, number, false);
	else if (sscanf(line, "say %63s %lu", word, &number) == 2)
		run(stream, word, number, true);
	else if (sscanf(line, "end %63s %lu", word, &number) == 2)
		end(stream, word, (int)number);
	else if (sscanf(line, "connect %lu", &number) == 1)
		relay(stream, (unsigned)number);
	else if (sscanf(line, "put %o %lu %255s", &mode, &number, path) == 3)
		put(stream, mode, number, path);
	else if (strcmp(line, "off") == 0)
		reboot(RB_POWER_OFF);
	else
		dprintf(stream, "not known: %s\n", line);
}

int main(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int listener, one = 1;

	prepare();
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("LC_ALL", "C", 1);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 64) != 0)
		die("listening");
	printf("the machine is ready\n");
	fflush(stdout);
	for (;;) {
		int stream = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (stream >= 0 && fork() == 0) {
			close(listener);
			serve(stream);
			_exit(0);
		}
		if (stream >= 0)
			close(stream);
	}
}

#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FORMS "HOST:PORT, :PORT, [IPv6]:PORT, unix:PATH, a device, or - for standard input and output"

union any_address {
	struct sockaddr plain;
	struct sockaddr_storage storage;
	struct sockaddr_un local;
};

static bool strip(const char **text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(*text, prefix, length) != 0)
		return false;
	*text += length;
	return true;
}

static enum tl_status parse_port(const char *text, tl_u16 *port_ret, struct tl_error *error)
{
	size_t length = strlen(text);

	if (length == 0 || length > 5 || strspn(text, "0123456789") != length || strtoul(text, NULL, 10) > 65535)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" is not a port: give a number from 0 to 65535", text);
	*port_ret = (tl_u16)strtoul(text, NULL, 10);
	return TL_OK;
}

static enum tl_status parse_tcp(const char *text, struct tl_address *address, struct tl_error *error)
{
	const char *host = text, *colon = strrchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;

	if (*text == '[') {
		host = text + 1;
		colon = strstr(text, "]:");
		if (colon == NULL)
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\": an IPv6 address is written [ADDRESS]:PORT",
				       text);
		length = (size_t)(colon - host);
		colon++;
	} else if (colon == NULL && (*text == '\0' || text[strspn(text, "0123456789")] != '\0')) {
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\" is not an address: give " FORMS, text);
	} else if (memchr(text, ':', length) != NULL && address->family != TL_FAMILY_6) {
		/* Behind "tcp6:" it can be nothing else, and the last colon stands before the port, as with gdb. */
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "\"%s\": an IPv6 address is written [ADDRESS]:PORT", text);
	}
	if (length >= sizeof(address->name))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the host name is longer than %zu characters",
			       sizeof(address->name) - 1);
	memcpy(address->name, host, length);
	return parse_port(colon != NULL ? colon + 1 : text, &address->port, error);
}

enum tl_status tl_address_parse(const char *text, struct tl_address *address_ret, struct tl_error *error)
{
	struct tl_address address = {.kind = TL_ADDRESS_TCP, .family = TL_FAMILY_ANY};
	enum tl_status status = TL_OK;
	const char *name = text;

	if (strcmp(text, "-") == 0 || strcmp(text, "stdio") == 0) {
		address.kind = TL_ADDRESS_STANDARD;
	} else if (*text == '/' || strip(&name, "unix:")) {
		address.kind = *text == '/' ? TL_ADDRESS_DEVICE : TL_ADDRESS_UNIX;
		if (*name == '\0')
			return TL_FAIL(error, TL_ERROR_ARGUMENT, "no path behind \"unix:\"");
		/* A path has one byte less than the kernel's array: its end is marked. */
		if (strlen(name) >= (address.kind == TL_ADDRESS_UNIX ? sizeof(((struct sockaddr_un *)0)->sun_path)
								     : sizeof(address.name)))
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "the path is too long: a Unix socket's may have 107 bytes, a device's 255");
		memcpy(address.name, name, strlen(name) + 1);
	} else {
		if (strip(&name, "tcp4:"))
			address.family = TL_FAMILY_4;
		else if (strip(&name, "tcp6:"))
			address.family = TL_FAMILY_6;
		else
			(void)strip(&name, "tcp:");
		status = parse_tcp(name, &address, error);
	}
	if (status == TL_OK)
		*address_ret = address;
	return status;
}

/* Writes a socket address as text; returns its port, 0 where there is none. */
static unsigned describe(const union any_address *at, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "?";
	unsigned port;

	if (at->plain.sa_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)at;

		port = ntohs(six->sin6_port);
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
		(void)snprintf(text, size, "[%s]:%u", host, port);
	} else {
		const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)at;

		port = ntohs(four->sin_port);
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		(void)snprintf(text, size, "%s:%u", host, port);
	}
	return port;
}

static enum tl_status resolve(const struct tl_address *address, struct addrinfo **list_ret, struct tl_error *error)
{
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_family = families[address->family],
				 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	const char *host = address->name;
	char port[8];
	int code;

	(void)snprintf(port, sizeof(port), "%u", address->port);
	if (strcmp(host, "*") == 0) {
		host = NULL;
		if (address->family == TL_FAMILY_ANY)
			hints.ai_family = AF_INET;
	} else if (*host == '\0' || strcmp(host, "localhost") == 0) {
		/* One address, so that the port that is printed is the whole truth. */
		host = address->family == TL_FAMILY_6 ? "::1" : "127.0.0.1";
	}
	code = getaddrinfo(host, port, &hints, list_ret);
	if (code != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "cannot resolve the host \"%s\": %s", address->name,
			       code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
	return TL_OK;
}

static int listen_at(const struct sockaddr *at, socklen_t size)
{
	int descriptor = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, saved;

	if (descriptor < 0)
		return -1;
	if (at->sa_family != AF_UNIX)
		(void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(descriptor, at, size) == 0 && listen(descriptor, 16) == 0)
		return descriptor;
	saved = errno;
	close(descriptor);
	errno = saved;
	return -1;
}

static enum tl_status cannot_listen(const char *where, struct tl_error *error)
{
	const char *hint = errno == EADDRINUSE ? " (another program listens there: choose another port, or 0 for any)"
			   : errno == EADDRNOTAVAIL ? " (not an address of this machine)"
			   : errno == EACCES        ? " (ports below 1024 are for root)"
						    : "";

	return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot listen at %s%s", where, hint);
}

static enum tl_status listen_tcp(struct tl_listener *listener, struct tl_error *error)
{
	struct addrinfo *list;
	union any_address at = {.storage = {.ss_family = AF_UNSPEC}};
	socklen_t size = sizeof(at);

	TL_TRY(resolve(&listener->address, &list, error));
	for (struct addrinfo *each = list; each != NULL && listener->descriptor < 0; each = each->ai_next) {
		memcpy(&at, each->ai_addr, each->ai_addrlen);
		listener->descriptor = listen_at(each->ai_addr, each->ai_addrlen);
	}
	if (listener->descriptor < 0) {
		describe(&at, listener->text, sizeof(listener->text));
		(void)cannot_listen(listener->text, error);
		freeaddrinfo(list);
		return TL_ERROR_SYSTEM;
	}
	freeaddrinfo(list);
	if (getsockname(listener->descriptor, &at.plain, &size) == 0)
		listener->address.port = (tl_u16)describe(&at, listener->text, sizeof(listener->text));
	return TL_OK;
}

/* True when a socket file is left over from a server that is gone: nobody answers behind it. */
static bool is_stale(const union any_address *at, socklen_t size)
{
	struct stat status;
	int descriptor;
	bool stale;

	if (lstat(at->local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return false;
	descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return false;
	stale = connect(descriptor, &at->plain, size) != 0 && errno == ECONNREFUSED;
	close(descriptor);
	return stale;
}

static enum tl_status listen_unix(struct tl_listener *listener, struct tl_error *error)
{
	const char *path = listener->address.name;
	union any_address at = {.local.sun_family = AF_UNIX};
	size_t length = strlen(path);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	struct stat status;
	mode_t mask;

	(void)snprintf(listener->text, sizeof(listener->text), "unix:%s", path);
	memcpy(at.local.sun_path, path, length);
	if (*path == '@')
		at.local.sun_path[0] = '\0';
	else
		size++;
	/* The file must never be open to others, not even between bind and a chmod. */
	mask = umask(0077);
	listener->descriptor = listen_at(&at.plain, size);
	if (listener->descriptor < 0 && errno == EADDRINUSE && *path != '@') {
		if (is_stale(&at, size) && unlink(path) == 0)
			listener->descriptor = listen_at(&at.plain, size);
		else
			errno = EADDRINUSE;
	}
	umask(mask);
	if (listener->descriptor < 0 && errno == EADDRINUSE)
		return TL_FAIL_ERRNO(
			error, TL_ERROR_SYSTEM,
			"cannot listen at %s (the file exists, or another program listens there: remove it, "
			"or choose another path)",
			listener->text);
	if (listener->descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot listen at %s", listener->text);
	if (*path != '@' && stat(path, &status) == 0) {
		listener->device = status.st_dev;
		listener->inode = status.st_ino;
	}
	return TL_OK;
}

enum tl_status tl_listener_open(const struct tl_address *address, struct tl_listener *listener_ret,
				struct tl_error *error)
{
	struct tl_listener listener = {.descriptor = -1, .address = *address};
	enum tl_status status = TL_ERROR_ARGUMENT;

	switch (address->kind) {
	case TL_ADDRESS_TCP:
		status = listen_tcp(&listener, error);
		break;
	case TL_ADDRESS_UNIX:
		status = listen_unix(&listener, error);
		break;
	case TL_ADDRESS_STANDARD:
	case TL_ADDRESS_DEVICE:
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "standard input and devices are opened, not listened on: give HOST:PORT or unix:PATH");
	}
	if (status == TL_OK)
		*listener_ret = listener;
	return status;
}

void tl_listener_close(struct tl_listener *listener)
{
	struct stat status;

	if (listener->descriptor < 0)
		return;
	close(listener->descriptor);
	listener->descriptor = -1;
	if (listener->inode != 0 && lstat(listener->address.name, &status) == 0 && status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		(void)unlink(listener->address.name);
}

static enum tl_status check_peer(int descriptor, char *peer, size_t size, struct tl_error *error)
{
	struct ucred who;
	socklen_t length = sizeof(who);

	if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_PERMISSION, "cannot tell who connects; turned away");
	(void)snprintf(peer, size, "process %d", who.pid);
	if (who.uid != geteuid() && who.uid != 0)
		return TL_FAIL(error, TL_ERROR_PERMISSION,
			       "process %d of user %u turned away: only user %u and root may connect", who.pid, who.uid,
			       geteuid());
	return TL_OK;
}

enum tl_status tl_listener_accept(struct tl_listener *listener, int *descriptor_ret, char *peer_ret, tl_size size,
				  struct tl_error *error)
{
	union any_address at = {.storage = {.ss_family = AF_UNSPEC}};
	socklen_t length = sizeof(at);
	int one = 1, descriptor;
	enum tl_status status;

	descriptor = accept4(listener->descriptor, &at.plain, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (descriptor < 0 && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR))
		return TL_FAIL(error, TL_ERROR_TIMEOUT, "the connection was given up before it was taken");
	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot take a connection at %s", listener->text);
	if (listener->address.kind == TL_ADDRESS_UNIX) {
		status = check_peer(descriptor, peer_ret, size, error);
		if (status != TL_OK) {
			close(descriptor);
			return status;
		}
	} else {
		/* A packet is a whole: it must not wait for the acknowledgement of the one before. */
		(void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
		describe(&at, peer_ret, size);
	}
	*descriptor_ret = descriptor;
	return TL_OK;
}

static bool set_nonblocking(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);

	return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}

enum tl_status tl_standard_open(int *input_ret, int *output_ret, struct tl_error *error)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	int input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	enum tl_status status = TL_OK;

	if (nothing < 0 || input < 0 || output < 0 || !set_nonblocking(input) || !set_nonblocking(output) ||
	    dup2(nothing, STDIN_FILENO) < 0 ||
	    (dup2(STDERR_FILENO, STDOUT_FILENO) < 0 && dup2(nothing, STDOUT_FILENO) < 0))
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot take over standard input and output");
	if (nothing >= 0)
		close(nothing);
	if (status == TL_OK) {
		*input_ret = input;
		*output_ret = output;
		return TL_OK;
	}
	if (input >= 0)
		close(input);
	if (output >= 0)
		close(output);
	return status;
}

static const struct {
	tl_u32 baud;
	speed_t speed;
} speeds[] = {
	{1200, B1200},       {2400, B2400},       {4800, B4800},       {9600, B9600},
	{19200, B19200},     {38400, B38400},     {57600, B57600},     {115200, B115200},
	{230400, B230400},   {460800, B460800},   {921600, B921600},   {1000000, B1000000},
	{1500000, B1500000}, {2000000, B2000000}, {3000000, B3000000}, {4000000, B4000000},
};

static bool find_speed(tl_u32 baud, speed_t *speed_ret)
{
	for (tl_size i = 0; i < TL_COUNT(speeds); i++) {
		if (speeds[i].baud == baud) {
			*speed_ret = speeds[i].speed;
			return true;
		}
	}
	return false;
}

bool tl_device_speed_is_known(tl_u32 baud)
{
	speed_t speed;

	return find_speed(baud, &speed);
}

enum tl_status tl_device_open(const char *path, tl_u32 baud, int *descriptor_ret, struct tl_error *error)
{
	int descriptor = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios line;
	struct stat status;

	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the device %s", path);
	if (fstat(descriptor, &status) != 0 || !S_ISCHR(status.st_mode)) {
		close(descriptor);
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s is not a device: give " FORMS, path);
	}
	if (tcgetattr(descriptor, &line) == 0) {
		speed_t speed;

		cfmakeraw(&line);
		if (baud != 0 && find_speed(baud, &speed))
			(void)cfsetspeed(&line, speed);
		line.c_cflag |= CLOCAL | CREAD;
		if (tcsetattr(descriptor, TCSANOW, &line) != 0) {
			(void)TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot set up the line %s", path);
			close(descriptor);
			return TL_ERROR_SYSTEM;
		}
	}
	*descriptor_ret = descriptor;
	return TL_OK;
}

/* ---- Going somewhere ---- */

static tl_u64 clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000 + (tl_u64)now.tv_nsec / 1000000;
}

/* Waits until a connection that was begun is there, or not; sets errno. */
static bool await_connection(int descriptor, tl_u64 deadline)
{
	struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
	int code = ETIMEDOUT;
	socklen_t size = sizeof(code);

	for (;;) {
		tl_u64 now = clock_now();
		int count = poll(&ready, 1, now < deadline ? (int)(deadline - now) : 0);

		if (count < 0 && errno == EINTR)
			continue;
		if (count > 0 && getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
			code = errno;
		errno = code;
		return count > 0 && code == 0;
	}
}

/* -1 with errno. */
static int connect_to(const struct sockaddr *at, socklen_t size, tl_u64 deadline)
{
	int descriptor = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, saved;

	if (descriptor < 0)
		return -1;
	if (at->sa_family != AF_UNIX) {
		(void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		(void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	}
	if (connect(descriptor, at, size) == 0 || (errno == EINPROGRESS && await_connection(descriptor, deadline)))
		return descriptor;
	saved = errno;
	close(descriptor);
	errno = saved;
	return -1;
}

static enum tl_status cannot_connect(const char *where, struct tl_error *error)
{
	if (errno == ETIMEDOUT)
		return TL_FAIL(error, TL_ERROR_TIMEOUT, "cannot connect to %s: nobody answered in time", where);
	return TL_FAIL_ERRNO(
		error, TL_ERROR_SYSTEM, "cannot connect to %s%s", where,
		errno == ECONNREFUSED || errno == ENOENT ? " (nobody listens there: start the server first)" : "");
}

static enum tl_status connect_tcp(const struct tl_address *address, tl_u64 deadline, int *descriptor_ret,
				  struct tl_error *error)
{
	union any_address at = {.storage = {.ss_family = AF_UNSPEC}};
	char where[320] = "";
	struct addrinfo *list;
	int descriptor = -1, saved;

	if (strcmp(address->name, "*") == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "* is where to listen, not where to connect: give HOST:PORT");
	TL_TRY(resolve(address, &list, error));
	errno = EADDRNOTAVAIL;
	for (struct addrinfo *each = list; each != NULL && descriptor < 0; each = each->ai_next) {
		memcpy(&at, each->ai_addr, each->ai_addrlen);
		descriptor = connect_to(each->ai_addr, each->ai_addrlen, deadline);
	}
	saved = errno;
	freeaddrinfo(list);
	describe(&at, where, sizeof(where));
	errno = saved;
	if (descriptor < 0)
		return cannot_connect(where, error);
	*descriptor_ret = descriptor;
	return TL_OK;
}

static enum tl_status connect_unix(const struct tl_address *address, tl_u64 deadline, int *descriptor_ret,
				   struct tl_error *error)
{
	union any_address at = {.local.sun_family = AF_UNIX};
	size_t length = strlen(address->name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	int descriptor;

	memcpy(at.local.sun_path, address->name, length);
	if (address->name[0] == '@')
		at.local.sun_path[0] = '\0';
	else
		size++;
	descriptor = connect_to(&at.plain, size, deadline);
	if (descriptor < 0)
		return cannot_connect(address->name, error);
	*descriptor_ret = descriptor;
	return TL_OK;
}

enum tl_status tl_address_connect(const struct tl_address *address, tl_u64 milliseconds, int *descriptor_ret,
				  struct tl_error *error)
{
	tl_u64 deadline = clock_now() + milliseconds;

	switch (address->kind) {
	case TL_ADDRESS_TCP:
		return connect_tcp(address, deadline, descriptor_ret, error);
	case TL_ADDRESS_UNIX:
		return connect_unix(address, deadline, descriptor_ret, error);
	case TL_ADDRESS_STANDARD:
	case TL_ADDRESS_DEVICE:
		break;
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT,
		       "cannot connect to standard input or a device: give HOST:PORT or unix:PATH");
}

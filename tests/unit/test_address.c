#include "base/address.h"
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct tl_address address;
static struct tl_error error;

static bool parses(const char *text)
{
	memset(&address, 0xee, sizeof(address));
	memset(&error, 0, sizeof(error));
	return tl_address_parse(text, &address, &error) == TL_OK;
}

static bool refused(const char *text, const char *reason)
{
	bool good = !parses(text) && error.status == TL_ERROR_ARGUMENT && strstr(error.text, reason) != NULL;

	if (!good)
		printf("  \"%s\": \"%s\", wanted \"%s\"\n", text, error.text, reason);
	return good;
}

TEST(forms_of_an_address)
{
	REQUIRE(parses("127.0.0.1:2345"));
	CHECK(address.kind == TL_ADDRESS_TCP && address.port == 2345 && address.family == TL_FAMILY_ANY);
	CHECK_TEXT(address.name, "127.0.0.1");
	REQUIRE(parses(":0"));
	CHECK(address.kind == TL_ADDRESS_TCP && address.port == 0);
	CHECK_TEXT(address.name, "");
	REQUIRE(parses("65535"));
	CHECK(address.kind == TL_ADDRESS_TCP && address.port == 65535);
	CHECK_TEXT(address.name, "");
	REQUIRE(parses("[::1]:99"));
	CHECK(address.kind == TL_ADDRESS_TCP && address.port == 99);
	CHECK_TEXT(address.name, "::1");
	REQUIRE(parses("tcp6:[fe80::1]:99"));
	CHECK(address.family == TL_FAMILY_6);
	REQUIRE(parses("tcp4:host.example:99"));
	CHECK(address.family == TL_FAMILY_4);
	CHECK_TEXT(address.name, "host.example");
	REQUIRE(parses("tcp::99"));
	CHECK_TEXT(address.name, "");
	REQUIRE(parses("unix:/run/a:b"));
	CHECK(address.kind == TL_ADDRESS_UNIX);
	CHECK_TEXT(address.name, "/run/a:b");
	REQUIRE(parses("-"));
	CHECK(address.kind == TL_ADDRESS_STANDARD);
	REQUIRE(parses("stdio"));
	CHECK(address.kind == TL_ADDRESS_STANDARD);
	REQUIRE(parses("/dev/ttyS0"));
	CHECK(address.kind == TL_ADDRESS_DEVICE);
	CHECK_TEXT(address.name, "/dev/ttyS0");
}

TEST(what_is_no_address_is_refused_with_a_reason)
{
	char text[600];

	CHECK(refused("", "HOST:PORT"));
	CHECK(refused("program", "HOST:PORT"));
	CHECK(refused(":", "is not a port"));
	CHECK(refused("host:", "is not a port"));
	CHECK(refused(":65536", "from 0 to 65535"));
	CHECK(refused(":-1", "is not a port"));
	CHECK(refused(":+1", "is not a port"));
	CHECK(refused(": 1", "is not a port"));
	CHECK(refused(":0x10", "is not a port"));
	CHECK(refused(":000001", "is not a port"));
	CHECK(refused("99999999999999999999", "is not a port"));
	CHECK(refused("::1:99", "[ADDRESS]:PORT"));
	CHECK(refused("[::1]", "[ADDRESS]:PORT"));
	CHECK(refused("[::1", "[ADDRESS]:PORT"));
	CHECK(refused("[::1]99", "[ADDRESS]:PORT"));
	CHECK(refused("unix:", "no path"));
	memset(text, 'x', sizeof(text));
	strcpy(text + 500, ":1");
	CHECK(refused(text, "longer than 255"));
	memcpy(text, "unix:/", 6);
	text[5 + 108] = '\0';
	CHECK(refused(text, "107 bytes"));
	text[5 + 107] = '\0';
	CHECK(parses(text));
	memset(text, '/', 300);
	text[300] = '\0';
	CHECK(refused(text, "too long"));
}

static struct tl_listener listener;

static bool opens(const char *text)
{
	memset(&error, 0, sizeof(error));
	listener.descriptor = -1;
	return parses(text) && tl_listener_open(&address, &listener, &error) == TL_OK;
}

static int connect_tcp(const char *host, unsigned port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int descriptor = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, host, &at.sin_addr);
	if (connect(descriptor, (struct sockaddr *)&at, sizeof(at)) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

static int connect_unix(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t length = strlen(path);

	memcpy(at.sun_path, path, length);
	if (*path == '@')
		at.sun_path[0] = '\0';
	if (connect(descriptor, (struct sockaddr *)&at,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (*path != '@'))) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

static bool is_private(int descriptor)
{
	return (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(descriptor, F_GETFL) & O_NONBLOCK) != 0;
}

TEST(a_port_alone_is_loopback_and_the_chosen_one_is_told)
{
	char peer[64], expected[64];
	int client, server;

	REQUIRE(opens(":0"));
	CHECK(listener.address.port != 0);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u", listener.address.port);
	CHECK_TEXT(listener.text, expected);
	CHECK(is_private(listener.descriptor));
	CHECK_EQUAL(tl_listener_accept(&listener, &server, peer, sizeof(peer), &error), TL_ERROR_TIMEOUT);
	/* The whole of 127.0.0.0/8 reaches this machine, but only one address of it was asked for. */
	CHECK(connect_tcp("127.0.0.2", listener.address.port) < 0);
	client = connect_tcp("127.0.0.1", listener.address.port);
	REQUIRE(client >= 0);
	REQUIRE(poll(&(struct pollfd){listener.descriptor, POLLIN, 0}, 1, 10000) == 1);
	REQUIRE(tl_listener_accept(&listener, &server, peer, sizeof(peer), &error) == TL_OK);
	CHECK(is_private(server));
	CHECK(strncmp(peer, "127.0.0.1:", 10) == 0);
	close(server);
	close(client);
	tl_listener_close(&listener);
	CHECK(listener.descriptor == -1);
	tl_listener_close(&listener);
}

TEST(the_host_part_is_obeyed)
{
	int client;

	REQUIRE(opens("127.0.0.2:0"));
	CHECK(strncmp(listener.text, "127.0.0.2:", 10) == 0);
	CHECK(connect_tcp("127.0.0.1", listener.address.port) < 0);
	client = connect_tcp("127.0.0.2", listener.address.port);
	CHECK(client >= 0);
	close(client);
	tl_listener_close(&listener);
	REQUIRE(opens("*:0"));
	CHECK(strncmp(listener.text, "0.0.0.0:", 8) == 0);
	client = connect_tcp("127.0.0.3", listener.address.port);
	CHECK(client >= 0);
	close(client);
	tl_listener_close(&listener);
}

TEST(a_busy_address_is_an_error_that_says_so)
{
	struct tl_listener first;
	char text[64];

	REQUIRE(opens("localhost:0"));
	first = listener;
	snprintf(text, sizeof(text), ":%u", first.address.port);
	CHECK(!opens(text));
	CHECK_EQUAL(error.system, EADDRINUSE);
	CHECK(strstr(error.text, "another program listens there") != NULL);
	tl_listener_close(&first);
	CHECK(opens(text));
	tl_listener_close(&listener);
	/* 192.0.2.0/24 is for documentation (RFC 5737): nobody's address. */
	CHECK(!opens("192.0.2.1:0"));
	CHECK(strstr(error.text, "not an address of this machine") != NULL);
	CHECK(!opens("tcp4:[::1]:0"));
	CHECK(strstr(error.text, "cannot resolve the host \"::1\"") != NULL);
}

static char directory[] = "/tmp/trapline-address-XXXXXX";
static char path[64], unix_text[80];

static bool make_path(void)
{
	if (path[0] == '\0') {
		if (mkdtemp(directory) == NULL)
			return false;
		snprintf(path, sizeof(path), "%s/socket", directory);
		snprintf(unix_text, sizeof(unix_text), "unix:%s", path);
	}
	return true;
}

__attribute__((destructor)) static void clean(void)
{
	unlink(path);
	rmdir(directory);
}

TEST(a_unix_socket_is_private_and_leaves_with_its_server)
{
	char peer[64], expected[64];
	struct stat status;
	int client, server;

	REQUIRE(make_path() && opens(unix_text));
	CHECK_TEXT(listener.text, unix_text);
	CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
	client = connect_unix(path);
	REQUIRE(client >= 0 && tl_listener_accept(&listener, &server, peer, sizeof(peer), &error) == TL_OK);
	CHECK(is_private(server));
	snprintf(expected, sizeof(expected), "process %d", getpid());
	CHECK_TEXT(peer, expected);
	close(client);
	close(server);
	tl_listener_close(&listener);
	CHECK(stat(path, &status) != 0);
}

TEST(a_left_over_socket_file_is_replaced_and_a_living_one_is_not)
{
	struct tl_listener first;
	struct stat status;
	FILE *file;

	REQUIRE(make_path() && opens(unix_text));
	first = listener;
	CHECK(!opens(unix_text));
	CHECK_EQUAL(error.system, EADDRINUSE);
	close(first.descriptor);
	REQUIRE(opens(unix_text));
	/* What stands there now is not the first one's to remove. */
	first.descriptor = dup(0);
	first.inode++;
	tl_listener_close(&first);
	CHECK(stat(path, &status) == 0);
	tl_listener_close(&listener);
	file = fopen(path, "w");
	REQUIRE(file != NULL);
	fclose(file);
	CHECK(!opens(unix_text));
	CHECK(strstr(error.text, "the file exists") != NULL);
	CHECK(stat(path, &status) == 0 && S_ISREG(status.st_mode));
	unlink(path);
	CHECK(!opens("unix:/nonexistent/socket"));
	CHECK(strstr(error.text, "No such file") != NULL);
}

TEST(an_abstract_name)
{
	char text[64], peer[64];
	int client, server;

	snprintf(text, sizeof(text), "unix:@trapline-test-%d", getpid());
	REQUIRE(opens(text));
	client = connect_unix(text + strlen("unix:"));
	REQUIRE(client >= 0 && tl_listener_accept(&listener, &server, peer, sizeof(peer), &error) == TL_OK);
	close(client);
	close(server);
	tl_listener_close(&listener);
}

/* Needs root, to become somebody else; anybody else can but connect to himself, which the tests above do. */
TEST(another_user_is_turned_away)
{
	char peer[64], text[64];
	int server, status = -1, ready[2];
	pid_t child;

	if (getuid() != 0)
		return;
	snprintf(text, sizeof(text), "unix:@trapline-other-%d", getpid());
	REQUIRE(opens(text) && pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		int client = setuid(65534) == 0 ? connect_unix(text + strlen("unix:")) : -1;
		char byte;

		close(ready[1]);
		_exit(client < 0 || read(client, &byte, 1) != 0);
	}
	REQUIRE(poll(&(struct pollfd){listener.descriptor, POLLIN, 0}, 1, 10000) == 1);
	CHECK_EQUAL(tl_listener_accept(&listener, &server, peer, sizeof(peer), &error), TL_ERROR_PERMISSION);
	CHECK(strstr(error.text, "of user 65534 turned away") != NULL);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(ready[0]);
	close(ready[1]);
	tl_listener_close(&listener);
}

TEST(standard_input_and_devices_cannot_listen)
{
	CHECK(!opens("-"));
	CHECK(strstr(error.text, "HOST:PORT") != NULL);
	CHECK(!opens("/dev/null"));
}

TEST(standard_input_and_output_move_out_of_the_way)
{
	int status = -1, ends[2];
	pid_t child;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	child = fork();
	if (child == 0) {
		int input, output;
		char byte;

		dup2(ends[1], 0);
		dup2(ends[1], 1);
		if (tl_standard_open(&input, &output, &error) != TL_OK)
			_exit(1);
		if (!is_private(input) || !is_private(output) || input < 3 || output < 3)
			_exit(2);
		if (read(0, &byte, 1) != 0)
			_exit(3);
		_exit(write(output, "+", 1) == 1 && read(input, &byte, 1) == 1 && byte == '$' ? 0 : 4);
	}
	CHECK(write(ends[0], "$", 1) == 1);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK_EQUAL(WEXITSTATUS(status), 0);
	close(ends[0]);
	close(ends[1]);
}

TEST(a_serial_line_passes_bytes_as_they_are)
{
	int master, slave, line;
	char name[64], got[4];

	REQUIRE(openpty(&master, &slave, name, NULL, NULL) == 0);
	REQUIRE(tl_device_open(name, 0, &line, &error) == TL_OK);
	CHECK(is_private(line));
	CHECK(write(master, "\003\r$", 3) == 3);
	REQUIRE(poll(&(struct pollfd){line, POLLIN, 0}, 1, 10000) == 1);
	CHECK(read(line, got, sizeof(got)) == 3 && memcmp(got, "\003\r$", 3) == 0);
	close(line);
	close(slave);
	close(master);
	CHECK_EQUAL(tl_device_open("/nonexistent", 0, &line, &error), TL_ERROR_SYSTEM);
	CHECK_EQUAL(tl_device_open("/etc/passwd", 0, &line, &error), TL_ERROR_ARGUMENT);
	CHECK(strstr(error.text, "is not a device") != NULL);
}

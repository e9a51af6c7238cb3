/* Where a served machine's serial port leads: the keys of a terminal, and a socket that one at a time is at. */
#include "frontends/serial_port.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char commands[32];

static void note(void *context, tl_u8 key)
{
	size_t size = strlen(commands);

	(void)context;
	commands[size] = (char)key;
	commands[size + 1] = '\0';
}

static void keys(const char *typed, bool *escaped, const char *kept, const char *obeyed)
{
	tl_u8 bytes[64];
	tl_size size;

	commands[0] = '\0';
	size = tl_serial_keys((const tl_u8 *)typed, strlen(typed), escaped, bytes, note, NULL);
	CHECK_EQUAL(size, strlen(kept));
	CHECK(memcmp(bytes, kept, size) == 0);
	CHECK(strcmp(commands, obeyed) == 0);
}

TEST(all_keys_but_one_are_the_guests)
{
	bool escaped = false;

	keys("ls\r", &escaped, "ls\r", "");
	keys("\x03\x1a\x1c\x11", &escaped, "\x03\x1a\x1c\x11", "");
	keys("a\001xb", &escaped, "ab", "x");
	keys("\001\001", &escaped, "\001", "");
	keys("\001\001\001h", &escaped, "\001", "h");
	CHECK(!escaped);
	/* What belongs together may come apart. */
	keys("a\001", &escaped, "a", "");
	CHECK(escaped);
	keys("xb", &escaped, "b", "x");
	CHECK(!escaped);
}

struct remarks {
	char text[1000];
};

static void remark(void *context, const char *line)
{
	struct remarks *remarks = context;
	size_t size = strlen(remarks->text);

	(void)snprintf(remarks->text + size, sizeof(remarks->text) - size, "%s\n", line);
}

/* Turns the loop until what is read from a descriptor, which does not block, is that. */
static bool comes(struct tl_loop *loop, int descriptor, const char *wanted)
{
	char bytes[64] = "";
	size_t size = 0;

	for (int turn = 0; turn < 200 && size < strlen(wanted); turn++) {
		ssize_t got = read(descriptor, bytes + size, sizeof(bytes) - size);

		if (got > 0)
			size += (size_t)got;
		else if (tl_loop_turn(loop, 50, NULL) != TL_OK)
			return false;
	}
	return size == strlen(wanted) && memcmp(bytes, wanted, size) == 0;
}

static bool is_said(struct tl_loop *loop, const struct remarks *remarks, const char *wanted)
{
	for (int turn = 0; turn < 200 && strstr(remarks->text, wanted) == NULL; turn++)
		if (tl_loop_turn(loop, 50, NULL) != TL_OK)
			return false;
	return strstr(remarks->text, wanted) != NULL;
}

static int call(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return descriptor;
}

TEST(a_socket_is_for_one_after_another)
{
	struct remarks remarks = {.text = ""};
	struct tl_machine_ends ends = {.input = -1, .output = -1, .remark = remark, .context = &remarks};
	char folder[] = "/tmp/serial-port-XXXXXX", path[64], where[80];
	struct tl_serial_port *port;
	struct tl_error error = {.text = ""};
	struct tl_loop *loop;
	int one, other;

	REQUIRE(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	(void)snprintf(where, sizeof(where), "unix:%s", path);
	REQUIRE(tl_loop_create(&loop, &error) == TL_OK);
	REQUIRE(tl_serial_port_open(loop, where, &ends, &port, &error) == TL_OK);
	CHECK(strstr(remarks.text, "The serial port is at unix:") != NULL);
	(void)fcntl(ends.input, F_SETFL, O_NONBLOCK);
	/* Nobody is there: lost, and nobody waits. */
	CHECK_EQUAL(write(ends.output, "lost", 4), 4);
	for (int turn = 0; turn < 3; turn++)
		CHECK_EQUAL(tl_loop_turn(loop, 0, &error), TL_OK);
	one = call(path);
	other = call(path);
	REQUIRE(one >= 0 && other >= 0);
	CHECK(is_said(loop, &remarks, " is at the serial port."));
	CHECK_EQUAL(write(ends.output, "to one", 6), 6);
	CHECK(comes(loop, one, "to one"));
	CHECK_EQUAL(write(one, "from one\x03", 9), 9);
	CHECK(comes(loop, ends.input, "from one\x03"));
	CHECK_EQUAL(write(other, "from other", 10), 10);
	(void)close(one);
	CHECK(is_said(loop, &remarks, "Nobody is at the serial port any more."));
	CHECK(comes(loop, ends.input, "from other"));
	(void)close(other);
	tl_serial_port_close(port);
	tl_loop_destroy(loop);
	CHECK(access(path, F_OK) != 0);
	CHECK_EQUAL(rmdir(folder), 0);
}

/* A file that is sent to a guest that does not read yet, then does. */
TEST(what_is_sent_waits_for_the_guest)
{
	enum { SENT = 4 << 20 };
	struct remarks remarks = {.text = ""};
	struct tl_machine_ends ends = {.input = -1, .output = -1, .remark = remark, .context = &remarks};
	char folder[] = "/tmp/serial-port-XXXXXX", path[64], where[80];
	static tl_u8 bytes[65536], got[65536];
	size_t sent = 0, come = 0;
	struct tl_serial_port *port;
	struct tl_error error = {.text = ""};
	struct tl_loop *loop;
	bool same = true;
	int one;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (tl_u8)(i % 251);
	REQUIRE(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	(void)snprintf(where, sizeof(where), "unix:%s", path);
	REQUIRE(tl_loop_create(&loop, &error) == TL_OK);
	REQUIRE(tl_serial_port_open(loop, where, &ends, &port, &error) == TL_OK);
	(void)fcntl(ends.input, F_SETFL, O_NONBLOCK);
	one = call(path);
	REQUIRE(one >= 0);
	/* The guest reads only when nothing more can be sent. */
	for (int idle = 0; come < SENT && idle < 200;) {
		size_t at = sent % sizeof(bytes);
		ssize_t done = sent < SENT ? write(one, bytes + at, sizeof(bytes) - at) : -1;

		sent += done > 0 ? (size_t)done : 0;
		CHECK_EQUAL(tl_loop_turn(loop, 0, &error), TL_OK);
		if (done > 0)
			continue;
		done = read(ends.input, got, sizeof(got));
		for (ssize_t i = 0; i < done; i++)
			same &= got[i] == (come + (size_t)i) % sizeof(bytes) % 251;
		come += done > 0 ? (size_t)done : 0;
		idle = done > 0 ? 0 : idle + 1;
	}
	CHECK_EQUAL(come, SENT);
	CHECK(same);
	(void)close(one);
	tl_serial_port_close(port);
	tl_loop_destroy(loop);
	CHECK_EQUAL(rmdir(folder), 0);
}

TEST(other_places_are_the_machines_own)
{
	struct tl_machine_ends ends = {.input = -1, .output = -1, .remark = remark};
	struct tl_serial_port *port;
	struct tl_error error = {.text = ""};
	struct tl_loop *loop;

	REQUIRE(tl_loop_create(&loop, &error) == TL_OK);
	REQUIRE(tl_serial_port_open(loop, "none", &ends, &port, &error) == TL_OK);
	CHECK(ends.input == -1 && ends.output == -1 && ends.terminal == NULL);
	tl_serial_port_close(port);
	REQUIRE(tl_serial_port_open(loop, "/dev/pts/7", &ends, &port, &error) == TL_OK);
	CHECK(ends.terminal != NULL && strcmp(ends.terminal, "/dev/pts/7") == 0);
	tl_serial_port_close(port);
	CHECK(tl_serial_port_open(loop, "tcp:nonsense", &ends, &port, &error) != TL_OK);
	CHECK(error.text[0] != '\0');
	tl_serial_port_close(NULL);
	tl_loop_destroy(loop);
}

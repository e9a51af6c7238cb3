#include "frontends/cli/writing.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* Milliseconds between two looks at the signals. */
#define TICK 100
/*
 * So much goes into a pipe, and nearly always into a terminal, that says that there is room: what blocks in the kernel
 * hears of no signal.
 */
#define PIECE ((tl_size)512)

static bool is_to_leave(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 ||
					     sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGHUP) == 1);
}

/* Until there is room. A reader that is gone is found out by writing. */
static bool wait_for_room(int descriptor)
{
	struct pollfd room = {.fd = descriptor, .events = POLLOUT};

	for (;;) {
		int count = poll(&room, 1, TICK);

		if (count > 0)
			return (room.revents & POLLNVAL) == 0;
		if ((count < 0 && errno != EINTR) || is_to_leave())
			return false;
	}
}

bool tl_write_patiently(int descriptor, const char *bytes, tl_size size)
{
	while (size > 0) {
		ssize_t done;

		if (!wait_for_room(descriptor))
			return false;
		done = write(descriptor, bytes, size < PIECE ? size : PIECE);
		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		size -= (tl_size)done;
	}
	return true;
}

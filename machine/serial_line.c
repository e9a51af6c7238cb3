#include "machine/serial_line.h"

#include "base/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SLOW_NANOSECONDS 10000000
#define NANOSECONDS 1000000000
#define WAITS_MAX 100 /* a second */

/* ---- From the machine ---- */

/*
 * For at most 10 ms, and not again and again: a machine that is to stop must not hang on a terminal that nobody reads,
 * and one that sends a lot at once holds a lock meanwhile.
 */
static void wait_for_room(struct tl_serial_line *line)
{
	struct timespec until = {0};

	if (line->waits >= WAITS_MAX)
		return;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += SLOW_NANOSECONDS;
	until.tv_sec += until.tv_nsec / NANOSECONDS;
	until.tv_nsec %= NANOSECONDS;
	while (line->sent_count >= TL_SERIAL_SENT_MAX)
		if (pthread_cond_timedwait(&line->taken, &line->lock, &until) != 0) {
			line->waits++;
			return;
		}
}

void tl_serial_line_send(struct tl_serial_line *line, tl_u8 byte)
{
	const tl_u8 nothing = 0;
	bool tell;

	if (__atomic_load_n(&line->output, __ATOMIC_RELAXED) < 0)
		return;
	pthread_mutex_lock(&line->lock);
	if (line->sent_count >= TL_SERIAL_SENT_MAX)
		wait_for_room(line);
	if (line->sent_count < TL_SERIAL_SENT_MAX &&
	    tl_grow(tl_storage(), (void **)&line->sent, &line->sent_room, line->sent_count, 1))
		line->sent[line->sent_count++] = byte;
	else
		line->lost++;
	tell = !line->told;
	line->told = true;
	pthread_mutex_unlock(&line->lock);
	/* What cannot be told of now is told of with the next byte. */
	if (tell && tl_mailbox_post(line->mailbox, &nothing) != TL_OK) {
		pthread_mutex_lock(&line->lock);
		line->told = false;
		pthread_mutex_unlock(&line->lock);
	}
}

/* ---- The control thread ---- */

/* Writes what can be written now; the lock is held. False when nobody will ever take it. */
static bool write_some(struct tl_serial_line *line)
{
	struct pollfd ready = {line->output, POLLOUT, 0};
	ssize_t written;

	/* The descriptor is others' too, and blocks: so much a pipe takes when it says that it can be written to. */
	while (line->sent_count != 0 && poll(&ready, 1, 0) == 1) {
		written = write(line->output, line->sent, line->sent_count < PIPE_BUF ? line->sent_count : PIPE_BUF);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EAGAIN;
		line->sent_count -= (tl_size)written;
		line->waits = 0;
		tl_move(line->sent, line->sent + written, line->sent_count);
	}
	return true;
}

static void flush(struct tl_serial_line *line)
{
	pthread_mutex_lock(&line->lock);
	if (line->output < 0 || !write_some(line))
		line->sent_count = 0;
	/* What is left is written when the descriptor says so. */
	line->told = line->sent_count != 0;
	if (line->writable != NULL)
		(void)!tl_source_want(line->writable, line->sent_count != 0 ? TL_WRITABLE : 0, NULL);
	(void)pthread_cond_broadcast(&line->taken);
	pthread_mutex_unlock(&line->lock);
}

static void hear(void *context, struct tl_source *source)
{
	struct tl_serial_line *line = context;
	tl_u8 nothing;

	(void)source;
	while (tl_mailbox_take(line->mailbox, &nothing))
		;
	flush(line);
}

static void write_output(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	(void)source;
	(void)descriptor;
	(void)ready;
	flush(context);
}

void tl_serial_line_offer(struct tl_serial_line *line)
{
	tl_size took = line->typed_count != 0 ? line->receive(line->context, line->typed, line->typed_count) : 0;

	line->typed_count -= took;
	tl_move(line->typed, line->typed + took, line->typed_count);
	if (line->readable != NULL)
		(void)!tl_source_want(line->readable, line->typed_count < TL_SERIAL_TYPED_MAX ? TL_READABLE : 0, NULL);
}

static void read_input(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_serial_line *line = context;
	tl_size room = TL_SERIAL_TYPED_MAX - line->typed_count;
	ssize_t got = room != 0 ? read(descriptor, line->typed + line->typed_count, room) : 0;

	(void)ready;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 && room != 0) {
		tl_source_remove(source); /* no more will come */
		line->readable = NULL;
		return;
	}
	line->typed_count += (tl_size)got;
	tl_serial_line_offer(line);
}

/* ---- Opening ---- */

enum tl_status tl_serial_terminal_open(const char *path, int *descriptor_ret, int *other_ret, struct tl_error *error)
{
	struct termios settings;
	int other, descriptor = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (descriptor < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the terminal %s cannot be opened", path);
	if (tcgetattr(descriptor, &settings) == 0) {
		cfmakeraw(&settings);
		settings.c_oflag |= OPOST | ONLCR;
		(void)tcsetattr(descriptor, TCSANOW, &settings);
	}
	other = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	if (other < 0) {
		(void)close(descriptor);
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the terminal %s cannot be opened twice", path);
	}
	*descriptor_ret = descriptor;
	*other_ret = other;
	return TL_OK;
}

static void disconnect(struct tl_serial_line *line)
{
	int input = line->input, output = line->output;

	if (output >= 0)
		flush(line);
	tl_source_remove(line->readable);
	tl_source_remove(line->writable);
	line->readable = line->writable = NULL;
	__atomic_store_n(&line->output, -1, __ATOMIC_RELAXED);
	line->input = -1;
	if (line->own) {
		(void)close(input);
		(void)close(output);
	}
	line->own = false;
}

static enum tl_status add_sources(struct tl_serial_line *line, struct tl_error *error)
{
	if (line->input >= 0)
		TL_TRY(tl_loop_add_descriptor(line->loop, "serial input", line->input, TL_READABLE, read_input, line,
					      &line->readable, error));
	if (line->output >= 0 && line->output != line->input)
		TL_TRY(tl_loop_add_descriptor(line->loop, "serial output", line->output, 0, write_output, line,
					      &line->writable, error));
	return TL_OK;
}

static enum tl_status connect(struct tl_serial_line *line, int input, int output, const char *terminal,
			      struct tl_error *error)
{
	enum tl_status status;

	if (terminal != NULL) {
		TL_TRY(tl_serial_terminal_open(terminal, &input, &output, error));
		line->own = true;
	}
	line->input = input;
	__atomic_store_n(&line->output, output, __ATOMIC_RELAXED);
	status = add_sources(line, error);
	if (status != TL_OK)
		disconnect(line);
	return status;
}

enum tl_status tl_serial_line_set_terminal(struct tl_serial_line *line, const char *path, struct tl_error *error)
{
	disconnect(line);
	return connect(line, -1, -1, path, error);
}

enum tl_status tl_serial_line_open(struct tl_serial_line *line_ret, struct tl_loop *loop, int input, int output,
				   const char *terminal,
				   tl_size (*receive)(void *context, const tl_u8 *bytes, tl_size size), void *context,
				   struct tl_error *error)
{
	enum tl_status status;

	*line_ret = (struct tl_serial_line){
		.loop = loop, .input = -1, .output = -1, .receive = receive, .context = context};
	if (pthread_mutex_init(&line_ret->lock, NULL) != 0 || pthread_cond_init(&line_ret->taken, NULL) != 0) {
		line_ret->loop = NULL;
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a lock");
	}
	status = tl_mailbox_create(loop, "serial", 1, hear, line_ret, &line_ret->mailbox, error);
	if (status == TL_OK)
		status = connect(line_ret, input, output, terminal, error);
	if (status != TL_OK)
		tl_serial_line_close(line_ret);
	return status;
}

void tl_serial_line_close(struct tl_serial_line *line)
{
	if (line->loop == NULL)
		return;
	disconnect(line);
	tl_mailbox_destroy(line->mailbox);
	tl_release(tl_storage(), line->sent, line->sent_room);
	(void)pthread_cond_destroy(&line->taken);
	(void)pthread_mutex_destroy(&line->lock);
	*line = (struct tl_serial_line){0};
}

/*
 * The serial port: between descriptors, which the control thread's loop reads and writes, and the machine's thread.
 *
 * Input that has no room in the machine yet stays in the descriptor; a machine whose output is not taken waits.
 */
#include "base/storage.h"
#include "machine/serial_line.h"
#include "targets/emulator/target_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* So much input is kept for the port. */
#define INPUT_ROOM 4096
/* With so much output the machine's thread looks up. */
#define OUTPUT_ENOUGH 65536

static bool append(struct tl_emulator_bytes *bytes, const tl_u8 *from, tl_size size)
{
	for (tl_size i = 0; i < size; i++) {
		if (!tl_grow(tl_storage(), (void **)&bytes->bytes, &bytes->capacity, bytes->count, 1))
			return false;
		bytes->bytes[bytes->count++] = from[i];
	}
	return true;
}

void tl_emulator_console_byte(void *context, tl_u8 byte)
{
	struct tl_emulator *emulator = context;

	/* What was sent before is not sent again. */
	if (__atomic_load_n(&emulator->console.output, __ATOMIC_RELAXED) < 0 ||
	    (emulator->history != NULL && tl_history_is_shown(emulator->history)))
		return;
	pthread_mutex_lock(&emulator->lock);
	(void)append(&emulator->output, &byte, 1);
	if (emulator->output.count == 1 || emulator->output.count >= OUTPUT_ENOUGH)
		tl_computer_request_stop(&emulator->computer);
	pthread_mutex_unlock(&emulator->lock);
}

/* ---- The control thread ---- */

static void want_input(struct tl_emulator *emulator)
{
	struct tl_emulator_console *console = &emulator->console;

	if (console->readable != NULL)
		(void)!tl_source_want(console->readable, emulator->input.count < INPUT_ROOM ? TL_READABLE : 0, NULL);
}

static void read_input(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_emulator *emulator = context;
	tl_u8 bytes[512];
	ssize_t got = read(descriptor, bytes, sizeof(bytes));

	(void)ready;
	if (got <= 0) {
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		tl_source_remove(source); /* no more will come */
		emulator->console.readable = NULL;
		return;
	}
	pthread_mutex_lock(&emulator->lock);
	(void)append(&emulator->input, bytes, (tl_size)got);
	if (emulator->running)
		tl_computer_request_stop(&emulator->computer);
	want_input(emulator);
	pthread_cond_signal(&emulator->woken);
	pthread_mutex_unlock(&emulator->lock);
}

/* Writes what can be written now; the lock is held. False when nobody will ever take it. */
static bool write_some(struct tl_emulator *emulator)
{
	struct tl_emulator_bytes *output = &emulator->output;
	struct pollfd ready = {emulator->console.output, POLLOUT, 0};
	ssize_t written;

	/* The descriptor is others' too, and blocks: so much a pipe takes when it says that it can be written to. */
	while (output->count != 0 && poll(&ready, 1, 0) == 1) {
		written = write(emulator->console.output, output->bytes,
				output->count < PIPE_BUF ? output->count : PIPE_BUF);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno == EAGAIN;
		output->count -= (tl_size)written;
		tl_move(output->bytes, output->bytes + written, output->count);
	}
	return true;
}

void tl_emulator_console_flush(struct tl_emulator *emulator)
{
	struct tl_emulator_console *console = &emulator->console;

	pthread_mutex_lock(&emulator->lock);
	emulator->output_told = false;
	if (console->output < 0 || !write_some(emulator))
		emulator->output.count = 0;
	if (console->writable != NULL)
		(void)!tl_source_want(console->writable, emulator->output.count != 0 ? TL_WRITABLE : 0, NULL);
	emulator->output_told = emulator->output.count != 0;
	want_input(emulator);
	pthread_cond_signal(&emulator->woken);
	pthread_mutex_unlock(&emulator->lock);
}

static void write_output(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	(void)source;
	(void)descriptor;
	(void)ready;
	tl_emulator_console_flush(context);
}

static enum tl_status connect_console(struct tl_emulator *emulator, struct tl_error *error)
{
	struct tl_emulator_console *console = &emulator->console;

	if (console->input >= 0)
		TL_TRY(tl_loop_add_descriptor(emulator->loop, "serial input", console->input, TL_READABLE, read_input,
					      emulator, &console->readable, error));
	if (console->output >= 0 && console->output != console->input)
		TL_TRY(tl_loop_add_descriptor(emulator->loop, "serial output", console->output, 0, write_output,
					      emulator, &console->writable, error));
	return TL_OK;
}

enum tl_status tl_emulator_console_open(struct tl_emulator *emulator, int input, int output, const char *terminal,
					struct tl_error *error)
{
	struct tl_emulator_console *console = &emulator->console;
	enum tl_status status;

	tl_emulator_console_close(emulator);
	if (terminal != NULL) {
		/* Two descriptors, so that each way is a source of its own. */
		TL_TRY(tl_serial_terminal_open(terminal, &input, &output, error));
		console->own = true;
	}
	console->input = input;
	__atomic_store_n(&console->output, output, __ATOMIC_RELAXED);
	status = connect_console(emulator, error);
	if (status != TL_OK)
		tl_emulator_console_close(emulator);
	return status;
}

void tl_emulator_console_close(struct tl_emulator *emulator)
{
	struct tl_emulator_console *console = &emulator->console;
	int input = console->input, output = console->output;

	if (output >= 0)
		tl_emulator_console_flush(emulator);
	tl_source_remove(console->readable);
	tl_source_remove(console->writable);
	console->readable = console->writable = NULL;
	__atomic_store_n(&console->output, -1, __ATOMIC_RELAXED);
	console->input = -1;
	if (console->own) {
		close(input);
		close(output);
	}
	console->own = false;
}

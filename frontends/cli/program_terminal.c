#include "frontends/cli/program_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define PATH_SIZE 64
/* Shown in one turn of the loop at the most: a program that never stops writing shall not keep keys waiting. */
#define SHOWN_MAX 65536
/* Keys that the program has not taken yet; more are dropped, as a terminal does. */
#define KEYS_MAX 4096

struct tl_program_terminal {
	struct tl_screen *screen;
	struct tl_terminal *terminal;
	struct tl_source *source;
	int master;
	int slave; /* kept open until the program has it: without it the master is at its end at once */
	char path[PATH_SIZE];
	bool foreground;
	char keys[KEYS_MAX];
	tl_size key_count;
};

/* ---- What the program writes ---- */

/* Its terminal makes \r\n of newlines; where ours does so, too, one is enough. */
static void show(struct tl_program_terminal *program, char *bytes, tl_size size)
{
	tl_size kept = 0;

	if (program->screen->raw || !program->screen->terminal) {
		tl_screen_program(program->screen, bytes, size);
		return;
	}
	for (tl_size i = 0; i < size; i++)
		if (bytes[i] != '\r' || i + 1 == size || bytes[i + 1] != '\n')
			bytes[kept++] = bytes[i];
	tl_screen_program(program->screen, bytes, kept);
}

/* True when there was something, and there may be more. */
static bool show_some(struct tl_program_terminal *program)
{
	char bytes[4096];
	ssize_t done = read(program->master, bytes, sizeof(bytes));

	if (done > 0) {
		show(program, bytes, (tl_size)done);
		return true;
	}
	if (done < 0 && (errno == EINTR || errno == EAGAIN))
		return errno == EINTR;
	/* Nobody is on it any more. */
	tl_source_remove(program->source);
	program->source = NULL;
	return false;
}

static void send_keys(struct tl_program_terminal *program)
{
	while (program->key_count > 0) {
		ssize_t done = write(program->master, program->keys, program->key_count);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			break;
		program->key_count -= (tl_size)done;
		memmove(program->keys, program->keys + done, program->key_count);
	}
	if (program->source != NULL)
		(void)!tl_source_want(program->source, TL_READABLE | (program->key_count > 0 ? TL_WRITABLE : 0), NULL);
}

static void on_master(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_program_terminal *program = context;

	(void)source, (void)descriptor;
	if ((ready & TL_WRITABLE) != 0 && program->key_count > 0)
		send_keys(program);
	if ((ready & (TL_READABLE | TL_HANGUP)) == 0)
		return;
	for (tl_size shown = 0; shown < SHOWN_MAX && program->source != NULL && show_some(program); shown += 4096)
		;
}

void tl_program_terminal_drain(struct tl_program_terminal *program)
{
	/* The kernel hands over what is on its way when the master is read and found empty. */
	for (tl_size shown = 0; program != NULL && program->source != NULL && shown < 16 * SHOWN_MAX; shown += 4096)
		if (!show_some(program))
			return;
}

/* ---- What is typed ---- */

static void on_keys(void *context, const char *bytes, tl_size size)
{
	struct tl_program_terminal *program = context;
	tl_size room = KEYS_MAX - program->key_count;

	if (size > room)
		size = room;
	memcpy(program->keys + program->key_count, bytes, size);
	program->key_count += size;
	send_keys(program);
}

void tl_program_terminal_foreground(struct tl_program_terminal *program, bool on)
{
	if (program == NULL || program->foreground == on)
		return;
	program->foreground = on;
	/* By the time that it runs it has the terminal open itself. */
	if (program->slave >= 0)
		(void)close(program->slave);
	program->slave = -1;
	tl_terminal_forward(program->terminal, on ? on_keys : NULL, program);
}

/* ---- Opening and closing ---- */

void tl_program_terminal_resized(struct tl_program_terminal *program)
{
	struct winsize size;

	if (program == NULL || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) != 0)
		return;
	if (program->screen->window != NULL) {
		size.ws_row = (unsigned short)program->screen->window_height;
		size.ws_col = (unsigned short)program->screen->window_width;
	}
	(void)ioctl(program->master, TIOCSWINSZ, &size);
}

const char *tl_program_terminal_path(const struct tl_program_terminal *program)
{
	return program->path;
}

static enum tl_status open_pair(struct tl_program_terminal *program, struct tl_error *error)
{
	struct termios modes;

	program->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (program->master < 0 || grantpt(program->master) != 0 || unlockpt(program->master) != 0 ||
	    ptsname_r(program->master, program->path, sizeof(program->path)) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM,
				     "cannot make a terminal for the program (\"set inferior-tty\" names another)");
	program->slave = open(program->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (program->slave < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the program's terminal %s", program->path);
	if (tl_terminal_modes(program->terminal, &modes))
		(void)tcsetattr(program->slave, TCSANOW, &modes);
	tl_program_terminal_resized(program);
	return TL_OK;
}

enum tl_status tl_program_terminal_open(struct tl_program_terminal **program_ret, struct tl_loop *loop,
					struct tl_screen *screen, struct tl_terminal *terminal, struct tl_error *error)
{
	struct tl_program_terminal *program = calloc(1, sizeof(*program));
	enum tl_status status;

	if (program == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the program's terminal");
	program->screen = screen;
	program->terminal = terminal;
	program->master = program->slave = -1;
	status = open_pair(program, error);
	if (status == TL_OK)
		status = tl_loop_add_descriptor(loop, "program's terminal", program->master, TL_READABLE, on_master,
						program, &program->source, error);
	if (status != TL_OK) {
		tl_program_terminal_close(program);
		return status;
	}
	*program_ret = program;
	return TL_OK;
}

void tl_program_terminal_close(struct tl_program_terminal *program)
{
	if (program == NULL)
		return;
	tl_program_terminal_foreground(program, false);
	tl_source_remove(program->source);
	if (program->slave >= 0)
		(void)close(program->slave);
	if (program->master >= 0)
		(void)close(program->master);
	free(program);
}

/*
 * A machine's serial line at the host's end: descriptors, which the control thread's loop reads and writes, and a
 * machine in threads of its own.
 *
 * What is typed waits in the descriptor while the machine has no room for it. What the machine sends waits here while
 * nobody takes it; when a lot does, the sender is slowed down, and what is still too much after that is lost. A reader
 * who has taken nothing for a second is not waited for until he takes something again.
 *
 * Control thread, unless a function says otherwise.
 */
#ifndef TL_MACHINE_SERIAL_LINE_H
#define TL_MACHINE_SERIAL_LINE_H

#include "base/loop.h"
#include "core/types.h"

#include <pthread.h>

/* So much of what was typed is kept here. */
#define TL_SERIAL_TYPED_MAX 4096
/* So much of what was sent is kept here before senders are slowed down. */
#define TL_SERIAL_SENT_MAX (1u << 20)

/* {0} is not open. Must not be moved. */
struct tl_serial_line {
	struct tl_loop *loop;
	int input, output; /* -1: nowhere */
	bool own;          /* the descriptors are closed with the line */
	struct tl_source *readable, *writable;
	struct tl_mailbox *mailbox; /* by which senders wake the control thread */
	pthread_mutex_t lock;       /* of all that follows */
	pthread_cond_t taken;       /* some of what was sent was written */
	bool told;                  /* the control thread knows that something was sent */
	tl_u8 *sent;
	tl_size sent_count, sent_room;
	tl_u8 typed[TL_SERIAL_TYPED_MAX];
	tl_size typed_count;
	tl_u64 lost;    /* bytes */
	unsigned waits; /* how often senders have waited in vain since something was taken */
	/*
	 * Takes what was typed: how many bytes it took; the rest stays. Control thread; called when something was
	 * typed, and by tl_serial_line_offer.
	 */
	tl_size (*receive)(void *context, const tl_u8 *bytes, tl_size size);
	void *context;
};

/*
 * Opens the line over an input and an output, which are not the same and stay the caller's, or over a terminal by its
 * path, which is opened here and passes on what is typed as it is (NULL: none). -1: nowhere.
 */
TL_CHECKED enum tl_status tl_serial_line_open(struct tl_serial_line *line_ret, struct tl_loop *loop, int input,
					      int output, const char *terminal,
					      tl_size (*receive)(void *context, const tl_u8 *bytes, tl_size size),
					      void *context, struct tl_error *error);
/* Writes what can be written now, and closes it. No thread sends any more. {0} is fine. */
void tl_serial_line_close(struct tl_serial_line *line);

/* Connects it with a terminal instead of what it was connected with; when that fails, with nothing. */
TL_CHECKED enum tl_status tl_serial_line_set_terminal(struct tl_serial_line *line, const char *path,
						      struct tl_error *error);

/*
 * A byte that the machine sends. Any thread, one at a time; waits for 10 ms at most when too much waits already, and a
 * hundred times at most without anything being taken.
 */
void tl_serial_line_send(struct tl_serial_line *line, tl_u8 byte);

/* The machine may have room again: offers what was typed to `receive`. */
void tl_serial_line_offer(struct tl_serial_line *line);

/* Opens a terminal for a machine alone: keys come as they are typed. Another descriptor of it is in *other_ret. */
TL_CHECKED enum tl_status tl_serial_terminal_open(const char *path, int *descriptor_ret, int *other_ret,
						  struct tl_error *error);

#endif

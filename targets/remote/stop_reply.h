/*
 * Stop replies, as text and as what they say. GDB manual, "Stop Reply Packets". Pure: nothing is believed, and nothing
 * is asked of anybody.
 */
#ifndef TL_TARGETS_REMOTE_STOP_REPLY_H
#define TL_TARGETS_REMOTE_STOP_REPLY_H

#include "core/cursor.h"
#include "core/engine/target.h"

enum stop_kind {
	STOP_SIGNAL,        /* T, S: a thread stands, `reason` and `signal` saying why */
	STOP_EXITED,        /* W: `code` */
	STOP_KILLED,        /* X: `signal` */
	STOP_THREAD_EXITED, /* w */
	STOP_NO_RESUMED,    /* N */
	STOP_OUTPUT,        /* O: the program's or the stub's text, in hexadecimal behind the O; nothing stopped */
	STOP_FILE,          /* F: a system call that the stub wants carried out; nothing stopped */
	STOP_NOT            /* something else */
};

enum stop_reason {
	REASON_NONE, /* the signal alone */
	REASON_SOFTWARE,
	REASON_HARDWARE,
	REASON_WATCH, /* `watch` and `address` */
	REASON_LIBRARY,
	REASON_FORK, /* `child` */
	REASON_VFORK,
	REASON_VFORK_DONE,
	REASON_EXEC,
	REASON_CREATE,
	REASON_CLONE,
	REASON_SYSCALL_ENTRY, /* `number` */
	REASON_SYSCALL_RETURN,
	REASON_HISTORY_BEGIN,
	REASON_HISTORY_END
};

struct stop_reply {
	enum stop_kind kind;
	enum stop_reason reason;
	tl_i32 signal; /* of Linux; 0: none */
	tl_i32 code;
	bool has_thread;
	struct tl_thread_id thread; /* process 0: the stub names none */
	struct tl_thread_id child;
	tl_u64 number;
	/* Data addresses, as many as were given, with TL_POINT_WRITE, _READ or _ACCESS for the word that stood there.
	 */
	tl_u64 addresses[TL_HITS_MAX];
	enum tl_point_kind watch[TL_HITS_MAX];
	tl_u8 address_count;
	/* The rest of a T packet behind the signal, where its registers are: see tl_remote_stop_register. */
	struct tl_cursor pairs;
};

/*
 * "p1.2f", "p1", "2f", "-1": a number that is -1 is TL_ANY; process 0 where none is named. False, and the cursor
 * failed, at anything else.
 */
bool tl_remote_stop_thread(struct tl_cursor *text, struct tl_thread_id *id_ret);

/* Understands a packet; kind NOT for one that is no stop reply, or a damaged one. */
struct stop_reply tl_remote_stop_read(const tl_u8 *packet, tl_size size);

/*
 * The next register of a reply's `pairs`, which is moved behind it: its number in the stub, and its bytes as
 * hexadecimal digits. False at the end.
 */
bool tl_remote_stop_register(struct tl_cursor *pairs, tl_u64 *number_ret, struct tl_cursor *digits_ret);

#endif

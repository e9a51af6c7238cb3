/*
 * The remote target: whatever speaks GDB's remote protocol, as a target. A client of Trapline's own server, gdbserver,
 * QEMU's stub, OpenOCD and their like. GDB manual, appendix "GDB Remote Serial Protocol".
 *
 * The stub is driven in all-stop, as every stub can be: one packet sets all threads going that are to run, gathered
 * over a turn of the loop, and one reply stands for all. What the engine does with single threads is made of that:
 * those that it stops stand already, those that it lets run go on with the next packet, and what is asked while threads
 * run (memory, points) interrupts the stub for that moment, unseen. A stub that cannot run some threads while others
 * stand (one without vCont) says so by the capabilities.
 *
 * The descriptor is read in the loop, but for the answer to a packet: that is one nested wait with a deadline. No
 * answer in time ends the connection, as nobody could tell later answers apart. When it ends, for whatever reason,
 * `lost` is called, and every process ends for the engine as killed by SIGHUP (1).
 *
 * Births and ends of threads are learnt at stops, by reading the stub's list, or as they happen where a client of the
 * engine asks for them and the stub can tell (QThreadEvents).
 *
 * Control thread only.
 */
#ifndef TL_TARGETS_REMOTE_REMOTE_H
#define TL_TARGETS_REMOTE_REMOTE_H

#include "base/error.h"
#include "base/loop.h"
#include "core/cursor.h"
#include "core/engine/target.h"

struct tl_remote_options {
	tl_u64 patience; /* milliseconds that an answer may take; 0: 10,000 */
	tl_u32 baud;     /* of a serial line; 0: as it is set */
	/* Extended mode: the stub stays when its program ends, and can start programs and attach where it can. */
	bool extended;
	/* Text that the program or the stub wants shown. May be NULL. */
	void (*output)(void *context, const char *text, tl_size size);
	/* The connection has ended, otherwise than by tl_remote_target_destroy or with the last process. May be NULL.
	 */
	void (*lost)(void *context, const char *sentence);
	void *context;
};

/*
 * Connects to `address` (HOST:PORT, :PORT, [IPv6]:PORT, unix:PATH, a serial line, or "| COMMAND", whose standard
 * streams are then the line) and learns what the stub can do. `options` may be NULL and is copied. Waits for each
 * answer as long as `patience` says. Hand *target_ret to tl_engine_init, then call tl_remote_target_populate. The loop
 * must outlive it.
 */
TL_CHECKED enum tl_status tl_remote_target_create(struct tl_loop *loop, const char *address,
						  const struct tl_remote_options *options,
						  struct tl_target **target_ret, struct tl_error *error);
/* The same over a descriptor that is connected already; it belongs to the target, also on an error. */
TL_CHECKED enum tl_status tl_remote_target_create_over(struct tl_loop *loop, int descriptor,
						       const struct tl_remote_options *options,
						       struct tl_target **target_ret, struct tl_error *error);

/*
 * Makes the engine know what the stub has: its processes, with all their threads standing, and no report
 * owed. It is no error if there are
 * none where the stub is in extended mode; TL_ERROR_NO_PROCESS otherwise.
 */
TL_CHECKED enum tl_status tl_remote_target_populate(struct tl_target *target, struct tl_error *error);
/* Whether the stub said then that it had started the first process itself, rather than attached to it. */
bool tl_remote_target_started(const struct tl_target *target);

/* Why the connection has ended; NULL: it has not. Valid until the target is destroyed. */
const char *tl_remote_target_lost(const struct tl_target *target);

/* How long an answer may take from now on, in milliseconds. */
void tl_remote_target_set_patience(struct tl_target *target, tl_u64 milliseconds);

/*
 * Sends the text of one packet, for a person who knows the protocol, and waits for its answer; *answer_ret is valid
 * until the next call of anything here. TL_ERROR_GONE: the connection has ended.
 */
TL_CHECKED enum tl_status tl_remote_target_packet(struct tl_target *target, const char *text,
						  struct tl_cursor *answer_ret);

/* Forgets what is known of the stub's registers, for a stub whose program was changed from elsewhere. */
void tl_remote_target_forget(struct tl_target *target);

/*
 * Flash memory, as the stub's map of memory has it (GDB manual, "Memory Map Format", and vFlashErase, vFlashWrite,
 * vFlashDone). Erases the blocks in which [address, address + size) lies, as far as they are flash and were not erased
 * since the last `done`; writes what of the bytes lies in flash from `address` on (TL_ERROR_UNSUPPORTED: that is no
 * flash); ends the writing, without which it need not take place. Stubs without flash have no objection. The stub
 * stands.
 */
TL_CHECKED enum tl_status tl_remote_target_flash_erase(struct tl_target *target, tl_u64 address, tl_u64 size);
TL_CHECKED enum tl_status tl_remote_target_flash_write(struct tl_target *target, tl_u64 address, const void *bytes,
						       tl_size size, tl_size *done_ret);
TL_CHECKED enum tl_status tl_remote_target_flash_done(struct tl_target *target);

/* The sentence behind the last TL_ERROR_* of an operation, where the stub gave one ("E.text"); "" if not. */
const char *tl_remote_target_detail(const struct tl_target *target);

/* Closes the connection. What the stub does with its processes then is the stub's affair: leave them first. NULL is
 * fine. */
void tl_remote_target_destroy(struct tl_target *target);

#endif

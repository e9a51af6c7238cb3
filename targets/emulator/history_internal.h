/* What the files history*.c share. */
#ifndef TL_TARGETS_EMULATOR_HISTORY_INTERNAL_H
#define TL_TARGETS_EMULATOR_HISTORY_INTERNAL_H

#include "targets/emulator/first_writes.h"
#include "targets/emulator/history.h"
#include "targets/emulator/kept_pages.h"
#include "targets/emulator/points.h"

#define TL_HISTORY_PARTS 64
#define TL_HISTORY_DISKS 8
#define TL_HISTORY_CHECKPOINTS 4096

struct tl_checkpoint {
	struct tl_computer_position position;
	tl_u64 begun;
	struct tl_computer_turn turns[TL_BOARD_HARTS_MAX];
	tl_size next_input; /* the first of the log that enters behind it */
	tl_u8 *state;       /* the parts, one behind the other; owned */
	/*
	 * What was written behind it and before the next checkpoint, as it was here; it may hold more, and lacks what
	 * was written behind `covered`, to which the run has come from here. Its lines are those that were written the
	 * last time that the run went on from here.
	 */
	struct tl_kept_pages pages;
	struct tl_kept_pages blocks[TL_HISTORY_DISKS];
	struct tl_computer_position covered;
	struct tl_fetched_pages fetched; /* behind it and before the next one, as far as it was covered */
	struct tl_epoch epoch;           /* what the machine had come to here */
};

/* Bytes at fixed places that are the machine's state. */
struct tl_state_part {
	tl_u8 *bytes;
	tl_size size;
};

struct tl_logged_input {
	struct tl_computer_position position;
	struct tl_input input; /* its bytes are owned */
};

struct tl_history_disk {
	struct tl_history *history;
	struct tl_disk *disk;
	tl_u32 number;
};

struct tl_history {
	struct tl_computer *computer;
	tl_u64 interval, memory;
	struct tl_checkpoint **checkpoints; /* in order; owned */
	tl_size count, capacity;
	tl_size active; /* the one behind which the machine is */
	struct tl_logged_input *log;
	tl_size log_count, log_capacity, next_input;
	tl_size log_bytes;               /* that inputs of the log take beside their entries */
	tl_u64 forgotten;                /* inputs that were in the log before its first */
	struct tl_computer_position end; /* the last moment that was recorded */
	tl_u64 end_begun;
	struct tl_first_writes writes;
	struct tl_state_part parts[TL_HISTORY_PARTS];
	tl_u32 part_count;
	tl_size state_size;
	struct tl_history_disk disks[TL_HISTORY_DISKS];
	tl_u32 disk_count;
	struct tl_computer_position entering; /* where the input that enters does so */
	tl_u64 replayed, restored;
	bool feeding; /* what enters comes from the log */
	bool lost;    /* no memory was left for something: all of it is given up at the next moment between runs */
	bool diverged;

	struct tl_epoch_device devices[TL_EPOCH_DEVICES];
	tl_u32 device_count;
	const struct tl_history_witness *witness; /* NULL: none */
	bool begins_late;                         /* the moment of reset is not known any more */

	/* A recording that is replayed. */
	bool replaying;
	struct tl_history_future future;   /* its epochs and its end */
	tl_size next_epoch;                /* the first that lies ahead */
	tl_size met;                       /* those that were come by, and compared */
	tl_u64 chain;                      /* of these */
	struct tl_computer_position shown; /* so far was run for the first time */
	enum tl_history_pause pause;
	bool end_told;
	char difference[700];
};

/* Leaves a checkpoint here, behind the active one, and makes it that. False: there is no memory; nothing was done. */
bool tl_history_mark(struct tl_history *history);

/* The machine as it was at the checkpoint, which must lead there: tl_history_leads. */
void tl_history_restore(struct tl_history *history, tl_size index);

/* Whether the checkpoints from this one on lead from here back to it. */
bool tl_history_leads(const struct tl_history *history, tl_size index);

/* The run has come to the checkpoint behind the active one. */
void tl_history_cross(struct tl_history *history);

/* history_replay.c: the run has come to the next epoch of the recording. */
void tl_history_meet_epoch(struct tl_history *history);
/* An input of the recording did not enter as it did when it was recorded. */
void tl_history_missed_input(struct tl_history *history);
/* The next epoch that lies ahead of a checkpoint. */
void tl_history_seek_epoch(struct tl_history *history, const struct tl_checkpoint *checkpoint);

/* What was written since the active checkpoint, as far as the marks tell that were not taken yet, is noted in it. */
void tl_history_take_lines(struct tl_history *history);

/* Bytes that it takes. */
tl_u64 tl_history_cost(const struct tl_history *history);

/* Forgets what takes too much memory: checkpoints, and where the log is too long, the beginning. */
void tl_history_thin(struct tl_history *history);

void tl_checkpoint_free(struct tl_checkpoint *checkpoint);

#endif

/*
 * The past of an emulated computer: every moment of a run can be gone back to.
 *
 * The machine is deterministic: what it does follows from where it was and from what came in. Kept are checkpoints, a
 * few a second, and every input with the moment at which it entered; any other moment is made again by running on from
 * the checkpoint before it. A checkpoint is the state of harts and devices, and the pages of memory and blocks of disks
 * that were written behind it, as they were: going back puts them back, from the latest checkpoint to the one wanted.
 * While the past is run again new checkpoints are left near the moment that was looked for, so that the next look is
 * quick. When all of them take too much memory, neighbours are made one, the old ones first.
 *
 * In the past, running forward meets the same inputs; behind the last recorded moment the machine simply goes on. New
 * input in the past (a key, a value that the debugger sets) begins a new timeline: what lay ahead is forgotten, and
 * tl_history_input says so.
 *
 * Time runs the same way twice because all of it is the machine's own. What a device sends out while the past is run
 * again was sent before: who passes it on asks tl_history_is_past.
 *
 * Checkpoints forget what translations the harts keep; that cannot be told from inside (page_tables.h).
 *
 * All in the thread that runs the computer.
 */
#ifndef TL_TARGETS_EMULATOR_HISTORY_H
#define TL_TARGETS_EMULATOR_HISTORY_H

#include "machine/disk.h"
#include "targets/emulator/computer.h"
#include "targets/emulator/epoch.h"

#define TL_HISTORY_INTERVAL ((tl_u64)50000000)
#define TL_HISTORY_MEMORY ((tl_u64)512 << 20)

struct tl_history_options {
	tl_u64 interval; /* instructions between two checkpoints; 0: TL_HISTORY_INTERVAL */
	tl_u64 memory;   /* bytes that checkpoints may take of the host's memory; 0: TL_HISTORY_MEMORY */
};

/*
 * Who writes the run down. Called between runs, in the order in which it happens, and for what happens the first time
 * only: not while the past is run again.
 */
struct tl_history_witness {
	void (*input)(void *context, const struct tl_computer_position *position, const struct tl_input *input);
	void (*epoch)(void *context,
		      const struct tl_epoch *epoch); /* a checkpoint was left at the end of what is known */
	/* A new timeline: what was behind the position, and more than so many inputs, has not happened. */
	void (*cut)(void *context, const struct tl_computer_position *position, tl_u64 inputs);
	void *context;
};

/* What is known of a run that is yet to come: a recording's. */
struct tl_history_future {
	const struct tl_recorded_input *inputs; /* in order; copied */
	tl_size input_count;
	const struct tl_epoch *epochs; /* in order; borrowed until the history is closed */
	tl_size epoch_count;
	tl_u64 chain; /* of the epochs before these */
	struct tl_computer_position end;
	tl_u64 end_begun;
};

/* Why tl_history_run came back with TL_COMPUTER_STOPPED although nobody asked for a stop. */
enum tl_history_pause {
	TL_HISTORY_PAUSE_NONE,
	TL_HISTORY_PAUSE_DIFFERENCE, /* the run is not what was recorded: tl_history_difference */
	TL_HISTORY_PAUSE_END         /* what was recorded ends here; the next run goes on by itself */
};

struct tl_recorded_input;
struct tl_history;

/*
 * Begins to remember, from the computer's present moment on; computer->memory_changes, input_entered and context are
 * the history's from now on. The computer is borrowed, and must neither be reset nor closed before the history. What
 * its slots hold has to be named before the first run. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_history_open(struct tl_history **history_ret, struct tl_computer *computer,
					  const struct tl_history_options *options, struct tl_error *error);
void tl_history_close(struct tl_history *history);

/* Bytes that are part of the machine's state and may be copied as they are: a device's struct. Borrowed. */
TL_CHECKED enum tl_status tl_history_add_state(struct tl_history *history, void *state, tl_size size,
					       struct tl_error *error);
/* A disk whose overlay is part of it. TL_ERROR_UNSUPPORTED for one that is written through: its past is gone. */
TL_CHECKED enum tl_status tl_history_add_disk(struct tl_history *history, struct tl_disk *disk, struct tl_error *error);

/* tl_computer_run with a memory. In the past it goes through what is recorded, and then on. */
enum tl_computer_exit tl_history_run(struct tl_history *history, const struct tl_computer_limits *limits);

/* tl_computer_input, remembered. *new_timeline_ret: what lay ahead was forgotten for it. */
tl_size tl_history_input(struct tl_history *history, const struct tl_input *input, bool *new_timeline_ret);

/* Whether recorded moments lie ahead. */
bool tl_history_is_past(const struct tl_history *history);

/* Whether what is sent from here on was sent before, by this process: of a replay the first time is not that. */
bool tl_history_is_shown(const struct tl_history *history);

/* Something whose digest belongs to an epoch's end: a device. Before the first run. The name is borrowed. */
TL_CHECKED enum tl_status tl_history_add_device(struct tl_history *history, const struct tl_epoch_device *device,
						struct tl_error *error);

/* ---- Recordings ---- */

/* From now on; before the first run, or NULL to end it. Borrowed. */
void tl_history_set_witness(struct tl_history *history, const struct tl_history_witness *witness);

/*
 * Before the first run: what is to come. Running forward then repeats it, compares the epochs, and pauses at the first
 * difference and at the end. TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_history_set_future(struct tl_history *history, const struct tl_history_future *future);

/* Why the last run paused, once. */
enum tl_history_pause tl_history_take_pause(struct tl_history *history);
/* What differed; "" when nothing did. A sentence. */
const char *tl_history_difference(const struct tl_history *history);

/* Leaves a checkpoint here, if this is the end of what is known. */
void tl_history_end_epoch(struct tl_history *history);

/*
 * All that is remembered from the beginning up to the end, told to a witness in order. False, and nothing is told, when
 * the beginning is forgotten.
 */
bool tl_history_tell(const struct tl_history *history, const struct tl_history_witness *witness);
/* The last moment that is known. */
struct tl_computer_position tl_history_end(const struct tl_history *history, tl_u64 *begun_ret);

enum tl_back {
	TL_BACK_DONE,      /* one instruction was taken back */
	TL_BACK_HALTED,    /* a point: the machine stands where it is about to happen */
	TL_BACK_BEGINNING, /* there is no more past: the machine stands at its beginning */
	TL_BACK_STOPPED    /* a stop was requested: the machine stands somewhere in the past */
};

/* To the moment before the last instruction that the hart began. */
enum tl_back tl_history_step_back(struct tl_history *history, tl_u32 hart);

/* What a hart halted for on the way back, as it is reported. */
struct tl_back_halt {
	tl_u32 hart;
	tl_u8 halt; /* enum tl_halt */
	struct tl_exception exception;
	struct tl_watch_hit hits[TL_WATCH_HITS_MAX];
	tl_u8 hit_count;
};

/*
 * To the last moment before this one at which a point of the harts' table would have halted a hart: of a breakpoint,
 * when its instruction is about to begin; of a watchpoint, when the instruction that accesses is, so that what the
 * access did is not done. Checkpoints behind which the watched memory was not written, and nothing was fetched from the
 * pages of breakpoints, are left out.
 */
enum tl_back tl_history_continue_back(struct tl_history *history, struct tl_back_halt *halt_ret);

/* To any recorded moment, or the nearest to it. */
enum tl_back tl_history_go(struct tl_history *history, const struct tl_computer_position *position);

/* For people. */
struct tl_history_facts {
	tl_size checkpoints, inputs;
	tl_size entered;            /* of the inputs, those that are behind us */
	tl_u64 memory;              /* bytes that they take */
	tl_u64 begin, here, end;    /* instructions begun by all harts */
	tl_u64 hash;                /* of registers, devices and what changed, at the last checkpoint behind us */
	tl_u64 replayed, restored;  /* instructions and checkpoints, since the history was opened */
	bool diverged;              /* the past, run again, was not the same */
	tl_size epochs, epochs_met; /* of a recording that is replayed: all, and those that were come by */
	tl_u64 chain;               /* of those */
	bool replaying;             /* and what was recorded has not ended, or been changed */
};
void tl_history_facts(const struct tl_history *history, struct tl_history_facts *facts_ret);

#endif

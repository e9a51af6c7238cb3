/*
 * The machine's run in a file, and a machine that comes from one: what target.c and target_thread.c ask of that.
 *
 * Where nothing else is said, for whoever holds the machine (target_internal.h).
 */
#ifndef TL_TARGETS_EMULATOR_TARGET_RECORD_H
#define TL_TARGETS_EMULATOR_TARGET_RECORD_H

#include "targets/emulator/history.h"
#include "targets/emulator/recorder.h"
#include "targets/emulator/target.h"

struct tl_emulator;

/* {0} is neither. */
struct tl_emulator_record {
	struct tl_recorder *recorder; /* owned; NULL: the run is not recorded */
	struct tl_history_witness witness;
	struct tl_recording_machine machine; /* what it is made of: texts are owned */
	bool described;                      /* that is known */
	bool failure_told;
	bool dirty; /* disks or random bytes had been used when the machine was last reset */

	struct tl_recording *replay; /* owned; NULL: the machine is no recording's */
	tl_size segment;             /* that is replayed */
	bool follows;                /* the run is the recording's */
	bool resets;                 /* the next reset is the recording's, too */
	bool ended;                  /* it stood at the end */
	char says[900];              /* to people, as soon as the control thread hears of it; under the lock */
};

/* Whether options go together. */
TL_CHECKED enum tl_status tl_emulator_record_check(const struct tl_emulator_options *options, struct tl_error *error);

/* Before the computer is opened: reads a recording, and configures the computer by it. Texts are the recording's. */
TL_CHECKED enum tl_status tl_emulator_replay_open(struct tl_emulator *emulator, const char *path,
						  struct tl_computer_configuration *configuration,
						  struct tl_error *error);
/* Devices, and what is loaded. options->board.disks say where the disks are, if not where they were. */
TL_CHECKED enum tl_status tl_emulator_replay_build(struct tl_emulator *emulator,
						   const struct tl_emulator_options *options, struct tl_error *error);

/* The machine stands at reset for the first time, and its run is recorded from here on. */
TL_CHECKED enum tl_status tl_emulator_record_open(struct tl_emulator *emulator, const char *path,
						  struct tl_error *error);
/* The recording is ended as it is to be. The machine does not run. */
void tl_emulator_record_close(struct tl_emulator *emulator);

/* The machine is about to be reset: its past is still there. And: it has been, and a new one begins. */
void tl_emulator_record_resets(struct tl_emulator *emulator);
TL_CHECKED enum tl_status tl_emulator_record_begins(struct tl_emulator *emulator, struct tl_error *error);

/* After a run: true when the machine is to stand, for the recording ended, or was of another run. */
bool tl_emulator_record_look(struct tl_emulator *emulator);
/* Whether there is something that people are to hear. */
bool tl_emulator_record_says(const struct tl_emulator *emulator);
/* Tells them. Control thread, without the lock. */
void tl_emulator_record_hear(struct tl_emulator *emulator);

/* monitor info record, monitor record save FILE. */
void tl_emulator_record_tell(struct tl_emulator *emulator, struct tl_writer *output);
TL_CHECKED enum tl_status tl_emulator_record_save(struct tl_emulator *emulator, const char *path,
						  struct tl_writer *output);

#endif

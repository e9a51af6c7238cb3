/*
 * Writes a recording (recording.h): a record at a time, each whole in the file before anything else happens.
 *
 * All in the thread that runs the computer. What goes wrong with the file ends the recording, and is told once; the
 * machine does not mind.
 */
#ifndef TL_TARGETS_EMULATOR_RECORDER_H
#define TL_TARGETS_EMULATOR_RECORDER_H

#include "targets/emulator/recording.h"

struct tl_recorder;

/*
 * Begins a recording of a computer that stands at reset: the file is made, or emptied, and gets all up to BEGIN.
 * `machine` is filled in by the caller but for what the computer knows (tl_recorder_describe). TL_ERROR_SYSTEM,
 * TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_recorder_open(struct tl_recorder **recorder_ret, const char *path,
					   const struct tl_recording_machine *machine,
					   const struct tl_computer *computer, struct tl_error *error);
/* Closes the file as it is. NULL is fine. */
void tl_recorder_close(struct tl_recorder *recorder);

/* What a computer at reset knows of itself. Texts are borrowed from it. */
void tl_recorder_describe(struct tl_recording_machine *machine, const struct tl_computer *computer);

void tl_recorder_input(struct tl_recorder *recorder, const struct tl_computer_position *position,
		       const struct tl_input *input);
/* Also the next link of the chain. */
void tl_recorder_epoch(struct tl_recorder *recorder, const struct tl_epoch *epoch);
void tl_recorder_reset(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 begun,
		       bool user);
void tl_recorder_end(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 begun);

/*
 * A new timeline begins: of this segment only what is up to the position stays, and of the inputs only the first
 * `inputs`.
 */
void tl_recorder_cut(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 inputs);

/* Why the recording has ended before its time; NULL: it has not. */
const char *tl_recorder_failure(const struct tl_recorder *recorder);

struct tl_recorder_facts {
	tl_u64 bytes, inputs, epochs, chain;
};
void tl_recorder_facts(const struct tl_recorder *recorder, struct tl_recorder_facts *facts_ret);

#endif

#include "targets/emulator/target_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define HASHED_AT_ONCE ((tl_size)1 << 20)

enum tl_status tl_emulator_record_check(const struct tl_emulator_options *options, struct tl_error *error)
{
	if ((options->record != NULL || options->replay != NULL) && options->forgets)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "--record and --replay want the machine to remember: leave out --no-history");
	if (options->replay == NULL)
		return TL_OK;
	if (options->record != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a replay is recorded already: leave out --record");
	if (options->program != NULL || options->board.kernel != NULL || options->board.initrd != NULL ||
	    options->firmware != NULL || options->board.command_line != NULL || options->harts != 0 ||
	    options->board.memory_size != 0 || options->board.network || options->seed != NULL)
		return TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			"the recording says what the machine is made of: beside --replay only --disk (where a disk "
			"is now), --serial and --interpreter mean something");
	return TL_OK;
}

/* ---- What the machine is made of ---- */

static enum tl_status hash_disk(const struct tl_disk *disk, tl_u64 *hash_ret, struct tl_error *error)
{
	tl_u8 *bytes = malloc(HASHED_AT_ONCE);
	tl_u64 hash = 0;
	enum tl_status status = TL_OK;

	if (bytes == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to look at a disk");
	for (tl_u64 at = 0; at < disk->file_size && status == TL_OK; at += HASHED_AT_ONCE) {
		tl_u64 size = disk->file_size - at < HASHED_AT_ONCE ? disk->file_size - at : HASHED_AT_ONCE;

		status = disk->file.read(disk->file.context, at, bytes, size, error);
		hash = XXH3_64bits_withSeed(bytes, size, hash);
	}
	free(bytes);
	*hash_ret = hash;
	return status;
}

static enum tl_status copy_text(const char *text, char **copy_ret, struct tl_error *error)
{
	*copy_ret = text != NULL ? strdup(text) : NULL;
	return text == NULL || *copy_ret != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room for a name");
}

static void free_machine(struct tl_recording_machine *machine)
{
	free(machine->program);
	for (tl_u32 i = 0; i < TL_RECORDING_DISKS; i++)
		free(machine->disks[i].path);
	*machine = (struct tl_recording_machine){0};
}

static enum tl_status describe_disks(struct tl_emulator *emulator, struct tl_recording_machine *machine,
				     struct tl_error *error)
{
	const struct tl_devices *devices = &emulator->devices;

	for (tl_u32 i = 0; i < devices->disk_count && i < TL_RECORDING_DISKS; i++) {
		struct tl_recording_disk *disk = &machine->disks[i];

		TL_TRY(copy_text(devices->paths[i], &disk->path, error));
		machine->disk_count = i + 1;
		disk->mode = (tl_u32)devices->disks[i].mode;
		disk->size = devices->disks[i].file_size;
		TL_TRY(hash_disk(&devices->disks[i], &disk->hash, error));
	}
	return TL_OK;
}

/* All of it but what the guest has made of the memory. */
static enum tl_status describe(struct tl_emulator *emulator, struct tl_error *error)
{
	struct tl_recording_machine *machine = &emulator->record.machine;
	const struct tl_devices *devices = &emulator->devices;

	if (!emulator->record.described) {
		TL_TRY(copy_text(emulator->program, &machine->program, error));
		TL_TRY(describe_disks(emulator, machine, error));
		machine->network = devices->net.virtio != NULL;
		memcpy(machine->random, devices->random.stream.seed, sizeof(machine->random));
		emulator->record.described = true;
	}
	return TL_OK;
}

/* ---- Recording ---- */

static void witness_input(void *context, const struct tl_computer_position *position, const struct tl_input *input)
{
	tl_recorder_input(context, position, input);
}

static void witness_epoch(void *context, const struct tl_epoch *epoch)
{
	tl_recorder_epoch(context, epoch);
}

static void witness_cut(void *context, const struct tl_computer_position *position, tl_u64 inputs)
{
	tl_recorder_cut(context, position, inputs);
}

static struct tl_history_witness witness_of(struct tl_recorder *recorder)
{
	return (struct tl_history_witness){witness_input, witness_epoch, witness_cut, recorder};
}

static void watch_run(struct tl_emulator *emulator)
{
	emulator->record.witness = witness_of(emulator->record.recorder);
	tl_history_set_witness(emulator->history, &emulator->record.witness);
}

enum tl_status tl_emulator_record_open(struct tl_emulator *emulator, const char *path, struct tl_error *error)
{
	struct tl_emulator_record *record = &emulator->record;

	if (emulator->history == NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "a machine with a disk that is written through cannot be recorded: let what is written "
			       "stay in memory");
	TL_TRY(describe(emulator, error));
	TL_TRY(tl_recorder_open(&record->recorder, path, &record->machine, &emulator->computer, error));
	watch_run(emulator);
	return TL_OK;
}

void tl_emulator_record_close(struct tl_emulator *emulator)
{
	struct tl_emulator_record *record = &emulator->record;
	struct tl_computer_position end;
	tl_u64 begun;

	if (record->recorder != NULL && emulator->history != NULL) {
		tl_history_end_epoch(emulator->history);
		end = tl_history_end(emulator->history, &begun);
		tl_recorder_end(record->recorder, &end, begun);
		tl_history_set_witness(emulator->history, NULL);
	}
	tl_recorder_close(record->recorder);
	record->recorder = NULL;
	if (record->replay != NULL)
		tl_recording_close(record->replay);
	/* A history still knows the epochs: it is closed next, and does not look at them. */
	free(record->replay);
	record->replay = NULL;
	free_machine(&record->machine);
}

/* ---- Resets ---- */

static bool is_used(const struct tl_emulator *emulator)
{
	bool used = emulator->devices.random.stream.position != 0;

	for (tl_u32 i = 0; i < emulator->devices.disk_count; i++)
		used = used || emulator->devices.disks[i].count != 0;
	return used;
}

/* As it was when it was switched on: what was written to disks is gone. */
static void unwind(struct tl_emulator *emulator)
{
	emulator->devices.random.stream.position = 0;
	for (tl_u32 i = 0; i < emulator->devices.disk_count; i++)
		tl_disk_forget(&emulator->devices.disks[i]);
}

static void replay_resets(struct tl_emulator *emulator, bool by_guest)
{
	struct tl_emulator_record *record = &emulator->record;

	if (!by_guest && !record->resets) { /* from the beginning, once more */
		record->segment = 0;
		record->follows = true;
		unwind(emulator);
	} else if (record->follows && record->segment + 1 < record->replay->segment_count) {
		record->segment++;
	} else {
		record->follows = false;
	}
	record->resets = record->ended = false;
}

void tl_emulator_record_resets(struct tl_emulator *emulator)
{
	struct tl_emulator_record *record = &emulator->record;
	bool by_guest = emulator->computer.board.finisher.finish == TL_FINISH_RESET;
	struct tl_computer_position here;
	struct tl_history_facts facts;

	if (emulator->history == NULL)
		return;
	if (record->replay != NULL)
		replay_resets(emulator, by_guest);
	record->dirty = is_used(emulator);
	if (record->recorder == NULL)
		return;
	tl_history_facts(emulator->history, &facts);
	here = tl_computer_position(&emulator->computer);
	if (facts.checkpoints == 0)
		return; /* nothing has happened since the last one */
	if (tl_history_is_past(emulator->history))
		tl_recorder_cut(record->recorder, &here, facts.entered);
	tl_history_end_epoch(emulator->history);
	tl_recorder_reset(record->recorder, &here, emulator->computer.begun, !by_guest);
}

enum tl_status tl_emulator_record_begins(struct tl_emulator *emulator, struct tl_error *error)
{
	struct tl_emulator_record *record = &emulator->record;
	const struct tl_recording *replay = record->replay;
	const struct tl_recording_segment *segment;
	struct tl_history_future future;

	tl_recorder_describe(&record->machine, &emulator->computer);
	if (emulator->history == NULL)
		return replay == NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a replay's past");
	if (record->recorder != NULL)
		watch_run(emulator);
	if (replay == NULL || !record->follows)
		return TL_OK;
	if (tl_recording_made(&emulator->computer) != replay->machine.made)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "this recording was made by another version of trapline, whose machine begins "
			       "differently: replay it with that one");
	segment = &replay->segments[record->segment];
	future = (struct tl_history_future){.inputs = replay->inputs + segment->first_input,
					    .input_count = segment->input_count,
					    .epochs = replay->epochs + segment->first_epoch,
					    .epoch_count = segment->epoch_count,
					    .chain = segment->first_epoch != 0 ? replay->chain[segment->first_epoch - 1]
									       : 0,
					    .end = segment->end,
					    .end_begun = segment->end_begun};
	if (tl_history_set_future(emulator->history, &future) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for what the recording says");
	return TL_OK;
}

/* ---- Replaying ---- */

enum tl_status tl_emulator_replay_open(struct tl_emulator *emulator, const char *path,
				       struct tl_computer_configuration *configuration, struct tl_error *error)
{
	struct tl_emulator_record *record = &emulator->record;
	const struct tl_recording_machine *machine;
	struct tl_recording *replay = calloc(1, sizeof(*replay));
	enum tl_status status;

	if (replay == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room for a recording");
	status = tl_recording_open(replay, path, error);
	if (status != TL_OK) {
		free(replay);
		return status;
	}
	record->replay = replay;
	record->follows = true;
	machine = &replay->machine;
	configuration->harts = machine->harts;
	configuration->memory_size = machine->memory_size;
	configuration->quantum = machine->quantum;
	configuration->start_time = machine->start_time;
	configuration->seed = machine->tree_seed;
	configuration->command_line = machine->command_line;
	if (replay->remark[0] != '\0' && emulator->remark != NULL)
		emulator->remark(emulator->remark_context, replay->remark);
	/* Symbols are looked for where they were. */
	if (machine->program != NULL && access(machine->program, R_OK) == 0)
		return copy_text(machine->program, &emulator->program, error);
	return TL_OK;
}

static enum tl_status add_disk(struct tl_emulator *emulator, tl_u32 number, const char *path, struct tl_error *error)
{
	const struct tl_recording_disk *recorded = &emulator->record.replay->machine.disks[number];
	char what[TL_RECORDING_PATH + 16];
	tl_u64 hash;

	snprintf(what, sizeof(what), "%s%s", path, recorded->mode == TL_DISK_READ_ONLY ? ",readonly" : "");
	TL_TRY(tl_devices_add_disk(&emulator->devices, what, error));
	TL_TRY(hash_disk(&emulator->devices.disks[number], &hash, error));
	if (emulator->devices.disks[number].file_size != recorded->size || hash != recorded->hash)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%.300s is not what it was when the run was recorded: name a copy of what it was with "
			       "--disk",
			       path);
	return TL_OK;
}

static enum tl_status load_images(struct tl_computer *computer, const struct tl_recording *replay,
				  struct tl_error *error)
{
	for (tl_u32 i = 0; i < replay->image_count; i++) {
		const struct tl_computer_image *image = &replay->images[i];

		TL_TRY(tl_computer_load(computer, "what was recorded", image->address, image->bytes, image->size,
					image->memory_size, error));
	}
	computer->entry = replay->machine.entry;
	computer->next_entry = replay->machine.next_entry;
	computer->initrd_start = replay->machine.initrd_start;
	computer->initrd_end = replay->machine.initrd_end;
	return TL_OK;
}

enum tl_status tl_emulator_replay_build(struct tl_emulator *emulator, const struct tl_emulator_options *options,
					struct tl_error *error)
{
	const struct tl_recording *replay = emulator->record.replay;
	const struct tl_recording_machine *machine = &replay->machine;

	if (options->board.disk_count > machine->disk_count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the recorded machine has %u disks, and --disk names more",
			       machine->disk_count);
	tl_devices_begin(&emulator->devices, &emulator->computer);
	for (tl_u32 i = 0; i < machine->disk_count; i++)
		TL_TRY(add_disk(emulator, i,
				i < options->board.disk_count ? options->board.disks[i] : machine->disks[i].path,
				error));
	TL_TRY(tl_devices_add_random(&emulator->devices, machine->random, error));
	if (machine->network)
		TL_TRY(tl_devices_add_network(&emulator->devices, NULL, error));
	return load_images(&emulator->computer, replay, error);
}

/* ---- What is said ---- */

static void say(struct tl_emulator_record *record, const char *line)
{
	tl_size used = strlen(record->says);

	snprintf(record->says + used, sizeof(record->says) - used, "%s%s", used != 0 ? " " : "", line);
}

bool tl_emulator_record_says(const struct tl_emulator *emulator)
{
	return emulator->record.says[0] != '\0';
}

void tl_emulator_record_hear(struct tl_emulator *emulator)
{
	char line[sizeof(emulator->record.says)];

	pthread_mutex_lock(&emulator->lock);
	memcpy(line, emulator->record.says, sizeof(line));
	emulator->record.says[0] = '\0';
	pthread_mutex_unlock(&emulator->lock);
	if (line[0] != '\0' && emulator->remark != NULL)
		emulator->remark(emulator->remark_context, line);
}

/* The recording has come to its end; true when the machine stands there. */
static bool look_at_end(struct tl_emulator *emulator)
{
	struct tl_emulator_record *record = &emulator->record;

	if (record->segment + 1 < record->replay->segment_count) {
		struct tl_error error;

		/* There the user had the machine reset: it goes on behind that. */
		record->resets = true;
		if (tl_emulator_reset(emulator, &error) == TL_OK) {
			say(record, "The machine was reset here when it was recorded.");
			return false;
		}
	}
	record->ended = true;
	say(record, "The recording ends here.");
	return true;
}

static bool look_at_replay(struct tl_emulator *emulator)
{
	struct tl_emulator_record *record = &emulator->record;
	struct tl_history_facts facts;

	switch (tl_history_take_pause(emulator->history)) {
	case TL_HISTORY_PAUSE_DIFFERENCE:
		say(record, tl_history_difference(emulator->history));
		return true;
	case TL_HISTORY_PAUSE_END:
		return look_at_end(emulator);
	case TL_HISTORY_PAUSE_NONE:
		break;
	}
	tl_history_facts(emulator->history, &facts);
	if (!facts.replaying && facts.checkpoints != 0) {
		if (record->follows && !record->ended && record->replay->machine.network)
			say(record,
			    "The run is not the recording's any more: from here on the machine is live, and its "
			    "network card leads nowhere.");
		record->follows = false;
		if (record->ended)
			say(record, record->replay->machine.network
					    ? "The recording has ended: from here on the machine is live, and its "
					      "network card leads nowhere."
					    : "The recording has ended: from here on the machine is live.");
	}
	return false;
}

bool tl_emulator_record_look(struct tl_emulator *emulator)
{
	struct tl_emulator_record *record = &emulator->record;
	const char *failure = record->recorder != NULL ? tl_recorder_failure(record->recorder) : NULL;

	if (failure != NULL && !record->failure_told) {
		record->failure_told = true;
		say(record, failure);
	}
	return record->replay != NULL && record->follows && emulator->history != NULL && look_at_replay(emulator);
}

/* ---- monitor ---- */

static void print(struct tl_writer *output, const char *format, ...) TL_PRINTF(2, 3);

static void print(struct tl_writer *output, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tl_write_text(output, text);
}

static void tell_recorder(const struct tl_recorder *recorder, struct tl_writer *output)
{
	struct tl_recorder_facts facts;

	tl_recorder_facts(recorder, &facts);
	print(output, "recorded: %llu bytes, %llu epochs, chain %016llx\n", (unsigned long long)facts.bytes,
	      (unsigned long long)facts.epochs, (unsigned long long)facts.chain);
	if (tl_recorder_failure(recorder) != NULL)
		print(output, "%s\n", tl_recorder_failure(recorder));
}

void tl_emulator_record_tell(struct tl_emulator *emulator, struct tl_writer *output)
{
	const struct tl_emulator_record *record = &emulator->record;
	struct tl_history_facts facts;

	if (record->recorder != NULL)
		tell_recorder(record->recorder, output);
	if (record->replay != NULL && emulator->history != NULL) {
		tl_history_facts(emulator->history, &facts);
		print(output, "replayed: %zu of %zu epochs%s, chain %016llx\n", (size_t)facts.epochs_met,
		      (size_t)facts.epochs, facts.replaying ? "" : ", and the run has gone its own way",
		      (unsigned long long)facts.chain);
		if (record->replay->segment_count > 1)
			print(output, "between resets: %zu of %zu\n", (size_t)record->segment + 1,
			      (size_t)record->replay->segment_count);
		print(output, "%s\n",
		      tl_history_difference(emulator->history)[0] != '\0' ? tl_history_difference(emulator->history)
									  : "So far it is the run that was recorded.");
	}
	if (record->recorder == NULL && record->replay == NULL)
		print(output, "The run is not recorded. \"monitor record save FILE\" writes what is remembered.\n");
}

/* Into a file: what a new machine needs to come here. */
static enum tl_status save(struct tl_emulator *emulator, const char *path, struct tl_recorder_facts *facts_ret,
			   struct tl_error *error)
{
	struct tl_recorder *recorder;
	struct tl_history_witness witness;
	struct tl_computer_position end;
	tl_u64 begun;
	bool told;

	TL_TRY(describe(emulator, error));
	TL_TRY(tl_recorder_open(&recorder, path, &emulator->record.machine, &emulator->computer, error));
	witness = witness_of(recorder);
	tl_history_end_epoch(emulator->history);
	told = tl_history_tell(emulator->history, &witness);
	end = tl_history_end(emulator->history, &begun);
	tl_recorder_end(recorder, &end, begun);
	tl_recorder_facts(recorder, facts_ret);
	if (tl_recorder_failure(recorder) != NULL) {
		(void)TL_FAIL(error, TL_ERROR_SYSTEM, "%s", tl_recorder_failure(recorder));
		tl_recorder_close(recorder);
		return TL_ERROR_SYSTEM;
	}
	tl_recorder_close(recorder);
	return told ? TL_OK
		    : TL_FAIL(error, TL_ERROR_STATE,
			      "the beginning of this run is forgotten: --record writes it down as it happens");
}

enum tl_status tl_emulator_record_save(struct tl_emulator *emulator, const char *path, struct tl_writer *output)
{
	struct tl_recorder_facts facts = {0};
	struct tl_error error;
	enum tl_status status = TL_ERROR_STATE;

	if (path[0] == '\0') {
		print(output, "Where to? monitor record save FILE\n");
		return TL_ERROR_ARGUMENT;
	}
	if (emulator->history == NULL)
		(void)TL_FAIL(&error, TL_ERROR_STATE, "nothing is remembered, so nothing can be saved");
	else if (emulator->record.dirty)
		(void)TL_FAIL(&error, TL_ERROR_STATE,
			      "the machine was reset, and what its disks were before that is not remembered: begin "
			      "with --record");
	else
		status = save(emulator, path, &facts, &error);
	if (status != TL_OK)
		print(output, "%s\n", error.text);
	else
		print(output, "%llu bytes, %llu inputs, %llu epochs, chain %016llx\n", (unsigned long long)facts.bytes,
		      (unsigned long long)facts.inputs, (unsigned long long)facts.epochs,
		      (unsigned long long)facts.chain);
	return status;
}

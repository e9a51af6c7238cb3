/* Recordings of a machine's run: written, read, replayed, damaged. */
#include "core/cursor.h"
#include "targets/emulator/history.h"
#include "targets/emulator/recorder.h"
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without these there is nothing to be tested. */
#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			abort();                                                                                       \
	} while (false)

#define MEMORY ((tl_u64)16 << 20)
#define CODE TL_BOARD_MEMORY
#define INTERVAL 20000
#define END 130000

/* x23 counts turns and goes to memory; x7 is a sum of what comes in at the serial port. */
static const tl_u32 program[] = {
	0x00010437, /* lui s0, 0x10 */
	0x00000497, /* auipc s1, 0 */
	0x00940433, /* add s0, s0, s1: a place behind the code */
	0x10000537, /* lui a0, 0x10000: the serial port */
	0x001b8b93, /* addi s7, s7, 1 */
	0x01743023, /* sd s7, 0(s0) */
	0x00554683, /* lbu a3, 5(a0) */
	0x0016f693, /* andi a3, a3, 1 */
	0xfe0688e3, /* beqz a3, -16 */
	0x00054703, /* lbu a4, 0(a0) */
	0x00e383b3, /* add t2, t2, a4 */
	0xfe0002e3, /* beqz zero, -28 */
};

static void build(struct tl_computer *computer, bool interpret, tl_u32 change)
{
	struct tl_computer_configuration configuration = {
		.harts = 2, .memory_size = MEMORY, .quantum = 5000, .interpret = interpret};
	tl_u8 code[sizeof(program)];
	struct tl_error error;

	for (tl_size i = 0; i < TL_COUNT(program); i++)
		tl_store_little(code + 4 * i, program[i], 4);
	tl_store_little(code + 16, program[4] + change, 4);
	MUST(tl_computer_open(computer, &configuration, &error) == TL_OK);
	MUST(tl_computer_load(computer, "the program", CODE, code, sizeof(code), 0, &error) == TL_OK);
	computer->entry = CODE;
	MUST(tl_computer_reset(computer, &error) == TL_OK);
}

static struct tl_history *remember(struct tl_computer *computer)
{
	struct tl_history_options options = {.interval = INTERVAL};
	struct tl_history *history = NULL;
	struct tl_error error;

	MUST(tl_history_open(&history, computer, &options, &error) == TL_OK);
	return history;
}

static void run_to(struct tl_history *history, tl_u64 begun)
{
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;

	limits.begun = begun;
	CHECK(tl_history_run(history, &limits) == TL_COMPUTER_REACHED);
}

static void type(struct tl_history *history, const char *text)
{
	struct tl_input input = {.kind = TL_INPUT_UART, .bytes = (const tl_u8 *)text, .size = strlen(text)};
	bool is_new;

	CHECK(tl_history_input(history, &input, &is_new) == input.size);
}

static void on_input(void *context, const struct tl_computer_position *position, const struct tl_input *input)
{
	tl_recorder_input(context, position, input);
}

static void on_epoch(void *context, const struct tl_epoch *epoch)
{
	tl_recorder_epoch(context, epoch);
}

static void on_cut(void *context, const struct tl_computer_position *position, tl_u64 inputs)
{
	tl_recorder_cut(context, position, inputs);
}

/* Where a test's file is. */
static void name_file(char *path_ret, tl_size size)
{
	const char *folder = getenv("TMPDIR");
	int file;

	snprintf(path_ret, size, "%s/trapline-recording-XXXXXX", folder != NULL ? folder : "/tmp");
	file = mkstemp(path_ret);
	MUST(file >= 0);
	close(file);
}

/*
 * A run with two inputs, the second of which is typed in a past that was gone back to when `changes` is set, in a file.
 */
static void record(const char *path, bool changes, tl_u64 *chain_ret)
{
	struct tl_computer computer;
	struct tl_history *history;
	struct tl_recorder *recorder;
	struct tl_recording_machine machine = {0};
	struct tl_history_witness witness = {on_input, on_epoch, on_cut, NULL};
	struct tl_computer_position moment, end;
	struct tl_recorder_facts facts;
	struct tl_error error;
	tl_u64 begun;

	build(&computer, false, 0);
	history = remember(&computer);
	tl_recorder_describe(&machine, &computer);
	MUST(tl_recorder_open(&recorder, path, &machine, &computer, &error) == TL_OK);
	witness.context = recorder;
	tl_history_set_witness(history, &witness);
	run_to(history, 30000);
	type(history, "a");
	run_to(history, 55000);
	moment = tl_computer_position(&computer);
	if (changes) {
		type(history, "q");
		run_to(history, 100000);
		CHECK(tl_history_go(history, &moment) == TL_BACK_DONE);
	}
	type(history, "b");
	run_to(history, END);
	CHECK(computer.harts[0].x[7] + computer.harts[1].x[7] == 'a' + 'b');
	tl_history_end_epoch(history);
	end = tl_history_end(history, &begun);
	tl_recorder_end(recorder, &end, begun);
	tl_recorder_facts(recorder, &facts);
	*chain_ret = facts.chain;
	CHECK(tl_recorder_failure(recorder) == NULL);
	tl_recorder_close(recorder);
	tl_history_close(history);
	tl_computer_close(&computer);
}

static void follow(struct tl_history *history, const struct tl_recording *recording)
{
	const struct tl_recording_segment *segment = &recording->segments[0];
	struct tl_history_future future = {.inputs = recording->inputs,
					   .input_count = segment->input_count,
					   .epochs = recording->epochs,
					   .epoch_count = segment->epoch_count,
					   .end = segment->end,
					   .end_begun = segment->end_begun};

	CHECK(tl_history_set_future(history, &future) == TL_OK);
}

static void check_replay(const char *path, bool interpret, tl_u64 chain)
{
	struct tl_computer computer;
	struct tl_recording recording;
	struct tl_history *history;
	struct tl_history_facts facts;
	struct tl_error error;

	MUST(tl_recording_open(&recording, path, &error) == TL_OK);
	CHECK(recording.complete && recording.remark[0] == '\0');
	CHECK(recording.input_count == 2 && recording.epoch_count >= 7 && recording.segment_count == 1);
	CHECK(recording.chain[recording.epoch_count - 1] == chain);
	build(&computer, interpret, 0);
	CHECK(tl_recording_made(&computer) == recording.machine.made);
	history = remember(&computer);
	follow(history, &recording);
	CHECK(tl_history_is_past(history) && !tl_history_is_shown(history));
	CHECK(tl_history_run(history, &TL_COMPUTER_FOREVER) == TL_COMPUTER_STOPPED);
	CHECK(tl_history_take_pause(history) == TL_HISTORY_PAUSE_END);
	tl_history_facts(history, &facts);
	CHECK(computer.begun == END && facts.epochs_met == recording.epoch_count && facts.chain == chain);
	CHECK(!facts.diverged && tl_history_difference(history)[0] == '\0');
	/* Back into it, and to its end again, where it stands again. */
	CHECK(tl_history_step_back(history, 0) == TL_BACK_DONE);
	CHECK(tl_history_is_past(history) && tl_history_is_shown(history));
	CHECK(tl_history_run(history, &TL_COMPUTER_FOREVER) == TL_COMPUTER_STOPPED);
	CHECK(tl_history_take_pause(history) == TL_HISTORY_PAUSE_END && computer.begun == END);
	/* And on, by itself. */
	run_to(history, END + 5000);
	tl_history_facts(history, &facts);
	CHECK(!facts.replaying && !facts.diverged);
	tl_history_close(history);
	tl_computer_close(&computer);
	tl_recording_close(&recording);
}

TEST(a_run_is_repeated_by_both_executors)
{
	char path[200];
	tl_u64 chain, changed;

	name_file(path, sizeof(path));
	record(path, false, &chain);
	check_replay(path, false, chain);
	check_replay(path, true, chain);
	/* What was gone back from is not in it. */
	record(path, true, &changed);
	check_replay(path, false, changed);
	check_replay(path, true, changed);
	unlink(path);
}

/* Replays with something changed, and returns what is said of it; of a buffer of its own. */
static const char *difference(const char *path, tl_u32 change, tl_u64 poked, tl_u64 *begun_ret)
{
	static char text[800];
	struct tl_computer computer;
	struct tl_recording recording;
	struct tl_history *history;
	struct tl_error error;

	MUST(tl_recording_open(&recording, path, &error) == TL_OK);
	build(&computer, false, change);
	if (poked != 0)
		computer.memory[poked - TL_BOARD_MEMORY] ^= 0x40;
	history = remember(&computer);
	follow(history, &recording);
	if (poked == TL_BOARD_MEMORY + 0x20000) { /* while it runs */
		run_to(history, 25000);
		*tl_computer_change(&computer, poked, 1) = 0x55;
	}
	CHECK(tl_history_run(history, &TL_COMPUTER_FOREVER) == TL_COMPUTER_STOPPED);
	CHECK(tl_history_take_pause(history) == TL_HISTORY_PAUSE_DIFFERENCE);
	*begun_ret = computer.begun;
	snprintf(text, sizeof(text), "%s", tl_history_difference(history));
	tl_history_close(history);
	tl_computer_close(&computer);
	tl_recording_close(&recording);
	return text;
}

TEST(another_run_is_told_where_and_how)
{
	char path[200];
	const char *text;
	tl_u64 chain, begun;

	name_file(path, sizeof(path));
	record(path, false, &chain);
	text = difference(path, 1u << 20, 0, &begun); /* counts by 2 */
	CHECK(begun == INTERVAL);
	CHECK(strstr(text, "epoch 1, which ends at the count of 20000") != NULL);
	CHECK(strstr(text, "hart 0: x[23]") != NULL && strstr(text, "hart 1: x[23]") != NULL);
	CHECK(strstr(text, "the page of memory at 0x80010000") != NULL);
	text = difference(path, 0, TL_BOARD_MEMORY + 0x20000, &begun);
	CHECK(begun == (tl_u64)2 * INTERVAL);
	CHECK(strstr(text, "epoch 2") != NULL && strstr(text, "hart") == NULL);
	CHECK(strstr(text, "a page that the recorded run did not change") != NULL);
	unlink(path);
}

static tl_u8 *read_all(const char *path, tl_size *size_ret)
{
	FILE *file = fopen(path, "rb");
	tl_u8 *bytes = malloc(1 << 20);

	MUST(file != NULL && bytes != NULL);
	*size_ret = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

/* Reads a copy of what is there; true when it is a whole recording. */
static bool is_whole(const tl_u8 *bytes, tl_size size, tl_size *epochs_ret)
{
	struct tl_recording recording;
	struct tl_error error = {.text = ""};
	tl_u8 *copy = malloc(size + 1);
	bool whole;

	MUST(copy != NULL);
	memcpy(copy, bytes, size);
	*epochs_ret = 0;
	if (tl_recording_parse(&recording, copy, size, &error) != TL_OK) {
		CHECK(error.text[0] != '\0');
		return false;
	}
	whole = recording.complete;
	CHECK(whole == (recording.remark[0] == '\0'));
	*epochs_ret = recording.epoch_count;
	tl_recording_close(&recording);
	return whole;
}

TEST(damage_is_seen)
{
	char path[200];
	tl_size size, epochs, all, before = 0;
	tl_u64 chain;
	tl_u8 *bytes;

	name_file(path, sizeof(path));
	record(path, false, &chain);
	bytes = read_all(path, &size);
	unlink(path);
	CHECK(is_whole(bytes, size, &all) && all >= 7);
	for (tl_size i = 0; i < size; i++) {
		bytes[i] ^= (tl_u8)(1u << i % 8);
		CHECK(!is_whole(bytes, size, &epochs) && epochs <= all);
		bytes[i] ^= (tl_u8)(1u << i % 8);
	}
	/* Cut off anywhere, what is whole is used. */
	for (tl_size i = 0; i < size; i++) {
		CHECK(!is_whole(bytes, i, &epochs) && epochs >= before);
		before = epochs;
	}
	CHECK(before == all);
	/* What is behind the end does not matter. */
	bytes[size] = 77;
	CHECK(is_whole(bytes, size + 1, &epochs) && epochs == all);
	free(bytes);
}

TEST(a_file_that_cannot_be_written_ends_the_recording_and_not_the_run)
{
	struct tl_computer computer;
	struct tl_recorder *recorder = NULL;
	struct tl_recording_machine machine = {0};
	struct tl_error error;

	build(&computer, true, 0);
	tl_recorder_describe(&machine, &computer);
	CHECK(tl_recorder_open(&recorder, "/no/such/folder/x", &machine, &computer, &error) == TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "/no/such/folder/x") != NULL);
	if (access("/dev/full", W_OK) == 0) {
		CHECK(tl_recorder_open(&recorder, "/dev/full", &machine, &computer, &error) == TL_ERROR_SYSTEM);
		CHECK(strstr(error.text, "cannot be written") != NULL);
	}
	tl_computer_close(&computer);
}

#include "targets/emulator/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

/* Images are packed while the user waits. */
#define PACKING_LEVEL 1

/* The end of an epoch of this segment, so that what is behind it can be taken back. */
struct mark {
	struct tl_computer_position position;
	tl_u64 inputs; /* that are before it, or with it */
	tl_u64 offset; /* behind it */
	tl_u64 check, chain, epochs;
};

struct tl_recorder {
	int file;
	tl_u64 offset, check, chain;
	tl_u64 inputs, epochs; /* of the segment, and of all */
	struct mark *marks;
	tl_size count, capacity;
	tl_u8 *record; /* what is being put together */
	tl_size size, room;
	bool no_room;
	struct tl_error failure; /* status TL_OK: none */
	char path[TL_RECORDING_PATH + 1];
};

/* ---- Putting a record together ---- */

static void put_bytes(struct tl_recorder *recorder, const void *bytes, tl_size size)
{
	tl_size room = recorder->room * 2 > recorder->size + size ? recorder->room * 2 : recorder->size + size + 256;
	tl_u8 *grown;

	if (recorder->size + size > recorder->room) {
		grown = realloc(recorder->record, room);
		if (grown == NULL) {
			recorder->no_room = true;
			return;
		}
		recorder->record = grown;
		recorder->room = room;
	}
	if (size != 0)
		memcpy(recorder->record + recorder->size, bytes, size);
	recorder->size += size;
}

static void put(struct tl_recorder *recorder, tl_u64 value, tl_size size)
{
	tl_u8 bytes[8];

	tl_store_little(bytes, value, size);
	put_bytes(recorder, bytes, size);
}

static void put_text(struct tl_recorder *recorder, const char *text)
{
	tl_size size = text != NULL ? strlen(text) : 0;

	put(recorder, text != NULL, 1);
	put(recorder, size, 4);
	put_bytes(recorder, text, size);
}

static void put_position(struct tl_recorder *recorder, const struct tl_computer_position *position)
{
	put(recorder, position->round, 8);
	put(recorder, position->turn, 4);
	put(recorder, position->now, 8);
}

static void begin_record(struct tl_recorder *recorder)
{
	static const tl_u8 header[TL_RECORDING_RECORD];

	recorder->size = 0;
	recorder->no_room = false;
	put_bytes(recorder, header, sizeof(header));
}

/* ---- Writing it ---- */

static void fail(struct tl_recorder *recorder, enum tl_status status)
{
	if (recorder->failure.status == TL_OK)
		(void)TL_FAIL_ERRNO(&recorder->failure, status,
				    "the recording %.300s ends here, for it cannot be written", recorder->path);
}

static void write_all(struct tl_recorder *recorder, const tl_u8 *bytes, tl_size size)
{
	tl_size done = 0;

	while (done < size && recorder->failure.status == TL_OK) {
		ssize_t written = pwrite(recorder->file, bytes + done, size - done, (off_t)(recorder->offset + done));

		if (written < 0 && errno != EINTR)
			fail(recorder, TL_ERROR_SYSTEM);
		if (written > 0)
			done += (tl_size)written;
	}
	recorder->offset += done;
}

static void end_record(struct tl_recorder *recorder, enum tl_record kind)
{
	tl_u32 size = (tl_u32)(recorder->size - TL_RECORDING_RECORD);

	if (recorder->failure.status != TL_OK)
		return;
	if (recorder->no_room || recorder->size > TL_RECORDING_RECORD_MAX + TL_RECORDING_RECORD) {
		errno = ENOMEM;
		fail(recorder, TL_ERROR_NO_MEMORY);
		return;
	}
	recorder->check =
		tl_recording_check(recorder->check, (tl_u32)kind, recorder->record + TL_RECORDING_RECORD, size);
	tl_store_little(recorder->record, (tl_u64)kind, 4);
	tl_store_little(recorder->record + 4, size, 4);
	tl_store_little(recorder->record + 8, recorder->check, 8);
	write_all(recorder, recorder->record, recorder->size);
}

static void mark(struct tl_recorder *recorder, const struct tl_computer_position *position)
{
	struct mark *grown;
	tl_size capacity = recorder->capacity * 2 + 64;

	if (recorder->count == recorder->capacity) {
		grown = realloc(recorder->marks, capacity * sizeof(*grown));
		if (grown == NULL) {
			errno = ENOMEM;
			fail(recorder, TL_ERROR_NO_MEMORY);
			return;
		}
		recorder->marks = grown;
		recorder->capacity = capacity;
	}
	recorder->marks[recorder->count++] = (struct mark){.position = *position,
							   .inputs = recorder->inputs,
							   .offset = recorder->offset,
							   .check = recorder->check,
							   .chain = recorder->chain,
							   .epochs = recorder->epochs};
}

/* ---- What is told first ---- */

static void write_machine(struct tl_recorder *recorder, const struct tl_recording_machine *machine)
{
	begin_record(recorder);
	put(recorder, machine->harts, 4);
	put(recorder, machine->quantum, 4);
	put(recorder, machine->memory_size, 8);
	put(recorder, machine->start_time, 8);
	put(recorder, machine->tree_seed, 8);
	put(recorder, machine->entry, 8);
	put(recorder, machine->next_entry, 8);
	put(recorder, machine->initrd_start, 8);
	put(recorder, machine->initrd_end, 8);
	put(recorder, machine->made, 8);
	put(recorder, machine->network, 1);
	put_bytes(recorder, machine->random, sizeof(machine->random));
	put_text(recorder, machine->command_line);
	put_text(recorder, machine->program);
	end_record(recorder, TL_RECORD_MACHINE);
	for (tl_u32 i = 0; i < machine->disk_count; i++) {
		begin_record(recorder);
		put(recorder, machine->disks[i].mode, 4);
		put(recorder, machine->disks[i].size, 8);
		put(recorder, machine->disks[i].hash, 8);
		put_text(recorder, machine->disks[i].path);
		end_record(recorder, TL_RECORD_DISK);
	}
}

static void write_piece(struct tl_recorder *recorder, const tl_u8 *bytes, tl_u32 size, tl_u8 *packed, tl_size room)
{
	size_t got = ZSTD_compress(packed, room, bytes, size, PACKING_LEVEL);

	if (ZSTD_isError(got)) {
		errno = ENOMEM;
		fail(recorder, TL_ERROR_NO_MEMORY);
		return;
	}
	begin_record(recorder);
	put(recorder, size, 4);
	put_bytes(recorder, packed, got);
	end_record(recorder, TL_RECORD_PIECE);
}

static void write_image(struct tl_recorder *recorder, const struct tl_computer_image *image)
{
	tl_size room = ZSTD_compressBound(TL_RECORDING_PIECE);
	tl_u8 *packed = malloc(room);

	if (packed == NULL) {
		errno = ENOMEM;
		fail(recorder, TL_ERROR_NO_MEMORY);
		return;
	}
	begin_record(recorder);
	put(recorder, image->address, 8);
	put(recorder, image->size, 8);
	put(recorder, image->memory_size, 8);
	end_record(recorder, TL_RECORD_IMAGE);
	for (tl_u64 at = 0; at < image->size && recorder->failure.status == TL_OK; at += TL_RECORDING_PIECE) {
		tl_u64 size = image->size - at < TL_RECORDING_PIECE ? image->size - at : TL_RECORDING_PIECE;

		write_piece(recorder, image->bytes + at, (tl_u32)size, packed, room);
	}
	free(packed);
}

static void write_header(struct tl_recorder *recorder)
{
	tl_u8 header[TL_RECORDING_HEADER] = TL_RECORDING_MAGIC;

	tl_store_little(header + 8, TL_RECORDING_VERSION, 4);
	tl_store_little(header + 12, 0, 4);
	recorder->check = tl_recording_check(0, 0, header, sizeof(header));
	write_all(recorder, header, sizeof(header));
}

enum tl_status tl_recorder_open(struct tl_recorder **recorder_ret, const char *path,
				const struct tl_recording_machine *machine, const struct tl_computer *computer,
				struct tl_error *error)
{
	static const struct tl_computer_position beginning;
	struct tl_recorder *recorder = calloc(1, sizeof(*recorder));
	enum tl_status status;

	if (recorder == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to record a run");
	strncpy(recorder->path, path, sizeof(recorder->path) - 1);
	recorder->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (recorder->file < 0) {
		free(recorder);
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the recording %s cannot be written", path);
	}
	write_header(recorder);
	write_machine(recorder, machine);
	for (tl_u32 i = 0; i < computer->image_count; i++)
		write_image(recorder, &computer->images[i]);
	begin_record(recorder);
	end_record(recorder, TL_RECORD_BEGIN);
	mark(recorder, &beginning);
	status = recorder->failure.status;
	if (status != TL_OK) {
		if (error != NULL)
			*error = recorder->failure;
		tl_recorder_close(recorder);
		return status;
	}
	*recorder_ret = recorder;
	return TL_OK;
}

void tl_recorder_close(struct tl_recorder *recorder)
{
	if (recorder == NULL)
		return;
	(void)close(recorder->file);
	free(recorder->marks);
	free(recorder->record);
	free(recorder);
}

void tl_recorder_describe(struct tl_recording_machine *machine, const struct tl_computer *computer)
{
	const struct tl_computer_configuration *configuration = &computer->configuration;

	machine->harts = configuration->harts;
	machine->quantum = configuration->quantum;
	machine->memory_size = configuration->memory_size;
	machine->start_time = configuration->start_time;
	machine->tree_seed = configuration->seed;
	machine->entry = computer->entry;
	machine->next_entry = computer->next_entry;
	machine->initrd_start = computer->initrd_start;
	machine->initrd_end = computer->initrd_end;
	machine->command_line = computer->command_line;
	machine->made = tl_recording_made(computer);
}

/* ---- What is told as the run goes on ---- */

void tl_recorder_input(struct tl_recorder *recorder, const struct tl_computer_position *position,
		       const struct tl_input *input)
{
	begin_record(recorder);
	put_position(recorder, position);
	put(recorder, (tl_u64)input->kind, 4);
	put(recorder, input->hart, 4);
	put(recorder, input->number, 8);
	put(recorder, input->size, 4);
	if (input->bytes != NULL)
		put_bytes(recorder, input->bytes, input->size);
	end_record(recorder, TL_RECORD_INPUT);
	recorder->inputs++;
}

void tl_recorder_epoch(struct tl_recorder *recorder, const struct tl_epoch *epoch)
{
	tl_u32 pages = epoch->page_count < TL_RECORDING_PAGES ? epoch->page_count : TL_RECORDING_PAGES;

	recorder->chain = tl_epoch_chain(recorder->chain, epoch);
	begin_record(recorder);
	put_position(recorder, &epoch->position);
	put(recorder, epoch->begun, 8);
	put(recorder, epoch->inputs, 8);
	put(recorder, epoch->memory, 8);
	put(recorder, epoch->disks, 8);
	put(recorder, recorder->chain, 8);
	put(recorder, epoch->harts, 4);
	put(recorder, epoch->device_count, 4);
	put(recorder, pages, 4);
	for (tl_u32 i = 0; i < epoch->device_count; i++)
		put(recorder, epoch->devices[i], 8);
	for (tl_u32 i = 0; i < epoch->harts * TL_EPOCH_REGISTERS; i++)
		put(recorder, epoch->registers[i], 8);
	for (tl_u32 i = 0; i < pages; i++) {
		put(recorder, epoch->pages[i].number, 4);
		put(recorder, epoch->pages[i].hash, 4);
	}
	end_record(recorder, TL_RECORD_EPOCH);
	recorder->epochs++;
	mark(recorder, &epoch->position);
}

static void write_end(struct tl_recorder *recorder, enum tl_record kind, const struct tl_computer_position *position,
		      tl_u64 begun, bool user)
{
	begin_record(recorder);
	put_position(recorder, position);
	put(recorder, begun, 8);
	put(recorder, user, 1);
	end_record(recorder, kind);
}

void tl_recorder_reset(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 begun,
		       bool user)
{
	static const struct tl_computer_position beginning;

	write_end(recorder, TL_RECORD_RESET, position, begun, user);
	recorder->inputs = 0;
	recorder->count = 0;
	mark(recorder, &beginning);
}

void tl_recorder_end(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 begun)
{
	write_end(recorder, TL_RECORD_END, position, begun, false);
}

/* Passes over the next record, as it stands in the file, when it is an input up to the position. */
static bool keep_input(struct tl_recorder *recorder, const struct tl_computer_position *position)
{
	tl_u8 bytes[TL_RECORDING_RECORD + 20];
	struct tl_computer_position there;

	if (pread(recorder->file, bytes, sizeof(bytes), (off_t)recorder->offset) != sizeof(bytes) ||
	    tl_load_little(bytes, 4) != TL_RECORD_INPUT)
		return false;
	there = (struct tl_computer_position){.round = tl_load_little(bytes + TL_RECORDING_RECORD, 8),
					      .turn = (tl_u32)tl_load_little(bytes + TL_RECORDING_RECORD + 8, 4),
					      .now = tl_load_little(bytes + TL_RECORDING_RECORD + 12, 8)};
	if (tl_computer_compare(&there, position) > 0)
		return false;
	recorder->offset += TL_RECORDING_RECORD + tl_load_little(bytes + 4, 4);
	recorder->check = tl_load_little(bytes + 8, 8);
	recorder->inputs++;
	return true;
}

void tl_recorder_cut(struct tl_recorder *recorder, const struct tl_computer_position *position, tl_u64 inputs)
{
	const struct mark *last;
	tl_u64 end;
	tl_size count = recorder->count;

	if (recorder->failure.status != TL_OK)
		return;
	/* The first is the segment's beginning, and stays. */
	while (count > 1 && (recorder->marks[count - 1].inputs > inputs ||
			     tl_computer_compare(&recorder->marks[count - 1].position, position) > 0))
		count--;
	recorder->count = count;
	last = &recorder->marks[count - 1];
	end = recorder->offset;
	recorder->offset = last->offset;
	recorder->check = last->check;
	recorder->chain = last->chain;
	recorder->inputs = last->inputs;
	recorder->epochs = last->epochs;
	while (recorder->inputs < inputs && recorder->offset < end && keep_input(recorder, position))
		continue;
	if (ftruncate(recorder->file, (off_t)recorder->offset) != 0)
		fail(recorder, TL_ERROR_SYSTEM);
}

const char *tl_recorder_failure(const struct tl_recorder *recorder)
{
	return recorder->failure.status != TL_OK ? recorder->failure.text : NULL;
}

void tl_recorder_facts(const struct tl_recorder *recorder, struct tl_recorder_facts *facts_ret)
{
	*facts_ret = (struct tl_recorder_facts){.bytes = recorder->offset,
						.inputs = recorder->inputs,
						.epochs = recorder->epochs,
						.chain = recorder->chain};
}

#include "targets/emulator/recording.h"

#include "machine/device_tree.h"
#include "targets/emulator/computer_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

tl_u64 tl_recording_check(tl_u64 before, tl_u32 kind, const void *bytes, tl_u32 size)
{
	return XXH3_64bits_withSeed(bytes, size, before + ((tl_u64)kind << 32 | size) * 0x9e3779b97f4a7c15);
}

tl_u64 tl_recording_made(const struct tl_computer *computer)
{
	const tl_u8 *tree = computer->memory + (tl_computer_tree_place(computer) - TL_BOARD_MEMORY);

	return XXH3_64bits_withSeed(tree, TL_DEVICE_TREE_MAX,
				    XXH3_64bits(computer->board.rom, sizeof(computer->board.rom)));
}

/* ---- Pieces of records ---- */

static struct tl_computer_position take_position(struct tl_cursor *from)
{
	struct tl_computer_position position = {.round = tl_cursor_little(from, 8)};

	position.turn = (tl_u32)tl_cursor_little(from, 4);
	position.now = tl_cursor_little(from, 8);
	return position;
}

/* A copy of a text; false when it is none, or too long. */
static bool take_text(struct tl_cursor *from, tl_size most, char **text_ret)
{
	bool any = tl_cursor_byte(from) != 0;
	tl_size size = (tl_size)tl_cursor_little(from, 4);
	struct tl_cursor text;

	if (from->failed || size > most)
		return false;
	text = tl_cursor_take(from, size);
	if (from->failed || !any)
		return !from->failed;
	if (size != 0 && memchr(text.at, '\0', size) != NULL)
		return false;
	*text_ret = strndup((const char *)text.at, size);
	return *text_ret != NULL;
}

/* One more of a list. */
static bool grow(void **list, tl_size *capacity, tl_size count, tl_size size)
{
	tl_size more = *capacity * 2 + 16;
	void *grown;

	if (count < *capacity)
		return true;
	grown = realloc(*list, more * size);
	if (grown == NULL)
		return false;
	*list = grown;
	*capacity = more;
	return true;
}

/* ---- What the machine is made of ---- */

static bool read_machine(struct tl_recording *recording, struct tl_cursor from)
{
	struct tl_recording_machine *machine = &recording->machine;
	struct tl_cursor random;

	machine->harts = (tl_u32)tl_cursor_little(&from, 4);
	machine->quantum = (tl_u32)tl_cursor_little(&from, 4);
	machine->memory_size = tl_cursor_little(&from, 8);
	machine->start_time = tl_cursor_little(&from, 8);
	machine->tree_seed = tl_cursor_little(&from, 8);
	machine->entry = tl_cursor_little(&from, 8);
	machine->next_entry = tl_cursor_little(&from, 8);
	machine->initrd_start = tl_cursor_little(&from, 8);
	machine->initrd_end = tl_cursor_little(&from, 8);
	machine->made = tl_cursor_little(&from, 8);
	machine->network = tl_cursor_byte(&from) != 0;
	random = tl_cursor_take(&from, sizeof(machine->random));
	if (from.failed || machine->harts == 0 || machine->harts > TL_BOARD_HARTS_MAX ||
	    machine->quantum > TL_COMPUTER_QUANTUM_MAX || machine->memory_size < TL_COMPUTER_MEMORY_MIN ||
	    machine->memory_size > TL_COMPUTER_MEMORY_MAX)
		return false;
	memcpy(machine->random, random.at, sizeof(machine->random));
	return take_text(&from, TL_RECORDING_COMMAND_LINE, &machine->command_line) &&
	       take_text(&from, TL_RECORDING_PATH, &machine->program);
}

static bool read_disk(struct tl_recording *recording, struct tl_cursor from)
{
	struct tl_recording_machine *machine = &recording->machine;
	struct tl_recording_disk *disk = &machine->disks[machine->disk_count];

	if (machine->disk_count == TL_RECORDING_DISKS)
		return false;
	disk->mode = (tl_u32)tl_cursor_little(&from, 4);
	disk->size = tl_cursor_little(&from, 8);
	disk->hash = tl_cursor_little(&from, 8);
	if (!take_text(&from, TL_RECORDING_PATH, &disk->path) || disk->path == NULL) {
		free(disk->path);
		disk->path = NULL;
		return false;
	}
	machine->disk_count++;
	return true;
}

/* The image that is being put together: its memory_size is known, and its size grows to what is wanted. */
struct image {
	tl_u64 wanted, all;
};

static bool read_image(struct tl_recording *recording, struct tl_cursor from, struct image *image)
{
	struct tl_computer_image *next = &recording->images[recording->image_count];

	if (recording->image_count == TL_COMPUTER_IMAGES || image->wanted != 0)
		return false;
	next->address = tl_cursor_little(&from, 8);
	image->wanted = tl_cursor_little(&from, 8);
	next->memory_size = tl_cursor_little(&from, 8);
	if (from.failed || image->wanted > recording->machine.memory_size ||
	    next->memory_size > recording->machine.memory_size || image->wanted > TL_RECORDING_IMAGES - image->all)
		return false;
	recording->image_count++;
	return true;
}

static bool read_piece(struct tl_recording *recording, struct tl_cursor from, struct image *image)
{
	struct tl_computer_image *last;
	tl_u64 size = tl_cursor_little(&from, 4);
	tl_u8 *grown;

	if (from.failed || size == 0 || size > TL_RECORDING_PIECE || size > image->wanted)
		return false;
	last = &recording->images[recording->image_count - 1];
	grown = realloc(last->bytes, last->size + size);
	if (grown == NULL)
		return false;
	last->bytes = grown;
	if (ZSTD_decompress(grown + last->size, size, from.at, tl_cursor_left(&from)) != size)
		return false;
	last->size += size;
	image->wanted -= size;
	image->all += size;
	return true;
}

/* ---- What happened ---- */

static struct tl_recording_segment *segment(const struct tl_recording *recording)
{
	return &recording->segments[recording->segment_count - 1];
}

static bool begin_segment(struct tl_recording *recording)
{
	if (!grow((void **)&recording->segments, &recording->segment_capacity, recording->segment_count,
		  sizeof(*recording->segments)))
		return false;
	recording->segments[recording->segment_count++] = (struct tl_recording_segment){
		.first_input = recording->input_count, .first_epoch = recording->epoch_count};
	return true;
}

/* Time only goes on. */
static bool reach(const struct tl_recording *recording, const struct tl_computer_position *position)
{
	struct tl_recording_segment *now = segment(recording);

	if (position->turn >= recording->machine.harts || tl_computer_compare(position, &now->end) < 0)
		return false;
	now->end = *position;
	return true;
}

static bool read_input(struct tl_recording *recording, struct tl_cursor from)
{
	struct tl_recorded_input *input;
	tl_u32 kind;

	if (!grow((void **)&recording->inputs, &recording->input_capacity, recording->input_count, sizeof(*input)))
		return false;
	input = &recording->inputs[recording->input_count];
	*input = (struct tl_recorded_input){.position = take_position(&from)};
	kind = (tl_u32)tl_cursor_little(&from, 4);
	input->input.kind = (enum tl_input_kind)kind;
	input->input.hart = (tl_u32)tl_cursor_little(&from, 4);
	input->input.number = tl_cursor_little(&from, 8);
	input->input.size = (tl_size)tl_cursor_little(&from, 4);
	if (from.failed || kind > TL_INPUT_HOLD || input->input.size == 0)
		return false;
	if (kind == TL_INPUT_UART || kind == TL_INPUT_SLOT || kind == TL_INPUT_MEMORY || kind == TL_INPUT_REGISTER)
		input->input.bytes = tl_cursor_take(&from, input->input.size).at;
	else if (input->input.size != 1)
		return false;
	if (from.failed || !reach(recording, &input->position))
		return false;
	recording->input_count++;
	segment(recording)->input_count++;
	return true;
}

static bool read_registers_and_pages(struct tl_epoch *epoch, struct tl_cursor *from)
{
	tl_size registers = (tl_size)epoch->harts * TL_EPOCH_REGISTERS;

	for (tl_u32 i = 0; i < epoch->device_count; i++)
		epoch->devices[i] = tl_cursor_little(from, 8);
	if (from->failed || tl_cursor_left(from) != registers * 8 + (tl_size)epoch->page_count * 8)
		return false;
	epoch->registers = malloc(registers * sizeof(*epoch->registers));
	epoch->pages = malloc((epoch->page_count + 1) * sizeof(*epoch->pages));
	if (epoch->registers == NULL || epoch->pages == NULL)
		return false;
	for (tl_size i = 0; i < registers; i++)
		epoch->registers[i] = tl_cursor_little(from, 8);
	for (tl_u32 i = 0; i < epoch->page_count; i++) {
		epoch->pages[i].number = (tl_u32)tl_cursor_little(from, 4);
		epoch->pages[i].hash = (tl_u32)tl_cursor_little(from, 4);
	}
	return true;
}

static bool add_epoch(struct tl_recording *recording, const struct tl_epoch *epoch, tl_u64 chain)
{
	tl_u64 before = recording->epoch_count != 0 ? recording->chain[recording->epoch_count - 1] : 0;

	if (epoch->inputs != segment(recording)->input_count || tl_epoch_chain(before, epoch) != chain ||
	    !reach(recording, &epoch->position) ||
	    !grow((void **)&recording->epochs, &recording->epoch_capacity, recording->epoch_count, sizeof(*epoch)) ||
	    !grow((void **)&recording->chain, &recording->chain_capacity, recording->epoch_count, sizeof(chain)))
		return false;
	recording->epochs[recording->epoch_count] = *epoch;
	recording->chain[recording->epoch_count++] = chain;
	segment(recording)->epoch_count++;
	segment(recording)->end_begun = epoch->begun;
	return true;
}

static bool read_epoch(struct tl_recording *recording, struct tl_cursor from)
{
	struct tl_epoch epoch = {.position = take_position(&from)};
	tl_u64 chain;

	epoch.begun = tl_cursor_little(&from, 8);
	epoch.inputs = tl_cursor_little(&from, 8);
	epoch.memory = tl_cursor_little(&from, 8);
	epoch.disks = tl_cursor_little(&from, 8);
	chain = tl_cursor_little(&from, 8);
	epoch.harts = (tl_u32)tl_cursor_little(&from, 4);
	epoch.device_count = (tl_u32)tl_cursor_little(&from, 4);
	epoch.page_count = (tl_u32)tl_cursor_little(&from, 4);
	if (from.failed || epoch.harts != recording->machine.harts || epoch.device_count > TL_EPOCH_DEVICES ||
	    epoch.page_count > TL_RECORDING_PAGES)
		return false;
	if (read_registers_and_pages(&epoch, &from) && add_epoch(recording, &epoch, chain))
		return true;
	tl_epoch_clear(&epoch);
	return false;
}

static bool read_end(struct tl_recording *recording, struct tl_cursor from, bool reset)
{
	struct tl_computer_position position = take_position(&from);
	tl_u64 begun = tl_cursor_little(&from, 8);
	bool user = tl_cursor_byte(&from) != 0;

	if (from.failed || !reach(recording, &position))
		return false;
	segment(recording)->end_begun = begun;
	segment(recording)->user_reset = user;
	recording->complete = !reset;
	return !reset || begin_segment(recording);
}

/* ---- The file ---- */

/* How far reading has come. */
struct reading {
	tl_u64 at, check;
	struct image image;
	bool machine, began;
	const char *wrong; /* why it does not go on; NULL: it does */
};

static bool read_record(struct tl_recording *recording, struct reading *reading, tl_u32 kind, struct tl_cursor from)
{
	if (kind == TL_RECORD_MACHINE)
		return !reading->machine && (reading->machine = read_machine(recording, from));
	if (!reading->machine)
		return false;
	if (kind == TL_RECORD_BEGIN) {
		if (reading->began || reading->image.wanted != 0)
			return false;
		return reading->began = begin_segment(recording);
	}
	if (!reading->began)
		return kind == TL_RECORD_DISK    ? read_disk(recording, from)
		       : kind == TL_RECORD_IMAGE ? read_image(recording, from, &reading->image)
		       : kind == TL_RECORD_PIECE ? read_piece(recording, from, &reading->image)
						 : false;
	switch (kind) {
	case TL_RECORD_INPUT:
		return read_input(recording, from);
	case TL_RECORD_EPOCH:
		return read_epoch(recording, from);
	case TL_RECORD_RESET:
	case TL_RECORD_END:
		return read_end(recording, from, kind == TL_RECORD_RESET);
	default:
		return false;
	}
}

/* The next record; false when there is none, or it is wrong. */
static bool next(struct tl_recording *recording, struct reading *reading)
{
	const tl_u8 *header = recording->bytes + reading->at;
	tl_u64 left = recording->size - reading->at, check;
	tl_u32 kind, size;

	if (left == 0 || recording->complete)
		return false;
	reading->wrong = "it ends in the middle of a record";
	if (left < TL_RECORDING_RECORD)
		return false;
	kind = (tl_u32)tl_load_little(header, 4);
	size = (tl_u32)tl_load_little(header + 4, 4);
	if (size > TL_RECORDING_RECORD_MAX) {
		reading->wrong = "it is damaged";
		return false;
	}
	if (size > left - TL_RECORDING_RECORD)
		return false;
	reading->wrong = "it is damaged";
	check = tl_recording_check(reading->check, kind, header + TL_RECORDING_RECORD, size);
	if (check != tl_load_little(header + 8, 8))
		return false;
	reading->wrong = "a record in it makes no sense";
	if (!read_record(recording, reading, kind, tl_cursor_make(header + TL_RECORDING_RECORD, size)))
		return false;
	reading->wrong = NULL;
	reading->at += TL_RECORDING_RECORD + size;
	reading->check = check;
	return true;
}

static enum tl_status parse(struct tl_recording *recording, struct tl_error *error)
{
	struct reading reading = {.at = TL_RECORDING_HEADER};

	if (recording->size < TL_RECORDING_HEADER || memcmp(recording->bytes, TL_RECORDING_MAGIC, 8) != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "this is no recording of a machine");
	if (tl_load_little(recording->bytes + 8, 4) != TL_RECORDING_VERSION)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "this recording is of version %u, and only version %d is known here",
			       (unsigned)tl_load_little(recording->bytes + 8, 4), TL_RECORDING_VERSION);
	reading.check = tl_recording_check(0, 0, recording->bytes, TL_RECORDING_HEADER);
	while (next(recording, &reading))
		continue;
	if (!reading.began)
		return TL_FAIL(error, TL_ERROR_MALFORMED,
			       "of this recording not even the machine is whole: %s at byte %llu",
			       reading.wrong != NULL ? reading.wrong : "it ends", (unsigned long long)reading.at);
	if (!recording->complete)
		snprintf(recording->remark, sizeof(recording->remark),
			 "The recording was not ended: %s at byte %llu. What is before that is used.",
			 reading.wrong != NULL ? reading.wrong : "the file ends", (unsigned long long)reading.at);
	return TL_OK;
}

enum tl_status tl_recording_parse(struct tl_recording *recording_ret, tl_u8 *bytes, tl_u64 size, struct tl_error *error)
{
	enum tl_status status;

	*recording_ret = (struct tl_recording){.bytes = bytes, .size = size};
	status = parse(recording_ret, error);
	if (status != TL_OK)
		tl_recording_close(recording_ret);
	return status;
}

static enum tl_status read_all(int file, const char *path, tl_u8 **bytes_ret, tl_u64 *size_ret, struct tl_error *error)
{
	struct stat about;
	tl_u64 done = 0;

	if (fstat(file, &about) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the recording %s cannot be read", path);
	if (!S_ISREG(about.st_mode) || (tl_u64)about.st_size > TL_RECORDING_SIZE_MAX)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is no recording of a machine", path);
	*bytes_ret = malloc((size_t)about.st_size + 1);
	if (*bytes_ret == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room for the recording %s", path);
	while (done < (tl_u64)about.st_size) {
		ssize_t got = read(file, *bytes_ret + done, (size_t)about.st_size - done);

		if (got == 0)
			break; /* it became shorter: that is seen later */
		if (got < 0 && errno != EINTR) {
			free(*bytes_ret);
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the recording %s cannot be read", path);
		}
		done += got > 0 ? (tl_u64)got : 0;
	}
	*size_ret = done;
	return TL_OK;
}

enum tl_status tl_recording_open(struct tl_recording *recording_ret, const char *path, struct tl_error *error)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum tl_status status;
	tl_u8 *bytes = NULL;
	tl_u64 size = 0;

	if (file < 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the recording %s cannot be opened", path);
	status = read_all(file, path, &bytes, &size, error);
	(void)close(file);
	TL_TRY(status);
	return tl_recording_parse(recording_ret, bytes, size, error);
}

void tl_recording_close(struct tl_recording *recording)
{
	free(recording->machine.command_line);
	free(recording->machine.program);
	for (tl_u32 i = 0; i < TL_RECORDING_DISKS; i++)
		free(recording->machine.disks[i].path);
	for (tl_u32 i = 0; i < recording->image_count; i++)
		free(recording->images[i].bytes);
	for (tl_size i = 0; i < recording->epoch_count; i++)
		tl_epoch_clear(&recording->epochs[i]);
	free(recording->inputs);
	free(recording->epochs);
	free(recording->chain);
	free(recording->segments);
	free(recording->bytes);
	*recording = (struct tl_recording){0};
}

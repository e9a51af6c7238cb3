/*
 * Disks, random bytes and the network of the machine. The network lives on the control thread, in its loop; what
 * arrives there wakes the machine's thread, which lets it in between two runs.
 */
#include "targets/emulator/target_internal.h"

#include "core/cursor.h"

#include <string.h>

static void frames_arrived(void *context)
{
	struct tl_emulator *emulator = context;

	pthread_mutex_lock(&emulator->lock);
	emulator->frames = true;
	if (emulator->running)
		tl_computer_request_stop(&emulator->computer);
	pthread_cond_signal(&emulator->woken);
	pthread_mutex_unlock(&emulator->lock);
}

static void turn_network(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_emulator *emulator = context;

	(void)source;
	(void)descriptor;
	(void)ready;
	tl_user_network_turn(emulator->devices.network);
}

static enum tl_status open_network(struct tl_emulator *emulator, const struct tl_emulator_options *options,
				   struct tl_error *error)
{
	struct tl_user_network_settings settings = {
		.restricted = options->board.restricted, .arrived = frames_arrived, .context = emulator};
	struct tl_devices *devices = &emulator->devices;

	TL_TRY(tl_devices_add_network(devices, &settings, error));
	for (tl_u32 i = 0; i < options->board.forward_count; i++)
		TL_TRY(tl_user_network_forward(devices->network, options->board.forwards[i], error));
	return tl_loop_add_descriptor(emulator->loop, "network", tl_user_network_descriptor(devices->network),
				      TL_READABLE, turn_network, emulator, &emulator->network, error);
}

/* Up to 64 digits; what is missing at the end is zeroes. */
static enum tl_status read_seed(const char *text, tl_u8 *seed_ret, struct tl_error *error)
{
	static const char digits[] = "0123456789abcdef";
	tl_size count = strlen(text);

	memset(seed_ret, 0, TL_RANDOM_SEED);
	if (count == 0 || count > 2 * (tl_size)TL_RANDOM_SEED || strspn(text, digits) != count)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a seed is up to %d hexadecimal digits, not \"%.80s\"",
			       2 * TL_RANDOM_SEED, text);
	for (tl_size i = 0; i < count; i++)
		seed_ret[i / 2] |= (tl_u8)((strchr(digits, text[i]) - digits) << (i % 2 == 0 ? 4 : 0));
	return TL_OK;
}

enum tl_status tl_emulator_devices_open(struct tl_emulator *emulator, const struct tl_emulator_options *options,
					struct tl_error *error)
{
	struct tl_devices *devices = &emulator->devices;
	tl_u8 seed[TL_RANDOM_SEED];

	tl_devices_begin(devices, &emulator->computer);
	for (tl_u32 i = 0; i < options->board.disk_count; i++)
		TL_TRY(tl_devices_add_disk(devices, options->board.disks[i], error));
	if (options->seed != NULL)
		TL_TRY(read_seed(options->seed, seed, error));
	TL_TRY(tl_devices_add_random(devices, options->seed != NULL ? seed : NULL, error));
	return options->board.network ? open_network(emulator, options, error) : TL_OK;
}

void tl_emulator_devices_close(struct tl_emulator *emulator)
{
	tl_source_remove(emulator->network);
	emulator->network = NULL;
	tl_devices_end(&emulator->devices);
}

bool tl_emulator_devices_input(struct tl_emulator *emulator)
{
	struct tl_devices *devices = &emulator->devices;

	emulator->frames = false;
	if (devices->network == NULL)
		return false;
	(void)tl_devices_enter_frames(devices);
	return tl_user_network_waits(devices->network);
}

static void tell_number(struct tl_writer *output, const char *before, tl_u64 value)
{
	tl_write_text(output, before);
	tl_write_decimal(output, value);
}

static void tell_disk(const struct tl_devices *devices, tl_u32 number, struct tl_writer *output)
{
	static const char *const modes[] = {"what is written stays in memory", "written through", "read only"};
	const struct tl_virtio_block *block = &devices->blocks[number];
	const struct tl_disk *disk = &devices->disks[number];

	tell_number(output, "disk ", number);
	tell_number(output, ": ", disk->size);
	tl_write_text(output, " bytes, ");
	tl_write_text(output, modes[disk->mode]);
	tell_number(output, "; reads ", block->reads);
	tell_number(output, ", writes ", block->writes);
	tell_number(output, ", flushes ", block->flushes);
	tell_number(output, ", failed ", block->errors);
	if (disk->mode == TL_DISK_OVERLAY)
		tell_number(output, ", KiB in memory ", disk->count * (TL_DISK_BLOCK / 1024));
	tl_write_text(output, "\n");
	if (disk->failures != 0) {
		tl_write_text(output, "  the host said: ");
		tl_write_text(output, disk->failure.text);
		tl_write_text(output, "\n");
	}
}

void tl_emulator_devices_tell(const struct tl_emulator *emulator, struct tl_writer *output)
{
	const struct tl_devices *devices = &emulator->devices;

	for (tl_u32 i = 0; i < devices->disk_count; i++)
		tell_disk(devices, i, output);
	if (devices->random.virtio != NULL) {
		tl_write_text(output, "random: seed ");
		tl_write_hex_bytes(output, devices->random.stream.seed, TL_RANDOM_SEED);
		tell_number(output, ", bytes given ", devices->random.stream.position);
		tl_write_text(output, "\n");
	}
	if (devices->net.virtio != NULL) {
		tell_number(output, "network: frames sent ", devices->net.sent);
		tell_number(output, ", received ", devices->net.received);
		tell_number(output, ", dropped ", devices->net.dropped);
		tl_write_text(output, "\n");
	}
}

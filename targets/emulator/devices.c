#include "targets/emulator/devices.h"

#include "machine/disk_option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Of those that anybody may use on a network of his own; QEMU's cards begin so, too. */
static const tl_u8 card_address[TL_VIRTIO_NET_ADDRESS] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static const tl_u8 *view(void *context, tl_u64 address, tl_u64 size)
{
	return tl_computer_look(context, address, size);
}

static tl_u8 *change(void *context, tl_u64 address, tl_u64 size)
{
	return tl_computer_change(context, address, size);
}

void tl_devices_begin(struct tl_devices *devices_ret, struct tl_computer *computer)
{
	*devices_ret = (struct tl_devices){.computer = computer};
	for (tl_u32 i = 0; i < TL_BOARD_SLOTS; i++) {
		struct tl_virtio *slot = &devices_ret->slots[i];

		slot->memory = (struct tl_guest_memory){.view = view, .change = change, .context = computer};
		slot->line = tl_riscv_board_line(&computer->board, i);
		tl_riscv_board_plug(&computer->board, i, &tl_virtio_operations, slot);
	}
}

void tl_devices_end(struct tl_devices *devices)
{
	for (tl_u32 i = 0; i < devices->disk_count; i++)
		tl_disk_close(&devices->disks[i]);
	for (tl_u32 i = 0; i < TL_DEVICES_DISKS; i++) {
		free(devices->paths[i]);
		devices->paths[i] = NULL;
	}
	devices->disk_count = 0;
	tl_user_network_close(devices->network);
	devices->network = NULL;
}

static bool is_past(const struct tl_devices *devices)
{
	return devices->history != NULL && tl_history_is_past(devices->history);
}

/* What was sent in the past is not sent again. */
static void send_frame(void *context, const tl_u8 *frame, tl_u64 size)
{
	struct tl_devices *devices = context;

	if (devices->network != NULL && !is_past(devices))
		tl_user_network_send(devices->network, frame, size);
}

static void send_text(void *context, const tl_u8 *bytes, tl_u64 size)
{
	struct tl_devices *devices = context;

	if (devices->send != NULL && (devices->history == NULL || !tl_history_is_shown(devices->history)))
		devices->send(devices->send_context, bytes, size);
}

/* The next free slot; NULL with an error when there is none, or when there is one of what may be there only once. */
static struct tl_virtio *next_slot(struct tl_devices *devices, const struct tl_virtio *other, const char *what,
				   struct tl_error *error)
{
	if (other != NULL) {
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "the machine has %s already", what);
		return NULL;
	}
	if (devices->used == TL_BOARD_SLOTS) {
		(void)TL_FAIL(error, TL_ERROR_ARGUMENT, "no slot is left for %s: the machine has %d", what,
			      TL_BOARD_SLOTS);
		return NULL;
	}
	return &devices->slots[devices->used];
}

enum tl_status tl_devices_add_disk(struct tl_devices *devices, const char *what, struct tl_error *error)
{
	struct tl_virtio *slot = next_slot(devices, NULL, "a disk", error);
	tl_u32 number = devices->disk_count;
	char id[TL_VIRTIO_BLOCK_ID + 1];

	if (slot == NULL)
		return TL_ERROR_ARGUMENT;
	if (number == TL_DEVICES_DISKS)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the machine has room for %d disks", TL_DEVICES_DISKS);
	TL_TRY(tl_disk_option_open(&devices->disks[number], what, &devices->paths[number], error));
	snprintf(id, sizeof(id), "disk%u", number);
	tl_virtio_block_plug(&devices->blocks[number], slot, &devices->disks[number], id);
	devices->disk_count++;
	devices->used++;
	return TL_OK;
}

enum tl_status tl_devices_add_random(struct tl_devices *devices, const tl_u8 *seed, struct tl_error *error)
{
	struct tl_virtio *slot = next_slot(devices, devices->random.virtio, "random bytes", error);
	tl_u8 made[TL_RANDOM_SEED];

	if (slot == NULL)
		return TL_ERROR_ARGUMENT;
	if (seed == NULL && getrandom(made, sizeof(made), 0) != sizeof(made))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the host has no random bytes for a seed");
	tl_virtio_random_plug(&devices->random, slot, seed != NULL ? seed : made);
	devices->used++;
	return TL_OK;
}

enum tl_status tl_devices_add_console(struct tl_devices *devices, struct tl_error *error)
{
	struct tl_virtio *slot = next_slot(devices, devices->console.virtio, "a console", error);

	if (slot == NULL)
		return TL_ERROR_ARGUMENT;
	tl_virtio_console_plug(&devices->console, slot);
	devices->console.send = send_text;
	devices->console.context = devices;
	devices->used++;
	return TL_OK;
}

enum tl_status tl_devices_add_network(struct tl_devices *devices, const struct tl_user_network_settings *settings,
				      struct tl_error *error)
{
	struct tl_virtio *slot = next_slot(devices, devices->net.virtio, "a network card", error);

	if (slot == NULL)
		return TL_ERROR_ARGUMENT;
	if (settings != NULL)
		TL_TRY(tl_user_network_open(settings, &devices->network, error));
	tl_virtio_net_plug(&devices->net, slot, card_address);
	devices->net.send = send_frame;
	devices->net.context = devices;
	devices->used++;
	return TL_OK;
}

enum tl_status tl_devices_remember(struct tl_devices *devices, struct tl_history *history, struct tl_error *error)
{
	static const char *const names[TL_BOARD_SLOTS] = {"in slot 0", "in slot 1", "in slot 2", "in slot 3",
							  "in slot 4", "in slot 5", "in slot 6", "in slot 7"};
	const struct tl_epoch_device stream = {"random bytes", tl_digest_random, &devices->random.stream};

	for (tl_u32 i = 0; i < TL_BOARD_SLOTS; i++) {
		const struct tl_epoch_device slot = {names[i], tl_digest_virtio, &devices->slots[i]};

		TL_TRY(tl_history_add_state(history, &devices->slots[i].state, sizeof(devices->slots[i].state), error));
		TL_TRY(tl_history_add_device(history, &slot, error));
	}
	TL_TRY(tl_history_add_device(history, &stream, error));
	TL_TRY(tl_history_add_state(history, &devices->random.stream, sizeof(devices->random.stream), error));
	for (tl_u32 i = 0; i < devices->disk_count; i++)
		if (devices->disks[i].mode != TL_DISK_READ_ONLY)
			TL_TRY(tl_history_add_disk(history, &devices->disks[i], error));
	devices->history = history;
	return TL_OK;
}

/* Through the computer's one door, where it is written down. */
static tl_size enter(struct tl_devices *devices, const struct tl_virtio *slot, const tl_u8 *bytes, tl_size size)
{
	struct tl_input input = {
		.kind = TL_INPUT_SLOT, .number = (tl_u64)(slot - devices->slots), .bytes = bytes, .size = size};

	bool new_timeline;

	return devices->history != NULL ? tl_history_input(devices->history, &input, &new_timeline)
					: tl_computer_input(devices->computer, &input);
}

/* A frame for which there is no room just now waits; one that comes before the guest has started its card is lost. */
static bool enter_frame(void *context, const tl_u8 *frame, tl_u64 size)
{
	struct tl_devices *devices = context;

	return enter(devices, devices->net.virtio, frame, size) == size || !tl_virtio_started(devices->net.virtio);
}

tl_u64 tl_devices_enter_frames(struct tl_devices *devices)
{
	return devices->network != NULL && !is_past(devices)
		       ? tl_user_network_take(devices->network, enter_frame, devices)
		       : 0;
}

tl_size tl_devices_enter_console(struct tl_devices *devices, const tl_u8 *bytes, tl_size size)
{
	return devices->console.virtio != NULL ? enter(devices, devices->console.virtio, bytes, size) : 0;
}

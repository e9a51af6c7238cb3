#include "targets/kvm/devices.h"

#include "machine/disk_option.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Of those that anybody may use on a network of his own; QEMU's cards begin so, too. */
static const tl_u8 card_address[TL_VIRTIO_NET_ADDRESS] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

static enum tl_status next_slot(struct tl_kvm_devices *devices, struct tl_virtio **slot_ret, struct tl_error *error)
{
	if (devices->used == TL_PC_SLOTS)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the machine has %d slots for devices, and no more",
			       TL_PC_SLOTS);
	*slot_ret = &devices->board->slots[devices->used++];
	return TL_OK;
}

static enum tl_status add_random(struct tl_kvm_devices *devices, struct tl_error *error)
{
	tl_u8 seed[TL_RANDOM_SEED];
	struct tl_virtio *slot;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "the host has no random bytes for a seed");
	TL_TRY(next_slot(devices, &slot, error));
	tl_virtio_random_plug(&devices->random, slot, seed);
	return TL_OK;
}

/* ---- Disks ---- */

struct failure {
	tl_u32 number;
	char text[400];
};

void tl_kvm_devices_call(struct tl_kvm_devices *devices)
{
	if (devices->wanted != NULL)
		devices->wanted(devices->wanted_context);
}

static void disk_ready(void *context)
{
	tl_kvm_devices_call(context);
}

/* In the disk's thread. Without memory for it the guest's I/O errors tell. */
static void disk_failed(void *context, const struct tl_disk *disk)
{
	struct tl_kvm_devices *devices = context;
	struct failure failure = {.number = (tl_u32)(disk - devices->disks)};

	snprintf(failure.text, sizeof(failure.text), "%.*s", (int)sizeof(failure.text) - 1, disk->failure.text);
	(void)!tl_mailbox_post(devices->failures, &failure);
}

static void tell_failures(void *context, struct tl_source *source)
{
	struct tl_kvm_devices *devices = context;
	struct failure failure;
	char line[512];

	(void)source;
	while (tl_mailbox_take(devices->failures, &failure)) {
		snprintf(line, sizeof(line), "Disk %u fails: %s. The guest gets an I/O error.", failure.number,
			 failure.text);
		if (devices->remark != NULL)
			devices->remark(devices->remark_context, line);
	}
}

enum tl_status tl_kvm_devices_hear_disks(struct tl_kvm_devices *devices, struct tl_loop *loop, struct tl_error *error)
{
	return tl_mailbox_create(loop, "disk failures", sizeof(struct failure), tell_failures, devices,
				 &devices->failures, error);
}

enum tl_status tl_kvm_devices_plug_disk(struct tl_kvm_devices *devices, struct tl_virtio *slot, struct tl_error *error)
{
	tl_u32 number = devices->disk_count++;
	struct tl_virtio_block *block = &devices->blocks[number];
	struct tl_disk_thread *thread = &devices->threads[number];
	char id[TL_VIRTIO_BLOCK_ID + 1];

	snprintf(id, sizeof(id), "disk%u", number);
	tl_virtio_block_plug(block, slot, &devices->disks[number], id);
	*thread = (struct tl_disk_thread){
		.disk = &devices->disks[number], .ready = disk_ready, .failed = disk_failed, .context = devices};
	TL_TRY(tl_disk_thread_begin(thread, error));
	block->defer = tl_disk_thread_give;
	block->context = thread;
	return TL_OK;
}

static enum tl_status add_disk(struct tl_kvm_devices *devices, const char *what, struct tl_error *error)
{
	tl_u32 number = devices->disk_count;
	struct tl_virtio *slot;

	TL_TRY(next_slot(devices, &slot, error));
	TL_TRY(tl_disk_option_open(&devices->disks[number], what, &devices->paths[number], error));
	return tl_kvm_devices_plug_disk(devices, slot, error);
}

static enum tl_status add_console(struct tl_kvm_devices *devices, struct tl_error *error)
{
	struct tl_virtio *slot;

	TL_TRY(next_slot(devices, &slot, error));
	tl_virtio_console_plug(&devices->console, slot);
	return TL_OK;
}

/* ---- The network ---- */

static void send_frame(void *context, const tl_u8 *frame, tl_u64 size)
{
	struct tl_kvm_devices *devices = context;

	tl_user_network_send(devices->network, frame, size);
}

/* A frame for which there is no room just now waits; one that comes before the guest has started its card is lost. */
static bool enter_frame(void *context, const tl_u8 *frame, tl_u64 size)
{
	struct tl_kvm_devices *devices = context;

	return tl_virtio_net_receive(&devices->net, frame, size) || !tl_virtio_started(devices->net.virtio);
}

void tl_kvm_devices_offer(struct tl_kvm_devices *devices)
{
	if (devices->network != NULL && tl_user_network_waits(devices->network))
		(void)tl_user_network_take(devices->network, enter_frame, devices);
}

static void arrived(void *context)
{
	tl_kvm_devices_call(context);
}

static void turn(void *context, struct tl_source *source, int descriptor, unsigned ready)
{
	struct tl_kvm_devices *devices = context;

	(void)source;
	(void)descriptor;
	(void)ready;
	tl_user_network_turn(devices->network);
}

static enum tl_status add_network(struct tl_kvm_devices *devices, struct tl_loop *loop,
				  const struct tl_kvm_options *options, struct tl_error *error)
{
	const struct tl_user_network_settings settings = {
		.restricted = options->board.restricted, .arrived = arrived, .context = devices};
	struct tl_virtio *slot;

	TL_TRY(next_slot(devices, &slot, error));
	TL_TRY(tl_user_network_open(&settings, &devices->network, error));
	for (tl_u32 i = 0; i < options->board.forward_count; i++)
		TL_TRY(tl_user_network_forward(devices->network, options->board.forwards[i], error));
	TL_TRY(tl_loop_add_descriptor(loop, "network", tl_user_network_descriptor(devices->network), TL_READABLE, turn,
				      devices, &devices->turning, error));
	tl_virtio_net_plug(&devices->net, slot, card_address);
	devices->net.send = send_frame;
	devices->net.context = devices;
	return TL_OK;
}

/* ---- All of them ---- */

static enum tl_status add_all(struct tl_kvm_devices *devices, struct tl_loop *loop,
			      const struct tl_kvm_options *options, struct tl_error *error)
{
	TL_TRY(add_random(devices, error));
	TL_TRY(tl_kvm_devices_hear_disks(devices, loop, error));
	for (tl_u32 i = 0; i < options->board.disk_count; i++)
		TL_TRY(add_disk(devices, options->board.disks[i], error));
	if (options->board.network)
		TL_TRY(add_network(devices, loop, options, error));
	return options->console ? add_console(devices, error) : TL_OK;
}

enum tl_status tl_kvm_devices_open(struct tl_kvm_devices *devices_ret, struct tl_loop *loop, struct tl_pc_board *board,
				   const struct tl_kvm_options *options, struct tl_error *error)
{
	enum tl_status status;

	*devices_ret =
		(struct tl_kvm_devices){.board = board, .remark = options->remark, .remark_context = options->context};
	status = add_all(devices_ret, loop, options, error);
	if (status != TL_OK)
		tl_kvm_devices_close(devices_ret);
	return status;
}

void tl_kvm_devices_enter(struct tl_kvm_devices *devices)
{
	for (tl_u32 i = 0; i < devices->disk_count; i++) {
		struct tl_virtio_block_request *done = tl_disk_thread_take(&devices->threads[i]), *next;

		if (done == NULL)
			continue;
		for (; done != NULL; done = next) {
			next = done->next;
			tl_virtio_block_finish(&devices->blocks[i], done);
		}
		tl_virtio_block_go_on(&devices->blocks[i]);
	}
	tl_kvm_devices_offer(devices);
}

void tl_kvm_devices_stop(struct tl_kvm_devices *devices)
{
	for (tl_u32 i = 0; i < devices->disk_count && !devices->stopped; i++)
		if (devices->blocks[i].defer != NULL)
			tl_disk_thread_stop(&devices->threads[i]);
	devices->stopped = true;
	devices->wanted = NULL;
}

void tl_kvm_devices_close(struct tl_kvm_devices *devices)
{
	tl_kvm_devices_stop(devices);
	for (tl_u32 i = 0; i < devices->disk_count; i++) {
		if (devices->blocks[i].defer != NULL)
			tl_disk_thread_end(&devices->threads[i]);
		tl_disk_close(&devices->disks[i]);
	}
	if (devices->failures != NULL)
		tl_mailbox_destroy(devices->failures);
	devices->failures = NULL;
	for (tl_u32 i = 0; i < TL_BOARD_DISKS; i++) {
		free(devices->paths[i]);
		devices->paths[i] = NULL;
	}
	devices->disk_count = 0;
	tl_source_remove(devices->turning);
	devices->turning = NULL;
	tl_user_network_close(devices->network);
	devices->network = NULL;
}

tl_u32 tl_kvm_devices_slots(const struct tl_kvm_devices *devices)
{
	return (1u << devices->used) - 1;
}

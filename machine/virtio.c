#include "machine/virtio.h"

#define MAGIC 0x74726976 /* "virt" */
#define VERSION 2
#define VENDOR 0x4c50 /* no driver asks for it */

/* 4.2.2 */
enum {
	MAGIC_VALUE = 0x000,
	VERSION_VALUE = 0x004,
	DEVICE_ID = 0x008,
	VENDOR_ID = 0x00c,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SELECT = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SELECT = 0x024,
	QUEUE_SELECT = 0x030,
	QUEUE_SIZE_MAX = 0x034,
	QUEUE_SIZE = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACKNOWLEDGE = 0x064,
	STATUS = 0x070,
	QUEUE_DESCRIPTORS_LOW = 0x080,
	QUEUE_DESCRIPTORS_HIGH = 0x084,
	QUEUE_DRIVER_LOW = 0x090,
	QUEUE_DRIVER_HIGH = 0x094,
	QUEUE_DEVICE_LOW = 0x0a0,
	QUEUE_DEVICE_HIGH = 0x0a4,
	SHARED_LENGTH_LOW = 0x0b0,
	SHARED_LENGTH_HIGH = 0x0b4,
	SHARED_BASE_LOW = 0x0b8,
	SHARED_BASE_HIGH = 0x0bc,
	CONFIGURATION_GENERATION = 0x0fc,
	CONFIGURATION = 0x100
};

#define STATUS_FEATURES_OK 0x08
#define STATUS_DRIVER_OK 0x04
#define STATUS_NEEDS_RESET 0x40

#define INTERRUPT_QUEUE 1
#define INTERRUPT_CONFIGURATION 2

#define FEATURE_INDIRECT 28
#define FEATURE_EVENT_INDEX 29
#define FEATURE_VERSION_1 32
#define BIT(number) ((tl_u64)1 << (number))

bool tl_virtio_started(const struct tl_virtio *virtio)
{
	return (virtio->state.status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) == STATUS_DRIVER_OK;
}

bool tl_virtio_agreed(const struct tl_virtio *virtio, tl_u32 feature)
{
	return (virtio->state.driver_features & BIT(feature)) != 0;
}

static void set_interrupts(struct tl_virtio *virtio, tl_u32 interrupts)
{
	bool before = virtio->state.interrupts != 0, now = interrupts != 0;

	virtio->state.interrupts = interrupts;
	if (before != now)
		tl_line_set(&virtio->line, now);
}

void tl_virtio_plug(struct tl_virtio *virtio, const struct tl_virtio_kind *kind, void *device, tl_u64 features,
		    const tl_u8 *configuration, tl_u32 configuration_size)
{
	virtio->kind = kind;
	virtio->device = device;
	virtio->features = features | BIT(FEATURE_INDIRECT) | BIT(FEATURE_EVENT_INDEX) | BIT(FEATURE_VERSION_1);
	virtio->configuration = configuration;
	virtio->configuration_size = configuration_size;
}

void tl_virtio_reset(struct tl_virtio *virtio)
{
	tl_u32 generation = virtio->state.generation;

	set_interrupts(virtio, 0);
	virtio->state = (struct tl_virtio_state){.generation = generation};
	virtio->era++;
}

void tl_virtio_configuration_changed(struct tl_virtio *virtio)
{
	virtio->state.generation++;
	if ((virtio->state.status & STATUS_DRIVER_OK) != 0)
		set_interrupts(virtio, virtio->state.interrupts | INTERRUPT_CONFIGURATION);
}

void tl_virtio_break(struct tl_virtio *virtio)
{
	virtio->state.status |= STATUS_NEEDS_RESET;
	if ((virtio->state.status & STATUS_DRIVER_OK) != 0)
		set_interrupts(virtio, virtio->state.interrupts | INTERRUPT_CONFIGURATION);
}

static bool take(struct tl_virtio *virtio, tl_u32 queue, bool event_index, struct tl_virtio_chain *chain_ret)
{
	if (!tl_virtio_started(virtio))
		return false;
	switch (tl_virtio_queue_take(&virtio->state.queues[queue], &virtio->memory, event_index, chain_ret)) {
	case TL_VIRTIO_TAKEN:
		return true;
	case TL_VIRTIO_BROKEN:
		tl_virtio_break(virtio);
		return false;
	case TL_VIRTIO_EMPTY:
	default:
		return false;
	}
}

bool tl_virtio_take(struct tl_virtio *virtio, tl_u32 queue, struct tl_virtio_chain *chain_ret)
{
	return take(virtio, queue, tl_virtio_agreed(virtio, FEATURE_EVENT_INDEX), chain_ret);
}

/* The driver need not be asked to tell of the next one: it is looked for when it is needed. */
bool tl_virtio_take_room(struct tl_virtio *virtio, tl_u32 queue, struct tl_virtio_chain *chain_ret)
{
	return take(virtio, queue, false, chain_ret);
}

void tl_virtio_give(struct tl_virtio *virtio, tl_u32 queue, const struct tl_virtio_chain *chain, tl_u32 length)
{
	if (!tl_virtio_queue_give(&virtio->state.queues[queue], &virtio->memory, chain->head, length))
		tl_virtio_break(virtio);
}

void tl_virtio_tell(struct tl_virtio *virtio, tl_u32 queue)
{
	bool event_index = tl_virtio_agreed(virtio, FEATURE_EVENT_INDEX), wanted = false;

	if (!tl_virtio_queue_interrupt(&virtio->state.queues[queue], &virtio->memory, event_index, &wanted))
		tl_virtio_break(virtio);
	else if (wanted)
		set_interrupts(virtio, virtio->state.interrupts | INTERRUPT_QUEUE);
}

static struct tl_virtio_queue *selected(struct tl_virtio *virtio)
{
	return virtio->state.queue_select < virtio->kind->queues ? &virtio->state.queues[virtio->state.queue_select]
								 : NULL;
}

/* Without a device there are the first three registers: the kind is 0, and drivers pass on (4.2.2.2). */
static tl_u64 read_register(struct tl_virtio *virtio, tl_u64 offset)
{
	const struct tl_virtio_state *state = &virtio->state;
	const struct tl_virtio_queue *queue;

	if (offset == MAGIC_VALUE)
		return MAGIC;
	if (offset == VERSION_VALUE)
		return VERSION;
	if (virtio->kind == NULL)
		return 0;
	queue = selected(virtio);
	switch (offset) {
	case DEVICE_ID:
		return virtio->kind->id;
	case VENDOR_ID:
		return VENDOR;
	case DEVICE_FEATURES:
		return state->device_features_select < 2
			       ? (tl_u32)(virtio->features >> 32 * state->device_features_select)
			       : 0;
	case QUEUE_SIZE_MAX:
		return queue != NULL ? virtio->kind->queue_size : 0;
	case QUEUE_READY:
		return queue != NULL && queue->ready;
	case INTERRUPT_STATUS:
		return state->interrupts;
	case STATUS:
		return state->status;
	case SHARED_LENGTH_LOW:
	case SHARED_LENGTH_HIGH:
	case SHARED_BASE_LOW:
	case SHARED_BASE_HIGH:
		return TL_U32_MAX; /* there is no shared memory, whichever was selected (4.2.2.1) */
	case CONFIGURATION_GENERATION:
		return state->generation;
	default: /* for writing only, or not there */
		return 0;
	}
}

static void write_half(tl_u64 *address, tl_u32 value, bool high)
{
	*address = high ? (*address & TL_U32_MAX) | (tl_u64)value << 32 : (*address & ~(tl_u64)TL_U32_MAX) | value;
}

/* Rings that are not aligned as they must be (2.7) could be read in halves: such a queue does not get ready. */
static void write_ready(struct tl_virtio *virtio, struct tl_virtio_queue *queue, tl_u32 value)
{
	if ((value & 1) == 0) {
		queue->ready = false;
		virtio->era++;
		return;
	}
	if (queue->ready)
		return;
	if (queue->size == 0 || queue->descriptors % 16 != 0 || queue->driver % 2 != 0 || queue->device % 4 != 0) {
		tl_virtio_break(virtio);
		return;
	}
	queue->seen = queue->used = queue->told = 0;
	queue->ready = true;
}

static void write_size(const struct tl_virtio *virtio, struct tl_virtio_queue *queue, tl_u32 value)
{
	if (value <= virtio->kind->queue_size && (value & (value - 1)) == 0)
		queue->size = (tl_u16)value;
}

/* What a queue is must not change while it is ready (4.2.2.2): then such writes are dropped. */
static void write_queue(struct tl_virtio *virtio, tl_u64 offset, tl_u32 value)
{
	struct tl_virtio_queue *queue = selected(virtio);

	if (queue == NULL)
		return;
	if (offset == QUEUE_READY) {
		write_ready(virtio, queue, value);
		return;
	}
	if (queue->ready)
		return;
	switch (offset) {
	case QUEUE_SIZE:
		write_size(virtio, queue, value);
		break;
	case QUEUE_DESCRIPTORS_LOW:
	case QUEUE_DESCRIPTORS_HIGH:
		write_half(&queue->descriptors, value, offset == QUEUE_DESCRIPTORS_HIGH);
		break;
	case QUEUE_DRIVER_LOW:
	case QUEUE_DRIVER_HIGH:
		write_half(&queue->driver, value, offset == QUEUE_DRIVER_HIGH);
		break;
	case QUEUE_DEVICE_LOW:
	case QUEUE_DEVICE_HIGH:
		write_half(&queue->device, value, offset == QUEUE_DEVICE_HIGH);
		break;
	default: /* read only, or not there */
		break;
	}
}

/* The driver reads back whether FEATURES_OK stayed: it does not when it wants what was not offered (2.2.2, 6.2). */
static void write_status(struct tl_virtio *virtio, tl_u32 value)
{
	struct tl_virtio_state *state = &virtio->state;
	bool acceptable = (state->driver_features & ~virtio->features) == 0 &&
			  (state->driver_features & BIT(FEATURE_VERSION_1)) != 0;

	if (value == 0) {
		tl_virtio_reset(virtio);
		return;
	}
	/* NEEDS_RESET is the device's to set, and goes with a reset only. */
	value = (value & 0xff & ~(tl_u32)STATUS_NEEDS_RESET) | (state->status & STATUS_NEEDS_RESET);
	if ((state->status & STATUS_FEATURES_OK) == 0 && !acceptable)
		value &= ~(tl_u32)STATUS_FEATURES_OK;
	if ((value & STATUS_FEATURES_OK) == 0)
		value &= ~(tl_u32)STATUS_DRIVER_OK;
	state->status = value;
}

static void write_features(struct tl_virtio_state *state, tl_u32 value)
{
	if ((state->status & STATUS_FEATURES_OK) == 0 && state->driver_features_select < 2)
		write_half(&state->driver_features, value, state->driver_features_select == 1);
}

static void write_register(struct tl_virtio *virtio, tl_u64 offset, tl_u32 value)
{
	struct tl_virtio_state *state = &virtio->state;

	switch (offset) {
	case DEVICE_FEATURES_SELECT:
		state->device_features_select = value;
		break;
	case DRIVER_FEATURES:
		write_features(state, value);
		break;
	case DRIVER_FEATURES_SELECT:
		state->driver_features_select = value;
		break;
	case QUEUE_SELECT:
		state->queue_select = value;
		break;
	case QUEUE_NOTIFY:
		if (value < virtio->kind->queues && tl_virtio_started(virtio))
			virtio->kind->notify(virtio->device, value);
		break;
	case INTERRUPT_ACKNOWLEDGE:
		set_interrupts(virtio, state->interrupts & ~value);
		break;
	case STATUS:
		write_status(virtio, value);
		break;
	default:
		write_queue(virtio, offset, value);
		break;
	}
}

/* Registers are words (4.2.2.2); what is behind them may be read in any size. */
static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	struct tl_virtio *virtio = device;

	if (offset < CONFIGURATION)
		return size == 4 && offset % 4 == 0 ? read_register(virtio, offset) : 0;
	offset -= CONFIGURATION;
	if (virtio->kind == NULL || offset > virtio->configuration_size || size > virtio->configuration_size - offset)
		return 0;
	return tl_load_little(virtio->configuration + offset, size);
}

/* No device has configuration that the driver may write. */
static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_virtio *virtio = device;

	if (virtio->kind != NULL && offset < CONFIGURATION && size == 4 && offset % 4 == 0)
		write_register(virtio, offset, (tl_u32)value);
}

static void reset(void *device)
{
	tl_virtio_reset(device);
}

static tl_size receive(void *device, const tl_u8 *bytes, tl_size size)
{
	struct tl_virtio *virtio = device;

	return virtio->kind != NULL && virtio->kind->receive != NULL
		       ? virtio->kind->receive(virtio->device, bytes, size)
		       : 0;
}

const struct tl_device_operations tl_virtio_operations = {
	.read = read, .write = write, .reset = reset, .receive = receive};

#include "targets/emulator/epoch.h"

#include "machine/virtio_random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Differences of one kind that are told: the first say enough. */
#define TOLD_MAX 4

/* ---- Registers ---- */

/* Fields of a hart that a guest can tell, each `count` numbers of `size` bytes. */
struct field {
	const char *name;
	tl_u16 offset, size, count;
};
#define FIELD(name)                                                                                                    \
	{                                                                                                              \
#name, __builtin_offsetof(struct tl_hart, name), sizeof(((struct tl_hart *)0)->name), 1                \
	}
#define FIELDS(name)                                                                                                   \
	{                                                                                                              \
#name, __builtin_offsetof(struct tl_hart, name), sizeof(((struct tl_hart *)0)->name[0]),               \
			TL_COUNT(((struct tl_hart *)0)->name)                                                          \
	}

static const struct field fields[] = {
	FIELDS(x),
	FIELD(pc),
	FIELDS(f),
	FIELD(fflags),
	FIELD(frm),
	FIELD(privilege),
	FIELD(retired),
	FIELD(mstatus),
	FIELD(medeleg),
	FIELD(mideleg),
	FIELD(mie),
	FIELD(mtvec),
	FIELD(mcounteren),
	FIELD(menvcfg),
	FIELD(mcountinhibit),
	FIELD(mip),
	FIELD(lines),
	FIELD(mscratch),
	FIELD(mepc),
	FIELD(mcause),
	FIELD(mtval),
	FIELD(stvec),
	FIELD(scounteren),
	FIELD(senvcfg),
	FIELD(sscratch),
	FIELD(sepc),
	FIELD(scause),
	FIELD(stval),
	FIELD(satp),
	FIELD(stimecmp),
	FIELD(mcycle_offset),
	FIELD(minstret_offset),
	FIELDS(pmp_address),
	FIELDS(pmp_configuration),
	FIELD(waiting),
	FIELD(reserved),
	FIELDS(triggers.data1),
	FIELDS(triggers.data2),
	FIELD(triggers.selected),
	FIELD(triggers.control),
};

static void take_registers(const struct tl_hart *hart, tl_u64 *values_ret)
{
	const tl_u8 *bytes = (const tl_u8 *)hart;
	tl_u32 at = 0;

	for (tl_size i = 0; i < TL_COUNT(fields); i++)
		for (tl_u16 n = 0; n < fields[i].count && at < TL_EPOCH_REGISTERS - 3; n++)
			values_ret[at++] =
				tl_load_little(bytes + fields[i].offset + n * fields[i].size, fields[i].size);
	/* What a reservation that is not held was about, nobody can tell. */
	values_ret[at++] = hart->reserved ? hart->reserved_address : 0;
	values_ret[at++] = hart->reserved ? hart->reservation : 0;
	values_ret[at++] = hart->hold_interrupts;
	while (at < TL_EPOCH_REGISTERS)
		values_ret[at++] = 0;
}

static void name_register(tl_u32 number, char *name_ret, tl_size size)
{
	static const char *const others[] = {"reserved address", "reservation", "interrupts held"};

	for (tl_size i = 0; i < TL_COUNT(fields); i++) {
		if (number >= fields[i].count) {
			number -= fields[i].count;
			continue;
		}
		if (fields[i].count == 1)
			snprintf(name_ret, size, "%s", fields[i].name);
		else
			snprintf(name_ret, size, "%s[%u]", fields[i].name, number);
		return;
	}
	snprintf(name_ret, size, "%s", number < TL_COUNT(others) ? others[number] : "?");
}

/* ---- Digests of devices ---- */

static tl_u64 digest(const tl_u64 *values, tl_size count)
{
	return XXH3_64bits(values, count * sizeof(*values));
}

tl_u64 tl_digest_schedule(const void *computer)
{
	const struct tl_computer *of = computer;
	tl_u64 values[4 + 2 * TL_BOARD_HARTS_MAX] = {of->turn, of->round_start, of->begun, of->held};

	for (tl_u32 i = 0; i < of->configuration.harts && i < TL_BOARD_HARTS_MAX; i++) {
		values[4 + 2 * i] = of->turns[i].now;
		values[5 + 2 * i] = of->turns[i].begun;
	}
	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_aclint(const void *aclint)
{
	const struct tl_aclint *of = aclint;
	tl_u64 values[1 + 2 * TL_ACLINT_HARTS] = {of->offset};

	for (tl_u32 i = 0; i < of->harts && i < TL_ACLINT_HARTS; i++) {
		values[1 + 2 * i] = of->pending[i];
		values[2 + 2 * i] = of->compare[i];
	}
	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_plic(const void *plic)
{
	const struct tl_plic *of = plic;
	tl_u64 hash = XXH3_64bits(of->levels, sizeof(of->levels));

	hash = XXH3_64bits_withSeed(of->claimed, sizeof(of->claimed), hash);
	hash = XXH3_64bits_withSeed(of->priorities, sizeof(of->priorities), hash);
	hash = XXH3_64bits_withSeed(of->enabled, sizeof(of->enabled), hash);
	return XXH3_64bits_withSeed(of->thresholds, sizeof(of->thresholds), hash);
}

tl_u64 tl_digest_uart(const void *uart)
{
	const struct tl_uart *of = uart;
	tl_u64 values[12 + TL_UART_QUEUE] = {of->interrupt_enable, of->line_control, of->modem_control, of->scratch,
					     of->divisor_low,      of->divisor_high, of->fifo,          of->overrun,
					     of->transmitter_told, of->level,        of->count};

	for (tl_u32 i = 0; i < of->count && i < TL_UART_QUEUE; i++)
		values[12 + i] = of->queue[(of->first + i) % TL_UART_QUEUE];
	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_finisher(const void *finisher)
{
	const struct tl_finisher *of = finisher;
	tl_u64 values[] = {of->finish, of->code};

	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_rtc(const void *rtc)
{
	const struct tl_rtc *of = rtc;
	tl_u64 values[] = {of->start,     of->offset,      of->alarm,
			   of->time_high, of->running,     of->enabled,
			   of->pending,   of->timer.armed, of->timer.armed ? of->timer.when : 0};

	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_virtio(const void *virtio)
{
	const struct tl_virtio_state *of = &((const struct tl_virtio *)virtio)->state;
	tl_u64 values[7 + 8 * TL_VIRTIO_QUEUES_MAX] = {of->status,
						       of->interrupts,
						       of->generation,
						       of->device_features_select,
						       of->driver_features_select,
						       of->queue_select,
						       of->driver_features};

	for (tl_u32 i = 0; i < TL_VIRTIO_QUEUES_MAX; i++) {
		const struct tl_virtio_queue *queue = &of->queues[i];
		const tl_u64 of_queue[8] = {queue->descriptors, queue->driver, queue->device, queue->size,
					    queue->seen,        queue->used,   queue->told,   queue->ready};

		memcpy(values + 7 + (tl_size)8 * i, of_queue, sizeof(of_queue));
	}
	return digest(values, TL_COUNT(values));
}

tl_u64 tl_digest_random(const void *stream)
{
	const struct tl_random_stream *of = stream;

	return XXH3_64bits_withSeed(of->seed, sizeof(of->seed), of->position);
}

/* ---- Epochs ---- */

enum tl_status tl_epoch_take(struct tl_epoch *epoch_ret, const struct tl_computer *computer,
			     const struct tl_epoch_device *devices, tl_u32 device_count)
{
	tl_u32 harts = computer->configuration.harts;

	*epoch_ret = (struct tl_epoch){.position = tl_computer_position(computer),
				       .begun = computer->begun,
				       .harts = harts,
				       .device_count = device_count};
	epoch_ret->registers = malloc(sizeof(tl_u64) * TL_EPOCH_REGISTERS * harts);
	if (epoch_ret->registers == NULL)
		return TL_ERROR_NO_MEMORY;
	for (tl_u32 i = 0; i < harts; i++)
		take_registers(&computer->harts[i], epoch_ret->registers + (tl_size)i * TL_EPOCH_REGISTERS);
	for (tl_u32 i = 0; i < device_count && i < TL_EPOCH_DEVICES; i++)
		epoch_ret->devices[i] = devices[i].digest(devices[i].device);
	return TL_OK;
}

void tl_epoch_clear(struct tl_epoch *epoch)
{
	free(epoch->registers);
	free(epoch->pages);
	epoch->registers = NULL;
	epoch->pages = NULL;
	epoch->page_count = 0;
}

tl_u64 tl_epoch_state(const struct tl_epoch *epoch)
{
	tl_u64 hash = XXH3_64bits(epoch->registers, sizeof(tl_u64) * TL_EPOCH_REGISTERS * epoch->harts);

	return XXH3_64bits_withSeed(epoch->devices, sizeof(epoch->devices), hash);
}

tl_u64 tl_epoch_chain(tl_u64 before, const struct tl_epoch *epoch)
{
	const tl_u64 values[] = {before,       epoch->position.round, epoch->position.turn,  epoch->position.now,
				 epoch->begun, epoch->inputs,         tl_epoch_state(epoch), epoch->memory,
				 epoch->disks};

	return digest(values, TL_COUNT(values));
}

tl_u64 tl_epoch_page_hash(tl_u64 number, const tl_u8 *bytes)
{
	return XXH3_64bits_withSeed(bytes, TL_PAGE_SIZE, number);
}

/* ---- What differs ---- */

static void tell(struct tl_writer *text, bool *any, const char *format, ...) TL_PRINTF(3, 4);

static void tell(struct tl_writer *text, bool *any, const char *format, ...)
{
	char part[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(part, sizeof(part), format, arguments);
	va_end(arguments);
	if (*any)
		tl_write_text(text, ", ");
	tl_write_text(text, part);
	*any = true;
}

static void tell_registers(const struct tl_epoch *expected, const struct tl_epoch *now, struct tl_writer *text,
			   bool *any)
{
	tl_u32 told = 0;

	for (tl_u32 hart = 0; hart < now->harts; hart++) {
		const tl_u64 *was = expected->registers + (tl_size)hart * TL_EPOCH_REGISTERS;
		const tl_u64 *is = now->registers + (tl_size)hart * TL_EPOCH_REGISTERS;

		for (tl_u32 i = 0; i < TL_EPOCH_REGISTERS; i++) {
			char name[32];

			if (was[i] == is[i] || told++ >= TOLD_MAX)
				continue;
			name_register(i, name, sizeof(name));
			tell(text, any, "hart %u: %s is 0x%llx, was 0x%llx", hart, name, (unsigned long long)is[i],
			     (unsigned long long)was[i]);
		}
	}
	if (told > TOLD_MAX)
		tell(text, any, "%u registers in all", told);
}

static void tell_pages(const struct tl_epoch *expected, const struct tl_computer *computer, struct tl_writer *text,
		       bool *any)
{
	tl_u64 pages = computer->configuration.memory_size / TL_PAGE_SIZE;
	tl_u32 told = 0;

	for (tl_u32 i = 0; i < expected->page_count; i++) {
		tl_u64 number = expected->pages[i].number;

		if (number < pages && (tl_u32)tl_epoch_page_hash(number, computer->memory + number * TL_PAGE_SIZE) ==
					      expected->pages[i].hash)
			continue;
		if (told++ < TOLD_MAX)
			tell(text, any, "the page of memory at 0x%llx",
			     (unsigned long long)(TL_BOARD_MEMORY + number * TL_PAGE_SIZE));
	}
	if (told > TOLD_MAX)
		tell(text, any, "%u pages in all", told);
	else if (told == 0)
		tell(text, any, "memory, in a page that the recorded run did not change in this epoch");
}

bool tl_epoch_same(const struct tl_epoch *expected, const struct tl_epoch *now, const struct tl_epoch_device *devices,
		   const struct tl_computer *computer, struct tl_writer *text)
{
	bool any = false;

	if (expected->harts != now->harts || expected->device_count != now->device_count) {
		tell(text, &any, "the machine is another one");
		return false;
	}
	if (tl_epoch_chain(0, expected) == tl_epoch_chain(0, now))
		return true;
	if (tl_computer_compare(&expected->position, &now->position) != 0 || expected->begun != now->begun ||
	    expected->inputs != now->inputs)
		tell(text, &any, "the count is %llu, was %llu", (unsigned long long)now->begun,
		     (unsigned long long)expected->begun);
	tell_registers(expected, now, text, &any);
	for (tl_u32 i = 0; i < now->device_count && i < TL_EPOCH_DEVICES; i++)
		if (expected->devices[i] != now->devices[i])
			tell(text, &any, "device %s", devices[i].name);
	if (expected->memory != now->memory)
		tell_pages(expected, computer, text, &any);
	if (expected->disks != now->disks)
		tell(text, &any, "what was written to the disks");
	return false;
}

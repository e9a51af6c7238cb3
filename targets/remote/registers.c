/*
 * A thread's registers come with its stop reply, the rest by `g` (all that the stub has) or, what `g` leaves out, by
 * `p` one by one; each is asked for once a stop. What the engine stores goes out as far as it differs from what is
 * known: by `P`, or all at once by `G` where that is shorter or `P` is not known.
 */
#include "targets/remote/state.h"

#include "base/storage.h"

#include <stdlib.h>
#include <string.h>

/* More changes than that go out as one G. */
#define P_MAX 4

static bool is_known(const struct remote_thread *thread, tl_u16 index)
{
	return (thread->known[index / 64] >> index % 64 & 1) != 0;
}

static void set_known(struct remote_thread *thread, tl_u16 index)
{
	thread->known[index / 64] |= (tl_u64)1 << index % 64;
}

void tl_remote_forget_registers(struct remote_thread *thread)
{
	memset(thread->known, 0, sizeof(thread->known));
	thread->g_size = 0;
}

static enum tl_status need_file(struct remote_target *target, struct remote_thread *thread)
{
	TL_TRY(tl_remote_layout(target, thread->process));
	if (thread->file == NULL)
		thread->file = tl_allocate(tl_storage(), thread->process->layout.cpu->file_size);
	return thread->file != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
}

/* Puts a value of the stub's, of `size` bytes, into the file; shorter ones are widened by zeros, longer ones cut off.
 */
static void take_value(struct remote_thread *thread, tl_u16 index, const tl_u8 *bytes, tl_size size)
{
	const struct tl_register *reg = &thread->process->layout.cpu->registers[index];
	tl_size wanted = (tl_size)(reg->bits + 7) / 8;

	memset(thread->file + reg->offset, 0, wanted);
	memcpy(thread->file + reg->offset, bytes, size < wanted ? size : wanted);
	set_known(thread, index);
}

/* Reads `size` bytes as digits, a register that cannot be read ("xx…") as zeros. False at anything else. */
static bool read_value(struct tl_cursor *text, tl_u8 *bytes, tl_size size)
{
	struct tl_cursor digits = tl_cursor_take(text, size * 2);

	if (text->failed)
		return false;
	memset(bytes, 0, size);
	if (size != 0 && tl_cursor_peek(&digits) == 'x')
		return true;
	tl_cursor_hex_bytes(&digits, bytes, size);
	return !digits.failed;
}

void tl_remote_take_registers(struct remote_target *target, struct remote_thread *thread, struct tl_cursor pairs)
{
	const struct remote_layout *layout = &thread->process->layout;
	tl_u8 bytes[128];
	struct tl_cursor digits;
	tl_u64 number;

	/* Not asked for here: the reply stands in the room for packets. */
	if (!thread->process->has_layout || need_file(target, thread) != TL_OK)
		return;
	while (tl_remote_stop_register(&pairs, &number, &digits)) {
		const struct remote_register *reg = tl_remote_layout_number(layout, number);
		tl_size size = tl_cursor_left(&digits) / 2;

		if (reg != NULL && reg->index >= 0 && size == reg->size && size <= sizeof(bytes) &&
		    tl_cursor_peek(&digits) != 'x' && read_value(&digits, bytes, size))
			take_value(thread, (tl_u16)reg->index, bytes, size);
	}
}

/* ---- Fetching ---- */

static enum tl_status ask_g(struct remote_target *target, struct remote_thread *thread)
{
	const struct remote_layout *layout = &thread->process->layout;
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_cursor text;

	TL_TRY(tl_remote_select(target, tl_remote_id(thread)));
	TL_TRY(tl_remote_ask_text(target, "g", &answer));
	if (answer == ANSWER_ERROR)
		return TL_ERROR_GONE;
	if (answer != ANSWER_TEXT)
		return TL_ERROR_REGISTER;
	if (thread->g == NULL)
		thread->g = tl_allocate(tl_storage(), layout->g_size);
	if (thread->g == NULL)
		return TL_ERROR_NO_MEMORY;
	text = tl_remote_answer_text(target);
	for (tl_size i = 0; i < layout->count; i++) {
		const struct remote_register *reg = &layout->registers[i];

		/* A reply may leave out the last ones: p has those. */
		if (tl_cursor_left(&text) < (tl_size)reg->size * 2)
			break;
		if (!read_value(&text, thread->g + reg->offset, reg->size))
			return TL_ERROR_MALFORMED;
		thread->g_size = reg->offset + reg->size;
		if (reg->index >= 0 && !is_known(thread, (tl_u16)reg->index))
			take_value(thread, (tl_u16)reg->index, thread->g + reg->offset, reg->size);
	}
	return thread->g_size != 0 ? TL_OK : TL_ERROR_MALFORMED;
}

/* One register; what the stub does not have reads as 0. */
static enum tl_status ask_p(struct remote_target *target, struct remote_thread *thread,
			    const struct remote_register *reg)
{
	enum remote_answer answer = ANSWER_UNKNOWN;
	struct tl_writer question;
	tl_u8 bytes[REMOTE_VALUE_MAX] = {0};
	struct tl_cursor text;

	if (target->knows_p != KNOWS_NOT) {
		TL_TRY(tl_remote_select(target, tl_remote_id(thread)));
		question = tl_remote_question(target);
		tl_write_byte(&question, 'p');
		tl_write_hex(&question, reg->number);
		TL_TRY(tl_remote_ask(target, &question, "a register (p)", &answer));
		if (answer == ANSWER_UNKNOWN)
			target->knows_p = KNOWS_NOT;
	}
	text = tl_remote_answer_text(target);
	if (answer != ANSWER_TEXT || reg->size > sizeof(bytes) || !read_value(&text, bytes, reg->size))
		memset(bytes, 0, sizeof(bytes));
	take_value(thread, (tl_u16)reg->index, bytes, reg->size < sizeof(bytes) ? reg->size : sizeof(bytes));
	return TL_OK;
}

/* A register of the bank that is not known yet, and that the stub has; NULL: all are. */
static const struct remote_register *unknown_in(const struct remote_thread *thread, tl_u8 bank)
{
	const struct remote_layout *layout = &thread->process->layout;

	for (tl_size i = 0; i < layout->count; i++) {
		const struct remote_register *reg = &layout->registers[i];

		if (reg->index >= 0 && layout->cpu->registers[reg->index].bank == bank &&
		    !is_known(thread, (tl_u16)reg->index))
			return reg;
	}
	return NULL;
}

static enum tl_status standing(struct remote_target *target, struct tl_thread_id id, struct remote_thread **thread_ret)
{
	struct remote_thread *thread = tl_remote_find_thread(target, id);

	if (thread == NULL)
		return TL_ERROR_GONE;
	TL_TRY(tl_remote_hold(target));
	TL_TRY(need_file(target, thread));
	*thread_ret = thread;
	return TL_OK;
}

static enum tl_status know_bank(struct remote_target *target, struct remote_thread *thread, tl_u8 bank)
{
	const struct remote_register *reg;

	if (unknown_in(thread, bank) != NULL && thread->g_size == 0)
		TL_TRY(ask_g(target, thread));
	while ((reg = unknown_in(thread, bank)) != NULL)
		TL_TRY(ask_p(target, thread, reg));
	return TL_OK;
}

static void copy_bank(const struct remote_layout *layout, tl_u8 bank, const tl_u8 *from, tl_u8 *to)
{
	for (tl_u16 i = 0; i < layout->cpu->register_count; i++) {
		const struct tl_register *reg = &layout->cpu->registers[i];

		if (reg->bank == bank)
			memcpy(to + reg->offset, from + reg->offset, (tl_size)(reg->bits + 7) / 8);
	}
}

enum tl_status tl_remote_fetch_registers(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, tl_u8 *file)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = NULL;

	TL_TRY(standing(target, id, &thread));
	TL_TRY(know_bank(target, thread, bank));
	copy_bank(&thread->process->layout, bank, thread->file, file);
	return TL_OK;
}

enum tl_status tl_remote_fetch_program_counter(struct tl_target *base, struct tl_thread_id id, tl_u64 *value_ret)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = NULL;
	const struct tl_cpu *cpu;

	TL_TRY(standing(target, id, &thread));
	cpu = thread->process->layout.cpu;
	if (!is_known(thread, cpu->program_counter))
		TL_TRY(know_bank(target, thread, cpu->registers[cpu->program_counter].bank));
	*value_ret = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	return TL_OK;
}

bool tl_remote_peek_program_counter(const struct remote_thread *thread, tl_u64 *value_ret)
{
	const struct tl_cpu *cpu = thread->process->layout.cpu;

	if (thread->file == NULL || cpu == NULL || !is_known(thread, cpu->program_counter))
		return false;
	*value_ret = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	return true;
}

/* ---- Storing ---- */

static enum tl_status send_p(struct remote_target *target, struct remote_thread *thread,
			     const struct remote_register *reg, const tl_u8 *value)
{
	struct tl_writer question;
	tl_u8 bytes[REMOTE_VALUE_MAX] = {0};
	const struct tl_register *ours = &thread->process->layout.cpu->registers[reg->index];
	tl_size size = (tl_size)(ours->bits + 7) / 8;
	enum tl_status status;

	if (reg->size > sizeof(bytes))
		return TL_ERROR_REGISTER;
	memcpy(bytes, value, size < reg->size ? size : reg->size);
	TL_TRY(tl_remote_select(target, tl_remote_id(thread)));
	question = tl_remote_question(target);
	tl_write_byte(&question, 'P');
	tl_write_hex(&question, reg->number);
	tl_write_byte(&question, '=');
	tl_write_hex_bytes(&question, bytes, reg->size);
	status = tl_remote_ask_ok(target, &question, "a register to be written (P)", TL_ERROR_REGISTER);
	if (status == TL_ERROR_UNSUPPORTED)
		target->knows_P = KNOWS_NOT;
	else
		target->knows_P = KNOWS;
	return status;
}

/* All at once, with those of `file` that differ in place of what the stub said. */
static enum tl_status send_g(struct remote_target *target, struct remote_thread *thread, tl_u8 bank, const tl_u8 *file)
{
	const struct remote_layout *layout = &thread->process->layout;
	struct tl_writer question;

	if (thread->g_size == 0)
		TL_TRY(ask_g(target, thread));
	for (tl_size i = 0; i < layout->count; i++) {
		const struct remote_register *reg = &layout->registers[i];
		const struct tl_register *ours;
		tl_size size;

		if (reg->index < 0 || reg->offset + reg->size > thread->g_size)
			continue;
		ours = &layout->cpu->registers[reg->index];
		size = (tl_size)(ours->bits + 7) / 8;
		if (ours->bank == bank)
			memcpy(thread->g + reg->offset, file + ours->offset, size < reg->size ? size : reg->size);
	}
	TL_TRY(tl_remote_select(target, tl_remote_id(thread)));
	question = tl_remote_question(target);
	tl_write_byte(&question, 'G');
	tl_write_hex_bytes(&question, thread->g, thread->g_size);
	return tl_remote_ask_ok(target, &question, "registers to be written (G)", TL_ERROR_REGISTER);
}

static bool differs(const struct remote_thread *thread, const struct remote_register *reg, tl_u8 bank,
		    const tl_u8 *file)
{
	const struct tl_register *ours;

	if (reg->index < 0)
		return false;
	ours = &thread->process->layout.cpu->registers[reg->index];
	return ours->bank == bank &&
	       (!is_known(thread, (tl_u16)reg->index) ||
		memcmp(file + ours->offset, thread->file + ours->offset, (tl_size)(ours->bits + 7) / 8) != 0);
}

enum tl_status tl_remote_store_registers(struct tl_target *base, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	struct remote_target *target = tl_remote_self(base);
	struct remote_thread *thread = NULL;
	const struct remote_layout *layout;
	enum tl_status status = TL_ERROR_UNSUPPORTED;
	tl_size count = 0;

	TL_TRY(standing(target, id, &thread));
	layout = &thread->process->layout;
	for (tl_size i = 0; i < layout->count; i++)
		count += differs(thread, &layout->registers[i], bank, file);
	if (count == 0)
		return TL_OK;
	if (target->knows_P != KNOWS_NOT && count <= P_MAX) {
		status = TL_OK;
		for (tl_size i = 0; i < layout->count && status == TL_OK; i++)
			if (differs(thread, &layout->registers[i], bank, file))
				status = send_p(target, thread, &layout->registers[i],
						file + layout->cpu->registers[layout->registers[i].index].offset);
	}
	if (status == TL_ERROR_UNSUPPORTED)
		status = send_g(target, thread, bank, file);
	/* What the stub made of it (reserved bits, say) is asked for anew. */
	tl_remote_forget_registers(thread);
	return status;
}

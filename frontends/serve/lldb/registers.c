/*
 * Registers: their descriptions one by one, and copies of all of them that lldb takes before it calls a function.
 */
#include "frontends/serve/lldb/internal.h"

#include <stdlib.h>
#include <string.h>

static const char *set_of(const struct tl_register *reg)
{
	if (reg->group != NULL && strcmp(reg->group, "float") == 0)
		return "Floating Point Registers";
	if (reg->group != NULL && strcmp(reg->group, "vector") == 0)
		return "Advanced Vector Extensions";
	return "General Purpose Registers";
}

static void write_pair(struct tl_writer *reply, const char *name, const char *value)
{
	tl_write_text(reply, name);
	tl_write_byte(reply, ':');
	tl_write_text(reply, value);
	tl_write_byte(reply, ';');
}

static void write_number(struct tl_writer *reply, const char *name, tl_u64 value)
{
	tl_write_text(reply, name);
	tl_write_byte(reply, ':');
	tl_write_decimal(reply, value);
	tl_write_byte(reply, ';');
}

/* Where a register stands in the g packet: behind all those that come before it. */
static tl_u64 packet_offset(const struct tl_cpu *cpu, tl_u32 features, tl_u64 number)
{
	tl_u64 offset = 0;
	tl_u16 index;

	for (tl_u64 before = 0; before < number; before++)
		if (tl_cpu_present(cpu, features, before, &index) == TL_OK)
			offset += cpu->registers[index].bits / 8u;
	return offset;
}

/* qRegisterInfo NUMBER: for clients that read no target description. */
TL_LLDB_HANDLER(handle_register_info)
{
	tl_u64 number = tl_cursor_hex(arguments), process;
	const struct tl_register *reg;
	const struct tl_cpu *cpu;
	tl_u32 features;
	tl_u16 index;
	bool vector;

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	cpu = tl_lldb_cpu(lldb, process, &features);
	if (cpu == NULL || tl_cpu_present(cpu, features, number, &index) != TL_OK)
		return TL_ERROR_REGISTER;
	reg = &cpu->registers[index];
	vector = reg->group != NULL && strcmp(reg->group, "vector") == 0 && reg->bits > 64;
	write_pair(reply, "name", reg->alternate != NULL ? reg->alternate : reg->name);
	if (reg->alternate != NULL)
		write_pair(reply, "alt-name", reg->name);
	write_number(reply, "bitsize", reg->bits);
	write_number(reply, "offset", packet_offset(cpu, features, number));
	write_pair(reply, "encoding", vector ? "vector" : "uint");
	write_pair(reply, "format", vector || reg->bits > 64 ? "vector-uint8" : "hex");
	write_pair(reply, "set", set_of(reg));
	if (reg->ehframe >= 0)
		write_number(reply, "ehframe", (tl_u64)reg->ehframe);
	if (reg->dwarf >= 0)
		write_number(reply, "dwarf", (tl_u64)reg->dwarf);
	if (reg->generic != NULL)
		write_pair(reply, "generic", reg->generic);
	return TL_OK;
}

/* ---- Copies ---- */

static void forget(struct tl_lldb_saved *saved)
{
	free(saved->file);
	*saved = (struct tl_lldb_saved){0};
}

void tl_lldb_forget_registers(struct tl_lldb *lldb)
{
	for (tl_size i = 0; i < TL_LLDB_SAVED_MAX; i++)
		forget(&lldb->saved[i]);
}

/* A free place; the oldest copy is given up when there is none, as a client that crashes over calls leaves some behind.
 */
static struct tl_lldb_saved *free_place(struct tl_lldb *lldb)
{
	struct tl_lldb_saved *oldest = &lldb->saved[0];

	for (tl_size i = 0; i < TL_LLDB_SAVED_MAX; i++) {
		if (lldb->saved[i].file == NULL)
			return &lldb->saved[i];
		if (lldb->saved[i].id < oldest->id)
			oldest = &lldb->saved[i];
	}
	forget(oldest);
	return oldest;
}

static tl_u32 all_banks(const struct tl_cpu *cpu)
{
	return (1u << cpu->bank_count) - 1;
}

TL_LLDB_HANDLER(handle_save)
{
	struct tl_lldb_saved *place;
	const struct tl_cpu *cpu;
	struct tl_thread_id id;
	tl_u8 *file;

	TL_TRY(tl_lldb_thread(rsp, arguments, &id));
	cpu = tl_lldb_cpu(lldb, id.process, NULL);
	if (cpu == NULL)
		return TL_ERROR_NO_PROCESS;
	TL_TRY(tl_engine_registers(lldb->engine, id, all_banks(cpu), &file));
	place = free_place(lldb);
	place->file = malloc(cpu->file_size);
	if (place->file == NULL)
		return TL_ERROR_NO_MEMORY;
	memcpy(place->file, file, cpu->file_size);
	place->size = cpu->file_size;
	place->thread = id;
	place->id = ++lldb->last_saved;
	tl_write_decimal(reply, place->id);
	return TL_OK;
}

/* QRestoreRegisterState:ID[;thread:THREAD;] puts a copy back, once. */
TL_LLDB_HANDLER(handle_restore)
{
	tl_u64 number = tl_cursor_decimal(arguments);
	const struct tl_cpu *cpu;
	struct tl_thread_id id;
	tl_u8 *file;

	if (arguments->failed)
		return TL_ERROR_PACKET;
	TL_TRY(tl_lldb_thread(rsp, arguments, &id));
	cpu = tl_lldb_cpu(lldb, id.process, NULL);
	if (cpu == NULL)
		return TL_ERROR_NO_PROCESS;
	for (tl_size i = 0; i < TL_LLDB_SAVED_MAX; i++) {
		struct tl_lldb_saved *saved = &lldb->saved[i];

		if (saved->file == NULL || saved->id != number || saved->size != cpu->file_size ||
		    saved->thread.process != id.process || saved->thread.thread != id.thread)
			continue;
		TL_TRY(tl_engine_registers(lldb->engine, id, all_banks(cpu), &file));
		memcpy(file, saved->file, saved->size);
		forget(saved);
		return tl_engine_registers_changed(lldb->engine, id, all_banks(cpu));
	}
	tl_rsp_explain(rsp, "there is no such copy of that thread's registers");
	return TL_ERROR_ARGUMENT;
}

const struct tl_rsp_row tl_lldb_register_rows[] = {
	{"qRegisterInfo", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_register_info_row},
	{"QSaveRegisterState", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_save_row},
	{"QRestoreRegisterState:", TL_RSP_PREFIX, TL_RSP_PROCESS | TL_RSP_STOPPED, true, handle_restore_row},
	{.name = NULL},
};

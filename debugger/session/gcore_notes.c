/*
 * The notes of a core: its threads with their registers, and what is known of the process.
 */
#include "core/cpu/arm64_layout.h"
#include "debugger/session/gcore_internal.h"

#include <elf.h>
#include <string.h>

#define AUXV_MAX 4096
#define PAGE_SIZE 4096
#define COMMAND_LINE_MAX 4096

static void put_note_header(struct gcore *core, const char *name, tl_u32 type, tl_size size)
{
	tl_u8 header[TL_CORE_NOTE_HEADER + 8] = {0};

	/* The name with its end, which the zeroes are, and padding. */
	tl_store_little(header, strlen(name) + 1, 4);
	tl_store_little(header + 4, size, 4);
	tl_store_little(header + 8, type, 4);
	tl_copy(header + TL_CORE_NOTE_HEADER, name, strlen(name));
	tl_gcore_put(core, header, sizeof(header));
}

static void put_padding(struct gcore *core, tl_size size)
{
	static const tl_u8 zeroes[4];

	tl_gcore_put(core, zeroes, (4 - size % 4) % 4);
}

void tl_gcore_put_note(struct gcore *core, const char *name, tl_u32 type, const void *content, tl_size size)
{
	put_note_header(core, name, type, size);
	tl_gcore_put(core, content, size);
	put_padding(core, size);
}

tl_size tl_gcore_read_object(const struct gcore *core, struct tl_thread_id id, enum tl_object object, void *buffer,
			     tl_size size)
{
	struct tl_target *target = tl_engine_target(core->engine);
	tl_size whole = 0, done = 0;

	while (target->ops->read_object != NULL && whole < size &&
	       target->ops->read_object(target, id, object, whole, (tl_u8 *)buffer + whole, size - whole, &done) ==
		       TL_OK &&
	       done != 0)
		whole += done;
	return whole;
}

/* ---- The process ---- */

static void put_process(struct gcore *core)
{
	const struct tl_core_layout *layout = core->layout;
	char words[COMMAND_LINE_MAX] = {0}, path[4096 + 1] = {0};
	tl_u8 note[256] = {0};
	tl_size size = tl_gcore_read_object(core, core->first, TL_OBJECT_COMMAND_LINE, words, sizeof(words));
	const char *name = path;

	/* 'R', running: what gdb writes of a process that a debugger stopped. */
	note[1] = 'R';
	tl_store_little(note + layout->info.process, core->process, 4);
	path[tl_gcore_read_object(core, core->first, TL_OBJECT_EXEC_FILE, path, sizeof(path) - 1)] = '\0';
	if (strrchr(path, '/') != NULL)
		name = strrchr(path, '/') + 1;
	memcpy(note + layout->info.name, name, strnlen(name, TL_CORE_NAME_SIZE - 1));
	while (size > 0 && words[size - 1] == '\0')
		size--;
	for (tl_size i = 0; i < size && i < TL_CORE_ARGUMENTS_SIZE - 1; i++)
		note[layout->info.arguments + i] = words[i] != '\0' ? (tl_u8)words[i] : ' ';
	tl_gcore_put_note(core, "CORE", NT_PRPSINFO, note, layout->info.size);
}

static void put_auxv(struct gcore *core)
{
	tl_u8 vector[AUXV_MAX];
	tl_size size = tl_gcore_read_object(core, core->first, TL_OBJECT_AUXV, vector, sizeof(vector));

	if (size != 0)
		tl_gcore_put_note(core, "CORE", NT_AUXV, vector, size);
}

static void put_word(struct gcore *core, tl_u64 value)
{
	tl_u8 bytes[8];
	tl_size word = core->layout->word;

	tl_store_little(bytes, value, word);
	tl_gcore_put(core, bytes, word);
}

static void put_files(struct gcore *core)
{
	tl_size word = core->layout->word, count = 0, size = 2 * word;

	for (tl_size i = 0; i < core->region_count; i++) {
		if (!core->regions[i].file)
			continue;
		count++;
		size += 3 * word + strlen(core->names + core->regions[i].name) + 1;
	}
	if (count == 0 || size > TL_U32_MAX)
		return;
	put_note_header(core, "CORE", NT_FILE, size);
	put_word(core, count);
	put_word(core, PAGE_SIZE);
	for (tl_size i = 0; i < core->region_count; i++) {
		const struct gcore_region *region = &core->regions[i];

		if (!region->file)
			continue;
		put_word(core, region->start);
		put_word(core, region->start + region->size);
		put_word(core, region->offset / PAGE_SIZE);
	}
	for (tl_size i = 0; i < core->region_count; i++)
		if (core->regions[i].file)
			tl_gcore_put(core, core->names + core->regions[i].name,
				     strlen(core->names + core->regions[i].name) + 1);
	put_padding(core, size);
}

/* ---- Threads ---- */

static tl_i32 signal_of(const struct gcore *core, struct tl_thread_id id)
{
	struct tl_report report;

	if (!tl_engine_last_report(core->engine, id, &report) || report.event.kind != TL_EVENT_SIGNAL || report.asked)
		return 0;
	return report.event.signal;
}

static void put_status(struct gcore *core, struct tl_thread_id id, const tl_u8 *file, bool floating)
{
	const struct tl_core_layout *layout = core->layout;
	tl_i32 signal = signal_of(core, id);
	tl_u8 note[512] = {0};

	tl_store_little(note, (tl_u64)signal, 4);
	tl_store_little(note + layout->status.signal, (tl_u64)signal, 2);
	tl_store_little(note + layout->status.thread, id.thread, 4);
	if (core->arm64)
		tl_copy(note + layout->status.registers, file, TL_ARM64_GENERAL_SIZE);
	else
		tl_core_write_registers(core->wide, file, note + layout->status.registers);
	tl_store_little(note + layout->status.floating, floating, 4);
	tl_gcore_put_note(core, "CORE", NT_PRSTATUS, note, layout->status.size);
}

static enum tl_status put_thread(struct gcore *core, struct tl_thread_id id, struct tl_error *error)
{
	tl_u32 more = core->arm64 ? TL_GCORE_ARM64_BANKS : TL_GCORE_X86_BANKS;
	tl_u8 siginfo[TL_CORE_SIGINFO_SIZE], *file;
	bool all = tl_engine_registers(core->engine, id, more, &file) == TL_OK;
	enum tl_status status = tl_engine_registers(core->engine, id, 1u << TL_BANK_GENERAL, &file);

	if (status != TL_OK)
		return TL_FAIL(error, status, "cannot read the registers of thread %llu: %s",
			       (unsigned long long)id.thread, tl_status_text(status));
	put_status(core, id, file, all);
	if (core->arm64)
		tl_gcore_put_arm64(core, file, all);
	else
		tl_gcore_put_x86(core, id, file, all);
	if (tl_gcore_read_object(core, id, TL_OBJECT_SIGINFO, siginfo, sizeof(siginfo)) == sizeof(siginfo))
		tl_gcore_put_note(core, "CORE", NT_SIGINFO, siginfo, sizeof(siginfo));
	return TL_OK;
}

enum tl_status tl_gcore_write_notes(struct gcore *core, struct tl_error *error)
{
	struct tl_thread_info info = {.id = {0, 0}};

	put_process(core);
	TL_TRY(put_thread(core, core->first, error));
	put_auxv(core);
	put_files(core);
	while (tl_engine_next_thread(core->engine, info.id, &info)) {
		if (info.id.process != core->process || info.id.thread == core->first.thread)
			continue;
		TL_TRY(put_thread(core, info.id, error));
		if (core->options.progress != NULL && !core->options.progress(core->options.context, 0, core->total))
			return TL_FAIL(error, TL_ERROR_CANCELLED, "cancelled: no core was written");
	}
	return TL_OK;
}

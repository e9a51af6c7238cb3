#include "targets/corefile/corefile.h"

#include "base/storage.h"
#include "targets/corefile/state.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define AUXV_MAX 4096

void tl_corefile_remark(const struct core_target *core, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (core->options.remark == NULL)
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	core->options.remark(core->options.context, line);
}

const struct core_thread *tl_corefile_thread(const struct core_target *core, struct tl_thread_id id)
{
	tl_size low = 0, high = core->thread_count;

	if (id.process != core->process)
		return NULL;
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (core->threads[middle].id < id.thread)
			low = middle + 1;
		else
			high = middle;
	}
	return low < core->thread_count && core->threads[low].id == id.thread ? &core->threads[low] : NULL;
}

/* ---- Objects ---- */

/* A part of a note. */
static enum tl_status read_note(const struct core_target *core, const struct core_part *note, tl_u64 offset,
				void *buffer, tl_size size, tl_size *done_ret)
{
	if (offset >= note->size)
		return TL_OK;
	if (size > note->size - offset)
		size = (tl_size)(note->size - offset);
	if (!tl_corefile_read_core(core, note->offset + offset, buffer, size))
		return TL_ERROR_TRUNCATED;
	*done_ret = size;
	return TL_OK;
}

tl_u64 tl_corefile_auxv(const struct core_target *core, tl_u64 type)
{
	tl_size word = core_layout(core)->word, size = 0;
	tl_u8 vector[AUXV_MAX];

	if (read_note(core, &core->auxv, 0, vector, sizeof(vector), &size) != TL_OK)
		return 0;
	for (tl_size at = 0; at + 2 * word <= size; at += 2 * word) {
		tl_u64 found = tl_load_little(vector + at, word);

		if (found == type)
			return tl_load_little(vector + at + word, word);
		if (found == AT_NULL)
			break;
	}
	return 0;
}

static enum tl_status read_object(struct tl_target *target, struct tl_thread_id id, enum tl_object object,
				  tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	const struct core_target *core = core_target(target);
	const struct core_thread *thread = tl_corefile_thread(core, id);
	tl_u8 pointer[8];
	tl_u64 value;

	*done_ret = 0;
	if (id.process != core->process)
		return TL_ERROR_GONE;
	switch (object) {
	case TL_OBJECT_AUXV:
		return core->auxv.size != 0 ? read_note(core, &core->auxv, offset, buffer, size, done_ret)
					    : TL_ERROR_UNSUPPORTED;
	case TL_OBJECT_SIGINFO:
		if (thread == NULL || thread->siginfo.size == 0)
			return TL_ERROR_STATE;
		return read_note(core, &thread->siginfo, offset, buffer, size, done_ret);
	case TL_OBJECT_EXEC_FILE:
		/* What stands there by now would only mislead, unless the user insists on it. */
		if (core->executable[0] == '\0' || (core->other_program && core->options.program == NULL))
			return TL_ERROR_UNSUPPORTED;
		return tl_target_part(core->executable, strlen(core->executable), offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_NAME:
		/* The one that was dumped first gave the core its name; what others were called is not in it. */
		if (thread == NULL || thread->place != 0 || core->name[0] == '\0')
			return TL_ERROR_UNSUPPORTED;
		return tl_target_part(core->name, strlen(core->name), offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_POINTER:
		if (thread == NULL || !tl_corefile_thread_pointer(core, thread, &value))
			return TL_ERROR_UNSUPPORTED;
		tl_store_little(pointer, value, sizeof(pointer));
		return tl_target_part(pointer, sizeof(pointer), offset, buffer, size, done_ret);
	case TL_OBJECT_COMMAND_LINE:
		if (core->command[0] == '\0')
			return TL_ERROR_UNSUPPORTED;
		/* Where one word ends and the next begins is lost. */
		return tl_target_part(core->command, strlen(core->command) + 1, offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_CORE:
	case TL_OBJECT_MEMORY_MAP:
	case TL_OBJECT_TEXT_ADDRESS:
	case TL_OBJECT_MAX:
		break;
	}
	return TL_ERROR_UNSUPPORTED;
}

/* ---- What a record does not do ---- */

static enum tl_status store_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, const tl_u8 *file)
{
	(void)target, (void)id, (void)bank, (void)file;
	return TL_ERROR_UNSUPPORTED;
}

static enum tl_status write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				   tl_size size, tl_size *done_ret)
{
	(void)target, (void)process, (void)address, (void)buffer, (void)size;
	*done_ret = 0;
	return TL_ERROR_UNSUPPORTED;
}

/* It ended long ago: whoever wants to be rid of it is. */
static enum tl_status detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal)
{
	(void)thread, (void)signal;
	return process == core_target(target)->process ? TL_OK : TL_ERROR_GONE;
}

static enum tl_status forget(struct tl_target *target, tl_u64 process)
{
	return detach(target, process, 0, 0);
}

static const struct tl_target_ops operations = {
	.version = TL_TARGET_VERSION,
	.name = "core",
	/* There is one, but its number means something: clients show it, and ask for its maps. */
	.capabilities = TL_CAN_MULTI_PROCESS,
	.describe = tl_corefile_describe,
	.fetch_registers = tl_corefile_fetch,
	.store_registers = store_registers,
	.read_memory = tl_corefile_read_memory,
	.write_memory = write_memory,
	.detach = detach,
	.kill = forget,
	.read_object = read_object,
	.memory_region = tl_corefile_region,
};

/* ---- Opening ---- */

static enum tl_status check_compression(const struct core_target *core, const char *path, struct tl_error *error)
{
	static const struct {
		const char *magic, *name, *command;
		tl_u8 size;
	} forms[] = {
		{"\x1f\x8b", "gzip", "gzip -dc", 2},
		{"\x28\xb5\x2f\xfd", "zstd", "zstd -dc", 4},
		{"\xfd\x37\x7a\x58\x5a", "xz", "xz -dc", 5},
		{"\x04\x22\x4d\x18", "lz4", "lz4 -dc", 4},
		{"BZh", "bzip2", "bzip2 -dc", 3},
	};
	tl_u8 start[8] = {0};

	if (!tl_corefile_read_core(core, 0, start, core->size < sizeof(start) ? (tl_size)core->size : sizeof(start)))
		return TL_OK;
	for (tl_size i = 0; i < TL_COUNT(forms); i++)
		if (tl_same(start, forms[i].magic, forms[i].size))
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
				       "%s is compressed with %s: unpack it first (%s %s >core)", path, forms[i].name,
				       forms[i].command, path);
	return TL_OK;
}

static enum tl_status check_machine(struct core_target *core, const struct tl_elf *elf, const char *path,
				    struct tl_error *error)
{
	if (elf->type != ET_CORE)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is an ELF file, but not a core dump: %s", path,
			       elf->type == ET_EXEC || elf->type == ET_DYN ? "is it the program? The core comes first"
									   : "");
	if (elf->big_endian || !((elf->machine == EM_X86_64 && elf->wide) || (elf->machine == EM_386 && !elf->wide) ||
				 (elf->machine == EM_AARCH64 && elf->wide)))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "%s is a core of another kind of machine (ELF machine %u, %d bits): only those of "
			       "x86-64, i386 and 64-bit Arm can be read",
			       path, elf->machine, elf->wide ? 64 : 32);
	core->wide = elf->wide;
	core->arm64 = elf->machine == EM_AARCH64;
	return TL_OK;
}

static enum tl_status open_file(struct core_target *core, const char *path, struct tl_error *error)
{
	struct stat status;

	/* A pipe without a writer must not hold us. */
	core->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (core->descriptor < 0 || fstat(core->descriptor, &status) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot open the core %s", path);
	if (!S_ISREG(status.st_mode))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s is not a regular file: a core is read here and there, not in order", path);
	core->size = (tl_u64)status.st_size;
	return TL_OK;
}

static enum tl_status read_core(struct core_target *core, const char *path, struct tl_error *error)
{
	struct tl_error why;
	struct tl_elf elf;

	TL_TRY(open_file(core, path, error));
	TL_TRY(check_compression(core, path, error));
	if (tl_elf_open(&elf, tl_elf_read_descriptor, &core->descriptor, false, &why) != TL_OK)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "%s is not a core dump: %s", path, why.text);
	TL_TRY(check_machine(core, &elf, path, error));
	TL_TRY(tl_corefile_read_segments(core, &elf, error));
	TL_TRY(tl_corefile_read_notes(core, &elf, error));
	tl_corefile_sort_mappings(core);
	tl_corefile_find_features(core);
	if (core->truncated)
		tl_corefile_remark(
			core,
			"%s is cut off: its headers promise more than the %llu bytes that are there; what is "
			"behind them cannot be read",
			path, (unsigned long long)core->size);
	TL_TRY(tl_corefile_find_program(core, error));
	tl_corefile_sort_mappings(core);
	return TL_OK;
}

enum tl_status tl_corefile_open(const char *path, const struct tl_corefile_options *options,
				struct tl_target **target_ret, struct tl_error *error)
{
	struct core_target *core = tl_allocate(tl_storage(), sizeof(*core));
	enum tl_status status;

	if (core == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the core target");
	core->target.ops = &operations;
	core->descriptor = -1;
	if (options != NULL)
		core->options = *options;
	status = read_core(core, path, error);
	if (status != TL_OK) {
		tl_corefile_close(&core->target);
		return status;
	}
	*target_ret = &core->target;
	return TL_OK;
}

void tl_corefile_close(struct tl_target *target)
{
	struct core_target *core;

	if (target == NULL)
		return;
	core = core_target(target);
	tl_corefile_close_files(core);
	if (core->descriptor >= 0)
		(void)close(core->descriptor);
	tl_release(tl_storage(), core->order, core->thread_count * sizeof(*core->order));
	tl_release(tl_storage(), core->threads, core->thread_capacity * sizeof(*core->threads));
	tl_release(tl_storage(), core->segments, core->segment_capacity * sizeof(*core->segments));
	tl_release(tl_storage(), core->mappings, core->mapping_capacity * sizeof(*core->mappings));
	tl_release(tl_storage(), core->files, core->file_capacity * sizeof(*core->files));
	tl_release(tl_storage(), core->names, core->names_size);
	tl_release(tl_storage(), core, sizeof(*core));
}

/* ---- For the engine ---- */

/* What the thread stopped with: the signal belongs to the one that the kernel, or gdb, dumped first. */
static struct tl_event last_event(const struct core_target *core, const struct core_thread *thread)
{
	struct tl_event event = {.kind = TL_EVENT_PAUSED, .thread = {core->process, thread->id}};
	tl_u8 code[4] = {0};

	if (thread->place != 0 || thread->signal <= 0 || thread->signal > 64)
		return event;
	event.kind = TL_EVENT_SIGNAL;
	event.signal = thread->signal;
	/* si_code, above 0 where the kernel raised it for what the instruction did. */
	if (thread->siginfo.size >= 12 && tl_corefile_read_core(core, thread->siginfo.offset + 8, code, sizeof(code)))
		event.fault = (event.signal == SIGSEGV || event.signal == SIGBUS || event.signal == SIGILL ||
			       event.signal == SIGFPE) &&
			      (tl_i32)tl_load_little(code, sizeof(code)) > 0;
	return event;
}

enum tl_status tl_corefile_populate(struct tl_target *target, struct tl_error *error)
{
	const struct core_target *core = core_target(target);
	enum tl_status status = tl_engine_add_process(target->engine, core->process);

	for (tl_size i = 0; i < core->thread_count && status == TL_OK; i++) {
		struct tl_thread_id id = {core->process, core->threads[core->order[i]].id};

		status = tl_engine_add_thread(target->engine, id, true);
	}
	if (status != TL_OK)
		return TL_FAIL(error, status, "no memory for the core's %zu threads", core->thread_count);
	for (tl_size i = 0; i < core->thread_count; i++) {
		struct tl_event event = last_event(core, &core->threads[core->order[i]]);

		tl_engine_post(target->engine, &event);
	}
	return TL_OK;
}

void tl_corefile_facts(struct tl_target *target, struct tl_corefile_facts *facts_ret)
{
	const struct core_target *core = core_target(target);

	*facts_ret = (struct tl_corefile_facts){
		.process = core->process,
		.threads = core->thread_count,
		.signal = core->threads[core->order[0]].signal,
		.program = core->executable,
		.name = core->name,
		.command = core->command,
		.other_program = core->other_program,
		.truncated = core->truncated,
	};
}

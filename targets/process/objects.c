/*
 * Objects: what the kernel keeps of a process besides registers and memory.
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"
#include "targets/process/maps.h"

#include <fcntl.h>
#include <stdio.h>

/* Reads from `offset` of a file under /proc. */
static enum tl_status read_file(const struct process_target *target, const char *path, tl_u64 offset, void *buffer,
				tl_size size, tl_size *done_ret)
{
	int descriptor = target->calls->open(path, O_RDONLY);
	ssize_t got;

	if (descriptor < 0)
		return errno == ENOENT || errno == ESRCH ? TL_ERROR_GONE : TL_ERROR_SYSTEM;
	got = target->calls->pread(descriptor, buffer, size, offset);
	(void)target->calls->close(descriptor);
	if (got < 0)
		return TL_ERROR_SYSTEM;
	*done_ret = (tl_size)got;
	return TL_OK;
}

/* ---- siginfo ---- */

/*
 * A 32-bit program's siginfo_t as the kernel lays it out for it (compat_siginfo): three ints, then without padding a
 * union in which pointers, longs and clock_t are 4 bytes.
 */
#define SIGINFO_SIZE 128

/* A field of both layouts: offset and size in the 64-bit one, and in the 32-bit one. */
struct siginfo_field {
	tl_u8 wide, wide_size, narrow, narrow_size;
};

static const struct siginfo_field siginfo_head[] = {{0, 4, 0, 4}, {4, 4, 4, 4}, {8, 4, 8, 4}};
static const struct siginfo_field siginfo_sent[] = {{16, 4, 12, 4}, {20, 4, 16, 4}, {24, 8, 20, 4}};
static const struct siginfo_field siginfo_child[] = {
	{16, 4, 12, 4}, {20, 4, 16, 4}, {24, 4, 20, 4}, {32, 8, 24, 4}, {40, 8, 28, 4}};
static const struct siginfo_field siginfo_fault[] = {{16, 8, 12, 4}, {24, 2, 16, 2}};
static const struct siginfo_field siginfo_poll[] = {{16, 8, 12, 4}, {24, 4, 16, 4}};
static const struct siginfo_field siginfo_system[] = {{16, 8, 12, 4}, {24, 4, 16, 4}, {28, 4, 20, 4}};

static const struct siginfo_field *siginfo_rest(int signal, int code, tl_size *count_ret)
{
#define FIELDS(array) (*count_ret = TL_COUNT(array), (array))
	/* What a process sent, or a timer or queue: sigaction(2), "si_code". */
	if (code <= 0)
		return FIELDS(siginfo_sent);
	switch (signal) {
	case SIGCHLD:
		return FIELDS(siginfo_child);
	case SIGILL:
	case SIGFPE:
	case SIGSEGV:
	case SIGBUS:
	case SIGTRAP:
		return FIELDS(siginfo_fault);
	case SIGPOLL:
		return FIELDS(siginfo_poll);
	case SIGSYS:
		return FIELDS(siginfo_system);
	default:
		return FIELDS(siginfo_sent);
	}
#undef FIELDS
}

static void move_fields(tl_u8 *wide, tl_u8 *narrow, bool to_narrow, const struct siginfo_field *fields, tl_size count)
{
	for (tl_size i = 0; i < count; i++) {
		const struct siginfo_field *field = &fields[i];

		if (to_narrow)
			tl_store_little(narrow + field->narrow, tl_load_little(wide + field->wide, field->wide_size),
					field->narrow_size);
		else
			tl_store_little(wide + field->wide, tl_load_little(narrow + field->narrow, field->narrow_size),
					field->wide_size);
	}
}

/* From one layout to the other, by what the signal and the code say of the union. */
static void convert_siginfo(tl_u8 *wide, tl_u8 *narrow, bool to_narrow)
{
	const struct siginfo_field *rest;
	tl_size count = 0;

	move_fields(wide, narrow, to_narrow, siginfo_head, TL_COUNT(siginfo_head));
	rest = siginfo_rest((int)tl_load_little(wide, 4), (tl_i32)tl_load_little(wide + 8, 4), &count);
	move_fields(wide, narrow, to_narrow, rest, count);
}

static enum tl_status read_siginfo(const struct traced_thread *thread, tl_u64 offset, void *buffer, tl_size size,
				   tl_size *done_ret)
{
	tl_u8 narrow[SIGINFO_SIZE] = {0}, wide[SIGINFO_SIZE];

	_Static_assert(sizeof(siginfo_t) == SIGINFO_SIZE, "the kernel's size");
	if (!thread->has_signal)
		return TL_ERROR_STATE;
	tl_copy(wide, &thread->signal, sizeof(wide));
	if (thread->process->wide)
		return tl_target_part(wide, sizeof(wide), offset, buffer, size, done_ret);
	convert_siginfo(wide, narrow, true);
	return tl_target_part(narrow, sizeof(narrow), offset, buffer, size, done_ret);
}

static enum tl_status write_siginfo(const struct process_target *target, struct traced_thread *thread, tl_u64 offset,
				    const void *buffer, tl_size size, tl_size *done_ret)
{
	tl_u8 narrow[SIGINFO_SIZE] = {0}, wide[SIGINFO_SIZE];
	siginfo_t changed;

	if (!thread->has_signal)
		return TL_ERROR_STATE;
	if (offset > SIGINFO_SIZE || size > SIGINFO_SIZE - offset)
		return TL_ERROR_ARGUMENT;
	tl_copy(wide, &thread->signal, sizeof(wide));
	if (thread->process->wide) {
		tl_copy(wide + offset, buffer, size);
	} else {
		convert_siginfo(wide, narrow, true);
		tl_copy(narrow + offset, buffer, size);
		convert_siginfo(wide, narrow, false);
	}
	tl_copy(&changed, wide, sizeof(changed));
	if (thread->place == PLACE_DELIVERY &&
	    process_ptrace_patiently(target, PTRACE_SETSIGINFO, thread, 0, (tl_uintptr)&changed) < 0)
		return tl_process_errno();
	thread->signal = changed;
	*done_ret = size;
	return TL_OK;
}

/* ---- The processor ---- */

#define STAT_PROCESSOR 39 /* proc_pid_stat(5), "processor", counted from 1 */

/* The field as it stands in the file. The second is a name in brackets that may hold anything: count from behind it. */
static enum tl_status read_core(const struct process_target *target, const char *path, tl_u64 offset, void *buffer,
				tl_size size, tl_size *done_ret)
{
	char text[1024];
	tl_size length = 0, at, end;

	TL_TRY(read_file(target, path, 0, text, sizeof(text), &length));
	for (at = length; at > 0 && text[at - 1] != ')'; at--)
		continue;
	for (unsigned field = 2; at < length && field < STAT_PROCESSOR; at++)
		field += text[at] == ' ';
	for (end = at; end < length && text[end] >= '0' && text[end] <= '9'; end++)
		continue;
	return end != at ? tl_target_part(text + at, end - at, offset, buffer, size, done_ret) : TL_ERROR_SYSTEM;
}

/* ---- Thread-local storage ---- */

static enum tl_status read_pointer(const struct process_target *target, struct traced_thread *thread, tl_u64 offset,
				   void *buffer, tl_size size, tl_size *done_ret)
{
	tl_u8 bytes[8];
	tl_u64 value = 0;

	if (thread->state != TRACED_STOPPED)
		return TL_ERROR_RUNNING;
	TL_TRY(tl_process_cpu_thread_pointer(target, thread, &value));
	tl_store_little(bytes, value, sizeof(bytes));
	return tl_target_part(bytes, sizeof(bytes), offset, buffer, size, done_ret);
}

/* ---- The operations ---- */

enum tl_status tl_process_objects_read(struct tl_target *base, struct tl_thread_id id, enum tl_object object,
				       tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id.process);
	struct traced_thread *thread = tl_process_thread(target, id);
	char path[64], link[4096];
	ssize_t length;

	*done_ret = 0;
	if (process == NULL)
		return TL_ERROR_GONE;
	switch (object) {
	case TL_OBJECT_AUXV:
		(void)snprintf(path, sizeof(path), "/proc/%d/auxv", (int)process->id);
		return read_file(target, path, offset, buffer, size, done_ret);
	case TL_OBJECT_SIGINFO:
		if (thread == NULL)
			return TL_ERROR_GONE;
		return read_siginfo(thread, offset, buffer, size, done_ret);
	case TL_OBJECT_EXEC_FILE:
		(void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)process->id);
		length = target->calls->readlink(path, link, sizeof(link));
		if (length < 0)
			return TL_ERROR_SYSTEM;
		return tl_target_part(link, (tl_size)length, offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_NAME:
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)process->id, (int)id.thread);
		TL_TRY(read_file(target, path, offset, buffer, size, done_ret));
		if (*done_ret > 0 && ((const char *)buffer)[*done_ret - 1] == '\n')
			--*done_ret;
		return TL_OK;
	case TL_OBJECT_THREAD_CORE:
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)process->id, (int)id.thread);
		return read_core(target, path, offset, buffer, size, done_ret);
	case TL_OBJECT_THREAD_POINTER:
		return thread != NULL ? read_pointer(target, thread, offset, buffer, size, done_ret) : TL_ERROR_GONE;
	case TL_OBJECT_COMMAND_LINE:
		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)process->id);
		return read_file(target, path, offset, buffer, size, done_ret);
	case TL_OBJECT_MEMORY_MAP:
	case TL_OBJECT_TEXT_ADDRESS:
	case TL_OBJECT_MAX:
		break;
	}
	return TL_ERROR_UNSUPPORTED;
}

enum tl_status tl_process_objects_write(struct tl_target *base, struct tl_thread_id id, enum tl_object object,
					tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret)
{
	struct process_target *target = process_target(base);
	struct traced_thread *thread = tl_process_thread(target, id);

	*done_ret = 0;
	if (object != TL_OBJECT_SIGINFO)
		return TL_ERROR_UNSUPPORTED;
	if (thread == NULL || thread->state == TRACED_ENDED)
		return TL_ERROR_GONE;
	if (thread->state != TRACED_STOPPED)
		return TL_ERROR_RUNNING;
	return write_siginfo(target, thread, offset, buffer, size, done_ret);
}

enum tl_status tl_process_objects_region(struct tl_target *base, tl_u64 id, tl_u64 address,
					 struct tl_memory_region *region_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	struct tl_memory_region gap = {0}, region;
	struct maps maps;

	if (process == NULL || !tl_process_maps_open(&maps, target->calls, process->id))
		return TL_ERROR_GONE;
	while (tl_process_maps_next(&maps, &region)) {
		if (address < region.start) {
			gap.size = region.start - gap.start;
			tl_process_maps_close(&maps);
			*region_ret = gap;
			return TL_OK;
		}
		if (address - region.start < region.size) {
			tl_process_maps_close(&maps);
			*region_ret = region;
			return TL_OK;
		}
		gap.start = region.start + region.size;
	}
	tl_process_maps_close(&maps);
	/* Up to the top: 0 - start is the size of what is left. */
	gap.size = 0 - gap.start;
	*region_ret = gap;
	return TL_OK;
}

enum tl_status tl_process_objects_regions(struct tl_target *base, tl_u64 id,
					  bool (*call)(void *context, const struct tl_memory_region *region,
						       const char *name),
					  void *context)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL || !tl_process_maps_each(target->calls, process->id, call, context))
		return TL_ERROR_GONE;
	return TL_OK;
}

/* One entry of /proc/PID/pagemap a page (proc_pid_pagemap(5)). */
#define PAGE_SHIFT 12
#define PAGE_PRESENT ((tl_u64)1 << 63)
#define PAGE_SWAPPED ((tl_u64)1 << 62)
#define ENTRIES 2048
/* Pages that one call looks at, so that whoever asks gets to do other things: 8 GiB. */
#define PAGES_A_CALL ((tl_u64)2 << 20)

static enum tl_status scan_pages(const struct process_target *target, int descriptor, tl_u64 page, tl_u64 last,
				 tl_u64 *start_ret, tl_u64 *end_ret)
{
	tl_u64 entries[ENTRIES];
	bool found = false;

	while (page < last) {
		tl_u64 count = last - page < ENTRIES ? last - page : ENTRIES;
		ssize_t got =
			target->calls->pread(descriptor, entries, count * sizeof(*entries), page * sizeof(*entries));

		if (got < (ssize_t)sizeof(*entries))
			return TL_ERROR_UNSUPPORTED;
		count = (tl_u64)got / sizeof(*entries);
		for (tl_u64 i = 0; i < count; i++, page++) {
			bool used = (entries[i] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0;

			if (used && !found)
				*start_ret = page << PAGE_SHIFT;
			if (!used && found) {
				*end_ret = page << PAGE_SHIFT;
				return TL_OK;
			}
			found |= used;
		}
	}
	*end_ret = page << PAGE_SHIFT;
	if (!found)
		*start_ret = *end_ret;
	return TL_OK;
}

enum tl_status tl_process_objects_used_pages(struct tl_target *base, tl_u64 id, tl_u64 address, tl_u64 end,
					     tl_u64 *start_ret, tl_u64 *end_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	tl_u64 page = address >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	enum tl_status status;
	char path[40];
	int descriptor;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (page >= last)
		return TL_ERROR_ARGUMENT;
	(void)snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)process->id);
	descriptor = target->calls->open(path, O_RDONLY);
	if (descriptor < 0)
		return TL_ERROR_UNSUPPORTED;
	if (last - page > PAGES_A_CALL)
		last = page + PAGES_A_CALL;
	status = scan_pages(target, descriptor, page, last, start_ret, end_ret);
	(void)target->calls->close(descriptor);
	return status;
}

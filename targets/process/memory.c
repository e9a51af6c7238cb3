/*
 * The program's memory: one system call for one request where the kernel allows it.
 *
 * /proc/PID/mem goes over page protections, which a debugger must; process_vm_readv does not, but moves big blocks
 * without copying them twice. So small reads and all writes take the first, big reads the second, and whatever one of
 * them cannot give is asked of the other.
 */
#include "targets/process/state.h"

/* From about here on process_vm_readv is the faster one. */
#define BIG_READ 2048

static struct traced_process *find(const struct process_target *target, tl_u64 id)
{
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL && target->passing != NULL && (tl_u64)target->passing->id == id)
		return target->passing;
	return process;
}

static tl_size by_file(const struct process_target *target, const struct traced_process *process, tl_u64 address,
		       void *buffer, tl_size size)
{
	ssize_t done = process->memory >= 0 ? target->calls->pread(process->memory, buffer, size, address) : -1;

	return done > 0 ? (tl_size)done : 0;
}

static tl_size by_call(const struct process_target *target, const struct traced_process *process, tl_u64 address,
		       void *buffer, tl_size size)
{
	ssize_t done = target->calls->read_process(process->id, buffer, address, size);

	return done > 0 ? (tl_size)done : 0;
}

enum tl_status tl_process_memory_read(struct tl_target *base, tl_u64 id, tl_u64 address, void *buffer, tl_size size,
				      tl_size *done_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = find(target, id);
	bool big = size >= BIG_READ;
	tl_size done;

	*done_ret = 0;
	if (process == NULL)
		return TL_ERROR_GONE;
	if (size == 0)
		return TL_OK;
	done = (big ? by_call : by_file)(target, process, address, buffer, size);
	if (done < size)
		done += (big ? by_file : by_call)(target, process, address + done, (tl_u8 *)buffer + done, size - done);
	TL_TRACE(MEMORY, "read %d 0x%llx, %zu bytes: %zu", (int)process->id, (unsigned long long)address, size, done);
	*done_ret = done;
	return done != 0 ? TL_OK : TL_ERROR_MEMORY;
}

static struct traced_thread *standing_thread(struct traced_process *process)
{
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_STOPPED)
			return thread;
	return NULL;
}

/* Word by word: for kernels that let no one write over protections by /proc/PID/mem (since Linux 6.12 one may say so).
 */
static tl_size by_words(const struct process_target *target, struct traced_process *process, tl_u64 address,
			const tl_u8 *bytes, tl_size size)
{
	struct traced_thread *thread = standing_thread(process);
	tl_size done = 0;

	while (thread != NULL && done < size) {
		tl_u64 at = (address + done) & ~(tl_u64)7, skip = address + done - at, word = 0;
		tl_size part = 8 - (tl_size)skip < size - done ? 8 - (tl_size)skip : size - done;

		if (process_ptrace(target, PTRACE_PEEKDATA, thread, (tl_uintptr)at, (tl_uintptr)&word) < 0)
			break;
		tl_copy((tl_u8 *)&word + skip, bytes + done, part);
		if (process_ptrace(target, PTRACE_POKEDATA, thread, (tl_uintptr)at, (tl_uintptr)word) < 0)
			break;
		done += part;
	}
	return done;
}

enum tl_status tl_process_memory_write(struct tl_target *base, tl_u64 id, tl_u64 address, const void *buffer,
				       tl_size size, tl_size *done_ret)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = find(target, id);
	ssize_t written;
	tl_size done = 0;

	*done_ret = 0;
	if (process == NULL)
		return TL_ERROR_GONE;
	if (size == 0)
		return TL_OK;
	written = process->memory >= 0 ? target->calls->pwrite(process->memory, buffer, size, address) : -1;
	if (written > 0)
		done = (tl_size)written;
	if (done == 0)
		done = by_words(target, process, address, buffer, size);
	TL_TRACE(MEMORY, "write %d 0x%llx, %zu bytes: %zu", (int)process->id, (unsigned long long)address, size, done);
	*done_ret = done;
	return done != 0 ? TL_OK : TL_ERROR_MEMORY;
}

/* Both leave what spans two pages to the program: half of it could be done when the other half fails. */
#define PAGE 4096u

static bool spans_pages(tl_u64 address, tl_size size)
{
	return (address & (PAGE - 1)) + size > PAGE;
}

enum tl_status tl_process_memory_load(struct tl_target *base, tl_u64 id, tl_u64 address, void *buffer, tl_size size)
{
	struct process_target *target = process_target(base);
	ssize_t done;

	if (tl_process_find(target, id) == NULL)
		return TL_ERROR_GONE;
	if (spans_pages(address, size))
		return TL_ERROR_MEMORY;
	done = target->calls->read_process((pid_t)id, buffer, address, size);
	TL_TRACE(MEMORY, "load %d 0x%llx, %zu bytes: %zd", (int)id, (unsigned long long)address, size, done);
	return done == (ssize_t)size ? TL_OK : TL_ERROR_MEMORY;
}

enum tl_status tl_process_memory_store(struct tl_target *base, tl_u64 id, tl_u64 address, const void *buffer,
				       tl_size size)
{
	struct process_target *target = process_target(base);
	ssize_t done;

	if (tl_process_find(target, id) == NULL)
		return TL_ERROR_GONE;
	if (spans_pages(address, size))
		return TL_ERROR_MEMORY;
	done = target->calls->write_process((pid_t)id, buffer, address, size);
	TL_TRACE(MEMORY, "store %d 0x%llx, %zu bytes: %zd", (int)id, (unsigned long long)address, size, done);
	return done == (ssize_t)size ? TL_OK : TL_ERROR_MEMORY;
}

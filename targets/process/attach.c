/*
 * Attaching: every thread is seized and asked to stop, and nothing is waited for; the stops come as events. The list of
 * threads is read again until a whole pass finds no new one; those that seized threads make meanwhile are traced from
 * their birth by the kernel.
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static bool read_small(const struct process_target *target, const char *path, char *text, tl_size size)
{
	int descriptor = target->calls->open(path, O_RDONLY);
	ssize_t got;

	if (descriptor < 0)
		return false;
	got = target->calls->read(descriptor, text, size - 1);
	(void)target->calls->close(descriptor);
	text[got > 0 ? got : 0] = '\0';
	return got > 0;
}

/* The text behind "\nName:" in a status file, or NULL. */
static const char *find_field(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1;
	}
	return NULL;
}

long tl_process_attach_status_field(const struct process_target *target, pid_t id, const char *name)
{
	char path[40], text[2048];
	const char *value;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)id);
	if (!read_small(target, path, text, sizeof(text)))
		return -1;
	value = find_field(text, name);
	return value != NULL ? strtol(value, NULL, 10) : -1;
}

/* 'Z' for a zombie, and so on; '?' when it cannot be read. */
static char state_of(const struct process_target *target, pid_t id)
{
	char path[40], text[2048];
	const char *value;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)id);
	if (!read_small(target, path, text, sizeof(text)))
		return '?';
	value = find_field(text, "State");
	while (value != NULL && isspace((unsigned char)*value))
		value++;
	return value != NULL ? *value : '?';
}

static TL_PRINTF(2, 3) enum tl_status say(struct process_target *target, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(target->detail, sizeof(target->detail), format, arguments);
	va_end(arguments);
	return TL_ERROR_ATTACH;
}

/* What stands in the way, if anything does that can be seen before trying. */
static enum tl_status check(struct process_target *target, tl_u64 id)
{
	long group, tracer;

	if (id == 0 || id > INT_MAX)
		return say(target, "%llu is not a process number", (unsigned long long)id);
	if ((pid_t)id == getpid())
		return say(target, "process %d is this debug server itself", (int)id);
	if (tl_process_find(target, id) != NULL)
		return say(target, "process %d is being debugged here already", (int)id);
	group = tl_process_attach_status_field(target, (pid_t)id, "Tgid");
	if (group < 0)
		return say(target, "there is no process %d", (int)id);
	if (group == getpid())
		return say(target, "%d is a thread of this debug server itself", (int)id);
	if (group != (long)id)
		return say(target, "%d is a thread of process %ld: attach to that", (int)id, group);
	tracer = tl_process_attach_status_field(target, (pid_t)id, "TracerPid");
	if (tracer > 0)
		return say(target, "process %d is traced by process %ld already: only one debugger can have it",
			   (int)id, tracer);
	if (state_of(target, (pid_t)id) == 'X')
		return say(target, "process %d has just ended", (int)id);
	return TL_OK;
}

/* Why the kernel refused, in words. */
static enum tl_status refused(struct process_target *target, pid_t id, int system)
{
	char scope[16] = "";

	if (system == ESRCH)
		return say(target, "process %d has just ended", (int)id);
	if (state_of(target, id) == 'Z')
		return say(target, "process %d is a zombie: it has ended and waits for its parent", (int)id);
	if (system == EPERM && read_small(target, "/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)) &&
	    scope[0] != '0')
		return say(
			target,
			"may not trace process %d: /proc/sys/kernel/yama/ptrace_scope is %c; write 0 there or run this "
			"server with CAP_SYS_PTRACE",
			(int)id, scope[0]);
	if (system == EPERM)
		return say(target, "may not trace process %d: it belongs to another user or is privileged", (int)id);
	return say(target, "cannot trace process %d: %s", (int)id, strerror(system));
}

enum seized { SEIZED_NEW, SEIZED_KNOWN, SEIZED_GONE, SEIZED_REFUSED, SEIZED_NO_MEMORY };

static enum seized seize(struct process_target *target, struct traced_process *process, pid_t id)
{
	struct traced_thread *thread = tl_process_find_thread(target, id);

	/* The kernel gives us those that are born to threads which we have; their events are on the way. */
	if (thread != NULL)
		return SEIZED_KNOWN;
	thread = tl_process_add_thread(target, process, id, TRACED_RUNNING);
	if (thread == NULL)
		return SEIZED_NO_MEMORY;
	if (process_ptrace(target, PTRACE_SEIZE, thread, 0, tl_process_stops_options(target, process, id)) == 0) {
		thread->stop_asked = true;
		(void)tl_process_run_interrupt(target, thread);
		return SEIZED_NEW;
	}
	tl_process_remove_thread(target, thread);
	if (errno == ESRCH || tl_process_attach_status_field(target, id, "Tgid") < 0)
		return SEIZED_GONE;
	if (errno == EPERM && tl_process_attach_status_field(target, id, "TracerPid") == getpid())
		return SEIZED_KNOWN;
	return SEIZED_REFUSED;
}

/* One pass over /proc/PID/task. *found_ret is how many new threads there were. */
static enum tl_status seize_all(struct process_target *target, struct traced_process *process, unsigned *found_ret)
{
	char path[40];
	enum tl_status status = TL_OK;
	struct dirent *entry;
	DIR *directory;

	*found_ret = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)process->id);
	directory = opendir(path);
	if (directory == NULL)
		return say(target, "process %d has just ended", (int)process->id);
	while (status == TL_OK && (entry = readdir(directory)) != NULL) {
		pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
		enum seized seized = id > 0 ? seize(target, process, id) : SEIZED_KNOWN;
		int system = errno;

		if (seized == SEIZED_NEW)
			++*found_ret;
		else if (seized == SEIZED_NO_MEMORY)
			status = say(target, "%s", tl_status_text(TL_ERROR_NO_MEMORY));
		else if (seized == SEIZED_REFUSED && state_of(target, id) != 'Z')
			status = refused(target, id, system);
		process->leader_traced |= id == process->id && seized == SEIZED_NEW;
	}
	(void)closedir(directory);
	return status;
}

static enum tl_status introduce(struct process_target *target, struct traced_process *process)
{
	struct tl_engine *engine = target->target.engine;

	tl_process_open(target, process);
	if (tl_process_cpu_refusal(process) != NULL)
		return say(target, "%s", tl_process_cpu_refusal(process));
	if (tl_engine_add_process(engine, (tl_u64)process->id) != TL_OK)
		return say(target, "%s", tl_status_text(TL_ERROR_NO_MEMORY));
	process->told = true;
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next) {
		if (tl_engine_add_thread(engine, process_id_of(thread), true) != TL_OK)
			return say(target, "%s", tl_status_text(TL_ERROR_NO_MEMORY));
		thread->told = true;
	}
	return TL_OK;
}

enum tl_status tl_process_attach_process(struct tl_target *base, tl_u64 id, const char **detail_ret)
{
	struct process_target *target = process_target(base);
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;
	struct traced_process *process;
	enum tl_status status = TL_OK;
	unsigned found = 1;

	*detail_ret = target->detail;
	target->detail[0] = '\0';
	TL_TRY(check(target, id));
	process = tl_process_add(target, (pid_t)id, false);
	if (process == NULL)
		return say(target, "%s", tl_status_text(TL_ERROR_NO_MEMORY));
	while (status == TL_OK && found != 0)
		if (tl_process_wait_clock() < deadline)
			status = seize_all(target, process, &found);
		else
			status = say(target, "process %d makes threads faster than they can be attached to", (int)id);
	if (status == TL_OK && process->threads == NULL)
		status = refused(target, process->id, EPERM);
	if (status == TL_OK)
		status = introduce(target, process);
	if (status != TL_OK)
		(void)tl_process_run_detach(base, id, 0, 0);
	return status;
}

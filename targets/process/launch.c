/*
 * Starting a program.
 *
 * The child waits at a gate (a pipe) until it is traced, sets itself up and calls exec; what fails on the way comes
 * back by a second pipe, which exec closes. With a shell and a wrapper in front the program is what the second or third
 * exec starts. It is then led out of its exec, to the edge of user mode: in front of its first instruction, with
 * registers that can be written.
 */
#include "targets/process/state.h"

#include "targets/process/cpu.h"
#include "targets/process/events.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

/* X(name, sentence): what the child was doing when it failed; the argument is a path. */
#define STAGES(X)                                                                                                      \
	X(STAGE_GROUP, "cannot make a process group for '%s'")                                                         \
	X(STAGE_DIRECTORY, "cannot change to the working directory '%s'")                                              \
	X(STAGE_TERMINAL, "cannot use the terminal '%s'")                                                              \
	X(STAGE_INPUT, "cannot open '%s' for the program's input")                                                     \
	X(STAGE_OUTPUT, "cannot open '%s' for the program's output")                                                   \
	X(STAGE_ERROR, "cannot open '%s' for the program's errors")                                                    \
	X(STAGE_EXEC, "cannot run '%s'")

enum stage {
#define X(name, sentence) name,
	STAGES(X)
#undef X
		STAGE_MAX
};

struct failure {
	enum stage stage;
	int system;
};

struct start {
	const struct tl_launch *launch;
	const char **arguments; /* of the first exec; storage of its own */
	char *command;          /* for the shell, or NULL */
	unsigned execs;
	int gate[2], report[2];
	pid_t id;
};

/* ---- The command ---- */

static void append(char **at, char *end, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(end - *at) > length) {
		memcpy(*at, text, length);
		*at += length;
	}
	**at = '\0';
}

/* As one word that the shell takes as it is. */
static void append_quoted(char **at, char *end, const char *text)
{
	char one[2] = {0};

	append(at, end, "'");
	for (; *text != '\0'; text++) {
		one[0] = *text;
		append(at, end, *text == '\'' ? "'\\''" : one);
	}
	append(at, end, "'");
}

static size_t words_size(const char *const *words)
{
	size_t size = 0;

	for (; words != NULL && *words != NULL; words++)
		size += strlen(*words) + 1;
	return size;
}

static size_t words_count(const char *const *words)
{
	size_t count = 0;

	while (words != NULL && words[count] != NULL)
		count++;
	return count;
}

/* "exec WRAPPER 'PROGRAM' ARGUMENTS": the program's name is a name, everything else is the shell's to expand. */
static bool make_shell_command(struct start *start)
{
	const struct tl_launch *launch = start->launch;
	size_t size =
		16 + words_size(launch->wrapper) + words_size(launch->arguments) + 4 * strlen(launch->arguments[0]);
	char *at, *end;

	start->command = malloc(size);
	if (start->command == NULL)
		return false;
	at = start->command;
	end = at + size;
	append(&at, end, "exec ");
	for (size_t i = 0; launch->wrapper != NULL && launch->wrapper[i] != NULL; i++) {
		append(&at, end, launch->wrapper[i]);
		append(&at, end, " ");
	}
	append_quoted(&at, end, launch->arguments[0]);
	for (size_t i = 1; launch->arguments[i] != NULL; i++) {
		append(&at, end, " ");
		append(&at, end, launch->arguments[i]);
	}
	return true;
}

static bool make_arguments(struct start *start)
{
	const struct tl_launch *launch = start->launch;
	size_t wrapper = words_count(launch->wrapper), count = words_count(launch->arguments);
	const char *shell = getenv("SHELL");

	start->arguments = calloc(wrapper + count + 4, sizeof(char *));
	if (start->arguments == NULL)
		return false;
	start->execs = 1 + (wrapper != 0) + launch->with_shell;
	if (launch->with_shell) {
		start->arguments[0] = shell != NULL && shell[0] == '/' ? shell : "/bin/sh";
		start->arguments[1] = "-c";
		if (!make_shell_command(start))
			return false;
		start->arguments[2] = start->command;
		return true;
	}
	for (size_t i = 0; i < wrapper; i++)
		start->arguments[i] = launch->wrapper[i];
	for (size_t i = 0; i < count; i++)
		start->arguments[wrapper + i] = launch->arguments[i];
	return true;
}

/* ---- The child ---- */

__attribute__((noreturn)) static void child_fails(const struct start *start, enum stage stage)
{
	struct failure failure = {stage, errno};

	while (write(start->report[1], &failure, sizeof(failure)) < 0 && errno == EINTR)
		;
	_exit(127);
}

static void child_redirect(const struct start *start, const char *path, int flags, int descriptor, enum stage stage)
{
	int opened;

	if (path == NULL)
		return;
	opened = open(path, flags, 0666);
	if (opened < 0 || dup2(opened, descriptor) < 0)
		child_fails(start, stage);
	if (opened != descriptor)
		(void)close(opened);
}

static void child_terminal(const struct start *start)
{
	const char *path = start->launch->terminal;

	if (path == NULL) {
		if (setpgid(0, 0) < 0)
			child_fails(start, STAGE_GROUP);
		return;
	}
	if (setsid() < 0)
		child_fails(start, STAGE_TERMINAL);
	child_redirect(start, path, O_RDWR, STDIN_FILENO, STAGE_TERMINAL);
	/* Not a terminal, or another session's: it serves as a file. */
	(void)ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	if (dup2(STDIN_FILENO, STDOUT_FILENO) < 0 || dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		child_fails(start, STAGE_TERMINAL);
}

/* Between fork and exec: async-signal-safe calls only. */
__attribute__((noreturn)) static void child_main(const struct start *start)
{
	const struct tl_launch *launch = start->launch;
	union {
		const char *const *from;
		char *const *to;
	} environment = {launch->environment}, arguments = {start->arguments};
	int old;
	char byte;

	(void)close(start->gate[1]);
	tl_loop_child_signals();
	/*
	 * Before anything can fail: one that has ended cannot be seized, and could not say why it did. An end of file
	 * instead of a byte: the tracer has given up, or has died.
	 */
	while (read(start->gate[0], &byte, 1) != 1)
		if (errno != EINTR)
			_exit(127);
	/* exec resets handlers but not these, which servers ignore. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTTOU, SIG_DFL);
	child_terminal(start);
	child_redirect(start, launch->input, O_RDONLY, STDIN_FILENO, STAGE_INPUT);
	child_redirect(start, launch->output, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO, STAGE_OUTPUT);
	child_redirect(start, launch->error, O_WRONLY | O_CREAT | O_TRUNC, STDERR_FILENO, STAGE_ERROR);
	if (launch->directory != NULL && chdir(launch->directory) < 0)
		child_fails(start, STAGE_DIRECTORY);
	old = personality(0xffffffff);
	if (old != -1 && !launch->keep_randomization)
		(void)personality((unsigned long)old | ADDR_NO_RANDOMIZE);
	if (launch->environment != NULL)
		execvpe(start->arguments[0], arguments.to, environment.to);
	else
		execvpe(start->arguments[0], arguments.to, environ);
	child_fails(start, STAGE_EXEC);
}

/* ---- The terminal ---- */

/* The program gets the server's terminal, if the server has it itself. */
static void give_terminal(struct process_target *target, const struct start *start)
{
	sigset_t set, old;
	pid_t now;

	if (start->launch->terminal != NULL || start->launch->input != NULL)
		return;
	now = tcgetpgrp(STDIN_FILENO);
	if (now < 0 || now != getpgrp())
		return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTTOU);
	(void)pthread_sigmask(SIG_BLOCK, &set, &old);
	if (tcsetpgrp(STDIN_FILENO, start->id) == 0)
		target->foreground = now;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void tl_process_launch_restore_terminal(struct process_target *target)
{
	sigset_t set, old;

	if (target->foreground == 0)
		return;
	for (struct traced_process *process = target->processes; process != NULL; process = process->next)
		if (process->launched)
			return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTTOU);
	(void)pthread_sigmask(SIG_BLOCK, &set, &old);
	(void)tcsetpgrp(STDIN_FILENO, target->foreground);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	target->foreground = 0;
}

/* ---- The parent ---- */

static void close_end(struct process_target *target, int *end)
{
	if (*end >= 0)
		(void)target->calls->close(*end);
	*end = -1;
}

static enum tl_status say(struct process_target *target, const char *what, int system)
{
	struct tl_error error = {0};

	(void)tl_error_set(&error, TL_ERROR_LAUNCH, system, __FILE__, __LINE__, "%s", what);
	(void)snprintf(target->detail, sizeof(target->detail), "%s", error.text);
	return TL_ERROR_LAUNCH;
}

static const char *stage_path(const struct tl_launch *launch, enum stage stage)
{
	switch (stage) {
	case STAGE_DIRECTORY:
		return launch->directory;
	case STAGE_TERMINAL:
		return launch->terminal;
	case STAGE_INPUT:
		return launch->input;
	case STAGE_OUTPUT:
		return launch->output;
	case STAGE_ERROR:
		return launch->error;
	case STAGE_GROUP:
	case STAGE_EXEC:
	case STAGE_MAX:
		break;
	}
	return launch->arguments[0];
}

/* It ended before the program ran: in our own child, by which it has told why; in the shell; or in the wrapper. */
static enum tl_status explain_end(struct process_target *target, struct start *start, struct tl_stop stop)
{
	static const char *const sentences[] = {
#define X(name, sentence) sentence,
		STAGES(X)
#undef X
	};
	const char *program = start->launch->arguments[0];
	struct failure failure;
	char text[256];

	close_end(target, &start->report[1]);
	if (target->calls->read(start->report[0], &failure, sizeof(failure)) == (ssize_t)sizeof(failure) &&
	    (unsigned)failure.stage < STAGE_MAX) {
		const char *path = stage_path(start->launch, failure.stage);

		if (failure.stage == STAGE_EXEC)
			path = start->arguments[0];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), sentences[failure.stage], path);
#pragma GCC diagnostic pop
		return say(target, text, failure.system);
	}
	if (stop.kind == TL_STOP_EXITED && start->launch->shell_status_ret != NULL)
		*start->launch->shell_status_ret = stop.value;
	if (stop.kind == TL_STOP_EXITED && stop.value == 127)
		(void)snprintf(text, sizeof(text), "cannot run '%s': no such program", program);
	else if (stop.kind == TL_STOP_EXITED && stop.value == 126)
		(void)snprintf(text, sizeof(text), "cannot run '%s': it is not executable", program);
	else
		(void)snprintf(text, sizeof(text), "the shell or wrapper ended with %s %d before it ran '%s'",
			       stop.kind == TL_STOP_KILLED ? "signal" : "status", stop.value, program);
	return say(target, text, 0);
}

static enum tl_status waited(struct process_target *target, enum tl_status status)
{
	if (status == TL_OK)
		return TL_OK;
	return say(target,
		   status == TL_ERROR_TIMEOUT
			   ? "the program did not start within 10 seconds: does the shell or wrapper wait "
			     "for something?"
			   : "the program vanished while it was being started",
		   0);
}

/* How a stop on the way to the program is left. */
static void pass_stop(struct process_target *target, pid_t id, struct tl_stop stop)
{
	if (stop.kind == TL_STOP_GROUP)
		(void)tl_process_ptrace_patiently(target->calls, PTRACE_LISTEN, id, 0, 0);
	else
		(void)tl_process_ptrace_patiently(target->calls, PTRACE_CONT, id, 0,
						  stop.kind == TL_STOP_SIGNAL ? (tl_uintptr)stop.value : 0);
}

/* Runs the child through its execs. *gone_ret: it has been waited for, there is nothing left to kill. */
static enum tl_status run_to_program(struct process_target *target, struct start *start, bool *gone_ret)
{
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;
	bool at_edge = false;

	for (;;) {
		struct tl_stop stop;
		int status = 0;

		TL_TRY(waited(target, tl_process_wait_for(target, start->id, deadline, &status)));
		stop = tl_stop_decode(status);
		if (stop.kind == TL_STOP_EXITED || stop.kind == TL_STOP_KILLED) {
			*gone_ret = true;
			return explain_end(target, start, stop);
		}
		if (stop.kind == TL_STOP_INTERRUPTED && at_edge)
			return TL_OK;
		if (stop.kind == TL_STOP_EXEC && start->execs > 0 && --start->execs == 0) {
			at_edge = true;
			(void)tl_process_ptrace_patiently(target->calls, PTRACE_INTERRUPT, start->id, 0, 0);
		}
		pass_stop(target, start->id, stop);
	}
}

static enum tl_status begin(struct process_target *target, struct start *start)
{
	tl_uintptr options = PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;

	if (target->calls->pipe(start->gate) < 0 || target->calls->pipe(start->report) < 0)
		return say(target, "cannot make a pipe to the program", errno);
	start->id = target->calls->fork();
	if (start->id == 0)
		child_main(start);
	if (start->id < 0)
		return say(target, "cannot make a process", errno);
	/* The child does the same: whoever comes first. */
	if (start->launch->terminal == NULL)
		(void)setpgid(start->id, start->id);
	give_terminal(target, start);
	if (!target->options.launched_survive)
		options |= PTRACE_O_EXITKILL;
	if (tl_process_ptrace(target->calls, PTRACE_SEIZE, start->id, 0, options) < 0)
		return say(target,
			   "cannot trace the program: is tracing allowed here (ptrace_scope, a container's seccomp)?",
			   errno);
	if (target->calls->write(start->gate[1], "", 1) != 1)
		return say(target, "cannot start the program", errno);
	return TL_OK;
}

static enum tl_status introduce(struct process_target *target, struct start *start)
{
	struct traced_process *process = tl_process_add(target, start->id, true);
	struct traced_thread *thread;
	struct tl_thread_id id = {(tl_u64)start->id, (tl_u64)start->id};

	if (process == NULL)
		return say(target, tl_status_text(TL_ERROR_NO_MEMORY), 0);
	thread = tl_process_add_thread(target, process, start->id, TRACED_STOPPED);
	if (thread == NULL)
		return say(target, tl_status_text(TL_ERROR_NO_MEMORY), 0);
	process->told = process->leader_traced = thread->told = true;
	tl_process_open(target, process);
	if (tl_process_cpu_refusal(process) != NULL)
		return say(target, tl_process_cpu_refusal(process), 0);
	if (process_ptrace_patiently(target, PTRACE_SETOPTIONS, thread, 0,
				     tl_process_stops_options(target, process, start->id)) < 0)
		return say(target, "cannot trace the program", errno);
	if (tl_engine_add_process(target->target.engine, id.process) != TL_OK ||
	    tl_engine_add_thread(target->target.engine, id, false) != TL_OK)
		return say(target, tl_status_text(TL_ERROR_NO_MEMORY), 0);
	return TL_OK;
}

/* Ends a child that is not to be, and waits for it. */
static void give_up(struct process_target *target, pid_t id)
{
	struct traced_process *process = tl_process_find(target, (tl_u64)id);
	tl_u64 deadline = tl_process_wait_clock() + WAIT_LIMIT;
	int status = 0;

	(void)target->calls->kill(id, SIGKILL);
	while (tl_process_wait_for(target, id, deadline, &status) == TL_OK) {
		enum tl_stop_kind kind = tl_stop_decode(status).kind;

		if (kind == TL_STOP_EXITED || kind == TL_STOP_KILLED)
			break;
		(void)tl_process_ptrace_patiently(target->calls, PTRACE_CONT, id, 0, 0);
	}
	if (process != NULL)
		tl_process_remove(target, process);
	tl_process_launch_restore_terminal(target);
}

enum tl_status tl_process_launch_program(struct tl_target *base, const struct tl_launch *launch, tl_u64 *process_ret,
					 const char **detail_ret)
{
	struct process_target *target = process_target(base);
	struct start start = {.launch = launch, .gate = {-1, -1}, .report = {-1, -1}};
	enum tl_status status = TL_OK;
	bool gone = false;

	*detail_ret = target->detail;
	target->detail[0] = '\0';
	if (launch->arguments == NULL || launch->arguments[0] == NULL || launch->arguments[0][0] == '\0')
		return say(target, "no program was named", 0);
	if (!make_arguments(&start))
		status = say(target, tl_status_text(TL_ERROR_NO_MEMORY), 0);
	if (status == TL_OK)
		status = begin(target, &start);
	if (status == TL_OK)
		status = run_to_program(target, &start, &gone);
	if (status == TL_OK)
		status = introduce(target, &start);
	for (int end = 0; end < 2; end++) {
		close_end(target, &start.gate[end]);
		close_end(target, &start.report[end]);
	}
	free(start.arguments);
	free(start.command);
	if (status == TL_OK)
		*process_ret = (tl_u64)start.id;
	else if (start.id > 0 && !gone)
		give_up(target, start.id);
	else
		tl_process_launch_restore_terminal(target);
	return status;
}

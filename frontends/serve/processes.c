/* The processes that are served: started, attached to, ended; which were whose. */
#include "frontends/serve/server.h"

#include "base/storage.h"
#include "frontends/serve/symbols.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct tl_served_process *find_process(const struct tl_server *server, tl_u64 process)
{
	for (tl_size i = 0; i < server->process_count; i++)
		if (server->processes[i].process == process)
			return &server->processes[i];
	return NULL;
}

bool tl_server_attached(const struct tl_server *server, tl_u64 process)
{
	struct tl_served_process *found = find_process(server, process);

	return found != NULL && found->attached;
}

void tl_server_note_process(struct tl_server *server, tl_u64 process, bool attached)
{
	struct tl_served_process *found = find_process(server, process);
	void *processes = server->processes;

	if (found != NULL) {
		found->attached = attached;
		return;
	}
	/* Without storage it counts as one that we started, which is what the engine's list is gone through for. */
	if (!tl_grow(tl_storage(), &processes, &server->process_capacity, server->process_count,
		     sizeof(*server->processes)))
		return;
	server->processes = processes;
	server->processes[server->process_count++] = (struct tl_served_process){process, attached, false};
}

void tl_server_forget_process(struct tl_server *server, tl_u64 process)
{
	struct tl_served_process *found = find_process(server, process);

	if (found != NULL)
		*found = server->processes[--server->process_count];
}

bool tl_server_serves(const struct tl_server *server, tl_u64 process)
{
	return find_process(server, process) != NULL;
}

static void free_words(char **words)
{
	for (char **word = words; word != NULL && *word != NULL; word++)
		free(*word);
	free(words);
}

/* A bare name is a program of the working directory if there is one, else the search path's: as gdbserver has it. */
static char *program_path(const char *name)
{
	struct stat status;

	if (strchr(name, '/') == NULL && stat(name, &status) == 0 && S_ISREG(status.st_mode))
		return realpath(name, NULL);
	return strdup(name);
}

void tl_server_forget_program(struct tl_server *server)
{
	free_words(server->program);
	server->program = NULL;
}

/* Remembers the program for R and for a vRun that names none. */
enum tl_status tl_server_remember_program(struct tl_server *server, const char *const *words)
{
	tl_size count = 0;
	char **copy;

	while (words[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (copy == NULL)
		return TL_ERROR_NO_MEMORY;
	for (tl_size i = 0; i < count; i++) {
		copy[i] = i == 0 ? program_path(words[i]) : strdup(words[i]);
		if (copy[i] == NULL) {
			free_words(copy);
			return TL_ERROR_NO_MEMORY;
		}
	}
	tl_server_forget_program(server);
	server->program = copy;
	return TL_OK;
}

/* As one word that a shell takes as it is; NULL when there is no storage. */
static char *quote_word(const char *word)
{
	struct tl_buffer quoted = {0};

	tl_buffer_add(&quoted, "'");
	for (; *word != '\0'; word++)
		tl_buffer_add_bytes(&quoted, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
	tl_buffer_add(&quoted, "'");
	if (quoted.failed)
		tl_buffer_free(&quoted);
	return quoted.bytes;
}

/* A copy of the list, all but the first `bare` words quoted; NULL for NULL, or when there is no storage. */
static char **quote_words(const char *const *words, tl_size bare)
{
	tl_size count = 0;
	char **copy;

	while (words != NULL && words[count] != NULL)
		count++;
	copy = words != NULL ? calloc(count + 1, sizeof(*copy)) : NULL;
	for (tl_size i = 0; copy != NULL && i < count; i++) {
		copy[i] = i < bare ? strdup(words[i]) : quote_word(words[i]);
		if (copy[i] == NULL) {
			free_words(copy);
			return NULL;
		}
	}
	return copy;
}

enum tl_status tl_server_launch(struct tl_server *server, const char *const *words,
				const struct tl_launch_settings *settings, tl_u64 *process_ret, struct tl_error *error)
{
	tl_i32 shell_status = -1;
	struct tl_launch launch = {
		.arguments = words,
		.environment = (const char *const *)settings->environment,
		.directory = settings->directory,
		.wrapper = server->options->wrapper,
		.with_shell = settings->with_shell,
		.keep_randomization = settings->keep_randomization,
		.input = settings->input,
		.output = settings->output,
		.error = settings->error,
		.shell_status_ret = &shell_status,
	};
	char **quoted = NULL, **wrapper = NULL;
	const char *detail = NULL;
	enum tl_status status;

	if (server->target->ops->launch == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "this target cannot start programs");
	/* What R and a vRun without a name use may be the very words that are given. */
	if ((const char *const *)server->program != words && tl_server_remember_program(server, words) != TL_OK)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory to start %s", words[0]);
	launch.arguments = (const char *const *)server->program;
	if (settings->with_shell) {
		/* The target has the shell expand all but the program's name; these words have been through one. */
		quoted = quote_words(launch.arguments, 1);
		wrapper = quote_words(launch.wrapper, 0);
		launch.arguments = (const char *const *)quoted;
		launch.wrapper = (const char *const *)wrapper;
	}
	if (server->options->as_gdbserver && server->address.kind == TL_ADDRESS_STANDARD)
		tl_server_say("stdin/stdout redirected");
	status = settings->with_shell && quoted == NULL
			 ? TL_ERROR_NO_MEMORY
			 : server->target->ops->launch(server->target, &launch, process_ret, &detail);
	free_words(quoted);
	free_words(wrapper);
	/* The shell has said what was wrong, and scripts look for gdbserver's words behind it. */
	if (status != TL_OK && server->options->as_gdbserver && shell_status >= 0)
		return TL_FAIL(error, status, "During startup program exited with code %d.", (int)shell_status);
	if (status != TL_OK)
		return TL_FAIL(error, status, "%s", detail != NULL ? detail : tl_status_text(status));
	tl_server_note_process(server, *process_ret, false);
	tl_server_say("Process %s created; pid = %ld", server->program[0], (long)*process_ret);
	return TL_OK;
}

/* gdbserver's words, which scripts may know, where there is no such process; the target's own say more otherwise. */
static const char *attach_failure(const struct tl_server *server, tl_u64 process, const char *detail)
{
	if (server->options->as_gdbserver && (process > INT_MAX || (kill((pid_t)process, 0) != 0 && errno == ESRCH)))
		return "No such process (3)";
	return detail;
}

enum tl_status tl_server_attach(struct tl_server *server, tl_u64 process, struct tl_error *error)
{
	const char *detail = NULL;
	enum tl_status status;

	if (server->target->ops->attach == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "Attaching not supported on this target");
	for (tl_u64 known = tl_engine_next_process(server->engine, 0); known != 0;
	     known = tl_engine_next_process(server->engine, known))
		if (known == process)
			return TL_FAIL(error, TL_ERROR_ATTACH, "Already attached to process %ld", (long)process);
	if (tl_engine_attend(server->engine, process) == TL_OK) {
		tl_server_say("Attached; pid = %ld", (long)process);
		return TL_OK;
	}
	status = server->target->ops->attach(server->target, process, &detail);
	if (status != TL_OK)
		return TL_FAIL(error, status, "Cannot attach to process %ld: %s", (long)process,
			       attach_failure(server, process, detail != NULL ? detail : tl_status_text(status)));
	tl_server_note_process(server, process, true);
	tl_server_say("Attached; pid = %ld", (long)process);
	return TL_OK;
}

/* Says which processes are about to be ended, as gdbserver does: whoever wonders later where they went can see it. */
static void say_ended(struct tl_server *server, bool attached, const char *what)
{
	struct tl_buffer line = {0};

	for (tl_u64 process = tl_engine_next_process(server->engine, 0); process != 0;
	     process = tl_engine_next_process(server->engine, process))
		if (tl_server_attached(server, process) == attached)
			tl_buffer_format(&line, " %ld", (long)process);
	if (line.size != 0)
		tl_server_say("%s process(es):%s", what, line.bytes);
	tl_buffer_free(&line);
}

static void end_process(struct tl_server *server, tl_u64 process, bool kill)
{
	enum tl_status status =
		kill ? tl_engine_kill(server->engine, process) : tl_engine_detach(server->engine, process, 0, 0);

	if (status != TL_OK)
		tl_server_say("Cannot %s process %ld: %s", kill ? "kill" : "detach from", (long)process,
			      tl_status_text(status));
	tl_symbols_forget(server, process);
	tl_server_forget_process(server, process);
}

/* Whether each is killed or detached from. */
enum fate { FATE_KILL_STARTED, FATE_KILL, FATE_DETACH };

/* Ends every process that is there now; one that cannot be ended stays in the engine's list, and is passed by. */
static void end_all(struct tl_server *server, enum fate fate)
{
	tl_u64 process = tl_engine_next_process(server->engine, 0);

	while (process != 0) {
		tl_u64 next = tl_engine_next_process(server->engine, process);
		bool kill = fate == FATE_KILL || (fate == FATE_KILL_STARTED && !tl_server_attached(server, process));

		end_process(server, process, kill);
		process = next;
	}
}

void tl_server_end_processes(struct tl_server *server)
{
	say_ended(server, false, "Killing");
	say_ended(server, true, "Detaching");
	end_all(server, FATE_KILL_STARTED);
}

void tl_server_end_alike(struct tl_server *server, bool kill)
{
	say_ended(server, false, kill ? "Killing" : "Detaching");
	say_ended(server, true, kill ? "Killing" : "Detaching");
	end_all(server, kill ? FATE_KILL : FATE_DETACH);
}

bool tl_server_someone_unattended(const struct tl_server *server)
{
	return tl_engine_next_unattended(server->engine, 0) != 0;
}

bool tl_server_nothing_left(const struct tl_server *server)
{
	return tl_engine_next_process(server->engine, 0) == 0 && !tl_server_someone_unattended(server);
}

/*
 * Beginning processes for a client: vRun, vAttach, R, and the packets that say how programs are
 * to be started. GDB manual, "Packets" and "General Query Packets".
 */
#include "base/error.h"
#include "frontends/serve/server.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 4096
#define ENVIRONMENT_MAX 65536

static void free_words(char **words)
{
	for (char **word = words; word != NULL && *word != NULL; word++)
		free(*word);
	free(words);
}

/* A copy of a NULL-terminated list; NULL when there is no storage. */
static char **copy_words(char *const *words)
{
	tl_size count = 0;
	char **copy;

	while (words[count] != NULL)
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	for (tl_size i = 0; copy != NULL && i < count; i++) {
		copy[i] = strdup(words[i]);
		if (copy[i] == NULL) {
			free_words(copy);
			return NULL;
		}
	}
	return copy;
}

enum tl_status tl_launch_settings_init(struct tl_launch_settings *settings, const struct tl_serve_options *options)
{
	*settings = (struct tl_launch_settings){
		.environment = copy_words(environ),
		.directory = options->directory != NULL ? strdup(options->directory) : NULL,
		.with_shell = options->with_shell,
		.keep_randomization = options->keep_randomization,
	};
	if (settings->environment == NULL || (options->directory != NULL && settings->directory == NULL)) {
		tl_launch_settings_deinit(settings);
		return TL_ERROR_NO_MEMORY;
	}
	return TL_OK;
}

void tl_launch_settings_deinit(struct tl_launch_settings *settings)
{
	free_words(settings->environment);
	free(settings->directory);
	free(settings->input);
	free(settings->output);
	free(settings->error);
	*settings = (struct tl_launch_settings){0};
}

/* ---- Beginning ---- */

static enum tl_status refuse(struct tl_server *server, enum tl_status status, const char *text)
{
	tl_server_say("%s", text);
	tl_rsp_explain(server->session.rsp, text);
	return status;
}

/* A client without multiprocess or extended mode has one process at a time. */
static bool may_begin(struct tl_server *server)
{
	struct tl_rsp *rsp = server->session.rsp;

	return tl_engine_next_process(server->engine, 0) == 0 ||
	       (tl_rsp_client_has(rsp, TL_RSP_CLIENT_EXTENDED) && tl_rsp_client_has(rsp, TL_RSP_CLIENT_MULTIPROCESS));
}

void tl_launch_write_stop(struct tl_server *server, struct tl_thread_id thread, struct tl_writer *reply)
{
	struct tl_report report = {
		.event = {.kind = TL_EVENT_SIGNAL, .thread = thread, .signal = SIGTRAP},
	};

	tl_rsp_set_general(server->session.rsp, thread);
	tl_rsp_write_stop(server->session.rsp, &report, reply);
}

static enum tl_status launch(struct tl_server *server, const char *const *words, struct tl_thread_id *thread_ret,
			     struct tl_error *error)
{
	tl_u64 process;

	TL_TRY(tl_server_launch(server, words, &server->session.launch, &process, error));
	if (!tl_engine_stopped_thread(server->engine, process, thread_ret))
		return TL_FAIL(error, TL_ERROR_LAUNCH, "the program ended as it was started");
	return TL_OK;
}

/* vRun;PROGRAM;ARGUMENT…, each in hexadecimal; an empty PROGRAM is the one that ran last. */
static enum tl_status handle_run(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				 struct tl_writer *reply)
{
	struct tl_server *server = context;
	char **words = calloc(WORDS_MAX + 1, sizeof(*words));
	struct tl_thread_id thread;
	enum tl_status status = TL_OK;
	struct tl_error error;
	tl_size count = 0;

	(void)rsp;
	if (words == NULL)
		return TL_ERROR_NO_MEMORY;
	if (!may_begin(server)) {
		free_words(words);
		return refuse(server, TL_ERROR_STATE, "Already debugging a process");
	}
	do {
		struct tl_cursor word = tl_cursor_until(arguments, ';');
		tl_size size = tl_cursor_left(&word) / 2;

		if (count == WORDS_MAX || tl_cursor_left(&word) % 2 != 0) {
			status = count == WORDS_MAX ? TL_ERROR_TOO_LONG : TL_ERROR_PACKET;
			break;
		}
		words[count] = calloc(1, size + 1);
		if (words[count] == NULL) {
			status = TL_ERROR_NO_MEMORY;
			break;
		}
		tl_cursor_hex_bytes(&word, words[count++], size);
		if (word.failed)
			status = TL_ERROR_PACKET;
	} while (status == TL_OK && !tl_cursor_done(arguments));
	if (status == TL_OK && words[0][0] == '\0' && server->program != NULL) {
		free(words[0]);
		words[0] = strdup(server->program[0]);
		status = words[0] != NULL ? TL_OK : TL_ERROR_NO_MEMORY;
	} else if (status == TL_OK && words[0][0] == '\0') {
		status = refuse(server, TL_ERROR_LAUNCH,
				"No program to run: name one (set remote exec-file), or start the server with one");
	}
	if (status == TL_OK) {
		status = launch(server, (const char *const *)words, &thread, &error);
		if (status == TL_OK)
			tl_launch_write_stop(server, thread, reply);
		else
			(void)refuse(server, status, error.text);
	}
	free_words(words);
	return status;
}

/* R: the old way to run the program again; it has no answer. */
static enum tl_status handle_restart(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				     struct tl_writer *reply)
{
	struct tl_server *server = context;
	struct tl_thread_id thread;
	struct tl_error error;
	tl_u64 process;

	(void)arguments;
	(void)reply;
	if (!tl_rsp_client_has(rsp, TL_RSP_CLIENT_EXTENDED))
		return TL_UNKNOWN_PACKET;
	tl_rsp_stay_silent(rsp);
	while ((process = tl_engine_next_process(server->engine, 0)) != 0) {
		if (tl_engine_kill(server->engine, process) == TL_ERROR_RUNNING)
			return TL_OK;
		tl_server_forget_process(server, process);
	}
	tl_server_say("GDBserver restarting");
	if (server->program == NULL)
		return TL_OK;
	if (launch(server, (const char *const *)server->program, &thread, &error) == TL_OK)
		tl_rsp_set_general(rsp, thread);
	else
		tl_server_say("%s", error.text);
	return TL_OK;
}

static enum tl_status attach(void *context, tl_u64 process, struct tl_writer *reply)
{
	struct tl_server *server = context;
	struct tl_error error;
	enum tl_status status;

	if (!may_begin(server))
		return refuse(server, TL_ERROR_STATE, "Already debugging a process");
	status = tl_server_attach(server, process, &error);
	if (status != TL_OK)
		return refuse(server, status, error.text);
	if (tl_engine_settings(server->engine)->non_stop) {
		/* Every thread's stop is told by a notification. */
		tl_write_text(reply, "OK");
		return TL_OK;
	}
	server->session.attaching = process;
	return TL_DEFERRED;
}

/* vAttach;PID */
static enum tl_status handle_attach(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	tl_u64 process = tl_cursor_hex(arguments);

	(void)rsp;
	if (arguments->failed || !tl_cursor_done(arguments) || process == 0)
		return TL_ERROR_PACKET;
	return attach(context, process, reply);
}

void tl_launch_poll(struct tl_server *server)
{
	tl_u64 process = server->session.attaching;
	struct tl_thread_id thread;
	struct tl_report report;
	tl_u8 bytes[8192];
	struct tl_writer reply = tl_writer_make(bytes, sizeof(bytes));

	if (process == 0 || !tl_engine_quiet(server->engine))
		return;
	server->session.attaching = 0;
	/* What came first may be of interest; that the process stands still is what was asked for. */
	if (tl_engine_take_report(server->engine, &report) && report.event.kind != TL_EVENT_PAUSED) {
		tl_rsp_set_general(server->session.rsp, report.event.thread);
		tl_rsp_write_stop(server->session.rsp, &report, &reply);
		tl_rsp_reply(server->session.rsp, TL_OK, bytes, tl_writer_size(&reply));
		return;
	}
	if (!tl_engine_stopped_thread(server->engine, process, &thread)) {
		tl_rsp_explain(server->session.rsp, "the process ended as it was attached to");
		tl_rsp_reply(server->session.rsp, TL_ERROR_GONE, NULL, 0);
		return;
	}
	tl_launch_write_stop(server, thread, &reply);
	tl_rsp_reply(server->session.rsp, reply.failed ? TL_ERROR_TOO_LONG : TL_OK, bytes, tl_writer_size(&reply));
}

/* ---- How programs are started ---- */

/* A packet whose argument is one digit, 0 or 1. */
static bool read_switch(struct tl_cursor *arguments, bool *on_ret)
{
	tl_u64 value = tl_cursor_hex(arguments);

	*on_ret = value != 0;
	return !arguments->failed && tl_cursor_done(arguments) && value <= 1;
}

static enum tl_status handle_shell(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				   struct tl_writer *reply)
{
	struct tl_server *server = context;

	(void)rsp;
	(void)reply;
	return read_switch(arguments, &server->session.launch.with_shell) ? TL_OK : TL_ERROR_PACKET;
}

static enum tl_status handle_randomization(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	struct tl_server *server = context;
	bool disable;

	(void)rsp;
	(void)reply;
	if (!read_switch(arguments, &disable))
		return TL_ERROR_PACKET;
	server->session.launch.keep_randomization = !disable;
	return TL_OK;
}

/* Hexadecimal text to the end; NULL with *status_ret when it is malformed. */
static char *read_hex_text(struct tl_cursor *arguments, enum tl_status *status_ret)
{
	tl_size size = tl_cursor_left(arguments) / 2;
	char *text = calloc(1, size + 1);

	if (text == NULL) {
		*status_ret = TL_ERROR_NO_MEMORY;
		return NULL;
	}
	tl_cursor_hex_bytes(arguments, text, size);
	if (arguments->failed || !tl_cursor_done(arguments) || memchr(text, '\0', size) != NULL) {
		*status_ret = TL_ERROR_PACKET;
		free(text);
		return NULL;
	}
	*status_ret = TL_OK;
	return text;
}

/* Takes the variable whose name is the first `size` characters of `name` out of the list; how many are left. */
static tl_size remove_variable(char **environment, const char *name, tl_size size)
{
	tl_size kept = 0;

	for (tl_size i = 0; environment[i] != NULL; i++) {
		if (strncmp(environment[i], name, size) == 0 && environment[i][size] == '=')
			free(environment[i]);
		else
			environment[kept++] = environment[i];
	}
	environment[kept] = NULL;
	return kept;
}

/* Takes over NAME=VALUE, or frees it. */
static enum tl_status set_variable(struct tl_launch_settings *settings, char *text)
{
	char *equals = strchr(text, '='), **grown;
	tl_size count;

	if (equals == NULL || equals == text) {
		free(text);
		return TL_ERROR_PACKET;
	}
	count = remove_variable(settings->environment, text, (tl_size)(equals - text));
	grown = count < ENVIRONMENT_MAX ? realloc(settings->environment, (count + 2) * sizeof(*grown)) : NULL;
	if (grown == NULL) {
		free(text);
		return TL_ERROR_NO_MEMORY;
	}
	grown[count] = text;
	grown[count + 1] = NULL;
	settings->environment = grown;
	return TL_OK;
}

static enum tl_status handle_set_variable(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					  struct tl_writer *reply)
{
	struct tl_server *server = context;
	enum tl_status status;
	char *text = read_hex_text(arguments, &status);

	(void)rsp;
	(void)reply;
	return text != NULL ? set_variable(&server->session.launch, text) : status;
}

static enum tl_status handle_unset_variable(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					    struct tl_writer *reply)
{
	struct tl_server *server = context;
	enum tl_status status;
	char *name = read_hex_text(arguments, &status);

	(void)rsp;
	(void)reply;
	if (name == NULL)
		return status;
	(void)remove_variable(server->session.launch.environment, name, strlen(name));
	free(name);
	return TL_OK;
}

static enum tl_status handle_reset_variables(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					     struct tl_writer *reply)
{
	struct tl_server *server = context;
	char **fresh = copy_words(environ);

	(void)rsp;
	(void)arguments;
	(void)reply;
	if (fresh == NULL)
		return TL_ERROR_NO_MEMORY;
	free_words(server->session.launch.environment);
	server->session.launch.environment = fresh;
	return TL_OK;
}

/* The home of the account that the first `size` characters of `name` name; of our own when they are none. */
static const char *home_of(const char *name, tl_size size)
{
	const struct passwd *account;
	const char *home = size == 0 ? getenv("HOME") : NULL;
	char *copy;

	if (home != NULL)
		return home;
	if (size == 0) {
		account = getpwuid(getuid());
	} else {
		copy = strndup(name, size);
		account = copy != NULL ? getpwnam(copy) : NULL;
		free(copy);
	}
	return account != NULL ? account->pw_dir : NULL;
}

/*
 * gdb sends `set cwd ~/somewhere` as it was typed: the home is one on this side. A directory of nobody's home stays as
 * it is, and is complained of when a program is to start there. Takes `directory`; NULL when there is no storage.
 */
static char *expand_home(char *directory)
{
	tl_size size = strcspn(directory, "/");
	const char *home = directory[0] == '~' ? home_of(directory + 1, size - 1) : NULL;
	char *expanded;

	if (home == NULL)
		return directory;
	if (asprintf(&expanded, "%s%s", home, directory + size) < 0)
		expanded = NULL;
	free(directory);
	return expanded;
}

/* An empty directory means the server's own again. */
static enum tl_status handle_directory(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	struct tl_server *server = context;
	enum tl_status status;
	char *directory = read_hex_text(arguments, &status);

	(void)rsp;
	(void)reply;
	if (directory == NULL)
		return status;
	directory = expand_home(directory);
	if (directory == NULL)
		return TL_ERROR_NO_MEMORY;
	free(server->session.launch.directory);
	server->session.launch.directory = directory;
	if (directory[0] == '\0') {
		free(directory);
		server->session.launch.directory = NULL;
	}
	return TL_OK;
}

/* ---- For lldb ---- */

static enum tl_status lldb_set(void *context, enum tl_lldb_setting setting, const char *value)
{
	struct tl_server *server = context;
	struct tl_launch_settings *settings = &server->session.launch;
	char **file, *copy;

	switch (setting) {
	case TL_LLDB_VARIABLE:
		copy = strdup(value);
		return copy != NULL ? set_variable(settings, copy) : TL_ERROR_NO_MEMORY;
	case TL_LLDB_RANDOMIZATION:
		settings->keep_randomization = strcmp(value, "1") == 0;
		return TL_OK;
	case TL_LLDB_INPUT:
		file = &settings->input;
		break;
	case TL_LLDB_OUTPUT:
		file = &settings->output;
		break;
	case TL_LLDB_ERROR:
		file = &settings->error;
		break;
	case TL_LLDB_LOSS:
		tl_server_set_survival(server, strcmp(value, "1") == 0);
		return TL_OK;
	default:
		return TL_ERROR_ARGUMENT;
	}
	copy = value[0] != '\0' ? strdup(value) : NULL;
	if (copy == NULL && value[0] != '\0')
		return TL_ERROR_NO_MEMORY;
	free(*file);
	*file = copy;
	return TL_OK;
}

static enum tl_status lldb_launch(void *context, const char *const *words, struct tl_error *error)
{
	struct tl_server *server = context;
	bool with_shell = server->session.launch.with_shell;
	struct tl_thread_id thread;
	enum tl_status status;

	if (!may_begin(server) && tl_engine_next_process(server->engine, 0) != 0)
		return TL_FAIL(error, TL_ERROR_STATE, "Already debugging a process");
	/* lldb starts a shell itself where it wants one. */
	server->session.launch.with_shell = false;
	status = launch(server, words, &thread, error);
	server->session.launch.with_shell = with_shell;
	if (status != TL_OK) {
		tl_server_say("%s", error->text);
		return status;
	}
	tl_rsp_set_general(server->session.rsp, thread);
	return TL_OK;
}

struct tl_lldb_host tl_launch_lldb_host(struct tl_server *server)
{
	return (struct tl_lldb_host){
		.loop = server->loop,
		.files = &tl_file_calls_system,
		.set = lldb_set,
		.launch = lldb_launch,
		.attach = attach,
		.context = server,
	};
}

const struct tl_rsp_row tl_launch_rows[] = {
	{"vRun;", TL_RSP_PREFIX, TL_RSP_STOPPED, false, handle_run},
	{"vAttach;", TL_RSP_PREFIX, TL_RSP_STOPPED, false, handle_attach},
	{"R", TL_RSP_PREFIX, TL_RSP_STOPPED, false, handle_restart},
	{"QStartupWithShell:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_shell},
	{"QDisableRandomization:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_randomization},
	{"QEnvironmentHexEncoded:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_set_variable},
	{"QEnvironmentUnset:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_unset_variable},
	{"QEnvironmentReset", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_reset_variables},
	{"QSetWorkingDir:", TL_RSP_PREFIX, TL_RSP_ALWAYS, true, handle_directory},
	{NULL, 0, 0, false, NULL},
};

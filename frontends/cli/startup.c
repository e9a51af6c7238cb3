#include "frontends/cli/startup.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/running.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file of commands, its error told. */
static bool run_file(struct tl_cli *cli, const char *path)
{
	struct tl_error error;
	enum tl_status status;

	cli->cancelled = false;
	cli->leaving = TL_SCRIPT_STAYS;
	cli->busy = true;
	tl_screen_begin(&cli->screen);
	status = tl_script_file(cli, path, &error);
	cli->busy = false;
	if (status != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
	tl_screen_flush(&cli->screen);
	return status == TL_OK;
}

static bool run_starts(struct tl_cli *cli, const struct tl_cli_options *options, bool early)
{
	bool good = true;

	for (tl_size i = 0; i < options->start_count && !cli->quit; i++) {
		const struct tl_start *start = &options->starts[i];

		switch (start->kind) {
		case TL_START_FILE:
		case TL_START_EARLY_FILE:
			if ((start->kind == TL_START_EARLY_FILE) == early)
				good = run_file(cli, start->text);
			break;
		case TL_START_COMMAND:
		case TL_START_EARLY_COMMAND:
			if ((start->kind == TL_START_EARLY_COMMAND) == early)
				good = tl_execute_typed(cli, start->text);
			break;
		}
	}
	return good;
}

/* $XDG_CONFIG_HOME/trapline/init, or ~/.config/trapline/init. */
static char *home_file(void)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (folder != NULL && folder[0] == '/')
		return asprintf(&path, "%s/trapline/init", folder) >= 0 ? path : NULL;
	if (home == NULL || home[0] != '/')
		return NULL;
	return asprintf(&path, "%s/.config/trapline/init", home) >= 0 ? path : NULL;
}

/* The folder lies in one of the safe ones. */
static bool is_listed(const char *folder, const char *list)
{
	while (*list != '\0') {
		tl_size size = strcspn(list, ":"), length = size;

		while (length > 1 && list[length - 1] == '/')
			length--;
		if (length > 0 && strncmp(folder, list, length) == 0 &&
		    (folder[length] == '\0' || folder[length] == '/' || length == 1))
			return true;
		list += size;
		list += *list == ':';
	}
	return false;
}

/* The file does what it likes with whoever runs it: it must be the person's own, and nobody else's to write. */
static bool is_own(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_uid == getuid() || about.st_uid == 0) &&
	       (about.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static void run_local_file(struct tl_cli *cli)
{
	const char *list = cli->settings.safe_path != NULL ? cli->settings.safe_path : "";
	char *folder = access(".trapline", R_OK) == 0 ? getcwd(NULL, 0) : NULL;
	char *text = NULL;

	if (folder == NULL)
		return;
	if (is_listed(folder, list) && is_own(".trapline")) {
		(void)run_file(cli, ".trapline");
	} else if (asprintf(&text, "warning: %s/.trapline was not read: %s", folder,
			    is_listed(folder, list)
				    ? "others may write it (chmod go-w .trapline)"
				    : "the folder is not among the safe ones. To allow it, put this into "
				      "~/.config/trapline/init:") >= 0) {
		tl_screen_complain(&cli->screen, text);
		free(text);
		if (!is_listed(folder, list) && asprintf(&text, "\tset auto-load safe-path %s", folder) >= 0) {
			tl_screen_complain(&cli->screen, text);
			free(text);
		}
	}
	free(folder);
}

void tl_startup_early(struct tl_cli *cli, const struct tl_cli_options *options)
{
	char *path = options->no_files || options->no_home_file ? NULL : home_file();

	(void)run_starts(cli, options, true);
	if (path != NULL && !cli->quit && access(path, R_OK) == 0)
		(void)run_file(cli, path);
	free(path);
}

bool tl_startup_late(struct tl_cli *cli, const struct tl_cli_options *options)
{
	if (!options->no_files && !cli->quit)
		run_local_file(cli);
	return run_starts(cli, options, false);
}

/* ---- The program ---- */

/* A name without a slash is looked for in the present folder, then in $PATH, as a shell would start it. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");
	char *whole = realpath(name, NULL);

	if (whole != NULL || strchr(name, '/') != NULL || path == NULL)
		return whole != NULL ? whole : strdup(name);
	while (*path != '\0') {
		tl_size size = strcspn(path, ":");
		char *candidate = NULL;

		if (asprintf(&candidate, "%.*s/%s", (int)size, path, name) >= 0 && access(candidate, X_OK) == 0)
			return candidate;
		free(candidate);
		path += size;
		path += *path == ':';
	}
	return strdup(name);
}

/* Words as one line that the shell takes apart again as they are. */
static char *quote_words(const char *const *words)
{
	struct tl_output line = tl_output_make(TL_COMMAND_LINE_MAX);
	char *text;

	for (; *words != NULL; words++) {
		tl_output_text(&line, line.size > 0 ? " " : "");
		if (**words == '\0')
			tl_output_text(&line, "\'\'");
		for (const char *at = *words; *at != '\0'; at++) {
			if (strchr(" \t\n!\"#$&'()*;<>?[\\]^`{|}~", *at) != NULL)
				tl_output_text(&line, "\\");
			tl_output_bytes(&line, at, 1);
		}
	}
	text = strdup(tl_output_string(&line));
	tl_output_release(&line);
	return text;
}

enum tl_status tl_startup_file(struct tl_cli *cli, const char *name, struct tl_error *error)
{
	char *path = find_program(name);
	enum tl_status status;

	if (path == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the name of the program");
	if (access(path, F_OK) != 0) {
		status = TL_FAIL(error, TL_ERROR_SYSTEM, "%s: No such file or directory.", name);
	} else {
		if (tl_terminal_interactive(cli->terminal) && !cli->batch)
			tl_screen_format(&cli->screen, "Reading symbols from %s...\n", name);
		tl_screen_flush(&cli->screen);
		status = tl_session_set_program(cli->session, path, error);
		/* What is there already runs it, too: a stub's program, for one. */
		if (status == TL_OK && tl_session_alive(cli->session))
			status = tl_session_set_symbols(cli->session, path, 0, error);
		if (status == TL_OK) {
			const struct tl_module *module = tl_modules_get(tl_session_modules(cli->session), 0);

			if (module != NULL && !module->binary->has_debug)
				tl_screen_format(&cli->screen, "(No debugging symbols found in %s)\n", name);
		}
	}
	free(path);
	return status;
}

static enum tl_status load(struct tl_cli *cli, const struct tl_cli_options *options, struct tl_error *error)
{
	const char *program = options->core != NULL      ? options->core_program
			      : options->program != NULL ? options->program[0]
							 : NULL;

	if (program != NULL)
		TL_TRY(tl_startup_file(cli, program, error));
	if (options->program != NULL && options->program[0] != NULL && options->program[1] != NULL) {
		free(cli->settings.arguments);
		cli->settings.arguments = quote_words(options->program + 1);
	}
	if (options->core != NULL)
		return tl_connection_core(cli, options->core, error);
	if (options->machine != NULL)
		return tl_connection_machine(cli, options->machine, error);
	if (options->connect != NULL)
		return tl_connection_remote(cli, options->connect, options->extended, false, error);
	return options->attach != 0 ? tl_running_attach(cli, options->attach, false, error) : TL_OK;
}

bool tl_startup_program(struct tl_cli *cli, const struct tl_cli_options *options)
{
	enum tl_status status;
	struct tl_error error;

	cli->cancelled = false;
	cli->busy = true;
	status = load(cli, options, &error);
	if (status != TL_OK)
		tl_screen_complain(&cli->screen, error.text);
	cli->busy = false;
	tl_screen_flush(&cli->screen);
	return status == TL_OK;
}

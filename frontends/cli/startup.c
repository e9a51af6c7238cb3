#include "frontends/cli/startup.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/execute.h"

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

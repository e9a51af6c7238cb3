#include "frontends/cli/progress.h"

#include "frontends/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Milliseconds before anything is shown. */
#define PATIENCE 1000

static tl_u64 now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (tl_u64)time.tv_sec * 1000 + (tl_u64)time.tv_nsec / 1000000 + 1;
}

static void write_text(struct tl_cli *cli, const char *text)
{
	tl_screen_output(&cli->screen, text, strlen(text));
}

/* The file whose names are being read, and how far that is. */
static bool find_reading(struct tl_cli *cli, const char **name_ret, unsigned *percent_ret)
{
	const struct tl_modules *modules = tl_session_modules(cli->session);
	const struct tl_module *module;

	for (tl_size i = 0; (module = tl_modules_get(modules, i)) != NULL; i++) {
		tl_size done = 0, total = 0;
		const char *slash = strrchr(module->binary->path, '/');

		if (tl_binary_ready(module->binary))
			continue;
		tl_binary_progress(module->binary, &done, &total);
		if (total == 0 || done >= total)
			continue;
		*name_ret = slash != NULL ? slash + 1 : module->binary->path;
		*percent_ret = (unsigned)(done * 100 / total);
		return true;
	}
	return false;
}

void tl_progress_tick(struct tl_cli *cli)
{
	const char *name;
	unsigned percent;
	char text[160];
	tl_u64 time = now();

	if (cli->progress.since == 0)
		cli->progress.since = time;
	if (time - cli->progress.since < PATIENCE || !cli->screen.terminal || cli->screen.raw || cli->batch)
		return;
	if (find_reading(cli, &name, &percent))
		(void)snprintf(text, sizeof(text), "\r\033[KReading symbols of %.60s: %u %% (^C gives up)", name,
			       percent);
	else
		(void)snprintf(text, sizeof(text), "\r\033[KWorking for %llu s (^C gives up)",
			       (unsigned long long)(time - cli->progress.since) / 1000);
	write_text(cli, text);
	cli->progress.shown = true;
}

void tl_progress_hide(struct tl_cli *cli)
{
	if (cli->progress.shown)
		write_text(cli, "\r\033[K");
	cli->progress.shown = false;
}

void tl_progress_end(struct tl_cli *cli)
{
	tl_progress_hide(cli);
	cli->progress.since = 0;
}

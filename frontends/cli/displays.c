#include "frontends/cli/displays.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/data.h"
#include "frontends/cli/points.h"

#include <stdlib.h>
#include <string.h>

void tl_displays_show(struct tl_cli *cli)
{
	for (struct tl_display *display = cli->displays; display != NULL; display = display->next) {
		struct tl_error error;

		if (display->enabled)
			(void)!tl_display_show(cli, display, &error);
	}
}

void tl_display_free(struct tl_display *display)
{
	if (display == NULL)
		return;
	free(display->format);
	free(display->expression);
	free(display);
}

void tl_displays_clear(struct tl_cli *cli)
{
	struct tl_display *next;

	for (struct tl_display *display = cli->displays; display != NULL; display = next) {
		next = display->next;
		tl_display_free(display);
	}
	cli->displays = NULL;
}

/* ---- By numbers ---- */

static struct tl_display **find(struct tl_cli *cli, tl_u32 number)
{
	struct tl_display **at = &cli->displays;

	while (*at != NULL && (*at)->number != number)
		at = &(*at)->next;
	if (*at == NULL)
		tl_screen_format(&cli->screen, "No display number %u.\n", number);
	return at;
}

static enum tl_status remove_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	struct tl_display **at = find(cli, number), *display = *at;

	(void)context, (void)location, (void)error;
	if (display == NULL)
		return TL_OK;
	*at = display->next;
	tl_display_free(display);
	return TL_OK;
}

enum tl_status tl_displays_remove(struct tl_cli *cli, const char *words, struct tl_error *error)
{
	if (words[0] != '\0')
		return tl_numbers_each(cli, words, remove_one, NULL, error);
	if (tl_cli_query(cli, "Delete all auto-display expressions? "))
		tl_displays_clear(cli);
	return TL_OK;
}

static enum tl_status enable_one(struct tl_cli *cli, void *context, tl_u32 number, tl_u32 location,
				 struct tl_error *error)
{
	struct tl_display *display = *find(cli, number);

	(void)location, (void)error;
	if (display != NULL)
		display->enabled = *(const bool *)context;
	return TL_OK;
}

enum tl_status tl_displays_enable(struct tl_cli *cli, const char *words, bool on, struct tl_error *error)
{
	if (words[0] != '\0')
		return tl_numbers_each(cli, words, enable_one, &on, error);
	for (struct tl_display *display = cli->displays; display != NULL; display = display->next)
		display->enabled = on;
	return TL_OK;
}

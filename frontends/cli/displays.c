#include "frontends/cli/displays.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/data.h"

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

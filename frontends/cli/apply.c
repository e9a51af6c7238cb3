#include "frontends/cli/apply.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/execute.h"
#include "frontends/cli/words.h"

#include <string.h>

enum tl_status tl_application_read(struct tl_application *application, const char *words, struct tl_error *error)
{
	for (;;) {
		if (tl_words_take(&words, "-q"))
			application->quiet = true;
		else if (tl_words_take(&words, "-s"))
			application->silent = true;
		else if (tl_words_take(&words, "-c"))
			application->go_on = true;
		else if (application->has_order && tl_words_take(&words, "-ascending"))
			application->ascending = true;
		else
			break;
	}
	(void)tl_words_take(&words, "--");
	if (application->silent && application->go_on)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s: -c and -s are mutually exclusive", application->of);
	if (words[0] == '\0')
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "Please specify a command at the end of '%s'. Example: %s backtrace 1", application->of,
			       application->of);
	application->command = words;
	return TL_OK;
}

/* What is silent is held back until it is known whether there is anything. */
static enum tl_status run_silently(struct tl_cli *cli, const struct tl_application *application,
				   void (*header)(struct tl_cli *cli, const void *context), const void *context,
				   struct tl_error *error)
{
	struct tl_output held = tl_output_make(TL_OUTPUT_MAX), *before = cli->screen.held;
	enum tl_status status;

	cli->screen.held = &held;
	status = tl_execute_line(cli, application->command, error);
	cli->screen.held = before;
	if (status == TL_OK && held.size != 0) {
		if (!application->quiet)
			header(cli, context);
		tl_screen_bytes(&cli->screen, held.text, held.size);
	}
	tl_output_release(&held);
	return status == TL_ERROR_CANCELLED ? status : TL_OK;
}

enum tl_status tl_application_run(struct tl_cli *cli, const struct tl_application *application,
				  void (*header)(struct tl_cli *cli, const void *context), const void *context,
				  struct tl_error *error)
{
	enum tl_status status;

	if (application->silent)
		return run_silently(cli, application, header, context, error);
	if (!application->quiet)
		header(cli, context);
	status = tl_execute_line(cli, application->command, error);
	if (status == TL_OK || status == TL_ERROR_CANCELLED || !application->go_on)
		return status;
	tl_screen_format(&cli->screen, "%s\n", error->text);
	return TL_OK;
}

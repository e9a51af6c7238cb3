#include "frontends/cli/shell.h"

#include "frontends/cli/cli.h"
#include "frontends/cli/values.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child, which shall be as if the person's shell had started it. */
__attribute__((noreturn)) static void child_shell(const char *words, int input)
{
	const char *shell = getenv("SHELL");
	const char *path = shell != NULL && shell[0] != '\0' ? shell : "/bin/sh";

	tl_loop_child_signals();
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGTTOU, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	if (input >= 0 && dup2(input, STDIN_FILENO) < 0)
		_exit(127);
	if (words[0] != '\0')
		(void)execl(path, path, "-c", words, (char *)NULL);
	else
		(void)execl(path, path, (char *)NULL);
	_exit(127);
}

/* What the shell's command wrote shall be read before windows stand over it. */
static void back_to_windows(struct tl_cli *cli)
{
	static const char question[] = "[press Enter to go back to the full screen] ";
	char byte = 0;

	if (!tl_full_screen_on(&cli->full))
		return;
	(void)!write(STDOUT_FILENO, question, sizeof(question) - 1);
	while (byte != '\n' && read(STDIN_FILENO, &byte, 1) == 1)
		;
	tl_full_screen_resume(&cli->full);
}

/*
 * The loop does not turn meanwhile: the target, which waits for all children there is, would take the shell's end for
 * itself.
 */
enum tl_status tl_shell_run(struct tl_cli *cli, const char *words, int input, struct tl_error *error)
{
	int status = 0;
	pid_t child;

	tl_screen_flush(&cli->screen);
	tl_full_screen_suspend(&cli->full);
	child = fork();
	if (child == 0)
		child_shell(words, input);
	if (child < 0) {
		tl_full_screen_resume(&cli->full);
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Fork failed");
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot wait for the shell");
	back_to_windows(cli);
	/* ^C was for the shell. */
	tl_cli_forget_interrupt(cli);
	/* The terminal has written ^C, and the cursor stands behind it. */
	if (WIFSIGNALED(status) && tl_terminal_interactive(cli->terminal))
		tl_screen_text(&cli->screen, "\n");
	if (WIFEXITED(status))
		return tl_cli_set_variable(cli, "_shell_exitcode", WEXITSTATUS(status), error);
	return tl_cli_set_variable(cli, "_shell_exitsignal", WTERMSIG(status), error);
}

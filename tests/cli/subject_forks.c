/* Debugged at the prompt by test_inferiors.py: programs that make others of themselves. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int rounds;

static int in_child(int number)
{
	rounds += number;
	return 3;
}

static void in_parent(pid_t child)
{
	int status = 0;

	rounds++;
	if (waitpid(child, &status, 0) == child)
		printf("child: %d\n", WEXITSTATUS(status));
	fflush(stdout);
}

static void forks(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(in_child(10));
	in_parent(child);
}

static void vforks(const char *program)
{
	pid_t child = vfork();

	if (child == 0) {
		execl(program, program, "plain", NULL);
		_exit(127);
	}
	in_parent(child);
}

static void waits(void)
{
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "fork") == 0)
		forks();
	else if (strcmp(what, "vfork") == 0)
		vforks(argv[2]);
	else if (strcmp(what, "exec") == 0)
		execl(argv[2], argv[2], "plain", NULL);
	else if (strcmp(what, "wait") == 0)
		waits();
	puts("done");
	return 0;
}

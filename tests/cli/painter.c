/* Debugged in the full screen by test_full_screen.py. Lines are counted there: add at the end. Wide: 漢字 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

volatile unsigned long turns;

static void painted(void)
{
	fflush(stdout);
}

static void paint(void)
{
	/* Everywhere, without the last line's end. */
	printf("\033[2J\033[1;1Hgarbage\033[99;99Hcorner\033[1;1H\033[31mred\033[5;5rnot here");
	painted();
	printf("\033[r\033[0m\033[H\033[2J");
	painted();
}

static void spin(void)
{
	puts("spinning");
	fflush(stdout);
	for (;;)
		turns++;
}

static void ticked(int tick)
{
	turns += (unsigned long)tick;
}

static void tick(void)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int i = 0; i < 1000; i++) {
		nanosleep(&pause, NULL);
		ticked(i);
	}
}

static void read_line(void)
{
	char line[100];

	printf("name? ");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) != NULL)
		printf("hello %s", line);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "paint") == 0)
		paint();
	if (strcmp(what, "spin") == 0)
		spin();
	if (strcmp(what, "tick") == 0)
		tick();
	if (strcmp(what, "read") == 0)
		read_line();
	for (int i = 0; i < 200 && strcmp(what, "many") == 0; i++)
		printf("line %d\n", i);
	/* 漢字とかな */ turns = turns * 2 + 1;
	return 0;
}

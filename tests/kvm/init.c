/*
 * The first process of the machine that tests bring: it mounts what programs expect, loads the modules of /modules in
 * the order of their names, and runs the words of /command, one a line (Linux takes no more than 32 of them from its
 * command line). Then it says how that ended, and ends the machine. Static, so that nothing else need be there.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void say(const char *what, const char *which)
{
	fprintf(stderr, "init: %s %s: %s\n", what, which, strerror(errno));
}

static void mount_one(const char *type, const char *where)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, NULL) != 0)
		say("mounting", where);
}

/* A module that does not fit this CPU (kvm-amd on Intel's) is refused by the kernel; which one did load, programs see.
 */
static void load_modules(void)
{
	for (int number = 0; number < 100; number++) {
		char path[32];
		int file;

		snprintf(path, sizeof(path), "/modules/%02d.ko", number);
		file = open(path, O_RDONLY | O_CLOEXEC);
		if (file < 0)
			return;
		if (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EOPNOTSUPP && errno != ENODEV &&
		    errno != EEXIST)
			say("loading", path);
		close(file);
	}
}

/* Servers and clients in the machine speak over its own loopback. */
static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (any < 0 || ioctl(any, SIOCSIFFLAGS, &request) != 0)
		say("raising", "lo");
	if (any >= 0)
		close(any);
}

/* Without a terminal to control it: at the end of such a session Linux throws away what was not yet sent. */
static _Noreturn void become(char **words)
{
	static char *const environment[] = {"PATH=/usr/bin:/bin",        "HOME=/tmp",        "TERM=dumb", "LC_ALL=C",
					    "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0", NULL};

	setsid();
	execve(words[0], words, environment);
	say("running", words[0]);
	_exit(127);
}

static int run(char **words)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		become(words);
	/* Orphans are ours too: whoever ends before it is only buried. */
	for (pid_t ended; (ended = wait(&status)) != child;) {
		if (ended < 0 && errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* Lines as words, with a NULL behind them; none when there is no such file. */
static void read_words(const char *path, char **words, size_t most)
{
	static char text[8192];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = file < 0 ? -1 : read(file, text, sizeof(text) - 1);
	size_t count = 0;

	for (char *at = size > 0 ? text : NULL; at != NULL && *at != '\0' && count < most - 1; count++) {
		words[count] = at;
		at = strchr(at, '\n');
		if (at != NULL)
			*at++ = '\0';
	}
	words[count] = NULL;
	if (file >= 0)
		close(file);
}

int main(void)
{
	char *words[256];
	const struct rlimit core = {0, 0};

	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("devtmpfs", "/dev");
	mount_one("tmpfs", "/tmp");
	mount_one("tmpfs", "/run");
	mkdir("/dev/pts", 0755);
	mount_one("devpts", "/dev/pts");
	setrlimit(RLIMIT_CORE, &core);
	load_modules();
	raise_loopback();
	read_words("/command", words, sizeof(words) / sizeof(*words));
	if (words[0] != NULL)
		printf("\nmachine: ended with %d\n", run(words));
	else
		printf("\nmachine: was not told what to run\n");
	fflush(stdout);
	tcdrain(1);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}

/*
 * The first process of Debian's kernel as a guest: it says that it is there, and makes one system call again and again,
 * for some ten seconds. Words behind -- on the kernel's command line: `forever`, until the machine ends; `clock`, the
 * same, and it says what its clocks show; `console`, the virtio console instead, a line from which it gives back;
 * `shell`, a shell on the serial port instead, at whose end the machine ends; `disk`, the virtio disk instead, read and
 * written from two processors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void run_shell(void)
{
	static char *const words[] = {"sh", NULL};
	static char *const environment[] = {"PATH=/bin", "PS1=guest> ", "HOME=/", NULL};
	pid_t child = fork();

	if (child == 0) {
		int terminal;

		setsid();
		terminal = open("/dev/ttyS0", O_RDWR);
		ioctl(terminal, TIOCSCTTY, 1);
		for (int i = 0; i < 3; i++)
			dup2(terminal, i);
		execve("/bin/sh", words, environment);
		_exit(127);
	}
	while (child > 0 && wait(NULL) != child)
		;
}

/* In the order of their names. */
static void load_modules(void)
{
	char path[32];

	for (int number = 0; number < 20; number++) {
		int file;

		snprintf(path, sizeof(path), "/modules/%02d.ko", number);
		file = open(path, O_RDONLY);
		if (file < 0 || syscall(SYS_finit_module, file, "", 0) != 0)
			printf("guest: %s is not loaded\n", path);
		if (file < 0)
			return;
		close(file);
	}
}

static void use_console(void)
{
	char text[256];
	int console, size;

	load_modules();
	console = open("/dev/hvc0", O_RDWR);
	dprintf(console, "guest: at its console\n");
	size = (int)read(console, text, sizeof(text));
	dprintf(console, "guest: was told %.*s", size, text);
	close(console);
}

/* Each sector is made of its number, or, once it has been written, of that number's complement. */
#define PART 0x10000
#define PARTS 64
#define SECTOR 512

static uint64_t words_of_disk[PART / 8] __attribute__((aligned(4096)));

static uint64_t sector_of(int part, int word)
{
	return (uint64_t)part * (PART / SECTOR) + (uint64_t)word / (SECTOR / 8);
}

/* Whether a part of the disk reads as it must: `before` it was written, `after` that, or either. */
static int part_is(int disk, int part, int before, int after)
{
	if (pread(disk, words_of_disk, PART, (off_t)part * PART) != PART)
		return 0;
	for (int i = 0; i < PART / 8; i++)
		if (!(before && words_of_disk[i] == sector_of(part, i)) &&
		    !(after && words_of_disk[i] == ~sector_of(part, i)))
			return 0;
	return 1;
}

static int write_part(int disk, int part)
{
	for (int i = 0; i < PART / 8; i++)
		words_of_disk[i] = ~sector_of(part, i);
	return pwrite(disk, words_of_disk, PART, (off_t)part * PART) == PART;
}

/* The other processor reads all the while. */
static pid_t begin_reader(int disk)
{
	pid_t child = fork();

	for (int turn = 0; child == 0; turn++)
		if (!part_is(disk, turn * 7 % PARTS, 1, 1)) {
			printf("guest: disk bad for a reader\n");
			fflush(stdout);
			_exit(1);
		}
	return child;
}

static void use_disk(void)
{
	int disk, good = 1;
	pid_t reader;

	load_modules();
	disk = open("/dev/vda", O_RDWR | O_DIRECT);
	printf("guest: disk begins\n");
	fflush(stdout);
	reader = begin_reader(disk);
	for (int part = 0; part < PARTS && good; part++) {
		good = part_is(disk, part, 1, 0) && write_part(disk, part);
		if (part % 8 == 7)
			good = good && fsync(disk) == 0;
	}
	for (int part = 0; part < PARTS && good; part++)
		good = part_is(disk, part, 0, 1);
	kill(reader, SIGKILL);
	wait(NULL);
	printf("guest: disk %s\n", good ? "good" : "bad");
}

static void tell_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("guest: clock %lld.%03ld\n", (long long)now.tv_sec, now.tv_nsec / 1000000);
	fflush(stdout);
}

int main(int count, char **words)
{
	const char *word = count > 1 ? words[1] : "";
	int clock = strcmp(word, "clock") == 0, forever = clock || strcmp(word, "forever") == 0;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	printf("guest: up with %d processors\n", get_nprocs());
	fflush(stdout);
	if (strcmp(word, "shell") == 0)
		run_shell();
	else if (strcmp(word, "console") == 0)
		use_console();
	else if (strcmp(word, "disk") == 0)
		use_disk();
	else
		for (int turn = 0; forever || turn < 2000; turn++) {
			syscall(SYS_getppid);
			usleep(5000);
			if (clock && turn % 20 == 0)
				tell_time();
		}
	printf("guest: done\n");
	fflush(stdout);
	reboot(RB_POWER_OFF);
	return 0;
}

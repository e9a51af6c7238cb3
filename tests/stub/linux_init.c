/*
 * What runs in the machine that has trapline.ko: it loads the module and does on demand what a test asks for, one line
 * of the console at a time. Each command is answered by a line that begins with "=".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LOADS 64

static pid_t loads[LOADS];
static int load_count;

static int pin(pid_t task, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(task, sizeof(set), &set);
}

static int insert(const char *file, const char *arguments)
{
	int fd = open(file, O_RDONLY);
	int result = fd < 0 ? -1 : (int)syscall(SYS_finit_module, fd, arguments, 0);

	if (fd >= 0)
		close(fd);
	return result;
}

static int write_file(char *arguments)
{
	char *text = strchr(arguments, ' ');
	ssize_t result;
	int fd;

	if (text == NULL)
		return -1;
	*text++ = '\0';
	fd = open(arguments, O_WRONLY);
	if (fd < 0)
		return -1;
	text[strlen(text)] = '\n'; /* the line was read with its end */
	result = write(fd, text, strlen(text));
	close(fd);
	return result < 0 ? -1 : 0;
}

static int read_file(const char *path)
{
	char text[512];
	int fd = open(path, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size < 0)
		return -1;
	text[size] = '\0';
	printf("%s\n", text);
	return 0;
}

/* The lines of a file that have this word in them: "FILE WORD". */
static int show_lines(char *arguments)
{
	char *word = strchr(arguments, ' ');
	char line[512];
	FILE *file;

	if (word == NULL)
		return -1;
	*word++ = '\0';
	file = fopen(arguments, "r");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strstr(line, word) != NULL)
			printf("%s", line);
	return fclose(file);
}

/* The lines of the kernel's symbols that end in this name. */
static int show_symbol(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long address;
	char line[512], word[256], kind;
	int found = -1;

	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "%lx %c %255s", &address, &kind, word) == 3 && strcmp(word, name) == 0) {
			printf("=%lx\n", address);
			found = 1;
			break;
		}
	fclose(file);
	return found;
}

/* System calls without end, of several kinds. */
static void be_load(int cpu)
{
	char text[64];

	pin(0, cpu);
	for (;;) {
		int fd = open("/proc/sys/kernel/hostname", O_RDONLY);

		if (read(fd, text, sizeof(text)) < 0)
			_exit(1);
		close(fd);
		getppid();
		sched_yield();
		if (fork() == 0)
			_exit(0);
		wait(NULL);
	}
}

#define AREA (256 << 10)

/* Memory comes, is touched page by page, is made read-only, and goes. */
static void move_memory(void)
{
	char *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		_exit(1);
	for (int at = 0; at < AREA; at += 4096)
		area[at] = 1;
	mprotect(area, AREA / 2, PROT_READ);
	munmap(area, AREA);
}

static void *move_memory_for_ever(void *unused)
{
	pin(0, 0);
	for (;;)
		move_memory();
	return unused;
}

/* Two threads of one program, on two processors: each page that goes is to be forgotten by the other one as well. */
static void be_memory(int cpu)
{
	pthread_t thread;

	pin(0, cpu);
	if (cpu != 0 && pthread_create(&thread, NULL, move_memory_for_ever, NULL) != 0)
		_exit(1);
	for (;;)
		move_memory();
}

/* A byte goes back and forth between two processes of one processor. */
static void be_pipes(int cpu)
{
	int there[2], back[2], from, to;
	char byte = 0;

	pin(0, cpu);
	if (pipe(there) != 0 || pipe(back) != 0)
		_exit(1);
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		from = there[0];
		to = back[1];
	} else {
		from = back[0];
		to = there[1];
		if (write(to, &byte, 1) != 1)
			_exit(1);
	}
	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		continue;
	_exit(1);
}

static void on_alarm(int number)
{
	(void)number;
}

/* A timer's signal each millisecond, and short sleeps in between. */
static void be_timers(int cpu)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}};

	pin(0, cpu);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &often, NULL);
	for (;;)
		usleep(100);
}

static int begin(void (*kind)(int cpu), int cpus)
{
	for (int cpu = 0; cpu < cpus && load_count < LOADS; cpu++) {
		pid_t child = fork();

		if (child == 0)
			kind(cpu);
		if (child < 0)
			return -1;
		loads[load_count++] = child;
	}
	return 0;
}

static int begin_load(int cpus)
{
	return begin(be_load, cpus);
}

/* What the load does, and page faults, processors that are interrupted for each other, switches, signals and timers. */
static int begin_stress(int cpus)
{
	return begin(be_load, cpus) | begin(be_memory, cpus) | begin(be_pipes, cpus) | begin(be_timers, cpus);
}

static int end_load(void)
{
	while (load_count > 0) {
		kill(loads[--load_count], SIGKILL);
		waitpid(loads[load_count], NULL, 0);
	}
	return 0;
}

/* Processors that write the same file, each so often, all at once: "PROCESSORS COUNT FILE TEXT". */
static int writers(char *arguments)
{
	int cpus, count, at, status, result = 0;

	if (sscanf(arguments, "%d %d %n", &cpus, &count, &at) != 2)
		return -1;
	for (int cpu = 0; cpu < cpus; cpu++) {
		char *text = strchr(arguments + at, ' ');
		int fd;

		if (fork() != 0)
			continue;
		pin(0, cpu);
		*text++ = '\0';
		fd = open(arguments + at, O_WRONLY);
		for (int n = 0; n < count; n++)
			if (pwrite(fd, text, strlen(text), 0) < 0)
				_exit(1);
		_exit(0);
	}
	while (wait(&status) > 0)
		result |= status;
	return result == 0 ? 0 : -1;
}

static int calls(int count)
{
	while (count-- > 0)
		syscall(SYS_getppid);
	return 0;
}

/*
 * In nanoseconds of the machine's own clock, which under QEMU's -icount goes on by one with each instruction, where the
 * kernel takes it from there (clocksource=hpet): a round of a loop of two instructions, "clock COUNT"; a call that the
 * kernel has nearly nothing to do for, "cost COUNT".
 */
static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_RAW, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int show_clock(long count)
{
	long long begin = nanoseconds();
	long left = count;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(left));
	printf("=%.3f\n", (double)(nanoseconds() - begin) / (double)count);
	return 1;
}

static int show_cost(int count)
{
	long long begin = nanoseconds();

	calls(count);
	printf("=%.1f\n", (double)(nanoseconds() - begin) / count);
	return 1;
}

/*
 * A thread whose system call writes to a page that is not there, and sleeps in the kernel's handler of that until the
 * page is supplied: "fault PROCESSOR" makes it, "asleep" waits for it to sleep, and "supply PROCESSOR" sends it to that
 * processor, has it go on there, and waits for its end.
 */
static struct {
	pthread_t thread;
	pid_t task;
	int fd, cpu;
	void *page;
} fault;

static void *be_faulting(void *unused)
{
	(void)unused;
	fault.task = (pid_t)syscall(SYS_gettid);
	pin(0, fault.cpu);
	return syscall(SYS_time, fault.page) > 0 ? NULL : &fault;
}

static int begin_fault(int cpu)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	fault.cpu = cpu;
	fault.fd = (int)syscall(SYS_userfaultfd, O_NONBLOCK);
	fault.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fault.fd < 0 || fault.page == MAP_FAILED || ioctl(fault.fd, UFFDIO_API, &api) != 0)
		return -1;
	area.range.start = (unsigned long)fault.page;
	area.range.len = 4096;
	if (ioctl(fault.fd, UFFDIO_REGISTER, &area) != 0)
		return -1;
	return pthread_create(&fault.thread, NULL, be_faulting, NULL);
}

static int wait_asleep(void)
{
	struct pollfd event = {.fd = fault.fd, .events = POLLIN};

	return poll(&event, 1, 60000) == 1 && event.revents == POLLIN ? 0 : -1;
}

static int supply(int cpu)
{
	struct uffdio_zeropage page = {.range = {(unsigned long)fault.page, 4096}};
	void *result;

	if (wait_asleep() != 0 || pin(fault.task, cpu) != 0 || ioctl(fault.fd, UFFDIO_ZEROPAGE, &page) != 0)
		return -1;
	if (pthread_join(fault.thread, &result) != 0 || result != NULL)
		return -1;
	munmap(fault.page, 4096);
	return close(fault.fd);
}

/*
 * A program that sleeps in a system call of which the test knows the way through the kernel: "sleeper NAME" makes it,
 * with a second thread, NAME-too, answers with the process's number once both are asleep, and "wake" ends it.
 */
static struct {
	pid_t process;
	int ends[2]; /* of a pipe into which nobody writes */
} sleeper;

static void *be_sleeping_too(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		pause();
	return NULL;
}

static void be_sleeping(const char *name)
{
	pthread_t thread;
	char other[32], byte;

	snprintf(other, sizeof(other), "%.10s-too", name);
	close(sleeper.ends[1]);
	prctl(PR_SET_NAME, name);
	if (pthread_create(&thread, NULL, be_sleeping_too, other) != 0)
		_exit(1);
	_exit(read(sleeper.ends[0], &byte, 1) == 0 ? 0 : 1);
}

/* How many threads of the process sleep. */
static int sleeping(pid_t process)
{
	char path[64], line[512];
	struct dirent *entry;
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", process);
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/stat", process, entry->d_name);
		file = fopen(path, "r");
		if (file != NULL && fgets(line, sizeof(line), file) != NULL && strstr(line, ") S ") != NULL)
			count++;
		if (file != NULL)
			fclose(file);
	}
	if (folder != NULL)
		closedir(folder);
	return count;
}

static int begin_sleeper(const char *name)
{
	struct timespec began, now;

	clock_gettime(CLOCK_MONOTONIC, &began);
	if (pipe(sleeper.ends) != 0)
		return -1;
	sleeper.process = fork();
	if (sleeper.process == 0)
		be_sleeping(name);
	close(sleeper.ends[0]);
	while (sleeping(sleeper.process) != 2) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - began.tv_sec > 60) {
			errno = ETIMEDOUT;
			return -1;
		}
		sched_yield();
	}
	printf("=%d\n", sleeper.process);
	return 1;
}

static int wake_sleeper(void)
{
	int status;

	close(sleeper.ends[1]);
	return waitpid(sleeper.process, &status, 0) == sleeper.process && status == 0 ? 0 : -1;
}

static int run(char *command)
{
	char *arguments = strchr(command, ' ');

	if (arguments != NULL)
		*arguments++ = '\0';
	else
		arguments = command + strlen(command);
	if (strcmp(command, "insmod") == 0)
		return insert("/trapline.ko", arguments);
	if (strcmp(command, "fixture") == 0)
		return insert("/fixture.ko", arguments);
	if (strcmp(command, "rmmod") == 0)
		return (int)syscall(SYS_delete_module, "trapline", 0);
	if (strcmp(command, "write") == 0)
		return write_file(arguments);
	if (strcmp(command, "read") == 0)
		return read_file(arguments);
	if (strcmp(command, "symbol") == 0)
		return show_symbol(arguments);
	if (strcmp(command, "cpu") == 0)
		return pin(0, atoi(arguments));
	if (strcmp(command, "load") == 0)
		return begin_load(atoi(arguments));
	if (strcmp(command, "stress") == 0)
		return begin_stress(atoi(arguments));
	if (strcmp(command, "unload") == 0)
		return end_load();
	if (strcmp(command, "calls") == 0)
		return calls(atoi(arguments));
	if (strcmp(command, "clock") == 0)
		return show_clock(atol(arguments));
	if (strcmp(command, "cost") == 0)
		return show_cost(atoi(arguments));
	if (strcmp(command, "lines") == 0)
		return show_lines(arguments);
	if (strcmp(command, "writers") == 0)
		return writers(arguments);
	if (strcmp(command, "fault") == 0)
		return begin_fault(atoi(arguments));
	if (strcmp(command, "asleep") == 0)
		return wait_asleep();
	if (strcmp(command, "supply") == 0)
		return supply(atoi(arguments));
	if (strcmp(command, "sleeper") == 0)
		return begin_sleeper(arguments);
	if (strcmp(command, "wake") == 0)
		return wake_sleeper();
	if (strcmp(command, "off") == 0)
		return reboot(RB_POWER_OFF);
	errno = ENOSYS;
	return -1;
}

int main(void)
{
	struct termios terminal;
	char line[512];

	mount("none", "/proc", "proc", 0, "");
	mount("none", "/sys", "sysfs", 0, "");
	mount("none", "/dev", "devtmpfs", 0, "");
	if (tcgetattr(0, &terminal) == 0) {
		terminal.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		tcsetattr(0, TCSANOW, &terminal);
	}
	klogctl(8, NULL, 7); /* what the kernel warns of is to be seen from here on */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("=ready\n");
	while (fgets(line, sizeof(line), stdin) != NULL) {
		int result;

		line[strcspn(line, "\r\n")] = '\0';
		result = run(line);
		if (result == 0)
			printf("=ok\n");
		else if (result < 0)
			printf("=failed: %s\n", strerror(errno));
	}
	for (;;)
		pause();
}

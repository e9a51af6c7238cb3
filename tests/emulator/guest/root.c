/*
 * The first program of an emulated Linux whose root file system is on a disk: loads the drivers in /modules (named in
 * /modules/order, one a line), mounts /dev/vda, makes it the root, and becomes its /sbin/init, or what the kernel's
 * command line says behind "start=". Freestanding; for RISC-V.
 */

enum {
	CALL_MKDIR = 34,
	CALL_MOUNT = 40,
	CALL_CHDIR = 49,
	CALL_CHROOT = 51,
	CALL_OPEN = 56,
	CALL_READ = 63,
	CALL_WRITE = 64,
	CALL_REBOOT = 142,
	CALL_EXECUTE = 221,
	CALL_FINIT_MODULE = 273
};

#define HERE (-100) /* AT_FDCWD */
#define MOVE 8192   /* MS_MOVE */
#define POWER_OFF 0x4321fedc
#define LINE 512

static long call(long number, long a, long b, long c, long d, long e)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e, a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
	return a0;
}

static void say(const char *text)
{
	long size = 0;

	while (text[size] != '\0')
		size++;
	call(CALL_WRITE, 1, (long)text, size, 0, 0);
}

static void give_up(const char *what)
{
	say("root: ");
	say(what);
	say("\n");
	call(CALL_REBOOT, (long)0xfee1dead, 672274793, POWER_OFF, 0, 0);
	for (;;)
		;
}

static char text[LINE + 1];

/* A short file's contents. */
static void read_file(const char *path)
{
	long file = call(CALL_OPEN, HERE, (long)path, 0, 0, 0);
	long size = file < 0 ? 0 : call(CALL_READ, file, (long)text, LINE, 0, 0);

	text[size < 0 ? 0 : size] = '\0';
}

static void load_drivers(void)
{
	char *name = text;

	read_file("/modules/order");
	for (char *at = text; *at != '\0'; at++) {
		long file;

		if (*at != '\n')
			continue;
		*at = '\0';
		file = call(CALL_OPEN, HERE, (long)name, 0, 0, 0);
		if (file < 0 || call(CALL_FINIT_MODULE, file, (long)"", 0, 0, 0) < 0) {
			say("root: not loaded: ");
			say(name);
			say("\n");
		}
		name = at + 1;
	}
}

/* The word behind "start=", or NULL. */
static char *ordered(void)
{
	static const char wanted[] = "start=";

	read_file("/proc/cmdline");
	for (char *at = text; *at != '\0'; at++) {
		int same = 0;

		while (wanted[same] != '\0' && at[same] == wanted[same])
			same++;
		if (wanted[same] != '\0')
			continue;
		at += same;
		for (char *end = at;; end++)
			if (*end == '\0' || *end == ' ' || *end == '\n') {
				*end = '\0';
				return at;
			}
	}
	return 0;
}

void begin(void)
{
	static char *arguments[] = {0, 0};
	static char *environment[] = {"HOME=/root", "TERM=linux", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", 0};
	char *program;

	call(CALL_MKDIR, HERE, (long)"/proc", 0755, 0, 0);
	call(CALL_MKDIR, HERE, (long)"/disk", 0755, 0, 0);
	call(CALL_MOUNT, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0);
	call(CALL_MOUNT, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
	load_drivers();
	if (call(CALL_MOUNT, (long)"/dev/vda", (long)"/disk", (long)"ext4", 0, (long)"") < 0)
		give_up("/dev/vda cannot be mounted");
	program = ordered();
	call(CALL_MOUNT, (long)"/dev", (long)"/disk/dev", 0, MOVE, 0);
	call(CALL_MOUNT, (long)"/proc", (long)"/disk/proc", 0, MOVE, 0);
	call(CALL_CHDIR, (long)"/disk", 0, 0, 0, 0);
	call(CALL_MOUNT, (long)".", (long)"/", 0, MOVE, 0);
	call(CALL_CHROOT, (long)".", 0, 0, 0, 0);
	call(CALL_CHDIR, (long)"/", 0, 0, 0, 0);
	arguments[0] = program != 0 ? program : "/sbin/init";
	call(CALL_EXECUTE, (long)arguments[0], (long)arguments, (long)environment, 0, 0);
	give_up("there is no program to begin with");
}

__asm__(".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	call begin\n");

/*
 * The first program of an emulated Linux that is debugged: two processes at the same addresses, a trap instruction of
 * its own, calls of the kernel. With the word "symbols" on the kernel's command line it prints where the kernel has
 * those functions that a debugger wants to stop in. Freestanding; for RISC-V.
 */

#define CALL_MOUNT 40
#define CALL_MKDIR 34
#define CALL_OPEN 56
#define CALL_READ 63
#define CALL_WRITE 64
#define CALL_EXIT 93
#define CALL_YIELD 124
#define CALL_REBOOT 142
#define CALL_GETPID 172
#define CALL_CLONE 220
#define CALL_WAIT 260

#define HERE (-100) /* the folder that names begin in */
#define SIGNAL_CHILD 17
#define POWER_OFF 0x4321fedc
#define RESTART 0x1234567

/* What a debugger may write, before the end. */
volatile long end = POWER_OFF;
volatile long worked;

long call(long number, long a, long b, long c, long d)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = 0, a7 __asm__("a7") = number;

	__asm__ volatile(".globl the_call\nthe_call:\n\tecall"
			 : "+r"(a0)
			 : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7)
			 : "memory");
	return a0;
}

static void say(const char *text)
{
	unsigned long count = 0;

	while (text[count] != '\0')
		count++;
	call(CALL_WRITE, 1, (long)text, (long)count, 0);
}

static void say_number(unsigned long value)
{
	char text[24], *at = &text[sizeof(text) - 1];

	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	say(at);
}

/* ---- Where the kernel has its functions ---- */

static int is(const char *line, const char *name)
{
	while (*name != '\0')
		if (*line++ != *name++)
			return 0;
	return *line == '\n' || *line == '\t';
}

static void look_at(const char *line)
{
	static const char *const names[] = {
		"start_kernel", "_start",          "handle_exception",   "do_trap_ecall_u",    "do_trap_break",
		"setup_vm",     "__do_sys_getpid", "__riscv_sys_getpid", "kernel_restart",     "jiffies_64",
		"init_task",    "linux_banner",    "_start_kernel",      "relocate_enable_mmu"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char shown[64];
		int size = 0;

		if (!is(line + 19, names[i]))
			continue;
		say("symbol ");
		while (size < 63 && line[size] != '\n' && line[size] != '\t') {
			shown[size] = line[size];
			size++;
		}
		shown[size] = '\0';
		say(shown);
		say("\n");
	}
}

static void list_symbols(void)
{
	static char text[8192];
	long file, size, have = 0, from, at;

	call(CALL_MKDIR, HERE, (long)"/proc", 0755, 0);
	call(CALL_MOUNT, (long)"proc", (long)"/proc", (long)"proc", 0);
	file = call(CALL_OPEN, HERE, (long)"/proc/kallsyms", 0, 0);
	while ((size = call(CALL_READ, file, (long)text + have, (long)sizeof(text) - have, 0)) > 0) {
		have += size;
		for (from = at = 0; at < have; at++) {
			if (text[at] != '\n')
				continue;
			look_at(text + from);
			from = at + 1;
		}
		for (at = from; at < have; at++)
			text[at - from] = text[at];
		have -= from;
	}
}

/* ---- What is debugged ---- */

__attribute__((noinline)) long work(long which)
{
	worked += which;
	return worked;
}

__attribute__((noinline)) void trap(void)
{
	__asm__ volatile(".globl the_trap\nthe_trap:\n\tebreak");
}

static void child(long which)
{
	long result = 0;

	for (int i = 0; i < 3; i++) {
		if (which != 3)
			result = work(which);
		call(CALL_YIELD, 0, 0, 0, 0);
	}
	if (which == 3)
		trap();
	call(CALL_EXIT, result, 0, 0, 0);
}

static long have_child(long which)
{
	long process = call(CALL_CLONE, SIGNAL_CHILD, 0, 0, 0);

	if (process == 0)
		child(which);
	return process;
}

static void wait_for(long which, long process)
{
	int status = 0;

	call(CALL_WAIT, process, (long)&status, 0, 0);
	say("child ");
	say_number((unsigned long)which);
	say((status & 127) != 0 ? ": signal " : ": exit ");
	say_number((unsigned long)((status & 127) != 0 ? status & 127 : status >> 8));
	say("\n");
}

__attribute__((noinline)) void finish(void)
{
	call(CALL_REBOOT, (long)0xfee1dead, 672274793, end, 0);
}

void begin(const long *stack)
{
	const char *word = stack[0] > 1 ? (const char *)stack[2] : "";
	long children[4];

	say("session: process ");
	say_number((unsigned long)call(CALL_GETPID, 0, 0, 0, 0));
	say("\n");
	if (word[0] == 's')
		list_symbols();
	for (long which = 1; which <= 3; which++)
		children[which] = have_child(which);
	for (long which = 1; which <= 3; which++)
		wait_for(which, children[which]);
	while (word[0] == 'w')
		worked++;
	finish();
	for (;;)
		;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	mv a0, sp\n"
	"	call begin\n");

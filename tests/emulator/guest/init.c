/*
 * The first and only program of an emulated Linux: says that it is there, asks a few things of the kernel, and switches
 * the machine off. Freestanding; for RISC-V.
 */

#define CALL_WRITE 64
#define CALL_REBOOT 142
#define CALL_UNAME 160
#define CALL_GETPID 172
#define CALL_GETCPU 168
#define CALL_SCHED_SETAFFINITY 122
#define CALL_SCHED_GETAFFINITY 123
#define CALL_NANOSLEEP 101
#define CALL_GETTIME 113
#define CALL_CLONE 220
#define CALL_EXIT 93
#define CALL_WAIT 260

#define SIGNAL_CHILD 17
#define POWER_OFF 0x4321fedc

static long call(long number, long a, long b, long c, long d)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
	return a0;
}

static unsigned long length(const char *text)
{
	unsigned long count = 0;

	while (text[count] != '\0')
		count++;
	return count;
}

static void say(const char *text)
{
	call(CALL_WRITE, 1, (long)text, (long)length(text), 0);
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

/* On each processor in turn: what it says is in which order they were asked. */
static void visit_processors(void)
{
	unsigned long all = 0, one;
	unsigned int processor = 0;

	call(CALL_SCHED_GETAFFINITY, 0, sizeof(all), (long)&all, 0);
	say("processors:");
	for (int i = 0; i < 64; i++) {
		one = 1ul << i;
		if ((all & one) == 0)
			continue;
		call(CALL_SCHED_SETAFFINITY, 0, sizeof(one), (long)&one, 0);
		call(CALL_GETCPU, (long)&processor, 0, 0, 0);
		say(" ");
		say_number(processor);
	}
	say("\n");
}

/* A child that counts with floating point, and is waited for. */
static void have_child(void)
{
	int status = 0;
	long child = call(CALL_CLONE, SIGNAL_CHILD, 0, 0, 0);

	if (child == 0) {
		volatile double sum = 0;

		for (int i = 1; i <= 1000; i++)
			sum += 1.0 / i;
		call(CALL_EXIT, (long)(sum * 10), 0, 0, 0);
	}
	call(CALL_WAIT, child, (long)&status, 0, 0);
	say("child: ");
	say_number((unsigned long)status >> 8);
	say("\n");
}

/* Long enough for the kernel to have nothing left to do. */
static void sleep_a_little(void)
{
	long before[2], after[2], rest[2] = {2, 0};

	call(CALL_GETTIME, 1, (long)before, 0, 0);
	call(CALL_NANOSLEEP, (long)rest, 0, 0, 0);
	call(CALL_GETTIME, 1, (long)after, 0, 0);
	say(after[0] * 1000000000 + after[1] >= before[0] * 1000000000 + before[1] + 2000000000 ? "slept\n"
												: "did not sleep\n");
}

void begin(void)
{
	static char name[6][65];

	call(CALL_UNAME, (long)name, 0, 0, 0);
	say("init: ");
	say(name[0]);
	say(" ");
	say(name[2]);
	say(" ");
	say(name[4]);
	say(", process ");
	say_number((unsigned long)call(CALL_GETPID, 0, 0, 0, 0));
	say("\n");
	visit_processors();
	have_child();
	sleep_a_little();
	say("init: done\n");
	call(CALL_REBOOT, (long)0xfee1dead, 672274793, POWER_OFF, 0);
	for (;;)
		;
}

__asm__(".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	call begin\n");

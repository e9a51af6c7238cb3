/*
 * A weather station on a bare RISC-V machine: a timer's interrupt takes samples of a sensor, the main loop makes
 * temperatures of them. It has a bug, which docs/EMBEDDED.md finds.
 */

#define UART ((volatile unsigned char *)0x10000000)
#define TIME (*(volatile unsigned long *)0x200bff8)    /* of the ACLINT, in units of 100 ns */
#define COMPARE (*(volatile unsigned long *)0x2004000) /* of hart 0 */
#define PERIOD 1000

#define ROOM 8      /* samples that wait for the main loop */
#define READINGS 14 /* after which the station goes to sleep */
#define ENABLE_TIMER 0x80
#define ENABLE 0x8

struct calibration {
	int zero;  /* what the sensor says at the freezing point, in tenths of a degree */
	int slope; /* percent */
};

struct station {
	volatile int used;
	volatile int samples[ROOM];
	struct calibration calibration;
};

struct station station = {.calibration = {2731, 100}};

/* The sensor: tenths of kelvins. It gets a little warmer, and cooler again. */
static int sense(void)
{
	static int taken;
	int phase = taken++ % 40;

	return 2930 + (phase < 20 ? phase : 40 - phase);
}

__attribute__((interrupt("machine"), aligned(4))) void on_trap(void)
{
	COMPARE = COMPARE + PERIOD;
	if (station.used <= ROOM)
		station.samples[station.used++] = sense();
}

static void put(char character)
{
	*UART = (unsigned char)character;
}

static void print(const char *text)
{
	while (*text != '\0')
		put(*text++);
}

static void print_number(int number)
{
	if (number < 0)
		put('-'), number = -number;
	if (number >= 10)
		print_number(number / 10);
	put((char)('0' + number % 10));
}

static void show(int reading, int temperature)
{
	print("reading ");
	print_number(reading);
	print(": ");
	print_number(temperature / 10);
	put('.');
	print_number(temperature % 10 < 0 ? -(temperature % 10) : temperature % 10);
	print(" C\n");
}

/* The mean of what has come since the last time. */
static int take(void)
{
	int sum = 0, count;

	__asm__ volatile("csrc mstatus, %0" : : "r"(ENABLE));
	count = station.used;
	for (int i = 0; i < count; i++)
		sum += station.samples[i];
	station.used = 0;
	__asm__ volatile("csrs mstatus, %0" : : "r"(ENABLE));
	return sum / count;
}

/* To flash memory, which takes a while. */
static void store(int temperature)
{
	unsigned long begin = TIME;

	(void)temperature;
	while (TIME - begin < 19 * PERIOD / 2)
		;
}

int main(void)
{
	COMPARE = TIME + PERIOD;
	__asm__ volatile("csrs mie, %0" : : "r"(ENABLE_TIMER));
	__asm__ volatile("csrs mstatus, %0" : : "r"(ENABLE));
	for (int reading = 1; reading <= READINGS; reading++) {
		int temperature;

		while (station.used < 3)
			__asm__ volatile("wfi");
		temperature = (take() - station.calibration.zero) * station.calibration.slope / 100;
		show(reading, temperature);
		if (reading % 6 == 0)
			store(temperature);
	}
	print("asleep\n");
	return 0;
}

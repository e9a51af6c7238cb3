/*
 * The first and only program of an emulated Linux: loads the drivers in /modules, tries every virtio device, says what
 * it found, and switches the machine off. Freestanding; for RISC-V.
 *
 * The disk's first sector begins with a line of text, which it says; it writes 1 MiB from byte 65536 on, and reads it
 * again past the kernel's cache. The network is 10.0.2.0/24: it echoes one datagram that comes to its port 7.
 */

enum {
	CALL_IOCTL = 29,
	CALL_MKDIR = 34,
	CALL_MOUNT = 40,
	CALL_OPEN = 56,
	CALL_CLOSE = 57,
	CALL_READ = 63,
	CALL_WRITE = 64,
	CALL_PREAD = 67,
	CALL_PWRITE = 68,
	CALL_FSYNC = 82,
	CALL_REBOOT = 142,
	CALL_SOCKET = 198,
	CALL_BIND = 200,
	CALL_SENDTO = 206,
	CALL_RECVFROM = 207,
	CALL_FINIT_MODULE = 273
};

#define HERE (-100) /* AT_FDCWD */
#define READ_WRITE 2
#define DIRECT 040000
#define BLOCK_SIZE_64 0x80081272 /* BLKGETSIZE64 */
#define SET_ADDRESS 0x8916
#define SET_MASK 0x891c
#define SET_FLAGS 0x8914
#define GET_CARD 0x8927
#define FLAG_UP 1
#define POWER_OFF 0x4321fedc

#define WRITE_AT 65536
#define WRITE_SIZE (1 << 20)

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e, a5 __asm__("a5") = f, a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}

static void say_bytes(int descriptor, const char *text, long size)
{
	call(CALL_WRITE, descriptor, (long)text, size, 0, 0, 0);
}

static void say(const char *text)
{
	long size = 0;

	while (text[size] != '\0')
		size++;
	say_bytes(1, text, size);
}

static void say_hex(const unsigned char *bytes, int count)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < count; i++) {
		char text[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		say_bytes(1, text, 2);
	}
}

static void say_number(long value)
{
	char text[24], *at = &text[sizeof(text)];
	unsigned long rest = value < 0 ? (unsigned long)-value : (unsigned long)value;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		*--at = '-';
	say_bytes(1, at, &text[sizeof(text)] - at);
}

/* What went well, or how it did not. */
static void tell(const char *what, long result)
{
	say(what);
	if (result >= 0) {
		say(": good\n");
		return;
	}
	say(": failed, ");
	say_number(result);
	say("\n");
}

static long open_file(const char *path, long flags)
{
	return call(CALL_OPEN, HERE, (long)path, flags, 0, 0, 0);
}

static void load(const char *path)
{
	long file = open_file(path, 0);

	tell(path, file < 0 ? file : call(CALL_FINIT_MODULE, file, (long)"", 0, 0, 0, 0));
	if (file >= 0)
		call(CALL_CLOSE, file, 0, 0, 0, 0, 0);
}

static unsigned char written[WRITE_SIZE] __attribute__((aligned(4096)));
static unsigned char read_again[WRITE_SIZE] __attribute__((aligned(4096)));

static long compare(void)
{
	for (long i = 0; i < WRITE_SIZE; i++)
		if (written[i] != read_again[i])
			return -i - 1;
	return 0;
}

static void write_disk(long disk)
{
	long result;

	for (long i = 0; i < WRITE_SIZE; i++)
		written[i] = (unsigned char)(i * 7 + (i >> 9));
	result = call(CALL_PWRITE, disk, (long)written, WRITE_SIZE, WRITE_AT, 0, 0);
	tell("write", result == WRITE_SIZE ? call(CALL_FSYNC, disk, 0, 0, 0, 0, 0) : -1);
	call(CALL_CLOSE, disk, 0, 0, 0, 0, 0);
	disk = open_file("/dev/vda", READ_WRITE | DIRECT);
	result = call(CALL_PREAD, disk, (long)read_again, WRITE_SIZE, WRITE_AT, 0, 0);
	tell("read", result == WRITE_SIZE ? compare() : result);
	/* What is behind the end is not there. */
	result = call(CALL_PREAD, disk, (long)read_again, 4096, 1l << 40, 0, 0);
	tell("behind the end", result == 0 ? 0 : -1);
}

static void try_disk(void)
{
	long disk = open_file("/dev/vda", READ_WRITE), size = 0;
	static char line[513];

	tell("/dev/vda", disk);
	if (disk < 0)
		return;
	call(CALL_IOCTL, disk, BLOCK_SIZE_64, (long)&size, 0, 0, 0);
	say("size: ");
	say_number(size);
	say("\nfirst line: ");
	line[512] = '\n';
	call(CALL_READ, disk, (long)line, 512, 0, 0, 0);
	size = 0;
	while (line[size] != '\n')
		size++;
	say_bytes(1, line, size + 1);
	write_disk(disk);
}

static void try_random(void)
{
	long file = open_file("/dev/hwrng", 0), got = 0;
	unsigned char bytes[16];

	if (file >= 0)
		got = call(CALL_READ, file, (long)bytes, sizeof(bytes), 0, 0, 0);
	tell("/dev/hwrng", file < 0 ? file : got);
	if (got > 0) {
		say("random: ");
		say_hex(bytes, (int)got);
		say("\n");
	}
}

static void try_console(void)
{
	static const char text[] = "written to hvc0\n";
	long file = open_file("/dev/hvc0", READ_WRITE | 0400 /* not to be ours */);

	if (file >= 0)
		say_bytes((int)file, text, sizeof(text) - 1);
	tell("/dev/hvc0", file);
}

/* struct ifreq, and an address of IPv4 */
struct request {
	char name[16];
	union {
		struct {
			unsigned short family, port;
			unsigned char address[4];
		} place;
		short flags;
		unsigned char bytes[24];
	};
};

/* Each is used once, and needs nobody to clear it. */
static struct request card = {.name = "eth0"}, flags = {.name = "eth0", .flags = FLAG_UP};
static struct request address = {.name = "eth0", .place = {.family = 2, .address = {10, 0, 2, 15}}};
static struct request mask = {.name = "eth0", .place = {.family = 2, .address = {255, 255, 255, 0}}};

static long set_up_card(long socket)
{
	long result = call(CALL_IOCTL, socket, GET_CARD, (long)&card, 0, 0, 0);

	tell("eth0", result);
	if (result < 0)
		return result;
	say("card: ");
	say_hex(card.bytes + 2, 6);
	say("\n");
	result = call(CALL_IOCTL, socket, SET_ADDRESS, (long)&address, 0, 0, 0);
	if (result >= 0)
		result = call(CALL_IOCTL, socket, SET_MASK, (long)&mask, 0, 0, 0);
	if (result >= 0)
		result = call(CALL_IOCTL, socket, SET_FLAGS, (long)&flags, 0, 0, 0);
	tell("address", result);
	return result;
}

static void echo(long socket)
{
	static struct request from = {.place = {.family = 2, .port = 7 << 8}};
	static char bytes[1500];
	int size = 16;
	long got = call(CALL_BIND, socket, (long)&from.place, 16, 0, 0, 0);

	tell("port 7", got);
	got = call(CALL_RECVFROM, socket, (long)bytes, sizeof(bytes), 0, (long)&from.place, (long)&size);
	if (got > 0)
		got = call(CALL_SENDTO, socket, (long)bytes, got, 0, (long)&from.place, size);
	tell("echo", got);
}

static void try_network(void)
{
	long socket = call(CALL_SOCKET, 2, 2, 0, 0, 0, 0);

	if (set_up_card(socket) >= 0)
		echo(socket);
}

void begin(void)
{
	call(CALL_MKDIR, HERE, (long)"/dev", 0755, 0, 0, 0);
	tell("/dev", call(CALL_MOUNT, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0, 0));
	load("/modules/virtio_mmio.ko");
	load("/modules/virtio_blk.ko");
	load("/modules/virtio-rng.ko");
	load("/modules/failover.ko");
	load("/modules/net_failover.ko");
	load("/modules/virtio_net.ko");
	try_disk();
	try_random();
	try_console();
	try_network();
	say("devices: done\n");
	call(CALL_REBOOT, (long)0xfee1dead, 672274793, POWER_OFF, 0, 0, 0);
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

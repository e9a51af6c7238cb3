/*
 * The first and only program of an emulated Linux: loads the drivers in /modules, tries every virtio device, says what
 * it found, and switches the machine off. Freestanding; for RISC-V.
 *
 * The disk's first sector begins with a line of text, which it says; it writes 1 MiB from byte 65536 on, and reads it
 * again past the kernel's cache. The network is 10.0.2.0/24: it echoes one datagram that comes to its port 7.
 */

#include "linux.h"

#define READ_WRITE 2
#define DIRECT 040000
#define BLOCK_SIZE_64 0x80081272 /* BLKGETSIZE64 */

#define WRITE_AT 65536
#define WRITE_SIZE (1 << 20)

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

void begin(const long *stack)
{
	(void)stack;
	load_drivers();
	try_disk();
	try_random();
	try_console();
	try_network();
	say("devices: done\n");
	switch_off();
}

/*
 * What the first and only program of an emulated Linux needs where there is no C library: system calls, words to the
 * console, drivers, and a network card. Freestanding; for RISC-V.
 */
#ifndef TL_TESTS_EMULATOR_GUEST_LINUX_H
#define TL_TESTS_EMULATOR_GUEST_LINUX_H

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
	CALL_CONNECT = 203,
	CALL_SENDTO = 206,
	CALL_RECVFROM = 207,
	CALL_FINIT_MODULE = 273
};

#define HERE (-100) /* AT_FDCWD */
#define SET_ADDRESS 0x8916
#define SET_MASK 0x891c
#define SET_FLAGS 0x8914
#define GET_CARD 0x8927
#define FLAG_UP 1
#define POWER_OFF 0x4321fedc

static inline long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e, a5 __asm__("a5") = f, a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a7) : "memory");
	return a0;
}

static inline void say_bytes(int descriptor, const char *text, long size)
{
	call(CALL_WRITE, descriptor, (long)text, size, 0, 0, 0);
}

static inline void say(const char *text)
{
	long size = 0;

	while (text[size] != '\0')
		size++;
	say_bytes(1, text, size);
}

static inline void say_hex(const unsigned char *bytes, int count)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < count; i++) {
		char text[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

		say_bytes(1, text, 2);
	}
}

static inline void say_number(long value)
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
static inline void tell(const char *what, long result)
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

static inline long open_file(const char *path, long flags)
{
	return call(CALL_OPEN, HERE, (long)path, flags, 0, 0, 0);
}

static inline void load(const char *path)
{
	long file = open_file(path, 0);

	tell(path, file < 0 ? file : call(CALL_FINIT_MODULE, file, (long)"", 0, 0, 0, 0));
	if (file >= 0)
		call(CALL_CLOSE, file, 0, 0, 0, 0, 0);
}

/* What programs need that use devices: /dev, and the drivers for virtio. */
static inline void load_drivers(void)
{
	call(CALL_MKDIR, HERE, (long)"/dev", 0755, 0, 0, 0);
	tell("/dev", call(CALL_MOUNT, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, 0, 0));
	load("/modules/virtio_mmio.ko");
	load("/modules/virtio_blk.ko");
	load("/modules/virtio-rng.ko");
	load("/modules/failover.ko");
	load("/modules/net_failover.ko");
	load("/modules/virtio_net.ko");
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

static inline long set_up_card(long socket)
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

static inline void switch_off(void)
{
	call(CALL_REBOOT, (long)0xfee1dead, 672274793, POWER_OFF, 0, 0, 0);
	for (;;)
		;
}

/* The program begins with begin(), which is given the stack: the number of its words, and where they are. */
__asm__(".globl _start\n"
	"_start:\n"
	"	.option push\n"
	"	.option norelax\n"
	"	la gp, __global_pointer$\n"
	"	.option pop\n"
	"	mv a0, sp\n"
	"	call begin\n");

#endif

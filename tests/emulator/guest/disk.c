/*
 * A driver for the disk in the first slot, without a system: reads a sector, writes one, reads one again, and says on
 * the serial port how each came out. Between the first and the second a debugger may stop it, at `between`.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define SLOT 0x10001000ul
#define UART 0x10000000ul
#define LENGTH 8

static struct {
	struct {
		u64 address;
		u32 size;
		u16 flags, next;
	} descriptors[LENGTH];
	struct {
		u16 flags, index, ring[LENGTH];
	} available;
	struct {
		u16 flags, index;
		struct {
			u32 head, length;
		} ring[LENGTH];
	} used __attribute__((aligned(4)));
} queue __attribute__((aligned(4096)));

static struct {
	u32 kind, reserved;
	u64 sector;
	u8 data[512];
	volatile u8 status;
} request;

static void set(u32 offset, u64 value)
{
	*(volatile u32 *)(SLOT + offset) = (u32)value;
}

static void set_long(u32 offset, const void *where)
{
	set(offset, (u64)where);
	set(offset + 4, (u64)where >> 32);
}

static void say(const char *text)
{
	for (; *text != 0; text++)
		*(volatile u8 *)UART = (u8)*text;
}

static void start(void)
{
	set(0x70, 0);
	set(0x70, 3);
	set(0x24, 1);
	set(0x20, 1); /* VIRTIO_F_VERSION_1 */
	set(0x70, 0xb);
	set(0x30, 0);
	set(0x38, LENGTH);
	set_long(0x80, queue.descriptors);
	set_long(0x90, &queue.available);
	set_long(0xa0, &queue.used);
	set(0x44, 1);
	set(0x70, 0xf);
}

/* 0 reads, 1 writes, 4 flushes. */
static void carry_out(const char *what, u32 kind, u64 sector)
{
	request.kind = kind;
	request.sector = sector;
	request.status = 255;
	queue.descriptors[0].address = (u64)&request;
	queue.descriptors[0].size = 16;
	queue.descriptors[0].flags = 1;
	queue.descriptors[0].next = kind == 4 ? 2 : 1;
	queue.descriptors[1].address = (u64)request.data;
	queue.descriptors[1].size = sizeof(request.data);
	queue.descriptors[1].flags = kind == 0 ? 3 : 1;
	queue.descriptors[1].next = 2;
	queue.descriptors[2].address = (u64)&request.status;
	queue.descriptors[2].size = 1;
	queue.descriptors[2].flags = 2;
	queue.available.ring[queue.available.index % LENGTH] = 0;
	queue.available.index++;
	set(0x50, 0);
	say(what);
	say(request.status == 0 ? ": good\n" : request.status == 1 ? ": failed\n" : ": no answer\n");
}

__attribute__((noinline)) void between(void)
{
	__asm__ volatile("");
}

int main(void)
{
	start();
	carry_out("first read", 0, 0);
	between();
	carry_out("second read", 0, 100);
	carry_out("write", 1, 200);
	carry_out("write at the end", 1, 2000);
	carry_out("read behind the end", 0, 1ul << 40);
	carry_out("flush", 4, 0);
	return 0;
}

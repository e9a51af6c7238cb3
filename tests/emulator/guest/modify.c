/*
 * Code that changes itself, on bare metal: instructions are written into memory and called, over and over. Returns the
 * number of the first thing that was not as it should be, 0 when all was.
 */
typedef unsigned int word;
typedef unsigned long number;
typedef number function(number);

#define ADD_A0(by) (0x00050513u | (word)(by) << 20) /* addi a0, a0, by */
#define RETURN 0x00008067u
#define JUMP(distance) (0x0000006fu | ((word)(distance)&0x7fe) << 20 | ((word)(distance) >> 11 & 1) << 20)

static word page[4][1024] __attribute__((aligned(4096)));

static number call(word *code, number argument)
{
	return ((function *)(void *)code)(argument);
}

static void fence(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}

/* One function is written anew each time, while the one before is hot. */
static int written_again(void)
{
	for (word i = 0; i < 600; i++) {
		page[0][0] = ADD_A0(i);
		page[0][1] = RETURN;
		fence();
		for (number n = 0; n < 5; n++)
			if (call(page[0], n) != n + i)
				return 1;
	}
	return 0;
}

/* Functions that share a page with data that is written between calls of them. */
static int beside_data(void)
{
	for (word i = 0; i < 16; i++) {
		page[1][i * 4] = ADD_A0(i);
		page[1][i * 4 + 1] = RETURN;
	}
	fence();
	for (word i = 0; i < 4000; i++) {
		page[1][i % 16 * 4 + 2] = i;
		if (call(&page[1][i % 16 * 4], 1000) != 1000 + i % 16 || page[1][i % 16 * 4 + 2] != i)
			return 2;
	}
	return 0;
}

/* A loop whose body stores over an instruction further down in the same run of instructions. */
static int ahead_of_itself(void)
{
	number sum = 0;

	for (word i = 0; i < 300; i++) {
		number value = 0;
		word instruction = ADD_A0(i);

		__asm__ volatile("	la t1, 1f\n"
				 "	mv a0, zero\n"
				 "	sw %1, 0(t1)\n"
				 "	fence.i\n"
				 "	.option push\n"
				 "	.option norvc\n"
				 "	.balign 4\n"
				 "1:	addi a0, a0, 0\n"
				 "	.option pop\n"
				 "	mv %0, a0\n"
				 : "=r"(value)
				 : "r"(instruction)
				 : "t1", "a0", "memory");
		sum += value;
	}
	return sum == 300 * 299 / 2 ? 0 : 3;
}

/* A four-byte instruction over the end of a page, of which either half is changed. */
static int over_the_edge(void)
{
	unsigned short *at = (unsigned short *)(void *)page[3] - 1;

	for (word i = 0; i < 300; i++) {
		at[0] = (unsigned short)ADD_A0(i);
		at[1] = (unsigned short)(ADD_A0(i) >> 16);
		at[2] = (unsigned short)RETURN;
		at[3] = (unsigned short)(RETURN >> 16);
		fence();
		for (number n = 0; n < 4; n++)
			if (call((word *)(void *)at, n) != n + i)
				return 4;
	}
	return 0;
}

/* A chain of jumps over three pages, one link of which is turned to another place and back. */
static int across_pages(void)
{
	word *last = &page[2][600];

	page[2][0] = JUMP(1024); /* to page[2][256] */
	page[2][256] = JUMP(512);
	page[2][384] = ADD_A0(1);
	page[2][385] = RETURN;
	last[0] = ADD_A0(7);
	last[1] = RETURN;
	for (word i = 0; i < 300; i++) {
		page[2][256] = (i & 1) != 0 ? JUMP(512) : JUMP(1376);
		fence();
		for (number n = 0; n < 4; n++)
			if (call(page[2], n) != n + ((i & 1) != 0 ? 1 : 7))
				return 5;
	}
	return 0;
}

int main(void)
{
	int (*const parts[])(void) = {written_again, beside_data, ahead_of_itself, over_the_edge, across_pages};
	int failed = 0;

	for (word i = 0; i < sizeof(parts) / sizeof(parts[0]) && failed == 0; i++)
		failed = parts[i]();
	return failed;
}

/*
 * Bytecode that gdb 13.1 made, run over the memory and the registers of the program it made it for, must give what gdb
 * itself prints for the same expression. The program, stopped in line 12 of
 *
 *	struct point { int x; short y; unsigned char flags : 3, kind : 5; long total; const char *name; struct point
 **next; }; struct point second = {-7, 300, 5, 17, 1L << 40, "second", 0}; struct point first = {1234567, -2, 3, 30, -5,
 *"first point", &second}; int counts[8] = {3, 1, 4, 1, 5, 9, 2, 6}; unsigned int big = 0xfffffff0u; signed char letter
 *= -3; unsigned long wide = 0x8000000000000001ul; int probe(int i, long j, struct point *p)
 *	{
 *		unsigned short k = (unsigned short)(i * 3);
 *		volatile int sum = i + (int)j + k + p->x;
 *		return sum;
 *	}
 *	int main(void) { return probe(5, -9, &first) == 0; }
 *
 * built by `gcc -g -O0 -no-pie -fcf-protection=none`; the bytes are from `set debug remote 1` with `break 12 if EXPR`
 *and, under `set dprintf-style agent`, `dprintf 12,ARGUMENTS`.
 */
#include "core/agent/agent.h"
#include "tests/unit/test.h"

struct memory {
	tl_u64 address;
	const char *bytes;
};

struct condition {
	const char *expression;
	tl_i64 value;
	const char *bytecode;
};

struct command {
	const char *arguments;
	const char *text;
	const char *bytecode;
};

/* rax, rbp, rsp and rip by GDB's numbers. */
static const struct {
	tl_u16 number;
	tl_u64 value;
} registers[] = {{0, 0x12d692}, {6, 0x7fffffffe580}, {7, 0x7fffffffe580}, {16, 0x401143}};

static const struct memory memory[] = {
	{0x7fffffffe540,
	 "0000000000000000000000000000000000000000000000008040400000000000f7ffffffffffffff00000000050000000000"
	 "00000000000092d6120000000f0090e5ffffff7f00006411400000000000"},
	{0x404020,
	 "0300000001000000040000000100000005000000090000000200000006000000f0fffffffd00000001000000000000800000"
	 "0000000000000000000000000000f9ffffff2c018d0000000000000100000420400000000000000000000000000087d61200"
	 "fefff300fbffffffffffffff0b204000000000006040400000000000"},
	{0x402004, "7365636f6e6400666972737420706f696e740000011b033b"},
};

static const struct condition conditions[] = {
	{"i == 5", 1, "26000622100222dc16080219162022051327"},
	{"j < 0", 1, "26000622100222d01608021a164022001427"},
	{"i > 3 && j == -9", 1,
	 "26000622100222dc16080219162022032b1420001821003626000622100222d01608021a164022f716081320003121003622"
	 "01210038220027"},
	{"i == 9 || k == 15", 1,
	 "26000622100222dc16080219162022091320002b26000622100222ee16080218220f1320002b220021002d220127"},
	{"p->x == 1234567", 1, "26000622100222c81608021a191620240012d6871327"},
	{"p->next->y * 2", 600, "26000622100222c81608021a2218021a220402181610220204162027"},
	{"p->flags + p->kind", 33,
	 "26000622100222c81608021a220602172a0326000622100222c81608021a2206021722030b2a0502162027"},
	{"p->next->kind", 17, "26000622100222c81608021a2218021a2206021722030b2a0527"},
	{"counts[i] - counts[0]", 6,
	 "240040402026000622100222dc160802191620220404022a4019162024004040202200220404022a4019162003162027"},
	{"big > 0x80000000", 1, "2400404040192500000000800000002b1527"},
	{"letter < 0", 1, "240040404417160822001427"},
	{"wide >> 60", 8, "24004040481a223c2a400b2a4027"},
	{"(long)wide >> 60", -8, "24004040481a1640223c0a164027"},
	{"p->next->total / 3", 366503875925, "26000622100222c81608021a2218021a2208021a1640220305164027"},
	{"wide % 1000", 809, "24004040481a2303e82a40082a4027"},
	{"-i", -5, "220026000622100222dc16080219162003162027"},
	{"~k", -16, "26000622100222ee1608021812162027"},
	{"!i", 0, "26000622100222dc1608021916200e27"},
	{"i ? j : 7", -9, "26000622100222dc1608021916200e20002326000622100222d01608021a1640210025220727"},
	{"(char)counts[5] << 3", 72, "24004040202205220404022a401916201608220309162027"},
	{"*(short *)&p->y", -2, "26000622100222c81608021a22040218161027"},
	{"p->name[2]", 114, "26000622100222c81608021a2210021a2202022a4017160827"},
	{"sum != i", 1, "26000622100222e816080219162026000622100222dc160802191620130e27"},
	{"$rip == (long)probe", 0, "2600102a4024004011061327"},
	{"(long)$rsp & 0xf", 0, "2600072a401640220f0f27"},
	{"(i && (j || (k && p->next))) + 1", 2,
	 "26000622100222dc16080219162020001421006926000622100222d01608021a164020005c26000622100222ee1608021820"
	 "003721005226000622100222c81608021a2218021a20004d2100522201210054220020005c220021005e2201200064210069"
	 "220121006b2200220102162027"},
	{"p == &first", 1, "26000622100222c81608021a24004040801327"},
	{"sizeof(*p)", 32, "222027"},
	{"i & 3 | k ^ 2", 13, "26000622100222dc16080219162022030f26000622100222ee160802182202111027"},
	{"p->total % 2", -1, "26000622100222c81608021a2208021a1640220207164027"},
	{"big + 32", 16, "24004040401922202a20022a2027"},
};

static const struct command commands[] = {
	{"\"i=%d j=%ld k=%hu\\n\", i, j, k", "i=5 j=-9 k=15\n",
	 "26000622100222ee1608021826000622100222d01608021a164026000622100222dc1608021916202200220034030013693d"
	 "2564206a3d256c64206b3d2568755c6e0027"},
	{"\"name %s total %ld\\n\", p->name, p->total", "name first point total -5\n",
	 "26000622100222c81608021a2208021a164026000622100222c81608021a2210021a22002200340200146e616d6520257320"
	 "746f74616c20256c645c6e0027"},
	{"\"[%-8s|%5d|%05d|%x|%#X|%c|%p]\\n\", p->next->name, i, i, big, big, p->name[0], p",
	 "[second  |    5|00005|fffffff0|0XFFFFFFF0|f|0x404080]\n",
	 "26000622100222c81608021a26000622100222c81608021a2210021a2200022a401716082400404040192400404040192600"
	 "0622100222dc16080219162026000622100222dc16080219162026000622100222c81608021a2218021a2210021a22002200"
	 "3407001f5b252d38737c2535647c253035647c25787c2523587c25637c25705d5c6e0027"},
	{"\"%lu %zu %lld %u %o %i%%\\n\", wide, wide, j, big, k, -i",
	 "9223372036854775809 9223372036854775809 -9 4294967280 17 -5%\n",
	 "220026000622100222dc16080219162003162026000622100222ee1608021824004040401926000622100222d01608021a16"
	 "4024004040481a24004040481a220022003406001a256c7520257a7520256c6c6420257520256f20256925255c6e0027"},
	{"\"plain text\\tand tab\\n\"", "plain text\tand tab\n",
	 "2200220034000016706c61696e20746578745c74616e64207461625c6e0027"},
};

static tl_size from_hex(const char *text, tl_u8 *bytes, tl_size room)
{
	struct tl_cursor cursor = tl_cursor_text(text);
	tl_size size = tl_text_length(text) / 2;

	if (size > room)
		return 0;
	tl_cursor_hex_bytes(&cursor, bytes, size);
	return cursor.failed ? 0 : size;
}

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_u8 bytes[512];

	(void)context;
	for (tl_size i = 0; i < TL_COUNT(memory); i++) {
		tl_size there = from_hex(memory[i].bytes, bytes, sizeof(bytes));

		/* What stands behind the pieces is zero up to the next 64 bytes, as strings are read in such. */
		memset(bytes + there, 0, sizeof(bytes) - there);
		if (address < memory[i].address || address - memory[i].address > there ||
		    size > ((there + 127) & ~(tl_size)63) - (address - memory[i].address))
			continue;
		memcpy(buffer, bytes + (address - memory[i].address), size);
		return TL_OK;
	}
	return TL_ERROR_MEMORY;
}

static enum tl_status read_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	(void)context;
	for (tl_size i = 0; i < TL_COUNT(registers); i++) {
		if (registers[i].number == number) {
			*value_ret = registers[i].value;
			return TL_OK;
		}
	}
	return TL_ERROR_REGISTER;
}

static void print(void *context, const char *text, tl_size size)
{
	char *printed = context;

	if (strlen(printed) + size < 1024)
		strncat(printed, text, size);
}

TEST(conditions_of_gdb)
{
	struct tl_agent_environment environment = {
		.read_memory = read_memory, .read_register = read_register, .address_size = 8};
	tl_u8 bytes[512];

	for (tl_size i = 0; i < TL_COUNT(conditions); i++) {
		struct tl_agent_code code = {bytes, (tl_u16)from_hex(conditions[i].bytecode, bytes, sizeof(bytes))};
		tl_u64 value = 0;

		CHECK_EQUAL(tl_agent_verify(&code, NULL), TL_OK);
		CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_OK);
		if (value != (tl_u64)conditions[i].value)
			printf("  in %s\n", conditions[i].expression);
		CHECK_EQUAL(value, conditions[i].value);
	}
}

TEST(commands_of_gdb)
{
	char printed[1024];
	struct tl_agent_environment environment = {.read_memory = read_memory,
						   .read_register = read_register,
						   .print = print,
						   .context = printed,
						   .address_size = 8};
	tl_u8 bytes[512];

	for (tl_size i = 0; i < TL_COUNT(commands); i++) {
		struct tl_agent_code code = {bytes, (tl_u16)from_hex(commands[i].bytecode, bytes, sizeof(bytes))};
		tl_u64 value = 0;

		printed[0] = 0;
		CHECK_EQUAL(tl_agent_verify(&code, NULL), TL_OK);
		CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_OK);
		CHECK_TEXT(printed, commands[i].text);
	}
}

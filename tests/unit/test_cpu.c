#include "core/cpu/cpu.h"
#include "core/cpu/riscv_decode.h"
#include "core/cpu/riscv_layout.h"
#include "core/cpu/x86_layout.h"
#include "tests/unit/test.h"

static const struct tl_cpu *const cpus[] = {&tl_cpu_x86_64, &tl_cpu_i386, &tl_cpu_riscv64, &tl_cpu_aarch64};

#define ALL_FEATURES ((1u << TL_X86_FEATURE_MAX) - 1)

TEST(tables_are_whole)
{
	for (size_t c = 0; c < TL_COUNT(cpus); c++) {
		const struct tl_cpu *cpu = cpus[c];
		tl_u8 feature = 0;

		CHECK(cpu->registers[cpu->register_count].name == NULL);
		for (tl_u16 i = 0; i < cpu->register_count; i++) {
			const struct tl_register *reg = &cpu->registers[i];
			tl_u16 found = 0;

			CHECK(reg->offset + (reg->bits + 7) / 8 <= cpu->file_size);
			CHECK(reg->bank < cpu->bank_count);
			CHECK(reg->feature >= feature && reg->feature < cpu->feature_count);
			feature = reg->feature;
			CHECK_EQUAL(tl_cpu_find(cpu, reg->name, &found), TL_OK);
			CHECK_EQUAL(found, i);
		}
		for (const tl_i16 *e = cpu->expedited; *e >= 0; e++)
			CHECK(*e < cpu->register_count && cpu->registers[*e].bank == TL_BANK_GENERAL);
	}
}

TEST(registers_do_not_overlap)
{
	for (size_t c = 0; c < TL_COUNT(cpus); c++) {
		static tl_u8 used[4096];

		memset(used, 0, sizeof(used));
		for (tl_u16 i = 0; i < cpus[c]->register_count; i++) {
			for (int b = 0; b < (cpus[c]->registers[i].bits + 7) / 8; b++)
				CHECK_EQUAL(used[cpus[c]->registers[i].offset + b]++, 0);
		}
	}
}

TEST(the_numbers_are_gdbs)
{
	/* As GDB 13's gdbserver numbers them on a machine with AVX-512; the gaps are pseudo registers of gdb's own. */
	CHECK_EQUAL(TL_X86_64_RIP, 16);
	CHECK_EQUAL(TL_X86_64_ST0, 24);
	CHECK_EQUAL(TL_X86_64_XMM0, 40);
	CHECK_EQUAL(TL_X86_64_MXCSR, 56);
	CHECK_EQUAL(TL_X86_64_GS_BASE, 59);
	CHECK_EQUAL(TL_X86_64_YMM15H, 75);
	CHECK_EQUAL(TL_X86_64_XMM31, 91);
	CHECK_EQUAL(TL_X86_64_K0, 108);
	CHECK_EQUAL(TL_X86_64_ZMM31H, 147);
	CHECK_EQUAL(TL_X86_64_PKRU, 148);
	CHECK_EQUAL(TL_I386_EIP, 8);
	CHECK_EQUAL(TL_I386_MXCSR, 40);
	CHECK_EQUAL(TL_I386_ORIG_EAX, 41);
	CHECK_EQUAL(TL_I386_K0, 50);
	CHECK_EQUAL(TL_I386_ZMM7H, 65);
}

static tl_size successors_of(tl_u32 word, tl_u64 from, tl_u64 successors[TL_SUCCESSORS_MAX])
{
	static tl_u8 file[TL_RISCV_FILE_SIZE];
	tl_u8 bytes[4];
	tl_size count = 0;

	tl_cpu_set(&tl_cpu_riscv64, file, TL_RISCV_REGISTER_PC, from);
	tl_cpu_set(&tl_cpu_riscv64, file, TL_RISCV_REGISTER_RA, 0x80000123);
	tl_store_little(bytes, word, 4);
	CHECK_EQUAL(tl_cpu_riscv64.successors(file, bytes, 4, NULL, successors, &count), TL_OK);
	return count;
}

TEST(riscv_knows_where_an_instruction_may_lead)
{
	tl_u64 to[TL_SUCCESSORS_MAX];

	CHECK_EQUAL(successors_of(0xfe000ee3, 0x1000, to), 2); /* beqz zero,-4 */
	CHECK_EQUAL(to[0], 0x1004);
	CHECK_EQUAL(to[1], 0xffc);
	CHECK_EQUAL(successors_of(0x8082, 0x1000, to), 1); /* ret: the lowest bit is dropped */
	CHECK_EQUAL(to[0], 0x80000122);
	CHECK_EQUAL(successors_of(0x0080006f, 0xfffffffffffffffc, to), 1); /* j +8, around the end */
	CHECK_EQUAL(to[0], 4);
	CHECK_EQUAL(successors_of(0x00000013, 0x1000, to), 1); /* nop */
	CHECK_EQUAL(to[0], 0x1004);
}

TEST(riscv_tells_what_an_instruction_is)
{
	static const struct {
		tl_u32 word;
		enum tl_flow flow;
		tl_u8 length;
	} cases[] = {
		{0x8082, TL_FLOW_RETURN, 2},      {0x000080e7, TL_FLOW_CALL, 4},    {0x9002, TL_FLOW_TRAP, 2},
		{0x00000073, TL_FLOW_SYSCALL, 4}, {0x30200073, TL_FLOW_SPECIAL, 4}, {0x1005202f, TL_FLOW_SPECIAL, 4},
		{0x00000063, TL_FLOW_BRANCH, 4},  {0xa001, TL_FLOW_JUMP, 2},        {0x00000013, TL_FLOW_NEXT, 4},
	};
	struct tl_instruction instruction;
	tl_u8 bytes[4];

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		tl_store_little(bytes, cases[i].word, 4);
		CHECK_EQUAL(tl_cpu_riscv64.decode(bytes, 4, &instruction), TL_OK);
		CHECK_EQUAL(instruction.flow, cases[i].flow);
		CHECK_EQUAL(instruction.length, cases[i].length);
	}
	CHECK_EQUAL(tl_cpu_riscv64.decode(bytes, 1, &instruction), TL_ERROR_TRUNCATED);
	CHECK_EQUAL(tl_cpu_riscv64.decode(bytes, 3, &instruction), TL_ERROR_TRUNCATED);
	tl_store_little(bytes, 0, 4);
	CHECK_EQUAL(tl_cpu_riscv64.decode(bytes, 4, &instruction), TL_ERROR_INSTRUCTION);
	tl_store_little(bytes, 0xffffffff, 4); /* the beginning of one of more than 4 bytes */
	CHECK_EQUAL(tl_cpu_riscv64.decode(bytes, 4, &instruction), TL_ERROR_INSTRUCTION);
}

TEST(get_and_set_touch_their_register_alone)
{
	for (size_t c = 0; c < TL_COUNT(cpus); c++) {
		for (tl_u16 i = 0; i < cpus[c]->register_count; i++) {
			const struct tl_register *reg = &cpus[c]->registers[i];
			tl_u64 value = 0x8182838485868788;
			tl_u64 mask = reg->bits >= 64 ? TL_U64_MAX : ((tl_u64)1 << reg->bits) - 1;
			static tl_u8 file[4096];

			memset(file, 0x55, sizeof(file));
			tl_cpu_set(cpus[c], file, i, value);
			CHECK_EQUAL(tl_cpu_get(cpus[c], file, i), value & mask);
			for (int b = 0; b < (int)sizeof(file); b++) {
				int size = reg->bits >= 64 ? 8 : reg->bits / 8;

				if (b < reg->offset || b >= reg->offset + size)
					CHECK_EQUAL(file[b], 0x55);
			}
		}
	}
}

TEST(big_endian_registers_keep_their_low_part_at_the_end)
{
	static const struct tl_register registers[] = {{.name = "wide", .offset = 2, .bits = 128},
						       {.name = "narrow", .offset = 18, .bits = 16},
						       {.name = NULL}};
	struct tl_cpu cpu = {.registers = registers, .register_count = 2, .big_endian = true};
	tl_u8 file[20] = {0};

	tl_cpu_set(&cpu, file, 0, 0x0102030405060708);
	CHECK_EQUAL(file[17], 8);
	CHECK_EQUAL(file[10], 1);
	CHECK_EQUAL(tl_cpu_get(&cpu, file, 0), 0x0102030405060708);
	tl_cpu_set(&cpu, file, 1, 0xabcd);
	CHECK_EQUAL(file[18], 0xab);
	CHECK_EQUAL(tl_cpu_get(&cpu, file, 1), 0xabcd);
}

TEST(names_that_are_not_registers_are_refused)
{
	tl_u16 index;

	CHECK_EQUAL(tl_cpu_find(&tl_cpu_x86_64, "", &index), TL_ERROR_REGISTER);
	CHECK_EQUAL(tl_cpu_find(&tl_cpu_x86_64, "ymm0", &index), TL_ERROR_REGISTER);
	CHECK_EQUAL(tl_cpu_find(&tl_cpu_x86_64, "rflags", &index), TL_OK);
	CHECK_EQUAL(index, TL_X86_64_EFLAGS);
	CHECK_EQUAL(tl_cpu_present(&tl_cpu_x86_64, ALL_FEATURES, TL_X86_64_REGISTER_MAX, &index), TL_ERROR_REGISTER);
	CHECK_EQUAL(tl_cpu_present(&tl_cpu_x86_64, ALL_FEATURES, TL_U64_MAX, &index), TL_ERROR_REGISTER);
}

/* The end of the element that starts at `at`: quotes hold no '>' because tl_write_xml hides it. */
static const char *element(const char *at, char *name, size_t size, bool *alone, bool *closes)
{
	const char *end = strchr(at, '>');
	size_t length;

	*closes = at[1] == '/';
	*alone = end != NULL && (end[-1] == '/' || at[1] == '?' || at[1] == '!');
	length = strcspn(at + 1 + *closes, " />");
	snprintf(name, size, "%.*s", (int)length, at + 1 + *closes);
	return end != NULL ? end + 1 : NULL;
}

/* A check by stack that every element is closed in order, and attributes have both quotes. */
static bool well_formed(const char *text, unsigned *registers_ret)
{
	char stack[16][32], name[32];
	int depth = 0;

	*registers_ret = 0;
	while ((text = strchr(text, '<')) != NULL) {
		bool alone, closes;
		unsigned quotes = 0;
		const char *next = element(text, name, sizeof(name), &alone, &closes);

		if (next == NULL)
			return false;
		for (const char *at = text; at < next; at++)
			quotes += *at == '"';
		*registers_ret += strcmp(name, "reg") == 0;
		if (quotes % 2 != 0 || (closes && (depth == 0 || strcmp(stack[--depth], name) != 0)))
			return false;
		if (!closes && !alone) {
			if (depth == 16)
				return false;
			strcpy(stack[depth++], name);
		}
		text = next;
	}
	return depth == 0;
}

TEST(descriptions_are_well_formed_for_every_machine)
{
	static char text[65536];

	for (size_t c = 0; c < TL_COUNT(cpus); c++) {
		for (tl_u32 mask = 0; mask <= ALL_FEATURES; mask++) {
			for (int lldb = 0; lldb < 2; lldb++) {
				struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);
				unsigned registers;

				tl_cpu_describe(cpus[c], mask, lldb != 0 ? NULL : "GNU/Linux", lldb != 0, &writer);
				CHECK(!writer.failed);
				text[tl_writer_size(&writer)] = '\0';
				CHECK(well_formed(text, &registers));
				CHECK_EQUAL(registers, tl_cpu_present_count(cpus[c], mask));
			}
		}
	}
}

TEST(regnum_is_the_index_among_those_present)
{
	static char text[65536];
	tl_u32 mask = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_PKEYS;
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);
	tl_u16 index;

	tl_cpu_describe(&tl_cpu_x86_64, mask, NULL, false, &writer);
	text[tl_writer_size(&writer)] = '\0';
	CHECK(strstr(text, "name=\"pkru\" bitsize=\"32\" type=\"uint32\" regnum=\"57\"") != NULL);
	CHECK_EQUAL(tl_cpu_present(&tl_cpu_x86_64, mask, 57, &index), TL_OK);
	CHECK_EQUAL(index, TL_X86_64_PKRU);
	CHECK_EQUAL(tl_cpu_present(&tl_cpu_x86_64, mask, 58, &index), TL_ERROR_REGISTER);
}

TEST(a_description_that_does_not_fit_says_so)
{
	static char text[65536];
	struct tl_writer whole = tl_writer_make(text, sizeof(text));

	tl_cpu_describe(&tl_cpu_i386, ALL_FEATURES, "GNU/Linux", true, &whole);
	CHECK(!whole.failed);
	for (tl_size size = 0; size < tl_writer_size(&whole); size += 97) {
		static char small[65536];
		struct tl_writer writer = tl_writer_make(small, size);

		tl_cpu_describe(&tl_cpu_i386, ALL_FEATURES, "GNU/Linux", true, &writer);
		CHECK(writer.failed);
	}
}

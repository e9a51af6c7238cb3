/* The description of an x86 machine, and its modes. */
#include "core/cpu/cpu.h"
#include "core/cpu/x86_decode.h"
#include "core/cpu/x86_layout.h"
#include "tests/unit/test.h"

#define MACHINE                                                                                                        \
	(1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_SEGMENTS |                        \
	 1u << TL_X86_FEATURE_AVX | 1u << TL_X86_FEATURE_SYSTEM)

static tl_u8 file[TL_X86_FILE_SIZE];

static void set(tl_size at, tl_u64 value)
{
	tl_store_little(file + at, value, 8);
}

static void mode(tl_u64 cr0, tl_u64 efer, tl_u64 cs_attr, tl_u64 flags)
{
	memset(file, 0, sizeof(file));
	set(TL_X86_AT_CR0, cr0);
	set(TL_X86_AT_EFER, efer);
	set(TL_X86_AT_CS_ATTR, cs_attr);
	set(TL_X86_AT_SS_ATTR, 0x93);
	set(TL_X86_AT_EFLAGS, flags);
	set(TL_X86_AT_CS_BASE, 0x10000);
	set(TL_X86_AT_SS_BASE, 0x20000);
	set(TL_X86_AT_RSP, 0x123456789);
}

TEST(modes)
{
	mode(0, 0, 0x9b, 2);
	CHECK_EQUAL(tl_x86_mode_of(file), TL_X86_MODE_16);
	CHECK(tl_x86_real_segments(file));
	CHECK_EQUAL(tl_x86_privilege(file), 0);
	CHECK_EQUAL(tl_x86_stack(file), 0x26789);
	CHECK_EQUAL(tl_x86_code_base(file), 0x10000);
	mode(TL_X86_CR0_PE, 0, 0xc09b, 2);
	set(TL_X86_AT_SS_ATTR, 0xc0f3);
	CHECK_EQUAL(tl_x86_mode_of(file), TL_X86_MODE_32);
	CHECK(!tl_x86_real_segments(file));
	CHECK_EQUAL(tl_x86_privilege(file), 3);
	CHECK_EQUAL(tl_x86_stack(file), 0x23476789);
	CHECK_EQUAL(tl_x86_linear(file, 0x123456789), 0x23456789);
	/* Virtual 8086 mode */
	mode(TL_X86_CR0_PE, 0, 0xf3, 2 | TL_X86_FLAG_VM);
	CHECK_EQUAL(tl_x86_mode_of(file), TL_X86_MODE_16);
	CHECK(tl_x86_real_segments(file));
	CHECK_EQUAL(tl_x86_privilege(file), 3);
	/* Long mode, and compatibility mode in it */
	mode(TL_X86_CR0_PE | TL_X86_CR0_PG, TL_X86_EFER_LMA, 0xa09b, 2);
	CHECK_EQUAL(tl_x86_mode_of(file), TL_X86_MODE_64);
	CHECK_EQUAL(tl_x86_stack(file), 0x123456789);
	CHECK_EQUAL(tl_x86_code_base(file), 0);
	mode(TL_X86_CR0_PE | TL_X86_CR0_PG, TL_X86_EFER_LMA, 0xc0fb, 2);
	CHECK_EQUAL(tl_x86_mode_of(file), TL_X86_MODE_32);
}

TEST(a_machine_has_what_debuggers_ask_for)
{
	static const char *const names[] = {"rip",  "cs",      "fs_base",   "k_gs_base", "cr0",   "cr3",
					    "cr8",  "efer",    "dr0",       "dr7",       "lstar", "gdtr_base",
					    "xcr0", "cs_attr", "idtr_base", "tsc",       "ymm0h", "mxcsr"};
	tl_u16 index;

	for (size_t i = 0; i < TL_COUNT(names); i++) {
		REQUIRE(tl_cpu_find(&tl_cpu_x86_64, names[i], &index) == TL_OK);
		CHECK((MACHINE >> tl_cpu_x86_64.registers[index].feature & 1) != 0);
	}
	CHECK(tl_cpu_has_bank(&tl_cpu_x86_64, MACHINE, TL_X86_BANK_SYSTEM));
	/* A process has none of it, and its description is what it was. */
	CHECK(!tl_cpu_has_bank(&tl_cpu_x86_64, tl_cpu_x86_64.base_features, TL_X86_BANK_SYSTEM));
	CHECK(tl_cpu_has_bank(&tl_cpu_x86_64, tl_cpu_x86_64.base_features, TL_BANK_GENERAL));
}

TEST(the_description_names_the_system_feature)
{
	static char xml[1 << 16];
	struct tl_writer writer = tl_writer_make(xml, sizeof(xml) - 1);

	tl_cpu_describe(&tl_cpu_x86_64, MACHINE, NULL, false, &writer);
	CHECK(!writer.failed);
	xml[tl_writer_size(&writer)] = '\0';
	CHECK(strstr(xml, "<architecture>i386:x86-64</architecture>") != NULL);
	CHECK(strstr(xml, "<feature name=\"org.trapline.i386.system\">") != NULL);
	CHECK(strstr(xml, "<reg name=\"cr3\" bitsize=\"64\" type=\"int\" regnum=") != NULL);
	CHECK(strstr(xml, "orig_rax") == NULL);
}

TEST(instructions_of_16_bits)
{
	static const struct {
		const char *bytes;
		tl_u8 size, operand;
	} cases[] = {
		{"\xb8\x34\x12", 3, 2},                     /* mov ax, 0x1234 */
		{"\x66\xb8\x78\x56\x34\x12", 6, 4},         /* mov eax, 0x12345678 */
		{"\x8b\x46\x02", 3, 2},                     /* mov ax, [bp+2] */
		{"\xa1\x34\x12", 3, 2},                     /* mov ax, [0x1234] */
		{"\x67\x8b\x04\x24", 4, 2},                 /* mov ax, [esp] */
		{"\xea\x00\x00\x00\xf0", 5, 2},             /* jmp f000:0000 */
		{"\xe8\x00\x01", 3, 2},                     /* call +0x100 */
		{"\x0f\x84\x10\x00", 4, 2},                 /* jz +0x10 */
		{"\x66\x9c", 2, 4},                         /* pushfd */
		{"\x0f\x01\x16\x00\x7c", 5, 2},             /* lgdt [0x7c00] */
		{"\x66\x67\x8b\x80\x00\x10\x00\x00", 8, 4}, /* mov eax, [eax+0x1000] */
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		struct tl_x86_instruction in;

		CHECK_EQUAL(tl_x86_decode_in(TL_X86_MODE_16, (const tl_u8 *)cases[i].bytes, cases[i].size, &in), TL_OK);
		CHECK_EQUAL(in.length, cases[i].size);
		CHECK_EQUAL(in.operand_size, cases[i].operand);
	}
}

/* Instructions as text: what is wanted here is what gdb 13 shows. */
#include "base/storage.h"
#include "debugger/code/disassemble.h"
#include "test.h"

#include <elf.h>

#define BASE 0x1000u

struct code {
	const tl_u8 *bytes;
	tl_size size;
};

static enum tl_status read_code(void *context, tl_u64 address, void *buffer, tl_u64 size, struct tl_error *error)
{
	const struct code *code = context;

	if (address < BASE || address - BASE > code->size || size > code->size - (address - BASE))
		return TL_FAIL(error, TL_ERROR_MEMORY, "Cannot access memory");
	memcpy(buffer, code->bytes + (address - BASE), size);
	return TL_OK;
}

static bool find_symbol(void *context, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret)
{
	(void)context;
	if (address < 0x2000 || address >= 0x2010)
		return false;
	*offset_ret = address - 0x2000;
	return (tl_size)snprintf(name_ret, size, "counter") < size;
}

/* Bytes in hexadecimal. */
static tl_size read_bytes(const char *text, tl_u8 bytes[TL_INSTRUCTION_MAX + 1])
{
	tl_size size = 0;
	unsigned byte;
	int used;

	while (size < TL_INSTRUCTION_MAX && sscanf(text, "%2x%n", &byte, &used) == 1) {
		bytes[size++] = (tl_u8)byte;
		text += used;
	}
	return size;
}

static void check_instruction(tl_u16 machine, bool intel, const char *bytes_text, const char *wanted)
{
	tl_u8 bytes[TL_INSTRUCTION_MAX + 1], size = 0;
	struct code code = {bytes, read_bytes(bytes_text, bytes)};
	struct tl_code_view view = {.read = read_code, .symbol = find_symbol, .context = &code, .intel = intel};
	struct tl_output output = tl_output_make(1000);
	struct tl_disassembler *disassembler;

	REQUIRE(tl_disassembler_open(&disassembler, machine, NULL) == TL_OK);
	CHECK(tl_disassemble(disassembler, &view, BASE, &output, &size, NULL) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), wanted);
	CHECK_EQUAL(size, code.size);
	tl_disassembler_close(disassembler);
	tl_output_release(&output);
}

TEST(x86_64_in_the_way_of_att)
{
	static const char *const wanted[][2] = {
		{"53", "push   %rbx"},
		{"c3", "ret"},
		{"e8fbffffff", "call   0x1000"},
		{"e8fb0f0000", "call   0x2000 <counter>"},
		{"7502", "jne    0x1004"},
		{"488d0501100000", "lea    0x1001(%rip),%rax        # 0x2008 <counter+8>"},
		{"488b0500000000", "mov    0x0(%rip),%rax        # 0x1007"},
		{"4883e4f0", "and    $0xfffffffffffffff0,%rsp"},
		{"c70000000000", "movl   $0x0,(%rax)"},
		{"64488b042528000000", "mov    %fs:0x28,%rax"},
		{"8b44bdf8", "mov    -0x8(%rbp,%rdi,4),%eax"},
		{"ff24c500204000", "jmp    *0x402000(,%rax,8)"},
		{"f348ab", "rep stos %rax,%es:(%rdi)"},
		{"f0480fb11f", "lock cmpxchg %rbx,(%rdi)"},
		{"662e0f1f840000000000", "cs nopw 0x0(%rax,%rax,1)"},
		{"6690", "xchg   %ax,%ax"},
		{"0fb6c0", "movzbl %al,%eax"},
		{"4898", "cltq"},
		{"48b8efcdab8967452301", "movabs $0x123456789abcdef,%rax"},
		{"d1e0", "shl    %eax"},
		{"f30f1efa", "endbr64"},
		{"f20f5a07", "cvtsd2ss (%rdi),%xmm0"},
		{"f2480f2a07", "cvtsi2sdq (%rdi),%xmm0"},
		{"db6c2410", "fldt   0x10(%rsp)"},
		{"dec9", "fmulp  %st,%st(1)"},
		{"9bdfe0", "fstsw  %ax"},
		{"62f17e486f07", "vmovdqu32 (%rdi),%zmm0"},
		{"c5fdd7c0", "vpmovmskb %ymm0,%eax"},
		{"0fc2c101", "cmpltps %xmm1,%xmm0"},
		{"f2ffe0", "bnd jmp *%rax"},
		{"3effe0", "notrack jmp *%rax"},
		{"06", "(bad)"},
	};

	for (tl_size i = 0; i < TL_COUNT(wanted); i++)
		check_instruction(EM_X86_64, false, wanted[i][0], wanted[i][1]);
}

TEST(x86_64_in_the_way_of_intel)
{
	static const char *const wanted[][2] = {
		{"53", "push   rbx"},
		{"8b05ce0f0000", "mov    eax,DWORD PTR [rip+0xfce]        # 0x1fd4"},
		{"8d740703", "lea    esi,[rdi+rax*1+0x3]"},
		{"64488b042528000000", "mov    rax,QWORD PTR fs:0x28"},
		{"ffe0", "jmp    rax"},
		{"a4", "movs   BYTE PTR es:[rdi],BYTE PTR ds:[rsi]"},
		{"d1e0", "shl    eax,1"},
		{"4863049a", "movsxd rax,DWORD PTR [rdx+rbx*4]"},
	};

	for (tl_size i = 0; i < TL_COUNT(wanted); i++)
		check_instruction(EM_X86_64, true, wanted[i][0], wanted[i][1]);
}

TEST(i386)
{
	static const char *const wanted[][2] = {
		{"ff7304", "push   0x4(%ebx)"},
		{"40", "inc    %eax"},
		{"65a114000000", "mov    %gs:0x14,%eax"},
		{"8d742600", "lea    0x0(%esi,%eiz,1),%esi"},
		{"cd80", "int    $0x80"},
		{"e8fb0f0000", "call   0x2000 <counter>"},
	};

	for (tl_size i = 0; i < TL_COUNT(wanted); i++)
		check_instruction(EM_386, false, wanted[i][0], wanted[i][1]);
}

/* Beside those that the referee has (tests/debugger/arm64_code.S): places, and what is no instruction. */
TEST(arm64)
{
	static const char *const wanted[][2] = {
		{"fd7bbfa9", "stp\tx29, x30, [sp, #-16]!"},
		{"00040094", "bl\t0x2000 <counter>"},
		{"21800054", "b.ne\t0x2004 <counter+4>  // b.any"},
		{"e1ffff54", "b.ne\t0xffc  // b.any"},
		{"40008034", "cbz\tw0, 0xfffffffffff01008"},
		{"410002b6", "tbz\tx1, #32, 0x5008"},
		{"00000090", "adrp\tx0, 0x1000"},
		{"40800010", "adr\tx0, 0x2008 <counter+8>"},
		{"40800018", "ldr\tw0, 0x2008 <counter+8>"},
		{"400080d2", "mov\tx0, #0x2                   \t// #2"},
		{"00008012", "mov\tw0, #0xffffffff            \t// #-1"},
		{"e0031f2a", "mov\tw0, wzr"},
		{"00104092", "and\tx0, x0, #0x1f"},
		{"c0035fd6", "ret"},
		{"ff0b5fd6", "retaa"},
		{"3f2303d5", "paciasp"},
		{"e0279f1a", "cset\tw0, cc\t// cc = lo, ul, last"},
		{"00106e1e", "fmov\td0, #1.000000000000000000e+00"},
		{"0820601e", "fcmp\td0, #0.0"},
		{"412c404c", "ld1\t{v1.2d-v4.2d}, [x2]"},
		{"00000000", "udf\t#0"},
		{"00a000a4", ".inst\t0xa400a000"},
		{"ffffffff", ".inst\t0xffffffff"},
	};

	for (tl_size i = 0; i < TL_COUNT(wanted); i++)
		check_instruction(EM_AARCH64, false, wanted[i][0], wanted[i][1]);
}

TEST(memory_may_end_behind_an_instruction_but_not_in_it)
{
	static const tl_u8 bytes[] = {0x90, 0xe8, 0, 0};
	struct code code = {bytes, sizeof(bytes)};
	struct tl_code_view view = {.read = read_code, .context = &code};
	struct tl_output output = tl_output_make(1000);
	struct tl_disassembler *disassembler;
	struct tl_error error;
	tl_u8 size = 0;

	REQUIRE(tl_disassembler_open(&disassembler, EM_X86_64, NULL) == TL_OK);
	CHECK(tl_disassemble(disassembler, &view, BASE, &output, &size, &error) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), "nop");
	CHECK_EQUAL(size, 1);
	CHECK(tl_disassemble(disassembler, &view, BASE + 1, &output, &size, &error) == TL_ERROR_MEMORY);
	CHECK_TEXT(error.text, "Cannot access memory at address 0x1004");
	CHECK(tl_disassemble(disassembler, &view, 0, &output, &size, &error) == TL_ERROR_MEMORY);
	CHECK_TEXT(error.text, "Cannot access memory at address 0x0");
	CHECK_TEXT(tl_output_string(&output), "nop");
	tl_disassembler_close(disassembler);
	CHECK(tl_disassembler_open(&disassembler, EM_PPC64, &error) == TL_ERROR_UNSUPPORTED);
	tl_storage_fail(1);
	CHECK(tl_disassembler_open(&disassembler, EM_X86_64, &error) == TL_ERROR_NO_MEMORY);
	tl_storage_fail(0);
	REQUIRE(tl_disassembler_open(&disassembler, EM_AARCH64, &error) == TL_OK);
	CHECK(tl_disassemble(disassembler, &view, BASE, &output, &size, &error) == TL_OK);
	CHECK(tl_disassemble(disassembler, &view, BASE + 1, &output, &size, &error) == TL_ERROR_MEMORY);
	tl_disassembler_close(disassembler);
	tl_disassembler_close(NULL);
	tl_output_release(&output);
}

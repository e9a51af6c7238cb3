#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"
#include "tests/unit/test.h"

static tl_u8 file[TL_X86_FILE_SIZE];

static void fresh_file(void)
{
	memset(file, 0, sizeof(file));
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RIP, 0x401000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RSP, 0x7000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RAX, 0x1000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RSI, 0x2000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RDI, 0x3000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_FS_BASE, 0x100000);
}

static enum tl_status no_read(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static enum tl_status no_write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static const struct tl_memory_access no_memory = {no_read, no_write, NULL};

struct flow_case {
	const char *bytes;
	tl_u8 size;
	tl_u8 flow;
	bool relocatable;
	bool carried_out;
};

TEST(flows)
{
	static const struct flow_case cases[] = {
		{"\x90", 1, TL_FLOW_NEXT, true, true},
		{"\xf3\x0f\x1e\xfa", 4, TL_FLOW_NEXT, true, true},
		{"\xeb\xfe", 2, TL_FLOW_JUMP, false, true},
		{"\x74\x10", 2, TL_FLOW_BRANCH, false, true},
		{"\x0f\x84\x00\x01\x00\x00", 6, TL_FLOW_BRANCH, false, true},
		{"\xe2\x10", 2, TL_FLOW_BRANCH, false, false},
		{"\xe8\x00\x00\x00\x00", 5, TL_FLOW_CALL, false, true},
		{"\xff\xd0", 2, TL_FLOW_CALL, false, true},
		{"\xff\x25\x00\x00\x00\x00", 6, TL_FLOW_JUMP, false, true},
		{"\xff\x28", 2, TL_FLOW_SPECIAL, false, false},
		{"\xc3", 1, TL_FLOW_RETURN, false, true},
		{"\xcb", 1, TL_FLOW_SPECIAL, false, false},
		{"\x0f\x05", 2, TL_FLOW_SYSCALL, true, false},
		{"\xcd\x80", 2, TL_FLOW_SYSCALL, true, false},
		{"\xcc", 1, TL_FLOW_TRAP, false, false},
		{"\xcd\x03", 2, TL_FLOW_TRAP, false, false},
		{"\x0f\x0b", 2, TL_FLOW_SPECIAL, false, false},
		{"\xf3\xa4", 2, TL_FLOW_REPEAT, true, false},
		{"\xa4", 1, TL_FLOW_NEXT, true, false},
		{"\xc7\xf8\x00\x00\x00\x00", 6, TL_FLOW_SPECIAL, false, false},
		{"\x48\xcf", 2, TL_FLOW_SPECIAL, false, false},
		/* lock add [rax], eax: atomic, so the machine must do it; a copy does. */
		{"\xf0\x01\x00", 3, TL_FLOW_NEXT, true, false},
		{"\x87\x00", 2, TL_FLOW_NEXT, true, false},
		/* 66 before a near branch: Intel and AMD disagree about it. */
		{"\x66\xe9\x00\x00\x00\x00", 6, TL_FLOW_SPECIAL, false, false},
		/* lea eax, [eip + 0] */
		{"\x67\x8d\x05\x00\x00\x00\x00", 7, TL_FLOW_NEXT, false, true},
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		struct tl_instruction instruction;

		CHECK_EQUAL(tl_cpu_x86_64.decode((const tl_u8 *)cases[i].bytes, cases[i].size, &instruction), TL_OK);
		CHECK_EQUAL(instruction.length, cases[i].size);
		CHECK_EQUAL(instruction.flow, cases[i].flow);
		CHECK_EQUAL(instruction.relocatable, cases[i].relocatable);
		CHECK_EQUAL(instruction.carried_out, cases[i].carried_out);
	}
}

TEST(a_part_of_an_instruction_is_truncated)
{
	/* mov qword [fs:rax + rcx*8 + 0x12345678], 0x11223344, and an EVEX and a VEX instruction */
	static const char *const whole[] = {"\x64\x48\xc7\x84\xc8\x78\x56\x34\x12\x44\x33\x22\x11",
					    "\x62\xf1\x7c\x48\x28\x40\x01", "\xc4\xe3\x7d\x39\x48\x10\x01"};
	static const tl_u8 sizes[] = {13, 7, 7};

	for (size_t i = 0; i < TL_COUNT(whole); i++) {
		struct tl_instruction instruction;

		for (tl_size size = 0; size < sizes[i]; size++)
			CHECK_EQUAL(tl_cpu_x86_64.decode((const tl_u8 *)whole[i], size, &instruction),
				    TL_ERROR_TRUNCATED);
		CHECK_EQUAL(tl_cpu_x86_64.decode((const tl_u8 *)whole[i], sizes[i], &instruction), TL_OK);
		CHECK_EQUAL(instruction.length, sizes[i]);
	}
}

TEST(sixteen_bytes_are_no_instruction)
{
	tl_u8 bytes[16];
	struct tl_instruction instruction;

	memset(bytes, 0x66, sizeof(bytes));
	bytes[15] = 0x90;
	CHECK_EQUAL(tl_cpu_x86_64.decode(bytes, 16, &instruction), TL_ERROR_INSTRUCTION);
	CHECK_EQUAL(tl_cpu_x86_64.decode(bytes + 1, 15, &instruction), TL_OK);
	CHECK_EQUAL(instruction.length, 15);
}

static tl_size successors(const char *bytes, tl_size size, tl_u64 found[TL_SUCCESSORS_MAX])
{
	tl_size count = 0;

	if (tl_cpu_x86_64.successors(file, (const tl_u8 *)bytes, size, &no_memory, found, &count) != TL_OK)
		return 0;
	return count;
}

TEST(successors_of_every_flow)
{
	tl_u64 found[TL_SUCCESSORS_MAX];

	fresh_file();
	CHECK_EQUAL(successors("\xf3\xa4", 2, found), 2);
	CHECK_EQUAL(found[0], 0x401000);
	CHECK_EQUAL(found[1], 0x401002);
	CHECK_EQUAL(successors("\xe2\x10", 2, found), 2);
	CHECK_EQUAL(found[1], 0x401012);
	CHECK_EQUAL(successors("\x75\x10", 2, found), 1);
	CHECK_EQUAL(found[0], 0x401012);
	CHECK_EQUAL(successors("\x74\x10", 2, found), 1);
	CHECK_EQUAL(found[0], 0x401002);
	CHECK_EQUAL(successors("\x0f\x05", 2, found), 1);
	CHECK_EQUAL(found[0], 0x401002);
	CHECK_EQUAL(successors("\xff\xe0", 2, found), 1);
	CHECK_EQUAL(found[0], 0x1000);
	CHECK_EQUAL(successors("\xc3", 1, found), 0); /* its memory cannot be read */
	CHECK_EQUAL(successors("\xcf", 1, found), 0);
}

TEST(a_failed_carry_out_changes_nothing)
{
	/* push rax; pop rax; call 0; ret; mov [rax], eax; add [rax], eax; leave; call [rax] */
	static const char *const all[] = {"\x50",   "\x58",   "\xe8\0\0\0\0", "\xc3",
					  "\x89\0", "\x01\0", "\xc9",         "\xff\x10"};
	static const tl_u8 sizes[] = {1, 1, 5, 1, 2, 2, 1, 2};
	static tl_u8 copy[TL_X86_FILE_SIZE];

	for (size_t i = 0; i < TL_COUNT(all); i++) {
		fresh_file();
		memcpy(copy, file, sizeof(copy));
		CHECK_EQUAL(tl_cpu_x86_64.carry_out(file, (const tl_u8 *)all[i], sizes[i], &no_memory),
			    TL_ERROR_MEMORY);
		CHECK(memcmp(copy, file, sizeof(copy)) == 0);
	}
	/* A jump that would fault, jmp rax to an address that is not canonical, is the machine's. */
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RAX, (tl_u64)1 << 60);
	memcpy(copy, file, sizeof(copy));
	CHECK(tl_cpu_x86_64.carry_out(file, (const tl_u8 *)"\xff\xe0", 2, &no_memory) != TL_OK);
	CHECK(memcmp(copy, file, sizeof(copy)) == 0);
}

TEST(segments_that_may_fault_in_32_bit_mode_are_the_machines)
{
	struct tl_instruction instruction;

	CHECK_EQUAL(tl_cpu_i386.decode((const tl_u8 *)"\x65\x8b\x00", 3, &instruction), TL_OK);
	CHECK(!instruction.carried_out);
	CHECK_EQUAL(tl_cpu_i386.decode((const tl_u8 *)"\x2e\x89\x00", 3, &instruction), TL_OK);
	CHECK(!instruction.carried_out);
	CHECK_EQUAL(tl_cpu_i386.decode((const tl_u8 *)"\x3e\x89\x00", 3, &instruction), TL_OK);
	CHECK(instruction.carried_out);
	CHECK_EQUAL(tl_cpu_x86_64.decode((const tl_u8 *)"\x64\x8b\x00", 3, &instruction), TL_OK);
	CHECK(instruction.carried_out);
}

TEST(relocation_keeps_what_counts_from_rip)
{
	tl_u8 code[TL_RELOCATED_MAX];
	tl_size length, body;

	/* mov eax, [rip + 0x10] moves by -0x1000 */
	CHECK_EQUAL(tl_cpu_x86_64.relocate((const tl_u8 *)"\x8b\x05\x10\0\0\0", 6, 0x401000, 0x400000, code, &length,
					   &body),
		    TL_OK);
	CHECK_EQUAL(body, 6);
	CHECK_EQUAL(length, 11);
	CHECK_EQUAL(tl_load_little(code + 2, 4), 0x1010);
	CHECK_EQUAL(code[6], 0xe9);
	CHECK_EQUAL((tl_i32)tl_load_little(code + 7, 4), 0x401006 - 0x40000b);
	/* Out of reach for the operand; without one the way back is a jump through an address. */
	CHECK_EQUAL(tl_cpu_x86_64.relocate((const tl_u8 *)"\x8b\x05\x10\0\0\0", 6, 0x401000, 0x7fff00000000, code,
					   &length, &body),
		    TL_ERROR_INSTRUCTION);
	CHECK_EQUAL(
		tl_cpu_x86_64.relocate((const tl_u8 *)"\x0f\x05", 2, 0x401000, 0x7fff00000000, code, &length, &body),
		TL_OK);
	CHECK_EQUAL(length, 16);
	CHECK(memcmp(code + 2, "\xff\x25\0\0\0\0", 6) == 0);
	CHECK_EQUAL(tl_load_little(code + 8, 8), 0x401002);
	/* 32-bit addresses wrap: every distance is near. */
	CHECK_EQUAL(tl_cpu_i386.relocate((const tl_u8 *)"\x41", 1, 0x10, 0xfffff000, code, &length, &body), TL_OK);
	CHECK_EQUAL(length, 6);
	CHECK_EQUAL((tl_u32)(0xfffff006 + tl_load_little(code + 2, 4)), 0x11);
}

static enum tl_access after(const char *bytes, tl_size size, tl_u64 address)
{
	return tl_cpu_x86_64.last_access(file, (const tl_u8 *)bytes, size, address, 4);
}

TEST(reads_and_writes_are_told_apart_afterwards)
{
	fresh_file();
	CHECK_EQUAL(after("\x8b\x18", 2, 0x1000), TL_ACCESS_READ);                    /* mov ebx, [rax] */
	CHECK_EQUAL(after("\x89\x18", 2, 0x1000), TL_ACCESS_WRITE);                   /* mov [rax], ebx */
	CHECK_EQUAL(after("\x01\x18", 2, 0x1000), TL_ACCESS_BOTH);                    /* add [rax], ebx */
	CHECK_EQUAL(after("\x83\x38\x00", 3, 0x1000), TL_ACCESS_READ);                /* cmp dword [rax], 0 */
	CHECK_EQUAL(after("\x48\x89\x18", 3, 0x1004), TL_ACCESS_WRITE);               /* 8 bytes reach the upper four */
	CHECK_EQUAL(after("\x89\x18", 2, 0x1004), TL_ACCESS_NONE);                    /* and 4 do not */
	CHECK_EQUAL(after("\x50", 1, 0x7000), TL_ACCESS_WRITE);                       /* push rax */
	CHECK_EQUAL(after("\x58", 1, 0x6ff8), TL_ACCESS_READ);                        /* pop rax */
	CHECK_EQUAL(after("\xa5", 1, 0x1ffc), TL_ACCESS_READ);                        /* movsd, from */
	CHECK_EQUAL(after("\xa5", 1, 0x2ffc), TL_ACCESS_WRITE);                       /* movsd, to */
	CHECK_EQUAL(after("\xf3\xab", 2, 0x2ffc), TL_ACCESS_WRITE);                   /* rep stosd */
	CHECK_EQUAL(after("\x64\x89\x18", 3, 0x101000), TL_ACCESS_WRITE);             /* mov fs:[rax], ebx */
	CHECK_EQUAL(after("\x89\x1d\x00\x10\x00\x00", 6, 0x402000), TL_ACCESS_WRITE); /* mov [rip + 0x1000], ebx */
	CHECK_EQUAL(after("\x0f\x11\x00", 3, 0x100c), TL_ACCESS_WRITE);               /* movups [rax], xmm0 */
	CHECK_EQUAL(after("\xc5\xfc\x10\x00", 4, 0x101c), TL_ACCESS_READ);            /* vmovups ymm0, [rax] */
	CHECK_EQUAL(after("\xd9\x18", 2, 0x1000), TL_ACCESS_WRITE);                   /* fstp dword [rax] */
	CHECK_EQUAL(after("\xf0\x0f\xb1\x18", 4, 0x1000), TL_ACCESS_BOTH);            /* lock cmpxchg [rax], ebx */
	/* What is not known is not guessed: nothing there, or the base overwritten. */
	CHECK_EQUAL(after("\x90\x90", 2, 0x1000), TL_ACCESS_NONE);
	CHECK_EQUAL(after("\x8b\x00", 2, 0x5000), TL_ACCESS_NONE);
	CHECK_EQUAL(after("", 0, 0x1000), TL_ACCESS_NONE);
}

TEST(accesses_of_vectors_and_strings_are_told)
{
	fresh_file();
	CHECK_EQUAL(after("\xc5\xfc\x11\x00", 4, 0x101c), TL_ACCESS_WRITE);        /* vmovups [rax], ymm0 */
	CHECK_EQUAL(after("\xc4\xc1\x7e\x7f\x04\x24", 6, 0x1c), TL_ACCESS_WRITE);  /* vmovdqu [r12], ymm0 */
	CHECK_EQUAL(after("\xc5\xfd\x6f\x48\xe0", 5, 0xfe0), TL_ACCESS_READ);      /* vmovdqa ymm1, [rax - 32] */
	CHECK_EQUAL(after("\xc4\xe2\x7d\x90\x04\x38", 6, 0x1000), TL_ACCESS_NONE); /* vpgatherdd: many addresses */
	/* EVEX scales a displacement of one byte: vmovups zmm7, [rax - 64]; vmovups [rax + 64], zmm7; with a mask. */
	CHECK_EQUAL(after("\x62\xf1\x7c\x48\x10\x78\xff", 7, 0xfc0), TL_ACCESS_READ);
	CHECK_EQUAL(after("\x62\xf1\x7c\x48\x11\x78\x01", 7, 0x107c), TL_ACCESS_WRITE);
	CHECK_EQUAL(after("\x62\xf1\x7c\x48\x11\x78\x01", 7, 0x1080), TL_ACCESS_NONE);
	CHECK_EQUAL(after("\x62\xf1\x7c\x49\x11\x38", 6, 0x103c), TL_ACCESS_WRITE);
	CHECK_EQUAL(after("\x62\xf1\x75\x28\xda\x48\x01", 7, 0x1030), TL_ACCESS_READ); /* vpminub, 32 bytes */
	/* One element broadcast, [rax + 4], and a scalar: how far the byte is scaled is not followed. */
	CHECK_EQUAL(after("\x62\xf1\x7d\x58\xfe\x40\x01", 7, 0x1040), TL_ACCESS_NONE);
	CHECK_EQUAL(after("\x62\xf1\x7e\x08\x10\x40\x01", 7, 0x1010), TL_ACCESS_NONE);
	/* rep movsd has moved both pointers on, repe cmpsb reads both, lodsd one; a system call leaves no trace. */
	CHECK_EQUAL(after("\xf3\xa5", 2, 0x1ffc), TL_ACCESS_READ);
	CHECK_EQUAL(after("\xf3\xa5", 2, 0x2ffc), TL_ACCESS_WRITE);
	CHECK_EQUAL(after("\xf3\xa6", 2, 0x1ffc), TL_ACCESS_READ);
	CHECK_EQUAL(after("\xf3\xa6", 2, 0x2ffc), TL_ACCESS_READ);
	CHECK_EQUAL(after("\xad", 1, 0x1ffc), TL_ACCESS_READ);
	CHECK_EQUAL(after("\x0f\x05", 2, 0x1000), TL_ACCESS_NONE);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_EFLAGS, 0x400); /* downwards */
	CHECK_EQUAL(after("\xf3\xa5", 2, 0x2004), TL_ACCESS_READ);
	CHECK_EQUAL(after("\xf3\xa5", 2, 0x1ffc), TL_ACCESS_NONE);
}

TEST(code_before_an_access_tells_what_was_executed)
{
	/* push rbx; mov ebp, esp; sub rsp, 8; xor eax, eax; test ecx, ecx; and then */
#define CODE_BEFORE "\x53\x89\xe5\x48\x83\xec\x08\x31\xc0\x85\xc9"
	fresh_file();
	/* movups [rdi], xmm0, and not adc [rdi], eax; alone it may be either. */
	CHECK_EQUAL(after(CODE_BEFORE "\x0f\x11\x07", 14, 0x3000), TL_ACCESS_WRITE);
	CHECK_EQUAL(after("\x0f\x11\x07", 3, 0x3000), TL_ACCESS_NONE);
	CHECK_EQUAL(after(CODE_BEFORE "\x11\x07", 13, 0x3000), TL_ACCESS_BOTH);
	/* mov qword [rax], 0 ends in what adds to [rax]. */
	CHECK_EQUAL(after(CODE_BEFORE "\x48\xc7\x00\x00\x00\x00\x00", 18, 0x1000), TL_ACCESS_WRITE);
#undef CODE_BEFORE
}

TEST(copies_of_vectors_strings_and_system_calls)
{
	/* vmovups ymm0, [rip + 0x10]; vmovups zmm0, [rip + 0x10]; rep movsb; syscall; vzeroupper; endbr64 */
	static const struct {
		const char *bytes;
		tl_u8 size, displacement_at;
	} cases[] = {
		{"\xc5\xfc\x10\x05\x10\0\0\0", 8, 4},
		{"\x62\xf1\x7c\x48\x10\x05\x10\0\0\0", 10, 6},
		{"\xf3\xa4", 2, 0},
		{"\x0f\x05", 2, 0},
		{"\xc5\xf8\x77", 3, 0},
		{"\xf3\x0f\x1e\xfa", 4, 0},
	};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		tl_u8 size = cases[i].size, at = cases[i].displacement_at, code[TL_RELOCATED_MAX];
		tl_size length = 0, body = 0;

		CHECK_EQUAL(tl_cpu_x86_64.relocate((const tl_u8 *)cases[i].bytes, size, 0x401000, 0x400000, code,
						   &length, &body),
			    TL_OK);
		CHECK_EQUAL(body, size);
		CHECK_EQUAL(length, size + 5u);
		CHECK(memcmp(code, cases[i].bytes, at != 0 ? at : size) == 0);
		if (at != 0)
			CHECK_EQUAL(tl_load_little(code + at, 4), 0x1010);
		CHECK_EQUAL(code[size], 0xe9);
		CHECK_EQUAL((tl_i32)tl_load_little(code + size + 1, 4), 0x1000 - 5);
	}
}

TEST(code_before_an_access_does_not_confuse)
{
	fresh_file();
	/* test eax, eax; mov [rax], rbx: 48 89 18 and 89 18 agree. */
	CHECK_EQUAL(after("\x85\xc0\x48\x89\x18", 5, 0x1000), TL_ACCESS_WRITE);
	/* push rbx; mov ecx, [rax] */
	CHECK_EQUAL(after("\x53\x8b\x08", 3, 0x1000), TL_ACCESS_READ);
}

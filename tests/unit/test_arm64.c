#include "core/cpu/arm64_carry_out.h"
#include "core/cpu/arm64_decode.h"
#include "core/cpu/arm64_layout.h"
#include "tests/unit/test.h"

/* ---- Descriptions ---- */

TEST(descriptions_are_whole_for_each_vector_length)
{
	static tl_u8 used[16384];

	for (tl_u64 length = 16; length <= 256; length *= 2) {
		const struct tl_cpu *cpu = tl_arm64_with_vectors(length);
		tl_u16 index = 0;
		tl_u8 feature = 0;

		REQUIRE(cpu != NULL);
		CHECK_EQUAL(tl_arm64_vector_length(cpu), length);
		memset(used, 0, sizeof(used));
		REQUIRE(cpu->file_size <= sizeof(used));
		for (tl_u16 i = 0; i < cpu->register_count; i++) {
			const struct tl_register *reg = &cpu->registers[i];

			CHECK(reg->offset + (reg->bits + 7) / 8 <= cpu->file_size);
			CHECK(reg->feature >= feature);
			feature = reg->feature;
			for (int b = 0; b < (reg->bits + 7) / 8; b++)
				CHECK_EQUAL(used[reg->offset + b]++, 0);
		}
		REQUIRE(tl_cpu_find(cpu, "z31", &index) == TL_OK);
		CHECK_EQUAL(cpu->registers[index].bits, 8 * length);
		REQUIRE(tl_cpu_find(cpu, "p15", &index) == TL_OK);
		CHECK_EQUAL(cpu->registers[index].bits, length);
	}
	CHECK(tl_arm64_with_vectors(0) == NULL);
	CHECK(tl_arm64_with_vectors(48) == NULL);
	CHECK(tl_arm64_with_vectors(512) == NULL);
	CHECK_EQUAL(tl_arm64_vector_length(&tl_cpu_aarch64), 0);
}

TEST(the_numbers_are_gdbs)
{
	/* As its features aarch64.core and aarch64.fpu have them. */
	static const struct {
		const char *name;
		tl_u16 number;
	} rows[] = {{"x0", 0},  {"x30", 30}, {"sp", 31},   {"pc", 32},   {"cpsr", 33},
		    {"v0", 34}, {"v31", 65}, {"fpsr", 66}, {"fpcr", 67}, {"lr", 30}};

	for (size_t i = 0; i < TL_COUNT(rows); i++) {
		tl_u16 found = 0;

		CHECK_EQUAL(tl_cpu_find(&tl_cpu_aarch64, rows[i].name, &found), TL_OK);
		CHECK_EQUAL(found, rows[i].number);
	}
}

/* ---- Carrying out ---- */

#define AT 0x400000
#define MEMORY_AT 0x10000

struct machine {
	tl_u8 file[TL_ARM64_FILE_SIZE];
	tl_u8 memory[256];
	bool refuses;
};

static tl_u8 *place(struct machine *machine, tl_u64 address, tl_size size)
{
	if (machine->refuses || address < MEMORY_AT || address + size > MEMORY_AT + sizeof(machine->memory))
		return NULL;
	return machine->memory + (address - MEMORY_AT);
}

static enum tl_status read(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const tl_u8 *at = place(context, address, size);

	if (at == NULL)
		return TL_ERROR_MEMORY;
	memcpy(buffer, at, size);
	return TL_OK;
}

static enum tl_status write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	tl_u8 *at = place(context, address, size);

	if (at == NULL)
		return TL_ERROR_MEMORY;
	memcpy(at, buffer, size);
	return TL_OK;
}

static void set(struct machine *machine, unsigned number, tl_u64 value)
{
	tl_store_little(machine->file + 8 * (size_t)number, value, 8);
}

static tl_u64 get(const struct machine *machine, unsigned number)
{
	return tl_load_little(machine->file + 8 * (size_t)number, 8);
}

enum { SP = 31, PC = 32, STATE = 33 };

static struct machine make(void)
{
	struct machine machine = {.refuses = false};

	set(&machine, PC, AT);
	set(&machine, SP, MEMORY_AT + 128);
	return machine;
}

static enum tl_status carry_out(struct machine *machine, tl_u32 word)
{
	struct tl_memory_access memory = {read, write, machine};
	struct tl_instruction instruction;
	tl_u8 bytes[4];

	tl_store_little(bytes, word, 4);
	CHECK_EQUAL(tl_cpu_aarch64.decode(bytes, 4, &instruction), TL_OK);
	CHECK(instruction.carried_out);
	return tl_cpu_aarch64.carry_out(machine->file, bytes, 4, &memory);
}

TEST(addresses_and_jumps_are_counted_from_the_instruction)
{
	struct machine machine = make();

	CHECK_EQUAL(carry_out(&machine, 0x10000081), TL_OK); /* adr x1, .+16 */
	CHECK_EQUAL(get(&machine, 1), AT + 16);
	CHECK_EQUAL(get(&machine, PC), AT + 4);
	CHECK_EQUAL(carry_out(&machine, 0xf0ffffe2), TL_OK); /* adrp x2, .-4096 */
	CHECK_EQUAL(get(&machine, 2), (AT & ~4095) - 4096);
	CHECK_EQUAL(carry_out(&machine, 0x97ffffff), TL_OK); /* bl .-4 */
	CHECK_EQUAL(get(&machine, PC), AT + 4);
	CHECK_EQUAL(get(&machine, 30), AT + 12);
	set(&machine, 5, AT + 0x100);
	CHECK_EQUAL(carry_out(&machine, 0xd63f00a0), TL_OK); /* blr x5 */
	CHECK_EQUAL(get(&machine, PC), AT + 0x100);
	CHECK_EQUAL(get(&machine, 30), AT + 8);
	CHECK_EQUAL(carry_out(&machine, 0xd65f03c0), TL_OK); /* ret */
	CHECK_EQUAL(get(&machine, PC), AT + 8);
	set(&machine, 30, AT + 2);
	CHECK(carry_out(&machine, 0xd65f03c0) != TL_OK); /* the machine is to fault */
	CHECK_EQUAL(get(&machine, PC), AT + 8);
}

TEST(how_the_last_branch_came_is_over_with_the_instruction)
{
	struct machine machine = make();

	set(&machine, STATE, TL_ARM64_BRANCH_TYPE | TL_ARM64_Z);
	CHECK_EQUAL(carry_out(&machine, 0xd503245f), TL_OK); /* bti c */
	CHECK_EQUAL(get(&machine, STATE), TL_ARM64_Z);
	CHECK_EQUAL(get(&machine, PC), AT + 4);
}

TEST(conditions_are_those_of_the_flags)
{
	/* b.CONDITION .+8, for each condition: which of the sixteen states of NZCV take it. */
	static const tl_u16 taken[16] = {0xf0f0, 0x0f0f, 0xcccc, 0x3333, 0xff00, 0x00ff, 0xaaaa, 0x5555,
					 0x0c0c, 0xf3f3, 0xaa55, 0x55aa, 0x0a05, 0xf5fa, 0xffff, 0xffff};

	for (tl_u32 condition = 0; condition < 16; condition++)
		for (tl_u32 flags = 0; flags < 16; flags++) {
			struct machine machine = make();

			set(&machine, STATE, (tl_u64)flags << 28);
			CHECK_EQUAL(carry_out(&machine, 0x54000040 | condition), TL_OK);
			CHECK_EQUAL(get(&machine, PC), AT + ((taken[condition] >> flags & 1) != 0 ? 8 : 4));
		}
}

TEST(compare_and_test_and_branch)
{
	static const struct {
		tl_u32 word;
		tl_u64 value;
		bool taken;
	} rows[] = {
		{0xb4000043, 0, true}, /* cbz x3, .+8 */
		{0xb4000043, (tl_u64)1 << 40, false},
		{0x34000043, (tl_u64)1 << 40, true},  /* cbz w3, .+8 */
		{0xb5000043, (tl_u64)1 << 40, true},  /* cbnz x3, .+8 */
		{0x35000043, (tl_u64)1 << 40, false}, /* cbnz w3, .+8 */
		{0xb6400043, (tl_u64)1 << 40, false}, /* tbz x3, #40, .+8 */
		{0xb7400043, (tl_u64)1 << 40, true},  /* tbnz x3, #40, .+8 */
		{0x37080043, 2, true},                /* tbnz w3, #1, .+8 */
		{0x36080043, 2, false},               /* tbz w3, #1, .+8 */
	};

	for (size_t i = 0; i < TL_COUNT(rows); i++) {
		struct machine machine = make();

		set(&machine, 3, rows[i].value);
		CHECK_EQUAL(carry_out(&machine, rows[i].word), TL_OK);
		CHECK_EQUAL(get(&machine, PC), AT + (rows[i].taken ? 8 : 4));
	}
}

TEST(arithmetic_and_its_flags)
{
	static const struct {
		tl_u32 word;
		tl_u64 one, other, result, flags;
	} rows[] = {
		{0x8b020020, 5, 7, 12, 0},                               /* add x0, x1, x2 */
		{0x0b020020, 0xffffffff, 1, 0, 0},                       /* add w0, w1, w2 */
		{0xab020020, ~(tl_u64)0, 1, 0, TL_ARM64_Z | TL_ARM64_C}, /* adds x0, x1, x2 */
		{0xab020020, (tl_u64)1 << 62, (tl_u64)1 << 62, (tl_u64)1 << 63, TL_ARM64_N | TL_ARM64_V},
		{0x2b020020, 0x80000000, 0x80000000, 0, TL_ARM64_Z | TL_ARM64_C | TL_ARM64_V}, /* adds w0, … */
		{0xeb020020, 5, 5, 0, TL_ARM64_Z | TL_ARM64_C},                                /* subs x0, x1, x2 */
		{0xeb020020, 5, 0, 5, TL_ARM64_C},
		{0xeb020020, 3, 5, ~(tl_u64)1, TL_ARM64_N},
		{0x6b020020, 3, 5, 0xfffffffe, TL_ARM64_N}, /* subs w0, w1, w2 */
		{0x6b020020, 0x80000000, 1, 0x7fffffff, TL_ARM64_C | TL_ARM64_V},
		{0xcb421020, 100, 0x50, 95, 0},    /* sub x0, x1, x2, lsr #4 */
		{0x91404820, 1, 0, 0x12001, 0},    /* add x0, x1, #0x12, lsl #12 */
		{0xaa0203e0, 1, 9, 9, 0},          /* mov x0, x2 */
		{0x2a2203e0, 1, 9, 0xfffffff6, 0}, /* mvn w0, w2 */
		{0xea020020, 6, 3, 2, 0},          /* ands x0, x1, x2 */
		{0xea020020, 4, 3, 0, TL_ARM64_Z},
		{0xca020020, 6, 3, 5, 0},                               /* eor x0, x1, x2 */
		{0x8ac20420, 7, 1, 0, 0},                               /* and x0, x1, x2, ror #1 */
		{0xd2824680, 0, 0, 0x1234, 0},                          /* movz x0, #0x1234 */
		{0x92824680, 0, 0, ~(tl_u64)0x1234, 0},                 /* movn x0, #0x1234 */
		{0x12824680, 0, 0, 0xffffedcb, 0},                      /* movn w0, #0x1234 */
		{0x72a24680, 0, 0, 0x12340000, 0},                      /* movk w0, #0x1234, lsl #16 */
		{0xd37df020, 5, 0, 40, 0},                              /* lsl x0, x1, #3 */
		{0xd343fc20, 41, 0, 5, 0},                              /* lsr x0, x1, #3 */
		{0x531f7820, 0x80000001, 0, 2, 0},                      /* lsl w0, w1, #1 */
		{0x131f7c20, 0x80000000, 0, 0xffffffff, 0},             /* asr w0, w1, #31 */
		{0x9343fc20, (tl_u64)1 << 63, 0, (tl_u64)0xf << 60, 0}, /* asr x0, x1, #3 */
		{0x93407c20, 0x80000000, 0, 0xffffffff80000000, 0},     /* sxtw x0, w1 */
		{0x53001c20, 0x1234, 0, 0x34, 0},                       /* uxtb w0, w1 */
		{0xd3481c20, 0xabc, 0, (tl_u64)0xbc << 56, 0},          /* lsl x0, x1, #56 */
		{0x93781c20, 0x8f, 0, (tl_u64)0xffffffffffff8f00, 0},   /* sbfiz x0, x1, #8, #8 */
		{0xd3485c20, 0x123456, 0, 0x1234, 0},                   /* ubfx x0, x1, #8, #16 */
		{0xb3781c20, 0x12, 0, 0x1200, 0},                       /* bfi x0, x1, #8, #8 */
	};

	for (size_t i = 0; i < TL_COUNT(rows); i++) {
		struct machine machine = make();

		set(&machine, 1, rows[i].one);
		set(&machine, 2, rows[i].other);
		CHECK_EQUAL(carry_out(&machine, rows[i].word), TL_OK);
		if (get(&machine, 0) != rows[i].result || get(&machine, STATE) != rows[i].flags)
			printf("  row %zu\n", i);
		CHECK_EQUAL(get(&machine, 0), rows[i].result);
		CHECK_EQUAL(get(&machine, STATE), rows[i].flags);
	}
}

TEST(loads_and_stores)
{
	struct machine machine = make();

	set(&machine, 29, 0x1111);
	set(&machine, 30, 0x2222);
	CHECK_EQUAL(carry_out(&machine, 0xa9be7bfd), TL_OK); /* stp x29, x30, [sp, #-32]! */
	CHECK_EQUAL(get(&machine, SP), MEMORY_AT + 96);
	CHECK_EQUAL(tl_load_little(machine.memory + 96, 8), 0x1111);
	CHECK_EQUAL(tl_load_little(machine.memory + 104, 8), 0x2222);
	set(&machine, 0, 0xfedcba9876543210);
	CHECK_EQUAL(carry_out(&machine, 0xb90013e0), TL_OK); /* str w0, [sp, #16] */
	CHECK_EQUAL(tl_load_little(machine.memory + 112, 8), 0x76543210);
	CHECK_EQUAL(carry_out(&machine, 0x39807be1), TL_OK); /* ldrsb x1, [sp, #30] */
	CHECK_EQUAL(get(&machine, 1), 0);
	machine.memory[126] = 0x80;
	CHECK_EQUAL(carry_out(&machine, 0x39807be1), TL_OK);
	CHECK_EQUAL(get(&machine, 1), (tl_u64)-128);
	CHECK_EQUAL(carry_out(&machine, 0x39c07be1), TL_OK); /* ldrsb w1, [sp, #30] */
	CHECK_EQUAL(get(&machine, 1), 0xffffff80);
	CHECK_EQUAL(carry_out(&machine, 0xa8c27bfd), TL_OK); /* ldp x29, x30, [sp], #32 */
	CHECK_EQUAL(get(&machine, SP), MEMORY_AT + 128);
	CHECK_EQUAL(get(&machine, 30), 0x2222);
	set(&machine, 3, (tl_u64)-2);
	set(&machine, 4, MEMORY_AT + 116);
	tl_store_little(machine.memory + 108, 0x8000000000000001, 8);
	CHECK_EQUAL(carry_out(&machine, 0xb8a3d885), TL_OK); /* ldrsw x5, [x4, w3, sxtw #2] */
	CHECK_EQUAL(get(&machine, 5), 1);
	CHECK_EQUAL(carry_out(&machine, 0xf85f8484), TL_ERROR_MEMORY); /* ldr x4, [x4], #-8: no one knows */
}

TEST(what_faults_is_left_to_the_machine)
{
	struct machine machine = make(), before;

	set(&machine, SP, MEMORY_AT + 120);
	before = machine;
	CHECK_EQUAL(carry_out(&machine, 0xf90003e0), TL_ERROR_MEMORY); /* str x0, [sp]: not aligned */
	set(&machine, 1, (tl_u64)1 << 56 | MEMORY_AT);
	set(&before, 1, (tl_u64)1 << 56 | MEMORY_AT);
	CHECK_EQUAL(carry_out(&machine, 0xf9400020), TL_ERROR_MEMORY); /* ldr x0, [x1]: tagged */
	set(&machine, SP, MEMORY_AT);
	set(&before, SP, MEMORY_AT);
	CHECK_EQUAL(carry_out(&machine, 0xa9be7bfd), TL_ERROR_MEMORY); /* stp x29, x30, [sp, #-32]! */
	CHECK(memcmp(&machine, &before, sizeof(machine)) == 0);
}

/* ---- Elsewhere ---- */

TEST(copies_jump_back_as_far_as_a_jump_goes)
{
	static const tl_u8 bytes[] = {0x00, 0x00, 0x02, 0x8b}; /* add x0, x0, x2 */
	tl_u8 code[TL_RELOCATED_MAX];
	tl_size length = 0, body = 0;

	CHECK_EQUAL(tl_cpu_aarch64.relocate(bytes, 4, 0x400000, 0x300000, code, &length, &body), TL_OK);
	CHECK_EQUAL(length, 8);
	CHECK_EQUAL(body, 4);
	CHECK_EQUAL(tl_load_little(code, 4), 0x8b020000);
	CHECK_EQUAL(tl_load_little(code + 4, 4), 0x14040000);
	CHECK_EQUAL(tl_cpu_aarch64.relocate(bytes, 4, 0x400000, 0x500000, code, &length, &body), TL_OK);
	CHECK_EQUAL(tl_load_little(code + 4, 4), 0x17fc0000);
	CHECK_EQUAL(tl_cpu_aarch64.relocate(bytes, 4, 0, 0x8000000, code, &length, &body), TL_OK);
	CHECK_EQUAL(tl_cpu_aarch64.relocate(bytes, 4, 0, 0x8000004, code, &length, &body), TL_ERROR_INSTRUCTION);
	CHECK_EQUAL(tl_cpu_aarch64.relocate(bytes, 4, 0x8000000, 0, code, &length, &body), TL_ERROR_INSTRUCTION);
}

TEST(what_is_counted_from_the_instruction_has_no_copy)
{
	static const tl_u32 words[] = {0x10000081, 0xf0ffffe2, 0x14000001, 0x94000001, 0x54000040, 0xb4000043,
				       0xb6400043, 0x58000040, 0x1c000040, 0xd4200000, 0xd65f03c0, 0xd63f00a0};

	for (size_t i = 0; i < TL_COUNT(words); i++) {
		struct tl_arm64_instruction in;

		REQUIRE(tl_arm64_decode(words[i], &in) == TL_OK);
		CHECK(!tl_arm64_relocatable(&in));
	}
}

/* ---- Exclusive sequences ---- */

struct code {
	tl_u64 at;
	const tl_u32 *words;
	size_t count;
};

static enum tl_status read_code(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct code *code = context;
	tl_u64 n = (address - code->at) / 4;

	if (address < code->at || n >= code->count)
		return TL_ERROR_MEMORY;
	tl_store_little(buffer, code->words[n], size);
	return TL_OK;
}

/* What compilers make of a compare-and-swap. */
static const tl_u32 compare_and_swap[] = {
	0xc85ffc01, /* 1000: ldaxr x1, [x0] */
	0xeb02003f, /* 1004: cmp x1, x2 */
	0x54000061, /* 1008: b.ne 1014 */
	0xc804fc03, /* 100c: stlxr w4, x3, [x0] */
	0x35ffff84, /* 1010: cbnz w4, 1000 */
	0xd65f03c0, /* 1014: ret */
};

TEST(a_sequence_ends_behind_its_store_and_where_branches_leave_it)
{
	struct code code = {0x1000, compare_and_swap, TL_COUNT(compare_and_swap)};
	struct tl_memory_access memory = {.read = read_code, .context = &code};
	struct tl_arm64_sequence sequence;

	REQUIRE(tl_arm64_sequence_at(0x1000, &memory, &sequence) == TL_OK);
	CHECK_EQUAL(sequence.load, 0x1000);
	CHECK_EQUAL(sequence.store, 0x100c);
	CHECK_EQUAL(sequence.status, 4);
	CHECK_EQUAL(sequence.end_count, 2);
	CHECK_EQUAL(sequence.ends[0], 0x1010);
	CHECK_EQUAL(sequence.ends[1], 0x1014);
	REQUIRE(tl_arm64_sequence_of_store(0x100c, &memory, &sequence) == TL_OK);
	CHECK_EQUAL(sequence.load, 0x1000);
	CHECK_EQUAL(tl_arm64_sequence_at(0x1004, &memory, &sequence), TL_ERROR_INSTRUCTION);
	CHECK(tl_arm64_sequence_of_store(0x1010, &memory, &sequence) != TL_OK);
}

TEST(branches_inside_a_sequence_are_no_ends)
{
	static const tl_u32 words[] = {
		0x885f7c01, /* 1000: ldxr w1, [x0] */
		0x34000041, /* 1004: cbz w1, 100c */
		0x11000421, /* 1008: add w1, w1, #1 */
		0x88047c01, /* 100c: stxr w4, w1, [x0] */
		0x35ffff84, /* 1010: cbnz w4, 1000 */
	};
	struct code code = {0x1000, words, TL_COUNT(words)};
	struct tl_memory_access memory = {.read = read_code, .context = &code};
	struct tl_arm64_sequence sequence;

	REQUIRE(tl_arm64_sequence_at(0x1000, &memory, &sequence) == TL_OK);
	CHECK_EQUAL(sequence.end_count, 1);
	CHECK_EQUAL(sequence.ends[0], 0x1010);
}

TEST(what_cannot_be_overseen_is_no_sequence)
{
	tl_u32 words[40] = {0x885f7c01};
	struct code code = {0x1000, words, TL_COUNT(words)};
	struct tl_memory_access memory = {.read = read_code, .context = &code};
	struct tl_arm64_sequence sequence;

	for (size_t i = 1; i < TL_COUNT(words); i++)
		words[i] = 0xd503201f; /* nop */
	CHECK_EQUAL(tl_arm64_sequence_at(0x1000, &memory, &sequence), TL_ERROR_INSTRUCTION);
	words[3] = 0x88047c01; /* stxr */
	CHECK_EQUAL(tl_arm64_sequence_at(0x1000, &memory, &sequence), TL_OK);
	words[2] = 0x94000010; /* bl */
	CHECK_EQUAL(tl_arm64_sequence_at(0x1000, &memory, &sequence), TL_ERROR_INSTRUCTION);
	words[2] = 0xd4200000; /* brk */
	CHECK_EQUAL(tl_arm64_sequence_at(0x1000, &memory, &sequence), TL_ERROR_INSTRUCTION);
	code.count = 2;
	CHECK_EQUAL(tl_arm64_sequence_at(0x1000, &memory, &sequence), TL_ERROR_MEMORY);
}

TEST(a_copy_of_a_load_leads_into_its_sequence)
{
	/* 0ff8: ldaxr x1, [x0]; 0ffc: b 1004 */
	tl_u32 words[2 + TL_COUNT(compare_and_swap)] = {0xc85ffc01, 0x14000002};
	struct code code = {0xff8, words, TL_COUNT(words)};
	struct tl_memory_access memory = {.read = read_code, .context = &code};
	struct tl_arm64_sequence sequence;

	memcpy(words + 2, compare_and_swap, sizeof(compare_and_swap));
	REQUIRE(tl_arm64_sequence_at(0xff8, &memory, &sequence) == TL_OK);
	CHECK_EQUAL(sequence.store, 0x100c);
	CHECK_EQUAL(sequence.ends[0], 0x1010);
	CHECK_EQUAL(sequence.ends[1], 0x1014);
}

TEST(who_stands_between_a_load_and_its_store_is_inside)
{
	struct code code = {0x1000, compare_and_swap, TL_COUNT(compare_and_swap)};
	struct tl_memory_access memory = {.read = read_code, .context = &code};

	CHECK_EQUAL(tl_arm64_in_sequence(0x1000, &memory), false);
	CHECK_EQUAL(tl_arm64_in_sequence(0x1004, &memory), true);
	CHECK_EQUAL(tl_arm64_in_sequence(0x1008, &memory), true);
	CHECK_EQUAL(tl_arm64_in_sequence(0x100c, &memory), true);
	CHECK_EQUAL(tl_arm64_in_sequence(0x1010, &memory), false);
}

static enum tl_status exclusive(struct machine *machine, tl_u32 word, struct tl_reservation *reservation)
{
	struct tl_memory_access memory = {.read = read, .write = write, .context = machine};
	tl_u8 bytes[4];

	tl_store_little(bytes, word, 4);
	return tl_cpu_aarch64.carry_out_exclusive(machine->file, bytes, sizeof(bytes), &memory, reservation);
}

#define LDAXR_X2 0xc85ffc02 /* ldaxr x2, [x0] */
#define STLXR_X1 0xc803fc01 /* stlxr w3, x1, [x0] */

TEST(a_store_exclusive_stores_what_its_load_has_seen_unchanged)
{
	struct machine machine = make();
	struct tl_reservation reservation = {.held = false};
	tl_u64 pc = get(&machine, 32);

	set(&machine, 0, MEMORY_AT | (tl_u64)0x5a << 56); /* with a tag */
	set(&machine, 1, 77);
	tl_store_little(machine.memory, 5, 8);
	/* Without a load it fails. */
	CHECK_EQUAL(exclusive(&machine, STLXR_X1, &reservation), TL_OK);
	CHECK_EQUAL(get(&machine, 3), 1);
	CHECK_EQUAL(tl_load_little(machine.memory, 8), 5);
	CHECK_EQUAL(exclusive(&machine, LDAXR_X2, &reservation), TL_OK);
	CHECK_EQUAL(get(&machine, 2), 5);
	CHECK_EQUAL(exclusive(&machine, STLXR_X1, &reservation), TL_OK);
	CHECK_EQUAL(get(&machine, 3), 0);
	CHECK_EQUAL(reservation.stored, true);
	CHECK_EQUAL(tl_load_little(machine.memory, 8), 77);
	CHECK_EQUAL(get(&machine, 32), pc + 12);
	/* Somebody else has stored meanwhile. */
	CHECK_EQUAL(exclusive(&machine, LDAXR_X2, &reservation), TL_OK);
	tl_store_little(machine.memory, 6, 8);
	CHECK_EQUAL(exclusive(&machine, STLXR_X1, &reservation), TL_OK);
	CHECK_EQUAL(get(&machine, 3), 1);
	CHECK_EQUAL(reservation.stored, false);
	CHECK_EQUAL(tl_load_little(machine.memory, 8), 6);
	/* So it is after clrex, and of another size or at another address. */
	CHECK_EQUAL(exclusive(&machine, LDAXR_X2, &reservation), TL_OK);
	CHECK_EQUAL(exclusive(&machine, 0xd5033f5f, &reservation), TL_OK);
	CHECK_EQUAL(exclusive(&machine, STLXR_X1, &reservation), TL_OK);
	CHECK_EQUAL(get(&machine, 3), 1);
	CHECK_EQUAL(exclusive(&machine, LDAXR_X2, &reservation), TL_OK);
	CHECK_EQUAL(exclusive(&machine, 0x8803fc01, &reservation), TL_OK); /* stlxr w3, w1, [x0] */
	CHECK_EQUAL(get(&machine, 3), 1);
	CHECK_EQUAL(tl_load_little(machine.memory, 8), 6);
}

TEST(exclusives_of_pairs_and_of_bytes)
{
	struct machine machine = make();
	struct tl_reservation reservation = {.held = false};

	set(&machine, 0, MEMORY_AT);
	tl_store_little(machine.memory, 0x1122334455667788, 8);
	tl_store_little(machine.memory + 8, 0x99, 8);
	CHECK_EQUAL(exclusive(&machine, 0xc87f0c02, &reservation), TL_OK); /* ldxp x2, x3, [x0] */
	CHECK_EQUAL(get(&machine, 2), 0x1122334455667788);
	CHECK_EQUAL(get(&machine, 3), 0x99);
	set(&machine, 4, 1);
	set(&machine, 5, 2);
	CHECK_EQUAL(exclusive(&machine, 0xc8261404, &reservation), TL_OK); /* stxp w6, x4, x5, [x0] */
	CHECK_EQUAL(get(&machine, 6), 0);
	CHECK_EQUAL(tl_load_little(machine.memory, 8), 1);
	CHECK_EQUAL(tl_load_little(machine.memory + 8, 8), 2);
	set(&machine, 2, ~(tl_u64)0);
	CHECK_EQUAL(exclusive(&machine, 0x085f7c02, &reservation), TL_OK); /* ldxrb w2, [x0] */
	CHECK_EQUAL(get(&machine, 2), 1);
	/* What the machine would fault on, and what it says nothing of, is left to it. */
	set(&machine, 0, MEMORY_AT + 4);
	CHECK_EQUAL(exclusive(&machine, LDAXR_X2, &reservation), TL_ERROR_MEMORY);
	set(&machine, 0, MEMORY_AT);
	CHECK_EQUAL(exclusive(&machine, 0xc801fc01, &reservation), TL_ERROR_INSTRUCTION); /* stlxr w1, x1, [x0] */
}

#include "core/agent/agent.h"
#include "core/agent/opcodes.h"
#include "tests/unit/test.h"

/* Memory of 256 bytes at 0x1000, registers whose value is their number times 10, and what was printed. */
struct machine {
	tl_u8 memory[256];
	char printed[1200];
	unsigned prints;
};

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct machine *machine = context;

	if (address < 0x1000 || address - 0x1000 > sizeof(machine->memory) ||
	    size > sizeof(machine->memory) - (address - 0x1000))
		return TL_ERROR_MEMORY;
	memcpy(buffer, machine->memory + (address - 0x1000), size);
	return TL_OK;
}

static enum tl_status read_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	(void)context;
	if (number > 1000)
		return TL_ERROR_REGISTER;
	*value_ret = (tl_u64)number * 10;
	return TL_OK;
}

static void print(void *context, const char *text, tl_size size)
{
	struct machine *machine = context;

	snprintf(machine->printed, sizeof(machine->printed), "%.*s", (int)size, text);
	machine->prints++;
}

static struct machine machine;

static struct tl_agent_environment usual(void)
{
	memset(&machine, 0, sizeof(machine));
	return (struct tl_agent_environment){.read_memory = read_memory,
					     .read_register = read_register,
					     .print = print,
					     .context = &machine,
					     .address_size = 8};
}

#define CODE(...)                                                                                                      \
	(const struct tl_agent_code)                                                                                   \
	{                                                                                                              \
		(const tl_u8[]){__VA_ARGS__}, sizeof((const tl_u8[]){__VA_ARGS__})                                     \
	}

static tl_u64 value_of(struct tl_agent_code code, struct tl_agent_environment environment)
{
	tl_u64 value = 0xdead;

	CHECK_EQUAL(tl_agent_verify(&code, NULL), TL_OK);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_OK);
	return value;
}

/* The result of `opcode` on two 64-bit constants. */
static tl_u64 binary(tl_u8 opcode, tl_u64 a, tl_u64 b)
{
	tl_u8 bytes[20] = {TL_AGENT_const64, [9] = TL_AGENT_const64, [18] = opcode, TL_AGENT_end};

	for (unsigned i = 0; i < 8; i++) {
		bytes[1 + i] = (tl_u8)(a >> (56 - 8 * i));
		bytes[10 + i] = (tl_u8)(b >> (56 - 8 * i));
	}
	return value_of((struct tl_agent_code){bytes, sizeof(bytes)}, usual());
}

static tl_u64 unary(tl_u8 opcode, tl_u8 operand, tl_u64 a)
{
	bool has_operand = opcode == TL_AGENT_ext || opcode == TL_AGENT_zero_ext;
	tl_u8 bytes[12] = {TL_AGENT_const64, [9] = opcode, has_operand ? operand : TL_AGENT_end, TL_AGENT_end};

	for (unsigned i = 0; i < 8; i++)
		bytes[1 + i] = (tl_u8)(a >> (56 - 8 * i));
	return value_of((struct tl_agent_code){bytes, has_operand ? 12 : 11}, usual());
}

static void check_refused(struct tl_agent_code code, enum tl_status wanted, tl_u16 where)
{
	tl_u16 offset = 0xffff;

	CHECK_EQUAL(tl_agent_verify(&code, &offset), wanted);
	CHECK_EQUAL(offset, where);
}

#define I64_MIN ((tl_u64)1 << 63)

TEST(arithmetic)
{
	CHECK_EQUAL(binary(TL_AGENT_add, TL_U64_MAX, 3), 2);
	CHECK_EQUAL(binary(TL_AGENT_sub, 3, 5), (tl_u64)-2);
	CHECK_EQUAL(binary(TL_AGENT_mul, (tl_u64)-3, 7), (tl_u64)-21);
	CHECK_EQUAL(binary(TL_AGENT_div_signed, (tl_u64)-7, 2), (tl_u64)-3);
	CHECK_EQUAL(binary(TL_AGENT_div_signed, I64_MIN, (tl_u64)-1), I64_MIN);
	CHECK_EQUAL(binary(TL_AGENT_div_unsigned, (tl_u64)-7, 2), ((tl_u64)-7) / 2);
	CHECK_EQUAL(binary(TL_AGENT_rem_signed, (tl_u64)-7, 2), (tl_u64)-1);
	CHECK_EQUAL(binary(TL_AGENT_rem_signed, I64_MIN, (tl_u64)-1), 0);
	CHECK_EQUAL(binary(TL_AGENT_rem_unsigned, (tl_u64)-7, 10), ((tl_u64)-7) % 10);
	CHECK_EQUAL(binary(TL_AGENT_bit_and, 12, 10), 8);
	CHECK_EQUAL(binary(TL_AGENT_bit_or, 12, 10), 14);
	CHECK_EQUAL(binary(TL_AGENT_bit_xor, 12, 10), 6);
	CHECK_EQUAL(binary(TL_AGENT_equal, 5, 5), 1);
	CHECK_EQUAL(binary(TL_AGENT_equal, 5, 6), 0);
	CHECK_EQUAL(binary(TL_AGENT_less_signed, (tl_u64)-1, 0), 1);
	CHECK_EQUAL(binary(TL_AGENT_less_signed, 0, 0), 0);
	CHECK_EQUAL(binary(TL_AGENT_less_unsigned, (tl_u64)-1, 0), 0);
	CHECK_EQUAL(binary(TL_AGENT_less_unsigned, 0, 1), 1);
}

TEST(shifts)
{
	CHECK_EQUAL(binary(TL_AGENT_lsh, 3, 4), 48);
	CHECK_EQUAL(binary(TL_AGENT_lsh, 3, 63), I64_MIN);
	CHECK_EQUAL(binary(TL_AGENT_lsh, 3, 64), 0);
	CHECK_EQUAL(binary(TL_AGENT_rsh_unsigned, I64_MIN, 63), 1);
	CHECK_EQUAL(binary(TL_AGENT_rsh_unsigned, I64_MIN, 64), 0);
	CHECK_EQUAL(binary(TL_AGENT_rsh_signed, I64_MIN, 62), (tl_u64)-2);
	CHECK_EQUAL(binary(TL_AGENT_rsh_signed, I64_MIN, 100), TL_U64_MAX);
	CHECK_EQUAL(binary(TL_AGENT_rsh_signed, 5, TL_U64_MAX), 0);
}

TEST(one_operand)
{
	CHECK_EQUAL(unary(TL_AGENT_log_not, 0, 0), 1);
	CHECK_EQUAL(unary(TL_AGENT_log_not, 0, 7), 0);
	CHECK_EQUAL(unary(TL_AGENT_bit_not, 0, 7), ~(tl_u64)7);
	CHECK_EQUAL(unary(TL_AGENT_ext, 8, 0x1234567890abcdff), TL_U64_MAX);
	CHECK_EQUAL(unary(TL_AGENT_ext, 8, 0x17f), 0x7f);
	CHECK_EQUAL(unary(TL_AGENT_ext, 32, 0x80000000), 0xffffffff80000000);
	CHECK_EQUAL(unary(TL_AGENT_ext, 63, (tl_u64)1 << 62), (tl_u64)3 << 62);
	CHECK_EQUAL(unary(TL_AGENT_ext, 1, 1), TL_U64_MAX);
	CHECK_EQUAL(unary(TL_AGENT_ext, 0, 5), 0);
	CHECK_EQUAL(unary(TL_AGENT_ext, 64, I64_MIN), I64_MIN);
	CHECK_EQUAL(unary(TL_AGENT_ext, 255, 5), 5);
	CHECK_EQUAL(unary(TL_AGENT_zero_ext, 8, 0x1234), 0x34);
	CHECK_EQUAL(unary(TL_AGENT_zero_ext, 0, 0x1234), 0);
	CHECK_EQUAL(unary(TL_AGENT_zero_ext, 64, TL_U64_MAX), TL_U64_MAX);
}

TEST(constants)
{
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 0xff, TL_AGENT_end), usual()), 0xff);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const16, 0xff, 1, TL_AGENT_end), usual()), 0xff01);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const32, 0xff, 1, 2, 3, TL_AGENT_end), usual()), 0xff010203);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const64, 0xff, 1, 2, 3, 4, 5, 6, 7, TL_AGENT_end), usual()),
		    0xff01020304050607);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_end), usual()), 0);
}

TEST(memory_and_registers)
{
	struct tl_agent_environment environment = usual();
	const tl_u8 references[] = {TL_AGENT_ref8, TL_AGENT_ref16, TL_AGENT_ref32, TL_AGENT_ref64};
	const tl_u64 little[] = {0x81, 0x8281, 0x84838281, 0x8887868584838281};
	const tl_u64 big[] = {0x81, 0x8182, 0x81828384, 0x8182838485868788};

	for (tl_u8 i = 0; i < 8; i++)
		machine.memory[3 + i] = (tl_u8)(0x81 + i);
	for (tl_size i = 0; i < 4; i++) {
		const tl_u8 bytes[] = {TL_AGENT_const16, 0x10, 0x03, references[i], TL_AGENT_end};

		environment.big_endian = false;
		CHECK_EQUAL(value_of((struct tl_agent_code){bytes, sizeof(bytes)}, environment), little[i]);
		environment.big_endian = true;
		CHECK_EQUAL(value_of((struct tl_agent_code){bytes, sizeof(bytes)}, environment), big[i]);
	}
	CHECK_EQUAL(value_of(CODE(TL_AGENT_reg, 1, 2, TL_AGENT_end), environment), 2580);
}

TEST(stack_operations)
{
	/* The digits of the result show the order of what was on the stack. */
#define DIGITS TL_AGENT_const8, 10, TL_AGENT_mul, TL_AGENT_add
	CHECK_EQUAL(
		value_of(CODE(TL_AGENT_const8, 1, TL_AGENT_const8, 2, TL_AGENT_swap, DIGITS, TL_AGENT_end), usual()),
		2 + 10);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 1, TL_AGENT_const8, 2, TL_AGENT_const8, 3, TL_AGENT_rot, DIGITS,
				  DIGITS, TL_AGENT_end),
			     usual()),
		    3 + 10 * (1 + 10 * 2));
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 4, TL_AGENT_dup, DIGITS, TL_AGENT_end), usual()), 44);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 4, TL_AGENT_const8, 5, TL_AGENT_pop, TL_AGENT_end), usual()), 4);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 4, TL_AGENT_const8, 5, TL_AGENT_pick, 1, TL_AGENT_end), usual()), 4);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 4, TL_AGENT_const8, 5, TL_AGENT_pick, 0, TL_AGENT_end), usual()), 5);
}

TEST(jumps)
{
	/* 1 ? 7 : 8, and with 0 */
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 1, TL_AGENT_if_goto, 0, 10, TL_AGENT_const8, 8, TL_AGENT_goto, 0, 12,
				  TL_AGENT_const8, 7, TL_AGENT_end),
			     usual()),
		    7);
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 0, TL_AGENT_if_goto, 0, 10, TL_AGENT_const8, 8, TL_AGENT_goto, 0, 12,
				  TL_AGENT_const8, 7, TL_AGENT_end),
			     usual()),
		    8);
	/* A loop that counts 200 down to 0 and leaves 42. */
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 200, TL_AGENT_const8, 1, TL_AGENT_sub, TL_AGENT_dup,
				  TL_AGENT_if_goto, 0, 2, TL_AGENT_const8, 42, TL_AGENT_end),
			     usual()),
		    42);
}

TEST(step_limit)
{
	struct tl_agent_code code = CODE(TL_AGENT_goto, 0, 0);
	struct tl_agent_environment environment = usual();
	tl_u64 value = 17;
	tl_u16 offset = 99;

	CHECK_EQUAL(tl_agent_verify(&code, NULL), TL_OK);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_ERROR_BYTECODE_STEPS);
	CHECK_EQUAL(offset, 0);
	CHECK_EQUAL(value, 17);
	/* Exactly enough and one too few. */
	code = CODE(TL_AGENT_const8, 1, TL_AGENT_dup, TL_AGENT_end);
	environment.steps = 3;
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_OK);
	environment.steps = 2;
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_ERROR_BYTECODE_STEPS);
	CHECK_EQUAL(offset, 3);
}

TEST(errors_while_running)
{
	struct tl_agent_environment environment = usual(), empty = {.context = NULL};
	static const tl_u8 divisions[] = {TL_AGENT_div_signed, TL_AGENT_div_unsigned, TL_AGENT_rem_signed,
					  TL_AGENT_rem_unsigned};
	struct tl_agent_code code;
	tl_u64 value = 0;
	tl_u16 offset;

	for (tl_size i = 0; i < TL_COUNT(divisions); i++) {
		const tl_u8 bytes[] = {TL_AGENT_const8, 1, TL_AGENT_const8, 0, divisions[i], TL_AGENT_end};

		code = (struct tl_agent_code){bytes, sizeof(bytes)};
		CHECK_EQUAL(tl_agent_verify(&code, NULL), TL_OK);
		CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_ERROR_DIVIDE);
		CHECK_EQUAL(offset, 4);
	}
	code = CODE(TL_AGENT_const8, 9, TL_AGENT_ref64, TL_AGENT_end);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_ERROR_MEMORY);
	CHECK_EQUAL(offset, 2);
	CHECK_EQUAL(tl_agent_run(&code, &empty, &value, &offset), TL_ERROR_UNSUPPORTED);
	code = CODE(TL_AGENT_reg, 0xff, 0xff, TL_AGENT_end);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, &offset), TL_ERROR_REGISTER);
	CHECK_EQUAL(offset, 0);
	CHECK_EQUAL(tl_agent_run(&code, &empty, &value, NULL), TL_ERROR_UNSUPPORTED);
	code = CODE(TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 0, 0, 2, 'a', 0, TL_AGENT_end);
	CHECK_EQUAL(tl_agent_run(&code, &empty, &value, NULL), TL_ERROR_UNSUPPORTED);
}

TEST(unverified_code_is_safe)
{
	struct tl_agent_environment environment = usual();
	tl_u64 value = 0;
	tl_u8 push_for_ever[] = {TL_AGENT_const8, 1, TL_AGENT_goto, 0, 0};
	struct tl_agent_code code = {push_for_ever, sizeof(push_for_ever)};

	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE_STACK);
	code = CODE(TL_AGENT_add, TL_AGENT_end);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE_STACK);
	code = CODE(TL_AGENT_const8, 1, TL_AGENT_pick, 1, TL_AGENT_end);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE_STACK);
	code = CODE(TL_AGENT_goto, 0x12, 0x34);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE);
	code = CODE(TL_AGENT_const64, 1);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE);
	code = (struct tl_agent_code){NULL, 0};
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE);
	code = CODE(TL_AGENT_const8, 1, TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 1, 0, 3, '%', 'f', 0);
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_UNSUPPORTED);
	code = CODE(TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 0, 0, 2, '%', 'd');
	CHECK_EQUAL(tl_agent_run(&code, &environment, &value, NULL), TL_ERROR_BYTECODE);
}

TEST(refused_opcodes)
{
	static const tl_u8 refused[] = {TL_AGENT_float,     TL_AGENT_trace,      TL_AGENT_trace_quick,
					TL_AGENT_ref_float, TL_AGENT_ref_double, TL_AGENT_ref_long_double,
					TL_AGENT_l_to_d,    TL_AGENT_d_to_l,     TL_AGENT_getv,
					TL_AGENT_setv,      TL_AGENT_tracev,     TL_AGENT_tracenz,
					TL_AGENT_trace16};
	static const tl_u8 unknown[] = {0, 0x31, 0x35, 0x80, 0xff};

	for (tl_size i = 0; i < TL_COUNT(refused); i++) {
		const tl_u8 bytes[] = {TL_AGENT_const8, 0, TL_AGENT_dup, refused[i], 0, 0, TL_AGENT_end};

		check_refused((struct tl_agent_code){bytes, sizeof(bytes)}, TL_ERROR_UNSUPPORTED, 3);
		CHECK(tl_agent_mnemonic(refused[i]) != NULL);
	}
	for (tl_size i = 0; i < TL_COUNT(unknown); i++) {
		const tl_u8 bytes[] = {TL_AGENT_const8, 0, unknown[i], TL_AGENT_end};

		check_refused((struct tl_agent_code){bytes, sizeof(bytes)}, TL_ERROR_BYTECODE, 2);
		CHECK(tl_agent_mnemonic(unknown[i]) == NULL);
	}
	CHECK_TEXT(tl_agent_mnemonic(TL_AGENT_rsh_signed), "rsh_signed");
}

TEST(malformed_code)
{
	static tl_u8 long_code[TL_AGENT_CODE_MAX + 1];

	check_refused((struct tl_agent_code){NULL, 0}, TL_ERROR_BYTECODE, 0);
	check_refused(CODE(TL_AGENT_const16, 1), TL_ERROR_BYTECODE, 0);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_const64, 1, 2, 3, 4, 5, 6, 7), TL_ERROR_BYTECODE, 2);
	/* Runs past the end. */
	check_refused(CODE(TL_AGENT_const8, 1), TL_ERROR_BYTECODE, 2);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_if_goto, 0, 0), TL_ERROR_BYTECODE, 5);
	memset(long_code, TL_AGENT_end, sizeof(long_code));
	CHECK_EQUAL(tl_agent_verify(&(struct tl_agent_code){long_code, TL_AGENT_CODE_MAX}, NULL), TL_OK);
	check_refused((struct tl_agent_code){long_code, TL_AGENT_CODE_MAX + 1}, TL_ERROR_TOO_LONG, 0);
}

TEST(stack_faults)
{
	tl_u8 pushes[2 * TL_AGENT_STACK_MAX + 3];

	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_add, TL_AGENT_end), TL_ERROR_BYTECODE_STACK, 2);
	check_refused(CODE(TL_AGENT_pop, TL_AGENT_end), TL_ERROR_BYTECODE_STACK, 0);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_pick, 1, TL_AGENT_end), TL_ERROR_BYTECODE_STACK, 2);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_dup, TL_AGENT_printf, 1, 0, 3, '%', 'd', 0, TL_AGENT_end),
		      TL_ERROR_BYTECODE_STACK, 3);
	for (tl_size i = 0; i <= TL_AGENT_STACK_MAX; i++) {
		pushes[2 * i] = TL_AGENT_const8;
		pushes[2 * i + 1] = 1;
	}
	pushes[2 * TL_AGENT_STACK_MAX + 2] = TL_AGENT_end;
	check_refused((struct tl_agent_code){pushes, sizeof(pushes)}, TL_ERROR_BYTECODE_STACK, 2 * TL_AGENT_STACK_MAX);
	CHECK_EQUAL(value_of((struct tl_agent_code){pushes + 2, sizeof(pushes) - 2}, usual()), 1);
	/* Two ways of different height meet. */
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_if_goto, 0, 7, TL_AGENT_const8, 1, TL_AGENT_end),
		      TL_ERROR_BYTECODE_STACK, 7);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_dup, TL_AGENT_goto, 0, 0), TL_ERROR_BYTECODE_STACK, 3);
}

TEST(bad_jumps)
{
	check_refused(CODE(TL_AGENT_goto, 0, 3), TL_ERROR_BYTECODE, 0);
	check_refused(CODE(TL_AGENT_goto, 0xff, 0xff, TL_AGENT_end), TL_ERROR_BYTECODE, 0);
	/* Into an operand, ahead and behind. */
	check_refused(CODE(TL_AGENT_goto, 0, 4, TL_AGENT_const8, 1, TL_AGENT_end), TL_ERROR_BYTECODE, 0);
	check_refused(CODE(TL_AGENT_const8, TL_AGENT_end, TL_AGENT_pop, TL_AGENT_goto, 0, 1), TL_ERROR_BYTECODE, 3);
	/* Into itself, and into the last operand of the code. */
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_if_goto, 0, 3, TL_AGENT_end), TL_ERROR_BYTECODE, 2);
	check_refused(CODE(TL_AGENT_const8, 1, TL_AGENT_if_goto, 0, 8, TL_AGENT_goto, 0, 5), TL_ERROR_BYTECODE, 2);
	/* Behind a goto, into code that nothing else reaches, where the height is not known. */
	check_refused(CODE(TL_AGENT_goto, 0, 6, TL_AGENT_goto, 0, 6, TL_AGENT_goto, 0, 3), TL_ERROR_BYTECODE, 6);
}

TEST(dead_code_is_still_code)
{
	CHECK_EQUAL(value_of(CODE(TL_AGENT_const8, 5, TL_AGENT_end, TL_AGENT_add, TL_AGENT_goto, 0, 7, TL_AGENT_end),
			     usual()),
		    5);
	check_refused(CODE(TL_AGENT_end, 0xff), TL_ERROR_BYTECODE, 1);
	check_refused(CODE(TL_AGENT_end, TL_AGENT_goto, 0, 2), TL_ERROR_BYTECODE, 1);
	check_refused(CODE(TL_AGENT_end, TL_AGENT_const8, 0, TL_AGENT_goto, 0, 2), TL_ERROR_BYTECODE, 3);
}

TEST(bounds_of_the_verifier)
{
	static tl_u8 bytes[1024];
	struct tl_agent_code code = {bytes, 0};

	/* 96 jumps to 96 places ahead at once, and 97. */
	for (tl_u16 places = 96; places <= 97; places++) {
		tl_u16 at = 0;

		for (tl_u16 i = 0; i < places; i++) {
			tl_u16 to = (tl_u16)(places * 5 + i);

			bytes[at++] = TL_AGENT_const8;
			bytes[at++] = 0;
			bytes[at++] = TL_AGENT_if_goto;
			bytes[at++] = (tl_u8)(to >> 8);
			bytes[at++] = (tl_u8)to;
		}
		memset(bytes + at, TL_AGENT_end, places);
		code.size = (tl_u16)(at + places);
		CHECK_EQUAL(tl_agent_verify(&code, NULL), places == 96 ? TL_OK : TL_ERROR_TOO_LONG);
	}
	/* 64 jumps back, and 65. */
	for (tl_u16 jumps = 64; jumps <= 65; jumps++) {
		tl_u16 at = 0;

		for (tl_u16 i = 0; i < jumps; i++, at = (tl_u16)(at + 5))
			memcpy(bytes + at, (const tl_u8[]){TL_AGENT_const8, 0, TL_AGENT_if_goto, 0, 0}, 5);
		bytes[at++] = TL_AGENT_end;
		code.size = at;
		CHECK_EQUAL(tl_agent_verify(&code, NULL), jumps == 64 ? TL_OK : TL_ERROR_TOO_LONG);
	}
}

/* Runs printf with `format` and up to three arguments; what it printed. */
static const char *formatted(const char *format, tl_size count, tl_u64 a, tl_u64 b, tl_u64 c)
{
	struct tl_agent_environment environment = usual();
	const tl_u64 arguments[] = {a, b, c};
	tl_size size = strlen(format) + 1;
	tl_u8 bytes[1200];
	struct tl_writer writer = tl_writer_make(bytes, sizeof(bytes));
	struct tl_agent_code code;
	tl_u64 value = 0;
	enum tl_status status;

	memcpy(machine.memory + 16,
	       "a string of some length, so that it goes over the pieces in which strings are read", 83);
	memset(machine.memory + 200, 'x', 56);
	for (tl_size i = count; i-- > 0;) {
		tl_write_byte(&writer, TL_AGENT_const64);
		for (unsigned shift = 64; shift > 0; shift -= 8)
			tl_write_byte(&writer, (tl_u8)(arguments[i] >> (shift - 8)));
	}
	tl_write_bytes(&writer, (const tl_u8[]){TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf}, 4);
	tl_write_byte(&writer, (tl_u8)count);
	tl_write_byte(&writer, (tl_u8)(size >> 8));
	tl_write_byte(&writer, (tl_u8)size);
	tl_write_bytes(&writer, format, size);
	tl_write_byte(&writer, TL_AGENT_end);
	code = (struct tl_agent_code){bytes, (tl_u16)tl_writer_size(&writer)};
	status = tl_agent_verify(&code, NULL);
	if (status != TL_OK) {
		snprintf(machine.printed, sizeof(machine.printed), "verify: %s", tl_status_name(status));
		return machine.printed;
	}
	status = tl_agent_run(&code, &environment, &value, NULL);
	if (status != TL_OK) {
		CHECK_EQUAL(machine.prints, 0);
		snprintf(machine.printed, sizeof(machine.printed), "run: %s", tl_status_name(status));
	} else {
		CHECK_EQUAL(machine.prints, machine.printed[0] != 0);
	}
	return machine.printed;
}

TEST(printf_integers)
{
	static const char *const formats[] = {"%d",      "%5d",    "%-5d|", "%05d", "%+d",  "% d",   "%.4d",   "%8.4d",
					      "%-8.4d|", "%i",     "%u",    "%x",   "%#x",  "%#10x", "%#010x", "%X",
					      "%#X",     "%o",     "%#o",   "%hd",  "%hhd", "%hx",   "%.0d",   "%#.0o",
					      "%+05d",   "%-05d|", "%c",    "%3c|", "%-3c|"};
	static const char *const longs[] = {"%ld", "%lld", "%lu",  "%zu",   "%zd",
					    "%lx", "%llX", "%#lo", "%20ld", "%-20llx|"};
	static const tl_u64 values[] = {0, 5, 65, 1234567, (tl_u64)-1, (tl_u64)-77777, 0x80000000, I64_MIN};
	char wanted[128];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (tl_size v = 0; v < TL_COUNT(values); v++) {
		for (tl_size i = 0; i < TL_COUNT(formats); i++) {
			if (strchr(formats[i], 'c') != NULL && values[v] != 65)
				continue;
			snprintf(wanted, sizeof(wanted), formats[i], (int)values[v]);
			if (wanted[0] != 0)
				CHECK_TEXT(formatted(formats[i], 1, values[v], 0, 0), wanted);
		}
		for (tl_size i = 0; i < TL_COUNT(longs); i++) {
			snprintf(wanted, sizeof(wanted), longs[i], (long)values[v]);
			CHECK_TEXT(formatted(longs[i], 1, values[v], 0, 0), wanted);
		}
	}
#pragma GCC diagnostic pop
	CHECK_TEXT(formatted("%p %10p|%-20p|", 3, 0xabc, 0, 0x1000), "0xabc      (nil)|0x1000              |");
}

TEST(printf_strings)
{
	const char *whole = "a string of some length, so that it goes over the pieces in which strings are read";

	CHECK_TEXT(formatted("%s", 1, 0x1010, 0, 0), whole);
	CHECK_TEXT(formatted("[%.8s] [%-12.8s] [%12.8s]", 3, 0x1010, 0x1010, 0x1010),
		   "[a string] [a string    ] [    a string]");
	CHECK_TEXT(formatted("%s %8s|%-8s|", 3, 0, 0, 0), "(null)   (null)|(null)  |");
	CHECK_TEXT(formatted("%d %s %d", 3, 1, 0x1012, 2),
		   "1 string of some length, so that it goes over the pieces in which "
		   "strings are read 2");
	CHECK_TEXT(formatted("%s", 1, 0x1000, 0, 0), "");
	/* No end before the memory's end: an error, unless no more than is there was asked for. */
	CHECK_TEXT(formatted("%s", 1, 0x10c8, 0, 0), "run: TL_ERROR_MEMORY");
	CHECK_TEXT(formatted("%.6s", 1, 0x10c8, 0, 0), "xxxxxx");
	CHECK_TEXT(formatted("%s", 1, 1, 0, 0), "run: TL_ERROR_MEMORY");
}

TEST(printf_text)
{
	CHECK_TEXT(formatted("", 0, 0, 0, 0), "");
	CHECK_TEXT(formatted("100%% of \\\"it\\\"\\n\\t\\\\", 0, 0, 0, 0), "100% of \"it\"\n\t\\");
	CHECK_TEXT(formatted("\\a\\b\\e\\f\\r\\v", 0, 0, 0, 0), "\a\b\033\f\r\v");
	CHECK_TEXT(formatted("before\" after %d", 0, 0, 0, 0), "before");
}

TEST(printf_refused)
{
	static const char *const unsupported[] = {"%f", "%e", "%g", "%5.2f", "%Lf", "%a", "%ls", "%lc", "%Hf", "%DDf"};
	static const char *const malformed[] = {"%",  "%n",    "%*d",  "%5%", "%y",    "%l",
						"%-", "\\q%d", "%d\\", "%.",  "%d %d", "x"};

	for (tl_size i = 0; i < TL_COUNT(unsupported); i++)
		CHECK_TEXT(formatted(unsupported[i], 1, 0, 0, 0), "verify: TL_ERROR_UNSUPPORTED");
	for (tl_size i = 0; i < TL_COUNT(malformed); i++)
		CHECK_TEXT(formatted(malformed[i], 1, 0, 0, 0), "verify: TL_ERROR_BYTECODE");
	/* No final zero, and no bytes at all. */
	check_refused(CODE(TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 0, 0, 1, 'a', TL_AGENT_end),
		      TL_ERROR_BYTECODE, 3);
	check_refused(CODE(TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 0, 0, 0, TL_AGENT_end), TL_ERROR_BYTECODE,
		      3);
	check_refused(CODE(TL_AGENT_const8, 0, TL_AGENT_dup, TL_AGENT_printf, 0, 0, 9, 'a', 0, TL_AGENT_end),
		      TL_ERROR_BYTECODE, 3);
}

TEST(printf_is_cut)
{
	const char *text = formatted("%600d", 1, 7, 0, 0);

	CHECK_EQUAL(strlen(text), TL_AGENT_TEXT_MAX);
	CHECK_TEXT(text + TL_AGENT_TEXT_MAX - 5, " ...\n");
	text = formatted("%510d\\n", 1, 7, 0, 0);
	CHECK_EQUAL(strlen(text), 511);
	CHECK_TEXT(text + 509, "7\n");
	text = formatted("%512d", 1, 7, 0, 0);
	CHECK_EQUAL(text[511], '7');
	text = formatted("%999999999999999999999d", 1, 7, 0, 0);
	CHECK_EQUAL(strlen(text), TL_AGENT_TEXT_MAX);
}

#include "core/agent/agent.h"
#include "core/agent/format.h"
#include "core/agent/opcodes.h"

struct machine {
	const struct tl_agent_code *code;
	const struct tl_agent_environment *environment;
	tl_u16 offset;
	tl_u16 height;
	bool ended;
	tl_u64 stack[TL_AGENT_STACK_MAX];
};

/*
 * Each group of opcodes has a function. The operands that an instruction takes are on the stack, and there is room for
 * what it puts there: step() has seen to that, for code that was not verified as well.
 */
static tl_u64 pop(struct machine *machine)
{
	return machine->stack[--machine->height];
}

static void push(struct machine *machine, tl_u64 value)
{
	machine->stack[machine->height++] = value;
}

static enum tl_status run_binary(struct machine *machine, tl_u8 opcode)
{
	tl_u64 right = pop(machine), left = pop(machine);

	switch (opcode) {
	case TL_AGENT_add:
		push(machine, left + right);
		return TL_OK;
	case TL_AGENT_sub:
		push(machine, left - right);
		return TL_OK;
	case TL_AGENT_mul:
		push(machine, left * right);
		return TL_OK;
	case TL_AGENT_bit_and:
		push(machine, left & right);
		return TL_OK;
	case TL_AGENT_bit_or:
		push(machine, left | right);
		return TL_OK;
	case TL_AGENT_bit_xor:
		push(machine, left ^ right);
		return TL_OK;
	case TL_AGENT_equal:
		push(machine, left == right);
		return TL_OK;
	case TL_AGENT_less_signed:
		push(machine, (tl_i64)left < (tl_i64)right);
		return TL_OK;
	case TL_AGENT_less_unsigned:
		push(machine, left < right);
		return TL_OK;
	default:
		return TL_ERROR_INTERNAL;
	}
}

/* The most negative number by -1 is itself with remainder 0, where C and the machine have no answer. */
static enum tl_status run_divide(struct machine *machine, tl_u8 opcode)
{
	tl_u64 right = pop(machine), left = pop(machine);

	if (right == 0)
		return TL_ERROR_DIVIDE;
	switch (opcode) {
	case TL_AGENT_div_signed:
		push(machine, right == TL_U64_MAX ? 0 - left : (tl_u64)((tl_i64)left / (tl_i64)right));
		return TL_OK;
	case TL_AGENT_div_unsigned:
		push(machine, left / right);
		return TL_OK;
	case TL_AGENT_rem_signed:
		push(machine, right == TL_U64_MAX ? 0 : (tl_u64)((tl_i64)left % (tl_i64)right));
		return TL_OK;
	case TL_AGENT_rem_unsigned:
		push(machine, left % right);
		return TL_OK;
	default:
		return TL_ERROR_INTERNAL;
	}
}

/* Shifts by 64 and more have moved every bit out. */
static enum tl_status run_shift(struct machine *machine, tl_u8 opcode)
{
	tl_u64 right = pop(machine), left = pop(machine);
	tl_u64 sign = (tl_i64)left < 0 ? TL_U64_MAX : 0;

	switch (opcode) {
	case TL_AGENT_lsh:
		push(machine, right < 64 ? left << right : 0);
		return TL_OK;
	case TL_AGENT_rsh_unsigned:
		push(machine, right < 64 ? left >> right : 0);
		return TL_OK;
	case TL_AGENT_rsh_signed:
		push(machine, right < 64 ? (tl_u64)((tl_i64)left >> right) : sign);
		return TL_OK;
	default:
		return TL_ERROR_INTERNAL;
	}
}

static enum tl_status run_unary(struct machine *machine, const struct tl_agent_instruction *instruction)
{
	tl_u64 value = pop(machine), bits = instruction->operand;
	tl_u64 below = bits < 64 ? ((tl_u64)1 << bits) - 1 : TL_U64_MAX; /* a mask of the bits that stay */

	switch (instruction->opcode) {
	case TL_AGENT_log_not:
		push(machine, value == 0);
		return TL_OK;
	case TL_AGENT_bit_not:
		push(machine, ~value);
		return TL_OK;
	case TL_AGENT_zero_ext:
		push(machine, value & below);
		return TL_OK;
	case TL_AGENT_ext:
		if (bits == 0)
			push(machine, 0);
		else if (bits < 64 && (value >> (bits - 1) & 1) != 0)
			push(machine, value | ~below);
		else
			push(machine, value & below);
		return TL_OK;
	default:
		return TL_ERROR_INTERNAL;
	}
}

static enum tl_status run_reference(struct machine *machine, tl_u8 opcode)
{
	const struct tl_agent_environment *environment = machine->environment;
	tl_size size = (tl_size)1 << (opcode - TL_AGENT_ref8);
	tl_u64 address = pop(machine), value = 0;
	tl_u8 bytes[8];

	if (environment->read_memory == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(environment->read_memory(environment->context, address, bytes, size));
	if (!environment->big_endian)
		value = tl_load_little(bytes, size);
	else
		for (tl_size i = 0; i < size; i++)
			value = value << 8 | bytes[i];
	push(machine, value);
	return TL_OK;
}

static enum tl_status run_register(struct machine *machine, tl_u64 number)
{
	const struct tl_agent_environment *environment = machine->environment;
	tl_u64 value = 0;

	if (environment->read_register == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(environment->read_register(environment->context, (tl_u16)number, &value));
	push(machine, value);
	return TL_OK;
}

static enum tl_status run_stack(struct machine *machine, const struct tl_agent_instruction *instruction)
{
	tl_u64 a, b, c;

	switch (instruction->opcode) {
	case TL_AGENT_dup:
		push(machine, machine->stack[machine->height - 1]);
		return TL_OK;
	case TL_AGENT_pop:
		(void)pop(machine);
		return TL_OK;
	case TL_AGENT_swap:
		b = pop(machine);
		a = pop(machine);
		push(machine, b);
		push(machine, a);
		return TL_OK;
	case TL_AGENT_pick:
		push(machine, machine->stack[machine->height - 1 - instruction->operand]);
		return TL_OK;
	case TL_AGENT_rot:
		c = pop(machine);
		b = pop(machine);
		a = pop(machine);
		push(machine, c);
		push(machine, a);
		push(machine, b);
		return TL_OK;
	default:
		return TL_ERROR_INTERNAL;
	}
}

/* Jumps: sets the offset of what comes next, which so far is what stands behind the jump. */
static void run_jump(struct machine *machine, const struct tl_agent_instruction *instruction)
{
	if (instruction->opcode == TL_AGENT_goto || pop(machine) != 0)
		machine->offset = (tl_u16)instruction->operand;
}

/*
 * The function and the channel lie on top of the arguments. GDB passes 0 for both; there is nothing to call here, and
 * the text goes to the one place that there is.
 */
static enum tl_status run_printf(struct machine *machine, const struct tl_agent_instruction *instruction)
{
	tl_size count = (tl_size)instruction->operand;
	const tl_u64 *first = count != 0 ? &machine->stack[machine->height - 3] : machine->stack;

	machine->height = (tl_u16)(machine->height - instruction->taken);
	return tl_agent_print(machine->environment, machine->code->bytes + instruction->text_offset,
			      instruction->text_size, first, count);
}

static enum tl_status execute(struct machine *machine, const struct tl_agent_instruction *instruction)
{
	switch ((enum tl_agent_group)instruction->group) {
	case TL_AGENT_GROUP_BINARY:
		return run_binary(machine, instruction->opcode);
	case TL_AGENT_GROUP_DIVIDE:
		return run_divide(machine, instruction->opcode);
	case TL_AGENT_GROUP_SHIFT:
		return run_shift(machine, instruction->opcode);
	case TL_AGENT_GROUP_UNARY:
		return run_unary(machine, instruction);
	case TL_AGENT_GROUP_REFERENCE:
		return run_reference(machine, instruction->opcode);
	case TL_AGENT_GROUP_JUMP:
		run_jump(machine, instruction);
		return TL_OK;
	case TL_AGENT_GROUP_CONSTANT:
		push(machine, instruction->operand);
		return TL_OK;
	case TL_AGENT_GROUP_REGISTER:
		return run_register(machine, instruction->operand);
	case TL_AGENT_GROUP_STACK:
		return run_stack(machine, instruction);
	case TL_AGENT_GROUP_PRINTF:
		return run_printf(machine, instruction);
	case TL_AGENT_GROUP_END:
		machine->ended = true;
		return TL_OK;
	case TL_AGENT_GROUP_NONE:
	case TL_AGENT_GROUP_REFUSED:
		break;
	}
	return TL_ERROR_BYTECODE;
}

/* One instruction; the offset moves only when it succeeds. */
static enum tl_status step(struct machine *machine)
{
	struct tl_agent_instruction instruction;
	tl_u16 offset = machine->offset;
	enum tl_status status;

	TL_TRY(tl_agent_decode(machine->code->bytes, machine->code->size, offset, &instruction));
	if (machine->height < instruction.needed ||
	    machine->height - instruction.taken + instruction.put > TL_AGENT_STACK_MAX)
		return TL_ERROR_BYTECODE_STACK;
	machine->offset = (tl_u16)(offset + instruction.size);
	status = execute(machine, &instruction);
	if (status != TL_OK)
		machine->offset = offset;
	return status;
}

enum tl_status tl_agent_run(const struct tl_agent_code *code, const struct tl_agent_environment *environment,
			    tl_u64 *value_ret, tl_u16 *offset_ret)
{
	struct machine machine = {.code = code, .environment = environment};
	tl_u32 steps = environment->steps != 0 ? environment->steps : TL_AGENT_STEPS_DEFAULT;
	enum tl_status status = TL_OK;

	while (status == TL_OK && !machine.ended) {
		if (steps-- == 0)
			status = TL_ERROR_BYTECODE_STEPS;
		else
			status = step(&machine);
	}
	if (status == TL_OK)
		*value_ret = machine.height != 0 ? machine.stack[machine.height - 1] : 0;
	else if (offset_ret != NULL)
		*offset_ret = machine.offset;
	return status;
}

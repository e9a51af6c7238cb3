/*
 * The instructions of the scripted target: a handful of x86-64's, interpreted.
 *
 * This is deliberately not tl_cpu.carry_out: the engine executes covered instructions by that one, and where the two
 * disagreed, a program would compute something else under a breakpoint than without one, which the tests would see.
 * Intel SDM volume 2 has the encodings. What is not known here is an illegal instruction.
 */
#include "targets/scripted/internal.h"

enum { FLAG_CARRY = 1, FLAG_PARITY = 4, FLAG_ADJUST = 16, FLAG_ZERO = 64, FLAG_SIGN = 128, FLAG_OVERFLOW = 2048 };

enum operation { ADD, OR, ADC, SBB, AND, SUB, XOR, COMPARE };

struct execution {
	struct tl_scripted *scripted;
	struct tl_scripted_thread_state *thread;
	const struct tl_memory_access *memory;
	struct tl_cursor code;
	tl_u64 next; /* address of the instruction behind */
	tl_u8 rex;
	tl_u8 size; /* of operands, bytes */
	/* The ModRM byte taken apart: `reg`, and a register or a memory operand. */
	tl_u8 reg, rm;
	bool in_memory;
	bool relative; /* to the end of the instruction, which is not known before all of it is read */
	tl_u64 address;
};

static tl_u16 register_index(const struct execution *execution, unsigned number)
{
	return execution->scripted->registers[number & 15];
}

static tl_u64 get_wide(const struct execution *execution, unsigned number)
{
	return tl_cpu_get(execution->scripted->options.cpu, execution->thread->file, register_index(execution, number));
}

static void set_wide(struct execution *execution, unsigned number, tl_u64 value)
{
	tl_cpu_set(execution->scripted->options.cpu, execution->thread->file, register_index(execution, number), value);
}

static tl_u64 mask_of(tl_u8 size)
{
	return size == 8 ? TL_U64_MAX : ((tl_u64)1 << 8 * size) - 1;
}

static tl_u64 sign_extended(tl_u64 value, tl_u8 size)
{
	tl_u64 sign = (tl_u64)1 << (8 * size - 1);

	value &= mask_of(size);
	return (value ^ sign) - sign;
}

/* ah, ch, dh and bh are what registers 4 to 7 of one byte mean without a REX prefix. */
static bool is_high_byte(const struct execution *execution, unsigned number)
{
	return execution->size == 1 && execution->rex == 0 && number >= 4 && number < 8;
}

static tl_u64 get_register(const struct execution *execution, unsigned number)
{
	if (is_high_byte(execution, number))
		return get_wide(execution, number - 4) >> 8 & 0xff;
	return get_wide(execution, number) & mask_of(execution->size);
}

static void set_register(struct execution *execution, unsigned number, tl_u64 value)
{
	tl_u64 mask = mask_of(execution->size);

	if (is_high_byte(execution, number))
		set_wide(execution, number - 4,
			 (get_wide(execution, number - 4) & ~(tl_u64)0xff00) | (value & 0xff) << 8);
	else if (execution->size >= 4) /* results of 32 bits clear the upper half */
		set_wide(execution, number, value & mask);
	else
		set_wide(execution, number, (get_wide(execution, number) & ~mask) | (value & mask));
}

static tl_u64 immediate(struct execution *execution, tl_u8 size)
{
	return sign_extended(tl_cursor_little(&execution->code, size), size);
}

static void read_modrm(struct execution *execution)
{
	tl_u8 modrm = tl_cursor_byte(&execution->code), mode = modrm >> 6, base;
	tl_u64 index = 0;

	execution->reg = (tl_u8)((modrm >> 3 & 7) | (execution->rex & 4) << 1);
	execution->rm = (tl_u8)((modrm & 7) | (execution->rex & 1) << 3);
	execution->in_memory = mode != 3;
	execution->relative = false;
	if (mode == 3)
		return;
	base = execution->rm;
	if ((modrm & 7) == 4) {
		tl_u8 sib = tl_cursor_byte(&execution->code);
		tl_u8 index_number = (tl_u8)((sib >> 3 & 7) | (execution->rex & 2) << 2);

		base = (tl_u8)((sib & 7) | (execution->rex & 1) << 3);
		if (index_number != 4)
			index = get_wide(execution, index_number) << (sib >> 6);
	}
	if (mode == 0 && (base & 7) == 5) {
		execution->relative = (modrm & 7) != 4;
		execution->address = index + immediate(execution, 4);
		return;
	}
	execution->address = get_wide(execution, base) + index;
	if (mode != 0)
		execution->address += immediate(execution, mode == 1 ? 1 : 4);
}

static enum tl_status get_operand(struct execution *execution, tl_u64 *value_ret)
{
	tl_u8 bytes[8];

	if (!execution->in_memory) {
		*value_ret = get_register(execution, execution->rm);
		return TL_OK;
	}
	TL_TRY(execution->memory->read(execution->memory->context, execution->address, bytes, execution->size));
	*value_ret = tl_load_little(bytes, execution->size);
	return TL_OK;
}

static enum tl_status set_operand(struct execution *execution, tl_u64 value)
{
	tl_u8 bytes[8];

	if (!execution->in_memory) {
		set_register(execution, execution->rm, value);
		return TL_OK;
	}
	tl_store_little(bytes, value, execution->size);
	return execution->memory->write(execution->memory->context, execution->address, bytes, execution->size);
}

/* The whole instruction has been read: the next one's address, and operands relative to it, are known. */
static enum tl_status all_read(struct execution *execution, tl_u64 start, const tl_u8 *bytes)
{
	if (execution->code.failed)
		return TL_ERROR_INSTRUCTION;
	execution->next = start + (tl_u64)(execution->code.at - bytes);
	if (execution->relative)
		execution->address += execution->next;
	return TL_OK;
}

/* ---- Arithmetic ---- */

static tl_u64 flags_of(const struct execution *execution)
{
	return tl_cpu_get(execution->scripted->options.cpu, execution->thread->file, execution->scripted->flags);
}

static tl_u64 calculate(struct execution *execution, enum operation operation, tl_u64 a, tl_u64 b)
{
	tl_u64 flags = flags_of(execution), mask = mask_of(execution->size), sign = (mask >> 1) + 1, result;
	bool subtracts = operation == SUB || operation == SBB || operation == COMPARE;
	tl_u64 carry = (operation == ADC || operation == SBB) ? flags & FLAG_CARRY : 0;

	a &= mask;
	b &= mask;
	flags &= ~(tl_u64)(FLAG_CARRY | FLAG_PARITY | FLAG_ADJUST | FLAG_ZERO | FLAG_SIGN | FLAG_OVERFLOW);
	if (operation == ADD || operation == ADC || subtracts) {
		result = (subtracts ? a - b - carry : a + b + carry) & mask;
		if (subtracts ? a < b || (carry != 0 && a == b) : result < a || (carry != 0 && result == a))
			flags |= FLAG_CARRY;
		if (((subtracts ? a ^ b : ~(a ^ b)) & (a ^ result) & sign) != 0)
			flags |= FLAG_OVERFLOW;
		if (((a ^ b ^ result) & 16) != 0)
			flags |= FLAG_ADJUST;
	} else {
		result = operation == OR ? a | b : operation == AND ? a & b : a ^ b;
	}
	if (result == 0)
		flags |= FLAG_ZERO;
	if ((result & sign) != 0)
		flags |= FLAG_SIGN;
	if ((__builtin_popcountll(result & 0xff) & 1) == 0)
		flags |= FLAG_PARITY;
	tl_cpu_set(execution->scripted->options.cpu, execution->thread->file, execution->scripted->flags, flags);
	return result;
}

static bool condition_holds(const struct execution *execution, tl_u8 code)
{
	tl_u64 flags = flags_of(execution);
	bool sign = (flags & FLAG_SIGN) != 0, overflow = (flags & FLAG_OVERFLOW) != 0;
	bool carry = (flags & FLAG_CARRY) != 0, zero = (flags & FLAG_ZERO) != 0;
	bool holds[8] = {overflow,
			 carry,
			 zero,
			 carry || zero,
			 sign,
			 (flags & FLAG_PARITY) != 0,
			 sign != overflow,
			 zero || sign != overflow};

	return holds[code >> 1 & 7] != ((code & 1) != 0);
}

/* ---- The stack ---- */

static enum tl_status push(struct execution *execution, tl_u64 value)
{
	tl_u64 stack = get_wide(execution, 4) - 8;
	tl_u8 bytes[8];

	tl_store_little(bytes, value, 8);
	TL_TRY(execution->memory->write(execution->memory->context, stack, bytes, 8));
	set_wide(execution, 4, stack);
	return TL_OK;
}

static enum tl_status pop(struct execution *execution, tl_u64 *value_ret)
{
	tl_u64 stack = get_wide(execution, 4);
	tl_u8 bytes[8];

	TL_TRY(execution->memory->read(execution->memory->context, stack, bytes, 8));
	set_wide(execution, 4, stack + 8);
	*value_ret = tl_load_little(bytes, 8);
	return TL_OK;
}

/* ---- Opcodes ---- */

/* 00 to 3d and the groups 80, 81 and 83. */
static enum tl_status do_arithmetic(struct execution *execution, enum operation operation, bool to_register, tl_u64 b)
{
	tl_u64 a = 0, result;

	TL_TRY(get_operand(execution, &a));
	if (to_register) {
		tl_u64 other = a;

		a = get_register(execution, execution->reg);
		b = other;
	}
	if (operation == COMPARE) {
		(void)calculate(execution, operation, a, b);
		return TL_OK;
	}
	result = calculate(execution, operation, a, b);
	if (to_register) {
		set_register(execution, execution->reg, result);
		return TL_OK;
	}
	return set_operand(execution, result);
}

static enum tl_status do_group_ff(struct execution *execution)
{
	tl_u64 value = 0;

	if (execution->size == 1 || (execution->reg & 7) == 3 || (execution->reg & 7) == 5 || (execution->reg & 7) > 6)
		return TL_ERROR_INSTRUCTION;
	if ((execution->reg & 7) >= 2)
		execution->size = 8;
	TL_TRY(get_operand(execution, &value));
	switch (execution->reg & 7) {
	case 2:
		TL_TRY(push(execution, execution->next));
		execution->next = value;
		return TL_OK;
	case 4:
		execution->next = value;
		return TL_OK;
	case 6:
		return push(execution, value);
	default: { /* inc and dec leave the carry as it is */
		tl_u64 carry = flags_of(execution) & FLAG_CARRY, flags;
		tl_u64 result = calculate(execution, (execution->reg & 7) == 0 ? ADD : SUB, value, 1);

		flags = (flags_of(execution) & ~(tl_u64)FLAG_CARRY) | carry;
		tl_cpu_set(execution->scripted->options.cpu, execution->thread->file, execution->scripted->flags,
			   flags);
		return set_operand(execution, result);
	}
	}
}

static enum tl_status do_two_byte(struct execution *execution, tl_u64 start, const tl_u8 *bytes)
{
	tl_u8 opcode = tl_cursor_byte(&execution->code);
	tl_u64 distance;

	if ((opcode & 0xf0) == 0x80) {
		distance = immediate(execution, 4);
		TL_TRY(all_read(execution, start, bytes));
		if (condition_holds(execution, opcode))
			execution->next += distance;
		return TL_OK;
	}
	if (opcode == 0x1f || opcode == 0x1e) { /* nop of any length, endbr64 */
		read_modrm(execution);
		return all_read(execution, start, bytes);
	}
	return TL_ERROR_INSTRUCTION;
}

/* Moves, lea, push, pop and arithmetic with a ModRM byte. */
static enum tl_status do_with_modrm(struct execution *execution, tl_u8 opcode, tl_u64 start, const tl_u8 *bytes)
{
	tl_u64 value = 0;

	if ((opcode & 1) == 0 && opcode != 0x8d)
		execution->size = 1;
	read_modrm(execution);
	if (opcode == 0xc6 || opcode == 0xc7 || opcode == 0x80 || opcode == 0x81 || opcode == 0x83)
		value = immediate(execution, opcode == 0x83 || execution->size == 1 ? 1 : execution->size == 2 ? 2 : 4);
	TL_TRY(all_read(execution, start, bytes));
	if (opcode < 0x40)
		return do_arithmetic(execution, opcode >> 3, (opcode & 2) != 0,
				     get_register(execution, execution->reg));
	switch (opcode) {
	case 0x80:
	case 0x81:
	case 0x83:
		return do_arithmetic(execution, execution->reg & 7, false, value);
	case 0x84:
	case 0x85:
		TL_TRY(get_operand(execution, &value));
		(void)calculate(execution, AND, value, get_register(execution, execution->reg));
		return TL_OK;
	case 0x88:
	case 0x89:
		return set_operand(execution, get_register(execution, execution->reg));
	case 0x8a:
	case 0x8b:
		TL_TRY(get_operand(execution, &value));
		set_register(execution, execution->reg, value);
		return TL_OK;
	case 0x8d:
		if (!execution->in_memory)
			return TL_ERROR_INSTRUCTION;
		set_register(execution, execution->reg, execution->address);
		return TL_OK;
	case 0xc6:
	case 0xc7:
		return set_operand(execution, value);
	default:
		return do_group_ff(execution);
	}
}

static bool has_modrm(tl_u8 opcode)
{
	return (opcode < 0x40 && (opcode & 7) < 4) ||
	       (opcode >= 0x80 && opcode <= 0x8b && opcode != 0x82 && opcode != 0x86 && opcode != 0x87) ||
	       opcode == 0x8d || opcode == 0xc6 || opcode == 0xc7 || opcode == 0xfe || opcode == 0xff;
}

static enum tl_status do_plain(struct execution *execution, tl_u8 opcode, tl_u64 start, const tl_u8 *bytes)
{
	unsigned number = (opcode & 7u) | (execution->rex & 1u) << 3;
	tl_u64 value = 0;

	if (opcode < 0x40 && (opcode & 7) < 6) { /* with %al or %eax and an immediate */
		if ((opcode & 1) == 0)
			execution->size = 1;
		value = immediate(execution, execution->size > 4 ? 4 : execution->size);
		execution->rm = 0;
		TL_TRY(all_read(execution, start, bytes));
		return do_arithmetic(execution, opcode >> 3, false, value);
	}
	if (opcode >= 0xb0 && opcode <= 0xbf) {
		if (opcode < 0xb8)
			execution->size = 1;
		value = tl_cursor_little(&execution->code, execution->size);
		TL_TRY(all_read(execution, start, bytes));
		set_register(execution, number, value);
		return TL_OK;
	}
	if ((opcode & 0xf0) == 0x70 || opcode == 0xeb)
		value = immediate(execution, 1);
	else if (opcode == 0xe8 || opcode == 0xe9)
		value = immediate(execution, 4);
	TL_TRY(all_read(execution, start, bytes));
	if ((opcode & 0xf8) == 0x50)
		return push(execution, get_wide(execution, number));
	if ((opcode & 0xf8) == 0x58) {
		TL_TRY(pop(execution, &value));
		set_wide(execution, number, value);
		return TL_OK;
	}
	if (opcode == 0x90)
		return TL_OK;
	if (opcode == 0xc3)
		return pop(execution, &execution->next);
	if (opcode == 0xe8)
		TL_TRY(push(execution, execution->next));
	if (opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb ||
	    ((opcode & 0xf0) == 0x70 && condition_holds(execution, opcode))) {
		execution->next += value;
		return TL_OK;
	}
	return (opcode & 0xf0) == 0x70 ? TL_OK : TL_ERROR_INSTRUCTION;
}

enum tl_status tl_scripted_execute(struct tl_scripted *scripted, struct tl_scripted_thread_state *thread,
				   const tl_u8 *bytes, tl_size size, const struct tl_memory_access *memory)
{
	const struct tl_cpu *cpu = scripted->options.cpu;
	tl_u64 start = tl_cpu_get(cpu, thread->file, cpu->program_counter);
	struct execution execution = {.scripted = scripted,
				      .thread = thread,
				      .memory = memory,
				      .code = tl_cursor_make(bytes, size),
				      .size = 4};
	tl_u8 opcode = tl_cursor_byte(&execution.code);
	enum tl_status status;

	while (opcode == 0x66 || opcode == 0xf3) { /* rep is known before endbr64 alone */
		if (opcode == 0x66)
			execution.size = 2;
		opcode = tl_cursor_byte(&execution.code);
	}
	if ((opcode & 0xf0) == 0x40) {
		execution.rex = opcode;
		if ((opcode & 8) != 0)
			execution.size = 8;
		opcode = tl_cursor_byte(&execution.code);
	}
	if (opcode == 0x0f)
		status = do_two_byte(&execution, start, bytes);
	else if (has_modrm(opcode))
		status = do_with_modrm(&execution, opcode, start, bytes);
	else
		status = do_plain(&execution, opcode, start, bytes);
	if (status == TL_OK)
		tl_cpu_set(cpu, thread->file, cpu->program_counter, execution.next);
	return status;
}

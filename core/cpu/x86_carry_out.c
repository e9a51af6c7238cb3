#include "core/cpu/x86_carry_out.h"
#include "core/cpu/x86_layout.h"

#define CF ((tl_u64)1 << 0)
#define PF ((tl_u64)1 << 2)
#define AF ((tl_u64)1 << 4)
#define ZF ((tl_u64)1 << 6)
#define SF ((tl_u64)1 << 7)
#define OF ((tl_u64)1 << 11)
#define RF ((tl_u64)1 << 16)
#define AC ((tl_u64)1 << 18)
#define ARITHMETIC (CF | PF | AF | ZF | SF | OF)

#define RAX 0
#define RDX 2
#define RSP 4
#define RBP 5

/* One instruction under way. The file is changed last, when nothing can fail any more. */
struct run {
	struct tl_x86_instruction in;
	tl_u8 *file;
	const struct tl_memory_access *memory;
	tl_u64 next; /* the program counter afterwards */
	tl_u64 flags;
};

static tl_u64 truncate(tl_u64 value, tl_u8 size)
{
	return size >= 8 ? value : value & (((tl_u64)1 << 8 * size) - 1);
}

static tl_u64 extend(tl_u64 value, tl_u8 size)
{
	unsigned shift = 64 - 8u * size;

	return (tl_u64)((tl_i64)(value << shift) >> shift);
}

static bool negative(tl_u64 value, tl_u8 size)
{
	return (value >> (8 * size - 1) & 1) != 0;
}

/* AH to BH are bytes 1 of the first four registers where no REX gives their numbers to SPL to DIL. */
static tl_u16 register_at(const struct tl_x86_instruction *in, tl_u8 number, tl_u8 size)
{
	if (size == 1 && !in->has_rex && number >= 4 && number < 8)
		return (tl_u16)(tl_x86_slot(number & 3) + 1);
	return tl_x86_slot(number);
}

static tl_u64 get(const struct run *run, tl_u8 number, tl_u8 size)
{
	return tl_load_little(run->file + register_at(&run->in, number, size), size);
}

/* A doubleword clears the upper half of its register; smaller ones leave the rest alone. */
static void set(struct run *run, tl_u8 number, tl_u8 size, tl_u64 value)
{
	tl_store_little(run->file + register_at(&run->in, number, size), truncate(value, size), size == 4 ? 8 : size);
}

static tl_u8 mode_size(const struct run *run)
{
	return run->in.wide ? 8 : 4;
}

static tl_u64 operand_address(const struct run *run)
{
	tl_u64 next = tl_load_little(run->file + TL_X86_AT_RIP, 8) + run->in.length;

	return tl_x86_address(&run->in, run->file, next);
}

static enum tl_status load(const struct run *run, tl_u64 address, tl_u8 size, tl_u64 *value_ret)
{
	tl_u8 bytes[8];

	TL_TRY(run->memory->read(run->memory->context, address, bytes, size));
	*value_ret = tl_load_little(bytes, size);
	return TL_OK;
}

static enum tl_status store(const struct run *run, tl_u64 address, tl_u8 size, tl_u64 value)
{
	tl_u8 bytes[8];

	tl_store_little(bytes, value, size);
	return run->memory->write(run->memory->context, address, bytes, size);
}

static enum tl_status load_operand(const struct run *run, tl_u8 size, tl_u64 *value_ret)
{
	if (run->in.memory)
		return load(run, operand_address(run), size, value_ret);
	*value_ret = get(run, run->in.rm, size);
	return TL_OK;
}

static enum tl_status store_operand(struct run *run, tl_u8 size, tl_u64 value)
{
	if (run->in.memory)
		return store(run, operand_address(run), size, value);
	set(run, run->in.rm, size, value);
	return TL_OK;
}

static enum tl_status push(struct run *run, tl_u8 size, tl_u64 value)
{
	tl_u64 stack = truncate(get(run, RSP, 8) - size, mode_size(run));

	TL_TRY(store(run, stack, size, value));
	set(run, RSP, mode_size(run), stack);
	return TL_OK;
}

/* Reads the top of the stack; the caller moves the stack pointer when nothing can fail any more. */
static enum tl_status top(const struct run *run, tl_u8 size, tl_u64 *value_ret)
{
	return load(run, truncate(get(run, RSP, 8), mode_size(run)), size, value_ret);
}

static void drop(struct run *run, tl_u64 size)
{
	set(run, RSP, mode_size(run), get(run, RSP, 8) + size);
}

static void result_flags(struct run *run, tl_u64 result, tl_u8 size)
{
	run->flags &= ~(ZF | SF | PF);
	if (truncate(result, size) == 0)
		run->flags |= ZF;
	if (negative(result, size))
		run->flags |= SF;
	if ((__builtin_popcount((unsigned)result & 0xff) & 1) == 0)
		run->flags |= PF;
}

static void raise(struct run *run, tl_u64 flag, bool raised)
{
	run->flags = raised ? run->flags | flag : run->flags & ~flag;
}

static tl_u64 add(struct run *run, tl_u64 a, tl_u64 b, tl_u64 carry, tl_u8 size)
{
	tl_u64 result = truncate(a + b + carry, size);
	tl_u64 carries = (a & b) | ((a | b) & ~result);

	raise(run, CF, negative(carries, size));
	raise(run, AF, (carries >> 3 & 1) != 0);
	raise(run, OF, negative((a ^ result) & (b ^ result), size));
	result_flags(run, result, size);
	return result;
}

static tl_u64 subtract(struct run *run, tl_u64 a, tl_u64 b, tl_u64 borrow, tl_u8 size)
{
	tl_u64 result = truncate(a - b - borrow, size);
	tl_u64 borrows = (~a & b) | ((~a | b) & result);

	raise(run, CF, negative(borrows, size));
	raise(run, AF, (borrows >> 3 & 1) != 0);
	raise(run, OF, negative((a ^ b) & (a ^ result), size));
	result_flags(run, result, size);
	return result;
}

static tl_u64 logic(struct run *run, tl_u64 result, tl_u8 size)
{
	run->flags &= ~(CF | OF | AF);
	result_flags(run, result, size);
	return result;
}

/* The eight operations of opcodes 00 to 3F and of group 80, by number. */
static tl_u64 arithmetic(struct run *run, tl_u8 operation, tl_u64 a, tl_u64 b, tl_u8 size)
{
	tl_u64 carry = run->flags & CF;

	switch (operation) {
	case 0:
		return add(run, a, b, 0, size);
	case 1:
		return logic(run, a | b, size);
	case 2:
		return add(run, a, b, carry, size);
	case 3:
		return subtract(run, a, b, carry, size);
	case 4:
		return logic(run, a & b, size);
	case 6:
		return logic(run, a ^ b, size);
	default: /* SUB, and CMP, which keeps nothing but the flags */
		return subtract(run, a, b, 0, size);
	}
}

static tl_u8 data_size(const struct run *run)
{
	return (run->in.opcode & 1) != 0 ? run->in.operand_size : 1;
}

/* Operation of group 80 on ModRM's operand and `source`. */
static enum tl_status operate(struct run *run, tl_u8 operation, tl_u64 source, tl_u8 size)
{
	tl_u64 value;
	tl_u64 result;

	TL_TRY(load_operand(run, size, &value));
	result = arithmetic(run, operation, value, truncate(source, size), size);
	return operation == 7 ? TL_OK : store_operand(run, size, result);
}

/* Opcodes 00 to 3F. */
static enum tl_status carry_arithmetic(struct run *run)
{
	tl_u8 operation = run->in.opcode >> 3;
	tl_u8 size = data_size(run);
	tl_u64 source;
	tl_u64 result;

	switch (run->in.opcode & 7) {
	case 0:
	case 1:
		return operate(run, operation, get(run, run->in.reg, size), size);
	case 2:
	case 3:
		TL_TRY(load_operand(run, size, &source));
		result = arithmetic(run, operation, get(run, run->in.reg, size), source, size);
		if (operation != 7)
			set(run, run->in.reg, size, result);
		return TL_OK;
	default:
		source = truncate((tl_u64)run->in.immediate, size);
		result = arithmetic(run, operation, get(run, RAX, size), source, size);
		if (operation != 7)
			set(run, RAX, size, result);
		return TL_OK;
	}
}

/* INC and DEC leave CF as it is. */
static enum tl_status carry_step(struct run *run, bool down, tl_u8 size)
{
	tl_u64 carry = run->flags & CF;
	tl_u64 value;
	tl_u64 result;

	TL_TRY(load_operand(run, size, &value));
	result = down ? subtract(run, value, 1, 0, size) : add(run, value, 1, 0, size);
	raise(run, CF, carry != 0);
	return store_operand(run, size, result);
}

/* Group F6: TEST, NOT, NEG. */
static enum tl_status carry_unary(struct run *run)
{
	tl_u8 size = data_size(run);
	tl_u64 value;

	TL_TRY(load_operand(run, size, &value));
	switch (run->in.modrm_reg) {
	case 2:
		return store_operand(run, size, ~value);
	case 3:
		return store_operand(run, size, subtract(run, 0, value, 0, size));
	default:
		logic(run, value & truncate((tl_u64)run->in.immediate, size), size);
		return TL_OK;
	}
}

/*
 * SHL, SHR, SAR. What is undefined (OF for counts above 1, AF) gets the value that falls out; counts from the operand's
 * width on are not carried out.
 */
static enum tl_status carry_shift(struct run *run)
{
	tl_u8 size = data_size(run);
	tl_u8 count = run->in.immediate_size != 0 ? (tl_u8)run->in.immediate & (size == 8 ? 63 : 31) : 1;
	tl_u64 value;
	tl_u64 result;

	TL_TRY(load_operand(run, size, &value));
	if (count == 0)
		return run->in.memory ? TL_OK : store_operand(run, size, value);
	if ((run->in.modrm_reg & 5) == 4 && run->in.modrm_reg != 5) {
		result = truncate(value << count, size);
		raise(run, CF, (value >> (8 * size - count) & 1) != 0);
		raise(run, OF, negative(result, size) != ((run->flags & CF) != 0));
	} else {
		tl_u64 source = run->in.modrm_reg == 7 ? extend(value, size) : value;

		result = truncate(run->in.modrm_reg == 7 ? (tl_u64)((tl_i64)source >> count) : source >> count, size);
		raise(run, CF, (source >> (count - 1) & 1) != 0);
		raise(run, OF, run->in.modrm_reg == 5 && negative(value, size));
	}
	result_flags(run, result, size);
	return store_operand(run, size, result);
}

/* The sixteen conditions of Jcc, SETcc and CMOVcc. */
static bool condition(tl_u64 flags, tl_u8 number)
{
	bool less = ((flags & SF) != 0) != ((flags & OF) != 0);
	bool met;

	switch (number >> 1 & 7) {
	case 0:
		met = (flags & OF) != 0;
		break;
	case 1:
		met = (flags & CF) != 0;
		break;
	case 2:
		met = (flags & ZF) != 0;
		break;
	case 3:
		met = (flags & (CF | ZF)) != 0;
		break;
	case 4:
		met = (flags & SF) != 0;
		break;
	case 5:
		met = (flags & PF) != 0;
		break;
	case 6:
		met = less;
		break;
	default:
		met = less || (flags & ZF) != 0;
		break;
	}
	return met != ((number & 1) != 0);
}

/* A jump to an address that is not canonical faults before it is made. */
static enum tl_status check_target(bool wide, tl_u64 *target)
{
	if (!wide) {
		*target = (tl_u32)*target;
		return TL_OK;
	}
	return extend(*target, 6) == *target ? TL_OK : TL_ERROR_UNSUPPORTED;
}

static enum tl_status jump(struct run *run, tl_u64 target)
{
	TL_TRY(check_target(run->in.wide, &target));
	run->next = target;
	return TL_OK;
}

static enum tl_status call(struct run *run, tl_u64 target)
{
	TL_TRY(check_target(run->in.wide, &target));
	TL_TRY(push(run, mode_size(run), run->next));
	run->next = target;
	return TL_OK;
}

static enum tl_status carry_return(struct run *run)
{
	tl_u64 target;

	TL_TRY(top(run, mode_size(run), &target));
	TL_TRY(jump(run, target));
	drop(run, mode_size(run) + (run->in.opcode == 0xc2 ? (tl_u64)(tl_u16)run->in.immediate : 0));
	return TL_OK;
}

static enum tl_status carry_pop(struct run *run, tl_u8 number)
{
	tl_u64 value;

	TL_TRY(top(run, run->in.operand_size, &value));
	drop(run, run->in.operand_size);
	set(run, number, run->in.operand_size, value);
	return TL_OK;
}

static enum tl_status carry_leave(struct run *run)
{
	tl_u64 frame = truncate(get(run, RBP, 8), mode_size(run));
	tl_u64 value;

	TL_TRY(load(run, frame, run->in.operand_size, &value));
	set(run, RSP, mode_size(run), frame + run->in.operand_size);
	set(run, RBP, run->in.operand_size, value);
	return TL_OK;
}

/* Group FF (and FE): INC, DEC, CALL, JMP, PUSH. */
static enum tl_status carry_group_ff(struct run *run)
{
	tl_u8 size = run->in.opcode == 0xfe ? 1 : run->in.operand_size;
	tl_u64 value;

	if (run->in.modrm_reg <= 1)
		return carry_step(run, run->in.modrm_reg == 1, size);
	TL_TRY(load_operand(run, size, &value));
	if (run->in.modrm_reg == 2)
		return call(run, value);
	return run->in.modrm_reg == 4 ? jump(run, value) : push(run, size, value);
}

static enum tl_status carry_widen(struct run *run)
{
	tl_u8 size = run->in.operand_size;

	if (run->in.opcode == 0x98)
		set(run, RAX, size, extend(tl_load_little(run->file + TL_X86_AT_RAX, size / 2u), size / 2));
	else
		set(run, RDX, size, negative(get(run, RAX, size), size) ? TL_U64_MAX : 0);
	return TL_OK;
}

static enum tl_status exchange(struct run *run, tl_u8 a, tl_u8 b, tl_u8 size)
{
	tl_u64 value = get(run, a, size);

	set(run, a, size, get(run, b, size));
	set(run, b, size, value);
	return TL_OK;
}

/* MOV in its forms, LEA, MOVSXD. */
static enum tl_status carry_move(struct run *run)
{
	tl_u8 size = data_size(run);
	tl_u64 value;

	switch (run->in.opcode) {
	case 0x63:
		TL_TRY(load_operand(run, run->in.operand_size < 4 ? run->in.operand_size : 4, &value));
		set(run, run->in.reg, run->in.operand_size,
		    extend(value, run->in.operand_size < 4 ? run->in.operand_size : 4));
		return TL_OK;
	case 0x88:
	case 0x89:
		return store_operand(run, size, get(run, run->in.reg, size));
	case 0x8a:
	case 0x8b:
		TL_TRY(load_operand(run, size, &value));
		set(run, run->in.reg, size, value);
		return TL_OK;
	case 0x8d:
		set(run, run->in.reg, run->in.operand_size, operand_address(run));
		return TL_OK;
	case 0xa0:
	case 0xa1:
		TL_TRY(load(run, operand_address(run), size, &value));
		set(run, RAX, size, value);
		return TL_OK;
	case 0xa2:
	case 0xa3:
		return store(run, operand_address(run), size, get(run, RAX, size));
	default:
		return store_operand(run, size, (tl_u64)run->in.immediate);
	}
}

static enum tl_status carry_test(struct run *run)
{
	tl_u8 size = data_size(run);
	tl_u64 value;

	if (run->in.opcode >= 0xa8) {
		logic(run, get(run, RAX, size) & truncate((tl_u64)run->in.immediate, size), size);
		return TL_OK;
	}
	TL_TRY(load_operand(run, size, &value));
	logic(run, value & get(run, run->in.reg, size), size);
	return TL_OK;
}

/* Opcodes that have their register in the low three bits: 40 to 5F, 90 to 97, B0 to BF. */
static enum tl_status carry_short(struct run *run)
{
	tl_u8 opcode = run->in.opcode;
	tl_u8 number = (tl_u8)((opcode & 7) | ((run->in.rex & TL_X86_REX_B) != 0 ? 8 : 0));

	if (opcode < 0x50) {
		run->in.rm = number;
		return carry_step(run, opcode >= 0x48, run->in.operand_size);
	}
	if (opcode < 0x58)
		return push(run, run->in.operand_size, get(run, number, run->in.operand_size));
	if (opcode < 0x60)
		return carry_pop(run, number);
	if (opcode < 0x98)
		return number == 0 ? TL_OK : exchange(run, number, RAX, run->in.operand_size);
	set(run, number, opcode < 0xb8 ? 1 : run->in.operand_size, (tl_u64)run->in.immediate);
	return TL_OK;
}

static enum tl_status carry_primary(struct run *run)
{
	tl_u8 opcode = run->in.opcode;

	if (opcode < 0x40)
		return carry_arithmetic(run);
	if (opcode < 0x60 || (opcode >= 0x90 && opcode <= 0x97) || (opcode >= 0xb0 && opcode <= 0xbf))
		return carry_short(run);
	if (opcode >= 0x70 && opcode <= 0x7f)
		return condition(run->flags, opcode) ? jump(run, run->next + (tl_u64)run->in.immediate) : TL_OK;
	switch (opcode) {
	case 0x68:
	case 0x6a:
		return push(run, run->in.operand_size, (tl_u64)run->in.immediate);
	case 0x80:
	case 0x81:
	case 0x83:
		return operate(run, run->in.modrm_reg, (tl_u64)run->in.immediate, data_size(run));
	case 0x84:
	case 0x85:
	case 0xa8:
	case 0xa9:
		return carry_test(run);
	case 0x86:
	case 0x87:
		return exchange(run, run->in.reg, run->in.rm, data_size(run));
	case 0x98:
	case 0x99:
		return carry_widen(run);
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
		return carry_shift(run);
	case 0xc2:
	case 0xc3:
		return carry_return(run);
	case 0xc9:
		return carry_leave(run);
	case 0xe8:
		return call(run, run->next + (tl_u64)run->in.immediate);
	case 0xe9:
	case 0xeb:
		return jump(run, run->next + (tl_u64)run->in.immediate);
	case 0xf6:
	case 0xf7:
		return carry_unary(run);
	case 0xfe:
	case 0xff:
		return carry_group_ff(run);
	default:
		return carry_move(run);
	}
}

static enum tl_status carry_secondary(struct run *run)
{
	tl_u8 opcode = run->in.opcode;
	tl_u64 value;

	if ((opcode & 0xf0) == 0x80)
		return condition(run->flags, opcode) ? jump(run, run->next + (tl_u64)run->in.immediate) : TL_OK;
	if ((opcode & 0xf0) == 0x90)
		return store_operand(run, 1, condition(run->flags, opcode));
	if ((opcode & 0xf0) == 0x40) {
		TL_TRY(load_operand(run, run->in.operand_size, &value));
		if (!condition(run->flags, opcode))
			value = get(run, run->in.reg, run->in.operand_size);
		set(run, run->in.reg, run->in.operand_size, value);
		return TL_OK;
	}
	if (opcode == 0x1e || opcode == 0x1f)
		return TL_OK;
	TL_TRY(load_operand(run, (opcode & 1) != 0 ? 2 : 1, &value));
	set(run, run->in.reg, run->in.operand_size, opcode >= 0xbe ? extend(value, (opcode & 1) != 0 ? 2 : 1) : value);
	return TL_OK;
}

static bool carries_group(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x86:
	case 0x87: /* with memory it is atomic */
		return !in->memory;
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1: {
		tl_u8 size = (in->opcode & 1) != 0 ? in->operand_size : 1;
		tl_u8 count = (tl_u8)in->immediate & (size == 8 ? 63 : 31);

		return in->modrm_reg >= 4 && (in->immediate_size == 0 || count < 8 * size);
	}
	case 0xc6:
	case 0xc7:
		return in->modrm_reg == 0;
	case 0xf6:
	case 0xf7:
		return in->modrm_reg <= 3;
	case 0xff:
		return in->modrm_reg != 3 && in->modrm_reg != 5;
	default:
		return true;
	}
}

static bool carries_primary(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (opcode < 0x40)
		return (opcode & 7) <= 5;
	if (opcode < 0x60 || (opcode & 0xf0) == 0x70 || (opcode & 0xf0) == 0xb0)
		return true;
	if (opcode >= 0x80 && opcode <= 0x99)
		return opcode != 0x82 && opcode != 0x8c && opcode != 0x8e && opcode != 0x8f && carries_group(in);
	switch (opcode) {
	case 0x63:
		return in->wide;
	case 0x68:
	case 0x6a:
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
	case 0xa8:
	case 0xa9:
	case 0xc2:
	case 0xc3:
	case 0xc9:
	case 0xe8:
	case 0xe9:
	case 0xeb:
	case 0xfe:
		return true;
	case 0xc0:
	case 0xc1:
	case 0xc6:
	case 0xc7:
	case 0xd0:
	case 0xd1:
	case 0xf6:
	case 0xf7:
	case 0xff:
		return carries_group(in);
	default:
		return false;
	}
}

static bool carries_secondary(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if ((opcode & 0xf0) == 0x40 || (opcode & 0xf0) == 0x80 || (opcode & 0xf0) == 0x90 || opcode == 0x1f)
		return true;
	/* ENDBR64 and ENDBR32; what else is there may read the shadow stack. */
	if (opcode == 0x1e)
		return in->repeat == 0xf3 && !in->memory && in->modrm_reg == 7 &&
		       ((in->rm & 7) == 2 || (in->rm & 7) == 3);
	return opcode == 0xb6 || opcode == 0xb7 || opcode == 0xbe || opcode == 0xbf;
}

/* A repeat prefix is a hint before branches (BND, "rep ret"), makes PAUSE and ENDBR, and is left to the machine
 * elsewhere. */
static bool carries_repeat(const struct tl_x86_instruction *in)
{
	return in->repeat == 0 || in->flow != TL_FLOW_NEXT || (in->map == 0 && in->opcode == 0x90) ||
	       (in->map == 1 && in->opcode == 0x1e);
}

bool tl_x86_carries_out(const struct tl_x86_instruction *in)
{
	if (in->encoding != TL_X86_ENCODING_LEGACY || in->map > 1 || in->lock || in->address_size == 2)
		return false;
	if (in->flow != TL_FLOW_NEXT && in->flow != TL_FLOW_JUMP && in->flow != TL_FLOW_BRANCH &&
	    in->flow != TL_FLOW_CALL && in->flow != TL_FLOW_RETURN)
		return false;
	/* In 32-bit mode CS cannot be written through, and FS and GS may be empty: both fault. */
	if (!in->wide && in->memory && (in->segment == 0x2e || in->segment >= 0x64))
		return false;
	/* A near branch with a 16-bit operand truncates the program counter: nobody means that. */
	if (in->flow != TL_FLOW_NEXT && in->operand_size == 2)
		return false;
	if (!carries_repeat(in))
		return false;
	return in->map == 0 ? carries_primary(in) : carries_secondary(in);
}

enum tl_status tl_x86_carry_out(bool wide, tl_u8 *file, const tl_u8 *bytes, tl_size size,
				const struct tl_memory_access *memory)
{
	struct run run = {.file = file, .memory = memory};

	TL_TRY(tl_x86_decode(wide, bytes, size, &run.in));
	if (!tl_x86_carries_out(&run.in))
		return TL_ERROR_INSTRUCTION;
	run.flags = tl_load_little(file + TL_X86_AT_EFLAGS, 8);
	/* With alignment checks on, an access may fault that goes well here. */
	if ((run.flags & AC) != 0)
		return TL_ERROR_UNSUPPORTED;
	run.next = truncate(tl_load_little(file + TL_X86_AT_RIP, 8) + run.in.length, mode_size(&run));
	TL_TRY(run.in.map == 0 ? carry_primary(&run) : carry_secondary(&run));
	tl_store_little(file + TL_X86_AT_EFLAGS, run.flags & ~RF, 8);
	tl_store_little(file + TL_X86_AT_RIP, run.next, 8);
	return TL_OK;
}

/* LOOP, LOOPE, LOOPNE, JCXZ: both ways are given, which is always right. */
static enum tl_status indirect_target(const struct run *run, tl_u64 *target_ret)
{
	enum tl_status status;

	if (run->in.flow == TL_FLOW_RETURN)
		status = top(run, mode_size(run), target_ret);
	else if (run->in.opcode == 0xff)
		status = load_operand(run, run->in.operand_size, target_ret);
	else {
		*target_ret = run->next + (tl_u64)run->in.immediate;
		status = TL_OK;
	}
	if (status == TL_OK && !run->in.wide)
		*target_ret = run->in.operand_size == 2 ? (tl_u16)*target_ret : (tl_u32)*target_ret;
	return status;
}

/* Jcc goes one way, which its flags tell. */
static bool branch_taken(const struct run *run, bool *known)
{
	*known = (run->in.opcode & 0xf0) == 0x70 || run->in.map == 1;
	return *known && condition(run->flags, run->in.opcode);
}

enum tl_status tl_x86_successors(bool wide, const tl_u8 *file, const tl_u8 *bytes, tl_size size,
				 const struct tl_memory_access *memory, tl_u64 successors_ret[TL_SUCCESSORS_MAX],
				 tl_size *count_ret)
{
	struct run run = {.memory = memory};
	tl_u8 general[TL_X86_GENERAL_SIZE];
	tl_u64 target;
	bool known;
	bool taken;

	tl_copy(general, file, sizeof(general));
	run.file = general;
	TL_TRY(tl_x86_decode(wide, bytes, size, &run.in));
	run.flags = tl_load_little(general + TL_X86_AT_EFLAGS, 8);
	run.next = truncate(tl_load_little(general + TL_X86_AT_RIP, 8) + run.in.length, mode_size(&run));
	*count_ret = 1;
	switch (run.in.flow) {
	case TL_FLOW_NEXT:
	case TL_FLOW_SYSCALL:
	case TL_FLOW_TRAP:
		successors_ret[0] = run.next;
		return TL_OK;
	case TL_FLOW_REPEAT:
		successors_ret[0] = truncate(run.next - run.in.length, mode_size(&run));
		successors_ret[1] = run.next;
		*count_ret = 2;
		return TL_OK;
	case TL_FLOW_JUMP:
	case TL_FLOW_CALL:
	case TL_FLOW_RETURN:
	case TL_FLOW_BRANCH:
		TL_TRY(indirect_target(&run, &target));
		taken = branch_taken(&run, &known);
		if (run.in.flow != TL_FLOW_BRANCH || known) {
			successors_ret[0] = run.in.flow != TL_FLOW_BRANCH || taken ? target : run.next;
			return TL_OK;
		}
		successors_ret[0] = run.next;
		successors_ret[1] = target;
		*count_ret = 2;
		return TL_OK;
	case TL_FLOW_SPECIAL:
	case TL_FLOW_MAX:
		break;
	}
	return TL_ERROR_INSTRUCTION;
}

/*
 * Breakpoints in translated code. In front of the instruction stands a question: whether the hart halts here. Where all
 * breakpoints have conditions that are simple enough, these are translated, too, and the question is asked when one of
 * them is true or cannot be decided in line.
 *
 * The top of a condition's stack is in rax, what is below it in hart->translated.below.
 */
#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

#include "core/agent/agent.h"
#include "core/agent/opcodes.h"
#include "targets/emulator/points.h"

#define CODE_MAX 256 /* bytes of a condition that is translated */
#define SITES_MAX 64
#define ROOM_MAX 16384 /* bytes of translated conditions in a unit */

struct condition {
	struct tl_unit *unit;
	struct tl_agent_instruction is;
	tl_u16 offset, height;
	bool reached;            /* by what stands in front of it */
	tl_u32 places[CODE_MAX]; /* of instructions; 0: not yet */
	tl_u8 heights[CODE_MAX]; /* plus 1, of those that are jumped to */
	struct {
		tl_u32 site;
		tl_u16 target;
	} jumps[SITES_MAX];
	tl_u32 jump_count;
	tl_u32 asks[SITES_MAX]; /* jumps to where the question is asked */
	tl_u32 ask_count;
};

static struct tl_x86_operand below(const struct condition *condition, tl_u16 depth)
{
	return tl_unit_in_hart(TL_AT(translated.below) + 8 * (condition->height - 1 - depth));
}

/* Room for a new top of the stack. */
static void push(struct condition *condition)
{
	if (condition->height != 0)
		tl_x86_op(condition->unit->code, TL_X86_STORE | TL_X86_W, TL_RAX, below(condition, 0));
	condition->height++;
}

static void drop(struct condition *condition)
{
	if (condition->height > 1)
		tl_x86_op(condition->unit->code, TL_X86_MOV | TL_X86_W, TL_RAX, below(condition, 1));
	condition->height--;
}

static void truth(struct tl_x86 *code, enum tl_x86_condition when)
{
	tl_x86_set_if(code, when, TL_RAX);
	tl_x86_op(code, TL_X86_MOVZX8, TL_RAX, tl_x86_r(TL_RAX));
}

static bool translate_binary(struct condition *condition)
{
	static const tl_u16 opcodes[] = {
		[TL_AGENT_add] = TL_X86_ADD,   [TL_AGENT_mul] = TL_X86_IMUL,    [TL_AGENT_bit_and] = TL_X86_AND,
		[TL_AGENT_bit_or] = TL_X86_OR, [TL_AGENT_bit_xor] = TL_X86_XOR, [TL_AGENT_less_unsigned] = 0};
	struct tl_x86 *code = condition->unit->code;
	tl_u8 opcode = condition->is.opcode;
	bool compares = opcode == TL_AGENT_equal || opcode == TL_AGENT_less_signed || opcode == TL_AGENT_less_unsigned;

	if (opcode < TL_COUNT(opcodes) && opcodes[opcode] != 0) {
		tl_x86_op(code, opcodes[opcode] | TL_X86_W, TL_RAX, below(condition, 1));
		condition->height--;
		return true;
	}
	if (opcode != TL_AGENT_sub && !compares)
		return false;
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, below(condition, 1));
	condition->height--;
	if (compares) {
		tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RCX, tl_x86_r(TL_RAX));
		truth(code, opcode == TL_AGENT_equal ? TL_CC_E : opcode == TL_AGENT_less_signed ? TL_CC_L : TL_CC_B);
	} else {
		tl_x86_op(code, TL_X86_SUB | TL_X86_W, TL_RCX, tl_x86_r(TL_RAX));
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
	}
	return true;
}

static bool translate_unary(struct condition *condition)
{
	struct tl_x86 *code = condition->unit->code;
	tl_u64 bits = condition->is.operand;

	switch (condition->is.opcode) {
	case TL_AGENT_log_not:
		tl_x86_op(code, TL_X86_TEST | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
		truth(code, TL_CC_E);
		return true;
	case TL_AGENT_bit_not:
		tl_x86_op(code, 0xf7 | TL_X86_W, 2, tl_x86_r(TL_RAX)); /* not */
		return true;
	case TL_AGENT_ext:
	case TL_AGENT_zero_ext:
		if (bits == 0)
			return false;
		if (bits >= 64)
			return true;
		tl_x86_shift(code, TL_X86_W, TL_X86_SHL_N, tl_x86_r(TL_RAX), (tl_u8)(64 - bits));
		tl_x86_shift(code, TL_X86_W, condition->is.opcode == TL_AGENT_ext ? TL_X86_SAR_N : TL_X86_SHR_N,
			     tl_x86_r(TL_RAX), (tl_u8)(64 - bits));
		return true;
	default:
		return false;
	}
}

/* Memory that the hart keeps a translation of, and the rights to read. */
static bool translate_reference(struct condition *condition)
{
	static const tl_u32 loads[] = {TL_X86_MOVZX8, TL_X86_MOVZX16, TL_X86_MOV, TL_X86_MOV | TL_X86_W};
	tl_u32 which = (tl_u32)(condition->is.opcode - TL_AGENT_ref8);

	if (condition->ask_count == SITES_MAX)
		return false;
	condition->asks[condition->ask_count++] =
		tl_unit_look_up(condition->unit, (struct tl_place){TL_RAX, 0}, 1u << which, TL_LOOK_LOAD);
	tl_x86_op(condition->unit->code, loads[which], TL_RAX, tl_x86_mx(TL_RAX, TL_RCX, 0, 0));
	return true;
}

static bool translate_stack(struct condition *condition)
{
	struct tl_x86 *code = condition->unit->code;

	switch (condition->is.opcode) {
	case TL_AGENT_dup:
		push(condition);
		return true;
	case TL_AGENT_pop:
		drop(condition);
		return true;
	case TL_AGENT_swap:
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, below(condition, 1));
		tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RAX, below(condition, 1));
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
		return true;
	default:
		return false;
	}
}

static bool translate_jump(struct condition *condition)
{
	tl_u16 target = (tl_u16)condition->is.operand;
	struct tl_x86 *code = condition->unit->code;
	tl_u32 site;

	if (target <= condition->offset || target >= CODE_MAX || condition->jump_count == SITES_MAX)
		return false;
	if (condition->is.opcode == TL_AGENT_if_goto) {
		tl_x86_op(code, TL_X86_TEST | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
		drop(condition); /* flags stay */
		site = tl_x86_jump_if(code, TL_CC_NE, 0);
	} else {
		site = tl_x86_jump(code, 0);
		condition->reached = false;
	}
	condition->jumps[condition->jump_count].site = site;
	condition->jumps[condition->jump_count++].target = target;
	condition->heights[target] = (tl_u8)(condition->height + 1);
	return true;
}

/* A value that is not 0 asks; else it goes on at the end of the condition. */
static bool translate_end(struct condition *condition)
{
	struct tl_x86 *code = condition->unit->code;

	if (condition->ask_count == SITES_MAX || condition->jump_count == SITES_MAX)
		return false;
	if (condition->height != 0) {
		tl_x86_op(code, TL_X86_TEST | TL_X86_W, TL_RAX, tl_x86_r(TL_RAX));
		condition->asks[condition->ask_count++] = tl_x86_jump_if(code, TL_CC_NE, 0);
	}
	condition->jumps[condition->jump_count].site = tl_x86_jump(code, 0);
	condition->jumps[condition->jump_count++].target = CODE_MAX;
	condition->reached = false;
	return true;
}

static bool translate_register(struct condition *condition)
{
	tl_u64 number = condition->is.operand;

	if (number > 32)
		return false;
	push(condition);
	if (number == 32)
		tl_x86_set(condition->unit->code, TL_RAX, condition->unit->pc);
	else
		tl_unit_take(condition->unit, (tl_u8)number, TL_RAX);
	return true;
}

static bool translate_one(struct condition *condition)
{
	switch ((enum tl_agent_group)condition->is.group) {
	case TL_AGENT_GROUP_BINARY:
		return translate_binary(condition);
	case TL_AGENT_GROUP_UNARY:
		return translate_unary(condition);
	case TL_AGENT_GROUP_REFERENCE:
		return translate_reference(condition);
	case TL_AGENT_GROUP_JUMP:
		return translate_jump(condition);
	case TL_AGENT_GROUP_CONSTANT:
		push(condition);
		tl_x86_set(condition->unit->code, TL_RAX, condition->is.operand);
		return true;
	case TL_AGENT_GROUP_REGISTER:
		return translate_register(condition);
	case TL_AGENT_GROUP_STACK:
		return translate_stack(condition);
	case TL_AGENT_GROUP_END:
		return translate_end(condition);
	case TL_AGENT_GROUP_NONE:
	case TL_AGENT_GROUP_REFUSED:
	case TL_AGENT_GROUP_DIVIDE: /* errors, and shifts by any number */
	case TL_AGENT_GROUP_SHIFT:
	case TL_AGENT_GROUP_PRINTF:
		return false;
	}
	return false;
}

/* What is jumped to, now that all of it stands; false where that is no instruction. */
static bool aim_jumps(struct condition *condition)
{
	struct tl_x86 *code = condition->unit->code;

	for (tl_u32 i = 0; i < condition->jump_count; i++) {
		tl_u16 target = condition->jumps[i].target;
		tl_u32 place = target == CODE_MAX ? code->at : condition->places[target];

		if (place == 0)
			return false;
		tl_x86_aim(code, condition->jumps[i].site, place);
	}
	return true;
}

/* A condition, behind the jumps of others to where the question is asked. False: it is not simple enough. */
static bool translate_condition(struct condition *condition, const struct tl_agent_code *code)
{
	condition->offset = condition->height = 0;
	condition->jump_count = 0;
	condition->reached = true;
	tl_fill(condition->places, 0, sizeof(condition->places));
	tl_fill(condition->heights, 0, sizeof(condition->heights));
	while (condition->offset < code->size) {
		tl_u16 offset = condition->offset;

		if (offset >= CODE_MAX || tl_agent_decode(code->bytes, code->size, offset, &condition->is) != TL_OK)
			return false;
		if (!condition->reached && condition->heights[offset] == 0)
			return false;
		if (!condition->reached)
			condition->height = condition->heights[offset] - 1;
		condition->reached = true;
		condition->places[offset] = condition->unit->code->at;
		if (condition->height < condition->is.needed || condition->height > TL_CONDITION_HEIGHT - 2 ||
		    !translate_one(condition))
			return false;
		condition->offset = (tl_u16)(offset + condition->is.size);
	}
	return !condition->reached && aim_jumps(condition);
}

/* All conditions of the breakpoints here. False: the question is to be asked each time. */
static bool translate_conditions(struct condition *condition)
{
	struct tl_unit *unit = condition->unit;
	const struct tl_emulator_point *points;
	tl_u32 before = unit->code->at;
	tl_size count;

	points = tl_points_breakpoints(unit->hart->points, unit->pc, &count);
	for (tl_size i = 0; i < count; i++) {
		if (points[i].condition_count == 0)
			return false;
		for (tl_u32 k = 0; k < points[i].condition_count; k++)
			if (unit->conditions + unit->code->at - before > ROOM_MAX ||
			    !translate_condition(condition, &points[i].conditions[k]))
				return false;
	}
	unit->conditions += unit->code->at - before;
	return count != 0;
}

void tl_translate_point(struct tl_unit *unit)
{
	struct condition condition = {.unit = unit};
	tl_u32 before, past;

	if (!tl_points_at(unit->hart->points, unit->hart, unit->pc))
		return;
	tl_deferred_make_all(unit);
	unit->in_rax = 0;
	before = unit->code->at;
	if (!translate_conditions(&condition)) {
		unit->code->at = before;
		(void)tl_unit_cold(unit, TL_COLD_POINT, tl_x86_jump(unit->code, 0));
		unit->cold[unit->cold_count - 1].back = unit->code->at;
		return;
	}
	past = tl_x86_jump(unit->code, 0);
	for (tl_u32 i = 0; i < condition.ask_count; i++)
		tl_x86_aim(unit->code, condition.asks[i], unit->code->at);
	(void)tl_unit_cold(unit, TL_COLD_POINT, tl_x86_jump(unit->code, 0));
	unit->cold[unit->cold_count - 1].back = unit->code->at;
	tl_x86_aim(unit->code, past, unit->code->at);
}

#endif

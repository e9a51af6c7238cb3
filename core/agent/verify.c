/*
 * The verifier walks the code once, from its first byte to its last, and knows the stack's height at each instruction:
 * from the one before it, or, behind a goto or an end, from the jumps forward that lead there. Those are kept in a list
 * of targets that lie ahead, so that the room needed grows with how deep an expression nests and not with its length.
 * What a jump back leads to is behind: the walk up to there is made again. GDB compiles no jumps back, and their
 * number is bounded, so that this stays cheap.
 *
 * Code that no walk reaches, or only a jump back, is taken apart but not followed; a jump back into it is refused.
 */
#include "core/agent/agent.h"
#include "core/agent/format.h"
#include "core/agent/opcodes.h"

#define TARGETS_MAX 96
#define JUMPS_BACK_MAX 64
#define HEIGHT_UNKNOWN 0xff

_Static_assert(TL_AGENT_STACK_MAX < HEIGHT_UNKNOWN, "a height does not fit");

struct target {
	tl_u16 offset;
	tl_u16 source; /* the first jump that leads there */
	tl_u8 height;  /* or HEIGHT_UNKNOWN: every jump there stands in code that is not reached */
};

struct walk {
	const struct tl_agent_code *code;
	tl_u16 offset; /* of the present instruction */
	tl_u8 height;  /* in front of it, or HEIGHT_UNKNOWN */
	tl_u16 fault;  /* where an error lies, if not at the present instruction */
	tl_size jumps_back;
	tl_size target_count;
	struct target targets[TARGETS_MAX]; /* the nearest last */
};

/* Two ways that meet must bring the same height. */
static enum tl_status merge(tl_u8 *height, tl_u8 other)
{
	if (*height == HEIGHT_UNKNOWN)
		*height = other;
	return other == HEIGHT_UNKNOWN || *height == other ? TL_OK : TL_ERROR_BYTECODE_STACK;
}

static enum tl_status add_target(struct walk *walk, tl_u16 offset, tl_u8 height)
{
	tl_size at = walk->target_count;

	while (at > 0 && walk->targets[at - 1].offset < offset)
		at--;
	if (at > 0 && walk->targets[at - 1].offset == offset)
		return merge(&walk->targets[at - 1].height, height);
	if (walk->target_count == TARGETS_MAX)
		return TL_ERROR_TOO_LONG;
	tl_move(&walk->targets[at + 1], &walk->targets[at], (walk->target_count - at) * sizeof(walk->targets[0]));
	walk->targets[at] = (struct target){.offset = offset, .source = walk->offset, .height = height};
	walk->target_count++;
	return TL_OK;
}

/* The walk has come to walk->offset: takes up what jumps bring there. */
static enum tl_status arrive(struct walk *walk)
{
	const struct target *target;

	if (walk->target_count == 0)
		return TL_OK;
	target = &walk->targets[walk->target_count - 1];
	if (target->offset > walk->offset)
		return TL_OK;
	if (target->offset < walk->offset) {
		walk->fault = target->source;
		return TL_ERROR_BYTECODE;
	}
	walk->target_count--;
	return merge(&walk->height, target->height);
}

/* The height behind `instruction`. */
static enum tl_status change_height(struct walk *walk, const struct tl_agent_instruction *instruction)
{
	tl_size height = walk->height;

	if (walk->height == HEIGHT_UNKNOWN)
		return TL_OK;
	if (height < instruction->needed)
		return TL_ERROR_BYTECODE_STACK;
	height = height - instruction->taken + instruction->put;
	if (height > TL_AGENT_STACK_MAX)
		return TL_ERROR_BYTECODE_STACK;
	walk->height = (tl_u8)height;
	return TL_OK;
}

static bool goes_on(const struct tl_agent_instruction *instruction)
{
	return instruction->opcode != TL_AGENT_goto && instruction->opcode != TL_AGENT_end;
}

/* Moves behind `instruction`, whose jump, if it is one forward, becomes a target. */
static enum tl_status advance(struct walk *walk, const struct tl_agent_instruction *instruction)
{
	TL_TRY(change_height(walk, instruction));
	if (instruction->group == TL_AGENT_GROUP_JUMP) {
		if (instruction->operand >= walk->code->size)
			return TL_ERROR_BYTECODE;
		if (instruction->operand > walk->offset)
			TL_TRY(add_target(walk, (tl_u16)instruction->operand, walk->height));
	}
	if (!goes_on(instruction))
		walk->height = HEIGHT_UNKNOWN;
	walk->offset = (tl_u16)(walk->offset + instruction->size);
	return TL_OK;
}

/* The stack's height in front of the instruction at `offset`, which a walk has passed without an error. */
static TL_NOINLINE enum tl_status height_at(const struct tl_agent_code *code, tl_u16 offset, tl_u8 *height_ret)
{
	struct walk walk = {.code = code};
	struct tl_agent_instruction instruction;

	for (;;) {
		TL_TRY(arrive(&walk));
		if (walk.offset >= offset)
			break;
		TL_TRY(tl_agent_decode(code->bytes, code->size, walk.offset, &instruction));
		TL_TRY(advance(&walk, &instruction));
	}
	*height_ret = walk.height;
	return walk.offset == offset ? TL_OK : TL_ERROR_BYTECODE;
}

/* A jump back must find the height that its target had when the walk passed it. */
static enum tl_status check_jump_back(struct walk *walk, const struct tl_agent_instruction *instruction)
{
	tl_size height = walk->height;
	tl_u8 there;

	if (++walk->jumps_back > JUMPS_BACK_MAX)
		return TL_ERROR_TOO_LONG;
	TL_TRY(height_at(walk->code, (tl_u16)instruction->operand, &there));
	if (walk->height == HEIGHT_UNKNOWN)
		return TL_OK;
	if (there == HEIGHT_UNKNOWN)
		return TL_ERROR_BYTECODE;
	return height == (tl_size)there + instruction->taken ? TL_OK : TL_ERROR_BYTECODE_STACK;
}

static enum tl_status step(struct walk *walk)
{
	const struct tl_agent_code *code = walk->code;
	struct tl_agent_instruction instruction;

	TL_TRY(tl_agent_decode(code->bytes, code->size, walk->offset, &instruction));
	if (instruction.group == TL_AGENT_GROUP_PRINTF)
		TL_TRY(tl_agent_check_format(code->bytes + instruction.text_offset, instruction.text_size,
					     (tl_size)instruction.operand));
	if (instruction.group == TL_AGENT_GROUP_JUMP && instruction.operand <= walk->offset)
		TL_TRY(check_jump_back(walk, &instruction));
	return advance(walk, &instruction);
}

/* All of the code; at an error walk->offset or walk->fault says where. */
static enum tl_status walk_all(struct walk *walk)
{
	while (walk->offset < walk->code->size) {
		TL_TRY(arrive(walk));
		TL_TRY(step(walk));
	}
	TL_TRY(arrive(walk));
	return walk->height == HEIGHT_UNKNOWN ? TL_OK : TL_ERROR_BYTECODE;
}

enum tl_status tl_agent_verify(const struct tl_agent_code *code, tl_u16 *offset_ret)
{
	struct walk walk = {.code = code, .fault = 0xffff};
	enum tl_status status = TL_OK;

	if (code->size == 0 || code->size > TL_AGENT_CODE_MAX)
		status = code->size == 0 ? TL_ERROR_BYTECODE : TL_ERROR_TOO_LONG;
	else
		status = walk_all(&walk);
	if (status != TL_OK && offset_ret != NULL)
		*offset_ret = walk.fault != 0xffff ? walk.fault : walk.offset;
	return status;
}

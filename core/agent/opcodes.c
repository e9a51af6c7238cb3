#include "core/agent/opcodes.h"

#include "core/agent/agent.h"

struct opcode_row {
	const char *name;
	tl_u8 group;
	tl_u8 operand_size;
	tl_u8 taken;
	tl_u8 put;
};

static const struct opcode_row rows[] = {
#define X(name, opcode, group, operand, taken, put) [opcode] = {#name, TL_AGENT_GROUP_##group, operand, taken, put},
	TL_AGENT_OPCODE_TABLE(X)
#undef X
};

const char *tl_agent_mnemonic(tl_u8 opcode)
{
	return opcode < TL_COUNT(rows) ? rows[opcode].name : NULL;
}

enum tl_status tl_agent_decode(const tl_u8 *bytes, tl_u16 size, tl_u16 offset,
			       struct tl_agent_instruction *instruction_ret)
{
	struct tl_agent_instruction instruction;
	const struct opcode_row *row;
	struct tl_cursor cursor;
	tl_u8 opcode;

	if (offset >= size || bytes[offset] >= TL_COUNT(rows))
		return TL_ERROR_BYTECODE;
	cursor = tl_cursor_make(bytes + offset, (tl_size)(size - offset));
	opcode = tl_cursor_byte(&cursor);
	row = &rows[opcode];
	if (row->group == TL_AGENT_GROUP_NONE)
		return TL_ERROR_BYTECODE;
	if (row->group == TL_AGENT_GROUP_REFUSED)
		return TL_ERROR_UNSUPPORTED;
	instruction = (struct tl_agent_instruction){.opcode = opcode,
						    .group = row->group,
						    .size = (tl_u16)(1 + row->operand_size),
						    .needed = row->taken,
						    .taken = row->taken,
						    .put = row->put};
	if (opcode == TL_AGENT_printf) {
		/* Besides the arguments a function and a channel, both 0 so far as GDB goes. */
		instruction.operand = tl_cursor_byte(&cursor);
		instruction.text_size = (tl_u16)tl_cursor_big(&cursor, 2);
		instruction.text_offset = (tl_u16)(offset + 4);
		instruction.taken = instruction.needed = (tl_u16)(row->taken + instruction.operand);
		(void)tl_cursor_take(&cursor, instruction.text_size);
		instruction.size = (tl_u16)(instruction.size + instruction.text_size);
	} else if (row->operand_size != 0) {
		instruction.operand = tl_cursor_big(&cursor, row->operand_size);
	}
	if (opcode == TL_AGENT_pick)
		instruction.needed = (tl_u16)(instruction.operand + 1);
	if (cursor.failed)
		return TL_ERROR_BYTECODE;
	*instruction_ret = instruction;
	return TL_OK;
}

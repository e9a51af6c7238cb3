#include "core/cpu/x86_access.h"
#include "core/cpu/x86_layout.h"

/* What was watched, and the registers as the instruction left them. */
struct question {
	bool wide;
	const tl_u8 *file;
	tl_u64 pc;
	tl_u64 address;
	tl_u64 size;
};

static tl_u64 general(const struct question *question, tl_u16 at)
{
	tl_u64 value = tl_load_little(question->file + at, 8);

	return question->wide ? value : (tl_u32)value;
}

static bool hits(const struct question *question, tl_u64 address, tl_u64 size)
{
	return tl_overlap(question->address, question->size, question->wide ? address : (tl_u32)address, size);
}

/*
 * EVEX scales a displacement of one byte by the size of its tuple, and vector indices make many addresses: both are not
 * followed, but for the moves of whole vectors.
 */
static bool address_known(const struct tl_x86_instruction *in)
{
	if (in->encoding != TL_X86_ENCODING_EVEX)
		return in->encoding != TL_X86_ENCODING_VEX || in->map != 2 || in->opcode < 0x90 || in->opcode > 0x93;
	if (in->map == 2 && ((in->opcode >= 0x90 && in->opcode <= 0x93) || (in->opcode >= 0xa0 && in->opcode <= 0xa3)))
		return false;
	return in->displacement_size != 1;
}

static tl_u64 operand_address(const struct question *question, const struct tl_x86_instruction *in)
{
	return tl_x86_address(in, question->file, question->pc);
}

/* A string operation has moved its pointers on by one element, up or down. */
static enum tl_access string_access(const struct question *question, const struct tl_x86_instruction *in)
{
	tl_u8 size = (in->opcode & 1) != 0 ? in->operand_size : 1;
	bool down = (tl_load_little(question->file + TL_X86_AT_EFLAGS, 4) >> 10 & 1) != 0;
	tl_u64 back = down ? (tl_u64)0 - size : size;
	tl_u64 from = general(question, TL_X86_AT_RSI) - back;
	tl_u64 to = general(question, TL_X86_AT_RDI) - back;
	unsigned access = TL_ACCESS_NONE;

	switch (in->opcode & 0xfe) {
	case 0xa4: /* MOVS */
		access |= hits(question, from, size) ? TL_ACCESS_READ : 0;
		access |= hits(question, to, size) ? TL_ACCESS_WRITE : 0;
		break;
	case 0xa6: /* CMPS */
		access |= hits(question, from, size) || hits(question, to, size) ? TL_ACCESS_READ : 0;
		break;
	case 0x6c: /* INS */
	case 0xaa: /* STOS */
		access |= hits(question, to, size) ? TL_ACCESS_WRITE : 0;
		break;
	case 0x6e: /* OUTS */
	case 0xac: /* LODS */
		access |= hits(question, from, size) ? TL_ACCESS_READ : 0;
		break;
	case 0xae: /* SCAS */
		access |= hits(question, to, size) ? TL_ACCESS_READ : 0;
		break;
	default:
		break;
	}
	return (enum tl_access)access;
}

/* Pushes and pops that did not leave the straight line; a call or return does not end before the program counter. */
static enum tl_access stack_access(const struct question *question, const struct tl_x86_instruction *in)
{
	tl_u64 stack = general(question, TL_X86_AT_RSP);
	tl_u8 size = in->operand_size;

	if (in->map == 0 && (in->opcode == 0x60 || in->opcode == 0xc8 || in->opcode == 0x61))
		return TL_ACCESS_NONE;
	if (in->map == 0 && in->opcode == 0xc9)
		return hits(question, stack - size, size) ? TL_ACCESS_READ : TL_ACCESS_NONE;
	if (in->writes_implied)
		return hits(question, stack, size) ? TL_ACCESS_WRITE : TL_ACCESS_NONE;
	return hits(question, stack - size, size) ? TL_ACCESS_READ : TL_ACCESS_NONE;
}

static bool string_opcode(const struct tl_x86_instruction *in)
{
	return in->map == 0 &&
	       ((in->opcode >= 0x6c && in->opcode <= 0x6f) || (in->opcode >= 0xa4 && in->opcode <= 0xa7) ||
		(in->opcode >= 0xaa && in->opcode <= 0xaf));
}

static enum tl_access candidate_access(const struct question *question, const struct tl_x86_instruction *in)
{
	unsigned access = TL_ACCESS_NONE;

	if (in->encoding == TL_X86_ENCODING_LEGACY && string_opcode(in))
		return string_access(question, in);
	if (in->memory && (in->reads_operand || in->writes_operand) && address_known(in) &&
	    hits(question, operand_address(question, in), in->access_size)) {
		access |= in->reads_operand ? TL_ACCESS_READ : 0;
		access |= in->writes_operand ? TL_ACCESS_WRITE : 0;
	}
	if (in->encoding == TL_X86_ENCODING_LEGACY && in->map <= 1 && (in->reads_implied || in->writes_implied) &&
	    !(in->map == 0 && in->opcode == 0xd7) && !(in->map == 1 && in->opcode == 0xf7))
		access |= stack_access(question, in);
	return (enum tl_access)access;
}

/* The flows that can have ended just before the program counter; of REPEAT the last round. */
static bool ends_here(const struct tl_x86_instruction *in)
{
	return in->flow == TL_FLOW_NEXT || in->flow == TL_FLOW_REPEAT;
}

enum tl_access tl_x86_last_access(bool wide, const tl_u8 *file, const tl_u8 *before, tl_size before_size,
				  tl_u64 address, tl_u64 size)
{
	struct question question = {wide, file, tl_load_little(file + TL_X86_AT_RIP, 8), address, size};
	enum tl_access found = TL_ACCESS_NONE;

	/* Several starts may make an instruction that ends here: those that touch the range must agree. */
	for (tl_size length = 1; length <= before_size && length <= TL_X86_LENGTH_MAX; length++) {
		struct tl_x86_instruction in;
		enum tl_access access;

		if (tl_x86_decode(wide, before + before_size - length, length, &in) != TL_OK || in.length != length ||
		    !ends_here(&in))
			continue;
		access = candidate_access(&question, &in);
		if (access == TL_ACCESS_NONE)
			continue;
		if (found != TL_ACCESS_NONE && found != access)
			return TL_ACCESS_NONE;
		found = access;
	}
	return found;
}

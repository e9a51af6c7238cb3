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

/* Instructions of EVEX whose operand in memory is one whole vector: bit n of row r for opcode rn. */
static bool whole_vector(const struct tl_x86_instruction *in)
{
	static const tl_u16 secondary[16] = {[0x1] = 0x0033, [0x2] = 0x0b00, [0x5] = 0xf3f2, [0x6] = 0xbfff,
					     [0x7] = 0x8071, [0xd] = 0xff30, [0xe] = 0xffb9, [0xf] = 0x7f70};
	static const tl_u16 third[16] = {
		[0x0] = 0x3811, [0x1] = 0xf000, [0x2] = 0x0fc0, [0x3] = 0xffc0, [0x4] = 0x0001};
	static const tl_u16 fourth[16] = {[0x0] = 0x8008, [0x1] = 0xc000, [0x2] = 0x0020, [0x3] = 0xc000};
	tl_u8 row = in->opcode >> 4;
	tl_u16 bit = (tl_u16)(1u << (in->opcode & 15));

	switch (in->map) {
	case 1: /* with F3 and F2 the rows of arithmetic have scalars */
		return (secondary[row] & bit) != 0 && (in->prefix < 2 || row == 6 || row == 7);
	case 2:
		return (third[row] & bit) != 0 && (in->prefix == 1 || in->opcode == 0x26 || in->opcode == 0x27);
	case 3:
		return (fourth[row] & bit) != 0;
	default:
		return false;
	}
}

/*
 * Vector indices make many addresses, and EVEX scales a displacement of one byte by what the instruction moves: that is
 * followed for whole vectors, and not where one element is broadcast.
 */
static bool address_known(const struct tl_x86_instruction *in, const tl_u8 *bytes)
{
	if (in->map == 2 && in->opcode >= 0x90 && in->opcode <= 0x93 && in->encoding != TL_X86_ENCODING_LEGACY)
		return false;
	if (in->encoding != TL_X86_ENCODING_EVEX)
		return true;
	if (in->map == 2 && in->opcode >= 0xa0 && in->opcode <= 0xa3)
		return false;
	return in->displacement_size != 1 || (whole_vector(in) && (bytes[in->opcode_at - 1] & 0x10) == 0);
}

static tl_u64 operand_address(const struct question *question, const struct tl_x86_instruction *in)
{
	tl_u64 address = tl_x86_address(in, question->file, question->pc);

	if (in->encoding == TL_X86_ENCODING_EVEX && in->displacement_size == 1)
		address += (tl_u64)in->displacement * (in->access_size - 1u);
	return address;
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

static enum tl_access operand_access(const struct tl_x86_instruction *in)
{
	return (enum tl_access)((in->reads_operand ? TL_ACCESS_READ : 0) | (in->writes_operand ? TL_ACCESS_WRITE : 0));
}

static enum tl_access candidate_access(const struct question *question, const struct tl_x86_instruction *in)
{
	unsigned access = TL_ACCESS_NONE;

	if (in->encoding == TL_X86_ENCODING_LEGACY && string_opcode(in))
		return string_access(question, in);
	if (in->memory && operand_access(in) != TL_ACCESS_NONE &&
	    hits(question, operand_address(question, in), in->access_size))
		access |= operand_access(in);
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

/* One candidate: an instruction that ends at the program counter. */
struct candidate {
	tl_u8 votes;      /* how many of the places before lead to it, decoded from there on */
	tl_u8 access;     /* what it did to the range, TL_ACCESS_NONE: nothing that is known */
	tl_u8 may_access; /* what it may have done, at an address that is not known */
};

static struct candidate judge(const struct question *question, const tl_u8 *bytes, const struct tl_x86_instruction *in)
{
	struct candidate candidate = {0};

	if (!ends_here(in))
		return candidate;
	if (in->memory && !address_known(in, bytes))
		candidate.may_access = (tl_u8)operand_access(in);
	else
		candidate.access = (tl_u8)candidate_access(question, in);
	return candidate;
}

/*
 * The candidates by their length, and how many places lead to each: decoding from anywhere falls into step with the
 * true instructions soon. Several starts may make an instruction that ends
 * here (0f 11 07 is a store, 11 07 an addition), and what stands before tells which of them was executed.
 */
static void find_candidates(const struct question *question, const tl_u8 *code, tl_size size,
			    struct candidate candidates[TL_X86_LENGTH_MAX + 1])
{
	tl_u8 leads_to[TL_ACCESS_CONTEXT +
		       1]; /* by how far from the end: the length of the last instruction; 0: none */

	for (tl_size left = 1; left <= size; left++) {
		const tl_u8 *bytes = code + size - left;
		struct tl_x86_instruction in;

		leads_to[left] = 0;
		if (tl_x86_decode(question->wide, bytes, left, &in) != TL_OK || in.length > left)
			continue;
		if (in.length == left) {
			candidates[left] = judge(question, bytes, &in);
			leads_to[left] = in.length;
		} else {
			leads_to[left] = leads_to[left - in.length];
		}
		candidates[leads_to[left]].votes++;
	}
}

enum tl_access tl_x86_last_access(bool wide, const tl_u8 *file, const tl_u8 *before, tl_size before_size,
				  tl_u64 address, tl_u64 size)
{
	struct question question = {wide, file, tl_load_little(file + TL_X86_AT_RIP, 8), address, size};
	struct candidate candidates[TL_X86_LENGTH_MAX + 1] = {{0}};
	tl_size context = before_size < TL_ACCESS_CONTEXT ? before_size : TL_ACCESS_CONTEXT;
	const struct candidate *best = NULL;
	unsigned against = 0;

	find_candidates(&question, before + before_size - context, context, candidates);
	for (tl_size length = 1; length <= TL_X86_LENGTH_MAX; length++)
		if (candidates[length].access != TL_ACCESS_NONE &&
		    (best == NULL || candidates[length].votes > best->votes))
			best = &candidates[length];
	if (best == NULL)
		return TL_ACCESS_NONE;
	/* Those that touch the range must agree, or be far less likely; so must those of which it is not known. */
	for (tl_size length = 1; length <= TL_X86_LENGTH_MAX; length++)
		if (candidates[length].access != TL_ACCESS_NONE ? candidates[length].access != best->access
								: (candidates[length].may_access & ~best->access) != 0)
			against += candidates[length].votes;
	return against * 4 <= best->votes ? (enum tl_access)best->access : TL_ACCESS_NONE;
}

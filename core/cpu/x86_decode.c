#include "core/cpu/x86_decode.h"
#include "core/cpu/x86_effects.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_opcodes.h"

/* Bytes on their way through: reading past the end sets `status`, once and for all. */
struct input {
	const tl_u8 *bytes;
	tl_size size;
	tl_u8 at;
	enum tl_status status;
};

static tl_u64 take(struct input *input, tl_u8 size)
{
	tl_u64 value;

	if (input->status != TL_OK)
		return 0;
	if (input->at + size > TL_X86_LENGTH_MAX) {
		input->status = TL_ERROR_INSTRUCTION;
		return 0;
	}
	if (input->at + (tl_size)size > input->size) {
		input->status = TL_ERROR_TRUNCATED;
		return 0;
	}
	value = tl_load_little(input->bytes + input->at, size);
	input->at = (tl_u8)(input->at + size);
	return value;
}

/* The next byte without taking it; 0 with the status set where there is none. */
static tl_u8 peek(struct input *input)
{
	tl_u8 byte = (tl_u8)take(input, 1);

	if (input->status == TL_OK)
		input->at--;
	return byte;
}

static tl_i64 sign_extend(tl_u64 value, tl_u8 size)
{
	unsigned shift = 64 - 8 * size;

	return size == 0 ? 0 : (tl_i64)(value << shift) >> shift;
}

static bool segment_prefix(tl_u8 byte)
{
	return byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x64 || byte == 0x65;
}

/*
 * Legacy prefixes, then REX. A REX that another prefix follows is no REX. In 64-bit mode CS, DS, ES and SS do nothing,
 * not even undo an FS or GS before them.
 */
static void take_prefixes(struct input *input, struct tl_x86_instruction *in)
{
	for (;;) {
		tl_u8 byte = peek(input);

		if (input->status != TL_OK)
			return;
		if (byte == 0x66) {
			in->operand_prefix = true;
		} else if (byte == 0x67) {
			in->address_prefix = true;
		} else if (byte == 0xf0) {
			in->lock = true;
		} else if (byte == 0xf2 || byte == 0xf3) {
			in->repeat = byte;
		} else if (segment_prefix(byte)) {
			if (!in->wide || byte >= 0x64)
				in->segment = byte;
		} else if (in->wide && (byte & 0xf0) == 0x40) {
			in->has_rex = true;
			in->rex = byte & 0xf;
			(void)take(input, 1);
			continue;
		} else {
			return;
		}
		in->has_rex = false;
		in->rex = 0;
		(void)take(input, 1);
	}
}

static void set_sizes(struct tl_x86_instruction *in)
{
	in->operand_size = (in->rex & TL_X86_REX_W) != 0 ? 8 : in->operand_prefix != in->narrow ? 2 : 4;
	in->address_size = in->wide ? (in->address_prefix ? 4 : 8) : (in->address_prefix != in->narrow ? 2 : 4);
}

/* The vector encodings allow no other prefix that says what they say themselves. */
static bool vector_prefixes_clean(const struct tl_x86_instruction *in)
{
	return !in->operand_prefix && !in->lock && in->repeat == 0 && !in->has_rex;
}

static void take_vex(struct input *input, struct tl_x86_instruction *in, tl_u8 first)
{
	tl_u8 one = (tl_u8)take(input, 1);
	tl_u8 two;

	in->encoding = first == 0x8f ? TL_X86_ENCODING_XOP : TL_X86_ENCODING_VEX;
	in->rex = (one & 0x80) != 0 ? 0 : TL_X86_REX_R;
	if (first == 0xc5) {
		two = one & 0x7f;
		in->map = 1;
	} else {
		two = (tl_u8)take(input, 1);
		in->map = one & 0x1f;
		in->rex |= (one & 0x40) != 0 ? 0 : TL_X86_REX_X;
		in->rex |= (one & 0x20) != 0 ? 0 : TL_X86_REX_B;
		in->rex |= (two & 0x80) != 0 ? TL_X86_REX_W : 0;
	}
	in->vvvv = (two >> 3 & 0xf) ^ 0xf;
	in->vector_length = two >> 2 & 1;
	in->prefix = two & 3;
}

static void take_evex(struct input *input, struct tl_x86_instruction *in)
{
	tl_u8 one = (tl_u8)take(input, 1);
	tl_u8 two = (tl_u8)take(input, 1);
	tl_u8 three = (tl_u8)take(input, 1);

	in->encoding = TL_X86_ENCODING_EVEX;
	in->map = one & 7;
	in->rex = (tl_u8)(((one & 0x80) != 0 ? 0 : TL_X86_REX_R) | ((one & 0x40) != 0 ? 0 : TL_X86_REX_X) |
			  ((one & 0x20) != 0 ? 0 : TL_X86_REX_B) | ((two & 0x80) != 0 ? TL_X86_REX_W : 0));
	in->vvvv = (two >> 3 & 0xf) ^ 0xf;
	in->prefix = two & 3;
	in->vector_length = three >> 5 & 3;
	/* A fixed bit each that is otherwise is another encoding: none that this decoder knows. */
	if (input->status == TL_OK && ((one & 8) != 0 || (two & 4) == 0))
		input->status = TL_ERROR_INSTRUCTION;
}

/* In 32-bit mode C4, C5 and 62 are LES, LDS and BOUND unless what follows would name a register. */
static bool vector_escape(struct input *input, const struct tl_x86_instruction *in, tl_u8 byte)
{
	tl_u8 next;

	if (byte != 0xc4 && byte != 0xc5 && byte != 0x62 && byte != 0x8f)
		return false;
	next = peek(input);
	if (byte == 0x8f)
		return (next & 0x1f) >= 8;
	return in->wide || next >= 0xc0;
}

static void take_opcode(struct input *input, struct tl_x86_instruction *in)
{
	tl_u8 byte = (tl_u8)take(input, 1);

	if (input->status == TL_OK && vector_escape(input, in, byte)) {
		if (!vector_prefixes_clean(in))
			input->status = TL_ERROR_INSTRUCTION;
		if (byte == 0x62)
			take_evex(input, in);
		else
			take_vex(input, in, byte);
		byte = (tl_u8)take(input, 1);
	} else {
		in->prefix = in->repeat == 0xf2 ? 3 : in->repeat == 0xf3 ? 2 : in->operand_prefix ? 1 : 0;
		if (byte == 0x0f) {
			in->map = 1;
			byte = (tl_u8)take(input, 1);
			if (byte == 0x38 || byte == 0x3a) {
				in->map = byte == 0x38 ? 2 : 3;
				byte = (tl_u8)take(input, 1);
			}
		}
	}
	in->opcode = byte;
	in->opcode_at = (tl_u8)(input->at - 1);
}

static const char *vector_prefixes(const struct tl_x86_instruction *in)
{
	switch ((unsigned)in->encoding << 8 | in->map) {
	case TL_X86_ENCODING_VEX << 8 | 1:
		return prefixes_vex1;
	case TL_X86_ENCODING_VEX << 8 | 2:
		return prefixes_vex2;
	case TL_X86_ENCODING_VEX << 8 | 3:
		return prefixes_vex3;
	case TL_X86_ENCODING_EVEX << 8 | 1:
		return prefixes_evex1;
	case TL_X86_ENCODING_EVEX << 8 | 2:
		return prefixes_evex2;
	case TL_X86_ENCODING_EVEX << 8 | 3:
		return prefixes_evex3;
	case TL_X86_ENCODING_EVEX << 8 | 5:
		return prefixes_evex5;
	case TL_X86_ENCODING_EVEX << 8 | 6:
		return prefixes_evex6;
	case TL_X86_ENCODING_XOP << 8 | 8:
		return prefixes_xop8;
	case TL_X86_ENCODING_XOP << 8 | 9:
		return prefixes_xop9;
	case TL_X86_ENCODING_XOP << 8 | 10:
		return prefixes_xopa;
	default:
		return NULL;
	}
}

static bool primary_exists(const struct tl_x86_instruction *in)
{
	static const tl_u8 not_in_wide[] = {0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60,
					    0x61, 0x62, 0x82, 0x9a, 0xc4, 0xc5, 0xce, 0xd4, 0xd5, 0xd6, 0xea};

	if (layout_primary[in->opcode] == 'p' || layout_primary[in->opcode] == 'x')
		return false;
	for (tl_size i = 0; in->wide && i < sizeof(not_in_wide); i++) {
		if (in->opcode == not_in_wide[i])
			return false;
	}
	return true;
}

/* Whether the opcode exists with its prefixes. */
static bool opcode_exists(const struct tl_x86_instruction *in)
{
	const char *prefixes = in->map == 1   ? prefixes_secondary
			       : in->map == 2 ? prefixes_secondary_38
					      : prefixes_secondary_3a;
	int digit;

	if (in->encoding != TL_X86_ENCODING_LEGACY)
		prefixes = vector_prefixes(in);
	else if (in->map == 0)
		return primary_exists(in);
	if (prefixes == NULL)
		return false;
	digit = (unsigned char)prefixes[in->opcode];
	digit = digit >= 'a' ? digit - 'a' + 10 : digit - '0';
	return (digit >> in->prefix & 1) != 0;
}

static char vector_layout(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (in->encoding == TL_X86_ENCODING_XOP)
		return in->map == 8 ? 'b' : in->map == 10 ? 'd' : 'm';
	if (in->map == 3)
		return 'b';
	if (in->map != 1)
		return 'm';
	if (opcode == 0x77 && in->encoding == TL_X86_ENCODING_VEX)
		return ' ';
	if ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xc2 || (opcode >= 0xc4 && opcode <= 0xc6))
		return 'b';
	return 'm';
}

static char layout_of(const struct tl_x86_instruction *in)
{
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return vector_layout(in);
	if (in->map == 0)
		return layout_primary[in->opcode];
	if (in->map == 1)
		return layout_secondary[in->opcode];
	return in->map == 2 ? 'm' : 'b';
}

static void take_sib(struct input *input, struct tl_x86_instruction *in)
{
	tl_u8 sib = (tl_u8)take(input, 1);
	tl_u8 index = (tl_u8)((sib >> 3 & 7) | ((in->rex & TL_X86_REX_X) != 0 ? 8 : 0));

	in->scale = sib >> 6;
	in->index = index == 4 ? TL_X86_NONE : index;
	in->base = (tl_u8)((sib & 7) | ((in->rex & TL_X86_REX_B) != 0 ? 8 : 0));
	if ((sib & 7) == 5 && in->mod == 0) {
		in->base = TL_X86_NONE;
		in->displacement_size = 4;
	}
}

/* The eight address forms of 16-bit addressing. */
static void form_16(struct tl_x86_instruction *in)
{
	static const tl_u8 bases[8] = {3, 3, 5, 5, 6, 7, 5, 3};
	static const tl_u8 indices[8] = {6, 7, 6, 7, TL_X86_NONE, TL_X86_NONE, TL_X86_NONE, TL_X86_NONE};
	tl_u8 rm = in->rm & 7;

	in->base = bases[rm];
	in->index = indices[rm];
	in->displacement_size = in->mod;
	if (in->mod == 0 && rm == 6) {
		in->base = TL_X86_NONE;
		in->displacement_size = 2;
	}
}

static void form_32(struct input *input, struct tl_x86_instruction *in)
{
	in->displacement_size = in->mod == 1 ? 1 : in->mod == 2 ? 4 : 0;
	if ((in->rm & 7) == 4) {
		take_sib(input, in);
	} else if ((in->rm & 7) == 5 && in->mod == 0) {
		in->displacement_size = 4;
		in->rip_relative = in->wide;
	} else {
		in->base = in->rm;
	}
}

static void take_displacement(struct input *input, struct tl_x86_instruction *in)
{
	in->displacement_at = input->at;
	in->displacement = sign_extend(take(input, in->displacement_size), in->displacement_size);
}

static char form_of(const struct tl_x86_instruction *in)
{
	if (in->encoding != TL_X86_ENCODING_LEGACY || in->map == 0)
		return 'a';
	return (in->map == 1 ? forms_secondary : in->map == 2 ? forms_secondary_38 : forms_secondary_3a)[in->opcode];
}

static void take_modrm(struct input *input, struct tl_x86_instruction *in)
{
	tl_u8 modrm = (tl_u8)take(input, 1);
	char form = form_of(in);

	in->has_modrm = true;
	in->modrm_at = (tl_u8)(input->at - 1);
	in->mod = form == 'i' ? 3 : modrm >> 6;
	in->modrm_reg = modrm >> 3 & 7;
	in->reg = (tl_u8)(in->modrm_reg | ((in->rex & TL_X86_REX_R) != 0 ? 8 : 0));
	in->rm = (tl_u8)((modrm & 7) | ((in->rex & TL_X86_REX_B) != 0 ? 8 : 0));
	in->memory = in->mod != 3;
	if (input->status == TL_OK && ((form == 'm' && !in->memory) || (form == 'r' && in->memory)))
		input->status = TL_ERROR_INSTRUCTION;
	if (!in->memory)
		return;
	if (in->address_size == 2)
		form_16(in);
	else
		form_32(input, in);
	take_displacement(input, in);
}

static void take_immediate(struct input *input, struct tl_x86_instruction *in, tl_u8 size)
{
	in->immediate_at = input->at;
	in->immediate_size = size;
	in->immediate = sign_extend(take(input, size), size);
}

/* What stands behind ModRM in spite of the opcode's layout: TEST in the groups F6 and F7, EXTRQ and INSERTQ. */
static tl_u8 odd_immediate(const struct tl_x86_instruction *in, tl_u8 word)
{
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return 0;
	if (in->map == 0 && (in->opcode & 0xfe) == 0xf6 && in->modrm_reg <= 1)
		return in->opcode == 0xf6 ? 1 : word;
	return in->map == 1 && in->opcode == 0x78 && in->prefix != 0 ? 2 : 0;
}

static void take_operands(struct input *input, struct tl_x86_instruction *in)
{
	tl_u8 word = in->operand_size == 2 ? 2 : 4;
	char layout = layout_of(in);

	if (layout == 'm' || layout == 'b' || layout == 'z' || layout == 'd')
		take_modrm(input, in);
	switch (layout) {
	case 'm':
		take_immediate(input, in, odd_immediate(in, word));
		break;
	case 'b':
	case '1':
	case 'j':
		take_immediate(input, in, 1);
		break;
	case 'd':
		take_immediate(input, in, 4);
		break;
	case 'z':
	case 'Z':
		take_immediate(input, in, word);
		break;
	case 'J':
		/* In 64-bit mode Intel's processors ignore the prefix here, and AMD's do not: see the flow. */
		take_immediate(input, in, in->wide ? 4 : word);
		break;
	case '2':
		take_immediate(input, in, 2);
		break;
	case '3':
		take_immediate(input, in, 3);
		break;
	case 'V':
		take_immediate(input, in, in->operand_size);
		break;
	case 'F':
		take_immediate(input, in, (tl_u8)(word + 2));
		break;
	case 'O':
		in->memory = true;
		in->address_only = true;
		in->displacement_size = in->address_size;
		take_displacement(input, in);
		break;
	default:
		break;
	}
}

/* x87 opcodes with a register operand that do not exist: a bit for each of ModRM C0 to FF, opcode D8 first. */
static const tl_u64 x87_missing[8] = {
	0,
	0x000080cc00fe0000, /* D9 D1–D7, E2 E3 E6 E7, EF */
	0xfffffdff00000000, /* DA E0–E8, EA–FF */
	0xff0000e000000000, /* DB E5–E7, F8–FF */
	0,
	0xffff000000000000, /* DD F0–FF */
	0x00000000fd000000, /* DE D8, DA–DF */
	0xff0000fe00000000, /* DF E1–E7, F8–FF */
};

static bool x87_exists(const struct tl_x86_instruction *in)
{
	if (!in->memory)
		return (x87_missing[in->opcode & 7] >> (in->modrm_reg << 3 | (in->rm & 7)) & 1) == 0;
	return !(in->opcode == 0xd9 && in->modrm_reg == 1) && !(in->opcode == 0xdd && in->modrm_reg == 5) &&
	       !(in->opcode == 0xdb && (in->modrm_reg == 4 || in->modrm_reg == 6));
}

static bool primary_group_exists(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x62:
	case 0x8d:
	case 0xc4:
	case 0xc5:
		return in->memory;
	case 0x8c:
		return in->modrm_reg <= 5;
	case 0x8e:
		return in->modrm_reg <= 5 && in->modrm_reg != 1;
	case 0x8f:
		return in->modrm_reg == 0;
	case 0xc6:
	case 0xc7:
		return in->modrm_reg == 0 || (in->modrm_reg == 7 && !in->memory && (in->rm & 7) == 0);
	case 0xfe:
		return in->modrm_reg <= 1;
	case 0xff:
		return in->modrm_reg != 7 && (in->memory || (in->modrm_reg != 3 && in->modrm_reg != 5));
	default:
		return in->opcode < 0xd8 || in->opcode > 0xdf || x87_exists(in);
	}
}

static bool three_d_now_exists(tl_u8 suffix)
{
	static const tl_u8 suffixes[] = {0x0c, 0x0d, 0x1c, 0x1d, 0x8a, 0x8e, 0x90, 0x94, 0x96, 0x97, 0x9a, 0x9e,
					 0xa0, 0xa4, 0xa6, 0xa7, 0xaa, 0xae, 0xb0, 0xb4, 0xb6, 0xb7, 0xbb, 0xbf};

	for (tl_size i = 0; i < sizeof(suffixes); i++) {
		if (suffixes[i] == suffix)
			return true;
	}
	return false;
}

/* Opcodes 0F xx whose prefix decides whether ModRM may name memory or a register. */
static bool secondary_form_exists(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x12:
	case 0x16:
		return in->memory || in->prefix != 1;
	case 0x78:
		return in->prefix == 0 || (!in->memory && (in->prefix == 3 || in->modrm_reg == 0));
	case 0x79:
		return in->prefix == 0 || !in->memory;
	case 0xd6:
		return in->memory == (in->prefix == 1) || in->prefix == 1;
	case 0xa6:
		return (in->rm & 7) == 0 && in->modrm_reg <= 2;
	case 0xa7:
		return (in->rm & 7) == 0 && in->modrm_reg <= 5;
	default:
		return true;
	}
}

/* 0F AE by prefix: a bit for each ModRM.reg, with memory and with a register. */
static bool state_group_exists(const struct tl_x86_instruction *in)
{
	static const tl_u8 memory[4] = {0xff, 0xc0, 0x50, 0x00};
	static const tl_u8 registers[4] = {0xe0, 0x40, 0x7f, 0x40};
	tl_u8 prefix = in->prefix;

	/* RDFSBASE and its like exist in 64-bit mode alone. */
	if (!in->memory && prefix == 2 && !in->wide)
		return (0x70 >> in->modrm_reg & 1) != 0;
	return ((in->memory ? memory : registers)[prefix] >> in->modrm_reg & 1) != 0;
}

static bool group_c7_exists(const struct tl_x86_instruction *in)
{
	if (in->memory) {
		static const tl_u8 memory[4] = {0xfa, 0x42, 0x42, 0x02};

		return (memory[in->prefix] >> in->modrm_reg & 1) != 0;
	}
	return in->modrm_reg == 7 || (in->modrm_reg == 6 && in->prefix != 3);
}

/* 0F 01 with a register: a bit for each ModRM C0 to FF without a prefix; what has one is let through. */
static bool system_group_exists(const struct tl_x86_instruction *in)
{
	static const tl_u64 plain = 0xffffc1fffff38f3f;

	if (in->memory)
		return in->modrm_reg != 5 || in->prefix == 2;
	if (in->modrm_reg == 7 && (in->rm & 7) == 0)
		return in->wide; /* SWAPGS */
	return in->prefix != 0 || (plain >> (in->modrm_reg << 3 | (in->rm & 7)) & 1) != 0;
}

static bool secondary_group_exists(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x00:
		return in->modrm_reg <= 5;
	case 0x01:
		return system_group_exists(in);
	case 0xae:
		return state_group_exists(in);
	case 0xc7:
		return group_c7_exists(in);
	case 0x0f:
		return three_d_now_exists((tl_u8)in->immediate);
	case 0x71:
	case 0x72:
		return in->modrm_reg == 2 || in->modrm_reg == 4 || in->modrm_reg == 6;
	case 0x73:
		return (in->modrm_reg & 2) != 0 && (in->prefix == 1 || (in->modrm_reg & 1) == 0);
	case 0xba:
		return in->modrm_reg >= 4;
	case 0x20:
	case 0x22:
		return in->reg == 0 || in->reg == 2 || in->reg == 3 || in->reg == 4 || in->reg == 8;
	case 0x21:
	case 0x23:
		return in->reg < 8;
	default:
		return secondary_form_exists(in);
	}
}

/* Opcodes 0F 38 xx of the same kind. */
static bool tertiary_form_exists(const struct tl_x86_instruction *in)
{
	if (in->map == 3)
		return in->opcode != 0xf0 || (in->rm & 7) == 0;
	switch (in->opcode) {
	case 0xd8:
		return in->memory && in->modrm_reg <= 3;
	case 0xdd:
	case 0xde:
	case 0xdf:
		return in->prefix != 2 || in->memory;
	case 0xf0:
	case 0xf1:
		return in->prefix == 3 || in->memory;
	case 0xf6:
		return in->prefix != 0 || in->memory;
	default:
		return true;
	}
}

/* What the processor lets LOCK stand before: an operation on memory that reads and writes it. */
static bool lockable(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (!in->memory || in->encoding != TL_X86_ENCODING_LEGACY)
		return false;
	if (in->map == 1) {
		return opcode == 0xb0 || opcode == 0xb1 || opcode == 0xc0 || opcode == 0xc1 || opcode == 0xab ||
		       opcode == 0xb3 || opcode == 0xbb || (opcode == 0xba && in->modrm_reg >= 5) ||
		       (opcode == 0xc7 && in->modrm_reg == 1);
	}
	if (in->map != 0)
		return false;
	if (opcode < 0x38)
		return (opcode & 7) <= 1;
	if (opcode >= 0x80 && opcode <= 0x83)
		return in->modrm_reg != 7;
	if (opcode == 0x86 || opcode == 0x87)
		return true;
	if (opcode == 0xf6 || opcode == 0xf7)
		return in->modrm_reg == 2 || in->modrm_reg == 3;
	return opcode >= 0xfe && in->modrm_reg <= 1;
}

static bool exists(const struct tl_x86_instruction *in)
{
	if (in->lock && !lockable(in))
		return false;
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return true;
	if (in->map == 0)
		return primary_group_exists(in);
	return in->map == 1 ? secondary_group_exists(in) : tertiary_form_exists(in);
}

/* Stack operations and near branches of 64-bit mode: 8 bytes without REX.W, 2 with 66, never 4. */
static bool default_wide(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (in->map == 1)
		return opcode == 0xa0 || opcode == 0xa1 || opcode == 0xa8 || opcode == 0xa9 || (opcode & 0xf0) == 0x80;
	if (in->map != 0)
		return false;
	if ((opcode & 0xf0) == 0x50 || (opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3))
		return true;
	switch (opcode) {
	case 0x68:
	case 0x6a:
	case 0x8f:
	case 0x9c:
	case 0x9d:
	case 0xc2:
	case 0xc3:
	case 0xc8:
	case 0xc9:
	case 0xe8:
	case 0xe9:
	case 0xeb:
		return true;
	case 0xff:
		return in->modrm_reg == 2 || in->modrm_reg == 4 || in->modrm_reg == 6;
	default:
		return false;
	}
}

static bool string_operation(const struct tl_x86_instruction *in)
{
	return in->map == 0 &&
	       ((in->opcode >= 0x6c && in->opcode <= 0x6f) || (in->opcode >= 0xa4 && in->opcode <= 0xa7) ||
		(in->opcode >= 0xaa && in->opcode <= 0xaf));
}

static enum tl_flow primary_flow(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if ((opcode & 0xf0) == 0x70 || (opcode >= 0xe0 && opcode <= 0xe3))
		return TL_FLOW_BRANCH;
	if (string_operation(in))
		return in->repeat != 0 ? TL_FLOW_REPEAT : TL_FLOW_NEXT;
	switch (opcode) {
	case 0xe8:
		return TL_FLOW_CALL;
	case 0xe9:
	case 0xeb:
		return TL_FLOW_JUMP;
	case 0xc2:
	case 0xc3:
		return TL_FLOW_RETURN;
	case 0xcc:
	case 0xf1:
		return TL_FLOW_TRAP;
	case 0xcd:
		return (tl_u8)in->immediate == 0x80   ? TL_FLOW_SYSCALL
		       : (tl_u8)in->immediate == 0x03 ? TL_FLOW_TRAP
						      : TL_FLOW_SPECIAL;
	case 0xff:
		return in->modrm_reg == 2                         ? TL_FLOW_CALL
		       : in->modrm_reg == 4                       ? TL_FLOW_JUMP
		       : in->modrm_reg == 3 || in->modrm_reg == 5 ? TL_FLOW_SPECIAL
								  : TL_FLOW_NEXT;
	case 0xc6:
	case 0xc7:
		return in->modrm_reg == 7 ? TL_FLOW_SPECIAL : TL_FLOW_NEXT;
	case 0x9a:
	case 0xca:
	case 0xcb:
	case 0xce:
	case 0xcf:
	case 0xea:
		return TL_FLOW_SPECIAL;
	default:
		return TL_FLOW_NEXT;
	}
}

static enum tl_flow flow_of(const struct tl_x86_instruction *in)
{
	enum tl_flow flow;

	if (in->encoding != TL_X86_ENCODING_LEGACY || in->map > 1)
		return TL_FLOW_NEXT;
	if (in->map == 0) {
		flow = primary_flow(in);
	} else if ((in->opcode & 0xf0) == 0x80) {
		flow = TL_FLOW_BRANCH;
	} else {
		switch (in->opcode) {
		case 0x01: /* UIRET; XEND and its like only go on */
			return !in->memory && in->modrm_reg == 5 && (in->rm & 7) == 4 ? TL_FLOW_SPECIAL : TL_FLOW_NEXT;
		case 0x05:
			return TL_FLOW_SYSCALL;
		case 0x07:
		case 0x0b:
		case 0x34:
		case 0x35:
		case 0xaa:
		case 0xb9:
		case 0xff:
			return TL_FLOW_SPECIAL;
		default:
			return TL_FLOW_NEXT;
		}
	}
	/* A near branch with 66 in 64-bit mode has one length at Intel and another at AMD. */
	if (in->wide && in->operand_size == 2 &&
	    (flow == TL_FLOW_BRANCH || flow == TL_FLOW_JUMP || flow == TL_FLOW_CALL || flow == TL_FLOW_RETURN))
		return TL_FLOW_SPECIAL;
	return flow;
}

enum tl_status tl_x86_decode(bool wide, const tl_u8 *bytes, tl_size size, struct tl_x86_instruction *in)
{
	return tl_x86_decode_in(wide ? TL_X86_MODE_64 : TL_X86_MODE_32, bytes, size, in);
}

enum tl_status tl_x86_decode_in(enum tl_x86_mode mode, const tl_u8 *bytes, tl_size size, struct tl_x86_instruction *in)
{
	struct input input = {bytes, size, 0, TL_OK};

	tl_fill(in, 0, sizeof(*in));
	in->wide = mode == TL_X86_MODE_64;
	in->narrow = mode == TL_X86_MODE_16;
	in->base = TL_X86_NONE;
	in->index = TL_X86_NONE;
	take_prefixes(&input, in);
	take_opcode(&input, in);
	if (input.status != TL_OK)
		return input.status;
	if (!opcode_exists(in))
		return TL_ERROR_INSTRUCTION;
	set_sizes(in);
	take_operands(&input, in);
	if (input.status != TL_OK)
		return input.status;
	if (!exists(in))
		return TL_ERROR_INSTRUCTION;
	if (in->wide && in->encoding == TL_X86_ENCODING_LEGACY && default_wide(in))
		in->operand_size = in->operand_prefix && (in->rex & TL_X86_REX_W) == 0 ? 2 : 8;
	in->length = input.at;
	in->flow = flow_of(in);
	tl_x86_find_effects(in);
	return TL_OK;
}

tl_u16 tl_x86_slot(tl_u8 number)
{
	static const tl_u8 slots[16] = {TL_X86_SLOT_RAX, TL_X86_SLOT_RCX, TL_X86_SLOT_RDX, TL_X86_SLOT_RBX,
					TL_X86_SLOT_RSP, TL_X86_SLOT_RBP, TL_X86_SLOT_RSI, TL_X86_SLOT_RDI,
					TL_X86_SLOT_R8,  TL_X86_SLOT_R9,  TL_X86_SLOT_R10, TL_X86_SLOT_R11,
					TL_X86_SLOT_R12, TL_X86_SLOT_R13, TL_X86_SLOT_R14, TL_X86_SLOT_R15};

	return (tl_u16)(slots[number & 15] * 8);
}

tl_u64 tl_x86_address(const struct tl_x86_instruction *in, const tl_u8 *file, tl_u64 next)
{
	tl_u64 address = (tl_u64)in->displacement;

	if (in->rip_relative)
		address += next;
	if (in->base != TL_X86_NONE)
		address += tl_load_little(file + tl_x86_slot(in->base), 8);
	if (in->index != TL_X86_NONE)
		address += tl_load_little(file + tl_x86_slot(in->index), 8) << in->scale;
	if (in->address_size < 8)
		address &= ((tl_u64)1 << 8 * in->address_size) - 1;
	if (in->segment == 0x64)
		address += tl_load_little(file + TL_X86_AT_FS_BASE, 8);
	if (in->segment == 0x65)
		address += tl_load_little(file + TL_X86_AT_GS_BASE, 8);
	return in->wide ? address : (tl_u32)address;
}

#include "debugger/code/disassemble_x86.h"

#include <string.h>

/*
 * The decoder is Zydis. Its own writer differs from binutils', which gdb's users know by heart, in about every second
 * instruction; so the text is made here from what it decoded.
 */

/* ---- Operands ---- */

static void write_register(const struct tl_x86_text *text, ZydisRegister which)
{
	const char *name = ZydisRegisterGetString(which);
	const char *mark = text->view->intel ? "" : "%";

	if (which == ZYDIS_REGISTER_ST0)
		tl_output_format(text->output, "%sst", mark);
	else if (which > ZYDIS_REGISTER_ST0 && which <= ZYDIS_REGISTER_ST7)
		tl_output_format(text->output, "%sst(%d)", mark, which - ZYDIS_REGISTER_ST0);
	else if (which == ZYDIS_REGISTER_NONE || name == NULL)
		tl_output_text(text->output, "(bad)");
	else
		tl_output_format(text->output, "%s%s", mark, name);
}

/* A number with its sign in front: -0x8. */
static void write_signed(struct tl_output *output, tl_i64 value, bool plus)
{
	tl_u64 size = value < 0 ? -(tl_u64)value : (tl_u64)value;

	tl_output_format(output, "%s0x%llx", value < 0 ? "-" : plus ? "+" : "", (unsigned long long)size);
}

static tl_u64 masked(tl_u64 value, unsigned bits)
{
	return bits >= 64 ? value : value & (((tl_u64)1 << bits) - 1);
}

/* How many bits of an immediate count: those of what it is added to, compared with, or put into. */
static unsigned immediate_width(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	const ZydisDecodedInstruction *instruction = &text->instruction;

	if (!operand->imm.is_signed)
		return 64;
	if (instruction->mnemonic == ZYDIS_MNEMONIC_PUSH)
		return instruction->operand_width == 16 ? 16 : text->wide ? 64 : 32;
	if (text->operands[0].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN && operand != &text->operands[0] &&
	    text->operands[0].size <= 64 && text->operands[0].size != 0)
		return text->operands[0].size;
	return instruction->operand_width != 0 ? instruction->operand_width : 64;
}

static void write_immediate(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	tl_u64 value = operand->imm.value.u;

	if (operand->imm.is_relative) {
		tl_u64 target = text->address + text->instruction.length + value;

		if (!text->wide)
			target &= text->instruction.operand_width == 16 ? 0xffff : 0xffffffff;
		tl_disassemble_address(text->view, target, text->output);
		return;
	}
	if (tl_x86_is_by_one(text)) {
		tl_output_text(text->output, "1");
		return;
	}
	tl_output_format(text->output, "%s0x%llx", text->view->intel ? "" : "$",
			 (unsigned long long)masked(value, immediate_width(text, operand)));
}

/* Whether a segment is to be written: where it is not the usual one, and in string instructions. */
static bool shows_segment(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	ZyanU64 overrides = ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS;

	if (operand->mem.segment == ZYDIS_REGISTER_NONE)
		return false;
	if (operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		return true;
	if (!text->wide)
		overrides |= ZYDIS_ATTRIB_HAS_SEGMENT_CS | ZYDIS_ATTRIB_HAS_SEGMENT_SS | ZYDIS_ATTRIB_HAS_SEGMENT_DS |
			     ZYDIS_ATTRIB_HAS_SEGMENT_ES;
	return (text->instruction.attributes & overrides) != 0;
}

/* A byte for the index that names none, in front of a base that would need no such byte: binutils shows it. */
static const char *empty_index(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	bool wide = text->instruction.address_width == 64;

	if ((text->instruction.attributes & ZYDIS_ATTRIB_HAS_SIB) == 0 || operand->mem.index != ZYDIS_REGISTER_NONE ||
	    operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		return NULL;
	if (text->instruction.raw.sib.scale == 0 &&
	    (operand->mem.base == ZYDIS_REGISTER_RSP || operand->mem.base == ZYDIS_REGISTER_ESP ||
	     operand->mem.base == ZYDIS_REGISTER_R12 || operand->mem.base == ZYDIS_REGISTER_R12D))
		return NULL;
	if (operand->mem.base == ZYDIS_REGISTER_NONE && text->instruction.raw.sib.scale == 0 && wide)
		return NULL;
	return wide ? "riz" : "eiz";
}

static bool is_relative(const ZydisDecodedOperand *operand)
{
	return operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP;
}

static tl_u64 absolute(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	tl_u64 value = (tl_u64)operand->mem.disp.value;

	return text->instruction.address_width < 64 ? masked(value, text->instruction.address_width) : value;
}

static void write_memory_att(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	const char *none = empty_index(text, operand);
	bool index = operand->mem.index != ZYDIS_REGISTER_NONE || none != NULL;
	bool base = operand->mem.base != ZYDIS_REGISTER_NONE;

	if (shows_segment(text, operand)) {
		write_register(text, operand->mem.segment);
		tl_output_text(text->output, ":");
	}
	if (!base && !index) {
		tl_output_format(text->output, "0x%llx", (unsigned long long)absolute(text, operand));
		return;
	}
	if (text->instruction.raw.disp.size != 0 && operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		write_signed(text->output, operand->mem.disp.value, false);
	tl_output_text(text->output, "(");
	if (base)
		write_register(text, operand->mem.base);
	if (index) {
		tl_output_text(text->output, ",");
		if (none != NULL)
			tl_output_format(text->output, "%%%s", none);
		else
			write_register(text, operand->mem.index);
		if (text->instruction.address_width != 16)
			tl_output_format(text->output, ",%d",
					 none != NULL ? 1 << (text->instruction.raw.sib.scale & 3)
						      : operand->mem.scale);
	}
	tl_output_text(text->output, ")");
}

/* "DWORD PTR ", by the size of what is there. */
static const char *size_word(const ZydisDecodedOperand *operand)
{
	if (operand->mem.type == ZYDIS_MEMOP_TYPE_AGEN || operand->mem.type == ZYDIS_MEMOP_TYPE_MIB)
		return "";
	switch (operand->size) {
	case 8:
		return "BYTE PTR ";
	case 16:
		return "WORD PTR ";
	case 32:
		return "DWORD PTR ";
	case 48:
		return "FWORD PTR ";
	case 64:
		return "QWORD PTR ";
	case 80:
		return "TBYTE PTR ";
	case 128:
		return "XMMWORD PTR ";
	case 256:
		return "YMMWORD PTR ";
	case 512:
		return "ZMMWORD PTR ";
	default:
		return "";
	}
}

/* Behind the program counter binutils shows what is added to it, without a sign. */
static void write_displacement_intel(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	if (is_relative(operand))
		tl_output_format(text->output, "+0x%llx", (unsigned long long)operand->mem.disp.value);
	else
		write_signed(text->output, operand->mem.disp.value, true);
}

static void write_memory_intel(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	const char *none = empty_index(text, operand);
	bool index = operand->mem.index != ZYDIS_REGISTER_NONE || none != NULL;
	bool base = operand->mem.base != ZYDIS_REGISTER_NONE;

	/* The accumulator at an address that is all of the instruction says how much it is. */
	if (operand->encoding != ZYDIS_OPERAND_ENCODING_DISP16_32_64)
		tl_output_text(text->output, size_word(operand));
	if (shows_segment(text, operand) || (!base && !index)) {
		write_register(text,
			       operand->mem.segment != ZYDIS_REGISTER_NONE ? operand->mem.segment : ZYDIS_REGISTER_DS);
		tl_output_text(text->output, ":");
	}
	if (!base && !index) {
		tl_output_format(text->output, "0x%llx", (unsigned long long)absolute(text, operand));
		return;
	}
	tl_output_text(text->output, "[");
	if (base)
		write_register(text, operand->mem.base);
	if (index) {
		tl_output_text(text->output, base ? "+" : "");
		if (none != NULL)
			tl_output_text(text->output, none);
		else
			write_register(text, operand->mem.index);
		if (text->instruction.address_width != 16)
			tl_output_format(text->output, "*%d",
					 none != NULL ? 1 << (text->instruction.raw.sib.scale & 3)
						      : operand->mem.scale);
	}
	if (text->instruction.raw.disp.size != 0 && operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		write_displacement_intel(text, operand);
	tl_output_text(text->output, "]");
}

/* The port is written like an address. */
static bool is_port(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	return !text->view->intel && operand->reg.value == ZYDIS_REGISTER_DX &&
	       (text->instruction.meta.category == ZYDIS_CATEGORY_IO ||
		text->instruction.meta.category == ZYDIS_CATEGORY_IOSTRINGOP);
}

static void write_operand(const struct tl_x86_text *text, const ZydisDecodedOperand *operand)
{
	bool branch = text->instruction.meta.category == ZYDIS_CATEGORY_CALL ||
		      text->instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR;

	if (branch && !text->view->intel && operand->type != ZYDIS_OPERAND_TYPE_IMMEDIATE &&
	    operand->type != ZYDIS_OPERAND_TYPE_POINTER)
		tl_output_text(text->output, "*");
	switch (operand->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (is_port(text, operand))
			tl_output_text(text->output, "(%dx)");
		else if (operand->reg.value == ZYDIS_REGISTER_ST0 &&
			 operand->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			tl_output_text(text->output, text->view->intel ? "st(0)" : "%st(0)");
		else
			write_register(text, operand->reg.value);
		break;
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (text->view->intel)
			write_memory_intel(text, operand);
		else
			write_memory_att(text, operand);
		break;
	case ZYDIS_OPERAND_TYPE_POINTER:
		tl_output_format(text->output, text->view->intel ? "0x%x:0x%x" : "$0x%x,$0x%x", operand->ptr.segment,
				 operand->ptr.offset);
		break;
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		write_immediate(text, operand);
		break;
	case ZYDIS_OPERAND_TYPE_UNUSED:
		break;
	}
}

/* Behind an operand: masks of AVX-512, and values that are repeated. */
static void write_decoration(const struct tl_x86_text *text, tl_size index)
{
	const ZydisDecodedOperand *operand = &text->operands[index];
	ZydisRegister mask = text->instruction.avx.mask.reg;

	if (text->instruction.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return;
	if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY && text->instruction.avx.broadcast.mode != 0) {
		static const tl_u8 times[] = {0, 2, 4, 8, 16, 32, 64, 2, 4, 8, 4, 8, 2, 4, 8};
		unsigned how = text->instruction.avx.broadcast.mode;

		if (!text->instruction.avx.broadcast.is_static && how < TL_COUNT(times))
			tl_output_format(text->output, "{1to%u}", times[how]);
	}
	if (index == 0 && mask > ZYDIS_REGISTER_K0 && mask <= ZYDIS_REGISTER_K7) {
		tl_output_text(text->output, "{");
		write_register(text, mask);
		tl_output_text(text->output, "}");
	}
	/* Results of comparisons are zeroed as a matter of course. */
	if (index == 0 && text->instruction.avx.mask.mode == ZYDIS_MASK_MODE_ZEROING &&
	    !(operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value >= ZYDIS_REGISTER_K0 &&
	      operand->reg.value <= ZYDIS_REGISTER_K7))
		tl_output_text(text->output, "{z}");
}

/* "{rn-sae}": how to round, where an instruction says so. */
static const char *rounding(const struct tl_x86_text *text)
{
	static const char *const modes[] = {"", "{rn-sae}", "{rd-sae}", "{ru-sae}", "{rz-sae}"};
	unsigned mode = text->instruction.avx.rounding.mode;

	if (text->instruction.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
		return "";
	if (mode != 0 && mode < TL_COUNT(modes))
		return modes[mode];
	return text->instruction.avx.has_sae ? "{sae}" : "";
}

static void write_operands(const struct tl_x86_text *text)
{
	tl_size count = text->count;
	bool forward = text->view->intel || text->instruction.mnemonic == ZYDIS_MNEMONIC_ENTER ||
		       text->instruction.mnemonic == ZYDIS_MNEMONIC_BOUND;
	const char *mode = rounding(text), *comma = "";

	/* An immediate comes before it in AT&T's way, and in Intel's it is the last but for that. */
	for (tl_size i = 0; i < count; i++) {
		tl_size which = forward ? i : count - 1 - i;
		bool immediate = text->operands[which].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;

		if (*mode != '\0' && forward == immediate) {
			tl_output_format(text->output, "%s%s", comma, mode);
			comma = ",";
			mode = "";
		}
		tl_output_text(text->output, comma);
		write_operand(text, &text->operands[which]);
		write_decoration(text, which);
		comma = ",";
	}
	if (*mode != '\0')
		tl_output_format(text->output, "%s%s", comma, mode);
}

/* ---- The whole ---- */

/* Behind it all, what an address relative to the program counter is. */
static void write_target(const struct tl_x86_text *text, tl_size count)
{
	for (tl_size i = 0; i < count; i++) {
		const ZydisDecodedOperand *operand = &text->operands[i];
		tl_u64 target;

		if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || !is_relative(operand))
			continue;
		target = text->address + text->instruction.length + (tl_u64)operand->mem.disp.value;
		if (text->instruction.address_width == 32)
			target &= 0xffffffff;
		tl_output_text(text->output, "        # ");
		tl_disassemble_address(text->view, target, text->output);
	}
}

static void write_instruction(const struct tl_x86_text *text)
{
	tl_size start = text->output->size, count = text->count, width;

	tl_x86_write_mnemonic(text, text->output);
	if (text->instruction.mnemonic == ZYDIS_MNEMONIC_XLAT)
		tl_output_text(text->output, text->view->intel ? "   BYTE PTR ds:[rbx]" : "   %ds:(%rbx)");
	if (count == 0)
		return;
	width = text->output->size - start;
	tl_output_spaces(text->output, width < 6 ? 7 - width : 1);
	write_operands(text);
	write_target(text, count);
}

static bool is_prefix(tl_u8 byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf0 || byte == 0xf2 || byte == 0xf3 || byte == 0x26 ||
	       byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x64 || byte == 0x65 || byte == 0x9b;
}

static bool is_rex(tl_u8 byte)
{
	return (byte & 0xf0) == 0x40;
}

/* A REX byte that another prefix follows does nothing; binutils shows it as something of its own. */
static bool write_idle_rex(const tl_u8 *bytes, tl_size size, struct tl_output *output)
{
	if (size < 2 || !is_rex(bytes[0]) || !(is_rex(bytes[1]) || is_prefix(bytes[1])))
		return false;
	tl_output_format(output, "rex%s%s%s%s%s", (bytes[0] & 15) != 0 ? "." : "", (bytes[0] & 8) != 0 ? "W" : "",
			 (bytes[0] & 4) != 0 ? "R" : "", (bytes[0] & 2) != 0 ? "X" : "",
			 (bytes[0] & 1) != 0 ? "B" : "");
	return true;
}

static bool decode(struct tl_x86_text *text, const tl_u8 *bytes, tl_size size, ZyanStatus *status_ret)
{
	ZydisDecoder decoder;

	if (!ZYAN_SUCCESS(ZydisDecoderInit(&decoder,
					   text->wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
					   text->wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32)))
		return false;
	*status_ret = ZydisDecoderDecodeFull(&decoder, bytes, size, &text->instruction, text->operands);
	return ZYAN_SUCCESS(*status_ret);
}

/* A wait and the floating-point instruction behind it are one to assemblers. */
static void take_wait(struct tl_x86_text *text, const tl_u8 *bytes, tl_size size)
{
	struct tl_x86_text next = *text;
	ZyanStatus status;

	if (size < 2 || bytes[0] != 0x9b || (bytes[1] & 0xf8) != 0xd8 || !decode(&next, bytes + 1, size - 1, &status))
		return;
	next.waits = true;
	next.instruction.length++;
	*text = next;
}

/* What is no instruction: its prefixes and a byte. */
static tl_u8 write_bad(const tl_u8 *bytes, tl_size size, bool wide, struct tl_output *output)
{
	tl_u8 length = 0;

	while (length + 1u < size && is_prefix(bytes[length]) && bytes[length] != 0x9b)
		length++;
	if (wide && length + 1u < size && is_rex(bytes[length]))
		length++;
	tl_output_text(output, "(bad)");
	return (tl_u8)(length + 1);
}

tl_u8 tl_disassemble_x86(const struct tl_code_view *view, bool wide, tl_u64 address, const tl_u8 *bytes, tl_size size,
			 struct tl_output *output)
{
	struct tl_x86_text text = {.view = view, .output = output, .address = address, .wide = wide};
	ZyanStatus status = ZYAN_STATUS_FAILED;

	if (wide && write_idle_rex(bytes, size, output))
		return 1;
	if (!decode(&text, bytes, size, &status)) {
		if (status == ZYDIS_STATUS_NO_MORE_DATA && size < ZYDIS_MAX_INSTRUCTION_LENGTH)
			return 0;
		/* A lock that is not allowed is shown, and traps when it is executed. */
		if (status == ZYDIS_STATUS_ILLEGAL_LOCK && bytes[0] == 0xf0) {
			tl_output_text(output, "lock ");
			return (tl_u8)(1 + tl_disassemble_x86(view, wide, address + 1, bytes + 1, size - 1, output));
		}
		return write_bad(bytes, size, wide, output);
	}
	take_wait(&text, bytes, size);
	tl_x86_choose_operands(&text);
	write_instruction(&text);
	return text.instruction.length;
}

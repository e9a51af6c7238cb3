#include "debugger/code/disassemble_arm64.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

/*
 * The decoder is Capstone. Its texts differ from binutils', which gdb's users know by heart, in how numbers are
 * written, in conditions, and where an alias is preferred; so they are gone through once more here.
 */

struct tl_arm64_decoder {
	csh handle;
	cs_insn *instruction;
};

enum tl_status tl_arm64_decoder_open(struct tl_arm64_decoder **decoder_ret, struct tl_error *error)
{
	struct tl_arm64_decoder *made = calloc(1, sizeof(*made));
	cs_err problem;

	if (made == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for a disassembler");
	problem = cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &made->handle);
	if (problem != CS_ERR_OK) {
		free(made);
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "libcapstone cannot take 64-bit Arm apart: %s",
			       cs_strerror(problem));
	}
	made->instruction = cs_malloc(made->handle);
	if (made->instruction == NULL) {
		tl_arm64_decoder_close(made);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "there is no memory for a disassembler");
	}
	*decoder_ret = made;
	return TL_OK;
}

void tl_arm64_decoder_close(struct tl_arm64_decoder *decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->instruction != NULL)
		cs_free(decoder->instruction, 1);
	cs_close(&decoder->handle);
	free(decoder);
}

/* ---- Conditions ---- */

/* The names of a condition: the first, and what binutils tells behind it, with "b" and elsewhere. */
static const char *const conditions[16][2] = {
	{"eq", "none"},  {"ne", "any"},   {"cs", "hs, nlast"}, {"cc", "lo, ul, last"},
	{"mi", "first"}, {"pl", "nfrst"}, {"vs", ""},          {"vc", ""},
	{"hi", "pmore"}, {"ls", "plast"}, {"ge", "tcont"},     {"lt", "tstop"},
	{"gt", ""},      {"le", ""},      {"al", ""},          {"nv", ""},
};

/* By one of its names; -1 for what is none. */
static int condition_of(const char *name, tl_size size)
{
	for (int i = 0; i < 16; i++)
		if (size == 2 && memcmp(conditions[i][0], name, 2) == 0)
			return i;
	return size != 2 ? -1 : memcmp(name, "hs", 2) == 0 ? 2 : memcmp(name, "lo", 2) == 0 ? 3 : -1;
}

/* "b.eq", and behind the place "  // b.none"; `behind` says which of the two. */
static void write_conditional_branch(const struct tl_arm64_text *text)
{
	const char *const *names = conditions[text->word & 15];
	const char *separator = "  // ";

	tl_output_format(text->output, "b.%s\t", names[0]);
	tl_disassemble_address(text->view, text->address + (tl_u64)(tl_arm64_signed(text->word, 5, 19) * 4),
			       text->output);
	for (const char *name = names[1]; *name != '\0'; name += strcspn(name, " ,"), name += strspn(name, " ,")) {
		tl_output_format(text->output, "%sb.", separator);
		tl_output_bytes(text->output, name, strcspn(name, ","));
		separator = ", ";
	}
}

/* The condition that is an instruction's last operand, and its other names: "eq\t// eq = none". */
static void write_condition(const struct tl_arm64_text *text, int condition)
{
	tl_output_text(text->output, conditions[condition][0]);
	if (conditions[condition][1][0] != '\0')
		tl_output_format(text->output, "\t// %s = %s", conditions[condition][0], conditions[condition][1]);
}

/* ---- Numbers ---- */

/* Whether a number stands for a place in the program. */
static bool leads_somewhere(const struct tl_arm64_text *text)
{
	tl_u32 word = text->word;

	return (word & 0x7c000000) == 0x14000000 || /* b, bl */
	       (word & 0x7c000000) == 0x34000000 || /* cbz, cbnz, tbz, tbnz: the last operand */
	       (word & 0x1f000000) == 0x10000000 || /* adr, adrp */
	       (word & 0x3b000000) == 0x18000000;   /* ldr, ldrsw, prfm of a literal */
}

/* Whether operands are hexadecimal numbers: those of arithmetic, logic and moves, and what exceptions carry. */
static bool is_hexadecimal(const char *mnemonic)
{
	static const char *const names[] = {
		"add",   "adds",  "sub",   "subs", "cmp",  "cmn",  "and",  "ands",  "orr",   "eor",    "tst",  "bic",
		"movk",  "movz",  "movn",  "movi", "mvni", "ccmp", "ccmn", "svc",   "hvc",   "smc",    "brk",  "hlt",
		"dcps1", "dcps2", "dcps3", "msr",  "isb",  "dmb",  "dsb",  "clrex", "fccmp", "fccmpe", "prfm", "prfum"};

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (strcmp(mnemonic, names[i]) == 0)
			return true;
	return false;
}

struct numbers {
	const struct tl_arm64_text *text;
	const char *begin, *at; /* Capstone's operands */
	bool memory;            /* inside brackets, or behind them */
	bool hexadecimal;
	bool places;
};

/* A number behind '#', as binutils writes it where it stands. */
static void write_number(struct numbers *numbers)
{
	const char *digits = numbers->at + 1, *before = numbers->at;
	struct tl_output *output = numbers->text->output;
	char *end;
	tl_u64 value;
	bool shift = before - numbers->begin >= 4 && (before[-1] == ' ' && before[-2] != ',');

	if (strcspn(digits, ".") < strcspn(digits, ", ]}")) {
		double real = strtod(digits, &end);

		/* What is compared with zero has no other number. */
		tl_output_format(output, real == 0 ? "#0.0" : "#%.18e", real);
		numbers->at = end;
		return;
	}
	value = *digits == '-' ? -strtoull(digits + 1, &end, 0) : strtoull(digits, &end, 0);
	numbers->at = end;
	/* The last of them is the place. */
	if (numbers->places && strchr(end, '#') == NULL)
		tl_disassemble_address(numbers->text->view, value, output);
	else if ((numbers->text->word & 0x3f000000) == 0x39000000 && !numbers->memory)
		tl_output_format(output, "#0x%02llx", (unsigned long long)value); /* a prefetch without a name */
	else if (numbers->hexadecimal && !numbers->memory && !shift)
		tl_output_format(output, "#0x%llx", (unsigned long long)value);
	else
		tl_output_format(output, "#%lld", (long long)value);
}

/*
 * A list of three or four registers, "{v0.2d, v1.2d, v2.2d}", as its first and last: "{v0.2d-v2.2d}". Returns what is
 * behind the part that was written, or where it began for a list that is written as it is.
 */
static const char *write_list(const struct tl_arm64_text *text, const char *list)
{
	const char *end = strchr(list, '}'), *comma = strchr(list, ','), *last = end;
	unsigned commas = 0;

	for (const char *at = list; end != NULL && at < end; at++) {
		commas += *at == ',';
		last = *at == ' ' ? at + 1 : last;
	}
	/* Behind register 31 comes 0 again, which is no range. */
	if (commas < 2 || strtoul(list + 2, NULL, 10) > strtoul(last + 1, NULL, 10))
		return list;
	tl_output_bytes(text->output, list, (tl_size)(comma - list));
	tl_output_text(text->output, "-");
	return last;
}

/* Capstone's operands, up to `end`, with their numbers written anew. */
static void write_operands(const struct tl_arm64_text *text, const char *mnemonic, const char *operands,
			   const char *end)
{
	struct numbers numbers = {.text = text,
				  .begin = operands,
				  .at = operands,
				  .hexadecimal = is_hexadecimal(mnemonic),
				  .places = leads_somewhere(text)};
	bool system = strncmp(mnemonic, "sys", 3) == 0;

	while (numbers.at < end) {
		if (*numbers.at == '#') {
			write_number(&numbers);
			continue;
		}
		/* A system operation without a name: its registers are no registers. */
		if (*numbers.at == 'c' && system) {
			tl_output_text(text->output, "C");
			numbers.at++;
			continue;
		}
		if (*numbers.at == '{')
			numbers.at = write_list(text, numbers.at);
		numbers.memory |= *numbers.at == '[' && (numbers.at == operands || numbers.at[-1] == ' ');
		tl_output_bytes(text->output, numbers.at++, 1);
	}
}

/* ---- The whole ---- */

/* The condition among operands, which is the last of them; -1 for none. */
static int last_condition(const struct tl_arm64_text *text, const char *operands)
{
	tl_u32 word = text->word;
	const char *last = strrchr(operands, ' ');
	bool conditional = (word & 0x1fe00000) == 0x1a800000 || /* csel and its aliases */
			   (word & 0x3fe00000) == 0x3a400000 || /* ccmp, ccmn */
			   (word & 0xff200400) == 0x1e200400;   /* fccmp, fcsel */

	return conditional && last != NULL ? condition_of(last + 1, strlen(last + 1)) : -1;
}

static void write_decoded(const struct tl_arm64_text *text, const cs_insn *instruction)
{
	const char *operands = instruction->op_str;
	int condition = last_condition(text, operands);

	tl_output_text(text->output, instruction->mnemonic);
	if (operands[0] == '\0')
		return;
	tl_output_text(text->output, "\t");
	write_operands(text, instruction->mnemonic, operands, operands + strlen(operands) - (condition >= 0 ? 2 : 0));
	if (condition >= 0)
		write_condition(text, condition);
}

tl_u8 tl_disassemble_arm64(struct tl_arm64_decoder *decoder, const struct tl_code_view *view, tl_u64 address,
			   const tl_u8 *bytes, tl_size size, struct tl_output *output)
{
	struct tl_arm64_text text = {.view = view, .output = output, .address = address};
	const uint8_t *from = bytes;
	uint64_t at = address;
	size_t left = TL_ARM64_INSTRUCTION_SIZE;

	if (size < TL_ARM64_INSTRUCTION_SIZE)
		return 0;
	text.word = (tl_u32)bytes[0] | (tl_u32)bytes[1] << 8 | (tl_u32)bytes[2] << 16 | (tl_u32)bytes[3] << 24;
	if ((text.word & 0xff000010) == 0x54000000)
		write_conditional_branch(&text);
	else if (tl_arm64_write_own(&text))
		;
	else if (cs_disasm_iter(decoder->handle, &from, &left, &at, decoder->instruction))
		write_decoded(&text, decoder->instruction);
	else
		tl_output_format(output, ".inst\t0x%08x", text.word);
	return TL_ARM64_INSTRUCTION_SIZE;
}

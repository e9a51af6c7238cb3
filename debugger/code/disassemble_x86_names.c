#include "debugger/code/disassemble_x86.h"

#include <string.h>

/* ---- Mnemonics of which the decoder and binutils have different ideas ---- */

struct rename {
	ZydisMnemonic mnemonic;
	const char *att, *intel; /* intel NULL: the same */
};

static const struct rename renames[] = {
	{ZYDIS_MNEMONIC_CBW, "cbtw", "cbw"},     {ZYDIS_MNEMONIC_CWDE, "cwtl", "cwde"},
	{ZYDIS_MNEMONIC_CDQE, "cltq", "cdqe"},   {ZYDIS_MNEMONIC_CWD, "cwtd", "cwd"},
	{ZYDIS_MNEMONIC_CDQ, "cltd", "cdq"},     {ZYDIS_MNEMONIC_CQO, "cqto", "cqo"},
	{ZYDIS_MNEMONIC_CMOVNB, "cmovae", NULL}, {ZYDIS_MNEMONIC_CMOVNBE, "cmova", NULL},
	{ZYDIS_MNEMONIC_CMOVNL, "cmovge", NULL}, {ZYDIS_MNEMONIC_CMOVNLE, "cmovg", NULL},
	{ZYDIS_MNEMONIC_CMOVNZ, "cmovne", NULL}, {ZYDIS_MNEMONIC_CMOVZ, "cmove", NULL},
	{ZYDIS_MNEMONIC_JNB, "jae", NULL},       {ZYDIS_MNEMONIC_JNBE, "ja", NULL},
	{ZYDIS_MNEMONIC_JNL, "jge", NULL},       {ZYDIS_MNEMONIC_JNLE, "jg", NULL},
	{ZYDIS_MNEMONIC_JNZ, "jne", NULL},       {ZYDIS_MNEMONIC_JZ, "je", NULL},
	{ZYDIS_MNEMONIC_SETNB, "setae", NULL},   {ZYDIS_MNEMONIC_SETNBE, "seta", NULL},
	{ZYDIS_MNEMONIC_SETNL, "setge", NULL},   {ZYDIS_MNEMONIC_SETNLE, "setg", NULL},
	{ZYDIS_MNEMONIC_SETNZ, "setne", NULL},   {ZYDIS_MNEMONIC_SETZ, "sete", NULL},
	{ZYDIS_MNEMONIC_PUSHFQ, "pushf", NULL},  {ZYDIS_MNEMONIC_POPFQ, "popf", NULL},
	{ZYDIS_MNEMONIC_PUSHFD, "pushf", NULL},  {ZYDIS_MNEMONIC_POPFD, "popf", NULL},
	{ZYDIS_MNEMONIC_PUSHF, "pushfw", NULL},  {ZYDIS_MNEMONIC_POPF, "popfw", NULL},
	{ZYDIS_MNEMONIC_PUSHAD, "pusha", NULL},  {ZYDIS_MNEMONIC_POPAD, "popa", NULL},
	{ZYDIS_MNEMONIC_IRETD, "iret", NULL},    {ZYDIS_MNEMONIC_MOVSB, "movsb", "movs"},
	{ZYDIS_MNEMONIC_MOVSW, "movsw", "movs"}, {ZYDIS_MNEMONIC_MOVSQ, "movsq", "movs"},
	{ZYDIS_MNEMONIC_CMPSB, "cmpsb", "cmps"}, {ZYDIS_MNEMONIC_CMPSW, "cmpsw", "cmps"},
	{ZYDIS_MNEMONIC_CMPSQ, "cmpsq", "cmps"}, {ZYDIS_MNEMONIC_STOSB, "stos", NULL},
	{ZYDIS_MNEMONIC_STOSW, "stos", NULL},    {ZYDIS_MNEMONIC_STOSD, "stos", NULL},
	{ZYDIS_MNEMONIC_STOSQ, "stos", NULL},    {ZYDIS_MNEMONIC_LODSB, "lods", NULL},
	{ZYDIS_MNEMONIC_LODSW, "lods", NULL},    {ZYDIS_MNEMONIC_LODSD, "lods", NULL},
	{ZYDIS_MNEMONIC_LODSQ, "lods", NULL},    {ZYDIS_MNEMONIC_SCASB, "scas", NULL},
	{ZYDIS_MNEMONIC_SCASW, "scas", NULL},    {ZYDIS_MNEMONIC_SCASD, "scas", NULL},
	{ZYDIS_MNEMONIC_SCASQ, "scas", NULL},    {ZYDIS_MNEMONIC_INSB, "insb", "ins"},
	{ZYDIS_MNEMONIC_INSW, "insw", "ins"},    {ZYDIS_MNEMONIC_INSD, "insl", "ins"},
	{ZYDIS_MNEMONIC_OUTSB, "outsb", "outs"}, {ZYDIS_MNEMONIC_OUTSW, "outsw", "outs"},
	{ZYDIS_MNEMONIC_OUTSD, "outsl", "outs"},
};

bool tl_x86_is_string(const struct tl_x86_text *text)
{
	return text->instruction.meta.category == ZYDIS_CATEGORY_STRINGOP ||
	       text->instruction.meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

/* movs and cmps of four bytes are called as instructions of SSE are. */
static const char *string_name(const struct tl_x86_text *text)
{
	bool string = tl_x86_is_string(text);

	if (string && text->instruction.mnemonic == ZYDIS_MNEMONIC_MOVSD)
		return text->view->intel ? "movs" : "movsl";
	if (string && text->instruction.mnemonic == ZYDIS_MNEMONIC_CMPSD)
		return text->view->intel ? "cmps" : "cmpsl";
	return NULL;
}

static bool is_far(const struct tl_x86_text *text)
{
	return text->instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

/* AT&T's assembler had these the wrong way round, and everybody has followed it. */
static const char *float_name(const struct tl_x86_text *text)
{
	if (text->view->intel || text->instruction.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT ||
	    (text->instruction.opcode != 0xdc && text->instruction.opcode != 0xde) ||
	    (text->instruction.attributes & ZYDIS_ATTRIB_HAS_MODRM) == 0 || text->instruction.raw.modrm.mod != 3)
		return NULL;
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_FSUB:
		return "fsubr";
	case ZYDIS_MNEMONIC_FSUBR:
		return "fsub";
	case ZYDIS_MNEMONIC_FSUBP:
		return "fsubrp";
	case ZYDIS_MNEMONIC_FSUBRP:
		return "fsubp";
	case ZYDIS_MNEMONIC_FDIV:
		return "fdivr";
	case ZYDIS_MNEMONIC_FDIVR:
		return "fdiv";
	case ZYDIS_MNEMONIC_FDIVP:
		return "fdivrp";
	case ZYDIS_MNEMONIC_FDIVRP:
		return "fdivp";
	default:
		return NULL;
	}
}

/* What waits for an exception first is called without the n of "no wait". */
static const char *waiting_name(const struct tl_x86_text *text)
{
	const char *name = ZydisMnemonicGetString(text->instruction.mnemonic);

	return text->waits && strncmp(name, "fn", 2) == 0 ? name + 2 : NULL;
}

static const char *base_name(const struct tl_x86_text *text)
{
	ZydisMnemonic mnemonic = text->instruction.mnemonic;
	const char *name = string_name(text);

	name = name != NULL ? name : float_name(text);
	if (name != NULL)
		return name;
	if (is_far(text) && !text->view->intel)
		return mnemonic == ZYDIS_MNEMONIC_CALL ? "lcall" : mnemonic == ZYDIS_MNEMONIC_JMP ? "ljmp" : "lret";
	if (is_far(text) && mnemonic == ZYDIS_MNEMONIC_RET)
		return "retf";
	for (tl_size i = 0; i < TL_COUNT(renames); i++)
		if (renames[i].mnemonic == mnemonic)
			return text->view->intel && renames[i].intel != NULL ? renames[i].intel : renames[i].att;
	name = ZydisMnemonicGetString(mnemonic);
	return name != NULL ? name : "(bad)";
}

/* ---- Comparisons and products whose last operand is a part of the name ---- */

static const char *const predicates[] = {
	"eq",     "lt",     "le",    "unord",  "neq",    "nlt",      "nle",    "ord",   "eq_uq",   "nge",    "ngt",
	"false",  "neq_oq", "ge",    "gt",     "true",   "eq_os",    "lt_oq",  "le_oq", "unord_s", "neq_us", "nlt_uq",
	"nle_uq", "ord_s",  "eq_us", "nge_uq", "ngt_uq", "false_os", "neq_os", "ge_oq", "gt_oq",   "true_us"};

/* What is left of the immediate, and what right, in a name that has it; NULL, NULL for no such name. */
static const char *predicate_of(const struct tl_x86_text *text, const char **before_ret, const char **after_ret)
{
	static const struct {
		ZydisMnemonic mnemonic;
		const char *before, *after;
		tl_u8 count;
	} names[] = {{ZYDIS_MNEMONIC_CMPPS, "cmp", "ps", 8},     {ZYDIS_MNEMONIC_CMPPD, "cmp", "pd", 8},
		     {ZYDIS_MNEMONIC_CMPSS, "cmp", "ss", 8},     {ZYDIS_MNEMONIC_CMPSD, "cmp", "sd", 8},
		     {ZYDIS_MNEMONIC_VCMPPS, "vcmp", "ps", 32},  {ZYDIS_MNEMONIC_VCMPPD, "vcmp", "pd", 32},
		     {ZYDIS_MNEMONIC_VCMPSS, "vcmp", "ss", 32},  {ZYDIS_MNEMONIC_VCMPSD, "vcmp", "sd", 32},
		     {ZYDIS_MNEMONIC_VPCMPB, "vpcmp", "b", 8},   {ZYDIS_MNEMONIC_VPCMPW, "vpcmp", "w", 8},
		     {ZYDIS_MNEMONIC_VPCMPD, "vpcmp", "d", 8},   {ZYDIS_MNEMONIC_VPCMPQ, "vpcmp", "q", 8},
		     {ZYDIS_MNEMONIC_VPCMPUB, "vpcmp", "ub", 8}, {ZYDIS_MNEMONIC_VPCMPUW, "vpcmp", "uw", 8},
		     {ZYDIS_MNEMONIC_VPCMPUD, "vpcmp", "ud", 8}, {ZYDIS_MNEMONIC_VPCMPUQ, "vpcmp", "uq", 8}};
	tl_u64 value = text->instruction.raw.imm[0].value.u;

	for (tl_size i = 0; i < TL_COUNT(names) && !tl_x86_is_string(text); i++) {
		bool whole = names[i].before[1] == 'p';

		if (names[i].mnemonic != text->instruction.mnemonic || value >= names[i].count ||
		    text->instruction.raw.imm[0].size == 0)
			continue;
		/* Whole numbers are never unordered. */
		if (whole && (value & 3) == 3)
			return NULL;
		*before_ret = names[i].before;
		*after_ret = names[i].after;
		return predicates[value];
	}
	return NULL;
}

static const char *product_of(const struct tl_x86_text *text)
{
	tl_u64 value = text->instruction.raw.imm[0].value.u;

	if ((text->instruction.mnemonic != ZYDIS_MNEMONIC_PCLMULQDQ &&
	     text->instruction.mnemonic != ZYDIS_MNEMONIC_VPCLMULQDQ) ||
	    (value & ~(tl_u64)0x11) != 0)
		return NULL;
	return value == 0 ? "lql" : value == 1 ? "hql" : value == 0x10 ? "lqh" : "hqh";
}

/* ---- Suffixes of AT&T ---- */

static char letter_of(unsigned bits)
{
	return bits == 8 ? 'b' : bits == 16 ? 'w' : bits == 32 ? 'l' : bits == 64 ? 'q' : '\0';
}

static const ZydisDecodedOperand *memory_of(const struct tl_x86_text *text)
{
	for (tl_size i = 0; i < text->count; i++)
		if (text->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY)
			return &text->operands[i];
	return NULL;
}

static const char *float_suffix(const struct tl_x86_text *text, const ZydisDecodedOperand *memory)
{
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_FLD:
	case ZYDIS_MNEMONIC_FST:
	case ZYDIS_MNEMONIC_FSTP:
	case ZYDIS_MNEMONIC_FADD:
	case ZYDIS_MNEMONIC_FMUL:
	case ZYDIS_MNEMONIC_FCOM:
	case ZYDIS_MNEMONIC_FCOMP:
	case ZYDIS_MNEMONIC_FSUB:
	case ZYDIS_MNEMONIC_FSUBR:
	case ZYDIS_MNEMONIC_FDIV:
	case ZYDIS_MNEMONIC_FDIVR:
		return memory->size == 32 ? "s" : memory->size == 64 ? "l" : "t";
	case ZYDIS_MNEMONIC_FILD:
	case ZYDIS_MNEMONIC_FIST:
	case ZYDIS_MNEMONIC_FISTP:
	case ZYDIS_MNEMONIC_FISTTP:
	case ZYDIS_MNEMONIC_FIADD:
	case ZYDIS_MNEMONIC_FIMUL:
	case ZYDIS_MNEMONIC_FICOM:
	case ZYDIS_MNEMONIC_FICOMP:
	case ZYDIS_MNEMONIC_FISUB:
	case ZYDIS_MNEMONIC_FISUBR:
	case ZYDIS_MNEMONIC_FIDIV:
	case ZYDIS_MNEMONIC_FIDIVR:
		return memory->size == 16 ? "s" : memory->size == 32 ? "l" : "ll";
	default:
		return "";
	}
}

/* Instructions of which only a general register would tell the size. */
static bool has_size(const struct tl_x86_text *text)
{
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_ADC:
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_AND:
	case ZYDIS_MNEMONIC_BT:
	case ZYDIS_MNEMONIC_BTC:
	case ZYDIS_MNEMONIC_BTR:
	case ZYDIS_MNEMONIC_BTS:
	case ZYDIS_MNEMONIC_CMP:
	case ZYDIS_MNEMONIC_DEC:
	case ZYDIS_MNEMONIC_DIV:
	case ZYDIS_MNEMONIC_IDIV:
	case ZYDIS_MNEMONIC_IMUL:
	case ZYDIS_MNEMONIC_INC:
	case ZYDIS_MNEMONIC_MOV:
	case ZYDIS_MNEMONIC_MUL:
	case ZYDIS_MNEMONIC_NEG:
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_NOT:
	case ZYDIS_MNEMONIC_OR:
	case ZYDIS_MNEMONIC_PTWRITE:
	case ZYDIS_MNEMONIC_RCL:
	case ZYDIS_MNEMONIC_RCR:
	case ZYDIS_MNEMONIC_ROL:
	case ZYDIS_MNEMONIC_ROR:
	case ZYDIS_MNEMONIC_SAR:
	case ZYDIS_MNEMONIC_SBB:
	case ZYDIS_MNEMONIC_SHL:
	case ZYDIS_MNEMONIC_SHR:
	case ZYDIS_MNEMONIC_SUB:
	case ZYDIS_MNEMONIC_TEST:
	case ZYDIS_MNEMONIC_XOR:
		return true;
	default:
		return false;
	}
}

/* Whether a register among the operands tells the size; the count in %cl does not. */
static bool register_tells(const struct tl_x86_text *text)
{
	bool shift = text->instruction.meta.category == ZYDIS_CATEGORY_SHIFT ||
		     text->instruction.meta.category == ZYDIS_CATEGORY_ROTATE;

	for (tl_size i = 0; i < text->count; i++)
		if (text->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER && !(shift && i == 1))
			return true;
	return false;
}

/* Conversions of a number in memory: to floating point, or to half as much. */
static char conversion_letter(const struct tl_x86_text *text, const ZydisDecodedOperand *memory)
{
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_CVTSI2SD:
	case ZYDIS_MNEMONIC_CVTSI2SS:
	case ZYDIS_MNEMONIC_VCVTSI2SD:
	case ZYDIS_MNEMONIC_VCVTSI2SS:
	case ZYDIS_MNEMONIC_VCVTUSI2SD:
	case ZYDIS_MNEMONIC_VCVTUSI2SS:
		return letter_of(memory->size);
	case ZYDIS_MNEMONIC_VCVTPD2PS:
	case ZYDIS_MNEMONIC_VCVTPD2DQ:
	case ZYDIS_MNEMONIC_VCVTTPD2DQ:
	case ZYDIS_MNEMONIC_VCVTPD2UDQ:
	case ZYDIS_MNEMONIC_VCVTTPD2UDQ:
	case ZYDIS_MNEMONIC_VCVTQQ2PS:
	case ZYDIS_MNEMONIC_VCVTUQQ2PS:
		return text->instruction.avx.vector_length == 128   ? 'x'
		       : text->instruction.avx.vector_length == 256 ? 'y'
								    : '\0';
	default:
		return '\0';
	}
}

static void write_suffix(const struct tl_x86_text *text, struct tl_output *output)
{
	const ZydisDecodedOperand *memory = memory_of(text);
	char letter = '\0';

	if (memory != NULL && text->instruction.meta.category == ZYDIS_CATEGORY_X87_ALU) {
		tl_output_text(output, float_suffix(text, memory));
		return;
	}
	if (has_size(text) && !register_tells(text) && memory != NULL)
		letter = letter_of(memory->size);
	else if (memory != NULL)
		letter = conversion_letter(text, memory);
	if ((text->instruction.mnemonic == ZYDIS_MNEMONIC_PUSH || text->instruction.mnemonic == ZYDIS_MNEMONIC_POP) &&
	    text->instruction.operand_width == 16 && text->operands[0].type != ZYDIS_OPERAND_TYPE_REGISTER)
		letter = 'w';
	if (text->instruction.mnemonic == ZYDIS_MNEMONIC_CRC32)
		letter = letter_of(text->operands[1].size);
	if (text->instruction.mnemonic == ZYDIS_MNEMONIC_SYSRET)
		letter = text->instruction.operand_width == 64 ? 'q' : 'l';
	if (letter != '\0')
		tl_output_bytes(output, &letter, 1);
}

/* movzx and movsx have both sizes in their name. */
static bool write_extension(const struct tl_x86_text *text, struct tl_output *output)
{
	const char *name = text->instruction.mnemonic == ZYDIS_MNEMONIC_MOVZX ? "movz" : "movs";

	if (text->instruction.mnemonic != ZYDIS_MNEMONIC_MOVZX && text->instruction.mnemonic != ZYDIS_MNEMONIC_MOVSX &&
	    text->instruction.mnemonic != ZYDIS_MNEMONIC_MOVSXD)
		return false;
	if (text->instruction.mnemonic == ZYDIS_MNEMONIC_MOVSXD && text->operands[0].size != 64) {
		tl_output_text(output, "movsxd");
		return true;
	}
	tl_output_format(output, "%s%c%c", name, letter_of(text->operands[1].size), letter_of(text->operands[0].size));
	return true;
}

/* ---- Prefixes ---- */

static const char *segment_name(tl_u8 byte)
{
	return byte == 0x26   ? "es"
	       : byte == 0x2e ? "cs"
	       : byte == 0x36 ? "ss"
	       : byte == 0x3e ? "ds"
	       : byte == 0x64 ? "fs"
			      : "gs";
}

static bool later(const struct tl_x86_text *text, tl_size index, tl_u8 value)
{
	for (tl_size i = index + 1; i < text->instruction.raw.prefix_count; i++)
		if (text->instruction.raw.prefixes[i].value == value)
			return true;
	return false;
}

/* The word for a segment's prefix that no operand shows; NULL for none. */
static const char *segment_word(const struct tl_x86_text *text, tl_size index)
{
	tl_u8 byte = text->instruction.raw.prefixes[index].value;
	ZyanU64 attributes = text->instruction.attributes;
	const ZydisDecodedOperand *memory = memory_of(text);

	if ((attributes & ZYDIS_ATTRIB_HAS_NOTRACK) != 0 && byte == 0x3e)
		return "notrack";
	if ((attributes & (ZYDIS_ATTRIB_HAS_BRANCH_TAKEN | ZYDIS_ATTRIB_HAS_BRANCH_NOT_TAKEN)) != 0)
		return NULL;
	if (text->wide && byte < 0x60)
		return segment_name(byte);
	return (memory == NULL && !tl_x86_is_string(text)) || later(text, index, byte) ? segment_name(byte) : NULL;
}

static const char *repeat_word(const struct tl_x86_text *text, tl_size index)
{
	ZyanU64 attributes = text->instruction.attributes;
	tl_u8 byte = text->instruction.raw.prefixes[index].value;
	bool used = text->instruction.raw.prefixes[index].type != ZYDIS_PREFIX_TYPE_IGNORED;

	if (byte == 0xf3 && (attributes & ZYDIS_ATTRIB_HAS_REP) != 0)
		return "rep";
	if ((attributes & (ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0)
		return byte == 0xf3 ? "repz" : "repnz";
	if (text->instruction.raw.prefixes[index].type == ZYDIS_PREFIX_TYPE_MANDATORY)
		return NULL;
	if (used && (attributes & ZYDIS_ATTRIB_HAS_XACQUIRE) != 0)
		return "xacquire";
	if (used && (attributes & ZYDIS_ATTRIB_HAS_XRELEASE) != 0)
		return "xrelease";
	if (used && (attributes & ZYDIS_ATTRIB_HAS_BND) != 0)
		return "bnd";
	return byte == 0xf3 ? "repz" : "repnz";
}

static bool is_mandatory(const struct tl_x86_text *text, tl_u8 value)
{
	for (tl_size i = 0; i < text->instruction.raw.prefix_count; i++)
		if (text->instruction.raw.prefixes[i].value == value &&
		    text->instruction.raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY)
			return true;
	return false;
}

/* Whether a prefix for 16-bit operands shows in the operands or the mnemonic. */
static bool size_shows(const struct tl_x86_text *text, tl_size index)
{
	if (later(text, index, 0x66))
		return false;
	if (is_mandatory(text, 0x66))
		return true;
	return text->instruction.raw.rex.W == 0 && text->instruction.operand_width == 16 &&
	       text->instruction.raw.prefixes[index].type != ZYDIS_PREFIX_TYPE_IGNORED;
}

static const char *prefix_word(const struct tl_x86_text *text, tl_size index)
{
	switch (text->instruction.raw.prefixes[index].value) {
	case 0xf0:
		return "lock";
	case 0xf2:
	case 0xf3:
		return repeat_word(text, index);
	case 0x66:
		return size_shows(text, index) ? NULL : "data16";
	case 0x67:
		if (later(text, index, 0x67) || (memory_of(text) == NULL && !tl_x86_is_string(text) &&
						 text->instruction.mnemonic != ZYDIS_MNEMONIC_JECXZ &&
						 text->instruction.mnemonic != ZYDIS_MNEMONIC_JCXZ))
			return text->wide ? "addr32" : "addr16";
		return NULL;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
		return segment_word(text, index);
	default:
		return NULL; /* REX */
	}
}

/* A REX.W that widens nothing. */
static bool rex_is_idle(const struct tl_x86_text *text)
{
	return text->instruction.raw.rex.W != 0 &&
	       (text->instruction.meta.category == ZYDIS_CATEGORY_CALL ||
		text->instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
		text->instruction.meta.category == ZYDIS_CATEGORY_COND_BR) &&
	       !is_far(text);
}

static void write_prefixes(const struct tl_x86_text *text, struct tl_output *output)
{
	for (tl_size i = 0; i < text->instruction.raw.prefix_count; i++) {
		const char *word = prefix_word(text, i);

		if (word != NULL)
			tl_output_format(output, "%s ", word);
	}
	if (rex_is_idle(text))
		tl_output_text(output, "rex.W ");
}

/* ---- The whole ---- */

/* An opcode that can be the constant or address of 64 bits has a mnemonic of its own. */
static bool is_absolute(const struct tl_x86_text *text)
{
	tl_u8 opcode = text->instruction.opcode;

	return text->instruction.mnemonic == ZYDIS_MNEMONIC_MOV && text->instruction.opcode_map == 0 && text->wide &&
	       ((opcode >= 0xb8 && opcode <= 0xbf && text->instruction.raw.imm[0].size == 64) ||
		(opcode >= 0xa0 && opcode <= 0xa3 && text->instruction.address_width == 64));
}

static bool is_exchange(const struct tl_x86_text *text)
{
	return text->instruction.mnemonic == ZYDIS_MNEMONIC_NOP && text->instruction.opcode == 0x90 &&
	       text->instruction.opcode_map == 0 && text->instruction.operand_width == 16;
}

void tl_x86_write_mnemonic(const struct tl_x86_text *text, struct tl_output *output)
{
	const char *before = NULL, *after = NULL, *predicate = predicate_of(text, &before, &after);
	const char *product = product_of(text);
	ZyanU64 attributes = text->instruction.attributes;

	write_prefixes(text, output);
	if (waiting_name(text) != NULL) {
		tl_output_format(output, "f%s", waiting_name(text));
		return;
	}
	if (predicate != NULL) {
		tl_output_format(output, "%s%s%s", before, predicate, after);
	} else if (product != NULL) {
		tl_output_format(output, "%spclmul%sqdq",
				 text->instruction.mnemonic == ZYDIS_MNEMONIC_VPCLMULQDQ ? "v" : "", product);
	} else if (is_absolute(text)) {
		tl_output_text(output, "movabs");
	} else if (is_exchange(text)) {
		tl_output_text(output, "xchg");
	} else if (text->view->intel || !write_extension(text, output)) {
		tl_output_text(output, base_name(text));
		if (!text->view->intel)
			write_suffix(text, output);
	}
	if ((attributes & ZYDIS_ATTRIB_HAS_BRANCH_TAKEN) != 0)
		tl_output_text(output, ",pt");
	else if ((attributes & ZYDIS_ATTRIB_HAS_BRANCH_NOT_TAKEN) != 0)
		tl_output_text(output, ",pn");
}

/* Where binutils leaves out the top of the stack of floating-point registers. */
static bool hides_top(const struct tl_x86_text *text)
{
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_FLD:
	case ZYDIS_MNEMONIC_FST:
	case ZYDIS_MNEMONIC_FSTP:
	case ZYDIS_MNEMONIC_FXCH:
	case ZYDIS_MNEMONIC_FCOM:
	case ZYDIS_MNEMONIC_FCOMP:
	case ZYDIS_MNEMONIC_FUCOM:
	case ZYDIS_MNEMONIC_FUCOMP:
	case ZYDIS_MNEMONIC_FILD:
	case ZYDIS_MNEMONIC_FIST:
	case ZYDIS_MNEMONIC_FISTP:
	case ZYDIS_MNEMONIC_FISTTP:
	case ZYDIS_MNEMONIC_FBLD:
	case ZYDIS_MNEMONIC_FBSTP:
		return true;
	default:
		return memory_of(text) != NULL;
	}
}

static bool is_top(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == ZYDIS_REGISTER_ST0 &&
	       operand->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT;
}

bool tl_x86_is_by_one(const struct tl_x86_text *text)
{
	return (text->instruction.meta.category == ZYDIS_CATEGORY_SHIFT ||
		text->instruction.meta.category == ZYDIS_CATEGORY_ROTATE) &&
	       (text->instruction.opcode == 0xd0 || text->instruction.opcode == 0xd1) &&
	       text->instruction.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT;
}

/* Segment registers are moved from and to 32 bits, whatever counts of those. */
static void widen_segment_move(struct tl_x86_text *text)
{
	for (tl_size i = 0; i < 2 && text->instruction.mnemonic == ZYDIS_MNEMONIC_MOV && text->count == 2; i++) {
		ZydisRegister which = text->operands[i].reg.value;

		if (text->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    text->operands[1 - i].type == ZYDIS_OPERAND_TYPE_REGISTER && which >= ZYDIS_REGISTER_AX &&
		    which <= ZYDIS_REGISTER_R15W &&
		    ZydisRegisterGetClass(text->operands[1 - i].reg.value) == ZYDIS_REGCLASS_SEGMENT)
			text->operands[i].reg.value =
				text->instruction.operand_width == 16
					? which
					: ZydisRegisterEncode(ZYDIS_REGCLASS_GPR32, (ZyanU8)ZydisRegisterGetId(which));
	}
}

static void keep_shown(struct tl_x86_text *text)
{
	tl_size kept = 0;

	for (tl_size i = 0; i < text->count; i++) {
		const ZydisDecodedOperand *operand = &text->operands[i];

		if (operand->encoding == ZYDIS_OPERAND_ENCODING_MASK ||
		    (is_top(operand) && text->instruction.meta.category == ZYDIS_CATEGORY_X87_ALU && hides_top(text)))
			continue;
		text->operands[kept++] = *operand;
	}
	text->count = kept;
}

/* 66 90 does what it always did. */
static void make_exchange(struct tl_x86_text *text)
{
	text->operands[0] = (ZydisDecodedOperand){.type = ZYDIS_OPERAND_TYPE_REGISTER,
						  .visibility = ZYDIS_OPERAND_VISIBILITY_EXPLICIT,
						  .size = 16,
						  .reg = {ZYDIS_REGISTER_AX}};
	text->operands[1] = text->operands[0];
	text->count = 2;
}

/* %xmm0, which these take without saying so, is written all the same. */
static bool shows_xmm0(const struct tl_x86_text *text)
{
	switch ((int)text->instruction.mnemonic) {
	case ZYDIS_MNEMONIC_BLENDVPD:
	case ZYDIS_MNEMONIC_BLENDVPS:
	case ZYDIS_MNEMONIC_PBLENDVB:
	case ZYDIS_MNEMONIC_SHA256RNDS2:
		return text->count == 2 && text->instruction.operand_count > 2 &&
		       text->operands[2].type == ZYDIS_OPERAND_TYPE_REGISTER;
	default:
		return false;
	}
}

void tl_x86_choose_operands(struct tl_x86_text *text)
{
	const char *before, *after;

	text->count = tl_x86_is_string(text)                              ? 2
		      : text->instruction.mnemonic == ZYDIS_MNEMONIC_XLAT ? 0
									  : text->instruction.operand_count_visible;
	if (shows_xmm0(text))
		text->count++;
	if (is_exchange(text)) {
		make_exchange(text);
		return;
	}
	keep_shown(text);
	widen_segment_move(text);
	if (text->instruction.mnemonic == ZYDIS_MNEMONIC_NOP && text->count > 1)
		text->count = 1;
	if ((tl_x86_is_by_one(text) && !text->view->intel) ||
	    (text->count != 0 && (predicate_of(text, &before, &after) != NULL || product_of(text) != NULL)))
		text->count--;
}

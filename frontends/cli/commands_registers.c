/* Registers, by name and by group: info registers, all-registers, float, vector. */
#include "frontends/cli/cli.h"
#include "frontends/cli/commands.h"
#include "frontends/cli/registers.h"
#include "frontends/cli/values.h"
#include "frontends/cli/words.h"

#include "debugger/values/abi_aarch64.h"
#include "symbols/dwarf_constants.h"

#include <stdio.h>
#include <string.h>

/* The columns of gdb. */
#define NAME_WIDTH 15
#define VALUE_WIDTH 20

/* ---- One register ---- */

/* A number with a point stands in its own form first, and then its bytes do. */
static void show_real(struct tl_cli *cli, const char *name, const struct tl_value *value, const char *natural)
{
	char raw[2 * 16 + 1] = "";
	/* Of the 16 bytes that C gives an extended number the FPU has 10. */
	tl_size size = value->size == 16 ? 10 : value->size;

	for (tl_size i = 0; value->bytes != NULL && i < size && i < 16; i++)
		(void)snprintf(raw + 2 * i, 3, "%02x", value->bytes[size - 1 - i]);
	tl_screen_format(&cli->screen, "%-*s%-*s(raw 0x%s)\n", NAME_WIDTH, name, VALUE_WIDTH, natural, raw);
}

static bool is_real(const struct tl_value *value)
{
	const struct tl_type *type;

	return tl_type_strip(value->type, &type, NULL) == TL_OK && type->kind == TL_TYPE_BASE &&
	       type->encoding == DW_ATE_float;
}

/* Of what has many parts one form is enough; gdb writes both of 64-bit Arm's v0 and its parts. */
static bool is_vector(const struct tl_value *value)
{
	const struct tl_type *type;

	if (tl_type_strip(value->type, &type, NULL) != TL_OK)
		return false;
	return type->kind == TL_TYPE_ARRAY ||
	       (type->kind == TL_TYPE_UNION &&
		(type->name == NULL || (strcmp(type->name, "vnv") != 0 && strlen(type->name) != 1)));
}

/* The mode of a RISC-V hart, as gdb has it, behind its number. */
static void show_mode(struct tl_cli *cli, const char *name, const char *raw, const char *natural)
{
	static const char *const modes[] = {"User/Application", "Supervisor", "Hypervisor", "Machine"};

	tl_screen_format(&cli->screen, "%-*s%-*sprv:%s [%s]\n", NAME_WIDTH, name, VALUE_WIDTH, raw, natural,
			 modes[(natural[0] - '0') & 3]);
}

static bool is_mode(const struct tl_value *value, const char *name, const char *natural)
{
	return strcmp(name, "priv") == 0 && !is_real(value) && natural[0] >= '0' && natural[0] <= '3' &&
	       natural[1] == '\0';
}

static enum tl_status show_register(struct tl_cli *cli, const char *name, struct tl_error *error)
{
	struct tl_output raw = tl_output_make(TL_OUTPUT_MAX), natural = tl_output_make(TL_OUTPUT_MAX);
	char expression[TL_VARIABLE_NAME_MAX + 2] = "$";
	struct tl_value value;
	enum tl_status status;

	strncat(expression, name, TL_VARIABLE_NAME_MAX);
	status = tl_cli_evaluate(cli, expression, strlen(expression), &value, error);
	if (status == TL_OK)
		status = tl_cli_print_listed(cli, &value, 'x', &raw, error);
	if (status == TL_OK)
		status = tl_cli_print_listed(cli, &value, 0, &natural, error);
	if (status == TL_OK && is_real(&value))
		show_real(cli, name, &value, tl_output_string(&natural));
	else if (status == TL_OK && is_vector(&value))
		tl_screen_format(&cli->screen, "%-*s%s\n", NAME_WIDTH, name, tl_output_string(&raw));
	else if (status == TL_OK && is_mode(&value, name, tl_output_string(&natural)))
		show_mode(cli, name, tl_output_string(&raw), tl_output_string(&natural));
	else if (status == TL_OK)
		tl_screen_format(&cli->screen, "%-*s%-*s%s%s\n", NAME_WIDTH, name, VALUE_WIDTH, tl_output_string(&raw),
				 raw.size < VALUE_WIDTH ? "" : " ", tl_output_string(&natural));
	else
		tl_screen_format(&cli->screen, "%-*s%-*s%s\n", NAME_WIDTH, name, VALUE_WIDTH, "<not available>", "");
	tl_output_release(&raw);
	tl_output_release(&natural);
	return TL_OK;
}

/* ---- Groups ---- */

static enum tl_status find_facts(struct tl_cli *cli, struct tl_process_facts *facts_ret, struct tl_error *error)
{
	if (!tl_session_alive(cli->session) ||
	    tl_engine_facts(tl_session_engine(cli->session), tl_session_thread(cli->session).process, facts_ret) !=
		    TL_OK)
		return TL_FAIL(error, TL_ERROR_NOT_RUNNING, "The program has no registers now.");
	return TL_OK;
}

static bool is_there(const struct tl_process_facts *facts, const struct tl_register *row)
{
	return tl_register_is_there(row, facts->features);
}

static bool has_register(const struct tl_process_facts *facts, const char *name)
{
	for (tl_u16 i = 0; i < facts->cpu->register_count; i++)
		if (strcmp(facts->cpu->registers[i].name, name) == 0 && is_there(facts, &facts->cpu->registers[i]))
			return true;
	return false;
}

/* A part of a vector register of x86: "xmm3", "ymm3h", "zmm17h"; its number, or -1. */
static int vector_part(const char *name)
{
	int number = -1, size = 0;

	if ((name[0] == 'x' || name[0] == 'y' || name[0] == 'z') && strncmp(name + 1, "mm", 2) == 0 &&
	    sscanf(name + 3, "%d%n", &number, &size) == 1 && (name[3 + size] == '\0' || name[3 + size] == 'h'))
		return number;
	return -1;
}

/* What the system call's number was, which the kernel adds, and which stands last. */
static bool is_original(const struct tl_register *row)
{
	return strncmp(row->name, "orig_", 5) == 0;
}

static bool is_system(const struct tl_register *row)
{
	return strcmp(row->name, "fs_base") == 0 || strcmp(row->name, "gs_base") == 0 ||
	       strcmp(tl_register_group(row), "system") == 0;
}

static bool is_group(const struct tl_register *row, const char *group)
{
	return !is_system(row) && strcmp(tl_register_group(row), group) == 0;
}

/* Vector registers as wide as they are: gdb shows each once, though they come in parts. */
static enum tl_status show_vectors(struct tl_cli *cli, const struct tl_process_facts *facts, struct tl_error *error)
{
	char letter = has_register(facts, "zmm0h") ? 'z' : has_register(facts, "ymm0h") ? 'y' : 'x', name[16];
	int most = -1;

	for (tl_u16 i = 0; i < facts->cpu->register_count; i++) {
		int number = vector_part(facts->cpu->registers[i].name);

		if (is_there(facts, &facts->cpu->registers[i]) && number > most)
			most = number;
	}
	for (int i = 0; i <= most && !tl_cli_cancelled(cli); i++) {
		(void)snprintf(name, sizeof(name), "%cmm%d", letter, i);
		TL_TRY(show_register(cli, name, error));
	}
	return TL_OK;
}

/* Whether a row belongs to a group, as gdb has it. */
static bool belongs(const struct tl_cpu *cpu, const struct tl_register *row, const char *group)
{
	bool part = vector_part(row->name) >= 0;

	/* On 64-bit Arm all that is no vector. */
	if (strcmp(group, "general") == 0 && tl_abi_is_aarch64(cpu))
		return strncmp(row->type, "sve", 3) != 0 && strcmp(row->type, "aarch64v") != 0;

	if (strcmp(group, "all") == 0)
		return !part && !is_system(row);
	if (strcmp(group, "save") == 0 || strcmp(group, "restore") == 0)
		return true;
	if (strcmp(group, "vector") == 0)
		return is_group(row, "vector") && !part;
	if (strcmp(group, "sse") == 0)
		return strcmp(row->name, "mxcsr") == 0 || (part && row->name[0] == 'x');
	if (strcmp(group, "system") == 0)
		return is_system(row);
	return is_group(row, group);
}

static bool is_known_group(const char *name)
{
	static const char *const names[] = {"all",  "float", "general", "mmx",   "restore",
					    "save", "sse",   "system",  "vector"};

	for (tl_size i = 0; i < TL_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static enum tl_status show_group(struct tl_cli *cli, const char *group, struct tl_error *error)
{
	struct tl_process_facts facts;

	TL_TRY(find_facts(cli, &facts, error));
	for (int last = 0; last < 2; last++)
		for (tl_u16 i = 0; i < facts.cpu->register_count && !tl_cli_cancelled(cli); i++) {
			const struct tl_register *row = &facts.cpu->registers[i];

			if (is_original(row) == (last == 1) && is_there(&facts, row) && belongs(facts.cpu, row, group))
				TL_TRY(show_register(cli, row->name, error));
		}
	return strcmp(group, "all") == 0 || strcmp(group, "vector") == 0 ? show_vectors(cli, &facts, error) : TL_OK;
}

/* A register, a part of one, or a group of them. */
static enum tl_status show_named(struct tl_cli *cli, const char *name, struct tl_error *error)
{
	char expression[TL_VARIABLE_NAME_MAX + 2] = "$";
	const struct tl_type *type;
	struct tl_value value;

	name += *name == '$';
	strncat(expression, name, TL_VARIABLE_NAME_MAX);
	if (tl_cli_evaluate(cli, expression, strlen(expression), &value, error) == TL_OK &&
	    tl_type_strip(value.type, &type, error) == TL_OK && type->kind != TL_TYPE_VOID)
		return show_register(cli, name, error);
	return is_known_group(name) ? show_group(cli, name, error)
				    : TL_FAIL(error, TL_ERROR_ARGUMENT, "Invalid register `%s'", name);
}

static enum tl_status registers(struct tl_cli *cli, const char *words, const struct tl_command_line *line,
				struct tl_error *error)
{
	const char *at = words, *end = words + strlen(words);
	struct tl_output word = tl_output_make(256);
	struct tl_process_facts facts;
	enum tl_status status = TL_OK;

	TL_TRY(find_facts(cli, &facts, error));
	if (words[0] == '\0')
		return show_group(cli, strcmp(line->command->name, "all-registers") == 0 ? "all" : "general", error);
	while (status == TL_OK && tl_script_word(&at, end, true, &word)) {
		status = show_named(cli, tl_output_string(&word), error);
		tl_output_reset(&word);
	}
	tl_output_release(&word);
	return status;
}

static enum tl_status run_info_registers(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	return tl_words_with(cli, line, registers, error);
}

static enum tl_status run_info_vector(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	(void)line;
	return show_group(cli, "vector", error);
}

/* ---- info float: the x87 unit (Intel SDM, volume 1, chapter 8) ---- */

/* One of its control registers. */
static tl_u64 read_number(struct tl_cli *cli, const char *expression)
{
	struct tl_error error;
	tl_i64 number = 0;

	return tl_cli_number(cli, expression, &number, &error) == TL_OK ? (tl_u64)number : 0;
}

/* Names of the bits that are set, and blanks for others. */
static void show_bits(struct tl_cli *cli, tl_u64 word, unsigned bit, const char *const *names, tl_size count)
{
	for (tl_size i = 0; i < count; i++)
		tl_screen_format(&cli->screen, " %s", (word >> (bit + i) & 1) != 0 ? names[i] : "  ");
}

/* What the ten bytes of a register stand for. */
static void show_extended(struct tl_cli *cli, const tl_u8 *bytes)
{
	tl_u64 fraction = tl_load_little(bytes, 8);
	unsigned high = (unsigned)tl_load_little(bytes + 8, 2), exponent = high & 0x7fff;
	bool negative = (high & 0x8000) != 0, integer = fraction >> 63 != 0;
	long double number = 0;

	memcpy(&number, bytes, 10);
	if (exponent == 0x7fff && integer && fraction << 1 == 0)
		tl_screen_format(&cli->screen, " %cInf", negative ? '-' : '+');
	else if (exponent == 0x7fff && integer && negative && fraction == 0xc000000000000000u)
		tl_screen_text(&cli->screen, " Real Indefinite (QNaN)");
	else if (exponent == 0x7fff && integer)
		tl_screen_text(&cli->screen, (fraction >> 62 & 1) != 0 ? " QNaN" : " SNaN");
	else if ((exponent != 0x7fff && exponent != 0 && integer) || exponent == 0)
		tl_screen_format(&cli->screen, " %-+27.19Lg", number);
	else
		tl_screen_text(&cli->screen, " Unsupported");
	if (exponent == 0 && integer)
		tl_screen_text(&cli->screen, " Pseudo-denormal");
	else if (exponent == 0 && fraction != 0)
		tl_screen_text(&cli->screen, " Denormal");
}

static enum tl_status show_stack_register(struct tl_cli *cli, unsigned place, unsigned top, unsigned tag,
					  struct tl_error *error)
{
	static const char *const tags[] = {"Valid", "Zero", "Special", "Empty"};
	char expression[] = "$st0";
	struct tl_value value;

	expression[3] = (char)('0' + (place + 8 - top) % 8);
	TL_TRY(tl_cli_evaluate(cli, expression, strlen(expression), &value, error));
	if (value.bytes == NULL || value.size < 10)
		return TL_FAIL(error, TL_ERROR_REGISTER, "%s is not available.", expression);
	tl_screen_format(&cli->screen, "%sR%u: %-8s0x", place == top ? "=>" : "  ", place, tags[tag]);
	for (int i = 9; i >= 0; i--)
		tl_screen_format(&cli->screen, "%02x", value.bytes[i]);
	if (tag != 3)
		show_extended(cli, value.bytes);
	tl_screen_text(&cli->screen, "\n");
	return TL_OK;
}

static void show_status_word(struct tl_cli *cli, tl_u64 status)
{
	static const char *const exceptions[] = {"IE", "DE", "ZE", "OE", "UE", "PE"}, *const summary[] = {"ES"},
				 *const fault[] = {"SF"}, *const codes[] = {"C0", "C1", "C2"}, *const last[] = {"C3"};

	tl_screen_format(&cli->screen, "Status Word:         0x%04llx  ", (unsigned long long)status);
	show_bits(cli, status, 0, exceptions, TL_COUNT(exceptions));
	tl_screen_text(&cli->screen, "  ");
	show_bits(cli, status, 7, summary, 1);
	tl_screen_text(&cli->screen, "  ");
	show_bits(cli, status, 6, fault, 1);
	tl_screen_text(&cli->screen, "  ");
	show_bits(cli, status, 8, codes, TL_COUNT(codes));
	show_bits(cli, status, 14, last, 1);
	tl_screen_format(&cli->screen, "\n                       TOP: %u\n", (unsigned)(status >> 11 & 7));
}

static void show_control_word(struct tl_cli *cli, tl_u64 control)
{
	static const char *const masks[] = {"IM", "DM", "ZM", "OM", "UM", "PM"};
	static const char *const precisions[] = {"Single Precision (24-bits)", "Reserved", "Double Precision (53-bits)",
						 "Extended Precision (64-bits)"};
	static const char *const roundings[] = {"Round to nearest", "Round down", "Round up", "Round toward zero"};

	tl_screen_format(&cli->screen, "Control Word:        0x%04llx  ", (unsigned long long)control);
	show_bits(cli, control, 0, masks, TL_COUNT(masks));
	tl_screen_format(&cli->screen, "\n                       PC: %s\n                       RC: %s\n",
			 precisions[control >> 8 & 3], roundings[control >> 10 & 3]);
}

static enum tl_status run_info_float(struct tl_cli *cli, const struct tl_command_line *line, struct tl_error *error)
{
	struct tl_process_facts facts;
	tl_u64 status, tags, opcode;
	unsigned top;

	(void)line;
	TL_TRY(find_facts(cli, &facts, error));
	if (!has_register(&facts, "fctrl")) {
		tl_screen_text(&cli->screen, "No floating-point info available for this processor.\n");
		return TL_OK;
	}
	status = read_number(cli, "$fstat");
	tags = read_number(cli, "$ftag");
	opcode = read_number(cli, "$fop");
	top = (unsigned)(status >> 11 & 7);
	for (unsigned place = 8; place-- > 0;)
		TL_TRY(show_stack_register(cli, place, top, (unsigned)(tags >> (2 * place) & 3), error));
	tl_screen_text(&cli->screen, "\n");
	show_status_word(cli, status);
	show_control_word(cli, read_number(cli, "$fctrl"));
	tl_screen_format(&cli->screen, "Tag Word:            0x%04llx\n", (unsigned long long)tags);
	tl_screen_format(&cli->screen, "Instruction Pointer: 0x%02llx:0x%08llx\n",
			 (unsigned long long)read_number(cli, "$fiseg"),
			 (unsigned long long)read_number(cli, "$fioff"));
	tl_screen_format(&cli->screen, "Operand Pointer:     0x%02llx:0x%08llx\n",
			 (unsigned long long)read_number(cli, "$foseg"),
			 (unsigned long long)read_number(cli, "$fooff"));
	tl_screen_format(&cli->screen, "Opcode:              0x%04llx\n",
			 (unsigned long long)(opcode != 0 ? opcode | 0xd800 : 0));
	return TL_OK;
}

const struct tl_command tl_commands_registers_info[] = {
	{.name = "registers",
	 .shorts = "r",
	 .arguments = "[NAMES | GROUPS]",
	 .summary = "List of integer registers and their contents, for selected stack frame",
	 .details = "Groups: general, float, vector, system, sse, all, save, restore.\n"
		    "Example: info registers rip rsp, info registers float",
	 .run = run_info_registers,
	 .complete = tl_complete_registers},
	{.name = "all-registers",
	 .arguments = "[NAMES | GROUPS]",
	 .summary = "List of all registers and their contents, for selected stack frame",
	 .details = "Example: info all-registers",
	 .run = run_info_registers,
	 .complete = tl_complete_registers},
	{.name = "float",
	 .summary = "Status of the floating point unit",
	 .details = "Its stack, and what its status and control words mean.\nExample: info float",
	 .run = run_info_float},
	{.name = "vector",
	 .summary = "The vector registers",
	 .details = "Each as wide as this processor has them.\nExample: info vector",
	 .run = run_info_vector},
	{0},
};

/*
 * Where a breakpoint at a function belongs, by gdb's rules (its symtab.c and the code for x86): behind the prologue as
 * the line table marks it, as the compiler's lines have it, or as the first instructions show it; and at the function's
 * first instruction where variables are right from there on, or where a person reads instructions anyway.
 */
#include "core/cpu/cpu.h"
#include "core/cursor.h"
#include "debugger/modules/modules_internal.h"
#include "symbols/calling_convention.h"

#include <elf.h>
#include <string.h>

/* What a look at a function's first instructions takes. */
#define PROLOGUE_BYTES 64

struct function {
	const struct tl_module *module;
	const struct tl_unit *unit;
	const struct tl_line_table *table;
	tl_u64 start, end; /* as linked */
};

static const struct tl_cpu *cpu_of(const struct tl_binary *binary)
{
	switch (tl_image_elf(binary->image)->machine) {
	case EM_X86_64:
		return &tl_cpu_x86_64;
	case EM_386:
		return &tl_cpu_i386;
	case EM_RISCV:
		return &tl_cpu_riscv64;
	case EM_AARCH64:
		return &tl_cpu_aarch64;
	default:
		return NULL;
	}
}

/* ============================================================ compilers ========================================== */

/*
 * "GNU C17 12.2.0 -O2 …": gcc, and whether it is version 4.5 or later. From then on a function's variables have right
 * locations from its first instruction on, if they have lists of them at all.
 */
static bool has_right_locations(const char *producer)
{
	struct tl_cursor cursor = tl_cursor_text(producer != NULL ? producer : "");
	tl_u64 major, minor;
	int next;

	if (!tl_cursor_accept_text(&cursor, "GNU "))
		return false;
	/* The name of the language, which may end in a number: a version begins with one. */
	while ((next = tl_cursor_peek(&cursor)) >= 0 && (next < '0' || next > '9'))
		(void)tl_cursor_until(&cursor, ' ');
	major = tl_cursor_decimal(&cursor);
	tl_cursor_expect(&cursor, '.');
	minor = tl_cursor_decimal(&cursor);
	return !cursor.failed && (major > 4 || (major == 4 && minor >= 5));
}

/* Compilers whose lines say where a prologue ends. That of a distribution that puts its name in front is not known. */
static bool has_lines_for_prologues(const char *producer)
{
	return producer != NULL && (strncmp(producer, "clang ", 6) == 0 || strncmp(producer, " F90 Flang ", 11) == 0);
}

static bool has_list(const struct tl_entry *entry)
{
	struct tl_attribute location;

	return (entry->tag == DW_TAG_variable || entry->tag == DW_TAG_formal_parameter) &&
	       tl_entry_attribute(entry, DW_AT_location, &location, NULL) == TL_OK &&
	       (location.kind == TL_CLASS_LIST || location.kind == TL_CLASS_LIST_INDEX);
}

/* Whether a variable of the unit has a list of locations. A unit of optimised code has one early on. */
static bool search_lists(const struct tl_unit *unit)
{
	struct tl_entry entry;
	bool done = false;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK)
		return false;
	while (!done) {
		if (has_list(&entry))
			return true;
		if (tl_entry_next(&entry, &entry, &done, NULL) != TL_OK)
			return false;
	}
	return false;
}

/* The same, remembered: the functions of a unit are asked for one after the other. */
static bool has_lists(struct unit_lists *known, const struct tl_unit *unit)
{
	bool some;

	for (unsigned i = 0; i < TL_COUNT(known->units); i++)
		if (known->units[i].unit == unit)
			return known->units[i].some;
	some = search_lists(unit);
	known->units[known->next].unit = unit;
	known->units[known->next].some = some;
	known->next = (known->next + 1) % TL_COUNT(known->units);
	return some;
}

/* ============================================================ lines ============================================== */

/* The row at an address, and where the next one begins. */
struct piece {
	const struct tl_line_row *row;
	tl_u64 end;
};

static struct piece piece_at(const struct tl_line_table *table, tl_u64 address)
{
	struct piece piece = {.row = tl_line_table_find(table, address)};

	if (piece.row != NULL)
		piece.end = tl_line_row_end(table, piece.row);
	return piece;
}

/* Two lines at the first instruction: the first is a prologue of no instructions. */
static bool is_doubled(const struct function *function, const struct tl_line_row *row)
{
	const struct tl_line_row *end = function->table->rows + function->table->row_count;
	unsigned count = 0;

	while (row > function->table->rows && row[-1].address == function->start)
		row--;
	for (; row < end && row->address == function->start && (row->flags & TL_LINE_END) == 0; row++)
		count += row->line != 0;
	return count > 1;
}

static bool is_inlined(const struct function *function, tl_u64 address)
{
	struct tl_scope_chain chain = {.count = 0};
	bool inlined = false;

	if (tl_scopes_at(function->module->binary->scopes, address, &chain, NULL) == TL_OK)
		for (tl_size i = 0; i < chain.count; i++)
			inlined = inlined || chain.scopes[i].kind == TL_SCOPE_INLINED;
	tl_scope_chain_release(&chain);
	return inlined;
}

/*
 * The end of the prologue by lines alone: that of the first line, and of those lower ones behind it that an optimiser
 * moved up there. 0: it cannot be told.
 */
static tl_u64 behind_first_line(const struct function *function)
{
	struct piece piece = piece_at(function->table, function->start);

	if (piece.row == NULL || piece.row->line == 0)
		return 0;
	if (is_doubled(function, piece.row))
		return function->start;
	if (piece.end >= function->end)
		return 0;
	while (piece.end < function->end) {
		struct piece next = piece_at(function->table, piece.end);

		if (next.row == NULL || next.row->line == 0 || next.row->line >= piece.row->line ||
		    next.row->file != piece.row->file || is_inlined(function, piece.end))
			break;
		piece = next;
	}
	return piece.end < function->end ? piece.end : piece.row->address;
}

/* Whether the table says where the prologue ends. Asked of a frame that is set up at the start, else nothing moves it.
 */
static bool marks_end(const struct function *function, tl_u64 *behind_ret)
{
	struct piece piece = piece_at(function->table, function->start);

	*behind_ret = tl_line_behind_prologue(function->table, function->start, function->end, function->start);
	return piece.row != NULL && piece.row->address == function->start && *behind_ret != function->start;
}

/* ============================================================ the place ========================================== */

/* The end of a function: by debug information, else by symbols. */
static tl_u64 function_end(const struct tl_binary *binary, tl_u64 address)
{
	struct tl_scope_chain chain = {.count = 0};
	struct tl_elf_name symbol;
	tl_u64 end = 0;

	if (tl_scopes_at(binary->scopes, address, &chain, NULL) == TL_OK && chain.count != 0)
		end = chain.scopes[chain.count - 1].end;
	tl_scope_chain_release(&chain);
	if (end == 0 && tl_elf_symbols_at(binary->symbols, address, &symbol, NULL) == TL_OK)
		end = symbol.address + symbol.size;
	return end > address ? end : address;
}

/* Where the first instructions have set up a frame, as linked; the start when they do not, or cannot be read. */
static tl_u64 behind_setup(const struct tl_modules *modules, const struct function *function)
{
	const struct tl_cpu *cpu = cpu_of(function->module->binary);
	tl_u64 size = function->end - function->start;
	tl_u8 bytes[PROLOGUE_BYTES];

	if (size == 0 || size > sizeof(bytes))
		size = sizeof(bytes);
	/* The last function of all has fewer bytes behind its start. */
	while (size > 0 &&
	       tl_modules_read(modules, function->start + function->module->bias, bytes, size, NULL) != TL_OK)
		size /= 2;
	return function->start + (cpu != NULL ? tl_frame_setup_size(cpu, bytes, (tl_size)size) : 0);
}

/* With lines. */
static tl_u64 behind_lines(const struct tl_modules *modules, const struct function *function)
{
	const char *producer = function->unit->producer;
	tl_u64 setup, behind;

	if (function->unit->language == DW_LANG_Mips_Assembler)
		return function->start;
	if (marks_end(function, &behind))
		return behind;
	if (has_right_locations(producer) && has_lists(modules->lists, function->unit))
		return function->start;
	/* For RISC-V gdb goes by lines whoever compiled it. */
	setup = has_lines_for_prologues(producer) || cpu_of(function->module->binary) == &tl_cpu_riscv64
			? behind_first_line(function)
			: 0;
	if (setup < function->start)
		setup = behind_setup(modules, function);
	return tl_line_behind_prologue(function->table, function->start, function->end, setup);
}

tl_u64 tl_modules_behind_prologue(const struct tl_modules *modules, tl_u64 start)
{
	struct function function = {.module = tl_modules_at(modules, start)};
	struct tl_binary *binary;

	if (function.module == NULL)
		return start;
	binary = function.module->binary;
	function.start = start - function.module->bias;
	function.end = function_end(binary, function.start);
	if (!tl_modules_find_table(binary, function.start, &function.unit, &function.table))
		return behind_setup(modules, &function) + function.module->bias;
	return behind_lines(modules, &function) + function.module->bias;
}

/*
 * Call frame information against libdw, row by row: `frames-referee [FILE…]`. Without files: this program, the C
 * library and the dynamic linker that it runs with.
 *
 * For every description of .eh_frame (and of .debug_frame) each of its rows is asked for at its first address, and
 * its extent, its CFA and its rules for all registers are compared. The two must also agree on how many descriptions
 * there are.
 */
#include "symbols/call_frames.h"
#include "tests/unit/sections.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGISTERS 17

struct file {
	const char *name;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *referee;
	struct tl_call_frames *frames;
	bool debug;
	unsigned long descriptions, rows, rules, unknown, wrong;
};

static void complain(struct file *file, tl_u64 address, const char *what)
{
	if (file->wrong++ < 20)
		printf("%s: 0x%llx: %s\n", file->name, (unsigned long long)address, what);
}

/* The same operation at the same place of the expression; `skip` operations of libdw's own stand in front. */
static bool same_expression(const struct tl_rule *rule, const Dwarf_Op *ops, size_t count, size_t skip)
{
	for (size_t i = skip; i < count; i++)
		if (ops[i].offset >= rule->size || rule->bytes[ops[i].offset] != ops[i].atom)
			return ops[i].atom == DW_OP_stack_value && i == count - 1;
	return count > skip;
}

static bool same_cfa(const struct tl_frame_row *row, const Dwarf_Op *ops, size_t count)
{
	if (row->cfa.kind == TL_RULE_VALUE_EXPRESSION)
		return same_expression(&row->cfa, ops, count, 0);
	if (count != 1 || row->cfa.kind != TL_RULE_REGISTER)
		return false;
	if (ops[0].atom == DW_OP_bregx)
		return ops[0].number == row->cfa_register && (tl_i64)ops[0].number2 == row->cfa.offset;
	return ops[0].atom - (unsigned)DW_OP_breg0 == row->cfa_register && (tl_i64)ops[0].number == row->cfa.offset;
}

/* CFA, or CFA plus something: the value of the register (`value`) or the address at which it is saved. */
static bool same_offset(tl_i64 offset, bool value, const Dwarf_Op *ops, size_t count)
{
	if (value && (count == 0 || ops[--count].atom != DW_OP_stack_value))
		return false;
	if (count == 0 || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (count == 1)
		return offset == 0;
	return count == 2 && ops[1].atom == DW_OP_plus_uconst && (tl_i64)ops[1].number == offset;
}

static bool same_rule(const struct tl_rule *rule, const Dwarf_Op *ops, const Dwarf_Op *own, size_t count)
{
	bool undefined = count == 0 && ops == own, same = count == 0 && ops == NULL;

	switch ((enum tl_rule_kind)rule->kind) {
	case TL_RULE_UNSPECIFIED: /* libdw puts the calling convention in: the stack pointer becomes the CFA */
		return undefined || same || same_offset(0, true, ops, count);
	case TL_RULE_UNDEFINED:
		return undefined;
	case TL_RULE_SAME:
		return same;
	case TL_RULE_OFFSET:
		return same_offset(rule->offset, false, ops, count);
	case TL_RULE_VALUE_OFFSET:
		return same_offset(rule->offset, true, ops, count);
	case TL_RULE_REGISTER:
		return count == 1 && (ops[0].atom == DW_OP_regx ? (tl_i64)ops[0].number == rule->offset
								: ops[0].atom - DW_OP_reg0 == rule->offset);
	case TL_RULE_EXPRESSION:
		return count > 1 && ops[0].atom == DW_OP_call_frame_cfa && same_expression(rule, ops, count, 1);
	case TL_RULE_VALUE_EXPRESSION:
		return count > 1 && ops[0].atom == DW_OP_call_frame_cfa && ops[count - 1].atom == DW_OP_stack_value &&
		       same_expression(rule, ops, count, 1);
	}
	return false;
}

static void compare_rules(struct file *file, tl_u64 address, const struct tl_frame_row *row, Dwarf_Frame *frame)
{
	static const struct tl_rule unspecified = {.kind = TL_RULE_UNSPECIFIED};

	for (unsigned i = 0; i < REGISTERS; i++) {
		const struct tl_rule *rule = i < row->rule_count ? &row->rules[i] : &unspecified;
		Dwarf_Op own[3], *ops;
		size_t count;

		if (dwarf_frame_register(frame, (int)i, own, &ops, &count) != 0)
			complain(file, address, dwarf_errmsg(-1));
		else if (!same_rule(rule, ops, own, count))
			complain(file, address, "a rule differs");
		file->rules++;
	}
}

/* Compares the row that begins at `address`; the address behind it, 0 when there is no going on. */
static tl_u64 compare_row(struct file *file, tl_u64 address)
{
	struct tl_frame_row row;
	struct tl_error error;
	Dwarf_Frame *frame;
	Dwarf_Addr start, end;
	Dwarf_Op *ops;
	size_t count;
	bool signal;
	int return_register;

	if (tl_call_frames_row(file->frames, address, &row, &error) != TL_OK) {
		complain(file, address, error.text);
		return 0;
	}
	if (row.from_debug_frame != file->debug)
		return row.end;
	if (dwarf_cfi_addrframe(file->referee, address, &frame) != 0) {
		file->unknown++;
		return row.end;
	}
	return_register = dwarf_frame_info(frame, &start, &end, &signal);
	/* Rows are asked for where they begin. What libdw says of that goes back with DW_CFA_restore_state. */
	if (row.start != address || start > address || end != row.end)
		complain(file, address, "the row's extent differs");
	if ((tl_u64)return_register != row.return_register || signal != row.signal_frame)
		complain(file, address, "the return register or the signal flag differs");
	if (dwarf_frame_cfa(frame, &ops, &count) != 0 || !same_cfa(&row, ops, count))
		complain(file, address, "the CFA differs");
	compare_rules(file, address, &row, frame);
	free(frame);
	file->rows++;
	return row.end > address ? row.end : 0;
}

static bool compare_range(void *context, tl_u64 start, tl_u64 end)
{
	struct file *file = context;

	file->descriptions++;
	while (start != 0 && start < end)
		start = compare_row(file, start);
	return true;
}

/* How many descriptions libdw finds in a section. */
static unsigned long count_descriptions(Elf *elf, const char *name, bool eh)
{
	struct tl_section_bytes bytes = section_of(elf, name);
	Elf_Data data = {.d_size = bytes.size, .d_type = ELF_T_BYTE};
	const unsigned char *ident = (const unsigned char *)elf_getident(elf, NULL);
	unsigned long count = 0;
	Dwarf_Off offset = 0;
	Dwarf_CFI_Entry entry;

	if (bytes.size == 0)
		return 0;
	data.d_buf = (void *)(uintptr_t)bytes.bytes;
	while (dwarf_next_cfi(ident, &data, eh, offset, &offset, &entry) == 0 && offset != (Dwarf_Off)-1)
		count += entry.CIE_id != DW_CIE_ID_64;
	return count;
}

static bool compare_section(struct file *file, bool debug, bool with_header)
{
	const char *name = debug ? ".debug_frame" : ".eh_frame";
	struct tl_section_bytes bytes = section_of(file->elf, name);
	struct tl_frame_sections sections = {.address_size = 8, .machine = EM_X86_64};
	unsigned long wanted = count_descriptions(file->elf, name, !debug), before = file->wrong;
	struct tl_error error;

	if (bytes.size == 0)
		return false;
	*(debug ? &sections.debug_frame : &sections.eh_frame) = bytes;
	if (with_header)
		sections.eh_frame_header = section_of(file->elf, ".eh_frame_hdr");
	file->debug = debug;
	file->referee = debug ? dwarf_getcfi(file->dwarf) : dwarf_getcfi_elf(file->elf);
	if (file->referee == NULL || tl_call_frames_open_sections(&file->frames, &sections, &error) != TL_OK)
		return false;
	file->descriptions = file->rows = file->rules = file->unknown = 0;
	tl_call_frames_each(file->frames, compare_range, file);
	tl_call_frames_close(file->frames);
	if (!debug)
		dwarf_cfi_end(file->referee);
	if (file->descriptions != wanted)
		complain(file, wanted, "so many descriptions are there, and another number was found");
	printf("%s: %s%s: %lu descriptions, %lu rows, %lu rules, %lu rows unknown to libdw, %lu differences\n",
	       file->name, name, with_header ? " with its table" : "", file->descriptions, file->rows, file->rules,
	       file->unknown, file->wrong - before);
	return file->rows != 0;
}

static bool compare_file(const char *name)
{
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);
	struct file file = {.name = name};
	bool compared = false;

	if (descriptor >= 0)
		file.elf = elf_begin(descriptor, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (file.elf == NULL) {
		printf("%s: cannot be read\n", name);
		return false;
	}
	file.dwarf = dwarf_begin_elf(file.elf, DWARF_C_READ, NULL);
	compared |= compare_section(&file, false, false);
	compared |= compare_section(&file, false, true);
	if (file.dwarf != NULL)
		compared |= compare_section(&file, true, false);
	dwarf_end(file.dwarf);
	elf_end(file.elf);
	close(descriptor);
	if (!compared)
		printf("%s: nothing was compared\n", name);
	return compared && file.wrong == 0;
}

static int compare_loaded(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *name = info->dlpi_name[0] != '\0' ? info->dlpi_name : "/proc/self/exe";

	(void)size;
	if (access(name, R_OK) == 0 && !compare_file(name))
		*(bool *)context = false;
	return 0;
}

int main(int count, char **names)
{
	bool good = true;

	elf_version(EV_CURRENT);
	if (count == 1)
		dl_iterate_phdr(compare_loaded, &good);
	for (int i = 1; i < count; i++)
		good &= compare_file(names[i]);
	return !good;
}

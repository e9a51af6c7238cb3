#include "targets/kvm/monitor.h"

#include "core/cpu/x86_gate.h"
#include "core/cpu/x86_layout.h"
#include "targets/kvm/kaslr.h"
#include "targets/kvm/registers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MSR_LSTAR 0xc0000082u
#define VECTOR_PAGE 14

/* A command on its way. */
struct look {
	const struct tl_kvm_view *view;
	const char *words; /* behind the command's name */
	struct tl_writer *output;
	struct kvm_regs general;
	struct kvm_sregs system;
};

static void print(struct tl_writer *output, const char *format, ...) TL_PRINTF(2, 3);

static void print(struct tl_writer *output, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tl_write_text(output, text);
}

static int descriptor(const struct look *look)
{
	return look->view->vm->cpus[look->view->number].descriptor;
}

static bool read_physical(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	const struct look *look = context;
	const tl_u8 *bytes;

	if (look->view->read != NULL)
		return look->view->read(look->view->context, physical, buffer, size);
	bytes = tl_kvm_memory_at(&look->view->vm->memory, physical, size);
	if (bytes == NULL)
		return false;
	memcpy(buffer, bytes, size);
	return true;
}

/* A number at the start of `words`, which go on behind it. */
static bool take_number(const char **words, tl_u64 *number_ret)
{
	char *end;

	*number_ret = strtoull(*words, &end, 0);
	if (end == *words || (*end != '\0' && *end != ' '))
		return false;
	*words = end + strspn(end, " ");
	return true;
}

static enum tl_status usage(const struct look *look, const char *text)
{
	print(look->output, "%s\n", text);
	return TL_ERROR_ARGUMENT;
}

/* ---- The vCPU ---- */

static const char *mode_name(const tl_u8 *file)
{
	bool paging = (tl_load_little(file + TL_X86_AT_CR0, 8) & TL_X86_CR0_PG) != 0;

	if (tl_x86_real_segments(file))
		return (tl_load_little(file + TL_X86_AT_CR0, 8) & TL_X86_CR0_PE) == 0 ? "real mode"
										      : "virtual 8086 mode";
	switch (tl_x86_mode_of(file)) {
	case TL_X86_MODE_64:
		return "64-bit mode";
	case TL_X86_MODE_32:
		return paging ? "32-bit mode" : "32-bit mode without paging";
	case TL_X86_MODE_16:
		break;
	}
	return "16-bit protected mode";
}

/* KVM's names of what a vCPU is up to. */
static const char *state_name(tl_u32 state)
{
	switch (state) {
	case KVM_MP_STATE_RUNNABLE:
		return "runs";
	case KVM_MP_STATE_UNINITIALIZED:
		return "waits for INIT";
	case KVM_MP_STATE_INIT_RECEIVED:
		return "waits for SIPI";
	case KVM_MP_STATE_HALTED:
		return "halted until an interrupt comes";
	case KVM_MP_STATE_SIPI_RECEIVED:
		return "is about to start";
	default:
		return "is in a state without a name";
	}
}

static enum tl_status info_vcpu(struct look *look)
{
	tl_u8 file[TL_X86_FILE_SIZE] = {0};
	struct kvm_vcpu_events events;
	struct kvm_mp_state state = {0};

	memset(&events, 0, sizeof(events));
	tl_kvm_general_to_file(&look->general, &look->system, file);
	tl_kvm_system_to_file(&look->system, file);
	print(look->output, "vCPU %u: 0x%llx, %s, level %u, interrupts %s\n", look->view->number,
	      (unsigned long long)tl_kvm_linear_pc(&look->general, &look->system), mode_name(file),
	      tl_x86_privilege(file), (look->general.rflags & TL_X86_FLAG_IF) != 0 ? "on" : "off");
	print(look->output, "  cr0 0x%llx cr3 0x%llx cr4 0x%llx efer 0x%llx\n", look->system.cr0, look->system.cr3,
	      look->system.cr4, look->system.efer);
	if (TL_KVM_CALL(look->view->vm->calls, descriptor(look), KVM_GET_MP_STATE, &state, NULL) == TL_OK)
		print(look->output, "  %s\n", state_name(state.mp_state));
	if (TL_KVM_CALL(look->view->vm->calls, descriptor(look), KVM_GET_VCPU_EVENTS, &events, NULL) != TL_OK)
		return TL_OK;
	if (events.exception.injected != 0)
		print(look->output, "  exception %u is due to it\n", events.exception.nr);
	if (events.interrupt.injected != 0)
		print(look->output, "  interrupt 0x%x is on its way\n", events.interrupt.nr);
	if (events.interrupt.shadow != 0)
		print(look->output, "  interrupts are held back for one instruction\n");
	if (events.nmi.masked != 0 || events.nmi.pending != 0)
		print(look->output, "  NMI:%s%s\n", events.nmi.pending != 0 ? " pending" : "",
		      events.nmi.masked != 0 ? " masked" : "");
	return TL_OK;
}

/* ---- Memory ---- */

static enum tl_status walk(struct look *look)
{
	struct tl_page_tables tables = tl_page_tables_of(&look->system);
	struct tl_page_walk found;
	enum tl_status status;
	tl_u64 address, root;

	if (!take_number(&look->words, &address))
		return usage(look, "Which address? monitor walk ADDRESS [CR3]");
	if (*look->words != '\0') {
		if (!take_number(&look->words, &root) || *look->words != '\0')
			return usage(look, "The root is a number: monitor walk ADDRESS [CR3]");
		tables.cr3 = root;
	}
	status = tl_page_walk(&tables, read_physical, look, address, &found);
	tl_page_walk_tell(&tables, address, status, &found, look->output);
	return TL_OK;
}

#define STRETCHES_MAX 64
#define WALKS_MAX 1000000

static enum tl_status info_mem(struct look *look)
{
	struct tl_page_tables tables = tl_page_tables_of(&look->system);
	tl_u64 at = 0, start, size;
	struct tl_page_walk found;
	tl_size budget = WALKS_MAX;
	int count = 0;

	if (*look->words != '\0' && (!take_number(&look->words, &at) || *look->words != '\0'))
		return usage(look, "From which address on? monitor info mem [ADDRESS]");
	if (tables.levels == 0) {
		print(look->output, "paging is off: addresses are physical ones\n");
		return TL_OK;
	}
	while (count++ < STRETCHES_MAX &&
	       tl_page_walk_next(&tables, read_physical, look, at, TL_U64_MAX, &budget, &start, &size, &found)) {
		print(look->output, "0x%016llx..0x%016llx %c%c%c\n", (unsigned long long)start,
		      (unsigned long long)start + (size - 1), found.user ? 'u' : '-', found.writable ? 'w' : 'r',
		      found.executable ? 'x' : '-');
		at = start + size;
		if (at == 0)
			return TL_OK;
	}
	if (count > STRETCHES_MAX || budget == 0)
		print(look->output, "and more: monitor info mem 0x%llx goes on\n", (unsigned long long)at);
	return TL_OK;
}

#define DUMP_MAX 1024
#define DUMP_ROW 16

static enum tl_status dump(struct look *look)
{
	tl_u64 address, size = 64;
	tl_u8 bytes[DUMP_ROW];

	if (!take_number(&look->words, &address) || (*look->words != '\0' && !take_number(&look->words, &size)) ||
	    *look->words != '\0' || size == 0 || size > DUMP_MAX)
		return usage(look, "The command wants a physical address, and how many bytes, at most 1024: "
				   "monitor xp ADDRESS [SIZE]");
	for (tl_u64 done = 0; done < size; done += DUMP_ROW) {
		tl_size row = size - done < DUMP_ROW ? (tl_size)(size - done) : DUMP_ROW;

		print(look->output, "%012llx:", (unsigned long long)address + done);
		if (!read_physical(look, address + done, bytes, row)) {
			print(look->output, " no memory\n");
			break;
		}
		for (tl_size i = 0; i < row; i++)
			print(look->output, " %02x", bytes[i]);
		print(look->output, "\n");
	}
	return TL_OK;
}

/* ---- Interrupts ---- */

static enum tl_status read_linear(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct look *look = context;
	struct tl_page_tables tables = tl_page_tables_of(&look->system);
	tl_u8 *to = buffer;
	struct tl_page_walk found;

	for (tl_size done = 0; done < size; done++) {
		TL_TRY(tl_page_walk(&tables, read_physical, look, address + done, &found));
		if (!read_physical(look, found.physical, to + done, 1))
			return TL_ERROR_MEMORY;
	}
	return TL_OK;
}

static enum tl_status info_idt(struct look *look)
{
	const struct tl_memory_access memory = {.read = read_linear, .context = look};
	tl_u8 file[TL_X86_FILE_SIZE] = {0};
	struct tl_x86_gate gate;
	tl_u64 first = 0, last = 255;
	int count = 0;

	if (*look->words != '\0') {
		if (!take_number(&look->words, &first) || first > 255 || *look->words != '\0')
			return usage(look, "Which vector, from 0 to 255? monitor info idt [VECTOR]");
		last = first;
	}
	tl_kvm_general_to_file(&look->general, &look->system, file);
	tl_kvm_system_to_file(&look->system, file);
	for (tl_u64 vector = first; vector <= last; vector++) {
		if (tl_x86_gate_read(file, &memory, (tl_u8)vector, &gate) != TL_OK)
			continue;
		count++;
		print(look->output, "%3llu 0x%llx%s\n", (unsigned long long)vector, (unsigned long long)gate.address,
		      gate.keeps_flags ? " (trap)" : "");
	}
	if (count == 0)
		print(look->output, "no gate can be read\n");
	return TL_OK;
}

/* ---- The kernel ---- */

static enum tl_status kaslr(struct look *look)
{
	const struct tl_page_tables tables = tl_page_tables_of(&look->system);
	tl_u64 candidates[3] = {tl_kvm_linear_pc(&look->general, &look->system)};
	const struct tl_memory_access memory = {.read = read_linear, .context = look};
	tl_u8 file[TL_X86_FILE_SIZE] = {0};
	struct tl_kaslr_place place;
	struct tl_x86_gate gate;

	/* From a module, or a program that sees all of the kernel: the entry of system calls, or of page faults. */
	(void)!tl_kvm_msr_get(look->view->vm->calls, descriptor(look), MSR_LSTAR, &candidates[1]);
	tl_kvm_system_to_file(&look->system, file);
	if (tl_x86_gate_read(file, &memory, VECTOR_PAGE, &gate) == TL_OK)
		candidates[2] = gate.address;
	for (tl_size i = 0; i < TL_COUNT(candidates); i++) {
		if (tl_kaslr_find(&tables, read_physical, look, candidates[i], &place) != TL_OK)
			continue;
		tl_kaslr_tell(&place, 0, *look->words != '\0' ? look->words : NULL, look->output);
		return TL_OK;
	}
	print(look->output,
	      "This vCPU sees no Linux kernel at its final place: let it run on, or ask when it is in the "
	      "kernel.\n");
	return TL_OK;
}

/* ---- The machine ---- */

static void list_bus(const struct tl_bus *bus, const char *what, struct tl_writer *output)
{
	for (tl_u32 i = 0; bus != NULL && i < bus->count; i++)
		print(output, "%s 0x%llx..0x%llx %s\n", what, (unsigned long long)bus->regions[i].start,
		      (unsigned long long)bus->regions[i].start + (bus->regions[i].size - 1), bus->regions[i].name);
}

static const char *access_name(enum tl_kvm_access access)
{
	switch (access) {
	case TL_KVM_ACCESS_ALL:
		return "";
	case TL_KVM_ACCESS_READ:
		return ", writes come out (watched)";
	case TL_KVM_ACCESS_NOTHING:
		break;
	}
	return ", all accesses come out (watched)";
}

static enum tl_status info_devices(struct look *look)
{
	const struct tl_kvm_memory *memory = &look->view->vm->memory;

	for (tl_u32 i = 0; i < memory->count; i++)
		print(look->output, "memory 0x%llx..0x%llx%s\n", (unsigned long long)memory->pieces[i].start,
		      (unsigned long long)memory->pieces[i].start + (memory->pieces[i].size - 1),
		      access_name(memory->pieces[i].access));
	list_bus(look->view->space, "device", look->output);
	list_bus(look->view->ports, "ports ", look->output);
	return TL_OK;
}

static void tell_line(void *context, const char *line)
{
	print(context, "%s\n", line);
}

static enum tl_status capabilities(struct look *look)
{
	tl_size before = tl_writer_size(look->output);

	tl_kvm_capabilities_tell(&look->view->vm->capabilities, tell_line, look->output);
	if (tl_writer_size(look->output) == before)
		print(look->output, "The host's KVM has all that is used.\n");
	return TL_OK;
}

/* ---- Which is meant ---- */

static const struct command {
	const char *name, *help;
	enum tl_status (*run)(struct look *look);
} commands[] = {
	{"info vcpu", "  the vCPU: where, in which mode, what is due to it", info_vcpu},
	{"info mem", "[ADDRESS]  what is mapped, with its permissions", info_mem},
	{"info idt", "[VECTOR]  where interrupts and exceptions lead", info_idt},
	{"info devices", "  memory and devices, and where they are", info_devices},
	{"walk", "ADDRESS [CR3]  the way of an address through the page tables", walk},
	{"xp", "ADDRESS [SIZE]  physical memory, in bytes", dump},
	{"kaslr", "[FILE]  where the Linux kernel runs, and gdb's line for it", kaslr},
	{"capabilities", "  what the host's KVM lacks", capabilities},
};

void tl_kvm_monitor_help(struct tl_writer *output)
{
	for (tl_size i = 0; i < TL_COUNT(commands); i++)
		print(output, "  %s %s\n", commands[i].name, commands[i].help);
}

enum tl_status tl_kvm_monitor_look(const struct tl_kvm_view *view, const char *command, struct tl_writer *output)
{
	struct look look = {.view = view, .output = output};

	for (tl_size i = 0; i < TL_COUNT(commands); i++) {
		tl_size size = strlen(commands[i].name);

		if (strncmp(command, commands[i].name, size) != 0 || (command[size] != ' ' && command[size] != '\0'))
			continue;
		look.words = command + size + strspn(command + size, " ");
		memset(&look.system, 0, sizeof(look.system));
		TL_TRY(TL_KVM_CALL(view->vm->calls, descriptor(&look), KVM_GET_REGS, &look.general, NULL));
		TL_TRY(TL_KVM_CALL(view->vm->calls, descriptor(&look), KVM_GET_SREGS, &look.system, NULL));
		return commands[i].run(&look);
	}
	return TL_ERROR_UNSUPPORTED;
}

/*
 * The decoder against capstone, over every instruction of the libraries that this machine has (the C library's, the
 * mathematical one's, with all the variants for newer processors that they bring): the same length, the same targets of
 * jumps and calls, and for each access to memory: told afterwards, as a debug register would have it, it is the one
 * that capstone says, and not another because of what stands before it in the real code.
 *
 *     x86-corpus [FILE]...
 */
#include "base/elf.h"
#include "base/error.h"
#include "base/storage.h"
#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"

#include <capstone/capstone.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static csh handle;
static cs_insn *theirs;
static tl_u8 file[TL_X86_FILE_SIZE];
static unsigned long long instructions, unknown, flows, accesses, told, shown;
static unsigned long long wrong_length, wrong_flow, wrong_access;

static void complain(const char *what, unsigned long long wanted, unsigned long long found)
{
	static unsigned char said[X86_INS_ENDING];

	/* Once for an instruction; all of them are counted. */
	if (said[theirs->id]++ != 0 || shown++ >= 60)
		return;
	printf("%s: %s %s at 0x%llx:", what, theirs->mnemonic, theirs->op_str, (unsigned long long)theirs->address);
	for (unsigned i = 0; i < theirs->size; i++)
		printf(" %02x", theirs->bytes[i]);
	printf(": 0x%llx wanted, 0x%llx found\n", wanted, found);
}

/* ---- Registers ---- */

static const struct {
	x86_reg name;
	const char *wide;
} general[] = {
	{X86_REG_RAX, "rax"}, {X86_REG_RBX, "rbx"}, {X86_REG_RCX, "rcx"}, {X86_REG_RDX, "rdx"},
	{X86_REG_RSI, "rsi"}, {X86_REG_RDI, "rdi"}, {X86_REG_RBP, "rbp"}, {X86_REG_RSP, "rsp"},
	{X86_REG_R8, "r8"},   {X86_REG_R9, "r9"},   {X86_REG_R10, "r10"}, {X86_REG_R11, "r11"},
	{X86_REG_R12, "r12"}, {X86_REG_R13, "r13"}, {X86_REG_R14, "r14"}, {X86_REG_R15, "r15"},
};

/* Numbers that are far from one another, so that no address is another's by chance. */
static void fill_registers(void)
{
	tl_u64 value = 0x100000000000;
	tl_u16 index;

	for (size_t i = 0; i < TL_COUNT(general); i++, value += 0x100000100000)
		if (tl_cpu_find(&tl_cpu_x86_64, general[i].wide, &index) == TL_OK)
			tl_cpu_set(&tl_cpu_x86_64, file, index, value);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_FS_BASE, 0x500000000);
}

static bool value_of(x86_reg name, tl_u64 *value_ret)
{
	tl_u16 index;

	for (size_t i = 0; i < TL_COUNT(general); i++) {
		if (general[i].name != name || tl_cpu_find(&tl_cpu_x86_64, general[i].wide, &index) != TL_OK)
			continue;
		*value_ret = tl_cpu_get(&tl_cpu_x86_64, file, index);
		return true;
	}
	if (name == X86_REG_INVALID || name == X86_REG_RIZ)
		*value_ret = 0;
	else if (name == X86_REG_RIP)
		*value_ret = theirs->address + theirs->size;
	else
		return false;
	return true;
}

/* ---- Flow ---- */

static enum tl_status read_nothing(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static enum tl_status write_nothing(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static bool is_next(tl_u8 flow)
{
	return flow == TL_FLOW_NEXT || flow == TL_FLOW_REPEAT || flow == TL_FLOW_SYSCALL;
}

/* A jump or call to a place that stands in the instruction leads there, or on where it has a condition. */
static void compare_flow(const struct tl_instruction *ours)
{
	const struct tl_memory_access none = {read_nothing, write_nothing, NULL};
	const cs_x86_op *operand = &theirs->detail->x86.operands[0];
	bool jump = cs_insn_group(handle, theirs, CS_GRP_JUMP), call = cs_insn_group(handle, theirs, CS_GRP_CALL);
	bool back = cs_insn_group(handle, theirs, CS_GRP_RET);
	tl_u64 places[TL_SUCCESSORS_MAX];
	tl_size count = 0;
	bool found = false;

	if (ours->flow != TL_FLOW_SPECIAL && is_next(ours->flow) == (jump || call || back)) {
		wrong_flow++;
		complain("flow", jump || call || back, ours->flow);
	}
	if (!(jump || call) || operand->type != X86_OP_IMM)
		return;
	flows++;
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RIP, theirs->address);
	/* Every flag set, then none: one of the two takes the branch. */
	for (unsigned flags = 0; flags < 2; flags++) {
		tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_EFLAGS, flags != 0 ? 0xcd5 : 0);
		if (ours->flow != TL_FLOW_SPECIAL &&
		    tl_cpu_x86_64.successors(file, theirs->bytes, theirs->size, &none, places, &count) != TL_OK)
			count = 0;
		for (tl_size i = 0; i < count; i++)
			found |= places[i] == (tl_u64)operand->imm;
	}
	/* jg and jle want flags that are neither all set nor all clear. */
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_EFLAGS, 0x80);
	if (tl_cpu_x86_64.successors(file, theirs->bytes, theirs->size, &none, places, &count) == TL_OK)
		for (tl_size i = 0; i < count; i++)
			found |= places[i] == (tl_u64)operand->imm;
	if (!found && ours->flow != TL_FLOW_SPECIAL) {
		wrong_flow++;
		complain("target", (tl_u64)operand->imm, places[0]);
	}
}

/* ---- Accesses ---- */

/* A register that makes the address is written by the same instruction: then it cannot be told afterwards. */
static bool overwritten(const x86_op_mem *memory)
{
	cs_regs reads, writes;
	uint8_t read_count, write_count;
	const char *names[2] = {memory->base != X86_REG_INVALID ? cs_reg_name(handle, memory->base) : "",
				memory->index != X86_REG_INVALID ? cs_reg_name(handle, memory->index) : ""};

	if (cs_regs_access(handle, theirs, reads, &read_count, writes, &write_count) != CS_ERR_OK)
		return true;
	for (uint8_t i = 0; i < write_count; i++) {
		const char *name = cs_reg_name(handle, writes[i]);
		size_t length = strlen(name);

		/* eax, ax and al are parts of rax, and r8d of r8: the letters that count are the same. */
		for (int n = 0; n < 2; n++) {
			if (names[n][0] == '\0')
				continue;
			if (strcmp(name, names[n]) == 0 ||
			    strstr(names[n], name + (name[0] == 'e' || name[0] == 'r')) ||
			    (length > 1 && name[0] == names[n][1]))
				return true;
		}
	}
	return false;
}

/* Hints, and addresses that are none. */
static bool no_access(void)
{
	switch ((int)theirs->id) {
	case X86_INS_LEA:
	case X86_INS_NOP:
	case X86_INS_PREFETCH:
	case X86_INS_PREFETCHNTA:
	case X86_INS_PREFETCHT0:
	case X86_INS_PREFETCHT1:
	case X86_INS_PREFETCHT2:
	case X86_INS_PREFETCHW:
	case X86_INS_CLFLUSH:
		return true;
	default:
		return false;
	}
}

/* Of a vector, x87 or system register into memory. */
static bool is_store(const cs_x86_op *operand)
{
	const cs_x86 *detail = &theirs->detail->x86;

	if (operand != &detail->operands[0])
		return false;
	if (detail->op_count > 1)
		return strncmp(theirs->mnemonic, "mov", 3) == 0 || strncmp(theirs->mnemonic, "vmov", 4) == 0 ||
		       strncmp(theirs->mnemonic, "vextract", 8) == 0;
	return strncmp(theirs->mnemonic, "set", 3) == 0 || strncmp(theirs->mnemonic, "fst", 3) == 0 ||
	       strncmp(theirs->mnemonic, "fist", 4) == 0 || strncmp(theirs->mnemonic, "fnst", 4) == 0 ||
	       strstr(theirs->mnemonic, "stmxcsr") != NULL;
}

/*
 * What the manuals say where capstone 4.0's tables are wrong: the destination of most stores is "read" in them, that of
 * cmpxchg too, and test "writes". Zydis agrees with us about all of them (x86-referee).
 */
static unsigned access_of(const cs_x86_op *operand)
{
	if (theirs->id == X86_INS_TEST)
		return TL_ACCESS_READ;
	if (theirs->id == X86_INS_CMPXCHG)
		return TL_ACCESS_BOTH;
	if (is_store(operand))
		return TL_ACCESS_WRITE;
	return (operand->access & CS_AC_READ ? TL_ACCESS_READ : 0u) |
	       (operand->access & CS_AC_WRITE ? TL_ACCESS_WRITE : 0u);
}

/* `before` holds what stands in the file before the end of the instruction. */
static void compare_access(const cs_x86_op *operand, const tl_u8 *before)
{
	tl_u64 base = 0, index = 0, address;
	unsigned wanted = access_of(operand);
	enum tl_access found;

	if (wanted == 0 || operand->size == 0 || no_access() || overwritten(&operand->mem) ||
	    !value_of(operand->mem.base, &base) || !value_of(operand->mem.index, &index))
		return;
	address = base + index * (tl_u64)operand->mem.scale + (tl_u64)operand->mem.disp;
	if (operand->mem.segment == X86_REG_FS)
		address += 0x500000000;
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RIP, theirs->address + theirs->size);
	/* Its first byte, and its last: where it may look like another. */
	for (unsigned end = 0; end < 2; end++) {
		accesses++;
		found = tl_cpu_x86_64.last_access(file, before, TL_ACCESS_CONTEXT,
						  address + (end != 0 ? operand->size - 1u : 0), 1);
		if (found == TL_ACCESS_NONE)
			continue;
		told++;
		if (found == (enum tl_access)wanted)
			continue;
		wrong_access++;
		complain("access", wanted, found);
	}
}

/* ---- Files ---- */

static tl_u8 *code;
static tl_size code_size;
static tl_u64 code_address;

static bool read_code(const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct tl_error error = {0};
	struct tl_elf elf;
	bool good = false;

	if (descriptor < 0 || tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &error) != TL_OK) {
		printf("%s cannot be read: %s\n", path, error.text);
		return false;
	}
	code_size = 0;
	for (tl_u32 i = 0; i < elf.section_count; i++) {
		struct tl_elf_section section;

		/* The largest one with instructions in it: .text. */
		if (tl_elf_section(&elf, i, &section, &error) != TL_OK || (section.flags & 4) == 0 ||
		    section.type != 1 || section.size <= code_size)
			continue;
		free(code);
		code = malloc(section.size);
		if (code == NULL)
			break;
		code_size = section.size;
		code_address = section.address;
		good = tl_elf_read_descriptor(&descriptor, section.offset, code, section.size) == TL_OK;
	}
	close(descriptor);
	return good;
}

static void compare(tl_size at, const struct tl_instruction *ours)
{
	tl_u8 before[TL_ACCESS_CONTEXT];
	const cs_x86 *detail = &theirs->detail->x86;

	if (ours->length != theirs->size) {
		wrong_length++;
		complain("length", theirs->size, ours->length);
		return;
	}
	compare_flow(ours);
	if (at + ours->length < sizeof(before))
		return;
	memcpy(before, code + at + ours->length - sizeof(before), sizeof(before));
	for (uint8_t i = 0; i < detail->op_count && is_next(ours->flow) && ours->flow == TL_FLOW_NEXT; i++)
		if (detail->operands[i].type == X86_OP_MEM)
			compare_access(&detail->operands[i], before);
}

static void sweep(void)
{
	for (tl_size at = 0; at < code_size;) {
		struct tl_instruction ours;
		const uint8_t *bytes = code + at;
		size_t left = code_size - at;
		uint64_t address = code_address + at;
		bool we = tl_cpu_x86_64.decode(bytes, left < 15 ? left : 15, &ours) == TL_OK;

		instructions++;
		if (cs_disasm_iter(handle, &bytes, &left, &address, theirs)) {
			if (we) {
				compare(at, &ours);
			} else {
				wrong_length++;
				complain("not known", theirs->size, 0);
			}
			at += theirs->size;
		} else {
			unknown++;
			at += we ? ours.length : 1;
		}
	}
}

int main(int count, char **arguments)
{
	static const char *const usual[] = {"/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libm.so.6"};
	int read = 0;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK)
		return 1;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	theirs = cs_malloc(handle);
	fill_registers();
	for (int i = 1; i < count || (count == 1 && i <= (int)TL_COUNT(usual)); i++) {
		if (!read_code(count > 1 ? arguments[i] : usual[i - 1]))
			continue;
		read++;
		sweep();
	}
	printf("%llu instructions, %llu unknown to capstone, %llu jumps and calls, %llu accesses of which %llu are "
	       "told\n"
	       "%llu of another length, %llu of another flow, %llu accesses that are others\n",
	       instructions, unknown, flows, accesses, told, wrong_length, wrong_flow, wrong_access);
	cs_free(theirs, 1);
	cs_close(&handle);
	free(code);
	if (read == 0)
		return 77;
	if (told * 1000 < accesses * 995) {
		printf("fewer than 99.5%% of all accesses are told\n");
		return 1;
	}
	return wrong_length + wrong_flow + wrong_access != 0;
}

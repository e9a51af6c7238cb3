/*
 * Carrying out and relocating against the processor that runs the test: a child executes random instructions one
 * single-step at a time; the same instruction is carried out by the core on a copy of its registers and memory, and
 * both must agree in every register, every defined flag and every byte. Copies are stepped through in the child
 * likewise.
 *
 *     x86-native [--long] [SEED]
 *
 * A third of the instructions run in 32-bit mode, into which the child is put by its code segment.
 *
 * The child shares three pages with the test: code, data (the stack is in it) and copies, mapped at the same addresses,
 * so that nothing but the registers goes through ptrace.
 */
#include "core/cpu/cpu.h"
#include "core/cpu/x86_decode.h"
#include "core/cpu/x86_layout.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define CODE ((tl_u64)0x10000000)
#define DATA ((tl_u64)0x10010000)
#define COPY ((tl_u64)0x10100000)

static tl_u8 before[PAGE], mine[PAGE];
static unsigned long long state;
static unsigned long long carried, copied, skipped, faults, wrong, kinds[512];
static pid_t child;
static const struct tl_cpu *cpu;
static bool wide;

static tl_u64 random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static tl_u8 *page(tl_u64 address)
{
	return (tl_u8 *)(tl_uintptr)address;
}

static void map(tl_u64 address)
{
	if (mmap(page(address), PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		die("mmap");
}

static void start_child(void)
{
	map(CODE);
	map(DATA);
	map(COPY);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		die("waitpid");
}

static enum tl_status read_mine(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (address < DATA || address - DATA > PAGE - size) {
		if (address < CODE || address - CODE > PAGE - size)
			return TL_ERROR_MEMORY;
		memcpy(buffer, page(address), size);
		return TL_OK;
	}
	memcpy(buffer, mine + (address - DATA), size);
	return TL_OK;
}

static enum tl_status write_mine(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context;
	if (address < DATA || address - DATA > PAGE - size)
		return TL_ERROR_MEMORY;
	memcpy(mine + (address - DATA), buffer, size);
	return TL_OK;
}

static const struct tl_memory_access memory = {read_mine, write_mine, NULL};

/* One step of the child with these registers; false when it faulted, which is part of the game. */
static bool step(struct user_regs_struct *registers)
{
	int status;

	if (ptrace(PTRACE_SETREGS, child, 0, registers) != 0 || ptrace(PTRACE_SINGLESTEP, child, 0, 0) != 0)
		die("ptrace");
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		die("the child is gone");
	if (ptrace(PTRACE_GETREGS, child, 0, registers) != 0)
		die("ptrace");
	return WSTOPSIG(status) == SIGTRAP;
}

/* Registers that often point into the data page, and now and then are the numbers at which carries happen. */
static void random_registers(struct user_regs_struct *registers)
{
	static const tl_u64 edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, TL_U64_MAX, (tl_u64)1 << 63};
	unsigned long long *values = (unsigned long long *)registers;

	for (unsigned i = 0; i < TL_X86_SLOT_MAX; i++) {
		tl_u64 kind = random_number() % 4;

		if (i >= TL_X86_SLOT_ORIG_RAX && i != TL_X86_SLOT_RSP)
			continue;
		values[i] = kind < 2    ? DATA + 1024 + random_number() % 2048
			    : kind == 2 ? random_number()
					: edges[random_number() % TL_COUNT(edges)];
	}
	registers->rsp = DATA + 1024 + (random_number() % 2048 & ~7ull);
	registers->orig_rax = TL_U64_MAX;
	registers->rip = CODE + 512;
	registers->eflags = 0x202 | (random_number() & 0x8d5);
	registers->cs = wide ? 0x33 : 0x23;
	registers->ss = 0x2b;
	registers->ds = registers->es = wide ? 0 : 0x2b;
	for (unsigned i = 0; !wide && i <= TL_X86_SLOT_RSP; i++)
		values[i] = i == TL_X86_SLOT_ORIG_RAX ? values[i] : (tl_u32)values[i];
}

/* Opcodes that are carried out come often; addresses from the registers stay near them. */
static void random_instruction(tl_u8 bytes[16])
{
	static const tl_u8 prefixes[] = {0x66, 0x48, 0x41, 0x44, 0x4c, 0x49, 0x40, 0xf3, 0x67, 0x45};
	unsigned n = 0;

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (tl_u8)random_number();
	if (random_number() % 2 != 0)
		bytes[n++] = prefixes[random_number() % TL_COUNT(prefixes)];
	if (random_number() % 8 == 0)
		bytes[n++] = prefixes[random_number() % TL_COUNT(prefixes)];
	if (random_number() % 4 == 0)
		bytes[n++] = 0x0f;
	n++;
	if (random_number() % 4 == 0)
		bytes[n] = (tl_u8)((bytes[n] & 0x38) | 5);
	for (unsigned i = n + 1; i + 4 < 16; i += 4) {
		if (random_number() % 2 != 0)
			tl_store_little(bytes + i, random_number() % 512, 4);
	}
}

/* Flags that the manuals leave undefined after the instruction, or -1 for what is to be compared. */
static tl_u64 defined_flags(const struct tl_x86_instruction *in)
{
	tl_u64 all = TL_U64_MAX;
	bool logic =
		in->map == 0 &&
		((in->opcode < 0x40 && ((in->opcode >> 3) == 1 || (in->opcode >> 3) == 4 || (in->opcode >> 3) == 6)) ||
		 (in->opcode >= 0x80 && in->opcode <= 0x83 &&
		  (in->modrm_reg == 1 || in->modrm_reg == 4 || in->modrm_reg == 6)) ||
		 in->opcode == 0x84 || in->opcode == 0x85 || in->opcode == 0xa8 || in->opcode == 0xa9 ||
		 ((in->opcode & 0xfe) == 0xf6 && in->modrm_reg <= 1));
	bool shift =
		in->map == 0 && (in->opcode == 0xc0 || in->opcode == 0xc1 || in->opcode == 0xd0 || in->opcode == 0xd1);

	if (logic || shift)
		all &= ~(tl_u64)0x10;
	if (shift && in->immediate_size != 0 && (in->immediate & 0x1f) != 1)
		all &= ~(tl_u64)0x800;
	return all;
}

static void complain(const char *what, const tl_u8 *bytes, const struct tl_x86_instruction *in)
{
	if (wrong++ >= 20)
		return;
	printf("%s:", what);
	for (int i = 0; i < in->length; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

static bool agree(const struct user_regs_struct *theirs, const tl_u8 *file, tl_u64 flags, const char **what)
{
	const tl_u8 *bytes = (const tl_u8 *)theirs;
	static char text[128];

	for (unsigned slot = 0; slot <= TL_X86_SLOT_RSP; slot++) {
		tl_u64 mask = slot == TL_X86_SLOT_EFLAGS ? flags & ~(tl_u64)0x10100 : TL_U64_MAX;
		tl_u64 a = tl_load_little(bytes + slot * 8, 8) & mask, b = tl_load_little(file + slot * 8, 8) & mask;

		if (slot == TL_X86_SLOT_ORIG_RAX || a == b)
			continue;
		snprintf(text, sizeof(text), "slot %u: the processor has %llx, the core %llx", slot,
			 (unsigned long long)a, (unsigned long long)b);
		*what = text;
		return false;
	}
	*what = "memory";
	return memcmp(page(DATA), mine, PAGE) == 0;
}

static void try_carry(const struct user_regs_struct *start, const tl_u8 *bytes, const struct tl_x86_instruction *in)
{
	static tl_u8 file[TL_X86_FILE_SIZE], untouched[TL_X86_FILE_SIZE];
	struct user_regs_struct theirs = *start;
	tl_u64 successors[TL_SUCCESSORS_MAX];
	tl_size count = 0;
	const char *what;
	bool stepped;
	enum tl_status status;

	memcpy(file, start, TL_X86_GENERAL_SIZE);
	memcpy(untouched, file, sizeof(file));
	memcpy(mine, before, PAGE);
	if (cpu->successors(file, bytes, 15, &memory, successors, &count) != TL_OK)
		count = 0;
	status = cpu->carry_out(file, bytes, 15, &memory);
	stepped = step(&theirs);
	if (status != TL_OK) {
		faults++;
		if (memcmp(file, untouched, sizeof(file)) != 0 || memcmp(mine, before, PAGE) != 0)
			complain("changed in spite of an error", bytes, in);
		return;
	}
	carried++;
	kinds[in->map << 8 | in->opcode]++;
	if (!stepped)
		complain("carried out, but the processor faults", bytes, in);
	else if (!agree(&theirs, file, defined_flags(in), &what))
		complain(what, bytes, in);
	else if (count == 0 || (theirs.rip != successors[0] && (count < 2 || theirs.rip != successors[1])))
		complain("went where no successor is", bytes, in);
}

/* Runs the copy, the way back included, and compares with the original run. */
static void try_copy(const struct user_regs_struct *start, const tl_u8 *bytes, const struct tl_x86_instruction *in)
{
	tl_u8 code[TL_RELOCATED_MAX];
	static tl_u8 data[PAGE];
	tl_size length, body;
	struct user_regs_struct original = *start, copy = *start;

	if (cpu->relocate(bytes, 15, CODE + 512, COPY + 64, code, &length, &body) != TL_OK)
		return;
	if (!step(&original))
		return;
	memcpy(data, page(DATA), PAGE);
	memcpy(page(DATA), before, PAGE);
	memcpy(page(COPY) + 64, code, length);
	copy.rip = COPY + 64;
	if (!step(&copy)) {
		complain("the copy faults", bytes, in);
		return;
	}
	for (int i = 0; i < 64 && copy.rip == COPY + 64; i++)
		step(&copy);
	for (int i = 0; i < 64 && original.rip == CODE + 512; i++)
		step(&original);
	copied++;
	if (copy.rip != COPY + 64 + body) {
		complain("the copy does not end at its body", bytes, in);
		return;
	}
	step(&copy);
	memcpy(mine, data, PAGE);
	if (in->flow == TL_FLOW_REPEAT)
		memcpy(mine, page(DATA), PAGE);
	original.orig_rax = copy.orig_rax;
	if (memcmp(&original, &copy, sizeof(copy)) != 0 || memcmp(page(DATA), mine, PAGE) != 0)
		complain("the copy does something else", bytes, in);
}

/* What would change more than registers and the data page, or differs from run to run. */
static bool copy_allowed(const struct tl_x86_instruction *in)
{
	if (in->flow != TL_FLOW_NEXT || in->segment != 0)
		return false;
	if (in->encoding != TL_X86_ENCODING_LEGACY)
		return false;
	/* Loads of segment registers: ptrace does not give them back. */
	if (in->map == 0 && (in->opcode == 0x07 || in->opcode == 0x17 || in->opcode == 0x1f || in->opcode == 0xc4 ||
			     in->opcode == 0xc5))
		return false;
	/* Bit offsets from a register reach all of memory. */
	if (in->map == 1 && in->memory && (in->opcode & 0xe7) == 0xa3)
		return false;
	if (in->map == 0)
		return in->opcode != 0x8e && in->opcode != 0x9b && in->opcode != 0x9d && in->opcode < 0xd8;
	return in->map == 1 &&
	       ((in->opcode >= 0x40 && in->opcode <= 0x4f) || (in->opcode >= 0x90 && in->opcode <= 0x9f) ||
		(in->opcode >= 0xa3 && in->opcode <= 0xa5) || (in->opcode >= 0xab && in->opcode <= 0xad) ||
		(in->opcode >= 0xaf && in->opcode <= 0xcf && in->opcode != 0xae && in->opcode != 0xc7 &&
		 in->opcode != 0xb2 && in->opcode != 0xb4 && in->opcode != 0xb5));
}

static void one(void)
{
	struct tl_instruction summary;
	struct tl_x86_instruction in;
	struct user_regs_struct registers;
	tl_u8 bytes[16];

	random_instruction(bytes);
	if (cpu->decode(bytes, 15, &summary) != TL_OK || tl_x86_decode(wide, bytes, 15, &in) != TL_OK) {
		skipped++;
		return;
	}
	if (!summary.carried_out && !(summary.relocatable && copy_allowed(&in))) {
		skipped++;
		return;
	}
	/* What counts from RIP finds the data page, from the original and from the copy. */
	if (in.rip_relative)
		tl_store_little(bytes + in.displacement_at, DATA - CODE - 512 + random_number() % 3000, 4);
	if (ptrace(PTRACE_GETREGS, child, 0, &registers) != 0)
		die("ptrace");
	random_registers(&registers);
	for (unsigned i = 0; i < PAGE; i += 8)
		tl_store_little(before + i, random_number() % 3 == 0 ? DATA + random_number() % PAGE : random_number(),
				8);
	for (int i = 0; i < 8; i++) /* returns and indirect jumps find targets now and then */
		tl_store_little(before + 1024 + random_number() % 256 * 8, CODE + random_number() % PAGE, 8);
	memcpy(page(DATA), before, PAGE);
	memcpy(page(CODE) + 512, bytes, 16);
	if (summary.carried_out)
		try_carry(&registers, bytes, &in);
	memcpy(page(DATA), before, PAGE);
	if (summary.relocatable && copy_allowed(&in))
		try_copy(&registers, bytes, &in);
}

int main(int count, char **arguments)
{
	bool all = count > 1 && strcmp(arguments[1], "--long") == 0;
	unsigned kinds_seen = 0;

	state = count > 2 ? strtoull(arguments[2], NULL, 0) | 1 : 0x5eed5eed5eed;
	start_child();
	for (unsigned long i = 0; i < (all ? 500000 : 30000); i++) {
		wide = random_number() % 3 != 0;
		cpu = wide ? &tl_cpu_x86_64 : &tl_cpu_i386;
		one();
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (unsigned i = 0; i < TL_COUNT(kinds); i++)
		kinds_seen += kinds[i] != 0;
	printf("%llu carried out, %u opcodes; %llu copies run; %llu left to the machine; %llu not of a kind to try; "
	       "%llu "
	       "wrong\n",
	       carried, kinds_seen, copied, faults, skipped, wrong);
	return wrong != 0 || carried < 1000 || copied < 1000;
}

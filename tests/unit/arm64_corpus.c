/*
 * The decoder of AArch64 against capstone, over every instruction of the arm64 libraries that are installed for the
 * cross compiler, and over random words: where jumps and calls lead, which accesses to memory there are, how wide, and
 * at which address with registers that hold numbers far from one another.
 *
 *     arm64-corpus [FILE]...
 */
#include "core/cpu/arm64_decode.h"
#include "core/cpu/arm64_layout.h"

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static csh handle;
static cs_insn *theirs;
static tl_u8 file[TL_ARM64_FILE_SIZE];
static unsigned long long instructions, flows, accesses, addresses, complaints, shown;

#define AT 0x200000

static void complain(const char *what, unsigned long long wanted, unsigned long long found)
{
	complaints++;
	if (shown++ < 60)
		printf("%s: %s %s (%02x%02x%02x%02x): 0x%llx wanted, 0x%llx found\n", what, theirs->mnemonic,
		       theirs->op_str, theirs->bytes[3], theirs->bytes[2], theirs->bytes[1], theirs->bytes[0], wanted,
		       found);
}

/* ---- Flow ---- */

static bool in_group(unsigned group)
{
	return cs_insn_group(handle, theirs, group);
}

/* The immediate that is the target of a direct jump; false when there is none. */
static bool target_of(tl_u64 *target_ret)
{
	const cs_arm64 *detail = &theirs->detail->arm64;

	for (unsigned i = detail->op_count; i-- > 0;)
		if (detail->operands[i].type == ARM64_OP_IMM) {
			*target_ret = (tl_u64)detail->operands[i].imm;
			return true;
		}
	return false;
}

static bool begins(const char *prefix)
{
	return strncmp(theirs->mnemonic, prefix, strlen(prefix)) == 0;
}

static enum tl_flow their_flow(void)
{
	const char *name = theirs->mnemonic;

	if (strcmp(name, "b") == 0 || strcmp(name, "br") == 0)
		return TL_FLOW_JUMP;
	if (strcmp(name, "bl") == 0 || strcmp(name, "blr") == 0)
		return TL_FLOW_CALL;
	if (strcmp(name, "ret") == 0)
		return TL_FLOW_RETURN;
	if (begins("b.") || begins("cb") || begins("tb"))
		return in_group(CS_GRP_JUMP) ? TL_FLOW_BRANCH : TL_FLOW_NEXT;
	if (strcmp(name, "svc") == 0)
		return TL_FLOW_SYSCALL;
	if (strcmp(name, "brk") == 0)
		return TL_FLOW_TRAP;
	if (strcmp(name, "eret") == 0 || strcmp(name, "drps") == 0 || strcmp(name, "hvc") == 0 ||
	    strcmp(name, "smc") == 0 || strcmp(name, "hlt") == 0 || begins("dcps") || begins("ldxr") ||
	    begins("ldaxr") || begins("ldxp") || begins("ldaxp"))
		return TL_FLOW_SPECIAL;
	return TL_FLOW_NEXT;
}

static void check_flow(const struct tl_arm64_instruction *ours)
{
	tl_u64 successors[TL_SUCCESSORS_MAX] = {0}, wanted = 0;
	tl_u8 bytes[4];
	tl_size count = 0;

	if ((unsigned)their_flow() != ours->flow)
		complain("flow", (unsigned)their_flow(), ours->flow);
	if (ours->flow != TL_FLOW_BRANCH && ours->flow != TL_FLOW_JUMP && ours->flow != TL_FLOW_CALL)
		return;
	tl_store_little(bytes, ours->word, 4);
	if (!target_of(&wanted) || ours->kind == TL_ARM64_BR || ours->kind == TL_ARM64_BLR)
		return;
	flows++;
	if (tl_cpu_aarch64.successors(file, bytes, 4, NULL, successors, &count) != TL_OK ||
	    successors[count - 1] != wanted)
		complain("target", wanted, successors[count != 0 ? count - 1 : 0]);
}

/* ---- Memory ---- */

static bool is_atomic(void)
{
	static const char *const operations[] = {"add", "clr", "eor", "set", "smax", "smin", "umax", "umin"};

	if (begins("cas") || begins("swp"))
		return true;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if ((begins("ld") || begins("st")) &&
		    strncmp(theirs->mnemonic + 2, operations[i], strlen(operations[i])) == 0)
			return true;
	return false;
}

static const cs_arm64_op *memory_operand(void)
{
	const cs_arm64 *detail = &theirs->detail->arm64;

	for (unsigned i = 0; i < detail->op_count; i++)
		if (detail->operands[i].type == ARM64_OP_MEM)
			return &detail->operands[i];
	return NULL;
}

static enum tl_access their_access(void)
{
	if (memory_operand() == NULL && !(begins("ldr") && their_flow() == TL_FLOW_NEXT))
		return TL_ACCESS_NONE;
	if (is_atomic())
		return TL_ACCESS_BOTH;
	return begins("ld") ? TL_ACCESS_READ : begins("st") ? TL_ACCESS_WRITE : TL_ACCESS_NONE;
}

static unsigned register_size(arm64_reg reg)
{
	switch (cs_reg_name(handle, reg)[0]) {
	case 'b':
		return 1;
	case 'h':
		return 2;
	case 's': /* sp is no operand that is loaded or stored */
		return 4;
	case 'w':
		return 4;
	case 'q':
	case 'v':
		return 16;
	default:
		return 8;
	}
}

/* 0: not told by the name. */
static unsigned their_size(void)
{
	const cs_arm64 *detail = &theirs->detail->arm64;
	const char *name = theirs->mnemonic;
	size_t length = strlen(name);
	/* What says whether it stored comes first. */
	bool status = begins("stx") || begins("stlx");
	bool two = begins("ldp") || begins("stp") || begins("ldnp") || begins("stnp") || begins("ldxp") ||
		   begins("stxp") || begins("ldaxp") || begins("stlxp") || begins("casp");
	unsigned size;

	if (begins("ld1") || begins("ld2") || begins("ld3") || begins("ld4") || begins("st1") || begins("st2") ||
	    begins("st3") || begins("st4") || begins("st64") || begins("ld64") || begins("ldg") || begins("stz"))
		return 0;
	if (name[length - 1] == 'b' && !begins("ldsub"))
		return 1;
	if (name[length - 1] == 'h')
		return 2;
	if (strcmp(name + length - 2, "sw") == 0)
		return two ? 8 : 4;
	if (detail->op_count < 2 || detail->operands[status].type != ARM64_OP_REG)
		return 0;
	size = register_size(detail->operands[status].reg);
	return two ? 2 * size : size;
}

static bool value_of(arm64_reg reg, tl_u64 *value_ret)
{
	if (reg == ARM64_REG_INVALID || reg == ARM64_REG_XZR || reg == ARM64_REG_WZR)
		*value_ret = 0;
	else if (reg == ARM64_REG_SP)
		*value_ret = tl_arm64_register(file, 31, true);
	else if (reg == ARM64_REG_X29 || reg == ARM64_REG_X30)
		*value_ret = tl_arm64_register(file, reg == ARM64_REG_X29 ? 29 : 30, false);
	else if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		*value_ret = tl_arm64_register(file, (tl_u8)(reg - ARM64_REG_X0), false);
	else if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		*value_ret = (tl_u32)tl_arm64_register(file, (tl_u8)(reg - ARM64_REG_W0), false);
	else
		return false;
	return true;
}

static bool their_address(tl_u64 *address_ret)
{
	const cs_arm64_op *operand = memory_operand();
	tl_u64 base, index;

	if (operand == NULL)
		return target_of(address_ret);
	if (!value_of((arm64_reg)operand->mem.base, &base) || !value_of((arm64_reg)operand->mem.index, &index))
		return false;
	if (operand->ext == ARM64_EXT_SXTW)
		index = (tl_u64)(tl_i64)(tl_i32)index;
	if (operand->shift.type == ARM64_SFT_LSL)
		index <<= operand->shift.value;
	*address_ret = base + index + (tl_u64)(tl_i64)operand->mem.disp;
	return true;
}

static void check_access(const struct tl_arm64_instruction *ours)
{
	tl_u64 wanted = 0, found = 0;
	unsigned size;

	if ((unsigned)their_access() != ours->access) {
		complain("access", (unsigned)their_access(), ours->access);
		return;
	}
	if (ours->access == TL_ACCESS_NONE)
		return;
	accesses++;
	size = their_size();
	if (size != 0 && ours->access_size != 0 && size != ours->access_size)
		complain("size", size, ours->access_size);
	if (!tl_arm64_access_address(ours, file, &found) || !their_address(&wanted))
		return;
	addresses++;
	if (wanted != found)
		complain("address", wanted, found);
}

/* ---- The run ---- */

/* Words that capstone takes for something else than the architecture's manual does, each with its reason. */
static bool exempt(void)
{
	tl_u32 word = (tl_u32)tl_load_little(theirs->bytes, 4);

	/* Loads of a register that is written back have no result that one could name; capstone knows prefetches alone
	 * by their names; the hints of later architectures it calls hints. */
	if (begins("prf") || begins("hint"))
		return true;
	/* Forms that are reserved since: a pair of vectors of 32 bytes, exclusives of two with sizes of one. */
	if ((word & 0x3fa00000) == 0x08200000 && word >> 31 == 0)
		return !begins("casp");
	/* `dc zva` writes, which its operands do not say. */
	return (word & 0xffffffe0) == 0xd50b7420 || (word >> 25 & 15) == 2;
}

static void check(tl_u32 word)
{
	tl_u8 bytes[4];
	const tl_u8 *at = bytes;
	size_t size = sizeof(bytes);
	tl_u64 address = AT;
	struct tl_arm64_instruction ours;

	tl_store_little(bytes, word, 4);
	if (!cs_disasm_iter(handle, &at, &size, &address, theirs) || exempt())
		return;
	instructions++;
	if (tl_arm64_decode(word, &ours) != TL_OK) {
		complain("missing", word, 0);
		return;
	}
	check_flow(&ours);
	check_access(&ours);
}

static void fill_registers(void)
{
	tl_u64 value = 0x0000100000000000;

	for (unsigned i = 0; i < 32; i++, value += 0x0000010000810000)
		tl_store_little(file + TL_ARM64_AT_X + 8 * (size_t)i, value, 8);
	tl_store_little(file + TL_ARM64_AT_PC, AT, 8);
}

static bool check_file(const char *name)
{
	FILE *stream = fopen(name, "rb");
	tl_u8 bytes[4096];
	size_t got;

	if (stream == NULL)
		return false;
	while ((got = fread(bytes, 1, sizeof(bytes), stream)) >= 4)
		for (size_t i = 0; i + 4 <= got; i += 4)
			check((tl_u32)tl_load_little(bytes + i, 4));
	fclose(stream);
	return true;
}

static tl_u32 random_word(void)
{
	static tl_u64 state = 0x9e3779b97f4a7c15;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (tl_u32)(state >> 16);
}

int main(int count, char **arguments)
{
	static const char *const usual[] = {"/usr/aarch64-linux-gnu/lib/libc.so.6",
					    "/usr/aarch64-linux-gnu/lib/libm.so.6",
					    "/usr/aarch64-linux-gnu/lib/libatomic.so.1"};

	if (cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle) != CS_ERR_OK)
		return 1;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	theirs = cs_malloc(handle);
	fill_registers();
	for (int i = 1; i < count; i++)
		if (!check_file(arguments[i]))
			return 1;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]) && count == 1; i++)
		(void)check_file(usual[i]);
	for (unsigned i = 0; i < 2000000; i++)
		check(random_word());
	printf("%llu instructions, %llu jumps, %llu accesses, %llu addresses: %llu complaints\n", instructions, flows,
	       accesses, addresses, complaints);
	cs_free(theirs, 1);
	cs_close(&handle);
	return complaints != 0 || instructions == 0;
}

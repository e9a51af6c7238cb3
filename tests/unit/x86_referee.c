/*
 * The decoder against Zydis: the same length for every instruction that Zydis knows, the same accesses to memory, and
 * no instruction where Zydis sees none, but for the exceptions that are listed below with their reasons.
 *
 *     x86-referee [--long] [SEED]
 *
 * Goes through prefixes × opcodes × ModRM in order, then through random bytes. Without --long a slice of it, in
 * seconds.
 */
#include "core/cpu/x86_decode.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>

static ZydisDecoder decoders[2];
static unsigned long long compared, known, shown;
static unsigned long long wrong_length, missing, surplus, wrong_access;

static void show(const char *what, bool wide, const tl_u8 *bytes, unsigned theirs, unsigned ours)
{
	if (shown++ >= 60)
		return;
	printf("%s, %s mode, theirs %u, ours %u:", what, wide ? "64-bit" : "32-bit", theirs, ours);
	for (int i = 0; i < 15; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

/* Reads and writes by Zydis's operands; conditional ones count. */
static unsigned access_of(const ZydisDecodedInstruction *theirs, const ZydisDecodedOperand *operands)
{
	unsigned access = 0;

	for (int i = 0; i < theirs->operand_count; i++) {
		if (operands[i].type != ZYDIS_OPERAND_TYPE_MEMORY ||
		    (operands[i].mem.type != ZYDIS_MEMOP_TYPE_MEM && operands[i].mem.type != ZYDIS_MEMOP_TYPE_VSIB))
			continue;
		if ((operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ) != 0)
			access |= TL_ACCESS_READ;
		if ((operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0)
			access |= TL_ACCESS_WRITE;
	}
	return access;
}

static bool access_exempt(const ZydisDecodedInstruction *theirs)
{
	switch ((int)theirs->mnemonic) {
	/* Zydis gives these an operand that is read; the processor only hints, flushes or faults. */
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_PREFETCH:
	case ZYDIS_MNEMONIC_PREFETCHNTA:
	case ZYDIS_MNEMONIC_PREFETCHT0:
	case ZYDIS_MNEMONIC_PREFETCHT1:
	case ZYDIS_MNEMONIC_PREFETCHT2:
	case ZYDIS_MNEMONIC_PREFETCHW:
	case ZYDIS_MNEMONIC_PREFETCHWT1:
	case ZYDIS_MNEMONIC_INVLPG:
	case ZYDIS_MNEMONIC_CLDEMOTE:
	case ZYDIS_MNEMONIC_CLFLUSH:
	case ZYDIS_MNEMONIC_CLFLUSHOPT:
	case ZYDIS_MNEMONIC_CLWB:
	/* Nested frames: ENTER copies frame pointers when its level is over 1, which Zydis does not look at. */
	case ZYDIS_MNEMONIC_ENTER:
	/* The store goes where a register says, which Zydis has as a register operand. */
	case ZYDIS_MNEMONIC_ENQCMD:
	case ZYDIS_MNEMONIC_ENQCMDS:
	/* Zydis gives their table no action. */
	case ZYDIS_MNEMONIC_BNDSTX:
	case ZYDIS_MNEMONIC_BNDLDX:
	/* VIA's, through fixed registers: not told. */
	case ZYDIS_MNEMONIC_XSTORE:
	case ZYDIS_MNEMONIC_XSHA1:
	case ZYDIS_MNEMONIC_XSHA256:
	case ZYDIS_MNEMONIC_XCRYPT_ECB:
	case ZYDIS_MNEMONIC_XCRYPT_CBC:
	case ZYDIS_MNEMONIC_XCRYPT_CTR:
	case ZYDIS_MNEMONIC_XCRYPT_CFB:
	case ZYDIS_MNEMONIC_XCRYPT_OFB:
	case ZYDIS_MNEMONIC_MONTMUL:
		return true;
	default:
		return false;
	}
}

/*
 * What the processor refuses and the decoder lets through, always with the right length, so that the processor itself
 * raises the fault: reserved fields of the vector encodings; the rarer prefixes of 0F 01, 0F A6, 0F A7, 0F C7 and 0F 3A
 * F0; and MPX, where the number of a bound register may be too high.
 */
static bool surplus_exempt(const struct tl_x86_instruction *ours)
{
	if (ours->encoding != TL_X86_ENCODING_LEGACY)
		return true;
	if (ours->map == 3)
		return ours->opcode == 0xf0;
	return ours->map == 1 &&
	       (ours->opcode == 0x1a || ours->opcode == 0x1b || ours->opcode == 0xa6 || ours->opcode == 0xa7 ||
		(ours->prefix != 0 && (ours->opcode == 0x01 || ours->opcode == 0xc7)));
}

static bool missing_exempt(const ZydisDecodedInstruction *t)
{
	/* Encodings of Knights Corner, which no processor that runs Linux programs has. */
	return t->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX || t->meta.isa_set == ZYDIS_ISA_SET_KNCE ||
	       t->meta.isa_set == ZYDIS_ISA_SET_KNCV || t->meta.isa_set == ZYDIS_ISA_SET_KNCJKBR ||
	       t->meta.isa_set == ZYDIS_ISA_SET_KNCSTREAM;
}

static void compare(bool wide, const tl_u8 *bytes)
{
	ZydisDecodedInstruction theirs;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	struct tl_x86_instruction ours;
	bool they = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoders[wide], bytes, 15, &theirs, operands));
	bool we = tl_x86_decode(wide, bytes, 15, &ours) == TL_OK;
	unsigned access;

	compared++;
	if (!they) {
		if (we && !surplus_exempt(&ours)) {
			surplus++;
			show("surplus", wide, bytes, 0, ours.length);
		}
		return;
	}
	known++;
	if (!we) {
		if (!missing_exempt(&theirs)) {
			missing++;
			show(ZydisMnemonicGetString(theirs.mnemonic), wide, bytes, theirs.length, 0);
		}
		return;
	}
	if (ours.length != theirs.length) {
		wrong_length++;
		show("length", wide, bytes, theirs.length, ours.length);
	}
	access = (ours.reads_operand || ours.reads_implied ? TL_ACCESS_READ : 0u) |
		 (ours.writes_operand || ours.writes_implied ? TL_ACCESS_WRITE : 0u);
	if (access != access_of(&theirs, operands) && !access_exempt(&theirs)) {
		wrong_access++;
		show(ZydisMnemonicGetString(theirs.mnemonic), wide, bytes, access_of(&theirs, operands), access);
	}
}

static unsigned long long state;

static unsigned random_byte(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 32) & 0xff;
}

static void ordered(bool wide, bool all)
{
	static const tl_u8 prefixes[][3] = {
		{0},       {1, 0x66},       {1, 0xf3},       {1, 0xf2},       {1, 0x67},       {1, 0xf0},
		{1, 0x48}, {1, 0x41},       {2, 0x66, 0x48}, {2, 0xf3, 0x48}, {2, 0xf2, 0x48}, {1, 0x2e},
		{1, 0x64}, {2, 0x66, 0xf3}, {2, 0x66, 0xf2}, {2, 0x48, 0x66}, {2, 0xf0, 0x66}};
	static const tl_u8 maps[][3] = {{0}, {1, 0x0f}, {2, 0x0f, 0x38}, {2, 0x0f, 0x3a}};

	for (size_t p = 0; p < TL_COUNT(prefixes); p++) {
		for (size_t m = 0; m < TL_COUNT(maps); m++) {
			for (unsigned i = 0; i < 0x10000; i += all ? 1 : 1 + random_byte() % 3) {
				tl_u8 bytes[32];
				unsigned n = 0;

				for (unsigned k = 0; k < sizeof(bytes); k++)
					bytes[k] = (tl_u8)random_byte();
				memcpy(bytes, prefixes[p] + 1, prefixes[p][0]);
				n = prefixes[p][0];
				memcpy(bytes + n, maps[m] + 1, maps[m][0]);
				n += maps[m][0];
				bytes[n] = (tl_u8)(i >> 8);
				bytes[n + 1] = (tl_u8)i;
				compare(wide, bytes);
			}
		}
	}
}

static void vectors(bool wide, unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		tl_u8 bytes[16];

		for (int k = 0; k < 16; k++)
			bytes[k] = (tl_u8)random_byte();
		switch (random_byte() % 5) {
		case 0:
			bytes[0] = 0xc5;
			break;
		case 1:
			bytes[0] = 0xc4;
			bytes[1] = (tl_u8)((bytes[1] & 0xe0) | (1 + random_byte() % 3));
			break;
		case 2:
			bytes[0] = 0x8f;
			bytes[1] = (tl_u8)((bytes[1] & 0xe0) | (8 + random_byte() % 3));
			break;
		default:
			bytes[0] = 0x62;
			bytes[1] = (tl_u8)((bytes[1] & 0xf0) | (1 + random_byte() % 6));
			break;
		}
		if (!wide)
			bytes[1] |= 0xc0;
		compare(wide, bytes);
	}
}

static void anything(bool wide, unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		tl_u8 bytes[16];

		for (int k = 0; k < 16; k++)
			bytes[k] = (tl_u8)random_byte();
		compare(wide, bytes);
	}
}

int main(int count, char **arguments)
{
	bool all = count > 1 && strcmp(arguments[1], "--long") == 0;
	unsigned long rounds = all ? 20000000 : 200000;

	state = count > 2 ? strtoull(arguments[2], NULL, 0) | 1 : 0x5eed5eed5eed;
	ZydisDecoderInit(&decoders[1], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisDecoderInit(&decoders[0], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
	for (int wide = 0; wide < 2; wide++) {
		ordered(wide != 0, all);
		vectors(wide != 0, rounds);
		anything(wide != 0, rounds);
	}
	printf("%llu compared, %llu known to Zydis; %llu of another length, %llu missing, %llu surplus, %llu with "
	       "other "
	       "accesses\n",
	       compared, known, wrong_length, missing, surplus, wrong_access);
	return wrong_length + missing + surplus + wrong_access != 0;
}

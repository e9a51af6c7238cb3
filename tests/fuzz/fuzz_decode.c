/*
 * The x86 decoder and what stands on it, fed with any bytes: nothing reads behind the bytes it was given, an error
 * changes nothing, and what comes out keeps its bounds. The first byte chooses the mode, the next 32 go into registers,
 * the rest is the instruction.
 */
#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

#define HEADER 33

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if ((address & 1) != 0 || size > 8)
		return TL_ERROR_MEMORY;
	tl_fill(buffer, (tl_u8)address, size);
	return TL_OK;
}

static enum tl_status write_memory(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context, (void)buffer;
	return (address & 2) != 0 || size > 8 ? TL_ERROR_MEMORY : TL_OK;
}

static void require(bool condition)
{
	if (!condition)
		abort();
}

static const struct tl_memory_access memory = {read_memory, write_memory, NULL};

static void fill_registers(tl_u8 *file, const tl_u8 *data)
{
	memset(file, 0, TL_X86_FILE_SIZE);
	for (unsigned slot = 0; slot < TL_X86_SLOT_MAX; slot++)
		memcpy(file + slot * 8, data + slot % 4 * 8, 8);
}

static void check_decode(const struct tl_cpu *cpu, const tl_u8 *bytes, tl_size size)
{
	struct tl_instruction instruction;
	struct tl_instruction again;
	enum tl_status status = cpu->decode(bytes, size, &instruction);

	if (status != TL_OK) {
		require(status == TL_ERROR_TRUNCATED || status == TL_ERROR_INSTRUCTION);
		return;
	}
	require(instruction.length >= 1 && instruction.length <= 15 && instruction.length <= size);
	require(instruction.flow < TL_FLOW_MAX);
	/* Exactly its own bytes suffice, and one less does not. */
	require(cpu->decode(bytes, instruction.length, &again) == TL_OK);
	require(cpu->decode(bytes, instruction.length - 1u, &again) == TL_ERROR_TRUNCATED);
}

static void check_effects(const struct tl_cpu *cpu, const tl_u8 *data, const tl_u8 *bytes, tl_size size)
{
	static tl_u8 file[TL_X86_FILE_SIZE], copy[TL_X86_FILE_SIZE];
	tl_u64 successors[TL_SUCCESSORS_MAX];
	tl_u8 code[TL_RELOCATED_MAX];
	tl_size count = 0, length = 0, body = 0;
	tl_u64 to = tl_load_little(data, 8);

	fill_registers(file, data);
	memcpy(copy, file, sizeof(copy));
	if (cpu->successors(file, bytes, size, &memory, successors, &count) == TL_OK)
		require(count >= 1 && count <= TL_SUCCESSORS_MAX);
	(void)cpu->last_access(file, bytes, size, tl_load_little(data + 8, 8), 8);
	require(memcmp(copy, file, sizeof(copy)) == 0);
	if (cpu->relocate(bytes, size, 0x401000, to, code, &length, &body) == TL_OK)
		require(body >= 1 && body < length && length <= TL_RELOCATED_MAX);
	if (cpu->carry_out(file, bytes, size, &memory) != TL_OK)
		require(memcmp(copy, file, sizeof(copy)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tl_cpu *cpu;
	tl_u8 *bytes;

	if (size < HEADER || size > 4096)
		return 0;
	cpu = (data[0] & 1) != 0 ? &tl_cpu_x86_64 : &tl_cpu_i386;
	/* In a block of its own, so that the sanitizer sees a read behind the end. */
	bytes = malloc(size - HEADER != 0 ? size - HEADER : 1);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data + HEADER, size - HEADER);
	check_decode(cpu, bytes, size - HEADER);
	check_effects(cpu, data + 1, bytes, size - HEADER);
	free(bytes);
	return 0;
}

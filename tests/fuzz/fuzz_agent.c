/*
 * The verifier and the interpreter of agent expressions: what the verifier lets pass never ends for its stack's sake,
 * nor at anything but what memory, registers, a division or the step limit can do; what it does not let pass is run all
 * the same and must do no harm.
 */
#include "core/agent/agent.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Any address below 2^63 has memory; what it holds follows from the address, with zeros now and then to end strings. */
static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_u8 *bytes = buffer;

	(void)context;
	if (address >> 63 != 0)
		return TL_ERROR_MEMORY;
	for (tl_size i = 0; i < size; i++)
		bytes[i] = (address + i) % 23 == 0 ? 0 : (tl_u8)((address + i) * 0x9e3779b97f4a7c15 >> 56);
	return TL_OK;
}

static enum tl_status read_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	(void)context;
	if (number >= 256)
		return TL_ERROR_REGISTER;
	*value_ret = (tl_u64)number << (number & 63);
	return TL_OK;
}

static void print(void *context, const char *text, tl_size size)
{
	tl_size *printed = context;

	if (size == 0 || size > TL_AGENT_TEXT_MAX)
		abort();
	for (tl_size i = 0; i < size; i++)
		*printed += (tl_u8)text[i];
}

static bool expected(enum tl_status status)
{
	return status == TL_OK || status == TL_ERROR_MEMORY || status == TL_ERROR_REGISTER ||
	       status == TL_ERROR_DIVIDE || status == TL_ERROR_BYTECODE_STEPS;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	tl_size printed = 0;
	struct tl_agent_environment environment = {.read_memory = read_memory,
						   .read_register = read_register,
						   .print = print,
						   .context = &printed,
						   .steps = 3000,
						   .address_size = 8};
	struct tl_agent_code code;
	tl_u64 value;
	tl_u16 offset = 0;
	enum tl_status verified, status;

	if (size > 0xffff)
		return 0;
	code = (struct tl_agent_code){bytes, (tl_u16)size};
	verified = tl_agent_verify(&code, &offset);
	if (verified != TL_OK && offset > size)
		abort();
	status = tl_agent_run(&code, &environment, &value, &offset);
	if (verified == TL_OK && !expected(status))
		abort();
	if (status != TL_OK && verified == TL_OK && offset >= size)
		abort();
	return 0;
}

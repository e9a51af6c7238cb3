/*
 * A whole stack of nonsense: registers, a stack, code, and call frame information, all from the input. It has to end,
 * and every frame has to be one that can be asked.
 */
#include "base/storage.h"
#include "symbols/unwind.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define CODE 0x1000
#define STACK 0x8000
#define PAGE 0x400
#define REGISTERS 136 /* 17 of 8 bytes */
/* Far beyond what a stack of PAGE bytes can hold without repeating itself, but for call frame information that counts.
 */
#define ENOUGH 5000

struct machine {
	tl_u8 stack[PAGE], code[PAGE];
	tl_u8 file[8192];
	struct tl_call_frames *frames;
};

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct machine *machine = context;

	if (address >= CODE && address - CODE < PAGE && size <= PAGE - (address - CODE))
		memcpy(buffer, machine->code + (address - CODE), size);
	else if (address >= STACK && address - STACK < PAGE && size <= PAGE - (address - STACK))
		memcpy(buffer, machine->stack + (address - STACK), size);
	else
		return TL_ERROR_MEMORY;
	return TL_OK;
}

static void code_at(void *context, tl_u64 address, struct tl_unwind_code *code_ret)
{
	const struct machine *machine = context;

	*code_ret = (struct tl_unwind_code){.executable = address >= CODE && address < CODE + PAGE};
	if (!code_ret->executable)
		return;
	code_ret->frames = address < CODE + PAGE / 2 ? machine->frames : NULL;
	code_ret->function = (address & 0x20) != 0 ? address & ~(tl_u64)0x3f : 0;
}

static void take(void *to, size_t wanted, const uint8_t **bytes, size_t *size)
{
	size_t taken = wanted < *size ? wanted : *size;

	memcpy(to, *bytes, taken);
	*bytes += taken;
	*size -= taken;
}

/* Every register of a frame can be asked for, known or not. */
static void ask(const struct tl_unwinder *unwinder, const struct tl_frame *frame)
{
	tl_u8 bytes[16];

	for (tl_u64 i = 0; i < 20; i++)
		(void)!tl_frame_register(unwinder, frame, i * 5, (i & 1) != 0, bytes, 1 + i % 16, NULL);
}

static void unwind(const struct tl_unwinder *unwinder)
{
	struct tl_frame frame, caller;
	struct tl_error error;

	if (tl_unwind_first(unwinder, &frame, &error) != TL_OK)
		abort();
	for (unsigned i = 0; i < ENOUGH; i++) {
		if (i < 8)
			ask(unwinder, &frame);
		error.text[0] = '\0';
		if (tl_unwind_next(unwinder, &frame, &caller, &error) != TL_UNWIND_GOES_ON) {
			if (error.text[0] == '\0')
				abort();
			return;
		}
		frame = caller;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct machine machine;
	struct tl_frame_sections sections = {.address_size = 8, .machine = 62};
	struct tl_unwinder unwinder = {
		.file = machine.file, .memory = {read_memory, NULL, &machine}, .code_at = code_at, .context = &machine};
	tl_u8 registers[REGISTERS] = {0};

	memset(&machine, 0, sizeof(machine));
	if (size == 0)
		return 0;
	unwinder.cpu = (bytes[0] & 1) != 0 ? &tl_cpu_i386 : &tl_cpu_x86_64;
	if (unwinder.cpu->file_size > sizeof(machine.file))
		abort();
	sections.address_size = unwinder.cpu->address_size;
	bytes++, size--;
	take(registers, sizeof(registers), &bytes, &size);
	for (tl_u16 i = 0; i < 17; i++)
		tl_cpu_set(unwinder.cpu, machine.file, i, tl_load_little(registers + i * 8u, 8));
	take(machine.stack, sizeof(machine.stack) / 2, &bytes, &size);
	take(machine.code, sizeof(machine.code) / 4, &bytes, &size);
	memcpy(machine.code + PAGE / 2, machine.code, PAGE / 4);
	sections.eh_frame = (struct tl_section_bytes){bytes, size, 0x4000};
	if (tl_call_frames_open_sections(&machine.frames, &sections, NULL) != TL_OK)
		abort();
	unwind(&unwinder);
	tl_call_frames_close(machine.frames);
	if (tl_storage_live() != 0)
		abort();
	return 0;
}

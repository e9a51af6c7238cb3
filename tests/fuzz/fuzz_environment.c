/*
 * What names and registers mean in a process in which everything is garbage: the input is where a thread stands, what
 * is in its registers and on its stack, and the text of an expression, in a program with debug information. Its stack,
 * its variables and the expression have to come to something, or to an error with a reason, soon.
 *
 * The program's own code and data are those of its file; the machine is the scripted one, and nothing runs.
 */
#include "base/loop.h"
#include "base/storage.h"
#include "core/cpu/cpu.h"
#include "debugger/expressions/environment.h"
#include "debugger/session/session.h"
#include "targets/scripted/scripted.h"
#include "tests/fuzz/fuzz.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#ifndef PROGRAM
#error "PROGRAM is a program with debug information"
#endif

#define SEGMENTS_MAX 8
#define STACK 0x7fff0000
#define STACK_SIZE 0x1000
#define HEAD 8
#define TEXT_MAX 80
#define FRAMES_MAX 24

struct machine {
	struct tl_loop *loop;
	struct tl_scripted *scripted;
	struct tl_session *session;
	struct tl_image *image;
	struct tl_scripted_segment segments[SEGMENTS_MAX + 1];
	struct tl_scripted_image program;
	tl_u64 process, code, code_size;
	tl_u8 *registers;
	tl_u8 stack[STACK_SIZE];
};

static struct tl_error error;

/* Whatever fails says why. */
static bool good(enum tl_status status)
{
	if (status != TL_OK && (error.status != status || error.text[0] == 0))
		abort();
	error = (struct tl_error){.status = TL_OK};
	return status == TL_OK;
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* ---- The program ---- */

static void load_program(struct machine *machine)
{
	static const struct tl_image_options alone = {.alone = true};
	const struct tl_elf *elf;
	tl_u64 end;

	must(good(tl_image_open(&machine->image, PROGRAM, &alone, &error)));
	elf = tl_image_elf(machine->image);
	for (tl_u32 i = 0; i < elf->segment_count; i++) {
		struct tl_elf_segment segment;
		struct tl_scripted_segment *made = &machine->segments[machine->program.segment_count];
		tl_u8 *bytes;

		must(good(tl_elf_segment(elf, i, &segment, &error)));
		if (segment.type != PT_LOAD || machine->program.segment_count == SEGMENTS_MAX)
			continue;
		bytes = malloc(segment.file_size + 1);
		must(bytes != NULL && elf->read(elf->context, segment.offset, bytes, segment.file_size) == TL_OK);
		*made = (struct tl_scripted_segment){.start = segment.address,
						     .size = segment.memory_size,
						     .bytes = bytes,
						     .filled = segment.file_size,
						     .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE};
		machine->program.segment_count++;
	}
	machine->segments[machine->program.segment_count++] = (struct tl_scripted_segment){
		.start = STACK, .size = STACK_SIZE, .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE};
	machine->program.segments = machine->segments;
	machine->program.stack = STACK + STACK_SIZE / 2;
	machine->program.path = PROGRAM;
	tl_image_code_extent(machine->image, &machine->code, &end);
	machine->code_size = end - machine->code;
}

static void open_machine(struct machine *machine)
{
	static const struct tl_binaries_options binaries = {.image = {.alone = true}, .no_cache = true, .threads = 1};
	struct tl_scripted_options options = {.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64};
	struct tl_session_options wanted = {.binaries = &binaries};
	const struct tl_module *module;
	struct tl_stop stop;

	load_program(machine);
	options.image = &machine->program;
	machine->scripted = aligned_alloc(16, (tl_scripted_size() + 15) / 16 * 16);
	machine->registers = malloc(tl_cpu_x86_64.file_size);
	must(machine->scripted != NULL && machine->registers != NULL);
	must(tl_scripted_init(machine->scripted, &options) == TL_OK);
	must(good(tl_loop_create(&machine->loop, &error)));
	wanted.loop = machine->loop;
	wanted.target = tl_scripted_target(machine->scripted);
	must(good(tl_session_open(&machine->session, &wanted, &error)));
	must(tl_scripted_start(machine->scripted, &machine->process) == TL_OK);
	must(good(tl_session_adopt(machine->session, PROGRAM, true, &error)));
	must(tl_session_take(machine->session, &stop));
	module = tl_modules_get(tl_session_modules(machine->session), 0);
	must(module != NULL && good(tl_binary_wait(module->binary, NULL, NULL, &error)));
}

/* ---- One input ---- */

static void fill(tl_u8 *buffer, size_t wanted, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < wanted; i++)
		buffer[i] = size != 0 ? bytes[i % size] : 0;
}

/* Where the thread stands and what it has, by the input. */
static void set_up(struct machine *machine, const uint8_t *head, const uint8_t *bytes, size_t size)
{
	const struct tl_thread_id thread = {machine->process, machine->process};
	struct tl_engine *engine = tl_session_engine(machine->session);
	const struct tl_cpu *cpu = &tl_cpu_x86_64;
	tl_u64 place = (tl_u64)head[0] | (tl_u64)head[1] << 8 | (tl_u64)head[2] << 16;
	tl_size done;
	tl_u8 *file;
	tl_u16 sp;

	must(tl_engine_registers(engine, thread, 1, &file) == TL_OK);
	fill(machine->registers, cpu->file_size, bytes, size);
	memcpy(file, machine->registers, cpu->file_size);
	tl_cpu_set(cpu, file, cpu->program_counter, machine->code + place % machine->code_size);
	must(tl_cpu_find(cpu, "rsp", &sp) == TL_OK);
	tl_cpu_set(cpu, file, sp, STACK + (tl_u64)head[3] * 8);
	must(tl_cpu_find(cpu, "rbp", &sp) == TL_OK);
	if ((head[4] & 1) != 0)
		tl_cpu_set(cpu, file, sp, STACK + (tl_u64)head[5] * 8);
	must(tl_engine_registers_changed(engine, thread, 1) == TL_OK);
	fill(machine->stack, sizeof(machine->stack), bytes, size);
	/* Words that lead into the code, as return addresses do. */
	for (size_t i = 0; i + 8 <= sizeof(machine->stack); i += 32)
		if ((head[4] & 2) != 0 && machine->stack[i] % 2 == 0) {
			tl_u64 address = machine->code +
					 (tl_u64)(machine->stack[i] << 8 | machine->stack[i + 1]) % machine->code_size;

			memcpy(machine->stack + i, &address, sizeof(address));
		}
	must(tl_engine_write_memory(engine, machine->process, STACK, machine->stack, sizeof(machine->stack), &done) ==
	     TL_OK);
	tl_session_refresh(machine->session);
}

static bool look(void *context, const struct tl_frame_variable *variable)
{
	const struct tl_value_context *values = context;
	const struct tl_print_options options = {.patience = 20};
	struct tl_output output = tl_output_make(1 << 14);

	if (variable->value == NULL)
		must(variable->failure != NULL && variable->failure[0] != 0);
	else
		(void)good(tl_print_value(values, &options, variable->value, &output, &error));
	tl_output_release(&output);
	return true;
}

static void use_frame(struct tl_session *session, const char *text, size_t size)
{
	const struct tl_environment *environment;
	struct tl_environment_store *store;
	struct tl_output output = tl_output_make(1 << 14);
	const struct tl_print_options options = {.patience = 20};
	struct tl_value value;

	if (good(tl_session_environment(session, &environment, &store, &error))) {
		struct tl_value_context values = environment->values;

		(void)good(tl_environment_variables(store, true, look, &values, &error));
		(void)good(tl_environment_variables(store, false, look, &values, &error));
		if (good(tl_session_evaluate(session, text, size, &value, &error)))
			(void)good(tl_print_value(&values, &options, &value, &output, &error));
	}
	tl_output_release(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct machine machine;
	char text[TEXT_MAX + 1];
	size_t text_size;

	if (size <= HEAD)
		return 0;
	if (machine.session == NULL)
		open_machine(&machine);
	text_size = bytes[6] % TEXT_MAX;
	if (text_size > size - HEAD)
		text_size = size - HEAD;
	memcpy(text, bytes + HEAD, text_size);
	text[text_size] = 0;
	set_up(&machine, bytes, bytes + HEAD + text_size, size - HEAD - text_size);
	use_frame(machine.session, text, text_size);
	/* The frame that the input names, and the last there is. */
	if (good(tl_session_select_frame(machine.session, bytes[7] % FRAMES_MAX, &error)))
		use_frame(machine.session, text, text_size);
	tl_arena_clear(tl_session_arena(machine.session));
	return 0;
}

#include "core/cpu/x86_layout.h"
#include "symbols/calling_convention.h"
#include "symbols/unwind.h"

#include "tests/unit/test.h"

/*
 * A machine of one page of code at CODE, of which the first half has call frame information, and a stack of one page
 * at STACK. Functions stand every 0x100 bytes.
 */
#define CODE 0x401000
#define STACK 0x7fff0000
#define KERNEL 0xffff800000000000ull /* the stack is seen here as well */
#define BIAS 0x400000
#define PAGE 0x1000
#define EH 0x9000

static struct tl_error error;

struct machine {
	tl_u8 code[PAGE], stack[PAGE], file[TL_X86_FILE_SIZE], eh[1024];
	tl_size eh_size, common;
	tl_u64 function;
	struct tl_call_frames *frames;
	struct tl_unwinder unwinder;
};

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct machine *machine = context;

	if (address >= KERNEL)
		address -= KERNEL;
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
	code_ret->frames = machine->frames;
	code_ret->bias = BIAS;
	code_ret->function = machine->function;
}

static void put(struct machine *machine, tl_u64 value, tl_size size)
{
	tl_store_little(machine->eh + machine->eh_size, value, size);
	machine->eh_size += size;
}

static void entry(struct machine *machine, tl_u64 start, tl_u64 size, const char *code, tl_size code_size)
{
	tl_size length = start != 0 ? 16 + code_size : 12 + code_size;

	put(machine, length, 4);
	if (start == 0) {
		machine->common = machine->eh_size - 4;
		put(machine, 0, 4);
		memcpy(machine->eh + machine->eh_size, "\1zR\0\1\x78\x10\1\x1b", 9);
		machine->eh_size += 9;
		tl_store_little(machine->eh + machine->common, 13 + code_size, 4);
	} else {
		put(machine, machine->eh_size - machine->common, 4);
		put(machine, start - (EH + machine->eh_size), 4);
		put(machine, size, 4);
		put(machine, 0, 1);
		tl_store_little(machine->eh + machine->eh_size - 17, 13 + code_size, 4);
	}
	memcpy(machine->eh + machine->eh_size, code, code_size);
	machine->eh_size += code_size;
}

static void set_register(struct machine *machine, tl_u16 index, tl_u64 value)
{
	tl_cpu_set(&tl_cpu_x86_64, machine->file, index, value);
}

static void set_word(struct machine *machine, tl_u64 address, tl_u64 value)
{
	tl_store_little(machine->stack + (address - STACK), value, 8);
}

/* Function n of the first half (with call frame information) or from 8 on (without), at a place behind a call. */
static tl_u64 behind_call(struct machine *machine, unsigned n)
{
	tl_u64 offset = n * 0x100 + 0x20;

	memcpy(machine->code + offset - 5, "\xe8\x00\x00\x00\x00", 5);
	return CODE + offset;
}

static void begin(struct machine *machine)
{
	memset(machine, 0, sizeof(*machine));
	memset(machine->code, 0x90, sizeof(machine->code));
	/* CFA r7+8, ra at CFA-8; function 0: like that; 1: CFA r6+16, r6 at CFA-16; 2: no caller; 3: trampoline. */
	entry(machine, 0, 0, "\x0c\x07\x08\x90\x01", 5);
	entry(machine, CODE - BIAS, 0x100, "", 0);
	entry(machine, CODE - BIAS + 0x100, 0x100, "\x0c\x06\x10\x86\x02", 5);
	entry(machine, CODE - BIAS + 0x200, 0x100, "\x07\x10", 2);
	entry(machine, CODE - BIAS + 0x400, 0x100, "\x3f", 1);                             /* damaged */
	entry(machine, CODE - BIAS + 0x500, 0x100, "\x0c\x0a\x08", 3);                     /* CFA by r10 */
	entry(machine, CODE - BIAS + 0x600, 0x100, "\x0e\x00\x16\x10\x02\x77\x00", 7);     /* never moves: pc = rsp */
	entry(machine, CODE - BIAS + 0x700, 0x100, "\x0e\x10\x10\x03\x03\x11\x70\x22", 8); /* rbx at CFA - 16 */
	machine->unwinder = (struct tl_unwinder){.cpu = &tl_cpu_x86_64,
						 .file = machine->file,
						 .memory = {read_memory, NULL, machine},
						 .code_at = code_at,
						 .context = machine};
	set_register(machine, TL_X86_64_RIP, CODE);
	set_register(machine, TL_X86_64_RSP, STACK + 0x100);
}

static bool open_frames(struct machine *machine)
{
	struct tl_frame_sections sections = {
		.eh_frame = {machine->eh, machine->eh_size, EH}, .address_size = 8, .machine = 62};

	return tl_call_frames_open_sections(&machine->frames, &sections, &error) == TL_OK;
}

/* Goes to the end; how it ended. `frames` are those on the way, `limit` of them at the most. */
static enum tl_unwind_end unwind(struct machine *machine, struct tl_frame *frames, unsigned limit, unsigned *count_ret)
{
	struct tl_frame frame, caller;
	enum tl_unwind_end end;
	unsigned count = 0;

	CHECK(open_frames(machine));
	CHECK(tl_unwind_first(&machine->unwinder, &frame, &error) == TL_OK);
	for (;;) {
		error.text[0] = '\0';
		end = tl_unwind_next(&machine->unwinder, &frame, &caller, &error);
		if (count < limit)
			frames[count] = frame;
		count++;
		if (end != TL_UNWIND_GOES_ON)
			break;
		frame = caller;
	}
	CHECK(error.text[0] != '\0');
	tl_call_frames_close(machine->frames);
	machine->frames = NULL;
	*count_ret = count;
	return end;
}

static tl_u64 register_of(struct machine *machine, const struct tl_frame *frame, tl_u64 number)
{
	tl_u8 bytes[8];

	if (tl_frame_register(&machine->unwinder, frame, number, false, bytes, 8, &error) != TL_OK)
		return 0xdead;
	return tl_load_little(bytes, 8);
}

TEST(callers_by_call_frame_information)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	set_register(&machine, TL_X86_64_RBP, STACK + 0x200);
	set_register(&machine, TL_X86_64_RAX, 0xaaaa);
	set_register(&machine, TL_X86_64_RBX, 0xbbbb);
	set_word(&machine, STACK + 0x100, CODE + 0x110); /* 0 was called by 1, and that by 2 */
	set_word(&machine, STACK + 0x200, 0x77);
	set_word(&machine, STACK + 0x208, CODE + 0x210);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	REQUIRE(count == 3);
	CHECK(frames[0].program_counter == CODE && frames[0].lookup == CODE && frames[0].level == 0);
	CHECK(frames[1].program_counter == CODE + 0x110 && frames[1].lookup == CODE + 0x10f && frames[1].level == 1);
	CHECK(frames[2].program_counter == CODE + 0x210 && frames[2].origin == TL_ORIGIN_CALL_FRAMES);
	CHECK(frames[0].address_known && frames[0].frame_address == STACK + 0x108);
	CHECK(frames[1].address_known && frames[1].frame_address == STACK + 0x210);
	CHECK_EQUAL(register_of(&machine, &frames[0], 0), 0xaaaa);
	CHECK_EQUAL(register_of(&machine, &frames[1], 7), STACK + 0x108);
	CHECK_EQUAL(register_of(&machine, &frames[1], 6), STACK + 0x200);
	CHECK_EQUAL(register_of(&machine, &frames[2], 6), 0x77);
	CHECK_EQUAL(register_of(&machine, &frames[2], 16), CODE + 0x210);
	CHECK_EQUAL(register_of(&machine, &frames[2], 3), 0xbbbb);
	CHECK(frames[2].state[6] == TL_REGISTER_MEMORY && frames[2].where[6] == STACK + 0x200);
	/* A callee may have changed rax; whoever wants what is in it now can have it. */
	CHECK_EQUAL(register_of(&machine, &frames[1], 0), 0xdead);
	CHECK(strstr(error.text, "rax is not known in frame 1") != NULL);
	CHECK(tl_frame_register(&machine.unwinder, &frames[1], 0, true, &(tl_u64){0}, 8, &error) == TL_OK);
	CHECK_EQUAL(register_of(&machine, &frames[1], 17), 0xdead);
	CHECK_EQUAL(register_of(&machine, &frames[0], 118), 0);
	CHECK_EQUAL(register_of(&machine, &frames[1], 118), 0xdead);
	CHECK_EQUAL(register_of(&machine, &frames[0], 1000), 0xdead);
}

TEST(expressions_of_a_frame)
{
	struct tl_frame_view view;
	struct tl_expression_context context;
	struct tl_frame frames[2];
	struct machine machine;
	tl_u64 number = 0;
	unsigned count;

	begin(&machine);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x710);
	set_word(&machine, STACK + 0x108, CODE + 0x210);
	set_word(&machine, STACK + 0x100, 0x1234);
	CHECK_EQUAL(unwind(&machine, frames, 2, &count), TL_UNWIND_OUTERMOST);
	REQUIRE(count == 2);
	CHECK_EQUAL(register_of(&machine, &frames[1], 3), 0x1234);
	view = (struct tl_frame_view){&machine.unwinder, &frames[1]};
	tl_frame_expressions(&view, BIAS, &context);
	CHECK(tl_expression_number(&context, (const tl_u8 *)"\x73\x01", 2, NULL, &number, &error) == TL_OK);
	CHECK_EQUAL(number, 0x1235);
	view.frame = &frames[0];
	frames[0].address_known = false;
	REQUIRE(open_frames(&machine));
	CHECK(tl_expression_number(&context, (const tl_u8 *)"\x9c", 1, NULL, &number, &error) == TL_OK);
	CHECK_EQUAL(number, STACK + 0x110);
	tl_call_frames_close(machine.frames);
}

TEST(damaged_stacks_end_with_a_reason)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine); /* the frame pointer points at itself */
	set_register(&machine, TL_X86_64_RIP, CODE + 0x110);
	set_register(&machine, TL_X86_64_RBP, STACK + 0x200);
	set_word(&machine, STACK + 0x200, STACK + 0x200);
	set_word(&machine, STACK + 0x208, CODE + 0x110);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
	CHECK_EQUAL(count, 2);
	set_word(&machine, STACK + 0x200, STACK + 0x100); /* back */
	set_word(&machine, STACK + 0x108, CODE + 0x110);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
	CHECK(strstr(error.text, "corrupt") != NULL);
	set_word(&machine, STACK + 0x208, 0x4141414141414141); /* overwritten: the frame is shown, and is the last */
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_NO_CODE);
	CHECK(count == 2 && frames[1].program_counter == 0x4141414141414141);
	set_word(&machine, STACK + 0x210, behind_call(&machine, 2)); /* or it was looked for a word too low */
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 3 && frames[2].program_counter == CODE + 0x220 && tl_frame_guessed(&frames[2]));
	set_word(&machine, STACK + 0x210, 0);
	set_word(&machine, STACK + 0x208, 0);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK_EQUAL(count, 1);
	set_register(&machine, TL_X86_64_RBP, 0x10);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_MEMORY);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x410);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_DAMAGED);
}

/* An interrupt's stack lies anywhere, and a program's below all of them. */
TEST(a_kernel_changes_stacks)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x110);
	set_register(&machine, TL_X86_64_RBP, KERNEL + STACK + 0x200);
	set_word(&machine, STACK + 0x200, KERNEL + STACK + 0x100);
	set_word(&machine, STACK + 0x208, CODE + 0x110);
	set_word(&machine, STACK + 0x100, STACK + 0x80);
	set_word(&machine, STACK + 0x108, CODE + 0x110);
	set_word(&machine, STACK + 0x88, CODE + 0x210);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK_EQUAL(count, 4);
	CHECK(frames[1].frame_address == KERNEL + STACK + 0x110 && frames[2].frame_address == STACK + 0x90);
	set_word(&machine, STACK + 0x100, KERNEL + STACK + 0x200); /* round and round */
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
}

TEST(a_frame_by_a_register_that_is_lost)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	set_register(&machine, TL_X86_64_R10, STACK + 0x300);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x510);
	set_word(&machine, STACK + 0x300, CODE + 0x210);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK_EQUAL(count, 2);
	/* A frame further out cannot have its own r10 back where the call is the last that it is needed for … */
	set_register(&machine, TL_X86_64_RIP, CODE);
	set_word(&machine, STACK + 0x100, CODE + 0x600);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_NO_INFORMATION);
	CHECK(count == 2 && strstr(error.text, "r10") != NULL);
	/* … but where the frame is found by it behind the call, too, the callee does not touch it. */
	set_word(&machine, STACK + 0x100, CODE + 0x510);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	REQUIRE(count == 3);
	CHECK(frames[1].address_known && frames[1].frame_address == STACK + 0x308);
	CHECK_EQUAL(register_of(&machine, &frames[1], 10), 0xdead);
	/* It is not believed against sense: this frame would not be outside of the one that it called. */
	set_register(&machine, TL_X86_64_R10, STACK + 0x80);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
}

/* Call frame information that stays where it is: the same frame would come for ever. */
TEST(frames_that_repeat_themselves_end)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x610);
	set_register(&machine, TL_X86_64_RSP, CODE + 0x610);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
	CHECK_EQUAL(count, 2);
}

TEST(guesses_without_call_frame_information)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;
	tl_u64 called;

	begin(&machine); /* at the first instruction of a function: the return address is on top */
	called = behind_call(&machine, 2);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x900);
	set_word(&machine, STACK + 0x100, called);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && frames[1].program_counter == called && frames[1].origin == TL_ORIGIN_STACK_POINTER);
	CHECK(tl_frame_guessed(&frames[1]) && !tl_frame_guessed(&frames[0]));
	CHECK_EQUAL(register_of(&machine, &frames[1], 7), STACK + 0x108);
	CHECK_EQUAL(register_of(&machine, &frames[1], 3), 0xdead);

	/* push rbp; mov rbp, rsp: between the two, and behind them. */
	memcpy(machine.code + 0x900, "\x55\x48\x89\xe5", 4);
	machine.function = CODE + 0x900;
	set_register(&machine, TL_X86_64_RIP, CODE + 0x901);
	set_word(&machine, STACK + 0x100, 0x77);
	set_word(&machine, STACK + 0x108, called);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && frames[1].program_counter == called && frames[1].origin == TL_ORIGIN_STACK_POINTER);
	set_register(&machine, TL_X86_64_RIP, CODE + 0x910);
	set_register(&machine, TL_X86_64_RBP, STACK + 0x200);
	set_word(&machine, STACK + 0x100, behind_call(&machine, 0)); /* rubbish that looks good */
	set_word(&machine, STACK + 0x200, 0x99);
	set_word(&machine, STACK + 0x208, called);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && frames[1].program_counter == called && frames[1].origin == TL_ORIGIN_FRAME_POINTER);
	CHECK_EQUAL(register_of(&machine, &frames[1], 6), 0x99);
	CHECK_EQUAL(register_of(&machine, &frames[1], 7), STACK + 0x210);

	/* Nothing at either place, but further up. */
	machine.function = 0;
	set_word(&machine, STACK + 0x208, 5);
	set_word(&machine, STACK + 0x100, CODE + 0x210); /* code, but not behind a call */
	set_word(&machine, STACK + 0x108, 0);
	set_word(&machine, STACK + 0x148, called);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && frames[1].program_counter == called && frames[1].origin == TL_ORIGIN_SCAN);
	set_word(&machine, STACK + 0x148, 0);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_NO_INFORMATION);
	CHECK_EQUAL(count, 1);
	set_register(&machine, TL_X86_64_RSP, 0x10);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_NO_INFORMATION);
}

/* A call through a null pointer: where it came from is on the stack. */
TEST(a_jump_to_nowhere)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;
	tl_u64 called;

	begin(&machine);
	called = behind_call(&machine, 2);
	set_register(&machine, TL_X86_64_RIP, 0);
	set_word(&machine, STACK + 0x100, called);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && frames[0].program_counter == 0 && frames[1].program_counter == called);
}

TEST(a_frame_pointer_of_zero_is_the_end)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	set_word(&machine, STACK + 0x100, CODE + 0x910); /* 0 was called from code without information */
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 2 && strstr(error.text, "frame pointer is 0") != NULL);
}

/* mov $15, %rax; syscall: the kernel saved everything above. */
TEST(a_trampoline_is_known_by_its_code)
{
	static const struct {
		unsigned number, offset;
	} saved[] = {{0, 144}, {1, 136}, {2, 152}, {3, 128}, {4, 112}, {5, 104}, {8, 40}, {15, 96}};
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	memcpy(machine.code + 0x900, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9);
	set_word(&machine, STACK + 0x100, CODE + 0x900); /* the handler, function 0, returns there */
	for (size_t i = 0; i < TL_COUNT(saved); i++)
		set_word(&machine, STACK + 0x108 + saved[i].offset, 0x1000 + saved[i].number);
	set_word(&machine, STACK + 0x108 + 120, STACK + 0x300); /* rbp */
	set_word(&machine, STACK + 0x108 + 160, STACK + 0x80);  /* rsp: another stack, below this one */
	set_word(&machine, STACK + 0x108 + 168, CODE);          /* rip: at the very first instruction of 0 */
	set_word(&machine, STACK + 0x80, CODE + 0x210);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	REQUIRE(count == 4);
	CHECK(!frames[0].signal && frames[1].signal && !frames[2].signal);
	CHECK(frames[2].interrupted && frames[2].lookup == CODE && frames[2].origin == TL_ORIGIN_SIGNAL);
	CHECK(!tl_frame_guessed(&frames[2]) && !tl_frame_guessed(&frames[3]));
	for (size_t i = 0; i < TL_COUNT(saved); i++)
		CHECK_EQUAL(register_of(&machine, &frames[2], saved[i].number), 0x1000 + saved[i].number);
	CHECK_EQUAL(register_of(&machine, &frames[2], 7), STACK + 0x80);
	CHECK(frames[3].program_counter == CODE + 0x210 && frames[3].lookup == CODE + 0x20f);
	/* A thread may stand at the system call itself. */
	set_register(&machine, TL_X86_64_RIP, CODE + 0x907);
	set_register(&machine, TL_X86_64_RSP, STACK + 0x108);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_OUTERMOST);
	CHECK(count == 3 && frames[0].signal && frames[1].program_counter == CODE);
}

/* Handlers that interrupt handlers, in a circle: only signals may go down the stack. */
TEST(a_circle_of_signals_ends)
{
	struct tl_frame frames[4];
	struct machine machine;
	unsigned count;

	begin(&machine);
	memcpy(machine.code + 0x900, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9);
	set_word(&machine, STACK + 0x100, CODE + 0x900);
	set_word(&machine, STACK + 0x108 + 160, STACK + 0x100);
	set_word(&machine, STACK + 0x108 + 168, CODE);
	CHECK_EQUAL(unwind(&machine, frames, 4, &count), TL_UNWIND_CORRUPT);
	CHECK(count < 10 && strstr(error.text, "again") != NULL);
}

TEST(a_cpu_of_which_nothing_is_known)
{
	struct tl_cpu other = tl_cpu_x86_64;
	struct tl_frame frame = {.level = 0};
	struct machine machine;

	begin(&machine);
	machine.unwinder.cpu = &other;
	CHECK_EQUAL(tl_unwind_first(&machine.unwinder, &frame, &error), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(tl_unwind_next(&machine.unwinder, &frame, &frame, &error), TL_UNWIND_UNSUPPORTED);
}

TEST(how_a_frame_is_set_up)
{
	static const struct {
		const char *code;
		tl_size wide, narrow;
	} cases[] = {{"\x55\x48\x89\xe5\x90", 4, 0},
		     {"\xf3\x0f\x1e\xfa\x55\x48\x8b\xec", 8, 0},
		     {"\x55\x89\xe5", 0, 3},
		     {"\x55\x8b\xec", 0, 3},
		     {"\xf3\x0f\x1e\xfb\x55\x89\xe5", 0, 7},
		     {"\x55\x53", 0, 0},
		     {"\x55\x89\xe5\x53\x56\x83", 0, 5},
		     {"\x55\x89\xe5\x83\xec\x14\x53\x90", 0, 7},
		     {"\x55\x89\xe5\x81\xec\x14\x01\x01\x01\x90", 0, 9},
		     {"\x55\x89\xe5\x83\xec", 0, 3},
		     {"\x8d\x4c\x24\x04\x83\xe4\xf0\xff\x71\xfc\x55\x89\xe5\x51\x83", 0, 14},
		     {"\x57\x8d\x7c\x24\x08\x81\xe4\xf0\xff\xff\xff\xff\x77\xfc\x55\x89\xe5", 0, 17},
		     {"\x8d\x4c\x24\x04\x83\xe4\xf0\xff\x71\xf8\x55\x89\xe5", 0, 0},
		     {"\x8d\x4c\x24\x04\x83\xe4", 0, 0},
		     {"\x4c\x8d\x54\x24\x08\x48\x83\xe4\xe0\x41\xff\x72\xf8\x55\x48\x89\xe5", 17, 0},
		     {"\x41\x52\x4c\x8d\x54\x24\x10\x48\x83\xe4\xe0\x41\xff\x72\xf8\x55\x48\x89\xe5", 19, 0},
		     {"\x48\x89\xe5", 0, 0},
		     {"\x55\x48\x89", 0, 0},
		     {"", 0, 0}};
	struct tl_cpu other = tl_cpu_x86_64;

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		const tl_u8 *code = (const tl_u8 *)cases[i].code;

		CHECK_EQUAL(tl_frame_setup_size(&tl_cpu_x86_64, code, strlen(cases[i].code)), cases[i].wide);
		CHECK_EQUAL(tl_frame_setup_size(&tl_cpu_i386, code, strlen(cases[i].code)), cases[i].narrow);
		CHECK_EQUAL(tl_frame_setup_size(&other, code, strlen(cases[i].code)), 0);
	}
}

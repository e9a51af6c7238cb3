#include "frontends/cli/frame_base.h"

#include "core/cpu/cpu.h"
#include "debugger/modules/modules.h"
#include "debugger/stack/stack.h"

#include <string.h>

/* The longest of the sequences that are looked for. */
enum { LONGEST = 16 };

/* Numbers in instructions, in the order of the CPU's table: %rax, %rcx, %rdx, %rbx, %rsp, %rbp, … */
enum { NUMBER_STACK = 4, NUMBER_FRAME = 5, NO_NUMBER = 16 };

/* The beginning of a function, and what of it has run. */
struct beginning {
	struct tl_modules *modules;
	tl_u64 at, limit; /* the next instruction; where the frame stands */
	tl_u8 word;       /* bytes of a register */
	tl_u8 code[LONGEST];
	tl_u64 pushed;     /* bytes below the return address */
	bool framed;       /* the frame pointer is set up */
	unsigned saved_in; /* the register that has the stack pointer from before it was aligned, or NO_NUMBER */
};

/* Reads on at `at`. What cannot be read is zeros, which begin no sequence. */
static void look(struct beginning *beginning)
{
	memset(beginning->code, 0, sizeof(beginning->code));
	for (tl_size size = sizeof(beginning->code); size != 0; size--)
		if (tl_modules_read(beginning->modules, beginning->at, beginning->code, size, NULL) == TL_OK)
			return;
}

static void advance(struct beginning *beginning, tl_u64 size)
{
	beginning->at += size;
	look(beginning);
}

static bool begins(const struct beginning *beginning, tl_size offset, const char *bytes, tl_size size)
{
	return offset + size <= sizeof(beginning->code) && memcmp(beginning->code + offset, bytes, size) == 0;
}

/* `nop` and `mov %edi,%edi`, which leave room for patches; and a jump to where the function really begins. */
static void skip_padding(struct beginning *beginning)
{
	for (int i = 0; i < LONGEST; i++) {
		if (beginning->code[0] == 0x90)
			advance(beginning, 1);
		else if (begins(beginning, 0, "\x8b\xff", 2))
			advance(beginning, 2);
		else
			break;
	}
	if (beginning->code[0] == 0xe9)
		advance(beginning, 5 + (tl_u64)(tl_i64)(tl_i32)(tl_u32)tl_load_little(beginning->code + 1, 4));
	else if (beginning->code[0] == 0xeb)
		advance(beginning, 2 + (tl_u64)(tl_i64)(tl_i8)beginning->code[1]);
}

/*
 * `lea 8(%rsp),%reg; and $-N,%rsp; push -8(%reg)`, which may have `push %reg` in front (then it is 16(%rsp)): `reg`
 * has the stack pointer as it was. False: that is not what the function does.
 */
static bool skip_alignment(struct beginning *beginning)
{
	const bool wide = beginning->word == 8;
	const tl_u8 *code = beginning->code;
	tl_size offset = 0, masked;
	unsigned pushed = NO_NUMBER, saved;

	if ((code[0] & 0xf8) == 0x50 || (wide && code[0] == 0x41 && (code[1] & 0xf8) == 0x50)) {
		offset = code[0] == 0x41 ? 2 : 1;
		pushed = (code[offset - 1] & 7u) + (offset == 2 ? 8 : 0);
	}
	if (wide && (code[offset++] & 0xfb) != 0x48)
		return false;
	saved = (code[offset + 1] >> 3 & 7u) + (wide && (code[offset - 1] & 4) != 0 ? 8 : 0);
	if (code[offset] != 0x8d || (code[offset + 1] & 0xc7) != 0x44 || code[offset + 2] != 0x24 ||
	    code[offset + 3] != (pushed != NO_NUMBER ? 2 : 1) * beginning->word ||
	    (pushed != NO_NUMBER && pushed != saved) || saved == NUMBER_STACK || saved == NUMBER_FRAME)
		return false;
	offset += 4;
	masked = offset;
	if (wide && code[offset++] != 0x48)
		return false;
	if ((code[offset] != 0x81 && code[offset] != 0x83) || code[offset + 1] != 0xe4)
		return false;
	if (beginning->limit > beginning->at + masked)
		beginning->saved_in = saved;
	advance(beginning, offset + (code[offset] == 0x81 ? 6 : 3));
	if (saved >= 8 && code[0] == 0x41)
		advance(beginning, 1);
	if (code[0] == 0xff && (code[1] & 0xf8) == 0x70)
		advance(beginning, 3);
	return true;
}

/* What gcc moves in front of `mov %esp,%ebp` in 32-bit code: the size of an instruction on %eax, %ecx or %edx. */
static tl_size size_of_moved(const tl_u8 *code)
{
	switch (code[0]) {
	case 0xb0:
	case 0xb1:
	case 0xb2:
	case 0xb4:
	case 0xb5:
	case 0xb6:
		return 2;
	case 0xa1:
	case 0xb8:
	case 0xb9:
	case 0xba:
		return 5;
	case 0x89:
		return code[1] == 0x05 || code[1] == 0x0d || code[1] == 0x15 ? 6 : 0;
	case 0x29:
	case 0x2b:
	case 0x31:
	case 0x33:
		return code[1] == 0xc0 || code[1] == 0xc9 || code[1] == 0xd2 ? 2 : 0;
	default:
		return 0;
	}
}

static void skip_frame(struct beginning *beginning)
{
	const tl_u64 start = beginning->at + 1;
	tl_size size, prefix = beginning->word == 8;

	if (beginning->limit <= beginning->at)
		return;
	if (beginning->code[0] == 0xc8 && prefix == 0) /* enter */
		beginning->framed = true;
	if (beginning->code[0] != 0x55)
		return;
	beginning->pushed += beginning->word;
	advance(beginning, 1);
	while (prefix == 0 && beginning->at < beginning->limit && (size = size_of_moved(beginning->code)) != 0)
		advance(beginning, size);
	if (beginning->limit > beginning->at && (prefix == 0 || beginning->code[0] == 0x48) &&
	    (begins(beginning, prefix, "\x89\xe5", 2) || begins(beginning, prefix, "\x8b\xec", 2) ||
	     (prefix == 0 && begins(beginning, 0, "\x8d\x2c\x24", 3))))
		beginning->framed = true;
	else
		advance(beginning, start - beginning->at);
}

/* Registers that are kept: gdb counts those of 32-bit programs alone. */
static void skip_pushes(struct beginning *beginning)
{
	for (int i = 0; i < 8 && beginning->at < beginning->limit && (beginning->code[0] & 0xf8) == 0x50; i++) {
		beginning->pushed += beginning->word;
		advance(beginning, 1);
	}
}

static void read_beginning(struct beginning *beginning)
{
	look(beginning);
	if (beginning->word == 8) {
		(void)skip_alignment(beginning);
		if (begins(beginning, 0, "\xf3\x0f\x1e\xfa", 4))
			advance(beginning, 4);
		skip_frame(beginning);
		return;
	}
	if (begins(beginning, 0, "\xf3\x0f\x1e\xfb", 4))
		advance(beginning, 4);
	skip_padding(beginning);
	(void)skip_alignment(beginning);
	skip_frame(beginning);
	if (!beginning->framed)
		skip_pushes(beginning);
}

static bool read_register(struct tl_stack *stack, const struct tl_stack_frame *frame, tl_u16 index, tl_u64 *value_ret)
{
	const tl_size size = tl_stack_cpu(stack)->registers[index].bits / 8u;
	tl_u8 bytes[8] = {0};
	tl_u64 memory;

	if (size > sizeof(bytes) || tl_stack_register(stack, frame, index, bytes, size, &memory, NULL) != TL_OK)
		return false;
	*value_ret = tl_load_little(bytes, sizeof(bytes));
	return true;
}

/* By the number that instructions have for a register. DWARF has the same ones in 32-bit code, others in 64-bit code.
 */
static bool read_numbered(struct tl_stack *stack, const struct tl_stack_frame *frame, unsigned number,
			  tl_u64 *value_ret)
{
	static const tl_u8 wide[] = {0, 2, 1, 3, 7, 6, 4, 5};
	const struct tl_cpu *cpu = tl_stack_cpu(stack);
	const bool is_wide = cpu->registers[cpu->stack_pointer].bits == 64;
	const int dwarf = is_wide && number < 8 ? wide[number] : (int)number;

	for (tl_u16 i = 0; i < cpu->register_count; i++)
		if (cpu->registers[i].dwarf == dwarf)
			return read_register(stack, frame, i, value_ret);
	return false;
}

static bool is_x86(const struct tl_cpu *cpu)
{
	return strcmp(cpu->name, "i386") == 0 || strcmp(cpu->name, "x86_64") == 0;
}

bool tl_frame_base(struct tl_stack *stack, struct tl_modules *modules, const struct tl_stack_frame *frame,
		   tl_u64 *base_ret)
{
	const struct tl_cpu *cpu = tl_stack_cpu(stack);
	struct beginning beginning = {.modules = modules,
				      .at = frame->function_start,
				      .limit = frame->program_counter,
				      .word = (tl_u8)(cpu->registers[cpu->stack_pointer].bits / 8u),
				      .saved_in = NO_NUMBER};
	const bool known = frame->function_start != 0;
	tl_u64 pointer;

	if (frame->inlined || frame->signal || frame->tail_called)
		return false;
	/* A 32-bit program in which no frame was made yet. */
	if (beginning.word == 4 && (!read_register(stack, frame, cpu->frame_pointer, &pointer) || pointer == 0))
		return false;
	if (known && is_x86(cpu))
		read_beginning(&beginning);
	/* In 32-bit code of which nothing is known the frame pointer is believed. */
	if (beginning.framed || (!known && beginning.word == 4 &&
				 tl_modules_read(modules, frame->program_counter, beginning.code, 1, NULL) == TL_OK))
		return read_register(stack, frame, cpu->frame_pointer, base_ret) && *base_ret != 0;
	if (beginning.saved_in != NO_NUMBER) {
		if (!read_numbered(stack, frame, beginning.saved_in, &pointer))
			return false;
		*base_ret = ((pointer - beginning.word) & ~(tl_u64)15) - beginning.word;
		return true;
	}
	if (!read_register(stack, frame, cpu->stack_pointer, base_ret))
		return false;
	*base_ret += beginning.pushed - beginning.word;
	return true;
}

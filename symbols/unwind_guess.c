#include "symbols/unwind_guess.h"

#include "symbols/calling_convention.h"

/* How far up the stack a return address is looked for, in words. */
#define SCAN_WORDS 128

struct guess {
	const struct tl_unwinder *unwinder;
	const struct tl_calling_convention *convention;
	struct tl_frame *frame;
	struct tl_frame *caller;
	tl_u64 stack_pointer;
	tl_u8 word;
};

static bool read_word(const struct guess *guess, tl_u64 address, tl_u64 *value_ret)
{
	tl_u8 bytes[8];

	if (guess->unwinder->memory.read(guess->unwinder->memory.context, address, bytes, guess->word) != TL_OK)
		return false;
	*value_ret = tl_load_little(bytes, guess->word);
	return true;
}

static bool reads_as(const struct guess *guess, tl_u64 address, const void *bytes, tl_size size)
{
	tl_u8 found[TL_INSTRUCTION_MAX];

	return size <= sizeof(found) &&
	       guess->unwinder->memory.read(guess->unwinder->memory.context, address, found, size) == TL_OK &&
	       tl_same(found, bytes, size);
}

/* Does a call instruction end just before this address, which is code? */
static bool returns_here(const struct guess *guess, tl_u64 address)
{
	const struct tl_unwinder *unwinder = guess->unwinder;
	struct tl_unwind_code code = {.frames = NULL};
	struct tl_instruction instruction;
	tl_u8 bytes[8];
	tl_u8 unit = unwinder->cpu->instruction_alignment;

	if (address < sizeof(bytes) || address % unit != 0)
		return false;
	unwinder->code_at(unwinder->context, address - 1, &code);
	if (!code.executable)
		return false;
	if (unwinder->memory.read(unwinder->memory.context, address - sizeof(bytes), bytes, sizeof(bytes)) != TL_OK)
		return false;
	for (tl_size size = unit > 1 ? unit : 2; size < sizeof(bytes); size += unit)
		if (unwinder->cpu->decode(bytes + sizeof(bytes) - size, size, &instruction) == TL_OK &&
		    instruction.length == size && instruction.flow == TL_FLOW_CALL)
			return true;
	return false;
}

/* Registers of the caller when nothing is known of the frame but where it ends: all may have been changed. */
static void take_registers(const struct guess *guess, tl_u64 stack_pointer)
{
	const struct tl_calling_convention *convention = guess->convention;
	struct tl_frame *caller = guess->caller;

	tl_copy(caller->state, guess->frame->state, sizeof(caller->state));
	tl_copy(caller->where, guess->frame->where, sizeof(caller->where));
	tl_fill(caller->stale, true, sizeof(caller->stale));
	caller->state[convention->stack_pointer] = TL_REGISTER_VALUE;
	caller->where[convention->stack_pointer] = stack_pointer;
	caller->stale[convention->stack_pointer] = false;
	guess->frame->frame_address = stack_pointer;
	guess->frame->address_known = true;
}

static void return_by(const struct guess *guess, tl_u64 slot, tl_u64 address, enum tl_frame_origin origin)
{
	tl_u8 number = guess->convention->program_counter;

	take_registers(guess, slot + guess->word);
	/* Frame pointers, at least, are usually left alone; the next guess may need one, and checks what it says. */
	guess->caller->stale[guess->convention->frame_pointer] = guess->frame->stale[guess->convention->frame_pointer];
	guess->caller->state[number] = guess->convention->address_bits == 48 ? TL_REGISTER_VALUE : TL_REGISTER_MEMORY;
	guess->caller->where[number] = guess->convention->address_bits == 48 ? address : slot;
	guess->caller->stale[number] = false;
	guess->caller->program_counter = address;
	guess->caller->origin = origin;
}

/* The return address stands at `slot`, if what stands there is one. */
static bool try_slot(const struct guess *guess, tl_u64 slot, enum tl_frame_origin origin)
{
	tl_u64 address;

	if (!read_word(guess, slot, &address))
		return false;
	address = tl_code_address(guess->convention, address);
	if (!returns_here(guess, address))
		return false;
	return_by(guess, slot, address, origin);
	return true;
}

/* The frame pointer points at the caller's, and the return address stands behind that. */
static bool try_frame_pointer(const struct guess *guess)
{
	tl_u8 number = guess->convention->frame_pointer;
	tl_u64 pointer;

	if (tl_frame_word(guess->unwinder, guess->frame, number, true, &pointer, NULL) != TL_OK)
		return false;
	if (pointer < guess->stack_pointer || pointer % guess->word != 0 ||
	    !try_slot(guess, pointer + guess->word, TL_ORIGIN_FRAME_POINTER))
		return false;
	guess->caller->state[number] = TL_REGISTER_MEMORY;
	guess->caller->where[number] = pointer;
	guess->caller->stale[number] = false;
	return true;
}

/*
 * How far a function that begins as usual has got: the number of words that stand on the stack above the return
 * address' place, -1 when its frame pointer is set up (or it may be), -2 when it does not begin so.
 */
static int progress(const struct guess *guess, tl_u64 function)
{
	const struct tl_calling_convention *convention = guess->convention;
	tl_u64 counter = guess->frame->program_counter, at = function;
	bool moves = false;

	if (reads_as(guess, at, convention->landing, tl_text_length(convention->landing)))
		at += tl_text_length(convention->landing);
	if (counter <= at)
		return 0;
	if (!reads_as(guess, at, convention->push, tl_text_length(convention->push)))
		return -2;
	at += tl_text_length(convention->push);
	for (tl_size i = 0; i < TL_COUNT(convention->moves); i++)
		moves |= reads_as(guess, at, convention->moves[i], tl_text_length(convention->moves[i]));
	if (!moves)
		return -2;
	return counter <= at ? 1 : -1;
}

/*
 * Where a call leaves its address in a register: that is still in it where the function has called nobody yet; and a
 * frame that is set up has it and the caller's frame pointer beside the place that its own points to.
 */
static bool try_link(const struct guess *guess)
{
	const struct tl_calling_convention *convention = guess->convention;
	tl_u64 address, pointer;

	if (guess->frame->interrupted &&
	    tl_frame_word(guess->unwinder, guess->frame, convention->link_register, true, &address, NULL) == TL_OK &&
	    returns_here(guess, address = tl_code_address(convention, address))) {
		take_registers(guess, guess->stack_pointer);
		guess->caller->stale[convention->frame_pointer] = guess->frame->stale[convention->frame_pointer];
		guess->caller->state[convention->program_counter] = TL_REGISTER_VALUE;
		guess->caller->where[convention->program_counter] = address;
		guess->caller->stale[convention->program_counter] = false;
		guess->caller->program_counter = address;
		guess->caller->origin = TL_ORIGIN_STACK_POINTER;
		return true;
	}
	if (tl_frame_word(guess->unwinder, guess->frame, convention->frame_pointer, true, &pointer, NULL) != TL_OK ||
	    pointer < guess->stack_pointer || pointer % guess->word != 0 ||
	    !try_slot(guess, pointer + (tl_u64)convention->link_slot * guess->word, TL_ORIGIN_FRAME_POINTER))
		return false;
	guess->caller->state[convention->frame_pointer] = TL_REGISTER_MEMORY;
	guess->caller->where[convention->frame_pointer] = pointer + ((tl_u64)convention->link_slot - 1) * guess->word;
	guess->caller->stale[convention->frame_pointer] = false;
	return true;
}

static bool try_scan(const struct guess *guess)
{
	for (tl_u64 i = 0; i < SCAN_WORDS; i++)
		if (try_slot(guess, guess->stack_pointer + i * guess->word, TL_ORIGIN_SCAN))
			return true;
	return false;
}

static bool try_all(const struct guess *guess, const struct tl_unwind_code *code)
{
	int words = -2;

	if (guess->convention->push == NULL)
		return try_link(guess);
	/* A function that waits for another to return has a frame; where one stands anywhere, it may be at its first
	 * instruction, or have none. */
	if (guess->frame->interrupted) {
		if (code->function != 0)
			words = progress(guess, code->function);
		if (words >= 0 &&
		    try_slot(guess, guess->stack_pointer + (tl_u64)words * guess->word, TL_ORIGIN_STACK_POINTER))
			return true;
		if (words == -1 && try_frame_pointer(guess))
			return true;
		if (try_slot(guess, guess->stack_pointer, TL_ORIGIN_STACK_POINTER))
			return true;
	}
	return try_frame_pointer(guess) || try_scan(guess);
}

/* The kernel's own record of what a signal interrupted. */
static bool try_trampoline(const struct guess *guess)
{
	const struct tl_calling_convention *convention = guess->convention;
	struct tl_frame *frame = guess->frame, *caller = guess->caller;
	tl_u64 start = frame->program_counter, counter;

	if (convention->trampoline == NULL)
		return false;
	if (!reads_as(guess, start, convention->trampoline, convention->trampoline_size)) {
		start -= convention->trampoline_call;
		if (!frame->interrupted || !reads_as(guess, start, convention->trampoline, convention->trampoline_size))
			return false;
	}
	take_registers(guess, guess->stack_pointer);
	for (tl_u8 i = 0; i < convention->saved_count; i++) {
		if (convention->saved[i] == 0)
			continue;
		caller->state[i] = TL_REGISTER_MEMORY;
		caller->where[i] = guess->stack_pointer + (tl_u64)convention->saved[i] * guess->word;
		caller->stale[i] = false;
	}
	if (tl_frame_word(guess->unwinder, caller, convention->program_counter, false, &counter, NULL) != TL_OK)
		return false;
	caller->program_counter = counter;
	caller->origin = TL_ORIGIN_SIGNAL;
	frame->signal = true;
	return true;
}

enum tl_unwind_end tl_unwind_guess(const struct tl_unwinder *unwinder, struct tl_frame *frame,
				   const struct tl_unwind_code *code, struct tl_frame *caller_ret,
				   struct tl_error *error)
{
	struct guess guess = {.unwinder = unwinder,
			      .convention = tl_calling_convention(unwinder->cpu),
			      .frame = frame,
			      .caller = caller_ret,
			      .word = unwinder->cpu->address_size};
	tl_u64 pointer;

	if (tl_frame_word(unwinder, frame, guess.convention->stack_pointer, true, &guess.stack_pointer, error) != TL_OK)
		return TL_UNWIND_MEMORY;
	if (try_trampoline(&guess))
		return TL_UNWIND_GOES_ON;
	/*
	 * A return address that leads to no code was overwritten, and so was what stands around it; unless call frame
	 * information was wrong, by a word as a rule, and the right one comes next.
	 */
	if (!code->executable && !frame->interrupted && try_slot(&guess, guess.stack_pointer, TL_ORIGIN_STACK_POINTER))
		return TL_UNWIND_GOES_ON;
	if (!code->executable && !frame->interrupted)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "there is no code at 0x%llx: the stack may have been overwritten",
			       (unsigned long long)frame->program_counter),
		       TL_UNWIND_NO_CODE;
	/* Code that begins a program or a thread clears the frame pointer to say so. */
	if (!frame->interrupted &&
	    tl_frame_word(unwinder, frame, guess.convention->frame_pointer, true, &pointer, NULL) == TL_OK &&
	    pointer == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "this is the outermost frame: its frame pointer is 0"),
		       TL_UNWIND_OUTERMOST;
	if (try_all(&guess, code))
		return TL_UNWIND_GOES_ON;
	return TL_FAIL(error, TL_ERROR_ARGUMENT,
		       "the caller cannot be found: there is no call frame information for 0x%llx",
		       (unsigned long long)frame->lookup),
	       TL_UNWIND_NO_INFORMATION;
}

/*
 * Steps, and the ways past points. Arm Architecture Reference Manual (DDI 0487), D2.8 to D2.12.
 *
 * A breakpoint or watchpoint of hardware is told before the instruction is executed. So a processor that is to pass a
 * breakpoint goes on without it for one step; and one that has met a watchpoint makes its access in a step without
 * watchpoints, which is told when it is done: old and new value are there to be seen.
 *
 * Every exception takes the reservation of a load-exclusive away. A step that begins at one runs to the end of its
 * sequence, where breakpoints of hardware wait. A store-exclusive that meets a watchpoint has lost its reservation: it
 * is let fail, the program is stepped back to the load, and the sequence run again without watchpoints.
 *
 * Meanwhile the processor takes no interrupts, and takes debug exceptions. What reads or writes those masks is carried
 * out here, on the program's own; so is what waits for an interrupt, which would not come.
 */
#include "stubs/baremetal/arm64.h"

#include "core/engine/arm64_points.h"

struct tl_stub_arm64_points tl_stub_arm64_points;

/* How many steps may lead from a sequence's store back to its load. */
#define STEPS_BACK 32

/* Instructions, with the register or the number left out. DDI 0487, C6.2. */
#define MRS_DAIF 0xd53b4220u
#define MSR_DAIF 0xd51b4220u
#define MSR_DAIFSET 0xd50340dfu
#define MSR_DAIFCLR 0xd50340ffu
#define WFE 0xd503205fu
#define WFI 0xd503207fu

static tl_u64 untagged(tl_u64 address)
{
	return (tl_u64)((tl_i64)(address << 8) >> 8);
}

/* ---- Code ---- */

/* As it is, traps and all: for a processor that does not serve. */
static enum tl_status read_raw(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	return tl_stub_machine_peek(buffer, address, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status read_original(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return tl_stub_original(context, address, buffer, size);
}

static bool instruction_at(const struct tl_memory_access *memory, tl_u64 address, struct tl_arm64_instruction *in_ret)
{
	tl_u8 bytes[4];

	return memory->read(memory->context, address, bytes, sizeof(bytes)) == TL_OK &&
	       tl_arm64_decode((tl_u32)tl_load_little(bytes, 4), in_ret) == TL_OK;
}

/* ---- What is armed on a way ---- */

static struct tl_arm64_debug_register *break_at(struct tl_arm64_debug_plan *plan, tl_u64 address)
{
	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS; n++)
		if (plan->breaks[n].control != 0 && plan->breaks[n].address == untagged(address))
			return &plan->breaks[n];
	return NULL;
}

static bool add_break(struct tl_arm64_debug_plan *plan, tl_u64 address)
{
	if (break_at(plan, address) != NULL)
		return true;
	for (unsigned n = 0; n < plan->break_count; n++) {
		if (plan->breaks[n].control != 0)
			continue;
		plan->breaks[n] =
			(struct tl_arm64_debug_register){untagged(address), tl_arm64_debug_break_control(), 1};
		return true;
	}
	return false;
}

bool tl_stub_way_plan(const struct tl_stub_machine *machine, const struct tl_stub_way *way,
		      struct tl_arm64_debug_plan *plan_ret)
{
	static const struct tl_arm64_debug_register none;
	struct tl_arm64_debug_register *passed;

	(void)machine;
	*plan_ret = tl_stub_arm64_points.plan;
	if (!way->on)
		return true;
	passed = way->past_break ? break_at(plan_ret, way->at) : NULL;
	if (passed != NULL)
		*passed = none;
	for (unsigned n = 0; way->past_access && n < TL_ARM64_DEBUG_REGISTERS; n++)
		plan_ret->watches[n] = none;
	for (tl_u8 i = 0; way->unit && i < way->sequence.end_count; i++)
		if (!add_break(plan_ret, way->sequence.ends[i]))
			return false;
	return true;
}

void tl_stub_way_masks(struct tl_stub_machine *machine)
{
	struct tl_stub_arm64_frame *frame = &machine->frame;
	struct tl_stub_way *way = &machine->way;

	if (!way->on)
		return;
	way->masks = frame->pstate & TL_STUB_SPSR_MASKS;
	frame->pstate = (frame->pstate & ~TL_STUB_SPSR_DEBUG) | TL_STUB_SPSR_OTHERS;
	if (!way->unit)
		frame->pstate |= TL_STUB_SPSR_STEP;
}

struct tl_stub_way tl_stub_way_over(struct tl_stub_machine *machine)
{
	struct tl_stub_arm64_frame *frame = &machine->frame;
	struct tl_stub_way was = machine->way;

	machine->way = (struct tl_stub_way){.on = false};
	if (was.on)
		frame->pstate = (frame->pstate & ~(TL_STUB_SPSR_MASKS | TL_STUB_SPSR_STEP)) | was.masks;
	return was;
}

/* Makes the way a run through the sequence that the instruction is of, where it can be. */
static void find_unit(const struct tl_stub_machine *machine, const struct tl_memory_access *memory,
		      const struct tl_arm64_instruction *in, struct tl_stub_way *way)
{
	struct tl_arm64_debug_plan plan;
	enum tl_status status = TL_ERROR_INSTRUCTION;

	if (in->kind == TL_ARM64_LOAD_EXCLUSIVE)
		status = tl_arm64_sequence_at(machine->frame.pc, memory, &way->sequence);
	else if (in->kind == TL_ARM64_STORE_EXCLUSIVE)
		status = tl_arm64_sequence_of_store(machine->frame.pc, memory, &way->sequence);
	way->unit = status == TL_OK;
	if (way->unit && !tl_stub_way_plan(machine, way, &plan))
		way->unit = false;
}

/* ---- Steps ---- */

/* The masks are not the program's while it steps; nor does an interrupt come that is waited for. */
static bool carry_out(struct tl_stub_arm64_frame *frame, tl_u32 word)
{
	tl_u32 rt = word & 31, bits = (word >> 8 & 15) << 6;

	if ((frame->pstate & TL_STUB_SPSR_LEVEL) == 0)
		return false; /* programs of a user may be refused all of it */
	if ((word & ~31u) == MRS_DAIF) {
		if (rt != 31)
			frame->x[rt] = frame->pstate & TL_STUB_SPSR_MASKS;
	} else if ((word & ~31u) == MSR_DAIF) {
		frame->pstate &= ~TL_STUB_SPSR_MASKS;
		frame->pstate |= rt != 31 ? frame->x[rt] & TL_STUB_SPSR_MASKS : 0;
	} else if ((word & ~0xf00u) == MSR_DAIFSET) {
		frame->pstate |= bits;
	} else if ((word & ~0xf00u) == MSR_DAIFCLR) {
		frame->pstate &= ~(tl_u64)bits;
	} else if (word != WFI && word != WFE) {
		return false;
	}
	frame->pc += 4;
	frame->pstate &= ~TL_ARM64_BRANCH_TYPE;
	return true;
}

bool tl_stub_way_begin(struct tl_stub_machine *machine, bool wanted)
{
	struct tl_memory_access memory = {.read = read_original, .context = tl_stub()};
	struct tl_stub_way way = {.on = true, .wanted = wanted, .past_break = true, .at = machine->frame.pc};
	struct tl_arm64_instruction in;

	if (instruction_at(&memory, way.at, &in)) {
		if (wanted && carry_out(&machine->frame, in.word))
			return false;
		if (in.kind == TL_ARM64_LOAD_EXCLUSIVE)
			find_unit(machine, &memory, &in, &way);
	}
	machine->way = way;
	return true;
}

/* ---- Accesses ---- */

/* What the instruction will access, without a tag; 0 where that cannot be told. */
static tl_u64 accessed(const struct tl_stub_machine *machine, const struct tl_arm64_instruction *in)
{
	tl_u64 address = 0;

	_Static_assert(sizeof(machine->frame) == TL_ARM64_GENERAL_SIZE, "the frame is bank 0 of the register file");
	if (!tl_arm64_access_address(in, (const tl_u8 *)&machine->frame, &address))
		return 0;
	return untagged(address);
}

/* What was watched and is about to be accessed; false when there is no such thing. */
static bool find_hits(struct tl_stub_machine *machine, tl_u64 far, const struct tl_arm64_instruction *in)
{
	tl_u64 address = in != NULL && in->access_size != 0 ? accessed(machine, in) : 0;

	machine->hit_count = tl_arm64_points_hits(&machine->armed, far, address, in, machine->hits);
	return machine->hit_count != 0;
}

/* A watchpoint's exception: the access is made now, and told afterwards. */
static void access_met(struct tl_stub_machine *machine, const struct tl_stub_way *was, tl_u64 far)
{
	struct tl_memory_access memory = {.read = read_raw};
	struct tl_stub_way way = {.on = true,
				  .wanted = was->on && was->wanted,
				  .past_access = true,
				  .past_break = true,
				  .at = machine->frame.pc};
	struct tl_arm64_instruction in;
	bool known = instruction_at(&memory, way.at, &in);

	if (!find_hits(machine, far, known ? &in : NULL)) {
		/* It is watched no more; the step that it was, if it was one, is taken up again. */
		if (was->on) {
			machine->way = *was;
			machine->way.past_access = true;
		}
		return;
	}
	if (known && in.kind == TL_ARM64_STORE_EXCLUSIVE) {
		way.is_store = true;
		way.sequence.status = in.rs;
	}
	/* A step of this one instruction is no step through the sequence. */
	if (known && (!way.wanted || was->unit || in.kind == TL_ARM64_LOAD_EXCLUSIVE))
		find_unit(machine, &memory, &in, &way);
	machine->way = way;
}

/* A step is done, of whatever sort: told if it was asked for. */
static bool stepped(const struct tl_stub_machine *machine, const struct tl_stub_way *was, struct tl_event *event)
{
	*event = (struct tl_event){.kind = TL_EVENT_STEPPED, .address = machine->frame.pc, .stepped = true};
	return was->wanted;
}

/* The store-exclusive has not stored: back to its load, where the sequence can be overseen. */
static bool try_again(struct tl_stub_machine *machine, const struct tl_stub_way *was)
{
	if (!was->unit)
		return false;
	machine->way = *was;
	machine->way.unit = machine->way.past_access = machine->way.past_break = false;
	machine->way.again = true;
	machine->way.steps = 0;
	return true;
}

static bool access_done(struct tl_stub_machine *machine, const struct tl_stub_way *was, struct tl_event *event)
{
	bool behind = !was->unit || machine->frame.pc == was->sequence.store + 4;
	tl_u8 status = was->sequence.status;

	if (was->is_store && (!behind || (status != 31 && (tl_u32)machine->frame.x[status] != 0)))
		return try_again(machine, was) ? false : stepped(machine, was, event);
	*event = (struct tl_event){
		.kind = TL_EVENT_WATCHPOINT, .address = machine->frame.pc, .exact = true, .stepped = was->wanted};
	event->hit_count = machine->hit_count;
	tl_copy(event->hits, machine->hits, sizeof(event->hits));
	return true;
}

/* One step of the way back to the load of a sequence. */
static bool stepped_back(struct tl_stub_machine *machine, const struct tl_stub_way *was, struct tl_event *event)
{
	struct tl_arm64_debug_plan plan;
	struct tl_stub_way way = *was;

	if (machine->frame.pc == way.sequence.load) {
		way.again = false;
		way.unit = way.past_access = way.past_break = true;
		way.at = machine->frame.pc;
		if (tl_stub_way_plan(machine, &way, &plan)) {
			machine->way = way;
			return false;
		}
	} else if (++way.steps < STEPS_BACK) {
		machine->way = way;
		return false;
	}
	/* It has gone elsewhere: nothing was stored. */
	return stepped(machine, was, event);
}

/* ---- What an exception means ---- */

static bool step_done(struct tl_stub_machine *machine, const struct tl_stub_way *was, struct tl_event *event)
{
	if (was->again)
		return stepped_back(machine, was, event);
	return was->past_access ? access_done(machine, was, event) : stepped(machine, was, event);
}

static bool is_end(const struct tl_arm64_sequence *sequence, tl_u64 address)
{
	for (tl_u8 i = 0; i < sequence->end_count; i++)
		if (sequence->ends[i] == address)
			return true;
	return false;
}

static bool break_met(struct tl_stub_machine *machine, const struct tl_stub_way *was, struct tl_event *event)
{
	tl_u64 at = machine->frame.pc;

	if (was->on && was->unit && is_end(&was->sequence, at)) {
		if (step_done(machine, was, event))
			return true;
		if (machine->way.on)
			return false;
	}
	*event = (struct tl_event){.kind = TL_EVENT_HARDWARE_BREAKPOINT, .address = at};
	return break_at(&tl_stub_arm64_points.plan, at) != NULL;
}

bool tl_stub_way_trap(struct tl_stub_machine *machine, const struct tl_stub_way *was, enum tl_stub_trap trap,
		      tl_u64 far, struct tl_event *event_ret, bool *ours_ret)
{
	*event_ret = (struct tl_event){.kind = TL_EVENT_NONE};
	*ours_ret = true;
	switch (trap) {
	case TL_STUB_TRAP_BRK:
		*event_ret = (struct tl_event){.kind = TL_EVENT_TRAP, .address = machine->frame.pc};
		return true;
	case TL_STUB_TRAP_BREAK:
		return break_met(machine, was, event_ret);
	case TL_STUB_TRAP_WATCH:
		access_met(machine, was, far);
		return false;
	case TL_STUB_TRAP_STEP:
		if (was->on)
			return step_done(machine, was, event_ret);
		break; /* a step of the embedder's own: of a task */
	case TL_STUB_TRAP_OTHER:
		break;
	}
	*ours_ret = false;
	return false;
}

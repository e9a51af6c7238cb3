/*
 * Debug registers, traps, and how threads go past them.
 *
 * Breakpoints and watchpoints of hardware are told before the instruction is executed, and the kernel does nothing to
 * get a traced thread past one: it is told again for ever. So a thread that is to pass a breakpoint goes on without it
 * for one step, and one that has met a watchpoint makes its access without watchpoints, which is told when it is done.
 * Both are struct arm64_way, set before the thread goes, and over when it next stops, whatever the stop is: an access
 * that was not done will be met again.
 *
 * A step, or such a passing, that begins at a load-exclusive goes on to the end of its sequence: every exception takes
 * the reservation away, and a store that failed for it would be tried again for ever. The ends are breakpoints of
 * hardware in this one thread. A store-exclusive that meets a watchpoint has lost its reservation already: it is let
 * fail, the program is stepped back to the load, and the sequence is run again without watchpoints. Where a trap stands
 * on the load, the engine has the load executed elsewhere: the sequence then begins there.
 */
#include "targets/process/arm64.h"

#include "core/cpu/arm64_layout.h"
#include "core/engine/arm64_points.h"
#include "targets/process/arm64_events.h"

#include <elf.h>

/* How many steps may lead from a sequence's store back to its load, and how many stops may come between. */
#define STEPS_BACK 32
#define STOPS_BACK 8

/* ---- Registers of the kernel ---- */

/* struct user_hwdebug_state. */
struct debug_state {
	tl_u32 info;
	tl_u32 padding;
	struct {
		tl_u64 address;
		tl_u32 control;
		tl_u32 padding;
	} registers[TL_ARM64_DEBUG_REGISTERS];
};

#define STATE_SIZE(count) (8 + 16 * (tl_size)(count))

static tl_u8 count_of(const struct process_target *target, const struct traced_thread *thread, int set)
{
	struct debug_state state = {0};
	tl_u8 count;

	if (tl_arm64_get_set(target, thread, set, &state, sizeof(state), NULL) != TL_OK)
		return 0;
	count = (tl_u8)(state.info & 0xff);
	return count <= TL_ARM64_DEBUG_REGISTERS ? count : TL_ARM64_DEBUG_REGISTERS;
}

void tl_arm64_count_debug(struct process_target *target, const struct traced_thread *thread)
{
	if (target->machine.counted)
		return;
	target->machine.break_count = count_of(target, thread, NT_ARM_HW_BREAK);
	target->machine.watch_count = count_of(target, thread, NT_ARM_HW_WATCH);
	target->machine.counted = true;
}

static bool same_register(const struct tl_arm64_debug_register *one, const struct tl_arm64_debug_register *other)
{
	return one->control == other->control && (one->control == 0 || one->address == other->address);
}

/* Makes `armed` like `wanted`, in the machine and in what is remembered; as few registers as come before the last. */
static enum tl_status write_registers(const struct process_target *target, const struct traced_thread *thread, int set,
				      struct tl_arm64_debug_register *armed,
				      const struct tl_arm64_debug_register *wanted)
{
	struct debug_state state = {0};
	unsigned count = TL_ARM64_DEBUG_REGISTERS;
	enum tl_status status;

	while (count > 0 && same_register(&armed[count - 1], &wanted[count - 1]))
		count--;
	if (count == 0)
		return TL_OK;
	for (unsigned n = 0; n < count; n++) {
		state.registers[n].address = wanted[n].address;
		state.registers[n].control = wanted[n].control;
	}
	status = tl_arm64_put_set(target, thread, set, &state, STATE_SIZE(count));
	if (status != TL_OK) {
		if (errno == ENOSPC || errno == EBUSY)
			return TL_ERROR_POINT_FULL;
		/* The kernel lets no one watch its own memory. */
		return errno == EINVAL ? TL_ERROR_MEMORY : status;
	}
	tl_copy(armed, wanted, TL_ARM64_DEBUG_REGISTERS * sizeof(*armed));
	return TL_OK;
}

/* ---- What is armed ---- */

static const struct tl_arm64_debug_register *break_at(const struct tl_arm64_debug_plan *plan, tl_u64 address)
{
	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS; n++)
		if (plan->breaks[n].control != 0 && plan->breaks[n].address == address)
			return &plan->breaks[n];
	return NULL;
}

/* Arms one more breakpoint; false when there is no room. */
static bool add_break(struct tl_arm64_debug_plan *plan, tl_u64 address)
{
	if (break_at(plan, address) != NULL)
		return true;
	for (unsigned n = 0; n < plan->break_count; n++) {
		if (plan->breaks[n].control != 0)
			continue;
		plan->breaks[n] = (struct tl_arm64_debug_register){address, tl_arm64_debug_break_control(), 1};
		return true;
	}
	return false;
}

/* What the thread's registers are to hold on its way; false when they do not suffice. */
static bool plan_way(const struct process_target *target, const struct traced_thread *thread,
		     const struct arm64_way *way, struct tl_arm64_debug_plan *plan_ret)
{
	struct tl_arm64_debug_register none = {0};

	*plan_ret = thread->process->cpu.plan;
	plan_ret->break_count = target->machine.break_count;
	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS; n++) {
		if (way->past_break && plan_ret->breaks[n].address == way->at)
			plan_ret->breaks[n] = none;
		if (way->past_access)
			plan_ret->watches[n] = none;
	}
	for (tl_u8 i = 0; way->unit && i < way->sequence.end_count; i++)
		if (!add_break(plan_ret, way->sequence.ends[i]))
			return false;
	return true;
}

enum tl_status tl_process_cpu_program_debug(const struct process_target *target, struct traced_thread *thread)
{
	struct tl_arm64_debug_plan plan;
	enum tl_status status;

	if (!plan_way(target, thread, &thread->cpu.way, &plan))
		return TL_ERROR_POINT_FULL;
	status = write_registers(target, thread, NT_ARM_HW_BREAK, thread->cpu.armed.breaks, plan.breaks);
	if (status == TL_OK)
		status = write_registers(target, thread, NT_ARM_HW_WATCH, thread->cpu.armed.watches, plan.watches);
	/* Trying again would not change the kernel's mind. */
	if (status != TL_ERROR_GONE)
		thread->debug_generation = thread->process->generation;
	return status;
}

enum tl_status tl_process_cpu_disarm(const struct process_target *target, struct traced_thread *thread)
{
	static const struct tl_arm64_debug_plan none;
	enum tl_status status;

	thread->cpu.way = (struct arm64_way){.on = false};
	status = write_registers(target, thread, NT_ARM_HW_BREAK, thread->cpu.armed.breaks, none.breaks);
	TL_TRY(write_registers(target, thread, NT_ARM_HW_WATCH, thread->cpu.armed.watches, none.watches));
	return status;
}

void tl_process_cpu_debug_cleared(struct traced_thread *thread)
{
	thread->cpu = (struct cpu_thread){.hit_count = 0};
}

/* ---- Ways ---- */

struct code {
	struct process_target *target;
	tl_u64 process;
};

/* The program's own code, without the traps that stand in it. */
static enum tl_status read_code(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct code *code = context;
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(code->target->target.engine, code->process, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

/* The instruction at the thread's program counter; false when there is none. */
static bool instruction_at(struct process_target *target, const struct traced_thread *thread,
			   struct tl_arm64_instruction *in_ret)
{
	tl_u8 bytes[4];
	tl_size done = 0;

	return tl_process_memory_read(&target->target, (tl_u64)thread->process->id, thread->general.pc, bytes,
				      sizeof(bytes), &done) == TL_OK &&
	       done == sizeof(bytes) && tl_arm64_decode((tl_u32)tl_load_little(bytes, 4), in_ret) == TL_OK;
}

/* Makes the way a run through the sequence that the instruction is of, where it can be. */
static void find_unit(struct process_target *target, const struct traced_thread *thread,
		      const struct tl_arm64_instruction *in, struct arm64_way *way)
{
	struct code code = {target, (tl_u64)thread->process->id};
	struct tl_memory_access memory = {.read = read_code, .context = &code};
	struct tl_arm64_debug_plan plan;
	tl_u64 at = thread->general.pc;
	enum tl_status status = TL_ERROR_INSTRUCTION;

	if (in->kind == TL_ARM64_LOAD_EXCLUSIVE)
		status = tl_arm64_sequence_at(at, &memory, &way->sequence);
	else if (in->kind == TL_ARM64_STORE_EXCLUSIVE)
		status = tl_arm64_sequence_of_store(at, &memory, &way->sequence);
	way->unit = status == TL_OK;
	if (way->unit && !plan_way(target, thread, way, &plan))
		way->unit = false;
}

/* The thread, which stands, goes this way when it next goes. */
static void take_way(struct traced_thread *thread, const struct arm64_way *way)
{
	thread->cpu.way = *way;
	thread->cpu.way.on = true;
	thread->debug_generation = thread->process->generation - 1;
}

/* What the instruction will access, without a tag; 0 where that cannot be told. */
static tl_u64 accessed(const struct traced_thread *thread, const struct tl_arm64_instruction *in)
{
	tl_u8 file[TL_ARM64_GENERAL_SIZE];
	tl_u64 address = 0;

	tl_copy(file, &thread->general, sizeof(file));
	if (!tl_arm64_access_address(in, file, &address))
		return 0;
	return (tl_u64)((tl_i64)(address << 8) >> 8);
}

/*
 * Where the store has failed that met a watchpoint, its load may be what the thread goes on with, here or elsewhere. A
 * handler may come between, and go through the same code for something else.
 */
static void resume_store(struct traced_thread *thread, const struct tl_arm64_instruction *in, struct arm64_way *way)
{
	struct cpu_thread *cpu = &thread->cpu;

	if (cpu->unstored == 0)
		return;
	if (way->unit && way->sequence.store == cpu->unstored && accessed(thread, in) == cpu->unstored_address)
		way->past_access = way->is_store = true;
	else if (--cpu->unstored_stops == 0)
		cpu->unstored = 0;
}

enum tl_status tl_process_cpu_prepare(struct process_target *target, struct traced_thread *thread, enum tl_run run,
				      bool over)
{
	struct arm64_way way = {0};
	struct tl_arm64_instruction in;

	thread->cpu.way = way;
	thread->cpu.over = false;
	if (run != TL_RUN_STEP && !over && thread->cpu.unstored == 0)
		return TL_OK;
	TL_TRY(tl_process_cpu_general(target, thread));
	tl_arm64_count_debug(target, thread);
	way.at = thread->general.pc;
	way.past_break = over && break_at(&thread->process->cpu.plan, way.at) != NULL;
	if (instruction_at(target, thread, &in)) {
		way.call = in.kind == TL_ARM64_SVC;
		if (in.kind == TL_ARM64_LOAD_EXCLUSIVE)
			find_unit(target, thread, &in, &way);
		resume_store(thread, &in, &way);
	}
	if (run != TL_RUN_STEP && !way.past_break && !way.past_access)
		return TL_OK;
	if (!way.unit && !way.past_break)
		return TL_OK;
	way.step = !way.unit;
	thread->cpu.over = way.past_break;
	thread->cpu.over_at = way.at;
	take_way(thread, &way);
	return tl_process_cpu_program_debug(target, thread);
}

enum tl_status tl_process_cpu_prepare_again(struct process_target *target, struct traced_thread *thread)
{
	bool over = thread->cpu.over;

	/* Its registers are as the way has it already. */
	if (thread->cpu.way.on)
		return TL_OK;
	if (over)
		TL_TRY(tl_process_cpu_general(target, thread));
	return tl_process_cpu_prepare(target, thread, thread->request.run,
				      over && thread->general.pc == thread->cpu.over_at);
}

long tl_process_cpu_request(const struct traced_thread *thread, long wanted)
{
	const struct arm64_way *way = &thread->cpu.way;

	if (!way->on)
		return wanted;
	if (way->unit)
		return wanted == PTRACE_SYSCALL ? PTRACE_SYSCALL : PTRACE_CONT;
	/* A step would keep the call's entry and return to itself. */
	return way->step && !(way->call && wanted == PTRACE_SYSCALL) ? PTRACE_SINGLESTEP : wanted;
}

void tl_process_cpu_stopped(struct traced_thread *thread)
{
	struct cpu_thread *cpu = &thread->cpu;

	cpu->was = cpu->way;
	cpu->way = (struct arm64_way){.on = false};
	if (cpu->was.on && thread->process != NULL)
		thread->debug_generation = thread->process->generation - 1;
}

void tl_process_cpu_not_yet(struct traced_thread *thread)
{
	thread->cpu.way = thread->cpu.was;
}

bool tl_process_cpu_is_trap(const siginfo_t *info)
{
	return tl_arm64_is_trap(info);
}

/* ---- Traps ---- */

static void stepped(const struct traced_thread *thread, struct tl_event *event)
{
	bool wanted = thread->request.run == TL_RUN_STEP;

	*event = (struct tl_event){
		.kind = wanted ? TL_EVENT_STEPPED : TL_EVENT_NONE, .address = thread->general.pc, .stepped = wanted};
}

/* ---- Traps: accesses ---- */

/* What was watched and is about to be accessed; false when it is watched no more. */
static bool find_hits(struct traced_thread *thread, tl_u64 far, const struct tl_arm64_instruction *in)
{
	struct cpu_thread *cpu = &thread->cpu;
	tl_u64 address = in != NULL && in->access_size != 0 ? accessed(thread, in) : 0;

	cpu->hit_count = tl_arm64_points_hits(&cpu->armed, far, address, in, cpu->hits);
	return cpu->hit_count != 0;
}

/* A watchpoint's exception: the access is made now, and told afterwards. */
static void access_met(struct process_target *target, struct traced_thread *thread, const siginfo_t *info,
		       struct tl_event *event)
{
	struct arm64_way way = {.at = thread->general.pc, .past_access = true, .past_break = true};
	struct tl_arm64_instruction in;
	bool known = instruction_at(target, thread, &in), in_unit = thread->cpu.was.unit;

	*event = (struct tl_event){.kind = TL_EVENT_NONE};
	thread->cpu.unstored = 0;
	if (!find_hits(thread, (tl_u64)(tl_uintptr)info->si_addr, known ? &in : NULL)) {
		event->kind = TL_EVENT_PAUSED;
		return;
	}
	if (known && in.kind == TL_ARM64_STORE_EXCLUSIVE) {
		way.is_store = true;
		way.sequence.status = in.rs;
	}
	/* A step of this one instruction is no step through the sequence. */
	if (known && (thread->request.run != TL_RUN_STEP || in_unit || in.kind == TL_ARM64_LOAD_EXCLUSIVE))
		find_unit(target, thread, &in, &way);
	if (way.is_store && way.unit) {
		thread->cpu.unstored = way.sequence.store;
		thread->cpu.unstored_address = accessed(thread, &in);
		thread->cpu.unstored_stops = STOPS_BACK;
	}
	way.step = !way.unit;
	take_way(thread, &way);
}

/* The store of a sequence that was to be watched has failed, its reservation lost: back to the load. */
static bool try_again(struct traced_thread *thread)
{
	struct arm64_way way = thread->cpu.was;

	if (!way.unit || thread->general.pc != way.sequence.store + 4)
		return false;
	way.unit = way.past_access = way.past_break = false;
	way.step = way.again = true;
	way.steps = 0;
	take_way(thread, &way);
	return true;
}

/* The way past a watchpoint is behind it. */
static void access_done(struct traced_thread *thread, struct tl_event *event)
{
	const struct arm64_way *was = &thread->cpu.was;
	bool in_place = !was->unit || thread->general.pc == was->sequence.store + 4;
	tl_u8 status = was->sequence.status;

	if (was->is_store && (!in_place || (status != 31 && (tl_u32)thread->general.regs[status] != 0))) {
		stepped(thread, event);
		if (try_again(thread))
			event->kind = TL_EVENT_NONE;
		return;
	}
	thread->cpu.unstored = 0;
	*event = (struct tl_event){.kind = TL_EVENT_WATCHPOINT,
				   .address = thread->general.pc,
				   .exact = true,
				   .stepped = thread->request.run == TL_RUN_STEP};
	event->hit_count = thread->cpu.hit_count;
	tl_copy(event->hits, thread->cpu.hits, sizeof(event->hits));
}

/* One step of the way back to the load of a sequence. */
static void stepped_back(struct process_target *target, struct traced_thread *thread, struct tl_event *event)
{
	struct arm64_way way = thread->cpu.was;
	struct tl_arm64_debug_plan plan;

	*event = (struct tl_event){.kind = TL_EVENT_NONE};
	if (thread->general.pc == way.sequence.load) {
		way.again = way.step = false;
		way.unit = way.past_access = way.past_break = true;
		way.at = thread->general.pc;
		if (plan_way(target, thread, &way, &plan)) {
			take_way(thread, &way);
			return;
		}
	} else if (++way.steps < STEPS_BACK) {
		take_way(thread, &way);
		return;
	}
	/* It has gone elsewhere: nothing was stored. */
	stepped(thread, event);
}

/* ---- Traps: all of them ---- */

static void step_done(struct process_target *target, struct traced_thread *thread, struct tl_event *event)
{
	const struct arm64_way *was = &thread->cpu.was;

	if (was->on && was->again)
		stepped_back(target, thread, event);
	else if (was->on && was->past_access)
		access_done(thread, event);
	else
		stepped(thread, event);
	thread->cpu.over = false;
}

static bool is_end(const struct tl_arm64_sequence *sequence, tl_u64 address)
{
	for (tl_u8 i = 0; i < sequence->end_count; i++)
		if (sequence->ends[i] == address)
			return true;
	return false;
}

static void breakpoint_met(struct process_target *target, struct traced_thread *thread, struct tl_event *event)
{
	const struct arm64_way *was = &thread->cpu.was;
	tl_u64 at = thread->general.pc;

	event->kind = TL_EVENT_PAUSED;
	if (was->on && was->unit && is_end(&was->sequence, at)) {
		step_done(target, thread, event);
		if (event->kind != TL_EVENT_NONE || thread->cpu.way.on)
			return;
	}
	event->address = at;
	if (break_at(&thread->process->cpu.plan, at) != NULL)
		event->kind = TL_EVENT_HARDWARE_BREAKPOINT;
}

enum tl_status tl_process_cpu_classify(struct process_target *target, struct traced_thread *thread,
				       const siginfo_t *info, struct tl_event *event_ret)
{
	const struct cpu_thread *cpu = &thread->cpu;
	struct tl_arm64_signal_facts facts = {.info = info, .program_counter = thread->general.pc};

	facts.stepping = cpu->was.on ? cpu->was.step || cpu->was.unit : thread->request.run == TL_RUN_STEP;
	facts.break_here = break_at(&cpu->armed, facts.program_counter) != NULL;
	*event_ret = (struct tl_event){.kind = TL_EVENT_NONE};
	switch (tl_arm64_trap_of(&facts)) {
	case TL_ARM64_TRAP_NONE:
		tl_stop_signal_event(info, facts.program_counter, event_ret);
		break;
	case TL_ARM64_TRAP_BRK:
		event_ret->kind = TL_EVENT_TRAP;
		event_ret->address = facts.program_counter;
		break;
	case TL_ARM64_TRAP_STEP:
		step_done(target, thread, event_ret);
		break;
	case TL_ARM64_TRAP_BREAKPOINT:
		breakpoint_met(target, thread, event_ret);
		break;
	case TL_ARM64_TRAP_WATCHPOINT:
		access_met(target, thread, info, event_ret);
		break;
	}
	return TL_OK;
}

/* ---- Hardware points ---- */

static struct traced_thread *standing_thread(const struct traced_process *process)
{
	for (struct traced_thread *thread = process->threads; thread != NULL; thread = thread->next)
		if (thread->state == TRACED_STOPPED && thread->place != PLACE_ASLEEP)
			return thread;
	return NULL;
}

/* Where no thread of the process stood yet, what every machine has. */
static void set_counts(struct process_target *target, struct traced_process *process)
{
	struct tl_arm64_debug_plan *plan = &process->cpu.plan;
	const struct traced_thread *thread = standing_thread(process);

	if (thread != NULL)
		tl_arm64_count_debug(target, thread);
	plan->break_count = target->machine.counted ? target->machine.break_count : 2;
	plan->watch_count = target->machine.counted ? target->machine.watch_count : 2;
}

enum tl_status tl_process_cpu_insert_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	struct traced_thread *thread;
	struct tl_arm64_debug_plan before;
	enum tl_arm64_debug_kind debug;
	enum tl_status status = TL_OK;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (!tl_arm64_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	set_counts(target, process);
	before = process->cpu.plan;
	TL_TRY(tl_arm64_debug_add(&process->cpu.plan, debug, address, size));
	process->generation++;
	/* One thread that stands tries it, so that the kernel's refusal is heard. */
	thread = standing_thread(process);
	if (thread != NULL)
		status = tl_process_cpu_program_debug(target, thread);
	if (status != TL_OK && status != TL_ERROR_GONE)
		process->cpu.plan = before;
	else
		status = TL_OK;
	tl_process_run_reprogram(target, process);
	return status;
}

enum tl_status tl_process_cpu_remove_point(struct tl_target *base, tl_u64 id, enum tl_point_kind kind, tl_u64 address,
					   tl_u64 size)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);
	enum tl_arm64_debug_kind debug;

	if (process == NULL)
		return TL_ERROR_GONE;
	if (!tl_arm64_points_kind(kind, &debug))
		return TL_ERROR_POINT_KIND;
	TL_TRY(tl_arm64_debug_remove(&process->cpu.plan, debug, address, size));
	tl_process_run_reprogram(target, process);
	return TL_OK;
}

tl_u32 tl_process_cpu_hardware_points(struct tl_target *base, tl_u64 id)
{
	struct process_target *target = process_target(base);
	struct traced_process *process = tl_process_find(target, id);

	if (process == NULL)
		return 0;
	set_counts(target, process);
	return process->cpu.plan.watch_count;
}

/* What a vCPU does about debugging, in its own thread: points it meets, steps, and what is given back to the guest. */
#include "targets/kvm/exit.h"
#include "targets/kvm/vcpu.h"

#include "base/trace.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How long a step may block interrupts, and hold the machine. */
#define PATIENCE_NANOSECONDS 50000000
/* How often a step after which nothing has changed is made again. */
#define TRIES_MAX 64

static bool is_mine(const struct tl_kvm_vcpu *vcpu)
{
	return vcpu->crew->taken && vcpu->crew->alone == vcpu;
}

/* ---- Patience ---- */

void tl_kvm_vcpu_patience_begin(struct tl_kvm_vcpu *vcpu)
{
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = vcpu->crew->signal;
	event._sigev_un._tid = gettid();
	vcpu->has_patience = timer_create(CLOCK_MONOTONIC, &event, &vcpu->patience) == 0;
}

void tl_kvm_vcpu_patience_end(struct tl_kvm_vcpu *vcpu)
{
	if (vcpu->has_patience)
		(void)timer_delete(vcpu->patience);
	vcpu->has_patience = false;
}

/* Again and again, so that it does not matter when exactly a signal comes. */
static void set_patience(struct tl_kvm_vcpu *vcpu, bool on)
{
	struct itimerspec times = {{0, on ? PATIENCE_NANOSECONDS : 0}, {0, on ? PATIENCE_NANOSECONDS : 0}};

	if (vcpu->has_patience)
		(void)timer_settime(vcpu->patience, 0, &times, NULL);
}

static tl_u64 host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * 1000000000u + (tl_u64)now.tv_nsec;
}

/* ---- What KVM is told ---- */

static bool program(struct tl_kvm_vcpu *vcpu, const struct tl_kvm_debug_wish *wish)
{
	const struct tl_kvm_crew *crew = vcpu->crew;
	const struct tl_kvm_calls *calls = crew->vm->calls;
	struct kvm_guest_debug debug, before = {0};
	char text[128];

	if (vcpu->armed_known && tl_kvm_debug_same(wish, &vcpu->armed))
		return true;
	tl_kvm_debug_program(wish, &debug);
	if (vcpu->armed_known)
		tl_kvm_debug_program(&vcpu->armed, &before);
	/* A machine that nobody debugs is not even asked whether it could be. */
	if (debug.control == 0 && before.control == 0)
		return true;
	if (calls->ioctl(calls->context, vcpu->cpu->descriptor, KVM_SET_GUEST_DEBUG, (unsigned long)&debug) < 0) {
		snprintf(text, sizeof(text), "vCPU %u cannot be debugged: KVM_SET_GUEST_DEBUG failed (control 0x%x).",
			 vcpu->number, debug.control);
		tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_FAILED, 0, text);
		return false;
	}
	vcpu->armed = *wish;
	vcpu->armed_known = true;
	TL_TRACE(POINTS, "kvm: vCPU %u: KVM_SET_GUEST_DEBUG control 0x%x, DR7 0x%llx", vcpu->number, debug.control,
		 (unsigned long long)debug.arch.debugreg[7]);
	return true;
}

static struct tl_kvm_debug_wish wish_of(const struct tl_kvm_vcpu *vcpu)
{
	const struct tl_kvm_crew *crew = vcpu->crew;
	struct tl_kvm_debug_wish wish = {
		.plan = crew->plan, .traps = crew->points.count != 0, .catch_debug = vcpu->step_owed};

	return wish;
}

/* ---- Passing what stands at the program counter ---- */

/* A point at whose address a debug register waits, as no page is there, or was when it was armed. */
static const struct tl_kvm_point *held_at(const struct tl_kvm_vcpu *vcpu, tl_u64 address)
{
	const struct tl_kvm_point *point = tl_kvm_points_find(&vcpu->crew->points, address);

	return point != NULL && (point->held || tl_kvm_debug_breaks_at(&vcpu->armed.plan, address) != 0) ? point : NULL;
}

void tl_kvm_vcpu_pass_here(struct tl_kvm_vcpu *vcpu)
{
	tl_u64 at, physical;

	if (vcpu->crew->points.count == 0)
		return;
	at = tl_kvm_vcpu_address(vcpu);
	if (held_at(vcpu, at) != NULL && (vcpu->general.rflags & TL_X86_FLAG_RF) == 0) {
		vcpu->general.rflags |= TL_X86_FLAG_RF;
		(void)tl_kvm_vcpu_store(vcpu);
	}
	/* One that is still to be passed further up, behind a handler in which the vCPU stopped, stays. */
	if (!tl_kvm_vcpu_translate(vcpu, at, &physical) || !tl_kvm_points_planted(&vcpu->crew->points, physical))
		return;
	vcpu->pass = true;
	vcpu->pass_at = at;
	vcpu->pass_stack = vcpu->general.rsp;
}

/* Whether it stands at what it is to pass; where the int3 is. */
static bool passes(struct tl_kvm_vcpu *vcpu, tl_u64 *physical_ret)
{
	if (!vcpu->pass || tl_kvm_vcpu_address(vcpu) != vcpu->pass_at || vcpu->general.rsp != vcpu->pass_stack)
		return false;
	return tl_kvm_vcpu_translate(vcpu, vcpu->pass_at, physical_ret) &&
	       tl_kvm_points_planted(&vcpu->crew->points, *physical_ret);
}

/* ---- Steps ---- */

static void put_back(struct tl_kvm_vcpu *vcpu)
{
	if (vcpu->step.lifted)
		tl_kvm_points_lower(&vcpu->crew->points, vcpu->step.physical);
	vcpu->step.lifted = false;
	if (is_mine(vcpu))
		tl_kvm_give(vcpu->crew);
}

/* The instruction was left for a handler, which has TF in its frame. */
static bool overtaken(struct tl_kvm_vcpu *vcpu)
{
	return tl_kvm_vcpu_address(vcpu) != vcpu->step.from;
}

/* KVM forgets the step: what it shows of the flags is what the guest will have. */
static void disarm(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_debug_wish wish = wish_of(vcpu);

	if (!vcpu->armed_known || !vcpu->armed.step)
		return;
	if (program(vcpu, &wish))
		tl_kvm_vcpu_forget(vcpu);
}

static void clear_trap_flag(struct tl_kvm_vcpu *vcpu)
{
	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK || (vcpu->general.rflags & TL_X86_FLAG_TF) == 0)
		return;
	vcpu->general.rflags &= ~TL_X86_FLAG_TF;
	(void)tl_kvm_vcpu_store(vcpu);
}

/* What the step left in the guest is put right; KVM knows of no step any more. */
static struct tl_x86_step_result mend(struct tl_kvm_vcpu *vcpu, bool trapped)
{
	const struct tl_memory_access memory = tl_kvm_vcpu_memory(vcpu);
	struct tl_x86_step_result result = {.end = TL_X86_STEP_DONE};

	/* It came with the flags of a handler's frame. */
	if (vcpu->step.gone)
		clear_trap_flag(vcpu);
	if (tl_kvm_vcpu_fill_file(vcpu) != TL_OK)
		return result;
	result = tl_x86_step_end(&vcpu->step.x86, vcpu->file, trapped, &memory);
	(void)tl_kvm_vcpu_store_file(vcpu, result.changed);
	return result;
}

void tl_kvm_vcpu_drop_step(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_step *step = &vcpu->step;

	if (!step->active) {
		if (is_mine(vcpu))
			tl_kvm_give(vcpu->crew);
		return;
	}
	step->active = false;
	if (overtaken(vcpu)) {
		vcpu->step_owed = true;
		vcpu->crew->counters.overtaken_steps++;
	}
	put_back(vcpu);
	set_patience(vcpu, false);
	disarm(vcpu);
	(void)mend(vcpu, false);
}

static enum tl_status begin_step(struct tl_kvm_vcpu *vcpu, bool lift, tl_u64 physical)
{
	const struct tl_memory_access memory = tl_kvm_vcpu_memory(vcpu);
	bool hide = (vcpu->crew->debug_flags & KVM_GUESTDBG_BLOCKIRQ) == 0;
	struct tl_kvm_step *step = &vcpu->step;

	/* Where it begins is known then, and whether it went anywhere. */
	TL_TRY(tl_kvm_vcpu_fill_file(vcpu));
	*step = (struct tl_kvm_step){.active = true,
				     .patient = true,
				     .lifted = lift,
				     .physical = physical,
				     .from = tl_kvm_vcpu_address(vcpu),
				     .began = host_now()};
	tl_x86_step_begin(&step->x86, vcpu->file, hide, &memory);
	TL_TRY(tl_kvm_vcpu_store_file(vcpu, step->x86.changed));
	if (lift)
		tl_kvm_points_lift(&vcpu->crew->points, physical);
	set_patience(vcpu, true);
	return TL_OK;
}

/* Handlers that the instruction may lead to, as far as there are debug registers for them. */
static void add_landings(const struct tl_x86_step *step, struct tl_x86_debug_plan *plan)
{
	for (tl_u8 i = 0; i < step->landing_count; i++)
		if (tl_kvm_debug_add(plan, TL_POINT_HARDWARE, step->landings[i].address, 1) != TL_OK)
			return;
}

static bool is_landing(const struct tl_kvm_step *step, tl_u64 address)
{
	for (tl_u8 i = 0; i < step->x86.landing_count; i++)
		if (step->active && step->x86.landings[i].address == address)
			return true;
	return false;
}

static void give_to_guest(struct tl_kvm_vcpu *vcpu, tl_u8 vector, tl_u64 causes)
{
	char text[96];

	vcpu->crew->counters.given_to_guest++;
	if (tl_kvm_vcpu_add_causes(vcpu, causes) == TL_OK && tl_kvm_vcpu_inject(vcpu, vector) == TL_OK)
		return;
	snprintf(text, sizeof(text), "vCPU %u: exception %u could not be given back to the guest.", vcpu->number,
		 vector);
	tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_FAILED, 0, text);
}

/*
 * The step has come to its end, by DR6.BS (`trapped`) or at a landing: what it had taken is put back. False: nothing
 * has come of it, and it is made again.
 */
static bool finish_step(struct tl_kvm_vcpu *vcpu, bool trapped)
{
	struct tl_kvm_step *step = &vcpu->step;
	struct tl_x86_step_result result;
	tl_u32 tries = step->tries;

	step->active = false;
	put_back(vcpu);
	set_patience(vcpu, false);
	disarm(vcpu);
	result = mend(vcpu, trapped);
	if (result.end == TL_X86_STEP_AGAIN && tries < TRIES_MAX) {
		vcpu->crew->counters.repeated_steps++;
		vcpu->again = tries + 1;
		return false;
	}
	vcpu->again = 0;
	/* In a handler the instruction is still to come. */
	vcpu->pass = vcpu->pass && result.end == TL_X86_STEP_ENTERED;
	vcpu->crew->counters.steps++;
	if (result.sti_shadow)
		(void)tl_kvm_vcpu_shadow(vcpu);
	if (result.guest_trap)
		give_to_guest(vcpu, 1, TL_X86_DR6_STEP);
	return true;
}

static bool arm(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_step *step = &vcpu->step;
	struct tl_kvm_debug_wish wish = wish_of(vcpu);

	if (step->active && step->armed && vcpu->armed.block_interrupts == step->patient)
		return true;
	if (step->active && overtaken(vcpu)) {
		/* TF would be set in the handler: the one in its frame is enough. */
		wish.catch_debug = step->gone = true;
	} else if (step->active) {
		wish.step = true;
		add_landings(&step->x86, &wish.plan);
		wish.block_interrupts = step->patient && (vcpu->crew->debug_flags & KVM_GUESTDBG_BLOCKIRQ) != 0;
	}
	if (!program(vcpu, &wish))
		return false;
	step->armed = step->active;
	return true;
}

/* True: the vCPU is to enter the guest for it. */
static bool start_step(struct tl_kvm_vcpu *vcpu, bool lift, tl_u64 physical)
{
	const struct tl_event stepped = {.kind = TL_EVENT_STEPPED, .stepped = true};

	if (begin_step(vcpu, lift, physical) != TL_OK) {
		tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_FAILED, 0,
				 "A processor's registers cannot be read or set for a step.");
		return false;
	}
	vcpu->step.tries = vcpu->again;
	if (!vcpu->step.x86.done)
		return true;
	/* It was carried out on the registers. */
	(void)finish_step(vcpu, true);
	if (vcpu->task == TL_KVM_STEP)
		tl_kvm_vcpu_announce(vcpu, &stepped);
	return false;
}

bool tl_kvm_vcpu_prepare(struct tl_kvm_vcpu *vcpu)
{
	tl_u64 physical = 0;
	bool lift;

	if (!vcpu->step.active) {
		lift = passes(vcpu, &physical);
		if (lift && !is_mine(vcpu)) {
			/* Orders may have come while it waited for the others. */
			(void)tl_kvm_take(vcpu);
			return false;
		}
		if (!lift && is_mine(vcpu))
			tl_kvm_give(vcpu->crew);
		if (lift)
			vcpu->crew->counters.stepped_over++;
		if ((lift || vcpu->task == TL_KVM_STEP) && !start_step(vcpu, lift, physical))
			return false;
	}
	return arm(vcpu);
}

void tl_kvm_vcpu_came_out(struct tl_kvm_vcpu *vcpu, bool debug)
{
	struct tl_kvm_step *step = &vcpu->step;

	if (debug || !step->active || !step->patient || host_now() - step->began < PATIENCE_NANOSECONDS)
		return;
	step->patient = false;
	set_patience(vcpu, false);
	put_back(vcpu);
	/* It has not begun, and must not run into the int3: it begins anew when the others have run a while. */
	if (!overtaken(vcpu) && vcpu->pass)
		tl_kvm_vcpu_drop_step(vcpu);
}

/* ---- Conditions ---- */

static enum tl_status condition_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return tl_kvm_vcpu_read(context, address, buffer, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status condition_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	return tl_kvm_vcpu_register(context, number, value_ret);
}

static bool conditions_hold(struct tl_kvm_vcpu *vcpu, const struct tl_conditions *conditions)
{
	const struct tl_agent_environment environment = {.read_memory = condition_memory,
							 .read_register = condition_register,
							 .context = vcpu,
							 .address_size = 8};

	return tl_conditions_hold(conditions, &environment);
}

/*
 * The instruction under an int3 whose conditions are false, carried out without the processor: nobody has to wait. Only
 * in 64-bit mode, which the engine's decoder speaks, and where the guest does not step itself.
 */
static bool carry_out(struct tl_kvm_vcpu *vcpu)
{
	const struct tl_memory_access any = tl_kvm_vcpu_memory(vcpu), program = tl_kvm_vcpu_program_memory(vcpu);
	struct tl_instruction instruction;
	tl_u8 bytes[TL_INSTRUCTION_MAX];
	tl_size size = sizeof(bytes);
	tl_u64 at;

	if (tl_kvm_vcpu_fill_file(vcpu) != TL_OK || tl_x86_mode_of(vcpu->file) != TL_X86_MODE_64 ||
	    (vcpu->general.rflags & TL_X86_FLAG_TF) != 0)
		return false;
	at = tl_kvm_vcpu_address(vcpu);
	while (size > 0 && any.read(any.context, at, bytes, size) != TL_OK)
		size--;
	if (size == 0 || tl_cpu_x86_64.decode(bytes, size, &instruction) != TL_OK || !instruction.carried_out ||
	    tl_cpu_x86_64.carry_out(vcpu->file, bytes, size, &program) != TL_OK ||
	    tl_kvm_vcpu_store_file(vcpu, 1u << TL_BANK_GENERAL) != TL_OK)
		return false;
	vcpu->crew->counters.carried_out++;
	return true;
}

/* ---- Exits ---- */

/* A software point of ours is met; false: none of its conditions holds. */
static bool stops(struct tl_kvm_vcpu *vcpu, const struct tl_kvm_point *point)
{
	const struct tl_event event = {.kind = TL_EVENT_TRAP, .address = point->address};

	if (conditions_hold(vcpu, point->conditions)) {
		tl_kvm_vcpu_announce(vcpu, &event);
		return true;
	}
	vcpu->crew->counters.false_conditions++;
	return false;
}

/* On from a software point that stopped nobody. */
static void go_past(struct tl_kvm_vcpu *vcpu)
{
	if (!carry_out(vcpu))
		tl_kvm_vcpu_pass_here(vcpu);
}

/* An int3 ran at a linear address. */
static void trap_exit(struct tl_kvm_vcpu *vcpu, tl_u64 address)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	const struct tl_kvm_point *point = tl_kvm_points_find(&crew->points, address);
	const tl_u8 *byte;
	tl_u64 physical;
	bool known = tl_kvm_vcpu_translate(vcpu, address, &physical);

	crew->counters.traps++;
	if (known && point != NULL && point->planted && point->physical == physical) {
		tl_u64 unused;

		if (passes(vcpu, &unused))
			return; /* it was to be passed, and something came in between */
		if (!stops(vcpu, point))
			go_past(vcpu);
		return;
	}
	if (known && tl_kvm_points_planted(&crew->points, physical)) {
		/* The same memory at another address: nobody asked for a stop there. */
		tl_kvm_vcpu_pass_here(vcpu);
		return;
	}
	byte = known ? tl_kvm_memory_at(&crew->vm->memory, physical, 1) : NULL;
	if (byte != NULL && __atomic_load_n(byte, __ATOMIC_SEQ_CST) != TL_KVM_TRAP) {
		crew->counters.stale++;
		return;
	}
	give_to_guest(vcpu, 3, 0);
}

/* The guest's own int1 is behind itself when its handler runs. */
static void pass_int1(struct tl_kvm_vcpu *vcpu)
{
	tl_u8 byte;

	if (tl_kvm_vcpu_read(vcpu, tl_kvm_vcpu_address(vcpu), &byte, 1) != 1 || byte != 0xf1)
		return;
	vcpu->general.rip++;
	(void)tl_kvm_vcpu_store(vcpu);
}

static void swallow(struct tl_kvm_vcpu *vcpu)
{
	vcpu->step_owed = false;
	vcpu->crew->counters.swallowed_steps++;
	clear_trap_flag(vcpu);
}

/* What of a hardware breakpoint's or a step's end concerns the engine. */
static void tell(struct tl_kvm_vcpu *vcpu, struct tl_event *event)
{
	bool wanted = vcpu->task == TL_KVM_STEP;

	if (event->kind == TL_EVENT_STEPPED && !wanted)
		return; /* one of our own, over an int3 */
	event->stepped = event->stepped && wanted;
	if (event->kind != TL_EVENT_NONE)
		tl_kvm_vcpu_announce(vcpu, event);
}

static void debug_exception(struct tl_kvm_vcpu *vcpu, tl_u64 dr6, tl_u64 address)
{
	const struct tl_kvm_debug_input input = {
		.plan = &vcpu->armed.plan, .stepping = vcpu->step.active, .step_owed = vcpu->step_owed};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(dr6, address, &input);
	const struct tl_kvm_point *held;

	if (exit.event.kind == TL_EVENT_HARDWARE_BREAKPOINT && is_landing(&vcpu->step, address)) {
		exit.event = (struct tl_event){.kind = TL_EVENT_STEPPED, .stepped = true};
		(void)finish_step(vcpu, false);
	} else if (exit.event.stepped && !finish_step(vcpu, true) && exit.event.kind == TL_EVENT_STEPPED) {
		return;
	}
	if (exit.swallowed)
		swallow(vcpu);
	if (vcpu->log.count != 0)
		(void)tl_kvm_vcpu_take_accesses(vcpu, &exit.event);
	if (exit.guest_debug) {
		if (exit.guest_causes == 0)
			pass_int1(vcpu);
		give_to_guest(vcpu, 1, exit.guest_causes);
	}
	if (vcpu->task == TL_KVM_STAND)
		return;
	held = exit.event.kind == TL_EVENT_HARDWARE_BREAKPOINT ? held_at(vcpu, address) : NULL;
	if (held != NULL && stops(vcpu, held))
		return;
	/* A hardware breakpoint at the same address has no conditions here. */
	if (held == NULL || tl_kvm_debug_breaks_at(&vcpu->crew->plan, address) > held->held)
		tell(vcpu, &exit.event);
	else
		go_past(vcpu);
}

void tl_kvm_vcpu_debug_exit(struct tl_kvm_vcpu *vcpu)
{
	const struct kvm_debug_exit_arch *debug = &vcpu->cpu->run->debug.arch;

	TL_TRACE(EVENTS, "kvm: vCPU %u: KVM_EXIT_DEBUG, exception %u at %llx, DR6 %llx", vcpu->number, debug->exception,
		 (unsigned long long)debug->pc, (unsigned long long)debug->dr6);
	if (debug->exception == 3)
		trap_exit(vcpu, debug->pc);
	else
		debug_exception(vcpu, debug->dr6, debug->pc);
}

/*
 * A KVM that carries the guest's instructions out itself may know no int3 (a failure of emulation at the int3 is all
 * that comes): it is told from what stands there.
 */
bool tl_kvm_vcpu_unknown_trap(struct tl_kvm_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->cpu->run;
	tl_u64 at, physical;
	const tl_u8 *byte;

	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR || run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		return false;
	at = tl_kvm_vcpu_address(vcpu);
	byte = tl_kvm_vcpu_translate(vcpu, at, &physical) ? tl_kvm_memory_at(&vcpu->crew->vm->memory, physical, 1)
							  : NULL;
	if (byte == NULL || __atomic_load_n(byte, __ATOMIC_SEQ_CST) != TL_KVM_TRAP)
		return false;
	/* Behind an int3 of the guest's own its handler finds the next instruction. */
	if (tl_kvm_points_planted(&vcpu->crew->points, physical)) {
		trap_exit(vcpu, at);
		return true;
	}
	vcpu->general.rip++;
	if (tl_kvm_vcpu_store(vcpu) != TL_OK)
		return false;
	give_to_guest(vcpu, 3, 0);
	return true;
}

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

void tl_kvm_vcpu_pass_here(struct tl_kvm_vcpu *vcpu)
{
	tl_u64 at, physical;

	if (vcpu->crew->points.count == 0)
		return;
	at = tl_kvm_vcpu_address(vcpu);
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

/* KVM forgets the step: what it shows of the flags is the guest's again. */
static void disarm(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_debug_wish wish = wish_of(vcpu);

	if (!vcpu->armed_known || !vcpu->armed.step)
		return;
	if (program(vcpu, &wish))
		tl_kvm_vcpu_forget(vcpu);
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
}

static bool begin_step(struct tl_kvm_vcpu *vcpu, bool lift, tl_u64 physical)
{
	struct tl_kvm_step *step = &vcpu->step;
	tl_u64 from = tl_kvm_vcpu_address(vcpu);

	*step = (struct tl_kvm_step){.active = true,
				     .patient = true,
				     .lifted = lift,
				     .physical = physical,
				     .from = from,
				     .before = vcpu->general,
				     .began = host_now(),
				     .guest_steps = (vcpu->general.rflags & TL_KVM_TRAP_FLAG) != 0};
	if (lift)
		tl_kvm_points_lift(&vcpu->crew->points, physical);
	set_patience(vcpu, true);
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
		wish.block_interrupts = step->patient && (vcpu->crew->debug_flags & KVM_GUESTDBG_BLOCKIRQ) != 0;
	}
	if (!program(vcpu, &wish))
		return false;
	step->armed = step->active;
	return true;
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
		if ((lift || vcpu->task == TL_KVM_STEP) && !begin_step(vcpu, lift, physical))
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

/* All but the flags that steps themselves change. */
static bool same_registers(const struct kvm_regs *one, const struct kvm_regs *other)
{
	struct kvm_regs masked = *one;

	masked.rflags ^= (masked.rflags ^ other->rflags) & (TL_KVM_TRAP_FLAG | TL_KVM_RESUME_FLAG);
	return memcmp(&masked, other, sizeof(masked)) == 0;
}

/*
 * Whether nothing has come of the step, and it is to be made again. One that leads to itself and changes nothing is
 * carried out a few times more: nobody can see that.
 */
static bool again(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_step *step = &vcpu->step;

	if (tl_kvm_vcpu_address(vcpu) != step->from || step->tries >= TRIES_MAX ||
	    !same_registers(&step->before, &vcpu->general))
		return false;
	step->tries++;
	step->armed = false;
	vcpu->crew->counters.repeated_steps++;
	return true;
}

/* It came with the flags of a handler's frame. */
static void clear_trap_flag(struct tl_kvm_vcpu *vcpu)
{
	if (tl_kvm_vcpu_fetch(vcpu) != TL_OK || (vcpu->general.rflags & TL_KVM_TRAP_FLAG) == 0)
		return;
	vcpu->general.rflags &= ~TL_KVM_TRAP_FLAG;
	(void)tl_kvm_vcpu_store(vcpu);
}

/* The step is done: what it had taken is put back, and KVM's view of the flags is the guest's. */
static void finish_step(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_step *step = &vcpu->step;

	step->active = false;
	vcpu->pass = false;
	vcpu->crew->counters.steps++;
	put_back(vcpu);
	set_patience(vcpu, false);
	disarm(vcpu);
	if (step->gone)
		clear_trap_flag(vcpu);
}

/* ---- Conditions ---- */

static enum tl_status condition_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	return tl_kvm_vcpu_read(context, address, buffer, size) == size ? TL_OK : TL_ERROR_MEMORY;
}

/* The general ones; a condition that asks for others stops, and is decided again by the engine, which has them. */
static enum tl_status condition_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	struct tl_kvm_vcpu *vcpu = context;
	const struct kvm_regs *regs = &vcpu->general;
	/* In the order of gdb's numbers. */
	const tl_u64 values[] = {regs->rax,
				 regs->rbx,
				 regs->rcx,
				 regs->rdx,
				 regs->rsi,
				 regs->rdi,
				 regs->rbp,
				 regs->rsp,
				 regs->r8,
				 regs->r9,
				 regs->r10,
				 regs->r11,
				 regs->r12,
				 regs->r13,
				 regs->r14,
				 regs->r15,
				 tl_kvm_vcpu_address(vcpu)};

	if (number >= TL_COUNT(values))
		return TL_ERROR_REGISTER;
	*value_ret = values[number];
	return TL_OK;
}

static bool conditions_hold(struct tl_kvm_vcpu *vcpu, const struct tl_conditions *conditions)
{
	const struct tl_agent_environment environment = {.read_memory = condition_memory,
							 .read_register = condition_register,
							 .context = vcpu,
							 .address_size = 8};

	return tl_kvm_vcpu_fetch(vcpu) != TL_OK || tl_conditions_hold(conditions, &environment);
}

/* ---- Exits ---- */

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

/* An int3 ran at a linear address. */
static void trap_exit(struct tl_kvm_vcpu *vcpu, tl_u64 address)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	struct tl_event event = {.kind = TL_EVENT_TRAP, .address = address};
	const struct tl_kvm_point *point = tl_kvm_points_find(&crew->points, address);
	const tl_u8 *byte;
	tl_u64 physical;
	bool known = tl_kvm_vcpu_translate(vcpu, address, &physical);

	crew->counters.traps++;
	if (known && point != NULL && point->planted && point->physical == physical) {
		tl_u64 unused;

		if (passes(vcpu, &unused))
			return; /* it was to be passed, and something came in between */
		if (!conditions_hold(vcpu, point->conditions)) {
			crew->counters.false_conditions++;
			tl_kvm_vcpu_pass_here(vcpu);
			return;
		}
		tl_kvm_vcpu_announce(vcpu, &event);
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
	const struct tl_kvm_debug_input input = {.plan = &vcpu->armed.plan,
						 .stepping = vcpu->step.active,
						 .guest_steps = vcpu->step.active && vcpu->step.guest_steps,
						 .step_owed = vcpu->step_owed};
	struct tl_kvm_debug_exit exit = tl_kvm_read_debug(dr6, address, &input);

	if (exit.event.kind == TL_EVENT_STEPPED && again(vcpu))
		return;
	if (exit.event.stepped)
		finish_step(vcpu);
	if (exit.swallowed)
		swallow(vcpu);
	if (exit.guest_debug) {
		if (exit.guest_causes == 0)
			pass_int1(vcpu);
		give_to_guest(vcpu, 1, exit.guest_causes);
	}
	if (vcpu->task != TL_KVM_STAND)
		tell(vcpu, &exit.event);
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

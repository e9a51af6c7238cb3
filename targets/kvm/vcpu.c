/* A vCPU's thread: into the guest and out of it, and what is to be done in between. The picture is in crew.h. */
#include "targets/kvm/vcpu.h"
#include "targets/kvm/exit.h"
#include "targets/kvm/kaslr.h"

#include "base/trace.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- What it tells ---- */

static void post(struct tl_kvm_vcpu *vcpu, struct tl_kvm_message *message)
{
	struct tl_kvm_crew *crew = vcpu->crew;

	tl_kvm_vcpu_drop_step(vcpu);
	vcpu->task = TL_KVM_STAND;
	vcpu->stop_asked = false;
	vcpu->untold = ++crew->stops;
	message->vcpu = vcpu->number;
	message->number = vcpu->untold;
	vcpu->message = *message;
	vcpu->unposted = !crew->hooks.post(crew->hooks.context, message);
}

void tl_kvm_vcpu_announce(struct tl_kvm_vcpu *vcpu, const struct tl_event *event)
{
	struct tl_kvm_message message = {.news = TL_KVM_NEWS_EVENT, .event = *event};

	TL_TRACE(EVENTS, "kvm: vCPU %u stops (%s) at %llx; its thread tells the control thread", vcpu->number,
		 tl_event_name(event->kind), (unsigned long long)tl_kvm_vcpu_address(vcpu));
	post(vcpu, &message);
}

void tl_kvm_vcpu_fail(struct tl_kvm_vcpu *vcpu, enum tl_kvm_news news, tl_i32 code, const char *text)
{
	struct tl_kvm_message message = {.news = news, .event = {.code = code}};

	if (text != NULL)
		snprintf(message.text, sizeof(message.text), "%s", text);
	post(vcpu, &message);
}

/* ---- Between two stretches of guest code; the lock is held ---- */

static void do_work(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_work *work;

	while ((work = vcpu->work) != NULL) {
		vcpu->work = work->next;
		work->call(vcpu, work->context);
		work->done = true;
		pthread_cond_broadcast(&vcpu->crew->worked);
	}
}

static bool is_mine(const struct tl_kvm_vcpu *vcpu)
{
	return vcpu->crew->taken && vcpu->crew->alone == vcpu;
}

/* It sets off: whatever stands at the program counter was told, or is none of anybody's business. */
static void set_off(struct tl_kvm_vcpu *vcpu)
{
	vcpu->fresh = false;
	tl_kvm_vcpu_pass_here(vcpu);
	if (vcpu->over_hardware && tl_kvm_vcpu_fetch(vcpu) == TL_OK) {
		vcpu->general.rflags |= TL_X86_FLAG_RF;
		(void)tl_kvm_vcpu_store(vcpu);
	}
	vcpu->over_hardware = false;
}

static void answer_device(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	int request;

	crew->counters.device_exits++;
	pthread_mutex_unlock(&crew->lock);
	request = crew->hooks.device(crew->hooks.context, vcpu->cpu);
	pthread_mutex_lock(&crew->lock);
	vcpu->completing = vcpu->cpu->run->exit_reason != KVM_EXIT_SYSTEM_EVENT;
	if (request != 0)
		vcpu->request = request;
}

/* Devices bring in what waits for the guest. The vCPU's orders may have changed meanwhile. */
static void bring_in(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;

	crew->devices_wait = false;
	pthread_mutex_unlock(&crew->lock);
	crew->hooks.devices(crew->hooks.context);
	pthread_mutex_lock(&crew->lock);
}

/* The one access to an MSR that the filter lets come out; it may be the kernel's first at its final place. */
static void answer_register(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;

	if (crew->kernel_awaited && tl_kaslr_in_kernel(tl_kvm_vcpu_address(vcpu))) {
		crew->kernel_awaited = false;
		tl_kaslr_disarm(crew->vm->calls, crew->vm->descriptor);
		vcpu->kernel_found = true;
	}
	vcpu->completing = tl_kaslr_answer(crew->vm->calls, vcpu->cpu->descriptor, vcpu->cpu->run);
}

static void read_exit(struct tl_kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->cpu->run;
	char text[256];

	switch (tl_kvm_read_exit(run)) {
	case TL_KVM_EXIT_NOTHING:
		break;
	case TL_KVM_EXIT_DEVICE:
		if (!tl_kvm_vcpu_answer_memory(vcpu))
			answer_device(vcpu);
		break;
	case TL_KVM_EXIT_SYSTEM:
		answer_device(vcpu);
		break;
	case TL_KVM_EXIT_REGISTER:
		answer_register(vcpu);
		break;
	case TL_KVM_EXIT_DEBUG:
		tl_kvm_vcpu_debug_exit(vcpu);
		break;
	case TL_KVM_EXIT_HALTED: /* there are interrupt controllers: KVM waits by itself */
	case TL_KVM_EXIT_FAILED:
		if (tl_kvm_vcpu_unknown_trap(vcpu))
			break;
		tl_kvm_say_failure(run, vcpu->number, text, sizeof(text));
		tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_FAILED, 0, text);
		break;
	case TL_KVM_EXIT_SHUTDOWN:
		tl_kvm_say_failure(run, vcpu->number, text, sizeof(text));
		tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_SHUTDOWN, 0, text);
		break;
	}
}

/* KVM_RUN itself failed, and not because somebody wanted the vCPU. */
static void run_failed(struct tl_kvm_vcpu *vcpu, int number)
{
	char text[256];

	snprintf(text, sizeof(text), "vCPU %u cannot run: KVM_RUN failed: %s.", vcpu->number, strerror(number));
	tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_FAILED, number, text);
}

/* Into the guest and out again. All has been prepared, and nobody else has the machine. */
static void enter(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	const struct tl_kvm_calls *calls = crew->vm->calls;
	bool only_complete =
		vcpu->completing && (vcpu->work != NULL || vcpu->stop_asked || vcpu->request != 0 ||
				     vcpu->kernel_found || vcpu->task == TL_KVM_STAND || crew->devices_wait ||
				     (crew->taken && !is_mine(vcpu)) || (vcpu->log.count != 0 && !vcpu->step.active));
	int result, number;

	__atomic_store_n(&vcpu->cpu->run->immediate_exit, only_complete, __ATOMIC_SEQ_CST);
	tl_kvm_set_state(vcpu, TL_KVM_INSIDE);
	pthread_mutex_unlock(&crew->lock);
	result = calls->ioctl(calls->context, vcpu->cpu->descriptor, KVM_RUN, 0);
	number = errno;
	pthread_mutex_lock(&crew->lock);
	tl_kvm_set_state(vcpu, TL_KVM_OUTSIDE);
	crew->counters.exits++;
	vcpu->completing = false;
	vcpu->general_valid = vcpu->system_valid = false;
	tl_kvm_vcpu_came_out(vcpu, result == 0 && vcpu->cpu->run->exit_reason == KVM_EXIT_DEBUG);
	if (result == 0)
		read_exit(vcpu);
	else if (number != EINTR && number != EAGAIN)
		run_failed(vcpu, number);
	if (vcpu->log.count != 0 && !vcpu->completing)
		tl_kvm_vcpu_tell_accesses(vcpu);
}

/* What it was told, if it can be done now; false: nothing hinders it from entering the guest. */
static bool obey(struct tl_kvm_vcpu *vcpu)
{
	struct tl_event arrived = {.kind = TL_EVENT_SIGNAL, .arrived = true};
	struct tl_event paused = {.kind = TL_EVENT_PAUSED};
	struct tl_kvm_crew *crew = vcpu->crew;
	int request = vcpu->request;

	do_work(vcpu);
	if (crew->taken && !is_mine(vcpu)) {
		tl_kvm_vcpu_drop_step(vcpu);
		tl_kvm_set_state(vcpu, vcpu->task == TL_KVM_STAND ? TL_KVM_PARKED : TL_KVM_RESTING);
		pthread_cond_wait(&vcpu->woken, &crew->lock);
		return true;
	}
	if (vcpu->task == TL_KVM_STAND) {
		tl_kvm_vcpu_drop_step(vcpu);
		tl_kvm_set_state(vcpu, TL_KVM_PARKED);
		if (vcpu->work == NULL && !vcpu->ending)
			pthread_cond_wait(&vcpu->woken, &crew->lock);
		return true;
	}
	tl_kvm_set_state(vcpu, TL_KVM_OUTSIDE);
	if (request != 0) {
		vcpu->request = 0;
		tl_kvm_vcpu_fail(vcpu, TL_KVM_NEWS_REQUEST, request, NULL);
		return true;
	}
	if (vcpu->kernel_found) {
		vcpu->kernel_found = false;
		arrived.signal = crew->kernel_stops ? SIGTRAP : 0;
		tl_kvm_vcpu_announce(vcpu, &arrived);
		return true;
	}
	if (vcpu->stop_asked) {
		tl_kvm_vcpu_announce(vcpu, &paused);
		return true;
	}
	/* Not while the machine is its own, with a byte that is not as the guest has it. */
	if (crew->devices_wait && !crew->taken) {
		bring_in(vcpu);
		return true;
	}
	return false;
}

void *tl_kvm_vcpu_live(void *context)
{
	struct tl_kvm_vcpu *vcpu = context;

	tl_kvm_vcpu_patience_begin(vcpu);
	pthread_mutex_lock(&vcpu->crew->lock);
	while (!vcpu->ending || vcpu->completing) {
		if (!vcpu->completing) {
			if (obey(vcpu))
				continue;
			if (vcpu->fresh)
				set_off(vcpu);
			if (!tl_kvm_vcpu_prepare(vcpu))
				continue;
		}
		enter(vcpu);
	}
	tl_kvm_vcpu_drop_step(vcpu);
	tl_kvm_set_state(vcpu, TL_KVM_ENDED);
	do_work(vcpu);
	pthread_mutex_unlock(&vcpu->crew->lock);
	tl_kvm_vcpu_patience_end(vcpu);
	return NULL;
}

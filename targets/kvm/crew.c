/* The crew as the control thread sees it: its lock, orders, kicks, and having the machine for oneself. */
#include "targets/kvm/vcpu.h"

#include "base/storage.h"
#include "base/trace.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

/* A vCPU that does not come out of the guest for so long never will: something on the host is wrong. */
#define SECONDS_TO_COME_OUT 10
/* A kick that was lost, which should not be, is made good by another. */
#define MILLISECONDS_TO_KICK_AGAIN 50

const char *tl_kvm_state_name(enum tl_kvm_state state)
{
	static const char *const names[TL_KVM_STATE_MAX] = {"parked", "outside", "inside", "resting", "ended"};

	return state < TL_KVM_STATE_MAX ? names[state] : "?";
}

/* ---- With the lock held ---- */

static bool is_awake(enum tl_kvm_state state)
{
	return state == TL_KVM_OUTSIDE || state == TL_KVM_INSIDE;
}

/* Whether the guest's time goes on. */
static bool any_runs(const struct tl_kvm_crew *crew)
{
	for (tl_u32 i = 0; i < crew->count; i++)
		if (crew->vcpus[i].state != TL_KVM_PARKED && crew->vcpus[i].state != TL_KVM_ENDED)
			return true;
	return false;
}

void tl_kvm_kick(struct tl_kvm_vcpu *vcpu)
{
	if (vcpu->state != TL_KVM_INSIDE)
		return;
	vcpu->crew->counters.kicks++;
	__atomic_store_n(&vcpu->cpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(vcpu->thread, vcpu->crew->signal);
}

/* Somebody who is in the guest comes out; who is outside looks before it goes in. */
static void kick_one(struct tl_kvm_crew *crew)
{
	for (tl_u32 i = 0; i < crew->count; i++) {
		if (crew->vcpus[i].state != TL_KVM_INSIDE)
			continue;
		tl_kvm_kick(&crew->vcpus[i]);
		return;
	}
}

void tl_kvm_set_state(struct tl_kvm_vcpu *vcpu, enum tl_kvm_state state)
{
	struct tl_kvm_crew *crew = vcpu->crew;
	bool ran = any_runs(crew), runs;

	if (vcpu->state == state)
		return;
	TL_TRACE(STATES, "kvm: vCPU %u was %s, is %s", vcpu->number, tl_kvm_state_name(vcpu->state),
		 tl_kvm_state_name(state));
	if (is_awake(vcpu->state) != is_awake(state))
		crew->awake += is_awake(state) ? 1 : (tl_u32)-1;
	vcpu->state = state;
	runs = any_runs(crew);
	if (ran != runs)
		crew->hooks.time(crew->hooks.context, runs);
	/* It may be the one that was to bring in what waits. */
	if (crew->devices_wait && !is_awake(state))
		kick_one(crew);
	pthread_cond_broadcast(&crew->quiet);
}

static void kick_all(struct tl_kvm_crew *crew)
{
	for (tl_u32 i = 0; i < crew->count; i++)
		tl_kvm_kick(&crew->vcpus[i]);
}

static struct timespec in_milliseconds(tl_u64 milliseconds)
{
	struct timespec moment;

	clock_gettime(CLOCK_MONOTONIC, &moment);
	moment.tv_sec += (time_t)(milliseconds / 1000);
	moment.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (moment.tv_nsec >= 1000000000) {
		moment.tv_nsec -= 1000000000;
		moment.tv_sec++;
	}
	return moment;
}

static bool passed(const struct timespec *moment)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > moment->tv_sec || (now.tv_sec == moment->tv_sec && now.tv_nsec >= moment->tv_nsec);
}

/* Waits until no more than `least` are awake, kicking whoever is inside. */
static bool wait_for_quiet(struct tl_kvm_crew *crew, tl_u32 least)
{
	const struct timespec end = in_milliseconds(SECONDS_TO_COME_OUT * 1000);

	while (crew->awake > least) {
		struct timespec again = in_milliseconds(MILLISECONDS_TO_KICK_AGAIN);

		kick_all(crew);
		if (pthread_cond_timedwait(&crew->quiet, &crew->lock, &again) == ETIMEDOUT && passed(&end))
			return false;
	}
	return true;
}

bool tl_kvm_take(struct tl_kvm_vcpu *vcpu)
{
	struct tl_kvm_crew *crew = vcpu->crew;

	if (crew->taken)
		return crew->alone == vcpu;
	crew->taken = true;
	crew->alone = vcpu;
	/* Its own thread is OUTSIDE. */
	if (wait_for_quiet(crew, 1))
		return true;
	tl_kvm_give(crew);
	return false;
}

void tl_kvm_give(struct tl_kvm_crew *crew)
{
	crew->taken = false;
	crew->alone = NULL;
	pthread_cond_broadcast(&crew->door);
	for (tl_u32 i = 0; i < crew->count; i++)
		pthread_cond_signal(&crew->vcpus[i].woken);
}

/* ---- The control thread ---- */

void tl_kvm_crew_lock(struct tl_kvm_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
}

void tl_kvm_crew_unlock(struct tl_kvm_crew *crew)
{
	pthread_mutex_unlock(&crew->lock);
}

enum tl_status tl_kvm_crew_alone(struct tl_kvm_crew *crew)
{
	const struct timespec end = in_milliseconds(SECONDS_TO_COME_OUT * 1000);

	pthread_mutex_lock(&crew->lock);
	while (crew->taken)
		if (pthread_cond_timedwait(&crew->door, &crew->lock, &end) == ETIMEDOUT && crew->taken) {
			pthread_mutex_unlock(&crew->lock);
			return TL_ERROR_TIMEOUT;
		}
	crew->taken = true;
	crew->alone = NULL;
	if (wait_for_quiet(crew, 0))
		return TL_OK;
	tl_kvm_give(crew);
	pthread_mutex_unlock(&crew->lock);
	return TL_ERROR_TIMEOUT;
}

void tl_kvm_crew_share(struct tl_kvm_crew *crew)
{
	/* A step that is under way is told of what has changed, too. */
	for (tl_u32 i = 0; i < crew->count; i++)
		crew->vcpus[i].step.armed = false;
	tl_kvm_give(crew);
	pthread_mutex_unlock(&crew->lock);
}

static void enqueue(struct tl_kvm_vcpu *vcpu, struct tl_kvm_work *work)
{
	struct tl_kvm_work **at = &vcpu->work;

	while (*at != NULL)
		at = &(*at)->next;
	*at = work;
}

static void withdraw(struct tl_kvm_vcpu *vcpu, const struct tl_kvm_work *work)
{
	struct tl_kvm_work **at = &vcpu->work;

	while (*at != NULL && *at != work)
		at = &(*at)->next;
	if (*at != NULL)
		*at = work->next;
}

/* Has the vCPU look at what it was told. */
static void rouse(struct tl_kvm_vcpu *vcpu)
{
	tl_kvm_kick(vcpu);
	pthread_cond_signal(&vcpu->woken);
}

enum tl_status tl_kvm_crew_perform(struct tl_kvm_crew *crew, tl_u32 number, tl_kvm_work_call *call, void *context)
{
	const struct timespec end = in_milliseconds(SECONDS_TO_COME_OUT * 1000);
	struct tl_kvm_work work = {.call = call, .context = context};
	struct tl_kvm_vcpu *vcpu = &crew->vcpus[number];
	enum tl_status status = TL_OK;

	pthread_mutex_lock(&crew->lock);
	/* It waits for the lock: its thread could do no other than this, two changes of threads later. */
	if (vcpu->state == TL_KVM_PARKED && vcpu->work == NULL) {
		call(vcpu, context);
		work.done = true;
	} else {
		enqueue(vcpu, &work);
	}
	while (!work.done && status == TL_OK) {
		rouse(vcpu);
		if (pthread_cond_timedwait(&crew->worked, &crew->lock, &end) == ETIMEDOUT && !work.done) {
			withdraw(vcpu, &work);
			status = TL_ERROR_TIMEOUT;
		}
	}
	pthread_mutex_unlock(&crew->lock);
	return status;
}

enum tl_status tl_kvm_crew_resume(struct tl_kvm_crew *crew, tl_u32 number, enum tl_kvm_task task, bool over_hardware)
{
	struct tl_kvm_vcpu *vcpu = &crew->vcpus[number];
	enum tl_status status = TL_ERROR_RUNNING;

	pthread_mutex_lock(&crew->lock);
	if (vcpu->task == TL_KVM_STAND) {
		vcpu->task = task;
		vcpu->over_hardware = over_hardware;
		vcpu->stop_asked = false;
		/* Whatever stands at the program counter was dealt with by the engine. */
		vcpu->fresh = true;
		pthread_cond_signal(&vcpu->woken);
		status = TL_OK;
	}
	pthread_mutex_unlock(&crew->lock);
	return status;
}

/* What a vCPU had to say, and there was no memory for. */
static bool post_again(struct tl_kvm_vcpu *vcpu)
{
	const struct tl_kvm_hooks *hooks = &vcpu->crew->hooks;

	if (vcpu->unposted)
		vcpu->unposted = !hooks->post(hooks->context, &vcpu->message);
	return !vcpu->unposted;
}

enum tl_status tl_kvm_crew_stop(struct tl_kvm_crew *crew, tl_u32 number)
{
	struct tl_kvm_vcpu *vcpu = &crew->vcpus[number];
	enum tl_status status = TL_OK;

	pthread_mutex_lock(&crew->lock);
	if (vcpu->task == TL_KVM_STAND) {
		/* It has stopped by itself, and the engine will hear why. */
		if (vcpu->untold == 0)
			status = TL_ERROR_NOT_RUNNING;
		else if (!post_again(vcpu))
			status = TL_ERROR_NO_MEMORY;
	} else {
		vcpu->stop_asked = true;
		rouse(vcpu);
	}
	pthread_mutex_unlock(&crew->lock);
	return status;
}

bool tl_kvm_crew_hear(struct tl_kvm_crew *crew, const struct tl_kvm_message *message)
{
	struct tl_kvm_vcpu *vcpu = &crew->vcpus[message->vcpu];
	bool current;

	pthread_mutex_lock(&crew->lock);
	current = vcpu->untold == message->number;
	if (current)
		vcpu->untold = 0;
	pthread_mutex_unlock(&crew->lock);
	return current;
}

void tl_kvm_crew_free(struct tl_kvm_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	for (tl_u32 i = 0; i < crew->count; i++) {
		struct tl_kvm_vcpu *vcpu = &crew->vcpus[i];

		vcpu->fresh |= vcpu->task == TL_KVM_STAND;
		vcpu->task = TL_KVM_RUN;
		vcpu->stop_asked = false;
		vcpu->over_hardware = false;
		vcpu->untold = 0;
		vcpu->unposted = false;
		rouse(vcpu);
	}
	pthread_mutex_unlock(&crew->lock);
}

void tl_kvm_crew_call_in(struct tl_kvm_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	for (tl_u32 i = 0; i < crew->count; i++) {
		struct tl_kvm_vcpu *vcpu = &crew->vcpus[i];

		/* One whose message is on the way has said it. */
		if (vcpu->untold != 0) {
			(void)post_again(vcpu);
			continue;
		}
		vcpu->fresh |= vcpu->task == TL_KVM_STAND;
		if (vcpu->task == TL_KVM_STAND)
			vcpu->task = TL_KVM_RUN;
		vcpu->stop_asked = true;
		rouse(vcpu);
	}
	pthread_mutex_unlock(&crew->lock);
}

void tl_kvm_crew_call_for_devices(struct tl_kvm_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	crew->devices_wait = true;
	kick_one(crew);
	pthread_mutex_unlock(&crew->lock);
}

enum tl_status tl_kvm_crew_halt(struct tl_kvm_crew *crew)
{
	pthread_mutex_lock(&crew->lock);
	for (tl_u32 i = 0; i < crew->count; i++) {
		crew->vcpus[i].task = TL_KVM_STAND;
		crew->vcpus[i].stop_asked = false;
		crew->vcpus[i].untold = 0;
		crew->vcpus[i].unposted = false;
		rouse(&crew->vcpus[i]);
	}
	pthread_mutex_unlock(&crew->lock);
	TL_TRY(tl_kvm_crew_alone(crew));
	tl_kvm_crew_share(crew);
	return TL_OK;
}

/* ---- Beginning and end ---- */

static void ignore(int signal)
{
	(void)signal;
}

/* One that nobody else has a use for. It only has to interrupt KVM_RUN. */
static int install_signal(void)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	return sigaction(SIGRTMIN + 1, &action, NULL) == 0 ? SIGRTMIN + 1 : -1;
}

static void init_vcpu(struct tl_kvm_crew *crew, tl_u32 number)
{
	struct tl_kvm_vcpu *vcpu = &crew->vcpus[number];
	pthread_condattr_t clock;

	*vcpu = (struct tl_kvm_vcpu){.crew = crew, .cpu = &crew->vm->cpus[number], .number = number};
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&vcpu->woken, &clock);
	pthread_condattr_destroy(&clock);
}

static void init_crew(struct tl_kvm_crew *crew, struct tl_kvm_vm *vm, const struct tl_kvm_hooks *hooks)
{
	pthread_condattr_t clock;

	memset(crew, 0, sizeof(*crew));
	crew->vm = vm;
	crew->hooks = *hooks;
	crew->debug_flags = tl_kvm_guest_debug_flags(&vm->capabilities);
	crew->points.memory = &vm->memory;
	tl_kvm_registers_probe(&crew->registers, vm->calls, &vm->capabilities);
	pthread_mutex_init(&crew->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->quiet, &clock);
	pthread_cond_init(&crew->worked, &clock);
	pthread_cond_init(&crew->door, &clock);
	pthread_condattr_destroy(&clock);
	crew->count = vm->cpu_count <= TL_KVM_CPUS_MAX ? vm->cpu_count : TL_KVM_CPUS_MAX;
	for (tl_u32 i = 0; i < crew->count; i++)
		init_vcpu(crew, i);
}

enum tl_status tl_kvm_crew_begin(struct tl_kvm_crew *crew, struct tl_kvm_vm *vm, const struct tl_kvm_hooks *hooks,
				 struct tl_error *error)
{
	sigset_t all, before;

	init_crew(crew, vm, hooks);
	crew->signal = install_signal();
	if (crew->signal < 0) {
		tl_kvm_crew_end(crew);
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no signal for the machine's processors");
	}
	/* Signals are the control thread's, but for the kick. */
	sigfillset(&all);
	sigdelset(&all, crew->signal);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = 0;
	for (tl_u32 i = 0; i < crew->count && errno == 0; i++) {
		errno = pthread_create(&crew->vcpus[i].thread, NULL, tl_kvm_vcpu_live, &crew->vcpus[i]);
		crew->vcpus[i].started = errno == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (crew->count != 0 && !crew->vcpus[crew->count - 1].started) {
		TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no threads for the machine's processors to run in");
		tl_kvm_crew_end(crew);
		return TL_ERROR_SYSTEM;
	}
	return TL_OK;
}

void tl_kvm_crew_end(struct tl_kvm_crew *crew)
{
	if (crew->vm == NULL)
		return;
	pthread_mutex_lock(&crew->lock);
	for (tl_u32 i = 0; i < crew->count; i++) {
		crew->vcpus[i].ending = true;
		crew->vcpus[i].task = TL_KVM_STAND;
		rouse(&crew->vcpus[i]);
	}
	pthread_cond_broadcast(&crew->door);
	pthread_mutex_unlock(&crew->lock);
	for (tl_u32 i = 0; i < crew->count; i++) {
		if (crew->vcpus[i].started)
			pthread_join(crew->vcpus[i].thread, NULL);
		pthread_cond_destroy(&crew->vcpus[i].woken);
	}
	tl_kvm_points_clear(&crew->points);
	tl_kvm_points_end(&crew->points);
	tl_release(tl_storage(), crew->watches, crew->watch_capacity * sizeof(*crew->watches));
	pthread_cond_destroy(&crew->quiet);
	pthread_cond_destroy(&crew->worked);
	pthread_cond_destroy(&crew->door);
	pthread_mutex_destroy(&crew->lock);
	crew->vm = NULL;
}

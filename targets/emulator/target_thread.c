/*
 * The thread that the machine runs in.
 *
 * It runs the machine as the plan says, and gives up its hold on it (`running`) only between runs. What others want of
 * the machine is work in its queue: a request to stop brings it out of the machine after a few rounds, it does the work
 * and goes on. What the machine stops for by itself goes to the control thread's mailbox; it then stands until that has
 * heard (`exited`).
 */
#include "base/trace.h"
#include "targets/emulator/target_internal.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* So many instructions are carried out between two looks at input that the port had no room for. */
#define INPUT_PERIOD 100000
/* A machine whose output nobody takes waits. */
#define OUTPUT_ROOM ((tl_size)1 << 18)
#define SECOND 1000000000ull

static tl_u64 host_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * SECOND + (tl_u64)now.tv_nsec;
}

static void post(struct tl_emulator *emulator, const struct tl_emulator_message *message, bool exits)
{
	emulator->exited |= exits;
	/* Without memory for a message the machine stands, and whoever asks for a stop hears of it. */
	if (tl_mailbox_post(emulator->mailbox, message) != TL_OK)
		emulator->exited = false;
}

/* ---- Between two runs; the lock is held ---- */

static void do_work(struct tl_emulator *emulator)
{
	struct tl_emulator_work *work;

	while ((work = emulator->work) != NULL) {
		emulator->work = work->next;
		work->call(emulator, work->context);
		work->done = true;
		pthread_cond_broadcast(&emulator->worked);
	}
}

static bool is_past(const struct tl_emulator *emulator)
{
	return emulator->history != NULL && tl_history_is_past(emulator->history);
}

tl_size tl_emulator_input(struct tl_emulator *emulator, const struct tl_input *input)
{
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_TIMELINE};
	bool new_timeline;
	tl_size taken;

	if (emulator->history == NULL)
		return tl_computer_input(&emulator->computer, input);
	taken = tl_history_input(emulator->history, input, &new_timeline);
	if (new_timeline)
		post(emulator, &message, false);
	return taken;
}

/* Which harts are held is input too: else the same run would not come twice. The past has its own. */
static void hold(struct tl_emulator *emulator, const struct tl_emulator_plan *plan)
{
	struct tl_computer *computer = &emulator->computer;
	tl_u32 all = (1u << tl_emulator_hart_count(emulator)) - 1;
	struct tl_input input = {
		.kind = TL_INPUT_HOLD, .number = all & ~plan->running, .hart = TL_COMPUTER_NO_HART, .size = 1};
	bool same = computer->held == input.number;

	if (plan->stepping != TL_EMULATOR_NO_HART && plan->hold_interrupts)
		input.hart = plan->stepping;
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		same = same && computer->harts[i].hold_interrupts == (i == input.hart);
	if (!same && !is_past(emulator))
		(void)tl_emulator_input(emulator, &input);
}

static void take_input(struct tl_emulator *emulator)
{
	struct tl_emulator_bytes *input = &emulator->input;
	struct tl_input entering = {.kind = TL_INPUT_UART, .bytes = input->bytes, .size = input->count};
	tl_size taken;

	/* Nobody types in the past: it waits for the present. */
	if (input->count == 0 || is_past(emulator))
		return;
	taken = tl_emulator_input(emulator, &entering);
	input->count -= taken;
	tl_move(input->bytes, input->bytes + taken, input->count);
}

/* Output is told of once, until the control thread has taken it. */
static void tell_output(struct tl_emulator *emulator)
{
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_OUTPUT};

	if (emulator->output.count == 0 || emulator->output_told)
		return;
	emulator->output_told = true;
	post(emulator, &message, false);
}

static bool may_run(const struct tl_emulator *emulator)
{
	return emulator->plan.running != 0 && !emulator->exited && emulator->output.count < OUTPUT_ROOM;
}

/* ---- What a run came to ---- */

static void hart_stopped(struct tl_emulator *emulator, tl_u32 number, bool stepped)
{
	struct tl_hart *hart = &emulator->computer.harts[number];
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_HART};

	message.event = tl_emulator_event(&emulator->points, hart, stepped);
	if (hart->watch_hit_count != 0) {
		memcpy(emulator->last_hits, hart->watch_hits, sizeof(emulator->last_hits));
		emulator->last_hit_count = hart->watch_hit_count;
		emulator->last_hit_hart = number;
	}
	TL_TRACE(EVENTS, "emulator: hart %u halts (%s) at %llx; its thread asks the control thread to stop the machine",
		 number, tl_event_name(message.event.kind), (unsigned long long)hart->pc);
	post(emulator, &message, true);
}

static void switched_off(struct tl_emulator *emulator, bool failed)
{
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_OFF};

	message.event.code = failed ? (tl_i32)emulator->computer.board.finisher.code : 0;
	if (failed && message.event.code == 0)
		message.event.code = 1;
	post(emulator, &message, true);
}

static void guest_reset(struct tl_emulator *emulator)
{
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_RESET};
	struct tl_error error;
	enum tl_status status = tl_emulator_reset(emulator, &error);

	if (status != TL_OK) {
		message.kind = TL_EMULATOR_EXIT_ERROR;
		message.event.code = (tl_i32)status;
	}
	post(emulator, &message, status != TL_OK);
}

/* Idle time passes as the host's does, until the machine's next deadline, input, or work. */
static void pass_idle_time(struct tl_emulator *emulator, bool ends)
{
	tl_u64 begin = host_now(), now = tl_computer_now(&emulator->computer), until;
	tl_u64 deadline = ends ? tl_computer_deadline(&emulator->computer) : TL_U64_MAX;
	tl_u64 end = deadline > now ? deadline - now : 0;
	struct tl_input time = {.kind = TL_INPUT_TIME};
	struct timespec limit;

	end = end < 3600 * SECOND ? begin + end : begin + 3600 * SECOND;
	limit = (struct timespec){(time_t)(end / SECOND), (long)(end % SECOND)};
	while (emulator->work == NULL && !emulator->ending && emulator->input.count == 0 && !emulator->frames &&
	       may_run(emulator) && host_now() < end)
		if (pthread_cond_timedwait(&emulator->woken, &emulator->lock, &limit) == ETIMEDOUT)
			break;
	until = now + (host_now() - begin);
	time.number = until < deadline ? until : deadline;
	(void)tl_emulator_input(emulator, &time);
}

static void look_at_exit(struct tl_emulator *emulator, enum tl_computer_exit exit,
			 const struct tl_computer_limits *limits)
{
	struct tl_computer *computer = &emulator->computer;
	struct tl_emulator_message trouble;

	/* The past had its troubles when it was the present. */
	if (!is_past(emulator) && tl_emulator_disk_trouble(emulator, &trouble))
		post(emulator, &trouble, false);
	switch (exit) {
	case TL_COMPUTER_STOPPED:
		break;
	case TL_COMPUTER_HALTED:
		hart_stopped(emulator, computer->turn, limits->hart == computer->turn);
		break;
	case TL_COMPUTER_REACHED:
		if (limits->hart != TL_COMPUTER_NO_HART && computer->turns[limits->hart].begun >= limits->hart_begun)
			hart_stopped(emulator, limits->hart, true);
		else if (!is_past(emulator) && tl_emulator_hart_trouble(emulator, &trouble))
			post(emulator, &trouble, true);
		break;
	case TL_COMPUTER_IDLE:
	case TL_COMPUTER_STUCK:
		tell_output(emulator);
		pass_idle_time(emulator, exit == TL_COMPUTER_IDLE);
		break;
	case TL_COMPUTER_OFF:
	case TL_COMPUTER_FAILED:
		switched_off(emulator, exit == TL_COMPUTER_FAILED);
		break;
	case TL_COMPUTER_RESET:
		guest_reset(emulator);
		break;
	}
}

/* Where a recording ends, or was another run, the machine stands. */
static void look_at_recording(struct tl_emulator *emulator, const struct tl_emulator_plan *plan)
{
	struct tl_emulator_message said = {.kind = TL_EMULATOR_EXIT_REPLAY};
	struct tl_emulator_message message = {.kind = TL_EMULATOR_EXIT_HART, .event = {.kind = TL_EVENT_HISTORY_END}};
	tl_u32 hart = plan->stepping != TL_EMULATOR_NO_HART ? plan->stepping : (tl_u32)__builtin_ctz(plan->running);
	bool stands = tl_emulator_record_look(emulator);

	if (tl_emulator_record_says(emulator))
		post(emulator, &said, false);
	message.event.thread = (struct tl_thread_id){TL_EMULATOR_PROCESS, (tl_u64)hart + 1};
	if (stands && !emulator->exited)
		post(emulator, &message, true);
}

/* A stretch by the plan, with the lock given up. */
static void run(struct tl_emulator *emulator, bool more_frames)
{
	struct tl_computer *computer = &emulator->computer;
	struct tl_computer_limits limits = TL_COMPUTER_FOREVER;
	const struct tl_emulator_plan plan = emulator->plan;
	struct tl_emulator_message end;
	enum tl_computer_exit exit;
	bool ended;

	hold(emulator, &plan);
	limits.begun =
		computer->begun + (emulator->host.tohost != 0 ? TL_EMULATOR_HOST_PERIOD : TL_EMULATOR_LOOK_PERIOD);
	limits.tell_idle = !emulator->skip_idle;
	if (plan.stepping != TL_EMULATOR_NO_HART) {
		limits.hart = plan.stepping;
		limits.hart_begun = computer->turns[plan.stepping].begun + 1;
	}
	if (emulator->input.count != 0 || more_frames)
		limits.begun = computer->begun + INPUT_PERIOD;
	emulator->running = true;
	pthread_mutex_unlock(&emulator->lock);
	exit = emulator->history != NULL ? tl_history_run(emulator->history, &limits)
					 : tl_computer_run(computer, &limits);
	ended = tl_emulator_host_look(emulator, &end);
	pthread_mutex_lock(&emulator->lock);
	emulator->running = false;
	if (ended)
		post(emulator, &end, true);
	else
		look_at_exit(emulator, exit, &limits);
	look_at_recording(emulator, &plan);
}

/* ---- Backwards ---- */

/* The hart whose event it is has halted there again, as it did the first time. */
static void show_halt(struct tl_emulator *emulator, const struct tl_back_halt *halt)
{
	struct tl_hart *hart = &emulator->computer.harts[halt->hart];

	hart->halt = halt->halt;
	hart->halt_exception = halt->exception;
	hart->watch_hit_count = halt->hit_count;
	memcpy(hart->watch_hits, halt->hits, sizeof(hart->watch_hits));
	hart_stopped(emulator, halt->hart, false);
}

static void tell_beginning(struct tl_emulator *emulator, tl_u32 hart)
{
	struct tl_emulator_message message = {
		.kind = TL_EMULATOR_EXIT_HART,
		.event = {.kind = TL_EVENT_HISTORY_END, .thread = {TL_EMULATOR_PROCESS, (tl_u64)hart + 1}, .code = 1}};

	post(emulator, &message, true);
}

/*
 * With the lock given up. When a stop was requested for work that leaves the plan as it is, the search begins anew from
 * where it began: halfway it knows nothing yet.
 */
static void run_back(struct tl_emulator *emulator)
{
	const struct tl_emulator_plan plan = emulator->plan;
	struct tl_computer_position begin = tl_computer_position(&emulator->computer);
	struct tl_back_halt halt = {0};
	enum tl_back result;

	emulator->running = true;
	pthread_mutex_unlock(&emulator->lock);
	if (plan.stepping != TL_EMULATOR_NO_HART)
		result = tl_history_step_back(emulator->history, plan.stepping);
	else
		result = tl_history_continue_back(emulator->history, &halt);
	pthread_mutex_lock(&emulator->lock);
	emulator->running = false;
	switch (result) {
	case TL_BACK_DONE:
		hart_stopped(emulator, plan.stepping, true);
		break;
	case TL_BACK_HALTED:
		show_halt(emulator, &halt);
		break;
	case TL_BACK_BEGINNING:
		tell_beginning(emulator, plan.back_hart);
		break;
	case TL_BACK_STOPPED:
		/* A stop that is still due when its work is done already must not leave it halfway. */
		do
			do_work(emulator);
		while (emulator->plan.back && tl_history_go(emulator->history, &begin) == TL_BACK_STOPPED);
		break;
	}
}

static void *live(void *context)
{
	struct tl_emulator *emulator = context;

	pthread_mutex_lock(&emulator->lock);
	while (!emulator->ending) {
		do_work(emulator);
		tell_output(emulator);
		if (!may_run(emulator)) {
			pthread_cond_wait(&emulator->woken, &emulator->lock);
			continue;
		}
		if (emulator->plan.back && emulator->history != NULL) {
			run_back(emulator);
			continue;
		}
		take_input(emulator);
		run(emulator, tl_emulator_devices_input(emulator));
	}
	do_work(emulator);
	pthread_mutex_unlock(&emulator->lock);
	return NULL;
}

/* ---- The control thread ---- */

void tl_emulator_perform(struct tl_emulator *emulator, void (*call)(struct tl_emulator *, void *), void *context)
{
	struct tl_emulator_work work = {.call = call, .context = context};
	struct tl_emulator_work **at = &emulator->work;

	pthread_mutex_lock(&emulator->lock);
	if (!emulator->running) {
		call(emulator, context);
	} else {
		while (*at != NULL)
			at = &(*at)->next;
		*at = &work;
		tl_computer_request_stop(&emulator->computer);
		while (!work.done)
			pthread_cond_wait(&emulator->worked, &emulator->lock);
	}
	pthread_cond_signal(&emulator->woken);
	pthread_mutex_unlock(&emulator->lock);
}

enum tl_status tl_emulator_thread_start(struct tl_emulator *emulator, struct tl_error *error)
{
	sigset_t all, before;

	/* Signals are the control thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	errno = pthread_create(&emulator->thread, NULL, live, emulator);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errno != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "no thread for the machine to run in");
	emulator->started = true;
	return TL_OK;
}

void tl_emulator_thread_end(struct tl_emulator *emulator)
{
	if (!emulator->started)
		return;
	pthread_mutex_lock(&emulator->lock);
	emulator->ending = true;
	if (emulator->running)
		tl_computer_request_stop(&emulator->computer);
	pthread_cond_signal(&emulator->woken);
	pthread_mutex_unlock(&emulator->lock);
	pthread_join(emulator->thread, NULL);
	emulator->started = false;
}

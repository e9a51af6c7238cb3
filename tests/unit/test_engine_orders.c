/*
 * The engine under random orders of a client that keeps books, in all-stop and in non-stop, on every make of machine,
 * plain and with a crew. A client may give any order at any time that the protocol allows; whatever it gives, its books
 * must agree with what it is told:
 *
 *   - a thread that was resumed stops once, and one that was not resumed does not stop;
 *   - a hit is of a point that is there when it is told, and the program counter stands at it;
 *   - a step ends at a place where its instruction can go, and a range step outside of its range;
 *   - every signal that was sent is told, once;
 *   - memory never shows a trap, and in the end there is none.
 *
 * SEED in the environment runs that one session alone, and prints the orders and reports as they come; SEEDS says how
 * many sessions there are of each kind.
 */
#include "tests/unit/engine_machine.h"

#include <stdarg.h>

#define NUMBERS 128 /* of threads, that a session may use */
#define THREADS_MAX 24
#define LINES 48
#define LINE_SIZE 160

static const tl_i32 signals[] = {17, 23, 28}; /* a program bears these without a handler */

/* What the client knows of one thread. */
struct known {
	bool seen;
	bool resumed; /* it owes a stop */
	bool stop_asked;
	bool stepping, ranging; /* among what was asked of it since it was last told of */
	bool unsure;            /* what it waited to tell then may have been forgotten since */
	tl_u64 range_start, range_end;
	tl_u64 nexts[4 * TL_SUCCESSORS_MAX]; /* where a step may end */
	tl_size next_count;
	unsigned sent[TL_COUNT(signals)], told[TL_COUNT(signals)];
};

struct place {
	enum tl_point_kind kind;
	tl_u64 address, size;
};

static const struct place places[] = {
	{TL_POINT_SOFTWARE, SPIN, 1},
	{TL_POINT_SOFTWARE, SPIN + 1, 1},
	{TL_POINT_SOFTWARE, LOOP, 1},
	{TL_POINT_SOFTWARE, LOOP_STORE, 1},
	{TL_POINT_SOFTWARE, LOOP_CALL, 1},
	{TL_POINT_SOFTWARE, FUNCTION, 1},
	{TL_POINT_SOFTWARE, FUNCTION_POP, 1},
	{TL_POINT_SOFTWARE, LOOP_BACK, 1},
	{TL_POINT_SOFTWARE, WRITER, 1},
	{TL_POINT_SOFTWARE, CALLER_SYSCALL, 1},
	{TL_POINT_SOFTWARE, FIVE_NOPS, 1},
	{TL_POINT_HARDWARE, LOOP_CALL, 1},
	{TL_POINT_HARDWARE, FUNCTION_RETURN, 1},
	{TL_POINT_WRITE, DATA, 8},
};

static const tl_u64 starts[] = {LOOP, SPIN, WRITER, CALLER, FIVE_NOPS, READER, WAITER};

struct client {
	struct machine machine;
	tl_u64 seed, random;
	bool non_stop, threads_told;
	bool owed;                                              /* all-stop: a resume has not been answered */
	unsigned interrupts;                                    /* that were sent and have not been told of */
	bool there[TL_COUNT(places)], always[TL_COUNT(places)]; /* the points, and which have no condition */
	bool ever_watched;
	struct known threads[NUMBERS];
	char lines[LINES][LINE_SIZE];
	unsigned line_count;
	bool failed;
};

/* ---- What is said when it goes wrong ---- */

__attribute__((format(printf, 2, 3))) static void say(struct client *client, const char *format, ...)
{
	char *line = client->lines[client->line_count++ % LINES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(line, LINE_SIZE, format, arguments);
	va_end(arguments);
	if (getenv("SEED") != NULL)
		printf("  %s\n", line);
}

/* False, and the last orders and reports, when it is not so. */
static bool must(struct client *client, bool so, const char *what)
{
	unsigned first = client->line_count > LINES ? client->line_count - LINES : 0;

	if (so || client->failed)
		return so;
	client->failed = true;
	printf("  SEED=%llu: not so: %s. What was said last:\n", (unsigned long long)client->seed, what);
	for (unsigned i = first; i < client->line_count; i++)
		printf("    %s\n", client->lines[i % LINES]);
	CHECK(false);
	return false;
}

/* ---- Chance ---- */

static unsigned below(struct client *client, unsigned limit)
{
	client->random ^= client->random << 13;
	client->random ^= client->random >> 7;
	client->random ^= client->random << 17;
	return (unsigned)((client->random >> 20) % limit);
}

/* A thread that the engine knows. */
static struct tl_thread_id any_thread(struct client *client)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_thread_id chosen = client->machine.main;
	unsigned count = 0;

	while (tl_engine_next_thread(client->machine.engine, info.id, &info))
		if (below(client, ++count) == 0)
			chosen = info.id;
	return chosen;
}

static struct known *books_of(struct client *client, struct tl_thread_id id)
{
	struct known *known = &client->threads[id.thread % NUMBERS];

	/* New threads run as their makers do, unless the client is told of them first. */
	if (!known->seen) {
		known->seen = true;
		known->resumed = true;
	}
	return known;
}

/* ---- Reports ---- */

static bool there_is(const struct client *client, enum tl_point_kind kind, tl_u64 address)
{
	for (size_t i = 0; i < TL_COUNT(places); i++)
		if (client->there[i] && client->always[i] && places[i].kind == kind && places[i].address == address)
			return true;
	return false;
}

static void check_step(struct client *client, const struct known *known, tl_u64 at)
{
	bool expected = false;

	must(client, known->stepping || known->ranging, "a step was asked of who has stepped");
	if (known->ranging && !known->unsure)
		must(client, at - known->range_start >= known->range_end - known->range_start,
		     "a range step ends outside of its range");
	if (!known->stepping || known->ranging)
		return;
	for (tl_size i = 0; i < known->next_count; i++)
		expected |= known->nexts[i] == at;
	say(client, "stepped to 0x%llx, %u places were possible, the first 0x%llx", (unsigned long long)at,
	    (unsigned)known->next_count, (unsigned long long)known->nexts[0]);
	must(client, expected, "a step ends where its instruction leads to");
}

static void check_signal(struct client *client, struct known *known, const struct tl_report *report)
{
	size_t n = 0;

	if (report->asked) {
		must(client, report->event.signal == 2 && client->interrupts > 0, "an interrupt was asked for");
		if (client->interrupts > 0)
			client->interrupts--;
		return;
	}
	while (n < TL_COUNT(signals) && signals[n] != report->event.signal)
		n++;
	if (!must(client, n < TL_COUNT(signals), "a signal is one that was sent: no trap of ours is seen"))
		return;
	known->told[n]++;
	must(client, known->told[n] <= known->sent[n], "a signal is told once");
}

static void check_stop(struct client *client, struct known *known, const struct tl_report *report)
{
	const struct tl_event *event = &report->event;
	tl_u64 at = machine_pc(&client->machine, event->thread);
	enum tl_point_kind kind = event->kind == TL_EVENT_TRAP ? TL_POINT_SOFTWARE : TL_POINT_HARDWARE;

	must(client, at != TL_U64_MAX, "the registers of who has stopped can be read");
	must(client, report->condition_error == TL_OK, "no condition is in error");
	switch ((int)event->kind) {
	case TL_EVENT_TRAP:
	case TL_EVENT_HARDWARE_BREAKPOINT:
		must(client, there_is(client, kind, event->address), "a hit is of a point that is there");
		must(client, at == event->address, "who has hit a point stands at it");
		break;
	case TL_EVENT_WATCHPOINT:
		must(client, client->ever_watched && report->hit_count == 1 && report->hit_addresses[0] == DATA,
		     "a watchpoint tells of what is watched");
		break;
	case TL_EVENT_STEPPED:
		check_step(client, known, at);
		break;
	case TL_EVENT_SIGNAL:
		check_signal(client, known, report);
		break;
	case TL_EVENT_PAUSED:
		must(client, client->non_stop && known->stop_asked, "a stop was asked for");
		break;
	default:
		must(client, false, "an event that could be expected");
	}
}

/* Of a resume in all-stop nobody runs on. */
static void all_have_stopped(struct client *client)
{
	struct tl_thread_info info = {.id = {0, 0}};
	bool good = true;

	client->owed = false;
	client->interrupts = 0;
	machine_enter(&client->machine);
	while (tl_engine_next_thread(client->machine.engine, info.id, &info)) {
		struct tl_scripted_thread_info truth = {.running = true};

		good = good && tl_scripted_thread(client->machine.scripted, info.id, &truth) && !truth.running;
		books_of(client, info.id)->resumed = false;
	}
	machine_leave(&client->machine);
	must(client, good, "all stand when all-stop reports");
}

/* Whether anybody who was resumed is left: then it is no news that nobody is. */
static bool anybody_runs(struct client *client)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (tl_engine_next_thread(client->machine.engine, info.id, &info))
		if (books_of(client, info.id)->resumed)
			return true;
	return false;
}

static void check_report(struct client *client, const struct tl_report *report)
{
	const struct tl_event *event = &report->event;
	struct known *known = books_of(client, event->thread);

	say(client, "told: %llu %s signal %d at 0x%llx%s%s", (unsigned long long)event->thread.thread,
	    tl_event_name(event->kind), event->signal, (unsigned long long)event->address,
	    report->asked ? ", asked for" : "", report->no_resumed ? ", none is left" : "");
	must(client, client->non_stop || client->owed, "all-stop reports once a resume");
	if (report->no_resumed) {
		must(client, !client->non_stop && !anybody_runs(client), "nobody is left when that is told");
	} else if (event->kind == TL_EVENT_THREAD_EXITED) {
		must(client, client->threads_told && known->resumed, "an end is told of who ran");
		known->resumed = false;
	} else if (event->kind == TL_EVENT_THREAD_CREATED) {
		must(client, client->threads_told && known->resumed, "a new thread is told of once");
		known->resumed = false;
	} else {
		/* With an interrupt one speaks for all when nobody has anything to tell. */
		must(client, known->resumed || (report->asked && !anybody_runs(client)), "who stops was resumed");
		check_stop(client, known, report);
		known->resumed = known->stop_asked = false;
		/* … and a step that it was asked for may not have begun. */
		if (!report->asked)
			known->stepping = known->ranging = known->unsure = false;
	}
	if (!client->non_stop)
		all_have_stopped(client);
}

/* Takes the reports that are ready, `most` of them. */
static void take(struct client *client, unsigned most)
{
	struct tl_report report;
	bool announced = client->machine.ready;

	client->machine.ready = false;
	for (; most > 0 && tl_engine_take_report(client->machine.engine, &report); most--) {
		must(client, announced, "who has a report says so first");
		check_report(client, &report);
		announced = client->machine.ready;
		client->machine.ready = false;
	}
	client->machine.ready |= announced && most == 0;
}

/* ---- Orders ---- */

static void order_run(struct client *client)
{
	machine_turns(&client->machine, below(client, 40));
}

static void order_take(struct client *client)
{
	take(client, 1 + below(client, 4));
}

static enum tl_status read_for_step(void *context, tl_u64 address, void *buffer, tl_size size)
{
	struct client *client = context;
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(client->machine.engine, client->machine.process, address, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status no_write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

/* Where the instruction that a thread stands at may lead to, besides what is known already. */
static void note_nexts(struct client *client, struct tl_thread_id id, struct known *known)
{
	const struct tl_memory_access memory = {read_for_step, no_write, client};
	tl_u8 bytes[TL_INSTRUCTION_MAX], *file;
	tl_size size = 0, count = 0;

	if (known->next_count > TL_COUNT(known->nexts) - TL_SUCCESSORS_MAX)
		known->next_count = 0;
	if (tl_engine_registers(client->machine.engine, id, 1, &file) != TL_OK)
		return;
	while (size < sizeof(bytes) &&
	       read_for_step(client, machine_pc(&client->machine, id) + size, bytes + size, 1) == TL_OK)
		size++;
	must(client,
	     tl_cpu_x86_64.successors(file, bytes, size, &memory, known->nexts + known->next_count, &count) == TL_OK,
	     "it is known where an instruction leads to");
	known->next_count += count;
}

static struct tl_action any_action(struct client *client, struct tl_thread_id filter)
{
	struct tl_action action = {.filter = filter};

	switch (below(client, 5)) {
	case 0:
	case 1:
		action.kind = TL_ACTION_STEP;
		break;
	case 2:
		action.kind = TL_ACTION_RANGE;
		action.start = below(client, 2) ? FIVE_NOPS : LOOP;
		action.end = action.start + 1 + below(client, 0x15);
		break;
	default:
		action.kind = TL_ACTION_CONTINUE;
		break;
	}
	if (filter.thread != TL_ANY && below(client, 4) == 0)
		action.signal = signals[below(client, TL_COUNT(signals))];
	return action;
}

/*
 * Puts into the books what the action means for a thread that stands. One that waits to tell of something does that
 * first, but for a hit whose point is gone: it runs at once.
 */
static void note_resumed(struct client *client, const struct tl_thread_info *info, const struct tl_action *action)
{
	struct known *known = books_of(client, info->id);

	known->resumed = true;
	if (info->state == TL_THREAD_PARKED) {
		known->next_count = 0;
		known->ranging = false;
	} else {
		known->unsure = true;
	}
	known->stepping |= action->kind == TL_ACTION_STEP;
	if (action->kind == TL_ACTION_RANGE) {
		known->ranging = true;
		known->range_start = action->start;
		known->range_end = action->end;
	}
	if (action->kind == TL_ACTION_STEP)
		note_nexts(client, info->id, known);
}

/* The first action that matches counts. In non-stop only those that stand to the client's eyes are resumed. */
static void resume(struct client *client, const struct tl_action *actions, tl_size count)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_engine *engine = client->machine.engine;
	tl_size matched = 0;

	if (!client->non_stop && client->owed)
		return;
	while (tl_engine_next_thread(engine, info.id, &info)) {
		for (tl_size i = 0; i < count; i++) {
			bool all = actions[i].filter.thread == TL_ANY;

			if (!all && actions[i].filter.thread != info.id.thread)
				continue;
			matched++;
			if (!client->non_stop || !books_of(client, info.id)->resumed)
				note_resumed(client, &info, &actions[i]);
			break;
		}
	}
	for (tl_size i = 0; i < count; i++)
		say(client, "resume %lld: kind %d, 0x%llx to 0x%llx, signal %d", (long long)actions[i].filter.thread,
		    (int)actions[i].kind, (unsigned long long)actions[i].start, (unsigned long long)actions[i].end,
		    actions[i].signal);
	must(client, (tl_engine_resume(engine, actions, count) == TL_OK) == (matched != 0),
	     "a resume of somebody is granted");
	client->owed = !client->non_stop && matched != 0;
}

static void order_resume(struct client *client)
{
	struct tl_action actions[2] = {any_action(client, any_thread(client)), any_action(client, everyone)};

	resume(client, actions, 1 + below(client, 2));
}

static void order_resume_all(struct client *client)
{
	struct tl_action action = {.filter = everyone, .kind = TL_ACTION_CONTINUE};

	resume(client, &action, 1);
}

/* Non-stop: asks a thread, or all, to stop. */
static void stop(struct client *client, struct tl_thread_id filter)
{
	struct tl_thread_info info = {.id = {0, 0}};

	say(client, "stop %lld", (long long)filter.thread);
	while (tl_engine_next_thread(client->machine.engine, info.id, &info)) {
		struct known *known = books_of(client, info.id);

		if (filter.thread == TL_ANY || filter.thread == info.id.thread)
			known->stop_asked |= known->resumed;
	}
	must(client, machine_act(&client->machine, filter, TL_ACTION_STOP, 0) == TL_OK, "a stop can be asked for");
}

static void order_stop(struct client *client)
{
	if (client->non_stop)
		stop(client, below(client, 4) == 0 ? everyone : any_thread(client));
}

static void order_interrupt(struct client *client)
{
	if (!client->non_stop && !client->owed)
		return;
	say(client, "interrupt");
	client->interrupts++;
	tl_engine_interrupt(client->machine.engine);
}

static void set_point(struct client *client, size_t n, bool there)
{
	const struct place *place = &places[n];
	struct tl_point_request request = {.kind = place->kind, .address = place->address, .size = place->size};
	const struct tl_bytecode_list never = {NEVER, 1};
	enum tl_status status;

	say(client, "%s point %d at 0x%llx%s", there ? "insert" : "remove", (int)place->kind,
	    (unsigned long long)place->address, client->always[n] ? "" : " with a false condition");
	if (!there) {
		must(client, machine_remove(&client->machine, place->kind, place->address, place->size) == TL_OK,
		     "a point can be removed");
		client->there[n] = false;
		return;
	}
	if (!client->always[n])
		request.conditions = never;
	status = tl_engine_insert_point(client->machine.engine, client->machine.process, &request);
	must(client, status == TL_OK, "a point can be inserted");
	client->there[n] = true;
	client->ever_watched |= place->kind == TL_POINT_WRITE;
}

/* All-stop: only while all stand, as its clients do it. */
static void order_point(struct client *client)
{
	size_t n = below(client, TL_COUNT(places));

	if (!client->non_stop && client->owed)
		return;
	if (!client->there[n])
		client->always[n] = below(client, 3) != 0;
	set_point(client, n, !client->there[n]);
}

static void order_signal(struct client *client)
{
	struct tl_thread_id id = any_thread(client);
	size_t n = below(client, TL_COUNT(signals));
	struct tl_scripted_thread_info truth = {.pending = 0};
	bool sent;

	machine_enter(&client->machine);
	/* One that has not been seen yet swallows another of its kind. */
	sent = tl_scripted_thread(client->machine.scripted, id, &truth) &&
	       (truth.pending >> (signals[n] - 1) & 1) == 0 &&
	       tl_scripted_do(client->machine.scripted, id, TL_SCRIPTED_SIGNAL, (tl_u64)signals[n], 0) == TL_OK;
	machine_leave(&client->machine);
	if (!sent)
		return;
	books_of(client, id)->sent[n]++;
	say(client, "signal %d is sent to %llu", signals[n], (unsigned long long)id.thread);
}

static void order_happen(struct client *client)
{
	static const enum tl_scripted_what list[] = {TL_SCRIPTED_CLONE, TL_SCRIPTED_CLONE, TL_SCRIPTED_EXIT_THREAD,
						     TL_SCRIPTED_PAUSE, TL_SCRIPTED_DELAY_STOPS};
	enum tl_scripted_what what = list[below(client, TL_COUNT(list))];
	struct tl_thread_id id = any_thread(client);
	struct tl_scripted_process_info info = {.threads = 0};
	tl_u64 value = what == TL_SCRIPTED_CLONE ? starts[below(client, TL_COUNT(starts))] : below(client, 12);

	machine_enter(&client->machine);
	(void)tl_scripted_process(client->machine.scripted, client->machine.process, &info);
	machine_leave(&client->machine);
	if (what == TL_SCRIPTED_EXIT_THREAD && id.thread == client->machine.main.thread)
		return;
	if (what == TL_SCRIPTED_CLONE && info.threads >= THREADS_MAX)
		return;
	/* Threads that make others share their stack, which the loop with a call in it would not bear. */
	if (what == TL_SCRIPTED_CLONE && value == LOOP)
		value = SPIN;
	if (machine_do(&client->machine, id, what, value, 0) == TL_OK)
		say(client, "thread %llu: happening %d, 0x%llx", (unsigned long long)id.thread, (int)what,
		    (unsigned long long)value);
}

static void order_look(struct client *client)
{
	tl_u8 bytes[sizeof(machine_code)];
	tl_size done = 0;

	must(client,
	     tl_engine_read_memory(client->machine.engine, client->machine.process, LOOP, bytes, sizeof(bytes),
				   &done) == TL_OK &&
		     done == sizeof(bytes) && memcmp(bytes, machine_code, sizeof(bytes)) == 0,
	     "memory shows no trap");
}

static void (*const orders[])(struct client *) = {
	order_run,        order_run,    order_run,    order_run,   order_take,      order_take,
	order_resume,     order_resume, order_resume, order_point, order_point,     order_signal,
	order_resume_all, order_happen, order_happen, order_stop,  order_interrupt, order_look,
};

/* ---- The end of a session ---- */

static void remove_points(struct client *client)
{
	for (size_t n = 0; n < TL_COUNT(places); n++)
		if (client->there[n])
			set_point(client, n, false);
}

/* Non-stop: asks those to stop that were not asked yet. A thread whose birth was on its way then comes to run on. */
static void stop_new(struct client *client)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (client->non_stop && tl_engine_next_thread(client->machine.engine, info.id, &info)) {
		const struct known *known = books_of(client, info.id);

		if (known->resumed && !known->stop_asked)
			stop(client, info.id);
	}
}

/* Stops everybody, and hears of all of it. */
static void come_to_rest(struct client *client)
{
	struct machine_patience patience = machine_patience();

	if (client->non_stop)
		stop(client, everyone);
	else if (client->owed)
		order_interrupt(client);
	do {
		take(client, NUMBERS);
		stop_new(client);
		if (client->non_stop ? tl_engine_quiet(client->machine.engine) && !client->machine.ready
				     : !client->owed)
			break;
	} while (client->machine.ready || machine_advance(&client->machine, &patience) || client->machine.ready);
	take(client, NUMBERS);
	must(client, tl_engine_quiet(client->machine.engine), "everybody can be stopped");
	must(client, !client->owed, "all-stop answers every resume");
	must(client, !client->non_stop || !anybody_runs(client), "every resume has its stop");
}

static bool signal_untold(struct client *client)
{
	struct tl_thread_info info = {.id = {0, 0}};

	while (tl_engine_next_thread(client->machine.engine, info.id, &info))
		for (size_t n = 0; n < TL_COUNT(signals); n++)
			if (books_of(client, info.id)->sent[n] != books_of(client, info.id)->told[n])
				return true;
	return false;
}

/* Without points, and with everybody running as soon as it has stopped, all that was sent is told. */
static void hear_all_signals(struct client *client)
{
	struct machine_patience patience = machine_patience();

	while (signal_untold(client) && !client->failed) {
		order_resume_all(client);
		if (!client->machine.ready && !machine_advance(&client->machine, &patience))
			break;
		take(client, 1);
	}
	must(client, !signal_untold(client), "no signal is lost");
}

static void run_session(tl_u64 seed, bool non_stop, bool with_crew, unsigned count)
{
	static struct client client;
	struct tl_scripted_options options = machine_options();
	tl_u32 without =
		(seed & 1 ? TL_CAN_CARRY_OUT : 0) | (seed & 2 ? TL_CAN_OUT_OF_LINE : 0) | (seed & 4 ? TL_CAN_STEP : 0);

	memset(&client, 0, sizeof(client));
	client.seed = seed;
	client.random = seed * 0x9e3779b97f4a7c15u | 1;
	client.non_stop = non_stop;
	client.threads_told = (seed & 8) != 0;
	options.seed = seed;
	options.without = without;
	options.points_inserted = options.passes_points = (seed & 48) == 48;
	REQUIRE(with_crew ? machine_make_with_crew(&client.machine, &options)
			  : machine_make(&client.machine, &options));
	machine_set_pc(&client.machine, client.machine.main, SPIN);
	for (unsigned i = 0; i < 1 + seed % 7; i++)
		REQUIRE(machine_thread(&client.machine, starts[below(&client, TL_COUNT(starts))]).thread != 0);
	tl_engine_settings(client.machine.engine)->report_threads = client.threads_told;
	tl_engine_settings(client.machine.engine)->pass_reported = (seed & 16) != 0;
	CHECK_EQUAL(tl_engine_set_non_stop(client.machine.engine, non_stop), TL_OK);
	client.owed = !non_stop; /* so that the books say of all that they stand */
	all_have_stopped(&client);
	for (unsigned n = 0; n < count && !client.failed; n++)
		orders[below(&client, TL_COUNT(orders))](&client);
	come_to_rest(&client);
	remove_points(&client);
	hear_all_signals(&client);
	come_to_rest(&client);
	order_look(&client);
	must(&client, !client.machine.ready && !tl_engine_take_report(client.machine.engine, &(struct tl_report){0}),
	     "nothing is told that was told already");
	if (client.failed)
		machine_free(&client.machine);
	else
		MACHINE_END(&client.machine);
}

static void run_sessions(bool non_stop, bool with_crew, tl_u64 seeds, unsigned count)
{
	const char *text = getenv("SEED"), *many = getenv("SEEDS");
	unsigned before = test_failures;

	if (many != NULL)
		seeds = strtoull(many, NULL, 0);
	if (text != NULL) {
		run_session(strtoull(text, NULL, 0), non_stop, with_crew, count);
		return;
	}
	for (tl_u64 seed = 1; seed <= seeds && test_failures < before + 3; seed++)
		run_session(seed, non_stop, with_crew, count);
}

TEST(all_stop_in_turns)
{
	run_sessions(false, false, 1500, 300);
}

TEST(non_stop_in_turns)
{
	run_sessions(true, false, 1500, 300);
}

TEST(all_stop_with_a_crew)
{
	run_sessions(false, true, 24, 100);
}

TEST(non_stop_with_a_crew)
{
	run_sessions(true, true, 24, 100);
}

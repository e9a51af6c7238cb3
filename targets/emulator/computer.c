#include "targets/emulator/computer_internal.h"

#include "targets/emulator/control.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/translator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ENVIRONMENT_TIMER ((tl_u64)1 << 63) /* STCE of menvcfg: stimecmp counts */

static tl_u64 interpret(void *context, struct tl_hart *hart, tl_u64 count)
{
	(void)context;
	return tl_interpreter_run(hart, count);
}

static tl_u64 translate(void *context, struct tl_hart *hart, tl_u64 count)
{
	return tl_translator_run(context, hart, count);
}

static void drop_code(void *context, tl_u64 physical, tl_u64 size)
{
	tl_translator_memory_changed(context, physical, size);
}

/* The translator becomes the executor, where there can be one: without it the machine is slow, and whole. */
static void add_translator(struct tl_computer *computer)
{
	if (computer->configuration.interpret || tl_translator_create(&computer->translator, NULL) != TL_OK)
		return;
	computer->executor =
		(struct tl_executor){.run = translate, .memory_changes = drop_code, .context = computer->translator};
}

/* What `time` shows a hart in the middle of its run. */
static tl_u64 hart_time(void *context)
{
	struct tl_computer *computer = context;

	return tl_aclint_time(&computer->board.aclint, tl_computer_now(computer));
}

static void hart_line(void *context, tl_u32 number, bool level)
{
	struct tl_computer *computer = context;
	struct tl_hart *hart = &computer->harts[TL_BOARD_LINE_HART(number)];
	tl_u64 bit = (tl_u64)1 << TL_BOARD_LINE_INTERRUPT(number);

	if (((hart->lines & bit) != 0) == level)
		return;
	hart->lines = level ? hart->lines | bit : hart->lines & ~bit;
	hart->look_for_interrupt = true;
}

tl_u64 tl_computer_now(const struct tl_computer *computer)
{
	const struct tl_hart *hart = &computer->harts[computer->turn];

	return computer->running ? hart->run_end - hart->left : computer->turns[computer->turn].now;
}

static tl_u64 service_now(void *context)
{
	return tl_computer_now(context);
}

static void service_disarm(void *context, struct tl_timer *timer)
{
	struct tl_computer *computer = context;

	for (struct tl_timer **at = &computer->timers; *at != NULL; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	timer->armed = false;
}

/* Whoever runs comes back after the present instruction. */
static void leave(struct tl_computer *computer)
{
	if (computer->running)
		tl_hart_leave(&computer->harts[computer->turn]);
}

static void service_arm(void *context, struct tl_timer *timer, tl_u64 when)
{
	struct tl_computer *computer = context;
	struct tl_timer **at = &computer->timers;

	service_disarm(computer, timer);
	while (*at != NULL && (*at)->when <= when)
		at = &(*at)->next;
	timer->when = when;
	timer->armed = true;
	timer->next = *at;
	*at = timer;
	leave(computer); /* it may be running on beyond the moment at which this is looked at */
}

static void service_attention(void *context)
{
	leave(context);
}

static enum tl_status check(const struct tl_computer_configuration *configuration, struct tl_error *error)
{
	if (configuration->harts == 0 || configuration->harts > TL_BOARD_HARTS_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine has 1 to %d harts, not %u", TL_BOARD_HARTS_MAX,
			       configuration->harts);
	if (configuration->memory_size < TL_COMPUTER_MEMORY_MIN ||
	    configuration->memory_size > TL_COMPUTER_MEMORY_MAX || configuration->memory_size % TL_PAGE_SIZE != 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine has whole pages of memory, from %u MiB to %u GiB",
			       (unsigned)(TL_COMPUTER_MEMORY_MIN >> 20), (unsigned)(TL_COMPUTER_MEMORY_MAX >> 30));
	if (configuration->quantum > TL_COMPUTER_QUANTUM_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a quantum has at most %d nanoseconds",
			       TL_COMPUTER_QUANTUM_MAX);
	return TL_OK;
}

static void *map(tl_u64 size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory != MAP_FAILED ? memory : NULL;
}

static tl_u64 harts_size(const struct tl_computer *computer)
{
	return sizeof(struct tl_hart) * computer->configuration.harts;
}

static tl_u64 uses_size(const struct tl_computer *computer)
{
	return (computer->configuration.memory_size >> TL_PAGE_BITS) * sizeof(*computer->tables.uses);
}

static enum tl_status build(struct tl_computer *computer, struct tl_error *error)
{
	const struct tl_computer_configuration *configuration = &computer->configuration;

	computer->memory = map(configuration->memory_size);
	if (computer->memory != NULL) /* large pages are faster to get and to reach; without them it works, too */
		(void)madvise(computer->memory, configuration->memory_size, MADV_HUGEPAGE);
	computer->harts = map(harts_size(computer));
	computer->tables = (struct tl_page_tables){.memory = computer->memory,
						   .start = TL_BOARD_MEMORY,
						   .size = configuration->memory_size,
						   .uses = map(uses_size(computer)),
						   .harts = computer->harts,
						   .hart_count = configuration->harts};
	if (computer->memory == NULL || computer->harts == NULL || computer->tables.uses == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_NO_MEMORY, "no room for a machine with %u MiB of memory",
				     (unsigned)(configuration->memory_size >> 20));
	if (!tl_riscv_board_make(&computer->board, configuration->harts, computer->memory, configuration->memory_size,
				 &computer->services, hart_line, computer))
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the board does not fit together");
	computer->board.rtc.start = configuration->start_time;
	add_translator(computer);
	return TL_OK;
}

enum tl_status tl_computer_open(struct tl_computer *computer_ret, const struct tl_computer_configuration *configuration,
				struct tl_error *error)
{
	enum tl_status status;

	*computer_ret = (struct tl_computer){
		.configuration = *configuration,
		.executor = {.run = interpret},
		.services = {.context = computer_ret,
			     .now = service_now,
			     .arm = service_arm,
			     .disarm = service_disarm,
			     .attention = service_attention},
	};
	computer_ret->configuration.command_line = NULL;
	TL_TRY(check(configuration, error));
	if (configuration->quantum == 0)
		computer_ret->configuration.quantum = TL_COMPUTER_QUANTUM;
	if (configuration->command_line != NULL) {
		computer_ret->command_line = strdup(configuration->command_line);
		if (computer_ret->command_line == NULL)
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room for the kernel's command line");
		computer_ret->configuration.command_line = computer_ret->command_line;
	}
	status = build(computer_ret, error);
	if (status != TL_OK)
		tl_computer_close(computer_ret);
	return status;
}

void tl_computer_close(struct tl_computer *computer)
{
	tl_translator_destroy(computer->translator);
	if (computer->memory != NULL)
		(void)munmap(computer->memory, computer->configuration.memory_size);
	if (computer->harts != NULL)
		(void)munmap(computer->harts, harts_size(computer));
	if (computer->tables.uses != NULL)
		(void)munmap(computer->tables.uses, uses_size(computer));
	for (tl_u32 i = 0; i < computer->image_count; i++)
		free(computer->images[i].bytes);
	free(computer->command_line);
	*computer = (struct tl_computer){0};
}

void tl_computer_start(struct tl_computer *computer)
{
	computer->timers = NULL;
	computer->turn = 0;
	computer->round_start = 0;
	computer->begun = 0;
	computer->held = 0;
	for (tl_u32 i = 0; i < computer->configuration.harts; i++) {
		struct tl_hart *hart = &computer->harts[i];

		computer->turns[i] = (struct tl_computer_turn){0};
		tl_hart_reset(hart, i, TL_BOARD_ROM, &computer->board.bus);
		hart->tables = &computer->tables;
		hart->time = hart_time;
		hart->time_context = computer;
	}
	tl_riscv_board_reset(&computer->board);
}

void tl_computer_request_stop(struct tl_computer *computer)
{
	__atomic_store_n(&computer->stop, true, __ATOMIC_RELEASE);
}

static bool is_held(const struct tl_computer *computer, tl_u32 number)
{
	return (computer->held >> number & 1) != 0;
}

/* The first moment after `now` at which one of a hart's own timers comes due, or is not due any more. */
static tl_u64 hart_deadline(const struct tl_computer *computer, tl_u32 number, tl_u64 now)
{
	const struct tl_hart *hart = &computer->harts[number];
	const struct tl_aclint *aclint = &computer->board.aclint;
	tl_u64 machine = tl_aclint_deadline(aclint, aclint->compare[number], now);
	tl_u64 supervisor =
		(hart->menvcfg & ENVIRONMENT_TIMER) != 0 ? tl_aclint_deadline(aclint, hart->stimecmp, now) : TL_U64_MAX;

	return machine < supervisor ? machine : supervisor;
}

/* Brings the timers' lines of a hart up to date. */
static void look_at_timers(struct tl_computer *computer, tl_u32 number)
{
	struct tl_hart *hart = &computer->harts[number];
	tl_u64 time = computer->turns[number].now;

	tl_aclint_update(&computer->board.aclint, number, time);
	tl_control_set_timer(hart, tl_aclint_time(&computer->board.aclint, time));
}

static bool would_wake(const struct tl_hart *hart)
{
	return !hart->waiting || ((hart->mip | hart->lines) & hart->mie) != 0;
}

bool tl_computer_is_idle(const struct tl_computer *computer)
{
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		if (!is_held(computer, i) && would_wake(&computer->harts[i]))
			return false;
	return true;
}

tl_u64 tl_computer_deadline(const struct tl_computer *computer)
{
	tl_u64 first = computer->timers != NULL ? computer->timers->when : TL_U64_MAX, deadline;

	for (tl_u32 i = 0; i < computer->configuration.harts; i++) {
		deadline = hart_deadline(computer, i, computer->turns[i].now);
		if (!is_held(computer, i) && deadline < first)
			first = deadline;
	}
	return first;
}

/* A round begins at `time`. Timers of devices that have come due are called first. */
static void begin_round(struct tl_computer *computer, tl_u64 time)
{
	computer->turn = 0;
	computer->round_start = time;
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		computer->turns[i].now = time;
	while (computer->timers != NULL && computer->timers->when <= time) {
		struct tl_timer *timer = computer->timers;

		service_disarm(computer, timer);
		timer->expired(timer->device);
	}
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		look_at_timers(computer, i);
}

/* At the end of a round all harts are at the same time. */
static void end_round(struct tl_computer *computer)
{
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		look_at_timers(computer, i);
}

/* How many instructions the hart may begin until `end` and the limits. */
static tl_u64 room(const struct tl_computer *computer, const struct tl_computer_limits *limits, tl_u64 end)
{
	const struct tl_computer_turn *turn = &computer->turns[computer->turn];
	tl_u64 count = end - turn->now;

	if (limits->begun - computer->begun < count)
		count = limits->begun - computer->begun;
	if (limits->hart == computer->turn && limits->hart_begun - turn->begun < count)
		count = limits->hart_begun - turn->begun;
	return count;
}

/*
 * How far the hart whose turn it is may run on: to the end of its round. A hart that is alone runs on through several,
 * as nothing happens between two rounds but for devices whose timers have come due, and what is asked from outside.
 */
static tl_u64 turn_end(const struct tl_computer *computer, bool runs)
{
	tl_u64 end = computer->round_start + computer->configuration.quantum;

	if (runs && computer->configuration.harts == 1)
		for (tl_u32 i = 1; i < TL_COMPUTER_ROUNDS_AT_ONCE; i++)
			if (computer->timers == NULL || computer->timers->when > end)
				end += computer->configuration.quantum;
	return end;
}

/* The round that the hart has come to, when it ran through several: as if each had been begun. */
static void enter_round(struct tl_computer *computer)
{
	while (computer->turns[computer->turn].now - computer->round_start > computer->configuration.quantum)
		computer->round_start += computer->configuration.quantum;
}

/* Whether the hart whose turn it is comes to where the run is to end before it comes to `end`. */
static bool is_before(const struct tl_computer *computer, const struct tl_computer_position *until, tl_u64 end)
{
	return until != NULL && until->turn == computer->turn && until->now < end &&
	       (until->round == computer->round_start ||
		(computer->configuration.harts == 1 && until->round > computer->round_start));
}

/* The hart whose turn it is runs on, to the end of its turn at most. False when it halted for the debugger. */
static bool run_piece(struct tl_computer *computer, const struct tl_computer_limits *limits)
{
	struct tl_computer_turn *turn = &computer->turns[computer->turn];
	struct tl_hart *hart = &computer->harts[computer->turn];
	tl_u64 end = hart_deadline(computer, computer->turn, turn->now), last, begun;
	bool runs;

	look_at_timers(computer, computer->turn);
	runs = !is_held(computer, computer->turn) && would_wake(hart);
	last = turn_end(computer, runs);
	if (end > last)
		end = last;
	if (is_before(computer, limits->until, end))
		end = limits->until->now;
	if (!runs) {
		turn->now = end;
		return true;
	}
	hart->left = room(computer, limits, end);
	hart->run_end = turn->now + hart->left;
	computer->running = true;
	begun = computer->executor.run(computer->executor.context, hart, hart->left);
	computer->running = false;
	turn->now += begun;
	turn->begun += begun;
	computer->begun += begun;
	enter_round(computer);
	return hart->halt == TL_HALT_NONE;
}

struct tl_computer_position tl_computer_position(const struct tl_computer *computer)
{
	return (struct tl_computer_position){
		.round = computer->round_start, .turn = computer->turn, .now = computer->turns[computer->turn].now};
}

int tl_computer_compare(const struct tl_computer_position *a, const struct tl_computer_position *b)
{
	if (a->round != b->round)
		return a->round < b->round ? -1 : 1;
	if (a->turn != b->turn)
		return a->turn < b->turn ? -1 : 1;
	return (a->now > b->now) - (a->now < b->now);
}

bool tl_computer_is_reached(const struct tl_computer *computer, const struct tl_computer_limits *limits)
{
	struct tl_computer_position position = tl_computer_position(computer);

	if (limits->until != NULL && tl_computer_compare(&position, limits->until) >= 0)
		return true;
	return computer->begun >= limits->begun || (limits->hart < computer->configuration.harts &&
						    computer->turns[limits->hart].begun >= limits->hart_begun);
}

/* What ends the run between two pieces, if anything. */
static bool is_over(struct tl_computer *computer, const struct tl_computer_limits *limits,
		    enum tl_computer_exit *exit_ret)
{
	switch (computer->board.finisher.finish) {
	case TL_FINISH_POWER_OFF:
		*exit_ret = TL_COMPUTER_OFF;
		return true;
	case TL_FINISH_FAILURE:
		*exit_ret = TL_COMPUTER_FAILED;
		return true;
	case TL_FINISH_RESET:
		*exit_ret = TL_COMPUTER_RESET;
		return true;
	case TL_FINISH_NOT_YET:
		break;
	}
	if (__atomic_load_n(&computer->stop, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&computer->stop, false, __ATOMIC_ACQUIRE)) {
		*exit_ret = TL_COMPUTER_STOPPED;
		return true;
	}
	*exit_ret = TL_COMPUTER_REACHED;
	return tl_computer_is_reached(computer, limits);
}

enum tl_computer_exit tl_computer_run(struct tl_computer *computer, const struct tl_computer_limits *limits)
{
	enum tl_computer_exit exit;
	tl_u64 round_end, deadline;

	while (!is_over(computer, limits, &exit)) {
		round_end = computer->round_start + computer->configuration.quantum;
		if (computer->turns[computer->turn].now < round_end) {
			if (!run_piece(computer, limits))
				return TL_COMPUTER_HALTED;
			continue;
		}
		/* What others do in their turns this hart would not see: its reservation ends here. */
		if (computer->configuration.harts > 1)
			computer->harts[computer->turn].reserved = false;
		if (computer->turn + 1 < computer->configuration.harts) {
			computer->turn++;
			continue;
		}
		end_round(computer);
		deadline = round_end;
		if (tl_computer_is_idle(computer)) {
			deadline = tl_computer_deadline(computer);
			if (limits->tell_idle || deadline == TL_U64_MAX)
				return deadline == TL_U64_MAX ? TL_COMPUTER_STUCK : TL_COMPUTER_IDLE;
		}
		begin_round(computer, deadline > round_end ? deadline : round_end);
	}
	return exit;
}

bool tl_computer_pass_time(struct tl_computer *computer, tl_u64 until)
{
	tl_u64 round_end = computer->round_start + computer->configuration.quantum;

	if (!tl_computer_is_idle(computer) || computer->turns[computer->turn].now < round_end || until < round_end ||
	    until > tl_computer_deadline(computer))
		return false;
	begin_round(computer, until);
	return true;
}

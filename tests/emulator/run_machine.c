/*
 * Runs a bare-metal RISC-V program on the least machine there is: one hart, memory, a serial port to standard output,
 * and the finisher.
 *
 *     run-machine [--translate | --compare] [--heat N] [--room BYTES] [--slices N,N…] [--limit N] [--counters] [--break
 * ADDRESS]
 *                 [--watch ADDRESS] [--never ADDRESS] [--marks] PROGRAM
 *
 * The interpreter runs it; with --translate the translator; with --compare both, on a machine each, which must be the
 * same after every slice of so many instructions (the numbers are taken in turn). --break and --watch set a point, for
 * writes of 8 bytes, that nothing may come to; --never sets a breakpoint whose condition, a0 == 0x123456789, is false.
 * With --marks stores mark the lines that they write; with --compare, too, there must be a mark where memory changed.
 * Exits with 0 when the program turned
 * the machine off, with 1 when it failed, did not come to an end, or the two were not the same.
 */
#include "base/elf.h"
#include "base/storage.h"
#include "core/agent/agent.h"
#include "machine/bus.h"
#include "machine/finisher.h"
#include "machine/uart.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/page_tables.h"
#include "targets/emulator/points.h"
#include "targets/emulator/translator.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_START 0x80000000ull
#define MEMORY_SIZE (64ull << 20)
#define SLICES_MAX 32

struct machine {
	struct tl_bus bus;
	struct tl_hart hart;
	struct tl_uart uart;
	struct tl_finisher finisher;
	struct tl_emulator_points points;
	struct tl_page_tables tables;
	struct tl_first_writes writes;
	tl_u8 *memory, *loaded;           /* loaded: as it was before the first instruction */
	struct tl_translator *translator; /* NULL: the interpreter runs it */
	bool silent;
	tl_u64 sent; /* a sum over what was sent */
};

struct options {
	bool translate, compare, counters, marks;
	tl_u64 slices[SLICES_MAX], limit, breakpoint, watchpoint, never;
	tl_u32 slice_count, heat, room;
	const char *program;
};

static void send(void *context, tl_u8 byte)
{
	struct machine *machine = context;

	machine->sent = (machine->sent ^ byte) * 0x100000001b3;
	if (!machine->silent)
		putchar(byte);
}

static int load(const char *path, tl_u8 *memory, tl_u64 *entry_ret)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct tl_error error = {0};
	struct tl_elf_segment segment;
	struct tl_elf elf;

	if (descriptor < 0 || tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &error) != TL_OK) {
		fprintf(stderr, "%s: %s\n", path, descriptor < 0 ? strerror(errno) : error.text);
		return -1;
	}
	*entry_ret = elf.entry;
	for (tl_u32 i = 0; i < elf.segment_count; i++) {
		if (tl_elf_segment(&elf, i, &segment, &error) != TL_OK)
			return -1;
		if (segment.type != 1 || segment.address < MEMORY_START ||
		    segment.address - MEMORY_START > MEMORY_SIZE - segment.file_size)
			continue;
		if (pread(descriptor, memory + (segment.address - MEMORY_START), segment.file_size,
			  (off_t)segment.offset) != (ssize_t)segment.file_size)
			return -1;
	}
	close(descriptor);
	return 0;
}

static enum tl_status read_register(void *context, tl_u16 number, tl_u64 *value_ret)
{
	*value_ret = ((const struct tl_hart *)context)->x[number & 31];
	return TL_OK;
}

/* reg 10, const64, equal, end */
static const tl_u8 condition[] = {0x26, 0, 10, 0x25, 0, 0, 0, 1, 0x23, 0x45, 0x67, 0x89, 0x13, 0x27};

static bool decide(void *context, struct tl_hart *hart, const struct tl_emulator_point *point)
{
	struct tl_agent_environment environment = {.read_register = read_register, .context = hart};
	const struct tl_agent_code code = {condition, sizeof(condition)};
	tl_u64 value;

	(void)context;
	return point->label == 0 || tl_agent_run(&code, &environment, &value, NULL) != TL_OK || value != 0;
}

static bool add_points(struct machine *machine, const struct options *options)
{
	static const struct tl_agent_code code = {condition, sizeof(condition)};
	struct tl_emulator_point never = {
		.address = options->never, .label = 1, .conditions = &code, .condition_count = 1};
	struct tl_emulator_point watchpoint = {.address = options->watchpoint, .size = 8, .access = TL_POINT_WRITES};
	struct tl_emulator_point breakpoint = {.address = options->breakpoint};

	if (options->breakpoint == 0 && options->watchpoint == 0 && options->never == 0)
		return true;
	tl_points_init(&machine->points, tl_storage());
	machine->points.decide = decide;
	machine->hart.points = &machine->points;
	return (options->never == 0 || tl_points_add(&machine->points, &never) == TL_OK) &&
	       (options->breakpoint == 0 || tl_points_add(&machine->points, &breakpoint) == TL_OK) &&
	       (options->watchpoint == 0 || tl_points_add(&machine->points, &watchpoint) == TL_OK);
}

static void ignore_page(void *context, tl_u64 page)
{
	(void)context;
	(void)page;
}

static bool add_marks(struct machine *machine, bool check)
{
	struct tl_first_writes *writes = &machine->writes;

	*writes = (struct tl_first_writes){.memory = machine->memory,
					   .start = MEMORY_START,
					   .size = MEMORY_SIZE,
					   .seen = calloc(MEMORY_SIZE / TL_PAGE_SIZE / 64, sizeof(tl_u64)),
					   .lines = tl_written_map(machine->memory, MEMORY_SIZE),
					   .first = ignore_page};
	if (check)
		machine->loaded = malloc(MEMORY_SIZE);
	if (writes->seen == NULL || writes->lines == NULL || (check && machine->loaded == NULL))
		return false;
	if (check)
		memcpy(machine->loaded, machine->memory, MEMORY_SIZE);
	machine->hart.first_writes = writes;
	machine->hart.marks = tl_written_marks(writes->lines, machine->memory);
	return true;
}

/* Whether there is a mark for each byte that is not what it was; the marks are gone then. */
static bool marked(struct machine *machine)
{
	for (tl_u64 page = 0; page < MEMORY_SIZE / TL_PAGE_SIZE; page++) {
		const tl_u8 *was = machine->loaded + page * TL_PAGE_SIZE, *is = machine->memory + page * TL_PAGE_SIZE;
		struct tl_line_set written = {0};

		if (memcmp(was, is, TL_PAGE_SIZE) == 0)
			continue;
		tl_written_take(machine->writes.lines, page, &written);
		for (tl_u64 i = 0; i < TL_PAGE_SIZE; i++) {
			struct tl_line_set around = tl_written_around(i, 1);

			if (was[i] == is[i] || tl_written_meet(&written, &around))
				continue;
			fprintf(stderr, "no mark for what was written at %llx\n",
				(unsigned long long)(MEMORY_START + page * TL_PAGE_SIZE + i));
			return false;
		}
	}
	return true;
}

static struct machine *build(const struct options *options, bool translate)
{
	struct machine *machine = calloc(1, sizeof(*machine));
	struct tl_error error = {0};
	tl_u64 entry;

	if (machine == NULL)
		return NULL;
	machine->memory = calloc(1, MEMORY_SIZE);
	machine->uart = (struct tl_uart){.send = send, .context = machine};
	if (machine->memory == NULL || load(options->program, machine->memory, &entry) != 0)
		return NULL;
	if (tl_bus_add_memory(&machine->bus, "memory", MEMORY_START, MEMORY_SIZE, machine->memory, false) != TL_OK ||
	    tl_bus_add_device(&machine->bus, "uart", 0x10000000, TL_UART_SIZE, &tl_uart_operations, &machine->uart) !=
		    TL_OK ||
	    tl_bus_add_device(&machine->bus, "finisher", 0x100000, TL_FINISHER_SIZE, &tl_finisher_operations,
			      &machine->finisher) != TL_OK)
		return NULL;
	tl_hart_reset(&machine->hart, 0, entry, &machine->bus);
	machine->tables = (struct tl_page_tables){.memory = machine->memory,
						  .start = MEMORY_START,
						  .size = MEMORY_SIZE,
						  .uses = calloc(MEMORY_SIZE / TL_PAGE_SIZE, sizeof(tl_u64)),
						  .harts = &machine->hart,
						  .hart_count = 1};
	machine->hart.tables = &machine->tables;
	if (machine->tables.uses == NULL || !add_points(machine, options) ||
	    (options->marks && !add_marks(machine, options->compare)))
		return NULL;
	if (translate && tl_translator_create(&machine->translator, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		return NULL;
	}
	if (translate)
		tl_translator_set_heat(machine->translator, options->heat);
	if (translate && options->room != 0)
		tl_translator_set_room(machine->translator, options->room);
	return machine;
}

static void destroy(struct machine *machine)
{
	if (machine == NULL)
		return;
	tl_translator_destroy(machine->translator);
	if (machine->hart.points != NULL)
		tl_points_end(&machine->points);
	free(machine->writes.seen);
	tl_written_map_free(machine->writes.lines, MEMORY_SIZE);
	free(machine->loaded);
	free(machine->tables.uses);
	free(machine->memory);
	free(machine);
}

static tl_u64 run(struct machine *machine, tl_u64 count)
{
	return machine->translator != NULL ? tl_translator_run(machine->translator, &machine->hart, count)
					   : tl_interpreter_run(&machine->hart, count);
}

static bool goes_on(const struct machine *machine, tl_u64 limit)
{
	return machine->finisher.finish == TL_FINISH_NOT_YET && machine->hart.halt == TL_HALT_NONE &&
	       machine->hart.retired < limit && !machine->hart.waiting;
}

/* Whether two harts are the same in all that a program can see; says what is not. */
static bool same_hart(const struct tl_hart *a, const struct tl_hart *b)
{
	/* From the first register to where each has its own. */
	tl_size size = __builtin_offsetof(struct tl_hart, first_writes);

	for (int i = 0; i < 32; i++) {
		if (a->x[i] != b->x[i])
			fprintf(stderr, "x%d: %llx, translated %llx\n", i, (unsigned long long)a->x[i],
				(unsigned long long)b->x[i]);
		if (a->f[i] != b->f[i])
			fprintf(stderr, "f%d: %llx, translated %llx\n", i, (unsigned long long)a->f[i],
				(unsigned long long)b->f[i]);
	}
	if (a->pc != b->pc || a->retired != b->retired || a->fflags != b->fflags || a->mstatus != b->mstatus)
		fprintf(stderr, "pc %llx, translated %llx; retired %llu, %llu; fflags %x, %x; mstatus %llx, %llx\n",
			(unsigned long long)a->pc, (unsigned long long)b->pc, (unsigned long long)a->retired,
			(unsigned long long)b->retired, a->fflags, b->fflags, (unsigned long long)a->mstatus,
			(unsigned long long)b->mstatus);
	/* What stands between the fields is 0 in both, as both came from the same reset. */
	return memcmp(a, b, size) == 0;
}

static int compare(const struct options *options, struct machine *a, struct machine *b)
{
	tl_u64 last = 0, slices = 0;

	b->silent = true;
	while (goes_on(a, options->limit)) {
		tl_u64 count = options->slices[slices++ % options->slice_count], from = a->hart.pc;
		tl_u64 begun = run(a, count), translated = run(b, count);
		bool memory_due = a->hart.retired - last > 200000 || !goes_on(a, options->limit);

		b->hart.look_for_interrupt = a->hart.look_for_interrupt; /* every run begins with looking */
		if (begun != translated || a->sent != b->sent || a->finisher.finish != b->finisher.finish ||
		    !same_hart(&a->hart, &b->hart) || (memory_due && memcmp(a->memory, b->memory, MEMORY_SIZE) != 0)) {
			fprintf(stderr, "not the same after %llu instructions, slice from %llx: %llu and %llu begun\n",
				(unsigned long long)a->hart.retired, (unsigned long long)from,
				(unsigned long long)begun, (unsigned long long)translated);
			return 1;
		}
		if (memory_due)
			last = a->hart.retired;
	}
	return 0;
}

static void print_counters(const struct machine *machine)
{
	struct tl_translator_counters counters = {0};

	if (machine->translator != NULL)
		counters = tl_translator_count(machine->translator);
	fprintf(stderr,
		"retired %llu, blocks %llu, dropped %llu, emptied %llu, entered %llu, interpreted %llu, helped %llu, "
		"slow "
		"%llu, code %llu\n",
		(unsigned long long)machine->hart.retired, (unsigned long long)counters.blocks,
		(unsigned long long)counters.dropped, (unsigned long long)counters.emptied,
		(unsigned long long)counters.entered, (unsigned long long)counters.interpreted,
		(unsigned long long)counters.helped, (unsigned long long)counters.slow,
		(unsigned long long)counters.code_bytes);
}

static void parse_slices(struct options *options, const char *text)
{
	char *end;

	options->slice_count = 0;
	while (*text != '\0' && options->slice_count < SLICES_MAX) {
		options->slices[options->slice_count++] = strtoull(text, &end, 10);
		text = *end == ',' ? end + 1 : "";
	}
}

static bool parse(int count, char **arguments, struct options *options_ret)
{
	static const struct option known[] = {
		{"translate", no_argument, NULL, 't'},    {"compare", no_argument, NULL, 'c'},
		{"slices", required_argument, NULL, 's'}, {"limit", required_argument, NULL, 'l'},
		{"counters", no_argument, NULL, 'n'},     {"heat", required_argument, NULL, 'h'},
		{"room", required_argument, NULL, 'r'},   {"break", required_argument, NULL, 'b'},
		{"watch", required_argument, NULL, 'w'},  {"never", required_argument, NULL, 'f'},
		{"marks", no_argument, NULL, 'm'},        {NULL, 0, NULL, 0}};
	int option;

	*options_ret = (struct options){.slices = {10000}, .slice_count = 1, .limit = 2000000000, .heat = 2};
	while ((option = getopt_long(count, arguments, "", known, NULL)) != -1) {
		switch (option) {
		case 't':
			options_ret->translate = true;
			break;
		case 'c':
			options_ret->compare = true;
			break;
		case 's':
			parse_slices(options_ret, optarg);
			break;
		case 'l':
			options_ret->limit = strtoull(optarg, NULL, 10);
			break;
		case 'b':
			options_ret->breakpoint = strtoull(optarg, NULL, 0);
			break;
		case 'w':
			options_ret->watchpoint = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			options_ret->never = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			options_ret->room = (tl_u32)strtoul(optarg, NULL, 10);
			break;
		case 'h':
			options_ret->heat = (tl_u32)strtoul(optarg, NULL, 10);
			break;
		case 'm':
			options_ret->marks = true;
			break;
		case 'n':
			options_ret->counters = true;
			break;
		default:
			return false;
		}
	}
	if (optind + 1 != count || options_ret->slice_count == 0)
		return false;
	options_ret->program = arguments[optind];
	return true;
}

int main(int count, char **arguments)
{
	struct machine *machine, *other = NULL;
	struct options options;
	tl_u64 slices = 0;
	int result;

	if (!parse(count, arguments, &options))
		return 2;
	machine = build(&options, options.translate);
	if (options.compare)
		other = build(&options, true);
	if (machine == NULL || (options.compare && other == NULL))
		return 2;
	if (options.compare) {
		result = compare(&options, machine, other);
	} else {
		while (goes_on(machine, options.limit))
			(void)run(machine, options.slices[slices++ % options.slice_count]);
		result = machine->finisher.finish != TL_FINISH_POWER_OFF;
	}
	fflush(stdout);
	if (machine->loaded != NULL && !marked(machine))
		result = 1;
	if (other != NULL && other->loaded != NULL && !marked(other))
		result = 1;
	if (options.counters)
		print_counters(other != NULL ? other : machine);
	if (machine->finisher.finish != TL_FINISH_POWER_OFF)
		fprintf(stderr, "not turned off: pc %llx after %llu instructions, mcause %llx, mtval %llx\n",
			(unsigned long long)machine->hart.pc, (unsigned long long)machine->hart.retired,
			(unsigned long long)machine->hart.mcause, (unsigned long long)machine->hart.mtval);
	destroy(machine);
	destroy(other);
	return result;
}

/*
 * Runs the emulated computer from reset to its end, with the interpreter, its serial port on standard output.
 *
 *     boot-machine [--harts N] [--quantum NANOSECONDS] [--memory MIB] [--firmware FILE] [--kernel FILE] [--any FILE]
 *                  [--initrd FILE] [--program FILE] [--append TEXT] [--type TEXT] [--begun N] [--resets N]
 *                  [--interpret yes] [--digest yes]
 *                  [--disk FILE[,write|,readonly]] [--random SEED] [--console FILE] [--network FORWARD]
 *                  [--again TIMES]
 *
 * --interpret has the interpreter carry out all instructions. --digest says at the end what registers and memory came
 * to, as a number. --any is a kernel that need not be Linux. --type enters the text, line by line, whenever nothing
 * else is left that would happen. SEED is a text, and FORWARD a port to be forwarded, or "". --console is where the
 * virtio console's output goes. With a network idle time passes as the host's does; without, it is jumped over. At the
 * end it says on standard error how the run ended, how many instructions were begun, the machine's time, and how fast
 * that was. Exits with 0 when the guest switched the machine off. With --again it has remembered the past, goes back to
 * so many moments of it, the last ones first, runs on from there, and says whether memory and disks end as they did.
 */
#include "targets/emulator/computer_load.h"
#include "targets/emulator/control.h"
#include "targets/emulator/devices.h"
#include "targets/emulator/translator.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

/* So often the network is looked at while the machine is busy. */
#define NETWORK_BEGUN 1000000

struct order {
	struct tl_computer_configuration configuration;
	const char *firmware, *kernel, *any, *initrd, *program, *type;
	const char *disks[TL_DEVICES_DISKS], *random, *console, *network;
	tl_u32 disk_count;
	struct tl_computer_limits limits;
	unsigned long resets; /* that are followed */
	unsigned long again;
	bool digest;
};

static void print(void *context, tl_u8 byte)
{
	(void)context;
	putchar(byte);
	if (byte == '\n')
		fflush(stdout);
}

static bool read_device(struct order *order, const char *name, const char *value)
{
	if (strcmp(name, "--disk") == 0 && order->disk_count < TL_DEVICES_DISKS)
		order->disks[order->disk_count++] = value;
	else if (strcmp(name, "--random") == 0)
		order->random = value;
	else if (strcmp(name, "--console") == 0)
		order->console = value;
	else if (strcmp(name, "--network") == 0)
		order->network = value;
	else if (strcmp(name, "--again") == 0)
		order->again = strtoul(value, NULL, 0);
	else
		return false;
	return true;
}

static bool read_order(struct order *order, int count, char **arguments)
{
	for (int i = 1; i + 1 < count; i += 2) {
		const char *name = arguments[i], *value = arguments[i + 1];

		if (strcmp(name, "--harts") == 0)
			order->configuration.harts = (tl_u32)strtoul(value, NULL, 0);
		else if (strcmp(name, "--quantum") == 0)
			order->configuration.quantum = (tl_u32)strtoul(value, NULL, 0);
		else if (strcmp(name, "--memory") == 0)
			order->configuration.memory_size = (tl_u64)strtoull(value, NULL, 0) << 20;
		else if (strcmp(name, "--firmware") == 0)
			order->firmware = value;
		else if (strcmp(name, "--kernel") == 0)
			order->kernel = value;
		else if (strcmp(name, "--any") == 0)
			order->any = value;
		else if (strcmp(name, "--initrd") == 0)
			order->initrd = value;
		else if (strcmp(name, "--program") == 0)
			order->program = value;
		else if (strcmp(name, "--append") == 0)
			order->configuration.command_line = value;
		else if (strcmp(name, "--type") == 0)
			order->type = value;
		else if (strcmp(name, "--begun") == 0)
			order->limits.begun = strtoull(value, NULL, 0);
		else if (strcmp(name, "--resets") == 0)
			order->resets = strtoul(value, NULL, 0);
		else if (strcmp(name, "--interpret") == 0)
			order->configuration.interpret = true;
		else if (strcmp(name, "--digest") == 0)
			order->digest = true;
		else if (!read_device(order, name, value))
			return false;
	}
	if (getenv("BOOT_INTERPRET") != NULL)
		order->configuration.interpret = true;
	return count % 2 == 1;
}

static enum tl_status load(struct tl_computer *computer, const struct order *order, struct tl_error *error)
{
	if (order->program != NULL)
		TL_TRY(tl_computer_load_program(computer, order->program, error));
	else
		TL_TRY(tl_computer_load_firmware(
			computer, order->firmware != NULL ? order->firmware : TL_COMPUTER_FIRMWARE, error));
	if (order->kernel != NULL || order->any != NULL)
		TL_TRY(tl_computer_load_kernel(computer, order->kernel != NULL ? order->kernel : order->any,
					       order->any != NULL, error));
	if (order->initrd != NULL)
		TL_TRY(tl_computer_load_initrd(computer, order->initrd, error));
	return TL_OK;
}

static void print_to(void *context, const tl_u8 *bytes, tl_u64 size)
{
	(void)!fwrite(bytes, 1, size, context);
	(void)fflush(context);
}

static enum tl_status add_console(struct tl_devices *devices, const struct order *order, struct tl_error *error)
{
	TL_TRY(tl_devices_add_console(devices, error));
	devices->send = print_to;
	devices->send_context = fopen(order->console, "w");
	return devices->send_context != NULL ? TL_OK
					     : TL_FAIL(error, TL_ERROR_ARGUMENT, "cannot write %s", order->console);
}

static enum tl_status add_devices(struct tl_devices *devices, const struct order *order, struct tl_error *error)
{
	static const struct tl_user_network_settings settings;
	tl_u8 seed[TL_RANDOM_SEED] = {0};

	for (tl_u32 i = 0; i < order->disk_count; i++)
		TL_TRY(tl_devices_add_disk(devices, order->disks[i], error));
	if (order->console != NULL)
		TL_TRY(add_console(devices, order, error));
	if (order->random != NULL) {
		memcpy(seed, order->random, strnlen(order->random, sizeof(seed)));
		TL_TRY(tl_devices_add_random(devices, seed, error));
	}
	if (order->network != NULL)
		TL_TRY(tl_devices_add_network(devices, &settings, error));
	if (order->network != NULL && order->network[0] != '\0')
		TL_TRY(tl_user_network_forward(devices->network, order->network, error));
	return TL_OK;
}

/* Both with the past, or without one. */
static enum tl_computer_exit go_on(struct tl_computer *computer, const struct tl_devices *devices,
				   const struct tl_computer_limits *limits)
{
	return devices->history != NULL ? tl_history_run(devices->history, limits) : tl_computer_run(computer, limits);
}

static tl_size enter(struct tl_computer *computer, const struct tl_devices *devices, const struct tl_input *input)
{
	bool new_timeline;

	return devices->history != NULL ? tl_history_input(devices->history, input, &new_timeline)
					: tl_computer_input(computer, input);
}

/* Lets the network work; while the machine is idle, until it would go on by itself. */
static void wait_for_network(struct tl_computer *computer, struct tl_devices *devices, bool idle)
{
	struct pollfd ready = {.fd = tl_user_network_descriptor(devices->network), .events = POLLIN};
	tl_u64 deadline = tl_computer_deadline(computer), now = tl_computer_now(computer);
	tl_u64 rest = deadline > now ? (deadline - now) / 1000000 : 0;
	int milliseconds = !idle ? 0 : rest > 1000 ? 1000 : (int)rest;

	if (poll(&ready, 1, milliseconds) > 0)
		tl_user_network_turn(devices->network);
	if (tl_devices_enter_frames(devices) == 0 && idle && deadline != TL_U64_MAX)
		(void)enter(
			computer, devices,
			&(struct tl_input){.kind = TL_INPUT_TIME, .number = rest > 1000 ? now + 1000000000 : deadline});
}

/* Until the end, or until there is nothing to be done but typing. */
static enum tl_computer_exit run_with_network(struct tl_computer *computer, struct tl_devices *devices,
					      const struct tl_computer_limits *limits)
{
	for (;;) {
		struct tl_computer_limits part = *limits;
		enum tl_computer_exit exit;

		part.tell_idle = true;
		if (part.begun > computer->begun + NETWORK_BEGUN)
			part.begun = computer->begun + NETWORK_BEGUN;
		exit = go_on(computer, devices, &part);
		if (exit != TL_COMPUTER_IDLE && (exit != TL_COMPUTER_REACHED || computer->begun >= limits->begun)) {
			tl_user_network_turn(devices->network); /* what the guest sent last is still to go out */
			return exit;
		}
		wait_for_network(computer, devices, exit == TL_COMPUTER_IDLE);
	}
}

/* Enters what is left to be typed, a line at a time; false when nothing of it was taken. */
static bool type(struct tl_computer *computer, const struct tl_devices *devices, struct order *order)
{
	const char *end;
	tl_size taken;

	if (order->type == NULL || order->type[0] == '\0')
		return false;
	end = strchr(order->type, '\r');
	taken = enter(computer, devices,
		      &(struct tl_input){.kind = TL_INPUT_UART,
					 .bytes = (const tl_u8 *)order->type,
					 .size = end != NULL ? (tl_size)(end - order->type) + 1 : strlen(order->type)});
	order->type += taken;
	return taken != 0;
}

static enum tl_computer_exit run(struct tl_computer *computer, struct tl_devices *devices, struct order *order)
{
	for (;;) {
		enum tl_computer_exit exit = devices->network != NULL
						     ? run_with_network(computer, devices, &order->limits)
						     : go_on(computer, devices, &order->limits);

		if (exit == TL_COMPUTER_RESET && order->resets != 0) {
			order->resets--;
			if (tl_computer_reset(computer, NULL) != TL_OK)
				return exit;
		} else if (exit != TL_COMPUTER_STUCK || !type(computer, devices, order)) {
			return exit;
		}
	}
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static const char *name_of(enum tl_computer_exit exit)
{
	switch (exit) {
	case TL_COMPUTER_STOPPED:
		return "stopped";
	case TL_COMPUTER_HALTED:
		return "halted";
	case TL_COMPUTER_REACHED:
		return "limit reached";
	case TL_COMPUTER_IDLE:
	case TL_COMPUTER_STUCK:
		return "waits for ever";
	case TL_COMPUTER_OFF:
		return "off";
	case TL_COMPUTER_FAILED:
		return "failed";
	case TL_COMPUTER_RESET:
		return "reset";
	}
	return "?";
}

static tl_u32 add_to(tl_u32 digest, const void *bytes, tl_size size)
{
	return (tl_u32)crc32(digest, bytes, (uInt)size);
}

/* Of all registers of all harts, and of memory. */
static tl_u32 digest_of(const struct tl_computer *computer)
{
	tl_u32 digest = 0;
	tl_u64 value;

	for (tl_u32 i = 0; i < computer->configuration.harts; i++) {
		const struct tl_hart *hart = &computer->harts[i];

		digest = add_to(digest, hart->x, sizeof(hart->x));
		digest = add_to(digest, hart->f, sizeof(hart->f));
		digest = add_to(digest, &hart->pc, sizeof(hart->pc));
		digest = add_to(digest, &hart->privilege, sizeof(hart->privilege));
		for (tl_u32 number = 0; number < 4096; number++)
			if (tl_control_get(hart, number, &value))
				digest = add_to(digest, &value, sizeof(value));
	}
	for (tl_u64 at = 0; at < computer->configuration.memory_size; at += TL_PAGE_SIZE)
		digest = add_to(digest, computer->memory + at, TL_PAGE_SIZE);
	return digest;
}

static void report(const struct tl_computer *computer, enum tl_computer_exit exit, double took, bool digest)
{
	fflush(stdout);
	fprintf(stderr, "%s: begun %" PRIu64 ", time %" PRIu64 " ns\n", name_of(exit), (uint64_t)computer->begun,
		(uint64_t)tl_computer_now(computer));
	if (exit == TL_COMPUTER_FAILED)
		fprintf(stderr, "code %u\n", computer->board.finisher.code);
	if (exit != TL_COMPUTER_OFF)
		for (tl_u32 i = 0; i < computer->configuration.harts; i++)
			fprintf(stderr, "hart %u: pc %" PRIx64 ", privilege %u%s\n", i, (uint64_t)computer->harts[i].pc,
				computer->harts[i].privilege, computer->harts[i].waiting ? ", waits" : "");
	if (digest)
		fprintf(stderr, "digest %08x\n", digest_of(computer));
	fprintf(stderr, "%.2f s, %.1f million instructions a second\n", took, (double)computer->begun / took / 1e6);
	if (computer->translator != NULL) {
		struct tl_translator_counters counters = tl_translator_count(computer->translator);

		fprintf(stderr,
			"blocks %" PRIu64 ", dropped %" PRIu64 ", entered %" PRIu64 ", interpreted %" PRIu64
			", helped %" PRIu64 ", slow %" PRIu64 ", code %" PRIu64 "\n",
			(uint64_t)counters.blocks, (uint64_t)counters.dropped, (uint64_t)counters.entered,
			(uint64_t)counters.interpreted, (uint64_t)counters.helped, (uint64_t)counters.slow,
			(uint64_t)counters.code_bytes);
	}
}

/* What the machine has come to: its memory, and its disks. */
static tl_u8 *copy_of(const struct tl_computer *computer, struct tl_devices *devices, tl_u64 *size_ret)
{
	tl_u64 size = computer->configuration.memory_size, at = size;
	tl_u8 *copy;

	for (tl_u32 i = 0; i < devices->disk_count; i++)
		size += devices->disks[i].size;
	copy = malloc(size);
	if (copy == NULL)
		return NULL;
	memcpy(copy, computer->memory, at);
	for (tl_u32 i = 0; i < devices->disk_count; at += devices->disks[i++].size)
		if (tl_disk_read(&devices->disks[i], 0, copy + at, devices->disks[i].size) != TL_OK)
			memset(copy + at, 0xee, devices->disks[i].size);
	*size_ret = size;
	return copy;
}

/* Goes back to a moment, and on from there to where it was. */
static bool same_from(struct tl_computer *computer, struct tl_devices *devices, tl_u64 moment, const tl_u8 *expected)
{
	struct tl_computer_position position = {.round = moment, .now = moment};
	struct tl_history_facts facts;
	tl_u64 begun = computer->begun, size, went;
	tl_u8 *copy;
	bool same;

	if (tl_history_go(devices->history, &position) == TL_BACK_STOPPED)
		return false;
	went = computer->begun;
	(void)tl_history_run(devices->history, &TL_COMPUTER_FOREVER);
	tl_history_facts(devices->history, &facts);
	copy = copy_of(computer, devices, &size);
	same = copy != NULL && memcmp(copy, expected, size) == 0 && computer->begun == begun && !facts.diverged;
	fprintf(stderr, "again from %" PRIu64 ": %s\n", (uint64_t)went, same ? "the same" : "another end");
	free(copy);
	return same;
}

static bool all_the_same(struct tl_computer *computer, struct tl_devices *devices, unsigned long times)
{
	tl_u64 size, end = tl_computer_now(computer);
	tl_u8 *expected = copy_of(computer, devices, &size);
	bool same = expected != NULL;

	fflush(stdout);
	computer->board.console = NULL; /* it has been said */
	for (unsigned long i = times; same && i > 0; i--)
		same = same_from(computer, devices, end * i / (times + 1), expected);
	free(expected);
	return same;
}

static enum tl_status remember(struct tl_computer *computer, struct tl_devices *devices, struct tl_error *error)
{
	static const struct tl_history_options options;
	struct tl_history *history;

	TL_TRY(tl_history_open(&history, computer, &options, error));
	return tl_devices_remember(devices, history, error);
}

int main(int count, char **arguments)
{
	static struct tl_computer computer;
	static struct tl_devices devices;
	struct order order = {.configuration = {.harts = 1, .memory_size = (tl_u64)256 << 20},
			      .limits = TL_COMPUTER_FOREVER};
	enum tl_computer_exit exit;
	struct tl_error error;
	double before;

	if (!read_order(&order, count, arguments)) {
		fprintf(stderr, "%s: see the beginning of boot_machine.c\n", arguments[0]);
		return 2;
	}
	if (tl_computer_open(&computer, &order.configuration, &error) != TL_OK ||
	    (tl_devices_begin(&devices, &computer), add_devices(&devices, &order, &error)) != TL_OK ||
	    load(&computer, &order, &error) != TL_OK || tl_computer_reset(&computer, &error) != TL_OK ||
	    (order.again != 0 && remember(&computer, &devices, &error) != TL_OK)) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	computer.board.console = print;
	before = seconds();
	exit = run(&computer, &devices, &order);
	report(&computer, exit, seconds() - before, order.digest);
	if (order.again != 0 && !all_the_same(&computer, &devices, order.again))
		exit = TL_COMPUTER_FAILED;
	tl_history_close(devices.history);
	tl_devices_end(&devices);
	tl_computer_close(&computer);
	return exit == TL_COMPUTER_OFF ? 0 : 1;
}

/*
 * Runs the emulated computer from reset to its end, with the interpreter, its serial port on standard output.
 *
 *     boot-machine [--harts N] [--memory MIB] [--firmware FILE] [--kernel FILE] [--any FILE] [--initrd FILE]
 *                  [--program FILE] [--append TEXT] [--type TEXT] [--begun N] [--resets N]
 *
 * --any is a kernel that need not be Linux. --type enters the text when nothing else is left that would happen.
 * At the end it says on standard error how the run ended, how many instructions were begun, the machine's time, and
 * how fast that was. Exits with 0 when the guest switched the machine off.
 */
#include "targets/emulator/computer_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct order {
	struct tl_computer_configuration configuration;
	const char *firmware, *kernel, *any, *initrd, *program, *type;
	struct tl_computer_limits limits;
	unsigned long resets; /* that are followed */
};

static void print(void *context, tl_u8 byte)
{
	(void)context;
	putchar(byte);
	if (byte == '\n')
		fflush(stdout);
}

static bool read_order(struct order *order, int count, char **arguments)
{
	for (int i = 1; i + 1 < count; i += 2) {
		const char *name = arguments[i], *value = arguments[i + 1];

		if (strcmp(name, "--harts") == 0)
			order->configuration.harts = (tl_u32)strtoul(value, NULL, 0);
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
		else
			return false;
	}
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

/* Enters what is left to be typed; false when nothing of it was taken. */
static bool type(struct tl_computer *computer, struct order *order)
{
	tl_size taken;

	if (order->type == NULL || order->type[0] == '\0')
		return false;
	taken = tl_computer_input(computer, &(struct tl_input){.kind = TL_INPUT_UART,
							       .bytes = (const tl_u8 *)order->type,
							       .size = strlen(order->type)});
	order->type += taken;
	return taken != 0;
}

static enum tl_computer_exit run(struct tl_computer *computer, struct order *order)
{
	for (;;) {
		enum tl_computer_exit exit = tl_computer_run(computer, &order->limits);

		if (exit == TL_COMPUTER_RESET && order->resets != 0) {
			order->resets--;
			if (tl_computer_reset(computer, NULL) != TL_OK)
				return exit;
		} else if (exit != TL_COMPUTER_STUCK || !type(computer, order)) {
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

static void report(const struct tl_computer *computer, enum tl_computer_exit exit, double took)
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
	fprintf(stderr, "%.2f s, %.1f million instructions a second\n", took, (double)computer->begun / took / 1e6);
}

int main(int count, char **arguments)
{
	static struct tl_computer computer;
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
	    load(&computer, &order, &error) != TL_OK || tl_computer_reset(&computer, &error) != TL_OK) {
		fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	computer.board.console = print;
	before = seconds();
	exit = run(&computer, &order);
	report(&computer, exit, seconds() - before);
	tl_computer_close(&computer);
	return exit == TL_COMPUTER_OFF ? 0 : 1;
}

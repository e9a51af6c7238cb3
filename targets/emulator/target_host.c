/*
 * Test programs of others: what they tell the host through memory, by the conventions of riscv-tests and
 * riscv-arch-test, which programs for Spike keep, too.
 *
 * A program that has the symbol `tohost` writes a double word there and goes on. 1: it has passed; another odd number:
 * test number n/2 has failed, or the program returned that. With 1 and 1 in the two upper bytes it sends a character,
 * and waits until the host has put 0 there. An even number is the address of a system call, of which `write` is
 * carried out: four double words, the number and three arguments; the first becomes the result, and `fromhost` 1.
 *
 * The memory is looked at between two runs of a few thousand instructions; what the host puts there enters as input.
 *
 * Source: riscv-software-src/riscv-isa-sim, riscv/htif; riscv-tests' env/p/riscv_test.h; riscv-arch-test's test format.
 */
#include "base/elf.h"
#include "core/cursor.h"
#include "targets/emulator/target_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGNATURE_MAX ((tl_u64)16 << 20)
#define WRITE_MAX ((tl_u64)1 << 20)

#define DEVICE_SYSTEM 0
#define DEVICE_CONSOLE 1
#define COMMAND_PUT 1
#define CALL_WRITE 64

/* ---- What the program says of itself ---- */

static tl_u64 symbol(const struct tl_elf *elf, const char *name)
{
	struct tl_elf_symbol found;
	struct tl_error none;

	return tl_elf_symbol(elf, name, &found, &none) == TL_OK ? found.value : 0;
}

static enum tl_status check_signature(const struct tl_emulator_host *host, const char *program, struct tl_error *error)
{
	if (host->tohost == 0 || host->signature == 0 || host->signature_end < host->signature)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "--signature is for test programs, and %s has no symbols tohost, begin_signature and "
			       "end_signature",
			       program);
	if (host->signature_end - host->signature > SIGNATURE_MAX)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "the signature of %s has more than %u MiB", program,
			       (unsigned)(SIGNATURE_MAX >> 20));
	return TL_OK;
}

enum tl_status tl_emulator_host_open(struct tl_emulator *emulator, const struct tl_emulator_options *options,
				     struct tl_error *error)
{
	struct tl_emulator_host *host = &emulator->host;
	struct tl_error none;
	struct tl_elf elf;
	int descriptor = -1;

	if (options->program != NULL)
		descriptor = open(options->program, O_RDONLY | O_CLOEXEC);
	if (descriptor >= 0 && tl_elf_open(&elf, tl_elf_read_descriptor, &descriptor, false, &none) == TL_OK) {
		host->tohost = symbol(&elf, "tohost");
		host->fromhost = symbol(&elf, "fromhost");
		host->signature = symbol(&elf, "begin_signature");
		host->signature_end = symbol(&elf, "end_signature");
	}
	if (descriptor >= 0)
		(void)close(descriptor);
	if (options->signature == NULL)
		return TL_OK;
	TL_TRY(check_signature(host, options->program != NULL ? options->program : "the machine", error));
	host->path = strdup(options->signature);
	return host->path != NULL ? TL_OK : TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a file's name");
}

void tl_emulator_host_close(struct tl_emulator *emulator)
{
	free(emulator->host.path);
	emulator->host = (struct tl_emulator_host){0};
}

/* ---- What it tells ---- */

static void put(struct tl_emulator *emulator, tl_u64 address, tl_u64 value)
{
	tl_u8 bytes[8];
	struct tl_input input = {.kind = TL_INPUT_MEMORY, .number = address, .bytes = bytes, .size = sizeof(bytes)};

	tl_store_little(bytes, value, sizeof(bytes));
	(void)tl_emulator_input(emulator, &input);
}

/* The only call: everything that is written goes to where the serial port's output goes. */
static tl_u64 carry_out(struct tl_emulator *emulator, const tl_u8 *call)
{
	tl_u64 size = tl_load_little(call + 24, 8);
	const tl_u8 *text;

	if (tl_load_little(call, 8) != CALL_WRITE)
		return (tl_u64)-ENOSYS;
	text = size <= WRITE_MAX ? tl_computer_look(&emulator->computer, tl_load_little(call + 16, 8), size) : NULL;
	for (tl_u64 i = 0; text != NULL && i < size; i++)
		tl_emulator_console_byte(emulator, text[i]);
	return text != NULL || size == 0 ? size : (tl_u64)-EFAULT;
}

/* One line for each word, as riscv-arch-test wants them. */
static bool write_words(FILE *file, const tl_u8 *bytes, tl_u64 size)
{
	for (tl_u64 i = 0; i + 4 <= size; i += 4)
		if (fprintf(file, "%08x\n", (unsigned)tl_load_little(bytes + i, 4)) < 0)
			return false;
	return true;
}

static void write_signature(struct tl_emulator *emulator, char *text, tl_size room)
{
	const struct tl_emulator_host *host = &emulator->host;
	tl_u64 size = host->signature_end - host->signature;
	const tl_u8 *bytes = tl_computer_look(&emulator->computer, host->signature, size);
	FILE *file;
	bool good;

	if (bytes == NULL && size != 0) {
		snprintf(text, room, "The signature at 0x%llx is not in memory: %s was not written.",
			 (unsigned long long)host->signature, host->path);
		return;
	}
	file = fopen(host->path, "we");
	good = file != NULL && write_words(file, bytes, size);
	if (file != NULL)
		good = fclose(file) == 0 && good;
	if (!good)
		snprintf(text, room, "The signature cannot be written to %s: %s.", host->path, strerror(errno));
}

/* The program has ended, with `code`. */
static void finish(struct tl_emulator *emulator, tl_u64 code, struct tl_emulator_message *message_ret)
{
	*message_ret = (struct tl_emulator_message){.kind = TL_EMULATOR_EXIT_OFF};
	message_ret->event.code = (tl_i32)(code & 0xff);
	if (code != 0 && message_ret->event.code == 0)
		message_ret->event.code = 0xff;
	if (code != 0)
		snprintf(message_ret->text, sizeof(message_ret->text), "The program says that test %llu failed.",
			 (unsigned long long)code);
	if (emulator->host.path != NULL)
		write_signature(emulator, message_ret->text, sizeof(message_ret->text));
}

static void answer(struct tl_emulator *emulator, tl_u64 address)
{
	const tl_u8 *call = tl_computer_look(&emulator->computer, address, 32);
	tl_u64 result;

	if (call != NULL) {
		result = carry_out(emulator, call);
		put(emulator, address, result);
	}
	put(emulator, emulator->host.tohost, 0);
	if (emulator->host.fromhost != 0)
		put(emulator, emulator->host.fromhost, 1);
}

bool tl_emulator_host_look(struct tl_emulator *emulator, struct tl_emulator_message *message_ret)
{
	tl_u64 where = emulator->host.tohost, value;
	const tl_u8 *bytes = where != 0 ? tl_computer_look(&emulator->computer, where, 8) : NULL;

	if (bytes == NULL || (emulator->history != NULL && tl_history_is_past(emulator->history)))
		return false;
	value = tl_load_little(bytes, 8);
	if (value == 0)
		return false;
	if (value >> 56 == DEVICE_SYSTEM && (value & 1) != 0) {
		finish(emulator, (value & 0xffffffffffff) >> 1, message_ret);
		return true;
	}
	if (value >> 56 == DEVICE_SYSTEM) {
		answer(emulator, value & 0xffffffffffff);
		return false;
	}
	if (value >> 56 == DEVICE_CONSOLE && (value >> 48 & 0xff) == COMMAND_PUT)
		tl_emulator_console_byte(emulator, (tl_u8)value);
	put(emulator, where, 0);
	return false;
}

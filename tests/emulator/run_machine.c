/*
 * Runs a bare-metal RISC-V program on the least machine there is: one hart, memory, a serial port to standard output,
 * and the finisher.
 *
 *     run-machine PROGRAM
 *
 * Exits with 0 when the program turned the machine off, with 1 when it failed or did not come to an end.
 */
#include "base/elf.h"
#include "machine/bus.h"
#include "machine/finisher.h"
#include "machine/uart.h"
#include "targets/emulator/interpreter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_START 0x80000000ull
#define MEMORY_SIZE (64ull << 20)
#define SLICE 10000
#define LIMIT 2000000000ull /* instructions; the programs of the tests need far fewer */

static void send(void *context, tl_u8 byte)
{
	(void)context;
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

int main(int count, char **arguments)
{
	static struct tl_bus bus;
	static struct tl_hart hart;
	struct tl_uart uart = {.send = send};
	struct tl_finisher finisher = {0};
	static tl_u8 memory[MEMORY_SIZE];
	tl_u64 entry;

	if (count != 2 || load(arguments[1], memory, &entry) != 0)
		return 2;
	if (tl_bus_add_memory(&bus, "memory", MEMORY_START, MEMORY_SIZE, memory, false) != TL_OK ||
	    tl_bus_add_device(&bus, "uart", 0x10000000, TL_UART_SIZE, &tl_uart_operations, &uart) != TL_OK ||
	    tl_bus_add_device(&bus, "finisher", 0x100000, TL_FINISHER_SIZE, &tl_finisher_operations, &finisher) !=
		    TL_OK)
		return 2;
	tl_hart_reset(&hart, 0, entry, &bus);
	while (finisher.finish == TL_FINISH_NOT_YET && hart.retired < LIMIT && !hart.waiting)
		(void)tl_interpreter_run(&hart, SLICE);
	fflush(stdout);
	if (finisher.finish != TL_FINISH_POWER_OFF)
		fprintf(stderr, "not turned off: pc %llx after %llu instructions, mcause %llx, mtval %llx\n",
			(unsigned long long)hart.pc, (unsigned long long)hart.retired, (unsigned long long)hart.mcause,
			(unsigned long long)hart.mtval);
	return finisher.finish == TL_FINISH_POWER_OFF ? 0 : 1;
}

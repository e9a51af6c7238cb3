/*
 * A program that owns its machine, with the stub in it: every processor counts.
 *
 *     qemu-system-x86_64 -kernel example -smp 2 -nographic -serial tcp::1234,server,wait=off
 *     gdb example -ex 'target remote :1234' -ex 'watch total'
 */
#include "stubs/baremetal/example/machine.h"

static volatile tl_u64 counts[MACHINE_PROCESSORS];
static volatile tl_u64 total;

static void count(tl_u32 number)
{
	counts[number]++;
	if (counts[number] % 1000000 == 0)
		total += 1000000;
}

void processor_main(tl_u32 number)
{
	machine_open();
	for (;;)
		count(number);
}

int main(void)
{
	if (machine_start() != TL_OK)
		return 1;
	machine_open();
	(void)machine_wake();
	machine_say("waiting for a debugger\n");
	tl_stub_break(); /* waits for a debugger */
	for (;;)
		count(0);
}

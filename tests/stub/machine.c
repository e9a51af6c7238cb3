/* The conformance fixture (tests/conformance/FIXTURE.md) on a machine whose debug server is the stub in it. */
#include "stubs/baremetal/example/machine.h"

void fixture_start(void);

void processor_main(tl_u32 number)
{
	(void)number;
}

int main(void)
{
	if (machine_start() != TL_OK)
		return 1;
	machine_open();
	machine_say("waiting for a debugger\n");
	tl_stub_break();
	fixture_start();
	return 0;
}

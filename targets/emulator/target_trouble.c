/*
 * What goes wrong in the machine that its user should hear of: harts that can do nothing but trap, and disks of the
 * host that fail. All of it is looked for between two runs.
 */
#include "targets/emulator/target_internal.h"

#include <signal.h>
#include <stdio.h>

/*
 * A handler that traps at its own first instruction traps for ever: the hart begins instructions, and finishes none. No
 * hart that does something begins so many and finishes none.
 */
#define LOST 1000000

#define SIGNAL_FAULT 11

static void describe(const struct tl_hart *hart, char *text, tl_size size)
{
	bool machine = hart->privilege == TL_PRIVILEGE_MACHINE;

	snprintf(
		text, size,
		"Hart %u is lost: it traps (cause %llu) at the first instruction of its own trap handler, 0x%llx (%s), "
		"again and again. Set %s before anything traps; to see the first trap, `monitor reset`, `monitor catch "
		"0 1 2 3 4 5 6 7 12 13 15` and continue.",
		hart->number, (unsigned long long)(machine ? hart->mcause : hart->scause), (unsigned long long)hart->pc,
		machine ? "mtvec" : "stvec", machine ? "mtvec" : "stvec");
}

/* The machine stops there once, as a process does for a signal; told to go on, it does. */
static bool look_at_hart(struct tl_emulator *emulator, tl_u32 number, struct tl_emulator_message *message_ret)
{
	const struct tl_hart *hart = &emulator->computer.harts[number];
	struct tl_emulator_look *look = &emulator->looks[number];
	tl_u64 begun = emulator->computer.turns[number].begun;

	if (hart->retired != look->retired || begun < look->begun) {
		*look = (struct tl_emulator_look){.begun = begun, .retired = hart->retired};
		return false;
	}
	if (look->told || begun - look->begun < LOST)
		return false;
	look->told = true;
	*message_ret = (struct tl_emulator_message){.kind = TL_EMULATOR_EXIT_HART,
						    .event = {.kind = TL_EVENT_SIGNAL,
							      .thread = {TL_EMULATOR_PROCESS, (tl_u64)number + 1},
							      .signal = SIGNAL_FAULT,
							      .fault = true,
							      .address = hart->pc}};
	describe(hart, message_ret->text, sizeof(message_ret->text));
	return true;
}

/* Of each disk the first failure. */
static bool look_at_disk(struct tl_emulator *emulator, tl_u32 number, struct tl_emulator_message *message_ret)
{
	const struct tl_disk *disk = &emulator->devices.disks[number];

	if (disk->failures == 0 || (emulator->disks_told >> number & 1) != 0)
		return false;
	emulator->disks_told |= 1u << number;
	*message_ret = (struct tl_emulator_message){.kind = TL_EMULATOR_EXIT_REMARK};
	snprintf(message_ret->text, sizeof(message_ret->text),
		 "Disk %u fails: %.400s. The guest gets an I/O error; `monitor info devices` counts them.", number,
		 disk->failure.text);
	return true;
}

/* Whoever wants to hear of the signal has said so before. */
void tl_emulator_brace(void)
{
	struct sigaction action;

	if (sigaction(SIGXFSZ, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		(void)signal(SIGXFSZ, SIG_IGN);
}

bool tl_emulator_disk_trouble(struct tl_emulator *emulator, struct tl_emulator_message *message_ret)
{
	for (tl_u32 i = 0; i < emulator->devices.disk_count; i++)
		if (look_at_disk(emulator, i, message_ret))
			return true;
	return false;
}

bool tl_emulator_hart_trouble(struct tl_emulator *emulator, struct tl_emulator_message *message_ret)
{
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		if (look_at_hart(emulator, i, message_ret))
			return true;
	return false;
}

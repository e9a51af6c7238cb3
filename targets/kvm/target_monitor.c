/*
 * Monitor commands of the virtual machine: what looks at a processor is monitor.c's, and done in that processor's
 * thread; here are the debugger's own matters.
 */
#include "targets/kvm/kaslr.h"
#include "targets/kvm/monitor.h"
#include "targets/kvm/target_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Looking, in the vCPU's thread ---- */

struct look {
	struct tl_kvm_target *machine;
	const char *command;
	struct tl_writer *output;
	enum tl_status status;
};

static bool read_below_points(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	return tl_kvm_points_read(context, physical, buffer, size);
}

static void look_inside(struct tl_kvm_vcpu *vcpu, void *context)
{
	struct look *look = context;
	const struct tl_kvm_view view = {.vm = vcpu->crew->vm,
					 .ports = &look->machine->computer.board.ports,
					 .space = &look->machine->computer.board.space,
					 .number = vcpu->number,
					 .read = read_below_points,
					 .context = &vcpu->crew->points};

	look->status = tl_kvm_monitor_look(&view, look->command, look->output);
}

static enum tl_status look_at(struct tl_kvm_target *machine, tl_u32 number, const char *command,
			      struct tl_writer *output)
{
	struct look look = {machine, command, output, TL_OK};

	TL_TRY(tl_kvm_crew_perform(&machine->crew, number, look_inside, &look));
	return look.status;
}

static enum tl_status info_cpus(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	(void)words;
	for (tl_u32 i = 0; i < machine->crew.count; i++)
		TL_TRY(look_at(machine, i, "info vcpu", output));
	return TL_OK;
}

/* ---- The debugger's own ---- */

static enum tl_status counters(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	struct tl_kvm_counters counted;
	const struct tl_kvm_counters *count = &counted;
	char text[512];

	(void)words;
	tl_kvm_crew_lock(&machine->crew);
	counted = machine->crew.counters;
	tl_kvm_crew_unlock(&machine->crew);
	snprintf(text, sizeof(text),
		 "exits %llu, of devices %llu, kicks %llu\ntraps %llu, with a false condition %llu (carried out %llu, "
		 "stepped over with the others held %llu), given to the guest %llu, of points that had gone %llu\n"
		 "steps %llu, made again %llu, left for a handler %llu, swallowed %llu; points planted again %llu\n"
		 "accesses to watched pages %llu\n",
		 (unsigned long long)count->exits, (unsigned long long)count->device_exits,
		 (unsigned long long)count->kicks, (unsigned long long)count->traps,
		 (unsigned long long)count->false_conditions, (unsigned long long)count->carried_out,
		 (unsigned long long)count->stepped_over, (unsigned long long)count->given_to_guest,
		 (unsigned long long)count->stale, (unsigned long long)count->steps,
		 (unsigned long long)count->repeated_steps, (unsigned long long)count->overtaken_steps,
		 (unsigned long long)count->swallowed_steps, (unsigned long long)count->replanted,
		 (unsigned long long)count->page_accesses);
	tl_write_text(output, text);
	return TL_OK;
}

/* Where a Linux kernel has just arrived at its final place, each time that it does. */
static enum tl_status kaslr_stop(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	struct tl_kvm_crew *crew = &machine->crew;
	struct tl_error error;
	enum tl_status status = TL_OK;
	bool stops = strcmp(words, "off") != 0;

	if (stops && words[0] != '\0')
		return TL_ERROR_ARGUMENT;
	TL_TRY(tl_kvm_crew_alone(crew));
	/* One that is awaited for its names' sake still is when nobody wants to stop there. */
	if (stops)
		status = tl_kvm_target_await_kernel(machine, &error);
	if (status == TL_OK)
		crew->kernel_stops = stops;
	tl_kvm_crew_share(crew);
	if (status != TL_OK)
		tl_write_text(output, error.text);
	else if (stops)
		tl_write_text(output, "The machine stops when the kernel first runs at its final place (as for "
				      "SIGTRAP), also after a reset; \"monitor kaslr\" then has the line for gdb.");
	else
		tl_write_text(output, "The machine does not stop there.");
	tl_write_byte(output, '\n');
	return status;
}

static enum tl_status set_physical(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	if (words[0] == '\0')
		tl_write_text(output, machine->physical ? "1\n" : "0\n");
	else if (strcmp(words, "0") == 0 || strcmp(words, "1") == 0)
		machine->physical = words[0] == '1';
	else
		return TL_ERROR_ARGUMENT;
	return TL_OK;
}

static enum tl_status set_eye(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	char *end;
	unsigned long number = strtoul(words, &end, 0);

	if (words[0] == '\0') {
		tl_write_text(output, "vCPU ");
		tl_write_decimal(output, machine->eye);
		tl_write_text(output, machine->eye_fixed ? "\n" : ", that of the selected thread\n");
		return TL_OK;
	}
	if (strcmp(words, "auto") == 0) {
		machine->eye_fixed = false;
		return TL_OK;
	}
	if (*end != '\0' || number >= machine->crew.count) {
		tl_write_text(output, "There is no such vCPU.\n");
		return TL_ERROR_ARGUMENT;
	}
	machine->eye = (tl_u32)number;
	machine->eye_fixed = true;
	return TL_OK;
}

static enum tl_status help(struct tl_kvm_target *machine, const char *words, struct tl_writer *output);

/* Longer names before those that they begin with. */
static const struct command {
	const char *name, *help;
	enum tl_status (*run)(struct tl_kvm_target *machine, const char *words, struct tl_writer *output);
} commands[] = {
	{"info cpus", "  the same of all vCPUs", info_cpus},
	{"info counters", "  how often what came out of the guest", counters},
	{"kaslr stop", "[off]  stops when a Linux kernel first runs at its final place", kaslr_stop},
	{"phys", "[0|1]  whether addresses are physical ones", set_physical},
	{"eye", "[VCPU|auto]  through whose page tables memory is seen; auto: the selected thread's", set_eye},
	{"help", "  this list", help},
	{"machine", "  this list, too", help},
};

static enum tl_status help(struct tl_kvm_target *machine, const char *words, struct tl_writer *output)
{
	(void)machine;
	(void)words;
	tl_kvm_monitor_help(output);
	for (tl_size i = 0; i < TL_COUNT(commands); i++) {
		tl_write_text(output, "  ");
		tl_write_text(output, commands[i].name);
		tl_write_byte(output, ' ');
		tl_write_text(output, commands[i].help);
		tl_write_byte(output, '\n');
	}
	return TL_OK;
}

enum tl_status tl_kvm_target_monitor(struct tl_target *target, const char *command, struct tl_writer *output)
{
	struct tl_kvm_target *machine = tl_kvm_target_of(target);

	for (tl_size i = 0; i < TL_COUNT(commands); i++) {
		tl_size size = strlen(commands[i].name);

		if (strncmp(command, commands[i].name, size) == 0 && (command[size] == ' ' || command[size] == '\0'))
			return commands[i].run(machine, command + size + strspn(command + size, " "), output);
	}
	return look_at(machine, machine->eye, command, output);
}

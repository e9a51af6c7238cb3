/*
 * Monitor commands of the machine, and what QEMU's own packets ask (frontends put those into the same words): harts,
 * devices, points, what a watchpoint saw, how steps and addresses are meant; reset and power.
 */
#include "core/engine/engine.h"
#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/target_internal.h"
#include "targets/emulator/translator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A command where the machine is nobody else's. */
struct monitor {
	const char *words;
	struct tl_writer *output;
	enum tl_status status;
};

static void print(struct tl_writer *output, const char *format, ...) TL_PRINTF(2, 3);

static void print(struct tl_writer *output, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	tl_write_text(output, text);
}

static const char *privilege_name(tl_u8 privilege)
{
	static const char *const names[] = {"user", "supervisor", "?", "machine"};

	return names[privilege & 3];
}

/* ---- info ---- */

static void info_harts(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;

	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++) {
		const struct tl_hart *hart = &emulator->computer.harts[i];

		print(monitor->output, "hart %u (thread %u): pc 0x%llx, %s mode%s, satp 0x%llx, %llu instructions\n", i,
		      i + 1, (unsigned long long)hart->pc, privilege_name(hart->privilege),
		      hart->waiting ? ", waits for an interrupt" : "", (unsigned long long)hart->satp,
		      (unsigned long long)emulator->computer.turns[i].begun);
	}
}

static void info_devices(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	const struct tl_bus *bus = &emulator->computer.board.bus;

	for (tl_u32 i = 0; i < bus->count; i++) {
		const struct tl_bus_region *region = &bus->regions[i];
		unsigned long long start = region->start, size = region->size;

		print(monitor->output, "0x%09llx..0x%09llx %-6s %s\n", start, start + (size - 1),
		      region->memory == NULL ? "device"
		      : region->read_only    ? "rom"
					     : "memory",
		      region->name);
	}
	tl_emulator_devices_tell(emulator, monitor->output);
}

static void list_points(const struct tl_point_list *list, const char *what, struct tl_writer *output)
{
	for (tl_size i = 0; i < list->count; i++) {
		const struct tl_emulator_point *point = &list->points[i];

		print(output, "%s at 0x%llx", what, (unsigned long long)point->address);
		if (point->size != 0)
			print(output, ", %llu bytes, %s", (unsigned long long)point->size,
			      point->access == TL_POINT_READS    ? "read"
			      : point->access == TL_POINT_WRITES ? "write"
								 : "access");
		if (point->space == TL_POINT_SPACE_OF_SATP)
			print(output, ", satp 0x%llx", (unsigned long long)point->satp);
		print(output, "%s\n", point->owner != NULL ? ", with a condition that the machine decides" : "");
	}
}

static void info_points(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	const struct tl_emulator_points *points = &emulator->points;

	list_points(&points->breakpoints, "breakpoint", monitor->output);
	list_points(&points->physical_breakpoints, "physical breakpoint", monitor->output);
	list_points(&points->watchpoints, "watchpoint", monitor->output);
	list_points(&points->physical_watchpoints, "physical watchpoint", monitor->output);
	print(monitor->output, "%zu points\n",
	      points->breakpoints.count + points->physical_breakpoints.count + points->watchpoints.count +
		      points->physical_watchpoints.count);
}

/* What the last watchpoint saw. */
static void info_hit(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;

	if (emulator->last_hit_count == 0)
		print(monitor->output, "No watchpoint was hit since the machine was reset.\n");
	for (tl_u8 i = 0; i < emulator->last_hit_count; i++) {
		const struct tl_watch_hit *hit = &emulator->last_hits[i];

		print(monitor->output, "hart %u %s %u bytes at 0x%llx: ", emulator->last_hit_hart,
		      hit->write ? "wrote" : "read", hit->size, (unsigned long long)hit->address);
		if (hit->old_known)
			print(monitor->output, "0x%llx -> ", (unsigned long long)hit->old);
		print(monitor->output, "0x%llx\n", (unsigned long long)hit->value);
	}
}

static void info_translator(const struct tl_emulator *emulator, struct tl_writer *output)
{
	struct tl_translator_counters counters;

	if (emulator->computer.translator == NULL) {
		print(output, "executor: the interpreter\n");
		return;
	}
	counters = tl_translator_count(emulator->computer.translator);
	print(output, "executor: the translator\nblocks: %llu, dropped: %llu, translated: %llu\n",
	      (unsigned long long)counters.present, (unsigned long long)counters.dropped,
	      (unsigned long long)counters.blocks);
	print(output, "code: %llu bytes, emptied %llu times\n", (unsigned long long)counters.code_bytes,
	      (unsigned long long)counters.emptied);
	print(output, "entered: %llu, interpreted: %llu between blocks, %llu in them, slow accesses: %llu\n",
	      (unsigned long long)counters.entered, (unsigned long long)counters.interpreted,
	      (unsigned long long)counters.helped, (unsigned long long)counters.slow);
	print(output, "breakpoints asked: %llu times\n", (unsigned long long)counters.asked);
}

static void info_history(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	struct tl_history_facts facts;

	if (emulator->history == NULL) {
		print(monitor->output, "nothing is remembered: a disk is written through, or --no-history was given\n");
		return;
	}
	tl_history_facts(emulator->history, &facts);
	print(monitor->output, "instructions: from %llu to %llu, here %llu\n", (unsigned long long)facts.begin,
	      (unsigned long long)facts.end, (unsigned long long)facts.here);
	print(monitor->output, "checkpoints: %llu, inputs: %llu, %llu KiB\n", (unsigned long long)facts.checkpoints,
	      (unsigned long long)facts.inputs, (unsigned long long)(facts.memory >> 10));
	print(monitor->output, "run again: %llu, from %llu checkpoints\n", (unsigned long long)facts.replayed,
	      (unsigned long long)facts.restored);
	print(monitor->output, "state at the last checkpoint: %016llx%s\n", (unsigned long long)facts.hash,
	      facts.diverged ? "; THE PAST WAS NOT THE SAME THE SECOND TIME" : "");
}

static void info_record(struct tl_emulator *emulator, void *context)
{
	tl_emulator_record_tell(emulator, ((struct monitor *)context)->output);
}

static void save_record(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;

	monitor->status = tl_emulator_record_save(emulator, monitor->words, monitor->output);
}

static void info_counters(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	const struct tl_computer *computer = &emulator->computer;

	print(monitor->output, "instructions: %llu\n", (unsigned long long)computer->begun);
	print(monitor->output, "time: %llu ns\n", (unsigned long long)tl_computer_now(computer));
	print(monitor->output, "resets: %llu\n", (unsigned long long)emulator->resets);
	info_translator(emulator, monitor->output);
}

/* Translations that harts keep. */
static void info_tlb(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	const struct tl_hart *hart = &emulator->computer.harts[emulator->eye];
	tl_u64 physical, address;
	char *end;

	address = strtoull(monitor->words, &end, 0);
	if (end == monitor->words || *end != '\0') {
		print(monitor->output, "Which address? monitor info tlb ADDRESS\n");
		monitor->status = TL_ERROR_ARGUMENT;
		return;
	}
	if (tl_paging_look(hart, address, &physical))
		print(monitor->output, "hart %u: 0x%llx is at physical 0x%llx\n", emulator->eye,
		      (unsigned long long)address, (unsigned long long)physical);
	else
		print(monitor->output, "hart %u: nothing is mapped at 0x%llx\n", emulator->eye,
		      (unsigned long long)address);
}

/* ---- Points that the engine has no words for ---- */

/* phys ADDRESS | satp VALUE ADDRESS */
static bool read_point(const char *words, struct tl_emulator_point *point_ret)
{
	char *end;

	*point_ret = (struct tl_emulator_point){.label = TL_POINT_HARDWARE};
	if (strncmp(words, "physical ", 9) == 0) {
		point_ret->space = TL_POINT_SPACE_PHYSICAL;
		words += 9;
	} else if (strncmp(words, "satp ", 5) == 0) {
		point_ret->space = TL_POINT_SPACE_OF_SATP;
		point_ret->satp = strtoull(words + 5, &end, 0);
		if (end == words + 5 || *end != ' ')
			return false;
		words = end + 1;
	} else {
		return false;
	}
	point_ret->address = strtoull(words, &end, 0);
	return end != words && *end == '\0' && (point_ret->address & 1) == 0;
}

static void change_point(struct tl_emulator *emulator, struct monitor *monitor, bool add)
{
	struct tl_emulator_point point;

	if (!read_point(monitor->words, &point)) {
		print(monitor->output, "The command wants \"physical ADDRESS\" or \"satp VALUE ADDRESS\".\n");
		monitor->status = TL_ERROR_ARGUMENT;
		return;
	}
	monitor->status = add ? tl_points_add(&emulator->points, &point) : tl_points_remove(&emulator->points, &point);
	if (monitor->status == TL_OK)
		tl_emulator_points_changed(emulator, &point);
	else
		print(monitor->output, "%s\n",
		      monitor->status == TL_ERROR_NO_POINT ? "There is no such breakpoint."
		      : monitor->status == TL_ERROR_STATE  ? "It is there already."
							   : tl_status_text(monitor->status));
}

static void add_point(struct tl_emulator *emulator, void *context)
{
	change_point(emulator, context, true);
}

static void remove_point(struct tl_emulator *emulator, void *context)
{
	change_point(emulator, context, false);
}

/* The guest's own exceptions: none, or numbers of causes (volume II, table 3.6). */
static void catch_causes(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	const char *at = monitor->words;
	tl_u64 caught = 0, cause;
	char *end = NULL;

	while (*at != '\0' && strcmp(monitor->words, "none") != 0) {
		cause = strtoull(at, &end, 0);
		if (strncmp(at, "ebreak", 6) == 0) {
			cause = TL_CAUSE_BREAKPOINT;
			end = (char *)(tl_uintptr)at + 6;
		}
		if (end == at || cause > TL_CAUSE_STORE_PAGE || (*end != ' ' && *end != '\0')) {
			print(monitor->output, "The command wants causes: none, ebreak, or numbers from 0 to 15.\n");
			monitor->status = TL_ERROR_ARGUMENT;
			return;
		}
		caught |= (tl_u64)1 << cause;
		for (at = end; *at == ' '; at++)
			continue;
	}
	emulator->points.caught = caught;
}

/* ---- How steps and addresses are meant; of the control thread ---- */

/* QEMU's: 1 steps at all, 2 no interrupt is taken in a step. */
static enum tl_status set_step(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	char *end;
	unsigned long long flags = strtoull(words, &end, 0);

	if (words[0] == '\0') {
		print(output, "0x%x\n", emulator->step_flags);
		return TL_OK;
	}
	if (*end != '\0' || (flags & ~(unsigned long long)TL_STEP_FLAGS) != 0) {
		print(output, "The command wants 1 (steps let interrupts in), or 3 (they do not).\n");
		return TL_ERROR_ARGUMENT;
	}
	emulator->step_flags = (tl_u32)flags;
	return TL_OK;
}

static enum tl_status set_physical(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	if (words[0] == '\0')
		print(output, "%d\n", emulator->physical);
	else if (strcmp(words, "0") == 0 || strcmp(words, "1") == 0)
		emulator->physical = words[0] == '1';
	else
		return TL_ERROR_ARGUMENT;
	return TL_OK;
}

static enum tl_status set_eye(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	char *end;
	unsigned long long hart = strtoull(words, &end, 0);

	if (words[0] == '\0') {
		print(output, "hart %u%s\n", emulator->eye, emulator->eye_fixed ? "" : ", that of the selected thread");
		return TL_OK;
	}
	if (strcmp(words, "auto") == 0) {
		emulator->eye_fixed = false;
		return TL_OK;
	}
	if (*end != '\0' || hart >= tl_emulator_hart_count(emulator)) {
		print(output, "There is no such hart.\n");
		return TL_ERROR_ARGUMENT;
	}
	emulator->eye = (tl_u32)hart;
	emulator->eye_fixed = true;
	return TL_OK;
}

static enum tl_status show_state(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	(void)words;
	print(output, "The machine is %s (its state has changed %llu times).\n",
	      tl_run_state_name(emulator->states.state), (unsigned long long)emulator->states.changes);
	return TL_OK;
}

/* Another one begins where this one stands: the harts do not go on from where they are. */
static void reset_here(struct tl_emulator *emulator, void *context)
{
	struct monitor *monitor = context;
	struct tl_error error;

	monitor->status = tl_emulator_reset(emulator, &error);
	if (monitor->status != TL_OK)
		print(monitor->output, "%s\n", error.text);
}

static enum tl_status reset(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	struct monitor monitor = {words, output, TL_OK};

	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++) {
		if (emulator->harts[i].task != TL_HART_STANDS) {
			print(output, "The machine is running: stop it first.\n");
			return TL_ERROR_RUNNING;
		}
	}
	tl_emulator_perform(emulator, reset_here, &monitor);
	if (monitor.status != TL_OK)
		return monitor.status;
	for (tl_u32 i = 0; i < tl_emulator_hart_count(emulator); i++)
		tl_engine_forget_registers(emulator->target.engine,
					   (struct tl_thread_id){TL_EMULATOR_PROCESS, (tl_u64)i + 1});
	(void)tl_run_state_change(&emulator->states, TL_RUN_STATE_AT_RESET);
	print(output, "The machine is at reset.\n");
	return TL_OK;
}

static enum tl_status help(struct tl_emulator *emulator, const char *words, struct tl_writer *output);

/* Each has a function of one of both kinds. */
static const struct command {
	const char *name, *help;
	void (*inside)(struct tl_emulator *emulator, void *context);
	enum tl_status (*outside)(struct tl_emulator *emulator, const char *words, struct tl_writer *output);
} commands[] = {
	{"info harts", "  every hart: where, in which mode, how far", info_harts, NULL},
	{"info devices", "  what is at which physical address", info_devices, NULL},
	{"info points", "  breakpoints and watchpoints as the machine has them", info_points, NULL},
	{"info hit", "  what the last watchpoint saw: address, before, after", info_hit, NULL},
	{"info tlb", "ADDRESS  where a virtual address leads", info_tlb, NULL},
	{"info counters", "  instructions, time, resets, blocks", info_counters, NULL},
	{"info history", "  how far back one can go, and what that takes", info_history, NULL},
	{"info record", "  how far a recording has come, or its replay", info_record, NULL},
	{"record save", "FILE  writes what is remembered since reset, for --replay", save_record, NULL},
	{"info state", "  what the machine is doing", NULL, show_state},
	{"break", "physical ADDRESS|satp VALUE ADDRESS  a breakpoint that gdb has no words for", add_point, NULL},
	{"delete", "physical ADDRESS|satp VALUE ADDRESS  removes it", remove_point, NULL},
	{"catch", "none|ebreak|CAUSE...  exceptions of the guest that stop it before it takes them", catch_causes,
	 NULL},
	{"sstep", "[BITS]  1: steps, 2: without interrupts; 3 as long as nothing is said", NULL, set_step},
	{"phys", "[0|1]  whether addresses are physical ones", NULL, set_physical},
	{"eye", "[HART|auto]  through whose page tables memory is seen; auto: the selected thread's", NULL, set_eye},
	{"reset", "  the machine begins anew, and stands", NULL, reset},
	{"machine", "  this list", NULL, help},
};

static enum tl_status help(struct tl_emulator *emulator, const char *words, struct tl_writer *output)
{
	(void)emulator;
	(void)words;
	for (tl_size i = 0; i < TL_COUNT(commands); i++)
		print(output, "  %s %s\n", commands[i].name, commands[i].help);
	return TL_OK;
}

enum tl_status tl_emulator_monitor(struct tl_target *target, const char *command, struct tl_writer *output)
{
	struct tl_emulator *emulator = tl_emulator_of(target);

	if (strcmp(command, "help") == 0)
		return help(emulator, command, output);
	for (tl_size i = 0; i < TL_COUNT(commands); i++) {
		tl_size size = strlen(commands[i].name);
		struct monitor monitor = {.output = output};

		if (strncmp(command, commands[i].name, size) != 0 || (command[size] != ' ' && command[size] != '\0'))
			continue;
		monitor.words = command + size + strspn(command + size, " ");
		if (commands[i].outside != NULL)
			return commands[i].outside(emulator, monitor.words, output);
		tl_emulator_perform(emulator, commands[i].inside, &monitor);
		return monitor.status;
	}
	return TL_ERROR_UNSUPPORTED;
}

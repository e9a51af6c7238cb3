/*
 * Points at indirect functions that were not chosen yet: they stand where the choice is made. When that returns, what
 * it returned is the function, and the point goes there (GDB manual, "Set Breaks"; the psABI's IRELATIVE relocations).
 */
#include "debugger/session/session_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The resolver's caller: where what it chose is known. */
static bool find_caller(struct tl_session *session, struct tl_thread_id thread, tl_u64 *address_ret)
{
	const struct tl_stack_frame *frame;
	struct tl_stack *stack;
	struct tl_error error;
	bool found;

	if (tl_session_whole_stack(session, thread, &stack, &error) != TL_OK)
		return false;
	found = tl_stack_frame(stack, 1, &frame, &error) == TL_OK;
	if (found)
		*address_ret = frame->program_counter;
	tl_stack_close(stack);
	return found;
}

static bool has_resolver(const struct tl_breakpoint *breakpoint, tl_u32 inferior, tl_u64 address)
{
	for (tl_size i = 0; i < breakpoint->location_count; i++)
		if (breakpoint->locations[i].resolver && breakpoint->locations[i].inferior == inferior &&
		    breakpoint->locations[i].address == address)
			return true;
	return false;
}

static tl_u32 inferior_of(const struct tl_session *session, struct tl_thread_id thread)
{
	const struct tl_debugged *debugged = tl_session_debugged(session, thread.process);

	return debugged != NULL ? debugged->number : 0;
}

/* Waits for the resolver to return, in the thread's process. */
static void wait_for_caller(struct tl_session *session, struct tl_thread_id thread, tl_u32 number)
{
	struct tl_aside aside = tl_session_look_aside(session, thread);
	struct tl_error error;
	tl_u64 caller;

	tl_breakpoints_remove_internal(session, TL_INTERNAL_RESOLVER, number);
	if (find_caller(session, thread, &caller) &&
	    tl_breakpoints_add_internal(session, TL_INTERNAL_RESOLVER, caller, number, &error) != TL_OK)
		tl_session_remark(session, "warning: %s", error.text);
	tl_session_look_back(session, &aside);
}

void tl_breakpoints_resolver_hit(struct tl_session *session, struct tl_thread_id thread, tl_u64 address)
{
	tl_u32 inferior = inferior_of(session, thread);

	for (tl_size i = 0; i < session->points.count; i++) {
		const struct tl_breakpoint *breakpoint = session->points.items[i];

		if (!breakpoint->gone && has_resolver(breakpoint, inferior, address))
			wait_for_caller(session, thread, breakpoint->number);
	}
}

/* What a function returned that returns an address. */
static tl_u64 returned_address(struct tl_session *session, struct tl_thread_id thread)
{
	struct tl_process_facts facts;
	tl_u16 index;
	tl_u8 *file;

	if (tl_engine_facts(session->engine, thread.process, &facts) != TL_OK ||
	    tl_engine_registers(session->engine, thread, 1, &file) != TL_OK ||
	    (tl_cpu_find(facts.cpu, "rax", &index) != TL_OK && tl_cpu_find(facts.cpu, "eax", &index) != TL_OK))
		return 0;
	return tl_cpu_get(facts.cpu, file, index);
}

/* Where a point belongs in the function that was chosen. */
static void move(struct tl_session *session, struct tl_thread_id thread, struct tl_breakpoint_location *location,
		 tl_u64 function)
{
	struct tl_debugged *debugged = tl_session_debugged(session, thread.process);
	struct tl_linespec_base base = {0};
	struct tl_code_places places = {0};
	struct tl_modules *modules;
	struct tl_error error;
	const char *rest;
	char place[32];

	if (debugged == NULL)
		return;
	modules = tl_inferior_modules(debugged);
	(void)snprintf(place, sizeof(place), "*0x%llx",
		       (unsigned long long)tl_modules_behind_prologue(modules, function));
	if (tl_linespec_find(modules, &base, &session->patience, place, false, &places, &rest, &error) != TL_OK)
		return;
	free(location->function);
	free(location->file);
	location->chosen_by = location->address;
	location->resolver = false;
	location->address = places.items[0].address;
	location->function = places.items[0].name != NULL ? strdup(places.items[0].name) : NULL;
	location->file = places.items[0].file != NULL ? strdup(places.items[0].file) : NULL;
	location->line = places.items[0].line;
	session->points.stamp++;
	tl_code_places_release(&places);
}

void tl_breakpoints_resolver_returned(struct tl_session *session, struct tl_thread_id thread, tl_u64 address)
{
	tl_u64 function = returned_address(session, thread);

	for (tl_size i = 0; i < session->points.count; i++) {
		struct tl_breakpoint *breakpoint = session->points.items[i];

		if (!tl_breakpoints_has_owned(session, thread.process, TL_INTERNAL_RESOLVER, address,
					      breakpoint->number))
			continue;
		tl_breakpoints_remove_internal(session, TL_INTERNAL_RESOLVER, breakpoint->number);
		for (tl_size j = 0; function != 0 && j < breakpoint->location_count; j++)
			if (breakpoint->locations[j].resolver &&
			    breakpoint->locations[j].inferior == inferior_of(session, thread))
				move(session, thread, &breakpoint->locations[j], function);
	}
}

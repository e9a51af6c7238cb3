/* Which call led to a function: PROGRAM is tests/fixtures/symbols/calls.c. */
#include "symbols/call_origin.h"

#include "tests/unit/opened.h"

static enum tl_status symbol(void *context, const char *name, tl_u64 *address_ret, bool *found_ret,
			     struct tl_error *error_ret)
{
	struct opened *opened = context;

	*address_ret = 0;
	TL_TRY(tl_elf_symbols_find(opened->symbols, name, take_address, address_ret, error_ret));
	*found_ret = *address_ret != 0;
	return TL_OK;
}

/* A frame in a function of the program. */
static struct tl_variable_frame frame_in(struct opened *opened, const char *name)
{
	struct tl_variable_frame frame = {.symbol = symbol, .scopes = opened->scopes, .context = opened};
	struct tl_scope_chain chain = scopes_at(opened, name);

	if (chain.count != 0)
		frame.function = chain.scopes[chain.count - 1].entry;
	tl_scope_chain_release(&chain);
	return frame;
}

static bool take_first_call(void *context, const struct tl_call_site *site)
{
	*(tl_u64 *)context = site->return_address;
	return site->tail;
}

/* The same, as it called what runs: behind its first call that is no jump. */
static struct tl_variable_frame caller_in(struct opened *opened, const char *name)
{
	struct tl_variable_frame frame = frame_in(opened, name);

	CHECK(tl_scope_calls(&frame.function, take_first_call, &frame.program_counter, &error) == TL_OK);
	CHECK(frame.program_counter != 0);
	return frame;
}

static struct tl_call_origin find(struct opened *opened, const char *function, const char *caller,
				  struct tl_call_origins *origins)
{
	struct tl_variable_frame frame = frame_in(opened, function), outer = caller_in(opened, caller);
	struct tl_call_origin origin = {.certainty = TL_CALL_NOT_KNOWN};

	frame.origins = origins;
	CHECK(tl_call_origin_find(&frame, &outer, &origin, &error) == TL_OK);
	return origin;
}

static bool count_parameter(void *context, const struct tl_call_parameter *parameter)
{
	CHECK(parameter->value != NULL);
	++*(unsigned *)context;
	return true;
}

static unsigned parameters_of(const struct tl_call_origin *origin)
{
	unsigned count = 0;

	CHECK(tl_call_origin_parameters(origin, count_parameter, &count, &error) == TL_OK);
	return count;
}

TEST(a_call_of_this_function_is_sure_and_one_of_another_is_not)
{
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM));
	CHECK(find(&opened, "plain", "direct", NULL).certainty == TL_CALL_SURE);
	CHECK(find(&opened, "through_pointer", "direct", NULL).certainty == TL_CALL_UNSURE);
	CHECK(find(&opened, "plain", "through_pointer", NULL).certainty == TL_CALL_IF_TARGET);
	close_program(&opened);
}

TEST(a_function_that_may_have_been_jumped_to_again_is_not_sure)
{
	struct opened opened;

	REQUIRE(open_program(&opened, PROGRAM));
	CHECK(find(&opened, "jumps_back", "calls_jumper", NULL).certainty == TL_CALL_UNSURE);
	close_program(&opened);
}

TEST(what_is_kept_is_the_same_and_is_not_looked_for_again)
{
	struct opened opened;
	struct tl_arena arena = {.blocks = NULL};
	struct tl_call_origins origins = {.arena = &arena};
	struct tl_call_origin first, second, other;
	tl_size used;

	REQUIRE(open_program(&opened, PROGRAM));
	first = find(&opened, "plain", "direct", &origins);
	used = arena.used;
	CHECK(used != 0);
	second = find(&opened, "plain", "direct", &origins);
	CHECK_EQUAL(arena.used, used);
	CHECK(second.certainty == TL_CALL_SURE);
	CHECK(first.start == second.start && first.start != 0);
	CHECK(first.parameters != NULL && first.parameters == second.parameters);
	other = find(&opened, "plain", "direct", NULL);
	CHECK(other.parameters == NULL && parameters_of(&other) == 1);
	CHECK_EQUAL(parameters_of(&second), 1);
	/* Another function behind the same call is another answer. */
	CHECK(find(&opened, "main", "direct", &origins).certainty == TL_CALL_UNSURE);
	CHECK(arena.used > used);
	tl_arena_clear(&arena);
	close_program(&opened);
}

TEST(without_memory_to_keep_it_in_it_is_an_error)
{
	struct opened opened;
	struct tl_arena arena = {.limit = 1};
	struct tl_call_origins origins = {.arena = &arena};
	struct tl_variable_frame frame, caller;
	struct tl_call_origin origin;

	REQUIRE(open_program(&opened, PROGRAM));
	frame = frame_in(&opened, "plain");
	caller = caller_in(&opened, "direct");
	frame.origins = &origins;
	CHECK(tl_call_origin_find(&frame, &caller, &origin, &error) == TL_ERROR_NO_MEMORY);
	close_program(&opened);
}

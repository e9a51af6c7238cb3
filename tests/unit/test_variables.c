/* What the debugger remembers: it outlives what it came from, and goes with its types but for numbers. */
#include "base/storage.h"
#include "debugger/values/variables.h"
#include "symbols/dwarf_constants.h"
#include "test.h"
#include "type_home.h"

struct fixture {
	struct type_home home;
	struct tl_arena arena;
	struct tl_value_context context;
	struct tl_variables *variables;
	struct tl_error error;
};

static bool begin(struct fixture *fixture)
{
	*fixture = (struct fixture){0};
	if (!type_home_open(&fixture->home) || tl_variables_open(&fixture->variables, NULL) != TL_OK)
		return false;
	fixture->context =
		(struct tl_value_context){.arena = &fixture->arena, .types = fixture->home.types, .address_size = 8};
	return true;
}

static void end(struct fixture *fixture)
{
	tl_variables_close(fixture->variables);
	tl_arena_clear(&fixture->arena);
	type_home_close(&fixture->home);
}

static struct tl_value number(struct fixture *fixture, tl_i64 value)
{
	struct tl_value made = {0};
	const struct tl_type *type;

	if (tl_value_integer_type(&fixture->context, 4, true, &type, NULL) != TL_OK ||
	    tl_value_make_integer(&fixture->context, type, value, &made, NULL) != TL_OK)
		abort();
	return made;
}

/* A value's number; -1000 for one of type void. */
static tl_i64 number_of(struct fixture *fixture, const struct tl_value *value)
{
	tl_i128 result;

	if (value->type->kind == TL_TYPE_VOID)
		return -1000;
	return tl_value_integer(&fixture->context, value, &result, NULL) == TL_OK ? (tl_i64)result : -2000;
}

static tl_i64 recall(struct fixture *fixture, bool absolute, tl_u64 which)
{
	struct tl_value value;

	if (tl_variables_recall(fixture->variables, &fixture->context, absolute, which, &value, &fixture->error) !=
	    TL_OK)
		return -3000;
	return number_of(fixture, &value);
}

static tl_i64 get(struct fixture *fixture, const char *name)
{
	struct tl_value value;

	tl_variables_get(fixture->variables, &fixture->context, name, &value);
	return number_of(fixture, &value);
}

static bool set(struct fixture *fixture, const char *name, struct tl_value value)
{
	return tl_variables_set(fixture->variables, &fixture->context, name, &value, &fixture->error) == TL_OK;
}

TEST(history_counts_from_both_ends)
{
	struct fixture fixture;
	tl_u64 recorded;

	REQUIRE(begin(&fixture));
	CHECK_EQUAL(recall(&fixture, false, 0), -1000);
	CHECK_EQUAL(recall(&fixture, false, 1), -1000);
	CHECK_EQUAL(recall(&fixture, true, 1), -3000);
	for (tl_i64 i = 1; i <= 20; i++) {
		struct tl_value value = number(&fixture, i * 10);

		REQUIRE(tl_variables_record(fixture.variables, &fixture.context, &value, &recorded, NULL) == TL_OK);
		CHECK_EQUAL(recorded, i);
		/* What it was worked out in is gone by the next command. */
		tl_arena_clear(&fixture.arena);
	}
	CHECK_EQUAL(recall(&fixture, true, 3), 30);
	CHECK_EQUAL(recall(&fixture, false, 0), 200);
	CHECK_EQUAL(recall(&fixture, false, 1), 190);
	CHECK_EQUAL(recall(&fixture, false, 19), 10);
	CHECK_EQUAL(recall(&fixture, false, 20), -3000);
	CHECK_TEXT(fixture.error.text, "History does not go back to $$20.");
	CHECK_EQUAL(recall(&fixture, true, 21), -3000);
	CHECK_TEXT(fixture.error.text, "History has not yet reached $21.");
	CHECK_EQUAL(recall(&fixture, true, 0), -3000);
	CHECK_EQUAL(tl_variables_history(fixture.variables), 20);
	end(&fixture);
}

TEST(variables_are_set_again_and_listed)
{
	char name[TL_VARIABLE_NAME_MAX + 1];
	struct fixture fixture;
	struct tl_value value;

	REQUIRE(begin(&fixture));
	CHECK_EQUAL(get(&fixture, "a"), -1000);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "v%u", i);
		CHECK(set(&fixture, name, number(&fixture, i)));
		tl_arena_clear(&fixture.arena);
	}
	CHECK(set(&fixture, "v3", number(&fixture, 33)));
	/* From itself, too. */
	tl_variables_get(fixture.variables, &fixture.context, "v4", &value);
	CHECK(set(&fixture, "v4", value));
	CHECK_EQUAL(get(&fixture, "v3"), 33);
	CHECK_EQUAL(get(&fixture, "v4"), 4);
	CHECK_EQUAL(get(&fixture, "v19"), 19);
	CHECK_TEXT(tl_variables_name(fixture.variables, 3), "v3");
	CHECK(tl_variables_name(fixture.variables, 20) == NULL);
	memset(name, 'x', TL_VARIABLE_NAME_MAX);
	name[TL_VARIABLE_NAME_MAX] = '\0';
	CHECK(!set(&fixture, name, number(&fixture, 1)));
	CHECK_EQUAL(fixture.error.status, TL_ERROR_TOO_LONG);
	end(&fixture);
}

TEST(what_is_absent_and_what_stood_elsewhere)
{
	static const tl_u8 bytes[4] = {1, 2, 3, 4}, absent[4] = {0, 1, 0, 0};
	struct fixture fixture;
	struct tl_value value;

	REQUIRE(begin(&fixture));
	value = number(&fixture, 0);
	value.bytes = bytes;
	value.absent = absent;
	value.place = TL_VALUE_ELSEWHERE;
	value.where = &value;
	CHECK(set(&fixture, "part", value));
	tl_variables_get(fixture.variables, &fixture.context, "part", &value);
	CHECK(tl_value_is_absent(&value));
	CHECK(value.bytes != bytes && value.absent != absent && value.absent[1] == 1);
	CHECK_EQUAL(value.place, TL_VALUE_NOWHERE);
	CHECK(value.where == NULL);
	end(&fixture);
}

TEST(numbers_survive_their_types)
{
	struct type_home other;
	struct fixture fixture;
	struct tl_value value, array;
	const struct tl_type *type;
	tl_u64 recorded;

	REQUIRE(begin(&fixture));
	REQUIRE(type_home_open(&other));
	fixture.context.types = other.types;
	CHECK(set(&fixture, "number", number(&fixture, -7)));
	REQUIRE(tl_type_make_base(other.types, "double", DW_ATE_float, 8, &type, NULL) == TL_OK);
	REQUIRE(tl_value_make_real(&fixture.context, type, 2.5L, &value, NULL) == TL_OK);
	CHECK(set(&fixture, "real", value));
	REQUIRE(tl_type_make_array(type, 1, &type, NULL) == TL_OK);
	array = value;
	array.type = type;
	CHECK(set(&fixture, "array", array));
	REQUIRE(tl_variables_record(fixture.variables, &fixture.context, &array, &recorded, NULL) == TL_OK);
	fixture.context.types = fixture.home.types;
	CHECK(set(&fixture, "kept", number(&fixture, 5)));
	tl_variables_forget_types(fixture.variables, other.types, &fixture.context);
	type_home_close(&other);
	CHECK_EQUAL(get(&fixture, "number"), -7);
	CHECK_EQUAL(get(&fixture, "real"), 2);
	CHECK_EQUAL(get(&fixture, "array"), -1000);
	CHECK_EQUAL(get(&fixture, "kept"), 5);
	CHECK_EQUAL(recall(&fixture, true, 1), -1000);
	end(&fixture);
}

TEST(any_allocation_may_fail)
{
	struct fixture fixture;
	tl_u64 recorded;

	REQUIRE(begin(&fixture));
	for (tl_u64 n = 1; n < 4; n++) {
		struct tl_value value = number(&fixture, 1);
		tl_u64 live = tl_storage_live();
		bool done;

		tl_storage_fail(n);
		done = set(&fixture, "a", value);
		tl_storage_fail(0);
		CHECK(done || (fixture.error.status == TL_ERROR_NO_MEMORY && tl_storage_live() == live));
		live = tl_storage_live();
		tl_storage_fail(n);
		done = tl_variables_record(fixture.variables, &fixture.context, &value, &recorded, &fixture.error) ==
		       TL_OK;
		tl_storage_fail(0);
		CHECK(done || (fixture.error.status == TL_ERROR_NO_MEMORY && tl_storage_live() == live));
	}
	CHECK_EQUAL(get(&fixture, "a"), 1);
	end(&fixture);
}

/* Packet arguments: what is accepted, what it means, and that everything else is refused. */
#include "core/rsp/request.h"
#include "core/rsp/rsp.h"
#include "tests/unit/test.h"

static enum tl_status thread(const char *text, struct tl_request_thread *request)
{
	struct tl_cursor cursor = tl_cursor_text(text);

	return tl_request_thread(&cursor, request);
}

TEST(thread_ids)
{
	struct tl_request_thread request;

	CHECK_EQUAL(thread("p1f.2a", &request), TL_OK);
	CHECK(request.with_process && request.process == 0x1f && request.thread == 0x2a);
	CHECK_EQUAL(thread("p3.-1", &request), TL_OK);
	CHECK(request.process == 3 && request.thread == TL_ANY);
	CHECK_EQUAL(thread("p3", &request), TL_OK);
	CHECK(request.process == 3 && request.thread == TL_ANY);
	CHECK_EQUAL(thread("p0.0", &request), TL_OK);
	CHECK(request.process == 0 && request.thread == 0);
	CHECK_EQUAL(thread("p-1.-1", &request), TL_OK);
	CHECK(request.process == TL_ANY && request.thread == TL_ANY);
	CHECK_EQUAL(thread("p-1", &request), TL_OK);
	CHECK_EQUAL(thread("-1", &request), TL_OK);
	CHECK(!request.with_process && request.thread == TL_ANY);
	CHECK_EQUAL(thread("0", &request), TL_OK);
	CHECK(!request.with_process && request.thread == 0);
	CHECK_EQUAL(thread("ABC", &request), TL_OK);
	CHECK_EQUAL(request.thread, 0xabc);
}

TEST(thread_ids_that_are_none)
{
	static const char *const texts[] = {
		"", "p", "p.", "px.1", "p1.", "p1.x", "-2", "-", "p-1.5", "fffffffffffffffff", "p-1.0", "q"};
	struct tl_request_thread request;

	for (size_t i = 0; i < TL_COUNT(texts); i++)
		if (thread(texts[i], &request) == TL_OK) {
			printf("  accepted: \"%s\"\n", texts[i]);
			CHECK(false);
		}
}

static enum tl_status memory(const char *text, bool data, struct tl_request_memory *request)
{
	struct tl_cursor cursor = tl_cursor_text(text);

	return tl_request_memory(&cursor, data, request);
}

TEST(memory_ranges)
{
	struct tl_request_memory request;

	CHECK_EQUAL(memory("1000,4", false, &request), TL_OK);
	CHECK(request.address == 0x1000 && request.size == 4);
	CHECK_EQUAL(memory("ffffffffffffffff,0", false, &request), TL_OK);
	CHECK_EQUAL(request.address, TL_U64_MAX);
	CHECK_EQUAL(memory("10,2:abcd", true, &request), TL_OK);
	CHECK_EQUAL(tl_cursor_left(&request.data), 4);
	CHECK_EQUAL(memory("10,0:", true, &request), TL_OK);
	CHECK_EQUAL(tl_cursor_left(&request.data), 0);
	CHECK(memory("", false, &request) != TL_OK);
	CHECK(memory("10", false, &request) != TL_OK);
	CHECK(memory("10,", false, &request) != TL_OK);
	CHECK(memory(",4", false, &request) != TL_OK);
	CHECK(memory("10,4x", false, &request) != TL_OK);
	CHECK(memory("10,4", true, &request) != TL_OK);
	CHECK(memory("10,10000000000000000", false, &request) != TL_OK);
}

static enum tl_status action(const char *text, struct tl_request_action *request)
{
	struct tl_cursor cursor = tl_cursor_text(text);

	return tl_request_action(&cursor, request);
}

TEST(actions)
{
	struct tl_request_action request;

	CHECK_EQUAL(action("c", &request), TL_OK);
	CHECK(request.kind == TL_ACTION_CONTINUE && request.signal == 0 && !request.with_thread);
	CHECK_EQUAL(action("C0b:p1.2;c", &request), TL_OK);
	CHECK(request.kind == TL_ACTION_CONTINUE && request.signal == 11 && request.with_thread);
	CHECK(request.thread.process == 1 && request.thread.thread == 2);
	CHECK_EQUAL(action("s:2", &request), TL_OK);
	CHECK(request.kind == TL_ACTION_STEP && !request.thread.with_process);
	CHECK_EQUAL(action("S05", &request), TL_OK);
	CHECK(request.kind == TL_ACTION_STEP && request.signal == 5);
	CHECK_EQUAL(action("r401000,401010:p1.-1", &request), TL_OK);
	CHECK(request.kind == TL_ACTION_RANGE && request.start == 0x401000 && request.end == 0x401010);
	CHECK(request.thread.thread == TL_ANY);
	CHECK_EQUAL(action("t:p1.1", &request), TL_OK);
	CHECK_EQUAL(request.kind, TL_ACTION_STOP);
}

TEST(actions_that_are_none)
{
	static const char *const texts[] = {"",    "x",    "C",  "S",   "Cxx", "r",  "r1",
					    "r1,", "rx,1", "c:", "c:x", "cc",  "s1", "c,"};
	struct tl_request_action request;

	for (size_t i = 0; i < TL_COUNT(texts); i++)
		if (action(texts[i], &request) == TL_OK) {
			printf("  accepted: \"%s\"\n", texts[i]);
			CHECK(false);
		}
}

TEST(points)
{
	struct tl_cursor cursor = tl_cursor_text("0,401000,1;X2,2227");
	struct tl_request_point point;

	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_OK);
	CHECK(point.kind == TL_POINT_SOFTWARE && point.address == 0x401000 && point.size == 1);
	CHECK_EQUAL(tl_cursor_peek(&cursor), ';');
	cursor = tl_cursor_text("4,601000,8");
	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_OK);
	CHECK_EQUAL(point.kind, TL_POINT_ACCESS);
	cursor = tl_cursor_text("5,601000,8");
	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_ERROR_POINT_KIND);
	cursor = tl_cursor_text("0,601000");
	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_ERROR_PACKET);
	cursor = tl_cursor_text("");
	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_ERROR_PACKET);
	cursor = tl_cursor_text("0,1,1x");
	CHECK_EQUAL(tl_request_point(&cursor, &point), TL_ERROR_PACKET);
}

/* gdb strings its conditions together without semicolons; the manual has one before each. */
TEST(expressions_of_a_point)
{
	static const char *const texts[] = {";X2,2227X1,27;cmds:1,X3,222227X1,27",
					    ";X2,2227;X1,27;cmds:1,X3,222227;X1,27"};

	for (size_t i = 0; i < TL_COUNT(texts); i++) {
		struct tl_cursor cursor = tl_cursor_text(texts[i]);
		struct tl_request_expression expression = {0};

		CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
		CHECK(!expression.done && !expression.command && expression.size == 2);
		CHECK(tl_cursor_equals(&expression.hex, "2227"));
		CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
		CHECK(!expression.command && expression.size == 1);
		CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
		CHECK(expression.command && expression.persist && expression.size == 3);
		CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
		CHECK(expression.command && expression.size == 1);
		CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
		CHECK(expression.done);
	}
}

TEST(expressions_that_are_none)
{
	static const char *const texts[] = {";X",    ";X2",    ";X2,22",        ";X0,",
					    ";X,22", ";cmds:", ";cmds:1",       ";X1001,22",
					    ";Xx,1", ";X1,2",  ";cmds:x,X1,27", ";X10000000000000001,27"};

	for (size_t i = 0; i < TL_COUNT(texts); i++) {
		struct tl_cursor cursor = tl_cursor_text(texts[i]);
		struct tl_request_expression expression = {0};

		if (tl_request_expression(&cursor, &expression) == TL_OK) {
			printf("  accepted: \"%s\"\n", texts[i]);
			CHECK(false);
		}
	}
}

TEST(unknown_options_are_stepped_over)
{
	struct tl_cursor cursor = tl_cursor_text(";future:12;X1,27");
	struct tl_request_expression expression = {0};

	CHECK_EQUAL(tl_request_expression(&cursor, &expression), TL_OK);
	CHECK_EQUAL(expression.size, 1);
}

TEST(number_lists)
{
	struct tl_cursor cursor = tl_cursor_text("e;10;;14");
	tl_u64 number;

	CHECK(tl_request_number(&cursor, &number) && number == 0xe);
	CHECK(tl_request_number(&cursor, &number) && number == 0x10);
	/* An empty item is none. */
	CHECK(!tl_request_number(&cursor, &number) && cursor.failed);
	cursor = tl_cursor_text("");
	CHECK(!tl_request_number(&cursor, &number) && !cursor.failed);
	cursor = tl_cursor_text("x");
	CHECK(!tl_request_number(&cursor, &number) && cursor.failed);
	cursor = tl_cursor_text("1x");
	CHECK(!tl_request_number(&cursor, &number) && cursor.failed);
}

TEST(thread_suffixes)
{
	struct tl_cursor cursor = tl_cursor_text(";thread:1f;");
	struct tl_request_thread request;

	CHECK(tl_request_suffix(&cursor, &request) && request.thread == 0x1f && tl_cursor_done(&cursor));
	cursor = tl_cursor_text("");
	CHECK(!tl_request_suffix(&cursor, &request) && !cursor.failed);
	cursor = tl_cursor_text(";thread:x;");
	CHECK(!tl_request_suffix(&cursor, &request) && cursor.failed);
}

TEST(signals_there_and_back)
{
	for (tl_i32 i = 1; i <= 64; i++) {
		tl_u8 number = tl_rsp_signal_to_gdb(i);

		CHECK(number != 0);
		if (i != 16) /* SIGSTKFLT has no number at gdb */
			CHECK_EQUAL(tl_rsp_signal_from_gdb(number), i);
	}
	CHECK_EQUAL(tl_rsp_signal_to_gdb(0), 0);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(5), 5);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(10), 30);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(17), 20);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(7), 10);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(34), 46);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(16), 143);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(65), 143);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(-1), 143);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(0), 0);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(143), (unsigned long long)-1LL);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(TL_U64_MAX), (unsigned long long)-1LL);
}

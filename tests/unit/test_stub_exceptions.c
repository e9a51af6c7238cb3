/* What the stub says of exceptions that nobody handles; its sessions (tests/stub) raise them. */
#include "stubs/baremetal/exceptions.h"

#include "tests/unit/test.h"

#include <string.h>

TEST(signals_are_those_of_linux)
{
	CHECK_EQUAL(tl_stub_exception_x86(0).signal, 8);
	CHECK_EQUAL(tl_stub_exception_x86(6).signal, 4);
	CHECK_EQUAL(tl_stub_exception_x86(12).signal, 7);
	CHECK_EQUAL(tl_stub_exception_x86(13).signal, 11);
	CHECK(tl_stub_exception_x86(14).has_address && !tl_stub_exception_x86(13).has_address);
	CHECK_EQUAL(tl_stub_exception_arm64(0x02000000).signal, 4);
	CHECK_EQUAL(tl_stub_exception_arm64(0x96000045).signal, 11);
	CHECK_EQUAL(tl_stub_exception_arm64(0x96000061).signal, 7); /* misaligned */
	CHECK_EQUAL(tl_stub_exception_arm64(0x96000010).signal, 7); /* the bus said no */
	CHECK_EQUAL(tl_stub_exception_arm64(0x86000006).signal, 11);
	CHECK_EQUAL(tl_stub_exception_arm64((tl_u64)0x2c << 26).signal, 8);
}

TEST(every_number_has_a_name)
{
	for (tl_u64 vector = 0; vector < 300; vector++)
		CHECK(tl_stub_exception_x86(vector).name != NULL && tl_stub_exception_x86(vector).signal != 0);
	for (tl_u64 class = 0; class < 64; class ++)
		CHECK(tl_stub_exception_arm64(class << 26).name != NULL);
}

TEST(the_longest_line_fits)
{
	struct tl_stub_processor processor = {0};
	const tl_u64 most = ~(tl_u64)0;

	for (tl_u64 number = 0; number < 128; number++) {
		struct tl_stub_exception one =
			number < 64 ? tl_stub_exception_x86(number) : tl_stub_exception_arm64((number - 64) << 26);

		one.has_address = true;
		tl_stub_exception_said(&processor, one, "ESR_EL1", most, &most, most, most);
		REQUIRE(processor.said_size > 2 && processor.said_size <= sizeof(processor.said));
		CHECK(memcmp(processor.said + processor.said_size - 2, ".\n", 2) == 0);
	}
}

TEST(the_command_lists_who_stands_at_one)
{
	static const struct tl_stub_more none = {.tells_no_exceptions = true}, nothing;
	struct tl_stub_processor processors[2] = {0};
	struct tl_stub stub = {.count = 2, .processors = processors, .more = &nothing};
	char text[256];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));
	const tl_u64 code = 2;

	CHECK_EQUAL(tl_stub_exceptions_monitor(&stub.target, "exception", &writer), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(tl_stub_exceptions_monitor(&stub.target, "exceptions", &writer), TL_OK);
	CHECK(tl_writer_size(&writer) > 12 && memcmp(text, "No processor", 12) == 0);
	tl_stub_exception_said(&processors[1], tl_stub_exception_x86(14), "vector", 14, &code, 0x10, 0x4005c1);
	/* It runs, or is about to come in. */
	writer = tl_writer_make(text, sizeof(text));
	CHECK_EQUAL(tl_stub_exceptions_monitor(&stub.target, "exceptions", &writer), TL_OK);
	CHECK(memcmp(text, "No processor", 12) == 0);
	processors[1].state = TL_STUB_HERE;
	writer = tl_writer_make(text, sizeof(text));
	CHECK_EQUAL(tl_stub_exceptions_monitor(&stub.target, "exceptions", &writer), TL_OK);
	tl_write_byte(&writer, 0);
	CHECK(strcmp(text, "processor 1: Page fault (vector 0xe, error code 0x2, address 0x10) at 0x4005c1.\n") == 0);
	stub.more = &none;
	CHECK_EQUAL(tl_stub_exceptions_monitor(&stub.target, "exceptions", &writer), TL_ERROR_UNSUPPORTED);
}

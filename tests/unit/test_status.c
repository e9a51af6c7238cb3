#include "core/status.h"
#include "tests/unit/test.h"

TEST(every_status_has_a_text_and_a_name)
{
	for (int i = 0; i < TL_STATUS_MAX; i++) {
		CHECK(tl_status_text((enum tl_status)i)[0] != '\0');
		CHECK(strncmp(tl_status_name((enum tl_status)i), "TL_", 3) == 0);
	}
}

TEST(values_out_of_range_are_harmless)
{
	CHECK_TEXT(tl_status_text((enum tl_status)9999), "unknown error");
	CHECK_EQUAL(tl_status_wire((enum tl_status)0xffffffffu), 1);
}

TEST(wire_numbers_follow_gdbserver)
{
	CHECK_EQUAL(tl_status_wire(TL_ERROR_MEMORY), 14);
	CHECK_EQUAL(tl_status_wire(TL_ERROR_NO_THREAD), 3);
}

/* Whole sessions over the scripted target, packet for packet. */
#include "core/rsp/rsp_internal.h"
#include "tests/rsp/session.h"
#include "tests/unit/test.h"

static struct rsp_session session;

#define GDB                                                                                                            \
	"qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;fork-events+;vfork-events+;exec-events+;"              \
	"vContSupported+;QThreadEvents+;no-resumed+;memory-tagging+;xmlRegisters=i386"

#define ASK(packet, reply) CHECK_TEXT(rsp_session_ask(&session, packet), reply)
#define NEXT(reply) CHECK_TEXT(rsp_session_next(&session), reply)
#define NEXT_BEGINS(reply) begins(rsp_session_next(&session), reply, __LINE__)
#define ASK_BEGINS(packet, reply) begins(rsp_session_ask(&session, packet), reply, __LINE__)
#define NOTHING() CHECK(!rsp_session_take(&session))

static void open_plain(void)
{
	rsp_session_open(&session, &(struct rsp_session_setup){0});
}

static void begins(const char *got, const char *wanted, int line)
{
	if (strncmp(got, wanted, strlen(wanted)) == 0)
		return;
	printf("  %s:%d: got\n    \"%s\", which does not begin with\n    \"%s\"\n", __FILE__, line, got, wanted);
	test_failures++;
}

/* As gdb does it, up to where the user is asked. */
static void open_gdb(tl_size threads)
{
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = threads});
	(void)rsp_session_ask(&session, GDB);
	ASK("QStartNoAckMode", "OK");
	ASK_BEGINS("?", "T05thread:p1.1;");
}

static void shut(void)
{
	const char *text = "";

	CHECK_EQUAL(session.bad, 0);
	CHECK(!session.overflow);
	if (tl_scripted_violations(session.scripted, &text) != 0) {
		printf("  the engine broke the target's contract: %s\n", text);
		CHECK(false);
	}
	rsp_session_close(&session);
}

/* ---- Framing and the table ---- */

TEST(acknowledgements_and_repetition)
{
	open_plain();
	rsp_session_bytes(&session, "$qC#b4", 6);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "QC1");
	CHECK_EQUAL(session.acks, 1);
	rsp_session_bytes(&session, "-", 1);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "QC1");
	rsp_session_bytes(&session, "+$qC#b5", 7);
	NOTHING();
	CHECK_EQUAL(session.naks, 1);
	ASK("QStartNoAckMode", "OK");
	CHECK_EQUAL(session.acks, 2);
	/* From here on neither side acknowledges, and a client may leave the checksum out. */
	rsp_session_bytes(&session, "+$qC#00-", 8);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "QC1");
	NOTHING();
	CHECK_EQUAL(session.acks, 2);
	shut();
}

TEST(unknown_packets_get_the_empty_reply)
{
	open_plain();
	ASK("vMustReplyEmpty", "");
	ASK("qTStatus", "");
	ASK("", "");
	ASK("Y", "");
	ASK("vContX", "");
	ASK("qSupportedX", "");
	ASK("Hs1", "");
	shut();
}

TEST(a_packet_that_is_too_long_is_refused_and_the_next_is_served)
{
	static char packet[RSP_SESSION_PACKET + 100];

	open_plain();
	memset(packet, 'a', sizeof(packet));
	memcpy(packet, "M1000,800:", 10);
	rsp_session_send(&session, packet, sizeof(packet));
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "E07");
	CHECK_EQUAL(session.acks, 1);
	ASK("qC", "QC1");
	shut();
}

static enum tl_status host_handle(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				  struct tl_writer *reply)
{
	(void)rsp;
	tl_write_text(reply, context);
	tl_write_bytes(reply, arguments->at, tl_cursor_left(arguments));
	return TL_OK;
}

TEST(rows_of_the_embedder_come_first_and_the_longest_name_wins)
{
	static const struct tl_rsp_row rows[] = {
		{"qC", TL_RSP_WORD, TL_RSP_ALWAYS, false, host_handle},
		{"qXfer:features:read:special", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, host_handle},
		{"vRun", TL_RSP_WORD, TL_RSP_EXTENDED, false, host_handle},
		{0},
	};
	char context[] = "host ";
	const struct tl_rsp_table table = {rows, context};

	rsp_session_open(&session, &(struct rsp_session_setup){.tables = &table, .table_count = 1});
	ASK("qC", "host ");
	ASK("qC;x", "host ;x");
	ASK("qXfer:features:read:specials", "host s");
	ASK_BEGINS("qXfer:features:read:target.xml:0,10", "m<");
	ASK("vRun;", "E01");
	ASK("!", "OK");
	ASK("vRun;", "host ;");
	shut();
}

/* ---- Features ---- */

TEST(features_follow_the_target_not_the_client)
{
	char first[2048];

	rsp_session_open(&session, &(struct rsp_session_setup){.features = ";vFile+"});
	snprintf(first, sizeof(first), "%s", rsp_session_ask(&session, "qSupported"));
	CHECK(strncmp(first, "PacketSize=1000;", 16) == 0);
	CHECK(strstr(first, ";multiprocess+") != NULL && strstr(first, ";swbreak+") != NULL);
	CHECK(strstr(first, ";QNonStop+") != NULL && strstr(first, ";ConditionalBreakpoints+") != NULL);
	CHECK(strstr(first, ";vFile+") != NULL);
	CHECK(strstr(first, "ReverseStep") == NULL);
	CHECK(strcmp(first, rsp_session_ask(&session, GDB)) == 0);
	shut();
	rsp_session_open(&session, &(struct rsp_session_setup){.without = TL_CAN_RUN_SOME | TL_CAN_HARDWARE});
	snprintf(first, sizeof(first), "%s", rsp_session_ask(&session, "qSupported"));
	CHECK(strstr(first, "QNonStop") == NULL && strstr(first, "hwbreak") == NULL);
	ASK("vCont?", "vCont;c;C;s;S;r");
	ASK_BEGINS("QNonStop:1", "E");
	shut();
	/* Several processes, but none that forks or whose system calls can be seen. */
	rsp_session_open(&session, &(struct rsp_session_setup){.without = TL_CAN_FORK | TL_CAN_CATCH_SYSCALLS});
	snprintf(first, sizeof(first), "%s", rsp_session_ask(&session, "qSupported"));
	CHECK(strstr(first, ";multiprocess+") != NULL);
	CHECK(strstr(first, "fork-events") == NULL && strstr(first, "exec-events") == NULL);
	CHECK(strstr(first, "QCatchSyscalls") == NULL);
	ASK("QCatchSyscalls:1", "");
	shut();
}

TEST(a_new_qSupported_replaces_the_old_one)
{
	open_plain();
	(void)rsp_session_ask(&session, GDB);
	ASK("qC", "QCp1.1");
	CHECK(tl_engine_settings(session.engine)->report_forks);
	(void)rsp_session_ask(&session, "qSupported:swbreak+");
	ASK("qC", "QC1");
	CHECK(!tl_engine_settings(session.engine)->report_forks);
	CHECK(tl_rsp_client_has(session.rsp, TL_RSP_CLIENT_SWBREAK));
	CHECK(!tl_rsp_client_has(session.rsp, TL_RSP_CLIENT_VCONT));
	shut();
}

TEST(nothing_is_left_of_the_client_before)
{
	open_gdb(0);
	ASK("!", "OK");
	ASK("QNonStop:1", "OK");
	rsp_session_reconnect(&session);
	session.acks = 0;
	ASK_BEGINS("?", "T05thread:1;");
	CHECK_EQUAL(session.acks, 1);
	CHECK(!tl_rsp_client_has(session.rsp, TL_RSP_CLIENT_EXTENDED));
	shut();
}

TEST(errors_in_the_form_that_the_client_takes)
{
	open_plain();
	ASK("Hg99", "E03");
	ASK("m9000,4", "E0e");
	(void)rsp_session_ask(&session, GDB);
	ASK("Hgp1.99", "E.no such thread");
	/* To gdb 13 this would be data. */
	ASK("m9000,4", "E0e");
	(void)rsp_session_ask(&session, "qSupported:error-message+");
	ASK("m9000,4", "E.cannot access memory at that address");
	tl_rsp_client_set(session.rsp, TL_RSP_CLIENT_LLDB, true);
	ASK("T99", "E03;6e6f207375636820746872656164");
	tl_rsp_client_set(session.rsp, TL_RSP_CLIENT_ERROR_MESSAGE, false);
	ASK("T99", "E03");
	shut();
}

/* ---- Registers and memory ---- */

TEST(registers)
{
	char all[4096];

	open_gdb(0);
	ASK("p10", "0010000000000000");
	ASK("P0=8877665544332211", "OK");
	ASK("p0", "8877665544332211");
	snprintf(all, sizeof(all), "%s", rsp_session_ask(&session, "g"));
	CHECK(strncmp(all, "8877665544332211", 16) == 0);
	CHECK(strncmp(all + 16 * 16, "0010000000000000", 16) == 0);
	all[0] = '0';
	all[1] = '1';
	all[16] = 'x';
	memset(all + 16, 'x', 16);
	memmove(all + 1, all, strlen(all) + 1);
	all[0] = 'G';
	ASK(all, "OK");
	ASK("p0", "0177665544332211");
	/* Fewer registers than there are leave the others as they were. */
	ASK("G0277665544332211", "OK");
	ASK("p0", "0277665544332211");
	ASK("p10", "0010000000000000");
	shut();
}

TEST(registers_that_are_not_to_be_had)
{
	open_gdb(1);
	ASK("Hgp1.2", "OK");
	/* A processor that does not come. */
	tl_scripted_fail(session.scripted, 1, TL_ERROR_RUNNING);
	ASK("p0", "xxxxxxxxxxxxxxxx");
	ASK("p10", "0010000000000000");
	ASK("Hgp1.1", "OK");
	shut();
}

TEST(registers_that_are_refused)
{
	open_plain();
	ASK("pfff", "E01");
	ASK("p", "E16");
	ASK("px", "E16");
	ASK("p0;thread:1;", "E16");
	ASK("P0=", "E16");
	ASK("P0=00", "E16");
	ASK("P0=00112233445566778", "E16");
	ASK("P0=001122334455667g", "E16");
	ASK("P0", "E16");
	ASK("G", "E16");
	ASK("Gzz", "E16");
	ASK("Hg1", "OK");
	shut();
}

TEST(registers_of_a_thread_by_lldbs_suffix)
{
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 1});
	tl_rsp_client_set(session.rsp, TL_RSP_CLIENT_THREAD_SUFFIX, true);
	ASK("P3=0100000000000000;thread:1;", "OK");
	ASK("P3=0200000000000000;thread:2;", "OK");
	ASK("p3;thread:1;", "0100000000000000");
	ASK("p3;thread:2;", "0200000000000000");
	ASK_BEGINS("g;thread:2;", "0000000000000000");
	ASK("p3;thread:3;", "E03");
	ASK("p3;thread:x;", "E16");
	ASK("G0500000000000000;thread:2;", "OK");
	ASK("p0;thread:2;", "0500000000000000");
	shut();
}

TEST(reading_memory)
{
	open_gdb(0);
	ASK("m2000,8", "0001020304050607");
	ASK("m1000,3", "909048");
	ASK("m2000,0", "");
	/* What is there of a range that goes beyond. */
	ASK("m2ffe,10", "feff");
	ASK("m3000,1", "E0e");
	ASK("m,1", "E16");
	ASK("m2000", "E16");
	/* More than a packet holds gives as much as it holds. */
	CHECK_EQUAL(strlen(rsp_session_ask(&session, "m2000,ffffffffffffffff")), RSP_SESSION_PACKET);
	CHECK(strncmp(session.packet, "000102030405", 12) == 0);
	CHECK(strcmp(session.packet + RSP_SESSION_PACKET - 4, "feff") == 0);
	shut();
}

TEST(reading_memory_in_binary)
{
	open_gdb(0);
	(void)rsp_session_ask(&session, "x2022,4");
	/* 22, # and $ with escapes, 25 */
	CHECK(session.packet_size == 7 && memcmp(session.packet, "b\"}\x03}\x04%", 7) == 0);
	ASK("x2000,0", "b");
	ASK("x3000,4", "E0e");
	(void)rsp_session_ask(&session, "x2000,800");
	CHECK_EQUAL(session.packet_size, 1 + 0x800 + 8 * 4);
	/* Where escapes leave no room the reply is shorter. */
	(void)rsp_session_ask(&session, "x2000,ffffff");
	CHECK(session.packet_size <= RSP_SESSION_PACKET && session.packet_size > RSP_SESSION_PACKET - 2);
	/* lldb asks so whether x is known, and then wants no b in front. */
	ASK("x0,0", "OK");
	(void)rsp_session_ask(&session, "x2000,2");
	CHECK(session.packet_size == 2 && memcmp(session.packet, "\0\x01", 2) == 0);
	shut();
}

/* Fills the data with bytes of which about one in `rarity` needs an escape; 1: all. */
static void fill_data(tl_u8 *data, unsigned rarity)
{
	static const char special[] = "#$}*";
	static unsigned seed = 1;
	char packet[2100];

	for (size_t i = 0; i < 4096; i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (tl_u8)(seed >> 16);
		if ((seed >> 24) % rarity == 0)
			data[i] = (tl_u8)special[data[i] % 4];
	}
	for (size_t at = 0; at < 4096; at += 1024) {
		int head = snprintf(packet, sizeof(packet), "M%zx,400:", 0x2000 + at);

		for (size_t i = 0; i < 1024; i++)
			(void)snprintf(packet + (size_t)head + 2 * i, 3, "%02x", data[at + i]);
		ASK(packet, "OK");
	}
}

/* Asks for memory and compares what comes with the data; false when it differs. */
static bool binary_is(const tl_u8 *data, size_t offset, size_t size)
{
	size_t count = 0;
	char packet[64];

	(void)snprintf(packet, sizeof(packet), "x%zx,%zx", 0x2000 + offset, size);
	(void)rsp_session_ask(&session, packet);
	if (session.packet_size == 0 || session.packet_size > RSP_SESSION_PACKET || session.packet[0] != 'b')
		return false;
	for (size_t i = 1; i < session.packet_size; i++) {
		tl_u8 byte = (tl_u8)session.packet[i];

		if (byte == '}')
			byte = (tl_u8)session.packet[++i] ^ 0x20;
		else if (byte == '#' || byte == '$' || byte == '*')
			return false;
		if (byte != data[offset + count++])
			return false;
	}
	/* It ends early only where there is no room for a byte more. */
	return count == size || (count < size && session.packet_size + 2 > RSP_SESSION_PACKET);
}

static bool hex_is(const tl_u8 *data, size_t offset, size_t size)
{
	char packet[64], digits[3];

	(void)snprintf(packet, sizeof(packet), "m%zx,%zx", 0x2000 + offset, size);
	if (strlen(rsp_session_ask(&session, packet)) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		(void)snprintf(digits, sizeof(digits), "%02x", data[offset + i]);
		if (memcmp(session.packet + 2 * i, digits, 2) != 0)
			return false;
	}
	return true;
}

TEST(reading_any_memory)
{
	static const unsigned rarities[] = {1, 2, 10, 60, 1000};
	static tl_u8 data[4096];

	open_gdb(0);
	for (size_t r = 0; r < sizeof(rarities) / sizeof(rarities[0]); r++) {
		fill_data(data, rarities[r]);
		for (size_t size = 1; size < 300; size++)
			CHECK(binary_is(data, size * 7 % 100, size) && hex_is(data, size * 5 % 100, size));
		/* Where the bytes and the reply begin to get into each other's way. */
		for (size_t size = RSP_SESSION_PACKET / 2 - 300; size <= RSP_SESSION_PACKET / 2; size++)
			CHECK(binary_is(data, size % 64, size) && hex_is(data, size % 64, size));
		for (size_t size = RSP_SESSION_PACKET - 300; size <= 4096; size++)
			CHECK(binary_is(data, 0, size));
	}
	shut();
}

TEST(writing_memory)
{
	open_gdb(0);
	ASK("M2000,4:deadbeef", "OK");
	ASK("m2000,5", "deadbeef04");
	rsp_session_send(&session, "X2000,4:#$}*", 12);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "OK");
	ASK("m2000,5", "23247d2a04");
	ASK("X0,0:", "OK");
	ASK("M2000,0:", "OK");
	ASK("M3000,1:00", "E.cannot access memory at that address");
	ASK_BEGINS("M2000,4:dead", "E.");
	ASK_BEGINS("M2000,2:deadbeef", "E.");
	ASK_BEGINS("M2000,2:deax", "E.");
	ASK_BEGINS("M2000,2:dea", "E.");
	ASK_BEGINS("X2000,2:a", "E.");
	ASK_BEGINS("X2000", "E.");
	ASK_BEGINS("Mffffffffffffffff,2:0000", "E.");
	shut();
}

TEST(searching_memory)
{
	open_gdb(0);
	rsp_session_send(&session, "qSearch:memory:2000;1000;\x10\x11\x12", 28);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "1,2010");
	rsp_session_send(&session, "qSearch:memory:2011;fef;\x10\x11\x12", 27);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "1,2110");
	ASK("qSearch:memory:2000;1000;nothing", "0");
	ASK("M2000,7:61616261616261", "OK");
	ASK("qSearch:memory:2000;7;aabaaba", "1,2000");
	ASK("M2000,9:616161616161616162", "OK");
	ASK("qSearch:memory:2000;9;aab", "1,2006");
	ASK_BEGINS("qSearch:memory:2000;2000;nothing", "E.");
	ASK_BEGINS("qSearch:memory:2000;1000;", "E.");
	ASK_BEGINS("qSearch:memory:0;ffffffffffffffff;a", "E.search at most");
	ASK_BEGINS("qSearch:memory:0", "E.");
	shut();
}

TEST(checksums_of_memory)
{
	open_gdb(0);
	/* "123456789" has the checksum 0376e6e7 in this variant (CRC-32/MPEG-2). */
	ASK("M2000,9:313233343536373839", "OK");
	ASK("qCRC:2000,9", "C376e6e7");
	ASK("qCRC:2000,0", "Cffffffff");
	ASK_BEGINS("qCRC:2000,2000", "E.");
	ASK_BEGINS("qCRC:2000", "E.");
	shut();
}

/* ---- Running ---- */

TEST(a_breakpoint_from_gdb)
{
	open_gdb(0);
	ASK("Z0,1002,1", "OK");
	ASK("m1000,3", "909048");
	ASK("vCont;c:p1.-1", "(none)");
	NEXT_BEGINS("T05swbreak:;thread:p1.1;10:0210000000000000;");
	ASK("m1000,3", "909048");
	ASK("z0,1002,1", "OK");
	ASK("z0,1002,1", "E.no such point");
	ASK("vCont;s:p1.1", "(none)");
	NEXT_BEGINS("T05thread:p1.1;10:0a10000000000000;");
	shut();
}

TEST(a_breakpoint_for_a_client_that_announced_nothing)
{
	open_plain();
	ASK("Z0,1002,1", "OK");
	ASK("c", "(none)");
	NEXT_BEGINS("T05thread:1;10:0210000000000000;");
	ASK("s", "(none)");
	rsp_session_turn(&session, 10);
	/* It stands on a breakpoint that was reported: it hits it again, as gdb's server does. */
	CHECK(rsp_session_take(&session));
	ASK("z0,1002,1", "OK");
	ASK("s1012", "(none)");
	NEXT_BEGINS("T05thread:1;10:1310000000000000;");
	shut();
}

TEST(points_that_cannot_be)
{
	open_gdb(0);
	ASK("Z5,1000,1", "");
	ASK("Z0,1000", "E.malformed packet");
	ASK("Z", "E.malformed packet");
	ASK("Z0,9000,1", "E.cannot access memory at that address");
	ASK_BEGINS("Z0,1002,1;X1,ff", "E.");
	ASK_BEGINS("Z0,1002,1;X1,f", "E.");
	ASK_BEGINS("Z0,1002,1;X2,gggg", "E.");
	ASK_BEGINS("Z2,2000,0", "E.");
	shut();
	rsp_session_open(&session, &(struct rsp_session_setup){.without = TL_CAN_HARDWARE | TL_CAN_WATCH});
	ASK("Z1,1002,1", "");
	ASK("Z2,2000,8", "");
	shut();
}

TEST(conditions_stay_with_the_target)
{
	open_gdb(0);
	/* const8 0, end */
	ASK("Z0,1002,1;X3,220027", "OK");
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 100);
	NOTHING();
	CHECK(tl_engine_counters(session.engine)->conditions_false > 3);
	rsp_session_bytes(&session, "\x03", 1);
	NEXT_BEGINS("T02thread:p1.1;");
	/* const8 0; then one that is true: either stops. */
	ASK("Z0,1002,1;X3,220027X3,220127", "OK");
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T05swbreak:;thread:p1.1;");
	shut();
}

TEST(a_condition_that_fails_says_so)
{
	open_gdb(0);
	/* const16 9000, ref64, end */
	ASK("Z0,1002,1;X5,2390001927", "OK");
	ASK("vCont;c", "(none)");
	CHECK(rsp_session_wait(&session, 100));
	CHECK_EQUAL(session.packet[0], 'O');
	NEXT_BEGINS("T05swbreak:;");
	shut();
}

TEST(watchpoints_tell_their_kind)
{
	open_gdb(0);
	ASK("Z2,2000,8", "OK");
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T05watch:2000;thread:p1.1;");
	ASK("z2,2000,8", "OK");
	ASK("Z3,2008,8", "OK");
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T05rwatch:2008;thread:p1.1;");
	ASK("z3,2008,8", "OK");
	ASK("Z4,2000,4", "OK");
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T05awatch:2000;thread:p1.1;");
	ASK("z4,2000,4", "OK");
	ASK("Z1,100a,1", "OK");
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T05hwbreak:;thread:p1.1;");
	shut();
}

TEST(range_steps_and_signals)
{
	open_gdb(0);
	ASK("vCont;r1000,1012:p1.1;c", "(none)");
	NEXT_BEGINS("T05thread:p1.1;");
	ASK("p10", "1210000000000000");
	ASK("vCont;C0b:p1.1", "(none)");
	/* The program has no handler for it. */
	NEXT("Xb;process:1");
	ASK("?", "W00");
	shut();
}

/* A resume that is answered with what another thread has to tell runs nothing, but the signal has been given. */
TEST(a_signal_given_while_others_wait_to_tell_is_kept)
{
	struct tl_thread_id one = {1, 1}, two = {1, 2};

	open_gdb(1);
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 3);
	CHECK_EQUAL(tl_scripted_do(session.scripted, one, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	CHECK_EQUAL(tl_scripted_do(session.scripted, two, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("T05fork:p3.3;thread:p1.1;");
	ASK("D;3", "OK");
	ASK_BEGINS("vCont;C0b:p1.1;c", "T05fork:p4.4;thread:p1.2;");
	ASK("D;4", "OK");
	ASK("vCont;c", "(none)");
	NEXT("Xb;process:1");
	shut();
}

TEST(actions_that_cannot_be)
{
	open_gdb(0);
	ASK_BEGINS("vCont", "E.");
	ASK_BEGINS("vCont;", "E.");
	ASK_BEGINS("vCont;x", "E.");
	ASK_BEGINS("vCont;c:p1.99", "E.no such thread");
	ASK_BEGINS("vCont;c:p9.1", "E.no such thread");
	ASK_BEGINS("vCont;t", "E.vCont;t is for non-stop");
	ASK_BEGINS("vCont;C7e:p1.1", "E.the program's system has no such signal");
	ASK_BEGINS("vCont;c:", "E.");
	ASK_BEGINS("vCont;c;c;", "E.");
	ASK("qC", "QCp1.1");
	shut();
}

TEST(packets_while_the_program_runs)
{
	open_gdb(0);
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 5);
	ASK("g", "E.the thread is running: stop it first");
	ASK("vCont;c", "E.the thread is running: stop it first");
	ASK("D;1", "E.the thread is running: stop it first");
	ASK("qC", "QCp1.1");
	ASK("vCtrlC", "OK");
	NEXT_BEGINS("T02thread:p1.1;");
	/* Exactly one: nothing follows. */
	rsp_session_turn(&session, 10);
	NOTHING();
	ASK_BEGINS("g", "0");
	shut();
}

TEST(an_interrupt_while_stopped_is_for_the_next_resume)
{
	open_gdb(0);
	rsp_session_bytes(&session, "\x03\x03", 2);
	rsp_session_turn(&session, 10);
	NOTHING();
	ASK("vCont;c", "(none)");
	NEXT_BEGINS("T02thread:p1.1;");
	ASK("vCont;s:p1.1", "(none)");
	NEXT_BEGINS("T05thread:p1.1;");
	shut();
}

TEST(the_default_action_is_for_the_rest_wherever_it_stands)
{
	struct tl_scripted_thread_info first, second;

	open_gdb(1);
	ASK("vCont;c;s:p1.2", "(none)");
	NEXT_BEGINS("T05thread:p1.2;");
	ASK("vCont;s:p1.1", "(none)");
	NEXT_BEGINS("T05thread:p1.1;");
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 2}, &second));
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 1}, &first));
	/* A thread that no action names stays where it is. */
	CHECK_EQUAL(second.executed, 1);
	shut();
}

TEST(the_old_packets_go_by_Hc)
{
	struct tl_scripted_thread_info info;

	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 1});
	ASK("Hc2", "OK");
	ASK("s", "(none)");
	NEXT_BEGINS("T05thread:2;");
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 1}, &info) && info.executed == 0);
	ASK("Hc-1", "OK");
	ASK("Hg1", "OK");
	ASK("s", "(none)");
	NEXT_BEGINS("T05thread:1;");
	ASK("S00", "(none)");
	NEXT_BEGINS("T05thread:1;");
	ASK("Cxx", "E16");
	ASK("C", "E16");
	ASK("C7e", "E16");
	ASK("szz", "E16");
	shut();
}

TEST(the_program_ends)
{
	open_gdb(0);
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_EXIT_PROCESS, 3, 0),
		    TL_OK);
	NEXT("W3;process:1");
	ASK("g", "E.no such process");
	ASK("qfThreadInfo", "l");
	ASK_BEGINS("Hgp1.1", "E.");
	ASK("Hgp0.0", "OK");
	shut();
	open_plain();
	ASK("c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_KILL_PROCESS, 15, 0),
		    TL_OK);
	NEXT("X0f");
	shut();
}

/* Somebody else kills the program while the client looks at it. */
static void open_killed(void (*open)(tl_size), tl_size threads)
{
	open(threads);
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_KILL_PROCESS, 9, 0),
		    TL_OK);
	rsp_session_turn(&session, 5);
	NOTHING();
}

static void open_without_threads(tl_size threads)
{
	(void)threads;
	open_plain();
}

TEST(the_program_ends_while_it_stands)
{
	static const char *const resumes[] = {"vCont;c:p1.-1", "vCont;s:p1.1;c:p1.-1", "vCont;c", "c", "s", "C05"};

	for (tl_size i = 0; i < TL_COUNT(resumes); i++) {
		open_killed(open_gdb, 1);
		ASK("g", "E.no such process");
		ASK("Z0,1001,1", "E.no such process");
		ASK(resumes[i], "X9;process:1");
		ASK(resumes[i], "E.no such process");
		shut();
	}
}

TEST(a_program_that_ended_while_it_stood_is_left)
{
	static const char *const leaves[] = {"vKill;1", "D;1", "D"};

	for (tl_size i = 0; i < TL_COUNT(leaves); i++) {
		open_killed(open_gdb, 1);
		ASK("!", "OK");
		ASK("vKill;2", "E.no such process");
		ASK(leaves[i], "OK");
		ASK("vCont;c", "E.no such process");
		shut();
		open_killed(open_gdb, 1);
		ASK(leaves[i], "OK");
		CHECK_EQUAL(session.done, 1);
		shut();
	}
	open_killed(open_gdb, 0);
	ASK("k", "(none)");
	CHECK_EQUAL(session.done, 1);
	shut();
	/* A client that knows no process numbers makes one up. */
	open_killed(open_without_threads, 0);
	ASK("vKill;a410", "OK");
	shut();
}

TEST(forks_and_what_belongs_to_them)
{
	open_gdb(0);
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("T05fork:p2.2;thread:p1.1;");
	ASK("qfThreadInfo", "mp1.1,p2.2");
	ASK("D;2", "OK");
	ASK("qfThreadInfo", "mp1.1");
	CHECK_EQUAL(session.done, 0);
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_EXEC, 0, 0), TL_OK);
	/* 2f7363726970746564 is /scripted. */
	NEXT_BEGINS("T05exec:2f7363726970746564;thread:p1.1;");
	shut();
}

/* gdb would take a process that it meets in the list before the fork is told for a program of its own. */
TEST(children_are_not_listed_before_they_are_told_of)
{
	struct tl_thread_id one = {1, 1}, two = {1, 2};

	open_gdb(1);
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 3);
	CHECK_EQUAL(tl_scripted_do(session.scripted, one, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	CHECK_EQUAL(tl_scripted_do(session.scripted, two, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("T05fork:p3.3;thread:p1.1;");
	ASK("qfThreadInfo", "mp1.1,p1.2,p3.3");
	CHECK(strstr(rsp_session_ask(&session, "qXfer:threads:read::0,1000"), "p4.4") == NULL);
	ASK("D;3", "OK");
	ASK_BEGINS("vCont;c", "T05fork:p4.4;thread:p1.2;");
	ASK("qfThreadInfo", "mp1.1,p1.2,p4.4");
	ASK("D;4", "OK");
	shut();
}

/* Nor does a client mean them when it says "all". */
TEST(children_are_not_resumed_before_they_are_told_of)
{
	struct tl_thread_id one = {1, 1}, two = {1, 2}, child = {4, 4};
	struct tl_scripted_thread_info info;

	open_gdb(1);
	ASK("QNonStop:1", "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 3);
	CHECK_EQUAL(tl_scripted_do(session.scripted, one, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	CHECK_EQUAL(tl_scripted_do(session.scripted, two, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("Stop:T05fork:p3.3;thread:p1.1;");
	rsp_session_turn(&session, 5);
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 5);
	CHECK(tl_scripted_thread(session.scripted, child, &info) && info.executed == 0);
	ASK("qfThreadInfo", "mp1.1,p1.2,p3.3");
	ASK_BEGINS("vStopped", "T05fork:p4.4;thread:p1.2;");
	ASK("vStopped", "OK");
	ASK("qfThreadInfo", "mp1.1,p1.2,p3.3,p4.4");
	ASK("vCont;c:p4.-1", "OK");
	rsp_session_turn(&session, 5);
	CHECK(tl_scripted_thread(session.scripted, child, &info) && info.executed != 0);
	shut();
}

/* A resume of everything that was under way when the stop was told is not for who has stopped, nor for its child. */
TEST(a_resume_that_crosses_a_stop_does_not_undo_it)
{
	struct tl_thread_id one = {1, 1}, child = {3, 3};
	struct tl_scripted_thread_info info;
	tl_u64 executed;

	open_gdb(1);
	ASK("QNonStop:1", "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 3);
	CHECK_EQUAL(tl_scripted_do(session.scripted, one, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("Stop:T05fork:p3.3;thread:p1.1;");
	CHECK(tl_scripted_thread(session.scripted, one, &info));
	executed = info.executed;
	ASK("vCont;c", "OK");
	ASK("vCont;c:p1.-1", "OK");
	rsp_session_turn(&session, 5);
	CHECK(tl_scripted_thread(session.scripted, one, &info) && info.executed == executed);
	CHECK(tl_scripted_thread(session.scripted, child, &info) && info.executed == 0);
	ASK("vStopped", "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 5);
	CHECK(tl_scripted_thread(session.scripted, one, &info) && info.executed > executed);
	CHECK(tl_scripted_thread(session.scripted, child, &info) && info.executed != 0);
	shut();
}

/* Over a slow line: what steps are found by, and no segments. */
TEST(brief_stops)
{
	static const char *const clients[] = {"qSupported:qRelocInsn+", "QThreadSuffixSupported", "qSupported"};

	for (unsigned n = 0; n < TL_COUNT(clients); n++) {
		const bool whole = n == 2; /* our own prompt takes whole banks */
		const char *reply;

		rsp_session_open(&session, &(struct rsp_session_setup){.stops_are_brief = true});
		(void)rsp_session_ask(&session, clients[n]);
		reply = rsp_session_ask(&session, "?");
		CHECK(strstr(reply, ";10:") != NULL && strstr(reply, ";0f:") != NULL);
		CHECK_EQUAL(strstr(reply, ";12:") != NULL, whole);
		CHECK_EQUAL(strstr(reply, ";17:") != NULL, whole);
		shut();
	}
}

TEST(stop_replies_of_lesser_servers)
{
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 1, .stops_without_thread = true});
	(void)rsp_session_ask(&session, GDB);
	ASK("Z0,1012,1", "OK");
	ASK("Hgp1.2", "OK");
	ASK("vCont;c:p1.1", "(none)");
	NEXT_BEGINS("T05swbreak:;10:");
	CHECK(strstr(session.packet, "thread:") == NULL);
	/* It was not told of another thread, and goes on with the one that it chose. */
	ASK("qC", "QCp1.2");
	shut();
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 1, .stops_as_signals = true});
	(void)rsp_session_ask(&session, GDB);
	ASK("?", "S05");
	ASK("Z0,1012,1", "OK");
	ASK("Hgp1.2", "OK");
	ASK("vCont;c:p1.1", "(none)");
	NEXT("S05");
	ASK("qC", "QCp1.2");
	/* The end of the process is no T. */
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_EXIT_PROCESS, 3, 0),
		    TL_OK);
	NEXT("W3;process:1");
	shut();
}

TEST(thread_events)
{
	open_gdb(0);
	ASK("QThreadEvents:1", "OK");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_CLONE, 0x1000, 0), TL_OK);
	NEXT_BEGINS("T05create:;thread:p1.2;");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 2}, TL_SCRIPTED_EXIT_THREAD, 0, 0),
		    TL_OK);
	NEXT("w0;p1.2");
	ASK("QThreadEvents:0", "OK");
	ASK("QThreadEvents:2", "E.malformed packet");
	ASK("QThreadEvents", "E.malformed packet");
	shut();
}

TEST(thread_options)
{
	open_gdb(0);
	CHECK(strstr(rsp_session_ask(&session, GDB), ";QThreadOptions=3") != NULL);
	ASK("QThreadOptions", "OK");
	ASK("QThreadOptions;", "E.malformed packet");
	ASK("QThreadOptions;3:", "E.malformed packet");
	ASK("QThreadOptions;3:p1.0", "E.malformed packet");
	ASK("QThreadOptions;3:p1.1x", "E.malformed packet");
	ASK("QThreadOptions:3", "E.malformed packet");
	/* Nothing of a packet with an error in it is done. */
	ASK_BEGINS("QThreadOptions;3;4:p1.1", "E.");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_CLONE, 0x1000, 0), TL_OK);
	NOTHING();
	rsp_session_bytes(&session, "\x03", 1);
	NEXT_BEGINS("T02");
	/* The last that matches a thread counts; nobody minds one that is not there. */
	ASK("QThreadOptions;0;3:p1.1;2:p1.2;1:p7.7", "OK");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 2}, TL_SCRIPTED_CLONE, 0x1000, 0), TL_OK);
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_CLONE, 0x1000, 0), TL_OK);
	NEXT_BEGINS("T05clone:p1.4;thread:p1.1;");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 4}, TL_SCRIPTED_EXIT_THREAD, 0, 0),
		    TL_OK);
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 2}, TL_SCRIPTED_EXIT_THREAD, 7, 0),
		    TL_OK);
	NEXT("w7;p1.2");
	ASK("QThreadOptions;0:p1.-1", "OK");
	shut();
	rsp_session_open(&session, &(struct rsp_session_setup){.without = TL_CAN_CATCH_CLONES});
	CHECK(strstr(rsp_session_ask(&session, GDB), ";QThreadOptions=2") != NULL);
	ASK_BEGINS("QThreadOptions;1", "E");
	ASK("QThreadOptions;2", "OK");
	shut();
}

TEST(signals_that_pass)
{
	open_gdb(0);
	/* e is SIGALRM, 14 SIGCHLD, whose number on Linux is 17. */
	ASK("QPassSignals:e;14", "OK");
	CHECK_EQUAL(tl_engine_settings(session.engine)->pass_signals[0], (1u << 14) | (1u << 17));
	ASK("QPassSignals:", "OK");
	CHECK_EQUAL(tl_engine_settings(session.engine)->pass_signals[0], 0);
	/* 21 is SIGPOLL, gdb's other name of what stops tell as SIGIO, 17. */
	ASK("QPassSignals:21", "OK");
	CHECK_EQUAL(tl_engine_settings(session.engine)->pass_signals[0], 0);
	ASK("QPassSignals:17", "OK");
	CHECK_EQUAL(tl_engine_settings(session.engine)->pass_signals[0], 1u << 29);
	ASK("QPassSignals:zz", "E.malformed packet");
	ASK("QProgramSignals:1;2", "OK");
	CHECK(tl_engine_settings(session.engine)->program_signals_known);
	ASK("QCatchSyscalls:1", "OK");
	CHECK(tl_engine_settings(session.engine)->catch_every_syscall);
	ASK("QCatchSyscalls:1;3;3e7", "OK");
	CHECK(!tl_engine_settings(session.engine)->catch_every_syscall);
	CHECK_EQUAL(tl_engine_settings(session.engine)->syscalls[0], 8);
	ASK("QCatchSyscalls:1;ffffffffff", "OK");
	ASK("QCatchSyscalls:0", "OK");
	CHECK(!tl_engine_settings(session.engine)->catch_syscalls);
	ASK("QCatchSyscalls:2", "E.malformed packet");
	ASK("QCatchSyscalls:1;x", "E.malformed packet");
	shut();
}

/* ---- Threads ---- */

TEST(thread_lists_longer_than_a_packet)
{
	unsigned seen = 0, packets = 1;
	const char *reply;

	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 999, .packet_size = 1024});
	(void)rsp_session_ask(&session, GDB);
	reply = rsp_session_ask(&session, "qfThreadInfo");
	while (reply[0] == 'm') {
		for (const char *at = reply; at != NULL; at = strchr(at + 1, ','))
			seen++;
		CHECK(strlen(reply) <= 1024);
		reply = rsp_session_ask(&session, "qsThreadInfo");
		packets++;
	}
	CHECK_TEXT(reply, "l");
	CHECK_EQUAL(seen, 1000);
	CHECK(packets > 5);
	shut();
}

TEST(thread_list_as_xml_in_pieces)
{
	static char xml[200000];
	size_t size = 0;
	char request[64];

	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 99});
	(void)rsp_session_ask(&session, GDB);
	for (;;) {
		snprintf(request, sizeof(request), "qXfer:threads:read::%zx,3ff", size);
		rsp_session_send(&session, request, strlen(request));
		REQUIRE(rsp_session_take(&session) && (session.packet[0] == 'm' || session.packet[0] == 'l'));
		memcpy(xml + size, session.packet + 1, session.packet_size);
		size += session.packet_size - 1;
		if (session.packet[0] == 'l')
			break;
	}
	begins(xml, "<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"p1.1\" core=\"0\"", __LINE__);
	CHECK(strstr(xml, "<thread id=\"p1.64\"") != NULL);
	CHECK(size > 11 && strcmp(xml + size - 11, "</threads>\n") == 0);
	ASK("qXfer:threads:read::fffff,10", "l");
	ASK("qXfer:threads:read::0,0", "m");
	ASK("qXfer:threads:read:0,10", "E.malformed packet");
	ASK("qXfer:threads:read::x,10", "E.malformed packet");
	ASK("qXfer:threads:write::0:", "");
	shut();
}

TEST(where_the_text_is)
{
	open_gdb(0);
	ASK("qOffsets", "");
	shut();
	rsp_session_open(&session, &(struct rsp_session_setup){.text = 0xffffffff93000000});
	ASK("qOffsets", "TextSeg=ffffffff93000000");
	/* lldb would add that to its addresses. */
	ASK("QThreadSuffixSupported", "OK");
	ASK("qOffsets", "");
	ASK_BEGINS("p10;thread:1;", "0010000000000000");
	shut();
	rsp_session_open(&session,
			 &(struct rsp_session_setup){.text = 0xffffffff93000000, .linked = 0xffffffff81000000});
	ASK("qOffsets", "TextSeg=ffffffff93000000");
	ASK("QThreadSuffixSupported", "OK");
	ASK("qOffsets", "Text=12000000;Data=12000000;Bss=12000000");
	shut();
}

TEST(which_thread)
{
	open_gdb(1);
	ASK("Hgp1.2", "OK");
	ASK("qC", "QCp1.2");
	ASK("Hgp0.0", "OK");
	ASK("qC", "QCp1.2");
	ASK("Hgp1.-1", "OK");
	ASK("qC", "QCp1.1");
	ASK("Hgp9.9", "E.no such thread");
	ASK("Hg", "E.malformed packet");
	ASK("Hgp1.1x", "E.malformed packet");
	ASK("Tp1.2", "OK");
	ASK("Tp1.3", "E.no such thread");
	ASK("T", "E.malformed packet");
	ASK("qAttached:1", "0");
	ASK("qAttached:7", "E.no such process");
	ASK_BEGINS("qThreadExtraInfo,p1.2", "");
	shut();
}

/* ---- Non-stop ---- */

TEST(non_stop)
{
	open_gdb(2);
	ASK("QNonStop:1", "OK");
	ASK_BEGINS("?", "T00thread:p1.1;");
	ASK_BEGINS("vStopped", "T00thread:p1.2;");
	ASK_BEGINS("vStopped", "T00thread:p1.3;");
	ASK("vStopped", "OK");
	ASK("vStopped", "OK");
	ASK("Z0,1012,1", "OK");
	ASK("vCont;c:p1.1", "OK");
	CHECK(rsp_session_wait(&session, 100));
	CHECK_EQUAL(session.lead, '%');
	CHECK(strncmp(session.packet, "Stop:T05swbreak:;thread:p1.1;", 29) == 0);
	/* While one notification is not dealt with there is no other. */
	ASK("vCont;c:p1.2;c:p1.3", "OK");
	rsp_session_turn(&session, 100);
	NOTHING();
	ASK_BEGINS("vStopped", "T05swbreak:;thread:p1.");
	ASK_BEGINS("vStopped", "T05swbreak:;thread:p1.");
	ASK("vStopped", "OK");
	/* The next begins again with a notification. */
	ASK("z0,1012,1", "OK");
	ASK("vCont;c:p1.-1", "OK");
	rsp_session_turn(&session, 20);
	NOTHING();
	ASK("Hgp1.2", "OK");
	ASK("g", "E.the thread is running: stop it first");
	ASK("vCont;t:p1.2", "OK");
	CHECK(rsp_session_wait(&session, 100));
	CHECK(strncmp(session.packet, "Stop:T00thread:p1.2;", 20) == 0);
	ASK("vStopped", "OK");
	ASK_BEGINS("g", "0");
	ASK("vCtrlC", "OK");
	CHECK(rsp_session_wait(&session, 100));
	CHECK(strncmp(session.packet, "Stop:T02thread:p1.", 18) == 0);
	ASK("vStopped", "OK");
	shut();
}

TEST(non_stop_from_the_beginning)
{
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 2});
	(void)rsp_session_ask(&session, GDB);
	ASK("QStartNoAckMode", "OK");
	ASK("QNonStop:1", "OK");
	/* gdb as it connects bears one stop; the others are told behind it. */
	ASK_BEGINS("?", "T00thread:p1.1;");
	ASK("vStopped", "OK");
	CHECK(rsp_session_wait(&session, 100));
	CHECK_EQUAL(session.lead, '%');
	CHECK(strncmp(session.packet, "Stop:T00thread:p1.2;", 20) == 0);
	ASK_BEGINS("vStopped", "T00thread:p1.3;");
	ASK("vStopped", "OK");
	rsp_session_turn(&session, 20);
	NOTHING();
	shut();
}

TEST(lists_go_on_behind_threads_that_have_ended)
{
	open_gdb(3);
	(void)rsp_session_ask(&session, GDB ";error-message+");
	ASK("QNonStop:1", "OK");
	ASK_BEGINS("?", "T00thread:p1.1;");
	ASK_BEGINS("vStopped", "T00thread:p1.2;");
	ASK("vCont;c:p1.2", "OK");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 2}, TL_SCRIPTED_EXIT_THREAD, 0, 0),
		    TL_OK);
	ASK_BEGINS("vStopped", "T00thread:p1.3;");
	ASK_BEGINS("vStopped", "T00thread:p1.4;");
	ASK("vStopped", "N");
	ASK("vStopped", "OK");
	shut();
	/* Lists that take several packets. */
	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 999, .packet_size = 1024});
	(void)rsp_session_ask(&session, GDB);
	ASK("QNonStop:1", "OK");
	ASK("vCont;c:p1.1", "OK");
	for (unsigned seen = 0, last = 0; seen < 1000; seen++) {
		const char *reply = rsp_session_ask(&session, seen == 0 ? "qfThreadInfo" : "qsThreadInfo"), *comma;
		char action[32];

		if (reply[0] == 'l') {
			CHECK_EQUAL(last, 1000);
			break;
		}
		comma = strrchr(reply, ',');
		REQUIRE(comma != NULL && sscanf(comma, ",p1.%x", &last) == 1);
		snprintf(action, sizeof(action), "vCont;c:p1.%x", last);
		ASK(action, "OK");
		CHECK_EQUAL(
			tl_scripted_do(session.scripted, (struct tl_thread_id){1, last}, TL_SCRIPTED_EXIT_THREAD, 0, 0),
			TL_OK);
	}
	shut();
}

TEST(leaving_non_stop)
{
	open_gdb(1);
	ASK("QNonStop:1", "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 10);
	ASK("QNonStop:0", "OK");
	ASK("?", "(none)");
	NEXT_BEGINS("T05thread:p1.1;");
	ASK_BEGINS("g", "0");
	ASK("vCont;s:p1.2", "(none)");
	NEXT_BEGINS("T05thread:p1.2;");
	shut();
}

TEST(detach_of_a_running_process_leaves_the_others_running)
{
	struct tl_scripted_process_info info;
	struct tl_scripted_thread_info thread;
	tl_u64 executed;

	open_gdb(0);
	ASK("!", "OK");
	ASK("QNonStop:1", "OK");
	ASK("Z0,1012,1;X3,220027", "OK");
	ASK("vCont;c", "OK");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("Stop:T05fork:p2.2;thread:p1.1;");
	ASK("vStopped", "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 10);
	ASK("D;2", "(none)");
	NEXT("OK");
	CHECK(tl_scripted_process(session.scripted, 2, &info) && info.alive && !info.traced && info.altered == 0);
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 1}, &thread));
	executed = thread.executed;
	rsp_session_turn(&session, 20);
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 1}, &thread) && thread.executed > executed);
	shut();
}

TEST(detach_of_a_running_process_takes_no_step_from_another)
{
	bool done = false, stopped = false;

	open_gdb(0);
	ASK("!", "OK");
	ASK("QNonStop:1", "OK");
	ASK("vCont;c", "OK");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("Stop:T05fork:p2.2;thread:p1.1;");
	ASK("vStopped", "OK");
	ASK("Hgp1.1", "OK");
	ASK("P10=0010000000000000", "OK");
	ASK("vCont;r1000,1012:p1.1;c:p2.-1", "OK");
	ASK("D;2", "(none)");
	for (int i = 0; i < 2; i++) {
		const char *packet = rsp_session_next(&session);

		done |= strcmp(packet, "OK") == 0;
		stopped |= strncmp(packet, "Stop:T05thread:p1.1;10:1210", 27) == 0;
	}
	CHECK(done && stopped);
	shut();
}

/* ---- Leaving ---- */

TEST(detach_with_commands_that_persist)
{
	struct tl_scripted_process_info info;
	struct tl_scripted_thread_info thread;

	/* printf("x") */
	const char *persistent = "Z0,1001,1;cmds:1,Xb,2200220034000002780027";

	open_gdb(0);
	ASK(persistent, "OK");
	ASK("Z0,1012,1", "OK");
	ASK("D;1", "OK");
	CHECK_EQUAL(session.done, 1);
	CHECK(tl_scripted_process(session.scripted, 1, &info) && info.traced && info.altered == 1);
	CHECK_EQUAL(tl_engine_next_unattended(session.engine, 0), 1);
	rsp_session_turn(&session, 50);
	CHECK(tl_scripted_thread(session.scripted, (struct tl_thread_id){1, 1}, &thread) && thread.executed > 20);
	shut();
	/* The client stays, and finds nothing more to do with it; in non-stop it ran. */
	open_gdb(0);
	ASK("!", "OK");
	ASK("QNonStop:1", "OK");
	ASK(persistent, "OK");
	ASK("vCont;c", "OK");
	rsp_session_turn(&session, 7);
	ASK("D;1", "(none)");
	NEXT("OK");
	CHECK_EQUAL(session.done, 0);
	ASK("qfThreadInfo", "l");
	ASK("Hgp1.1", "E.no such thread");
	ASK("D;1", "E.no such process");
	ASK("vCont;t", "E.no such process");
	rsp_session_turn(&session, 50);
	NOTHING();
	CHECK(tl_scripted_process(session.scripted, 1, &info) && info.traced);
	shut();
}

TEST(detach)
{
	struct tl_scripted_process_info info;

	open_gdb(0);
	ASK("Z0,1002,1", "OK");
	ASK("D;9", "E.no such process");
	ASK("D;x", "E.malformed packet");
	ASK("D;1", "OK");
	CHECK_EQUAL(session.done, 1);
	CHECK(tl_scripted_process(session.scripted, 1, &info) && info.alive && !info.traced && info.altered == 0);
	shut();
}

TEST(detach_in_the_extended_protocol_keeps_the_session)
{
	open_gdb(0);
	ASK("!", "OK");
	ASK("D;1", "OK");
	CHECK_EQUAL(session.done, 0);
	ASK("?", "W00");
	ASK("D", "E.no such process");
	ASK("vKill;1", "E.no such process");
	shut();
}

TEST(kill)
{
	struct tl_scripted_process_info info;

	open_gdb(0);
	ASK("vKill;x", "E.malformed packet");
	ASK("vKill;1", "OK");
	CHECK_EQUAL(session.done, 1);
	CHECK(!tl_scripted_process(session.scripted, 1, &info) || !info.alive);
	shut();
	open_plain();
	ASK("k", "(none)");
	CHECK_EQUAL(session.done, 1);
	CHECK(!tl_scripted_process(session.scripted, 1, &info) || !info.alive);
	shut();
	open_plain();
	tl_rsp_client_set(session.rsp, TL_RSP_CLIENT_LLDB, true);
	ASK("k", "X09");
	shut();
}

TEST(kill_of_everything_while_a_resume_is_under_way)
{
	open_gdb(1);
	ASK("!", "OK");
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 5);
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_FORK, 0, 0), TL_OK);
	NEXT_BEGINS("T05fork:p3.3;");
	ASK("vCont;c", "(none)");
	ASK("k", "(none)");
	CHECK_EQUAL(session.done, 0);
	rsp_session_turn(&session, 5);
	NOTHING();
	ASK("?", "W00");
	ASK("qfThreadInfo", "l");
	CHECK(tl_scripted_start(session.scripted, &session.process) == TL_OK);
	ASK_BEGINS("?", "T05thread:");
	ASK("vCont;c", "(none)");
	rsp_session_bytes(&session, "\x03", 1);
	NEXT_BEGINS("T02");
	shut();
}

TEST(no_process_at_all)
{
	rsp_session_open(&session, &(struct rsp_session_setup){.empty = true});
	(void)rsp_session_ask(&session, GDB);
	ASK("!", "OK");
	ASK("?", "W00");
	ASK("qfThreadInfo", "l");
	ASK("g", "E.no such process");
	ASK("m0,1", "E03");
	ASK("vCont;c", "E.no such process");
	ASK("qC", "E.no such thread");
	ASK("Hgp0.0", "OK");
	ASK("qXfer:features:read:target.xml:0,100", "E.no such process");
	ASK("k", "(none)");
	CHECK_EQUAL(session.done, 0);
	ASK("qC", "E.no such thread");
	shut();
}

TEST(a_parent_let_go_while_its_vforks_child_lives_keeps_no_point)
{
	struct tl_scripted_process_info info;

	open_gdb(0);
	ASK("Z0,1012,1", "OK");
	ASK("Z4,2000,4", "OK");
	ASK("vCont;c", "(none)");
	CHECK_EQUAL(tl_scripted_do(session.scripted, (struct tl_thread_id){1, 1}, TL_SCRIPTED_VFORK, 0, 0), TL_OK);
	NEXT_BEGINS("T05vfork:p2.2;thread:p1.1;");
	ASK("D;1", "OK");
	CHECK(tl_scripted_process(session.scripted, 1, &info) && !info.traced && info.points == 0 && info.altered == 0);
	ASK("Hgp2.2", "OK");
	ASK("z4,2000,4", "OK");
	ASK("z0,1012,1", "OK");
	ASK("D;2", "OK");
	CHECK(tl_scripted_process(session.scripted, 2, &info) && info.altered == 0);
	shut();
}

/* ---- Monitor ---- */

static const char *text_of(const char *hex)
{
	static char text[65536];
	size_t size = 0;

	for (; hex[0] != '\0' && hex[1] != '\0' && size + 1 < sizeof(text); hex += 2)
		text[size++] = (char)(tl_hex_digit((tl_u8)hex[0]) << 4 | tl_hex_digit((tl_u8)hex[1]));
	text[size] = '\0';
	return text;
}

static const char *monitor(const char *command)
{
	char packet[512] = "qRcmd,";

	for (size_t i = 0; command[i] != '\0'; i++)
		snprintf(packet + 6 + 2 * i, sizeof(packet) - 6 - 2 * i, "%02x", command[i]);
	return rsp_session_ask(&session, packet);
}

static enum tl_status run_echo(struct tl_rsp *rsp, void *context, const char *arguments, struct tl_writer *output)
{
	(void)rsp, (void)context;
	tl_write_text(output, arguments);
	return TL_OK;
}

TEST(monitor_commands)
{
	static const struct tl_rsp_command commands[] = {
		{"set echo", "TEXT  says it", run_echo}, {"quiet", "", run_echo}, {0}};

	rsp_session_open(&session, &(struct rsp_session_setup){.commands = commands, .threads = 1});
	CHECK(strncmp(text_of(monitor("help")), "The following monitor commands are supported:\n", 46) == 0);
	CHECK(strstr(text_of(session.packet), "set echo TEXT  says it\n") != NULL);
	CHECK_TEXT(text_of(monitor("set echo  hello world")), "hello world");
	CHECK_TEXT(monitor("quiet"), "OK");
	CHECK(strstr(text_of(monitor("threads")), "2 threads\n") != NULL);
	ASK("Z0,1002,1", "OK");
	CHECK(strstr(text_of(monitor("points")), "breakpoint 0x1002 size 1 process 1: hits 0") != NULL);
	CHECK(strstr(text_of(monitor("counters")), "resumes: 0\n") != NULL);
	/* As gdbserver: the text, then an error. */
	CHECK_EQUAL(monitor("nonsense")[0], 'O');
	CHECK(strncmp(text_of(session.packet + 1), "Unknown monitor command.\n", 25) == 0);
	CHECK(rsp_session_take(&session));
	CHECK_TEXT(session.packet, "E5f");
	CHECK_EQUAL(monitor("helpless")[0], 'O');
	CHECK(rsp_session_take(&session));
	CHECK_EQUAL(monitor("")[0], 'O');
	CHECK(rsp_session_take(&session));
	ASK("qRcmd,6", "E16");
	ASK("qRcmd,zz", "E16");
	ASK("qRcmd", "E16");
	shut();
}

TEST(monitor_output_longer_than_a_packet)
{
	static char text[100000];
	const char *packet = NULL;

	rsp_session_open(&session, &(struct rsp_session_setup){.threads = 499, .packet_size = 1024});
	packet = monitor("threads");
	while (packet[0] == 'O' && packet[1] != 'K') {
		strcat(text, text_of(packet + 1));
		REQUIRE(rsp_session_take(&session));
		packet = session.packet;
	}
	CHECK_TEXT(packet, "OK");
	CHECK(strstr(text, "500 threads\n") != NULL);
	shut();
}

/* ---- Objects ---- */

TEST(the_target_description)
{
	open_gdb(0);
	ASK_BEGINS("qXfer:features:read:target.xml:0,15", "m<?xml version=\"1.0\"?>");
	ASK_BEGINS("qXfer:features:read:other.xml:0,15", "E.the target description has no part but target.xml");
	ASK_BEGINS("qXfer:features:read:target.xml", "E.");
	ASK_BEGINS("qXfer:exec-file:read:1:0,100", "l/scripted");
	ASK_BEGINS("qXfer:exec-file:read:9:0,100", "E.no such process");
	ASK_BEGINS("qXfer:exec-file:read:1:0,4", "m/scr");
	shut();
}

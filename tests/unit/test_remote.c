/* The remote target against stubs that a test makes up: honest, poor, slow, and hostile ones. */
#include "core/cpu/arm64_layout.h"
#include "targets/remote/layout.h"
#include "targets/remote/stop_reply.h"
#include "targets/remote/xml.h"
#include "tests/unit/remote_stub.h"
#include "tests/unit/test.h"

#include <time.h>

/* ---- Texts ---- */

static struct stop_reply read_reply(const char *text)
{
	return tl_remote_stop_read((const tl_u8 *)text, strlen(text));
}

TEST(stop_replies_say_why)
{
	struct stop_reply reply = read_reply("T05thread:p1.2f;swbreak:;06:1000;0a:ff;core:1;");
	struct tl_cursor digits;
	tl_u64 number = 0;

	CHECK(reply.kind == STOP_SIGNAL && reply.reason == REASON_SOFTWARE && reply.signal == 5);
	CHECK(reply.has_thread && reply.thread.process == 1 && reply.thread.thread == 0x2f);
	CHECK(tl_remote_stop_register(&reply.pairs, &number, &digits) && number == 6 && tl_cursor_left(&digits) == 4);
	CHECK(tl_remote_stop_register(&reply.pairs, &number, &digits) && number == 10);
	CHECK(!tl_remote_stop_register(&reply.pairs, &number, &digits));

	reply = read_reply("T0bthread:5;");
	CHECK(reply.signal == 11 && reply.thread.process == 0 && reply.thread.thread == 5);
	reply = read_reply("T1ethread:5;"); /* SIGUSR1 is 30 for GDB and 10 for Linux */
	CHECK_EQUAL(reply.signal, 10);
	reply = read_reply("T05awatch:1234;rwatch:8;");
	CHECK(reply.reason == REASON_WATCH && reply.address_count == 2 && reply.addresses[0] == 0x1234 &&
	      reply.watch[0] == TL_POINT_ACCESS && reply.watch[1] == TL_POINT_READ);
	reply = read_reply("T05fork:p7.8;thread:p1.1;");
	CHECK(reply.reason == REASON_FORK && reply.child.process == 7 && reply.child.thread == 8);
	reply = read_reply("T05syscall_return:2a;thread:p1.1;");
	CHECK(reply.reason == REASON_SYSCALL_RETURN && reply.number == 0x2a);
}

TEST(ends_and_other_replies)
{
	struct stop_reply reply = read_reply("W2a;process:10");

	CHECK(reply.kind == STOP_EXITED && reply.code == 0x2a && reply.thread.process == 16);
	reply = read_reply("X09");
	CHECK(reply.kind == STOP_KILLED && reply.signal == 9 && !reply.has_thread);
	reply = read_reply("w00;p1.3");
	CHECK(reply.kind == STOP_THREAD_EXITED && reply.thread.thread == 3);
	CHECK(read_reply("N").kind == STOP_NO_RESUMED);
	CHECK(read_reply("O6869").kind == STOP_OUTPUT);
	CHECK(read_reply("OK").kind == STOP_NOT);
	CHECK(read_reply("S11").kind == STOP_SIGNAL && read_reply("S11").signal == 19);
}

TEST(damaged_stop_replies_are_none)
{
	static const char *const damaged[] = {"", "T", "T0", "Tzz", "W", "Wq", "X", "S-1", "w", "E01", "Q"};

	for (size_t i = 0; i < TL_COUNT(damaged); i++)
		CHECK(read_reply(damaged[i]).kind == STOP_NOT);
	/* What follows a good beginning may be anything. */
	CHECK(read_reply("T05thread:p;;;:::").kind == STOP_SIGNAL);
	CHECK(!read_reply("T05thread:px.1;").has_thread);
	CHECK(!read_reply("T05watch:;").address_count);
}

TEST(xml_elements_and_attributes)
{
	struct tl_cursor text =
		tl_cursor_text("<?xml version='1.0'?><!DOCTYPE a [<!ELEMENT b (c)>]><!-- <x/> --><a b=\"1 &lt; 2\" "
			       "c='>'>text<b n=\"0x10\"/></a>");
	struct xml_element element;
	char value[16];
	tl_u64 number = 0;

	REQUIRE(tl_remote_xml_next(&text, &element));
	CHECK(tl_cursor_equals(&element.name, "a") && tl_cursor_equals(&element.text, "text"));
	CHECK(tl_remote_xml_attribute(&element, "b", value, sizeof(value)));
	CHECK_TEXT(value, "1 < 2");
	CHECK(tl_remote_xml_attribute(&element, "c", value, sizeof(value)));
	CHECK_TEXT(value, ">");
	CHECK(!tl_remote_xml_attribute(&element, "d", value, sizeof(value)));
	REQUIRE(tl_remote_xml_next(&text, &element));
	CHECK(element.empty && tl_remote_xml_number(&element, "n", &number) && number == 16);
	REQUIRE(tl_remote_xml_next(&text, &element));
	CHECK(element.closing && tl_cursor_equals(&element.name, "a"));
	CHECK(!tl_remote_xml_next(&text, &element) && !text.failed);
	text = tl_cursor_text("<a b='");
	CHECK(!tl_remote_xml_next(&text, &element) && text.failed);
}

/* ---- Descriptions ---- */

struct file {
	const char *name, *text;
};

static enum tl_status read_file(void *context, const char *name, tl_u8 **bytes_ret, tl_size *size_ret)
{
	for (const struct file *file = context; file->name != NULL; file++) {
		if (strcmp(file->name, name) == 0) {
			*bytes_ret = (tl_u8 *)strdup(file->text);
			*size_ret = strlen(file->text);
			return TL_OK;
		}
	}
	return TL_ERROR_UNSUPPORTED;
}

static enum tl_status read_layout(const struct file *files, struct remote_layout *layout_ret, struct tl_error *error)
{
	struct remote_files reader = {read_file, (void *)(tl_uintptr)files};

	return tl_remote_layout_read(&reader, layout_ret, error);
}

TEST(a_description_with_registers_of_its_own)
{
	static const struct file files[] = {
		{"target.xml",
		 "<target><architecture>i386:x86-64</architecture><xi:include href=\"core.xml\"/></target>"},
		{"core.xml",
		 "<feature name=\"x\"><reg name=\"rsp\" bitsize=\"64\"/><reg name=\"own\" bitsize=\"24\"/>"
		 "<reg name=\"rip\" bitsize=\"64\" regnum=\"40\"/><reg name=\"eflags\" bitsize=\"32\"/></feature>"},
		{0}};
	struct remote_layout layout;
	struct tl_error error;

	REQUIRE(read_layout(files, &layout, &error) == TL_OK);
	CHECK(layout.cpu == &tl_cpu_x86_64 && layout.count == 4);
	CHECK_EQUAL(layout.g_size, 8 + 3 + 8 + 4);
	CHECK_EQUAL(tl_remote_layout_number(&layout, 40)->offset, 11);
	CHECK_EQUAL(tl_remote_layout_number(&layout, 40)->index, tl_cpu_x86_64.program_counter);
	CHECK_EQUAL(tl_remote_layout_number(&layout, 1)->index, -1);
	CHECK(tl_remote_layout_number(&layout, 2) == NULL);
	tl_remote_layout_free(&layout);
}

TEST(the_first_scalable_vector_tells_their_length)
{
	static const struct file files[] = {
		{"target.xml", "<target><architecture>aarch64</architecture><reg name='sp' bitsize='64' regnum='31'/>"
			       "<reg name='pc' bitsize='64'/><reg name='z0' bitsize='512' regnum='34'/></target>"},
		{0}};
	struct remote_layout layout;
	struct tl_error error;

	REQUIRE(read_layout(files, &layout, &error) == TL_OK);
	CHECK(layout.cpu == tl_arm64_with_vectors(64));
	tl_remote_layout_free(&layout);
}

TEST(descriptions_that_cannot_be_used)
{
	static const struct file sparc[] = {{"target.xml", "<target><architecture>sparc</architecture></target>"}, {0}};
	static const struct file no_pc[] = {
		{"target.xml", "<target><architecture>i386</architecture><reg name=\"eax\" bitsize=\"32\"/></target>"},
		{0}};
	static const struct file itself[] = {{"target.xml", "<xi:include href='target.xml'/>"}, {0}};
	static const struct file cut[] = {{"target.xml", "<target><architecture>i386</architecture><reg name='"}, {0}};
	static const struct file absurd[] = {
		{"target.xml", "<architecture>i386</architecture><reg name='eax' bitsize='99999999'/>"}, {0}};
	static const struct file none[] = {{0}};
	struct remote_layout layout;
	struct tl_error error;

	CHECK(read_layout(sparc, &layout, &error) == TL_ERROR_UNSUPPORTED && strstr(error.text, "sparc") != NULL);
	CHECK(read_layout(no_pc, &layout, &error) == TL_ERROR_UNSUPPORTED);
	CHECK(read_layout(itself, &layout, &error) == TL_ERROR_TOO_LONG);
	CHECK(read_layout(cut, &layout, &error) == TL_ERROR_MALFORMED);
	CHECK(read_layout(absurd, &layout, &error) == TL_ERROR_MALFORMED);
	CHECK(read_layout(none, &layout, &error) == TL_ERROR_UNSUPPORTED);
}

/* ---- A session ---- */

struct session {
	struct stub stub;
	struct tl_loop *loop;
	struct tl_target *target;
	struct tl_engine *engine;
	struct tl_error error;
	enum tl_status status;
	char lost[320];
	int lost_count;
	char output[320]; /* what the stub said to its user */
};

static void on_lost(void *context, const char *sentence)
{
	struct session *session = context;

	session->lost_count++;
	(void)snprintf(session->lost, sizeof(session->lost), "%s", sentence);
}

static void on_output(void *context, const char *text, tl_size size)
{
	struct session *session = context;
	size_t have = strlen(session->output);

	(void)snprintf(session->output + have, sizeof(session->output) - have, "%.*s", (int)size, text);
}

static tl_u64 storage_fails; /* the n-th allocation of the next session's target; 0: none */

static void begin(struct session *session, stub_answer *answer, tl_u64 patience)
{
	struct tl_remote_options options = {
		.patience = patience, .lost = on_lost, .output = on_output, .context = session};
	struct tl_engine_host host = {.allocator = *tl_storage()};

	memset(session, 0, sizeof(*session));
	stub_start(&session->stub, answer);
	if (tl_loop_create(&session->loop, NULL) != TL_OK)
		abort();
	tl_storage_fail(storage_fails);
	session->status = tl_remote_target_create_over(session->loop, session->stub.client, &options, &session->target,
						       &session->error);
	if (session->status != TL_OK)
		return;
	session->engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	tl_engine_init(session->engine, session->target, &host);
	session->status = tl_remote_target_populate(session->target, &session->error);
}

static void end(struct session *session)
{
	if (session->engine != NULL)
		tl_engine_deinit(session->engine);
	tl_remote_target_destroy(session->target);
	stub_end(&session->stub);
	tl_loop_destroy(session->loop);
	free(session->engine);
}

static tl_u64 now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (tl_u64)time.tv_sec * 1000 + (tl_u64)time.tv_nsec / 1000000;
}

/* Turns the loop until a report comes; false when none does in five seconds. */
static bool await_report(struct session *session, struct tl_report *report_ret)
{
	tl_u64 deadline = now() + 5000;

	while (!tl_engine_take_report(session->engine, report_ret)) {
		if (now() >= deadline || tl_loop_turn(session->loop, 50, NULL) != TL_OK)
			return false;
	}
	return true;
}

static enum tl_status resume(struct session *session, enum tl_action_kind kind)
{
	struct tl_action action = {.filter = {TL_ANY, TL_ANY}, .kind = kind};

	return tl_engine_resume(session->engine, &action, 1);
}

static tl_u64 program_counter(struct session *session, struct tl_thread_id id)
{
	tl_u8 *file;

	if (tl_engine_registers(session->engine, id, 1, &file) != TL_OK)
		return 0;
	return tl_cpu_get(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter);
}

/* ---- A poor stub: nothing but ? g G m M c s, one thread, no names, and programs of one-byte instructions ---- */

#define POOR_G 164
#define POOR_PC 128 /* of rip in g */
#define POOR_BASE 0x1000

static tl_u8 poor_memory[256], poor_g[POOR_G];

static tl_u64 poor_pc(void)
{
	return tl_load_little(poor_g + POOR_PC, 8);
}

static void poor_hex(struct stub *stub, const tl_u8 *bytes, size_t size)
{
	char text[2 * POOR_G + 1];

	for (size_t i = 0; i < size; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * size] = '\0';
	stub_reply(stub, text);
}

static void poor_memory_packet(struct stub *stub, const char *packet)
{
	unsigned long address = 0, size = 0;
	const char *data = strchr(packet, ':');
	struct tl_cursor digits = tl_cursor_text(data != NULL ? data + 1 : "");

	(void)sscanf(packet + 1, "%lx,%lx", &address, &size);
	if (address < POOR_BASE || address + size > POOR_BASE + sizeof(poor_memory) || size > POOR_G) {
		stub_reply(stub, "E01");
	} else if (packet[0] == 'm') {
		poor_hex(stub, poor_memory + (address - POOR_BASE), size);
	} else {
		tl_cursor_hex_bytes(&digits, poor_memory + (address - POOR_BASE), size);
		stub_reply(stub, "OK");
	}
}

/* Runs to a trap, behind which it then stands as an x86 does, or until it is interrupted. */
static void poor_run(struct stub *stub)
{
	for (tl_u64 at = poor_pc(); at - POOR_BASE < sizeof(poor_memory); at++) {
		if (poor_memory[at - POOR_BASE] == 0xcc) {
			tl_store_little(poor_g + POOR_PC, at + 1, 8);
			stub_reply(stub, "S05");
			return;
		}
	}
	tl_store_little(poor_g + POOR_PC, POOR_BASE + 0x80, 8);
}

static void poor(struct stub *stub, const char *packet)
{
	struct tl_cursor digits;

	switch (packet[0]) {
	case '?':
		stub_reply(stub, "S05");
		break;
	case 'g':
		poor_hex(stub, poor_g, sizeof(poor_g));
		break;
	case 'G':
		digits = tl_cursor_text(packet + 1);
		tl_cursor_hex_bytes(&digits, poor_g, sizeof(poor_g));
		stub_reply(stub, "OK");
		break;
	case 'm':
	case 'M':
		poor_memory_packet(stub, packet);
		break;
	case 's':
		tl_store_little(poor_g + POOR_PC, poor_pc() + 1, 8);
		stub_reply(stub, "S05");
		break;
	case 'c':
		poor_run(stub);
		break;
	case '\3':
		stub_reply(stub, "S02");
		break;
	case 'k':
		break;
	default:
		stub_reply(stub, "");
		break;
	}
}

static void begin_poor(struct session *session)
{
	memset(poor_memory, 0x90, sizeof(poor_memory));
	memset(poor_g, 0, sizeof(poor_g));
	tl_store_little(poor_g + POOR_PC, POOR_BASE, 8);
	begin(session, poor, 5000);
}

TEST(a_poor_stub_runs_steps_and_hits_points)
{
	const struct tl_thread_id id = {1, 1};
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = POOR_BASE + 5, .size = 1};
	struct session session;
	struct tl_report report;

	begin_poor(&session);
	REQUIRE(session.status == TL_OK);
	CHECK((tl_target_capabilities(session.target) & TL_CAN_PLANT) != 0);
	CHECK((tl_target_capabilities(session.target) & TL_CAN_RUN_SOME) == 0);
	CHECK_EQUAL(program_counter(&session, id), POOR_BASE);
	REQUIRE(resume(&session, TL_ACTION_STEP) == TL_OK && await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_STEPPED);
	CHECK_EQUAL(program_counter(&session, id), POOR_BASE + 1);

	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_TRAP && report.event.address == POOR_BASE + 5);
	CHECK_EQUAL(program_counter(&session, id), POOR_BASE + 5);

	/* Nothing is left but to go round and round, until somebody interrupts. */
	REQUIRE(tl_engine_remove_point(session.engine, 1, TL_POINT_SOFTWARE, POOR_BASE + 5, 1) == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_SIGNAL && report.event.signal == 2 && report.asked);
	CHECK_EQUAL(poor_memory[5], 0x90);
	end(&session);
}

/* ---- A poor stub with a past, which says as little as QEMU's does ---- */

static tl_u64 retracing_point; /* 0: none */

static void retracing(struct stub *stub, const char *packet)
{
	unsigned long address = 0;

	if (strncmp(packet, "qSupported", 10) == 0) {
		stub_reply(stub, "PacketSize=1000;ReverseStep+;ReverseContinue+");
	} else if ((packet[0] == 'Z' || packet[0] == 'z') && packet[1] == '0') {
		(void)sscanf(packet + 3, "%lx", &address);
		retracing_point = packet[0] == 'Z' ? address : 0;
		stub_reply(stub, "OK");
	} else if (strcmp(packet, "bs") == 0 && poor_pc() == POOR_BASE) {
		stub_reply(stub, "E14");
	} else if (strcmp(packet, "bs") == 0) {
		tl_store_little(poor_g + POOR_PC, poor_pc() - 1, 8);
		stub_reply(stub, "S05");
	} else if (strcmp(packet, "bc") == 0) {
		tl_store_little(poor_g + POOR_PC,
				retracing_point != 0 && retracing_point < poor_pc() ? retracing_point : POOR_BASE, 8);
		stub_reply(stub, "S05");
	} else {
		poor(stub, packet);
	}
}

/* Goes back, and looks what for and where it stands then. */
static void go_back(struct session *session, enum tl_action_kind kind, enum tl_event_kind wanted, tl_u64 address)
{
	const struct tl_thread_id id = {1, 1};
	struct tl_report report;

	REQUIRE(resume(session, kind) == TL_OK && await_report(session, &report));
	CHECK_EQUAL(report.event.kind, wanted);
	CHECK_EQUAL(program_counter(session, id), address);
	if (wanted == TL_EVENT_HISTORY_END)
		CHECK(report.event.code != 0);
}

TEST(a_stub_with_a_past_goes_back)
{
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = POOR_BASE + 5, .size = 1};
	struct session session;

	retracing_point = 0;
	memset(poor_memory, 0x90, sizeof(poor_memory));
	memset(poor_g, 0, sizeof(poor_g));
	tl_store_little(poor_g + POOR_PC, POOR_BASE + 8, 8);
	begin(&session, retracing, 5000);
	REQUIRE(session.status == TL_OK);
	CHECK((tl_target_capabilities(session.target) & TL_CAN_REVERSE) != 0);
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	go_back(&session, TL_ACTION_STEP_BACK, TL_EVENT_STEPPED, POOR_BASE + 7);
	go_back(&session, TL_ACTION_CONTINUE_BACK, TL_EVENT_TRAP, POOR_BASE + 5);
	/* What it stands on lies ahead: it is neither hit again nor stepped over. */
	go_back(&session, TL_ACTION_STEP_BACK, TL_EVENT_STEPPED, POOR_BASE + 4);
	go_back(&session, TL_ACTION_CONTINUE_BACK, TL_EVENT_HISTORY_END, POOR_BASE);
	go_back(&session, TL_ACTION_STEP_BACK, TL_EVENT_HISTORY_END, POOR_BASE);
	CHECK(!stub_saw(&session.stub, "s"));
	end(&session);
}

TEST(registers_go_out_whole_where_single_ones_cannot)
{
	const struct tl_thread_id id = {1, 1};
	struct session session;
	tl_u8 *file;

	begin_poor(&session);
	REQUIRE(session.status == TL_OK);
	REQUIRE(tl_engine_registers(session.engine, id, 1, &file) == TL_OK);
	tl_cpu_set(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter, 0x1040);
	CHECK(tl_engine_registers_changed(session.engine, id, 1) == TL_OK);
	CHECK(tl_engine_flush_registers(session.engine, id) == TL_OK);
	CHECK_EQUAL(poor_pc(), 0x1040);
	end(&session);
}

TEST(memory_of_a_running_stub_is_read_in_a_pause)
{
	struct session session;
	struct tl_report report;
	tl_u8 byte = 0;
	tl_size done = 0;

	begin_poor(&session);
	REQUIRE(session.status == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	CHECK(tl_engine_read_memory(session.engine, 1, POOR_BASE + 3, &byte, 1, &done) == TL_OK && done == 1);
	CHECK_EQUAL(byte, 0x90);
	/* It goes on by itself, and nobody is told. */
	REQUIRE(tl_loop_turn(session.loop, 100, NULL) == TL_OK);
	CHECK(!tl_engine_take_report(session.engine, &report));
	CHECK(tl_engine_running(session.engine));
	tl_engine_interrupt(session.engine);
	CHECK(await_report(&session, &report));
	end(&session);
}

/* ---- A stub with threads, that says much and keeps a log ---- */

static const char rich_features[] =
	"l<target><architecture>i386:x86-64</architecture><feature name='f'><reg name='rax' bitsize='64'/>"
	"<reg name='rsp' bitsize='64'/><reg name='rip' bitsize='64'/><reg name='eflags' "
	"bitsize='32'/></feature></target>";

/* Everything but what is specific to a test; false: not known here. */
static bool rich_common(struct stub *stub, const char *packet)
{
	static const struct {
		const char *prefix, *reply;
	} answers[] = {
		{"qSupported", "PacketSize=1000;QStartNoAckMode+;multiprocess+;swbreak+;hwbreak+;qXfer:features:read+;"
			       "fork-events+;exec-events+"},
		{"QStartNoAckMode", "OK"},
		{"?", "T05thread:p1.1;"},
		{"vCont?", "vCont;c;C;s;S"},
		{"Hg", "OK"},
		{"qC", "QCp1.1"},
		{"qXfer:features:read:target.xml", rich_features},
		{"qsThreadInfo", "l"},
		{"qAttached", "1"},
		{"Z0", "OK"},
		{"z0", "OK"},
		{"Z1", "OK"},
		{"z1", "OK"},
		{"D", "OK"},
		{"m", "90909090909090909090909090909090"},
	};

	for (size_t i = 0; i < TL_COUNT(answers); i++) {
		if (strncmp(packet, answers[i].prefix, strlen(answers[i].prefix)) == 0) {
			stub_reply(stub, answers[i].reply);
			return true;
		}
	}
	if (strcmp(packet, "g") == 0) {
		stub_reply(stub, "0100000000000000"
				 "0020000000000000"
				 "0010000000000000"
				 "02020000");
		return true;
	}
	return false;
}

static void two_threads(struct stub *stub, const char *packet)
{
	if (strcmp(packet, "qfThreadInfo") == 0)
		stub_reply(stub, "mp1.1,p1.2");
	else if (strcmp(packet, "\3") == 0)
		stub_reply(stub, "T02thread:p1.1;");
	else if (strncmp(packet, "vCont;", 6) != 0 && !rich_common(stub, packet))
		stub_reply(stub, "");
}

/* ---- A kernel that is not where it was linked to ---- */

static const char *offsets_answer;

static void moved(struct stub *stub, const char *packet)
{
	stub->count += strcmp(packet, "qOffsets") == 0;
	if (strcmp(packet, "qOffsets") == 0)
		stub_reply(stub, offsets_answer);
	else
		two_threads(stub, packet);
}

/* What is read as the address of the text is `wanted`; 0: nothing. */
static void look_for_text(const char *answer, tl_u64 wanted, int questions)
{
	struct session session;
	tl_u8 address[8] = {0};

	offsets_answer = answer;
	begin(&session, moved, 5000);
	REQUIRE(session.status == TL_OK);
	for (int i = 0; i < 2; i++) {
		tl_size done = 0;
		enum tl_status status =
			session.target->ops->read_object(session.target, (struct tl_thread_id){1, 1},
							 TL_OBJECT_TEXT_ADDRESS, 0, address, sizeof(address), &done);

		CHECK_EQUAL(status, wanted != 0 ? TL_OK : TL_ERROR_UNSUPPORTED);
		CHECK_EQUAL(done, wanted != 0 ? sizeof(address) : 0);
	}
	CHECK_EQUAL(tl_load_little(address, sizeof(address)), wanted);
	CHECK_EQUAL(session.stub.count, questions);
	end(&session);
}

TEST(a_stub_says_where_the_text_is)
{
	look_for_text("TextSeg=ffffffff93000000", 0xffffffff93000000, 2);
	look_for_text("TextSeg=1000;DataSeg=2000", 0x1000, 2);
	look_for_text("", 0, 1);
	/* Distances of a program's sections, a mistake, and nonsense. */
	look_for_text("Text=1000;Data=1000;Bss=1000", 0, 2);
	look_for_text("E01", 0, 2);
	look_for_text("TextSeg=", 0, 2);
	look_for_text("TextSeg=zz", 0, 2);
}

/* ---- A machine's stub, whose threads are processors ---- */

static void bare(struct stub *stub, const char *packet)
{
	static const char features[] =
		"l<target><architecture>i386:x86-64</architecture><osabi>none</osabi><feature name='f'>"
		"<reg name='rsp' bitsize='64'/><reg name='rip' bitsize='64'/><reg name='eflags' bitsize='32'/>"
		"<reg name='fs_base' bitsize='64'/></feature></target>";

	if (strncmp(packet, "qXfer:features:read:", 20) == 0)
		stub_reply(stub, features);
	else
		two_threads(stub, packet);
}

TEST(a_machine_has_no_thread_pointers)
{
	const struct tl_thread_id id = {1, 1};
	struct tl_process_facts facts;
	struct session session;
	tl_size done = 0;
	tl_u8 pointer[8];

	begin(&session, bare, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(session.target->ops->describe(session.target, 1, &facts) == TL_OK);
	CHECK_TEXT(facts.os_abi, "none");
	CHECK_EQUAL(session.target->ops->read_object(session.target, id, TL_OBJECT_THREAD_POINTER, 0, pointer,
						     sizeof(pointer), &done),
		    TL_ERROR_UNSUPPORTED);
	end(&session);
}

TEST(threads_go_with_one_packet)
{
	const struct tl_action step_one[] = {{.filter = {1, 2}, .kind = TL_ACTION_STEP, .signal = 10},
					     {.filter = {TL_ANY, TL_ANY}, .kind = TL_ACTION_CONTINUE}};
	const struct tl_action only_one = {.filter = {1, 2}, .kind = TL_ACTION_CONTINUE};
	struct session session;
	struct tl_report report;

	begin(&session, two_threads, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(tl_engine_resume(session.engine, step_one, 2) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(stub_saw(&session.stub, "vCont;S1e:p1.2;c"));
	REQUIRE(tl_engine_resume(session.engine, &only_one, 1) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(stub_saw(&session.stub, "vCont;c:p1.2"));
	end(&session);
}

/* One thread more once its monitor was told so, which cannot be stepped. */
static void with_a_bystander(struct stub *stub, const char *packet)
{
	if (strncmp(packet, "qRcmd,", 6) == 0)
		stub->count = 1;
	if (strncmp(packet, "qRcmd,", 6) == 0)
		stub_reply(stub, "OK");
	else if (strcmp(packet, "qfThreadInfo") == 0 && stub->count != 0)
		stub_reply(stub, "mp1.1,p1.2,p1.3");
	else if (strncmp(packet, "vCont;s:p1.3", 12) == 0)
		stub_reply(stub, "E.this one sleeps");
	else
		two_threads(stub, packet);
}

TEST(a_monitor_command_may_change_the_list)
{
	struct tl_writer nothing = tl_writer_make(NULL, 0);
	struct tl_thread_info info;
	struct session session;

	begin(&session, with_a_bystander, 5000);
	REQUIRE(session.status == TL_OK);
	CHECK(!tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 3}, &info));
	CHECK_EQUAL(session.target->ops->monitor(session.target, "more", &nothing), TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	CHECK(tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 3}, &info) && info.stopped);
	end(&session);
}

TEST(a_stub_that_does_not_run_says_why)
{
	const struct tl_action step[] = {{.filter = {1, 3}, .kind = TL_ACTION_STEP},
					 {.filter = {TL_ANY, TL_ANY}, .kind = TL_ACTION_CONTINUE}};
	struct tl_writer nothing = tl_writer_make(NULL, 0);
	struct session session;
	struct tl_report report;

	begin(&session, with_a_bystander, 5000);
	REQUIRE(session.status == TL_OK);
	CHECK_EQUAL(session.target->ops->monitor(session.target, "more", &nothing), TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	REQUIRE(tl_engine_resume(session.engine, step, 2) == TL_OK);
	REQUIRE(await_report(&session, &report));
	CHECK_EQUAL(report.condition_error, TL_ERROR_STATE);
	CHECK_EQUAL(report.event.thread.thread, 3);
	CHECK_TEXT(session.output, "this one sleeps\n");
	/* Nobody else has anything to tell of it: everything runs when it is to. */
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK_EQUAL(report.condition_error, TL_OK);
	CHECK(stub_saw(&session.stub, "vCont;c"));
	end(&session);
}

/* Decides by itself whether a breakpoint stops. */
static void deciding(struct stub *stub, const char *packet)
{
	if (strncmp(packet, "qSupported", 10) == 0)
		stub_reply(stub, "multiprocess+;vContSupported+;swbreak+;ConditionalBreakpoints+");
	else if (packet[0] == 'Z' || packet[0] == 'z')
		stub_reply(stub, "OK");
	else
		two_threads(stub, packet);
}

TEST(conditions_go_to_a_stub_that_decides)
{
	static const tl_u8 never[] = {0x22, 0, 0x27}, always[] = {0x22, 1, 0x27};
	static const tl_u8 round[] = {0x21, 0, 0, 0x27};
	const struct tl_agent_code endless = {.bytes = round, .size = 4};
	const struct tl_agent_code codes[] = {{.bytes = never, .size = 3}, {.bytes = always, .size = 3}};
	struct tl_point_request point = {
		.kind = TL_POINT_SOFTWARE, .address = 0x1234, .size = 1, .conditions = {.items = codes, .count = 2}};
	struct session session;

	begin(&session, deciding, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	CHECK(stub_saw(&session.stub, "Z0,1234,1;X3,220027X3,220127"));
	CHECK(!stub_saw(&session.stub, "Z0,1234,1"));
	point.conditions.count = 1;
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	CHECK(stub_saw(&session.stub, "Z0,1234,1;X3,220027"));
	point.conditions.count = 0;
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	CHECK(stub_saw(&session.stub, "Z0,1234,1"));
	REQUIRE(tl_engine_remove_point(session.engine, 1, TL_POINT_SOFTWARE, 0x1234, 1) == TL_OK);
	CHECK(stub_saw(&session.stub, "z0,1234,1"));
	/* Not every stub has a limit for what goes round. */
	point.address = 0x2345;
	point.conditions = (struct tl_bytecode_list){.items = &endless, .count = 1};
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	CHECK(stub_saw(&session.stub, "Z0,2345,1"));
	end(&session);
}

TEST(conditions_stay_here_where_a_stub_cannot_decide)
{
	static const tl_u8 never[] = {0x22, 0, 0x27};
	const struct tl_agent_code code = {.bytes = never, .size = 3};
	struct tl_point_request point = {
		.kind = TL_POINT_SOFTWARE, .address = 0x1234, .size = 1, .conditions = {.items = &code, .count = 1}};
	struct session session;

	begin(&session, two_threads, 5000);
	REQUIRE(session.status == TL_OK);
	(void)tl_engine_insert_point(session.engine, 1, &point);
	CHECK(!stub_saw(&session.stub, "Z0,1234,1;X3,220027"));
	end(&session);
}

/* Stops for a signal of its own just as it is interrupted, and keeps the ^C for the next time, as gdbserver does. */
static void crossing(struct stub *stub, const char *packet)
{
	if (strcmp(packet, "\3") == 0)
		stub_reply(stub, stub->count++ == 0 ? "T0ethread:p1.2;" : "T02thread:p1.1;");
	else if (strncmp(packet, "vCont;", 6) == 0 && stub->count == 1 && stub->count++)
		stub_reply(stub, "T02thread:p1.1;");
	else if (strncmp(packet, "vCont;", 6) != 0)
		two_threads(stub, packet);
}

TEST(an_interrupt_that_comes_too_late_is_swallowed)
{
	struct session session;
	struct tl_report report;

	begin(&session, crossing, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_SIGNAL && report.event.signal == 14 && report.event.thread.thread == 2);
	/* The ^C comes now, and is nothing that happened to the program: it runs on. */
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	for (int i = 0; i < 5; i++)
		REQUIRE(tl_loop_turn(session.loop, 20, NULL) == TL_OK);
	CHECK(!tl_engine_take_report(session.engine, &report));
	CHECK_EQUAL(session.stub.count, 2);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(report.asked);
	end(&session);
}

/* A thread is born, and the next time one is gone. */
static void changing(struct stub *stub, const char *packet)
{
	static const char *const lists[] = {"mp1.1", "mp1.1,p1.2,p1.3", "mp1.1,p1.3"};

	if (strcmp(packet, "qfThreadInfo") == 0)
		stub_reply(stub, lists[stub->count < 2 ? stub->count : 2]);
	else if (strncmp(packet, "vCont;", 6) == 0) {
		stub->count++;
		stub_reply(stub, "T0athread:p1.1;");
	} else
		two_threads(stub, packet);
}

TEST(threads_come_and_go_at_stops)
{
	struct tl_thread_info info;
	struct session session;
	struct tl_report report;

	begin(&session, changing, 5000);
	REQUIRE(session.status == TL_OK);
	CHECK(!tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 2}, &info));
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_SIGNAL && report.event.signal == 7);
	CHECK(tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 2}, &info) && info.stopped);
	CHECK(tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 3}, &info) && info.stopped);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(!tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 2}, &info));
	CHECK(tl_engine_find_thread(session.engine, (struct tl_thread_id){1, 3}, &info));
	end(&session);
}

/* Hits its breakpoint at 0x1000 each time it is set going, unless it is out. */
static void breaking(struct stub *stub, const char *packet)
{
	if (strncmp(packet, "vCont;s:p1.1", 12) == 0)
		stub_reply(stub, "T05thread:p1.1;02:0110000000000000;");
	else if (strncmp(packet, "vCont;", 6) == 0)
		stub_reply(stub, "T05thread:p1.1;hwbreak:;02:0010000000000000;");
	else
		two_threads(stub, packet);
}

TEST(a_hardware_breakpoint_is_stepped_off_alone)
{
	struct tl_point_request point = {.kind = TL_POINT_HARDWARE, .address = 0x1000, .size = 1};
	struct session session;
	struct tl_report report;

	begin(&session, breaking, 5000);
	REQUIRE(session.status == TL_OK);
	tl_engine_settings(session.engine)->pass_reported = true;
	REQUIRE(tl_engine_insert_point(session.engine, 1, &point) == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_HARDWARE_BREAKPOINT && report.event.address == 0x1000);
	CHECK(!stub_saw(&session.stub, "vCont;s:p1.1"));
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(stub_saw(&session.stub, "vCont;s:p1.1"));
	CHECK(stub_saw(&session.stub, "z1,1000,1"));
	end(&session);
}

TEST(a_stub_that_goes_away_ends_its_processes)
{
	struct session session;
	struct tl_report report;

	begin(&session, two_threads, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	shutdown(session.stub.descriptor, SHUT_RDWR);
	REQUIRE(await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_PROCESS_KILLED && report.event.signal == 1);
	CHECK_EQUAL(session.lost_count, 1);
	CHECK(strstr(session.lost, "closed") != NULL);
	CHECK(tl_remote_target_lost(session.target) != NULL);
	CHECK_EQUAL(tl_engine_next_process(session.engine, 0), 0);
	end(&session);
}

/* As QEMU does it: its machine is over, it says so, and is gone before anybody can say that this was heard. */
static void parting(struct stub *stub, const char *packet)
{
	if (packet[0] != 'c') {
		poor(stub, packet);
		return;
	}
	stub_reply(stub, "W07");
	shutdown(stub->descriptor, SHUT_RDWR);
}

TEST(the_last_words_of_a_stub_are_heard)
{
	struct session session;
	struct tl_report report;

	begin(&session, parting, 5000);
	REQUIRE(session.status == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK && await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_PROCESS_EXITED && report.event.code == 7);
	CHECK_EQUAL(session.lost_count, 0);
	end(&session);
}

/* ---- Hostile stubs ---- */

static void silent(struct stub *stub, const char *packet)
{
	(void)stub, (void)packet;
}

static void noisy(struct stub *stub, const char *packet)
{
	static const char noise[] = "%Stop:T05#00!!!!!!!!++++";

	(void)packet;
	for (int i = 0; i < 20000; i++)
		stub_raw(stub, noise, sizeof(noise) - 1);
}

static void damaged(struct stub *stub, const char *packet)
{
	(void)packet;
	stub_raw(stub, "$OK#00", 6);
}

static void endless(struct stub *stub, const char *packet)
{
	static char many[65536];

	(void)packet;
	memset(many, '0', sizeof(many));
	stub_raw(stub, "$", 1);
	for (int i = 0; i < 40; i++)
		stub_raw(stub, many, sizeof(many));
	stub_raw(stub, "#00$#00", 7);
}

static void talkative(struct stub *stub, const char *packet)
{
	if (strncmp(packet, "qSupported", 10) == 0)
		stub_reply(stub, "QStartNoAckMode+");
	else if (strcmp(packet, "QStartNoAckMode") == 0)
		stub_reply(stub, "OK");
	else
		for (int i = 0; i < 20000; i++)
			stub_reply(stub, "O68656c6c6f");
}

static void leaving(struct stub *stub, const char *packet)
{
	(void)packet;
	shutdown(stub->descriptor, SHUT_RDWR);
}

TEST(hostile_stubs_end_in_a_sentence)
{
	static const struct {
		stub_answer *answer;
		enum tl_status status;
		const char *word;
		tl_u32 patience; /* milliseconds; more where the stub has much to send, which takes its time under a
				    sanitizer */
	} stubs[] = {
		{silent, TL_ERROR_TIMEOUT, "qSupported", 300}, {noisy, TL_ERROR_TIMEOUT, "qSupported", 300},
		{damaged, TL_ERROR_CHECKSUM, "damaged", 3000}, {talkative, TL_ERROR_TIMEOUT, "without end", 300},
		{leaving, TL_ERROR_GONE, "closed", 3000},      {endless, TL_ERROR_TOO_LONG, "more than", 4000},
	};

	for (size_t i = 0; i < TL_COUNT(stubs); i++) {
		struct session session;
		tl_u64 start = now();

		begin(&session, stubs[i].answer, stubs[i].patience);
		CHECK(session.status != TL_OK);
		if (session.status != stubs[i].status || strstr(session.error.text, stubs[i].word) == NULL)
			printf("  stub %zu: %s: %s\n", i, tl_status_name(session.status), session.error.text);
		CHECK(session.status == stubs[i].status);
		CHECK(strstr(session.error.text, stubs[i].word) != NULL);
		CHECK(now() - start < 5000);
		end(&session);
	}
}

/* Good until the program is there; then its answers are cut, too long, or nonsense. */
static void nonsense(struct stub *stub, const char *packet)
{
	static const char *const answers[] = {
		"0", "zz", "E", "0000000000000000000000000000000000000000000000000000000000", "m", "l<", "T05", "OK"};

	if (strncmp(packet, "vCont", 5) == 0 && packet[5] == ';')
		return;
	if (packet[0] == '\3')
		stub_reply(stub, "T02thread:p1.1;");
	else if (stub->count > 0 && (packet[0] == 'm' || packet[0] == 'g' || packet[0] == 'q' || packet[0] == 'p'))
		stub_reply(stub, answers[(unsigned)stub->count++ % TL_COUNT(answers)]);
	else
		two_threads(stub, packet);
}

TEST(nonsense_in_answers_is_an_error_of_that_operation)
{
	const struct tl_thread_id id = {1, 1};
	struct session session;
	tl_u8 bytes[64], *file;
	tl_size done = 0;

	begin(&session, nonsense, 1000);
	REQUIRE(session.status == TL_OK);
	session.stub.count = 1;
	for (int i = 0; i < 40; i++) {
		(void)tl_engine_read_memory(session.engine, 1, 0x1000, bytes, sizeof(bytes), &done);
		CHECK(done <= sizeof(bytes));
		tl_engine_forget_registers(session.engine, id);
		(void)tl_engine_registers(session.engine, id, 3, &file);
		(void)session.target->ops->read_object(session.target, id, TL_OBJECT_THREAD_NAME, 0, bytes,
						       sizeof(bytes), &done);
		CHECK(done <= sizeof(bytes));
	}
	CHECK(tl_remote_target_lost(session.target) == NULL);
	end(&session);
}

static void deaf(struct stub *stub, const char *packet)
{
	if (packet[0] != '\3')
		two_threads(stub, packet);
}

TEST(a_stub_that_does_not_stop_is_given_up)
{
	struct session session;
	struct tl_report report;

	begin(&session, deaf, 200);
	REQUIRE(session.status == TL_OK);
	REQUIRE(resume(&session, TL_ACTION_CONTINUE) == TL_OK);
	REQUIRE(tl_loop_turn(session.loop, 0, NULL) == TL_OK);
	tl_engine_interrupt(session.engine);
	REQUIRE(await_report(&session, &report));
	CHECK(report.event.kind == TL_EVENT_PROCESS_KILLED);
	CHECK(strstr(session.lost, "^C") != NULL);
	end(&session);
}

/* ---- Without storage ---- */

/* What happens then is an error of that operation; nothing is lost, and nobody waits for ever. */
TEST(storage_that_fails_anywhere)
{
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = POOR_BASE + 5, .size = 1};

	for (tl_u64 n = 1; n < 60; n++) {
		tl_u64 live = tl_storage_live();
		struct session session;
		struct tl_report report;

		memset(poor_memory, 0x90, sizeof(poor_memory));
		memset(poor_g, 0, sizeof(poor_g));
		tl_store_little(poor_g + POOR_PC, POOR_BASE, 8);
		storage_fails = n;
		begin(&session, n % 2 != 0 ? poor : changing, 5000);
		if (session.status == TL_OK && tl_engine_insert_point(session.engine, 1, &point) == TL_OK &&
		    resume(&session, TL_ACTION_CONTINUE) == TL_OK)
			CHECK(await_report(&session, &report));
		tl_storage_fail(0);
		end(&session);
		CHECK_EQUAL(tl_storage_live(), live);
	}
	storage_fails = 0;
}

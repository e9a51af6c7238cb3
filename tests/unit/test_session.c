/* A session over the scripted target: several processes side by side. */
#include "test.h"

#include "base/loop.h"
#include "base/storage.h"
#include "core/cpu/cpu.h"
#include "debugger/session/session_internal.h"
#include "targets/scripted/scripted.h"

#define TEXT 0x400000
#define DATA 0x600000
#define STACK 0x7f0000

static const tl_u8 text[] = {0xeb, 0xfe}; /* jmp . */
static const tl_u8 data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const struct tl_scripted_segment segments[] = {
	{.start = TEXT,
	 .size = 4096,
	 .bytes = text,
	 .filled = sizeof(text),
	 .permissions = TL_PERMISSION_READ | TL_PERMISSION_EXECUTE},
	{.start = DATA,
	 .size = 4096,
	 .bytes = data,
	 .filled = sizeof(data),
	 .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE},
	{.start = STACK, .size = 4096, .permissions = TL_PERMISSION_READ | TL_PERMISSION_WRITE},
};
static const struct tl_scripted_image image = {
	.segments = segments, .segment_count = TL_COUNT(segments), .entry = TEXT, .stack = STACK + 4096};

static struct tl_loop *loop;
static struct tl_scripted *machine;
static struct tl_session *session;
static struct tl_error error;
static tl_u64 processes[2];

/* Two processes of one program, both standing, the first selected. */
static void open_two(void)
{
	const struct tl_scripted_options options = {.allocator = *tl_storage(), .cpu = &tl_cpu_x86_64, .image = &image};
	struct tl_session_options session_options = {0};

	session = NULL;
	machine = aligned_alloc(16, (tl_scripted_size() + 15) / 16 * 16);
	REQUIRE(machine != NULL && tl_scripted_init(machine, &options) == TL_OK);
	REQUIRE(tl_loop_create(&loop, &error) == TL_OK);
	session_options.loop = loop;
	session_options.target = tl_scripted_target(machine);
	REQUIRE(tl_session_open(&session, &session_options, &error) == TL_OK);
	REQUIRE(tl_scripted_start(machine, &processes[0]) == TL_OK);
	REQUIRE(tl_scripted_start(machine, &processes[1]) == TL_OK);
	REQUIRE(tl_session_adopt(session, NULL, true, &error) == TL_OK);
}

static void close_all(void)
{
	tl_session_close(session);
	tl_loop_destroy(loop);
	tl_scripted_deinit(machine);
	free(machine);
}

TEST(memory_of_a_process_is_read_whichever_process_is_selected)
{
	static const tl_u8 other[4] = {9, 9, 9, 9};
	tl_u8 bytes[4] = {0};
	tl_size done;

	open_two();
	REQUIRE(session != NULL);
	CHECK_EQUAL(tl_session_thread(session).process, processes[0]);
	REQUIRE(tl_engine_write_memory(tl_session_engine(session), processes[1], DATA, other, sizeof(other), &done) ==
		TL_OK);
	for (int selected = 0; selected < 2; selected++) {
		const struct tl_thread_id thread = {processes[selected], processes[selected]};

		REQUIRE(tl_session_select_thread(session, thread, &error) == TL_OK);
		for (int i = 0; i < 2; i++) {
			const struct tl_debugged *debugged = tl_session_debugged(session, processes[i]);

			REQUIRE(debugged != NULL);
			CHECK(tl_modules_read(debugged->modules, DATA, bytes, sizeof(bytes), &error) == TL_OK);
			CHECK(memcmp(bytes, i == 0 ? data : other, sizeof(bytes)) == 0);
		}
	}
	close_all();
}

TEST(memory_of_a_process_is_read_after_another_has_gone)
{
	tl_u8 bytes[4] = {0};

	open_two();
	REQUIRE(session != NULL);
	CHECK(tl_session_kill(session, &error) == TL_OK);
	CHECK(tl_session_debugged(session, processes[0]) == NULL);
	REQUIRE(tl_session_debugged(session, processes[1]) != NULL);
	CHECK(tl_modules_read(tl_session_debugged(session, processes[1])->modules, DATA, bytes, sizeof(bytes),
			      &error) == TL_OK);
	CHECK(memcmp(bytes, data, sizeof(bytes)) == 0);
	close_all();
}

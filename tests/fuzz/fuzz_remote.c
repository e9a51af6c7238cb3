/*
 * What a remote stub sends: descriptions, lists, stop replies, and a whole conversation. Nothing in it may end us or
 * keep us, whatever it is.
 *
 * The first byte chooses: 0 a stop reply, 1 an XML document as a target description that includes itself, else a
 * conversation, in which the input is all that the stub ever says; then it has gone.
 */
#include "base/storage.h"
#include "core/engine/engine.h"
#include "targets/remote/layout.h"
#include "targets/remote/remote.h"
#include "targets/remote/stop_reply.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SAID_MAX 65536
#define TURNS 50

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void stop_reply(const uint8_t *bytes, size_t size)
{
	struct stop_reply reply = tl_remote_stop_read(bytes, size);
	struct tl_cursor digits;
	tl_u64 number = 0;

	require(reply.address_count <= TL_HITS_MAX);
	require(reply.signal >= 0 && reply.signal <= 64);
	while (tl_remote_stop_register(&reply.pairs, &number, &digits))
		require(digits.at >= bytes && digits.end <= bytes + size);
}

struct document {
	const uint8_t *bytes;
	size_t size;
};

static enum tl_status read_document(void *context, const char *name, tl_u8 **bytes_ret, tl_size *size_ret)
{
	const struct document *document = context;

	(void)name;
	*bytes_ret = malloc(document->size + 1);
	require(*bytes_ret != NULL);
	memcpy(*bytes_ret, document->bytes, document->size);
	*size_ret = document->size;
	return TL_OK;
}

static void description(const uint8_t *bytes, size_t size)
{
	struct document document = {bytes, size};
	struct remote_files files = {read_document, &document};
	struct remote_layout layout;
	struct tl_error error;

	if (tl_remote_layout_read(&files, &layout, &error) != TL_OK)
		return;
	for (tl_size i = 0; i < layout.count; i++) {
		require(layout.registers[i].index < layout.cpu->register_count);
		require(layout.registers[i].offset + layout.registers[i].size <= layout.g_size);
	}
	tl_remote_layout_free(&layout);
}

/* Everything that a front end may do, once. */
static void use(struct tl_engine *engine, struct tl_target *target, struct tl_loop *loop)
{
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = 0x1000, .size = 1};
	struct tl_action action = {.filter = {TL_ANY, TL_ANY}, .kind = TL_ACTION_CONTINUE};
	tl_u64 process = tl_engine_next_process(engine, 0);
	struct tl_thread_id thread = {0, 0};
	struct tl_report report;
	tl_u8 bytes[128], *file;
	tl_size done = 0;

	if (tl_engine_stopped_thread(engine, TL_ANY, &thread)) {
		(void)tl_engine_registers(engine, thread, 3, &file);
		for (int object = 0; object < TL_OBJECT_MAX; object++) {
			(void)target->ops->read_object(target, thread, (enum tl_object)object, 0, bytes, sizeof(bytes),
						       &done);
			require(done <= sizeof(bytes));
		}
	}
	(void)tl_engine_read_memory(engine, process, 0x1000, bytes, sizeof(bytes), &done);
	require(done <= sizeof(bytes));
	(void)tl_engine_insert_point(engine, process, &point);
	for (int n = 0; n < TURNS; n++) {
		(void)tl_engine_resume(engine, &action, 1);
		require(tl_loop_turn(loop, 0, NULL) == TL_OK);
		while (tl_engine_take_report(engine, &report) && !report.no_resumed)
			require(tl_event_name(report.event.kind) != NULL);
		if (n == TURNS / 2)
			tl_engine_interrupt(engine);
		action.kind = n % 3 == 0 ? TL_ACTION_STEP : TL_ACTION_CONTINUE;
	}
	(void)tl_engine_kill(engine, process);
}

static void converse(const uint8_t *bytes, size_t size)
{
	struct tl_remote_options options = {.patience = 20, .extended = true};
	struct tl_engine_host host = {.allocator = *tl_storage()};
	int ends[2], room = 4 * SAID_MAX;
	struct tl_engine *engine;
	struct tl_target *target;
	struct tl_loop *loop;
	struct tl_error error;

	if (size > SAID_MAX || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return;
	(void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	require(send(ends[1], bytes, size, MSG_DONTWAIT) == (ssize_t)size);
	shutdown(ends[1], SHUT_WR);
	require(tl_loop_create(&loop, &error) == TL_OK);
	if (tl_remote_target_create_over(loop, ends[0], &options, &target, &error) == TL_OK) {
		engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
		require(engine != NULL);
		tl_engine_init(engine, target, &host);
		if (tl_remote_target_populate(target, &error) == TL_OK)
			use(engine, target, loop);
		tl_engine_deinit(engine);
		tl_remote_target_destroy(target);
		free(engine);
	}
	tl_loop_destroy(loop);
	close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	tl_u64 before = tl_storage_live();

	if (size == 0)
		return 0;
	if (bytes[0] == 0)
		stop_reply(bytes + 1, size - 1);
	else if (bytes[0] == 1)
		description(bytes + 1, size - 1);
	else
		converse(bytes + 1, size - 1);
	require(tl_storage_live() == before);
	return 0;
}

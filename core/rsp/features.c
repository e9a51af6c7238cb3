/*
 * What client and server can do: qSupported and the modes that are switched on by a packet.
 * GDB manual, "General Query Packets", qSupported.
 */
#include "core/rsp/rsp_internal.h"

static const struct {
	const char *name;
	enum tl_rsp_client client;
} client_features[] = {
	{"multiprocess+", TL_RSP_CLIENT_MULTIPROCESS},
	{"swbreak+", TL_RSP_CLIENT_SWBREAK},
	{"hwbreak+", TL_RSP_CLIENT_HWBREAK},
	{"fork-events+", TL_RSP_CLIENT_FORK_EVENTS},
	{"vfork-events+", TL_RSP_CLIENT_VFORK_EVENTS},
	{"exec-events+", TL_RSP_CLIENT_EXEC_EVENTS},
	{"vContSupported+", TL_RSP_CLIENT_VCONT},
	{"QThreadEvents+", TL_RSP_CLIENT_THREAD_EVENTS},
	{"no-resumed+", TL_RSP_CLIENT_NO_RESUMED},
	{"error-message+", TL_RSP_CLIENT_ERROR_MESSAGE},
	{"binary-upload+", TL_RSP_CLIENT_BINARY_UPLOAD},
	{"multi-wp-addr+", TL_RSP_CLIENT_MULTI_WATCH},
	{"qRelocInsn+", TL_RSP_CLIENT_GDB},
};

/* Ours, with the capability that each takes; 0: always. */
static const struct {
	const char *name;
	tl_u32 capability;
} server_features[] = {
	{"QStartNoAckMode+", 0},
	{"multiprocess+", TL_CAN_MULTI_PROCESS},
	{"fork-events+", TL_CAN_FORK},
	{"vfork-events+", TL_CAN_FORK},
	{"exec-events+", TL_CAN_FORK},
	{"QCatchSyscalls+", TL_CAN_CATCH_SYSCALLS},
	{"vContSupported+", TL_CAN_RUN},
	{"QThreadEvents+", TL_CAN_RUN},
	{"no-resumed+", TL_CAN_RUN},
	{"QPassSignals+", TL_CAN_RUN},
	{"QProgramSignals+", TL_CAN_RUN},
	{"QNonStop+", TL_CAN_RUN_SOME},
	{"swbreak+", TL_CAN_SOFTWARE},
	{"hwbreak+", TL_CAN_HARDWARE},
	{"ConditionalBreakpoints+", TL_CAN_SOFTWARE},
	{"BreakpointCommands+", TL_CAN_SOFTWARE},
	{"multi-wp-addr+", TL_CAN_WATCH},
	/* For our own prompt, which has to ask where other servers stop. */
	{"watched-access-done+", TL_CAN_WATCH},
	{"ReverseStep+", TL_CAN_REVERSE},
	{"ReverseContinue+", TL_CAN_REVERSE},
	{"qXfer:features:read+", TL_CAN_LOOK},
	{"qXfer:threads:read+", TL_CAN_LOOK},
	{"qXfer:auxv:read+", TL_CAN_OBJECTS},
	{"qXfer:siginfo:read+", TL_CAN_OBJECTS},
	{"qXfer:siginfo:write+", TL_CAN_OBJECTS},
	{"qXfer:exec-file:read+", TL_CAN_OBJECTS},
	{"binary-upload+", TL_CAN_LOOK},
	{"error-message+", 0},
};

static void read_client_features(struct tl_rsp *rsp, struct tl_cursor *arguments)
{
	/* A new qSupported replaces what the one before it said. */
	for (tl_size i = 0; i < TL_COUNT(client_features); i++)
		rsp->client[client_features[i].client] = false;
	(void)tl_cursor_accept(arguments, ':');
	while (!tl_cursor_done(arguments)) {
		struct tl_cursor word = tl_cursor_until(arguments, ';');

		for (tl_size i = 0; i < TL_COUNT(client_features); i++)
			if (tl_cursor_equals(&word, client_features[i].name))
				rsp->client[client_features[i].client] = true;
	}
	/* Thread ids without a process would be ambiguous where there can be several. */
	if ((tl_rsp_capabilities(rsp) & TL_CAN_MULTI_PROCESS) == 0)
		rsp->client[TL_RSP_CLIENT_MULTIPROCESS] = false;
	/* Everyone who knows watch: knows these, as they have been in the protocol since its beginning. */
	rsp->client[TL_RSP_CLIENT_QUALIFIED_WATCH] = true;
}

static void apply_client_features(struct tl_rsp *rsp)
{
	struct tl_engine_settings *settings = tl_engine_settings(rsp->engine);

	settings->report_forks = rsp->client[TL_RSP_CLIENT_FORK_EVENTS];
	settings->report_vforks = rsp->client[TL_RSP_CLIENT_VFORK_EVENTS];
	settings->report_execs = rsp->client[TL_RSP_CLIENT_EXEC_EVENTS];
	/* Where the client does not know the reply, an error ends its wait instead (tl_rsp_report). */
	settings->report_no_resumed = true;
	settings->steps_past_watchpoints = rsp->client[TL_RSP_CLIENT_GDB];
}

static bool has_memory_map(struct tl_rsp *rsp)
{
	struct tl_target *target = tl_engine_target(rsp->engine);
	struct tl_thread_id id;
	tl_size done = 0;
	tl_u8 byte;

	return target->ops->read_object != NULL && tl_rsp_any_thread(rsp, TL_ANY, &id) &&
	       target->ops->read_object(target, id, TL_OBJECT_MEMORY_MAP, 0, &byte, 1, &done) == TL_OK && done == 1;
}

static enum tl_status handle_supported(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				       struct tl_writer *reply)
{
	tl_u32 capabilities = tl_rsp_capabilities(rsp);

	(void)context;
	read_client_features(rsp, arguments);
	apply_client_features(rsp);
	tl_write_text(reply, "PacketSize=");
	tl_write_hex(reply, rsp->host.packet_size);
	for (tl_size i = 0; i < TL_COUNT(server_features); i++) {
		if ((server_features[i].capability & ~capabilities) != 0)
			continue;
		tl_write_byte(reply, ';');
		tl_write_text(reply, server_features[i].name);
	}
	if (tl_engine_thread_options(rsp->engine) != 0) {
		tl_write_text(reply, ";QThreadOptions=");
		tl_write_hex(reply, tl_engine_thread_options(rsp->engine));
	}
	if (has_memory_map(rsp))
		tl_write_text(reply, ";qXfer:memory-map:read+");
	if (rsp->host.features != NULL)
		tl_write_text(reply, rsp->host.features);
	return TL_OK;
}

static enum tl_status handle_no_ack(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				    struct tl_writer *reply)
{
	(void)context, (void)arguments, (void)reply;
	/* The + for this packet is out already; the client's + for the reply may still come and is ignored. */
	rsp->acknowledgments = false;
	return TL_OK;
}

static enum tl_status handle_extended(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
				      struct tl_writer *reply)
{
	(void)context, (void)arguments, (void)reply;
	rsp->client[TL_RSP_CLIENT_EXTENDED] = true;
	return TL_OK;
}

/* Clients send it to learn that unknown v packets get the empty reply. */
static enum tl_status handle_must_reply_empty(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					      struct tl_writer *reply)
{
	(void)rsp, (void)context, (void)arguments, (void)reply;
	return TL_UNKNOWN_PACKET;
}

/* lldb, which says nothing of itself in qSupported, and where no front end for it stands before this. */
static enum tl_status handle_thread_suffix(struct tl_rsp *rsp, void *context, struct tl_cursor *arguments,
					   struct tl_writer *reply)
{
	(void)context, (void)arguments, (void)reply;
	rsp->client[TL_RSP_CLIENT_LLDB] = true;
	rsp->client[TL_RSP_CLIENT_THREAD_SUFFIX] = true;
	return TL_OK;
}

const struct tl_rsp_row tl_rsp_feature_rows[] = {
	{"qSupported", TL_RSP_WORD, TL_RSP_ALWAYS, false, handle_supported},
	{"QStartNoAckMode", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_no_ack},
	{"QThreadSuffixSupported", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_thread_suffix},
	{"!", TL_RSP_WORD, TL_RSP_ALWAYS, true, handle_extended},
	{"vMustReplyEmpty", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_must_reply_empty},
	{0},
};

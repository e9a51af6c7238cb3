/*
 * A protocol session over the scripted target, without any connection: tests, fuzzers and the replay of traces hand it
 * packets and look at what comes back.
 *
 * The machine has one program, in a loop at 0x1000:
 *
 *     1000  nop
 *     1001  nop
 *     1002  mov [0x2000], rax
 *     100a  mov rbx, [0x2008]
 *     1012  nop
 *     1013  jmp 0x1000
 *
 * with data from 0x2000 to 0x2fff (byte i is i & 0xff) and a stack below 0x8000.
 */
#ifndef TL_TESTS_RSP_SESSION_H
#define TL_TESTS_RSP_SESSION_H

#include "core/rsp/rsp.h"
#include "targets/scripted/scripted.h"

#define RSP_SESSION_PACKET 4096
#define RSP_SESSION_OUTPUT (1 << 20)

struct rsp_session {
	struct tl_scripted *scripted;
	struct tl_engine *engine;
	struct tl_rsp *rsp;
	tl_u64 process;

	/* What the server sent and was not taken yet. */
	tl_u8 *output;
	tl_size output_size, output_at;
	bool overflow;

	/* The last packet taken, as a client sees it: runs expanded, escapes left as they are; ended by a zero byte. */
	char *packet;
	tl_size packet_size;
	char lead;           /* $ or % */
	unsigned acks, naks; /* seen so far */
	unsigned bad;        /* frames with a wrong checksum or run: the server's fault */
	unsigned done;       /* how often the server said that the client is done */
	bool ready;          /* the engine has something to say */
	bool (*attached)(void *context, tl_u64 process);
};

struct rsp_session_setup {
	tl_size threads;          /* besides the first; they start at 0x1000 */
	tl_u32 without;           /* TL_CAN_* that the machine lacks */
	tl_u32 packet_size;       /* 0: RSP_SESSION_PACKET */
	bool empty;               /* no process */
	tl_u64 text, linked;      /* TL_OBJECT_TEXT_ADDRESS; 0: there is none */
	const tl_u64 *bystanders; /* as struct tl_scripted_options has them */
	tl_size bystander_count;
	const struct tl_rsp_table *tables;
	tl_size table_count;
	const struct tl_rsp_command *commands;
	const char *features;
	bool stops_without_thread, stops_as_signals, stops_are_brief; /* as struct tl_rsp_host has them */
	void (*observe)(void *context, bool from_client, const void *payload, tl_size size);
};

/* Ends the program with a message when it cannot be set up. One session at a time. */
void rsp_session_open(struct rsp_session *session, const struct rsp_session_setup *setup);
void rsp_session_close(struct rsp_session *session);
/* The client goes and another comes, over the same engine. */
void rsp_session_reconnect(struct rsp_session *session);

/* Hands in bytes as they are, or a payload as a frame with its escapes and checksum. */
void rsp_session_bytes(struct rsp_session *session, const void *bytes, tl_size size);
void rsp_session_send(struct rsp_session *session, const void *payload, tl_size size);

/* Takes the next packet or notification that was sent; false when there is none. */
bool rsp_session_take(struct rsp_session *session);
/* The same, letting the machine run for at most `turns` turns until there is one. */
bool rsp_session_wait(struct rsp_session *session, unsigned turns);

/* Sends a packet and returns the reply, "(none)" when there is none at once. Valid until the next call. */
const char *rsp_session_ask(struct rsp_session *session, const char *request);
/* Runs until something is sent and returns it, "(none)" after 1000 turns. */
const char *rsp_session_next(struct rsp_session *session);

/* Lets the session see what the engine has to tell; done by all of the above. */
void rsp_session_poll(struct rsp_session *session);

/* Lets the machine run. */
void rsp_session_turn(struct rsp_session *session, unsigned turns);

#endif

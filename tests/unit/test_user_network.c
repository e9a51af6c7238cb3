/* The network in user mode, with the test as its guest, frame by frame: no packet leaves this machine. */
#include "base/storage.h"
#include "machine/user_network.h"
#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEADLINE 10000 /* milliseconds: a wait that takes longer has failed */

#define ETHERNET 14
#define TYPE_IP 0x0800
#define TYPE_ARP 0x0806
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

#define GUEST_ADDRESS 0x0a00020fu
#define GATEWAY_ADDRESS 0x0a000202u

static const tl_u8 guest_card[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static struct tl_user_network *network;
static unsigned arrivals;

/* The last frame that matched what was waited for. */
static tl_u8 frame[TL_USER_NETWORK_FRAME_MAX];
static tl_u64 frame_size;
static bool (*wanted)(void);
static bool found;

static void arrived(void *context)
{
	(void)context;
	arrivals++;
}

static bool begin(bool restricted)
{
	struct tl_user_network_settings settings = {.restricted = restricted, .arrived = arrived};
	struct tl_error error;

	arrivals = 0;
	return tl_user_network_open(&settings, &network, &error) == TL_OK;
}

static void put16(tl_u8 *at, unsigned value)
{
	at[0] = (tl_u8)(value >> 8);
	at[1] = (tl_u8)value;
}

static void put32(tl_u8 *at, tl_u32 value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static unsigned get16(const tl_u8 *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static tl_u32 get32(const tl_u8 *at)
{
	return (tl_u32)get16(at) << 16 | get16(at + 2);
}

/* The Internet's checksum, RFC 1071. */
static unsigned checksum(const tl_u8 *bytes, tl_size size)
{
	unsigned long sum = 0;

	for (tl_size i = 0; i + 1 < size; i += 2)
		sum += get16(bytes + i);
	if (size % 2 != 0)
		sum += (unsigned long)bytes[size - 1] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~(unsigned)sum & 0xffff;
}

/* A header of Ethernet, to everybody. */
static void address_frame(tl_u8 *bytes, unsigned type)
{
	memset(bytes, 0xff, 6);
	memcpy(bytes + 6, guest_card, 6);
	put16(bytes + 12, type);
}

/* A packet of IP from the guest, with `size` bytes behind its header; returns where those stand. */
static tl_u8 *address_packet(tl_u8 *bytes, unsigned protocol, tl_u32 from, tl_u32 to, unsigned size)
{
	tl_u8 *header = bytes + ETHERNET;

	address_frame(bytes, TYPE_IP);
	memset(header, 0, 20);
	header[0] = 0x45;
	put16(header + 2, 20 + size);
	header[8] = 64;
	header[9] = (tl_u8)protocol;
	put32(header + 12, from);
	put32(header + 16, to);
	put16(header + 10, checksum(header, 20));
	return header + 20;
}

static bool keep_wanted(void *context, const tl_u8 *bytes, tl_u64 size)
{
	(void)context;
	if (found)
		return false;
	memcpy(frame, bytes, size);
	frame_size = size;
	found = wanted();
	return true;
}

static tl_i64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (tl_i64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Turns until a frame for the guest is as it is wanted. */
static bool wait_for(bool (*what)(void))
{
	tl_i64 end = now() + DEADLINE;

	wanted = what;
	found = false;
	for (;;) {
		struct pollfd ready = {.fd = tl_user_network_descriptor(network), .events = POLLIN};

		(void)tl_user_network_take(network, keep_wanted, NULL);
		if (found)
			return true;
		if (now() >= end || poll(&ready, 1, (int)(end - now())) <= 0)
			return false;
		tl_user_network_turn(network);
	}
}

static bool is_arp_reply(void)
{
	return frame_size >= 42 && get16(frame + 12) == TYPE_ARP && get16(frame + 20) == 2 &&
	       get32(frame + 28) == GATEWAY_ADDRESS;
}

/* The gateway learns of the guest by that, too. */
static bool ask_for_gateway(void)
{
	static const tl_u8 question[] = {0, 1, 8, 0, 6, 4, 0, 1};
	tl_u8 bytes[60] = {0};

	address_frame(bytes, TYPE_ARP);
	memcpy(bytes + ETHERNET, question, sizeof(question));
	memcpy(bytes + 22, guest_card, 6);
	put32(bytes + 28, GUEST_ADDRESS);
	put32(bytes + 38, GATEWAY_ADDRESS);
	tl_user_network_send(network, bytes, sizeof(bytes));
	return wait_for(is_arp_reply);
}

TEST(the_gateway_answers)
{
	REQUIRE(begin(false));
	CHECK(ask_for_gateway());
	CHECK_EQUAL(arrivals, 1);
	tl_user_network_close(network);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static bool is_offer(void)
{
	const tl_u8 *udp = frame + ETHERNET + 20;

	return frame_size > ETHERNET + 28 + 240 && get16(frame + 12) == TYPE_IP &&
	       frame[ETHERNET + 9] == PROTOCOL_UDP && get16(udp) == 67 && get16(udp + 2) == 68;
}

TEST(dhcp_offers_the_first_address)
{
	tl_u8 bytes[ETHERNET + 28 + 300] = {0}, *udp, *message;

	REQUIRE(begin(false));
	udp = address_packet(bytes, PROTOCOL_UDP, 0, 0xffffffff, 308);
	put16(udp, 68);
	put16(udp + 2, 67);
	put16(udp + 4, 308);
	message = udp + 8;
	message[0] = 1; /* RFC 2131: a request over Ethernet, with the option "discover" */
	message[1] = 1;
	message[2] = 6;
	put32(message + 4, 0x1234);
	memcpy(message + 28, guest_card, 6);
	put32(message + 236, 0x63825363);
	message[240] = 53;
	message[241] = 1;
	message[242] = 1;
	message[243] = 255;
	tl_user_network_send(network, bytes, sizeof(bytes));
	REQUIRE(wait_for(is_offer));
	CHECK_EQUAL(get32(frame + ETHERNET + 28 + 4), 0x1234);
	CHECK_EQUAL(get32(frame + ETHERNET + 28 + 16), GUEST_ADDRESS);
	tl_user_network_close(network);
}

/* A UDP or TCP socket of this machine at a port of its own choosing. */
static int listen_at(int type, unsigned *port_ret)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int descriptor = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
	    getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
		return -1;
	*port_ret = ntohs(address.sin_port);
	return descriptor;
}

static bool is_datagram(void)
{
	return get16(frame + 12) == TYPE_IP && frame[ETHERNET + 9] == PROTOCOL_UDP &&
	       get16(frame + ETHERNET + 22) == 4000;
}

static void send_datagram(unsigned port)
{
	static const tl_u8 text[] = {'p', 'i', 'n', 'g'};
	tl_u8 bytes[60] = {0}, *udp = address_packet(bytes, PROTOCOL_UDP, GUEST_ADDRESS, GATEWAY_ADDRESS, 12);

	put16(udp, 4000);
	put16(udp + 2, port);
	put16(udp + 4, 12);
	memcpy(udp + 8, text, sizeof(text));
	tl_user_network_send(network, bytes, sizeof(bytes));
	tl_user_network_turn(network);
}

TEST(a_datagram_gets_out_and_its_answer_in)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	struct pollfd ready;
	char text[8] = {0};
	unsigned port;

	REQUIRE(begin(false));
	REQUIRE(ask_for_gateway());
	ready = (struct pollfd){.fd = listen_at(SOCK_DGRAM, &port), .events = POLLIN};
	REQUIRE(ready.fd >= 0);
	send_datagram(port);
	REQUIRE(poll(&ready, 1, DEADLINE) == 1);
	CHECK_EQUAL(recvfrom(ready.fd, text, sizeof(text), 0, (struct sockaddr *)&peer, &size), 4);
	CHECK(memcmp(text, "ping", 4) == 0);
	CHECK_EQUAL(sendto(ready.fd, "pong", 4, 0, (struct sockaddr *)&peer, size), 4);
	REQUIRE(wait_for(is_datagram));
	CHECK(memcmp(frame + ETHERNET + 28, "pong", 4) == 0);
	tl_user_network_close(network);
	close(ready.fd);
}

TEST(a_restricted_network_lets_nothing_out)
{
	struct pollfd ready;
	unsigned port;

	REQUIRE(begin(true));
	REQUIRE(ask_for_gateway());
	ready = (struct pollfd){.fd = listen_at(SOCK_DGRAM, &port), .events = POLLIN};
	REQUIRE(ready.fd >= 0);
	send_datagram(port);
	/* The answer to this comes behind whatever that did. */
	REQUIRE(ask_for_gateway());
	CHECK_EQUAL(poll(&ready, 1, 0), 0);
	tl_user_network_close(network);
	close(ready.fd);
}

/* A connection begins: a segment with SYN alone, to port 22. */
static bool is_connection(void)
{
	const tl_u8 *tcp = frame + ETHERNET + 20;

	return get16(frame + 12) == TYPE_IP && frame[ETHERNET + 9] == PROTOCOL_TCP && get16(tcp + 2) == 22 &&
	       (tcp[13] & 0x3f) == 2 && get32(frame + ETHERNET + 16) == GUEST_ADDRESS;
}

TEST(a_forwarded_port_leads_to_the_guest)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct tl_error error;
	char text[100];
	unsigned port;
	int descriptor;

	REQUIRE(begin(true));
	REQUIRE(ask_for_gateway());
	/* A port that was free a moment ago. */
	descriptor = listen_at(SOCK_STREAM, &port);
	REQUIRE(descriptor >= 0);
	close(descriptor);
	snprintf(text, sizeof(text), "tcp::%u-:22", port);
	REQUIRE(tl_user_network_forward(network, text, &error) == TL_OK);
	CHECK_EQUAL(tl_user_network_forward(network, text, &error), TL_ERROR_SYSTEM);
	snprintf(text, sizeof(text), "cannot listen at TCP port %u for the guest: Address already in use", port);
	CHECK_TEXT(error.text, text);
	descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_port = htons((uint16_t)port);
	REQUIRE(descriptor >= 0);
	REQUIRE(connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(wait_for(is_connection));
	tl_user_network_close(network);
	close(descriptor);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(what_cannot_be_forwarded_is_refused)
{
	static const char *const bad[] = {"",
					  "tcp",
					  "tcp:",
					  "tcp::",
					  "tcp::22",
					  "tcp::22-",
					  "tcp::22-:",
					  "tcp::0-:22",
					  "tcp::65536-:22",
					  "tcp::2222-:22x",
					  "tcp:x:2222-:22",
					  "tcp:1.2.3.4.5.6.7.8.9:1-:2",
					  "sctp::2222-:22",
					  "udp::99999999999-:22",
					  "2222-:22"};
	struct tl_error error;

	REQUIRE(begin(true));
	for (size_t i = 0; i < TL_COUNT(bad); i++) {
		CHECK_EQUAL(tl_user_network_forward(network, bad[i], &error), TL_ERROR_ARGUMENT);
		CHECK(strstr(error.text, "tcp::2222-:22") != NULL);
	}
	tl_user_network_close(network);
}

/* Garbage that a guest may send: nothing comes of it. */
TEST(senseless_frames_do_no_harm)
{
	tl_u8 bytes[TL_USER_NETWORK_FRAME_MAX + 1];
	tl_u64 seed = 1;

	REQUIRE(begin(true));
	for (int i = 0; i < 3000; i++) {
		for (tl_size j = 0; j < sizeof(bytes); j++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[j] = (tl_u8)(seed >> 56);
		}
		if (i % 4 != 0)
			(void)address_packet(bytes, (unsigned)(seed >> 40 & 31), GUEST_ADDRESS,
					     i % 8 < 4 ? GATEWAY_ADDRESS : GATEWAY_ADDRESS + 1,
					     (unsigned)(seed >> 30 & 2047));
		tl_user_network_send(network, bytes, (seed >> 20) % (sizeof(bytes) + 1));
		if (i % 16 == 0)
			tl_user_network_turn(network);
	}
	tl_user_network_turn(network);
	CHECK(ask_for_gateway());
	tl_user_network_close(network);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static bool refuse(void *context, const tl_u8 *bytes, tl_u64 size)
{
	(void)context;
	(void)bytes;
	(void)size;
	return false;
}

TEST(what_the_guest_has_no_room_for_waits)
{
	REQUIRE(begin(true));
	CHECK(ask_for_gateway());
	CHECK(ask_for_gateway());
	CHECK_EQUAL(tl_user_network_take(network, refuse, NULL), 0);
	tl_user_network_close(network);
}

/* As the emulator's thread does it, while the control thread turns. */
static void *send_many(void *unused)
{
	tl_u8 bytes[60] = {0};

	(void)unused;
	address_frame(bytes, 0x88b5); /* a type for experiments */
	for (int i = 0; i < 20000; i++)
		tl_user_network_send(network, bytes, sizeof(bytes));
	return NULL;
}

TEST(frames_come_from_another_thread)
{
	pthread_t thread;

	REQUIRE(begin(true));
	REQUIRE(pthread_create(&thread, NULL, send_many, NULL) == 0);
	for (int i = 0; i < 200; i++)
		tl_user_network_turn(network);
	pthread_join(thread, NULL);
	tl_user_network_turn(network);
	CHECK(ask_for_gateway());
	tl_user_network_close(network);
	CHECK_EQUAL(tl_storage_live(), 0);
}

TEST(opening_may_lack_memory)
{
	struct tl_user_network_settings settings = {.restricted = true};
	struct tl_error error;

	for (tl_u64 n = 1; n <= 3; n++) {
		tl_storage_fail(n);
		CHECK_EQUAL(tl_user_network_open(&settings, &network, &error), TL_ERROR_NO_MEMORY);
		CHECK_EQUAL(tl_storage_live(), 0);
	}
	tl_storage_fail(0);
}

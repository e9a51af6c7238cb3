#include "machine/user_network.h"

#include "base/storage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <slirp/libslirp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NETWORK 0x0a000200u /* 10.0.2.0 */
#define MASK 0xffffff00u
#define GATEWAY (NETWORK + 2)
#define NAME_SERVER (NETWORK + 3)
#define FIRST_GUEST (NETWORK + 15)

#define TIMERS_MAX 8 /* libslirp 4.7 has one */
#define READY_MAX 64 /* descriptors looked at in a turn; the others are ready in the next */

/* What the epoll descriptor says is ready: one of ours, or OF_SLIRP and a number of its. */
enum { OF_KICK, OF_CLOCK, OF_SLIRP };

struct frame {
	tl_u32 size;
	tl_u8 bytes[TL_USER_NETWORK_FRAME_MAX];
};

/* Frames on their way from one thread to the other. */
struct frames {
	pthread_mutex_t lock;
	struct frame *ring;
	tl_u32 first, count;
};

/* A timer of libslirp's. */
struct timer {
	bool used, armed;
	SlirpTimerCb call;
	void *opaque;
	tl_i64 when; /* in milliseconds of the clock */
};

/* A socket of libslirp's that it wants to be told of. */
struct watched {
	int descriptor;
	tl_u32 ready; /* of EPOLL… */
};

struct tl_user_network {
	struct tl_user_network_settings settings;
	Slirp *slirp;
	int epoll, kick, clock;
	struct frames to_guest, from_guest;
	struct timer timers[TIMERS_MAX];
	/* Those of the last tl_user_network_turn, by the number that libslirp got for them. */
	struct watched *watched;
	tl_size watched_capacity, watched_count;
	struct watched *before;
	tl_size before_capacity, before_count;
};

static bool frames_open(struct frames *frames)
{
	if (pthread_mutex_init(&frames->lock, NULL) != 0)
		return false;
	frames->ring = tl_allocate(tl_storage(), sizeof(struct frame) * TL_USER_NETWORK_QUEUE);
	return frames->ring != NULL;
}

static void frames_close(struct frames *frames)
{
	tl_release(tl_storage(), frames->ring, sizeof(struct frame) * TL_USER_NETWORK_QUEUE);
	pthread_mutex_destroy(&frames->lock);
}

/* How many there are with this one; 0 when it was dropped. */
static tl_u32 frames_put(struct frames *frames, const void *bytes, tl_u64 size)
{
	tl_u32 count = 0;

	if (size == 0 || size > TL_USER_NETWORK_FRAME_MAX)
		return 0;
	pthread_mutex_lock(&frames->lock);
	if (frames->count < TL_USER_NETWORK_QUEUE) {
		struct frame *frame = &frames->ring[(frames->first + frames->count) % TL_USER_NETWORK_QUEUE];

		frame->size = (tl_u32)size;
		tl_copy(frame->bytes, bytes, size);
		count = ++frames->count;
	}
	pthread_mutex_unlock(&frames->lock);
	return count;
}

/* The first one stays where it is, as others are put behind it only, until its one reader drops it. */
static const struct frame *frames_first(struct frames *frames)
{
	const struct frame *frame;

	pthread_mutex_lock(&frames->lock);
	frame = frames->count != 0 ? &frames->ring[frames->first] : NULL;
	pthread_mutex_unlock(&frames->lock);
	return frame;
}

static void frames_drop(struct frames *frames)
{
	pthread_mutex_lock(&frames->lock);
	frames->first = (frames->first + 1) % TL_USER_NETWORK_QUEUE;
	frames->count--;
	pthread_mutex_unlock(&frames->lock);
}

/* What libslirp calls. */

static ssize_t send_packet(const void *bytes, size_t size, void *context)
{
	struct tl_user_network *network = context;

	if (frames_put(&network->to_guest, bytes, size) == 1 && network->settings.arrived != NULL)
		network->settings.arrived(network->settings.context);
	return (ssize_t)size;
}

static void guest_error(const char *message, void *context)
{
	(void)message; /* nothing that a guest sends is worth a line of ours */
	(void)context;
}

static int64_t clock_get_ns(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_i64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *timer_new(SlirpTimerCb call, void *opaque, void *context)
{
	struct tl_user_network *network = context;

	for (int i = 0; i < TIMERS_MAX; i++)
		if (!network->timers[i].used) {
			network->timers[i] = (struct timer){.used = true, .call = call, .opaque = opaque};
			return &network->timers[i];
		}
	return NULL;
}

static void timer_free(void *timer, void *context)
{
	struct timer *freed = timer;

	(void)context;
	if (freed != NULL)
		*freed = (struct timer){.used = false};
}

static void timer_mod(void *timer, int64_t when, void *context)
{
	struct timer *moved = timer;

	(void)context;
	if (moved == NULL)
		return;
	moved->armed = true;
	moved->when = when;
}

/* Which sockets there are is asked for before each wait; a closed one leaves epoll by itself. */
static void poll_descriptor(int descriptor, void *context)
{
	(void)descriptor;
	(void)context;
}

static void kick(struct tl_user_network *network)
{
	tl_u64 one = 1;

	(void)!write(network->kick, &one, sizeof(one));
}

static void notify(void *context)
{
	kick(context);
}

static const SlirpCb calls = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_get_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = poll_descriptor,
	.unregister_poll_fd = poll_descriptor,
	.notify = notify,
};

/* What to wait for. */

static int add_poll(int descriptor, int wanted, void *context)
{
	struct tl_user_network *network = context;
	struct epoll_event event = {.events = ((wanted & SLIRP_POLL_IN) != 0 ? EPOLLIN : 0u) |
					      ((wanted & SLIRP_POLL_OUT) != 0 ? EPOLLOUT : 0u) |
					      ((wanted & SLIRP_POLL_PRI) != 0 ? EPOLLPRI : 0u),
				    .data.u64 = OF_SLIRP + network->watched_count};
	void *array = network->watched;

	if (!tl_grow(tl_storage(), &array, &network->watched_capacity, network->watched_count,
		     sizeof(*network->watched)))
		return -1;
	network->watched = array;
	/* Numbers of descriptors are used again: whether it is known, epoll knows best. */
	if (epoll_ctl(network->epoll, EPOLL_CTL_MOD, descriptor, &event) != 0 &&
	    epoll_ctl(network->epoll, EPOLL_CTL_ADD, descriptor, &event) != 0)
		return -1;
	network->watched[network->watched_count] = (struct watched){.descriptor = descriptor};
	return (int)network->watched_count++;
}

static int get_ready(int number, void *context)
{
	const struct tl_user_network *network = context;
	tl_u32 ready;

	if (number < 0 || (tl_size)number >= network->watched_count)
		return 0;
	ready = network->watched[number].ready;
	return ((ready & EPOLLIN) != 0 ? SLIRP_POLL_IN : 0) | ((ready & EPOLLOUT) != 0 ? SLIRP_POLL_OUT : 0) |
	       ((ready & EPOLLPRI) != 0 ? SLIRP_POLL_PRI : 0) | ((ready & EPOLLERR) != 0 ? SLIRP_POLL_ERR : 0) |
	       ((ready & EPOLLHUP) != 0 ? SLIRP_POLL_HUP : 0);
}

static bool is_watched(const struct tl_user_network *network, int descriptor)
{
	for (tl_size i = 0; i < network->watched_count; i++)
		if (network->watched[i].descriptor == descriptor)
			return true;
	return false;
}

/* Those that libslirp does not care for now would be ready all the time. */
static void forget_others(struct tl_user_network *network)
{
	for (tl_size i = 0; i < network->before_count; i++)
		if (!is_watched(network, network->before[i].descriptor))
			(void)epoll_ctl(network->epoll, EPOLL_CTL_DEL, network->before[i].descriptor, NULL);
}

static void set_clock(struct tl_user_network *network, tl_u32 timeout)
{
	tl_i64 now = clock_get_ns(NULL) / 1000000, when = timeout != TL_U32_MAX ? now + timeout : -1;
	struct itimerspec time = {.it_value = {0, 0}};

	for (int i = 0; i < TIMERS_MAX; i++)
		if (network->timers[i].armed && (when < 0 || network->timers[i].when < when))
			when = network->timers[i].when;
	if (when >= 0) {
		when = when < 1 ? 1 : when; /* 0 would be never */
		time.it_value.tv_sec = when / 1000;
		time.it_value.tv_nsec = when % 1000 * 1000000;
	}
	(void)timerfd_settime(network->clock, TFD_TIMER_ABSTIME, &time, NULL);
}

static void prepare(struct tl_user_network *network)
{
	struct watched *array = network->before;
	tl_size capacity = network->before_capacity;
	tl_u32 timeout = TL_U32_MAX;

	network->before = network->watched;
	network->before_capacity = network->watched_capacity;
	network->before_count = network->watched_count;
	network->watched = array;
	network->watched_capacity = capacity;
	network->watched_count = 0;
	slirp_pollfds_fill(network->slirp, &timeout, add_poll, network);
	forget_others(network);
	set_clock(network, timeout);
}

static void run_timers(struct tl_user_network *network)
{
	tl_i64 now = clock_get_ns(NULL) / 1000000;

	for (int i = 0; i < TIMERS_MAX; i++) {
		struct timer *timer = &network->timers[i];

		if (!timer->armed || timer->when > now)
			continue;
		timer->armed = false; /* it may arm itself again */
		timer->call(timer->opaque);
	}
}

/* Notes which of libslirp's sockets are ready, and quiets what is ours. */
static void look(struct tl_user_network *network)
{
	struct epoll_event events[READY_MAX];
	int count = epoll_wait(network->epoll, events, READY_MAX, 0);
	tl_u64 ignored;

	for (int i = 0; i < count; i++) {
		tl_u64 what = events[i].data.u64;

		if (what == OF_KICK)
			(void)!read(network->kick, &ignored, sizeof(ignored));
		else if (what == OF_CLOCK)
			(void)!read(network->clock, &ignored, sizeof(ignored));
		else if (what - OF_SLIRP < network->watched_count)
			network->watched[what - OF_SLIRP].ready = events[i].events;
	}
}

void tl_user_network_turn(struct tl_user_network *network)
{
	const struct frame *frame;

	look(network);
	while ((frame = frames_first(&network->from_guest)) != NULL) {
		slirp_input(network->slirp, frame->bytes, (int)frame->size);
		frames_drop(&network->from_guest);
	}
	slirp_pollfds_poll(network->slirp, 0, get_ready, network);
	run_timers(network);
	prepare(network);
}

int tl_user_network_descriptor(const struct tl_user_network *network)
{
	return network->epoll;
}

void tl_user_network_send(void *network, const tl_u8 *frame, tl_u64 size)
{
	struct tl_user_network *to = network;

	if (frames_put(&to->from_guest, frame, size) == 1)
		kick(to);
}

tl_u64 tl_user_network_take(struct tl_user_network *network,
			    bool (*take)(void *context, const tl_u8 *frame, tl_u64 size), void *context)
{
	const struct frame *frame;
	tl_u64 taken = 0;

	while ((frame = frames_first(&network->to_guest)) != NULL && take(context, frame->bytes, frame->size)) {
		frames_drop(&network->to_guest);
		taken++;
	}
	return taken;
}

bool tl_user_network_waits(struct tl_user_network *network)
{
	return frames_first(&network->to_guest) != NULL;
}

static bool watch_own(const struct tl_user_network *network, int descriptor, tl_u64 what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = what};

	return descriptor >= 0 && epoll_ctl(network->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static enum tl_status open_descriptors(struct tl_user_network *network, struct tl_error *error)
{
	network->epoll = epoll_create1(EPOLL_CLOEXEC);
	network->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	network->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (network->epoll < 0 || !watch_own(network, network->kick, OF_KICK) ||
	    !watch_own(network, network->clock, OF_CLOCK))
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot wait for a network");
	return TL_OK;
}

static enum tl_status open_slirp(struct tl_user_network *network, struct tl_error *error)
{
	SlirpConfig configuration = {
		.version = 1,
		.restricted = network->settings.restricted,
		.in_enabled = true,
		.vnetwork.s_addr = htonl(NETWORK),
		.vnetmask.s_addr = htonl(MASK),
		.vhost.s_addr = htonl(GATEWAY),
		.vhostname = "trapline",
		.vdhcp_start.s_addr = htonl(FIRST_GUEST),
		.vnameserver.s_addr = htonl(NAME_SERVER),
	};

	network->slirp = slirp_new(&configuration, &calls, network);
	if (network->slirp == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "libslirp %s makes no network", slirp_version_string());
	return TL_OK;
}

enum tl_status tl_user_network_open(const struct tl_user_network_settings *settings,
				    struct tl_user_network **network_ret, struct tl_error *error)
{
	struct tl_user_network *network = tl_allocate(tl_storage(), sizeof(*network));
	enum tl_status status = TL_OK;
	bool to_guest, from_guest;

	if (network == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a network");
	network->settings = *settings;
	network->epoll = network->kick = network->clock = -1;
	/* Both, so that closing finds both. */
	to_guest = frames_open(&network->to_guest);
	from_guest = frames_open(&network->from_guest);
	if (!to_guest || !from_guest)
		status = TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a network");
	if (status == TL_OK)
		status = open_descriptors(network, error);
	if (status == TL_OK)
		status = open_slirp(network, error);
	if (status != TL_OK) {
		tl_user_network_close(network);
		return status;
	}
	prepare(network);
	*network_ret = network;
	return TL_OK;
}

static void close_descriptor(int descriptor)
{
	if (descriptor >= 0)
		(void)close(descriptor);
}

void tl_user_network_close(struct tl_user_network *network)
{
	if (network == NULL)
		return;
	if (network->slirp != NULL)
		slirp_cleanup(network->slirp);
	close_descriptor(network->epoll);
	close_descriptor(network->kick);
	close_descriptor(network->clock);
	frames_close(&network->to_guest);
	frames_close(&network->from_guest);
	tl_release(tl_storage(), network->watched, network->watched_capacity * sizeof(*network->watched));
	tl_release(tl_storage(), network->before, network->before_capacity * sizeof(*network->before));
	tl_release(tl_storage(), network, sizeof(*network));
}

/* Reads [ADDRESS]:PORT up to `end`; the address stays as it is when none is given. */
static bool read_place(const char **text, char end, struct in_addr *address, int *port_ret)
{
	char word[16];
	tl_size length = 0;
	int port = 0, digits = 0;

	while (**text != 0 && **text != ':' && length + 1 < sizeof(word))
		word[length++] = *(*text)++;
	word[length] = 0;
	if (**text != ':' || (length != 0 && inet_pton(AF_INET, word, address) != 1))
		return false;
	for ((*text)++; **text >= '0' && **text <= '9' && digits < 5; (*text)++, digits++)
		port = port * 10 + (**text - '0');
	if (digits == 0 || port == 0 || port > 65535 || **text != end)
		return false;
	if (end != 0)
		(*text)++;
	*port_ret = port;
	return true;
}

/* Past "tcp:", "udp:" or ":". */
static bool read_protocol(const char **text, bool *udp_ret)
{
	*udp_ret = __builtin_strncmp(*text, "udp:", 4) == 0;
	if (*udp_ret || __builtin_strncmp(*text, "tcp:", 4) == 0) {
		*text += 4;
		return true;
	}
	return *(*text)++ == ':';
}

enum tl_status tl_user_network_forward(struct tl_user_network *network, const char *what, struct tl_error *error)
{
	struct in_addr host = {htonl(INADDR_LOOPBACK)}, guest = {htonl(FIRST_GUEST)};
	const char *text = what;
	int host_port = 0, guest_port = 0;
	bool udp;

	if (!read_protocol(&text, &udp) || !read_place(&text, '-', &host, &host_port) ||
	    !read_place(&text, 0, &guest, &guest_port))
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "\"%.100s\" forwards nothing: write [tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT, "
			       "as in tcp::2222-:22",
			       what);
	errno = 0;
	if (slirp_add_hostfwd(network->slirp, udp, host, host_port, guest, guest_port) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot listen at %s port %d for the guest",
				     udp ? "UDP" : "TCP", host_port);
	prepare(network);
	return TL_OK;
}

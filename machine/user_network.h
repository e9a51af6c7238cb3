/*
 * A network in user mode, as QEMU's: the guest sees 10.0.2.0/24 with a gateway (.2), a name server (.3) and addresses
 * by DHCP (from .15); its connections become sockets of this process. Made by libslirp, whose clock is the host's.
 *
 * Two threads. All functions belong to the control thread but for two, which a machine's own thread may call: one hands
 * over a frame of the guest, the other takes frames for it, at a moment that the machine chooses and writes down. That
 * is the only door into the guest, and with what came through it a run can be repeated without a network.
 *
 * Source: libslirp 4.7, slirp/libslirp.h.
 */
#ifndef TL_MACHINE_USER_NETWORK_H
#define TL_MACHINE_USER_NETWORK_H

#include "base/error.h"
#include "core/types.h"

#define TL_USER_NETWORK_FRAME_MAX 1518
#define TL_USER_NETWORK_QUEUE 512 /* frames that wait, in each direction; more are dropped, as networks do */

struct tl_user_network;

struct tl_user_network_settings {
	bool restricted; /* nothing but the gateway itself, and what is forwarded, can be reached */
	/* There are frames for the guest where there were none. Control thread; NULL: nobody wants to know. */
	void (*arrived)(void *context);
	void *context;
};

/* The caller closes it. TL_ERROR_SYSTEM or TL_ERROR_NO_MEMORY. */
TL_CHECKED enum tl_status tl_user_network_open(const struct tl_user_network_settings *settings,
					       struct tl_user_network **network_ret, struct tl_error *error);
/* Ends all connections; NULL is fine. The other thread is not in any function of it any more. */
void tl_user_network_close(struct tl_user_network *network);

/*
 * Makes a port of the host lead to one of the guest. `what` is [tcp|udp]:[HOST-ADDRESS]:PORT-[GUEST-ADDRESS]:PORT, as
 * in QEMU's hostfwd; without a protocol it is tcp, without a host's address this machine alone can reach it (127.0.0.1;
 * in QEMU everybody can), without a guest's it is the first that DHCP gives. TL_ERROR_ARGUMENT, or TL_ERROR_SYSTEM when
 * the port is taken.
 */
TL_CHECKED enum tl_status tl_user_network_forward(struct tl_user_network *network, const char *what,
						  struct tl_error *error);

/* A descriptor that is readable when tl_user_network_turn has something to do; it does not wait. */
int tl_user_network_descriptor(const struct tl_user_network *network);
void tl_user_network_turn(struct tl_user_network *network);

/* A frame of the guest: what struct tl_virtio_net calls (`network` is a struct tl_user_network *). Any one thread. */
void tl_user_network_send(void *network, const tl_u8 *frame, tl_u64 size);

/*
 * Hands the frames that wait for the guest to `take`, in order, until it returns false; that one is kept for the next
 * time. Returns how many were taken. Any one thread.
 */
tl_u64 tl_user_network_take(struct tl_user_network *network,
			    bool (*take)(void *context, const tl_u8 *frame, tl_u64 size), void *context);

/* Whether there are frames that wait for the guest. Any thread. */
bool tl_user_network_waits(struct tl_user_network *network);

#endif

/*
 * Addresses as they stand on a command line, and the doors that they open.
 *
 *     HOST:PORT     that address only; a name is resolved; "localhost" is 127.0.0.1
 *     [::1]:PORT    an IPv6 address
 *     :PORT, PORT   loopback (127.0.0.1)
 *     *:PORT        every address of this machine
 *     unix:PATH     a Unix socket; unix:@NAME is one in the abstract name space
 *     -             standard input and output
 *     /dev/NAME     a serial line, or any other character device
 *
 * tcp:, tcp4: and tcp6: may stand in front of the first four, as with gdb. Port 0 means: a free one.
 *
 * Every descriptor that comes from here is close-on-exec. Any thread may call these; none of them keeps state.
 */
#ifndef TL_BASE_ADDRESS_H
#define TL_BASE_ADDRESS_H

#include "base/error.h"
#include "core/types.h"

enum tl_address_kind { TL_ADDRESS_TCP, TL_ADDRESS_UNIX, TL_ADDRESS_STANDARD, TL_ADDRESS_DEVICE };

/* Which kind of TCP address a name may be resolved to. */
enum tl_address_family { TL_FAMILY_ANY, TL_FAMILY_4, TL_FAMILY_6 };

struct tl_address {
	enum tl_address_kind kind;
	enum tl_address_family family;
	char name[256]; /* host without brackets, path, or device; "" for loopback */
	tl_u16 port;
};

/* Understands one of the forms above. `error` says what is wrong with it and which forms there are. */
TL_CHECKED enum tl_status tl_address_parse(const char *text, struct tl_address *address_ret, struct tl_error *error);

/* A listening socket. */
struct tl_listener {
	int descriptor; /* does not block; belongs to the listener */
	struct tl_address address;
	char text[320];       /* where it listens, with the port that was chosen: "127.0.0.1:2345", "unix:/a/b" */
	tl_u64 device, inode; /* of the socket file, so that closing removes no other's */
};

/*
 * Listens. A Unix socket file that nobody listens on any more is replaced; the new one may be opened by this user
 * alone. Standard input and devices are nothing to listen on: TL_ERROR_ARGUMENT.
 */
TL_CHECKED enum tl_status tl_listener_open(const struct tl_address *address, struct tl_listener *listener_ret,
					   struct tl_error *error);
/* Closes the socket and removes its file. Fine on a listener whose descriptor is -1, which this leaves behind. */
void tl_listener_close(struct tl_listener *listener);

/*
 * Takes one waiting connection: a descriptor that does not block, which the caller closes. `peer_ret`, of `size` bytes,
 * gets a name for it ("127.0.0.1:40112", "process 812"). A Unix peer that runs neither as this user nor as root is
 * turned away with TL_ERROR_PERMISSION. TL_ERROR_TIMEOUT: nobody waits any more.
 */
TL_CHECKED enum tl_status tl_listener_accept(struct tl_listener *listener, int *descriptor_ret, char *peer_ret,
					     tl_size size, struct tl_error *error);

/*
 * Takes standard input and output over for the protocol: they move to two new descriptors that do not block, 0 becomes
 * /dev/null and 1 a copy of standard error, so that nothing else that reads or prints here, the program among them,
 * can disturb the conversation. The caller closes both. (Both may be the same open file: a terminal, or a socket.)
 */
TL_CHECKED enum tl_status tl_standard_open(int *input_ret, int *output_ret, struct tl_error *error);

/*
 * Goes to where somebody listens: a descriptor that does not block, which the caller closes. Waits `milliseconds` at
 * most, but for a name to be resolved. Standard input and devices are nothing to go to: TL_ERROR_ARGUMENT.
 * TL_ERROR_TIMEOUT; TL_ERROR_SYSTEM with what to do in the sentence.
 */
TL_CHECKED enum tl_status tl_address_connect(const struct tl_address *address, tl_u64 milliseconds, int *descriptor_ret,
					     struct tl_error *error);

/*
 * Opens a character device for both directions; a terminal is set to pass bytes as they are, at `baud` bits a second
 * (0: as it is set). The caller closes it.
 */
TL_CHECKED enum tl_status tl_device_open(const char *path, tl_u32 baud, int *descriptor_ret, struct tl_error *error);
/* Whether a serial line can have this speed. */
bool tl_device_speed_is_known(tl_u32 baud);

#endif

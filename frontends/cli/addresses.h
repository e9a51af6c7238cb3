/*
 * Addresses as people see them, and the one that `x` goes on at. Control thread, outside of a turn of the loop.
 */
#ifndef TL_FRONTENDS_CLI_ADDRESSES_H
#define TL_FRONTENDS_CLI_ADDRESSES_H

#include "base/error.h"
#include "core/types.h"

struct tl_cli;
struct tl_output;
struct tl_type;

/* The symbol that an address lies in, as people write it, cut off at `size` bytes; false when there is none. */
bool tl_address_symbol(struct tl_cli *cli, tl_u64 address, char *name_ret, tl_size size, tl_u64 *offset_ret);

/* How many digits an address has in a column of them, and where a frame stands: 8 of a 32-bit program, else 16. */
int tl_address_digits(struct tl_cli *cli);

/* "0x1139 <add+4>", as gdb writes addresses. */
void tl_address_write(struct tl_cli *cli, tl_u64 address, struct tl_output *output);
void tl_address_show(struct tl_cli *cli, tl_u64 address);

/* `x` without words begins there, and $_ is it (GDB manual, "Convenience Vars"). */
TL_CHECKED enum tl_status tl_address_stand(struct tl_cli *cli, tl_u64 address, struct tl_error *error);

/* $_ is the address of what `x` showed last, as a pointer to its type, and $__ what stands there. */
TL_CHECKED enum tl_status tl_address_shown(struct tl_cli *cli, tl_u64 address, const struct tl_type *type,
					   struct tl_error *error);

/* The same of what has no type, such as instructions. */
TL_CHECKED enum tl_status tl_address_shown_bytes(struct tl_cli *cli, tl_u64 address, struct tl_error *error);

/*
 * An expression up to a comma that stands in no brackets or quotes; *at then stands behind it, and spaces. What it
 * comes to as an address.
 */
TL_CHECKED enum tl_status tl_address_evaluate(struct tl_cli *cli, const char *text, tl_size size, tl_u64 *address_ret,
					      struct tl_error *error);
tl_size tl_address_part(const char **at, const char **part_ret);

#endif

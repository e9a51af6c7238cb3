/*
 * The tables by which a PC's board (pc_board.h) says what it has: processors and interrupt controllers, the registers
 * that switch it off and reset it, the serial port, and the virtio slots that have something in them.
 *
 * Pure: it writes bytes for an address, which a loader puts there. Whoever has no ACPI ignores them.
 *
 * Source: ACPI 6.4, 5.2 (RSDP, XSDT, FADT, FACS, MADT), 6.4 (resources), 20.2 (AML).
 */
#ifndef TL_MACHINE_ACPI_TABLES_H
#define TL_MACHINE_ACPI_TABLES_H

#include "core/types.h"

/* Where processors find interrupt controllers on every PC. */
#define TL_ACPI_APIC 0xfee00000ull
#define TL_ACPI_IO_APIC 0xfec00000ull

#define TL_ACPI_SIZE_MAX 8192 /* more than all tables together ever have */

/* What there is besides what every board has. */
struct tl_acpi_facts {
	tl_u32 processors; /* up to 254; their numbers are those of their APICs, from 0 on */
	tl_u32 slots;      /* a bit for each virtio slot with a device */
};

/*
 * Writes all tables, the RSDP first, for guest-physical `address`, a multiple of 64. Returns how many bytes they have;
 * 0 when `room` is less than that.
 */
tl_size tl_acpi_tables_write(const struct tl_acpi_facts *facts, tl_u64 address, tl_u8 *bytes, tl_size room);

#endif

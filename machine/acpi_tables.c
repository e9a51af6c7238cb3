#include "machine/acpi_tables.h"

#include "core/cursor.h"
#include "machine/cmos.h"
#include "machine/pc_board.h"

#define RSDP_SIZE 36
#define FACS_SIZE 64
#define FADT_SIZE 276
#define HEADER_SIZE 36
#define CONTROL_INPUT 9 /* the interrupt of power management, which never comes */

/* Of a table's address, in the part of AML that a device's resources are. */
enum { ACPI_SPACE_PORTS = 1 };

/* Tables one after the other, each on a boundary of 64 bytes. */
struct tables {
	struct tl_writer out;
	tl_u8 *bytes;
	tl_u64 address;
};

static void put(struct tl_writer *out, tl_u64 value, tl_size size)
{
	tl_u8 bytes[8];

	tl_store_little(bytes, value, size);
	tl_write_bytes(out, bytes, size);
}

static void put_zeros(struct tl_writer *out, tl_size count)
{
	for (tl_size i = 0; i < count; i++)
		tl_write_byte(out, 0);
}

static void align(struct tl_writer *out)
{
	put_zeros(out, (64 - tl_writer_size(out) % 64) % 64);
}

/* Begins a table, whose number of bytes and sum are put in when it ends. Returns where it begins. */
static tl_size begin(struct tables *tables, const char *signature, tl_u8 revision)
{
	tl_size start;

	align(&tables->out);
	start = tl_writer_size(&tables->out);
	tl_write_bytes(&tables->out, signature, 4);
	put(&tables->out, 0, 4);
	tl_write_byte(&tables->out, revision);
	tl_write_byte(&tables->out, 0);
	tl_write_bytes(&tables->out, "TRAPLN", 6);
	tl_write_bytes(&tables->out, "TRAPLINE", 8);
	put(&tables->out, 1, 4);
	tl_write_bytes(&tables->out, "TRPL", 4);
	put(&tables->out, 1, 4);
	return start;
}

/* The byte that makes all of them add up to 0. */
static tl_u8 balance(const tl_u8 *bytes, tl_size size)
{
	tl_u8 sum = 0;

	for (tl_size i = 0; i < size; i++)
		sum = (tl_u8)(sum + bytes[i]);
	return (tl_u8)-sum;
}

/* Returns the table's address. */
static tl_u64 end(struct tables *tables, tl_size start)
{
	tl_u8 *table = tables->bytes + start;
	tl_size size = tl_writer_size(&tables->out) - start;

	if (tables->out.failed)
		return 0;
	tl_store_little(table + 4, size, 4);
	table[9] = balance(table, size);
	return tables->address + start;
}

/* ---- AML ---- */

#define AML_ROOM 1024

/* A piece of AML, put together from the inside. */
struct aml {
	tl_u8 bytes[AML_ROOM];
	struct tl_writer out;
};

static void aml_begin(struct aml *aml)
{
	aml->out = tl_writer_make(aml->bytes, sizeof(aml->bytes));
}

/* A length counts its own bytes, of which there are one or two here. */
static void put_length(struct tl_writer *out, tl_size size)
{
	if (size + 1 < 0x40) {
		tl_write_byte(out, (tl_u8)(size + 1));
		return;
	}
	tl_write_byte(out, (tl_u8)(0x40 | ((size + 2) & 0x0f)));
	tl_write_byte(out, (tl_u8)((size + 2) >> 4));
}

static void put_name(struct tl_writer *out, const char *name)
{
	tl_write_byte(out, 0x08);
	tl_write_bytes(out, name, 4);
}

static void put_byte(struct tl_writer *out, tl_u8 value)
{
	tl_write_byte(out, 0x0a);
	tl_write_byte(out, value);
}

/* Name (_CRS, Buffer () {...}) */
static void put_resources(struct tl_writer *out, const struct aml *resources)
{
	tl_size size = tl_writer_size(&resources->out);

	put_name(out, "_CRS");
	tl_write_byte(out, 0x11);
	put_length(out, size + 2);
	put_byte(out, (tl_u8)size);
	tl_write_bytes(out, resources->bytes, size);
}

/* Device (NAME) {...} */
static void put_device(struct tl_writer *out, const char *name, const struct aml *content)
{
	tl_size size = tl_writer_size(&content->out);

	tl_write_byte(out, 0x5b);
	tl_write_byte(out, 0x82);
	put_length(out, size + 4);
	tl_write_bytes(out, name, 4);
	tl_write_bytes(out, content->bytes, size);
}

static void put_end_of_resources(struct tl_writer *out)
{
	tl_write_byte(out, 0x79);
	tl_write_byte(out, 0);
}

static void put_serial_port(struct tl_writer *out)
{
	struct aml resources, content;

	aml_begin(&resources);
	tl_write_byte(&resources.out, 0x47); /* ports, all 16 bits of their numbers */
	tl_write_byte(&resources.out, 1);
	put(&resources.out, TL_PC_UART_PORT, 2);
	put(&resources.out, TL_PC_UART_PORT, 2);
	tl_write_byte(&resources.out, 1);
	tl_write_byte(&resources.out, TL_PC_UART_PORTS);
	tl_write_byte(&resources.out, 0x22); /* an interrupt of the old kind */
	put(&resources.out, 1u << TL_PC_UART_INPUT, 2);
	put_end_of_resources(&resources.out);
	aml_begin(&content);
	put_name(&content.out, "_HID");
	tl_write_byte(&content.out, 0x0c);
	tl_write_bytes(&content.out, "\x41\xd0\x05\x01", 4); /* PNP0501, packed */
	put_name(&content.out, "_UID");
	put_byte(&content.out, 1);
	put_resources(&content.out, &resources);
	put_device(out, "COM1", &content);
}

static void put_slot(struct tl_writer *out, tl_u32 slot)
{
	struct aml resources, content;
	char name[] = "VIO0";

	name[3] = (char)('0' + slot);
	aml_begin(&resources);
	tl_write_byte(&resources.out, 0x86); /* memory, 32 bits, to be read and written */
	put(&resources.out, 9, 2);
	tl_write_byte(&resources.out, 1);
	put(&resources.out, TL_PC_SLOT + (tl_u64)slot * TL_PC_SLOT_SIZE, 4);
	put(&resources.out, TL_PC_SLOT_SIZE, 4);
	tl_write_byte(&resources.out, 0x89); /* an interrupt: by level, up, not shared */
	put(&resources.out, 6, 2);
	tl_write_byte(&resources.out, 1);
	tl_write_byte(&resources.out, 1);
	put(&resources.out, TL_PC_SLOT_INPUT + slot, 4);
	put_end_of_resources(&resources.out);
	aml_begin(&content);
	put_name(&content.out, "_HID");
	tl_write_byte(&content.out, 0x0d);
	tl_write_bytes(&content.out, "LNRO0005", 9); /* with the byte that ends it */
	put_name(&content.out, "_UID");
	put_byte(&content.out, (tl_u8)slot);
	put_resources(&content.out, &resources);
	put_device(out, name, &content);
}

/* Scope (\_SB) {...} */
static void put_devices(struct tl_writer *out, const struct tl_acpi_facts *facts)
{
	struct aml content;

	aml_begin(&content);
	put_serial_port(&content.out);
	for (tl_u32 i = 0; i < TL_PC_SLOTS; i++)
		if ((facts->slots >> i & 1) != 0)
			put_slot(&content.out, i);
	tl_write_byte(out, 0x10);
	put_length(out, tl_writer_size(&content.out) + 5);
	tl_write_bytes(out, "\\_SB_", 5);
	tl_write_bytes(out, content.bytes, tl_writer_size(&content.out));
}

/* ---- Tables ---- */

static tl_u64 put_dsdt(struct tables *tables, const struct tl_acpi_facts *facts)
{
	tl_size start = begin(tables, "DSDT", 2);
	struct tl_writer *out = &tables->out;

	put_name(out, "_S5_"); /* Name (_S5, Package () {off, off, 0, 0}) */
	tl_write_byte(out, 0x12);
	put_length(out, 7);
	tl_write_byte(out, 4);
	put_byte(out, TL_PC_SLEEP_OFF);
	put_byte(out, TL_PC_SLEEP_OFF);
	put_zeros(out, 2);
	put_devices(out, facts);
	return end(tables, start);
}

static tl_u64 put_madt(struct tables *tables, const struct tl_acpi_facts *facts)
{
	tl_size start = begin(tables, "APIC", 5);
	struct tl_writer *out = &tables->out;

	put(out, TL_ACPI_APIC, 4);
	put(out, 1, 4); /* there are the two old controllers, too */
	for (tl_u32 i = 0; i < facts->processors; i++) {
		put(out, 0x0800, 2); /* a processor: its number, its APIC's, enabled */
		tl_write_byte(out, (tl_u8)i);
		tl_write_byte(out, (tl_u8)i);
		put(out, 1, 4);
	}
	put(out, 0x0c01, 2); /* the controller for devices: number, address, its first input */
	put(out, 0, 2);
	put(out, TL_ACPI_IO_APIC, 4);
	put(out, 0, 4);
	put(out, 0x0a02, 2); /* power management's interrupt is by level, and up */
	tl_write_byte(out, 0);
	tl_write_byte(out, CONTROL_INPUT);
	put(out, CONTROL_INPUT, 4);
	put(out, 0x000d, 2);
	put(out, 0x0604, 2); /* NMI is at input 1 of all processors */
	tl_write_byte(out, 0xff);
	put(out, 0, 2);
	tl_write_byte(out, 1);
	return end(tables, start);
}

/* Shared with firmware that there is not. It has no sum. */
static tl_u64 put_facs(struct tables *tables)
{
	tl_size start;

	align(&tables->out);
	start = tl_writer_size(&tables->out);
	tl_write_bytes(&tables->out, "FACS", 4);
	put(&tables->out, FACS_SIZE, 4);
	put_zeros(&tables->out, 24);
	tl_write_byte(&tables->out, 2);
	put_zeros(&tables->out, FACS_SIZE - 33);
	return tables->address + start;
}

static void set_register(tl_u8 *fadt, tl_size offset, tl_u8 size, tl_u64 port)
{
	fadt[offset] = ACPI_SPACE_PORTS;
	fadt[offset + 1] = (tl_u8)(size * 8);
	fadt[offset + 3] = size == 4 ? 3 : size; /* in accesses of 1, 2 or 4 bytes: 1, 2, 3 */
	tl_store_little(fadt + offset + 4, port, 8);
}

/* Offsets are those of table 5-33 ("FADT Format"). */
static void set_power(tl_u8 *fadt)
{
	tl_store_little(fadt + 46, CONTROL_INPUT, 2);
	tl_store_little(fadt + 56, TL_PC_PM_PORT + TL_PC_PM_EVENT, 4);
	tl_store_little(fadt + 64, TL_PC_PM_PORT + TL_PC_PM_CONTROL, 4);
	tl_store_little(fadt + 76, TL_PC_PM_PORT + TL_PC_PM_TIMER, 4);
	fadt[88] = 4;
	fadt[89] = 2;
	fadt[91] = 4;
	set_register(fadt, 116, 1, TL_PC_RESET_PORT);
	fadt[128] = TL_PC_RESET_VALUE;
	set_register(fadt, 148, 4, TL_PC_PM_PORT + TL_PC_PM_EVENT);
	fadt[151] = 2; /* events are two words */
	set_register(fadt, 172, 2, TL_PC_PM_PORT + TL_PC_PM_CONTROL);
	set_register(fadt, 208, 4, TL_PC_PM_PORT + TL_PC_PM_TIMER);
}

static tl_u64 put_fadt(struct tables *tables, tl_u64 dsdt, tl_u64 facs)
{
	tl_size start = begin(tables, "FACP", 6);
	tl_u8 *fadt = tables->bytes + start;

	put_zeros(&tables->out, FADT_SIZE - HEADER_SIZE);
	if (tables->out.failed)
		return 0;
	tl_store_little(fadt + 36, facs, 4);
	tl_store_little(fadt + 40, dsdt, 4);
	set_power(fadt);
	tl_store_little(fadt + 96, 0xffff, 2); /* there are no deeper states of rest */
	tl_store_little(fadt + 98, 0xffff, 2);
	fadt[108] = TL_CMOS_CENTURY;
	tl_store_little(fadt + 109, 0x0005, 2); /* old devices at their places; no video */
	/* WBINVD, C1, no buttons, no alarm, a timer of 32 bits, the reset register */
	tl_store_little(fadt + 112, 1u << 0 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 10, 4);
	tl_store_little(fadt + 140, dsdt, 8);
	return end(tables, start);
}

static void set_rsdp(tl_u8 *rsdp, tl_u64 xsdt)
{
	tl_copy(rsdp, "RSD PTR ", 8);
	tl_copy(rsdp + 9, "TRAPLN", 6);
	rsdp[15] = 2;
	tl_store_little(rsdp + 20, RSDP_SIZE, 4);
	tl_store_little(rsdp + 24, xsdt, 8);
	rsdp[8] = balance(rsdp, 20);
	rsdp[32] = balance(rsdp, RSDP_SIZE);
}

tl_size tl_acpi_tables_write(const struct tl_acpi_facts *facts, tl_u64 address, tl_u8 *bytes, tl_size room)
{
	struct tables tables = {.out = tl_writer_make(bytes, room), .bytes = bytes, .address = address};
	tl_u64 dsdt, madt, fadt, xsdt;
	tl_size start;

	put_zeros(&tables.out, RSDP_SIZE);
	dsdt = put_dsdt(&tables, facts);
	madt = put_madt(&tables, facts);
	fadt = put_fadt(&tables, dsdt, put_facs(&tables));
	start = begin(&tables, "XSDT", 1);
	put(&tables.out, fadt, 8);
	put(&tables.out, madt, 8);
	xsdt = end(&tables, start);
	if (tables.out.failed)
		return 0;
	set_rsdp(bytes, xsdt);
	return tl_writer_size(&tables.out);
}

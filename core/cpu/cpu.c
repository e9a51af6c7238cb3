#include "core/cpu/cpu.h"

/* Numbers come from clients by way of tables, but a wrong one must not touch foreign memory: it reads as 0. */
static const struct tl_register *row(const struct tl_cpu *cpu, tl_u16 index)
{
	return index < cpu->register_count ? &cpu->registers[index] : NULL;
}

static tl_size number_size(const struct tl_register *reg)
{
	tl_size size = (tl_size)(reg->bits + 7) / 8;

	return size < 8 ? size : 8;
}

/* The first byte of the low part of a register. */
static tl_size low_part(const struct tl_cpu *cpu, const struct tl_register *reg)
{
	return cpu->big_endian ? (tl_size)reg->offset + (tl_size)(reg->bits + 7) / 8 - number_size(reg) : reg->offset;
}

tl_u64 tl_cpu_get(const struct tl_cpu *cpu, const tl_u8 *file, tl_u16 index)
{
	const struct tl_register *reg = row(cpu, index);
	tl_u64 value = 0;

	if (reg == NULL)
		return 0;
	if (!cpu->big_endian)
		return tl_load_little(file + reg->offset, number_size(reg));
	for (tl_size i = 0; i < number_size(reg); i++)
		value = value << 8 | file[low_part(cpu, reg) + i];
	return value;
}

void tl_cpu_set(const struct tl_cpu *cpu, tl_u8 *file, tl_u16 index, tl_u64 value)
{
	const struct tl_register *reg = row(cpu, index);

	if (reg == NULL)
		return;
	if (!cpu->big_endian) {
		tl_store_little(file + reg->offset, value, number_size(reg));
		return;
	}
	for (tl_size i = number_size(reg); i-- > 0; value >>= 8)
		file[low_part(cpu, reg) + i] = (tl_u8)value;
}

enum tl_status tl_cpu_find(const struct tl_cpu *cpu, const char *name, tl_u16 *index_ret)
{
	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		const struct tl_register *reg = &cpu->registers[i];

		if (tl_text_equal(reg->name, name) || (reg->alternate != NULL && tl_text_equal(reg->alternate, name))) {
			*index_ret = i;
			return TL_OK;
		}
	}
	return TL_ERROR_REGISTER;
}

static bool present(const struct tl_register *reg, tl_u32 features)
{
	return (features >> reg->feature & 1) != 0;
}

tl_u16 tl_cpu_present_count(const struct tl_cpu *cpu, tl_u32 features)
{
	tl_u16 count = 0;

	for (tl_u16 i = 0; i < cpu->register_count; i++)
		count = (tl_u16)(count + present(&cpu->registers[i], features));
	return count;
}

enum tl_status tl_cpu_present(const struct tl_cpu *cpu, tl_u32 features, tl_u64 number, tl_u16 *index_ret)
{
	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		if (!present(&cpu->registers[i], features))
			continue;
		if (number-- == 0) {
			*index_ret = i;
			return TL_OK;
		}
	}
	return TL_ERROR_REGISTER;
}

bool tl_cpu_has_bank(const struct tl_cpu *cpu, tl_u32 features, tl_u8 bank)
{
	for (tl_u16 i = 0; i < cpu->register_count; i++)
		if (cpu->registers[i].bank == bank && present(&cpu->registers[i], features))
			return true;
	return false;
}

static void attribute(struct tl_writer *writer, const char *name, const char *value)
{
	if (value == NULL)
		return;
	tl_write_byte(writer, ' ');
	tl_write_text(writer, name);
	tl_write_text(writer, "=\"");
	tl_write_xml(writer, value);
	tl_write_byte(writer, '"');
}

static void number_attribute(struct tl_writer *writer, const char *name, tl_u64 value)
{
	tl_write_byte(writer, ' ');
	tl_write_text(writer, name);
	tl_write_text(writer, "=\"");
	tl_write_decimal(writer, value);
	tl_write_byte(writer, '"');
}

/* Where the description goes from register to register: its number and its place in the `g` packet. */
struct position {
	tl_u16 number;
	tl_u32 offset;
};

/* lldb sorts registers into sets by group, and shows those of no group nowhere: each gets one. */
static const char *lldb_group(const struct tl_register *reg, bool vector)
{
	if (reg->group != NULL)
		return reg->group;
	if (reg->bank == TL_BANK_GENERAL)
		return "general";
	return reg->bits == 80 ? "float" : vector ? "vector" : "system";
}

/*
 * What lldb reads besides (its document "GDB Remote Protocol Extensions", qRegisterInfo, names the values). It puts
 * ymmN together from xmmN and ymmNh on its own, as GDB does.
 */
static void lldb_attributes(const struct tl_register *reg, const struct position *position, struct tl_writer *writer)
{
	bool vector = reg->bits > 64;

	number_attribute(writer, "offset", position->offset);
	attribute(writer, "encoding", vector ? "vector" : "uint");
	attribute(writer, "format", vector ? "vector-uint8" : "hex");
	attribute(writer, "group", lldb_group(reg, vector));
	attribute(writer, "altname", reg->alternate);
	attribute(writer, "generic", reg->generic);
	if (reg->ehframe >= 0) {
		number_attribute(writer, "gcc_regnum", (tl_u64)reg->ehframe);
		number_attribute(writer, "ehframe_regnum", (tl_u64)reg->ehframe);
	}
	if (reg->dwarf >= 0)
		number_attribute(writer, "dwarf_regnum", (tl_u64)reg->dwarf);
}

static void describe_register(const struct tl_register *reg, bool for_lldb, struct position *position,
			      struct tl_writer *writer)
{
	tl_write_text(writer, "<reg");
	attribute(writer, "name", reg->name);
	number_attribute(writer, "bitsize", reg->bits);
	attribute(writer, "type", reg->type);
	number_attribute(writer, "regnum", position->number);
	if (for_lldb)
		lldb_attributes(reg, position, writer);
	else
		attribute(writer, "group", reg->group);
	tl_write_text(writer, "/>\n");
	position->number++;
	position->offset += (tl_u32)(reg->bits + 7) / 8;
}

static bool feature_has_registers(const struct tl_cpu *cpu, tl_u8 feature)
{
	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		if (cpu->registers[i].feature == feature)
			return true;
	}
	return false;
}

/* The rows of one feature stand together in the table: the numbers go on from feature to feature. */
static void describe_feature(const struct tl_cpu *cpu, tl_u8 feature, bool for_lldb, struct position *position,
			     struct tl_writer *writer)
{
	tl_write_text(writer, "<feature");
	attribute(writer, "name", cpu->features[feature].name);
	tl_write_text(writer, ">\n");
	tl_write_text(writer, cpu->features[feature].types);
	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		if (cpu->registers[i].feature == feature)
			describe_register(&cpu->registers[i], for_lldb, position, writer);
	}
	tl_write_text(writer, "</feature>\n");
}

void tl_cpu_describe(const struct tl_cpu *cpu, tl_u32 features, const char *os_abi, bool for_lldb,
		     struct tl_writer *writer)
{
	struct position position = {0, 0};

	tl_write_text(writer, "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
			      "<target version=\"1.0\">\n<architecture>");
	tl_write_xml(writer, cpu->architecture);
	tl_write_text(writer, "</architecture>\n");
	if (os_abi != NULL) {
		tl_write_text(writer, "<osabi>");
		tl_write_xml(writer, os_abi);
		tl_write_text(writer, "</osabi>\n");
	}
	for (tl_u8 feature = 0; feature < cpu->feature_count; feature++) {
		if ((features >> feature & 1) != 0 && feature_has_registers(cpu, feature))
			describe_feature(cpu, feature, for_lldb, &position, writer);
	}
	tl_write_text(writer, "</target>\n");
}

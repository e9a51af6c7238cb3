#include "debugger/session/memory_file.h"

#include "base/storage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes in a record. */
#define RECORD 16u
/* The longest record that is read: 255 bytes, twice as many digits, and what stands around them. */
#define LINE_MAX 600
/* No file that is read is larger. */
#define FILE_SIZE_MAX ((tl_size)1 << 32)

/* ============================================================ writing ============================================ */

/* ":LLAAAATTDD…CC": a record of Intel's. */
static void write_ihex(FILE *file, tl_u32 address, unsigned type, const tl_u8 *bytes, unsigned count)
{
	unsigned sum = count + (address >> 8 & 0xff) + (address & 0xff) + type;

	(void)fprintf(file, ":%02X%04X%02X", count, (unsigned)(address & 0xffff), type);
	for (unsigned i = 0; i < count; i++) {
		(void)fprintf(file, "%02X", bytes[i]);
		sum += bytes[i];
	}
	(void)fprintf(file, "%02X\r\n", (0u - sum) & 0xff);
}

static void write_all_ihex(FILE *file, tl_u64 address, const tl_u8 *bytes, tl_size size)
{
	tl_u64 segment = 0, base = 0;

	while (size > 0) {
		tl_u64 offset = address - base - segment;
		unsigned count = size < RECORD ? (unsigned)size : RECORD;
		tl_u8 high[2];

		if (offset > 0xffff) {
			if (address <= 0xfffff) {
				segment = address & 0xf0000;
				high[0] = (tl_u8)(segment >> 12);
				high[1] = 0;
				write_ihex(file, 0, 2, high, 2);
			} else {
				/* The two kinds of base are added up: that of segments goes back to nothing. */
				if (segment != 0)
					write_ihex(file, 0, 2, (const tl_u8[]){0, 0}, 2);
				segment = 0;
				base = address & 0xffff0000u;
				high[0] = (tl_u8)(base >> 24);
				high[1] = (tl_u8)(base >> 16);
				write_ihex(file, 0, 4, high, 2);
			}
			offset = address - base - segment;
		}
		if (offset + count > 0x10000)
			count = (unsigned)(0x10000 - offset);
		write_ihex(file, (tl_u32)offset, 0, bytes, count);
		address += count;
		bytes += count;
		size -= count;
	}
	write_ihex(file, 0, 1, NULL, 0);
}

/* "STLLAA…DD…CC": a record of Motorola's, with an address of so many bytes. */
static void write_srec(FILE *file, char type, unsigned width, tl_u32 address, const tl_u8 *bytes, unsigned count)
{
	unsigned sum = count + width + 1;

	(void)fprintf(file, "S%c%02X", type, count + width + 1);
	for (unsigned i = width; i > 0; i--) {
		(void)fprintf(file, "%02X", (unsigned)(address >> (8 * (i - 1)) & 0xff));
		sum += address >> (8 * (i - 1)) & 0xff;
	}
	for (unsigned i = 0; i < count; i++) {
		(void)fprintf(file, "%02X", bytes[i]);
		sum += bytes[i];
	}
	(void)fprintf(file, "%02X\r\n", ~sum & 0xff);
}

static void write_all_srec(FILE *file, const char *path, tl_u64 address, const tl_u8 *bytes, tl_size size)
{
	tl_u64 last = address + size - 1;
	unsigned width = last <= 0xffff ? 2 : last <= 0xffffff ? 3 : 4;
	tl_size name = strlen(path);

	write_srec(file, '0', 2, 0, (const tl_u8 *)path, name < 40 ? (unsigned)name : 40);
	while (size > 0) {
		unsigned count = size < RECORD ? (unsigned)size : RECORD;

		write_srec(file, (char)('0' + width - 1), width, (tl_u32)address, bytes, count);
		address += count;
		bytes += count;
		size -= count;
	}
	write_srec(file, (char)('0' + 11 - width), width, 0, NULL, 0);
}

enum tl_status tl_memory_file_write(const char *path, enum tl_memory_format format, bool append, tl_u64 address,
				    const void *bytes, tl_size size, struct tl_error *error)
{
	FILE *file;
	bool good = true;

	if (format != TL_MEMORY_BINARY && size != 0 && (address + size - 1 > 0xffffffffu || address + size < address))
		return TL_FAIL(error, TL_ERROR_TOO_LONG,
			       "addresses of this format have 32 bits, and 0x%llx has more: dump it as binary",
			       (unsigned long long)(address + size - 1));
	file = fopen(path, append ? "abe" : "wbe");
	if (file == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "Failed to open %s: %s.", path, strerror(errno));
	switch (format) {
	case TL_MEMORY_BINARY:
		good = fwrite(bytes, 1, size, file) == size;
		break;
	case TL_MEMORY_IHEX:
		write_all_ihex(file, address, bytes, size);
		break;
	case TL_MEMORY_SREC:
		write_all_srec(file, path, address, bytes, size);
		break;
	}
	good &= ferror(file) == 0;
	if (fclose(file) != 0 || !good)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot write %s", path);
	return TL_OK;
}

/* ============================================================ reading ============================================ */

void tl_memory_parts_release(struct tl_memory_parts *parts)
{
	for (tl_size i = 0; i < parts->count; i++)
		free(parts->items[i].bytes);
	tl_release(tl_storage(), parts->items, parts->capacity * sizeof(*parts->items));
	*parts = (struct tl_memory_parts){0};
}

/* Adds bytes, to the last part if they follow it. */
static enum tl_status add_bytes(struct tl_memory_parts *parts, tl_u64 address, const tl_u8 *bytes, tl_size size,
				struct tl_error *error)
{
	struct tl_memory_part *last = parts->count != 0 ? &parts->items[parts->count - 1] : NULL;
	void *items = parts->items;
	tl_u8 *grown;

	if (last == NULL || last->address + last->size != address) {
		if (!tl_grow(tl_storage(), &items, &parts->capacity, parts->count, sizeof(*parts->items)))
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the file");
		parts->items = items;
		last = &parts->items[parts->count++];
		*last = (struct tl_memory_part){.address = address};
	}
	grown = realloc(last->bytes, last->size + size + 1);
	if (grown == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the file");
	if (size != 0)
		memcpy(grown + last->size, bytes, size);
	last->bytes = grown;
	last->size += size;
	return TL_OK;
}

/* Hexadecimal digits as bytes; how many, or -1 when there are other characters, or too many. */
static int read_digits(const char *text, tl_u8 *bytes, int room)
{
	int count = 0;

	for (; *text != '\0' && *text != '\r' && *text != '\n'; text += 2) {
		unsigned value = 0;

		for (int i = 0; i < 2; i++) {
			char c = text[i];
			unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
					 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
					 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
								: 16;

			if (digit == 16)
				return -1;
			value = value << 4 | digit;
		}
		if (count == room)
			return -1;
		bytes[count++] = (tl_u8)value;
	}
	return count;
}

static bool sums_up(const tl_u8 *bytes, int count, unsigned wanted)
{
	unsigned sum = 0;

	for (int i = 0; i < count; i++)
		sum += bytes[i];
	return (sum & 0xff) == wanted;
}

/* What was said of addresses so far. */
struct bases {
	tl_u64 segment, base;
	bool ended;
};

/* False: the record is damaged. */
static bool read_ihex(const char *line, struct bases *bases, struct tl_memory_parts *parts, enum tl_status *status,
		      struct tl_error *error)
{
	tl_u8 bytes[LINE_MAX / 2];
	int count = read_digits(line + 1, bytes, sizeof(bytes));

	if (count < 5 || bytes[0] != count - 5 || !sums_up(bytes, count, 0))
		return false;
	switch (bytes[3]) {
	case 0:
		*status = add_bytes(parts, bases->base + bases->segment + ((tl_u64)bytes[1] << 8 | bytes[2]), bytes + 4,
				    bytes[0], error);
		return true;
	case 1:
		bases->ended = true;
		return true;
	case 2:
		bases->segment = bytes[0] == 2 ? ((tl_u64)bytes[4] << 8 | bytes[5]) << 4 : 0;
		return bytes[0] == 2;
	case 4:
		bases->base = bytes[0] == 2 ? ((tl_u64)bytes[4] << 8 | bytes[5]) << 16 : 0;
		return bytes[0] == 2;
	default:
		/* Where the program begins is not asked for. */
		return bytes[3] == 3 || bytes[3] == 5;
	}
}

static bool read_srec(const char *line, struct tl_memory_parts *parts, enum tl_status *status, struct tl_error *error)
{
	tl_u8 bytes[LINE_MAX / 2];
	int count = line[1] != '\0' ? read_digits(line + 2, bytes, sizeof(bytes)) : -1;
	int width = line[1] >= '1' && line[1] <= '3' ? line[1] - '0' + 1 : 0;
	tl_u64 address = 0;

	if (count < 3 || bytes[0] != count - 1 || !sums_up(bytes, count, 0xff) || line[1] < '0' || line[1] > '9' ||
	    count < width + 2)
		return false;
	for (int i = 0; i < width; i++)
		address = address << 8 | bytes[1 + i];
	if (width != 0)
		*status = add_bytes(parts, address, bytes + 1 + width, (tl_size)(count - 2 - width), error);
	return true;
}

static enum tl_status read_records(FILE *file, const char *path, struct tl_memory_parts *parts, struct tl_error *error)
{
	struct bases bases = {0};
	enum tl_status status = TL_OK;
	char line[LINE_MAX];
	unsigned number = 0;

	while (status == TL_OK && !bases.ended && fgets(line, sizeof(line), file) != NULL) {
		bool good;

		number++;
		if (number == 1)
			parts->format = line[0] == ':' ? TL_MEMORY_IHEX : TL_MEMORY_SREC;
		if (line[0] == '\r' || line[0] == '\n')
			continue;
		if (number == 1 && line[0] != ':' && line[0] != 'S')
			return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
				       "%s has no records of ihex or srec: say \"restore %s binary ADDRESS\" if it has "
				       "the bytes alone",
				       path, path);
		good = line[0] == ':' ? read_ihex(line, &bases, parts, &status, error)
				      : line[0] == 'S' && read_srec(line, parts, &status, error);
		if (!good)
			return TL_FAIL(error, TL_ERROR_MALFORMED, "%s, line %u: the record is damaged", path, number);
	}
	if (status == TL_OK && parts->count == 0)
		status = TL_FAIL(error, TL_ERROR_MALFORMED, "%s has no bytes", path);
	return status;
}

static enum tl_status read_bytes(FILE *file, const char *path, struct tl_memory_parts *parts, struct tl_error *error)
{
	tl_u8 buffer[16384];
	tl_size got;

	parts->format = TL_MEMORY_BINARY;
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		tl_size size = parts->count != 0 ? parts->items[0].size : 0;

		if (size + got > FILE_SIZE_MAX)
			return TL_FAIL(error, TL_ERROR_TOO_LONG, "%s has more than 4 GiB", path);
		TL_TRY(add_bytes(parts, size, buffer, got, error));
		/* One part, from 0 on. */
		parts->items[0].address = 0;
	}
	if (ferror(file) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "cannot read %s", path);
	return TL_OK;
}

enum tl_status tl_memory_file_read(const char *path, bool binary, struct tl_memory_parts *parts_ret,
				   struct tl_error *error)
{
	FILE *file = fopen(path, "rbe");
	enum tl_status status;

	*parts_ret = (struct tl_memory_parts){0};
	if (file == NULL)
		return TL_FAIL(error, TL_ERROR_SYSTEM, "Failed to open %s: %s", path, strerror(errno));
	status = binary ? read_bytes(file, path, parts_ret, error) : read_records(file, path, parts_ret, error);
	(void)fclose(file);
	return status;
}

#include "targets/remote/layout.h"

#include "base/storage.h"
#include "core/cpu/arm64_layout.h"
#include "targets/remote/xml.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4
#define FILES_MAX 64
#define BITS_MAX 8192

struct reading {
	const struct remote_files *files;
	struct remote_layout layout;
	struct tl_error *error;
	char architecture[64];
	tl_u64 next;    /* number of a register that says none */
	unsigned count; /* of files */
};

static bool add_register(struct remote_layout *layout, tl_u64 number, tl_i32 index, tl_size size)
{
	void *registers = layout->registers;

	if (layout->count >= REMOTE_REGISTERS_MAX || number >= REMOTE_REGISTERS_MAX * 4 ||
	    !tl_grow(tl_storage(), &registers, &layout->capacity, layout->count, sizeof(*layout->registers)))
		return false;
	layout->registers = registers;
	layout->registers[layout->count++] =
		(struct remote_register){.number = (tl_u32)number, .index = (tl_i16)index, .size = (tl_u16)size};
	return true;
}

/* The size of its first vector tells which description of 64-bit Arm it is; general registers stand before it in all.
 */
static void choose_vectors(struct reading *reading, const char *name, tl_u64 bits)
{
	const struct tl_cpu *cpu;

	if (reading->layout.cpu != &tl_cpu_aarch64 || strcmp(name, "z0") != 0)
		return;
	cpu = tl_arm64_with_vectors(bits / 8);
	if (cpu != NULL)
		reading->layout.cpu = cpu;
}

/* Names are looked up when the architecture is known: until then they are kept as -1, and read a second time. */
static enum tl_status read_register(struct reading *reading, const struct xml_element *element)
{
	char name[64];
	tl_u64 bits = 0, number = reading->next;
	tl_u16 index = 0;
	bool known;

	(void)tl_remote_xml_attribute(element, "name", name, sizeof(name));
	if (!tl_remote_xml_number(element, "bitsize", &bits) || bits == 0 || bits > BITS_MAX)
		return TL_FAIL(reading->error, TL_ERROR_MALFORMED,
			       "the stub's description gives register \"%s\" no size", name);
	(void)tl_remote_xml_number(element, "regnum", &number);
	reading->next = number + 1;
	choose_vectors(reading, name, bits);
	known = tl_cpu_find(reading->layout.cpu, name, &index) == TL_OK;
	if (!add_register(&reading->layout, number, known ? index : -1, (tl_size)(bits + 7) / 8))
		return TL_FAIL(reading->error, TL_ERROR_TOO_LONG, "the stub's description has too many registers");
	return TL_OK;
}

static void copy_text(struct tl_cursor text, char *to, tl_size size)
{
	tl_size used = 0;

	while (!tl_cursor_done(&text) && used + 1 < size) {
		tl_u8 byte = tl_cursor_byte(&text);

		if (byte > ' ')
			to[used++] = (char)byte;
	}
	to[used] = '\0';
}

static enum tl_status choose_cpu(struct reading *reading)
{
	static const struct tl_cpu *const cpus[] = {&tl_cpu_x86_64, &tl_cpu_i386, &tl_cpu_riscv64, &tl_cpu_aarch64};

	for (tl_size i = 0; i < TL_COUNT(cpus); i++)
		if (strcmp(reading->architecture, cpus[i]->architecture) == 0)
			reading->layout.cpu = cpus[i];
	if (reading->layout.cpu == NULL)
		return TL_FAIL(reading->error, TL_ERROR_UNSUPPORTED,
			       "the stub's machine is \"%s\"; i386:x86-64, i386, riscv:rv64 and aarch64 are known",
			       reading->architecture);
	return TL_OK;
}

static enum tl_status read_file(struct reading *reading, const char *name, unsigned depth);

/* An architecture stands before the first feature, in the first file. */
static enum tl_status read_element(struct reading *reading, const struct xml_element *element, unsigned depth)
{
	char name[64];

	if (element->closing)
		return TL_OK;
	if (tl_cursor_equals(&element->name, "architecture") && reading->layout.cpu == NULL) {
		copy_text(element->text, reading->architecture, sizeof(reading->architecture));
		return choose_cpu(reading);
	}
	if (tl_cursor_equals(&element->name, "osabi")) {
		copy_text(element->text, name, sizeof(name));
		reading->layout.linux_abi = strcmp(name, "GNU/Linux") == 0;
		reading->layout.no_abi = strcmp(name, "none") == 0;
	}
	if (tl_cursor_equals(&element->name, "xi:include") &&
	    tl_remote_xml_attribute(element, "href", name, sizeof(name)))
		return read_file(reading, name, depth + 1);
	if (!tl_cursor_equals(&element->name, "reg"))
		return TL_OK;
	if (reading->layout.cpu == NULL) {
		(void)strcpy(reading->architecture, "i386:x86-64");
		TL_TRY(choose_cpu(reading));
	}
	return read_register(reading, element);
}

static enum tl_status read_file(struct reading *reading, const char *name, unsigned depth)
{
	struct tl_cursor document;
	struct xml_element element;
	enum tl_status status;
	tl_u8 *bytes = NULL;
	tl_size size = 0;

	if (depth > DEPTH_MAX || ++reading->count > FILES_MAX)
		return TL_FAIL(reading->error, TL_ERROR_TOO_LONG,
			       "the stub's description includes file after file (%s)", name);
	status = reading->files->read(reading->files->context, name, &bytes, &size);
	if (status != TL_OK)
		return TL_FAIL(reading->error, status, "the stub's description has no file %s: %s", name,
			       tl_status_text(status));
	document = tl_cursor_make(bytes, size);
	while (status == TL_OK && tl_remote_xml_next(&document, &element))
		status = read_element(reading, &element, depth);
	if (status == TL_OK && document.failed)
		status = TL_FAIL(reading->error, TL_ERROR_MALFORMED, "the stub's description (%s) is damaged", name);
	free(bytes);
	return status;
}

static int by_number(const void *a, const void *b)
{
	tl_u32 one = ((const struct remote_register *)a)->number, other = ((const struct remote_register *)b)->number;

	return (one > other) - (one < other);
}

/* Which features have all their registers. */
static tl_u32 whole_features(const struct remote_layout *layout)
{
	const struct tl_cpu *cpu = layout->cpu;
	tl_u32 any = 0, missing = 0;

	for (tl_u16 i = 0; i < cpu->register_count; i++) {
		tl_u32 bit = (tl_u32)1 << cpu->registers[i].feature;

		any |= bit;
		if (tl_remote_layout_index(layout, i) == NULL)
			missing |= bit;
	}
	return any & ~missing;
}

static enum tl_status finish(struct remote_layout *layout, struct tl_error *error)
{
	tl_size offset = 0;

	if (layout->cpu == NULL || layout->count == 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the stub's description has no registers");
	qsort(layout->registers, layout->count, sizeof(*layout->registers), by_number);
	for (tl_size i = 0; i < layout->count; i++) {
		layout->registers[i].offset = (tl_u32)offset;
		offset += layout->registers[i].size;
	}
	layout->g_size = offset;
	if (tl_remote_layout_index(layout, layout->cpu->program_counter) == NULL ||
	    tl_remote_layout_index(layout, layout->cpu->stack_pointer) == NULL)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "the stub's description of a %s has no program counter or no stack pointer",
			       layout->cpu->architecture);
	layout->features = whole_features(layout);
	/* The core's registers are what every reader counts on; what is missing among them reads as 0. */
	layout->features |= layout->cpu->base_features & 1;
	return TL_OK;
}

enum tl_status tl_remote_layout_read(const struct remote_files *files, struct remote_layout *layout_ret,
				     struct tl_error *error)
{
	struct reading reading = {.files = files, .error = error};
	enum tl_status status = read_file(&reading, "target.xml", 0);

	if (status == TL_OK)
		status = finish(&reading.layout, error);
	if (status != TL_OK) {
		tl_remote_layout_free(&reading.layout);
		return status;
	}
	*layout_ret = reading.layout;
	return TL_OK;
}

/* Of the general registers of x86-64: 17 of 8 bytes, 7 of 4. */
#define WIDE_GENERAL 164

enum tl_status tl_remote_layout_assume(tl_size g_size, struct remote_layout *layout_ret, struct tl_error *error)
{
	struct remote_layout layout = {.cpu = g_size != 0 && g_size < WIDE_GENERAL ? &tl_cpu_i386 : &tl_cpu_x86_64};
	enum tl_status status;

	for (tl_u16 i = 0; i < layout.cpu->register_count; i++) {
		const struct tl_register *reg = &layout.cpu->registers[i];

		/* The core and SSE: features 0 and 1 of x86. */
		if (reg->feature <= 1 && !add_register(&layout, layout.count, i, (tl_size)(reg->bits + 7) / 8)) {
			tl_remote_layout_free(&layout);
			return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for the stub's registers");
		}
	}
	status = finish(&layout, error);
	if (status != TL_OK) {
		tl_remote_layout_free(&layout);
		return status;
	}
	*layout_ret = layout;
	return TL_OK;
}

void tl_remote_layout_free(struct remote_layout *layout)
{
	tl_release(tl_storage(), layout->registers, layout->capacity * sizeof(*layout->registers));
	*layout = (struct remote_layout){0};
}

const struct remote_register *tl_remote_layout_number(const struct remote_layout *layout, tl_u64 number)
{
	tl_size low = 0, high = layout->count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (layout->registers[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < layout->count && layout->registers[low].number == number ? &layout->registers[low] : NULL;
}

const struct remote_register *tl_remote_layout_index(const struct remote_layout *layout, tl_i32 index)
{
	for (tl_size i = 0; i < layout->count; i++)
		if (layout->registers[i].index == index)
			return &layout->registers[i];
	return NULL;
}

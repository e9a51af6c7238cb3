#include "machine/plic.h"

#define PENDING 0x1000
#define ENABLES 0x2000
#define ENABLES_SIZE 0x80 /* for a context */
#define CONTEXTS 0x200000
#define CONTEXT_SIZE 0x1000
#define THRESHOLD 0
#define CLAIM 4

static bool bit(const tl_u32 *words, tl_u32 source)
{
	return (words[source / 32] >> (source % 32) & 1) != 0;
}

static void set_bit(tl_u32 *words, tl_u32 source, bool value)
{
	words[source / 32] = (words[source / 32] & ~((tl_u32)1 << (source % 32))) | (tl_u32)value << (source % 32);
}

static tl_u32 pending(const struct tl_plic *plic, tl_u32 word)
{
	return plic->levels[word] & ~plic->claimed[word];
}

/* What a context would be given: of those that are pending and enabled the one with the highest priority above `above`,
 * of equals the lowest; 0 for none. */
static tl_u32 best(const struct tl_plic *plic, tl_u32 context, tl_u8 above)
{
	tl_u32 found = 0;

	for (tl_u32 word = 0; word < TL_PLIC_WORDS; word++) {
		tl_u32 left = pending(plic, word) & plic->enabled[context][word];

		for (; left != 0; left &= left - 1) {
			tl_u32 source = word * 32 + (tl_u32)__builtin_ctz(left);

			if (plic->priorities[source] > above) {
				above = plic->priorities[source];
				found = source;
			}
		}
	}
	return found;
}

static void update(const struct tl_plic *plic)
{
	for (tl_u32 context = 0; context < plic->contexts; context++)
		tl_line_set(&plic->outputs[context], best(plic, context, plic->thresholds[context]) != 0);
}

static tl_u32 claim(struct tl_plic *plic, tl_u32 context)
{
	tl_u32 source = best(plic, context, 0);

	if (source != 0) {
		set_bit(plic->claimed, source, true);
		update(plic);
	}
	return source;
}

/* Where a register of a context is: false when it is of none that there is. */
static bool context_of(const struct tl_plic *plic, tl_u64 offset, tl_u64 base, tl_u64 size, tl_u32 *context_ret)
{
	*context_ret = (tl_u32)((offset - base) / size);
	return *context_ret < plic->contexts;
}

static tl_u32 read_register(struct tl_plic *plic, tl_u64 offset)
{
	tl_u64 word = (offset & (ENABLES_SIZE - 1)) / 4;
	tl_u32 context;

	if (offset < PENDING)
		return offset / 4 < TL_PLIC_SOURCES ? plic->priorities[offset / 4] : 0;
	if (offset < ENABLES)
		return (offset - PENDING) / 4 < TL_PLIC_WORDS ? pending(plic, (tl_u32)word) : 0;
	if (offset < CONTEXTS)
		return context_of(plic, offset, ENABLES, ENABLES_SIZE, &context) && word < TL_PLIC_WORDS
			       ? plic->enabled[context][word]
			       : 0;
	if (!context_of(plic, offset, CONTEXTS, CONTEXT_SIZE, &context))
		return 0;
	switch (offset & (CONTEXT_SIZE - 1)) {
	case THRESHOLD:
		return plic->thresholds[context];
	case CLAIM:
		return claim(plic, context);
	default:
		return 0;
	}
}

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	return size == 4 ? read_register(device, offset) : 0;
}

static void write_context(struct tl_plic *plic, tl_u32 context, tl_u64 number, tl_u32 value)
{
	if (number == THRESHOLD)
		plic->thresholds[context] = value & TL_PLIC_PRIORITY_MAX;
	else if (number == CLAIM && value < TL_PLIC_SOURCES && bit(plic->enabled[context], value))
		set_bit(plic->claimed, value, false);
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_plic *plic = device;
	tl_u64 word = (offset & (ENABLES_SIZE - 1)) / 4;
	tl_u32 context;

	if (size != 4)
		return;
	if (offset < PENDING) {
		if (offset != 0 && offset / 4 < TL_PLIC_SOURCES)
			plic->priorities[offset / 4] = value & TL_PLIC_PRIORITY_MAX;
	} else if (offset >= CONTEXTS) {
		if (context_of(plic, offset, CONTEXTS, CONTEXT_SIZE, &context))
			write_context(plic, context, offset & (CONTEXT_SIZE - 1), (tl_u32)value);
	} else if (offset >= ENABLES && context_of(plic, offset, ENABLES, ENABLES_SIZE, &context) &&
		   word < TL_PLIC_WORDS) {
		plic->enabled[context][word] = (tl_u32)value & (word == 0 ? ~(tl_u32)1 : TL_U32_MAX);
	}
	update(plic);
}

/* The lines of devices stay as they are: the devices are reset too, and hold up what they want. */
static void reset(void *device)
{
	struct tl_plic *plic = device;

	tl_fill(plic->claimed, 0, sizeof(plic->claimed));
	tl_fill(plic->priorities, 0, sizeof(plic->priorities));
	tl_fill(plic->enabled, 0, sizeof(plic->enabled));
	tl_fill(plic->thresholds, 0, sizeof(plic->thresholds));
	update(plic);
}

const struct tl_device_operations tl_plic_operations = {.read = read, .write = write, .reset = reset};

static void set_input(void *context, tl_u32 number, bool level)
{
	struct tl_plic *plic = context;

	if (bit(plic->levels, number) == level)
		return;
	set_bit(plic->levels, number, level);
	update(plic);
}

struct tl_line tl_plic_input(struct tl_plic *plic, tl_u32 source)
{
	return (struct tl_line){.set = set_input, .context = plic, .number = source};
}

#include "machine/finisher.h"

#define PASS 0x5555
#define FAIL 0x3333
#define RESET 0x7777

static tl_u64 read(void *device, tl_u64 offset, tl_u32 size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void write(void *device, tl_u64 offset, tl_u64 value, tl_u32 size)
{
	struct tl_finisher *finisher = device;

	(void)size;
	if (offset != 0)
		return;
	switch (value & 0xffff) {
	case PASS:
		finisher->finish = TL_FINISH_POWER_OFF;
		break;
	case FAIL:
		finisher->finish = TL_FINISH_FAILURE;
		finisher->code = (tl_u16)(value >> 16);
		break;
	case RESET:
		finisher->finish = TL_FINISH_RESET;
		break;
	default:
		return;
	}
	if (finisher->told != NULL)
		finisher->told(finisher->context);
}

static void reset(void *device)
{
	struct tl_finisher *finisher = device;

	finisher->finish = TL_FINISH_NOT_YET;
	finisher->code = 0;
}

const struct tl_device_operations tl_finisher_operations = {.read = read, .write = write, .reset = reset};

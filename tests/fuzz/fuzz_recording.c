/*
 * The reader of recordings of an emulated machine: as they come, and once more with the checks of all records set
 * right, so that what is behind them is met.
 */
#include "targets/emulator/recording.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void parse(const tl_u8 *bytes, tl_size size, bool mend)
{
	tl_u8 *copy = malloc(size + 1);
	struct tl_recording recording;
	struct tl_error error;
	tl_u64 check;

	if (copy == NULL)
		return;
	memcpy(copy, bytes, size);
	if (mend && size >= TL_RECORDING_HEADER) {
		memcpy(copy, TL_RECORDING_MAGIC, 8);
		tl_store_little(copy + 8, TL_RECORDING_VERSION, 4);
		check = tl_recording_check(0, 0, copy, TL_RECORDING_HEADER);
		for (tl_size at = TL_RECORDING_HEADER; size - at >= TL_RECORDING_RECORD;) {
			tl_u64 left = size - at - TL_RECORDING_RECORD, wanted = tl_load_little(copy + at + 4, 4);

			if (wanted > left)
				break;
			check = tl_recording_check(check, (tl_u32)tl_load_little(copy + at, 4),
						   copy + at + TL_RECORDING_RECORD, (tl_u32)wanted);
			tl_store_little(copy + at + 8, check, 8);
			at += TL_RECORDING_RECORD + wanted;
		}
	}
	if (tl_recording_parse(&recording, copy, size, &error) == TL_OK) {
		if (recording.segment_count == 0 || recording.machine.harts == 0 ||
		    recording.complete != (recording.remark[0] == '\0'))
			abort();
		tl_recording_close(&recording);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size, false);
	parse(data, size, true);
	return 0;
}

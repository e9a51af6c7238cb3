#include "core/utf8.h"

/* The first code point that needs so many bytes. */
static const tl_u32 first_of[] = {0, 0, 0x80, 0x800, 0x10000};

static bool is_character(tl_u32 point)
{
	return point < 0x110000 && (point < 0xd800 || point >= 0xe000);
}

tl_size tl_utf8_write(tl_u32 point, char bytes_ret[4])
{
	static const tl_u8 marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	tl_size length = 1;

	if (!is_character(point))
		return 0;
	while (length < 4 && point >= first_of[length + 1])
		length++;
	for (tl_size i = length - 1; i > 0; i--, point >>= 6)
		bytes_ret[i] = (char)(0x80 | (point & 0x3f));
	bytes_ret[0] = (char)(marks[length] | point);
	return length;
}

tl_size tl_utf8_read(const void *bytes, tl_size size, tl_u32 *point_ret)
{
	const tl_u8 *at = bytes;
	tl_size length;
	tl_u32 point;

	if (size == 0 || (at[0] >= 0x80 && at[0] < 0xc0) || at[0] >= 0xf8)
		return 0;
	length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (length > size)
		return 0;
	point = length == 1 ? at[0] : at[0] & (0x7fu >> length);
	for (tl_size i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3f);
	}
	if (!is_character(point) || point < first_of[length])
		return 0;
	*point_ret = point;
	return length;
}

#include "frontends/machine.h"

#include <errno.h>
#include <stdlib.h>

static bool read_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret, const char **end_ret)
{
	char *end;

	errno = 0;
	*value_ret = strtoull(text, &end, 10);
	*end_ret = end;
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *value_ret >= least && *value_ret <= most;
}

bool tl_machine_number(const char *text, tl_u64 least, tl_u64 most, tl_u64 *value_ret)
{
	const char *end;

	return read_number(text, least, most, value_ret, &end) && *end == '\0';
}

enum tl_status tl_machine_size(const char *text, tl_u64 *size_ret, struct tl_error *error)
{
	static const struct {
		char letter;
		tl_u8 shift;
	} units[] = {{'\0', 20}, {'K', 10}, {'k', 10}, {'M', 20}, {'m', 20}, {'G', 30}, {'g', 30}};
	const char *end;

	if (read_number(text, 1, (tl_u64)1 << 30, size_ret, &end)) {
		for (tl_size i = 0; i < TL_COUNT(units); i++) {
			if (*end != units[i].letter || (*end != '\0' && end[1] != '\0'))
				continue;
			*size_ret <<= units[i].shift;
			return TL_OK;
		}
	}
	return TL_FAIL(error, TL_ERROR_ARGUMENT, "--memory wants a size, as 512M or 2G, not \"%s\"", text);
}

enum tl_status tl_machine_add(const char **values, tl_u32 *count, tl_u32 most, const char *option, const char *value,
			      struct tl_error *error)
{
	if (*count == most)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s was given more than %u times", option, most);
	values[(*count)++] = value;
	return TL_OK;
}

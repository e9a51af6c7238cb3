#include "base/conditions.h"

#include "base/storage.h"

struct tl_conditions *tl_conditions_copy(const struct tl_agent_code *items, tl_size count)
{
	tl_size size = sizeof(struct tl_conditions) + count * sizeof(items[0]);
	struct tl_conditions *conditions;
	tl_u8 *bytes;

	if (count == 0)
		return NULL;
	for (tl_size i = 0; i < count; i++)
		size += items[i].size;
	conditions = tl_allocate(tl_storage(), size);
	if (conditions == NULL)
		return NULL;
	conditions->size = size;
	conditions->count = count;
	bytes = (tl_u8 *)&conditions->items[count];
	for (tl_size i = 0; i < count; i++) {
		tl_copy(bytes, items[i].bytes, items[i].size);
		conditions->items[i] = (struct tl_agent_code){bytes, items[i].size};
		bytes += items[i].size;
	}
	return conditions;
}

void tl_conditions_drop(struct tl_conditions *conditions)
{
	if (conditions != NULL)
		tl_release(tl_storage(), conditions, conditions->size);
}

bool tl_conditions_hold(const struct tl_conditions *conditions, const struct tl_agent_environment *environment)
{
	if (conditions == NULL)
		return true;
	for (tl_size i = 0; i < conditions->count; i++) {
		tl_u64 value = 0;

		if (tl_agent_run(&conditions->items[i], environment, &value, NULL) != TL_OK || value != 0)
			return true;
	}
	return false;
}

/*
 * libdw as the referee: every unit and every entry of the programs that are named, with its tag, attributes, forms and
 * values, its children and siblings, ranges and locations. `dwarf-referee PROGRAM…`.
 */
#include "symbols/dwarf.h"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned long entries, attributes, ranges, locations, failures;
static const char *program;

/* libdw 0.188 knows no DW_OP_GNU_uninit, and gives up on a list in which one is. */
#define OP_GNU_UNINIT 0xf0
static unsigned long refused;

/* One entry, as both see it. */
struct pair {
	Dwarf_Die theirs;
	struct tl_entry ours;
	unsigned count; /* attributes seen so far */
	unsigned skip;  /* how many of theirs are behind those */
};

static void complain(const struct pair *pair, const char *what, unsigned long long ours, unsigned long long theirs)
{
	if (failures++ < 20)
		printf("%s: entry 0x%llx (%s): %s: 0x%llx, libdw says 0x%llx\n", program,
		       (unsigned long long)pair->ours.offset, tl_dwarf_tag_name(pair->ours.tag), what, ours, theirs);
}

static void same(const struct pair *pair, const char *what, unsigned long long ours, unsigned long long theirs)
{
	if (ours != theirs)
		complain(pair, what, ours, theirs);
}

/* ============================================================ attributes ========================================= */

static void compare_text(const struct pair *pair, const struct tl_attribute *ours, Dwarf_Attribute *theirs)
{
	const char *text = dwarf_formstring(theirs);

	if (text == NULL || strcmp(text, ours->text) != 0)
		complain(pair, text != NULL ? text : "no text", ours->name, 0);
}

static void compare_reference(const struct pair *pair, const struct tl_attribute *ours, Dwarf_Attribute *theirs)
{
	struct tl_entry target;
	Dwarf_Die die;

	if (dwarf_formref_die(theirs, &die) == NULL || tl_entry_follow(ours, &target, NULL) != TL_OK) {
		complain(pair, "a reference leads nowhere", ours->number, 0);
		return;
	}
	same(pair, "where a reference leads", target.offset, dwarf_dieoffset(&die));
	same(pair, "the tag where a reference leads", target.tag, (unsigned)dwarf_tag(&die));
}

static void compare_value(const struct pair *pair, const struct tl_attribute *ours, Dwarf_Attribute *theirs)
{
	Dwarf_Word word = 0;
	Dwarf_Sword signed_word = 0;
	Dwarf_Addr address = 0;
	Dwarf_Block block = {0};
	bool flag = false;

	switch (ours->kind) {
	case TL_CLASS_ADDRESS:
		same(pair, "formaddr", (unsigned)dwarf_formaddr(theirs, &address), 0);
		same(pair, "an address", ours->number, address);
		break;
	case TL_CLASS_UNSIGNED:
	case TL_CLASS_LIST:
	case TL_CLASS_LIST_INDEX:
		same(pair, "formudata", (unsigned)dwarf_formudata(theirs, &word), 0);
		if (ours->kind != TL_CLASS_LIST_INDEX)
			same(pair, "a number", ours->number, word);
		break;
	case TL_CLASS_SIGNED:
		same(pair, "formsdata", (unsigned)dwarf_formsdata(theirs, &signed_word), 0);
		same(pair, "a signed number", ours->number, (unsigned long long)signed_word);
		break;
	case TL_CLASS_FLAG:
		same(pair, "formflag", (unsigned)dwarf_formflag(theirs, &flag), 0);
		same(pair, "a flag", ours->number, flag);
		break;
	case TL_CLASS_STRING:
		compare_text(pair, ours, theirs);
		break;
	case TL_CLASS_BLOCK:
	case TL_CLASS_EXPRESSION:
		same(pair, "formblock", (unsigned)dwarf_formblock(theirs, &block), 0);
		same(pair, "the size of a block", ours->size, block.length);
		if (block.length == ours->size && memcmp(block.data, ours->bytes, ours->size) != 0)
			complain(pair, "the bytes of a block", ours->name, 0);
		break;
	case TL_CLASS_REFERENCE:
	case TL_CLASS_SIGNATURE:
		compare_reference(pair, ours, theirs);
		break;
	case TL_CLASS_NONE:
		complain(pair, "an attribute without class", ours->name, ours->form);
		break;
	}
}

/* Looks at the attribute that libdw has as the count-th. */
static int nth(Dwarf_Attribute *attribute, void *context)
{
	struct {
		unsigned left;
		Dwarf_Attribute attribute;
		bool found;
	} *wanted = context;

	if (wanted->left-- != 0)
		return DWARF_CB_OK;
	wanted->attribute = *attribute;
	wanted->found = true;
	return DWARF_CB_ABORT;
}

static bool compare_attribute(void *context, const struct tl_attribute *ours)
{
	struct pair *pair = context;
	struct tl_attribute again;
	struct {
		unsigned left;
		Dwarf_Attribute attribute;
		bool found;
	} wanted = {.left = pair->count++};

	attributes++;
	(void)dwarf_getattrs(&pair->theirs, nth, &wanted, 0);
	if (!wanted.found) {
		complain(pair, "an attribute more than libdw has", ours->name, 0);
		return false;
	}
	same(pair, "an attribute's name", ours->name, dwarf_whatattr(&wanted.attribute));
	same(pair, tl_dwarf_attribute_name(ours->name), ours->form, dwarf_whatform(&wanted.attribute));
	compare_value(pair, ours, &wanted.attribute);
	if (tl_entry_attribute(&pair->ours, ours->name, &again, NULL) != TL_OK || again.number != ours->number ||
	    again.text != ours->text || again.bytes != ours->bytes)
		complain(pair, "an attribute that is asked for by name", ours->name, again.number);
	return true;
}

/* ============================================================ lists ============================================== */

struct walk {
	struct pair *pair;
	Dwarf_Attribute *attribute;
	ptrdiff_t at;
	Dwarf_Addr base;
};

static bool compare_range(void *context, tl_u64 start, tl_u64 end)
{
	struct walk *walk = context;
	Dwarf_Addr first = 0, last = 0;

	ranges++;
	do
		walk->at = dwarf_ranges(&walk->pair->theirs, walk->at, &walk->base, &first, &last);
	while (walk->at > 0 && first == last);
	same(walk->pair, "the start of a range", start, first);
	same(walk->pair, "the end of a range", end, last);
	return true;
}

static bool compare_location(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes, tl_size size)
{
	struct walk *walk = context;
	Dwarf_Addr first = 0, last = 0;
	Dwarf_Op *expression = NULL;
	size_t count = 0;

	locations++;
	do
		walk->at =
			dwarf_getlocations(walk->attribute, walk->at, &walk->base, &first, &last, &expression, &count);
	while (walk->at > 0 && first == last);
	if (walk->at < 0 && size != 0 && memchr(bytes, OP_GNU_UNINIT, size) != NULL) {
		refused++;
		return false;
	}
	same(walk->pair, "the start of a location", start, first);
	same(walk->pair, "the end of a location", end, last);
	same(walk->pair, "a location's first operation", size != 0 ? bytes[0] : 0, count != 0 ? expression[0].atom : 0);
	return true;
}

static void compare_lists(struct pair *pair)
{
	static const tl_u16 names[] = {DW_AT_location, DW_AT_frame_base};
	struct walk walk = {.pair = pair};

	if (tl_entry_ranges(&pair->ours, compare_range, &walk, NULL) != TL_OK)
		complain(pair, "ranges cannot be read", 0, 0);
	while (walk.at > 0) {
		Dwarf_Addr first = 0, last = 0;

		walk.at = dwarf_ranges(&pair->theirs, walk.at, &walk.base, &first, &last);
		if (walk.at > 0 && first != last)
			complain(pair, "a range less than libdw has", 0, first);
	}
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct tl_attribute ours;
		Dwarf_Attribute theirs;

		if (tl_entry_attribute(&pair->ours, names[i], &ours, NULL) != TL_OK || ours.kind == TL_CLASS_NONE ||
		    dwarf_attr(&pair->theirs, names[i], &theirs) == NULL)
			continue;
		walk = (struct walk){.pair = pair, .attribute = &theirs};
		if (tl_entry_locations(&ours, compare_location, &walk, NULL) != TL_OK)
			complain(pair, "locations cannot be read", names[i], 0);
		/* Ours must not have ended before theirs. */
		if (walk.at > 0 && ours.kind != TL_CLASS_EXPRESSION && ours.kind != TL_CLASS_BLOCK) {
			Dwarf_Addr first, last;
			Dwarf_Op *expression;
			size_t count;

			while ((walk.at = dwarf_getlocations(&theirs, walk.at, &walk.base, &first, &last, &expression,
							     &count)) > 0)
				if (first != last)
					complain(pair, "a location less than libdw has", 0, first);
		}
	}
}

/* ============================================================ trees ============================================== */

static void compare_entry(struct pair *pair)
{
	entries++;
	same(pair, "its offset", pair->ours.offset, dwarf_dieoffset(&pair->theirs));
	same(pair, "its tag", pair->ours.tag, (unsigned)dwarf_tag(&pair->theirs));
	same(pair, "that it has children", pair->ours.has_children, (unsigned)dwarf_haschildren(&pair->theirs));
	pair->count = 0;
	if (tl_entry_attributes(&pair->ours, compare_attribute, pair, NULL) != TL_OK)
		complain(pair, "attributes cannot be read", 0, 0);
	compare_lists(pair);
}

/* Compares an entry and all that follows it on its level and below; the depth is that of the source's nesting. */
static void compare_level(struct pair pair)
{
	for (;;) {
		struct pair child;
		int more;

		compare_entry(&pair);
		if (tl_entry_child(&pair.ours, &child.ours, NULL) != TL_OK)
			complain(&pair, "its child cannot be read", 0, 0);
		more = dwarf_child(&pair.theirs, &child.theirs);
		same(&pair, "that there is a child", child.ours.tag != 0, more == 0);
		if (more == 0 && child.ours.tag != 0)
			compare_level(child);
		if (tl_entry_sibling(&pair.ours, &pair.ours, NULL) != TL_OK) {
			complain(&pair, "its sibling cannot be read", 0, 0);
			return;
		}
		more = dwarf_siblingof(&pair.theirs, &pair.theirs);
		same(&pair, "that there is a sibling", pair.ours.tag != 0, more == 0);
		if (more != 0 || pair.ours.tag == 0)
			return;
	}
}

/* How many entries a walk in the order of the file finds. */
static unsigned long count_forward(const struct tl_unit *unit)
{
	struct tl_entry entry;
	unsigned long count = 0;
	bool done = false;

	if (tl_entry_top(unit, &entry, NULL) != TL_OK)
		return 0;
	while (!done) {
		count += entry.tag != 0;
		if (tl_entry_next(&entry, &entry, &done, NULL) != TL_OK)
			return 0;
	}
	return count;
}

static void compare_unit(const struct tl_unit *unit, Dwarf *theirs)
{
	struct pair pair = {.count = 0};
	unsigned long before = entries;
	Dwarf_Die *die;

	if (unit->common)
		theirs = dwarf_getalt(theirs);
	die = unit->section == TL_SECTION_TYPES ? dwarf_offdie_types(theirs, unit->first_entry, &pair.theirs)
						: dwarf_offdie(theirs, unit->first_entry, &pair.theirs);
	if (die == NULL || tl_entry_top(unit, &pair.ours, NULL) != TL_OK) {
		complain(&pair, "a unit's topmost entry cannot be read", unit->offset, 0);
		return;
	}
	compare_level(pair);
	same(&pair, "how many entries its unit has", count_forward(unit), entries - before);
}

/* All units, compared with libdw's list of them. */
static void compare_units(const struct tl_dwarf *dwarf, Dwarf *theirs)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Half version = 0;
	Dwarf_Die die, sub;
	uint8_t type = 0;
	tl_size count = 0, common = 0;

	while (dwarf_get_units(theirs, unit, &unit, &version, &type, &die, &sub) == 0) {
		const struct tl_unit *ours = tl_dwarf_unit(dwarf, count++);

		if (ours == NULL || ours->version != version || ours->first_entry != dwarf_dieoffset(&die))
			complain(&(struct pair){.count = 0}, "a unit", ours != NULL ? ours->first_entry : 0,
				 dwarf_dieoffset(&die));
	}
	unit = NULL;
	while (dwarf_getalt(theirs) != NULL &&
	       dwarf_get_units(dwarf_getalt(theirs), unit, &unit, &version, &type, &die, &sub) == 0)
		common++;
	same(&(struct pair){.count = 0}, "how many units there are", tl_dwarf_unit_count(dwarf), count + common);
	for (tl_size i = 0; i < tl_dwarf_unit_count(dwarf); i++)
		compare_unit(tl_dwarf_unit(dwarf, i), theirs);
}

static void compare_program(const char *path)
{
	unsigned long before[] = {entries, attributes, ranges, locations, failures};
	int descriptor = open(path, O_RDONLY);
	Dwarf *theirs = descriptor >= 0 ? dwarf_begin(descriptor, DWARF_C_READ) : NULL;
	struct tl_image_options alone = {.debug_directories = ""};
	struct tl_image *image = NULL;
	struct tl_dwarf *dwarf = NULL;
	struct tl_error error;

	program = path;
	if (theirs == NULL || tl_image_open(&image, path, &alone, &error) != TL_OK ||
	    tl_dwarf_open(&dwarf, image, &error) != TL_OK) {
		printf("%s: %s\n", path, theirs == NULL ? dwarf_errmsg(-1) : error.text);
		failures++;
	} else {
		compare_units(dwarf, theirs);
		if (tl_dwarf_remark(dwarf) != NULL) {
			printf("%s\n", tl_dwarf_remark(dwarf));
			failures++;
		}
	}
	tl_dwarf_close(dwarf);
	tl_image_close(image);
	(void)dwarf_end(theirs);
	(void)close(descriptor);
	printf("%s: %lu entries, %lu attributes, %lu ranges, %lu locations, %lu disagreements\n", path,
	       entries - before[0], attributes - before[1], ranges - before[2], locations - before[3],
	       failures - before[4]);
}

int main(int count, char **arguments)
{
	for (int i = 1; i < count; i++)
		compare_program(arguments[i]);
	printf("%lu entries: %lu disagreements; %lu lists that libdw does not read\n", entries, failures, refused);
	return failures != 0 || entries == 0;
}

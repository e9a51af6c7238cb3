#include "symbols/dwarf_constants.h"

const char *tl_dwarf_tag_name(tl_u16 tag)
{
	switch (tag) {
#define X(name, value)                                                                                                 \
	case value:                                                                                                    \
		return #name;
		TL_DW_TAG_TABLE(X)
#undef X
	default:
		return "?";
	}
}

const char *tl_dwarf_attribute_name(tl_u16 name)
{
	switch (name) {
#define X(name, value)                                                                                                 \
	case value:                                                                                                    \
		return #name;
		TL_DW_AT_TABLE(X)
#undef X
	default:
		return "?";
	}
}

const char *tl_dwarf_form_name(tl_u16 form)
{
	switch (form) {
#define X(name, value)                                                                                                 \
	case value:                                                                                                    \
		return #name;
		TL_DW_FORM_TABLE(X)
#undef X
	default:
		return "?";
	}
}

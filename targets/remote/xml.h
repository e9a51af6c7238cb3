/*
 * A reader of the small XML documents that stubs send: descriptions and lists of threads. Elements, attributes and
 * nothing else: text, comments, declarations and processing instructions are stepped over, entities are undone in
 * attributes. It neither allocates nor goes back, and every document ends.
 */
#ifndef TL_TARGETS_REMOTE_XML_H
#define TL_TARGETS_REMOTE_XML_H

#include "core/cursor.h"

struct xml_element {
	bool closing;            /* </name>; an element that is <name/> comes once, as an opening one */
	bool empty;              /* <name/> */
	struct tl_cursor name;   /* in the document */
	struct tl_cursor inside; /* what stands between the name and the >: see tl_remote_xml_attribute */
	struct tl_cursor text;   /* from behind the > up to the next element */
};

/* The next element; false at the end, or where the document is damaged (the cursor has then failed). */
bool tl_remote_xml_next(struct tl_cursor *document, struct xml_element *element_ret);

/*
 * The value of an attribute, ended by a zero byte, cut off at `size`; false when the element does not have it, and the
 * buffer is then empty.
 */
bool tl_remote_xml_attribute(const struct xml_element *element, const char *name, char *value_ret, tl_size size);
/* The same as a number, decimal or hexadecimal behind 0x. */
bool tl_remote_xml_number(const struct xml_element *element, const char *name, tl_u64 *value_ret);

#endif

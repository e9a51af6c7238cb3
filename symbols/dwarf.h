/*
 * DWARF as it lies in the file: units, abbreviations, entries and their attributes (DWARF 5, sections 2 and 7; DWARF 4
 * and the GNU extensions that gcc and dwz write besides).
 *
 * This is the one reader of .debug_info; the index, the types and the scopes stand on it. It reads lazily and forward:
 * an entry is a place in a unit, and attributes are decoded when they are asked for. It believes nothing: every offset
 * is bounded by its section, every chain of references by a count, and damage is an error at the place where it is
 * read.
 *
 * A struct tl_dwarf is shared: once its units are read it does not change but for tables of abbreviations that are
 * parsed at first use and kept, under a lock of its own, so that any number of threads may read. A struct tl_entry
 * belongs to whoever made it.
 */
#ifndef TL_SYMBOLS_DWARF_H
#define TL_SYMBOLS_DWARF_H

#include "symbols/dwarf_constants.h"
#include "symbols/image.h"

struct tl_dwarf;

/* A compile, partial, type or skeleton unit. Belongs to its struct tl_dwarf and never moves. */
struct tl_unit {
	struct tl_dwarf *dwarf;
	tl_u64 offset;      /* of its header, in .debug_info (or .debug_types, or the common file's .debug_info) */
	tl_u64 end;         /* of its last byte + 1 */
	tl_u64 first_entry; /* of its topmost entry */
	tl_u64 abbreviations;
	tl_u64 type_signature, type_entry; /* of a type unit */
	tl_u16 version;                    /* 2 to 5 */
	tl_u8 address_size;                /* 4 or 8 */
	tl_u8 offset_size;                 /* 4 or 8 */
	tl_u8 type;                        /* DW_UT_*; partial units are known by their topmost entry in version 4 */
	tl_u8 section;                     /* enum tl_section: INFO or TYPES */
	bool common;                       /* it stands in the file that dwz made */
	/* From its topmost entry: */
	tl_u16 language; /* DW_LANG_* */
	tl_u16 tag;
	bool has_lines;
	tl_u64 lines; /* offset in .debug_line */
	tl_u64 low;   /* base address of its ranges and locations */
	tl_u64 str_offsets_base, addr_base, rnglists_base, loclists_base;
	const char *name, *directory, *producer; /* strings of the file, or NULL */
};

/* A debugging information entry. Small; passed by value. */
struct tl_entry {
	const struct tl_unit *unit;
	tl_u64 offset;     /* in its section */
	tl_u64 attributes; /* offset of its first attribute */
	tl_u16 tag;        /* DW_TAG_*; 0 for the end of a list of siblings */
	bool has_children;
	const struct tl_abbreviation *abbreviation;
};

/* What an attribute's value is (DWARF 5, section 7.5.5, "Classes and Forms"). */
enum tl_attribute_class {
	TL_CLASS_NONE, /* there is no such attribute */
	TL_CLASS_ADDRESS,
	TL_CLASS_UNSIGNED, /* also data1…data8, whose sign the context knows */
	TL_CLASS_SIGNED,   /* sdata, implicit_const */
	TL_CLASS_FLAG,
	TL_CLASS_STRING,
	TL_CLASS_BLOCK,      /* bytes: constants and, before DWARF 4, expressions */
	TL_CLASS_EXPRESSION, /* exprloc */
	TL_CLASS_REFERENCE,  /* to an entry: `number` is its offset in its section */
	TL_CLASS_SIGNATURE,  /* to a type unit */
	TL_CLASS_LIST,       /* sec_offset: into another section, known by the attribute */
	TL_CLASS_LIST_INDEX  /* loclistx, rnglistx */
};

struct tl_attribute {
	tl_u16 name, form; /* DW_AT_*, DW_FORM_* */
	enum tl_attribute_class kind;
	bool common;                /* the reference leads into the file that dwz made */
	const struct tl_unit *unit; /* in which it stands, which need not be that of the entry that was asked */
	tl_u64 number;              /* address, constant (also sign-extended), flag, offset, index, signature */
	const tl_u8 *bytes;
	tl_size size;     /* of `bytes` */
	const char *text; /* of a string; ends with a zero byte inside its section */
};

/*
 * Reads the headers and topmost entries of all units. The image must outlive it; the caller closes. Without debug
 * information there are 0 units, which is no error. A unit that is damaged or of an unknown version is left out, and
 * tl_dwarf_remark says so; so is all that comes after one whose length cannot be true. Split DWARF (skeleton units,
 * DW_AT_GNU_dwo_name) is left out, and the remark says that.
 */
TL_CHECKED enum tl_status tl_dwarf_open(struct tl_dwarf **dwarf_ret, struct tl_image *image, struct tl_error *error);
/*
 * The same, but that units are read, and their sections unpacked, when somebody asks for one first: any of the
 * functions below but tl_dwarf_image and tl_dwarf_remark. Sections that cannot be read are then as if there were none,
 * and the remark says why.
 */
TL_CHECKED enum tl_status tl_dwarf_open_lazily(struct tl_dwarf **dwarf_ret, struct tl_image *image,
					       struct tl_error *error);
void tl_dwarf_close(struct tl_dwarf *dwarf);
struct tl_image *tl_dwarf_image(const struct tl_dwarf *dwarf);
/* What was found wrong with it so far; NULL: nothing. */
const char *tl_dwarf_remark(const struct tl_dwarf *dwarf);
/* Whether its units have been read; those who must not wait ask before they ask for one. */
bool tl_dwarf_is_read(const struct tl_dwarf *dwarf);

/* All units, those of .debug_info first, then .debug_types, then those of the common file. */
tl_size tl_dwarf_unit_count(const struct tl_dwarf *dwarf);
const struct tl_unit *tl_dwarf_unit(const struct tl_dwarf *dwarf, tl_size index);
/* The other way round. */
tl_size tl_unit_index(const struct tl_unit *unit);

/* The unit in which an offset of .debug_info (of the common file, if `common`) lies; NULL for none. */
const struct tl_unit *tl_dwarf_unit_at(const struct tl_dwarf *dwarf, tl_u64 offset, bool common);

/* The topmost entry of a unit; the entry at an offset of a unit's section, which must be that of an entry. */
TL_CHECKED enum tl_status tl_entry_top(const struct tl_unit *unit, struct tl_entry *entry_ret, struct tl_error *error);
TL_CHECKED enum tl_status tl_entry_at(const struct tl_unit *unit, tl_u64 offset, struct tl_entry *entry_ret,
				      struct tl_error *error);

/* Its first child, and what follows it on its level (by DW_AT_sibling where there is one). Tag 0: there is none. */
TL_CHECKED enum tl_status tl_entry_child(const struct tl_entry *entry, struct tl_entry *child_ret,
					 struct tl_error *error);
TL_CHECKED enum tl_status tl_entry_sibling(const struct tl_entry *entry, struct tl_entry *sibling_ret,
					   struct tl_error *error);

/*
 * The next entry in the order of the file, whatever its level: tag 0 ends a list of children, and `done_ret` says when
 * the unit ends.
 */
TL_CHECKED enum tl_status tl_entry_next(const struct tl_entry *entry, struct tl_entry *next_ret, bool *done_ret,
					struct tl_error *error);

/* An attribute of the entry itself; kind TL_CLASS_NONE when it has none. */
TL_CHECKED enum tl_status tl_entry_attribute(const struct tl_entry *entry, tl_u16 name,
					     struct tl_attribute *attribute_ret, struct tl_error *error);

/* The same, and if it has none, that of the entry which its DW_AT_abstract_origin or DW_AT_specification names. */
TL_CHECKED enum tl_status tl_entry_inherited(const struct tl_entry *entry, tl_u16 name,
					     struct tl_attribute *attribute_ret, struct tl_error *error);

/* Calls back for every attribute in the order of the file until `call` returns false. */
TL_CHECKED enum tl_status tl_entry_attributes(const struct tl_entry *entry,
					      bool (*call)(void *context, const struct tl_attribute *attribute),
					      void *context, struct tl_error *error);

/* The entry that a reference or a signature leads to. TL_ERROR_MALFORMED when it leads nowhere. */
TL_CHECKED enum tl_status tl_entry_follow(const struct tl_attribute *reference, struct tl_entry *entry_ret,
					  struct tl_error *error);

/*
 * The ranges of addresses, without load bias, of an entry with DW_AT_low_pc and DW_AT_high_pc or DW_AT_ranges. Calls
 * back for each that is not empty until `call` returns false.
 */
TL_CHECKED enum tl_status tl_entry_ranges(const struct tl_entry *entry,
					  bool (*call)(void *context, tl_u64 start, tl_u64 end), void *context,
					  struct tl_error *error);

/*
 * Where the first of those ranges begins, which is where a function is entered. False: it has none, or they are
 * damaged.
 */
bool tl_entry_start(const struct tl_entry *entry, tl_u64 *start_ret);

/*
 * Calls back for the expressions of a location: an exprloc or block is one for all addresses (0 to the highest), a
 * location list has one for each of its ranges, without load bias, in the order of the file, until `call` returns
 * false. The first that holds an address counts: a default (DW_LLE_default_location) comes as one for all addresses
 * where it stands. The bytes belong to the image.
 */
TL_CHECKED enum tl_status tl_entry_locations(const struct tl_attribute *location,
					     bool (*call)(void *context, tl_u64 start, tl_u64 end, const tl_u8 *bytes,
							  tl_size size),
					     void *context, struct tl_error *error);

#endif

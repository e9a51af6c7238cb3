/*
 * The classes of the System V ABI for x86-64 (psABI, section 3.2.3): what kind of register each eightbyte of a value
 * would be passed in. For debugger/values/abi.c and abi_call.c.
 */
#ifndef TL_DEBUGGER_ABI_CLASSES_H
#define TL_DEBUGGER_ABI_CLASSES_H

#include "symbols/type.h"

enum tl_abi_class {
	TL_ABI_CLASS_NONE,
	TL_ABI_CLASS_INTEGER,
	TL_ABI_CLASS_SSE,
	TL_ABI_CLASS_SSEUP,
	TL_ABI_CLASS_X87,
	TL_ABI_CLASS_X87UP,
	TL_ABI_CLASS_COMPLEX_X87,
	TL_ABI_CLASS_MEMORY
};

/* The widest register: 64 bytes. */
#define TL_ABI_EIGHTBYTES_MAX 8

struct tl_abi_classes {
	enum tl_abi_class classes[TL_ABI_EIGHTBYTES_MAX]; /* of each eightbyte; the first is MEMORY or none is */
	tl_u8 count;
	tl_u64 size;
	tl_u64 alignment;  /* bytes, as the type's members and attributes say */
	bool by_reference; /* a C++ class that is not trivial to copy or destroy: its address is passed in its place */
};

/*
 * What class a type is of. TL_ERROR_ARGUMENT: its size is not known (it is incomplete, or void); TL_ERROR_MALFORMED:
 * its members nest without end.
 */
TL_CHECKED enum tl_status tl_abi_classify(const struct tl_type *type, struct tl_abi_classes *classes_ret,
					  struct tl_error *error);

/*
 * Whether a C++ class must stand in memory to be passed or returned, because making or destroying a copy of it runs
 * code. What the compiler says of it counts (DW_AT_calling_convention), else its member functions do.
 */
TL_CHECKED enum tl_status tl_abi_by_reference(const struct tl_type *type, bool *by_reference_ret,
					      struct tl_error *error);

#endif

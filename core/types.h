/*
 * The integer types of everything below the libc line.
 *
 * core/ is compiled into hosted programs, bare-metal stubs and Linux kernel modules, whose environments disagree about
 * <stdint.h>, <stddef.h> and <stdbool.h>. This header takes its types from the compiler alone and keeps to names of its
 * own, so that it can stand beside any of them. Where an environment defines bool, true, false or NULL itself, include
 * its headers before this one.
 */
#ifndef TL_CORE_TYPES_H
#define TL_CORE_TYPES_H

typedef __UINT8_TYPE__ tl_u8;
typedef __UINT16_TYPE__ tl_u16;
typedef __UINT32_TYPE__ tl_u32;
typedef __UINT64_TYPE__ tl_u64;
typedef __INT8_TYPE__ tl_i8;
typedef __INT16_TYPE__ tl_i16;
typedef __INT32_TYPE__ tl_i32;
typedef __INT64_TYPE__ tl_i64;
typedef __SIZE_TYPE__ tl_size;
typedef __UINTPTR_TYPE__ tl_uintptr;

#if !defined(bool) && !defined(__cplusplus)
typedef _Bool bool;
#endif
#ifndef true
#define true 1
#define false 0
#endif
#ifndef NULL
#define NULL ((void *)0)
#endif

#define TL_U64_MAX (~(tl_u64)0)
#define TL_U32_MAX (~(tl_u32)0)
#define TL_SIZE_MAX (~(tl_size)0)

/* The number of elements of an array whose definition is in scope. */
#define TL_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that embeds `member` at `pointer`. */
#define TL_CONTAINER(pointer, type, member) ((type *)(void *)((char *)(pointer) - __builtin_offsetof(type, member)))

/* A result that the caller must look at. */
#define TL_CHECKED __attribute__((warn_unused_result))

/* Keeps a function's frame out of its callers' (the kernel has a macro `noinline`, hence the underscores). */
#define TL_NOINLINE __attribute__((__noinline__))

/* A function that takes a printf format. */
#define TL_PRINTF(text, first) __attribute__((format(printf, text, first)))

/*
 * Memory functions. A freestanding compiler may emit calls to memcpy, memmove, memset and memcmp and asks of every
 * environment that it supply these four; core/ uses them through the builtins and needs nothing else from outside.
 */
/* memcpy: the ranges do not overlap. */
static inline void tl_copy(void *to, const void *from, tl_size size)
{
	__builtin_memcpy(to, from, size);
}

/* memmove: they may. */
static inline void tl_move(void *to, const void *from, tl_size size)
{
	__builtin_memmove(to, from, size);
}

/* memset. */
static inline void tl_fill(void *to, tl_u8 byte, tl_size size)
{
	__builtin_memset(to, byte, size);
}

/* True when `size` bytes are equal. */
static inline bool tl_same(const void *a, const void *b, tl_size size)
{
	return __builtin_memcmp(a, b, size) == 0;
}

/* Little-endian loads and stores of 1 to 8 bytes at any alignment. */
static inline tl_u64 tl_load_little(const void *from, tl_size size)
{
	const tl_u8 *bytes = from;
	tl_u64 value = 0;

	while (size-- > 0)
		value = value << 8 | bytes[size];
	return value;
}

/* The counterpart of tl_load_little. */
static inline void tl_store_little(void *to, tl_u64 value, tl_size size)
{
	tl_u8 *bytes = to;

	for (tl_size i = 0; i < size; i++, value >>= 8)
		bytes[i] = (tl_u8)value;
}

/* The same where the size is constant: compilers make one instruction of it where they would not of a loop. */
static inline tl_u64 tl_load_constant(const void *from, tl_size size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	tl_u64 value = 0;

	tl_copy(&value, from, size);
	return value;
#else
	return tl_load_little(from, size);
#endif
}

/* The counterpart of tl_load_constant. */
static inline void tl_store_constant(void *to, tl_u64 value, tl_size size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	tl_copy(to, &value, size);
#else
	tl_store_little(to, value, size);
#endif
}

/* True when [a, a + a_size) and [b, b + b_size) share a byte; ranges may end at the top of the address space. */
static inline bool tl_overlap(tl_u64 a, tl_u64 a_size, tl_u64 b, tl_u64 b_size)
{
	return a_size != 0 && b_size != 0 && (a <= b ? b - a < a_size : a - b < b_size);
}

#endif

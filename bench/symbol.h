/* The address of a symbol in a program that is linked at a fixed address. */
#ifndef TL_BENCH_SYMBOL_H
#define TL_BENCH_SYMBOL_H

#include <stdint.h>

/* 0: no such symbol, or no such file, or not a 64-bit ELF file. */
uint64_t tl_symbol_address(const char *path, const char *name);

#endif

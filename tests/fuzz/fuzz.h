/*
 * What a fuzz target defines, under the name that libFuzzer calls: one input, a result of 0. It must neither crash nor
 * hang nor keep storage, whatever the input.
 */
#ifndef TL_TESTS_FUZZ_FUZZ_H
#define TL_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs one input through the code under test. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif

/*
 * A PC, or QEMU's `virt` with 64-bit Arm, as far as the example needs it: a serial port, its interrupt, a timer, and
 * processors. Not part of the stub.
 */
#ifndef TL_STUBS_BAREMETAL_EXAMPLE_MACHINE_H
#define TL_STUBS_BAREMETAL_EXAMPLE_MACHINE_H

#include "stubs/baremetal/stub.h"

/* So many it may have; the stub's storage is made for them. */
#ifndef MACHINE_PROCESSORS
#define MACHINE_PROCESSORS 4
#endif

/* Sets the serial port up, its interrupt and the gates of the stub, and starts the stub over them. */
enum tl_status machine_start(void);

/* Text for whoever is at the other end of the line; not while a debugger is there. */
void machine_say(const char *text);

/* Wakes the other processors: each calls processor_main(). Returns how many there are when they have come. */
tl_u32 machine_wake(void);

/* What machine_wake brings another processor to, with interrupts off. To be written by the program. */
void processor_main(tl_u32 number);

/* Has the timer interrupt the first processor so many times a second, 19 to 10,000. */
void machine_tick(tl_u32 hertz);

/* How often it did. */
extern volatile tl_u64 machine_ticks;

/* Interrupts on; on another processor its gates as well. */
void machine_open(void);

/* How many exceptions of the program's own (ud2, udf #0) there were; others are told to the debugger. */
extern volatile tl_u64 machine_faults;

#ifdef __aarch64__
/*
 * An exception that is not the stub's, its registers as the code goes on with them. To be written by a program that has
 * use for it; otherwise it is counted, or told.
 */
void machine_exception(struct tl_stub_arm64_frame *frame);

/*
 * Before anything else is done about an exception or interrupt, and after all was done, the frame as it will be loaded.
 * To be written by a program with tasks; otherwise nothing happens.
 */
void machine_enter(struct tl_stub_arm64_frame *frame);
void machine_leave(struct tl_stub_arm64_frame *frame);
#endif

#endif

/*
 * How a virtual machine begins: what is loaded from files, where, and what its first processor finds.
 *
 *     a Linux kernel, bzImage     the 64-bit boot protocol: long mode, RSI at the zero page
 *     vmlinux with a PVH note     PVH: 32-bit protected mode, EBX at the start info
 *     another 64-bit ELF file     long mode, everything below 4 GiB mapped one to one; RSI at a zero page, RDI at the
 *                                 start info, RSP in the first 640 KiB
 *     a 32-bit ELF file           32-bit protected mode without paging; EBX at the start info, ESP as above
 *     anything else               16 bits, at 0:0x7c00, as a PC begins a boot sector, but of up to 600 KiB; nothing of
 * a BIOS
 *
 * Whatever it is finds the command line, the initial file system and the tables of ACPI, if it asks for them.
 * The other processors wait until they are started (INIT and SIPI).
 *
 * Source: Linux, Documentation/x86/boot.rst and zero-page.rst; Xen, docs/misc/pvh.pandoc and
 * public/arch-x86/hvm/start_info.h.
 */
#ifndef TL_TARGETS_KVM_BOOT_H
#define TL_TARGETS_KVM_BOOT_H

#include "base/content.h"
#include "targets/kvm/vm.h"

/* Where things are in guest-physical memory. */
#define TL_KVM_BOOT_GDT 0x500
#define TL_KVM_BOOT_INFO 0x6000 /* the start info of PVH, and its lists */
#define TL_KVM_BOOT_ZERO_PAGE 0x7000
#define TL_KVM_BOOT_TABLES 0x9000 /* page tables: six pages */
#define TL_KVM_BOOT_SECTOR 0x7c00
#define TL_KVM_BOOT_COMMAND_LINE 0x20000
#define TL_KVM_BOOT_COMMAND_LINE_MAX 0x10000
#define TL_KVM_BOOT_LOW_END 0x9fc00 /* of memory below 1 MiB; the stack begins below it */
#define TL_KVM_BOOT_ACPI 0xe0000
#define TL_KVM_BOOT_ACPI_MAX 0x20000
#define TL_KVM_BOOT_HIGH 0x100000 /* where memory goes on */

/* What kind of thing is started. */
enum tl_kvm_boot_kind {
	TL_KVM_BOOT_NOTHING, /* there is no file: processors stay as after power on */
	TL_KVM_BOOT_LINUX,   /* bzImage */
	TL_KVM_BOOT_PVH,
	TL_KVM_BOOT_LONG,      /* a 64-bit program */
	TL_KVM_BOOT_PROTECTED, /* a 32-bit program */
	TL_KVM_BOOT_REAL       /* 16 bits */
};

/* All 0: nothing. */
struct tl_kvm_boot {
	enum tl_kvm_boot_kind kind;
	struct tl_content kernel, initrd; /* kept for resets */
	const char *command_line;         /* borrowed; never NULL when it was opened */
	tl_u64 entry;                     /* where the first processor begins; once it was loaded */
	tl_u64 initrd_start;              /* where that is; once it was loaded */
};

/*
 * Reads the files, and finds out what the first is; `kernel` and the others may be NULL. Texts are borrowed. Errors
 * name the file: see tl_content_read; TL_ERROR_MALFORMED for one that is damaged, or for another machine.
 */
TL_CHECKED enum tl_status tl_kvm_boot_open(struct tl_kvm_boot *boot_ret, const char *kernel, const char *initrd,
					   const char *command_line, struct tl_error *error);
/* Frees what was read; {0} is fine. */
void tl_kvm_boot_close(struct tl_kvm_boot *boot);

/*
 * Loads everything into a machine that stands as after power on, with tables of ACPI that are given (their first bytes
 * are the RSDP), and sets its first processor. At the start and after each reset. TL_ERROR_TOO_LONG or
 * TL_ERROR_ARGUMENT when there is no room in memory, with a sentence; TL_ERROR_SYSTEM.
 */
TL_CHECKED enum tl_status tl_kvm_boot_load(struct tl_kvm_boot *boot, struct tl_kvm_vm *vm, const tl_u8 *acpi,
					   tl_size acpi_size, struct tl_error *error);

#endif

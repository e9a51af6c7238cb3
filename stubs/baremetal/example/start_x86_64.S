/*
 * From a multiboot loader to C in 64-bit mode, on every processor: main() on the first, processor_main() on the others
 * once start_processors() was called. Multiboot 0.6.96, 3.1.3, bit 16: the image is loaded as it lies in the file. Pages
 * from the program's start to its end are mapped, where the others begin, and the local interrupt controller's.
 */
	.text
	.balign 4
header:
	.long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	.long header, 0x400000, _edata, _end, boot

	.code32
	.globl boot
boot:
	cli
	mov $pages, %edi
	mov $0x400003, %eax
1:	mov %eax, (%edi)
	add $8, %edi
	add $4096, %eax
	cmp $_end, %eax
	jb 1b
	mov $stacks + 8192, %esp
	call enable_paging
	lgdt descriptors_at
	ljmp $8, $first

/* Physical addresses of more than 32 bits, SSE, long mode, paging. */
enable_paging:
	mov $tables, %eax
	mov %eax, %cr3
	mov $0x620, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x100, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80010011, %eax
	mov %eax, %cr0
	ret

	.code64
first:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %ebp, %ebp
	call main
1:	hlt
	jmp 1b

/* ---- The other processors begin at 0x8000, in real mode ---- */

	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl 0x8000 + descriptors_copy - trampoline
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $24, $other
descriptors_copy:
	.word descriptors_at - descriptors - 1
	.long descriptors
trampoline_end:

	.code32
other:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %ss
	/* A stack of its own, by the number of the local interrupt controller. */
	mov $1, %eax
	cpuid
	shr $24, %ebx
	mov %ebx, %esi
	inc %ebx
	shl $13, %ebx
	lea stacks(%ebx), %esp
	call enable_paging
	ljmp $8, $1f
	.code64
1:	mov %esi, %edi
	xor %ebp, %ebp
	call processor_main
2:	hlt
	jmp 2b

/* The line's interrupt and the timer's: what a C function may change is kept. */
	.globl interrupt_entry
interrupt_entry:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	cld
	call on_interrupt
	mov %rbp, %rsp
	pop %rbp
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	iretq

/* ud2 is counted, and passed by; what else is no instruction is told to the debugger. */
	.globl fault_entry
fault_entry:
	push %rax
	mov 8(%rsp), %rax
	cmpw $0x0b0f, (%rax)
	pop %rax
	jne 1f
	addq $2, (%rsp)
	incq machine_faults
	iretq
1:	jmp tl_stub_x86_entries + 6 * 16

	.data
	.balign 8
descriptors:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff
descriptors_at:
	.word descriptors_at - descriptors - 1
	.long descriptors, 0

	.balign 4096
tables:
	.quad directories + 3
	.fill 511, 8, 0
directories:
	.quad directory + 3
	.fill 2, 8, 0
	.quad last_directory + 3
	.fill 508, 8, 0
directory:
	.quad low_pages + 3, 0, pages + 3
	.fill 509, 8, 0
last_directory:
	.fill 503, 8, 0
	.quad 0xfee00000 + 0x9b /* 2 MiB, not cached */
	.fill 8, 8, 0
low_pages:
	.fill 8, 8, 0
	.quad 0x8000 + 3
	.fill 503, 8, 0

	.bss
	.balign 4096
pages:
	.skip 4096
stacks:
	.skip 8192 * 8

	.section .note.GNU-stack, "", @progbits

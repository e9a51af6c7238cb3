/*
 * The fixture of the conformance scenarios for x86-64: see FIXTURE.md for what it promises. It is a static program
 * without libc, so that its symbols are addresses, and it keeps to plain instructions (mov, lea, add, sub, cmp, push, pop,
 * call, ret, jmp, jcc, nop, syscall, int3), so that small machines can run it too.
 */
	.text
	.globl _start, fixture_start
_start:
fixture_start:
	.globl fixture_loop
fixture_loop:
	mov fixture_counter(%rip), %rdi
	add $1, %rdi
	mov %rdi, fixture_counter(%rip)
	.globl fixture_call
fixture_call:
	call fixture_body
	.globl fixture_range, fixture_range_second, fixture_range_end
fixture_range:
	mov $1, %rax
fixture_range_second:
	add $2, %rax
	nop
	sub $3, %rax
	nop
fixture_range_end:
	mov fixture_request(%rip), %rax
	cmp $0, %rax
	je fixture_loop
	mov $0, %ecx
	mov %rcx, fixture_request(%rip)
	call serve_request
	.globl fixture_served
fixture_served:
	jmp fixture_loop

	.globl fixture_body, fixture_body_second, fixture_body_third
fixture_body:
	mov %rdi, fixture_last(%rip)
fixture_body_second:
	lea (%rdi,%rdi), %rax
fixture_body_third:
	ret

/* %rax: the number of the request. */
serve_request:
	mov fixture_argument(%rip), %rdi
	cmp $1, %rax
	je request_threads
	cmp $2, %rax
	je request_exit
	cmp $3, %rax
	je request_signal
	cmp $4, %rax
	je request_handler
	cmp $5, %rax
	je request_fork
	cmp $6, %rax
	je request_vfork
	cmp $7, %rax
	je request_exec
	cmp $8, %rax
	je fixture_write
	cmp $9, %rax
	je fixture_read
	cmp $10, %rax
	je request_call
	cmp $11, %rax
	je request_fault
	cmp $12, %rax
	je request_trap
	cmp $13, %rax
	je request_print
	cmp $14, %rax
	je fixture_wait
	ret

/* 1: starts as many threads as fixture_argument says. */
request_threads:
	mov %rdi, %rbp
	mov $0, %ebx
	lea fixture_stacks(%rip), %r12
1:	cmp %rbp, %rbx
	je 2f
	add $1, %rbx
	add $4096, %r12
	mov $0x50f00, %edi
	mov %r12, %rsi
	mov $0, %edx
	mov $0, %r10d
	mov $0, %r8d
	mov $56, %eax
	syscall
	cmp $0, %rax
	je worker
	jmp 1b
2:	ret

/* A thread; its index, from 1, in %rbx. */
worker:
	mov %rbx, %rdi
	call fixture_worker
	mov $24, %eax
	syscall
	mov fixture_dismiss(%rip), %rax
	cmp $0, %rax
	je worker
	mov $0, %edi
	mov $60, %eax
	syscall
	.globl fixture_worker, fixture_worker_second
fixture_worker:
	mov %rdi, %rax
fixture_worker_second:
	ret

/* 2: exits the process. */
request_exit:
	mov $231, %eax
	syscall

/* 3: sends itself a signal. */
request_signal:
	mov $39, %eax
	syscall
	mov %rax, %r12
	mov $186, %eax
	syscall
	mov %r12, %rdi
	mov %rax, %rsi
	mov fixture_argument(%rip), %rdx
	mov $234, %eax
	syscall
	ret

/* 4: has signal fixture_argument handled by fixture_handler. */
request_handler:
	lea handler_action(%rip), %rsi
	mov $0, %edx
	mov $8, %r10d
	mov $13, %eax
	syscall
	ret
	.globl fixture_handler
fixture_handler:
	mov fixture_signals(%rip), %rax
	add $1, %rax
	mov %rax, fixture_signals(%rip)
	ret
handler_restorer:
	mov $15, %eax
	syscall

/* 5: forks; the child calls fixture_child and exits with status 7. */
request_fork:
	mov $57, %eax
	syscall
	cmp $0, %rax
	je 1f
	mov %rax, fixture_made(%rip)
	ret
1:	call fixture_child
	mov $7, %edi
	mov $231, %eax
	syscall
	.globl fixture_child
fixture_child:
	mov $1, %eax
	ret

/* 6: the same with vfork, status 8. */
request_vfork:
	pop %r13
	mov $58, %eax
	syscall
	cmp $0, %rax
	je 1f
	mov %rax, fixture_made(%rip)
	push %r13
	ret
1:	call fixture_child
	mov $8, %edi
	mov $231, %eax
	syscall

/* 7: runs itself afresh. */
request_exec:
	lea exec_path(%rip), %rdi
	lea exec_arguments(%rip), %rsi
	lea exec_environment(%rip), %rdx
	mov $59, %eax
	syscall
	ret

/* 8 and 9: write or read fixture_argument bytes (1, 2, 4, 8) at fixture_address; other sizes do nothing. */
	.globl fixture_write, fixture_read
fixture_write:
	mov fixture_address(%rip), %rsi
	mov fixture_value(%rip), %rdx
	cmp $1, %rdi
	je 1f
	cmp $2, %rdi
	je 2f
	cmp $4, %rdi
	je 4f
	cmp $8, %rdi
	je 8f
	ret
	.globl fixture_write_1, fixture_written_1, fixture_write_8, fixture_written_8
fixture_write_1:
1:	mov %dl, (%rsi)
fixture_written_1:
	ret
2:	mov %dx, (%rsi)
	ret
4:	mov %edx, (%rsi)
	ret
fixture_write_8:
8:	mov %rdx, (%rsi)
fixture_written_8:
	ret
fixture_read:
	mov fixture_address(%rip), %rsi
	mov $0, %edx
	cmp $1, %rdi
	je 1f
	cmp $2, %rdi
	je 2f
	cmp $4, %rdi
	je 4f
	cmp $8, %rdi
	je 8f
	ret
1:	mov (%rsi), %dl
	ret
2:	mov (%rsi), %dx
	ret
4:	mov (%rsi), %edx
	ret
8:	mov (%rsi), %rdx
	ret

/* 10: system call number 39 (getpid). */
request_call:
	mov $39, %eax
	.globl fixture_syscall, fixture_syscall_after
fixture_syscall:
	syscall
fixture_syscall_after:
	ret

/* 11: reads where nothing is mapped. */
request_fault:
	mov $8, %ecx
	.globl fixture_fault
fixture_fault:
	mov (%rcx), %rax
	ret

/* 12: a trap instruction of the program's own. */
request_trap:
	nop
	.globl fixture_trap, fixture_trap_after
fixture_trap:
	int3
fixture_trap_after:
	ret

/* 13: writes fixture_text to standard output. */
request_print:
	mov $1, %edi
	lea fixture_text(%rip), %rsi
	mov $6, %edx
	mov $1, %eax
	syscall
	ret

/* 14: blocks until a signal comes. */
fixture_wait:
	mov $34, %eax
	syscall
	ret

	.section .rodata
exec_path:
	.asciz "/proc/self/exe"
	.globl fixture_text
fixture_text:
	.asciz "hello\n"

	.data
	.balign 8
exec_arguments:
	.quad exec_path, 0
exec_environment:
	.quad 0
handler_action:
	.quad fixture_handler, 0x04000000, handler_restorer, 0
	.globl fixture_counter, fixture_last, fixture_request, fixture_argument, fixture_address, fixture_value
	.globl fixture_signals, fixture_dismiss, fixture_made, fixture_buffer, fixture_watched
fixture_counter:
	.quad 0
fixture_last:
	.quad 0
fixture_request:
	.quad 0
fixture_argument:
	.quad 0
fixture_address:
	.quad 0
fixture_value:
	.quad 0
fixture_signals:
	.quad 0
fixture_dismiss:
	.quad 0
fixture_made:
	.quad 0
	.balign 64
fixture_watched:
	.fill 64, 1, 0
fixture_buffer:
	.set byte, 0
	.rept 256
	.byte byte
	.set byte, byte + 1
	.endr

	.bss
	.balign 4096
	.globl fixture_stacks
fixture_stacks:
	.skip 4096 * 65

	.section .note.GNU-stack, "", @progbits

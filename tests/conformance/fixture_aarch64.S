/*
 * The fixture of the conformance scenarios for 64-bit Arm: see FIXTURE.md for what it promises. It is a static program
 * without libc, so that its symbols are addresses. x19 holds where its variables begin.
 */
	.text
	.globl _start, fixture_start
_start:
fixture_start:
	adrp x19, variables
	add x19, x19, :lo12:variables
	.globl fixture_loop
fixture_loop:
	ldr x0, [x19, #(fixture_counter - variables)]
	add x0, x0, #1
	str x0, [x19, #(fixture_counter - variables)]
	.globl fixture_call
fixture_call:
	bl fixture_body
	.globl fixture_range, fixture_range_second, fixture_range_end
fixture_range:
	mov x0, #1
fixture_range_second:
	add x0, x0, #2
	nop
	sub x0, x0, #3
	nop
fixture_range_end:
	ldr x8, [x19, #(fixture_request - variables)]
	cbz x8, fixture_loop
	str xzr, [x19, #(fixture_request - variables)]
	bl serve_request
	.globl fixture_served
fixture_served:
	b fixture_loop

	.globl fixture_body, fixture_body_second, fixture_body_third
fixture_body:
	str x0, [x19, #(fixture_last - variables)]
fixture_body_second:
	add x1, x0, x0
fixture_body_third:
	ret

/* x8: the number of the request. */
serve_request:
	ldr x0, [x19, #(fixture_argument - variables)]
	cmp x8, #1
	b.eq request_threads
	cmp x8, #2
	b.eq request_exit
	cmp x8, #3
	b.eq request_signal
	cmp x8, #4
	b.eq request_handler
	cmp x8, #5
	b.eq request_fork
	cmp x8, #6
	b.eq request_vfork
	cmp x8, #7
	b.eq request_exec
	cmp x8, #8
	b.eq fixture_write
	cmp x8, #9
	b.eq fixture_read
	cmp x8, #10
	b.eq request_call
	cmp x8, #11
	b.eq request_fault
	cmp x8, #12
	b.eq request_trap
	cmp x8, #13
	b.eq request_print
	cmp x8, #14
	b.eq fixture_wait
	ret

/* 1: starts as many threads as fixture_argument says. */
request_threads:
	mov x20, x0
	mov x21, #0
	adrp x22, fixture_stacks
	add x22, x22, :lo12:fixture_stacks
1:	cmp x21, x20
	b.eq 2f
	add x21, x21, #1
	add x22, x22, #4096
	mov x0, #0x0f00
	movk x0, #5, lsl #16
	mov x1, x22
	mov x2, #0
	mov x3, #0
	mov x4, #0
	mov x8, #220
	svc #0
	cbz x0, worker
	b 1b
2:	ret

/* A thread; its index, from 1, in x21. */
worker:
	mov x0, x21
	bl fixture_worker
	mov x8, #124
	svc #0
	ldr x0, [x19, #(fixture_dismiss - variables)]
	cbz x0, worker
	mov x0, #0
	mov x8, #93
	svc #0
	.globl fixture_worker, fixture_worker_second
fixture_worker:
	mov x1, x0
fixture_worker_second:
	ret

/* 2: exits the process. */
request_exit:
	mov x8, #94
	svc #0

/* 3: sends itself a signal. */
request_signal:
	mov x8, #172
	svc #0
	mov x22, x0
	mov x8, #178
	svc #0
	mov x1, x0
	mov x0, x22
	ldr x2, [x19, #(fixture_argument - variables)]
	mov x8, #131
	svc #0
	ret

/* 4: has signal fixture_argument handled by fixture_handler. */
request_handler:
	adrp x1, handler_action
	add x1, x1, :lo12:handler_action
	mov x2, #0
	mov x3, #8
	mov x8, #134
	svc #0
	ret
	.globl fixture_handler
fixture_handler:
	adrp x1, fixture_signals
	ldr x2, [x1, :lo12:fixture_signals]
	add x2, x2, #1
	str x2, [x1, :lo12:fixture_signals]
	ret

/* 5: forks; the child calls fixture_child and exits with status 7. */
request_fork:
	mov x23, x30
	mov x0, #17
	mov x1, #0
	mov x2, #0
	mov x3, #0
	mov x4, #0
	mov x8, #220
	svc #0
	cbz x0, 1f
	str x0, [x19, #(fixture_made - variables)]
	ret x23
1:	bl fixture_child
	mov x0, #7
	mov x8, #94
	svc #0
	.globl fixture_child
fixture_child:
	mov x0, #1
	ret

/* 6: the same with vfork, status 8. */
request_vfork:
	mov x23, x30
	mov x0, #0x4111
	mov x1, #0
	mov x2, #0
	mov x3, #0
	mov x4, #0
	mov x8, #220
	svc #0
	cbz x0, 1f
	str x0, [x19, #(fixture_made - variables)]
	ret x23
1:	bl fixture_child
	mov x0, #8
	mov x8, #94
	svc #0

/* 7: runs itself afresh. */
request_exec:
	adrp x0, exec_path
	add x0, x0, :lo12:exec_path
	adrp x1, exec_arguments
	add x1, x1, :lo12:exec_arguments
	adrp x2, exec_environment
	add x2, x2, :lo12:exec_environment
	mov x8, #221
	svc #0
	ret

/* 8 and 9: write or read fixture_argument bytes (1, 2, 4, 8) at fixture_address; other sizes do nothing. */
	.globl fixture_write, fixture_read
fixture_write:
	ldr x1, [x19, #(fixture_address - variables)]
	ldr x2, [x19, #(fixture_value - variables)]
	cmp x0, #1
	b.eq fixture_write_1
	cmp x0, #2
	b.eq 2f
	cmp x0, #4
	b.eq 4f
	cmp x0, #8
	b.eq fixture_write_8
	ret
	.globl fixture_write_1, fixture_written_1, fixture_write_8, fixture_written_8
fixture_write_1:
	strb w2, [x1]
fixture_written_1:
	ret
2:	strh w2, [x1]
	ret
4:	str w2, [x1]
	ret
fixture_write_8:
	str x2, [x1]
fixture_written_8:
	ret
fixture_read:
	ldr x1, [x19, #(fixture_address - variables)]
	cmp x0, #1
	b.eq 1f
	cmp x0, #2
	b.eq 2f
	cmp x0, #4
	b.eq 4f
	cmp x0, #8
	b.eq 8f
	ret
1:	ldrb w2, [x1]
	ret
2:	ldrh w2, [x1]
	ret
4:	ldr w2, [x1]
	ret
8:	ldr x2, [x1]
	ret

/* 10: system call number 172 (getpid). */
request_call:
	mov x8, #172
	.globl fixture_syscall, fixture_syscall_after
fixture_syscall:
	svc #0
fixture_syscall_after:
	ret

/* 11: reads where nothing is mapped. */
request_fault:
	mov x1, #8
	.globl fixture_fault
fixture_fault:
	ldr x0, [x1]
	ret

/* 12: a trap instruction of the program's own. */
request_trap:
	nop
	.globl fixture_trap, fixture_trap_after
fixture_trap:
	brk #0
fixture_trap_after:
	ret

/* 13: writes fixture_text to standard output. */
request_print:
	mov x0, #1
	adrp x1, fixture_text
	add x1, x1, :lo12:fixture_text
	mov x2, #6
	mov x8, #64
	svc #0
	ret

/* 14: blocks until a signal comes: ppoll of nothing, without an end. */
fixture_wait:
	mov x0, #0
	mov x1, #0
	mov x2, #0
	mov x3, #0
	mov x8, #73
	svc #0
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
	.quad fixture_handler, 0, 0, 0
	.globl fixture_counter, fixture_last, fixture_request, fixture_argument, fixture_address, fixture_value
	.globl fixture_signals, fixture_dismiss, fixture_made, fixture_buffer, fixture_watched
variables:
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

	.section .note.GNU-stack, "", %progbits

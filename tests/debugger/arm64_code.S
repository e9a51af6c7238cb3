/* Instructions of 64-bit Arm, for the referee of disassemblers: every form of which the text is made here, and many others. */
	.arch	armv8.8-a+memtag+sha3+sm4+dotprod+i8mm+crypto+crc+mops+lse+flagm+lor
	.macro	load operation, order
	ld\operation\order	x0, x1, [x2]
	ld\operation\order	w0, wzr, [x2]
	ld\operation\order\()b	w0, w1, [x2]
	ld\operation\order\()h	w0, w1, [sp]
	.endm
	.macro	store operation, order
	st\operation\order	x0, [x2]
	st\operation\order\()h	w0, [sp]
	.endm
	.macro	copy stage, kind
	cpyf\stage\kind	[x3]!, [x1]!, x2!
	cpy\stage\kind	[x3]!, [x1]!, x2!
	.endm
	.macro	set_memory stage, kind
	set\stage\kind	[x3]!, x2!, x1
	setg\stage\kind	[x3]!, x2!, xzr
	.endm
	.text
	.globl	start
start:
	mov	x0, #0
	mov	w0, #0xffffffff
	mov	x0, #-1
	mov	w1, #-2
	mov	x2, #0x12340000
	mov	x3, #0xff0000ffff0000ff
	mov	w3, #0xff00ff
	mov	x3, #0xaaaaaaaaaaaaaaaa
	mov	wsp, #0xff00ff
	mov	x3, #0x00ffffffffffff00
	movz	x0, #0, lsl #16
	movn	x0, #0, lsl #32
	movn	w0, #0xffff
	movk	x1, #0
	movk	x1, #0xffff, lsl #48
	mov	w0, w1
	mov	x0, sp
	mvn	x0, x1
	neg	x0, x1, lsl #3
	eor	x0, x1, #0xff00ff00ff00ff00
	orr	sp, x1, #1
	bic	x0, x1, x2, ror #3
	add	x0, x1, #1
	add	sp, sp, #4095, lsl #12
	add	x0, x1, w2, uxtb #2
	add	x0, x1, x2, lsl #33
	sub	sp, sp, x1, uxtx #2
	cmp	x0, #10
	cmn	w0, w1, sxth
	tst	x0, #3
	adc	x0, x1, x2
	ngcs	x0, x1
	mul	x0, x1, x2
	smull	x0, w1, w2
	umulh	x0, x1, x2
	msub	w0, w1, w2, w3
	udiv	x0, x1, x2
	ror	x0, x1, #3
	extr	x0, x1, x2, #33
	lsl	w0, w1, #28
	lsr	x0, x1, x2
	asr	x0, x1, #63
	sxtw	x0, w1
	uxtb	w0, w1
	ubfx	x19, x5, #48, #15
	sbfiz	x1, x1, #4, #32
	bfi	w2, w0, #6, #26
	bfxil	x1, x2, #0, #32
	bfc	x0, #3, #4
	bfc	w0, #0, #32
	rev16	x0, x1
	clz	w0, w1
	crc32cx	w0, w1, x2
	b	start
	bl	start
	br	x1
	blr	x2
	ret
	ret	x1
	cbz	w0, start
	cbnz	x30, start
	tbz	w1, #0, start
	tbnz	x2, #63, start
	adr	x0, start
	adrp	x0, start
	ldr	x0, start
	ldr	w0, start
	ldr	q0, start
	ldr	s0, start
	ldrsw	x0, start
	prfm	pldl1keep, start
	.irp	condition, eq, ne, cs, cc, mi, pl, vs, vc, hi, ls, ge, lt, gt, le, al
	b.\condition	start
	csel	w19, w0, w1, \condition
	ccmp	x15, #3, #2, \condition
	ccmn	x15, x3, #2, \condition
	fccmp	s0, s1, #3, \condition
	fccmpe	d0, d1, #3, \condition
	fcsel	d0, d1, d2, \condition
	csinv	x0, x1, x2, \condition
	.endr
	cset	w0, cs
	csetm	w0, lo
	cinc	x0, x1, lo
	cneg	x0, x1, hs
	svc	#0
	svc	#0x1234
	hvc	#1
	smc	#2
	brk	#1000
	hlt	#3
	dcps1	#3
	dcps2
	eret
	drps
	udf	#3
	clrex
	clrex	#3
	dmb	ish
	dmb	ishld
	dsb	#3
	isb
	ssbb
	pssbb
	sb
	nop
	yield
	wfe
	wfi
	sev
	sevl
	dgh
	esb
	psb	csync
	tsb	csync
	csdb
	bti
	bti	c
	bti	j
	bti	jc
	hint	#127
	msr	spsel, #1
	msr	daifset, #2
	mrs	x0, tpidr_el0
	msr	fpcr, x1
	mrs	x0, cntvct_el0
	sys	#3, c7, c4, #0, x3
	dc	zva, x0
	dc	gva, x0
	dc	gzva, x1
	dc	cvau, x0
	ic	ivau, x0
	ic	ialluis
	at	s1e1r, x0
	tlbi	vmalle1
	cfinv
	xaflag
	axflag
	setf8	w1
	setf16	w2
	ldr	x0, [x1]
	ldr	x0, [x1, #8]
	ldr	x17, [x16, #4088]
	ldr	x0, [sp, #-16]!
	ldr	x0, [sp], #16
	ldr	x0, [x1, w2, uxtw #3]
	ldr	x0, [x1, x2]
	ldr	b0, [x1, x2, sxtx]
	ldrb	w0, [x1, x2, lsl #0]
	ldrsb	x0, [x1, #255]
	ldur	q0, [x4, #-72]
	sturh	w0, [x19, #13]
	ldtr	x0, [x1, #3]
	ldp	x19, x21, [sp, #16]
	stp	x29, x30, [sp, #-16]!
	ldp	q0, q1, [x0], #32
	ldpsw	x0, x1, [x2, #-8]
	ldnp	x0, x1, [x2]
	stnp	d0, d1, [x2, #16]
	prfm	pldl1strm, [x1, #384]
	prfm	#6, [x0, #8]
	prfum	pstl3keep, [x0, #-1]
	ldxr	x0, [x1]
	ldaxp	x0, x1, [x2]
	stlxrb	w0, w1, [x2]
	stxp	w0, x1, x2, [sp]
	ldar	x0, [x1]
	stlrh	w0, [sp]
	ldlar	w0, [x1]
	ldlarb	w0, [x1]
	stllr	x0, [x1]
	stllrh	w0, [x1]
	ldapr	x0, [x1]
	ldapr	w0, [sp]
	ldaprb	w0, [x1]
	ldaprh	w0, [x1]
	.irp	order, , a, l, al
	cas\order	w0, w1, [x2]
	cas\order	x0, x1, [sp]
	cas\order\()b	w0, w1, [x2]
	cas\order\()h	w0, wzr, [x2]
	casp\order	x0, x1, x2, x3, [x4]
	casp\order	w30, wzr, w2, w3, [sp]
	swp\order	x0, x1, [x2]
	swp\order\()b	w0, wzr, [x2]
	.irp	operation, add, clr, eor, set, smax, smin, umax, umin
	load	\operation, \order
	.endr
	.endr
	.irp	order, , l
	.irp	operation, add, clr, eor, set, smax, smin, umax, umin
	store	\operation, \order
	.endr
	.endr
	ldapur	x0, [x1, #-1]
	ldapurb	w0, [x1]
	ldapursb	x0, [x1, #255]
	ldapursb	w0, [x1, #255]
	ldapursh	x0, [sp, #1]
	ldapursw	x0, [sp, #1]
	stlur	w0, [x1, #4]
	stlurh	w0, [x1, #4]
	.irp	name, pacia, pacib, pacda, pacdb, autia, autib, autda, autdb
	\name	x0, x1
	\name	x30, sp
	.endr
	.irp	name, paciza, pacizb, pacdza, pacdzb, autiza, autizb, autdza, autdzb, xpaci, xpacd
	\name	x30
	.endr
	.irp	name, pacia1716, pacib1716, autia1716, autib1716, paciaz, paciasp, pacibz, pacibsp, autiaz, autiasp, autibz, autibsp, xpaclri
	\name
	.endr
	pacga	x0, x1, sp
	braaz	x1
	brabz	x1
	blraaz	x1
	blrabz	x30
	braa	x1, sp
	brab	x1, x2
	blraa	x1, x2
	blrab	x1, sp
	retaa
	retab
	eretaa
	eretab
	ldraa	x0, [x1]
	ldraa	x0, [x1, #-4096]
	ldrab	xzr, [sp, #4088]!
	ldrab	x0, [x1, #0]!
	irg	x0, sp
	irg	sp, x1, x2
	gmi	x1, x0, xzr
	subp	x0, sp, x1
	subps	x0, x1, x2
	cmpp	x1, sp
	addg	sp, x1, #16, #1
	subg	x0, sp, #1008, #15
	stg	x0, [x1]
	stg	sp, [x1, #16]
	stg	x0, [x1], #-4096
	stzg	x0, [x1, #4080]!
	st2g	x0, [sp]
	stz2g	x0, [x1], #16
	stgp	x0, xzr, [x1]
	stgp	x0, x2, [x1, #-1024]!
	stgp	x0, x2, [sp], #1008
	ldg	x0, [x1, #32]
	ldg	x0, [sp]
	ldgm	x0, [x1]
	stgm	x0, [x1]
	stzgm	x0, [sp]
	.irp	kind, , wt, rt, t, wn, wtwn, rtwn, twn, rn, wtrn, rtrn, trn, n, wtn, rtn, tn
	.irp	stage, p, m, e
	copy	\stage, \kind
	.endr
	.endr
	.irp	kind, , t, n, tn
	.irp	stage, p, m, e
	set_memory	\stage, \kind
	.endr
	.endr
	fmov	d1, #1.0
	fmov	s0, #-0.125
	fmov	v0.4s, #1.5
	fmov	d0, x0
	fmov	v0.d[1], x1
	fcmp	s0, #0.0
	fcmpe	d1, d2
	fcmeq	v0.4s, v1.4s, #0.0
	fadd	d0, d1, d2
	fmadd	s0, s1, s2, s3
	fcvtzs	w2, s0, #16
	fcvt	d0, s1
	scvtf	d0, x1
	frinta	v0.2d, v1.2d
	cmeq	v0.4s, v1.4s, #0
	sshll	v0.4s, v1.4h, #3
	sxtl	v0.2d, v1.2s
	uxtl2	v0.8h, v1.16b
	ushr	d1, d0, #32
	shl	v0.4s, v1.4s, #31
	ext	v0.16b, v2.16b, v3.16b, #15
	movi	v0.2d, #0xff00ff00ff00ff00
	movi	d0, #0xff
	movi	v0.8h, #1, lsl #8
	movi	v0.4s, #1, msl #8
	movi	v0.16b, #255
	mvni	v0.4s, #0
	orr	v0.8h, #1, lsl #8
	bic	v0.4s, #7
	mov	v0.16b, v1.16b
	mov	v0.s[1], w2
	mov	v0.d[1], x2
	mov	v0.b[15], wzr
	mov	v0.b[3], v1.b[2]
	mov	v0.d[1], v1.d[0]
	mov	s0, v1.s[2]
	mov	x0, v1.d[1]
	mov	w0, v1.s[1]
	umov	w0, v1.b[3]
	smov	x0, v1.b[1]
	dup	v0.8b, w0
	dup	v0.4s, v1.s[3]
	tbl	v0.8b, {v1.16b, v2.16b}, v3.8b
	tbx	v0.16b, {v30.16b, v31.16b, v0.16b, v1.16b}, v3.16b
	tbl	v0.16b, {v1.16b, v2.16b, v3.16b}, v3.16b
	ld1	{v0.b}[3], [x0], #1
	ld1	{v1.16b}, [x2], #16
	ld1	{v1.16b}, [x2], x3
	ld1	{v1.16b - v4.16b}, [x2]
	ld3	{v1.2d - v3.2d}, [x2], #48
	st4	{v31.4s, v0.4s, v1.4s, v2.4s}, [sp]
	st2	{v0.4h, v1.4h}, [x0]
	st3	{v0.s - v2.s}[1], [x0]
	ld1r	{v0.2s}, [x0]
	ld4r	{v0.8b - v3.8b}, [x0], #4
	aese	v0.16b, v1.16b
	sha1c	q0, s1, v2.4s
	sha256h	q0, q1, v2.4s
	pmull2	v0.1q, v1.2d, v2.2d
	sha512h	q3, q5, v6.2d
	sha512h2	q3, q1, v0.2d
	sha512su0	v0.2d, v1.2d
	sha512su1	v16.2d, v23.2d, v7.2d
	eor3	v0.16b, v1.16b, v2.16b, v3.16b
	bcax	v0.16b, v1.16b, v2.16b, v3.16b
	rax1	v0.2d, v1.2d, v2.2d
	xar	v14.2d, v29.2d, v27.2d, #3
	sm3ss1	v0.4s, v1.4s, v2.4s, v3.4s
	sm3partw1	v0.4s, v1.4s, v2.4s
	sm3partw2	v0.4s, v1.4s, v2.4s
	sm4e	v0.4s, v1.4s
	sm4ekey	v0.4s, v1.4s, v2.4s
	sdot	v0.2s, v1.8b, v2.8b
	sdot	v0.4s, v1.16b, v2.16b
	udot	v0.2s, v1.8b, v2.8b
	udot	v0.4s, v1.16b, v2.16b
	usdot	v0.2s, v1.8b, v2.8b
	usdot	v0.4s, v1.16b, v2.16b
	smmla	v0.4s, v1.16b, v2.16b
	ummla	v0.4s, v1.16b, v2.16b
	usmmla	v0.4s, v1.16b, v2.16b
	fjcvtzs	w0, d1
	addv	s0, v1.4s
	fmla	v0.4s, v1.4s, v2.s[3]
	sqdmulh	h0, h1, v2.h[7]
	zip1	v0.16b, v1.16b, v2.16b
	rbit	v0.8b, v1.8b
	cnt	v0.8b, v1.8b

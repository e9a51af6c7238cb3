/*
 * MD5, by which lldb tells whether its copy of a file is the target's. RFC 1321. It protects nothing: files that were
 * made to collide, do.
 */
#ifndef TL_FRONTENDS_SERVE_MD5_H
#define TL_FRONTENDS_SERVE_MD5_H

#include "core/types.h"

#define TL_MD5_SIZE 16

struct tl_md5 {
	tl_u32 state[4];
	tl_u64 size;    /* bytes so far */
	tl_u8 rest[64]; /* size % 64 of them, not yet in `state` */
};

/* Any thread may use its own; nothing fails. */
struct tl_md5 tl_md5_make(void);
void tl_md5_add(struct tl_md5 *md5, const void *bytes, tl_size size);
/* Ends it: nothing may be added behind. */
void tl_md5_finish(struct tl_md5 *md5, tl_u8 digest_ret[TL_MD5_SIZE]);

#endif

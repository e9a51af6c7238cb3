/*
 * Where debug information stands when it does not stand in the file itself: in a separate file, named by the build id
 * or by .gnu_debuglink, and in a file of common parts that dwz made, named by .gnu_debugaltlink. (GDB manual,
 * "Debugging Information in Separate Files", whose order is kept.)
 */
#ifndef TL_SYMBOLS_SEPARATE_H
#define TL_SYMBOLS_SEPARATE_H

#include "symbols/image.h"
#include "symbols/image_file.h"

/*
 * Opens the debug file of `file`, which the caller closes; `debug_ret` stays empty when `file` has its own debug
 * information or none is found. One that is found and does not fit is closed again, and `remark` says why.
 */
void tl_separate_debug(const struct tl_image_file *file, const struct tl_image_options *options,
		       struct tl_image_file *debug_ret, char *remark, tl_size remark_size);

/* The same for the file of common parts of `file`; here it is worth a remark that it is not found. */
void tl_separate_common(const struct tl_image_file *file, const struct tl_image_options *options,
			struct tl_image_file *common_ret, char *remark, tl_size remark_size);

#endif

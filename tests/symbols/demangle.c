/*
 * Demangles what comes in, a name a line; a name that is none goes out as it came in.
 *
 *     demangle [names] < NAMES         names: without the types of functions
 */
#include "symbols/demangle.h"

#include <stdio.h>
#include <string.h>

int main(int count, char **arguments)
{
	enum tl_demangle_form form =
		count > 1 && strcmp(arguments[1], "names") == 0 ? TL_DEMANGLE_NAME : TL_DEMANGLE_WHOLE;
	static char line[1 << 16];
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		tl_output_reset(&output);
		puts(tl_demangle(line, form, &output, NULL) == TL_OK ? tl_output_string(&output) : line);
	}
	tl_output_release(&output);
	return 0;
}

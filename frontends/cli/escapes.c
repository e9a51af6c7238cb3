#include "frontends/cli/escapes.h"

#include <string.h>

static int simple_escape(char letter)
{
	static const char letters[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
	const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

	return at != NULL ? values[at - letters] : (unsigned char)letter;
}

void tl_escapes_undo(const char *text, tl_size size, struct tl_output *output)
{
	for (tl_size i = 0; i < size; i++) {
		char byte = text[i];

		if (byte != '\\') {
			tl_output_bytes(output, &byte, 1);
			continue;
		}
		if (++i == size)
			return;
		if (text[i] == '\n')
			continue;
		if (text[i] >= '0' && text[i] <= '7') {
			int value = 0;
			tl_size end = i + 3 < size ? i + 3 : size;

			for (; i < end && text[i] >= '0' && text[i] <= '7'; i++)
				value = value * 8 + (text[i] - '0');
			byte = (char)value;
			i--;
		} else {
			byte = (char)simple_escape(text[i]);
		}
		tl_output_bytes(output, &byte, 1);
	}
}

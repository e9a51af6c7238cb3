/*
 * JSON as lldb's packets carry it: a writer into a bounded buffer and a reader that takes values one after the other.
 * RFC 8259.
 *
 * Neither allocates. What is too long for the buffer fails the writer below, what is malformed fails the cursor below;
 * both may be looked at once, at the end. Text that is not UTF-8 is written with question marks.
 */
#ifndef TL_FRONTENDS_SERVE_JSON_H
#define TL_FRONTENDS_SERVE_JSON_H

#include "core/cursor.h"

/* How the text is put into the packet. */
enum tl_json_form {
	TL_JSON_PLAIN,
	TL_JSON_ESCAPED, /* as a whole reply: # $ * } stand behind a } with bit 5 turned over, as binary data does */
	TL_JSON_HEX      /* as a value inside a stop reply: two hexadecimal digits a byte */
};

struct tl_json {
	struct tl_writer *writer;
	enum tl_json_form form;
	bool behind; /* a value stands in front of the next one */
};

/* A document that is written to `writer`, in one of the two forms. */
struct tl_json tl_json_make(struct tl_writer *writer, enum tl_json_form form);

/* Each value takes the key that it has in an object; NULL in an array and outermost. */
void tl_json_open_object(struct tl_json *json, const char *key);
void tl_json_close_object(struct tl_json *json);
void tl_json_open_array(struct tl_json *json, const char *key);
void tl_json_close_array(struct tl_json *json);
void tl_json_text(struct tl_json *json, const char *key, const char *text);
void tl_json_number(struct tl_json *json, const char *key, tl_u64 number);
void tl_json_truth(struct tl_json *json, const char *key, bool truth);
/* Bytes as a string of two hexadecimal digits each. */
void tl_json_bytes(struct tl_json *json, const char *key, const void *bytes, tl_size size);

/*
 * Steps into or through an array or object: takes what stands in front of the next item, the opening bracket included
 * at the first call, for which *inside must be false; false, with the closing bracket taken, behind the last. Begin
 * with '[' or '{'.
 */
bool tl_json_next(struct tl_cursor *text, char bracket, bool *inside);

/* Takes a string, its escapes undone, as text that ends with a zero byte. Fails the cursor where it does not fit. */
void tl_json_take_text(struct tl_cursor *text, char *buffer, tl_size size);

/* Takes a key and its colon. */
void tl_json_take_key(struct tl_cursor *text, char *buffer, tl_size size);

/* Takes a value of any kind and forgets it. */
void tl_json_skip(struct tl_cursor *text);

#endif

/*
 * An expression's tree as text, every operator in front and in parentheses: `a + b * 2` is (+ a (* b 2)). For `maint
 * print expression`, and for tests of what is read as what.
 */
#ifndef TL_DEBUGGER_DESCRIBE_H
#define TL_DEBUGGER_DESCRIBE_H

#include "core/cursor.h"
#include "debugger/expressions/expression.h"

/* Writes the tree; as any writer, it drops what does not fit. Any thread. */
void tl_expression_describe(const struct tl_expression *expression, struct tl_writer *writer);

#endif

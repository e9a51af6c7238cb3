/*
 * The operations of DWARF expressions, under the names that the standard gives them (DWARF 5, section 7.7.1; those in
 * the range for users are GNU's). X(name without prefix, value). The literals (lit0 to lit31) and the 32 registers each
 * of reg and breg are known by their first one.
 */
#ifndef TL_SYMBOLS_DWARF_OPERATIONS_H
#define TL_SYMBOLS_DWARF_OPERATIONS_H

#define TL_DW_OP_TABLE(X)                                                                                              \
	X(addr, 0x03)                                                                                                  \
	X(deref, 0x06)                                                                                                 \
	X(const1u, 0x08)                                                                                               \
	X(const1s, 0x09)                                                                                               \
	X(const2u, 0x0a)                                                                                               \
	X(const2s, 0x0b)                                                                                               \
	X(const4u, 0x0c)                                                                                               \
	X(const4s, 0x0d)                                                                                               \
	X(const8u, 0x0e)                                                                                               \
	X(const8s, 0x0f)                                                                                               \
	X(constu, 0x10)                                                                                                \
	X(consts, 0x11)                                                                                                \
	X(dup, 0x12)                                                                                                   \
	X(drop, 0x13)                                                                                                  \
	X(over, 0x14)                                                                                                  \
	X(pick, 0x15)                                                                                                  \
	X(swap, 0x16)                                                                                                  \
	X(rot, 0x17)                                                                                                   \
	X(xderef, 0x18)                                                                                                \
	X(abs, 0x19)                                                                                                   \
	X(and, 0x1a)                                                                                                   \
	X(div, 0x1b)                                                                                                   \
	X(minus, 0x1c)                                                                                                 \
	X(mod, 0x1d)                                                                                                   \
	X(mul, 0x1e)                                                                                                   \
	X(neg, 0x1f)                                                                                                   \
	X(not, 0x20)                                                                                                   \
	X(or, 0x21)                                                                                                    \
	X(plus, 0x22)                                                                                                  \
	X(plus_uconst, 0x23)                                                                                           \
	X(shl, 0x24)                                                                                                   \
	X(shr, 0x25)                                                                                                   \
	X(shra, 0x26)                                                                                                  \
	X(xor, 0x27)                                                                                                   \
	X(bra, 0x28)                                                                                                   \
	X(eq, 0x29)                                                                                                    \
	X(ge, 0x2a)                                                                                                    \
	X(gt, 0x2b)                                                                                                    \
	X(le, 0x2c)                                                                                                    \
	X(lt, 0x2d)                                                                                                    \
	X(ne, 0x2e)                                                                                                    \
	X(skip, 0x2f)                                                                                                  \
	X(lit0, 0x30)                                                                                                  \
	X(lit31, 0x4f)                                                                                                 \
	X(reg0, 0x50)                                                                                                  \
	X(reg31, 0x6f)                                                                                                 \
	X(breg0, 0x70)                                                                                                 \
	X(breg31, 0x8f)                                                                                                \
	X(regx, 0x90)                                                                                                  \
	X(fbreg, 0x91)                                                                                                 \
	X(bregx, 0x92)                                                                                                 \
	X(piece, 0x93)                                                                                                 \
	X(deref_size, 0x94)                                                                                            \
	X(xderef_size, 0x95)                                                                                           \
	X(nop, 0x96)                                                                                                   \
	X(push_object_address, 0x97)                                                                                   \
	X(call2, 0x98)                                                                                                 \
	X(call4, 0x99)                                                                                                 \
	X(call_ref, 0x9a)                                                                                              \
	X(form_tls_address, 0x9b)                                                                                      \
	X(call_frame_cfa, 0x9c)                                                                                        \
	X(bit_piece, 0x9d)                                                                                             \
	X(implicit_value, 0x9e)                                                                                        \
	X(stack_value, 0x9f)                                                                                           \
	X(implicit_pointer, 0xa0)                                                                                      \
	X(addrx, 0xa1)                                                                                                 \
	X(constx, 0xa2)                                                                                                \
	X(entry_value, 0xa3)                                                                                           \
	X(const_type, 0xa4)                                                                                            \
	X(regval_type, 0xa5)                                                                                           \
	X(deref_type, 0xa6)                                                                                            \
	X(xderef_type, 0xa7)                                                                                           \
	X(convert, 0xa8)                                                                                               \
	X(reinterpret, 0xa9)                                                                                           \
	X(GNU_push_tls_address, 0xe0)                                                                                  \
	X(GNU_uninit, 0xf0)                                                                                            \
	X(GNU_implicit_pointer, 0xf2)                                                                                  \
	X(GNU_entry_value, 0xf3)                                                                                       \
	X(GNU_const_type, 0xf4)                                                                                        \
	X(GNU_regval_type, 0xf5)                                                                                       \
	X(GNU_deref_type, 0xf6)                                                                                        \
	X(GNU_convert, 0xf7)                                                                                           \
	X(GNU_reinterpret, 0xf9)                                                                                       \
	X(GNU_parameter_ref, 0xfa)                                                                                     \
	X(GNU_addr_index, 0xfb)                                                                                        \
	X(GNU_const_index, 0xfc)                                                                                       \
	X(GNU_variable_value, 0xfd)

enum {
#define X(name, value) DW_OP_##name = value,
	TL_DW_OP_TABLE(X)
#undef X
};

#endif

/*
 * The constants of DWARF, under the names that the standard gives them (DWARF 5, section 7; what lies in the range for
 * users is of GNU, MIPS and LLVM). Each table is X(name without prefix, value).
 */
#ifndef TL_SYMBOLS_DWARF_CONSTANTS_H
#define TL_SYMBOLS_DWARF_CONSTANTS_H

#include "core/types.h"

/* Tags: what an entry describes. */
#define TL_DW_TAG_TABLE(X)                                                                                             \
	X(array_type, 0x01)                                                                                            \
	X(class_type, 0x02)                                                                                            \
	X(entry_point, 0x03)                                                                                           \
	X(enumeration_type, 0x04)                                                                                      \
	X(formal_parameter, 0x05)                                                                                      \
	X(imported_declaration, 0x08)                                                                                  \
	X(label, 0x0a)                                                                                                 \
	X(lexical_block, 0x0b)                                                                                         \
	X(member, 0x0d)                                                                                                \
	X(pointer_type, 0x0f)                                                                                          \
	X(reference_type, 0x10)                                                                                        \
	X(compile_unit, 0x11)                                                                                          \
	X(string_type, 0x12)                                                                                           \
	X(structure_type, 0x13)                                                                                        \
	X(subroutine_type, 0x15)                                                                                       \
	X(typedef, 0x16)                                                                                               \
	X(union_type, 0x17)                                                                                            \
	X(unspecified_parameters, 0x18)                                                                                \
	X(variant, 0x19)                                                                                               \
	X(common_block, 0x1a)                                                                                          \
	X(common_inclusion, 0x1b)                                                                                      \
	X(inheritance, 0x1c)                                                                                           \
	X(inlined_subroutine, 0x1d)                                                                                    \
	X(module, 0x1e)                                                                                                \
	X(ptr_to_member_type, 0x1f)                                                                                    \
	X(set_type, 0x20)                                                                                              \
	X(subrange_type, 0x21)                                                                                         \
	X(with_stmt, 0x22)                                                                                             \
	X(access_declaration, 0x23)                                                                                    \
	X(base_type, 0x24)                                                                                             \
	X(catch_block, 0x25)                                                                                           \
	X(const_type, 0x26)                                                                                            \
	X(constant, 0x27)                                                                                              \
	X(enumerator, 0x28)                                                                                            \
	X(file_type, 0x29)                                                                                             \
	X(friend, 0x2a)                                                                                                \
	X(namelist, 0x2b)                                                                                              \
	X(namelist_item, 0x2c)                                                                                         \
	X(packed_type, 0x2d)                                                                                           \
	X(subprogram, 0x2e)                                                                                            \
	X(template_type_parameter, 0x2f)                                                                               \
	X(template_value_parameter, 0x30)                                                                              \
	X(thrown_type, 0x31)                                                                                           \
	X(try_block, 0x32)                                                                                             \
	X(variant_part, 0x33)                                                                                          \
	X(variable, 0x34)                                                                                              \
	X(volatile_type, 0x35)                                                                                         \
	X(dwarf_procedure, 0x36)                                                                                       \
	X(restrict_type, 0x37)                                                                                         \
	X(interface_type, 0x38)                                                                                        \
	X(namespace, 0x39)                                                                                             \
	X(imported_module, 0x3a)                                                                                       \
	X(unspecified_type, 0x3b)                                                                                      \
	X(partial_unit, 0x3c)                                                                                          \
	X(imported_unit, 0x3d)                                                                                         \
	X(condition, 0x3f)                                                                                             \
	X(shared_type, 0x40)                                                                                           \
	X(type_unit, 0x41)                                                                                             \
	X(rvalue_reference_type, 0x42)                                                                                 \
	X(template_alias, 0x43)                                                                                        \
	X(coarray_type, 0x44)                                                                                          \
	X(generic_subrange, 0x45)                                                                                      \
	X(dynamic_type, 0x46)                                                                                          \
	X(atomic_type, 0x47)                                                                                           \
	X(call_site, 0x48)                                                                                             \
	X(call_site_parameter, 0x49)                                                                                   \
	X(skeleton_unit, 0x4a)                                                                                         \
	X(immutable_type, 0x4b)                                                                                        \
	X(MIPS_loop, 0x4081)                                                                                           \
	X(format_label, 0x4101)                                                                                        \
	X(function_template, 0x4102)                                                                                   \
	X(class_template, 0x4103)                                                                                      \
	X(GNU_BINCL, 0x4104)                                                                                           \
	X(GNU_EINCL, 0x4105)                                                                                           \
	X(GNU_template_template_param, 0x4106)                                                                         \
	X(GNU_template_parameter_pack, 0x4107)                                                                         \
	X(GNU_formal_parameter_pack, 0x4108)                                                                           \
	X(GNU_call_site, 0x4109)                                                                                       \
	X(GNU_call_site_parameter, 0x410a)

enum {
#define X(name, value) DW_TAG_##name = value,
	TL_DW_TAG_TABLE(X)
#undef X
};

/* Attributes. */
#define TL_DW_AT_TABLE(X)                                                                                              \
	X(sibling, 0x01)                                                                                               \
	X(location, 0x02)                                                                                              \
	X(name, 0x03)                                                                                                  \
	X(ordering, 0x09)                                                                                              \
	X(byte_size, 0x0b)                                                                                             \
	X(bit_offset, 0x0c)                                                                                            \
	X(bit_size, 0x0d)                                                                                              \
	X(stmt_list, 0x10)                                                                                             \
	X(low_pc, 0x11)                                                                                                \
	X(high_pc, 0x12)                                                                                               \
	X(language, 0x13)                                                                                              \
	X(discr, 0x15)                                                                                                 \
	X(discr_value, 0x16)                                                                                           \
	X(visibility, 0x17)                                                                                            \
	X(import, 0x18)                                                                                                \
	X(string_length, 0x19)                                                                                         \
	X(common_reference, 0x1a)                                                                                      \
	X(comp_dir, 0x1b)                                                                                              \
	X(const_value, 0x1c)                                                                                           \
	X(containing_type, 0x1d)                                                                                       \
	X(default_value, 0x1e)                                                                                         \
	X(inline, 0x20)                                                                                                \
	X(is_optional, 0x21)                                                                                           \
	X(lower_bound, 0x22)                                                                                           \
	X(producer, 0x25)                                                                                              \
	X(prototyped, 0x27)                                                                                            \
	X(return_addr, 0x2a)                                                                                           \
	X(start_scope, 0x2c)                                                                                           \
	X(bit_stride, 0x2e)                                                                                            \
	X(upper_bound, 0x2f)                                                                                           \
	X(abstract_origin, 0x31)                                                                                       \
	X(accessibility, 0x32)                                                                                         \
	X(address_class, 0x33)                                                                                         \
	X(artificial, 0x34)                                                                                            \
	X(base_types, 0x35)                                                                                            \
	X(calling_convention, 0x36)                                                                                    \
	X(count, 0x37)                                                                                                 \
	X(data_member_location, 0x38)                                                                                  \
	X(decl_column, 0x39)                                                                                           \
	X(decl_file, 0x3a)                                                                                             \
	X(decl_line, 0x3b)                                                                                             \
	X(declaration, 0x3c)                                                                                           \
	X(discr_list, 0x3d)                                                                                            \
	X(encoding, 0x3e)                                                                                              \
	X(external, 0x3f)                                                                                              \
	X(frame_base, 0x40)                                                                                            \
	X(friend, 0x41)                                                                                                \
	X(identifier_case, 0x42)                                                                                       \
	X(macro_info, 0x43)                                                                                            \
	X(namelist_item, 0x44)                                                                                         \
	X(priority, 0x45)                                                                                              \
	X(segment, 0x46)                                                                                               \
	X(specification, 0x47)                                                                                         \
	X(static_link, 0x48)                                                                                           \
	X(type, 0x49)                                                                                                  \
	X(use_location, 0x4a)                                                                                          \
	X(variable_parameter, 0x4b)                                                                                    \
	X(virtuality, 0x4c)                                                                                            \
	X(vtable_elem_location, 0x4d)                                                                                  \
	X(allocated, 0x4e)                                                                                             \
	X(associated, 0x4f)                                                                                            \
	X(data_location, 0x50)                                                                                         \
	X(byte_stride, 0x51)                                                                                           \
	X(entry_pc, 0x52)                                                                                              \
	X(use_UTF8, 0x53)                                                                                              \
	X(extension, 0x54)                                                                                             \
	X(ranges, 0x55)                                                                                                \
	X(trampoline, 0x56)                                                                                            \
	X(call_column, 0x57)                                                                                           \
	X(call_file, 0x58)                                                                                             \
	X(call_line, 0x59)                                                                                             \
	X(description, 0x5a)                                                                                           \
	X(binary_scale, 0x5b)                                                                                          \
	X(decimal_scale, 0x5c)                                                                                         \
	X(small, 0x5d)                                                                                                 \
	X(decimal_sign, 0x5e)                                                                                          \
	X(digit_count, 0x5f)                                                                                           \
	X(picture_string, 0x60)                                                                                        \
	X(mutable, 0x61)                                                                                               \
	X(threads_scaled, 0x62)                                                                                        \
	X(explicit, 0x63)                                                                                              \
	X(object_pointer, 0x64)                                                                                        \
	X(endianity, 0x65)                                                                                             \
	X(elemental, 0x66)                                                                                             \
	X(pure, 0x67)                                                                                                  \
	X(recursive, 0x68)                                                                                             \
	X(signature, 0x69)                                                                                             \
	X(main_subprogram, 0x6a)                                                                                       \
	X(data_bit_offset, 0x6b)                                                                                       \
	X(const_expr, 0x6c)                                                                                            \
	X(enum_class, 0x6d)                                                                                            \
	X(linkage_name, 0x6e)                                                                                          \
	X(string_length_bit_size, 0x6f)                                                                                \
	X(string_length_byte_size, 0x70)                                                                               \
	X(rank, 0x71)                                                                                                  \
	X(str_offsets_base, 0x72)                                                                                      \
	X(addr_base, 0x73)                                                                                             \
	X(rnglists_base, 0x74)                                                                                         \
	X(dwo_name, 0x76)                                                                                              \
	X(reference, 0x77)                                                                                             \
	X(rvalue_reference, 0x78)                                                                                      \
	X(macros, 0x79)                                                                                                \
	X(call_all_calls, 0x7a)                                                                                        \
	X(call_all_source_calls, 0x7b)                                                                                 \
	X(call_all_tail_calls, 0x7c)                                                                                   \
	X(call_return_pc, 0x7d)                                                                                        \
	X(call_value, 0x7e)                                                                                            \
	X(call_origin, 0x7f)                                                                                           \
	X(call_parameter, 0x80)                                                                                        \
	X(call_pc, 0x81)                                                                                               \
	X(call_tail_call, 0x82)                                                                                        \
	X(call_target, 0x83)                                                                                           \
	X(call_target_clobbered, 0x84)                                                                                 \
	X(call_data_location, 0x85)                                                                                    \
	X(call_data_value, 0x86)                                                                                       \
	X(noreturn, 0x87)                                                                                              \
	X(alignment, 0x88)                                                                                             \
	X(export_symbols, 0x89)                                                                                        \
	X(deleted, 0x8a)                                                                                               \
	X(defaulted, 0x8b)                                                                                             \
	X(loclists_base, 0x8c)                                                                                         \
	X(MIPS_fde, 0x2001)                                                                                            \
	X(MIPS_loop_begin, 0x2002)                                                                                     \
	X(MIPS_tail_loop_begin, 0x2003)                                                                                \
	X(MIPS_epilog_begin, 0x2004)                                                                                   \
	X(MIPS_loop_unroll_factor, 0x2005)                                                                             \
	X(MIPS_software_pipeline_depth, 0x2006)                                                                        \
	X(MIPS_linkage_name, 0x2007)                                                                                   \
	X(MIPS_stride, 0x2008)                                                                                         \
	X(MIPS_abstract_name, 0x2009)                                                                                  \
	X(MIPS_clone_origin, 0x200a)                                                                                   \
	X(MIPS_has_inlines, 0x200b)                                                                                    \
	X(MIPS_stride_byte, 0x200c)                                                                                    \
	X(MIPS_stride_elem, 0x200d)                                                                                    \
	X(MIPS_ptr_dopetype, 0x200e)                                                                                   \
	X(MIPS_allocatable_dopetype, 0x200f)                                                                           \
	X(MIPS_assumed_shape_dopetype, 0x2010)                                                                         \
	X(MIPS_assumed_size, 0x2011)                                                                                   \
	X(sf_names, 0x2101)                                                                                            \
	X(src_info, 0x2102)                                                                                            \
	X(mac_info, 0x2103)                                                                                            \
	X(src_coords, 0x2104)                                                                                          \
	X(body_begin, 0x2105)                                                                                          \
	X(body_end, 0x2106)                                                                                            \
	X(GNU_vector, 0x2107)                                                                                          \
	X(GNU_guarded_by, 0x2108)                                                                                      \
	X(GNU_pt_guarded_by, 0x2109)                                                                                   \
	X(GNU_guarded, 0x210a)                                                                                         \
	X(GNU_pt_guarded, 0x210b)                                                                                      \
	X(GNU_locks_excluded, 0x210c)                                                                                  \
	X(GNU_exclusive_locks_required, 0x210d)                                                                        \
	X(GNU_shared_locks_required, 0x210e)                                                                           \
	X(GNU_odr_signature, 0x210f)                                                                                   \
	X(GNU_template_name, 0x2110)                                                                                   \
	X(GNU_call_site_value, 0x2111)                                                                                 \
	X(GNU_call_site_data_value, 0x2112)                                                                            \
	X(GNU_call_site_target, 0x2113)                                                                                \
	X(GNU_call_site_target_clobbered, 0x2114)                                                                      \
	X(GNU_tail_call, 0x2115)                                                                                       \
	X(GNU_all_tail_call_sites, 0x2116)                                                                             \
	X(GNU_all_call_sites, 0x2117)                                                                                  \
	X(GNU_all_source_call_sites, 0x2118)                                                                           \
	X(GNU_macros, 0x2119)                                                                                          \
	X(GNU_deleted, 0x211a)                                                                                         \
	X(GNU_dwo_name, 0x2130)                                                                                        \
	X(GNU_dwo_id, 0x2131)                                                                                          \
	X(GNU_ranges_base, 0x2132)                                                                                     \
	X(GNU_addr_base, 0x2133)                                                                                       \
	X(GNU_pubnames, 0x2134)                                                                                        \
	X(GNU_pubtypes, 0x2135)                                                                                        \
	X(GNU_locviews, 0x2137)                                                                                        \
	X(GNU_entry_view, 0x2138)                                                                                      \
	X(GNU_numerator, 0x2303)                                                                                       \
	X(GNU_denominator, 0x2304)                                                                                     \
	X(GNU_bias, 0x2305)

enum {
#define X(name, value) DW_AT_##name = value,
	TL_DW_AT_TABLE(X)
#undef X
};

/* Forms: how an attribute is encoded. */
#define TL_DW_FORM_TABLE(X)                                                                                            \
	X(addr, 0x01)                                                                                                  \
	X(block2, 0x03)                                                                                                \
	X(block4, 0x04)                                                                                                \
	X(data2, 0x05)                                                                                                 \
	X(data4, 0x06)                                                                                                 \
	X(data8, 0x07)                                                                                                 \
	X(string, 0x08)                                                                                                \
	X(block, 0x09)                                                                                                 \
	X(block1, 0x0a)                                                                                                \
	X(data1, 0x0b)                                                                                                 \
	X(flag, 0x0c)                                                                                                  \
	X(sdata, 0x0d)                                                                                                 \
	X(strp, 0x0e)                                                                                                  \
	X(udata, 0x0f)                                                                                                 \
	X(ref_addr, 0x10)                                                                                              \
	X(ref1, 0x11)                                                                                                  \
	X(ref2, 0x12)                                                                                                  \
	X(ref4, 0x13)                                                                                                  \
	X(ref8, 0x14)                                                                                                  \
	X(ref_udata, 0x15)                                                                                             \
	X(indirect, 0x16)                                                                                              \
	X(sec_offset, 0x17)                                                                                            \
	X(exprloc, 0x18)                                                                                               \
	X(flag_present, 0x19)                                                                                          \
	X(strx, 0x1a)                                                                                                  \
	X(addrx, 0x1b)                                                                                                 \
	X(ref_sup4, 0x1c)                                                                                              \
	X(strp_sup, 0x1d)                                                                                              \
	X(data16, 0x1e)                                                                                                \
	X(line_strp, 0x1f)                                                                                             \
	X(ref_sig8, 0x20)                                                                                              \
	X(implicit_const, 0x21)                                                                                        \
	X(loclistx, 0x22)                                                                                              \
	X(rnglistx, 0x23)                                                                                              \
	X(ref_sup8, 0x24)                                                                                              \
	X(strx1, 0x25)                                                                                                 \
	X(strx2, 0x26)                                                                                                 \
	X(strx3, 0x27)                                                                                                 \
	X(strx4, 0x28)                                                                                                 \
	X(addrx1, 0x29)                                                                                                \
	X(addrx2, 0x2a)                                                                                                \
	X(addrx3, 0x2b)                                                                                                \
	X(addrx4, 0x2c)                                                                                                \
	X(GNU_addr_index, 0x1f01)                                                                                      \
	X(GNU_str_index, 0x1f02)                                                                                       \
	X(GNU_ref_alt, 0x1f20)                                                                                         \
	X(GNU_strp_alt, 0x1f21)

enum {
#define X(name, value) DW_FORM_##name = value,
	TL_DW_FORM_TABLE(X)
#undef X
};

/* Languages; those from 0x26 on were given out after DWARF 5. */
#define TL_DW_LANG_TABLE(X)                                                                                            \
	X(C89, 0x01)                                                                                                   \
	X(C, 0x02)                                                                                                     \
	X(Ada83, 0x03)                                                                                                 \
	X(C_plus_plus, 0x04)                                                                                           \
	X(Cobol74, 0x05)                                                                                               \
	X(Cobol85, 0x06)                                                                                               \
	X(Fortran77, 0x07)                                                                                             \
	X(Fortran90, 0x08)                                                                                             \
	X(Pascal83, 0x09)                                                                                              \
	X(Modula2, 0x0a)                                                                                               \
	X(Java, 0x0b)                                                                                                  \
	X(C99, 0x0c)                                                                                                   \
	X(Ada95, 0x0d)                                                                                                 \
	X(Fortran95, 0x0e)                                                                                             \
	X(PLI, 0x0f)                                                                                                   \
	X(ObjC, 0x10)                                                                                                  \
	X(ObjC_plus_plus, 0x11)                                                                                        \
	X(UPC, 0x12)                                                                                                   \
	X(D, 0x13)                                                                                                     \
	X(Python, 0x14)                                                                                                \
	X(OpenCL, 0x15)                                                                                                \
	X(Go, 0x16)                                                                                                    \
	X(Modula3, 0x17)                                                                                               \
	X(Haskell, 0x18)                                                                                               \
	X(C_plus_plus_03, 0x19)                                                                                        \
	X(C_plus_plus_11, 0x1a)                                                                                        \
	X(OCaml, 0x1b)                                                                                                 \
	X(Rust, 0x1c)                                                                                                  \
	X(C11, 0x1d)                                                                                                   \
	X(Swift, 0x1e)                                                                                                 \
	X(Julia, 0x1f)                                                                                                 \
	X(Dylan, 0x20)                                                                                                 \
	X(C_plus_plus_14, 0x21)                                                                                        \
	X(Fortran03, 0x22)                                                                                             \
	X(Fortran08, 0x23)                                                                                             \
	X(RenderScript, 0x24)                                                                                          \
	X(BLISS, 0x25)                                                                                                 \
	X(Zig, 0x27)                                                                                                   \
	X(Crystal, 0x28)                                                                                               \
	X(C_plus_plus_17, 0x2a)                                                                                        \
	X(C_plus_plus_20, 0x2b)                                                                                        \
	X(C17, 0x2c)                                                                                                   \
	X(Fortran18, 0x2d)                                                                                             \
	X(Ada2005, 0x2e)                                                                                               \
	X(Ada2012, 0x2f)                                                                                               \
	X(Mips_Assembler, 0x8001)

enum {
#define X(name, value) DW_LANG_##name = value,
	TL_DW_LANG_TABLE(X)
#undef X
};

/* Encodings of base types. */
#define TL_DW_ATE_TABLE(X)                                                                                             \
	X(void, 0x00)                                                                                                  \
	X(address, 0x01)                                                                                               \
	X(boolean, 0x02)                                                                                               \
	X(complex_float, 0x03)                                                                                         \
	X(float, 0x04)                                                                                                 \
	X(signed, 0x05)                                                                                                \
	X(signed_char, 0x06)                                                                                           \
	X(unsigned, 0x07)                                                                                              \
	X(unsigned_char, 0x08)                                                                                         \
	X(imaginary_float, 0x09)                                                                                       \
	X(packed_decimal, 0x0a)                                                                                        \
	X(numeric_string, 0x0b)                                                                                        \
	X(edited, 0x0c)                                                                                                \
	X(signed_fixed, 0x0d)                                                                                          \
	X(unsigned_fixed, 0x0e)                                                                                        \
	X(decimal_float, 0x0f)                                                                                         \
	X(UTF, 0x10)                                                                                                   \
	X(UCS, 0x11)                                                                                                   \
	X(ASCII, 0x12)

enum {
#define X(name, value) DW_ATE_##name = value,
	TL_DW_ATE_TABLE(X)
#undef X
};

/* Types of units. */
#define TL_DW_UT_TABLE(X)                                                                                              \
	X(compile, 0x01)                                                                                               \
	X(type, 0x02)                                                                                                  \
	X(partial, 0x03)                                                                                               \
	X(skeleton, 0x04)                                                                                              \
	X(split_compile, 0x05)                                                                                         \
	X(split_type, 0x06)

enum {
#define X(name, value) DW_UT_##name = value,
	TL_DW_UT_TABLE(X)
#undef X
};

/* Kinds of entries in .debug_rnglists. */
#define TL_DW_RLE_TABLE(X)                                                                                             \
	X(end_of_list, 0x00)                                                                                           \
	X(base_addressx, 0x01)                                                                                         \
	X(startx_endx, 0x02)                                                                                           \
	X(startx_length, 0x03)                                                                                         \
	X(offset_pair, 0x04)                                                                                           \
	X(base_address, 0x05)                                                                                          \
	X(start_end, 0x06)                                                                                             \
	X(start_length, 0x07)

enum {
#define X(name, value) DW_RLE_##name = value,
	TL_DW_RLE_TABLE(X)
#undef X
};

/* Kinds of entries in .debug_loclists. */
#define TL_DW_LLE_TABLE(X)                                                                                             \
	X(end_of_list, 0x00)                                                                                           \
	X(base_addressx, 0x01)                                                                                         \
	X(startx_endx, 0x02)                                                                                           \
	X(startx_length, 0x03)                                                                                         \
	X(offset_pair, 0x04)                                                                                           \
	X(default_location, 0x05)                                                                                      \
	X(base_address, 0x06)                                                                                          \
	X(start_end, 0x07)                                                                                             \
	X(start_length, 0x08)                                                                                          \
	X(GNU_view_pair, 0x09)

enum {
#define X(name, value) DW_LLE_##name = value,
	TL_DW_LLE_TABLE(X)
#undef X
};

/* DW_AT_inline. */
#define TL_DW_INL_TABLE(X)                                                                                             \
	X(not_inlined, 0x00)                                                                                           \
	X(inlined, 0x01)                                                                                               \
	X(declared_not_inlined, 0x02)                                                                                  \
	X(declared_inlined, 0x03)

enum {
#define X(name, value) DW_INL_##name = value,
	TL_DW_INL_TABLE(X)
#undef X
};

/* DW_AT_accessibility. */
#define TL_DW_ACCESS_TABLE(X)                                                                                          \
	X(public, 0x01)                                                                                                \
	X(protected, 0x02)                                                                                             \
	X(private, 0x03)

enum {
#define X(name, value) DW_ACCESS_##name = value,
	TL_DW_ACCESS_TABLE(X)
#undef X
};

/* DW_AT_virtuality. */
#define TL_DW_VIRTUALITY_TABLE(X)                                                                                      \
	X(none, 0x00)                                                                                                  \
	X(virtual, 0x01)                                                                                               \
	X(pure_virtual, 0x02)

enum {
#define X(name, value) DW_VIRTUALITY_##name = value,
	TL_DW_VIRTUALITY_TABLE(X)
#undef X
};

/* DW_AT_calling_convention. */
#define TL_DW_CC_TABLE(X)                                                                                              \
	X(normal, 0x01)                                                                                                \
	X(program, 0x02)                                                                                               \
	X(nocall, 0x03)                                                                                                \
	X(pass_by_reference, 0x04)                                                                                     \
	X(pass_by_value, 0x05)

enum {
#define X(name, value) DW_CC_##name = value,
	TL_DW_CC_TABLE(X)
#undef X
};

/* The names of DWARF's constants, without the prefix, for messages and dumps; "?" for an unknown one. */
const char *tl_dwarf_tag_name(tl_u16 tag);
const char *tl_dwarf_attribute_name(tl_u16 name);
const char *tl_dwarf_form_name(tl_u16 form);

#endif

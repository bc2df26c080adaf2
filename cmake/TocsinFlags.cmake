# SPDX-License-Identifier: Apache-2.0
# tocsin_flags carries our own warnings and sanitizers. It is linked PRIVATE everywhere, so that a
# program which embeds Tocsin never sees -Wconversion.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(tocsin_flags INTERFACE)
target_compile_options(
  tocsin_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Wold-style-cast
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
            $<$<BOOL:${TOCSIN_WERROR}>:-Werror>)
# g++ 12 sees ghosts inside std::string at -O2 (GCC bugs 105329, 105593), and in designated
# initialisers that leave members at their defaults.
target_compile_options(tocsin_flags INTERFACE -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
# Nobody looks at the floating-point exception flags. Without them, compilers make vector loops of
# more of what has a comparison in it; no value changes.
target_compile_options(tocsin_flags INTERFACE -fno-trapping-math)
target_compile_definitions(tocsin_flags INTERFACE $<$<CONFIG:Release>:_GLIBCXX_ASSERTIONS>)

# What a release build does so that a mistake of ours is a crash and not a way in;
# tests/hardening.py looks for it in the program.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(hardening -fstack-protector-strong)
check_cxx_compiler_flag(-fstack-clash-protection TOCSIN_STACK_CLASH)
if(TOCSIN_STACK_CLASH)
  list(APPEND hardening -fstack-clash-protection)
endif()
check_cxx_compiler_flag(-fcf-protection=full TOCSIN_CF_PROTECTION) # Not on every processor.
if(TOCSIN_CF_PROTECTION)
  list(APPEND hardening -fcf-protection=full)
endif()
if(NOT TOCSIN_SANITIZE)
  target_compile_options(
    tocsin_flags INTERFACE "$<$<CONFIG:Release>:${hardening};-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
  target_link_options(tocsin_flags INTERFACE
                      $<$<CONFIG:Release>:LINKER:-z,relro,-z,now,-z,noexecstack>)
endif()

if(TOCSIN_SANITIZE)
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
  if(TOCSIN_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio's fences are not its business: the reactor locks.
  endif()
endif()

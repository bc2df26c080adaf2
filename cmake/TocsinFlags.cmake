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
target_compile_definitions(tocsin_flags INTERFACE $<$<CONFIG:Release>:_GLIBCXX_ASSERTIONS>)

if(TOCSIN_SANITIZE)
  add_compile_options(-fsanitize=${TOCSIN_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TOCSIN_SANITIZE})
endif()

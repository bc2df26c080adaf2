# SPDX-License-Identifier: Apache-2.0
# tocsin_layer(NAME SOURCES a.cc ... [PUBLIC labels.h ...] [DEPENDS base ...] [LIBRARIES ...]
#              [DEFINITIONS ...] [PURE] [COLD])
#
# One layer: the folder engine/NAME, the target tocsin_NAME (alias tocsin::NAME). PUBLIC names the
# headers of include/tocsin/ that belong to it. LIBRARIES are third-party and stay private to the
# layer. PURE says that the layer reads no clock, file, socket or thread. COLD says that its tests
# are quick whatever the compiler does: debug builds, which take long to compile under the
# sanitizers, do not optimise it.
# tests/architecture_test.cc holds the includes against what is declared here.
set_property(GLOBAL PROPERTY TOCSIN_LAYERS "")

function(tocsin_layer name)
  cmake_parse_arguments(arg "PURE;COLD" "" "SOURCES;PUBLIC;DEPENDS;LIBRARIES;DEFINITIONS" ${ARGN})
  add_library(tocsin_${name} STATIC ${arg_SOURCES})
  add_library(tocsin::${name} ALIAS tocsin_${name})
  target_include_directories(
    tocsin_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                          $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/engine>)
  list(TRANSFORM arg_DEPENDS PREPEND tocsin_ OUTPUT_VARIABLE depends)
  target_link_libraries(tocsin_${name} PUBLIC tl::expected ${depends} PRIVATE tocsin_flags
                                                                            ${arg_LIBRARIES})
  target_compile_definitions(tocsin_${name} PRIVATE ${arg_DEFINITIONS})
  if(arg_COLD)
    target_compile_options(tocsin_${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  endif()
  set(purity edge)
  if(arg_PURE)
    set(purity pure)
  endif()
  list(JOIN arg_DEPENDS "," depends_text)
  list(JOIN arg_PUBLIC "," public_text)
  set_property(GLOBAL APPEND PROPERTY TOCSIN_LAYERS
                                      "${name}|${purity}|${depends_text}|${public_text}")
endfunction()

# Writes one line per layer, "name|pure or edge|depends|public headers", for the architecture test.
function(tocsin_write_layers path)
  get_property(layers GLOBAL PROPERTY TOCSIN_LAYERS)
  list(JOIN layers "\n" text)
  file(WRITE ${path} "${text}\n")
endfunction()

# Compiling tests takes longer than running them: they are hardly optimised, and what all of them
# read is read once. A precompiled header serves who is compiled as it was, so all take the one of
# the target tocsin_test_headers. In standard headers that it reads so, g++ 12 sees ghosts behind
# the ends of strings; layers, whose warnings mean more, are compiled without. So are the presets
# `lint` and `fuzz`, where a test that forgets an include is found.
set(TOCSIN_FAST $<IF:$<CONFIG:Release>,-O1,-O0>)
function(tocsin_compile_fast target)
  target_compile_options(
    ${target} PRIVATE ${TOCSIN_FAST}
                      $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-stringop-overflow;-Wno-stringop-overread>)
  target_precompile_headers(${target} REUSE_FROM tocsin_test_headers)
endfunction()

# tocsin_test(NAME SOURCES a_test.cc ... [DEPENDS extra layers] [LIBRARIES ...] [LABELS ...])
#
# The test executable of one layer. It links that layer alone (and tests/support), so that a layer
# which leans on an undeclared one fails to link here.
function(tocsin_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name}_test ${arg_SOURCES})
  list(TRANSFORM arg_DEPENDS PREPEND tocsin_ OUTPUT_VARIABLE depends)
  target_link_libraries(${name}_test PRIVATE tocsin_${name} tocsin_flags tocsin_test_main
                                             ${depends} ${arg_LIBRARIES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  tocsin_compile_fast(${name}_test)
  target_compile_definitions(
    ${name}_test PRIVATE TOCSIN_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                         TOCSIN_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
  add_dependencies(unit_tests ${name}_test)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 600)
endfunction()

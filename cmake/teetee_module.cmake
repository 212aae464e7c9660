# SPDX-License-Identifier: Apache-2.0
# One folder = one module = one target = one namespace.
#
#   teetee_module(NAME attest DEPS base crypto LIBS OpenSSL::Crypto)
#
# takes every source of the calling folder by its name: x_test.cpp goes into the module's one test
# binary, x_fuzz.cpp and x_bench.cpp into a binary each, main.cpp is left to the caller, the rest
# into the library teetee_NAME (alias teetee::NAME). DEPS are checked against the ranks below.

set(teetee_rank_base 0)
set(teetee_rank_crypto 1)
set(teetee_rank_tensor 1)
set(teetee_rank_grammar 1)
set(teetee_rank_jinja 1)
set(teetee_rank_model 2)
set(teetee_rank_attest 2)
set(teetee_rank_chain 2)
set(teetee_rank_wire 2)
set(teetee_rank_sealed 2)
set(teetee_rank_pipeline 3)
set(teetee_rank_billing 3)
set(teetee_rank_net 3)
set(teetee_rank_node 4)
set(teetee_rank_api 4)
set(teetee_rank_client 4)
set(teetee_rank_hub 4)
set(teetee_rank_sim 4)
set(teetee_rank_proxy 5)
set(teetee_rank_cli 6)

add_library(teetee_options INTERFACE)
target_include_directories(teetee_options INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(teetee_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wextra-semi -Wnon-virtual-dtor -Werror
  # Bits are part of the specification (docs/numerics.md): nothing may fuse or reorder floats.
  -ffp-contract=off
  $<$<CONFIG:Release>:-O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2>
  $<$<NOT:$<CONFIG:Release>>:-D_GLIBCXX_ASSERTIONS>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(teetee_options INTERFACE -Wduplicated-cond -Wlogical-op)
endif()
if(TEETEE_SANITIZE)
  target_compile_options(teetee_options INTERFACE
    -fsanitize=${TEETEE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The fences are those of the standard library's shared_ptr.
    if(TEETEE_SANITIZE STREQUAL "thread")
      target_compile_options(teetee_options INTERFACE -Wno-tsan)
    endif()
    # Instrumented code looks uninitialised to the compiler; the release build warns of what is.
    target_compile_options(teetee_options INTERFACE -Wno-maybe-uninitialized)
  endif()
  target_link_options(teetee_options INTERFACE -fsanitize=${TEETEE_SANITIZE})
endif()
if(TEETEE_BUILD_FUZZERS)
  target_compile_options(teetee_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_custom_target(fuzzers)

function(teetee_module)
  cmake_parse_arguments(M "" "NAME" "DEPS;LIBS;PRIVATE_LIBS" ${ARGN})
  set(rank ${teetee_rank_${M_NAME}})
  foreach(dep IN LISTS M_DEPS)
    if(NOT DEFINED teetee_rank_${dep})
      message(FATAL_ERROR "layering: ${M_NAME} depends on the unknown module ${dep}")
    endif()
    # Equal ranks stay apart, except that api stands on node: both are composition.
    if(teetee_rank_${dep} GREATER rank OR
       (teetee_rank_${dep} EQUAL rank AND NOT (M_NAME STREQUAL "api" AND dep STREQUAL "node")))
      message(FATAL_ERROR "layering: ${M_NAME} (rank ${rank}) must not depend on ${dep} "
                          "(rank ${teetee_rank_${dep}})")
    endif()
  endforeach()
  list(TRANSFORM M_DEPS PREPEND teetee_ OUTPUT_VARIABLE dep_targets)

  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  set(tests ${sources})
  set(fuzzers ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|/main)\\.cpp$")

  add_library(teetee_${M_NAME} STATIC ${sources})
  add_library(teetee::${M_NAME} ALIAS teetee_${M_NAME})
  target_link_libraries(teetee_${M_NAME}
    PUBLIC teetee_options ${dep_targets} ${M_LIBS} PRIVATE ${M_PRIVATE_LIBS})
  set_target_properties(teetee_${M_NAME} PROPERTIES LINKER_LANGUAGE CXX)

  if(TEETEE_BUILD_TESTS AND tests)
    add_executable(${M_NAME}_test ${tests})
    target_link_libraries(${M_NAME}_test PRIVATE teetee_${M_NAME} ${M_PRIVATE_LIBS} GTest::gtest_main)
    target_compile_definitions(${M_NAME}_test PRIVATE
      TEETEE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" TEETEE_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
    add_test(NAME ${M_NAME} COMMAND ${M_NAME}_test)
  endif()
  if(TEETEE_BUILD_FUZZERS)
    foreach(file IN LISTS fuzzers)
      get_filename_component(name "${file}" NAME_WE)
      add_executable(${name} "${file}")
      target_link_libraries(${name} PRIVATE teetee_${M_NAME} ${M_PRIVATE_LIBS})
      target_link_options(${name} PRIVATE -fsanitize=fuzzer)
      add_dependencies(fuzzers ${name})
    endforeach()
  endif()
  if(TEETEE_BUILD_TESTS AND fuzzers AND NOT TEETEE_BUILD_FUZZERS)
    # Only so that they compile: what nobody builds every day stops building.
    add_library(${M_NAME}_fuzz_sources OBJECT ${fuzzers})
    target_link_libraries(${M_NAME}_fuzz_sources PRIVATE teetee_${M_NAME} ${M_PRIVATE_LIBS})
    target_compile_options(${M_NAME}_fuzz_sources PRIVATE -O0 -g0)
  endif()
  if(TEETEE_BUILD_BENCHMARKS)
    foreach(file IN LISTS benches)
      get_filename_component(name "${file}" NAME_WE)
      add_executable(${name} "${file}")
      target_link_libraries(${name} PRIVATE teetee_${M_NAME} ${M_PRIVATE_LIBS} GTest::gtest benchmark::benchmark_main)
      target_compile_definitions(${name} PRIVATE TEETEE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endforeach()
  endif()
endfunction()

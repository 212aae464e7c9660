# SPDX-License-Identifier: Apache-2.0
#   teetee_bindings(TARGET teetee_chain NAME TeeTee ABI "${file}" FILE tee_tee)
#
# makes chain/bindings/FILE.hpp and .cpp from a contract's ABI at build time (tools/make_bindings.py) and
# compiles them into TARGET. FILE is NAME in snake_case.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(teetee_bindings)
  cmake_parse_arguments(B "" "TARGET;NAME;ABI;FILE" "" ${ARGN})
  set(folder "${CMAKE_BINARY_DIR}/generated/chain/bindings")
  add_custom_command(
    OUTPUT "${folder}/${B_FILE}.hpp" "${folder}/${B_FILE}.cpp"
    COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/tools/make_bindings.py" "${B_ABI}" ${B_NAME} "${folder}"
    DEPENDS "${B_ABI}" "${CMAKE_SOURCE_DIR}/tools/make_bindings.py"
    VERBATIM)
  target_sources(${B_TARGET} PRIVATE "${folder}/${B_FILE}.cpp" "${folder}/${B_FILE}.hpp")
  target_include_directories(${B_TARGET} PUBLIC "${CMAKE_BINARY_DIR}/generated")
endfunction()

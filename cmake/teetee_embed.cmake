# SPDX-License-Identifier: Apache-2.0
#   teetee_embed(TARGET teetee_api FILE openapi.json HEADER api/openapi.hpp NAMESPACE teetee::api
#                FUNCTION openapi_document)
#
# makes a function that returns a file's text, declared in HEADER, and compiles it into TARGET.
function(teetee_embed)
  cmake_parse_arguments(E "" "TARGET;FILE;HEADER;NAMESPACE;FUNCTION" "" ${ARGN})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${E_FILE}")
  file(READ "${CMAKE_CURRENT_SOURCE_DIR}/${E_FILE}" E_TEXT)
  set(source "${CMAKE_BINARY_DIR}/generated/${E_FUNCTION}.cpp")
  configure_file("${CMAKE_SOURCE_DIR}/cmake/embedded_text.cpp.in" "${source}" @ONLY)
  target_sources(${E_TARGET} PRIVATE "${source}")
endfunction()

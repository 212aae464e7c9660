# SPDX-License-Identifier: Apache-2.0
# The program that is handed out (tools/release.sh, docs/deploy.md): everything but the C library is
# linked into it, so that its hash names all of its code, and no path of the machine that built it
# is in it. Included before packages are looked for.

set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
set(Boost_USE_STATIC_LIBS ON)
set(Protobuf_USE_STATIC_LIBS ON)

# Debian has no static libraries of these two; their headers are whole.
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
set_target_properties(fmt::fmt PROPERTIES INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
add_library(spdlog::spdlog INTERFACE IMPORTED GLOBAL)
set_target_properties(spdlog::spdlog PROPERTIES
  INTERFACE_COMPILE_DEFINITIONS SPDLOG_FMT_EXTERNAL
  INTERFACE_LINK_LIBRARIES "fmt::fmt;Threads::Threads")

find_library(teetee_tinfo tinfo REQUIRED)
find_library(teetee_bsd bsd REQUIRED)
find_library(teetee_md md REQUIRED)
set(teetee_libedit_needs ${teetee_tinfo} ${teetee_bsd} ${teetee_md})

# No path of the machine, and no time of day.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" "-ffile-prefix-map=${CMAKE_BINARY_DIR}/=build/"
  -Wdate-time)
add_link_options(-static-libstdc++ -static-libgcc -Wl,--build-id=sha1 -Wl,-z,relro,-z,now -Wl,--as-needed)

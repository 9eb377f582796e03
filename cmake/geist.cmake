# geist_module(NAME DEPS...)  a static library of all .cc files of the calling folder, named geist_NAME.
# geist_test(NAME DEPS...)    a GoogleTest program of all *_test.cc files of the calling folder.
# Both keep a folder's CMakeLists.txt to a line or two.

add_library(geist_options INTERFACE)
target_compile_options(geist_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
target_include_directories(geist_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(geist_options INTERFACE GEIST_VERSION="${PROJECT_VERSION}")

# The headers of others that half of the files include are read once and not once a file. All rooms are compiled with the
# same flags, so one precompiled header, geist_base's, serves them all. No header of ours is in it: every change of it would
# build everything anew. The preset dev goes without: there a file that does not include what it uses is an error.
function(geist_precompile target)
  if(target STREQUAL geist_base)
    target_precompile_headers(geist_base PRIVATE <fmt/format.h> <algorithm> <array> <cerrno> <charconv> <cstring> <filesystem>
      <functional> <map> <memory> <optional> <span> <string> <string_view> <thread> <unordered_map> <utility> <vector>)
  else()
    target_precompile_headers(${target} REUSE_FROM geist_base)
  endif()
endfunction()

function(geist_module name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(geist_${name} STATIC ${sources})
  target_link_libraries(geist_${name} PUBLIC geist_options ${ARGN})
  geist_precompile(geist_${name})
endfunction()

function(geist_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  add_executable(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE geist_options ${ARGN} GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE GEIST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARGN)  # else it has none of the rooms' flags
    # As the libraries are compiled, or the precompiled header is refused.
    target_compile_options(${name}_test PRIVATE -fPIC)
    geist_precompile(${name}_test)
  endif()
  add_test(NAME unit_${name} COMMAND ${name}_test)
endfunction()

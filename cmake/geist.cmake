# geist_module(NAME DEPS...)  a static library of all .cc files of the calling folder, named geist_NAME.
# geist_test(NAME DEPS...)    a GoogleTest program of all *_test.cc files of the calling folder.
# Both keep a folder's CMakeLists.txt to a line or two.

add_library(geist_options INTERFACE)
target_compile_options(geist_options INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion)
target_include_directories(geist_options INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(geist_options INTERFACE GEIST_VERSION="${PROJECT_VERSION}")

function(geist_module name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_library(geist_${name} STATIC ${sources})
  target_link_libraries(geist_${name} PUBLIC geist_options ${ARGN})
endfunction()

function(geist_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc)
  add_executable(${name}_test ${sources})
  target_link_libraries(${name}_test PRIVATE geist_options ${ARGN} GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE GEIST_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_test(NAME unit_${name} COMMAND ${name}_test)
endfunction()

# `cmake --install build/release --prefix DIR` and, by CPack, `make deb`:
#
#   bin/geist               stripped; names the next one (.gnu_debuglink), so that a debugger finds it
#   bin/geist.debug         lines and functions
#   share/man/man1/*.1      from docs/*.1.md
#   share/doc/geist/        licence, changelog
#
# Stripping is done here and not by `cmake --install --strip`, which would throw away what it takes off.
include(GNUInstallDirs)
find_package(Python3 REQUIRED COMPONENTS Interpreter)

install(TARGETS geist RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE RENAME copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  set(geist \"\${root}/${CMAKE_INSTALL_BINDIR}/geist\")
  foreach(step
      \"${CMAKE_OBJCOPY};--only-keep-debug;\${geist};\${geist}.debug\"
      \"${CMAKE_STRIP};--strip-all;\${geist}\"
      \"${CMAKE_OBJCOPY};--add-gnu-debuglink=\${geist}.debug;\${geist}\"
      \"${Python3_EXECUTABLE};${PROJECT_SOURCE_DIR}/scripts/man_pages;${PROJECT_SOURCE_DIR}/docs;\${root}/${CMAKE_INSTALL_MANDIR}/man1\")
    execute_process(COMMAND \${step} COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(CHMOD \"\${geist}.debug\" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME geist)
set(CPACK_PACKAGE_CONTACT "the maintainers of geist <maintainers@geist.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "finds ghost bugs in Go programs: slices that share one array")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libcurl4")  # loaded when a profile comes from a server
include(CPack)

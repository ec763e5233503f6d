# Debian packages: `cpack -G DEB` in the build folder, or tools/package. Split as Debian does: the shared library, what
# one needs to build against it, the programs, and what needs libtorch, so that only who verifies installs its gigabytes.

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bytecnn)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "byte-level CNN classifiers for texts, requests and files")
set(CPACK_PACKAGE_CONTACT "ByteCNN developers <bytecnn@example.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime development)
if(BYTECNN_BUILD_TOOLS)
  list(APPEND CPACK_COMPONENTS_ALL tools)
  if(BYTECNN_BUILD_EXPORTER)
    list(APPEND CPACK_COMPONENTS_ALL verifier)
  endif()
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(bytecnn_runtime_package libbytecnn${PROJECT_VERSION_MAJOR})

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${bytecnn_runtime_package})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_LIST_DIR}/debian/triggers")
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "This package holds the shared library, which classifies byte
strings with byte-level convolutional networks, loaded from one JSON file, in
microseconds on one core. The kernels for SSE2, AVX2, AVX-512 and NEON are
chosen when the program starts.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbytecnn-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "${bytecnn_runtime_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "This package holds headers for C++20 and C, the static library, and the files
by which CMake and pkg-config find them.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME bytecnn-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "This package holds the programs. bytecnn classifies lines, files and
JSON records, and explains what it found. bytecnn-export turns PyTorch
checkpoints into models, without Python and without executing anything
in them; it verifies them where the package bytecnn-verify is installed.")

set(CPACK_DEBIAN_VERIFIER_PACKAGE_NAME bytecnn-verify)
set(CPACK_DEBIAN_VERIFIER_PACKAGE_SECTION science)
set(CPACK_DEBIAN_VERIFIER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_VERIFIER_DESCRIPTION "This package holds bytecnn-verify, which proves a model equal to the
PyTorch network it came from, and the module by which it and
bytecnn-export run that network in libtorch.")
# The module serves programs of its own version alone.
set(bytecnn_verifier_depends "bytecnn-tools (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
if(BUILD_SHARED_LIBS)
  # dpkg-shlibdeps cannot know a package that is only just being made.
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_CURRENT_BINARY_DIR}/runtime")
  set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS
    "${bytecnn_runtime_package} (>= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
  string(APPEND bytecnn_verifier_depends ", ${CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS}")
endif()
set(CPACK_DEBIAN_VERIFIER_PACKAGE_DEPENDS "${bytecnn_verifier_depends}")
# Without it Debian's libtorch multiplies matrices on the slow reference BLAS.
set(CPACK_DEBIAN_VERIFIER_PACKAGE_RECOMMENDS libopenblas0)
if(BYTECNN_BUILD_EXPORTER)
  set(CPACK_DEBIAN_TOOLS_PACKAGE_SUGGESTS bytecnn-verify)
endif()

# Every Debian package carries its licence and its changes; a plain installation does without.
find_program(gzip_program gzip)
foreach(component runtime development tools verifier)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/packaging/${package}")
  configure_file("${CMAKE_CURRENT_LIST_DIR}/debian/copyright" "${folder}/copyright" COPYONLY)
  configure_file("${CMAKE_CURRENT_LIST_DIR}/debian/changelog.in" "${folder}/changelog.Debian" @ONLY)
  set(documents "${folder}/copyright")
  if(gzip_program)
    execute_process(COMMAND "${gzip_program}" -9nkf "${folder}/changelog.Debian" COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND documents "${folder}/changelog.Debian.gz")
  endif()
  install(FILES ${documents} DESTINATION "${CMAKE_INSTALL_DATAROOTDIR}/doc/${package}"
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
if(gzip_program)
  set(CPACK_PRE_BUILD_SCRIPTS "${CMAKE_CURRENT_LIST_DIR}/CompressManualPages.cmake")
endif()

include(CPack)

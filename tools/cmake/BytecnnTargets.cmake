# How every target of the project is compiled: language, warnings, sanitizers, floating point.
#
#   bytecnn_configure(TARGET)   call once for each library and program

function(bytecnn_configure target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-align -Wnon-virtual-dtor
    -Woverloaded-virtual -Wformat=2 -Wimplicit-fallthrough
    # GCC 12 warns of overlaps inside std::string's own operator+ (its bug 105651).
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
    # The same sums on every machine: nothing is contracted unless a kernel asks for an FMA by name.
    -ffp-contract=off)
  if(BYTECNN_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(BYTECNN_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${BYTECNN_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${BYTECNN_SANITIZE})
  endif()
endfunction()

#pragma once

namespace bytecnn::cli {

/// Asks for the heap's next megabytes in pages of 2 MiB, where glibc and Linux can: a model and its plan are several
/// hundred kilobytes that are touched once, and on a virtual machine each first touch of a page of 4 KiB costs as long
/// as ten texts. Call it once, before the memory is needed and before threads are started.
void prefer_large_pages() noexcept;

}  // namespace bytecnn::cli

#include "large_pages.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace bytecnn::cli {

void prefer_large_pages() noexcept {
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE)
  constexpr std::size_t large_page = std::size_t{2} << 20U;
  // What a block of its own pages would hold comes from the heap, which grows by large pages and keeps them.
  ::mallopt(M_MMAP_THRESHOLD, 2 * large_page);
  ::mallopt(M_TRIM_THRESHOLD, 8 * large_page);
  ::mallopt(M_TOP_PAD, 2 * large_page);
  // More than a young heap has left: so it grows, and what follows lies behind this block. The block and the rest of
  // the large page that it ends in are skipped: they are never touched, so they are no memory, and held to the end.
  constexpr std::size_t skipped_bytes = std::size_t{256} << 10U;
  [[maybe_unused]] static void* volatile held[2];  // volatile, or the compiler leaves out what is never used
  void* const block = std::malloc(skipped_bytes);
  held[0] = block;
  if (block == nullptr) return;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(block) + skipped_bytes;
  const std::uintptr_t boundary = (end + large_page - 1) / large_page * large_page;
  const auto heap_end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  if (heap_end < boundary + large_page) return;  // another malloc
  // Before anything behind the boundary is touched. Where it is refused, pages are small.
  static_cast<void>(::madvise(reinterpret_cast<void*>(boundary), heap_end - boundary, MADV_HUGEPAGE));
  held[1] = std::malloc(boundary - end);
#endif
}

}  // namespace bytecnn::cli

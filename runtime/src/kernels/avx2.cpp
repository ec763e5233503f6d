#include "kernels/kernel_table.hpp"
#include "kernels/pipeline.hpp"

namespace bytecnn::kernels {

using Arch = xsimd::fma3<xsimd::avx2>;

const KernelTable avx2{Isa::avx2,
                       lanes<Arch>,
                       registers<Arch>,
                       run<Arch>,
                       pool<Arch>,
                       pool_texts<Arch>,
                       head<Arch>,
                       heads<Arch>,
                       entries<Arch>,
                       pool_whole<Arch, std::int32_t>,
                       pool_whole<Arch, std::int16_t>};

}  // namespace bytecnn::kernels

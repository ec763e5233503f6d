#include "kernels/kernel_table.hpp"
#include "kernels/pipeline.hpp"

namespace bytecnn::kernels {

using Arch = xsimd::fma3<xsimd::avx2>;

const KernelTable avx2{Isa::avx2, lanes<Arch>, registers<Arch>, run<Arch>, pool<Arch>, head<Arch>};

}  // namespace bytecnn::kernels

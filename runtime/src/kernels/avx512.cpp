#include "kernels/kernel_table.hpp"
#include "kernels/pipeline.hpp"

namespace bytecnn::kernels {

using Arch = xsimd::avx512bw;

const KernelTable avx512{Isa::avx512, lanes<Arch>, registers<Arch>, run<Arch>, pool<Arch>, head<Arch>};

}  // namespace bytecnn::kernels

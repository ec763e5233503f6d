#include "kernels/kernel_table.hpp"
#include "kernels/pipeline.hpp"

namespace bytecnn::kernels {

using Arch = xsimd::neon64;

const KernelTable neon64{Isa::neon64, lanes<Arch>, registers<Arch>, run<Arch>, pool<Arch>, head<Arch>};

}  // namespace bytecnn::kernels

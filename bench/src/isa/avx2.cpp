#include "isa/direct_network.hpp"
#include "isa/peak_loops.hpp"

namespace bytecnn::bench {

using Arch = xsimd::fma3<xsimd::avx2>;

constinit const IsaKernels avx2_kernels =
    isa_kernels<Arch>(Isa::avx2, classify_direct<Arch, PlainLayers<Arch>>, classify_direct<Arch, RegisterLayers<Arch>>);

}  // namespace bytecnn::bench

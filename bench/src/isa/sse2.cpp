#include "isa/direct_network.hpp"
#include "isa/peak_loops.hpp"

namespace bytecnn::bench {

using Arch = xsimd::sse2;

constinit const IsaKernels sse2_kernels =
    isa_kernels<Arch>(Isa::sse2, classify_direct<Arch, PlainLayers<Arch>>, classify_direct<Arch, RegisterLayers<Arch>>);

}  // namespace bytecnn::bench

#include "isa/direct_network.hpp"
#include "isa/peak_loops.hpp"

namespace bytecnn::bench {

using Arch = xsimd::neon64;

constinit const IsaKernels neon64_kernels = isa_kernels<Arch>(Isa::neon64, classify_direct<Arch, PlainLayers<Arch>>,
                                                              classify_direct<Arch, RegisterLayers<Arch>>);

}  // namespace bytecnn::bench

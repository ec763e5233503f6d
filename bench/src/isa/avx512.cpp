#include "isa/direct_network.hpp"
#include "isa/peak_loops.hpp"

namespace bytecnn::bench {

using Arch = xsimd::avx512bw;

constinit const IsaKernels avx512_kernels = isa_kernels<Arch>(Isa::avx512, classify_direct<Arch, PlainLayers<Arch>>,
                                                              classify_direct<Arch, RegisterLayers<Arch>>);

}  // namespace bytecnn::bench

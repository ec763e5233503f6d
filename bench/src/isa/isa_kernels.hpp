#pragma once
/// What is compiled once for each instruction set: the plain convolutions that this library is compared with, and the
/// loops that measure what the processor can do at most. Plain data and function pointers: the sources behind them are
/// built with wider instruction sets and must not share inline functions with the rest.

#include <cstddef>
#include <cstdint>

#include "bytecnn/isa.hpp"
#include "bytecnn/model.hpp"

namespace bytecnn::bench {

/// A column is one position's channels, rounded up to whole vectors (`*_width` floats).
struct DirectConv {
  std::uint32_t kernel_size = 0, stride = 1, dilation = 1, pad_left = 0, pad_right = 0, groups = 1;
  std::uint32_t inputs = 0, filters = 0;
  std::uint32_t input_width = 0, output_width = 0;
  const float* weights = nullptr;  ///< [kernel_size][inputs / groups][output_width]
  const float* bias = nullptr;     ///< [output_width]
  const float* scale = nullptr;    ///< [output_width], or null
  const float* shift = nullptr;
  Activation activation;
  bool residual = false;
};

struct DirectDense {
  std::uint32_t inputs = 0, units = 0, width = 0;
  const float* weights = nullptr;  ///< [inputs][width]
  const float* bias = nullptr;     ///< [width]
  Activation activation;
};

/// The network as its definition reads: every position of the padded input is computed.
struct DirectNetwork {
  const float* embedding = nullptr;  ///< [vocab_size][embed_width]
  std::uint32_t embed_width = 0, max_len = 0, pad_token = 0;
  bool padded = false;
  std::size_t conv_count = 0, dense_count = 0;
  const DirectConv* convs = nullptr;
  const DirectDense* dense = nullptr;  ///< the output layer is the last
  Pooling pooling = Pooling::avg_max;
  std::uint32_t channels = 0, outputs = 0;
  std::size_t buffer_floats = 0;  ///< of each of the two column buffers, aligned to 64 bytes
};

using DirectFunction = void (*)(const DirectNetwork& network, const unsigned char* bytes, std::size_t length,
                                float* front, float* back, float* logits) noexcept;

/// Runs `rounds` times over `operations` independent vector operations. `memory` holds 64 vectors, aligned.
struct PeakLoop {
  std::size_t operations = 0;
  void (*run)(std::size_t rounds, const float* memory) noexcept = nullptr;
};

struct IsaKernels {
  Isa isa = Isa::reference;
  std::size_t lanes = 0;
  DirectFunction plain = nullptr;
  DirectFunction registers = nullptr;  ///< groups == 1 only
  PeakLoop fma;                        ///< a multiplication and an addition where the instruction set has no FMA
  PeakLoop add;                        ///< float additions
  PeakLoop load;                       ///< aligned loads from the first-level cache
  PeakLoop mixed;  ///< float additions and integer maxima in turn (float maxima where there is no integer one)
};

/// Null where this build does not hold that instruction set. What the machine supports says `supported_isas()`.
[[nodiscard]] const IsaKernels* find_isa_kernels(Isa isa) noexcept;

extern const IsaKernels avx512_kernels, avx2_kernels, sse2_kernels, neon64_kernels;

}  // namespace bytecnn::bench

// What one convolution layer costs on each instruction set, against the multiply-adds that its definition asks for and
// the processor could do at most: "100 %" is the direct convolution without an idle lane or a cycle of anything else.
//
// A layer's time is the difference between networks with two of it and with one, so that it includes all that a layer
// in the middle of a network pays: buffers, transforms, relu. The peak is measured in turn with them.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "bytecnn/bytecnn.hpp"

#include "bench_models.hpp"
#include "isa/isa_kernels.hpp"
#include "measurement.hpp"

namespace bytecnn::bench {
namespace {

constexpr std::uint32_t text_length = 1024;

struct Shape {
  std::string name;
  std::uint32_t kernel_size = 3, stride = 1, dilation = 1;
  std::uint32_t groups = 1;  ///< 0: as many as channels
};

const std::vector<Shape> shapes = {{"kernel 1", 1},
                                   {"kernel 3", 3},
                                   {"kernel 5", 5},
                                   {"kernel 3, stride 2", 3, 2},
                                   {"kernel 3, dilation 2", 3, 1, 2},
                                   {"kernel 3, 4 groups", 3, 1, 1, 4},
                                   {"kernel 5, depthwise", 5, 1, 1, 0}};
const std::vector<std::uint32_t> widths = {16, 24, 28, 32, 40, 64, 80, 96, 128};

/// Tables of a kernel of 1, then `copies` of the layer.
Architecture network(const Shape& shape, std::uint32_t channels, std::size_t copies) {
  ConvLayer first;
  first.filters = channels;
  first.kernel_size = 1;
  first.activation.kind = Activation::Kind::relu;
  ConvLayer layer = first;
  layer.kernel_size = shape.kernel_size;
  layer.stride = shape.stride;
  layer.dilation = shape.dilation;
  layer.groups = shape.groups == 0 ? channels : shape.groups;
  layer.pad_left = layer.pad_right = layer.reach() / 2;
  Architecture a;
  a.embed_dim = 8;
  a.conv_layers.assign(1 + copies, layer);
  a.conv_layers[0] = first;
  a.outputs = 1;
  a.max_len = text_length;
  a.pad_token.reset();
  return a;
}

double nanoseconds(const auto& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

struct Row {
  std::string method;
  double nanoseconds = 0;  ///< a column
  double share = 0;        ///< of the peak
};

/// The last conv layer's line of a plan, up to the first comma that does not belong to the method's name.
std::string method_of(const Classifier& classifier) {
  const std::string plan = classifier.plan_description();
  const std::size_t begin = plan.find("conv 3: ") + 8;
  return plan.substr(begin, plan.find(", kernel", begin) - begin);
}

Row measure_layer(const Shape& shape, std::uint32_t channels, const IsaKernels& kernels, std::size_t rounds) {
  const Architecture two_layers = network(shape, channels, 2);
  const Classifier one(with_random_weights(network(shape, channels, 1)), kernels.isa);
  const Classifier two(with_random_weights(two_layers), kernels.isa);
  std::vector<std::byte> text(text_length);
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::byte>(97 + i * i % 26);
  const ConvLayer& layer = two_layers.conv_layers.back();
  const auto columns = static_cast<double>(two_layers.pooled_positions(text_length));
  const double products =
      columns * layer.kernel_size * channels * channels / layer.groups / static_cast<double>(kernels.lanes);

  alignas(64) static float memory[64 * 16] = {};
  constexpr std::size_t peak_rounds = 2000;
  const double peak_products = static_cast<double>(peak_rounds * kernels.fma.operations);
  double sink = 0;
  const auto repeats = static_cast<std::size_t>(
      std::max(1.0, 3e5 / nanoseconds([&] { sink += static_cast<double>(two.classify(text).score); })));
  const auto classify = [&](const Classifier& classifier) {
    return nanoseconds([&] {
             for (std::size_t i = 0; i < repeats; ++i) sink += static_cast<double>(classifier.classify(text).score);
           }) /
           static_cast<double>(repeats);
  };
  std::vector<double> times;
  std::vector<double> shares;
  for (std::size_t round = 0; round < rounds; ++round) {
    const double peak = peak_products / nanoseconds([&] { kernels.fma.run(peak_rounds, memory); });
    const double time = classify(two) - classify(one);
    times.push_back(time / columns);
    shares.push_back(products / time / peak);
  }
  if (std::isnan(sink)) std::cerr << "not a number\n";
  return {method_of(two), median(times), median(shares)};
}

/// How many lanes hold filters, in the better of the two direct layouts.
double used_lanes(std::uint32_t channels, std::uint32_t groups, std::size_t lanes) {
  const double filters = static_cast<double>(channels) / groups;
  const auto share = [&](double numbers) {
    return numbers / (std::ceil(numbers / static_cast<double>(lanes)) * static_cast<double>(lanes));
  };
  return groups == channels ? share(channels) : std::max(share(filters), share(2 * filters));
}

void print_table(const IsaKernels& kernels, std::size_t rounds) {
  std::cout << "**" << to_string(kernels.isa)
            << "**\n\n| channels | layer | method | ns a column | of the peak | lanes "
            << "used at most |\n|---|---|---|---|---|---|\n";
  for (const Shape& shape : shapes) {
    for (const std::uint32_t channels : widths) {
      const Row row = measure_layer(shape, channels, kernels, rounds);
      const std::uint32_t groups = shape.groups == 0 ? channels : shape.groups;
      std::cout << "| " << channels << " | " << shape.name << " | " << row.method << " | "
                << std::round(row.nanoseconds * 10) / 10 << " | " << std::round(row.share * 100) << " % | "
                << std::round(used_lanes(channels, groups, kernels.lanes) * 100) << " % |\n"
                << std::flush;
    }
  }
  std::cout << '\n';
}

}  // namespace
}  // namespace bytecnn::bench

int main(int argc, char** argv) {
  CLI::App app("What one convolution layer costs, against the processor's multiply-add peak. Prints Markdown tables.");
  std::vector<std::string> names;
  std::size_t rounds = 7;
  app.add_option("--isa", names, "instruction sets (default: all that this machine runs)");
  app.add_option("--rounds", rounds, "measurements, of which the median counts")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    std::vector<bytecnn::Isa> isas;
    for (const std::string& name : names) isas.push_back(bytecnn::parse_isa(name));
    if (isas.empty()) isas = bytecnn::supported_isas();
    for (const bytecnn::Isa isa : isas) {
      if (const auto* kernels = bytecnn::bench::find_isa_kernels(isa)) bytecnn::bench::print_table(*kernels, rounds);
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
  return 0;
}

// The promise of 1e-5 S on logits, at any length of run: models of every kind on every instruction set, by single
// calls, batches, streams and windows, in float and in fixed point of 32 bits, against the double reference; over all
// lengths, constant texts of every byte, pieces of real files and random bytes.

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <iomanip>
#include <iostream>
#include <iterator>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bytecnn/bytecnn.hpp"

#include "accuracy_models.hpp"
#include "naive_windows.hpp"
#include "random_model.hpp"

namespace {

using namespace bytecnn;
using testing::Bytes;

constexpr double tolerance = 1e-5;
/// Inputs compared at once: a batch, large enough that it is learned from.
constexpr std::size_t block_inputs = 512;
/// One input in so many is also seen through windows, at up to four times its model's max_len.
constexpr std::size_t inputs_a_long_one = 50;

class Inputs {
 public:
  Inputs(std::size_t max_len, const std::vector<std::string>& files) : max_len_(max_len) {
    for (const std::string& file : files) {
      std::ifstream stream(file, std::ios::binary);
      if (!stream) throw std::runtime_error("cannot read " + file);
      text_.append(std::istreambuf_iterator<char>(stream), {});
    }
  }

  /// All lengths, then every byte's constant texts, then pieces of the files and random bytes in turn.
  Bytes at(std::size_t index) {
    if (index <= max_len_ + 1) return random(index, 256);
    index -= max_len_ + 2;
    const std::array<std::size_t, 4> lengths = {1, 40, max_len_, max_len_ + 1};
    if (index < 256 * lengths.size()) return Bytes(lengths[index % 4], static_cast<std::byte>(index / 4));
    const std::size_t length = engine_() % 4 == 0 ? engine_() % (max_len_ + 2) : engine_() % 120;
    if (index % 4 == 0) return random(length, 256);
    if (index % 4 == 1) return random(length, 1 + static_cast<unsigned>(engine_() % 256));
    return piece(length);
  }

  Bytes long_one(std::size_t index) {
    const std::size_t length = max_len_ + 1 + engine_() % (3 * max_len_);
    if (index % 8 == 0) return Bytes(length, static_cast<std::byte>(index / 8));
    return index % 2 == 0 ? piece(length) : random(length, 256);
  }

 private:
  Bytes random(std::size_t length, unsigned values) {
    Bytes bytes(length);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine_() % values);
    return bytes;
  }

  Bytes piece(std::size_t length) {
    if (text_.size() <= length) return random(length, 256);
    return testing::bytes_of(std::string_view(text_).substr(engine_() % (text_.size() - length), length));
  }

  std::size_t max_len_;
  std::mt19937 engine_{1};
  std::string text_;
};

/// Some inputs and the logits that the reference gives for each; inputs too short for the model are left out.
struct Block {
  std::vector<Bytes> inputs;
  std::vector<std::vector<double>> expected;
};

/// Logits of a block, [inputs][outputs].
using Compute = std::function<void(const Block&, std::span<float>)>;

/// One way to compute, and the worst it did.
struct Path {
  std::string name;
  Compute compute;
  double worst = 0, total = 0;
  std::size_t compared = 0, worst_length = 0;

  void measure(const Block& block, std::size_t outputs) {
    std::vector<float> logits(block.inputs.size() * outputs, NAN);
    compute(block, logits);
    for (std::size_t i = 0; i < block.inputs.size(); ++i) {
      const std::vector<double>& expected = block.expected[i];
      double scale = 1;
      for (const double logit : expected) scale = std::max(scale, std::abs(logit));
      double error = 0;
      for (std::size_t o = 0; o < outputs; ++o) {
        const double difference = std::abs(static_cast<double>(logits[i * outputs + o]) - expected[o]) / scale;
        error = difference <= error ? error : difference;  // NaN stays
      }
      total += error;
      ++compared;
      if (!(error <= worst)) {
        worst = error;
        worst_length = block.inputs[i].size();
      }
    }
  }
};

std::span<float> row(std::span<float> logits, std::size_t at, const Classifier& classifier) {
  return logits.subspan(at * classifier.outputs(), classifier.outputs());
}

Compute by_single_calls(const Classifier& classifier) {
  return [classifier](const Block& block, std::span<float> logits) {
    for (std::size_t i = 0; i < block.inputs.size(); ++i) {
      classifier.classify(std::span<const std::byte>(block.inputs[i]), row(logits, i, classifier));
    }
  };
}

Compute by_batches(const Classifier& classifier) {
  return [classifier](const Block& block, std::span<float> logits) {
    const std::vector<std::span<const std::byte>> spans(block.inputs.begin(), block.inputs.end());
    std::vector<Result> results(spans.size());
    classifier.classify_batch(spans, results, logits, {}, 1);
  };
}

Compute by_streams(const Classifier& classifier) {
  return [classifier](const Block& block, std::span<float> logits) {
    Stream stream(classifier);
    constexpr std::array<std::size_t, 4> pieces = {1, 64, 7, 300};
    for (std::size_t i = 0; i < block.inputs.size(); ++i) {
      const std::span<const std::byte> input(block.inputs[i]);
      stream.reset();
      for (std::size_t begin = 0, turn = i; begin < input.size(); ++turn) {
        const std::size_t count = std::min(pieces[turn % pieces.size()], input.size() - begin);
        stream.push(input.subspan(begin, count));
        begin += count;
      }
      stream.classify(row(logits, i, classifier));
    }
  };
}

Compute by_windows(const Classifier& classifier, Strategy strategy) {
  return [classifier, strategy](const Block& block, std::span<float> logits) {
    for (std::size_t i = 0; i < block.inputs.size(); ++i) {
      classify(classifier, std::span<const std::byte>(block.inputs[i]), strategy, row(logits, i, classifier));
    }
  };
}

bool supports_fixed_point(const Model& model) {
  return model.architecture.conv_layers.size() == 1 &&
         model.architecture.conv_layers[0].activation.kind == Activation::Kind::relu;
}

class Measurement {
 public:
  Measurement(const testing::AccuracyModel& sample, const std::vector<std::string>& files)
      : name_(sample.name),
        model_(testing::with_random_weights(sample.architecture, 11)),
        inputs_(sample.architecture.max_len, files) {
    for (const Isa isa : supported_isas()) {
      if (isa == Isa::reference) continue;
      const std::string set(to_string(isa));
      const Classifier classifier(model_, isa);
      short_paths_.push_back({set + " single", by_single_calls(classifier)});
      short_paths_.push_back({set + " batch", by_batches(classifier)});
      short_paths_.push_back({set + " stream", by_streams(classifier)});
      for (std::size_t s = 0; s < strategies.size(); ++s) {
        long_paths_[s].push_back(
            {set + " " + std::string(to_string(strategies[s])), by_windows(classifier, strategies[s])});
      }
      if (!supports_fixed_point(model_)) continue;
      const Classifier fixed(model_, ClassifierOptions{isa, Arithmetic::int32});
      short_paths_.push_back({set + " int32 single", by_single_calls(fixed)});
      short_paths_.push_back({set + " int32 batch", by_batches(fixed)});
      long_paths_[0].push_back({set + " int32 average", by_windows(fixed, strategies[0])});
    }
  }

  /// True where every path keeps the promise.
  bool run(std::size_t count) {
    for (std::size_t first = 0; first < count; first += block_inputs) {
      const std::size_t size = std::min(block_inputs, count - first);
      Block texts = block(first, size, [&](std::size_t i) { return inputs_.at(i); });
      expect(texts, [&](const Bytes& input) { return reference_logits(model_, input); });
      for (Path& path : short_paths_) path.measure(texts, model_.architecture.outputs);

      const std::size_t first_long = first / inputs_a_long_one;
      Block long_texts = block(first_long, (first + size) / inputs_a_long_one - first_long,
                               [&](std::size_t i) { return inputs_.long_one(i); });
      for (std::size_t s = 0; s < strategies.size(); ++s) {
        expect(long_texts,
               [&](const Bytes& input) { return testing::naive_window_logits(model_, input, strategies[s]); });
        for (Path& path : long_paths_[s]) path.measure(long_texts, model_.architecture.outputs);
      }
    }
    bool kept = print(short_paths_);
    for (const std::vector<Path>& paths : long_paths_) kept = print(paths) && kept;
    return kept;
  }

 private:
  static constexpr std::array<Strategy, 3> strategies = {Strategy::average, Strategy::max, Strategy::attention};

  Block block(std::size_t first, std::size_t size, const std::function<Bytes(std::size_t)>& input) const {
    const Architecture& a = model_.architecture;
    Block block;
    for (std::size_t i = first; i < first + size; ++i) {
      Bytes bytes = input(i);
      const bool long_enough = a.pad_token || a.pooled_positions(std::min<std::size_t>(bytes.size(), a.max_len)) >=
                                                  minimum_pooled_positions(a.pooling);
      if (long_enough) block.inputs.push_back(std::move(bytes));
    }
    return block;
  }

  /// The expected logits of all inputs, on all cores: they take nearly all of the time.
  static void expect(Block& block, const std::function<std::vector<double>(const Bytes&)>& reference) {
    block.expected.resize(block.inputs.size());
    std::atomic<std::size_t> next = 0;
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < std::max(1U, std::thread::hardware_concurrency()); ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < block.inputs.size(); i = next++) {
          block.expected[i] = reference(block.inputs[i]);
        }
      });
    }
  }

  bool print(const std::vector<Path>& paths) const {
    bool kept = true;
    for (const Path& path : paths) {
      kept = kept && path.worst <= tolerance;
      std::cout << std::left << std::setw(40) << name_ << std::setw(24) << path.name << std::right << std::scientific
                << std::setprecision(2) << "worst " << path.worst << "  mean "
                << path.total / static_cast<double>(std::max<std::size_t>(1, path.compared)) << "  of S, "
                << path.compared << " inputs (worst: " << path.worst_length << " bytes)\n";
    }
    return kept;
  }

  std::string name_;
  Model model_;
  Inputs inputs_;
  std::vector<Path> short_paths_;
  std::array<std::vector<Path>, strategies.size()> long_paths_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc < 2 ? 0 : std::strtoull(argv[1], nullptr, 10);
  if (count == 0) {
    std::cerr << "usage: runtime_accuracy INPUTS [FILE...]\n\nINPUTS for each model: first all lengths, then constant "
                 "texts of every byte, 1,538 in all; then pieces of the files and random bytes.\n";
    return 2;
  }
  try {
    const std::vector<std::string> files(argv + 2, argv + argc);
    bool kept = true;
    for (const testing::AccuracyModel& sample : testing::accuracy_models()) {
      kept = Measurement(sample, files).run(count) && kept;
    }
    return kept ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

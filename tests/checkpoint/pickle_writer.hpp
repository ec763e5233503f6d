#pragma once
/// Writes pickles and checkpoints for tests, opcode by opcode.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/error.hpp"

#include "archive_writer.hpp"
#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter::test {

/// What one tensor looks like in a pickle; the defaults are those of an ordinary float tensor.
struct TensorSpec {
  std::string storage_class = "FloatStorage";
  std::string key = "0";
  std::string location = "cpu";
  std::int64_t elements = 0;  ///< of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes{}, strides{};
  std::string function = "_rebuild_tensor_v2";
};

class PickleWriter {
 public:
  explicit PickleWriter(int protocol = 2);

  PickleWriter& raw(std::string_view opcodes);
  PickleWriter& global(std::string_view module, std::string_view name);        ///< "c"
  PickleWriter& stack_global(std::string_view module, std::string_view name);  ///< protocol 4
  PickleWriter& text(std::string_view value);
  PickleWriter& bytes(std::string_view value);  ///< protocol 3
  PickleWriter& integer(std::int64_t value);
  PickleWriter& real(double value);
  PickleWriter& boolean(bool value) { return raw(value ? "\x88" : "\x89"); }
  PickleWriter& none() { return raw("N"); }
  PickleWriter& mark() { return raw("("); }
  PickleWriter& tuple() { return raw("t"); }
  PickleWriter& empty_tuple() { return raw(")"); }
  PickleWriter& empty_dict() { return raw("}"); }
  PickleWriter& empty_list() { return raw("]"); }
  PickleWriter& set_items() { return raw("u"); }
  PickleWriter& appends() { return raw("e"); }
  PickleWriter& reduce() { return raw("R"); }
  PickleWriter& build() { return raw("b"); }
  PickleWriter& new_object() { return raw("\x81"); }
  PickleWriter& put(std::uint8_t slot);
  PickleWriter& get(std::uint8_t slot);

  PickleWriter& integers(const std::vector<std::int64_t>& values);  ///< a tuple
  PickleWriter& ordered_dict();                                     ///< an empty OrderedDict
  PickleWriter& tensor(const TensorSpec& spec);
  /// "name": a contiguous float tensor in its own storage `key`.
  PickleWriter& entry(std::string_view name, std::string_view key, const std::vector<std::int64_t>& sizes);
  /// The beginning of a torch.nn object: NEWOBJ, state dict with training, _parameters ... is written by `parts`.
  PickleWriter& module(std::string_view in, std::string_view class_name, const std::function<void()>& attributes,
                       const std::function<void()>& parameters, const std::function<void()>& buffers,
                       const std::function<void()>& modules);

  [[nodiscard]] std::string finish() const { return out_ + "."; }

 private:
  std::string out_;
};

/// `count` floats first, first + 1, ... as they lie in a little-endian file.
[[nodiscard]] std::string floats(std::size_t count, float first = 0);
[[nodiscard]] std::string little_endian(std::uint64_t value, std::size_t bytes);

/// An archive of data.pkl, version and storages data/0, data/1, ...
[[nodiscard]] std::vector<std::byte> checkpoint_file(const std::string& pickle,
                                                     const std::vector<std::string>& storages);
/// A state dict of an embedding [4, 2] and a conv [3, 2, 1], both counting up, below `prefix`; two storages.
void write_small_state_dict(PickleWriter& pickle, const std::string& prefix = {});
[[nodiscard]] std::vector<std::string> small_storages();

[[nodiscard]] std::vector<std::string> names_of(const Checkpoint& checkpoint);
/// The error of reading `bytes`; fails the test where there is none.
[[nodiscard]] Error error_of(std::span<const std::byte> bytes, std::string_view key = {},
                             const CheckpointLimits& limits = {});

}  // namespace bytecnn::exporter::test

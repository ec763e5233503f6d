/// Fuzz target: the checkpoint reader and the scan of TorchScript code.
///
/// The first byte chooses how the rest is used, so that one corpus reaches all of it:
///   'P'  the data.pkl of an archive with a few storages      'S'  a TorchScript source
///   'J'  the data.pkl of a TorchScript archive               'N'  a JSON header of safetensors
///   'L'  the main pickle of a legacy file                    'F' (or anything else)  a whole file
/// A reader that crashes, hangs, leaks or takes too much memory is a finding; an `Error` is what it is for.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/torchscript_code_scan.hpp"

namespace {

using bytecnn::exporter::Checkpoint;
using bytecnn::exporter::CheckpointLimits;

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

struct Part {
  std::string name;
  std::string_view data;
};

/// A stored archive without checksums: nothing stands between the mutation and the pickle machine.
std::string archive(const std::vector<Part>& parts) {
  std::string body, directory;
  for (const Part& part : parts) {
    const std::size_t offset = body.size();
    put(body, 0x04034b50, 4);
    body.append(10, '\0');
    put(body, 0, 4);
    put(body, part.data.size(), 4);
    put(body, part.data.size(), 4);
    put(body, part.name.size(), 2);
    put(body, 0, 2);
    body += part.name;
    body += part.data;
    put(directory, 0x02014b50, 4);
    directory.append(12, '\0');
    put(directory, 0, 4);
    put(directory, part.data.size(), 4);
    put(directory, part.data.size(), 4);
    put(directory, part.name.size(), 2);
    directory.append(12, '\0');
    put(directory, offset, 4);
    directory += part.name;
  }
  std::string out = body + directory;
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, parts.size(), 2);
  put(out, parts.size(), 2);
  put(out, directory.size(), 4);
  put(out, body.size(), 4);
  put(out, 0, 2);
  return out;
}

std::string with_storages(std::string_view pickle, bool script) {
  static const std::string storage(64, '\x3f');
  std::vector<Part> parts{{"a/data.pkl", pickle},
                          {"a/data/0", std::string_view(storage).substr(0, 32)},
                          {"a/data/1", std::string_view(storage).substr(0, 24)},
                          {"a/data/2", storage}};
  if (script) {
    parts.push_back({"a/constants.pkl", "\x80\x02)."});
    parts.push_back({"a/code/__torch__.py", "class Net(Module):\n  training : bool\n"});
  }
  return archive(parts);
}

std::string legacy(std::string_view pickle) {
  std::string file = std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  file += std::string("\x80\x02M\xe9\x03.", 6);
  file += std::string("\x80\x02}.", 4);
  file += pickle;
  return file;
}

void read(std::string_view file, std::string_view key) {
  const std::span bytes(reinterpret_cast<const std::byte*>(file.data()), file.size());
  CheckpointLimits limits;
  limits.max_elements = 1 << 20;  // large enough for every path, small enough to stay fast
  limits.max_instructions = 200'000;
  limits.max_unpacked_bytes = 16U << 20U;
  try {
    const Checkpoint checkpoint = bytecnn::exporter::read_checkpoint(bytes, key, limits);
    // Whatever was read must be whole: as many bytes as the shape says.
    for (const auto& named : checkpoint.tensors) {
      std::size_t elements = 1;
      for (const std::int64_t size : named.tensor.shape) elements *= static_cast<std::size_t>(size);
      if (named.unreadable.empty() &&
          elements * bytecnn::exporter::element_size(named.tensor.dtype) != named.tensor.data.size()) {
        __builtin_trap();
      }
      (void)named.tensor.to_doubles();
    }
    if (!checkpoint.code.empty()) bytecnn::exporter::scan_torchscript_code(checkpoint);
  } catch (const bytecnn::Error&) {
  }
}

void scan(std::string_view source) {
  Checkpoint checkpoint;
  checkpoint.code["code/__torch__.py"] = source;
  try {
    bytecnn::exporter::scan_torchscript_code(checkpoint);
  } catch (const bytecnn::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::string_view rest = input.substr(1);
  switch (input[0]) {
    case 'P':
      read(with_storages(rest, false), {});
      break;
    case 'K':
      read(with_storages(rest, false), "model");
      break;
    case 'J':
      read(with_storages(rest, true), {});
      break;
    case 'L':
      read(legacy(rest), {});
      break;
    case 'S':
      scan(rest);
      break;
    case 'N': {
      std::string file;
      put(file, rest.size(), 8);
      file += rest;
      file.append(64, '\x3f');
      read(file, {});
      break;
    }
    case 'F':
      read(rest, {});
      break;
    default:
      read(input, {});
      break;
  }
  return 0;
}

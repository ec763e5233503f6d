#include "checkpoint/foreign_files.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

struct Signature {
  std::string_view bytes;
  std::size_t offset;
  ErrorCode code;
  const char* message;
};

using namespace std::string_view_literals;

constexpr std::array signatures{
    Signature{"version https://git-lfs"sv, 0, ErrorCode::invalid,
              "a git-lfs pointer, not the file itself; run 'git lfs pull'"},
    Signature{"\x1f\x8b"sv, 0, ErrorCode::unsupported, "a gzip file; decompress it first (gunzip)"},
    Signature{"BZh"sv, 0, ErrorCode::unsupported, "a bzip2 file; decompress it first (bunzip2)"},
    Signature{"\xfd\x37zXZ\0"sv, 0, ErrorCode::unsupported, "an xz file; decompress it first (unxz)"},
    Signature{"\x28\xb5\x2f\xfd"sv, 0, ErrorCode::unsupported, "a zstd file; decompress it first (unzstd)"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, 0, ErrorCode::unsupported, "a 7z archive; unpack it first"},
    Signature{"Rar!"sv, 0, ErrorCode::unsupported, "a rar archive; unpack it first"},
    Signature{
        "ustar"sv, 257, ErrorCode::unsupported,
        "a tar archive: unpack it, or, if PyTorch older than 0.4 wrote it, load it and torch.save it again with a "
        "newer PyTorch"},
    Signature{"\x89HDF\r\n\x1a\n"sv, 0, ErrorCode::unsupported,
              "an HDF5 file (Keras?); only PyTorch checkpoints and safetensors are read"},
    Signature{"\x93NUMPY"sv, 0, ErrorCode::unsupported,
              "a NumPy .npy file: one array without a name; save a state dict"},
    Signature{"GGUF"sv, 0, ErrorCode::unsupported, "a GGUF file; only PyTorch checkpoints and safetensors are read"},
    Signature{"PTMF"sv, 4, ErrorCode::unsupported,
              "a TorchScript module for mobile devices (flatbuffer); export the checkpoint it was made of instead"},
    Signature{"TFL3"sv, 4, ErrorCode::unsupported, "a TensorFlow Lite model; only PyTorch checkpoints are read"},
    Signature{"ORTM"sv, 4, ErrorCode::unsupported, "an ONNX Runtime model; export the PyTorch checkpoint instead"},
    Signature{"\x7f"
              "ELF"sv,
              0, ErrorCode::invalid, "a program or shared library, not a checkpoint"},
    Signature{"\x89PNG"sv, 0, ErrorCode::invalid, "an image, not a checkpoint"},
    Signature{"%PDF"sv, 0, ErrorCode::invalid, "a PDF document, not a checkpoint"},
    Signature{"SQLite format 3"sv, 0, ErrorCode::invalid, "an SQLite database, not a checkpoint"},
};

/// The text behind white space and a byte order mark, in lower case, as far as it matters.
std::string beginning(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  std::string start(text.substr(first, 64));
  std::transform(start.begin(), start.end(), start.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return start;
}

/// ONNX is a protocol buffer: field 1 (ir_version, varint), then field 2 (producer_name, bytes) or field 7 (graph).
bool looks_like_onnx(std::string_view text) {
  return text.size() > 4 && text[0] == '\x08' && text[1] > 0 && text[1] < 32 &&
         (text[2] == '\x12' || text[2] == '\x3a' || text[2] == '\x42');
}

/// Protocol 0 and 1 have no signature: their first opcodes are these.
bool looks_like_old_pickle(std::string_view text) {
  const bool ends = text.back() == '.';
  return ends && (text.starts_with("(dp") || text.starts_with("(lp") || text.starts_with("(i") ||
                  text.starts_with("ccollections") || text.starts_with("}q") || text.starts_with("]q") ||
                  text.starts_with("c__builtin__"));
}

}  // namespace

void refuse_foreign_file(ByteSpan bytes) {
  const std::string_view text = as_text(bytes);
  if (text.empty()) throw Error(ErrorCode::invalid, "the file is empty");
  for (const Signature& signature : signatures) {
    if (text.size() >= signature.offset && text.substr(signature.offset).starts_with(signature.bytes)) {
      throw Error(signature.code, signature.message);
    }
  }
  const std::string start = beginning(text.substr(0, 512));
  if (start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml") ||
      start.starts_with("<head")) {
    throw Error(ErrorCode::invalid,
                "an HTML or XML page, not a checkpoint: a download that failed; fetch the file itself");
  }
  if (start.starts_with("{") || start.starts_with("[")) {
    throw Error(ErrorCode::invalid, "a JSON file, not a checkpoint; an exported model needs no export");
  }
  if (start.starts_with("import ") || start.starts_with("#!") || start.starts_with("from ")) {
    throw Error(ErrorCode::invalid, "a script, not a checkpoint; it is not run here");
  }
  if (looks_like_onnx(text)) {
    throw Error(ErrorCode::unsupported, "an ONNX model; export the PyTorch checkpoint it was made of instead");
  }
  if (looks_like_old_pickle(text)) {
    throw Error(
        ErrorCode::unsupported,
        "a plain pickle of protocol 0 or 1, not a file of torch.save: load it in Python and torch.save(...) it");
  }
  throw Error(ErrorCode::invalid, "not a PyTorch checkpoint and not safetensors", {}, {},
              "a file that begins with '" + printable(text.substr(0, 8)) + "'");
}

}  // namespace bytecnn::exporter

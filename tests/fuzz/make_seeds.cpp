/// Writes the seeds of the fuzz corpus that are made in code: usage: fuzz_seeds FOLDER

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "pickle_writer.hpp"

namespace {

using namespace bytecnn::exporter::test;

std::string folder;

void write(const std::string& name, std::string_view content) {
  std::ofstream(folder + "/" + name, std::ios::binary)
      .write(content.data(), static_cast<std::streamsize>(content.size()));
}

std::string as_string(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void pickles() {
  PickleWriter small;
  write_small_state_dict(small);
  write("pickle_state_dict", "P" + small.finish());
  write("legacy_state_dict", "L" + small.finish() + "\x80\x02](X\x01" + std::string("\0\0\0", 3) + "0X\x01" +
                                 std::string("\0\0\0", 3) + "1e." + little_endian(8, 8) + floats(8) +
                                 little_endian(6, 8) + floats(6));

  PickleWriter checkpoint;
  checkpoint.empty_dict().mark().text("epoch").integer(1).text("model");
  write_small_state_dict(checkpoint, "module.");
  checkpoint.text("ema");
  write_small_state_dict(checkpoint);
  checkpoint.text("config").empty_dict().mark().text("lr").real(0.1).text("f").empty_list().mark().integer(1).appends();
  checkpoint.set_items().text("args").global("argparse", "Namespace").empty_tuple().new_object().empty_dict().mark();
  checkpoint.text("k").boolean(true).set_items().build().text("opt").empty_dict().mark().text("state").empty_dict();
  checkpoint.text("param_groups").empty_list().set_items().set_items();
  write("pickle_checkpoint", "P" + checkpoint.finish());
  write("pickle_checkpoint_key", "K" + checkpoint.finish());

  PickleWriter kinds;
  kinds.ordered_dict().mark();
  kinds.text("half").tensor(
      {.storage_class = "HalfStorage", .key = "0", .elements = 16, .offset = 1, .sizes = {2, 3}, .strides = {1, 4}});
  kinds.text("complex").tensor(
      {.storage_class = "ComplexFloatStorage", .key = "0", .elements = 4, .sizes = {4}, .strides = {1}});
  kinds.text("q").global("torch._utils", "_rebuild_qtensor").empty_tuple().reduce();
  kinds.text("p").global("torch._utils", "_rebuild_parameter").mark();
  kinds.tensor({.key = "1", .elements = 6, .sizes = {6}, .strides = {1}}).boolean(true).ordered_dict().tuple().reduce();
  kinds.text("v3").global("torch._utils", "_rebuild_tensor_v3").mark().mark().text("storage");
  kinds.global("torch.storage", "UntypedStorage").text("2").text("cuda:0").integer(64).tuple().raw("Q").integer(1);
  kinds.integers({3}).integers({2}).boolean(false).ordered_dict().global("torch", "float32").tuple().reduce();
  write("pickle_kinds", "P" + kinds.set_items().finish());

  PickleWriter numpy(4);
  numpy.empty_dict().mark();
  for (const char* name : {"embedding.weight", "conv1.weight"}) {
    numpy.text(name).stack_global("numpy._core.multiarray", "_reconstruct").mark().global("numpy", "ndarray");
    numpy.integers({0}).bytes("b").tuple().reduce().mark().integer(1).integers({2, 2}).global("numpy", "dtype").mark();
    numpy.text("f4").boolean(false).boolean(true).tuple().reduce().mark().integer(3).text("<").tuple().build();
    numpy.boolean(true).bytes(floats(4)).tuple().build();
  }
  write("pickle_numpy", "P" + numpy.set_items().finish());
  PickleWriter latin;
  latin.empty_dict().mark();
  for (const char* name : {"embedding.weight", "conv1.weight"}) {
    latin.text(name).global("numpy.core.multiarray", "_reconstruct").empty_tuple().reduce().mark().integer(1);
    latin.integers({2, 2}).global("numpy", "dtype").mark().text(">i2").tuple().reduce().boolean(false);
    latin.global("_codecs", "encode")
        .mark()
        .text("abc\xc3\xa9\xc2\x80yz")
        .text("latin1")
        .tuple()
        .reduce()
        .tuple()
        .build();
  }
  write("pickle_numpy_latin1", "P" + latin.set_items().finish());

  PickleWriter model;
  model.module("torch.nn.parallel", "DataParallel", {}, {}, {}, [&] {
    model.text("module").module(
        "m", "Net", [&] { model.text("stride").integers({1}).text("eps").real(1e-5); },
        [&] {
          model.entry("weight", "0", {4, 2});
        },
        [&] { model.entry("b", "1", {6}); },
        [&] { model.text("sub").module("m", "Sub", {}, [&] { model.entry("w", "0", {8}); }, {}, {}); });
  });
  write("pickle_module", "P" + model.finish());

  PickleWriter script;
  script.global("__torch__", "Net").empty_tuple().new_object().empty_dict().mark().entry("weight", "0", {4, 2});
  script.text("sub").global("__torch__", "Sub").empty_tuple().new_object().empty_dict().mark().entry("w", "1", {6});
  script.set_items().build().text("list").global("torch.jit._pickle", "build_intlist").mark().empty_list().mark();
  script.integer(1).appends().tuple().reduce();
  write("pickle_script", "J" + script.set_items().build().finish());
}

void sources() {
  write("source_module", R"(Sclass Net(Module):
  __parameters__ = ["weight", ]
  weight : Tensor
  training : bool
  __annotations__["0"] = __torch__.torch.nn.modules.conv.___torch_mangle_37.Conv1d
  conv1 : __torch__.torch.nn.modules.conv.Conv1d
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    _0 = __torch__.torch.nn.functional.relu
    conv1 = self.conv1
    _1 = getattr(self, "0")
    h = torch.embedding(self.weight, x)
    _2, _3 = torch.max(_0((conv1).forward(h, ), False, ), 2)
    for i in range(torch.sub(torch.len(size), 2)):
      y = torch.mul(h, (size)[torch.add(i, 2)])
    if self.training:
      ops.prim.RaiseException(torch.format("bad {}", 1.5e-3), "builtins.ValueError")
    else:
      pass
    return (self)._helper(annotate(List[int], []), CONSTANTS.c0)
  def _helper(self: __torch__.Net,
    a: List[int]) -> int:
    return 6
)");
  write("source_function",
        "Sop_version_set = 1\ndef relu(input: Tensor,\n    inplace: bool=False) -> Tensor:\n"
        "  return torch.relu_(input)\n");
}

void files() {
  PickleWriter small;
  write_small_state_dict(small);
  ArchiveWriter zip, deflated, zip64;
  zip.without_checksums().add("data.pkl", small.finish()).add("byteorder", "big").add("data/0", floats(8));
  write("file_zip", "F" + as_string(zip.add("data/1", floats(6)).add("version", "3\n").finish()));
  deflated.without_checksums().deflated().add("data.pkl", small.finish()).add("data/0", floats(8));
  write("file_deflated", "F" + as_string(deflated.add("data/1", floats(6)).finish("comment")));
  zip64.without_checksums().add("data.pkl", small.finish(), {.zip64 = true}).add("data/0", floats(8), {.zip64 = true});
  write("file_zip64", "F" + as_string(zip64.add("data/1", floats(6)).finish_zip64()));
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"model.a.weight":{"dtype":"F32","shape":[2,2],)"
      R"("data_offsets":[0,16]},"model.b.weight":{"dtype":"BF16","shape":[24],"data_offsets":[16,64]}})";
  write("safetensors_header", "N" + header);
  write("file_html", "F<!DOCTYPE html>");
  write("file_lfs", "Fversion https://git-lfs.github.com/spec/v1");
  write("file_onnx", "F\x08\x07\x12\x07pytorch");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  folder = arguments[1];
  pickles();
  sources();
  files();
  return 0;
}

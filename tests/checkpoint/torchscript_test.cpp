#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/torchscript_code_scan.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using Names = std::vector<std::string>;

const std::string code = R"(class Net(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
  def forward(self: __torch__.Net,
    x: Tensor) -> Tensor:
    weight = self.weight
    return torch.embedding(weight, x)
)";

/// A module whose weight is a submodule's: as torch.jit.save writes it.
std::string module_pickle() {
  PickleWriter pickle;
  pickle.global("__torch__", "Net").empty_tuple().new_object().empty_dict().mark();
  pickle.entry("weight", "0", {4, 2}).text("training").boolean(false);
  pickle.text("conv1").global("__torch__.torch.nn.modules.conv", "Conv1d").empty_tuple().new_object();
  pickle.empty_dict().mark().entry("weight", "1", {3, 2, 1}).set_items().build();
  return pickle.set_items().build().finish();
}

std::string empty_constants() {
  PickleWriter pickle;
  return pickle.empty_tuple().finish();
}

ArchiveWriter script(const std::string& pickle = module_pickle()) {
  ArchiveWriter archive("net/");
  archive.add("data/0", floats(8)).add("data/1", floats(6)).add("data.pkl", pickle);
  archive.add("code/__torch__.py", code, {.deflate = true})
      .add("constants.pkl", empty_constants())
      .add("version", "3\n");
  return archive;
}

TEST(TorchScript, WeightsAndSourcesAreRead) {
  const Checkpoint checkpoint = read_checkpoint(script().finish());
  EXPECT_EQ(checkpoint.container, "torchscript");
  EXPECT_EQ(checkpoint.form, "torchscript");
  EXPECT_EQ(names_of(checkpoint), (Names{"weight", "conv1.weight"}));
  ASSERT_EQ(checkpoint.code.size(), 1U);
  EXPECT_EQ(checkpoint.code.begin()->first, "code/__torch__.py");
  EXPECT_EQ(checkpoint.code.begin()->second, code);
  EXPECT_TRUE(checkpoint.modules.empty());
  EXPECT_NO_THROW(scan_torchscript_code(checkpoint));
}

TEST(TorchScript, AFrozenModuleHasItsTensorsInTheConstants) {
  PickleWriter module, constants;
  module.global("__torch__", "Net").empty_tuple().new_object().empty_dict().build();
  constants.mark();
  constants.tensor({.key = "0", .elements = 8, .sizes = {4, 2}, .strides = {2, 1}}).integer(7);
  constants.tensor({.key = "1", .elements = 6, .sizes = {3, 2, 1}, .strides = {2, 1, 1}}).tuple();
  ArchiveWriter archive("net/");
  archive.add("data.pkl", module.finish()).add("code/__torch__.py", code).add("constants.pkl", constants.finish());
  archive.add("constants/0", floats(8)).add("constants/1", floats(6)).add("version", "3\n");
  const Checkpoint checkpoint = read_checkpoint(archive.finish());
  EXPECT_EQ(checkpoint.form, "torchscript_frozen");
  EXPECT_EQ(names_of(checkpoint), (Names{"CONSTANTS.c0", "CONSTANTS.c2"}));
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles()[5], 5);
  EXPECT_EQ(checkpoint.warnings.size(), 1U);
}

TEST(TorchScript, TensorsThatNobodyReadsHereAreCheckedForLibtorch) {
  PickleWriter pickle;
  pickle.global("__torch__", "Net").empty_tuple().new_object().empty_dict().mark().entry("weight", "0", {4, 2});
  pickle.text("list").empty_list().mark();
  pickle.tensor({.key = "1", .elements = 6, .offset = 1000, .sizes = {4}, .strides = {1}}).appends();
  EXPECT_EQ(error_of(script(pickle.set_items().build().finish()).finish()).code(), ErrorCode::invalid);
}

TEST(TorchScript, RecordsThatChangeWhatLibtorchReadsAreRefused) {
  for (const char* name : {"model.json", "tensors/0", "code/evil.pyc", "CONSTANTS.PKL", "Data/0", "anything"}) {
    ArchiveWriter archive = script();
    archive.add(name, "x");
    const Error error = error_of(archive.finish());
    EXPECT_TRUE(error.code() == ErrorCode::unsupported || error.code() == ErrorCode::invalid) << name << error.what();
    EXPECT_NE(error.where().find(name), std::string::npos) << error.what();
  }
  ArchiveWriter two_cases = script();
  two_cases.add("data/a", "x").add("data/A", "y");
  EXPECT_EQ(error_of(two_cases.finish()).code(), ErrorCode::invalid);
}

TEST(TorchScript, GraphsThatLibtorchWouldRecurseIntoAreRefused) {
  const auto with_constants = [](const std::string& constants) {
    ArchiveWriter archive("net/");
    archive.add("data/0", floats(8)).add("data/1", floats(6)).add("data.pkl", module_pickle());
    archive.add("code/__torch__.py", code).add("constants.pkl", constants).add("version", "3\n");
    return archive.finish();
  };
  EXPECT_EQ(error_of(with_constants("\x80\x02N" + std::string(100'000, '\x85') + ".")).code(), ErrorCode::limit);
  EXPECT_EQ(error_of(with_constants("\x80\x02]q\x01h\x01"
                                    "a."))
                .code(),
            ErrorCode::invalid);
  EXPECT_NO_THROW((void)read_checkpoint(with_constants("\x80\x02N" + std::string(20, '\x85') + ".")));
}

TEST(TorchScript, ManyStoragesOfOneRecordAreUnpackedOnce) {
  constexpr std::int64_t elements = 1 << 20;
  PickleWriter pickle;
  pickle.tensor({.key = "0", .elements = elements, .sizes = {1, 1}, .strides = {1, 1}}).put(1).raw("0");
  pickle.global("__torch__", "Net").empty_tuple().new_object().empty_dict().mark().text("list").empty_list().mark();
  for (int i = 0; i < 5000; ++i) {
    pickle.mark().text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(elements);
    pickle.tuple().raw("Q");
  }
  pickle.appends().text("weight").get(1).set_items().build();
  ArchiveWriter archive("net/");
  archive.add("data/0", std::string(4U << 20U, 'x'), {.deflate = true}).add("data.pkl", pickle.finish());
  archive.add("code/__torch__.py", code).add("constants.pkl", empty_constants());
  // Unpacking 4 MiB five thousand times would take a minute; the test's own time is what it holds.
  EXPECT_EQ(names_of(read_checkpoint(archive.finish())), (Names{"weight"}));
}

TEST(TorchScript, WhatIsNoModuleIsRefused) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  EXPECT_EQ(error_of(script(pickle.finish()).finish()).code(), ErrorCode::invalid);
}

}  // namespace
}  // namespace bytecnn::exporter::test

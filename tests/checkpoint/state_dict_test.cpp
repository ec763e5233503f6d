#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using Names = std::vector<std::string>;

const Names small_names{"embedding.weight", "conv1.weight"};

Checkpoint read(const PickleWriter& pickle, std::string_view key = {}) {
  return read_checkpoint(checkpoint_file(pickle.finish(), small_storages()), key);
}

bool contains(const std::vector<std::string>& list, std::string_view wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

std::string hint(const Checkpoint& checkpoint, std::string_view path) {
  for (const auto& [name, value] : checkpoint.hints) {
    if (name == path) return value;
  }
  return "(none)";
}

TEST(StateDict, IsReadAtTheTopWithShapesTypesAndValues) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(checkpoint.container, "zip");
  EXPECT_EQ(checkpoint.form, "state_dict");
  EXPECT_EQ(checkpoint.key, "");
  EXPECT_EQ(checkpoint.prefix, "");
  ASSERT_EQ(names_of(checkpoint), small_names);
  EXPECT_EQ(checkpoint.tensors[0].tensor.shape, (std::vector<std::int64_t>{4, 2}));
  EXPECT_EQ(checkpoint.tensors[0].tensor.dtype, DType::f32);
  EXPECT_EQ(checkpoint.tensors[0].tensor.to_doubles(), (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles(), (std::vector<double>{100, 101, 102, 103, 104, 105}));
  EXPECT_TRUE(checkpoint.warnings.empty());
  EXPECT_TRUE(checkpoint.opaque.empty());
}

TEST(StateDict, MayBeAPlainDict) {
  PickleWriter pickle;
  pickle.empty_dict().mark().entry("embedding.weight", "0", {4, 2}).entry("conv1.weight", "1", {3, 2, 1}).set_items();
  EXPECT_EQ(names_of(read(pickle)), small_names);
}

TEST(StateDict, MayHoldParametersAndTensorsWithAttributes) {
  PickleWriter pickle;
  TensorSpec spec{.key = "0", .elements = 8, .sizes = {4, 2}, .strides = {2, 1}};
  pickle.ordered_dict().mark().text("embedding.weight");
  pickle.global("torch._utils", "_rebuild_parameter").mark().tensor(spec).boolean(true).ordered_dict().tuple().reduce();
  spec = {.key = "1", .elements = 6, .sizes = {3, 2, 1}, .strides = {2, 1, 1}};
  // torch._tensor._rebuild_from_type_v2(_rebuild_parameter_with_state, Parameter, arguments, state)
  pickle.text("conv1.weight").global("torch._tensor", "_rebuild_from_type_v2").mark();
  pickle.global("torch._utils", "_rebuild_parameter_with_state").global("torch.nn.parameter", "Parameter");
  pickle.mark().tensor(spec).boolean(true).ordered_dict().empty_dict().tuple();
  pickle.empty_dict().tuple().reduce().set_items();
  const Checkpoint checkpoint = read(pickle);
  ASSERT_EQ(names_of(checkpoint), small_names);
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles()[5], 105);
}

TEST(StateDict, IsReadFromProtocols3To5WithFramesAndMemoize) {
  for (const int protocol : {3, 4, 5}) {
    PickleWriter pickle(protocol);
    if (protocol >= 4) pickle.raw(std::string("\x95") + little_endian(10, 8));
    pickle.stack_global("collections", "OrderedDict").raw("\x94").empty_tuple().reduce().raw("\x94").mark();
    pickle.entry("embedding.weight", "0", {4, 2}).raw("\x94").entry("conv1.weight", "1", {3, 2, 1}).set_items();
    EXPECT_EQ(names_of(read(pickle)), small_names) << protocol;
  }
}

TEST(StateDict, IsFoundUnderTheUsualKeys) {
  for (const char* key : {"state_dict", "model_state_dict", "model", "net", "weights"}) {
    PickleWriter pickle;
    pickle.empty_dict().mark().text("epoch").integer(3).text(key);
    write_small_state_dict(pickle);
    pickle.set_items();
    const Checkpoint checkpoint = read(pickle);
    EXPECT_EQ(checkpoint.form, "checkpoint");
    EXPECT_EQ(checkpoint.key, key);
    EXPECT_EQ(names_of(checkpoint), small_names);
    EXPECT_EQ(hint(checkpoint, "epoch"), "3");
    EXPECT_TRUE(contains(checkpoint.ignored, "epoch"));
  }
}

TEST(StateDict, IsFoundAFewLevelsDownAndInAList) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("a").empty_dict().mark().text("b").empty_list().mark();
  pickle.empty_dict().mark().text("model");
  write_small_state_dict(pickle);
  pickle.set_items().appends().set_items().set_items();
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(checkpoint.key, "a.b.0.model");
  EXPECT_EQ(names_of(checkpoint), small_names);
}

TEST(StateDict, TwoCandidatesAreAnErrorThatListsThemAndNamesTheOption) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("model");
  write_small_state_dict(pickle);
  pickle.text("ema");
  write_small_state_dict(pickle);
  pickle.set_items();
  const auto file = checkpoint_file(pickle.finish(), small_storages());
  const Error error = error_of(file);
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_NE(error.message().find("model, ema"), std::string::npos) << error.message();
  EXPECT_NE(error.message().find("--key"), std::string::npos);
  const Checkpoint chosen = read_checkpoint(file, "ema");
  EXPECT_EQ(chosen.key, "ema");
  EXPECT_EQ(chosen.candidates, (Names{"model", "ema"}));
  EXPECT_TRUE(contains(chosen.ignored, "model"));
  const Error unknown = error_of(file, "best");
  EXPECT_EQ(unknown.code(), ErrorCode::invalid);
  EXPECT_NE(unknown.expected().find("model, ema"), std::string::npos);
}

TEST(StateDict, OneObjectUnderTwoKeysIsOneCandidate) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("model");
  write_small_state_dict(pickle);
  pickle.put(9).text("best").get(9).set_items();
  EXPECT_EQ(read(pickle).candidates, (Names{"model"}));
}

TEST(StateDict, AKeyMayNameALevelAboveTheCandidate) {
  PickleWriter pickle;
  pickle.empty_dict().mark();
  for (const char* key : {"teacher", "student"}) {
    pickle.text(key).empty_dict().mark().text("state_dict");
    write_small_state_dict(pickle);
    pickle.set_items();
  }
  pickle.set_items();
  EXPECT_EQ(read(pickle, "student").key, "student.state_dict");
}

TEST(StateDict, SeveralModelsInOneDictAreAmbiguousUntilAKeyChoosesOne) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("state_dict").ordered_dict().mark();
  for (const char* model : {"student.", "teacher."}) {
    pickle.entry(std::string(model) + "embedding.weight", "0", {4, 2});
    pickle.entry(std::string(model) + "conv1.weight", "1", {3, 2, 1});
  }
  pickle.set_items().set_items();
  const auto file = checkpoint_file(pickle.finish(), small_storages());
  const Error error = error_of(file);
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_NE(error.message().find("student, teacher"), std::string::npos) << error.message();
  for (const char* key : {"teacher", "state_dict.teacher"}) {
    const Checkpoint chosen = read_checkpoint(file, key);
    EXPECT_EQ(chosen.key, "state_dict.teacher");
    EXPECT_EQ(chosen.prefix, "teacher.");
    EXPECT_EQ(names_of(chosen), small_names);
    EXPECT_TRUE(contains(chosen.ignored, "student.embedding.weight"));
  }
}

TEST(StateDict, LooseTensorsBesideItAreNoSecondCandidate) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("model");
  write_small_state_dict(pickle);
  pickle.entry("confusion", "0", {4, 2}).entry("class_weights", "1", {6}).set_items();
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(checkpoint.candidates, (Names{"model"}));
  EXPECT_TRUE(contains(checkpoint.ignored, "confusion"));
}

TEST(StateDict, OptimizerStateIsNeverACandidate) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("model");
  write_small_state_dict(pickle);
  for (const char* key : {"optimizer_state_dict", "something"}) {
    pickle.text(key).empty_dict().mark().text("state").empty_dict().mark().integer(0);
    write_small_state_dict(pickle);
    pickle.set_items().text("param_groups").empty_list().set_items();
  }
  pickle.set_items();
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(checkpoint.candidates, (Names{"model"}));
  EXPECT_TRUE(contains(checkpoint.ignored, "optimizer_state_dict"));
  EXPECT_TRUE(contains(checkpoint.ignored, "something"));
}

TEST(StateDict, AFileWithAnOptimizerAloneIsRefusedAsSuch) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("state").empty_dict().text("param_groups").empty_list().set_items();
  const Error error = error_of(checkpoint_file(pickle.finish(), {}));
  EXPECT_NE(error.message().find("optimizer"), std::string::npos) << error.message();
}

TEST(StateDict, HintsComeFromConfigurationAndOpaqueObjects) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("state_dict");
  write_small_state_dict(pickle);
  pickle.text("config").empty_dict().mark();
  pickle.text("kernel_size").integer(3).text("lr").real(1e-5).text("flag").boolean(true).text("none").none();
  pickle.text("filters").empty_list().mark().integer(28).integer(24).appends();
  pickle.text("pair").mark().integer(-7).tuple().text("name").text("bytecnn").set_items();
  pickle.text("args").global("argparse", "Namespace").empty_tuple().new_object();
  pickle.empty_dict().mark().text("max_len").integer(512).text("momentum").real(2.0).set_items().build();
  pickle.text("hyper_parameters").global("pytorch_lightning.utilities.parsing", "AttributeDict").empty_tuple();
  pickle.new_object().mark().text("pooling").text("avg_max").set_items();
  pickle.text("stage").global("my.module", "Stage").mark().integer(1).tuple().reduce().set_items();
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(hint(checkpoint, "config.kernel_size"), "3");
  EXPECT_EQ(hint(checkpoint, "config.lr"), "1e-05");
  EXPECT_EQ(hint(checkpoint, "config.flag"), "True");
  EXPECT_EQ(hint(checkpoint, "config.none"), "None");
  EXPECT_EQ(hint(checkpoint, "config.filters"), "[28, 24]");
  EXPECT_EQ(hint(checkpoint, "config.pair"), "(-7,)");
  EXPECT_EQ(hint(checkpoint, "config.name"), "bytecnn");
  EXPECT_EQ(hint(checkpoint, "args.max_len"), "512");
  EXPECT_EQ(hint(checkpoint, "args.momentum"), "2.0");
  EXPECT_EQ(hint(checkpoint, "hyper_parameters.pooling"), "avg_max");
  EXPECT_TRUE(contains(checkpoint.opaque, "my.module.Stage"));
  EXPECT_FALSE(contains(checkpoint.opaque, "argparse.Namespace"));
}

TEST(StateDict, NothingInAFileIsExecutedOnlyNamed) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("state_dict");
  write_small_state_dict(pickle);
  pickle.text("x").global("posix", "system").mark().text("touch /tmp/never").tuple().reduce().set_items();
  const Checkpoint checkpoint = read(pickle);
  EXPECT_EQ(names_of(checkpoint), small_names);
  EXPECT_EQ(checkpoint.opaque, (Names{"posix.system"}));

  PickleWriter alone;
  alone.global("posix", "system").mark().text("touch /tmp/never").tuple().reduce();
  const Error error = error_of(checkpoint_file(alone.finish(), {}));
  EXPECT_EQ(error.found(), "posix.system");
}

TEST(StateDict, TensorsOfOtherKindsAreNamedWithTheirReason) {
  PickleWriter pickle;
  pickle.ordered_dict().mark().entry("embedding.weight", "0", {4, 2});
  pickle.text("q").global("torch._utils", "_rebuild_qtensor").empty_tuple().reduce();
  pickle.text("s").global("torch._utils", "_rebuild_sparse_tensor").empty_tuple().reduce();
  pickle.text("m").global("torch._utils", "_rebuild_meta_tensor_no_storage").empty_tuple().reduce();
  pickle.text("n").global("torch._utils", "_rebuild_nested_tensor").empty_tuple().reduce();
  pickle.text("o").global("torch._utils", "_rebuild_wrapper_subclass").empty_tuple().reduce();
  pickle.text("c").tensor(
      {.storage_class = "ComplexFloatStorage", .key = "0", .elements = 4, .sizes = {4}, .strides = {1}});
  pickle.text("meta").tensor({.key = "0", .location = "meta", .elements = 8, .sizes = {8}, .strides = {1}});
  pickle.set_items();
  const Checkpoint checkpoint = read(pickle);
  ASSERT_EQ(checkpoint.tensors.size(), 8U);
  const Names reasons{"", "quantised", "sparse", "meta", "nested", "wrapper_subclass", "ComplexFloatStorage", "meta"};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const NamedTensor& tensor = checkpoint.tensors[i];
    EXPECT_EQ(tensor.unreadable.empty(), reasons[i].empty()) << tensor.name;
    EXPECT_NE(tensor.unreadable.find(reasons[i]), std::string::npos) << tensor.unreadable;
    EXPECT_EQ(tensor.tensor.data.empty(), !reasons[i].empty());
  }
}

TEST(StateDict, LazyNegativesAreNotRead) {
  for (const char* flag : {"neg", "conj"}) {
    PickleWriter pickle;
    pickle.ordered_dict().mark().entry("embedding.weight", "0", {4, 2}).text("lazy");
    pickle.global("torch._utils", "_rebuild_tensor_v2").mark();
    pickle.mark().text("storage").global("torch", "FloatStorage").text("1").text("cpu").integer(6).tuple().raw("Q");
    pickle.integer(0).integers({6}).integers({1}).boolean(false).ordered_dict();
    pickle.empty_dict().mark().text(flag).boolean(true).set_items().tuple().reduce().set_items();
    EXPECT_NE(read(pickle).tensors.at(1).unreadable.find("lazy"), std::string::npos);
  }
}

TEST(StateDict, TheSameKeyTwiceIsAnErrorNotAChoice) {
  PickleWriter pickle;
  pickle.ordered_dict()
      .mark()
      .entry("embedding.weight", "0", {4, 2})
      .entry("embedding.weight", "0", {4, 2})
      .set_items();
  EXPECT_EQ(error_of(checkpoint_file(pickle.finish(), small_storages())).code(), ErrorCode::invalid);
}

TEST(StateDict, FilesWithoutNamedTensorsSayWhatTheyHold) {
  const auto message = [](PickleWriter& pickle) {
    return std::string(error_of(checkpoint_file(pickle.finish(), small_storages())).what());
  };
  const TensorSpec spec{.key = "0", .elements = 8, .sizes = {4, 2}, .strides = {2, 1}};
  PickleWriter one, list, numbered, empty, number;
  one.tensor(spec);
  list.empty_list().mark().tensor(spec).tensor(spec).appends();
  numbered.empty_dict().mark().integer(0).tensor(spec).integer(1).tensor(spec).set_items();
  empty.empty_dict();
  number.integer(7);
  EXPECT_NE(message(one).find("a single tensor"), std::string::npos);
  EXPECT_NE(message(list).find("without names"), std::string::npos);
  EXPECT_NE(message(numbered).find("without names"), std::string::npos);
  EXPECT_NE(message(empty).find("an empty dict"), std::string::npos) << message(empty);
  EXPECT_NE(message(number).find("a plain value"), std::string::npos) << message(number);
}

}  // namespace
}  // namespace bytecnn::exporter::test

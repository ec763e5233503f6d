// Files that are not models: each is refused with an `Error` that says where, and none does any harm.

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::contains;
using testing::describe;
using testing::error_of;
using testing::Json;

Json rich() {
  static const Json document = testing::document_of(testing::rich_model());
  return document;
}

Error error_in(const Json& document) {
  return error_of([&] { return parse_model(document.dump()); });
}

Error error_in(const std::string& text) {
  return error_of([&] { return parse_model(text); });
}

TEST(ModelJsonRefusalTest, EverythingMissingIsNamed) {
  struct Case {
    const char* parent;
    const char* key;
    const char* where;
  };
  for (const Case& c : {Case{"", "weights", "/"}, Case{"/weights", "embedding", "/weights"},
                        Case{"/weights", "conv1_bias", "/weights"}, Case{"/weights", "conv2_shift", "/weights"},
                        Case{"/weights", "output_weight", "/weights"}, Case{"/weights", "output_bias", "/weights"},
                        Case{"/golden/0", "input_hex", "/golden/0"}, Case{"/golden/1", "logits", "/golden/1"}}) {
    const Error error = error_in(testing::without(rich(), c.parent, c.key));
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.where(), c.where) << c.key << ": " << describe(error);
    EXPECT_TRUE(contains(error.expected(), std::string("\"") + c.key + "\"")) << describe(error);
  }
}

TEST(ModelJsonRefusalTest, AMissingLayerIsNotJustLeftOut) {
  // Without conv1 there is nothing that conv2 could follow; without the classifier the sizes do not fit.
  EXPECT_EQ(error_in(testing::without(rich(), "/weights", "conv1_weight")).code(), ErrorCode::invalid);
  EXPECT_EQ(error_in(testing::without(rich(), "/weights", "conv2_weight")).code(), ErrorCode::invalid);
  EXPECT_EQ(error_in(testing::without(rich(), "/weights", "classifier_weight")).code(), ErrorCode::invalid);
}

TEST(ModelJsonRefusalTest, UnknownKeysOfArchitectureAndWeightsAreErrors) {
  const Error architecture = error_in(testing::changed(rich(), "/architecture/attention", true));
  EXPECT_EQ(architecture.where(), "/architecture");
  EXPECT_EQ(architecture.found(), "\"attention\"");
  const Error layer = error_in(testing::changed(rich(), "/architecture/conv_layers/1/bias", true));
  EXPECT_EQ(layer.where(), "/architecture/conv_layers/1");
  for (const char* key : {"conv4_weight", "conv2_gamma", "attention_weight", "embedding2", "bn1_weight"}) {
    const Error weights = error_in(testing::changed(rich(), std::string("/weights/") + key, {1.0}));
    EXPECT_EQ(weights.where(), "/weights") << describe(weights);
    EXPECT_EQ(weights.found(), std::string("\"") + key + "\"");
  }
  const Error scalar = error_in(testing::changed(rich(), "/weights/note", "text"));
  EXPECT_EQ(scalar.found(), "\"note\"");
  Json flat = testing::flat_layout(testing::small_model());
  flat["conv3_weight"] = {{{1.0}}};
  EXPECT_EQ(error_in(flat).found(), "\"conv3_weight\"");
}

TEST(ModelJsonRefusalTest, UnknownKeysElsewhereAreKept) {
  Json document = rich();
  document["training"] = {{"epochs", 3}};
  document["nothing"] = nullptr;
  document["confusion"] = {{18446744073709551615U, -1}, {0.1, 1e300}};
  document["codebook"] = {{{1, 2}, {3, 0.1}}, {{5, 6}, {7, 8}}};  // could be weights by its looks
  document["model_info"]["losses"] = {0.1, 2, 3};
  document["model_info"]["licence"] = "MIT";
  document["model_info"]["reviewed"] = nullptr;
  const Json again = testing::document_of(parse_model(document.dump()));
  EXPECT_EQ(again.at("training"), document.at("training"));
  EXPECT_TRUE(again.contains("nothing"));
  for (const char* key : {"confusion", "codebook"}) EXPECT_EQ(again.at(key).dump(), document.at(key).dump());
  EXPECT_EQ(again.at("model_info").at("losses").dump(), "[0.1,2,3]");
  EXPECT_EQ(again.at("model_info").at("licence"), "MIT");
  EXPECT_TRUE(again.at("model_info").contains("reviewed"));
  EXPECT_EQ(again.at("comment"), document.at("comment"));
}

TEST(ModelJsonRefusalTest, WrongTypesAreNamedByTheirPlace) {
  const Json text = "text";
  for (const char* pointer : {"/model_info",
                              "/model_info/name",
                              "/model_info/parameters",
                              "/model_info/accuracy",
                              "/model_info/exported",
                              "/model_info/labels",
                              "/model_info/labels/1",
                              "/model_info/threshold",
                              "/model_info/source",
                              "/architecture",
                              "/architecture/conv_layers/0",
                              "/architecture/pad_token",
                              "/weights",
                              "/golden",
                              "/golden/0/input_hex",
                              "/golden/0/logits",
                              "/golden/0/logits/1",
                              "/frequent_windows",
                              "/frequent_windows/sample",
                              "/frequent_windows/tokens",
                              "/format",
                              "/weights/embedding",
                              "/weights/conv1_bias/2",
                              "/weights/conv1_weight/0/1/2",
                              "/weights/embedding/17"}) {
    const bool is_text =
        std::string_view(pointer).ends_with("name") || std::string_view(pointer).ends_with("exported") ||
        std::string_view(pointer).ends_with("labels/1") || std::string_view(pointer).ends_with("input_hex") ||
        std::string_view(pointer).starts_with("/frequent_windows/") || std::string_view(pointer) == "/format";
    const Error error = error_in(testing::changed(rich(), pointer, is_text ? Json(17) : text));
    EXPECT_EQ(error.code(), ErrorCode::invalid) << pointer;
    EXPECT_EQ(error.where(), pointer) << describe(error);
  }
  for (const char* whole : {"[]", "null", "3", "\"model\"", "true"})
    EXPECT_EQ(error_in(std::string(whole)).where(), "/");
}

TEST(ModelJsonRefusalTest, RaggedEmptyAndMisshapenArraysAreNamedByTheirPlace) {
  struct Case {
    const char* pointer;
    Json value;
    const char* where;
  };
  for (const Case& c : {
           Case{"/weights/embedding/9", {1.0}, "/weights/embedding/9"},
           Case{"/weights/embedding/9", {1.0, 2.0, 3.0}, "/weights/embedding/9"},
           Case{"/weights/conv1_weight/2/1", {1.0, 2.0}, "/weights/conv1_weight/2/1"},
           Case{"/weights/conv1_weight", Json::array(), "/weights/conv1_weight"},
           Case{"/weights/conv1_weight/0", Json::array(), "/weights/conv1_weight/0"},
           Case{"/weights/conv1_weight", {1.0, 2.0}, "/weights/conv1_weight/0"},
           Case{"/weights/conv1_weight", {{1.0, 2.0}}, "/weights/conv1_weight/0/0"},
           Case{"/weights/conv1_weight", {{{{1.0}}}}, "/weights/conv1_weight/0/0/0"},
           Case{"/weights/conv1_weight", 1.0, "/weights/conv1_weight"},
           Case{"/weights/conv1_bias", {{1.0, 2.0}, {3.0, 4.0}}, "/weights/conv1_bias/0"},
           Case{"/weights/conv1_bias/0", {1.0}, "/weights/conv1_bias/0"},
           Case{"/weights/conv1_bias", {1.0, 2.0}, "/weights/conv1_bias"},
           Case{"/weights/conv1_bias/1", nullptr, "/weights/conv1_bias/1"},
           Case{"/weights/conv1_bias/1", true, "/weights/conv1_bias/1"},
           Case{"/weights/conv1_bias/1", "1.0", "/weights/conv1_bias/1"},
           Case{"/weights/output_weight", {{1.0, 2.0}}, "/weights/output_weight"},
       }) {
    const Error error = error_in(testing::changed(rich(), c.pointer, c.value));
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.where(), c.where) << describe(error);
  }
}

TEST(ModelJsonRefusalTest, StatementsThatContradictTheWeightsAreNamedByTheirPlace) {
  struct Case {
    const char* pointer;
    Json value;
  };
  for (const Case& c : {
           Case{"/architecture/vocab_size", 257},
           Case{"/architecture/embed_dim", 3},
           Case{"/architecture/outputs", 2},
           Case{"/architecture/conv_layers/0/filters", 4},
           Case{"/architecture/conv_layers/0/kernel_size", 2},
           Case{"/architecture/conv_layers/0/groups", 2},
           Case{"/architecture/dense_layers/0/units", 5},
           Case{"/architecture/conv_layers", Json::array({Json::object()})},
           Case{"/architecture/dense_layers", Json::array()},
       }) {
    const Error error = error_in(testing::changed(rich(), c.pointer, c.value));
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.where(), c.pointer) << describe(error);
    EXPECT_FALSE(error.expected().empty()) << describe(error);
    EXPECT_FALSE(error.found().empty()) << describe(error);
  }
  const Error pooling = error_in(testing::changed(rich(), "/architecture/pooling", "concat_avg_max"));
  EXPECT_EQ(pooling.expected(), "6 inputs") << describe(pooling);
  EXPECT_EQ(pooling.found(), "3") << describe(pooling);
}

TEST(ModelJsonRefusalTest, AnArchitectureOutOfRangeIsRefusedThoughTheWeightsFit) {
  EXPECT_EQ(error_in(testing::changed(rich(), "/architecture/conv_layers/1/stride", 2)).where(),
            "/architecture/conv_layers/1/residual");
  EXPECT_EQ(error_in(testing::changed(rich(), "/architecture/pad_token", 256)).where(), "/architecture/pad_token");
  Json few = rich();
  few["weights"]["embedding"].erase(255);
  few["architecture"].erase("vocab_size");
  EXPECT_EQ(error_in(few).where(), "/architecture/vocab_size");
}

TEST(ModelJsonRefusalTest, WeightsGivenTwiceAreRefused) {
  Json both = rich();
  both["embedding"] = both["weights"]["embedding"];
  EXPECT_TRUE(contains(error_in(both).what(), "twice")) << describe(error_in(both));
}

TEST(ModelJsonRefusalTest, DoubledKeysAreRefusedWithTheirPlace) {
  std::string text = rich().dump();
  text.insert(text.find("\"conv1_bias\""), "\"conv1_bias\": [0, 0, 0], ");
  const Error error = error_in(text);
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.where(), "/weights/conv1_bias") << describe(error);
  EXPECT_TRUE(contains(error.what(), "twice")) << describe(error);
  EXPECT_EQ(error_in(std::string(R"({"format": "bytecnn", "format": "bytecnn"})")).where(), "/format");
}

TEST(ModelJsonRefusalTest, NumbersThatNoFiniteFloatHoldsAreNamedByTheirPlace) {
  for (const char* number : {"1e39", "-1e39", "3.5e38", "1e308", "1e999", "-1e999"}) {
    std::string text = testing::changed(rich(), "/weights/conv2_bias/1", "HERE").dump();
    text.replace(text.find("\"HERE\""), 6, number);
    const Error error = error_in(text);
    EXPECT_EQ(error.where(), "/weights/conv2_bias/1") << number << ": " << describe(error);
    EXPECT_TRUE(contains(error.what(), std::string_view(number).substr(number[0] == '-', 2))) << describe(error);
  }
  for (const char* word : {"NaN", "nan", "Infinity", "-Infinity", "0x10", "1.", ".5", "+1", "01"}) {
    std::string text = testing::changed(rich(), "/weights/conv2_bias/1", "HERE").dump();
    text.replace(text.find("\"HERE\""), 6, word);
    EXPECT_EQ(error_in(text).code(), ErrorCode::syntax) << word;
  }
}

TEST(ModelJsonRefusalTest, GoldenInputsAreHexadecimal) {
  for (const char* hex : {"4", "4g", "0x41", " 41", "4 1"}) {
    EXPECT_EQ(error_in(testing::changed(rich(), "/golden/0/input_hex", hex)).where(), "/golden/0/input_hex") << hex;
  }
  const Model model = parse_model(testing::changed(rich(), "/golden/0/input_hex", "00fFAb").dump());
  EXPECT_EQ(model.golden[0].input, testing::bytes({0x00, 0xFF, 0xAB}));
}

TEST(ModelJsonRefusalTest, FrequentWindowsAreRefusedByWhatIsWrongWithThem) {
  struct Case {
    const char* tokens;
    const char* says;
  };
  for (const Case& c : {
           Case{"7468", "a whole number of windows"},
           Case{"74686", "no token at character 4"},
           Case{"74686g", "no token at character 4"},
           Case{"746865-5", "no token at character 6"},
           Case{"0x74 68", "no token at character 0"},
           Case{"746865 ", "no token at character 6"},
           Case{"746865\u00e4", "no token at character 6"},
           Case{"20746874686520746854686520746874686520ff--0000", "a whole number of windows"},
           Case{"2074687468652074680000--", "stands there twice"},
           Case{"------------", "window 1 stands there twice"},
       }) {
    const Error error = error_in(testing::changed(rich(), "/frequent_windows/tokens", c.tokens));
    EXPECT_EQ(error.code(), ErrorCode::invalid) << c.tokens;
    EXPECT_EQ(error.where(), "/frequent_windows/tokens") << describe(error);
    EXPECT_TRUE(contains(error.what(), c.says)) << describe(error);
  }
  EXPECT_EQ(error_in(testing::without(rich(), "/frequent_windows", "tokens")).where(), "/frequent_windows");
  const Json unpadded = testing::changed(rich(), "/architecture/pad_token", nullptr);
  EXPECT_EQ(error_in(testing::changed(unpadded, "/frequent_windows/tokens", "pppp00")).where(),
            "/frequent_windows/tokens");
  // None at all, and as many as may be.
  EXPECT_TRUE(parse_model(testing::without(rich(), "", "frequent_windows").dump()).frequent_windows.tokens.empty());
  EXPECT_TRUE(
      parse_model(testing::changed(rich(), "/frequent_windows/tokens", "").dump()).frequent_windows.tokens.empty());
  Model model = testing::rich_model();
  model.frequent_windows.tokens.clear();
  for (std::uint32_t i = 0; i < ModelLimits::max_frequent_windows; ++i) {
    model.frequent_windows.tokens.insert(model.frequent_windows.tokens.end(), {i / 256, i % 256, 'x'});
  }
  EXPECT_EQ(parse_model(to_json(model)).frequent_windows.tokens, model.frequent_windows.tokens);
  std::string many = testing::document_of(model).at("frequent_windows").at("tokens");
  many += "010203";
  const Error error = error_in(testing::changed(rich(), "/frequent_windows/tokens", many));
  EXPECT_EQ(error.code(), ErrorCode::limit);
  EXPECT_EQ(error.found(), "65537") << describe(error);
}

TEST(ModelJsonRefusalTest, AnotherFormatAndAnotherVersionAreToldApart) {
  const Error format = error_in(testing::changed(rich(), "/format", "onnx"));
  EXPECT_EQ(format.where(), "/format");
  EXPECT_EQ(format.code(), ErrorCode::invalid);
  for (const Json& version : {Json(2), Json(0), Json(-1), Json("1"), Json(1.5), Json(nullptr)}) {
    const Error error = error_in(testing::changed(rich(), "/format_version", version));
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << version;
    EXPECT_EQ(error.where(), "/format_version");
  }
}

TEST(ModelJsonRefusalTest, DeepNestingIsRefusedWithoutRecursion) {
  const std::size_t deep = 2'000'000;
  for (const std::string& text :
       {std::string(deep, '['), std::string(deep, '[') + std::string(deep, ']'),
        "{\"model_info\": {\"x\": " + std::string(200, '[') + std::string(200, ']') + "}}",
        "{\"weights\": {\"embedding\": " + std::string(deep, '[') + "1" + std::string(deep, ']') + "}}"}) {
    EXPECT_EQ(error_in(text).code(), ErrorCode::limit) << text.substr(0, 40);
  }
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(error_in(objects).code(), ErrorCode::limit);
}

TEST(ModelJsonRefusalTest, EveryPrefixOfAModelIsAnError) {
  const std::string text = testing::document_of(testing::rich_model()).dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    const Error error = error_in(text.substr(0, length));
    ASSERT_EQ(error.code(), ErrorCode::syntax) << length << " bytes: " << describe(error);
    ASSERT_TRUE(contains(error.what(), "line 1, column ")) << describe(error);
  }
}

TEST(ModelJsonRefusalTest, EveryByteSpoiledIsAnErrorOrAModel) {
  const std::string text = rich().dump();
  std::size_t refused = 0;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    for (const char byte : {'\0', '"', '9', '[', '\xFF'}) {
      std::string spoiled = text;
      spoiled[at] = byte;
      try {
        static_cast<void>(parse_model(spoiled));
      } catch (const Error& error) {
        ASSERT_FALSE(std::string(error.what()).empty());
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, text.size() / 2);
}

TEST(ModelJsonRefusalTest, SyntaxErrorsNameLineAndColumn) {
  struct Case {
    const char* text;
    const char* place;
  };
  for (const Case& c : {Case{"", "line 1, column 1"}, Case{"{\n  \"a\": 1,\n  \"b\": @\n}", "line 3, column 8"},
                        Case{"{\"a\": 1} x", "line 1, column 10"}, Case{"{'a': 1}", "line 1, column 2"},
                        Case{"[1,\n2,\n]", "line 3, column 1"}, Case{"{\"a\": 1 // no\n}", "line 1, column 9"}}) {
    const Error error = error_in(std::string(c.text));
    EXPECT_EQ(error.code(), ErrorCode::syntax);
    EXPECT_TRUE(contains(error.what(), c.place)) << c.text << ": " << describe(error);
  }
}

TEST(ModelJsonRefusalTest, BadUtf8IsASyntaxError) {
  EXPECT_EQ(error_in(std::string("{\"model_info\": {\"name\": \"\xC3\x28\"}}")).code(), ErrorCode::syntax);
}

}  // namespace
}  // namespace bytecnn

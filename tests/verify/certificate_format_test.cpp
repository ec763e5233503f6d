// What certificates are made of: hashes, hexadecimal digits, fingerprints and the seal.

#include <functional>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "certificate/certificate_file.hpp"
#include "certificate/hexadecimal.hpp"
#include "certificate/model_fingerprint.hpp"
#include "certificate/sha256.hpp"
#include "random_original.hpp"
#include "verify/certificate.hpp"

namespace bytecnn::exporter::testing {
namespace {

// https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
TEST(Sha256, GivesThePublishedValues) {
  EXPECT_EQ(sha256(std::string_view()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(std::string_view("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(std::string_view("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hexadecimal, GoesThereAndBack) {
  std::vector<std::byte> all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
  const std::string digits = to_hexadecimal(all);
  EXPECT_EQ(digits.substr(0, 8), "00010203");
  EXPECT_EQ(from_hexadecimal(digits), all);
  EXPECT_EQ(from_hexadecimal("aBfF"), (std::vector{std::byte{0xAB}, std::byte{0xFF}}));
  EXPECT_EQ(from_hexadecimal(""), std::vector<std::byte>());
  EXPECT_FALSE(from_hexadecimal("4"));
  EXPECT_FALSE(from_hexadecimal("4g"));
  EXPECT_FALSE(from_hexadecimal("4 "));
}

std::vector<std::string> differences_after(const std::function<void(Model&)>& change) {
  const Model model = fold(two_layer_original(3));
  Model other = model;
  change(other);
  return fingerprint_differences(fingerprint(model), fingerprint(other));
}

TEST(ModelFingerprint, IsTheSameForWhatComputesTheSame) {
  EXPECT_TRUE(differences_after([](Model& m) {
                m.info.name = "another";
                m.info.version = "7";
                m.info.accuracy = 0.5;
                m.golden.push_back({{}, {1.0}});
              }).empty());
  EXPECT_TRUE(differences_after([](Model& m) { m.info.exported = "later"; }).empty());
}

TEST(ModelFingerprint, NamesTheRowThatWasChanged) {
  using Sentences = std::vector<std::string>;
  EXPECT_EQ(differences_after([](Model& m) { m.weights.conv[1].weight[3 * 8 * 4 + 5] *= 1.0000002F; }),
            Sentences{"conv2_weight[3] holds other numbers (1 of 10 rows differ)"});
  EXPECT_EQ(differences_after([](Model& m) { m.weights.embedding[65 * 6] += 1; }),
            Sentences{"embedding[65] holds other numbers (1 of 256 rows differ)"});
  EXPECT_EQ(differences_after([](Model& m) { m.weights.output.bias[0] += 1; }),
            Sentences{"output_bias[0] holds another number (1 of 1 rows differ)"});
  EXPECT_EQ(differences_after([](Model& m) {
              for (auto& weight : m.weights.dense[0].weight) weight *= 2;
            }),
            Sentences{"classifier_weight[0] holds other numbers (7 of 7 rows differ)"});
}

TEST(ModelFingerprint, NamesWhatElseDecides) {
  using Sentences = std::vector<std::string>;
  EXPECT_EQ(differences_after([](Model& m) { m.architecture.pad_token.reset(); }),
            Sentences{"pad_token: 0 when it was certified, none now"});
  EXPECT_EQ(differences_after([](Model& m) { m.info.threshold = 0.25; }),
            Sentences{"threshold: none when it was certified, 0.25 now"});
  EXPECT_EQ(differences_after([](Model& m) {
              m.info.labels = {"a", "b"};
            }),
            Sentences{"labels: [] when it was certified, [\"a\",\"b\"] now"});
  const auto shorter = differences_after([](Model& m) {
    m.architecture.conv_layers.pop_back();
    m.weights.conv.pop_back();
  });
  EXPECT_EQ(shorter.front(), "conv layers: 2 when it was certified, 1 now");
  EXPECT_EQ(shorter.back(), "conv2_bias is gone");
}

TEST(CertificateSeal, DependsOnEveryNumberAndNotOnWhiteSpace) {
  const std::string seal = certificate_seal(R"({"a": 1, "b": [0.5, "x"]})");
  EXPECT_EQ(seal, certificate_seal("{\"a\":1,\n \"b\":[0.50,\"x\"]}"));
  EXPECT_EQ(seal, certificate_seal(R"({"a": 1, "b": [0.5, "x"], "seal": "anything"})"));
  EXPECT_NE(seal, certificate_seal(R"({"a": 1, "b": [0.5, "y"]})"));
  EXPECT_NE(seal, certificate_seal(R"({"a": 2, "b": [0.5, "x"]})"));
  EXPECT_THROW(static_cast<void>(certificate_seal("[]")), Error);
}

VerifyReport small_report() {
  VerifyReport report;
  report.passed = true;
  report.scale = 2;
  report.input_names = {"empty", "a"};
  report.torch_version = "libtorch 1.13.1";
  for (const char* name : {"weights", "fold", "engine sse2"}) {
    StageReport stage;
    stage.name = name;
    stage.inputs = 2;
    stage.tolerance = 1e-5;
    stage.worst = 1e-7;
    stage.passed = true;
    report.stages.push_back(stage);
  }
  report.cases = {{{"because"}, 1, Bytes{std::byte{0x61}}, {0.1 + 0.2}}, {{"too short"}, 0, {}, {}}};
  return report;
}

TEST(Certificate, IsReadAsItWasWritten) {
  const Original original = two_layer_original(3);
  const Model model = fold(original);
  const std::string text =
      certificate({"a/model.pth", "12", "state_dict", "b/model.json", "34"}, original, model, small_report());
  const Certificate read = parse_certificate(text);
  EXPECT_TRUE(read.passed);
  EXPECT_EQ(read.checkpoint.name, "model.pth");
  EXPECT_EQ(read.model.sha256, "34");
  EXPECT_EQ(read.instruction_sets, std::vector<std::string>{"sse2"});
  EXPECT_EQ(read.engine_tolerance(), 1e-5);
  ASSERT_EQ(read.cases.size(), 2U);
  EXPECT_EQ(read.cases[0].input, Bytes{std::byte{0x61}});
  EXPECT_EQ(read.cases[0].logits, std::vector<double>{0.1 + 0.2});
  EXPECT_TRUE(read.cases[1].logits.empty());
  EXPECT_TRUE(fingerprint_differences(read.fingerprint, fingerprint(model)).empty());
}

TEST(Certificate, SurvivesNamesThatAreNotUtf8) {
  const Original original = two_layer_original(3);
  Model model = fold(original);
  model.info.name = "caf\xE9 <script>";
  const std::string text =
      certificate({"\xFF.pth", "12", "state_dict", "b.json", "34"}, original, model, small_report());
  EXPECT_TRUE(parse_certificate(text).passed);
}

TEST(Certificate, ThatWasAlteredAnywhereIsRefused) {
  const Original original = two_layer_original(3);
  const std::string text =
      certificate({"a.pth", "12", "state_dict", "b.json", "34"}, original, fold(original), small_report());
  std::size_t refused = 0;
  for (std::size_t place = text.find('1'); place != std::string::npos; place = text.find('1', place + 1)) {
    std::string altered = text;
    altered[place] = '2';
    EXPECT_THROW(static_cast<void>(parse_certificate(altered)), Error) << text.substr(place > 20 ? place - 20 : 0, 40);
    ++refused;
  }
  EXPECT_GT(refused, 50U);
}

}  // namespace
}  // namespace bytecnn::exporter::testing

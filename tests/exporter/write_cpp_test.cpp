// The C++ header export: this file compiles the headers of all samples, which then must give back the same models.

#include <span>

#include <gtest/gtest.h>

#include "bytecnn/model_json.hpp"
#include "bytecnn/reference.hpp"

#include "sample_headers.hpp"
#include "sample_models.hpp"

namespace bytecnn::exporter::testing {
namespace {

TEST(CppExport, GivesBackTheModelBitForBit) {
  const std::vector<Sample> samples = sample_models();
  const std::vector<Model> compiled = models_of_headers();
  ASSERT_EQ(compiled.size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    // The model file's text holds everything, each float exactly.
    EXPECT_EQ(to_json(compiled[i]), to_json(samples[i].model)) << samples[i].stem;
    EXPECT_EQ(compiled[i].architecture, samples[i].model.architecture) << samples[i].stem;
  }
}

TEST(CppExport, ComputesWhatTheModelComputes) {
  const std::vector<Sample> samples = sample_models();
  const std::vector<Model> compiled = models_of_headers();
  const std::string text = "some text";
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(reference_logits(compiled[i], std::as_bytes(std::span(text))),
              reference_logits(samples[i].model, std::as_bytes(std::span(text))));
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing

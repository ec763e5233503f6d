// Five lines to a classification.
//   classify_text models/language/language.json "Der Zug kommt um neun."
#include <iostream>

#include <bytecnn/classifier.hpp>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto classifier = bytecnn::Classifier::load(argv[1]);
  const bytecnn::Result result = classifier.classify(argv[2]);
  std::cout << classifier.label_name(result) << ' ' << result.score << '\n';
}

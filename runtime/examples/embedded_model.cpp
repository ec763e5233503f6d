// A classifier without files: the model is a C++ header, written by
//   bytecnn export language.pth --architecture architecture.json --labels @labels.txt --format cpp
//   embedded_model "Der Zug kommt um neun."
#include <iostream>

#include <bytecnn/classifier.hpp>

#include "language.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const bytecnn::Classifier classifier(language_model::model());
  const bytecnn::Result result = classifier.classify(argv[1]);
  std::cout << classifier.label_name(result) << ' ' << result.score << '\n';
}

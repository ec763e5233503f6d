// Classifies what arrives on a socket while it arrives: every piece is answered by the label of all bytes so far.
//   socket_stream models/language/language.json 7000 &
//   (echo Der; sleep 1; echo Zug kommt um neun.) | nc -N 127.0.0.1 7000
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <bytecnn/classifier.hpp>
#include <bytecnn/stream.hpp>

#include "loopback.hpp"

namespace {

void answer(Socket connection, const bytecnn::Classifier& classifier) {
  // Windows, so that a connection may send as much as it likes; the memory does not depend on it.
  bytecnn::Stream stream(classifier, bytecnn::Strategy::average);
  for (std::string_view piece = connection.receive(); !piece.empty(); piece = connection.receive()) {
    stream.push(piece);
    const bytecnn::Result result = stream.classify();
    connection.send(std::to_string(stream.size()) + ' ' + std::string(classifier.label_name(result)) + ' ' +
                    std::to_string(result.score) + '\n');
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: socket_stream MODEL PORT   (0: a free port)\n";
    return 2;
  }
  try {
    const auto classifier = bytecnn::Classifier::load(argv[1]);
    const Socket server = Socket::listen_on(static_cast<std::uint16_t>(std::stoi(argv[2])));
    std::cout << "listening on " << server.port() << std::endl;
    while (true) {
      std::jthread([connection = server.accepted(), classifier]() mutable {
        answer(std::move(connection), classifier);
      }).detach();
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

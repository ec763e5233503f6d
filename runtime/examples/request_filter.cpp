// A filter before a web server: requests whose target and body look like LABEL are refused, all others are passed on.
//   request_filter MODEL LABEL LEAST_SCORE PORT UPSTREAM_PORT
// One request a connection, on the loopback interface; a classification costs microseconds and takes no lock, so every
// connection's thread uses the one classifier.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include <bytecnn/classifier.hpp>
#include <bytecnn/stream.hpp>

#include "loopback.hpp"

namespace {

constexpr std::size_t largest_request = std::size_t{1} << 20U;
constexpr std::string_view end_of_head = "\r\n\r\n";

struct Filter {
  bytecnn::Classifier classifier;
  std::string label;
  float least_score;
  std::uint16_t upstream;
};

/// The length that the request's head states, or 0.
std::size_t content_length(std::string_view head) {
  std::string lower(head);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view name = "\r\ncontent-length:";
  const std::size_t at = lower.find(name);
  if (at == std::string::npos) return 0;
  const std::size_t digits = lower.find_first_not_of(' ', at + name.size());
  std::size_t length = 0;
  if (digits != std::string::npos) std::from_chars(&lower[digits], lower.data() + lower.size(), length);
  return std::min(length, largest_request);
}

/// Head and body; empty where the client has gone or sends too much.
std::string read_request(Socket& client) {
  std::string request;
  std::size_t wanted = largest_request;
  while (request.size() < wanted) {
    const std::string_view piece = client.receive();
    if (piece.empty() || request.size() + piece.size() > largest_request) return {};
    request += piece;
    const std::size_t head = request.find(end_of_head);
    if (head != std::string::npos) wanted = head + end_of_head.size() + content_length({request.data(), head});
  }
  return request;
}

/// What is classified: "GET /target HTTP/1.1" and the body, without the headers between them.
std::string suspicious_part(const std::string& request) {
  const std::size_t body = request.find(end_of_head) + end_of_head.size();
  return request.substr(0, request.find("\r\n")) + '\n' + request.substr(body);
}

void pass_on(const std::string& request, const Socket& client, std::uint16_t port) {
  Socket server = Socket::connected_to(port);
  server.send(request);
  server.finish_sending();
  for (std::string_view piece = server.receive(); !piece.empty(); piece = server.receive()) client.send(piece);
}

void handle(Socket client, const Filter& filter) {
  const std::string request = read_request(client);
  if (request.empty()) return;
  const bytecnn::Result result = classify(filter.classifier, suspicious_part(request), bytecnn::Strategy::max);
  if (result.score >= filter.least_score && filter.classifier.label_name(result) == filter.label) {
    client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  try {
    pass_on(request, client, filter.upstream);
  } catch (const std::system_error&) {
    client.send("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: request_filter MODEL LABEL LEAST_SCORE PORT UPSTREAM_PORT   (PORT 0: a free port)\n";
    return 2;
  }
  try {
    const Filter filter{bytecnn::Classifier::load(argv[1]), argv[2], std::stof(argv[3]),
                        static_cast<std::uint16_t>(std::stoi(argv[5]))};
    const Socket server = Socket::listen_on(static_cast<std::uint16_t>(std::stoi(argv[4])));
    std::cout << "listening on " << server.port() << std::endl;
    while (true) {
      std::jthread([client = server.accepted(), &filter]() mutable { handle(std::move(client), filter); }).detach();
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}

// Computes answers to handshakes when a test says so.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "ctrl/protocol/answer.h"

namespace wirelay::test {

class LateAnswerer : public ctrl::Answerer {
 public:
  bool submit(std::unique_ptr<ctrl::Answer>& answer) override {
    if (waiting.size() >= most) return false;
    waiting.push_back(std::move(answer));
    if (!late) compute();
    return true;
  }
  std::unique_ptr<ctrl::Answer> take() override {
    if (computed.empty()) return nullptr;
    auto answer = std::move(computed.front());
    computed.pop_front();
    return answer;
  }
  void compute() {
    ctrl::compute_answers(waiting);
    for (auto& answer : waiting) computed.push_back(std::move(answer));
    waiting.clear();
  }
  bool late = true;  // false: at once
  size_t most = 1000;
  std::vector<std::unique_ptr<ctrl::Answer>> waiting;
  std::deque<std::unique_ptr<ctrl::Answer>> computed;
};

}  // namespace wirelay::test

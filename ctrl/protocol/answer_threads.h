// Threads that compute answers to handshakes beside the control thread: each those that wait,
// kHandshakesAtOnce at most together, and a lone one at once. They see nothing but the answers: no
// table, no session, no packet.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "ctrl/protocol/answer.h"

namespace wirelay::ctrl {

class AnswerThreads : public Answerer {
 public:
  /// `answer_ns`: what computing one takes. `wake` is called on any of the threads when there is
  /// something to take again; it neither waits nor throws. Throws std::system_error when there are
  /// not so many threads to be had.
  AnswerThreads(unsigned threads, uint64_t answer_ns, std::function<void()> wake);
  /// What is not computed is forgotten.
  ~AnswerThreads() override;

  bool submit(std::unique_ptr<Answer>& answer) override;
  std::unique_ptr<Answer> take() override;

 private:
  void serve(const std::stop_token& stop);

  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::unique_ptr<Answer> answer;
    Clock::time_point since;
  };

  const size_t most_;  // that may wait
  const std::function<void()> wake_;
  std::mutex mutex_;  // for the two below
  std::deque<Waiting> waiting_;
  std::deque<std::unique_ptr<Answer>> computed_;
  std::condition_variable_any changed_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace wirelay::ctrl

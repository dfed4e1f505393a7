// Threads that compute answers to handshakes beside the control thread. They see nothing but the
// answers: no table, no session, no packet.
#pragma once

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
  /// `wake` is called on any of the threads when there is something to take again; it neither waits
  /// nor throws. Throws std::system_error when there are not so many threads to be had.
  AnswerThreads(unsigned threads, std::function<void()> wake);
  /// What is not computed is forgotten.
  ~AnswerThreads() override;

  void submit(std::unique_ptr<Answer> answer) override;
  std::unique_ptr<Answer> take() override;

 private:
  void serve(const std::stop_token& stop);

  const std::function<void()> wake_;
  std::mutex mutex_;  // for the two below
  std::deque<std::unique_ptr<Answer>> waiting_, computed_;
  std::condition_variable_any changed_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace wirelay::ctrl

// Two queues and who works from one to the other.
#include "ctrl/protocol/answer_threads.h"

#include <utility>

#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Behind workers and control, before all else.
constexpr int kNice = 5;

}  // namespace

AnswerThreads::AnswerThreads(unsigned threads, std::function<void()> wake)
    : wake_(std::move(wake)) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { serve(stop); });
  }
}

AnswerThreads::~AnswerThreads() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void AnswerThreads::submit(std::unique_ptr<Answer> answer) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
  }
  changed_.notify_one();
}

std::unique_ptr<Answer> AnswerThreads::take() {
  const std::lock_guard lock(mutex_);
  if (computed_.empty()) return nullptr;
  std::unique_ptr<Answer> answer = std::move(computed_.front());
  computed_.pop_front();
  return answer;
}

void AnswerThreads::serve(const std::stop_token& stop) {
  become_side_thread("handshakes", kNice);
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
    std::unique_ptr<Answer> answer = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    answer->compute();
    lock.lock();
    computed_.push_back(std::move(answer));
    if (computed_.size() == 1) wake_();  // the others are taken with it
  }
}

}  // namespace wirelay::ctrl

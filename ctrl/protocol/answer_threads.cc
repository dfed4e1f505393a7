// Two queues and who works from one to the other.
#include "ctrl/protocol/answer_threads.h"

#include <algorithm>
#include <utility>

#include "ctrl/host/side_thread.h"

namespace wirelay::ctrl {

namespace {

/// Behind workers and control, before all else.
constexpr int kAnswerNice = 5;

/// A client asks again after 5 s and forgets what it asked before. What waits is what the threads
/// can compute in a quarter of a second; where others keep them from it, it is given up after a
/// second: so that however many ask, those who are answered are still there.
constexpr uint64_t kMostWaitingNs = 250'000'000;
constexpr size_t kLeastWaiting = 16;
constexpr std::chrono::seconds kLate(1);

}  // namespace

AnswerThreads::AnswerThreads(unsigned threads, uint64_t answer_ns, std::function<void()> wake)
    : most_(std::max(kLeastWaiting, threads * kMostWaitingNs / answer_ns)), wake_(std::move(wake)) {
  for (unsigned i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { serve(stop); });
  }
}

AnswerThreads::~AnswerThreads() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

bool AnswerThreads::submit(std::unique_ptr<Answer>& answer) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= most_) return false;
    waiting_.push_back({std::move(answer), Clock::now()});
  }
  changed_.notify_one();
  return true;
}

std::unique_ptr<Answer> AnswerThreads::take() {
  const std::lock_guard lock(mutex_);
  if (computed_.empty()) return nullptr;
  std::unique_ptr<Answer> answer = std::move(computed_.front());
  computed_.pop_front();
  return answer;
}

void AnswerThreads::serve(const std::stop_token& stop) {
  become_side_thread("handshakes", kAnswerNice);
  std::unique_lock lock(mutex_);
  std::vector<std::unique_ptr<Answer>> together;
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty(); }) &&
         !stop.stop_requested()) {
    const auto now = Clock::now();
    while (!waiting_.empty() && together.size() < crypto::kHandshakesAtOnce) {
      Waiting& next = waiting_.front();
      next.answer->late = now - next.since > kLate;
      together.push_back(std::move(next.answer));
      waiting_.pop_front();
    }
    lock.unlock();
    compute_answers(together);
    lock.lock();
    const bool was_empty = computed_.empty();
    for (auto& answer : together) computed_.push_back(std::move(answer));
    together.clear();
    if (was_empty) wake_();  // the others are taken with it
  }
}

}  // namespace wirelay::ctrl

// Round robin.
#include "ctrl/host/agenda.h"

#include <utility>

namespace wirelay::ctrl {

void Agenda::run(const Slice& slice) {
  while (!waiting_.empty()) {
    Work work = std::move(waiting_.front());
    waiting_.pop_front();
    if (!work(slice)) waiting_.push_back(std::move(work));
    if (slice.over()) return;
  }
}

}  // namespace wirelay::ctrl

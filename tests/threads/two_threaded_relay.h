// A relay without a data path that has a control thread of its own.
#pragma once

#include <utility>

#include "ctrl/host/loop_thread.h"
#include "tests/support/fake_relay.h"

namespace wirelay::ctrl {

/// Answers on its control thread, as the relay does.
class TwoThreadedRelay : public test::FakeRelay {
 public:
  void collect(Work work) override {
    control_.post([this, work = std::move(work)] { FakeRelay::collect(work); });
  }
  void change(ChangeRequest request, Door::Done done) override {
    control_.post([this, request = std::move(request), done = std::move(done)] {
      FakeRelay::change(request, done);
    });
  }

 private:
  EventLoop control_;
  LoopThread thread_{control_, "control"};
};

}  // namespace wirelay::ctrl

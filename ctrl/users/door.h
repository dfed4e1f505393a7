// The one door for changes of users and peers: from the API, a reload, or what else will come. A
// request is
//
//   prepared    checked against all that stands; nothing is visible yet             door's thread
//   kept        by the journal, which may put it on disk                            door's thread
//   told        entered into registry, tables and protocol, in order, in slices     control thread
//
// or undone as a whole. What waits when the door's thread comes is prepared one on the other, and
// kept together. While that goes on the registry stands still, and both threads read it without a
// lock; while a request is told, the door's thread waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "ctrl/host/agenda.h"
#include "ctrl/host/event_loop.h"
#include "ctrl/users/passage.h"

namespace wirelay::ctrl {

class Door {
 public:
  /// Begins its thread. All of these outlive the door; `journal` may be null. Throws
  /// std::system_error when there is no thread to be had.
  Door(Registry& registry, ChangeObserver& observer, EventLoop& loop, Agenda& agenda,
       Journal* journal = nullptr);
  /// On the control thread, when its loop has ended. The request under way is given up, those
  /// behind it are forgotten: their `done` is not called.
  ~Door();
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  /// On the door's thread: hands the outcome on, without waiting or throwing.
  using Done = std::function<void(ChangeOutcome outcome)>;
  /// Any thread. Requests pass in the order in which they come.
  void submit(ChangeRequest request, Done done);

 private:
  struct Entry {
    ChangeRequest request;
    Done done;
  };
  void serve(const std::stop_token& stop);
  /// Of what waits, the first and those that can be kept with it. Waits for one; none: to the end.
  std::vector<Entry> take(const std::stop_token& stop);
  bool tell(Telling& telling, const std::stop_token& stop);

  Registry& registry_;
  ChangeObserver& observer_;
  EventLoop& loop_;
  Agenda& agenda_;
  Journal* const journal_;
  std::mutex mutex_;  // for the three below
  std::condition_variable_any changed_;
  std::deque<Entry> waiting_;
  bool told_ = false;    // of the request under way
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace wirelay::ctrl

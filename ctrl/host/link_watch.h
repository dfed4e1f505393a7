// Whether ports have a link: heard from drivers that tell of changes, and looked at once a second
// for those that do not. Of an interface that is the kernel's the kernel is asked, for af_packet's
// driver says that its link is up for as long as it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/dataplane.h"

namespace wirelay::ctrl {

/// Control thread.
class LinkWatch {
 public:
  struct Watched {
    uint16_t port;                         // DPDK port number
    std::optional<std::string> interface;  // of the kernel
  };
  using OnChange = std::function<void(uint16_t port, bool up)>;

  /// `on_change` hears of each port that has a link, or has it no longer.
  LinkWatch(dataplane::Shared& shared, const std::vector<Watched>& ports, OnChange on_change);
  ~LinkWatch();
  LinkWatch(const LinkWatch&) = delete;
  LinkWatch& operator=(const LinkWatch&) = delete;

  /// Looks when a driver has told of a change, or a second after the last time; tells workers, the
  /// log and `on_change`. Throws std::runtime_error when an interface was deleted and made anew:
  /// its port is tied to the one that is no more, so that the relay has to start again.
  void turn(uint64_t now_ns);

 private:
  struct Link {
    Watched of;
    unsigned index = 0;  // of the interface at start
    bool up = false, gone = false;
  };
  void look(Link& link);
  void set(Link& link, bool up);
  [[nodiscard]] bool is_up(Link& link);

  dataplane::Shared& shared_;
  const OnChange on_change_;
  std::vector<Link> links_;
  uint64_t next_ns_ = 0;
  std::atomic<bool> changed_{true};  // written by DPDK's interrupt thread
};

}  // namespace wirelay::ctrl

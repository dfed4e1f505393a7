// NAT44 on the control thread: gives blocks of ports to users whose packets wait for one, takes
// back what is idle, and tells of both (docs/nat.md).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "ctrl/nat/status.h"
#include "dataplane/dataplane.h"
#include "dataplane/tables/nat_writer.h"

namespace wirelay::ctrl {

class NatDesk {
 public:
  /// `shared` has NAT. `tell` hears of each block that is given and taken back.
  NatDesk(dataplane::Shared& shared, dataplane::NatWriter::Tell tell)
      : shared_(shared), writer_(*shared.nat, shared.rcu, std::move(tell)) {}

  /// A packet whose user lacks a port. It goes to the worker that the user's mappings are of, or
  /// back to where it came from, for its sender to be told.
  void handle(const dataplane::Punt& punt);
  /// Takes what may change while it runs: what a user may have, and rules.
  void adopt(const dataplane::NatLimits& each,
             std::shared_ptr<const dataplane::NatStatics> statics) {
    shared_.nat->set_limits(each);
    writer_.set_statics(std::move(statics));
  }
  void remove_user(uint32_t number) { writer_.remove_user(number); }
  /// Call every 10 ms or so.
  void tick(uint64_t now_ns);

  /// What the desk knows of it; without what the configuration and the workers do.
  [[nodiscard]] NatStatus status() const;
  /// A block, where a user has it; the user's name is left out.
  [[nodiscard]] std::optional<NatBlockStatus> block(uint32_t number) const;
  [[nodiscard]] NatUse use(uint32_t user) const noexcept;

 private:
  void refuse(const dataplane::Punt& punt, dataplane::Drop reason);

  dataplane::Shared& shared_;
  dataplane::NatWriter writer_;
  uint64_t lost_ = 0;
};

}  // namespace wirelay::ctrl

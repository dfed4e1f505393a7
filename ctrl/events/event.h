// What happens on a relay and an operator may want to hear of: a kind, who it is about, and fields
// as plain data. Whoever tells of one does so on the control thread, through a Sink; what it looks
// like to others is made elsewhere (render.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dataplane/ip.h"

namespace wirelay::ctrl::events {

enum class Kind : uint8_t {
  kStarted,
  kConnected,
  kDisconnected,
  kRoamed,
  kRefused,
  kSharedKey,
  kQuota,
  kExpiry,
  kChange,
  kLink,
  kGateway,
  kDraining,
  kNatBlock,
  kLost,
  kCount
};

struct KindInfo {
  Kind kind;
  std::string_view name;  // stable
  std::string_view text;  // for people
  std::string_view fields;
};
inline constexpr std::array kKinds = {
    KindInfo{Kind::kStarted, "started", "the relay has started", "version"},
    KindInfo{Kind::kConnected, "connected", "a peer without a session has one", "endpoint"},
    KindInfo{Kind::kDisconnected, "disconnected", "a peer has no session any more",
             "reason, seconds, rx_bytes, tx_bytes"},
    KindInfo{Kind::kRoamed, "roamed", "a connected peer is heard from another address",
             "from, to, times"},
    KindInfo{Kind::kRefused, "refused", "a handshake was refused", "reason, from, times"},
    KindInfo{Kind::kSharedKey, "shared_key", "a key is used from two addresses in turn",
             "from, and"},
    KindInfo{Kind::kQuota, "quota", "a user has used part of its quota, or all of it",
             "percent, used, bytes"},
    KindInfo{Kind::kExpiry, "expiry", "a user has expired, or is there again", "state, expires"},
    KindInfo{Kind::kChange, "change", "a user or peer was added, changed, renamed or removed",
             "request, origin, uid, gid, pid, change, before, after, more"},
    KindInfo{Kind::kLink, "link", "a port has a link, or has lost it", "port, state"},
    KindInfo{Kind::kGateway, "gateway", "a gateway does not answer, or answers again",
             "port, address, state"},
    KindInfo{Kind::kDraining, "draining", "the relay takes no new sessions, and will end",
             "connected, seconds"},
    KindInfo{Kind::kNatBlock, "nat_block", "a user got or lost a block of public ports",
             "state, address, first_port, last_port, inside"},
    KindInfo{Kind::kLost, "lost", "events that whoever reads this does not get", "events"},
};
static_assert([] {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i].kind != static_cast<Kind>(i)) return false;
  }
  return kKinds.size() == static_cast<size_t>(Kind::kCount);
}());
constexpr const KindInfo& info(Kind kind) noexcept { return kKinds[static_cast<size_t>(kind)]; }

/// JSON on one line, as it will be shown.
struct JsonText {
  std::string text;
};
/// A string_view is of a text that lives as long as the program.
using Value = std::variant<uint64_t, std::string_view, std::string, dataplane::Endpoint, JsonText>;

/// Names are those of the kind's list.
struct Field {
  std::string_view name;
  Value value;
};

struct Event {
  Kind kind = Kind::kLost;
  std::string user = {}, peer = {};  // names at that time; "": it is about none
  std::vector<Field> fields = {};
  // The outbox's to fill in.
  uint64_t number = 0;   // each greater than the one before, over restarts too
  uint64_t unix_ns = 0;  // to a turn of the control thread
};
using EventRef = std::shared_ptr<const Event>;

/// Where events are told. Control thread; costs a microsecond or two.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void tell(Event event) = 0;
};

}  // namespace wirelay::ctrl::events

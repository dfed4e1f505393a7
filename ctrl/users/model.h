// Users and peers as the operator describes them: what configuration, API and export share.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/keys.h"
#include "ctrl/base/peer_fields.h"
#include "ctrl/base/user_fields.h"
#include "dataplane/ip.h"
#include "dataplane/tables/nat.h"
#include "dataplane/tables/user.h"

namespace wirelay::ctrl {

/// For tables by a peer's key.
struct KeyHash {
  size_t operator()(const crypto::PublicKey& key) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(key.data()), key.size()});
  }
};

/// Who made a record, and whose it is: a reload touches the file's only.
enum class Origin : uint8_t { kFile, kApi };
/// "file" or "api".
constexpr std::string_view text_of(Origin origin) noexcept {
  return origin == Origin::kFile ? "file" : "api";
}

/// What a user's fields hold, by UserField (ctrl/base/user_fields.h tells what each is).
class UserValues {
 public:
  /// As they are when nothing is named.
  constexpr UserValues() {
    for (size_t i = 0; i < kUserFieldCount; ++i) values_[i] = kUserFields[i].value;
  }
  uint64_t& operator[](UserField field) noexcept { return values_[static_cast<size_t>(field)]; }
  uint64_t operator[](UserField field) const noexcept {
    return values_[static_cast<size_t>(field)];
  }
  bool operator==(const UserValues&) const = default;

 private:
  std::array<uint64_t, kUserFieldCount> values_{};
};

/// How many of a user's peers may be connected at once, and what becomes of one more.
struct SessionRules {
  uint64_t most = 0;     // 0: any number
  bool replace = false;  // it takes the place of the one that is connected longest; else: refused
};

/// A name: 1 to 64 of letters, digits and ". _ - @ +". Unique among users, or among peers.
struct UserSpec {
  std::string name;
  UserValues values;
  Origin origin = Origin::kApi;
  uint64_t id = 0;  // the user's for ever, whatever its name; given when it is added. 0: not yet

  [[nodiscard]] dataplane::UserLimits limits() const noexcept {
    using F = UserField;
    return {.up = {values[F::kUpRate], values[F::kUpBurst], values[F::kUpPackets]},
            .down = {values[F::kDownRate], values[F::kDownBurst], values[F::kDownPackets]}};
  }
  [[nodiscard]] dataplane::QuotaLimits quota() const noexcept {
    using F = UserField;
    const bool throttled = values[F::kQuotaEnd] == kThrottleAtEnd;
    return {.bytes = values[F::kQuotaBytes],
            .counts = static_cast<dataplane::QuotaCounts>(values[F::kQuotaCounts]),
            .throttle_bits = throttled ? values[F::kQuotaRate] : 0};
  }
  [[nodiscard]] SessionRules session_rules() const noexcept {
    return {.most = values[UserField::kMaxSessions],
            .replace = values[UserField::kOnExcess] == kReplaceOldest};
  }
  /// 0: as the configuration has it for all.
  [[nodiscard]] dataplane::NatLimits nat_limits() const noexcept {
    return {.blocks = static_cast<uint32_t>(values[UserField::kNatBlocks]),
            .flows = static_cast<uint32_t>(values[UserField::kNatFlows])};
  }
  [[nodiscard]] uint64_t group() const noexcept { return values[UserField::kGroup]; }
  /// 0: no limit.
  [[nodiscard]] uint64_t max_peers() const noexcept { return values[UserField::kMaxPeers]; }
  /// A disabled user's peers neither shake hands nor carry packets.
  [[nodiscard]] bool enabled() const noexcept { return values[UserField::kEnabled] != 0; }
};

/// Of one peer: so many are entered into the tables in about 3 ms, at once.
inline constexpr size_t kMostAllowedIps = 4096;

/// What a peer's fields hold (ctrl/base/peer_fields.h tells what each is).
struct PeerValues {
  crypto::PublicKey public_key{};
  std::optional<crypto::Secret> preshared_key;
  std::vector<dataplane::Prefix> allowed_ips;
  std::optional<dataplane::Endpoint> endpoint;  // where to reach it first; it may roam. In a change
                                                // also port 0: taken away
  uint16_t persistent_keepalive = 0;            // seconds, 0: off
};
/// Where a field's value is, by PeerField.
inline constexpr std::tuple kPeerMembers{&PeerValues::public_key, &PeerValues::preshared_key,
                                         &PeerValues::allowed_ips, &PeerValues::endpoint,
                                         &PeerValues::persistent_keepalive};
static_assert(std::tuple_size_v<decltype(kPeerMembers)> == kPeerFieldCount);

/// Calls `visit(PeerField, member)` for each.
template <typename Visit>
void for_each_peer_field(Visit visit) {
  [&]<size_t... i>(std::index_sequence<i...>) {
    (visit(static_cast<PeerField>(i), std::get<i>(kPeerMembers)), ...);
  }
  (std::make_index_sequence<kPeerFieldCount>());
}

/// Whether two values of a field are the same; of secrets in a time that does not tell.
template <typename Value>
bool same_value(const Value& a, const Value& b) {
  return a == b;
}
inline bool same_value(const std::optional<crypto::Secret>& a,
                       const std::optional<crypto::Secret>& b) {
  return a.has_value() == b.has_value() && (!a || crypto::equal(a->bytes(), b->bytes()));
}

struct PeerSpec : PeerValues {
  std::string name;
  std::string user;
  Origin origin = Origin::kApi;
};

/// Fields that are not named stay as they are.
struct UserChange {
  std::string name;
  UserValues to;
  std::bitset<kUserFieldCount> named;

  void set(UserField field, uint64_t value) {
    to[field] = value;
    named.set(static_cast<size_t>(field));
  }
};
struct PeerChange {
  std::string name;
  PeerValues to;
  std::bitset<kPeerFieldCount> named;

  template <PeerField field, typename Value>
  void set(Value value) {
    constexpr auto kIndex = static_cast<size_t>(field);
    to.*std::get<kIndex>(kPeerMembers) = std::move(value);
    named.set(kIndex);
  }
};

struct AddUser {
  UserSpec spec;
};
struct SetUser {
  UserChange change;
};
struct RemoveUser {
  std::string name;
};  // and its peers
struct ResetQuota {
  std::string name;
};  // the user's present period begins anew
struct AddPeer {
  PeerSpec spec;
  bool move = false;  // allowed IPs are taken from whoever has them when the step's turn comes
  bool pick = false;  // its allowed IPs are to be the next addresses of the pools
};
struct SetPeer {
  PeerChange change;
  bool move = false;
};
struct RemovePeer {
  std::string name;
};

struct ForgetTimestamp {
  std::string name;
};  // the peer's next handshake is taken whatever its time

/// Another public key for a peer, and perhaps another preshared key: its sessions end, and what it
/// carried is its user's. All else stays.
struct RotateKeys {
  std::string name;
  crypto::PublicKey public_key{};
  std::optional<crypto::Secret> preshared_key = std::nullopt;  // none: as it was
};

/// Another name for what has one; all else stays, sessions and counters among it.
struct Renaming {
  std::string name, to;
  std::string path;  // as in Step
};
/// Those of one step come to pass at once: names may be swapped.
struct RenameUsers {
  std::vector<Renaming> all;
};
struct RenamePeers {
  std::vector<Renaming> all;
};

/// One step of a request. A request is a list of steps, applied in order, wholly or not at all, and
/// judged by the state it ends in: before any takes allowed IPs, peers give up those that they lose
/// to others of the request.
using Change = std::variant<AddUser, SetUser, RemoveUser, ResetQuota, AddPeer, SetPeer, RemovePeer,
                            ForgetTimestamp, RotateKeys, RenameUsers, RenamePeers>;

/// What one bears whose name another takes while the names of a step are told: no name.
inline std::string passing_name(const std::string& name) { return '~' + name; }

/// A change with the place it came from, for messages.
struct Step {
  Change change;
  std::string path;  // such as "params.users[3]"
};

}  // namespace wirelay::ctrl

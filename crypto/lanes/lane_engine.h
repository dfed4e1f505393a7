// The lane-parallel AEAD: what the engines of all instruction sets share, around their kernels.
#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "crypto/aead.h"
#include "crypto/lanes/plan.h"
#include "crypto/lanes/schedule.h"

namespace wirelay::crypto::lanes {

/// `Kernels` says how the parts are done with one set of instructions: kName, kLanes (blocks in a
/// set), and static functions load_keys(), chacha20(), finish(), take_keys(), make_group(), tags(),
/// wipe(), as avx512_engine.cc has them. Bursts below kFewPackets packets, which would leave most
/// lanes idle, go to `few`.
template <class Kernels>
class LaneEngine final : public AeadEngine {
 public:
  explicit LaneEngine(std::unique_ptr<AeadEngine> few) noexcept : few_(std::move(few)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return Kernels::kName; }

  void seal_burst(std::span<AeadPacket> packets) noexcept override {
    if (packets.size() < Kernels::kFewPackets) return few_->seal_burst(packets);
    for_each_plan(packets, &LaneEngine::seal_plan);
  }

  void open_burst(std::span<AeadPacket> packets) noexcept override {
    if (packets.size() < Kernels::kFewPackets) return few_->open_burst(packets);
    for_each_plan(packets, &LaneEngine::open_plan);
  }

 private:
  /// Everything here is derived from keys. It lives in the engine, not on the stack, and is wiped
  /// after each burst.
  struct alignas(64) Scratch {
    KeyPlanes planes;
    PolyKeys poly_keys;
    KeyStream stream[2];  // of the set in work, of the set before
    PolyTags tags;
  };

  /// Splits a burst into plans of like size: 33 packets make 17 and 16, not 32 and 1.
  void for_each_plan(std::span<AeadPacket> packets, void (LaneEngine::*work)()) noexcept {
    while (!packets.empty()) {
      const size_t plans = (packets.size() + kPlanPackets - 1) / kPlanPackets;
      const size_t count = (packets.size() + plans - 1) / plans;
      make_plan(packets.first(count), plan_, packet_);
      start();
      (this->*work)();
      packets = packets.subspan(count);
    }
    Kernels::wipe(&scratch_, sizeof scratch_);
  }

  void start() noexcept {
    dealer_ = Dealer{&plan_};
    turn_ = 0;
    pending_ = nullptr;
    finished_ = 0;
    deal_begin(dealer_, set_[0], Kernels::kLanes);
    deal_lanes(dealer_, set_[0], 0, Kernels::kLanes);
    deal_end(dealer_, set_[0]);
    Kernels::make_group(plan_, 0, group());
    Kernels::load_keys(plan_, scratch_.planes);
  }

  /// Computes the key stream of the set in turn, applies that of the set before, the pending one,
  /// and deals the set that follows. False after the last. Lanes are dealt one set ahead because
  /// they are written word by word and read as vectors: such a read waits until the writes have
  /// left the store buffer, which by then they have.
  bool advance() noexcept {
    const BlockSet& set = set_[turn_];
    KeyStream& stream = scratch_.stream[stream_turn_];
    stream_turn_ ^= 1;
    KeyStream& pending_stream = scratch_.stream[stream_turn_];
    const bool more = set.key_lanes > 0 || set.has_text;
    if (more) {
      turn_ = (turn_ + 1) % 3;
      BlockSet& ahead = set_[turn_];
      deal_begin(dealer_, ahead, Kernels::kLanes);
      Kernels::chacha20(scratch_.planes, set, stream, pending_, pending_stream, dealer_, ahead);
      deal_end(dealer_, ahead);
    } else if (pending_ != nullptr) {
      Kernels::finish(*pending_, pending_stream);
    }
    if (pending_ != nullptr) finished_ = pending_->packets_done;
    if (set.key_lanes > 0) Kernels::take_keys(stream, set.first_key, scratch_.poly_keys);
    pending_ = set.has_text ? &set : nullptr;
    return more;
  }

  /// Encrypts; as soon as all packets of a group are encrypted, while their text is still in the
  /// nearest cache, makes their tags.
  void seal_plan() noexcept {
    while (advance()) {
      while (finished_ > 0 && group_end() <= finished_ && write_tags()) {
      }
    }
    while (write_tags()) {
    }
  }

  /// Checks the tags of a group before any of its text is decrypted. A pending set with text means
  /// that all keys are there: they are in the first sets.
  void open_plan() noexcept {
    do {
      while (pending_ != nullptr && group().first < pending_->packets_begun && check_tags()) {
      }
    } while (advance());
    while (check_tags()) {
    }
  }

  TagGroup& group() noexcept { return group_[group_turn_]; }
  uint32_t group_end() noexcept { return group().first + group().packets; }

  bool write_tags() noexcept {
    const TagGroup& group = next_tags();
    if (group.packets == 0) return false;
    for (uint32_t i = 0; i < group.packets; ++i) {
      const AeadPacket& packet = *packet_[group.first + i];
      const uint32_t lane = group.last_lane[i];
      std::memcpy(packet.text + packet.length, &scratch_.tags.half[0][lane], 8);
      std::memcpy(packet.text + packet.length + 8, &scratch_.tags.half[1][lane], 8);
    }
    return true;
  }

  bool check_tags() noexcept {
    const TagGroup& group = next_tags();
    for (uint32_t i = 0; i < group.packets; ++i) {
      AeadPacket& packet = *packet_[group.first + i];
      uint64_t tag[2];
      std::memcpy(tag, packet.text + packet.length, kTagBytes);
      const uint32_t lane = group.last_lane[i];
      const uint64_t difference =
          (tag[0] ^ scratch_.tags.half[0][lane]) | (tag[1] ^ scratch_.tags.half[1][lane]);
      packet.authentic = difference == 0;
    }
    return group.packets > 0;
  }

  /// Makes the tags of the group in turn, after the group that follows has been filled (see
  /// advance()). Returns it, empty after the last.
  const TagGroup& next_tags() noexcept {
    const TagGroup& now = group();
    if (now.packets == 0) return now;
    group_turn_ ^= 1;
    Kernels::make_group(plan_, now.first + now.packets, group());
    Kernels::tags(scratch_.poly_keys, plan_, now, scratch_.tags);
    return now;
  }

  std::unique_ptr<AeadEngine> few_;
  Scratch scratch_;
  BlockSet set_[3];  // pending, in work, dealt ahead
  TagGroup group_[2];
  Plan plan_;
  AeadPacket* packet_[kPlanPackets];  // in the order of the plan
  Dealer dealer_{};
  const BlockSet* pending_ = nullptr;  // its key stream is computed but not applied
  uint32_t finished_ = 0;              // packets of the plan whose text is worked through
  uint32_t turn_ = 0;
  uint32_t stream_turn_ = 0;
  uint32_t group_turn_ = 0;
};

}  // namespace wirelay::crypto::lanes

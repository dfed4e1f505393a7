// The lane-parallel AEAD: what the engines of all instruction sets share, around their kernels.
#pragma once

#include <algorithm>
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
/// set), and static functions place_packets(), load_keys(), chacha20(), finish(), make_group(),
/// tags(), wipe(), as avx512_engine.cc has them. Bursts below kFewPackets packets,
/// which would leave most lanes idle, go to `few`.
template <class Kernels>
class LaneEngine final : public AeadEngine {
 public:
  explicit LaneEngine(std::unique_ptr<AeadEngine> few) noexcept : few_(std::move(few)) {}

  [[nodiscard]] std::string_view name() const noexcept override { return Kernels::kName; }

  void seal_burst(std::span<AeadPacket> packets) noexcept override {
    for_each_plan(packets, &AeadEngine::seal_burst, &LaneEngine::seal_plan);
  }

  void open_burst(std::span<AeadPacket> packets) noexcept override {
    for_each_plan(packets, &AeadEngine::open_burst, &LaneEngine::open_plan);
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

  /// Of a burst of `packets`, how many the first plan takes so that all are of like size: 33
  /// packets make 17 and 16, not 32 and 1.
  static size_t like_share(size_t packets) noexcept {
    if (packets <= kPlanPackets) return packets;
    const size_t plans = (packets + kPlanPackets - 1) / kPlanPackets;
    return (packets + plans - 1) / plans;
  }

  void for_each_plan(std::span<AeadPacket> packets,
                     void (AeadEngine::*few)(std::span<AeadPacket>) noexcept,
                     void (LaneEngine::*work)() noexcept) noexcept {
    if (packets.size() < Kernels::kFewPackets) return (few_.get()->*few)(packets);
    int64_t longest = 0;  // text, bytes
    while (!packets.empty()) {
      size_t count = make_plan(packets.first(like_share(packets.size())), plan_, packet_);
      if (count > 0) {
        start();
        longest = std::max(longest, plan_.bytes[0]);
        (this->*work)();
      } else {
        count = 1;  // of more blocks than a plan has room for
        (few_.get()->*few)(packets.first(1));
      }
      packets = packets.subspan(count);
    }
    Kernels::wipe(&scratch_, sizeof scratch_, longest);
  }

  void start() noexcept {
    turn_ = 0;
    Kernels::place_packets(packet_, plan_);
    list_whole_blocks(plan_);
    Kernels::make_group(plan_, 0, group());
    Kernels::load_keys(plan_, scratch_.planes, scratch_.stream[0]);
  }

  /// Computes the key stream of the set that begins with job `first`, takes Poly1305 keys out of
  /// it, and applies that of the set before.
  void next_set(uint32_t first) noexcept {
    KeyStream& stream = scratch_.stream[turn_];
    turn_ ^= 1;
    Kernels::chacha20(scratch_.planes, plan_, first, stream, scratch_.stream[turn_],
                      scratch_.poly_keys);
  }

  void finish_last_set() noexcept {
    const uint32_t first = (plan_.jobs - 1) / Kernels::kLanes * Kernels::kLanes;
    Kernels::finish(plan_, first, scratch_.stream[turn_ ^ 1]);
  }

  /// Makes the tags of packets as soon as they are encrypted, while their text is still in the
  /// nearest cache.
  void seal_plan() noexcept {
    for (uint32_t first = 0; first < plan_.jobs; first += Kernels::kLanes) {
      next_set(first);
      const uint32_t done = packets_done(plan_, first);
      while (group().packets > 0 && group().first + group().packets <= done) write_tags();
    }
    finish_last_set();
    while (write_tags()) {
    }
  }

  /// Checks all tags as soon as all keys are there, before any text is decrypted.
  void open_plan() noexcept {
    uint32_t first = 0;
    for (; first < plan_.packets; first += Kernels::kLanes) next_set(first);
    forged_ = false;
    while (check_tags()) {
    }
    if (forged_) [[unlikely]]
      return decrypt_authentic();
    decrypt_from(first);
  }

  void decrypt_from(uint32_t first) noexcept {
    for (; first < plan_.jobs; first += Kernels::kLanes) next_set(first);
    finish_last_set();
  }

  /// A plan anew, without the forged ones: a lie costs its tag, and not its text. What is true
  /// costs one block more.
  void decrypt_authentic() noexcept {
    AeadPacket packets[kPlanPackets];
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan_.packets; ++i) {
      if (packet_[i]->authentic) packets[count++] = *packet_[i];
    }
    if (count == 0) return;
    make_plan({packets, count}, plan_, packet_);
    start();
    decrypt_from(0);
  }

  TagGroup& group() noexcept { return group_[group_turn_]; }

  bool write_tags() noexcept {
    const TagGroup& group = next_tags();
    for (uint32_t i = 0; i < group.packets; ++i) {
      const uint32_t packet = group.first + i;
      std::memcpy(plan_.text[packet] + plan_.bytes[packet], scratch_.tags.tag[lane_of(group, i)],
                  kTagBytes);
    }
    return group.packets > 0;
  }

  bool check_tags() noexcept {
    const TagGroup& group = next_tags();
    for (uint32_t i = 0; i < group.packets; ++i) {
      const uint32_t packet = group.first + i;
      const uint64_t* right = scratch_.tags.tag[lane_of(group, i)];
      uint64_t tag[2];
      std::memcpy(tag, plan_.text[packet] + plan_.bytes[packet], kTagBytes);
      const bool authentic = ((tag[0] ^ right[0]) | (tag[1] ^ right[1])) == 0;
      packet_[packet]->authentic = authentic;
      forged_ |= !authentic;
    }
    return group.packets > 0;
  }

  /// Makes the tags of the group in turn. The group that follows is filled first: it is written
  /// word by word and read as vectors, and such a read waits until the writes have left the store
  /// buffer, which by then they have. Returns the group, empty after the last.
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
  TagGroup group_[2];
  Plan plan_;
  AeadPacket* packet_[kPlanPackets];  // in the order of the plan
  uint32_t turn_ = 0;                 // which key stream is the next set's
  uint32_t group_turn_ = 0;
  bool forged_ = false;  // some packet of the plan that is opened
};

}  // namespace wirelay::crypto::lanes

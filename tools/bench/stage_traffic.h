// Packets for bench_stages: made and sealed ahead into buffers, and checked when they have come
// through. Written straight into the buffers and with the engine under test, since millions of them
// are made; what the relay does with a packet in every detail is the tests' matter.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <rte_mbuf.h>

#include "crypto/aead.h"
#include "tests/support/data_path.h"

namespace wirelay::bench {

enum class Direction : uint8_t {
  kUp,    // a client's packets to the plain network behind the gateway
  kDown,  // from the plain network to clients
  kHub,   // from client to client
};
/// "up", "down" or "hub"; throws std::invalid_argument.
Direction direction_of(const std::string& text);
const char* to_text(Direction direction) noexcept;

/// A packet on its way, as the bench knows it.
struct TestPacket {
  rte_mbuf* mbuf = nullptr;
  uint8_t* text = nullptr;   // what is opened, or will be sealed
  uint32_t text_bytes = 0;   // of it
  uint32_t inner_bytes = 0;  // of the inner IP packet
  test::Client* from = nullptr;
  test::Client* to = nullptr;  // null: the plain network
};

/// What a mapping of a client's UDP port is found by.
dataplane::NatKey nat_key(const dataplane::Shared& shared, const test::Client& client,
                          uint16_t port);

class StageTraffic {
 public:
  /// `engine`: seals and opens the clients' packets. All references outlive this object. `ports`:
  /// of each client, that packets are from and to at random, by NAT; 0: always the same, without.
  StageTraffic(test::DataPath& path, std::span<test::Client> clients, crypto::AeadEngine& engine,
               uint32_t ports);
  static constexpr uint16_t kFirstPort = 2000;  // of a client, with NAT

  /// Fills the packets' buffers with new packets from or to clients out of the first `clients` at
  /// random. No client uses a counter twice.
  void make(Direction direction, std::span<const uint32_t> lengths, size_t clients,
            std::span<TestPacket> packets);

  /// Whether each packet is, where it should be, what it should be; else throws
  /// std::runtime_error. `packets` as make() left them, after they came through.
  void check(std::span<const TestPacket> packets);

 private:
  void make_one(Direction direction, uint32_t length, size_t clients, TestPacket& packet);
  [[nodiscard]] dataplane::Endpoint public_end(const test::Client& client, uint16_t port) const;
  uint8_t* write_inner(TestPacket& packet, uint8_t* at);
  void write_outer(const TestPacket& packet, uint8_t* frame);

  test::DataPath& path_;
  std::span<test::Client> clients_;
  crypto::AeadEngine& engine_;
  const uint32_t ports_;
  std::mt19937_64 random_{3};
  std::vector<crypto::AeadPacket> sealing_;
};

}  // namespace wirelay::bench

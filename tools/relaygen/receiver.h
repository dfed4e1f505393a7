// What comes out of the far end, on both ports: counted, and held against what went in.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "crypto/aead.h"
#include "tools/relaygen/clients.h"
#include "tools/relaygen/handshaker.h"
#include "tools/relaygen/histogram.h"
#include "tools/relaygen/port.h"
#include "tools/relaygen/round.h"

namespace wirelay::relaygen {

/// Packets that came out, each kind of fault by itself. A corrupt packet is no lost one.
struct Counts {
  uint64_t received = 0;  // test packets, corrupt ones and duplicates among them
  uint64_t verified = 0;  // as a whole: all on the plain port, a sample on the tunnel port
  uint64_t duplicates = 0, reordered = 0;
  uint64_t bad_tag = 0;       // did not decrypt
  uint64_t bad_address = 0;   // from or to the wrong address, or under another client's session
  uint64_t bad_payload = 0;   // length or content changed
  uint64_t bad_checksum = 0;  // of the inner IPv4 or UDP header; all else is right
  uint64_t late = 0;          // of an earlier round, which counts them as lost
  uint64_t keepalives = 0;
  uint64_t foreign = 0;              // sealed for our clients, but not of a trial
  uint64_t foreign_inner_bytes = 0;  // padding included
  uint64_t foreign_wire_bytes = 0;
  uint64_t other = 0;  // nothing of ours: neighbour discovery, for one

  [[nodiscard]] uint64_t corrupt() const noexcept {
    return bad_tag + bad_address + bad_payload + bad_checksum;
  }
};

class Receiver {
 public:
  /// `plain` may be nullptr. `sample`: every so many sealed packets one is decrypted; 0: none.
  Receiver(Clients& clients, Handshaker& handshaker, crypto::AeadEngine& engine, Port& tunnel,
           Port* plain, const dataplane::Endpoint& remote, uint32_t sample);

  /// From now on the packets of this round are expected. `start`: in cycles; `paced`: stamps mean
  /// something, so that latencies are taken.
  void expect(const Round& round, Mode mode, uint64_t start, bool paced) noexcept;
  /// What has come since the last call; starts anew.
  Counts take_counts() noexcept;

  /// Receives one burst from each port; returns how many packets there were.
  unsigned poll();
  unsigned poll_tunnel();

  /// Packets that came since expect(), each one once.
  [[nodiscard]] uint64_t arrived() const noexcept { return unique() - before_; }
  [[nodiscard]] uint64_t last_arrival() const noexcept { return last_arrival_; }  // cycles
  [[nodiscard]] Histogram& latency() noexcept { return latency_; }                // nanoseconds

 private:
  [[nodiscard]] uint64_t unique() const noexcept { return counts_.received - counts_.duplicates; }
  unsigned poll_plain();
  void take_plain(std::span<const uint8_t> frame);
  void take_tunnel(std::span<uint8_t> frame);
  void take_transport(const dataplane::Endpoint& to, std::span<uint8_t> message,
                      uint32_t frame_bytes);
  void open_samples();
  void check_inner(std::span<const uint8_t> inner, const Session& session);
  void check_content(const UdpPacket& packet, const Probe& probe, const Session* session);
  void count_arrival(Arrival arrival) noexcept;

  Clients& clients_;
  Handshaker& handshaker_;
  crypto::AeadEngine& engine_;
  Port& tunnel_;
  Port* plain_;
  const dataplane::Endpoint remote_;
  const uint32_t sample_;
  uint32_t until_sample_ = 0;

  const Round* round_ = nullptr;
  Mode mode_ = Mode::kUp;
  bool paced_ = false;
  uint64_t start_ = 0, now_ = 0, last_arrival_ = 0;  // cycles
  uint64_t before_ = 0;                              // unique() when the round began
  Counts counts_;
  Histogram latency_;
  std::vector<crypto::AeadPacket> opening_;  // this burst's sample
  std::vector<Session*> opening_sessions_;   // of the same indices
};

}  // namespace wirelay::relaygen

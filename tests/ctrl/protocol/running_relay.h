// A relay that runs, in one process: workers as threads between two ring ports, threads that
// compute answers to handshakes, and the control side on the test's own thread, with tables,
// protocol and publisher as relayd has them. The clock is the test's: it moves a step a round.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ctrl/protocol/answer_threads.h"
#include "ctrl/protocol/protocol.h"
#include "ctrl/users/publisher.h"
#include "tests/ctrl/protocol/kept_peer.h"
#include "tests/dataplane/reader_threads.h"
#include "tests/support/data_path.h"
#include "tests/support/times.h"

namespace wirelay::test {

/// One user with one peer, which comes and goes.
struct Member {
  std::string name;
  std::unique_ptr<KeptPeer> peer;
  dataplane::Endpoint endpoint;
  dataplane::IpAddr inner;
  bool begins = false;    // the peer begins handshakes; else the relay does
  bool present = false;   // the relay knows it
  unsigned began_at = 0;  // the round of its last initiation
  ctrl::UserPtr user;     // as it was told last
  ctrl::PeerPtr spec;
};

class RunningRelay : public ctrl::PacketSender, public ctrl::Answerer {
 public:
  static constexpr unsigned kWorkers = 2;
  static constexpr uint64_t kStep = 250 * kMillisecond;  // of the clock, a round

  /// With so many members, of which every other begins handshakes itself.
  explicit RunningRelay(unsigned members);
  ~RunningRelay() override;

  /// A member comes or goes, with its user.
  void add(Member& member);
  void remove(Member& member);
  /// The user's limits, which no packet of a test meets, are others.
  void change_limits(Member& member);

  /// A packet from the plain network to the member, into either worker's queue.
  void send_to(const Member& member, uint16_t queue);
  /// The same handed up by a worker that had no session for it: the control thread seals it, while
  /// workers may seal others.
  void hand_up(const Member& member);
  /// A message from the member.
  void send_from(const Member& member, const Bytes& message, uint16_t queue);
  /// The control thread's turn while the workers run, and what has left since: peers answer. Each
  /// worker has polled twice when it is over.
  void round();
  /// Ends all threads and takes in what is left of them; nothing may be sent any more. Returns how
  /// many buffers are not back.
  uint32_t stop();

  [[nodiscard]] const ctrl::ProtocolCounters& counters() const { return protocol_->counters(); }
  std::vector<Member> members;
  unsigned rounds = 0;
  uint64_t arrived = 0;  // messages that peers took
  /// Asked for each answer that has just gone to the threads; true: its peer goes at once.
  std::function<bool(Member& member)> goes_meanwhile;

  // PacketSender --------------------------------------------------------------------------------
  void send(rte_mbuf* packet, uint16_t port, uint16_t adjacency) override;
  std::optional<Hop> route(const dataplane::IpAddr& remote, const dataplane::IpAddr* local,
                           const uint16_t* port) override;
  void hold(uint16_t) override {}
  void release(uint16_t) override {}

  // Answerer ------------------------------------------------------------------------------------
  bool submit(std::unique_ptr<ctrl::Answer>& answer) override;
  std::unique_ptr<ctrl::Answer> take() override { return answers_.take(); }

 private:
  [[nodiscard]] ctrl::Now now() const;
  void serve();
  void tell(const ctrl::ChangeEvent& event);
  void collect();
  void take_in(const Bytes& frame);

  DataPath path_;
  crypto::Identity identity_;
  ctrl::AnswerThreads answers_;
  std::unique_ptr<ctrl::Protocol> protocol_;
  std::unique_ptr<ctrl::Publisher> publisher_;
  std::atomic<uint64_t> clock_;
  std::unique_ptr<ReaderThreads> workers_;
  std::vector<uint32_t> submitted_;  // numbers of peers
  unsigned sent_ = 0;                // by the control thread
};

}  // namespace wirelay::test

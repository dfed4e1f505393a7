// Fuzzes what the control thread finds in packets that workers hand up: the datagram in a frame,
// the destination of a packet that waits, and what a router reports. Nothing outside of the buffer
// is read, what is found lies within, and a datagram of ours comes back as it was made. The first
// byte says what the rest is: a frame, an IP packet, a message to send, or an ICMP message, which
// gets its checksum here.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include <rte_mempool.h>

#include "ctrl/packets/datagram.h"
#include "ctrl/packets/path_report.h"
#include "tests/fuzz/target.h"
#include "tests/support/packets.h"
#include "tests/support/test_environment.h"

using namespace wirelay;
using dataplane::Endpoint;
using dataplane::PeerPath;

namespace {

constexpr uint16_t kMtu = 1500;
constexpr size_t kLongestMessage = 1400;

struct Reached {
  bool datagram4 = false, datagram6 = false, packet4 = false, packet6 = false, sent4 = false,
       sent6 = false, report4 = false, report6 = false;
};
Reached reached;

void must(bool holds) {
  if (!holds) std::abort();
}

/// A packet whose buffer is these bytes and no more.
rte_mbuf around(const uint8_t* data, size_t size) {
  rte_mbuf out{};
  out.buf_addr = const_cast<uint8_t*>(data);
  out.buf_len = out.data_len = static_cast<uint16_t>(size);
  out.pkt_len = out.data_len;
  out.nb_segs = 1;
  return out;
}

void read_frame(const uint8_t* data, size_t size) {
  const rte_mbuf frame = around(data, size);
  const auto found = ctrl::parse_frame(&frame, 0);
  if (!found) return;
  must(found->message.data() >= data &&
       found->message.data() + found->message.size() <= data + size);
  (found->remote.addr.is_v4() ? reached.datagram4 : reached.datagram6) = true;
}

void read_packet(const uint8_t* data, size_t size) {
  const rte_mbuf packet = around(data, size);
  const auto found = ctrl::destination_of(&packet);
  if (!found) return;
  const bool v4 = data[0] >> 4 == 4;
  must(size >= (v4 ? 20u : 40u));
  const auto from = found->bytes.begin() + (v4 ? 12 : 0);
  must(std::equal(from, found->bytes.end(), data + (v4 ? 16 : 24)));
  (v4 ? reached.packet4 : reached.packet6) = true;
}

void read_report(bool v6, const uint8_t* data, size_t size) {
  if (size < 4 || size > kMtu) return;
  const auto from = test::addr(v6 ? "2001:db8::9" : "192.0.2.9");
  const auto to = test::addr(v6 ? "2001:db8::1" : "192.0.2.1");
  const test::Bytes message = test::with_icmp_checksum(from, to, {data, data + size});
  const test::Bytes frame =
      test::ethernet({}, {}, v6 ? test::kTypeIpv6 : test::kTypeIpv4,
                     test::ip(from, to, v6 ? test::kIcmp6 : test::kIcmp, message));
  const rte_mbuf mbuf = around(frame.data(), frame.size());
  const auto found = ctrl::parse_path_report(&mbuf);
  if (!found) return;
  must(found->mtu >= (v6 ? 1280 : 576));
  must(found->remote.addr.is_v4() != v6 && found->local.addr.is_v4() != v6);
  (v6 ? reached.report6 : reached.report4) = true;
}

rte_mempool* pool() {
  static rte_mempool* const instance = [] {
    test::start_environment("fuzz_datagram");
    return rte_pktmbuf_pool_create("fuzz", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  }();
  return instance;
}

/// To an address and a port of the input's, and back out of the frame.
void send_message(bool v6, const uint8_t* data, size_t size) {
  constexpr size_t kHead = 18;  // address and port
  if (size < kHead || size - kHead > kLongestMessage) return;
  Endpoint local{test::addr(v6 ? "2001:db8::1" : "192.0.2.1"), 51820}, remote;
  remote.addr = v6 ? dataplane::IpAddr::v6(data) : dataplane::IpAddr::v4(data);
  if (remote.addr.is_v4() == v6) return;  // an IPv4 address in IPv6's form
  std::memcpy(&remote.port, data + 16, sizeof remote.port);
  const PeerPath path = dataplane::make_path(local, remote, 0, 0, kMtu);
  rte_mbuf* sent =
      ctrl::make_datagram(pool(), path, {data + kHead, size - kHead}, ctrl::kHandshakeClass);
  must(sent != nullptr);
  const auto* at = rte_pktmbuf_mtod(sent, const uint8_t*);
  const test::Parsed packet = test::parse_ip_packet({at, at + rte_pktmbuf_data_len(sent)});
  must(packet.valid && packet.from == local.addr && packet.to == remote.addr);
  must(packet.from_port == local.port && packet.to_port == remote.port);
  must(std::equal(packet.payload.begin(), packet.payload.end(), data + kHead, data + size));
  rte_pktmbuf_free(sent);
  (v6 ? reached.sent6 : reached.sent4) = true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > UINT16_MAX) return 0;
  const uint8_t what = *data++;
  --size;
  if ((what & 0x10) != 0) {
    read_report((what & 1) != 0, data, size);
    return 0;
  }
  switch (what & 3) {
    case 0:
      read_frame(data, size);
      break;
    case 1:
      read_packet(data, size);
      break;
    default:
      send_message((what & 1) != 0, data, size);
  }
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  if (!reached.datagram4) return "a datagram over IPv4";
  if (!reached.datagram6) return "a datagram over IPv6";
  if (!reached.packet4) return "an IPv4 packet's destination";
  if (!reached.packet6) return "an IPv6 packet's destination";
  if (!reached.sent4) return "a message over IPv4";
  if (!reached.sent6) return "a message over IPv6";
  if (!reached.report4) return "a report over IPv4";
  return reached.report6 ? nullptr : "a report over IPv6";
}

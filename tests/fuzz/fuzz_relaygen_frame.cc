// Fuzzes what relaygen reads of frames that come back: UDP in IP, and neighbours' questions and
// answers. What is read lies within the frame; what is written of it reads the same.
#include <cstdlib>
#include <span>
#include <vector>

#include "tests/fuzz/target.h"
#include "tools/relaygen/frame.h"
#include "tools/relaygen/neighbour.h"

using namespace wirelay;
using namespace wirelay::relaygen;

namespace {

constexpr rte_ether_addr kOurMac = {{2, 0, 0, 0, 0, 1}};

size_t packets = 0, right = 0, questions = 0, answers = 0;

void check_bounds(const UdpPacket& packet, std::span<const uint8_t> bytes) {
  const auto headers = static_cast<size_t>(packet.payload - packet.ip);
  if (packet.ip != bytes.data() || packet.ip_bytes > bytes.size()) std::abort();
  if (headers + packet.payload_bytes != packet.ip_bytes) std::abort();
  if (packet.payload_bytes >= kProbeBytes) static_cast<void>(read_probe(packet.payload));
}

void check_written(const UdpPacket& packet) {
  const bool v4 = packet.ip[0] >> 4 == 4;
  // An IPv6 packet between IPv4 addresses in IPv6's clothes would be written as IPv4.
  if (packet.from.addr.is_v4() != v4 || packet.to.addr.is_v4() != v4) return;
  std::vector<uint8_t> bytes(ip_bytes(v4) + kUdpBytes);
  bytes.insert(bytes.end(), packet.payload, packet.payload + packet.payload_bytes);
  write_ip_udp(bytes.data(), packet.from, packet.to, packet.payload_bytes);
  const auto again = read_udp(bytes);
  if (!again || !checksums_right(*again)) std::abort();
  if (again->from != packet.from || again->to != packet.to) std::abort();
  if (again->payload_bytes != packet.payload_bytes) std::abort();
}

void read_packet(std::span<const uint8_t> bytes) {
  const auto packet = read_udp(bytes);
  if (!packet) return;
  ++packets;
  check_bounds(*packet, bytes);
  right += checksums_right(*packet) ? 1 : 0;
  check_written(*packet);
}

/// Who asks for an address gets an answer that says it is ours.
void answer(std::span<const uint8_t> frame) {
  dataplane::IpAddr asked;
  const auto said = make_answer(kOurMac, frame, [&asked](const dataplane::IpAddr& addr) {
    asked = addr;
    return true;
  });
  if (!said) return;
  ++questions;
  const auto read = read_answer(*said);
  if (!read || read->first != asked) std::abort();
  if (!rte_is_same_ether_addr(&read->second, &kOurMac)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> frame(data, size);
  answer(frame);
  answers += read_answer(frame) ? 1 : 0;
  if (size >= kEthernetBytes) read_packet(frame.subspan(kEthernetBytes));
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  if (packets == 0) return "a UDP packet";
  if (right == 0) return "a packet whose checksums are right";
  if (questions == 0) return "a neighbour's question";
  return answers == 0 ? "a neighbour's answer" : nullptr;
}

// Fuzzes what the control thread reads of punted packets: parse_frame() and destination_of(). The
// bytes end where the buffer ends, so that a read behind it is a finding; and what is read must lie
// where IP and UDP have it.
#include <cstdlib>
#include <cstring>
#include <memory>

#include "ctrl/packets/datagram.h"
#include "tests/fuzz/target.h"

using namespace wirelay;

namespace {

constexpr size_t kEthernetBytes = 14;

uint64_t datagrams4 = 0, datagrams6 = 0, destinations = 0;

void require(bool holds) {
  if (!holds) std::abort();
}

/// A buffer that holds `bytes` and ends with them.
struct Buffer {
  Buffer(const uint8_t* bytes, size_t size) : data(new uint8_t[size]) {
    if (size != 0) std::memcpy(data.get(), bytes, size);
    mbuf.buf_addr = data.get();
    mbuf.data_len = static_cast<uint16_t>(size);
    mbuf.pkt_len = mbuf.data_len;
    mbuf.nb_segs = 1;
  }
  std::unique_ptr<uint8_t[]> data;
  rte_mbuf mbuf{};
};

void check(const ctrl::Datagram& datagram, const Buffer& frame) {
  const uint8_t* const begin = frame.data.get();
  const uint8_t* const end = begin + frame.mbuf.data_len;
  const uint8_t* const message = datagram.message.data();
  require(message >= begin + kEthernetBytes + 20 + 8 &&
          datagram.message.size() <= size_t(end - message));
  const uint8_t* const udp = message - 8;
  require(datagram.remote.port == (udp[0] << 8 | udp[1]));
  require(datagram.local.port == (udp[2] << 8 | udp[3]));
  require(datagram.remote.addr.is_v4() == datagram.local.addr.is_v4() ||
          !datagram.local.addr.is_v4() || begin[kEthernetBytes] >> 4 == 6);
  ++(begin[kEthernetBytes] >> 4 == 4 ? datagrams4 : datagrams6);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 2000) return 0;
  const Buffer frame(data, size);
  const auto datagram = ctrl::parse_frame(&frame.mbuf, 3);
  if (datagram) check(*datagram, frame);
  // The same without its Ethernet header is a packet that waits.
  const size_t skipped = size < kEthernetBytes ? size : kEthernetBytes;
  const Buffer packet(data + skipped, size - skipped);
  const auto to = ctrl::destination_of(&packet.mbuf);
  if (to) ++destinations;
  if (datagram && packet.data[0] >> 4 >= 6) require(to || packet.data[0] >> 4 != 6);
  if (datagram && to) require(*to == datagram->local.addr);
  return 0;
}

extern "C" const char* missed_by_seeds(size_t) {
  if (datagrams4 == 0) return "a datagram over IPv4";
  if (datagrams6 == 0) return "a datagram over IPv6";
  return destinations == 0 ? "a packet's destination" : nullptr;
}

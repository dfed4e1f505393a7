// Records of blocks as bytes, and on their way; see ipfix.h.
#include "ctrl/nat/ipfix.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctrl/base/now.h"

namespace wirelay::ctrl {

namespace {

// RFC 7011, sections 3.1 to 3.4.
constexpr uint16_t kVersion = 10, kTemplateSet = 2, kTemplate = 256;
constexpr size_t kMessageHeader = 16, kSetHeader = 4, kTemplateHeader = 4, kField = 4;
constexpr uint64_t kNsOfMs = 1'000'000;
// Values of natEvent.
constexpr uint8_t kBlockGiven = 16, kBlockTaken = 17;

struct Field {
  uint16_t element, bytes;
};
constexpr uint16_t kAnyLength = 65535;
/// Of the IANA registry "IPFIX Information Elements".
constexpr std::array kFields = {
    Field{323, 8},           // observationTimeMilliseconds
    Field{230, 1},           // natEvent
    Field{8, 4},             // sourceIPv4Address
    Field{225, 4},           // postNATSourceIPv4Address
    Field{361, 2},           // portRangeStart
    Field{362, 2},           // portRangeEnd
    Field{371, kAnyLength},  // userName
};
constexpr size_t kTemplateBytes = kSetHeader + kTemplateHeader + kField * kFields.size();
constexpr size_t kLongestName = 254;  // its length is one byte then

void put(std::vector<uint8_t>& to, uint64_t value, unsigned bytes) {
  while (bytes-- != 0) to.push_back(static_cast<uint8_t>(value >> 8 * bytes));
}

void put_address(std::vector<uint8_t>& to, uint32_t address) { put(to, ntohl(address), 4); }

void put_template(std::vector<uint8_t>& to) {
  put(to, kTemplateSet, 2);
  put(to, kTemplateBytes, 2);
  put(to, kTemplate, 2);
  put(to, kFields.size(), 2);
  for (const Field& field : kFields) {
    put(to, field.element, 2);
    put(to, field.bytes, 2);
  }
}

int open_socket(const dataplane::Endpoint& collector) {
  const bool v4 = collector.addr.is_v4();
  const int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  to4.sin_family = AF_INET;
  to6.sin6_family = AF_INET6;
  to4.sin_port = to6.sin6_port = htons(collector.port);
  to4.sin_addr.s_addr = collector.addr.v4_be();
  std::memcpy(&to6.sin6_addr, collector.addr.bytes.data(), collector.addr.bytes.size());
  const int done = v4 ? connect(fd, reinterpret_cast<const sockaddr*>(&to4), sizeof to4)
                      : connect(fd, reinterpret_cast<const sockaddr*>(&to6), sizeof to6);
  if (done == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

bool IpfixMessages::add(const dataplane::NatBlockRecord& record, std::string_view user,
                        uint64_t unix_ns) {
  user = user.substr(0, kLongestName);
  constexpr size_t kFixed = 8 + 1 + 4 + 4 + 2 + 2 + 1;
  const size_t whole = kMessageHeader + kTemplateBytes + kSetHeader + records_.size();
  if (whole + kFixed + user.size() > kMostBytes) return false;
  put(records_, unix_ns / kNsOfMs, 8);
  put(records_, record.given ? kBlockGiven : kBlockTaken, 1);
  put_address(records_, record.inside);
  put_address(records_, record.address);
  put(records_, record.first_port, 2);
  put(records_, record.last_port, 2);
  put(records_, user.size(), 1);
  records_.insert(records_.end(), user.begin(), user.end());
  ++count_;
  return true;
}

std::vector<uint8_t> IpfixMessages::take(uint64_t unix_ns) {
  const bool with_template = unix_ns >= next_template_ns_;
  if (!with_template && records_.empty()) return {};
  const size_t sets =
      (with_template ? kTemplateBytes : 0) + (records_.empty() ? 0 : kSetHeader + records_.size());
  std::vector<uint8_t> message;
  put(message, kVersion, 2);
  put(message, kMessageHeader + sets, 2);
  put(message, unix_ns / kNsPerSecond, 4);
  put(message, sequence_, 4);
  put(message, domain_, 4);
  if (with_template) {
    put_template(message);
    next_template_ns_ = unix_ns + kTemplateSeconds * kNsPerSecond;
  }
  if (!records_.empty()) {
    put(message, kTemplate, 2);
    put(message, kSetHeader + records_.size(), 2);
    message.insert(message.end(), records_.begin(), records_.end());
  }
  sequence_ += count_;
  count_ = 0;
  records_.clear();
  return message;
}

IpfixExporter::IpfixExporter(const dataplane::Endpoint& collector, uint32_t domain)
    : messages_(domain), socket_(open_socket(collector)) {
  if (socket_ < 0) {
    throw std::runtime_error("cannot send IPFIX to " + to_string(collector) + ": " +
                             std::strerror(errno));
  }
}

IpfixExporter::~IpfixExporter() { close(socket_); }

void IpfixExporter::tell(const dataplane::NatBlockRecord& record, std::string_view user,
                         uint64_t unix_ns) {
  if (messages_.add(record, user, unix_ns)) return;
  flush(unix_ns);
  messages_.add(record, user, unix_ns);
}

void IpfixExporter::flush(uint64_t unix_ns) {
  const std::vector<uint8_t> message = messages_.take(unix_ns);
  if (message.empty()) return;
  if (send(socket_, message.data(), message.size(), MSG_NOSIGNAL) < 0) ++lost_;
}

}  // namespace wirelay::ctrl

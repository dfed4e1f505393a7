// Blocks of ports as IPFIX records (RFC 7011), for collectors that keep who had which ports: events
// 16 and 17 of RFC 8158, port block allocation and de-allocation. Over UDP, which nobody waits for:
// what finds no room on the way is lost, and a collector sees that by the sequence number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/ip.h"
#include "dataplane/tables/nat_writer.h"

namespace wirelay::ctrl {

/// Makes messages; sends nothing.
class IpfixMessages {
 public:
  static constexpr size_t kMostBytes = 1400;        // of a message: it fits any path
  static constexpr uint64_t kTemplateSeconds = 60;  // between templates, which UDP may lose

  /// `domain`: tells this relay from others at one collector.
  explicit IpfixMessages(uint32_t domain) : domain_(domain) {}

  /// Adds a record, of `unix_ns`; false when the message has no room for it: take() it first.
  bool add(const dataplane::NatBlockRecord& record, std::string_view user, uint64_t unix_ns);
  [[nodiscard]] bool empty() const noexcept { return records_.empty(); }
  /// The message with what was added since, and from time to time the template in front. Nothing
  /// when there is nothing to tell.
  std::vector<uint8_t> take(uint64_t unix_ns);

 private:
  const uint32_t domain_;
  std::vector<uint8_t> records_;
  uint32_t count_ = 0;     // of them
  uint32_t sequence_ = 0;  // of records in messages before
  uint64_t next_template_ns_ = 0;
};

/// Sends them. Control thread; nothing waits.
class IpfixExporter {
 public:
  /// By the network of the machine, not by the relay's ports. Throws std::runtime_error when there
  /// is no way to the collector.
  IpfixExporter(const dataplane::Endpoint& collector, uint32_t domain);
  ~IpfixExporter();
  IpfixExporter(const IpfixExporter&) = delete;
  IpfixExporter& operator=(const IpfixExporter&) = delete;

  void tell(const dataplane::NatBlockRecord& record, std::string_view user, uint64_t unix_ns);
  /// Sends what waits, and the template when it is time. Call once a second.
  void flush(uint64_t unix_ns);
  /// Messages that the machine did not take.
  [[nodiscard]] uint64_t lost() const noexcept { return lost_; }

 private:
  IpfixMessages messages_;
  int socket_;
  uint64_t lost_ = 0;
};

}  // namespace wirelay::ctrl

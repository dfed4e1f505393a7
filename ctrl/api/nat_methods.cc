// nat.*: public addresses, blocks of their ports, and who has them.
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"

namespace wirelay::ctrl::api {

namespace {

class Nat : public Query {
 public:
  bool collect(const RelayFace& relay, const Slice&) override {
    status_ = relay.nat();
    return true;
  }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    Json::Value& nat = result["nat44"] = Json::Value();
    if (!status_) return result;
    nat["port"] = status_->port;
    nat["addresses"] = status_->addresses;
    nat["block_ports"] = status_->block_ports;
    nat["max_blocks"] = status_->max_blocks;
    nat["max_flows"] = status_->max_flows;
    nat["blocks"] = status_->blocks;
    nat["blocks_free"] = status_->blocks_free;
    nat["blocks_resting"] = status_->blocks_resting;
    nat["records"] = status_->records;
    nat["records_used"] = status_->records_used;
    nat["ipfix_lost"] = count(status_->ipfix_lost);
    nat["packets_lost"] = count(status_->packets_lost);
    return result;
  }

 private:
  std::optional<NatStatus> status_;
};

/// Blocks that users have, in the order of their addresses and ports.
class Blocks : public Query {
 public:
  Blocks(uint32_t from, size_t limit) : next_(from), limit_(limit) {}

  bool collect(const RelayFace& relay, const Slice& slice) override {
    const auto nat = relay.nat();
    const uint32_t end = nat ? nat->blocks : 0;
    while (next_ < end && found_.size() < limit_) {
      for (uint32_t i = 0; i < kAtOnce && next_ < end && found_.size() < limit_; ++i, ++next_) {
        if (auto block = relay.nat_block(next_)) found_.push_back(std::move(*block));
      }
      if (slice.over() && next_ < end && found_.size() < limit_) return false;
    }
    more_ = next_ < end;
    return true;
  }
  [[nodiscard]] size_t entries() const override { return found_.size(); }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result(Json::objectValue);
    Json::Value& blocks = result["blocks"] = Json::arrayValue;
    for (const NatBlockStatus& block : found_) {
      Json::Value& entry = blocks.append(Json::objectValue);
      entry["user"] = block.user;
      entry["address"] = to_string(block.address);
      entry["first_port"] = block.first_port;
      entry["last_port"] = block.last_port;
      entry["worker"] = block.worker;
      entry["ports_used"] = block.mappings;
      entry["flows"] = block.flows;
    }
    result["next"] = more_ ? Json::Value(next_) : Json::Value();
    return result;
  }

 private:
  static constexpr uint32_t kAtOnce = 256;  // between looks at the clock

  uint32_t next_;
  const size_t limit_;
  std::vector<NatBlockStatus> found_;
  bool more_ = false;
};

Begun get_nat(const Json::Value& params) {
  Params(params).finish();
  return std::make_shared<Nat>();
}

Begun list_blocks(const Json::Value& params) {
  Params fields(params);
  const auto from = static_cast<uint32_t>(fields->number("from", 0, UINT32_MAX).value_or(0));
  const size_t limit = fields->number("limit", 1, kMaxPage).value_or(kDefaultPage);
  fields.finish();
  return std::make_shared<Blocks>(from, limit);
}

constexpr std::array kNatMethods = {
    Method{"nat.get", get_nat, "{}",
           "NAT44: addresses, blocks of ports and records of flows, and how many are used"},
    Method{"nat.blocks", list_blocks, R"({"from": NUMBER, "limit": N})",
           "blocks of public ports that users have; the next page is \"from\" \"next\""},
};

}  // namespace

std::span<const Method> nat_methods() { return kNatMethods; }

}  // namespace wirelay::ctrl::api

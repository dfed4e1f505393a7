// Starting a device, and who is on its link.
#include "tools/relaygen/port.h"

#include <algorithm>
#include <cstring>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/interrupt.h"

namespace wirelay::relaygen {

namespace {

using dataplane::IpAddr;
constexpr uint16_t kDescriptors = 4096;
constexpr uint32_t kFrameExtraBytes = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;

std::span<const uint8_t> frame_bytes(const rte_mbuf* packet) {
  return {rte_pktmbuf_mtod(packet, const uint8_t*), packet->data_len};
}

}  // namespace

Port::Port(const PortOptions& options, uint16_t id, uint32_t frame_bytes, rte_mempool* pool,
           unsigned patience)
    : options_(options), id_(id), pool_(pool) {
  configure(frame_bytes);
  if (options.mac) {
    rte_ether_addr mac = *options.mac;
    rte_eth_dev_default_mac_addr_set(id_, &mac);  // not all can: promiscuous mode does as well
  }
  rte_eth_promiscuous_enable(id_);
  rte_eth_allmulticast_enable(id_);
  start(patience);
  const int error = rte_eth_macaddr_get(id_, &mac_);
  if (error != 0) refuse("MAC address", error);
  if (options.mac) mac_ = *options.mac;
  if (options.gateway_mac) next_hop4_ = next_hop6_ = *options.gateway_mac;
}

void Port::start(unsigned patience) {
  // A memif client does not start before its server has, and complains of it at every try.
  const unsigned tries = std::strcmp(driver_, "net_memif") == 0 ? patience * 10 : 0;
  if (tries > 0) rte_log_set_level_pattern("pmd.net.memif", RTE_LOG_CRIT);
  int error = rte_eth_dev_start(id_);
  for (unsigned i = 0; error != 0 && i < tries; ++i) {
    stop_if_interrupted();
    rte_delay_us_sleep(100'000);
    error = rte_eth_dev_start(id_);
  }
  if (error != 0) refuse("start", error);
}

// The EAL closes the device when it ends.
Port::~Port() { rte_eth_dev_stop(id_); }

void Port::configure(uint32_t frame_bytes) {
  rte_eth_dev_info info{};
  int error = rte_eth_dev_info_get(id_, &info);
  if (error != 0) refuse("no such device", error);
  driver_ = info.driver_name;
  rte_eth_conf conf{};
  const uint32_t mtu = std::max<uint32_t>(frame_bytes - RTE_ETHER_HDR_LEN, RTE_ETHER_MTU);
  const uint32_t most = std::min<uint32_t>(
      info.max_mtu, info.max_rx_pktlen - std::min(info.max_rx_pktlen, kFrameExtraBytes));
  if (mtu > most) {
    throw Failure(name() + ": the largest --size needs IP packets of " + std::to_string(mtu) +
                  " bytes here, the device takes " + std::to_string(most));
  }
  conf.rxmode.mtu = std::max<uint32_t>(mtu, info.min_mtu);
  error = rte_eth_dev_configure(id_, 1, 1, &conf);
  if (error != 0) refuse("configuration", error);
  uint16_t rx = kDescriptors, tx = kDescriptors;
  error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  if (error != 0) refuse("queue sizes", error);
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(id_));
  error = rte_eth_rx_queue_setup(id_, 0, rx, socket, nullptr, pool_);
  if (error != 0) refuse("receive queue", error);
  error = rte_eth_tx_queue_setup(id_, 0, tx, socket, nullptr);
  if (error != 0) refuse("transmit queue", error);
}

std::string Port::name() const { return options_.role + " port " + options_.device; }

void Port::refuse(const std::string& what, int error) const {
  throw Failure(name() + ": " + what + ": " + rte_strerror(std::abs(error)));
}

void Port::wait_for_link(unsigned seconds) const {
  rte_eth_link link{};
  for (unsigned tries = 0; tries <= seconds * 100; ++tries) {
    if (rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) return;
    stop_if_interrupted();
    rte_delay_us_sleep(10'000);
  }
  throw Failure(name() + ": no link after " + std::to_string(seconds) + " s", kNoAnswer);
}

void Port::resolve(const IpAddr& far, unsigned seconds) {
  if (options_.gateway_mac) return;
  const bool v4 = far.is_v4();
  const auto self = address(v4);
  if (!self)
    throw UsageError("--" + options_.role + "-ip: an address of the family of " +
                     dataplane::to_string(far) + " is missing");
  IpAddr hop = far;
  for (const IpAddr& gateway : options_.gateways) {
    if (gateway.is_v4() == v4) hop = gateway;
  }
  for (unsigned tries = 0; tries <= seconds * 100; ++tries) {
    if (tries % 50 == 0) send_copy(make_question(mac_, *self, hop));
    std::array<rte_mbuf*, kBurst> burst;
    const uint16_t count = receive(burst);
    for (uint16_t i = 0; i < count; ++i) {
      take_neighbour(frame_bytes(burst[i]));
      rte_pktmbuf_free(burst[i]);
    }
    if (const auto found = learned_.find(hop); found != learned_.end()) {
      (v4 ? next_hop4_ : next_hop6_) = found->second;
      return;
    }
    stop_if_interrupted();
    rte_delay_us_sleep(10'000);
  }
  throw Failure("nobody on the " + options_.role + " port's link answers for " +
                    dataplane::to_string(hop) + "; --" + options_.role + "-gateway or --" +
                    options_.role + "-gateway-mac may be needed",
                kNoAnswer);
}

std::optional<IpAddr> Port::address(bool v4) const {
  for (const Interface& own : options_.addresses) {
    if (own.addr.is_v4() == v4) return own.addr;
  }
  return std::nullopt;
}

void Port::send_copy(std::span<const uint8_t> frame) {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
  if (packet == nullptr) return;
  const auto bytes = static_cast<uint16_t>(std::max<size_t>(frame.size(), 60));
  char* to = rte_pktmbuf_append(packet, bytes);
  if (to != nullptr) {
    std::memcpy(to, frame.data(), frame.size());
    std::memset(to + frame.size(), 0, bytes - frame.size());
  }
  if (to == nullptr || send(&packet, 1) == 0) rte_pktmbuf_free(packet);
}

void Port::take_neighbour(std::span<const uint8_t> frame) {
  if (const auto answer = make_answer(mac_, frame, [this](const IpAddr& a) { return owns(a); })) {
    send_copy(*answer);
  } else if (const auto learned = read_answer(frame)) {
    learned_[learned->first] = learned->second;
  }
}

bool Port::owns(const IpAddr& addr) const {
  const auto is_own = [&](const Interface& own) { return own.addr == addr; };
  const auto holds = [&](const dataplane::Prefix& prefix) { return prefix.contains(addr); };
  return std::ranges::any_of(options_.addresses, is_own) || std::ranges::any_of(owned_, holds);
}

uint64_t Port::missed() const {
  rte_eth_stats stats{};
  return rte_eth_stats_get(id_, &stats) == 0 ? stats.imissed + stats.rx_nombuf : 0;
}

}  // namespace wirelay::relaygen

// Links by DPDK and by the kernel.
#include "ctrl/host/link_watch.h"

#include <stdexcept>

#include <fmt/core.h>
#include <net/if.h>

#include <rte_ethdev.h>

#include "ctrl/base/log.h"
#include "ctrl/base/now.h"
#include "ctrl/host/interface.h"

namespace wirelay::ctrl {

namespace {

int on_link_event(uint16_t, rte_eth_event_type, void* changed, void*) {
  static_cast<std::atomic<bool>*>(changed)->store(true, std::memory_order_relaxed);
  return 0;
}

}  // namespace

LinkWatch::LinkWatch(dataplane::Shared& shared, const std::vector<Watched>& ports,
                     OnChange on_change)
    : shared_(shared), on_change_(std::move(on_change)) {
  for (const Watched& port : ports) {
    links_.push_back({.of = port});
    if (port.interface) links_.back().index = if_nametoindex(port.interface->c_str());
    rte_eth_dev_callback_register(port.port, RTE_ETH_EVENT_INTR_LSC, &on_link_event, &changed_);
    shared_.ports_down.fetch_or(1u << port.port, std::memory_order_relaxed);
  }
}

LinkWatch::~LinkWatch() {
  for (const Link& link : links_) {
    rte_eth_dev_callback_unregister(link.of.port, RTE_ETH_EVENT_INTR_LSC, &on_link_event,
                                    &changed_);
  }
}

void LinkWatch::turn(uint64_t now_ns) {
  const bool first = next_ns_ == 0;
  if (!changed_.exchange(false, std::memory_order_relaxed) && now_ns < next_ns_) return;
  next_ns_ = now_ns + kNsPerSecond;
  for (Link& link : links_) {
    look(link);
    if (first && !link.up) log_warning("port {}: no link", shared_.ports[link.of.port].name);
  }
}

void LinkWatch::look(Link& link) {
  const bool up = is_up(link);
  if (up != link.up) set(link, up);
}

bool LinkWatch::is_up(Link& link) {
  if (!link.of.interface) {
    rte_eth_link state{};
    return rte_eth_link_get_nowait(link.of.port, &state) == 0 && state.link_status != 0;
  }
  const std::string& name = *link.of.interface;
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0 && !link.gone) {
    link.gone = true;
    log_error("port {}: interface {} is no more; the relay starts again when there is one",
              shared_.ports[link.of.port].name, name);
  } else if (index != 0 && index != link.index) {
    throw std::runtime_error(
        fmt::format("port {}: interface {} was made anew, and the port is tied to the one that is "
                    "no more; start the relay again",
                    shared_.ports[link.of.port].name, name));
  }
  return index != 0 && interface_runs(name);
}

void LinkWatch::set(Link& link, bool up) {
  link.up = up;
  const uint32_t bit = 1u << link.of.port;
  const std::string& name = shared_.ports[link.of.port].name;
  if (!up) {
    shared_.ports_down.fetch_or(bit, std::memory_order_relaxed);
    log_warning("port {}: the link is down", name);
  } else {
    shared_.ports_down.fetch_and(~bit, std::memory_order_relaxed);
    log_info("port {}: the link is up", name);
  }
  on_change_(link.of.port, up);
}

}  // namespace wirelay::ctrl
